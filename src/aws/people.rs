//! Recipients and their evidence.

mod writes;

use std::collections::HashMap;

use async_trait::async_trait;
use aws_sdk_dynamodb::{
    operation::transact_write_items::TransactWriteItemsError,
    types::{Delete, DeleteRequest, KeysAndAttributes, Put, ReturnConsumedCapacity, TransactWriteItem, WriteRequest},
};
use futures_util::{
    FutureExt, StreamExt, TryStreamExt,
    future::{BoxFuture, try_join_all},
    stream,
};
use jiff::Timestamp;

use super::{
    addresses, codec,
    dynamo::{Dynamo, Item, Read, b, n, s, unavailable},
};
use crate::{
    domain::{
        id::{RecipientId, Shard},
        recipient::Recipient,
    },
    flow::{
        api::recipients::{Evidence, People, PersonWrite, PutResult},
        port::PortError,
        send::reader::{Page, Pages},
    },
};

const FORMAT: u8 = 1;
/// Of `BatchGetItem`.
const GETS_PER_CALL: usize = 100;
/// Of `BatchWriteItem`.
const WRITES_PER_CALL: usize = 25;
/// Of 100 writes that a transaction may hold, a person takes at most 6.
const PEOPLE_PER_TRANSACTION: usize = 16;
const TRANSACTIONS_AT_ONCE: usize = 4;
const TOTAL: ReturnConsumedCapacity = ReturnConsumedCapacity::Total;

pub(super) fn recipient(item: &Item) -> Result<Recipient, PortError> {
    let id = item.text("i")?.parse().map_err(|wanted| PortError::corrupt("a recipient's id", wanted))?;
    let sends = match item.get("n") {
        Some(_) => codec::sends(item.bytes("n")?)?,
        None => crate::domain::frequency::Sends::default(),
    };
    Ok(Recipient { id, version: item.number("v")?, sends, profile: codec::profile(item.bytes("p")?)? })
}

fn item(recipient: &Recipient, shard: Shard) -> Result<Item, PortError> {
    let mut item = HashMap::from([
        ("s".to_owned(), n(shard.0)),
        ("i".to_owned(), s(recipient.id.as_str())),
        ("v".to_owned(), n(recipient.version)),
        ("p".to_owned(), b(codec::profile_bytes(&recipient.profile)?)),
    ]);
    if recipient.sends.iter().next().is_some() {
        item.insert("n".to_owned(), b(codec::sends_bytes(&recipient.sends)));
    }
    Ok(item)
}

#[async_trait]
impl Pages for Dynamo {
    async fn page(&self, shard: Shard, after: Option<&RecipientId>, consistent: bool) -> Result<Page, PortError> {
        let mut query = self
            .client
            .query()
            .table_name(&self.names.recipients)
            .expression_attribute_values(":s", n(shard.0))
            .consistent_read(consistent)
            .set_limit(self.page_people.map(i32::from))
            .return_consumed_capacity(TOTAL);
        query = match after {
            None => query.key_condition_expression("s = :s"),
            Some(after) => query
                .key_condition_expression("s = :s AND i > :after")
                .expression_attribute_values(":after", s(after.as_str())),
        };
        let answer = query.send().await.map_err(unavailable)?;
        self.meter.read(answer.consumed_capacity());
        let more = answer.last_evaluated_key().is_some();
        // Each item goes as its recipient comes: a whole page of both takes much memory.
        let items = answer.items.unwrap_or_default().into_iter();
        let recipients = items.map(|item| recipient(&item)).collect::<Result<_, _>>()?;
        Ok(Page { recipients, more })
    }

    async fn listed(&self, _shard: Shard, ids: &[RecipientId], consistent: bool) -> Result<Vec<Recipient>, PortError> {
        let calls = ids.chunks(GETS_PER_CALL).map(|ids| self.get_call(ids, consistent));
        let mut people: Vec<Recipient> = try_join_all(calls).await?.into_iter().flatten().collect();
        people.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(people)
    }
}

#[async_trait]
impl People for Dynamo {
    async fn get(&self, id: &RecipientId) -> Result<Option<Recipient>, PortError> {
        let get = self
            .client
            .get_item()
            .table_name(&self.names.recipients)
            .set_key(Some(self.recipient_key(id)))
            .consistent_read(true)
            .return_consumed_capacity(TOTAL);
        let answer = get.send().await.map_err(unavailable)?;
        self.meter.read(answer.consumed_capacity());
        answer.item.as_ref().map(recipient).transpose()
    }

    async fn get_many(&self, ids: &[RecipientId]) -> Result<Vec<Recipient>, PortError> {
        let mut unique = ids.to_vec();
        unique.sort_unstable();
        unique.dedup();
        let calls = unique.chunks(GETS_PER_CALL).map(|ids| self.get_call(ids, true));
        Ok(try_join_all(calls).await?.into_iter().flatten().collect())
    }

    async fn put(&self, writes: &[PersonWrite<'_>]) -> Result<Vec<PutResult>, PortError> {
        // Several people in one transaction cost the same units and a fraction of the calls.
        let calls: Vec<BoxFuture<'_, _>> =
            writes.chunks(PEOPLE_PER_TRANSACTION).map(|writes| self.put_together(writes).boxed()).collect();
        let results: Vec<Vec<PutResult>> = stream::iter(calls).buffered(TRANSACTIONS_AT_ONCE).try_collect().await?;
        Ok(results.into_iter().flatten().collect())
    }

    async fn erase(&self, recipient: &Recipient, at: Timestamp) -> Result<bool, PortError> {
        self.forget_evidence(recipient).await?;
        let delete = Delete::builder()
            .table_name(&self.names.recipients)
            .set_key(Some(self.recipient_key(&recipient.id)))
            .condition_expression("v = :v")
            .expression_attribute_values(":v", n(recipient.version))
            .build()
            .map_err(wrong)?;
        let mut writes = vec![TransactWriteItem::builder().delete(delete).build()];
        for mailbox in self.mailboxes(Some(recipient)) {
            let put = Put::builder()
                .table_name(&self.names.addresses)
                .item("h", b(mailbox.hash))
                .item("f", n(addresses::FORMAT))
                .item("z", n(at.as_millisecond()));
            let put = put.build().map_err(wrong)?;
            writes.push(TransactWriteItem::builder().put(put).build());
        }
        match self.client.transact_write_items().set_transact_items(Some(writes)).send().await {
            Ok(_) => {}
            Err(error) => match error.as_service_error() {
                Some(TransactWriteItemsError::TransactionCanceledException(_)) => return Ok(false),
                Some(_) | None => return Err(unavailable(error)),
            },
        }
        // What was recorded between the two.
        self.forget_evidence(recipient).await?;
        Ok(true)
    }

    async fn evidence(&self, id: &RecipientId) -> Result<Vec<Evidence>, PortError> {
        let mut evidence = Vec::new();
        // Beside the evidence stands when a link was last mailed (`marks.rs`), which is none.
        for item in self.evidence_items(id).await?.into_iter().filter(|item| item.contains_key("b")) {
            let part: Vec<Evidence> = serde_json::from_str(item.text("b")?)
                .map_err(|error| PortError::no_json("a record of evidence", &error))?;
            evidence.extend(part);
        }
        Ok(evidence)
    }
}

impl Dynamo {
    pub(super) fn recipient_key(&self, id: &RecipientId) -> Item {
        let shard = Shard::of(id, self.shards);
        HashMap::from([("s".to_owned(), n(shard.0)), ("i".to_owned(), s(id.as_str()))])
    }

    async fn get_call(&self, ids: &[RecipientId], consistent: bool) -> Result<Vec<Recipient>, PortError> {
        let mut keys: Vec<Item> = ids.iter().map(|id| self.recipient_key(id)).collect();
        let mut people = Vec::with_capacity(keys.len());
        while !keys.is_empty() {
            let wanted = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(consistent).build();
            let get = self
                .client
                .batch_get_item()
                .request_items(&self.names.recipients, wanted.map_err(wrong)?)
                .return_consumed_capacity(TOTAL);
            let answer = get.send().await.map_err(unavailable)?;
            self.meter.read(answer.consumed_capacity().first());
            let found = answer.responses().and_then(|tables| tables.get(&self.names.recipients));
            for item in found.into_iter().flatten() {
                people.push(recipient(item)?);
            }
            let left = answer.unprocessed_keys().and_then(|tables| tables.get(&self.names.recipients));
            keys = left.map(|left| left.keys().to_vec()).unwrap_or_default();
        }
        Ok(people)
    }

    async fn evidence_items(&self, id: &RecipientId) -> Result<Vec<Item>, PortError> {
        let pages = self
            .client
            .query()
            .table_name(&self.names.evidence)
            .key_condition_expression("i = :i")
            .expression_attribute_values(":i", s(id.as_str()))
            .consistent_read(true)
            .into_paginator()
            .items()
            .send();
        pages.collect::<Result<Vec<Item>, _>>().await.map_err(unavailable)
    }

    /// Deletes whatever is kept under the person's id, readable or not; only what is of a later version is of somebody
    /// who was made anew under it.
    async fn forget_evidence(&self, recipient: &Recipient) -> Result<(), PortError> {
        let mut items = self.evidence_items(&recipient.id).await?;
        let version = |item: &Item| item.text("t").ok().and_then(|version| version.parse::<u64>().ok());
        items.retain(|item| version(item).is_none_or(|version| version <= recipient.version));
        for items in items.chunks(WRITES_PER_CALL) {
            let mut open = Vec::new();
            for item in items {
                let key = item.iter().filter(|(name, _)| *name == "i" || *name == "t");
                let key = key.map(|(name, value)| (name.clone(), value.clone())).collect();
                let delete = DeleteRequest::builder().set_key(Some(key)).build().map_err(wrong)?;
                open.push(WriteRequest::builder().delete_request(delete).build());
            }
            while !open.is_empty() {
                let call = self.client.batch_write_item().request_items(&self.names.evidence, open);
                let answer = call.send().await.map_err(unavailable)?;
                let left = answer.unprocessed_items.and_then(|mut left| left.remove(&self.names.evidence));
                open = left.unwrap_or_default();
            }
        }
        Ok(())
    }
}

/// A request that could not be built is a mistake of ours, never the caller's.
pub(super) fn wrong(error: impl std::fmt::Display) -> PortError {
    PortError::corrupt("a request to DynamoDB", error)
}
