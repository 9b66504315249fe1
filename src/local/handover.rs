//! What a worker in another process must know of a stack to work for it. The stack's secrets are in it, so it is
//! handed out on loopback alone (`control.rs`) and cannot be printed.

mod environment;

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{clock::LocalClock, services, ses::CONFIGURATION_SET};
use crate::{
    aws::{
        clients::{Clients, Endpoints},
        deployment::{Deployment, Settings},
        dynamo::Dynamo,
        queue::QueueUrls,
        tables::{self, TablesError},
    },
    domain::secret::Secret,
    flow::{
        clock::{Clock, Entropy},
        token::{TokenKey, TokenKeys},
    },
};

/// How many SES calls of a shard are open at once at most.
const MAX_IN_FLIGHT: usize = 64;

#[derive(Clone, Serialize, Deserialize)]
pub struct Handover {
    /// Tells one start of a stack from the next.
    pub id: String,
    /// Where the links in mails lead.
    pub public_url: String,
    pub endpoints: Endpoints,
    pub queues: QueueUrls,
    pub secrets: Secrets,
    pub time: Time,
}

#[derive(Clone, Serialize, Deserialize)]
pub struct Secrets {
    #[serde(with = "in_base64")]
    pub address_key: Secret,
    #[serde(with = "in_base64")]
    pub token_key: Secret,
}

/// What the stack's clock shows.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Time {
    pub now: Timestamp,
    pub driven: bool,
}

impl Secrets {
    pub fn draw(entropy: &dyn Entropy) -> Self {
        Self { address_key: services::secret(entropy), token_key: services::secret(entropy) }
    }
}

impl Time {
    pub fn of(clock: &LocalClock) -> Self {
        Self { now: clock.now(), driven: clock.is_driven() }
    }

    /// A clock that shows this time, and must be told when the stack's is moved.
    pub fn clock(self) -> LocalClock {
        if self.driven { LocalClock::driven(self.now) } else { LocalClock::machine() }
    }
}

impl Handover {
    /// The stack's deployment, as a process beside it has it.
    pub async fn join(&self, clock: Arc<dyn Clock>) -> Result<(Clients, Deployment), TablesError> {
        let clients = services::clients(&self.endpoints);
        let dynamo = tables::open(&clients, services::table_names(), self.secrets.address_key.clone(), None).await?;
        let deployment = self.deployment(&clients, dynamo, clock);
        Ok((clients, deployment))
    }

    pub fn deployment(&self, clients: &Clients, dynamo: Dynamo, clock: Arc<dyn Clock>) -> Deployment {
        let token_key = TokenKey { id: 1, secret: self.secrets.token_key.clone() };
        let settings = Settings {
            queues: self.queues.clone(),
            scheduler: services::scheduler(clients, self.queues.clone(), Arc::clone(&clock)),
            configuration_set: Some(CONFIGURATION_SET.to_owned()),
            tokens: TokenKeys::new(token_key, Vec::new()),
            public_url: self.public_url.clone(),
            max_in_flight: MAX_IN_FLIGHT,
        };
        Deployment::new(clients, dynamo, clock, settings)
    }
}

mod in_base64 {
    use base64::{Engine, engine::general_purpose::STANDARD};
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use crate::domain::secret::Secret;

    pub(super) fn serialize<S: Serializer>(secret: &Secret, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&STANDARD.encode(secret.bytes()))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Secret, D::Error> {
        let bytes = STANDARD.decode(String::deserialize(from)?).ok().and_then(|bytes| bytes.try_into().ok());
        bytes.map(Secret::new).ok_or_else(|| D::Error::custom("a secret has 32 bytes"))
    }
}
