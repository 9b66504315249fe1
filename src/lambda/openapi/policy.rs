//! The policy.

use std::collections::BTreeMap;

use utoipa::ToSchema;

use super::{campaign::SendWindow, words::Time};
use crate::domain::{
    channel::Channel,
    email::{EmailAddress, Mailbox},
    id::TemplateName,
};

/// The deployment-wide rules. Every PUT makes a new version, and each decision records the version that it was made
/// by. What is absent or null takes its default.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Whom the mails are from.
    pub from: Mailbox,
    /// Where answers go; by default to `from`.
    pub reply_to: Option<Mailbox>,
    /// Stands in every mail, as the law wants it.
    #[schema(min_length = 1, max_length = 500)]
    pub postal_address: String,
    #[schema(pattern = "^https://", max_length = 500)]
    pub privacy_url: String,
    /// What may be written about, by topic, at most 1,000; a rule holds for topics below it that have none of their own.
    pub topics: BTreeMap<String, TopicRule>,
    /// What else may be known of people, by name (a-z 0-9 _), at most 100; no other attribute is taken.
    pub attributes: Option<BTreeMap<String, AttributeRule>>,
    /// Templates that notices may use.
    #[schema(max_items = 100)]
    pub notices: Option<Vec<TemplateName>>,
    /// Caps that all hold at once; by default 3 sends in 7 days and 8 in 30.
    #[schema(max_items = 10)]
    pub frequency: Option<Vec<FrequencyCap>>,
    pub interest: Option<InterestRule>,
    /// By default none: mail may go out at any hour.
    pub send_window: Option<SendWindow>,
    /// Percent of the account's send rate that campaigns leave to other mail.
    #[schema(minimum = 0, maximum = 90, default = 10)]
    pub reserved_rate_percent: Option<u32>,
    pub breaker: Option<Breaker>,
    /// Days after which a pending consent is forgotten.
    #[schema(minimum = 1, maximum = 365, default = 14)]
    pub pending_consent_days: Option<u32>,
    /// Days for which decisions are kept.
    #[schema(minimum = 1, maximum = 3650, default = 400)]
    pub retention_days: Option<u32>,
    pub tracking: Option<Tracking>,
    /// The only addresses that test mails may go to.
    #[schema(max_items = 20)]
    pub test_addresses: Option<Vec<EmailAddress>>,
}

/// Which channels a topic may use, and what it is for, in the recipient's words.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TopicRule {
    #[schema(max_items = 2)]
    pub channels: Vec<Channel>,
    /// By language tag.
    pub name: Option<BTreeMap<String, String>>,
    /// By language tag.
    pub purpose: Option<BTreeMap<String, String>>,
}

/// What an attribute is for, and where it comes from.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AttributeRule {
    /// By language tag.
    pub purpose: Option<BTreeMap<String, String>>,
    #[schema(min_length = 1, max_length = 200)]
    pub source: Option<String>,
}

/// At most `sends` to one person, over both channels, in any `days` times 24 hours.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FrequencyCap {
    #[schema(minimum = 1, maximum = 1000)]
    pub sends: u32,
    #[schema(minimum = 1, maximum = 30)]
    pub days: u32,
}

/// How strong an interest must be, and how fast observed ones fade.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InterestRule {
    /// Reached by equality.
    #[schema(minimum = 0.0, maximum = 1.0, default = 0.3)]
    pub threshold: Option<f64>,
    /// Days in which an interest that was not declared loses half its strength.
    #[schema(minimum = 1, maximum = 3650, default = 180)]
    pub half_life_days: Option<u32>,
}

/// When a campaign stops itself.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Breaker {
    /// Percent of a campaign's sends.
    #[schema(minimum = 0.0, maximum = 100.0, default = 5.0)]
    pub hard_bounce_percent: Option<f64>,
    /// Percent of a campaign's sends.
    #[schema(minimum = 0.0, maximum = 100.0, default = 0.1)]
    pub complaint_percent: Option<f64>,
    /// Sends before which it does not judge.
    #[schema(minimum = 1, maximum = 1_000_000, default = 500)]
    pub after_sends: Option<u32>,
}

/// What is observed of those who read a mail; by default nothing.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Tracking {
    #[schema(default = false)]
    pub opens: Option<bool>,
    #[schema(default = false)]
    pub clicks: Option<bool>,
}

/// The version that a policy became.
#[derive(ToSchema)]
pub struct PolicyVersion {
    #[schema(minimum = 1)]
    pub version: u32,
}

/// The policy, or with `about` who put it.
#[derive(ToSchema)]
#[serde(untagged)]
pub enum PolicyTold {
    Policy(Box<Policy>),
    About(PolicyAbout),
}

/// Who put the version that is in force, and when; null of one from before this was kept.
#[derive(ToSchema)]
pub struct PolicyAbout {
    #[schema(minimum = 1)]
    pub version: u32,
    #[schema(required)]
    pub put_by: Option<String>,
    #[schema(required)]
    pub put_at: Option<Time>,
}
