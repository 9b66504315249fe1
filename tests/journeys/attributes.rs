//! What is held and not used: found, and deleted of everybody.

use std::{collections::BTreeMap, time::Duration};

use reqwest::Method;
use serde_json::{Value, json};

use super::http::Site;
use crate::world::{campaign, person, policy, with};

/// All parts of the report.
async fn parts(site: &Site, query: &str) -> Vec<Value> {
    let mut parts = Vec::new();
    let mut path = format!("/v1/attributes?{query}");
    loop {
        let (status, part) = site.get(&path).await;
        assert_eq!(status, 200, "{part}");
        let cursor = part["cursor"].as_str().map(str::to_owned);
        parts.push(part);
        match cursor {
            Some(cursor) => path = format!("/v1/attributes?{query}&cursor={cursor}"),
            None => return parts,
        }
    }
}

/// Each attribute or interest with whether it is used, how many campaigns had it and how many people hold it.
fn rows(part: &Value, list: &str, name: &str) -> BTreeMap<String, (bool, u64, u64)> {
    let row = |row: &Value| {
        let (campaigns, people) = (row["campaigns"].as_u64().unwrap(), row["people"].as_u64().unwrap());
        (row[name].as_str().unwrap().to_owned(), (row["used"].as_bool().unwrap(), campaigns, people))
    };
    part[list].as_array().unwrap().iter().map(row).collect()
}

fn named<const N: usize>(rows: [(&str, (bool, u64, u64)); N]) -> BTreeMap<String, (bool, u64, u64)> {
    rows.into_iter().map(|(name, row)| (name.to_owned(), row)).collect()
}

async fn held() -> Site {
    let site = Site::open().await;
    let attributes = json!({ "attributes": { "shoe_size": { "purpose": { "en": "None" } }, "city": {} } });
    site.world.put_policy(&with(policy(), attributes)).await;
    let interest = |topic: &str| json!({ "topic": topic, "strength": 0.9 });
    let facts = json!({
        "attributes": { "first_name": "Sample", "shoe_size": "43" },
        "interests": [interest("rust"), interest("rust/macros"), { "topic": "rust", "strength": 0.1, "source": "purchase" }],
    });
    let consents = json!({ "consents": [{ "topic": "rust", "channel": "work", "status": "withdrawn" }] });
    site.world.put(&[with(person("r-1"), facts), with(person("r-2"), consents), person("r-3")]).await;
    site
}

#[tokio::test]
async fn what_no_template_and_no_campaign_used_in_the_retention_time_is_told_with_how_many_hold_it() {
    let site = held().await;
    site.world.send(&with(campaign("async"), json!({ "topic": "rust/async" }))).await;
    let [part] = parts(&site, "").await.try_into().unwrap();
    assert_eq!((&part["people"], &part["since"]), (&json!(3), &json!(part["since"].as_str().unwrap())));
    assert_eq!(
        rows(&part, "attributes", "name"),
        named([("city", (false, 0, 0)), ("first_name", (true, 1, 1)), ("shoe_size", (false, 0, 1))])
    );
    assert_eq!(part["attributes"][1]["templates"], json!(["newsletter", "product-update"]));
    assert_eq!(
        rows(&part, "interests", "topic"),
        named([("rust", (true, 1, 3)), ("rust/macros", (false, 0, 1))]),
        "an interest serves campaigns below its topic"
    );
    assert!(part.get("idle").is_none());

    // Of 400 days.
    site.world.clock.advance(Duration::from_hours(24 * 401));
    let [part] = parts(&site, "").await.try_into().unwrap();
    assert_eq!(rows(&part, "attributes", "name")["first_name"], (true, 0, 1), "templates declare it still");
    assert_eq!(rows(&part, "interests", "topic")["rust"], (false, 0, 3));
}

#[tokio::test]
async fn a_campaign_counts_by_the_form_that_it_was_launched_with() {
    let site = held().await;
    let (_, source) = site.get("/v1/templates/newsletter").await;
    let declaring = with(source, json!({ "manifest": { "attributes": ["shoe_size"] } }));
    let plain =
        |text: &str| text.replace("{{#if first_name}}", "").replace("Hello {{first_name}},</p>{{/if}}", "Hello</p>");
    let body = plain(declaring["mjml"]["default"].as_str().unwrap());
    let declaring = with(declaring, json!({ "mjml": { "default": body } }));
    let put = async |source: &Value| site.json(Method::PUT, "/v1/templates/mine", source).await.0;
    assert_eq!(put(&declaring).await, 200);
    site.world.send(&with(campaign("c-1"), json!({ "template": "mine" }))).await;
    assert_eq!(put(&with(declaring, json!({ "manifest": { "attributes": [] } }))).await, 200);
    let [part] = parts(&site, "").await.try_into().unwrap();
    let row = part["attributes"].as_array().unwrap().iter().find(|row| row["name"] == "shoe_size").unwrap();
    assert_eq!(row, &json!({ "name": "shoe_size", "used": true, "templates": [], "campaigns": 1, "people": 1 }));
}

#[tokio::test]
async fn those_are_idle_for_whom_no_campaign_of_the_retention_time_would_be() {
    let site = held().await;
    let idle = async || parts(&site, "idle=true").await.remove(0)["idle"].clone();
    assert_eq!(idle().await, json!(["r-1", "r-2", "r-3"]), "there was none");
    // That they got enough mail, or that it is night, makes nobody idle.
    site.world.send(&with(campaign("weekly"), json!({ "frequency": { "exempt": false, "counts": true } }))).await;
    assert_eq!(idle().await, json!(["r-2"]));
    let notice = json!({ "kind": "notice", "template": "data-notice", "content": null });
    site.world.send(&with(campaign("notice"), notice)).await;
    assert_eq!(idle().await, json!(["r-2"]), "a notice is for everybody, and so for nobody");
}

#[tokio::test]
async fn what_is_not_used_is_deleted_of_everybody_part_by_part_and_nothing_else_changes() {
    let site = Site::open().await;
    let people: Vec<Value> = (0..2_000)
        .map(|n| with(person(&format!("r-{n:04}")), json!({ "attributes": { "first_name": "Sample" } })))
        .collect();
    site.world.put(&people).await;
    let reports = parts(&site, "").await;
    assert!(reports.len() > 1, "more than one part");
    let sum = |field: &str, parts: &[Value]| parts.iter().map(|part| part[field].as_u64().unwrap()).sum::<u64>();
    assert_eq!(sum("people", &reports), 2_000);

    for path in ["/v1/attributes/first_name?", "/v1/interests?topic=rust&"] {
        for expected in [2_000, 0] {
            let mut cursor = String::new();
            let mut parts = Vec::new();
            loop {
                let (status, part) = site.json(Method::DELETE, &format!("{path}{cursor}"), &Value::Null).await;
                assert_eq!(status, 200, "{part}");
                let next = part["cursor"].as_str().map(|next| format!("cursor={next}"));
                parts.push(part);
                match next {
                    Some(next) => cursor = next,
                    None => break,
                }
            }
            assert_eq!((sum("people", &parts), sum("changed", &parts)), (2_000, expected), "{path}");
        }
    }
    let (_, read) = site.get("/v1/recipients/r-0042").await;
    assert_eq!((&read["attributes"], &read["interests"]), (&json!({}), &json!([])));
    assert_eq!((&read["consents"][0]["status"], &read["time_zone"]), (&json!("granted"), &json!("Europe/Berlin")));
}
