//! What can go wrong behind any port.

use std::error::Error;

use serde_json::error::Category;

/// A dependency failed. Nothing is known of the effect of a call that changes something: it may have happened.
#[derive(Debug, thiserror::Error)]
pub enum PortError {
    /// The service did not answer, or answered that it could not.
    #[error("{service} is not available")]
    Unavailable {
        service: &'static str,
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// What is stored cannot be read: another version wrote it, or it is damaged.
    #[error("{what} cannot be read: {why}")]
    Corrupt { what: &'static str, why: String },
}

impl PortError {
    pub fn unavailable(service: &'static str, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Unavailable { service, source: source.into() }
    }

    /// What is stored or queued is no JSON, or of another shape. What stands there may be anybody's address, so that
    /// only its place is told.
    pub fn no_json(what: &'static str, error: &serde_json::Error) -> Self {
        let kind = match error.classify() {
            Category::Syntax | Category::Io => "it is no JSON",
            Category::Eof => "its JSON is cut",
            Category::Data => "its JSON has another shape",
        };
        Self::corrupt(what, format!("{kind} at line {}, column {}", error.line(), error.column()))
    }

    pub fn corrupt(what: &'static str, why: impl std::fmt::Display) -> Self {
        Self::Corrupt { what, why: why.to_string() }
    }
}
