//! `germane newsletters`.

use serde_json::{Value, json};

use super::{
    api::{Api, ok, problem},
    run::{Folder, alone, germane},
};

fn standing(id: &str, last: &Value) -> Value {
    json!({
        "id": id, "cron": "0 9 * * mon", "time_zone": "Europe/Berlin", "campaign": { "id": "rust-{{date}}" },
        "put_by": "local", "next_run": "2026-11-30T08:00:00Z", "last_run": last,
    })
}

fn run(campaign: &str, refused: Option<&str>) -> Value {
    json!({ "scheduled": "2026-11-23T08:00:00Z", "campaign": campaign, "refused": refused })
}

#[test]
fn the_list_has_a_line_for_each_from_every_part() {
    let api = || {
        Api::new(|asked, _| {
            if asked.target == "/v1/newsletters" {
                return ok(&json!({ "items": [standing("monthly", &json!(null))], "cursor": "monthly" }));
            }
            assert_eq!(asked.line(), "GET /v1/newsletters?cursor=monthly");
            let refused = run("b-2026-11-23", Some("/topic: found \"rust\", wanted a topic of the policy"));
            let items = [standing("rust-weekly", &run("a-2026-11-23", None)), standing("z", &refused)];
            ok(&json!({ "items": items, "cursor": null }))
        })
    };
    let ended = germane(&api(), &["newsletters", "list"]);
    assert_eq!((ended.code, ended.err.as_str()), (0, ""));
    insta::assert_snapshot!(ended.out);

    let listed = germane(&api(), &["newsletters", "list", "--json"]).json();
    assert_eq!((listed["items"].as_array().unwrap().len(), &listed["cursor"]), (3, &json!(null)));
}

#[test]
fn where_there_is_none_the_list_says_how_to_put_one() {
    let api = Api::new(|_, _| ok(&json!({ "items": [], "cursor": null })));
    let ended = germane(&api, &["newsletters", "list"]);
    assert_eq!((ended.code, ended.out.as_str()), (0, ""));
    assert!(ended.err.contains("germane newsletters put ID FILE"), "{}", ended.err);
}

#[test]
fn put_hands_the_file_over_and_tells_the_next_run() {
    let folder = Folder::new().with("weekly.json", r#"{ "cron": "0 9 * * mon" }"#);
    let api = Api::new(|_, _| ok(&standing("weekly", &json!(null))));
    let ended = folder.germane(&api, &["newsletters", "put", "weekly", "weekly.json"]);
    assert_eq!((ended.code, ended.out.as_str()), (0, "weekly: runs next at 2026-11-30T08:00:00Z\n"));
    assert_eq!(api.lines(), ["PUT /v1/newsletters/weekly"]);
    assert_eq!(api.asked()[0].body, r#"{"cron":"0 9 * * mon"}"#);
    let ended = folder.germane(&api, &["newsletters", "put", "weekly", "weekly.json", "--json"]);
    assert_eq!(ended.json(), standing("weekly", &json!(null)));
}

#[test]
fn faults_are_told_with_the_file() {
    let folder = Folder::new().with("weekly.json", "{}");
    let fault = json!([{ "field": "/cron", "found": "nothing", "wanted": "this field" }]);
    let api = Api::new(move |_, _| problem(422, "invalid", "Unprocessable Entity", &fault));
    let ended = folder.germane(&api, &["newsletters", "put", "weekly", "weekly.json"]);
    assert_eq!(ended.code, 2);
    assert!(ended.err.contains("weekly.json /cron: found nothing, wanted this field"), "{}", ended.err);
}

#[test]
fn get_and_delete_name_one() {
    let api = Api::new(|asked, _| match asked.method.as_str() {
        "GET" => ok(&standing("weekly", &json!(null))),
        _ => ok(&Value::Null),
    });
    assert_eq!(germane(&api, &["newsletters", "get", "weekly"]).json(), standing("weekly", &json!(null)));
    let ended = germane(&api, &["newsletters", "delete", "weekly"]);
    assert_eq!((ended.code, ended.out.as_str()), (0, "weekly: deleted\n"));
    let ended = germane(&api, &["newsletters", "delete", "weekly", "--json"]);
    assert_eq!(ended.json(), json!({ "id": "weekly", "result": "deleted" }));
    assert_eq!(api.lines()[0], "GET /v1/newsletters/weekly");
    assert_eq!(api.lines()[1..], ["DELETE /v1/newsletters/weekly", "DELETE /v1/newsletters/weekly"]);
    assert_eq!(alone(&["newsletters", "get", "a@b"]).code, 2);
}
