//! Suppressions, and all that is held about one person.

use std::collections::BTreeMap;

use utoipa::ToSchema;

use super::{
    decision::Decision,
    problem::Fault,
    recipient::{HeldAddresses, HeldConsent, HeldInterest, HeldPreferences},
    words::Time,
};
use crate::{
    domain::{
        channel::Channel,
        consent::ConsentStatus,
        email::EmailAddress,
        id::{CampaignId, Product, RecipientId, TemplateName},
        recipient::{SuppressionKind, Unusable},
        time::ZoneName,
        topic::Topic,
    },
    flow::api::recipients::Place,
};

/// What an operator remarks.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SuppressionNote {
    /// Absent means unchanged, null means removed. Shown with the suppression; put no personal data here.
    #[schema(min_length = 1, max_length = 500)]
    pub note: Option<String>,
}

/// An address that is not to be mailed.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SuppressionLine {
    pub address: EmailAddress,
    /// Absent means unchanged, null means removed. Shown with the suppression; put no personal data here.
    #[schema(min_length = 1, max_length = 500)]
    pub note: Option<String>,
}

/// The suppression that stands.
#[derive(ToSchema)]
pub struct Suppression {
    pub kind: SuppressionKind,
    pub since: Time,
    /// An operator's; null of every kind but `manual`.
    #[schema(required)]
    pub note: Option<String>,
}

/// What became of one line of a bulk request.
#[derive(ToSchema)]
pub struct SuppressionResult {
    /// The line in the request, from 1; blank ones count, and get no answer.
    #[schema(minimum = 1)]
    pub line: u32,
    pub result: SuppressionOutcome,
    /// Empty unless refused.
    pub errors: Vec<Fault>,
}

/// `kept` is what was suppressed before for a reason that weighs more; a refused line changed nothing.
#[derive(ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SuppressionOutcome {
    Suppressed,
    Kept,
    Refused,
}

/// Everything that is held about one person.
#[derive(ToSchema)]
pub struct Export {
    pub recipient: ExportedRecipient,
    /// What happened to their consents, oldest first.
    #[schema(inline)]
    pub evidence: Vec<HeldEvidence>,
    /// The decision of record of each campaign that decided on them, newest campaign first.
    pub decisions: Vec<Decision>,
    /// What is stored beside them of each of their addresses.
    #[schema(inline)]
    pub suppressions: Vec<HeldSuppression>,
}

/// A fact that is as the recipient wants it, also if that is not there.
#[derive(ToSchema)]
pub struct HeldOwn {
    /// A word, or an object with one field: the kind of fact, and which one.
    pub fact: serde_json::Value,
    pub at: Time,
}

/// When an address bounced for a reason that may pass, oldest first.
#[derive(ToSchema)]
pub struct HeldBounces {
    pub work: Vec<Time>,
    pub personal: Vec<Time>,
}

/// The recipient as it is read, and what the gate keeps beside it.
#[derive(ToSchema)]
pub struct ExportedRecipient {
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
    pub consents: Vec<ExportedConsent>,
    pub owns: Vec<Product>,
    #[schema(inline)]
    pub preferences: ExportedPreferences,
    #[schema(inline)]
    pub unusable: HeldUnusable,
    #[schema(required)]
    pub suppression: Option<PersonSuppression>,
    /// What they set themselves, which no document changes, and when.
    #[schema(inline)]
    pub own: Vec<HeldOwn>,
    #[schema(inline)]
    pub soft_bounces: HeldBounces,
    /// Of the last 32 days.
    #[schema(inline)]
    pub sends: Vec<HeldSend>,
    /// Rises with every change.
    pub version: u64,
    /// The person's name in the ledger: random, and nothing leads from it to them once they are erased.
    #[schema(rename = "ref")]
    pub r#ref: String,
}

#[derive(ToSchema)]
pub struct ExportedConsent {
    #[serde(flatten)]
    pub consent: HeldConsent,
    /// Set by the person's own act, which no import may change.
    pub by_recipient: bool,
}

#[derive(ToSchema)]
pub struct ExportedPreferences {
    #[serde(flatten)]
    pub preferences: HeldPreferences,
    /// Set by the person, so that no PUT or import may change them.
    pub by_recipient: bool,
}

/// Why the person is not mailed, whatever consent says.
#[derive(ToSchema)]
pub struct PersonSuppression {
    pub kind: SuppressionKind,
    pub since: Time,
}

#[derive(ToSchema)]
pub struct HeldUnusable {
    #[schema(required)]
    pub work: Option<Unusable>,
    #[schema(required)]
    pub personal: Option<Unusable>,
}

#[derive(ToSchema)]
pub struct HeldSend {
    /// Null where it is not known any more, and of the second entry that a notice makes.
    #[schema(required)]
    pub campaign: Option<CampaignId>,
    /// The template of a notice.
    #[schema(required)]
    pub notice: Option<TemplateName>,
    /// What it is stored under: a hash of the campaign's id, or of the notice's template.
    pub key: String,
    pub at: Time,
    /// Which worker took it.
    pub claim: String,
    /// Whether it uses a slot of the frequency caps.
    pub counts: bool,
}

#[derive(ToSchema)]
pub struct HeldEvidence {
    pub topic: Topic,
    pub channel: Channel,
    #[schema(required)]
    pub before: Option<ConsentStatus>,
    /// Null where the record was removed, which withdraws nothing.
    #[schema(required)]
    pub after: Option<ConsentStatus>,
    /// What was shown or signed.
    #[schema(required)]
    pub text: Option<String>,
    /// Which version of a text of ours that was.
    pub text_version: Option<String>,
    #[schema(required)]
    pub source: Option<String>,
    pub place: Place,
    /// Who asked for it, where that was not the recipient.
    pub by: Option<String>,
    /// Keyed hash of the network address and the program that it came from.
    pub origin: Option<String>,
    pub at: Time,
    pub recorded_at: Time,
}

#[derive(ToSchema)]
pub struct HeldSuppression {
    pub channel: Channel,
    pub kind: SuppressionKind,
    pub since: Time,
    #[schema(required)]
    pub note: Option<String>,
}
