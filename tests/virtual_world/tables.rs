//! The tables in memory, as the adapters of the flow's ports keep them: each change is one conditional write, and a
//! transaction is one change of several of them. `tests/contract.rs` holds both to the same promises.

mod addresses;
mod campaigns;
mod evidence;
mod ledger;
pub mod people;
mod rules;
mod settlements;
mod shards;
mod timeline;
mod writes;

use std::sync::{Arc, Mutex};

use germane::flow::port::PortError;

use super::network::Network;

pub use addresses::AddressTable;
pub use campaigns::CampaignTable;
pub use evidence::EvidenceTable;
pub use people::PeopleTable;
pub use rules::{RulesTable, shipped_policy};
pub use settlements::SettlementTable;
pub use shards::ShardTable;
pub use timeline::TimelineItem;

/// What is stored.
pub struct Store {
    pub people: PeopleTable,
    pub addresses: AddressTable,
    pub evidence: EvidenceTable,
    pub campaigns: CampaignTable,
    pub shards: ShardTable,
    pub settlements: SettlementTable,
    pub timeline: TimelineItem,
    pub rules: RulesTable,
}

/// The tables as one process reaches them.
#[derive(Clone)]
pub struct Tables {
    pub network: Network,
    /// Fixed when they were made.
    pub shards: u16,
    store: Arc<Mutex<Store>>,
}

impl Tables {
    pub fn new(network: Network, shards: u16) -> Self {
        let store = Store {
            people: PeopleTable::new(shards),
            addresses: AddressTable::default(),
            evidence: EvidenceTable::default(),
            campaigns: CampaignTable::default(),
            shards: ShardTable::default(),
            settlements: SettlementTable::default(),
            timeline: TimelineItem::default(),
            rules: RulesTable::default(),
        };
        Self { network, shards, store: Arc::new(Mutex::new(store)) }
    }

    /// The same tables from another process.
    pub fn from(&self, network: Network) -> Self {
        Self { network, ..self.clone() }
    }

    /// What is there at this moment, without a call.
    pub fn look<T>(&self, look: impl FnOnce(&mut Store) -> T) -> T {
        look(&mut self.store.lock().unwrap())
    }

    /// One read, or one conditional write: repeated, it finds what it has written itself.
    async fn call<T: Send + 'static>(
        &self,
        what: &'static str,
        mut effect: impl FnMut(&mut Store) -> T + Send + 'static,
    ) -> Result<T, PortError> {
        let store = Arc::clone(&self.store);
        self.network.table(what, move || effect(&mut store.lock().unwrap())).await
    }

    /// A write with an idempotency token: repeated, it has the answer that it had.
    async fn transact<T: Clone + Send + 'static>(
        &self,
        what: &'static str,
        mut effect: impl FnMut(&mut Store) -> T + Send + 'static,
    ) -> Result<T, PortError> {
        let mut answered = None;
        self.call(what, move |store| answered.get_or_insert_with(|| effect(store)).clone()).await
    }
}
