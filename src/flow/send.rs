//! A worker's walk through one shard of a campaign: read, decide, claim, send, commit.
//!
//! The promises (never twice, caps hold, a crash loses nothing) rest on three conditional writes: the lease with its
//! epoch, the claim on a recipient's version, and the commit that moves the cursor.

pub mod claim;
pub mod lease;
pub mod mail;
pub mod reader;
mod settle;
mod walk;

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use tracing::{info, warn};

use self::{
    claim::Claims,
    lease::{Lease, Shards, TakeOver, lease_end},
    mail::{Mailer, Pace},
    reader::Pages,
    walk::Run,
};
use super::{
    clock::{Clock, Entropy},
    launch::{Campaigns, Move, Pinned, Policies, Templates},
    port::PortError,
    queue::{Message, Queue, Turn, Work},
    token::TokenKeys,
};
use crate::domain::{
    decision::OutcomeKind,
    id::{CampaignId, ClaimId},
    report::CampaignStatus,
};

/// How soon a shard that came before its campaign sends is tried again.
const NOT_YET: Duration = Duration::from_secs(1);

/// What a worker needs.
pub struct Sender {
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    pub campaigns: Arc<dyn Campaigns>,
    pub policies: Arc<dyn Policies>,
    pub templates: Arc<dyn Templates>,
    pub shard_items: Arc<dyn Shards>,
    pub pages: Arc<dyn Pages>,
    pub claims: Arc<dyn Claims>,
    pub mailer: Arc<dyn Mailer>,
    pub pace: Arc<dyn Pace>,
    pub queue: Arc<dyn Queue>,
    pub tokens: TokenKeys,
    /// Where the links in mails lead, without a slash at the end.
    pub public_url: String,
    /// Of the tables.
    pub shards: u16,
    /// How many SES calls may be open at once: 1 to 64.
    pub in_flight: usize,
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
    /// Walks `work` to its end, or as far as the campaign lets it. On `Ok` the message can be acknowledged; after an
    /// error it must be delivered again.
    pub async fn run(&self, work: &Work, _turn: &dyn Turn) -> Result<(), SendError> {
        let Some(record) = self.campaigns.get(&work.campaign).await? else {
            warn!(campaign = %work.campaign, "a shard of a campaign that does not exist");
            return Ok(());
        };
        match record.status {
            CampaignStatus::Scheduled | CampaignStatus::Launching => return self.later(work, NOT_YET).await,
            CampaignStatus::Sending => {}
            CampaignStatus::WaitingForWindow
            | CampaignStatus::WaitingForQuota
            | CampaignStatus::Paused
            | CampaignStatus::Cancelled
            | CampaignStatus::Expired
            | CampaignStatus::Complete
            | CampaignStatus::Refused => return Ok(()),
        }
        if record.campaign.expires_at <= self.clock.now() {
            self.expire(&work.campaign).await?;
            return Ok(());
        }
        let Some(pinned) = record.pinned else { return Ok(()) };
        let template = self.templates.pinned(&pinned.template, &pinned.template_hash).await?;
        let template = template.ok_or_else(|| PortError::corrupt("a pinned template", "it is not stored any more"))?;
        let current = self.policies.current().await?.ok_or(SendError::NoPolicy)?;

        let claim = ClaimId(self.entropy.eight_bytes());
        let asked = self.clock.monotonic();
        let now = self.clock.now();
        match self.shard_items.take_over(work, claim, now, lease_end(now)).await? {
            TakeOver::Missing => Ok(()),
            TakeOver::Done => self.close(work, &pinned).await,
            TakeOver::Held { until } => {
                let left = Duration::try_from(until.duration_since(now)).unwrap_or_default();
                self.later(work, left + Duration::from_secs(1)).await
            }
            TakeOver::Taken { epoch, progress } => {
                let shared = template.shared(&record.campaign.content, &current.policy);
                let run = Run {
                    ports: self,
                    work,
                    ses_template: template.ses_name(),
                    campaign: record.campaign,
                    pinned,
                    template,
                    shared,
                    claim,
                    lease: Lease::new(epoch, asked),
                    batch: self.pace.batch(),
                    stopped: OnceLock::new(),
                };
                let through = run.walk(progress).await?;
                info!(campaign = %work.campaign, shard = work.shard.0, epoch, through, "left a shard");
                if through { self.close(work, &run.pinned).await } else { Ok(()) }
            }
        }
    }

    async fn later(&self, work: &Work, delay: Duration) -> Result<(), SendError> {
        // The copy first: only then may this message be acknowledged.
        Ok(self.queue.send(&[Message::Shard(work.clone())], delay).await?)
    }

    /// Counts a shard as done; whoever sees all of them done closes the campaign.
    async fn close(&self, work: &Work, pinned: &Pinned) -> Result<(), SendError> {
        let done = self.campaigns.shard_done(work).await?;
        if done < pinned.shards {
            return Ok(());
        }
        let progress = self.campaigns.progress(&work.campaign).await?;
        let deferred: u64 = progress.iter().map(|shard| shard.counts.of(OutcomeKind::Deferred)).sum();
        let end = if deferred == 0 { CampaignStatus::Complete } else { CampaignStatus::WaitingForWindow };
        self.campaigns.advance(&work.campaign, &[CampaignStatus::Sending], &Move::to(end)).await?;
        Ok(())
    }

    /// Nobody is mailed after a campaign's end: the history that keeps people from getting it twice has one as well.
    async fn expire(&self, campaign: &CampaignId) -> Result<(), PortError> {
        let expired = Move::to(CampaignStatus::Expired);
        self.campaigns.advance(campaign, &[CampaignStatus::Sending], &expired).await.map(|_| ())
    }
}
