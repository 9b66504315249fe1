//! The policy and the templates: checked at the door, versioned behind it.

use std::sync::Arc;

use serde_json::Value;

use super::{Api, ApiError, not_found, room};
use crate::{
    domain::{actor::Actor, id::TemplateName, policy::Policy},
    flow::{
        launch::{PolicyPut, Versioned},
        template::{Source, compile},
    },
};

impl Api {
    pub async fn get_policy(&self) -> Result<Arc<Versioned>, ApiError> {
        self.policies.current().await?.ok_or_else(|| not_found("policy", "yet"))
    }

    pub async fn put_policy(&self, body: &Value, by: &Actor) -> Result<u32, ApiError> {
        let policy = Policy::parse(body).map_err(ApiError::Invalid)?;
        room::check("", &[&policy])?;
        Ok(self.policies.put(&policy, &PolicyPut { by: by.clone(), at: self.clock.now() }).await?)
    }

    /// Compiles a template and puts it in place, for campaigns that are launched from now on; answers with its hash.
    pub async fn put_template(&self, name: &TemplateName, body: &Value) -> Result<String, ApiError> {
        let source = Source::parse(body).map_err(ApiError::Invalid)?;
        let compiled = compile(name, &source).map_err(ApiError::Invalid)?;
        let current = self.policy().await?;
        let faults = compiled.check_attributes(&current.policy);
        if !faults.is_empty() {
            return Err(ApiError::Invalid(faults));
        }
        room::check("/mjml", &[&compiled, body])?;
        self.templates.put(&compiled, body).await?;
        Ok(compiled.hash)
    }

    pub async fn get_template(&self, name: &TemplateName) -> Result<Value, ApiError> {
        self.templates.source(name).await?.ok_or_else(|| not_found("template", name))
    }
}
