//! The product's own side: the deployment that the functions run, with its queue left out.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use germane::{
    aws::{
        clients::Clients,
        deployment::{Deployment, Settings},
        mailer::SesMailer,
        queue::QueueUrls,
        tables::{self, TableNames},
    },
    domain::{
        actor::Actor,
        id::{CampaignId, NewsletterId, Shard},
        newsletter::Recurrence,
        recipient::Recipient,
        secret::Secret,
    },
    flow::{
        api::recipients::{People, PersonWrite, PutResult},
        clock::Clock,
        port::PortError,
        queue::{Message, Queue, Unhurried, Work},
        schedule::{ScheduleName, Scheduler},
        token::{TokenKey, TokenKeys},
    },
    local::shipped,
};
use jiff::Timestamp;
use serde_json::Value;

use super::{
    Failure,
    audience::{self, Decided},
    stand_in::StandIn,
};

/// The table that the people are read from.
pub const PEOPLE: &str = "germane-recipients";
const PREFIX: &str = "germane";
pub const PUBLIC_URL: &str = "https://mail.example.com";

#[derive(Clone)]
pub struct Ours {
    pub deployment: Deployment,
    pub shards: u16,
    previews: Arc<AtomicU64>,
}

impl Ours {
    pub async fn start(
        stand_in: &StandIn,
        shards: u16,
        in_flight: usize,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Failure> {
        let clients = stand_in.clients();
        let names = TableNames::new(PREFIX);
        tables::create(&clients.dynamodb, &names, shards).await?;
        let dynamo = tables::open(&clients, names, Secret::new([9; 32]), None).await?;
        let settings = Settings {
            queues: QueueUrls {
                launch: String::new(),
                shard: String::new(),
                preview: String::new(),
                feedback: String::new(),
            },
            configuration_set: None,
            tokens: TokenKeys::new(TokenKey { id: 1, secret: Secret::new([7; 32]) }, Vec::new()),
            public_url: PUBLIC_URL.to_owned(),
            scheduler: Arc::new(Unqueued),
            max_in_flight: in_flight,
        };
        let mut deployment = Deployment::new(&clients, dynamo, clock, settings);
        deployment.queue = Arc::new(Unqueued);
        deployment.api().put_policy(&audience::policy()?, &Actor::local()).await?;
        for (name, source) in shipped::templates() {
            deployment.api().put_template(&name, &source).await?;
        }
        Ok(Self { deployment, shards, previews: Arc::default() })
    }

    pub async fn store(&self, people: &[Recipient]) -> Result<(), Failure> {
        let write = |after| PersonWrite { before: None, after, evidence: Vec::new() };
        let writes: Vec<PersonWrite<'_>> = people.iter().map(write).collect();
        let results = self.deployment.dynamo.put(&writes).await?;
        match results.into_iter().find(|result| *result != PutResult::Written) {
            Some(result) => Err(Failure::from(format!("a person was not stored: {result:?}"))),
            None => Ok(()),
        }
    }

    /// The same against an SES that takes its time, with so many calls open at once.
    pub fn behind_latency(&self, stand_in: &StandIn, in_flight: usize) -> Self {
        let clients: Clients = stand_in.slow_clients();
        let mut slow = self.clone();
        slow.deployment.mailer = Arc::new(SesMailer::new(&clients, None));
        slow.deployment.max_in_flight = in_flight;
        slow
    }

    pub async fn send(&self, campaign: &str) -> Result<Decided, Failure> {
        self.send_shards(campaign, self.shards).await
    }

    /// Launches a campaign, walks its first `shards` shards and reads from its report what it did.
    pub async fn send_shards(&self, campaign: &str, shards: u16) -> Result<Decided, Failure> {
        let id: CampaignId = campaign.parse()?;
        self.deployment.api().submit(&audience::campaign(campaign), &Actor::local()).await?;
        self.deployment.launcher().attend(&id).await?;
        let sender = self.deployment.sender();
        for shard in 0..shards {
            sender.run(&Work { campaign: id.clone(), shard: Shard(shard), pass: 1 }, &Unhurried).await?;
        }
        decided(&self.deployment.api().report(&id).await?)
    }

    pub async fn preview(&self) -> Result<Decided, Failure> {
        let number = self.previews.fetch_add(1, Ordering::Relaxed);
        let body = audience::campaign(&format!("preview-{number}"));
        let (id, _) = self.deployment.api().preview(&body, None).await?;
        let previewer = self.deployment.previewer();
        for shard in 0..self.shards {
            previewer.run(id.as_str(), Shard(shard)).await?;
        }
        decided(&self.deployment.api().preview_report(&id).await?)
    }
}

fn decided(report: &Value) -> Result<Decided, Failure> {
    let number = |at: &str| report.pointer(at).and_then(Value::as_u64).ok_or("a report without its numbers");
    Ok(Decided { people: number("/decided")?, sent: number("/outcomes/sent")? })
}

/// The benchmark hands each shard to its worker itself.
struct Unqueued;

#[async_trait]
impl Queue for Unqueued {
    async fn send(&self, _messages: &[Message], _delay: Duration) -> Result<(), PortError> {
        Ok(())
    }
}

#[async_trait]
impl Scheduler for Unqueued {
    async fn once(&self, _name: &ScheduleName, _at: Timestamp, _message: &Message) -> Result<(), PortError> {
        Ok(())
    }

    async fn recur(
        &self,
        _name: &ScheduleName,
        _recurrence: &Recurrence,
        _newsletter: &NewsletterId,
    ) -> Result<(), PortError> {
        Ok(())
    }

    async fn forget(&self, _name: &ScheduleName) -> Result<(), PortError> {
        Ok(())
    }
}
