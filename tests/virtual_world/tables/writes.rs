//! People are written with their addresses and their evidence, in one transaction.

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::{
    FutureExt, StreamExt, TryStreamExt,
    future::{BoxFuture, try_join_all},
    stream,
};
use germane::{
    domain::{
        channel::Channel,
        id::RecipientId,
        recipient::{Marks, Recipient},
    },
    flow::{
        api::recipients::{Evidence, People, PersonWrite, PutResult},
        port::PortError,
    },
};
use jiff::Timestamp;

use super::{Store, Tables, addresses::Change};

/// Of `BatchGetItem`.
const GETS_PER_CALL: usize = 100;
const PEOPLE_PER_TRANSACTION: usize = 16;
const TRANSACTIONS_AT_ONCE: usize = 4;

/// One write of a transaction.
#[derive(Clone)]
enum Member {
    Person { before: Option<u64>, after: Arc<Recipient> },
    Address { mailbox: String, owner: RecipientId, change: Change, gained: Option<Channel> },
    Evidence { id: RecipientId, version: u64, evidence: Vec<Evidence> },
}

/// Why a transaction was refused.
#[derive(Clone)]
enum Refusal {
    Answer(PutResult),
    /// An address that was to be forgotten holds more than its owner: only the owner goes.
    Keep(String),
}

impl Member {
    /// What cannot stand in a transaction twice.
    fn item(&self) -> (u8, String) {
        match self {
            Member::Person { after, .. } => (0, after.id.to_string()),
            Member::Address { mailbox, .. } => (1, mailbox.clone()),
            Member::Evidence { id, version, .. } => (2, format!("{id} {version}")),
        }
    }

    fn is_allowed(&self, store: &Store) -> bool {
        match self {
            Member::Person { before, after } => store.people.get(&after.id).map(|held| held.version) == *before,
            Member::Address { mailbox, owner, change, .. } => store.addresses.allows(mailbox, owner, *change),
            Member::Evidence { .. } => true,
        }
    }

    /// What it means that it was not allowed; `None` where that says no more than that something had changed.
    fn refusal(&self, store: &Store) -> Option<Refusal> {
        let Member::Address { mailbox, owner, change, gained } = self else { return None };
        let held = store.addresses.at(mailbox)?;
        let is_theirs = held.owner.as_ref() == Some(owner);
        match (gained, change) {
            (Some(channel), _) => Some(Refusal::Answer(match held.erased {
                Some(_) => PutResult::AddressErased(*channel),
                None if held.owner.is_some() && !is_theirs => PutResult::AddressTaken(*channel),
                None => PutResult::AddressMarked { channel: *channel, marks: held.marks },
            })),
            (None, Change::Drop) if is_theirs => Some(Refusal::Keep(mailbox.clone())),
            (None, Change::Gain(_) | Change::Mark(_) | Change::Leave(_) | Change::Drop) => None,
        }
    }

    fn write(&self, store: &mut Store, at: std::time::Duration) {
        match self {
            Member::Person { after, .. } => store.people.put(&after.id, Some((**after).clone()), at),
            Member::Address { mailbox, owner, change, .. } => store.addresses.change(mailbox, owner, *change),
            Member::Evidence { id, version, evidence } => store.evidence.put(id, *version, evidence.clone()),
        }
    }
}

/// All of it or nothing.
fn transact(store: &mut Store, members: &[Member], at: std::time::Duration) -> Result<(), Refusal> {
    let mut items: Vec<(u8, String)> = members.iter().map(Member::item).collect();
    items.sort_unstable();
    let twice = items.windows(2).any(|pair| pair[0] == pair[1]);
    let refused: Vec<&Member> = members.iter().filter(|member| !member.is_allowed(store)).collect();
    if twice || !refused.is_empty() {
        let why = refused.into_iter().find_map(|member| member.refusal(store));
        return Err(why.unwrap_or(Refusal::Answer(PutResult::Changed)));
    }
    for member in members {
        member.write(store, at);
    }
    Ok(())
}

/// The writes of one change, those in `kept` being no mailboxes that are forgotten when the person leaves them.
fn members(write: &PersonWrite<'_>, kept: &[String]) -> Vec<Member> {
    let PersonWrite { before, after, evidence } = write;
    let id = &after.id;
    let person = Member::Person { before: before.map(|before| before.version), after: Arc::new((*after).clone()) };
    let address = |mailbox: &String, change, gained| Member::Address {
        mailbox: mailbox.clone(),
        owner: id.clone(),
        change,
        gained,
    };
    let mut members = vec![person];
    let (left, held) = (before.map(mailboxes).unwrap_or_default(), mailboxes(after));
    for (mailbox, channel, marks) in &held {
        match left.iter().find(|(before, ..)| before == mailbox) {
            None => members.push(address(mailbox, Change::Gain(*marks), Some(*channel))),
            Some((.., before)) if before != marks => members.push(address(mailbox, Change::Mark(*marks), None)),
            Some(_) => {}
        }
    }
    for (mailbox, _, marks) in left.iter().filter(|(mailbox, ..)| held.iter().all(|(held, ..)| held != mailbox)) {
        let marks = Marks { suppression: after.suppression, ..*marks };
        let forgotten = marks.is_empty() && !kept.contains(mailbox);
        members.push(address(mailbox, if forgotten { Change::Drop } else { Change::Leave(marks) }, None));
    }
    if !evidence.is_empty() {
        members.push(Member::Evidence { id: id.clone(), version: after.version, evidence: evidence.clone() });
    }
    members
}

/// A person's mailboxes; one that serves both channels stands there once.
fn mailboxes(person: &Recipient) -> Vec<(String, Channel, Marks)> {
    let mut mailboxes: Vec<(String, Channel, Marks)> = Vec::new();
    for &channel in Channel::ALL {
        let Some(address) = person.address(channel) else { continue };
        let mailbox = address.email.normalised();
        if mailboxes.iter().all(|(held, ..)| *held != mailbox) {
            mailboxes.push((mailbox, channel, person.marks(channel)));
        }
    }
    mailboxes
}

impl Tables {
    async fn put_together(&self, writes: &[PersonWrite<'_>]) -> Result<Vec<PutResult>, PortError> {
        if let [write] = writes {
            return Ok(vec![self.put_alone(write).await?]);
        }
        let together: Vec<Member> = writes.iter().flat_map(|write| members(write, &[])).collect();
        if self.transact_people("write people", together).await?.is_ok() {
            return Ok(vec![PutResult::Written; writes.len()]);
        }
        let mut results = Vec::with_capacity(writes.len());
        for write in writes {
            results.push(self.put_alone(write).await?);
        }
        Ok(results)
    }

    async fn put_alone(&self, write: &PersonWrite<'_>) -> Result<PutResult, PortError> {
        let mut kept = Vec::new();
        loop {
            match self.transact_people("write a person", members(write, &kept)).await? {
                Ok(()) => return Ok(PutResult::Written),
                Err(Refusal::Answer(result)) => return Ok(result),
                Err(Refusal::Keep(mailbox)) => kept.push(mailbox),
            }
        }
    }

    async fn transact_people(
        &self,
        what: &'static str,
        members: Vec<Member>,
    ) -> Result<Result<(), Refusal>, PortError> {
        let time = self.network.time.clone();
        self.transact(what, move |store| transact(store, &members, time.passed())).await
    }
}

#[async_trait]
impl People for Tables {
    async fn get(&self, id: &RecipientId) -> Result<Option<Recipient>, PortError> {
        let id = id.clone();
        self.call("read a person", move |store| store.people.get(&id).cloned()).await
    }

    async fn get_many(&self, ids: &[RecipientId]) -> Result<Vec<Recipient>, PortError> {
        let mut unique = ids.to_vec();
        unique.sort_unstable();
        unique.dedup();
        let calls = unique.chunks(GETS_PER_CALL).map(|ids| {
            let ids = ids.to_vec();
            self.call("read many people", move |store| {
                ids.iter().filter_map(|id| store.people.get(id).cloned()).collect::<Vec<_>>()
            })
        });
        Ok(try_join_all(calls).await?.into_iter().flatten().collect())
    }

    async fn put(&self, writes: &[PersonWrite<'_>]) -> Result<Vec<PutResult>, PortError> {
        let calls: Vec<BoxFuture<'_, _>> =
            writes.chunks(PEOPLE_PER_TRANSACTION).map(|writes| self.put_together(writes).boxed()).collect();
        let results: Vec<Vec<PutResult>> = stream::iter(calls).buffered(TRANSACTIONS_AT_ONCE).try_collect().await?;
        Ok(results.into_iter().flatten().collect())
    }

    /// Evidence goes before the person and after them: what was recorded between the two is found by the second.
    async fn erase(&self, recipient: &Recipient, at: Timestamp) -> Result<bool, PortError> {
        self.forget_evidence(recipient).await?;
        let (person, time) = (recipient.clone(), self.network.time.clone());
        let erased = self.transact("erase a person", move |store| {
            if store.people.get(&person.id).is_none_or(|held| held.version != person.version) {
                return false;
            }
            store.people.put(&person.id, None, time.passed());
            for (mailbox, ..) in mailboxes(&person) {
                store.addresses.erase(&mailbox, at);
            }
            true
        });
        if !erased.await? {
            return Ok(false);
        }
        self.forget_evidence(recipient).await?;
        Ok(true)
    }

    async fn evidence(&self, id: &RecipientId) -> Result<Vec<Evidence>, PortError> {
        let id = id.clone();
        self.call("read evidence", move |store| store.evidence.of(&id)).await
    }
}
