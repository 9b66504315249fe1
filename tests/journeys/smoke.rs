use germane::{domain::id::Shard, flow::send::reader::Pages};
use serde_json::json;

use crate::world::{World, campaign, person, with};

#[tokio::test]
async fn a_campaign_reaches_those_for_whom_it_is_germane_and_nobody_else() {
    let world = World::start().await;
    world.put_many(300).await;
    world.put(&[with(person("muted"), json!({ "preferences": { "muted_topics": ["rust"] } }))]).await;

    let report = world.send(&campaign("weekly")).await;

    assert_eq!(report["status"], "complete");
    assert_eq!(report["outcomes"]["sent"], 300);
    assert_eq!(report["reasons"], json!({ "topic_muted": 1 }));
    assert_eq!(world.why("weekly", "muted").await["detail"], json!({ "topic": "rust" }));
    let mail = &world.mails("weekly")[&"r-00000".parse().unwrap()][0];
    assert_eq!(mail.headers()["List-Unsubscribe-Post"], "List-Unsubscribe=One-Click");
}

#[tokio::test]
async fn pages_of_a_few_people_each_make_the_same_campaign() {
    let mut world = World::start().await;
    world.put_many(100).await;
    world.deployment.dynamo.page_people = Some(7);
    let pages: &dyn Pages = &world.deployment.dynamo;
    let page = pages.page(Shard(0), None, false).await.unwrap();
    assert_eq!((page.recipients.len(), page.more), (7, true));

    assert_eq!(world.send(&campaign("weekly")).await["outcomes"]["sent"], 100);
}
