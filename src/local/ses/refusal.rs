//! What is not taken: a whole call, or one message of it.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::json;

/// A call that fails as a whole; nothing of it was sent.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    code: &'static str,
    message: String,
}

impl Refusal {
    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, code: "BadRequestException", message: message.into() }
    }

    pub(super) fn already_exists(message: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, code: "AlreadyExistsException", message: message.into() }
    }

    pub(super) fn limit_exceeded(message: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, code: "LimitExceededException", message: message.into() }
    }

    pub(super) fn not_found(message: impl Into<String>) -> Self {
        Self { status: StatusCode::NOT_FOUND, code: "NotFoundException", message: message.into() }
    }

    pub(super) fn message_rejected(message: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, code: "MessageRejected", message: message.into() }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let kind = [("x-amzn-errortype", self.code)];
        (self.status, kind, Json(json!({ "message": self.message }))).into_response()
    }
}

/// One message that is not taken: an entry's status in a bulk call, the whole call otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unfit {
    InvalidParameter(String),
    MessageRejected(String),
    TemplateNotFound(String),
}

impl Unfit {
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::InvalidParameter(message.into())
    }

    /// The `BulkEmailStatus` and its message.
    pub(super) fn status(&self) -> (&'static str, &str) {
        match self {
            Self::InvalidParameter(message) => ("INVALID_PARAMETER", message),
            Self::MessageRejected(message) => ("MESSAGE_REJECTED", message),
            Self::TemplateNotFound(message) => ("TEMPLATE_NOT_FOUND", message),
        }
    }
}

impl From<Unfit> for Refusal {
    fn from(unfit: Unfit) -> Self {
        match unfit {
            Unfit::InvalidParameter(message) => Self::bad_request(message),
            Unfit::MessageRejected(message) => Self::message_rejected(message),
            Unfit::TemplateNotFound(message) => Self::not_found(message),
        }
    }
}
