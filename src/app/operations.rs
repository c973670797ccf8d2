//! What is counted and traced of each operation: its kind, its root fields, what became of it. Never a name, a value or
//! a text that a client wrote.

use std::{sync::Arc, time::Instant};

use async_graphql::{Request, Response, ServerError, Value};
use opentelemetry::{
    Context,
    trace::{SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState},
};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::{Registry, Unit},
};
use tracing::{Span, field::Empty};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use crate::{
    graphql::{error::Refusals, summary::Summary},
    http::{RequestId, TraceParent},
};

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Ended {
    kind: &'static str,
    field: Arc<str>,
    outcome: &'static str,
    code: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Kind {
    kind: &'static str,
    field: Arc<str>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Field {
    field: Arc<str>,
}

/// The numbers of all operations. Clones count together.
#[derive(Clone, Debug)]
pub(super) struct Operations {
    ended: Family<Ended, Counter>,
    seconds: Family<Kind, Histogram, fn() -> Histogram>,
    in_flight: Gauge,
    subscriptions: Family<Field, Gauge>,
    results: Family<Field, Counter>,
    failures: Family<Field, Counter>,
}

impl Default for Operations {
    fn default() -> Self {
        fn seconds() -> Histogram {
            Histogram::new([
                0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0,
            ])
        }
        Self {
            ended: Family::default(),
            seconds: Family::new_with_constructor(seconds),
            in_flight: Gauge::default(),
            subscriptions: Family::default(),
            results: Family::default(),
            failures: Family::default(),
        }
    }
}

impl Operations {
    /// Makes them part of what is shown.
    pub(super) fn register(&self, registry: &mut Registry) {
        let it = self.clone();
        registry.register(
            "operations",
            "Operations that ended (subscriptions: that began), by root field and outcome",
            it.ended,
        );
        registry.register_with_unit(
            "operation",
            "How long queries and mutations took to execute",
            Unit::Seconds,
            it.seconds,
        );
        registry.register("operations_in_flight", "Queries and mutations that run", it.in_flight);
        registry.register("subscriptions", "Subscriptions that are open", it.subscriptions);
        registry.register("subscription_results", "Results sent to subscribers", it.results);
        registry.register(
            "subscription_failures",
            "Subscriptions that ended with errors",
            it.failures,
        );
    }

    /// An operation begins.
    pub(super) fn begin(&self) -> Watch {
        self.in_flight.inc();
        Watch {
            all: self.clone(),
            span: Span::none(),
            began: Instant::now(),
            kind: "unknown",
            field: "none".into(),
            outcome: None,
            refusals: Refusals::default(),
        }
    }
}

/// The span of an operation whose name is known: one that is given later comes too late.
fn span(name: &str, kind: &str, request: &Request) -> Span {
    let span = tracing::debug_span!(
        target: "frontdesk::spans",
        "operation",
        otel.name = name,
        otel.kind = "server",
        otel.status_code = Empty,
        request.id = Empty,
        graphql.operation.r#type = kind,
        fields = Empty,
        outcome = Empty,
        code = Empty,
        results = Empty,
    );
    if span.is_disabled() {
        return span;
    }
    if let Some(id) = data::<RequestId>(request) {
        span.record("request.id", id.as_str());
    }
    if let Some(context) = data::<TraceParent>(request).and_then(context) {
        // It fails where spans go nowhere but into the log.
        let _ = span.set_parent(context);
    }
    span
}

/// What stands in a request's data.
pub(super) fn data<T: Send + Sync + 'static>(request: &Request) -> Option<&T> {
    let data = request.data.get(&std::any::TypeId::of::<T>())?;
    data.downcast_ref::<T>()
}

/// A span elsewhere.
fn context(parent: &TraceParent) -> Option<Context> {
    let mut parts = parent.as_str().split('-').skip(1);
    let span = SpanContext::new(
        TraceId::from_hex(parts.next()?).ok()?,
        SpanId::from_hex(parts.next()?).ok()?,
        TraceFlags::new(u8::from_str_radix(parts.next()?, 16).ok()?),
        true,
        TraceState::default(),
    );
    Some(Context::new().with_remote_span_context(span))
}

/// Watches one operation. Dropped before it heard of an end, it was stopped, or crashed.
pub(super) struct Watch {
    all: Operations,
    span: Span,
    began: Instant,
    kind: &'static str,
    field: Arc<str>,
    outcome: Option<(&'static str, String)>,
    refusals: Refusals,
}

impl Watch {
    /// What the operation is to run in.
    pub(super) fn span(&self) -> Span {
        self.span.clone()
    }

    /// It may run. Its request's data has its id, and its trace if it is part of one. Gives back what belongs into its data.
    pub(super) fn admitted(&mut self, request: &mut Request) -> Refusals {
        let name = request.operation_name.clone();
        let document = request.parsed_query().ok();
        if let Some(summary) = document.and_then(|document| Summary::of(document, name.as_deref())) {
            self.kind = summary.kind;
            let mut fields = summary.fields.iter();
            self.field = match (fields.next(), fields.next()) {
                (Some(only), None) => only.as_str().into(),
                _ => "several".into(),
            };
            self.span = span(&format!("{} {}", self.kind, self.field), self.kind, request);
            if !self.span.is_disabled() {
                let fields = summary.fields.into_iter().collect::<Vec<_>>().join(" ");
                self.span.record("fields", fields);
            }
        }
        self.refusals.clone()
    }

    /// It may not run.
    pub(super) fn refused(&mut self, request: &Request, errors: &[ServerError]) {
        self.span = span(self.kind, self.kind, request);
        self.outcome = Some(("error", code(errors)));
    }

    /// It has a result.
    pub(super) fn ended(&mut self, response: &Response) {
        self.outcome = Some(if !response.errors.is_empty() {
            ("error", code(&response.errors))
        } else if let Some(code) = self.refusals.first() {
            ("user_error", code.to_owned())
        } else {
            ("ok", String::new())
        });
    }

    /// It is a subscription, and goes on until what is given back is dropped.
    pub(super) fn subscribed(mut self) -> Subscribed {
        self.outcome = Some(("ok", String::new()));
        let field = Field {
            field: self.field.clone(),
        };
        let open = self.all.subscriptions.get_or_create_owned(&field);
        open.inc();
        Subscribed {
            open,
            results: self.all.results.get_or_create_owned(&field),
            failures: self.all.failures.get_or_create_owned(&field),
            span: self.span.clone(),
            sent: 0,
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.all.in_flight.dec();
        let (outcome, code) = self.outcome.take().unwrap_or_else(|| {
            if std::thread::panicking() {
                ("error", "INTERNAL_ERROR".to_owned())
            } else {
                ("stopped", String::new())
            }
        });
        if !self.span.is_disabled() {
            self.span.record("outcome", outcome);
            if outcome == "error" {
                self.span.record("otel.status_code", "ERROR");
            }
            if !code.is_empty() {
                self.span.record("code", code.as_str());
            }
        }
        if self.kind != "subscription" {
            let kind = Kind {
                kind: self.kind,
                field: self.field.clone(),
            };
            let seconds = self.all.seconds.get_or_create(&kind);
            seconds.observe(self.began.elapsed().as_secs_f64());
        }
        let ended = Ended {
            kind: self.kind,
            field: self.field.clone(),
            outcome,
            code,
        };
        self.all.ended.get_or_create(&ended).inc();
    }
}

/// An open subscription.
pub(super) struct Subscribed {
    open: Gauge,
    results: Counter,
    failures: Counter,
    span: Span,
    sent: u64,
}

impl Subscribed {
    /// A result goes out.
    pub(super) fn result(&mut self) {
        self.results.inc();
        self.sent += 1;
    }

    /// It ends with errors.
    pub(super) fn failed(&self) {
        self.failures.inc();
        self.span.record("otel.status_code", "ERROR");
    }
}

impl Drop for Subscribed {
    fn drop(&mut self) {
        self.open.dec();
        self.span.record("results", self.sent);
    }
}

/// The code of the first error. Codes are constants of the program; whatever doesn't look like one isn't shown.
fn code(errors: &[ServerError]) -> String {
    let extensions = errors.first().and_then(|error| error.extensions.as_ref());
    match extensions.and_then(|extensions| extensions.get("code")) {
        Some(Value::String(code)) if code.len() <= 64 && code.bytes().all(|c| c.is_ascii_uppercase() || c == b'_') => {
            code.clone()
        }
        _ => "OTHER".to_owned(),
    }
}
