//! What is held and not needed: a report over everybody, and its deletion, in parts.

use std::sync::Arc;

use axum::{Json, extract::State};
use serde::Deserialize;

use super::{Answer, Paging, Parameters, Segments, flag, parameter};
use crate::flow::api::{Api, attributes::Unneeded, query_fault};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AttributesQuery {
    cursor: Option<String>,
    idle: Option<String>,
}

pub(super) async fn list_attributes(
    State(api): State<Arc<Api>>,
    Parameters(query): Parameters<AttributesQuery>,
) -> Answer {
    let idle = flag("idle", query.idle.as_deref())?;
    Ok(Json(api.attributes(query.cursor.as_deref(), idle).await?))
}

pub(super) async fn delete_attribute(
    State(api): State<Arc<Api>>,
    Segments(name): Segments<String>,
    Parameters(paging): Parameters<Paging>,
) -> Answer {
    let what = Unneeded::Attribute(name);
    Ok(Json(api.delete_unneeded(&what, paging.cursor.as_deref()).await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct InterestQuery {
    topic: Option<String>,
    cursor: Option<String>,
}

pub(super) async fn delete_interest(
    State(api): State<Arc<Api>>,
    Parameters(query): Parameters<InterestQuery>,
) -> Answer {
    let topic = query.topic.as_deref().ok_or_else(|| query_fault("topic", "", "the topic whose interests are deleted"));
    let what = Unneeded::Interest(parameter("topic", topic?)?);
    Ok(Json(api.delete_unneeded(&what, query.cursor.as_deref()).await?))
}
