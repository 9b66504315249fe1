//! Every reason of the gate, from the API to the ledger and back.

use std::collections::BTreeMap;

use germane::{
    domain::{
        decision::{OutcomeKind, ReasonCode},
        recipient::{Suppression, SuppressionKind, Unusable},
    },
    flow::api::ApiError,
};
use serde_json::{Value, json};

use crate::world::{NOW, World, campaign, person, with};

const AT: &str = "2026-03-12T09:00:00Z";

/// Somebody who differs from a person that is mailed in one thing, and what becomes of them.
struct Part {
    document: Value,
    outcome: &'static str,
    reason: &'static str,
    detail: Value,
}

fn part(id: &str, change: Value, reason: &'static str, detail: Value) -> Part {
    Part { document: with(person(id), change), outcome: "skipped", reason, detail }
}

fn consent(change: Value) -> Value {
    json!({ "consents": [with(person("x")["consents"][0].clone(), change)] })
}

fn interest(change: Value) -> Value {
    json!({ "interests": [with(person("x")["interests"][0].clone(), change)] })
}

fn cast() -> Vec<Part> {
    let expired = json!({ "topic": "rust", "at": AT, "expires_at": "2026-10-01T00:00:00Z" });
    let short = |strength: f64| json!({ "topic": "rust", "strength": strength, "threshold": 0.3 });
    let window = |opens_at: &str, zone: &str| json!({ "opens_at": opens_at, "time_zone": zone });
    let muted = json!({ "preferences": { "muted_topics": ["rust"] } });
    let mut cast = vec![
        part("suppressed", json!({}), "suppressed", json!({ "kind": "complaint", "since": NOW })),
        part(
            "no-address",
            json!({ "addresses": { "work": null, "personal": "no-address@example.net" } }),
            "no_address",
            json!({ "channel": "work" }),
        ),
        part("unusable", json!({}), "address_unusable", json!({ "channel": "work", "kind": "hard_bounce" })),
        part("no-consent", json!({ "consents": [] }), "no_consent", json!({ "topic": "rust" })),
        part("other-channel", consent(json!({ "channel": "personal" })), "no_consent", json!({ "topic": "rust" })),
        part(
            "pending",
            consent(json!({ "status": "pending" })),
            "consent_pending",
            json!({ "topic": "rust", "at": AT }),
        ),
        part(
            "withdrawn",
            consent(json!({ "status": "withdrawn" })),
            "consent_withdrawn",
            json!({ "topic": "rust", "at": AT }),
        ),
        part("expired", consent(json!({ "expires_at": "2026-10-01T00:00:00Z" })), "consent_expired", expired),
        part(
            "paused",
            json!({ "preferences": { "paused_until": "2026-12-24T00:00:00Z" } }),
            "paused",
            json!({ "until": "2026-12-24T00:00:00Z" }),
        ),
        part("muted", muted, "topic_muted", json!({ "topic": "rust" })),
        part("lukewarm", interest(json!({ "strength": 0.1 })), "not_interested", short(0.1)),
        part("at-home", interest(json!({ "context": "personal" })), "out_of_context", short(0.9)),
        part("social", interest(json!({ "source": "social", "at": NOW })), "profiling_not_permitted", short(0.8999)),
        part("owner", json!({ "owns": ["course-rust-101"] }), "already_owned", json!({ "product": "course-rust-101" })),
        part("no-zone", json!({ "time_zone": null }), "no_time_zone", json!({})),
        part(
            "tokyo",
            json!({ "time_zone": "Asia/Tokyo" }),
            "outside_send_window",
            window("2026-11-24T00:00:00Z", "Asia/Tokyo"),
        ),
    ];
    cast.push(Part {
        document: with(person("new-york"), json!({ "time_zone": "America/New_York" })),
        outcome: "deferred",
        reason: "outside_send_window",
        detail: window("2026-11-23T14:00:00Z", "America/New_York"),
    });
    cast
}

fn promotion() -> Value {
    let own = json!({
        "promotes": ["course-rust-101"], "expires_at": "2026-11-23T20:00:00Z",
        "send_window": { "opens": "09:00", "closes": "18:00", "days": ["mon", "tue", "wed", "thu", "fri"] },
    });
    with(campaign("promotion"), own)
}

/// Feedback sets these.
async fn put_feedback(world: &World) {
    let since = NOW.parse().unwrap();
    let complaint = Suppression { kind: SuppressionKind::Complaint, since };
    world.change("suppressed", |profile| profile.suppression = Some(complaint)).await;
    world.change("unusable", |p| p.work.as_mut().unwrap().unusable = Some(Unusable::HardBounce)).await;
}

#[tokio::test]
async fn each_reason_is_decided_reported_previewed_and_told_in_the_words_of_the_contract() {
    let world = World::start().await;
    let cast = cast();
    let people: Vec<Value> = cast.iter().map(|part| part.document.clone()).collect();
    world.put(&people).await;
    world.put(&[person("germane")]).await;
    put_feedback(&world).await;
    let preview = world.preview(&promotion()).await;

    let report = world.send(&promotion()).await;
    assert_eq!(report["status"], "waiting_for_window");
    let mut reasons: BTreeMap<&str, u64> = BTreeMap::new();
    for Part { document, outcome, reason, detail } in &cast {
        *reasons.entry(reason).or_default() += 1;
        let id = document["id"].as_str().unwrap();
        let mut decision = world.why("promotion", id).await;
        let decided_at: jiff::Timestamp = decision["decided_at"].take().as_str().unwrap().parse().unwrap();
        assert!(decided_at >= NOW.parse().unwrap() && decided_at <= germane::flow::clock::Clock::now(&*world.clock));
        let wanted = json!({
            "campaign": "promotion", "recipient": id, "outcome": outcome, "reason": reason, "detail": detail,
            "channel": "work", "policy_version": 1, "decided_at": null,
        });
        assert_eq!(decision, wanted);
        assert!(preview["examples"][reason].as_array().unwrap().contains(&json!(id)), "{id} in {preview}");
    }
    assert_eq!(report["reasons"], json!(reasons));
    for field in ["decided", "audience", "outcomes", "reasons"] {
        assert_eq!(preview[field], report[field], "what the preview said of {field}");
    }
    assert_eq!((&preview["status"], &preview["examples"]["sent"]), (&json!("complete"), &json!(["germane"])));
    let sent = world.why("promotion", "germane").await;
    assert_eq!((&sent["outcome"], &sent["reason"]), (&json!("sent"), &Value::Null));
    assert_eq!(sent["detail"], json!({ "consent": "rust", "interest": "rust", "strength": 0.9 }));

    let again = world.preview(&promotion()).await;
    assert_eq!(again["examples"]["already_sent"], json!(["germane"]));
    assert_eq!(again["outcomes"]["sent"], 0);
}

#[tokio::test]
async fn every_verdict_is_told_on_request_and_the_first_that_refuses_is_the_reason() {
    let world = World::start().await;
    let home = with(consent(json!({ "status": "pending" })), interest(json!({ "strength": 0.1 })));
    world.put(&[with(person("r-1"), home), person("r-2")]).await;
    world.send(&promotion()).await;

    let told = world.why_all("promotion", "r-1").await;
    assert_eq!(told["decision"], world.why("promotion", "r-1").await);
    let verdict = |gate: &str, refused: Option<(&str, Value)>, facts: Value| match refused {
        Some((reason, detail)) => json!({ "gate": gate, "pass": false, "reason": reason, "detail": detail }),
        None => json!({ "gate": gate, "pass": true, "reason": null, "detail": facts }),
    };
    let short = json!({ "topic": "rust", "strength": 0.1, "threshold": 0.3 });
    let cap = |sends, days| json!({ "sends": sends, "days": days, "used": 0, "rule": "policy" });
    let wanted = json!([
        verdict("suppression", None, json!({})),
        verdict("channel", None, json!({ "channel": "work" })),
        verdict("consent", Some(("consent_pending", json!({ "topic": "rust", "at": AT }))), json!({})),
        verdict("pause", None, json!({ "until": null })),
        verdict("interest", Some(("not_interested", short)), json!({})),
        verdict("ownership", None, json!({ "promotes": ["course-rust-101"] })),
        verdict("duplicate", None, json!({})),
        verdict("frequency", None, json!({ "caps": [cap(3, 7), cap(8, 30)] })),
        verdict("window", None, json!({ "time_zone": "Europe/Berlin" })),
        verdict("holdout", None, json!({ "percent": 0 })),
    ]);
    assert_eq!(told["verdicts"], wanted);
    let told = world.why_all("promotion", "r-2").await;
    let duplicate = told["verdicts"].as_array().unwrap().iter().find(|v| v["gate"] == "duplicate").unwrap();
    assert_eq!((&duplicate["pass"], &duplicate["reason"]), (&json!(false), &json!("already_sent")));
}

#[tokio::test]
async fn a_full_cap_of_the_policy_or_the_recipient_skips_or_defers_to_the_moment_it_frees() {
    let world = World::start().await;
    let own = json!({ "preferences": { "max_frequency": { "sends": 1, "days": 7 } } });
    world.put(&[person("capped"), with(person("own"), own), person("fresh")]).await;
    let to = |id: &str, people: &[&str]| with(campaign(id), json!({ "audience": { "recipients": people } }));
    for (id, people) in [("one", &["capped", "own"][..]), ("two", &["capped"]), ("three", &["capped"])] {
        assert_eq!(world.send(&to(id, people)).await["outcomes"]["sent"], people.len());
    }
    let slot = |decision: Value| {
        let at: jiff::Timestamp = decision["decided_at"].as_str().unwrap().parse().unwrap();
        json!(at + jiff::SignedDuration::from_hours(7 * 24))
    };
    let policy = json!({
        "sends": 3, "days": 7, "used": 3, "rule": "policy", "next_slot": slot(world.why("one", "capped").await),
    });
    let recipient = json!({
        "sends": 1, "days": 7, "used": 1, "rule": "recipient", "next_slot": slot(world.why("one", "own").await),
    });

    let skip = world.send(&campaign("skip")).await;
    assert_eq!((&skip["status"], &skip["reasons"]), (&json!("complete"), &json!({ "frequency_cap": 2 })));
    let late = json!({ "on_cap": "defer", "expires_at": "2026-12-10T00:00:00Z" });
    let defer = world.send(&with(campaign("defer"), late)).await;
    assert_eq!((&defer["outcomes"]["deferred"], &defer["outcomes"]["sent"]), (&json!(2), &json!(1)));
    // The slot frees after the campaign's end.
    let soon = json!({ "on_cap": "defer", "expires_at": "2026-11-25T00:00:00Z" });
    assert_eq!(world.send(&with(campaign("soon"), soon)).await["outcomes"]["skipped"], 2);
    let exempt = json!({ "frequency": { "exempt": true, "counts": false } });
    assert_eq!(world.send(&with(campaign("exempt"), exempt)).await["reasons"], json!({ "frequency_cap": 1 }));

    for (campaign, outcome) in [("skip", "skipped"), ("defer", "deferred"), ("soon", "skipped")] {
        for (id, detail) in [("capped", &policy), ("own", &recipient)] {
            let decision = world.why(campaign, id).await;
            assert_eq!((&decision["outcome"], &decision["detail"]), (&json!(outcome), detail), "{id} in {campaign}");
        }
    }
    let own = world.why("exempt", "own").await;
    assert_eq!((&own["reason"], &own["detail"]), (&json!("frequency_cap"), &recipient));
}

#[tokio::test]
async fn a_holdout_is_last_and_the_same_in_preview_and_campaign() {
    let world = World::start().await;
    world.put_many(60).await;
    world.put(&[with(person("no-consent"), json!({ "consents": [] }))]).await;
    let trial = with(campaign("trial"), json!({ "holdout_percent": 50 }));
    let preview = world.preview(&trial).await;
    let report = world.send(&trial).await;
    assert_eq!((&preview["outcomes"], &preview["reasons"]), (&report["outcomes"], &report["reasons"]));
    let held_out = report["outcomes"]["held_out"].as_u64().unwrap();
    assert!((10..50).contains(&held_out), "{held_out}");
    assert_eq!(report["reasons"], json!({ "holdout": held_out, "no_consent": 1 }));
    let example = preview["examples"]["holdout"][0].as_str().unwrap();
    let decision = world.why("trial", example).await;
    assert_eq!((&decision["outcome"], &decision["detail"]), (&json!("held_out"), &json!({ "percent": 50 })));
}

#[tokio::test]
async fn decisions_are_filtered_by_outcome_and_reason_and_who_was_never_read_has_none() {
    let world = World::start().await;
    let people: Vec<Value> = cast().into_iter().map(|part| part.document).collect();
    world.put(&people).await;
    world.send(&promotion()).await;
    world.put(&[person("late-comer")]).await;

    let api = world.deployment.api();
    let filtered = async |outcome, reason| {
        let filter = germane::flow::api::decisions::Filter { outcome, reason };
        api.decisions(&"promotion".parse().unwrap(), filter, None).await.unwrap().0
    };
    assert_eq!(filtered(Some(OutcomeKind::Deferred), None).await.len(), 1);
    assert_eq!(filtered(None, Some(ReasonCode::OutsideSendWindow)).await.len(), 2);
    assert_eq!(filtered(Some(OutcomeKind::Skipped), Some(ReasonCode::OutsideSendWindow)).await.len(), 1);
    assert_eq!(filtered(Some(OutcomeKind::Failed), None).await.len(), 0);
    let why = api.why(&"promotion".parse().unwrap(), &"late-comer".parse().unwrap(), false).await;
    assert!(matches!(why, Err(ApiError::NotFound { code: germane::flow::api::Code::NotEvaluated, .. })));
}
