//! Live updates over WebSocket: every event once and in order, whatever the subscriber does.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use frontdesk::{app::tokens::Role, domain::clock::SystemClock};
use futures::future::join_all;
use rand::RngExt as _;
use serde_json::{Value, json};

use crate::{
    on_both_engines,
    socket::{Came, Socket},
    stage::{rng, rounds},
    support::{Engine, Server, Studio, engine, fixture::with},
};

const EVENTS: &str =
    "subscription($after: String) { bookingEvents(after: $after) { cursor type revision status booking { id } } }";
/// So much of each event that a socket nobody reads is full soon.
const FAT: &str = "subscription($after: String) { bookingEvents(after: $after) { cursor type revision status occurredAt id source \
    booking { id startDate endDate status paymentStatus createdDate updatedDate totalParticipants doubleBooked \
        contactDetails { firstName lastName email } service { id } \
        bookedEntity { ... on BookedSlot { title sessionId startDate endDate timeZone } } } } }";

fn owner(server: &Server) -> String {
    server.token(Role::Owner, "olga", None)
}

async fn cursor(server: &Server) -> Value {
    server.owner().data("{ eventCursor }", json!({})).await["eventCursor"].clone()
}

/// The log from a cursor on, as pulling gives it.
async fn pulled(server: &Server, mut after: Value) -> Vec<String> {
    let query = "query($after: String) { bookingEvents(first: 100, after: $after) { nodes { cursor } pageInfo { hasNextPage endCursor } } }";
    let mut all = Vec::new();
    loop {
        let page = server.owner().data(query, json!({ "after": after })).await["bookingEvents"].clone();
        all.extend(
            page["nodes"]
                .as_array()
                .unwrap()
                .iter()
                .map(|node| text(&node["cursor"])),
        );
        if page["pageInfo"]["hasNextPage"] == false {
            return all;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value}")).to_owned()
}

/// A booking without a hold: one event.
async fn make(server: &Server, studio: &Studio) -> String {
    text(
        &server
            .owner()
            .done("createBooking", studio.appointment(&studio.massage, 0, &[]))
            .await["id"],
    )
}

on_both_engines! {
    async fn a_subscriber_that_comes_and_goes_has_every_event_once_and_in_order(engine) {
        let server = Server::start(engine).await;
        let studio = Studio::open(&server).await;
        let start = cursor(&server).await;
        let total = (rounds() as usize * 100).min(2000);
        let writers = (0..4).map(|_| async {
            for _ in 0..total / 4 {
                make(&server, &studio).await;
            }
        });
        let readers = (0..4).map(|reader| {
            let (server, start) = (&server, start.clone());
            async move {
                let mut rng = rng("reader", reader);
                let (mut seen, mut after, mut drops) = (Vec::new(), start, 0);
                while seen.len() < total / 4 * 4 {
                    let mut socket = Socket::subscribe(server, &owner(server), EVENTS, json!({ "after": after })).await;
                    for _ in 0..rng.random_range(0..40).min(total / 4 * 4 - seen.len()) {
                        after = socket.next_event().await["cursor"].clone();
                        seen.push(text(&after));
                    }
                    drops += 1;
                }
                (seen, drops)
            }
        });
        let (_, read) = futures::future::join(join_all(writers), join_all(readers)).await;
        let log = pulled(&server, start).await;
        for (seen, drops) in read {
            assert_eq!(seen, log, "after {drops} drops");
            println!("{engine:?}: {} events over {drops} sockets", seen.len());
        }
    }

    /// Whoever doesn't read holds up nobody, and has everything when it reads again.
    async fn a_slow_reader_loses_nothing_and_holds_up_nobody(engine) {
        let server = Server::start(engine).await;
        let studio = Studio::open(&server).await;
        let start = cursor(&server).await;
        let before = latencies(&server, &studio, 300).await;
        let mut slow = Socket::subscribe_with_buffer(&server, &owner(&server), FAT, json!({ "after": start }), Some(4096)).await;
        let first = slow.next_event().await["cursor"].clone();
        let fill = Instant::now();
        for _ in 0..50 {
            let input = json!({ "bookings": vec![studio.appointment(&studio.massage, 0, &[]); 40] });
            let made = server.owner().mutate_selecting("bulkCreateBooking", input, "results { userErrors { message } }").await;
            assert_eq!(made["results"][39]["userErrors"], json!([]));
        }
        let filled = fill.elapsed();
        let with_slow = latencies(&server, &studio, 300).await;
        let log = pulled(&server, start).await;
        let (mut seen, mut cuts) = (vec![text(&first)], 0);
        while seen.len() < log.len() {
            match slow.came().await {
                Came::Next(data) => seen.push(text(&data["bookingEvents"]["cursor"])),
                // On a busy machine it took longer than the server waits for a sign of life.
                Came::Closed(_) => {
                    cuts += 1;
                    slow = Socket::subscribe(&server, &owner(&server), FAT, json!({ "after": seen.last() })).await;
                }
            }
        }
        assert_eq!(seen, log);
        let limit = (p99(&before) * 2).max(p99(&before) + Duration::from_millis(100));
        println!(
            "{engine:?}: p99 {:?} without and {:?} with a reader that is {} events behind, written in {filled:?}; cut off {cuts} times",
            p99(&before), p99(&with_slow), log.len() - 1
        );
        assert!(p99(&with_slow) <= limit, "{:?} and {:?}", p99(&before), p99(&with_slow));
    }

    async fn a_status_is_told_at_once_and_then_each_change(engine) {
        let server = Server::start(engine).await;
        let studio = Studio::open(&server).await;
        let booking = make(&server, &studio).await;
        let query = "subscription($id: ID!) { bookingStatusChanged(bookingId: $id) { status previousStatus revision } }";
        let mut socket = Socket::subscribe(&server, &owner(&server), query, json!({ "id": booking })).await;
        let mut next = async || socket.next().await["bookingStatusChanged"].clone();
        assert_eq!(next().await, json!({ "status": "CREATED", "previousStatus": null, "revision": 1 }));
        let id = json!({ "bookingId": booking });
        server.owner().done("confirmBooking", id.clone()).await;
        assert_eq!(next().await, json!({ "status": "CONFIRMED", "previousStatus": "CREATED", "revision": 2 }));
        let slot = json!({ "appointment": { "serviceId": studio.massage.id.to_string(), "startDate": studio.at(60) } });
        server.owner().done("rescheduleBooking", with(id.clone(), json!({ "slot": slot }))).await;
        server.owner().done("cancelBooking", id).await;
        assert_eq!(next().await, json!({ "status": "CANCELED", "previousStatus": "CONFIRMED", "revision": 4 }), "a move is no change of status");
    }

    /// Customers see their own bookings' events, staff those of their own calendar, also one that leaves it.
    async fn subscribers_get_only_what_they_may_see(engine) {
        let server = Server::start(engine).await;
        let studio = Studio::open(&server).await;
        let start = json!({ "after": cursor(&server).await });
        let visitor = server.visitor();
        let made = visitor.mutate_selecting(
            "createBooking", studio.appointment(&studio.massage, 0, &[&studio.ben]), "booking { id } visitorToken userErrors { message }",
        ).await;
        let (his, token) = (text(&made["booking"]["id"]), text(&made["visitorToken"]));
        let staff = server.token(Role::Staff, "sam", Some(studio.anna.id));
        let mut of_visitor = Socket::subscribe(&server, &token, EVENTS, start.clone()).await;
        let mut of_staff = Socket::subscribe(&server, &staff, EVENTS, start.clone()).await;
        let mut of_member = Socket::subscribe(&server, &server.token(Role::Member, "mia", None), EVENTS, start).await;
        let annas = text(&server.owner().done("createBooking", with(studio.appointment(&studio.massage, 0, &[&studio.anna]), json!({ "status": "CONFIRMED" }))).await["id"]);
        server.owner().done("confirmBooking", json!({ "bookingId": his })).await;
        let slot = json!({ "appointment": { "serviceId": studio.massage.id.to_string(), "startDate": studio.at(90), "resourceIds": [studio.ben.id.to_string()] } });
        server.owner().done("rescheduleBooking", json!({ "bookingId": annas, "slot": slot })).await;
        server.owner().done("cancelBooking", json!({ "bookingId": annas })).await;
        let hers = text(&server.member("mia").done("createBooking", studio.appointment(&studio.massage, 240, &[])).await["id"]);
        server.owner().done("cancelBooking", json!({ "bookingId": his })).await;
        let event = |event: Value| (text(&event["booking"]["id"]), text(&event["type"]));
        for kind in ["CREATED", "CONFIRMED", "CANCELED"] {
            assert_eq!(event(of_visitor.next_event().await), (his.clone(), kind.to_owned()));
        }
        assert_eq!(event(of_staff.next_event().await), (annas.clone(), "CREATED".to_owned()));
        assert_eq!(of_staff.next_event().await["type"], "RESCHEDULED", "it left her calendar");
        assert_eq!(event(of_member.next_event().await), (hers, "CREATED".to_owned()));
        // Something that the staff does see, so that it would have seen the rest before.
        let last = text(&server.owner().done("createBooking", studio.appointment(&studio.massage, 300, &[&studio.anna])).await["id"]);
        assert_eq!(event(of_staff.next_event().await), (last, "CREATED".to_owned()));
    }

    async fn sockets_are_closed_with_1001_at_shutdown(engine) {
        let server = Server::start(engine).await;
        let mut socket = Socket::subscribe(&server, &owner(&server), EVENTS, json!({})).await;
        let stopping = tokio::spawn(server.stop());
        assert!(matches!(socket.came().await, Came::Closed(Some(1001))));
        drop(socket);
        stopping.await.expect("it stops");
    }
}

/// What is changed at one server reaches subscribers of the other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_servers_on_one_database_tell_each_other() {
    if !engine::postgres_is_there() {
        return;
    }
    let first = Server::start(Engine::Postgres).await;
    let studio = Studio::open(&first).await;
    let same = engine::Database {
        url: first.database.url.clone(),
        engine: Engine::Postgres,
        _dir: None,
    };
    let second = Server::on(same, Arc::new(SystemClock)).await;
    let start = cursor(&first).await;
    let mut sockets = [
        Socket::subscribe(&first, &owner(&first), EVENTS, json!({ "after": start })).await,
        Socket::subscribe(&second, &owner(&second), EVENTS, json!({ "after": start })).await,
    ];
    let mut longest = Duration::ZERO;
    for number in 0..50 {
        let (server, asked) = (if number % 2 == 0 { &first } else { &second }, Instant::now());
        let booking = make(server, &studio).await;
        for socket in &mut sockets {
            assert_eq!(socket.next_event().await["booking"]["id"], booking.as_str());
        }
        longest = longest.max(asked.elapsed());
    }
    println!("two servers: at most {longest:?} from the request to both subscribers");
    second.stop().await;
}

fn p99(latencies: &[Duration]) -> Duration {
    let mut sorted = latencies.to_vec();
    sorted.sort();
    sorted[sorted.len() * 99 / 100]
}

/// From the answer of a create to the event at each of ten subscribers.
async fn latencies(server: &Server, studio: &Studio, events: usize) -> Vec<Duration> {
    let start = cursor(server).await;
    let mut sockets = Vec::new();
    for _ in 0..10 {
        sockets.push(Socket::subscribe(server, &owner(server), EVENTS, json!({ "after": start })).await);
    }
    let asked: Arc<Mutex<Vec<Instant>>> = Arc::default();
    let writer = async {
        for _ in 0..events {
            asked.lock().unwrap().push(Instant::now());
            make(server, studio).await;
        }
    };
    let readers = sockets.iter_mut().map(|socket| {
        let asked = asked.clone();
        async move {
            let mut all = Vec::with_capacity(events);
            for number in 0..events {
                socket.next_event().await;
                all.push(asked.lock().unwrap()[number].elapsed());
            }
            all
        }
    });
    let ((), all) = futures::future::join(writer, join_all(readers)).await;
    all.concat()
}
