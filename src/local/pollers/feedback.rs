//! The feedback queue, in batches: an event source mapping gathers events, so that deliveries are counted together.

use aws_sdk_sqs::types::Message;
use tokio::sync::watch;
use tracing::{info, warn};

use super::{Hands, LISTEN_S, PER_CALL, Queue, RETRY, ended};
use crate::{
    flow::port::PortError,
    lambda::{problem::chain, queue::attempt_events},
};

/// So many events make a batch, or as many as are there.
pub(super) const BATCH: usize = 100;

pub(super) async fn poll(queue: Queue, hands: Hands, mut over: watch::Receiver<bool>) {
    loop {
        let batch = tokio::select! {
            biased;
            () = ended(&mut over) => return,
            batch = gather(&queue) => batch,
        };
        let worked = match batch {
            Ok(batch) if batch.is_empty() => continue,
            Ok(batch) => work(&queue, &hands, batch).await,
            Err(error) => Err(error),
        };
        if let Err(error) = worked {
            info!(queue = queue.name(), error = chain(&error), "the queue did not answer");
            tokio::select! {
                () = ended(&mut over) => return,
                () = hands.clock.sleep(RETRY) => {}
            }
        }
    }
}

pub(super) async fn gather(queue: &Queue) -> Result<Vec<Message>, PortError> {
    let at_once = i32::try_from(PER_CALL).unwrap_or(i32::MAX);
    let mut batch = queue.receive(at_once, LISTEN_S).await?;
    while batch.len() < BATCH {
        let more = queue.receive(at_once, 0).await?;
        if more.is_empty() {
            break;
        }
        batch.extend(more);
    }
    Ok(batch)
}

async fn work(queue: &Queue, hands: &Hands, batch: Vec<Message>) -> Result<(), PortError> {
    (hands.catch_up)().await;
    let bodies: Vec<&str> = batch.iter().map(|message| message.body().unwrap_or_default()).collect();
    let answers = attempt_events(&hands.workers.feedback, &bodies).await;
    let mut done = Vec::with_capacity(batch.len());
    for (message, answer) in batch.iter().zip(answers) {
        let receipt = message.receipt_handle().unwrap_or_default();
        match answer {
            Ok(()) => done.push(receipt),
            Err(error) => {
                warn!(error = chain(&error), "an event is tried again");
                queue.hide(receipt, RETRY).await?;
            }
        }
    }
    queue.delete_all(&done).await
}
