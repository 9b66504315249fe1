//! The evidence's table: what was recorded of a person's consents, and beside it when they were last mailed a link.

use std::collections::BTreeMap;

use async_trait::async_trait;
use germane::{
    domain::{id::RecipientId, recipient::Recipient},
    flow::{api::recipients::Evidence, port::PortError, preferences::link::Marks},
};
use jiff::Timestamp;

use super::Tables;

/// Of `BatchWriteItem`.
const WRITES_PER_CALL: usize = 25;

#[derive(Default)]
pub struct EvidenceTable {
    items: BTreeMap<(RecipientId, Key), Item>,
}

/// What a person's items are sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    /// The version of the person that it was recorded with.
    Version(u64),
    Link,
}

enum Item {
    Evidence(Vec<Evidence>),
    LinkMailed(Timestamp),
}

impl EvidenceTable {
    /// Oldest first.
    pub fn of(&self, id: &RecipientId) -> Vec<Evidence> {
        let parts = self.items.range(all_of(id)).filter_map(|(_, item)| match item {
            Item::Evidence(part) => Some(part.iter().cloned()),
            Item::LinkMailed(_) => None,
        });
        parts.flatten().collect()
    }

    /// Whether anything at all is kept of a person.
    pub fn has(&self, id: &RecipientId) -> bool {
        self.items.range(all_of(id)).next().is_some()
    }

    pub(super) fn put(&mut self, id: &RecipientId, version: u64, evidence: Vec<Evidence>) {
        self.items.insert((id.clone(), Key::Version(version)), Item::Evidence(evidence));
    }

    /// What is kept under an id, up to a version of the person.
    fn keys(&self, id: &RecipientId, until: u64) -> Vec<Key> {
        let kept = self.items.range(all_of(id)).map(|((_, key), _)| *key);
        let is_theirs = |key: &Key| match key {
            Key::Version(version) => *version <= until,
            Key::Link => true,
        };
        kept.filter(is_theirs).collect()
    }

    fn forget(&mut self, id: &RecipientId, keys: &[Key]) {
        for key in keys {
            self.items.remove(&(id.clone(), *key));
        }
    }

    fn link_mailed(&mut self, id: &RecipientId, at: Timestamp, since: Timestamp) -> bool {
        let key = (id.clone(), Key::Link);
        let recently = matches!(self.items.get(&key), Some(Item::LinkMailed(held)) if *held > since);
        if !recently {
            self.items.insert(key, Item::LinkMailed(at));
        }
        !recently
    }

    fn link_not_mailed(&mut self, id: &RecipientId, at: Timestamp) {
        let key = (id.clone(), Key::Link);
        if matches!(self.items.get(&key), Some(Item::LinkMailed(held)) if *held == at) {
            self.items.remove(&key);
        }
    }
}

fn all_of(id: &RecipientId) -> std::ops::RangeInclusive<(RecipientId, Key)> {
    (id.clone(), Key::Version(0))..=(id.clone(), Key::Link)
}

impl Tables {
    /// Deletes whatever is kept under a person's id but what is of a later version, in as many calls as it takes.
    pub(super) async fn forget_evidence(&self, person: &Recipient) -> Result<(), PortError> {
        let (id, until) = (person.id.clone(), person.version);
        let keys = self.call("read evidence to forget", move |store| store.evidence.keys(&id, until)).await?;
        for keys in keys.chunks(WRITES_PER_CALL) {
            let (id, keys) = (person.id.clone(), keys.to_vec());
            self.call("forget evidence", move |store| store.evidence.forget(&id, &keys)).await?;
        }
        Ok(())
    }
}

#[async_trait]
impl Marks for Tables {
    async fn mark(&self, id: &RecipientId, at: Timestamp, since: Timestamp) -> Result<bool, PortError> {
        let id = id.clone();
        self.transact("note a mailed link", move |store| {
            store.people.get(&id).is_some() && store.evidence.link_mailed(&id, at, since)
        })
        .await
    }

    async fn unmark(&self, id: &RecipientId, at: Timestamp) -> Result<(), PortError> {
        let id = id.clone();
        self.call("take a mailed link back", move |store| store.evidence.link_not_mailed(&id, at)).await
    }
}
