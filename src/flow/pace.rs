//! When and how many mails may be handed to SES, exact over all workers and campaigns of a deployment.
//!
//! One stored timeline stands for the rate: a reservation moves its head on by mails / rate and may send at the moment
//! where the head was. A head that lies in the past moves to now, so a second that nobody used is lost. The same item
//! counts what was reserved in each hour, which stands for the daily quota.

mod pacer;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use super::port::PortError;

pub use pacer::{Count, LEAD, Order, Pacer, Reservation, Tempo};

/// Of the rate that SES allows: the rest is for clocks that differ and for calls that arrive a little late.
const USABLE_PERCENT: f64 = 95.0;
const HOUR_S: i64 = 3_600;
/// A mail counts for 24 hours, and the hour in which it was reserved may have begun just before it.
const HOURS: usize = 24;

/// What campaigns may use of a rate, the policy keeping `reserved_percent` of it free.
pub fn usable(per_second: f64, reserved_percent: u8) -> f64 {
    per_second * USABLE_PERCENT / 100.0 * (100.0 - f64::from(reserved_percent)) / 100.0
}

/// What SES lets the account send.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Recipients a second.
    pub per_second: f64,
    /// Recipients in any 24 hours; `None` for no limit.
    pub per_day: Option<u64>,
    /// What the whole account sent in the last 24 hours.
    pub sent_last_day: u64,
}

#[async_trait]
pub trait Account: Send + Sync {
    async fn limits(&self) -> Result<Limits, PortError>;
}

/// How the timeline stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Timeline {
    /// When the next mail may go, to the microsecond.
    pub head: Timestamp,
    pub day: Day,
    pub limits: Limits,
    /// When somebody last set out to ask for the limits.
    pub asked_at: Timestamp,
    /// When they were last answered.
    pub known_at: Timestamp,
}

impl Timeline {
    /// One that nobody has reserved from.
    pub fn new(limits: Limits, now: Timestamp) -> Self {
        Self { head: now, day: Day::new(now), limits, asked_at: now, known_at: now }
    }

    /// How many more may be reserved today; `None` for any number.
    pub fn room(&self) -> Option<u64> {
        Some(self.at_most()?.saturating_sub(self.day.total))
    }

    /// What [`Day::total`] may become; `None` for any number. What others sent from this account leaves less for us.
    pub fn at_most(&self) -> Option<u64> {
        let per_day = self.limits.per_day?;
        Some(per_day.saturating_sub(self.limits.sent_last_day))
    }
}

/// What was reserved in the current hour and in the 24 before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Day {
    /// Hours since 1970.
    pub hour: i64,
    pub current: u64,
    /// The hours before, the latest first.
    pub earlier: [u64; HOURS],
    /// Of all of them.
    pub total: u64,
}

impl Day {
    pub fn new(now: Timestamp) -> Self {
        Self { hour: hour(now), current: 0, earlier: [0; HOURS], total: 0 }
    }

    /// The same at a later hour: what has left the 24 hours counts no more.
    pub fn at(&self, now: Timestamp) -> Self {
        let passed = usize::try_from(hour(now).saturating_sub(self.hour)).unwrap_or(0);
        if passed == 0 {
            return self.clone();
        }
        let gap = std::iter::repeat_n(0, passed - 1);
        let hours = gap.chain([self.current]).chain(self.earlier);
        let mut earlier = [0; HOURS];
        for (slot, count) in earlier.iter_mut().zip(hours) {
            *slot = count;
        }
        Self {
            hour: hour(now),
            current: 0,
            earlier,
            total: earlier.iter().fold(0, |sum: u64, count| sum.saturating_add(*count)),
        }
    }

    /// When the oldest hour that counts leaves; an hour from now if none does.
    pub fn frees_at(&self) -> Timestamp {
        let oldest = self.earlier.iter().rposition(|count| *count > 0).map_or(0, |at| at + 1);
        let oldest = i64::try_from(oldest).unwrap_or(0);
        let kept = if self.total == 0 { 1 } else { 25 };
        let leaves = self.hour.saturating_sub(oldest).saturating_add(kept).saturating_mul(HOUR_S);
        Timestamp::from_second(leaves).unwrap_or(Timestamp::MAX)
    }
}

fn hour(time: Timestamp) -> i64 {
    time.as_second().div_euclid(HOUR_S)
}

/// One change of the timeline, made if it is as the change expects.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    Create(Timeline),
    /// Reserves at the head, which must not lie before `earliest`.
    Follow {
        earliest: Timestamp,
        take: Take,
    },
    /// Reserves at `start`; the head must lie before it.
    Begin {
        start: Timestamp,
        take: Take,
    },
    /// Moves on to a later hour, if nothing was reserved since `from`.
    Roll {
        from: Day,
        to: Day,
    },
    /// Sets out to ask for the limits, if nobody has since `from`.
    Ask {
        from: Timestamp,
        at: Timestamp,
    },
    Learn {
        limits: Limits,
        at: Timestamp,
    },
}

/// What a reservation takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Take {
    /// How far the head moves.
    pub span: SignedDuration,
    /// How many mails count for the day.
    pub mails: u64,
    /// The hour that they count in, which must be the timeline's.
    pub hour: i64,
    /// What the day's total must not exceed afterwards.
    pub at_most: Option<u64>,
}

/// What became of a [`Change`], and how the timeline stands then.
#[derive(Debug, Clone, PartialEq)]
pub enum Changed {
    Done(Timeline),
    /// It was not as expected; `None` if there is no timeline yet.
    Not(Option<Timeline>),
}

#[async_trait]
pub trait Timelines: Send + Sync {
    async fn get(&self) -> Result<Option<Timeline>, PortError>;

    /// One conditional write.
    async fn change(&self, change: &Change) -> Result<Changed, PortError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn an_hour_counts_until_its_last_mail_is_a_day_old() {
        let mut day = Day::new(time("2026-11-23T09:59:00Z"));
        (day.current, day.total) = (7, 7);
        assert_eq!(day.frees_at(), time("2026-11-24T10:00:00Z"));
        assert_eq!(day.at(time("2026-11-24T09:59:59Z")).total, 7);
        assert_eq!(day.at(time("2026-11-24T10:00:00Z")).total, 0);
    }

    #[test]
    fn hours_without_a_reservation_are_passed_over() {
        let mut day = Day::new(time("2026-11-23T09:00:00Z"));
        (day.current, day.total) = (3, 3);
        let mut later = day.at(time("2026-11-23T12:30:00Z"));
        (later.current, later.total) = (4, 7);
        let end = later.at(time("2026-11-24T10:00:00Z"));
        assert_eq!((end.total, end.frees_at()), (4, time("2026-11-24T13:00:00Z")));
    }
}
