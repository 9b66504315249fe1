//! That everything comes to an end: nothing waits for what will never come.

use std::{sync::Arc, time::Duration};

use germane::{
    domain::{
        decision::OutcomeKind,
        report::{CampaignStatus, StatusCode, StatusDetail},
    },
    flow::launch::Versioned,
};

use super::super::super::virtual_world::{queue::Queues, tables::Store};
use super::Witness;

/// How long a campaign may run over its policy's rates before it must have paused itself.
const STOPS_WITHIN: Duration = Duration::from_mins(30);

/// Promise 8: a bad campaign stops itself. Whoever resumes it afterwards has seen why.
pub(super) fn stops_itself(witness: &mut Witness, store: &Store, now: Duration) {
    for record in store.campaigns.all() {
        let id = &record.campaign.id;
        let runs = matches!(record.status, CampaignStatus::Sending | CampaignStatus::WaitingForWindow);
        let by_itself = |detail: &StatusDetail| detail.code == StatusCode::Breaker;
        let paused = store.campaigns.moves.iter().any(|(of, to)| of == id && to.detail.as_ref().is_some_and(by_itself));
        let sent = store.shards.standings(id).iter().map(|shard| shard.counts().of(OutcomeKind::Sent)).sum();
        let tally = store.settlements.tally(id);
        let over = |held: &Arc<Versioned>| held.policy.breaker.tripped_by(sent, tally.reputation).is_some();
        if !runs || paused || !store.rules.policies.iter().all(over) {
            witness.tripped.remove(id);
            continue;
        }
        // Looked at with each bounce and each complaint: while none comes, the rates only fall.
        let seen = tally.reputation.hard_bounced + tally.reputation.complained;
        let (since, then) = *witness.tripped.entry(id.clone()).or_insert((now, seen));
        if now > since + STOPS_WITHIN && seen > then {
            witness.says(8, format!("{id} runs on over its policy's rates: {:?} of {sent}", tally.reputation));
        }
    }
}

pub(super) fn came(witness: &mut Witness, store: &Store, queues: &Queues) {
    for record in store.campaigns.all() {
        let by_itself = record.status_detail.as_ref().map(|detail| detail.code);
        let ended = match record.status {
            CampaignStatus::Complete
            | CampaignStatus::Cancelled
            | CampaignStatus::Expired
            | CampaignStatus::Refused => true,
            CampaignStatus::Paused => matches!(by_itself, Some(StatusCode::Breaker | StatusCode::Account)),
            CampaignStatus::Scheduled
            | CampaignStatus::Launching
            | CampaignStatus::Sending
            | CampaignStatus::WaitingForWindow
            | CampaignStatus::WaitingForQuota => false,
        };
        if !ended {
            witness.says(6, format!("{} is still {} at the end", record.campaign.id, record.status));
        }
    }
    if queues.network.is_endless() {
        witness.says(6, "there is no end in sight");
    }
    let (messages, schedules) = queues.left();
    if (messages, schedules) != (0, 0) {
        witness.says(6, format!("{messages} messages and {schedules} schedules are left at the end"));
    }
}
