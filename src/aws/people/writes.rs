//! People are written with their addresses and their evidence, in one transaction.

use aws_sdk_dynamodb::{
    error::SdkError,
    operation::transact_write_items::TransactWriteItemsError,
    types::{Put, TransactWriteItem, error::TransactionCanceledException},
};

use super::{FORMAT, TOTAL, item, wrong};
use crate::{
    aws::{
        addresses::{self, Change},
        dynamo::{Dynamo, Read, n, s, unavailable},
    },
    domain::{
        channel::Channel,
        id::{RecipientId, Shard},
        recipient::{Marks, Recipient},
    },
    flow::{
        api::recipients::{PersonWrite, PutResult},
        port::PortError,
    },
};

/// One write of a transaction, and what it means if it is refused.
struct Member {
    write: TransactWriteItem,
    about: About,
}

enum About {
    /// The person, the evidence, or an address that stays with them.
    Person,
    Gained(Channel),
    /// The address's hash.
    Dropped(Vec<u8>),
}

/// What a refused transaction leads to.
enum Refusal {
    Answer(PutResult),
    /// An address that was to be forgotten holds more than its owner: only the owner goes.
    Keep(Vec<u8>),
}

impl Dynamo {
    /// Writes people in one transaction; if that is refused, each in one of their own.
    pub(super) async fn put_together(&self, writes: &[PersonWrite<'_>]) -> Result<Vec<PutResult>, PortError> {
        if let [write] = writes {
            return Ok(vec![self.put_alone(write).await?]);
        }
        let mut together = Vec::new();
        for write in writes {
            together.extend(self.members(write, &[])?.into_iter().map(|member| member.write));
        }
        match self.transact(together).await {
            Ok(()) => Ok(vec![PutResult::Written; writes.len()]),
            // Somebody among them was refused, or all are too large together.
            Err(error) if error.raw_response().is_some_and(|response| response.status().is_client_error()) => {
                let mut results = Vec::with_capacity(writes.len());
                for write in writes {
                    results.push(self.put_alone(write).await?);
                }
                Ok(results)
            }
            Err(error) => Err(unavailable(error)),
        }
    }

    async fn put_alone(&self, write: &PersonWrite<'_>) -> Result<PutResult, PortError> {
        // A person has two addresses to leave, and each is found to hold more once.
        let mut kept = Vec::new();
        loop {
            let members = self.members(write, &kept)?;
            let (writes, about): (Vec<_>, Vec<_>) =
                members.into_iter().map(|member| (member.write, member.about)).unzip();
            match self.transact(writes).await {
                Ok(()) => return Ok(PutResult::Written),
                Err(error) => match error.as_service_error() {
                    Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
                        match refusal(cancelled, &about, &write.after.id)? {
                            Refusal::Answer(result) => return Ok(result),
                            Refusal::Keep(hash) => kept.push(hash),
                        }
                    }
                    Some(_) | None => return Err(unavailable(error)),
                },
            }
        }
    }

    async fn transact(&self, writes: Vec<TransactWriteItem>) -> Result<(), SdkError<TransactWriteItemsError>> {
        // The SDK draws an idempotency token for each call, so that its own retries are one transaction.
        let transact =
            self.client.transact_write_items().set_transact_items(Some(writes)).return_consumed_capacity(TOTAL);
        for consumed in transact.send().await?.consumed_capacity() {
            self.meter.write(Some(consumed));
        }
        Ok(())
    }

    /// The writes of one change: the person, at most four addresses, the evidence. An address that stays and whose
    /// marks stay is left alone. Those in `kept` are not deleted when the person leaves them.
    fn members(&self, write: &PersonWrite<'_>, kept: &[Vec<u8>]) -> Result<Vec<Member>, PortError> {
        let mut members = vec![Member { write: self.person(write)?, about: About::Person }];
        let id = &write.after.id;
        let address = |hash: &[u8], change: Change| addresses::member(&self.names.addresses, hash, id, change);

        let (before, after) = (self.mailboxes(write.before), self.mailboxes(Some(write.after)));
        for mailbox in &after {
            match before.iter().find(|held| held.hash == mailbox.hash) {
                None => members.push(Member {
                    write: address(&mailbox.hash, Change::Gain(mailbox.marks))?,
                    about: About::Gained(mailbox.channel),
                }),
                Some(held) if held.marks != mailbox.marks => members
                    .push(Member { write: address(&mailbox.hash, Change::Mark(mailbox.marks))?, about: About::Person }),
                Some(_) => {}
            }
        }
        for held in before.iter().filter(|held| after.iter().all(|mailbox| mailbox.hash != held.hash)) {
            // It stays as unusable as it was; suppressed is the person, whatever they have.
            let marks = Marks { suppression: write.after.suppression, ..held.marks };
            let member = if marks.is_empty() && !kept.contains(&held.hash) {
                Member { write: address(&held.hash, Change::Drop)?, about: About::Dropped(held.hash.clone()) }
            } else {
                Member { write: address(&held.hash, Change::Leave(marks))?, about: About::Person }
            };
            members.push(member);
        }
        if !write.evidence.is_empty() {
            members.push(Member { write: self.record_of(write)?, about: About::Person });
        }
        Ok(members)
    }

    fn person(&self, write: &PersonWrite<'_>) -> Result<TransactWriteItem, PortError> {
        let put = Put::builder()
            .table_name(&self.names.recipients)
            .set_item(Some(item(write.after, Shard::of(&write.after.id, self.shards))?));
        let put = match write.before {
            Some(before) => put.condition_expression("v = :v").expression_attribute_values(":v", n(before.version)),
            None => put.condition_expression("attribute_not_exists(i)"),
        };
        Ok(TransactWriteItem::builder().put(put.build().map_err(wrong)?).build())
    }

    fn record_of(&self, write: &PersonWrite<'_>) -> Result<TransactWriteItem, PortError> {
        let body = serde_json::to_string(&write.evidence)
            .map_err(|error| PortError::corrupt("a record of evidence", error))?;
        let put = Put::builder()
            .table_name(&self.names.evidence)
            .item("i", s(write.after.id.as_str()))
            .item("t", s(format!("{:020}", write.after.version)))
            .item("f", n(FORMAT))
            .item("b", s(body));
        Ok(TransactWriteItem::builder().put(put.build().map_err(wrong)?).build())
    }

    /// A person's addresses; one mailbox that serves both channels stands there once.
    pub(super) fn mailboxes(&self, recipient: Option<&Recipient>) -> Vec<Mailbox> {
        let mut mailboxes: Vec<Mailbox> = Vec::with_capacity(2);
        for &channel in Channel::ALL {
            let Some(recipient) = recipient else { continue };
            let Some(address) = recipient.address(channel) else { continue };
            let hash = self.hash(&address.email);
            if mailboxes.iter().all(|held| held.hash != hash) {
                mailboxes.push(Mailbox { hash, channel, marks: recipient.marks(channel) });
            }
        }
        mailboxes
    }
}

/// One of a person's addresses as the addresses table knows it.
pub(super) struct Mailbox {
    pub hash: Vec<u8>,
    channel: Channel,
    marks: Marks,
}

fn refusal(cancelled: &TransactionCanceledException, about: &[About], id: &RecipientId) -> Result<Refusal, PortError> {
    for (reason, about) in cancelled.cancellation_reasons().iter().zip(about) {
        let (Some("ConditionalCheckFailed"), Some(item)) = (reason.code(), reason.item()) else { continue };
        let ours = || item.text("o").is_ok_and(|owner| owner == id.as_str());
        match about {
            About::Gained(channel) if item.contains_key("z") => {
                return Ok(Refusal::Answer(PutResult::AddressErased(*channel)));
            }
            About::Gained(channel) if item.contains_key("o") && !ours() => {
                return Ok(Refusal::Answer(PutResult::AddressTaken(*channel)));
            }
            About::Gained(channel) => {
                let marks = addresses::record(item)?.marks;
                return Ok(Refusal::Answer(PutResult::AddressMarked { channel: *channel, marks }));
            }
            About::Dropped(hash) if ours() => return Ok(Refusal::Keep(hash.clone())),
            About::Dropped(_) | About::Person => {}
        }
    }
    // The version had moved on, or another transaction was under way.
    Ok(Refusal::Answer(PutResult::Changed))
}
