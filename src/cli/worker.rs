//! `germane worker`: one more process that works on the queues of a local stack, until Ctrl-C.

use std::{pin::pin, time::Duration};

use clap::Args;
use reqwest::Url;
use serde_json::json;
use tokio::sync::watch;

use crate::{
    aws::system::SystemClock,
    flow::clock::Clock,
    lambda::problem::chain,
    local::{
        control::is_loopback,
        pollers::SHARDS_AT_ONCE,
        worker::{self, End, JoinError},
    },
};

use super::{
    client::access,
    clock::Backoff,
    failure::{Failure, Fault},
    log,
    prose::span,
    screen::Screen,
    signal::{Stop, drained},
};

/// How often an outage that goes on is told.
const REMIND: Duration = Duration::from_mins(1);

#[derive(Debug, Args)]
#[command(after_help = "\
It takes launches, shards and previews from the queues of the stack at --endpoint
and works on them beside the stack's own workers, if that has some. Prints
`working for URL` on stdout once it does. When the stack goes away it waits for
it to come back. Ctrl-C lets it finish what it began, and then ends it; a second
one ends it at once, and the others take over what it left.

Examples:
  germane local --no-workers          in one terminal
  germane worker                      in as many others as you like
  germane worker --concurrency 1 --endpoint http://127.0.0.1:8788")]
pub struct Worker {
    /// How many shards to work on at once
    #[arg(long, default_value_t = SHARDS_AT_ONCE as u64, value_name = "N",
          value_parser = clap::value_parser!(u64).range(1..=64))]
    concurrency: u64,
}

pub async fn run(args: Worker, endpoint: &str, screen: Screen) -> Result<(), Failure> {
    log::to_stderr();
    let url = access::base(endpoint)?;
    if !url.host_str().is_some_and(is_loopback) {
        let wanted = "a stack on this machine, such as http://127.0.0.1:8787";
        return Err(Failure::bad_input("usage", "a worker works for a stack on its own machine")
            .faults([Fault::option("--endpoint", endpoint, wanted)]));
    }
    let mut stop = Stop::listen();
    let (over, asked) = watch::channel(false);
    let mut working = pin!(work(&url, args.concurrency, asked, screen));
    tokio::select! {
        done = &mut working => return done,
        () = stop.asked() => {}
    }
    over.send_replace(true);
    drained(working, &mut stop, screen).await?
}

/// Works for whatever stack is there, and waits for one while none is.
async fn work(url: &Url, concurrency: u64, mut asked: watch::Receiver<bool>, screen: Screen) -> Result<(), Failure> {
    let at = url.as_str().trim_end_matches('/');
    let at_once = usize::try_from(concurrency).unwrap_or(SHARDS_AT_ONCE);
    let mut joined = false;
    loop {
        let worker = tokio::select! {
            worker = join(url, at, screen) => worker?,
            () = over(&mut asked) => return Ok(()),
        };
        if !screen.json {
            screen.line(format_args!("working for {at}"))?;
        } else if !joined {
            screen.document(&json!({ "url": at, "concurrency": concurrency }))?;
        }
        joined = true;
        match worker.run(at_once, over(&mut asked)).await {
            End::Stopped => return Ok(()),
            End::Lost => screen.note(format_args!("the stack at {at} is gone")),
        }
    }
}

async fn over(asked: &mut watch::Receiver<bool>) {
    // Whoever could ask is gone only when this is.
    let _ = asked.wait_for(|asked| *asked).await;
}

async fn join(url: &Url, at: &str, screen: Screen) -> Result<worker::Worker, Failure> {
    let clock = SystemClock::default();
    let mut backoff = Backoff::new(Duration::from_millis(200), Duration::from_secs(5));
    let mut told = None;
    loop {
        let error = match worker::Worker::join(url).await {
            Ok(worker) => return Ok(worker),
            Err(error @ JoinError::NoStack) => {
                return Err(Failure::failed("no_stack", format!("no local stack is at {at}"))
                    .detail(error.to_string())
                    .next("start one with `germane local`, of the same version, or name it with --endpoint"));
            }
            Err(error @ (JoinError::Gone(_) | JoinError::Tables(_))) => error,
        };
        let waited = clock.monotonic();
        if told.is_none() {
            screen.note(format_args!("no stack can be joined at {at}; trying again\n  {}", chain(&error)));
            told = Some(waited);
        } else if told.is_some_and(|told| waited.saturating_sub(told) >= REMIND) {
            screen.note(format_args!("still no stack at {at} after {}", span(waited.as_secs())));
            told = Some(waited);
        }
        backoff.wait().await;
    }
}
