//! Mishaps by chance: the same seed decides on the same call, whatever call it is.

use std::time::Duration;

use germane::local::people::draw::Draw;

use super::super::between::Fate;
use super::{
    Asked, Service,
    refusals::{self, FAILURES},
};

/// Of a thousand calls, so many come to each kind of mishap; SES, which is asked least and matters most, has its share
/// twice.
const fn each(service: Service) -> u64 {
    match service {
        Service::Ses => 30,
        Service::DynamoDb | Service::Sqs | Service::Scheduler => 15,
    }
}

const KINDS: u64 = 8;
/// A late call is between the two: some reach their service only after its clients have given up.
const LATE_MS: (u64, u64) = (200, 2_600);

/// Decides by seed, service and place in its order of calls.
pub fn rule(seed: u64) -> impl FnMut(&Asked) -> Fate + Send + 'static {
    move |asked| {
        let call = ((asked.service as u64) << 48) | asked.nth as u64;
        fate(asked.service, &mut Draw::of(seed, call))
    }
}

fn fate(service: Service, draw: &mut Draw) -> Fate {
    let (each, lot) = (each(service), draw.below(1_000));
    if lot >= each * KINDS {
        return Fate::Passed;
    }
    match lot / each {
        0 => Fate::Late(Duration::from_millis(draw.between(LATE_MS.0, LATE_MS.1))),
        1 => Fate::Dropped,
        2 | 3 => Fate::Unanswered,
        4 => Fate::Cut,
        5 => Fate::Garbled,
        6 => Fate::Answered(draw.pick(refusals::throttles(service), FAILURES[0])),
        _ => Fate::Answered(draw.pick(&FAILURES, FAILURES[0])),
    }
}
