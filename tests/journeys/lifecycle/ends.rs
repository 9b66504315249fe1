//! How campaigns begin and end by themselves, also where a worker was lost on the way.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use germane::{
    domain::{
        id::Shard,
        lifecycle::Command,
        report::CampaignStatus::{Cancelled, Complete, Expired, Paused, Scheduled},
    },
    flow::{
        api::{ApiError, Code},
        port::PortError,
        queue::{Turn, Unhurried, Work},
        send::lease::LEASE_S,
    },
};
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{
    super::faults::{Commit, Post, after_mail, commit_by, fails, lose, mail_by, nothing, once, pages_of},
    command, paused_on_the_way,
};
use crate::world::{World, campaign, with};

const PEOPLE: usize = 220;
/// Of fifty each; the last of them was not answered.
const CLAIMED: usize = 150;

/// Loses a worker that has mailed two batches, claimed a third and committed nothing.
async fn lost_in(world: &World, pass: u16) {
    let mut sender = world.deployment.sender();
    sender.max_in_flight = 1;
    let gate = mail_by(&mut sender, |call, _| if call < 2 { Post::Deliver } else { Post::Hang });
    lose(&sender, &Work { campaign: "weekly".parse().unwrap(), shard: Shard(0), pass }, &gate).await;
    assert_eq!((world.slots("weekly").await, world.services.ses.count()), (CLAIMED, 100));
}

/// Whom the lost worker had taken is in doubt, once and for ever, and nothing else has happened.
async fn swept(world: &World, reasons: Value) {
    world.pass(SignedDuration::from_mins(5)).await;
    let report = world.check("weekly").await;
    assert_eq!((&report["outcomes"]["in_doubt"], &report["outcomes"]["sent"]), (&json!(CLAIMED), &json!(0)));
    assert_eq!(report["reasons"], reasons);
    world.take_over().await;
    world.pass(SignedDuration::from_hours(24)).await;
    assert_eq!((world.check("weekly").await, world.services.ses.count()), (report, 100));
}

#[tokio::test]
async fn whom_a_lost_worker_of_a_cancelled_campaign_had_taken_is_in_doubt_and_nobody_else_is_decided() {
    let world = launched().await;
    lost_in(&world, 1).await;
    assert_eq!(command(&world, "weekly", Command::Cancel).await, Cancelled);
    swept(&world, json!({ "in_doubt": CLAIMED })).await;
}

#[tokio::test]
async fn whom_a_worker_lost_in_a_later_pass_had_taken_is_in_doubt_and_the_others_are_skipped() {
    let world = World::with_shards(1).await;
    world.put_many(PEOPLE).await;
    let window = json!({ "send_window": { "opens": "12:00", "closes": "13:00" } });
    world.submit(&with(campaign("weekly"), window)).await;
    world.advance_to("2026-11-23T10:59:59Z").await;
    world.clock.advance(Duration::from_secs(1));
    lost_in(&world, 2).await;
    command(&world, "weekly", Command::Cancel).await;
    swept(&world, json!({ "campaign_cancelled": PEOPLE - CLAIMED, "in_doubt": CLAIMED })).await;
}

#[tokio::test]
async fn whom_a_lost_worker_of_an_expired_campaign_had_taken_is_in_doubt_also_if_it_was_paused_meanwhile() {
    for paused in [false, true] {
        let world = World::with_shards(1).await;
        world.put_many(PEOPLE).await;
        world.launch(&with(campaign("weekly"), json!({ "expires_at": "2026-11-23T12:00:00Z" }))).await;
        // Otherwise another one takes over before the end.
        let left = if paused { 3600 } else { 30 };
        world.clock.advance(Duration::from_secs(3 * 3600 - left));
        lost_in(&world, 1).await;
        if paused {
            command(&world, "weekly", Command::Pause).await;
        }
        world.until("weekly", Expired).await;
        swept(&world, json!({ "in_doubt": CLAIMED })).await;
    }
}

#[tokio::test]
async fn a_paused_campaign_expires_at_its_end_and_can_not_be_resumed() {
    let world = World::with_shards(1).await;
    let mailed = paused_on_the_way(&world).await;
    let report = world.until("weekly", Expired).await;
    assert_eq!((&report["outcomes"]["sent"], world.services.ses.count()), (&json!(mailed), mailed));
    assert!(world.now() < "2026-11-30T09:02:00Z".parse().unwrap(), "seven days, if nobody says otherwise");
    let resumed = world.deployment.api().command(&"weekly".parse().unwrap(), Command::Resume).await;
    assert!(matches!(resumed, Err(ApiError::Conflict { code: Code::IllegalMove, .. })), "{resumed:?}");
}

#[tokio::test]
async fn a_campaign_that_expires_while_it_is_sent_begins_no_call_after_its_end() {
    let world = World::with_shards(1).await;
    world.put_many(PEOPLE).await;
    let end = "2026-11-23T12:00:00Z";
    world.launch(&with(campaign("weekly"), json!({ "expires_at": end }))).await;
    world.clock.advance(Duration::from_secs(3 * 3600 - 10));
    let mut sender = world.deployment.sender();
    sender.max_in_flight = 1;
    let clock = Arc::clone(&world.clock);
    let past_the_end = move || {
        let clock = Arc::clone(&clock);
        async move { clock.advance(Duration::from_secs(11)) }
    };
    after_mail(&mut sender, once(past_the_end));
    sender.run(&world.work("weekly", 0), &Unhurried).await.unwrap();
    let report = world.until("weekly", Expired).await;
    let late = world.services.ses.mails().iter().filter(|mail| mail.at >= end.parse().unwrap()).count();
    assert_eq!((&report["outcomes"]["sent"], late), (&json!(50), 0), "{report}");
    assert_eq!(world.slots("weekly").await, 50);
}

#[tokio::test]
async fn a_campaign_cancelled_between_two_passes_mails_nobody_when_its_wakes_come() {
    let world = World::start().await;
    world.put_many(20).await;
    let window = json!({ "send_window": { "opens": "18:00", "closes": "20:00" } });
    world.submit(&with(campaign("weekly"), window)).await;
    world.advance_to("2026-11-23T12:00:00Z").await;
    command(&world, "weekly", Command::Cancel).await;
    world.pass(SignedDuration::from_hours(24 * 8)).await;
    let report = world.check("weekly").await;
    assert_eq!((&report["status"], &report["reasons"]), (&json!("cancelled"), &json!({ "campaign_cancelled": 20 })));
    assert_eq!(world.services.ses.count(), 0);
}

#[tokio::test]
async fn a_campaign_starts_by_itself_at_its_time_or_when_it_is_resumed_after_it() {
    let start = "2026-11-26T10:00:00Z";
    for paused in [false, true] {
        let world = World::start().await;
        world.put_many(20).await;
        world.submit(&with(campaign("weekly"), json!({ "not_before": start }))).await;
        world.advance_to("2026-11-25T09:00:00Z").await;
        if paused {
            command(&world, "weekly", Command::Pause).await;
        }
        world.advance_to("2026-11-26T09:59:59Z").await;
        let waits = if paused { Paused } else { Scheduled };
        assert_eq!((&world.report("weekly").await["status"], world.services.ses.count()), (&json!(waits), 0));
        if paused {
            world.advance_to("2026-11-26T15:00:00Z").await;
            assert_eq!(world.services.ses.count(), 0);
            assert_eq!(command(&world, "weekly", Command::Resume).await, Scheduled);
        }
        let report = world.until("weekly", Complete).await;
        assert_eq!(report["outcomes"]["sent"], 20);
        let due = if paused { "2026-11-26T15:01:00Z" } else { "2026-11-26T10:01:00Z" };
        assert!(world.now() < due.parse().unwrap(), "{}", world.now());
    }
}

/// Whom a campaign that was cancelled has mailed without saying so is in doubt.
async fn cancelled_and_settled(world: &World) {
    command(world, "weekly", Command::Cancel).await;
    world.pass(SignedDuration::from_mins(5)).await;
    let (report, mailed) = (world.check("weekly").await, world.services.ses.count());
    assert!(mailed > 0);
    assert_eq!((&report["outcomes"]["in_doubt"], &report["outcomes"]["sent"]), (&json!(mailed), &json!(0)));
}

#[tokio::test]
async fn whom_a_worker_mailed_that_could_not_commit_is_in_doubt_also_once_the_campaign_is_cancelled() {
    let world = launched().await;
    let mut sender = world.deployment.sender();
    world.clock.hurry();
    commit_by(&mut sender, |_| Commit::Fail, nothing(), 0);
    fails(&sender, &world.work("weekly", 0)).await;
    cancelled_and_settled(&world).await;
}

#[tokio::test]
async fn whom_a_lost_worker_had_taken_is_not_forgotten_by_one_that_stops_before_it_comes_to_them() {
    let world = launched().await;
    let mut sender = world.deployment.sender();
    sender.max_in_flight = 1;
    let gate = mail_by(&mut sender, |call, _| if call < 3 { Post::Deliver } else { Post::DeliverAndHang });
    lose(&sender, &world.work("weekly", 0), &gate).await;
    world.clock.advance(Duration::from_secs(LEASE_S + 1));
    // It takes the shard over at the end of its turn.
    world.deployment.sender().run(&world.work("weekly", 0), &Over).await.unwrap();
    assert_eq!(world.report("weekly").await["decided"], 0);
    cancelled_and_settled(&world).await;
}

#[tokio::test]
async fn a_sweep_that_is_interrupted_is_gone_on_with() {
    let world = launched().await;
    let mut sender = world.deployment.sender();
    sender.max_in_flight = 1;
    let gate = mail_by(&mut sender, |call, _| if call < 3 { Post::Deliver } else { Post::DeliverAndHang });
    lose(&sender, &world.work("weekly", 0), &gate).await;
    command(&world, "weekly", Command::Cancel).await;
    world.clock.advance(Duration::from_secs(LEASE_S + 1));
    let mut sender = world.deployment.sender();
    pages_of(&mut sender, 60, Some(1), nothing());
    fails(&sender, &world.work("weekly", 0)).await;
    world.deployment.sender().run(&world.work("weekly", 0), &Over).await.unwrap();
    cancelled_and_settled(&world).await;
}

async fn launched() -> World {
    let world = World::with_shards(1).await;
    world.put_many(PEOPLE).await;
    world.launch(&campaign("weekly")).await;
    world
}

/// A turn that is over.
struct Over;

#[async_trait]
impl Turn for Over {
    async fn over(&self) {}

    async fn keep(&self, _span: Duration) -> Result<(), PortError> {
        Ok(())
    }
}
