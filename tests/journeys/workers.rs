//! The same message twice, and two workers at once.

use germane::flow::queue::Unhurried;
use germane::lambda::queue::Handle;
use serde_json::json;

use crate::world::{World, campaign, person, with};

#[tokio::test]
async fn the_same_campaign_submitted_again_also_at_the_same_moment_is_one_campaign() {
    let world = World::start().await;
    world.put_many(60).await;
    let weekly = campaign("weekly");
    futures_util::future::join_all((0..4).map(|_| world.submit(&weekly))).await;
    world.drain().await;
    world.submit(&weekly).await;
    world.drain().await;

    let report = world.check("weekly").await;
    assert_eq!((&report["status"], &report["outcomes"]["sent"]), (&json!("complete"), &json!(60)));
    let (listed, _) = world.deployment.api().campaigns(None).await.unwrap();
    assert_eq!(listed.len(), 1);
}

#[tokio::test]
async fn an_explicit_audience_reaches_its_people_once_and_counts_the_ids_that_nobody_has() {
    let world = World::start().await;
    world.put_many(30).await;
    let ids = ["r-00003", "r-00007", "r-00007", "r-00029", "nobody", "nobody-else"];
    let report = world.send(&with(campaign("few"), json!({ "audience": { "recipients": ids } }))).await;

    assert_eq!(
        (&report["status"], &report["audience"], &report["unknown"]),
        (&json!("complete"), &json!(3), &json!(2))
    );
    assert_eq!(world.mails("few").len(), 3);
    let report = world.send(&with(campaign("none"), json!({ "audience": { "recipients": ["nobody"] } }))).await;
    assert_eq!(
        (&report["status"], &report["audience"], &report["unknown"]),
        (&json!("complete"), &json!(0), &json!(1))
    );
}

#[tokio::test]
async fn a_launch_and_its_shards_delivered_twice_and_after_the_end_change_nothing() {
    let world = World::start().await;
    world.put_many(80).await;
    world.submit(&campaign("weekly")).await;
    let workers = world.workers();
    let launch = world.launch_message("weekly");
    let (first, second) = tokio::join!(workers.handle(&launch, &Unhurried), workers.handle(&launch, &Unhurried));
    first.and(second).unwrap();
    world.drain().await;
    let shards = (0..4).map(|shard| world.shard_message("weekly", shard));
    for message in shards.chain([launch]) {
        workers.handle(&message, &Unhurried).await.unwrap();
    }
    world.drain().await;

    let report = world.check("weekly").await;
    assert_eq!((&report["status"], &report["outcomes"]["sent"]), (&json!("complete"), &json!(80)));
    assert_eq!(world.services.ses.count(), 80);
}

#[tokio::test]
async fn of_two_workers_on_one_shard_one_walks_and_the_other_comes_back_after_the_lease() {
    let world = World::with_shards(1).await;
    world.put_many(120).await;
    world.launch(&campaign("weekly")).await;
    let (one, other) = (world.deployment.sender(), world.deployment.sender());
    let work = world.work("weekly", 0);
    let before = world.services.queues.depth(germane::local::services::SHARD);
    let (first, second) = tokio::join!(one.run(&work, &Unhurried), other.run(&work, &Unhurried));
    first.and(second).unwrap();

    let copies = world.services.queues.depth(germane::local::services::SHARD) - before;
    assert_eq!(copies, 1, "the one that found the lease held queued a copy before it gave its message up");
    let report = world.check("weekly").await;
    assert_eq!((&report["status"], &report["outcomes"]["sent"]), (&json!("complete"), &json!(120)));
    world.take_over().await;
    assert_eq!(world.check("weekly").await, report);
    assert_eq!(world.services.queues.depth(germane::local::services::SHARD), 0, "every copy ends");
}

#[tokio::test]
async fn a_done_shard_that_is_delivered_again_closes_a_campaign_that_was_left_open() {
    let world = World::with_shards(1).await;
    world.put(&[person("r-1")]).await;
    world.launch(&campaign("weekly")).await;
    let mut sender = world.deployment.sender();
    sender.campaigns = std::sync::Arc::new(NeverClosing(world.services.dynamo.clone()));
    sender.run(&world.work("weekly", 0), &Unhurried).await.unwrap_err();
    assert_eq!(world.report("weekly").await["status"], "sending");

    world.drain().await;
    assert_eq!(world.check("weekly").await["status"], "complete");
}

#[tokio::test]
async fn a_campaign_waits_for_its_start_and_ends_with_its_end() {
    let world = World::start().await;
    world.put_many(20).await;
    let later = json!({ "not_before": "2026-11-23T10:00:00Z", "expires_at": "2026-11-23T12:00:00Z" });
    world.submit(&with(campaign("later"), later)).await;
    for _ in 0..3 {
        world.drain().await;
        assert_eq!(world.report("later").await["status"], "scheduled");
        assert_eq!(world.services.ses.count(), 0);
        world.clock.advance(std::time::Duration::from_secs(15 * 60 + 1));
    }
    world.drain().await;
    world.clock.advance(std::time::Duration::from_mins(15));
    world.drain().await;
    assert_eq!(world.check("later").await["outcomes"]["sent"], 20);

    world.launch(&with(campaign("late"), json!({ "expires_at": "2026-11-23T12:00:00Z" }))).await;
    world.clock.advance(std::time::Duration::from_hours(4));
    world.drain().await;
    let report = world.check("late").await;
    assert_eq!((&report["status"], &report["decided"]), (&json!("expired"), &json!(0)));
}

/// Dies before it counts a shard as done.
struct NeverClosing(germane::aws::dynamo::Dynamo);

mod never_closing {
    use async_trait::async_trait;
    use germane::{
        domain::{id::CampaignId, report::CampaignStatus},
        flow::{
            launch::{CampaignRecord, CampaignSummary, Campaigns, Created, Move, Standing},
            port::PortError,
            queue::Work,
        },
    };

    use super::{super::faults::down, NeverClosing};

    #[async_trait]
    impl Campaigns for NeverClosing {
        async fn create(&self, record: &CampaignRecord) -> Result<Created, PortError> {
            self.0.create(record).await
        }

        async fn get(&self, id: &CampaignId) -> Result<Option<CampaignRecord>, PortError> {
            self.0.get(id).await
        }

        async fn list(&self, cursor: Option<&str>) -> Result<(Vec<CampaignSummary>, Option<String>), PortError> {
            self.0.list(cursor).await
        }

        async fn advance(&self, id: &CampaignId, from: &[CampaignStatus], to: &Move) -> Result<bool, PortError> {
            self.0.advance(id, from, to).await
        }

        async fn standings(&self, id: &CampaignId) -> Result<Vec<Standing>, PortError> {
            self.0.standings(id).await
        }

        async fn prepare(&self, work: &[Work]) -> Result<(), PortError> {
            self.0.prepare(work).await
        }

        async fn shard_through(&self, _work: &Work) -> Result<u16, PortError> {
            Err(down())
        }
    }
}
