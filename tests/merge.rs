//! What a PUT or a row of an import may change of a person, and what it never touches.

mod addresses;
mod consent_times;
mod fields;
mod own;
mod size;
mod untouched;
mod withdrawals;

use germane::domain::{
    consent::{Consent, ConsentStatus},
    door::Fault,
    recipient::{ConsentMove, Recipient, RecipientChange},
};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::given::{now, policy, recipient};

fn put_at(person: &mut Recipient, document: &Value, now: Timestamp) -> Result<Vec<ConsentMove>, Vec<Fault>> {
    let id = person.id.clone();
    RecipientChange::parse(document, Some(&id), &policy(), now)?.apply(person)
}

fn put(person: &mut Recipient, document: &Value) -> Vec<ConsentMove> {
    put_at(person, document, now()).unwrap()
}

/// The person after a PUT of `document`.
fn after(document: &Value) -> Recipient {
    let mut person = recipient();
    put(&mut person, document);
    person
}

/// A person who holds these consents, and no others.
fn holding(consents: Vec<Consent>) -> Recipient {
    let mut person = recipient();
    person.profile.consents = consents;
    person
}

fn consents(rows: &[(&str, &str, Timestamp)]) -> Value {
    let rows = rows.iter().map(|(topic, status, at)| {
        let channel = "work";
        json!({ "topic": topic, "channel": channel, "status": status, "at": at })
    });
    json!({ "consents": rows.collect::<Vec<_>>() })
}

/// Topic, status and time of each consent held.
fn held(person: &Recipient) -> Vec<(&str, ConsentStatus, Timestamp)> {
    person.consents.iter().map(|c| (c.topic.as_str(), c.status, c.at)).collect()
}
