//! Suppressions: one by one, and a list that is checked whole before anything is stored.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{
    api::{Api, Asked, ok, problem},
    run::{Folder, alone, germane, germane_reading},
};

/// Suppresses what it is asked to, but keeps what begins with `old` and refuses what begins with `bad`.
fn api() -> Api {
    Api::new(|asked, _| match asked.method.as_str() {
        "POST" => results(asked),
        "DELETE" => (axum::http::StatusCode::NO_CONTENT, "application/json", String::new()),
        _ => {
            let kind = if asked.target.contains("old") { "complaint" } else { "manual" };
            let note = serde_json::from_str::<Value>(&asked.body).unwrap_or_default()["note"].clone();
            ok(&json!({ "kind": kind, "since": "2026-11-23T09:00:00Z", "note": note }))
        }
    })
}

fn results(asked: &Asked) -> (axum::http::StatusCode, &'static str, String) {
    let mut body = String::new();
    for (at, line) in asked.body.lines().enumerate() {
        let row: Value = serde_json::from_str(line).unwrap();
        let address = row["address"].as_str().unwrap();
        let fault =
            json!({ "field": "/address", "found": "an address that others change", "wanted": "a quieter moment" });
        let (result, errors) = match &address[..3] {
            "bad" => ("refused", json!([fault])),
            "old" => ("kept", json!([])),
            _ => ("suppressed", json!([])),
        };
        let _ = writeln!(body, "{}", json!({ "line": at + 1, "result": result, "errors": errors }));
    }
    (axum::http::StatusCode::OK, "application/x-ndjson", body)
}

#[test]
fn an_address_is_suppressed_looked_up_and_lifted_by_its_escaped_name() {
    let api = api();
    let told = |args: &[&str]| {
        let ended = germane(&api, args);
        assert_eq!((ended.code, ended.err.as_str()), (0, ""), "{ended:?}");
        ended.out
    };
    let add = ["suppressions", "add", "a/b%c@bücher.example.com", "--note", "by telephone"];
    assert_eq!(told(&add), "suppressed: manual, since 2026-11-23T09:00:00Z\nnote: by telephone\n");
    let kept = told(&["suppressions", "add", "old@example.com"]);
    assert_eq!(kept, "it was suppressed before, and that stays: complaint, since 2026-11-23T09:00:00Z\n");
    assert_eq!(told(&["suppressions", "get", "one@example.com"]), "suppressed: manual, since 2026-11-23T09:00:00Z\n");
    assert_eq!(told(&["suppressions", "remove", "one@example.com"]), "lifted\n");
    let json: Value = serde_json::from_str(&told(&["suppressions", "get", "one@example.com", "--json"])).unwrap();
    assert_eq!(json, json!({ "kind": "manual", "since": "2026-11-23T09:00:00Z", "note": null }));
    let json: Value = serde_json::from_str(&told(&["suppressions", "remove", "one@example.com", "--json"])).unwrap();
    assert_eq!(json, json!({ "result": "lifted" }));
    let one = "/v1/suppressions/one%40example.com";
    let wanted = [
        "PUT /v1/suppressions/a%2Fb%25c%40xn--bcher-kva.example.com".to_owned(),
        "PUT /v1/suppressions/old%40example.com".to_owned(),
        format!("GET {one}"),
        format!("DELETE {one}"),
        format!("GET {one}"),
        format!("DELETE {one}"),
    ];
    assert_eq!(api.lines(), wanted);
    assert_eq!(api.asked()[0].body, r#"{"note":"by telephone"}"#);
}

#[test]
fn what_is_no_address_is_only_measured_and_nothing_is_asked() {
    for verb in ["add", "get", "remove"] {
        let ended = alone(&["suppressions", verb, "\"secret\"@example.com"]);
        assert_eq!(ended.code, 2);
        assert!(ended.err.contains("ADDRESS: found a text of 20 characters, wanted an address"), "{}", ended.err);
        assert!(!ended.err.contains("secret"), "{}", ended.err);
    }
}

#[test]
fn what_cannot_be_lifted_is_bad_input_and_says_why() {
    let api = Api::new(|_, _| problem(409, "not_liftable", "Conflict", &json!([])));
    let ended = germane(&api, &["suppressions", "remove", "one@example.com", "--json"]);
    assert_eq!((ended.code, ended.problem()["code"].as_str()), (2, Some("not_liftable")));
}

#[test]
fn a_list_is_sent_in_batches_and_counted() {
    let api = api();
    let mut list = "# from the former system\n".to_owned();
    for n in 0..1_200 {
        let _ = writeln!(list, "r-{n}@example.com");
    }
    list.push_str("old@example.com\n");
    let folder = Folder::new().with("optouts.txt", &list);
    let ended = folder.germane(&api, &["suppressions", "import", "optouts.txt"]);
    let told = "1,200 addresses suppressed, 1 suppressed before for a reason that weighs more\n";
    assert_eq!((ended.code, ended.out.as_str()), (0, told), "{ended:?}");
    assert!(ended.err.contains("suppressing: 1,000 addresses of 1,201"), "{}", ended.err);
    let mut sizes: Vec<usize> = api.asked().iter().map(|asked| asked.body.lines().count()).collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [201, 500, 500]);
    assert!(api.lines().iter().all(|line| line == "POST /v1/suppressions"));
    let ended = folder.germane(&api, &["suppressions", "import", "optouts.txt", "--json"]);
    let counts = json!({ "file": "optouts.txt", "suppressed": 1_200, "kept": 1, "refused": 0 });
    assert_eq!((ended.json(), ended.err.as_str()), (counts, ""));
}

#[test]
fn csv_brings_a_note_for_each_address() {
    let api = api();
    let list = "address,note\none@example.com,\"by telephone, twice\"\ntwo@example.com,\n";
    let ended = germane_reading(&api, &["suppressions", "import", "-"], list);
    assert_eq!(ended.code, 0, "{ended:?}");
    let sent: Vec<Value> = api.asked()[0].body.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let noted = json!({ "address": "one@example.com", "note": "by telephone, twice" });
    assert_eq!(sent, [noted, json!({ "address": "two@example.com" })]);
}

#[test]
fn one_wrong_line_keeps_the_whole_list_from_being_stored_and_each_is_named() {
    let api = api();
    let folder = Folder::new().with("optouts.csv", "address,note\none@example.com,\nsecret,\u{7}\nthree@example.com\n");
    let ended = folder.germane(&api, &["suppressions", "import", "optouts.csv"]);
    assert_eq!((ended.code, ended.out.as_str(), api.lines().len()), (2, "", 0));
    insta::assert_snapshot!(ended.err, @r"
    error: 3 faults of optouts.csv found; nothing was stored
      optouts.csv:3 address: found a text of 6 characters, wanted an address such as name@example.com, the part before the @ in ASCII
      optouts.csv:3 note: found a text of 1 characters, wanted a text without control characters such as line breaks
      optouts.csv:4: found 1 column, wanted 2: address, note
    next: put them right and import the list again
    ");
    let ended = folder.germane(&api, &["suppressions", "import", "optouts.csv", "--json"]);
    assert_eq!((ended.code, ended.problem()["errors"].as_array().unwrap().len()), (2, 3));
    assert_eq!(ended.problem()["errors"][0]["line"], 3);
}

#[test]
fn bytes_that_are_no_text_and_lines_without_end_are_faults_of_their_line() {
    let api = api();
    let mut list = b"one@example.com\ns\xffcret@example.com\n".to_vec();
    list.extend(vec![b'x'; 300_000]);
    list.extend(b"\nfour@example.com");
    let folder = Folder::new().with("optouts.txt", list);
    let ended = folder.germane(&api, &["suppressions", "import", "optouts.txt"]);
    assert_eq!((ended.code, api.lines().len()), (2, 0));
    insta::assert_snapshot!(ended.err, @r"
    error: 2 faults of optouts.txt found; nothing was stored
      optouts.txt:2 address: found a byte that is not UTF-8 after 1 others, wanted UTF-8
      optouts.txt:3 address: found a text of 300000 characters, wanted an address such as name@example.com, the part before the @ in ASCII
    next: put them right and import the list again
    ");
}

#[test]
fn a_line_that_the_api_refuses_is_named_and_the_others_are_counted() {
    let folder = Folder::new().with("optouts.txt", "one@example.com\n\nbad@example.com\n");
    let ended = folder.germane(&api(), &["suppressions", "import", "optouts.txt"]);
    assert_eq!(ended.code, 2);
    assert!(ended.out.starts_with("1 address suppressed, 0 "), "{}", ended.out);
    assert!(ended.err.contains("optouts.txt:3 /address: found an address that others change"), "{}", ended.err);
}

#[test]
fn a_list_that_is_not_there_is_bad_input() {
    let ended = Folder::new().germane(&api(), &["suppressions", "import", "optouts.txt"]);
    assert_eq!(ended.code, 2);
    assert!(ended.err.starts_with("error: there is no file optouts.txt\n"), "{}", ended.err);
}
