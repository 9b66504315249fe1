//! Every decision of a campaign, in chunks: what was decided of whom, and why.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{port::PortError, queue::Work};
use crate::domain::{
    campaign::Campaign,
    decision::{Outcome, OutcomeKind},
    id::{RecipientId, Ref},
    report::Counts,
};

/// How soon people are looked at again whose mail was kept back by something that names no end.
const AGAIN: SignedDuration = SignedDuration::from_mins(1);

/// What was decided of one person.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub reference: Ref,
    pub outcome: Outcome,
    pub decided_at: Timestamp,
    pub policy_version: u32,
}

impl Entry {
    pub fn is_deferred(&self) -> bool {
        self.outcome.kind() == OutcomeKind::Deferred
    }

    /// When somebody who was deferred is looked at again.
    pub fn due(&self) -> Option<Timestamp> {
        match &self.outcome {
            Outcome::Deferred { until: Some(until), .. } => Some(*until),
            // Nobody knows when what kept the mail back is over.
            Outcome::Deferred { until: None, .. } => {
                Some(self.decided_at.saturating_add(AGAIN).unwrap_or(Timestamp::MAX))
            }
            Outcome::Sent(_)
            | Outcome::Skipped(_)
            | Outcome::HeldOut { .. }
            | Outcome::Failed(_)
            | Outcome::InDoubt => None,
        }
    }

    /// The contract's shape of a decision.
    pub fn to_json(&self, campaign: &Campaign, recipient: &RecipientId) -> Value {
        json!({
            "campaign": campaign.id,
            "recipient": recipient,
            "outcome": self.outcome.kind(),
            "reason": self.outcome.reason(),
            "detail": self.outcome.detail(),
            "channel": campaign.channel,
            "policy_version": self.policy_version,
            "decided_at": self.decided_at,
        })
    }
}

/// The decisions on everybody after `start` up to and including `last`, in the order of their ids.
#[derive(Debug, Clone, PartialEq)]
pub struct Chunk {
    pub start: Option<RecipientId>,
    pub last: RecipientId,
    /// Sorted by `reference` once stored.
    pub entries: Vec<Entry>,
    /// When it is to be forgotten, to the second.
    pub forget_at: Option<Timestamp>,
}

impl Chunk {
    pub fn find(&self, reference: Ref) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.reference == reference)
    }
}

/// How one shard of a campaign stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    /// The pass that is walked, or that waits for its time: 1 sees everybody, each later one the deferred again.
    pub pass: u16,
    /// The pass begins no sooner.
    pub not_before: Option<Timestamp>,
    /// The last person decided on in this pass; `None` before the first.
    pub cursor: Option<RecipientId>,
    /// The outcomes of record of everybody decided on, by whichever pass.
    pub counts: Counts,
    /// When the next pass is to begin, by whom this one has deferred so far.
    pub next: Option<Timestamp>,
    /// Everybody is decided and nobody deferred.
    pub done: bool,
}

impl Default for Progress {
    fn default() -> Self {
        Self { pass: 1, not_before: None, cursor: None, counts: Counts::default(), next: None, done: false }
    }
}

impl Progress {
    /// Whether everybody was seen once.
    pub fn first_pass_through(&self) -> bool {
        self.done || self.pass > 1
    }

    /// Whether there is nothing to do before a time that is still to come.
    pub fn asleep(&self, now: Timestamp) -> bool {
        !self.done && self.cursor.is_none() && self.not_before.is_some_and(|start| start > now)
    }
}

/// Wakes within the same quarter of an hour are one.
const WAKES_S: i64 = 15 * 60;

/// When to look again at all who wait until one of two times: at the earlier one, or, if both lie in the same quarter
/// of an hour, when both have come.
pub fn wake(one: Option<Timestamp>, other: Timestamp) -> Timestamp {
    let quarter = |time: Timestamp| time.as_second().div_euclid(WAKES_S);
    match one {
        None => other,
        Some(one) if quarter(one) == quarter(other) => one.max(other),
        Some(one) => one.min(other),
    }
}

#[async_trait]
pub trait Ledger: Send + Sync {
    /// The chunk that covers `id` and that the walk's cursor has passed; `None` if nobody decided on that id.
    async fn covering(&self, work: &Work, id: &RecipientId) -> Result<Option<Chunk>, PortError>;

    /// The committed chunk with the first decisions on people after `start`.
    async fn after(&self, work: &Work, start: Option<&RecipientId>) -> Result<Option<Chunk>, PortError>;

    /// How far the shard's passes are; `None` if it was never launched.
    async fn progress(&self, work: &Work) -> Result<Option<Progress>, PortError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wakes_of_the_same_quarter_of_an_hour_are_one() {
        let time = |text: &str| format!("2026-11-23T{text}Z").parse::<Timestamp>().unwrap();
        let of = |times: &[&str]| times.iter().fold(None, |next, at| Some(wake(next, time(at)))).unwrap();
        assert_eq!(of(&["09:00:00"]), time("09:00:00"));
        assert_eq!(of(&["09:20:00", "09:02:00", "09:14:59"]), time("09:14:59"));
        assert_eq!(of(&["09:14:59", "09:02:00", "09:15:00"]), time("09:14:59"));
    }
}
