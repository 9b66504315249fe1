//! What every port of the tables promises, asked of the simulated tables and of the real adapters on the embedded
//! engine: what the simulation proves of the one is worth as much as the two are alike.

mod addresses;
mod campaigns;
mod claims;
mod ledger;
mod links;
mod pages;
mod people;
mod policies;
mod random;
mod settlements;
mod shards;
mod steps;
mod timeline;

use std::sync::{
    Arc, LazyLock,
    atomic::{AtomicU64, Ordering},
};

use futures_util::FutureExt;
use germane::{
    aws::{
        dynamo::Dynamo,
        rules::PolicyTable,
        system::SystemEntropy,
        tables::{self, TableNames},
    },
    domain::{
        id::{CampaignId, ClaimId, RecipientId, Ref, Shard},
        recipient::{Address, Recipient},
        secret::Secret,
    },
    flow::{
        api::{
            recipients::{Evidence, People, PersonWrite, PutResult},
            suppressions::Addresses,
        },
        clock::Clock,
        feedback::{Mailboxes, Settlements},
        held::Unlisted,
        launch::{Campaigns, Policies},
        ledger::Ledger,
        pace::Timelines,
        preferences::link::Marks,
        queue::Work,
        send::{claim::Claims, lease::Shards, reader::Pages},
    },
    local::{clock::LocalClock, services::Services, ses::SesConfig},
};
use jiff::{SignedDuration, Timestamp};
use tokio::runtime::{Builder, Runtime};

use crate::virtual_world::{
    chance::Chance,
    clock::VirtualTime,
    network::{Network, Weather},
    tables::Tables,
    tasks,
};

/// Of the tables: people of one campaign lie in one or two.
const SHARDS: u16 = 2;
/// Fewer than a test has people.
const PAGE: u16 = 3;

/// One side of the contract.
struct Ports {
    side: &'static str,
    people: Arc<dyn People>,
    pages: Arc<dyn Pages>,
    claims: Arc<dyn Claims>,
    addresses: Arc<dyn Addresses>,
    mailboxes: Arc<dyn Mailboxes>,
    links: Arc<dyn Marks>,
    campaigns: Arc<dyn Campaigns>,
    unlisted: Arc<dyn Unlisted>,
    shards: Arc<dyn Shards>,
    ledger: Arc<dyn Ledger>,
    settlements: Arc<dyn Settlements>,
    timelines: Arc<dyn Timelines>,
    policies: Arc<dyn Policies>,
}

/// Says against which side a promise failed.
impl Drop for Ports {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("this is of the {} tables", self.side);
        }
    }
}

/// Asks a promise of both sides.
#[expect(clippy::needless_pass_by_value, reason = "a closure is written where it is handed over")]
fn keeps(promise: impl AsyncFn(&Ports)) {
    on_simulated(&promise);
    on_embedded(&promise);
}

fn on_simulated<T>(work: &impl AsyncFn(&Ports) -> T) -> T {
    let time = VirtualTime::default();
    let tables = Tables::new(Network::new(time.clone(), Chance::new(1), Weather::default()), SHARDS);
    tables.look(|store| store.people.page = usize::from(PAGE));
    let policies = Arc::new(tables.clone());
    let ports = ports("simulated", &Arc::new(tables), policies);
    let mut answer = None;
    tasks::run(&time, vec![async { answer = Some(work(&ports).await) }.boxed_local()]);
    answer.unwrap()
}

/// The embedded engine, which all promises share: each has tables of its own.
struct Embedded {
    runtime: Runtime,
    services: Services,
    /// How many have had tables made.
    tables: AtomicU64,
}

fn on_embedded<T>(work: &impl AsyncFn(&Ports) -> T) -> T {
    static EMBEDDED: LazyLock<Embedded> = LazyLock::new(|| {
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let clock: Arc<dyn Clock> = Arc::new(LocalClock::driven(at(0)));
        let services = Services::start(&clock, &SystemEntropy, SesConfig::default(), SHARDS);
        let services = runtime.block_on(services).unwrap();
        Embedded { runtime, services, tables: AtomicU64::new(0) }
    });
    let Embedded { runtime, services, tables } = &*EMBEDDED;
    let names = TableNames::new(&format!("contract-{}", tables.fetch_add(1, Ordering::Relaxed)));
    runtime.block_on(async {
        tables::create(&services.clients.dynamodb, &names, SHARDS).await.unwrap();
        let opened = tables::open(&services.clients, names, Secret::new([9; 32]), None).await;
        work(&embedded(opened.unwrap())).await
    })
}

fn embedded(mut dynamo: Dynamo) -> Ports {
    dynamo.page_people = Some(PAGE);
    let policies = Arc::new(PolicyTable::new(dynamo.clone()));
    ports("embedded", &Arc::new(dynamo), policies)
}

fn ports<T>(side: &'static str, tables: &Arc<T>, policies: Arc<dyn Policies>) -> Ports
where
    T: People
        + Pages
        + Claims
        + Addresses
        + Mailboxes
        + Marks
        + Campaigns
        + Unlisted
        + Shards
        + Ledger
        + Settlements
        + Timelines
        + 'static,
{
    Ports {
        side,
        people: tables.clone(),
        pages: tables.clone(),
        claims: tables.clone(),
        addresses: tables.clone(),
        mailboxes: tables.clone(),
        links: tables.clone(),
        campaigns: tables.clone(),
        unlisted: tables.clone(),
        shards: tables.clone(),
        ledger: tables.clone(),
        settlements: tables.clone(),
        timelines: tables.clone(),
        policies,
    }
}

/// So many seconds after the start.
fn at(seconds: i64) -> Timestamp {
    "2026-11-23T10:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_secs(seconds)
}

fn id(raw: &str) -> RecipientId {
    raw.parse().unwrap()
}

fn campaign_id() -> CampaignId {
    "weekly".parse().unwrap()
}

/// A pass of a campaign's first shard.
fn work(pass: u16) -> Work {
    Work { campaign: campaign_id(), shard: Shard(0), pass }
}

fn claim(number: u8) -> ClaimId {
    ClaimId([number; 8])
}

fn reference(number: u8) -> Ref {
    Ref([number; 8])
}

fn address(email: &str) -> Address {
    Address { email: email.parse().unwrap(), unusable: None }
}

/// Somebody whose address at work is named after them.
fn person(raw: &str) -> Recipient {
    let mut person = Recipient::blank(id(raw), reference(1), at(0));
    person.profile.work = Some(address(&format!("{raw}@example.com")));
    person
}

/// The next version of a person.
fn next(before: &Recipient, change: impl FnOnce(&mut Recipient)) -> Recipient {
    let mut after = before.clone();
    change(&mut after);
    after.version += 1;
    after
}

impl Ports {
    async fn put(&self, before: Option<&Recipient>, after: &Recipient) -> PutResult {
        self.put_with(before, after, Vec::new()).await
    }

    async fn put_with(&self, before: Option<&Recipient>, after: &Recipient, evidence: Vec<Evidence>) -> PutResult {
        let results = self.people.put(&[PersonWrite { before, after, evidence }]).await.unwrap();
        assert_eq!(results.len(), 1);
        results[0]
    }

    async fn add(&self, person: &Recipient) {
        assert_eq!(self.put(None, person).await, PutResult::Written);
    }

    async fn person(&self, raw: &str) -> Option<Recipient> {
        self.people.get(&id(raw)).await.unwrap()
    }
}
