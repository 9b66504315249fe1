//! Events that correct the ledger: in whatever order and however often they come.

use std::{sync::Arc, time::Duration};

use germane::{aws::tables::TableNames, local::services::FEEDBACK};
use serde_json::{Value, json};

use super::{event, mailed, silence, tell};
use crate::{
    journeys::faults::{Post, lose, mail_by},
    world::{World, campaign, person, with},
};

/// One call of SES, so that all of them were mailed once the worker hangs.
const PEOPLE: usize = 40;

fn outcomes(report: &Value) -> (u64, u64, u64) {
    let of = |kind: &str| report["outcomes"][kind].as_u64().unwrap();
    (of("sent"), of("failed"), of("in_doubt"))
}

/// A worker that mailed so many and committed nothing is gone; SES's events are in their queue.
async fn mailed_and_lost(people: usize) -> World {
    let world = World::with_shards(1).await;
    world.put_many(people).await;
    world.launch(&campaign("weekly")).await;
    let mut sender = world.deployment.sender();
    let gate = mail_by(&mut sender, |_, _| Post::DeliverAndHang);
    lose(&sender, &world.work("weekly", 0), &gate).await;
    world
}

/// One mail that went out, of which nobody has heard.
async fn one_in_doubt() -> World {
    let world = mailed_and_lost(1).await;
    silence(&world);
    world.take_over().await;
    assert_eq!(outcomes(&world.report("weekly").await), (0, 0, 1));
    world
}

#[tokio::test]
async fn a_delivery_proves_that_a_mail_in_doubt_was_sent() {
    let world = mailed_and_lost(PEOPLE).await;
    world.take_over().await;
    let mailed = world.services.ses.count() as u64;
    let (sent, _, in_doubt) = outcomes(&world.report("weekly").await);
    assert!(in_doubt > 0, "the lost worker's people are in doubt");
    assert_eq!(world.feed_back().await, 0);
    let report = world.report("weekly").await;
    assert_eq!(outcomes(&report), (mailed, 0, sent + in_doubt - mailed), "{report}");
    assert_eq!(report["decided"], PEOPLE);

    let mails = world.mails("weekly");
    for (id, decision) in world.decisions("weekly").await {
        let expected = if mails.contains_key(&id) { "sent" } else { "in_doubt" };
        assert_eq!(decision["outcome"], expected);
        assert_eq!(world.why("weekly", id.as_str()).await, decision);
    }
}

#[tokio::test]
async fn an_event_that_comes_before_its_chunk_waits_for_it() {
    let world = mailed_and_lost(PEOPLE).await;
    let mailed = world.services.ses.count();
    assert_eq!(world.feed_back().await, 0);
    assert_eq!(world.services.queues.depth(FEEDBACK), mailed, "each is queued again");
    world.take_over().await;
    world.feed_back().await;
    assert_eq!(world.services.queues.depth(FEEDBACK), 0);
    let report = world.report("weekly").await;
    assert_eq!(outcomes(&report).0, mailed as u64, "{report}");
    assert_eq!(report["feedback"]["delivered"], mailed, "waiting counts nothing twice");
}

#[tokio::test]
async fn a_mail_that_ses_could_not_render_has_failed_and_gives_its_slot_back() {
    let world = mailed().await;
    for _ in 0..2 {
        tell(&world, &event("rendering-failure", "weekly", "r-1"));
        assert_eq!(world.feed_back().await, 0);
        let report = world.report("weekly").await;
        assert_eq!(outcomes(&report), (0, 1, 0));
        assert_eq!(report["reasons"], json!({ "not_rendered": 1 }));
    }
    assert_eq!(world.slots("weekly").await, 0);
    assert_eq!(world.why("weekly", "r-1").await["reason"], "not_rendered");
    // The slot is free for the next one.
    let strict = json!({ "preferences": { "max_frequency": { "sends": 1, "days": 30 } } });
    world.put(&[with(json!({ "id": "r-1" }), strict)]).await;
    assert_eq!(world.send(&campaign("second")).await["outcomes"]["sent"], 1);
}

#[tokio::test]
async fn a_mail_that_ses_rejected_has_failed_whatever_is_told_after() {
    let world = mailed().await;
    tell(&world, &event("reject", "weekly", "r-1"));
    tell(&world, &event("rendering-failure", "weekly", "r-1"));
    tell(&world, &event("delivery", "weekly", "r-1"));
    world.feed_back().await;
    let decision = world.why("weekly", "r-1").await;
    assert_eq!((&decision["outcome"], &decision["reason"]), (&json!("failed"), &json!("rejected")));
    assert_eq!(decision["detail"], json!({ "status": "REJECT" }));
}

#[tokio::test]
async fn a_mail_in_doubt_that_ses_rejected_has_failed() {
    let world = one_in_doubt().await;
    tell(&world, &event("reject", "weekly", "r-00000"));
    world.feed_back().await;
    assert_eq!(outcomes(&world.report("weekly").await), (0, 1, 0));
    assert_eq!(world.slots("weekly").await, 0);
}

#[tokio::test]
async fn a_bounce_settles_a_mail_in_doubt_as_sent() {
    let world = one_in_doubt().await;
    tell(&world, &event("bounce-permanent-general", "weekly", "r-00000"));
    world.feed_back().await;
    assert_eq!(outcomes(&world.report("weekly").await), (1, 0, 0));
    assert_eq!(world.slots("weekly").await, 1);
}

#[tokio::test]
async fn an_event_about_somebody_who_was_put_off_waits_until_the_campaign_is_over() {
    let world = World::start().await;
    world.put(&[with(person("r-1"), json!({ "time_zone": "America/Los_Angeles" }))]).await;
    let window = json!({ "send_window": { "opens": "09:00", "closes": "18:00", "days": ["mon"] } });
    world.send(&with(campaign("weekly"), window)).await;
    // A worker of a later pass has mailed them, and its chunk is not there yet.
    tell(&world, &event("reject", "weekly", "r-1"));
    world.feed_back().await;
    assert_eq!(world.services.queues.depth(FEEDBACK), 1);
    world
        .deployment
        .api()
        .command(&"weekly".parse().unwrap(), germane::domain::lifecycle::Command::Cancel)
        .await
        .unwrap();
    world.clock.advance(Duration::from_mins(1));
    world.feed_back().await;
    assert_eq!(world.services.queues.depth(FEEDBACK), 0);
    assert_eq!(world.why("weekly", "r-1").await["reason"], "campaign_cancelled");
}

#[tokio::test]
async fn events_in_any_order_and_at_the_same_time_come_to_the_same() {
    let kinds = ["delivery", "rendering-failure", "bounce-permanent-general", "complaint-abuse"];
    let mut reports = Vec::new();
    for turn in 0..kinds.len() {
        let world = Arc::new(mailed().await);
        let mut told: Vec<&str> = kinds.to_vec();
        told.rotate_left(turn);
        told.extend(kinds);
        let feedback = world.deployment.feedback();
        let bodies: Vec<String> = told.iter().map(|kind| event(kind, "weekly", "r-1").to_string()).collect();
        let mut open: Vec<&str> = bodies.iter().map(String::as_str).collect();
        // What met another one in the middle is delivered again.
        for _ in 0..20 {
            let answers = feedback.take(&open).await;
            open = open.into_iter().zip(answers).filter(|(_, answer)| answer.is_err()).map(|(body, _)| body).collect();
        }
        assert!(open.is_empty());
        let mut report = world.report("weekly").await;
        report["feedback"]["delivered"] = json!("approximate");
        assert_eq!(world.slots("weekly").await, 0);
        reports.push(report);
    }
    assert!(reports.windows(2).all(|pair| pair[0] == pair[1]), "{reports:#?}");
    assert_eq!(outcomes(&reports[0]), (0, 1, 0));
}

#[tokio::test]
async fn all_that_the_ledger_holds_of_a_campaign_is_forgotten_when_the_policy_says() {
    let world = World::start().await;
    world.put(&[person("r-1")]).await;
    world.send(&with(campaign("weekly"), json!({ "expires_at": "2026-11-30T00:00:00Z" }))).await;
    tell(&world, &event("complaint-abuse", "weekly", "r-1"));
    tell(&world, &event("reject", "weekly", "r-1"));
    world.feed_back().await;
    let ledger = TableNames::new("germane").ledger;
    let items = world.services.clients.dynamodb.scan().table_name(ledger).send().await.unwrap().items.unwrap();
    // 400 days after its end, as the policy has it.
    let end = "2028-01-04T00:00:00Z".parse::<jiff::Timestamp>().unwrap().as_second().to_string();
    let ends: Vec<&String> = items.iter().map(|item| item["x"].as_n().unwrap()).collect();
    assert_eq!(ends, [&end, &end], "the chunk and what was said of its mail");
}
