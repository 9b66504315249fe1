//! Suppressions, exports and erasures. Who asked is logged with the recipient's id, never with an address.

use std::sync::Arc;

use axum::{
    Extension, Json,
    body::Bytes,
    extract::{FromRequest, Request, State},
    http::StatusCode,
    response::Response,
};
use serde_json::{Value, json};
use tracing::info;

use super::{Answer, Body, Lines, Problem, Segments, json_lines, name, named, too_large};
use crate::{
    domain::{actor::Actor, id::RecipientId},
    flow::api::{Api, suppressions::Suppressed},
};

pub(super) async fn suppress(
    State(api): State<Arc<Api>>,
    actor: Option<Extension<Actor>>,
    Segments(address): Segments<String>,
    Note(body): Note,
) -> Answer {
    let Suppressed { standing, owner } = api.suppress(&address, &body).await?;
    let kind = standing.kind.as_str();
    info!(actor = %named(actor), recipient = owner.as_ref().map(RecipientId::as_str), kind, "an address is suppressed");
    Ok(Json(standing.to_json()))
}

pub(super) async fn suppression(State(api): State<Arc<Api>>, Segments(address): Segments<String>) -> Answer {
    Ok(Json(api.suppression(&address).await?))
}

pub(super) async fn lift(
    State(api): State<Arc<Api>>,
    actor: Option<Extension<Actor>>,
    Segments(address): Segments<String>,
) -> Answer<StatusCode> {
    let owner = api.lift(&address).await?;
    info!(actor = %named(actor), recipient = owner.as_ref().map(RecipientId::as_str), "a suppression was lifted");
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn put_suppressions(
    State(api): State<Arc<Api>>,
    actor: Option<Extension<Actor>>,
    Lines(text): Lines,
) -> Answer<Response> {
    let lines: Vec<&str> = text.lines().collect();
    let answers = api.put_suppressions(&lines).await?;
    info!(actor = %named(actor), lines = answers.len(), "addresses were put to be suppressed");
    Ok(json_lines(&answers))
}

pub(super) async fn export(
    State(api): State<Arc<Api>>,
    actor: Option<Extension<Actor>>,
    Segments(id): Segments<String>,
) -> Answer {
    let id: RecipientId = name(&id, "recipient")?;
    let held = api.export_recipient(&id).await?;
    info!(actor = %named(actor), recipient = id.as_str(), "what is held about a recipient was given out");
    Ok(Json(held))
}

pub(super) async fn erase(
    State(api): State<Arc<Api>>,
    actor: Option<Extension<Actor>>,
    Segments(id): Segments<String>,
) -> Answer<StatusCode> {
    let id: RecipientId = name(&id, "recipient")?;
    api.erase_recipient(&id).await?;
    info!(actor = %named(actor), recipient = id.as_str(), "a recipient was erased");
    Ok(StatusCode::NO_CONTENT)
}

/// A body that may be left out.
pub(super) struct Note(Value);

impl<S: Send + Sync> FromRequest<S> for Note {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let bytes = Bytes::from_request(request, state).await.map_err(|_| too_large())?;
        if bytes.trim_ascii().is_empty() {
            return Ok(Self(json!({})));
        }
        Body::read(&bytes).map(|Body(body)| Self(body))
    }
}
