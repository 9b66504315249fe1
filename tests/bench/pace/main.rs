#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a benchmark that cannot run ends by panicking"
)]

#[path = "../.."]
mod shared {
    #[expect(dead_code, reason = "the tests use more of it")]
    pub mod virtual_world;
}

use shared::virtual_world::{Setting, World};

fn main() {
    for (rate, seconds) in [(1.0, 100), (14.0, 80), (300.0, 20), (5_000.0, 4)] {
        for workers in [2, 8] {
            for campaigns in [&["weekly"][..], &["weekly", "monthly"]] {
            for apart in [0, 1] {
            #[expect(clippy::disallowed_methods)]
            let begun = std::time::Instant::now();
            let seconds = seconds / u32::try_from(campaigns.len()).unwrap();
            let world = World::new(Setting { workers, apart: jiff::SignedDuration::from_secs(apart), ..Setting::lasting(seconds, rate) });
            world.send(campaigns);
            let f = world.figures();
            println!(
                "{rate} {workers} {} {apart} busiest {} throttled {:.4} used {:.3} res/1000 {:.1} batch {} failures {:?} {:?} in {:?} {:?}",
                campaigns.len(),
                f.busiest_second(),
                f.throttled_share(),
                f.used_share(),
                f.reservations_per_1000(),
                f.batch(),
                world.failures(), f.under_way(),
                begun.elapsed(), f.broken(),
            );
            }
            }
        }
    }
}
