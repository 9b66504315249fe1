//! How many recipients SES takes now: exact windows that slide over the times at which it took the ones before. Pure:
//! whoever asks brings the time.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};

const SECOND: SignedDuration = SignedDuration::from_secs(1);
const DAY: SignedDuration = SignedDuration::from_hours(24);
const NANOSECONDS_PER_SECOND: f64 = 1e9;

/// What an account has sent lately, and what it may send now. No half-open window of a second ever holds more than the
/// rate, and none of 24 hours more than the quota, if nothing is taken beyond the room that was told.
#[derive(Debug)]
pub struct Allowance {
    rate: Window,
    day: Window,
    latest: Timestamp,
}

/// How many more recipients each limit lets pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    pub rate: usize,
    pub quota: usize,
}

impl Allowance {
    /// `max_send_rate` recipients a second, of which a second holds the whole ones; a rate below one means one in
    /// `1 / max_send_rate` seconds. `daily_quota` in any 24 hours; -1 means any number.
    pub fn new(max_send_rate: f64, daily_quota: f64) -> Self {
        let rate = if max_send_rate > 0.0 && max_send_rate < 1.0 {
            Window::new(1, seconds(max_send_rate.recip()))
        } else {
            Window::new(whole(max_send_rate), SECOND)
        };
        let quota = if daily_quota < 0.0 { usize::MAX } else { whole(daily_quota) };
        Self { rate, day: Window::new(quota, DAY), latest: Timestamp::MIN }
    }

    /// The time that counts. A clock that goes back stands still here; otherwise it could fill a second twice.
    pub fn time(&mut self, now: Timestamp) -> Timestamp {
        self.latest = self.latest.max(now);
        self.latest
    }

    pub fn room(&mut self, now: Timestamp) -> Room {
        let now = self.time(now);
        Room { rate: self.rate.room(now), quota: self.day.room(now) }
    }

    /// How many recipients both limits let pass.
    pub fn fits(&mut self, now: Timestamp) -> usize {
        let Room { rate, quota } = self.room(now);
        rate.min(quota)
    }

    /// Counts recipients as taken, also beyond the room: what was taken under other limits counts as well.
    pub fn take(&mut self, now: Timestamp, recipients: usize) {
        let now = self.time(now);
        self.rate.add(now, recipients);
        self.day.add(now, recipients);
    }

    /// Taken in the second up to now; with a rate below one, in the time in which it takes one.
    pub fn sent_last_second(&mut self, now: Timestamp) -> usize {
        let now = self.time(now);
        self.rate.held(now)
    }

    pub fn sent_last_24_hours(&mut self, now: Timestamp) -> usize {
        let now = self.time(now);
        self.day.held(now)
    }
}

/// What was taken in the `length` up to now. Whatever is exactly that old has left.
#[derive(Debug)]
struct Window {
    limit: usize,
    length: SignedDuration,
    held: usize,
    /// Oldest first; what was taken at one time is one run.
    runs: VecDeque<Run>,
}

#[derive(Debug)]
struct Run {
    at: Timestamp,
    recipients: usize,
}

impl Window {
    fn new(limit: usize, length: SignedDuration) -> Self {
        Self { limit, length, held: 0, runs: VecDeque::new() }
    }

    fn held(&mut self, now: Timestamp) -> usize {
        while let Some(run) = self.runs.pop_front_if(|run| now.duration_since(run.at) >= self.length) {
            self.held -= run.recipients;
        }
        self.held
    }

    fn room(&mut self, now: Timestamp) -> usize {
        self.limit.saturating_sub(self.held(now))
    }

    fn add(&mut self, at: Timestamp, recipients: usize) {
        self.held = self.held(at) + recipients;
        match self.runs.back_mut() {
            Some(last) if last.at == at => last.recipients += recipients,
            Some(_) | None => self.runs.push_back(Run { at, recipients }),
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "rounds down; what is below or beyond all numbers of recipients becomes the nearest of them"
)]
fn whole(recipients: f64) -> usize {
    recipients as usize
}

/// Rounded up, so that a window is never shorter than the rate asks.
#[expect(clippy::cast_possible_truncation, reason = "more than 292 years become 292 years")]
fn seconds(seconds: f64) -> SignedDuration {
    SignedDuration::from_nanos((seconds * NANOSECONDS_PER_SECOND).ceil() as i64)
}
