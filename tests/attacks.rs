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

#[path = "support/program.rs"]
mod program;

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use frontdesk::{
    app::tokens::{Role, Tokens},
    domain::{
        clock::FixedClock,
        ids::{SiteId, TypedId as _},
    },
};
use futures::{SinkExt as _, StreamExt as _};
use jiff::Timestamp;
use program::{Program, SECRET};
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
    let program = Program::start(&[]);
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
            let bodies: Vec<_> = requests()
                .into_iter()
                .map(|(_, body, _)| bytes::Bytes::from(body))
                .collect();
            for body in bodies.iter().cycle() {
                let request = client.post(&url).header("content-type", "application/json");
                let _ = request.body(body.clone()).send().await;
            }
        }
    });
    others_are_served(&neighbour, &program, quiet).await;
    storm.abort();
}

/// While something else goes on, others wait at most twice as long as they did. The figure of code that isn't optimized,
/// on a machine that has more to do, says nothing: there they have to be served at all.
async fn others_are_served(neighbour: &Client, program: &Program, quiet: Duration) {
    let mut busy = Duration::MAX;
    // What the machine does besides shows in one measurement and not in all.
    for _ in 0..5 {
        busy = busy.min(p99(neighbour, program).await);
    }
    println!("others' p99: {quiet:.1?} in quiet, {busy:.1?} meanwhile");
    if !cfg!(debug_assertions) {
        let most = (2 * quiet).max(Duration::from_millis(5));
        assert!(busy <= most, "others waited {busy:?}, and {quiet:?} before");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_and_expired_tokens_at_a_thousand_a_second_are_cheap() {
    let program = Program::start(&[]);
    let (client, neighbour) = (Client::new(), neighbour());
    let quiet = p99(&neighbour, &program).await;
    let past = Tokens::new(SECRET.as_bytes(), Arc::new(FixedClock::new(Timestamp::UNIX_EPOCH)));
    let tokens = [
        "nonsense".to_owned(),
        "a.b.c".to_owned(),
        // Says of itself that nobody signed it.
        "eyJhbGciOiJub25lIn0.eyJzdWIiOiJtZSIsInJvbGUiOiJvd25lciIsImV4cCI6OTk5OTk5OTk5OX0.".to_owned(),
        past.mint(Role::Owner, SiteId::new(), "olga", None, 60),
        "x".repeat(4_000),
    ];
    let storm = tokio::spawn({
        let url = program.url();
        async move {
            let mut clock = tokio::time::interval(Duration::from_millis(1));
            let (mut answers, mut refused, mut limited) = (futures::stream::FuturesUnordered::new(), 0, 0);
            for n in 0..3_000 {
                clock.tick().await;
                let request = client.post(&url).bearer_auth(&tokens[n % tokens.len()]);
                answers.push(request.json(&json!({ "query": "{ site { id } }" })).send());
                while let Some(Some(answer)) = futures::FutureExt::now_or_never(answers.next()) {
                    match answer.unwrap().status().as_u16() {
                        401 => refused += 1,
                        // So many wrong ones come from one address that it isn't listened to any more.
                        429 => limited += 1,
                        other => panic!("{other}"),
                    }
                }
            }
            (refused, limited)
        }
    });
    let (processor, start) = (program.processor(), Instant::now());
    others_are_served(&neighbour, &program, quiet).await;
    let (refused, limited) = storm.await.unwrap();
    let took = program.processor() - processor;
    println!(
        "{refused} wrong tokens refused and {limited} unheard in {:.1?}: {took:?}",
        start.elapsed()
    );
    assert!(refused > 0 && limited > 0);
    let each = took / (refused + limited);
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
    let program = Program::start(&[]);
    let neighbour = neighbour();
    p99(&neighbour, &program).await;
    let memory = program.memory();
    let mut sockets = Vec::new();
    let mut refused = 0;
    for _ in 0..10_000 {
        match idle_socket(&program.address).await {
            Some(socket) => sockets.push(socket),
            None => refused += 1,
        }
    }
    let grown = program.memory() - memory;
    println!("{} idle sockets, {refused} refused, {grown:.1} MiB", sockets.len());
    assert_eq!((sockets.len(), refused), (1_000, 9_000));
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
    let program = Program::start(&[]);
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
async fn large_bodies_that_never_end_are_not_all_kept() {
    let program = Program::start(&[]);
    let neighbour = neighbour();
    let quiet = p99(&neighbour, &program).await;
    let memory = program.memory();
    let head = format!(
        "POST /graphql HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\ncontent-length: 1000000\r\n\r\n",
        program.address
    );
    let most = vec![b' '; 999_999];
    let mut never = Vec::new();
    for _ in 0..200 {
        let mut stream = TcpStream::connect(&program.address).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        // Whoever is refused isn't read any more.
        let _ = timeout(Duration::from_millis(200), stream.write_all(&most)).await;
        never.push(stream);
    }
    let grown = program.memory() - memory;
    println!("200 bodies of 1 MB without an end: {grown:.1} MiB");
    assert!(grown <= MEMORY, "{grown} MiB");
    others_are_served(&neighbour, &program, quiet).await;
}

type Socket = tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<TcpStream>>;

/// A WebSocket that is let in.
async fn socket(program: &Program, token: Option<&str>) -> Socket {
    let mut request = format!("ws://{}/graphql", program.address)
        .into_client_request()
        .unwrap();
    let protocol = "graphql-transport-ws".parse().unwrap();
    request.headers_mut().insert("sec-websocket-protocol", protocol);
    let (mut socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
    let payload = token.map(|token| json!({ "Authorization": format!("Bearer {token}") }));
    let init = json!({ "type": "connection_init", "payload": payload.unwrap_or_else(|| json!({})) });
    socket.send(Message::text(init.to_string())).await.unwrap();
    let acknowledged = socket.next().await.unwrap().unwrap();
    assert!(acknowledged.to_text().unwrap().contains("connection_ack"));
    socket
}

async fn subscribe(socket: &mut Socket, id: usize, query: &str) {
    let subscribe = json!({ "type": "subscribe", "id": id.to_string(), "payload": { "query": query } });
    socket.send(Message::text(subscribe.to_string())).await.unwrap();
}

/// Waits for so many refusals.
async fn refusals(socket: &mut Socket, many: usize) {
    let (mut refused, start) = (0, Instant::now());
    while refused < many {
        assert!(start.elapsed() < PATIENCE, "{refused} of {many} refused");
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
}

#[tokio::test(flavor = "multi_thread")]
async fn one_socket_runs_so_many_operations() {
    let program = Program::start(&[]);
    let memory = program.memory();
    let mut socket = socket(&program, None).await;
    for n in 0..1_000 {
        subscribe(
            &mut socket,
            n,
            &format!("subscription S{n} {{ bookingEvents {{ cursor }} }}"),
        )
        .await;
    }
    refusals(&mut socket, 488).await;
    let grown = program.memory() - memory;
    println!("1,000 operations on one socket: 488 refused, {grown:.1} MiB");
    assert!(grown <= MEMORY, "{grown} MiB");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_subscriptions_ends_at_what_one_caller_may_have() {
    let mut program = Program::start(&["--metrics-listen", "127.0.0.1:0"]);
    let line = program.says();
    let (_, metrics) = line.split_once(" at ").unwrap();
    let neighbour = neighbour();
    let quiet = p99(&neighbour, &program).await;
    let site = neighbour
        .post(program.url())
        .json(&json!({ "query": "{ site { id } }" }));
    let site: Value = site.send().await.unwrap().json().await.unwrap();
    let site = SiteId::parse(site["data"]["site"]["id"].as_str().unwrap()).unwrap();
    let tokens = Tokens::new(SECRET.as_bytes(), Arc::new(frontdesk::domain::clock::SystemClock));
    let token = tokens.mint(Role::Member, site, "mallory", None, 3600);
    let memory = program.memory();
    let mut flood = tokio::task::JoinSet::new();
    let refused = Arc::new(AtomicUsize::new(0));
    for n in 0..20 {
        let mut socket = socket(&program, Some(&token)).await;
        let refused = refused.clone();
        flood.spawn(async move {
            for m in 0..500 {
                let query = format!("subscription S{n}x{m} {{ bookingEvents {{ cursor }} }}");
                subscribe(&mut socket, m, &query).await;
            }
            while let Some(Ok(message)) = socket.next().await {
                let text = message.to_text().unwrap_or_default();
                if text.contains("\"error\"") {
                    // Either the caller has as many as it may, or the server has too much to do at this moment.
                    assert!(
                        text.contains("TOO_MANY_OPERATIONS") || text.contains("OVERLOADED"),
                        "{text}"
                    );
                    refused.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
    }
    let settled = async {
        loop {
            let shown = reqwest::get(metrics).await.unwrap().text().await.unwrap();
            let open = shown
                .lines()
                .find_map(|line| line.strip_prefix("frontdesk_subscriptions{field=\"bookingEvents\"} "));
            let open: usize = open.and_then(|number| number.parse().ok()).unwrap_or_default();
            assert!(open <= 1_000, "{open} subscriptions of one caller");
            if open + refused.load(Ordering::Relaxed) == 10_000 {
                return open;
            }
            assert!(flood.try_join_next().is_none(), "a socket ended");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let open = timeout(2 * PATIENCE, settled).await.expect("all are open or refused");
    others_are_served(&neighbour, &program, quiet).await;
    let grown = program.memory() - memory;
    println!("10,000 subscriptions over 20 sockets: {open} open, {grown:.1} MiB");
    assert!(grown <= MEMORY, "{grown} MiB");
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_that_never_read_get_no_more_than_they_take() {
    let program = Program::start(&[]);
    let neighbour = neighbour();
    let quiet = p99(&neighbour, &program).await;
    let memory = program.memory();
    // Some 200 KiB each.
    let large = "{ __schema { types { name description fields { name description args { name description } } } } }";
    let mut deaf = Vec::new();
    for _ in 0..50 {
        deaf.push(socket(&program, None).await);
    }
    for socket in &mut deaf {
        for n in 0..20 {
            subscribe(socket, n, large).await;
        }
    }
    let mut requests = Vec::new();
    let body = json!({ "query": large }).to_string();
    let request = format!(
        "POST /graphql HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        program.address,
        body.len()
    );
    for _ in 0..50 {
        let mut stream = TcpStream::connect(&program.address).await.unwrap();
        stream.write_all(request.repeat(20).as_bytes()).await.unwrap();
        requests.push(stream);
    }
    // Until it has done what it will do for them.
    let mut before = Duration::ZERO;
    while program.processor() - before > Duration::from_millis(20) {
        before = program.processor();
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let grown = program.memory() - memory;
    println!("100 clients that asked for 20 large answers each and read none: {grown:.1} MiB");
    assert!(grown <= MEMORY, "{grown} MiB");
    others_are_served(&neighbour, &program, quiet).await;
}
