//! The messages in the store.

use std::str::FromStr;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, types::Type};

use super::queue::{Change, Held};

/// A message as it lies in the store.
pub(super) struct Kept {
    pub queue: String,
    pub number: u64,
    pub held: Held,
}

pub(super) fn write(connection: &Connection, queue: &str, changes: &[Change]) -> rusqlite::Result<()> {
    let mut put = connection.prepare_cached(
        "INSERT OR REPLACE INTO messages (number, queue, body, sent_at, visible_at, first_received_at, receives) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    let mut remove = connection.prepare_cached("DELETE FROM messages WHERE number = ?1")?;
    for change in changes {
        match change {
            Change::Put(number, held) => put.execute((
                number,
                queue,
                &*held.body,
                held.sent_at.to_string(),
                held.visible_at.to_string(),
                held.first_received_at.map(|at| at.to_string()),
                held.receives,
            ))?,
            Change::Remove(number) => remove.execute([number])?,
        };
    }
    Ok(())
}

/// All messages, and the number that the next one takes.
pub(super) fn read(connection: &Connection) -> rusqlite::Result<(Vec<Kept>, u64)> {
    let mut all = connection.prepare("SELECT * FROM messages")?;
    let kept = all.query_map([], kept)?.collect::<rusqlite::Result<_>>()?;
    let highest = "SELECT seq FROM sqlite_sequence WHERE name = 'messages'";
    let highest: Option<u64> = connection.query_row(highest, [], |row| row.get(0)).optional()?;
    Ok((kept, highest.map_or(0, |highest| highest.saturating_add(1))))
}

fn kept(row: &Row<'_>) -> rusqlite::Result<Kept> {
    let body: String = row.get("body")?;
    Ok(Kept {
        queue: row.get("queue")?,
        number: row.get("number")?,
        held: Held {
            body: body.into(),
            sent_at: time(&row.get::<_, String>("sent_at")?)?,
            visible_at: time(&row.get::<_, String>("visible_at")?)?,
            first_received_at: row.get::<_, Option<String>>("first_received_at")?.map(|at| time(&at)).transpose()?,
            receives: row.get("receives")?,
        },
    })
}

fn time(text: &str) -> rusqlite::Result<Timestamp> {
    Timestamp::from_str(text).map_err(|error| rusqlite::Error::FromSqlConversionFailure(0, Type::Text, Box::new(error)))
}
