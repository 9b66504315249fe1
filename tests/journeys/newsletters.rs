//! Newsletters: each run is one campaign, at its time, whatever comes between.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use futures_util::future::join_all;
use germane::lambda::queue::Handle;
use germane::{
    domain::{
        id::{CampaignId, NewsletterId},
        newsletter::Recurrence,
        report::CampaignStatus::Complete,
    },
    flow::{
        api::{Api, ApiError},
        launch::Campaigns,
        port::PortError,
        queue::{Message, Unhurried},
        schedule::{ScheduleName, Scheduler},
    },
};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::world::{Setup, World, campaign, person, policy, with};

fn newsletter(cron: &str) -> Value {
    json!({ "cron": cron, "time_zone": "Europe/Berlin", "campaign": campaign("rust-{{date}}") })
}

fn id() -> NewsletterId {
    "weekly".parse().unwrap()
}

/// One person, and a newsletter called weekly.
async fn world(start: &'static str, cron: &str) -> World {
    let world = World::with(Setup { start, shards: 1, ..Setup::default() }).await;
    world.put(&[person("r-1")]).await;
    put(&world, &newsletter(cron)).await;
    world
}

async fn put(world: &World, newsletter: &Value) -> Value {
    world.deployment.api().put_newsletter(&id(), newsletter, "a test").await.unwrap()
}

async fn told(world: &World) -> Value {
    world.deployment.api().newsletter(&id()).await.unwrap()
}

/// The campaigns that there are, the oldest first, and when they came.
async fn campaigns(world: &World) -> Vec<(String, Timestamp)> {
    let (mut listed, _) = world.deployment.api().campaigns(None).await.unwrap();
    listed.reverse();
    listed.into_iter().map(|one| (one.id.to_string(), one.created_at)).collect()
}

async fn names(world: &World) -> Vec<String> {
    campaigns(world).await.into_iter().map(|(id, _)| id).collect()
}

/// Hands over the message of a run.
async fn run(world: &World, scheduled: &str) {
    let message = Message::Newsletter { newsletter: id(), scheduled: scheduled.parse().unwrap() };
    world.workers().handle(&message.body().unwrap(), &Unhurried).await.unwrap();
}

/// So long after a run its campaign may come, by a clock that goes on with real time.
const SOON: SignedDuration = SignedDuration::from_mins(2);

fn assert_came(campaigns: &[(String, Timestamp)], expected: &[(&str, &str)]) {
    let ids: Vec<&str> = campaigns.iter().map(|(id, _)| id.as_str()).collect();
    assert_eq!(ids, expected.iter().map(|(id, _)| *id).collect::<Vec<_>>());
    for ((id, came), (_, due)) in campaigns.iter().zip(expected) {
        let due: Timestamp = due.parse().unwrap();
        assert!(*came >= due && *came < due + SOON, "{id} came at {came}");
    }
}

#[tokio::test]
async fn a_weekly_one_is_a_campaign_a_week_also_over_the_night_in_which_its_hour_is_skipped() {
    let world = world("2027-03-15T09:00:00Z", "30 2 * * sun").await;
    assert_eq!(told(&world).await["next_run"], "2027-03-21T01:30:00Z");

    world.advance_to("2027-04-05T00:00:00Z").await;

    let expected = [
        ("rust-2027-03-21", "2027-03-21T01:30:00Z"),
        ("rust-2027-03-28", "2027-03-28T01:00:00Z"),
        ("rust-2027-04-04", "2027-04-04T00:30:00Z"),
    ];
    assert_came(&campaigns(&world).await, &expected);
    for (id, _) in expected {
        let report = world.check(id).await;
        assert_eq!((&report["status"], &report["outcomes"]["sent"]), (&json!("complete"), &json!(1)), "{id}");
    }
    let told = told(&world).await;
    assert_eq!(told["last_run"]["campaign"], "rust-2027-04-04");
    assert_eq!((&told["last_run"]["refused"], &told["next_run"]), (&json!(null), &json!("2027-04-11T00:30:00Z")));
    let campaigns: &dyn Campaigns = &world.services.dynamo;
    let held = campaigns.get(&"rust-2027-03-28".parse::<CampaignId>().unwrap()).await.unwrap().unwrap();
    assert_eq!(held.created_by.as_str(), "newsletter:weekly");
}

#[tokio::test]
async fn of_an_hour_that_comes_twice_it_runs_in_the_first_whichever_the_scheduler_takes() {
    let world = world("2026-10-24T12:00:00Z", "30 2 * * *").await;
    world.advance_to("2026-10-25T01:40:00Z").await;
    run(&world, "2026-10-25T01:30:00Z").await;
    world.advance_to("2026-10-26T02:00:00Z").await;
    let expected = [("rust-2026-10-25", "2026-10-25T00:30:00Z"), ("rust-2026-10-26", "2026-10-26T01:30:00Z")];
    assert_came(&campaigns(&world).await, &expected);
}

#[tokio::test]
async fn one_that_is_put_in_the_night_before_the_clocks_change_runs_at_the_change() {
    let world = world("2027-03-28T00:00:00Z", "0 2 * * *").await;
    world.advance_to("2027-03-28T12:00:00Z").await;
    assert_came(&campaigns(&world).await, &[("rust-2027-03-28", "2027-03-28T01:00:00Z")]);
}

#[tokio::test]
async fn a_run_that_comes_twice_or_twice_at_once_is_one_campaign_also_when_another_was_put_meanwhile() {
    let world = world("2026-11-23T09:00:00Z", "0 9 * * mon").await;
    world.clock.reach("2026-11-30T08:00:01Z".parse().unwrap());
    let scheduled = "2026-11-30T08:00:00Z";
    join_all((0..3).map(|_| run(&world, scheduled))).await;
    world.drain().await;
    let changed = json!({ "campaign": { "content": { "headline": "Another one" } } });
    put(&world, &with(newsletter("0 9 * * mon"), changed)).await;
    run(&world, scheduled).await;
    world.until("rust-2026-11-30", Complete).await;

    assert_eq!(names(&world).await, ["rust-2026-11-30"]);
    assert_eq!((world.services.ses.count(), &told(&world).await["last_run"]["refused"]), (1, &json!(null)));

    world.advance_to("2026-12-07T09:00:00Z").await;
    assert_eq!(names(&world).await, ["rust-2026-11-30", "rust-2026-12-07"]);
    let subjects: Vec<String> = world.services.ses.mails().iter().map(|mail| mail.text().unwrap()).collect();
    assert!(!subjects[0].contains("Another one") && subjects[1].contains("Another one"), "{subjects:?}");
}

#[tokio::test]
async fn put_again_it_runs_by_its_new_schedule_alone() {
    let world = world("2026-11-23T09:00:00Z", "0 9 * * mon").await;
    world.advance_to("2026-11-29T09:00:00Z").await;
    let told = put(&world, &newsletter("15 10 * * tue")).await;
    assert_eq!(told["next_run"], "2026-12-01T09:15:00Z");
    // The message of a run by the old schedule may be on its way still.
    world.clock.reach("2026-11-30T08:00:01Z".parse().unwrap());
    run(&world, "2026-11-30T08:00:00Z").await;
    world.advance_to("2026-12-09T00:00:00Z").await;
    assert_came(
        &campaigns(&world).await,
        &[("rust-2026-12-01", "2026-12-01T09:15:00Z"), ("rust-2026-12-08", "2026-12-08T09:15:00Z")],
    );
}

#[tokio::test]
async fn what_was_due_before_a_schedule_was_put_is_no_run_of_it() {
    let world = world("2026-11-23T09:00:00Z", "0 9 * * mon").await;
    // Of the day on which it was put, an hour before; and one that is to come.
    run(&world, "2026-11-23T08:00:00Z").await;
    run(&world, "2026-11-30T08:00:00Z").await;
    world.drain().await;
    assert_eq!(names(&world).await, Vec::<String>::new());
    assert_eq!(told(&world).await["last_run"], json!(null));
}

#[tokio::test]
async fn deleted_it_runs_no_more_and_its_campaigns_go_on() {
    let world = world("2026-11-23T09:00:00Z", "0 9 * * mon").await;
    world.clock.reach("2026-11-30T08:00:01Z".parse().unwrap());
    run(&world, "2026-11-30T08:00:00Z").await;
    world.deployment.api().delete_newsletter(&id()).await.unwrap();

    assert_eq!(world.until("rust-2026-11-30", Complete).await["outcomes"]["sent"], 1);
    run(&world, "2026-12-07T08:00:00Z").await;
    world.advance_to("2026-12-21T09:00:00Z").await;

    assert_eq!(names(&world).await, ["rust-2026-11-30"]);
    let api = world.deployment.api();
    assert!(matches!(api.newsletter(&id()).await, Err(ApiError::NotFound { .. })));
    assert!(matches!(api.delete_newsletter(&id()).await, Err(ApiError::NotFound { .. })));
    assert_eq!(api.newsletters(None).await.unwrap(), (Vec::new(), None));
}

#[tokio::test]
async fn a_run_that_the_policy_of_its_day_refuses_is_told_and_left_and_the_next_one_comes() {
    let world = world("2026-11-23T09:00:00Z", "0 9 * * mon").await;
    let mut other = policy();
    other["topics"]["rust"]["channels"] = json!(["personal"]);
    world.put_policy(&other).await;
    world.advance_to("2026-11-30T09:00:00Z").await;
    let told = told(&world).await;
    assert_eq!((names(&world).await.len(), &told["last_run"]["campaign"]), (0, &json!("rust-2026-11-30")));
    assert!(told["last_run"]["refused"].as_str().unwrap().contains("/channel"), "{told}");

    world.put_policy(&policy()).await;
    world.advance_to("2026-12-07T09:00:00Z").await;
    assert_eq!(names(&world).await, ["rust-2026-12-07"]);
}

#[tokio::test]
async fn a_run_whose_name_another_campaign_has_is_told() {
    let world = world("2026-11-23T09:00:00Z", "0 9 * * mon").await;
    world.submit(&with(campaign("rust-2026-11-30"), json!({ "content": { "headline": "By hand" } }))).await;
    world.advance_to("2026-11-30T09:00:00Z").await;
    assert_eq!(names(&world).await, ["rust-2026-11-30"]);
    let told = told(&world).await;
    assert!(told["last_run"]["refused"].as_str().unwrap().contains("was used for another campaign"), "{told}");
}

#[tokio::test]
async fn a_run_that_comes_late_is_a_campaign_unless_that_would_have_ended() {
    let late = world("2026-11-23T09:00:00Z", "0 9 24 11 *").await;
    late.clock.reach("2026-12-01T07:00:00Z".parse().unwrap());
    late.drain().await;
    assert_eq!(late.until("rust-2026-11-24", Complete).await["outcomes"]["sent"], 1);

    let later = world("2026-11-23T09:00:00Z", "0 9 24 11 *").await;
    later.clock.reach("2026-12-01T08:00:00Z".parse().unwrap());
    later.drain().await;
    assert_eq!(names(&later).await, Vec::<String>::new());
    let told = told(&later).await;
    assert!(told["last_run"]["refused"].as_str().unwrap().contains("/expires_at"), "{told}");
}

#[tokio::test]
async fn runs_that_come_late_together_are_a_campaign_each() {
    let world = world("2026-11-23T09:00:00Z", "0 9 * * *").await;
    world.clock.reach("2026-11-26T09:00:00Z".parse().unwrap());
    world.drain().await;
    let mut names = names(&world).await;
    names.sort_unstable();
    assert_eq!(names, ["rust-2026-11-24", "rust-2026-11-25", "rust-2026-11-26"]);
}

#[tokio::test]
async fn every_fault_of_newsletter_and_campaign_is_named_at_once_and_nothing_is_stored() {
    let world = World::start().await;
    let api = world.deployment.api();
    for (body, fields) in [
        (json!({}), vec!["/cron", "/time_zone", "/campaign"]),
        (
            json!({ "cron": "0 9 30 2 *", "time_zone": "Mars", "campaign": { "id": "a b", "topic": "gardening",
                "channel": "work", "template": "none", "expires_at": "2026-01-01T00:00:00Z", "colour": 1 } }),
            vec![
                "/cron",
                "/time_zone",
                "/campaign/id",
                "/campaign/expires_at",
                "/campaign/colour",
                "/campaign/topic",
                "/campaign/template",
            ],
        ),
        (
            with(newsletter("0 9 * * mon"), json!({ "campaign": { "content": null } })),
            vec!["/campaign/content/headline"],
        ),
        (with(newsletter("0 9 * * mon"), json!({ "campaign": { "id": "{{date}}{{time}}" } })), vec!["/campaign/id"]),
        (
            with(newsletter("0 9 * * mon"), json!({ "campaign": { "kind": "notice" } })),
            vec!["/campaign/template", "/campaign/template"],
        ),
    ] {
        let Err(ApiError::Invalid(faults)) = api.put_newsletter(&id(), &body, "a test").await else { panic!("{body}") };
        let found: Vec<&str> = faults.iter().map(|fault| fault.field.as_str()).collect();
        assert_eq!(found, fields, "{faults:?}");
    }
    assert_eq!(api.newsletters(None).await.unwrap(), (Vec::new(), None));
    assert_eq!(world.next_due(), None);
}

#[tokio::test]
async fn those_who_put_at_once_leave_the_schedule_of_the_one_that_is_kept() {
    let world = world("2026-11-23T09:00:00Z", "0 9 * * mon").await;
    for _ in 0..5 {
        let id = id();
        let (api, crons) = (world.deployment.api(), ["0 9 * * tue", "0 9 * * wed", "0 9 * * thu"].map(newsletter));
        let puts = join_all(crons.iter().map(|body| api.put_newsletter(&id, body, "a test"))).await;
        assert!(puts.iter().any(Result::is_ok));
        let next = told(&world).await["next_run"].as_str().unwrap().parse().unwrap();
        assert_eq!(world.services.schedules.next_due(), Some(next));
    }
}

/// Fails at every first call for a name.
struct Fickle {
    inner: Arc<dyn Scheduler>,
    failed: Mutex<BTreeSet<String>>,
}

impl Fickle {
    fn fails(&self, call: &str) -> Result<(), PortError> {
        let first = self.failed.lock().unwrap().insert(call.to_owned());
        if first { Err(PortError::unavailable("a test", "down")) } else { Ok(()) }
    }
}

#[async_trait]
impl Scheduler for Fickle {
    async fn once(&self, name: &ScheduleName, at: Timestamp, message: &Message) -> Result<(), PortError> {
        self.fails("once")?;
        self.inner.once(name, at, message).await
    }

    async fn recur(&self, name: &ScheduleName, when: &Recurrence, id: &NewsletterId) -> Result<(), PortError> {
        self.fails("recur")?;
        self.inner.recur(name, when, id).await
    }

    async fn forget(&self, name: &ScheduleName) -> Result<(), PortError> {
        self.fails("forget")?;
        self.inner.forget(name).await
    }
}

#[tokio::test]
async fn a_change_that_failed_half_way_is_asked_for_again() {
    let world = World::with(Setup { start: "2027-03-27T12:00:00Z", ..Setup::default() }).await;
    let mut deployment = world.deployment.clone();
    deployment.scheduler =
        Arc::new(Fickle { inner: Arc::clone(&world.deployment.scheduler), failed: Mutex::default() });
    let api: Api = deployment.api();
    let body = newsletter("30 2 * * *");
    for attempt in 1..=3 {
        let put = api.put_newsletter(&id(), &body, "a test").await;
        assert_eq!(put.is_ok(), attempt == 3, "{put:?}");
    }
    assert_eq!(world.services.schedules.next_due(), Some("2027-03-28T01:00:00Z".parse().unwrap()));
    assert!(matches!(api.delete_newsletter(&id()).await, Err(ApiError::Port(_))));
    api.delete_newsletter(&id()).await.unwrap();
    assert_eq!(world.services.schedules.next_due(), None);
}

#[tokio::test]
async fn the_yearly_notices_that_ship_reach_everybody_once_a_year() {
    let world = World::start().await;
    let both = json!({ "addresses": { "personal": "r-2@example.net" } });
    world.put(&[person("r-1"), with(person("r-2"), both)]).await;
    for (name, file) in [
        ("work", include_str!("../../templates/data-notice/newsletter.json")),
        ("personal", include_str!("../../templates/data-notice/newsletter-personal.json")),
    ] {
        let body = serde_json::from_str(file).unwrap();
        world.deployment.api().put_newsletter(&name.parse().unwrap(), &body, "a test").await.unwrap();
    }
    world.advance_to("2027-01-25T00:00:00Z").await;
    assert_eq!(world.services.ses.count(), 2);
    // A year later nobody's history goes back to these.
    for run in ["2028-01-15T08:00:00Z", "2028-01-16T08:00:00Z"] {
        assert_eq!(world.next_due(), Some(run.parse().unwrap()));
        world.clock.reach(run.parse().unwrap());
        world.drain().await;
    }
    assert_eq!(
        names(&world).await,
        [
            "data-notice-2027-01-15-work",
            "data-notice-2027-01-16-personal",
            "data-notice-2028-01-15-work",
            "data-notice-2028-01-16-personal",
        ]
    );
    assert_eq!(world.services.ses.count(), 4);
}
