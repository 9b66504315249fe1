//! Messages of the launch, shard, preview and feedback queues.

use std::{panic::AssertUnwindSafe, sync::Arc};

use async_trait::async_trait;
use futures_util::FutureExt;

use crate::flow::{
    api::Api,
    feedback::{Feedback, FeedbackError},
    launch::Launcher,
    port::PortError,
    preview::Previewer,
    queue::{Message, Turn},
    send::{SendError, Sender},
};

/// The steps that the messages of some queues are for.
#[async_trait]
pub trait Handle: Send + Sync {
    /// Does what one message asks for. On `Ok` it may be deleted.
    async fn handle(&self, body: &str, turn: &dyn Turn) -> Result<(), WorkError>;
}

/// Why a message must be delivered again.
#[derive(Debug, thiserror::Error)]
pub enum WorkError {
    #[error("the message is for another queue than the one that it came by")]
    Astray,
    /// What it had claimed is taken over once its lease has ended.
    #[error("the step panicked at it: this is a mistake in the program")]
    Panicked,
    #[error(transparent)]
    Port(#[from] PortError),
    #[error(transparent)]
    Send(#[from] SendError),
    #[error(transparent)]
    Feedback(#[from] FeedbackError),
}

/// Lets a step do what one message asks for. One that panics has failed at this message alone: others, beside it and
/// after it, are worked on. What steps share lies behind locks that outlive a panic, and the rest goes with the step.
pub async fn attempt(step: &dyn Handle, body: &str, turn: &dyn Turn) -> Result<(), WorkError> {
    let attempt = AssertUnwindSafe(step.handle(body, turn)).catch_unwind();
    attempt.await.unwrap_or(Err(WorkError::Panicked))
}

/// The same of a batch of events, of which one that panics fails alone where it is worked on alone.
pub async fn attempt_events(feedback: &Feedback, bodies: &[&str]) -> Vec<Result<(), FeedbackError>> {
    let attempt = AssertUnwindSafe(feedback.take(bodies)).catch_unwind();
    attempt.await.unwrap_or_else(|_| bodies.iter().map(|_| Err(FeedbackError::Panicked)).collect())
}

/// Of the launch and preview queues.
#[derive(Clone)]
pub struct Launching {
    pub launcher: Arc<Launcher>,
    /// Submits the campaigns of newsletters.
    pub api: Arc<Api>,
    pub previewer: Arc<Previewer>,
}

#[async_trait]
impl Handle for Launching {
    async fn handle(&self, body: &str, _turn: &dyn Turn) -> Result<(), WorkError> {
        match Message::from_body(body)? {
            Message::Launch { campaign } => self.launcher.attend(&campaign).await?,
            Message::Newsletter { newsletter, scheduled } => self.api.run_newsletter(&newsletter, scheduled).await?,
            Message::Preview { preview, shard } => self.previewer.run(preview.as_str(), shard).await?,
            Message::Shard(_) | Message::Feedback { .. } => return Err(WorkError::Astray),
        }
        Ok(())
    }
}

/// Of the shard queue.
#[async_trait]
impl Handle for Sender {
    async fn handle(&self, body: &str, turn: &dyn Turn) -> Result<(), WorkError> {
        match Message::from_body(body)? {
            Message::Shard(work) => Ok(self.run(&work, turn).await?),
            Message::Launch { .. }
            | Message::Newsletter { .. }
            | Message::Preview { .. }
            | Message::Feedback { .. } => Err(WorkError::Astray),
        }
    }
}

/// All of them, in one process.
#[derive(Clone)]
pub struct Workers {
    pub launching: Launching,
    pub sender: Arc<Sender>,
    pub feedback: Arc<Feedback>,
}

#[async_trait]
impl Handle for Workers {
    async fn handle(&self, body: &str, turn: &dyn Turn) -> Result<(), WorkError> {
        match Message::from_body(body)? {
            Message::Launch { .. } | Message::Newsletter { .. } | Message::Preview { .. } => {
                self.launching.handle(body, turn).await
            }
            Message::Shard(_) => self.sender.handle(body, turn).await,
            // A batch of one.
            Message::Feedback { .. } => Ok(self.feedback.take(&[body]).await.into_iter().collect::<Result<(), _>>()?),
        }
    }
}
