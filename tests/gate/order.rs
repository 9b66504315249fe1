//! The gates are asked in their order; the first that refuses is the reason, and `explain` shows the others too.

use germane::domain::{
    decision::ReasonCode,
    gate::{self, Gate, Verdict},
    recipient::{Suppression, SuppressionKind},
    window::SendWindow,
};
use jiff::civil::{Time, Weekday};
use serde_json::{Value, json};

use crate::given::{Given, cap, days_ago, now, recipient, send, topic};

/// Somebody whom every gate refuses.
fn refused_by_all() -> Given {
    Given::germane().but(|g| {
        let profile = &mut g.recipient.profile;
        profile.suppression = Some(Suppression { kind: SuppressionKind::Manual, since: now() });
        profile.work = None;
        profile.consents.clear();
        profile.preferences.paused_until = Some(days_ago(-1));
        profile.preferences.muted_topics = vec![topic("rust")];
        profile.owns = vec!["course-rust-101".parse().unwrap()];
        g.sent([send("rust-weekly-2026-47", days_ago(1))]);
        g.policy.frequency = vec![cap(1, 7)];
        let noon = Time::constant(12, 0, 0, 0);
        g.campaign.send_window = SendWindow::new(noon, Time::midnight(), &[Weekday::Monday]);
        g.campaign.holdout_percent = 100;
    })
}

fn verdicts(given: &Given) -> Vec<Verdict> {
    gate::explain(&given.recipient, &given.campaign, &given.policy, given.now)
}

#[test]
fn the_first_gate_that_refuses_gives_the_reason() {
    type Mend = fn(&mut Given);
    let steps: [(ReasonCode, Mend); 10] = [
        (ReasonCode::Suppressed, |g| g.recipient.profile.suppression = None),
        (ReasonCode::NoAddress, |g| g.recipient.profile.work = recipient().profile.work),
        (ReasonCode::NoConsent, |g| g.recipient.profile.consents = recipient().profile.consents),
        (ReasonCode::Paused, |g| g.recipient.profile.preferences.paused_until = None),
        (ReasonCode::TopicMuted, |g| g.recipient.profile.preferences.muted_topics.clear()),
        (ReasonCode::AlreadyOwned, |g| g.recipient.profile.owns.clear()),
        (ReasonCode::AlreadySent, |g| g.sent([send("other", days_ago(1))])),
        (ReasonCode::FrequencyCap, |g| g.policy.frequency.clear()),
        (ReasonCode::OutsideSendWindow, |g| g.campaign.send_window = None),
        (ReasonCode::Holdout, |g| g.campaign.holdout_percent = 0),
    ];
    let mut given = refused_by_all();
    for (code, mend) in steps {
        assert_eq!(given.reason(), Some(code));
        mend(&mut given);
    }
    assert!(given.sends());
}

#[test]
fn explain_asks_every_gate_also_beyond_the_first_that_refuses() {
    let verdicts = verdicts(&refused_by_all());
    let gates: Vec<Gate> = verdicts.iter().map(|verdict| verdict.gate).collect();
    assert_eq!(gates, Gate::ALL);
    assert!(verdicts.iter().all(|verdict| !verdict.pass && verdict.reason.is_some()));
}

#[test]
fn gates_bear_the_names_of_the_contract() {
    let names: Vec<Value> = Gate::ALL.iter().map(|gate| json!(gate)).collect();
    let contract = [
        "suppression",
        "channel",
        "consent",
        "pause",
        "interest",
        "ownership",
        "duplicate",
        "frequency",
        "window",
        "holdout",
    ];
    assert_eq!(names, contract);
}

#[test]
fn a_gate_that_lets_through_shows_what_it_compared() {
    let shown: Vec<Value> = verdicts(&Given::germane()).into_iter().map(|verdict| verdict.detail).collect();
    let cap = |sends, days| json!({ "sends": sends, "days": days, "used": 0, "rule": "policy" });
    let expected = [
        json!({}),
        json!({ "channel": "work" }),
        json!({ "topic": "rust" }),
        json!({ "until": null }),
        json!({ "topic": "rust", "strength": 0.9, "threshold": 0.3 }),
        json!({ "promotes": ["course-rust-101"] }),
        json!({}),
        json!({ "caps": [cap(3, 7), cap(8, 30)] }),
        json!({ "time_zone": "Europe/Berlin" }),
        json!({ "percent": 0 }),
    ];
    assert_eq!(shown, expected);
}

#[test]
fn a_verdict_reads_as_the_contract_shows() {
    let given = Given::germane().but(|g| g.recipient.profile.consents.clear());
    let verdict = json!({ "gate": "consent", "pass": false, "reason": "no_consent",
                          "detail": { "topic": "rust/async" } });
    assert_eq!(json!(verdicts(&given)[2]), verdict);
}
