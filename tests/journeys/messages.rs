//! Messages that come twice, in another order or at the same moment, and turns that end.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use futures_util::future::join_all;
use germane::{
    flow::{
        port::PortError,
        queue::{Turn, Unhurried},
        send::lease::{KEEP, LEASE_S},
    },
    lambda::queue::{Handle, Workers},
    local::services::{LAUNCH, SHARD},
};
use jiff::SignedDuration;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use super::faults::{Post, after_mail, mail_by, once, until};
use crate::world::{World, campaign, person, with};

/// One of whom each hour has somebody, and some who are refused.
async fn zones() -> World {
    let world = World::with_shards(2).await;
    let zones = ["Asia/Tokyo", "Europe/Berlin", "America/Los_Angeles", "Asia/Kolkata"];
    let people: Vec<Value> = (0..24_usize)
        .map(|n| {
            let consents = if n % 6 == 5 { json!([]) } else { person("any")["consents"].clone() };
            with(person(&format!("r-{n:02}")), json!({ "time_zone": zones[n % 4], "consents": consents }))
        })
        .collect();
    world.put(&people).await;
    let window = json!({ "send_window": { "opens": "09:00", "closes": "10:00" } });
    world.submit(&with(campaign("weekly"), window)).await;
    world
}

/// Each message that is there goes to both workers at once, the last one first; none of them is deleted before both
/// are done with all.
async fn twice(world: &World, one: &Workers, other: &Workers) {
    loop {
        world.services.schedules.fire_due().unwrap();
        let mut messages = Vec::new();
        for queue in [LAUNCH, SHARD] {
            messages.extend(world.services.queues.receive(queue, 64).unwrap().into_iter().map(|one| (queue, one)));
        }
        if messages.is_empty() {
            return;
        }
        let work = messages
            .iter()
            .rev()
            .flat_map(|(_, message)| [one.handle(&message.body, &Unhurried), other.handle(&message.body, &Unhurried)]);
        for done in join_all(work).await {
            done.unwrap();
        }
        for (queue, message) in messages {
            world.services.queues.delete(queue, &message.receipt).unwrap();
        }
    }
}

#[tokio::test]
async fn messages_that_come_twice_in_reverse_and_to_two_workers_at_once_give_the_same_campaign() {
    let plain = zones().await;
    plain.pass(SignedDuration::from_hours(25)).await;
    let world = zones().await;
    let (one, other) = (world.workers(), world.workers());
    for _ in 0..200 {
        twice(&world, &one, &other).await;
        world.check("weekly").await;
        if world.report("weekly").await["status"] == "complete" {
            break;
        }
        let due = world.next_due().unwrap();
        world.clock.reach(due);
    }
    let report = world.check("weekly").await;
    assert_eq!(report, plain.check("weekly").await);
    assert_eq!((&report["status"], &report["outcomes"]["sent"]), (&json!("complete"), &json!(20)));
}

/// A turn that a test ends.
struct Ending {
    ended: Semaphore,
    kept: Mutex<Vec<Duration>>,
}

impl Ending {
    fn new() -> Arc<Self> {
        Arc::new(Self { ended: Semaphore::new(0), kept: Mutex::default() })
    }
}

#[async_trait]
impl Turn for Ending {
    async fn over(&self) {
        // An error means that the test has ended it.
        let _ = self.ended.acquire().await;
    }

    async fn keep(&self, span: Duration) -> Result<(), PortError> {
        self.kept.lock().unwrap().push(span);
        Ok(())
    }
}

const PEOPLE: usize = 220;

async fn launched() -> World {
    let world = World::with_shards(1).await;
    world.put_many(PEOPLE).await;
    world.launch(&campaign("weekly")).await;
    for message in world.services.queues.receive(SHARD, 64).unwrap() {
        world.services.queues.delete(SHARD, &message.receipt).unwrap();
    }
    world
}

#[tokio::test]
async fn a_turn_that_ends_finishes_who_was_claimed_and_leaves_the_rest_to_its_successor() {
    for in_flight in [1, 2, 8] {
        let world = launched().await;
        let turn = Ending::new();
        let mut sender = world.deployment.sender();
        sender.max_in_flight = in_flight;
        let ends = Arc::clone(&turn);
        let end = move || {
            let turn = Arc::clone(&ends);
            async move { turn.ended.close() }
        };
        after_mail(&mut sender, once(end));
        sender.run(&world.work("weekly", 0), turn.as_ref()).await.unwrap();

        let mailed = world.services.ses.count();
        let report = world.check("weekly").await;
        assert_eq!((&report["outcomes"]["sent"], &report["outcomes"]["in_doubt"]), (&json!(mailed), &json!(0)));
        assert!(in_flight > 1 || mailed == 50, "{mailed}");
        assert_eq!((world.slots("weekly").await, world.services.queues.depth(SHARD)), (mailed, 1));
        world.pass(SignedDuration::from_mins(3)).await;
        let report = world.check("weekly").await;
        assert_eq!((&report["status"], &report["outcomes"]["sent"]), (&json!("complete"), &json!(PEOPLE)));
    }
}

#[tokio::test]
async fn a_turn_that_is_over_before_it_began_mails_nobody_and_queues_its_successor() {
    let world = launched().await;
    let turn = Ending::new();
    turn.ended.close();
    world.deployment.sender().run(&world.work("weekly", 0), turn.as_ref()).await.unwrap();
    let sent = world.check("weekly").await["outcomes"]["sent"].as_u64().unwrap();
    assert_eq!((world.services.ses.count() as u64, world.services.queues.depth(SHARD)), (sent, 1));
    world.pass(SignedDuration::from_mins(3)).await;
    assert_eq!(world.check("weekly").await["outcomes"]["sent"], PEOPLE);
}

#[tokio::test]
async fn a_message_is_kept_with_each_renewal_of_the_lease() {
    let world = launched().await;
    let turn = Ending::new();
    let mut sender = world.deployment.sender();
    sender.max_in_flight = 1;
    let clock = Arc::clone(&world.clock);
    let passes = Box::new(move |call: usize| {
        // Time for a renewal after the first and the third call.
        clock.advance(Duration::from_secs(if call.is_multiple_of(2) && call < 4 { 21 } else { 0 }));
        Box::pin(std::future::ready(())) as futures_util::future::BoxFuture<'static, ()>
    });
    after_mail(&mut sender, passes);
    sender.run(&world.work("weekly", 0), turn.as_ref()).await.unwrap();
    assert_eq!(*turn.kept.lock().unwrap(), [KEEP, KEEP]);
    assert_eq!(world.check("weekly").await["outcomes"]["sent"], PEOPLE);
}

#[tokio::test]
async fn who_finds_a_lease_held_queues_a_copy_that_comes_after_its_end() {
    let world = launched().await;
    let mut sender = world.deployment.sender();
    let gate = mail_by(&mut sender, |_, _| Post::Hang);
    let work = world.work("weekly", 0);
    let before = world.now();
    let run = until(&gate, &sender, &work).await;
    world.deployment.sender().run(&work, &Unhurried).await.unwrap();
    let copy = world.services.queues.next_due().unwrap().duration_since(before).as_secs();
    assert!((LEASE_S..LEASE_S + 5).contains(&u64::try_from(copy).unwrap()), "{copy} s");
    gate.open();
    run.await.unwrap();
    world.pass(SignedDuration::from_mins(3)).await;
    assert_eq!(world.check("weekly").await["outcomes"]["sent"], PEOPLE);
    assert_eq!(world.services.queues.depth(SHARD), 0);
}
