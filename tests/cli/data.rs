//! What a data folder keeps over the end of its process, however that ends.

use std::fs;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::run::{Folder, Running, alone};
use crate::{
    stack::Site,
    world::{NOW, campaign, policy, with},
};

fn start(folder: &str, args: &[&str]) -> (Running, Site) {
    let mut stack = Running::start(&[&["local", "--data", folder], args].concat());
    let url = stack.says("listening on ");
    (stack, Site::at(&url))
}

fn kill(mut stack: Running) {
    stack.signal("-KILL");
    assert_eq!(stack.ends().code, -1);
}

fn port(site: &Site) -> String {
    site.url.rsplit(':').next().unwrap().to_owned()
}

async fn now(site: &Site) -> Timestamp {
    site.get("/local/clock").await.1["now"].as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_killed_stack_is_there_again_as_it_was_and_goes_on() {
    let folder = Folder::new();
    let data = folder.path("data");
    let (stack, site) = start(&data, &["--port", "0"]);
    site.put_many(20).await;
    let wordier = with(policy(), json!({ "privacy_url": "https://example.com/how-we-treat-data" }));
    assert_eq!(site.put("/v1/policy", &wordier).await, (200, json!({ "version": 2 })));
    site.send(&campaign("weekly")).await;
    assert_eq!(site.complete("weekly").await["outcomes"]["sent"], 20);
    let person = site.get("/v1/recipients/r-00007").await;
    let mails = site.get("/inbox/messages").await;
    kill(stack);

    let (stack, again) = start(&data, &["--port", &port(&site), "--no-workers"]);
    assert_eq!(again.url, site.url);
    assert_eq!(again.get("/v1/recipients/r-00007").await, person);
    assert_eq!(again.get("/v1/policy").await.1["privacy_url"], wordier["privacy_url"]);
    assert_eq!(again.complete("weekly").await["outcomes"]["sent"], 20);
    assert_eq!(again.get("/inbox/messages").await, mails);
    let link = mails.1[0]["headers"]["List-Unsubscribe"].as_str().unwrap().trim_matches(['<', '>']);
    assert_eq!(again.post_text(link, "List-Unsubscribe=One-Click").await, 200);
    again.send(&campaign("queued")).await;
    assert_eq!(again.get("/v1/campaigns/queued").await.1["status"], "scheduled");
    kill(stack);

    let (_stack, site) = start(&data, &["--port", "0"]);
    let queued = site.complete("queued").await;
    assert_eq!((&queued["outcomes"]["sent"], &queued["reasons"]), (&json!(19), &json!({ "consent_withdrawn": 1 })));
    assert_eq!(site.mails().await.values().sum::<usize>(), 39);
}

#[tokio::test]
async fn a_campaign_whose_stack_was_killed_goes_on_and_mails_nobody_twice() {
    let folder = Folder::new();
    let data = folder.path("data");
    let (stack, site) = start(&data, &["--port", "0", "--clock", NOW]);
    site.put_many(400).await;
    site.send(&campaign("weekly")).await;
    site.report("weekly", |report| report["decided"] != 0).await;
    kill(stack);

    let (_stack, site) = start(&data, &["--port", "0", "--clock", NOW]);
    // Leases that nobody holds any more end.
    site.advance(61).await;
    let report = site.complete("weekly").await;
    let (sent, in_doubt) = (&report["outcomes"]["sent"], &report["outcomes"]["in_doubt"]);
    let (sent, in_doubt) = (sent.as_u64().unwrap(), in_doubt.as_u64().unwrap());
    assert_eq!((sent + in_doubt, &report["audience"]), (400, &json!(400)), "{report}");
    let mails = site.mails().await;
    assert!(mails.values().all(|mails| *mails == 1), "{report}");
    assert!((sent..=400).contains(&(mails.len() as u64)), "{report}");
}

#[tokio::test]
async fn driven_time_goes_on_where_it_had_come() {
    let folder = Folder::new();
    let data = folder.path("data");
    let (stack, site) = start(&data, &["--port", "0", "--clock", NOW]);
    site.advance(86_400).await;
    let before = now(&site).await;
    kill(stack);

    let (stack, site) = start(&data, &["--port", "0", "--clock", NOW]);
    let after = now(&site).await;
    assert!(after >= before && after < before + SignedDuration::from_mins(5), "{before} and then {after}");
    kill(stack);

    let later = after + SignedDuration::from_hours(48);
    let (_stack, site) = start(&data, &["--port", "0", "--clock", &later.to_string()]);
    assert!(now(&site).await >= later);
}

#[tokio::test]
async fn the_machines_time_does_not_follow_a_driven_one_that_is_ahead_of_it() {
    let folder = Folder::new();
    let data = folder.path("data");
    let (stack, _) = start(&data, &["--port", "0", "--clock", "2199-01-01T00:00:00Z"]);
    kill(stack);

    let ended = alone(&["local", "--port", "0", "--data", &data]);

    assert_eq!((ended.code, ended.out.as_str()), (2, ""));
    assert!(ended.err.contains("driven to 2199-01-01T00:00:0"), "{}", ended.err);
    assert!(ended.err.contains("start it with --clock TIME"), "{}", ended.err);
}

#[tokio::test]
async fn a_driven_time_does_not_begin_before_what_was_stored_by_the_machines() {
    let folder = Folder::new();
    let data = folder.path("data");
    let (stack, site) = start(&data, &["--port", "0"]);
    let before = now(&site).await;
    kill(stack);

    let (_stack, site) = start(&data, &["--port", "0", "--clock", "2001-01-01T00:00:00Z"]);

    assert!(now(&site).await >= before);
}

#[tokio::test]
async fn a_data_folder_is_one_process_alone() {
    let folder = Folder::new();
    let data = folder.path("data");
    let (stack, _) = start(&data, &["--port", "0"]);
    let ended = alone(&["local", "--port", "0", "--data", &data, "--json"]);
    assert_eq!((ended.code, ended.out.as_str()), (1, ""));
    let problem: Value = ended.problem();
    assert_eq!(problem["code"], "not_started");
    assert!(problem["detail"].as_str().unwrap().contains("in use by another process"), "{problem}");

    kill(stack);
    start(&data, &["--port", "0"]);
}

#[cfg(unix)]
#[tokio::test]
async fn a_data_folder_that_is_made_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    let data = folder.path("here/and/there");
    let _stack = start(&data, &["--port", "0"]);
    assert_eq!(fs::metadata(&data).unwrap().permissions().mode() & 0o777, 0o700);
}

#[test]
fn a_data_folder_that_cannot_be_made_is_bad_input() {
    let folder = Folder::new().with("file", "");
    for data in ["file", "file/data"] {
        let ended = alone(&["local", "--port", "0", "--data", &folder.path(data)]);
        assert_eq!((ended.code, ended.out.as_str()), (2, ""), "{ended:?}");
        assert!(ended.err.contains("cannot be made"), "{}", ended.err);
    }
}

#[test]
fn a_data_folder_that_is_damaged_is_told_with_the_file() {
    for file in ["stack.sqlite", "tables.sqlite"] {
        let folder = Folder::new().with(file, "no database at all ".repeat(500));
        let ended = alone(&["local", "--port", "0", "--data", &folder.path("")]);
        assert_eq!((ended.code, ended.out.as_str()), (1, ""), "{ended:?}");
        assert!(ended.err.contains(&folder.path(file)), "{}", ended.err);
        assert!(!ended.err.contains("panicked"), "{}", ended.err);
    }
}

#[test]
fn what_contradicts_itself_is_refused() {
    for args in [
        &["local", "--data", "data", "--memory"][..],
        &["local", "--clock", "tomorrow"],
        &["local", "--clock", "2026-11-23T09:00:00"],
    ] {
        let ended = alone(args);
        assert_eq!((ended.code, ended.out.as_str()), (2, ""), "{args:?}: {ended:?}");
    }
}
