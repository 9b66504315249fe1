//! Following a campaign or a preview to its end, or until it waits for long.

use std::time::Duration;

use serde_json::Value;

use crate::domain::report::CampaignStatus;

use super::{
    client::Client,
    clock::Backoff,
    failure::Failure,
    progress::Progress,
    report::{Report, Tense},
    screen::{Paint, Screen},
};

/// What is followed, and where it stands in the API.
#[derive(Debug, Clone, Copy)]
pub enum Followed<'a> {
    Campaign(&'a str),
    Preview(&'a str),
}

/// How long it is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// Through every wait, even for days.
    ToTheEnd,
    /// Until it ends or waits.
    WhileItMoves,
}

/// How soon something is to be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Motion {
    Moves,
    /// Moves at its start, which may be now.
    Starts,
    /// For hours, for quota, or for somebody who resumes it.
    Waits,
    Ended,
}

impl Motion {
    fn of(status: CampaignStatus) -> Self {
        match status {
            CampaignStatus::Launching | CampaignStatus::Sending => Motion::Moves,
            CampaignStatus::Scheduled => Motion::Starts,
            CampaignStatus::WaitingForWindow | CampaignStatus::WaitingForQuota | CampaignStatus::Paused => {
                Motion::Waits
            }
            CampaignStatus::Cancelled
            | CampaignStatus::Expired
            | CampaignStatus::Complete
            | CampaignStatus::Refused => Motion::Ended,
        }
    }

    fn backoff(self) -> Backoff {
        let longest = match self {
            Motion::Moves | Motion::Ended => Duration::from_secs(1),
            Motion::Starts | Motion::Waits => Duration::from_secs(15),
        };
        Backoff::new(Duration::from_millis(60), longest)
    }
}

/// The report where following ends.
pub async fn follow(
    what: Followed<'_>,
    patience: Patience,
    client: &Client,
    screen: Screen,
) -> Result<(Value, Report), Failure> {
    let (path, doing) = match what {
        Followed::Campaign(id) => (["campaigns", id], "sending"),
        Followed::Preview(id) => (["previews", id], "previewing"),
    };
    let mut progress = Progress::start(screen, doing);
    let mut backoff = Motion::Moves.backoff();
    let mut before = None;
    loop {
        let (value, report) = look(&path, client).await?;
        let motion = Motion::of(report.status);
        if motion == Motion::Ended || (motion == Motion::Waits && patience == Patience::WhileItMoves) {
            progress.finish();
            return Ok((value, report));
        }
        let stands = (report.status, report.status_detail.clone());
        if before.as_ref() != Some(&stands) {
            backoff = motion.backoff();
            let standing = report.standing(Tense::Done, Paint::PLAIN);
            match (motion, before.map(|(status, _)| Motion::of(status))) {
                (Motion::Waits, _) => progress.turn("waiting", standing),
                (_, Some(Motion::Waits)) => progress.turn(doing, standing),
                (Motion::Moves | Motion::Starts | Motion::Ended, _) => {}
            }
            before = Some(stands);
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

/// Whether it ended well, or may still.
pub fn settled(report: &Report) -> Result<(), Failure> {
    let next = match report.status {
        CampaignStatus::Complete
        | CampaignStatus::WaitingForWindow
        | CampaignStatus::WaitingForQuota
        | CampaignStatus::Paused
        | CampaignStatus::Scheduled
        | CampaignStatus::Launching
        | CampaignStatus::Sending => return Ok(()),
        CampaignStatus::Refused => "put right what it names, and send it under another id".to_owned(),
        CampaignStatus::Cancelled | CampaignStatus::Expired => {
            format!("see whom it came to: germane decisions {}", report.campaign)
        }
    };
    let failure = Failure::failed(report.status.as_str(), format!("{} is {}", report.campaign, report.status));
    let detail = report.status_detail.as_ref().map(|detail| detail.message.as_str().into());
    Err(Failure { detail, ..failure.next(next) })
}

/// What to do about one that has not ended; `None` once it has.
pub fn later(report: &Report) -> Option<String> {
    let id = &report.campaign;
    match report.status {
        CampaignStatus::Paused => Some(format!("to go on: germane resume {id}, then germane status {id} --watch")),
        CampaignStatus::Scheduled
        | CampaignStatus::Launching
        | CampaignStatus::Sending
        | CampaignStatus::WaitingForWindow
        | CampaignStatus::WaitingForQuota => Some(format!("it goes on by itself: germane status {id} --watch")),
        CampaignStatus::Cancelled | CampaignStatus::Expired | CampaignStatus::Complete | CampaignStatus::Refused => {
            None
        }
    }
}
