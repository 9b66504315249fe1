//! Worlds by the hundred thousand: the flow itself over simulated services on a virtual clock, everything that can go
//! wrong going wrong, and every promise checked after each of them.
//!
//! `cargo bench --bench worlds` lives through 100,000 and ends with 1 if a promise was broken, naming the seeds.
//! `cargo bench --bench worlds -- --seed 7` replays one and prints what happened in it, call by call.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the worlds are made for tests, which fail by panicking"
)]

#[path = "../.."]
mod shared {
    pub mod simulation;
    #[expect(dead_code, reason = "the tests ask more of it")]
    pub mod virtual_world;
}

use std::{
    collections::BTreeMap,
    process::ExitCode,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use clap::Parser;
use comfy_table::{CellAlignment, Table, presets};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use shared::simulation::{Lived, live, summary::Summary};

const MEASURED: u64 = 100_000;
/// Without `--bench`: `cargo test` lives through others by itself.
const SHOWN: u64 = 20;

#[derive(Parser)]
struct Options {
    /// How many worlds [default: 100000; without --bench 20]
    #[arg(long)]
    worlds: Option<u64>,
    /// The seed of the first; each following one is one higher
    #[arg(long, default_value_t = 1)]
    from: u64,
    /// Lives through one world alone and prints what happened in it
    #[arg(long, conflicts_with_all = ["worlds", "from"])]
    seed: Option<u64>,
    /// Stops at the first world in which a promise is broken
    #[arg(long)]
    first: bool,
    /// Worlds lived through at once [default: as many as there are processors]
    #[arg(long)]
    threads: Option<usize>,
    /// Prints one JSON document instead of a table
    #[arg(long)]
    json: bool,
    /// Given by `cargo bench`
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> ExitCode {
    let options = Options::parse();
    if let Some(seed) = options.seed {
        return replay(seed);
    }
    let worlds = options.worlds.unwrap_or(if options.bench { MEASURED } else { SHOWN });
    let threads = options.threads.unwrap_or_else(|| thread::available_parallelism().map_or(1, usize::from));
    let (summary, broken) = all(options.from, worlds, threads, options.first);
    if options.json {
        println!("{}", to_json(options.from, &summary, &broken));
    } else {
        print(options.from, &summary, &broken);
    }
    if broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn replay(seed: u64) -> ExitCode {
    let Lived { plan, broken, trace, .. } = live(seed, true);
    println!("{plan:#?}");
    for line in trace.iter().chain(&broken) {
        println!("{line}");
    }
    println!("{} promise(s) broken in the world of seed {seed}", broken.len());
    if broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What was broken, by seed.
type Broken = BTreeMap<u64, Vec<String>>;

fn all(from: u64, worlds: u64, threads: usize, first: bool) -> (Summary, Broken) {
    let (next, found) = (AtomicU64::new(from), Mutex::new((Summary::default(), Broken::new())));
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} worlds, {per_sec}, {eta} left").unwrap();
    let progress = ProgressBar::new(worlds).with_style(style);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= from + worlds || (first && !found.lock().unwrap().1.is_empty()) {
                        return;
                    }
                    // One that panics is broken, and no reason to leave the others alone.
                    let lived = std::panic::catch_unwind(|| live(seed, false));
                    let mut found = found.lock().unwrap();
                    match lived {
                        Ok(lived) => {
                            found.0.add(lived.summary);
                            if !lived.broken.is_empty() {
                                progress.suspend(|| eprintln!("seed {seed}: {}", lived.broken.join("; ")));
                                found.1.insert(seed, lived.broken);
                            }
                        }
                        Err(_) => drop(found.1.insert(seed, vec!["it panicked".to_owned()])),
                    }
                    progress.inc(1);
                }
            });
        }
    });
    progress.finish_and_clear();
    found.into_inner().unwrap()
}

fn to_json(from: u64, summary: &Summary, broken: &Broken) -> Value {
    let Summary { worlds, calls, faults, campaigns, outcomes, mails, claims, lived_s } = summary;
    json!({
        "from": from, "worlds": worlds, "calls": calls, "faults": faults, "campaigns": campaigns,
        "outcomes": outcomes, "mails": mails, "claims": claims, "lived_days": lived_s / 86_400, "broken": broken,
    })
}

fn print(from: u64, summary: &Summary, broken: &Broken) {
    let Summary { worlds, calls, faults, campaigns, outcomes, mails, claims, lived_s } = summary;
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    let mut row = |name: &str, count: u64| {
        table.add_row([name.to_owned(), count.to_string()]);
    };
    row("worlds", *worlds);
    row("days lived in them", lived_s / 86_400);
    row("calls of services", *calls);
    row("claims", *claims);
    row("mails that SES took", *mails);
    for (title, counts) in [("fault", faults), ("campaign", campaigns), ("outcome", outcomes)] {
        for (name, count) in counts {
            row(&format!("{title}: {name}"), *count);
        }
    }
    row("worlds with a broken promise", broken.len() as u64);
    if let Some(column) = table.column_mut(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    println!("seeds {from} to {}\n{table}", from + worlds - 1);
    for (seed, broken) in broken.iter().take(20) {
        println!("\nseed {seed}; to see what happened: cargo bench --bench worlds -- --seed {seed}");
        for broken in broken {
            println!("  {broken}");
        }
    }
}
