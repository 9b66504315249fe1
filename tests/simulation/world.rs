//! One world, from its first moment until nobody has anything to do any more.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_util::{FutureExt, future::LocalBoxFuture};
use germane::domain::policy::Policy;
use jiff::SignedDuration;

use super::{
    super::virtual_world::{
        chance::Chance,
        clock::{VirtualClock, VirtualTime},
        network::{Network, Weather},
        queue::{Delivery, Queues},
        ses::SesAccount,
        steps::{Process, tokens},
        tables::Tables,
        tasks,
    },
    clients::Client,
    plan::{Act, Plan},
    process::{self, Ways},
    promises::{self, Witness},
    summary::Summary,
};

/// By then everything has ended: campaigns last no longer than ten days, and what waits for them two more.
const END: Duration = Duration::from_hours(16 * 24);
/// When whatever was paused is resumed, so that it can end: after the worst is over.
const RESUMED: [u64; 3] = [86_400, 2 * 86_400, 3 * 86_400];
/// How often the ledger is looked at meanwhile.
const LOOKS: u64 = 12;

/// How a world ended.
pub struct Lived {
    pub plan: Plan,
    /// What was promised and not kept, each in a sentence.
    pub broken: Vec<String>,
    pub summary: Summary,
    /// What happened, a line for each call; empty unless asked for.
    pub trace: Vec<String>,
}

/// Lives through the world of a seed.
pub fn live(seed: u64, traced: bool) -> Lived {
    let time = VirtualTime::default();
    let plan = Plan::of(seed, time.now());
    let chance = Chance::new(seed);
    let network = Network::new(time.clone(), chance, plan.weather.clone());
    if traced {
        network.log(|log| log.lines = Some(Vec::new()));
    }
    let world = World::new(&plan, network);
    world.run();
    world.witness.lock().unwrap().end(&world.tables, &world.ses, &world.queues);
    world.ask();
    let broken = std::mem::take(&mut world.witness.lock().unwrap().broken);
    let trace = world.network.log(|log| log.lines.take()).unwrap_or_default();
    let summary = Summary::of(&world.network, &world.tables, &world.ses, &world.queues);
    drop(world);
    Lived { plan, broken, summary, trace }
}

struct World<'a> {
    plan: &'a Plan,
    network: Network,
    tables: Tables,
    queues: Queues,
    ses: SesAccount,
    witness: Arc<Mutex<Witness>>,
}

impl<'a> World<'a> {
    fn new(plan: &'a Plan, network: Network) -> Self {
        let tables = Tables::new(network.clone(), plan.shards);
        tables.look(|store| {
            store.rules.put(&Policy::parse(&plan.policy).unwrap(), None);
            store.people.page = plan.page;
        });
        let queues = Queues::new(network.clone(), Delivery::Random { twice: plan.twice });
        let ses = SesAccount::new(network.clone(), plan.terms.clone(), Some(queues.clone()));
        let witness = Arc::new(Mutex::new(Witness::new(plan)));
        Self { plan, network, tables, queues, ses, witness }
    }

    fn run(&self) {
        let ways = Ways { tables: &self.tables, queues: &self.queues, ses: &self.ses };
        // Who is there from the beginning came before anything could go wrong.
        let calm = self.network.in_weather(Weather::default());
        tasks::run(&self.network.time, vec![self.found(calm).boxed_local()]);
        let mut tasks: Vec<LocalBoxFuture<'_, ()>> = Vec::new();
        let plan = self.plan;
        for (at, body) in &plan.campaigns {
            tasks.push(self.later(*at, Act::Submit(body.clone())));
        }
        for (at, act) in &plan.acts {
            tasks.push(self.later(*at, act.clone()));
        }
        for at in RESUMED {
            for (_, body) in &plan.campaigns {
                let campaign = body["id"].as_str().unwrap().to_owned();
                tasks.push(self.later(Duration::from_secs(at), Act::Command { campaign, command: "resume" }));
            }
        }
        tasks.push(self.look().boxed_local());
        for (number, process) in plan.processes.iter().enumerate() {
            let network = self.network.of(&format!("process {number}"));
            tasks.push(process::live(plan, process, network, &ways, END).boxed_local());
        }
        tasks::run(&self.network.time, tasks);
    }

    async fn found(&self, network: Network) {
        let client = self.client(network);
        for people in self.plan.people.chunks(20) {
            client.act(&Act::Import(people.to_vec())).await;
        }
    }

    /// Something that is done to the world. Nobody goes home before it is.
    fn later(&self, at: Duration, act: Act) -> LocalBoxFuture<'_, ()> {
        self.queues.begin();
        async move {
            self.network.time.sleep(at).await;
            let client = self.client(self.network.of("client"));
            if let Some(promise) = client.act(&act).await {
                self.witness.lock().unwrap().promised(promise, &self.tables);
            }
            self.queues.done();
        }
        .boxed_local()
    }

    /// Asks the API about everybody, in quiet weather.
    fn ask(&self) {
        let client = self.client(self.network.in_weather(Weather::default()));
        let ask = async {
            let expected = promises::expected(&self.tables);
            let broken = promises::told(&client.api, expected).await;
            self.witness.lock().unwrap().told(broken);
        };
        tasks::run(&self.network.time, vec![ask.boxed_local()]);
    }

    /// Compares the ledger with itself at some moments of the first minutes, and at some of the days after.
    async fn look(&self) {
        for number in 0..LOOKS {
            let most = if number < LOOKS / 2 { 20_000_000 } else { 40_000_000_000 };
            self.network.time.sleep(self.network.chance.micros(0..most)).await;
            self.witness.lock().unwrap().look(&self.tables);
        }
    }

    fn client(&self, network: Network) -> Client {
        let clock = VirtualClock { time: network.time.clone(), ahead: SignedDuration::ZERO };
        let (tables, queues) = (self.tables.from(network.clone()), self.queues.from(network.clone()));
        let ses = self.ses.from(network.clone());
        let process = Process { clock: Arc::new(clock), tables, queues, ses };
        Client { api: process.api(), preferences: process.preferences(), tokens: tokens(), network }
    }
}
