//! What all tables share: the client, the names, the meter, and reading items.
//!
//! Attribute names, short because DynamoDB bills them:
//!
//! | table | name | means |
//! |---|---|---|
//! | recipients | `s`, `i` | shard and id: the key |
//! | | `v`, `p`, `n` | version, profile, sends |
//! | addresses | `h` | keyed hash of the normalised address: the key |
//! | | `o`, `z` | id of its owner; when its owner was erased |
//! | | `u`, `k`, `t`, `w` | why it is unusable; suppression: kind, since when, an operator's note |
//! | | `b` | when it bounced softly, in milliseconds since 1970 |
//! | campaigns | `k`, `t` | the key: whose, and which of theirs |
//! | | `b`, `j`, `u`, `a` | body as submitted, campaign as understood, by whom, when |
//! | | `st`, `sd`, `pi` | status, its detail, what a launch pinned |
//! | | `e`, `l`, `o`, `c`, `n`, `d` | of a shard: epoch, lease's end (0: left in order), its owner, cursor, counts, done |
//! | | `p`, `w`, `y`, `z` | of a shard: pass, when it may begin, when the next one may, where the one before ended |
//! | | `n` | of the shards through their first pass: their numbers |
//! | | `h`, `u`, `n`, `b`, `d` | of the rate: head in µs; hour, reservations in it, in the 24 before, in all |
//! | | `r`, `q`, `o`, `a`, `g` | of the rate: a second's limit, a day's, what others sent; asked when, known since when |
//! | | `ds`, `dr`, `dn`, `sr`, `sn` | of a shard: how often events led from one outcome to another, see `Step` |
//! | | `d`, `o`, `l`, `s` | of feedback: delivered, opened, clicked, bounced softly |
//! | | `h`, `c`, `i`, `j` | of feedback: hard bounces and complaints; the same of the simulator's addresses |
//! | | `v`, `h`, `q` | of rules and newsletters: version; of templates: hash, source |
//! | | `n`, `a`, `tk` | of previews: the shards, the moment to decide for, the token |
//! | | `u`, `a` | of policies: by whom the version was put, when |
//! | | `a`, `u`, `r` | of newsletters: since when the schedule stands, by whom it was put, its last run |
//! | ledger | `k`, `t`, `l`, `e`, `b` | walk and exclusive start: the key; last id, epoch, entries |
//! | | `k`, `t`, `o` | of a mail that events spoke of: shard and reference: the key; what it came to |
//! | | `h`, `s`, `c` | of such a mail: when its bounces and complaint were counted |
//! | evidence | `i`, `t`, `b` | recipient and version: the key; what happened |
//! | all | `f`, `x` | format number; when it may be forgotten, in seconds since 1970 |

use std::{
    collections::HashMap,
    error::Error,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use aws_sdk_dynamodb::{
    Client,
    error::SdkError,
    primitives::Blob,
    types::{AttributeValue, ConsumedCapacity},
};

use super::tables::TableNames;
use crate::{domain::secret::Secret, flow::port::PortError};

pub type Item = HashMap<String, AttributeValue>;

/// The tables of one deployment.
#[derive(Clone)]
pub struct Dynamo {
    pub(super) client: Client,
    pub(super) names: Arc<TableNames>,
    pub meter: Arc<Meter>,
    /// Hashes addresses; never changes, since another one would not recognise those who were erased.
    pub(super) address_key: Arc<Secret>,
    /// Fixed when the tables were made.
    pub shards: u16,
    /// How many people one page holds at most; without it as many as an answer does, which costs the fewest units.
    pub page_people: Option<u16>,
}

impl Dynamo {
    pub(super) fn new(client: Client, names: TableNames, address_key: Secret, shards: u16) -> Self {
        let (names, address_key) = (Arc::new(names), Arc::new(address_key));
        Self { client, names, meter: Arc::default(), address_key, shards, page_people: None }
    }

    /// What also hashes where a recipient's act came from: it never rotates.
    pub(super) fn address_key(&self) -> Secret {
        self.address_key.as_ref().clone()
    }
}

/// Calls made and capacity consumed, as DynamoDB itself counts it.
#[derive(Debug, Default)]
pub struct Meter {
    calls: AtomicU64,
    units: Mutex<Units>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Units {
    pub read: f64,
    pub write: f64,
}

impl Meter {
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    pub fn units(&self) -> Units {
        *self.units.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn read(&self, consumed: Option<&ConsumedCapacity>) {
        self.count(consumed, |units, used| units.read += used);
    }

    pub(super) fn write(&self, consumed: Option<&ConsumedCapacity>) {
        self.count(consumed, |units, used| units.write += used);
    }

    fn count(&self, consumed: Option<&ConsumedCapacity>, add: impl Fn(&mut Units, f64)) {
        self.calls.fetch_add(1, Ordering::Relaxed);
        if let Some(used) = consumed.and_then(|consumed| consumed.capacity_units) {
            add(&mut self.units.lock().unwrap_or_else(PoisonError::into_inner), used);
        }
    }
}

/// DynamoDB failed, and whether an item was changed is not known.
pub(super) fn unavailable<E, R>(error: SdkError<E, R>) -> PortError
where
    E: Error + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    PortError::unavailable("DynamoDB", error)
}

pub(super) fn s(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

pub(super) fn n(number: impl std::fmt::Display) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

pub(super) fn b(bytes: impl Into<Vec<u8>>) -> AttributeValue {
    AttributeValue::B(Blob::new(bytes))
}

/// Reading an item's attributes; what is missing or of another type names itself.
pub(super) trait Read {
    fn text(&self, name: &'static str) -> Result<&str, PortError>;
    fn number<T: std::str::FromStr>(&self, name: &'static str) -> Result<T, PortError>;
    fn bytes(&self, name: &'static str) -> Result<&[u8], PortError>;
}

impl Read for Item {
    fn text(&self, name: &'static str) -> Result<&str, PortError> {
        let text = self.get(name).and_then(|value| value.as_s().ok());
        text.map(String::as_str).ok_or_else(|| missing(name))
    }

    fn number<T: std::str::FromStr>(&self, name: &'static str) -> Result<T, PortError> {
        let number = self.get(name).and_then(|value| value.as_n().ok());
        number.and_then(|number| number.parse().ok()).ok_or_else(|| missing(name))
    }

    fn bytes(&self, name: &'static str) -> Result<&[u8], PortError> {
        let bytes = self.get(name).and_then(|value| value.as_b().ok());
        bytes.map(AsRef::as_ref).ok_or_else(|| missing(name))
    }
}

fn missing(name: &'static str) -> PortError {
    PortError::corrupt("a stored item", format!("its attribute {name} is missing or of another type"))
}
