//! The errors of SQS, with both of their names: the shape of the JSON protocol and the code of the older one, which
//! the SDK goes by.

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;
use tracing::error;

use super::QueuesError;
use crate::lambda::problem::chain;

#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    shape: &'static str,
    pub code: &'static str,
    pub message: String,
}

macro_rules! refusals {
    ($($name:ident: $shape:literal, $code:literal;)*) => {
        impl Refusal {
            $(pub(super) fn $name(message: impl Into<String>) -> Self {
                Self { status: StatusCode::BAD_REQUEST, shape: $shape, code: $code, message: message.into() }
            })*
        }
    };
}

refusals! {
    no_queue: "QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue";
    bad_value: "InvalidParameterValue", "InvalidParameterValue";
    bad_attribute: "InvalidAttributeName", "InvalidAttributeName";
    bad_contents: "InvalidMessageContents", "InvalidMessageContents";
    bad_receipt: "ReceiptHandleIsInvalid", "ReceiptHandleIsInvalid";
    not_in_flight: "MessageNotInflight", "AWS.SimpleQueueService.MessageNotInflight";
    empty_batch: "EmptyBatchRequest", "AWS.SimpleQueueService.EmptyBatchRequest";
    too_many_entries: "TooManyEntriesInBatchRequest", "AWS.SimpleQueueService.TooManyEntriesInBatchRequest";
    too_long: "BatchRequestTooLong", "AWS.SimpleQueueService.BatchRequestTooLong";
    same_ids: "BatchEntryIdsNotDistinct", "AWS.SimpleQueueService.BatchEntryIdsNotDistinct";
    bad_entry_id: "InvalidBatchEntryId", "AWS.SimpleQueueService.InvalidBatchEntryId";
    unsupported: "UnsupportedOperation", "AWS.SimpleQueueService.UnsupportedOperation";
}

impl From<QueuesError> for Refusal {
    fn from(error: QueuesError) -> Self {
        match error {
            QueuesError::NoQueue(_) => Self::no_queue("The specified queue does not exist."),
            QueuesError::Store(error) => {
                error!(error = chain(&error), "a call to SQS failed");
                let (shape, message) = ("InternalFailure", "The queues could not be written.".to_owned());
                Self { status: StatusCode::INTERNAL_SERVER_ERROR, shape, code: shape, message }
            }
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = json!({ "__type": format!("com.amazonaws.sqs#{}", self.shape), "message": self.message });
        let fault = if self.status.is_server_error() { "Receiver" } else { "Sender" };
        let headers = [
            (header::CONTENT_TYPE.as_str(), "application/x-amz-json-1.0".to_owned()),
            ("x-amzn-query-error", format!("{};{fault}", self.code)),
        ];
        (self.status, headers, body.to_string()).into_response()
    }
}
