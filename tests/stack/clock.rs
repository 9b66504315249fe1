//! Time that is driven, and what it wakes.

use std::{sync::Arc, time::Duration};

use germane::{
    flow::clock::Clock,
    local::{StackConfig, clock::LocalClock},
};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{driven, start};
use crate::world::{NOW, campaign, with};

fn now(answer: &Value) -> Timestamp {
    answer["now"].as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_driven_clock_starts_where_it_is_told_and_is_moved_by_whoever_asks() {
    let (_stack, site) = start(driven()).await;
    let start: Timestamp = NOW.parse().unwrap();
    let (status, before) = site.get("/local/clock").await;
    assert_eq!((status, &before["driven"]), (200, &json!(true)));
    assert!(now(&before) >= start && now(&before) < start + SignedDuration::from_mins(5), "{before}");

    let (status, after) = site.post("/local/clock", &json!({ "advance_seconds": 604_800.5 })).await;
    assert_eq!((status, &after["driven"]), (200, &json!(true)));
    let moved = now(&after).duration_since(now(&before));
    assert!(moved >= SignedDuration::from_millis(604_800_500) && moved < SignedDuration::from_hours(169), "{moved}");
    assert!(now(&site.get("/local/clock").await.1) >= now(&after));
}

#[tokio::test]
async fn the_machines_time_is_shown_and_not_moved() {
    let (_stack, site) = start(StackConfig::default()).await;
    assert_eq!(site.get("/local/clock").await.1["driven"], false);

    let (status, problem) = site.post("/local/clock", &json!({ "advance_seconds": 1 })).await;

    assert_eq!((status, &problem["status"], &problem["code"]), (409, &json!(409), &json!("not_driven")));
    assert!(problem["detail"].as_str().unwrap().contains("--clock TIME"), "{problem}");
}

#[tokio::test]
async fn what_does_not_say_how_far_moves_nothing_and_is_told_why() {
    let (_stack, site) = start(driven()).await;
    let fields = |problem: &Value| -> Vec<String> {
        problem["errors"].as_array().unwrap().iter().map(|fault| fault["field"].as_str().unwrap().to_owned()).collect()
    };
    for (body, wrong) in [
        (json!({ "advance_seconds": -1 }), "/advance_seconds"),
        (json!({ "advance_seconds": "1" }), "/advance_seconds"),
        (json!({ "advance_seconds": 1e12 }), "/advance_seconds"),
        (json!({ "advance_seconds": 1, "to": NOW }), "/to"),
        (json!({}), "/advance_seconds"),
        (json!([]), ""),
    ] {
        let (status, problem) = site.post("/local/clock", &body).await;
        assert_eq!((status, fields(&problem)), (422, vec![wrong.to_owned()]), "{body}");
    }
    let no_json = site.http.post(format!("{}/local/clock", site.url)).body("{").send().await.unwrap();
    assert_eq!(no_json.status(), 400);
    let moved = now(&site.get("/local/clock").await.1).duration_since(NOW.parse().unwrap());
    assert!(moved < SignedDuration::from_mins(5), "{moved}");
}

#[tokio::test]
async fn the_stacks_own_routes_answer_only_to_a_host_on_loopback() {
    let (_stack, site) = start(driven()).await;
    for path in ["/local/clock", "/local/stack"] {
        for (host, wanted) in
            [("localhost:1", 200), ("127.0.0.1", 200), ("example.com", 404), ("127.0.0.1.example.com", 404)]
        {
            let answer = site.http.get(format!("{}{path}", site.url)).header("host", host).send().await.unwrap();
            assert_eq!(answer.status(), wanted, "{path} asked for at {host}");
            let secret = answer.text().await.unwrap().contains("token_key");
            assert_eq!(secret, wanted == 200 && path == "/local/stack", "{path} asked for at {host}");
        }
    }
}

#[tokio::test]
async fn no_page_from_elsewhere_moves_the_time() {
    let (_stack, site) = start(driven()).await;
    for (origin, wanted) in [("https://example.com", 404), ("null", 404), ("http://localhost:8787", 200)] {
        let post = site.http.post(format!("{}/local/clock", site.url)).header("origin", origin);
        let answer = post.body(r#"{ "advance_seconds": 86400 }"#).send().await.unwrap();
        assert_eq!(answer.status(), wanted, "{origin}");
    }
    let moved = now(&site.get("/local/clock").await.1).duration_since(NOW.parse().unwrap());
    assert!(moved >= SignedDuration::from_hours(24) && moved < SignedDuration::from_hours(25), "{moved}");
}

#[tokio::test]
async fn what_waits_in_a_queue_is_worked_on_once_its_time_was_made_to_come() {
    let (_stack, site) = start(driven()).await;
    site.put_many(3).await;
    let start: Timestamp = NOW.parse().unwrap();
    site.send(&with(campaign("later"), json!({ "not_before": start + SignedDuration::from_mins(10) }))).await;
    assert_eq!(site.get("/v1/campaigns/later").await.1["decided"], 0);

    assert_eq!(site.drive_until_complete("later").await["outcomes"]["sent"], 3);
    assert_eq!(site.mails().await.len(), 3);
}

#[tokio::test]
async fn who_sleeps_wakes_when_the_time_is_made_to_come_and_not_before() {
    let clock = Arc::new(LocalClock::driven(NOW.parse().unwrap()));
    let sleeper = tokio::spawn({
        let clock = clock.clone();
        async move {
            clock.sleep(Duration::from_hours(1)).await;
            clock.now()
        }
    });
    tokio::task::yield_now().await;
    clock.advance(Duration::from_mins(59)).unwrap();
    tokio::task::yield_now().await;
    assert!(!sleeper.is_finished());

    clock.advance(Duration::from_mins(1)).unwrap();

    assert!(sleeper.await.unwrap() >= NOW.parse::<Timestamp>().unwrap() + SignedDuration::from_hours(1));
}

#[test]
fn a_clock_that_follows_another_never_goes_back() {
    let start: Timestamp = NOW.parse().unwrap();
    let clock = LocalClock::driven(start);
    let later = start + SignedDuration::from_hours(2);
    clock.reach(later);
    clock.reach(later);
    assert!(clock.now() >= later && clock.now() < later + SignedDuration::from_mins(5));
    clock.reach(start);
    assert!(clock.now() >= later);
}
