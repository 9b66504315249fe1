//! Newsletters as they are kept, and how their runs went.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::port::PortError;
use crate::domain::{
    id::{CampaignId, NewsletterId},
    newsletter::{Newsletter, Run},
};

/// By how much another clock may be ahead of ours.
const EARLY: SignedDuration = SignedDuration::from_mins(1);

/// A newsletter and how it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct NewsletterRecord {
    pub id: NewsletterId,
    pub newsletter: Newsletter,
    /// Rises with every change of what was put.
    pub version: u32,
    /// Since when it runs by this schedule; what was due before is not its own.
    pub since: Timestamp,
    pub put_by: String,
    pub last_run: Option<LastRun>,
}

/// The run that was looked after last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastRun {
    pub scheduled: Timestamp,
    pub campaign: CampaignId,
    /// Why there is no such campaign.
    pub refused: Option<String>,
}

impl NewsletterRecord {
    /// The run that a message is about; `None` if there is no such run, or it is not yet due.
    pub fn due(&self, scheduled: Timestamp, now: Timestamp) -> Option<Run> {
        let run = self.newsletter.schedule.run_at(scheduled)?;
        let latest = now.saturating_add(EARLY).unwrap_or(now);
        (run.at >= self.since && run.at <= latest).then_some(run)
    }

    /// As it was put, and when it runs.
    pub fn to_json(&self, now: Timestamp) -> Value {
        let mut standing = self.newsletter.to_json();
        let next = self.newsletter.schedule.next_after(now).map(|run| run.at);
        if let Some(fields) = standing.as_object_mut() {
            fields.insert("id".to_owned(), json!(self.id));
            fields.insert("put_by".to_owned(), json!(self.put_by));
            fields.insert("next_run".to_owned(), json!(next));
            fields.insert("last_run".to_owned(), json!(self.last_run));
        }
        standing
    }
}

#[async_trait]
pub trait Newsletters: Send + Sync {
    async fn get(&self, id: &NewsletterId) -> Result<Option<NewsletterRecord>, PortError>;

    /// In the order of their ids; the cursor leads to the next part of the list.
    async fn list(&self, cursor: Option<&str>) -> Result<(Vec<NewsletterRecord>, Option<String>), PortError>;

    /// Stores what was put, in place of the version `before`, and leaves the last run as it is; false if another version
    /// is there.
    async fn put(&self, record: &NewsletterRecord, before: Option<u32>) -> Result<bool, PortError>;

    /// Removes this version; false if another one is there, or none.
    async fn remove(&self, id: &NewsletterId, version: u32) -> Result<bool, PortError>;

    /// Writes down how a run went, if the newsletter is still there.
    async fn ran(&self, id: &NewsletterId, run: &LastRun) -> Result<(), PortError>;
}
