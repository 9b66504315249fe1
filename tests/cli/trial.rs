//! `germane send --test`: a mail to those who make the campaign.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::{
    api::{Api, ok, problem},
    gateway::message,
    run::{Folder, alone},
};

const CAMPAIGN: &str = r#"{ "id": "c-1", "topic": "rust", "channel": "work", "template": "newsletter" }"#;

fn answering(result: &'static str) -> Api {
    Api::new(move |_, _| ok(&json!({ "id": "c-1", "result": result })))
}

fn folder() -> Folder {
    Folder::new().with("campaign.json", CAMPAIGN)
}

#[test]
fn the_campaign_goes_along_with_whom_it_is_for_and_nothing_is_sent() {
    let (folder, api) = (folder(), answering("sent"));
    let ended = folder.germane(&api, &["send", "campaign.json", "--test"]);
    assert_eq!((ended.code, ended.out.as_str(), ended.err.as_str()), (0, "c-1: a test mail is on its way\n", ""));
    let ended = folder.germane(&api, &["send", "campaign.json", "--test=qa@example.com", "--as", "r-1", "--json"]);
    assert_eq!(ended.json(), json!({ "id": "c-1", "result": "sent" }));
    assert_eq!(api.lines(), ["POST /v1/campaigns/c-1/test"; 2]);
    let campaign: Value = serde_json::from_str(CAMPAIGN).unwrap();
    let bodies: Vec<Value> = api.asked().iter().map(|asked| serde_json::from_str(&asked.body).unwrap()).collect();
    assert_eq!(bodies[0], json!({ "to": null, "recipient": null, "campaign": campaign }));
    assert_eq!(bodies[1], json!({ "to": "qa@example.com", "recipient": "r-1", "campaign": campaign }));
}

#[test]
fn what_may_have_gone_out_is_said_so() {
    let ended = folder().germane(&answering("in_doubt"), &["send", "campaign.json", "--test"]);
    assert_eq!(ended.code, 0);
    assert!(ended.out.starts_with("c-1: the test mail may have been sent"), "{}", ended.out);
}

#[test]
fn an_answer_that_does_not_come_is_not_asked_for_again() {
    let api = Api::saying(|_, _| message(504, "Gateway Timeout"));
    let ended = folder().germane(&api, &["send", "campaign.json", "--test"]);
    assert_eq!((ended.code, api.lines().len()), (1, 1));
    insta::assert_snapshot!(ended.err, @r"
    error: Gateway Timeout
    next: it may have been sent: look into the mailbox before you send another
    ");
}

#[test]
fn each_fault_is_named_where_it_was_written() {
    let api = Api::new(|_, _| {
        let errors = json!([
            { "field": "/campaign/channel", "found": "\"wrk\"", "wanted": "work or personal" },
            { "field": "/to", "found": "another address", "wanted": "one of the policy's test_addresses" },
        ]);
        problem(StatusCode::UNPROCESSABLE_ENTITY.as_u16(), "invalid", "Unprocessable Entity", &errors)
    });
    let ended = folder().germane(&api, &["send", "campaign.json", "--test=other@example.com"]);
    assert_eq!(ended.code, 2);
    insta::assert_snapshot!(ended.err, @r#"
    error: Unprocessable Entity
      campaign.json /channel: found "wrk", wanted work or personal
      --test: found another address, wanted one of the policy's test_addresses
    "#);
    let nameless = Folder::new().with("campaign.json", r#"{ "topic": "rust" }"#);
    let ended = nameless.germane(&api, &["send", "campaign.json", "--test"]);
    assert_eq!((ended.code, api.asked().len()), (2, 1));
    assert!(ended.err.contains("campaign.json /id: found nothing"), "{}", ended.err);
}

#[test]
fn an_address_that_is_none_is_not_repeated() {
    let ended = alone(&["send", &folder().path("campaign.json"), "--test=secret"]);
    assert_eq!(ended.code, 2);
    assert!(!ended.err.contains("secret"), "{}", ended.err);
}
