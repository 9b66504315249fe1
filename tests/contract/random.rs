//! The same random sequence of calls on both sides: every answer, and at last all that is held, must be the same.

mod held;
mod ops;

use proptest::{
    collection::vec,
    test_runner::{Config, RngSeed, TestCaseError, TestRunner},
};

use self::ops::{Doer, Op};
use super::{Embedded, Ports, on_simulated};

/// Enough that every kind of call meets what every other has left.
const CASES: u32 = 64;
const CALLS: usize = 60;

/// What each call answered, and what is held after the last.
async fn answers(ports: &Ports, ops: &[Op]) -> (Vec<String>, Vec<String>) {
    let (mut doer, mut answers) = (Doer::default(), Vec::with_capacity(ops.len()));
    for op in ops {
        answers.push(doer.call(ports, op).await);
    }
    (answers, held::everything(ports).await)
}

#[test]
fn whatever_is_called_in_whatever_order_both_sides_answer_alike_and_hold_the_same() {
    let embedded = Embedded::start();
    let config = Config { cases: CASES, rng_seed: RngSeed::Fixed(6), failure_persistence: None, ..Config::default() };
    let case = std::cell::Cell::new(0);
    let run = TestRunner::new(config).run(&vec(ops::calls(), CALLS / 2..CALLS), |ops| {
        case.set(case.get() + 1);
        let (simulated, of_simulated) = on_simulated(async |ports: &Ports| answers(ports, &ops).await);
        let names = format!("case-{}", case.get());
        let (real, of_real) = embedded.work_anew(&names, async |ports: &Ports| answers(ports, &ops).await);
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
