//! Every door is knocked at with what nobody would send on purpose: whole documents with one thing wrong, halves of
//! them, numbers and times at their ends, bytes that are no text. Whatever comes, nothing may panic, hang, take memory
//! out of proportion or be half stored, and a refusal must say what was found and what is wanted.
//!
//! `cargo test --bench fuzz` takes 10,000 inputs for each door; `cargo bench --bench fuzz -- --inputs N --door NAME
//! --seed S` as many as one likes. The same seed gives the same inputs. Those under `tests/fuzz/corpus` come first.
//! A door that fails ends this with 1 and names the input, which `--door NAME --only N` or `--door NAME --file PATH`
//! tries alone.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a door that fails is found by panicking"
)]

mod corpus;
mod doors;
mod generate;
mod mutate;
mod report;
mod room;
mod run;
mod watch;
#[path = ".."]
mod shared {
    #[expect(dead_code, reason = "the tests ask more of it")]
    pub mod world;
}

use std::{path::PathBuf, process::ExitCode};

use clap::Parser;

#[derive(Parser, Clone)]
pub struct Options {
    /// How many inputs are made up for each door [default: 10000; with `cargo bench` 100000]
    #[arg(long)]
    inputs: Option<u64>,
    /// Only these doors
    #[arg(long, value_name = "NAME")]
    door: Vec<String>,
    /// Decides what is made up
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Tries one made-up input, and shows it
    #[arg(long, value_name = "N")]
    only: Option<u64>,
    /// Tries one input that lies in a file
    #[arg(long, value_name = "PATH")]
    file: Option<PathBuf>,
    /// Prints one JSON document instead of a table
    #[arg(long)]
    json: bool,
    /// How many doors are knocked at at once, each by a process of its own
    #[arg(long, default_value_t = 2)]
    jobs: usize,
    /// Given to such a process: where it notes how far it is
    #[arg(long, hide = true)]
    notes: Option<PathBuf>,
    /// Given by `cargo bench`
    #[arg(long, hide = true)]
    bench: bool,
}

impl Options {
    fn inputs(&self) -> u64 {
        self.inputs.unwrap_or(if self.bench { 100_000 } else { 10_000 })
    }
}

fn main() -> ExitCode {
    let options = Options::parse();
    let doors: Vec<_> = doors::ALL
        .iter()
        .copied()
        .filter(|door| options.door.is_empty() || options.door.iter().any(|name| name == door.name))
        .collect();
    if doors.is_empty() {
        let names: Vec<&str> = doors::ALL.iter().map(|door| door.name).collect();
        eprintln!("there is no such door; there are {}", names.join(", "));
        return ExitCode::from(2);
    }
    let alone = options.only.is_some() || options.file.is_some();
    match (&options.notes, doors.as_slice()) {
        (Some(notes), [door]) => run::child(door, &options, notes),
        (None, [door]) if alone => run::one(door, &options),
        (Some(_) | None, _) if alone => {
            eprintln!("one input is tried at one --door");
            ExitCode::from(2)
        }
        (Some(_) | None, doors) => watch::all(doors, &options),
    }
}
