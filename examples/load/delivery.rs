//! How long an event takes to its subscribers, and what a subscriber costs while nothing happens.
//!
//! A delay is counted from the moment in which the request that causes the event is sent, to the moment in which a
//! subscriber has the whole message: the command and its commit are in it.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use frontdesk::app::tokens::Role;
use serde_json::{Value, json};

use super::{
    Engine, Flags,
    http::{Http, find},
    mix::{CREATE, Wish, appointment, member, wish},
    seed::{Place, first_day},
    server::{Server, processor},
    socket::Socket,
    stats::percentile,
};

const EVENTS: &str = "subscription Log { bookingEvents { id cursor type status previousStatus revision occurredAt \
    booking { id status startDate endDate totalParticipants bookedEntity { ... on BookedSlot { title } } } } }";
const STATUS: &str = "subscription Status($id: ID!) { bookingStatusChanged(bookingId: $id) { status previousStatus \
    revision occurredAt booking { id status startDate hold { expiresAt } } } }";
const CONFIRM: &str = "mutation Confirm($input: ConfirmBookingInput!) { confirmBooking(input: $input) { \
    booking { id status } userErrors { code message } } }";

pub async fn run(flags: &Flags, place: &Place, engine: Engine) {
    println!("\n{engine:?}: delivery of events, {} s each", flags.delivery_seconds);
    if flags.wants("log") {
        log(flags, place, engine, 1000, 20).await;
    }
    if flags.wants("status") {
        statuses(flags, place, engine, 5000, 200).await;
    }
}

/// What subscribers saw: delays in microseconds.
type Delays = Arc<Mutex<Vec<f64>>>;

struct Clock {
    began: Instant,
    /// When each event was asked for, in microseconds.
    asked: Vec<AtomicU64>,
}

impl Clock {
    fn new(events: usize) -> Arc<Self> {
        Arc::new(Self {
            began: Instant::now(),
            asked: (0..events).map(|_| AtomicU64::new(0)).collect(),
        })
    }

    fn now(&self) -> u64 {
        self.began.elapsed().as_micros() as u64
    }

    fn ask(&self, event: usize) {
        self.asked[event].store(self.now(), Ordering::Relaxed);
    }

    fn delay(&self, event: usize) -> f64 {
        (self.now() - self.asked[event].load(Ordering::Relaxed)) as f64
    }
}

/// Every subscriber watches the whole log.
async fn log(flags: &Flags, place: &Place, engine: Engine, subscribers: usize, per_second: u32) {
    let server = Server::start(&place.seeded(engine, "delivery_log", 1).await);
    let owner = server.token(Role::Owner, 0, "olga");
    let events = (flags.delivery_seconds * f64::from(per_second)) as usize;
    let clock = Clock::new(events);
    let mut http = Http::connect(&server.address).await;
    let member_token = server.token(Role::Member, 0, &member(0));
    let create = |number: usize| {
        let wish = wish(number as u64 * 10, 1, first_day());
        json!({ "query": CREATE, "variables": { "input": wish.json() } }).to_string()
    };
    http.post(&member_token, &create(0)).await;
    let before = server.memory();
    let payload = json!({ "query": EVENTS }).to_string();
    let (mut sockets, mut reports) = (Vec::new(), Vec::new());
    for _ in 0..subscribers {
        sockets.push(Socket::subscribe(&server.address, &owner, &payload).await);
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    let each = (server.memory() - before) as f64 / subscribers as f64 / 1024.0;
    let delays = Delays::default();
    for mut socket in sockets {
        let (clock, delays) = (clock.clone(), delays.clone());
        reports.push(tokio::spawn(async move {
            let mut own = Vec::with_capacity(events);
            for event in 0..events {
                socket.next().await;
                own.push(clock.delay(event));
            }
            delays.lock().unwrap().extend(own);
        }));
    }
    let used = (server.processor(), processor("self"), Instant::now());
    let mut answers = Vec::new();
    let mut tick = tokio::time::interval(Duration::from_secs(1) / per_second);
    for event in 0..events {
        tick.tick().await;
        let body = create(event + 1);
        clock.ask(event);
        let answer = http.post(&member_token, &body).await;
        assert!(
            find(answer, br#""userErrors":[]"#).is_some(),
            "{}",
            String::from_utf8_lossy(answer)
        );
        answers.push(clock.delay(event));
    }
    finish(reports).await;
    let name = format!("{subscribers} on one site's log, {per_second} events/s");
    report(&name, &delays, answers, each, &server, used);
}

/// Every subscriber watches a booking of its own.
async fn statuses(flags: &Flags, place: &Place, engine: Engine, subscribers: usize, per_second: u32) {
    const SENDERS: usize = 8;
    let server = Server::start(&place.seeded(engine, "delivery_status", 1).await);
    let owner = server.token(Role::Owner, 0, "olga");
    let mut http = Http::connect(&server.address).await;
    let (mut ids, mut tokens) = (Vec::new(), Vec::new());
    for number in 0..subscribers as u64 {
        let wish = Wish {
            site: 0,
            member: number,
            what: appointment(number, first_day()),
        };
        let mut input = wish.json();
        input.as_object_mut().unwrap().remove("holdSeconds");
        let token = server.token(Role::Member, 0, &member(number));
        let body = json!({ "query": CREATE, "variables": { "input": input } }).to_string();
        let answer: Value = serde_json::from_slice(http.post(&token, &body).await).unwrap();
        let id = answer["data"]["createBooking"]["booking"]["id"]
            .as_str()
            .unwrap_or_else(|| panic!("{answer}"));
        ids.push(id.to_owned());
        tokens.push(token);
    }
    let before = server.memory();
    let mut sockets = Vec::with_capacity(subscribers);
    for (id, token) in ids.iter().zip(&tokens) {
        let payload = json!({ "query": STATUS, "variables": { "id": id } }).to_string();
        let mut socket = Socket::subscribe(&server.address, token, &payload).await;
        // The present status.
        let first = socket.next().await;
        assert!(find(first, b"CREATED").is_some(), "{}", String::from_utf8_lossy(first));
        sockets.push(socket);
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    let each = (server.memory() - before) as f64 / subscribers as f64 / 1024.0;
    let events = ((flags.delivery_seconds * f64::from(per_second)) as usize).min(subscribers);
    let clock = Clock::new(subscribers);
    let delays = Delays::default();
    let mut reports = Vec::new();
    let mut idle = Vec::new();
    for (event, mut socket) in sockets.into_iter().enumerate() {
        let (clock, delays) = (clock.clone(), delays.clone());
        let watch = tokio::spawn(async move {
            let message = socket.next().await;
            assert!(
                find(message, b"CONFIRMED").is_some(),
                "{}",
                String::from_utf8_lossy(message)
            );
            delays.lock().unwrap().push(clock.delay(event));
        });
        if event < events {
            reports.push(watch);
        } else {
            idle.push(watch);
        }
    }
    let used = (server.processor(), processor("self"), Instant::now());
    let answers = Delays::default();
    let mut senders = Vec::new();
    for sender in 0..SENDERS {
        let (clock, answers, owner) = (clock.clone(), answers.clone(), owner.clone());
        let mine: Vec<(usize, String)> = ids
            .iter()
            .cloned()
            .enumerate()
            .take(events)
            .skip(sender)
            .step_by(SENDERS)
            .collect();
        let mut http = Http::connect(&server.address).await;
        senders.push(tokio::spawn(async move {
            let every = Duration::from_secs(SENDERS as u64) / per_second;
            tokio::time::sleep(every / SENDERS as u32 * sender as u32).await;
            let mut tick = tokio::time::interval(every);
            for (event, id) in mine {
                tick.tick().await;
                let body = json!({ "query": CONFIRM, "variables": { "input": { "bookingId": id } } }).to_string();
                clock.ask(event);
                let answer = http.post(&owner, &body).await;
                assert!(
                    find(answer, br#""userErrors":[]"#).is_some(),
                    "{}",
                    String::from_utf8_lossy(answer)
                );
                let delay = clock.delay(event);
                answers.lock().unwrap().push(delay);
            }
        }));
    }
    finish(senders).await;
    finish(reports).await;
    let answers = std::mem::take(&mut *answers.lock().unwrap());
    let name = format!("{subscribers} on a booking each, {per_second} events/s");
    report(&name, &delays, answers, each, &server, used);
    for watch in idle {
        watch.abort();
    }
}

async fn finish(tasks: Vec<tokio::task::JoinHandle<()>>) {
    for task in tasks {
        let ended = tokio::time::timeout(Duration::from_secs(20), task).await;
        ended.expect("every event arrives").expect("a task fails");
    }
}

fn report(name: &str, delays: &Delays, mut answers: Vec<f64>, each: f64, server: &Server, used: (f64, f64, Instant)) {
    let took = used.2.elapsed().as_secs_f64();
    let mut delays = std::mem::take(&mut *delays.lock().unwrap());
    delays.sort_by(f64::total_cmp);
    answers.sort_by(f64::total_cmp);
    let ms = |sorted: &[f64], part| percentile(sorted, part) / 1000.0;
    println!(
        "  {name:<44} p50 {:.1} ms, p99 {:.1} ms, worst {:.1} ms, of {}; the change's own answer p50 {:.1}, p99 {:.1} ms",
        ms(&delays, 0.5),
        ms(&delays, 0.99),
        ms(&delays, 1.0),
        delays.len(),
        ms(&answers, 0.5),
        ms(&answers, 0.99),
    );
    println!(
        "  {:<44} {each:.1} KiB each while idle; processor: server {:.0} %, load {:.0} % of one core",
        "",
        (server.processor() - used.0) / took * 100.0,
        (processor("self") - used.1) / took * 100.0,
    );
}
