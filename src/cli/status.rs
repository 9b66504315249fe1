//! `germane status`: how a campaign stands.

use clap::Args;

use crate::domain::id::CampaignId;

use super::{
    client::Client,
    failure::Failure,
    report::Tense,
    screen::Screen,
    watch::{self, Followed, Patience},
};

#[derive(Debug, Args)]
#[command(after_help = "\
--watch stays through every wait, for hours, for quota or for a resume, and ends
with the campaign; with 1 if it was refused, cancelled or expired. With --json:
one report, with --watch the last one.

Examples:
  germane status rust-weekly-2026-47
  germane status rust-weekly-2026-47 --watch
  germane status rust-weekly-2026-47 --json | jq .reasons")]
pub struct Status {
    /// The campaign's id
    id: CampaignId,
    /// Stay until it has ended, even for days
    #[arg(long)]
    watch: bool,
}

pub async fn run(args: Status, client: &Client, screen: Screen) -> Result<(), Failure> {
    let id = args.id.as_str();
    let (value, report) = if args.watch {
        watch::follow(Followed::Campaign(id), Patience::ToTheEnd, client, screen).await?
    } else {
        watch::look(&["campaigns", id], client).await?
    };
    if screen.json {
        screen.document(&value)?;
    } else {
        screen.line(report.text(Tense::Done, screen.paint))?;
    }
    if args.watch { watch::settled(&report) } else { Ok(()) }
}
