//! What a campaign costs, as DynamoDB itself counts it.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use aws_sdk_dynamodb::{
    primitives::Blob,
    types::{AttributeValue, PutRequest, WriteRequest},
};
use germane::{
    domain::id::Shard,
    flow::{clock::Clock, pace::Pacer},
    lambda::queue::Workers,
};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::tables::item_bytes;
use crate::world::{NOW, World, campaign, person, with};

const PEOPLE: usize = 10_000;
const RECIPIENTS: &str = "germane-recipients";

/// How many of [`PEOPLE`] are put as documents; the others are copies of them.
const MODELS: usize = 25;

/// Most people do not agree to this topic.
fn somebody(n: usize) -> Value {
    let status = if n < 7 { "granted" } else { "withdrawn" };
    let consent = |topic: &str, status: &str| json!({ "topic": topic, "channel": "work", "status": status, "at": "2026-03-12T09:00:00Z" });
    let interest = |topic: &str| json!({ "topic": topic, "strength": 0.8, "at": "2026-03-12T09:00:00Z" });
    let id = format!("recipient-{n:06}");
    let facts = json!({
        "addresses": { "work": format!("{id}@example.com"), "personal": format!("{id}@example.net") },
        "locale": "en", "attributes": { "first_name": "Sample" }, "owns": ["course-rust-101"],
        "interests": [interest("rust"), interest("rust/async"), interest("rust/embedded")],
        "consents": [consent("rust", status), consent("rust/embedded", "granted")],
    });
    with(person(&id), facts)
}

/// The models and their copies, each with an id, a shard and a ref of its own.
async fn put_people(world: &World) {
    let models: Vec<Value> = (0..MODELS).map(somebody).collect();
    world.put(&models).await;
    let client = &world.services.clients.dynamodb;
    let models = client.scan().table_name(RECIPIENTS).send().await.unwrap().items.unwrap();
    let copies: Vec<WriteRequest> = (MODELS..PEOPLE)
        .map(|n| {
            let mut item = models[n % MODELS].clone();
            let id = format!("recipient-{n:06}");
            let shard = Shard::of(&id.parse().unwrap(), world.services.dynamo.shards);
            let mut profile = item["p"].as_b().unwrap().as_ref().to_vec();
            // The format, and then the ref.
            profile[1..9].copy_from_slice(&n.to_be_bytes());
            item.insert("p".to_owned(), AttributeValue::B(Blob::new(profile)));
            item.insert("i".to_owned(), AttributeValue::S(id));
            item.insert("s".to_owned(), AttributeValue::N(shard.0.to_string()));
            WriteRequest::builder().put_request(PutRequest::builder().set_item(Some(item)).build().unwrap()).build()
        })
        .collect();
    for copies in copies.chunks(25) {
        client.batch_write_item().request_items(RECIPIENTS, copies.to_vec()).send().await.unwrap();
    }
}

/// Time that stands still: what waits less than a second goes on, what waits longer has no end.
struct Standing;

#[async_trait]
impl Clock for Standing {
    fn now(&self) -> Timestamp {
        NOW.parse().unwrap()
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }

    async fn sleep(&self, duration: Duration) {
        if duration >= Duration::from_secs(1) {
            std::future::pending::<()>().await;
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "the figures are small")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_decision_costs_a_fourteenth_of_a_read_unit_and_a_mail_one_write_unit() {
    let world = World::with_shards(4).await;
    put_people(&world).await;
    let mean = mean_item_bytes(&world).await;

    world.launch(&campaign("weekly")).await;
    let mut sender = world.deployment.sender();
    // A slow machine would commit more often, renew leases and miss moments: each costs a unit.
    let clock = Arc::new(Standing);
    sender.clock = clock.clone();
    sender.pacer = Pacer::new(clock, world.deployment.timelines.clone(), world.deployment.account.clone());
    let workers = Workers { sender: Arc::new(sender), ..world.workers() };
    let before = world.services.dynamo.meter.units();
    let errors = world.drain_with(&workers).await;
    assert!(errors.is_empty(), "{errors:?}");
    let after = world.services.dynamo.meter.units();
    let report = world.check("weekly").await;
    assert_eq!(report["status"], "complete");
    let (sent, skipped) = (&report["outcomes"]["sent"], &report["outcomes"]["skipped"]);
    assert_eq!((sent, skipped), (&json!(2_800), &json!(7_200)));
    let (sent, skipped) = (sent.as_f64().unwrap(), skipped.as_f64().unwrap());

    let (read, write) = (after.read - before.read, after.write - before.write);
    let (read_budget, write_budget) = (1.1 * mean / 8_192.0 * PEOPLE as f64, 1.05 * sent + 0.02 * skipped);
    println!(
        "{PEOPLE} people of {mean:.0} bytes, {sent} sent: read {read:.1} of {read_budget:.1} units, write {write:.1} of {write_budget:.1}"
    );
    assert!(read <= read_budget, "{read} > {read_budget}");
    assert!(write <= write_budget, "{write} > {write_budget}");
}

#[expect(clippy::cast_precision_loss, reason = "the figures are small")]
async fn mean_item_bytes(world: &World) -> f64 {
    let client = &world.services.clients.dynamodb;
    let items = client.scan().table_name(RECIPIENTS).into_paginator().items().send();
    let items: Vec<std::collections::HashMap<String, AttributeValue>> = items.collect::<Result<_, _>>().await.unwrap();
    assert_eq!(items.len(), PEOPLE);
    items.iter().map(item_bytes).sum::<usize>() as f64 / PEOPLE as f64
}
