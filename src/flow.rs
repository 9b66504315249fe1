//! The steps of a campaign, written against small ports that are declared beside them. Nothing here spawns a task,
//! sleeps or reads a clock by itself, so that a simulator can drive it.

pub mod api;
pub mod clock;
pub mod confirm;
pub mod doctor;
pub mod feedback;
pub mod held;
pub mod launch;
pub mod ledger;
pub mod newsletter;
mod notice;
pub mod pace;
pub mod port;
pub mod preferences;
pub mod preview;
pub mod queue;
pub mod record;
pub mod schedule;
pub mod send;
pub mod sentence;
mod single;
pub mod template;
pub mod token;
pub mod words;
