//! Messages of the launch, shard, preview and feedback queues.

use std::sync::Arc;

use crate::flow::{
    api::Api,
    feedback::{Feedback, FeedbackError},
    launch::Launcher,
    port::PortError,
    preview::Previewer,
    queue::{Message, Turn},
    send::{SendError, Sender},
};

/// The steps that messages are for.
#[derive(Clone)]
pub struct Workers {
    pub launcher: Arc<Launcher>,
    /// Submits the campaigns of newsletters.
    pub api: Arc<Api>,
    pub sender: Arc<Sender>,
    pub previewer: Arc<Previewer>,
    pub feedback: Arc<Feedback>,
}

/// Why a message must be delivered again.
#[derive(Debug, thiserror::Error)]
pub enum WorkError {
    #[error(transparent)]
    Port(#[from] PortError),
    #[error(transparent)]
    Send(#[from] SendError),
    #[error(transparent)]
    Feedback(#[from] FeedbackError),
}

impl Workers {
    /// Does what one message asks for. On `Ok` it may be deleted.
    pub async fn handle(&self, body: &str, turn: &dyn Turn) -> Result<(), WorkError> {
        match Message::from_body(body)? {
            Message::Launch { campaign } => self.launcher.attend(&campaign).await?,
            Message::Newsletter { newsletter, scheduled } => self.api.run_newsletter(&newsletter, scheduled).await?,
            Message::Shard(work) => self.sender.run(&work, turn).await?,
            Message::Preview { preview, shard } => self.previewer.run(&preview, shard).await?,
            // A batch of one.
            Message::Feedback { .. } => self.feedback.take(&[body]).await.into_iter().collect::<Result<(), _>>()?,
        }
        Ok(())
    }
}
