//! What a recipient does themselves, on the pages behind a mail's links.

use jiff::{SignedDuration, Timestamp};

use super::{ConsentMove, Fact, Recipient, Suppression, SuppressionKind};
use crate::domain::{
    channel::{Channel, Context},
    codes::codes,
    consent::{self, Basis, Consent, ConsentStatus},
    email::EmailAddress,
    frequency::FrequencyCap,
    id::Product,
    interest::{Interest, InterestSource, Strength},
    policy::Policy,
    time::{ZoneName, kept},
    topic::Topic,
};

/// How strong an interest is that somebody declares by choosing a topic.
const CHOSEN: f64 = 0.9;

/// What the link in a mail may do, which may have been forwarded: nothing but get less.
#[derive(Debug, Clone, PartialEq)]
pub enum Less {
    /// No more mail on this channel by whatever permits this topic.
    Leave {
        topic: Topic,
        channel: Channel,
    },
    LeaveAll,
    /// No more mail about a topic on any channel; consent stays as it is.
    Mute(Topic),
    /// Only to what is stricter than every cap that holds.
    Lower(FrequencyCap),
    /// Only longer than the pause that holds.
    Pause {
        until: Timestamp,
    },
}

/// What needs a link that was mailed to the address on file.
#[derive(Debug, Clone, PartialEq)]
pub enum More {
    /// Grants, also after a withdrawal.
    Join {
        topic: Topic,
        channel: Channel,
    },
    /// Takes back that they left everything.
    Return,
    Unmute(Topic),
    /// Any cap of their own, or none.
    Frequency(Option<FrequencyCap>),
    /// Any end of a pause, or none.
    Pause(Option<Timestamp>),
    TimeZone(Option<ZoneName>),
    Locale(Option<String>),
    Attribute {
        name: String,
        value: Option<String>,
    },
    /// `None` for no interest at all.
    Interest {
        topic: Topic,
        context: Context,
        strength: Option<Strength>,
    },
    /// They do not own it.
    Disown(Product),
    /// Which of the addresses held is for what. A new one is not taken: it would have to be confirmed.
    Addresses {
        work: Option<EmailAddress>,
        personal: Option<EmailAddress>,
    },
}

#[derive(Debug, Clone, PartialEq)]
pub enum Act {
    Less(Less),
    More(More),
}

codes!(
    /// Why an act changes nothing.
    NotDone {
        /// A link from a mail may only reduce.
        NotLess = "not_less",
        /// The last address can only be erased with the person.
        LastAddress = "last_address",
        /// The policy has no such topic, channel or attribute.
        NotOffered = "not_offered",
        /// There is no address for that channel.
        NoAddress = "no_address",
    }
);

impl Recipient {
    /// Does it at once, and says which consents moved. Beats what campaigns and imports say, now and later.
    pub fn act(&mut self, act: &Act, policy: &Policy, now: Timestamp) -> Result<Vec<ConsentMove>, NotDone> {
        match act {
            Act::Less(less) => self.less(less, policy, now),
            Act::More(more) => self.more(more, policy, now),
        }
    }

    /// Withdraws the grant that permits a topic on a channel; `None` if the recipient had left before.
    pub fn leave(&mut self, topic: &Topic, channel: Channel, source: &str, now: Timestamp) -> Option<ConsentMove> {
        let left = |c: &Consent| {
            let covers = c.channel == channel && c.topic.covers(topic);
            covers && c.status == ConsentStatus::Withdrawn && c.by_recipient
        };
        let standing = consent::standing(&self.consents, topic, channel, now);
        if standing.is_err() && self.consents.iter().any(left) {
            return None;
        }
        let granted = standing.map_or_else(|_| topic.clone(), |grant| grant.topic.clone());
        let old = self.consents.iter().find(|c| c.topic == granted && c.channel == channel);
        let withdrawn = Consent {
            topic: granted,
            channel,
            status: ConsentStatus::Withdrawn,
            basis: old.map_or(Basis::Consent, |c| c.basis),
            source: Some(source.to_owned()),
            // A grant from a clock ahead of ours must not outlive it.
            at: old.map_or(kept(now), |c| c.at.max(kept(now))),
            expires_at: None,
            by_recipient: true,
        };
        Some(self.record(withdrawn))
    }

    fn less(&mut self, less: &Less, policy: &Policy, now: Timestamp) -> Result<Vec<ConsentMove>, NotDone> {
        match less {
            // Whoever got a mail forwarded must not fill up somebody's record.
            Less::Leave { topic, .. } | Less::Mute(topic) if !self.concerns(topic, policy) => {
                return Err(NotDone::NotOffered);
            }
            Less::Leave { topic, channel } => {
                return Ok(self.leave(topic, *channel, SOURCE, now).into_iter().collect());
            }
            Less::LeaveAll => {
                let left = Suppression { kind: SuppressionKind::UnsubscribedAll, since: kept(now) };
                self.profile.suppression.get_or_insert(left);
            }
            Less::Mute(topic) => {
                let muted = &mut self.profile.preferences.muted_topics;
                if !muted.iter().any(|held| held.covers(topic)) {
                    muted.retain(|held| !topic.covers(held));
                    muted.push(topic.clone());
                }
                self.profile.preferences.by_recipient = true;
            }
            Less::Lower(cap) if self.is_lower(*cap, policy) => self.limit(Some(*cap)),
            Less::Pause { until } if self.is_longer(*until, now) => self.pause(Some(*until)),
            Less::Lower(_) | Less::Pause { .. } => return Err(NotDone::NotLess),
        }
        Ok(Vec::new())
    }

    fn more(&mut self, more: &More, policy: &Policy, now: Timestamp) -> Result<Vec<ConsentMove>, NotDone> {
        match more {
            More::Join { topic, channel } => return self.join(topic, *channel, policy, now).map(|moved| vec![moved]),
            More::Return => {
                let left = |s: &Suppression| s.kind == SuppressionKind::UnsubscribedAll;
                self.profile.suppression.take_if(|s| left(s));
            }
            More::Unmute(topic) => {
                let muted = &mut self.profile.preferences.muted_topics;
                if let Some(at) = muted.iter().position(|held| held == topic) {
                    muted.remove(at);
                    self.profile.preferences.by_recipient = true;
                }
            }
            More::Frequency(cap) => self.limit(*cap),
            More::Pause(until) => self.pause(*until),
            More::TimeZone(zone) => {
                self.profile.time_zone.clone_from(zone);
                self.profile.make_own(Fact::TimeZone, now);
            }
            More::Locale(locale) => {
                self.profile.locale.clone_from(locale);
                self.profile.make_own(Fact::Locale, now);
            }
            More::Attribute { name, value } => self.attribute(name, value.as_deref(), policy, now)?,
            More::Interest { topic, context, strength } => self.interest(topic, *context, *strength, policy, now)?,
            More::Disown(product) => {
                if let Some(at) = self.owns.iter().position(|held| held == product) {
                    self.profile.owns.remove(at);
                    self.profile.make_own(Fact::Owns(product.clone()), now);
                }
            }
            More::Addresses { work, personal } => self.addresses(work.as_ref(), personal.as_ref(), now)?,
        }
        Ok(Vec::new())
    }

    /// Whether a topic is one of the policy's, or there is a consent on it.
    fn concerns(&self, topic: &Topic, policy: &Policy) -> bool {
        policy.topics.contains_key(topic) || self.consents.iter().any(|c| c.topic == *topic)
    }

    /// Whether a cap is stricter than their own and than each of the policy's.
    pub fn is_lower(&self, cap: FrequencyCap, policy: &Policy) -> bool {
        let own = self.preferences.max_frequency;
        own.is_none_or(|own| own != cap && cap.implies(own)) && !policy.frequency.iter().any(|held| held.implies(cap))
    }

    /// Whether a pause until then goes beyond the one that holds.
    pub fn is_longer(&self, until: Timestamp, now: Timestamp) -> bool {
        until > now && self.preferences.paused_until.is_none_or(|held| until > held)
    }

    fn limit(&mut self, cap: Option<FrequencyCap>) {
        self.profile.preferences.max_frequency = cap;
        self.profile.preferences.by_recipient = true;
    }

    fn pause(&mut self, until: Option<Timestamp>) {
        self.profile.preferences.paused_until = until.map(kept);
        self.profile.preferences.by_recipient = true;
    }

    fn join(
        &mut self,
        topic: &Topic,
        channel: Channel,
        policy: &Policy,
        now: Timestamp,
    ) -> Result<ConsentMove, NotDone> {
        let offered = policy.topics.get(topic).is_some_and(|rule| rule.channels.contains(&channel));
        if !offered {
            return Err(NotDone::NotOffered);
        }
        if self.address(channel).is_none() {
            return Err(NotDone::NoAddress);
        }
        let covering = self.consents.iter().filter(|c| c.channel == channel && c.topic.covers(topic));
        let withdrawn = covering.filter(|c| c.status == ConsentStatus::Withdrawn).map(|c| c.at).max();
        // Newer than every withdrawal that it takes back, also than one from a clock ahead of ours.
        let after = withdrawn.and_then(|at| at.checked_add(SignedDuration::from_millis(1)).ok());
        let granted = Consent {
            topic: topic.clone(),
            channel,
            status: ConsentStatus::Granted,
            basis: Basis::Consent,
            source: Some(SOURCE.to_owned()),
            at: after.map_or(kept(now), |after| after.max(kept(now))),
            expires_at: None,
            by_recipient: true,
        };
        // Who asks for mail about it is interested in it, and no longer wants it muted.
        if self.preferences.muted_topics.iter().any(|held| held.covers(topic)) {
            self.profile.preferences.muted_topics.retain(|held| !held.covers(topic));
            self.profile.preferences.by_recipient = true;
        }
        let context = match channel {
            Channel::Work => Context::Work,
            Channel::Personal => Context::Personal,
        };
        let declared =
            |i: &Interest| i.topic.covers(topic) && i.context.fits(channel) && i.source == InterestSource::Declared;
        if !self.interests.iter().any(|i| declared(i) && i.strength >= policy.interest.threshold) {
            self.declare(topic, context, Strength::new(CHOSEN), now);
        }
        Ok(self.record(granted))
    }

    /// Puts a consent in place of the one held.
    fn record(&mut self, consent: Consent) -> ConsentMove {
        let consents = &mut self.profile.consents;
        let old = consents.iter().position(|c| c.topic == consent.topic && c.channel == consent.channel);
        let before = old.map(|at| consents.remove(at).status);
        consents.push(consent.clone());
        ConsentMove { before, after: Some(consent.status), consent, evidence: None }
    }

    fn attribute(&mut self, name: &str, value: Option<&str>, policy: &Policy, now: Timestamp) -> Result<(), NotDone> {
        let attributes = &mut self.profile.attributes;
        if !attributes.contains_key(name) && !policy.attributes.contains_key(name) {
            return Err(NotDone::NotOffered);
        }
        match value {
            Some(value) => drop(attributes.insert(name.to_owned(), value.to_owned())),
            None => drop(attributes.remove(name)),
        }
        self.profile.make_own(Fact::Attribute(name.to_owned()), now);
        Ok(())
    }

    fn interest(
        &mut self,
        topic: &Topic,
        context: Context,
        strength: Option<Strength>,
        policy: &Policy,
        now: Timestamp,
    ) -> Result<(), NotDone> {
        let held = self.interests.iter().any(|i| i.topic == *topic && i.context == context);
        if !held && !policy.topics.contains_key(topic) {
            return Err(NotDone::NotOffered);
        }
        if let Some(strength) = strength {
            self.declare(topic, context, strength, now);
        } else {
            self.profile.interests.retain(|i| i.topic != *topic || i.context != context);
            self.profile.make_own(Fact::Interest { topic: topic.clone(), context }, now);
        }
        Ok(())
    }

    /// What they say of themselves stands in place of all that was observed.
    fn declare(&mut self, topic: &Topic, context: Context, strength: Strength, now: Timestamp) {
        let interests = &mut self.profile.interests;
        interests.retain(|i| i.topic != *topic || i.context != context);
        let (topic, source) = (topic.clone(), InterestSource::Declared);
        interests.push(Interest { topic: topic.clone(), strength, source, context, at: kept(now) });
        self.profile.make_own(Fact::Interest { topic, context }, now);
    }

    fn addresses(
        &mut self,
        work: Option<&EmailAddress>,
        personal: Option<&EmailAddress>,
        now: Timestamp,
    ) -> Result<(), NotDone> {
        if work.is_none() && personal.is_none() {
            return Err(NotDone::LastAddress);
        }
        // A mailbox keeps what is known of it.
        let held = |wanted: &EmailAddress| {
            let mut addresses = [&self.profile.work, &self.profile.personal].into_iter().flatten();
            addresses.find(|held| held.email == *wanted).cloned().ok_or(NotDone::NotOffered)
        };
        let (work, personal) = (work.map(held).transpose()?, personal.map(held).transpose()?);
        for (channel, address) in [(Channel::Work, work), (Channel::Personal, personal)] {
            let held = match channel {
                Channel::Work => &mut self.profile.work,
                Channel::Personal => &mut self.profile.personal,
            };
            if *held != address {
                *held = address;
                self.profile.make_own(Fact::Address(channel), now);
            }
        }
        Ok(())
    }
}

/// Where a consent comes from that was changed on the page.
const SOURCE: &str = "preference-page";
