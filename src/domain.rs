//! The rules, as values and functions of values: no input or output, no clock, no randomness.

pub mod actor;
pub mod campaign;
pub mod channel;
pub(crate) mod codes;
pub mod consent;
pub mod decision;
pub mod door;
pub mod email;
pub mod feedback;
pub mod frequency;
pub mod gate;
pub mod id;
pub mod interest;
pub mod lifecycle;
pub mod newsletter;
pub mod number;
pub mod policy;
pub mod price;
pub mod readiness;
pub mod recipient;
pub mod report;
pub mod secret;
pub mod time;
pub mod topic;
pub mod window;
