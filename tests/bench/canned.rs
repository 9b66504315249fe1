//! The process that answers: what is called for every page and person out of a can, the rest by the embedded engine.

mod pages;

use std::{
    collections::HashMap,
    io::Read,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State},
    http::{HeaderMap, StatusCode, Uri, header},
    response::{IntoResponse, Response},
    routing::post,
    serve::ListenerExt,
};
use serde::{Deserialize, de::IgnoredAny};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use self::pages::Pages;
use super::{
    Failure,
    naive::PEOPLE as NAIVE_PEOPLE,
    ours::PEOPLE as OUR_PEOPLE,
    stand_in::{Calls, Stored},
};

/// What the path of a slow SES begins with.
pub const SLOW: &str = "/slow";
const SES_LATENCY: Duration = Duration::from_millis(50);
/// The tables whose people are kept here, and the attribute that orders them.
const TABLES: [(&str, &str); 2] = [(OUR_PEOPLE, "i"), (NAIVE_PEOPLE, "id")];

/// Serves until the parent closes this process's input.
pub async fn answer() -> Result<(), Failure> {
    let database = dynoxide::Database::memory()?;
    let engine = TcpListener::bind("127.0.0.1:0").await?;
    let canned = Arc::new(Canned {
        engine: format!("http://{}", engine.local_addr()?),
        http: reqwest::Client::new(),
        calls: Mutex::default(),
        stored: Mutex::default(),
        pages: OnceLock::new(),
    });
    let router = Router::new()
        .route("/bench/seal", post(seal))
        .route("/bench/calls", post(calls))
        .fallback(call)
        .layer(DefaultBodyLimit::disable())
        .with_state(canned);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("http://{}", listener.local_addr()?);
    let listener = listener.tap_io(|connection| {
        // Without it an answer may wait for the acknowledgement of the one before.
        let _ = connection.set_nodelay(true);
    });
    let parent_gone = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
    tokio::select! {
        ended = axum::serve(listener, router) => ended?,
        () = dynoxide::server::serve_on(engine, database) => {}
        _ = parent_gone => {}
    }
    Ok(())
}

struct Canned {
    engine: String,
    http: reqwest::Client,
    calls: Mutex<Calls>,
    /// Items by table, until they are sealed.
    stored: Mutex<HashMap<String, Vec<Value>>>,
    pages: OnceLock<HashMap<String, Pages>>,
}

/// Cuts what was stored into the pages that all queries are answered with.
async fn seal(State(canned): State<Arc<Canned>>) -> Json<Stored> {
    let mut stored = canned.stored.lock().unwrap_or_else(PoisonError::into_inner);
    let mut sizes = Stored::new();
    let mut pages = HashMap::new();
    for (table, order) in TABLES {
        let cut = Pages::cut(table, order, stored.remove(table).unwrap_or_default());
        sizes.insert(table.to_owned(), cut.mean_item_bytes);
        pages.insert(table.to_owned(), cut);
    }
    // A second call finds nothing to seal.
    let _ = canned.pages.set(pages);
    Json(sizes)
}

async fn calls(State(canned): State<Arc<Canned>>) -> Json<Calls> {
    Json(std::mem::take(&mut *canned.calls.lock().unwrap_or_else(PoisonError::into_inner)))
}

async fn call(State(canned): State<Arc<Canned>>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok());
    let operation = match target {
        Some(target) => target.rsplit('.').next().unwrap_or_default(),
        None if uri.path().ends_with("/outbound-bulk-emails") => "SendBulkEmail",
        None if uri.path().ends_with("/account") => "GetAccount",
        None => "CreateEmailTemplate",
    };
    *canned.calls.lock().unwrap_or_else(PoisonError::into_inner).entry(operation.to_owned()).or_default() += 1;
    if operation == "SendBulkEmail" && uri.path().starts_with(SLOW) {
        latency().await;
    }
    match canned.canned(operation, &body) {
        Ok(Some(answer)) => ([(header::CONTENT_TYPE, "application/x-amz-json-1.0")], answer).into_response(),
        Ok(None) => canned.pass(headers, body).await,
        Err(error) => (StatusCode::BAD_REQUEST, error.to_string()).into_response(),
    }
}

#[expect(clippy::disallowed_methods, reason = "the time that SES takes is what is measured")]
async fn latency() {
    tokio::time::sleep(SES_LATENCY).await;
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Query {
    table_name: String,
    expression_attribute_values: HashMap<String, Value>,
    exclusive_start_key: Option<HashMap<String, Value>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Statements {
    statements: Vec<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Bulk {
    bulk_email_entries: Vec<IgnoredAny>,
}

impl Canned {
    /// `None` for what the engine is to answer.
    fn canned(&self, operation: &str, body: &[u8]) -> Result<Option<Bytes>, serde_json::Error> {
        Ok(match operation {
            "Query" => {
                let query: Query = serde_json::from_slice(body)?;
                self.pages.get().and_then(|pages| pages.get(&query.table_name)).map(|pages| {
                    let last = query.exclusive_start_key.as_ref().and_then(|key| key.get("id"));
                    let after = last.or(query.expression_attribute_values.get(":after"));
                    pages.after(after.and_then(|id| id.get("S")?.as_str()))
                })
            }
            "BatchExecuteStatement" => {
                let count = serde_json::from_slice::<Statements>(body)?.statements.len();
                let written = json!({ "TableName": OUR_PEOPLE });
                let units = json!({ "TableName": OUR_PEOPLE, "CapacityUnits": count });
                Some(whole(&json!({ "Responses": vec![written; count], "ConsumedCapacity": [units] })))
            }
            "SendBulkEmail" => {
                let count = serde_json::from_slice::<Bulk>(body)?.bulk_email_entries.len();
                let id = |at: usize| format!("0100018f3c5a7d2e-6b1d9a40-3c57-4e2f-9d86-a1b2c3d4e5{at:02}-000000");
                let taken = (0..count).map(|at| json!({ "Status": "SUCCESS", "MessageId": id(at) }));
                Some(whole(&json!({ "BulkEmailEntryResults": taken.collect::<Vec<_>>() })))
            }
            // So high that nobody waits for it: the batches are full and the sender's own work is what is measured.
            "GetAccount" => Some(whole(&json!({
                "SendQuota": { "MaxSendRate": 1e6, "Max24HourSend": -1.0, "SentLast24Hours": 0.0 },
            }))),
            "CreateEmailTemplate" => Some(whole(&json!({}))),
            "BatchWriteItem" => {
                if self.pages.get().is_none() {
                    let body: Value = serde_json::from_slice(body)?;
                    let puts = body.pointer(&format!("/RequestItems/{NAIVE_PEOPLE}")).and_then(Value::as_array);
                    let items = puts.into_iter().flatten().filter_map(|put| put.pointer("/PutRequest/Item"));
                    self.keep(NAIVE_PEOPLE, items.cloned());
                }
                Some(whole(&json!({ "UnprocessedItems": {} })))
            }
            "TransactWriteItems" => {
                let body: Value = serde_json::from_slice(body)?;
                let puts = body.get("TransactItems").and_then(Value::as_array).into_iter().flatten();
                let people = puts.filter_map(|put| put.get("Put")).filter(|put| put["TableName"] == OUR_PEOPLE);
                let people: Vec<Value> = people.filter_map(|put| put.get("Item").cloned()).collect();
                // What holds nobody is a policy or a campaign, for the engine.
                (!people.is_empty()).then(|| {
                    self.keep(OUR_PEOPLE, people);
                    whole(&json!({}))
                })
            }
            _ => None,
        })
    }

    fn keep(&self, table: &str, items: impl IntoIterator<Item = Value>) {
        let mut stored = self.stored.lock().unwrap_or_else(PoisonError::into_inner);
        stored.entry(table.to_owned()).or_default().extend(items);
    }

    async fn pass(&self, mut headers: HeaderMap, body: Bytes) -> Response {
        headers.remove(header::HOST);
        headers.remove(header::CONTENT_LENGTH);
        let answer = async {
            let answer = self.http.post(&self.engine).headers(headers).body(body).send().await?;
            Ok::<_, reqwest::Error>((answer.status(), answer.bytes().await?))
        };
        match answer.await {
            Ok(answer) => answer.into_response(),
            Err(error) => (StatusCode::BAD_GATEWAY, error.to_string()).into_response(),
        }
    }
}

fn whole(answer: &Value) -> Bytes {
    Bytes::from(answer.to_string())
}
