//! A change of one person as it comes in from outside, checked against the policy.

use jiff::Timestamp;
use serde_json::Value;

use crate::domain::{
    channel::Context,
    consent::{Basis, Consent, ConsentStatus},
    door::{self, Change, Fault, Node},
    email::EmailAddress,
    frequency::FrequencyCap,
    id::{Product, RecipientId},
    interest::{Interest, InterestSource, Strength},
    policy::{self, Policy},
    time::{ZoneName, kept},
    topic::Topic,
};

/// A consent as it comes in, with the evidence that will be kept apart.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ConsentChange {
    pub consent: Consent,
    pub evidence: Option<String>,
}

/// A fact as it comes in. One that its sender did not date is as of now, unless it only repeats what is held: a
/// nightly import must not make everything young again.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Incoming<T> {
    pub fact: T,
    pub dated: bool,
}

/// What a PUT or a row of an import says of one person.
#[derive(Debug, Clone, PartialEq)]
pub struct RecipientChange {
    pub id: RecipientId,
    pub(super) work: Change<EmailAddress>,
    pub(super) personal: Change<EmailAddress>,
    pub(super) time_zone: Change<ZoneName>,
    pub(super) locale: Change<String>,
    pub(super) attributes: Change<Vec<(String, Option<String>)>>,
    pub(super) interests: Change<Vec<Incoming<Interest>>>,
    pub(super) consents: Change<Vec<Incoming<ConsentChange>>>,
    pub(super) owns: Change<Vec<Product>>,
    pub(super) max_frequency: Change<FrequencyCap>,
    pub(super) paused_until: Change<Timestamp>,
    pub(super) muted_topics: Change<Vec<Topic>>,
}

impl RecipientChange {
    /// Reads a recipient document. `id` is the one in the path of a PUT; a document may leave its own out there.
    pub fn parse(value: &Value, id: Option<&RecipientId>, policy: &Policy, now: Timestamp) -> Result<Self, Vec<Fault>> {
        door::read(value, |node| Self::read(node, id, policy, now))
    }

    /// Those of `held` that wait for a confirmation and of which this change says so, whether or not it is news: what
    /// is said again may be the repetition of something whose answer was lost.
    pub fn unconfirmed<'a>(&'a self, held: &'a [Consent]) -> impl Iterator<Item = &'a Consent> {
        let said = match &self.consents {
            Change::Set(said) => said.as_slice(),
            Change::Keep | Change::Remove => &[],
        };
        let same = |a: &Consent, b: &Consent| a.status == b.status && a.topic == b.topic && a.channel == b.channel;
        held.iter().filter(move |consent| {
            consent.status == ConsentStatus::Pending && said.iter().any(|said| same(&said.fact.consent, consent))
        })
    }

    fn read(node: &Node<'_>, id: Option<&RecipientId>, policy: &Policy, now: Timestamp) -> Option<Self> {
        let f = node.fields()?;
        let id = match id {
            None => f.required("id", Node::parse),
            Some(id) => {
                let same = |n: &Node<'_>| match n.parse::<RecipientId>()? {
                    other if other == *id => Some(other),
                    _ => n.refuse("the id that the path names"),
                };
                f.optional("id", same);
                Some(id.clone())
            }
        };
        let (mut work, mut personal) = (Change::Keep, Change::Keep);
        match f.change("addresses", Node::fields) {
            Change::Keep => {}
            Change::Remove => (work, personal) = (Change::Remove, Change::Remove),
            Change::Set(f) => {
                work = f.change("work", Node::parse_unseen);
                personal = f.change("personal", Node::parse_unseen);
                f.close();
            }
        }
        let time_zone = f.change("time_zone", Node::parse);
        let locale = f.change("locale", |n| {
            let tag = n.line(35)?;
            let fits = tag
                .split('-')
                .all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric()));
            if fits { Some(tag) } else { n.refuse("a language tag such as de or en-GB") }
        });
        let attributes = f.change("attributes", |n| n.entries(100, |name, n| attribute(name, n, policy)));
        let interests = f.change("interests", |n| n.list(200, |n| interest(n, policy, now)));
        let consents = f.change("consents", |n| n.list(200, |n| consent(n, policy, now)));
        let owns = f.change("owns", |n| n.list(500, Node::parse));
        let (mut max_frequency, mut paused_until, mut muted_topics) = (Change::Keep, Change::Keep, Change::Keep);
        match f.change("preferences", Node::fields) {
            Change::Keep => {}
            Change::Remove => {
                (max_frequency, paused_until, muted_topics) = (Change::Remove, Change::Remove, Change::Remove);
            }
            Change::Set(f) => {
                max_frequency = f.change("max_frequency", policy::cap);
                paused_until = f.change("paused_until", Node::time);
                muted_topics = f.change("muted_topics", |n| n.list(200, |n| known_topic(n, policy)));
                f.close();
            }
        }
        f.close();
        Some(Self {
            id: id?,
            work,
            personal,
            time_zone,
            locale,
            attributes,
            interests,
            consents,
            owns,
            max_frequency,
            paused_until,
            muted_topics,
        })
    }
}

fn known_topic(node: &Node<'_>, policy: &Policy) -> Option<Topic> {
    let topic: Topic = node.parse()?;
    if policy.knows(&topic) { Some(topic) } else { node.refuse("a topic of the policy, or one below it") }
}

fn past(node: &Node<'_>, now: Timestamp) -> Option<Timestamp> {
    let at = node.time()?;
    if at <= now { Some(at) } else { node.refuse("a time that has come") }
}

fn attribute(name: &str, node: &Node<'_>, policy: &Policy) -> Option<(String, Option<String>)> {
    if !policy.attributes.contains_key(name) {
        let known: Vec<&str> = policy.attributes.keys().map(String::as_str).collect();
        return node.refuse_unseen(format!("an attribute that the policy names: {}", known.join(", ")));
    }
    let value = if node.value.is_null() { None } else { Some(node.line(256)?) };
    Some((name.to_owned(), value))
}

fn interest(node: &Node<'_>, policy: &Policy, now: Timestamp) -> Option<Incoming<Interest>> {
    let f = node.fields()?;
    let topic = f.required("topic", |n| known_topic(n, policy));
    let strength = f.required("strength", |n| n.number(0.0..=1.0));
    let source = f.optional("source", Node::parse);
    let context = f.optional("context", Node::parse);
    let at = f.optional("at", |n| past(n, now));
    f.close();
    let interest = Interest {
        topic: topic?,
        strength: Strength::new(strength?),
        source: source.unwrap_or(InterestSource::Declared),
        context: context.unwrap_or(Context::Any),
        at: at.unwrap_or_else(|| kept(now)),
    };
    Some(Incoming { fact: interest, dated: at.is_some() })
}

fn consent(node: &Node<'_>, policy: &Policy, now: Timestamp) -> Option<Incoming<ConsentChange>> {
    let f = node.fields()?;
    let topic = f.required("topic", |n| known_topic(n, policy));
    let channel = f.required("channel", Node::parse);
    let status = f.required("status", Node::parse);
    let basis = f.optional("basis", Node::parse);
    let source = f.optional("source", |n| n.line(64));
    let evidence = f.optional("evidence", |n| n.line(2_000));
    let at = f.optional("at", |n| past(n, now));
    let expires_at = f.optional("expires_at", Node::time);
    f.close();
    let consent = Consent {
        topic: topic?,
        channel: channel?,
        status: status?,
        basis: basis.unwrap_or(Basis::Consent),
        source,
        at: at.unwrap_or_else(|| kept(now)),
        expires_at,
        by_recipient: false,
    };
    Some(Incoming { fact: ConsentChange { consent, evidence }, dated: at.is_some() })
}
