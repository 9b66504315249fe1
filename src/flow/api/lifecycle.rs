//! Pause, resume and cancel.

use std::time::Duration;

use super::{Api, ApiError, Code};
use crate::{
    domain::{
        id::CampaignId,
        lifecycle::{Command, Effect},
        report::{CampaignStatus, StatusCode, StatusDetail},
    },
    flow::{launch::Move, port::PortError, queue::Message},
};

/// How often a command looks again after the status moved under it. On its way to the end it moves a few times.
const TRIES: usize = 5;

impl Api {
    /// Moves the status as `command` asks, and answers with the one that it then has. Repeating it is harmless.
    pub async fn command(&self, id: &CampaignId, command: Command) -> Result<CampaignStatus, ApiError> {
        for _ in 0..TRIES {
            let record = self.record(id).await?;
            let status = match command.on(record.status, record.pinned.is_some()) {
                Effect::Moves(to) => {
                    let to = Move { to, detail: detail(command), pinned: None };
                    if !self.campaigns.advance(id, &[record.status], &to).await? {
                        // Somebody else was faster, or we were and the answer was lost: what is there now tells.
                        continue;
                    }
                    to.to
                }
                Effect::Stands => record.status,
                Effect::Refused => return Err(illegal(id, command, record.status)),
            };
            self.follow_up(id, command).await?;
            return Ok(status);
        }
        Err(contended(id))
    }

    /// If this fails the status has moved all the same, and the command can be repeated.
    async fn follow_up(&self, id: &CampaignId, command: Command) -> Result<(), PortError> {
        match command {
            // Whoever sends looks at the status by themselves.
            Command::Pause => Ok(()),
            // The launch queues what is unfinished; of a cancelled campaign, what a lost worker left behind.
            Command::Resume | Command::Cancel => {
                self.queue.send(&[Message::Launch { campaign: id.clone() }], Duration::ZERO).await
            }
        }
    }
}

fn detail(command: Command) -> Option<StatusDetail> {
    let message = match command {
        Command::Pause => "it was paused by request, and goes on when it is resumed",
        Command::Cancel => "it was cancelled by request, and nobody else gets it",
        Command::Resume => return None,
    };
    Some(StatusDetail::new(StatusCode::ByRequest, message))
}

fn illegal(id: &CampaignId, command: Command, status: CampaignStatus) -> ApiError {
    let done = participle(command);
    let allowed = |command: &&Command| matches!(command.on(status, true), Effect::Moves(_));
    let allowed: Vec<&str> = Command::ALL.iter().filter(allowed).map(|command| participle(*command)).collect();
    let status = status.as_str().replace('_', " ");
    let detail = if allowed.is_empty() {
        format!("{id} is {status}: nothing can be {done} any more")
    } else {
        format!("{id} is {status}: it cannot be {done}, only {}", allowed.join(" or "))
    };
    ApiError::Conflict { code: Code::IllegalMove, detail, faults: Vec::new() }
}

fn participle(command: Command) -> &'static str {
    match command {
        Command::Pause => "paused",
        Command::Resume => "resumed",
        Command::Cancel => "cancelled",
    }
}

fn contended(id: &CampaignId) -> ApiError {
    let detail = format!("the status of {id} keeps changing: try again");
    ApiError::Conflict { code: Code::Contended, detail, faults: Vec::new() }
}
