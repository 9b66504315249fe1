//! `germane suppressions`: addresses that are not to be mailed, one by one or from another system's opt-out list.

pub mod list;

use std::{
    io::Read,
    path::{Path, PathBuf},
};

use clap::Subcommand;
use futures_util::{StreamExt, stream};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::domain::{door::Wanted, email::EmailAddress};

use super::{
    client::Client,
    failure::{Failure, Fault},
    input,
    progress::Progress,
    prose::{counted, grouped},
    screen::Screen,
};
use list::Entry;

/// Lines of one request.
const BATCH: usize = 500;
/// Requests under way at once.
const IN_FLIGHT: usize = 4;
/// A list is checked whole before anything is sent, so it is held whole.
const MAX_LIST_BYTES: u64 = 256 * 1024 * 1024;
/// Faults that are kept to be told; the rest is counted.
const NAMED: usize = 1_000;

#[derive(Debug, Subcommand)]
pub enum Suppressions {
    /// Suppress an address, and whoever has it or will have it
    #[command(after_help = "\
Stored is a keyed hash of the address. A suppression that weighs more, such as a
complaint, stays. Put no personal data into the note.

Example:
  germane suppressions add someone@example.com --note \"by telephone\"")]
    Add {
        /// The address
        address: String,
        /// Why, for those who ask later
        #[arg(long)]
        note: Option<String>,
    },
    /// Say whether an address is suppressed, and why
    #[command(after_help = "Example:\n  germane suppressions get someone@example.com")]
    Get {
        /// The address
        address: String,
    },
    /// Lift a manual suppression
    #[command(after_help = "\
Only what an operator put is lifted; a complaint, an unsubscribe and an erasure
stay.

Example:
  germane suppressions remove someone@example.com")]
    Remove {
        /// The address
        address: String,
    },
    /// Suppress every address of a list
    #[command(after_help = "\
An address a line; # begins a comment. Or CSV with the header address or
address,note. The whole list is checked first: if a line is wrong, nothing is
stored, and each is named. It may be imported again.

Examples:
  germane suppressions import optouts.txt
  germane suppressions import optouts.csv --json
  zcat optouts.txt.gz | germane suppressions import -")]
    Import {
        /// The list; - reads stdin
        file: PathBuf,
    },
}

pub async fn run(verb: Suppressions, client: &Client, screen: Screen) -> Result<(), Failure> {
    match verb {
        Suppressions::Add { address, note } => add(&read(&address)?, note, client, screen).await,
        Suppressions::Get { address } => {
            let standing = client.get(&["suppressions", read(&address)?.reveal()], &[]).await?;
            show("suppressed", &standing, client, screen)
        }
        Suppressions::Remove { address } => {
            client.delete(&["suppressions", read(&address)?.reveal()]).await?;
            if screen.json { screen.document(&json!({ "result": "lifted" })) } else { screen.line("lifted") }
        }
        Suppressions::Import { file } => import(&file, client, screen).await,
    }
}

/// What is typed may be somebody's address also where it is wrong, so it is only measured.
fn read(raw: &str) -> Result<EmailAddress, Failure> {
    raw.parse().map_err(|wanted: Wanted| {
        let found = format!("a text of {} characters", raw.chars().count());
        let fault = Fault { file: None, line: None, field: "ADDRESS".to_owned(), found, wanted: wanted.to_string() };
        Failure::bad_input("usage", "that is no address").faults([fault])
    })
}

async fn add(address: &EmailAddress, note: Option<String>, client: &Client, screen: Screen) -> Result<(), Failure> {
    let body = note.map_or_else(|| json!({}), |note| json!({ "note": note }));
    let standing = client.put(&["suppressions", address.reveal()], &body).await?;
    let kept = standing.get("kind").is_some_and(|kind| kind != "manual");
    show(if kept { "it was suppressed before, and that stays" } else { "suppressed" }, &standing, client, screen)
}

/// A suppression as the API tells it.
fn show(what: &str, standing: &Value, client: &Client, screen: Screen) -> Result<(), Failure> {
    if screen.json {
        return screen.document(standing);
    }
    let text = |name: &str| standing.get(name).and_then(Value::as_str);
    let (Some(kind), Some(since)) = (text("kind"), text("since")) else {
        return Err(client.strange("a suppression without a kind"));
    };
    screen.line(format_args!("{what}: {kind}, since {since}"))?;
    text("note").map_or(Ok(()), |note| screen.line(format_args!("note: {note}")))
}

/// What became of the addresses of a list.
#[derive(Debug, Default)]
struct Tally {
    suppressed: u64,
    kept: u64,
    refused: Vec<Fault>,
}

#[derive(Deserialize)]
struct Answer {
    line: usize,
    result: Taken,
    #[serde(default)]
    errors: Vec<Fault>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Taken {
    Suppressed,
    Kept,
    Refused,
}

async fn import(file: &Path, client: &Client, screen: Screen) -> Result<(), Failure> {
    let name = input::name(file);
    let mut bytes = Vec::new();
    let read = input::open(file)?.take(MAX_LIST_BYTES + 1).read_to_end(&mut bytes);
    read.map_err(|error| Failure::file(&name, &error))?;
    if bytes.len() as u64 > MAX_LIST_BYTES {
        return Err(Failure::bad_input("too_large", format!("{name} is larger than 256 MiB"))
            .next("split it: each part may be imported by itself"));
    }
    let (entries, faults) = list::read(&bytes);
    drop(bytes);
    if !faults.is_empty() {
        return Err(wrong("bad_lines", &name, faults, "nothing was stored"));
    }

    let total = entries.len() as u64;
    let mut progress = Progress::counting(screen, "suppressing", ("address", "addresses"));
    let mut answers = stream::iter(entries.chunks(BATCH)).map(|batch| post(client, batch)).buffered(IN_FLIGHT);
    let mut tally = Tally::default();
    let mut done = 0;
    while let Some(answered) = answers.next().await {
        for (line, answer) in answered? {
            done += 1;
            match answer.result {
                Taken::Suppressed => tally.suppressed += 1,
                Taken::Kept => tally.kept += 1,
                Taken::Refused => {
                    tally.refused.extend(answer.errors.into_iter().map(|fault| fault.within(&name, Some(line))));
                }
            }
        }
        progress.at(done, Some(total));
    }
    progress.finish();
    report(&tally, &name, screen)?;
    if tally.refused.is_empty() {
        return Ok(());
    }
    Err(wrong("refused_lines", &name, tally.refused, "the others were stored"))
}

fn report(tally: &Tally, file: &str, screen: Screen) -> Result<(), Failure> {
    let Tally { suppressed, kept, refused } = tally;
    if screen.json {
        return screen.document(&json!({
            "file": file, "suppressed": suppressed, "kept": kept, "refused": refused.len(),
        }));
    }
    screen.line(format_args!(
        "{} suppressed, {} suppressed before for a reason that weighs more",
        counted(*suppressed, "address", "addresses"),
        grouped(*kept),
    ))
}

fn wrong(code: &str, file: &str, faults: Vec<Fault>, what: &str) -> Failure {
    let title = format!("{} of {file} found; {what}", counted(faults.len() as u64, "fault", "faults"));
    let more = faults.len().saturating_sub(NAMED) as u64;
    let faults: Vec<Fault> = faults.into_iter().take(NAMED).collect();
    let failure = Failure::bad_input(code, title).faults(faults).within(file);
    Failure { more, ..failure }.next("put them right and import the list again")
}

/// Each line of the list with its answer.
async fn post(client: &Client, batch: &[Entry]) -> Result<Vec<(u64, Answer)>, Failure> {
    let body: String = batch.iter().flat_map(|entry| [entry.body.as_str(), "\n"]).collect();
    let answers: Vec<Answer> = client.post_lines(&["suppressions"], body).await?;
    if answers.len() != batch.len() {
        return Err(client.strange(&format!("{} results for {} addresses", answers.len(), batch.len())));
    }
    let placed = answers.into_iter().map(|answer| {
        let entry = answer.line.checked_sub(1).and_then(|at| batch.get(at));
        entry.map(|entry| (entry.line, answer)).ok_or_else(|| client.strange("a result for a line that was not sent"))
    });
    placed.collect()
}
