//! What a recipient costs: a campaign's way from page to commit and its preview, beside a naive loop on the same SDK.
//!
//! `cargo bench --bench send` measures on loopback against canned answers, which another process gives, so that only
//! the sender's own work is counted. It ends with 1 if a limit is broken. Without `--bench`, as `cargo test --benches`
//! runs it, one small round checks that everything still works and how many calls it takes.

mod audience;
mod canned;
mod figures;
mod naive;
mod ours;
mod stand_in;
#[path = "../standing.rs"]
mod standing;

use std::{process::ExitCode, sync::Arc};

use clap::{Parser, ValueEnum};
use germane::{aws::system::SystemClock, flow::clock::Clock, lambda::problem::chain};
use rustix::time::{ClockId, clock_gettime};

use figures::{Figures, Latency, Sample};
use naive::Naive;
use ours::Ours;
use stand_in::StandIn;
use standing::Standing;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// How many people a shard holds: as many as each of 64 has in an audience of 800,000.
const PEOPLE_PER_SHARD: usize = 12_500;
/// SES calls at once, on both sides.
const IN_FLIGHT: usize = 16;
/// At most, of the only figure that is told by the clock on the wall.
const LATENCY_TRIES: usize = 6;

#[derive(Parser)]
struct Options {
    /// Prints one JSON document instead of tables.
    #[arg(long)]
    json: bool,
    /// Rounds of each side, of which the median counts.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Shards that one round walks, of 12,500 people each.
    #[arg(long, default_value_t = 8)]
    shards: u16,
    /// Runs one side alone and judges nothing, for a profiler to look at.
    #[arg(long)]
    only: Option<Side>,
    /// Given by `cargo bench`: measures and judges times too.
    #[arg(long, hide = true)]
    bench: bool,
    /// Gives the canned answers instead, until its input closes.
    #[arg(long, hide = true)]
    answer: bool,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Side {
    Ours,
    Naive,
    Preview,
}

fn main() -> ExitCode {
    let options = Options::parse();
    // One thread, as on one vCPU of a function.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let done = runtime.map_err(Failure::from).and_then(|runtime| {
        if options.answer {
            runtime.block_on(canned::answer()).map(|()| true)
        } else {
            runtime.block_on(bench(&options))
        }
    });
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("the benchmark could not run: {}", chain(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

/// Whether every limit was kept.
async fn bench(options: &Options) -> Result<bool, Failure> {
    let (rounds, shards) = if options.bench { (options.rounds.max(1), options.shards.max(1)) } else { (1, 1) };
    let stand_in = StandIn::start()?;
    let people = audience::people(PEOPLE_PER_SHARD)?;
    let machine = SystemClock::default();
    // Calls are counted where nothing depends on how fast the machine is.
    let clock: Arc<dyn Clock> = if options.bench { Arc::new(machine) } else { Arc::new(Standing(machine.now())) };
    let ours = Ours::start(&stand_in, shards, IN_FLIGHT, clock).await?;
    ours.store(&people).await?;
    let naive = Naive::start(&stand_in, &ours, IN_FLIGHT).await?;
    naive.store(&people).await?;
    let stored = stand_in.seal().await?;

    let recipients = people.len() as u64 * u64::from(shards);
    if let Some(side) = options.only {
        for round in 0..rounds {
            match side {
                Side::Ours => ours.send(&format!("round-{round}")).await?,
                Side::Naive => naive.send().await?,
                Side::Preview => ours.preview().await?,
            };
        }
        return Ok(true);
    }

    let mut figures = Figures::new(recipients, audience::SENT_PERCENT, stored);
    if options.bench {
        // Fills caches and opens connections.
        ours.send("warm-up").await?;
        naive.send().await?;
    }
    for round in 0..rounds {
        let campaign = format!("round-{round}");
        figures.ours.push(Box::pin(sample(&stand_in, ours.send(&campaign))).await?);
        figures.naive.push(sample(&stand_in, naive.send()).await?);
        figures.preview.push(sample(&stand_in, ours.preview()).await?);
    }
    if options.bench {
        figures.latency = Some(Box::pin(latency(&stand_in, &ours)).await?);
    }
    println!("{}", if options.json { figures.to_json().to_string() } else { figures.to_string() });
    let broken = figures.broken();
    for limit in &broken {
        eprintln!("broken: {limit}");
    }
    Ok(broken.is_empty())
}

/// Runs one side once. It answers with how many people it decided on and how many it mailed.
async fn sample(
    stand_in: &StandIn,
    side: impl Future<Output = Result<audience::Decided, Failure>>,
) -> Result<Sample, Failure> {
    stand_in.calls().await?;
    let begun = cpu_us();
    let decided = side.await?;
    let cpu_us = cpu_us() - begun;
    Ok(Sample { decided, cpu_us, calls: stand_in.calls().await? })
}

/// The best tries of each, taken in turn. Whatever else the machine does can only slow them down, so a limit that is
/// missed is tried again; without a free core for each of the two processes it may be missed every time.
async fn latency(stand_in: &StandIn, ours: &Ours) -> Result<Latency, Failure> {
    let one = ours.behind_latency(stand_in, 1);
    let many = ours.behind_latency(stand_in, 64);
    let mut best = Latency { alone: 0.0, many: 0.0 };
    for attempt in 0..LATENCY_TRIES {
        // One in flight spends its time waiting: a single shard of it says enough.
        best.alone = best.alone.max(Box::pin(rate(one.send_shards(&format!("alone-{attempt}"), 1))).await?);
        best.many = best.many.max(Box::pin(rate(many.send(&format!("many-{attempt}")))).await?);
        if best.keeps_limit() {
            break;
        }
    }
    Ok(best)
}

/// Recipients a second.
async fn rate(side: impl Future<Output = Result<audience::Decided, Failure>>) -> Result<f64, Failure> {
    let clock = SystemClock::default();
    let decided = side.await?;
    Ok(figures::float(decided.people) / clock.monotonic().as_secs_f64())
}

/// CPU time that this process has used, all its threads together.
#[expect(clippy::cast_precision_loss, reason = "a benchmark lasts minutes")]
fn cpu_us() -> f64 {
    let used = clock_gettime(ClockId::ProcessCPUTime);
    used.tv_sec as f64 * 1e6 + used.tv_nsec as f64 / 1e3
}
