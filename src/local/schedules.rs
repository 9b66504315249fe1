//! A stand-in for the few calls of EventBridge Scheduler that are used: schedules that put a message on a queue, once,
//! and are deleted by it, or by a cron. Spoken to by the real SDK over loopback HTTP.
//!
//! It works in memory, and in the store of its queues where they have one: the message of a schedule that fires and what
//! becomes of the schedule are one change. Nothing here waits: whoever hosts it calls [`Schedules::fire_due`] at
//! [`Schedules::next_due`], and again when something has changed.

mod definition;
mod http;
mod refusal;
mod table;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::Router;
use jiff::Timestamp;
use rusqlite::Connection;
use tokio::sync::watch;

use super::{
    sqs::{Queues, QueuesError},
    store::StoreError,
};
use definition::Schedule;

/// The group of a schedule that names none; it is always there.
const DEFAULT_GROUP: &str = "default";

/// The schedules of one account; clones share them.
#[derive(Clone)]
pub struct Schedules(Arc<Shared>);

struct Shared {
    groups: BTreeSet<String>,
    queues: Queues,
    state: Mutex<BTreeMap<Key, Schedule>>,
    /// Counts the moments at which the next schedule may be another one, or due.
    changes: watch::Sender<u64>,
}

/// What names a schedule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    group: String,
    name: String,
}

impl Schedules {
    /// Schedules in these groups and the default one, which put messages on these queues. They use the queues' clock and
    /// their store: with one, they are as they were when the process before ended, however it ended.
    pub fn open(groups: &[&str], queues: &Queues) -> Result<Self, StoreError> {
        let kept = queues.store().map_or_else(|| Ok(BTreeMap::new()), |store| store.transact(table::read))?;
        let groups = groups.iter().chain(&[DEFAULT_GROUP]).map(|group| (*group).to_owned()).collect();
        let (queues, state) = (queues.clone(), Mutex::new(kept));
        Ok(Self(Arc::new(Shared { groups, queues, state, changes: watch::Sender::new(0) })))
    }

    /// The HTTP API: `/schedules/{name}`.
    pub fn router(&self) -> Router {
        http::router(self.clone())
    }

    /// Sends the message of each schedule that is due, the earliest first, and says how many; one that recurs may be due
    /// more than once. One that cannot be sent stays and keeps none of the others from being sent; the first failure is
    /// reported, and after a while it may be tried again.
    pub fn fire_due(&self) -> Result<usize, QueuesError> {
        let mut state = self.state();
        let now = self.0.queues.now();
        let (mut fired, mut failure, mut stuck) = (0, None, BTreeSet::new());
        loop {
            let due = state.iter().filter(|(key, schedule)| schedule.due <= now && !stuck.contains(*key));
            let next = due.min_by_key(|(key, schedule)| (schedule.due, *key));
            let Some((key, schedule)) = next.map(|(key, schedule)| (key.clone(), schedule.clone())) else { break };
            let afterwards = schedule.afterwards();
            let then = |connection: &Connection| match &afterwards {
                Some(schedule) => table::put(connection, &key, schedule),
                None => table::remove(connection, &key),
            };
            match self.0.queues.send_with(&schedule.queue, schedule.input(), Duration::ZERO, then) {
                Ok(_) => {
                    fired += 1;
                    match afterwards {
                        Some(schedule) => drop(state.insert(key, schedule)),
                        None => drop(state.remove(&key)),
                    }
                }
                Err(error) => {
                    failure = failure.or(Some(error));
                    stuck.insert(key);
                }
            }
        }
        failure.map_or(Ok(fired), Err)
    }

    /// When the next schedule is due; in the past if it already is.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.state().values().map(|schedule| schedule.due).min()
    }

    /// A wait that ends when a schedule was made, moved or deleted, or the clock was moved. Taken before looking, it
    /// misses nothing: `changed().await` returns at once for what happened meanwhile.
    pub fn changed(&self) -> watch::Receiver<u64> {
        self.0.changes.subscribe()
    }

    /// Wakes whoever waits; for the one who moves the clock.
    pub fn wake(&self) {
        self.0.changes.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Does this to the store, if there is one.
    fn keep(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<()>) -> Result<(), StoreError> {
        self.0.queues.store().map_or(Ok(()), |store| store.transact(work))
    }

    fn state(&self) -> MutexGuard<'_, BTreeMap<Key, Schedule>> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
