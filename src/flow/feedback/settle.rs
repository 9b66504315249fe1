//! From an event to the outcome of record: a mail that was in doubt was sent after all, one that was accepted failed.

use super::{Feedback, FeedbackError};
use crate::{
    domain::{
        decision::OutcomeKind,
        feedback::{About, Settlement},
        id::{RecipientId, SendKey, Shard},
        recipient::Recipient,
        report::CampaignStatus,
    },
    flow::{
        launch::{CampaignRecord, Standing},
        record,
        send::claim::{SendsWrite, Written},
    },
};

/// How often a slot is given back anew because somebody else changed the person first.
const MAX_LOSSES: usize = 32;

/// Whether the ledger could be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// It says so now, or has said so, or will never say anything of this mail.
    Yes,
    /// The chunk that the event is about is not committed yet.
    NotYet,
}

impl Told {
    pub(super) fn waits(self) -> bool {
        self == Told::NotYet
    }
}

impl Feedback {
    pub(super) async fn settle(
        &self,
        about: &About,
        settlement: Settlement,
        standings: &[Standing],
    ) -> Result<Told, FeedbackError> {
        let shard = Shard::of(&about.recipient, self.shards);
        let Some(standing) = standings.iter().find(|standing| standing.work.shard == shard) else {
            // Never launched there, so it is no mail of this campaign.
            return Ok(Told::Yes);
        };
        if settlement == Settlement::Sent && !may_be_in_doubt(standing, &about.recipient) {
            return Ok(Told::Yes);
        }
        // The chunk knows people by what only their item leads to.
        let Some(person) = self.people.get(&about.recipient).await? else { return Ok(Told::Yes) };
        let Some(record) = self.campaigns.get(&about.campaign).await? else { return Ok(Told::Yes) };
        let place = self.place(&record, &person);
        loop {
            let entry = record::in_chunks(self.ledger.as_ref(), &self.work(about), &person).await?;
            let Some(outcome) = entry.filter(|entry| !entry.is_deferred()).map(|entry| entry.outcome) else {
                return Ok(still_to_come(&record, standing));
            };
            let held = self.settlements.get(&place).await?;
            let stands = held.map_or(outcome.kind(), |held| held.over(outcome).kind());
            let Some(step) = settlement.from(stands) else { return Ok(Told::Yes) };
            if settlement != Settlement::Sent {
                self.give_back(about, &person).await?;
            }
            if self.settlements.settle(&place, held, step).await? {
                return Ok(Told::Yes);
            }
            // Another event was faster; what it said may leave nothing to say.
        }
    }

    /// What was not sent uses no slot. Repeating it is harmless.
    async fn give_back(&self, about: &About, person: &Recipient) -> Result<(), FeedbackError> {
        let mut person = person.clone();
        for _ in 0..MAX_LOSSES {
            let Some(claim) = person.sends.of(SendKey::campaign(&about.campaign)).map(|send| send.claim) else {
                return Ok(());
            };
            let sends = person.sends.without(claim);
            let write = SendsWrite { id: person.id.clone(), version: person.version, sends };
            match self.claims.write(&[write]).await?.pop() {
                Some(Written::Done | Written::Lost(None)) => return Ok(()),
                Some(Written::Lost(Some(fresh))) => person = *fresh,
                Some(Written::Busy) | None => {}
            }
        }
        Err(FeedbackError::Contended)
    }
}

/// Whether an outcome that is not there, or only put off, can still come.
fn still_to_come(record: &CampaignRecord, standing: &Standing) -> Told {
    let open = match record.status {
        CampaignStatus::Scheduled
        | CampaignStatus::Launching
        | CampaignStatus::Sending
        | CampaignStatus::WaitingForWindow
        | CampaignStatus::WaitingForQuota
        | CampaignStatus::Paused => true,
        // A worker that was lost may have taken them: whoever sweeps after it records that.
        CampaignStatus::Cancelled | CampaignStatus::Expired => standing.undrained,
        CampaignStatus::Complete | CampaignStatus::Refused => false,
    };
    if open { Told::NotYet } else { Told::Yes }
}

/// Whether the shard may hold this person's mail as in doubt, now or once what is under way is committed. Nearly every
/// delivery is about a mail of which nobody doubts, and then ends here.
fn may_be_in_doubt(standing: &Standing, id: &RecipientId) -> bool {
    let progress = &standing.progress;
    let passed = progress.done
        || progress.cursor.as_ref().is_some_and(|cursor| id <= cursor)
        // Between two passes nobody is under way.
        || (progress.pass > 1 && progress.cursor.is_none() && !standing.undrained);
    !passed || standing.counts().of(OutcomeKind::InDoubt) > 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::decision::Outcome;
    use crate::flow::{ledger::Progress, queue::Work};

    fn standing(progress: Progress, undrained: bool) -> Standing {
        let work = Work { campaign: "c".parse().unwrap(), shard: Shard(0), pass: progress.pass };
        Standing { work, progress, undrained, settled: std::collections::BTreeMap::new() }
    }

    fn asks(progress: Progress, undrained: bool) -> bool {
        may_be_in_doubt(&standing(progress, undrained), &"m".parse().unwrap())
    }

    #[test]
    fn a_delivery_of_somebody_whom_the_cursor_has_passed_asks_nothing_while_nobody_is_in_doubt() {
        let at = |cursor: &str| Progress { cursor: Some(cursor.parse().unwrap()), ..Progress::default() };
        assert!(!asks(at("m"), true));
        assert!(asks(at("l"), true));
        let mut in_doubt = at("z");
        in_doubt.counts.add(&Outcome::InDoubt);
        assert!(asks(in_doubt, false));
    }

    #[test]
    fn between_two_passes_nobody_is_under_way() {
        assert!(!asks(Progress { pass: 2, ..Progress::default() }, false));
        assert!(asks(Progress { pass: 2, ..Progress::default() }, true));
    }
}
