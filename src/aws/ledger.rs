//! The chunks of a campaign's ledger, read back: only what a walk's cursor has passed is part of it.

use async_trait::async_trait;
use jiff::Timestamp;

use super::{
    codec,
    dynamo::{Dynamo, Item, Read, s, unavailable},
    shards::{TOTAL, campaign_key, cursor, id, progress, shard_key, start_key, walk_key},
};
use crate::{
    domain::id::RecipientId,
    flow::{
        ledger::{Chunk, Ledger, Progress},
        port::PortError,
        queue::Work,
    },
};

#[async_trait]
impl Ledger for Dynamo {
    async fn covering(&self, work: &Work, id: &RecipientId) -> Result<Option<Chunk>, PortError> {
        let chunk = self.last_chunk(work, "t < :t", Some(id)).await?;
        Ok(chunk.filter(|chunk| *id <= chunk.last))
    }

    async fn after(&self, work: &Work, start: Option<&RecipientId>) -> Result<Option<Chunk>, PortError> {
        // Chunks join each other, so the one that begins there or spans it is the next one.
        let chunk = self.last_chunk(work, "t <= :t", start).await?;
        Ok(chunk.filter(|chunk| start.is_none_or(|start| *start < chunk.last)))
    }

    async fn progress(&self, work: &Work) -> Result<Option<Progress>, PortError> {
        self.shard_item(work).await?.as_ref().map(progress).transpose()
    }
}

impl Dynamo {
    /// The last committed chunk of a pass whose start meets the condition.
    async fn last_chunk(
        &self,
        work: &Work,
        condition: &str,
        id: Option<&RecipientId>,
    ) -> Result<Option<Chunk>, PortError> {
        let Some(item) = self.shard_item(work).await? else { return Ok(None) };
        let pass: u16 = item.number("p")?;
        // One that starts at a pass's end, or at its cursor so far, was written by a worker that died before it moved
        // the cursor. Of older passes no end is kept: there such a chunk speaks only of people who are gone.
        let end = match pass.checked_sub(work.pass) {
            None => return Ok(None),
            Some(0) => match cursor(&item, "c")? {
                None => return Ok(None),
                some => some,
            },
            Some(1) => cursor(&item, "z")?,
            Some(_) => None,
        };
        let mut exclusive = None;
        loop {
            let mut query = self
                .client
                .query()
                .table_name(&self.names.ledger)
                .key_condition_expression(format!("k = :k AND {condition}"))
                .expression_attribute_values(":k", s(walk_key(work)))
                .expression_attribute_values(":t", s(start_key(id)))
                .scan_index_forward(false)
                .limit(1)
                .consistent_read(true)
                .return_consumed_capacity(TOTAL);
            query = query.set_exclusive_start_key(exclusive.take());
            let answer = query.send().await.map_err(unavailable)?;
            self.meter.read(answer.consumed_capacity());
            let Some(item) = answer.items().first() else { return Ok(None) };
            let chunk = chunk(item)?;
            let passed = end.as_ref().is_none_or(|end| chunk.start.as_ref().is_none_or(|start| start < end));
            if passed {
                return Ok(Some(chunk));
            }
            exclusive = answer.last_evaluated_key().cloned();
            if exclusive.is_none() {
                return Ok(None);
            }
        }
    }

    async fn shard_item(&self, work: &Work) -> Result<Option<Item>, PortError> {
        let get = self
            .client
            .get_item()
            .table_name(&self.names.campaigns)
            .key("k", s(campaign_key(&work.campaign)))
            .key("t", s(shard_key(work)))
            .consistent_read(true)
            .return_consumed_capacity(TOTAL);
        let answer = get.send().await.map_err(unavailable)?;
        self.meter.read(answer.consumed_capacity());
        Ok(answer.item)
    }
}

pub(super) fn chunk(item: &Item) -> Result<Chunk, PortError> {
    let start = item.text("t")?.trim_start_matches('>');
    let start = if start.is_empty() { None } else { Some(id(start)?) };
    let forget_at = item.get("x").map(|_| item.number("x")).transpose()?.map(Timestamp::from_second).transpose();
    let forget_at = forget_at.map_err(|error| PortError::corrupt("a chunk's end", error))?;
    Ok(Chunk { start, last: id(item.text("l")?)?, entries: codec::entries(item.bytes("b")?)?, forget_at })
}
