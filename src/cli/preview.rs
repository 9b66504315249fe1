//! `germane preview`: who would get a campaign, and why the others would not.

use std::path::PathBuf;

use clap::Args;
use jiff::Timestamp;

use super::{
    client::Client,
    failure::Failure,
    input,
    report::{Report, Tense},
    screen::Screen,
    watch::{self, Followed, Patience},
};

#[derive(Debug, Args)]
#[command(after_help = "\
A preview passes the same gates over the same people and sends nothing.

Examples:
  germane preview campaign.json
  germane preview campaign.json --at 2026-11-30T09:00:00Z
  germane preview campaign.json --json | jq .outcomes.sent")]
pub struct Preview {
    /// The campaign as JSON; - reads stdin
    file: PathBuf,
    /// Ask the gates as of this time (RFC 3339) instead of now
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
}

pub async fn run(args: Preview, client: &Client, screen: Screen) -> Result<(), Failure> {
    let file = input::name(&args.file);
    let campaign = input::document(&args.file)?;
    let (value, report) = preview(&campaign, args.at, client, screen).await.map_err(|failure| failure.within(&file))?;
    if screen.json {
        screen.document(&value)?;
    } else {
        screen.line(report.text(Tense::Foreseen, screen.paint))?;
        if let Some(token) = &report.preview_token {
            screen.note(format_args!("\nto send just this: germane send {file} --preview {token}"));
        }
    }
    watch::settled(&report)
}

pub async fn preview(
    campaign: &serde_json::Value,
    at: Option<Timestamp>,
    client: &Client,
    screen: Screen,
) -> Result<(serde_json::Value, Report), Failure> {
    let at = at.map(|at| at.to_string());
    let query: Vec<(&str, &str)> = at.iter().map(|at| ("at", at.as_str())).collect();
    let accepted = client.post(&["previews"], &query, campaign).await?;
    let id = accepted.get("id").and_then(serde_json::Value::as_str);
    let id = id.ok_or_else(|| client.strange("a preview without an id"))?;
    watch::follow(Followed::Preview(id), Patience::WhileItMoves, client, screen).await
}
