//! Messages of the launch, shard and preview queues.

use std::sync::Arc;

use crate::flow::{
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
    pub sender: Arc<Sender>,
    pub previewer: Arc<Previewer>,
}

/// Why a message must be delivered again.
#[derive(Debug, thiserror::Error)]
pub enum WorkError {
    #[error(transparent)]
    Port(#[from] PortError),
    #[error(transparent)]
    Send(#[from] SendError),
}

impl Workers {
    /// Does what one message asks for. On `Ok` it may be deleted.
    pub async fn handle(&self, body: &str, turn: &dyn Turn) -> Result<(), WorkError> {
        match Message::from_body(body)? {
            Message::Launch { campaign } => self.launcher.attend(&campaign).await?,
            Message::Shard(work) => self.sender.run(&work, turn).await?,
            Message::Preview { preview, shard } => self.previewer.run(&preview, shard).await?,
        }
        Ok(())
    }
}
