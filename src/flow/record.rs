//! The decision of record on one person: what the last pass that has them decided, as corrected by what SES told since.

use std::collections::HashMap;

use super::{
    feedback::{Place, Settlements},
    ledger::{Entry, Ledger},
    port::PortError,
    queue::Work,
};
use crate::domain::{
    feedback::Settlement,
    id::{CampaignId, Ref, Shard},
    recipient::Recipient,
    report::CampaignStatus,
};

/// `None` if nobody decided on them; `work` is the first pass of their shard.
pub async fn of(
    ledger: &dyn Ledger,
    settlements: &dyn Settlements,
    work: &Work,
    person: &Recipient,
) -> Result<Option<Entry>, PortError> {
    let Some(entry) = in_chunks(ledger, work, person).await? else { return Ok(None) };
    let place = Place { campaign: &work.campaign, shard: work.shard, reference: person.reference, forget_at: None };
    let settlement = settlements.get(&place).await?;
    Ok(Some(match settlement {
        Some(settlement) => over(settlement, entry),
        None => entry,
    }))
}

/// What the chunks alone say: the first pass, or of those whom it deferred the last pass that has them. A pass has
/// everybody whom the one before it left deferred, so that pass is found by halving.
pub async fn in_chunks(ledger: &dyn Ledger, work: &Work, person: &Recipient) -> Result<Option<Entry>, PortError> {
    let Some(first) = entry(ledger, work, person).await? else { return Ok(None) };
    if !first.is_deferred() {
        return Ok(Some(first));
    }
    let newest = ledger.progress(work).await?.map_or(1, |progress| progress.pass);
    let (mut found, mut had, mut beyond) = (first, 1, newest + 1);
    // Most who still wait are in the newest, so that is asked first.
    let mut pass = newest;
    while had < pass && pass < beyond {
        match entry(ledger, &Work { pass, ..work.clone() }, person).await? {
            Some(entry) => (found, had) = (entry, pass),
            None => beyond = pass,
        }
        pass = had.midpoint(beyond);
    }
    Ok(Some(found))
}

/// What was settled of one shard.
pub struct Settled(HashMap<Ref, Settlement>);

impl Settled {
    pub async fn of_shard(
        settlements: &dyn Settlements,
        campaign: &CampaignId,
        shard: Shard,
    ) -> Result<Self, PortError> {
        Ok(Self(settlements.of_shard(campaign, shard).await?.into_iter().collect()))
    }

    pub fn over(&self, reference: Ref, entry: Entry) -> Entry {
        match self.0.get(&reference) {
            Some(settlement) => over(*settlement, entry),
            None => entry,
        }
    }
}

/// An entry of the ledger as the campaign's status lets it be told.
pub fn told(entry: Entry, status: CampaignStatus) -> Entry {
    Entry { outcome: entry.outcome.under(status), ..entry }
}

fn over(settlement: Settlement, entry: Entry) -> Entry {
    Entry { outcome: settlement.over(entry.outcome), ..entry }
}

async fn entry(ledger: &dyn Ledger, work: &Work, person: &Recipient) -> Result<Option<Entry>, PortError> {
    let chunk = ledger.covering(work, &person.id).await?;
    Ok(chunk.and_then(|chunk| chunk.find(person.reference).cloned()))
}
