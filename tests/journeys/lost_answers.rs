//! Answers that are lost, late or no: what surely did not go out is given back, the rest is never sent again.

use germane::{
    domain::report::StatusCode,
    flow::{
        queue::Unhurried,
        send::{
            SendError,
            mail::{Answer, MailerError, Stop},
        },
    },
};
use serde_json::{Value, json};

use super::faults::{Commit, Post, Write, busy, claim_by, commit_by, fails, mail_by, nothing, pages_of, unanswered};
use crate::world::{World, campaign};

const PEOPLE: usize = 200;

async fn launched() -> World {
    let world = World::with_shards(1).await;
    world.put_many(PEOPLE).await;
    world.launch(&campaign("weekly")).await;
    world
}

fn outcomes(report: &Value) -> (u64, u64, u64, u64) {
    let of = |name: &str| report["outcomes"][name].as_u64().unwrap();
    (of("sent"), of("deferred"), of("failed"), of("in_doubt"))
}

#[tokio::test]
async fn a_claim_and_a_give_back_whose_answers_were_lost_recognise_themselves() {
    let world = launched().await;
    let mut sender = world.deployment.sender();
    claim_by(&mut sender, |call| if call % 2 == 0 { Write::AndFail } else { Write::Pass }, nothing());
    let rejected = |call, batch: &germane::flow::send::mail::Batch<'_>| match call {
        0 => Post::Answer(vec![Answer::Rejected { status: "MESSAGE_REJECTED".to_owned() }; batch.mails.len()]),
        _ => Post::Deliver,
    };
    mail_by(&mut sender, rejected);
    sender.run(&world.work("weekly", 0), &Unhurried).await.unwrap();

    let report = world.check("weekly").await;
    assert_eq!((&report["status"], outcomes(&report)), (&json!("complete"), (150, 0, 50, 0)));
    let decisions = world.decisions("weekly").await;
    let (_, failed) = decisions.iter().find(|(_, decision)| decision["outcome"] == "failed").unwrap();
    assert_eq!((&failed["reason"], &failed["detail"]), (&json!("rejected"), &json!({ "status": "MESSAGE_REJECTED" })));
}

#[tokio::test]
async fn claims_that_are_throttled_or_fail_for_a_while_are_repeated_and_a_commit_too() {
    let world = launched().await;
    let mut sender = world.deployment.sender();
    let rule = |call| match call {
        0..4 => Write::Busy,
        4..6 => Write::Fail,
        _ => Write::Pass,
    };
    claim_by(&mut sender, rule, nothing());
    let rule = |call| match call {
        0 => Commit::Fail,
        1 => Commit::AndFail,
        _ => Commit::Pass,
    };
    commit_by(&mut sender, rule, nothing(), 0);
    sender.run(&world.work("weekly", 0), &Unhurried).await.unwrap();
    let report = world.check("weekly").await;
    assert_eq!((&report["status"], outcomes(&report)), (&json!("complete"), (200, 0, 0, 0)));
}

#[tokio::test]
async fn a_call_that_was_not_answered_leaves_its_people_in_doubt_whether_it_happened_or_not() {
    let world = launched().await;
    let mut sender = world.deployment.sender();
    mail_by(&mut sender, |call, batch| match call {
        0 => Post::DeliverAndSay(unanswered()),
        1 => Post::Say(unanswered()),
        // Results that cannot be matched by position.
        2 => Post::Answer(vec![Answer::Accepted; batch.mails.len() - 1]),
        _ => Post::Deliver,
    });
    sender.run(&world.work("weekly", 0), &Unhurried).await.unwrap();
    world.drain().await;
    let report = world.check("weekly").await;
    assert_eq!((&report["status"], outcomes(&report)), (&json!("complete"), (50, 0, 0, 150)));
    assert_eq!(report["reasons"], json!({ "in_doubt": 150 }));
    assert_eq!(world.services.ses.count(), 100);
}

#[tokio::test]
async fn a_busy_ses_is_asked_again_and_its_throttles_are_nobodys_failure() {
    let world = launched().await;
    let mut sender = world.deployment.sender();
    mail_by(&mut sender, |call, batch| match call {
        0..5 => Post::Say(busy()),
        5 => Post::Answer(vec![Answer::Busy; batch.mails.len()]),
        _ => Post::Deliver,
    });
    sender.run(&world.work("weekly", 0), &Unhurried).await.unwrap();
    let report = world.check("weekly").await;
    assert_eq!((&report["status"], outcomes(&report)), (&json!("complete"), (200, 0, 0, 0)));
}

#[tokio::test]
async fn one_bad_address_of_fifty_is_found_by_halving_and_fails_alone() {
    let world = launched().await;
    let mut sender = world.deployment.sender();
    mail_by(&mut sender, |_, batch| {
        let bad = batch.mails.iter().any(|mail| mail.recipient.as_str() == "r-00033");
        if bad { Post::Say(MailerError::Refused("BAD_REQUEST".to_owned())) } else { Post::Deliver }
    });
    sender.run(&world.work("weekly", 0), &Unhurried).await.unwrap();
    let report = world.check("weekly").await;
    assert_eq!((&report["status"], outcomes(&report)), (&json!("complete"), (199, 0, 1, 0)));
    let why = world.why("weekly", "r-00033").await;
    assert_eq!((&why["outcome"], &why["detail"]), (&json!("failed"), &json!({ "status": "BAD_REQUEST" })));
}

fn suspended() -> Stop {
    Stop { code: StatusCode::Account, message: "SES answered ACCOUNT_SUSPENDED: look at the account".to_owned() }
}

#[tokio::test]
async fn an_account_that_is_stopped_pauses_the_campaign_and_frees_every_slot_that_was_not_used() {
    for whole in [true, false] {
        let world = launched().await;
        let mut sender = world.deployment.sender();
        sender.max_in_flight = 1;
        mail_by(&mut sender, move |call, batch| match (call, whole) {
            (0, _) => Post::Deliver,
            (1, true) => Post::Say(MailerError::Stopped(suspended())),
            (1, false) => Post::Answer(vec![Answer::Stopped(suspended()); batch.mails.len()]),
            _ => panic!("SES was asked again"),
        });
        sender.run(&world.work("weekly", 0), &Unhurried).await.unwrap();
        world.drain().await;

        let report = world.check("weekly").await;
        assert_eq!(report["status"], "paused");
        assert_eq!(report["status_detail"], json!(suspended_detail()));
        assert_eq!((world.services.ses.count(), outcomes(&report)), (50, (50, 0, 0, 0)));
        assert_eq!(report["audience"], Value::Null, "the rest is beyond the cursor, whole");
        assert_eq!(world.slots("weekly").await, 50);
    }
}

fn suspended_detail() -> Value {
    json!({ "code": "account", "message": "SES answered ACCOUNT_SUSPENDED: look at the account" })
}

#[tokio::test]
async fn an_exhausted_quota_lets_the_campaign_wait_and_defers_only_who_shared_a_call_with_the_last_mails() {
    let world = launched().await;
    let mut sender = world.deployment.sender();
    sender.max_in_flight = 1;
    let taken = |call, batch: &germane::flow::send::mail::Batch<'_>| match call {
        // The stand-in delivers whole calls: who is said to be over the quota is left out of it in doubt's stead.
        0 | 1 => Post::Deliver,
        2 => {
            let over = |at| if at < 20 { Answer::InDoubt } else { Answer::QuotaExceeded };
            Post::Answer((0..batch.mails.len()).map(over).collect())
        }
        _ => panic!("SES was asked again"),
    };
    mail_by(&mut sender, taken);
    sender.run(&world.work("weekly", 0), &Unhurried).await.unwrap();

    let report = world.check("weekly").await;
    assert_eq!((&report["status"], &report["status_detail"]["code"]), (&json!("waiting_for_quota"), &json!("quota")));
    assert_eq!(outcomes(&report), (100, 30, 0, 20));
    assert_eq!(report["reasons"], json!({ "in_doubt": 20, "quota": 30 }));
    assert_eq!(world.slots("weekly").await, 120);
}

#[tokio::test]
async fn an_ses_that_stays_down_leaves_everybody_beyond_the_cursor_for_when_it_is_back() {
    let world = launched().await;
    let mut sender = world.deployment.sender();
    world.clock.hurry();
    mail_by(&mut sender, |_, _| Post::Say(busy()));
    let error = fails(&sender, &world.work("weekly", 0)).await;
    assert!(matches!(error, SendError::MailerDown), "{error:?}");
    let report = world.check("weekly").await;
    assert_eq!((&report["status"], &report["decided"]), (&json!("sending"), &json!(0)));
    assert_eq!(world.slots("weekly").await, 0);

    world.drain().await;
    let report = world.check("weekly").await;
    assert_eq!((&report["status"], outcomes(&report)), (&json!("complete"), (200, 0, 0, 0)));
}

#[tokio::test]
async fn a_call_that_ses_keeps_throttling_while_others_go_through_puts_nobody_in_doubt() {
    let world = launched().await;
    let mut sender = world.deployment.sender();
    world.clock.hurry();
    mail_by(&mut sender, |_, batch| {
        let first = batch.mails[0].recipient.as_str() <= "r-00049";
        if first { Post::Say(busy()) } else { Post::Deliver }
    });
    fails(&sender, &world.work("weekly", 0)).await;
    let report = world.check("weekly").await;
    assert_eq!((outcomes(&report), &report["reasons"]), ((150, 50, 0, 0), &json!({ "throttled": 50 })));
}

#[tokio::test]
async fn a_page_that_cannot_be_read_does_not_put_those_before_it_in_doubt() {
    let world = launched().await;
    let mut sender = world.deployment.sender();
    pages_of(&mut sender, 60, Some(2), nothing());
    let error = fails(&sender, &world.work("weekly", 0)).await;
    assert!(matches!(error, SendError::Port(_)), "{error:?}");
    world.drain().await;
    let report = world.check("weekly").await;
    assert_eq!(outcomes(&report), (200, 0, 0, 0));
}
