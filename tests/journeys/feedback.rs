//! What SES tells afterwards changes what is known of addresses, people and campaigns.

mod counted;
mod settled;

use std::{fs, path::Path, time::Duration};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use germane::local::services::FEEDBACK;
use serde_json::{Value, json};

use crate::world::{World, campaign, person, with};

const DAY: Duration = Duration::from_hours(24);

/// An event of this sample's kind about somebody's mail of a campaign.
pub fn event(sample: &str, campaign: &str, id: &str) -> Value {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/feedback/samples/{sample}.json"));
    let mut event: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    let tag = |id: &str| json!([URL_SAFE_NO_PAD.encode(id)]);
    event["mail"]["tags"]["campaign"] = tag(campaign);
    event["mail"]["tags"]["recipient"] = tag(id);
    event["mail"]["destination"] = json!([format!("{id}@example.com")]);
    event
}

fn at(event: Value, key: &str, world: &World) -> Value {
    let now = germane::flow::clock::Clock::now(world.clock.as_ref());
    with(event, json!({ key: { "timestamp": now } }))
}

fn tell(world: &World, event: &Value) {
    world.services.queues.send(FEEDBACK, event.to_string(), Duration::ZERO).unwrap();
}

/// Nobody has said anything yet.
fn silence(world: &World) {
    while let Some(message) = world.services.queues.receive(FEEDBACK, 1).unwrap().pop() {
        world.services.queues.delete(FEEDBACK, &message.receipt).unwrap();
    }
}

/// One person, who got `weekly`; SES has said nothing of it.
async fn mailed() -> World {
    let world = World::start().await;
    world.put(&[person("r-1")]).await;
    assert_eq!(world.send(&campaign("weekly")).await["outcomes"]["sent"], 1);
    silence(&world);
    world
}

/// What becomes of them in the next campaign.
async fn next(world: &World, id: &str) -> Value {
    let exempt = with(campaign(id), json!({ "frequency": { "exempt": true } }));
    world.send(&exempt).await;
    world.why(id, "r-1").await
}

#[tokio::test]
async fn a_hard_bounce_makes_the_address_unusable_and_leaves_the_other_one_alone() {
    let world = World::start().await;
    let both = json!({ "addresses": { "personal": "r-1@example.net" }, "consents": [
        { "topic": "rust", "channel": "work", "status": "granted" },
        { "topic": "rust", "channel": "personal", "status": "granted" },
    ] });
    world.put(&[with(person("r-1"), both)]).await;
    world.send(&campaign("weekly")).await;
    tell(&world, &event("bounce-permanent-general", "weekly", "r-1"));
    assert_eq!(world.feed_back().await, 0);

    let decision = next(&world, "second").await;
    assert_eq!((&decision["outcome"], &decision["reason"]), (&json!("skipped"), &json!("address_unusable")));
    assert_eq!(decision["detail"], json!({ "channel": "work", "kind": "hard_bounce" }));
    let personal = with(campaign("third"), json!({ "channel": "personal", "frequency": { "exempt": true } }));
    assert_eq!(world.send(&personal).await["outcomes"]["sent"], 1);
}

#[tokio::test]
async fn a_bounce_of_an_address_that_they_no_longer_have_says_nothing_of_the_new_one() {
    let world = mailed().await;
    world.put(&[json!({ "id": "r-1", "addresses": { "work": "new@example.com" } })]).await;
    tell(&world, &event("bounce-permanent-general", "weekly", "r-1"));
    world.feed_back().await;
    assert_eq!(next(&world, "second").await["outcome"], "sent");
}

#[tokio::test]
async fn a_bounce_that_the_message_itself_caused_says_nothing_of_the_address() {
    let world = mailed().await;
    for kind in ["messagetoolarge", "contentrejected", "attachmentrejected"] {
        for _ in 0..6 {
            tell(&world, &at(event(&format!("bounce-transient-{kind}"), "weekly", "r-1"), "bounce", &world));
            world.clock.advance(Duration::from_secs(1));
        }
    }
    world.feed_back().await;
    assert_eq!(next(&world, "second").await["outcome"], "sent");
}

#[tokio::test]
async fn five_soft_bounces_within_thirty_days_make_an_address_unusable_and_four_do_not() {
    let world = mailed().await;
    for _ in 0..4 {
        let bounce = at(event("bounce-transient-mailboxfull", "weekly", "r-1"), "bounce", &world);
        // What SES tells twice happened once.
        tell(&world, &bounce);
        tell(&world, &bounce);
        world.clock.advance(DAY);
    }
    world.feed_back().await;
    assert_eq!(next(&world, "second").await["outcome"], "sent");
    tell(&world, &at(event("bounce-transient-mailboxfull", "weekly", "r-1"), "bounce", &world));
    world.feed_back().await;
    let decision = next(&world, "third").await;
    assert_eq!(decision["detail"], json!({ "channel": "work", "kind": "soft_bounces" }));
}

#[tokio::test]
async fn soft_bounces_that_lie_thirty_days_apart_never_add_up() {
    let world = mailed().await;
    for _ in 0..8 {
        tell(&world, &at(event("bounce-transient-general", "weekly", "r-1"), "bounce", &world));
        world.feed_back().await;
        world.clock.advance(DAY * 8);
    }
    assert_eq!(next(&world, "second").await["outcome"], "sent");
}

#[tokio::test]
async fn a_complaint_suppresses_the_person_at_once_on_every_channel() {
    let world = mailed().await;
    tell(&world, &event("complaint-abuse", "weekly", "r-1"));
    world.feed_back().await;
    let decision = next(&world, "second").await;
    assert_eq!(decision["reason"], "suppressed");
    assert_eq!(decision["detail"], json!({ "kind": "complaint", "since": "2026-11-23T10:00:00Z" }));
}

#[tokio::test]
async fn a_complaint_beats_a_suppression_that_could_be_lifted() {
    use germane::domain::recipient::{Suppression, SuppressionKind};
    let world = mailed().await;
    let since = "2026-11-20T09:00:00Z".parse().unwrap();
    let left = Suppression { kind: SuppressionKind::UnsubscribedAll, since };
    world.change("r-1", |profile| profile.suppression = Some(left)).await;
    tell(&world, &event("complaint-abuse", "weekly", "r-1"));
    world.feed_back().await;
    assert_eq!(next(&world, "second").await["detail"]["kind"], "complaint");
}

#[tokio::test]
async fn not_spam_is_no_complaint() {
    let world = mailed().await;
    tell(&world, &event("complaint-not-spam", "weekly", "r-1"));
    world.feed_back().await;
    assert_eq!(world.report("weekly").await["feedback"]["complained"], 0);
    assert_eq!(next(&world, "second").await["outcome"], "sent");
}

#[tokio::test]
async fn a_complaint_about_a_mail_without_tags_finds_the_address_owner() {
    let world = mailed().await;
    let mut complaint = event("complaint-abuse", "weekly", "r-1");
    complaint["mail"]["tags"] = json!({});
    tell(&world, &complaint);
    assert_eq!(world.feed_back().await, 0);
    assert_eq!(next(&world, "second").await["reason"], "suppressed");
}

#[tokio::test]
async fn events_about_nobody_and_nothing_are_harmless() {
    let world = mailed().await;
    for sample in ["delivery", "bounce-permanent-general", "complaint-abuse", "reject", "open", "send", "subscription"]
    {
        tell(&world, &event(sample, "no-such-campaign", "r-1"));
        tell(&world, &event(sample, "weekly", "no-such-person"));
    }
    tell(&world, &event("of-a-kind-that-came-later", "weekly", "r-1"));
    assert_eq!(world.feed_back().await, 0);
    let report = world.report("weekly").await;
    assert_eq!(report["outcomes"]["sent"], 1);
    assert_eq!(report["feedback"], json!({ "delivered": 1, "hard_bounced": 0, "soft_bounced": 0, "complained": 0 }));
}

#[tokio::test]
async fn a_message_that_is_no_event_fails_alone() {
    let world = mailed().await;
    tell(&world, &json!({ "eventType": "Bounce", "mail": { "timestamp": "yesterday" } }));
    world.services.queues.send(FEEDBACK, "not JSON", Duration::ZERO).unwrap();
    tell(&world, &event("complaint-abuse", "weekly", "r-1"));
    assert_eq!(world.feed_back().await, 2);
    assert_eq!(world.report("weekly").await["feedback"]["complained"], 1);
}

#[tokio::test]
async fn what_ses_tells_of_somebody_erased_changes_nothing() {
    let world = mailed().await;
    world.deployment.api().erase_recipient(&"r-1".parse().unwrap()).await.unwrap();
    for sample in ["delivery", "bounce-permanent-general", "bounce-transient-general", "complaint-abuse", "reject"] {
        tell(&world, &event(sample, "weekly", "r-1"));
    }
    assert_eq!(world.feed_back().await, 0);
    assert!(world.people().await.is_empty());
}
