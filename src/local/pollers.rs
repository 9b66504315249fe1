//! What stands for Lambda's event source mappings: hands each queue's messages to their step, and gives back those
//! whose work failed. The stack has them in its own process, a worker in another; both reach the queues as SQS.

mod feedback;
pub mod invoke;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use aws_sdk_sqs::{
    Client,
    types::{DeleteMessageBatchRequestEntry, Message, MessageSystemAttributeName},
};
use futures_util::future::BoxFuture;
use tokio::{sync::watch, task::JoinSet, time::timeout};
use tracing::{info, warn};

use crate::{
    aws::{deployment::Deployment, queue::QueueUrls},
    flow::{
        clock::Clock,
        port::PortError,
        queue::{DRAIN, Turn},
    },
    lambda::{
        problem::chain,
        queue::{Launching, Workers, attempt},
    },
};

/// How many shards are worked on at once, unless told otherwise.
pub const SHARDS_AT_ONCE: usize = 8;
const LAUNCHES_AT_ONCE: usize = 1;
const PREVIEWS_AT_ONCE: usize = 4;
/// Of a page: a sixth of what a whole megabyte holds of lifelike people. A walk holds up to two pages of them.
const PAGE_PEOPLE: u16 = 500;
/// Whoever works on a shard keeps its message hidden for as long as its lease, so that one whose worker was lost comes
/// back soon after.
pub const VISIBILITY: Duration = Duration::from_secs(90);
/// Received so often, a message that failed each time belongs to the dead letters, as in the deployment's template.
pub const MAX_RECEIVES: u32 = 5;
/// How soon a message whose work failed is tried again, and a queue that did not answer asked again.
const RETRY: Duration = Duration::from_secs(2);
/// Of `ReceiveMessage` and `DeleteMessageBatch`.
const PER_CALL: usize = 10;
/// How long an empty queue is listened to; one call may take longer than the SDK's clients allow otherwise.
const LISTEN_S: u16 = 10;
const CALL: Duration = Duration::from_secs(LISTEN_S as u64 + 5);

/// What a message is for, and what is to be done before it is looked at.
#[derive(Clone)]
pub struct Hands {
    pub workers: Workers,
    pub clock: Arc<dyn Clock>,
    /// Before each message: it may be there because the stack's clock was moved, and the step must see that time.
    pub catch_up: Arc<dyn Fn() -> BoxFuture<'static, ()> + Send + Sync>,
}

/// The steps of a deployment, for a process that works on so many shards at once. Their walks share its memory, and
/// what takes it are people: those of the page that a walk has read, and those whose calls are open.
pub fn workers(deployment: &Deployment, shards_at_once: usize) -> Workers {
    let mut deployment = deployment.clone();
    deployment.dynamo.page_people = Some(PAGE_PEOPLE);
    deployment.max_in_flight = deployment.max_in_flight.div_ceil(shards_at_once.max(1));
    let launching = Launching {
        launcher: Arc::new(deployment.launcher()),
        api: Arc::new(deployment.api()),
        previewer: Arc::new(deployment.previewer()),
    };
    Workers { launching, sender: Arc::new(deployment.sender()), feedback: Arc::new(deployment.feedback()) }
}

/// Running pollers. Dropped, they end where they are.
pub struct Pollers {
    tasks: JoinSet<()>,
    over: watch::Sender<bool>,
}

impl Pollers {
    pub fn start(sqs: &Client, queues: &QueueUrls, hands: &Hands, shards_at_once: usize) -> Self {
        let mut pollers = Self { tasks: JoinSet::new(), over: watch::Sender::new(false) };
        for (url, count) in
            [(&queues.launch, LAUNCHES_AT_ONCE), (&queues.shard, shards_at_once), (&queues.preview, PREVIEWS_AT_ONCE)]
        {
            let queue = Queue { sqs: sqs.clone(), url: url.clone() };
            for _ in 0..count {
                pollers.tasks.spawn(poll(queue.clone(), hands.clone(), pollers.over.subscribe()));
            }
        }
        let queue = Queue { sqs: sqs.clone(), url: queues.feedback.clone() };
        pollers.tasks.spawn(feedback::poll(queue, hands.clone(), pollers.over.subscribe()));
        pollers
    }

    /// Takes no new message, tells every step that its turn is over, and waits for them as long as they may take.
    pub async fn drain(mut self) {
        self.over.send_replace(true);
        let drained = timeout(DRAIN, async { while self.tasks.join_next().await.is_some() {} }).await;
        if drained.is_err() {
            warn!(steps = self.tasks.len(), "cut off: what they held is taken over once its lease has ended");
        }
    }
}

async fn poll(queue: Queue, hands: Hands, mut over: watch::Receiver<bool>) {
    loop {
        let message = tokio::select! {
            biased;
            () = ended(&mut over) => return,
            received = queue.receive(1, LISTEN_S) => received,
        };
        match message {
            Ok(received) => {
                for message in &received {
                    work(&queue, &hands, message, &over).await;
                }
            }
            Err(error) => {
                info!(queue = queue.name(), error = chain(&error), "the queue did not answer");
                tokio::select! {
                    () = ended(&mut over) => return,
                    () = hands.clock.sleep(RETRY) => {}
                }
            }
        }
    }
}

async fn work(queue: &Queue, hands: &Hands, message: &Message, over: &watch::Receiver<bool>) {
    let receipt = message.receipt_handle().unwrap_or_default();
    let turn = Held { queue, receipt, over: over.clone() };
    (hands.catch_up)().await;
    let put_away = match attempt(&hands.workers, message.body().unwrap_or_default(), &turn).await {
        Ok(()) => queue.delete(receipt).await,
        Err(error) => {
            warn!(queue = queue.name(), error = chain(&error), "a message is tried again");
            queue.hide(receipt, RETRY).await
        }
    };
    if let Err(error) = put_away {
        info!(queue = queue.name(), error = chain(&error), "a message comes back once it is visible again");
    }
}

/// Whoever would say that it is over may also be gone.
async fn ended(over: &mut watch::Receiver<bool>) {
    let _ = over.wait_for(|over| *over).await;
}

#[derive(Clone)]
struct Queue {
    sqs: Client,
    url: String,
}

impl Queue {
    fn name(&self) -> &str {
        self.url.rsplit('/').next().unwrap_or_default()
    }

    /// Up to so many, as soon as there are any; none if none come for a while.
    async fn receive(&self, max: i32, listen: u16) -> Result<Vec<Message>, PortError> {
        let patience = aws_config::timeout::TimeoutConfig::builder()
            .operation_attempt_timeout(CALL)
            .operation_timeout(CALL)
            .build();
        let call = self
            .sqs
            .receive_message()
            .queue_url(&self.url)
            .max_number_of_messages(max)
            .message_system_attribute_names(MessageSystemAttributeName::All)
            .wait_time_seconds(listen.into());
        let call = call.customize().config_override(aws_sdk_sqs::Config::builder().timeout_config(patience));
        let answer = call.send().await.map_err(|error| PortError::unavailable("SQS", error))?;
        Ok(answer.messages.unwrap_or_default())
    }

    async fn delete(&self, receipt: &str) -> Result<(), PortError> {
        let call = self.sqs.delete_message().queue_url(&self.url).receipt_handle(receipt);
        call.send().await.map(|_| ()).map_err(|error| PortError::unavailable("SQS", error))
    }

    async fn delete_all(&self, receipts: &[&str]) -> Result<(), PortError> {
        for receipts in receipts.chunks(PER_CALL) {
            let mut call = self.sqs.delete_message_batch().queue_url(&self.url);
            for (at, receipt) in receipts.iter().enumerate() {
                let entry = DeleteMessageBatchRequestEntry::builder().id(at.to_string()).receipt_handle(*receipt);
                call = call.entries(entry.build().map_err(|error| PortError::corrupt("a request to SQS", error))?);
            }
            call.send().await.map_err(|error| PortError::unavailable("SQS", error))?;
        }
        Ok(())
    }

    async fn hide(&self, receipt: &str, span: Duration) -> Result<(), PortError> {
        let seconds = i32::try_from(span.as_millis().div_ceil(1_000)).unwrap_or(i32::MAX);
        let call = self.sqs.change_message_visibility().queue_url(&self.url).receipt_handle(receipt);
        let call = call.visibility_timeout(seconds).send().await;
        call.map(|_| ()).map_err(|error| PortError::unavailable("SQS", error))
    }
}

/// The turn that comes with one message.
struct Held<'a> {
    queue: &'a Queue,
    receipt: &'a str,
    over: watch::Receiver<bool>,
}

#[async_trait]
impl Turn for Held<'_> {
    async fn over(&self) {
        ended(&mut self.over.clone()).await;
    }

    async fn keep(&self, span: Duration) -> Result<(), PortError> {
        self.queue.hide(self.receipt, span).await
    }
}
