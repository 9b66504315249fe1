//! The deployment-wide rules, versioned.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{
    channel::Channel,
    door::{self, Fault, Node},
    email::{EmailAddress, Mailbox},
    frequency::{FrequencyCap, MAX_CAP_DAYS},
    id::TemplateName,
    interest::Strength,
    topic::Topic,
    window::SendWindow,
};

/// A text in several languages, by language tag.
pub type Localised = BTreeMap<String, String>;

/// The text in a language or, if there is none, in English or else in any.
pub fn in_language<'a>(texts: &'a Localised, language: &str) -> Option<&'a str> {
    let primary = language.split('-').next().unwrap_or_default();
    let found = [language, primary, "en"].into_iter().find_map(|tag| texts.get(tag));
    found.or_else(|| texts.values().next()).map(String::as_str)
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Policy {
    pub from: Mailbox,
    pub reply_to: Option<Mailbox>,
    /// Stands in every mail (CAN-SPAM, 15 U.S.C. 7704(a)(5)(A)(iii)).
    pub postal_address: String,
    pub privacy_url: String,
    pub topics: BTreeMap<Topic, TopicRule>,
    pub attributes: BTreeMap<String, AttributeRule>,
    pub notices: Vec<TemplateName>,
    pub frequency: Vec<FrequencyCap>,
    pub interest: InterestRule,
    pub send_window: Option<SendWindow>,
    pub reserved_rate_percent: u8,
    pub breaker: Breaker,
    pub pending_consent_days: u32,
    pub retention_days: u32,
    pub tracking: Tracking,
    pub test_addresses: Vec<EmailAddress>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TopicRule {
    pub channels: Vec<Channel>,
    pub name: Localised,
    pub purpose: Localised,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AttributeRule {
    pub purpose: Localised,
    /// Where it comes from; empty where nobody said.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub source: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct InterestRule {
    pub threshold: Strength,
    pub half_life_days: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Breaker {
    pub hard_bounce_percent: f64,
    pub complaint_percent: f64,
    pub after_sends: u32,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Tracking {
    pub opens: bool,
    pub clicks: bool,
}

impl Policy {
    /// Reads a policy from JSON; what is absent gets the defaults that the contract shows.
    pub fn parse(value: &serde_json::Value) -> Result<Self, Vec<Fault>> {
        door::read(value, Self::read)
    }

    fn read(node: &Node<'_>) -> Option<Self> {
        let f = node.fields()?;
        let from = f.required("from", Node::parse);
        let reply_to = f.optional("reply_to", Node::parse);
        let postal_address = f.required("postal_address", |n| n.line(500));
        let privacy_url = f.required("privacy_url", |n| {
            let url = n.line(500)?;
            if url.starts_with("https://") { Some(url) } else { n.refuse("an https:// URL") }
        });
        let topics = f.required("topics", |n| n.entries(1_000, topic_rule));
        let attributes = f.optional("attributes", |n| n.entries(100, attribute_rule));
        let notices = f.optional("notices", |n| n.list(100, Node::parse));
        let frequency = f.optional("frequency", |n| n.list(10, cap));
        let interest = f.optional("interest", interest_rule);
        let send_window = f.optional("send_window", SendWindow::read);
        let reserved_rate_percent = f.optional("reserved_rate_percent", |n| n.integer(0..=90));
        let breaker = f.optional("breaker", breaker);
        let pending_consent_days = f.optional("pending_consent_days", |n| n.integer(1..=365));
        let retention_days = f.optional("retention_days", |n| n.integer(1..=3_650));
        let tracking = f.optional("tracking", tracking);
        let test_addresses = f.optional("test_addresses", |n| n.list(20, Node::parse_unseen));
        f.close();
        Some(Self {
            from: from?,
            reply_to,
            postal_address: postal_address?,
            privacy_url: privacy_url?,
            topics: topics?.into_iter().collect(),
            attributes: attributes.unwrap_or_default().into_iter().collect(),
            notices: notices.unwrap_or_default(),
            frequency: frequency
                .unwrap_or_else(|| vec![FrequencyCap { sends: 3, days: 7 }, FrequencyCap { sends: 8, days: 30 }]),
            interest: interest.unwrap_or(InterestRule { threshold: Strength::new(0.3), half_life_days: 180 }),
            send_window,
            reserved_rate_percent: u8::try_from(reserved_rate_percent.unwrap_or(10)).ok()?,
            breaker: breaker.unwrap_or(Breaker { hard_bounce_percent: 5.0, complaint_percent: 0.1, after_sends: 500 }),
            pending_consent_days: small(pending_consent_days.unwrap_or(14)),
            retention_days: small(retention_days.unwrap_or(400)),
            tracking: tracking.unwrap_or_default(),
            test_addresses: test_addresses.unwrap_or_default(),
        })
    }

    /// The rule for a topic: its own or that of the closest ancestor that has one.
    pub fn topic(&self, topic: &Topic) -> Option<&TopicRule> {
        let covering = self.topics.iter().filter(|(known, _)| known.covers(topic));
        covering.max_by_key(|(known, _)| known.depth()).map(|(_, rule)| rule)
    }

    /// What a topic is called, in a language: the name of its own rule, or its path.
    pub fn topic_name<'a>(&'a self, topic: &'a Topic, language: &str) -> &'a str {
        let named = self.topics.get(topic).and_then(|rule| in_language(&rule.name, language));
        named.unwrap_or(topic.as_str())
    }

    /// What a topic's mail is for, in a language; empty where the policy does not say.
    pub fn topic_purpose(&self, topic: &Topic, language: &str) -> &str {
        self.topic(topic).and_then(|rule| in_language(&rule.purpose, language)).unwrap_or_default()
    }

    /// Whether facts about people may be kept under this topic.
    pub fn knows(&self, topic: &Topic) -> bool {
        topic.as_str() == Topic::DATA_SOCIAL || self.topic(topic).is_some()
    }
}

fn small(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// At most `sends` in at most 30 days.
pub fn cap(node: &Node<'_>) -> Option<FrequencyCap> {
    let f = node.fields()?;
    let sends = f.required("sends", |n| n.integer(1..=1_000));
    let days = f.required("days", |n| n.integer(1..=u64::from(MAX_CAP_DAYS)));
    f.close();
    Some(FrequencyCap { sends: small(sends?), days: small(days?) })
}

fn topic_rule(name: &str, node: &Node<'_>) -> Option<(Topic, TopicRule)> {
    let topic = name.parse::<Topic>().map_or_else(|wanted| node.refuse(format!("as its key {wanted}")), Some);
    let f = node.fields()?;
    let channels = f.required("channels", |n| n.list(2, Node::parse));
    let name = f.optional("name", localised);
    let purpose = f.optional("purpose", localised);
    f.close();
    let rule = TopicRule { channels: channels?, name: name.unwrap_or_default(), purpose: purpose.unwrap_or_default() };
    Some((topic?, rule))
}

fn attribute_rule(name: &str, node: &Node<'_>) -> Option<(String, AttributeRule)> {
    let fits = name.len() <= 64
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    if !fits {
        return node.refuse("as its key a name of a-z 0-9 _, such as first_name");
    }
    let f = node.fields()?;
    let purpose = f.optional("purpose", localised);
    let source = f.optional("source", |n| n.line(200));
    f.close();
    let rule = AttributeRule { purpose: purpose.unwrap_or_default(), source: source.unwrap_or_default() };
    Some((name.to_owned(), rule))
}

fn localised(node: &Node<'_>) -> Option<Localised> {
    let texts = node.entries(100, |language, n| Some((language.to_owned(), n.line(500)?)))?;
    Some(texts.into_iter().collect())
}

fn interest_rule(node: &Node<'_>) -> Option<InterestRule> {
    let f = node.fields()?;
    let threshold = f.optional("threshold", |n| n.number(0.0..=1.0));
    let half_life_days = f.optional("half_life_days", |n| n.integer(1..=3_650));
    f.close();
    Some(InterestRule {
        threshold: Strength::new(threshold.unwrap_or(0.3)),
        half_life_days: small(half_life_days.unwrap_or(180)),
    })
}

fn breaker(node: &Node<'_>) -> Option<Breaker> {
    let f = node.fields()?;
    let hard = f.optional("hard_bounce_percent", |n| n.number(0.0..=100.0));
    let complaint = f.optional("complaint_percent", |n| n.number(0.0..=100.0));
    let after = f.optional("after_sends", |n| n.integer(1..=1_000_000));
    f.close();
    Some(Breaker {
        hard_bounce_percent: hard.unwrap_or(5.0),
        complaint_percent: complaint.unwrap_or(0.1),
        after_sends: small(after.unwrap_or(500)),
    })
}

fn tracking(node: &Node<'_>) -> Option<Tracking> {
    let f = node.fields()?;
    let opens = f.optional("opens", Node::boolean).unwrap_or(false);
    let clicks = f.optional("clicks", Node::boolean).unwrap_or(false);
    f.close();
    Some(Tracking { opens, clicks })
}
