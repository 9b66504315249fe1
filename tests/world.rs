//! A deployment on the embedded services, with the queues worked by hand: nothing runs unless a test says so.

mod check;
mod time;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use germane::{
    aws::{
        clients::Clients,
        deployment::{Deployment, Settings},
        dynamo::Dynamo,
        queue::QueueUrls,
        tables::{self, TablesError},
    },
    domain::{
        actor::Actor,
        campaign::Campaign,
        id::{CampaignId, RecipientId, Ref, Shard},
        recipient::{Profile, Recipient},
        secret::Secret,
    },
    flow::{
        api::{
            decisions::Filter,
            recipients::{Evidence, People, PersonWrite, PutResult},
        },
        clock::Clock,
        launch::Campaigns,
        ledger::{Entry, Ledger},
        queue::{Message, Unhurried, Work},
        send::{lease::LEASE_S, reader::Pages},
        token::{TokenKey, TokenKeys},
    },
    lambda::queue::{Handle, Launching, WorkError, Workers},
    local::{
        clock::LocalClock,
        services::{self, FEEDBACK, LAUNCH, PREVIEW, SHARD, Services},
        ses::{CONFIGURATION_SET, Mail, SesConfig},
        shipped,
    },
};
use jiff::Timestamp;
use serde_json::{Value, json};

/// A Monday morning.
pub const NOW: &str = "2026-11-23T09:00:00Z";

/// The longest back-off of the flow; a renewal of a lease waits longer.
const BACK_OFF: Duration = Duration::from_secs(10);

/// Starts when a test says; in a hurry, no back-off takes its time.
pub struct DrivenClock {
    clock: LocalClock,
    hurries: AtomicBool,
}

impl DrivenClock {
    fn new(start: &str) -> Self {
        Self { clock: LocalClock::driven(start.parse().unwrap()), hurries: AtomicBool::new(false) }
    }

    /// From now on a back-off moves the clock instead of taking its time.
    pub fn hurry(&self) {
        self.hurries.store(true, Ordering::Relaxed);
    }

    pub fn advance(&self, by: Duration) {
        self.clock.advance(by).unwrap();
    }

    /// Moves forward to `time`, if that is still ahead.
    pub fn reach(&self, time: Timestamp) {
        self.clock.reach(time);
    }
}

#[async_trait]
impl Clock for DrivenClock {
    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn monotonic(&self) -> Duration {
        self.clock.monotonic()
    }

    async fn sleep(&self, duration: Duration) {
        let wakes = self.monotonic().saturating_add(duration);
        if self.hurries.load(Ordering::Relaxed) && duration <= BACK_OFF {
            tokio::task::yield_now().await;
            self.advance(wakes.saturating_sub(self.monotonic()));
        }
        self.clock.sleep(wakes.saturating_sub(self.monotonic())).await;
    }
}

pub struct World {
    pub clock: Arc<DrivenClock>,
    pub services: Services,
    pub deployment: Deployment,
    /// Of each campaign whose first pass is through, the people whom it read.
    read: Mutex<BTreeMap<String, BTreeSet<RecipientId>>>,
    /// Who came while campaigns were under way.
    late: Mutex<BTreeSet<RecipientId>>,
}

/// How a world begins.
pub struct Setup {
    pub start: &'static str,
    pub ses: SesConfig,
    pub shards: u16,
}

impl Default for Setup {
    fn default() -> Self {
        Self { start: NOW, ses: SesConfig::default(), shards: 4 }
    }
}

/// What a test leaves out of a policy, campaign or recipient stays as these have it.
pub fn policy() -> Value {
    serde_json::from_str(include_str!("../src/local/policy.json")).unwrap()
}

pub fn campaign(id: &str) -> Value {
    json!({
        "id": id, "topic": "rust", "channel": "work", "template": "newsletter",
        "content": { "headline": "Async closures" },
    })
}

/// Somebody for whom a campaign on `rust` at work is germane.
pub fn person(id: &str) -> Value {
    json!({
        "id": id,
        "addresses": { "work": format!("{id}@example.com") },
        "time_zone": "Europe/Berlin",
        "interests": [{ "topic": "rust", "strength": 0.9, "source": "declared", "context": "any", "at": "2026-03-12T09:00:00Z" }],
        "consents": [{ "topic": "rust", "channel": "work", "status": "granted", "at": "2026-03-12T09:00:00Z" }],
    })
}

/// `value` with the fields of `change` in place of its own, at every depth.
pub fn with(mut value: Value, change: Value) -> Value {
    merge(&mut value, change);
    value
}

fn merge(value: &mut Value, change: Value) {
    match (value, change) {
        (Value::Object(value), Value::Object(change)) => {
            for (key, change) in change {
                merge(value.entry(key).or_insert(Value::Null), change);
            }
        }
        (value, change) => *value = change,
    }
}

fn address_key() -> Secret {
    Secret::new([5; 32])
}

fn deployment(clients: &Clients, dynamo: Dynamo, queues: &QueueUrls, clock: Arc<dyn Clock>) -> Deployment {
    let settings = Settings {
        queues: queues.clone(),
        configuration_set: Some(CONFIGURATION_SET.to_owned()),
        tokens: TokenKeys::new(TokenKey { id: 1, secret: Secret::new([7; 32]) }, Vec::new()),
        public_url: "https://mail.example.com".to_owned(),
        scheduler: services::scheduler(clients, queues.clone(), Arc::clone(&clock)),
        max_in_flight: 8,
    };
    Deployment::new(clients, dynamo, clock, settings)
}

impl World {
    pub async fn start() -> Self {
        Self::with(Setup::default()).await
    }

    pub async fn with_shards(shards: u16) -> Self {
        Self::with(Setup { shards, ..Setup::default() }).await
    }

    pub async fn with(Setup { start, ses, shards }: Setup) -> Self {
        let clock = Arc::new(DrivenClock::new(start));
        let port: Arc<dyn Clock> = clock.clone();
        let services = Services::open(&port, address_key(), ses, shards, None).await.unwrap();
        let deployment = deployment(&services.clients, services.dynamo.clone(), &services.queue_urls, port);
        let world = Self { clock, services, deployment, read: Mutex::default(), late: Mutex::default() };
        world.put_policy(&policy()).await;
        for (name, source) in shipped::templates() {
            world.deployment.api().put_template(&name, &source).await.unwrap();
        }
        world
    }

    /// The same deployment through other clients.
    pub async fn deployment_over(&self, clients: &Clients) -> Result<Deployment, TablesError> {
        let dynamo = tables::open(clients, services::table_names(), address_key(), None).await?;
        Ok(deployment(clients, dynamo, &self.services.queue_urls, self.clock.clone()))
    }

    pub async fn put_policy(&self, policy: &Value) {
        self.deployment.api().put_policy(policy, &Actor::local()).await.unwrap();
    }

    pub async fn put(&self, people: &[Value]) {
        for people in people.chunks(500) {
            let lines: Vec<String> = people.iter().map(ToString::to_string).collect();
            let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
            for answer in self.deployment.api().put_recipients(&lines, "a test").await.unwrap() {
                assert_ne!(answer["result"], "refused", "{answer}");
            }
        }
    }

    /// The same of people who come while campaigns are under way.
    pub async fn put_late(&self, people: &[Value]) {
        self.late.lock().unwrap().extend(people.iter().map(|person| person["id"].as_str().unwrap().parse().unwrap()));
        self.put(people).await;
    }

    /// `count` people for whom a campaign is germane, named r-00000 and on.
    pub async fn put_many(&self, count: usize) {
        let people: Vec<Value> = (0..count).map(|n| person(&format!("r-{n:05}"))).collect();
        self.put(&people).await;
    }

    pub async fn submit(&self, campaign: &Value) {
        self.deployment.api().submit(campaign, &Actor::local()).await.unwrap();
    }

    pub fn workers(&self) -> Workers {
        let launching = Launching {
            launcher: Arc::new(self.deployment.launcher()),
            api: Arc::new(self.deployment.api()),
            previewer: Arc::new(self.deployment.previewer()),
        };
        let (sender, feedback) = (Arc::new(self.deployment.sender()), Arc::new(self.deployment.feedback()));
        Workers { launching, sender, feedback }
    }

    /// Works on every message that is there, until none is left that is due.
    pub async fn drain(&self) {
        let errors = self.drain_with(&self.workers()).await;
        assert!(errors.is_empty(), "{errors:?}");
    }

    /// The same with these workers; answers with the errors of messages that went back to their queue.
    pub async fn drain_with(&self, workers: &Workers) -> Vec<WorkError> {
        let mut errors = Vec::new();
        loop {
            self.services.schedules.fire_due().unwrap();
            let mut idle = true;
            for queue in [LAUNCH, PREVIEW, SHARD] {
                let messages = self.services.queues.receive(queue, 64).unwrap();
                idle &= messages.is_empty();
                let work = messages.iter().map(|message| workers.handle(&message.body, &Unhurried));
                for (message, done) in messages.iter().zip(futures_util::future::join_all(work).await) {
                    match done {
                        Ok(()) => self.services.queues.delete(queue, &message.receipt).unwrap(),
                        Err(error) => errors.push(error),
                    }
                }
            }
            if idle {
                return errors;
            }
        }
    }

    /// Takes every event that is there, in batches as an event source mapping gathers them, until none is left that is
    /// due. Answers with how many could not be taken; they are given up.
    pub async fn feed_back(&self) -> usize {
        let feedback = self.deployment.feedback();
        let mut failed = 0;
        loop {
            let messages = self.services.queues.receive(FEEDBACK, 100).unwrap();
            if messages.is_empty() {
                return failed;
            }
            let bodies: Vec<&str> = messages.iter().map(|message| &*message.body).collect();
            failed += feedback.take(&bodies).await.iter().filter(|answer| answer.is_err()).count();
            for message in &messages {
                self.services.queues.delete(FEEDBACK, &message.receipt).unwrap();
            }
        }
    }

    /// Submits and launches; the shards lie in their queue.
    pub async fn launch(&self, campaign: &Value) {
        self.submit(campaign).await;
        for message in self.services.queues.receive(LAUNCH, 64).unwrap() {
            self.workers().handle(&message.body, &Unhurried).await.unwrap();
            self.services.queues.delete(LAUNCH, &message.receipt).unwrap();
        }
    }

    /// What happens once every lease has ended and every message is visible again.
    pub async fn take_over(&self) {
        self.clock.advance(Duration::from_secs(LEASE_S + 1));
        self.drain().await;
        // A shard that was found held comes a second after the lease's end.
        self.clock.advance(Duration::from_secs(LEASE_S + 2));
        self.drain().await;
    }

    /// Submits, works everything off, and checks that what is written is what happened.
    pub async fn send(&self, campaign: &Value) -> Value {
        self.submit(campaign).await;
        self.drain().await;
        self.check(campaign["id"].as_str().unwrap()).await
    }

    pub async fn report(&self, campaign: &str) -> Value {
        self.deployment.api().report(&campaign.parse().unwrap()).await.unwrap()
    }

    pub async fn why(&self, campaign: &str, recipient: &str) -> Value {
        let (campaign, recipient) = (campaign.parse().unwrap(), recipient.parse().unwrap());
        self.deployment.api().why(&campaign, &recipient, false).await.unwrap()
    }

    /// The same with every gate's verdict.
    pub async fn why_all(&self, campaign: &str, recipient: &str) -> Value {
        let (campaign, recipient) = (campaign.parse().unwrap(), recipient.parse().unwrap());
        self.deployment.api().why(&campaign, &recipient, true).await.unwrap()
    }

    /// The finished preview of a campaign.
    pub async fn preview(&self, campaign: &Value) -> Value {
        let (id, _) = self.deployment.api().preview(campaign, None).await.unwrap();
        self.drain().await;
        self.deployment.api().preview_report(&id).await.unwrap()
    }

    pub async fn evidence(&self, id: &str) -> Vec<Evidence> {
        let people: &dyn People = &self.services.dynamo;
        people.evidence(&id.parse().unwrap()).await.unwrap()
    }

    /// Changes what no document may change.
    pub async fn change(&self, id: &str, change: impl Fn(&mut Profile)) {
        let people: &dyn People = &self.services.dynamo;
        let before = people.get(&id.parse().unwrap()).await.unwrap().unwrap();
        let mut after = before.clone();
        change(&mut after.profile);
        after.version += 1;
        let write = PersonWrite { before: Some(&before), after: &after, evidence: Vec::new() };
        assert_eq!(people.put(&[write]).await.unwrap(), [PutResult::Written]);
    }

    /// Every decision that is listed, with whom it is about.
    pub async fn decisions(&self, campaign: &str) -> Vec<(RecipientId, Value)> {
        let id: CampaignId = campaign.parse().unwrap();
        let mut all = Vec::new();
        let mut cursor = None;
        loop {
            let api = self.deployment.api();
            let (part, next) = api.decisions(&id, Filter::default(), cursor.as_deref()).await.unwrap();
            let name = |decision: &Value| decision["recipient"].as_str().unwrap().parse().unwrap();
            all.extend(part.into_iter().map(|decision| (name(&decision), decision)));
            cursor = next;
            if cursor.is_none() {
                return all;
            }
        }
    }

    /// Everybody in the recipients table.
    pub async fn people(&self) -> BTreeMap<RecipientId, Recipient> {
        let pages: &dyn Pages = &self.services.dynamo;
        let mut people = BTreeMap::new();
        for shard in 0..self.services.dynamo.shards {
            let mut after = None;
            loop {
                let page = pages.page(Shard(shard), after.as_ref(), false).await.unwrap();
                after = page.recipients.last().map(|last| last.id.clone());
                people.extend(page.recipients.into_iter().map(|recipient| (recipient.id.clone(), recipient)));
                if !page.more {
                    break;
                }
            }
        }
        people
    }

    /// What the ledger holds of a campaign, of each person the decision of record, whoever can still be named.
    pub async fn entries(&self, campaign: &str) -> Vec<Entry> {
        let ledger: &dyn Ledger = &self.services.dynamo;
        let mut entries = Vec::new();
        for shard in 0..self.services.dynamo.shards {
            let work = self.work(campaign, shard);
            let passes = ledger.progress(&work).await.unwrap().map_or(0, |progress| progress.pass);
            let mut of_record: BTreeMap<Ref, Entry> = BTreeMap::new();
            for pass in 1..=passes {
                let work = Work { pass, ..work.clone() };
                let mut start = None;
                while let Some(chunk) = ledger.after(&work, start.as_ref()).await.unwrap() {
                    assert_eq!(chunk.start, start, "a chunk continues from where the one before it ends");
                    for entry in chunk.entries {
                        let before = of_record.insert(entry.reference, entry);
                        assert_eq!(pass > 1, before.as_ref().is_some_and(Entry::is_deferred), "{before:?}");
                    }
                    start = Some(chunk.last);
                }
            }
            entries.extend(of_record.into_values());
        }
        entries
    }

    /// The mails of one campaign, by recipient.
    pub fn mails(&self, campaign: &str) -> BTreeMap<RecipientId, Vec<Arc<Mail>>> {
        let decode = |tag: &str| String::from_utf8(URL_SAFE_NO_PAD.decode(tag).unwrap()).unwrap();
        let mut mails: BTreeMap<RecipientId, Vec<Arc<Mail>>> = BTreeMap::new();
        // A mail with a link belongs to no campaign.
        for mail in self.services.ses.mails().into_iter().filter(|mail| mail.tags.contains_key("campaign")) {
            if decode(&mail.tags["campaign"]) == campaign {
                mails.entry(decode(&mail.tags["recipient"]).parse().unwrap()).or_default().push(mail);
            }
        }
        mails
    }

    /// How many people hold a slot for a campaign.
    pub async fn slots(&self, id: &str) -> usize {
        let key = self.campaign(id).await.key();
        self.people().await.values().filter(|person| person.sends.of(key).is_some()).count()
    }

    async fn campaign(&self, id: &str) -> Campaign {
        let campaigns: &dyn Campaigns = &self.services.dynamo;
        campaigns.get(&id.parse().unwrap()).await.unwrap().unwrap().campaign
    }

    #[expect(clippy::unused_self, reason = "as below")]
    pub fn launch_message(&self, campaign: &str) -> String {
        Message::Launch { campaign: campaign.parse().unwrap() }.body().unwrap()
    }

    pub fn shard_message(&self, campaign: &str, shard: u16) -> String {
        Message::Shard(self.work(campaign, shard)).body().unwrap()
    }

    #[expect(clippy::unused_self, reason = "a test says `world.work` as it says `world.launch`")]
    pub fn work(&self, campaign: &str, shard: u16) -> Work {
        Work { campaign: campaign.parse().unwrap(), shard: Shard(shard), pass: 1 }
    }
}
