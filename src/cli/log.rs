//! What the stack logs, for whoever runs it: warnings on stderr, or what `RUST_LOG` asks for.

use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;

/// The embedded database tells each refused condition; those are the protocol's daily bread.
const USUAL: &str = "warn,dynoxide=error";

pub fn to_stderr() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(USUAL));
    let stderr = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    // A second stack in one process finds it set.
    let _ = stderr.with_ansi(io::stderr().is_terminal()).try_init();
}
