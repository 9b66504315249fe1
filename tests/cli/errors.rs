//! What is told when it does not end well, and the exit code that goes with it.

use std::{
    io::Read,
    process::{Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

use serde_json::json;

use super::{
    api::{Api, ok, problem},
    run::{Folder, alone, command, germane, germane_reading},
};

const CAMPAIGN: &str = r#"{ "id": "c-1", "topic": "rust", "channel": "wrk", "template": "newsletter" }"#;

fn faulty() -> Api {
    Api::new(|_, _| {
        problem(
            422,
            "invalid",
            "The campaign has 2 faults",
            &json!([
                { "field": "/channel", "found": "\"wrk\"", "wanted": "work or personal" },
                { "field": "/holdout_percent", "found": "101", "wanted": "a whole number from 0 to 100" },
            ]),
        )
    })
}

#[test]
fn where_nothing_answers_it_says_how_to_start_something() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{free}");
    let ended = alone(&["status", "c-1", "--endpoint", &url]);
    assert_eq!((ended.code, ended.out.as_str()), (1, ""));
    insta::assert_snapshot!(ended.err.replace(&url, "URL"), @r"
    error: nothing answers at URL
    next: start it with `germane local`, or name another with --endpoint
    ");
}

#[test]
fn each_fault_is_named_with_file_field_found_and_wanted() {
    let folder = Folder::new().with("campaign.json", CAMPAIGN);
    let ended = folder.germane(&faulty(), &["send", "campaign.json"]);
    assert_eq!((ended.code, ended.out.as_str()), (2, ""));
    insta::assert_snapshot!(ended.err, @r#"
    error: The campaign has 2 faults
      campaign.json /channel: found "wrk", wanted work or personal
      campaign.json /holdout_percent: found 101, wanted a whole number from 0 to 100
    "#);
}

#[test]
fn with_json_a_fault_is_a_problem_document_on_stderr() {
    let ended = germane_reading(&faulty(), &["preview", "-", "--json"], CAMPAIGN);
    assert_eq!((ended.code, ended.out.as_str()), (2, ""));
    let problem = ended.problem();
    assert_eq!(problem["code"], "invalid");
    assert_eq!(
        problem["errors"][0],
        json!({
            "file": "stdin", "field": "/channel", "found": "\"wrk\"", "wanted": "work or personal",
        })
    );
}

#[test]
fn a_file_that_is_not_json_is_named_with_its_line() {
    let folder = Folder::new().with("campaign.json", "{\n  \"id\": c-1\n}");
    let ended = folder.germane(&faulty(), &["send", "campaign.json"]);
    assert_eq!(ended.code, 2);
    insta::assert_snapshot!(ended.err, @r"
    error: campaign.json is not JSON
      campaign.json:2: found expected value at line 2 column 9, wanted one JSON document
    ");
}

#[test]
fn a_file_that_is_not_there_is_bad_input() {
    let ended = Folder::new().germane(&faulty(), &["import", "people.jsonl"]);
    assert_eq!(ended.code, 2);
    assert!(ended.err.starts_with("error: there is no file people.jsonl\n"), "{}", ended.err);
}

#[test]
fn a_failing_server_is_no_fault_of_the_input() {
    let api = Api::new(|_, _| problem(500, "internal", "Something failed", &json!([])));
    let ended = germane(&api, &["status", "c-1"]);
    assert_eq!(ended.code, 1);
    insta::assert_snapshot!(ended.err, @r"
    error: Something failed
    next: try again: every verb may be repeated
    ");
}

#[test]
fn a_busy_server_is_asked_again() {
    let api = Api::new(|_, before| match before {
        0 => problem(503, "busy", "Too busy", &json!([])),
        _ => ok(&json!({ "id": "r-1" })),
    });
    let ended = germane(&api, &["recipients", "get", "r-1", "--json"]);
    assert_eq!((ended.code, ended.json()), (0, json!({ "id": "r-1" })));
}

#[test]
fn what_was_never_decided_is_told_with_what_to_do_next() {
    let api = Api::new(|_, _| problem(404, "not_evaluated", "c-1 never came to r-1", &json!([])));
    let ended = germane(&api, &["why", "c-1", "r-1"]);
    assert_eq!(ended.code, 2);
    insta::assert_snapshot!(ended.err, @r"
    error: c-1 never came to r-1
    next: see how far the campaign is: germane status ID
    ");
}

#[test]
fn an_answer_that_is_not_the_apis_is_a_failure_that_says_so() {
    let api = Api::new(|_, _| (axum::http::StatusCode::OK, "text/html", "<html>hello</html>".to_owned()));
    let ended = germane(&api, &["status", "c-1"]);
    assert_eq!(ended.code, 1);
    assert!(ended.err.contains("does not answer as Germane's API does"), "{}", ended.err);
}

#[test]
fn an_id_that_may_be_an_address_is_usage() {
    let ended = alone(&["why", "c-1", "someone@example.com"]);
    assert_eq!(ended.code, 2);
    assert!(ended.err.contains("1 to 128 of the characters A-Z a-z 0-9 . _ -"), "{}", ended.err);
}

#[test]
fn with_json_wrong_usage_is_a_problem_document_too() {
    let ended = alone(&["why", "--json"]);
    assert_eq!((ended.code, ended.problem()["code"].as_str()), (2, Some("usage")));
}

#[test]
fn an_endpoint_that_is_no_url_is_usage() {
    let ended = alone(&["policy", "get", "--endpoint", "localhost"]);
    assert_eq!(ended.code, 2);
    insta::assert_snapshot!(ended.err, @r#"
    error: the endpoint is no URL
      --endpoint: found "localhost", wanted a URL such as http://127.0.0.1:8787
    "#);
}

#[test]
fn a_reader_who_goes_away_is_no_panic_and_no_failure() {
    let pages = AtomicU32::new(0);
    let api = Api::new(move |_, _| {
        let item = json!({ "campaign": "c-1", "recipient": "r-1", "outcome": "sent", "detail": {} });
        let page = pages.fetch_add(1, Ordering::Relaxed);
        ok(&json!({ "items": vec![item; 200], "cursor": format!("page-{page}") }))
    });
    let mut endless: Command = command(&["decisions", "c-1", "--limit", "1000000"]);
    let endless = endless.env("GERMANE_ENDPOINT", &api.url).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = endless.spawn().unwrap();
    let mut head = [0; 10];
    child.stdout.take().unwrap().read_exact(&mut head).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), String::from_utf8(output.stderr).unwrap()), (Some(0), String::new()));
}
