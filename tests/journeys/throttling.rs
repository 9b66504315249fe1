//! A rate that is lower than SES said, or used up by others.

use std::sync::Arc;

use async_trait::async_trait;
use germane::{
    domain::report::CampaignStatus::Complete,
    flow::{
        clock::Clock,
        pace::{Account, Limits, Pacer},
        port::PortError,
    },
    lambda::queue::Workers,
    local::ses::{SesConfig, Throttle},
};
use serde_json::json;

use crate::world::{Setup, World, campaign};

const RATE: usize = 200;
/// Three seconds of it, which nobody who believes in a rate so much higher stretches so far.
const PEOPLE: usize = 600;

/// Says of the account that it may send far faster than it may.
struct Boasting;

#[async_trait]
impl Account for Boasting {
    async fn limits(&self) -> Result<Limits, PortError> {
        Ok(Limits { per_second: 5_000.0, per_day: None, sent_last_day: 0 })
    }
}

async fn everybody_is_sent(throttle: Throttle) {
    let ses = SesConfig { max_send_rate: 200.0, throttle, ..SesConfig::default() };
    let world = World::with(Setup { ses, shards: 2, ..Setup::default() }).await;
    world.put_many(PEOPLE).await;
    let mut sender = world.deployment.sender();
    let clock: Arc<dyn Clock> = world.clock.clone();
    sender.pacer = Pacer::new(clock, Arc::new(world.services.dynamo.clone()), Arc::new(Boasting));
    world.submit(&campaign("weekly")).await;
    let workers = Workers { sender: Arc::new(sender), ..world.workers() };
    let errors = world.drain_with(&workers).await;
    assert!(errors.is_empty(), "{errors:?}");
    let tally = world.services.ses.tally();
    assert!(tally.throttled_calls > 0 && tally.busiest_second <= RATE, "{tally:?}");

    let report = world.until("weekly", Complete).await;
    let outcomes = &report["outcomes"];
    assert_eq!((&outcomes["sent"], &outcomes["in_doubt"], &outcomes["failed"]), (&json!(PEOPLE), &json!(0), &json!(0)));
}

#[tokio::test]
async fn calls_that_ses_throttles_are_nobodys_failure() {
    tokio::join!(everybody_is_sent(Throttle::Whole), everybody_is_sent(Throttle::Entry));
}
