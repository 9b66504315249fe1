//! Campaigns that are paused, resumed and cancelled while they are under way.

mod ends;
mod moves;

use std::{sync::Arc, time::Duration};

use germane::{
    domain::{
        lifecycle::Command,
        report::{CampaignStatus, StatusCode, StatusDetail},
    },
    flow::{
        api::{Api, ApiError, Code},
        launch::{Campaigns, Move},
        queue::Unhurried,
    },
    local::services::LAUNCH,
};
use reqwest::Method;
use serde_json::{Value, json};

use self::moves::{Fault, FaultyCampaigns, FaultyQueue};
use super::{
    faults::{after_mail, once},
    http::Site,
};
use crate::world::{World, campaign, person, with};

async fn status(world: &World, id: &str) -> CampaignStatus {
    serde_json::from_value(world.report(id).await["status"].clone()).unwrap()
}

async fn command(world: &World, id: &str, command: Command) -> CampaignStatus {
    world.deployment.api().command(&id.parse().unwrap(), command).await.unwrap()
}

/// Moves a campaign as another step of the flow would.
async fn moved(world: &World, id: &str, to: Move) {
    let campaigns: &dyn Campaigns = &world.services.dynamo;
    assert!(campaigns.advance(&id.parse().unwrap(), CampaignStatus::ALL, &to).await.unwrap());
}

impl Site {
    async fn post(&self, path: &str) -> (u16, Value) {
        self.json(Method::POST, path, &Value::Null).await
    }

    /// A refusal's status, code and words.
    async fn refused(&self, path: &str) -> (u16, String, String) {
        let (status, problem) = self.post(path).await;
        let text = |field: &str| problem[field].as_str().unwrap().to_owned();
        (status, text("code"), text("detail"))
    }
}

#[tokio::test]
async fn a_campaign_that_is_paused_while_its_shards_lie_in_their_queue_mails_nobody() {
    let site = Site::open().await;
    site.world.put_many(40).await;
    site.world.launch(&campaign("weekly")).await;
    let answer = site.post("/v1/campaigns/weekly/pause").await;
    assert_eq!(answer, (200, json!({ "id": "weekly", "status": "paused" })));

    site.world.drain().await;
    assert_eq!((site.world.services.ses.count(), site.world.slots("weekly").await), (0, 0));
    let report = site.world.check("weekly").await;
    let why = json!({ "code": "by_request", "message": "it was paused by request, and goes on when it is resumed" });
    assert_eq!((&report["status"], &report["status_detail"]), (&json!("paused"), &why));
    assert_eq!((&report["decided"], &report["audience"]), (&json!(0), &Value::Null));
}

const PEOPLE: usize = 600;

/// One shard, paused by somebody after its first mails; answers with how many were mailed.
async fn paused_on_the_way(world: &World) -> usize {
    world.put_many(PEOPLE).await;
    world.launch(&campaign("weekly")).await;
    let mut sender = world.deployment.sender();
    sender.max_in_flight = 1;
    let (api, clock) = (Arc::new(world.deployment.api()), Arc::clone(&world.clock));
    let pause = move || {
        let (api, clock) = (Arc::clone(&api), Arc::clone(&clock));
        async move {
            api.command(&"weekly".parse().unwrap(), Command::Pause).await.unwrap();
            // Workers look once a second.
            clock.advance(Duration::from_secs(1));
        }
    };
    after_mail(&mut sender, once(pause));
    sender.run(&world.work("weekly", 0), &Unhurried).await.unwrap();
    world.drain().await;
    world.services.ses.count()
}

#[tokio::test]
async fn a_pause_lets_what_is_on_its_way_end_and_begins_nothing_new() {
    let world = World::with_shards(1).await;
    let mailed = paused_on_the_way(&world).await;
    assert!((50..PEOPLE).contains(&mailed), "{mailed} were mailed");
    let report = world.check("weekly").await;
    assert_eq!((&report["status"], &report["outcomes"]["sent"]), (&json!("paused"), &json!(mailed)));
    assert_eq!(world.slots("weekly").await, mailed);
}

#[tokio::test]
async fn resume_goes_on_where_the_pause_stopped() {
    let world = World::with_shards(1).await;
    let mailed = paused_on_the_way(&world).await;
    assert!(mailed < PEOPLE);
    assert_eq!(command(&world, "weekly", Command::Resume).await, CampaignStatus::Launching);
    assert_eq!(world.report("weekly").await["status_detail"], Value::Null);
    world.drain().await;
    let report = world.check("weekly").await;
    assert_eq!((&report["status"], &report["outcomes"]["sent"]), (&json!("complete"), &json!(PEOPLE)));
    assert_eq!(world.services.ses.count(), PEOPLE);
}

#[tokio::test]
async fn a_campaign_that_is_paused_before_its_start_does_not_start_until_it_is_resumed() {
    let world = World::start().await;
    world.put_many(20).await;
    world.submit(&with(campaign("later"), json!({ "not_before": "2026-11-23T10:00:00Z" }))).await;
    assert_eq!(command(&world, "later", Command::Pause).await, CampaignStatus::Paused);
    for _ in 0..8 {
        world.drain().await;
        world.clock.advance(Duration::from_mins(16));
    }
    world.drain().await;
    assert_eq!((status(&world, "later").await, world.services.ses.count()), (CampaignStatus::Paused, 0));

    assert_eq!(command(&world, "later", Command::Resume).await, CampaignStatus::Scheduled);
    world.drain().await;
    assert_eq!(world.check("later").await["outcomes"]["sent"], 20);
}

#[tokio::test]
async fn a_cancelled_campaign_mails_nobody_and_is_never_sent_on() {
    let site = Site::open().await;
    site.world.put_many(40).await;
    site.world.launch(&campaign("weekly")).await;
    let answer = site.post("/v1/campaigns/weekly/cancel").await;
    assert_eq!(answer, (200, json!({ "id": "weekly", "status": "cancelled" })));
    site.world.drain().await;
    site.world.submit(&campaign("weekly")).await;
    site.world.take_over().await;
    assert_eq!((site.world.services.ses.count(), site.world.slots("weekly").await), (0, 0));
    let report = site.world.check("weekly").await;
    let why = json!({ "code": "by_request", "message": "it was cancelled by request, and nobody else gets it" });
    assert_eq!((&report["status"], &report["status_detail"]), (&json!("cancelled"), &why));
}

/// A campaign that was decided for two people: one waits for their hours, the other never agreed.
async fn deferred(site: &Site) {
    let hours = json!({ "send_window": { "opens": "18:00", "closes": "20:00" } });
    site.world.put(&[person("waits"), with(person("none"), json!({ "consents": [] }))]).await;
    site.world.launch(&with(campaign("weekly"), hours)).await;
    site.world.drain().await;
    let report = site.world.check("weekly").await;
    assert_eq!(report["reasons"], json!({ "no_consent": 1, "outside_send_window": 1 }));
    assert_eq!(report["outcomes"]["deferred"], 1);
}

/// Once the campaign has ended, who was deferred is skipped with this reason wherever they are told.
async fn told_as_skipped(site: &Site, reason: &str) {
    let report = site.world.check("weekly").await;
    assert_eq!(report["reasons"], json!({ "no_consent": 1, reason: 1 }));
    assert_eq!((&report["outcomes"]["deferred"], &report["outcomes"]["skipped"]), (&json!(0), &json!(2)));
    assert_eq!(report["decided"], 2);

    let listed = async |filter: &str| {
        let (_, part) = site.get(&format!("/v1/campaigns/weekly/decisions?{filter}")).await;
        let items = part["items"].as_array().unwrap().clone();
        items.into_iter().map(|item| item["recipient"].as_str().unwrap().to_owned()).collect::<Vec<String>>()
    };
    assert_eq!(listed(&format!("reason={reason}")).await, ["waits"]);
    assert_eq!(listed("outcome=skipped").await.len(), 2);
    assert!(listed("outcome=deferred").await.is_empty());
    assert!(listed("reason=outside_send_window").await.is_empty());
    let why = site.world.why("weekly", "waits").await;
    assert_eq!((&why["outcome"], &why["reason"], &why["detail"]), (&json!("skipped"), &json!(reason), &json!({})));
}

#[tokio::test]
async fn who_was_deferred_is_skipped_once_the_campaign_is_cancelled() {
    let site = Site::open().await;
    deferred(&site).await;
    let answer = site.post("/v1/campaigns/weekly/cancel").await;
    assert_eq!(answer, (200, json!({ "id": "weekly", "status": "cancelled" })));
    site.world.drain().await;
    told_as_skipped(&site, "campaign_cancelled").await;
}

#[tokio::test]
async fn who_was_deferred_is_skipped_once_the_campaign_has_expired() {
    let site = Site::open().await;
    deferred(&site).await;
    moved(&site.world, "weekly", Move::to(CampaignStatus::Expired)).await;
    told_as_skipped(&site, "campaign_expired").await;
}

#[tokio::test]
async fn what_a_status_does_not_allow_is_refused_with_what_it_does_allow() {
    let site = Site::open().await;
    site.world.put_many(3).await;
    let illegal = |detail: &str| (409, "illegal_move".to_owned(), detail.to_owned());
    site.world.launch(&campaign("weekly")).await;
    let resumed = site.refused("/v1/campaigns/weekly/resume").await;
    assert_eq!(resumed, illegal("weekly is sending: it cannot be resumed, only paused or cancelled"));
    moved(&site.world, "weekly", Move::to(CampaignStatus::WaitingForQuota)).await;
    let resumed = site.refused("/v1/campaigns/weekly/resume").await;
    assert_eq!(resumed, illegal("weekly is waiting for quota: it cannot be resumed, only paused or cancelled"));

    site.world.send(&campaign("done")).await;
    for (command, done) in [("pause", "paused"), ("resume", "resumed"), ("cancel", "cancelled")] {
        let refused = site.refused(&format!("/v1/campaigns/done/{command}")).await;
        assert_eq!(refused, illegal(&format!("done is complete: nothing can be {done} any more")));
        assert_eq!(site.refused(&format!("/v1/campaigns/none/{command}")).await.1, "not_found");
        assert_eq!(site.refused(&format!("/v1/campaigns/a@b/{command}")).await.1, "not_found");
    }
    assert_eq!(status(&site.world, "done").await, CampaignStatus::Complete);
}

#[tokio::test]
async fn a_command_that_is_repeated_answers_the_same_and_a_pause_keeps_the_reason_of_the_first() {
    let world = World::start().await;
    world.submit(&campaign("weekly")).await;
    let detail = StatusDetail::new(StatusCode::Breaker, "too many bounces");
    let broken = Move { to: CampaignStatus::Paused, detail: Some(detail.clone()), pinned: None };
    moved(&world, "weekly", broken).await;
    assert_eq!(command(&world, "weekly", Command::Pause).await, CampaignStatus::Paused);
    assert_eq!(world.report("weekly").await["status_detail"], json!(detail));
    for expected in [CampaignStatus::Scheduled; 2] {
        assert_eq!(command(&world, "weekly", Command::Resume).await, expected);
    }
    for expected in [CampaignStatus::Cancelled; 2] {
        assert_eq!(command(&world, "weekly", Command::Cancel).await, expected);
    }
}

fn api_with(world: &World, fault: Fault) -> (Api, Arc<FaultyCampaigns>) {
    let campaigns = Arc::new(FaultyCampaigns::new(&world.services.dynamo, fault));
    let mut api = world.deployment.api();
    api.campaigns = campaigns.clone();
    (api, campaigns)
}

#[tokio::test]
async fn a_move_whose_answer_was_lost_recognises_itself() {
    let world = World::start().await;
    world.submit(&campaign("weekly")).await;
    for (command, then) in [
        (Command::Pause, CampaignStatus::Paused),
        (Command::Resume, CampaignStatus::Scheduled),
        (Command::Cancel, CampaignStatus::Cancelled),
    ] {
        let (api, campaigns) = api_with(&world, Fault::AnswerLost);
        assert_eq!(api.command(&"weekly".parse().unwrap(), command).await.unwrap(), then);
        assert_eq!((campaigns.advances(), status(&world, "weekly").await), (1, then));
    }
}

#[tokio::test]
async fn a_command_that_somebody_overtakes_answers_by_what_is_there_then() {
    let world = World::start().await;
    world.submit(&campaign("weekly")).await;
    let id = "weekly".parse().unwrap();
    let (api, campaigns) = api_with(&world, Fault::Overtaken(CampaignStatus::Sending));
    assert_eq!(api.command(&id, Command::Pause).await.unwrap(), CampaignStatus::Paused);
    assert_eq!(campaigns.advances(), 2);

    let (api, _) = api_with(&world, Fault::Overtaken(CampaignStatus::Complete));
    let error = api.command(&id, Command::Cancel).await.unwrap_err();
    assert!(matches!(error, ApiError::Conflict { code: Code::IllegalMove, .. }), "{error:?}");
    assert_eq!(status(&world, "weekly").await, CampaignStatus::Complete);
}

#[tokio::test]
async fn a_command_gives_up_on_a_status_that_keeps_changing() {
    let world = World::start().await;
    world.submit(&campaign("weekly")).await;
    let (api, campaigns) = api_with(&world, Fault::AlwaysOvertaken);
    let error = api.command(&"weekly".parse().unwrap(), Command::Pause).await.unwrap_err();
    assert!(matches!(error, ApiError::Conflict { code: Code::Contended, .. }), "{error:?}");
    assert!((2..10).contains(&campaigns.advances()));
    assert_eq!(status(&world, "weekly").await, CampaignStatus::Scheduled);
}

#[tokio::test]
async fn a_resume_or_cancel_whose_launch_could_not_be_queued_is_repeated_and_strands_nothing() {
    let world = World::start().await;
    world.put_many(20).await;
    world.launch(&campaign("weekly")).await;
    command(&world, "weekly", Command::Pause).await;
    world.drain().await;
    let id = "weekly".parse().unwrap();
    for (command, then) in [(Command::Resume, CampaignStatus::Launching), (Command::Cancel, CampaignStatus::Cancelled)]
    {
        let mut api = world.deployment.api();
        api.queue = Arc::new(FaultyQueue::once_down(&api.queue));
        let error = api.command(&id, command).await.unwrap_err();
        assert!(matches!(error, ApiError::Port(_)), "{error:?}");
        assert_eq!((status(&world, "weekly").await, world.services.queues.depth(LAUNCH)), (then, 0));
        assert_eq!(api.command(&id, command).await.unwrap(), then);
        assert_eq!(world.services.queues.depth(LAUNCH), 1);
        for message in world.services.queues.receive(LAUNCH, 64).unwrap() {
            assert_eq!(*message.body, *world.launch_message("weekly"));
            world.services.queues.delete(LAUNCH, &message.receipt).unwrap();
        }
    }
}
