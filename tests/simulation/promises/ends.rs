//! That everything comes to an end: nothing waits for what will never come.

use germane::domain::report::{CampaignStatus, StatusCode};

use super::super::super::virtual_world::{queue::Queues, tables::Store};
use super::Witness;

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
