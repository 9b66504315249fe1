//! A recipient's yes for a topic on a channel, and whether it holds.

use jiff::{Timestamp, ToSpan, tz::TimeZone};
use serde::{Deserialize, Serialize};

use super::{
    channel::Channel,
    codes::codes,
    decision::Reason,
    time::{compact, days_after},
    topic::Topic,
};

codes!(
    /// How a recipient's yes stands.
    ConsentStatus, "granted, pending or withdrawn" {
        Granted = "granted",
        Pending = "pending",
        Withdrawn = "withdrawn",
    }
);

codes!(
    /// What makes a yes lawful.
    Basis, "consent, soft_opt_in, implied_purchase, implied_inquiry or contract" {
        Consent = "consent",
        SoftOptIn = "soft_opt_in",
        ImpliedPurchase = "implied_purchase",
        ImpliedInquiry = "implied_inquiry",
        Contract = "contract",
    }
);

/// The evidence behind it is kept apart, in a table of its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Consent {
    pub topic: Topic,
    pub channel: Channel,
    pub status: ConsentStatus,
    pub basis: Basis,
    pub source: Option<String>,
    #[serde(with = "compact")]
    pub at: Timestamp,
    #[serde(with = "compact::option")]
    pub expires_at: Option<Timestamp>,
    /// Set by the recipient's own act, which no import may change.
    pub by_recipient: bool,
}

impl Consent {
    /// When it ends: what is written, or what its basis implies if that is sooner. Consent implied from a purchase
    /// ends after 2 years, from an inquiry after 6 months (CASL, S.C. 2010, c. 23, section 10(10)).
    pub fn end(&self) -> Option<Timestamp> {
        let span = match self.basis {
            Basis::ImpliedPurchase => Some(2.years()),
            Basis::ImpliedInquiry => Some(6.months()),
            Basis::Consent | Basis::SoftOptIn | Basis::Contract => None,
        };
        let implied = span.and_then(|span| {
            let ends = self.at.to_zoned_datetime(TimeZone::UTC).checked_add(span).ok()?;
            Some(ends.timestamp())
        });
        match (self.expires_at, implied) {
            (Some(written), Some(implied)) => Some(written.min(implied)),
            (written, implied) => written.or(implied),
        }
    }

    /// When a yes that nobody confirmed can no longer be confirmed.
    pub fn lapses(&self, pending_consent_days: u32) -> Timestamp {
        let asked = days_after(self.at, pending_consent_days);
        self.end().map_or(asked, |end| end.min(asked))
    }

    fn expired(&self, now: Timestamp) -> bool {
        self.end().is_some_and(|end| end <= now)
    }
}

/// The grant that holds for `topic` on `channel`, the most specific and newest of them, or why none does.
///
/// Records on the topic or an ancestor count. A grant holds unless it is expired, or a withdrawal is at least as new
/// as it, or a withdrawal stands on a more specific topic than it. One that waits for a confirmation stays pending
/// also once it can no longer be confirmed: nobody ever said yes, so that nothing has expired.
pub fn standing<'a>(
    consents: &'a [Consent],
    topic: &Topic,
    channel: Channel,
    now: Timestamp,
) -> Result<&'a Consent, Reason> {
    let relevant = || consents.iter().filter(|c| c.channel == channel && c.topic.covers(topic));
    let withdrawn = || relevant().filter(|c| c.status == ConsentStatus::Withdrawn);
    let holds = |grant: &&Consent| {
        grant.status == ConsentStatus::Granted
            && !grant.expired(now)
            && !withdrawn().any(|w| w.at >= grant.at || w.topic.depth() > grant.topic.depth())
    };
    let newest = |status| relevant().filter(|c| c.status == status).max_by_key(|c| c.at);

    if let Some(grant) = relevant().filter(holds).max_by_key(|c| (c.topic.depth(), c.at)) {
        Ok(grant)
    } else if let Some(c) = newest(ConsentStatus::Withdrawn) {
        Err(Reason::ConsentWithdrawn { topic: c.topic.clone(), at: c.at })
    } else if let Some(c) = newest(ConsentStatus::Pending) {
        Err(Reason::ConsentPending { topic: c.topic.clone(), at: c.at })
    } else if let Some(c) = newest(ConsentStatus::Granted) {
        let expires_at = c.end().unwrap_or(now);
        Err(Reason::ConsentExpired { topic: c.topic.clone(), at: c.at, expires_at })
    } else {
        Err(Reason::NoConsent { topic: topic.clone() })
    }
}

/// Whether profiling from social networks is permitted: an active consent to [`Topic::DATA_SOCIAL`] on the channel.
pub fn permits_social(consents: &[Consent], channel: Channel, now: Timestamp) -> bool {
    // Most people hold no record of it: spare them the parsing.
    consents.iter().any(|c| c.topic.covers_path(Topic::DATA_SOCIAL))
        && Topic::DATA_SOCIAL.parse().is_ok_and(|topic| standing(consents, &topic, channel, now).is_ok())
}
