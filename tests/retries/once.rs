//! Every answer is lost once: each write is made twice and has its effect once.

use std::{
    collections::BTreeSet,
    hash::{DefaultHasher, Hash, Hasher},
    time::Duration,
};

use aws_config::retry::RetryConfig;
use germane::{
    aws::clients::Clients,
    domain::{actor::Actor, lifecycle::Command, report::CampaignStatus},
    flow::{api::ApiError, pace::Timelines, preferences::Unsubscribed, token::Purpose},
    local::ses::SesConfig,
};
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::befallen;
use crate::{
    between::Fate,
    mishaps::{Asked, BULK, Mishaps, Service},
    world::{Setup, World, campaign, person, policy, with},
};

const PEOPLE: usize = 60;

/// The item of the rate's timeline. A moment that is known late is no moment: where each answer about it is lost,
/// nobody is mailed, and no promise is broken. It has a test of its own.
const TIMELINE: &str = r#""S":"rate""#;

/// Loses the first answer to everything but a bulk call; a repetition is what has the same words.
fn forgetful() -> impl FnMut(&Asked) -> Fate + Send + 'static {
    let mut heard: BTreeSet<u64> = BTreeSet::new();
    move |asked| {
        let mut hasher = DefaultHasher::new();
        (asked.service, &asked.operation, &asked.body).hash(&mut hasher);
        let spared = asked.is(BULK) || asked.body.contains(TIMELINE);
        let lost = !spared && heard.insert(hasher.finish());
        if lost { Fate::Unanswered } else { Fate::Passed }
    }
}

/// With as many attempts as ever, and less time between them.
async fn under_loss(shards: u16) -> (World, Mishaps) {
    let mut world = World::with_shards(shards).await;
    let (mishaps, clients) = Mishaps::before(&world.services, forgetful()).await;
    let retries = RetryConfig::standard().with_initial_backoff(Duration::from_millis(20));
    macro_rules! soon {
        ($sdk:ident, $client:expr) => {
            $sdk::Client::from_conf($client.config().to_builder().retry_config(retries.clone()).build())
        };
    }
    let clients = Clients {
        dynamodb: soon!(aws_sdk_dynamodb, clients.dynamodb),
        sqs: soon!(aws_sdk_sqs, clients.sqs),
        ses: soon!(aws_sdk_sesv2, clients.ses),
        scheduler: soon!(aws_sdk_scheduler, clients.scheduler),
        ..clients
    };
    world.deployment = world.deployment_over(&clients).await.unwrap();
    (world, mishaps)
}

#[tokio::test]
async fn a_campaign_whose_every_answer_is_lost_once_comes_out_as_any_other() {
    let (world, mishaps) = under_loss(2).await;
    let people: Vec<Value> = (0..PEOPLE).map(|n| person(&format!("r-{n:05}"))).collect();
    world.put(&people).await;
    let report = world.send(&campaign("weekly")).await;
    assert_eq!((&report["status"], &report["outcomes"]["sent"]), (&json!("complete"), &json!(PEOPLE)));
    assert_eq!(world.feed_back().await, 0);
    let lost = mishaps.fates().get(&(Service::DynamoDb, "unanswered")).copied().unwrap_or_default();
    assert!(lost > 20 && mishaps.calls_of(Service::DynamoDb) >= 2 * lost, "{:?}", mishaps.fates());
}

#[tokio::test]
async fn a_reservation_whose_answer_was_lost_counts_twice_and_never_too_little() {
    for words in ["h = :end", "h = h + :span"] {
        let mut first = true;
        // So slow that each batch waits behind the one before it.
        let ses = SesConfig { max_send_rate: 100.0, ..SesConfig::default() };
        let slow = World::with(Setup { ses, shards: 1, ..Setup::default() }).await;
        let (world, _mishaps) = befallen(slow, move |asked| {
            let lost = asked.body.contains(words) && std::mem::take(&mut first);
            if lost { Fate::Unanswered } else { Fate::Passed }
        })
        .await;
        world.put_many(PEOPLE).await;
        let report = world.send(&campaign("weekly")).await;
        assert_eq!((&report["status"], &report["outcomes"]["sent"]), (&json!("complete"), &json!(PEOPLE)));

        let timelines: &dyn Timelines = &world.services.dynamo;
        let reserved = timelines.get().await.unwrap().unwrap().day.total;
        let (people, batch) = (PEOPLE as u64, 5);
        assert!((people + 1..=people + batch).contains(&reserved), "{words}: {reserved}");
    }
}

#[tokio::test]
async fn what_is_asked_of_the_api_has_its_effect_once_whichever_answers_are_lost() {
    let (world, _mishaps) = under_loss(1).await;
    let api = world.deployment.api();
    world.put(&[person("r-1"), person("r-2"), person("r-3")]).await;

    let before = api.get_policy().await.unwrap().version;
    let after = api.put_policy(&with(policy(), json!({ "retention_days": 100 })), &Actor::local()).await.unwrap();
    assert_eq!((after, api.get_policy().await.unwrap().version), (before + 1, before + 1));

    let suppressed = api.suppress("r-2@example.com", &json!({ "note": "by telephone" })).await.unwrap();
    assert_eq!(suppressed.standing.to_json()["note"], "by telephone");
    assert!(api.lift("r-2@example.com").await.unwrap().is_some(), "it was there to be lifted");
    api.suppress("r-2@example.com", &json!({})).await.unwrap();

    let later = world.now() + SignedDuration::from_hours(1);
    let planned = with(campaign("weekly"), json!({ "not_before": later }));
    for _ in 0..2 {
        let (_, status) = api.submit(&planned, &Actor::local()).await.unwrap();
        assert_eq!(status, CampaignStatus::Scheduled);
    }
    let id = "weekly".parse().unwrap();
    for (command, status) in [(Command::Pause, CampaignStatus::Paused), (Command::Resume, CampaignStatus::Scheduled)] {
        assert_eq!(api.command(&id, command).await.unwrap(), status);
    }

    let token = world.deployment.tokens.sign(Purpose::Unsubscribe, &"r-3".parse().unwrap(), &id);
    assert_eq!(world.deployment.preferences().unsubscribe(&token, None).await.unwrap(), Unsubscribed::Done);
    assert_eq!(world.evidence("r-3").await.len(), 2, "the grant and the withdrawal");

    world.pass(SignedDuration::from_hours(2)).await;
    let report = world.check("weekly").await;
    assert_eq!(report["reasons"], json!({ "suppressed": 1, "consent_withdrawn": 1 }));
    assert_eq!((&report["status"], &report["outcomes"]["sent"]), (&json!("complete"), &json!(1)));

    let newsletter = json!({ "cron": "0 9 * * *", "time_zone": "UTC", "campaign": campaign("rust-{{date}}") });
    let newsletter_id = "daily".parse().unwrap();
    assert_eq!(api.put_newsletter(&newsletter_id, &newsletter, "a test").await.unwrap()["cron"], "0 9 * * *");
    api.delete_newsletter(&newsletter_id).await.unwrap();
    let gone = api.newsletter(&newsletter_id).await;
    assert!(matches!(gone, Err(ApiError::NotFound { .. })), "{gone:?}");

    api.erase_recipient(&"r-1".parse().unwrap()).await.unwrap();
    let erased = api.put_recipient(&"r-4".parse().unwrap(), &person("r-1"), "a test").await;
    assert!(erased.is_err(), "an address outlives its owner");
    let back = api.put_recipients(&[&person("r-1").to_string()], "a test").await.unwrap();
    assert_eq!(back[0]["result"], "refused", "{back:?}");
}
