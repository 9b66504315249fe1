//! Campaigns and how they stand.

use std::collections::HashMap;

use async_trait::async_trait;
use aws_sdk_dynamodb::{
    operation::{put_item::PutItemError, transact_write_items::TransactWriteItemsError, update_item::UpdateItemError},
    types::{AttributeValue, KeysAndAttributes, Put, ReturnConsumedCapacity, ReturnValue, TransactWriteItem},
};
use jiff::Timestamp;
use serde::{Serialize, de::DeserializeOwned};

use super::{
    dynamo::{Dynamo, Item, Read, n, s, unavailable},
    shards::{SHARD, campaign_key, shard_key, standing},
};
use crate::{
    domain::{
        actor::Actor,
        campaign::{Audience, Campaign},
        id::{CampaignId, RecipientId},
        report::{CampaignStatus, StatusDetail},
    },
    flow::{
        held::Unlisted,
        launch::{CampaignRecord, CampaignSummary, Campaigns, Created, Move, Pinned, Standing},
        port::PortError,
        queue::Work,
    },
};

const FORMAT: u8 = 1;
const PER_LIST: i32 = 100;
/// Of `BatchGetItem`.
pub(super) const GETS_PER_CALL: usize = 100;
/// Where the list of campaigns stands, and those that it leaves out.
pub(super) const LISTED: &str = "campaigns";
const UNLISTED: &str = "unlisted";

#[async_trait]
impl Campaigns for Dynamo {
    async fn create(&self, record: &CampaignRecord) -> Result<Created, PortError> {
        let id = &record.campaign.id;
        let put = Put::builder()
            .table_name(&self.names.campaigns)
            .item("k", s(campaign_key(id)))
            .item("t", s("campaign"))
            .item("f", n(FORMAT))
            .item("b", s(record.body.to_string()))
            .item("j", s(json("a campaign", &record.campaign)?))
            .item("u", s(record.created_by.as_str()))
            .item("a", n(record.created_at.as_millisecond()))
            .item("st", s(record.status.as_str()))
            .condition_expression("attribute_not_exists(k)");
        let listed = Put::builder()
            .table_name(&self.names.campaigns)
            .item("k", s(if record.is_listed() { LISTED } else { UNLISTED }))
            .item("t", s(format!("{:015}#{id}", record.created_at.as_millisecond())))
            .item("f", n(FORMAT));
        let puts = [put.build(), listed.build()];
        let mut transact = self.client.transact_write_items();
        for put in puts {
            let put = put.map_err(|error| PortError::corrupt("a request to DynamoDB", error))?;
            transact = transact.transact_items(TransactWriteItem::builder().put(put).build());
        }
        match transact.send().await {
            Ok(_) => Ok(Created::New),
            Err(error) => match error.as_service_error() {
                // Taken, or being taken at this moment.
                Some(TransactWriteItemsError::TransactionCanceledException(_)) => match self.get(id).await? {
                    Some(held) => Ok(Created::Exists(Box::new(held))),
                    None => Err(unavailable(error)),
                },
                Some(_) | None => Err(unavailable(error)),
            },
        }
    }

    async fn get(&self, id: &CampaignId) -> Result<Option<CampaignRecord>, PortError> {
        let get = self
            .client
            .get_item()
            .table_name(&self.names.campaigns)
            .key("k", s(campaign_key(id)))
            .key("t", s("campaign"))
            .consistent_read(true)
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        let answer = get.send().await.map_err(unavailable)?;
        self.meter.read(answer.consumed_capacity());
        answer.item.as_ref().map(record).transpose()
    }

    async fn list(&self, cursor: Option<&str>) -> Result<(Vec<CampaignSummary>, Option<String>), PortError> {
        let mut query = self
            .client
            .query()
            .table_name(&self.names.campaigns)
            .expression_attribute_values(":k", s(LISTED))
            .scan_index_forward(false)
            .limit(PER_LIST);
        query = match cursor {
            None => query.key_condition_expression("k = :k"),
            Some(cursor) => {
                query.key_condition_expression("k = :k AND t < :t").expression_attribute_values(":t", s(cursor))
            }
        };
        let answer = query.send().await.map_err(unavailable)?;
        let mut ids = Vec::new();
        let mut last = None;
        for item in answer.items() {
            ids.push(listed_id(item)?);
            last = Some(item.text("t")?.to_owned());
        }
        let mut summaries = self.summaries(&ids).await?;
        summaries.sort_by_key(|summary| ids.iter().position(|id| *id == summary.id));
        Ok((summaries, last.filter(|_| answer.last_evaluated_key().is_some())))
    }

    async fn advance(&self, id: &CampaignId, from: &[CampaignStatus], to: &Move) -> Result<bool, PortError> {
        let mut update = self
            .client
            .update_item()
            .table_name(&self.names.campaigns)
            .key("k", s(campaign_key(id)))
            .key("t", s("campaign"))
            .expression_attribute_values(":to", s(to.to.as_str()));
        let mut expected = Vec::new();
        for (at, status) in from.iter().enumerate() {
            expected.push(format!(":from{at}"));
            update = update.expression_attribute_values(format!(":from{at}"), s(status.as_str()));
        }
        let mut set = "SET st = :to".to_owned();
        if let Some(pinned) = &to.pinned {
            set.push_str(", pi = :pinned");
            update = update.expression_attribute_values(":pinned", s(json("what a launch pinned", pinned)?));
        }
        match &to.detail {
            Some(detail) => {
                set.push_str(", sd = :detail");
                update = update.expression_attribute_values(":detail", s(json("a status", detail)?));
            }
            None => set.push_str(" REMOVE sd"),
        }
        let update = update.update_expression(set).condition_expression(format!("st IN ({})", expected.join(", ")));
        match update.send().await {
            Ok(_) => Ok(true),
            Err(error)
                if error.as_service_error().is_some_and(UpdateItemError::is_conditional_check_failed_exception) =>
            {
                // Ours, if the answer to an earlier attempt was lost; the caller's next read tells.
                Ok(false)
            }
            Err(error) => Err(unavailable(error)),
        }
    }

    async fn standings(&self, id: &CampaignId) -> Result<Vec<Standing>, PortError> {
        let mut pages = self
            .client
            .query()
            .table_name(&self.names.campaigns)
            .key_condition_expression("k = :k AND begins_with(t, :t)")
            .expression_attribute_values(":k", s(campaign_key(id)))
            .expression_attribute_values(":t", s(SHARD))
            .consistent_read(true)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .into_paginator()
            .send();
        let mut standings = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(unavailable)?;
            self.meter.read(page.consumed_capacity());
            for item in page.items() {
                standings.push(standing(id, item)?);
            }
        }
        Ok(standings)
    }

    async fn prepare(&self, work: &[Work]) -> Result<(), PortError> {
        let puts = work.iter().map(|work| async {
            let put = self
                .client
                .put_item()
                .table_name(&self.names.campaigns)
                .item("k", s(campaign_key(&work.campaign)))
                .item("t", s(shard_key(work)))
                .item("f", n(FORMAT))
                .item("p", n(work.pass))
                .item("e", n(0))
                .item("l", n(0))
                .condition_expression("attribute_not_exists(k)")
                .return_consumed_capacity(ReturnConsumedCapacity::Total);
            match put.send().await {
                Ok(answer) => {
                    self.meter.write(answer.consumed_capacity());
                    Ok(())
                }
                Err(e) if e.as_service_error().is_some_and(PutItemError::is_conditional_check_failed_exception) => {
                    Ok(())
                }
                Err(error) => Err(unavailable(error)),
            }
        });
        futures_util::future::try_join_all(puts).await.map(|_| ())
    }

    async fn shard_through(&self, work: &Work) -> Result<u16, PortError> {
        let update = self
            .client
            .update_item()
            .table_name(&self.names.campaigns)
            .key("k", s(campaign_key(&work.campaign)))
            .key("t", s("through"))
            .update_expression("ADD n :shard")
            .expression_attribute_values(":shard", AttributeValue::Ns(vec![work.shard.0.to_string()]))
            .return_values(ReturnValue::AllNew)
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        let answer = update.send().await.map_err(unavailable)?;
        self.meter.write(answer.consumed_capacity());
        let done = answer.attributes().and_then(|item| item.get("n")).and_then(|set| set.as_ns().ok());
        let done = done.ok_or_else(|| PortError::corrupt("the shards that are through", "the answer holds no set"))?;
        Ok(u16::try_from(done.len()).unwrap_or(u16::MAX))
    }
}

impl Dynamo {
    async fn summaries(&self, ids: &[CampaignId]) -> Result<Vec<CampaignSummary>, PortError> {
        let records = self.campaign_records(ids).await?.into_iter();
        let summary = |CampaignRecord { campaign, status, created_at, .. }| CampaignSummary {
            id: campaign.id,
            status,
            created_at,
        };
        Ok(records.map(summary).collect())
    }

    /// At most a hundred, in any order.
    pub(super) async fn campaign_records(&self, ids: &[CampaignId]) -> Result<Vec<CampaignRecord>, PortError> {
        let key =
            |id: &CampaignId| HashMap::from([("k".to_owned(), s(campaign_key(id))), ("t".to_owned(), s("campaign"))]);
        let mut keys: Vec<Item> = ids.iter().map(key).collect();
        let mut records = Vec::with_capacity(keys.len());
        while !keys.is_empty() {
            let wanted = KeysAndAttributes::builder().set_keys(Some(keys)).build();
            let wanted = wanted.map_err(|error| PortError::corrupt("a request to DynamoDB", error))?;
            let get = self.client.batch_get_item().request_items(&self.names.campaigns, wanted);
            let answer = get.send().await.map_err(unavailable)?;
            for item in answer.responses().and_then(|tables| tables.get(&self.names.campaigns)).into_iter().flatten() {
                records.push(record(item)?);
            }
            let left = answer.unprocessed_keys().and_then(|tables| tables.get(&self.names.campaigns));
            keys = left.map(|left| left.keys().to_vec()).unwrap_or_default();
        }
        Ok(records)
    }
}

#[async_trait]
impl Unlisted for Dynamo {
    async fn of(&self, person: &RecipientId) -> Result<Vec<CampaignRecord>, PortError> {
        let ids: Vec<CampaignId> =
            self.reserved(UNLISTED, "").await?.iter().map(listed_id).collect::<Result<_, _>>()?;
        let mut theirs = Vec::new();
        for ids in ids.chunks(GETS_PER_CALL) {
            let records = self.campaign_records(ids).await?.into_iter();
            theirs.extend(records.filter(|record| match &record.campaign.audience {
                Audience::Everyone => true,
                Audience::Recipients(listed) => listed.contains(person),
            }));
        }
        theirs.sort_by(|a, b| b.created_at.cmp(&a.created_at).then_with(|| a.campaign.id.cmp(&b.campaign.id)));
        Ok(theirs)
    }
}

/// Whose entry in the list of campaigns this is.
pub(super) fn listed_id(item: &Item) -> Result<CampaignId, PortError> {
    let place = item.text("t")?;
    let id = place.split_once('#').map_or(place, |(_, id)| id);
    id.parse().map_err(|wanted| PortError::corrupt("a campaign's id", wanted))
}

pub(super) fn record(item: &Item) -> Result<CampaignRecord, PortError> {
    Ok(CampaignRecord {
        campaign: campaign(&from_json("a campaign", item.text("j")?)?)?,
        body: from_json("a campaign's body", item.text("b")?)?,
        created_by: Actor::restore(item.text("u")?),
        created_at: Timestamp::from_millisecond(item.number("a")?)
            .map_err(|error| PortError::corrupt("a campaign", error))?,
        status: from_json("a status", &format!("\"{}\"", item.text("st")?))?,
        status_detail: optional::<StatusDetail>(item, "sd")?,
        pinned: optional::<Pinned>(item, "pi")?,
    })
}

pub(super) fn campaign(value: &serde_json::Value) -> Result<Campaign, PortError> {
    Campaign::restore(value).map_err(|faults| {
        let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
        PortError::corrupt("a campaign", faults.join("; "))
    })
}

fn optional<T: DeserializeOwned>(item: &Item, name: &'static str) -> Result<Option<T>, PortError> {
    item.get(name).map(|_| from_json(name, item.text(name)?)).transpose()
}

pub(super) fn json(what: &'static str, value: &impl Serialize) -> Result<String, PortError> {
    serde_json::to_string(value).map_err(|error| PortError::corrupt(what, error))
}

pub(super) fn from_json<T: DeserializeOwned>(what: &'static str, text: &str) -> Result<T, PortError> {
    serde_json::from_str(text).map_err(|error| PortError::no_json(what, &error))
}
