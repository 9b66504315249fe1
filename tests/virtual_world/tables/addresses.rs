//! The addresses' table, by mailbox: whose each is, and what is known of it whoever has it.

use std::collections::BTreeMap;

use async_trait::async_trait;
use futures_util::{FutureExt, StreamExt, TryStreamExt, future::BoxFuture, stream};
use germane::{
    domain::{
        email::EmailAddress,
        id::RecipientId,
        recipient::{Marks, Suppression, SuppressionKind, Unusable},
    },
    flow::{
        api::suppressions::{AddressRecord, Addresses},
        feedback::Mailboxes,
        port::PortError,
    },
};
use jiff::Timestamp;

use super::Tables;

/// Of `BatchGetItem`.
const GETS_PER_CALL: usize = 100;
/// Of `BatchExecuteStatement`.
const STATEMENTS_PER_CALL: usize = 25;
const CALLS_AT_ONCE: usize = 8;
/// Older soft bounces are forgotten once there are more.
const REMEMBERED: usize = 16;

/// Items by mailbox, which stands for its keyed hash. One that says nothing may be there too.
#[derive(Default)]
pub struct AddressTable {
    items: BTreeMap<String, AddressRecord>,
}

/// What a change of a person does to one of their mailboxes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Change {
    /// They are given it, and carry these marks.
    Gain(Marks),
    /// It stays theirs, with other marks.
    Mark(Marks),
    /// They leave it, and these marks stay behind.
    Leave(Marks),
    /// They leave it, and nothing is to be remembered.
    Drop,
}

impl AddressTable {
    pub fn of(&self, email: &EmailAddress) -> Option<&AddressRecord> {
        self.at(&email.normalised())
    }

    pub fn all(&self) -> impl Iterator<Item = (&String, &AddressRecord)> {
        self.items.iter()
    }

    pub(super) fn at(&self, mailbox: &str) -> Option<&AddressRecord> {
        self.items.get(mailbox)
    }

    pub(super) fn allows(&self, mailbox: &str, owner: &RecipientId, change: Change) -> bool {
        let held = self.at(mailbox);
        let whose = held.and_then(|held| held.owner.as_ref());
        let free = held.is_none_or(|held| held.erased.is_none()) && whose.is_none_or(|whose| whose == owner);
        match change {
            Change::Gain(carried) => free && held.is_none_or(|held| !is_heavier(held.marks, carried)),
            Change::Mark(_) => free,
            Change::Leave(_) => whose == Some(owner),
            Change::Drop => {
                whose == Some(owner) && held.is_none_or(|held| held.marks.is_empty() && held.soft_bounces.is_empty())
            }
        }
    }

    pub(super) fn change(&mut self, mailbox: &str, owner: &RecipientId, change: Change) {
        let item = match change {
            Change::Drop => return drop(self.items.remove(mailbox)),
            Change::Gain(_) | Change::Mark(_) | Change::Leave(_) => self.items.entry(mailbox.to_owned()).or_default(),
        };
        match change {
            Change::Gain(marks) | Change::Mark(marks) => {
                mark(item, marks);
                item.owner = Some(owner.clone());
            }
            Change::Leave(marks) => {
                if !marks.is_empty() {
                    mark(item, marks);
                }
                item.owner = None;
            }
            Change::Drop => {}
        }
    }

    /// All that remains of an address whose owner is erased.
    pub(super) fn erase(&mut self, mailbox: &str, at: Timestamp) {
        self.items.insert(mailbox.to_owned(), AddressRecord { erased: Some(at), ..AddressRecord::default() });
    }

    fn create(&mut self, email: &EmailAddress, record: &AddressRecord) -> bool {
        let mailbox = email.normalised();
        let new = !self.items.contains_key(&mailbox);
        if new {
            let marks = Marks { unusable: None, ..record.marks };
            let kept = AddressRecord { marks, note: record.note.clone(), ..AddressRecord::default() };
            self.items.insert(mailbox, kept);
        }
        new
    }

    /// Forgets an address of which nothing but what `before` says is stored.
    fn remove(&mut self, email: &EmailAddress, before: &AddressRecord) -> bool {
        let held = self.of(email);
        let fits = is_still(held, before) && held.is_none_or(|held| held.soft_bounces.is_empty());
        if fits {
            self.items.remove(&email.normalised());
        }
        fits
    }

    fn update(&mut self, email: &EmailAddress, before: &AddressRecord, after: &AddressRecord) -> bool {
        let fits = is_still(self.of(email), before);
        if fits {
            let item = self.items.entry(email.normalised()).or_default();
            item.note.clone_from(&after.note);
            mark(item, after.marks);
        }
        fits
    }

    fn bounced(&mut self, email: &EmailAddress, at: Timestamp) -> Vec<Timestamp> {
        let owned = self.items.get_mut(&email.normalised()).filter(|item| item.owner.is_some());
        let Some(item) = owned else { return Vec::new() };
        // A set.
        if let Err(place) = item.soft_bounces.binary_search(&at) {
            item.soft_bounces.insert(place, at);
        }
        item.soft_bounces.clone()
    }

    fn forget(&mut self, email: &EmailAddress, old: &[Timestamp]) {
        if let Some(item) = self.items.get_mut(&email.normalised()) {
            item.soft_bounces.retain(|at| !old.contains(at));
        }
    }
}

/// Writes marks over what is there. A note stays only beside a manual suppression.
fn mark(item: &mut AddressRecord, marks: Marks) {
    item.marks = marks;
    if marks.suppression.is_none_or(|suppression| suppression.kind != SuppressionKind::Manual) {
        item.note = None;
    }
}

/// Whether an address holds a mark that weighs more than what a person carries.
fn is_heavier(held: Marks, carried: Marks) -> bool {
    let suppression = |held: Suppression| carried.suppression.is_none_or(|carried| held.kind.outweighs(carried.kind));
    let unusable = |held: Unusable| carried.unusable.is_none_or(|carried| held.outweighs(carried));
    held.suppression.is_some_and(suppression) || held.unusable.is_some_and(unusable)
}

/// That owner, erasure and marks still are as they were read.
fn is_still(held: Option<&AddressRecord>, before: &AddressRecord) -> bool {
    let kind = |record: &AddressRecord| record.marks.suppression.map(|suppression| suppression.kind);
    let facts = |record: &AddressRecord| (record.owner.clone(), record.erased, record.marks.unusable, kind(record));
    held.map_or_else(|| facts(&AddressRecord::default()), facts) == facts(before)
}

#[async_trait]
impl Addresses for Tables {
    async fn get(&self, emails: &[EmailAddress]) -> Result<Vec<AddressRecord>, PortError> {
        let mut records = Vec::with_capacity(emails.len());
        for emails in emails.chunks(GETS_PER_CALL) {
            let emails = emails.to_vec();
            let read = self.call("read addresses", move |store| {
                let record = |email| store.addresses.of(email).cloned().unwrap_or_default();
                emails.iter().map(record).collect::<Vec<_>>()
            });
            records.extend(read.await?);
        }
        Ok(records)
    }

    async fn create(&self, records: &[(EmailAddress, AddressRecord)]) -> Result<Vec<bool>, PortError> {
        let call = |records: &[(EmailAddress, AddressRecord)]| {
            let records = records.to_vec();
            self.call("suppress new addresses", move |store| {
                records.iter().map(|(email, record)| store.addresses.create(email, record)).collect::<Vec<_>>()
            })
        };
        let calls: Vec<BoxFuture<'_, _>> =
            records.chunks(STATEMENTS_PER_CALL).map(|records| call(records).boxed()).collect();
        let created: Vec<Vec<bool>> = stream::iter(calls).buffered(CALLS_AT_ONCE).try_collect().await?;
        Ok(created.into_iter().flatten().collect())
    }

    async fn replace(
        &self,
        email: &EmailAddress,
        before: &AddressRecord,
        after: &AddressRecord,
    ) -> Result<bool, PortError> {
        if after.marks.is_empty() && after.owner.is_none() && after.erased.is_none() {
            let (email, before) = (email.clone(), before.clone());
            if self.call("forget an address", move |store| store.addresses.remove(&email, &before)).await? {
                return Ok(true);
            }
        }
        let (email, before, after) = (email.clone(), before.clone(), after.clone());
        self.call("mark an address", move |store| store.addresses.update(&email, &before, &after)).await
    }
}

#[async_trait]
impl Mailboxes for Tables {
    async fn owner(&self, address: &EmailAddress) -> Result<Option<RecipientId>, PortError> {
        let address = address.clone();
        self.call("read an address's owner", move |store| store.addresses.of(&address)?.owner.clone()).await
    }

    async fn soft_bounced(&self, address: &EmailAddress, at: Timestamp) -> Result<Vec<Timestamp>, PortError> {
        let email = address.clone();
        let times = self.call("note a soft bounce", move |store| store.addresses.bounced(&email, at)).await?;
        if let Some(beyond) = times.len().checked_sub(REMEMBERED).filter(|beyond| *beyond > 0) {
            let (email, old) = (address.clone(), times[..beyond].to_vec());
            self.call("forget old soft bounces", move |store| store.addresses.forget(&email, &old)).await?;
        }
        Ok(times)
    }
}
