//! A stand-in for SQS standard queues, spoken to by the real SDK over loopback HTTP and by pollers in the same
//! process. A message that is received and not deleted in time comes back, as often as it takes.
//!
//! The queues work in memory. Where they have a store, each change is in it before it is answered; a change that cannot
//! be kept does not happen.
//!
//! Time comes from the clock alone. The one exception is how long an answer to a long poll is held back, which is a
//! matter of the connection and therefore real.

mod http;
mod queue;
mod refusal;
mod table;
mod wire;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::Router;
use jiff::{SignedDuration, Timestamp};
use rusqlite::Connection;
use tokio::{sync::watch, time::timeout};
use tracing::warn;

pub use queue::{Message, Receipt};

use super::{
    Now,
    store::{Store, StoreError},
};
use queue::{Change, NotInFlight, Queue, Redrive};

/// Where the queues are, as far as their names say.
pub const REGION: &str = "eu-west-1";
const ACCOUNT: &str = "000000000000";
const ARN: &str = "arn:aws:sqs:eu-west-1:000000000000:";

/// The queues of one account; clones share them.
#[derive(Clone)]
pub struct Queues(Arc<Shared>);

struct Shared {
    now: Now,
    store: Option<Store>,
    state: Mutex<State>,
    /// Counts the moments at which something may have become visible.
    changes: watch::Sender<u64>,
}

struct State {
    queues: BTreeMap<String, Queue>,
    /// The number of the next message, over all queues, so that a receipt never fits in another queue.
    next: u64,
}

/// Nothing has happened.
#[derive(Debug, thiserror::Error)]
pub enum QueuesError {
    #[error("there is no queue {0}")]
    NoQueue(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// How a reader wants its messages.
struct Order {
    max: usize,
    /// `None`: as long as the queue says.
    visibility: Option<SignedDuration>,
}

impl Queues {
    /// Empty queues of these names in memory alone, with a visibility timeout of 60 seconds.
    pub fn new(names: &[&str], now: Now) -> Self {
        Self::of(State { queues: named(names), next: 0 }, now, None)
    }

    /// Queues of these names as they were when the process before ended, however it ended: what somebody had received
    /// is visible at once, with its count, and what was delayed keeps its time.
    pub fn open(names: &[&str], now: Now, store: Store) -> Result<Self, StoreError> {
        let (kept, next) = store.transact(table::read)?;
        let mut queues = named(names);
        let start = now();
        for message in kept {
            // A queue that has no name any more stays in the store.
            if let Some(queue) = queues.get_mut(&message.queue) {
                queue.restore(message.number, message.held, start);
            }
        }
        Ok(Self::of(State { queues, next }, now, Some(store)))
    }

    fn of(state: State, now: Now, store: Option<Store>) -> Self {
        Self(Arc::new(Shared { now, store, state: Mutex::new(state), changes: watch::Sender::new(0) }))
    }

    /// The HTTP API: `POST /`, and `POST` on a queue's own URL.
    pub fn router(&self) -> Router {
        http::router(self.clone())
    }

    /// For how long a message of this queue is hidden once it is received.
    pub fn set_visibility(&self, queue: &str, timeout: Duration) {
        if let Some(queue) = self.state().queues.get_mut(queue) {
            queue.visibility = span(timeout);
        }
    }

    /// A message that was received so often, and is asked for again, goes to the queue of its dead letters.
    pub fn set_dead_letters(&self, queue: &str, to: &str, max_receives: u32) {
        if let Some(queue) = self.state().queues.get_mut(queue) {
            queue.redrive = Some(Redrive { max_receives, to: to.to_owned() });
        }
    }

    /// The id of the new message.
    pub fn send(&self, queue: &str, body: impl Into<Arc<str>>, delay: Duration) -> Result<String, QueuesError> {
        self.send_with(queue, body.into(), delay, |_| Ok(()))
    }

    /// The ids of the new messages, in their order.
    pub fn send_many(&self, queue: &str, bodies: impl IntoIterator<Item = String>) -> Result<Vec<String>, QueuesError> {
        self.send_all(queue, bodies.into_iter().map(|body| (Arc::from(body), Duration::ZERO)))
    }

    /// Up to `max` visible messages, hidden from now on.
    pub fn receive(&self, queue: &str, max: usize) -> Result<Vec<Message>, QueuesError> {
        self.look(queue, &Order { max, visibility: None })
    }

    /// Done with it. A receipt older than the message's latest one deletes nothing, as at SQS.
    pub fn delete(&self, queue: &str, receipt: &Receipt) -> Result<(), QueuesError> {
        self.delete_all(queue, std::slice::from_ref(receipt))
    }

    /// Gives a message back, to be visible again `after` this time, or keeps it for so long from now. Nothing happens
    /// if it already is visible.
    pub fn release(&self, queue: &str, receipt: &Receipt, after: Duration) -> Result<(), QueuesError> {
        self.hide(queue, receipt, span(after)).map(drop)
    }

    /// A wait that ends when a message is sent or given back, or the clock was moved. Taken before looking, it misses
    /// nothing: `changed().await` returns at once for what happened meanwhile.
    pub fn changed(&self) -> watch::Receiver<u64> {
        self.0.changes.subscribe()
    }

    /// Wakes whoever waits; for the one who moves the clock.
    pub fn wake(&self) {
        self.0.changes.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// When the next delayed or hidden message of any queue becomes visible.
    pub fn next_due(&self) -> Option<Timestamp> {
        let state = self.state();
        let now = self.now();
        state.queues.values().filter_map(|queue| queue.next_due(now)).min()
    }

    /// Messages not yet deleted: visible, delayed and received ones.
    pub fn depth(&self, queue: &str) -> usize {
        self.state().queues.get(queue).map_or(0, Queue::depth)
    }

    /// Sends a message, and does `also` in the same transaction; without a store there is nothing to be done.
    pub(super) fn send_with(
        &self,
        queue: &str,
        body: Arc<str>,
        delay: Duration,
        also: impl FnOnce(&Connection) -> rusqlite::Result<()>,
    ) -> Result<String, QueuesError> {
        let id = self.change_with(
            queue,
            |_, now, next| {
                let (id, change) = Queue::send(next, body, now, span(delay));
                (id, vec![change])
            },
            also,
        )?;
        self.wake();
        Ok(id)
    }

    pub(super) fn has(&self, queue: &str) -> bool {
        self.state().queues.contains_key(queue)
    }

    pub(super) fn now(&self) -> Timestamp {
        (self.0.now)()
    }

    pub(super) fn store(&self) -> Option<&Store> {
        self.0.store.as_ref()
    }

    /// The ids of the new messages, in their order.
    fn send_all(
        &self,
        queue: &str,
        messages: impl IntoIterator<Item = (Arc<str>, Duration)>,
    ) -> Result<Vec<String>, QueuesError> {
        let ids = self.change(queue, |_, now, next| {
            let numbered = (next..).zip(messages);
            numbered.map(|(number, (body, delay))| Queue::send(number, body, now, span(delay))).unzip()
        })?;
        self.wake();
        Ok(ids)
    }

    fn delete_all(&self, queue: &str, receipts: &[Receipt]) -> Result<(), QueuesError> {
        self.change(queue, |queue, _, _| ((), receipts.iter().filter_map(|receipt| queue.delete(receipt)).collect()))
    }

    fn hide(
        &self,
        queue: &str,
        receipt: &Receipt,
        span: SignedDuration,
    ) -> Result<Result<(), NotInFlight>, QueuesError> {
        let hidden = self.change(queue, |queue, now, _| match queue.hide(receipt, now, span) {
            Ok(change) => (Ok(()), vec![change]),
            Err(error) => (Err(error), Vec::new()),
        })?;
        self.wake();
        Ok(hidden)
    }

    fn look(&self, queue: &str, order: &Order) -> Result<Vec<Message>, QueuesError> {
        while self.bury(queue, order.max)? {}
        self.change(queue, |queue, now, _| queue.receive(order.max, now, order.visibility))
    }

    /// Moves those of the next messages to the dead letters that belong there; whether there were any.
    fn bury(&self, name: &str, max: usize) -> Result<bool, QueuesError> {
        let mut state = self.state();
        let now = self.now();
        let worn = state.queues.get(name).ok_or_else(|| no_queue(name))?.worn_out(max, now);
        let Some((to, worn)) = worn.filter(|(to, _)| state.queues.contains_key(to)) else { return Ok(false) };
        let gone: Vec<Change> = worn.iter().map(|(number, _)| Change::Remove(*number)).collect();
        let ids: Vec<String> = worn.iter().map(|(number, _)| queue::id(*number)).collect();
        let put: Vec<Change> = worn.into_iter().map(|(number, held)| Change::Put(number, held)).collect();
        if let Some(store) = self.store() {
            store.transact(|connection| {
                table::write(connection, name, &gone)?;
                table::write(connection, &to, &put)
            })?;
        }
        for (queue, changes) in [(name, gone), (to.as_str(), put)] {
            if let Some(queue) = state.queues.get_mut(queue) {
                for change in changes {
                    queue.apply(change);
                }
            }
        }
        for id in ids {
            warn!(
                queue = name,
                dead_letters = to,
                message_id = id,
                "a message failed too often and lies with the dead letters"
            );
        }
        Ok(true)
    }

    /// Waits for messages; empty once nothing came for `patience`.
    async fn wait(&self, queue: &str, order: &Order, patience: Duration) -> Result<Vec<Message>, QueuesError> {
        if patience.is_zero() {
            return self.look(queue, order);
        }
        timeout(patience, self.arrivals(queue, order)).await.unwrap_or_else(|_| Ok(Vec::new()))
    }

    async fn arrivals(&self, queue: &str, order: &Order) -> Result<Vec<Message>, QueuesError> {
        let turn = self.with(queue, |queue, _| Arc::clone(&queue.turn))?;
        let _turn = turn.lock().await;
        let mut changed = self.changed();
        loop {
            changed.borrow_and_update();
            let found = self.look(queue, order)?;
            if !found.is_empty() {
                return Ok(found);
            }
            let due = self.with(queue, |queue, now| queue.next_due(now).map(|due| now.duration_until(due)))?;
            // Either way the next look decides.
            match due.and_then(|due| Duration::try_from(due).ok()) {
                Some(due) => drop(timeout(due, changed.changed()).await),
                None => drop(changed.changed().await),
            }
        }
    }

    fn with<T>(&self, queue: &str, look: impl FnOnce(&Queue, Timestamp) -> T) -> Result<T, QueuesError> {
        let state = self.state();
        let held = state.queues.get(queue).ok_or_else(|| no_queue(queue))?;
        Ok(look(held, self.now()))
    }

    /// Plans with the time and the number of the next message, keeps the changes, and applies them.
    fn change<T>(
        &self,
        queue: &str,
        plan: impl FnOnce(&Queue, Timestamp, u64) -> (T, Vec<Change>),
    ) -> Result<T, QueuesError> {
        self.change_with(queue, plan, |_| Ok(()))
    }

    fn change_with<T>(
        &self,
        name: &str,
        plan: impl FnOnce(&Queue, Timestamp, u64) -> (T, Vec<Change>),
        also: impl FnOnce(&Connection) -> rusqlite::Result<()>,
    ) -> Result<T, QueuesError> {
        let mut state = self.state();
        let State { queues, next } = &mut *state;
        let queue = queues.get_mut(name).ok_or_else(|| no_queue(name))?;
        let (answer, changes) = plan(queue, self.now(), *next);
        if let Some(store) = self.store().filter(|_| !changes.is_empty()) {
            store.transact(|connection| {
                table::write(connection, name, &changes)?;
                also(connection)
            })?;
        }
        for change in changes {
            if let Change::Put(number, _) = &change {
                *next = (*next).max(number.saturating_add(1));
            }
            queue.apply(change);
        }
        Ok(answer)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The name by which other services know a queue.
pub fn arn(queue: &str) -> String {
    format!("{ARN}{queue}")
}

/// The queue that an ARN names.
pub(super) fn queue_of(arn: &str) -> Option<&str> {
    arn.strip_prefix(ARN)
}

fn named(names: &[&str]) -> BTreeMap<String, Queue> {
    names.iter().map(|name| ((*name).to_owned(), Queue::default())).collect()
}

fn no_queue(name: &str) -> QueuesError {
    QueuesError::NoQueue(name.to_owned())
}

fn span(duration: Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}
