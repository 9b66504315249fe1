//! The page behind a confirmation mail's link. It asks with a button, since scanners follow links, and what it says
//! beside the button is what is kept as evidence.

use axum::{http::StatusCode, response::Response};
use serde_json::{Value, json};

use super::{frame, merge, page};
use crate::{
    domain::{channel::Channel, id::stable_hash, topic::Topic},
    flow::{
        confirm::{Question, Standing, Yes},
        sentence::topic_name,
        words::Words,
    },
};

/// A question in the words of whoever is asked.
pub struct Sheet<'q> {
    pub question: &'q Question,
    pub words: &'static Words,
}

impl Sheet<'_> {
    fn say(&self, key: &str, fill: &[(&str, &str)]) -> String {
        self.words.say(key, fill)
    }

    /// What a yes to a topic says, as it is shown and kept.
    fn text(&self, topic: &Topic) -> String {
        let policy = &self.question.rules.policy;
        let channel = match self.question.channel {
            Channel::Work => self.say("confirm.work", &[]),
            Channel::Personal => self.say("confirm.personal", &[]),
        };
        let (topic_name, sender) = (topic_name(self.words, policy, topic), policy.from.name());
        let text = self.say("confirm.statement", &[("topic", topic_name), ("sender", sender), ("channel", &channel)]);
        // The sentence around it has its own full stop.
        match policy.topic_purpose(topic, self.words.language).trim_end_matches('.') {
            "" => text,
            purpose => format!("{text} {}", self.say("confirm.purpose", &[("purpose", purpose)])),
        }
    }

    /// The yes of somebody who pressed the button with these topics ticked.
    pub fn yes<'t>(&self, ticked: impl Iterator<Item = &'t str>) -> Vec<Yes> {
        let ticked: Vec<&str> = ticked.collect();
        let own = self.is_open().then_some(&self.question.topic);
        let others = self.question.others.iter().filter(|topic| ticked.contains(&topic.as_str()));
        let yes = |topic: &Topic| {
            let text = format!("{} {}", self.text(topic), self.say("confirm.leave", &[]));
            Yes { topic: topic.clone(), text, text_version: self.say("confirm.version", &[]) }
        };
        own.into_iter().chain(others).map(yes).collect()
    }

    /// Changes with whatever the page says: a yes counts only for what was shown.
    pub fn digest(&self) -> String {
        let own = self.is_open().then_some(&self.question.topic);
        let texts = own.into_iter().chain(&self.question.others).map(|topic| self.text(topic));
        let texts: Vec<String> = texts.chain([self.say("confirm.version", &[])]).collect();
        let parts: Vec<&[u8]> = texts.iter().map(String::as_bytes).collect();
        format!("{:016x}", stable_hash(&parts))
    }

    fn is_open(&self) -> bool {
        self.question.standing == Standing::Open
    }

    /// Asks, or says why there is nothing to ask.
    pub fn asks(&self, token: &str) -> Response {
        let about = |key: &str| {
            self.say(key, &[("topic", topic_name(self.words, &self.question.rules.policy, &self.question.topic))])
        };
        let (title, told) = match self.question.standing {
            Standing::Open => ("confirm.title", None),
            Standing::Confirmed => ("confirm.confirmed_title", Some(about("confirm.confirmed"))),
            Standing::Lapsed => ("confirm.lapsed_title", Some(about("confirm.lapsed"))),
            Standing::Withdrawn => ("confirm.withdrawn_title", Some(about("confirm.withdrawn"))),
        };
        self.page(&self.say(title, &[]), token, json!({ "told": told }))
    }

    /// What was granted, and what else may be.
    pub fn granted(&self, token: &str, topics: &[Topic]) -> Response {
        let granted: Vec<String> = topics.iter().map(|topic| self.text(topic)).collect();
        self.page(&self.say("confirm.done_title", &[]), token, json!({ "granted": granted }))
    }

    /// What is left to say yes to stands in a form. No box is ticked beforehand: silence is no consent (GDPR, recital
    /// 32).
    fn page(&self, title: &str, token: &str, said: Value) -> Response {
        let others = self.question.others.iter();
        let others: Vec<Value> = others.map(|topic| json!({ "topic": topic, "text": self.text(topic) })).collect();
        let button = match (self.is_open(), others.is_empty()) {
            (true, _) => Some(self.say("confirm.button", &[])),
            (false, false) => Some(self.say("confirm.button_others", &[])),
            (false, true) => None,
        };
        let mut data = frame(self.words, &self.question.rules.policy, title);
        merge(
            &mut data,
            json!({
                "link": token,
                "shown": self.digest(),
                "own": self.is_open().then(|| self.text(&self.question.topic)),
                "others": others,
                "button": button,
            }),
        );
        merge(&mut data, said);
        page(StatusCode::OK, "confirm", self.words, data)
    }
}
