//! Promises 1, 5 and 6: the ledger against its own counts, and against the people who were there and the mails that SES
//! took.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use germane::{
    domain::{
        campaign::Audience,
        decision::{Outcome, OutcomeKind},
        id::{CampaignId, RecipientId, Ref},
        report::{CampaignStatus, Counts},
    },
    flow::{launch::CampaignRecord, queue::Work},
};
use jiff::Timestamp;

use super::super::super::virtual_world::{clock::START, ses::Call, tables::Store};
use super::{Witness, taken};

/// Of each shard: what its items say, and what its chunks come to.
pub(super) fn adds_up(witness: &mut Witness, store: &Store) {
    for record in store.campaigns.all() {
        let id = &record.campaign.id;
        for standing in store.shards.standings(id) {
            let shard = standing.work.shard;
            let (outcomes, twice) = outcomes(store, &standing.work);
            for reference in twice {
                witness.says(1, format!("{id}: {reference:?} in shard {} was decided twice in one pass", shard.0));
            }
            let mut counts = Counts::default();
            for outcome in outcomes.values() {
                counts.add(outcome);
            }
            if counts != standing.counts() {
                let (told, held) = (standing.counts(), counts);
                witness.says(1, format!("{id}: shard {} counts {told:?}, its chunks {held:?}", shard.0));
            }
        }
    }
}

/// The outcome of record of everybody in a shard, and who stands in one pass twice.
fn outcomes(store: &Store, newest: &Work) -> (BTreeMap<Ref, Outcome>, Vec<Ref>) {
    let (mut outcomes, mut twice) = (BTreeMap::new(), Vec::new());
    for pass in 1..=newest.pass {
        let mut seen = BTreeSet::new();
        for chunk in store.shards.truly_committed(&Work { pass, ..newest.clone() }) {
            for entry in &chunk.entries {
                if !seen.insert(entry.reference) {
                    twice.push(entry.reference);
                }
                outcomes.insert(entry.reference, entry.outcome.clone());
            }
        }
    }
    let settled = store.settlements.of(&newest.campaign).filter(|(shard, _, _)| *shard == newest.shard);
    for (_, reference, settlement) in settled {
        if let Some(outcome) = outcomes.get_mut(&reference) {
            *outcome = settlement.over(outcome.clone());
        }
    }
    (outcomes, twice)
}

/// What stands in the ledger of a campaign.
pub struct Expected {
    pub record: CampaignRecord,
    pub counts: Counts,
    /// Of everybody who is there.
    pub decided: BTreeMap<RecipientId, Outcome>,
}

pub(super) fn of_everybody(store: &Store) -> Vec<Expected> {
    let of = |record: &CampaignRecord| {
        let (mut counts, mut decided) = (Counts::default(), BTreeMap::new());
        for standing in store.shards.standings(&record.campaign.id) {
            counts.merge(&standing.counts());
            decided.extend(outcomes(store, &standing.work).0);
        }
        let there = store.people.all();
        let of_them = there.filter_map(|person| Some((person.id.clone(), decided.get(&person.reference)?.clone())));
        Expected { record: record.clone(), counts, decided: of_them.collect() }
    };
    store.campaigns.all().map(of).collect()
}

/// Of each mail of which SES told something.
pub type Told = BTreeSet<(CampaignId, RecipientId)>;

pub(super) fn true_to_the_world(witness: &mut Witness, store: &Store, calls: &[Call], told: &Told) {
    let whose: BTreeMap<Ref, RecipientId> = store
        .people
        .changes
        .iter()
        .filter_map(|change| Some((change.after.as_ref()?.reference, change.id.clone())))
        .collect();
    let taken = taken(store);
    let mut mailed: BTreeSet<(CampaignId, RecipientId)> = BTreeSet::new();
    for call in calls {
        mailed.extend(call.taken.iter().map(|recipient| (call.campaign.clone(), recipient.clone())));
    }
    for record in store.campaigns.all() {
        let id = &record.campaign.id;
        let mut decided: BTreeMap<RecipientId, Outcome> = BTreeMap::new();
        for standing in store.shards.standings(id) {
            for (reference, outcome) in outcomes(store, &standing.work).0 {
                match whose.get(&reference) {
                    None => witness.says(1, format!("{id}: {reference:?} was decided on and never was there")),
                    // Somebody who was erased and came again stands there twice, as two people.
                    Some(person) => drop(decided.insert(person.clone(), outcome)),
                }
            }
        }
        audience(witness, store, record, &decided);
        // Of an id that was erased nobody can say who of its people a mail went to.
        for (person, outcome) in decided.iter().filter(|(person, _)| never_erased(store, person)) {
            let whom = (id.clone(), person.clone());
            let (was_mailed, was_taken) = (mailed.contains(&whom), taken.contains_key(&whom));
            let kind = outcome.kind();
            match kind {
                OutcomeKind::Sent if !was_mailed => {
                    witness.says(5, format!("{person} is sent {id} and SES took nothing"));
                }
                OutcomeKind::InDoubt if !was_taken => {
                    witness.says(6, format!("{person} is in doubt for {id} and was never taken"));
                }
                OutcomeKind::InDoubt if witness.calm => {
                    witness.says(6, format!("{person} is in doubt for {id} though nothing went wrong"));
                }
                OutcomeKind::Skipped | OutcomeKind::HeldOut | OutcomeKind::Deferred if was_mailed => {
                    witness
                        .says(1, format!("{person} was mailed {id} and is {}: {:?}", kind.as_str(), outcome.reason()));
                }
                OutcomeKind::Sent
                | OutcomeKind::InDoubt
                | OutcomeKind::Skipped
                | OutcomeKind::HeldOut
                | OutcomeKind::Deferred
                | OutcomeKind::Failed => {}
            }
            let is_there = store.people.get(person);
            if kind == OutcomeKind::InDoubt && told.contains(&whom) && is_there.is_some() {
                witness.says(5, format!("{person} is in doubt for {id} and SES has told what became of the mail"));
            }
            let holds = is_there.is_some_and(|person| person.sends.of(record.campaign.key()).is_some());
            // A claim that comes late may take a slot of somebody who is put off by then; a failed mail's went back first.
            let surely = witness.certain || kind == OutcomeKind::Failed;
            if surely && holds && !matches!(kind, OutcomeKind::Sent | OutcomeKind::InDoubt) {
                witness.says(3, format!("{person} is {} for {id} and still holds its slot", kind.as_str()));
            }
            if kind == OutcomeKind::Deferred && record.status == CampaignStatus::Complete {
                witness.says(1, format!("{person} is deferred and {id} is complete"));
            }
        }
        // Whom SES took and who is not in the ledger of a campaign that is over.
        let ends = [CampaignStatus::Complete, CampaignStatus::Cancelled, CampaignStatus::Expired];
        let over = ends.contains(&record.status);
        // Somebody who was erased before a chunk could say so is in none.
        for (_, person) in mailed.iter().filter(|(campaign, _)| over && campaign == id) {
            if !decided.contains_key(person) && never_erased(store, person) {
                witness.says(1, format!("{person} was mailed {id} and is not in its ledger"));
            }
        }
    }
}

fn never_erased(store: &Store, person: &RecipientId) -> bool {
    store.people.changes.iter().filter(|change| change.id == *person).all(|change| change.after.is_some())
}

/// A complete campaign has decided on everybody who was there all the time.
fn audience(witness: &mut Witness, store: &Store, record: &CampaignRecord, decided: &BTreeMap<RecipientId, Outcome>) {
    let id = &record.campaign.id;
    let is_meant = |person: &RecipientId| match &record.campaign.audience {
        Audience::Everyone => true,
        Audience::Recipients(ids) => ids.contains(person),
    };
    for person in decided.keys().filter(|person| !is_meant(person)) {
        witness.says(1, format!("{person} was decided on for {id}, which is not for them"));
    }
    if record.status != CampaignStatus::Complete {
        return;
    }
    // A read that need not be consistent knows of whoever came a second before.
    let start: Timestamp = START.parse().unwrap();
    let began =
        Duration::try_from(record.created_at.duration_since(start)).unwrap().saturating_sub(Duration::from_secs(1));
    for person in store.people.all().filter(|person| is_meant(&person.id)) {
        let came = store.people.changes.iter().rfind(|change| change.id == person.id && change.before.is_none());
        let before = came.is_some_and(|came| came.at < began);
        if before && !decided.contains_key(&person.id) {
            witness.says(1, format!("{} was there all the time and {id} is complete without them", person.id));
        }
    }
}
