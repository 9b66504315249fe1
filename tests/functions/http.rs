//! Requests as API Gateway hands them to a function, and the answers as it takes them back.

use std::sync::Arc;

use axum::Router;
use base64::{Engine, engine::general_purpose::STANDARD};
use germane::{
    domain::{policy::Policy, secret::Secret},
    flow::{clock::Clock, launch::Campaigns, preferences::origin::Origins},
    lambda::{gateway, http},
};
use jiff::Timestamp;
use lambda_http::{Adapter, Context, request::LambdaRequest};
use lambda_runtime::{LambdaEvent, Service};
use serde_json::{Value, json};

use super::event;
use crate::world::{NOW, World, campaign, person, policy, with};

const CAMPAIGN: &str = "rust-weekly-2026-47";

async fn answer(router: Router, event: &Value) -> Value {
    let request: LambdaRequest = serde_json::from_str(&event.to_string()).unwrap();
    let call = Adapter::from(gateway::behind(router)).call(LambdaEvent::new(request, Context::default()));
    serde_json::to_value(call.await.unwrap()).unwrap()
}

async fn api(world: &World, event: &Value) -> Value {
    answer(http::api(Arc::new(world.deployment.api())), event).await
}

async fn preferences(world: &World, event: &Value) -> Value {
    answer(http::preferences(Arc::new(world.deployment.preferences())), event).await
}

fn body(answer: &Value) -> Value {
    let text = answer["body"].as_str().unwrap();
    // API Gateway decodes what the runtime takes for no text.
    let bytes = if answer["isBase64Encoded"] == true { STANDARD.decode(text).unwrap() } else { text.into() };
    serde_json::from_slice(&bytes).unwrap()
}

async fn created_by(world: &World) -> String {
    let campaigns: &dyn Campaigns = &world.services.dynamo;
    campaigns.get(&CAMPAIGN.parse().unwrap()).await.unwrap().unwrap().created_by.to_string()
}

#[tokio::test]
async fn a_campaign_is_created_by_the_principal_that_signed_the_request() {
    let world = World::start().await;
    let answered = api(&world, &event("api-campaign")).await;
    assert_eq!((&answered["statusCode"], &answered["isBase64Encoded"]), (&json!(202), &json!(false)), "{answered}");
    assert_eq!(body(&answered), json!({ "id": CAMPAIGN, "status": "scheduled" }));
    assert_eq!(created_by(&world).await, "arn:aws:iam::000000000000:user/marketer");
}

#[tokio::test]
async fn whoever_names_themselves_in_a_header_is_not_believed() {
    let world = World::start().await;
    let mut event = event("api-campaign");
    event["requestContext"].as_object_mut().unwrap().remove("authorizer");
    event["headers"]["actor"] = json!("arn:aws:iam::000000000000:user/marketer");
    assert_eq!(api(&world, &event).await["statusCode"], 202);
    assert_eq!(created_by(&world).await, "anonymous");
}

#[tokio::test]
async fn a_token_about_what_the_product_calls_itself_hides_no_campaign() {
    let world = World::start().await;
    let mut event = event("api-campaign");
    event["requestContext"]["authorizer"] = json!({ "jwt": { "claims": { "sub": "double-opt-in" }, "scopes": [] } });
    assert_eq!(api(&world, &event).await["statusCode"], 202);
    assert_eq!(created_by(&world).await, "jwt:double-opt-in");
    let listed = body(&api(&world, &event_of_list()).await);
    assert_eq!(listed["items"][0]["id"], CAMPAIGN, "{listed}");
}

fn event_of_list() -> Value {
    with(event("api-report"), json!({ "rawPath": "/v1/campaigns" }))
}

#[tokio::test]
async fn whoever_puts_the_policy_is_told_beside_it() {
    let world = World::start().await;
    let (path, signed) = (json!({ "rawPath": "/v1/policy" }), event("api-campaign"));
    let put = with(
        signed,
        json!({ "body": policy().to_string(), "rawPath": "/v1/policy", "requestContext": {
        "http": { "method": "PUT", "path": "/v1/policy" },
    } }),
    );
    assert_eq!(body(&api(&world, &put).await), json!({ "version": 2 }));
    let about = with(with(event("api-report"), path.clone()), json!({ "rawQueryString": "about=true" }));
    let about = body(&api(&world, &about).await);
    assert_eq!((&about["version"], &about["put_by"]), (&json!(2), &json!("arn:aws:iam::000000000000:user/marketer")));
    let at = |time: &str| time.parse::<Timestamp>().unwrap();
    assert!((at(NOW)..=world.clock.now()).contains(&at(about["put_at"].as_str().unwrap())), "{about}");
    let told = api(&world, &with(event("api-report"), path)).await;
    assert_eq!(told["headers"]["etag"], "\"2\"");
    assert_eq!(Policy::parse(&body(&told)), Policy::parse(&policy()), "it can be put again");
}

#[tokio::test]
async fn a_body_in_base64_is_read_and_its_evidence_names_the_subject_of_the_bearer_token() {
    let world = World::start().await;
    let answered = api(&world, &event("api-recipients")).await;
    assert_eq!(answered["statusCode"], 200, "{answered}");
    assert_eq!(body(&answered)["result"], "created");
    let evidence = world.evidence("r-1042").await;
    assert_eq!(evidence[0].by.as_deref(), Some("jwt:client-7f3a"));
}

#[tokio::test]
async fn the_path_and_the_query_reach_the_route() {
    let world = World::start().await;
    let missing = api(&world, &event("api-report")).await;
    assert_eq!(missing["statusCode"], 404);
    assert_eq!(missing["headers"]["content-type"], "application/problem+json");
    api(&world, &event("api-campaign")).await;
    assert_eq!(body(&api(&world, &event("api-report")).await)["campaign"], CAMPAIGN);
    let path = format!("/v1/campaigns/{CAMPAIGN}/decisions");
    let wrong = with(event("api-report"), json!({ "rawPath": path, "rawQueryString": "outcome=lost" }));
    let problem = body(&api(&world, &wrong).await);
    assert_eq!(problem["errors"][0]["found"], "\"lost\"", "{problem}");
}

#[tokio::test]
async fn an_address_in_the_path_is_read_though_the_gateway_decoded_it() {
    let world = World::start().await;
    let path = "/v1/suppressions/r-1042+news@example.com";
    let put = json!({ "rawPath": path, "requestContext": { "http": { "method": "PUT", "path": path } } });
    let put = with(with(event("api-report"), put), json!({ "body": "{}" }));
    let answered = api(&world, &put).await;
    assert_eq!(answered["statusCode"], 200, "{answered}");
    let get = json!({ "rawPath": path });
    let held = body(&api(&world, &with(event("api-report"), get)).await);
    assert_eq!(held["kind"], "manual", "{held}");
}

#[tokio::test]
async fn a_broken_body_is_a_problem_and_no_failed_invocation() {
    let world = World::start().await;
    let answered = api(&world, &with(event("api-campaign"), json!({ "body": "{\"id\":" }))).await;
    assert_eq!(answered["statusCode"], 400);
    assert_eq!(body(&answered)["code"], "malformed_json");
}

#[tokio::test]
async fn one_click_withdraws_and_its_evidence_is_of_where_the_gateway_says_it_came_from() {
    let world = World::start().await;
    world.put(&[person("r-1042")]).await;
    world.send(&campaign(CAMPAIGN)).await;
    let answered = preferences(&world, &event("preferences-unsubscribe")).await;
    assert_eq!(answered["statusCode"], 200, "{answered}");
    let left = world.evidence("r-1042").await.pop().unwrap();
    assert_eq!(left.after.map(|status| serde_json::to_value(status).unwrap()), Some(json!("withdrawn")));
    let origins = Origins { key: world.deployment.preferences().origins.key };
    assert_eq!(left.origin, Some(origins.of("203.0.113.7", "MailProgram/1.0")));
    assert_ne!(left.origin, Some(Origins { key: Secret::new([7; 32]) }.of("203.0.113.7", "MailProgram/1.0")));
}

#[tokio::test]
async fn the_page_comes_in_the_browsers_language_and_as_text() {
    let world = World::start().await;
    world.put(&[person("r-1042")]).await;
    world.send(&campaign(CAMPAIGN)).await;
    let answered = preferences(&world, &event("preferences-page")).await;
    assert_eq!((&answered["statusCode"], &answered["isBase64Encoded"]), (&json!(200), &json!(false)));
    assert!(answered["headers"]["content-security-policy"].is_string(), "{answered}");
    assert!(answered["body"].as_str().unwrap().contains("lang=\"de\""));
}
