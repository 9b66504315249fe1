//! A stand-in for SQS standard queues, spoken to by the real SDK over loopback HTTP and by pollers in the same
//! process. A message that is received and not deleted in time comes back, as often as it takes.
//!
//! Time comes from the clock alone. The one exception is how long an answer to a long poll is held back, which is a
//! matter of the connection and therefore real.

mod http;
mod queue;
mod refusal;
mod wire;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::Router;
use jiff::{SignedDuration, Timestamp};
use tokio::{sync::watch, time::timeout};

pub use queue::{Message, Receipt};

use super::Now;
use queue::{NotInFlight, Queue};

/// The queues of one account; clones share them.
#[derive(Clone)]
pub struct Queues(Arc<Shared>);

struct Shared {
    now: Now,
    state: Mutex<State>,
    /// Counts the moments at which something may have become visible.
    changes: watch::Sender<u64>,
}

struct State {
    queues: BTreeMap<String, Queue>,
    /// The number of the next message, over all queues, so that a receipt never fits in another queue.
    next: u64,
}

/// How a reader wants its messages.
struct Order {
    max: usize,
    /// `None`: as long as the queue says.
    visibility: Option<SignedDuration>,
}

impl Queues {
    /// Empty queues of these names, with a visibility timeout of 60 seconds.
    pub fn new(names: &[&str], now: Now) -> Self {
        let queues = names.iter().map(|name| ((*name).to_owned(), Queue::default())).collect();
        let state = Mutex::new(State { queues, next: 0 });
        Self(Arc::new(Shared { now, state, changes: watch::Sender::new(0) }))
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

    /// The id of the new message; `None` if there is no such queue.
    pub fn send(&self, queue: &str, body: impl Into<Arc<str>>, delay: Duration) -> Option<String> {
        let id = self.with(queue, |queue, now, next| queue.send(next, body.into(), now, span(delay)))?;
        self.wake();
        Some(id)
    }

    /// Up to `max` visible messages, hidden from now on; none if there is no such queue.
    pub fn receive(&self, queue: &str, max: usize) -> Vec<Message> {
        self.look(queue, &Order { max, visibility: None }).unwrap_or_default()
    }

    /// Done with it. A receipt older than the message's latest one deletes nothing, as at SQS.
    pub fn delete(&self, queue: &str, receipt: &Receipt) {
        self.with(queue, |queue, _, _| queue.delete(receipt));
    }

    /// Gives a message back, to be visible again `after` this time. Nothing happens if it already is.
    pub fn release(&self, queue: &str, receipt: &Receipt, after: Duration) {
        self.hide(queue, receipt, span(after));
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
        let now = (self.0.now)();
        state.queues.values().filter_map(|queue| queue.next_due(now)).min()
    }

    /// Messages not yet deleted: visible, delayed and received ones.
    pub fn depth(&self, queue: &str) -> usize {
        self.state().queues.get(queue).map_or(0, Queue::depth)
    }

    fn look(&self, queue: &str, order: &Order) -> Option<Vec<Message>> {
        self.with(queue, |queue, now, _| queue.receive(order.max, now, order.visibility))
    }

    /// Waits for messages; empty once nothing came for `patience`.
    async fn wait(&self, queue: &str, order: &Order, patience: Duration) -> Option<Vec<Message>> {
        let found = self.look(queue, order)?;
        if !found.is_empty() || patience.is_zero() {
            return Some(found);
        }
        Some(timeout(patience, self.arrivals(queue, order)).await.unwrap_or_default())
    }

    async fn arrivals(&self, queue: &str, order: &Order) -> Vec<Message> {
        let mut changed = self.changed();
        loop {
            changed.borrow_and_update();
            let found = self.look(queue, order).unwrap_or_default();
            if !found.is_empty() {
                return found;
            }
            let due =
                self.with(queue, |queue, now, _| queue.next_due(now).map(|due| now.duration_until(due))).flatten();
            // Either way the next look decides.
            match due.and_then(|due| Duration::try_from(due).ok()) {
                Some(due) => drop(timeout(due, changed.changed()).await),
                None => drop(changed.changed().await),
            }
        }
    }

    fn hide(&self, queue: &str, receipt: &Receipt, span: SignedDuration) -> Option<Result<(), NotInFlight>> {
        let hidden = self.with(queue, |queue, now, _| queue.hide(receipt, now, span));
        self.wake();
        hidden
    }

    fn with<T>(&self, queue: &str, work: impl FnOnce(&mut Queue, Timestamp, &mut u64) -> T) -> Option<T> {
        let mut state = self.state();
        let State { queues, next } = &mut *state;
        let queue = queues.get_mut(queue)?;
        Some(work(queue, (self.0.now)(), next))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn span(duration: Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}
