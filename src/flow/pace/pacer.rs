//! Reserving from the timeline.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Semaphore;
use tracing::warn;

use super::{Account, Change, Changed, Limits, Take, Timeline, Timelines, hour, usable};
use crate::flow::{clock::Clock, port::PortError};

/// Of `SendBulkEmail`.
const MAX_BATCH: f64 = 50.0;
/// A batch is at most this part of a second's mails, so that no second sees more than the rate.
const BATCHES_A_SECOND: f64 = 20.0;
/// About how long a batch takes from its claim to SES's answer: so much must be open at once to use the whole rate.
const LATENCY_S: f64 = 0.5;
/// The head is pushed at most about so far ahead, so that a campaign that stops gives up little.
const AHEAD: SignedDuration = SignedDuration::from_secs(1);
/// How many reservations a process asks for at once.
const ASKING: usize = 2;
/// How often the limits are asked for, over all workers: SES answers `GetAccount` about once a second.
const ASK_EVERY: SignedDuration = SignedDuration::from_mins(1);
/// How old they may be before nobody is mailed by them.
const TRUSTED_FOR: SignedDuration = SignedDuration::from_mins(15);
/// Who asks is answered within this time, or has failed.
const ANSWERED_BY: SignedDuration = SignedDuration::from_secs(15);
const LOOK_AGAIN: Duration = Duration::from_millis(250);
/// A moment is at least so far ahead: until then it is answered, and people are claimed for it.
pub const LEAD: Duration = Duration::from_millis(100);
/// Each failed try is another worker's progress.
const MAX_TRIES: usize = 100;

/// Makes reservations for the workers of one process.
pub struct Pacer {
    clock: Arc<dyn Clock>,
    timelines: Arc<dyn Timelines>,
    account: Arc<dyn Account>,
    /// As last seen, which spares a read: what has changed since shows when a change is refused.
    seen: Mutex<Option<Timeline>>,
    asking: Semaphore,
}

/// How a worker goes about the rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tempo {
    /// Mails of one call: 1 to 50.
    pub batch: usize,
    /// Calls that must be open at once to use the whole rate: 1 or more.
    pub depth: usize,
}

impl Tempo {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to small positive numbers")]
    pub fn at(per_second: f64) -> Self {
        let batch = (per_second / BATCHES_A_SECOND).floor().clamp(1.0, MAX_BATCH);
        let depth = (per_second * LATENCY_S / batch).ceil().clamp(0.0, 1_000.0);
        Self { batch: batch as usize, depth: depth as usize + 1 }
    }
}

/// Mails that are to go at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Order {
    /// At least 1.
    pub mails: usize,
    pub count: Count,
    /// Of the rate, kept free for what does not come from campaigns.
    pub reserved_percent: u8,
}

/// Whether mails count for the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Count {
    New,
    /// Counted by an earlier reservation whose moment was missed, or whose call SES did not take.
    Again,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reservation {
    /// So many may go at `start`, fewer than ordered if the day has no more room.
    Granted { start: Timestamp, mails: usize },
    /// The day's quota is used up until then.
    Refused { until: Timestamp },
}

impl Pacer {
    pub fn new(clock: Arc<dyn Clock>, timelines: Arc<dyn Timelines>, account: Arc<dyn Account>) -> Self {
        Self { clock, timelines, account, seen: Mutex::default(), asking: Semaphore::new(ASKING) }
    }

    pub async fn tempo(&self) -> Result<Tempo, PortError> {
        Ok(Tempo::at(self.current().await?.limits.per_second))
    }

    /// When the daily quota, which SES says is used up, has room again.
    pub async fn frees_at(&self) -> Result<Timestamp, PortError> {
        let free = self.current().await?.day.frees_at();
        Ok(free.max(later(self.clock.now(), SignedDuration::from_mins(15))))
    }

    /// Answers at most about a second before the moment that it grants.
    pub async fn reserve(&self, order: &Order) -> Result<Reservation, PortError> {
        match order.count {
            Count::New => {
                // In turn, so that those who wait do not all push the head at once. It is never closed.
                let _turn = self.asking.acquire().await;
                self.wait_for_head().await?;
                self.take(order).await
            }
            // Somebody is claimed for these already: they do not wait behind those who are not.
            Count::Again => self.take(order).await,
        }
    }

    async fn wait_for_head(&self) -> Result<(), PortError> {
        loop {
            let ahead = self.current().await?.head.duration_since(self.clock.now());
            match Duration::try_from(ahead - AHEAD) {
                Ok(wait) if !wait.is_zero() => self.clock.sleep(wait).await,
                Ok(_) | Err(_) => return Ok(()),
            }
        }
    }

    async fn take(&self, order: &Order) -> Result<Reservation, PortError> {
        for _ in 0..MAX_TRIES {
            let timeline = self.current().await?;
            let counted = |mails: usize| match order.count {
                Count::New => mails as u64,
                Count::Again => 0,
            };
            let room = match order.count {
                Count::New => timeline.room().map_or(order.mails, |room| usize::try_from(room).unwrap_or(usize::MAX)),
                Count::Again => order.mails,
            };
            let mails = order.mails.min(room);
            if mails == 0 {
                return Ok(Reservation::Refused { until: timeline.day.frees_at() });
            }
            let earliest = self.clock.now().saturating_add(LEAD).unwrap_or(Timestamp::MAX);
            let span = span(mails, timeline.limits.per_second, order.reserved_percent);
            let at_most = timeline.at_most().filter(|_| order.count == Count::New);
            let take = Take { span, mails: counted(mails), hour: timeline.day.hour, at_most };
            let change = if timeline.head < earliest {
                Change::Begin { start: earliest, take }
            } else {
                Change::Follow { earliest, take }
            };
            if let Some(after) = self.change(&change).await? {
                return Ok(Reservation::Granted { start: later(after.head, -span), mails });
            }
        }
        Err(PortError::unavailable("the rate's timeline", "other workers changed it each time"))
    }

    /// The timeline in its present hour, under limits that are not too old.
    async fn current(&self) -> Result<Timeline, PortError> {
        for _ in 0..MAX_TRIES {
            let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let held = match seen {
                Some(seen) => Some(seen),
                None => self.timelines.get().await?,
            };
            let now = self.clock.now();
            let Some(timeline) = held else {
                let limits = self.account.limits().await?;
                self.change(&Change::Create(Timeline::new(limits, now))).await?;
                continue;
            };
            let trusted = now.duration_since(timeline.known_at) <= TRUSTED_FOR;
            let asked = now.duration_since(timeline.asked_at);
            if hour(now) > timeline.day.hour {
                let to = timeline.day.at(now);
                self.change(&Change::Roll { from: timeline.day, to }).await?;
            } else if asked > if trusted { ASK_EVERY } else { ANSWERED_BY } {
                let ask = Change::Ask { from: timeline.asked_at, at: now };
                if let Some(ours) = self.change(&ask).await? {
                    self.learn(&ours, now, trusted).await?;
                }
            } else if trusted {
                self.see(timeline.clone());
                return Ok(timeline);
            } else {
                // Somebody is asking at this moment.
                self.clock.sleep(LOOK_AGAIN).await;
                self.forget();
            }
        }
        Err(PortError::unavailable("the rate's timeline", "other workers changed it each time"))
    }

    /// Asks SES. Without an answer the limits that are known go on, as long as they are trusted.
    async fn learn(&self, timeline: &Timeline, now: Timestamp, trusted: bool) -> Result<(), PortError> {
        match self.account.limits().await {
            Ok(limits) => {
                // Of what the account sent, the part that we did not reserve is others'.
                let others = limits.sent_last_day.saturating_sub(timeline.day.total);
                let limits = Limits { sent_last_day: others, ..limits };
                self.change(&Change::Learn { limits, at: now }).await.map(|_| ())
            }
            Err(error) if !trusted => Err(error),
            Err(error) => {
                warn!(%error, "the account's limits could not be read; the last known ones go on");
                Ok(())
            }
        }
    }

    /// The timeline after a change that was made; `None` if it was not.
    async fn change(&self, change: &Change) -> Result<Option<Timeline>, PortError> {
        match self.timelines.change(change).await {
            Ok(Changed::Done(after)) => {
                self.see(after.clone());
                Ok(Some(after))
            }
            Ok(Changed::Not(Some(held))) => {
                self.see(held);
                Ok(None)
            }
            Ok(Changed::Not(None)) => {
                self.forget();
                Ok(None)
            }
            Err(error) => {
                self.forget();
                Err(error)
            }
        }
    }

    /// Keeps what is newest: answers may overtake each other.
    fn see(&self, timeline: Timeline) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let newer = seen.as_ref().is_none_or(|seen| seen.head <= timeline.head);
        if newer {
            *seen = Some(timeline);
        }
    }

    fn forget(&self) {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// How long so many mails take, rounded up to the microsecond.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "at most 50 mails and a few years")]
fn span(mails: usize, per_second: f64, reserved_percent: u8) -> SignedDuration {
    let usable = usable(per_second, reserved_percent);
    let micros = (mails as f64 * 1e6 / usable.max(1e-6)).ceil();
    SignedDuration::from_micros(micros as i64)
}

fn later(time: Timestamp, by: SignedDuration) -> Timestamp {
    time.saturating_add(by).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_a_twentieth_of_a_second() {
        let tempo = |per_second| (Tempo::at(per_second).batch, Tempo::at(per_second).depth);
        assert_eq!([1.0, 14.0, 300.0, 1_000.0, 5_000.0].map(tempo), [(1, 2), (1, 8), (15, 11), (50, 11), (50, 51)]);
    }

    #[test]
    fn the_rate_leaves_five_percent_and_the_policys_reserve() {
        assert_eq!(span(95, 100.0, 0), SignedDuration::from_secs(1));
        assert_eq!(span(171, 200.0, 10), SignedDuration::from_secs(1));
    }
}
