//! What is booked at a location: which, whose hours and limits bind it there, and where it goes.

use futures::future::join_all;
use serde_json::{Value, json};

use super::{BOOKED, DAY, at, booked, business, codes, hour, is, location, mondays, refusal, service, staff, visit};
use crate::{done, on_both_engines, support::Server, support::fixture::with};

const LOCATION: &str = "bookedEntity.slot.appointment.location";

fn under(field: &str) -> String {
    format!("{LOCATION}.{field}")
}

fn here(location: &str) -> Value {
    json!({ "location": { "locationId": location } })
}

on_both_engines! {
    async fn a_booking_names_one_of_several_locations(engine) {
        let server = Server::start(engine).await;
        let owner = server.owner();
        let (a, b, other) = (location(&owner, "A").await, location(&owner, "B").await, location(&owner, "C").await);
        let anna = staff(&owner, "Anna", json!({}), &[]).await;
        let id = service(&owner, hour(&[&anna], &json!([business(&a), business(&b), { "name": "Park" }]))).await;
        let only = service(&owner, hour(&[&anna], &json!([business(&b)]))).await;
        let ada = server.member("ada");
        let place = |booking: &Value| booking["bookedEntity"]["location"].clone();
        let made = booked(&ada, visit(&id, "09:00", here(&b))).await;
        assert_eq!(place(&made), json!({ "locationId": b, "locationType": "OWNER_BUSINESS", "name": "B", "formattedAddress": null }));
        let park = booked(&ada, visit(&id, "10:00", json!({ "location": { "locationType": "OWNER_CUSTOM", "name": "Elsewhere" } }))).await;
        assert_eq!(place(&park)["name"], "Park", "the business's words");
        assert_eq!(place(&booked(&ada, visit(&only, "11:00", json!({}))).await)["name"], "B", "the only one");
        let given = |location: Value| visit(&id, "12:00", json!({ "location": location }));
        for client in [&ada, &owner] {
            for (input, expected) in [
                (visit(&id, "12:00", json!({})), is("INVALID_LOCATIONS", LOCATION)),
                (given(json!({ "locationType": "OWNER_BUSINESS" })), is("INVALID_LOCATIONS", &under("locationId"))),
                (given(json!({ "locationType": "CUSTOM", "formattedAddress": "At home" })), is("INVALID_CUSTOMER_LOCATION", &under("locationType"))),
                (given(json!({ "locationId": other })), is("INVALID_UNKNOWN_LOCATION", &under("locationId"))),
                (given(json!({ "locationId": a, "locationType": "OWNER_CUSTOM" })), is("INVALID_UNKNOWN_LOCATION", &under("locationType"))),
                (given(json!({ "locationId": anna })), is("INVALID_ID", &under("locationId"))),
                (given(json!({})), is("VALIDATION_FAILURE", &under("locationType"))),
            ] {
                assert_eq!(refusal(client, "createBooking", input.clone()).await, expected, "{input}");
            }
        }
        // It stays as it was booked.
        done(&owner, "updateLocation", json!({ "locationId": b, "name": "Pier" }), "location { id }").await;
        done(&owner, "updateService", json!({ "serviceId": id, "locations": [business(&a)] }), "service { id }").await;
        let query = "query($id: ID!) { booking(id: $id) { bookedEntity { ... on BookedSlot { location { locationId name } } } } }";
        let kept = owner.data(query, json!({ "id": made["id"] })).await["booking"]["bookedEntity"]["location"].clone();
        assert_eq!(kept, json!({ "locationId": b, "name": "B" }));
        owner.done("confirmBooking", json!({ "bookingId": made["id"] })).await;
    }

    async fn at_the_customer_s_the_address_is_needed(engine) {
        let server = Server::start(engine).await;
        let owner = server.owner();
        let anna = staff(&owner, "Anna", json!({}), &[]).await;
        let id = service(&owner, hour(&[&anna], &json!([{ "type": "CUSTOMER" }]))).await;
        let ada = server.member("ada");
        let missing = is("INVALID_CUSTOMER_LOCATION", &under("formattedAddress"));
        assert_eq!(refusal(&ada, "createBooking", visit(&id, "09:00", json!({}))).await, missing);
        let blank = json!({ "location": { "locationType": "CUSTOM", "formattedAddress": " " } });
        assert_eq!(refusal(&ada, "createBooking", visit(&id, "09:00", blank)).await, missing);
        let said = json!({ "location": { "locationType": "CUSTOM", "formattedAddress": "Side Street 2", "name": "Home" } });
        let made = booked(&ada, visit(&id, "09:00", said)).await;
        let place = made["bookedEntity"]["location"].clone();
        assert_eq!((&place["locationType"], &place["formattedAddress"], &place["name"]), (&json!("CUSTOM"), &json!("Side Street 2"), &json!("Home")));
        let contact = json!({ "contactDetails": { "firstName": "Ada", "fullAddress": "Lane 3" } });
        let known = booked(&ada, with(visit(&id, "10:00", json!({})), contact)).await;
        assert_eq!(known["bookedEntity"]["location"]["formattedAddress"], "Lane 3");
        let moved = json!({ "bookingId": made["id"], "slot": { "appointment": { "serviceId": id, "startDate": at("11:00") } } });
        let moved = done(&ada, "rescheduleBooking", moved, BOOKED).await["booking"].clone();
        assert_eq!(moved["bookedEntity"]["location"], place, "it stays where it was");
    }

    async fn hours_and_limits_of_the_place_bind_what_is_booked_there(engine) {
        let server = Server::start(engine).await;
        let owner = server.owner();
        let (a, b) = (location(&owner, "A").await, location(&owner, "B").await);
        let anna = staff(&owner, "Anna", json!({}), &[mondays("09:00", "12:00", Some(&a)), mondays("13:00", "17:00", Some(&b))]).await;
        let id = service(&owner, hour(&[&anna], &json!([business(&a), business(&b)]))).await;
        let ada = server.member("ada");
        for client in [&ada, &owner] {
            for (clock, place) in [("09:00", &b), ("13:00", &a), ("12:00", &a)] {
                assert_eq!(codes(client, "createBooking", visit(&id, clock, here(place))).await, ["SLOT_NOT_AVAILABLE"], "{clock}");
            }
        }
        let error = crate::refused(&ada, "createBooking", visit(&id, "09:00", here(&b))).await;
        assert_eq!(error["nextAvailable"], at("13:00"), "the next start there");
        let held = with(visit(&id, "09:00", here(&a)), json!({ "holdSeconds": 600 }));
        let made = booked(&ada, held).await;
        // To another place: its hours count.
        let go = |clock: &str, more: Value| {
            let slot = with(json!({ "serviceId": id, "startDate": at(clock) }), more);
            json!({ "bookingId": made["id"], "slot": { "appointment": slot } })
        };
        assert_eq!(codes(&ada, "rescheduleBooking", go("14:00", json!({}))).await, ["SLOT_NOT_AVAILABLE"], "not at A in the afternoon");
        assert_eq!(codes(&ada, "rescheduleBooking", go("10:00", here(&b))).await, ["SLOT_NOT_AVAILABLE"]);
        let moved = done(&ada, "rescheduleBooking", go("14:00", here(&b)), BOOKED).await["booking"].clone();
        assert_eq!((&moved["bookedEntity"]["location"]["name"], &moved["bookedEntity"]["startDate"]), (&json!("B"), &json!(at("14:00"))));
        let unknown = frontdesk::domain::ids::LocationId::new().to_string();
        assert_eq!(refusal(&ada, "rescheduleBooking", go("14:00", here(&unknown))).await, is("INVALID_UNKNOWN_LOCATION", "slot.appointment.location.locationId"));
        let skip = json!({ "flowControlSettings": { "skipAvailabilityValidation": true } });
        booked(&owner, with(visit(&id, "15:00", here(&a)), skip)).await;
    }

    async fn a_confirmation_takes_somebody_who_can_be_there(engine) {
        let server = Server::start(engine).await;
        let owner = server.owner();
        let (a, b) = (location(&owner, "A").await, location(&owner, "B").await);
        let anna = staff(&owner, "Anna", json!({ "locationIds": [a] }), &[]).await;
        let ben = staff(&owner, "Ben", json!({ "locationIds": [b] }), &[]).await;
        let id = service(&owner, hour(&[&anna, &ben], &json!([business(&a), business(&b)]))).await;
        let ada = server.member("ada");
        for (place, name) in [(&a, "Anna"), (&b, "Ben")] {
            let made = booked(&ada, visit(&id, "09:00", here(place))).await;
            let check = json!({ "bookingId": made["id"], "checkAvailabilityValidation": true });
            let confirmed = done(&owner, "confirmBooking", check, BOOKED).await["booking"].clone();
            assert_eq!(confirmed["bookedEntity"]["resource"]["name"], *name);
        }
        // Everybody moves to A: nobody is left for B, and a check says so.
        let waiting = booked(&ada, visit(&id, "10:00", here(&b))).await;
        done(&owner, "updateResource", json!({ "resourceId": ben, "locationIds": [a] }), "resource { id }").await;
        let check = json!({ "bookingId": waiting["id"], "checkAvailabilityValidation": true });
        assert_eq!(codes(&owner, "confirmBooking", check).await, ["SLOT_NOT_AVAILABLE"]);
        let confirmed = owner.done("confirmBooking", json!({ "bookingId": waiting["id"] })).await;
        assert_eq!((&confirmed["status"], &confirmed["doubleBooked"]), (&json!("CONFIRMED"), &json!(false)), "the business's word counts");
        assert_eq!(codes(&ada, "createBooking", visit(&id, "11:00", here(&b))).await, ["SLOT_NOT_AVAILABLE"]);
    }

    async fn the_calendar_tells_of_one_location(engine) {
        let server = Server::start(engine).await;
        let owner = server.owner();
        let (a, b) = (location(&owner, "A").await, location(&owner, "B").await);
        let anna = staff(&owner, "Anna", json!({}), &[]).await;
        let id = service(&owner, hour(&[&anna], &json!([business(&a), business(&b)]))).await;
        for (clock, place) in [("09:00", &a), ("10:00", &b)] {
            booked(&owner, with(visit(&id, clock, here(place)), json!({ "status": "CONFIRMED" }))).await;
        }
        let class = json!({ "type": "CLASS", "name": "Yoga", "payment": { "rateType": "NO_FEE" }, "locations": [business(&a)] });
        let class = done(&owner, "createService", class, "service { schedule { id } }").await["service"]["schedule"]["id"].clone();
        for (clock, place) in [("12", Value::Null), ("13", json!({ "locationType": "OWNER_CUSTOM", "name": "Park" }))] {
            let session = json!({ "scheduleId": class, "location": place, "localStart": format!("{DAY}T{clock}:00:00"), "localEnd": format!("{DAY}T{clock}:30:00") });
            done(&owner, "createSession", session, "session { id }").await;
        }
        let block = json!({ "resourceId": anna, "startDate": at("15:00"), "endDate": at("16:00") });
        done(&owner, "createBlockedTime", block, "blockedTime { id }").await;
        let query = "query($from: DateTime!, $to: DateTime!, $at: [ID!]) { calendar(from: $from, to: $to, locationIds: $at, limit: 100) { entries { startDate } } }";
        let told = async |at_these: Value| {
            let asked = json!({ "from": at("00:00"), "to": "2032-03-02T00:00:00Z", "at": at_these });
            let entries = owner.data(query, asked).await["calendar"]["entries"].clone();
            entries.as_array().unwrap().iter().map(|one| one["startDate"].as_str().unwrap()[11..16].to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(told(Value::Null).await, ["09:00", "10:00", "12:00", "13:00", "15:00"]);
        assert_eq!(told(json!([a])).await, ["09:00", "12:00", "15:00"], "blocked times are everywhere");
        assert_eq!(told(json!([b])).await, ["10:00", "15:00"]);
    }

    async fn the_customer_s_address_is_for_whoever_knows_the_customer(engine) {
        let server = Server::start(engine).await;
        let owner = server.owner();
        let anna = staff(&owner, "Anna", json!({}), &[]).await;
        let id = service(&owner, hour(&[&anna], &json!([{ "type": "CUSTOMER" }]))).await;
        let said = json!({ "location": { "locationType": "CUSTOM", "formattedAddress": "Side Street 2" } });
        let made = booked(&server.member("ada"), visit(&id, "09:00", said)).await;
        let query = "query($id: ID!) { booking(id: $id) { contactDetails { firstName } bookedEntity { ... on BookedSlot { location { locationType formattedAddress } } } } }";
        let key = json!({ "name": "Board", "scopes": ["READ_BOOKINGS"] });
        let key = done(&owner, "createApiKey", key, "secret").await["secret"].as_str().unwrap().to_owned();
        let board = crate::support::Client::new(&server).with("Authorization", format!("Bearer {key}"));
        for (client, address) in [(&owner, json!("Side Street 2")), (&server.member("ada"), json!("Side Street 2")), (&board, Value::Null)] {
            let told = client.data(query, json!({ "id": made["id"] })).await["booking"].clone();
            assert_eq!(told["bookedEntity"]["location"], json!({ "locationType": "CUSTOM", "formattedAddress": address }));
            assert_eq!(told["contactDetails"].is_null(), address.is_null());
        }
    }

    async fn of_many_for_one_time_at_two_locations_one_gets_it(engine) {
        let server = Server::start(engine).await;
        let owner = server.owner();
        let (a, b) = (location(&owner, "A").await, location(&owner, "B").await);
        let anna = staff(&owner, "Anna", json!({}), &[]).await;
        let id = service(&owner, hour(&[&anna], &json!([business(&a), business(&b)]))).await;
        let wish = |n: usize| with(visit(&id, "09:00", here(if n.is_multiple_of(2) { &a } else { &b })), json!({ "status": "CONFIRMED" }));
        let all = join_all((0..16).map(|n| codes(&owner, "createBooking", wish(n)))).await;
        assert_eq!(all.iter().filter(|codes| codes.is_empty()).count(), 1, "{all:?}");
        assert!(all.iter().flatten().all(|code| code == "SLOT_NOT_AVAILABLE"), "{all:?}");
    }

    async fn nobody_is_booked_where_they_serve_no_more(engine) {
        let server = Server::start(engine).await;
        let owner = server.owner();
        let (a, b) = (location(&owner, "A").await, location(&owner, "B").await);
        for round in 0..6 {
            let anna = staff(&owner, "Anna", json!({ "locationIds": [a] }), &[]).await;
            let id = service(&owner, hour(&[&anna], &json!([business(&a), business(&b)]))).await;
            let wish = with(visit(&id, "09:00", here(&a)), json!({ "status": "CONFIRMED" }));
            let leave = json!({ "resourceId": anna, "locationIds": [b] });
            let (booked, left) = tokio::join!(codes(&owner, "createBooking", wish), codes(&owner, "updateResource", leave));
            assert!(left.is_empty(), "{round}: {left:?}");
            assert!(booked.is_empty() || booked == ["SLOT_NOT_AVAILABLE"], "{round}: {booked:?}");
            let again = with(visit(&id, "10:00", here(&a)), json!({ "status": "CONFIRMED" }));
            assert_eq!(codes(&owner, "createBooking", again).await, ["SLOT_NOT_AVAILABLE"]);
        }
    }
}
