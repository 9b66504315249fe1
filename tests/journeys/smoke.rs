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
