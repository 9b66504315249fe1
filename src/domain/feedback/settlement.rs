//! How an event corrects the ledger: a mail that was in doubt is settled, one that SES took and did not send has failed.

use super::What;
use crate::domain::{
    codes::codes,
    decision::{Grounds, Outcome, OutcomeKind, Reason, ReasonCode},
};

codes!(
    /// What an event makes of a mail of which the ledger says otherwise.
    Settlement {
        Sent = "sent",
        Rejected = "rejected",
        NotRendered = "not_rendered",
    }
);

codes!(
    /// A step from the outcome that stood to the one that events prove. Nothing leads back.
    Step {
        DoubtToSent = "ds",
        DoubtToRejected = "dr",
        DoubtToNotRendered = "dn",
        SentToRejected = "sr",
        SentToNotRendered = "sn",
    }
);

impl Settlement {
    /// What a mail of which this is known came to.
    pub fn of(what: What) -> Option<Self> {
        match what {
            What::Delivered | What::Bounced(_) | What::Complained => Some(Settlement::Sent),
            What::Rejected => Some(Settlement::Rejected),
            What::NotRendered => Some(Settlement::NotRendered),
            // A picture that was loaded proves it too, but the delivery before it has told.
            What::Opened | What::Clicked | What::Unremarkable => None,
        }
    }

    /// The step from `standing`; `None` if that is at least as much known already.
    pub fn from(self, standing: OutcomeKind) -> Option<Step> {
        match (standing, self) {
            (OutcomeKind::InDoubt, Settlement::Sent) => Some(Step::DoubtToSent),
            (OutcomeKind::InDoubt, Settlement::Rejected) => Some(Step::DoubtToRejected),
            (OutcomeKind::InDoubt, Settlement::NotRendered) => Some(Step::DoubtToNotRendered),
            (OutcomeKind::Sent, Settlement::Rejected) => Some(Step::SentToRejected),
            (OutcomeKind::Sent, Settlement::NotRendered) => Some(Step::SentToNotRendered),
            (OutcomeKind::Sent, Settlement::Sent)
            | (OutcomeKind::Skipped | OutcomeKind::Deferred | OutcomeKind::HeldOut | OutcomeKind::Failed, _) => None,
        }
    }

    /// The outcome of record, in place of what the ledger's chunk says.
    pub fn over(self, outcome: Outcome) -> Outcome {
        match (self, outcome) {
            (Settlement::Sent, sent @ Outcome::Sent(_)) => sent,
            // Why it was sent is not known: the worker that knew was lost.
            (Settlement::Sent, _) => Outcome::Sent(Grounds::default()),
            (Settlement::Rejected, _) => Outcome::Failed(Reason::Rejected { status: "REJECT".to_owned() }),
            (Settlement::NotRendered, _) => Outcome::Failed(Reason::NotRendered),
        }
    }
}

/// An outcome as it is counted.
pub type Counted = (OutcomeKind, Option<ReasonCode>);

impl Step {
    /// Which count it lowers, and which it raises.
    pub fn moves(self) -> (Counted, Counted) {
        const DOUBT: Counted = (OutcomeKind::InDoubt, Some(ReasonCode::InDoubt));
        const SENT: Counted = (OutcomeKind::Sent, None);
        const REJECTED: Counted = (OutcomeKind::Failed, Some(ReasonCode::Rejected));
        const NOT_RENDERED: Counted = (OutcomeKind::Failed, Some(ReasonCode::NotRendered));
        match self {
            Step::DoubtToSent => (DOUBT, SENT),
            Step::DoubtToRejected => (DOUBT, REJECTED),
            Step::DoubtToNotRendered => (DOUBT, NOT_RENDERED),
            Step::SentToRejected => (SENT, REJECTED),
            Step::SentToNotRendered => (SENT, NOT_RENDERED),
        }
    }

    pub fn settlement(self) -> Settlement {
        match self {
            Step::DoubtToSent => Settlement::Sent,
            Step::DoubtToRejected | Step::SentToRejected => Settlement::Rejected,
            Step::DoubtToNotRendered | Step::SentToNotRendered => Settlement::NotRendered,
        }
    }
}
