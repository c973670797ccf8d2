//! The server's numbers, for Prometheus, on a port of their own: they are the operator's, and no business of whoever may
//! reach the API. `docs/operations.md` has them all.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Router,
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::get,
};
use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{family::Family, gauge::Gauge},
    registry::{Registry, Unit},
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::{operations::Operations, serve::Fatal};
use crate::{
    http,
    live::{Hub, TimerMetrics},
    store::{DatabaseUrl, Db},
};

/// Whoever counts.
pub(super) struct Sources {
    pub(super) db: Db,
    pub(super) hub: Hub,
    pub(super) timers: TimerMetrics,
    pub(super) http: http::Metrics,
    pub(super) operations: Operations,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Build {
    version: &'static str,
    engine: &'static str,
}

struct Shown {
    registry: Registry,
    db: Db,
    hub: Hub,
    memory: Gauge,
    files: Gauge,
}

impl Shown {
    fn new(sources: Sources) -> Self {
        let mut registry = Registry::default();
        let (memory, files) = (Gauge::default(), Gauge::default());
        let started: Gauge = Gauge::default();
        started.set(sources.db.clock().now().as_second());
        registry.register_with_unit(
            "process_start_time",
            "When the server started, in Unix time",
            Unit::Seconds,
            started,
        );
        registry.register_with_unit(
            "process_resident_memory",
            "Memory that the process has",
            Unit::Bytes,
            memory.clone(),
        );
        registry.register("process_open_fds", "Files and sockets that are open", files.clone());

        let own = registry.sub_registry_with_prefix("frontdesk");
        let build: Family<Build, Gauge> = Family::default();
        let engine = match sources.db.url() {
            DatabaseUrl::Sqlite(_) => "sqlite",
            DatabaseUrl::Postgres(_) => "postgres",
        };
        let version = env!("CARGO_PKG_VERSION");
        build.get_or_create(&Build { version, engine }).set(1);
        own.register("build_info", "Always 1; the labels say what is running", build);
        sources.http.register(own);
        sources.operations.register(own);
        sources.db.metrics().register(own);
        sources.hub.metrics().register(own);
        sources.timers.register(own);
        Self {
            registry,
            db: sources.db,
            hub: sources.hub,
            memory,
            files,
        }
    }

    /// All of it as text.
    fn text(&self) -> Result<String, std::fmt::Error> {
        // What isn't counted as it happens is read now.
        self.db.observe();
        self.hub.observe();
        if let Some(bytes) = resident_memory() {
            self.memory.set(bytes);
        }
        if let Ok(open) = std::fs::read_dir("/proc/self/fd") {
            self.files.set(i64::try_from(open.count()).unwrap_or(i64::MAX));
        }
        let mut text = String::with_capacity(16 * 1024);
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

/// In bytes, where the system tells.
fn resident_memory() -> Option<i64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: i64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

/// Shows the numbers at `/metrics` until `stop`; says where.
pub(super) async fn expose(
    address: SocketAddr,
    sources: Sources,
    stop: CancellationToken,
) -> Result<SocketAddr, Fatal> {
    let listener = TcpListener::bind(address)
        .await
        .map_err(|error| format!("can't listen on {address} for metrics: {error}"))?;
    let address = listener.local_addr()?;
    let shown = Arc::new(Shown::new(sources));
    let router = Router::new().route("/metrics", get(move || std::future::ready(answer(&shown))));
    tokio::spawn(async move {
        let serving = axum::serve(listener, router).into_future();
        if let Some(Err(error)) = stop.run_until_cancelled(serving).await {
            tracing::error!(%error, "metrics are not served any more");
        }
    });
    Ok(address)
}

fn answer(shown: &Shown) -> Response {
    match shown.text() {
        Ok(text) => {
            let form = "application/openmetrics-text; version=1.0.0; charset=utf-8";
            ([(header::CONTENT_TYPE, form)], text).into_response()
        }
        Err(error) => {
            tracing::error!(%error, "the metrics could not be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
