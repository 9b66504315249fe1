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
    feedback::{Figures, Step, Tally},
    id::CampaignId,
    policy::Tracking,
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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StatusDetail {
    pub code: StatusCode,
    pub message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Of a rate that is above what the policy allows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub figures: Option<Figures>,
}

impl StatusDetail {
    pub fn new(code: StatusCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), until: None, figures: None }
    }

    /// The same, of something that ends then.
    pub fn until(self, until: Timestamp) -> Self {
        Self { until: Some(until), ..self }
    }
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
        add(&mut self.0, (outcome.kind(), outcome.reason()), 1);
    }

    pub fn merge(&mut self, other: &Counts) {
        for (key, count) in &other.0 {
            add(&mut self.0, *key, *count);
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

    /// With what events proved: each step moves one from the outcome that stood to the other.
    #[must_use]
    pub fn settled(mut self, steps: &BTreeMap<Step, u64>) -> Self {
        for (step, count) in steps {
            let (from, to) = step.moves();
            if let Some(held) = self.0.get_mut(&from) {
                *held = held.saturating_sub(*count);
            }
            add(&mut self.0, to, *count);
        }
        self.0.retain(|_, count| *count > 0);
        self
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
            add(&mut told.0, key, count);
        }
        told
    }

    pub fn decided(&self) -> u64 {
        sum(self.0.values())
    }

    pub fn of(&self, kind: OutcomeKind) -> u64 {
        sum(self.0.iter().filter(|((k, _), _)| *k == kind).map(|(_, count)| count))
    }

    pub fn outcomes(&self) -> Map<String, Value> {
        OutcomeKind::ALL.iter().map(|kind| (kind.as_str().to_owned(), json!(self.of(*kind)))).collect()
    }

    pub fn reasons(&self) -> Map<String, Value> {
        let mut reasons: BTreeMap<ReasonCode, u64> = BTreeMap::new();
        for ((_, reason), count) in &self.0 {
            if let Some(reason) = reason {
                add(&mut reasons, *reason, *count);
            }
        }
        reasons.into_iter().map(|(reason, count)| (reason.as_str().to_owned(), json!(count))).collect()
    }
}

/// Counts that are damaged may be of any size: they must not wrap round to small ones.
fn add<K: Ord>(counts: &mut BTreeMap<K, u64>, key: K, count: u64) {
    let held = counts.entry(key).or_default();
    *held = held.saturating_add(count);
}

fn sum<'a>(counts: impl Iterator<Item = &'a u64>) -> u64 {
    counts.fold(0, |sum, count| sum.saturating_add(*count))
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
    pub tally: Tally,
    /// What the policy has counted of the readers' acts.
    pub tracking: Tracking,
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
            "feedback": self.feedback(),
        });
        if let (Some(unknown), Some(object)) = (self.unknown, report.as_object_mut()) {
            object.insert("unknown".to_owned(), json!(unknown));
        }
        report
    }

    fn feedback(&self) -> Value {
        let Tally { delivered, hard_bounced, soft_bounced, complained, opened, clicked, .. } = self.tally;
        let mut feedback = json!({
            "delivered": delivered,
            "hard_bounced": hard_bounced,
            "soft_bounced": soft_bounced,
            "complained": complained,
        });
        if let Some(object) = feedback.as_object_mut() {
            object.extend(self.tracking.opens.then(|| ("opened".to_owned(), json!(opened))));
            object.extend(self.tracking.clicks.then(|| ("clicked".to_owned(), json!(clicked))));
        }
        feedback
    }
}
