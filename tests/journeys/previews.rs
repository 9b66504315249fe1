//! A preview says what a campaign would take, and binds a send to what it was about.

use std::sync::Arc;

use async_trait::async_trait;
use germane::{
    domain::actor::Actor,
    flow::{
        api::{ApiError, Code},
        port::PortError,
        preview::{Contract, Terms},
    },
    local::ses::SesConfig,
};
use serde_json::{Value, json};

use crate::world::{Setup, World, campaign, person, policy, with};

/// With three people for whom the campaign is germane, and a slow SES.
async fn world() -> World {
    let ses = SesConfig { max_send_rate: 1.0, ..SesConfig::default() };
    let world = World::with(Setup { ses, ..Setup::default() }).await;
    world.put(&["r-1", "r-2", "r-3"].map(person)).await;
    world
}

async fn token(world: &World, campaign: &Value) -> String {
    world.preview(campaign).await["preview_token"].as_str().unwrap().to_owned()
}

/// Where the changes are that a send was refused for; none if it was taken.
async fn changes(world: &World, campaign: &Value, token: &str) -> Vec<String> {
    match world.deployment.api().submit_previewed(campaign, token, &Actor::local()).await {
        Ok(_) => Vec::new(),
        Err(ApiError::Conflict { code: Code::ChangedSincePreview, faults, .. }) => {
            faults.into_iter().map(|fault| fault.field).collect()
        }
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn it_says_how_many_mails_in_what_time_for_how_much() {
    let world = world().await;
    let report = world.preview(&campaign("weekly")).await;
    // 95 % of one mail a second, less the tenth that the policy reserves; 16 cents for 1,000, each started cent a cent.
    assert_eq!(report["estimate"], json!({ "sends": 3, "duration_seconds": 4, "cost_usd": 0.01 }), "{report}");
}

#[tokio::test]
async fn as_long_as_it_is_worked_out_there_is_neither_estimate_nor_token() {
    let world = world().await;
    let api = world.deployment.api();
    let (id, _) = api.preview(&campaign("weekly"), None).await.unwrap();
    let report = api.preview_report(&id).await.unwrap();
    assert_eq!((&report["estimate"], &report["preview_token"]), (&Value::Null, &Value::Null), "{report}");
}

struct Silent;

#[async_trait]
impl Contract for Silent {
    async fn terms(&self) -> Result<Terms, PortError> {
        Err(PortError::unavailable("SES", "it is silent"))
    }
}

#[tokio::test]
async fn what_ses_does_not_say_is_null_and_keeps_no_preview_from_being_told() {
    let mut world = world().await;
    world.deployment.contract = Arc::new(Silent);
    let report = world.preview(&campaign("weekly")).await;
    assert_eq!(report["estimate"], json!({ "sends": 3, "duration_seconds": null, "cost_usd": null }));
    assert!(report["preview_token"].is_string());
}

#[tokio::test]
async fn what_was_previewed_is_sent_in_whatever_order_its_fields_stand() {
    let world = world().await;
    let token = token(&world, &campaign("weekly")).await;
    let turned: Value = serde_json::from_str(
        r#"{ "template": "newsletter", "content": { "headline": "Async closures" }, "channel": "work", "topic": "rust",
             "id": "weekly" }"#,
    )
    .unwrap();
    assert_eq!(changes(&world, &turned, &token).await, Vec::<String>::new());
    world.drain().await;
    assert_eq!(world.check("weekly").await["outcomes"]["sent"], 3);
}

#[tokio::test]
async fn another_campaign_policy_or_template_is_refused_by_name() {
    let world = world().await;
    let token = token(&world, &campaign("weekly")).await;
    let other = with(campaign("weekly"), json!({ "min_interest": 0 }));
    assert_eq!(changes(&world, &other, &token).await, [""]);
    world.put_policy(&with(policy(), json!({ "reserved_rate_percent": 20 }))).await;
    assert_eq!(changes(&world, &campaign("weekly"), &token).await, ["?preview"]);
    let name = "newsletter".parse().unwrap();
    let mut source = world.deployment.api().get_template(&name).await.unwrap();
    source["manifest"]["subject"] = json!("Other news");
    world.deployment.api().put_template(&name, &source).await.unwrap();
    assert_eq!(changes(&world, &campaign("weekly"), &token).await, ["?preview", "/template"]);
    assert_eq!(changes(&world, &other, &token).await, ["", "?preview", "/template"]);
    world.drain().await;
    assert_eq!(world.mails("weekly").len(), 0);
}

#[tokio::test]
async fn a_send_that_is_repeated_after_a_lost_answer_is_the_same_send() {
    let world = world().await;
    let token = token(&world, &campaign("weekly")).await;
    assert!(changes(&world, &campaign("weekly"), &token).await.is_empty());
    world.put_policy(&with(policy(), json!({ "reserved_rate_percent": 20 }))).await;
    assert!(changes(&world, &campaign("weekly"), &token).await.is_empty());
}

#[tokio::test]
async fn what_is_no_token_is_a_fault_of_the_query() {
    let world = world().await;
    let refused = world.deployment.api().submit_previewed(&campaign("weekly"), "yesterday", &Actor::local()).await;
    let Err(ApiError::Invalid(faults)) = refused else { panic!("{refused:?}") };
    assert_eq!(faults[0].field, "?preview");
}
