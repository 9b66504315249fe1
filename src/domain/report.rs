//! How a campaign stands: its status, and its outcomes counted.

use std::{
    collections::BTreeMap,
    fmt::{self, Display},
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{
    codes::codes,
    decision::{Outcome, OutcomeKind, ReasonCode},
    id::CampaignId,
};

codes!(
    /// Where a campaign or a preview stands.
    CampaignStatus {
        Scheduled = "scheduled",
        Launching = "launching",
        Sending = "sending",
        WaitingForWindow = "waiting_for_window",
        WaitingForQuota = "waiting_for_quota",
        Paused = "paused",
        Cancelled = "cancelled",
        Expired = "expired",
        Complete = "complete",
        Refused = "refused",
    }
);

impl Display for CampaignStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a campaign is paused, waiting or refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusDetail {
    pub code: StatusCode,
    pub message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

codes!(
    /// What a [`StatusDetail`] is about.
    StatusCode {
        Breaker = "breaker",
        Quota = "quota",
        Window = "window",
        ByRequest = "by_request",
        Template = "template",
        Identity = "identity",
        Account = "account",
        Policy = "policy",
    }
);

/// Outcomes by kind and reason.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<Row>", into = "Vec<Row>")]
pub struct Counts(BTreeMap<(OutcomeKind, Option<ReasonCode>), u64>);

type Row = (OutcomeKind, Option<ReasonCode>, u64);

impl From<Vec<Row>> for Counts {
    fn from(rows: Vec<Row>) -> Self {
        Self(rows.into_iter().map(|(kind, reason, count)| ((kind, reason), count)).collect())
    }
}

impl From<Counts> for Vec<Row> {
    fn from(counts: Counts) -> Self {
        counts.0.into_iter().map(|((kind, reason), count)| (kind, reason, count)).collect()
    }
}

impl Counts {
    pub fn add(&mut self, outcome: &Outcome) {
        *self.0.entry((outcome.kind(), outcome.reason())).or_default() += 1;
    }

    pub fn merge(&mut self, other: &Counts) {
        for (key, count) in &other.0 {
            *self.0.entry(*key).or_default() += count;
        }
    }

    /// Takes away outcomes that others take the place of.
    pub fn subtract(&mut self, other: &Counts) {
        for (key, count) in &other.0 {
            if let Some(held) = self.0.get_mut(key) {
                *held = held.saturating_sub(*count);
            }
        }
        self.0.retain(|_, count| *count > 0);
    }

    /// As they are told while the campaign has this status; see [`Outcome::under`].
    #[must_use]
    pub fn under(self, status: CampaignStatus) -> Self {
        let Some(end) = status.end() else { return self };
        let mut told = Self::default();
        for ((kind, reason), count) in self.0 {
            let key = match kind {
                OutcomeKind::Deferred => (OutcomeKind::Skipped, Some(end.code())),
                OutcomeKind::Sent
                | OutcomeKind::Skipped
                | OutcomeKind::HeldOut
                | OutcomeKind::Failed
                | OutcomeKind::InDoubt => (kind, reason),
            };
            *told.0.entry(key).or_default() += count;
        }
        told
    }

    pub fn decided(&self) -> u64 {
        self.0.values().sum()
    }

    pub fn of(&self, kind: OutcomeKind) -> u64 {
        self.0.iter().filter(|((k, _), _)| *k == kind).map(|(_, count)| count).sum()
    }

    pub fn outcomes(&self) -> Map<String, Value> {
        OutcomeKind::ALL.iter().map(|kind| (kind.as_str().to_owned(), json!(self.of(*kind)))).collect()
    }

    pub fn reasons(&self) -> Map<String, Value> {
        let mut reasons: BTreeMap<ReasonCode, u64> = BTreeMap::new();
        for ((_, reason), count) in &self.0 {
            if let Some(reason) = reason {
                *reasons.entry(*reason).or_default() += count;
            }
        }
        reasons.into_iter().map(|(reason, count)| (reason.as_str().to_owned(), json!(count))).collect()
    }
}

/// How a campaign or a preview stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    pub campaign: CampaignId,
    pub status: CampaignStatus,
    pub status_detail: Option<StatusDetail>,
    pub counts: Counts,
    /// Everyone whom the first pass read; `None` until it is through.
    pub audience: Option<u64>,
    /// Of the ids that the campaign listed, those not found; `None` for an audience of everyone.
    pub unknown: Option<u64>,
}

impl Report {
    pub fn to_json(&self) -> Value {
        let mut report = json!({
            "campaign": self.campaign,
            "status": self.status,
            "status_detail": self.status_detail,
            "decided": self.counts.decided(),
            "audience": self.audience,
            "outcomes": self.counts.outcomes(),
            "reasons": self.counts.reasons(),
            "feedback": { "delivered": 0, "hard_bounced": 0, "soft_bounced": 0, "complained": 0 },
        });
        if let (Some(unknown), Some(object)) = (self.unknown, report.as_object_mut()) {
            object.insert("unknown".to_owned(), json!(unknown));
        }
        report
    }
}
