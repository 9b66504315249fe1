//! Workers that are lost on the way, or that wake when their time is over.

use std::{sync::Arc, time::Duration};

use aws_sdk_dynamodb::types::AttributeValue;
use germane::flow::{
    queue::Unhurried,
    send::{SendError, Sender},
};
use serde_json::{Value, json};

use super::faults::{
    Commit, Gate, Post, Write, after_mail, busy, claim_by, commit_by, lose, mail_by, nothing, once, until,
};
use crate::world::{World, campaign};

const PEOPLE: usize = 600;
/// Eight calls of fifty.
const IN_FLIGHT: u64 = 400;

async fn launched() -> World {
    let world = World::with_shards(1).await;
    world.put_many(PEOPLE).await;
    world.launch(&campaign("weekly")).await;
    world
}

/// After a loss and a take-over everybody is decided once; those whom the lost worker had taken and not committed are
/// in doubt. Answers with their number.
async fn taken_over(world: &World) -> u64 {
    let sent = |report: &Value| report["outcomes"]["sent"].as_u64().unwrap();
    let taken = world.slots("weekly").await as u64 - sent(&world.report("weekly").await);
    world.take_over().await;
    let report = world.check("weekly").await;
    assert_eq!((&report["status"], &report["audience"]), (&json!("complete"), &json!(PEOPLE)));
    let in_doubt = report["outcomes"]["in_doubt"].as_u64().unwrap();
    assert_eq!(sent(&report) + in_doubt, PEOPLE as u64, "{report}");
    // A claim that was on its way when its worker was lost may still arrive.
    assert!((taken..=taken + IN_FLIGHT).contains(&in_doubt), "{in_doubt} of {taken} are in doubt");
    in_doubt
}

#[tokio::test]
async fn who_was_claimed_and_not_yet_mailed_by_a_lost_worker_is_in_doubt_and_never_mailed() {
    let world = launched().await;
    let mut sender = world.deployment.sender();
    let gate = mail_by(&mut sender, |call, _| if call < 3 { Post::Deliver } else { Post::Hang });
    lose(&sender, &world.work("weekly", 0), &gate).await;

    assert!(taken_over(&world).await >= 50);
    assert!(world.services.ses.count() < PEOPLE);
}

#[tokio::test]
async fn who_was_mailed_and_not_yet_committed_by_a_lost_worker_is_in_doubt_and_mailed_once() {
    let world = launched().await;
    let mut sender = world.deployment.sender();
    let gate = mail_by(&mut sender, |call, _| if call < 3 { Post::Deliver } else { Post::DeliverAndHang });
    lose(&sender, &world.work("weekly", 0), &gate).await;
    assert!(taken_over(&world).await >= 50);

    let world = launched().await;
    let mut sender = world.deployment.sender();
    let gate = commit_by(&mut sender, |_| Commit::Hang, nothing(), 0);
    lose(&sender, &world.work("weekly", 0), &gate).await;
    assert!(taken_over(&world).await >= 50);
}

#[tokio::test]
async fn who_was_claimed_by_a_worker_lost_before_it_knew_is_in_doubt() {
    let world = launched().await;
    let mut sender = world.deployment.sender();
    let rule = |call| if call < 4 { Write::Pass } else { Write::AndHang };
    let gate = claim_by(&mut sender, rule, nothing());
    lose(&sender, &world.work("weekly", 0), &gate).await;
    assert!(taken_over(&world).await > 0);
}

#[tokio::test]
async fn a_worker_lost_after_its_commit_costs_nobody_anything() {
    let world = launched().await;
    let mut sender = world.deployment.sender();
    let gate = commit_by(&mut sender, |_| Commit::AndHang, nothing(), 0);
    lose(&sender, &world.work("weekly", 0), &gate).await;
    let decided = world.report("weekly").await["decided"].as_u64().unwrap();
    assert!(decided > 0);
    assert!(taken_over(&world).await <= PEOPLE as u64 - decided);
}

#[tokio::test]
async fn a_chunk_whose_cursor_was_never_moved_is_not_seen_and_then_overwritten() {
    let world = launched().await;
    let mut sender = world.deployment.sender();
    let client = world.services.clients.dynamodb.clone();
    let put_back = move || {
        let unmove = client.update_item().table_name("germane-campaigns").update_expression("REMOVE c, n");
        let unmove = unmove.key("k", AttributeValue::S("c#weekly".to_owned()));
        let unmove = unmove.key("t", AttributeValue::S("shard#00000".to_owned()));
        async move { unmove.send().await.map(|_| ()).unwrap() }
    };
    let gate = commit_by(&mut sender, |_| Commit::AndHang, once(put_back), 0);
    lose(&sender, &world.work("weekly", 0), &gate).await;
    assert_eq!(world.report("weekly").await["decided"], 0);
    assert!(world.decisions("weekly").await.is_empty(), "what no cursor has passed is not shown");

    assert!(taken_over(&world).await > 0);
}

/// A worker that hangs, sees its shard walked by another, and wakes.
async fn stalls(world: &World, sender: &Sender, gate: &Gate) {
    let work = world.work("weekly", 0);
    let run = until(gate, sender, &work).await;
    taken_over(world).await;
    let (report, mailed) = (world.check("weekly").await, world.services.ses.count());
    gate.open();
    let error = run.await.unwrap_err();
    assert!(matches!(error, SendError::LeaseEnds | SendError::Fenced), "{error:?}");
    assert_eq!(world.check("weekly").await, report, "it wrote nothing");
    // Calls that had begun may end; whom they mail is in doubt.
    assert!(world.services.ses.count() as u64 <= mailed as u64 + IN_FLIGHT, "it began no call");
}

#[tokio::test]
async fn a_worker_that_wakes_after_its_lease_can_not_claim() {
    let world = launched().await;
    let mut sender = world.deployment.sender();
    let rule = |call| if call < 6 { Write::Pass } else { Write::AndHang };
    let gate = claim_by(&mut sender, rule, nothing());
    stalls(&world, &sender, &gate).await;
}

#[tokio::test]
async fn a_worker_that_wakes_after_its_lease_can_not_commit() {
    for rule in [|_: usize| Commit::Hang, |_: usize| Commit::AndHang] {
        let world = launched().await;
        let mut sender = world.deployment.sender();
        let gate = commit_by(&mut sender, rule, nothing(), 0);
        stalls(&world, &sender, &gate).await;
    }
}

#[tokio::test]
async fn a_worker_that_wakes_after_its_lease_can_not_mail() {
    let world = launched().await;
    let mut sender = world.deployment.sender();
    // SES was busy, and the worker is about to ask again.
    let gate = mail_by(&mut sender, |_, _| Post::HangAndSay(busy()));
    stalls(&world, &sender, &gate).await;
}

#[tokio::test]
async fn a_lease_that_cannot_be_renewed_at_first_is_renewed_later() {
    let world = launched().await;
    let mut sender = world.deployment.sender();
    commit_by(&mut sender, |_| Commit::Pass, nothing(), 2);
    let clock = Arc::clone(&world.clock);
    after_mail(
        &mut sender,
        once(move || {
            let clock = Arc::clone(&clock);
            async move { clock.advance(Duration::from_secs(21)) }
        }),
    );
    sender.run(&world.work("weekly", 0), &Unhurried).await.unwrap();
    assert_eq!(world.check("weekly").await["outcomes"]["sent"], PEOPLE);
}
