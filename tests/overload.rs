//! Ten times the load that the real binary can serve: it answers what it can, refuses the rest at once, and is itself
//! again soon after.
//!
//! `OVERLOAD_SECONDS` says for how long, `--nocapture` shows the figures.
#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::similar_names,
    missing_docs,
    unreachable_pub,
    reason = "a test fails by panicking"
)]

#[path = "support/program.rs"]
mod program;

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use frontdesk::{
    app::tokens::{Role, Tokens},
    domain::{
        clock::SystemClock,
        ids::{SiteId, TypedId as _},
    },
};
use program::{Program, SECRET};
use reqwest::Client;
use serde_json::{Value, json};
use tokio::task::JoinSet;

/// Clients at addresses of their own.
const ADDRESSES: u8 = 8;
/// Longer than anything may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// What the server may grow by.
const MEMORY: f64 = 250.0;

/// Somebody at an address.
fn client(address: u8) -> Client {
    let address = IpAddr::V4(Ipv4Addr::new(127, 0, 1, address));
    Client::builder()
        .local_address(address)
        .timeout(PATIENCE)
        .build()
        .unwrap()
}

#[derive(Clone)]
struct Asker {
    http: Client,
    url: String,
    token: String,
}

impl Asker {
    async fn ask(&self, query: &str, variables: Value) -> (u16, Option<u64>, Value) {
        self.try_ask(query, variables).await.unwrap()
    }

    /// None where there were too many connections to have one more: who is told so may not hear it.
    async fn try_ask(&self, query: &str, variables: Value) -> Option<(u16, Option<u64>, Value)> {
        let request = self.http.post(&self.url).bearer_auth(&self.token);
        let answer = request
            .json(&json!({ "query": query, "variables": variables }))
            .send()
            .await
            .ok()?;
        let status = answer.status().as_u16();
        let after = answer.headers().get("retry-after");
        let after = after.map(|seconds| seconds.to_str().unwrap().parse().unwrap());
        Some((status, after, answer.json().await.ok()?))
    }
}

/// The heaviest thing that anybody asks for all day.
const LIST: &str = "{ bookings(first: 50) { nodes { id status startDate endDate totalParticipants contactDetails { firstName email } \
    bookedEntity { __typename ... on BookedSlot { title resource { name } } } service { name } } } }";
const BOOK: &str =
    "mutation($input: CreateBookingInput!) { createBooking(input: $input) { booking { id } userErrors { code } } }";

fn wish(service: &Value, hour: usize) -> Value {
    let start = format!(
        "2031-{:02}-{:02}T{:02}:00:00Z",
        1 + hour / 24 / 28,
        1 + hour / 24 % 28,
        hour % 24
    );
    json!({
        "bookedEntity": { "slot": { "appointment": { "serviceId": service, "startDate": start } } },
        "contactDetails": { "firstName": "Ada", "email": "ada@example.org" },
        "totalParticipants": 1, "idempotencyKey": format!("hour {hour}"),
    })
}

/// A studio with some bookings.
async fn open(program: &Program) -> (Asker, Value) {
    let mut owner = Asker {
        http: client(200),
        url: program.url(),
        token: String::new(),
    };
    let answer = owner.http.post(&owner.url).json(&json!({ "query": "{ site { id } }" }));
    let answer: Value = answer.send().await.unwrap().json().await.unwrap();
    let site = SiteId::parse(answer["data"]["site"]["id"].as_str().unwrap()).unwrap();
    owner.token = Tokens::new(SECRET.as_bytes(), Arc::new(SystemClock)).mint(Role::Owner, site, "olga", None, 3600);
    let make = "mutation($input: CreateResourceInput!) { createResource(input: $input) { resource { id } } }";
    let (_, _, staff) = owner
        .ask(make, json!({ "input": { "name": "Anna", "type": "STAFF" } }))
        .await;
    let make = "mutation($input: CreateServiceInput!) { createService(input: $input) { service { id } } }";
    let service = json!({ "input": {
        "type": "APPOINTMENT", "name": "Massage", "durations": [60],
        "resourceIds": [staff["data"]["createResource"]["resource"]["id"]],
        "payment": { "rateType": "NO_FEE" },
    } });
    let (_, _, service) = owner.ask(make, service).await;
    let service = service["data"]["createService"]["service"]["id"].clone();
    for hour in 0..50 {
        let (_, _, made) = owner.ask(BOOK, json!({ "input": wish(&service, hour) })).await;
        assert!(made["data"]["createBooking"]["booking"]["id"].is_string(), "{made}");
    }
    (owner, service)
}

fn percentile(took: &mut [Duration], of: f64) -> Duration {
    took.sort_unstable();
    let at = (took.len() as f64 * of) as usize;
    took.get(at.min(took.len().saturating_sub(1)))
        .copied()
        .unwrap_or_default()
}

/// How long the list takes for nearly everybody who asks alone.
async fn latency(asker: &Asker) -> Duration {
    let mut took = Vec::new();
    for _ in 0..20 {
        let start = Instant::now();
        let (status, _, answer) = asker.ask(LIST, json!({})).await;
        if status == 200 && answer["errors"].is_null() {
            took.push(start.elapsed());
        } else {
            took.push(PATIENCE);
        }
    }
    percentile(&mut took, 0.9)
}

#[derive(Default)]
struct Tally {
    served: Vec<Duration>,
    refused: Vec<Duration>,
    unheard: usize,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_times_the_load_is_refused_quickly_and_forgotten_soon() {
    let seconds = std::env::var("OVERLOAD_SECONDS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(5);
    let program = Program::start(&[]);
    let (owner, service) = open(&program).await;
    let quiet = latency(&owner).await;

    // What it can do: as many at once as there are places, each again and again.
    let served = Arc::new(AtomicUsize::new(0));
    let mut full = JoinSet::new();
    for n in 0..32 {
        let (asker, served) = (
            Asker {
                http: client(1 + n % ADDRESSES),
                ..owner.clone()
            },
            served.clone(),
        );
        full.spawn(async move {
            loop {
                if asker.ask(LIST, json!({})).await.0 == 200 {
                    served.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let (before, start) = (served.load(Ordering::Relaxed), Instant::now());
    tokio::time::sleep(Duration::from_secs(3)).await;
    let capacity = (served.load(Ordering::Relaxed) - before) as f64 / start.elapsed().as_secs_f64();
    full.shutdown().await;

    // Ten times that, whatever becomes of it.
    let (memory, tally, late) = (
        program.memory(),
        Arc::new(Mutex::new(Tally::default())),
        AtomicUsize::new(0),
    );
    let clients: Vec<_> = (1..=ADDRESSES).map(client).collect();
    let mut asked = JoinSet::new();
    let mut grown: f64 = 0.0;
    let (start, mut sent) = (Instant::now(), 0_usize);
    // One customer goes on trying to book, as a client that is told to come again would.
    let persistent = tokio::spawn({
        let (asker, service) = (
            Asker {
                http: client(100),
                ..owner.clone()
            },
            service.clone(),
        );
        async move {
            tokio::time::sleep(Duration::from_millis(500)).await;
            let (mut refused, mut answers) = (0, Vec::new());
            while answers.len() < 2 {
                let Some((status, after, answer)) = asker.try_ask(BOOK, json!({ "input": wish(&service, 100) })).await
                else {
                    continue;
                };
                if status == 200 {
                    answers.push(answer);
                } else {
                    refused += 1;
                    assert!(after.is_some(), "{answer}");
                    tokio::time::sleep(Duration::from_millis(200)).await;
                }
            }
            (refused, answers)
        }
    });
    let mut clock = tokio::time::interval(Duration::from_millis(5));
    while start.elapsed() < Duration::from_secs(seconds) {
        clock.tick().await;
        let due = (start.elapsed().as_secs_f64() * capacity * 10.0) as usize;
        while sent < due {
            sent += 1;
            let asker = Asker {
                http: clients[sent % clients.len()].clone(),
                ..owner.clone()
            };
            let tally = tally.clone();
            asked.spawn(async move {
                let start = Instant::now();
                let Some((status, after, answer)) = asker.try_ask(LIST, json!({})).await else {
                    tally.lock().unwrap().unheard += 1;
                    return;
                };
                let took = start.elapsed();
                let mut tally = tally.lock().unwrap();
                match status {
                    200 => {
                        assert!(answer["data"]["bookings"]["nodes"][49]["id"].is_string(), "{answer}");
                        tally.served.push(took);
                    }
                    429 | 503 => {
                        let code = &answer["errors"][0]["extensions"]["code"];
                        assert!(
                            [
                                "OVERLOADED",
                                "RATE_LIMITED",
                                "TOO_MANY_OPERATIONS",
                                "TOO_MANY_CONNECTIONS",
                                "TOO_MUCH_PENDING"
                            ]
                            .contains(&code.as_str().unwrap()),
                            "{answer}"
                        );
                        assert!(after.is_some_and(|seconds| seconds >= 1), "it says when to come again");
                        tally.refused.push(took);
                    }
                    other => panic!("{other}: {answer}"),
                }
            });
            while let Some(done) = asked.try_join_next() {
                done.unwrap();
            }
        }
        late.fetch_max(asked.len(), Ordering::Relaxed);
        if sent % 64 == 0 {
            grown = grown.max(program.memory() - memory);
        }
    }
    let ended = Instant::now();
    asked.abort_all();
    while let Some(done) = asked.join_next().await {
        assert!(done.is_ok() || done.is_err_and(|error| error.is_cancelled()));
    }
    grown = grown.max(program.memory() - memory);
    let mut calm = latency(&owner).await;
    while calm > 2 * quiet + Duration::from_millis(5) {
        assert!(
            ended.elapsed() < Duration::from_secs(5),
            "{calm:?} after {:?}, and {quiet:?} before",
            ended.elapsed()
        );
        calm = latency(&owner).await;
    }
    let (refused, answers) = tokio::time::timeout(PATIENCE, persistent)
        .await
        .expect("in time")
        .unwrap();
    assert!(
        answers[0]["data"]["createBooking"]["booking"]["id"].is_string(),
        "{}",
        answers[0]
    );
    assert_eq!(answers[0], answers[1], "a retry is the same booking");
    let (_, _, all) = owner.ask("{ bookings { totalCount } }", json!({})).await;
    assert_eq!(all["data"]["bookings"]["totalCount"], 51);

    let mut tally = tally.lock().unwrap();
    let Tally {
        served,
        refused: turned_away,
        unheard,
    } = &mut *tally;
    let (many, few) = (served.len(), turned_away.len());
    println!(
        "{capacity:.0}/s can be served; {:.0}/s came for {seconds} s: {:.0}/s served (p99 {:.1?}), {:.0}/s refused (half within {:.1?}, p99 {:.1?}), {:.0}/s without a connection; \
         {grown:.1} MiB, at most {} open; one alone waits {quiet:.1?} before, {calm:.1?} from {:.1?} after; a booking was refused {refused} times",
        sent as f64 / seconds as f64,
        many as f64 / seconds as f64,
        percentile(served, 0.99),
        few as f64 / seconds as f64,
        percentile(turned_away, 0.5),
        percentile(turned_away, 0.99),
        *unheard as f64 / seconds as f64,
        late.load(Ordering::Relaxed),
        ended.elapsed(),
    );
    assert!(few > 0, "it was no overload");
    // The load itself takes half of the machine, and refusing the rest what it takes: most of it, where the code isn't
    // optimized.
    let part = if cfg!(debug_assertions) { 20.0 } else { 5.0 };
    assert!(many as f64 / seconds as f64 > capacity / part, "it goes on serving");
    assert!(
        percentile(served, 0.99) < Duration::from_secs(5),
        "whoever is served is served soon"
    );
    // Code that isn't optimized takes as long for a refusal as else for an answer.
    let soon = Duration::from_secs(if cfg!(debug_assertions) { 5 } else { 1 });
    assert!(
        percentile(turned_away, 0.5) < soon,
        "whoever is refused hears of it soon"
    );
    assert!(grown < MEMORY, "{grown} MiB");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_was_refused_did_nothing_and_its_retry_does_it_once() {
    let program = Program::start(&["--rate-per-address", "20"]);
    let (owner, service) = open(&program).await;
    let asker = Asker {
        http: client(201),
        ..owner.clone()
    };
    // Where the machine is slow, the next call is let through by now: then it is tried with another one.
    let mut let_through = 0;
    let (wish, after, refused) = loop {
        while asker.ask("{ site { id } }", json!({})).await.0 == 200 {}
        let wish = json!({ "input": wish(&service, 100 + let_through) });
        match asker.ask(BOOK, wish.clone()).await {
            (429, after, refused) => break (wish, after, refused),
            (status, _, answer) => assert_eq!(status, 200, "{answer}"),
        }
        let_through += 1;
        assert!(let_through < 20, "a limit");
    };
    assert_eq!(refused["errors"][0]["extensions"]["code"], "RATE_LIMITED");
    let count =
        async || owner.ask("{ bookings { totalCount } }", json!({})).await.2["data"]["bookings"]["totalCount"].clone();
    assert_eq!(count().await, 50 + let_through, "nothing of it ran");
    tokio::time::sleep(Duration::from_secs(after.expect("it says when to come again"))).await;
    let (status, _, made) = asker.ask(BOOK, wish.clone()).await;
    assert_eq!(status, 200, "{made}");
    assert!(made["data"]["createBooking"]["booking"]["id"].is_string(), "{made}");
    let (_, _, again) = asker.ask(BOOK, wish).await;
    assert_eq!(again, made);
    assert_eq!(count().await, 51 + let_through);
}
