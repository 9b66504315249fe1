//! Recipients: as they are put, as they are read, and the answers of a bulk request.

use std::collections::BTreeMap;

use utoipa::ToSchema;

use super::{policy::FrequencyCap, problem::Fault, words::Time};
use crate::{
    domain::{
        channel::{Channel, Context},
        consent::{Basis, ConsentStatus},
        email::EmailAddress,
        id::{Product, RecipientId},
        interest::{InterestSource, Strength},
        time::ZoneName,
        topic::Topic,
    },
    flow::api::recipients::Merged,
};

/// What is to change of one person: absent means unchanged, null means removed, lists merge by their keys. What the
/// recipient set themselves stays. A new person needs at least one address.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RecipientChange {
    /// Needed in a bulk request; in a PUT the one in the path.
    pub id: Option<RecipientId>,
    pub addresses: Option<Addresses>,
    pub time_zone: Option<ZoneName>,
    /// A language tag such as `de` or `en-GB`; picks the template's language.
    #[schema(max_length = 35)]
    pub locale: Option<String>,
    /// Attributes that the policy names, each of at most 256 characters; null removes one.
    #[schema(value_type = Option<BTreeMap<String, Option<String>>>)]
    pub attributes: Option<BTreeMap<String, Option<String>>>,
    /// Merged by topic, source and context.
    #[schema(max_items = 200)]
    pub interests: Option<Vec<Interest>>,
    /// Merged by topic and channel; one that is not newer than the one held is ignored, and after a withdrawal only
    /// the recipient's own act grants again.
    #[schema(max_items = 200)]
    pub consents: Option<Vec<Consent>>,
    /// Whoever owns what a campaign promotes does not get it.
    #[schema(max_items = 500)]
    pub owns: Option<Vec<Product>>,
    pub preferences: Option<Preferences>,
}

/// An address for each channel; one never stands in for the other.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Addresses {
    pub work: Option<EmailAddress>,
    pub personal: Option<EmailAddress>,
}

/// What a person cares about, and how we know.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Interest {
    /// One of the policy's topics, or one below it; counts for those below it too.
    pub topic: Topic,
    /// As it was at `at`.
    pub strength: Strength,
    /// By default `declared`.
    pub source: Option<InterestSource>,
    /// By default `any`.
    pub context: Option<Context>,
    /// By default now; never in the future.
    pub at: Option<Time>,
}

/// A recipient's yes, or no, for a topic on a channel.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Consent {
    /// One of the policy's topics, or one below it; counts for those below it too.
    pub topic: Topic,
    pub channel: Channel,
    pub status: ConsentStatus,
    /// By default `consent`.
    pub basis: Option<Basis>,
    /// Where it was given, such as `signup-form`.
    #[schema(min_length = 1, max_length = 64)]
    pub source: Option<String>,
    /// What was shown or signed; kept apart, for as long as the person is.
    #[schema(min_length = 1, max_length = 2000)]
    pub evidence: Option<String>,
    /// By default now; never in the future.
    pub at: Option<Time>,
    /// By default never.
    pub expires_at: Option<Time>,
}

/// What the recipient wants; beats any campaign.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Preferences {
    /// Binds beside the policy's caps, and also where a campaign is exempt from those.
    pub max_frequency: Option<FrequencyCap>,
    /// No mail before.
    pub paused_until: Option<Time>,
    /// No mail about these, or what is below them.
    #[schema(max_items = 200)]
    pub muted_topics: Option<Vec<Topic>>,
}

/// A person with all that is known of them, in the shape in which they can be put.
#[derive(ToSchema)]
pub struct Recipient {
    pub id: RecipientId,
    #[schema(inline)]
    pub addresses: HeldAddresses,
    #[schema(required)]
    pub time_zone: Option<ZoneName>,
    #[schema(required)]
    pub locale: Option<String>,
    pub attributes: BTreeMap<String, String>,
    #[schema(inline)]
    pub interests: Vec<HeldInterest>,
    #[schema(inline)]
    pub consents: Vec<HeldConsent>,
    pub owns: Vec<Product>,
    #[schema(inline)]
    pub preferences: HeldPreferences,
}

#[derive(ToSchema)]
pub struct HeldAddresses {
    #[schema(required)]
    pub work: Option<EmailAddress>,
    #[schema(required)]
    pub personal: Option<EmailAddress>,
}

#[derive(ToSchema)]
pub struct HeldInterest {
    pub topic: Topic,
    pub strength: Strength,
    pub source: InterestSource,
    pub context: Context,
    pub at: Time,
}

#[derive(ToSchema)]
pub struct HeldConsent {
    pub topic: Topic,
    pub channel: Channel,
    pub status: ConsentStatus,
    pub basis: Basis,
    #[schema(required)]
    pub source: Option<String>,
    #[schema(required)]
    pub evidence: Option<String>,
    pub at: Time,
    #[schema(required)]
    pub expires_at: Option<Time>,
}

#[derive(ToSchema)]
pub struct HeldPreferences {
    #[schema(required)]
    pub max_frequency: Option<FrequencyCap>,
    #[schema(required)]
    pub paused_until: Option<Time>,
    pub muted_topics: Vec<Topic>,
}

/// What became of one recipient.
#[derive(ToSchema)]
pub struct Put {
    pub id: RecipientId,
    pub result: Merged,
}

/// What became of one line of a bulk request.
#[derive(ToSchema)]
pub struct LineResult {
    /// The line in the request, from 1; blank ones count, and get no answer.
    #[schema(minimum = 1)]
    pub line: u32,
    /// Null where the line has none that can be read.
    #[schema(required)]
    pub id: Option<RecipientId>,
    pub result: LineOutcome,
    /// Empty unless refused.
    pub errors: Vec<Fault>,
}

/// A refused line changed nothing; the others are kept all the same.
#[derive(ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LineOutcome {
    Created,
    Updated,
    Refused,
}
