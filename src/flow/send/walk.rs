//! One walk under one lease: reading, settling and committing at the same time, and how it stops.

use std::{sync::OnceLock, time::Duration};

use futures_util::{FutureExt, StreamExt, future::BoxFuture, stream::FuturesOrdered};
use jiff::Timestamp;
use tracing::warn;

use super::{
    SendError, Sender,
    lease::{Committed, Lease, RENEW_AGAIN, RENEW_EVERY, lease_end},
    reader::{Reader, Slice},
    settle::{Settled, settle},
};
use crate::{
    domain::{
        campaign::Campaign,
        decision::{Outcome, Reason},
        id::ClaimId,
        recipient::Recipient,
        report::CampaignStatus,
    },
    flow::{
        launch::{Move, Pinned},
        ledger::{Chunk, Entry, Progress},
        port::PortError,
        queue::Work,
        template::{Compiled, Shared},
    },
};

/// At most so many batches are on their way or answered but not committed.
const MAX_OPEN: usize = 64;
/// A commit waits for so many entries, or for a second.
const COMMIT_ENTRIES: usize = 1_000;
const COMMIT_WAIT: Duration = Duration::from_secs(1);
/// A chunk holds at most about so many entries, well below the 400 KB of an item.
const CHUNK_ENTRIES: usize = 3_000;
/// A commit that failed is repeated unchanged so often, and first after so long.
const COMMIT_TRIES: u32 = 5;
const COMMIT_BACK_OFF: Duration = Duration::from_millis(200);

/// One walk under one lease.
pub(super) struct Run<'a> {
    pub ports: &'a Sender,
    pub work: &'a Work,
    pub campaign: Campaign,
    pub pinned: Pinned,
    pub template: Compiled,
    pub ses_template: String,
    pub shared: Shared,
    pub claim: ClaimId,
    pub lease: Lease,
    pub batch: usize,
    /// Why nobody is mailed any more, once that is so.
    pub stopped: OnceLock<Reason>,
}

impl Run<'_> {
    /// Walks on from where the shard stands; true if it was walked to its end.
    pub async fn walk(&self, mut progress: Progress) -> Result<bool, SendError> {
        let depth = self.ports.in_flight.clamp(1, MAX_OPEN);
        let mut reader = Some(Reader::new(self, progress.cursor.clone()));
        let mut reading: Option<BoxFuture<'_, Read<'_>>> = None;
        let mut open: FuturesOrdered<BoxFuture<'_, Result<Settled, SendError>>> = FuturesOrdered::new();
        let mut answered: Vec<Settled> = Vec::new();
        let mut commit: Option<BoxFuture<'_, Result<Progress, SendError>>> = None;
        let mut failed: Option<SendError> = None;
        // What comes after a failure cannot be committed: the cursor may not jump over it.
        let mut broken = false;
        let mut due = false;
        let mut wait = self.ports.clock.sleep(COMMIT_WAIT);
        let mut renewal = self.renew_in(RENEW_EVERY);
        loop {
            let room = open.len() < depth && open.len() + answered.len() < MAX_OPEN;
            if let Some(idle) = reader.take_if(|_| reading.is_none() && room) {
                reading = Some(read(idle).boxed());
            }
            let through = reader.is_none() && reading.is_none() && open.is_empty();
            let stopping = self.stopped().is_some();
            if stopping && through {
                leave_untouched(&mut answered);
            }
            let entries: usize = answered.iter().map(|slice| slice.entries.len()).sum();
            let wanted = through || (!stopping && (due || entries >= COMMIT_ENTRIES));
            if commit.is_none() && !answered.is_empty() && wanted {
                commit = Some(self.commit(take_chunk(&mut answered), progress.clone()).boxed());
                due = false;
                wait = self.ports.clock.sleep(COMMIT_WAIT);
            }
            if through && commit.is_none() {
                break;
            }
            tokio::select! {
                committed = pending(&mut commit), if commit.is_some() => {
                    commit = None;
                    match committed {
                        Ok(committed) => progress = committed,
                        Err(error) => {
                            self.stop(Reason::Stopped);
                            answered.clear();
                            broken = true;
                            failed = failed.or(Some(error));
                        }
                    }
                }
                (idle, slice) = pending(&mut reading), if reading.is_some() => {
                    reading = None;
                    match slice {
                        Ok(Some(slice)) => {
                            open.push_back(settle(self, slice).boxed());
                            reader = Some(idle);
                        }
                        Ok(None) => {}
                        // Everybody read before is finished and committed.
                        Err(error) => failed = failed.or(Some(error)),
                    }
                }
                Some(slice) = open.next(), if !open.is_empty() => match slice {
                    Ok(_) if broken => {}
                    Ok(slice) => {
                        if slice.mailer_down {
                            self.stop(Reason::Throttled);
                            failed = failed.or(Some(SendError::MailerDown));
                        }
                        answered.push(slice);
                    }
                    Err(error) => {
                        self.stop(Reason::Stopped);
                        broken = true;
                        failed = failed.or(Some(error));
                    }
                },
                () = &mut wait, if !due => due = true,
                renewed = &mut renewal => match renewed {
                    Ok(Committed::Done) => renewal = self.renew_in(RENEW_EVERY),
                    Ok(Committed::Fenced) => {
                        self.lease.lost();
                        self.stop(Reason::Stopped);
                        broken = true;
                        failed = failed.or(Some(SendError::Fenced));
                        renewal = std::future::pending().boxed();
                    }
                    // Claims and calls end with the lease; until then there is time to try again.
                    Err(error) => {
                        warn!(campaign = %self.campaign.id, %error, "a lease could not be renewed yet");
                        renewal = self.renew_in(RENEW_AGAIN);
                    }
                }
            }
        }
        let done = failed.is_none() && self.stopped().is_none();
        let left = self.ports.shard_items.leave(self.work, self.lease.epoch, done).await;
        match (failed, left) {
            (Some(error), _) => Err(error),
            (None, Err(error)) => Err(error.into()),
            (None, Ok(Committed::Fenced)) => Err(SendError::Fenced),
            (None, Ok(Committed::Done)) => Ok(done),
        }
    }

    async fn commit(&self, settled: Vec<Settled>, before: Progress) -> Result<Progress, SendError> {
        let mut counts = before.counts;
        let mut entries = Vec::new();
        let mut last = None;
        for slice in settled {
            last = Some(slice.last);
            entries.extend(slice.entries);
        }
        for entry in &entries {
            counts.add(&entry.outcome);
        }
        let Some(last) = last else {
            return Ok(Progress { counts, ..before });
        };
        let progress = Progress { cursor: Some(last.clone()), counts, done: false };
        let chunk = Chunk { start: before.cursor, last, entries };
        for attempt in 0..COMMIT_TRIES {
            match self.ports.shard_items.commit(self.work, self.lease.epoch, &chunk, &progress).await {
                Ok(Committed::Done) => return Ok(progress),
                Ok(Committed::Fenced) => {
                    self.lease.lost();
                    break;
                }
                Err(error) if attempt + 1 == COMMIT_TRIES => return Err(error.into()),
                // It may have happened: repeated unchanged, it recognises itself.
                Err(error) => warn!(campaign = %self.campaign.id, %error, "a commit is repeated"),
            }
            self.ports.clock.sleep(COMMIT_BACK_OFF * 2_u32.pow(attempt)).await;
        }
        Err(SendError::Fenced)
    }

    fn renew_in(&self, wait: Duration) -> BoxFuture<'_, Result<Committed, PortError>> {
        async move {
            self.ports.clock.sleep(wait).await;
            let asked = self.ports.clock.monotonic();
            let until = lease_end(self.ports.clock.now());
            let renewed = self.ports.shard_items.renew(self.work, self.lease.epoch, until).await?;
            if renewed == Committed::Done {
                self.lease.renewed(asked);
            }
            Ok(renewed)
        }
        .boxed()
    }

    /// Whether what begins now and takes up to `span` ends within the lease.
    pub fn check_lease(&self, span: Duration) -> Result<(), SendError> {
        if self.lease.outlasts(span, self.ports.clock.as_ref()) { Ok(()) } else { Err(SendError::LeaseEnds) }
    }

    /// Hands out no more people and begins no more calls; what is on its way is finished and committed.
    pub fn stop(&self, reason: Reason) {
        // The first reason stays.
        let _ = self.stopped.set(reason);
    }

    pub fn stopped(&self) -> Option<&Reason> {
        self.stopped.get()
    }

    /// Stops this walk and the campaign with it.
    pub async fn halt(&self, reason: Reason, halt: Move) {
        if self.stopped.set(reason).is_err() {
            return;
        }
        warn!(campaign = %self.campaign.id, status = %halt.to, detail = ?halt.detail, "halted");
        // If this fails the other shards meet the same answer and try it themselves.
        if let Err(error) = self.ports.campaigns.advance(&self.campaign.id, &[CampaignStatus::Sending], &halt).await {
            warn!(campaign = %self.campaign.id, %error, "the campaign's status could not be moved");
        }
    }
}

pub(super) fn entry(recipient: &Recipient, outcome: Outcome, policy_version: u32, decided_at: Timestamp) -> Entry {
    Entry { reference: recipient.reference, outcome, decided_at, policy_version }
}

/// Slices at the end in which nobody was mailed stay beyond the cursor, whole for whoever goes on.
fn leave_untouched(answered: &mut Vec<Settled>) {
    while answered.last().is_some_and(|slice| slice.put_off) {
        answered.pop();
    }
}

/// The answered slices that fit one chunk, oldest first.
fn take_chunk(answered: &mut Vec<Settled>) -> Vec<Settled> {
    let mut entries = 0;
    let fit = answered.iter().take_while(|slice| {
        let fits = entries == 0 || entries + slice.entries.len() <= CHUNK_ENTRIES;
        entries += slice.entries.len();
        fits
    });
    let fit = fit.count();
    answered.drain(..fit).collect()
}

/// A reader after its work, and what it read.
type Read<'a> = (Reader<'a>, Result<Option<Slice>, SendError>);

async fn read(mut reader: Reader<'_>) -> Read<'_> {
    let slice = reader.next().await;
    (reader, slice)
}

/// The end of what is under way; never, if nothing is.
async fn pending<T>(under_way: &mut Option<BoxFuture<'_, T>>) -> T {
    match under_way {
        Some(future) => future.await,
        None => std::future::pending().await,
    }
}
