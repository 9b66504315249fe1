//! `germane send`: hands a campaign over, once for its id.

use std::path::PathBuf;

use clap::Args;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::{
    client::Client,
    clock,
    failure::Failure,
    input,
    report::Tense,
    screen::Screen,
    watch::{self, Followed, Patience},
};

#[derive(Debug, Args)]
#[command(after_help = "\
The same campaign again does nothing twice; another campaign under a used id is
refused. --watch also ends where the campaign waits: for its start, for hours,
for quota or for a resume. It ends with 1 if it was refused, cancelled or expired.

Examples:
  germane send campaign.json
  germane send campaign.json --watch
  germane send campaign.json --preview TOKEN    only if nothing changed since")]
pub struct Send {
    /// The campaign as JSON; - reads stdin
    file: PathBuf,
    /// Stay until it is through or waits, and print the report
    #[arg(long)]
    watch: bool,
    /// Send only if campaign, policy and template are those of this preview
    #[arg(long, value_name = "TOKEN")]
    preview: Option<String>,
}

pub async fn run(args: Send, client: &Client, screen: Screen) -> Result<(), Failure> {
    let file = input::name(&args.file);
    let campaign = input::document(&args.file)?;
    let accepted = send(&campaign, args.preview.as_deref(), client).await.map_err(|failure| failure.within(&file))?;
    let id = accepted.get("id").and_then(Value::as_str);
    let id = id.ok_or_else(|| client.strange("a campaign without an id"))?;
    if !args.watch {
        if screen.json {
            return screen.document(&accepted);
        }
        let status = accepted.get("status").and_then(Value::as_str).unwrap_or("accepted");
        screen.line(format_args!("{id}: {status}"))?;
        screen.note(format_args!("see how it goes: germane status {id} --watch"));
        return Ok(());
    }
    let (value, report) = if starts_later(&campaign) {
        watch::look(&["campaigns", id], client).await?
    } else {
        watch::follow(Followed::Campaign(id), Patience::WhileItMoves, client, screen).await?
    };
    if screen.json {
        screen.document(&value)?;
    } else {
        screen.line(report.text(Tense::Done, screen.paint))?;
        if let Some(later) = watch::later(&report) {
            screen.note(later);
        }
    }
    watch::settled(&report)
}

/// Whether its start is further ahead than one stays for.
fn starts_later(campaign: &Value) -> bool {
    let start = campaign.get("not_before").and_then(Value::as_str).and_then(|start| start.parse::<Timestamp>().ok());
    start.is_some_and(|start| start.duration_since(clock::now()) > SignedDuration::from_mins(1))
}

/// The API's 202.
pub async fn send(campaign: &Value, preview: Option<&str>, client: &Client) -> Result<Value, Failure> {
    let query: Vec<(&str, &str)> = preview.map(|token| ("preview", token)).into_iter().collect();
    client.post(&["campaigns"], &query, campaign).await
}
