//! Some of the worlds that `cargo bench --bench worlds` lives through, and those in which something was once broken.

use std::thread;

use crate::simulation::{Lived, live, summary::Summary};

const WORLDS: u64 = 200;
const THREADS: u64 = 2;

/// Somebody who was put off and then erased stayed so for ever, if the worker died that had come to the end of their
/// chunk.
const ONCE_BROKEN: [u64; 3] = [41_186, 44_538, 79_153];

/// What was broken in a world, each with the way to see how.
fn faults(seed: u64) -> Vec<String> {
    let Lived { plan, broken, .. } = live(seed, false);
    let processes = plan.processes.len();
    broken.into_iter().map(|broken| format!("seed {seed}, {processes} processes: {broken}")).collect()
}

#[test]
fn in_two_hundred_worlds_everything_happens_that_can() {
    let mut summary = Summary::default();
    (1..=WORLDS).step_by(5).for_each(|seed| summary.add(live(seed, false).summary));
    assert_eq!((summary.worlds, summary.lived_s > 0), (WORLDS / 5, true));
    let never: Vec<_> = summary.faults.iter().chain(&summary.outcomes).filter(|(_, count)| **count == 0).collect();
    // Nobody is put off for ever.
    assert_eq!(never, Vec::new(), "{summary:?}");
}

fn replay(faults: &[String]) -> String {
    format!("{}\nto see what happened: cargo test --bench worlds -- --seed SEED", faults.join("\n"))
}

#[test]
fn two_hundred_worlds_in_which_everything_goes_wrong_keep_every_promise() {
    let some = |first: u64| (first..=WORLDS).step_by(usize::try_from(THREADS).unwrap()).flat_map(faults);
    let faults: Vec<String> = thread::scope(|scope| {
        let threads: Vec<_> = (1..=THREADS).map(|first| scope.spawn(move || some(first).collect::<Vec<_>>())).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert!(faults.is_empty(), "{}", replay(&faults));
}

#[test]
fn what_was_once_broken_stays_mended() {
    let faults: Vec<String> = ONCE_BROKEN.into_iter().flat_map(faults).collect();
    assert!(faults.is_empty(), "{}", replay(&faults));
}

#[test]
fn the_same_seed_gives_the_same_trace_byte_for_byte() {
    for seed in 1..=12 {
        let trace = || live(seed, true).trace.join("\n");
        assert!(trace() == trace(), "seed {seed}");
    }
}
