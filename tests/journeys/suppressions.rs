//! An address that is suppressed is not mailed, whoever has it, and whoever is given it later.

mod doors;
mod items;

use std::{collections::HashMap, sync::Arc};

use aws_sdk_dynamodb::types::AttributeValue;
use germane::{
    domain::{
        email::EmailAddress,
        id::RecipientId,
        recipient::{Marks, Suppression, SuppressionKind, Unusable},
    },
    flow::{
        api::{
            ApiError, Code,
            recipients::{People, PersonWrite, PutResult},
            suppressions::{AddressRecord, Addresses},
        },
        queue::Unhurried,
    },
};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::faults::{after_page, once};
use crate::world::{NOW, World, campaign, person, with};

const ADDRESSES: &str = "germane-addresses";

fn complaint() -> Suppression {
    Suppression { kind: SuppressionKind::Complaint, since: NOW.parse().unwrap() }
}

fn email(raw: &str) -> EmailAddress {
    raw.parse().unwrap()
}

impl World {
    async fn suppress(&self, address: &str, body: Value) -> Value {
        self.deployment.api().suppress(address, &body).await.unwrap().standing.to_json()
    }

    /// The suppression of an address; null where there is none.
    async fn suppression(&self, address: &str) -> Value {
        match self.deployment.api().suppression(address).await {
            Ok(standing) => standing,
            Err(ApiError::NotFound { code: Code::NotFound, .. }) => Value::Null,
            Err(error) => panic!("{error}"),
        }
    }

    async fn address(&self, address: &str) -> AddressRecord {
        let addresses: &dyn Addresses = &self.services.dynamo;
        addresses.get(&[email(address)]).await.unwrap().remove(0)
    }

    async fn person_now(&self, id: &str) -> germane::domain::recipient::Recipient {
        let people: &dyn People = &self.services.dynamo;
        people.get(&id.parse().unwrap()).await.unwrap().unwrap()
    }

    async fn address_items(&self) -> Vec<HashMap<String, AttributeValue>> {
        let scan = self.services.clients.dynamodb.scan().table_name(ADDRESSES).send().await.unwrap();
        scan.items.unwrap_or_default()
    }
}

fn refused(result: Result<impl std::fmt::Debug, ApiError>) -> Code {
    match result {
        Err(ApiError::Conflict { code, .. } | ApiError::NotFound { code, .. }) => code,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_address_that_nobody_has_yet_is_honoured_from_the_first_mail_on() {
    let world = World::start().await;
    let note = json!({ "note": "opted out in the former system" });
    let standing = world.suppress("R-1@Example.com", note.clone()).await;
    let since = standing["since"].clone();
    assert_eq!(standing, json!({ "kind": "manual", "since": since, "note": note["note"] }));
    world.clock.advance(std::time::Duration::from_mins(1));
    assert_eq!(world.suppress("r-1@example.com", json!({})).await, standing, "said again, it stays as it is");

    // One by the bulk door, one by their own; both have another address too.
    let both = |id: &str| with(person(id), json!({ "addresses": { "personal": format!("{id}@example.net") } }));
    world.suppress("r-2@example.net", json!({})).await;
    world.put(&[both("r-1"), both("r-3")]).await;
    world.deployment.api().put_recipient(&"r-2".parse().unwrap(), &both("r-2"), "a test").await.unwrap();
    let report = world.send(&campaign("weekly")).await;
    assert_eq!((&report["outcomes"]["sent"], &report["reasons"]), (&json!(1), &json!({ "suppressed": 2 })));
    let why = world.why("weekly", "r-1").await;
    assert_eq!(why["detail"], json!({ "kind": "manual", "since": since }));
    let other = json!({ "kind": "manual", "since": since, "note": null });
    assert_eq!(world.suppression("r-1@example.net").await, other, "the person is suppressed, at every address");
    assert_eq!(world.suppression("r-3@example.com").await, Value::Null);
}

#[tokio::test]
async fn whoever_has_the_address_is_suppressed_and_free_again_once_it_is_lifted() {
    let world = World::start().await;
    world.put_many(2).await;
    world.suppress("r-00001@example.com", json!({ "note": "by telephone" })).await;
    assert_eq!(world.suppression("r-00001@example.com").await["note"], "by telephone");
    let report = world.send(&campaign("one")).await;
    assert_eq!((&report["outcomes"]["sent"], &report["reasons"]), (&json!(1), &json!({ "suppressed": 1 })));
    world.suppress("r-00001@example.com", json!({ "note": null })).await;
    assert_eq!(world.suppression("r-00001@example.com").await["note"], Value::Null);

    let owner = world.deployment.api().lift("r-00001@example.com").await.unwrap();
    assert_eq!(owner, Some("r-00001".parse::<RecipientId>().unwrap()));
    assert_eq!(world.suppression("r-00001@example.com").await, Value::Null);
    assert_eq!(world.send(&campaign("two")).await["outcomes"]["sent"], 2);
    assert_eq!(refused(world.deployment.api().lift("r-00001@example.com").await), Code::NotFound);
    assert_eq!(world.address_items().await.len(), 2, "nothing is left behind");
}

#[tokio::test]
async fn lifting_the_suppression_of_an_address_that_nobody_has_forgets_the_address() {
    let world = World::start().await;
    world.suppress("r-1@example.com", json!({})).await;
    assert_eq!(world.address_items().await.len(), 1);
    assert_eq!(world.deployment.api().lift("r-1@example.com").await.unwrap(), None);
    assert!(world.address_items().await.is_empty());
}

#[tokio::test]
async fn only_a_manual_suppression_is_lifted_and_one_that_weighs_more_stays() {
    let world = World::start().await;
    let people: Vec<Value> = ["r-1", "r-2", "r-3"].map(person).to_vec();
    world.put(&people).await;
    world.change("r-1", |profile| profile.suppression = Some(complaint())).await;
    let left = Suppression { kind: SuppressionKind::UnsubscribedAll, ..complaint() };
    world.change("r-2", move |profile| profile.suppression = Some(left)).await;
    world.deployment.api().erase_recipient(&"r-3".parse().unwrap()).await.unwrap();
    for (address, kind) in
        [("r-1@example.com", "complaint"), ("r-2@example.com", "unsubscribed_all"), ("r-3@example.com", "erased")]
    {
        let stands = world.suppression(address).await;
        assert_eq!((&stands["kind"], &stands["note"]), (&json!(kind), &Value::Null));
        assert_eq!(world.suppress(address, json!({ "note": "by telephone" })).await, stands);
        assert_eq!(world.suppression(address).await, stands);
        assert_eq!(refused(world.deployment.api().lift(address).await), Code::NotLiftable, "{address}");
        assert_eq!(world.suppression(address).await, stands);
    }
    assert_eq!(world.address("r-3@example.com").await.marks, Marks::default(), "of the erased nothing else is held");
}

#[tokio::test]
async fn who_complained_is_not_brought_back_by_another_id_nor_by_another_of_their_addresses() {
    let world = World::start().await;
    let both = with(person("r-1"), json!({ "addresses": { "personal": "r-1@example.net" } }));
    world.put(&[both]).await;
    world.change("r-1", |profile| profile.suppression = Some(complaint())).await;
    // They leave both addresses, one after the other.
    world.put(&[json!({ "id": "r-1", "addresses": { "work": "moved@example.com" } })]).await;
    world.put(&[json!({ "id": "r-1", "addresses": { "work": null, "personal": "moved@example.com" } })]).await;

    let at = |id: &str, work: &str| with(person(id), json!({ "addresses": { "work": work } }));
    world.put(&[at("a", "r-1@example.com"), at("b", "R-1@example.net"), person("c")]).await;
    for id in ["r-1", "a", "b"] {
        assert_eq!(world.person_now(id).await.suppression, Some(complaint()), "{id}");
    }
    assert_eq!(
        refused(
            world.deployment.api().put_recipient(&"d".parse().unwrap(), &at("d", "moved@example.com"), "a test").await
        ),
        Code::AddressTaken
    );
    let report = world.send(&campaign("weekly")).await;
    assert_eq!((&report["outcomes"]["sent"], &report["reasons"]), (&json!(1), &json!({ "suppressed": 3 })));
}

#[tokio::test]
async fn an_address_that_bounces_stays_unusable_for_whoever_is_given_it() {
    let world = World::start().await;
    let both = with(person("r-1"), json!({ "addresses": { "personal": "r-1@example.net" } }));
    world.put(&[both]).await;
    world.change("r-1", |profile| profile.work.as_mut().unwrap().unusable = Some(Unusable::SoftBounces)).await;
    world.put(&[json!({ "id": "r-1", "addresses": { "work": null } })]).await;
    assert_eq!(world.address("r-1@example.com").await.owner, None);

    let work = json!({ "addresses": { "work": "r-1@example.com", "personal": "r-2@example.net" } });
    world.put(&[with(person("r-2"), work)]).await;
    let held = world.person_now("r-2").await;
    assert_eq!(held.work.as_ref().unwrap().unusable, Some(Unusable::SoftBounces));
    assert_eq!((held.personal.as_ref().unwrap().unusable, held.suppression), (None, None));
    world.change("r-2", |profile| profile.work.as_mut().unwrap().unusable = Some(Unusable::HardBounce)).await;
    assert_eq!(world.address("r-1@example.com").await.marks.unusable, Some(Unusable::HardBounce));
    let report = world.send(&campaign("weekly")).await;
    assert_eq!(report["reasons"], json!({ "address_unusable": 1, "no_address": 1 }));
    world.put(&[json!({ "id": "r-2", "addresses": { "work": null } })]).await;
    world.put(&[with(json!({ "id": "r-1" }), json!({ "addresses": { "work": "r-1@example.com" } }))]).await;
    let back = world.person_now("r-1").await;
    assert_eq!(back.work.as_ref().unwrap().unusable, Some(Unusable::HardBounce), "its old owner finds it as it is");
}

#[tokio::test]
async fn a_suppression_between_the_page_and_the_claim_wins() {
    let world = World::with_shards(1).await;
    world.put(&[person("r-1"), person("r-2"), person("r-3")]).await;
    world.launch(&campaign("weekly")).await;
    let world = Arc::new(world);
    let mut sender = world.deployment.sender();
    let other = Arc::clone(&world);
    let act = once(move || {
        let world = Arc::clone(&other);
        async move { drop(world.suppress("r-2@example.com", json!({})).await) }
    });
    after_page(&mut sender, act);
    sender.run(&world.work("weekly", 0), &Unhurried).await.unwrap();
    let report = world.check("weekly").await;
    assert_eq!((&report["outcomes"]["sent"], &report["reasons"]), (&json!(2), &json!({ "suppressed": 1 })));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whichever_of_suppression_and_import_comes_first_the_person_is_suppressed() {
    let world = Arc::new(World::start().await);
    let ids: Vec<String> = (0..40).map(|n| format!("r-{n:02}")).collect();
    let races = ids.iter().map(async |id| {
        let api = world.deployment.api();
        let (recipient, address) = (id.parse().unwrap(), format!("{id}@example.com"));
        let body = json!({});
        let document = person(id);
        let (put, suppressed) =
            tokio::join!(api.put_recipient(&recipient, &document, "a test"), api.suppress(&address, &body));
        put.unwrap();
        suppressed.unwrap();
    });
    futures_util::future::join_all(races).await;
    for (id, held) in world.people().await {
        assert_eq!(held.suppression.map(|s| s.kind), Some(SuppressionKind::Manual), "{id}");
        assert_eq!(world.address(&format!("{id}@example.com")).await.marks.suppression, held.suppression, "{id}");
    }
    assert_eq!(world.people().await.len(), ids.len());
}

#[tokio::test]
async fn a_write_that_lacks_the_marks_of_a_new_address_is_refused_with_them() {
    let world = World::start().await;
    world.put(&[person("r-1")]).await;
    let manual = world.suppress("r-1@example.net", json!({})).await;
    let before = world.person_now("r-1").await;
    let mut after = before.clone();
    after.version += 1;
    after.profile.personal =
        Some(germane::domain::recipient::Address { email: email("r-1@example.net"), unusable: None });
    let people: &dyn People = &world.services.dynamo;
    let put = async |after: &_| {
        let write = PersonWrite { before: Some(&before), after, evidence: Vec::new() };
        people.put(&[write]).await.unwrap().remove(0)
    };
    let PutResult::AddressMarked { channel, marks } = put(&after).await else { panic!("it was to be refused") };
    let manual = Suppression::manual(manual["since"].as_str().unwrap().parse::<Timestamp>().unwrap());
    assert_eq!((channel.as_str(), marks), ("personal", Marks { unusable: None, suppression: Some(manual) }));
    assert_eq!(world.person_now("r-1").await, before);
    after.take_over(&email("R-1@example.net"), marks);
    assert_eq!(put(&after).await, PutResult::Written);
    assert_eq!(world.address("r-1@example.com").await.marks.suppression, Some(manual));

    // What weighs more than what the address holds is no reason to refuse.
    world.suppress("r-2@example.com", json!({ "note": "by telephone" })).await;
    let mut heavier = after.clone();
    heavier.version += 1;
    heavier.profile.suppression = Some(complaint());
    heavier.profile.work.as_mut().unwrap().email = email("r-2@example.com");
    let write = PersonWrite { before: Some(&after), after: &heavier, evidence: Vec::new() };
    assert_eq!(people.put(&[write]).await.unwrap(), [PutResult::Written]);
    let held = world.address("r-2@example.com").await;
    assert_eq!((held.marks.suppression, held.note), (Some(complaint()), None));
    assert_eq!(world.address("r-1@example.com").await.marks.suppression, Some(complaint()), "left behind, and marked");
}
