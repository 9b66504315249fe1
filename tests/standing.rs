//! Time that stands still. A slow machine would commit more often, renew leases and miss its moments, each at the
//! price of a call; on this clock what a campaign costs is the same on every machine.

use std::time::Duration;

use async_trait::async_trait;
use germane::flow::clock::Clock;
use jiff::Timestamp;

/// What waits for less than a second goes on at once; what waits longer has no end.
pub struct Standing(pub Timestamp);

#[async_trait]
impl Clock for Standing {
    fn now(&self) -> Timestamp {
        self.0
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }

    async fn sleep(&self, duration: Duration) {
        if duration >= Duration::from_secs(1) {
            std::future::pending::<()>().await;
        }
    }
}
