//! The recipients' table.

use std::{collections::BTreeMap, time::Duration};

use async_trait::async_trait;
use futures_util::future::try_join_all;
use germane::{
    domain::{
        id::{RecipientId, Shard},
        recipient::Recipient,
    },
    flow::{
        port::PortError,
        send::{
            claim::{Claims, SendsWrite, Written},
            reader::{Page, Pages},
        },
    },
};

use super::Tables;

/// About as many as DynamoDB reads at once: a megabyte of them.
const PAGE: usize = 1_500;
/// Of `BatchGetItem`.
const GETS_PER_CALL: usize = 100;
/// How long a read that need not be consistent may find what was there before.
const STALE_FOR: Duration = Duration::from_secs(1);

pub struct PeopleTable {
    shards: u16,
    /// At most so many are read at once.
    pub page: usize,
    people: BTreeMap<Shard, BTreeMap<RecipientId, Row>>,
    /// Everything that was ever written, in the order in which it was.
    pub changes: Vec<Change>,
}

/// One write of an item.
#[derive(Debug, Clone)]
pub struct Change {
    /// Since the world began.
    pub at: Duration,
    pub id: RecipientId,
    pub before: Option<Recipient>,
    pub after: Option<Recipient>,
}

/// An item, and what it was before its latest change.
#[derive(Default)]
struct Row {
    now: Option<Recipient>,
    before: Option<Recipient>,
    changed: Duration,
}

impl Row {
    fn read(&self, since: Duration) -> Option<&Recipient> {
        if self.changed > since { self.before.as_ref() } else { self.now.as_ref() }
    }
}

impl PeopleTable {
    pub fn new(shards: u16) -> Self {
        Self { shards, page: PAGE, people: BTreeMap::new(), changes: Vec::new() }
    }

    pub fn get(&self, id: &RecipientId) -> Option<&Recipient> {
        self.people.get(&Shard::of(id, self.shards))?.get(id)?.now.as_ref()
    }

    pub fn all(&self) -> impl Iterator<Item = &Recipient> {
        self.people.values().flat_map(BTreeMap::values).filter_map(|row| row.now.as_ref())
    }

    /// Replaces an item, or deletes it.
    pub fn put(&mut self, id: &RecipientId, after: Option<Recipient>, at: Duration) {
        let row = self.people.entry(Shard::of(id, self.shards)).or_default().entry(id.clone()).or_default();
        row.before = std::mem::replace(&mut row.now, after);
        row.changed = at;
        self.changes.push(Change { at, id: id.clone(), before: row.before.clone(), after: row.now.clone() });
    }

    fn read(&self, id: &RecipientId, since: Duration) -> Option<&Recipient> {
        self.people.get(&Shard::of(id, self.shards))?.get(id)?.read(since)
    }

    /// The people of a shard as a read finds them that knows all that was changed until `since`.
    fn shard(&self, shard: Shard, since: Duration) -> impl Iterator<Item = &Recipient> {
        self.people.get(&shard).into_iter().flat_map(BTreeMap::values).filter_map(move |row| row.read(since))
    }

    fn write(&mut self, write: &SendsWrite, at: Duration) -> Written {
        let Some(held) = self.get(&write.id) else { return Written::Lost(None) };
        if held.version != write.version {
            return Written::Lost(Some(Box::new(held.clone())));
        }
        let after = Recipient { version: held.version + 1, sends: write.sends.clone(), ..held.clone() };
        self.put(&write.id, Some(after), at);
        Written::Done
    }
}

impl Tables {
    /// Until when a read surely knows all changes.
    fn known(&self, consistent: bool) -> Duration {
        let now = self.network.time.passed();
        if consistent || !self.network.is_stale() { now } else { now.saturating_sub(STALE_FOR) }
    }
}

#[async_trait]
impl Pages for Tables {
    async fn page(&self, shard: Shard, after: Option<&RecipientId>, consistent: bool) -> Result<Page, PortError> {
        let (tables, after) = (self.clone(), after.cloned());
        self.call("read a page", move |store| {
            let known = tables.known(consistent);
            let ahead = store.people.shard(shard, known).filter(|person| after.as_ref().is_none_or(|a| person.id > *a));
            let recipients: Vec<Recipient> = ahead.take(store.people.page).cloned().collect();
            // Who has read so many is not told whether they were the last.
            let more = recipients.len() == store.people.page;
            Page { recipients, more }
        })
        .await
    }

    async fn listed(&self, _shard: Shard, ids: &[RecipientId], consistent: bool) -> Result<Vec<Recipient>, PortError> {
        let mut ids = ids.to_vec();
        ids.sort_unstable();
        let calls = ids.chunks(GETS_PER_CALL).map(|ids| {
            let (tables, ids) = (self.clone(), ids.to_vec());
            self.call("read people", move |store| {
                let known = tables.known(consistent);
                let listed = ids.iter().filter_map(|id| store.people.read(id, known).cloned());
                listed.collect::<Vec<_>>()
            })
        });
        Ok(try_join_all(calls).await?.into_iter().flatten().collect())
    }
}

#[async_trait]
impl Claims for Tables {
    async fn write(&self, writes: &[SendsWrite]) -> Result<Vec<Written>, PortError> {
        let (time, writes) = (self.network.time.clone(), writes.to_vec());
        self.call("write sends", move |store| {
            writes.iter().map(|write| store.people.write(write, time.passed())).collect()
        })
        .await
    }
}
