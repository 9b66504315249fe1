//! What is held about a person is given out whole, and erased whole.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use aws_sdk_dynamodb::types::AttributeValue;
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use germane::{
    aws::tables::TableNames,
    domain::{
        channel::{Channel, Context},
        consent::{Basis, Consent, ConsentStatus},
        frequency::FrequencyCap,
        id::SendKey,
        interest::{Interest, InterestSource, Strength},
        recipient::{Address, Fact, Own, Preferences, Profile, Suppression, SuppressionKind, Unusable},
    },
    flow::{
        api::{
            ApiError, Code,
            recipients::{Evidence, People, PersonWrite, Place, PutResult},
        },
        feedback::Mailboxes,
    },
};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::world::{World, campaign, person, with};

fn time(raw: &str) -> Timestamp {
    raw.parse().unwrap()
}

impl World {
    async fn export(&self, id: &str) -> Value {
        self.deployment.api().export_recipient(&id.parse().unwrap()).await.unwrap()
    }

    async fn erase(&self, id: &str) -> Result<(), ApiError> {
        self.deployment.api().erase_recipient(&id.parse().unwrap()).await
    }

    /// Everything that the tables hold, as bytes; what is packed is unpacked, what is written in hexadecimal or base64
    /// stands there as what it means too.
    async fn everything(&self) -> Vec<(String, Vec<u8>)> {
        let mut found = Vec::new();
        for table in TableNames::new("germane").definitions() {
            let items = self.services.clients.dynamodb.scan().table_name(table.name).into_paginator().items().send();
            let items: Vec<_> = items.collect::<Result<_, _>>().await.unwrap();
            for (name, value) in items.into_iter().flatten() {
                let text = value.as_s().or(value.as_n()).ok().map(|text| text.clone().into_bytes());
                let bytes = text.or(value.as_b().ok().map(|bytes| bytes.clone().into_inner()));
                // What is neither are numbers, of shards and of reservations.
                let bytes = bytes.unwrap_or_else(|| format!("{value:?}").into_bytes());
                let unpacked = zstd::decode_all(bytes.get(1..).unwrap_or_default()).ok();
                let meant =
                    [STANDARD.decode(&bytes).ok(), URL_SAFE_NO_PAD.decode(&bytes).ok(), unhex(&bytes), unpacked];
                let place = format!("{} {name}", table.name);
                found.extend(meant.into_iter().flatten().map(|meant| (place.clone(), meant)));
                found.push((place, bytes));
            }
        }
        found
    }

    /// Where in the tables a text stands.
    async fn places_of(&self, text: &str) -> BTreeSet<String> {
        let (plain, mut hex) = (text.to_lowercase(), String::new());
        plain.bytes().for_each(|byte| write!(hex, "{byte:02x}").unwrap());
        let holds = |bytes: &[u8]| {
            let bytes = bytes.to_ascii_lowercase();
            [&plain, &hex].iter().any(|text| bytes.windows(text.len()).any(|part| part == text.as_bytes()))
        };
        self.everything().await.into_iter().filter(|(_, bytes)| holds(bytes)).map(|(place, _)| place).collect()
    }
}

fn unhex(bytes: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(bytes).ok().filter(|text| text.is_ascii() && text.len() % 2 == 0)?;
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok()).collect()
}

/// Each text and number of a document.
fn leaves(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Null | Value::Bool(_) => {}
        Value::Number(_) | Value::String(_) => drop(found.insert(value.to_string())),
        Value::Array(items) => items.iter().for_each(|item| leaves(item, found)),
        Value::Object(map) => {
            // Names are data where the fields are.
            found.extend(map.keys().map(|key| json!(key).to_string()));
            map.values().for_each(|value| leaves(value, found));
        }
    }
}

/// With every field filled, so that whoever adds one is led here.
fn full(reference: germane::domain::id::Ref) -> Profile {
    let address = |raw: &str, unusable| Some(Address { email: raw.parse().unwrap(), unusable: Some(unusable) });
    Profile {
        reference,
        work: address("full.work@example.com", Unusable::HardBounce),
        personal: address("full.personal@example.net", Unusable::SoftBounces),
        time_zone: Some("Asia/Tokyo".parse().unwrap()),
        locale: Some("ja".to_owned()),
        attributes: BTreeMap::from([("first_name".to_owned(), "Sample Name".to_owned())]),
        interests: vec![Interest {
            topic: "rust/embedded".parse().unwrap(),
            strength: Strength::new(0.37),
            source: InterestSource::Social,
            context: Context::Personal,
            at: time("2026-01-01T01:01:01Z"),
        }],
        consents: vec![Consent {
            topic: "rust/wasm".parse().unwrap(),
            channel: Channel::Personal,
            status: ConsentStatus::Pending,
            basis: Basis::ImpliedInquiry,
            source: Some("a fair".to_owned()),
            at: time("2026-02-02T02:02:02Z"),
            expires_at: Some(time("2027-03-03T03:03:03Z")),
            by_recipient: true,
        }],
        owns: vec!["course-rust-202".parse().unwrap()],
        preferences: Preferences {
            max_frequency: Some(FrequencyCap { sends: 11, days: 13 }),
            paused_until: Some(time("2026-12-24T04:04:04Z")),
            muted_topics: vec!["garden/roses".parse().unwrap()],
            by_recipient: true,
        },
        suppression: Some(Suppression { kind: SuppressionKind::Manual, since: time("2026-11-05T05:05:05Z") }),
        own: vec![Own { fact: Fact::Attribute("first_name".to_owned()), at: time("2026-11-06T06:06:06Z") }],
    }
}

#[tokio::test]
async fn an_export_holds_every_field_that_a_person_can_have() {
    let world = World::start().await;
    world.put(&[person("r-1")]).await;
    world.send(&campaign("weekly")).await;
    let notice = SendKey::notice(&"newsletter".parse().unwrap());
    let people: &dyn People = &world.services.dynamo;
    let before = people.get(&"r-1".parse().unwrap()).await.unwrap().unwrap();
    let mut after = before.clone();
    after.version += 1;
    after.profile = full(before.reference);
    let weekly = *before.sends.iter().next().unwrap();
    let told =
        germane::domain::frequency::Send { key: notice, at: time("2026-11-23T06:06:06Z"), counts: false, ..weekly };
    let gone = germane::domain::frequency::Send { key: SendKey([9; 8]), ..told };
    after.sends = before.sends.with([told, gone], time("2026-11-23T09:00:00Z"));
    let evidence = Evidence {
        topic: "rust/wasm".parse().unwrap(),
        channel: Channel::Personal,
        before: Some(ConsentStatus::Withdrawn),
        after: Some(ConsentStatus::Pending),
        text: Some("I would like to hear more".to_owned()),
        text_version: Some("form.en 3".to_owned()),
        source: Some("a fair".to_owned()),
        place: Place::Page,
        by: Some("a system".to_owned()),
        origin: Some("0123456789abcdef".to_owned()),
        at: time("2026-02-02T02:02:02Z"),
        recorded_at: time("2026-02-02T02:02:03Z"),
    };
    let write = PersonWrite { before: Some(&before), after: &after, evidence: vec![evidence.clone()] };
    assert_eq!(people.put(&[write]).await.unwrap(), [PutResult::Written]);
    world.deployment.api().suppress("full.work@example.com", &json!({ "note": "by telephone" })).await.unwrap();

    let bounced = time("2026-11-07T07:07:07Z");
    let mailboxes: &dyn Mailboxes = &world.services.dynamo;
    mailboxes.soft_bounced(&"full.work@example.com".parse().unwrap(), bounced).await.unwrap();

    let export = world.export("r-1").await;
    assert_eq!(export["recipient"]["soft_bounces"], json!({ "work": [bounced], "personal": [] }));
    let (mut held, mut told) = (BTreeSet::new(), BTreeSet::new());
    let mut profile = json!(after.profile);
    // The one that is told in other letters, and the two that GET has in another shape.
    profile.as_object_mut().unwrap().remove("reference");
    for (channel, address) in ["work", "personal"].map(|channel| (channel, profile[channel].take())) {
        assert_eq!(export["recipient"]["addresses"][channel], address["email"]);
        assert_eq!(export["recipient"]["unusable"][channel], address["unusable"]);
    }
    leaves(&profile, &mut held);
    leaves(&export["recipient"], &mut told);
    assert_eq!(held.difference(&told).collect::<Vec<_>>(), Vec::<&String>::new());

    let recipient = &export["recipient"];
    let named: Vec<(&Value, &Value, &Value)> = recipient["sends"]
        .as_array()
        .unwrap()
        .iter()
        .map(|send| (&send["campaign"], &send["notice"], &send["counts"]))
        .collect();
    let (yes, no, null) = (json!(true), json!(false), Value::Null);
    let (weekly, newsletter) = (json!("weekly"), json!("newsletter"));
    assert_eq!(named, [(&weekly, &null, &yes), (&null, &newsletter, &no), (&null, &null, &no)]);
    assert_eq!(recipient["version"], after.version);
    assert_eq!(recipient["ref"], format!("{:016x}", u64::from_be_bytes(after.reference.0)));
    assert_eq!((&recipient["consents"][0]["by_recipient"], &recipient["preferences"]["by_recipient"]), (&yes, &yes));
    assert_eq!(recipient["consents"][0]["evidence"], "I would like to hear more");
    assert_eq!(export["evidence"][1], json!(evidence));
    assert_eq!(export["evidence"].as_array().unwrap().len(), 2);
    assert_eq!(export["decisions"], json!([world.why("weekly", "r-1").await]));
    let since = "2026-11-05T05:05:05Z";
    let suppressions = json!([
        { "channel": "work", "kind": "manual", "since": since, "note": "by telephone" },
        { "channel": "personal", "kind": "manual", "since": since, "note": null },
    ]);
    assert_eq!(export["suppressions"], suppressions);
    let got = world.deployment.api().get_recipient(&"r-1".parse().unwrap()).await.unwrap();
    for (name, value) in got.as_object().unwrap() {
        let own = with(json!({ "v": value }), json!({ "v": recipient[name] }));
        assert_eq!(own["v"], recipient[name], "{name}");
    }
}

#[tokio::test]
async fn an_export_has_the_decision_of_record_of_every_campaign_that_decided_on_the_person() {
    let world = World::start().await;
    world.put(&[person("r-1"), person("r-2")]).await;
    world.send(&campaign("one")).await;
    let window = json!({ "send_window": { "opens": "18:00", "closes": "20:00", "days": ["mon"] } });
    world.send(&with(campaign("evening"), window)).await;
    world.send(&with(campaign("others"), json!({ "audience": { "recipients": ["r-2"] } }))).await;
    assert_eq!(world.why("evening", "r-1").await["outcome"], "deferred");
    world.clock.reach(time("2026-11-23T17:30:00Z"));
    world.drain().await;
    let export = world.export("r-1").await;
    assert_eq!(export["decisions"], json!([world.why("evening", "r-1").await, world.why("one", "r-1").await]));
    assert_eq!(export["decisions"][0]["outcome"], "sent");
    assert_eq!((&export["recipient"]["sends"][0]["campaign"], &export["suppressions"]), (&json!("one"), &json!([])));
    let nobody = world.deployment.api().export_recipient(&"r-9".parse().unwrap()).await;
    assert!(matches!(nobody, Err(ApiError::NotFound { code: Code::NotFound, .. })), "{nobody:?}");
}

#[tokio::test]
async fn after_an_erasure_nothing_leads_to_the_person_any_more() {
    let world = World::with_shards(2).await;
    world.put_many(40).await;
    let id = "r-00020";
    let addresses = json!({ "work": "gone.work@example.com", "personal": "gone.personal@example.net" });
    let consent = json!({
        "topic": "rust", "channel": "personal", "status": "granted", "evidence": "shown to the gone",
        "at": "2026-03-12T09:00:00Z",
    });
    let attributes = json!({ "first_name": "Goneby" });
    let of_them = json!({ "id": id, "addresses": addresses, "attributes": attributes, "consents": [consent] });
    world.put(std::slice::from_ref(&of_them)).await;
    world
        .deployment
        .api()
        .suppress("gone.personal@example.net", &json!({ "note": "Goneby, by telephone" }))
        .await
        .unwrap();
    world.deployment.api().lift("gone.work@example.com").await.unwrap();
    world.deployment.api().suppress("gone.work@example.com", &json!({ "note": "Goneby again" })).await.unwrap();
    world.deployment.api().lift("gone.work@example.com").await.unwrap();
    world.send(&campaign("weekly")).await;
    let texts = [id, "gone.work", "gone.personal", "Goneby", "shown to the gone"];
    let export = world.export(id).await;
    for text in texts {
        assert!(!world.places_of(text).await.is_empty() && export.to_string().contains(text), "{text}");
    }
    let reference = export["recipient"]["ref"].as_str().unwrap();
    assert!(world.places_of("r-00019").await.contains("germane-recipients i"), "the search finds ids");

    world.erase(id).await.unwrap();
    for text in texts {
        assert_eq!(world.places_of(text).await, BTreeSet::new(), "{text}");
    }
    let held = unhex(reference.as_bytes()).unwrap();
    let places: BTreeSet<String> = world
        .everything()
        .await
        .into_iter()
        .filter(|(_, bytes)| bytes.windows(8).any(|part| part == held))
        .map(|(place, _)| place)
        .collect();
    assert_eq!(places, BTreeSet::from(["germane-ledger b".to_owned()]), "in the ledger, where it names nobody");
    let report = world.check("weekly").await;
    assert_eq!(report["decided"], 40, "the ledger still adds up");

    let api = world.deployment.api();
    let parsed = id.parse().unwrap();
    let code = |error: ApiError| match error {
        ApiError::NotFound { code, .. } | ApiError::Conflict { code, .. } => code,
        error @ (ApiError::Invalid(_) | ApiError::Port(_)) => panic!("{error}"),
    };
    assert_eq!(code(world.erase(id).await.unwrap_err()), Code::NotFound, "erased twice");
    assert_eq!(code(api.why(&"weekly".parse().unwrap(), &parsed, false).await.unwrap_err()), Code::NotFound);
    assert_eq!(code(api.export_recipient(&parsed).await.unwrap_err()), Code::NotFound);
    assert_eq!(code(api.put_recipient(&parsed, &of_them, "a test").await.unwrap_err()), Code::ErasedAddress);
    for address in ["gone.work@example.com", "GONE.personal@example.net"] {
        assert_eq!(api.suppression(address).await.unwrap()["kind"], "erased");
        let anew = with(person("other"), json!({ "addresses": { "work": address } }));
        let answers = api.put_recipients(&[&anew.to_string()], "a test").await.unwrap();
        assert_eq!(answers[0]["result"], "refused");
        assert!(answers[0].to_string().contains("erased_address"), "{answers:?}");
        assert!(!answers[0].to_string().to_lowercase().contains("gone"), "{answers:?}");
    }
}

#[tokio::test]
async fn a_mailbox_that_served_both_channels_is_erased_once_and_stays_so() {
    let world = World::start().await;
    let both = json!({ "addresses": { "work": "both@example.com", "personal": "BOTH@example.com" } });
    world.put(&[with(person("r-1"), both.clone())]).await;
    world.change("r-1", |profile| profile.work.as_mut().unwrap().unusable = Some(Unusable::HardBounce)).await;
    world.erase("r-1").await.unwrap();
    let items = world.services.clients.dynamodb.scan().table_name("germane-addresses").send().await.unwrap();
    let mut names: Vec<&str> = items.items()[0].keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!((items.items().len(), names), (1, vec!["f", "h", "z"]));
    let again =
        world.deployment.api().put_recipient(&"r-2".parse().unwrap(), &with(person("r-2"), both), "a test").await;
    assert!(matches!(again, Err(ApiError::Conflict { code: Code::ErasedAddress, .. })), "{again:?}");
}

#[tokio::test]
async fn evidence_that_cannot_be_read_is_erased_too_and_that_of_a_newborn_stays() {
    let world = World::start().await;
    world.put(&[person("r-1")]).await;
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let stray = async |key: &str| {
        let put = world.services.clients.dynamodb.put_item().table_name("germane-evidence");
        put.item("i", text("r-1")).item("t", text(key)).item("b", text("?")).send().await.unwrap();
    };
    // Of no version, and of one that is still to come: of whoever was made anew under the id meanwhile.
    stray("a request").await;
    stray(&format!("{:020}", u64::MAX / 2)).await;
    world.erase("r-1").await.unwrap();
    let left = world.services.clients.dynamodb.scan().table_name("germane-evidence").send().await.unwrap();
    assert_eq!(left.items().len(), 1);
    assert_eq!(left.items()[0]["t"].as_s().unwrap(), &format!("{:020}", u64::MAX / 2));
}
