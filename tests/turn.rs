//! When a function's turn is over.

use std::{sync::Arc, time::Duration};

use futures_util::FutureExt;
use germane::{
    flow::{
        clock::Clock,
        queue::{DRAIN, Turn},
    },
    lambda::turn::Invocation,
    local::clock::LocalClock,
};
use jiff::Timestamp;

use crate::world::NOW;

fn clock() -> Arc<LocalClock> {
    Arc::new(LocalClock::driven(NOW.parse().unwrap()))
}

#[tokio::test]
async fn a_turn_is_over_while_there_is_still_time_to_drain() {
    let clock = clock();
    let invocation = Invocation::new(clock.clone(), clock.now() + Duration::from_mins(5));
    let mut over = invocation.over();
    assert!((&mut over).now_or_never().is_none());
    clock.advance(Duration::from_mins(4)).unwrap();
    assert!((&mut over).now_or_never().is_none());
    clock.advance(Duration::from_mins(1).checked_sub(DRAIN).unwrap()).unwrap();
    assert!((&mut over).now_or_never().is_some());
}

#[tokio::test]
async fn a_turn_that_is_shorter_than_a_drain_is_over_at_once() {
    let clock = clock();
    let invocation = Invocation::new(clock.clone(), clock.now() + DRAIN / 2);
    assert!(invocation.over().now_or_never().is_some());
}

#[tokio::test]
async fn a_deadline_that_has_passed_says_nothing() {
    let clock = clock();
    for deadline in [Timestamp::from_millisecond(600_000).unwrap(), clock.now()] {
        let invocation = Invocation::new(clock.clone(), deadline);
        clock.advance(Duration::from_hours(1)).unwrap();
        assert!(invocation.over().now_or_never().is_none());
    }
}

#[tokio::test]
async fn a_deadline_comes_in_milliseconds_and_one_that_is_no_time_says_nothing() {
    let clock = clock();
    let deadline = u64::try_from((clock.now() + Duration::from_mins(5)).as_millisecond()).unwrap();
    let invocation = Invocation::until(clock.clone(), deadline);
    let others = [600_000, u64::MAX].map(|deadline| Invocation::until(clock.clone(), deadline));
    let mut over = invocation.over();
    assert!((&mut over).now_or_never().is_none());
    clock.advance(Duration::from_mins(5).checked_sub(DRAIN).unwrap()).unwrap();
    assert!((&mut over).now_or_never().is_some());
    assert!(others.iter().all(|other| other.over().now_or_never().is_none()));
}
