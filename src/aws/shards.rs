//! The shards of a campaign: the lease, and the fenced commit of a chunk. What reads chunks back is in `ledger.rs`.

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
    settlements::steps,
};
use crate::{
    domain::{
        id::{CampaignId, ClaimId, RecipientId, Shard},
        report::Counts,
    },
    flow::{
        launch::Standing,
        ledger::{Chunk, Progress},
        port::PortError,
        queue::Work,
        send::lease::{Committed, Left, Purpose, Shards, TakeOver},
    },
};

const FORMAT: u8 = 1;
/// The end of a lease that was given back in order, and of one that was not: both are over.
const DRAINED: i64 = 0;
const LAPSED: i64 = 1;
pub(super) const TOTAL: ReturnConsumedCapacity = ReturnConsumedCapacity::Total;
const ALL_OLD: ReturnValuesOnConditionCheckFailure = ReturnValuesOnConditionCheckFailure::AllOld;

pub(super) fn campaign_key(id: &CampaignId) -> String {
    format!("c#{id}")
}

/// What the sort keys of a campaign's shards begin with.
pub(super) const SHARD: &str = "shard#";

pub(super) fn shard_key(work: &Work) -> String {
    format!("{SHARD}{:05}", work.shard.0)
}

pub(super) fn walk_key(work: &Work) -> String {
    format!("{}#{:05}#{:02}", work.campaign, work.shard.0, work.pass)
}

/// The exclusive start as a sort key; an empty one would not be allowed.
pub(super) fn start_key(start: Option<&RecipientId>) -> String {
    format!(">{}", start.map_or("", RecipientId::as_str))
}

pub(super) fn id(text: &str) -> Result<RecipientId, PortError> {
    text.parse().map_err(|wanted| PortError::corrupt("a cursor", wanted))
}

/// One shard's item as the campaign's steps see it.
pub(super) fn standing(campaign: &CampaignId, item: &Item) -> Result<Standing, PortError> {
    let shard = item.text("t")?.strip_prefix(SHARD).and_then(|shard| shard.parse().ok()).map(Shard);
    let shard = shard.ok_or_else(|| PortError::corrupt("a shard", "its key holds no number"))?;
    let progress = progress(item)?;
    let work = Work { campaign: campaign.clone(), shard, pass: progress.pass };
    Ok(Standing { work, progress, undrained: item.number::<i64>("l")? != DRAINED, settled: steps(item)? })
}

pub(super) fn progress(item: &Item) -> Result<Progress, PortError> {
    let counts = item.get("n").map(|_| item.text("n")).transpose()?.map_or(Ok(Counts::default()), |counts| {
        serde_json::from_str(counts).map_err(|error| PortError::no_json("the counts of a shard", &error))
    })?;
    Ok(Progress {
        pass: item.number("p")?,
        not_before: time(item, "w")?,
        cursor: cursor(item, "c")?,
        counts,
        next: time(item, "y")?,
        done: item.contains_key("d"),
    })
}

pub(super) fn cursor(item: &Item, name: &'static str) -> Result<Option<RecipientId>, PortError> {
    item.get(name).map(|_| item.text(name).and_then(id)).transpose()
}

fn time(item: &Item, name: &'static str) -> Result<Option<Timestamp>, PortError> {
    let Some(_) = item.get(name) else { return Ok(None) };
    let time = Timestamp::from_millisecond(item.number(name)?);
    time.map(Some).map_err(|error| PortError::corrupt("a shard's time", error))
}

#[async_trait]
impl Shards for Dynamo {
    async fn take_over(
        &self,
        work: &Work,
        purpose: Purpose,
        owner: ClaimId,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<TakeOver, PortError> {
        let condition = match purpose {
            Purpose::Walk => {
                "p = :pass AND attribute_not_exists(d) AND l <= :now AND (attribute_not_exists(w) OR w <= :now)"
            }
            Purpose::Sweep => "p = :pass AND attribute_not_exists(d) AND l BETWEEN :one AND :now",
        };
        let update = self
            .update_shard(work)
            .update_expression("SET e = e + :one, l = :until, o = :owner")
            .condition_expression(condition)
            .expression_attribute_values(":pass", n(work.pass))
            .expression_attribute_values(":one", n(1))
            .expression_attribute_values(":until", n(until.as_millisecond()))
            .expression_attribute_values(":owner", b(owner.0))
            .expression_attribute_values(":now", n(now.as_millisecond()))
            .return_values(ReturnValue::AllOld);
        match update.send().await {
            Ok(answer) => {
                self.meter.write(answer.consumed_capacity());
                let before = answer.attributes().ok_or_else(no_item)?;
                let (epoch, lease) = (before.number::<u64>("e")? + 1, before.number::<i64>("l")?);
                Ok(TakeOver::Taken { epoch, progress: progress(before)?, drained: lease == DRAINED })
            }
            Err(error) => match lost(&error) {
                None => Err(unavailable(error)),
                Some(Lost::Nothing) => Ok(TakeOver::Missing),
                Some(Lost::Item(item)) => not_taken(work, purpose, owner, now, &item),
            },
        }
    }

    async fn renew(&self, work: &Work, epoch: u64, until: Timestamp) -> Result<Committed, PortError> {
        let update = self
            .update_shard(work)
            .update_expression("SET l = :until")
            // One that comes late neither shortens the lease nor revives one that was given back.
            .condition_expression("e = :e AND l > :lapsed AND l <= :until")
            .expression_attribute_values(":until", n(until.as_millisecond()))
            .expression_attribute_values(":lapsed", n(LAPSED))
            .expression_attribute_values(":e", n(epoch));
        match update.send().await {
            Ok(answer) => {
                self.meter.write(answer.consumed_capacity());
                Ok(Committed::Done)
            }
            Err(error) => match lost(&error) {
                None => Err(unavailable(error)),
                // It lasts longer already.
                Some(Lost::Item(item))
                    if item.number::<u64>("e")? == epoch && item.number::<i64>("l")? > until.as_millisecond() =>
                {
                    Ok(Committed::Done)
                }
                Some(_) => Ok(Committed::Fenced),
            },
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
            .item("f", n(FORMAT));
        let put = match chunk.forget_at {
            Some(at) => put.item("x", n(at.as_second())),
            None => put,
        };
        let put = put
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
            .update_expression(if progress.next.is_some() {
                "SET c = :end, n = :counts, y = :next"
            } else {
                "SET c = :end, n = :counts"
            })
            .expression_attribute_values(":e", n(epoch))
            .expression_attribute_values(":pass", n(work.pass))
            .expression_attribute_values(":end", s(chunk.last.as_str()))
            .expression_attribute_values(":counts", s(counts));
        if let Some(next) = progress.next {
            update = update.expression_attribute_values(":next", n(next.as_millisecond()));
        }
        // The pass, too: the next one begins under the same epoch and without a cursor, as this one did.
        update = match &chunk.start {
            None => update.condition_expression("e = :e AND p = :pass AND attribute_not_exists(c)"),
            Some(start) => update
                .condition_expression("e = :e AND p = :pass AND c = :start")
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

    async fn leave(&self, work: &Work, epoch: u64, left: Left) -> Result<Committed, PortError> {
        let update = self
            .update_shard(work)
            .condition_expression("e = :e AND p = :pass")
            .expression_attribute_values(":e", n(epoch))
            .expression_attribute_values(":pass", n(work.pass))
            .expression_attribute_values(":free", n(if left == Left::Undrained { LAPSED } else { DRAINED }));
        let update = match left {
            Left::Unfinished | Left::Undrained => update.update_expression("SET l = :free"),
            Left::Done => {
                update.update_expression("SET l = :free, d = :done").expression_attribute_values(":done", n(1))
            }
            // Where this pass ended stays known: what a dead worker may have left beyond it is no part of it.
            Left::Asleep { until } => update
                .update_expression("SET l = :free, z = c, p = :next, w = :until REMOVE c, y")
                .expression_attribute_values(":next", n(u32::from(work.pass) + 1))
                .expression_attribute_values(":until", n(until.as_millisecond())),
        };
        match update.send().await {
            Ok(answer) => {
                self.meter.write(answer.consumed_capacity());
                Ok(Committed::Done)
            }
            Err(error) => match lost(&error) {
                None => Err(unavailable(error)),
                // Our own leave for the next pass, repeated after its answer was lost.
                Some(Lost::Item(item)) if item.number::<u64>("e")? == epoch && item.number::<u16>("p")? > work.pass => {
                    Ok(Committed::Done)
                }
                Some(_) => Ok(Committed::Fenced),
            },
        }
    }
}

/// Why a shard was not taken.
fn not_taken(
    work: &Work,
    purpose: Purpose,
    owner: ClaimId,
    now: Timestamp,
    item: &Item,
) -> Result<TakeOver, PortError> {
    let progress = progress(item)?;
    let lease = time(item, "l")?.unwrap_or(Timestamp::UNIX_EPOCH);
    if progress.done || progress.pass > work.pass {
        return Ok(TakeOver::Past);
    }
    if progress.pass < work.pass {
        return Ok(TakeOver::Ahead);
    }
    // Our own take-over, repeated after its answer was lost, and with it how the shard was left.
    if item.get("o").is_some_and(|_| item.bytes("o").is_ok_and(|held| held == owner.0)) {
        return Ok(TakeOver::Taken { epoch: item.number("e")?, progress, drained: false });
    }
    if lease > now {
        return Ok(TakeOver::Held { until: lease });
    }
    match (purpose, progress.not_before) {
        (Purpose::Sweep, _) => Ok(TakeOver::Drained),
        (Purpose::Walk, Some(until)) => Ok(TakeOver::Asleep { until }),
        (Purpose::Walk, None) => Err(PortError::corrupt("a shard", "it is free and was not given")),
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
