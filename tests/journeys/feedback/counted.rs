//! Feedback counted: once each, approximately where that is cheap, and enough to stop a bad campaign.

use serde_json::{Value, json};

use super::{event, silence, tell};
use crate::world::{World, campaign, person, policy, with};

/// A campaign that stops itself above these rates, after four mails.
async fn sent_to(people: usize) -> World {
    let world = World::start().await;
    let breaker = json!({ "breaker": { "hard_bounce_percent": 20.0, "complaint_percent": 10.0, "after_sends": 4 } });
    world.put_policy(&with(policy(), breaker)).await;
    let people: Vec<Value> = (0..people).map(|n| person(&format!("r-{n}"))).collect();
    world.put(&people).await;
    // One whose window is shut keeps the campaign open.
    world.put(&[with(person("r-open"), json!({ "time_zone": "America/Los_Angeles" }))]).await;
    let window = json!({ "send_window": { "opens": "09:00", "closes": "18:00", "days": ["mon"] } });
    assert_eq!(world.send(&with(campaign("weekly"), window)).await["status"], "waiting_for_window");
    silence(&world);
    world
}

#[tokio::test]
async fn the_simulator_shows_each_kind_of_feedback() {
    let world = World::start().await;
    let at = |id: &str, account: &str| {
        with(person(id), json!({ "addresses": { "work": format!("{account}+{id}@simulator.amazonses.com") } }))
    };
    world
        .put(&[
            at("r-1", "success"),
            at("r-2", "bounce"),
            at("r-3", "complaint"),
            at("r-4", "ooto"),
            at("r-5", "bounce"),
        ])
        .await;
    assert_eq!(world.send(&campaign("weekly")).await["outcomes"]["sent"], 5);
    assert_eq!(world.feed_back().await, 0);
    let feedback = &world.report("weekly").await["feedback"];
    assert_eq!(*feedback, json!({ "delivered": 3, "hard_bounced": 2, "soft_bounced": 1, "complained": 1 }));
}

#[tokio::test]
async fn bounces_and_complaints_are_counted_once_however_often_they_are_told() {
    let world = sent_to(5).await;
    for _ in 0..3 {
        tell(&world, &event("bounce-permanent-general", "weekly", "r-0"));
        tell(&world, &event("bounce-transient-general", "weekly", "r-1"));
        tell(&world, &event("bounce-undetermined-undetermined", "weekly", "r-1"));
        tell(&world, &event("bounce-permanent-noemail", "weekly", "r-0"));
        world.feed_back().await;
    }
    let report = world.report("weekly").await;
    assert_eq!(report["feedback"], json!({ "delivered": 0, "hard_bounced": 1, "soft_bounced": 1, "complained": 0 }));
    assert_eq!(report["status"], "waiting_for_window", "1 of 5 is not above 20 %");
}

#[tokio::test]
async fn above_the_rate_of_hard_bounces_a_campaign_pauses_itself_with_the_figures() {
    let world = sent_to(5).await;
    for id in ["r-0", "r-1"] {
        tell(&world, &event("bounce-permanent-general", "weekly", id));
    }
    assert_eq!(world.feed_back().await, 0);
    let report = world.report("weekly").await;
    assert_eq!((&report["status"], &report["status_detail"]["code"]), (&json!("paused"), &json!("breaker")));
    assert_eq!(
        report["status_detail"]["figures"],
        json!({ "sent": 5, "hard_bounced": 2, "complained": 0, "percent": 40.0, "limit_percent": 20.0 })
    );
    assert!(report["status_detail"]["message"].as_str().unwrap().starts_with("40 % hard bounces among 5 mails"));
}

#[tokio::test]
async fn above_the_rate_of_complaints_a_campaign_pauses_itself() {
    let world = sent_to(5).await;
    tell(&world, &event("complaint-abuse", "weekly", "r-0"));
    world.feed_back().await;
    assert_eq!(world.report("weekly").await["status_detail"]["code"], "breaker");
}

#[tokio::test]
async fn the_simulator_never_stops_a_campaign() {
    let world = sent_to(5).await;
    for id in ["r-0", "r-1", "r-2"] {
        let mut bounce = event("bounce-permanent-general", "weekly", id);
        bounce["mail"]["destination"] = json!([format!("bounce+{id}@simulator.amazonses.com")]);
        tell(&world, &bounce);
    }
    world.feed_back().await;
    let report = world.report("weekly").await;
    assert_eq!((&report["status"], &report["feedback"]["hard_bounced"]), (&json!("waiting_for_window"), &json!(3)));
}

#[tokio::test]
async fn too_few_mails_stop_nothing() {
    let world = sent_to(3).await;
    for id in ["r-0", "r-1", "r-2"] {
        tell(&world, &event("complaint-abuse", "weekly", id));
    }
    world.feed_back().await;
    assert_eq!(world.report("weekly").await["status"], "waiting_for_window");
}

#[tokio::test]
async fn opens_and_clicks_are_told_only_while_the_policy_has_them_counted() {
    let world = sent_to(2).await;
    let acts = || {
        for sample in ["open", "click", "open"] {
            tell(&world, &event(sample, "weekly", "r-0"));
        }
    };
    acts();
    world.feed_back().await;
    let feedback = world.report("weekly").await["feedback"].clone();
    assert_eq!((feedback.get("opened"), feedback.get("clicked")), (None, None));

    world.put_policy(&with(policy(), json!({ "tracking": { "opens": true } }))).await;
    acts();
    world.feed_back().await;
    let feedback = world.report("weekly").await["feedback"].clone();
    // What came before it was turned on was not kept.
    assert_eq!((feedback.get("opened"), feedback.get("clicked")), (Some(&json!(2)), None));
}

#[tokio::test]
async fn a_delivery_costs_at_most_a_twentieth_of_a_write_unit() {
    let world = World::start().await;
    world.put_many(400).await;
    assert_eq!(world.send(&campaign("weekly")).await["outcomes"]["sent"], 400);
    let before = world.services.dynamo.meter.units();
    assert_eq!(world.feed_back().await, 0);
    let used = world.services.dynamo.meter.units();
    println!(
        "per delivery: {:.4} write units, {:.4} read units",
        (used.write - before.write) / 400.0,
        (used.read - before.read) / 400.0
    );
    assert_eq!(world.report("weekly").await["feedback"]["delivered"], 400);
    assert!(used.write - before.write <= 0.05 * 400.0);
    assert!(used.read - before.read <= 0.1 * 400.0);
}
