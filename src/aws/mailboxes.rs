//! What is kept of a mailbox under its keyed hash, beside its owner: when it bounced.

use async_trait::async_trait;
use aws_sdk_dynamodb::{
    operation::update_item::UpdateItemError,
    types::{AttributeValue, ReturnValue},
};
use jiff::Timestamp;

use super::{
    dynamo::{Dynamo, Item, Read, b, unavailable},
    shards::TOTAL,
};
use crate::{
    domain::{email::EmailAddress, id::RecipientId},
    flow::{feedback::Mailboxes, port::PortError},
};

/// Older ones are forgotten once there are more.
const REMEMBERED: usize = 16;

#[async_trait]
impl Mailboxes for Dynamo {
    async fn owner(&self, address: &EmailAddress) -> Result<Option<RecipientId>, PortError> {
        let get = self
            .client
            .get_item()
            .table_name(&self.names.addresses)
            .key("h", b(self.hash(address)))
            .consistent_read(true)
            .return_consumed_capacity(TOTAL);
        let answer = get.send().await.map_err(unavailable)?;
        self.meter.read(answer.consumed_capacity());
        let Some(item) = answer.item.filter(|item| item.contains_key("o")) else { return Ok(None) };
        item.text("o")?.parse().map(Some).map_err(|wanted| PortError::corrupt("an address's owner", wanted))
    }

    async fn soft_bounced(&self, address: &EmailAddress, at: Timestamp) -> Result<Vec<Timestamp>, PortError> {
        let update = self
            .client
            .update_item()
            .table_name(&self.names.addresses)
            .key("h", b(self.hash(address)))
            // A set: the same event again adds nothing. Only of a mailbox that somebody has.
            .condition_expression("attribute_exists(o)")
            .update_expression("ADD b :at")
            .expression_attribute_values(":at", times([at]))
            .return_values(ReturnValue::AllNew)
            .return_consumed_capacity(TOTAL);
        let answer = match update.send().await {
            Ok(answer) => answer,
            Err(error)
                if error.as_service_error().is_some_and(UpdateItemError::is_conditional_check_failed_exception) =>
            {
                return Ok(Vec::new());
            }
            Err(error) => return Err(unavailable(error)),
        };
        self.meter.write(answer.consumed_capacity());
        let bounces = answer.attributes().map_or_else(|| Ok(Vec::new()), bounces)?;
        if let Some(beyond) = bounces.len().checked_sub(REMEMBERED).filter(|beyond| *beyond > 0) {
            self.forget_bounces(address, bounces.iter().take(beyond).copied()).await?;
        }
        Ok(bounces)
    }
}

impl Dynamo {
    async fn forget_bounces(
        &self,
        address: &EmailAddress,
        old: impl IntoIterator<Item = Timestamp>,
    ) -> Result<(), PortError> {
        let update = self
            .client
            .update_item()
            .table_name(&self.names.addresses)
            .key("h", b(self.hash(address)))
            .update_expression("DELETE b :old")
            .expression_attribute_values(":old", times(old));
        update.send().await.map(|_| ()).map_err(unavailable)
    }
}

fn times(times: impl IntoIterator<Item = Timestamp>) -> AttributeValue {
    AttributeValue::Ns(times.into_iter().map(|at| at.as_millisecond().to_string()).collect())
}

/// Oldest first.
pub(super) fn bounces(item: &Item) -> Result<Vec<Timestamp>, PortError> {
    let held = item.get("b").and_then(|set| set.as_ns().ok()).map(Vec::as_slice).unwrap_or_default();
    let time = |number: &String| Timestamp::from_millisecond(number.parse().ok()?).ok();
    let times: Option<Vec<Timestamp>> = held.iter().map(time).collect();
    let mut times = times.ok_or_else(|| PortError::corrupt("an address's bounces", "one is no time"))?;
    times.sort_unstable();
    Ok(times)
}
