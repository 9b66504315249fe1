//! Who is killed, and when, as a seed has it.

use std::fmt;

use germane::local::people::draw::Draw;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Victim {
    Stack,
    Worker(usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kill {
    /// Once so many decisions are made, over all campaigns.
    pub at: u64,
    pub victim: Victim,
}

/// One of five victims is the stack.
const STACK_ONCE_IN: usize = 5;
/// The last kill comes while some people are left to be decided on.
const BEFORE_PERCENT: u64 = 95;

/// Kills spread over so many decisions, each at a moment of its own part of them.
pub fn plan(seed: u64, kills: usize, workers: usize, decisions: u64) -> Vec<Kill> {
    let mut draw = Draw::of(seed, 0);
    let part = decisions * BEFORE_PERCENT / 100 / (kills as u64).max(1);
    let mut plan: Vec<Kill> = (0..kills as u64)
        .map(|number| {
            let at = number * part + draw.between(part / 10, part - 1);
            Kill { at, victim: Victim::Worker(usize::try_from(draw.below(workers as u64)).unwrap_or(0)) }
        })
        .collect();
    for group in plan.chunks_mut(STACK_ONCE_IN) {
        let chosen = usize::try_from(draw.below(group.len() as u64)).unwrap_or(0);
        if let Some(kill) = group.get_mut(chosen) {
            kill.victim = Victim::Stack;
        }
    }
    plan
}

impl fmt::Display for Kill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.victim {
            Victim::Stack => write!(f, "the stack, after {} decisions", self.at),
            Victim::Worker(which) => write!(f, "worker {which}, after {} decisions", self.at),
        }
    }
}
