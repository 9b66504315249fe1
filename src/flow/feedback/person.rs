//! What follows from feedback for the person, whatever campaign it was about: their address is not mailed any more, or
//! they are not.

use jiff::SignedDuration;
use tracing::info;

use super::{Feedback, FeedbackError, Mark};
use crate::{
    domain::{
        channel::Channel,
        email::EmailAddress,
        feedback::{About, Event},
        id::RecipientId,
        recipient::{Recipient, Suppression, SuppressionKind, Unusable},
    },
    flow::api::recipients::{PersonWrite, PutResult},
};

/// So many soft bounces of one mailbox within so long make it unusable.
const SOFT_BOUNCES: usize = 5;
const SOFT_WITHIN: SignedDuration = SignedDuration::from_hours(30 * 24);
/// How often a person is written anew because somebody else changed them first.
const MAX_LOSSES: usize = 32;

impl Feedback {
    pub(super) async fn hard_bounced(&self, event: &Event) -> Result<(), FeedbackError> {
        self.give_up(event, Unusable::HardBounce).await?;
        self.count(event, Mark::HardBounce).await
    }

    pub(super) async fn soft_bounced(&self, event: &Event) -> Result<(), FeedbackError> {
        if let Some(address) = &event.to {
            let times = self.mailboxes.soft_bounced(address, event.at).await?;
            let within = |at: &&jiff::Timestamp| event.at.duration_since(**at).abs() < SOFT_WITHIN;
            if times.iter().filter(within).count() >= SOFT_BOUNCES {
                self.give_up(event, Unusable::SoftBounces).await?;
            }
        }
        self.count(event, Mark::SoftBounce).await
    }

    pub(super) async fn complained(&self, event: &Event) -> Result<(), FeedbackError> {
        let since = event.at;
        self.change(event, |person, _| match person.profile.suppression {
            // Nothing is stronger: neither the person nor an operator lifts it by accident.
            Some(Suppression { kind: SuppressionKind::Complaint | SuppressionKind::Erased, .. }) => false,
            Some(Suppression { kind: SuppressionKind::UnsubscribedAll | SuppressionKind::Manual, .. }) | None => {
                person.profile.suppression = Some(Suppression { kind: SuppressionKind::Complaint, since });
                true
            }
        })
        .await?;
        self.count(event, Mark::Complaint).await
    }

    /// From now on the address is not mailed; the person may have another one.
    async fn give_up(&self, event: &Event, why: Unusable) -> Result<(), FeedbackError> {
        self.change(event, |person, bounced| {
            let mut changed = false;
            for &channel in Channel::ALL {
                let address = match channel {
                    Channel::Work => &mut person.profile.work,
                    Channel::Personal => &mut person.profile.personal,
                };
                let Some(address) = address else { continue };
                // An address that they no longer have says nothing of the one that they have now.
                if address.email.normalised() == bounced.normalised() && address.unusable.is_none() {
                    address.unusable = Some(why);
                    changed = true;
                }
            }
            changed
        })
        .await
    }

    /// Changes whoever a mail went to, anew as often as somebody else changes them first. Whoever is gone stays gone.
    async fn change(
        &self,
        event: &Event,
        change: impl Fn(&mut Recipient, &EmailAddress) -> bool + Send + Sync,
    ) -> Result<(), FeedbackError> {
        let Some(address) = &event.to else { return Ok(()) };
        let Some(id) = self.whose(event, address).await? else { return Ok(()) };
        for _ in 0..MAX_LOSSES {
            let Some(before) = self.people.get(&id).await? else { return Ok(()) };
            let mut after = before.clone();
            if !change(&mut after, address) {
                return Ok(());
            }
            after.version += 1;
            let write = PersonWrite { before: Some(&before), after: &after, evidence: Vec::new() };
            if self.people.put(&[write]).await? == [PutResult::Written] {
                info!(recipient = %id, "changed after what SES told");
                return Ok(());
            }
        }
        Err(FeedbackError::Contended)
    }

    /// The tags say it; a mail without them was sent to somebody's address all the same.
    async fn whose(&self, event: &Event, address: &EmailAddress) -> Result<Option<RecipientId>, FeedbackError> {
        match &event.about {
            Some(About { recipient, .. }) => Ok(Some(recipient.clone())),
            None => Ok(self.mailboxes.owner(address).await?),
        }
    }

    /// Counts it once for its campaign, and looks whether that is one too many.
    async fn count(&self, event: &Event, mark: Mark) -> Result<(), FeedbackError> {
        let Some(about) = &event.about else { return Ok(()) };
        // Nobody can tell an erased person's first bounce from the second.
        let Some(person) = self.people.get(&about.recipient).await? else { return Ok(()) };
        let Some(record) = self.campaigns.get(&about.campaign).await? else { return Ok(()) };
        let (place, reputation) = (self.place(&record, &person), event.counts_for_reputation());
        self.settlements.mark(&place, mark, event.at, reputation).await?;
        // Also if it was counted before: whoever counted it may not have come to this.
        match mark {
            Mark::HardBounce | Mark::Complaint if reputation => Ok(self.look_at_rates(&about.campaign).await?),
            Mark::HardBounce | Mark::Complaint | Mark::SoftBounce => Ok(()),
        }
    }
}
