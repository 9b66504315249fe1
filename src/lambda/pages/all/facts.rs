//! Time zone, language and attributes: what they are, where they come from and what they are used for.

use serde_json::{Value, json};

use crate::{
    domain::{recipient::Fact, time::ZoneName},
    flow::words::languages,
    lambda::pages::{Answer, Desk},
};

pub(super) fn rows(desk: &Desk<'_>, answer: &Answer) -> Vec<Value> {
    let recipient = &desk.visit.recipient;
    let policy = desk.policy();
    let mut rows = vec![time_zone(desk, answer), locale(desk, answer)];
    let mut names: Vec<&String> = policy.attributes.keys().chain(recipient.attributes.keys()).collect();
    names.sort_unstable();
    names.dedup();
    rows.extend(names.into_iter().map(|name| attribute(desk, answer, name)));
    rows
}

fn time_zone(desk: &Desk<'_>, answer: &Answer) -> Value {
    let held = desk.visit.recipient.time_zone.as_ref().map(ZoneName::as_str);
    let fault = answer.fault.as_ref().filter(|fault| fault.field == "time_zone");
    json!({
        "action": "time_zone",
        "id": "time_zone",
        "label": desk.say("facts.time_zone", &[]),
        "value": fault.map_or_else(|| held.unwrap_or_default(), |fault| fault.found.as_str()),
        "help": desk.say("facts.time_zone_help", &[]),
        "held": held.is_some(),
        "used": used(desk, Some(&desk.say("facts.time_zone_use", &[]))),
        "from": from(desk, &Fact::TimeZone, None, held.is_some()),
        "fault": desk.fault(answer, "time_zone"),
    })
}

fn locale(desk: &Desk<'_>, answer: &Answer) -> Value {
    let held = desk.visit.recipient.locale.as_deref();
    let mut options =
        vec![json!({ "value": "", "label": desk.say("facts.locale_none", &[]), "chosen": held.is_none() })];
    for words in languages() {
        let chosen = held == Some(words.language);
        options.push(json!({ "value": words.language, "label": words.say("language", &[]), "chosen": chosen }));
    }
    if let Some(other) = held.filter(|held| languages().all(|words| words.language != *held)) {
        options.push(json!({ "value": other, "label": other, "chosen": true }));
    }
    json!({
        "action": "locale",
        "id": "locale",
        "label": desk.say("facts.locale", &[]),
        "options": options,
        "held": held.is_some(),
        "used": used(desk, Some(&desk.say("facts.locale_use", &[]))),
        "from": from(desk, &Fact::Locale, None, held.is_some()),
        "fault": desk.fault(answer, "locale"),
    })
}

fn attribute(desk: &Desk<'_>, answer: &Answer, name: &str) -> Value {
    let rule = desk.policy().attributes.get(name);
    let held = desk.visit.recipient.attributes.get(name).map(String::as_str);
    let purpose = rule.and_then(|rule| desk.words.pick(&rule.purpose));
    let source = rule.map(|rule| rule.source.as_str()).filter(|source| !source.is_empty());
    let id = format!("attribute-{name}");
    let fault = answer.fault.as_ref().filter(|fault| fault.field == id);
    json!({
        "action": "attribute",
        "id": id,
        "name": name,
        "label": spoken(name),
        "value": fault.map_or_else(|| held.unwrap_or_default(), |fault| fault.found.as_str()),
        "held": held.is_some(),
        "used": used(desk, purpose),
        "from": from(desk, &Fact::Attribute(name.to_owned()), source, held.is_some()),
        "fault": desk.fault(answer, &id),
    })
}

/// An attribute's name as people write: the policy has no other for it.
pub fn spoken(name: &str) -> String {
    let words = name.replace('_', " ");
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn used(desk: &Desk<'_>, purpose: Option<&str>) -> String {
    let none = desk.say("facts.no_purpose", &[]);
    desk.say("facts.used", &[("purpose", purpose.unwrap_or(&none))]) + "."
}

/// Also of what was removed, if they did it themselves.
fn from(desk: &Desk<'_>, fact: &Fact, source: Option<&str>, held: bool) -> Option<String> {
    let source = match (desk.visit.recipient.own(fact), source) {
        (Some(at), _) => desk.say("source.you", &[("date", &desk.date(at))]),
        (None, _) if !held => return None,
        (None, Some(source)) => source.to_owned(),
        (None, None) => desk.records(),
    };
    Some(desk.say("facts.from", &[("source", &source)]) + ".")
}
