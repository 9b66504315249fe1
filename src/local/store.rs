//! What the stand-ins keep in a data folder: one SQLite file, so that a process that is killed loses nothing that it
//! has answered.
//!
//! The stand-ins work in memory. They write each change here before they answer it, and read everything back at start;
//! nothing else is asked of the file meanwhile. The file is synced when SQLite checkpoints it, not with every change:
//! a kill loses nothing, a power cut at most the last moments.

use std::{
    fs::{DirBuilder, OpenOptions},
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, TransactionBehavior};

const FILE: &str = "stack.sqlite";
/// Of the tables below. The stand-ins' data are not worth a migration: another format is refused.
const FORMAT: i64 = 1;
/// `AUTOINCREMENT`, so that the number of a deleted message is never given again, also after a restart: an old receipt
/// must not fit a new message.
const TABLES: &str = "
    CREATE TABLE messages (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        queue TEXT NOT NULL,
        body TEXT NOT NULL,
        sent_at TEXT NOT NULL,
        visible_at TEXT NOT NULL,
        first_received_at TEXT,
        receives INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE schedules (
        group_name TEXT NOT NULL,
        name TEXT NOT NULL,
        schedule TEXT NOT NULL,
        PRIMARY KEY (group_name, name)
    ) STRICT;
    CREATE TABLE pairs (
        key TEXT PRIMARY KEY,
        value BLOB NOT NULL
    ) STRICT;
";

/// The file of one data folder, which this process alone has open; clones share it.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    file: PathBuf,
    connection: Mutex<Connection>,
}

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the data folder {} is in use by another process: stop that one, or choose another folder", .0.display())]
    InUse(PathBuf),
    #[error("{} has format {found} and this version reads {FORMAT}: choose another folder", .file.display())]
    Format { file: PathBuf, found: i64 },
    #[error("{} cannot be made", .path.display())]
    Folder {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("{} cannot be read or written", .file.display())]
    File {
        file: PathBuf,
        #[source]
        source: rusqlite::Error,
    },
}

impl Store {
    /// Opens the data folder, and makes it if it is not there. It is this process's alone until the last clone is
    /// dropped or the process ends, however it ends.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        let file = folder.join(FILE);
        make(folder, &file).map_err(|source| StoreError::Folder { path: folder.to_owned(), source })?;
        let failed = |source: rusqlite::Error| match source.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy) => StoreError::InUse(folder.to_owned()),
            _other => StoreError::File { file: file.clone(), source },
        };
        let mut connection = connect(&file).map_err(failed)?;
        match prepare(&mut connection).map_err(failed)? {
            FORMAT => Ok(Self(Arc::new(Inner { file, connection: Mutex::new(connection) }))),
            found => Err(StoreError::Format { file, found }),
        }
    }

    /// What was put under this key.
    pub fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.transact(|connection| {
            connection.query_row("SELECT value FROM pairs WHERE key = ?1", [key], |row| row.get(0)).optional()
        })
    }

    /// Keeps these bytes under this key, in place of what was there.
    pub fn put(&self, key: &str, bytes: &[u8]) -> Result<(), StoreError> {
        self.transact(|connection| {
            let put = "INSERT OR REPLACE INTO pairs (key, value) VALUES (?1, ?2)";
            connection.execute(put, (key, bytes)).map(drop)
        })
    }

    /// All that `work` does, or nothing of it.
    pub(super) fn transact<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, StoreError> {
        let mut connection = self.connection();
        let done = connection.transaction().and_then(|transaction| {
            let done = work(&transaction)?;
            transaction.commit()?;
            Ok(done)
        });
        done.map_err(|source| StoreError::File { file: self.0.file.clone(), source })
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.0.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes folder and file for their owner alone; SQLite gives its files beside the first one the same mode.
///
/// A file that is there is not touched: closing it again would take from this process the locks that it may hold on it.
fn make(folder: &Path, file: &Path) -> io::Result<()> {
    let (mut directory, mut options) = (DirBuilder::new(), OpenOptions::new());
    directory.recursive(true);
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
        directory.mode(0o700);
        options.mode(0o600);
    }
    directory.create(folder)?;
    match options.open(file) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        Ok(_) | Err(_) => Ok(()),
    }
}

fn connect(file: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    // Whoever has the file keeps it: waiting for it would not help.
    connection.busy_timeout(Duration::ZERO)?;
    connection
        .execute_batch("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;")?;
    Ok(connection)
}

/// Makes the tables of a new file; answers with the file's format.
fn prepare(connection: &mut Connection) -> rusqlite::Result<i64> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Exclusive)?;
    let format = |transaction: &Connection| transaction.query_row("PRAGMA user_version", [], |row| row.get(0));
    if format(&transaction)? == 0 {
        transaction.execute_batch(TABLES)?;
        transaction.pragma_update(None, "user_version", FORMAT)?;
    }
    let format = format(&transaction)?;
    transaction.commit()?;
    Ok(format)
}
