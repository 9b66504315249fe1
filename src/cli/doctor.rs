//! `germane doctor`: what is ready for the first send, and what is next for the rest.

use std::fmt::Write;

use clap::Args;
use serde::Deserialize;
use serde_json::Value;

use crate::domain::readiness::{Looked, State};

use super::{
    client::Client,
    failure::Failure,
    prose::{counted, flowed},
    screen::{Paint, Screen},
};

/// Where what was found begins: behind the sign and the longest name.
const COLUMN: usize = 24;

#[derive(Debug, Args)]
#[command(after_help = "\
Signs: ok ready; .. could be better; !! to be put right first; ?? could not be
looked at. It ends with 0 if a campaign could run, with 1 if not.

--verify-order asks nothing else: it sends a few mails to SES's simulator, and to
nobody besides, with one among them that SES must refuse, and sees that the
answers come in the order of the mails, which SES does not promise.

Examples:
  germane doctor
  germane doctor --json | jq .figures
  germane doctor --verify-order")]
pub struct Doctor {
    /// Try out with SES's simulator that answers come in order
    #[arg(long)]
    verify_order: bool,
}

#[derive(Deserialize)]
struct Readiness {
    ready: bool,
    checks: Vec<Checked>,
}

#[derive(Deserialize)]
struct Checked {
    check: Looked,
    state: State,
    found: String,
    next: Option<String>,
}

pub async fn run(args: Doctor, client: &Client, screen: Screen) -> Result<(), Failure> {
    if args.verify_order {
        let answer = client.post_nothing(&["doctor", "order"]).await?;
        let check: Checked = read(&answer, client)?;
        return told(&answer, &[check], None, screen);
    }
    let answer = client.get(&["doctor"], &[]).await?;
    let Readiness { ready, checks } = read(&answer, client)?;
    told(&answer, &checks, Some(ready), screen)
}

fn read<T: for<'de> Deserialize<'de>>(answer: &Value, client: &Client) -> Result<T, Failure> {
    T::deserialize(answer).map_err(|_| client.strange("checks that this version does not know"))
}

/// Shows the checks; a failure if one of them keeps campaigns from running, or `ready` says that something does.
fn told(answer: &Value, checks: &[Checked], ready: Option<bool>, screen: Screen) -> Result<(), Failure> {
    if screen.json {
        screen.document(answer)?;
    } else {
        for check in checks {
            screen.line(line(check, screen.paint))?;
        }
    }
    let amiss = |state| -> Vec<String> { checks.iter().filter(|one| one.state == state).map(Checked::name).collect() };
    let (missing, unknown) = (amiss(State::Missing), amiss(State::Unknown));
    if missing.is_empty() && unknown.is_empty() && ready != Some(false) {
        if ready.is_some() && !screen.json {
            screen.line(format_args!("\n{}", ready_line(amiss(State::Advice).len())))?;
        }
        return Ok(());
    }
    let parts = [("to be put right: ", missing), ("not known: ", unknown)];
    let parts = parts
        .into_iter()
        .filter(|(_, names)| !names.is_empty())
        .map(|(what, names)| what.to_owned() + &names.join(", "));
    let detail = flowed("  ", &parts.collect::<Vec<_>>().join("; "), 2);
    Err(Failure::failed("not_ready", "not ready").detail(detail.trim_start()))
}

fn ready_line(advice: usize) -> String {
    match advice {
        0 => "ready: a campaign can run".to_owned(),
        some => format!("ready: a campaign can run, and {} could be better", counted(some as u64, "thing", "things")),
    }
}

impl Checked {
    fn name(&self) -> String {
        self.check.as_str().replace('_', " ")
    }
}

/// Without colour the sign says it all.
fn line(check: &Checked, paint: Paint) -> String {
    let sign = match check.state {
        State::Ready => "ok",
        State::Advice => "..",
        State::Missing => "!!",
        State::Unknown => "??",
    };
    let name = check.name();
    let head = format!("{sign}  {name:<width$}", width = COLUMN - 4);
    let mut text = flowed(&head, &check.found, COLUMN);
    if let Some(next) = &check.next {
        let next = flowed(&format!("{:COLUMN$}next: ", ""), next, COLUMN + 6);
        let _ = write!(text, "\n{next}");
    }
    match check.state {
        State::Ready => text,
        State::Advice => paint.dim(text),
        State::Missing | State::Unknown => paint.bold(text),
    }
}
