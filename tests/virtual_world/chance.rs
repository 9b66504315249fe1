//! All that is left to chance in a world, drawn from its seed.

use std::{
    ops::Range,
    sync::{Arc, Mutex},
    time::Duration,
};

use germane::flow::clock::Entropy;

#[derive(Clone)]
pub struct Chance(Arc<Mutex<u64>>);

impl Chance {
    pub fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(seed)))
    }

    /// `SplitMix64`.
    pub fn draw(&self) -> u64 {
        let mut state = self.0.lock().unwrap();
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn within(&self, range: Range<u64>) -> u64 {
        range.start + self.draw() % (range.end - range.start)
    }

    pub fn micros(&self, range: Range<u64>) -> Duration {
        Duration::from_micros(self.within(range))
    }

    /// Whether what happens so many times in 10,000 happens now.
    pub fn happens(&self, in_10_000: u64) -> bool {
        in_10_000 > 0 && self.within(0..10_000) < in_10_000
    }

    pub fn one_of<'a, T>(&self, choices: &'a [T]) -> &'a T {
        &choices[usize::try_from(self.within(0..choices.len() as u64)).unwrap()]
    }
}

impl Entropy for Chance {
    fn eight_bytes(&self) -> [u8; 8] {
        self.draw().to_be_bytes()
    }
}
