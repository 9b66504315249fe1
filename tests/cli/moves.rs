//! Pause, resume and cancel.

use serde_json::json;

use super::{
    api::{Api, ok, problem},
    run::{alone, germane},
};

const VERBS: [(&str, &str, &str); 3] = [
    ("pause", "paused", "to go on: germane resume c-1\n"),
    ("resume", "launching", "see how it goes: germane status c-1 --watch\n"),
    ("cancel", "cancelled", "see whom it came to: germane decisions c-1\n"),
];

#[test]
fn a_move_is_one_request_without_a_body_and_tells_the_new_status() {
    for (verb, status, next) in VERBS {
        let api = Api::new(move |_, _| ok(&json!({ "id": "c-1", "status": status })));
        let ended = germane(&api, &[verb, "c-1"]);
        assert_eq!((ended.code, ended.out, ended.err.as_str()), (0, format!("c-1: {status}\n"), next));
        assert_eq!(api.lines(), [format!("POST /v1/campaigns/c-1/{verb}")]);
        assert_eq!(api.asked()[0].body, "");

        let ended = germane(&api, &[verb, "c-1", "--json"]);
        assert_eq!((ended.code, ended.json()), (0, json!({ "id": "c-1", "status": status })));
        assert_eq!(ended.err, "");
    }
}

#[test]
fn a_move_that_the_status_does_not_allow_is_bad_input_in_the_servers_words() {
    let api = Api::new(|_, _| {
        let (status, kind, body) = problem(409, "illegal_move", "Conflict", &json!([]));
        let mut body: serde_json::Value = serde_json::from_str(&body).unwrap();
        body["detail"] = json!("c-1 is complete: nothing can be paused any more");
        (status, kind, body.to_string())
    });
    let ended = germane(&api, &["pause", "c-1"]);
    assert_eq!((ended.code, ended.out.as_str()), (2, ""));
    insta::assert_snapshot!(ended.err, @r"
    error: Conflict
      c-1 is complete: nothing can be paused any more
    next: see how it stands: germane status ID
    ");
    let ended = germane(&api, &["pause", "c-1", "--json"]);
    assert_eq!((ended.code, &ended.problem()["code"]), (2, &json!("illegal_move")));
}

#[test]
fn a_move_that_could_not_be_queued_is_asked_for_again() {
    let api = Api::new(|_, before| match before {
        0 => problem(503, "unavailable", "Service Unavailable", &json!([])),
        _ => ok(&json!({ "id": "c-1", "status": "launching" })),
    });
    let ended = germane(&api, &["resume", "c-1"]);
    assert_eq!((ended.code, ended.out.as_str()), (0, "c-1: launching\n"));
    assert_eq!(api.lines().len(), 2);
}

#[test]
fn a_move_names_one_campaign() {
    for (verb, ..) in VERBS {
        assert_eq!(alone(&[verb]).code, 2);
        assert_eq!(alone(&[verb, "a@b"]).code, 2);
    }
}
