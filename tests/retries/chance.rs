//! Whole campaigns under mishaps by chance; `cargo bench --bench faults` runs longer ones.

use crate::mishaps::{Service, campaign};

/// So few for each seed that all of them end in time.
const PEOPLE: usize = 300;

async fn holds(seed: u64) {
    let figures = campaign::run(seed, PEOPLE).await;
    let campaign::Figures { people, mails, bulk_calls, in_doubt, settled, withdrawn, seconds, .. } = &figures;
    println!(
        "seed {}: {people} people, {mails} mails by {bulk_calls} calls, {in_doubt} in doubt of whom {settled} were settled, \
         {withdrawn} withdrawals, {seconds:.0} s",
        figures.seed
    );
    let of = |kind: &str| figures.fates.iter().filter(|((_, fate), _)| *fate == kind).map(|(_, n)| n).sum::<usize>();
    assert!(*mails > 0 && *withdrawn > 0, "seed {seed}");
    for kind in ["late", "dropped", "unanswered", "cut", "garbled", "throttled", "failed"] {
        assert!(of(kind) > 0, "seed {seed}: no call was {kind}: {:?}", figures.fates);
    }
    assert!(figures.fates.keys().any(|(service, fate)| *service == Service::Ses && *fate != "passed"), "seed {seed}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_promises_hold_whatever_befalls_the_calls_of_several_workers() {
    tokio::join!(holds(1), holds(2));
}
