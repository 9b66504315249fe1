//! `germane local`: the whole stack on this machine until Ctrl-C.

use clap::Args;
use jiff::Timestamp;
use serde_json::json;

use crate::local::{Stack, StackConfig};

use super::{
    failure::Failure,
    log,
    screen::Screen,
    signal::{Stop, drained},
};

#[derive(Debug, Args)]
#[command(after_help = "\
Prints `listening on URL` on stdout as soon as it answers. It needs no account
and no network. Ctrl-C lets it finish what it began, and then ends it; a second
one ends it at once. Warnings go to stderr; RUST_LOG=info says more.

Examples:
  germane local
  germane local --port 0 --json    any free port, told as JSON")]
pub struct Local {
    /// The port on 127.0.0.1; 0 takes a free one
    #[arg(long, default_value_t = 8787)]
    port: u16,
    /// Keep everything in memory (this is what it does unless told otherwise)
    #[arg(long)]
    memory: bool,
    /// Start at this time (RFC 3339) and let POST /local/clock {"advance_seconds": N} move it
    #[arg(long, value_name = "TIME", value_parser = time)]
    clock: Option<Timestamp>,
    /// Send nothing itself: `germane worker` does it, in as many processes as you like
    #[arg(long)]
    no_workers: bool,
}

impl Local {
    fn config(&self) -> StackConfig {
        StackConfig { port: self.port, clock: self.clock, workers: !self.no_workers, ..StackConfig::default() }
    }
}

fn time(raw: &str) -> Result<Timestamp, &'static str> {
    raw.parse().map_err(|_| "wanted a time with its zone (RFC 3339), such as 2026-11-23T09:00:00Z")
}

pub async fn run(args: Local, screen: Screen) -> Result<(), Failure> {
    // From here on Ctrl-C ends it cleanly, also while it starts.
    let mut stop = Stop::listen();
    let stack = tokio::select! {
        stack = start(args.config()) => stack?,
        () = stop.asked() => return Ok(()),
    };
    let url = stack.url();
    let told = if screen.json {
        screen.document(&json!({ "url": url, "api": format!("{url}/v1"), "inbox": format!("{url}/inbox") }))
    } else {
        screen.line(format_args!("listening on {url}"))
    };
    screen.note(format_args!(
        "  inbox  {url}/inbox\n  api    {url}/v1/openapi.json\n  try    germane import people.jsonl\nCtrl-C ends it."
    ));
    if told.is_ok() {
        stop.asked().await;
    }
    drained(stack.stop(), &mut stop, screen).await?;
    told
}

pub async fn start(config: StackConfig) -> Result<Stack, Failure> {
    log::to_stderr();
    let port = config.port;
    Stack::start(config).await.map_err(|error| {
        Failure::failed("not_started", format!("the local stack does not start on port {port}"))
            .detail(error.to_string())
            .next("take a free port: germane local --port 0")
    })
}
