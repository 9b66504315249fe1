//! `germane local`: the whole stack on this machine until Ctrl-C.

mod environment;
mod ses;

use std::path::{Path, PathBuf};

use clap::Args;
use jiff::Timestamp;
use serde_json::json;

use crate::{
    lambda::problem::chain,
    local::{
        Stack, StackConfig, StackError, Work, data::DataError, pollers::invoke::InvokeUrl, services::ServicesError,
        store::StoreError,
    },
};

use super::{
    failure::{Exit, Failure},
    log,
    screen::Screen,
    signal::{Stop, drained},
};

#[derive(Debug, Args)]
#[command(after_help = "\
Prints `listening on URL` on stdout as soon as it answers. It needs no account
and no network. Ctrl-C lets it finish what it began, and then ends it; a second
one ends it at once. Warnings go to stderr; RUST_LOG=info says more.

With --data it goes on where it ended, however it ended: unfinished campaigns too.
The links in mails name the port: start it on the same one. One process at a
time may use a folder; DIR/ses/mails has the mails as files.

With --clock time is driven: it starts at TIME (or where the data folder had come,
if that is later), goes on with real time, and is moved by
  curl 127.0.0.1:8787/local/clock -d '{\"advance_seconds\": 3600}'

With --invoke the functions' own binaries do the work: messages go to them as SQS
events, and what they must be told is written to --env-file, secrets included.
Start `cargo lambda watch` with that file; start it again when this was.

Examples:
  germane local
  germane local --port 0 --json    any free port, told as JSON
  germane local --data ./stack
  germane local --ses-sandbox --ses-throttle entry
  germane local --clock 2026-11-23T09:00:00Z
  germane local --no-workers       and `germane worker` beside it
  germane local --invoke http://127.0.0.1:9000
                                   and `cargo lambda watch` beside it")]
pub struct Local {
    /// The port on 127.0.0.1; 0 takes a free one
    #[arg(long, default_value_t = 8787)]
    port: u16,
    /// Keep everything in this folder
    #[arg(long, value_name = "DIR", conflicts_with = "memory")]
    data: Option<PathBuf>,
    /// Keep everything in memory (this is what it does unless told otherwise)
    #[arg(long)]
    memory: bool,
    /// Drive the time, from this one on (RFC 3339)
    #[arg(long, value_name = "TIME", value_parser = time)]
    clock: Option<Timestamp>,
    /// Leave the queues to `germane worker`
    #[arg(long)]
    no_workers: bool,
    /// Leave the queues to functions that are invoked there
    #[arg(long, value_name = "URL", conflicts_with_all = ["no_workers", "clock"])]
    invoke: Option<InvokeUrl>,
    /// Where what these functions must be told is written [default: functions.env]
    #[arg(long, value_name = "FILE", requires = "invoke")]
    env_file: Option<PathBuf>,
    #[command(flatten)]
    ses: ses::Limits,
}

impl Local {
    fn config(self) -> StackConfig {
        let Self { port, data, memory: _, clock, no_workers, invoke, env_file: _, ses } = self;
        let work = match invoke {
            Some(functions) => Work::Invoked(functions),
            None if no_workers => Work::Elsewhere,
            None => Work::Here,
        };
        StackConfig { port, data, clock, work, ses: ses.config(), ..StackConfig::default() }
    }
}

fn time(raw: &str) -> Result<Timestamp, &'static str> {
    raw.parse().map_err(|_| "wanted a time with its zone (RFC 3339), such as 2026-11-23T09:00:00Z")
}

pub async fn run(args: Local, screen: Screen) -> Result<(), Failure> {
    // From here on Ctrl-C ends it cleanly, also while it starts.
    let mut stop = Stop::listen();
    let driven = args.clock.is_some();
    let environment = args.env_file.clone().unwrap_or_else(|| PathBuf::from(environment::FILE));
    let config = args.config();
    let work = config.work.clone();
    let stack = tokio::select! {
        stack = start(config) => stack?,
        () = stop.asked() => return Ok(()),
    };
    let url = stack.url();
    let mut document = json!({ "url": url, "api": format!("{url}/v1"), "inbox": format!("{url}/inbox") });
    if let Work::Invoked(_) = work {
        environment::write(&environment, &stack.environment_file())?;
        if let Some(fields) = document.as_object_mut() {
            fields.insert("env_file".to_owned(), json!(environment));
        }
    }
    let told = if screen.json { screen.document(&document) } else { screen.line(format_args!("listening on {url}")) };
    screen.note(hints(url, &work, &environment, driven));
    if told.is_ok() {
        stop.asked().await;
    }
    drained(stack.stop(), &mut stop, screen).await?;
    told
}

/// What can be done with it.
fn hints(url: &str, work: &Work, environment: &Path, driven: bool) -> String {
    let mut hints = format!("  inbox  {url}/inbox\n  api    {url}/v1/openapi.json\n");
    match work {
        Work::Here => hints.push_str("  try    germane import people.jsonl\n"),
        Work::Elsewhere => hints.push_str("  try    germane import people.jsonl\n  work   germane worker\n"),
        Work::Invoked(functions) => hints.push_str(&environment::hints(functions, environment)),
    }
    if driven {
        hints.push_str("  clock  POST /local/clock {\"advance_seconds\": N}\n");
    }
    hints + "Ctrl-C ends it."
}

pub async fn start(config: StackConfig) -> Result<Stack, Failure> {
    log::to_stderr();
    Stack::start(config).await.map_err(|error| failure(&error))
}

fn failure(error: &StackError) -> Failure {
    let not_started = |exit| Failure::of(exit, "not_started", "the local stack does not start").detail(chain(error));
    match error {
        StackError::Services(ServicesError::Port { .. }) => {
            not_started(Exit::Failed).next("take a free port: germane local --port 0")
        }
        StackError::Data(DataError::Store(StoreError::Folder { .. }) | DataError::Ahead { .. })
        | StackError::Templates(_) => not_started(Exit::BadInput),
        StackError::Data(
            DataError::Store(_) | DataError::Ses(_) | DataError::Damaged { .. } | DataError::Tables { .. },
        )
        | StackError::Services(_)
        | StackError::Invoke(_)
        | StackError::Port(_) => not_started(Exit::Failed),
    }
}
