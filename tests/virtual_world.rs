//! A deployment without its services: the flow's ports in memory, each as slow as what it stands for, on a clock that
//! jumps to whatever comes next. All of it runs on one thread and draws from one seed: the same seed, the same run.

mod audience;
pub mod chance;
pub mod clock;
mod figures;
pub mod network;
pub mod queue;
pub mod ses;
pub mod steps;
pub mod tables;
pub mod tasks;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_util::{FutureExt, future::LocalBoxFuture};
use germane::{
    domain::{
        actor::Actor,
        campaign::Campaign,
        id::{CampaignId, RecipientId},
        policy::Policy,
        report::{CampaignStatus, Counts},
    },
    flow::{
        launch::{CampaignRecord, Campaigns, Move},
        queue::Message,
    },
    local::ses::Throttle,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use chance::Chance;
use clock::{VirtualClock, VirtualTime};
use network::{Network, Weather};
use queue::{Delivery, Hold, Queues};
use ses::{SesAccount, Terms};
use steps::Process;
use tables::{Tables, shipped_policy};

pub use figures::{Figures, usable};

/// Of the tables: enough that workers change shards while others are at work.
const SHARDS: u16 = 16;

/// What a world is made of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Setting {
    /// Recipients a second that SES lets the account send.
    pub rate: f64,
    pub throttle: Throttle,
    pub workers: i32,
    /// How far the clock of every other worker is ahead.
    pub apart: SignedDuration,
    /// Of the tables.
    pub people: usize,
    pub seed: u64,
}

impl Setting {
    /// Two workers and enough people for about so many seconds at the whole usable rate.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "some ten thousand people")]
    pub fn lasting(seconds: u32, rate: f64) -> Self {
        let people = (f64::from(seconds) * usable(rate)) as usize;
        Self { rate, throttle: Throttle::Whole, workers: 2, apart: SignedDuration::ZERO, people, seed: 1 }
    }
}

/// A schedule that lies further ahead, such as a campaign's end, is not waited for.
const WAITED_FOR: Duration = Duration::from_hours(1);

/// The deployment. What it holds stays from one call of [`World::work`] to the next.
pub struct World {
    setting: Setting,
    time: VirtualTime,
    tables: Tables,
    queues: Queues,
    ses: SesAccount,
    failures: Mutex<Vec<String>>,
}

impl World {
    pub fn new(setting: Setting) -> Self {
        let time = VirtualTime::default();
        let network = Network::new(time.clone(), Chance::new(setting.seed), Weather::default());
        let tables = Tables::new(network.clone(), SHARDS);
        tables.look(|store| {
            let policy = Policy::parse(&shipped_policy()).unwrap();
            store.rules.put(&policy, None);
            for number in 0..setting.people {
                let person = audience::person(number, time.now());
                store.people.put(&person.id.clone(), Some(person), Duration::ZERO);
            }
        });
        let terms = Terms { rate: setting.rate, throttle: setting.throttle, ..Terms::default() };
        Self {
            setting,
            queues: Queues::new(network.clone(), Delivery::Fair),
            ses: SesAccount::new(network, terms, None),
            failures: Mutex::default(),
            time,
            tables,
        }
    }

    /// Submits campaigns to everybody and works until nobody has anything to do any more.
    pub fn send(&self, campaigns: &[&str]) {
        self.run(campaigns.iter().map(|id| self.submit(id).boxed_local()));
    }

    /// The same for one that is paused after so long. Answers with when its status had moved.
    pub fn send_and_pause(&self, campaign: &str, after: Duration) -> Timestamp {
        let mut paused = None;
        let pause = async {
            self.submit(campaign).await;
            self.time.sleep(after).await;
            self.move_to(campaign, CampaignStatus::Sending, CampaignStatus::Paused).await;
            paused = Some(self.time.now());
        };
        self.run([pause.boxed_local()]);
        paused.unwrap()
    }

    /// Resumes a paused campaign and works it to its end.
    pub fn resume(&self, campaign: &str) {
        let resume = async {
            self.move_to(campaign, CampaignStatus::Paused, CampaignStatus::Launching).await;
            self.launch(campaign);
        };
        self.run([resume.boxed_local()]);
    }

    /// How many people there are.
    pub fn people(&self) -> usize {
        self.tables.look(|store| store.people.all().count())
    }

    /// What SES saw of everything so far.
    pub fn figures(&self) -> Figures {
        Figures {
            rate: self.setting.rate,
            calls: self.ses.calls(),
            reservations: self.tables.look(|store| store.timeline.takes),
        }
    }

    /// Work that failed and was delivered again, each in a sentence.
    pub fn failures(&self) -> Vec<String> {
        self.failures.lock().unwrap().clone()
    }

    /// A campaign's outcomes of record.
    pub fn counts(&self, campaign: &str) -> Counts {
        let mut counts = Counts::default();
        for shard in self.tables.look(|store| store.shards.standings(&campaign.parse().unwrap())) {
            counts.merge(&shard.progress.counts);
        }
        counts
    }

    /// How often each person who holds a slot for a campaign was mailed for it.
    pub fn mails(&self, campaign: &str) -> BTreeMap<RecipientId, usize> {
        let id: CampaignId = campaign.parse().unwrap();
        let key = self.campaign(campaign).key();
        let mut mails: BTreeMap<RecipientId, usize> = self.tables.look(|store| {
            let claimed = store.people.all().filter(|person| person.sends.of(key).is_some());
            claimed.map(|person| (person.id.clone(), 0)).collect()
        });
        for call in self.ses.calls().into_iter().filter(|call| call.campaign == id) {
            call.taken.into_iter().for_each(|recipient| *mails.entry(recipient).or_default() += 1);
        }
        mails
    }

    fn run<'a>(&'a self, events: impl IntoIterator<Item = LocalBoxFuture<'a, ()>>) {
        // What is done to the world comes first, so that nobody finds it at rest.
        let events = events.into_iter().map(|event| self.event(event).boxed_local());
        let workers = (0..self.setting.workers).map(|number| self.worker(number).boxed_local());
        tasks::run(&self.time, events.chain(workers).collect());
    }

    async fn event(&self, event: LocalBoxFuture<'_, ()>) {
        self.queues.begin();
        event.await;
        self.queues.done();
    }

    /// One process: a pacer of its own, and one message after the other.
    async fn worker(&self, number: i32) {
        let clock = VirtualClock { time: self.time.clone(), ahead: self.setting.apart * (number % 2) };
        let process = Process {
            clock: Arc::new(clock),
            tables: self.tables.clone(),
            queues: self.queues.clone(),
            ses: self.ses.clone(),
        };
        let (sender, launcher) = (process.sender(), process.launcher());
        let end = self.time.passed() + WAITED_FOR;
        while let Some(received) = self.queues.next(end).await {
            let turn = Hold { queues: &self.queues, received: &received, ends: None };
            let failed = match Message::from_body(&received.body).unwrap() {
                Message::Launch { campaign } => launcher.attend(&campaign).await.err().map(|error| error.to_string()),
                Message::Shard(work) => sender.run(&work, &turn).await.err().map(|error| error.to_string()),
                Message::Preview { .. } | Message::Newsletter { .. } | Message::Feedback { .. } => {
                    Some("nobody asks for it here".to_owned())
                }
            };
            match failed {
                None => self.queues.delete(&received).await,
                Some(failure) => {
                    self.failures.lock().unwrap().push(failure);
                    self.queues.failed(&received).await;
                }
            }
        }
    }

    async fn submit(&self, id: &str) {
        let campaign = self.campaign(id);
        let record = CampaignRecord {
            body: Self::body(id),
            created_by: Actor::local(),
            created_at: self.time.now(),
            status: CampaignStatus::Scheduled,
            status_detail: None,
            pinned: None,
            campaign,
        };
        Campaigns::create(&self.tables, &record).await.unwrap();
        self.launch(id);
    }

    fn launch(&self, id: &str) {
        let message = Message::Launch { campaign: id.parse().unwrap() };
        self.queues.put(message.body().unwrap(), Duration::ZERO);
    }

    async fn move_to(&self, campaign: &str, from: CampaignStatus, to: CampaignStatus) {
        let moved = self.tables.advance(&campaign.parse().unwrap(), &[from], &Move::to(to)).await.unwrap();
        assert!(moved, "{campaign} is not {from}");
    }

    fn campaign(&self, id: &str) -> Campaign {
        let policy = Policy::parse(&shipped_policy()).unwrap();
        Campaign::parse(&Self::body(id), &policy, self.time.now()).unwrap()
    }

    fn body(id: &str) -> serde_json::Value {
        json!({
            "id": id, "topic": "rust", "channel": "work", "template": "newsletter",
            "content": { "headline": "Async closures" },
        })
    }
}
