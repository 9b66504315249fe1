//! Newsletters.

use std::sync::Arc;

use axum::{Extension, Json, extract::State, http::StatusCode};
use serde_json::json;
use tracing::info;

use super::{Answer, Body, Paging, Parameters, Segments, name, named, new_name};
use crate::{
    domain::{actor::Actor, id::NewsletterId},
    flow::api::Api,
};

pub(super) async fn list(State(api): State<Arc<Api>>, Parameters(paging): Parameters<Paging>) -> Answer {
    let (items, cursor) = api.newsletters(paging.cursor.as_deref()).await?;
    Ok(Json(json!({ "items": items, "cursor": cursor })))
}

pub(super) async fn put(
    State(api): State<Arc<Api>>,
    actor: Option<Extension<Actor>>,
    Segments(id): Segments<String>,
    Body(body): Body,
) -> Answer {
    let id: NewsletterId = new_name(&id, "/id")?;
    Ok(Json(api.put_newsletter(&id, &body, named(actor).as_str()).await?))
}

pub(super) async fn get(State(api): State<Arc<Api>>, Segments(id): Segments<String>) -> Answer {
    let id: NewsletterId = name(&id, "newsletter")?;
    Ok(Json(api.newsletter(&id).await?))
}

pub(super) async fn delete(
    State(api): State<Arc<Api>>,
    actor: Option<Extension<Actor>>,
    Segments(id): Segments<String>,
) -> Answer<StatusCode> {
    let id: NewsletterId = name(&id, "newsletter")?;
    api.delete_newsletter(&id).await?;
    info!(actor = %named(actor), newsletter = %id, "a newsletter was ended");
    Ok(StatusCode::NO_CONTENT)
}
