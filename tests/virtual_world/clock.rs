//! Time that stands still while anybody has something to do, and then jumps to whatever is due next.

use std::{
    collections::BTreeMap,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
    time::Duration,
};

use async_trait::async_trait;
use germane::flow::clock::Clock;
use jiff::{SignedDuration, Timestamp};

/// Two seconds before a full hour, so that every run sees the hours of the daily quota change.
const START: &str = "2026-11-23T09:59:58Z";

/// The one true time of a world.
#[derive(Clone, Default)]
pub struct VirtualTime(Arc<Mutex<Line>>);

#[derive(Default)]
struct Line {
    passed: Duration,
    /// Who sleeps until when. Those who wake at the same time wake in the order in which they fell asleep.
    sleepers: BTreeMap<(Duration, u64), Waker>,
    slept: u64,
}

impl VirtualTime {
    pub fn passed(&self) -> Duration {
        self.0.lock().unwrap().passed
    }

    pub fn now(&self) -> Timestamp {
        START.parse::<Timestamp>().unwrap() + self.passed()
    }

    pub fn sleep(&self, span: Duration) -> Sleep {
        Sleep { time: self.clone(), until: self.passed() + span, number: None }
    }

    /// Moves on to the next sleeper's time and wakes them; false if nobody sleeps.
    pub fn advance(&self) -> bool {
        let mut line = self.0.lock().unwrap();
        let Some(((until, _), waker)) = line.sleepers.pop_first() else { return false };
        line.passed = until;
        drop(line);
        waker.wake();
        true
    }
}

pub struct Sleep {
    time: VirtualTime,
    until: Duration,
    /// Once asleep.
    number: Option<u64>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let time = self.time.clone();
        let mut line = time.0.lock().unwrap();
        if line.passed >= self.until {
            return Poll::Ready(());
        }
        let number = *self.number.get_or_insert_with(|| {
            line.slept += 1;
            line.slept
        });
        line.sleepers.insert((self.until, number), context.waker().clone());
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(number) = self.number {
            self.time.0.lock().unwrap().sleepers.remove(&(self.until, number));
        }
    }
}

/// The clock of one worker, which may be ahead of the true time.
pub struct VirtualClock {
    pub time: VirtualTime,
    pub ahead: SignedDuration,
}

#[async_trait]
impl Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        let now = self.time.now() + self.ahead;
        Timestamp::from_millisecond(now.as_millisecond()).unwrap()
    }

    fn monotonic(&self) -> Duration {
        self.time.passed()
    }

    async fn sleep(&self, span: Duration) {
        self.time.sleep(span).await;
    }
}
