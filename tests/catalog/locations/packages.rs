//! Visits of several services at locations: all parts are at one.

use serde_json::{Value, json};

use super::{at, business, hour, location, mondays, service, staff};
use crate::{
    done, on_both_engines, refused,
    support::{Client, Server, fixture::with},
};

const OFFERED: &str = "query($services: [MultiServiceAvailabilityItemInput!]!, $from: DateTime, $to: DateTime!, $at: [ID!]) { \
    multiServiceAvailability(services: $services, from: $from, to: $to, locationIds: $at) { timeSlots { startDate location { name } \
        nestedTimeSlots { resources { name } } } } }";

/// When and where the services fit one after the other, and who serves.
async fn offered(client: &Client, services: &[&str], at_these: Option<&[&str]>) -> Vec<String> {
    let services: Vec<Value> = services.iter().map(|id| json!({ "serviceId": id })).collect();
    let asked = json!({ "services": services, "from": at("00:00"), "to": "2032-03-02T00:00:00Z", "at": at_these });
    let told = client.data(OFFERED, asked).await["multiServiceAvailability"]["timeSlots"].clone();
    let row = |slot: &Value| {
        let parts = slot["nestedTimeSlots"].as_array().unwrap().iter();
        let who: Vec<&str> = parts
            .map(|part| part["resources"][0]["name"].as_str().unwrap())
            .collect();
        let place = slot["location"]["name"].as_str().unwrap_or("-");
        format!(
            "{} {place} {}",
            &slot["startDate"].as_str().unwrap()[11..16],
            who.join("+")
        )
    };
    told.as_array().unwrap().iter().map(row).collect()
}

/// A package of services at their starts, each at a location.
fn package(parts: &[(&str, &str, Option<&str>)]) -> Value {
    let part = |(service, clock, place): &(&str, &str, Option<&str>)| {
        let mut slot = json!({ "serviceId": service, "startDate": at(clock) });
        if let Some(place) = place {
            slot["location"] = json!({ "locationId": place });
        }
        json!({ "slot": slot, "totalParticipants": 1 })
    };
    json!({
        "bookings": parts.iter().map(part).collect::<Vec<Value>>(),
        "contactDetails": { "firstName": "Ada", "email": "ada@example.org" }, "status": "CONFIRMED",
    })
}

const MADE: &str = "multiServiceBooking { id bookings { id startDate bookedEntity { ... on BookedSlot { resource { name } \
    location { locationId name formattedAddress } } } } }";

async fn made(client: &Client, input: Value) -> Value {
    done(client, "createMultiServiceBooking", input, MADE).await["multiServiceBooking"].clone()
}

on_both_engines! {
    async fn all_parts_of_a_visit_are_at_one_location(engine) {
        let server = Server::start(engine).await;
        let owner = server.owner();
        let (a, b) = (location(&owner, "A").await, location(&owner, "B").await);
        // Anna is at A before noon and at B after it; Ben is at A alone.
        let anna = [mondays("09:00", "12:00", Some(&a)), mondays("13:00", "17:00", Some(&b))];
        let anna = staff(&owner, "Anna", json!({}), &anna).await;
        let ben = staff(&owner, "Ben", json!({ "locationIds": [a] }), &[mondays("09:00", "17:00", None)]).await;
        let both = json!([business(&a), business(&b)]);
        let first = service(&owner, hour(&[&anna], &both)).await;
        let second = service(&owner, hour(&[&anna, &ben], &both)).await;
        let only_b = service(&owner, hour(&[&anna], &json!([business(&b)]))).await;
        let visitor = server.visitor();
        let all = ["09:00 A Anna+Anna", "10:00 A Anna+Anna", "11:00 A Anna+Ben", "13:00 B Anna+Anna", "14:00 B Anna+Anna", "15:00 B Anna+Anna"];
        assert_eq!(offered(&visitor, &[&first, &second], None).await, all);
        assert_eq!(offered(&visitor, &[&first, &second], Some(&[&b])).await, &all[3..]);
        assert_eq!(offered(&visitor, &[&second, &only_b], None).await, ["13:00 B Anna+Anna", "14:00 B Anna+Anna", "15:00 B Anna+Anna"]);
        let nowhere = with(json!({ "at": ["x"] }), json!({ "services": [{ "serviceId": first }, { "serviceId": second }], "to": at("23:00"), "from": at("00:00") }));
        assert_eq!(visitor.error_code(OFFERED, nowhere).await, "BAD_USER_INPUT");

        // Two locations, none that is named, or one at which somebody is missing: nothing is made.
        let elsewhere = package(&[(&first, "09:00", Some(&a)), (&second, "10:00", Some(&b))]);
        let refusal = refused(&visitor, "createMultiServiceBooking", elsewhere).await;
        assert_eq!(refusal["path"], json!(["bookings", "1", "slot", "location"]));
        let unnamed = package(&[(&first, "09:00", None), (&second, "10:00", Some(&a))]);
        assert_eq!(refused(&owner, "createMultiServiceBooking", unnamed).await["code"], "INVALID_LOCATIONS");
        let nobody = package(&[(&first, "15:00", Some(&a)), (&second, "16:00", Some(&a))]);
        assert_eq!(refused(&owner, "createMultiServiceBooking", nobody).await["code"], "SLOT_NOT_AVAILABLE");
        assert_eq!(server.bookings().await, 0);

        let visit = made(&owner, package(&[(&first, "11:00", Some(&a)), (&second, "12:00", Some(&a))])).await;
        let part = |at: usize| visit["bookings"][at]["bookedEntity"].clone();
        assert_eq!((&part(0)["resource"]["name"], &part(1)["resource"]["name"]), (&json!("Anna"), &json!("Ben")));
        assert_eq!(part(1)["location"], json!({ "locationId": a, "name": "A", "formattedAddress": null }));
        assert_eq!(offered(&visitor, &[&first, &second], None).await, ["09:00 A Anna+Anna", "10:00 A Anna+Ben", "13:00 B Anna+Anna", "14:00 B Anna+Anna", "15:00 B Anna+Anna"]);
        // It moves as a whole to the other location, or not at all.
        let moves = |places: [&str; 2]| {
            let slot = |index: usize, service: &str, clock: &str| json!({
                "bookingId": visit["bookings"][index]["id"],
                "slot": { "serviceId": service, "startDate": at(clock), "location": { "locationId": places[index] } },
            });
            json!({ "multiServiceBookingId": visit["id"], "bookings": [slot(0, &first, "14:00"), slot(1, &second, "15:00")] })
        };
        let refusal = refused(&owner, "rescheduleMultiServiceBooking", moves([&b, &a])).await;
        assert_eq!(refusal["path"], json!(["bookings", "1", "slot", "location"]));
        let moved = done(&owner, "rescheduleMultiServiceBooking", moves([&b, &b]), MADE).await["multiServiceBooking"].clone();
        for part in moved["bookings"].as_array().unwrap() {
            assert_eq!((&part["bookedEntity"]["location"]["name"], &part["bookedEntity"]["resource"]["name"]), (&json!("B"), &json!("Anna")));
        }
        assert_eq!(offered(&visitor, &[&first, &second], None).await, &all[..3]);
    }

    async fn a_visit_at_the_customer_s_is_at_one_address(engine) {
        let server = Server::start(engine).await;
        let owner = server.owner();
        let anna = staff(&owner, "Anna", json!({}), &[mondays("09:00", "12:00", None)]).await;
        let home = json!([{ "type": "CUSTOMER" }]);
        let (first, second) = (service(&owner, hour(&[&anna], &home)).await, service(&owner, hour(&[&anna], &home)).await);
        let words = json!([{ "type": "CUSTOM", "formattedAddress": "Market Street 1" }]);
        let shop = service(&owner, hour(&[&anna], &words)).await;
        let next_door = service(&owner, hour(&[&anna], &words)).await;
        let visitor = server.visitor();
        assert_eq!(offered(&visitor, &[&first, &second], None).await, ["09:00 - Anna+Anna", "10:00 - Anna+Anna"]);
        assert_eq!(offered(&visitor, &[&shop, &next_door], None).await, ["09:00 - Anna+Anna", "10:00 - Anna+Anna"], "the same words");
        assert_eq!(offered(&visitor, &[&shop, &first], None).await, Vec::<String>::new());
        let both = package(&[(&first, "09:00", None), (&second, "10:00", None)]);
        assert_eq!(refused(&visitor, "createMultiServiceBooking", with(both.clone(), json!({ "status": null }))).await["code"], "INVALID_CUSTOMER_LOCATION");
        let mut at_home = both;
        for part in at_home["bookings"].as_array_mut().unwrap() {
            part["slot"]["location"] = json!({ "locationType": "CUSTOM", "formattedAddress": "Ada's house" });
        }
        let mut two_houses = at_home.clone();
        two_houses["bookings"][1]["slot"]["location"] = json!({ "locationType": "CUSTOM", "formattedAddress": "Elsewhere" });
        assert_eq!(refused(&owner, "createMultiServiceBooking", two_houses).await["path"], json!(["bookings", "1", "slot", "location"]));
        let visit = made(&owner, at_home).await;
        for part in visit["bookings"].as_array().unwrap() {
            assert_eq!(part["bookedEntity"]["location"]["formattedAddress"], "Ada's house");
        }
        // The business's own words are one place, too.
        done(&owner, "cancelMultiServiceBooking", json!({ "multiServiceBookingId": visit["id"] }), "multiServiceBooking { id }").await;
        made(&owner, package(&[(&shop, "10:00", None), (&next_door, "11:00", None)])).await;
    }
}
