//! Workers beside a stack.

use std::time::Duration;

use germane::local::{
    StackConfig, Work,
    worker::{End, JoinError, Worker},
};
use serde_json::json;
use tokio::sync::oneshot;

use super::{driven, start};
use crate::world::{NOW, campaign, with};

fn without_workers(config: StackConfig) -> StackConfig {
    StackConfig { work: Work::Elsewhere, ..config }
}

#[tokio::test]
async fn without_workers_nothing_is_sent_until_one_comes() {
    let (stack, site) = start(without_workers(StackConfig::default())).await;
    site.put_many(40).await;
    site.send(&campaign("weekly")).await;
    let worker = Worker::join(&site.url.parse().unwrap()).await.unwrap();
    assert_eq!((site.get("/v1/campaigns/weekly").await.1["status"].clone(), stack.mails()), (json!("scheduled"), 0));

    let (stop, stopped) = oneshot::channel::<()>();
    let working = tokio::spawn(worker.run(2, async move { drop(stopped.await) }));
    assert_eq!(site.complete("weekly").await["outcomes"]["sent"], 40);
    let mails = site.mails().await;
    assert_eq!((mails.len(), mails.values().sum::<usize>()), (40, 40));

    stop.send(()).unwrap();
    assert_eq!(working.await.unwrap(), End::Stopped);
}

#[tokio::test]
async fn what_a_worker_sends_carries_links_that_the_stack_knows() {
    let (stack, site) = start(without_workers(StackConfig::default())).await;
    site.put_many(1).await;
    site.send(&campaign("weekly")).await;
    let worker = Worker::join(&site.url.parse().unwrap()).await.unwrap();
    let _working = tokio::spawn(worker.run(1, std::future::pending()));
    site.complete("weekly").await;

    let mail = stack.ses.mails().remove(0);
    let headers = mail.headers();
    let link = headers["List-Unsubscribe"].trim_matches(['<', '>']);
    assert!(link.starts_with(&site.url), "{link}");
    assert_eq!(site.post_text(link, "List-Unsubscribe=One-Click").await, 200);
    site.send(&campaign("next")).await;
    assert_eq!(site.complete("next").await["reasons"], json!({ "consent_withdrawn": 1 }));
}

#[tokio::test]
async fn a_worker_sees_the_time_that_its_stack_was_moved_to() {
    let (_stack, site) = start(without_workers(driven())).await;
    site.put_many(3).await;
    let worker = Worker::join(&site.url.parse().unwrap()).await.unwrap();
    let _working = tokio::spawn(worker.run(1, std::future::pending()));
    let start: jiff::Timestamp = NOW.parse().unwrap();
    let not_before = start + Duration::from_mins(10);
    site.send(&with(campaign("later"), json!({ "not_before": not_before }))).await;

    site.drive_until_complete("later").await;
    let decision = site.get("/v1/campaigns/later/decisions/r-00000").await.1;
    let decided_at: jiff::Timestamp = decision["decided_at"].as_str().unwrap().parse().unwrap();
    assert!(decided_at >= not_before, "{decision}");
}

#[tokio::test]
async fn a_worker_whose_stack_is_gone_says_so() {
    let (stack, site) = start(without_workers(StackConfig::default())).await;
    let worker = Worker::join(&site.url.parse().unwrap()).await.unwrap();
    let working = tokio::spawn(worker.run(1, std::future::pending()));

    stack.stop().await;

    assert_eq!(working.await.unwrap(), End::Lost);
    assert!(matches!(Worker::join(&site.url.parse().unwrap()).await, Err(JoinError::Gone(_))));
}
