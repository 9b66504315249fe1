//! What is deployed: the functions' handlers, fed with events as AWS sends them, and the binaries themselves.

mod binaries;
mod calls;
mod config;
mod http;
mod metrics;
mod packages;
mod queues;
mod recorder;
mod runtime;
mod samples;

use std::{fs, path::Path};

use serde_json::Value;

/// One of the sample events, which are for whoever invokes a function by hand as well.
pub fn event(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("infra/events").join(name).with_extension("json");
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}
