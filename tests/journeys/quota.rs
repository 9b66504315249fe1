//! The account's daily quota: a campaign that is larger waits and goes on by itself.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message};
use germane::{
    domain::{
        id::NewsletterId,
        newsletter::Recurrence,
        report::CampaignStatus::{Complete, Expired, WaitingForQuota},
    },
    flow::{
        api::ApiError,
        port::PortError,
        queue::Unhurried,
        schedule::{ScheduleName, Scheduler},
        send::mail::{Answer, Batch, Mailer, MailerError},
    },
    lambda::queue::Workers,
    local::ses::SesConfig,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::faults::{Post, mail_by};
use crate::world::{Setup, World, campaign, person, with};

const QUOTA: usize = 40;
const PEOPLE: usize = 100;

async fn small_account(shards: u16) -> World {
    #[expect(clippy::cast_precision_loss, reason = "a small number")]
    let ses = SesConfig { daily_quota: QUOTA as f64, ..SesConfig::default() };
    World::with(Setup { ses, shards, ..Setup::default() }).await
}

/// Counts the mails that SES refused for its quota.
struct Counting {
    inner: Arc<dyn Mailer>,
    refused: Arc<AtomicUsize>,
}

#[async_trait]
impl Mailer for Counting {
    async fn send(&self, batch: &Batch<'_>) -> Result<Vec<Answer>, MailerError> {
        let answers = self.inner.send(batch).await?;
        let refused = answers.iter().filter(|answer| **answer == Answer::QuotaExceeded).count();
        self.refused.fetch_add(refused, Ordering::Relaxed);
        Ok(answers)
    }
}

/// Workers, and how many mails of theirs SES refuses for its quota.
fn counted(world: &World) -> (Workers, Arc<AtomicUsize>) {
    let (mut sender, refused) = (world.deployment.sender(), Arc::new(AtomicUsize::new(0)));
    sender.mailer = Arc::new(Counting { inner: Arc::clone(&sender.mailer), refused: Arc::clone(&refused) });
    (Workers { sender: Arc::new(sender), ..world.workers() }, refused)
}

/// The most mails within any 24 hours.
fn busiest_day(world: &World) -> usize {
    let times: Vec<Timestamp> = world.services.ses.mails().iter().map(|mail| mail.at).collect();
    let within = |start: Timestamp| {
        times.iter().filter(|at| (start..start + SignedDuration::from_hours(24)).contains(*at)).count()
    };
    times.iter().map(|start| within(*start)).max().unwrap_or(0)
}

/// Waits for quota until `until`, with so many mailed.
async fn waits_until(world: &World, until: &str, sent: usize) {
    let report = world.until("weekly", WaitingForQuota).await;
    let detail = &report["status_detail"];
    assert_eq!((&detail["code"], &detail["until"]), (&json!("quota"), &json!(until)), "{report}");
    assert_eq!((&report["outcomes"]["sent"], world.services.ses.count()), (&json!(sent), sent), "{report}");
}

#[tokio::test]
async fn a_campaign_of_two_and_a_half_quotas_takes_three_days_and_asks_ses_for_nothing_that_it_refuses() {
    for shards in [1, 4] {
        let world = small_account(shards).await;
        world.put_many(PEOPLE).await;
        world.launch(&campaign("weekly")).await;
        let (workers, refused) = counted(&world);
        world.drain_with(&workers).await;
        // An hour is counted as a whole, so that what was mailed at its end is a day old as well.
        waits_until(&world, "2026-11-24T10:00:00Z", QUOTA).await;
        world.advance_to("2026-11-24T09:59:59Z").await;
        assert_eq!(world.services.ses.count(), QUOTA);
        world.clock.reach("2026-11-24T10:00:00Z".parse().unwrap());
        world.drain_with(&workers).await;
        waits_until(&world, "2026-11-25T11:00:00Z", 2 * QUOTA).await;
        world.clock.reach("2026-11-25T11:00:00Z".parse().unwrap());
        world.drain_with(&workers).await;
        let report = world.until("weekly", Complete).await;

        assert_eq!((&report["outcomes"]["sent"], &report["audience"]), (&json!(PEOPLE), &json!(PEOPLE)));
        assert_eq!((refused.load(Ordering::Relaxed), busiest_day(&world)), (0, QUOTA));
        assert_eq!(report["status_detail"], Value::Null);
    }
}

#[tokio::test]
async fn a_campaign_that_waits_past_its_end_expires_and_skips_whom_it_had_put_off() {
    let world = small_account(1).await;
    world.put_many(PEOPLE).await;
    world.submit(&with(campaign("weekly"), json!({ "expires_at": "2026-11-24T08:00:00Z" }))).await;
    waits_until(&world, "2026-11-24T10:00:00Z", QUOTA).await;
    // A batch of 50 was given 40.
    assert_eq!(world.report("weekly").await["reasons"], json!({ "quota": 10 }));
    assert_eq!(world.why("weekly", "r-00045").await["outcome"], "deferred");

    let report = world.until("weekly", Expired).await;
    assert_eq!((&report["decided"], &report["reasons"]), (&json!(50), &json!({ "campaign_expired": 10 })));
    assert_eq!(world.why("weekly", "r-00045").await["reason"], "campaign_expired");
    let beyond = world.deployment.api().why(&"weekly".parse().unwrap(), &"r-00050".parse().unwrap(), false).await;
    assert!(matches!(beyond, Err(ApiError::NotFound { .. })), "{beyond:?}");
    world.advance_to("2026-11-25T12:00:00Z").await;
    assert_eq!((world.check("weekly").await, world.services.ses.count()), (report, QUOTA));
}

/// Mails of somebody else from the same account.
async fn others_send(world: &World, mails: usize) {
    let text = |data: &str| Content::builder().data(data).build().unwrap();
    let message = Message::builder().subject(text("Receipt")).body(Body::builder().text(text("Paid.")).build()).build();
    for _ in 0..mails {
        let sent = world
            .services
            .clients
            .ses
            .send_email()
            .from_email_address("shop@example.com")
            .destination(Destination::builder().to_addresses("buyer@example.net").build())
            .content(EmailContent::builder().simple(message.clone()).build())
            .email_tags(tag("campaign"))
            .email_tags(tag("recipient"))
            .send();
        sent.await.unwrap();
    }
}

fn tag(name: &str) -> aws_sdk_sesv2::types::MessageTag {
    // "shop", as our tags are written.
    aws_sdk_sesv2::types::MessageTag::builder().name(name).value("c2hvcA").build().unwrap()
}

#[tokio::test]
async fn what_others_sent_from_the_account_is_left_out_of_what_we_send() {
    let world = small_account(1).await;
    world.put_many(PEOPLE).await;
    others_send(&world, 30).await;
    world.launch(&campaign("weekly")).await;
    let (workers, refused) = counted(&world);
    world.drain_with(&workers).await;
    assert_eq!((world.mails("weekly").len(), refused.load(Ordering::Relaxed)), (QUOTA - 30, 0));
    let report = world.until("weekly", Complete).await;
    assert_eq!((&report["outcomes"]["sent"], busiest_day(&world)), (&json!(PEOPLE), QUOTA));
}

#[tokio::test]
async fn a_quota_that_ses_finds_used_up_before_we_do_is_waited_for_as_well() {
    let world = small_account(1).await;
    world.put(&[person("first")]).await;
    world.send(&campaign("first")).await;
    // Within the minute in which nobody asks SES again.
    others_send(&world, 30).await;
    world.put_many(60).await;
    world.launch(&campaign("weekly")).await;
    let (workers, refused) = counted(&world);
    world.drain_with(&workers).await;
    let report = world.check("weekly").await;
    assert_eq!((&report["status"], &report["status_detail"]["code"]), (&json!("waiting_for_quota"), &json!("quota")));
    assert_eq!((&report["outcomes"]["sent"], world.slots("weekly").await), (&json!(9), 9));
    assert!(refused.load(Ordering::Relaxed) > 0);

    let report = world.until("weekly", Complete).await;
    assert_eq!((&report["outcomes"]["sent"], &report["reasons"]), (&json!(61), &json!({})));
    assert_eq!(busiest_day(&world), QUOTA);
}

struct Schedules {
    inner: Arc<dyn Scheduler>,
    made: Arc<AtomicUsize>,
}

#[async_trait]
impl Scheduler for Schedules {
    async fn once(
        &self,
        name: &ScheduleName,
        at: Timestamp,
        message: &germane::flow::queue::Message,
    ) -> Result<(), PortError> {
        self.made.fetch_add(1, Ordering::Relaxed);
        self.inner.once(name, at, message).await
    }

    async fn recur(
        &self,
        name: &ScheduleName,
        recurrence: &Recurrence,
        newsletter: &NewsletterId,
    ) -> Result<(), PortError> {
        self.inner.recur(name, recurrence, newsletter).await
    }

    async fn forget(&self, name: &ScheduleName) -> Result<(), PortError> {
        self.inner.forget(name).await
    }
}

#[tokio::test]
async fn a_call_of_which_much_is_over_the_quota_makes_one_wake() {
    let world = small_account(1).await;
    world.put_many(30).await;
    world.launch(&campaign("weekly")).await;
    let (mut sender, made) = (world.deployment.sender(), Arc::new(AtomicUsize::new(0)));
    sender.scheduler = Arc::new(Schedules { inner: Arc::clone(&sender.scheduler), made: Arc::clone(&made) });
    mail_by(&mut sender, |_, batch| Post::Answer(vec![Answer::QuotaExceeded; batch.mails.len()]));
    sender.run(&world.work("weekly", 0), &Unhurried).await.unwrap();
    let report = world.check("weekly").await;
    assert_eq!((&report["status"], &report["decided"]), (&json!("waiting_for_quota"), &json!(0)));
    assert_eq!((made.load(Ordering::Relaxed), world.slots("weekly").await), (1, 0));
}

#[tokio::test]
async fn who_has_a_reservation_when_the_quota_ends_is_mailed() {
    // One mail in 58 milliseconds: some wait for their moment when the next one is refused.
    let ses = SesConfig { max_send_rate: 20.0, daily_quota: 10.0, ..SesConfig::default() };
    let world = World::with(Setup { ses, shards: 1, ..Setup::default() }).await;
    world.put_many(20).await;
    world.submit(&campaign("weekly")).await;
    waits_until(&world, "2026-11-24T10:00:00Z", 10).await;
    assert_eq!(world.until("weekly", Complete).await["outcomes"]["sent"], 20);
}

#[tokio::test]
async fn two_campaigns_share_the_quota_and_both_end() {
    let world = small_account(2).await;
    world.put_many(30).await;
    for id in ["weekly", "monthly"] {
        world.launch(&campaign(id)).await;
    }
    world.drain().await;
    assert_eq!(world.services.ses.count(), QUOTA);
    for id in ["weekly", "monthly"] {
        assert_eq!(world.until(id, Complete).await["outcomes"]["sent"], 30);
    }
    assert_eq!(busiest_day(&world), QUOTA);
}
