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

use super::{ShardTable, Tables, shards::walk};

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

    /// Those of a pass that its cursor has passed, in the order of the people. What begins where a pass ended, or at
    /// its cursor so far, was put by a worker that died before it moved the cursor. Of older passes no end is kept.
    pub fn committed(&self, work: &Work) -> Vec<&Chunk> {
        let Some(item) = self.item(&work.campaign, work.shard) else { return Vec::new() };
        let end = match item.progress.pass.checked_sub(work.pass) {
            None => return Vec::new(),
            Some(0) if item.progress.cursor.is_none() => return Vec::new(),
            Some(0) => item.progress.cursor.as_ref(),
            Some(1) => item.ended.as_ref(),
            Some(_) => None,
        };
        let chunks = self.chunks.get(&walk(work)).into_iter().flatten();
        let passed = chunks.filter(|(start, _)| end.is_none_or(|end| start.as_ref().is_none_or(|start| start < end)));
        passed.map(|(_, put)| &put.chunk).collect()
    }
}

#[async_trait]
impl Ledger for Tables {
    async fn covering(&self, work: &Work, id: &RecipientId) -> Result<Option<Chunk>, PortError> {
        let (work, id) = (work.clone(), id.clone());
        self.call("read the chunk of a person", move |store| {
            let committed = store.shards.committed(&work);
            let begun = committed.into_iter().rfind(|chunk| chunk.start.as_ref().is_none_or(|start| *start < id));
            begun.filter(|chunk| id <= chunk.last).cloned()
        })
        .await
    }

    async fn after(&self, work: &Work, start: Option<&RecipientId>) -> Result<Option<Chunk>, PortError> {
        let (work, start) = (work.clone(), start.cloned());
        self.call("read a chunk", move |store| {
            let committed = store.shards.committed(&work);
            let begun = committed.into_iter().rfind(|chunk| chunk.start <= start);
            begun.filter(|chunk| start.as_ref().is_none_or(|start| *start < chunk.last)).cloned()
        })
        .await
    }

    async fn progress(&self, work: &Work) -> Result<Option<Progress>, PortError> {
        let work = work.clone();
        let read = move |store: &mut super::Store| {
            store.shards.item(&work.campaign, work.shard).map(|item| item.progress.clone())
        };
        self.call("read a shard", read).await
    }
}
