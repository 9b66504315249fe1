//! The errors of EventBridge Scheduler: a status, and a type in a header.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::json;
use tracing::error;

use crate::{lambda::problem::chain, local::store::StoreError};

#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    kind: &'static str,
    message: String,
}

impl Refusal {
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, kind: "ValidationException", message: message.into() }
    }

    pub(super) fn not_found(what: &str, name: &str) -> Self {
        let message = format!("{what} {name} does not exist.");
        Self { status: StatusCode::NOT_FOUND, kind: "ResourceNotFoundException", message }
    }

    pub(super) fn conflict(name: &str) -> Self {
        let message = format!("Schedule {name} already exists.");
        Self { status: StatusCode::CONFLICT, kind: "ConflictException", message }
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        error!(error = chain(&error), "a call to EventBridge Scheduler failed");
        let message = "The schedules could not be written.".to_owned();
        Self { status: StatusCode::INTERNAL_SERVER_ERROR, kind: "InternalServerException", message }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.status, [("x-amzn-errortype", self.kind)], Json(json!({ "Message": self.message }))).into_response()
    }
}
