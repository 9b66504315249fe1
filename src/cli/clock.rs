//! The command line's own time: a person sits before it, so it reads the real clock, here and nowhere else.

use std::time::Duration;

use jiff::Timestamp;

#[expect(clippy::disallowed_methods, reason = "the one place where the command line reads the clock")]
pub fn now() -> Timestamp {
    Timestamp::now()
}

#[expect(clippy::disallowed_methods, reason = "the one place where the command line waits")]
pub async fn pause(time: Duration) {
    tokio::time::sleep(time).await;
}

/// Pauses between two looks at something that is under way: short at first, so that what is quick feels quick.
pub struct Backoff {
    next: Duration,
    longest: Duration,
}

impl Backoff {
    pub fn new(first: Duration, longest: Duration) -> Self {
        Self { next: first, longest }
    }

    pub async fn wait(&mut self) {
        pause(self.next).await;
        self.next = self.next.mul_f32(1.5).min(self.longest);
    }
}
