//! One walk under one lease: reading, settling and committing at the same time, and how it stops.

use std::time::Duration;

use futures_util::{FutureExt, StreamExt, future::BoxFuture, stream::FuturesOrdered};
use jiff::Timestamp;
use tracing::warn;

use super::{
    AT_WORK, SendError, Sender,
    lease::{Committed, Lease, Left, Purpose},
    monitor::Meter,
    reader::{Reader, Slice},
    settle::{Settled, settle},
    stop::{Stop, Stopped},
    watch::watch,
};
use crate::{
    domain::{
        campaign::Campaign,
        decision::{Outcome, Reason},
        id::ClaimId,
        recipient::Recipient,
        report::{CampaignStatus, Counts, StatusCode, StatusDetail},
    },
    flow::{
        launch::{Move, Pinned},
        ledger::{Chunk, Entry, Progress, wake},
        pace::Tempo,
        port::PortError,
        queue::{Message, Turn, Work},
        schedule::ScheduleName,
        template::{Compiled, Shared},
    },
};

/// At most so many batches are on their way or answered but not committed.
const MAX_OPEN: usize = 64;
/// A commit waits for so many entries, or for a second.
const COMMIT_ENTRIES: usize = 1_000;
/// Nobody is read while so many entries wait for the commit before them: a worker's memory is that of its walks.
const MAX_ENTRIES: usize = 2 * COMMIT_ENTRIES;
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
    pub turn: &'a dyn Turn,
    pub purpose: Purpose,
    pub campaign: Campaign,
    pub pinned: Pinned,
    pub template: Compiled,
    pub ses_template: String,
    pub shared: Shared,
    pub claim: ClaimId,
    pub lease: Lease,
    /// Whether nobody beyond the cursor was claimed when the shard was taken.
    pub drained: bool,
    pub tempo: Tempo,
    pub stop: Stop,
    pub meter: Meter,
}

/// Where a walk ended, with the shard left in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// Everybody whose turn it was in this pass is decided.
    Through,
    /// The worker's turn was over.
    TurnOver,
    /// The campaign waits, was paused or has ended.
    Stopped,
}

impl Run<'_> {
    /// Walks on from where the shard stands, and leaves it.
    pub async fn walk(&self, mut progress: Progress) -> Result<Ended, SendError> {
        let depth = self.tempo.depth.min(self.ports.max_in_flight).clamp(1, MAX_OPEN);
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
        let mut watch = watch(self).boxed();
        loop {
            let stopping = self.stop.get().is_some();
            let entries: usize = answered.iter().map(|slice| slice.entries.len()).sum();
            // A walk that stops asks the reader once more, which then says that it is through.
            let room =
                stopping || (open.len() < depth && open.len() + answered.len() < MAX_OPEN && entries < MAX_ENTRIES);
            if let Some(idle) = reader.take_if(|_| reading.is_none() && room) {
                reading = Some(read(idle).boxed());
            }
            let through = reader.is_none() && reading.is_none() && open.is_empty();
            if stopping && through {
                leave_untouched(&mut answered);
            }
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
                // Not at random, so that the same seed gives a simulator the same walk.
                biased;
                committed = pending(&mut commit), if commit.is_some() => {
                    commit = None;
                    match committed {
                        Ok(committed) => progress = committed,
                        Err(error) => {
                            self.stop.set(Stopped::Failed(Reason::Stopped));
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
                    Ok(slice) => answered.push(slice),
                    Err(error) => {
                        self.stop.set(Stopped::Failed(Reason::Stopped));
                        broken = true;
                        failed = failed.or(Some(error));
                    }
                },
                () = &mut wait, if !due => due = true,
                error = &mut watch => {
                    self.stop.set(Stopped::Failed(Reason::Stopped));
                    broken |= matches!(error, SendError::Fenced);
                    failed = failed.or(Some(error));
                    watch = std::future::pending().boxed();
                }
            }
        }
        self.leave(&progress, failed, broken).await
    }

    /// Gives the shard back. `failed` is why it goes back to its queue; `broken` says that not everybody who was claimed
    /// is committed.
    async fn leave(
        &self,
        progress: &Progress,
        mut failed: Option<SendError>,
        broken: bool,
    ) -> Result<Ended, SendError> {
        let ended = match self.stop.get() {
            None => Ended::Through,
            Some(Stopped::TurnOver) => Ended::TurnOver,
            Some(Stopped::Campaign(_) | Stopped::NoRoom) => Ended::Stopped,
            Some(Stopped::Failed(_)) => {
                failed = failed.or(Some(SendError::MailerDown));
                Ended::Stopped
            }
        };
        let left = match &failed {
            None => self.leave_in_order(ended, progress).await,
            // The lease is given back all the same, so that nobody has to wait for its end.
            Some(_) => self.ports.shard_items.leave(self.work, self.lease.epoch, self.unfinished(broken)).await,
        };
        match (failed, left) {
            (Some(error), _) => Err(error),
            (None, Err(error)) => Err(error.into()),
            (None, Ok(Committed::Fenced)) => Err(SendError::Fenced),
            (None, Ok(Committed::Done)) => Ok(ended),
        }
    }

    async fn leave_in_order(&self, ended: Ended, progress: &Progress) -> Result<Committed, PortError> {
        let left = match (ended, self.purpose, progress.next) {
            (Ended::TurnOver | Ended::Stopped, ..) => self.unfinished(false),
            (Ended::Through, Purpose::Sweep, _) => Left::Unfinished,
            (Ended::Through, Purpose::Walk, None) => Left::Done,
            (Ended::Through, Purpose::Walk, Some(until)) => {
                // The wake first: once the pass is marked as through, nothing else would begin the next one.
                let work = Work { pass: self.work.pass + 1, ..self.work.clone() };
                self.ports.wake(&work, until).await?;
                Left::Asleep { until }
            }
        };
        self.ports.shard_items.leave(self.work, self.lease.epoch, left).await
    }

    /// Whom a worker that is gone had claimed is found only by reading on to the end.
    fn unfinished(&self, broken: bool) -> Left {
        if self.drained && !broken { Left::Unfinished } else { Left::Undrained }
    }

    async fn commit(&self, settled: Vec<Settled>, before: Progress) -> Result<Progress, SendError> {
        let Progress { mut counts, mut next, .. } = before.clone();
        let mut entries = Vec::new();
        let mut decisions = Counts::default();
        let mut last = None;
        for slice in settled {
            last = Some(slice.last);
            counts.subtract(&slice.replaced);
            entries.extend(slice.entries);
        }
        for entry in &entries {
            decisions.add(&entry.outcome);
            next = entry.due().map(|due| wake(next, due)).or(next);
        }
        let Some(last) = last else { return Ok(before) };
        counts.merge(&decisions);
        let (start, forget_at) = (before.cursor.clone(), self.pinned.forget_at);
        let chunk = Chunk { start, last: last.clone(), entries, forget_at };
        let progress = Progress { cursor: Some(last), counts, next, ..before };
        for attempt in 0..COMMIT_TRIES {
            match self.ports.shard_items.commit(self.work, self.lease.epoch, &chunk, &progress).await {
                Ok(Committed::Done) => {
                    self.meter.committed(&decisions);
                    return Ok(progress);
                }
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

    /// Whether what begins now and takes up to `span` ends within the lease.
    pub fn check_lease(&self, span: Duration) -> Result<(), SendError> {
        if self.lease.outlasts(span, self.ports.clock.as_ref()) { Ok(()) } else { Err(SendError::LeaseEnds) }
    }

    /// Returns `lead` before `moment`, or at once if that has passed.
    pub async fn wait_until(&self, moment: Timestamp, lead: Duration) {
        let left = Duration::try_from(moment.duration_since(self.ports.clock.now())).unwrap_or_default();
        if let Some(wait) = left.checked_sub(lead).filter(|wait| !wait.is_zero()) {
            self.ports.clock.sleep(wait).await;
        }
    }

    /// Stops this walk and the campaign with it.
    pub async fn halt(&self, stopped: Stopped, halt: &Move) {
        if !self.stop.set(stopped) {
            return;
        }
        match self.ports.campaigns.advance(&self.campaign.id, &AT_WORK, halt).await {
            Ok(true) => {
                let why = halt.detail.as_ref().map_or("its time is over", |detail| &detail.message);
                warn!(campaign = %self.campaign.id, status = %halt.to, why, "halted");
            }
            // Another shard met the same answer.
            Ok(false) => {}
            // The other shards meet the same answer and try it themselves.
            Err(error) => warn!(campaign = %self.campaign.id, %error, "the campaign's status could not be moved"),
        }
    }

    /// Stops this walk, and has the campaign wait until its daily quota has room.
    pub async fn wait_for_quota(&self, until: Timestamp, stopped: Stopped) -> Result<(), PortError> {
        let id = &self.campaign.id;
        // The wake first: a campaign that waits without one would wait for ever.
        let launch = Message::Launch { campaign: id.clone() };
        self.ports.scheduler.once(&ScheduleName::quota(id), until, &launch).await?;
        let message = "the account's daily quota is used up".to_owned();
        let detail = StatusDetail::new(StatusCode::Quota, message).until(until);
        let waiting = Move { to: CampaignStatus::WaitingForQuota, detail: Some(detail), pinned: None };
        self.halt(stopped, &waiting).await;
        Ok(())
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
