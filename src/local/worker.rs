//! A process that works on the queues of a stack in another process, as many beside each other as one likes.

use std::{sync::Arc, time::Duration};

use futures_util::FutureExt;
use reqwest::{Client, StatusCode, Url, redirect};

use super::{
    clock::LocalClock,
    handover::Handover,
    pollers::{Hands, Pollers, workers},
};
use crate::{
    aws::{clients::Clients, deployment::Deployment, system::SystemClock, tables::TablesError},
    flow::clock::Clock,
};

/// How often the stack is asked whether it is still there, and what its clock shows.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// A stack to which connections are made, but which answers none of so many looks in a row, counts as gone too.
const PATIENCE: u32 = 3;
const TIMEOUT: Duration = Duration::from_secs(5);

/// One that has joined a stack.
pub struct Worker {
    stack: Remote,
    clock: Arc<LocalClock>,
    clients: Clients,
    deployment: Deployment,
}

#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    #[error("nothing answers")]
    Gone(#[source] reqwest::Error),
    #[error("what answers is no local stack of this version")]
    NoStack,
    #[error("its tables cannot be used")]
    Tables(#[from] TablesError),
}

/// Why a worker stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    Stopped,
    /// The stack is gone, or was started anew: it can be joined again.
    Lost,
}

impl Worker {
    /// `url` is where the stack's API is.
    pub async fn join(url: &Url) -> Result<Self, JoinError> {
        let (http, url) = client(url)?;
        let handover = ask(&http, &url).await?;
        let clock = Arc::new(handover.time.clock());
        let (clients, deployment) = handover.join(clock.clone()).await?;
        Ok(Self { stack: Remote { http, url, handover: Arc::new(handover) }, clock, clients, deployment })
    }

    /// Works until `stop` comes, and then drains; or until the stack is lost, which nothing that is under way outlives.
    pub async fn run(self, shards_at_once: usize, stop: impl Future<Output = ()>) -> End {
        let hands = Hands {
            workers: workers(&self.deployment, shards_at_once),
            clock: self.clock.clone(),
            catch_up: {
                let (stack, clock) = (self.stack.clone(), Arc::clone(&self.clock));
                Arc::new(move || {
                    let (stack, clock) = (stack.clone(), Arc::clone(&clock));
                    async move { stack.catch_up(&clock).await }.boxed()
                })
            },
        };
        let pollers = Pollers::start(&self.clients.sqs, &self.stack.handover.queues, &hands, shards_at_once);
        let mut lost = std::pin::pin!(self.lost());
        tokio::select! {
            () = stop => {}
            () = &mut lost => return End::Lost,
        }
        tokio::select! {
            () = pollers.drain() => {}
            () = lost => {}
        }
        End::Stopped
    }

    /// Comes when the stack that was joined is no longer there; until then the clock follows its clock.
    async fn lost(&self) {
        // How often one looks does not depend on the clock that one looks at.
        let machine = SystemClock::default();
        let mut unanswered = 0;
        while unanswered < PATIENCE {
            machine.sleep(LOOK_EVERY).await;
            match self.stack.look(&self.clock).await {
                Look::There => unanswered = 0,
                Look::Silent => unanswered += 1,
                Look::Gone => return,
            }
        }
    }
}

/// The stack that was joined, at its own routes.
#[derive(Clone)]
struct Remote {
    http: Client,
    url: Url,
    handover: Arc<Handover>,
}

enum Look {
    There,
    Silent,
    Gone,
}

impl Remote {
    async fn catch_up(&self, clock: &LocalClock) {
        if clock.is_driven() {
            // Without an answer the time is what it was; whether the stack is lost is found out elsewhere.
            let _ = self.look(clock).await;
        }
    }

    async fn look(&self, clock: &LocalClock) -> Look {
        match ask(&self.http, &self.url).await {
            Ok(handover) if handover.id == self.handover.id => {
                clock.reach(handover.time.now);
                Look::There
            }
            Err(JoinError::Gone(error)) if !error.is_connect() || error.is_timeout() => Look::Silent,
            Ok(_) | Err(JoinError::Gone(_) | JoinError::NoStack | JoinError::Tables(_)) => Look::Gone,
        }
    }
}

fn client(base: &Url) -> Result<(Client, Url), JoinError> {
    let http = Client::builder().no_proxy().redirect(redirect::Policy::none()).timeout(TIMEOUT);
    let mut url = base.clone();
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty().extend(["local", "stack"]);
    }
    Ok((http.build().map_err(JoinError::Gone)?, url))
}

async fn ask(http: &Client, url: &Url) -> Result<Handover, JoinError> {
    let answer = http.get(url.clone()).send().await.map_err(JoinError::Gone)?;
    if answer.status() != StatusCode::OK {
        return Err(JoinError::NoStack);
    }
    let body = answer.bytes().await.map_err(JoinError::Gone)?;
    serde_json::from_slice(&body).map_err(|_| JoinError::NoStack)
}
