//! Newsletters, under a reserved key of the campaigns table.

use async_trait::async_trait;
use aws_sdk_dynamodb::{
    error::SdkError,
    operation::{delete_item::DeleteItemError, update_item::UpdateItemError},
    types::ReturnConsumedCapacity,
};
use jiff::Timestamp;

use super::{
    campaigns::{from_json, json},
    dynamo::{Dynamo, Item, Read, n, s, unavailable},
};
use crate::{
    domain::{id::NewsletterId, newsletter::Newsletter},
    flow::{
        newsletter::{LastRun, NewsletterRecord, Newsletters},
        port::PortError,
    },
};

const FORMAT: u8 = 1;
const KEY: &str = "newsletters";
const PER_LIST: i32 = 100;

#[async_trait]
impl Newsletters for Dynamo {
    async fn get(&self, id: &NewsletterId) -> Result<Option<NewsletterRecord>, PortError> {
        let get = self
            .client
            .get_item()
            .table_name(&self.names.campaigns)
            .key("k", s(KEY))
            .key("t", s(id.as_str()))
            .consistent_read(true)
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        let answer = get.send().await.map_err(unavailable)?;
        self.meter.read(answer.consumed_capacity());
        answer.item.as_ref().map(record).transpose()
    }

    async fn list(&self, cursor: Option<&str>) -> Result<(Vec<NewsletterRecord>, Option<String>), PortError> {
        let query = self
            .client
            .query()
            .table_name(&self.names.campaigns)
            .expression_attribute_values(":k", s(KEY))
            .limit(PER_LIST);
        let query = match cursor {
            None => query.key_condition_expression("k = :k"),
            Some(cursor) => {
                query.key_condition_expression("k = :k AND t > :t").expression_attribute_values(":t", s(cursor))
            }
        };
        let answer = query.send().await.map_err(unavailable)?;
        let records: Vec<NewsletterRecord> = answer.items().iter().map(record).collect::<Result<_, _>>()?;
        let more = answer.last_evaluated_key().is_some();
        let cursor = records.last().map(|last| last.id.as_str().to_owned()).filter(|_| more);
        Ok((records, cursor))
    }

    async fn put(&self, record: &NewsletterRecord, before: Option<u32>) -> Result<bool, PortError> {
        // An update, since the last run may be written down meanwhile.
        let update = self
            .client
            .update_item()
            .table_name(&self.names.campaigns)
            .key("k", s(KEY))
            .key("t", s(record.id.as_str()))
            .update_expression("SET f = :f, v = :v, b = :b, a = :a, u = :u")
            .expression_attribute_values(":f", n(FORMAT))
            .expression_attribute_values(":v", n(record.version))
            .expression_attribute_values(":b", s(record.newsletter.to_json().to_string()))
            .expression_attribute_values(":a", n(record.since.as_millisecond()))
            .expression_attribute_values(":u", s(&record.put_by));
        let update = match before {
            None => update.condition_expression("attribute_not_exists(k)"),
            Some(before) => {
                update.condition_expression("v = :before").expression_attribute_values(":before", n(before))
            }
        };
        let stored = if_met(UpdateItemError::is_conditional_check_failed_exception, update.send().await)?;
        if stored {
            return Ok(true);
        }
        // Ours, if the answer to an earlier attempt of this call was lost.
        let held = Newsletters::get(self, &record.id).await?;
        Ok(held.is_some_and(|held| {
            held.version == record.version && held.newsletter == record.newsletter && held.put_by == record.put_by
        }))
    }

    async fn remove(&self, id: &NewsletterId, version: u32) -> Result<bool, PortError> {
        let delete = self
            .client
            .delete_item()
            .table_name(&self.names.campaigns)
            .key("k", s(KEY))
            .key("t", s(id.as_str()))
            .condition_expression("v = :v")
            .expression_attribute_values(":v", n(version));
        if_met(DeleteItemError::is_conditional_check_failed_exception, delete.send().await)
    }

    async fn ran(&self, id: &NewsletterId, run: &LastRun) -> Result<(), PortError> {
        let update = self
            .client
            .update_item()
            .table_name(&self.names.campaigns)
            .key("k", s(KEY))
            .key("t", s(id.as_str()))
            .update_expression("SET r = :r")
            .condition_expression("attribute_exists(k)")
            .expression_attribute_values(":r", s(json("a newsletter's run", run)?));
        if_met(UpdateItemError::is_conditional_check_failed_exception, update.send().await).map(drop)
    }
}

/// Whether the condition of a write held.
fn if_met<T, E, R>(lost: fn(&E) -> bool, answer: Result<T, SdkError<E, R>>) -> Result<bool, PortError>
where
    E: std::error::Error + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    match answer {
        Ok(_) => Ok(true),
        Err(error) if error.as_service_error().is_some_and(lost) => Ok(false),
        Err(error) => Err(unavailable(error)),
    }
}

pub(super) fn record(item: &Item) -> Result<NewsletterRecord, PortError> {
    let body = from_json("a newsletter", item.text("b")?)?;
    let newsletter = Newsletter::parse(&body).map_err(|faults| {
        let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
        PortError::corrupt("a newsletter", faults.join("; "))
    })?;
    let last_run = item.get("r").map(|_| from_json("a newsletter's run", item.text("r")?)).transpose()?;
    Ok(NewsletterRecord {
        id: item.text("t")?.parse().map_err(|wanted| PortError::corrupt("a newsletter's id", wanted))?,
        newsletter,
        version: item.number("v")?,
        since: Timestamp::from_millisecond(item.number("a")?)
            .map_err(|error| PortError::corrupt("a newsletter", error))?,
        put_by: item.text("u")?.to_owned(),
        last_run,
    })
}
