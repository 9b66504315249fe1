//! How often a person may be mailed, and what they were sent.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    id::{ClaimId, SendKey},
    time::days_after,
};

/// Caps look at most this far back.
pub const MAX_CAP_DAYS: u32 = 30;
/// A send is forgotten after this many days: longer than any cap looks back.
pub const HISTORY_DAYS: u32 = 32;
/// A person with this many sends within [`HISTORY_DAYS`] gets nothing more: the history would outgrow its item.
pub const MAX_HISTORY: usize = 64;

/// At most `sends` to one person in `days` times 24 hours, rolling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrequencyCap {
    pub sends: u32,
    pub days: u32,
}

/// What a cap compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CapUse {
    pub used: u32,
    /// When the next send fits; `None` if one fits now.
    pub next_slot: Option<Timestamp>,
}

impl FrequencyCap {
    /// Whether everybody who keeps this cap keeps `other` too. The most that fits into the other's days is a full
    /// slot at the start of each span of ours.
    pub fn implies(self, other: FrequencyCap) -> bool {
        let spans = u64::from(other.days).div_ceil(u64::from(self.days.max(1)));
        spans * u64::from(self.sends) <= u64::from(other.sends)
    }

    pub fn check(self, sends: &Sends, now: Timestamp) -> CapUse {
        // A send stops counting at exactly `days` times 24 hours after it.
        let mut within: Vec<Timestamp> = sends
            .iter()
            .filter(|send| send.counts && days_after(send.at, self.days) > now)
            .map(|send| send.at)
            .collect();
        within.sort_unstable();
        let used = within.len();
        let next_slot = used.checked_sub(self.sends as usize).map(|over| {
            // A cap of 0 has nothing that could leave: it stays shut.
            days_after(within.get(over).copied().unwrap_or(now), self.days)
        });
        CapUse { used: u32::try_from(used).unwrap_or(u32::MAX), next_slot }
    }
}

/// One send, or a claim that is about to become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Send {
    pub key: SendKey,
    pub at: Timestamp,
    pub claim: ClaimId,
    /// Whether it uses a slot of the caps.
    pub counts: bool,
}

/// A person's sends of the last [`HISTORY_DAYS`], oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sends(Vec<Send>);

impl Sends {
    pub fn new(sends: Vec<Send>) -> Self {
        Self(sends)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Send> {
        self.0.iter()
    }

    pub fn of(&self, key: SendKey) -> Option<&Send> {
        self.0.iter().rev().find(|send| send.key == key)
    }

    pub fn live(&self, now: Timestamp) -> impl Iterator<Item = &Send> {
        self.0.iter().filter(move |send| days_after(send.at, HISTORY_DAYS) > now)
    }

    /// With `sends` added and what is too old forgotten.
    pub fn with(&self, sends: impl IntoIterator<Item = Send>, now: Timestamp) -> Self {
        Self(self.live(now).copied().chain(sends).collect())
    }

    /// Without what `claim` took.
    pub fn without(&self, claim: ClaimId) -> Self {
        Self(self.0.iter().filter(|send| send.claim != claim).copied().collect())
    }
}
