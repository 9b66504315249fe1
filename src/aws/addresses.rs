//! Addresses, known by their keyed hash: whose they are, and what is known of them whoever has them.

mod writes;

use std::collections::HashMap;

use async_trait::async_trait;
use aws_sdk_dynamodb::{
    operation::{delete_item::DeleteItemError, update_item::UpdateItemError},
    types::{BatchStatementRequest, KeysAndAttributes, ReturnConsumedCapacity},
};
use futures_util::{FutureExt, StreamExt, TryStreamExt, future::BoxFuture, stream};
use hmac::Mac;
use jiff::Timestamp;

use super::{
    dynamo::{Dynamo, Item, Read, b, n, s, unavailable},
    mailboxes::bounces,
    people::wrong,
};
use crate::{
    domain::{
        email::EmailAddress,
        recipient::{Marks, Suppression, SuppressionKind, Unusable},
    },
    flow::{
        api::suppressions::{AddressRecord, Addresses},
        port::PortError,
    },
};

use writes::Expression;
pub(super) use writes::{Change, member};

/// 1 had no marks, and is read as such.
pub(super) const FORMAT: u8 = 2;
/// Of `BatchGetItem`.
const GETS_PER_CALL: usize = 100;
/// Of `BatchExecuteStatement`.
const STATEMENTS_PER_CALL: usize = 25;
const CALLS_AT_ONCE: usize = 8;

#[async_trait]
impl Addresses for Dynamo {
    async fn get(&self, emails: &[EmailAddress]) -> Result<Vec<AddressRecord>, PortError> {
        let hashes: Vec<Vec<u8>> = emails.iter().map(|email| self.hash(email)).collect();
        let mut found: HashMap<Vec<u8>, AddressRecord> = HashMap::with_capacity(hashes.len());
        let mut unique = hashes.clone();
        unique.sort_unstable();
        unique.dedup();
        for hashes in unique.chunks(GETS_PER_CALL) {
            let mut keys: Vec<Item> = hashes.iter().map(|hash| address_key(hash)).collect();
            while !keys.is_empty() {
                let wanted = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true).build();
                let get = self
                    .client
                    .batch_get_item()
                    .request_items(&self.names.addresses, wanted.map_err(wrong)?)
                    .return_consumed_capacity(ReturnConsumedCapacity::Total);
                let answer = get.send().await.map_err(unavailable)?;
                self.meter.read(answer.consumed_capacity().first());
                let items = answer.responses().and_then(|tables| tables.get(&self.names.addresses));
                for item in items.into_iter().flatten() {
                    found.insert(item.bytes("h")?.to_vec(), record(item)?);
                }
                let left = answer.unprocessed_keys().and_then(|tables| tables.get(&self.names.addresses));
                keys = left.map(|left| left.keys().to_vec()).unwrap_or_default();
            }
        }
        Ok(hashes.iter().map(|hash| found.get(hash).cloned().unwrap_or_default()).collect())
    }

    async fn create(&self, records: &[(EmailAddress, AddressRecord)]) -> Result<Vec<bool>, PortError> {
        let calls: Vec<BoxFuture<'_, _>> =
            records.chunks(STATEMENTS_PER_CALL).map(|records| self.create_call(records).boxed()).collect();
        let created: Vec<Vec<bool>> = stream::iter(calls).buffered(CALLS_AT_ONCE).try_collect().await?;
        Ok(created.into_iter().flatten().collect())
    }

    async fn replace(
        &self,
        email: &EmailAddress,
        before: &AddressRecord,
        after: &AddressRecord,
    ) -> Result<bool, PortError> {
        let hash = self.hash(email);
        let nothing_left = after.marks.is_empty() && after.owner.is_none() && after.erased.is_none();
        if nothing_left && self.delete_record(&hash, before).await? {
            return Ok(true);
        }
        let mut set = Expression::of_record(after);
        let condition = set.unchanged(before);
        let update = self
            .client
            .update_item()
            .table_name(&self.names.addresses)
            .key("h", b(hash))
            .update_expression(set.text())
            .condition_expression(condition)
            .set_expression_attribute_values(Some(set.values))
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        match update.send().await {
            Ok(answer) => {
                self.meter.write(answer.consumed_capacity());
                Ok(true)
            }
            Err(error)
                if error.as_service_error().is_some_and(UpdateItemError::is_conditional_check_failed_exception) =>
            {
                Ok(false)
            }
            Err(error) => Err(unavailable(error)),
        }
    }
}

impl Dynamo {
    /// An `INSERT` fails on an item that is there.
    async fn create_call(&self, records: &[(EmailAddress, AddressRecord)]) -> Result<Vec<bool>, PortError> {
        let mut statements = Vec::with_capacity(records.len());
        for (email, record) in records {
            let mut names = vec!["'h': ?", "'f': ?"];
            let mut values = vec![b(self.hash(email)), n(FORMAT)];
            if let Some(Suppression { kind, since }) = record.marks.suppression {
                names.extend(["'k': ?", "'t': ?"]);
                values.extend([s(kind.as_str()), n(since.as_millisecond())]);
            }
            if let Some(note) = &record.note {
                names.push("'w': ?");
                values.push(s(note));
            }
            let statement = format!("INSERT INTO \"{}\" VALUE {{{}}}", self.names.addresses, names.join(", "));
            let request = BatchStatementRequest::builder().statement(statement).set_parameters(Some(values));
            statements.push(request.build().map_err(wrong)?);
        }
        let execute = self.client.batch_execute_statement().set_statements(Some(statements));
        let answer =
            execute.return_consumed_capacity(ReturnConsumedCapacity::Total).send().await.map_err(unavailable)?;
        self.meter.write(answer.consumed_capacity().first());
        let responses = answer.responses();
        if responses.len() != records.len() {
            return Err(PortError::corrupt("the answer to new addresses", "it has another number of results"));
        }
        // Whatever kept one from being stored, it is looked at by itself.
        Ok(responses.iter().map(|response| response.error().is_none()).collect())
    }

    /// Forgets an address, if nothing but what `before` says is stored of it.
    async fn delete_record(&self, hash: &[u8], before: &AddressRecord) -> Result<bool, PortError> {
        let mut expression = Expression::default();
        let condition = format!("{} AND attribute_not_exists(b)", expression.unchanged(before));
        let values = Some(expression.values).filter(|values| !values.is_empty());
        let delete = self
            .client
            .delete_item()
            .table_name(&self.names.addresses)
            .key("h", b(hash))
            .condition_expression(condition)
            .set_expression_attribute_values(values);
        match delete.send().await {
            Ok(_) => Ok(true),
            Err(error)
                if error.as_service_error().is_some_and(DeleteItemError::is_conditional_check_failed_exception) =>
            {
                Ok(false)
            }
            Err(error) => Err(unavailable(error)),
        }
    }

    pub(super) fn hash(&self, email: &EmailAddress) -> Vec<u8> {
        let mut mac = self.address_key.mac();
        mac.update(email.normalised().as_bytes());
        mac.finalize().into_bytes().to_vec()
    }
}

fn address_key(hash: &[u8]) -> Item {
    HashMap::from([("h".to_owned(), b(hash))])
}

/// What an item says; one of format 1 knows only an owner or an erasure.
pub(super) fn record(item: &Item) -> Result<AddressRecord, PortError> {
    const WHAT: &str = "an address";
    let format: u8 = item.number("f")?;
    if !(1..=FORMAT).contains(&format) {
        return Err(PortError::corrupt(WHAT, format!("its format {format} is not known here")));
    }
    let text = |name: &'static str| item.get(name).map(|_| item.text(name)).transpose();
    let time = |name: &'static str| -> Result<Timestamp, PortError> {
        Timestamp::from_millisecond(item.number(name)?).map_err(|error| PortError::corrupt(WHAT, error))
    };
    let owner = text("o")?.map(|owner| owner.parse().map_err(|wanted| PortError::corrupt(WHAT, wanted)));
    let unusable = text("u")?.map(|word| word_of(Unusable::ALL, Unusable::as_str, word)).transpose()?;
    let suppression = match text("k")? {
        None => None,
        Some(word) => {
            let kind = word_of(SuppressionKind::ALL, SuppressionKind::as_str, word)?;
            Some(Suppression { kind, since: time("t")? })
        }
    };
    Ok(AddressRecord {
        owner: owner.transpose()?,
        erased: item.get("z").map(|_| time("z")).transpose()?,
        marks: Marks { unusable, suppression },
        note: text("w")?.map(str::to_owned),
        soft_bounces: bounces(item)?,
    })
}

/// A mark that is not understood must not read as none.
fn word_of<T: Copy>(all: &[T], name: impl Fn(T) -> &'static str, word: &str) -> Result<T, PortError> {
    let known = all.iter().copied().find(|&value| name(value) == word);
    known.ok_or_else(|| PortError::corrupt("an address", "one of its marks is not known here"))
}
