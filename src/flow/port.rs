//! What can go wrong behind any port.

use std::error::Error;

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

    pub fn corrupt(what: &'static str, why: impl std::fmt::Display) -> Self {
        Self::Corrupt { what, why: why.to_string() }
    }
}
