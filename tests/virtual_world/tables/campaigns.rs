//! The campaigns' table.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use germane::{
    domain::{
        id::{CampaignId, Shard},
        report::CampaignStatus,
    },
    flow::{
        launch::{CampaignRecord, CampaignSummary, Campaigns, Created, Move, Standing},
        port::PortError,
        queue::Work,
    },
};

use super::Tables;

#[derive(Default)]
pub struct CampaignTable {
    records: BTreeMap<CampaignId, CampaignRecord>,
    through: BTreeSet<(CampaignId, Shard)>,
    /// Every move of a status, in the order in which they were made.
    pub moves: Vec<(CampaignId, Move)>,
}

impl CampaignTable {
    pub fn get(&self, id: &CampaignId) -> Option<&CampaignRecord> {
        self.records.get(id)
    }

    pub fn all(&self) -> impl Iterator<Item = &CampaignRecord> {
        self.records.values()
    }

    fn create(&mut self, record: &CampaignRecord) -> Created {
        if let Some(held) = self.records.get(&record.campaign.id) {
            return Created::Exists(Box::new(held.clone()));
        }
        self.records.insert(record.campaign.id.clone(), record.clone());
        Created::New
    }

    fn advance(&mut self, id: &CampaignId, from: &[CampaignStatus], to: &Move) -> bool {
        let Some(record) = self.records.get_mut(id).filter(|record| from.contains(&record.status)) else {
            return false;
        };
        let pinned = to.pinned.clone().or(record.pinned.take());
        (record.status, record.status_detail, record.pinned) = (to.to, to.detail.clone(), pinned);
        self.moves.push((id.clone(), to.clone()));
        true
    }

    fn through(&mut self, work: &Work) -> usize {
        self.through.insert((work.campaign.clone(), work.shard));
        self.through.iter().filter(|(campaign, _)| *campaign == work.campaign).count()
    }
}

#[async_trait]
impl Campaigns for Tables {
    async fn create(&self, record: &CampaignRecord) -> Result<Created, PortError> {
        let record = record.clone();
        self.transact("create a campaign", move |store| store.campaigns.create(&record)).await
    }

    async fn get(&self, id: &CampaignId) -> Result<Option<CampaignRecord>, PortError> {
        let id = id.clone();
        self.call("read a campaign", move |store| store.campaigns.get(&id).cloned()).await
    }

    async fn list(&self, _cursor: Option<&str>) -> Result<(Vec<CampaignSummary>, Option<String>), PortError> {
        let list = self.call("list campaigns", |store| {
            let listed = store.campaigns.all().filter(|record| record.is_listed());
            let summary = listed.map(|record| CampaignSummary {
                id: record.campaign.id.clone(),
                status: record.status,
                created_at: record.created_at,
            });
            let mut summaries: Vec<CampaignSummary> = summary.collect();
            summaries.sort_by(|one, other| (other.created_at, &other.id).cmp(&(one.created_at, &one.id)));
            summaries
        });
        Ok((list.await?, None))
    }

    async fn advance(&self, id: &CampaignId, from: &[CampaignStatus], to: &Move) -> Result<bool, PortError> {
        let (id, from, to) = (id.clone(), from.to_vec(), to.clone());
        self.call("move a campaign", move |store| store.campaigns.advance(&id, &from, &to)).await
    }

    async fn standings(&self, id: &CampaignId) -> Result<Vec<Standing>, PortError> {
        let id = id.clone();
        self.call("read shards", move |store| store.shards.standings(&id)).await
    }

    async fn prepare(&self, work: &[Work]) -> Result<(), PortError> {
        let work = work.to_vec();
        self.call("make shards", move |store| work.iter().for_each(|work| store.shards.prepare(work))).await
    }

    async fn shard_through(&self, work: &Work) -> Result<u16, PortError> {
        let work = work.clone();
        let count = self.call("count a shard as through", move |store| store.campaigns.through(&work));
        Ok(u16::try_from(count.await?).unwrap())
    }
}
