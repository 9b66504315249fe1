//! Reading people and asking the gate: from a shard to slices that hold one batch of mails each. The first pass reads
//! everybody; a later one those whom the pass before it deferred.

mod deferred;
mod people;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;

use self::{deferred::Deferred, people::People};
use super::{
    SendError,
    lease::Purpose,
    walk::{Run, entry},
};
use crate::{
    domain::{
        campaign::Audience,
        decision::Outcome,
        gate,
        id::{RecipientId, Shard},
        recipient::Recipient,
        report::Counts,
    },
    flow::{launch::Versioned, ledger::Entry, port::PortError},
};

/// A slice ends after so many people even if it holds no mail, so that a commit stays small.
const SLICE_PEOPLE: usize = 1_000;
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
    /// The outcomes of an earlier pass that those of the seats will replace.
    pub replaced: Counts,
    pub policy: Arc<Versioned>,
}

impl Slice {
    fn new(last: RecipientId, policy: Arc<Versioned>) -> Self {
        Self { seats: Vec::new(), last, replaced: Counts::default(), policy }
    }
}

pub(super) struct Reader<'a> {
    run: &'a Run<'a>,
    source: Source<'a>,
}

enum Source<'a> {
    Everybody(People<'a>),
    Deferred(Deferred<'a>),
}

impl<'a> Reader<'a> {
    pub fn new(run: &'a Run<'a>, after: Option<RecipientId>) -> Self {
        let source = if run.work.pass == 1 {
            Source::Everybody(People::new(run, after))
        } else {
            Source::Deferred(Deferred::new(run, after))
        };
        Self { run, source }
    }

    /// The next slice; `None` when everybody was read, or when the run is to stop.
    pub async fn next(&mut self) -> Result<Option<Slice>, SendError> {
        if self.run.stop.get().is_some() {
            return Ok(None);
        }
        match &mut self.source {
            Source::Everybody(people) => everybody(self.run, people).await,
            Source::Deferred(deferred) => deferred.next().await,
        }
    }
}

async fn everybody(run: &Run<'_>, people: &mut People<'_>) -> Result<Option<Slice>, SendError> {
    let mut slice: Option<Slice> = None;
    let mut batch = Batch::new(run);
    while !batch.full() {
        // A slice never waits for another page.
        if slice.is_some() && !people.at_hand() {
            break;
        }
        let Some((recipient, policy)) = people.next(None).await? else { break };
        let slice = slice.get_or_insert_with(|| Slice::new(recipient.id.clone(), policy));
        slice.last = recipient.id.clone();
        batch.seat(recipient, slice);
    }
    Ok(slice)
}

/// Fills the seats of one slice.
struct Batch<'a> {
    run: &'a Run<'a>,
    people: usize,
    mails: usize,
}

impl<'a> Batch<'a> {
    fn new(run: &'a Run<'a>) -> Self {
        Self { run, people: 0, mails: 0 }
    }

    fn full(&self) -> bool {
        self.mails == self.run.tempo.batch || self.people == SLICE_PEOPLE
    }

    /// Asks the gate about somebody and gives them a seat; true if they got one.
    fn seat(&mut self, recipient: Recipient, slice: &mut Slice) -> bool {
        self.people += 1;
        let Some(seat) = judge(self.run, recipient, &slice.policy) else { return false };
        self.mails += usize::from(matches!(seat, Seat::Candidate(_)));
        slice.seats.push(seat);
        true
    }
}

/// `None` for somebody on whom a sweep has nothing to say.
fn judge(run: &Run<'_>, recipient: Recipient, policy: &Versioned) -> Option<Seat> {
    let now = run.ports.clock.now();
    let outcome = if recipient.sends.of(run.campaign.key()).is_some() {
        // Beyond the cursor, so a worker that died or stalled has taken them: nobody knows whether SES got the mail.
        // Whatever the gate says now, they are not mailed again.
        Outcome::InDoubt
    } else if run.purpose == Purpose::Sweep {
        return None;
    } else {
        match gate::decide(&recipient, &run.campaign, &policy.policy, now).grounds() {
            Ok(_) => return Some(Seat::Candidate(Box::new(recipient))),
            Err(refused) => refused,
        }
    };
    Some(Seat::Decided(entry(&recipient, outcome, policy.version, now)))
}
