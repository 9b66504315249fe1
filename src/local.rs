//! The whole stack in one process: stand-ins that keep the rules of the services they stand for, on loopback.

pub mod clock;
pub mod control;
pub mod data;
pub mod handover;
pub mod inbox;
pub mod people;
pub mod pollers;
pub mod schedules;
pub mod services;
pub mod ses;
pub mod shipped;
pub mod sqs;
pub mod stack;
pub mod store;
pub mod templates;
pub mod worker;

use std::sync::Arc;

use jiff::Timestamp;

pub use stack::{Stack, StackConfig, StackError, Work};

/// Where the stand-ins have the time from; driven in tests.
pub type Now = Arc<dyn Fn() -> Timestamp + Send + Sync>;
