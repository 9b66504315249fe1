//! The recipients' table.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
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

use super::network::Network;

/// About as many as DynamoDB reads at once: a megabyte of them.
const PAGE: usize = 1_500;

pub struct PeopleTable {
    network: Arc<Network>,
    shards: u16,
    people: Mutex<BTreeMap<Shard, BTreeMap<RecipientId, Recipient>>>,
}

impl PeopleTable {
    pub fn new(network: Arc<Network>, shards: u16) -> Self {
        Self { network, shards, people: Mutex::default() }
    }

    pub fn put(&self, recipient: Recipient) {
        let mut people = self.people.lock().unwrap();
        let shard = people.entry(Shard::of(&recipient.id, self.shards)).or_default();
        shard.insert(recipient.id.clone(), recipient);
    }

    pub fn all(&self) -> Vec<Recipient> {
        self.people.lock().unwrap().values().flat_map(BTreeMap::values).cloned().collect()
    }
}

#[async_trait]
impl Pages for PeopleTable {
    async fn page(&self, shard: Shard, after: Option<&RecipientId>, _consistent: bool) -> Result<Page, PortError> {
        let read = || {
            let people = self.people.lock().unwrap();
            let here = people.get(&shard).into_iter().flatten();
            let ahead = here.skip_while(|(id, _)| after.is_some_and(|after| *id <= after));
            let mut recipients: Vec<Recipient> = ahead.map(|(_, person)| person.clone()).take(PAGE + 1).collect();
            let more = recipients.len() > PAGE;
            recipients.truncate(PAGE);
            Page { recipients, more }
        };
        Ok(self.network.table(read).await)
    }

    async fn listed(&self, shard: Shard, ids: &[RecipientId], _consistent: bool) -> Result<Vec<Recipient>, PortError> {
        let read = || {
            let people = self.people.lock().unwrap();
            let here = people.get(&shard);
            ids.iter().filter_map(|id| here?.get(id).cloned()).collect()
        };
        Ok(self.network.table(read).await)
    }
}

#[async_trait]
impl Claims for PeopleTable {
    async fn write(&self, writes: &[SendsWrite]) -> Result<Vec<Written>, PortError> {
        let write = || {
            let mut people = self.people.lock().unwrap();
            let each = |write: &SendsWrite| {
                let shard = people.get_mut(&Shard::of(&write.id, self.shards));
                match shard.and_then(|shard| shard.get_mut(&write.id)) {
                    None => Written::Lost(None),
                    Some(held) if held.version != write.version => Written::Lost(Some(Box::new(held.clone()))),
                    Some(held) => {
                        held.version += 1;
                        held.sends = write.sends.clone();
                        Written::Done
                    }
                }
            };
            writes.iter().map(each).collect()
        };
        Ok(self.network.table(write).await)
    }
}
