//! `germane import`: people from JSON Lines, a result for each row, safe to repeat.

pub mod rows;

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::PathBuf,
};

use clap::Args;
use futures_util::{StreamExt, stream};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::mpsc;

pub use rows::Row;
use rows::{Batch, Refused, batches};

use super::{
    client::Client,
    failure::{Failure, Fault},
    input,
    progress::Progress,
    prose::{counted, grouped},
    screen::Screen,
};

/// Requests under way at once.
const IN_FLIGHT: usize = 6;
/// Refused rows that the summary names.
const NAMED: usize = 5;

#[derive(Debug, Args)]
#[command(after_help = "\
Each line is a recipient document. What a line does not name stays as it is, so
an import is safe to repeat. It ends with 2 if a row was refused; the others are
in. With --json: one object of counts and the first faults.

Examples:
  germane import people.jsonl
  germane import people.jsonl --rejects refused.jsonl
  zcat people.jsonl.gz | germane import -")]
pub struct Import {
    /// Recipients as JSON Lines; - reads stdin
    file: PathBuf,
    /// Keep refused rows here, each as a JSON line of line, id, errors, row
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
}

/// What became of the rows.
#[derive(Debug, Default)]
pub struct Tally {
    pub created: u64,
    pub updated: u64,
    pub refused: u64,
    first_refused: Vec<Refused>,
}

impl Tally {
    pub fn rows(&self) -> u64 {
        self.created + self.updated + self.refused
    }

    /// What was wrong with the first refused rows.
    pub fn faults(&self, file: &str) -> Vec<Fault> {
        let rows = self.first_refused.iter();
        rows.flat_map(|row| row.errors.iter().map(|fault| fault.clone().within(file, Some(row.line)))).collect()
    }
}

pub async fn run(args: Import, client: &Client, screen: Screen) -> Result<(), Failure> {
    let file = input::name(&args.file);
    let from = input::open(&args.file)?;
    let mut rejects = args.rejects.as_ref().map(|path| rejects_file(path, &args)).transpose()?;
    let progress = Progress::start(screen, "importing");
    let tally = import(client, rows::read(from), None, progress, |refused| match &mut rejects {
        Some((name, writer)) => writeln!(writer, "{}", json!(refused)).map_err(|error| Failure::file(name, &error)),
        None => Ok(()),
    })
    .await
    .map_err(|failure| failure.within(&file))?;
    if let Some((name, writer)) = &mut rejects {
        writer.flush().map_err(|error| Failure::file(name, &error))?;
    }
    report(&tally, &file, screen)?;
    if tally.refused == 0 { Ok(()) } else { Err(refusal(&tally, &file, rejects.map(|(name, _)| name))) }
}

fn rejects_file(path: &PathBuf, args: &Import) -> Result<(String, BufWriter<File>), Failure> {
    let name = path.display().to_string();
    if path.canonicalize().ok().is_some_and(|path| args.file.canonicalize().is_ok_and(|file| file == path)) {
        return Err(Failure::bad_input("usage", format!("--rejects would overwrite {name}, the file to import"))
            .next("name another file for the refused rows"));
    }
    let file = File::create(path).map_err(|error| Failure::file(&name, &error))?;
    Ok((name, BufWriter::new(file)))
}

fn report(tally: &Tally, file: &str, screen: Screen) -> Result<(), Failure> {
    if screen.json {
        return screen.document(&json!({
            "file": file, "rows": tally.rows(), "created": tally.created, "updated": tally.updated,
            "refused": tally.refused, "faults": tally.faults(file),
        }));
    }
    screen.line(format_args!(
        "{}: {} created, {} updated, {} refused",
        counted(tally.rows(), "row", "rows"),
        grouped(tally.created),
        grouped(tally.updated),
        grouped(tally.refused),
    ))
}

fn refusal(tally: &Tally, file: &str, rejects: Option<String>) -> Failure {
    let title = format!("{} of {file} refused", counted(tally.refused, "row", "rows"));
    let next = match rejects {
        Some(name) => format!("put the rows of {name} right and import them again"),
        None => "put them right and import the file again; --rejects FILE keeps the refused rows".to_owned(),
    };
    let more = tally.refused - tally.first_refused.len() as u64;
    Failure { more, ..Failure::bad_input("refused_rows", title).faults(tally.faults(file)).next(next) }
}

/// The API's word on one line of a request.
#[derive(Deserialize)]
struct Answer {
    line: u64,
    id: Option<String>,
    result: Taken,
    #[serde(default)]
    errors: Option<Vec<Fault>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Taken {
    Created,
    Updated,
    Refused,
}

/// Sends `rows` in batches, several at once, and hands each refused row to `keep` in the order of the file.
pub async fn import(
    client: &Client,
    rows: impl Iterator<Item = io::Result<Row>> + Send + 'static,
    total: Option<u64>,
    mut progress: Progress,
    mut keep: impl FnMut(&Refused) -> Result<(), Failure>,
) -> Result<Tally, Failure> {
    let answers = stream::unfold(reading(rows), async |mut from| from.recv().await.map(|batch| (batch, from)))
        .map(async |batch| {
            let batch =
                batch.map_err(|error| Failure::failed("file", "cannot be read on").detail(error.to_string()))?;
            post(client, batch).await
        })
        .buffered(IN_FLIGHT);
    let mut answers = std::pin::pin!(answers);
    let mut tally = Tally::default();
    while let Some(answer) = answers.next().await {
        let (created, updated, refused) = answer.map_err(|failure| unfinished(failure, &tally))?;
        tally.created += created;
        tally.updated += updated;
        tally.refused += refused.len() as u64;
        for row in refused {
            keep(&row)?;
            if tally.first_refused.len() < NAMED {
                tally.first_refused.push(row);
            }
        }
        progress.at(tally.rows(), total);
    }
    progress.finish();
    Ok(tally)
}

/// A file is read on a thread of its own: a slow or silent source holds up nobody.
fn reading(rows: impl Iterator<Item = io::Result<Row>> + Send + 'static) -> mpsc::Receiver<io::Result<Batch>> {
    let (to, from) = mpsc::channel(IN_FLIGHT);
    std::thread::spawn(move || {
        for batch in batches(rows) {
            let last = batch.is_err();
            if to.blocking_send(batch).is_err() || last {
                return;
            }
        }
    });
    from
}

async fn post(client: &Client, batch: Batch) -> Result<(u64, u64, Vec<Refused>), Failure> {
    let Batch { fit, mut refused, .. } = batch;
    if fit.is_empty() {
        return Ok((0, 0, refused));
    }
    let mut body = String::new();
    for (_, text) in &fit {
        body.push_str(text);
        body.push('\n');
    }
    let answers: Vec<Answer> = client.post_lines(&["recipients"], body).await?;
    if answers.len() != fit.len() {
        return Err(client.strange(&format!("{} results for {} rows", answers.len(), fit.len())));
    }
    let (mut created, mut updated) = (0, 0);
    for answer in answers {
        match answer.result {
            Taken::Created => created += 1,
            Taken::Updated => updated += 1,
            Taken::Refused => {
                // Lines are numbered from 1 within the request.
                let at = usize::try_from(answer.line).ok().and_then(|line| fit.get(line.checked_sub(1)?));
                let (line, text) = at.ok_or_else(|| client.strange("a result for a line that was not sent"))?;
                let row = serde_json::from_str(text).unwrap_or_else(|_| Value::from(text.as_str()));
                let errors = answer.errors.unwrap_or_default();
                refused.push(Refused { line: *line, id: answer.id, errors, row });
            }
        }
    }
    refused.sort_by_key(|row| row.line);
    Ok((created, updated, refused))
}

/// Says how far it came, since what is in is in.
fn unfinished(failure: Failure, tally: &Tally) -> Failure {
    let so_far = format!("{} had been taken before", counted(tally.created + tally.updated, "row", "rows"));
    let detail = failure.detail.as_ref().map_or_else(|| so_far.clone(), |detail| format!("{detail}; {so_far}"));
    failure.detail(detail)
}
