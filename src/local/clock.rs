//! The local stack's time: the machine's, or one that starts where it is told to, goes on with real time, and is moved
//! forward by hand, so that a week of caps and windows is tried in a second.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use tokio::sync::watch;

use crate::{aws::system::SystemClock, domain::time::kept, flow::clock::Clock};

pub struct LocalClock {
    machine: SystemClock,
    driven: Option<Driven>,
}

struct Driven {
    start: Timestamp,
    /// How far it was moved, beside the real time that has passed since the start.
    moved: watch::Sender<Duration>,
}

/// The clock is the machine's, which nobody moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the time is the machine's: start the stack with --clock TIME to drive it")]
pub struct NotDriven;

impl LocalClock {
    pub fn machine() -> Self {
        Self { machine: SystemClock::default(), driven: None }
    }

    pub fn driven(start: Timestamp) -> Self {
        let driven = Driven { start, moved: watch::Sender::new(Duration::ZERO) };
        Self { machine: SystemClock::default(), driven: Some(driven) }
    }

    pub fn is_driven(&self) -> bool {
        self.driven.is_some()
    }

    /// Moves it forward. Whoever sleeps until a time that has then come wakes up.
    pub fn advance(&self, by: Duration) -> Result<(), NotDriven> {
        let driven = self.driven.as_ref().ok_or(NotDriven)?;
        driven.moved.send_modify(|moved| *moved = moved.saturating_add(by));
        Ok(())
    }

    /// Moves a driven clock forward to `time`; one that is there already stays where it is.
    pub fn reach(&self, time: Timestamp) {
        let Some(driven) = &self.driven else { return };
        let Ok(since_start) = Duration::try_from(time.duration_since(driven.start)) else { return };
        let wanted = since_start.saturating_sub(self.machine.monotonic());
        driven.moved.send_if_modified(|moved| {
            let ahead = wanted > *moved;
            *moved = wanted.max(*moved);
            ahead
        });
    }
}

#[async_trait]
impl Clock for LocalClock {
    fn now(&self) -> Timestamp {
        match &self.driven {
            None => self.machine.now(),
            Some(driven) => kept(driven.start.saturating_add(self.monotonic()).unwrap_or(Timestamp::MAX)),
        }
    }

    fn monotonic(&self) -> Duration {
        let moved = self.driven.as_ref().map_or(Duration::ZERO, |driven| *driven.moved.borrow());
        self.machine.monotonic().saturating_add(moved)
    }

    async fn sleep(&self, duration: Duration) {
        let Some(driven) = &self.driven else { return self.machine.sleep(duration).await };
        let mut moved = driven.moved.subscribe();
        let wakes = self.monotonic().saturating_add(duration);
        while let Some(left) = wakes.checked_sub(self.monotonic()).filter(|left| !left.is_zero()) {
            tokio::select! {
                () = self.machine.sleep(left) => {}
                // An error cannot be: the sender stands in `self`.
                _ = moved.changed() => {}
            }
        }
    }
}
