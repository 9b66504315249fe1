//! A person we may mail: all that the gate needs to know, and how changes from outside merge into it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    channel::Channel,
    consent::{Basis, Consent, ConsentStatus},
    door::{self, Change, Fault, Node},
    email::EmailAddress,
    frequency::{FrequencyCap, Sends},
    id::{Product, RecipientId, Ref},
    interest::{Interest, InterestSource, Strength},
    policy::{self, Policy},
    time::{ZoneName, compact},
    topic::Topic,
};

#[derive(Debug, Clone, PartialEq)]
pub struct Recipient {
    pub id: RecipientId,
    /// Rises with every change; a claim succeeds only on the version that was decided on.
    pub version: u64,
    pub sends: Sends,
    pub profile: Profile,
}

/// What is known of a person, apart from what they were sent. Stored in the order of its fields.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    pub reference: Ref,
    pub work: Option<Address>,
    pub personal: Option<Address>,
    pub time_zone: Option<ZoneName>,
    pub locale: Option<String>,
    pub attributes: BTreeMap<String, String>,
    pub interests: Vec<Interest>,
    pub consents: Vec<Consent>,
    pub owns: Vec<Product>,
    pub preferences: Preferences,
    pub suppression: Option<Suppression>,
}

impl std::ops::Deref for Recipient {
    type Target = Profile;

    fn deref(&self) -> &Profile {
        &self.profile
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    pub email: EmailAddress,
    pub unusable: Option<Unusable>,
}

/// Why an address cannot be mailed, whoever it belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unusable {
    HardBounce,
    SoftBounces,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suppression {
    pub kind: SuppressionKind,
    #[serde(with = "compact")]
    pub since: Timestamp,
}

/// Why a person is not mailed, whatever consent says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SuppressionKind {
    UnsubscribedAll,
    Complaint,
    Manual,
    Erased,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Preferences {
    pub max_frequency: Option<FrequencyCap>,
    #[serde(with = "compact::option")]
    pub paused_until: Option<Timestamp>,
    pub muted_topics: Vec<Topic>,
    /// Set by the recipient, so that no PUT or import may change it.
    pub by_recipient: bool,
}

impl Recipient {
    pub fn address(&self, channel: Channel) -> Option<&Address> {
        match channel {
            Channel::Work => self.work.as_ref(),
            Channel::Personal => self.personal.as_ref(),
        }
    }

    /// A person without any facts, from whom [`RecipientChange::apply`] makes the first version.
    pub fn blank(id: RecipientId, reference: Ref, now: Timestamp) -> Self {
        let profile = Profile {
            reference,
            work: None,
            personal: None,
            time_zone: None,
            locale: None,
            attributes: BTreeMap::new(),
            interests: Vec::new(),
            consents: Vec::new(),
            owns: Vec::new(),
            preferences: Preferences::default(),
            suppression: None,
        };
        // The time of creation, so that a person erased and made anew never repeats a version.
        let version = u64::try_from(now.as_millisecond()).unwrap_or(0);
        Self { id, version, sends: Sends::default(), profile }
    }

    /// The contract's shape; `evidence` finds the text behind a consent.
    pub fn to_json(&self, evidence: impl Fn(&Consent) -> Option<String>) -> Value {
        let email = |address: &Option<Address>| address.as_ref().map(|a| a.email.reveal().to_owned());
        let consents: Vec<Value> = self
            .consents
            .iter()
            .map(|c| {
                json!({
                    "topic": c.topic, "channel": c.channel, "status": c.status, "basis": c.basis,
                    "source": c.source, "evidence": evidence(c), "at": c.at, "expires_at": c.expires_at,
                })
            })
            .collect();
        json!({
            "id": self.id,
            "addresses": { "work": email(&self.work), "personal": email(&self.personal) },
            "time_zone": self.time_zone,
            "locale": self.locale,
            "attributes": self.attributes,
            "interests": self.interests,
            "consents": consents,
            "owns": self.owns,
            "preferences": {
                "max_frequency": self.preferences.max_frequency,
                "paused_until": self.preferences.paused_until,
                "muted_topics": self.preferences.muted_topics,
            },
        })
    }
}

/// A consent as it comes in, with the evidence that will be kept apart.
#[derive(Debug, Clone, PartialEq)]
pub struct ConsentChange {
    pub consent: Consent,
    pub evidence: Option<String>,
}

/// What a PUT or a row of an import says of one person.
#[derive(Debug, Clone, PartialEq)]
pub struct RecipientChange {
    pub id: RecipientId,
    work: Change<EmailAddress>,
    personal: Change<EmailAddress>,
    time_zone: Change<ZoneName>,
    locale: Change<String>,
    attributes: Change<Vec<(String, Option<String>)>>,
    interests: Change<Vec<Interest>>,
    consents: Change<Vec<ConsentChange>>,
    owns: Change<Vec<Product>>,
    max_frequency: Change<FrequencyCap>,
    paused_until: Change<Timestamp>,
    muted_topics: Change<Vec<Topic>>,
}

/// A change of one consent that was taken over, as the evidence table records it.
#[derive(Debug, Clone, PartialEq)]
pub struct ConsentMove {
    pub before: Option<ConsentStatus>,
    pub after: Consent,
    pub evidence: Option<String>,
}

impl RecipientChange {
    /// Reads a recipient document. `id` is the one in the path of a PUT; a document may leave its own out there.
    pub fn parse(value: &Value, id: Option<&RecipientId>, policy: &Policy, now: Timestamp) -> Result<Self, Vec<Fault>> {
        door::read(value, |node| Self::read(node, id, policy, now))
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
        f.optional("addresses", |n| {
            let f = n.fields()?;
            work = f.change("work", Node::parse_unseen);
            personal = f.change("personal", Node::parse_unseen);
            f.close();
            Some(())
        });
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
        f.optional("preferences", |n| {
            let f = n.fields()?;
            max_frequency = f.change("max_frequency", policy::cap);
            paused_until = f.change("paused_until", Node::time);
            muted_topics = f.change("muted_topics", |n| n.list(200, |n| known_topic(n, policy)));
            f.close();
            Some(())
        });
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

    /// Merges into what is held. Never touches sends, suppression or what the recipient set themselves; says which
    /// consents moved, or what is wrong with the person that would result.
    pub fn apply(self, recipient: &mut Recipient) -> Result<Vec<ConsentMove>, Vec<Fault>> {
        let profile = &mut recipient.profile;
        set_address(&mut profile.work, self.work);
        set_address(&mut profile.personal, self.personal);
        if profile.work.is_none() && profile.personal.is_none() {
            return Err(vec![Fault {
                field: "/addresses".to_owned(),
                found: "no address".to_owned(),
                wanted: "at least one of work and personal".to_owned(),
            }]);
        }
        set(&mut profile.time_zone, self.time_zone);
        set(&mut profile.locale, self.locale);
        match self.attributes {
            Change::Keep => {}
            Change::Remove => profile.attributes.clear(),
            Change::Set(attributes) => {
                for (name, value) in attributes {
                    match value {
                        Some(value) => profile.attributes.insert(name, value),
                        None => profile.attributes.remove(&name),
                    };
                }
            }
        }
        let key = |i: &Interest| (i.topic.clone(), i.source, i.context);
        merge(&mut profile.interests, self.interests, |held, new| key(held) == key(new));
        merge(&mut profile.owns, self.owns, PartialEq::eq);
        let moves = merge_consents(&mut profile.consents, self.consents);
        if !profile.preferences.by_recipient {
            set(&mut profile.preferences.max_frequency, self.max_frequency);
            set(&mut profile.preferences.paused_until, self.paused_until);
            merge(&mut profile.preferences.muted_topics, self.muted_topics, PartialEq::eq);
        }
        Ok(moves)
    }
}

fn set<T>(held: &mut Option<T>, change: Change<T>) {
    match change {
        Change::Keep => {}
        Change::Remove => *held = None,
        Change::Set(value) => *held = Some(value),
    }
}

/// The same mailbox keeps what is known of it.
fn set_address(held: &mut Option<Address>, change: Change<EmailAddress>) {
    match change {
        Change::Keep => {}
        Change::Remove => *held = None,
        Change::Set(email) => {
            let same = held.as_ref().filter(|held| held.email.normalised() == email.normalised());
            let unusable = same.and_then(|same| same.unusable);
            *held = Some(Address { email, unusable });
        }
    }
}

fn merge<T>(held: &mut Vec<T>, change: Change<Vec<T>>, same: impl Fn(&T, &T) -> bool) {
    match change {
        Change::Keep => {}
        Change::Remove => held.clear(),
        Change::Set(items) => {
            for item in items {
                match held.iter_mut().find(|held| same(held, &item)) {
                    Some(held) => *held = item,
                    None => held.push(item),
                }
            }
        }
    }
}

fn merge_consents(held: &mut Vec<Consent>, change: Change<Vec<ConsentChange>>) -> Vec<ConsentMove> {
    let changes = match change {
        Change::Keep => return Vec::new(),
        Change::Remove => {
            held.retain(|c| c.by_recipient || c.status == ConsentStatus::Withdrawn);
            return Vec::new();
        }
        Change::Set(changes) => changes,
    };
    let mut moves = Vec::new();
    for ConsentChange { consent, evidence } in changes {
        let withdraws = consent.status == ConsentStatus::Withdrawn;
        let withdrawn_before = held.iter().any(|c| {
            c.status == ConsentStatus::Withdrawn && c.channel == consent.channel && c.topic.covers(&consent.topic)
        });
        if withdrawn_before && !withdraws {
            // After a withdrawal only the recipient's own act grants again.
            continue;
        }
        let before = held.iter_mut().find(|c| c.topic == consent.topic && c.channel == consent.channel);
        match before {
            Some(before) if consent.at <= before.at => {}
            Some(before) if before.by_recipient && !withdraws => {}
            Some(before) => {
                let status = before.status;
                *before = consent.clone();
                moves.push(ConsentMove { before: Some(status), after: consent, evidence });
            }
            None => {
                held.push(consent.clone());
                moves.push(ConsentMove { before: None, after: consent, evidence });
            }
        }
    }
    moves
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

fn interest(node: &Node<'_>, policy: &Policy, now: Timestamp) -> Option<Interest> {
    let f = node.fields()?;
    let topic = f.required("topic", |n| known_topic(n, policy));
    let strength = f.required("strength", |n| n.number(0.0..=1.0));
    let source = f.optional("source", Node::parse);
    let context = f.optional("context", Node::parse);
    let at = f.optional("at", |n| past(n, now));
    f.close();
    Some(Interest {
        topic: topic?,
        strength: Strength::new(strength?),
        source: source.unwrap_or(InterestSource::Declared),
        context: context.unwrap_or(super::channel::Context::Any),
        at: at.unwrap_or(now),
    })
}

fn consent(node: &Node<'_>, policy: &Policy, now: Timestamp) -> Option<ConsentChange> {
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
        at: at.unwrap_or(now),
        expires_at,
        by_recipient: false,
    };
    Some(ConsentChange { consent, evidence })
}
