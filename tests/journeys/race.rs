//! Unsubscribes that race the run of a campaign.

use std::sync::Arc;

use aws_sdk_dynamodb::types::AttributeValue;
use futures_util::{StreamExt, stream};
use germane::flow::{api::recipients::People, preferences::Unsubscribed, token::Purpose};
use serde_json::json;

use crate::world::{World, campaign};

const PEOPLE: usize = 600;

/// The version under which a person's last withdrawal was written: the key of its evidence.
async fn withdrawn_at(world: &World, id: &str) -> u64 {
    let key = AttributeValue::S(id.to_owned());
    let query = world.services.clients.dynamodb.query().table_name("germane-evidence");
    let query = query.key_condition_expression("i = :i").expression_attribute_values(":i", key);
    let answer = query.scan_index_forward(false).limit(1).send().await.unwrap();
    answer.items()[0]["t"].as_s().unwrap().parse().unwrap()
}

#[tokio::test]
async fn after_an_answered_unsubscribe_no_claim_succeeds_however_they_race() {
    let world = Arc::new(World::with_shards(6).await);
    world.put_many(PEOPLE).await;
    let preferences = world.deployment.preferences();
    let unsubscribe = async |n: usize| {
        let id = format!("r-{n:05}");
        let token = preferences.tokens.sign(Purpose::Unsubscribe, &id.parse().unwrap(), &"weekly".parse().unwrap());
        assert_eq!(preferences.unsubscribe(&token, None).await.unwrap(), Unsubscribed::Done);
        id
    };
    // The launch first: a token names a campaign that there is.
    world.launch(&campaign("weekly")).await;
    let before: Vec<String> = stream::iter(0..20).map(&unsubscribe).buffer_unordered(4).collect().await;
    // From the far end of the walk, so that the two meet.
    let racing = stream::iter((20..PEOPLE).rev()).map(&unsubscribe).buffer_unordered(12).collect::<Vec<_>>();
    let workers = world.workers();
    let (errors, during) = tokio::join!(world.drain_with(&workers), racing);
    assert!(errors.is_empty(), "{errors:?}");

    let report = world.check("weekly").await;
    assert_eq!((&report["status"], &report["decided"]), (&json!("complete"), &json!(PEOPLE)));
    let mails = world.mails("weekly");
    let people: &dyn People = &world.services.dynamo;
    for id in before.iter().chain(&during) {
        let person = people.get(&id.parse().unwrap()).await.unwrap().unwrap();
        let sends = person.sends.iter().count();
        assert_eq!(sends, mails.get(&person.id).map_or(0, Vec::len), "{id}");
        // After the withdrawal nothing is written; or the slot of a mail that was not begun in time goes back, which is
        // one write. A claim would be another.
        let after = person.version - withdrawn_at(&world, id).await;
        assert!(after <= u64::from(sends == 0), "{id}: {after} writes after the withdrawal, {sends} sends");
    }
    assert!(before.iter().all(|id| !mails.contains_key(&id.parse().unwrap())), "who left before is not mailed");
    println!("{} of {} were mailed before they left", mails.len(), during.len());
    let wanted = json!({ "consent_withdrawn": PEOPLE - mails.len() });
    assert_eq!(report["reasons"], wanted);
}
