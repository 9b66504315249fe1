//! What went wrong, as RFC 9457 problem details.

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use serde_json::json;

use crate::{
    domain::door::Fault,
    flow::api::{ApiError, Code},
};

pub struct Problem {
    pub status: StatusCode,
    /// One of [`Code`]; a route that only the local stack has may have its own.
    pub code: &'static str,
    pub detail: String,
    pub errors: Vec<Fault>,
}

impl Problem {
    pub fn new(status: StatusCode, code: Code, detail: impl Into<String>) -> Self {
        Self { status, code: code.as_str(), detail: detail.into(), errors: Vec::new() }
    }
}

impl From<ApiError> for Problem {
    fn from(error: ApiError) -> Self {
        match error {
            ApiError::Invalid(errors) => {
                // A lone unknown topic is told apart: the way on is another one, to the policy.
                let topic = errors
                    .iter()
                    .all(|fault| fault.field.ends_with("/topic") && fault.wanted.starts_with("a topic of the policy"));
                let code = if topic { Code::UnknownTopic } else { Code::Invalid };
                let detail = match errors.as_slice() {
                    [fault] => fault.to_string(),
                    faults => format!("{} things are wrong; see errors", faults.len()),
                };
                Self { status: StatusCode::UNPROCESSABLE_ENTITY, code: code.as_str(), detail, errors }
            }
            ApiError::NotFound { code, detail } => Self::new(StatusCode::NOT_FOUND, code, detail),
            ApiError::Conflict { code, detail, faults } => {
                Self { status: StatusCode::CONFLICT, code: code.as_str(), detail, errors: faults }
            }
            ApiError::Port(error) => {
                // Logged here, once; the caller learns only that it is not their fault.
                tracing::error!(error = chain(&error), "a dependency failed");
                let detail = format!("{error}: try again");
                Self::new(StatusCode::SERVICE_UNAVAILABLE, Code::Unavailable, detail)
            }
        }
    }
}

/// An error and what caused it, on one line.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Self { status, code, detail, errors } = self;
        let body = json!({
            "type": "about:blank",
            "title": status.canonical_reason().unwrap_or("Problem"),
            "status": status.as_u16(),
            "detail": detail,
            "code": code,
            "errors": errors,
        });
        let mut response = (status, Json(body)).into_response();
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        response
    }
}
