//! Worlds that try to break the promises: the flow itself over simulated services, on one thread and a clock that jumps.
//! A seed is a world. It decides who is there, what is sent, what happens meanwhile and all that goes wrong, so that the
//! same seed gives the same trace, byte for byte.

mod clients;
mod people;
mod plan;
mod process;
mod promises;
pub mod summary;
mod world;

pub use world::{Lived, live};
