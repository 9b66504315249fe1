//! What a recipient does themselves, by the links in a mail. It beats every campaign and every import.
//!
//! A link in a campaign's mail may only reduce, since mails get forwarded. Everything else needs a link that is mailed
//! to the address on file and works for an hour.

pub mod link;
pub mod origin;
pub mod visit;

use std::sync::Arc;

use jiff::Timestamp;

use self::{link::Marks, origin::Origins};
use super::{
    api::recipients::{Evidence, People, PersonWrite, Place, PutResult},
    clock::Clock,
    feedback::Settlements,
    held::Held,
    launch::{Campaigns, Policies, Templates, Versioned},
    ledger::Ledger,
    pace::Pacer,
    port::PortError,
    send::mail::Mailer,
    token::{Purpose, TokenKeys},
};
use crate::domain::{
    id::RecipientId,
    recipient::{Act, ConsentMove, NotDone, Recipient},
};

/// Whoever changes so fast that a withdrawal cannot be written so often is not a person.
pub(super) const MAX_LOSSES: usize = 100;
/// Where a withdrawal by a mail program comes from.
const ONE_CLICK: &str = "one-click";

pub struct Preferences {
    pub clock: Arc<dyn Clock>,
    pub people: Arc<dyn People>,
    pub campaigns: Arc<dyn Campaigns>,
    pub policies: Arc<dyn Policies>,
    pub templates: Arc<dyn Templates>,
    pub ledger: Arc<dyn Ledger>,
    pub settlements: Arc<dyn Settlements>,
    pub held: Held,
    pub marks: Arc<dyn Marks>,
    pub mailer: Arc<dyn Mailer>,
    pub pacer: Pacer,
    pub tokens: TokenKeys,
    pub origins: Origins,
    /// Where the links in mails lead, without a slash at the end.
    pub public_url: String,
    /// Of the tables.
    pub shards: u16,
}

/// How an unsubscribe ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unsubscribed {
    /// No later claim succeeds. Also said when there was nothing left to withdraw.
    Done,
    /// The token was not ours, or nobody is there whom it names.
    UnknownToken,
}

/// How an act on the page ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acted {
    /// It holds: no later claim goes against it.
    Done,
    /// Nothing changed.
    Not(NotDone),
    /// The person was erased meanwhile.
    Gone,
}

/// What a person saw when they acted, and from where: kept as evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    pub place: Place,
    pub text: Option<String>,
    pub text_version: Option<String>,
    /// By [`Origins::of`].
    pub origin: Option<String>,
}

impl Preferences {
    /// Withdraws the grant that justified the mail, on its channel (RFC 8058: the POST alone does it).
    pub async fn unsubscribe(&self, token: &str, origin: Option<String>) -> Result<Unsubscribed, PortError> {
        let Some(claims) = self.tokens.verify(Purpose::Unsubscribe, token) else {
            return Ok(Unsubscribed::UnknownToken);
        };
        let Some(record) = self.campaigns.get(&claims.campaign).await? else {
            return Ok(Unsubscribed::UnknownToken);
        };
        let (topic, channel) = (&record.campaign.topic, record.campaign.channel);
        let shown = Shown { place: Place::OneClick, text: None, text_version: None, origin };
        let leave = |person: &mut Recipient, now| {
            Ok(person.leave(topic, channel, ONE_CLICK, now).into_iter().collect::<Vec<ConsentMove>>())
        };
        match self.change(&claims.recipient, &shown, leave).await? {
            Acted::Done | Acted::Not(_) => Ok(Unsubscribed::Done),
            Acted::Gone => Ok(Unsubscribed::UnknownToken),
        }
    }

    /// Does what the person chose on the page. What their link may do, the caller has looked at.
    pub async fn act(&self, id: &RecipientId, act: &Act, shown: &Shown) -> Result<Acted, PortError> {
        let policy = self.policy().await?;
        self.change(id, shown, |person, now| person.act(act, &policy.policy, now)).await
    }

    /// Changes a person under their version, anew as often as a claim or an import came first.
    async fn change(
        &self,
        id: &RecipientId,
        shown: &Shown,
        change: impl Fn(&mut Recipient, Timestamp) -> Result<Vec<ConsentMove>, NotDone>,
    ) -> Result<Acted, PortError> {
        for _ in 0..MAX_LOSSES {
            let Some(before) = self.people.get(id).await? else { return Ok(Acted::Gone) };
            let now = self.clock.now();
            let mut after = before.clone();
            let moves = match change(&mut after, now) {
                Ok(moves) => moves,
                Err(not_done) => return Ok(Acted::Not(not_done)),
            };
            if after == before {
                return Ok(Acted::Done);
            }
            after.version += 1;
            let evidence = moves.into_iter().map(|moved| evidence(moved, shown, now)).collect();
            let write = PersonWrite { before: Some(&before), after: &after, evidence };
            if self.people.put(&[write]).await? == [PutResult::Written] {
                return Ok(Acted::Done);
            }
        }
        Err(PortError::unavailable("the recipients table", "the recipient kept changing"))
    }

    /// The rules in force, without which nothing was ever mailed.
    async fn policy(&self) -> Result<Arc<Versioned>, PortError> {
        let policy = self.policies.current().await?;
        policy.ok_or_else(|| PortError::unavailable("the policy", "none was ever put"))
    }
}

fn evidence(moved: ConsentMove, shown: &Shown, now: Timestamp) -> Evidence {
    let ConsentMove { before, after, consent, evidence: _ } = moved;
    Evidence {
        topic: consent.topic,
        channel: consent.channel,
        before,
        after,
        text: shown.text.clone(),
        text_version: shown.text_version.clone(),
        source: consent.source,
        place: shown.place,
        by: None,
        origin: shown.origin.clone(),
        at: consent.at,
        recorded_at: now,
    }
}
