//! Whether SES answers a bulk call in the order of its mails, which nobody wrote down and all outcomes rest on.
//!
//! One call of a few mails to SES's simulator has one that SES must refuse by itself. Its place is neither an end nor the
//! middle, so that a reversed answer, or one sorted by outcome, shows it elsewhere.

use super::{Check, Looked};

/// How many mails the call has.
pub const MAILS: usize = 4;
/// Which of them cannot be taken, counted from 0.
pub const FLAWED: usize = 1;

/// What SES said at one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    Taken,
    Refused,
    /// What tells nothing of the order, such as that it is busy.
    Other(String),
}

pub fn judge(said: &[Said]) -> Check {
    let unknown = |found: String| {
        Check::unknown(
            Looked::Order,
            found,
            "ask again; if it stays so, look at what else is not ready: germane doctor",
        )
    };
    if said.len() != MAILS {
        return unknown(format!("SES gave {} answers for {MAILS} mails", said.len()));
    }
    if let Some(Said::Other(what)) = said.iter().find(|said| matches!(said, Said::Other(_))) {
        return unknown(format!("SES did not say: {what}"));
    }
    let refused: Vec<usize> =
        said.iter().enumerate().filter(|(_, said)| **said == Said::Refused).map(|(at, _)| at).collect();
    let place = FLAWED + 1;
    match refused.as_slice() {
        [at] if *at == FLAWED => {
            let found = format!("of {MAILS} mails SES refused number {place}, as it must, and said so at its place");
            Check::ready(Looked::Order, found)
        }
        [at] => {
            let found = format!("SES had to refuse mail {place} of {MAILS}, and said that it refused {}", at + 1);
            Check::missing(
                Looked::Order,
                found,
                "send no campaign: outcomes would be told of the wrong people. Report it to Germane's authors",
            )
        }
        [] => unknown(format!("SES took all {MAILS} mails, one of which cannot be delivered to anybody")),
        [_, _, ..] => unknown(format!("SES refused {} of {MAILS} mails, not the one that it must", refused.len())),
    }
}
