//! As much as there may be of something: campaigns at once, facts about a person, sends in an item.

use germane::{
    domain::{
        frequency::{Send, Sends},
        id::{ClaimId, SendKey},
    },
    flow::{
        api::ApiError,
        api::recipients::People,
        send::claim::{Claims, SendsWrite, Written},
    },
};
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::tables::item_bytes;
use crate::world::{World, campaign, person, policy, with};

const CAMPAIGNS: usize = 200;
const CAP: u64 = 5;
const OWN_CAP: u64 = 2;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_hundred_campaigns_at_once_everybody_gets_exactly_what_the_caps_allow() {
    let world = World::with_shards(1).await;
    world.put_policy(&with(policy(), json!({ "frequency": [{ "sends": CAP, "days": 7 }] }))).await;
    let own = json!({ "preferences": { "max_frequency": { "sends": OWN_CAP, "days": 7 } } });
    let people: Vec<Value> = (0..12)
        .map(|n| if n % 3 == 0 { with(person(&format!("r-{n}")), own.clone()) } else { person(&format!("r-{n}")) })
        .collect();
    world.put(&people).await;
    let ids: Vec<String> = (0..CAMPAIGNS).map(|n| format!("campaign-{n:03}")).collect();
    for id in &ids {
        world.submit(&campaign(id)).await;
    }
    world.drain().await;
    // Whoever changed too often for a campaign to decide on them is asked about again.
    while let Some(due) = world.next_due() {
        world.clock.reach(due);
        world.drain().await;
    }
    let mut sent = 0;
    for id in &ids {
        let report = world.check(id).await;
        assert_eq!(
            (&report["status"], &report["audience"], &report["outcomes"]["in_doubt"]),
            (&json!("complete"), &json!(people.len()), &json!(0)),
            "{report}"
        );
        sent += report["outcomes"]["sent"].as_u64().unwrap();
    }
    assert_eq!(sent, 8 * CAP + 4 * OWN_CAP);
    for (id, somebody) in world.people().await {
        let cap = somebody.preferences.max_frequency.map_or(CAP, |own| u64::from(own.sends));
        assert_eq!(somebody.sends.iter().count() as u64, cap, "{id}");
    }
}

#[tokio::test]
async fn somebody_of_whom_nothing_more_may_be_known_is_stored_and_mailed() {
    let world = World::with_shards(1).await;
    let products = |from: usize| (from..from + 500).map(|n| format!("{n:0128}")).collect::<Vec<_>>();
    world.put(&[person("r-1"), person("r-2")]).await;
    let (api, id) = (world.deployment.api(), "r-1".parse().unwrap());
    let mut owned = 0;
    let refused = loop {
        match api.put_recipient(&id, &json!({ "owns": products(owned) }), "a test").await {
            Ok(_) => owned += 500,
            Err(refused) => break refused,
        }
    };
    let ApiError::Invalid(faults) = refused else { panic!("{refused:?}") };
    assert!(faults[0].found.contains("bytes of facts"), "{faults:?}");
    let change = json!({ "id": "r-1", "owns": products(owned) }).to_string();
    assert_eq!(api.put_recipients(&[&change], "a test").await.unwrap()[0]["result"], "refused");
    assert_eq!(api.get_recipient(&id).await.unwrap()["owns"].as_array().unwrap().len(), owned);

    // A history that is full does not make it too large either.
    let people: &dyn People = &world.services.dynamo;
    let held = people.get(&id).await.unwrap().unwrap();
    let sends = (0..60).map(|n| send(n, &world)).collect();
    let write = SendsWrite { id: id.clone(), version: held.version, sends: Sends::new(sends) };
    let claims: &dyn Claims = &world.services.dynamo;
    assert_eq!(claims.write(&[write]).await.unwrap(), [Written::Done]);
    world.put_policy(&with(policy(), json!({ "frequency": [] }))).await;
    let report = world.send(&campaign("weekly")).await;
    assert_eq!((&report["status"], &report["outcomes"]["sent"]), (&json!("complete"), &json!(2)));
}

/// Of some days ago, by a campaign of its own.
fn send(number: u64, world: &World) -> Send {
    let at = world.now() - SignedDuration::from_hours(24 * 10);
    Send { key: SendKey(number.to_be_bytes()), at, claim: ClaimId(number.to_be_bytes()), counts: true }
}

#[tokio::test]
async fn a_claim_costs_a_unit_until_the_item_has_grown_beyond_a_kilobyte_and_two_from_then_on() {
    let world = World::with_shards(1).await;
    let facts = json!({ "owns": (0..4).map(|n| format!("{n:0100}")).collect::<Vec<_>>() });
    world.put(&[with(person("r-1"), facts)]).await;
    let (people, claims): (&dyn People, &dyn Claims) = (&world.services.dynamo, &world.services.dynamo);
    let id = "r-1".parse().unwrap();
    let (mut crossed, mut last) = (false, bytes(&world).await);
    assert!(last < 1_024, "{last}");
    for number in 0..32 {
        let held = people.get(&id).await.unwrap().unwrap();
        let sends = held.sends.with([send(number, &world)], world.now());
        let before = world.services.dynamo.meter.units().write;
        let write = SendsWrite { id: id.clone(), version: held.version, sends };
        assert_eq!(claims.write(&[write]).await.unwrap(), [Written::Done]);
        let used = world.services.dynamo.meter.units().write - before;
        let after = bytes(&world).await;
        assert!(after > last, "it grows with each send");
        // DynamoDB bills the larger of before and after, in kilobytes.
        let units = if after > 1_024 { 2.0 } else { 1.0 };
        assert!((used - units).abs() < f64::EPSILON, "{used} units for an item of {after} bytes");
        crossed |= last <= 1_024 && after > 1_024;
        last = after;
    }
    assert!(crossed, "{last} bytes");
}

/// What the only item of the recipients table takes.
async fn bytes(world: &World) -> usize {
    let scan = world.services.clients.dynamodb.scan().table_name("germane-recipients");
    item_bytes(&scan.send().await.unwrap().items.unwrap()[0])
}
