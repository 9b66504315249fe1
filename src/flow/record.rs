//! The decision of record on one person: what was decided last.

use super::{
    ledger::{Entry, Ledger},
    port::PortError,
    queue::Work,
};
use crate::domain::{recipient::Recipient, report::CampaignStatus};

/// The first pass's decision, or of those whom it deferred the one of the last pass that has them; `work` names the
/// first pass. A pass has everybody whom the one before it left deferred, so that pass is found by halving.
pub async fn of_record(ledger: &dyn Ledger, work: &Work, person: &Recipient) -> Result<Option<Entry>, PortError> {
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

async fn entry(ledger: &dyn Ledger, work: &Work, person: &Recipient) -> Result<Option<Entry>, PortError> {
    let chunk = ledger.covering(work, &person.id).await?;
    Ok(chunk.and_then(|chunk| chunk.find(person.reference).cloned()))
}

/// An entry of the ledger as the campaign's status lets it be told.
pub fn told(entry: &Entry, status: CampaignStatus) -> Entry {
    let entry = entry.clone();
    Entry { outcome: entry.outcome.under(status), ..entry }
}
