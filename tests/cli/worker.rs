//! Workers as processes of their own, beside a stack in another.

use super::run::{Running, alone};
use crate::{
    stack::Site,
    world::{NOW, campaign},
};

fn stack(args: &[&str]) -> (Running, Site) {
    let mut stack = Running::start(&[&["local", "--port", "0"], args].concat());
    let url = stack.says("listening on ");
    (stack, Site::at(&url))
}

fn worker(site: &Site, concurrency: &str) -> Running {
    let mut worker = Running::start(&["worker", "--endpoint", &site.url, "--concurrency", concurrency]);
    assert_eq!(worker.says("working for "), site.url);
    worker
}

/// Everybody got exactly one mail.
async fn once_each(site: &Site, people: usize) {
    let mails = site.mails().await;
    assert_eq!((mails.len(), mails.values().sum::<usize>()), (people, people));
}

#[tokio::test]
async fn what_several_workers_send_arrives_once() {
    let (_stack, site) = stack(&["--no-workers"]);
    let _workers = [worker(&site, "4"), worker(&site, "4")];
    site.put_many(400).await;
    site.send(&campaign("weekly")).await;
    assert_eq!(site.complete("weekly").await["outcomes"]["sent"], 400);
    once_each(&site, 400).await;
}

#[tokio::test]
async fn a_worker_that_is_told_to_end_finishes_what_it_began_and_leaves_the_rest_to_the_next() {
    let (_stack, site) = stack(&["--no-workers"]);
    site.put_many(400).await;
    let mut first = worker(&site, "1");
    site.send(&campaign("weekly")).await;
    site.report("weekly", |report| report["decided"] != 0).await;

    first.signal("-INT");

    let ended = first.ends();
    assert_eq!((ended.code, ended.out.as_str()), (0, ""), "{ended:?}");
    let left = site.get("/v1/campaigns/weekly").await.1;
    assert!(left["decided"].as_u64().unwrap() < 400, "it went on: {left}");
    assert_eq!(left["outcomes"]["sent"], site.mails().await.len(), "what it began is finished");
    let _second = worker(&site, "8");
    let report = site.complete("weekly").await;
    assert_eq!((&report["outcomes"]["sent"], &report["outcomes"]["in_doubt"]), (&400.into(), &0.into()));
    once_each(&site, 400).await;
}

#[tokio::test]
async fn what_a_killed_worker_held_is_taken_over_and_nobody_is_mailed_twice() {
    let (_stack, site) = stack(&["--no-workers", "--clock", NOW]);
    site.put_many(400).await;
    let mut first = worker(&site, "8");
    site.send(&campaign("weekly")).await;
    site.report("weekly", |report| report["decided"] != 0).await;

    first.signal("-KILL");

    assert_eq!(first.ends().code, -1);
    let _second = worker(&site, "8");
    // Its leases end, and its messages come back.
    site.advance(91).await;
    let report = site.complete("weekly").await;
    let (sent, in_doubt) = (&report["outcomes"]["sent"], &report["outcomes"]["in_doubt"]);
    assert_eq!(sent.as_u64().unwrap() + in_doubt.as_u64().unwrap(), 400, "{report}");
    let mails = site.mails().await;
    assert!(mails.values().all(|mails| *mails == 1) && mails.len() as u64 >= sent.as_u64().unwrap(), "{report}");
}

#[tokio::test]
async fn a_worker_that_is_told_twice_ends_at_once() {
    let (stack, site) = stack(&["--no-workers"]);
    site.put_many(400).await;
    let mut first = worker(&site, "1");
    site.send(&campaign("weekly")).await;
    site.report("weekly", |report| report["decided"] != 0).await;
    // What it began takes as long as a call that nobody answers.
    stack.signal("-STOP");
    first.signal("-INT");
    first.remarks("Ctrl-C once more");

    first.signal("-INT");

    let ended = first.ends();
    assert_eq!((ended.code, ended.out.as_str()), (1, ""), "{ended:?}");
    assert!(ended.err.contains("ended at once"), "{}", ended.err);
}

#[tokio::test]
async fn a_stack_drains_its_own_workers_before_it_ends() {
    let (mut stack, site) = stack(&[]);
    site.put_many(400).await;
    site.send(&campaign("weekly")).await;
    site.report("weekly", |report| report["decided"] != 0).await;

    stack.signal("-INT");

    let ended = stack.ends();
    assert_eq!((ended.code, ended.out.as_str()), (0, ""), "{ended:?}");
    assert!(!ended.err.contains("tried again"), "nothing broke: {}", ended.err);
}

#[tokio::test]
async fn a_worker_waits_for_a_stack_that_went_away() {
    let (mut stack, site) = stack(&["--no-workers"]);
    let mut worker = worker(&site, "1");
    stack.signal("-KILL");
    stack.ends();
    let port = site.url.rsplit(':').next().unwrap();

    let mut again = Running::start(&["local", "--port", port, "--no-workers"]);

    assert_eq!(again.says("listening on "), site.url);
    assert_eq!(worker.says("working for "), site.url);
    site.put_many(20).await;
    site.send(&campaign("weekly")).await;
    assert_eq!(site.complete("weekly").await["outcomes"]["sent"], 20);
    worker.signal("-TERM");
    let ended = worker.ends();
    assert_eq!(ended.code, 0);
    assert!(ended.err.contains(&format!("the stack at {} is gone", site.url)), "{}", ended.err);
}

#[test]
fn a_worker_needs_a_stack_on_its_own_machine() {
    let ended = alone(&["worker", "--endpoint", "https://germane.example.com"]);
    assert_eq!(ended.code, 2);
    insta::assert_snapshot!(ended.err, @r#"
    error: a worker works for a stack on its own machine
      --endpoint: found "https://germane.example.com", wanted a stack on this machine, such as http://127.0.0.1:8787
    "#);
}

#[tokio::test]
async fn what_is_no_stack_is_not_worked_for() {
    let api = super::api::Api::new(|_, _| super::api::ok(&serde_json::json!({})));
    let ended = alone(&["worker", "--endpoint", &api.url]);
    assert_eq!(ended.code, 1);
    insta::assert_snapshot!(ended.err.replace(&api.url, "URL"), @r"
    error: no local stack is at URL
      what answers is no local stack of this version
    next: start one with `germane local`, of the same version, or name it with --endpoint
    ");
}
