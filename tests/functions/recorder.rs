//! Stands between a function and the services, and keeps each call by the action that AWS allows it by, with the table,
//! queue or kind of thing that it is allowed on.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use axum::http::{HeaderMap, Method};
use serde_json::Value;

use crate::between::{Between, Call, Fate};

/// Of each action, what it was called on.
pub type Calls = BTreeMap<String, BTreeSet<String>>;

pub struct Recorder {
    calls: Arc<Mutex<Calls>>,
    between: Between,
}

impl Recorder {
    pub fn new() -> Self {
        Self { calls: Arc::default(), between: Between::default() }
    }

    /// Where a service is to be asked instead of at `service`.
    pub async fn before(&mut self, service: &str) -> String {
        let calls = Arc::clone(&self.calls);
        let note = move |call: &Call<'_>| {
            let path = call.path.split('?').next().unwrap_or_default();
            for (action, on) in actions(call.method, path, call.headers, call.body) {
                calls.lock().unwrap().entry(action).or_default().insert(on);
            }
            Fate::Passed
        };
        self.between.before(service, Arc::new(note)).await
    }

    pub fn calls(&self) -> Calls {
        self.calls.lock().unwrap().clone()
    }
}

/// What a call must be allowed
/// (<https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html>).
fn actions(method: &Method, path: &str, headers: &HeaderMap, body: &[u8]) -> Vec<(String, String)> {
    let target = headers.get("x-amz-target").map(|target| target.to_str().unwrap());
    match target.map(|target| target.split_once('.').unwrap()) {
        Some(("DynamoDB_20120810", operation)) => dynamodb(operation, &read(body)),
        Some(("AmazonSQS", operation)) => {
            let body = read(body);
            let name = body["QueueUrl"].as_str().unwrap().rsplit('-').next().unwrap();
            // A batch needs no action of its own.
            vec![(format!("sqs:{}", operation.trim_end_matches("Batch")), format!("{name} queue"))]
        }
        Some(other) => panic!("a call of an unknown service: {other:?}"),
        None => by_path(method, path, body),
    }
}

fn read(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap()
}

fn dynamodb(operation: &str, body: &Value) -> Vec<(String, String)> {
    let action = |action: &str, on: String| (format!("dynamodb:{action}"), on);
    match operation {
        "BatchGetItem" | "BatchWriteItem" => {
            let tables = body["RequestItems"].as_object().unwrap().keys();
            tables.map(|name| action(operation, table(name))).collect()
        }
        // Allowed as what it is made of.
        "TransactWriteItems" => {
            let items = body["TransactItems"].as_array().unwrap().iter().flat_map(|item| item.as_object().unwrap());
            items
                .map(|(kind, item)| {
                    let name =
                        if kind == "ConditionCheck" { "ConditionCheckItem".to_owned() } else { format!("{kind}Item") };
                    action(&name, of(item))
                })
                .collect()
        }
        "BatchExecuteStatement" => {
            let statements = body["Statements"].as_array().unwrap().iter();
            statements
                .map(|statement| {
                    let text = statement["Statement"].as_str().unwrap();
                    let name = text.split('"').nth(1).unwrap();
                    let verb = if text.starts_with("UPDATE ") { "PartiQLUpdate" } else { "PartiQLInsert" };
                    assert!(verb == "PartiQLUpdate" || text.starts_with("INSERT INTO "), "{text}");
                    action(verb, table(name))
                })
                .collect()
        }
        _ => vec![action(operation, of(body))],
    }
}

/// The table, and of what has a role's statement of its own, the leading key.
fn of(request: &Value) -> String {
    let table = table(request["TableName"].as_str().unwrap());
    let keys = [&request["Key"]["k"]["S"], &request["Item"]["k"]["S"]];
    match keys.into_iter().find_map(Value::as_str) {
        Some(key @ ("tables" | "rate")) => format!("{table}, {key}"),
        Some(_) | None => table,
    }
}

fn table(name: &str) -> String {
    format!("{} table", name.rsplit('-').next().unwrap())
}

/// The services whose operations are paths.
fn by_path(method: &Method, path: &str, body: &[u8]) -> Vec<(String, String)> {
    let ses = |action: &str, on: &str| vec![(format!("ses:{action}"), on.to_owned())];
    let scheduler = |action: &str| vec![(format!("scheduler:{action}"), "schedule".to_owned())];
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    match (method, segments.as_slice()) {
        (&Method::GET, ["v2", "email", "account"]) => ses("GetAccount", "*"),
        (&Method::GET, ["v2", "email", "identities", _]) => ses("GetEmailIdentity", "identity"),
        (&Method::GET, ["v2", "email", "configuration-sets", _, "event-destinations"]) => {
            ses("GetConfigurationSetEventDestinations", "configuration set")
        }
        (&Method::GET, ["v2", "email", "templates", _]) => ses("GetEmailTemplate", "template"),
        (&Method::POST, ["v2", "email", "templates"]) => ses("CreateEmailTemplate", "template"),
        (&Method::POST, ["v2", "email", "outbound-bulk-emails"]) => {
            let body = read(body);
            let mut on = vec!["identity", "template"];
            on.extend(body.get("ConfigurationSetName").map(|_| "configuration set"));
            on.into_iter().flat_map(|on| ses("SendBulkEmail", on)).collect()
        }
        (&Method::POST, ["schedules", _]) => [scheduler("CreateSchedule"), passed()].concat(),
        (&Method::PUT, ["schedules", _]) => [scheduler("UpdateSchedule"), passed()].concat(),
        (&Method::DELETE, ["schedules", _]) => scheduler("DeleteSchedule"),
        _ => panic!("a call that no rule knows: {method} {path}"),
    }
}

/// Who makes a schedule gives it a role.
fn passed() -> Vec<(String, String)> {
    vec![("iam:PassRole".to_owned(), "role of schedules".to_owned())]
}
