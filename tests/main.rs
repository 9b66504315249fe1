//! The one integration binary: everything here runs on loopback, with no network and no account.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in its helpers too"
)]

mod act;
mod between;
mod classification;
mod cli;
mod contract;
mod door;
mod feedback;
mod functions;
mod gate;
mod given;
mod infra;
mod journeys;
mod lifecycle;
mod merge;
mod mishaps;
mod newsletter;
mod openapi;
mod paced;
mod properties;
mod readiness;
mod report;
mod retries;
mod simulation;
mod stack;
mod stand_ins;
mod standing;
mod template;
mod turn;
mod virtual_world;
mod wall;
mod words;
mod world;
mod worlds;
