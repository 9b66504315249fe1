//! The campaigns' table.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use germane::{
    domain::{id::CampaignId, report::CampaignStatus},
    flow::{
        launch::{CampaignRecord, CampaignSummary, Campaigns, Created, Move, Standing},
        port::PortError,
        queue::Work,
    },
};

use super::{network::Network, shards::ShardTable};

pub struct CampaignTable {
    network: Arc<Network>,
    shards: Arc<ShardTable>,
    records: Mutex<BTreeMap<CampaignId, CampaignRecord>>,
}

impl CampaignTable {
    pub fn new(network: Arc<Network>, shards: Arc<ShardTable>) -> Self {
        Self { network, shards, records: Mutex::default() }
    }
}

#[async_trait]
impl Campaigns for CampaignTable {
    async fn create(&self, record: &CampaignRecord) -> Result<Created, PortError> {
        let create = || {
            let mut records = self.records.lock().unwrap();
            if let Some(held) = records.get(&record.campaign.id) {
                return Created::Exists(Box::new(held.clone()));
            }
            records.insert(record.campaign.id.clone(), record.clone());
            Created::New
        };
        Ok(self.network.table(create).await)
    }

    async fn get(&self, id: &CampaignId) -> Result<Option<CampaignRecord>, PortError> {
        Ok(self.network.table(|| self.records.lock().unwrap().get(id).cloned()).await)
    }

    async fn list(&self, _cursor: Option<&str>) -> Result<(Vec<CampaignSummary>, Option<String>), PortError> {
        let summary = |record: &CampaignRecord| CampaignSummary {
            id: record.campaign.id.clone(),
            status: record.status,
            created_at: record.created_at,
        };
        let list = || self.records.lock().unwrap().values().map(summary).collect();
        Ok((self.network.table(list).await, None))
    }

    async fn advance(&self, id: &CampaignId, from: &[CampaignStatus], to: &Move) -> Result<bool, PortError> {
        let advance = || {
            let mut records = self.records.lock().unwrap();
            let Some(record) = records.get_mut(id).filter(|record| from.contains(&record.status)) else { return false };
            let pinned = to.pinned.clone().or(record.pinned.take());
            (record.status, record.status_detail, record.pinned) = (to.to, to.detail.clone(), pinned);
            true
        };
        Ok(self.network.table(advance).await)
    }

    async fn standings(&self, id: &CampaignId) -> Result<Vec<Standing>, PortError> {
        Ok(self.shards.standings(id).await)
    }

    async fn prepare(&self, work: &[Work]) -> Result<(), PortError> {
        self.shards.prepare(work).await;
        Ok(())
    }

    async fn shard_through(&self, work: &Work) -> Result<u16, PortError> {
        Ok(u16::try_from(self.shards.through(work).await).unwrap())
    }
}
