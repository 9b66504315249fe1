//! Absent means unchanged, null means removed, lists merge by key.

use germane::domain::{
    channel::Context,
    consent::ConsentStatus,
    interest::{InterestSource, Strength},
};
use serde_json::json;

use super::{after, held, put, put_at};
use crate::given::{millis, now, recipient, recipient_document, topic};

#[test]
fn what_is_absent_stays_unchanged() {
    assert_eq!(after(&json!({})), recipient());
    assert_eq!(after(&json!({ "addresses": {}, "preferences": {}, "attributes": {} })), recipient());
}

#[test]
fn what_is_null_is_removed() {
    let rich = json!({ "owns": ["mug"], "preferences": {
        "max_frequency": { "sends": 1, "days": 7 }, "paused_until": "2026-12-01T00:00:00Z",
        "muted_topics": ["rust"] } });
    let mut person = after(&rich);
    put(
        &mut person,
        &json!({
            "addresses": { "personal": null }, "time_zone": null, "locale": null, "attributes": null,
            "interests": null, "consents": null, "owns": null,
            "preferences": { "max_frequency": null, "paused_until": null, "muted_topics": null },
        }),
    );
    let mut bare = recipient();
    bare.profile.personal = None;
    bare.profile.time_zone = None;
    bare.profile.locale = None;
    bare.profile.attributes.clear();
    bare.profile.interests.clear();
    bare.profile.consents.clear();
    assert_eq!(person, bare);
}

#[test]
fn null_preferences_remove_each_of_them() {
    let mut person = after(&json!({ "preferences": {
        "max_frequency": { "sends": 1, "days": 7 }, "paused_until": "2026-12-01T00:00:00Z",
        "muted_topics": ["rust"] } }));
    put(&mut person, &json!({ "preferences": null }));
    assert_eq!(person, recipient());
}

#[test]
fn one_attribute_is_set_or_removed_by_its_name() {
    let changed = after(&json!({ "attributes": { "first_name": "Other" } }));
    assert_eq!(changed.attributes["first_name"], "Other");
    assert!(after(&json!({ "attributes": { "first_name": null } })).attributes.is_empty());
}

#[test]
fn lists_merge_by_their_keys() {
    let person = after(&json!({
        "interests": [
            // The same topic, source and context: replaced. Another context or source: added.
            { "topic": "rust", "strength": 0.4, "source": "declared", "context": "work",
              "at": "2026-11-01T00:00:00Z" },
            { "topic": "rust", "strength": 0.5, "source": "declared", "context": "any" },
            { "topic": "rust", "strength": 0.6, "source": "purchase", "context": "work" },
        ],
        "owns": ["mug", "mug"],
        "preferences": { "muted_topics": ["garden", "garden"] },
    }));
    let interests: Vec<_> = person.interests.iter().map(|i| (i.strength, i.source, i.context)).collect();
    let expected = [
        (Strength::new(0.4), InterestSource::Declared, Context::Work),
        (Strength::new(0.5), InterestSource::Declared, Context::Any),
        (Strength::new(0.6), InterestSource::Purchase, Context::Work),
    ];
    assert_eq!(interests, expected);
    assert_eq!(person.owns.len(), 1);
    assert_eq!(person.preferences.muted_topics, [topic("garden")]);

    let mut more = person;
    put(&mut more, &json!({ "owns": ["course-rust-101"], "preferences": { "muted_topics": ["rust"] } }));
    assert_eq!(more.owns.len(), 2);
    assert_eq!(more.preferences.muted_topics, [topic("garden"), topic("rust")]);
}

#[test]
fn an_exact_repeat_changes_nothing_also_much_later() {
    let document = recipient_document();
    let mut person = recipient();
    let moves = put_at(&mut person, &document, now() + millis(86_400_000)).unwrap();
    assert_eq!((person, moves), (recipient(), vec![]));
}

#[test]
fn a_repeat_without_times_makes_nothing_younger() {
    let undated = json!({
        "interests": [{ "topic": "rust", "strength": 0.8, "source": "behaviour" }],
        "consents": [{ "topic": "rust/async", "channel": "work", "status": "granted", "basis": "implied_purchase",
                       "source": "shop", "evidence": "order" }],
    });
    let mut person = recipient();
    assert_eq!(put(&mut person, &undated).len(), 1);
    let first = person.clone();
    let moves = put_at(&mut person, &undated, now() + millis(86_400_000)).unwrap();
    assert_eq!((person, moves), (first, vec![]));
}

#[test]
fn an_undated_fact_that_says_something_new_is_as_of_now() {
    let mut person = recipient();
    let later = now() + millis(1);
    let document = json!({
        "interests": [{ "topic": "rust", "strength": 0.2, "source": "declared", "context": "work" }],
        "consents": [{ "topic": "rust", "channel": "work", "status": "withdrawn" }],
    });
    let moves = put_at(&mut person, &document, later).unwrap();
    assert_eq!(person.interests[0].at, later);
    assert_eq!(held(&person), [("rust", ConsentStatus::Withdrawn, later)]);
    assert_eq!(moves.len(), 1);
}

#[test]
fn what_a_get_shows_can_be_put_back_and_changes_nothing() {
    let mut person = after(&json!({
        "owns": ["mug"],
        "preferences": { "max_frequency": { "sends": 1, "days": 7 }, "muted_topics": ["garden"] },
        "consents": [{ "topic": "rust", "channel": "personal", "status": "withdrawn" }],
    }));
    let before = person.clone();
    let moves = put(&mut person, &before.to_json(|_| Some("form v3".to_owned())));
    assert_eq!((person, moves), (before, vec![]));
}

#[test]
fn facts_are_kept_to_the_millisecond() {
    let now = now() + jiff::SignedDuration::from_nanos(123_456_789);
    let mut person = recipient();
    let document = json!({ "interests": [{ "topic": "rust/async", "strength": 1 }],
                           "consents": [{ "topic": "rust/async", "channel": "work", "status": "granted" }] });
    put_at(&mut person, &document, now).unwrap();
    let kept = "2026-11-23T09:00:00.123Z".parse().unwrap();
    assert_eq!((person.interests[1].at, person.consents[1].at), (kept, kept));
}
