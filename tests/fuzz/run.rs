//! One door, knocked at with one input after the other, in a process of its own.

use std::{
    collections::BTreeSet,
    fs::File,
    os::unix::fs::FileExt,
    panic::{AssertUnwindSafe, catch_unwind, set_hook},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::{Mutex, PoisonError},
};

use serde_json::json;

use crate::{
    Options, corpus,
    doors::{Door, Knock},
    generate,
    report::{Failure, Row},
    room::{self, allowed},
};

/// What a door makes of an input.
#[derive(Debug)]
pub enum Answer {
    Taken,
    /// With all that its sender is told.
    Refused(String),
}

/// An address that is in many inputs, and may be in no refusal. Parts of it that are none any more may.
const PRIVATE: &str = "zq7-private";
/// Of why it failed: a child's answer must fit into a pipe that nobody reads yet.
const WHY_CHARS: usize = 600;
/// So many different failures of a door are told.
const TOLD: usize = 8;

/// Every panic of the process, also of one that somebody caught.
static PANICS: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn listen() {
    set_hook(Box::new(|panic| {
        PANICS.lock().unwrap_or_else(PoisonError::into_inner).push(panic.to_string().replace('\n', " "));
    }));
}

/// A door that cannot be opened is no matter of any input.
fn opened(door: &Door) -> Box<dyn Knock> {
    let opened = catch_unwind(door.open);
    let panics = std::mem::take(&mut *PANICS.lock().unwrap_or_else(PoisonError::into_inner));
    if let Some(first) = panics.first() {
        eprintln!("the door cannot be opened: {first}");
    }
    opened.expect("a door that can be opened")
}

/// What an input came to, and what it took of memory; or what it broke.
fn knock(knocker: &mut dyn Knock, input: &[u8]) -> Result<(Answer, usize), String> {
    let (answer, peak) = room::measured(input.len(), || catch_unwind(AssertUnwindSafe(|| knocker.knock(input))));
    let panics = std::mem::take(&mut *PANICS.lock().unwrap_or_else(PoisonError::into_inner));
    if let Some(first) = panics.first() {
        return Err(first.clone());
    }
    let answer = answer.map_err(|_| "it panicked".to_owned())?;
    if peak > allowed(input.len()) {
        return Err(format!("it took {peak} bytes"));
    }
    if let Answer::Refused(told) = &answer {
        if told.trim().is_empty() {
            return Err("it was refused without a word".to_owned());
        }
        if let Some(leak) = private(told) {
            return Err(format!("the refusal shows an address: {leak}"));
        }
    }
    Ok((answer, peak))
}

fn private(told: &str) -> Option<String> {
    told.match_indices(PRIVATE).find_map(|(at, _)| {
        let rest = &told[at + PRIVATE.len()..];
        let whole = rest.starts_with('@') || rest.starts_with("%40");
        whole.then(|| told.chars().take(200).collect())
    })
}

/// As large as that of a worker of the async runtime, which is what the doors have in a function.
const STACK_BYTES: usize = 2 * 1024 * 1024;

fn on_a_worker<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let worker = std::thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, work);
        worker.expect("a thread can be started").join().expect("panics are caught within")
    })
}

pub fn child(door: &'static Door, options: &Options, notes: &Path) -> ExitCode {
    on_a_worker(|| child_on_worker(door, options, notes))
}

fn child_on_worker(door: &'static Door, options: &Options, notes: &Path) -> ExitCode {
    listen();
    let notes = File::create(notes).expect("the notes can be written");
    let mut row = Row::new(door);
    let documents = (door.documents)();
    let mut knocker = opened(door);
    let kept = corpus::of(door.name);
    let inputs = options.inputs().div_ceil(door.one_in);
    let mut seen = BTreeSet::new();
    let kept_count = kept.len() as u64;
    for number in 0..kept_count + inputs {
        notes.write_all_at(&number.to_be_bytes(), 0).expect("the notes can be written");
        let (place, input) = if let Some((name, input)) = kept.get(usize::try_from(number).unwrap()) {
            (format!("corpus file {name}"), input.clone())
        } else {
            let number = number - kept_count;
            let input = generate::input(door, &documents, options.seed, number);
            (format!("input {number} of seed {}", options.seed), input)
        };
        match knock(knocker.as_mut(), &input) {
            Ok((answer, peak)) => row.count(&answer, number < kept_count, peak),
            Err(why) => {
                row.broken += 1;
                // The same place again is the same failure.
                let key: String = why.chars().take(90).filter(|c| !c.is_ascii_digit()).collect();
                if seen.len() < TOLD && seen.insert(key) {
                    let why = why.chars().take(WHY_CHARS).collect();
                    row.failures.push(Failure { place, why, kept: keep(door, &input, number) });
                }
            }
        }
    }
    row.more = knocker.more();
    println!("{}", json!(row));
    if row.failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Writes the input down, to be looked at and perhaps moved into the corpus.
pub fn keep(door: &Door, input: &[u8], number: u64) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fuzz");
    std::fs::create_dir_all(&folder).expect("the target folder can be written");
    let path = folder.join(format!("{}-{number}", door.name));
    std::fs::write(&path, input).expect("the target folder can be written");
    path
}

/// Tries one input, and shows it.
pub fn one(door: &'static Door, options: &Options) -> ExitCode {
    let input = match (&options.file, options.only) {
        (Some(path), _) => corpus::read(path),
        (None, number) => generate::input(door, &(door.documents)(), options.seed, number.unwrap_or_default()),
    };
    println!("{} bytes: {}", input.len(), String::from_utf8_lossy(&input).chars().take(4_000).collect::<String>());
    listen();
    on_a_worker(|| shown(door, &input))
}

fn shown(door: &'static Door, input: &[u8]) -> ExitCode {
    let mut knocker = opened(door);
    match knock(knocker.as_mut(), input) {
        Ok((answer, peak)) => {
            println!("{answer:?}\n{peak} bytes of memory");
            ExitCode::SUCCESS
        }
        Err(why) => {
            println!("broken: {why}");
            ExitCode::FAILURE
        }
    }
}
