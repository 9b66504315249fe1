//! Messages that come by themselves at a later time.

use std::fmt::{self, Display, Write as _};

use async_trait::async_trait;
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::{
    port::PortError,
    queue::{Message, Work},
};
use crate::domain::{
    id::{CampaignId, NewsletterId},
    newsletter::Recurrence,
};

/// Names a schedule: 1 to 64 of `[A-Za-z0-9_.-]`, as EventBridge Scheduler takes them. An id may be longer, so its hash
/// stands for it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ScheduleName(String);

impl ScheduleName {
    pub fn start(campaign: &CampaignId) -> Self {
        Self(format!("{}-start", hashed(campaign.as_str())))
    }

    pub fn expiry(campaign: &CampaignId) -> Self {
        Self(format!("{}-expiry", hashed(campaign.as_str())))
    }

    pub fn quota(campaign: &CampaignId) -> Self {
        Self(format!("{}-quota", hashed(campaign.as_str())))
    }

    /// The runs of a newsletter.
    pub fn newsletter(newsletter: &NewsletterId) -> Self {
        Self(format!("{}-newsletter", hashed(newsletter.as_str())))
    }

    /// A newsletter's next run, where the clocks are changed over its time.
    pub fn clock_change(newsletter: &NewsletterId) -> Self {
        Self(format!("{}-clock-change", hashed(newsletter.as_str())))
    }

    /// The wake of one shard for one pass.
    pub fn pass(work: &Work) -> Self {
        Self(format!("{}-{}-{}", hashed(work.campaign.as_str()), work.shard.0, work.pass))
    }
}

impl Display for ScheduleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn hashed(id: &str) -> String {
    let mut text = String::new();
    for byte in Sha256::digest(id).iter().take(16) {
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

    /// Queues a [`Message::Newsletter`] at each run, or within the minute after it, until it is told to forget. Takes
    /// the place of a schedule of this name, so repeating it is harmless. A run whose local time the clocks skip may
    /// not come, and one whose time they show twice may come at either.
    async fn recur(
        &self,
        name: &ScheduleName,
        recurrence: &Recurrence,
        newsletter: &NewsletterId,
    ) -> Result<(), PortError>;

    /// Ends a schedule; one that is not there is harmless.
    async fn forget(&self, name: &ScheduleName) -> Result<(), PortError>;
}
