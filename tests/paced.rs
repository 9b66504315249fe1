//! The send rate, on a driven clock: whatever the rate and however many workers and campaigns share it, SES never sees
//! more than it allows, and nearly all of it is used.

use std::time::Duration;

use germane::{domain::decision::OutcomeKind, local::ses::Throttle};
use jiff::SignedDuration;

use crate::virtual_world::{Setting, World};

const WEEKLY: &str = "weekly";
const BOTH: [&str; 2] = [WEEKLY, "monthly"];

/// Each number of workers meets another way in which SES throttles.
const CREWS: [(Throttle, i32); 2] = [(Throttle::Whole, 2), (Throttle::Entry, 8)];

/// A world in which campaigns were sent, every one to everybody.
fn sent(campaigns: &[&str], setting: Setting) -> World {
    let world = World::new(setting);
    world.send(campaigns);
    for campaign in campaigns {
        everybody_once(&world, campaign);
    }
    world
}

fn everybody_once(world: &World, campaign: &str) {
    let mails = world.mails(campaign);
    assert!(mails.values().all(|count| *count == 1), "{campaign}: {mails:?}");
    let counts = world.counts(campaign);
    assert_eq!((counts.decided(), counts.of(OutcomeKind::Sent)), (mails.len() as u64, mails.len() as u64));
    assert_eq!(mails.len(), world.people(), "{campaign}");
}

fn keeps_and_uses(rate: f64, seconds: u32, batch: u32) {
    for (throttle, workers) in CREWS {
        let world = sent(&[WEEKLY], Setting { throttle, workers, ..Setting::lasting(seconds, rate) });
        let figures = world.figures();
        assert_eq!(figures.broken(), Vec::<String>::new(), "{workers} workers");
        assert_eq!(figures.batch(), batch as usize);
        // One write for each batch, and few in vain.
        let per_1000 = figures.reservations_per_1000();
        assert!(per_1000 < 1_250.0 / f64::from(batch), "{workers} workers: {per_1000} reservations");
        assert_eq!(world.failures(), Vec::<String>::new());
    }
}

#[test]
fn a_rate_of_one_a_second_is_kept_and_used() {
    keeps_and_uses(1.0, 100, 1);
}

#[test]
fn a_rate_of_14_a_second_is_kept_and_used() {
    keeps_and_uses(14.0, 80, 1);
}

#[test]
fn a_rate_of_300_a_second_is_kept_and_used_in_batches_of_15() {
    keeps_and_uses(300.0, 20, 15);
}

#[test]
fn a_rate_of_5000_a_second_is_kept_and_used_in_whole_batches() {
    keeps_and_uses(5_000.0, 4, 50);
}

#[test]
fn a_batch_is_whole_from_1000_a_second_on() {
    let batch = |rate| sent(&[WEEKLY], Setting::lasting(4, rate)).figures().batch();

    assert_eq!([999.0, 1_000.0].map(batch), [49, 50]);
}

#[test]
fn two_campaigns_share_the_rate() {
    for (rate, seconds) in [(1.0, 60), (14.0, 40), (300.0, 10), (5_000.0, 4)] {
        let world = sent(&BOTH, Setting::lasting(seconds, rate));
        let figures = world.figures();
        assert_eq!(figures.broken(), Vec::<String>::new(), "{rate} a second");
        let shares: Vec<usize> = figures.under_way().into_values().collect();
        let whole: usize = shares.iter().sum();
        assert!(shares.iter().all(|share| share * 5 >= whole * 2), "{rate} a second: {shares:?}");
    }
}

#[test]
fn clocks_that_differ_as_synchronised_ones_do_make_no_second_too_busy() {
    for (rate, seconds) in [(1.0, 100), (14.0, 80), (300.0, 10), (5_000.0, 2)] {
        let apart = Setting { workers: 8, apart: SignedDuration::from_millis(25), ..Setting::lasting(seconds, rate) };
        assert_eq!(sent(&[WEEKLY], apart).figures().exceeded(), Vec::<String>::new(), "{rate} a second");
    }
}

#[test]
fn a_pause_takes_effect_within_about_a_second_and_loses_nobody() {
    for (rate, seconds) in [(14.0, 30), (300.0, 10)] {
        for (throttle, workers) in CREWS {
            let world = World::new(Setting { throttle, workers, ..Setting::lasting(seconds, rate) });
            let paused = world.send_and_pause(WEEKLY, Duration::from_secs(4));
            let figures = world.figures();
            let mailed = figures.taken();
            assert!(0 < mailed && mailed < world.people(), "{mailed} were mailed before the pause");
            let later = figures.last().duration_since(paused);
            assert!(later <= SignedDuration::from_millis(1_100), "mailed {later} after the pause");

            world.resume(WEEKLY);
            everybody_once(&world, WEEKLY);
            assert_eq!(world.figures().exceeded(), Vec::<String>::new(), "{rate} a second, {workers} workers");
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let calls = |seed| sent(&BOTH, Setting { seed, ..Setting::lasting(3, 300.0) }).figures().calls;

    assert_eq!(calls(7), calls(7));
    assert_ne!(calls(7), calls(8));
}
