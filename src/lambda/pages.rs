//! The pages behind a mail's links: plain HTML without scripts, cookies or anything from elsewhere. Every value is
//! escaped by the templates' engine.

mod all;
pub mod confirm;
mod engine;
mod mail;
mod pace;
mod said;
mod topics;

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value, json};

use self::engine::page;
pub use self::{
    engine::protect,
    said::{Answer, Fault, said},
};
use crate::{
    domain::{channel::Channel, policy::Policy, time::ZoneName, topic::Topic},
    flow::{
        preferences::visit::{Scope, Visit},
        sentence::{address, topic_name},
        token::TokenKeys,
        words::Words,
    },
};

/// A page about somebody, in their language.
pub struct Desk<'a> {
    pub words: &'static Words,
    pub visit: &'a Visit,
    pub tokens: &'a TokenKeys,
    /// The token that the page was opened with.
    pub link: &'a str,
}

/// What may be sent from a page, each by a form of its own token.
const ACTIONS: [&str; 20] = [
    "leave",
    "leave_all",
    "mute",
    "lower",
    "pause",
    "link",
    "look",
    "join",
    "return",
    "unmute",
    "frequency",
    "break",
    "resume",
    "time_zone",
    "locale",
    "attribute",
    "interest",
    "disown",
    "addresses",
    "download",
];
/// Apart from the others, which do less harm.
const ERASING: [&str; 2] = ["erase", "erase_all"];

impl Desk<'_> {
    /// The page that the link opens, with what became of what was just sent from it.
    pub fn show(&self, answer: &Answer) -> Response {
        let status = if answer.fault.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
        let title = self.words.say("page.title", &[("sender", self.policy().from.name())]);
        match &self.visit.scope {
            Scope::Mail { campaign, grounds } => {
                let body = mail::body(self, campaign, grounds, answer);
                self.page(status, "mail", &title, answer, body)
            }
            Scope::Access(_) => {
                let title = self.say("held.heading", &[]);
                self.page(status, "all", &title, answer, all::body(self, answer))
            }
            Scope::Expired(_) => {
                let title = self.say("held.expired_title", &[]);
                let status = if answer.status.is_some() { StatusCode::OK } else { StatusCode::GONE };
                self.page(status, "expired", &title, answer, json!({}))
            }
        }
    }

    /// Asks before everything is deleted.
    pub fn ask_erase(&self) -> Response {
        let title = self.say("erase.title", &[]);
        self.page(StatusCode::OK, "erase", &title, &Answer::default(), json!({}))
    }

    pub fn erased(&self) -> Response {
        let title = self.say("erase.done_title", &[]);
        let text = json!({ "text": self.say("erase.done_text", &[]) });
        self.page(StatusCode::OK, "message", &title, &Answer::default(), text)
    }

    /// Asks before anything happens: scanners follow links, so that a GET may never act (RFC 8058, section 3.1).
    pub fn ask_unsubscribe(&self) -> Response {
        let title = self.say("unsubscribe.title", &[]);
        let text = json!({ "text": self.of_topic("unsubscribe.text") });
        self.page(StatusCode::OK, "unsubscribe", &title, &Answer::default(), text)
    }

    pub fn unsubscribed(&self) -> Response {
        let title = self.say("unsubscribe.done_title", &[]);
        let text = json!({ "text": self.of_topic("unsubscribe.done_text") });
        self.page(StatusCode::OK, "message", &title, &Answer::default(), text)
    }

    fn of_topic(&self, key: &str) -> String {
        match &self.visit.scope {
            Scope::Mail { campaign, grounds } => {
                let topic = grounds.consent.as_ref().unwrap_or(&campaign.topic);
                let (topic, address) = (self.topic(topic), self.address(campaign.channel));
                self.say(key, &[("topic", topic), ("address", &address)])
            }
            Scope::Access(_) | Scope::Expired(_) => String::new(),
        }
    }

    /// A text about a topic at an address.
    pub fn of(&self, topic: &Topic, channel: Channel, key: &str) -> String {
        self.say(key, &[("topic", self.topic(topic)), ("address", &self.address(channel))])
    }

    /// The same with the channel's name.
    pub fn of_place(&self, topic: &Topic, channel: Channel, key: &str) -> String {
        self.say(key, &[("topic", self.topic(topic)), ("channel", &self.place(channel))])
    }

    fn page(&self, status: StatusCode, template: &'static str, title: &str, answer: &Answer, body: Value) -> Response {
        let forms: Map<String, Value> = ACTIONS
            .iter()
            .chain(&ERASING)
            .map(|action| ((*action).to_owned(), Value::String(self.tokens.form(self.link, action))))
            .collect();
        let fault = answer.fault.as_ref();
        let heading = title;
        let title = match fault {
            Some(_) => self.say("page.error_title", &[("title", title)]),
            None => title.to_owned(),
        };
        let mut data = frame(self.words, self.policy(), heading);
        let own = json!({
            "title": title,
            "link": self.link,
            "forms": forms,
            "status": answer.status,
            "fault": fault.map(|fault| json!({ "field": fault.field, "text": fault.text(self.words) })),
        });
        merge(&mut data, own);
        merge(&mut data, body);
        page(status, template, self.words, data)
    }

    fn policy(&self) -> &Policy {
        &self.visit.policy.policy
    }

    fn say(&self, key: &str, fill: &[(&str, &str)]) -> String {
        self.words.say(key, fill)
    }

    fn topic<'t>(&'t self, topic: &'t Topic) -> &'t str {
        topic_name(self.words, self.policy(), topic)
    }

    fn address(&self, channel: Channel) -> String {
        address(self.words, channel)
    }

    /// The day, where the person lives.
    fn date(&self, time: jiff::Timestamp) -> String {
        let zone = self.visit.recipient.time_zone.as_ref().and_then(ZoneName::zone);
        self.words.date(time, &zone.unwrap_or(jiff::tz::TimeZone::UTC))
    }

    /// What is wrong with a field, to stand beside it.
    fn fault(&self, answer: &Answer, field: &str) -> Option<String> {
        answer.fault.as_ref().filter(|fault| fault.field == field).map(|fault| fault.text(self.words))
    }
}

/// What the layout says on every page of a sender's.
fn frame(words: &Words, policy: &Policy, title: &str) -> Value {
    let sender = policy.from.name();
    json!({
        "sender": sender,
        "title": title,
        "heading": title,
        "privacy_url": policy.privacy_url,
        "postal_address": policy.postal_address,
        "by_name": words.say("page.by_name", &[("sender", sender)]),
    })
}

/// Where no more can be said of what was withdrawn.
pub fn unsubscribed(words: &'static Words) -> Response {
    message(words, StatusCode::OK, "unsubscribe.done_title", "unsubscribe.done_plain")
}

/// The one answer to every link that is not ours or names nobody who is there.
pub fn unknown(words: &'static Words) -> Response {
    message(words, StatusCode::NOT_FOUND, "unknown.title", "unknown.text")
}

/// What a link in a test mail leads to.
pub fn of_a_test(words: &'static Words) -> Response {
    message(words, StatusCode::OK, "test.title", "test.text")
}

pub fn refused(words: &'static Words) -> Response {
    message(words, StatusCode::FORBIDDEN, "refused.title", "refused.text")
}

pub fn try_again(words: &'static Words) -> Response {
    message(words, StatusCode::SERVICE_UNAVAILABLE, "try_again.title", "try_again.text")
}

/// Everything that is held, as a file.
pub fn file(export: &Value) -> Response {
    let body = serde_json::to_string_pretty(export).unwrap_or_default();
    let named = [
        (header::CONTENT_TYPE, "application/json; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"held.json\""),
    ];
    (named, body).into_response()
}

fn message(words: &'static Words, status: StatusCode, title: &str, text: &str) -> Response {
    let title = words.say(title, &[]);
    page(status, "message", words, json!({ "title": title, "heading": title, "text": words.say(text, &[]) }))
}

fn merge(data: &mut Value, more: Value) {
    if let (Value::Object(data), Value::Object(more)) = (data, more) {
        data.extend(more);
    }
}
