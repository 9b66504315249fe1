//! Answers that are lost: what was asked for happened, and whoever asked does not know.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use async_trait::async_trait;
use germane::{
    domain::{
        id::{ClaimId, NewsletterId},
        newsletter::Recurrence,
    },
    flow::{
        ledger::{Chunk, Progress},
        port::PortError,
        queue::{Message, Work},
        schedule::{ScheduleName, Scheduler},
        send::{
            Sender,
            lease::{Committed, Left, Purpose, Shards, TakeOver},
        },
    },
};
use jiff::Timestamp;

use super::down;

/// Which answer is lost, the first of its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnswerOf {
    TakeOver,
    Commit,
    Leave,
}

struct Forgetful {
    inner: Arc<dyn Shards>,
    answer: AnswerOf,
    lost: AtomicBool,
}

pub fn lose_answer(sender: &mut Sender, answer: AnswerOf) {
    let inner = Arc::clone(&sender.shard_items);
    sender.shard_items = Arc::new(Forgetful { inner, answer, lost: AtomicBool::new(false) });
}

impl Forgetful {
    fn passed_on<T>(&self, of: AnswerOf, answer: Result<T, PortError>) -> Result<T, PortError> {
        if self.answer == of && !self.lost.swap(true, Ordering::Relaxed) { answer.and(Err(down())) } else { answer }
    }
}

#[async_trait]
impl Shards for Forgetful {
    async fn take_over(
        &self,
        work: &Work,
        purpose: Purpose,
        owner: ClaimId,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<TakeOver, PortError> {
        self.passed_on(AnswerOf::TakeOver, self.inner.take_over(work, purpose, owner, now, until).await)
    }

    async fn renew(&self, work: &Work, epoch: u64, until: Timestamp) -> Result<Committed, PortError> {
        self.inner.renew(work, epoch, until).await
    }

    async fn commit(
        &self,
        work: &Work,
        epoch: u64,
        chunk: &Chunk,
        progress: &Progress,
    ) -> Result<Committed, PortError> {
        self.passed_on(AnswerOf::Commit, self.inner.commit(work, epoch, chunk, progress).await)
    }

    async fn leave(&self, work: &Work, epoch: u64, left: Left) -> Result<Committed, PortError> {
        self.passed_on(AnswerOf::Leave, self.inner.leave(work, epoch, left).await)
    }
}

struct FailsOnce {
    inner: Arc<dyn Scheduler>,
    failed: AtomicBool,
}

/// The first wake cannot be made.
pub fn wakes_fail(sender: &mut Sender) {
    let inner = Arc::clone(&sender.scheduler);
    sender.scheduler = Arc::new(FailsOnce { inner, failed: AtomicBool::new(false) });
}

#[async_trait]
impl Scheduler for FailsOnce {
    async fn once(&self, name: &ScheduleName, at: Timestamp, message: &Message) -> Result<(), PortError> {
        if self.failed.swap(true, Ordering::Relaxed) { self.inner.once(name, at, message).await } else { Err(down()) }
    }

    async fn recur(
        &self,
        name: &ScheduleName,
        recurrence: &Recurrence,
        newsletter: &NewsletterId,
    ) -> Result<(), PortError> {
        self.inner.recur(name, recurrence, newsletter).await
    }

    async fn forget(&self, name: &ScheduleName) -> Result<(), PortError> {
        self.inner.forget(name).await
    }
}
