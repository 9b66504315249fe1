//! The schedules in the store.

use std::collections::BTreeMap;

use rusqlite::{Connection, Row, types::Type};

use super::{Key, definition::Schedule};

pub(super) fn put(connection: &Connection, key: &Key, schedule: &Schedule) -> rusqlite::Result<()> {
    let text =
        serde_json::to_string(schedule).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
    let put = "INSERT OR REPLACE INTO schedules (group_name, name, schedule) VALUES (?1, ?2, ?3)";
    connection.prepare_cached(put)?.execute((&key.group, &key.name, text)).map(drop)
}

pub(super) fn remove(connection: &Connection, key: &Key) -> rusqlite::Result<()> {
    let remove = "DELETE FROM schedules WHERE group_name = ?1 AND name = ?2";
    connection.prepare_cached(remove)?.execute((&key.group, &key.name)).map(drop)
}

pub(super) fn read(connection: &Connection) -> rusqlite::Result<BTreeMap<Key, Schedule>> {
    connection.prepare("SELECT group_name, name, schedule FROM schedules")?.query_map([], kept)?.collect()
}

fn kept(row: &Row<'_>) -> rusqlite::Result<(Key, Schedule)> {
    let key = Key { group: row.get("group_name")?, name: row.get("name")? };
    let text: String = row.get("schedule")?;
    let wrong = |error: serde_json::Error| rusqlite::Error::FromSqlConversionFailure(2, Type::Text, error.into());
    Ok((key, serde_json::from_str(&text).map_err(wrong)?))
}
