//! The flow's steps over the simulated services, put together as `aws/deployment.rs` puts them together.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use germane::{
    domain::{
        id::{NewsletterId, Shard, TemplateName},
        readiness::{account::Account, events::ConfigurationSet, sender::Identity, templates::Held as HeldTemplate},
        secret::Secret,
    },
    flow::{
        api::{Api, attributes::Usage},
        clock::Clock,
        doctor::{
            Doctor, Surroundings,
            order::{Flaw, Letter, Simulator},
        },
        feedback::Feedback,
        held::Held,
        launch::{CampaignRecord, Launcher},
        newsletter::{LastRun, NewsletterRecord, Newsletters},
        pace::Pacer,
        port::PortError,
        preferences::{Preferences, origin::Origins},
        preview::{Contract, PreviewPart, PreviewRecord, Previews, Terms},
        send::{
            Sender,
            mail::{Answer, MailerError},
            monitor::Unwatched,
        },
        template::Compiled,
        token::{TokenKey, TokenKeys},
    },
};
use jiff::Timestamp;

use super::{queue::Queues, ses::SesAccount, tables::Tables};

const PUBLIC_URL: &str = "https://mail.example.com";
const MAX_IN_FLIGHT: usize = 64;

/// One process: its clock, and the services as it reaches them.
#[derive(Clone)]
pub struct Process {
    pub clock: Arc<dyn Clock>,
    pub tables: Tables,
    pub queues: Queues,
    pub ses: SesAccount,
}

/// The keys that all processes sign with.
pub fn tokens() -> TokenKeys {
    TokenKeys::new(TokenKey { id: 1, secret: Secret::new([7; 32]) }, Vec::new())
}

impl Process {
    pub fn launcher(&self) -> Launcher {
        let (tables, queues) = (Arc::new(self.tables.clone()), Arc::new(self.queues.clone()));
        Launcher {
            clock: Arc::clone(&self.clock),
            campaigns: tables.clone(),
            policies: tables.clone(),
            templates: tables,
            queue: queues.clone(),
            scheduler: queues,
            shards: self.tables.shards,
        }
    }

    pub fn sender(&self) -> Sender {
        let (tables, queues) = (Arc::new(self.tables.clone()), Arc::new(self.queues.clone()));
        Sender {
            clock: Arc::clone(&self.clock),
            entropy: Arc::new(self.tables.network.chance.clone()),
            campaigns: tables.clone(),
            policies: tables.clone(),
            templates: tables.clone(),
            shard_items: tables.clone(),
            ledger: tables.clone(),
            pages: tables.clone(),
            claims: tables,
            mailer: Arc::new(self.ses.clone()),
            pacer: self.pacer(),
            queue: queues.clone(),
            scheduler: queues,
            monitor: Arc::new(Unwatched),
            tokens: tokens(),
            public_url: PUBLIC_URL.to_owned(),
            shards: self.tables.shards,
            max_in_flight: MAX_IN_FLIGHT,
        }
    }

    pub fn feedback(&self) -> Feedback {
        let tables = Arc::new(self.tables.clone());
        Feedback {
            clock: Arc::clone(&self.clock),
            campaigns: tables.clone(),
            policies: tables.clone(),
            people: tables.clone(),
            claims: tables.clone(),
            ledger: tables.clone(),
            settlements: tables.clone(),
            mailboxes: tables,
            queue: Arc::new(self.queues.clone()),
            shards: self.tables.shards,
        }
    }

    pub fn preferences(&self) -> Preferences {
        let tables = Arc::new(self.tables.clone());
        Preferences {
            clock: Arc::clone(&self.clock),
            people: tables.clone(),
            campaigns: tables.clone(),
            policies: tables.clone(),
            templates: tables.clone(),
            ledger: tables.clone(),
            settlements: tables.clone(),
            held: self.held(),
            marks: tables,
            mailer: Arc::new(self.ses.clone()),
            pacer: self.pacer(),
            shards: self.tables.shards,
            tokens: tokens(),
            origins: Origins { key: Secret::new([8; 32]) },
            public_url: PUBLIC_URL.to_owned(),
        }
    }

    pub fn api(&self) -> Api {
        let (tables, queues) = (Arc::new(self.tables.clone()), Arc::new(self.queues.clone()));
        Api {
            clock: Arc::clone(&self.clock),
            entropy: Arc::new(self.tables.network.chance.clone()),
            campaigns: tables.clone(),
            policies: tables.clone(),
            templates: tables.clone(),
            people: tables.clone(),
            addresses: tables.clone(),
            held: self.held(),
            pages: tables.clone(),
            ledger: tables.clone(),
            settlements: tables,
            previews: Arc::new(Unasked),
            contract: Arc::new(Unasked),
            usage: Arc::new(Unasked),
            newsletters: Arc::new(Unasked),
            queue: queues.clone(),
            scheduler: queues,
            doctor: self.doctor(),
            mailer: Arc::new(self.ses.clone()),
            pacer: self.pacer(),
            public_url: PUBLIC_URL.to_owned(),
            shards: self.tables.shards,
        }
    }

    pub fn held(&self) -> Held {
        let tables = Arc::new(self.tables.clone());
        Held {
            clock: Arc::clone(&self.clock),
            people: tables.clone(),
            addresses: tables.clone(),
            campaigns: tables.clone(),
            unlisted: tables.clone(),
            ledger: tables.clone(),
            settlements: tables,
            shards: self.tables.shards,
        }
    }

    fn doctor(&self) -> Doctor {
        let tables = Arc::new(self.tables.clone());
        Doctor {
            clock: Arc::clone(&self.clock),
            policies: tables.clone(),
            templates: tables.clone(),
            usage: Arc::new(Unasked),
            people: tables.clone(),
            addresses: tables.clone(),
            ledger: tables,
            surroundings: Arc::new(Unasked),
            account: Arc::new(self.ses.clone()),
            pacer: self.pacer(),
            simulator: Arc::new(Unasked),
            shards: self.tables.shards,
        }
    }

    fn pacer(&self) -> Pacer {
        Pacer::new(Arc::clone(&self.clock), Arc::new(self.tables.clone()), Arc::new(self.ses.clone()))
    }
}

/// What no simulation uses.
struct Unasked;

fn unasked<T>() -> Result<T, PortError> {
    Err(PortError::unavailable("a simulated service", "nobody asks for it here"))
}

#[async_trait]
impl Usage for Unasked {
    async fn declared(&self) -> Result<BTreeMap<TemplateName, Vec<String>>, PortError> {
        unasked()
    }

    async fn campaigns_since(&self, _: Timestamp) -> Result<Vec<CampaignRecord>, PortError> {
        unasked()
    }
}

#[async_trait]
impl Newsletters for Unasked {
    async fn get(&self, _: &NewsletterId) -> Result<Option<NewsletterRecord>, PortError> {
        unasked()
    }

    async fn list(&self, _: Option<&str>) -> Result<(Vec<NewsletterRecord>, Option<String>), PortError> {
        unasked()
    }

    async fn put(&self, _: &NewsletterRecord, _: Option<u32>) -> Result<bool, PortError> {
        unasked()
    }

    async fn remove(&self, _: &NewsletterId, _: u32) -> Result<bool, PortError> {
        unasked()
    }

    async fn ran(&self, _: &NewsletterId, _: &LastRun) -> Result<(), PortError> {
        unasked()
    }
}

#[async_trait]
impl Previews for Unasked {
    async fn create(&self, _: &PreviewRecord) -> Result<(), PortError> {
        unasked()
    }

    async fn get(&self, _: &str) -> Result<Option<(PreviewRecord, Vec<PreviewPart>)>, PortError> {
        unasked()
    }

    async fn put_part(&self, _: &str, _: Shard, _: &PreviewPart) -> Result<(), PortError> {
        unasked()
    }
}

#[async_trait]
impl Contract for Unasked {
    async fn terms(&self) -> Result<Terms, PortError> {
        unasked()
    }
}

#[async_trait]
impl Surroundings for Unasked {
    async fn identity(&self, _: &str) -> Result<Option<Identity>, PortError> {
        unasked()
    }

    async fn account(&self) -> Result<Account, PortError> {
        unasked()
    }

    async fn configuration_set(&self) -> Result<ConfigurationSet, PortError> {
        unasked()
    }

    async fn template(&self, _: &Compiled) -> Result<HeldTemplate, PortError> {
        unasked()
    }
}

#[async_trait]
impl Simulator for Unasked {
    async fn send(&self, _: &Letter<'_>, _: Flaw) -> Result<Vec<Answer>, MailerError> {
        Err(MailerError::Busy("nobody asks for it here".into()))
    }
}
