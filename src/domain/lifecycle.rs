//! Pause, resume and cancel: what each status makes of them, and what the end of a campaign makes of who still waited.

use super::{
    codes::codes,
    decision::{Outcome, Reason},
    report::CampaignStatus,
};

codes!(
    /// What may be asked of a campaign that was submitted.
    Command {
        Pause = "pause",
        Resume = "resume",
        Cancel = "cancel",
    }
);

/// What a status makes of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    Moves(CampaignStatus),
    /// It is as asked for. Whoever did not get the first answer asks again, and what follows the move is done again.
    Stands,
    Refused,
}

impl Command {
    /// `launched` says whether the campaign has sent before: resumed, it then goes on instead of waiting for its start.
    pub fn on(self, status: CampaignStatus, launched: bool) -> Effect {
        use CampaignStatus as S;
        match (self, status) {
            (Command::Pause, S::Scheduled | S::Launching | S::Sending | S::WaitingForWindow | S::WaitingForQuota) => {
                Effect::Moves(S::Paused)
            }
            (Command::Resume, S::Paused) => Effect::Moves(if launched { S::Launching } else { S::Scheduled }),
            (
                Command::Cancel,
                S::Scheduled | S::Launching | S::Sending | S::WaitingForWindow | S::WaitingForQuota | S::Paused,
            ) => Effect::Moves(S::Cancelled),
            (Command::Pause, S::Paused)
            | (Command::Resume, S::Scheduled | S::Launching)
            | (Command::Cancel, S::Cancelled) => Effect::Stands,
            (Command::Resume, S::Sending | S::WaitingForWindow | S::WaitingForQuota)
            | (Command::Pause | Command::Resume, S::Cancelled)
            | (Command::Pause | Command::Resume | Command::Cancel, S::Expired | S::Complete | S::Refused) => {
                Effect::Refused
            }
        }
    }
}

impl CampaignStatus {
    /// Why nobody who was put off gets a mail any more; `None` while their turn may still come.
    pub(super) fn end(self) -> Option<Reason> {
        match self {
            CampaignStatus::Cancelled => Some(Reason::CampaignCancelled),
            CampaignStatus::Expired => Some(Reason::CampaignExpired),
            CampaignStatus::Scheduled
            | CampaignStatus::Launching
            | CampaignStatus::Sending
            | CampaignStatus::WaitingForWindow
            | CampaignStatus::WaitingForQuota
            | CampaignStatus::Paused
            | CampaignStatus::Complete
            | CampaignStatus::Refused => None,
        }
    }
}

impl Outcome {
    /// As it is told while the campaign has this status: the ledger keeps who was put off, and the end of the campaign
    /// decides on all of them at once.
    #[must_use]
    pub fn under(self, status: CampaignStatus) -> Self {
        match (self, status.end()) {
            (Outcome::Deferred { .. }, Some(end)) => Outcome::Skipped(end),
            (outcome, _) => outcome,
        }
    }
}
