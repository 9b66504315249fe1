//! Time and chance, as ports.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

#[async_trait]
pub trait Clock: Send + Sync {
    /// The time of day, to the millisecond.
    fn now(&self) -> Timestamp;

    /// Time since some start, which no correction of the time of day moves.
    fn monotonic(&self) -> Duration;

    async fn sleep(&self, duration: Duration);
}

pub trait Entropy: Send + Sync {
    /// Eight bytes that nobody can foresee.
    fn eight_bytes(&self) -> [u8; 8];
}
