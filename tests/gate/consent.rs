//! Gate 3: a yes for the topic or an ancestor of it, on the channel, that nothing newer or closer took back.

use germane::domain::{
    channel::Channel,
    consent::{Basis, Consent, ConsentStatus::*},
    decision::{Decision, ReasonCode},
};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::given::{Given, consent, days_ago, millis, now, time, topic};

fn holding(consents: Vec<Consent>) -> Given {
    Given::germane().but(|g| g.recipient.profile.consents = consents)
}

/// The topic of the consent that a send rests on.
fn ground(given: &Given) -> Option<String> {
    match given.decide() {
        Decision::Send(grounds) => grounds.consent.map(|topic| topic.to_string()),
        Decision::Skip(_) | Decision::Defer { .. } | Decision::HoldOut { .. } => None,
    }
}

#[test]
fn a_grant_holds_only_if_newer_than_every_withdrawal_and_on_no_less_specific_a_topic() {
    const OLDER: i64 = 20;
    const SAME: i64 = 10;
    const NEWER: i64 = 5;
    // The grant is ten days old; the campaign is on rust/async.
    let cases = [
        ("rust", "rust", OLDER, true),
        ("rust", "rust", SAME, false),
        ("rust", "rust", NEWER, false),
        ("rust", "rust/async", OLDER, false),
        ("rust", "rust/async", SAME, false),
        ("rust", "rust/async", NEWER, false),
        ("rust/async", "rust", OLDER, true),
        ("rust/async", "rust", SAME, false),
        ("rust/async", "rust", NEWER, false),
        ("rust/async", "rust/async", OLDER, true),
        ("rust/async", "rust/async", SAME, false),
        ("rust/async", "rust/async", NEWER, false),
    ];
    for (granted, withdrawn, age, holds) in cases {
        let grant = consent(Granted, granted, days_ago(10));
        let withdrawal = consent(Withdrawn, withdrawn, days_ago(age));
        for consents in [vec![grant.clone(), withdrawal.clone()], vec![withdrawal.clone(), grant.clone()]] {
            let given = holding(consents);
            if holds {
                assert_eq!(ground(&given).as_deref(), Some(granted), "{granted} granted, {withdrawn} withdrawn, {age}");
            } else {
                let detail = json!({ "topic": withdrawn, "at": days_ago(age) });
                assert_eq!(given.skip(), (ReasonCode::ConsentWithdrawn, detail), "{granted}, {withdrawn}, {age}");
            }
        }
    }
}

#[test]
fn a_millisecond_decides_whether_a_grant_is_newer_than_a_withdrawal() {
    let withdrawn_at = days_ago(1);
    let regranted = |after| {
        holding(vec![consent(Withdrawn, "rust", withdrawn_at), consent(Granted, "rust", withdrawn_at + millis(after))])
    };
    assert!(!regranted(0).sends());
    assert!(regranted(1).sends());
}

#[test]
fn a_grant_survives_the_withdrawal_of_another_one() {
    // The general grant falls to the closer withdrawal; the specific one is newer and stands.
    let given = holding(vec![
        consent(Granted, "rust", days_ago(1)),
        consent(Withdrawn, "rust/async", days_ago(5)),
        consent(Granted, "rust/async", days_ago(3)),
    ]);
    assert_eq!(ground(&given).as_deref(), Some("rust/async"));
}

#[test]
fn the_most_specific_grant_that_holds_is_the_one_named() {
    let given = holding(vec![consent(Granted, "rust/async", days_ago(9)), consent(Granted, "rust", days_ago(1))]);
    assert_eq!(ground(&given).as_deref(), Some("rust/async"));
}

#[test]
fn records_on_other_topics_or_the_other_channel_neither_grant_nor_withdraw() {
    let personal = |status, on| Consent { channel: Channel::Personal, ..consent(status, on, days_ago(1)) };
    let elsewhere = |status| {
        vec![
            consent(status, "rust/async/streams", days_ago(1)),
            consent(status, "rust/macros", days_ago(1)),
            consent(status, "rust/asynchronous", days_ago(1)),
            consent(status, "rus", days_ago(1)),
            personal(status, "rust"),
            personal(status, "rust/async"),
        ]
    };
    let none = (ReasonCode::NoConsent, json!({ "topic": "rust/async" }));
    assert_eq!(holding(elsewhere(Granted)).skip(), none);
    assert_eq!(holding(elsewhere(Withdrawn)).skip(), none);

    let mut withdrawn_elsewhere = elsewhere(Withdrawn);
    withdrawn_elsewhere.push(consent(Granted, "rust", days_ago(9)));
    assert!(holding(withdrawn_elsewhere).sends());
}

#[test]
fn where_no_grant_holds_the_reason_is_withdrawn_then_pending_then_expired_then_none() {
    let withdrawn = consent(Withdrawn, "rust", days_ago(40));
    let pending = consent(Pending, "rust/async", days_ago(30));
    let expired = Consent { expires_at: Some(days_ago(1)), ..consent(Granted, "rust", days_ago(20)) };
    let expired_detail = json!({ "topic": "rust", "at": days_ago(20), "expires_at": days_ago(1) });
    let cases: [(Vec<&Consent>, ReasonCode, Value); 5] = [
        (
            vec![&expired, &pending, &withdrawn],
            ReasonCode::ConsentWithdrawn,
            json!({ "topic": "rust", "at": days_ago(40) }),
        ),
        (vec![&expired, &withdrawn], ReasonCode::ConsentWithdrawn, json!({ "topic": "rust", "at": days_ago(40) })),
        (vec![&expired, &pending], ReasonCode::ConsentPending, json!({ "topic": "rust/async", "at": days_ago(30) })),
        (vec![&expired], ReasonCode::ConsentExpired, expired_detail),
        (vec![], ReasonCode::NoConsent, json!({ "topic": "rust/async" })),
    ];
    for (held, code, detail) in cases {
        let given = holding(held.into_iter().cloned().collect());
        assert_eq!(given.skip(), (code, detail));
    }
}

#[test]
fn a_pending_or_expired_consent_does_not_take_away_a_grant_that_holds() {
    let given = holding(vec![
        consent(Granted, "rust", days_ago(9)),
        consent(Pending, "rust/async", days_ago(1)),
        Consent { expires_at: Some(days_ago(1)), ..consent(Granted, "rust/async", days_ago(3)) },
    ]);
    assert_eq!(ground(&given).as_deref(), Some("rust"));
}

#[test]
fn the_newest_of_several_withdrawals_is_the_one_named() {
    let given = holding(vec![consent(Withdrawn, "rust/async", days_ago(30)), consent(Withdrawn, "rust", days_ago(2))]);
    assert_eq!(given.skip().1, json!({ "topic": "rust", "at": days_ago(2) }));
}

#[test]
fn a_consent_ends_at_its_expiry_and_implied_consent_also_by_age() {
    let lasts = |basis, at: Timestamp, written: Option<Timestamp>, ends: Timestamp| {
        let grant = Consent { basis, expires_at: written, ..consent(Granted, "rust", at) };
        let at_moment = |now| holding(vec![grant.clone()]).but(|g| g.now = now);
        assert!(at_moment(ends - millis(1)).sends(), "{basis:?} from {at} should still hold just before {ends}");
        let detail = json!({ "topic": "rust", "at": at, "expires_at": ends });
        assert_eq!(at_moment(ends).skip(), (ReasonCode::ConsentExpired, detail), "{basis:?} from {at}");
    };
    let from = time("2024-02-29T12:00:00Z");
    for basis in [Basis::Consent, Basis::SoftOptIn, Basis::Contract] {
        lasts(basis, from, Some(now()), now());
    }
    lasts(Basis::ImpliedPurchase, from, None, time("2026-02-28T12:00:00Z"));
    lasts(Basis::ImpliedInquiry, time("2026-08-31T12:00:00Z"), None, time("2027-02-28T12:00:00Z"));
    lasts(Basis::ImpliedPurchase, time("2022-02-28T23:59:59.999Z"), None, time("2024-02-28T23:59:59.999Z"));
    lasts(Basis::ImpliedInquiry, time("2023-08-31T00:00:00Z"), None, time("2024-02-29T00:00:00Z"));
    lasts(Basis::ImpliedInquiry, time("2023-12-31T00:00:00Z"), None, time("2024-06-30T00:00:00Z"));
    // The sooner of what is written and what is implied.
    lasts(Basis::ImpliedPurchase, from, Some(time("2030-01-01T00:00:00Z")), time("2026-02-28T12:00:00Z"));
    lasts(Basis::ImpliedPurchase, from, Some(time("2025-01-01T00:00:00Z")), time("2025-01-01T00:00:00Z"));
    lasts(Basis::ImpliedInquiry, from, Some(time("2025-01-01T00:00:00Z")), time("2024-08-29T12:00:00Z"));
}

#[test]
fn what_waits_for_a_confirmation_lapses_by_the_policy_or_sooner_where_its_own_end_comes_first() {
    let waiting = consent(Pending, "rust", days_ago(1));
    assert_eq!(waiting.lapses(14), now() + 24 * 13 * millis(3_600_000));
    assert_eq!(Consent { expires_at: Some(now()), ..waiting.clone() }.lapses(14), now());
    let implied = Consent { basis: Basis::ImpliedInquiry, at: time("2026-08-31T12:00:00Z"), ..waiting };
    assert_eq!(implied.lapses(365), time("2027-02-28T12:00:00Z"));
}

#[test]
fn consent_that_is_not_implied_does_not_age() {
    for basis in [Basis::Consent, Basis::SoftOptIn, Basis::Contract] {
        let ancient = Consent { basis, ..consent(Granted, "rust", time("1999-01-01T00:00:00Z")) };
        assert!(holding(vec![ancient]).sends());
    }
}

#[test]
fn a_withdrawal_does_not_expire() {
    let given = holding(vec![
        consent(Granted, "rust", days_ago(90)),
        Consent { expires_at: Some(days_ago(10)), ..consent(Withdrawn, "rust", days_ago(60)) },
    ]);
    assert_eq!(given.skip().0, ReasonCode::ConsentWithdrawn);
}

#[test]
fn consent_is_asked_for_on_the_campaigns_own_channel() {
    let personal = Given::germane().but(|g| g.campaign.channel = Channel::Personal);
    assert_eq!(personal.skip(), (ReasonCode::NoConsent, json!({ "topic": "rust/async" })));
}

#[test]
fn consent_to_a_descendant_does_not_permit_the_whole_topic() {
    let given = holding(vec![consent(Granted, "rust/async", days_ago(1))]).but(|g| g.campaign.topic = topic("rust"));
    assert_eq!(given.skip(), (ReasonCode::NoConsent, json!({ "topic": "rust" })));
}
