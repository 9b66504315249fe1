//! Feedback counted, and when it stops a campaign.

use serde::{Deserialize, Serialize};

use crate::domain::policy::Breaker;

/// What was counted of a campaign's mails afterwards.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Approximate: an event that SES repeats counts twice.
    pub delivered: u64,
    pub hard_bounced: u64,
    pub soft_bounced: u64,
    pub complained: u64,
    /// Of `hard_bounced` and `complained`, those that say something of the sender's reputation.
    pub reputation: Reputation,
    /// As approximate as `delivered`.
    pub opened: u64,
    pub clicked: u64,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reputation {
    pub hard_bounced: u64,
    pub complained: u64,
}

/// A rate above what the policy allows.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    pub sent: u64,
    pub hard_bounced: u64,
    pub complained: u64,
    pub percent: f64,
    pub limit_percent: f64,
}

impl Breaker {
    /// The figures that are over the limit, with what they are about; `None` while a campaign may go on.
    pub fn tripped_by(&self, sent: u64, seen: Reputation) -> Option<(&'static str, Figures)> {
        if sent == 0 || sent < u64::from(self.after_sends) {
            return None;
        }
        let rates = [
            ("hard bounces", seen.hard_bounced, self.hard_bounce_percent),
            ("complaints", seen.complained, self.complaint_percent),
        ];
        rates.into_iter().find_map(|(what, count, limit_percent)| {
            let percent = percent(count, sent);
            let Reputation { hard_bounced, complained } = seen;
            (percent > limit_percent)
                .then_some((what, Figures { sent, hard_bounced, complained, percent, limit_percent }))
        })
    }
}

/// To two digits after the point.
#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
fn percent(part: u64, whole: u64) -> f64 {
    (part as f64 * 10_000.0 / whole as f64).round() / 100.0
}
