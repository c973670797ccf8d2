//! Log lines.

use std::io::IsTerminal as _;

use tracing::Level;
use tracing_subscriber::{
    EnvFilter, Layer as _,
    filter::{FilterExt as _, Targets},
    fmt,
    layer::SubscriberExt as _,
    util::SubscriberInitExt as _,
};

use super::{
    config::{Config, LogFormat},
    traces::Traces,
};

/// Starts logging to standard error (what commands print goes to standard output), and traces, if there is somebody to
/// send them to.
pub(super) fn start(config: &Config) -> Result<Option<Traces>, String> {
    let filter = EnvFilter::try_new(&config.log).map_err(|error| format!("--log `{}`: {error}", config.log))?;
    let traces = config.otlp_endpoint.as_ref().map(Traces::start).transpose()?;
    // Spans have a target of their own, and what is sent doesn't hang on what is logged.
    let spans = traces.as_ref().map(|traces| {
        let wanted = Targets::new().with_target("frontdesk::spans", Level::DEBUG);
        let layer = tracing_opentelemetry::layer().with_tracer(traces.tracer());
        layer.with_location(false).with_threads(false).with_filter(wanted)
    });
    // The libraries below us log what they carry, down to single messages and the values of statements.
    let own = Targets::new()
        .with_default(Level::INFO)
        .with_target("frontdesk", Level::TRACE);
    let filter = filter.and(own);
    let registry = tracing_subscriber::registry().with(spans);
    let layer = fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    let started = match config.log_format {
        LogFormat::Text => registry.with(layer.with_filter(filter)).try_init(),
        LogFormat::Json => registry.with(layer.json().with_filter(filter)).try_init(),
    };
    started.map_err(|error| error.to_string())?;
    Ok(traces)
}
