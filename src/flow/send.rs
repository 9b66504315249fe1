//! A worker's walk through one shard of a campaign: read, decide, claim, send, commit.
//!
//! The promises (never twice, caps hold, a crash loses nothing) rest on three conditional writes: the lease with its
//! epoch, the claim on a recipient's version, and the commit that moves the cursor.

pub mod claim;
pub mod lease;
pub mod mail;
pub mod monitor;
pub mod reader;
mod settle;
mod stop;
mod walk;
mod watch;

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use tracing::{info, warn};

use self::{
    claim::Claims,
    lease::{Lease, Purpose, Shards, TakeOver, lease_end},
    mail::Mailer,
    monitor::{Meter, Monitor},
    reader::Pages,
    stop::Stop,
    walk::{Ended, Run},
};
use super::{
    clock::{Clock, Entropy},
    launch::{CampaignRecord, Campaigns, Move, Pinned, Policies, Templates, rest},
    ledger::{Ledger, Progress},
    pace::{Pacer, Tempo},
    port::PortError,
    queue::{Message, Queue, Turn, Work},
    schedule::{ScheduleName, Scheduler},
    template::{Compiled, Shared},
    token::TokenKeys,
};
use crate::domain::{id::ClaimId, report::CampaignStatus};

/// How soon a shard that came before its campaign sends is tried again.
const NOT_YET: Duration = Duration::from_secs(1);
/// The statuses under which shards are walked.
const AT_WORK: [CampaignStatus; 2] = [CampaignStatus::Sending, CampaignStatus::WaitingForWindow];

/// What a worker needs.
pub struct Sender {
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    pub campaigns: Arc<dyn Campaigns>,
    pub policies: Arc<dyn Policies>,
    pub templates: Arc<dyn Templates>,
    pub shard_items: Arc<dyn Shards>,
    pub ledger: Arc<dyn Ledger>,
    pub pages: Arc<dyn Pages>,
    pub claims: Arc<dyn Claims>,
    pub mailer: Arc<dyn Mailer>,
    pub pacer: Pacer,
    pub queue: Arc<dyn Queue>,
    pub scheduler: Arc<dyn Scheduler>,
    pub monitor: Arc<dyn Monitor>,
    pub tokens: TokenKeys,
    /// Where the links in mails lead, without a slash at the end.
    pub public_url: String,
    /// Of the tables.
    pub shards: u16,
    /// At most so many SES calls of a shard are open at once: 1 to 64.
    pub max_in_flight: usize,
}

/// Why a shard goes back to its queue. Nothing is lost: whoever takes it next goes on at the cursor.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    #[error(transparent)]
    Port(#[from] PortError),
    #[error("another worker has taken the shard over")]
    Fenced,
    #[error("the lease is about to end")]
    LeaseEnds,
    #[error("SES did not take a mail for too long")]
    MailerDown,
    #[error("a recipient could not be written for too long")]
    Contended,
    #[error("there is no policy, so nobody may be mailed")]
    NoPolicy,
}

impl Sender {
    /// Walks `work` to its end, or as far as the campaign and the turn let it. On `Ok` the message can be
    /// acknowledged; after an error it must be delivered again.
    pub async fn run(&self, work: &Work, turn: &dyn Turn) -> Result<(), SendError> {
        let Some(record) = self.campaigns.get(&work.campaign).await? else {
            warn!(campaign = %work.campaign, "a shard of a campaign that does not exist");
            return Ok(());
        };
        let purpose = match record.status {
            CampaignStatus::Scheduled | CampaignStatus::Launching => return self.later(work, NOT_YET).await,
            CampaignStatus::Sending | CampaignStatus::WaitingForWindow => {
                if record.campaign.expires_at <= self.clock.now() {
                    // Nobody is mailed after a campaign's end: the history that keeps people from getting it twice
                    // has one as well.
                    self.campaigns.advance(&work.campaign, &AT_WORK, &Move::to(CampaignStatus::Expired)).await?;
                    Purpose::Sweep
                } else {
                    Purpose::Walk
                }
            }
            CampaignStatus::Cancelled | CampaignStatus::Expired => Purpose::Sweep,
            // Once one of the first two goes on, every shard that is not done is queued again.
            CampaignStatus::Paused
            | CampaignStatus::WaitingForQuota
            | CampaignStatus::Complete
            | CampaignStatus::Refused => return Ok(()),
        };
        self.take(work, record, purpose, turn).await
    }

    async fn take(
        &self,
        work: &Work,
        record: CampaignRecord,
        purpose: Purpose,
        turn: &dyn Turn,
    ) -> Result<(), SendError> {
        // First all that may fail for a reason of its own: a shard that was taken in vain would be held for a minute.
        let Some(plan) = self.plan(&record).await? else { return Ok(()) };
        let claim = ClaimId(self.entropy.eight_bytes());
        let asked = self.clock.monotonic();
        let now = self.clock.now();
        match self.shard_items.take_over(work, purpose, claim, now, lease_end(now)).await? {
            TakeOver::Missing | TakeOver::Drained => Ok(()),
            TakeOver::Past => self.close(work, &record).await,
            TakeOver::Held { until } => self.later(work, until_then(now, until) + Duration::from_secs(1)).await,
            TakeOver::Asleep { until } => Ok(self.wake(work, until).await?),
            TakeOver::Ahead => match purpose {
                Purpose::Walk => self.later(work, Duration::from_secs(lease::LEASE_S)).await,
                // The pass before will never be through, and what it left is swept under its own number.
                Purpose::Sweep => Ok(()),
            },
            TakeOver::Taken { epoch, progress, drained } => {
                let lease = Lease::new(epoch, asked);
                self.walk(Taken { work, purpose, claim, lease, progress, drained }, record, plan, turn).await
            }
        }
    }

    /// What every mail of the campaign has in common; `None` for one that was never launched.
    async fn plan(&self, record: &CampaignRecord) -> Result<Option<Plan>, SendError> {
        let Some(pinned) = record.pinned.clone() else { return Ok(None) };
        let template = self.templates.pinned(&pinned.template, &pinned.template_hash).await?;
        let template = template.ok_or_else(|| PortError::corrupt("a pinned template", "it is not stored any more"))?;
        let current = self.policies.current().await?.ok_or(SendError::NoPolicy)?;
        let shared = template.shared(&record.campaign.content, &current.policy);
        Ok(Some(Plan { pinned, template, shared, tempo: self.pacer.tempo().await? }))
    }

    async fn walk(
        &self,
        taken: Taken<'_>,
        record: CampaignRecord,
        plan: Plan,
        turn: &dyn Turn,
    ) -> Result<(), SendError> {
        let Taken { work, purpose, claim, lease, progress, drained } = taken;
        let Plan { pinned, template, shared, tempo } = plan;
        if record.status == CampaignStatus::WaitingForWindow {
            let sending = Move::to(CampaignStatus::Sending);
            self.campaigns.advance(&work.campaign, &[CampaignStatus::WaitingForWindow], &sending).await?;
        }
        let run = Run {
            ports: self,
            work,
            turn,
            purpose,
            shared,
            campaign: record.campaign.clone(),
            pinned,
            ses_template: template.ses_name(),
            template,
            claim,
            lease,
            drained,
            tempo,
            stop: Stop::new(),
            meter: Meter::default(),
        };
        // Large, and held by everything that waits for it.
        let begun = self.clock.monotonic();
        let ended = Box::pin(run.walk(progress)).await;
        self.monitor.walked(work, &run.meter.read(self.clock.monotonic().saturating_sub(begun)));
        let ended = ended?;
        info!(campaign = %work.campaign, shard = work.shard.0, pass = work.pass, ?ended, "left a shard");
        match (ended, purpose) {
            (Ended::Through, Purpose::Walk) => self.close(work, &record).await,
            (Ended::TurnOver, _) => self.later(work, Duration::ZERO).await,
            (Ended::Through, Purpose::Sweep) | (Ended::Stopped, _) => Ok(()),
        }
    }

    async fn later(&self, work: &Work, delay: Duration) -> Result<(), SendError> {
        // The copy first: only then may this message be acknowledged.
        Ok(self.queue.send(&[Message::Shard(work.clone())], delay).await?)
    }

    /// Has a shard's pass begin at its time. The same wake again moves it.
    async fn wake(&self, work: &Work, at: Timestamp) -> Result<(), PortError> {
        self.scheduler.once(&ScheduleName::pass(work), at, &Message::Shard(work.clone())).await
    }

    /// Counts a shard as through; whoever sees all of them through looks whether the campaign comes to rest.
    async fn close(&self, work: &Work, record: &CampaignRecord) -> Result<(), SendError> {
        let Some(pinned) = &record.pinned else { return Ok(()) };
        if self.campaigns.shard_through(work).await? < pinned.shards {
            return Ok(());
        }
        Ok(rest(self.campaigns.as_ref(), self.clock.as_ref(), &work.campaign, pinned.shards).await?)
    }
}

struct Plan {
    pinned: Pinned,
    template: Compiled,
    shared: Shared,
    tempo: Tempo,
}

/// A shard under a lease that has just begun.
struct Taken<'a> {
    work: &'a Work,
    purpose: Purpose,
    claim: ClaimId,
    lease: Lease,
    progress: Progress,
    drained: bool,
}

fn until_then(now: Timestamp, then: Timestamp) -> Duration {
    Duration::try_from(then.duration_since(now)).unwrap_or_default()
}
