//! The five binaries as Lambda runs them, against the services on loopback.

use std::{collections::BTreeMap, sync::Arc};

use germane::{
    aws::{
        clients::Clients,
        deployment::{Deployment, Settings},
        dynamo::Dynamo,
        system::SystemClock,
    },
    domain::{actor::Actor, secret::Secret},
    flow::{
        clock::Clock,
        token::{TokenKey, TokenKeys},
    },
    local::{
        services::{self, FEEDBACK, LAUNCH, SHARD, Services},
        ses::SesConfig,
        shipped, sqs,
    },
};
use serde_json::{Value, json};

use super::{
    config, event,
    runtime::{Function, failing},
};
use crate::world::policy;

/// Where the services are, to a function.
pub const ENDPOINTS: [&str; 4] =
    ["AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL_SQS", "AWS_ENDPOINT_URL_SESV2", "AWS_ENDPOINT_URL_SCHEDULER"];

pub const API: &str = env!("CARGO_BIN_EXE_germane-api");
pub const LAUNCHER: &str = env!("CARGO_BIN_EXE_germane-launch");
pub const SENDER: &str = env!("CARGO_BIN_EXE_germane-send");
pub const FEEDBACK_TAKER: &str = env!("CARGO_BIN_EXE_germane-feedback");
pub const PREFERENCES: &str = env!("CARGO_BIN_EXE_germane-preferences");

/// With a policy and the shipped templates.
async fn deployed() -> (Services, BTreeMap<&'static str, String>) {
    let (services, environment) = services().await;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    let api = deployment(&services.clients, &services, services.dynamo.clone(), &clock).api();
    api.put_policy(&policy(), &Actor::local()).await.unwrap();
    for (name, source) in shipped::templates() {
        api.put_template(&name, &source).await.unwrap();
    }
    (services, environment)
}

/// As the environment describes it.
pub fn deployment(clients: &Clients, services: &Services, dynamo: Dynamo, clock: &Arc<dyn Clock>) -> Deployment {
    let settings = Settings {
        queues: services.queue_urls.clone(),
        scheduler: services::scheduler(clients, services.queue_urls.clone(), clock.clone()),
        configuration_set: None,
        tokens: TokenKeys::new(TokenKey { id: 1, secret: Secret::new([7; 32]) }, Vec::new()),
        public_url: "https://mail.example.com".to_owned(),
        max_in_flight: 8,
    };
    Deployment::new(clients, dynamo, clock.clone(), settings)
}

/// The services, and the environment of a function that is deployed on them.
pub async fn services() -> (Services, BTreeMap<&'static str, String>) {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    let services = Services::open(&clock, Secret::new([7; 32]), SesConfig::default(), 1, None).await.unwrap();
    let (queues, endpoints) = (services.queue_urls.clone(), services.endpoints.clone());
    let mut environment = config::environment();
    environment.extend([
        ("GERMANE_LAUNCH_QUEUE_URL", queues.launch),
        ("GERMANE_LAUNCH_QUEUE_ARN", sqs::arn(LAUNCH)),
        ("GERMANE_SHARD_QUEUE_URL", queues.shard),
        ("GERMANE_SHARD_QUEUE_ARN", sqs::arn(SHARD)),
        ("GERMANE_PREVIEW_QUEUE_URL", queues.preview),
        ("GERMANE_FEEDBACK_QUEUE_URL", queues.feedback),
        (ENDPOINTS[0], endpoints.dynamodb.unwrap()),
        (ENDPOINTS[1], endpoints.sqs.unwrap()),
        (ENDPOINTS[2], endpoints.ses.unwrap()),
        (ENDPOINTS[3], endpoints.scheduler.unwrap()),
        ("AWS_REGION", "eu-west-1".to_owned()),
        ("AWS_ACCESS_KEY_ID", "local".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "local".to_owned()),
    ]);
    (services, environment)
}

/// What an event source mapping makes of the messages of a queue, if there are any.
pub fn batch(services: &Services, queue: &str) -> Option<Value> {
    let messages = services.queues.receive(queue, 10).unwrap();
    let records = messages.into_iter().map(|message| {
        services.queues.delete(queue, &message.receipt).unwrap();
        json!({ "messageId": message.id, "body": &*message.body, "eventSource": "aws:sqs" })
    });
    let records: Vec<Value> = records.collect();
    (!records.is_empty()).then(|| json!({ "Records": records }))
}

#[tokio::test]
async fn a_campaign_goes_from_the_api_to_the_inbox_and_back_by_the_five_functions() {
    let (services, mut environment) = deployed().await;
    environment.insert("GERMANE_LOG", "debug".to_owned());
    let nothing_again = json!({ "batchItemFailures": [] });

    let mut api = Function::start(API, &environment).await;
    assert_eq!(api.invoke(&event("api-recipients")).await["statusCode"], 200);
    assert_eq!(api.invoke(&event("api-campaign")).await["statusCode"], 202);

    let mut launcher = Function::start(LAUNCHER, &environment).await;
    assert_eq!(launcher.invoke(&batch(&services, LAUNCH).unwrap()).await, nothing_again);
    let mut sender = Function::start(SENDER, &environment).await;
    assert_eq!(sender.invoke(&batch(&services, SHARD).unwrap()).await, nothing_again);
    assert_eq!(services.ses.count(), 1);

    let mut feedback = Function::start(FEEDBACK_TAKER, &environment).await;
    assert_eq!(feedback.invoke(&batch(&services, FEEDBACK).unwrap()).await, nothing_again);
    let mut preferences = Function::start(PREFERENCES, &environment).await;
    assert_eq!(preferences.invoke(&event("preferences-unsubscribe")).await["statusCode"], 200);

    let report = api.invoke(&event("api-report")).await;
    let report: Value = serde_json::from_str(report["body"].as_str().unwrap()).unwrap();
    assert_eq!((&report["status"], &report["outcomes"]["sent"]), (&json!("complete"), &json!(1)), "{report}");
    assert_eq!(report["feedback"]["delivered"], 1);

    let mut logs = Vec::new();
    for function in [api, launcher, sender, feedback, preferences] {
        logs.push(function.log().await);
    }
    let of_sender = logs[2].iter().find(|line| line["message"] == "left a shard").unwrap();
    let spans = of_sender["spans"].as_array().unwrap();
    assert_eq!(spans[0]["requestId"], "00000000-0000-4000-8000-000000000001", "{of_sender}");
    assert_eq!((&spans[1]["campaign"], &spans[1]["shard"]), (&json!("rust-weekly-2026-47"), &json!(0)));
    let metrics = logs[2].iter().find(|line| line.get("_aws").is_some()).unwrap();
    assert_eq!((&metrics["deployment"], &metrics["sent"]), (&json!("germane"), &json!(1)));
    for line in logs.into_iter().flatten() {
        let text = line.to_string();
        for hidden in ["@", config::KEY, "/u/", "203.0.113.7", "\\u001b"] {
            assert!(!text.contains(hidden), "{hidden} in {text}");
        }
    }
}

#[tokio::test]
async fn a_bad_message_is_named_and_logged_by_what_it_is_about() {
    let (_services, environment) = deployed().await;
    let mut sender = Function::start(SENDER, &environment).await;
    let mut bad = event("send");
    bad["Records"][0]["body"] = json!("{\"format\":1,\"kind\":\"shard\"}");
    let failed = bad["Records"][0]["messageId"].clone();
    assert_eq!(sender.invoke(&bad).await, json!({ "batchItemFailures": [{ "itemIdentifier": failed }] }));
    let log = sender.log().await;
    let line = log.iter().find(|line| line["level"] == "WARN").unwrap();
    assert_eq!(line["message"], "a message is to be delivered again", "{line}");
}

#[tokio::test]
async fn a_function_that_is_configured_badly_says_all_that_is_wrong_and_ends() {
    let (_services, mut environment) = deployed().await;
    environment.remove("GERMANE_SHARD_QUEUE_URL");
    environment.insert("GERMANE_ADDRESS_KEY", "short".to_owned());
    for binary in [API, LAUNCHER, SENDER, FEEDBACK_TAKER, PREFERENCES] {
        let (code, line) = failing(binary, &environment).await;
        assert_eq!((code, &line["level"]), (Some(1), &json!("ERROR")));
        let error = line["error"].as_str().unwrap();
        for fault in ["GERMANE_SHARD_QUEUE_URL: found nothing", "GERMANE_ADDRESS_KEY: found a text of 5 characters"] {
            assert!(error.contains(fault), "{error}");
        }
    }
}

#[tokio::test]
async fn a_function_with_another_address_key_does_not_start() {
    let (_services, mut environment) = deployed().await;
    environment.insert("GERMANE_ADDRESS_KEY", "CAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAg=".to_owned());
    let (code, line) = failing(API, &environment).await;
    assert_eq!(code, Some(1));
    assert!(line["error"].as_str().unwrap().contains("address key"), "{line}");
}
