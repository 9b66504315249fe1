//! Taking a recipient for a campaign, once, with their frequency slot: one conditional write on the version that was
//! decided on. Whoever loses it learns what changed and asks the gate again.

use std::time::Duration;

use async_trait::async_trait;
use futures_util::{
    FutureExt,
    future::{BoxFuture, try_join_all},
};
use jiff::Timestamp;

use super::{
    SendError,
    lease::{CLAIM_SLACK, GIVE_BACK_SLACK},
    reader::Seat,
    walk::{Run, entry},
};
use crate::{
    domain::{
        campaign::Kind,
        decision::{Grounds, Outcome, Reason},
        frequency::{Send, Sends},
        gate,
        id::{RecipientId, SendKey},
        recipient::{Recipient, SuppressionKind},
    },
    flow::{launch::Versioned, ledger::Entry, port::PortError},
};

/// How many conditional writes travel in one call (`BatchExecuteStatement` takes 25).
pub const CLAIMS_PER_CALL: usize = 25;
/// A person who changes so often while we try is left for later.
const MAX_LOSSES: u8 = 32;
/// How often a write that may not have happened is repeated.
const MAX_TRIES: u32 = 8;
const BACK_OFF: Duration = Duration::from_millis(50);

/// A new `sends` for the recipient whose version is still `version`; the version rises by one with it.
#[derive(Debug, Clone, PartialEq)]
pub struct SendsWrite {
    pub id: RecipientId,
    pub version: u64,
    pub sends: Sends,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Written {
    Done,
    /// The version had moved on: this is what is there now, if anything is.
    Lost(Option<Box<Recipient>>),
    /// Throttled or in conflict: not written, to be tried again.
    Busy,
}

#[async_trait]
pub trait Claims: std::marker::Send + Sync {
    /// Does up to [`CLAIMS_PER_CALL`] writes, each by itself; answers in their order. After an error any of them may
    /// have happened.
    async fn write(&self, writes: &[SendsWrite]) -> Result<Vec<Written>, PortError>;
}

/// Somebody to be claimed, and the place in the slice that their outcome goes to.
pub(super) struct Candidate {
    pub seat: usize,
    pub recipient: Recipient,
    pub losses: u8,
}

/// Somebody who is ours: mailed next, or given back.
pub(super) struct Claimed {
    pub seat: usize,
    pub recipient: Recipient,
    pub grounds: Grounds,
    pub at: Timestamp,
}

/// What became of candidates.
#[derive(Default)]
pub(super) struct ClaimResult {
    pub claimed: Vec<Claimed>,
    /// Ours by a write whose answer was lost, and no longer to be mailed: to be given back.
    pub spoilt: Vec<Candidate>,
    pub decided: Vec<(usize, Entry)>,
}

/// Asks the gate again at this moment and claims those whom it still lets through.
pub(super) async fn claim(
    run: &Run<'_>,
    policy: &Versioned,
    candidates: Vec<Candidate>,
) -> Result<ClaimResult, SendError> {
    let mut result = ClaimResult::default();
    let mut open = candidates;
    while !open.is_empty() {
        let now = run.ports.clock.now();
        let mut asked: Vec<(Claimed, u8)> = Vec::with_capacity(open.len());
        for Candidate { seat, recipient, losses } in open.drain(..) {
            match gate::decide(&recipient, &run.campaign, &policy.policy, now).grounds() {
                Ok(grounds) => asked.push((Claimed { seat, recipient, grounds, at: now }, losses)),
                Err(refused) => result.decided.push((seat, entry(&recipient, refused, policy.version, now))),
            }
        }
        let writes = asked.iter().map(|(claimed, _)| SendsWrite {
            id: claimed.recipient.id.clone(),
            version: claimed.recipient.version,
            sends: claimed.recipient.sends.with(entries(run, now), now),
        });
        let written = write(run, writes.collect(), CLAIM_SLACK).await?;
        for ((mut claimed, losses), (answer, sends)) in asked.into_iter().zip(written) {
            let seat = claimed.seat;
            match answer {
                Written::Done => {
                    claimed.recipient.version += 1;
                    claimed.recipient.sends = sends;
                    result.claimed.push(claimed);
                }
                Written::Lost(None) => {
                    result.decided.push((seat, entry(&claimed.recipient, erased(now), policy.version, now)));
                }
                Written::Lost(Some(fresh)) => match fresh.sends.of(run.campaign.key()) {
                    // A repeated write that had happened fails on its own success.
                    Some(send) if send.claim == run.claim => {
                        let at = send.at;
                        // Facts may have changed since it happened, an address be gone: they are asked about again.
                        let mut before = (*fresh).clone();
                        before.sends = before.sends.without(run.claim);
                        match gate::decide(&before, &run.campaign, &policy.policy, now).grounds() {
                            Ok(grounds) => result.claimed.push(Claimed { seat, recipient: *fresh, grounds, at }),
                            Err(_) => result.spoilt.push(Candidate { seat, recipient: *fresh, losses: 0 }),
                        }
                    }
                    Some(_) => {
                        let entry = entry(&fresh, Outcome::InDoubt, policy.version, now);
                        result.decided.push((seat, entry));
                    }
                    None if losses == MAX_LOSSES => {
                        let contended = Outcome::Deferred { reason: Reason::Contended, until: None };
                        result.decided.push((seat, entry(&fresh, contended, policy.version, now)));
                    }
                    // Each loss is somebody else's progress: ask the gate about the new facts.
                    None => open.push(Candidate { seat, recipient: *fresh, losses: losses + 1 }),
                },
                Written::Busy => return Err(SendError::Contended),
            }
        }
    }
    Ok(result)
}

/// People whose slots went back.
#[derive(Default)]
pub(super) struct GivenBack {
    /// As they are now.
    pub there: Vec<Candidate>,
    /// Erased meanwhile; what they were.
    pub gone: Vec<Candidate>,
}

pub(super) async fn give_back(run: &Run<'_>, claimed: Vec<Candidate>) -> Result<GivenBack, SendError> {
    let mut result = GivenBack::default();
    let mut open = claimed;
    while !open.is_empty() {
        let writes = open.iter().map(|Candidate { recipient, .. }| SendsWrite {
            id: recipient.id.clone(),
            version: recipient.version,
            sends: recipient.sends.without(run.claim),
        });
        let written = write(run, writes.collect(), GIVE_BACK_SLACK).await?;
        for (mut candidate, (answer, sends)) in std::mem::take(&mut open).into_iter().zip(written) {
            match answer {
                Written::Done => {
                    candidate.recipient.version += 1;
                    candidate.recipient.sends = sends;
                    result.there.push(candidate);
                }
                Written::Lost(None) => result.gone.push(candidate),
                Written::Lost(Some(fresh)) => {
                    let ours = fresh.sends.iter().any(|send| send.claim == run.claim);
                    candidate.recipient = *fresh;
                    if ours { open.push(candidate) } else { result.there.push(candidate) }
                }
                Written::Busy => return Err(SendError::Contended),
            }
        }
    }
    Ok(result)
}

/// The outcome of somebody whose item is gone.
pub(super) fn erased(at: Timestamp) -> Outcome {
    Outcome::Skipped(Reason::Suppressed { kind: SuppressionKind::Erased, since: at })
}

/// What a claim adds to a person's history.
fn entries(run: &Run<'_>, at: Timestamp) -> Vec<Send> {
    let counts = run.campaign.frequency.counts;
    let send = |key, counts| Send { key, at, claim: run.claim, counts };
    let mut sends = vec![send(run.campaign.key(), counts)];
    if run.campaign.kind == Kind::Notice {
        sends.push(send(SendKey::notice(&run.campaign.template), false));
    }
    sends
}

/// Does all writes, several calls at a time, repeating what was busy or whose answer did not come: the same version
/// and claim id, so that a repetition of what had happened is recognised.
async fn write(run: &Run<'_>, writes: Vec<SendsWrite>, slack: Duration) -> Result<Vec<(Written, Sends)>, SendError> {
    let calls: Vec<BoxFuture<'_, _>> =
        writes.chunks(CLAIMS_PER_CALL).map(|chunk| write_call(run, chunk, slack).boxed()).collect();
    let answers = try_join_all(calls).await?.into_iter().flatten();
    Ok(answers.zip(writes.into_iter().map(|write| write.sends)).collect())
}

async fn write_call(run: &Run<'_>, writes: &[SendsWrite], slack: Duration) -> Result<Vec<Written>, SendError> {
    let mut answers: Vec<Written> = vec![Written::Busy; writes.len()];
    for attempt in 0..MAX_TRIES {
        run.check_lease(slack)?;
        let open: Vec<usize> =
            answers.iter().enumerate().filter(|(_, a)| **a == Written::Busy).map(|(at, _)| at).collect();
        let again: Vec<SendsWrite> = open.iter().filter_map(|at| writes.get(*at).cloned()).collect();
        match run.ports.claims.write(&again).await {
            Ok(written) => {
                for (at, answer) in open.into_iter().zip(written) {
                    if let Some(slot) = answers.get_mut(at) {
                        *slot = answer;
                    }
                }
            }
            Err(error) if attempt + 1 == MAX_TRIES => return Err(error.into()),
            Err(_) => {}
        }
        if answers.iter().all(|answer| *answer != Written::Busy) {
            break;
        }
        run.ports.clock.sleep(BACK_OFF * 2_u32.pow(attempt)).await;
    }
    Ok(answers)
}

impl Seat {
    /// The people of a slice who are to be claimed, each with their place.
    pub(super) fn split(seats: Vec<Seat>) -> (Vec<Option<Entry>>, Vec<Candidate>) {
        let mut candidates = Vec::new();
        let entries = seats
            .into_iter()
            .enumerate()
            .map(|(seat, state)| match state {
                Seat::Decided(entry) => Some(entry),
                Seat::Candidate(recipient) => {
                    candidates.push(Candidate { seat, recipient: *recipient, losses: 0 });
                    None
                }
            })
            .collect();
        (entries, candidates)
    }
}
