//! Policies at the door.

use germane::domain::policy::Policy;
use serde_json::json;

use super::{assert_refused, assert_taken, places};
use crate::given::{policy_document, with};

#[test]
fn each_bad_field_of_a_policy_is_named() {
    assert_refused(
        &policy_document(),
        Policy::parse,
        [
            ("/from", json!("someone"), "an address or a name with one"),
            ("/from", json!("News <news@localhost>"), "an address or a name with one"),
            ("/from", json!("News\r\nBcc: x <news@example.com>"), "an address or a name with one"),
            ("/reply_to", json!("name@@example.com"), "an address or a name with one"),
            ("/postal_address", json!(""), "1 to 500 characters"),
            ("/postal_address", json!("a".repeat(501)), "1 to 500 characters"),
            ("/postal_address", json!("Street\n1"), "without control characters"),
            ("/privacy_url", json!("http://example.com"), "https://"),
            ("/privacy_url", json!("javascript:alert(1)"), "https://"),
            ("/topics", json!([]), "an object"),
            ("/topics/Rust", json!({ "channels": ["work"] }), "as its key a topic"),
            ("/topics/rust~1", json!({ "channels": ["work"] }), "as its key a topic"),
            ("/topics/rust/channels/0", json!("home"), "work or personal"),
            ("/topics/rust/channels", json!("work"), "a list"),
            ("/topics/rust/channel", json!("work"), "known are: channels, name, purpose"),
            ("/topics/rust/name/en", json!("Ru\u{7}st"), "without control characters"),
            ("/attributes/First", json!({}), "a-z 0-9 _"),
            ("/attributes/first_name/source", json!(""), "1 to 200 characters"),
            ("/notices/0", json!("a b"), "A-Z a-z 0-9"),
            ("/frequency/0/sends", json!(0), "from 1 to 1000"),
            ("/frequency/0/sends", json!(1.5), "a whole number"),
            ("/frequency/0/days", json!(0), "from 1 to 30"),
            ("/frequency/0/days", json!(31), "from 1 to 30"),
            ("/frequency/0/hours", json!(1), "known are: sends, days"),
            ("/interest/threshold", json!(1.01), "from 0 to 1"),
            ("/interest/half_life_days", json!(0), "from 1 to 3650"),
            ("/send_window", json!({ "opens": "09:00", "closes": "09:00" }), "a window that opens"),
            ("/reserved_rate_percent", json!(91), "from 0 to 90"),
            ("/breaker/hard_bounce_percent", json!(101), "from 0 to 100"),
            ("/breaker/complaint_percent", json!(-1), "from 0 to 100"),
            ("/breaker/after_sends", json!(0), "from 1 to"),
            ("/pending_consent_days", json!(0), "from 1 to 365"),
            ("/retention_days", json!(0), "from 1 to 3650"),
            ("/tracking/opens", json!("no"), "true or false"),
            ("/test_addresses/0", json!("qa@localhost"), "an address such as"),
            ("/colour", json!("blue"), "no such field"),
        ],
    );
}

#[test]
fn the_widest_values_are_taken() {
    assert_taken(
        &policy_document(),
        Policy::parse,
        [
            ("/from", json!("news@example.com")),
            ("/reply_to", json!("Help <help@example.com>")),
            ("/frequency", json!([])),
            ("/frequency/0", json!({ "sends": 1000, "days": 30 })),
            ("/interest/threshold", json!(0)),
            ("/interest/threshold", json!(1)),
            ("/topics", json!({})),
            ("/reserved_rate_percent", json!(0)),
            ("/attributes/first_name", json!({})),
        ],
    );
}

#[test]
fn every_fault_is_named_at_once() {
    let document = json!({
        "from": "x", "privacy_url": "ftp://example.com", "topics": { "Rust": { "channels": ["home"], "more": 1 } },
        "frequency": [{ "sends": 0, "days": 31 }, { "sends": 1 }], "send_window": {}, "tracking": { "opens": 1 },
    });
    let faults = Policy::parse(&document).unwrap_err();
    let expected = [
        "/from",
        "/postal_address",
        "/privacy_url",
        "/topics/Rust",
        "/topics/Rust/channels/0",
        "/topics/Rust/more",
        "/frequency/0/sends",
        "/frequency/0/days",
        "/frequency/1/days",
        "/send_window/opens",
        "/send_window/closes",
        "/tracking/opens",
    ];
    assert_eq!(places(&faults), expected);
}

#[test]
fn what_is_absent_has_the_values_that_the_contract_shows() {
    let least = json!({
        "from": "Rust Weekly <news@example.com>", "postal_address": "Example Ltd, 1 Example Street, 10115 Berlin",
        "privacy_url": "https://example.com/privacy", "topics": policy_document()["topics"],
        "attributes": policy_document()["attributes"], "notices": policy_document()["notices"],
        "test_addresses": ["qa@example.com"],
    });
    assert_eq!(Policy::parse(&least), Policy::parse(&policy_document()));
}

#[test]
fn a_stored_policy_reads_back_as_it_was() {
    let window = json!({ "opens": "22:00", "closes": "02:00", "days": ["sun", "mon"] });
    for (pointer, value) in [("/send_window", window), ("/attributes/first_name", json!({}))] {
        let policy = Policy::parse(&with(policy_document(), pointer, value)).unwrap();
        assert_eq!(Policy::parse(&json!(policy)), Ok(policy));
    }
}

#[test]
fn a_field_that_is_called_by_an_address_is_not_told_by_it() {
    let document = with(policy_document(), "/attributes/someone@example.com", json!({}));
    let faults = Policy::parse(&document).unwrap_err();
    assert_eq!(faults[0].field, "/attributes/(a name of 19 characters with an @)", "{faults:?}");
}
