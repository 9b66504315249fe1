//! A mistake in the program that strikes at one message must not strike at the others.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use aws_lambda_events::sqs::SqsEvent;
use futures_util::FutureExt;
use germane::{
    domain::{email::EmailAddress, id::RecipientId, id::Shard},
    flow::{
        feedback::Mailboxes,
        port::PortError,
        queue::Unhurried,
        send::{Sender, lease::LEASE_S, mail::Batch},
    },
    lambda::{batch, queue::Workers},
    local::{
        pollers::{Hands, Pollers},
        services::{FEEDBACK, SHARD},
    },
};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::faults::{Post, mail_by};
use crate::{
    stack::until,
    world::{World, campaign},
};

/// Panics once, at the first mails to people of shard 2.
fn stumble(sender: &mut Sender) {
    let stumbled = AtomicBool::new(false);
    mail_by(sender, move |_, batch: &Batch<'_>| {
        let theirs = batch.mails.iter().any(|mail| Shard::of(&mail.recipient, 4) == Shard(2));
        assert!(!theirs || stumbled.swap(true, Ordering::Relaxed), "a mistake in the program");
        Post::Deliver
    });
}

fn event(world: &World, queue: &str) -> SqsEvent {
    let messages = world.services.queues.receive(queue, 10).unwrap();
    let records: Vec<Value> = messages.iter().map(|m| json!({ "messageId": m.id, "body": m.body })).collect();
    serde_json::from_value(json!({ "Records": records })).unwrap()
}

fn failed(response: &aws_lambda_events::sqs::SqsBatchResponse) -> Vec<&str> {
    response.batch_item_failures.iter().map(|failure| failure.item_identifier.as_str()).collect()
}

#[tokio::test]
async fn a_panic_in_one_shard_fails_its_message_alone_and_the_next_worker_finds_everything_in_order() {
    let world = World::start().await;
    world.put_many(80).await;
    world.launch(&campaign("weekly")).await;
    let mut sender = world.deployment.sender();
    stumble(&mut sender);
    let batch = event(&world, SHARD);
    let stumbles = batch.records.iter().find(|message| message.body.as_ref().unwrap().contains("\"shard\":2"));
    let response = batch::each(&sender, &batch, &Unhurried).await;
    assert_eq!(failed(&response), [stumbles.unwrap().message_id.as_ref().unwrap()]);
    let of = |shard| world.mails("weekly").keys().filter(|id| Shard::of(id, 4) == Shard(shard)).count();
    assert!([0, 1, 3].into_iter().all(|shard| of(shard) > 0) && of(2) == 0);

    // The same sender goes on: nothing that it shares with the walk that ended is broken.
    let workers = Workers { sender: Arc::new(sender), ..world.workers() };
    for _ in 0..2 {
        world.clock.advance(Duration::from_secs(LEASE_S + 2));
        assert!(world.drain_with(&workers).await.is_empty());
    }
    let report = world.check("weekly").await;
    assert_eq!(report["status"], "complete", "{report}");
    let doubtful = report["outcomes"]["in_doubt"].as_u64().unwrap();
    assert!((1..=50).contains(&doubtful), "those whose call was cut: {report}");
    assert_eq!(report["outcomes"]["sent"].as_u64().unwrap() + doubtful, 80);
}

struct Stumbling(Arc<dyn Mailboxes>);

#[async_trait]
impl Mailboxes for Stumbling {
    async fn owner(&self, _address: &EmailAddress) -> Result<Option<RecipientId>, PortError> {
        panic!("a mistake in the program")
    }

    async fn soft_bounced(&self, address: &EmailAddress, at: Timestamp) -> Result<Vec<Timestamp>, PortError> {
        self.0.soft_bounced(address, at).await
    }
}

#[tokio::test]
async fn a_panic_at_one_event_fails_it_alone() {
    let world = World::start().await;
    world.put_many(6).await;
    world.send(&campaign("weekly")).await;
    let mut events = event(&world, FEEDBACK);
    let delivered = events.records.len();
    let mut bounce: Value = serde_json::from_str(events.records[0].body.as_ref().unwrap()).unwrap();
    let mut inner: Value = serde_json::from_str(bounce["Message"].as_str().unwrap()).unwrap();
    inner["eventType"] = json!("Bounce");
    inner["bounce"] = json!({ "bounceType": "Permanent", "timestamp": inner["mail"]["timestamp"] });
    // Nobody's that is tagged, so that the mailbox says whose it is.
    inner["mail"]["tags"] = json!({});
    bounce["Message"] = json!(inner.to_string());
    let mut message = events.records[0].clone();
    (message.message_id, message.body) = (Some("bounce".to_owned()), Some(bounce.to_string()));
    events.records.insert(1, message);

    let mut feedback = world.deployment.feedback();
    feedback.mailboxes = Arc::new(Stumbling(Arc::clone(&feedback.mailboxes)));
    assert_eq!(failed(&batch::whole(&feedback, &events).await), ["bounce"]);
    let report = world.report("weekly").await;
    assert_eq!(report["feedback"]["delivered"], json!(delivered), "{report}");
}

#[tokio::test]
async fn a_worker_whose_step_panics_works_on() {
    let world = World::start().await;
    world.put_many(40).await;
    world.launch(&campaign("weekly")).await;
    let mut sender = world.deployment.sender();
    stumble(&mut sender);
    let workers = Workers { sender: Arc::new(sender), ..world.workers() };
    let hands = Hands { workers, clock: world.clock.clone(), catch_up: Arc::new(|| async {}.boxed()) };
    // One task for all shards: had it ended, the others would wait for ever.
    let pollers = Pollers::start(&world.services.clients.sqs, &world.services.queue_urls, &hands, 1);
    let report = until("the campaign's end", async || {
        world.clock.advance(Duration::from_secs(5));
        Some(world.report("weekly").await).filter(|report| report["status"] == "complete")
    })
    .await;
    pollers.drain().await;
    assert!(report["outcomes"]["in_doubt"].as_u64().unwrap() >= 1, "{report}");
    assert_eq!(report["decided"], 40);
    world.check("weekly").await;
}
