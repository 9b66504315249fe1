//! The tables: how they are made and opened, how small a person is, and what a damaged item does.

use std::{collections::HashMap, sync::Arc};

use aws_sdk_dynamodb::{
    Client,
    primitives::Blob,
    types::{AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType},
};
use germane::{
    aws::tables::{self, CreatedTables, TableDefinition, TableNames, TablesError},
    domain::secret::Secret,
    flow::{
        api::{ApiError, Code, recipients::Merged},
        pace::Timelines,
        send::SendError,
    },
};
use serde_json::{Value, json};

use super::faults::fails;
use crate::world::{World, campaign, person, with};

/// An item's size as DynamoDB bills it: names, and values by their type.
pub fn item_bytes(item: &HashMap<String, AttributeValue>) -> usize {
    let value = |value: &AttributeValue| {
        let text = value.as_s().map(String::len);
        let bytes = value.as_b().map(|bytes| bytes.as_ref().len());
        // A byte for two digits, and one.
        let number = value.as_n().map(|number| number.len().div_ceil(2) + 1);
        text.or(bytes).or(number).expect("an attribute of a person is a text, bytes or a number")
    };
    item.iter().map(|(name, held)| name.len() + value(held)).sum()
}

#[tokio::test]
async fn making_the_tables_again_changes_nothing_and_another_shard_count_or_key_is_refused() {
    let world = World::with_shards(4).await;
    let (client, names) = (&world.services.clients.dynamodb, TableNames::new("germane"));
    assert_eq!(tables::create(client, &names, 4).await.unwrap(), CreatedTables { made: 0, shards: 4 });
    let other = tables::create(client, &names, 8).await.unwrap_err();
    assert!(matches!(other, TablesError::OtherShardCount { found: 4, wanted: 8 }), "{other}");
    for wrong in [0, 4_097] {
        assert!(matches!(tables::create(client, &names, wrong).await, Err(TablesError::ShardCount(_))));
    }
    let opened = tables::open(&world.services.clients, names.clone(), Secret::new([9; 32]), None).await;
    assert!(matches!(opened, Err(TablesError::OtherAddressKey)));
    let elsewhere = TableNames::new("elsewhere");
    let missing = tables::open(&world.services.clients, elsewhere.clone(), Secret::new([9; 32]), None).await;
    assert!(matches!(missing, Err(TablesError::Missing)));

    let (one, two) = tokio::join!(tables::create(client, &elsewhere, 2), tables::create(client, &elsewhere, 2));
    assert_eq!(one.unwrap().made + two.unwrap().made, 5, "two who make them at once make each table once");
    for _ in 0..2 {
        tables::open(&world.services.clients, elsewhere.clone(), Secret::new([9; 32]), None).await.unwrap();
    }
}

#[tokio::test]
async fn the_first_start_of_a_deployment_fixes_the_shard_count_and_the_key() {
    let world = World::start().await;
    let names = TableNames::new("deployed");
    let client = &world.services.clients.dynamodb;
    // As a template makes them: nobody has said yet how many shards there are.
    for table in names.definitions() {
        made_by_template(client, &table).await;
    }
    let open = |key: u8, shards| tables::open(&world.services.clients, names.clone(), Secret::new([key; 32]), shards);
    assert!(matches!(open(9, None).await, Err(TablesError::Missing)));
    let (one, two) = tokio::join!(open(9, Some(16)), open(9, Some(16)));
    assert_eq!((one.unwrap().shards, two.unwrap().shards), (16, 16));
    assert!(matches!(open(9, Some(64)).await, Err(TablesError::OtherShardCount { found: 16, wanted: 64 })));
    assert!(matches!(open(8, Some(16)).await, Err(TablesError::OtherAddressKey)));
    assert_eq!(open(9, None).await.unwrap().shards, 16);
}

async fn made_by_template(client: &Client, table: &TableDefinition<'_>) {
    let mut make = client.create_table().table_name(table.name).billing_mode(BillingMode::PayPerRequest);
    for (key, role) in [(Some(&table.partition), KeyType::Hash), (table.sort.as_ref(), KeyType::Range)] {
        let Some((name, kind)) = key else { continue };
        let attribute = AttributeDefinition::builder().attribute_name(*name).attribute_type(kind.clone());
        let element = KeySchemaElement::builder().attribute_name(*name).key_type(role);
        make = make.attribute_definitions(attribute.build().unwrap()).key_schema(element.build().unwrap());
    }
    make.send().await.unwrap();
}

#[tokio::test]
async fn deployments_that_share_an_accounts_rate_see_one_timeline() {
    let world = World::start().await;
    let mut names = TableNames::new("staging");
    tables::create(&world.services.clients.dynamodb, &names, 1).await.unwrap();
    let of = |names| tables::open(&world.services.clients, names, Secret::new([9; 32]), None);
    let own: Arc<dyn Timelines> = Arc::new(of(names.clone()).await.unwrap());
    names.rate = TableNames::new("germane").campaigns;
    let shared: Arc<dyn Timelines> = Arc::new(of(names).await.unwrap());
    world.put(&[person("r-1")]).await;
    world.send(&campaign("c")).await;

    let production = world.deployment.timelines.get().await.unwrap();
    assert!(production.is_some());
    assert_eq!(shared.get().await.unwrap(), production);
    assert_eq!(own.get().await.unwrap(), None);
}

/// With three interests, two consents and all else that an ordinary person has.
fn ordinary() -> Value {
    let interest = |topic: &str, source: &str, context: &str| json!({ "topic": topic, "strength": 0.9, "source": source, "context": context, "at": "2026-03-12T09:00:00Z" });
    let consent = |topic: &str, channel: &str| {
        json!({ "topic": topic, "channel": channel, "status": "granted", "basis": "consent", "source": "signup-form",
                "evidence": "form v3, double opt-in", "at": "2026-03-12T09:00:00Z", "expires_at": null })
    };
    json!({
        "id": "r-1042", "addresses": { "work": "r-1042@example.com", "personal": "r-1042@example.net" },
        "time_zone": "Europe/Berlin", "locale": "de", "attributes": { "first_name": "Sample" },
        "interests": [
            interest("rust", "declared", "work"), interest("rust/async", "behaviour", "any"),
            interest("rust/embedded", "purchase", "personal"),
        ],
        "consents": [consent("rust", "work"), consent("rust/async", "personal")],
        "owns": ["course-rust-101"],
        "preferences": { "max_frequency": { "sends": 9, "days": 7 }, "paused_until": null, "muted_topics": [] },
    })
}

#[tokio::test]
async fn a_person_reads_back_as_they_were_put_and_takes_few_bytes() {
    let world = World::start().await;
    world.put_policy(&with(crate::world::policy(), json!({ "frequency": [] }))).await;
    world.put(&[ordinary()]).await;
    let api = world.deployment.api();
    let id = "r-1042".parse().unwrap();
    assert_eq!(api.get_recipient(&id).await.unwrap(), ordinary());
    assert_eq!(api.put_recipient(&id, &ordinary(), "a test").await.unwrap(), Merged::Updated);
    assert_eq!(api.get_recipient(&id).await.unwrap(), ordinary());

    for n in 0..4 {
        assert_eq!(world.send(&campaign(&format!("weekly-{n}"))).await["outcomes"]["sent"], 1);
    }
    let bytes = item_bytes(&world.item("r-1042").await);
    println!("an ordinary person takes {bytes} bytes");
    assert!(bytes <= 600, "{bytes}");
    assert_eq!(api.get_recipient(&id).await.unwrap(), ordinary(), "sends are not part of the document");
}

#[tokio::test]
async fn a_person_of_the_format_before_is_read_and_an_ordinary_one_grew_by_a_byte() {
    let world = World::start().await;
    world.put(&[ordinary()]).await;
    let mut item = world.item("r-1042").await;
    let profile = item["p"].as_b().unwrap().as_ref().to_vec();
    // Format 2 says last what the person set themselves: nothing.
    let [2, facts @ .., 0] = profile.as_slice() else { panic!("{profile:?}") };
    let before: Vec<u8> = std::iter::once(1).chain(facts.iter().copied()).collect();
    assert_eq!(before.len() + 1, profile.len());
    item.insert("p".to_owned(), AttributeValue::B(Blob::new(before)));
    let put = world.services.clients.dynamodb.put_item().table_name("germane-recipients").set_item(Some(item));
    put.send().await.unwrap();
    let api = world.deployment.api();
    let id = "r-1042".parse().unwrap();
    assert_eq!(api.get_recipient(&id).await.unwrap(), ordinary());
    api.put_recipient(&id, &json!({ "locale": "fr" }), "a test").await.unwrap();
    assert_eq!(world.item("r-1042").await["p"].as_b().unwrap().as_ref()[0], 2);
}

#[tokio::test]
async fn an_address_has_one_owner_and_a_refused_person_leaves_nothing_behind() {
    let world = World::start().await;
    let of = |id: &str, work: &str, personal: &str| {
        let addresses = json!({ "addresses": { "work": work, "personal": personal } });
        with(person(id), addresses)
    };
    world.put(&[of("one", "shared@example.com", "one@example.net")]).await;
    let api = world.deployment.api();
    let put = async |document: Value| {
        let id = document["id"].as_str().unwrap().parse().unwrap();
        api.put_recipient(&id, &document, "a test").await
    };
    let refused = put(of("two", "two@example.com", "SHARED@example.com")).await;
    let Err(ApiError::Conflict { code, faults, .. }) = refused else { panic!("{refused:?}") };
    assert_eq!((code, faults[0].field.as_str()), (Code::AddressTaken, "/addresses/personal"));
    assert!(api.get_recipient(&"two".parse().unwrap()).await.is_err());
    put(of("three", "two@example.com", "three@example.net")).await.unwrap();

    put(of("one", "moved@example.com", "one@example.net")).await.unwrap();
    put(of("two", "shared@example.com", "fresh@example.net")).await.unwrap();
    put(of("one", "one@example.net", "moved@example.com")).await.expect("a person may swap their own addresses");
    let back = put(of("one", "shared@example.com", "one@example.net")).await;
    assert!(matches!(back, Err(ApiError::Conflict { code: Code::AddressTaken, .. })), "{back:?}");
    put(with(person("both"), json!({ "addresses": { "work": "b@example.org", "personal": "b@example.org" } })))
        .await
        .expect("one mailbox may serve both channels");
}

type Damage = fn(&mut Vec<u8>);

#[tokio::test]
async fn a_damaged_person_stops_the_shard_before_anybody_of_the_page_is_mailed() {
    let cut: Damage = |bytes| bytes.truncate(bytes.len() - 1);
    let format: Damage = |bytes| bytes[0] = 9;
    let empty: Damage = Vec::clear;
    let longer: Damage = |bytes| bytes.push(0);
    for (attribute, damage) in
        [("p", format), ("p", cut), ("p", empty), ("p", longer), ("n", format), ("n", cut), ("n", empty)]
    {
        let world = World::with_shards(1).await;
        world.put(&[person("r-1"), person("r-2")]).await;
        let first = json!({ "audience": { "recipients": ["r-1"] } });
        world.send(&with(campaign("first"), first)).await;
        world.damage("germane-recipients", world.item("r-1").await, attribute, damage).await;
        world.launch(&campaign("weekly")).await;
        let error = fails(&world.deployment.sender(), &world.work("weekly", 0)).await;
        assert!(matches!(error, SendError::Port(germane::flow::port::PortError::Corrupt { .. })), "{error:?}");
        assert!(world.mails("weekly").is_empty());
        assert_eq!(world.report("weekly").await["decided"], 0);
        let put = world.deployment.api().put_recipient(&"r-1".parse().unwrap(), &person("r-1"), "a test").await;
        assert!(matches!(put, Err(ApiError::Port(_))), "{put:?}");
    }
}

#[tokio::test]
async fn a_damaged_chunk_is_said_to_be_so_and_never_read_as_something_else() {
    let damages: [Damage; 3] = [|bytes| bytes.truncate(bytes.len() / 2), |bytes| bytes[0] = 9, Vec::clear];
    for damage in damages {
        let world = World::with_shards(1).await;
        world.put_many(30).await;
        world.send(&campaign("weekly")).await;
        let client = &world.services.clients.dynamodb;
        let chunk = client.scan().table_name("germane-ledger").send().await.unwrap().items()[0].clone();
        world.damage("germane-ledger", chunk, "b", damage).await;
        let api = world.deployment.api();
        let (id, recipient) = ("weekly".parse().unwrap(), "r-00001".parse().unwrap());
        assert!(matches!(api.why(&id, &recipient, false).await, Err(ApiError::Port(_))));
        let filter = germane::flow::api::decisions::Filter::default();
        assert!(matches!(api.decisions(&id, filter, None).await, Err(ApiError::Port(_))));
    }
}

impl World {
    async fn item(&self, id: &str) -> HashMap<String, AttributeValue> {
        let client = &self.services.clients.dynamodb;
        let shard = germane::domain::id::Shard::of(&id.parse().unwrap(), self.services.dynamo.shards);
        let get = client.get_item().table_name("germane-recipients");
        let get = get.key("s", AttributeValue::N(shard.0.to_string())).key("i", AttributeValue::S(id.to_owned()));
        get.send().await.unwrap().item.unwrap()
    }

    async fn damage(&self, table: &str, item: HashMap<String, AttributeValue>, attribute: &str, damage: Damage) {
        let mut item = item;
        let mut bytes = item[attribute].as_b().unwrap().as_ref().to_vec();
        damage(&mut bytes);
        item.insert(attribute.to_owned(), AttributeValue::B(Blob::new(bytes)));
        let put = self.services.clients.dynamodb.put_item().table_name(table).set_item(Some(item));
        put.send().await.unwrap();
    }
}
