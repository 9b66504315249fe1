//! The whole stack in one process: stand-ins that keep the rules of the services they stand for, on loopback.

pub mod inbox;
pub mod people;
pub mod services;
pub mod ses;
pub mod shipped;
pub mod sqs;
pub mod stack;
pub mod templates;

pub use stack::{Stack, StackConfig, StackError};
