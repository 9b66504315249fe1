//! What SES tells of mails afterwards: addresses that bounce, people who complain, mails in doubt that turn out to have
//! gone. Events come in batches, at least once, in any order, and perhaps before the chunk that they are about; each
//! may be taken any number of times.

mod breaker;
mod person;
mod settle;

use std::{collections::BTreeMap, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use async_trait::async_trait;
use futures_util::{
    FutureExt, StreamExt,
    future::{BoxFuture, ready},
    stream,
};
use jiff::{SignedDuration, Timestamp};
use tracing::warn;

use super::{
    api::recipients::People,
    clock::Clock,
    launch::{CampaignRecord, Campaigns, Policies, Standing},
    ledger::Ledger,
    port::PortError,
    queue::{Message, Queue, Work},
    send::claim::Claims,
};
use crate::domain::{
    email::EmailAddress,
    feedback::{About, Bounce, Event, Settlement, Step, Tally, Unreadable, What},
    id::{CampaignId, RecipientId, Ref, Shard},
    policy::Tracking,
    recipient::Recipient,
};

/// How many events are worked on at once.
const AT_ONCE: usize = 8;
/// How soon an event that came before its chunk is looked at again: first, and at most.
const AGAIN: Duration = Duration::from_secs(30);
const AT_LATEST: Duration = Duration::from_mins(15);
/// An event that has waited so long for its chunk is about nobody whom the ledger can still name.
const PATIENCE: SignedDuration = SignedDuration::from_hours(32 * 24);

/// A mail as the ledger knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Place<'a> {
    pub campaign: &'a CampaignId,
    pub shard: Shard,
    pub reference: Ref,
    /// When the ledger forgets the campaign, and with it what is said of its mails.
    pub forget_at: Option<Timestamp>,
}

/// What is counted once of a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark {
    HardBounce,
    SoftBounce,
    Complaint,
}

/// What events said of mails, beside the ledger's chunks.
#[async_trait]
pub trait Settlements: Send + Sync {
    async fn get(&self, place: &Place<'_>) -> Result<Option<Settlement>, PortError>;

    /// All of one shard.
    async fn of_shard(&self, campaign: &CampaignId, shard: Shard) -> Result<Vec<(Ref, Settlement)>, PortError>;

    /// Settles a mail and moves its shard's counts, both or neither, if it still is settled as `held` says. False if
    /// it was settled otherwise meanwhile.
    async fn settle(&self, place: &Place<'_>, held: Option<Settlement>, step: Step) -> Result<bool, PortError>;

    /// Counts a mark, unless it was counted before. `reputation` says whether it is about a real address.
    async fn mark(&self, place: &Place<'_>, mark: Mark, at: Timestamp, reputation: bool) -> Result<bool, PortError>;

    /// Adds what is counted without asking whether it was before.
    async fn add(&self, campaign: &CampaignId, reads: Reads) -> Result<(), PortError>;

    async fn tally(&self, campaign: &CampaignId) -> Result<Tally, PortError>;
}

/// How often a batch of events said so.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reads {
    pub delivered: u64,
    pub opened: u64,
    pub clicked: u64,
}

/// What is kept of a mailbox, whoever has it.
#[async_trait]
pub trait Mailboxes: Send + Sync {
    /// Whose it is; `None` if it is nobody's.
    async fn owner(&self, address: &EmailAddress) -> Result<Option<RecipientId>, PortError>;

    /// Notes a soft bounce and answers with the times of all that are remembered. The same one again is one.
    async fn soft_bounced(&self, address: &EmailAddress, at: Timestamp) -> Result<Vec<Timestamp>, PortError>;
}

/// What the step needs.
pub struct Feedback {
    pub clock: Arc<dyn Clock>,
    pub campaigns: Arc<dyn Campaigns>,
    pub policies: Arc<dyn Policies>,
    pub people: Arc<dyn People>,
    pub claims: Arc<dyn Claims>,
    pub ledger: Arc<dyn Ledger>,
    pub settlements: Arc<dyn Settlements>,
    pub mailboxes: Arc<dyn Mailboxes>,
    pub queue: Arc<dyn Queue>,
    /// Of the tables.
    pub shards: u16,
}

/// Why an event must be delivered again.
#[derive(Debug, thiserror::Error)]
pub enum FeedbackError {
    #[error(transparent)]
    Port(#[from] PortError),
    /// Delivered often enough, it belongs to the dead letters.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    #[error("a recipient could not be written for too long")]
    Contended,
    #[error("the step panicked at it: this is a mistake in the program")]
    Panicked,
}

/// An event on its way: how often it had to wait for its chunk.
struct Arrival {
    event: Event,
    body: serde_json::Value,
    waited: u32,
}

/// Where the campaigns of a batch stand, each read once.
type Standings = BTreeMap<CampaignId, Vec<Standing>>;

impl Feedback {
    /// Takes a batch of messages and answers for each, in their order; those that failed must be delivered again.
    pub async fn take(&self, bodies: &[&str]) -> Vec<Result<(), FeedbackError>> {
        let arrivals: Vec<Result<Arrival, FeedbackError>> = bodies.iter().map(|body| Arrival::read(body)).collect();
        let standings = match self.standings(&arrivals).await {
            Ok(standings) => standings,
            Err(error) => return all_failed(arrivals, &error),
        };
        let handled: Vec<BoxFuture<'_, Result<(), FeedbackError>>> = arrivals
            .iter()
            .map(|arrival| match arrival {
                Ok(arrival) => AssertUnwindSafe(self.handle(arrival, &standings))
                    .catch_unwind()
                    .map(|handled| handled.unwrap_or(Err(FeedbackError::Panicked)))
                    .boxed(),
                Err(_) => ready(Ok(())).boxed(),
            })
            .collect();
        let handled: Vec<Result<(), FeedbackError>> = stream::iter(handled).buffered(AT_ONCE).collect().await;
        let mut answers: Vec<Result<(), FeedbackError>> = Vec::with_capacity(bodies.len());
        let mut reads: BTreeMap<CampaignId, (Reads, Vec<usize>)> = BTreeMap::new();
        for (at, (arrival, handled)) in arrivals.into_iter().zip(handled).enumerate() {
            let arrival = match (arrival, &handled) {
                (Err(error), _) => {
                    warn!(%error, "a message of the feedback queue cannot be read");
                    answers.push(Err(error));
                    continue;
                }
                (Ok(arrival), Ok(())) => Some(arrival),
                (Ok(_), Err(_)) => None,
            };
            // What waited was counted when it first came.
            if let Some(Arrival { event: Event { what, about: Some(about), .. }, waited: 0, .. }) = arrival {
                let (sums, of) = reads.entry(about.campaign).or_default();
                if sums.count(what) {
                    of.push(at);
                }
            }
            answers.push(handled);
        }
        for (campaign, (sums, of)) in reads {
            if of.is_empty() {
                continue;
            }
            if let Err(error) = self.add(&campaign, sums).await {
                warn!(%campaign, %error, "deliveries could not be counted");
                // Counted approximately: taken again, what else they said is harmless.
                for at in of {
                    if let Some(answer) = answers.get_mut(at) {
                        *answer =
                            Err(PortError::unavailable("the campaigns table", "deliveries were not counted").into());
                    }
                }
            }
        }
        answers
    }

    /// Counts what the readers did only while the policy wants it counted.
    async fn add(&self, campaign: &CampaignId, sums: Reads) -> Result<(), PortError> {
        let mut sums = sums;
        if sums.opened + sums.clicked > 0 {
            let tracking = self.policies.current().await?.map_or_else(Tracking::default, |held| held.policy.tracking);
            sums.opened *= u64::from(tracking.opens);
            sums.clicked *= u64::from(tracking.clicks);
        }
        if sums == Reads::default() { Ok(()) } else { self.settlements.add(campaign, sums).await }
    }

    /// How the campaigns stand whose deliveries may settle something.
    async fn standings(&self, arrivals: &[Result<Arrival, FeedbackError>]) -> Result<Standings, PortError> {
        let mut standings = Standings::new();
        for arrival in arrivals.iter().flatten() {
            let Some(about) = &arrival.event.about else { continue };
            if Settlement::of(arrival.event.what).is_some() && !standings.contains_key(&about.campaign) {
                let of = self.campaigns.standings(&about.campaign).await?;
                standings.insert(about.campaign.clone(), of);
            }
        }
        Ok(standings)
    }

    async fn handle(&self, arrival: &Arrival, standings: &Standings) -> Result<(), FeedbackError> {
        let Arrival { event, waited, .. } = arrival;
        // What concerns the person comes first, and does not wait for the ledger.
        if *waited == 0 {
            match event.what {
                What::Bounced(Bounce::Hard) => self.hard_bounced(event).await?,
                What::Bounced(Bounce::Soft) => self.soft_bounced(event).await?,
                What::Complained => self.complained(event).await?,
                What::Bounced(Bounce::OfMessage)
                | What::Delivered
                | What::Rejected
                | What::NotRendered
                | What::Opened
                | What::Clicked
                | What::Unremarkable => {}
            }
        }
        let (Some(about), Some(settlement)) = (&event.about, Settlement::of(event.what)) else { return Ok(()) };
        let standing = standings.get(&about.campaign).map_or(&[][..], Vec::as_slice);
        if !self.settle(about, settlement, standing).await?.waits() {
            return Ok(());
        }
        if event.at.saturating_add(PATIENCE).is_ok_and(|end| end <= self.clock.now()) {
            return Ok(());
        }
        let again = Message::Feedback { event: arrival.body.clone(), waited: waited.saturating_add(1) };
        let delay = AGAIN.saturating_mul(2_u32.saturating_pow(*waited)).min(AT_LATEST);
        Ok(self.queue.send(&[again], delay).await?)
    }

    fn place<'a>(&self, record: &'a CampaignRecord, person: &Recipient) -> Place<'a> {
        let forget_at = record.pinned.as_ref().and_then(|pinned| pinned.forget_at);
        let shard = Shard::of(&person.id, self.shards);
        Place { campaign: &record.campaign.id, shard, reference: person.reference, forget_at }
    }

    fn work(&self, about: &About) -> Work {
        Work { campaign: about.campaign.clone(), shard: Shard::of(&about.recipient, self.shards), pass: 1 }
    }
}

impl Arrival {
    /// An event as it came from SES, or one of ours that had to wait.
    fn read(body: &str) -> Result<Self, FeedbackError> {
        let value = serde_json::from_str::<serde_json::Value>(body).map_err(|_| Unreadable)?;
        let (body, waited) = match Message::from_body(body) {
            Ok(Message::Feedback { event, waited }) => (event, waited),
            Ok(Message::Launch { .. } | Message::Shard(_) | Message::Preview { .. } | Message::Newsletter { .. })
            | Err(_) => (value, 0),
        };
        Ok(Self { event: Event::parse(&body)?, body, waited })
    }
}

impl Reads {
    /// Whether it is one of those that are counted so.
    fn count(&mut self, what: What) -> bool {
        let counter = match what {
            What::Delivered => &mut self.delivered,
            What::Opened => &mut self.opened,
            What::Clicked => &mut self.clicked,
            What::Bounced(_) | What::Complained | What::Rejected | What::NotRendered | What::Unremarkable => {
                return false;
            }
        };
        *counter += 1;
        true
    }
}

fn all_failed(arrivals: Vec<Result<Arrival, FeedbackError>>, error: &PortError) -> Vec<Result<(), FeedbackError>> {
    warn!(%error, "a batch of feedback is to be delivered again");
    let again = || PortError::unavailable("the campaigns table", "how the campaigns stand is not known").into();
    arrivals.into_iter().map(|arrival| arrival.and_then(|_| Err(again()))).collect()
}
