//! Claims and give-backs: twenty-five conditional writes in one call.

use async_trait::async_trait;
use aws_sdk_dynamodb::types::{
    BatchStatementErrorCodeEnum, BatchStatementRequest, BatchStatementResponse, ReturnConsumedCapacity,
    ReturnValuesOnConditionCheckFailure,
};

use super::{
    codec,
    dynamo::{Dynamo, b, n, s, unavailable},
    people::recipient,
};
use crate::{
    domain::id::Shard,
    flow::{
        port::PortError,
        send::claim::{Claims, SendsWrite, Written},
    },
};

#[async_trait]
impl Claims for Dynamo {
    async fn write(&self, writes: &[SendsWrite]) -> Result<Vec<Written>, PortError> {
        let statement = format!("UPDATE \"{}\" SET n=? SET v=? WHERE s=? AND i=? AND v=?", self.names.recipients);
        let mut statements = Vec::with_capacity(writes.len());
        for write in writes {
            let request = BatchStatementRequest::builder()
                .statement(&statement)
                .parameters(b(codec::sends_bytes(&write.sends)))
                .parameters(n(write.version + 1))
                .parameters(n(Shard::of(&write.id, self.shards).0))
                .parameters(s(write.id.as_str()))
                .parameters(n(write.version))
                .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
                .build()
                .map_err(|error| PortError::corrupt("a claim", error))?;
            statements.push(request);
        }
        let answer = self
            .client
            .batch_execute_statement()
            .set_statements(Some(statements))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(unavailable)?;
        self.meter.write(answer.consumed_capacity().first());
        let responses = answer.responses();
        if responses.len() != writes.len() {
            return Err(PortError::corrupt("the answer to claims", "it has another number of results"));
        }
        responses.iter().map(written).collect()
    }
}

fn written(response: &BatchStatementResponse) -> Result<Written, PortError> {
    let Some(error) = response.error() else { return Ok(Written::Done) };
    match error.code() {
        Some(BatchStatementErrorCodeEnum::ConditionalCheckFailed) => {
            let item = error.item().filter(|item| !item.is_empty());
            let there = item.or(response.item()).map(recipient).transpose()?;
            Ok(Written::Lost(there.map(Box::new)))
        }
        Some(
            BatchStatementErrorCodeEnum::ThrottlingError
            | BatchStatementErrorCodeEnum::ProvisionedThroughputExceeded
            | BatchStatementErrorCodeEnum::RequestLimitExceeded
            | BatchStatementErrorCodeEnum::TransactionConflict
            | BatchStatementErrorCodeEnum::InternalServerError,
        ) => Ok(Written::Busy),
        code => {
            let code = code.map_or("no code", BatchStatementErrorCodeEnum::as_str);
            Err(PortError::unavailable("DynamoDB", format!("a claim was answered with {code}")))
        }
    }
}
