//! Messages that come by themselves at a later time.

use std::fmt::{self, Display, Write as _};

use async_trait::async_trait;
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::{
    port::PortError,
    queue::{Message, Work},
};
use crate::domain::id::CampaignId;

/// Names a one-time schedule: 1 to 64 of `[A-Za-z0-9_.-]`, as EventBridge Scheduler takes them. A campaign's id may be
/// longer, so its hash stands for it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ScheduleName(String);

impl ScheduleName {
    pub fn start(campaign: &CampaignId) -> Self {
        Self(format!("{}-start", hashed(campaign)))
    }

    pub fn expiry(campaign: &CampaignId) -> Self {
        Self(format!("{}-expiry", hashed(campaign)))
    }

    pub fn quota(campaign: &CampaignId) -> Self {
        Self(format!("{}-quota", hashed(campaign)))
    }

    /// The wake of one shard for one pass.
    pub fn pass(work: &Work) -> Self {
        Self(format!("{}-{}-{}", hashed(&work.campaign), work.shard.0, work.pass))
    }
}

impl Display for ScheduleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn hashed(campaign: &CampaignId) -> String {
    let mut text = String::new();
    for byte in Sha256::digest(campaign.as_str()).iter().take(16) {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[async_trait]
pub trait Scheduler: Send + Sync {
    /// Queues `message` once, at `at` or within the minute after it; at once if that has passed. A schedule of this
    /// name that is still ahead is moved, so repeating it is harmless.
    async fn once(&self, name: &ScheduleName, at: Timestamp, message: &Message) -> Result<(), PortError>;
}
