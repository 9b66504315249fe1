//! Double opt-in, the second half: what the link of a confirmation mail asks, and the yes of whoever follows it.
//!
//! The link works only while its person can be mailed at the address that it went to: a yes proves that they read there.

use std::sync::Arc;

use jiff::Timestamp;

use super::{
    api::recipients::{Evidence, PersonWrite, Place, PutResult},
    launch::Versioned,
    port::PortError,
    preferences::{MAX_LOSSES, Preferences},
    token::Purpose,
};
use crate::domain::{
    channel::Channel,
    consent::{Consent, ConsentStatus},
    policy::Policy,
    recipient::Recipient,
    time::kept,
    topic::Topic,
};

/// What a confirmation mail's link asks.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    pub locale: Option<String>,
    pub channel: Channel,
    /// What the mail asked about.
    pub topic: Topic,
    pub standing: Standing,
    /// What else waits on the channel: one mail in 30 days has to ask about all of it.
    pub others: Vec<Topic>,
    pub rules: Arc<Versioned>,
}

/// How the consent stands that a mail asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It can be confirmed.
    Open,
    Confirmed,
    /// Nobody confirmed it in time.
    Lapsed,
    /// It was withdrawn, or the person said that they want no mail, or it is held no more.
    Withdrawn,
}

/// A yes, with the text that stood beside the button.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Yes {
    pub topic: Topic,
    pub text: String,
    pub text_version: String,
}

/// What became of an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Answered {
    /// The token was not ours, or whom it names is no longer held or has another address.
    Unknown,
    /// These were granted.
    Granted(Question, Vec<Topic>),
    /// Nothing was left to grant.
    Nothing(Question),
}

impl Preferences {
    /// What a link asks; `None` for one that leads nowhere. Changes nothing: scanners follow links.
    pub async fn question(&self, token: &str) -> Result<Option<Question>, PortError> {
        let asked = self.asked(token).await?;
        Ok(asked.map(|asked| asked.question(self.clock.now())))
    }

    /// Grants what somebody said yes to and what can still be confirmed, once. `origin` says whence the answer came.
    pub async fn confirm(&self, token: &str, yes: &[Yes], origin: Option<&str>) -> Result<Answered, PortError> {
        for _ in 0..MAX_LOSSES {
            let Some(asked) = self.asked(token).await? else { return Ok(Answered::Unknown) };
            let now = self.clock.now();
            let mut after = asked.person.clone();
            let mut evidence = Vec::new();
            for consent in &mut after.profile.consents {
                let yes = yes.iter().find(|yes| yes.topic == consent.topic);
                let Some(yes) = yes.filter(|_| consent.channel == asked.channel) else { continue };
                if standing(&asked.person, consent, &asked.rules.policy, now) != Standing::Open {
                    continue;
                }
                let before = consent.status;
                consent.status = ConsentStatus::Granted;
                // A record from a clock ahead of ours must not make it look older than the question.
                consent.at = kept(now).max(consent.at);
                consent.by_recipient = true;
                evidence.push(granted(consent, before, yes, origin, now));
            }
            if evidence.is_empty() {
                return Ok(Answered::Nothing(asked.question(now)));
            }
            after.version += 1;
            let topics = evidence.iter().map(|evidence| evidence.topic.clone()).collect();
            let write = PersonWrite { before: Some(&asked.person), after: &after, evidence };
            // Claims and imports raise the version too: if one came first, read again.
            if self.people.put(&[write]).await? == [PutResult::Written] {
                let question = Asked { person: after, ..asked }.question(now);
                return Ok(Answered::Granted(question, topics));
            }
        }
        Err(PortError::unavailable("the recipients table", "the recipient kept changing"))
    }

    async fn asked(&self, token: &str) -> Result<Option<Asked>, PortError> {
        let Some(sealed) = self.tokens.verify_sealed(Purpose::Confirm, token) else { return Ok(None) };
        let Some(record) = self.campaigns.get(&sealed.claims.campaign).await? else { return Ok(None) };
        let Some(person) = self.people.get(&sealed.claims.recipient).await? else { return Ok(None) };
        let channel = record.campaign.channel;
        if !person.address(channel).is_some_and(|address| sealed.is_for(&address.email)) {
            return Ok(None);
        }
        let Some(rules) = self.policies.current().await? else { return Ok(None) };
        Ok(Some(Asked { person, channel, topic: record.campaign.topic, rules }))
    }
}

/// Who is asked what, as it is held.
struct Asked {
    person: Recipient,
    channel: Channel,
    topic: Topic,
    rules: Arc<Versioned>,
}

impl Asked {
    fn question(self, now: Timestamp) -> Question {
        let Self { person, channel, topic, rules } = self;
        let on_channel = || person.consents.iter().filter(|consent| consent.channel == channel);
        let of = |consent: &Consent| standing(&person, consent, &rules.policy, now);
        let own = on_channel().find(|consent| consent.topic == topic);
        let others = on_channel().filter(|consent| consent.topic != topic && of(consent) == Standing::Open);
        Question {
            standing: own.map_or(Standing::Withdrawn, of),
            others: others.map(|consent| consent.topic.clone()).collect(),
            locale: person.locale.clone(),
            channel,
            topic,
            rules,
        }
    }
}

fn standing(person: &Recipient, consent: &Consent, policy: &Policy, now: Timestamp) -> Standing {
    let withdrawn = person.consents.iter().any(|other| {
        let covers = other.channel == consent.channel && other.topic.covers(&consent.topic);
        covers && other.status == ConsentStatus::Withdrawn && other.at >= consent.at
    });
    match consent.status {
        ConsentStatus::Withdrawn => Standing::Withdrawn,
        ConsentStatus::Granted | ConsentStatus::Pending if withdrawn || person.suppression.is_some() => {
            Standing::Withdrawn
        }
        ConsentStatus::Granted => Standing::Confirmed,
        ConsentStatus::Pending if consent.lapses(policy.pending_consent_days) <= now => Standing::Lapsed,
        ConsentStatus::Pending => Standing::Open,
    }
}

fn granted(consent: &Consent, before: ConsentStatus, yes: &Yes, origin: Option<&str>, now: Timestamp) -> Evidence {
    Evidence {
        topic: consent.topic.clone(),
        channel: consent.channel,
        before: Some(before),
        after: Some(consent.status),
        text: Some(yes.text.clone()),
        text_version: Some(yes.text_version.clone()),
        source: consent.source.clone(),
        place: Place::Confirmation,
        by: None,
        origin: origin.map(str::to_owned),
        at: consent.at,
        recorded_at: now,
    }
}
