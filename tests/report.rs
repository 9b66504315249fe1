//! The figures add up, whatever they are made of.

use germane::domain::{
    decision::{Grounds, Outcome, OutcomeKind, Reason, ReasonCode},
    feedback::Tally,
    policy::Tracking,
    report::{CampaignStatus, Counts, Report, StatusCode, StatusDetail},
};
use serde_json::{Value, json};

use crate::given::{now, topic};

fn outcomes() -> Vec<Outcome> {
    vec![
        Outcome::Sent(Grounds::default()),
        Outcome::Skipped(Reason::NoConsent { topic: topic("rust") }),
        Outcome::Deferred { reason: Reason::Quota, until: Some(now()) },
        Outcome::HeldOut { percent: 10 },
        Outcome::Failed(Reason::Rejected { status: "MESSAGE_REJECTED".to_owned() }),
        Outcome::InDoubt,
    ]
}

/// `n` + 1 of the n-th outcome.
fn counts() -> Counts {
    let mut counts = Counts::default();
    for (n, outcome) in outcomes().iter().enumerate() {
        (0..=n).for_each(|_| counts.add(outcome));
    }
    counts
}

fn report(counts: Counts) -> Report {
    Report {
        campaign: "rust-weekly-2026-47".parse().unwrap(),
        status: CampaignStatus::Sending,
        status_detail: None,
        counts,
        audience: None,
        unknown: None,
        tally: Tally::default(),
        tracking: Tracking::default(),
    }
}

fn sum(figures: &Value) -> u64 {
    figures.as_object().unwrap().values().map(|figure| figure.as_u64().unwrap()).sum()
}

#[test]
fn decided_is_the_sum_of_the_six_outcomes() {
    let report = report(counts()).to_json();
    let outcomes = json!({ "sent": 1, "skipped": 2, "deferred": 3, "held_out": 4, "failed": 5, "in_doubt": 6 });
    assert_eq!(report["outcomes"], outcomes);
    assert_eq!(report["decided"], json!(21));
    assert_eq!(sum(&report["outcomes"]), 21);
}

#[test]
fn all_six_outcomes_are_named_also_before_anything_was_decided() {
    let report = report(Counts::default()).to_json();
    let zeroes = json!({ "sent": 0, "skipped": 0, "deferred": 0, "held_out": 0, "failed": 0, "in_doubt": 0 });
    assert_eq!((&report["outcomes"], &report["decided"], &report["reasons"]), (&zeroes, &json!(0), &json!({})));
}

#[test]
fn reasons_count_everybody_who_was_not_sent() {
    let report = report(counts()).to_json();
    let reasons = json!({ "no_consent": 2, "quota": 3, "holdout": 4, "rejected": 5, "in_doubt": 6 });
    assert_eq!(report["reasons"], reasons);
}

#[test]
fn a_reason_is_one_figure_whatever_outcomes_it_led_to() {
    let mut counts = Counts::default();
    counts.add(&Outcome::Skipped(Reason::Quota));
    counts.add(&Outcome::Deferred { reason: Reason::Quota, until: None });
    assert_eq!(report(counts).to_json()["reasons"], json!({ "quota": 2 }));
}

#[test]
fn merging_adds_outcome_by_outcome() {
    let mut both = counts();
    both.merge(&counts());
    assert_eq!(both.decided(), 42);
    for kind in OutcomeKind::ALL {
        assert_eq!(both.of(*kind), 2 * counts().of(*kind));
    }
}

#[test]
fn counts_read_back_as_they_were_stored() {
    let json = serde_json::to_value(counts()).unwrap();
    assert_eq!(serde_json::from_value::<Counts>(json).unwrap(), counts());
    let binary = postcard::to_allocvec(&counts()).unwrap();
    assert_eq!(postcard::from_bytes::<Counts>(&binary).unwrap(), counts());
}

#[test]
fn a_report_has_the_shape_of_the_contract() {
    let report = Report {
        status: CampaignStatus::Paused,
        status_detail: Some(StatusDetail::new(StatusCode::Breaker, "too many bounces")),
        audience: Some(1),
        unknown: Some(2),
        ..report({
            let mut counts = Counts::default();
            counts.add(&Outcome::Sent(Grounds::default()));
            counts
        })
    };
    let expected = json!({
        "campaign": "rust-weekly-2026-47", "status": "paused",
        "status_detail": { "code": "breaker", "message": "too many bounces" },
        "decided": 1, "audience": 1, "unknown": 2,
        "outcomes": { "sent": 1, "skipped": 0, "deferred": 0, "held_out": 0, "failed": 0, "in_doubt": 0 },
        "reasons": {},
        "feedback": { "delivered": 0, "hard_bounced": 0, "soft_bounced": 0, "complained": 0 },
    });
    assert_eq!(report.to_json(), expected);
}

#[test]
fn unknown_is_named_only_where_ids_were_listed_and_audience_is_null_until_the_first_pass_is_through() {
    let report = report(Counts::default()).to_json();
    assert_eq!(report.get("unknown"), None);
    assert_eq!(report["audience"], Value::Null);
}

#[test]
fn every_code_reads_back_by_its_name() {
    for code in ReasonCode::ALL {
        assert_eq!(code.as_str().parse(), Ok(*code));
        assert_eq!(json!(code), json!(code.as_str()));
    }
    for kind in OutcomeKind::ALL {
        assert_eq!(kind.as_str().parse(), Ok(*kind));
    }
}

#[test]
fn outcomes_say_their_reason_and_detail() {
    let said: Vec<(Option<&str>, Value)> =
        outcomes().iter().map(|outcome| (outcome.reason().map(ReasonCode::as_str), outcome.detail())).collect();
    let expected = [
        (None, json!({ "consent": null, "interest": null, "strength": null })),
        (Some("no_consent"), json!({ "topic": "rust" })),
        (Some("quota"), json!({})),
        (Some("holdout"), json!({ "percent": 10 })),
        (Some("rejected"), json!({ "status": "MESSAGE_REJECTED" })),
        (Some("in_doubt"), json!({})),
    ];
    assert_eq!(said, expected);
}
