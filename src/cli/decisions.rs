//! `germane decisions`: everybody whom a campaign came to, and how it ended for them.

use clap::Args;
use serde_json::Value;

use crate::domain::{
    decision::{OutcomeKind, ReasonCode},
    id::CampaignId,
};

use super::{client::Client, failure::Failure, screen::Screen, why::Told, words::label};

#[derive(Debug, Args)]
#[command(after_help = "\
One line for each person, in the order of the ledger. With --json: JSON Lines,
one decision each.

Examples:
  germane decisions rust-weekly-2026-47 --reason frequency_cap
  germane decisions rust-weekly-2026-47 --outcome sent --limit 20
  germane decisions rust-weekly-2026-47 --json > decisions.jsonl")]
pub struct Decisions {
    /// The campaign's id
    id: CampaignId,
    /// Only those with this outcome
    #[arg(long, help = "Only those sent, skipped, deferred, held_out, failed or in_doubt")]
    outcome: Option<OutcomeKind>,
    /// Only those with this reason
    #[arg(long, help = "Only those with this reason, such as no_consent")]
    reason: Option<ReasonCode>,
    /// At most so many
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
}

pub async fn run(args: Decisions, client: &Client, screen: Screen) -> Result<(), Failure> {
    let mut left = args.limit.unwrap_or(u64::MAX);
    let mut cursor: Option<String> = None;
    while left > 0 {
        let (items, next) = page(&args, cursor.as_deref(), client).await?;
        for item in &items {
            if left == 0 {
                break;
            }
            left -= 1;
            if screen.json {
                screen.line(item)?;
            } else {
                let told = Told::read(item).ok_or_else(|| client.strange("something that is no decision"))?;
                screen.line(line(&told))?;
            }
        }
        if next.is_some() && next == cursor {
            return Err(client.strange("the same cursor twice"));
        }
        match next {
            Some(next) => cursor = Some(next),
            None => break,
        }
    }
    Ok(())
}

async fn page(
    args: &Decisions,
    cursor: Option<&str>,
    client: &Client,
) -> Result<(Vec<Value>, Option<String>), Failure> {
    let outcome = args.outcome.map(|outcome| ("outcome", outcome.as_str()));
    let reason = args.reason.map(|reason| ("reason", reason.as_str()));
    let query: Vec<(&str, &str)> =
        [outcome, reason, cursor.map(|cursor| ("cursor", cursor))].into_iter().flatten().collect();
    let mut page = client.get(&["campaigns", args.id.as_str(), "decisions"], &query).await?;
    let cursor = page.get("cursor").and_then(Value::as_str).map(str::to_owned);
    match page.get_mut("items").map(Value::take) {
        Some(Value::Array(items)) => Ok((items, cursor)),
        Some(_) | None => Err(client.strange("a page without items")),
    }
}

fn line(told: &Told) -> String {
    let reason = told.reason.as_deref().unwrap_or("");
    let words = match (told.code(), told.outcome) {
        (Some(code), _) => label(code),
        (None, OutcomeKind::Sent) => "got the mail",
        (None, _) => "",
    };
    let line = format!("{:<16} {:<9} {reason:<24} {words}", told.recipient, told.outcome.as_str());
    line.trim_end().to_owned()
}
