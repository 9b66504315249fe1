//! Pages, claims and commits.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use germane::{
    domain::{
        id::{ClaimId, RecipientId, Shard},
        recipient::Recipient,
    },
    flow::{
        ledger::{Chunk, Progress},
        port::PortError,
        queue::Work,
        send::{
            Sender,
            claim::{Claims, SendsWrite, Written},
            lease::{Committed, Left, Purpose, Shards, TakeOver},
            reader::{Page, Pages},
        },
    },
};
use jiff::Timestamp;

use super::{Act, Gate, down};

struct FaultyPages {
    inner: Arc<dyn Pages>,
    people: usize,
    fails: Option<usize>,
    then: Act,
    calls: AtomicUsize,
}

/// Lets something happen between the reading of a page and what follows from it.
pub fn after_page(sender: &mut Sender, then: Act) {
    pages_of(sender, usize::MAX, None, then);
}

/// Pages of so many `people`, of which the reading of one `fails`.
pub fn pages_of(sender: &mut Sender, people: usize, fails: Option<usize>, then: Act) {
    let inner = Arc::clone(&sender.pages);
    sender.pages = Arc::new(FaultyPages { inner, people, fails, then, calls: AtomicUsize::new(0) });
}

#[async_trait]
impl Pages for FaultyPages {
    async fn page(&self, shard: Shard, after: Option<&RecipientId>, consistent: bool) -> Result<Page, PortError> {
        let call = self.calls.fetch_add(1, Ordering::Relaxed);
        if self.fails == Some(call) {
            return Err(down());
        }
        let mut page = self.inner.page(shard, after, consistent).await?;
        page.more |= page.recipients.len() > self.people;
        page.recipients.truncate(self.people);
        (self.then)(call).await;
        Ok(page)
    }

    async fn listed(&self, shard: Shard, ids: &[RecipientId], consistent: bool) -> Result<Vec<Recipient>, PortError> {
        self.inner.listed(shard, ids, consistent).await
    }
}

/// What becomes of a call that claims or gives back.
pub enum Write {
    Pass,
    /// It happens, and the answer is lost.
    AndFail,
    /// It does not happen.
    Fail,
    /// DynamoDB throttles each of them.
    Busy,
    /// It happens, and the answer does not come.
    AndHang,
}

struct FaultyClaims<R> {
    inner: Arc<dyn Claims>,
    rule: R,
    then: Act,
    calls: AtomicUsize,
    gate: Arc<Gate>,
}

/// Lets `rule` decide on each call; `then` happens after it and before its answer.
pub fn claim_by<R>(sender: &mut Sender, rule: R, then: Act) -> Arc<Gate>
where
    R: Fn(usize) -> Write + Send + Sync + 'static,
{
    let gate = Gate::new();
    let inner = Arc::clone(&sender.claims);
    sender.claims = Arc::new(FaultyClaims { inner, rule, then, calls: AtomicUsize::new(0), gate: gate.clone() });
    gate
}

#[async_trait]
impl<R: Fn(usize) -> Write + Send + Sync> Claims for FaultyClaims<R> {
    async fn write(&self, writes: &[SendsWrite]) -> Result<Vec<Written>, PortError> {
        let call = self.calls.fetch_add(1, Ordering::Relaxed);
        let answer = match (self.rule)(call) {
            Write::Pass => self.inner.write(writes).await,
            Write::AndFail => self.inner.write(writes).await.and(Err(down())),
            Write::Fail => Err(down()),
            Write::Busy => Ok(vec![Written::Busy; writes.len()]),
            Write::AndHang => {
                let written = self.inner.write(writes).await;
                self.gate.pass().await;
                written
            }
        };
        (self.then)(call).await;
        answer
    }
}

/// What becomes of a commit.
pub enum Commit {
    Pass,
    AndFail,
    Fail,
    Hang,
    AndHang,
}

struct FaultyShards<R> {
    inner: Arc<dyn Shards>,
    rule: R,
    then: Act,
    renewals_fail: usize,
    calls: AtomicUsize,
    renewals: AtomicUsize,
    gate: Arc<Gate>,
}

/// Lets `rule` decide on each commit; `then` happens after one that was made, and the first renewals fail.
pub fn commit_by<R>(sender: &mut Sender, rule: R, then: Act, renewals_fail: usize) -> Arc<Gate>
where
    R: Fn(usize) -> Commit + Send + Sync + 'static,
{
    let gate = Gate::new();
    let inner = Arc::clone(&sender.shard_items);
    let (calls, renewals) = (AtomicUsize::new(0), AtomicUsize::new(0));
    sender.shard_items =
        Arc::new(FaultyShards { inner, rule, then, renewals_fail, calls, renewals, gate: gate.clone() });
    gate
}

#[async_trait]
impl<R: Fn(usize) -> Commit + Send + Sync> Shards for FaultyShards<R> {
    async fn take_over(
        &self,
        work: &Work,
        purpose: Purpose,
        owner: ClaimId,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<TakeOver, PortError> {
        self.inner.take_over(work, purpose, owner, now, until).await
    }

    async fn renew(&self, work: &Work, epoch: u64, until: Timestamp) -> Result<Committed, PortError> {
        if self.renewals.fetch_add(1, Ordering::Relaxed) < self.renewals_fail {
            return Err(down());
        }
        self.inner.renew(work, epoch, until).await
    }

    async fn commit(
        &self,
        work: &Work,
        epoch: u64,
        chunk: &Chunk,
        progress: &Progress,
    ) -> Result<Committed, PortError> {
        let call = self.calls.fetch_add(1, Ordering::Relaxed);
        match (self.rule)(call) {
            Commit::Pass => {
                let committed = self.inner.commit(work, epoch, chunk, progress).await;
                (self.then)(call).await;
                committed
            }
            Commit::AndFail => self.inner.commit(work, epoch, chunk, progress).await.and(Err(down())),
            Commit::Fail => Err(down()),
            Commit::Hang => {
                self.gate.pass().await;
                self.inner.commit(work, epoch, chunk, progress).await
            }
            Commit::AndHang => {
                let committed = self.inner.commit(work, epoch, chunk, progress).await;
                (self.then)(call).await;
                self.gate.pass().await;
                committed
            }
        }
    }

    async fn leave(&self, work: &Work, epoch: u64, left: Left) -> Result<Committed, PortError> {
        self.inner.leave(work, epoch, left).await
    }
}
