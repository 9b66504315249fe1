//! What a recipient says beats every campaign and every import, also in the midst of a run.

use std::sync::Arc;

use germane::{
    domain::{
        decision::{Outcome, Reason, ReasonCode},
        secret::Secret,
    },
    flow::{
        api::{ApiError, Code},
        preferences::Unsubscribed,
        queue::Unhurried,
        token::{Purpose, TokenKey, TokenKeys},
    },
};
use serde_json::{Value, json};

use super::faults::{Write, after_page, claim_by, once};
use crate::world::{NOW, World, campaign, person, with};

/// Three people whose shard is launched and not walked yet.
async fn launched() -> Arc<World> {
    let world = World::with_shards(1).await;
    world.put(&[person("r-1"), person("r-2"), person("r-3")]).await;
    world.launch(&campaign("weekly")).await;
    Arc::new(world)
}

async fn unsubscribe(world: &World, campaign: &str, recipient: &str) -> Unsubscribed {
    let preferences = world.deployment.preferences();
    let (recipient, campaign) = (recipient.parse().unwrap(), campaign.parse().unwrap());
    let token = preferences.tokens.sign(Purpose::Unsubscribe, &recipient, &campaign);
    preferences.unsubscribe(&token, None).await.unwrap()
}

async fn document(world: &World, id: &str) -> Value {
    world.deployment.api().get_recipient(&id.parse().unwrap()).await.unwrap()
}

#[tokio::test]
async fn a_withdrawal_between_the_page_and_the_claim_wins() {
    let world = launched().await;
    let mut sender = world.deployment.sender();
    let other = Arc::clone(&world);
    let act = once(move || {
        let world = Arc::clone(&other);
        async move { assert_eq!(unsubscribe(&world, "weekly", "r-2").await, Unsubscribed::Done) }
    });
    after_page(&mut sender, act);
    sender.run(&world.work("weekly", 0), &Unhurried).await.unwrap();

    let report = world.check("weekly").await;
    assert_eq!((&report["outcomes"]["sent"], &report["reasons"]), (&json!(2), &json!({ "consent_withdrawn": 1 })));
    assert_eq!(world.why("weekly", "r-2").await["reason"], "consent_withdrawn");
}

#[tokio::test]
async fn a_change_after_a_claim_whose_answer_was_lost_is_asked_about_again() {
    for (change, reason) in [("withdrawal", "consent_withdrawn"), ("address", "no_address"), ("name", "")] {
        let world = launched().await;
        let mut sender = world.deployment.sender();
        let other = Arc::clone(&world);
        let act = once(move || {
            let world = Arc::clone(&other);
            async move {
                match change {
                    "withdrawal" => assert_eq!(unsubscribe(&world, "weekly", "r-1").await, Unsubscribed::Done),
                    "address" => {
                        let moved = json!({ "addresses": { "work": null, "personal": "r-1@example.net" } });
                        world.put(&[with(json!({ "id": "r-1" }), moved)]).await;
                    }
                    _ => world.put(&[json!({ "id": "r-1", "attributes": { "first_name": "New" } })]).await,
                }
            }
        });
        claim_by(&mut sender, |call| if call == 0 { Write::AndFail } else { Write::Pass }, act);
        world.clock.hurry();
        sender.run(&world.work("weekly", 0), &Unhurried).await.unwrap();

        let report = world.check("weekly").await;
        let reasons = if reason.is_empty() { json!({}) } else { json!({ reason: 1 }) };
        assert_eq!((&report["status"], &report["reasons"]), (&json!("complete"), &reasons), "{change}");
    }
}

#[tokio::test]
async fn an_unsubscribe_withdraws_the_grant_that_justified_the_mail_once_and_no_import_grants_again() {
    let world = World::start().await;
    world.put(&[person("r-1")]).await;
    world.send(&with(campaign("async"), json!({ "topic": "rust/async" }))).await;
    for _ in 0..3 {
        assert_eq!(unsubscribe(&world, "async", "r-1").await, Unsubscribed::Done);
    }
    let left = document(&world, "r-1").await["consents"].clone();
    assert_eq!(left.as_array().unwrap().len(), 1, "the grant on rust was withdrawn, and nothing else written: {left}");
    assert_eq!((&left[0]["topic"], &left[0]["status"]), (&json!("rust"), &json!("withdrawn")));
    assert_eq!(world.evidence("r-1").await.len(), 2, "the grant and the withdrawal");

    world.clock.advance(std::time::Duration::from_hours(24));
    let grant = |topic: &str, at: &str| json!({ "id": "r-1", "consents": [{ "topic": topic, "channel": "work", "status": "granted", "at": at }] });
    world.put(&[grant("rust", NOW), grant("rust", "2026-11-24T08:00:00Z"), grant("rust/async", NOW)]).await;
    world.put(&[json!({ "id": "r-1", "consents": null })]).await;
    assert_eq!(document(&world, "r-1").await["consents"], left);
    let report = world.send(&campaign("next")).await;
    assert_eq!(report["reasons"], json!({ "consent_withdrawn": 1 }));
    assert_eq!(unsubscribe(&world, "no-such-campaign", "r-1").await, Unsubscribed::UnknownToken);
    assert_eq!(unsubscribe(&world, "next", "nobody").await, Unsubscribed::UnknownToken);
}

#[tokio::test]
async fn who_is_erased_in_the_midst_of_a_run_is_not_mailed_not_named_and_not_brought_back() {
    let world = launched().await;
    let mut sender = world.deployment.sender();
    let other = Arc::clone(&world);
    let act = once(move || {
        let world = Arc::clone(&other);
        async move { world.deployment.api().erase_recipient(&"r-2".parse().unwrap()).await.unwrap() }
    });
    after_page(&mut sender, act);
    sender.run(&world.work("weekly", 0), &Unhurried).await.unwrap();

    let report = world.check("weekly").await;
    assert_eq!((&report["outcomes"]["sent"], &report["reasons"]), (&json!(2), &json!({ "suppressed": 1 })));
    let entries = world.entries("weekly").await;
    let erased = entries.iter().find(|entry| entry.outcome.reason() == Some(ReasonCode::Suppressed)).unwrap();
    assert!(matches!(&erased.outcome, Outcome::Skipped(Reason::Suppressed { kind, .. }) if json!(kind) == "erased"));
    let named = world.decisions("weekly").await;
    assert!(named.iter().all(|(id, _)| id.as_str() != "r-2"), "{named:?}");

    let api = world.deployment.api();
    let id = "r-2".parse().unwrap();
    let again = api.put_recipient(&id, &person("r-2"), "a test").await;
    assert!(matches!(again, Err(ApiError::Conflict { code: Code::ErasedAddress, .. })), "{again:?}");
    let elsewhere = json!({ "addresses": { "work": "other@example.com" } });
    api.put_recipient(&id, &with(person("r-2"), elsewhere), "a test").await.unwrap();
    let why = api.why(&"weekly".parse().unwrap(), &id, false).await;
    assert!(matches!(why, Err(ApiError::NotFound { code: Code::NotEvaluated, .. })), "{why:?}");
    assert_eq!(world.evidence("r-2").await.len(), 1, "only what came with the new person");
}

#[tokio::test]
async fn a_link_of_any_age_unsubscribes_also_after_its_key_was_replaced() {
    let world = World::start().await;
    world.put(&[person("r-1")]).await;
    world.send(&campaign("weekly")).await;
    let mut preferences = world.deployment.preferences();
    let token = preferences.tokens.sign(Purpose::Unsubscribe, &"r-1".parse().unwrap(), &"weekly".parse().unwrap());
    world.clock.advance(std::time::Duration::from_hours(24 * 900));
    let key = |id: u8| TokenKey { id, secret: Secret::new([id + 6; 32]) };
    preferences.tokens = TokenKeys::new(key(2), vec![key(1)]);
    assert_eq!(preferences.unsubscribe(&token, None).await.unwrap(), Unsubscribed::Done);
    assert_eq!(document(&world, "r-1").await["consents"][0]["status"], "withdrawn");
    preferences.tokens = TokenKeys::new(key(2), Vec::new());
    assert_eq!(preferences.unsubscribe(&token, None).await.unwrap(), Unsubscribed::UnknownToken);
}
