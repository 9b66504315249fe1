//! How campaigns begin and end by themselves, also where a worker was lost on the way.

use std::{sync::Arc, time::Duration};

use germane::{
    domain::{
        id::Shard,
        lifecycle::Command,
        report::CampaignStatus::{Cancelled, Complete, Expired, Paused, Scheduled},
    },
    flow::{
        api::{ApiError, Code},
        queue::{Unhurried, Work},
    },
};
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{
    super::faults::{Post, after_mail, lose, mail_by, once},
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
    let world = World::with_shards(1).await;
    world.put_many(PEOPLE).await;
    world.launch(&campaign("weekly")).await;
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
