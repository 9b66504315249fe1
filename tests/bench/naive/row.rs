//! A person as most tables hold one, read and written by hand: an attribute for each field, lists of maps for what
//! there are several of, times as numbers.

use std::{collections::HashMap, str::FromStr};

use aws_sdk_dynamodb::types::AttributeValue;
use germane::domain::{
    consent::Consent,
    frequency::{FrequencyCap, Send, Sends},
    id::{ClaimId, Ref, SendKey},
    interest::{Interest, Strength},
    recipient::{Address, Preferences, Profile, Recipient},
};
use jiff::Timestamp;
use serde::{
    Deserialize, Serialize,
    de::{IntoDeserializer, value::Error},
};
use serde_json::Value;

use crate::Failure;

pub type Item = HashMap<String, AttributeValue>;

pub fn s(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

pub fn n(number: &impl ToString) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

pub fn to_item(person: &Recipient) -> Result<Item, Failure> {
    let interest = |interest: &Interest| {
        Ok::<_, Failure>(map([
            ("topic", word(&interest.topic)?),
            ("strength", n(&interest.strength.get())),
            ("source", word(&interest.source)?),
            ("context", word(&interest.context)?),
            ("at", time(interest.at)),
        ]))
    };
    let consent = |consent: &Consent| {
        let mut fields = vec![
            ("topic", word(&consent.topic)?),
            ("channel", word(&consent.channel)?),
            ("status", word(&consent.status)?),
            ("basis", word(&consent.basis)?),
            ("at", time(consent.at)),
            ("by_recipient", AttributeValue::Bool(consent.by_recipient)),
        ];
        fields.extend(consent.source.as_ref().map(|source| ("source", s(source))));
        fields.extend(consent.expires_at.map(|at| ("expires_at", time(at))));
        Ok::<_, Failure>(map(fields))
    };
    let sends = person.sends.iter().map(|send| (format!("{:016x}", u64::from_be_bytes(send.key.0)), time(send.at)));
    let attributes = person.attributes.iter().map(|(name, value)| (name.clone(), s(value)));
    let mut fields = vec![
        // Every shard is answered with the same people.
        ("shard", n(&0)),
        ("id", s(person.id.as_str())),
        ("version", n(&person.version)),
        ("attributes", AttributeValue::M(attributes.collect())),
        ("interests", AttributeValue::L(person.interests.iter().map(interest).collect::<Result<_, _>>()?)),
        ("consents", AttributeValue::L(person.consents.iter().map(consent).collect::<Result<_, _>>()?)),
        ("owns", AttributeValue::L(person.owns.iter().map(word).collect::<Result<_, _>>()?)),
        ("sends", AttributeValue::M(sends.collect())),
    ];
    fields.extend(person.work.as_ref().map(|address| ("work_email", s(address.email.reveal()))));
    fields.extend(person.personal.as_ref().map(|address| ("personal_email", s(address.email.reveal()))));
    fields.extend(person.time_zone.as_ref().map(|zone| ("time_zone", s(zone.as_str()))));
    fields.extend(person.locale.as_ref().map(|locale| ("locale", s(locale))));
    if let Some(FrequencyCap { sends, days }) = person.preferences.max_frequency {
        fields.extend([("max_sends", n(&sends)), ("max_days", n(&days))]);
    }
    Ok(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

fn map(fields: impl IntoIterator<Item = (&'static str, AttributeValue)>) -> AttributeValue {
    AttributeValue::M(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

fn time(at: Timestamp) -> AttributeValue {
    n(&at.as_millisecond())
}

/// A value that is one word as JSON, such as a topic or a status.
fn word(value: &impl Serialize) -> Result<AttributeValue, Failure> {
    let Value::String(word) = serde_json::to_value(value)? else { return Err("this is no word".into()) };
    Ok(s(word))
}

pub fn from_item(mut item: Item) -> Result<Recipient, Failure> {
    let address = |email| Ok::<_, Failure>(Address { email: read(email)?, unusable: None });
    let cap = match (item.take_number("max_sends")?, item.take_number("max_days")?) {
        (Some(sends), Some(days)) => Some(FrequencyCap { sends, days }),
        _ => None,
    };
    let profile = Profile {
        reference: Ref([0; 8]),
        work: item.take_text("work_email").map(address).transpose()?,
        personal: item.take_text("personal_email").map(address).transpose()?,
        time_zone: item.take_text("time_zone").map(read).transpose()?,
        locale: item.take_text("locale"),
        attributes: item
            .take_map("attributes")
            .into_iter()
            .filter_map(|(name, value)| Some((name, text(value)?)))
            .collect(),
        interests: item.take_list("interests").map(interest).collect::<Result<_, _>>()?,
        consents: item.take_list("consents").map(consent).collect::<Result<_, _>>()?,
        owns: item.take_list("owns").filter_map(text).map(read).collect::<Result<_, _>>()?,
        preferences: Preferences {
            max_frequency: cap,
            paused_until: item.take_time("paused_until")?,
            muted_topics: item.take_list("muted_topics").filter_map(text).map(read).collect::<Result<_, _>>()?,
            by_recipient: false,
        },
        suppression: None,
        own: Vec::new(),
    };
    let mut sends = Vec::new();
    for (key, at) in item.take_map("sends") {
        let key = SendKey(u64::from_str_radix(&key, 16)?.to_be_bytes());
        let AttributeValue::N(at) = at else { continue };
        let at = Timestamp::from_millisecond(at.parse()?)?;
        sends.push(Send { key, at, claim: ClaimId([0; 8]), counts: true });
    }
    Ok(Recipient {
        id: item.word("id")?,
        version: item.take_number("version")?.ok_or("a person without a version")?,
        sends: Sends::new(sends),
        profile,
    })
}

fn interest(value: AttributeValue) -> Result<Interest, Failure> {
    let AttributeValue::M(mut fields) = value else { return Err("an interest is a map".into()) };
    Ok(Interest {
        topic: fields.word("topic")?,
        strength: Strength::new(fields.take_number("strength")?.ok_or("an interest without a strength")?),
        source: fields.word("source")?,
        context: fields.word("context")?,
        at: fields.take_time("at")?.ok_or("an interest without a time")?,
    })
}

fn consent(value: AttributeValue) -> Result<Consent, Failure> {
    let AttributeValue::M(mut fields) = value else { return Err("a consent is a map".into()) };
    Ok(Consent {
        topic: fields.word("topic")?,
        channel: fields.word("channel")?,
        status: fields.word("status")?,
        basis: fields.word("basis")?,
        source: fields.take_text("source"),
        at: fields.take_time("at")?.ok_or("a consent without a time")?,
        expires_at: fields.take_time("expires_at")?,
        by_recipient: matches!(fields.get("by_recipient"), Some(AttributeValue::Bool(true))),
    })
}

/// What is stored was checked when it came in, and is not checked again.
fn read<T: for<'de> Deserialize<'de>>(text: String) -> Result<T, Error> {
    T::deserialize(text.into_deserializer())
}

fn text(value: AttributeValue) -> Option<String> {
    if let AttributeValue::S(text) = value { Some(text) } else { None }
}

/// Takes attributes out of an item without copying them.
trait Take {
    fn take(&mut self, name: &str) -> Option<AttributeValue>;

    fn take_text(&mut self, name: &str) -> Option<String> {
        self.take(name).and_then(text)
    }

    fn word<T: for<'de> Deserialize<'de>>(&mut self, name: &'static str) -> Result<T, Failure> {
        Ok(read(self.take_text(name).ok_or(name)?)?)
    }

    fn take_number<T: FromStr<Err: Into<Failure>>>(&mut self, name: &str) -> Result<Option<T>, Failure> {
        let Some(AttributeValue::N(number)) = self.take(name) else { return Ok(None) };
        number.parse().map(Some).map_err(Into::into)
    }

    fn take_time(&mut self, name: &str) -> Result<Option<Timestamp>, Failure> {
        Ok(self.take_number(name)?.map(Timestamp::from_millisecond).transpose()?)
    }

    fn take_list(&mut self, name: &str) -> std::vec::IntoIter<AttributeValue> {
        let list = if let Some(AttributeValue::L(list)) = self.take(name) { list } else { Vec::new() };
        list.into_iter()
    }

    fn take_map(&mut self, name: &str) -> Item {
        if let Some(AttributeValue::M(map)) = self.take(name) { map } else { Item::new() }
    }
}

impl Take for Item {
    fn take(&mut self, name: &str) -> Option<AttributeValue> {
        self.remove(name)
    }
}
