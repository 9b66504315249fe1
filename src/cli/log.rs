//! What the stack logs, for whoever runs it: warnings on stderr, or what `RUST_LOG` asks for.

use std::io;

use tracing_subscriber::{EnvFilter, filter::LevelFilter};

pub fn to_stderr() {
    let filter = EnvFilter::builder().with_default_directive(LevelFilter::WARN.into()).from_env_lossy();
    // A second stack in one process finds it set.
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).try_init();
}
