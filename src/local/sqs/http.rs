//! The AWS JSON 1.0 protocol: one path, the operation in a header, the queue in the body.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Path, State},
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
    routing::post,
};
use jiff::SignedDuration;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::{
    ACCOUNT, Order, Queues, QueuesError, Receipt,
    queue::{Message, NotInFlight, Queue},
    refusal::Refusal,
    wire::{
        Batch, BatchAnswer, ChangeMessageVisibility, DeleteMessage, Entry, GetQueueAttributes, GetQueueUrl, Outgoing,
        ReceiveMessage,
    },
};

/// 1 MiB of messages, which JSON may write six times as long.
const MAX_BODY_BYTES: usize = 8 * 1024 * 1024;
const MAX_MESSAGE_BYTES: usize = 1024 * 1024;
const MAX_ENTRIES: usize = 10;
const MAX_DELAY_S: i64 = 900;
const MAX_VISIBILITY_S: i64 = 12 * 60 * 60;
const MAX_WAIT_S: i64 = 20;
const RETENTION_S: i64 = 4 * 24 * 60 * 60;

pub(super) fn router(queues: Queues) -> Router {
    Router::new()
        .route("/", post(at_root))
        .route("/000000000000/{queue}", post(at_queue))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .with_state(queues)
}

async fn at_root(State(queues): State<Queues>, headers: HeaderMap, body: Bytes) -> Response {
    answer(&queues, &headers, None, &body).await
}

async fn at_queue(
    State(queues): State<Queues>,
    Path(queue): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    answer(&queues, &headers, Some(queue), &body).await
}

async fn answer(queues: &Queues, headers: &HeaderMap, queue: Option<String>, body: &[u8]) -> Response {
    match run(queues, headers, queue, body).await {
        Ok(Value::Null) => ([(header::CONTENT_TYPE, "application/x-amz-json-1.0")], String::new()).into_response(),
        Ok(body) => ([(header::CONTENT_TYPE, "application/x-amz-json-1.0")], body.to_string()).into_response(),
        Err(refusal) => refusal.into_response(),
    }
}

async fn run(queues: &Queues, headers: &HeaderMap, queue: Option<String>, body: &[u8]) -> Result<Value, Refusal> {
    let target = headers.get("x-amz-target").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let operation = target.strip_prefix("AmazonSQS.").unwrap_or(target);
    let body: Value = read(serde_json::from_slice(body))?;
    if operation == "GetQueueUrl" {
        return queue_url(queues, headers, &parse(body)?);
    }
    let queue = named(&body).or(queue).ok_or_else(|| Refusal::bad_value("QueueUrl is required"))?;
    let queue = queue.as_str();
    if !queues.has(queue) {
        return Err(super::no_queue(queue).into());
    }
    match operation {
        "SendMessage" => send(queues, queue, parse(body)?),
        "SendMessageBatch" => send_batch(queues, queue, parse(body)?),
        "ReceiveMessage" => receive(queues, queue, parse(body)?).await,
        "DeleteMessage" => delete(queues, queue, &parse(body)?).map(|()| Value::Null),
        "DeleteMessageBatch" => delete_batch(queues, queue, parse(body)?),
        "ChangeMessageVisibility" => change_visibility(queues, queue, &parse(body)?).map(|()| Value::Null),
        "GetQueueAttributes" => attributes(queues, queue, &parse(body)?),
        other => Err(Refusal::unsupported(format!("{other} is not among the calls that are stood in for"))),
    }
}

/// The queue's name is the last segment of its URL.
fn named(body: &Value) -> Option<String> {
    body.get("QueueUrl")?.as_str()?.rsplit('/').next().map(str::to_owned)
}

fn queue_url(queues: &Queues, headers: &HeaderMap, call: &GetQueueUrl) -> Result<Value, Refusal> {
    let name = &call.queue_name;
    if !queues.has(name) {
        return Err(super::no_queue(name).into());
    }
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("127.0.0.1");
    Ok(json!({ "QueueUrl": format!("http://{host}/{ACCOUNT}/{name}") }))
}

fn send(queues: &Queues, queue: &str, request: Outgoing) -> Result<Value, Refusal> {
    let Fit { body, delay } = fit(request)?;
    let id = queues.send(queue, Arc::clone(&body), delay)?;
    Ok(sent(&id, &body))
}

/// A message that may be sent.
struct Fit {
    body: Arc<str>,
    delay: Duration,
}

fn fit(request: Outgoing) -> Result<Fit, Refusal> {
    let delay = seconds("DelaySeconds", request.delay_seconds.unwrap_or(0), 0..=MAX_DELAY_S)?;
    let body = request.message_body;
    if !(1..=MAX_MESSAGE_BYTES).contains(&body.len()) {
        return Err(Refusal::bad_value(format!("A message has 1 to {MAX_MESSAGE_BYTES} bytes")));
    }
    if !body.chars().all(allowed) {
        return Err(Refusal::bad_contents("The message holds a character that XML 1.0 does not allow"));
    }
    if !request.message_attributes.is_empty() {
        return Err(Refusal::unsupported("Message attributes are not stood in for"));
    }
    Ok(Fit { body: body.into(), delay })
}

fn sent(id: &str, body: &str) -> Value {
    json!({ "MessageId": id, "MD5OfMessageBody": format!("{:x}", md5::compute(body)) })
}

fn allowed(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{FFFD}' | '\u{10000}'..)
}

fn send_batch(queues: &Queues, queue: &str, request: Batch<Outgoing>) -> Result<Value, Refusal> {
    let size: usize = request.entries.iter().map(|entry| entry.request.message_body.len()).sum();
    if size > MAX_MESSAGE_BYTES {
        return Err(Refusal::too_long(format!("The messages of a batch have at most {MAX_MESSAGE_BYTES} bytes")));
    }
    batch(request, fit, |fits| {
        let ids = queues.send_all(queue, fits.iter().map(|fit| (Arc::clone(&fit.body), fit.delay)))?;
        Ok(ids.iter().zip(&fits).map(|(id, fit)| sent(id, &fit.body)).collect())
    })
}

fn delete_batch(queues: &Queues, queue: &str, request: Batch<DeleteMessage>) -> Result<Value, Refusal> {
    let check = |request: DeleteMessage| receipt(&request.receipt_handle);
    batch(request, check, |receipts| {
        queues.delete_all(queue, &receipts)?;
        Ok(vec![json!({}); receipts.len()])
    })
}

/// Checks each entry by itself, as what is wrong with one says nothing about the others, and runs the good ones
/// together.
fn batch<T, G>(
    request: Batch<T>,
    check: impl Fn(T) -> Result<G, Refusal>,
    run: impl FnOnce(Vec<G>) -> Result<Vec<Value>, QueuesError>,
) -> Result<Value, Refusal> {
    let entries = request.entries;
    if entries.is_empty() {
        return Err(Refusal::empty_batch("There is no entry in the batch"));
    }
    if entries.len() > MAX_ENTRIES {
        return Err(Refusal::too_many_entries(format!("A batch has at most {MAX_ENTRIES} entries")));
    }
    let id_fits = |id: &str| {
        (1..=80).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    if !entries.iter().all(|entry| id_fits(&entry.id)) {
        return Err(Refusal::bad_entry_id("An entry's Id has 1 to 80 of A-Z a-z 0-9 - _"));
    }
    let ids: BTreeSet<&str> = entries.iter().map(|entry| entry.id.as_str()).collect();
    if ids.len() < entries.len() {
        return Err(Refusal::same_ids("Two entries have the same Id"));
    }
    let (mut good_ids, mut good, mut failed) = (Vec::new(), Vec::new(), Vec::new());
    for Entry { id, request } in entries {
        match check(request) {
            Ok(entry) => {
                good_ids.push(id);
                good.push(entry);
            }
            Err(refusal) => failed.push(json!({
                "Id": id, "SenderFault": true, "Code": refusal.code, "Message": refusal.message,
            })),
        }
    }
    let mut successful = run(good)?;
    for (done, id) in successful.iter_mut().filter_map(Value::as_object_mut).zip(good_ids) {
        done.insert("Id".to_owned(), Value::String(id));
    }
    read(serde_json::to_value(BatchAnswer { successful, failed }))
}

async fn receive(queues: &Queues, queue: &str, request: ReceiveMessage) -> Result<Value, Refusal> {
    let max = request.max_number_of_messages.unwrap_or(1);
    let max = usize::try_from(max)
        .ok()
        .filter(|max| (1..=MAX_ENTRIES).contains(max))
        .ok_or_else(|| Refusal::bad_value(format!("MaxNumberOfMessages is 1 to {MAX_ENTRIES}, not {max}")))?;
    let visibility = match request.visibility_timeout {
        Some(timeout) => Some(super::span(seconds("VisibilityTimeout", timeout, 0..=MAX_VISIBILITY_S)?)),
        None => None,
    };
    let patience = seconds("WaitTimeSeconds", request.wait_time_seconds.unwrap_or(0), 0..=MAX_WAIT_S)?;
    let wanted: BTreeSet<String> =
        request.attribute_names.into_iter().chain(request.message_system_attribute_names).collect();
    let messages = queues.wait(queue, &Order { max, visibility }, patience).await?;
    if messages.is_empty() {
        return Ok(json!({}));
    }
    let messages: Vec<Value> = messages.iter().map(|message| received(message, &wanted)).collect();
    Ok(json!({ "Messages": messages }))
}

fn received(message: &Message, wanted: &BTreeSet<String>) -> Value {
    let all = [
        ("ApproximateReceiveCount", message.receives.to_string()),
        ("ApproximateFirstReceiveTimestamp", message.first_received_at.as_millisecond().to_string()),
        ("SentTimestamp", message.sent_at.as_millisecond().to_string()),
        ("SenderId", ACCOUNT.to_owned()),
    ];
    let mut answer = json!({
        "MessageId": message.id,
        "ReceiptHandle": message.receipt.to_string(),
        "Body": &*message.body,
        "MD5OfBody": format!("{:x}", md5::compute(message.body.as_bytes())),
    });
    let chosen = choose(all, wanted);
    if let Some(answer) = answer.as_object_mut().filter(|_| !chosen.is_empty()) {
        answer.insert("Attributes".to_owned(), Value::Object(chosen));
    }
    answer
}

fn delete(queues: &Queues, queue: &str, request: &DeleteMessage) -> Result<(), Refusal> {
    Ok(queues.delete(queue, &receipt(&request.receipt_handle)?)?)
}

fn change_visibility(queues: &Queues, queue: &str, request: &ChangeMessageVisibility) -> Result<(), Refusal> {
    let timeout = seconds("VisibilityTimeout", request.visibility_timeout, 0..=MAX_VISIBILITY_S)?;
    let receipt = receipt(&request.receipt_handle)?;
    let hidden = queues.hide(queue, &receipt, super::span(timeout))?;
    hidden.map_err(|NotInFlight| Refusal::not_in_flight("The message is not in flight"))
}

fn attributes(queues: &Queues, queue: &str, request: &GetQueueAttributes) -> Result<Value, Refusal> {
    let all = queues.with(queue, |held, now| described(queue, held, now))?;
    let wanted: BTreeSet<String> = request.attribute_names.iter().cloned().collect();
    let known = |name: &String| name == "All" || all.iter().any(|(known, _)| known == name);
    if let Some(unknown) = wanted.iter().find(|name| !known(name)) {
        return Err(Refusal::bad_attribute(format!("There is no attribute {unknown}")));
    }
    Ok(json!({ "Attributes": choose(all, &wanted) }))
}

fn described(name: &str, queue: &Queue, now: jiff::Timestamp) -> [(&'static str, String); 8] {
    let counts = queue.counts(now);
    [
        ("QueueArn", super::arn(name)),
        ("ApproximateNumberOfMessages", counts.visible.to_string()),
        ("ApproximateNumberOfMessagesNotVisible", counts.in_flight.to_string()),
        ("ApproximateNumberOfMessagesDelayed", counts.delayed.to_string()),
        ("VisibilityTimeout", queue.visibility.as_secs().to_string()),
        ("DelaySeconds", "0".to_owned()),
        ("MaximumMessageSize", MAX_MESSAGE_BYTES.to_string()),
        ("MessageRetentionPeriod", RETENTION_S.to_string()),
    ]
}

fn choose<const N: usize>(all: [(&str, String); N], wanted: &BTreeSet<String>) -> Map<String, Value> {
    all.into_iter()
        .filter(|(name, _)| wanted.contains("All") || wanted.contains(*name))
        .map(|(name, value)| (name.to_owned(), Value::String(value)))
        .collect()
}

fn seconds(name: &str, value: i64, range: std::ops::RangeInclusive<i64>) -> Result<Duration, Refusal> {
    let fits = range.contains(&value).then(|| Duration::try_from(SignedDuration::from_secs(value)).ok()).flatten();
    fits.ok_or_else(|| {
        Refusal::bad_value(format!("{name} is {} to {} seconds, not {value}", range.start(), range.end()))
    })
}

fn receipt(raw: &str) -> Result<Receipt, Refusal> {
    raw.parse().map_err(|_| Refusal::bad_receipt("The receipt handle is not one of this stack"))
}

fn parse<T: DeserializeOwned>(body: Value) -> Result<T, Refusal> {
    read(serde_json::from_value(body))
}

fn read<T>(result: serde_json::Result<T>) -> Result<T, Refusal> {
    result.map_err(|error| Refusal::bad_value(format!("The request does not read: {error}")))
}
