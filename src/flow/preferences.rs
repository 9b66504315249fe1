//! What a recipient does themselves, by the links in a mail. It beats every campaign and every import.

use std::sync::Arc;

use super::{
    api::recipients::{Evidence, People, PersonWrite, Place, PutResult},
    clock::Clock,
    launch::{Campaigns, Policies},
    port::PortError,
    token::{Purpose, TokenKeys},
};
use crate::domain::{
    consent::{self, Basis, Consent, ConsentStatus},
    recipient::Recipient,
};

/// Whoever changes so fast that a withdrawal cannot be written so often is not a person.
pub(super) const MAX_LOSSES: usize = 100;

pub struct Preferences {
    pub clock: Arc<dyn Clock>,
    pub people: Arc<dyn People>,
    pub campaigns: Arc<dyn Campaigns>,
    pub policies: Arc<dyn Policies>,
    pub tokens: TokenKeys,
}

/// How an unsubscribe ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unsubscribed {
    /// No later claim succeeds. Also said when there was nothing left to withdraw.
    Done,
    /// The token was not ours.
    UnknownToken,
}

impl Preferences {
    /// Withdraws the grant that justified the mail, on its channel (RFC 8058: the POST alone does it).
    pub async fn unsubscribe(&self, token: &str) -> Result<Unsubscribed, PortError> {
        let Some(claims) = self.tokens.verify(Purpose::Unsubscribe, token) else {
            return Ok(Unsubscribed::UnknownToken);
        };
        let Some(record) = self.campaigns.get(&claims.campaign).await? else {
            return Ok(Unsubscribed::UnknownToken);
        };
        let (topic, channel) = (&record.campaign.topic, record.campaign.channel);
        for _ in 0..MAX_LOSSES {
            // Somebody erased gets no mail either.
            let Some(before) = self.people.get(&claims.recipient).await? else { return Ok(Unsubscribed::Done) };
            let now = self.clock.now();
            let left = |c: &Consent| {
                let covers = c.channel == channel && c.topic.covers(topic);
                covers && c.status == ConsentStatus::Withdrawn && c.by_recipient
            };
            let standing = consent::standing(&before.profile.consents, topic, channel, now);
            if standing.is_err() && before.profile.consents.iter().any(left) {
                return Ok(Unsubscribed::Done);
            }
            let granted = match standing {
                Ok(grant) => grant.topic.clone(),
                Err(_) => topic.clone(),
            };
            let held = |c: &&Consent| c.topic == granted && c.channel == channel;
            let old = before.profile.consents.iter().find(held).cloned();
            let withdrawn = Consent {
                topic: granted,
                channel,
                status: ConsentStatus::Withdrawn,
                basis: old.as_ref().map_or(Basis::Consent, |c| c.basis),
                source: Some("one-click".to_owned()),
                // A grant from a clock ahead of ours must not outlive it.
                at: old.as_ref().map_or(now, |c| c.at.max(now)),
                expires_at: None,
                by_recipient: true,
            };
            let after = with(&before, &withdrawn);
            let evidence = Evidence {
                topic: withdrawn.topic.clone(),
                channel,
                before: old.map(|c| c.status),
                after: Some(withdrawn.status),
                text: None,
                text_version: None,
                place: Place::OneClick,
                by: None,
                origin: None,
                source: withdrawn.source.clone(),
                at: withdrawn.at,
                recorded_at: now,
            };
            let write = PersonWrite { before: Some(&before), after: &after, evidence: vec![evidence] };
            // Claims and imports raise the version too: if one came first, read again.
            if self.people.put(&[write]).await? == [PutResult::Written] {
                return Ok(Unsubscribed::Done);
            }
        }
        Err(PortError::unavailable("the recipients table", "the recipient kept changing"))
    }
}

fn with(before: &Recipient, withdrawn: &Consent) -> Recipient {
    let mut after = before.clone();
    let consents = &mut after.profile.consents;
    consents.retain(|c| c.topic != withdrawn.topic || c.channel != withdrawn.channel);
    consents.push(withdrawn.clone());
    after.version += 1;
    after
}
