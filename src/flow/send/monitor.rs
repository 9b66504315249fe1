//! What whoever watches the service is told of each walk. The ledger counts for reports; this may be lost.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use crate::{domain::report::Counts, flow::queue::Work};

/// What one walk came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Walked {
    /// What it committed. A later pass has those whose time had not come in it once more, as deferred.
    pub decisions: Counts,
    /// Mails that SES put off, as often as it did.
    pub throttled: u64,
    pub took: Duration,
}

pub trait Monitor: Send + Sync {
    /// Comes once when a walk has ended, well or not.
    fn walked(&self, work: &Work, walked: &Walked);
}

/// Where nobody watches.
pub struct Unwatched;

impl Monitor for Unwatched {
    fn walked(&self, _work: &Work, _walked: &Walked) {}
}

/// Counts while a walk goes on.
#[derive(Default)]
pub(super) struct Meter {
    decisions: Mutex<Counts>,
    throttled: AtomicU64,
}

impl Meter {
    pub fn committed(&self, decisions: &Counts) {
        self.decisions.lock().unwrap_or_else(PoisonError::into_inner).merge(decisions);
    }

    pub fn throttled(&self, mails: usize) {
        self.throttled.fetch_add(u64::try_from(mails).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    pub fn read(&self, took: Duration) -> Walked {
        Walked {
            decisions: self.decisions.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            throttled: self.throttled.load(Ordering::Relaxed),
            took,
        }
    }
}
