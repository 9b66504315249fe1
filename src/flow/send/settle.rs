//! From a slice to its entries: reserve, claim, mail, give back; everybody ends with exactly one outcome.

use std::time::Duration;

use super::{
    SendError,
    claim::{Candidate, claim, erased, give_back},
    mail::{Fate, mail, order},
    reader::{Seat, Slice},
    stop::Stopped,
    walk::{Run, entry},
};
use crate::{
    domain::{
        decision::{Outcome, Reason},
        id::RecipientId,
        report::Counts,
    },
    flow::{
        ledger::Entry,
        pace::{Count, LEAD, Reservation},
    },
};

/// How often people whom SES did not take are claimed anew before the shard is put back.
const MAX_ROUNDS: u32 = 5;
const BETWEEN_ROUNDS: Duration = Duration::from_secs(2);

/// A slice of which everybody is decided.
pub(super) struct Settled {
    pub entries: Vec<Entry>,
    pub last: RecipientId,
    /// The outcomes that the entries replace.
    pub replaced: Counts,
    /// Somebody was put off and nobody mailed: if nothing comes after it, the slice need not be recorded.
    pub put_off: bool,
}

pub(super) async fn settle(run: &Run<'_>, slice: Slice) -> Result<Settled, SendError> {
    let Slice { seats, last, replaced, policy } = slice;
    let (mut entries, mut candidates) = Seat::split(seats);
    let (mut out, mut put_off) = (false, false);
    let mut rounds = 0;
    while !candidates.is_empty() {
        let order = order(&policy.policy, candidates.len(), Count::New);
        let reserved = run.stop.or(async {
            if rounds > 0 {
                run.ports.clock.sleep(BETWEEN_ROUNDS * rounds).await;
            }
            run.ports.pacer.reserve(&order).await
        });
        let ready = match reserved.await {
            Ok(Ok(granted @ Reservation::Granted { start, .. })) => {
                run.stop.or_reserved(run.wait_until(start, LEAD)).await.map(|()| Ok(granted))
            }
            refused => refused,
        };
        let (start, later) = match ready {
            Ok(reservation) => match reservation? {
                Reservation::Granted { start, mails } => (start, candidates.split_off(mails.min(candidates.len()))),
                Reservation::Refused { until } => {
                    run.wait_for_quota(until, Stopped::NoRoom).await?;
                    continue;
                }
            },
            Err(stopped) => {
                for Candidate { seat, recipient, .. } in candidates {
                    let deferred = Outcome::Deferred { reason: stopped.reason(), until: None };
                    put(&mut entries, seat, entry(&recipient, deferred, policy.version, run.ports.clock.now()));
                }
                put_off = true;
                break;
            }
        };

        let begun = run.ports.clock.monotonic();
        let claims = claim(run, &policy, std::mem::take(&mut candidates)).await?;
        for (seat, entry) in claims.decided {
            put(&mut entries, seat, entry);
        }
        let mut freed = claims.spoilt;
        for (claimed, fate) in mail(run, &policy.policy, claims.claimed, start, begun).await {
            let unused = fate.frees_the_slot();
            out |= !unused;
            put_off |= matches!(fate, Fate::Deferred(_));
            let outcome = match fate {
                Fate::Sent => Some(Outcome::Sent(claimed.grounds)),
                Fate::Failed(reason) => Some(Outcome::Failed(reason)),
                Fate::Deferred(reason) => Some(Outcome::Deferred { reason, until: None }),
                Fate::InDoubt => Some(Outcome::InDoubt),
                Fate::NotYet => None,
            };
            if let Some(outcome) = outcome {
                let entry = entry(&claimed.recipient, outcome, policy.version, claimed.at);
                put(&mut entries, claimed.seat, entry);
            }
            if unused {
                freed.push(Candidate { seat: claimed.seat, recipient: claimed.recipient, losses: 0 });
            }
        }
        // The slot goes back before the commit says that it was not used.
        let freed = give_back(run, freed).await?;
        let undecided = |entries: &[Option<Entry>], seat: usize| entries.get(seat).is_some_and(Option::is_none);
        candidates = freed.there.into_iter().filter(|freed| undecided(&entries, freed.seat)).collect();
        for gone in freed.gone {
            if !undecided(&entries, gone.seat) {
                continue;
            }
            let now = run.ports.clock.now();
            put(&mut entries, gone.seat, entry(&gone.recipient, erased(now), policy.version, now));
        }
        if !candidates.is_empty() {
            rounds += 1;
        }
        if rounds == MAX_ROUNDS {
            run.stop.set(Stopped::Failed(Reason::Throttled));
        }
        candidates.extend(later);
    }
    let entries = entries.into_iter().flatten().collect();
    Ok(Settled { entries, last, replaced, put_off: put_off && !out })
}

fn put(entries: &mut [Option<Entry>], seat: usize, entry: Entry) {
    if let Some(slot) = entries.get_mut(seat) {
        *slot = Some(entry);
    }
}
