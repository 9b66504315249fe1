//! Following a campaign or a preview until it rests.

use std::time::Duration;

use serde_json::Value;

use crate::domain::report::CampaignStatus;

use super::{client::Client, clock::Backoff, failure::Failure, progress::Progress, report::Report, screen::Screen};

/// What is followed, and where it stands in the API.
#[derive(Debug, Clone, Copy)]
pub enum Followed<'a> {
    Campaign(&'a str),
    Preview(&'a str),
}

/// The report once nothing moves any more by itself, or not soon.
pub async fn follow(what: Followed<'_>, client: &Client, screen: Screen) -> Result<(Value, Report), Failure> {
    let (path, doing) = match what {
        Followed::Campaign(id) => (["campaigns", id], "sending"),
        Followed::Preview(id) => (["previews", id], "previewing"),
    };
    let mut progress = Progress::start(screen, doing);
    let mut backoff = Backoff::new(Duration::from_millis(60), Duration::from_secs(1));
    loop {
        let (value, report) = look(&path, client).await?;
        if rests(report.status) {
            progress.finish();
            return Ok((value, report));
        }
        progress.at(report.decided, report.audience);
        backoff.wait().await;
    }
}

/// The report as it is now.
pub async fn look(path: &[&str], client: &Client) -> Result<(Value, Report), Failure> {
    let value = client.get(path, &[]).await?;
    let report = Report::read(&value).ok_or_else(|| client.strange("something that is no report"))?;
    Ok((value, report))
}

fn rests(status: CampaignStatus) -> bool {
    match status {
        CampaignStatus::Scheduled | CampaignStatus::Launching | CampaignStatus::Sending => false,
        CampaignStatus::WaitingForWindow
        | CampaignStatus::WaitingForQuota
        | CampaignStatus::Paused
        | CampaignStatus::Cancelled
        | CampaignStatus::Expired
        | CampaignStatus::Complete
        | CampaignStatus::Refused => true,
    }
}

/// Whether it rests well: done, or going on by itself later.
pub fn settled(report: &Report) -> Result<(), Failure> {
    let next = match report.status {
        CampaignStatus::Complete
        | CampaignStatus::WaitingForWindow
        | CampaignStatus::WaitingForQuota
        | CampaignStatus::Scheduled
        | CampaignStatus::Launching
        | CampaignStatus::Sending => return Ok(()),
        CampaignStatus::Refused => "put right what it names, and send it under another id".to_owned(),
        CampaignStatus::Paused | CampaignStatus::Cancelled | CampaignStatus::Expired => {
            format!("see whom it came to: germane decisions {}", report.campaign)
        }
    };
    let failure = Failure::failed(report.status.as_str(), format!("{} is {}", report.campaign, report.status));
    let detail = report.status_detail.as_ref().map(|detail| detail.message.as_str().into());
    Err(Failure { detail, ..failure.next(next) })
}
