//! Caps under concurrency.

use std::collections::BTreeMap;

use germane::lambda::queue::Handle;
use germane::{flow::queue::Unhurried, local::services::SHARD};
use serde_json::{Value, json};

use crate::world::{World, campaign, policy, with};

const PEOPLE: usize = 200;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ten_campaigns_at_once_under_a_cap_of_five_send_exactly_five_to_each() {
    for round in 0..3 {
        let world = World::start().await;
        world.put_policy(&with(policy(), json!({ "frequency": [{ "sends": 5, "days": 7 }] }))).await;
        world.put_many(PEOPLE).await;
        let ids: Vec<String> = (0..10).map(|n| format!("campaign-{n}")).collect();
        for id in &ids {
            world.launch(&campaign(id)).await;
        }
        let workers = world.workers();
        let messages = world.services.queues.receive(SHARD, 100).unwrap();
        assert_eq!(messages.len(), 40);
        let runs = messages.into_iter().map(|message| {
            let workers = workers.clone();
            tokio::spawn(async move { workers.handle(&message.body, &Unhurried).await.unwrap() })
        });
        for run in futures_util::future::join_all(runs).await {
            run.unwrap();
        }

        let mut sends: BTreeMap<String, usize> = BTreeMap::new();
        for mail in world.services.ses.mails() {
            *sends.entry(mail.to.clone()).or_default() += 1;
        }
        assert_eq!(sends.len(), PEOPLE);
        assert!(sends.values().all(|count| *count == 5), "round {round}: {sends:?}");
        let mut sent = 0;
        for id in &ids {
            let report: Value = world.check(id).await;
            assert_eq!((&report["status"], &report["audience"]), (&json!("complete"), &json!(PEOPLE)), "{report}");
            sent += report["outcomes"]["sent"].as_u64().unwrap();
        }
        assert_eq!(sent, 5 * PEOPLE as u64);
    }
}
