//! Whatever availability offers is booked, by everybody at once, until nothing is offered any more.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use frontdesk::domain::clock::SystemClock;
use rand::RngExt as _;
use serde_json::{Value, json};

use crate::{
    invariants, on_both_engines,
    stage::{CLIENTS, at_once, rng, rounds},
    support::{Client, Engine, Server, Studio},
};

const OFFERED: &str = "query($ids: [ID!]!, $from: DateTime!, $to: DateTime!) { \
    availability(serviceIds: $ids, from: $from, to: $to, bookable: true) { timeSlots { __typename startDate endDate serviceId \
        ... on ClassSlot { session { id } } } } }";

struct Salon {
    server: Server,
    studio: Studio,
    duo: String,
}

impl Salon {
    /// Two of staff who give massages alone and something else together, with a room and one of two machines.
    async fn open(engine: Engine) -> Self {
        let flags = ["--rate-per-address", "1000000", "--holds-per-address", "1000000"];
        let server = Server::on_with(engine.database().await, Arc::new(SystemClock), &flags).await;
        let studio = Studio::open(&server).await;
        let owner = server.owner();
        let made = async |name: &str, input: Value, what: &str| {
            let payload = owner
                .mutate_selecting(name, input, &format!("{what} {{ id }} userErrors {{ message }}"))
                .await;
            assert_eq!(payload["userErrors"], json!([]), "{name}");
            payload[what]["id"].clone()
        };
        for machine in ["Laser", "Lamp"] {
            made(
                "createResource",
                json!({ "type": "EQUIPMENT", "name": machine }),
                "resource",
            )
            .await;
        }
        let duo = json!({
            "type": "APPOINTMENT", "name": "Duo", "durations": [60], "bufferMinutes": 15, "payment": { "rateType": "NO_FEE" },
            "staffMemberIds": [], "requiredStaffMembersNumber": 2,
            "requiredResources": [
                { "resourceType": "ROOM", "resourceIds": [studio.room.id.to_string()] },
                { "resourceType": "EQUIPMENT", "resourceIds": [] },
            ],
        });
        let duo = made("createService", duo, "service").await.as_str().unwrap().to_owned();
        let days = [
            "MONDAY",
            "TUESDAY",
            "WEDNESDAY",
            "THURSDAY",
            "FRIDAY",
            "SATURDAY",
            "SUNDAY",
        ];
        let hours = json!({ "weekly": [{ "days": days, "startTime": "09:00", "endTime": "17:00" }] });
        owner
            .mutate_selecting("setWorkingHours", hours, "userErrors { message }")
            .await;
        Self { server, studio, duo }
    }

    fn asked(&self, day: i64) -> Value {
        let ids = [
            self.studio.massage.id.to_string(),
            self.duo.clone(),
            self.studio.yoga.id.to_string(),
        ];
        let from = day * 24 * 60 - 12 * 60;
        json!({ "ids": ids, "from": self.studio.at(from), "to": self.studio.at(from + 24 * 60) })
    }

    async fn offered(&self, client: &Client, day: i64) -> Vec<Value> {
        let told = client.data(OFFERED, self.asked(day)).await;
        told["availability"]["timeSlots"].as_array().unwrap().clone()
    }
}

fn wish(slot: &Value) -> Value {
    let place = if slot["__typename"] == "ClassSlot" {
        json!({ "session": { "sessionId": slot["session"]["id"] } })
    } else {
        json!({ "appointment": { "serviceId": slot["serviceId"], "startDate": slot["startDate"], "endDate": slot["endDate"] } })
    };
    json!({ "bookedEntity": { "slot": place }, "contactDetails": { "firstName": "Ada" }, "totalParticipants": 1 })
}

on_both_engines! {
    async fn everything_that_is_offered_is_booked_and_nothing_twice(engine) {
        let salon = Salon::open(engine).await;
        for round in 0..rounds().min(3) {
            let day = 1 + i64::from(round);
            let before = salon.offered(&salon.server.visitor(), day).await.len();
            assert!(before > 20, "there is something to book: {before}");
            let (won, lost) = (AtomicUsize::new(0), AtomicUsize::new(0));
            let (won, lost) = (Arc::new(won), Arc::new(lost));
            let salon = &salon;
            let acts = (0..CLIENTS).map(|number| {
                let mut rng = rng("offered", round * 1000 + u32::try_from(number).unwrap());
                let (owner, member) = (salon.server.owner(), salon.server.member(&format!("mia {round} {number}")));
                let (asked, won, lost) = (salon.asked(day), won.clone(), lost.clone());
                async move {
                    let mut held = false;
                    loop {
                        let told = member.data(OFFERED, asked.clone()).await;
                        let slots = told["availability"]["timeSlots"].as_array().unwrap();
                        if slots.is_empty() {
                            break;
                        }
                        let slot = &slots[rng.random_range(0..slots.len())];
                        let mut input = wish(slot);
                        // A customer holds one, the business confirms the others.
                        let by = if held { &owner } else { &member };
                        if held {
                            input["status"] = json!("CONFIRMED");
                        } else {
                            input["holdSeconds"] = json!(1800);
                        }
                        let answer = by.mutate("createBooking", input).await;
                        if answer["booking"].is_object() {
                            held = true;
                            won.fetch_add(1, Ordering::SeqCst);
                        } else {
                            let code = answer["userErrors"][0]["code"].as_str().unwrap_or_default().to_owned();
                            assert!(["SLOT_NOT_AVAILABLE", "SESSION_CAPACITY_EXCEEDED"].contains(&code.as_str()), "{answer}");
                            lost.fetch_add(1, Ordering::SeqCst);
                        }
                    }
                }
            });
            at_once(acts).await;
            assert_eq!(salon.offered(&salon.server.visitor(), day).await, Vec::<Value>::new());
            println!("{before} offered, {won:?} booked, {lost:?} came too late");
            invariants::check(salon.server.service(), salon.server.site).await;
        }
        // No seat was lost: both sessions of the first two days are full to the last one.
        let query = "query($ids: [ID!]!) { nodes(ids: $ids) { ... on Session { totalCapacity: capacity remainingCapacity } } }";
        let ids = [&salon.studio.session, &salon.studio.next_session].map(|session| session.id.to_string());
        let told = salon.server.owner().data(query, json!({ "ids": ids })).await;
        let rounds = usize::try_from(rounds().min(3)).unwrap();
        for session in told["nodes"].as_array().unwrap().iter().skip(1).take(rounds) {
            assert_eq!(session["remainingCapacity"], 0, "{told}");
        }
    }
}
