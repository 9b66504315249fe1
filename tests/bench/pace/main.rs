//! How well the send rate is kept and used, by rate, workers and campaigns: the flow itself in a world in memory, on a
//! driven clock, so that the figures are exact and the same for the same seed.
//!
//! `cargo bench --bench pace` ends with 1 if a limit is broken. Without `--bench`, as `cargo test --bench pace` runs it,
//! the campaigns are shorter.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the world is made for tests, which fail by panicking"
)]

#[path = "../.."]
mod shared {
    #[expect(dead_code, reason = "the tests ask more of it")]
    pub mod virtual_world;
}

use std::process::ExitCode;

use clap::Parser;
use comfy_table::{CellAlignment, Table, presets};
use serde_json::{Value, json};

use shared::virtual_world::{Figures, Setting, World, usable};

/// SES's rates, and for how many seconds each is used.
const RATES: [(f64, u32); 4] = [(1.0, 100), (14.0, 80), (300.0, 20), (5_000.0, 4)];
const WORKERS: [i32; 2] = [2, 8];
const CAMPAIGNS: [&[&str]; 2] = [&["weekly"], &["weekly", "monthly"]];
/// How much longer a measured campaign is.
const MEASURED: u32 = 5;

#[derive(Parser)]
struct Options {
    /// Prints one JSON document instead of a table.
    #[arg(long)]
    json: bool,
    /// Decides what each call takes and which of two comes first.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Given by `cargo bench`: sends longer campaigns.
    #[arg(long, hide = true)]
    bench: bool,
}

/// One world, and what SES saw of it.
struct Row {
    workers: i32,
    campaigns: usize,
    figures: Figures,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let rows = rows(&options);
    if options.json {
        println!("{}", rows.iter().map(Row::to_json).collect::<Value>());
    } else {
        println!("{}", table(&rows));
    }
    let broken: Vec<String> = rows.iter().flat_map(Row::broken).collect();
    for limit in &broken {
        eprintln!("broken: {limit}");
    }
    if broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn rows(options: &Options) -> Vec<Row> {
    let longer = if options.bench { MEASURED } else { 1 };
    let mut rows = Vec::new();
    for (rate, seconds) in RATES {
        for workers in WORKERS {
            for campaigns in CAMPAIGNS {
                let setting = Setting { workers, seed: options.seed, ..Setting::lasting(seconds * longer, rate) };
                let world = World::new(setting);
                world.send(campaigns);
                rows.push(Row { workers, campaigns: campaigns.len(), figures: world.figures() });
            }
        }
    }
    rows
}

impl Row {
    fn broken(&self) -> Vec<String> {
        let Row { workers, campaigns, figures } = self;
        let place = format!("{} a second, {workers} workers, campaigns: {campaigns}", figures.rate);
        figures.broken().into_iter().map(|limit| format!("{place}: {limit}")).collect()
    }

    fn to_json(&self) -> Value {
        let Row { workers, campaigns, figures } = self;
        json!({
            "rate": figures.rate,
            "workers": workers,
            "campaigns": campaigns,
            "mails": figures.taken(),
            "usable_rate": usable(figures.rate),
            "used_share": figures.used_share(),
            "busiest_second": figures.busiest_second(),
            "throttled_share": figures.throttled_share(),
            "reservations_per_1000": figures.reservations_per_1000(),
            "broken": figures.broken(),
        })
    }
}

fn table(rows: &[Row]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN).set_header([
        "rate",
        "workers",
        "campaigns",
        "usable rate",
        "used",
        "busiest second",
        "throttled",
        "reservations per 1,000",
    ]);
    for Row { workers, campaigns, figures } in rows {
        table.add_row([
            figures.rate.to_string(),
            workers.to_string(),
            campaigns.to_string(),
            format!("{:.1}", usable(figures.rate)),
            format!("{:.1} %", figures.used_share() * 100.0),
            figures.busiest_second().to_string(),
            format!("{:.2} %", figures.throttled_share() * 100.0),
            format!("{:.1}", figures.reservations_per_1000()),
        ]);
    }
    for column in table.column_iter_mut() {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}
