//! What the operator sees of the real binary: metrics, traces, logs, and nobody's secrets in any of them.
#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::float_cmp,
    clippy::format_collect,
    missing_docs,
    unreachable_pub,
    reason = "a test fails by panicking"
)]

#[path = "support/program.rs"]
mod program;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use axum::{Router, body::Bytes, extract::State, http::HeaderMap, routing::post};
use frontdesk::{
    app::tokens::{Role, Tokens},
    domain::{
        clock::SystemClock,
        ids::{ServiceId, SiteId, TypedId as _},
    },
};
use futures::{SinkExt as _, StreamExt as _};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest, common::v1::any_value::Value as AnyValue, trace::v1::Span,
};
use program::{Program, SECRET};
use prost::Message as _;
use reqwest::Client;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::{Message, client::IntoClientRequest as _};

/// Stands in everything that people write.
const MARK: &str = "marquise";

struct Studio {
    http: Client,
    url: String,
    owner: String,
    service: String,
}

async fn ask(http: &Client, url: &str, bearer: Option<&str>, query: &str, variables: Value) -> Value {
    let request = http.post(url).json(&json!({ "query": query, "variables": variables }));
    let request = match bearer {
        Some(token) => request.bearer_auth(token),
        None => request,
    };
    request.send().await.unwrap().json().await.unwrap()
}

impl Studio {
    /// A site with an appointment service.
    async fn open(program: &Program) -> Self {
        let (http, url) = (Client::new(), program.url());
        let site = ask(&http, &url, None, "{ site { id } }", json!({})).await;
        let site = SiteId::parse(site["data"]["site"]["id"].as_str().unwrap()).unwrap();
        let owner = Tokens::new(SECRET.as_bytes(), Arc::new(SystemClock)).mint(Role::Owner, site, "olga", None, 3600);
        let make = "mutation($input: CreateResourceInput!) { createResource(input: $input) { resource { id } userErrors { code } } }";
        let staff = json!({ "input": { "name": "Anna", "type": "STAFF" } });
        let staff = ask(&http, &url, Some(&owner), make, staff).await;
        let staff = &staff["data"]["createResource"]["resource"]["id"];
        assert!(staff.is_string());
        let make = "mutation($input: CreateServiceInput!) { createService(input: $input) { service { id } userErrors { code message } } }";
        let service = json!({ "input": {
            "type": "APPOINTMENT", "name": "Massage", "durations": [60], "resourceIds": [staff],
            "payment": { "rateType": "NO_FEE" },
        } });
        let service = ask(&http, &url, Some(&owner), make, service).await;
        let id = service["data"]["createService"]["service"]["id"].as_str();
        let service = id.unwrap_or_else(|| panic!("{service}")).to_owned();
        Self {
            http,
            url,
            owner,
            service,
        }
    }

    async fn book(&self, bearer: Option<&str>, day: u32) -> Value {
        self.book_of(&self.service, bearer, day).await
    }

    /// Nothing of that kind is offered.
    async fn book_in_vain(&self) -> Value {
        self.book_of(&ServiceId::new().to_string(), None, 9).await
    }

    async fn book_of(&self, service: &str, bearer: Option<&str>, day: u32) -> Value {
        let book = "mutation Book($input: CreateBookingInput!) { \
            mine: createBooking(input: $input) { booking { id } visitorToken userErrors { code } } }";
        let slot = json!({ "serviceId": service, "startDate": format!("2031-03-{day:02}T10:00:00Z") });
        let input = json!({
            "bookedEntity": { "slot": { "appointment": slot } },
            "contactDetails": { "firstName": MARK, "email": format!("{MARK}@example.org"), "phone": format!("+49 {MARK}") },
            "totalParticipants": 1,
            "idempotencyKey": format!("{MARK}-{day}"),
            "participantNotification": { "notifyParticipants": true, "message": MARK },
        });
        let answer = ask(&self.http, &self.url, bearer, book, json!({ "input": input })).await;
        answer["data"]["mine"].clone()
    }
}

/// The metrics as they are shown: each series with its value.
async fn metrics(at: &str) -> (String, BTreeMap<String, f64>) {
    let answer = reqwest::get(at).await.unwrap();
    assert_eq!(answer.status(), 200);
    let kind = answer.headers()["content-type"].to_str().unwrap().to_owned();
    assert!(kind.starts_with("application/openmetrics-text"), "{kind}");
    let text = answer.text().await.unwrap();
    assert!(text.ends_with("# EOF\n"));
    let series = text.lines().filter(|line| !line.starts_with('#'));
    let series = series.map(|line| {
        let (name, value) = line.rsplit_once(' ').unwrap();
        (name.to_owned(), value.parse().unwrap())
    });
    (text.clone(), series.collect())
}

fn sum(series: &BTreeMap<String, f64>, start: &str, parts: &[&str]) -> f64 {
    let matching = series
        .iter()
        .filter(|(name, _)| name.starts_with(start) && parts.iter().all(|part| name.contains(part)));
    matching.map(|(_, value)| value).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_metrics_tell_what_happened_on_a_port_of_their_own() {
    let mut program = Program::start(&["--metrics-listen", "127.0.0.1:0"]);
    let line = program.says();
    let (_, at) = line.split_once(" at ").expect("where the metrics are");
    let studio = Studio::open(&program).await;
    let (http, url) = (&studio.http, studio.url.as_str());
    for _ in 0..3 {
        ask(http, url, None, "query Mine { a: site { id } }", json!({})).await;
    }
    ask(http, url, None, "{ site { nothing } }", json!({})).await;
    ask(http, url, None, "{ site { id } services { totalCount } }", json!({})).await;
    ask(http, url, Some("wrong"), "{ site { id } }", json!({})).await;
    assert!(studio.book(None, 1).await["booking"]["id"].is_string());
    assert_eq!(
        studio.book_in_vain().await["userErrors"][0]["code"],
        "SERVICE_NOT_FOUND"
    );
    let follow = json!({ "query": "subscription { bookingEvents { cursor } }" });
    let stream = http
        .post(url)
        .bearer_auth(&studio.owner)
        .header("accept", "text/event-stream");
    let stream = stream.json(&follow).send().await.unwrap();
    let mut stream = stream.bytes_stream();
    stream.next().await.unwrap().unwrap();
    studio.book(None, 2).await;
    let mut heard = String::new();
    while !heard.contains("cursor") {
        heard.push_str(&String::from_utf8_lossy(&stream.next().await.unwrap().unwrap()));
    }

    let mut socket = format!("ws://{}/graphql", program.address)
        .into_client_request()
        .unwrap();
    let protocol = "graphql-transport-ws".parse().unwrap();
    socket.headers_mut().insert("sec-websocket-protocol", protocol);
    let (mut socket, _) = tokio_tungstenite::connect_async(socket).await.unwrap();
    socket.send(Message::text("nonsense")).await.unwrap();
    while socket.next().await.is_some_and(|message| message.is_ok()) {}

    let (text, series) = metrics(at).await;
    let count = |start: &str, parts: &[&str]| sum(&series, start, parts);
    let ended = "frontdesk_operations_total";
    assert_eq!(count(ended, &["query", "\"site\"", "\"ok\""]), 4.0, "{text}");
    assert_eq!(count(ended, &["\"several\"", "\"ok\""]), 1.0);
    assert_eq!(count(ended, &["GRAPHQL_VALIDATION_FAILED"]), 1.0);
    assert_eq!(count(ended, &["\"createBooking\"", "\"ok\""]), 2.0);
    assert_eq!(
        count(ended, &["\"createBooking\"", "user_error", "SERVICE_NOT_FOUND"]),
        1.0
    );
    assert_eq!(count("frontdesk_operation_seconds_count", &["\"createBooking\""]), 3.0);
    assert_eq!(count("frontdesk_subscriptions{", &["\"bookingEvents\""]), 1.0);
    assert_eq!(
        count("frontdesk_subscription_results_total", &["\"bookingEvents\""]),
        1.0
    );
    assert_eq!(count("frontdesk_http_requests_total", &["/graphql", "401"]), 1.0);
    assert_eq!(count("frontdesk_http_streams", &[]), 1.0);
    assert_eq!(count("frontdesk_websockets_closed_total", &["4400"]), 1.0);
    assert!(count("frontdesk_store_commands_total", &["done"]) >= 4.0, "{text}");
    assert!(count("frontdesk_store_group_commands_count", &[]) >= 4.0);
    assert!(count("frontdesk_live_events_total", &[]) >= 1.0);
    assert!(count("frontdesk_live_lag_seconds_count", &[]) >= 1.0);
    assert_eq!(count("frontdesk_build_info", &["sqlite"]), 1.0);
    assert!(count("process_resident_memory_bytes", &[]) > 1e6);
    assert!(
        !text.contains(MARK) && !text.contains("Mine"),
        "what clients write is in no label"
    );

    // Each is described, and nothing is described that there isn't.
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/operations.md")).unwrap();
    let listed: BTreeSet<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `"))
        .filter_map(|row| row.split('`').next())
        .filter(|name| name.starts_with("frontdesk_") || name.starts_with("process_"))
        .collect();
    let shown: BTreeSet<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE "))
        .filter_map(|line| line.split(' ').next())
        .collect();
    assert_eq!(listed, shown, "docs/operations.md");

    // Nobody who reaches the API reaches them.
    let there = format!("http://{}/metrics", program.address);
    assert_eq!(http.get(there).send().await.unwrap().status(), 404);
    drop(stream);
    let gone = async {
        while sum(&metrics(at).await.1, "frontdesk_subscriptions{", &[]) > 0.0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), gone)
        .await
        .expect("the subscription ends");
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_hold_request_ids_and_neither_secrets_nor_personal_data() {
    let program = Program::start(&["--log", "trace", "--log-format", "json"]);
    let studio = Studio::open(&program).await;
    let (http, url) = (&studio.http, studio.url.as_str());
    let booked = studio.book(None, 1).await;
    let visitor = booked["visitorToken"].as_str().expect("a token").to_owned();
    studio.book(Some(&studio.owner), 2).await;
    let make = "mutation($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret } }";
    let key = json!({ "input": { "name": MARK, "scopes": ["READ_BOOKINGS"] } });
    let key = ask(http, url, Some(&studio.owner), make, key).await;
    let key = key["data"]["createApiKey"]["secret"]
        .as_str()
        .expect("a key")
        .to_owned();
    ask(http, url, Some(&key), "{ bookings { nodes { id } } }", json!({})).await;
    let wrong = format!("{}{MARK}", &studio.owner);
    ask(http, url, Some(&wrong), "{ site { id } }", json!({})).await;
    ask(http, url, None, &format!("{{ {MARK} }}"), json!({})).await;
    ask(
        http,
        url,
        None,
        "query($id: ID!) { booking(id: $id) { id } }",
        json!({ "id": MARK }),
    )
    .await;
    let searched = format!("{url}?query=%7Bsite%7Bid%7D%7D&variables=%7B%22{MARK}%22:1%7D");
    let answer = http
        .get(searched)
        .header("x-request-id", "from-a-proxy:7")
        .send()
        .await
        .unwrap();
    assert_eq!(answer.headers()["x-request-id"], "from-a-proxy:7");
    let (ended, _, log) = program.stop();
    assert!(ended.success());
    assert!(log.contains("from-a-proxy:7"), "{log}");
    assert!(log.lines().count() > 8, "there is something to look through: {log}");
    // The last part of it, whatever letters that has.
    let signature = |token: &str| token[token.len() - 16..].to_owned();
    for secret in [
        SECRET,
        MARK,
        &signature(&visitor),
        &signature(&studio.owner),
        &signature(&key),
    ] {
        let line = log.lines().find(|line| line.contains(secret));
        assert!(line.is_none(), "`{secret}` stands in {}", line.unwrap_or_default());
    }
    for line in log.lines() {
        let line: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert!(line["level"].is_string() && line["timestamp"].is_string(), "{line}");
    }
}

/// What came to a collector.
#[derive(Clone, Default)]
struct Collected(Arc<Mutex<Vec<ExportTraceServiceRequest>>>);

async fn collect(State(collected): State<Collected>, headers: HeaderMap, body: Bytes) -> &'static str {
    assert_eq!(headers["content-type"], "application/x-protobuf");
    let request = ExportTraceServiceRequest::decode(body).expect("what the protocol says");
    collected.0.lock().unwrap().push(request);
    ""
}

impl Collected {
    /// A collector, with its address.
    async fn serve() -> (Self, String) {
        let collected = Self::default();
        let router = Router::new()
            .route("/v1/traces", post(collect))
            .with_state(collected.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(axum::serve(listener, router).into_future());
        (collected, address)
    }

    fn spans(&self) -> Vec<Span> {
        let all = self.0.lock().unwrap();
        let resources = all.iter().flat_map(|request| &request.resource_spans);
        let scopes = resources.flat_map(|resource| &resource.scope_spans);
        scopes.flat_map(|scope| scope.spans.clone()).collect()
    }
}

fn attributes(span: &Span) -> BTreeMap<String, String> {
    let read = |value: Option<AnyValue>| match value {
        Some(AnyValue::StringValue(text)) => text,
        other => format!("{other:?}"),
    };
    let pairs = span.attributes.iter().cloned();
    pairs
        .map(|pair| (pair.key, read(pair.value.and_then(|value| value.value))))
        .collect()
}

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

#[tokio::test(flavor = "multi_thread")]
async fn traces_have_a_span_for_each_operation_and_each_command() {
    let (collected, collector) = Collected::serve().await;
    let program = Program::start(&["--otlp-endpoint", &collector, "--trusted-proxy", "127.0.0.1"]);
    let studio = Studio::open(&program).await;
    assert!(studio.book(None, 1).await["booking"]["id"].is_string());
    assert_eq!(
        studio.book_in_vain().await["userErrors"][0]["code"],
        "SERVICE_NOT_FOUND"
    );
    let parent = format!("00-{TRACE}-00f067aa0ba902b7-01");
    let query = json!({ "query": format!("query {MARK} {{ {MARK}: site {{ id }} }}") });
    studio
        .http
        .post(&studio.url)
        .header("traceparent", parent)
        .json(&query)
        .send()
        .await
        .unwrap();
    ask(&studio.http, &studio.url, None, "{ site { nothing } }", json!({})).await;
    let (ended, _, _) = program.stop();
    assert!(ended.success());

    let spans = collected.spans();
    let named = |name: &str| spans.iter().filter(|span| span.name == name).collect::<Vec<_>>();
    let booked = named("mutation createBooking");
    assert_eq!(
        booked.len(),
        2,
        "{:?}",
        spans.iter().map(|span| &span.name).collect::<Vec<_>>()
    );
    let mut outcomes: Vec<_> = booked.iter().map(|span| attributes(span)["outcome"].clone()).collect();
    outcomes.sort();
    assert_eq!(outcomes, ["ok", "user_error"]);
    for span in &booked {
        let below: Vec<_> = spans
            .iter()
            .filter(|other| other.parent_span_id == span.span_id)
            .collect();
        assert_eq!(below.len(), 1, "one command");
        assert!(attributes(below[0])["command"].contains("Create"), "{:?}", below[0]);
        assert_eq!(below[0].trace_id, span.trace_id);
        assert!(span.start_time_unix_nano <= below[0].start_time_unix_nano);
        assert!(below[0].end_time_unix_nano <= span.end_time_unix_nano);
    }
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let continued: Vec<_> = named("query site")
        .into_iter()
        .filter(|span| hex(&span.trace_id) == TRACE)
        .collect();
    assert_eq!(continued.len(), 1, "the trace of a trusted proxy goes on");
    assert_eq!(hex(&continued[0].parent_span_id), "00f067aa0ba902b7");
    let refused = spans.iter().find(|span| {
        attributes(span)
            .get("code")
            .is_some_and(|code| code == "GRAPHQL_VALIDATION_FAILED")
    });
    assert!(refused.is_some_and(|span| span.status.as_ref().is_some_and(|status| status.code == 2)));
    assert!(!format!("{spans:?}").contains(MARK), "what clients write is in no span");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_can_not_write_into_traces_and_a_collector_that_is_away_holds_nothing_up() {
    let (collected, collector) = Collected::serve().await;
    let program = Program::start(&["--otlp-endpoint", &collector]);
    let parent = format!("00-{TRACE}-00f067aa0ba902b7-01");
    let query = json!({ "query": "{ site { id } }" });
    let http = Client::new();
    http.post(program.url())
        .header("traceparent", parent)
        .json(&query)
        .send()
        .await
        .unwrap();
    program.stop();
    assert_eq!(
        collected
            .spans()
            .iter()
            .filter(|span| span.name == "query site")
            .count(),
        1
    );
    assert!(collected.spans().iter().all(|span| {
        span.trace_id
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
            != TRACE
    }));

    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let away = format!("http://{}", nobody.local_addr().unwrap());
    drop(nobody);
    let program = Program::start(&["--otlp-endpoint", &away, "--log", "warn"]);
    let start = Instant::now();
    for _ in 0..50 {
        let answer = ask(&http, &program.url(), None, "{ site { id } }", json!({})).await;
        assert!(answer["data"]["site"]["id"].is_string());
    }
    assert!(start.elapsed() < Duration::from_secs(10));
    let (ended, took, log) = program.stop();
    assert!(ended.success() && took < Duration::from_secs(10), "{took:?}");
    assert!(log.contains("spans are being lost"), "{log}");
}
