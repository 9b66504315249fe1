//! One planned communication: topic, channel, template, audience, limits.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};

use super::{
    channel::Channel,
    codes::codes,
    door::{self, Fault, Node},
    frequency,
    id::{CampaignId, Product, RecipientId, SendKey, Shard, TemplateName},
    interest::Strength,
    policy::Policy,
    time::{days_after, kept},
    topic::Topic,
    window::SendWindow,
};

/// A campaign that names no end ends after this many days.
pub const DEFAULT_EXPIRY_DAYS: u32 = 7;
/// No campaign may run longer: the history that keeps anybody from getting it twice goes back
/// [`frequency::HISTORY_DAYS`].
pub const MAX_EXPIRY_DAYS: u32 = 30;
const _: () = assert!(MAX_EXPIRY_DAYS < frequency::HISTORY_DAYS);
/// Of `content` as JSON. Each mail carries it twice, raw and escaped, in SES's 262,144 characters of template data.
const MAX_CONTENT_BYTES: usize = 64 * 1024;

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Campaign {
    pub id: CampaignId,
    pub kind: Kind,
    pub topic: Topic,
    pub channel: Channel,
    pub template: TemplateName,
    pub content: Map<String, Value>,
    pub audience: Audience,
    pub min_interest: Option<Strength>,
    pub promotes: Vec<Product>,
    pub frequency: FrequencyUse,
    pub on_cap: OnCap,
    pub send_window: Option<SendWindow>,
    pub not_before: Option<Timestamp>,
    pub expires_at: Timestamp,
    pub holdout_percent: u8,
}

codes!(
    /// Whether it wants something of people or owes them something.
    Kind, "marketing or notice" {
        Marketing = "marketing",
        Notice = "notice",
    }
);

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    Everyone,
    Recipients(Vec<RecipientId>),
}

impl Audience {
    /// Every one of `shards` that can hold somebody of it.
    pub fn shards(&self, shards: u16) -> BTreeSet<Shard> {
        match self {
            Audience::Everyone => (0..shards).map(Shard).collect(),
            Audience::Recipients(ids) => ids.iter().map(|id| Shard::of(id, shards)).collect(),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct FrequencyUse {
    /// Lifts the policy's caps, never the recipient's own.
    pub exempt: bool,
    /// Whether this send uses a slot; either way it is recorded.
    pub counts: bool,
}

codes!(
    /// What becomes of a person whose frequency cap is full.
    OnCap, "skip or defer" {
        Skip = "skip",
        Defer = "defer",
    }
);

impl Campaign {
    /// Reads a campaign and checks it against the policy, naming every fault.
    pub fn parse(value: &Value, policy: &Policy, now: Timestamp) -> Result<Self, Vec<Fault>> {
        door::read(value, |node| {
            let draft = Draft::read(node)?;
            draft.check(policy, now);
            draft.finish(now)
        })
    }

    /// Reads one that was accepted before: its policy and its times may have moved on.
    pub fn restore(value: &Value) -> Result<Self, Vec<Fault>> {
        door::read(value, |node| Draft::read(node)?.finish(Timestamp::MIN))
    }

    /// What a send of this campaign is recorded under in a person's history.
    pub fn key(&self) -> SendKey {
        SendKey::campaign(&self.id)
    }

    pub fn threshold(&self, policy: &Policy) -> Strength {
        self.min_interest.unwrap_or(policy.interest.threshold)
    }
}

/// A field that is compared with the policy, the clock or another field, and where it stands.
type Placed<'a, T> = Option<(T, Node<'a>)>;

/// The fields as they came: what several of them say together is checked even where others are at fault.
struct Draft<'a> {
    id: Option<CampaignId>,
    kind: Kind,
    topic: Placed<'a, Topic>,
    channel: Placed<'a, Channel>,
    template: Placed<'a, TemplateName>,
    content: Map<String, Value>,
    audience: Audience,
    min_interest: Option<Strength>,
    promotes: Placed<'a, Vec<Product>>,
    frequency: FrequencyUse,
    on_cap: OnCap,
    send_window: Option<SendWindow>,
    not_before: Placed<'a, Timestamp>,
    expires_at: Placed<'a, Timestamp>,
    holdout_percent: u8,
}

impl<'a> Draft<'a> {
    fn read(node: &Node<'a>) -> Option<Self> {
        let f = node.fields()?;
        let id = f.required("id", Node::parse);
        let kind = f.optional("kind", Node::parse);
        let topic = f.required("topic", |n| placed(n, Node::parse));
        let channel = f.required("channel", |n| placed(n, Node::parse));
        let template = f.required("template", |n| placed(n, Node::parse));
        let content = f.optional("content", content);
        let audience = f.optional("audience", audience);
        let min_interest = f.optional("min_interest", |n| n.number(0.0..=1.0));
        let promotes = f.optional("promotes", |n| placed(n, |n| n.list(100, Node::parse)));
        let frequency = f.optional("frequency", frequency_use);
        let on_cap = f.optional("on_cap", Node::parse);
        let send_window = f.optional("send_window", SendWindow::read);
        let not_before = f.optional("not_before", |n| placed(n, Node::time));
        let expires_at = f.optional("expires_at", |n| placed(n, Node::time));
        let holdout_percent = f.optional("holdout_percent", |n| n.integer(0..=100));
        f.close();
        Some(Self {
            id,
            kind: kind.unwrap_or(Kind::Marketing),
            topic,
            channel,
            template,
            content: content.unwrap_or_default(),
            audience: audience.unwrap_or(Audience::Everyone),
            min_interest: min_interest.map(Strength::new),
            promotes,
            frequency: frequency.unwrap_or(FrequencyUse { exempt: false, counts: true }),
            on_cap: on_cap.unwrap_or(OnCap::Skip),
            send_window,
            not_before,
            expires_at,
            holdout_percent: holdout_percent.and_then(|p| u8::try_from(p).ok()).unwrap_or(0),
        })
    }

    fn check(&self, policy: &Policy, now: Timestamp) {
        self.check_topic(policy);
        self.check_notice(policy);
        self.check_times(now);
    }

    fn check_topic(&self, policy: &Policy) {
        let Some((topic, place)) = &self.topic else { return };
        let Some(rule) = policy.topic(topic) else {
            place.refuse::<()>("a topic of the policy, or one below it");
            return;
        };
        let Some((channel, place)) = &self.channel else { return };
        if !rule.channels.contains(channel) {
            let allowed: Vec<&str> = rule.channels.iter().map(|channel| channel.as_str()).collect();
            place.refuse::<()>(format!("a channel that the policy allows for this topic: {}", allowed.join(", ")));
        }
    }

    fn check_notice(&self, policy: &Policy) {
        if self.kind != Kind::Notice {
            return;
        }
        if let Some((_, place)) = self.promotes.as_ref().filter(|(promotes, _)| !promotes.is_empty()) {
            place.refuse::<()>("nothing: a notice may promote nothing");
        }
        if let Some((_, place)) = self.template.as_ref().filter(|(template, _)| !policy.notices.contains(template)) {
            place.refuse::<()>("for a notice, a template that the policy's notices list");
        }
    }

    fn check_times(&self, now: Timestamp) {
        let latest = days_after(now, MAX_EXPIRY_DAYS);
        if let Some((_, place)) = self.not_before.as_ref().filter(|(start, _)| *start >= latest) {
            place.refuse::<()>(format!("a start less than {MAX_EXPIRY_DAYS} days from now"));
        }
        let start = self.start(now);
        let late = |end: &Timestamp| *end <= start || *end > latest;
        if let Some((_, place)) = self.expires_at.as_ref().filter(|(end, _)| late(end)) {
            place.refuse::<()>(format!(
                "an expiry after now and after not_before, at most {MAX_EXPIRY_DAYS} days from now"
            ));
        }
    }

    fn start(&self, now: Timestamp) -> Timestamp {
        self.not_before.as_ref().map_or(now, |(start, _)| now.max(*start))
    }

    fn finish(self, now: Timestamp) -> Option<Campaign> {
        let now = kept(now);
        let default_end = days_after(self.start(now), DEFAULT_EXPIRY_DAYS).min(days_after(now, MAX_EXPIRY_DAYS));
        Some(Campaign {
            id: self.id?,
            kind: self.kind,
            topic: self.topic?.0,
            channel: self.channel?.0,
            template: self.template?.0,
            content: self.content,
            audience: self.audience,
            min_interest: self.min_interest,
            promotes: self.promotes.map(|(promotes, _)| promotes).unwrap_or_default(),
            frequency: self.frequency,
            on_cap: self.on_cap,
            send_window: self.send_window,
            not_before: self.not_before.map(|(start, _)| start),
            expires_at: self.expires_at.map_or(default_end, |(end, _)| end),
            holdout_percent: self.holdout_percent,
        })
    }
}

fn placed<'a, T>(node: &Node<'a>, read: impl FnOnce(&Node<'a>) -> Option<T>) -> Placed<'a, T> {
    Some((read(node)?, node.clone()))
}

fn content(node: &Node<'_>) -> Option<Map<String, Value>> {
    let Value::Object(content) = node.value else { return node.refuse("an object") };
    if node.value.to_string().len() > MAX_CONTENT_BYTES {
        return node.refuse(format!("content of at most {MAX_CONTENT_BYTES} bytes"));
    }
    Some(content.clone())
}

fn audience(node: &Node<'_>) -> Option<Audience> {
    if node.value.as_str() == Some("everyone") {
        return Some(Audience::Everyone);
    }
    if !node.value.is_object() {
        return node.refuse("\"everyone\" or {\"recipients\": [ids]}");
    }
    let f = node.fields()?;
    let recipients = f.required("recipients", |n| match n.value {
        Value::Array(ids) if ids.is_empty() => n.refuse("at least one id"),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
            n.list(1_000, Node::parse::<RecipientId>)
        }
    });
    f.close();
    let mut recipients = recipients?;
    recipients.sort_unstable();
    recipients.dedup();
    Some(Audience::Recipients(recipients))
}

fn frequency_use(node: &Node<'_>) -> Option<FrequencyUse> {
    let f = node.fields()?;
    let exempt = f.optional("exempt", Node::boolean);
    let counts = f.optional("counts", Node::boolean);
    f.close();
    Some(FrequencyUse { exempt: exempt.unwrap_or(false), counts: counts.unwrap_or(true) })
}
