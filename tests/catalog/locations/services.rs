//! Where services and their sessions are given.

use serde_json::{Value, json};

use super::{booked, business, hour, is, location, refusal, service, staff};
use crate::{done, on_both_engines, support::Server, support::fixture::with};

const SERVICE: &str = "service { id location { locationId locationType name formattedAddress } \
    locations { type locationId name formattedAddress business { id phone } } }";

fn of_kind(kind: &str, locations: &Value) -> Value {
    json!({ "type": kind, "name": "Yoga", "payment": { "rateType": "NO_FEE" }, "locations": locations })
}

on_both_engines! {
    async fn a_service_is_given_at_several_places(engine) {
        let server = Server::start(engine).await;
        let owner = server.owner();
        let input = json!({ "name": "Centre", "formattedAddress": "Main Street 1", "phone": "+49 30 1" });
        let centre = done(&owner, "createLocation", input, "location { id }").await["location"]["id"].clone();
        let harbour = location(&owner, "Harbour").await;
        let anna = staff(&owner, "Anna", json!({}), &[]).await;
        let all = json!([business(&harbour), business(centre.as_str().unwrap()), { "type": "CUSTOMER" }, { "formattedAddress": "In the park" }]);
        let made = done(&owner, "createService", hour(&[&anna], &all), SERVICE).await["service"].clone();
        let told = made["locations"].as_array().unwrap();
        let types: Vec<&str> = told.iter().map(|one| one["type"].as_str().unwrap()).collect();
        assert_eq!(types, ["BUSINESS", "BUSINESS", "CUSTOMER", "CUSTOM"], "in their order; no type means the business's own words");
        assert_eq!(told[1], json!({
            "type": "BUSINESS", "locationId": centre, "name": "Centre", "formattedAddress": "Main Street 1",
            "business": { "id": centre, "phone": "+49 30 1" },
        }));
        assert_eq!((&told[3]["formattedAddress"], &told[3]["business"]), (&json!("In the park"), &Value::Null));
        assert_eq!(made["location"], json!({ "locationId": harbour, "locationType": "OWNER_BUSINESS", "name": "Harbour", "formattedAddress": null }), "the first");
        // The business's locations are told as they are now, in lists too.
        done(&owner, "updateLocation", json!({ "locationId": harbour, "name": "Pier" }), "location { id }").await;
        let list = owner.data("{ services { nodes { location { name } locations { name } } } }", json!({})).await["services"]["nodes"][0].clone();
        assert_eq!((&list["location"]["name"], &list["locations"][1]["name"]), (&json!("Pier"), &json!("Centre")));
        // What is the service's own keeps its id when the list is written anew.
        let fewer = json!({ "serviceId": made["id"], "locations": [{ "name": "At the lake" }, { "type": "CUSTOMER" }] });
        let fewer = done(&owner, "updateService", fewer, SERVICE).await["service"]["locations"].clone();
        assert_eq!((&fewer[0]["locationId"], &fewer[1]["locationId"]), (&told[3]["locationId"], &told[2]["locationId"]));
        assert_eq!(fewer[0]["name"], "At the lake");
        let copy = done(&owner, "cloneService", json!({ "serviceId": made["id"] }), SERVICE).await["service"].clone();
        assert_eq!(copy["locations"].as_array().unwrap().len(), 2);
    }

    async fn locations_that_a_service_cant_have_are_refused_where_they_stand(engine) {
        let server = Server::start(engine).await;
        let owner = server.owner();
        let centre = location(&owner, "Centre").await;
        let gone = location(&owner, "Gone").await;
        done(&owner, "deleteLocation", json!({ "locationId": gone }), "location { id }").await;
        let anna = staff(&owner, "Anna", json!({}), &[]).await;
        let many: Vec<Value> = (0..501).map(|_| json!({ "type": "CUSTOMER" })).collect();
        let twice = |one: Value| json!([one.clone(), one]);
        for (locations, expected) in [
            (json!([business(&centre), business(&gone)]), is("INVALID_BUSINESS_LOCATION", "locations.1.businessLocationId")),
            (json!([{ "type": "BUSINESS" }]), is("INVALID_BUSINESS_LOCATION", "locations.0.businessLocationId")),
            (json!([with(business(&centre), json!({ "name": "Mine" }))]), is("INVALID_BUSINESS_LOCATION", "locations.0.name")),
            (twice(business(&centre)), is("INVALID_BUSINESS_LOCATION", "locations.1.businessLocationId")),
            (json!([business("nowhere")]), is("INVALID_ID", "locations.0.businessLocationId")),
            (json!([{ "type": "CUSTOM" }]), is("INVALID_CUSTOM_LOCATION", "locations.0.formattedAddress")),
            (json!([{ "name": "Park", "businessLocationId": centre }]), is("INVALID_CUSTOM_LOCATION", "locations.0.businessLocationId")),
            (twice(json!({ "name": "Park" })), is("INVALID_CUSTOM_LOCATION", "locations.1.type")),
            (twice(json!({ "type": "CUSTOMER" })), is("INVALID_CUSTOMER_LOCATION", "locations.1.type")),
            (json!([{ "type": "CUSTOMER", "formattedAddress": "Here" }]), is("INVALID_CUSTOMER_LOCATION", "locations.0.formattedAddress")),
            (json!([{ "name": "x".repeat(151) }]), is("VALIDATION_FAILURE", "locations.0.name")),
            (json!(many), is("INVALID_LOCATIONS", "locations")),
        ] {
            assert_eq!(refusal(&owner, "createService", hour(&[&anna], &locations)).await, expected, "{locations}");
        }
        let customer = json!([{ "type": "CUSTOMER" }]);
        for kind in ["CLASS", "COURSE"] {
            assert_eq!(refusal(&owner, "createService", of_kind(kind, &customer)).await, is("INVALID_CUSTOMER_LOCATION", "locations.0.type"));
        }
        let two = json!([business(&centre), { "name": "Park" }]);
        assert_eq!(refusal(&owner, "createService", of_kind("COURSE", &two)).await, is("INVALID_LOCATIONS", "locations"));
        let class = service(&owner, of_kind("CLASS", &two)).await;
        let change = |more: Value| with(json!({ "serviceId": class }), more);
        assert_eq!(refusal(&owner, "updateService", change(json!({ "locations": customer }))).await, is("INVALID_CUSTOMER_LOCATION", "locations.0.type"));
        assert_eq!(refusal(&owner, "updateService", change(json!({ "locations": null }))).await, is("VALIDATION_FAILURE", "locations"));
        let both = change(json!({ "locations": [], "location": { "locationType": "OWNER_CUSTOM", "name": "Park" } }));
        assert_eq!(refusal(&owner, "updateService", both).await, is("VALIDATION_FAILURE", "location"));
    }

    async fn the_short_form_is_the_list_with_one_place(engine) {
        let server = Server::start(engine).await;
        let owner = server.owner();
        let centre = location(&owner, "Centre").await;
        let anna = staff(&owner, "Anna", json!({}), &[]).await;
        let mut input = hour(&[&anna], &Value::Null);
        input.as_object_mut().unwrap().remove("locations");
        let made = with(input, json!({ "location": { "locationType": "OWNER_BUSINESS", "name": "Upstairs", "formattedAddress": "Main Street 1" } }));
        let made = done(&owner, "createService", made, SERVICE).await["service"].clone();
        let words = json!({ "locationId": null, "locationType": "OWNER_BUSINESS", "name": "Upstairs", "formattedAddress": "Main Street 1" });
        assert_eq!(made["location"], words, "as it ever was");
        assert_eq!(made["locations"], json!([{ "type": "BUSINESS", "locationId": null, "name": "Upstairs", "formattedAddress": "Main Street 1", "business": null }]));
        let change = |one: Value| json!({ "serviceId": made["id"], "location": one });
        let told = done(&owner, "updateService", change(json!({ "locationId": centre })), SERVICE).await["service"].clone();
        assert_eq!((&told["location"]["name"], &told["locations"][0]["business"]["id"]), (&json!("Centre"), &json!(centre)));
        let told = done(&owner, "updateService", change(json!({ "locationType": "CUSTOM" })), SERVICE).await["service"].clone();
        assert_eq!(told["locations"][0]["type"], "CUSTOMER");
        let told = done(&owner, "updateService", change(Value::Null), SERVICE).await["service"].clone();
        assert_eq!((&told["location"], &told["locations"]), (&Value::Null, &json!([])));
        let nowhere = frontdesk::domain::ids::LocationId::new().to_string();
        for (bad, expected) in [
            (json!({ "locationId": nowhere }), is("INVALID_BUSINESS_LOCATION", "location.locationId")),
            (json!({ "locationId": centre, "locationType": "CUSTOM" }), is("INVALID_BUSINESS_LOCATION", "location.locationId")),
            (json!({ "locationType": "OWNER_CUSTOM" }), is("INVALID_CUSTOM_LOCATION", "location.formattedAddress")),
            (json!({ "name": "Park" }), is("VALIDATION_FAILURE", "location.locationType")),
        ] {
            assert_eq!(refusal(&owner, "updateService", change(bad.clone())).await, expected, "{bad}");
        }
    }

    async fn services_are_found_by_their_locations(engine) {
        let server = Server::start(engine).await;
        let owner = server.owner();
        let (a, b) = (location(&owner, "A").await, location(&owner, "B").await);
        for (name, locations) in [("both", json!([business(&a), business(&b)])), ("a", json!([business(&a)])), ("park", json!([{ "name": "Park" }]))] {
            service(&owner, with(of_kind("CLASS", &locations), json!({ "name": name }))).await;
        }
        let query = "query($filter: ServiceFilter) { services(filter: $filter) { totalCount nodes { name } } }";
        for (filter, expected) in [
            (json!({ "hasSome": [a] }), vec!["both", "a"]), (json!({ "hasSome": [b] }), vec!["both"]),
            (json!({ "hasAll": [a, b] }), vec!["both"]), (json!({ "hasSome": [a, b] }), vec!["both", "a"]),
        ] {
            let found = server.visitor().data(query, json!({ "filter": { "locationIds": filter } })).await["services"].clone();
            assert_eq!(crate::services::names(&found), expected, "{filter}");
            assert_eq!(found["totalCount"], json!(expected.len()));
        }
        let wrong = json!({ "filter": { "locationIds": { "hasSome": ["nowhere"] } } });
        assert_eq!(owner.error_code(query, wrong).await, "BAD_USER_INPUT");
    }

    async fn sessions_are_where_they_say_or_at_the_only_location(engine) {
        let server = Server::start(engine).await;
        let owner = server.owner();
        let (a, b, c) = (location(&owner, "A").await, location(&owner, "B").await, location(&owner, "C").await);
        let class = done(&owner, "createService", of_kind("CLASS", &json!([business(&a)])), "service { id schedule { id } }").await["service"].clone();
        let session = |day: &str, more: Value| with(json!({
            "scheduleId": class["schedule"]["id"], "localStart": format!("2032-03-{day}T10:00:00"), "localEnd": format!("2032-03-{day}T11:00:00"),
        }), more);
        const SESSION: &str = "session { id revision location { locationId name } }";
        let silent = done(&owner, "createSession", session("01", json!({})), SESSION).await["session"].clone();
        assert_eq!(silent["location"], Value::Null, "the service's");
        let weekly = with(session("02", json!({})), json!({ "recurrence": "RRULE:FREQ=WEEKLY;COUNT=3" }));
        done(&owner, "createSessionSeries", weekly, "series { id }").await;
        let seat = |id: &Value| json!({
            "bookedEntity": { "slot": { "session": { "sessionId": id } } }, "contactDetails": { "firstName": "Ada" }, "totalParticipants": 1,
        });
        assert_eq!(booked(&owner, seat(&silent["id"])).await["bookedEntity"]["location"]["name"], "A");
        // It is given elsewhere from now on: what is there stays.
        done(&owner, "updateService", json!({ "serviceId": class["id"], "locations": [business(&b), business(&c)] }), "service { id }").await;
        let sessions = owner.data("{ sessions { nodes { location { name locationId } } } sessionSeries: sessions { nodes { series { location { name } } } } }", json!({})).await;
        let here = json!({ "name": "A", "locationId": a });
        assert_eq!(sessions["sessions"]["nodes"], json!(vec![json!({ "location": here }); 4]));
        assert_eq!(sessions["sessionSeries"]["nodes"][1]["series"]["location"]["name"], "A");
        assert_eq!(refusal(&owner, "createSession", session("04", json!({}))).await, is("INVALID_LOCATIONS", "location"));
        let at = |id: &str| json!({ "location": { "locationId": id } });
        assert_eq!(refusal(&owner, "createSession", session("04", at(&a))).await, is("INVALID_UNKNOWN_LOCATION", "location.locationId"));
        let customer = json!({ "location": { "locationType": "CUSTOM" } });
        assert_eq!(refusal(&owner, "createSession", session("04", customer)).await, is("INVALID_CUSTOMER_LOCATION", "location.locationType"));
        let several = json!({ "location": { "locationType": "OWNER_BUSINESS" } });
        assert_eq!(refusal(&owner, "createSession", session("04", several)).await, is("INVALID_LOCATIONS", "location.locationId"));
        let made = done(&owner, "createSession", session("04", at(&c)), SESSION).await["session"].clone();
        assert_eq!(made["location"], json!({ "locationId": c, "name": "C" }));
        assert_eq!(booked(&owner, seat(&made["id"])).await["bookedEntity"]["location"]["name"], "C");
        let outside = json!({ "location": { "locationType": "OWNER_CUSTOM", "name": "Park" } });
        let made = done(&owner, "createSession", session("05", outside), SESSION).await["session"].clone();
        assert_eq!(made["location"], json!({ "locationId": null, "name": "Park" }), "for once in other words");
        let moved = json!({ "sessionId": silent["id"], "location": { "locationId": b } });
        done(&owner, "updateSession", moved, SESSION).await;
        let bookings = owner.data("{ bookings { nodes { bookedEntity { ... on BookedSlot { location { name } } } } } }", json!({})).await;
        let places: Vec<&Value> = bookings["bookings"]["nodes"].as_array().unwrap().iter().map(|one| &one["bookedEntity"]["location"]["name"]).collect();
        assert!(places.contains(&&json!("B")) && places.contains(&&json!("C")) && !places.contains(&&json!("A")), "its booking follows: {places:?}");
        assert_eq!(refusal(&owner, "updateSession", json!({ "sessionId": silent["id"], "location": null })).await, is("INVALID_LOCATIONS", "location"));
    }

    async fn sessions_move_with_their_bookings_when_their_location_is_removed(engine) {
        let server = Server::start(engine).await;
        let owner = server.owner();
        let (a, b, c) = (location(&owner, "A").await, location(&owner, "B").await, location(&owner, "C").await);
        let make = async |kind: &str, at: Value| {
            done(&owner, "createService", of_kind(kind, &at), "service { id schedule { id } }").await["service"].clone()
        };
        let class = make("CLASS", json!([business(&a), business(&c)])).await;
        let course = make("COURSE", json!([business(&a)])).await;
        let session = |of: &Value, day: &str, more: Value| with(json!({
            "scheduleId": of["schedule"]["id"], "localStart": format!("2032-03-{day}T10:00:00"), "localEnd": format!("2032-03-{day}T11:00:00"),
        }), more);
        let at = |id: &str, more: Value| with(json!({ "location": { "locationId": id } }), more);
        let here = done(&owner, "createSession", session(&class, "01", at(&a, json!({}))), "session { id }").await["session"].clone();
        done(&owner, "createSession", session(&class, "02", at(&c, json!({}))), "session { id }").await;
        let words = json!({ "location": { "locationType": "OWNER_CUSTOM", "name": "Park" } });
        done(&owner, "createSession", session(&class, "03", words), "session { id }").await;
        let weekly = json!({ "recurrence": "RRULE:FREQ=WEEKLY;COUNT=2" });
        done(&owner, "createSessionSeries", session(&class, "04", at(&a, weekly)), "series { id }").await;
        done(&owner, "createSession", session(&course, "05", json!({})), "session { id }").await;
        let of_class = json!({ "slot": { "session": { "sessionId": here["id"] } } });
        let of_course = json!({ "schedule": { "scheduleId": course["schedule"]["id"] } });
        for wanted in [of_class, of_course] {
            booked(&owner, json!({ "bookedEntity": wanted, "contactDetails": { "firstName": "Ada" }, "totalParticipants": 1 })).await;
        }
        let to = |of: &Value, more: Value| with(json!({
            "serviceId": of["id"], "locations": [business(&b)], "removedLocationSessionsAction": "MOVE_TO_LOCATION",
        }), more);
        let b_there = json!({ "newLocation": { "locationId": b } });
        for (input, path) in [
            (to(&class, json!({})), "newLocation"),
            (to(&class, json!({ "newLocation": { "locationId": a } })), "newLocation.locationId"),
            (with(to(&class, b_there.clone()), json!({ "removedLocationSessionsAction": "KEEP_AT_CURRENT_LOCATION" })), "newLocation"),
            (json!({ "serviceId": class["id"], "removedLocationSessionsAction": "MOVE_TO_LOCATION", "newLocation": { "locationId": a } }), "removedLocationSessionsAction"),
        ] {
            assert_eq!(refusal(&owner, "updateService", input.clone()).await.1, path, "{input}");
        }
        done(&owner, "updateService", to(&class, json!({ "locations": [business(&b), business(&c)], "newLocation": { "locationId": b } })), "service { id }").await;
        done(&owner, "updateService", to(&course, b_there), "service { id }").await;
        let told = owner.data("{ sessions { nodes { startDate location { name } series { location { name } } } } \
            bookings { nodes { bookedEntity { ... on BookedSlot { location { name } } ... on BookedSchedule { location { name } } } } } }", json!({})).await;
        let mut sessions: Vec<(&str, &str)> = told["sessions"]["nodes"].as_array().unwrap().iter()
            .map(|one| (&one["startDate"].as_str().unwrap()[8..10], one["location"]["name"].as_str().unwrap_or("the service's"))).collect();
        sessions.sort_unstable();
        assert_eq!(sessions, [("01", "B"), ("02", "C"), ("03", "Park"), ("04", "B"), ("05", "B"), ("11", "B")]);
        let series = told["sessions"]["nodes"].as_array().unwrap().iter().find(|one| !one["series"].is_null()).unwrap();
        assert_eq!(series["series"]["location"]["name"], "B", "those to come as well");
        for booking in told["bookings"]["nodes"].as_array().unwrap() {
            assert_eq!(booking["bookedEntity"]["location"]["name"], "B", "{booking}");
        }
    }

    async fn resources_are_bound_to_locations_that_there_are(engine) {
        let server = Server::start(engine).await;
        let owner = server.owner();
        let (a, b) = (location(&owner, "A").await, location(&owner, "B").await);
        let input = json!({ "type": "ROOM", "name": "Room", "locationIds": [b, a] });
        let made = done(&owner, "createResource", input, "resource { id locationIds }").await["resource"].clone();
        assert_eq!(made["locationIds"], json!([b, a]));
        let read = "query($id: ID!) { resource(id: $id) { locationIds } resources { nodes { locationIds } } }";
        let told = server.visitor().data(read, json!({ "id": made["id"] })).await;
        assert_eq!((&told["resource"]["locationIds"], &told["resources"]["nodes"][0]["locationIds"]), (&json!([b, a]), &json!([b, a])));
        let set = |ids: Value| json!({ "resourceId": made["id"], "locationIds": ids });
        let nowhere = frontdesk::domain::ids::LocationId::new().to_string();
        for (bad, expected) in [
            (json!([a, nowhere]), is("LOCATION_NOT_FOUND", "locationIds.1")), (json!([a, a]), is("VALIDATION_FAILURE", "locationIds.1")),
            (json!([]), is("VALIDATION_FAILURE", "locationIds")), (json!(["x"]), is("INVALID_ID", "locationIds.0")), (json!(vec![&a; 101]), is("VALIDATION_FAILURE", "locationIds")),
        ] {
            assert_eq!(refusal(&owner, "updateResource", set(bad.clone())).await, expected, "{bad}");
        }
        done(&owner, "updateResource", json!({ "resourceId": made["id"], "name": "Hall" }), "resource { id }").await;
        let cleared = done(&owner, "updateResource", set(Value::Null), "resource { name locationIds }").await["resource"].clone();
        assert_eq!(cleared, json!({ "name": "Hall", "locationIds": null }));
    }
}
