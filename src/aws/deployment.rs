//! One deployment: its adapters, put together into what each function needs.

use std::sync::Arc;

use super::{
    clients::Clients,
    dynamo::Dynamo,
    mailer::SesMailer,
    pace::SesAccount,
    previews::PreviewTable,
    queue::{QueueUrls, SqsQueue},
    rules::{PolicyTable, TemplateTable},
    surroundings::SesSurroundings,
    system::SystemEntropy,
};
use crate::flow::{
    api::Api,
    clock::{Clock, Entropy},
    doctor::{Doctor, Surroundings, order::Simulator},
    feedback::Feedback,
    held::Held,
    launch::{Launcher, Policies, Templates},
    pace::{Account, Pacer, Timelines},
    preferences::{Preferences, origin::Origins},
    preview::{Contract, Previewer, Previews},
    queue::Queue,
    schedule::Scheduler,
    send::{
        Sender,
        mail::Mailer,
        monitor::{Monitor, Unwatched},
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
    pub scheduler: Arc<dyn Scheduler>,
    pub timelines: Arc<dyn Timelines>,
    pub account: Arc<dyn Account>,
    pub surroundings: Arc<dyn Surroundings>,
    pub simulator: Arc<dyn Simulator>,
    pub contract: Arc<dyn Contract>,
    pub monitor: Arc<dyn Monitor>,
    pub tokens: TokenKeys,
    /// Where the links in mails lead, without a slash at the end.
    pub public_url: String,
    /// At most so many SES calls of a shard are open at once: 1 to 64.
    pub max_in_flight: usize,
}

/// What a deployment chooses.
#[derive(Clone)]
pub struct Settings {
    pub queues: QueueUrls,
    pub scheduler: Arc<dyn Scheduler>,
    pub configuration_set: Option<String>,
    pub tokens: TokenKeys,
    pub public_url: String,
    pub max_in_flight: usize,
}

impl Deployment {
    pub fn new(clients: &Clients, dynamo: Dynamo, clock: Arc<dyn Clock>, settings: Settings) -> Self {
        let Settings { queues, scheduler, configuration_set, tokens, public_url, max_in_flight } = settings;
        let mailer = Arc::new(SesMailer::new(clients, configuration_set.clone()));
        Self {
            entropy: Arc::new(SystemEntropy),
            policies: Arc::new(PolicyTable::new(dynamo.clone())),
            templates: Arc::new(TemplateTable::new(dynamo.clone(), clients)),
            previews: Arc::new(PreviewTable::new(dynamo.clone(), Arc::clone(&clock))),
            queue: Arc::new(SqsQueue::new(clients, queues)),
            mailer: mailer.clone(),
            simulator: mailer,
            surroundings: Arc::new(SesSurroundings::new(clients, configuration_set)),
            timelines: Arc::new(dynamo.clone()),
            account: Arc::new(SesAccount::new(clients)),
            contract: Arc::new(SesAccount::new(clients)),
            monitor: Arc::new(Unwatched),
            scheduler,
            clock,
            dynamo,
            tokens,
            public_url,
            max_in_flight,
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
            addresses: dynamo.clone(),
            held: self.held(),
            pages: dynamo.clone(),
            ledger: dynamo.clone(),
            settlements: dynamo.clone(),
            usage: dynamo.clone(),
            newsletters: dynamo,
            previews: Arc::clone(&self.previews),
            contract: Arc::clone(&self.contract),
            queue: Arc::clone(&self.queue),
            scheduler: Arc::clone(&self.scheduler),
            mailer: Arc::clone(&self.mailer),
            pacer: self.pacer(),
            public_url: self.public_url.clone(),
            doctor: self.doctor(),
            shards: self.dynamo.shards,
        }
    }

    pub fn doctor(&self) -> Doctor {
        let dynamo = Arc::new(self.dynamo.clone());
        Doctor {
            clock: Arc::clone(&self.clock),
            policies: Arc::clone(&self.policies),
            templates: Arc::clone(&self.templates),
            usage: dynamo.clone(),
            people: dynamo.clone(),
            addresses: dynamo.clone(),
            ledger: dynamo,
            surroundings: Arc::clone(&self.surroundings),
            account: Arc::clone(&self.account),
            pacer: self.pacer(),
            simulator: Arc::clone(&self.simulator),
            shards: self.dynamo.shards,
        }
    }

    pub fn held(&self) -> Held {
        let dynamo = Arc::new(self.dynamo.clone());
        Held {
            clock: Arc::clone(&self.clock),
            people: dynamo.clone(),
            addresses: dynamo.clone(),
            campaigns: dynamo.clone(),
            unlisted: dynamo.clone(),
            ledger: dynamo.clone(),
            settlements: dynamo,
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
            scheduler: Arc::clone(&self.scheduler),
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
            ledger: dynamo.clone(),
            pages: dynamo.clone(),
            claims: dynamo,
            mailer: Arc::clone(&self.mailer),
            pacer: self.pacer(),
            queue: Arc::clone(&self.queue),
            scheduler: Arc::clone(&self.scheduler),
            monitor: Arc::clone(&self.monitor),
            tokens: self.tokens.clone(),
            public_url: self.public_url.clone(),
            shards: self.dynamo.shards,
            max_in_flight: self.max_in_flight,
        }
    }

    pub fn feedback(&self) -> Feedback {
        let dynamo = Arc::new(self.dynamo.clone());
        Feedback {
            clock: Arc::clone(&self.clock),
            campaigns: dynamo.clone(),
            policies: Arc::clone(&self.policies),
            people: dynamo.clone(),
            claims: dynamo.clone(),
            ledger: dynamo.clone(),
            settlements: dynamo.clone(),
            mailboxes: dynamo,
            queue: Arc::clone(&self.queue),
            shards: self.dynamo.shards,
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
            campaigns: dynamo.clone(),
            policies: Arc::clone(&self.policies),
            templates: Arc::clone(&self.templates),
            ledger: dynamo.clone(),
            settlements: dynamo.clone(),
            held: self.held(),
            marks: dynamo,
            mailer: Arc::clone(&self.mailer),
            pacer: self.pacer(),
            shards: self.dynamo.shards,
            tokens: self.tokens.clone(),
            origins: Origins { key: self.dynamo.address_key() },
            public_url: self.public_url.clone(),
        }
    }

    fn pacer(&self) -> Pacer {
        Pacer::new(Arc::clone(&self.clock), Arc::clone(&self.timelines), Arc::clone(&self.account))
    }
}
