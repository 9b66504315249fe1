//! Campaigns through the real SDK clients while a share of all their calls is delayed, lost, cut off, garbled, throttled
//! or refused: for each seed two campaigns at once, and every promise held against what is really there at their end.
//!
//! `cargo bench --bench faults` runs many seeds and ends with 1 if one of them breaks a promise; that seed is printed and
//! can be run alone by `-- --seed N --seeds 1`. The faults are the seed's; which call meets which of them depends on what
//! the workers do in between. Without `--bench`, as `cargo test --bench faults` runs it, two small worlds are tried.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the world is made for tests, which fail by panicking"
)]

#[path = ".."]
mod shared {
    pub mod between;
    #[expect(dead_code, reason = "the tests ask more of it")]
    pub mod mishaps;
    #[expect(dead_code, reason = "the tests ask more of it")]
    pub mod world;
}

use std::{collections::BTreeMap, panic::AssertUnwindSafe, process::ExitCode};

use clap::Parser;
use comfy_table::{CellAlignment, Table, presets};
use futures_util::{FutureExt, StreamExt, stream};
use serde_json::{Value, json};

use shared::{
    mishaps::{Service, campaign, campaign::Figures},
    world,
};

const AT_ONCE: usize = 2;
const SERVICES: [Service; 4] = [Service::DynamoDb, Service::Ses, Service::Sqs, Service::Scheduler];

#[derive(Parser)]
struct Options {
    /// The first seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many seeds [default: 24; without --bench 2]
    #[arg(long)]
    seeds: Option<u64>,
    /// How many people each seed's campaigns are over [default: 2000; without --bench 300]
    #[arg(long)]
    people: Option<usize>,
    /// Prints one JSON document instead of tables.
    #[arg(long)]
    json: bool,
    /// Given by `cargo bench`: more seeds, more people.
    #[arg(long, hide = true)]
    bench: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let options = Options::parse();
    let seeds = options.seeds.unwrap_or(if options.bench { 24 } else { 2 });
    let people = options.people.unwrap_or(if options.bench { 2_000 } else { 300 });
    let runs = stream::iter(options.seed..options.seed + seeds).map(async |seed| {
        let ended = AssertUnwindSafe(campaign::run(seed, people)).catch_unwind().await;
        if ended.is_err() {
            eprintln!("broken: a promise, with seed {seed} and {people} people");
        }
        ended
    });
    let ended: Vec<_> = runs.buffered(AT_ONCE).collect().await;
    let broken = ended.iter().filter(|ended| ended.is_err()).count();
    let held: Vec<Figures> = ended.into_iter().flatten().collect();
    if options.json {
        println!("{}", to_json(&held, broken));
    } else {
        println!("{}\n{}", outcomes(&held), fates(&held));
        println!("{} seeds, {broken} of them broken", held.len() + broken);
    }
    if broken == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Of each service, how many calls came to each fate.
fn totals(held: &[Figures]) -> BTreeMap<(Service, &'static str), usize> {
    let mut totals = BTreeMap::new();
    for (key, calls) in held.iter().flat_map(|figures| &figures.fates) {
        *totals.entry(*key).or_default() += calls;
    }
    totals
}

fn to_json(held: &[Figures], broken: usize) -> Value {
    let of = |service: Service| -> Value {
        let fates = totals(held).into_iter().filter(|((of, _), _)| *of == service);
        fates.map(|((_, fate), calls)| (fate.to_owned(), json!(calls))).collect::<serde_json::Map<_, _>>().into()
    };
    let sum = |count: fn(&Figures) -> usize| held.iter().map(count).sum::<usize>();
    json!({
        "seeds": held.len() + broken,
        "violations": broken,
        "people": sum(|figures| figures.people),
        "mails": sum(|figures| figures.mails),
        "bulk_calls": sum(|figures| figures.bulk_calls),
        "withdrawn": sum(|figures| figures.withdrawn),
        "in_doubt": held.iter().map(|figures| figures.in_doubt).sum::<u64>(),
        "settled_by_events": held.iter().map(|figures| figures.settled).sum::<u64>(),
        "calls": SERVICES.iter().map(|service| (service.to_string(), of(*service))).collect::<serde_json::Map<_, _>>(),
    })
}

fn outcomes(held: &[Figures]) -> Table {
    let mut table = table(["seed", "people", "mails", "bulk calls", "in doubt", "settled", "withdrawn", "seconds"]);
    for Figures { seed, people, mails, bulk_calls, in_doubt, settled, withdrawn, seconds, .. } in held {
        table.add_row([
            seed.to_string(),
            people.to_string(),
            mails.to_string(),
            bulk_calls.to_string(),
            in_doubt.to_string(),
            settled.to_string(),
            withdrawn.to_string(),
            format!("{seconds:.0}"),
        ]);
    }
    table
}

fn fates(held: &[Figures]) -> Table {
    let mut table = table(["calls", "DynamoDB", "SES", "SQS", "Scheduler"]);
    let totals = totals(held);
    let mut kinds: Vec<&str> = totals.keys().map(|(_, fate)| *fate).collect();
    kinds.sort_unstable();
    kinds.dedup();
    for kind in kinds {
        let of = |service: &Service| totals.get(&(*service, kind)).copied().unwrap_or_default().to_string();
        table.add_row(std::iter::once(kind.to_owned()).chain(SERVICES.iter().map(of)));
    }
    table
}

fn table<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN).set_header(header);
    for column in table.column_iter_mut() {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}
