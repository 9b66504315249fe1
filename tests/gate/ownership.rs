//! Gates 6 and 7: what they own already, and what they were sent already.

use germane::domain::{decision::ReasonCode, id::Product};
use serde_json::json;

use crate::given::{Given, days_ago, send};

fn products(names: &[&str]) -> Vec<Product> {
    names.iter().map(|name| name.parse().unwrap()).collect()
}

#[test]
fn one_owned_product_among_those_promoted_is_enough_to_skip() {
    let given = Given::germane().but(|g| {
        g.campaign.promotes = products(&["course-rust-201", "course-rust-101"]);
        g.recipient.profile.owns = products(&["mug", "course-rust-101"]);
    });
    assert_eq!(given.skip(), (ReasonCode::AlreadyOwned, json!({ "product": "course-rust-101" })));
}

#[test]
fn owning_something_else_or_promoting_nothing_does_not_skip() {
    assert!(Given::germane().but(|g| g.recipient.profile.owns = products(&["course-rust"])).sends());
    let nothing_promoted = Given::germane().but(|g| {
        g.campaign.promotes.clear();
        g.recipient.profile.owns = products(&["course-rust-101"]);
    });
    assert!(nothing_promoted.sends());
}

#[test]
fn a_campaign_already_sent_is_not_sent_again_even_if_it_used_no_slot() {
    for counts in [true, false] {
        let at = days_ago(2);
        let given = Given::germane().but(|g| {
            let mut earlier = send("rust-weekly-2026-47", at);
            earlier.counts = counts;
            g.sent([earlier]);
        });
        assert_eq!(given.skip(), (ReasonCode::AlreadySent, json!({ "at": at })));
    }
}

#[test]
fn another_campaign_already_sent_does_not_count_as_this_one() {
    assert!(Given::germane().but(|g| g.sent([send("rust-weekly-2026-46", days_ago(2))])).sends());
}
