//! All that is held about one person, as a whole: to be taken along, and to be deleted.

use async_trait::async_trait;
use serde_json::{Value, json};

use crate::{
    domain::id::RecipientId,
    flow::{
        api::{Api, ApiError},
        port::PortError,
    },
};

#[async_trait]
pub trait Whole: Send + Sync {
    /// All of it; `None` if there is nobody of that id.
    async fn export(&self, id: &RecipientId) -> Result<Option<Value>, PortError>;

    /// Deletes it for good. That nobody is there is as good.
    async fn erase(&self, id: &RecipientId) -> Result<(), PortError>;
}

#[async_trait]
impl Whole for Api {
    async fn export(&self, id: &RecipientId) -> Result<Option<Value>, PortError> {
        let Some(recipient) = found(self.get_recipient(id).await)? else { return Ok(None) };
        let evidence = self.people.evidence(id).await?;
        Ok(Some(json!({ "recipient": recipient, "evidence": evidence })))
    }

    async fn erase(&self, id: &RecipientId) -> Result<(), PortError> {
        found(self.erase_recipient(id).await).map(|_| ())
    }
}

fn found<T>(answer: Result<T, ApiError>) -> Result<Option<T>, PortError> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(ApiError::NotFound { .. }) => Ok(None),
        Err(ApiError::Port(error)) => Err(error),
        Err(error @ (ApiError::Invalid(_) | ApiError::Conflict { .. })) => {
            Err(PortError::unavailable("the recipients table", error))
        }
    }
}
