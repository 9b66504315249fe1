//! The errors of the services, word for word as each of them answers.

use super::{super::between::Refusal, Service};

const ERROR_TYPE: &str = "x-amzn-errortype";
const QUERY_ERROR: &str = "x-amzn-query-error";

/// What each service says to somebody who asks too often
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html>).
pub const fn throttles(service: Service) -> &'static [Refusal] {
    match service {
        Service::DynamoDb => &[
            Refusal {
                status: 400,
                named: None,
                body: r#"{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException"}"#,
            },
            Refusal {
                status: 400,
                named: None,
                body: r#"{"__type":"com.amazon.coral.availability#ThrottlingException"}"#,
            },
        ],
        Service::Ses => &[Refusal {
            status: 429,
            named: Some((ERROR_TYPE, "TooManyRequestsException")),
            body: r#"{"message":"Maximum sending rate exceeded."}"#,
        }],
        Service::Sqs => &[Refusal {
            status: 403,
            named: Some((QUERY_ERROR, "RequestThrottled;Sender")),
            body: r#"{"__type":"com.amazonaws.sqs#RequestThrottled","message":"Too many requests."}"#,
        }],
        Service::Scheduler => &[Refusal {
            status: 429,
            named: Some((ERROR_TYPE, "ThrottlingException")),
            body: r#"{"Message":"Rate exceeded"}"#,
        }],
    }
}

/// What a service says that has failed by itself, and what stands before one that is not there.
pub const FAILURES: [Refusal; 2] = [
    Refusal {
        status: 500,
        named: Some((ERROR_TYPE, "InternalServerError")),
        body: r#"{"__type":"com.amazonaws.dynamodb.v20120810#InternalServerError","message":"The request could not be processed."}"#,
    },
    Refusal { status: 503, named: None, body: "Service Unavailable" },
];
