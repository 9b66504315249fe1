//! Messages as an event source mapping hands them to a function, and which of them come again.

use aws_lambda_events::sqs::SqsEvent;
use germane::{
    flow::queue::Unhurried,
    lambda::batch,
    local::services::{LAUNCH, SHARD},
};
use serde_json::{Value, json};

use super::event;
use crate::world::{Setup, World, campaign, person};

const CAMPAIGN: &str = "rust-weekly-2026-47";

async fn each(world: &World, event: &Value) -> Value {
    let event: SqsEvent = serde_json::from_value(event.clone()).unwrap();
    serde_json::to_value(batch::each(&world.workers(), &event, &Unhurried).await).unwrap()
}

async fn whole(world: &World, event: &Value) -> Value {
    let event: SqsEvent = serde_json::from_value(event.clone()).unwrap();
    serde_json::to_value(batch::whole(&world.deployment.feedback(), &event).await).unwrap()
}

fn done() -> Value {
    json!({ "batchItemFailures": [] })
}

fn again(ids: &[&str]) -> Value {
    let failures: Vec<Value> = ids.iter().map(|id| json!({ "itemIdentifier": id })).collect();
    json!({ "batchItemFailures": failures })
}

/// An event of several: the record of a sample, with these ids and bodies.
fn of(sample: &str, messages: &[(&str, &str)]) -> Value {
    let record = event(sample)["Records"][0].clone();
    let records = messages.iter().map(|(id, body)| {
        let mut record = record.clone();
        record["messageId"] = json!(id);
        record["body"] = json!(body);
        record
    });
    json!({ "Records": records.collect::<Vec<_>>() })
}

fn body(sample: &str, at: usize) -> String {
    event(sample)["Records"][at]["body"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_campaign_goes_through_launch_send_and_feedback() {
    let world = World::with_shards(1).await;
    world.put(&[person("r-1042")]).await;
    world.submit(&campaign(CAMPAIGN)).await;
    assert_eq!(each(&world, &event("launch")).await, done());
    assert_eq!(world.services.queues.depth(SHARD), 1);
    assert_eq!(each(&world, &event("send")).await, done());
    assert_eq!(world.mails(CAMPAIGN).len(), 1);
    assert_eq!(whole(&world, &event("feedback")).await, done());
    let report = world.report(CAMPAIGN).await;
    assert_eq!((&report["outcomes"]["sent"], &report["feedback"]["delivered"]), (&json!(1), &json!(1)), "{report}");
    assert_eq!(report["feedback"]["complained"], 1);
    assert_eq!(world.deployment.api().get_recipient(&"r-1042".parse().unwrap()).await.unwrap()["id"], "r-1042");
}

#[tokio::test]
async fn one_bad_message_never_repeats_the_others() {
    let world = World::with_shards(1).await;
    world.submit(&campaign(CAMPAIGN)).await;
    let good = body("launch", 0);
    let messages = [("a", "no JSON"), ("b", good.as_str()), ("c", "{\"format\":99}"), ("d", good.as_str())];
    assert_eq!(each(&world, &of("launch", &messages)).await, again(&["a", "c"]));
    assert_eq!(world.report(CAMPAIGN).await["status"], "sending");
}

#[tokio::test]
async fn one_bad_event_never_repeats_the_others() {
    let world = World::with_shards(1).await;
    world.put(&[person("r-1042")]).await;
    world.send(&campaign(CAMPAIGN)).await;
    let (delivery, complaint) = (body("feedback", 0), body("feedback", 1));
    let messages = [("a", delivery.as_str()), ("b", "{\"Message\":\"no JSON\"}"), ("c", complaint.as_str())];
    assert_eq!(whole(&world, &of("feedback", &messages)).await, again(&["b"]));
    let report = world.report(CAMPAIGN).await;
    assert_eq!((&report["feedback"]["delivered"], &report["feedback"]["complained"]), (&json!(1), &json!(1)));
}

#[tokio::test]
async fn a_message_that_cannot_be_named_has_the_whole_batch_delivered_again() {
    let world = World::with_shards(1).await;
    let mut nameless = of("launch", &[("a", "no JSON")]);
    nameless["Records"][0].as_object_mut().unwrap().remove("messageId");
    assert_eq!(each(&world, &nameless).await, again(&[""]));
}

#[tokio::test]
async fn an_empty_batch_has_nothing_to_repeat() {
    let world = World::with_shards(1).await;
    assert_eq!(each(&world, &of("launch", &[])).await, done());
    assert_eq!(whole(&world, &of("feedback", &[])).await, done());
    assert_eq!(world.services.queues.depth(LAUNCH), 0);
}

#[tokio::test]
async fn the_run_of_a_newsletter_is_a_campaign() {
    // Shortly before its time: Scheduler's clock may be ahead of ours.
    let world = World::with(Setup { start: "2026-11-23T08:59:30Z", shards: 1, ..Setup::default() }).await;
    let newsletter = json!({ "cron": "0 9 * * mon", "time_zone": "UTC", "campaign": campaign("rust-weekly-{{date}}") });
    world.deployment.api().put_newsletter(&"rust-weekly".parse().unwrap(), &newsletter, "a test").await.unwrap();
    for _ in 0..2 {
        assert_eq!(each(&world, &event("launch-newsletter")).await, done());
    }
    let (campaigns, _) = world.deployment.api().campaigns(None).await.unwrap();
    let ids: Vec<String> = campaigns.iter().map(|campaign| campaign.id.to_string()).collect();
    assert_eq!(ids, ["rust-weekly-2026-11-23"]);
    assert!(world.services.queues.depth(LAUNCH) > 0);
}

#[tokio::test]
async fn what_is_gone_by_now_is_nothing_to_repeat() {
    let world = World::with_shards(1).await;
    for sample in ["launch", "launch-newsletter", "send"] {
        assert_eq!(each(&world, &event(sample)).await, done(), "{sample}");
    }
    assert_eq!(whole(&world, &event("feedback")).await, done());
    assert_eq!(world.services.queues.depth(LAUNCH) + world.services.queues.depth(SHARD), 0);
}

#[tokio::test]
async fn a_message_that_cannot_be_read_is_to_be_delivered_again_whatever_is_wrong_with_it() {
    let world = World::with_shards(1).await;
    let malformed = [
        "",
        "null",
        "[]",
        r#"{"format":1}"#,
        r#"{"format":1,"kind":"unknown"}"#,
        r#"{"format":1,"kind":"launch"}"#,
        r#"{"format":2,"kind":"launch","campaign":"weekly"}"#,
        r#"{"format":1,"kind":"shard","campaign":"weekly","shard":-1,"pass":1}"#,
        r#"{"format":1,"kind":"shard","campaign":"weekly","shard":0}"#,
        r#"{"format":1,"kind":"preview","preview":"p"}"#,
        r#"{"format":1,"kind":"newsletter","newsletter":"weekly","scheduled":"<aws.scheduler.scheduled-time>"}"#,
        r#"{"format":1,"kind":"newsletter","newsletter":"weekly","scheduled":"monday"}"#,
    ];
    for body in malformed {
        assert_eq!(each(&world, &of("launch", &[("a", body)])).await, again(&["a"]), "{body}");
    }
    let no_events = [
        r#"{"Message":1}"#,
        r#"{"Message":"{}"}"#,
        r#"{"Message":"{\"eventType\":\"Bounce\"}"}"#,
        r#"{"eventType":"Delivery","mail":{}}"#,
    ];
    for body in no_events.iter().chain(&malformed) {
        assert_eq!(whole(&world, &of("feedback", &[("a", body)])).await, again(&["a"]), "{body}");
    }
}
