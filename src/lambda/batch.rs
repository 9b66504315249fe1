//! Batches of a queue's messages, as an event source mapping hands them to a function. The answer names those that must
//! be delivered again, so that one bad message never repeats the others
//! (<https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html>). The queue counts deliveries and
//! moves what fails too often to its dead letters.

use std::sync::Arc;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use tracing::{Instrument, Span, field, info_span, warn};

use super::{
    problem::chain,
    queue::{Handle, attempt, attempt_events},
    turn::Invocation,
};
use crate::flow::{
    clock::Clock,
    feedback::Feedback,
    queue::{Message, Turn},
};

/// Works on what Lambda hands over until it ends the process, in the turns that it gives.
pub async fn run(step: &dyn Handle, clock: &Arc<dyn Clock>) -> Result<(), Error> {
    let handle = |LambdaEvent { payload, context }: LambdaEvent<_>| async move {
        let turn = Invocation::until(Arc::clone(clock), context.deadline);
        Ok::<_, Error>(each(step, &payload, &turn).await)
    };
    lambda_runtime::run(service_fn(handle)).await
}

/// Works on one message after the other.
pub async fn each(step: &dyn Handle, event: &SqsEvent, turn: &dyn Turn) -> SqsBatchResponse {
    let mut response = SqsBatchResponse::default();
    for message in &event.records {
        let working = async {
            if let Err(error) = attempt(step, body(message), turn).await {
                warn!(message_id = id(message), error = chain(&error), "a message is to be delivered again");
                response.add_failure(id(message));
            }
        };
        working.instrument(span(body(message))).await;
    }
    response
}

/// Hands all of them over at once: what feedback counts, it counts together.
pub async fn whole(feedback: &Feedback, event: &SqsEvent) -> SqsBatchResponse {
    let mut response = SqsBatchResponse::default();
    let bodies: Vec<&str> = event.records.iter().map(body).collect();
    for (message, taken) in event.records.iter().zip(attempt_events(feedback, &bodies).await) {
        if let Err(error) = taken {
            warn!(message_id = id(message), error = chain(&error), "an event is to be delivered again");
            response.add_failure(id(message));
        }
    }
    response
}

fn body(message: &SqsMessage) -> &str {
    message.body.as_deref().unwrap_or_default()
}

/// One without an id cannot be named: an empty name has the whole batch delivered again.
fn id(message: &SqsMessage) -> &str {
    message.message_id.as_deref().unwrap_or_default()
}

/// What everything that is logged meanwhile is about.
fn span(body: &str) -> Span {
    let span = info_span!(
        "message",
        campaign = field::Empty,
        newsletter = field::Empty,
        preview = field::Empty,
        shard = field::Empty
    );
    match Message::from_body(body) {
        Ok(Message::Launch { campaign }) => {
            span.record("campaign", field::display(campaign));
        }
        Ok(Message::Newsletter { newsletter, .. }) => {
            span.record("newsletter", field::display(newsletter));
        }
        Ok(Message::Shard(work)) => {
            span.record("campaign", field::display(work.campaign));
            span.record("shard", work.shard.0);
        }
        Ok(Message::Preview { preview, shard }) => {
            span.record("preview", field::display(preview));
            span.record("shard", shard.0);
        }
        // An event has no one campaign; what cannot be read is refused by whoever works on it.
        Ok(Message::Feedback { .. }) | Err(_) => {}
    }
    span
}
