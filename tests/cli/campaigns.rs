//! Campaigns: previewed, sent, watched, listed.

use axum::http::Method;
use serde_json::{Value, json};

use super::{
    api::{Api, accepted, ok},
    run::{Folder, germane, germane_reading},
};

const CAMPAIGN: &str = r#"{ "id": "c-1", "topic": "rust", "channel": "work", "template": "newsletter" }"#;

fn report(status: &str) -> Value {
    json!({
        "campaign": "c-1", "status": status, "status_detail": null, "decided": 4, "audience": 4,
        "outcomes": { "sent": 3, "skipped": 1, "deferred": 0, "held_out": 0, "failed": 0, "in_doubt": 0 },
        "reasons": { "no_consent": 1 },
        "feedback": { "delivered": 0, "hard_bounced": 0, "soft_bounced": 0, "complained": 0 },
    })
}

/// Takes a campaign, is `under_way` twice and then `at_last`.
fn api(at_last: &'static str) -> Api {
    Api::new(move |asked, before| match (&asked.method, before) {
        (&Method::POST, _) if asked.target.starts_with("/v1/previews") => {
            accepted(&json!({ "id": "p-7", "status": "scheduled" }))
        }
        (&Method::POST, _) => accepted(&json!({ "id": "c-1", "status": "scheduled" })),
        (_, 0) => ok(&report("launching")),
        (_, 1) => ok(&report("sending")),
        _ => ok(&report(at_last)),
    })
}

#[test]
fn a_preview_is_followed_to_its_end() {
    let api = api("complete");
    let folder = Folder::new().with("campaign.json", CAMPAIGN);
    let ended = folder.germane(&api, &["preview", "campaign.json", "--at", "2026-11-30T09:00:00Z"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(ended.out.starts_with("c-1: preview complete, 4 of 4 people decided\n"), "{}", ended.out);
    let asked = api.lines();
    assert_eq!(
        asked,
        [
            "POST /v1/previews?at=2026-11-30T09%3A00%3A00Z",
            "GET /v1/previews/p-7",
            "GET /v1/previews/p-7",
            "GET /v1/previews/p-7",
        ]
    );
    assert_eq!(serde_json::from_str::<Value>(&api.asked()[0].body).unwrap()["id"], "c-1");
}

#[test]
fn sending_says_how_to_watch_and_is_one_request() {
    let api = api("complete");
    let ended = germane_reading(&api, &["send", "-"], CAMPAIGN);
    assert_eq!((ended.code, ended.out.as_str()), (0, "c-1: scheduled\n"));
    assert_eq!(ended.err, "see how it goes: germane status c-1 --watch\n");
    assert_eq!(api.lines(), ["POST /v1/campaigns"]);
}

#[test]
fn a_preview_token_goes_with_the_campaign() {
    let api = api("complete");
    germane_reading(&api, &["send", "-", "--preview", "tok"], CAMPAIGN);
    assert_eq!(api.lines(), ["POST /v1/campaigns?preview=tok"]);
}

#[test]
fn sending_is_watched_until_the_campaign_ends_or_waits_and_json_is_the_last_report_alone() {
    for (status, code) in [
        ("complete", 0),
        ("waiting_for_window", 0),
        ("waiting_for_quota", 0),
        ("paused", 0),
        ("cancelled", 1),
        ("expired", 1),
        ("refused", 1),
    ] {
        let ended = germane_reading(&api(status), &["send", "-", "--watch", "--json"], CAMPAIGN);
        assert_eq!((ended.code, ended.json()), (code, report(status)), "{status}");
    }
}

#[test]
fn sending_stays_for_no_wait_but_says_how_it_goes_on() {
    for (status, next) in [
        ("waiting_for_window", "it goes on by itself: germane status c-1 --watch\n"),
        ("waiting_for_quota", "it goes on by itself: germane status c-1 --watch\n"),
        ("paused", "to go on: germane resume c-1, then germane status c-1 --watch\n"),
        ("complete", ""),
    ] {
        let ended = germane_reading(&api(status), &["send", "-", "--watch"], CAMPAIGN);
        let progress = "sending: 4 people of 4\n";
        assert_eq!((ended.code, ended.err.strip_prefix(progress)), (0, Some(next)), "{status}");
        assert!(ended.out.starts_with(&format!("c-1: {}, 4 of 4", status.replace('_', " "))), "{}", ended.out);
    }
}

#[test]
fn sending_stays_for_no_start_that_is_far_ahead() {
    let api = Api::new(|asked, _| match asked.method {
        Method::POST => accepted(&json!({ "id": "c-1", "status": "scheduled" })),
        _ => ok(&report("scheduled")),
    });
    let later = CAMPAIGN.replace('}', r#", "not_before": "9998-01-01T09:00:00Z" }"#);
    let ended = germane_reading(&api, &["send", "-", "--watch"], &later);
    assert_eq!((ended.code, ended.err.as_str()), (0, "it goes on by itself: germane status c-1 --watch\n"));
    assert_eq!(api.lines(), ["POST /v1/campaigns", "GET /v1/campaigns/c-1"]);
}

/// Stands so one after the other, and stays with the last.
fn in_turn(stands: Vec<(&'static str, Value)>) -> Api {
    Api::new(move |_, before| {
        let (status, detail) = &stands[before.min(stands.len() - 1)];
        let mut report = report(status);
        report["status_detail"] = detail.clone();
        ok(&report)
    })
}

#[test]
fn a_status_is_watched_through_every_wait_and_each_is_told_once_with_its_reason() {
    let night = json!({ "code": "window", "message": "it is night for some", "until": "2026-11-24T08:00:00Z" });
    let paused = json!({ "code": "by_request", "message": "it was paused by request" });
    let api = in_turn(vec![
        ("sending", Value::Null),
        ("waiting_for_window", night.clone()),
        ("waiting_for_window", night),
        ("paused", paused.clone()),
        ("paused", paused),
        ("launching", Value::Null),
        ("sending", Value::Null),
        ("complete", Value::Null),
    ]);
    let ended = germane(&api, &["status", "c-1", "--watch"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(ended.out.starts_with("c-1: complete, 4 of 4 people decided\n"), "{}", ended.out);
    insta::assert_snapshot!(ended.err, @r"
    sending: 4 people of 4
    c-1: waiting for window, 4 of 4 people decided
    it is night for some (until 24 November 2026, 08:00 UTC)
    c-1: paused, 4 of 4 people decided
    it was paused by request
    c-1: launching, 4 of 4 people decided
    ");
}

#[test]
fn a_watched_status_ends_with_its_campaign() {
    for (status, code) in [("complete", 0), ("cancelled", 1), ("expired", 1), ("refused", 1)] {
        let api = in_turn(vec![("waiting_for_quota", Value::Null), (status, Value::Null)]);
        let ended = germane(&api, &["status", "c-1", "--watch", "--json"]);
        assert_eq!((ended.code, ended.json()), (code, report(status)), "{status}");
    }
}

#[test]
fn a_status_is_told_at_once_whatever_it_is() {
    let ended = germane(&api("paused"), &["status", "c-1"]);
    assert_eq!(ended.code, 0);
    assert!(ended.out.starts_with("c-1: launching, 4 of 4 people decided\n"), "{}", ended.out);
}

fn decisions() -> Api {
    Api::new(|asked, _| {
        let item = |id: &str, outcome: &str, reason: Option<&str>| json!({ "campaign": "c-1", "recipient": id, "outcome": outcome, "reason": reason, "detail": {} });
        if asked.target.contains("cursor=n%2F2") {
            ok(&json!({ "items": [item("r-3", "held_out", Some("holdout"))], "cursor": null }))
        } else {
            let items = [item("r-1", "sent", None), item("r-2", "skipped", Some("profiling_not_permitted"))];
            ok(&json!({ "items": items, "cursor": "n/2" }))
        }
    })
}

#[test]
fn decisions_follow_the_cursor_to_the_end() {
    let ended = germane(&decisions(), &["decisions", "c-1"]);
    assert_eq!(ended.code, 0);
    insta::assert_snapshot!(ended.out, @r"
    r-1              sent                               got the mail
    r-2              skipped   profiling_not_permitted  social data not permitted
    r-3              held_out  holdout                  held out, to compare
    ");
}

#[test]
fn decisions_as_json_are_a_line_each_and_no_more_than_asked_for() {
    let api = decisions();
    let ended =
        germane(&api, &["decisions", "c-1", "--json", "--limit", "2", "--outcome", "sent", "--reason", "holdout"]);
    let ids: Vec<Value> =
        ended.out.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["recipient"].clone()).collect();
    assert_eq!(ids, ["r-1", "r-2"]);
    assert_eq!(api.lines(), ["GET /v1/campaigns/c-1/decisions?outcome=sent&reason=holdout"]);
}
