//! The campaigns' table.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use futures_util::future::try_join_all;
use germane::{
    domain::{
        campaign::Audience,
        id::{CampaignId, RecipientId, Shard},
        report::CampaignStatus,
    },
    flow::{
        held::Unlisted,
        launch::{CampaignRecord, CampaignSummary, Campaigns, Created, Move, Standing},
        port::PortError,
        queue::Work,
    },
};

use super::Tables;

const PER_LIST: usize = 100;
/// Of `BatchGetItem`.
const GETS_PER_CALL: usize = 100;

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

    fn create(&mut self, record: &CampaignRecord) -> bool {
        let new = !self.records.contains_key(&record.campaign.id);
        if new {
            // A new one has no detail yet, and nothing is pinned.
            let record = CampaignRecord { status_detail: None, pinned: None, ..record.clone() };
            self.records.insert(record.campaign.id.clone(), record);
        }
        new
    }

    /// A part of the list, newest first, and where the next one begins.
    fn part(&self, before: Option<&str>) -> (Vec<CampaignId>, Option<String>) {
        let listed = self.all().filter(|record| record.is_listed());
        let mut places: Vec<(String, CampaignId)> =
            listed.map(|record| (place(record), record.campaign.id.clone())).collect();
        places.sort_unstable_by(|one, other| other.cmp(one));
        places.retain(|(place, _)| before.is_none_or(|before| place.as_str() < before));
        places.truncate(PER_LIST);
        let next = places.last().map(|(place, _)| place.clone()).filter(|_| places.len() == PER_LIST);
        (places.into_iter().map(|(_, id)| id).collect(), next)
    }

    fn unlisted(&self) -> Vec<CampaignId> {
        self.all().filter(|record| !record.is_listed()).map(|record| record.campaign.id.clone()).collect()
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

/// Where a campaign stands in the list.
fn place(record: &CampaignRecord) -> String {
    format!("{:015}#{}", record.created_at.as_millisecond(), record.campaign.id)
}

impl Tables {
    /// In the order of their ids.
    async fn campaign_records(&self, ids: &[CampaignId]) -> Result<Vec<CampaignRecord>, PortError> {
        let ids = ids.to_vec();
        self.call("read campaigns", move |store| ids.iter().filter_map(|id| store.campaigns.get(id).cloned()).collect())
            .await
    }
}

#[async_trait]
impl Unlisted for Tables {
    async fn of(&self, person: &RecipientId) -> Result<Vec<CampaignRecord>, PortError> {
        let ids = self.call("list unlisted campaigns", |store| store.campaigns.unlisted()).await?;
        let mut theirs = Vec::new();
        for ids in ids.chunks(GETS_PER_CALL) {
            let records = self.campaign_records(ids).await?.into_iter();
            theirs.extend(records.filter(|record| match &record.campaign.audience {
                Audience::Everyone => true,
                Audience::Recipients(listed) => listed.contains(person),
            }));
        }
        theirs.sort_by(|a, b| b.created_at.cmp(&a.created_at).then_with(|| a.campaign.id.cmp(&b.campaign.id)));
        Ok(theirs)
    }
}

#[async_trait]
impl Campaigns for Tables {
    async fn create(&self, record: &CampaignRecord) -> Result<Created, PortError> {
        let new = record.clone();
        if self.transact("create a campaign", move |store| store.campaigns.create(&new)).await? {
            return Ok(Created::New);
        }
        let held = Campaigns::get(self, &record.campaign.id).await?;
        Ok(Created::Exists(Box::new(held.unwrap())))
    }

    async fn get(&self, id: &CampaignId) -> Result<Option<CampaignRecord>, PortError> {
        let id = id.clone();
        self.call("read a campaign", move |store| store.campaigns.get(&id).cloned()).await
    }

    async fn list(&self, cursor: Option<&str>) -> Result<(Vec<CampaignSummary>, Option<String>), PortError> {
        let before = cursor.map(str::to_owned);
        let (ids, next) = self.call("list campaigns", move |store| store.campaigns.part(before.as_deref())).await?;
        let summary = |record: CampaignRecord| CampaignSummary {
            id: record.campaign.id,
            status: record.status,
            created_at: record.created_at,
        };
        let records = self.campaign_records(&ids).await?;
        Ok((records.into_iter().map(summary).collect(), next))
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
        let puts = work.iter().map(|work| {
            let work = work.clone();
            self.call("make a shard", move |store| store.shards.prepare(&work))
        });
        try_join_all(puts).await.map(|_| ())
    }

    async fn shard_through(&self, work: &Work) -> Result<u16, PortError> {
        let work = work.clone();
        let count = self.call("count a shard as through", move |store| store.campaigns.through(&work));
        Ok(u16::try_from(count.await?).unwrap())
    }
}
