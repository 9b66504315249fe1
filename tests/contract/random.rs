//! The same random sequence of calls on both sides: every answer, and at last all that is held, must be the same.

mod held;
mod ops;

use proptest::{
    collection::vec,
    test_runner::{Config, RngSeed, TestCaseError, TestRunner},
};

use self::ops::{Doer, Op};
use super::{Ports, on_embedded, on_simulated};

/// Of each kind: enough that every call meets what every other has left.
const CASES: u32 = 24;
const CALLS: usize = 40;
/// A sequence that shows a difference is made shorter for some seconds.
const SHRINKS: u32 = 100;

/// What each call answered, and what is held after the last.
async fn answers(ports: &Ports, ops: &[Op]) -> (Vec<String>, Vec<String>) {
    let (mut doer, mut answers) = (Doer::default(), Vec::with_capacity(ops.len()));
    doer.begin(ports).await;
    for op in ops {
        answers.push(doer.call(ports, op).await);
    }
    (answers, held::everything(ports).await)
}

/// Tries sequences of which so many calls of ten are about shards.
fn alike(about_shards: u32, seed: u64) {
    let config = Config {
        cases: CASES,
        rng_seed: RngSeed::Fixed(seed),
        failure_persistence: None,
        max_shrink_iters: SHRINKS,
        ..Config::default()
    };
    let sequences = vec(ops::calls(about_shards), CALLS / 2..CALLS);
    let run = TestRunner::new(config).run(&sequences, |ops| {
        let (simulated, of_simulated) = on_simulated(&async |ports: &Ports| answers(ports, &ops).await);
        let (real, of_real) = on_embedded(&async |ports: &Ports| answers(ports, &ops).await);
        let pairs = simulated.iter().zip(&real).zip(&ops);
        if let Some(((simulated, real), op)) = pairs.into_iter().find(|((simulated, real), _)| simulated != real) {
            let why = format!("{op:?}\n  simulated: {simulated}\n  embedded:  {real}");
            return Err(TestCaseError::fail(why));
        }
        match of_simulated.iter().zip(&of_real).find(|(simulated, real)| simulated != real) {
            Some((simulated, real)) => Err(TestCaseError::fail(format!("simulated: {simulated}\nembedded:  {real}"))),
            None if of_simulated.len() == of_real.len() => Ok(()),
            None => Err(TestCaseError::fail("one side holds more")),
        }
    });
    if let Err(error) = run {
        panic!("{error}");
    }
}

#[test]
fn whatever_is_called_about_people_in_whatever_order_both_sides_answer_alike_and_hold_the_same() {
    alike(2, 6);
}

#[test]
fn whatever_is_called_about_shards_in_whatever_order_both_sides_answer_alike_and_hold_the_same() {
    alike(8, 7);
}
