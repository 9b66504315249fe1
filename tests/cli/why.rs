//! Why, in words for a person.

use germane::{cli::why::Told, domain::decision::ReasonCode};
use serde_json::{Value, json};

use super::{
    api::{Api, ok},
    run::germane,
};

fn decision(outcome: &str, reason: Option<ReasonCode>, detail: &Value) -> Value {
    json!({
        "campaign": "rust-weekly-2026-47", "recipient": "r-1042", "outcome": outcome,
        "reason": reason.map(ReasonCode::as_str), "detail": detail, "channel": "work", "policy_version": 3,
        "decided_at": "2026-11-23T09:00:02Z",
    })
}

fn sentence(decision: &Value) -> String {
    Told::read(decision).unwrap().sentence()
}

/// An outcome and a detail as the gate would give them.
fn typical(code: ReasonCode) -> (&'static str, Value) {
    let at = "2026-03-12T09:00:00Z";
    let short = json!({ "topic": "rust", "strength": 0.2999, "threshold": 0.3 });
    match code {
        ReasonCode::Suppressed => ("skipped", json!({ "kind": "complaint", "since": at })),
        ReasonCode::NoAddress => ("skipped", json!({ "channel": "work" })),
        ReasonCode::AddressUnusable => ("skipped", json!({ "channel": "work", "kind": "hard_bounce" })),
        ReasonCode::NoConsent | ReasonCode::TopicMuted => ("skipped", json!({ "topic": "rust" })),
        ReasonCode::ConsentPending | ReasonCode::ConsentWithdrawn => ("skipped", json!({ "topic": "rust", "at": at })),
        ReasonCode::ConsentExpired => {
            ("skipped", json!({ "topic": "rust", "at": at, "expires_at": "2026-09-12T09:00:00Z" }))
        }
        ReasonCode::Paused => ("skipped", json!({ "until": "2026-12-24T00:00:00Z" })),
        ReasonCode::NotInterested | ReasonCode::OutOfContext | ReasonCode::ProfilingNotPermitted => ("skipped", short),
        ReasonCode::AlreadyOwned => ("skipped", json!({ "product": "course-rust-101" })),
        ReasonCode::AlreadySent => ("skipped", json!({ "at": at })),
        ReasonCode::FrequencyCap => ("skipped", cap("recipient")),
        ReasonCode::OutsideSendWindow => {
            ("deferred", json!({ "opens_at": "2026-11-24T08:00:00Z", "time_zone": "Europe/Berlin" }))
        }
        ReasonCode::Holdout => ("held_out", json!({ "percent": 2 })),
        ReasonCode::Rejected => ("failed", json!({ "status": "MESSAGE_REJECTED" })),
        ReasonCode::NoTimeZone | ReasonCode::CampaignExpired | ReasonCode::CampaignCancelled => ("skipped", json!({})),
        ReasonCode::Quota | ReasonCode::Throttled | ReasonCode::Stopped | ReasonCode::Contended => {
            ("deferred", json!({}))
        }
        ReasonCode::NotRendered => ("failed", json!({})),
        ReasonCode::InDoubt => ("in_doubt", json!({})),
    }
}

fn cap(rule: &str) -> Value {
    json!({ "sends": 1, "days": 7, "used": 1, "next_slot": "2026-11-26T08:14:00Z", "rule": rule })
}

#[test]
fn every_reason_has_a_sentence() {
    let told = ReasonCode::ALL.iter().map(|code| {
        let (outcome, detail) = typical(*code);
        format!("{}\n    {}", code.as_str(), sentence(&decision(outcome, Some(*code), &detail)))
    });
    insta::assert_snapshot!(told.collect::<Vec<_>>().join("\n"));
}

#[test]
fn a_detail_that_is_missing_still_makes_a_sentence() {
    for code in ReasonCode::ALL {
        let told = sentence(&decision("skipped", Some(*code), &json!(null)));
        assert!(told.starts_with("r-1042 did not get rust-weekly-2026-47: ") && told.ends_with('.'), "{told}");
    }
}

#[test]
fn every_kind_of_cap_suppression_and_bounce_is_told_apart() {
    let told: Vec<String> = ["policy", "recipient", "history", "notice"]
        .map(|rule| decision("skipped", Some(ReasonCode::FrequencyCap), &cap(rule)))
        .into_iter()
        .chain(["unsubscribed_all", "complaint", "manual", "erased"].map(|kind| {
            let detail = json!({ "kind": kind, "since": "2026-03-12T09:00:00Z" });
            decision("skipped", Some(ReasonCode::Suppressed), &detail)
        }))
        .chain(["hard_bounce", "soft_bounces"].map(|kind| {
            decision("skipped", Some(ReasonCode::AddressUnusable), &json!({ "channel": "work", "kind": kind }))
        }))
        .chain([decision(
            "skipped",
            Some(ReasonCode::NotInterested),
            &json!({
                "topic": "rust", "strength": 0.0, "threshold": 0.3,
            }),
        )])
        .map(|decision| sentence(&decision))
        .collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn who_got_it_is_told_what_justified_it() {
    let told = [
        json!({ "consent": "rust", "interest": "rust", "strength": 0.9 }),
        json!({ "consent": "rust", "interest": "rust", "strength": 0.9, "threshold": 0.3 }),
        json!({ "consent": "rust", "interest": null, "strength": null }),
        json!({ "consent": null, "interest": null, "strength": null }),
    ]
    .map(|detail| sentence(&decision("sent", None, &detail)));
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn a_reason_of_tomorrow_is_told_by_its_code() {
    let mut decision = decision("skipped", None, &json!({}));
    decision["reason"] = json!("a_reason_of_tomorrow");
    assert_eq!(sentence(&decision), "r-1042 did not get rust-weekly-2026-47: the reason is a_reason_of_tomorrow.");
}

#[test]
fn why_is_one_request_and_json_is_its_answer() {
    let api = Api::new(|_, _| ok(&decision("skipped", Some(ReasonCode::FrequencyCap), &cap("recipient"))));
    let ended = germane(&api, &["why", "rust-weekly-2026-47", "r-1042"]);
    assert_eq!(ended.code, 0);
    insta::assert_snapshot!(ended.out, @r"
    r-1042 did not get rust-weekly-2026-47: they asked for at most 1 mail in 7 days
    and got 1; the next fits from 26 November 2026, 08:14 UTC.
    skipped · frequency_cap · policy 3 · 23 November 2026, 09:00 UTC
    ");
    let json = germane(&api, &["why", "rust-weekly-2026-47", "r-1042", "--json"]).json();
    assert_eq!(json["detail"]["rule"], "recipient");
    assert_eq!(api.lines(), ["GET /v1/campaigns/rust-weekly-2026-47/decisions/r-1042"; 2]);
}

#[test]
fn all_shows_every_gate() {
    let api = Api::new(|_, _| {
        let pass = |gate: &str, detail: Value| json!({ "gate": gate, "pass": true, "reason": null, "detail": detail });
        ok(&json!({
            "decision": decision("skipped", Some(ReasonCode::OutOfContext), &typical(ReasonCode::OutOfContext).1),
            "verdicts": [
                pass("suppression", json!({})),
                pass("channel", json!({ "channel": "work" })),
                pass("consent", json!({ "topic": "rust" })),
                pass("pause", json!({ "until": null })),
                { "gate": "interest", "pass": false, "reason": "out_of_context",
                  "detail": { "topic": "rust", "strength": 0.8, "threshold": 0.3 } },
                pass("ownership", json!({ "promotes": ["course-rust-101"] })),
                pass("duplicate", json!({})),
                pass("frequency", json!({ "caps": [
                    { "sends": 3, "days": 7, "used": 1, "rule": "policy" },
                    { "sends": 8, "days": 30, "used": 2, "rule": "policy" },
                    { "sends": 4, "days": 30, "used": 2, "rule": "recipient" },
                ] })),
                pass("window", json!({ "time_zone": "Europe/Berlin" })),
                pass("holdout", json!({ "percent": 1 })),
            ],
        }))
    });
    let ended = germane(&api, &["why", "rust-weekly-2026-47", "r-1042", "--all"]);
    assert_eq!(ended.code, 0);
    assert!(ended.out.lines().all(|line| line.chars().count() <= 80), "{}", ended.out);
    insta::assert_snapshot!(ended.out);
    assert_eq!(api.lines(), ["GET /v1/campaigns/rust-weekly-2026-47/decisions/r-1042?all=true"]);
}
