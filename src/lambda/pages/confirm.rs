//! The page behind a confirmation mail's link. It asks with a button, since scanners follow links, and what it says
//! beside the button is what is kept as evidence.

use std::sync::LazyLock;

use axum::{http::StatusCode, response::Response};
use html_escape::{encode_double_quoted_attribute as attribute, encode_text};
use serde::Deserialize;

use super::page;
use crate::{
    domain::{channel::Channel, id::stable_hash, topic::Topic},
    flow::confirm::{Question, Standing, Yes},
};

/// The first is for whoever reads none of them.
const FILES: [(&str, &str); 2] = [("en", include_str!("confirm/en.toml")), ("de", include_str!("confirm/de.toml"))];

static WORDS: LazyLock<Vec<(&str, Words)>> = LazyLock::new(|| {
    let read = |(tag, file): (&'static str, &str)| Some((tag, toml::from_str(file).ok()?));
    FILES.into_iter().filter_map(read).collect()
});
static NONE: LazyLock<Words> = LazyLock::new(Words::default);

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Words {
    version: String,
    title: String,
    statement: String,
    purpose: String,
    leave: String,
    button: String,
    others: String,
    button_others: String,
    not_you: String,
    privacy: String,
    done_title: String,
    done: String,
    confirmed_title: String,
    confirmed: String,
    lapsed_title: String,
    lapsed: String,
    withdrawn_title: String,
    withdrawn: String,
    channels: Channels,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Channels {
    work: String,
    personal: String,
}

/// A question in the words of whoever is asked.
pub struct Sheet<'q> {
    question: &'q Question,
    language: &'static str,
    words: &'static Words,
}

impl<'q> Sheet<'q> {
    pub fn of(question: &'q Question) -> Self {
        let locale = question.locale.as_deref().unwrap_or_default();
        let find = |wanted: &str| WORDS.iter().find(|(tag, _)| tag.eq_ignore_ascii_case(wanted));
        let found = find(locale).or_else(|| find(locale.split('-').next().unwrap_or_default())).or(WORDS.first());
        let (language, words) = found.map_or(("en", &*NONE), |(tag, words)| (*tag, words));
        Self { question, language, words }
    }

    /// What a yes to a topic says, as it is shown and kept.
    fn text(&self, topic: &Topic) -> String {
        let policy = &self.question.rules.policy;
        let channel = match self.question.channel {
            Channel::Work => &self.words.channels.work,
            Channel::Personal => &self.words.channels.personal,
        };
        let text = self.about(&self.words.statement, topic);
        let text = text.replace("{sender}", policy.from.name()).replace("{channel}", channel);
        // The sentence around it has its own full stop.
        match policy.topic_purpose(topic, self.language).trim_end_matches('.') {
            "" => text,
            purpose => format!("{text} {}", self.words.purpose.replace("{purpose}", purpose)),
        }
    }

    fn about(&self, words: &str, topic: &Topic) -> String {
        words.replace("{topic}", self.question.rules.policy.topic_name(topic, self.language))
    }

    /// The yes of somebody who pressed the button with these topics ticked.
    pub fn yes<'t>(&self, ticked: impl Iterator<Item = &'t str>) -> Vec<Yes> {
        let ticked: Vec<&str> = ticked.collect();
        let own = self.is_open().then_some(&self.question.topic);
        let others = self.question.others.iter().filter(|topic| ticked.contains(&topic.as_str()));
        let yes = |topic: &Topic| {
            let text = format!("{} {}", self.text(topic), self.words.leave);
            Yes { topic: topic.clone(), text, text_version: self.words.version.clone() }
        };
        own.into_iter().chain(others).map(yes).collect()
    }

    /// Changes with whatever the page says: a yes counts only for what was shown.
    pub fn digest(&self) -> String {
        let own = self.is_open().then_some(&self.question.topic);
        let texts: Vec<String> = own.into_iter().chain(&self.question.others).map(|topic| self.text(topic)).collect();
        let parts = texts.iter().map(String::as_bytes).chain([self.words.version.as_bytes()]);
        format!("{:016x}", stable_hash(&parts.collect::<Vec<_>>()))
    }

    fn is_open(&self) -> bool {
        self.question.standing == Standing::Open
    }

    /// Asks, or says why there is nothing to ask.
    pub fn asks(&self, token: &str) -> Response {
        let words = self.words;
        let (title, told) = match self.question.standing {
            Standing::Open => (&words.title, String::new()),
            Standing::Confirmed => (&words.confirmed_title, self.about(&words.confirmed, &self.question.topic)),
            Standing::Lapsed => (&words.lapsed_title, self.about(&words.lapsed, &self.question.topic)),
            Standing::Withdrawn => (&words.withdrawn_title, self.about(&words.withdrawn, &self.question.topic)),
        };
        let mut body = if told.is_empty() { String::new() } else { paragraph(&told) };
        body.push_str(&self.form(token));
        self.page(title, &body)
    }

    /// What was granted, and what else may be.
    pub fn granted(&self, token: &str, topics: &[Topic]) -> Response {
        let item = |topic: &Topic| ["<li>", &encode_text(&self.text(topic)), "</li>"].concat();
        let items: Vec<String> = topics.iter().map(item).collect();
        let (done, leave) = (paragraph(&self.words.done), paragraph(&self.words.leave));
        let body = format!("{done}<ul>{}</ul>{leave}{}", items.concat(), self.form(token));
        self.page(&self.words.done_title, &body)
    }

    fn form(&self, token: &str) -> String {
        let words = self.words;
        let others = &self.question.others;
        if !self.is_open() && others.is_empty() {
            return String::new();
        }
        let own = if self.is_open() {
            format!("<p><strong>{}</strong></p>", encode_text(&self.text(&self.question.topic)))
        } else {
            String::new()
        };
        let boxes = if others.is_empty() {
            String::new()
        } else {
            let boxes: Vec<String> = others.iter().map(|topic| self.tick(topic)).collect();
            format!("<fieldset><legend>{}</legend>{}</fieldset>", encode_text(&words.others), boxes.concat())
        };
        let button = if self.is_open() { &words.button } else { &words.button_others };
        // Verified before, so that it is base64url and a dot.
        format!(
            "<form method=\"post\" action=\"/c/{}\"><input type=\"hidden\" name=\"shown\" value=\"{}\">{own}{boxes}{}\
             <button>{}</button></form>{}",
            attribute(token),
            self.digest(),
            paragraph(&words.leave),
            encode_text(button),
            paragraph(&words.not_you),
        )
    }

    /// Never ticked beforehand: silence is no consent (GDPR, recital 32).
    fn tick(&self, topic: &Topic) -> String {
        let name = attribute(topic.as_str());
        let text = self.text(topic);
        format!("<p><label><input type=\"checkbox\" name=\"also\" value=\"{name}\"> {}</label></p>", encode_text(&text))
    }

    fn page(&self, title: &str, body: &str) -> Response {
        let policy = &self.question.rules.policy;
        let sender = encode_text(&policy.postal_address);
        let (url, privacy) = (attribute(&policy.privacy_url), encode_text(&self.words.privacy));
        let foot = format!("<p><small>{sender}<br><a href=\"{url}\">{privacy}</a></small></p>");
        page(StatusCode::OK, self.language, &encode_text(title), &format!("{body}{foot}"))
    }
}

fn paragraph(text: &str) -> String {
    format!("<p>{}</p>", encode_text(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_can_be_read() {
        assert_eq!(WORDS.iter().map(|(tag, _)| *tag).collect::<Vec<_>>(), FILES.map(|(tag, _)| tag));
        for (tag, words) in WORDS.iter() {
            assert!(words.version.starts_with(&format!("confirmation.{tag} ")), "{}", words.version);
        }
    }
}
