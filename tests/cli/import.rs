//! Import: a result for each row, with the line that it stands on.

use std::{
    collections::BTreeSet,
    fmt::Write as _,
    io::Write,
    process::{Command, Stdio},
};

use serde_json::{Value, json};

use super::{
    api::{Api, Asked, problem},
    run::{Folder, command, germane_reading},
};

/// Takes every row, but refuses those whose id begins with `bad`.
fn api() -> Api {
    Api::new(|asked, _| results(asked))
}

fn results(asked: &Asked) -> (axum::http::StatusCode, &'static str, String) {
    let mut body = String::new();
    for (at, line) in asked.body.lines().enumerate() {
        let row: Value = serde_json::from_str(line).unwrap();
        let id = row["id"].as_str().unwrap();
        let result = if id.starts_with("bad") {
            let errors =
                json!([{ "field": "/interests/0/strength", "found": "1.5", "wanted": "a number from 0 to 1" }]);
            json!({ "line": at + 1, "id": id, "result": "refused", "errors": errors })
        } else {
            let result = if id.starts_with("old") { "updated" } else { "created" };
            json!({ "line": at + 1, "id": id, "result": result })
        };
        let _ = writeln!(body, "{result}");
    }
    (axum::http::StatusCode::OK, "application/x-ndjson", body)
}

fn row(id: &str) -> String {
    json!({ "id": id, "addresses": { "work": "someone@example.com" } }).to_string()
}

fn people(count: usize) -> Vec<String> {
    (1..=count).map(|number| row(&format!("r-{number}"))).collect()
}

#[test]
fn every_row_is_sent_once_in_batches_and_counted() {
    let api = api();
    let mut rows = people(450);
    rows.push(row("old-1"));
    let folder = Folder::new().with("people.jsonl", rows.join("\n"));
    let ended = folder.germane(&api, &["import", "people.jsonl"]);
    assert_eq!((ended.code, ended.out.as_str()), (0, "451 rows: 450 created, 1 updated, 0 refused\n"));
    assert!(api.asked().iter().all(|asked| asked.content_type == "application/x-ndjson"));
    assert!(api.lines().iter().all(|line| line == "POST /v1/recipients"));
    let mut sizes: Vec<usize> = api.asked().iter().map(|asked| asked.body.lines().count()).collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [51, 200, 200]);
    let sent: BTreeSet<String> =
        api.asked().iter().flat_map(|asked| asked.body.lines().map(str::to_owned).collect::<Vec<_>>()).collect();
    assert_eq!(sent, rows.into_iter().collect());
}

#[test]
fn a_refused_row_is_named_by_its_line_in_the_file_whatever_batch_it_was_in() {
    let mut rows = people(400);
    rows[0] = row("bad-first");
    rows[399] = row("bad-last");
    rows.insert(210, String::new());
    let folder = Folder::new().with("people.jsonl", rows.join("\n"));
    let ended = folder.germane(&api(), &["import", "people.jsonl"]);
    assert_eq!(ended.code, 2);
    assert_eq!(ended.out, "400 rows: 398 created, 0 updated, 2 refused\n");
    insta::assert_snapshot!(ended.err, @r"
    error: 2 rows of people.jsonl refused
      people.jsonl:1 /interests/0/strength: found 1.5, wanted a number from 0 to 1
      people.jsonl:401 /interests/0/strength: found 1.5, wanted a number from 0 to 1
    next: put them right and import the file again; --rejects FILE keeps the refused rows
    ");
}

#[test]
fn what_is_not_json_or_not_utf8_is_a_refused_row_and_the_others_are_taken() {
    let mut file = b"{\"id\": \"r-1\"\n".to_vec();
    file.extend(b"{\"id\": \"r-\xff\"}\n");
    file.extend(format!("{}\n{}\n", row("r-3"), row("bad-4")).bytes());
    let folder = Folder::new().with("people.jsonl", file);
    let ended = folder.germane(&api(), &["import", "people.jsonl", "--rejects", "refused.jsonl"]);
    assert_eq!((ended.code, ended.out.as_str()), (2, "4 rows: 1 created, 0 updated, 3 refused\n"));
    insta::assert_snapshot!(folder.read("refused.jsonl"), @r#"
    {"errors":[{"field":"","found":"EOF while parsing an object at column 12","wanted":"one JSON object"}],"id":null,"line":1,"row":"{\"id\": \"r-1\""}
    {"errors":[{"field":"","found":"bytes that are not UTF-8 at column 11","wanted":"UTF-8"}],"id":null,"line":2,"row":"{\"id\": \"r-�\"}"}
    {"errors":[{"field":"/interests/0/strength","found":"1.5","wanted":"a number from 0 to 1"}],"id":"bad-4","line":4,"row":{"addresses":{"work":"someone@example.com"},"id":"bad-4"}}
    "#);
    insta::assert_snapshot!(ended.err, @r"
    error: 3 rows of people.jsonl refused
      people.jsonl:1: found EOF while parsing an object at column 12, wanted one JSON object
      people.jsonl:2: found bytes that are not UTF-8 at column 11, wanted UTF-8
      people.jsonl:4 /interests/0/strength: found 1.5, wanted a number from 0 to 1
    next: put the rows of refused.jsonl right and import them again
    ");
}

#[test]
fn only_the_first_faults_are_named_and_the_others_counted() {
    let rows: Vec<String> = (1..=30).map(|number| row(&format!("bad-{number}"))).collect();
    let folder = Folder::new().with("people.jsonl", rows.join("\n"));
    let ended = folder.germane(&api(), &["import", "people.jsonl"]);
    assert_eq!(ended.err.matches("people.jsonl:").count(), 5);
    assert!(ended.err.contains("\n  and 25 more\n"), "{}", ended.err);
}

#[test]
fn stdin_is_read_to_its_end_and_json_is_one_document() {
    let ended = germane_reading(&api(), &["import", "-", "--json"], &[row("r-1"), row("bad-2")].join("\n"));
    assert_eq!(ended.code, 2);
    assert_eq!(
        ended.json(),
        json!({
            "file": "stdin", "rows": 2, "created": 1, "updated": 0, "refused": 1,
            "faults": [{
                "file": "stdin", "line": 2, "field": "/interests/0/strength", "found": "1.5",
                "wanted": "a number from 0 to 1",
            }],
        })
    );
    assert_eq!(ended.problem()["code"], "refused_rows");
}

#[test]
fn the_same_import_again_asks_the_same() {
    let api = api();
    let folder = Folder::new().with("people.jsonl", people(250).join("\n"));
    let first = folder.germane(&api, &["import", "people.jsonl"]);
    let again = folder.germane(&api, &["import", "people.jsonl"]);
    assert_eq!((first.code, again.code), (0, 0));
    let mut bodies: Vec<String> = api.asked().into_iter().map(|asked| asked.body).collect();
    bodies.sort_unstable();
    let (once, twice): (BTreeSet<_>, usize) = (bodies.iter().collect(), bodies.len());
    assert_eq!((once.len(), twice), (2, 4));
}

#[test]
fn an_empty_file_is_no_fault() {
    let folder = Folder::new().with("people.jsonl", "\n");
    let ended = folder.germane(&api(), &["import", "people.jsonl"]);
    assert_eq!((ended.code, ended.out.as_str()), (0, "0 rows: 0 created, 0 updated, 0 refused\n"));
}

#[test]
fn a_failure_on_the_way_says_how_far_it_came() {
    let api = Api::new(|asked, _| {
        if asked.body.contains("\"r-201\"") {
            problem(500, "internal", "Something failed", &json!([]))
        } else {
            results(asked)
        }
    });
    let folder = Folder::new().with("people.jsonl", people(400).join("\n"));
    let ended = folder.germane(&api, &["import", "people.jsonl"]);
    assert_eq!(ended.code, 1);
    assert!(ended.err.contains("200 rows had been taken before"), "{}", ended.err);
}

#[test]
fn a_whole_request_that_is_refused_is_bad_input() {
    let api = Api::new(|_, _| problem(409, "no_policy", "There is no policy yet", &json!([])));
    let folder = Folder::new().with("people.jsonl", row("r-1"));
    let ended = folder.germane(&api, &["import", "people.jsonl"]);
    assert_eq!(ended.code, 2);
    assert!(ended.err.starts_with("error: There is no policy yet\n"), "{}", ended.err);
}

#[test]
fn the_file_to_import_is_never_overwritten() {
    let folder = Folder::new().with("people.jsonl", row("r-1"));
    let ended = folder.germane(&api(), &["import", "people.jsonl", "--rejects", "./people.jsonl"]);
    assert_eq!((ended.code, folder.read("people.jsonl")), (2, row("r-1")));
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_an_import_that_waits_for_more_rows() {
    let (asked, was_asked) = std::sync::mpsc::channel();
    let api = Api::new(move |request, _| {
        asked.send(()).unwrap();
        results(request)
    });
    let mut import = command(&["import", "-", "--endpoint", &api.url]);
    let mut child = import.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all((people(200).join("\n") + "\n").as_bytes()).unwrap();
    was_asked.recv().unwrap();
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    drop(stdin);
    assert_eq!(output.status.code(), Some(1));
    let err = String::from_utf8(output.stderr).unwrap();
    assert!(err.starts_with("error: stopped before the end\n"), "{err}");
}
