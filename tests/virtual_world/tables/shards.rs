//! The shards of campaigns: the lease, and the commit that only its holder can make.

use std::{cmp::Ordering, collections::BTreeMap};

use async_trait::async_trait;
use germane::{
    domain::{
        feedback::Step,
        id::{CampaignId, ClaimId, RecipientId, Shard},
    },
    flow::{
        launch::Standing,
        ledger::{Chunk, Progress},
        port::PortError,
        queue::Work,
        send::lease::{Committed, Left, Purpose, Shards, TakeOver},
    },
};
use jiff::Timestamp;

use super::Tables;

/// When a lease that was not given back in order ended: long ago.
const LAPSED: Timestamp = Timestamp::UNIX_EPOCH;

#[derive(Default)]
pub struct ShardTable {
    items: BTreeMap<(CampaignId, Shard), Item>,
    /// By campaign, shard and pass.
    pub(super) chunks: BTreeMap<(CampaignId, Shard, u16), BTreeMap<Option<RecipientId>, Put>>,
}

/// A chunk, and under which epoch it was put.
pub(super) struct Put {
    epoch: u64,
    pub chunk: Chunk,
}

#[derive(Default)]
pub(super) struct Item {
    epoch: u64,
    owner: Option<ClaimId>,
    lease: Option<Timestamp>,
    pub progress: Progress,
    /// Where the pass before ended.
    pub ended: Option<RecipientId>,
    pub settled: BTreeMap<Step, u64>,
    /// Where each pass ended, which no adapter keeps: to check what is read.
    pub ends: BTreeMap<u16, Option<RecipientId>>,
}

impl ShardTable {
    pub fn prepare(&mut self, work: &Work) {
        let item = || Item { progress: Progress { pass: work.pass, ..Progress::default() }, ..Item::default() };
        self.items.entry((work.campaign.clone(), work.shard)).or_insert_with(item);
    }

    pub fn standings(&self, id: &CampaignId) -> Vec<Standing> {
        let standing = |((campaign, shard), item): (&(CampaignId, Shard), &Item)| Standing {
            work: Work { campaign: campaign.clone(), shard: *shard, pass: item.progress.pass },
            progress: item.progress.clone(),
            undrained: item.lease.is_some(),
            settled: item.settled.clone(),
        };
        self.items.iter().filter(|((campaign, _), _)| campaign == id).map(standing).collect()
    }

    pub(super) fn item(&self, campaign: &CampaignId, shard: Shard) -> Option<&Item> {
        self.items.get(&(campaign.clone(), shard))
    }

    pub(super) fn item_mut(&mut self, campaign: &CampaignId, shard: Shard) -> Option<&mut Item> {
        self.items.get_mut(&(campaign.clone(), shard))
    }

    /// What a dead worker left at the cursor is overwritten; what a newer one wrote is not.
    fn put(&mut self, work: &Work, epoch: u64, chunk: &Chunk) -> Committed {
        let chunks = self.chunks.entry(walk(work)).or_default();
        if chunks.get(&chunk.start).is_some_and(|held| held.epoch > epoch) {
            return Committed::Fenced;
        }
        let mut entries = chunk.entries.clone();
        entries.sort_by_key(|entry| entry.reference);
        let forget_at = chunk.forget_at.map(|at| Timestamp::from_second(at.as_second()).unwrap());
        chunks.insert(chunk.start.clone(), Put { epoch, chunk: Chunk { entries, forget_at, ..chunk.clone() } });
        Committed::Done
    }
}

pub(super) fn walk(work: &Work) -> (CampaignId, Shard, u16) {
    (work.campaign.clone(), work.shard, work.pass)
}

impl Item {
    fn take_over(
        &mut self,
        work: &Work,
        purpose: Purpose,
        owner: ClaimId,
        now: Timestamp,
        until: Timestamp,
    ) -> TakeOver {
        let progress = self.progress.clone();
        let is_free = match (purpose, self.lease) {
            (_, Some(lease)) if lease > now => false,
            (Purpose::Walk, _) => progress.not_before.is_none_or(|start| start <= now),
            (Purpose::Sweep, lease) => lease.is_some(),
        };
        if is_free && !progress.done && progress.pass == work.pass {
            let drained = self.lease.is_none();
            self.epoch += 1;
            (self.owner, self.lease) = (Some(owner), Some(until));
            return TakeOver::Taken { epoch: self.epoch, progress, drained };
        }
        if progress.done || progress.pass > work.pass {
            return TakeOver::Past;
        }
        if progress.pass < work.pass {
            return TakeOver::Ahead;
        }
        if self.owner == Some(owner) {
            return TakeOver::Taken { epoch: self.epoch, progress, drained: false };
        }
        match (self.lease, progress.not_before) {
            (Some(lease), _) if lease > now => TakeOver::Held { until: lease },
            (_, Some(until)) if purpose == Purpose::Walk => TakeOver::Asleep { until },
            (_, Some(_) | None) => TakeOver::Drained,
        }
    }

    fn renew(&mut self, epoch: u64, until: Timestamp) -> Committed {
        match self.lease {
            Some(lease) if self.epoch == epoch && lease != LAPSED => {
                self.lease = Some(lease.max(until));
                Committed::Done
            }
            Some(_) | None => Committed::Fenced,
        }
    }

    fn advance(&mut self, work: &Work, epoch: u64, chunk: &Chunk, progress: &Progress) -> Committed {
        if self.epoch != epoch {
            return Committed::Fenced;
        }
        if self.progress.cursor.as_ref() == Some(&chunk.last) {
            return Committed::Done;
        }
        if (self.progress.pass, &self.progress.cursor) != (work.pass, &chunk.start) {
            return Committed::Fenced;
        }
        self.progress.cursor = Some(chunk.last.clone());
        self.progress.counts = progress.counts.clone();
        self.progress.next = progress.next.or(self.progress.next);
        Committed::Done
    }

    fn leave(&mut self, work: &Work, epoch: u64, left: Left) -> Committed {
        if self.epoch != epoch {
            return Committed::Fenced;
        }
        match self.progress.pass.cmp(&work.pass) {
            Ordering::Greater => return Committed::Done,
            Ordering::Less => return Committed::Fenced,
            Ordering::Equal => {}
        }
        self.lease = (left == Left::Undrained).then_some(LAPSED);
        match left {
            Left::Unfinished | Left::Undrained => {}
            Left::Done => self.progress.done = true,
            Left::Asleep { until } => {
                self.ends.insert(self.progress.pass, self.progress.cursor.clone());
                self.ended = self.progress.cursor.take();
                (self.progress.pass, self.progress.not_before, self.progress.next) = (work.pass + 1, Some(until), None);
            }
        }
        Committed::Done
    }
}

impl Tables {
    /// One conditional write of a shard's item; `None` if there is none.
    async fn shard<T: Send + 'static>(
        &self,
        what: &'static str,
        work: &Work,
        change: impl Fn(&mut Item) -> T + Send + 'static,
    ) -> Result<Option<T>, PortError> {
        let work = work.clone();
        self.call(what, move |store| store.shards.item_mut(&work.campaign, work.shard).map(&change)).await
    }
}

#[async_trait]
impl Shards for Tables {
    async fn take_over(
        &self,
        work: &Work,
        purpose: Purpose,
        owner: ClaimId,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<TakeOver, PortError> {
        let of = work.clone();
        let take = move |item: &mut Item| item.take_over(&of, purpose, owner, now, until);
        Ok(self.shard("take a shard over", work, take).await?.unwrap_or(TakeOver::Missing))
    }

    async fn renew(&self, work: &Work, epoch: u64, until: Timestamp) -> Result<Committed, PortError> {
        let renew = move |item: &mut Item| item.renew(epoch, until);
        Ok(self.shard("renew a lease", work, renew).await?.unwrap_or(Committed::Fenced))
    }

    /// Two writes, as in DynamoDB: what comes between them leaves a chunk that no cursor has passed.
    async fn commit(
        &self,
        work: &Work,
        epoch: u64,
        chunk: &Chunk,
        progress: &Progress,
    ) -> Result<Committed, PortError> {
        let (of, put) = (work.clone(), chunk.clone());
        let put = self.call("put a chunk", move |store| store.shards.put(&of, epoch, &put)).await?;
        if put == Committed::Fenced {
            return Ok(put);
        }
        let (of, chunk, progress) = (work.clone(), chunk.clone(), progress.clone());
        let advance = move |item: &mut Item| item.advance(&of, epoch, &chunk, &progress);
        Ok(self.shard("move a cursor", work, advance).await?.unwrap_or(Committed::Fenced))
    }

    async fn leave(&self, work: &Work, epoch: u64, left: Left) -> Result<Committed, PortError> {
        let of = work.clone();
        let leave = move |item: &mut Item| item.leave(&of, epoch, left);
        Ok(self.shard("leave a shard", work, leave).await?.unwrap_or(Committed::Fenced))
    }
}
