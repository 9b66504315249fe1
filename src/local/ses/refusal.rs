//! What is not taken: a whole call, or one message of it.

use std::error::Error;

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

    pub(super) fn too_many_requests(message: impl Into<String>) -> Self {
        Self { status: StatusCode::TOO_MANY_REQUESTS, code: "TooManyRequestsException", message: message.into() }
    }

    /// What the archive could not keep. Whoever called cannot tell this from an answer that was lost.
    pub(super) fn not_kept(error: &(dyn Error + 'static)) -> Self {
        tracing::error!(error, "SES could not write to its folder");
        let message = "The stand-in could not write to its folder".to_owned();
        Self { status: StatusCode::INTERNAL_SERVER_ERROR, code: "InternalFailure", message }
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
    Throttled,
    QuotaExceeded,
}

const THROTTLED: &str = "Maximum sending rate exceeded.";
const QUOTA_EXCEEDED: &str = "Daily message quota exceeded.";

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
            Self::Throttled => ("ACCOUNT_THROTTLED", THROTTLED),
            Self::QuotaExceeded => ("ACCOUNT_DAILY_QUOTA_EXCEEDED", QUOTA_EXCEEDED),
        }
    }
}

impl From<Unfit> for Refusal {
    fn from(unfit: Unfit) -> Self {
        match unfit {
            Unfit::InvalidParameter(message) => Self::bad_request(message),
            Unfit::MessageRejected(message) => Self::message_rejected(message),
            Unfit::TemplateNotFound(message) => Self::not_found(message),
            Unfit::Throttled => Self::too_many_requests(THROTTLED),
            Unfit::QuotaExceeded => Self::limit_exceeded(QUOTA_EXCEEDED),
        }
    }
}
