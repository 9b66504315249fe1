//! Policies and templates.

use std::sync::{Arc, LazyLock};

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

use super::{Store, Tables};

#[derive(Default)]
pub struct RulesTable {
    /// The latest is in force.
    pub policies: Vec<Arc<Versioned>>,
}

impl RulesTable {
    pub fn put(&mut self, policy: &Policy, put: Option<PolicyPut>) -> u32 {
        let version = u32::try_from(self.policies.len() + 1).unwrap();
        self.policies.push(Arc::new(Versioned { version, policy: policy.clone(), put }));
        version
    }

    pub fn policy(&self) -> Option<&Arc<Versioned>> {
        self.policies.last()
    }
}

/// The policy of a local stack.
pub fn shipped_policy() -> Value {
    serde_json::from_str(include_str!("../../../src/local/policy.json")).unwrap()
}

/// The templates that ship, compiled once for all worlds.
pub fn templates() -> &'static [Compiled] {
    static TEMPLATES: LazyLock<Vec<Compiled>> = LazyLock::new(|| {
        let compiled = |(name, source)| compile(&name, &Source::parse(&source).unwrap()).unwrap();
        shipped::templates().into_iter().map(compiled).collect()
    });
    &TEMPLATES
}

#[async_trait]
impl Policies for Tables {
    async fn current(&self) -> Result<Option<Arc<Versioned>>, PortError> {
        self.call("read the policy", |store| store.rules.policy().cloned()).await
    }

    async fn put(&self, policy: &Policy, put: &PolicyPut) -> Result<u32, PortError> {
        loop {
            let held = self.call("read the policy's version", |store| store.rules.policies.len()).await?;
            let (policy, put) = (policy.clone(), put.clone());
            let next = move |store: &mut Store| {
                (store.rules.policies.len() == held).then(|| store.rules.put(&policy, Some(put.clone())))
            };
            // If somebody else put one at the same moment, ours is the one after it.
            if let Some(version) = self.transact("put a policy", next).await? {
                return Ok(version);
            }
        }
    }
}

#[async_trait]
impl Templates for Tables {
    async fn current(&self, name: &TemplateName) -> Result<Option<Compiled>, PortError> {
        let name = name.clone();
        self.call("read a template", move |_| templates().iter().find(|held| held.name == name).cloned()).await
    }

    async fn pinned(&self, name: &TemplateName, hash: &str) -> Result<Option<Compiled>, PortError> {
        let (name, hash) = (name.clone(), hash.to_owned());
        let pinned = move |held: &&Compiled| held.name == name && held.hash == hash;
        self.call("read a pinned template", move |_| templates().iter().find(&pinned).cloned()).await
    }

    async fn put(&self, _compiled: &Compiled, _source: &Value) -> Result<(), PortError> {
        Err(PortError::unavailable("the templates", "they are fixed for a run"))
    }

    async fn source(&self, _name: &TemplateName) -> Result<Option<Value>, PortError> {
        Ok(None)
    }
}
