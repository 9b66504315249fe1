//! After a withdrawal only the recipient grants again.

use germane::domain::{
    channel::Channel,
    consent::{
        Consent,
        ConsentStatus::{Granted, Withdrawn},
    },
};
use serde_json::json;

use super::{consents, held, holding, put};
use crate::given::{consent, days_ago};

#[test]
fn after_a_withdrawal_on_the_topic_or_an_ancestor_no_import_grants_again() {
    for (withdrawn, incoming, taken) in [
        ("rust", "rust", false),
        ("rust", "rust/async", false),
        ("rust", "rust/async/streams", false),
        ("rust/async", "rust", true),
        ("rust/async", "rust/macros", true),
        ("garden", "rust", true),
    ] {
        for status in ["granted", "pending"] {
            let mut person = holding(vec![consent(Withdrawn, withdrawn, days_ago(9))]);
            let moves = put(&mut person, &consents(&[(incoming, status, days_ago(1))]));
            assert_eq!(moves.len(), usize::from(taken), "{incoming} {status} after {withdrawn}");
            assert_eq!(held(&person)[0], (withdrawn, Withdrawn, days_ago(9)));
        }
    }
}

#[test]
fn a_withdrawal_on_one_channel_leaves_the_other_free() {
    let personal = Consent { channel: Channel::Personal, ..consent(Withdrawn, "rust", days_ago(9)) };
    let mut person = holding(vec![personal]);
    assert_eq!(put(&mut person, &consents(&[("rust", "granted", days_ago(1))])).len(), 1);
}

#[test]
fn a_withdrawal_survives_the_removal_of_all_consents() {
    let withdrawal = consent(Withdrawn, "rust", days_ago(9));
    let mut person = holding(vec![consent(Granted, "garden", days_ago(9)), withdrawal.clone()]);
    put(&mut person, &json!({ "consents": null }));
    assert_eq!(person.consents, [withdrawal]);
}

#[test]
fn what_the_recipient_granted_again_stays_granted() {
    let own = Consent { by_recipient: true, ..consent(Granted, "rust/async", days_ago(2)) };
    let mut person = holding(vec![consent(Withdrawn, "rust", days_ago(9)), own.clone()]);
    put(&mut person, &consents(&[("rust/async", "granted", days_ago(1))]));
    assert_eq!(person.consents[1], own);
}

#[test]
fn the_order_of_a_list_does_not_slip_a_grant_past_a_withdrawal() {
    let (grant, withdrawal) = (("rust/async", "granted", days_ago(1)), ("rust", "withdrawn", days_ago(5)));
    for rows in [[grant, withdrawal], [withdrawal, grant]] {
        let mut person = holding(vec![]);
        put(&mut person, &consents(&rows));
        assert_eq!(held(&person), [("rust", Withdrawn, days_ago(5))]);
    }
}
