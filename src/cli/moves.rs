//! `germane pause`, `resume` and `cancel`: one file, since nothing but their words tells them apart.

use clap::Subcommand;
use serde_json::Value;

use crate::domain::{id::CampaignId, lifecycle::Command};

use super::{client::Client, failure::Failure, screen::Screen};

#[derive(Debug, Subcommand)]
pub enum Move {
    /// Pause a campaign
    #[command(after_help = "\
Within about a second no new mail is begun; those on their way are finished and
recorded. Nobody is lost by it: a resume goes on where the pause stopped.

Examples:
  germane pause rust-weekly-2026-47
  germane resume rust-weekly-2026-47    and it goes on")]
    Pause {
        /// The campaign's id
        id: CampaignId,
    },
    /// Resume a campaign that was paused
    #[command(after_help = "\
It goes on where it stopped. If it was not you who paused it, put right first
what `germane status` names.

Examples:
  germane resume rust-weekly-2026-47
  germane status rust-weekly-2026-47 --watch    and see how it goes on")]
    Resume {
        /// The campaign's id
        id: CampaignId,
    },
    /// Cancel a campaign, for good
    #[command(after_help = "\
Whoever was not mailed yet gets nothing any more. It cannot be undone, and the id
stays taken; to stop for a while, pause it.

Examples:
  germane cancel rust-weekly-2026-47
  germane decisions rust-weekly-2026-47 --reason campaign_cancelled")]
    Cancel {
        /// The campaign's id
        id: CampaignId,
    },
}

pub async fn run(verb: Move, client: &Client, screen: Screen) -> Result<(), Failure> {
    let (id, command, next) = match verb {
        Move::Pause { id } => {
            let next = format!("to go on: germane resume {id}");
            (id, Command::Pause, next)
        }
        Move::Resume { id } => {
            let next = format!("see how it goes: germane status {id} --watch");
            (id, Command::Resume, next)
        }
        Move::Cancel { id } => {
            let next = format!("see whom it came to: germane decisions {id}");
            (id, Command::Cancel, next)
        }
    };
    let answer = client.post_nothing(&["campaigns", id.as_str(), command.as_str()]).await?;
    if screen.json {
        return screen.document(&answer);
    }
    let status = answer.get("status").and_then(Value::as_str);
    let status = status.ok_or_else(|| client.strange("a campaign without a status"))?;
    screen.line(format_args!("{id}: {status}"))?;
    screen.note(next);
    Ok(())
}
