//! What lies between a worker and the services: chance, and the time that each call takes.

use std::{sync::Mutex, time::Duration};

use germane::flow::clock::Entropy;

use super::clock::VirtualTime;

/// All draws of a world come from here, so that its seed decides them all.
pub struct Network {
    pub time: VirtualTime,
    state: Mutex<u64>,
}

impl Network {
    pub fn new(time: VirtualTime, seed: u64) -> Self {
        Self { time, state: Mutex::new(seed) }
    }

    /// A call of DynamoDB, about 5 ms; one in fifty takes up to 40. Its effect happens on the way, all at once.
    pub async fn table<T>(&self, effect: impl FnOnce() -> T) -> T {
        let (there, back) = (self.micros(1_500..3_500), self.micros(1_500..3_500));
        let late = if self.micros(0..50).is_zero() { self.micros(0..33_000) } else { Duration::ZERO };
        self.time.sleep(there + late / 2).await;
        let answer = effect();
        self.time.sleep(back + late / 2).await;
        answer
    }

    /// A call of SES, 30 to 150 ms, of which the first third passes before SES counts the mails.
    pub async fn ses<T>(&self, effect: impl FnOnce() -> T) -> T {
        let third = self.micros(10_000..50_000);
        self.time.sleep(third).await;
        let answer = effect();
        self.time.sleep(third * 2).await;
        answer
    }

    fn micros(&self, range: std::ops::Range<u64>) -> Duration {
        Duration::from_micros(range.start + self.draw() % (range.end - range.start))
    }

    /// `SplitMix64`.
    fn draw(&self) -> u64 {
        let mut state = self.state.lock().unwrap();
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

impl Entropy for Network {
    fn eight_bytes(&self) -> [u8; 8] {
        self.draw().to_be_bytes()
    }
}
