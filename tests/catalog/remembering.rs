//! What is kept in memory for questions about free times is never older than the log. Builds for tests hold every answer
//! against the store besides, so that all other tests of free times prove it, too.

use std::{sync::Arc, time::Duration};

use frontdesk::{
    domain::clock::{Clock as _, FixedClock, SystemClock},
    service::{Caller, Limits, Service, availability::AvailabilityQuery},
    store::{Db, StoreSettings},
};
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use serde_json::{Value, json};

use crate::{
    confirmed, done, on_both_engines, studio,
    support::{Server, Studio},
    weekly,
};

/// Another server on the same database.
async fn node(server: &Server) -> Service {
    let settings = StoreSettings {
        url: server.database.url.clone(),
        connections: 4,
        migrate: false,
        max_bytes: None,
    };
    let db = Db::open(&settings, Arc::new(SystemClock), Arc::new(|_, _| {}))
        .await
        .unwrap();
    Service::new(db, Limits::default())
}

/// The massages that a server offers within a day of noon, and the names of those who are free.
async fn offered(server: &Service, studio: &Studio) -> Vec<(Timestamp, Vec<String>)> {
    let from: Timestamp = studio.at(0).parse().unwrap();
    let query = AvailabilityQuery {
        services: vec![studio.massage.id],
        from: Some(from),
        to: from + 24.hours(),
        time_zone: None,
        resources: Vec::new(),
        locations: None,
        total_participants: None,
        duration: None,
        choices: Vec::new(),
        slots_per_day: None,
        bookable: None,
        limit: 1000,
    };
    let told = server.availability(&Caller::system(studio.site), query).await.unwrap();
    let names = |offer: &frontdesk::service::availability::Offer| match &offer.of {
        frontdesk::service::availability::OfferOf::Appointment(free) => {
            let free = free.available().flat_map(|(_, free)| free);
            free.map(|resource| resource.name.clone()).collect()
        }
        _ => Vec::new(),
    };
    told.offers
        .iter()
        .map(|offer| (offer.span.start(), names(offer)))
        .collect()
}

on_both_engines! {
    async fn every_node_knows_of_every_act_at_once(engine) {
        let (server, studio, owner) = studio(engine).await;
        let other = node(&server).await;
        let mut before = offered(server.service(), &studio).await;
        assert_eq!(offered(&other, &studio).await, before);
        let mut booking = Value::Null;
        let mut block = Value::Null;
        let anna = studio.anna.id.to_string();
        for act in [
            "book", "move", "cancel", "block", "unblock", "close", "open", "hours", "own hours", "rename", "grid", "skip", "delete",
        ] {
            match act {
                "book" => booking = json!(confirmed(&owner, studio.appointment(&studio.massage, 60, &[&studio.anna])).await),
                "move" => {
                    let slot = studio.appointment(&studio.massage, 180, &[&studio.anna])["bookedEntity"]["slot"].clone();
                    owner.done("rescheduleBooking", json!({ "bookingId": booking, "slot": slot })).await;
                }
                "cancel" => drop(owner.done("cancelBooking", json!({ "bookingId": booking })).await),
                "block" => {
                    let input = json!({ "resourceId": anna, "startDate": studio.at(300), "endDate": studio.at(360) });
                    let made = done(&owner, "createBlockedTime", input, "blockedTime { id }").await;
                    block = made["blockedTime"]["id"].clone();
                }
                "unblock" | "open" => drop(done(&owner, "deleteBlockedTime", json!({ "blockedTimeId": block }), "").await),
                "close" => {
                    let input = json!({ "startDate": studio.at(300), "endDate": studio.at(360) });
                    let made = done(&owner, "createBlockedTime", input, "blockedTime { id }").await;
                    block = made["blockedTime"]["id"].clone();
                }
                "hours" => {
                    let input = json!({ "weekly": [weekly("13:00", "22:00", &[])] });
                    done(&owner, "setWorkingHours", input, "workingHours { revision }").await;
                }
                "own hours" => {
                    let input = json!({ "resourceId": anna, "weekly": [weekly("14:00", "16:00", &[])] });
                    done(&owner, "setWorkingHours", input, "workingHours { revision }").await;
                }
                "rename" => {
                    let input = json!({ "resourceId": anna, "name": "Anna Maria" });
                    done(&owner, "updateResource", input, "resource { id }").await;
                }
                "grid" => {
                    let input = json!({ "serviceId": studio.massage.id.to_string(), "slotsSplitInterval": { "valueInMinutes": 45 } });
                    done(&owner, "updateService", input, "service { id }").await;
                }
                "skip" => {
                    // Outside of the hours, and over a day's end.
                    let mut input = studio.appointment(&studio.massage, 705, &[&studio.ben]);
                    input["flowControlSettings"] = json!({ "skipAvailabilityValidation": true });
                    confirmed(&owner, input).await;
                }
                _ => drop(done(&owner, "deleteResource", json!({ "resourceId": anna }), "").await),
            }
            let now = offered(&other, &studio).await;
            assert_eq!(offered(server.service(), &studio).await, now, "both nodes after {act}");
            if act != "skip" {
                assert_ne!(now, before, "{act} changes what is offered");
            }
            before = now;
        }
    }

    async fn the_services_of_a_deleted_category_are_told_as_they_are(engine) {
        let (server, studio, owner) = studio(engine).await;
        let category = async |name: &str| {
            let made = done(&owner, "createCategory", json!({ "name": name }), "category { id }").await;
            made["category"]["id"].clone()
        };
        let (from, to) = (category("Old").await, category("New").await);
        let id = studio.massage.id.to_string();
        done(&owner, "updateService", json!({ "serviceId": id, "categoryId": from }), "service { id }").await;
        let told = async || {
            let query = "query($id: ID!, $from: DateTime, $to: DateTime!) { \
                availability(serviceIds: [$id], from: $from, to: $to, limit: 1) { timeSlots { service { revision category { id } } } } }";
            let asked = json!({ "id": id, "from": studio.at(0), "to": studio.at(24 * 60) });
            server.visitor().data(query, asked).await["availability"]["timeSlots"][0]["service"].clone()
        };
        let before = told().await;
        assert_eq!(before["category"]["id"], from);
        done(&owner, "deleteCategory", json!({ "categoryId": from, "moveTo": to }), "category { id }").await;
        let after = told().await;
        assert_eq!(after["category"]["id"], to);
        assert_eq!(after["revision"].as_i64(), before["revision"].as_i64().map(|one| one + 1));
    }

    async fn a_hold_that_ends_needs_no_act(engine) {
        let clock = Arc::new(FixedClock::new(SystemClock.now()));
        let server = Server::start_with(engine, clock.clone()).await;
        let studio = Studio::open(&server).await;
        let before = offered(server.service(), &studio).await;
        let mut input = studio.appointment(&studio.massage, 60, &[&studio.anna]);
        input["holdSeconds"] = json!(30);
        server.owner().done("createBooking", input).await;
        assert_ne!(offered(server.service(), &studio).await, before);
        clock.advance(SignedDuration::from_secs(31));
        assert_eq!(offered(server.service(), &studio).await, before);
    }

    async fn a_hold_that_is_confirmed_lasts(engine) {
        let clock = Arc::new(FixedClock::new(SystemClock.now()));
        let server = Server::start_with(engine, clock.clone()).await;
        let studio = Studio::open(&server).await;
        let mut input = studio.appointment(&studio.massage, 60, &[&studio.anna]);
        input["holdSeconds"] = json!(30);
        let held = server.owner().done("createBooking", input).await;
        let taken = offered(server.service(), &studio).await;
        server.owner().done("confirmBooking", json!({ "bookingId": held["id"] })).await;
        assert_eq!(offered(server.service(), &studio).await, taken);
        clock.advance(SignedDuration::from_secs(31));
        assert_eq!(offered(server.service(), &studio).await, taken);
    }

    async fn what_was_changed_past_the_server_is_seen_after_a_minute(engine) {
        let clock = Arc::new(FixedClock::new(SystemClock.now()));
        let server = Server::start_with(engine, clock.clone()).await;
        let studio = Studio::open(&server).await;
        let before = offered(server.service(), &studio).await;
        let at = |minutes| studio.at(minutes).parse::<Timestamp>().unwrap();
        let noon = frontdesk::domain::time::TimeSpan::new(at(0), at(120)).unwrap();
        for one in [&studio.anna, &studio.ben] {
            server.block(one, noon).await;
        }
        clock.advance(SignedDuration::from_secs(61));
        let now = offered(server.service(), &studio).await;
        assert!(now.len() < before.len() && now.first() > before.first(), "{now:?}");
        // Under load, too: nobody asks while nothing is known.
        let asked = (0..16).map(|_| offered(server.service(), &studio));
        let told = tokio::time::timeout(Duration::from_secs(30), futures_util::future::join_all(asked)).await.unwrap();
        assert!(told.iter().all(|told| *told == now));
    }
}
