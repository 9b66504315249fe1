//! One worker at a time walks a shard: the lease, its epoch, and the commit that only its holder can make.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use async_trait::async_trait;
use jiff::Timestamp;

use crate::{
    domain::id::ClaimId,
    flow::{
        clock::Clock,
        ledger::{Chunk, Progress},
        port::PortError,
        queue::Work,
    },
};

/// How long a lease lasts unless it is renewed.
pub const LEASE_S: u64 = 60;
/// How long a worker keeps its message from others with each renewal: the lease ends first, so that whoever gets the
/// message next finds it free.
pub const KEEP: Duration = Duration::from_secs(LEASE_S + 30);
/// How often it is renewed while its holder works.
pub(super) const RENEW_EVERY: Duration = Duration::from_secs(20);
/// How soon a renewal that failed is tried again.
pub(super) const RENEW_AGAIN: Duration = Duration::from_secs(3);
/// How long one SES call may take; the SES client is built with it.
pub const SES_TIMEOUT_S: u64 = 15;
/// What a lease must still have when a claim or an SES call begins: the call, and some slack.
pub(super) const CLAIM_SLACK: Duration = Duration::from_secs(SES_TIMEOUT_S + 5);
/// What it must still have when a slot is given back: one attempt at a write.
pub(super) const GIVE_BACK_SLACK: Duration = Duration::from_secs(5);

/// What a shard is taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To decide on everybody whose turn it is.
    Walk,
    /// To record, after its campaign's end, whom a worker had taken that did not come back.
    Sweep,
}

/// The answer to an attempt to become a shard's worker.
#[derive(Debug, Clone, PartialEq)]
pub enum TakeOver {
    Taken {
        epoch: u64,
        progress: Progress,
        /// Whether it was left in order: nobody beyond the cursor is claimed.
        drained: bool,
    },
    /// Another worker holds it until then.
    Held { until: Timestamp },
    /// Its pass does not begin before then.
    Asleep { until: Timestamp },
    /// It is done, or in a later pass.
    Past,
    /// The pass before is not through yet.
    Ahead,
    /// For a sweep: its last worker left it in order.
    Drained,
    /// No launch has made this shard.
    Missing,
}

/// How a worker leaves a shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Left {
    /// For somebody else to go on; nobody beyond the cursor is claimed.
    Unfinished,
    /// The same, but somebody beyond the cursor may be claimed, by this worker or by one before it.
    Undrained,
    /// Nobody is deferred.
    Done,
    /// The pass is through; the next one begins then.
    Asleep { until: Timestamp },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Committed {
    Done,
    /// Another worker has taken over: nothing more may be written.
    Fenced,
}

#[async_trait]
pub trait Shards: Send + Sync {
    /// Takes the lease for `owner` if it is free at `now`, raising the epoch. Repeating it under the same owner finds
    /// it taken already, which is a success.
    async fn take_over(
        &self,
        work: &Work,
        purpose: Purpose,
        owner: ClaimId,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<TakeOver, PortError>;

    /// Prolongs the lease; `Fenced` if the epoch is no longer ours.
    async fn renew(&self, work: &Work, epoch: u64, until: Timestamp) -> Result<Committed, PortError>;

    /// Writes the chunk, then moves the cursor from `chunk.start` to `progress.cursor`. Repeating a commit that had
    /// happened is a success.
    async fn commit(&self, work: &Work, epoch: u64, chunk: &Chunk, progress: &Progress)
    -> Result<Committed, PortError>;

    /// Gives the lease back. Repeating it is a success.
    async fn leave(&self, work: &Work, epoch: u64, left: Left) -> Result<Committed, PortError>;
}

/// A lease as its holder sees it: counted on a monotonic clock from before it was asked for.
pub(super) struct Lease {
    pub epoch: u64,
    ends_ms: AtomicU64,
}

impl Lease {
    pub fn new(epoch: u64, asked: Duration) -> Self {
        let lease = Self { epoch, ends_ms: AtomicU64::new(0) };
        lease.renewed(asked);
        lease
    }

    pub fn renewed(&self, asked: Duration) {
        let ends = asked + Duration::from_secs(LEASE_S);
        self.ends_ms.store(u64::try_from(ends.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    pub fn lost(&self) {
        self.ends_ms.store(0, Ordering::Relaxed);
    }

    pub fn outlasts(&self, span: Duration, clock: &dyn Clock) -> bool {
        let ends = Duration::from_millis(self.ends_ms.load(Ordering::Relaxed));
        clock.monotonic() + span <= ends
    }
}

pub(super) fn lease_end(now: Timestamp) -> Timestamp {
    now.saturating_add(Duration::from_secs(LEASE_S)).unwrap_or(Timestamp::MAX)
}
