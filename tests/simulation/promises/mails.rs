//! Promises 2, 3 and 7, of the mails that SES took.

use std::{collections::BTreeMap, time::Duration};

use germane::domain::id::{CampaignId, RecipientId};

use super::super::super::virtual_world::{ses::Call, tables::Store};
use super::{Witness, taken};

/// DESIGN's guarantee 3: a claim is followed by its send within so long, or given back.
const SENT_WITHIN: Duration = Duration::from_secs(30);

pub(super) fn right(witness: &mut Witness, store: &Store, calls: &[Call]) {
    let taken = taken(store);
    let mut mailed: BTreeMap<(CampaignId, RecipientId), usize> = BTreeMap::new();
    for call in calls {
        for recipient in &call.taken {
            let whom = (call.campaign.clone(), recipient.clone());
            let mails = mailed.entry(whom.clone()).or_default();
            *mails += 1;
            if *mails > 1 {
                witness.says(2, format!("{recipient} got {} {mails} times", call.campaign));
            }
            let before = taken.get(&whom).into_iter().flatten().rfind(|(at, _)| *at <= call.begun);
            match before {
                Some((at, true)) if call.begun.saturating_sub(*at) <= SENT_WITHIN => {}
                Some((at, true)) => {
                    let late = call.begun.saturating_sub(*at);
                    witness.says(3, format!("{recipient} was mailed {} {late:?} after the claim", call.campaign));
                }
                Some((_, false)) | None => {
                    witness.says(3, format!("{recipient} was mailed {} without a slot", call.campaign));
                }
            }
        }
    }
}
