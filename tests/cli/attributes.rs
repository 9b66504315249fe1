//! What is held and not used.

use serde_json::{Value, json};

use super::{
    api::{Api, ok},
    run::germane,
};

fn part(people: u64, cursor: Option<&str>) -> Value {
    json!({
        "since": "2025-10-19T09:00:00Z", "people": 2 * people, "cursor": cursor, "idle": [format!("r-{people}")],
        "attributes": [
            { "name": "first_name", "used": true, "templates": ["newsletter"], "campaigns": 1, "people": people },
            { "name": "shoe_size", "used": false, "templates": [], "campaigns": 0, "people": people },
        ],
        "interests": [{ "topic": "rust/old", "used": false, "campaigns": 0, "people": people }],
    })
}

/// Two parts of everybody, whatever is asked.
fn api() -> Api {
    Api::new(|asked, _| {
        let second = asked.target.contains("cursor=2%3Ar-1");
        let cursor = (!second).then_some("2:r-1");
        if asked.method == "DELETE" {
            return ok(&json!({ "people": 10, "changed": 600, "cursor": cursor }));
        }
        ok(&part(if second { 1_000 } else { 1 }, cursor))
    })
}

#[test]
fn the_parts_are_added_up_and_what_is_not_used_stands_apart() {
    let api = api();
    let ended = germane(&api, &["attributes", "--idle"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    insta::assert_snapshot!(ended.out);
    assert!(ended.err.contains("--delete NAME"), "{}", ended.err);
    assert_eq!(api.lines(), ["GET /v1/attributes?idle=true", "GET /v1/attributes?idle=true&cursor=2%3Ar-1"]);
    let report = germane(&api, &["attributes", "--json"]).json();
    assert_eq!((&report["people"], &report["attributes"][1]["people"]), (&json!(2_002), &json!(1_001)));
    assert!(report.get("cursor").is_none() && report.get("idle").is_none(), "{report}");
}

#[test]
fn a_deletion_goes_through_all_parts_and_says_of_how_many() {
    let api = api();
    let args = ["attributes", "--delete", "shoe_size", "--delete-interest", "rust/old", "--yes"];
    let ended = germane(&api, &args);
    assert_eq!(
        (ended.code, ended.out.as_str()),
        (0, "shoe_size: deleted of 1,200 people\nrust/old: deleted of 1,200 people\n")
    );
    assert_eq!(
        api.lines(),
        [
            "DELETE /v1/attributes/shoe_size",
            "DELETE /v1/attributes/shoe_size?cursor=2%3Ar-1",
            "DELETE /v1/interests?topic=rust%2Fold",
            "DELETE /v1/interests?topic=rust%2Fold&cursor=2%3Ar-1",
        ]
    );
    let deleted = json!({ "deleted": [
        { "attribute": "shoe_size", "people": 1_200 }, { "interest": "rust/old", "people": 1_200 },
    ] });
    assert_eq!(germane(&api, &[&args[..], &["--json"]].concat()).json(), deleted);
}

#[test]
fn without_a_terminal_nothing_is_deleted_that_was_not_confirmed() {
    let api = api();
    for json in [&[][..], &["--json"]] {
        let ended = germane(&api, &[&["attributes", "--delete", "shoe_size"], json].concat());
        assert_eq!((ended.code, api.lines().len()), (2, 0), "{ended:?}");
        assert!(ended.err.contains("--yes"), "{}", ended.err);
    }
}
