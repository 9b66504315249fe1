//! The stack's own routes: its time, and what a worker must know of it. They answer only to a `Host` on loopback, and to
//! no page from elsewhere: a website whose name leads to 127.0.0.1, or whose script posts there, gets and moves nothing.

use std::{net::IpAddr, sync::Arc, time::Duration};

use axum::{
    Json, Router,
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::Value;
use tracing::error;

use super::{
    clock::LocalClock,
    data::DataFolder,
    handover::{Handover, Time},
    schedules::Schedules,
    sqs::Queues,
};
use crate::{
    domain::door,
    flow::api::{ApiError, Code},
    lambda::{
        http::Body,
        problem::{Problem, chain},
    },
};

/// Ten years, far beyond anything that waits.
const MAX_ADVANCE_S: f64 = 315_360_000.0;

#[derive(Clone)]
pub(super) struct Control {
    pub clock: Arc<LocalClock>,
    pub queues: Queues,
    pub schedules: Schedules,
    pub data: Option<DataFolder>,
    pub handover: Arc<Handover>,
}

pub(super) fn router(control: Control) -> Router {
    Router::new()
        .route("/local/clock", get(time).post(advance))
        .route("/local/stack", get(stack))
        .layer(middleware::from_fn(on_loopback))
        .with_state(control)
}

async fn time(State(control): State<Control>) -> Json<Time> {
    Json(Time::of(&control.clock))
}

async fn advance(State(control): State<Control>, Body(body): Body) -> Result<Json<Time>, Problem> {
    let by = seconds(&body)?;
    control.clock.advance(by).map_err(|error| Problem {
        status: StatusCode::CONFLICT,
        code: "not_driven",
        detail: error.to_string(),
        errors: Vec::new(),
    })?;
    if let Some(Err(error)) = control.data.as_ref().map(|data| data.keep_time(&control.clock)) {
        error!(error = chain(&error), "the time cannot be written down");
    }
    control.queues.wake();
    control.schedules.wake();
    Ok(Json(Time::of(&control.clock)))
}

fn seconds(body: &Value) -> Result<Duration, ApiError> {
    let seconds = door::read(body, |document| {
        let fields = document.fields()?;
        let seconds = fields.required("advance_seconds", |node| node.number(0.0..=MAX_ADVANCE_S));
        fields.close();
        seconds
    });
    seconds.map(Duration::from_secs_f64).map_err(ApiError::Invalid)
}

async fn stack(State(control): State<Control>) -> Json<Handover> {
    Json(Handover { time: Time::of(&control.clock), ..Handover::clone(&control.handover) })
}

async fn on_loopback(request: Request, next: Next) -> Response {
    if at_home(request.headers()) {
        return next.run(request).await;
    }
    let detail = "this is answered only where it is asked for at localhost, 127.0.0.1 or [::1]";
    Problem::new(StatusCode::NOT_FOUND, Code::NotFound, detail).into_response()
}

fn at_home(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    // A browser names the page's origin with everything that it posts; others send none.
    let ours = |origin: &str| origin.split_once("://").is_some_and(|(_, host)| is_loopback(host));
    text(header::HOST).is_some_and(is_loopback) && text(header::ORIGIN).is_none_or(ours)
}

/// Whether a `Host` header names this machine by itself; a name that has to be resolved does not.
pub fn is_loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name.eq_ignore_ascii_case("localhost") || name.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_loopback() {
        for host in ["localhost", "LocalHost:8787", "127.0.0.1", "127.0.0.1:8787", "[::1]", "[::1]:8787"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in ["", "example.com", "localhost.example.com:8787", "127.0.0.1.example.com", "10.0.0.1:8787", "[::2]"]
        {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
