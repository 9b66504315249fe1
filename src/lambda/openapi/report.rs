//! How campaigns and previews stand, and lists of them.

use std::collections::BTreeMap;

use utoipa::ToSchema;

use super::{decision::Decision, words::Time};
use crate::{
    domain::{
        id::{CampaignId, RecipientId},
        report::{CampaignStatus, StatusCode},
    },
    flow::api::trial::Tried,
};

/// A campaign that was taken in.
#[derive(ToSchema)]
pub struct Accepted {
    pub id: CampaignId,
    pub status: CampaignStatus,
}

/// A campaign that was paused, resumed or cancelled.
#[derive(ToSchema)]
pub struct Moved {
    pub id: CampaignId,
    /// The one that it has now.
    pub status: CampaignStatus,
}

/// What became of a test mail.
#[derive(ToSchema)]
pub struct TestMail {
    /// Of the campaign.
    pub id: CampaignId,
    pub result: Tried,
}

/// A preview that was taken in.
#[derive(ToSchema)]
pub struct PreviewAccepted {
    /// Leads to its report.
    pub id: String,
    pub status: CampaignStatus,
}

/// A part of the list of campaigns, newest first.
#[derive(ToSchema)]
pub struct CampaignList {
    pub items: Vec<CampaignSummary>,
    /// Leads to the next part; null at the end.
    #[schema(required)]
    pub cursor: Option<String>,
}

#[derive(ToSchema)]
pub struct CampaignSummary {
    pub id: CampaignId,
    pub status: CampaignStatus,
    pub created_at: Time,
}

/// A part of a campaign's decisions: about 500, fewer only at the end or where few match.
#[derive(ToSchema)]
pub struct DecisionList {
    pub items: Vec<Decision>,
    /// Leads to the next part; null at the end.
    #[schema(required)]
    pub cursor: Option<String>,
}

/// How a campaign stands. `decided` is the sum of `outcomes`, at every moment.
#[derive(ToSchema)]
pub struct Report {
    pub campaign: CampaignId,
    pub status: CampaignStatus,
    #[schema(required)]
    pub status_detail: Option<StatusDetail>,
    #[schema(minimum = 0)]
    pub decided: u64,
    /// Everyone whom the first pass read; null until it is through.
    #[schema(required, minimum = 0)]
    pub audience: Option<u64>,
    pub outcomes: Outcomes,
    /// How many by reason; those who were sent have none.
    pub reasons: BTreeMap<String, u64>,
    pub feedback: Feedback,
    /// How many of the listed ids do not exist; only where ids were listed, once all were looked for.
    #[schema(nullable = false)]
    pub unknown: Option<u64>,
}

/// Why a campaign is paused, waiting or refused.
#[derive(ToSchema)]
pub struct StatusDetail {
    pub code: StatusCode,
    pub message: String,
    /// When it goes on by itself, where that is known.
    #[schema(nullable = false)]
    pub until: Option<Time>,
    /// Of a rate that is above what the policy allows.
    #[schema(nullable = false)]
    pub figures: Option<Figures>,
}

/// What stopped a campaign. Mails to the mailbox simulator are not among the bounces and complaints.
#[derive(ToSchema)]
pub struct Figures {
    pub sent: u64,
    pub hard_bounced: u64,
    pub complained: u64,
    /// Of what was sent.
    pub percent: f64,
    pub limit_percent: f64,
}

/// How many people by outcome.
#[derive(ToSchema)]
pub struct Outcomes {
    pub sent: u64,
    pub skipped: u64,
    /// Decided anew when their window opens or their cap frees.
    pub deferred: u64,
    pub held_out: u64,
    pub failed: u64,
    /// May have been sent; never tried again.
    pub in_doubt: u64,
}

/// What SES told afterwards, in mails.
#[derive(ToSchema)]
pub struct Feedback {
    /// Approximate: what SES tells twice counts twice.
    pub delivered: u64,
    pub hard_bounced: u64,
    pub soft_bounced: u64,
    pub complained: u64,
    /// As approximate as `delivered`; only while the policy has opens counted.
    #[schema(nullable = false)]
    pub opened: Option<u64>,
    /// The same of clicks.
    #[schema(nullable = false)]
    pub clicked: Option<u64>,
}

/// What a campaign would do: its report as if it ran, whole once `status` is `complete`.
#[derive(ToSchema)]
pub struct PreviewReport {
    /// Of the preview.
    pub id: String,
    #[serde(flatten)]
    pub report: Report,
    /// Up to 5 ids by reason; those who would be mailed stand under `sent`.
    pub examples: BTreeMap<String, Vec<RecipientId>>,
    /// What it would take; null until the preview is complete.
    #[schema(required)]
    pub estimate: Option<Estimate>,
    /// For `POST /v1/campaigns?preview=`: names campaign, policy and template as they were previewed. Null until the
    /// preview is complete.
    #[schema(required)]
    pub preview_token: Option<String>,
}

/// At the limits that SES sets the account now. A part that is not known is null.
#[derive(ToSchema)]
pub struct Estimate {
    pub sends: u64,
    /// At the send rate, less what the policy reserves; what the daily quota has no room for waits for another day.
    #[schema(required, minimum = 0)]
    pub duration_seconds: Option<u64>,
    /// By the account's pricing plan, to the cent, without data and monthly fees.
    #[schema(required)]
    pub cost_usd: Option<f64>,
}
