//! `germane newsletters`: campaigns that recur.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::domain::id::{CampaignId, NewsletterId};

use super::{client::Client, failure::Failure, input, screen::Screen};

#[derive(Debug, Subcommand)]
pub enum Newsletters {
    /// List the newsletters, with the next and the last run of each
    #[command(after_help = "Example:\n  germane newsletters list")]
    List,
    /// Print a newsletter: its schedule, its campaign, its next and its last run
    #[command(after_help = "Example:\n  germane newsletters get rust-weekly")]
    Get {
        /// The newsletter's id
        id: NewsletterId,
    },
    /// Put a newsletter; each of its runs is a campaign
    #[command(after_help = "\
The file has a cron of five fields, a time zone, and the body of a campaign in
whose id {{date}} stands for the date of a run:

  { \"cron\": \"0 9 * * mon\", \"time_zone\": \"Europe/Berlin\",
    \"campaign\": { \"id\": \"rust-weekly-{{date}}\", \"topic\": \"rust\",
                  \"channel\": \"work\", \"template\": \"newsletter\",
                  \"content\": { \"headline\": \"This week in Rust\" } } }

Put again, it takes the place of what was there.

Examples:
  germane newsletters put rust-weekly rust-weekly.json
  germane newsletters put data-notice templates/data-notice/newsletter.json")]
    Put {
        /// The newsletter's id
        id: NewsletterId,
        /// The newsletter as JSON; - reads stdin
        file: PathBuf,
    },
    /// End a newsletter; its campaigns go on
    #[command(after_help = "Example:\n  germane newsletters delete rust-weekly")]
    Delete {
        /// The newsletter's id
        id: NewsletterId,
    },
}

/// What a line tells of a newsletter.
#[derive(Deserialize)]
struct Standing {
    id: String,
    cron: String,
    time_zone: String,
    next_run: Option<String>,
    last_run: Option<LastRun>,
}

#[derive(Deserialize)]
struct LastRun {
    campaign: CampaignId,
    refused: Option<String>,
}

pub async fn run(verb: Newsletters, client: &Client, screen: Screen) -> Result<(), Failure> {
    match verb {
        Newsletters::List => list(client, screen).await,
        Newsletters::Get { id } => screen.document(&client.get(&["newsletters", id.as_str()], &[]).await?),
        Newsletters::Put { id, file } => put(&id, &file, client, screen).await,
        Newsletters::Delete { id } => {
            let answer = client.delete(&["newsletters", id.as_str()]).await?;
            if screen.json {
                let deleted = json!({ "id": id, "result": "deleted" });
                return screen.document(if answer.is_object() { &answer } else { &deleted });
            }
            screen.line(format_args!("{id}: deleted"))
        }
    }
}

async fn list(client: &Client, screen: Screen) -> Result<(), Failure> {
    let mut all = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let query: Vec<(&str, &str)> = cursor.as_deref().map(|cursor| ("cursor", cursor)).into_iter().collect();
        let mut page = client.get(&["newsletters"], &query).await?;
        cursor = page.get("cursor").and_then(Value::as_str).map(str::to_owned);
        match page.get_mut("items").map(Value::take) {
            Some(Value::Array(items)) => all.extend(items),
            Some(_) | None => return Err(client.strange("a list without items")),
        }
        if cursor.is_none() {
            break;
        }
    }
    if screen.json {
        return screen.document(&json!({ "items": all, "cursor": null }));
    }
    if all.is_empty() {
        screen.note("there is no newsletter yet: germane newsletters put ID FILE");
    }
    for newsletter in all {
        let standing: Standing =
            serde_json::from_value(newsletter).map_err(|_| client.strange("a newsletter without a schedule"))?;
        screen.line(line(&standing))?;
    }
    Ok(())
}

async fn put(id: &NewsletterId, file: &Path, client: &Client, screen: Screen) -> Result<(), Failure> {
    let name = input::name(file);
    let newsletter = input::document(file)?;
    let put = client.put(&["newsletters", id.as_str()], &newsletter).await;
    let answer = put.map_err(|failure| failure.within(&name))?;
    if screen.json {
        return screen.document(&answer);
    }
    match answer.get("next_run").and_then(Value::as_str) {
        Some(next) => screen.line(format_args!("{id}: runs next at {next}")),
        None => screen.line(format_args!("{id}: stored")),
    }
}

fn line(standing: &Standing) -> String {
    let Standing { id, cron, time_zone, next_run, last_run } = standing;
    let next = next_run.as_deref().unwrap_or("never");
    let last = match last_run {
        None => "none yet".to_owned(),
        Some(LastRun { campaign, refused: None }) => campaign.to_string(),
        Some(LastRun { campaign, refused: Some(why) }) => format!("{campaign}, refused: {why}"),
    };
    format!("{id:<16} {cron} in {time_zone}, next {next}, last {last}")
}
