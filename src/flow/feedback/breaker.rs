//! A bad campaign stops itself: above the policy's rates of hard bounces or complaints it is paused.

use tracing::warn;

use super::Feedback;
use crate::{
    domain::{
        decision::OutcomeKind,
        id::CampaignId,
        report::{CampaignStatus, StatusCode, StatusDetail},
    },
    flow::{launch::Move, port::PortError},
};

/// Whatever may still send.
const RUNNING: [CampaignStatus; 4] = [
    CampaignStatus::Launching,
    CampaignStatus::Sending,
    CampaignStatus::WaitingForWindow,
    CampaignStatus::WaitingForQuota,
];

impl Feedback {
    pub(super) async fn look_at_rates(&self, id: &CampaignId) -> Result<(), PortError> {
        // Without a policy nobody is mailed anyway.
        let Some(current) = self.policies.current().await? else { return Ok(()) };
        let tally = self.settlements.tally(id).await?;
        let standings = self.campaigns.standings(id).await?;
        let sent = standings.iter().map(|shard| shard.counts().of(OutcomeKind::Sent)).sum();
        let Some((what, figures)) = current.policy.breaker.tripped_by(sent, tally.reputation) else { return Ok(()) };
        let message = format!(
            "{} % {what} among {sent} mails, where the policy allows {} %: look at the audience before it is resumed",
            figures.percent, figures.limit_percent
        );
        let detail = StatusDetail { figures: Some(figures), ..StatusDetail::new(StatusCode::Breaker, message) };
        let paused = Move { to: CampaignStatus::Paused, detail: Some(detail), pinned: None };
        if self.campaigns.advance(id, &RUNNING, &paused).await? {
            warn!(campaign = %id, what, percent = figures.percent, "the campaign paused itself");
        }
        Ok(())
    }
}
