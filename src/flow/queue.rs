//! The messages between the steps. Each carries a format number; a reader takes its own and the one before.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::port::PortError;
use crate::domain::id::{CampaignId, NewsletterId, PreviewId, Shard};

const FORMAT: u8 = 1;

/// One slice of a campaign's audience, on one walk through it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Work {
    pub campaign: CampaignId,
    pub shard: Shard,
    /// 1 for the walk through everybody; later ones see the deferred again.
    pub pass: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Message {
    Launch {
        campaign: CampaignId,
    },
    Shard(Work),
    Preview {
        preview: PreviewId,
        shard: Shard,
    },
    /// The time of a newsletter's run has come.
    Newsletter {
        newsletter: NewsletterId,
        scheduled: Timestamp,
    },
    /// An event of SES whose mail is not in the ledger yet.
    Feedback {
        event: serde_json::Value,
        waited: u32,
    },
}

impl Message {
    /// As it travels.
    pub fn body(&self) -> Result<String, PortError> {
        let envelope = Envelope { format: FORMAT, message: self.clone() };
        serde_json::to_string(&envelope).map_err(|error| PortError::corrupt("a message", error))
    }

    pub fn from_body(body: &str) -> Result<Self, PortError> {
        let envelope: Envelope = serde_json::from_str(body).map_err(|error| PortError::no_json("a message", &error))?;
        if envelope.format != FORMAT {
            let why = format!("its format {} is not known here", envelope.format);
            return Err(PortError::corrupt("a message", why));
        }
        Ok(envelope.message)
    }
}

/// The message of each run of a newsletter as it travels, with a word that whoever sends it puts the time in place of.
pub fn newsletter_body(newsletter: &NewsletterId, scheduled: &str) -> String {
    json!({ "format": FORMAT, "kind": "newsletter", "newsletter": newsletter, "scheduled": scheduled }).to_string()
}

#[derive(Serialize, Deserialize)]
struct Envelope {
    format: u8,
    #[serde(flatten)]
    message: Message,
}

#[async_trait]
pub trait Queue: Send + Sync {
    /// Delivers each message at least once, to the step that its kind names, not before `delay` has passed.
    async fn send(&self, messages: &[Message], delay: Duration) -> Result<(), PortError>;
}

/// What a step knows of the turn that it is given with a message.
#[async_trait]
pub trait Turn: Send + Sync {
    /// Comes when no new mail may be begun: the function's time is nearly up, or the process is to end. A step then
    /// has [`DRAIN`] to finish what it began.
    async fn over(&self);

    /// Keeps the message from being delivered again for so long from now.
    async fn keep(&self, span: Duration) -> Result<(), PortError>;
}

/// How long a step may take to finish what it began.
pub const DRAIN: Duration = Duration::from_secs(30);

/// A turn without an end, for a message that nobody else waits for.
pub struct Unhurried;

#[async_trait]
impl Turn for Unhurried {
    async fn over(&self) {
        std::future::pending::<()>().await;
    }

    async fn keep(&self, _span: Duration) -> Result<(), PortError> {
        Ok(())
    }
}
