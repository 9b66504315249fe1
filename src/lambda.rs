//! An event in, a call of the flow, a response out. Nothing here knows whether Lambda or the local stack calls it.

pub mod batch;
pub mod config;
pub mod gateway;
pub mod http;
pub mod log;
pub mod metrics;
pub mod openapi;
pub mod pages;
pub mod preferences;
pub mod problem;
pub mod queue;
pub mod turn;
