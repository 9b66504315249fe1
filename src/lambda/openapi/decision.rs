//! Decisions: each reason with the keys of its detail.

use serde_json::{Value, json};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{AllOfBuilder, ObjectBuilder, OneOfBuilder, Ref, RefOr, Schema, Type},
};

use super::{
    operation::{Schemas, component},
    words::Time,
};
use crate::domain::{
    channel::Channel,
    decision::{CapRule, OutcomeKind, ReasonCode},
    gate::Gate,
    id::{CampaignId, Product, RecipientId},
    interest::Strength,
    recipient::{SuppressionKind, Unusable},
    topic::Topic,
};

/// What was decided of one person, in one shape for each reason.
pub struct Decision;

impl PartialSchema for Decision {
    fn schema() -> RefOr<Schema> {
        variants(&mut Schemas::new()).into()
    }
}

impl ToSchema for Decision {
    fn schemas(schemas: &mut Schemas) {
        variants(schemas);
    }
}

fn variants(schemas: &mut Schemas) -> OneOfBuilder {
    let record = component::<DecisionRecord>(schemas);
    let null = ObjectBuilder::new().schema_type(Type::Null);
    let sent = variant(&record, "sent", null, component::<Grounds>(schemas));
    let reasons = ReasonCode::ALL.iter().map(|code| {
        let only = ObjectBuilder::new().schema_type(Type::String).enum_values(Some([json!(code)]));
        variant(&record, code.as_str(), only, detail(*code, schemas))
    });
    let decision = OneOfBuilder::new().description(Some(
        "What was decided of one person. `reason` is null for those who were sent, and says which keys `detail` has.",
    ));
    std::iter::once(sent).chain(reasons).fold(decision, OneOfBuilder::item)
}

fn variant(record: &Ref, title: &str, reason: ObjectBuilder, detail: Ref) -> AllOfBuilder {
    let own = ObjectBuilder::new()
        .property("reason", reason)
        .property("detail", detail)
        .required("reason")
        .required("detail");
    AllOfBuilder::new().title(Some(title)).item(record.clone()).item(own)
}

fn detail(code: ReasonCode, schemas: &mut Schemas) -> Ref {
    match code {
        ReasonCode::Suppressed => component::<SuppressedDetail>(schemas),
        ReasonCode::NoAddress => component::<NoAddressDetail>(schemas),
        ReasonCode::AddressUnusable => component::<AddressDetail>(schemas),
        ReasonCode::NoConsent | ReasonCode::TopicMuted => component::<TopicDetail>(schemas),
        ReasonCode::ConsentPending | ReasonCode::ConsentWithdrawn => component::<ConsentDetail>(schemas),
        ReasonCode::ConsentExpired => component::<ConsentExpiredDetail>(schemas),
        ReasonCode::Paused => component::<PausedDetail>(schemas),
        ReasonCode::NotInterested | ReasonCode::OutOfContext | ReasonCode::ProfilingNotPermitted => {
            component::<InterestDetail>(schemas)
        }
        ReasonCode::AlreadyOwned => component::<OwnedDetail>(schemas),
        ReasonCode::AlreadySent => component::<SentDetail>(schemas),
        ReasonCode::FrequencyCap => component::<CapDetail>(schemas),
        ReasonCode::OutsideSendWindow => component::<WindowDetail>(schemas),
        ReasonCode::Holdout => component::<HoldoutDetail>(schemas),
        ReasonCode::Rejected => component::<RejectedDetail>(schemas),
        ReasonCode::NoTimeZone
        | ReasonCode::CampaignExpired
        | ReasonCode::CampaignCancelled
        | ReasonCode::Quota
        | ReasonCode::Throttled
        | ReasonCode::Stopped
        | ReasonCode::Contended
        | ReasonCode::NotRendered
        | ReasonCode::InDoubt => component::<NoDetail>(schemas),
    }
}

/// What every decision says.
#[derive(ToSchema)]
pub struct DecisionRecord {
    pub campaign: CampaignId,
    pub recipient: RecipientId,
    pub outcome: OutcomeKind,
    pub channel: Channel,
    /// Of the policy that it was made by.
    #[schema(minimum = 1)]
    pub policy_version: u32,
    pub decided_at: Time,
}

/// The topics that justified a mail; a notice needs none.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Grounds {
    #[schema(required)]
    pub consent: Option<Topic>,
    #[schema(required)]
    pub interest: Option<Topic>,
    #[schema(required)]
    pub strength: Option<Strength>,
}

#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SuppressedDetail {
    pub kind: SuppressionKind,
    pub since: Time,
}

#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NoAddressDetail {
    pub channel: Channel,
}

#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddressDetail {
    pub channel: Channel,
    pub kind: Unusable,
}

#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TopicDetail {
    pub topic: Topic,
}

#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConsentDetail {
    pub topic: Topic,
    pub at: Time,
}

#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConsentExpiredDetail {
    pub topic: Topic,
    pub at: Time,
    pub expires_at: Time,
}

#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PausedDetail {
    pub until: Time,
}

/// The strongest interest that there was, as strong as it was then, and what it had to reach.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InterestDetail {
    pub topic: Topic,
    pub strength: Strength,
    pub threshold: Strength,
}

#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OwnedDetail {
    pub product: Product,
}

#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SentDetail {
    pub at: Time,
}

/// At most `sends` in `days` times 24 hours, `used` of which are; the next fits at `next_slot`.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CapDetail {
    pub sends: u32,
    pub days: u32,
    pub used: u32,
    pub next_slot: Time,
    pub rule: CapRule,
}

#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WindowDetail {
    pub opens_at: Time,
    /// The recipient's.
    pub time_zone: String,
}

#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HoldoutDetail {
    /// Of those who would be mailed.
    #[schema(minimum = 0, maximum = 100)]
    pub percent: u32,
}

#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RejectedDetail {
    /// What SES said.
    pub status: String,
}

/// There is nothing to add.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NoDetail {}

/// The decision of record, and what every gate says now.
#[derive(ToSchema)]
pub struct Explanation {
    pub decision: Decision,
    pub verdicts: Vec<Verdict>,
}

/// What one gate says.
#[derive(ToSchema)]
pub struct Verdict {
    pub gate: Gate,
    pub pass: bool,
    /// Null where it lets the person through.
    #[schema(required)]
    pub reason: Option<ReasonCode>,
    /// The values compared: where it refuses, those of a decision with this reason.
    #[schema(value_type = Object)]
    pub detail: Value,
}

/// The decision, or with `all=true` the explanation.
#[derive(ToSchema)]
#[serde(untagged)]
pub enum Why {
    Decision(Decision),
    Explanation(Explanation),
}
