//! What is held about a person and how it was used, in their language: for the notice that tells them so.

use jiff::{Timestamp, tz::TimeZone};
use serde_json::{Value, json};

use super::words::{Words, words};
use crate::domain::{
    campaign::Campaign,
    channel::Channel,
    email::EmailAddress,
    id::SendKey,
    policy::{Policy, in_language},
    recipient::Recipient,
    time::days_after,
};

/// The time over which mails are counted.
const DAYS: u32 = 30;
/// Of the characters of template data that one person may bring, kept for what is held about them.
const MAX_CHARS: usize = 24_000;
/// Of a row, besides its texts: its names and marks, twice.
const ROW_CHARS: usize = 140;

/// Sections of rows, as a template reads them: `[{title, rows: [{label, value, from, since, used_for}]}]`.
pub fn held(person: &Recipient, campaign: &Campaign, policy: &Policy, language: &str, now: Timestamp) -> Value {
    let words = words([language]);
    let mut sheet = Sheet { words, left: MAX_CHARS, cut: 0, sections: Vec::new() };
    sheet.section("mail", vec![Row::new(label(words, "mails"), mails(person, campaign, policy, now).to_string())]);
    sheet.section("addresses", addresses(person, words));
    sheet.section("facts", facts(person, policy, words, language));
    let interests = person.interests.iter().map(|interest| {
        let percent = format!("{:.0} %", interest.strength.get() * 100.0);
        Row::new(policy.topic_name(&interest.topic, language), percent)
            .from(value(words, interest.source.as_str()))
            .since(words.date(interest.at, &TimeZone::UTC))
            .used_for(used(words, "interest"))
    });
    sheet.section("interests", interests.collect());
    let consents = person.consents.iter().map(|consent| {
        let topic = policy.topic_name(&consent.topic, language);
        let channel = label(words, consent.channel.as_str());
        Row::new(format!("{topic} ({channel})"), value(words, consent.status.as_str()))
            .from(consent.source.as_deref().unwrap_or_default())
            .since(words.date(consent.at, &TimeZone::UTC))
            .used_for(policy.topic_purpose(&consent.topic, language))
    });
    sheet.section("consents", consents.collect());
    let owned = |product: &crate::domain::id::Product| {
        Row::new(label(words, "product"), product.as_str()).used_for(used(words, "owns"))
    };
    sheet.section("owns", person.owns.iter().map(owned).collect());
    sheet.section("choices", choices(person, policy, words, language));
    sheet.finish()
}

/// How many mails the person got in the days before this one; what notices are recorded under besides is no mail.
fn mails(person: &Recipient, campaign: &Campaign, policy: &Policy, now: Timestamp) -> usize {
    let notices: Vec<SendKey> = policy.notices.iter().map(SendKey::notice).collect();
    let mail = |key: &SendKey| *key != campaign.key() && !notices.contains(key);
    person.sends.iter().filter(|send| days_after(send.at, DAYS) > now && mail(&send.key)).count()
}

fn addresses(person: &Recipient, words: &Words) -> Vec<Row> {
    let address = |channel: &Channel| {
        let address = person.address(*channel)?;
        let masked = masked(&address.email);
        let value = match address.unusable {
            Some(_) => format!("{masked} ({})", value(words, "unusable")),
            None => masked,
        };
        Some(Row::new(label(words, channel.as_str()), value).used_for(used(words, "address")))
    };
    Channel::ALL.iter().filter_map(address).collect()
}

/// Enough to know one's own address by: a mail gets forwarded.
fn masked(email: &EmailAddress) -> String {
    let (local, domain) = email.reveal().rsplit_once('@').unwrap_or_default();
    let first = local.chars().next().filter(|_| local.len() > 1);
    format!("{}…@{domain}", first.map(String::from).unwrap_or_default())
}

fn facts(person: &Recipient, policy: &Policy, words: &Words, language: &str) -> Vec<Row> {
    let attribute = |(name, value): (&String, &String)| {
        let row = Row::new(name, value);
        match policy.attributes.get(name) {
            Some(rule) => row.from(&rule.source).used_for(in_language(&rule.purpose, language).unwrap_or_default()),
            None => row,
        }
    };
    let mut facts: Vec<Row> = person.attributes.iter().map(attribute).collect();
    if let Some(zone) = &person.time_zone {
        facts.push(Row::new(label(words, "time_zone"), zone.as_str()).used_for(used(words, "time_zone")));
    }
    if let Some(locale) = &person.locale {
        facts.push(Row::new(label(words, "locale"), locale).used_for(used(words, "locale")));
    }
    facts
}

fn choices(person: &Recipient, policy: &Policy, words: &Words, language: &str) -> Vec<Row> {
    let preferences = &person.preferences;
    let mut choices = Vec::new();
    if let Some(until) = preferences.paused_until {
        choices.push(Row::new(label(words, "paused_until"), words.date(until, &TimeZone::UTC)));
    }
    if let Some(cap) = preferences.max_frequency {
        let (sends, days) = (cap.sends.to_string(), cap.days.to_string());
        let limit = words.say("sheet.values.frequency", &[("sends", &sends), ("days", &days)]);
        choices.push(Row::new(label(words, "max_frequency"), limit));
    }
    let muted = |topic| Row::new(label(words, "muted"), policy.topic_name(topic, language));
    choices.extend(preferences.muted_topics.iter().map(muted));
    choices
}

fn title(words: &Words, name: &str) -> String {
    words.say(&format!("sheet.titles.{name}"), &[])
}

fn label(words: &Words, name: &str) -> String {
    words.say(&format!("sheet.labels.{name}"), &[])
}

fn value(words: &Words, name: &str) -> String {
    words.say(&format!("sheet.values.{name}"), &[])
}

fn used(words: &Words, name: &str) -> String {
    words.say(&format!("sheet.uses.{name}"), &[])
}

/// One fact.
#[derive(Default)]
struct Row {
    label: String,
    value: String,
    from: String,
    since: String,
    used_for: String,
}

impl Row {
    fn new(label: impl Into<String>, value: impl Into<String>) -> Self {
        Self { label: label.into(), value: value.into(), ..Self::default() }
    }

    fn from(self, from: impl Into<String>) -> Self {
        Self { from: from.into(), ..self }
    }

    fn since(self, since: String) -> Self {
        Self { since, ..self }
    }

    fn used_for(self, used_for: impl Into<String>) -> Self {
        Self { used_for: used_for.into(), ..self }
    }

    /// What it takes of a mail's data, at most: raw and escaped.
    fn chars(&self) -> usize {
        let texts = [&self.label, &self.value, &self.from, &self.since, &self.used_for];
        let marks = |c: &char| matches!(c, '&' | '<' | '>' | '"' | '\'' | '\\');
        ROW_CHARS
            + texts.iter().map(|text| 2 * text.chars().count() + 7 * text.chars().filter(marks).count()).sum::<usize>()
    }

    fn json(&self) -> Value {
        // These are one line by their own rules.
        let line = |text: &str| text.replace(char::is_control, " ");
        json!({
            "label": line(&self.label), "value": line(&self.value), "from": line(&self.from), "since": self.since,
            "used_for": line(&self.used_for),
        })
    }
}

/// What fits into one mail.
struct Sheet<'a> {
    words: &'a Words,
    left: usize,
    cut: usize,
    sections: Vec<Value>,
}

impl Sheet<'_> {
    fn section(&mut self, name: &str, rows: Vec<Row>) {
        let mut shown = Vec::new();
        for row in rows {
            match self.left.checked_sub(row.chars()) {
                Some(left) => {
                    self.left = left;
                    shown.push(row.json());
                }
                None => self.cut += 1,
            }
        }
        if !shown.is_empty() {
            self.sections.push(json!({ "title": title(self.words, name), "rows": shown }));
        }
    }

    /// Says also how much had no room.
    fn finish(mut self) -> Value {
        if self.cut > 0 {
            let row = Row::new(label(self.words, "more"), self.cut.to_string());
            self.sections.push(json!({ "title": title(self.words, "more"), "rows": [row.json()] }));
        }
        Value::Array(self.sections)
    }
}
