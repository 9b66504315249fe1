//! The invented people of the demo.

use std::collections::{BTreeMap, HashSet};

use germane::{
    domain::{
        campaign::Campaign,
        decision::{Decision, ReasonCode},
        gate::decide,
        id::Ref,
        policy::Policy,
        recipient::{Recipient, RecipientChange},
    },
    local::people::people,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

const SEED: u64 = 1;

fn now() -> Timestamp {
    "2026-11-23T09:00:00Z".parse().unwrap()
}

fn policy() -> Policy {
    Policy::parse(&json!({
        "from": "Rust Weekly <news@example.com>",
        "postal_address": "Example Ltd, 1 Example Street, 10115 Berlin",
        "privacy_url": "https://example.com/privacy",
        "topics": { "rust": { "channels": ["work", "personal"] } },
        "attributes": { "first_name": {} },
    }))
    .unwrap()
}

fn campaign() -> Campaign {
    let campaign = json!({
        "id": "rust-weekly-2026-48", "topic": "rust/async", "channel": "work", "template": "newsletter",
        "promotes": ["course-rust-101"], "holdout_percent": 1,
    });
    Campaign::parse(&campaign, &policy(), now()).unwrap()
}

fn recipient(document: &Value) -> Recipient {
    let change = RecipientChange::parse(document, None, &policy(), now());
    let change = change.unwrap_or_else(|faults| panic!("{document}: {faults:?}"));
    let mut recipient = Recipient::blank(change.id.clone(), Ref([0; 8]), now());
    change.apply(&mut recipient).unwrap();
    recipient
}

#[test]
fn the_same_seed_gives_the_same_people_whatever_the_count() {
    let few: Vec<Value> = people(SEED, 50, now()).collect();
    let many: Vec<Value> = people(SEED, 500, now()).take(50).collect();
    assert_eq!(few, many);
    assert_ne!(few, people(SEED + 1, 50, now()).collect::<Vec<_>>());
}

#[test]
fn another_now_shifts_times_and_nothing_else() {
    let day = now() + SignedDuration::from_hours(24);
    let moved = people(SEED, 200, day).map(|person| recipient_at(&person, day));
    for (person, moved) in people(SEED, 200, now()).map(|person| recipient_at(&person, now())).zip(moved) {
        assert_eq!(person, moved);
    }
}

/// A document with each time replaced by how far it lies from `now`.
fn recipient_at(person: &Value, now: Timestamp) -> Value {
    match person {
        Value::String(text) => match text.parse::<Timestamp>() {
            Ok(time) => json!(time.duration_since(now).as_secs()),
            Err(_) => person.clone(),
        },
        Value::Array(items) => items.iter().map(|item| recipient_at(item, now)).collect(),
        Value::Object(map) => map.iter().map(|(key, value)| (key.clone(), recipient_at(value, now))).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => person.clone(),
    }
}

#[test]
fn every_person_is_one_that_the_contract_takes() {
    let ids: HashSet<_> = people(SEED, 2_000, now()).map(|person| recipient(&person).id).collect();
    assert_eq!(ids.len(), 2_000);
}

#[test]
fn addresses_and_names_are_plainly_invented() {
    for person in people(SEED, 500, now()) {
        for address in person["addresses"].as_object().unwrap().values() {
            let (local, host) = address.as_str().unwrap().split_once('@').unwrap();
            assert_eq!(local, person["id"].as_str().unwrap());
            assert!(["example.com", "example.net", "example.org"].contains(&host));
        }
    }
}

#[test]
fn three_in_ten_get_the_demos_campaign_and_every_gate_that_looks_at_facts_refuses_somebody() {
    let (policy, campaign) = (policy(), campaign());
    let mut sent = 0_u32;
    let mut refused: BTreeMap<ReasonCode, u32> = BTreeMap::new();
    for person in people(SEED, 10_000, now()) {
        match decide(&recipient(&person), &campaign, &policy, now()) {
            Decision::Send(_) => sent += 1,
            Decision::Skip(reason) | Decision::Defer { reason, .. } => *refused.entry(reason.code()).or_default() += 1,
            Decision::HoldOut { .. } => *refused.entry(ReasonCode::Holdout).or_default() += 1,
        }
    }
    println!("sent {sent}, {refused:#?}");
    assert!((2_800..=3_200).contains(&sent), "{sent} sent");
    let found: Vec<ReasonCode> = refused.keys().copied().collect();
    let by_facts = [
        ReasonCode::NoAddress,
        ReasonCode::NoConsent,
        ReasonCode::ConsentPending,
        ReasonCode::ConsentWithdrawn,
        ReasonCode::ConsentExpired,
        ReasonCode::Paused,
        ReasonCode::TopicMuted,
        ReasonCode::NotInterested,
        ReasonCode::OutOfContext,
        ReasonCode::ProfilingNotPermitted,
        ReasonCode::AlreadyOwned,
        ReasonCode::Holdout,
    ];
    assert_eq!(found, by_facts);
    assert!(refused.values().all(|people| *people >= 20), "{refused:?}");
}
