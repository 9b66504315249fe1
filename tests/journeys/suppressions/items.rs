//! How addresses are stored, and what that costs.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use germane::{domain::recipient::Unusable, flow::api::ApiError};
use serde_json::{Value, json};

use super::{ADDRESSES, complaint};
use crate::world::{World, person, with};

/// The attribute of an item as text, its hash left out.
fn shown(item: &HashMap<String, AttributeValue>) -> String {
    let mut parts: Vec<String> = item
        .iter()
        .filter(|(name, _)| *name != "h")
        .map(|(name, value)| {
            let text = value.as_s().or(value.as_n()).unwrap();
            // The clock of a world runs.
            let now = text.starts_with("17954244") && text.len() == 13;
            format!("{name}={}", if now { "now" } else { text })
        })
        .collect();
    parts.sort();
    parts.join(" ")
}

#[tokio::test]
async fn the_items_of_addresses_are_stored_so() {
    let world = World::start().await;
    let only = async || {
        let items = world.address_items().await;
        assert_eq!(items.len(), 1);
        assert_eq!(items[0]["h"].as_b().unwrap().as_ref().len(), 32, "a keyed hash, and nothing that it is of");
        shown(&items[0])
    };
    world.suppress("r-1@example.com", json!({ "note": "by telephone" })).await;
    assert_eq!(only().await, "f=2 k=manual t=now w=by telephone");
    world.put(&[person("r-1")]).await;
    assert_eq!(only().await, "f=2 k=manual o=r-1 t=now w=by telephone");
    world.change("r-1", |profile| profile.work.as_mut().unwrap().unusable = Some(Unusable::HardBounce)).await;
    assert_eq!(only().await, "f=2 k=manual o=r-1 t=now u=hard_bounce w=by telephone");
    world.change("r-1", |profile| profile.suppression = Some(complaint())).await;
    assert_eq!(only().await, "f=2 k=complaint o=r-1 t=now u=hard_bounce");
    world.change("r-1", |profile| (profile.suppression, profile.work.as_mut().unwrap().unusable) = (None, None)).await;
    assert_eq!(only().await, "f=2 o=r-1");
    world.deployment.api().erase_recipient(&"r-1".parse().unwrap()).await.unwrap();
    assert_eq!(only().await, "f=2 z=now");
}

#[tokio::test]
async fn what_others_keep_beside_the_marks_stays_and_is_never_deleted_with_the_owner() {
    let world = World::start().await;
    world.put(&[person("r-1")]).await;
    let mut item = world.address_items().await.remove(0);
    item.insert("b".to_owned(), AttributeValue::N("7".to_owned()));
    // As it was stored before there were marks.
    item.insert("f".to_owned(), AttributeValue::N("1".to_owned()));
    let put = world.services.clients.dynamodb.put_item().table_name(ADDRESSES).set_item(Some(item));
    put.send().await.unwrap();
    assert_eq!(world.address("r-1@example.com").await.owner, Some("r-1".parse().unwrap()));

    world.suppress("r-1@example.com", json!({ "note": "by telephone" })).await;
    let lone = async || shown(&world.address_items().await.into_iter().find(|item| item.contains_key("b")).unwrap());
    assert_eq!(lone().await, "b=7 f=2 k=manual o=r-1 t=now w=by telephone");
    world.deployment.api().lift("r-1@example.com").await.unwrap();
    world.put(&[json!({ "id": "r-1", "addresses": { "work": "moved@example.com" } })]).await;
    assert_eq!(lone().await, "b=7 f=2");
    world.suppress("r-1@example.com", json!({})).await;
    world.deployment.api().lift("r-1@example.com").await.unwrap();
    assert_eq!(lone().await, "b=7 f=2");
    world.put(&[with(person("r-2"), json!({ "addresses": { "work": "r-1@example.com" } }))]).await;
    assert_eq!(lone().await, "b=7 f=2 o=r-2");
}

#[tokio::test]
async fn a_mark_that_is_not_understood_stops_what_reads_it() {
    for (name, value) in [("k", "heresy"), ("u", "heresy")] {
        let world = World::start().await;
        world.suppress("r-1@example.com", json!({})).await;
        let mut item = world.address_items().await.remove(0);
        item.insert(name.to_owned(), AttributeValue::S(value.to_owned()));
        let put = world.services.clients.dynamodb.put_item().table_name(ADDRESSES).set_item(Some(item));
        put.send().await.unwrap();
        let api = world.deployment.api();
        assert!(matches!(api.suppression("r-1@example.com").await, Err(ApiError::Port(_))));
        let put = api.put_recipient(&"r-1".parse().unwrap(), &person("r-1"), "a test").await;
        assert!(matches!(put, Err(ApiError::Port(_))), "{put:?}");
    }
}

#[tokio::test]
async fn a_person_costs_no_more_than_themselves_their_addresses_and_their_evidence() {
    const COUNT: usize = 100;
    let world = World::start().await;
    let both = |n: usize| {
        let id = format!("r-{n:03}");
        with(person(&id), json!({ "addresses": { "personal": format!("{id}@example.net") } }))
    };
    let people: Vec<Value> = (0..COUNT).map(both).collect();
    let spent = async |people: &[Value]| {
        let before = world.services.dynamo.meter.units().write;
        world.put(people).await;
        world.services.dynamo.meter.units().write - before
    };
    // Two units for each item of a transaction that stays below 1 KB.
    let each = |items: u32| f64::from(2 * items) * 100.0;
    let near = |units: f64, wanted: f64| assert!((units - wanted).abs() < 0.5, "{units}, wanted {wanted}");
    near(spent(&people).await, each(4));
    near(spent(&people).await, 0.0);
    let changed: Vec<Value> = people.into_iter().map(|person| with(person, json!({ "locale": "de" }))).collect();
    near(spent(&changed).await, each(1));
    let moved: Vec<Value> = (0..COUNT)
        .map(|n| {
            let at = |host: &str| format!("new-{n:03}@{host}");
            json!({
                "id": format!("r-{n:03}"), "addresses": { "work": at("example.com"), "personal": at("example.net") },
                "consents": [{ "topic": "rust", "channel": "personal", "status": "granted" }],
            })
        })
        .collect();
    near(spent(&moved).await, each(6));
}
