//! What a data folder holds, so that a stack goes on where the one before it ended, however that ended.
//!
//! `stack.sqlite` has the queues, the schedules, the secrets and how far a driven clock has come; `tables.sqlite` the
//! tables; `ses` what SES stored and mailed.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use dynoxide::Database;
use jiff::Timestamp;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{
    Now,
    clock::LocalClock,
    handover::Secrets,
    ses::{ArchiveError, Ses, SesConfig},
    store::{Store, StoreError},
};
use crate::{
    aws::system::SystemClock,
    flow::clock::{Clock, Entropy},
};

const TABLES: &str = "tables.sqlite";
const SES: &str = "ses";
const SECRETS: &str = "secrets";
const TIME: &str = "time";
/// How often a driven clock's time is written, and how far ahead of it, so that it never goes back: a stack that is
/// killed goes on a few seconds later than it ended.
pub(super) const KEEP_TIME_EVERY: Duration = Duration::from_secs(1);
const AHEAD: Duration = Duration::from_secs(3);

/// A folder that is this process's alone; clones share it.
#[derive(Clone)]
pub struct DataFolder {
    path: PathBuf,
    pub(super) store: Store,
}

#[derive(Debug, thiserror::Error)]
pub enum DataError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Ses(#[from] ArchiveError),
    #[error("what {} holds as its {what} cannot be read", path.display())]
    Damaged {
        path: PathBuf,
        what: &'static str,
        #[source]
        source: serde_json::Error,
    },
    #[error("{} cannot be opened: {why}", file.display())]
    Tables { file: PathBuf, why: String },
    #[error("the time of {} was driven to {to}, which is still to come: start it with --clock TIME", path.display())]
    Ahead { path: PathBuf, to: Timestamp },
}

/// Which time the folder has seen.
#[derive(Serialize, Deserialize)]
enum Seen {
    Machine,
    Driven { to: Timestamp },
}

impl DataFolder {
    /// Makes it if it is not there.
    pub fn open(path: &Path) -> Result<Self, DataError> {
        Ok(Self { path: path.to_owned(), store: Store::open(path)? })
    }

    /// Its secrets, drawn when it is used for the first time.
    pub fn secrets(&self, entropy: &dyn Entropy) -> Result<Secrets, DataError> {
        if let Some(held) = self.get(SECRETS)? {
            return Ok(held);
        }
        let drawn = Secrets::draw(entropy);
        self.put(SECRETS, &drawn)?;
        Ok(drawn)
    }

    /// A clock that does not go back behind what is stored: driven from `start` or from where it had come, whichever is
    /// later; without a start the machine's.
    pub fn clock(&self, start: Option<Timestamp>) -> Result<LocalClock, DataError> {
        let machine = SystemClock::default().now();
        let seen: Option<Seen> = self.get(TIME)?;
        let Some(start) = start else {
            if let Some(Seen::Driven { to }) = seen.filter(|seen| matches!(seen, Seen::Driven { to } if *to > machine))
            {
                return Err(DataError::Ahead { path: self.path.clone(), to });
            }
            self.put(TIME, &Seen::Machine)?;
            return Ok(LocalClock::machine());
        };
        let earliest = match seen {
            None => start,
            Some(Seen::Machine) => machine,
            Some(Seen::Driven { to }) => to,
        };
        let clock = LocalClock::driven(start.max(earliest));
        self.keep_time(&clock)?;
        Ok(clock)
    }

    /// Writes down how far a driven clock has come.
    pub fn keep_time(&self, clock: &LocalClock) -> Result<(), DataError> {
        if !clock.is_driven() {
            return Ok(());
        }
        self.put(TIME, &Seen::Driven { to: clock.now().saturating_add(AHEAD).unwrap_or(Timestamp::MAX) })
    }

    pub(super) fn database(&self) -> Result<Database, DataError> {
        let file = self.path.join(TABLES);
        let opened = Database::new(&file.to_string_lossy()).and_then(|database| {
            // The usual settings, which this restores, are `synchronous = NORMAL` beside the write-ahead log: a write
            // does not wait for the disk. A kill loses nothing, a power cut at most the last moments.
            database.disable_bulk_loading()?;
            Ok(database)
        });
        // What is said after the first sentence is about encryption, which is not used.
        opened.map_err(|error| DataError::Tables {
            file,
            why: error.to_string().split(". ").next().unwrap_or_default().to_owned(),
        })
    }

    pub(super) fn ses(&self, config: SesConfig, now: Now) -> Result<Ses, DataError> {
        Ok(Ses::open(config, now, &self.path.join(SES))?)
    }

    fn get<T: DeserializeOwned>(&self, what: &'static str) -> Result<Option<T>, DataError> {
        let held = self.store.get(what)?;
        let read = held.map(|bytes| serde_json::from_slice(&bytes)).transpose();
        read.map_err(|source| self.damaged(what, source))
    }

    fn put(&self, what: &'static str, value: &impl Serialize) -> Result<(), DataError> {
        let bytes = serde_json::to_vec(value).map_err(|source| self.damaged(what, source))?;
        Ok(self.store.put(what, &bytes)?)
    }

    fn damaged(&self, what: &'static str, source: serde_json::Error) -> DataError {
        DataError::Damaged { path: self.path.clone(), what, source }
    }
}
