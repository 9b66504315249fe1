//! Event source mappings for functions that are processes of their own, such as those of `cargo lambda watch`: each
//! queue's messages go to an invoke endpoint as SQS events, and what the answer does not name as failed is deleted.

mod answer;
mod endpoint;
mod event;

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use aws_sdk_sqs::{
    Client,
    types::{Message, MessageSystemAttributeName},
};
use tokio::{sync::watch, task::JoinSet};
use tracing::{info, warn};

use super::{LISTEN_S, MAX_RECEIVES, Pollers, Queue, RETRY, ended, feedback};
use crate::{
    aws::{queue::QueueUrls, system::SystemClock},
    flow::{clock::Clock, port::PortError},
    lambda::problem::chain,
};
use answer::Failed;
use endpoint::{Endpoint, Unanswered};
pub use endpoint::{InvokeUrl, NotAnInvokeUrl};

/// For how long a message is hidden once it is received, as in the deployment's template; no invocation lasts so long.
pub const VISIBILITY: Duration = Duration::from_mins(30);
/// A message that failed is tried again after this, four times as long after each further time.
const AGAIN: Duration = Duration::from_secs(2);
/// How soon an endpoint at which nothing answers is tried again, at first and at most.
const KNOCK: Duration = Duration::from_millis(250);
const KNOCK_LATER: Duration = Duration::from_secs(10);

/// One event source mapping.
#[derive(Clone, Copy)]
struct Mapping {
    function: &'static str,
    /// So many messages make an event.
    batch: usize,
    /// Invocations at once.
    at_once: usize,
}

/// `germane-launch` is invoked twice at once at most, once by each of its queues, and `germane-send` as often as the
/// template's least: two instances of each function keep up.
const LAUNCHES: Mapping = Mapping { function: "germane-launch", batch: 1, at_once: 1 };
const PREVIEWS: Mapping = Mapping { function: "germane-launch", batch: 1, at_once: 1 };
const SHARDS: Mapping = Mapping { function: "germane-send", batch: 1, at_once: 2 };
const FEEDBACK: Mapping = Mapping { function: "germane-feedback", batch: feedback::BATCH, at_once: 1 };

/// Pollers that invoke functions instead of working themselves.
pub fn start(sqs: &Client, queues: &QueueUrls, url: &InvokeUrl) -> Result<Pollers, reqwest::Error> {
    let endpoint = Arc::new(Endpoint::new(url)?);
    let mut pollers = Pollers { tasks: JoinSet::new(), over: watch::Sender::new(false) };
    let mappings = [
        (&queues.launch, LAUNCHES),
        (&queues.preview, PREVIEWS),
        (&queues.shard, SHARDS),
        (&queues.feedback, FEEDBACK),
    ];
    for (url, mapping) in mappings {
        for _ in 0..mapping.at_once {
            let queue = Queue { sqs: sqs.clone(), url: url.clone() };
            pollers.tasks.spawn(poll(queue, mapping, Arc::clone(&endpoint), pollers.over.subscribe()));
        }
    }
    Ok(pollers)
}

async fn poll(queue: Queue, mapping: Mapping, endpoint: Arc<Endpoint>, mut over: watch::Receiver<bool>) {
    // How soon one tries again what did not answer does not depend on the stack's clock.
    let machine = SystemClock::default();
    loop {
        let batch = tokio::select! {
            biased;
            () = ended(&mut over) => return,
            batch = receive(&queue, mapping.batch) => batch,
        };
        let worked = match batch {
            Ok(batch) if batch.is_empty() => continue,
            Ok(batch) => work(&queue, mapping.function, &endpoint, &batch, &mut over).await,
            Err(error) => Err(error),
        };
        if let Err(error) = worked {
            info!(queue = queue.name(), error = chain(&error), "the queue did not answer");
            tokio::select! {
                () = ended(&mut over) => return,
                () = machine.sleep(RETRY) => {}
            }
        }
    }
}

async fn receive(queue: &Queue, batch: usize) -> Result<Vec<Message>, PortError> {
    if batch == 1 { queue.receive(1, LISTEN_S).await } else { feedback::gather(queue).await }
}

/// Has a function work on a batch, and puts it away as the answer says.
async fn work(
    queue: &Queue,
    function: &str,
    endpoint: &Endpoint,
    batch: &[Message],
    over: &mut watch::Receiver<bool>,
) -> Result<(), PortError> {
    let ids: Vec<&str> = batch.iter().map(id).collect();
    let failed = match deliver(queue, function, endpoint, batch, over).await {
        // The stack ends; its queues begin the next time with all that is not deleted.
        Delivery::Over => return Ok(()),
        Delivery::Answered(answer) => answer::failed(&answer, &ids),
        Delivery::Failed(why) => Err(why),
    };
    let failed: BTreeSet<&str> = match failed {
        Ok(failed) if failed.is_empty() => BTreeSet::new(),
        Ok(failed) => {
            info!(function, messages = failed.len(), "what the function names as failed is tried again");
            failed
        }
        Err(Failed(why)) => {
            warn!(function, messages = batch.len(), why, "an invocation failed: its messages are tried again");
            ids.iter().copied().collect()
        }
    };
    let (again, done): (Vec<&Message>, Vec<&Message>) = batch.iter().partition(|message| failed.contains(id(message)));
    queue.delete_all(&done.into_iter().map(receipt).collect::<Vec<_>>()).await?;
    for message in again {
        queue.hide(receipt(message), again_after(message)).await?;
    }
    Ok(())
}

enum Delivery {
    Answered(Vec<u8>),
    Failed(Failed),
    /// The stack ended before anybody was there to be invoked.
    Over,
}

/// Invokes the function once. While nobody is there to be invoked the batch is held, not received again and again:
/// that would look as if it had failed.
async fn deliver(
    queue: &Queue,
    function: &str,
    endpoint: &Endpoint,
    batch: &[Message],
    over: &mut watch::Receiver<bool>,
) -> Delivery {
    let event = event::of(queue.name(), batch).to_string();
    let machine = SystemClock::default();
    let mut knock = KNOCK;
    loop {
        match endpoint.invoke(function, &event).await {
            Ok(answer) => return Delivery::Answered(answer),
            Err(Unanswered::Failed(why)) => return Delivery::Failed(why),
            Err(Unanswered::NobodyThere) => {}
        }
        tokio::select! {
            () = ended(over) => return Delivery::Over,
            () = machine.sleep(knock) => {}
        }
        knock = (knock * 2).min(KNOCK_LATER);
        for message in batch {
            // If it is in other hands by now, those deliver it too: at least once.
            let _ = queue.hide(receipt(message), VISIBILITY).await;
        }
    }
}

fn id(message: &Message) -> &str {
    message.message_id().unwrap_or_default()
}

fn receipt(message: &Message) -> &str {
    message.receipt_handle().unwrap_or_default()
}

fn again_after(message: &Message) -> Duration {
    let count = message.attributes().and_then(|held| held.get(&MessageSystemAttributeName::ApproximateReceiveCount));
    let count = count.and_then(|count| count.parse().ok()).unwrap_or(1);
    // The next time that it is asked for, it goes to the dead letters.
    if count >= MAX_RECEIVES { AGAIN } else { AGAIN * 4_u32.pow(count.saturating_sub(1)) }
}
