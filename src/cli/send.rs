//! `germane send`: hands a campaign over, once for its id.

mod test;

use std::path::PathBuf;

use clap::Args;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::domain::id::RecipientId;

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

--test sends nothing of it: it mails one mail to a test address of the policy, as
a recipient would get it, and its links change nothing. Asked again, it mails again.

Examples:
  germane send campaign.json
  germane send campaign.json --watch
  germane send campaign.json --preview TOKEN    only if nothing changed since
  germane send campaign.json --test             to the policy's first test address
  germane send campaign.json --test=qa@example.com --as r-1042")]
pub struct Send {
    /// The campaign as JSON; - reads stdin
    file: PathBuf,
    /// Stay until it is through or waits, and print the report
    #[arg(long)]
    watch: bool,
    /// Send only if campaign, policy and template are those of this preview
    #[arg(long, value_name = "TOKEN")]
    preview: Option<String>,
    /// Mail only a test, to a test address of the policy [default: their first]
    #[arg(long, value_name = "ADDRESS", num_args = 0..=1, require_equals = true, default_missing_value = "",
          conflicts_with_all = ["watch", "preview"])]
    test: Option<String>,
    /// Whose mail to test; without it a sample's
    #[arg(long = "as", value_name = "RECIPIENT", requires = "test")]
    recipient: Option<RecipientId>,
}

pub async fn run(args: Send, client: &Client, screen: Screen) -> Result<(), Failure> {
    let file = input::name(&args.file);
    let campaign = input::document(&args.file)?;
    if let Some(to) = &args.test {
        return test::mail(&campaign, &file, to, args.recipient.as_ref(), client, screen).await;
    }
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
