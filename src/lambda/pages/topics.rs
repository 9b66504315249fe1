//! Topics and consents in words.

use serde_json::{Value, json};

use super::Desk;
use crate::{
    domain::{
        channel::Channel,
        consent::{self, Consent, ConsentStatus},
        decision::Reason,
        topic::Topic,
    },
    flow::api::recipients::{Evidence, Place},
};

impl Desk<'_> {
    /// Where a consent came from.
    pub(super) fn source(&self, source: Option<&str>, place: Option<Place>, by_recipient: bool) -> String {
        match place {
            Some(Place::Page) => self.say("source.page", &[]),
            Some(Place::OneClick) => self.say("source.one_click", &[]),
            Some(Place::Confirmation) => self.say("source.confirmation", &[]),
            Some(Place::Api | Place::Import) | None => match source {
                Some("preference-page") if by_recipient => self.say("source.page", &[]),
                Some("one-click") if by_recipient => self.say("source.one_click", &[]),
                Some(source) => source.to_owned(),
                None => self.records(),
            },
        }
    }

    pub(super) fn records(&self) -> String {
        self.say("source.records", &[("sender", self.policy().from.name())])
    }

    pub(super) fn consent_source(&self, consent: &Consent) -> String {
        self.source(consent.source.as_deref(), None, consent.by_recipient)
    }

    pub(super) fn place(&self, channel: Channel) -> String {
        self.say(&format!("short.{channel}"), &[])
    }

    pub(super) fn muted(&self, topic: &Topic) -> bool {
        self.visit.recipient.preferences.muted_topics.iter().any(|muted| muted.covers(topic))
    }

    /// The grants that hold, each on the topic and channel for which it was given.
    pub(super) fn granted(&self) -> impl Iterator<Item = &Consent> {
        let consents = &self.visit.recipient.consents;
        let holds = |c: &&Consent| {
            let standing = consent::standing(consents, &c.topic, c.channel, self.visit.now);
            c.status == ConsentStatus::Granted && standing.is_ok()
        };
        consents.iter().filter(holds)
    }

    /// A row with what both pages say of a topic on a channel.
    pub(super) fn row(&self, topic: &Topic, channel: Channel) -> Value {
        let (name, place) = (self.topic(topic), self.place(channel));
        json!({
            "id": format!("topic-{channel}-{}", topic.as_str().replace('/', ".")),
            "topic": topic,
            "channel": channel,
            "name": name,
            "place": place,
            "muted": self.muted(topic).then(|| self.say("topics.muted", &[])),
            "stop_about": self.say("topics.stop_about", &[("topic", name), ("channel", &place)]),
            "mute_about": self.say("topics.mute_about", &[("topic", name)]),
        })
    }

    /// How consent stands, in a sentence.
    pub(super) fn state(&self, topic: &Topic, channel: Channel) -> String {
        let at = |key: &str, time| self.say(key, &[("date", &self.date(time))]);
        match consent::standing(&self.visit.recipient.consents, topic, channel, self.visit.now) {
            Ok(grant) => {
                let (date, source) = (self.date(grant.at), self.consent_source(grant));
                self.say("choose.joined", &[("date", &date), ("source", &source)])
            }
            Err(Reason::ConsentPending { at: time, .. }) => at("choose.pending", time),
            Err(Reason::ConsentWithdrawn { at: time, .. }) => at("choose.withdrawn", time),
            Err(Reason::ConsentExpired { expires_at, .. }) => at("choose.expired", expires_at),
            Err(_) => self.say("choose.none", &[]),
        }
    }

    /// What was recorded of a consent, oldest first.
    pub(super) fn history(&self, evidence: &[Evidence], topic: &Topic, channel: Channel) -> Vec<Value> {
        let of = |e: &&Evidence| e.topic == *topic && e.channel == channel;
        let tell = |e: &Evidence| {
            let key = match e.after {
                Some(ConsentStatus::Granted) => "choose.event_granted",
                Some(ConsentStatus::Pending) => "choose.event_pending",
                Some(ConsentStatus::Withdrawn) => "choose.event_withdrawn",
                None => "choose.event_removed",
            };
            let source = self.source(e.source.as_deref(), Some(e.place), false);
            let text = e.text.as_deref().map(|text| self.say("choose.event_text", &[("text", text)]));
            json!({ "what": self.say(key, &[("date", &self.date(e.at)), ("source", &source)]), "text": text })
        };
        evidence.iter().filter(of).map(tell).collect()
    }
}
