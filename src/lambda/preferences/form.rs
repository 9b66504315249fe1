//! Reading what was sent from a page.

use std::str::FromStr;

use jiff::Timestamp;

use crate::{
    domain::{
        frequency::{FrequencyCap, MAX_CAP_DAYS},
        interest::Strength,
        recipient::{Act, Less, More},
        time::days_after,
    },
    flow::words::languages,
    lambda::pages::Fault,
};

/// How strongly somebody may say that they are interested.
pub const STRENGTHS: [(&str, f64); 3] = [("low", 0.2), ("medium", 0.5), ("high", 0.9)];
/// Of a value that somebody writes.
const MAX_VALUE_CHARS: usize = 256;
/// A break is at most so long.
const MAX_BREAK_DAYS: u32 = 366;

/// The fields of a form; one that was sent twice counts as first sent.
pub struct Fields(pub Vec<(String, String)>);

/// What a page was asked for.
#[derive(Debug, PartialEq)]
pub enum Wish {
    Look,
    Act(Act),
    Link,
    Download,
    AskErase,
    Erase,
}

impl Fields {
    pub fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value.as_str())
    }

    fn parse<T: FromStr>(&self, name: &str) -> Result<T, Fault> {
        self.get(name).parse().map_err(|_| unknown())
    }
}

/// Reads a form whose token was found right; what its page would not have sent is a fault.
pub fn read(fields: &Fields, now: Timestamp) -> Result<Wish, Fault> {
    let action = fields.get("action");
    let less = |less| Ok(Wish::Act(Act::Less(less)));
    let more = |more| Ok(Wish::Act(Act::More(more)));
    match action {
        "look" => Ok(Wish::Look),
        "link" => Ok(Wish::Link),
        "download" => Ok(Wish::Download),
        "erase" => Ok(Wish::AskErase),
        "erase_all" => Ok(Wish::Erase),
        "leave" => less(Less::Leave { topic: fields.parse("topic")?, channel: fields.parse("channel")? }),
        "leave_all" => less(Less::LeaveAll),
        "mute" => less(Less::Mute(fields.parse("topic")?)),
        "lower" => less(Less::Lower(cap(fields).ok_or_else(|| choose(action))?)),
        "pause" => less(Less::Pause { until: until(fields, now).ok_or_else(|| choose(action))? }),
        "join" => more(More::Join { topic: fields.parse("topic")?, channel: fields.parse("channel")? }),
        "return" => more(More::Return),
        "unmute" => more(More::Unmute(fields.parse("topic")?)),
        "frequency" if fields.get("cap") == "none" => more(More::Frequency(None)),
        "frequency" => more(More::Frequency(Some(cap(fields).ok_or_else(|| choose(action))?))),
        "break" => more(More::Pause(Some(until(fields, now).ok_or_else(|| choose(action))?))),
        "resume" => more(More::Pause(None)),
        "time_zone" => more(More::TimeZone(time_zone(fields)?)),
        "locale" => more(More::Locale(locale(fields)?)),
        "attribute" => attribute(fields).and_then(more),
        "interest" => interest(fields).and_then(more),
        "disown" => more(More::Disown(fields.parse("product")?)),
        "addresses" => more(More::Addresses { work: address(fields, "work")?, personal: address(fields, "personal")? }),
        _other => Err(unknown()),
    }
}

fn unknown() -> Fault {
    Fault { field: "topics".to_owned(), error: "unknown", found: String::new() }
}

fn choose(field: &str) -> Fault {
    Fault { field: field.to_owned(), error: "choose", found: String::new() }
}

fn cap(fields: &Fields) -> Option<FrequencyCap> {
    let (sends, days) = fields.get("cap").split_once('/')?;
    let (sends, days): (u32, u32) = (sends.parse().ok()?, days.parse().ok()?);
    let fits = (1..=1_000).contains(&sends) && (1..=MAX_CAP_DAYS).contains(&days);
    fits.then_some(FrequencyCap { sends, days })
}

fn until(fields: &Fields, now: Timestamp) -> Option<Timestamp> {
    let days: u32 = fields.get("days").parse().ok()?;
    (1..=MAX_BREAK_DAYS).contains(&days).then(|| days_after(now, days))
}

fn removes(fields: &Fields) -> bool {
    fields.get("do") == "remove"
}

fn time_zone<T: FromStr>(fields: &Fields) -> Result<Option<T>, Fault> {
    if removes(fields) {
        return Ok(None);
    }
    let found = fields.get("value").trim();
    let fault = |_| Fault { field: "time_zone".to_owned(), error: "time_zone", found: found.to_owned() };
    found.parse().map(Some).map_err(fault)
}

fn locale(fields: &Fields) -> Result<Option<String>, Fault> {
    let value = fields.get("value");
    if removes(fields) || value.is_empty() {
        return Ok(None);
    }
    let known = languages().any(|words| words.language == value);
    // One that was imported, and is no language of these pages, may be kept.
    let kept = value.len() <= 35 && value.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if known || kept { Ok(Some(value.to_owned())) } else { Err(choose("locale")) }
}

fn attribute(fields: &Fields) -> Result<More, Fault> {
    let name = fields.get("name").to_owned();
    if removes(fields) {
        return Ok(More::Attribute { name, value: None });
    }
    let value = fields.get("value").trim();
    let fault = |error| Err(Fault { field: format!("attribute-{name}"), error, found: value.to_owned() });
    if value.is_empty() {
        return fault("empty");
    }
    if value.chars().count() > MAX_VALUE_CHARS || value.chars().any(char::is_control) {
        return fault("long");
    }
    Ok(More::Attribute { value: Some(value.to_owned()), name })
}

fn interest(fields: &Fields) -> Result<More, Fault> {
    let (topic, context) = (fields.parse("topic")?, fields.parse("context")?);
    let strength = match fields.get("do") {
        "remove" => None,
        _save => {
            let found = fields.get("strength");
            let known = STRENGTHS.iter().find(|(word, _)| *word == found);
            Some(known.map(|(_, strength)| Strength::new(*strength)).ok_or_else(unknown)?)
        }
    };
    Ok(More::Interest { topic, context, strength })
}

/// One of the addresses on file, or none.
fn address<T: FromStr>(fields: &Fields, channel: &str) -> Result<Option<T>, Fault> {
    match fields.get(channel) {
        "" => Ok(None),
        value => value.parse().map(Some).map_err(|_| choose("addresses")),
    }
}
