//! From an accepted campaign to its shards: the check against the world, and what is pinned for the whole run.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tracing::{info, warn};

use super::{
    clock::Clock,
    ledger::Progress,
    port::PortError,
    queue::{Message, Queue, Work},
    template::Compiled,
};
use crate::domain::{
    campaign::Campaign,
    id::{CampaignId, TemplateName},
    policy::Policy,
    report::{CampaignStatus, StatusCode, StatusDetail},
};

/// A campaign and how it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct CampaignRecord {
    pub campaign: Campaign,
    /// As it was submitted: the same id with another body is another campaign, and refused.
    pub body: Value,
    pub created_by: String,
    pub created_at: Timestamp,
    pub status: CampaignStatus,
    pub status_detail: Option<StatusDetail>,
    pub pinned: Option<Pinned>,
}

/// What a launch fixes, so that a later change of template or sender does not split a campaign in two.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pinned {
    pub template: TemplateName,
    pub template_hash: String,
    pub from: String,
    pub reply_to: Option<String>,
    /// How many shards hold somebody of the audience: when so many are done, the campaign is.
    pub shards: u16,
}

/// What became of an attempt to store a campaign.
#[derive(Debug, Clone, PartialEq)]
pub enum Created {
    New,
    Exists(Box<CampaignRecord>),
}

/// A campaign in a list.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CampaignSummary {
    pub id: CampaignId,
    pub status: CampaignStatus,
    pub created_at: Timestamp,
}

#[async_trait]
pub trait Campaigns: Send + Sync {
    /// Stores a campaign if its id was never used.
    async fn create(&self, record: &CampaignRecord) -> Result<Created, PortError>;

    async fn get(&self, id: &CampaignId) -> Result<Option<CampaignRecord>, PortError>;

    /// Newest first; the cursor leads to the next part of the list.
    async fn list(&self, cursor: Option<&str>) -> Result<(Vec<CampaignSummary>, Option<String>), PortError>;

    /// Moves the status if it still is one of `from`; says whether it did.
    async fn advance(&self, id: &CampaignId, from: &[CampaignStatus], to: &Move) -> Result<bool, PortError>;

    /// How the first pass of each shard stands; only shards that were launched are there.
    async fn progress(&self, id: &CampaignId) -> Result<Vec<Progress>, PortError>;

    /// Makes a shard's item if it is not there.
    async fn prepare(&self, work: &[Work]) -> Result<(), PortError>;

    /// Marks a shard as done and answers how many now are.
    async fn shard_done(&self, work: &Work) -> Result<u16, PortError>;
}

/// A move of a campaign's status.
#[derive(Debug, Clone, PartialEq)]
pub struct Move {
    pub to: CampaignStatus,
    pub detail: Option<StatusDetail>,
    /// What is to be pinned with it; `None` leaves it as it is.
    pub pinned: Option<Pinned>,
}

impl Move {
    pub fn to(status: CampaignStatus) -> Self {
        Self { to: status, detail: None, pinned: None }
    }
}

/// A policy and its number; decisions record the number.
#[derive(Debug, Clone, PartialEq)]
pub struct Versioned {
    pub version: u32,
    pub policy: Policy,
}

#[async_trait]
pub trait Policies: Send + Sync {
    /// The policy in force; `None` if none was ever set.
    async fn current(&self) -> Result<Option<Arc<Versioned>>, PortError>;

    /// Stores the next version and puts it in force.
    async fn put(&self, policy: &Policy) -> Result<u32, PortError>;
}

#[async_trait]
pub trait Templates: Send + Sync {
    /// The newest compiled form of a template.
    async fn current(&self, name: &TemplateName) -> Result<Option<Compiled>, PortError>;

    /// The form that was pinned.
    async fn pinned(&self, name: &TemplateName, hash: &str) -> Result<Option<Compiled>, PortError>;

    /// Stores a form under its hash, in SES too, and makes it the newest.
    async fn put(&self, compiled: &Compiled, source: &Value) -> Result<(), PortError>;

    /// The source of the newest form, as it was put.
    async fn source(&self, name: &TemplateName) -> Result<Option<Value>, PortError>;
}

/// What a launch needs.
pub struct Launcher {
    pub clock: Arc<dyn Clock>,
    pub campaigns: Arc<dyn Campaigns>,
    pub policies: Arc<dyn Policies>,
    pub templates: Arc<dyn Templates>,
    pub queue: Arc<dyn Queue>,
    /// Of the tables; fixed when they were made.
    pub shards: u16,
}

const BEFORE_SENDING: [CampaignStatus; 2] = [CampaignStatus::Scheduled, CampaignStatus::Launching];

impl Launcher {
    /// Checks the campaign, pins what must not change, makes its shards and queues them. Repeating it is harmless.
    pub async fn launch(&self, id: &CampaignId) -> Result<(), PortError> {
        let Some(record) = self.campaigns.get(id).await? else {
            warn!(campaign = %id, "a launch was asked for a campaign that does not exist");
            return Ok(());
        };
        if !BEFORE_SENDING.contains(&record.status) {
            return Ok(());
        }
        if record.campaign.expires_at <= self.clock.now() {
            self.campaigns.advance(id, &BEFORE_SENDING, &Move::to(CampaignStatus::Expired)).await?;
            return Ok(());
        }
        if let Some(left) = self.until_start(&record.campaign) {
            // Longer than a queue delays it comes back early, and waits again.
            return self.queue.send(&[Message::Launch { campaign: id.clone() }], left).await;
        }
        self.campaigns.advance(id, &[CampaignStatus::Scheduled], &Move::to(CampaignStatus::Launching)).await?;
        let pinned = match self.check(&record.campaign).await? {
            Ok(pinned) => pinned,
            Err(detail) => {
                warn!(campaign = %id, code = ?detail.code, "the campaign was refused at launch");
                let refused = Move { to: CampaignStatus::Refused, detail: Some(detail), pinned: None };
                self.campaigns.advance(id, &BEFORE_SENDING, &refused).await?;
                return Ok(());
            }
        };
        let work = self.work(&record.campaign);
        self.campaigns.prepare(&work).await?;
        // Queued before the status moves: if this fails, the launch is delivered again and does it again. A shard
        // that is delivered before its campaign sends waits for it.
        let messages: Vec<Message> = work.into_iter().map(Message::Shard).collect();
        self.queue.send(&messages, Duration::ZERO).await?;
        let sending = Move { to: CampaignStatus::Sending, detail: None, pinned: Some(pinned) };
        self.campaigns.advance(id, &BEFORE_SENDING, &sending).await?;
        info!(campaign = %id, shards = messages.len(), "launched");
        Ok(())
    }

    /// How long its start is still ahead.
    fn until_start(&self, campaign: &Campaign) -> Option<Duration> {
        let left = campaign.not_before?.duration_since(self.clock.now());
        Duration::try_from(left).ok().filter(|left| !left.is_zero())
    }

    async fn check(&self, campaign: &Campaign) -> Result<Result<Pinned, StatusDetail>, PortError> {
        let refusal = |code, message: String| Ok(Err(StatusDetail { code, message, until: None }));
        let Some(current) = self.policies.current().await? else {
            return refusal(StatusCode::Policy, "there is no policy: put one with `germane policy put`".to_owned());
        };
        let Some(template) = self.templates.current(&campaign.template).await? else {
            let name = &campaign.template;
            return refusal(StatusCode::Template, format!("there is no template {name}: push it and send again"));
        };
        let faults = template.check_content(&campaign.content);
        if let Some(fault) = faults.first() {
            return refusal(StatusCode::Template, format!("the content no longer fits the template: {fault}"));
        }
        Ok(Ok(Pinned {
            template: template.name.clone(),
            template_hash: template.hash.clone(),
            from: current.policy.from.as_str().to_owned(),
            reply_to: current.policy.reply_to.as_ref().map(|mailbox| mailbox.as_str().to_owned()),
            shards: u16::try_from(self.work(campaign).len()).unwrap_or(u16::MAX),
        }))
    }

    /// Every shard that can hold somebody of the audience.
    fn work(&self, campaign: &Campaign) -> Vec<Work> {
        let work = |shard| Work { campaign: campaign.id.clone(), shard, pass: 1 };
        campaign.audience.shards(self.shards).into_iter().map(work).collect()
    }
}
