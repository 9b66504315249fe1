//! The REST API: a schedule is a resource, and its group stands in the body or in the query.

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, Query, State},
    routing::post,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    DEFAULT_GROUP, Key, Schedules,
    definition::{Definition, Schedule, is_name},
    refusal::Refusal,
    table,
};

const ARN: &str = "arn:aws:scheduler:eu-west-1:000000000000:schedule/";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct InGroup {
    group_name: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Described {
    arn: String,
    name: String,
    creation_date: i64,
    last_modification_date: i64,
    #[serde(flatten)]
    definition: Definition,
}

pub(super) fn router(schedules: Schedules) -> Router {
    Router::new()
        .route("/schedules/{name}", post(create).put(update).get(describe).delete(delete))
        .with_state(schedules)
}

async fn create(
    State(schedules): State<Schedules>,
    Path(name): Path<String>,
    body: Bytes,
) -> Result<Json<Value>, Refusal> {
    let (key, new) = read(&schedules, name, &body)?;
    let mut state = schedules.state();
    match state.get(&key) {
        // The call came before, and its answer may have been lost.
        Some(held) if new.definition.client_token.is_some() && held.definition == new.definition => {}
        Some(_) => return Err(Refusal::conflict(&key.name)),
        None => {
            schedules.keep(|connection| table::put(connection, &key, &new))?;
            state.insert(key.clone(), new);
            schedules.wake();
        }
    }
    Ok(Json(json!({ "ScheduleArn": arn(&key) })))
}

async fn update(
    State(schedules): State<Schedules>,
    Path(name): Path<String>,
    body: Bytes,
) -> Result<Json<Value>, Refusal> {
    let (key, new) = read(&schedules, name, &body)?;
    let mut state = schedules.state();
    let held = state.get_mut(&key).ok_or_else(|| Refusal::not_found("Schedule", &key.name))?;
    let new = Schedule { created_at: held.created_at, ..new };
    schedules.keep(|connection| table::put(connection, &key, &new))?;
    *held = new;
    schedules.wake();
    Ok(Json(json!({ "ScheduleArn": arn(&key) })))
}

async fn describe(
    State(schedules): State<Schedules>,
    Path(name): Path<String>,
    Query(group): Query<InGroup>,
) -> Result<Json<Described>, Refusal> {
    let key = key(&schedules, group.group_name, name)?;
    let held = schedules.state().get(&key).cloned();
    let mut held = held.ok_or_else(|| Refusal::not_found("Schedule", &key.name))?;
    held.definition.client_token = None;
    Ok(Json(Described {
        arn: arn(&key),
        name: key.name,
        creation_date: held.created_at.as_second(),
        last_modification_date: held.modified_at.as_second(),
        definition: held.definition,
    }))
}

async fn delete(
    State(schedules): State<Schedules>,
    Path(name): Path<String>,
    Query(group): Query<InGroup>,
) -> Result<Json<Value>, Refusal> {
    let key = key(&schedules, group.group_name, name)?;
    let mut state = schedules.state();
    if !state.contains_key(&key) {
        return Err(Refusal::not_found("Schedule", &key.name));
    }
    schedules.keep(|connection| table::remove(connection, &key))?;
    state.remove(&key);
    schedules.wake();
    Ok(Json(json!({})))
}

fn read(schedules: &Schedules, name: String, body: &[u8]) -> Result<(Key, Schedule), Refusal> {
    let definition: Definition = serde_json::from_slice(body)
        .map_err(|error| Refusal::invalid(format!("The request does not read: {error}")))?;
    let key = key(schedules, Some(definition.group_name.clone()), name)?;
    Ok((key, Schedule::new(definition, &schedules.0.queues)?))
}

fn key(schedules: &Schedules, group: Option<String>, name: String) -> Result<Key, Refusal> {
    let group = group.unwrap_or_else(|| DEFAULT_GROUP.to_owned());
    if !is_name(&name) {
        return Err(Refusal::invalid("Name is 1 to 64 of 0-9 a-z A-Z - _ ."));
    }
    if !schedules.0.groups.contains(&group) {
        return Err(Refusal::not_found("Schedule group", &group));
    }
    Ok(Key { group, name })
}

fn arn(key: &Key) -> String {
    format!("{ARN}{}/{}", key.group, key.name)
}
