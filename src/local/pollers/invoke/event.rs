//! A batch of messages as an event source mapping writes it
//! (<https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html#example-standard-queue-message-event>).

use aws_sdk_sqs::types::Message;
use serde_json::{Map, Value, json};

use crate::local::sqs::{REGION, arn};

pub(super) fn of(queue: &str, batch: &[Message]) -> Value {
    json!({ "Records": batch.iter().map(|message| record(queue, message)).collect::<Vec<_>>() })
}

fn record(queue: &str, message: &Message) -> Value {
    let attributes = message.attributes().into_iter().flatten();
    let attributes: Map<String, Value> =
        attributes.map(|(name, value)| (name.as_str().to_owned(), value.as_str().into())).collect();
    json!({
        "messageId": message.message_id(),
        "receiptHandle": message.receipt_handle(),
        "body": message.body(),
        "attributes": attributes,
        // Nothing of ours sends any.
        "messageAttributes": {},
        "md5OfBody": message.md5_of_body(),
        "eventSource": "aws:sqs",
        "eventSourceARN": arn(queue),
        "awsRegion": REGION,
    })
}
