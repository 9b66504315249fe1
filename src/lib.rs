//! Germane sends a campaign only to the people for whom it is germane, and can say for every single person why they
//! got it or why they did not. `ARCHITECTURE.md` tells the way of one campaign through these modules.

pub mod aws;
#[cfg(feature = "local")]
pub mod cli;
pub mod domain;
pub mod flow;
pub mod lambda;
#[cfg(feature = "local")]
pub mod local;
