//! Traces for an OpenTelemetry collector: a span for each operation, and one for each change of the database.
//!
//! Spans are handed to a thread of their own, which sends them in batches; while the collector can't be reached, or is
//! too slow, they are thrown away. Nothing here holds a request up or keeps the server from starting or ending.

use std::{
    pin::Pin,
    str::FromStr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{
    body::{Body, to_bytes},
    http::{Uri, header},
};
use hyper_util::rt::TokioIo;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::{
    Resource,
    trace::{SdkTracerProvider, Tracer},
};
use tokio::{net::TcpStream, runtime::Handle, time::timeout};

/// How long one batch may take to send.
const PATIENCE: Duration = Duration::from_secs(3);

/// How long the last batches may take at the end.
const FAREWELL: Duration = Duration::from_secs(4);

/// Most of a collector's answer that is read.
const ANSWER: usize = 64 * 1024;

/// Where spans go: a collector that takes OTLP as protobuf over HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint(Uri);

impl FromStr for Endpoint {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = "expected a collector's address, such as `http://127.0.0.1:4318`, without TLS";
        let uri: Uri = text.parse().map_err(|_| expected.to_owned())?;
        if uri.scheme_str() != Some("http") || uri.host().is_none() || uri.query().is_some() {
            return Err(expected.to_owned());
        }
        if uri.path() != "/" {
            return Ok(Self(uri));
        }
        let whole = format!("{}/v1/traces", text.trim_end_matches('/'));
        Ok(Self(whole.parse().map_err(|_| expected.to_owned())?))
    }
}

/// The way to the collector.
#[derive(Debug)]
pub(super) struct Traces(SdkTracerProvider);

impl Traces {
    /// Must be called within the runtime that is to send them.
    pub(super) fn start(endpoint: &Endpoint) -> Result<Self, String> {
        let client = Client {
            runtime: Handle::current(),
            lost: Arc::default(),
        };
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(client)
            .with_endpoint(endpoint.0.to_string())
            .with_protocol(Protocol::HttpBinary)
            .with_timeout(PATIENCE)
            .build()
            .map_err(|error| format!("--otlp-endpoint: {error}"))?;
        let resource = Resource::builder()
            .with_service_name("frontdesk")
            .with_attribute(opentelemetry::KeyValue::new(
                "service.version",
                env!("CARGO_PKG_VERSION"),
            ))
            .build();
        let provider = SdkTracerProvider::builder()
            .with_resource(resource)
            .with_batch_exporter(exporter)
            .build();
        Ok(Self(provider))
    }

    pub(super) fn tracer(&self) -> Tracer {
        self.0.tracer("frontdesk")
    }

    /// Sends what is left, if the collector takes it in time.
    pub(super) async fn finish(self) {
        let farewell = tokio::task::spawn_blocking(move || self.0.shutdown_with_timeout(FAREWELL));
        if !matches!(timeout(FAREWELL, farewell).await, Ok(Ok(Ok(())))) {
            tracing::warn!("the last spans could not be sent");
        }
    }
}

/// Sends one batch at a time, each over a connection of its own.
#[derive(Debug)]
struct Client {
    runtime: Handle,
    /// Whether the last batch was lost, so that the log says it once.
    lost: Arc<AtomicBool>,
}

impl HttpClient for Client {
    fn send_bytes<'a, 'f>(
        &'a self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'f>>
    where
        'a: 'f,
        Self: 'f,
    {
        Box::pin(async move {
            // Whoever asks stands on a thread without a runtime.
            let sending = self.runtime.spawn(async { timeout(PATIENCE, send(request)).await });
            let answer = match sending.await {
                Ok(Ok(answer)) => answer,
                Ok(Err(_)) => Err("no answer in time".into()),
                Err(error) => Err(error.into()),
            };
            let lost = !answer.as_ref().is_ok_and(|answer| answer.status().is_success());
            match (self.lost.swap(lost, Ordering::Relaxed), lost) {
                (false, true) => tracing::warn!("spans are being lost: the collector doesn't take them"),
                (true, false) => tracing::info!("the collector takes spans again"),
                _ => {}
            }
            answer
        })
    }
}

async fn send(request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
    let (mut head, body) = request.into_parts();
    let host = head.uri.host().ok_or("no host")?.trim_matches(['[', ']']).to_owned();
    let stream = TcpStream::connect((host, head.uri.port_u16().unwrap_or(80))).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    // It ends with the sender.
    tokio::spawn(connection);
    let authority = head.uri.authority().ok_or("no authority")?.as_str().parse()?;
    head.headers.insert(header::HOST, authority);
    head.uri = head.uri.path().parse()?;
    let answer = sender.send_request(Request::from_parts(head, Body::from(body))).await?;
    let (head, body) = answer.into_parts();
    Ok(Response::from_parts(head, to_bytes(Body::new(body), ANSWER).await?))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_address_without_a_path_gets_the_usual_one() {
        for (given, meant) in [
            ("http://127.0.0.1:4318", "http://127.0.0.1:4318/v1/traces"),
            ("http://collector:4318/", "http://collector:4318/v1/traces"),
            ("http://[::1]:4318/otlp", "http://[::1]:4318/otlp"),
        ] {
            assert_eq!(given.parse::<Endpoint>().unwrap().0.to_string(), meant);
        }
        for bad in ["", "collector:4318", "https://collector:4318", "http://c/?token=x"] {
            assert!(bad.parse::<Endpoint>().is_err(), "{bad}");
        }
    }
}
