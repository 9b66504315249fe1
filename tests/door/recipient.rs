//! People at the door, alone by PUT or in bulk.

use germane::domain::{door::Fault, id::RecipientId, recipient::RecipientChange};
use serde_json::{Value, json};

use super::{assert_refused, assert_taken, nested, places};
use crate::given::{now, policy, recipient_document, with};

fn parse(document: &Value) -> Result<RecipientChange, Vec<Fault>> {
    RecipientChange::parse(document, None, &policy(), now())
}

#[test]
fn each_bad_field_of_a_recipient_is_named() {
    let long = |characters| json!("x".repeat(characters));
    assert_refused(
        &recipient_document(),
        parse,
        [
            ("/id", json!("someone@example.com"), "A-Z a-z 0-9"),
            ("/id", json!(1042), "a text"),
            ("/addresses", json!(["r-1042@example.com"]), "an object"),
            ("/addresses/work", json!("jürgen@example.com"), "in ASCII"),
            ("/addresses/work", json!("\"r 1042\"@example.com"), "an address such as"),
            ("/addresses/work", json!("r-1042@localhost"), "an address such as"),
            ("/addresses/work", json!("r-1042"), "an address such as"),
            ("/addresses/personal", json!(7), "a text"),
            ("/addresses/home", json!("r-1042@example.org"), "known are: work, personal"),
            ("/time_zone", json!("Atlantis/Capital"), "IANA"),
            ("/time_zone", json!("+01:00"), "IANA"),
            ("/locale", json!("de_DE"), "a language tag"),
            ("/locale", json!(""), "1 to 35 characters"),
            ("/attributes/last_name", json!("Sample"), "an attribute that the policy names: first_name"),
            ("/attributes/first_name", json!("Sam\r\nple"), "without control characters"),
            ("/attributes/first_name", json!("\u{1b}[31mSample"), "without control characters"),
            ("/attributes/first_name", long(257), "1 to 256 characters"),
            ("/attributes/first_name", json!(7), "a text"),
            ("/interests", json!({}), "a list"),
            ("/interests/0", json!("rust"), "an object"),
            ("/interests/0/topic", json!("python"), "a topic of the policy"),
            ("/interests/0/topic", json!("Rust"), "a topic: segments"),
            ("/interests/0/strength", json!(1.5), "from 0 to 1"),
            ("/interests/0/strength", json!(-0.5), "from 0 to 1"),
            ("/interests/0/strength", json!("strong"), "from 0 to 1"),
            ("/interests/0/source", json!("guess"), "declared, purchase, behaviour or social"),
            ("/interests/0/context", json!("home"), "work, personal or any"),
            ("/interests/0/at", json!("2026-03-12T09:00:00"), "a time with its zone"),
            ("/interests/0/at", json!("2026-11-23T09:00:00.001Z"), "a time that has come"),
            ("/interests/0/score", json!(1), "known are: topic, strength"),
            ("/consents/0/topic", json!("rusty"), "a topic of the policy"),
            ("/consents/0/channel", json!("home"), "work or personal"),
            ("/consents/0/status", json!("yes"), "granted, pending or withdrawn"),
            ("/consents/0/status", json!(true), "a text"),
            ("/consents/0/basis", json!("hope"), "consent, soft_opt_in"),
            ("/consents/0/source", long(65), "1 to 64 characters"),
            ("/consents/0/evidence", long(2_001), "1 to 2000 characters"),
            ("/consents/0/evidence", json!("form\u{0}"), "without control characters"),
            ("/consents/0/at", json!("2026-11-24T00:00:00Z"), "a time that has come"),
            ("/consents/0/expires_at", json!("never"), "a time with its zone"),
            ("/consents/0/by_recipient", json!(true), "no such field"),
            ("/owns", json!("course"), "a list"),
            ("/preferences/max_frequency", json!(3), "an object"),
            ("/preferences/paused_until", json!("2026-12-01"), "a time with its zone"),
            ("/preferences/muted_topics", json!("rust"), "a list"),
            ("/preferences/by_recipient", json!(true), "no such field"),
            ("/suppression", json!({ "kind": "manual" }), "no such field"),
            ("/sends", json!([]), "no such field"),
            ("/version", json!(1), "no such field"),
            ("/email", json!("r-1042@example.com"), "no such field"),
        ],
    );
}

#[test]
fn faults_inside_lists_and_caps_are_named_where_they_are() {
    let good = with(recipient_document(), "/owns", json!(["mug", "cap"]));
    let good = with(good, "/preferences/max_frequency", json!({ "sends": 1, "days": 7 }));
    let good = with(good, "/preferences/muted_topics", json!(["rust"]));
    assert_refused(
        &good,
        parse,
        [
            ("/owns/1", json!("a b"), "A-Z a-z 0-9"),
            ("/preferences/max_frequency/sends", json!(0), "from 1 to"),
            ("/preferences/max_frequency/days", json!(31), "from 1 to 30"),
            ("/preferences/muted_topics/0", json!("python"), "a topic of the policy"),
        ],
    );
}

#[test]
fn every_fault_is_named_at_once_and_shows_no_address() {
    let document = json!({
        "id": "r@example.com", "addresses": { "work": "r@@example.com", "personal": "r@example",
                       "home": "r@example.com" },
        "time_zone": "r@example.com", "locale": "r@example.com", "attributes": { "nick": "r@example.com" },
        "interests": [{ "topic": "r@example.com", "strength": "r@example.com", "at": "r@example.com" }],
        "consents": [{ "topic": "rust", "channel": "r@example.com" }],
        "owns": ["r@example.com"], "preferences": { "paused_until": "r@example.com" }, "mail": "r@example.com",
    });
    let faults = parse(&document).unwrap_err();
    let expected = [
        "/id",
        "/addresses/work",
        "/addresses/personal",
        "/addresses/home",
        "/time_zone",
        "/locale",
        "/attributes/nick",
        "/interests/0/topic",
        "/interests/0/strength",
        "/interests/0/at",
        "/consents/0/channel",
        "/consents/0/status",
        "/owns/0",
        "/preferences/paused_until",
        "/mail",
    ];
    assert_eq!(places(&faults), expected);
    for fault in &faults {
        assert!(!fault.to_string().contains("r@"), "{fault}");
    }
}

#[test]
fn the_least_and_the_most_that_fits_is_taken() {
    assert_taken(
        &recipient_document(),
        parse,
        [
            ("/addresses", json!({ "work": "name@bücher.example.com" })),
            ("/attributes/first_name", json!("x".repeat(256))),
            ("/attributes/first_name", json!("Zoë 🦀")),
            ("/locale", json!("zh-Hant-TW")),
            ("/interests/0", json!({ "topic": "rust/async", "strength": 0 })),
            ("/interests/0/at", json!("2026-11-23T09:00:00Z")),
            ("/consents/0/topic", json!("data/social")),
            ("/consents/0/expires_at", json!("2030-01-01T00:00:00+05:30")),
            ("/preferences", json!({})),
        ],
    );
}

#[test]
fn lists_are_limited_in_length() {
    let many = |n: usize| (0..n).map(|n| json!(format!("p-{n}"))).collect::<Vec<_>>();
    assert_taken(&recipient_document(), parse, [("/owns", json!(many(500)))]);
    assert_refused(&recipient_document(), parse, [("/owns", json!(many(501)), "at most 500 items")]);
    assert_refused(&recipient_document(), parse, [("/interests", json!(vec![json!({}); 201]), "at most 200 items")]);
}

#[test]
fn a_document_nested_too_deep_is_refused_whole() {
    let faults = parse(&with(recipient_document(), "/owns", nested(40))).unwrap_err();
    assert_eq!(places(&faults), [""]);
}

#[test]
fn the_path_of_a_put_names_the_recipient_and_the_document_may_not_name_another() {
    let id: RecipientId = "r-1042".parse().unwrap();
    let put = |document: &Value| RecipientChange::parse(document, Some(&id), &policy(), now());
    assert_eq!(put(&json!({})).unwrap().id, id);
    assert_eq!(put(&recipient_document()).unwrap().id, id);
    assert_eq!(places(&put(&json!({ "id": "r-1043" })).unwrap_err()), ["/id"]);
    assert_eq!(places(&parse(&json!({})).unwrap_err()), ["/id"]);
}

#[test]
fn an_international_domain_is_held_as_punycode() {
    let document = json!({ "id": "r-1", "addresses": { "work": "name@bücher.example.com" } });
    let change = parse(&document).unwrap();
    let mut person = crate::given::recipient();
    change.apply(&mut person).unwrap();
    assert_eq!(person.work.as_ref().unwrap().email.reveal(), "name@xn--bcher-kva.example.com");
}
