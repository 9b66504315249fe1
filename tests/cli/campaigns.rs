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
fn watching_ends_when_the_campaign_rests_and_json_is_the_last_report_alone() {
    for (status, code) in [
        ("complete", 0),
        ("waiting_for_window", 0),
        ("waiting_for_quota", 0),
        ("paused", 1),
        ("cancelled", 1),
        ("expired", 1),
        ("refused", 1),
    ] {
        let ended = germane_reading(&api(status), &["send", "-", "--watch", "--json"], CAMPAIGN);
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
