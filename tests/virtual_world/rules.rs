//! The policy and the template: those that ship, the same for a whole run.

use std::sync::Arc;

use async_trait::async_trait;
use germane::{
    domain::{id::TemplateName, policy::Policy},
    flow::{
        launch::{Policies, PolicyPut, Templates, Versioned},
        port::PortError,
        template::{Compiled, Source, compile},
    },
    local::shipped,
};
use serde_json::Value;

use super::network::Network;

pub struct Rules {
    network: Arc<Network>,
    pub policy: Arc<Versioned>,
    template: Compiled,
}

impl Rules {
    pub fn shipped(network: Arc<Network>) -> Self {
        let policy = serde_json::from_str(include_str!("../../src/local/policy.json")).unwrap();
        let policy = Arc::new(Versioned { version: 1, policy: Policy::parse(&policy).unwrap(), put: None });
        let newsletter = |(name, _): &(TemplateName, Value)| name.as_str() == "newsletter";
        let (name, source) = shipped::templates().into_iter().find(newsletter).unwrap();
        let template = compile(&name, &Source::parse(&source).unwrap()).unwrap();
        Self { network, policy, template }
    }

    pub fn template(&self) -> &TemplateName {
        &self.template.name
    }
}

#[async_trait]
impl Policies for Rules {
    async fn current(&self) -> Result<Option<Arc<Versioned>>, PortError> {
        Ok(self.network.table(|| Some(Arc::clone(&self.policy))).await)
    }

    async fn put(&self, _policy: &Policy, _put: &PolicyPut) -> Result<u32, PortError> {
        Err(fixed())
    }
}

#[async_trait]
impl Templates for Rules {
    async fn current(&self, name: &TemplateName) -> Result<Option<Compiled>, PortError> {
        Ok(self.network.table(|| Some(&self.template).filter(|held| held.name == *name).cloned()).await)
    }

    async fn pinned(&self, name: &TemplateName, hash: &str) -> Result<Option<Compiled>, PortError> {
        let pinned = |held: &&Compiled| held.name == *name && held.hash == hash;
        Ok(self.network.table(|| Some(&self.template).filter(pinned).cloned()).await)
    }

    async fn put(&self, _compiled: &Compiled, _source: &Value) -> Result<(), PortError> {
        Err(fixed())
    }

    async fn source(&self, _name: &TemplateName) -> Result<Option<Value>, PortError> {
        Ok(None)
    }
}

fn fixed() -> PortError {
    PortError::unavailable("the rules", "they are fixed for a run")
}
