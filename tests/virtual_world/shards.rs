//! The shards of campaigns and the chunks of their ledger.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use germane::{
    domain::id::{CampaignId, ClaimId, RecipientId, Shard},
    flow::{
        launch::Standing,
        ledger::{Chunk, Ledger, Progress},
        port::PortError,
        queue::Work,
        send::lease::{Committed, Left, Purpose, Shards, TakeOver},
    },
};
use jiff::Timestamp;

use super::network::Network;

pub struct ShardTable {
    network: Arc<Network>,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    items: BTreeMap<(CampaignId, Shard), Item>,
    through: BTreeSet<(CampaignId, Shard)>,
}

#[derive(Default)]
struct Item {
    epoch: u64,
    owner: Option<ClaimId>,
    lease: Option<Timestamp>,
    progress: Progress,
    /// By pass, in the order in which they were committed: each begins where the one before it ends.
    chunks: BTreeMap<u16, Vec<Chunk>>,
}

impl ShardTable {
    pub fn new(network: Arc<Network>) -> Self {
        Self { network, held: Mutex::default() }
    }

    pub async fn prepare(&self, work: &[Work]) {
        let prepare = || {
            let mut held = self.held.lock().unwrap();
            for work in work {
                held.items.entry((work.campaign.clone(), work.shard)).or_default();
            }
        };
        self.network.table(prepare).await;
    }

    pub async fn standings(&self, id: &CampaignId) -> Vec<Standing> {
        let read = || self.held.lock().unwrap().standings(id);
        self.network.table(read).await
    }

    pub async fn through(&self, work: &Work) -> usize {
        let count = || {
            let mut held = self.held.lock().unwrap();
            held.through.insert((work.campaign.clone(), work.shard));
            held.through.iter().filter(|(campaign, _)| *campaign == work.campaign).count()
        };
        self.network.table(count).await
    }

    /// How each shard stands at this moment.
    pub fn standing(&self, id: &CampaignId) -> Vec<Standing> {
        self.held.lock().unwrap().standings(id)
    }

    /// One read or conditional write of a shard's item; `None` if there is none.
    async fn with<T>(&self, work: &Work, change: impl FnOnce(&mut Item) -> T) -> Option<T> {
        let key = (work.campaign.clone(), work.shard);
        self.network.table(|| self.held.lock().unwrap().items.get_mut(&key).map(change)).await
    }
}

impl Held {
    fn standings(&self, id: &CampaignId) -> Vec<Standing> {
        let standing = |((campaign, shard), item): (&(CampaignId, Shard), &Item)| Standing {
            work: Work { campaign: campaign.clone(), shard: *shard, pass: item.progress.pass },
            progress: item.progress.clone(),
            undrained: item.lease.is_some(),
            settled: BTreeMap::new(),
        };
        self.items.iter().filter(|((campaign, _), _)| campaign == id).map(standing).collect()
    }
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
        if progress.done || progress.pass > work.pass {
            return TakeOver::Past;
        }
        if progress.pass < work.pass {
            return TakeOver::Ahead;
        }
        if self.owner == Some(owner) {
            return TakeOver::Taken { epoch: self.epoch, progress, drained: false };
        }
        match (purpose, self.lease, progress.not_before) {
            (_, Some(lease), _) if lease > now => return TakeOver::Held { until: lease },
            (Purpose::Sweep, None, _) => return TakeOver::Drained,
            (Purpose::Walk, _, Some(until)) if until > now => return TakeOver::Asleep { until },
            (Purpose::Walk | Purpose::Sweep, ..) => {}
        }
        let drained = self.lease.is_none();
        self.epoch += 1;
        (self.owner, self.lease) = (Some(owner), Some(until));
        TakeOver::Taken { epoch: self.epoch, progress, drained }
    }

    fn commit(&mut self, work: &Work, epoch: u64, chunk: &Chunk, progress: &Progress) -> Committed {
        if self.epoch != epoch {
            return Committed::Fenced;
        }
        if self.progress.cursor.as_ref() == Some(&chunk.last) {
            return Committed::Done;
        }
        if self.progress.cursor != chunk.start {
            return Committed::Fenced;
        }
        self.progress = progress.clone();
        self.chunks.entry(work.pass).or_default().push(chunk.clone());
        Committed::Done
    }

    fn leave(&mut self, work: &Work, epoch: u64, left: Left) -> Committed {
        if self.epoch != epoch || self.progress.pass < work.pass {
            return Committed::Fenced;
        }
        if self.progress.pass > work.pass {
            return Committed::Done;
        }
        // What lapsed long ago is over, and was not left in order.
        self.lease = (left == Left::Undrained).then_some(Timestamp::UNIX_EPOCH);
        match left {
            Left::Unfinished | Left::Undrained => {}
            Left::Done => self.progress.done = true,
            Left::Asleep { until } => {
                let pass = self.progress.pass + 1;
                let counts = self.progress.counts.clone();
                self.progress = Progress { pass, not_before: Some(until), counts, ..Progress::default() };
            }
        }
        Committed::Done
    }
}

#[async_trait]
impl Shards for ShardTable {
    async fn take_over(
        &self,
        work: &Work,
        purpose: Purpose,
        owner: ClaimId,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<TakeOver, PortError> {
        let taken = self.with(work, |item| item.take_over(work, purpose, owner, now, until)).await;
        Ok(taken.unwrap_or(TakeOver::Missing))
    }

    async fn renew(&self, work: &Work, epoch: u64, until: Timestamp) -> Result<Committed, PortError> {
        let renew = |item: &mut Item| {
            if item.epoch != epoch {
                return Committed::Fenced;
            }
            item.lease = Some(until);
            Committed::Done
        };
        Ok(self.with(work, renew).await.unwrap_or(Committed::Fenced))
    }

    async fn commit(
        &self,
        work: &Work,
        epoch: u64,
        chunk: &Chunk,
        progress: &Progress,
    ) -> Result<Committed, PortError> {
        Ok(self.with(work, |item| item.commit(work, epoch, chunk, progress)).await.unwrap_or(Committed::Fenced))
    }

    async fn leave(&self, work: &Work, epoch: u64, left: Left) -> Result<Committed, PortError> {
        Ok(self.with(work, |item| item.leave(work, epoch, left)).await.unwrap_or(Committed::Fenced))
    }
}

#[async_trait]
impl Ledger for ShardTable {
    async fn covering(&self, work: &Work, id: &RecipientId) -> Result<Option<Chunk>, PortError> {
        let covers = |chunk: &&Chunk| chunk.start.as_ref().is_none_or(|start| start < id) && *id <= chunk.last;
        let find = |item: &mut Item| item.chunks.get(&work.pass)?.iter().find(covers).cloned();
        Ok(self.with(work, find).await.flatten())
    }

    async fn after(&self, work: &Work, start: Option<&RecipientId>) -> Result<Option<Chunk>, PortError> {
        let next = |chunk: &&Chunk| start.is_none_or(|start| *start < chunk.last);
        let find = |item: &mut Item| item.chunks.get(&work.pass)?.iter().find(next).cloned();
        Ok(self.with(work, find).await.flatten())
    }

    async fn progress(&self, work: &Work) -> Result<Option<Progress>, PortError> {
        Ok(self.with(work, |item| item.progress.clone()).await)
    }
}
