//! Reads a second over HTTP: one booking, and a page of 50.

use std::sync::{Arc, Mutex};

use frontdesk::app::tokens::Role;
use serde_json::{Value, json};

use super::{
    Engine, Flags,
    http::{Http, find},
    seed::Place,
    stats::{Tickets, Worker, line, rate},
    writes::Front,
};

/// Reads that are under way at any time.
const IN_FLIGHT: usize = 32;
/// Bookings that there are.
const BOOKINGS: u64 = 5000;

const FIELDS: &str = "id status paymentStatus revision startDate endDate totalParticipants doubleBooked hold { expiresAt } \
    contactDetails { firstName lastName email } \
    bookedEntity { __typename ... on BookedSlot { title serviceId sessionId startDate endDate timeZone resource { id name } } }";

pub async fn run(flags: &Flags, place: &Place, engine: Engine) {
    println!("\n{engine:?}: reads over HTTP, {IN_FLIGHT} in flight, {BOOKINGS} bookings");
    let front = Front::start(&place.seeded(engine, "reads", 1).await, 1);
    front.fill(BOOKINGS).await;
    let token = front.server.token(Role::Owner, 0, "olga");
    let page = format!(
        "query Page($after: String) {{ bookings(first: 50, after: $after) {{ nodes {{ {FIELDS} }} pageInfo {{ hasNextPage endCursor }} }} }}"
    );
    // What there is to read: all ids, and cursors somewhere in the list.
    let mut http = Http::connect(&front.server.address).await;
    let (mut ids, mut cursors, mut after) = (Vec::new(), vec![Value::Null], Value::Null);
    loop {
        let body = json!({ "query": page, "variables": { "after": after } }).to_string();
        let answer: Value = serde_json::from_slice(http.post(&token, &body).await).unwrap();
        let list = &answer["data"]["bookings"];
        let nodes = list["nodes"].as_array().unwrap_or_else(|| panic!("{answer}"));
        ids.extend(nodes.iter().map(|node| node["id"].as_str().unwrap().to_owned()));
        if list["pageInfo"]["hasNextPage"] != true {
            break;
        }
        after = list["pageInfo"]["endCursor"].clone();
        cursors.push(after.clone());
    }
    assert_eq!(ids.len() as u64, BOOKINGS);
    cursors.pop();
    let one = format!("query One($id: ID!) {{ booking(id: $id) {{ {FIELDS} }} }}");
    let ones = ids
        .iter()
        .map(|id| json!({ "query": one, "variables": { "id": id } }).to_string())
        .collect();
    let pages = cursors
        .iter()
        .map(|after| json!({ "query": page, "variables": { "after": after } }).to_string())
        .collect();
    let health = ["{ viewer { __typename } }"]
        .map(|query| json!({ "query": query }).to_string())
        .to_vec();
    let kinds = [
        ("no database: `{ viewer { __typename } }`", health),
        ("one booking", ones),
        ("a page of 50 bookings", pages),
    ];
    let mut found = vec![Vec::new(); kinds.len()];
    for _ in 0..flags.rounds {
        for ((_, bodies), figures) in kinds.iter().zip(&mut found) {
            let mut workers = Vec::new();
            let bodies: Arc<Vec<String>> = Arc::new(Vec::clone(bodies));
            for _ in 0..IN_FLIGHT {
                let http = Http::connect(&front.server.address).await;
                workers.push(Reader {
                    http,
                    token: token.clone(),
                    bodies: bodies.clone(),
                });
            }
            figures.push(rate(workers, &Tickets::default(), flags.time()).await);
        }
    }
    for ((name, _), figures) in kinds.iter().zip(&found) {
        line(name, "/s", figures, None);
    }
}

struct Reader {
    http: Http,
    token: String,
    bodies: Arc<Vec<String>>,
}

impl Worker for Reader {
    async fn step(&mut self, number: u64) {
        let body = &self.bodies[number as usize % self.bodies.len()];
        let answer = self.http.post(&self.token, body).await;
        // Looked at now and then only: looking costs more than reading.
        static ONCE: Mutex<()> = Mutex::new(());
        if number.is_multiple_of(1000) {
            let _one = ONCE.lock();
            assert!(
                find(answer, br#""errors":"#).is_none(),
                "{}",
                String::from_utf8_lossy(answer)
            );
        }
    }
}
