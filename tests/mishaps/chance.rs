//! Mishaps by chance: the same seed decides on the same call, whatever call it is.

use std::time::Duration;

use super::super::between::Fate;
use super::{Asked, Service, refusals};

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
    move |asked| fate(asked.service, number(seed, asked.service, asked.nth))
}

fn fate(service: Service, number: u64) -> Fate {
    let (lot, detail) = (number % 1_000, number / 1_000);
    let one_of = |refusals: &[super::super::between::Refusal]| {
        let at = usize::try_from(detail).unwrap_or_default() % refusals.len();
        Fate::Answered(refusals[at])
    };
    let each = each(service);
    if lot >= each * KINDS {
        return Fate::Passed;
    }
    match lot / each {
        0 => Fate::Late(Duration::from_millis(LATE_MS.0 + detail % (LATE_MS.1 - LATE_MS.0))),
        1 => Fate::Dropped,
        2 | 3 => Fate::Unanswered,
        4 => Fate::Cut,
        5 => Fate::Garbled,
        6 => one_of(refusals::throttles(service)),
        _ => one_of(&refusals::FAILURES),
    }
}

fn number(seed: u64, service: Service, nth: usize) -> u64 {
    mix(mix(seed) ^ mix(((service as u64) << 48) | nth as u64))
}

/// `SplitMix64`'s output: every bit of the number counts for every bit of it.
pub fn mix(number: u64) -> u64 {
    let mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
