//! What events said of mails: an item for each mail of which one came, and a tally for each campaign.

use std::collections::BTreeMap;

use async_trait::async_trait;
use germane::{
    domain::{
        feedback::{Settlement, Step, Tally},
        id::{CampaignId, Ref, Shard},
    },
    flow::{
        feedback::{Mark, Place, Reads, Settlements},
        port::PortError,
    },
};
use jiff::Timestamp;

use super::{Store, Tables};

#[derive(Default)]
pub struct SettlementTable {
    mails: BTreeMap<(CampaignId, Shard, Ref), MailItem>,
    tallies: BTreeMap<CampaignId, Tally>,
}

#[derive(Default)]
struct MailItem {
    settled: Option<Settlement>,
    /// When each was counted.
    marks: BTreeMap<Mark, Timestamp>,
}

/// What became of a settlement that was to be written.
#[derive(Clone, Copy)]
enum Settled {
    Done,
    Otherwise,
    NoShard,
}

impl SettlementTable {
    /// Every mail of a campaign that was settled.
    pub fn of(&self, campaign: &CampaignId) -> impl Iterator<Item = (Shard, Ref, Settlement)> {
        let theirs = self.mails.iter().filter(move |((of, ..), _)| of == campaign);
        theirs.filter_map(|((_, shard, reference), item)| Some((*shard, *reference, item.settled?)))
    }

    pub fn tally(&self, campaign: &CampaignId) -> Tally {
        self.tallies.get(campaign).copied().unwrap_or_default()
    }

    fn get(&self, key: &(CampaignId, Shard, Ref)) -> Option<Settlement> {
        self.mails.get(key)?.settled
    }

    fn mark(&mut self, key: &(CampaignId, Shard, Ref), mark: Mark, at: Timestamp, reputation: bool) -> bool {
        let item = self.mails.entry(key.clone()).or_default();
        if item.marks.contains_key(&mark) {
            return false;
        }
        item.marks.insert(mark, at);
        let tally = self.tallies.entry(key.0.clone()).or_default();
        let real = u64::from(reputation);
        match mark {
            Mark::HardBounce => {
                tally.hard_bounced += 1;
                tally.reputation.hard_bounced += real;
            }
            Mark::Complaint => {
                tally.complained += 1;
                tally.reputation.complained += real;
            }
            Mark::SoftBounce => tally.soft_bounced += 1,
        }
        true
    }

    fn add(&mut self, campaign: &CampaignId, reads: Reads) {
        let tally = self.tallies.entry(campaign.clone()).or_default();
        tally.delivered += reads.delivered;
        tally.opened += reads.opened;
        tally.clicked += reads.clicked;
    }
}

/// The mail's item and its shard's count, both or neither.
fn settle(store: &mut Store, key: &(CampaignId, Shard, Ref), held: Option<Settlement>, step: Step) -> Settled {
    if store.settlements.get(key) != held {
        return Settled::Otherwise;
    }
    let Some(shard) = store.shards.item_mut(&key.0, key.1) else { return Settled::NoShard };
    *shard.settled.entry(step).or_default() += 1;
    store.settlements.mails.entry(key.clone()).or_default().settled = Some(step.settlement());
    Settled::Done
}

fn key(place: &Place<'_>) -> (CampaignId, Shard, Ref) {
    (place.campaign.clone(), place.shard, place.reference)
}

#[async_trait]
impl Settlements for Tables {
    async fn get(&self, place: &Place<'_>) -> Result<Option<Settlement>, PortError> {
        let key = key(place);
        self.call("read a settlement", move |store| store.settlements.get(&key)).await
    }

    async fn of_shard(&self, campaign: &CampaignId, shard: Shard) -> Result<Vec<(Ref, Settlement)>, PortError> {
        let campaign = campaign.clone();
        self.call("read a shard's settlements", move |store| {
            let of_shard = store.settlements.of(&campaign).filter(|(of, ..)| *of == shard);
            of_shard.map(|(_, reference, settlement)| (reference, settlement)).collect()
        })
        .await
    }

    async fn settle(&self, place: &Place<'_>, held: Option<Settlement>, step: Step) -> Result<bool, PortError> {
        let key = key(place);
        match self.transact("settle a mail", move |store| settle(store, &key, held, step)).await? {
            Settled::Done => Ok(true),
            Settled::Otherwise => Ok(false),
            Settled::NoShard => Err(PortError::unavailable("a simulated service", "the shard is not there")),
        }
    }

    async fn mark(&self, place: &Place<'_>, mark: Mark, at: Timestamp, reputation: bool) -> Result<bool, PortError> {
        let key = key(place);
        self.transact("count a mark", move |store| store.settlements.mark(&key, mark, at, reputation)).await
    }

    /// A plain write: repeated, it counts twice.
    async fn add(&self, campaign: &CampaignId, reads: Reads) -> Result<(), PortError> {
        if reads == Reads::default() {
            return Ok(());
        }
        let campaign = campaign.clone();
        self.call("count deliveries", move |store| store.settlements.add(&campaign, reads)).await
    }

    async fn tally(&self, campaign: &CampaignId) -> Result<Tally, PortError> {
        let campaign = campaign.clone();
        self.call("read a tally", move |store| store.settlements.tally(&campaign)).await
    }
}
