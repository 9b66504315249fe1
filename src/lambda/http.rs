//! The routes.

mod attributes;
mod doctor;
mod newsletters;
mod privacy;
mod rules;

use std::{str::FromStr, sync::Arc};

use axum::{
    Extension, Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, FromRequest, FromRequestParts, Path, Query, Request, State},
    http::{StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
    routing::{delete, get, post, put},
};
use jiff::Timestamp;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use tracing::info;

use self::attributes::{delete_attribute, delete_interest, list_attributes};
pub use super::preferences::{PREFERENCES_ROUTES, router as preferences};
use super::{openapi, problem::Problem};
use crate::{
    domain::{
        actor::Actor,
        door::{Fault, Wanted},
        id::{CampaignId, PreviewId, RecipientId},
        lifecycle::Command,
    },
    flow::api::{Api, ApiError, Code, decisions::Filter, query_fault},
};

/// Of one request; Lambda takes no more than 6 MB.
const MAX_BODY_BYTES: usize = 5 * 1024 * 1024;
const MAX_BULK_LINES: usize = 1_000;

type Answer<T = Json<Value>> = Result<T, Problem>;

/// Declares routes once: for the router that answers them, and for whoever must know them all.
macro_rules! routes {
    ($(#[$doc:meta])* $list:ident, $router:ident: $state:ty { $($method:ident $path:literal => $handler:path,)* }) => {
        $(#[$doc])*
        pub const $list: &[(&str, &str)] = &[$((stringify!($method), $path),)*];

        fn $router() -> Router<$state> {
            Router::new()$(.route($path, $method($handler)))*
        }
    };
}

pub(super) use routes;

routes!(
    /// What marketers and engineers call: methods and paths.
    API_ROUTES, api_routes: Arc<Api> {
        post "/v1/campaigns" => submit,
        get "/v1/campaigns" => list,
        get "/v1/campaigns/{id}" => report,
        post "/v1/campaigns/{id}/pause" => pause,
        post "/v1/campaigns/{id}/resume" => resume,
        post "/v1/campaigns/{id}/cancel" => cancel,
        post "/v1/campaigns/{id}/test" => try_out,
        get "/v1/campaigns/{id}/decisions" => decisions,
        get "/v1/campaigns/{id}/decisions/{recipient}" => why,
        post "/v1/previews" => preview,
        get "/v1/previews/{id}" => preview_report,
        post "/v1/recipients" => put_recipients,
        put "/v1/recipients/{id}" => put_recipient,
        get "/v1/recipients/{id}" => get_recipient,
        delete "/v1/recipients/{id}" => privacy::erase,
        get "/v1/recipients/{id}/export" => privacy::export,
        post "/v1/suppressions" => privacy::put_suppressions,
        put "/v1/suppressions/{address}" => privacy::suppress,
        get "/v1/suppressions/{address}" => privacy::suppression,
        delete "/v1/suppressions/{address}" => privacy::lift,
        get "/v1/attributes" => list_attributes,
        delete "/v1/attributes/{name}" => delete_attribute,
        delete "/v1/interests" => delete_interest,
        put "/v1/policy" => rules::put_policy,
        get "/v1/policy" => rules::get_policy,
        put "/v1/templates/{name}" => rules::put_template,
        get "/v1/templates/{name}" => rules::get_template,
        get "/v1/newsletters" => newsletters::list,
        put "/v1/newsletters/{id}" => newsletters::put,
        get "/v1/newsletters/{id}" => newsletters::get,
        delete "/v1/newsletters/{id}" => newsletters::delete,
        get "/v1/doctor" => doctor::examine,
        post "/v1/doctor/order" => doctor::verify_order,
        get "/v1/openapi.json" => describe,
    }
);

pub fn api(api: Arc<Api>) -> Router {
    api_routes()
        .fallback(no_route)
        .method_not_allowed_fallback(no_method)
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .with_state(api)
}

async fn no_route() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, Code::NotFound, "there is no such route")
}

async fn no_method() -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, Code::MethodNotAllowed, "this route does not take that method")
}

/// The parameters after the `?`; one that cannot be read is a problem like any other.
struct Parameters<T>(T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Parameters<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        Query::try_from_uri(&parts.uri).map(|Query(parameters)| Self(parameters)).map_err(|_| {
            let found = parts.uri.query().unwrap_or_default();
            query_fault("", found, "the parameters that this route documents").into()
        })
    }
}

/// The parts of the path; what is not UTF-8 names nothing that is there.
struct Segments<T>(T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Segments<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Path::from_request_parts(parts, state).await {
            Ok(Path(segments)) => Ok(Self(segments)),
            Err(_) => Err(no_route().await),
        }
    }
}

/// A body of JSON, whatever its content type says.
pub struct Body(pub Value);

impl<S: Send + Sync> FromRequest<S> for Body {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let bytes = Bytes::from_request(request, state).await.map_err(|_| too_large())?;
        Self::read(&bytes)
    }
}

impl Body {
    fn read(bytes: &[u8]) -> Result<Self, Problem> {
        serde_json::from_slice(bytes).map(Self).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            let detail = format!("the body is not JSON, from line {line}, column {column} on");
            Problem::new(StatusCode::BAD_REQUEST, Code::MalformedJson, detail)
        })
    }
}

/// A body of JSON Lines, not more than one request may have.
struct Lines(String);

impl<S: Send + Sync> FromRequest<S> for Lines {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let bytes = Bytes::from_request(request, state).await.map_err(|_| too_large())?;
        let text = String::from_utf8(bytes.into()).map_err(|error| {
            let detail = format!("the body is not UTF-8, from byte {} on", error.utf8_error().valid_up_to());
            Problem::new(StatusCode::BAD_REQUEST, Code::MalformedJson, detail)
        })?;
        let lines = text.lines().count();
        if lines > MAX_BULK_LINES {
            let detail = format!("{lines} lines in one request: send at most {MAX_BULK_LINES}");
            return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, Code::TooLarge, detail));
        }
        Ok(Self(text))
    }
}

fn too_large() -> Problem {
    let detail = format!("the body could not be read: send at most {MAX_BODY_BYTES} bytes");
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, Code::TooLarge, detail)
}

/// A name in the path; a wrong one is nothing that is there.
fn name<T: FromStr<Err = Wanted>>(raw: &str, what: &str) -> Result<T, Problem> {
    raw.parse().map_err(|wanted| {
        Problem::new(StatusCode::NOT_FOUND, Code::NotFound, format!("no {what} is called so: {wanted}"))
    })
}

/// A name that is about to be used for something new; a wrong one is a fault.
fn new_name<T: FromStr<Err = Wanted>>(raw: &str, field: &str) -> Result<T, Problem> {
    raw.parse().map_err(|wanted: Wanted| {
        let found = if raw.contains('@') { "a name with an @".to_owned() } else { format!("\"{raw}\"") };
        ApiError::Invalid(vec![Fault::new(field, &found, wanted.0)]).into()
    })
}

/// Who asks, by a name that is always there.
fn named(actor: Option<Extension<Actor>>) -> Actor {
    actor.map_or_else(Actor::anonymous, |Extension(actor)| actor)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SubmitQuery {
    preview: Option<String>,
}

async fn submit(
    State(api): State<Arc<Api>>,
    actor: Option<Extension<Actor>>,
    Parameters(query): Parameters<SubmitQuery>,
    Body(body): Body,
) -> Answer<Response> {
    let (id, status) = match &query.preview {
        Some(token) => api.submit_previewed(&body, token, &named(actor)).await?,
        None => api.submit(&body, &named(actor)).await?,
    };
    Ok((StatusCode::ACCEPTED, Json(json!({ "id": id, "status": status }))).into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Paging {
    cursor: Option<String>,
}

async fn list(State(api): State<Arc<Api>>, Parameters(paging): Parameters<Paging>) -> Answer {
    let (items, cursor) = api.campaigns(paging.cursor.as_deref()).await?;
    Ok(Json(json!({ "items": items, "cursor": cursor })))
}

async fn report(State(api): State<Arc<Api>>, Segments(id): Segments<String>) -> Answer {
    let id: CampaignId = name(&id, "campaign")?;
    Ok(Json(api.report(&id).await?))
}

async fn pause(State(api): State<Arc<Api>>, Segments(id): Segments<String>) -> Answer {
    command(&api, &id, Command::Pause).await
}

async fn resume(State(api): State<Arc<Api>>, Segments(id): Segments<String>) -> Answer {
    command(&api, &id, Command::Resume).await
}

async fn cancel(State(api): State<Arc<Api>>, Segments(id): Segments<String>) -> Answer {
    command(&api, &id, Command::Cancel).await
}

async fn try_out(
    State(api): State<Arc<Api>>,
    actor: Option<Extension<Actor>>,
    Segments(id): Segments<String>,
    Body(body): Body,
) -> Answer {
    let id: CampaignId = new_name(&id, "/campaign/id")?;
    let answer = api.try_out(&id, &body).await?;
    info!(actor = %named(actor), campaign = %id, "a test mail was handed over");
    Ok(Json(answer))
}

async fn command(api: &Api, id: &str, command: Command) -> Answer {
    let id: CampaignId = name(id, "campaign")?;
    let status = api.command(&id, command).await?;
    Ok(Json(json!({ "id": id, "status": status })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DecisionsQuery {
    outcome: Option<String>,
    reason: Option<String>,
    cursor: Option<String>,
}

async fn decisions(
    State(api): State<Arc<Api>>,
    Segments(id): Segments<String>,
    Parameters(query): Parameters<DecisionsQuery>,
) -> Answer {
    let id: CampaignId = name(&id, "campaign")?;
    let filter = Filter {
        outcome: query.outcome.as_deref().map(|raw| parameter("outcome", raw)).transpose()?,
        reason: query.reason.as_deref().map(|raw| parameter("reason", raw)).transpose()?,
    };
    let (items, cursor) = api.decisions(&id, filter, query.cursor.as_deref()).await?;
    Ok(Json(json!({ "items": items, "cursor": cursor })))
}

fn parameter<T: FromStr<Err = Wanted>>(field: &str, raw: &str) -> Result<T, ApiError> {
    raw.parse().map_err(|wanted: Wanted| query_fault(field, raw, wanted.0))
}

fn flag(field: &str, raw: Option<&str>) -> Result<bool, ApiError> {
    match raw {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(raw) => Err(query_fault(field, raw, "true or false")),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WhyQuery {
    all: Option<String>,
}

async fn why(
    State(api): State<Arc<Api>>,
    Segments((id, recipient)): Segments<(String, String)>,
    Parameters(query): Parameters<WhyQuery>,
) -> Answer {
    let id: CampaignId = name(&id, "campaign")?;
    let recipient: RecipientId = name(&recipient, "recipient")?;
    Ok(Json(api.why(&id, &recipient, flag("all", query.all.as_deref())?).await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PreviewQuery {
    at: Option<String>,
}

async fn preview(
    State(api): State<Arc<Api>>,
    Parameters(query): Parameters<PreviewQuery>,
    Body(body): Body,
) -> Answer<Response> {
    let at = match &query.at {
        None => None,
        Some(raw) => {
            let wanted = "a time with its zone (RFC 3339), such as 2026-11-30T09:00:00Z";
            Some(raw.parse::<Timestamp>().map_err(|_| query_fault("at", raw, wanted))?)
        }
    };
    let (id, status) = api.preview(&body, at).await?;
    Ok((StatusCode::ACCEPTED, Json(json!({ "id": id, "status": status }))).into_response())
}

async fn preview_report(State(api): State<Arc<Api>>, Segments(id): Segments<String>) -> Answer {
    let id: PreviewId = name(&id, "preview")?;
    Ok(Json(api.preview_report(&id).await?))
}

async fn put_recipients(
    State(api): State<Arc<Api>>,
    actor: Option<Extension<Actor>>,
    Lines(text): Lines,
) -> Answer<Response> {
    let lines: Vec<&str> = text.lines().collect();
    Ok(json_lines(&api.put_recipients(&lines, named(actor).as_str()).await?))
}

fn json_lines(answers: &[Value]) -> Response {
    let body: String = answers.iter().flat_map(|answer| [answer.to_string(), "\n".to_owned()]).collect();
    ([(header::CONTENT_TYPE, "application/x-ndjson")], body).into_response()
}

async fn put_recipient(
    State(api): State<Arc<Api>>,
    actor: Option<Extension<Actor>>,
    Segments(id): Segments<String>,
    Body(body): Body,
) -> Answer {
    let id: RecipientId = new_name(&id, "/id")?;
    let result = api.put_recipient(&id, &body, named(actor).as_str()).await?;
    Ok(Json(json!({ "id": id, "result": result })))
}

async fn get_recipient(State(api): State<Arc<Api>>, Segments(id): Segments<String>) -> Answer {
    let id: RecipientId = name(&id, "recipient")?;
    Ok(Json(api.get_recipient(&id).await?))
}

async fn describe() -> Answer<Response> {
    let internal = || Problem::new(StatusCode::INTERNAL_SERVER_ERROR, Code::Internal, "the document cannot be written");
    let document = openapi::document().ok_or_else(internal)?;
    Ok(([(header::CONTENT_TYPE, "application/json")], document).into_response())
}
