//! From an accepted campaign to its shards: the check against the world, and what is pinned for the whole run.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tracing::{info, warn};

use super::{
    clock::Clock,
    ledger::Progress,
    port::PortError,
    queue::{Message, Queue, Work},
    schedule::{ScheduleName, Scheduler},
    template::Compiled,
};
use crate::domain::{
    actor::Actor,
    campaign::Campaign,
    decision::OutcomeKind,
    feedback::Step,
    id::{CampaignId, TemplateName},
    policy::Policy,
    report::{CampaignStatus, Counts, StatusCode, StatusDetail},
    time::days_after,
};

/// A campaign and how it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct CampaignRecord {
    pub campaign: Campaign,
    /// As it was submitted: the same id with another body is another campaign, and refused.
    pub body: Value,
    pub created_by: Actor,
    pub created_at: Timestamp,
    pub status: CampaignStatus,
    pub status_detail: Option<StatusDetail>,
    pub pinned: Option<Pinned>,
}

impl CampaignRecord {
    /// Whether it stands in the list of campaigns. One for each sign-up would drown the others.
    pub fn is_listed(&self) -> bool {
        !self.created_by.is_double_opt_in()
    }
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
    /// When all that the ledger holds of the campaign is to be forgotten; never of one launched before this was pinned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forget_at: Option<Timestamp>,
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

    /// How each shard stands; only shards that were launched are there.
    async fn standings(&self, id: &CampaignId) -> Result<Vec<Standing>, PortError>;

    /// Makes a shard's item if it is not there.
    async fn prepare(&self, work: &[Work]) -> Result<(), PortError>;

    /// Marks a shard as through its first pass and answers how many now are.
    async fn shard_through(&self, work: &Work) -> Result<u16, PortError>;
}

/// A shard, and how it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// The pass that it is in.
    pub work: Work,
    pub progress: Progress,
    /// Somebody holds it, or did not come back to leave it in order.
    pub undrained: bool,
    /// What events corrected of its counts.
    pub settled: BTreeMap<Step, u64>,
}

impl Standing {
    /// The outcomes of record.
    pub fn counts(&self) -> Counts {
        self.progress.counts.clone().settled(&self.settled)
    }
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
    /// `None` of a version from before this was kept.
    pub put: Option<PolicyPut>,
}

/// Who put a version of the policy, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyPut {
    pub by: Actor,
    pub at: Timestamp,
}

#[async_trait]
pub trait Policies: Send + Sync {
    /// The policy in force; `None` if none was ever set.
    async fn current(&self) -> Result<Option<Arc<Versioned>>, PortError>;

    /// Stores the next version and puts it in force.
    async fn put(&self, policy: &Policy, put: &PolicyPut) -> Result<u32, PortError>;
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
    pub scheduler: Arc<dyn Scheduler>,
    /// Of the tables; fixed when they were made.
    pub shards: u16,
}

const BEFORE_SENDING: [CampaignStatus; 2] = [CampaignStatus::Scheduled, CampaignStatus::Launching];
/// From these a campaign goes on by itself or when it is told to.
const LIVE: [CampaignStatus; 6] = [
    CampaignStatus::Scheduled,
    CampaignStatus::Launching,
    CampaignStatus::Sending,
    CampaignStatus::WaitingForWindow,
    CampaignStatus::WaitingForQuota,
    CampaignStatus::Paused,
];
/// A wake that comes a little early, by another clock, comes again.
const EARLY: SignedDuration = SignedDuration::from_mins(15);
/// Clocks differ by less.
const SOON: SignedDuration = SignedDuration::from_mins(1);

impl Launcher {
    /// Does what is next for a campaign that was submitted, resumed or cancelled, or whose time has come: its start,
    /// its quota or its end. What that is says its status alone, so repeating it is harmless.
    pub async fn attend(&self, id: &CampaignId) -> Result<(), PortError> {
        let Some(record) = self.campaigns.get(id).await? else {
            warn!(campaign = %id, "a campaign that does not exist was to be looked after");
            return Ok(());
        };
        if LIVE.contains(&record.status) && record.campaign.expires_at <= self.clock.now() {
            self.campaigns.advance(id, &LIVE, &Move::to(CampaignStatus::Expired)).await?;
            return self.wind_up(id).await;
        }
        match record.status {
            CampaignStatus::Scheduled | CampaignStatus::Launching => self.start(record).await,
            CampaignStatus::WaitingForQuota => self.await_quota(record).await,
            CampaignStatus::Cancelled | CampaignStatus::Expired => self.wind_up(id).await,
            CampaignStatus::Sending | CampaignStatus::WaitingForWindow | CampaignStatus::Paused => {
                self.again_if_early(id, record.campaign.expires_at).await
            }
            CampaignStatus::Complete | CampaignStatus::Refused => Ok(()),
        }
    }

    /// Checks the campaign, pins what must not change, makes its shards and queues those that are not done.
    async fn start(&self, record: CampaignRecord) -> Result<(), PortError> {
        let CampaignRecord { campaign, pinned, .. } = record;
        let id = &campaign.id;
        let launch = Message::Launch { campaign: id.clone() };
        self.scheduler.once(&ScheduleName::expiry(id), campaign.expires_at, &launch).await?;
        if let Some(start) = campaign.not_before.filter(|start| *start > self.clock.now()) {
            return self.scheduler.once(&ScheduleName::start(id), start, &launch).await;
        }
        self.campaigns.advance(id, &[CampaignStatus::Scheduled], &Move::to(CampaignStatus::Launching)).await?;
        let pinned = match pinned {
            // It was launched before, and goes on with what was pinned then.
            Some(pinned) => pinned,
            None => match self.check(&campaign).await? {
                Ok(pinned) => pinned,
                Err(detail) => {
                    warn!(campaign = %id, code = ?detail.code, "the campaign was refused at launch");
                    let refused = Move { to: CampaignStatus::Refused, detail: Some(detail), pinned: None };
                    self.campaigns.advance(id, &BEFORE_SENDING, &refused).await?;
                    return Ok(());
                }
            },
        };
        self.campaigns.prepare(&self.work(&campaign)).await?;
        let now = self.clock.now();
        let standings = self.campaigns.standings(id).await?;
        // Also those whose time comes soon: their wake may have come while the campaign was paused, by a faster clock.
        let soon = now.saturating_add(SOON).unwrap_or(now);
        let due = standings.into_iter().filter(|shard| !shard.progress.done && !shard.progress.asleep(soon));
        // Queued before the status moves: if this fails, the launch is delivered again and does it again. A shard
        // that is delivered before its campaign sends waits for it.
        let messages: Vec<Message> = due.map(|shard| Message::Shard(shard.work)).collect();
        self.queue.send(&messages, Duration::ZERO).await?;
        let shards = pinned.shards;
        let sending = Move { to: CampaignStatus::Sending, detail: None, pinned: Some(pinned) };
        self.campaigns.advance(id, &BEFORE_SENDING, &sending).await?;
        info!(campaign = %id, shards = messages.len(), "launched");
        if messages.is_empty() { rest(self.campaigns.as_ref(), self.clock.as_ref(), id, shards).await } else { Ok(()) }
    }

    /// Goes on once the daily quota has room.
    async fn await_quota(&self, record: CampaignRecord) -> Result<(), PortError> {
        let id = &record.campaign.id;
        if let Some(until) = record.status_detail.as_ref().and_then(|detail| detail.until)
            && until > self.clock.now()
        {
            return self.again_if_early(id, until).await;
        }
        // Through `launching`, since a shard that is delivered while its campaign waits would be put aside.
        let launching = Move::to(CampaignStatus::Launching);
        self.campaigns.advance(id, &[CampaignStatus::WaitingForQuota], &launching).await?;
        match self.campaigns.get(id).await? {
            Some(record) if record.status == CampaignStatus::Launching => self.start(record).await,
            Some(_) | None => Ok(()),
        }
    }

    /// Shards of a campaign that has ended, which a worker took and did not leave in order, are looked after once.
    async fn wind_up(&self, id: &CampaignId) -> Result<(), PortError> {
        let standings = self.campaigns.standings(id).await?;
        let undrained = standings.into_iter().filter(|shard| shard.undrained && !shard.progress.done);
        let messages: Vec<Message> = undrained.map(|shard| Message::Shard(shard.work)).collect();
        self.queue.send(&messages, Duration::ZERO).await
    }

    async fn again_if_early(&self, id: &CampaignId, due: Timestamp) -> Result<(), PortError> {
        let left = due.duration_since(self.clock.now());
        match Duration::try_from(left) {
            Ok(wait) if left <= EARLY => self.queue.send(&[Message::Launch { campaign: id.clone() }], wait).await,
            Ok(_) | Err(_) => Ok(()),
        }
    }

    async fn check(&self, campaign: &Campaign) -> Result<Result<Pinned, StatusDetail>, PortError> {
        let refusal = |code, message: String| Ok(Err(StatusDetail::new(code, message)));
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
            // From its end on, since its passes read what the ones before them decided.
            forget_at: Some(days_after(campaign.expires_at, current.policy.retention_days)),
        }))
    }

    /// Every shard that can hold somebody of the audience.
    fn work(&self, campaign: &Campaign) -> Vec<Work> {
        let work = |shard| Work { campaign: campaign.id.clone(), shard, pass: 1 };
        campaign.audience.shards(self.shards).into_iter().map(work).collect()
    }
}

/// Moves a campaign whose shards all rest to where it rests: at its end, or until the next deferred people's time.
pub(super) async fn rest(
    campaigns: &dyn Campaigns,
    clock: &dyn Clock,
    id: &CampaignId,
    shards: u16,
) -> Result<(), PortError> {
    const AT_WORK: [CampaignStatus; 2] = [CampaignStatus::Sending, CampaignStatus::WaitingForWindow];
    let standings = campaigns.standings(id).await?;
    let now = clock.now();
    let done = standings.iter().filter(|shard| shard.progress.done).count();
    let asleep: Vec<&Standing> =
        standings.iter().filter(|shard| shard.progress.asleep(now) && !shard.undrained).collect();
    if done + asleep.len() < usize::from(shards) {
        // Somebody is still at work, and will look again.
        return Ok(());
    }
    let wakes = asleep.iter().filter_map(|shard| shard.progress.not_before).min();
    let to = match wakes {
        None => Move::to(CampaignStatus::Complete),
        Some(until) => {
            let waiting: u64 = asleep.iter().map(|shard| shard.progress.counts.of(OutcomeKind::Deferred)).sum();
            let message = format!("{waiting} wait for their send window or for a free slot");
            let detail = StatusDetail::new(StatusCode::Window, message).until(until);
            Move { to: CampaignStatus::WaitingForWindow, detail: Some(detail), pinned: None }
        }
    };
    campaigns.advance(id, &AT_WORK, &to).await.map(|_| ())
}
