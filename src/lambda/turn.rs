//! The turn that Lambda gives a function with an event: until shortly before its deadline.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use jiff::Timestamp;

use crate::flow::{
    clock::Clock,
    port::PortError,
    queue::{DRAIN, Turn},
};

pub struct Invocation {
    clock: Arc<dyn Clock>,
    /// On the monotonic clock; `None` if nobody said.
    drains_at: Option<Duration>,
}

impl Invocation {
    /// `deadline` in milliseconds since 1970, as the runtime gives it.
    pub fn until(clock: Arc<dyn Clock>, deadline: u64) -> Self {
        let deadline = i64::try_from(deadline).ok().and_then(|deadline| Timestamp::from_millisecond(deadline).ok());
        Self::new(clock, deadline.unwrap_or(Timestamp::UNIX_EPOCH))
    }

    /// A deadline that has passed says nothing: `cargo lambda watch` gives each invocation one in 1970.
    pub fn new(clock: Arc<dyn Clock>, deadline: Timestamp) -> Self {
        let left = Duration::try_from(deadline.duration_since(clock.now())).ok().filter(|left| !left.is_zero());
        let drains_at = left.map(|left| clock.monotonic() + left.saturating_sub(DRAIN));
        Self { clock, drains_at }
    }
}

#[async_trait]
impl Turn for Invocation {
    async fn over(&self) {
        match self.drains_at {
            Some(at) => self.clock.sleep(at.saturating_sub(self.clock.monotonic())).await,
            None => std::future::pending().await,
        }
    }

    /// The queue hides a message for six times the function's time, so it is kept already
    /// (<https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html>).
    async fn keep(&self, _span: Duration) -> Result<(), PortError> {
        Ok(())
    }
}
