//! The errors of SQS, with both of their names: the shape of the JSON protocol and the code of the older one, which
//! the SDK goes by.

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

#[derive(Debug)]
pub(super) struct Refusal {
    shape: &'static str,
    pub code: &'static str,
    pub message: String,
}

macro_rules! refusals {
    ($($name:ident: $shape:literal, $code:literal;)*) => {
        impl Refusal {
            $(pub(super) fn $name(message: impl Into<String>) -> Self {
                Self { shape: $shape, code: $code, message: message.into() }
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

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = json!({ "__type": format!("com.amazonaws.sqs#{}", self.shape), "message": self.message });
        let headers = [
            (header::CONTENT_TYPE.as_str(), "application/x-amz-json-1.0".to_owned()),
            ("x-amzn-query-error", format!("{};Sender", self.code)),
        ];
        (StatusCode::BAD_REQUEST, headers, body.to_string()).into_response()
    }
}
