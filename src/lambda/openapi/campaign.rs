//! The body of a campaign.

use serde_json::Value;
use utoipa::ToSchema;

use super::words::{ClockTime, Time};
use crate::domain::{
    campaign::{Kind, OnCap},
    channel::Channel,
    email::EmailAddress,
    id::{CampaignId, Product, RecipientId, TemplateName},
    interest::Strength,
    topic::Topic,
};

/// One planned communication. What is absent or null takes its default.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Campaign {
    pub id: CampaignId,
    /// By default `marketing`; a `notice` needs a template that is marked so and that the policy lists.
    pub kind: Option<Kind>,
    /// One of the policy's topics, or one below it.
    pub topic: Topic,
    /// One that the policy allows for the topic.
    pub channel: Channel,
    /// One that was put before; later versions of it do not change a campaign that was launched.
    pub template: TemplateName,
    /// What fills the template's variables: at most 65,536 bytes of JSON.
    #[schema(value_type = Option<Object>)]
    pub content: Option<Value>,
    /// By default everyone.
    pub audience: Option<Audience>,
    /// The strength that an interest must reach, in place of the policy's threshold; with 0 consent suffices.
    pub min_interest: Option<Strength>,
    /// Whoever owns one of these gets no mail; a notice may promote nothing.
    #[schema(max_items = 100)]
    pub promotes: Option<Vec<Product>>,
    pub frequency: Option<FrequencyUse>,
    /// By default `skip`; `defer` waits for the next free slot, if it comes before `expires_at`.
    pub on_cap: Option<OnCap>,
    /// In place of the policy's.
    pub send_window: Option<SendWindow>,
    /// Nobody is mailed before; at most 30 days from now.
    pub not_before: Option<Time>,
    /// Nobody is mailed from then on: after `not_before`, at most 30 days from now, by default 7 days from the start.
    pub expires_at: Option<Time>,
    /// How many percent of those who would be mailed are held out, so that the effect can be measured.
    #[schema(minimum = 0, maximum = 100, default = 0)]
    pub holdout_percent: Option<u32>,
}

/// Whom a campaign is about: everyone, or the listed people alone.
#[derive(ToSchema)]
#[serde(untagged)]
pub enum Audience {
    Everyone(Everyone),
    Listed(Listed),
}

#[derive(ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = AudienceEveryone)]
pub enum Everyone {
    Everyone,
}

#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AudienceListed)]
pub struct Listed {
    /// Those of them who do not exist are reported as `unknown`.
    #[schema(min_items = 1, max_items = 1000)]
    pub recipients: Vec<RecipientId>,
}

/// How a campaign stands to frequency caps.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FrequencyUse {
    /// Whether the policy's caps are lifted; a recipient's own cap never is.
    #[schema(default = false)]
    pub exempt: Option<bool>,
    /// Whether each send uses a slot.
    #[schema(default = true)]
    pub counts: Option<bool>,
}

/// From `opens` until just before `closes` in the recipient's own time zone. One that passes midnight belongs to the
/// day on which it opens; who has no time zone is not mailed.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SendWindow {
    pub opens: ClockTime,
    pub closes: ClockTime,
    /// By default every day; at least one.
    #[schema(min_items = 1, max_items = 7)]
    pub days: Option<Vec<Weekday>>,
}

#[derive(ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Weekday {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

/// A test mail that is asked for.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Trial {
    /// One of the policy's `test_addresses`; absent for the first of them.
    pub to: Option<EmailAddress>,
    /// As whom; absent for a sample. What is held about people is a sample all the same.
    pub recipient: Option<RecipientId>,
    /// Of the same id as the path names; absent for the one that was submitted.
    pub campaign: Option<Campaign>,
}
