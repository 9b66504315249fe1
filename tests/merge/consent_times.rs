//! Only what is later counts, and nothing is later than now.

use germane::domain::{
    channel::Channel,
    consent::{Consent, ConsentStatus},
    recipient::ConsentMove,
};
use serde_json::json;

use super::{consents, holding, put, put_at};
use crate::given::{consent, days_ago, millis, now, recipient};

#[test]
fn only_a_consent_that_is_later_than_the_one_held_is_taken_over() {
    for (status, incoming) in [
        (ConsentStatus::Granted, "withdrawn"),
        (ConsentStatus::Granted, "pending"),
        (ConsentStatus::Granted, "granted"),
        (ConsentStatus::Pending, "granted"),
        (ConsentStatus::Pending, "withdrawn"),
        (ConsentStatus::Withdrawn, "withdrawn"),
    ] {
        let at = days_ago(5);
        for (offset, taken) in [(-1, false), (0, false), (1, true)] {
            let mut person = holding(vec![consent(status, "rust", at)]);
            let moves = put(&mut person, &consents(&[("rust", incoming, at + millis(offset))]));
            assert_eq!(moves.len(), usize::from(taken), "{incoming} over {status:?} at {offset} ms");
            assert_eq!(person.consents[0].at, if taken { at + millis(1) } else { at });
        }
    }
}

#[test]
fn a_move_says_what_was_held_what_is_and_why() {
    let mut person = holding(vec![consent(ConsentStatus::Pending, "rust", days_ago(5))]);
    let document = json!({ "consents": [
        { "topic": "rust", "channel": "work", "status": "granted", "source": "form", "evidence": "clicked",
          "at": days_ago(4) },
        { "topic": "rust", "channel": "personal", "status": "granted", "at": days_ago(4) },
    ] });
    let moves = put(&mut person, &document);
    let granted = consent(ConsentStatus::Granted, "rust", days_ago(4));
    let confirmed = ConsentMove {
        before: Some(ConsentStatus::Pending),
        after: Some(ConsentStatus::Granted),
        consent: Consent { source: Some("form".to_owned()), ..granted.clone() },
        evidence: Some("clicked".to_owned()),
    };
    let added = ConsentMove {
        before: None,
        after: Some(ConsentStatus::Granted),
        consent: Consent { channel: Channel::Personal, ..granted },
        evidence: None,
    };
    assert_eq!(moves, [confirmed, added]);
}

#[test]
fn a_time_in_the_future_is_refused_and_this_very_moment_is_not() {
    for (offset, fine) in [(0, true), (1, false)] {
        let at = now() + millis(offset);
        let document = json!({
            "consents": [{ "topic": "rust", "channel": "work", "status": "granted", "at": at }],
            "interests": [{ "topic": "rust", "strength": 0.5, "at": at }],
        });
        let result = put_at(&mut recipient(), &document, now());
        let fields = result.err().unwrap_or_default().into_iter().map(|fault| fault.field);
        let expected: &[&str] = if fine { &[] } else { &["/interests/0/at", "/consents/0/at"] };
        assert_eq!(fields.collect::<Vec<_>>(), expected);
    }
}
