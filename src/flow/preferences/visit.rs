//! Opening a link: who it is about, and how much it may show.

use std::sync::Arc;

use jiff::Timestamp;

use super::Preferences;
use crate::{
    domain::{
        campaign::Campaign,
        channel::Channel,
        consent,
        decision::{Grounds, Outcome},
        id::Shard,
        recipient::Recipient,
    },
    flow::{
        api::recipients::Evidence,
        launch::Versioned,
        ledger::Entry,
        port::PortError,
        queue::Work,
        record,
        token::{Access, Purpose},
    },
};

/// Somebody who opened a link of theirs.
#[derive(Debug)]
pub struct Visit {
    pub recipient: Recipient,
    pub policy: Arc<Versioned>,
    pub scope: Scope,
    /// Of every consent, oldest first; empty where the link may not show it.
    pub evidence: Vec<Evidence>,
    pub now: Timestamp,
}

/// What the link may show and do.
#[derive(Debug)]
pub enum Scope {
    /// It stands in a campaign's mail, which may have been forwarded.
    Mail { campaign: Box<Campaign>, grounds: Grounds },
    /// It was mailed to the address on file within the hour.
    Access(Access),
    /// The hour is over.
    Expired(Access),
}

impl Visit {
    /// Where another link would be mailed to.
    pub fn channel(&self) -> Channel {
        match &self.scope {
            Scope::Mail { campaign, .. } => campaign.channel,
            Scope::Access(access) | Scope::Expired(access) => access.channel,
        }
    }
}

impl Preferences {
    /// What the link to the preference page opens; `None` for what is not ours, and for who is no longer there.
    pub async fn open(&self, token: &str) -> Result<Option<Visit>, PortError> {
        let now = self.clock.now();
        if let Some(access) = self.tokens.verify_access(token) {
            let Some(recipient) = self.people.get(&access.recipient).await? else { return Ok(None) };
            let (scope, evidence) = if now < access.expires_at {
                (Scope::Access(access), self.people.evidence(&recipient.id).await?)
            } else {
                (Scope::Expired(access), Vec::new())
            };
            return Ok(Some(Visit { recipient, policy: self.policy().await?, scope, evidence, now }));
        }
        self.open_mail(Purpose::Reduce, token).await
    }

    /// What the link to unsubscribe opens.
    pub async fn open_unsubscribe(&self, token: &str) -> Result<Option<Visit>, PortError> {
        self.open_mail(Purpose::Unsubscribe, token).await
    }

    async fn open_mail(&self, purpose: Purpose, token: &str) -> Result<Option<Visit>, PortError> {
        let Some(claims) = self.tokens.verify(purpose, token) else { return Ok(None) };
        let (record, recipient) =
            futures_util::future::try_join(self.campaigns.get(&claims.campaign), self.people.get(&claims.recipient))
                .await?;
        let (Some(record), Some(recipient)) = (record, recipient) else { return Ok(None) };
        let now = self.clock.now();
        let work = Work { campaign: claims.campaign, shard: Shard::of(&recipient.id, self.shards), pass: 1 };
        let entry = record::of(self.ledger.as_ref(), self.settlements.as_ref(), &work, &recipient).await?;
        let grounds = grounds(entry, &recipient, &record.campaign, now);
        let scope = Scope::Mail { campaign: Box::new(record.campaign), grounds };
        Ok(Some(Visit { recipient, policy: self.policy().await?, scope, evidence: Vec::new(), now }))
    }
}

/// What justified the mail; while nothing is on record, what would justify it now.
fn grounds(entry: Option<Entry>, recipient: &Recipient, campaign: &Campaign, now: Timestamp) -> Grounds {
    match entry.map(|entry| entry.outcome) {
        Some(Outcome::Sent(grounds)) => grounds,
        Some(
            Outcome::Skipped(_)
            | Outcome::Deferred { .. }
            | Outcome::HeldOut { .. }
            | Outcome::Failed(_)
            | Outcome::InDoubt,
        )
        | None => {
            let standing = consent::standing(&recipient.consents, &campaign.topic, campaign.channel, now);
            let fits = recipient
                .interests
                .iter()
                .filter(|interest| interest.context.fits(campaign.channel) && interest.topic.covers(&campaign.topic));
            let interest = fits.max_by_key(|interest| interest.strength).map(|interest| interest.topic.clone());
            Grounds { consent: standing.ok().map(|grant| grant.topic.clone()), interest, strength: None }
        }
    }
}
