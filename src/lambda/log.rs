//! What a function logs: a JSON object for each line, with the request's id and what the request is about.

use tracing::{Subscriber, level_filters::LevelFilter};
use tracing_subscriber::{
    Layer,
    filter::Targets,
    fmt::{self, MakeWriter},
    layer::SubscriberExt,
    registry,
};

use super::config::LogLevel;

/// For `level` and worse of our own code, and warnings of others: what the SDK tells below that holds requests whole,
/// and with them addresses. The runtime's span brings the request's id.
pub fn subscriber<W>(level: LogLevel, writer: W) -> impl Subscriber + Send + Sync
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    // Without the regular expressions of `EnvFilter`, which are large.
    let targets = Targets::new()
        .with_default(LevelFilter::WARN)
        .with_target("lambda_runtime", LevelFilter::INFO)
        .with_target("germane", filter(level));
    let json = fmt::layer().json().flatten_event(true).with_current_span(false);
    registry().with(json.with_ansi(false).with_writer(writer).with_filter(targets))
}

fn filter(level: LogLevel) -> LevelFilter {
    match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
    }
}

/// From now on, on stdout: the function's log.
pub fn to_stdout(level: LogLevel) {
    // A second one in one process finds it set.
    let _ = tracing::subscriber::set_global_default(subscriber(level, std::io::stdout));
}
