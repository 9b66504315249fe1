//! Problem details (RFC 9457): their shape, and what each code means.

use axum::http::StatusCode;
use utoipa::ToSchema;

use crate::flow::api::Code;

/// Why a request was not answered (RFC 9457).
#[derive(ToSchema)]
pub struct Problem {
    /// Always `about:blank`; tell problems apart by `code`.
    #[schema(rename = "type")]
    pub r#type: String,
    /// The status in words.
    pub title: String,
    #[schema(minimum = 400, maximum = 599)]
    pub status: u32,
    /// What went wrong this time, for people.
    pub detail: String,
    pub code: Code,
    /// Everything that is wrong with the request; empty where the fault is not in its fields.
    pub errors: Vec<Fault>,
}

/// One thing that is wrong with what came in.
#[derive(ToSchema)]
pub struct Fault {
    /// Where: a JSON Pointer (RFC 6901), empty for the whole document; `?` and a name for the query.
    pub field: String,
    /// What was there; values that may be a person's address or name are only measured.
    pub found: String,
    pub wanted: String,
}

pub fn status(code: Code) -> StatusCode {
    match code {
        Code::MalformedJson => StatusCode::BAD_REQUEST,
        Code::NotFound | Code::NotEvaluated => StatusCode::NOT_FOUND,
        Code::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        Code::IdTaken
        | Code::IllegalMove
        | Code::AddressTaken
        | Code::ErasedAddress
        | Code::NotLiftable
        | Code::NoPolicy
        | Code::ChangedSincePreview
        | Code::NotSent
        | Code::Contended => StatusCode::CONFLICT,
        Code::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Code::Invalid | Code::UnknownTopic => StatusCode::UNPROCESSABLE_ENTITY,
        Code::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        Code::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
    }
}

pub fn meaning(code: Code) -> &'static str {
    match code {
        Code::MalformedJson => "the body is not JSON; says from which line and column on",
        Code::TooLarge => "more than 5 MiB, or more than 1,000 lines of a bulk request",
        Code::Invalid => "`errors` says everything that is wrong",
        Code::UnknownTopic => "all that is wrong is a topic that the policy does not name: put it there first",
        Code::NotFound => "there is no such thing",
        Code::NotEvaluated => "the person is not in the campaign's audience, or their turn has not come yet",
        Code::IdTaken => "the id was used for another body: choose a new one",
        Code::IllegalMove => "the campaign's status does not allow it; `detail` says which it has, and what it allows",
        Code::AddressTaken => "an address belongs to another recipient",
        Code::ErasedAddress => "an address belonged to somebody who was erased",
        Code::NotLiftable => "the suppression is not a manual one; `detail` says who could lift it, if anybody can",
        Code::NoPolicy => "there is no policy yet: put one first",
        Code::ChangedSincePreview => {
            "the campaign, the policy or the template is not the one that was previewed; `errors` says which: preview it again"
        }
        Code::NotSent => "nothing was mailed, for now or for good; `detail` says why",
        Code::Contended => "others keep changing the same thing: try again",
        Code::MethodNotAllowed => "the path does not take this method",
        Code::Unavailable => "something that the API stands on did not answer: try again",
        Code::Internal => "a fault of ours",
    }
}
