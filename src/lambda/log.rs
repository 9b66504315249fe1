//! What a function logs: a JSON object for each line, with the request's id and what the request is about.

use tracing::Subscriber;
use tracing_subscriber::{EnvFilter, fmt::MakeWriter};

use super::config::LogLevel;

/// For `level` and worse of our own code, and warnings of others: what the SDK tells below that holds requests whole,
/// and with them addresses. The runtime's span brings the request's id.
pub fn subscriber<W>(level: LogLevel, writer: W) -> impl Subscriber + Send + Sync
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let filter = format!("warn,lambda_runtime=info,germane={}", level.as_str());
    let json = tracing_subscriber::fmt().json().flatten_event(true).with_current_span(false);
    json.with_ansi(false).with_env_filter(EnvFilter::new(filter)).with_writer(writer).finish()
}

/// From now on, on stdout: the function's log.
pub fn to_stdout(level: LogLevel) {
    // A second one in one process finds it set.
    let _ = tracing::subscriber::set_global_default(subscriber(level, std::io::stdout));
}
