//! The whole stack in one process: stand-ins that keep the rules of the services they stand for, on loopback.

pub mod inbox;
pub mod people;
pub mod schedules;
pub mod services;
pub mod ses;
pub mod shipped;
pub mod sqs;
pub mod stack;
pub mod store;
pub mod templates;

use std::sync::Arc;

use jiff::Timestamp;

pub use stack::{Stack, StackConfig, StackError};

/// Where the stand-ins have the time from; driven in tests.
pub type Now = Arc<dyn Fn() -> Timestamp + Send + Sync>;
