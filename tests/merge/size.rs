//! How large a person may become.

use germane::domain::{
    consent::ConsentStatus,
    door::Fault,
    recipient::{MAX_EVIDENCE_BYTES, MAX_FACTS_BYTES, Recipient},
};
use serde_json::{Value, json};

use super::{put, put_at};
use crate::given::{now, recipient};

fn refused(change: &Value, person: &mut Recipient) -> Option<Vec<Fault>> {
    put_at(person, change, now()).err()
}

/// Adds what is different each time until there is no room for it.
fn fill(person: &mut Recipient, change: impl Fn(usize) -> Value) {
    while refused(&change(person.owns.len()), person).is_none() {}
}

/// A topic of 128 characters, the longest there is.
fn topic(number: usize) -> String {
    format!("rust/{}-{number:04}", "a".repeat(118))
}

fn products(from: usize) -> Value {
    json!({ "owns": (from..from + 500).map(|n| format!("{n:0128}")).collect::<Vec<_>>() })
}

fn fault(change: &Value, person: &mut Recipient) -> Fault {
    let before = person.clone();
    let mut faults = refused(change, person).unwrap();
    assert_eq!(*person, before, "a change that is refused changes nothing");
    assert_eq!(faults.len(), 1, "{faults:?}");
    faults.remove(0)
}

#[test]
fn every_list_may_be_full_as_one_document_has_it() {
    let mut person = recipient();
    let interests: Vec<Value> = (0..200).map(|n| json!({ "topic": topic(n), "strength": 0.9 })).collect();
    let consents: Vec<Value> = (0..200)
        .map(|n| json!({ "topic": topic(n), "channel": "work", "status": "granted", "source": "s".repeat(64) }))
        .collect();
    let muted: Vec<String> = (0..200).map(topic).collect();
    let full = json!({ "interests": interests, "consents": consents, "preferences": { "muted_topics": muted } });
    put(&mut person, &full);
    put(&mut person, &products(0));
    assert_eq!(
        (person.interests.len(), person.consents.len(), person.owns.len()),
        (201, 201, 500),
        "with the one that they had"
    );
}

#[test]
fn many_small_changes_do_not_make_a_person_too_large_to_be_stored() {
    let mut person = recipient();
    fill(&mut person, products);
    let fault = fault(&products(person.owns.len()), &mut person);
    assert_eq!(fault.field, "");
    assert!(fault.found.contains("bytes of facts"), "{fault:?}");
    assert!(fault.wanted.contains(&MAX_FACTS_BYTES.to_string()), "{fault:?}");
    // A smaller change still fits, and what is not needed can be removed.
    put(&mut person, &json!({ "owns": ["one-more"] }));
    put(&mut person, &json!({ "owns": null }));
}

#[test]
fn nobody_is_too_large_to_withdraw() {
    let mut person = recipient();
    put(
        &mut person,
        &json!({ "consents": [{ "topic": "rust", "channel": "work", "status": "granted", "at": "2026-03-12T09:00:00Z" }] }),
    );
    fill(&mut person, products);
    fill(&mut person, |number| json!({ "owns": [format!("{number:0128}")] }));
    fill(&mut person, |number| json!({ "owns": [number.to_string()] }));
    let withdrawn = json!({ "consents": [
        { "topic": "rust", "channel": "work", "status": "withdrawn", "source": "telephone" },
    ] });
    put(&mut person, &withdrawn);
    assert_eq!(person.consents[0].status, ConsentStatus::Withdrawn);
}

#[test]
fn the_evidence_of_one_change_is_bounded_and_can_be_sent_in_parts() {
    let mut person = recipient();
    let granted =
        |n: usize| json!({ "topic": topic(n), "channel": "work", "status": "granted", "evidence": "e".repeat(2_000) });
    let all: Vec<Value> = (0..120).map(granted).collect();
    let fault = fault(&json!({ "consents": all }), &mut person);
    assert_eq!(fault.field, "/consents");
    assert!(fault.wanted.contains(&MAX_EVIDENCE_BYTES.to_string()), "{fault:?}");
    for part in all.chunks(60) {
        put(&mut person, &json!({ "consents": part }));
    }
    assert_eq!(person.consents.len(), 121, "with the one that they had");
}
