//! Every decision of a campaign, in chunks: what was decided of whom, and why.

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{port::PortError, queue::Work};
use crate::domain::{
    campaign::Campaign,
    decision::Outcome,
    id::{RecipientId, Ref},
    report::Counts,
};

/// What was decided of one person.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub reference: Ref,
    pub outcome: Outcome,
    pub decided_at: Timestamp,
    pub policy_version: u32,
}

impl Entry {
    /// The contract's shape of a decision.
    pub fn to_json(&self, campaign: &Campaign, recipient: &RecipientId) -> Value {
        json!({
            "campaign": campaign.id,
            "recipient": recipient,
            "outcome": self.outcome.kind(),
            "reason": self.outcome.reason(),
            "detail": self.outcome.detail(),
            "channel": campaign.channel,
            "policy_version": self.policy_version,
            "decided_at": self.decided_at,
        })
    }
}

/// The decisions on everybody after `start` up to and including `last`, in the order of their ids.
#[derive(Debug, Clone, PartialEq)]
pub struct Chunk {
    pub start: Option<RecipientId>,
    pub last: RecipientId,
    /// Sorted by `reference` once stored.
    pub entries: Vec<Entry>,
}

impl Chunk {
    pub fn find(&self, reference: Ref) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.reference == reference)
    }
}

/// Where a shard's walk stands.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Progress {
    /// The last person decided on; `None` before the first.
    pub cursor: Option<RecipientId>,
    pub counts: Counts,
    pub done: bool,
}

#[async_trait]
pub trait Ledger: Send + Sync {
    /// The chunk that covers `id` and that the walk's cursor has passed; `None` if nobody decided on that id.
    async fn covering(&self, work: &Work, id: &RecipientId) -> Result<Option<Chunk>, PortError>;

    /// The first committed chunk that starts at or after `start`.
    async fn next(&self, work: &Work, start: Option<&RecipientId>) -> Result<Option<Chunk>, PortError>;
}
