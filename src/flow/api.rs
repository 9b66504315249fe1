//! What marketers and engineers ask for: each request parsed, answered, and refused with every fault named.

pub mod attributes;
mod bulk;
pub mod campaigns;
pub(super) mod confirmations;
pub mod decisions;
mod lifecycle;
mod newsletters;
pub mod previews;
pub mod recipients;
mod room;
pub mod rules;
pub mod suppressions;
pub mod trial;

use std::sync::Arc;

use self::{attributes::Usage, recipients::People, suppressions::Addresses};
use super::{
    clock::{Clock, Entropy},
    doctor::Doctor,
    feedback::Settlements,
    held::Held,
    launch::{Campaigns, Policies, Templates, Versioned},
    ledger::Ledger,
    newsletter::Newsletters,
    pace::Pacer,
    port::PortError,
    preview::{Contract, Previews},
    queue::Queue,
    schedule::Scheduler,
    send::{mail::Mailer, reader::Pages},
};
use crate::domain::{codes::codes, door::Fault};

/// What the requests need.
pub struct Api {
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    pub campaigns: Arc<dyn Campaigns>,
    pub policies: Arc<dyn Policies>,
    pub templates: Arc<dyn Templates>,
    pub people: Arc<dyn People>,
    pub addresses: Arc<dyn Addresses>,
    pub held: Held,
    pub pages: Arc<dyn Pages>,
    pub ledger: Arc<dyn Ledger>,
    pub settlements: Arc<dyn Settlements>,
    pub previews: Arc<dyn Previews>,
    pub contract: Arc<dyn Contract>,
    pub usage: Arc<dyn Usage>,
    pub newsletters: Arc<dyn Newsletters>,
    pub queue: Arc<dyn Queue>,
    pub scheduler: Arc<dyn Scheduler>,
    pub doctor: Doctor,
    pub mailer: Arc<dyn Mailer>,
    pub pacer: Pacer,
    /// Where the links in mails lead, without a slash at the end.
    pub public_url: String,
    /// Of the tables.
    pub shards: u16,
}

/// Why a request was not answered.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// 422: everything that is wrong with it.
    #[error("the request has {} fault(s)", .0.len())]
    Invalid(Vec<Fault>),
    /// 404
    #[error("{detail}")]
    NotFound { code: Code, detail: String },
    /// 409
    #[error("{detail}")]
    Conflict { code: Code, detail: String, faults: Vec<Fault> },
    /// 503
    #[error(transparent)]
    Port(#[from] PortError),
}

codes!(
    /// What a caller may tell problems apart by; stable.
    Code {
        MalformedJson = "malformed_json",
        TooLarge = "too_large",
        Invalid = "invalid",
        UnknownTopic = "unknown_topic",
        NotFound = "not_found",
        NotEvaluated = "not_evaluated",
        IdTaken = "id_taken",
        IllegalMove = "illegal_move",
        AddressTaken = "address_taken",
        ErasedAddress = "erased_address",
        NotLiftable = "not_liftable",
        NoPolicy = "no_policy",
        ChangedSincePreview = "changed_since_preview",
        NotSent = "not_sent",
        Contended = "contended",
        MethodNotAllowed = "method_not_allowed",
        Unavailable = "unavailable",
        Internal = "internal",
    }
);

impl Api {
    async fn policy(&self) -> Result<Arc<Versioned>, ApiError> {
        self.policies.current().await?.ok_or_else(|| ApiError::Conflict {
            code: Code::NoPolicy,
            detail: "there is no policy yet: put one first (PUT /v1/policy, `germane policy put`)".to_owned(),
            faults: Vec::new(),
        })
    }
}

fn not_found(what: &str, name: impl std::fmt::Display) -> ApiError {
    ApiError::NotFound { code: Code::NotFound, detail: format!("there is no {what} {name}") }
}

/// A fault in the query of a URL.
pub fn query_fault(name: &str, found: &str, wanted: &str) -> ApiError {
    // A `%40` is an `@` that was written so.
    let found = match found.replace("%40", "@") {
        address if address.contains('@') => format!("a text of {} characters with an @", found.chars().count()),
        _ => format!("\"{found}\""),
    };
    ApiError::Invalid(vec![Fault::new(&format!("?{name}"), &found, wanted)])
}
