//! The chunks of the ledger, as they are read.

use std::cmp::Ordering;

use async_trait::async_trait;
use germane::{
    domain::id::RecipientId,
    flow::{
        ledger::{Chunk, Ledger, Progress},
        port::PortError,
        queue::Work,
    },
};

use super::{ShardTable, Store, Tables, shards::walk};

/// Up to where a pass was walked.
#[derive(Clone)]
enum Passed {
    /// What begins where it ended, or at its cursor so far, was put by a worker that died before it moved the cursor.
    Until(RecipientId),
    /// Of older passes no end is kept.
    Whole,
}

impl ShardTable {
    /// The chunks of a pass that its cursor passed, whatever an adapter can know of it.
    pub fn truly_committed(&self, work: &Work) -> Vec<&Chunk> {
        let Some(item) = self.item(&work.campaign, work.shard) else { return Vec::new() };
        let end = match item.progress.pass.cmp(&work.pass) {
            Ordering::Less => None,
            Ordering::Equal => item.progress.cursor.as_ref(),
            Ordering::Greater => item.ends.get(&work.pass).and_then(Option::as_ref),
        };
        let Some(end) = end else { return Vec::new() };
        let chunks = self.chunks.get(&walk(work)).into_iter().flatten().map(|(_, put)| &put.chunk);
        chunks.filter(|chunk| chunk.start.as_ref().is_none_or(|start| start < end)).collect()
    }

    /// `None` while nothing is.
    fn passed(&self, work: &Work) -> Option<Passed> {
        let item = self.item(&work.campaign, work.shard)?;
        match item.progress.pass.checked_sub(work.pass)? {
            0 => item.progress.cursor.clone().map(Passed::Until),
            1 => Some(item.ended.clone().map_or(Passed::Whole, Passed::Until)),
            2.. => Some(Passed::Whole),
        }
    }

    fn within(&self, work: &Work, passed: Passed) -> impl DoubleEndedIterator<Item = &Chunk> {
        let is_within = move |start: &Option<RecipientId>| match (&passed, start) {
            (Passed::Until(end), Some(start)) => start < end,
            (Passed::Whole, _) | (Passed::Until(_), None) => true,
        };
        let chunks = self.chunks.get(&walk(work)).into_iter().flatten();
        chunks.filter(move |(start, _)| is_within(start)).map(|(_, put)| &put.chunk)
    }
}

impl Tables {
    /// The last committed chunk of a pass whose start is such. The shard is read first, then the chunk.
    async fn last_chunk(
        &self,
        work: &Work,
        is_such: impl Fn(Option<&RecipientId>) -> bool + Send + 'static,
    ) -> Result<Option<Chunk>, PortError> {
        let of = work.clone();
        let read = move |store: &mut Store| store.shards.passed(&of);
        let Some(passed) = self.call("read how far a shard is", read).await? else { return Ok(None) };
        let of = work.clone();
        self.call("read a chunk", move |store| {
            store.shards.within(&of, passed.clone()).rfind(|chunk| is_such(chunk.start.as_ref())).cloned()
        })
        .await
    }
}

#[async_trait]
impl Ledger for Tables {
    async fn covering(&self, work: &Work, id: &RecipientId) -> Result<Option<Chunk>, PortError> {
        let of = id.clone();
        let chunk = self.last_chunk(work, move |start| start.is_none_or(|start| *start < of)).await?;
        Ok(chunk.filter(|chunk| *id <= chunk.last))
    }

    async fn after(&self, work: &Work, start: Option<&RecipientId>) -> Result<Option<Chunk>, PortError> {
        let from = start.cloned();
        let chunk = self.last_chunk(work, move |start| start <= from.as_ref()).await?;
        Ok(chunk.filter(|chunk| start.is_none_or(|start| *start < chunk.last)))
    }

    async fn progress(&self, work: &Work) -> Result<Option<Progress>, PortError> {
        let work = work.clone();
        let read =
            move |store: &mut Store| store.shards.item(&work.campaign, work.shard).map(|item| item.progress.clone());
        self.call("read a shard", read).await
    }
}
