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
pub const START: &str = "2026-11-23T09:59:58Z";

/// The one true time of a world.
#[derive(Clone)]
pub struct VirtualTime(Arc<Mutex<Line>>);

struct Line {
    start: Timestamp,
    passed: Duration,
    /// What happens when. What happens at the same time happens in the order in which it was said.
    due: BTreeMap<(Duration, u64), Due>,
    said: u64,
}

enum Due {
    /// Somebody sleeps until then.
    Wake(Waker),
    /// What was sent arrives, whether or not anybody still waits for its answer.
    Arrive(Box<dyn FnOnce() + Send>),
}

impl Default for VirtualTime {
    fn default() -> Self {
        let line = Line { start: START.parse().unwrap(), passed: Duration::ZERO, due: BTreeMap::new(), said: 0 };
        Self(Arc::new(Mutex::new(line)))
    }
}

impl VirtualTime {
    pub fn passed(&self) -> Duration {
        self.0.lock().unwrap().passed
    }

    pub fn now(&self) -> Timestamp {
        let line = self.0.lock().unwrap();
        line.start + line.passed
    }

    pub fn sleep(&self, span: Duration) -> Sleep {
        Sleep { time: self.clone(), until: self.passed() + span, number: None }
    }

    pub fn after(&self, span: Duration, arrive: impl FnOnce() + Send + 'static) {
        let mut line = self.0.lock().unwrap();
        let at = line.passed + span;
        line.put(at, Due::Arrive(Box::new(arrive)));
    }

    /// Moves on to whatever is due next, and has it happen; false if nothing is.
    pub fn advance(&self) -> bool {
        let mut line = self.0.lock().unwrap();
        let Some(((at, _), due)) = line.due.pop_first() else { return false };
        line.passed = at;
        drop(line);
        match due {
            Due::Wake(waker) => waker.wake(),
            Due::Arrive(arrive) => arrive(),
        }
        true
    }
}

impl Line {
    fn put(&mut self, at: Duration, due: Due) -> u64 {
        self.said += 1;
        self.due.insert((at, self.said), due);
        self.said
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
        let wake = Due::Wake(context.waker().clone());
        match self.number {
            Some(number) => drop(line.due.insert((self.until, number), wake)),
            None => self.number = Some(line.put(self.until, wake)),
        }
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(number) = self.number {
            self.time.0.lock().unwrap().due.remove(&(self.until, number));
        }
    }
}

/// The clock of one worker, which may be ahead of the true time or behind it.
#[derive(Clone)]
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
