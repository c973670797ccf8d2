//! What a stranger can send to the real binary: each attack is refused, costs little, and leaves room for others.
//!
//! The processor time and the memory are the server process's own, as the kernel counts them, so they mean the same on
//! a busy machine. `--nocapture` shows them.
#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::format_collect,
    clippy::unchecked_time_subtraction,
    reason = "a test fails by panicking"
)]

use std::{
    io::{BufRead as _, BufReader},
    net::{IpAddr, Ipv4Addr},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use futures::{SinkExt as _, StreamExt as _};
use reqwest::Client;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};
use tokio_tungstenite::tungstenite::{Message, client::IntoClientRequest as _};

/// What one attack may take of the processor; code that isn't optimized takes some ten times as much.
const PROCESSOR: Duration = Duration::from_millis(if cfg!(debug_assertions) { 500 } else { 50 });
/// What the server may grow by.
const MEMORY: f64 = 50.0;
/// How often each is sent, since the kernel counts in steps of 10 ms.
const TIMES: u32 = 5;
const PATIENCE: Duration = Duration::from_secs(30);

/// The server as a process.
struct Program {
    child: Child,
    address: String,
    _directory: tempfile::TempDir,
}

impl Program {
    fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let database = format!("sqlite:{}", directory.path().join("frontdesk.db").display());
        let mut child = Command::new(env!("CARGO_BIN_EXE_frontdesk"))
            .args([
                "serve",
                "--listen",
                "127.0.0.1:0",
                "--log",
                "error",
                "--database-url",
                &database,
            ])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut line = String::new();
        let output = child.stdout.take().expect("its output");
        BufReader::new(output).read_line(&mut line).expect("a line");
        let (_, address) = line.trim().rsplit_once("http://").expect("where it listens");
        Self {
            address: address.to_owned(),
            child,
            _directory: directory,
        }
    }

    fn url(&self) -> String {
        format!("http://{}/graphql", self.address)
    }

    /// Its processor time so far.
    fn processor(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        let (_, fields) = stat.rsplit_once(") ").unwrap();
        let ticks = |n: usize| fields.split(' ').nth(n).unwrap().parse::<u32>().unwrap();
        // `utime` and `stime`, in hundredths of a second.
        Duration::from_millis(10) * (ticks(11) + ticks(12))
    }

    /// What it has in memory, in MiB.
    fn memory(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A client at another address than those that attack.
fn neighbour() -> Client {
    let address = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));
    Client::builder().local_address(address).build().unwrap()
}

/// How long a modest query takes for 99 of 100.
async fn p99(client: &Client, program: &Program) -> Duration {
    let mut took = Vec::new();
    for _ in 0..100 {
        let start = Instant::now();
        let request = client
            .post(program.url())
            .json(&json!({ "query": "{ site { id name } }" }));
        let answer: Value = request.send().await.unwrap().json().await.unwrap();
        assert!(answer["data"]["site"]["id"].is_string(), "{answer}");
        took.push(start.elapsed());
    }
    took.sort_unstable();
    took[98]
}

fn document(document: &str, variables: &str) -> String {
    format!("{{\"query\":{},\"variables\":{variables}}}", json!(document))
}

/// Requests, and the codes of which one is the answer.
fn requests() -> Vec<(&'static str, String, &'static [&'static str])> {
    let doubling = (0..30)
        .map(|n| format!("fragment F{n} on Site {{ ...F{0} ...F{0} }} ", n + 1))
        .collect::<String>();
    let aliases = (0..10_000).map(|n| format!(" a{n}: id")).collect::<String>();
    let nested = |n: usize| "[".repeat(n) + &"]".repeat(n);
    let list = "query ($filter: BookingFilter) { bookings(filter: $filter) { totalCount } }";
    let unfolding =
        "{ __schema { types ".to_owned() + &"{ fields { type ".repeat(7) + "{ name }" + &" } }".repeat(7) + " } }";
    let limit: &[&str] = &["LIMIT_EXCEEDED"];
    vec![
        (
            "fragments of fragments, 2^30 fields",
            document(
                &format!("{{ site {{ ...F0 }} }} {doubling} fragment F30 on Site {{ id }}"),
                "{}",
            ),
            limit,
        ),
        (
            "10,000 aliases",
            document(&format!("{{ site {{{aliases} }} }}"), "{}"),
            limit,
        ),
        (
            "100,000 tokens",
            document(&format!("{{ site {{{} }} }}", " id".repeat(100_000)), "{}"),
            limit,
        ),
        (
            "1,000 directives",
            document(
                &format!("{{ site {{ id {} }} }}", "@skip(if: false) ".repeat(1_000)),
                "{}",
            ),
            limit,
        ),
        ("introspection of introspection", document(&unfolding, "{}"), limit),
        (
            "lists 100 deep in variables",
            document(list, &format!("{{\"filter\":{}}}", nested(100))),
            &["LIMIT_EXCEEDED"],
        ),
        (
            "lists 10,000 deep in variables",
            document(list, &format!("{{\"filter\":{}}}", nested(10_000))),
            &["BAD_REQUEST"],
        ),
        (
            "a list of 100,000 in variables",
            document(
                list,
                &format!("{{\"filter\":{{\"and\":[{}{{}}]}}}}", "{},".repeat(100_000)),
            ),
            limit,
        ),
        (
            "a body of 10 MB",
            document("{ site { id } }", &format!("{{\"a\":\"{}\"}}", "x".repeat(10_000_000))),
            &["PAYLOAD_TOO_LARGE"],
        ),
        (
            "a batch of 10,000",
            format!("[{}]", vec![r#"{"query":"{ site { id } }"}"#; 10_000].join(",")),
            &["BATCHING_NOT_SUPPORTED"],
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn no_request_costs_much() {
    let program = Program::start();
    let (client, neighbour) = (Client::new(), neighbour());
    let quiet = p99(&neighbour, &program).await;
    for (what, body, codes) in requests() {
        let (processor, memory) = (program.processor(), program.memory());
        for _ in 0..TIMES {
            let request = client
                .post(program.url())
                .header("content-type", "application/json")
                .body(body.clone());
            let answer = match timeout(PATIENCE, request.send()).await.expect("in time") {
                Ok(answer) => answer.json::<Value>().await.unwrap(),
                // Whoever is still sending when it is refused may not read why.
                Err(_) => continue,
            };
            let code = answer["errors"][0]["extensions"]["code"].as_str().unwrap_or_default();
            assert!(codes.contains(&code), "{what}: {answer}");
        }
        let each = (program.processor() - processor) / TIMES;
        let grown = program.memory() - memory;
        println!("{what:<40} {each:>10.1?} {grown:>6.1} MiB");
        assert!(each <= PROCESSOR, "{what} took {each:?} of the processor");
        assert!(grown <= MEMORY, "{what} took {grown} MiB");
    }
    // While all of them come again and again, others are served.
    let storm = tokio::spawn({
        let (client, url) = (client.clone(), program.url());
        async move {
            loop {
                for (_, body, _) in requests() {
                    let request = client.post(&url).header("content-type", "application/json").body(body);
                    let _ = request.send().await;
                }
            }
        }
    });
    let busy = p99(&neighbour, &program).await;
    storm.abort();
    println!("others' p99: {quiet:.1?} in quiet, {busy:.1?} meanwhile");
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_tokens_are_cheap() {
    let program = Program::start();
    let client = Client::new();
    let processor = program.processor();
    let tokens = [
        "nonsense".to_owned(),
        "a.b.c".to_owned(),
        // Says of itself that nobody signed it.
        "eyJhbGciOiJub25lIn0.eyJzdWIiOiJtZSIsInJvbGUiOiJvd25lciIsImV4cCI6OTk5OTk5OTk5OX0.".to_owned(),
        "x".repeat(4_000),
    ];
    for n in 0..1_000 {
        let request = client.post(program.url()).bearer_auth(&tokens[n % tokens.len()]);
        let answer = request
            .json(&json!({ "query": "{ site { id } }" }))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 401);
    }
    let each = (program.processor() - processor) / 1_000;
    println!("a wrong token: {each:?}");
    assert!(each <= PROCESSOR / 50, "a wrong token took {each:?}");
}

/// An open WebSocket that says nothing, or none if it was refused.
async fn idle_socket(address: &str) -> Option<TcpStream> {
    let mut stream = TcpStream::connect(address).await.ok()?;
    let request = format!(
        "GET /graphql HTTP/1.1\r\nhost: {address}\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         sec-websocket-protocol: graphql-transport-ws\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut start = [0; 12];
    let read = timeout(PATIENCE, stream.read_exact(&mut start))
        .await
        .expect("an answer");
    read.ok()?;
    (&start == b"HTTP/1.1 101").then_some(stream)
}

#[tokio::test(flavor = "multi_thread")]
async fn one_address_has_so_many_connections() {
    let program = Program::start();
    let neighbour = neighbour();
    p99(&neighbour, &program).await;
    let memory = program.memory();
    let mut sockets = Vec::new();
    let mut refused = 0;
    for _ in 0..1_500 {
        match idle_socket(&program.address).await {
            Some(socket) => sockets.push(socket),
            None => refused += 1,
        }
    }
    let grown = program.memory() - memory;
    println!("{} idle sockets, {refused} refused, {grown:.1} MiB", sockets.len());
    assert_eq!((sockets.len(), refused), (1_000, 500));
    assert!(grown <= MEMORY, "{grown} MiB");
    // Another address isn't concerned, and this one is again served when there is room.
    p99(&neighbour, &program).await;
    drop(sockets);
    let freed = async {
        while idle_socket(&program.address).await.is_none() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, freed).await.expect("room again");
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_never_end_hold_up_nobody() {
    let program = Program::start();
    let neighbour = neighbour();
    p99(&neighbour, &program).await;
    let (memory, processor) = (program.memory(), program.processor());
    let mut slow = Vec::new();
    for n in 0..900 {
        let mut stream = TcpStream::connect(&program.address).await.unwrap();
        let start = if n % 2 == 0 {
            format!("POST /graphql HTTP/1.1\r\nhost: {}\r\nx-slow: ", program.address)
        } else {
            format!(
                "POST /graphql HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{{",
                program.address
            )
        };
        stream.write_all(start.as_bytes()).await.unwrap();
        slow.push(stream);
    }
    for stream in &mut slow {
        let _ = stream.write_all(b"a").await;
    }
    p99(&neighbour, &program).await;
    let (grown, took) = (program.memory() - memory, program.processor() - processor);
    println!("900 slow requests: {grown:.1} MiB, {took:?}");
    assert!(grown <= MEMORY, "{grown} MiB");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_socket_runs_so_many_operations() {
    let program = Program::start();
    let memory = program.memory();
    let mut request = format!("ws://{}/graphql", program.address)
        .into_client_request()
        .unwrap();
    let protocol = "graphql-transport-ws".parse().unwrap();
    request.headers_mut().insert("sec-websocket-protocol", protocol);
    let (mut socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
    let said = |value: Value| Message::text(value.to_string());
    socket.send(said(json!({ "type": "connection_init" }))).await.unwrap();
    let acknowledged = socket.next().await.unwrap().unwrap();
    assert!(acknowledged.to_text().unwrap().contains("connection_ack"));
    for n in 0..1_000 {
        let query = format!("subscription S{n} {{ bookingEvents {{ cursor }} }}");
        let subscribe = json!({ "type": "subscribe", "id": n.to_string(), "payload": { "query": query } });
        socket.send(said(subscribe)).await.unwrap();
    }
    let mut refused = 0;
    while refused < 488 {
        let message = timeout(PATIENCE, socket.next())
            .await
            .expect("in time")
            .unwrap()
            .unwrap();
        let Ok(text) = message.to_text() else { continue };
        if text.contains("\"error\"") {
            assert!(text.contains("TOO_MANY_OPERATIONS"), "{text}");
            refused += 1;
        }
    }
    let grown = program.memory() - memory;
    println!("1,000 operations on one socket: {refused} refused, {grown:.1} MiB");
    assert!(grown <= MEMORY, "{grown} MiB");
}
