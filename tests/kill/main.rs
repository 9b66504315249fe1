//! Processes killed by SIGKILL in the midst of two campaigns over the same people, the stack among them, each at a
//! moment that a seed draws: nobody is lost, nobody is mailed twice, and every other promise holds, as seen from outside.
//!
//! `cargo bench --bench kill` sends to 100,000 people and kills ten times; it ends with 1 if a promise is broken. The
//! same seed chooses the same victims and moments; what the processes do in between is theirs. Without `--bench`, as
//! `cargo test --bench kill` runs it, the audience is small.

mod audit;
mod plan;
mod processes;
mod site;

use std::{collections::BTreeMap, process::ExitCode, time::Duration};

use clap::Parser;
use germane::{
    aws::{system::SystemClock, tables::DEFAULT_SHARDS},
    domain::id::{RecipientId, Shard},
    flow::clock::Clock,
    lambda::problem::chain,
    local::people::people,
};
use jiff::Timestamp;
use serde_json::{Value, json};

use audit::{Account, Report};
use plan::{Kill, Victim};
use processes::{ABANDONED_S, Limits, Processes};
use site::Site;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// A Monday morning.
const START: Timestamp = Timestamp::constant(1_795_424_400, 0);
/// Both at once, on the two channels; the cap holds over both.
const CAMPAIGNS: [(&str, &str, &str); 2] = [("first", "rust/async", "work"), ("second", "rust", "personal")];
const CAP: usize = 1;
const KILLS: usize = 10;
const WORKERS: usize = 3;
/// Of a worker.
const SHARDS_AT_ONCE: usize = 2;
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Where so many looks see nothing decided, what is left was abandoned, and waits for its lease to end.
const IDLE_LOOKS: u32 = 50;
/// No event waits longer for its chunk.
const SETTLED_S: u32 = 15 * 60;
/// Of a walk, in mails: 64 batches of fifty.
const IN_FLIGHT: usize = 64 * 50;

#[derive(Parser)]
struct Options {
    /// How many people the campaigns are over [default: 100000; without --bench 3000]
    #[arg(long)]
    people: Option<usize>,
    /// How many processes are killed
    #[arg(long, default_value_t = KILLS)]
    kills: usize,
    /// What SES takes in a second [default: 2000; without --bench 100]
    #[arg(long)]
    ses_rate: Option<u32>,
    /// Chooses victims, moments and people.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Prints one JSON document instead of lines.
    #[arg(long)]
    json: bool,
    /// Given by `cargo bench`: a large audience.
    #[arg(long, hide = true)]
    bench: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let options = Options::parse();
    match run(&options).await {
        Ok(figures) => {
            println!("{}", if options.json { figures.to_json().to_string() } else { figures.to_string() });
            for breach in &figures.breaches {
                eprintln!("broken: {breach}");
            }
            if figures.breaches.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("the test could not run: {}", chain(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

struct Figures {
    seed: u64,
    people: usize,
    kills: Vec<Kill>,
    sent: u64,
    in_doubt: u64,
    at_most_in_doubt: usize,
    mails: usize,
    twice: usize,
    withdrawn: usize,
    seconds: f64,
    breaches: Vec<String>,
}

async fn run(options: &Options) -> Result<Figures, Failure> {
    let people = options.people.unwrap_or(if options.bench { 100_000 } else { 3_000 });
    let ses_rate = options.ses_rate.unwrap_or(if options.bench { 2_000 } else { 100 });
    let limits = Limits { ses_rate, workers: WORKERS, shards_at_once: SHARDS_AT_ONCE };
    let mut processes = Processes::start(START, limits)?;
    put_cap(&processes.site).await?;
    processes.site.fill(self::people(options.seed, people, START)).await?;

    let machine = SystemClock::default();
    processes.start_workers()?;
    for (id, topic, channel) in CAMPAIGNS {
        let content = json!({ "headline": "Async closures" });
        let campaign =
            json!({ "id": id, "topic": topic, "channel": channel, "template": "newsletter", "content": content });
        processes.site.post("/v1/campaigns", &campaign).await?;
    }
    let kills = plan::plan(options.seed, options.kills, WORKERS, (people * CAMPAIGNS.len()) as u64);
    let mut withdrawals = Withdrawals::of(people);
    for kill in &kills {
        let decided = until(&processes.site, &mut withdrawals, |decided, _| decided >= kill.at).await?;
        if !options.json {
            eprintln!("{decided} decided: {kill}");
        }
        processes.kill(kill.victim).await?;
    }
    until(&processes.site, &mut withdrawals, |_, complete| complete).await?;
    let seconds = machine.monotonic().as_secs_f64();
    audit(options.seed, people, kills, seconds, &processes.site, &withdrawals.answered).await
}

/// The policy with one cap, over both channels.
async fn put_cap(site: &Site) -> Result<(), Failure> {
    let held: Value = site.get("/v1/policy").await?;
    let mut policy = held.get("policy").cloned().unwrap_or(held);
    if let Some(fields) = policy.as_object_mut() {
        fields.insert("frequency".to_owned(), json!([{ "sends": CAP, "days": 7 }]));
    }
    site.put("/v1/policy", &policy).await
}

/// Looks until what is wanted is there, and at each look somebody withdraws.
async fn until(site: &Site, withdrawals: &mut Withdrawals, wanted: impl Fn(u64, bool) -> bool) -> Result<u64, Failure> {
    let (mut seen, mut idle) = (0, 0);
    loop {
        let (mut decided, mut complete) = (0, true);
        for (id, _, _) in CAMPAIGNS {
            let report = Report::of(site, id).await?;
            decided += report.decided;
            complete &= report.status == "complete";
        }
        if wanted(decided, complete) {
            return Ok(decided);
        }
        if complete {
            return Err(format!("the campaigns were complete at {decided}, before all were killed").into());
        }
        withdrawals.next(site).await?;
        idle = if decided == seen { idle + 1 } else { 0 };
        seen = decided;
        if idle == IDLE_LOOKS {
            idle = 0;
            site.advance(ABANDONED_S).await?;
        }
        site.machine.sleep(LOOK_EVERY).await;
    }
}

/// People who withdraw one after another while they may be mailed at any moment.
struct Withdrawals {
    people: usize,
    next: usize,
    answered: BTreeMap<String, Timestamp>,
}

/// So far apart that they stand in every shard.
const STRIDE: usize = 37;

impl Withdrawals {
    fn of(people: usize) -> Self {
        Self { people, next: 1, answered: BTreeMap::new() }
    }

    async fn next(&mut self, site: &Site) -> Result<(), Failure> {
        if self.next > self.people {
            return Ok(());
        }
        let id = format!("r-{:05}", self.next);
        self.next += STRIDE;
        let at = site.now().await?;
        let withdrawn = |channel: &str| {
            json!({
                "topic": "rust", "channel": channel, "status": "withdrawn", "at": at,
                "source": "telephone", "evidence": "asked to be left alone",
            })
        };
        let consents = json!({ "id": id, "consents": [withdrawn("work"), withdrawn("personal")] });
        site.put(&format!("/v1/recipients/{id}"), &consents).await?;
        self.answered.insert(id, site.now().await?);
        Ok(())
    }
}

async fn audit(
    seed: u64,
    people: usize,
    kills: Vec<Kill>,
    seconds: f64,
    site: &Site,
    withdrawals: &BTreeMap<String, Timestamp>,
) -> Result<Figures, Failure> {
    // Events that came before their chunk have waited long enough.
    site.advance(SETTLED_S).await?;
    let accounts = audit::accounts(site, &CAMPAIGNS.map(|(id, _, _)| id)).await?;
    let mut breaches: Vec<String> = accounts.iter().flat_map(|account| account.breaches(people)).collect();
    breaches.extend(audit::over_cap(&accounts, CAP));
    breaches.extend(audit::claimed_after(site, withdrawals).await?);
    let sum = |outcome: &str| accounts.iter().map(|account| account.report.outcome(outcome)).sum();
    let in_doubt: u64 = sum("in_doubt");
    let at_most_in_doubt = at_most_in_doubt(people, &kills)?;
    if in_doubt > at_most_in_doubt as u64 {
        breaches.push(format!("{in_doubt} people in doubt, at most {at_most_in_doubt} were under way at the kills"));
    }
    let mails = |account: &Account| account.mails.values().sum::<usize>();
    Ok(Figures {
        seed,
        people,
        kills,
        sent: sum("sent"),
        in_doubt,
        at_most_in_doubt,
        mails: accounts.iter().map(mails).sum(),
        twice: accounts.iter().map(|account| mails(account) - account.mails.len()).sum(),
        withdrawn: withdrawals.len(),
        seconds,
        breaches,
    })
}

/// What was under way at the kills: of each walk that ended no more than 64 batches of fifty, nor than its whole shard.
/// With the stack the walks of all workers end.
fn at_most_in_doubt(people: usize, kills: &[Kill]) -> Result<usize, Failure> {
    let mut shards: BTreeMap<Shard, usize> = BTreeMap::new();
    for number in 1..=people {
        let id: RecipientId = format!("r-{number:05}").parse()?;
        *shards.entry(Shard::of(&id, DEFAULT_SHARDS)).or_default() += 1;
    }
    let of_a_walk = shards.into_values().max().unwrap_or_default().min(IN_FLIGHT);
    let walks: usize = kills
        .iter()
        .map(|kill| match kill.victim {
            Victim::Stack => WORKERS * SHARDS_AT_ONCE,
            Victim::Worker(_) => SHARDS_AT_ONCE,
        })
        .sum();
    Ok(walks * of_a_walk)
}

impl Figures {
    fn to_json(&self) -> Value {
        let stacks = self.kills.iter().filter(|kill| kill.victim == Victim::Stack).count();
        json!({
            "seed": self.seed, "people": self.people, "campaigns": CAMPAIGNS.len(), "workers": WORKERS,
            "kills": self.kills.len(), "kills_of_the_stack": stacks, "withdrawn": self.withdrawn,
            "sent": self.sent, "mails": self.mails, "duplicates": self.twice,
            "in_doubt": self.in_doubt, "at_most_in_doubt": self.at_most_in_doubt,
            "seconds": self.seconds.round(), "violations": self.breaches.len(),
        })
    }
}

impl std::fmt::Display for Figures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            people, kills, sent, in_doubt, at_most_in_doubt, mails, twice, withdrawn, seconds, breaches, ..
        } = self;
        writeln!(f, "{people} people, {} campaigns, {} kills, {withdrawn} withdrawals", CAMPAIGNS.len(), kills.len())?;
        writeln!(f, "{sent} sent, {mails} mails, {twice} of them a second one")?;
        writeln!(f, "{in_doubt} in doubt; at most {at_most_in_doubt} were under way at the kills")?;
        write!(f, "{seconds:.0} seconds, {} promises broken", breaches.len())
    }
}
