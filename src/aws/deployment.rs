//! One deployment: its adapters, put together into what each function needs.

use std::sync::Arc;

use super::{
    clients::Clients,
    dynamo::Dynamo,
    mailer::{SesMailer, Unpaced},
    previews::PreviewTable,
    queue::{QueueUrls, SqsQueue},
    rules::{PolicyTable, TemplateTable},
    system::SystemEntropy,
};
use crate::flow::{
    api::Api,
    clock::{Clock, Entropy},
    launch::{Launcher, Policies, Templates},
    preferences::Preferences,
    preview::{Previewer, Previews},
    queue::Queue,
    send::{
        Sender,
        mail::{Mailer, Pace},
    },
    token::TokenKeys,
};

/// The ports of one deployment; each may be replaced, as tests do, before a function is made from them.
#[derive(Clone)]
pub struct Deployment {
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    pub dynamo: Dynamo,
    pub policies: Arc<dyn Policies>,
    pub templates: Arc<dyn Templates>,
    pub previews: Arc<dyn Previews>,
    pub queue: Arc<dyn Queue>,
    pub mailer: Arc<dyn Mailer>,
    pub pace: Arc<dyn Pace>,
    pub tokens: TokenKeys,
    /// Where the links in mails lead, without a slash at the end.
    pub public_url: String,
    /// How many SES calls a worker has open at once: 1 to 64.
    pub in_flight: usize,
}

/// What a deployment chooses.
#[derive(Clone)]
pub struct Settings {
    pub queues: QueueUrls,
    pub configuration_set: Option<String>,
    pub tokens: TokenKeys,
    pub public_url: String,
    pub in_flight: usize,
}

impl Deployment {
    pub fn new(clients: &Clients, dynamo: Dynamo, clock: Arc<dyn Clock>, settings: Settings) -> Self {
        let Settings { queues, configuration_set, tokens, public_url, in_flight } = settings;
        Self {
            entropy: Arc::new(SystemEntropy),
            policies: Arc::new(PolicyTable::new(dynamo.clone())),
            templates: Arc::new(TemplateTable::new(dynamo.clone(), clients)),
            previews: Arc::new(PreviewTable::new(dynamo.clone(), Arc::clone(&clock))),
            queue: Arc::new(SqsQueue::new(clients, queues)),
            mailer: Arc::new(SesMailer::new(clients, configuration_set)),
            pace: Arc::new(Unpaced),
            clock,
            dynamo,
            tokens,
            public_url,
            in_flight,
        }
    }

    pub fn api(&self) -> Api {
        let dynamo = Arc::new(self.dynamo.clone());
        Api {
            clock: Arc::clone(&self.clock),
            entropy: Arc::clone(&self.entropy),
            campaigns: dynamo.clone(),
            policies: Arc::clone(&self.policies),
            templates: Arc::clone(&self.templates),
            people: dynamo.clone(),
            pages: dynamo.clone(),
            ledger: dynamo,
            previews: Arc::clone(&self.previews),
            queue: Arc::clone(&self.queue),
            shards: self.dynamo.shards,
        }
    }

    pub fn launcher(&self) -> Launcher {
        Launcher {
            clock: Arc::clone(&self.clock),
            campaigns: Arc::new(self.dynamo.clone()),
            policies: Arc::clone(&self.policies),
            templates: Arc::clone(&self.templates),
            queue: Arc::clone(&self.queue),
            shards: self.dynamo.shards,
        }
    }

    pub fn sender(&self) -> Sender {
        let dynamo = Arc::new(self.dynamo.clone());
        Sender {
            clock: Arc::clone(&self.clock),
            entropy: Arc::clone(&self.entropy),
            campaigns: dynamo.clone(),
            policies: Arc::clone(&self.policies),
            templates: Arc::clone(&self.templates),
            shard_items: dynamo.clone(),
            pages: dynamo.clone(),
            claims: dynamo,
            mailer: Arc::clone(&self.mailer),
            pace: Arc::clone(&self.pace),
            queue: Arc::clone(&self.queue),
            tokens: self.tokens.clone(),
            public_url: self.public_url.clone(),
            shards: self.dynamo.shards,
            in_flight: self.in_flight,
        }
    }

    pub fn previewer(&self) -> Previewer {
        Previewer {
            clock: Arc::clone(&self.clock),
            policies: Arc::clone(&self.policies),
            pages: Arc::new(self.dynamo.clone()),
            previews: Arc::clone(&self.previews),
            shards: self.dynamo.shards,
        }
    }

    pub fn preferences(&self) -> Preferences {
        let dynamo = Arc::new(self.dynamo.clone());
        Preferences {
            clock: Arc::clone(&self.clock),
            people: dynamo.clone(),
            campaigns: dynamo,
            tokens: self.tokens.clone(),
        }
    }
}
