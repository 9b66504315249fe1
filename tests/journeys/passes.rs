//! Whom a pass defers, the next one looks at again when their time has come: send windows and caps over days.

use std::{collections::BTreeMap, sync::Arc};

use germane::lambda::queue::Handle;
use germane::{
    domain::{
        decision::{OutcomeKind, ReasonCode},
        lifecycle::Command,
        report::CampaignStatus::{Complete, WaitingForWindow},
    },
    flow::{
        api::{ApiError, Code, decisions::Filter},
        ledger::Ledger,
        queue::{Message, Unhurried, Work},
        token::Purpose,
    },
    local::services::SHARD,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::faults::{
    AnswerOf, Commit, Post, after_mail, commit_by, lose, lose_answer, mail_by, nothing, once, wakes_fail,
};
use crate::world::{Setup, World, campaign, person, policy, with};

/// At [`crate::world::NOW`] it is 18:00 in Tokyo, 10:00 in Berlin and 01:00 in Los Angeles.
const LOS_ANGELES: &str = "2026-11-23T17:00:00Z";
const TOKYO: &str = "2026-11-24T00:00:00Z";
const BERLIN: &str = "2026-11-24T08:00:00Z";

fn at_nine(id: &str) -> Value {
    with(campaign(id), json!({ "send_window": { "opens": "09:00", "closes": "10:00" } }))
}

fn in_zone(id: &str, zone: Option<&str>) -> Value {
    with(person(id), json!({ "time_zone": zone }))
}

async fn three_zones() -> World {
    let world = World::start().await;
    let zones = [("angeles", "America/Los_Angeles"), ("berlin", "Europe/Berlin"), ("tokyo", "Asia/Tokyo")];
    world.put(&zones.map(|(id, zone)| in_zone(id, Some(zone)))).await;
    world
}

/// People in Berlin who wait in one shard until it is nine there.
async fn waiting(people: usize) -> World {
    let world = World::with_shards(1).await;
    world.put_many(people).await;
    world.submit(&at_nine("weekly")).await;
    world.advance_to("2026-11-24T07:59:00Z").await;
    let report = world.report("weekly").await;
    assert_eq!((&report["status"], &report["outcomes"]["deferred"]), (&json!("waiting_for_window"), &json!(people)));
    world
}

fn second_pass() -> Work {
    Work { campaign: "weekly".parse().unwrap(), shard: germane::domain::id::Shard(0), pass: 2 }
}

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Each of them was mailed once, at their time or within the minute after it, and nobody else was.
fn mailed(world: &World, campaign: &str, whom: &[(&str, &str)]) {
    let mails = world.mails(campaign);
    let names: Vec<&str> = mails.keys().map(germane::domain::id::RecipientId::as_str).collect();
    assert_eq!(names, whom.iter().map(|(name, _)| *name).collect::<Vec<_>>());
    for (name, at) in whom {
        let late = mails[&name.parse().unwrap()][0].at.duration_since(time(at));
        assert!(!late.is_negative() && late < SignedDuration::from_mins(1), "{name} was mailed {late} after {at}");
    }
}

async fn waits_until(world: &World, until: &str) {
    let report = world.until("weekly", WaitingForWindow).await;
    let detail = &report["status_detail"];
    assert_eq!((&detail["code"], &detail["until"]), (&json!("window"), &json!(until)), "{report}");
}

#[tokio::test]
async fn everybody_is_mailed_at_their_own_nine_and_waits_for_nobody_elses() {
    let world = three_zones().await;
    world.put(&[in_zone("nowhere", None)]).await;
    world.submit(&at_nine("weekly")).await;
    waits_until(&world, LOS_ANGELES).await;
    let report = world.report("weekly").await;
    assert_eq!(report["reasons"], json!({ "no_time_zone": 1, "outside_send_window": 3 }));

    world.advance_to(LOS_ANGELES).await;
    mailed(&world, "weekly", &[("angeles", LOS_ANGELES)]);
    waits_until(&world, TOKYO).await;
    world.advance_to("2026-11-23T23:59:59Z").await;
    mailed(&world, "weekly", &[("angeles", LOS_ANGELES)]);
    world.advance_to(TOKYO).await;
    waits_until(&world, BERLIN).await;

    let report = world.until("weekly", Complete).await;
    mailed(&world, "weekly", &[("angeles", LOS_ANGELES), ("berlin", BERLIN), ("tokyo", TOKYO)]);
    assert_eq!((&report["status_detail"], &report["audience"]), (&Value::Null, &json!(4)));
    assert_eq!(report["reasons"], json!({ "no_time_zone": 1 }));
    world.pass(SignedDuration::from_hours(24 * 8)).await;
    assert_eq!(world.check("weekly").await, report, "the end of a campaign that is complete changes nothing");
}

#[tokio::test]
async fn who_could_be_mailed_only_after_the_end_is_skipped_at_once() {
    let world = three_zones().await;
    // The very moment at which it is nine in Tokyo.
    world.submit(&with(at_nine("weekly"), json!({ "expires_at": TOKYO }))).await;
    waits_until(&world, LOS_ANGELES).await;
    for late in ["berlin", "tokyo"] {
        let why = world.why("weekly", late).await;
        assert_eq!((&why["outcome"], &why["reason"]), (&json!("skipped"), &json!("outside_send_window")));
    }
    world.until("weekly", Complete).await;
    mailed(&world, "weekly", &[("angeles", LOS_ANGELES)]);
}

#[tokio::test]
async fn why_tells_the_decision_of_the_latest_pass() {
    let world = three_zones().await;
    let berliners = ["r-erased", "r-left", "r-patient"];
    world.put(&berliners.map(person)).await;
    world.submit(&at_nine("weekly")).await;
    world.advance_to(TOKYO).await;
    let why = world.why("weekly", "r-left").await;
    assert_eq!((&why["outcome"], &why["reason"]), (&json!("deferred"), &json!("outside_send_window")));
    assert_eq!(why["detail"], json!({ "opens_at": BERLIN, "time_zone": "Europe/Berlin" }));
    assert_eq!(world.why("weekly", "tokyo").await["outcome"], "sent");

    let (weekly, left) = ("weekly".parse().unwrap(), "r-left".parse().unwrap());
    let preferences = world.deployment.preferences();
    preferences.unsubscribe(&preferences.tokens.sign(Purpose::Unsubscribe, &left, &weekly), None).await.unwrap();
    let api = world.deployment.api();
    let erased = "r-erased".parse().unwrap();
    api.erase_recipient(&erased).await.unwrap();
    let report = world.until("weekly", Complete).await;

    assert_eq!(report["reasons"], json!({ "consent_withdrawn": 1, "suppressed": 1 }));
    let why = world.why("weekly", "r-left").await;
    assert_eq!((&why["outcome"], &why["reason"]), (&json!("skipped"), &json!("consent_withdrawn")));
    let why = world.why("weekly", "r-patient").await;
    assert_eq!((&why["outcome"], &why["reason"]), (&json!("sent"), &Value::Null));
    assert!(time(why["decided_at"].as_str().unwrap()) >= time(BERLIN), "{why}");
    let why = api.why(&weekly, &erased, false).await;
    assert!(matches!(why, Err(ApiError::NotFound { .. })), "{why:?}");
}

/// The names of those who are listed.
async fn listed(world: &World, filter: Filter) -> Vec<String> {
    let (part, rest) = world.deployment.api().decisions(&"weekly".parse().unwrap(), filter, None).await.unwrap();
    assert_eq!(rest, None);
    let mut names: Vec<String> = part.iter().map(|one| one["recipient"].as_str().unwrap().to_owned()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn decisions_are_listed_once_each_and_found_by_what_the_latest_pass_says() {
    let world = three_zones().await;
    world.submit(&at_nine("weekly")).await;
    world.advance_to(TOKYO).await;
    let sent = Filter { outcome: Some(OutcomeKind::Sent), reason: None };
    let deferred = Filter { outcome: Some(OutcomeKind::Deferred), reason: None };
    let outside = Filter { outcome: None, reason: Some(ReasonCode::OutsideSendWindow) };
    assert_eq!(listed(&world, Filter::default()).await, ["angeles", "berlin", "tokyo"]);
    assert_eq!(listed(&world, sent).await, ["angeles", "tokyo"]);
    assert_eq!(listed(&world, deferred).await, ["berlin"]);
    assert_eq!(listed(&world, outside).await, ["berlin"]);
    world.until("weekly", Complete).await;
    assert_eq!(listed(&world, sent).await, ["angeles", "berlin", "tokyo"]);
    assert!(listed(&world, outside).await.is_empty());
}

#[tokio::test]
async fn who_is_imported_between_two_passes_is_not_in_the_campaign() {
    let world = waiting(3).await;
    world.put(&[person("a-first"), person("r-00001a"), person("z-last")]).await;
    let report = world.until("weekly", Complete).await;
    assert_eq!((&report["decided"], &report["outcomes"]["sent"]), (&json!(3), &json!(3)));
    for late in ["a-first", "r-00001a", "z-last"] {
        let why = world.deployment.api().why(&"weekly".parse().unwrap(), &late.parse().unwrap(), false).await;
        assert!(matches!(why, Err(ApiError::NotFound { code: Code::NotEvaluated, .. })), "{why:?}");
    }
}

/// A world in which everybody gets one mail in seven days.
async fn one_a_week(shards: u16) -> World {
    let world = World::with(Setup { shards, ..Setup::default() }).await;
    let mut one = policy();
    one["frequency"] = json!([{ "sends": 1, "days": 7 }]);
    world.put_policy(&one).await;
    world
}

fn patient(id: &str) -> Value {
    with(campaign(id), json!({ "on_cap": "defer", "expires_at": "2026-12-20T00:00:00Z" }))
}

/// The pass in which a shard is, or was when it was done.
async fn passes(world: &World, campaign: &str, shard: u16) -> u16 {
    world.services.dynamo.progress(&world.work(campaign, shard)).await.unwrap().unwrap().pass
}

#[tokio::test]
async fn a_full_cap_is_waited_for_and_its_slot_is_used_when_it_frees_and_not_before() {
    let world = one_a_week(2).await;
    world.put_many(6).await;
    world.send(&campaign("first")).await;
    world.pass(SignedDuration::from_hours(30)).await;
    world.submit(&patient("weekly")).await;
    world.drain().await;
    let report = world.check("weekly").await;
    assert_eq!((&report["status"], &report["reasons"]), (&json!("waiting_for_window"), &json!({ "frequency_cap": 6 })));
    world.until("weekly", Complete).await;

    let people = world.people().await;
    for (id, person) in &people {
        let claims: Vec<Timestamp> = person.sends.iter().map(|send| send.at).collect();
        let apart = claims[1].duration_since(claims[0]) - SignedDuration::from_hours(7 * 24);
        assert!(!apart.is_negative() && apart < SignedDuration::from_mins(1), "{id}: {apart}");
    }
    assert_eq!(world.mails("weekly").len(), 6);
}

#[tokio::test]
async fn wakes_within_a_quarter_of_an_hour_are_one_pass() {
    let world = one_a_week(1).await;
    world.put_many(4).await;
    for (person, minute) in [(0, 1), (1, 4), (2, 9), (3, 16)] {
        world.advance_to(&format!("2026-11-23T09:{minute:02}:00Z")).await;
        let audience = json!({ "recipients": [format!("r-{person:05}")] });
        world.send(&with(campaign(&format!("first-{person}")), json!({ "audience": audience }))).await;
    }
    world.submit(&patient("weekly")).await;
    world.until("weekly", Complete).await;
    let nine = "2026-11-30T09:09:00Z";
    let whom = [("r-00000", nine), ("r-00001", nine), ("r-00002", nine), ("r-00003", "2026-11-30T09:16:00Z")];
    mailed(&world, "weekly", &whom);
    assert_eq!(passes(&world, "weekly", 0).await, 3);
}

#[tokio::test]
async fn a_window_in_the_hour_that_daylight_saving_skips_or_repeats_opens_once() {
    for (eve, opens) in
        [("2026-03-28T12:00:00Z", "2026-03-29T01:00:00Z"), ("2026-10-24T12:00:00Z", "2026-10-25T00:30:00Z")]
    {
        let world = World::with(Setup { start: eve, shards: 1, ..Setup::default() }).await;
        world.put(&[person("r-1")]).await;
        let night = json!({ "send_window": { "opens": "02:30", "closes": "04:00" } });
        world.submit(&with(campaign("weekly"), night)).await;
        waits_until(&world, opens).await;
        world.until("weekly", Complete).await;
        world.pass(SignedDuration::from_hours(48)).await;
        mailed(&world, "weekly", &[("r-1", opens)]);
        assert_eq!(passes(&world, "weekly", 0).await, 2);
    }
}

const PEOPLE: usize = 220;

/// The counts of sent and in doubt once a worker was lost in the second pass and another took over.
async fn taken_over(world: &World) -> (usize, usize) {
    let held = world.slots("weekly").await;
    let committed = world.report("weekly").await["outcomes"]["sent"].as_u64().unwrap();
    world.take_over().await;
    let report = world.check("weekly").await;
    assert_eq!((&report["status"], &report["decided"]), (&json!("complete"), &json!(PEOPLE)), "{report}");
    let of = |name: &str| usize::try_from(report["outcomes"][name].as_u64().unwrap()).unwrap();
    assert_eq!(of("in_doubt"), held - usize::try_from(committed).unwrap(), "who was claimed and not committed");
    (of("sent"), of("in_doubt"))
}

#[tokio::test]
async fn a_worker_lost_in_the_second_pass_leaves_in_doubt_whom_it_had_taken_and_nobody_else() {
    let world = waiting(PEOPLE).await;
    world.clock.reach(time(BERLIN));
    let mut sender = world.deployment.sender();
    sender.max_in_flight = 1;
    let gate = mail_by(&mut sender, |call, _| if call < 2 { Post::Deliver } else { Post::Hang });
    lose(&sender, &second_pass(), &gate).await;
    assert_eq!(taken_over(&world).await, (PEOPLE - 150, 150));
    assert_eq!(world.mails("weekly").len(), PEOPLE - 50, "the third call never began");
}

#[tokio::test]
async fn a_second_pass_goes_on_in_the_midst_of_a_chunk_of_the_first() {
    let world = waiting(PEOPLE).await;
    for gone in ["r-00010", "r-00049", "r-00050", "r-00219"] {
        world.deployment.api().erase_recipient(&gone.parse().unwrap()).await.unwrap();
    }
    world.clock.reach(time(BERLIN));
    let mut sender = world.deployment.sender();
    sender.max_in_flight = 1;
    let clock = Arc::clone(&world.clock);
    let a_second = move || {
        let clock = Arc::clone(&clock);
        async move { clock.advance(std::time::Duration::from_secs(1)) }
    };
    after_mail(&mut sender, once(a_second));
    let gate = commit_by(&mut sender, |_| Commit::AndHang, nothing(), 0);
    lose(&sender, &second_pass(), &gate).await;
    let sent = world.report("weekly").await["outcomes"]["sent"].as_u64().unwrap();
    assert!(sent > 0, "something was committed");
    taken_over(&world).await;
    assert_eq!(world.report("weekly").await["reasons"]["suppressed"], 4);
}

#[tokio::test]
async fn a_pass_whose_people_were_all_erased_ends_the_campaign() {
    let world = waiting(3).await;
    for id in ["r-00000", "r-00001", "r-00002"] {
        world.deployment.api().erase_recipient(&id.parse().unwrap()).await.unwrap();
    }
    let report = world.until("weekly", Complete).await;
    assert_eq!((&report["decided"], &report["reasons"]), (&json!(3), &json!({ "suppressed": 3 })));
    assert_eq!(world.services.ses.count(), 0);
}

#[tokio::test]
async fn messages_of_older_passes_and_wakes_that_come_early_or_again_change_nothing() {
    let world = three_zones().await;
    world.submit(&at_nine("weekly")).await;
    let workers = world.workers();
    for moment in [LOS_ANGELES, "2026-11-23T20:00:00Z", TOKYO, BERLIN] {
        world.advance_to(moment).await;
        let before = world.check("weekly").await;
        for shard in 0..4 {
            for pass in 1..=passes(&world, "weekly", shard).await {
                let message = Message::Shard(Work { pass, ..world.work("weekly", shard) });
                workers.handle(&message.body().unwrap(), &Unhurried).await.unwrap();
            }
        }
        assert_eq!(world.check("weekly").await, before, "at {moment}");
    }
    mailed(&world, "weekly", &[("angeles", LOS_ANGELES), ("berlin", BERLIN), ("tokyo", TOKYO)]);
    world.pass(SignedDuration::from_hours(1)).await;
    assert_eq!(world.services.queues.depth(SHARD), 0, "every copy ends");
}

#[tokio::test]
async fn an_answer_that_is_lost_in_the_second_pass_costs_nobody_anything() {
    for answer in [AnswerOf::TakeOver, AnswerOf::Commit, AnswerOf::Leave] {
        let world = waiting(120).await;
        world.clock.reach(time(BERLIN));
        let mut workers = world.workers();
        lose_answer(Arc::get_mut(&mut workers.sender).unwrap(), answer);
        world.drain_with(&workers).await;
        world.check("weekly").await;
        let report = world.until("weekly", Complete).await;
        assert_eq!(report["outcomes"]["sent"], 120, "{report}");
    }
}

#[tokio::test]
async fn a_pass_is_not_over_before_the_wake_of_the_next_one_is_made() {
    let world = World::with_shards(1).await;
    world.put_many(3).await;
    world.submit(&at_nine("weekly")).await;
    let mut workers = world.workers();
    wakes_fail(Arc::get_mut(&mut workers.sender).unwrap());
    let errors = world.drain_with(&workers).await;
    assert_eq!((errors.len(), world.check("weekly").await["audience"].clone()), (1, Value::Null));
    assert_eq!(passes(&world, "weekly", 0).await, 1);
    let report = world.until("weekly", Complete).await;
    assert_eq!(report["outcomes"]["sent"], 3);
    assert_eq!(passes(&world, "weekly", 0).await, 2);
}

#[tokio::test]
async fn a_wake_that_comes_during_a_pause_is_made_up_for_by_the_resume() {
    let world = three_zones().await;
    world.submit(&at_nine("weekly")).await;
    world.advance_to("2026-11-23T12:00:00Z").await;
    let (api, weekly) = (world.deployment.api(), "weekly".parse().unwrap());
    api.command(&weekly, Command::Pause).await.unwrap();
    world.advance_to("2026-11-23T17:30:00Z").await;
    assert_eq!((world.report("weekly").await["status"].clone(), world.services.ses.count()), (json!("paused"), 0));
    api.command(&weekly, Command::Resume).await.unwrap();
    world.advance_to("2026-11-23T17:31:00Z").await;
    mailed(&world, "weekly", &[("angeles", "2026-11-23T17:30:00Z")]);
    waits_until(&world, TOKYO).await;
    world.until("weekly", Complete).await;
    let names: BTreeMap<_, _> = world.mails("weekly");
    assert_eq!(names.len(), 3);
}
