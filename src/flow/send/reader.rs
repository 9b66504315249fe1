//! Reading people page by page and asking the gate: from a shard to slices that hold one batch of mails each.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use async_trait::async_trait;

use super::{
    SendError,
    walk::{Run, entry},
};
use crate::{
    domain::{
        campaign::Audience,
        decision::{Outcome, Reason},
        gate,
        id::{RecipientId, Shard},
        recipient::Recipient,
        report::CampaignStatus,
    },
    flow::{
        launch::{Move, Versioned},
        ledger::Entry,
        port::PortError,
    },
};

/// A slice ends after so many people even if it holds no mail, so that a commit stays small.
const SLICE_PEOPLE: usize = 1_000;
/// How often the campaign's status is looked at.
const STATUS_EVERY: Duration = Duration::from_secs(1);
/// After a take-over pages are read consistently for this long: what the dead worker wrote last must be seen.
const CONSISTENT_FOR: Duration = Duration::from_mins(1);

/// A read of recipients in the order of their ids.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Page {
    pub recipients: Vec<Recipient>,
    /// Whether there may be more after the last of them.
    pub more: bool,
}

#[async_trait]
pub trait Pages: Send + Sync {
    /// The people of a shard after `after`.
    async fn page(&self, shard: Shard, after: Option<&RecipientId>, consistent: bool) -> Result<Page, PortError>;

    /// Those of `ids` that exist, in the order of their ids.
    async fn listed(&self, shard: Shard, ids: &[RecipientId], consistent: bool) -> Result<Vec<Recipient>, PortError>;
}

/// The part of an audience that lives in one shard.
pub(in crate::flow) struct ShardAudience<'a> {
    pub audience: &'a Audience,
    pub shard: Shard,
    /// Of the tables.
    pub shards: u16,
}

impl ShardAudience<'_> {
    /// Those of it after `after`.
    pub async fn page(
        &self,
        pages: &dyn Pages,
        after: Option<&RecipientId>,
        consistent: bool,
    ) -> Result<Page, PortError> {
        match self.audience {
            Audience::Everyone => pages.page(self.shard, after, consistent).await,
            Audience::Recipients(ids) => {
                let here = ids.iter().filter(|id| Shard::of(id, self.shards) == self.shard);
                let left: Vec<RecipientId> = here.filter(|id| after.is_none_or(|after| *id > after)).cloned().collect();
                let recipients = pages.listed(self.shard, &left, consistent).await?;
                Ok(Page { recipients, more: false })
            }
        }
    }
}

/// One person of a slice.
pub(super) enum Seat {
    Decided(Entry),
    /// The gate says send; whether it can be claimed is still open.
    Candidate(Box<Recipient>),
}

/// Consecutive people with at most one batch of mails among them, and the policy that they were read under.
pub(super) struct Slice {
    pub seats: Vec<Seat>,
    pub last: RecipientId,
    pub policy: Arc<Versioned>,
}

pub(super) struct Reader<'a> {
    run: &'a Run<'a>,
    after: Option<RecipientId>,
    ready: VecDeque<Slice>,
    through: bool,
    status_seen: Option<Duration>,
    started: Duration,
}

impl<'a> Reader<'a> {
    pub fn new(run: &'a Run<'a>, after: Option<RecipientId>) -> Self {
        let started = run.ports.clock.monotonic();
        Self { run, after, ready: VecDeque::new(), through: false, status_seen: None, started }
    }

    /// The next slice; `None` when everybody was read, or when the run is to stop.
    pub async fn next(&mut self) -> Result<Option<Slice>, SendError> {
        loop {
            self.look_at_status().await?;
            if self.run.stopped().is_some() {
                return Ok(None);
            }
            if let Some(slice) = self.ready.pop_front() {
                return Ok(Some(slice));
            }
            if self.through {
                return Ok(None);
            }
            self.read_page().await?;
        }
    }

    async fn look_at_status(&mut self) -> Result<(), SendError> {
        let now = self.run.ports.clock.monotonic();
        if self.status_seen.is_some_and(|seen| now < seen + STATUS_EVERY) {
            return Ok(());
        }
        self.status_seen = Some(now);
        let record = self.run.ports.campaigns.get(&self.run.work.campaign).await?;
        if record.is_none_or(|record| record.status != CampaignStatus::Sending) {
            self.run.stop(Reason::Stopped);
        } else if self.run.campaign.expires_at <= self.run.ports.clock.now() {
            self.run.halt(Reason::CampaignExpired, Move::to(CampaignStatus::Expired)).await;
        }
        Ok(())
    }

    async fn read_page(&mut self) -> Result<(), SendError> {
        let ports = self.run.ports;
        let policy = ports.policies.current().await?.ok_or(SendError::NoPolicy)?;
        let recent = ports.clock.monotonic() < self.started + CONSISTENT_FOR;
        let consistent = self.run.lease.epoch > 1 && recent;
        let audience =
            ShardAudience { audience: &self.run.campaign.audience, shard: self.run.work.shard, shards: ports.shards };
        let page = audience.page(ports.pages.as_ref(), self.after.as_ref(), consistent).await?;
        self.through = !page.more;
        if let Some(last) = page.recipients.last() {
            self.after = Some(last.id.clone());
        }
        self.slice(page.recipients, &policy);
        Ok(())
    }

    fn slice(&mut self, recipients: Vec<Recipient>, policy: &Arc<Versioned>) {
        let mut seats = Vec::new();
        let mut mails = 0;
        let mut people = recipients.into_iter().peekable();
        while let Some(recipient) = people.next() {
            let id = recipient.id.clone();
            let seat = self.judge(recipient, policy);
            mails += usize::from(matches!(seat, Seat::Candidate(_)));
            seats.push(seat);
            let full = mails == self.run.batch || seats.len() == SLICE_PEOPLE;
            if full || people.peek().is_none() {
                let seats = std::mem::take(&mut seats);
                self.ready.push_back(Slice { seats, last: id, policy: Arc::clone(policy) });
                mails = 0;
            }
        }
    }

    fn judge(&self, recipient: Recipient, policy: &Versioned) -> Seat {
        let now = self.run.ports.clock.now();
        let outcome = if recipient.sends.of(self.run.campaign.key()).is_some() {
            // Beyond the cursor, so a worker that died or stalled has taken them: nobody knows whether SES got the
            // mail. Whatever the gate says now, they are not mailed again.
            Outcome::InDoubt
        } else {
            match gate::decide(&recipient, &self.run.campaign, &policy.policy, now).grounds() {
                Ok(_) => return Seat::Candidate(Box::new(recipient)),
                Err(refused) => refused,
            }
        };
        Seat::Decided(entry(&recipient, outcome, policy.version, now))
    }
}
