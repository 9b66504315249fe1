//! The queues: SQS, one for each step.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use serde::{Deserialize, Serialize};

use super::clients::Clients;
use crate::flow::{
    port::PortError,
    queue::{Message, Queue},
};

/// Of `SendMessageBatch`.
const PER_CALL: usize = 10;
/// SQS delays a message by at most 15 minutes.
const MAX_DELAY_S: u128 = 900;

/// Where each kind of message goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueUrls {
    pub launch: String,
    pub shard: String,
    pub preview: String,
    pub feedback: String,
}

pub struct SqsQueue {
    client: aws_sdk_sqs::Client,
    urls: QueueUrls,
}

impl SqsQueue {
    pub fn new(clients: &Clients, urls: QueueUrls) -> Self {
        Self { client: clients.sqs.clone(), urls }
    }

    fn url(&self, message: &Message) -> &str {
        match message {
            Message::Launch { .. } | Message::Newsletter { .. } => &self.urls.launch,
            Message::Shard(_) => &self.urls.shard,
            Message::Preview { .. } => &self.urls.preview,
            Message::Feedback { .. } => &self.urls.feedback,
        }
    }
}

#[async_trait]
impl Queue for SqsQueue {
    async fn send(&self, messages: &[Message], delay: Duration) -> Result<(), PortError> {
        // In whole seconds, and rather later than earlier.
        let delay = i32::try_from(delay.as_millis().div_ceil(1000).min(MAX_DELAY_S)).unwrap_or_default();
        for group in messages.chunk_by(|a, b| self.url(a) == self.url(b)).flat_map(|group| group.chunks(PER_CALL)) {
            let Some(first) = group.first() else { continue };
            let mut call = self.client.send_message_batch().queue_url(self.url(first));
            for (at, message) in group.iter().enumerate() {
                let entry = SendMessageBatchRequestEntry::builder()
                    .id(at.to_string())
                    .delay_seconds(delay)
                    .message_body(message.body()?)
                    .build()
                    .map_err(|error| PortError::corrupt("a request to SQS", error))?;
                call = call.entries(entry);
            }
            let answer = call.send().await.map_err(|error| PortError::unavailable("SQS", error))?;
            if let Some(failed) = answer.failed().first() {
                return Err(PortError::unavailable("SQS", failed.code()));
            }
        }
        Ok(())
    }
}
