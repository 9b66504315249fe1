//! What events said of mails: settlements beside the ledger's chunks, marks that are counted once, and the tally.
//!
//! A mail's item is made by its first event. What it says and the count that it moves are written in one transaction.

use async_trait::async_trait;
use aws_sdk_dynamodb::{
    operation::transact_write_items::TransactWriteItemsError,
    types::{TransactWriteItem, Update, builders::UpdateBuilder},
};
use jiff::Timestamp;
use std::collections::{BTreeMap, HashMap};

use super::{
    dynamo::{Dynamo, Item, Read, n, s, unavailable},
    shards::{SHARD, TOTAL, campaign_key},
};
use crate::{
    domain::{
        feedback::{Reputation, Settlement, Step, Tally},
        id::{CampaignId, Ref, Shard},
    },
    flow::{
        feedback::{Mark, Place, Reads, Settlements},
        port::PortError,
    },
};

const FORMAT: u8 = 1;
/// The sort key of a campaign's tally.
const TALLY: &str = "feedback";

fn shard_key(campaign: &CampaignId, shard: Shard) -> String {
    format!("{campaign}#{:05}#settled", shard.0)
}

fn reference_key(reference: Ref) -> String {
    format!("{:016x}", u64::from_be_bytes(reference.0))
}

pub(super) fn reference(key: &str) -> Result<Ref, PortError> {
    let number = u64::from_str_radix(key, 16).ok().filter(|_| key.len() == 16);
    number.map(|number| Ref(number.to_be_bytes())).ok_or_else(|| PortError::corrupt("a settlement", "its key"))
}

pub(super) fn settlement(item: &Item) -> Result<Option<Settlement>, PortError> {
    let Some(_) = item.get("o") else { return Ok(None) };
    let word = item.text("o")?;
    let known = Settlement::ALL.iter().copied().find(|known| known.as_str() == word);
    known.map(Some).ok_or_else(|| PortError::corrupt("a settlement", "it is of a kind that is not known here"))
}

pub(super) fn tally(item: &Item) -> Result<Tally, PortError> {
    let count = |name: &'static str| match item.get(name) {
        Some(_) => item.number::<u64>(name),
        None => Ok(0),
    };
    let reputation = Reputation { hard_bounced: count("h")?, complained: count("c")? };
    Ok(Tally {
        delivered: count("d")?,
        hard_bounced: reputation.hard_bounced.saturating_add(count("i")?),
        soft_bounced: count("s")?,
        complained: reputation.complained.saturating_add(count("j")?),
        reputation,
        opened: count("o")?,
        clicked: count("l")?,
    })
}

/// The steps that a shard's item counts.
pub(super) fn steps(item: &Item) -> Result<BTreeMap<Step, u64>, PortError> {
    let held = Step::ALL.iter().copied().filter(|step| item.contains_key(step.as_str()));
    held.map(|step| Ok((step, item.number(step.as_str())?))).collect()
}

/// The attribute that says when a mark was counted, and those of the tally that count it: of the simulator's addresses
/// and of all others.
fn names(mark: Mark) -> (&'static str, [&'static str; 2]) {
    match mark {
        Mark::HardBounce => ("h", ["i", "h"]),
        Mark::SoftBounce => ("s", ["s", "s"]),
        Mark::Complaint => ("c", ["j", "c"]),
    }
}

#[async_trait]
impl Settlements for Dynamo {
    async fn get(&self, place: &Place<'_>) -> Result<Option<Settlement>, PortError> {
        let get = self
            .client
            .get_item()
            .table_name(&self.names.ledger)
            .set_key(Some(key(place)))
            .consistent_read(true)
            .return_consumed_capacity(TOTAL);
        let answer = get.send().await.map_err(unavailable)?;
        self.meter.read(answer.consumed_capacity());
        answer.item.as_ref().map_or(Ok(None), settlement)
    }

    async fn of_shard(&self, campaign: &CampaignId, shard: Shard) -> Result<Vec<(Ref, Settlement)>, PortError> {
        let items = self
            .client
            .query()
            .table_name(&self.names.ledger)
            .key_condition_expression("k = :k")
            .expression_attribute_values(":k", s(shard_key(campaign, shard)))
            .consistent_read(true)
            .into_paginator()
            .items()
            .send();
        let items: Vec<Item> = items.collect::<Result<_, _>>().await.map_err(unavailable)?;
        let mut settled = Vec::new();
        for item in &items {
            if let Some(settlement) = settlement(item)? {
                settled.push((reference(item.text("t")?)?, settlement));
            }
        }
        Ok(settled)
    }

    async fn settle(&self, place: &Place<'_>, held: Option<Settlement>, step: Step) -> Result<bool, PortError> {
        let said = self
            .mail(place)
            .update_expression(format!("SET o = :to, f = :f{}", forgetting(place)))
            .expression_attribute_values(":to", s(step.settlement().as_str()))
            .expression_attribute_values(":f", n(FORMAT));
        let said = match held {
            None => said.condition_expression("attribute_not_exists(o)"),
            Some(held) => said.condition_expression("o = :held").expression_attribute_values(":held", s(held.as_str())),
        };
        let count = Update::builder()
            .table_name(&self.names.campaigns)
            .key("k", s(campaign_key(place.campaign)))
            .key("t", s(format!("{SHARD}{:05}", place.shard.0)))
            .condition_expression("attribute_exists(k)")
            .update_expression("ADD #step :one")
            .expression_attribute_names("#step", step.as_str())
            .expression_attribute_values(":one", n(1));
        self.both(said, count).await
    }

    async fn mark(&self, place: &Place<'_>, mark: Mark, at: Timestamp, reputation: bool) -> Result<bool, PortError> {
        let (name, [simulated, real]) = names(mark);
        let said = self
            .mail(place)
            .condition_expression("attribute_not_exists(#mark)")
            .update_expression(format!("SET #mark = :at, f = :f{}", forgetting(place)))
            .expression_attribute_names("#mark", name)
            .expression_attribute_values(":at", n(at.as_millisecond()))
            .expression_attribute_values(":f", n(FORMAT));
        let count = Update::builder()
            .table_name(&self.names.campaigns)
            .key("k", s(campaign_key(place.campaign)))
            .key("t", s(TALLY))
            .update_expression("ADD #count :one SET f = :f")
            .expression_attribute_names("#count", if reputation { real } else { simulated })
            .expression_attribute_values(":one", n(1))
            .expression_attribute_values(":f", n(FORMAT));
        self.both(said, count).await
    }

    async fn add(&self, campaign: &CampaignId, reads: Reads) -> Result<(), PortError> {
        let Reads { delivered, opened, clicked } = reads;
        let counts = [("d", delivered), ("o", opened), ("l", clicked)];
        let mut update = self
            .client
            .update_item()
            .table_name(&self.names.campaigns)
            .key("k", s(campaign_key(campaign)))
            .key("t", s(TALLY))
            .expression_attribute_values(":f", n(FORMAT))
            .return_consumed_capacity(TOTAL);
        let mut added = Vec::new();
        for (name, count) in counts.into_iter().filter(|(_, count)| *count > 0) {
            added.push(format!("{name} :{name}"));
            update = update.expression_attribute_values(format!(":{name}"), n(count));
        }
        if added.is_empty() {
            return Ok(());
        }
        let update = update.update_expression(format!("ADD {} SET f = :f", added.join(", ")));
        let answer = update.send().await.map_err(unavailable)?;
        self.meter.write(answer.consumed_capacity());
        Ok(())
    }

    async fn tally(&self, campaign: &CampaignId) -> Result<Tally, PortError> {
        let get = self
            .client
            .get_item()
            .table_name(&self.names.campaigns)
            .key("k", s(campaign_key(campaign)))
            .key("t", s(TALLY))
            .consistent_read(true)
            .return_consumed_capacity(TOTAL);
        let answer = get.send().await.map_err(unavailable)?;
        self.meter.read(answer.consumed_capacity());
        answer.item.as_ref().map_or_else(|| Ok(Tally::default()), tally)
    }
}

impl Dynamo {
    fn mail(&self, place: &Place<'_>) -> UpdateBuilder {
        let mail = Update::builder().table_name(&self.names.ledger).set_key(Some(key(place)));
        match place.forget_at {
            Some(at) => mail.expression_attribute_values(":x", n(at.as_second())),
            None => mail,
        }
    }

    /// What an event says of a mail, and its count: both or neither. False if it was said before.
    async fn both(&self, said: UpdateBuilder, count: UpdateBuilder) -> Result<bool, PortError> {
        let wrong = |error| PortError::corrupt("a request to DynamoDB", error);
        let writes = [said, count].map(|update| update.build().map_err(wrong));
        let mut transact = self.client.transact_write_items().return_consumed_capacity(TOTAL);
        for update in writes {
            transact = transact.transact_items(TransactWriteItem::builder().update(update?).build());
        }
        match transact.send().await {
            Ok(answer) => {
                for consumed in answer.consumed_capacity() {
                    self.meter.write(Some(consumed));
                }
                Ok(true)
            }
            Err(error) => match error.as_service_error() {
                Some(TransactWriteItemsError::TransactionCanceledException(cancelled))
                    if cancelled.cancellation_reasons().first().and_then(|reason| reason.code())
                        == Some("ConditionalCheckFailed") =>
                {
                    Ok(false)
                }
                // Another transaction was under way, or the shard is not there: it is not known here what is true.
                Some(_) | None => Err(unavailable(error)),
            },
        }
    }
}

/// What makes DynamoDB forget it, in an update of a mail's item.
fn forgetting(place: &Place<'_>) -> &'static str {
    if place.forget_at.is_some() { ", x = :x" } else { "" }
}

fn key(place: &Place<'_>) -> Item {
    let shard = s(shard_key(place.campaign, place.shard));
    HashMap::from([("k".to_owned(), shard), ("t".to_owned(), s(reference_key(place.reference)))])
}
