//! One planned communication: topic, channel, template, audience, limits.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::{Map, Value};

use super::{
    channel::Channel,
    door::{self, Fault, Node},
    frequency,
    id::{CampaignId, Product, RecipientId, SendKey, TemplateName},
    interest::Strength,
    policy::Policy,
    topic::Topic,
    window::SendWindow,
};

/// A campaign that names no end ends after this many days.
const DEFAULT_EXPIRY_DAYS: i64 = 7;
/// No campaign may run longer: the history that keeps anybody from getting it twice goes back
/// [`frequency::HISTORY_DAYS`].
const MAX_EXPIRY_DAYS: i64 = 30;
const _: () = assert!(MAX_EXPIRY_DAYS < frequency::HISTORY_DAYS as i64);
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

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Marketing,
    Notice,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    Everyone,
    Recipients(Vec<RecipientId>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct FrequencyUse {
    /// Lifts the policy's caps, never the recipient's own.
    pub exempt: bool,
    /// Whether this send uses a slot; either way it is recorded.
    pub counts: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OnCap {
    Skip,
    Defer,
}

impl Campaign {
    /// Reads a campaign and checks it against the policy, naming every fault.
    pub fn parse(value: &Value, policy: &Policy, now: Timestamp) -> Result<Self, Vec<Fault>> {
        door::read(value, |node| Self::read(node, policy, now))
    }

    /// Reads one that was accepted before: its policy and its times may have moved on.
    pub fn restore(value: &Value) -> Result<Self, Vec<Fault>> {
        door::read(value, |node| Self::read_fields(node, Timestamp::MIN).map(|(campaign, _)| campaign))
    }

    fn read(node: &Node<'_>, policy: &Policy, now: Timestamp) -> Option<Self> {
        let (campaign, nodes) = Self::read_fields(node, now)?;
        nodes.check(&campaign, policy, now)?;
        Some(campaign)
    }

    fn read_fields<'a>(node: &Node<'a>, now: Timestamp) -> Option<(Self, Checked<'a>)> {
        let f = node.fields()?;
        let id = f.required("id", Node::parse);
        let kind = f.optional("kind", |n| match n.text()? {
            "marketing" => Some(Kind::Marketing),
            "notice" => Some(Kind::Notice),
            _ => n.refuse("marketing or notice"),
        });
        let topic = f.required("topic", |n| Some((n.parse()?, n.clone())));
        let channel = f.required("channel", |n| Some((n.parse()?, n.clone())));
        let template = f.required("template", |n| Some((n.parse()?, n.clone())));
        let content = f.optional("content", content);
        let audience = f.optional("audience", audience);
        let min_interest = f.optional("min_interest", |n| n.number(0.0..=1.0));
        let promotes = f.optional("promotes", |n| Some((n.list(100, Node::parse)?, n.clone())));
        let frequency = f.optional("frequency", frequency_use);
        let on_cap = f.optional("on_cap", |n| match n.text()? {
            "skip" => Some(OnCap::Skip),
            "defer" => Some(OnCap::Defer),
            _ => n.refuse("skip or defer"),
        });
        let send_window = f.optional("send_window", SendWindow::read);
        let not_before = f.optional("not_before", |n| Some((n.time()?, n.clone())));
        let expires_at = f.optional("expires_at", |n| Some((n.time()?, n.clone())));
        let holdout_percent = f.optional("holdout_percent", |n| n.integer(0..=100));
        f.close();

        let (promotes, promotes_node) = promotes.unzip();
        let (not_before, not_before_node) = not_before.unzip();
        let (expires_at, expires_at_node) = expires_at.unzip();
        let start = not_before.filter(|start| *start > now).unwrap_or(now);
        let expires_at = expires_at.unwrap_or_else(|| days_later(start, DEFAULT_EXPIRY_DAYS));
        // What the campaign says of several fields at once is checked even where others are at fault.
        let (topic, topic_node) = topic.unzip();
        let (channel, channel_node) = channel.unzip();
        let (template, template_node) = template.unzip();
        let campaign = Self {
            id: id?,
            kind: kind.unwrap_or(Kind::Marketing),
            topic: topic?,
            channel: channel?,
            template: template?,
            content: content.unwrap_or_default(),
            audience: audience.unwrap_or(Audience::Everyone),
            min_interest: min_interest.map(Strength::new),
            promotes: promotes.unwrap_or_default(),
            frequency: frequency.unwrap_or(FrequencyUse { exempt: false, counts: true }),
            on_cap: on_cap.unwrap_or(OnCap::Skip),
            send_window,
            not_before,
            expires_at,
            holdout_percent: holdout_percent.and_then(|p| u8::try_from(p).ok()).unwrap_or(0),
        };
        let nodes = Checked {
            topic: topic_node?,
            channel: channel_node?,
            template: template_node?,
            promotes: promotes_node,
            not_before: not_before_node,
            expires_at: expires_at_node,
        };
        Some((campaign, nodes))
    }

    /// What a send of this campaign is recorded under in a person's history.
    pub fn key(&self) -> SendKey {
        SendKey::campaign(&self.id)
    }

    pub fn threshold(&self, policy: &Policy) -> Strength {
        self.min_interest.unwrap_or(policy.interest.threshold)
    }
}

/// The fields that are compared with the policy, the clock and each other.
struct Checked<'a> {
    topic: Node<'a>,
    channel: Node<'a>,
    template: Node<'a>,
    promotes: Option<Node<'a>>,
    not_before: Option<Node<'a>>,
    expires_at: Option<Node<'a>>,
}

impl Checked<'_> {
    fn check(&self, campaign: &Campaign, policy: &Policy, now: Timestamp) -> Option<()> {
        let topic = match policy.topic(&campaign.topic) {
            None => self.topic.refuse("a topic of the policy, or one below it"),
            Some(rule) if rule.channels.contains(&campaign.channel) => Some(()),
            Some(rule) => {
                let allowed: Vec<&str> = rule.channels.iter().map(|channel| channel.as_str()).collect();
                self.channel.refuse(format!("a channel that the policy allows for this topic: {}", allowed.join(", ")))
            }
        };
        let notice = match campaign.kind {
            Kind::Notice if !campaign.promotes.is_empty() => {
                self.promotes.as_ref()?.refuse("nothing: a notice may promote nothing")
            }
            Kind::Notice if !policy.notices.contains(&campaign.template) => {
                self.template.refuse("for a notice, a template that the policy's notices list")
            }
            Kind::Marketing | Kind::Notice => Some(()),
        };
        let start = campaign.not_before.filter(|start| *start > now).unwrap_or(now);
        let fits = campaign.expires_at > start && campaign.expires_at <= days_later(now, MAX_EXPIRY_DAYS);
        let expiry = if fits {
            Some(())
        } else {
            let node = self.expires_at.as_ref().or(self.not_before.as_ref())?;
            node.refuse(format!("an expiry after now and after not_before, at most {MAX_EXPIRY_DAYS} days from now"))
        };
        topic.and(notice).and(expiry)
    }
}

fn days_later(time: Timestamp, days: i64) -> Timestamp {
    time.saturating_add(SignedDuration::from_hours(days * 24)).unwrap_or(Timestamp::MAX)
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
