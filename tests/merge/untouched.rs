//! What no change from outside may touch.

use germane::domain::{
    consent::{
        Consent,
        ConsentStatus::{Granted, Pending, Withdrawn},
    },
    recipient::{Suppression, SuppressionKind},
};
use serde_json::json;

use super::{consents, held, holding, put};
use crate::given::{cap, consent, days_ago, now, recipient, recipient_document, send, topic};

fn by_recipient(consent: Consent) -> Consent {
    Consent { by_recipient: true, ..consent }
}

#[test]
fn sends_suppression_version_and_reference_are_never_touched() {
    let mut person = recipient();
    person.profile.suppression = Some(Suppression { kind: SuppressionKind::Complaint, since: days_ago(3) });
    person.sends = person.sends.with([send("other", days_ago(1))], now());
    let before = person.clone();
    put(&mut person, &recipient_document());
    put(&mut person, &json!({ "consents": null, "interests": null, "preferences": null }));
    assert_eq!(person.sends, before.sends);
    assert_eq!(person.suppression, before.suppression);
    assert_eq!((person.version, person.reference), (before.version, before.reference));
}

#[test]
fn preferences_that_the_recipient_set_are_never_touched() {
    let mut person = recipient();
    person.profile.preferences.by_recipient = true;
    person.profile.preferences.max_frequency = Some(cap(1, 30));
    person.profile.preferences.muted_topics = vec![topic("garden")];
    let before = person.clone();
    let eager = json!({ "max_frequency": { "sends": 100, "days": 1 }, "paused_until": "2026-11-24T00:00:00Z",
                        "muted_topics": ["rust"] });
    for preferences in [eager, json!({ "max_frequency": null, "muted_topics": null }), json!(null)] {
        put(&mut person, &json!({ "preferences": preferences }));
        assert_eq!(person, before);
    }
}

#[test]
fn consents_that_the_recipient_gave_or_withdrew_are_never_replaced() {
    for status in [Granted, Pending, Withdrawn] {
        let own = by_recipient(consent(status, "rust", days_ago(9)));
        for incoming in ["granted", "pending"] {
            let mut person = holding(vec![own.clone()]);
            assert_eq!(put(&mut person, &consents(&[("rust", incoming, days_ago(1))])), []);
            assert_eq!(person.consents, std::slice::from_ref(&own), "{status:?}, {incoming}");
        }
        let mut person = holding(vec![own.clone()]);
        put(&mut person, &json!({ "consents": null }));
        assert_eq!(person.consents, [own]);
    }
    let own = by_recipient(consent(Withdrawn, "rust", days_ago(9)));
    let mut person = holding(vec![own.clone()]);
    put(&mut person, &consents(&[("rust", "withdrawn", days_ago(1))]));
    assert_eq!(person.consents, [own]);
}

#[test]
fn a_withdrawal_told_to_somebody_else_ends_the_recipients_own_grant() {
    let mut person = holding(vec![by_recipient(consent(Granted, "rust", days_ago(9)))]);
    let moves = put(&mut person, &consents(&[("rust", "withdrawn", days_ago(1))]));
    assert_eq!(moves.len(), 1);
    assert_eq!(held(&person), [("rust", Withdrawn, days_ago(1))]);
}
