//! Whatever packages availability offers are booked by everybody at once, beside single bookings, and moved and canceled
//! at the same time: no overlap, no half package, nobody who waits forever.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use frontdesk::domain::clock::SystemClock;
use rand::{RngExt as _, rngs::StdRng};
use serde_json::{Value, json};

use crate::{
    invariants, on_both_engines,
    stage::{CLIENTS, at_once, rng, rounds},
    support::{Client, Engine, Server, Studio},
};

const OFFERED: &str = "query($services: [MultiServiceAvailabilityItemInput!]!, $from: DateTime!, $to: DateTime!) { \
    multiServiceAvailability(services: $services, from: $from, to: $to, bookable: true) { timeSlots { startDate \
        nestedTimeSlots { startDate endDate serviceId } } } }";
const PACKAGE: &str = "multiServiceBooking { id bookings { id status startDate } } userErrors { code message path }";

struct Salon {
    server: Server,
    studio: Studio,
}

impl Salon {
    async fn open(engine: Engine) -> Self {
        let flags = [
            "--rate-per-address",
            "1000000",
            "--holds-per-address",
            "1000000",
            "--holds-per-customer",
            "1000",
        ];
        let server = Server::on_with(engine.database().await, Arc::new(SystemClock), &flags).await;
        let studio = Studio::open(&server).await;
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
        server
            .owner()
            .mutate_selecting("setWorkingHours", hours, "userErrors { message }")
            .await;
        Self { server, studio }
    }

    /// Half an hour with one of two, an hour with Anna that leaves a buffer, half an hour with both and the room.
    fn asked(&self, day: i64, kind: usize) -> Value {
        let studio = &self.studio;
        let services: &[_] = match kind {
            0 => &[&studio.massage, &studio.massage],
            1 => &[&studio.training, &studio.massage],
            2 => &[&studio.massage, &studio.training, &studio.training],
            _ => &[&studio.massage, &studio.workshop],
        };
        let services: Vec<Value> = services
            .iter()
            .map(|service| json!({ "serviceId": service.id.to_string() }))
            .collect();
        let from = day * 24 * 60 - 12 * 60;
        json!({ "services": services, "from": studio.at(from), "to": studio.at(from + 24 * 60) })
    }
}

async fn offered(client: &Client, asked: Value) -> Vec<Value> {
    let told = client.data(OFFERED, asked).await;
    told["multiServiceAvailability"]["timeSlots"]
        .as_array()
        .unwrap()
        .clone()
}

fn wish(slot: &Value) -> Value {
    let parts = slot["nestedTimeSlots"].as_array().unwrap().iter().map(|part| {
        let slot =
            json!({ "serviceId": part["serviceId"], "startDate": part["startDate"], "endDate": part["endDate"] });
        json!({ "slot": slot, "totalParticipants": 1 })
    });
    json!({ "bookings": parts.collect::<Vec<_>>(), "contactDetails": { "firstName": "Ada" } })
}

/// Done, or refused for a reason that has to do with the others.
fn fair(answer: &Value) -> bool {
    let Some(error) = answer["userErrors"].as_array().unwrap().first() else {
        return true;
    };
    let code = error["code"].as_str().unwrap_or_default();
    let codes = [
        "SLOT_NOT_AVAILABLE",
        "ALL_BOOKINGS_ARE_ALREADY_CANCELED",
        "INVALID_BOOKING_STATUS",
        "BOOKING_REVISION_MISMATCH",
    ];
    assert!(codes.contains(&code), "{answer}");
    false
}

/// Moves a package to where one like it is offered.
async fn shift(owner: &Client, package: &Value, slot: &Value) -> Value {
    let parts = slot["nestedTimeSlots"].as_array().unwrap().iter();
    let moves = parts
        .zip(package["bookings"].as_array().unwrap())
        .map(|(part, booking)| {
            let slot =
                json!({ "serviceId": part["serviceId"], "startDate": part["startDate"], "endDate": part["endDate"] });
            json!({ "bookingId": booking["id"], "slot": slot })
        });
    let input = json!({ "multiServiceBookingId": package["id"], "bookings": moves.collect::<Vec<_>>() });
    owner
        .mutate_selecting("rescheduleMultiServiceBooking", input, PACKAGE)
        .await
}

struct Visit {
    owner: Client,
    member: Client,
    massage: String,
    rng: StdRng,
    won: Arc<AtomicUsize>,
}

impl Visit {
    /// Books, confirms, moves, cancels as chance has it, as often as is said.
    async fn run(mut self, asked: Value, times: usize) {
        for _ in 0..times {
            let slots = offered(&self.member, asked.clone()).await;
            if slots.is_empty() {
                break;
            }
            let slot = &slots[self.rng.random_range(0..slots.len())];
            let mut input = wish(slot);
            let by = match self.rng.random_range(0..3) {
                0 => {
                    input["holdSeconds"] = json!(1800);
                    &self.member
                }
                1 => &self.member,
                _ => {
                    input["status"] = json!("CONFIRMED");
                    &self.owner
                }
            };
            let answer = by.mutate_selecting("createMultiServiceBooking", input, PACKAGE).await;
            if !fair(&answer) {
                continue;
            }
            self.won.fetch_add(1, Ordering::SeqCst);
            let package = answer["multiServiceBooking"].clone();
            let on = json!({ "multiServiceBookingId": package["id"] });
            match self.rng.random_range(0..5) {
                0 => {
                    let by = by.mutate_selecting("cancelMultiServiceBooking", on, PACKAGE);
                    fair(&by.await);
                }
                1 => {
                    // Both at once: one of them comes too late.
                    let slot = &slots[self.rng.random_range(0..slots.len())];
                    let (moved, canceled) = tokio::join!(
                        shift(&self.owner, &package, slot),
                        self.owner.mutate_selecting("cancelMultiServiceBooking", on, PACKAGE),
                    );
                    fair(&moved);
                    fair(&canceled);
                }
                2 => {
                    let slot = &slots[self.rng.random_range(0..slots.len())];
                    fair(&shift(&self.owner, &package, slot).await);
                }
                3 if package["bookings"][0]["status"] == "CREATED" => {
                    let input = json!({ "multiServiceBookingId": package["id"], "checkAvailabilityValidation": true });
                    fair(
                        &self
                            .owner
                            .mutate_selecting("confirmMultiServiceBooking", input, PACKAGE)
                            .await,
                    );
                }
                _ => {
                    let place = json!({ "serviceId": self.massage, "startDate": slot["startDate"] });
                    let single = json!({
                        "bookedEntity": { "slot": { "appointment": place } },
                        "contactDetails": { "firstName": "Bob" }, "totalParticipants": 1, "status": "CONFIRMED",
                    });
                    let answer = self.owner.mutate("createBooking", single).await;
                    fair(&answer);
                }
            }
        }
    }
}

/// What befell a booking, in order.
async fn history(client: &Client, package: &Value) -> Vec<Value> {
    let query = "query($id: ID!) { multiServiceBooking(id: $id) { bookings { status history { nodes { type } } } } }";
    let told = client.data(query, json!({ "id": package["id"] })).await;
    told["multiServiceBooking"]["bookings"].as_array().unwrap().clone()
}

on_both_engines! {
    async fn one_of_two_who_decide_at_once_comes_too_late(engine) {
        let salon = Salon::open(engine).await;
        let owner = salon.server.owner();
        for round in 0..12 {
            let slots = offered(&owner, salon.asked(1, 0)).await;
            let made = salon.server.member("mia").mutate_selecting("createMultiServiceBooking", wish(&slots[0]), PACKAGE).await;
            assert_eq!(made["userErrors"], json!([]));
            let package = made["multiServiceBooking"].clone();
            let verdicts = match round % 3 {
                0 => ["confirmMultiServiceBooking", "declineMultiServiceBooking"],
                1 => ["confirmMultiServiceBooking", "confirmMultiServiceBooking"],
                _ => ["cancelMultiServiceBooking", "declineMultiServiceBooking"],
            };
            let acts = (0..CLIENTS).map(|number| {
                let (owner, id, name) = (salon.server.owner(), package["id"].clone(), verdicts[number % 2]);
                async move {
                    let input = json!({ "multiServiceBookingId": id });
                    let answer = owner.mutate_selecting(name, input, PACKAGE).await;
                    (name, answer["userErrors"][0]["code"].clone())
                }
            });
            let answers = at_once(acts).await;
            let won: Vec<&str> = answers.iter().filter(|(_, code)| code.is_null()).map(|(name, _)| *name).collect();
            assert_eq!(won.len(), 1, "{answers:?}");
            let (status, event) = match won[0] {
                "confirmMultiServiceBooking" => ("CONFIRMED", "CONFIRMED"),
                "declineMultiServiceBooking" => ("DECLINED", "DECLINED"),
                _ => ("CANCELED", "CANCELED"),
            };
            for booking in history(&owner, &package).await {
                assert_eq!(booking["status"], status);
                assert_eq!(booking["history"]["nodes"], json!([{ "type": "CREATED" }, { "type": event }]));
            }
            if status == "CONFIRMED" {
                let on = json!({ "multiServiceBookingId": package["id"] });
                owner.mutate_selecting("cancelMultiServiceBooking", on, PACKAGE).await;
            }
        }
        invariants::check(salon.server.service(), salon.server.site).await;
    }

    async fn packages_that_are_offered_are_booked_moved_and_canceled_at_once(engine) {
        let salon = Salon::open(engine).await;
        for round in 0..rounds().min(3) {
            let day = 1 + i64::from(round);
            let won = Arc::new(AtomicUsize::new(0));
            let acts = (0..CLIENTS).map(|number| {
                let visit = Visit {
                    owner: salon.server.owner(),
                    member: salon.server.member(&format!("mia {round} {number}")),
                    massage: salon.studio.massage.id.to_string(),
                    rng: rng("packages", round * 1000 + u32::try_from(number).unwrap()),
                    won: won.clone(),
                };
                visit.run(salon.asked(day, number % 4), 4)
            });
            at_once(acts).await;
            println!("{won:?} packages booked");
            assert!(won.load(Ordering::SeqCst) > 5);
            invariants::check(salon.server.service(), salon.server.site).await;
        }
        // What is offered now can be had, all of it, until nothing is left.
        let owner = salon.server.owner();
        for kind in 0..4 {
            while let Some(slot) = offered(&owner, salon.asked(1, kind)).await.first() {
                let mut input = wish(slot);
                input["status"] = json!("CONFIRMED");
                let answer = owner.mutate_selecting("createMultiServiceBooking", input, PACKAGE).await;
                assert_eq!(answer["userErrors"], json!([]), "{slot}");
            }
        }
        invariants::check(salon.server.service(), salon.server.site).await;
    }
}
