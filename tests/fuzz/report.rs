//! What came of it, as a table and as JSON.

use std::path::PathBuf;

use comfy_table::{CellAlignment, Table, presets};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{Options, doors::Door, run::Answer};

/// An input that broke something, and where it lies now.
#[derive(Debug, Serialize, Deserialize)]
pub struct Failure {
    pub place: String,
    pub why: String,
    pub kept: PathBuf,
}

/// One door.
#[derive(Debug, Serialize, Deserialize)]
pub struct Row {
    pub door: String,
    /// Made up.
    pub inputs: u64,
    pub taken: u64,
    pub refused: u64,
    /// Kept ones, which are in none of the figures before.
    pub corpus: u64,
    pub largest_peak_bytes: usize,
    pub broken: u64,
    /// What a door counts besides.
    pub more: Vec<(String, u64)>,
    pub failures: Vec<Failure>,
}

impl Row {
    pub fn new(door: &Door) -> Self {
        Self {
            door: door.name.to_owned(),
            inputs: 0,
            taken: 0,
            refused: 0,
            corpus: 0,
            largest_peak_bytes: 0,
            broken: 0,
            more: Vec::new(),
            failures: Vec::new(),
        }
    }

    pub fn count(&mut self, answer: &Answer, kept: bool, peak: usize) {
        self.largest_peak_bytes = self.largest_peak_bytes.max(peak);
        if kept {
            self.corpus += 1;
            return;
        }
        self.inputs += 1;
        match answer {
            Answer::Taken => self.taken += 1,
            Answer::Refused(_) => self.refused += 1,
        }
    }
}

pub fn print(rows: &[Row], options: &Options) {
    if options.json {
        let sum = |of: fn(&Row) -> u64| rows.iter().map(of).sum::<u64>();
        let whole = json!({
            "seed": options.seed,
            "doors": rows,
            "inputs": sum(|row| row.inputs),
            "corpus": sum(|row| row.corpus),
            "broken": sum(|row| row.broken),
        });
        println!("{whole}");
        return;
    }
    let mut table = Table::new();
    let header = ["door", "inputs", "taken", "refused", "kept inputs", "largest peak, KiB", "broken", "besides"];
    table.load_style(presets::ASCII_MARKDOWN).set_header(header);
    for row in rows {
        let more: Vec<String> = row.more.iter().map(|(what, count)| format!("{what} {count}")).collect();
        table.add_row([
            row.door.clone(),
            row.inputs.to_string(),
            row.taken.to_string(),
            row.refused.to_string(),
            row.corpus.to_string(),
            (row.largest_peak_bytes / 1024).to_string(),
            row.broken.to_string(),
            more.join(", "),
        ]);
    }
    for column in table.column_iter_mut().skip(1).take(6) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    println!("{table}");
    println!("Seed {}.", options.seed);
}

pub fn complain(rows: &[Row]) {
    for row in rows {
        for Failure { place, why, kept } in &row.failures {
            eprintln!("broken: {}: {place}: {why}", row.door);
            eprintln!("  try it alone: --door {} --file {}", row.door, kept.display());
        }
    }
}

/// What a child printed.
pub fn parse(line: &str) -> Option<Row> {
    serde_json::from_str::<Value>(line).ok().and_then(|row| serde_json::from_value(row).ok())
}
