//! Nothing that was acknowledged is lost, and a retry with the same key tells what became of the rest.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering::SeqCst},
    },
};

use frontdesk::domain::clock::SystemClock;
use rand::RngExt as _;
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::{
    invariants, on_both_engines,
    program::Program,
    stage::{rng, rounds},
    support::{Client, Engine, Server, Studio, client::mutation, fixture::with},
};

/// What a create selects: enough to see that two answers are the same.
const ANSWER: &str = "booking { id revision status startDate createdDate } userErrors { code message }";

/// A number's booking: a time of its own, under a key of its own.
fn input(studio: &Studio, number: i64) -> Value {
    let wanted = studio.appointment(&studio.massage, number * 30, &[&studio.anna]);
    with(
        wanted,
        json!({ "status": "CONFIRMED", "idempotencyKey": format!("number-{number}") }),
    )
}

/// What a client knows about one create: the booking, or nothing.
async fn create(client: &Client, studio: &Studio, number: i64) -> Option<Value> {
    let variables = json!({ "input": input(studio, number) });
    let reply = client
        .try_send(&mutation("createBooking", ANSWER), variables)
        .await
        .ok()?;
    if reply.json["errors"].is_array() {
        let code = reply.json["errors"][0]["extensions"]["code"].clone();
        assert!(
            ["SERVICE_UNAVAILABLE", "OUTCOME_UNKNOWN"].contains(&code.as_str().unwrap_or_default()),
            "{}",
            reply.json
        );
        return None;
    }
    let payload = &reply.json["data"]["createBooking"];
    assert_eq!(payload["userErrors"], json!([]), "{number}: {}", reply.json);
    Some(payload["booking"].clone())
}

/// Sends creates until told to stop, or until the server is gone. Says what was acknowledged and what was not.
struct Load {
    next: AtomicI64,
    acknowledged: AtomicUsize,
    progress: Notify,
    stop: AtomicBool,
}

impl Load {
    fn new(first: i64) -> Arc<Self> {
        Arc::new(Self {
            next: first.into(),
            acknowledged: 0.into(),
            progress: Notify::new(),
            stop: false.into(),
        })
    }

    async fn run(self: Arc<Self>, client: Client, studio: Studio, go_on: bool) -> Vec<(i64, Option<Value>)> {
        let mut sent = Vec::new();
        while !self.stop.load(SeqCst) {
            let number = self.next.fetch_add(1, SeqCst);
            let answer = create(&client, &studio, number).await;
            let lost = answer.is_none();
            sent.push((number, answer));
            if lost && !go_on {
                break;
            }
            self.acknowledged.fetch_add(1, SeqCst);
            self.progress.notify_waiters();
        }
        sent
    }

    async fn has_acknowledged(&self, count: usize) {
        loop {
            let mut progress = std::pin::pin!(self.progress.notified());
            progress.as_mut().enable();
            if self.acknowledged.load(SeqCst) >= count {
                return;
            }
            progress.await;
        }
    }
}

/// Every number has one booking, with one event that made it, and the whole is in order.
async fn verify(database: crate::support::engine::Database, answers: &BTreeMap<i64, Value>) {
    let server = Server::on(database, Arc::new(SystemClock)).await;
    let owner = server.owner();
    let ids: Vec<&Value> = answers.values().map(|booking| &booking["id"]).collect();
    for chunk in ids.chunks(100) {
        let query = "query($ids: [ID!]!) { nodes(ids: $ids) { ... on Booking { id revision status history(first: 3) { nodes { type revision } } } } }";
        let data = owner.data(query, json!({ "ids": chunk })).await;
        for (node, id) in data["nodes"].as_array().unwrap().iter().zip(chunk) {
            assert_eq!(&&node["id"], id, "an acknowledged booking is lost");
            assert_eq!(node["history"]["nodes"], json!([{ "type": "CREATED", "revision": 1 }]));
        }
    }
    let last = server.service().db().read({
        let site = server.site;
        move |conn| Box::pin(frontdesk::store::events::last_position(conn, site))
    });
    assert_eq!(last.await.unwrap(), answers.len() as i64, "one event for each booking");
    invariants::check(server.service(), server.site).await;
    server.stop().await;
}

fn crashes() -> u32 {
    rounds().min(
        std::env::var("RACE_CRASHES")
            .ok()
            .map_or(3, |text| text.parse().expect("a number")),
    )
}

on_both_engines! {
    async fn a_killed_server_loses_nothing_that_it_acknowledged(engine) {
        let server = Server::start(engine).await;
        let studio = Studio::open(&server).await;
        let token = server.token(frontdesk::app::tokens::Role::Owner, "olga", None);
        let database = server.stop().await;
        let client = |url: &str| Client::at(url).with("Authorization", format!("Bearer {token}"));
        let mut answers: BTreeMap<i64, Value> = BTreeMap::new();
        let (mut next, mut unknown) = (0, 0);
        for crash in 0..crashes() {
            let program = Program::start(&["--database-url", &database.flag()]);
            let load = Load::new(next);
            let clients: Vec<_> =
                (0..16).map(|_| tokio::spawn(load.clone().run(client(&program.url()), studio.clone(), false))).collect();
            load.has_acknowledged(rng("crash", crash).random_range(10..120)).await;
            program.kill();
            let mut open = Vec::new();
            for sender in clients {
                for (number, answer) in sender.await.expect("a client") {
                    match answer {
                        Some(booking) => drop(answers.insert(number, booking)),
                        None => open.push(number),
                    }
                }
            }
            next = load.next.load(SeqCst);
            assert!(!open.is_empty(), "it was killed in the middle");
            // What nobody knows: the retry does it or tells what was done; another retry says the same.
            let program = Program::start(&["--database-url", &database.flag()]);
            let again = client(&program.url());
            unknown += open.len();
            for number in open {
                let booking = create(&again, &studio, number).await.expect("an answer");
                assert_eq!(create(&again, &studio, number).await, Some(booking.clone()), "the same answer");
                answers.insert(number, booking);
            }
            for (number, booking) in answers.iter().rev().take(5) {
                assert_eq!(create(&again, &studio, *number).await.as_ref(), Some(booking), "the first answer");
            }
            program.kill();
        }
        println!("{engine:?}: {} kills, {} bookings, {unknown} of them asked for again", crashes() * 2, answers.len());
        verify(database, &answers).await;
    }
}

/// Connections to the database that break at any point, in the middle of a commit as well.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_cuts_its_connections_loses_nothing() {
    if !crate::support::engine::postgres_is_there() {
        return;
    }
    let server = Server::start(Engine::Postgres).await;
    let studio = Studio::open(&server).await;
    let load = Load::new(0);
    let clients: Vec<_> = (0..16)
        .map(|_| tokio::spawn(load.clone().run(server.owner(), studio.clone(), true)))
        .collect();
    for cut in 1..=crashes() as usize * 5 {
        load.has_acknowledged(cut * 20).await;
        // One of its own goes, too: what asks is one of the connections.
        let sql = "SELECT count(pg_terminate_backend(pid)) AS count FROM pg_stat_activity \
                   WHERE datname = current_database() AND pid <> pg_backend_pid()";
        assert!(
            crate::hangup::count(server.service().db(), sql)
                .await
                .is_some_and(|cut| cut > 0)
        );
    }
    load.stop.store(true, SeqCst);
    let (mut answers, mut open) = (BTreeMap::new(), 0);
    for sender in clients {
        for (number, answer) in sender.await.expect("a client") {
            let booking = if let Some(booking) = answer {
                booking
            } else {
                open += 1;
                create(&server.owner(), &studio, number).await.expect("an answer")
            };
            assert_eq!(
                create(&server.owner(), &studio, number).await,
                Some(booking.clone()),
                "the same answer"
            );
            answers.insert(number, booking);
        }
    }
    println!(
        "{} cuts, {} bookings, {open} of them asked for again",
        crashes() * 5,
        answers.len()
    );
    verify(server.stop().await, &answers).await;
}
