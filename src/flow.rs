//! The steps of a campaign, written against small ports that are declared beside them. Nothing here spawns a task,
//! sleeps or reads a clock by itself, so that a simulator can drive it.

pub mod api;
pub mod clock;
pub mod launch;
pub mod ledger;
pub mod pace;
pub mod port;
pub mod preferences;
pub mod preview;
pub mod queue;
pub mod schedule;
pub mod send;
pub mod sentence;
pub mod template;
pub mod token;
pub mod words;
