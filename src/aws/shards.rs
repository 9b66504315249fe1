//! The shards of a campaign and the chunks of its ledger: the lease, the fenced commit, and reading back.

use async_trait::async_trait;
use aws_sdk_dynamodb::{
    error::SdkError,
    operation::{
        put_item::PutItemError,
        update_item::{UpdateItemError, builders::UpdateItemFluentBuilder},
    },
    types::{ReturnConsumedCapacity, ReturnValue, ReturnValuesOnConditionCheckFailure},
};
use jiff::Timestamp;

use super::{
    codec,
    dynamo::{Dynamo, Item, Read, b, n, s, unavailable},
};
use crate::{
    domain::{
        id::{CampaignId, ClaimId, RecipientId},
        report::Counts,
    },
    flow::{
        ledger::{Chunk, Ledger, Progress},
        port::PortError,
        queue::Work,
        send::lease::{Committed, Shards, TakeOver},
    },
};

const FORMAT: u8 = 1;
const TOTAL: ReturnConsumedCapacity = ReturnConsumedCapacity::Total;
const ALL_OLD: ReturnValuesOnConditionCheckFailure = ReturnValuesOnConditionCheckFailure::AllOld;

pub(super) fn campaign_key(id: &CampaignId) -> String {
    format!("c#{id}")
}

pub(super) fn shard_key(work: &Work) -> String {
    format!("shard#{:02}#{:05}", work.pass, work.shard.0)
}

fn walk_key(work: &Work) -> String {
    format!("{}#{:05}#{:02}", work.campaign, work.shard.0, work.pass)
}

/// The exclusive start as a sort key; an empty one would not be allowed.
fn start_key(start: Option<&RecipientId>) -> String {
    format!(">{}", start.map_or("", RecipientId::as_str))
}

fn id(text: &str) -> Result<RecipientId, PortError> {
    text.parse().map_err(|wanted| PortError::corrupt("a cursor", wanted))
}

pub(super) fn progress(item: &Item) -> Result<Progress, PortError> {
    let cursor = item.get("c").map(|_| item.text("c").and_then(id)).transpose()?;
    let counts = item.get("n").map(|_| item.text("n")).transpose()?.map_or(Ok(Counts::default()), |counts| {
        serde_json::from_str(counts).map_err(|error| PortError::corrupt("the counts of a shard", error))
    })?;
    Ok(Progress { cursor, counts, done: item.contains_key("d") })
}

#[async_trait]
impl Shards for Dynamo {
    async fn take_over(
        &self,
        work: &Work,
        owner: ClaimId,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<TakeOver, PortError> {
        let update = self
            .update_shard(work)
            .update_expression("SET e = e + :one, l = :until, o = :owner")
            .condition_expression("attribute_exists(k) AND attribute_not_exists(d) AND l <= :now")
            .expression_attribute_values(":one", n(1))
            .expression_attribute_values(":until", n(until.as_millisecond()))
            .expression_attribute_values(":owner", b(owner.0))
            .expression_attribute_values(":now", n(now.as_millisecond()))
            .return_values(ReturnValue::AllNew);
        match update.send().await {
            Ok(answer) => {
                self.meter.write(answer.consumed_capacity());
                let item = answer.attributes().ok_or_else(no_item)?;
                Ok(TakeOver::Taken { epoch: item.number("e")?, progress: progress(item)? })
            }
            Err(error) => match lost(&error) {
                None => Err(unavailable(error)),
                Some(Lost::Nothing) => Ok(TakeOver::Missing),
                Some(Lost::Item(item)) if item.contains_key("d") => Ok(TakeOver::Done),
                Some(Lost::Item(item))
                    if item.get("o").is_some_and(|_| item.bytes("o").is_ok_and(|o| o == owner.0)) =>
                {
                    Ok(TakeOver::Taken { epoch: item.number("e")?, progress: progress(&item)? })
                }
                Some(Lost::Item(item)) => {
                    let until = Timestamp::from_millisecond(item.number("l")?);
                    Ok(TakeOver::Held { until: until.map_err(|e| PortError::corrupt("a lease", e))? })
                }
            },
        }
    }

    async fn renew(&self, work: &Work, epoch: u64, until: Timestamp) -> Result<Committed, PortError> {
        let update = self
            .update_shard(work)
            .update_expression("SET l = :until")
            .condition_expression("e = :e")
            .expression_attribute_values(":until", n(until.as_millisecond()))
            .expression_attribute_values(":e", n(epoch));
        match update.send().await {
            Ok(answer) => {
                self.meter.write(answer.consumed_capacity());
                Ok(Committed::Done)
            }
            Err(error) => lost(&error).map(|_| Committed::Fenced).ok_or_else(|| unavailable(error)),
        }
    }

    async fn commit(
        &self,
        work: &Work,
        epoch: u64,
        chunk: &Chunk,
        progress: &Progress,
    ) -> Result<Committed, PortError> {
        let put = self
            .client
            .put_item()
            .table_name(&self.names.ledger)
            .item("k", s(walk_key(work)))
            .item("t", s(start_key(chunk.start.as_ref())))
            .item("l", s(chunk.last.as_str()))
            .item("e", n(epoch))
            .item("b", b(codec::entries_bytes(&chunk.entries)?))
            .item("f", n(FORMAT))
            // What a dead worker left at the cursor is overwritten; what a newer one wrote is not.
            .condition_expression("attribute_not_exists(k) OR e <= :e")
            .expression_attribute_values(":e", n(epoch))
            .return_consumed_capacity(TOTAL);
        match put.send().await {
            Ok(answer) => self.meter.write(answer.consumed_capacity()),
            Err(error) if error.as_service_error().is_some_and(PutItemError::is_conditional_check_failed_exception) => {
                return Ok(Committed::Fenced);
            }
            Err(error) => return Err(unavailable(error)),
        }

        let counts = serde_json::to_string(&progress.counts)
            .map_err(|error| PortError::corrupt("the counts of a shard", error))?;
        let mut update = self
            .update_shard(work)
            .update_expression("SET c = :end, n = :counts")
            .expression_attribute_values(":e", n(epoch))
            .expression_attribute_values(":end", s(chunk.last.as_str()))
            .expression_attribute_values(":counts", s(counts));
        update = match &chunk.start {
            None => update.condition_expression("e = :e AND attribute_not_exists(c)"),
            Some(start) => update
                .condition_expression("e = :e AND c = :start")
                .expression_attribute_values(":start", s(start.as_str())),
        };
        match update.send().await {
            Ok(answer) => {
                self.meter.write(answer.consumed_capacity());
                Ok(Committed::Done)
            }
            Err(error) => match lost(&error) {
                None => Err(unavailable(error)),
                // Our own commit, repeated after its answer was lost.
                Some(Lost::Item(item))
                    if item.number::<u64>("e")? == epoch && item.text("c").is_ok_and(|c| c == chunk.last.as_str()) =>
                {
                    Ok(Committed::Done)
                }
                Some(_) => Ok(Committed::Fenced),
            },
        }
    }

    async fn leave(&self, work: &Work, epoch: u64, done: bool) -> Result<Committed, PortError> {
        let mut update = self
            .update_shard(work)
            .update_expression(if done { "SET l = :free, d = :done" } else { "SET l = :free" })
            .condition_expression("e = :e")
            .expression_attribute_values(":free", n(0))
            .expression_attribute_values(":e", n(epoch));
        if done {
            update = update.expression_attribute_values(":done", n(1));
        }
        match update.send().await {
            Ok(answer) => {
                self.meter.write(answer.consumed_capacity());
                Ok(Committed::Done)
            }
            Err(error) => lost(&error).map(|_| Committed::Fenced).ok_or_else(|| unavailable(error)),
        }
    }
}

#[async_trait]
impl Ledger for Dynamo {
    async fn covering(&self, work: &Work, id: &RecipientId) -> Result<Option<Chunk>, PortError> {
        let passed = self.cursor(work).await?.is_some_and(|cursor| *id <= cursor);
        if !passed {
            return Ok(None);
        }
        let query = self
            .query_walk(work)
            .key_condition_expression("k = :k AND t < :t")
            .expression_attribute_values(":t", s(start_key(Some(id))))
            .scan_index_forward(false);
        let answer = query.send().await.map_err(unavailable)?;
        self.meter.read(answer.consumed_capacity());
        let chunk = answer.items().first().map(chunk).transpose()?;
        Ok(chunk.filter(|chunk| *id <= chunk.last))
    }

    async fn next(&self, work: &Work, start: Option<&RecipientId>) -> Result<Option<Chunk>, PortError> {
        let Some(cursor) = self.cursor(work).await? else { return Ok(None) };
        let query = self
            .query_walk(work)
            .key_condition_expression("k = :k AND t >= :t")
            .expression_attribute_values(":t", s(start_key(start)));
        let answer = query.send().await.map_err(unavailable)?;
        self.meter.read(answer.consumed_capacity());
        let chunk = answer.items().first().map(chunk).transpose()?;
        // One that starts at the cursor was written by a worker that died before it moved the cursor.
        Ok(chunk.filter(|chunk| chunk.start.as_ref().is_none_or(|start| *start < cursor)))
    }
}

impl Dynamo {
    fn update_shard(&self, work: &Work) -> UpdateItemFluentBuilder {
        self.client
            .update_item()
            .table_name(&self.names.campaigns)
            .key("k", s(campaign_key(&work.campaign)))
            .key("t", s(shard_key(work)))
            .return_values_on_condition_check_failure(ALL_OLD)
            .return_consumed_capacity(TOTAL)
    }

    fn query_walk(&self, work: &Work) -> aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder {
        self.client
            .query()
            .table_name(&self.names.ledger)
            .expression_attribute_values(":k", s(walk_key(work)))
            .limit(1)
            .consistent_read(true)
            .return_consumed_capacity(TOTAL)
    }

    async fn cursor(&self, work: &Work) -> Result<Option<RecipientId>, PortError> {
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
        answer.item.as_ref().and_then(|item| item.get("c").map(|_| item.text("c").and_then(id))).transpose()
    }
}

fn chunk(item: &Item) -> Result<Chunk, PortError> {
    let start = item.text("t")?.trim_start_matches('>');
    let start = if start.is_empty() { None } else { Some(id(start)?) };
    Ok(Chunk { start, last: id(item.text("l")?)?, entries: codec::entries(item.bytes("b")?)? })
}

/// What was there when a condition failed.
enum Lost {
    Item(Item),
    Nothing,
}

/// `None` if the error was another one than a failed condition.
fn lost(error: &SdkError<UpdateItemError>) -> Option<Lost> {
    match error.as_service_error() {
        Some(UpdateItemError::ConditionalCheckFailedException(failed)) => {
            let item = failed.item().filter(|item| !item.is_empty());
            Some(item.map_or(Lost::Nothing, |item| Lost::Item(item.clone())))
        }
        Some(_) | None => None,
    }
}

fn no_item() -> PortError {
    PortError::corrupt("the answer to an update", "it holds no item")
}
