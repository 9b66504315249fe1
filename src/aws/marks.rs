//! When a person was last mailed a link, beside their evidence, so that erasure takes it along.

use async_trait::async_trait;
use aws_sdk_dynamodb::{
    operation::{delete_item::DeleteItemError, transact_write_items::TransactWriteItemsError},
    types::{ConditionCheck, Put, TransactWriteItem},
};
use jiff::Timestamp;

use super::dynamo::{Dynamo, n, s, unavailable};
use crate::{
    domain::id::RecipientId,
    flow::{port::PortError, preferences::link::Marks},
};

const FORMAT: u8 = 1;
/// Sorts behind all evidence, whose keys are numbers.
const MARK: &str = "~link";

#[async_trait]
impl Marks for Dynamo {
    async fn mark(&self, id: &RecipientId, at: Timestamp, since: Timestamp) -> Result<bool, PortError> {
        let wrong = |error| PortError::corrupt("a request to DynamoDB", error);
        // Nothing may be written of somebody who was erased.
        let there = ConditionCheck::builder()
            .table_name(&self.names.recipients)
            .set_key(Some(self.recipient_key(id)))
            .condition_expression("attribute_exists(i)")
            .build()
            .map_err(wrong)?;
        let put = Put::builder()
            .table_name(&self.names.evidence)
            .item("i", s(id.as_str()))
            .item("t", s(MARK))
            .item("f", n(FORMAT))
            .item("z", n(at.as_millisecond()))
            .condition_expression("attribute_not_exists(i) OR z <= :since")
            .expression_attribute_values(":since", n(since.as_millisecond()))
            .build()
            .map_err(wrong)?;
        let transact = self
            .client
            .transact_write_items()
            .transact_items(TransactWriteItem::builder().condition_check(there).build())
            .transact_items(TransactWriteItem::builder().put(put).build());
        let Err(error) = transact.send().await else { return Ok(true) };
        if let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) = error.as_service_error() {
            let failed = cancelled.cancellation_reasons().iter().any(|r| r.code() == Some("ConditionalCheckFailed"));
            if failed {
                return Ok(false);
            }
        }
        Err(unavailable(error))
    }

    async fn unmark(&self, id: &RecipientId, at: Timestamp) -> Result<(), PortError> {
        let delete = self
            .client
            .delete_item()
            .table_name(&self.names.evidence)
            .key("i", s(id.as_str()))
            .key("t", s(MARK))
            .condition_expression("z = :at")
            .expression_attribute_values(":at", n(at.as_millisecond()));
        match delete.send().await {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error() {
                // Another one stands there by now.
                Some(DeleteItemError::ConditionalCheckFailedException(_)) => Ok(()),
                Some(_) | None => Err(unavailable(error)),
            },
        }
    }
}
