//! Races over the real endpoint: what clients see of them.

use rand::RngExt as _;
use serde_json::{Value, json};

use crate::{
    invariants, on_both_engines,
    stage::{CLIENTS, at_once, rng, rounds},
    support::{Server, Studio, fixture::with},
};

on_both_engines! {
    /// Visitors who hold and the owner who books: one of them gets it, the others are told in so many words.
    async fn one_time_has_one_winner_and_the_others_are_told_why(engine) {
        let server = Server::start(engine).await;
        let studio = Studio::open(&server).await;
        for round in 0..rounds() {
            let mut rng = rng("http", round);
            let base = 3 * 24 * 60 + i64::from(round) * 120;
            let payloads = at_once((0..CLIENTS).map(|client| {
                let wish = studio.appointment(&studio.massage, base + rng.random_range(0..3) * 10, &[&studio.anna]);
                let (who, input) = if client % 4 == 0 {
                    (server.visitor(), with(wish, json!({ "holdSeconds": 600 })))
                } else {
                    (server.owner(), with(wish, json!({ "status": "CONFIRMED" })))
                };
                async move { who.mutate("createBooking", input).await }
            })).await;
            let won = payloads.iter().filter(|payload| payload["booking"].is_object()).count();
            assert_eq!(won, 1, "round {round}");
            for payload in payloads.iter().filter(|payload| payload["booking"].is_null()) {
                assert_eq!(payload["userErrors"][0]["code"], "SLOT_NOT_AVAILABLE", "{payload}");
                assert_ne!(payload["userErrors"][0]["nextAvailable"], Value::Null);
            }
        }
        invariants::check(server.service(), server.site).await;
    }

    /// The same change by many who saw the same revision: one is done, the others learn the new one.
    async fn one_of_those_who_saw_the_same_revision_changes_it(engine) {
        let server = Server::start(engine).await;
        let studio = Studio::open(&server).await;
        for round in 0..rounds() {
            let base = 3 * 24 * 60 + i64::from(round) * 120;
            let booking = server.owner().done("createBooking", studio.appointment(&studio.massage, base, &[])).await;
            let payloads = at_once((0..16).map(|client| {
                let slot = json!({ "appointment": { "serviceId": studio.massage.id.to_string(), "startDate": studio.at(base + client) } });
                let input = json!({ "bookingId": booking["id"], "expectedRevision": 1, "slot": slot });
                let owner = server.owner();
                async move { owner.mutate("rescheduleBooking", input).await }
            })).await;
            assert_eq!(payloads.iter().filter(|payload| payload["booking"].is_object()).count(), 1, "{payloads:#?}");
            for payload in payloads.iter().filter(|payload| payload["booking"].is_null()) {
                assert_eq!((&payload["userErrors"][0]["code"], &payload["userErrors"][0]["current"]), (&json!("BOOKING_REVISION_MISMATCH"), &json!(2)), "{payload}");
            }
        }
        invariants::check(server.service(), server.site).await;
    }
}
