//! The policy.

use germane::domain::{
    policy::Policy,
    readiness::{
        State::{self, Advice, Missing, Ready, Unknown},
        rules::judge,
    },
};
use serde_json::{Value, json};

use super::{says_what_to_do, states};
use crate::{given::policy_document, world::with};

/// Policy, postal address, privacy URL and test addresses.
fn judged(change: Value) -> [State; 4] {
    let own = json!({
        "from": "news@germane.dev", "postal_address": "Ltd, 1 Street, 10115 Berlin", "privacy_url": "https://germane.dev/p",
    });
    let policy = Policy::parse(&with(with(policy_document(), own), change)).unwrap();
    let checks = judge(Some((3, &policy)));
    assert!(checks.iter().all(says_what_to_do), "{checks:?}");
    states(&checks)
}

#[test]
fn a_policy_of_ones_own_is_ready() {
    assert_eq!(judged(json!({})), [Ready; 4]);
}

#[test]
fn without_a_policy_nothing_that_it_says_can_be_looked_at() {
    let checks = judge(None);
    assert_eq!(states(&checks), [Missing, Unknown, Unknown, Unknown]);
    assert_eq!(checks[0].next.as_deref(), Some("germane policy put policy.json"));
    assert_eq!(checks[1].found, "cannot be looked at without the policy");
}

#[test]
fn a_placeholder_is_no_postal_address() {
    for address in ["Example Ltd, 1 Example Street, 10115 Berlin", "TODO", "your address (placeholder)"] {
        assert_eq!(judged(json!({ "postal_address": address })), [Ready, Missing, Ready, Ready], "{address}");
    }
    assert_eq!(judged(json!({ "postal_address": "Exemplary Ltd, 10115 Berlin" })), [Ready; 4]);
}

#[test]
fn a_privacy_notice_is_not_at_a_domain_that_nobody_owns() {
    for url in ["https://example.com/privacy", "https://www.example.org", "https://example.net:8443/", "https://"] {
        assert_eq!(judged(json!({ "privacy_url": url })), [Ready, Ready, Missing, Ready], "{url}");
    }
    assert_eq!(judged(json!({ "privacy_url": "https://germane.dev/example.com" })), [Ready; 4]);
}

#[test]
fn a_sender_that_only_stand_ins_know_may_have_placeholders() {
    let trying = json!({
        "from": "News <news@mail.example.com>", "postal_address": "Example Ltd", "privacy_url": "https://example.com/p",
    });
    assert_eq!(judged(trying), [Ready, Advice, Advice, Ready]);
}

#[test]
fn nobody_to_test_with_is_advice_and_no_topic_is_none_to_send_on() {
    assert_eq!(judged(json!({ "test_addresses": [] })), [Ready, Ready, Ready, Advice]);
    let mut policy = policy_document();
    policy["topics"] = json!({});
    let policy = Policy::parse(&policy).unwrap();
    assert_eq!(judge(Some((1, &policy)))[0].state, Missing);
}
