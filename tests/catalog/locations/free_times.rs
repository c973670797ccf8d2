//! Free times at locations: what is offered where, why not, and who is told when that changes.

use std::time::Duration;

use frontdesk::app::tokens::Role;
use serde_json::{Value, json};

use super::{DAY, SLOTS, at, business, hour, location, mondays, offered, service, staff, visit, words};
use crate::{
    done, on_both_engines,
    socket::Socket,
    support::{Client, Server, fixture::with},
};

const WHY: &str = "query($id: ID!, $from: DateTime!, $to: DateTime!, $at: [ID!]) { \
    explainAvailability(serviceId: $id, from: $from, to: $to, locationIds: $at) { bookableStarts totalStarts \
        findings { reason suggestedAction resourceName locationId locationName } \
        unavailableStarts { startDate location { name } findings { reason locationName } } } }";

async fn why(client: &Client, service: &str, locations: Option<&[&str]>) -> Value {
    let asked = json!({ "id": service, "from": at("00:00"), "to": "2032-03-02T00:00:00Z", "at": locations });
    client.data(WHY, asked).await["explainAvailability"].clone()
}

on_both_engines! {
    async fn a_time_is_told_once_for_each_location_in_the_service_s_order(engine) {
        let server = Server::start(engine).await;
        let owner = server.owner();
        let (a, b) = (location(&owner, "A").await, location(&owner, "B").await);
        let here = json!({ "locationIds": [a] });
        let anna = staff(&owner, "Anna", json!({}), &[mondays("09:00", "11:00", None)]).await;
        let ben = staff(&owner, "Ben", here, &[mondays("10:00", "12:00", None)]).await;
        let id = service(&owner, hour(&[&anna, &ben], &json!([business(&b), business(&a), { "type": "CUSTOMER" }]))).await;
        let visitor = server.visitor();
        let all = ["09:00 B", "09:00 A", "09:00 -", "10:00 B", "10:00 A", "10:00 -", "11:00 A"];
        assert_eq!(words(&offered(&visitor, &[&id], None).await), all, "Ben serves at A alone");
        assert_eq!(words(&offered(&visitor, &[&id], Some(&[&a])).await), ["09:00 A", "10:00 A", "11:00 A"]);
        assert_eq!(words(&offered(&visitor, &[&id], Some(&[&a, &b])).await), ["09:00 B", "09:00 A", "10:00 B", "10:00 A", "11:00 A"]);
        let asked = json!({ "ids": [id], "from": at("00:00"), "to": "2032-03-02T00:00:00Z" });
        let told = visitor.data(SLOTS, asked.clone()).await["availability"]["timeSlots"].clone();
        let of = |at: usize| told[at]["availableResources"][0]["resources"].clone();
        assert_eq!((of(3), of(4)), (json!([{ "name": "Anna" }]), json!([{ "name": "Anna" }, { "name": "Ben" }])));
        assert_eq!(told[0]["location"], json!({ "locationId": b, "locationType": "OWNER_BUSINESS", "name": "B", "formattedAddress": null }));
        let home = told[2]["location"].clone();
        assert_eq!(home["locationType"], "CUSTOM");
        let home = home["locationId"].as_str().unwrap().to_owned();
        assert_eq!(words(&offered(&visitor, &[&id], Some(&[&home])).await), ["09:00 -", "10:00 -"], "the service's own places have ids, too");
        // One booking takes the time everywhere.
        owner.done("createBooking", with(visit(&id, "09:00", json!({ "location": { "locationId": a } })), json!({ "status": "CONFIRMED" }))).await;
        assert_eq!(words(&offered(&visitor, &[&id], None).await), &all[3..]);
        let nowhere = frontdesk::domain::ids::LocationId::new().to_string();
        for bad in [json!([nowhere]), json!([]), json!(vec![&a; 6]), json!(["x"])] {
            assert_eq!(visitor.error_code(SLOTS, with(asked.clone(), json!({ "at": bad }))).await, "BAD_USER_INPUT");
        }
    }

    async fn hours_that_are_bound_to_a_location_win_over_the_limits(engine) {
        let server = Server::start(engine).await;
        let owner = server.owner();
        let (a, b) = (location(&owner, "A").await, location(&owner, "B").await);
        let hours = [mondays("09:00", "10:00", None), mondays("14:00", "15:00", Some(&b))];
        let anna = staff(&owner, "Anna", json!({ "locationIds": [a] }), &hours).await;
        let id = service(&owner, hour(&[&anna], &json!([business(&a), business(&b)]))).await;
        let visitor = server.visitor();
        assert_eq!(words(&offered(&visitor, &[&id], None).await), ["09:00 A", "14:00 B"]);
        done(&owner, "updateResource", json!({ "resourceId": anna, "locationIds": null }), "resource { id }").await;
        assert_eq!(words(&offered(&visitor, &[&id], None).await), ["09:00 A", "09:00 B", "14:00 B"]);
    }

    async fn sessions_and_courses_are_told_with_their_place(engine) {
        let server = Server::start(engine).await;
        let owner = server.owner();
        let (a, b) = (location(&owner, "A").await, location(&owner, "B").await);
        let of_kind = |kind: &str, locations: Value| json!({ "type": kind, "name": "Yoga", "payment": { "rateType": "NO_FEE" }, "locations": locations });
        let mut ids = Vec::new();
        for (kind, locations, places, clock) in [
            ("CLASS", json!([business(&a), business(&b)]), vec![json!({ "locationId": b }), json!({ "locationId": a })], "10"),
            ("COURSE", json!([business(&b)]), vec![Value::Null], "12"), ("CLASS", json!([]), vec![Value::Null], "13"),
        ] {
            let made = done(&owner, "createService", of_kind(kind, locations), "service { id schedule { id } }").await["service"].clone();
            for place in places {
                let input = json!({
                    "scheduleId": made["schedule"]["id"], "location": place,
                    "localStart": format!("{DAY}T{clock}:00:00"), "localEnd": format!("{DAY}T{clock}:30:00"),
                });
                done(&owner, "createSession", input, "session { id }").await;
            }
            ids.push(made["id"].as_str().unwrap().to_owned());
        }
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let visitor = server.visitor();
        assert_eq!(words(&offered(&visitor, &ids, None).await), ["10:00 B", "10:00 A", "12:00 B", "13:00 -"]);
        assert_eq!(words(&offered(&visitor, &ids, Some(&[&a])).await), ["10:00 A"]);
        assert_eq!(words(&offered(&visitor, &ids, Some(&[&b])).await), ["10:00 B", "12:00 B"]);
    }

    async fn why_nothing_is_offered_at_a_location(engine) {
        let server = Server::start(engine).await;
        let owner = server.owner();
        let (a, b, c) = (location(&owner, "A").await, location(&owner, "B").await, location(&owner, "C").await);
        let anna = staff(&owner, "Anna", json!({ "locationIds": [a] }), &[mondays("09:00", "10:00", None)]).await;
        let id = service(&owner, hour(&[&anna], &json!([business(&a), business(&b)]))).await;
        let told = why(&owner, &id, None).await;
        let finding = told["findings"].as_array().unwrap().iter().find(|one| one["reason"] == "RESOURCE_NOT_AVAILABLE_AT_SERVICE_LOCATION");
        assert_eq!(finding.unwrap(), &json!({
            "reason": "RESOURCE_NOT_AVAILABLE_AT_SERVICE_LOCATION", "suggestedAction": "CHECK_WORK_LOCATIONS",
            "resourceName": "Anna", "locationId": b, "locationName": "B",
        }));
        assert_eq!(told["bookableStarts"], 1);
        let told = why(&owner, &id, Some(&[&c])).await;
        assert_eq!(told["findings"][0]["reason"], "REQUESTED_LOCATION_NOT_OFFERED_BY_SERVICE");
        assert_eq!(told["findings"][0]["suggestedAction"], "CHECK_SERVICE_LOCATIONS");
        assert_eq!(why(&owner, &id, Some(&[&a])).await["findings"], json!([]));
        owner.done("createBooking", with(visit(&id, "09:00", json!({ "location": { "locationId": a } })), json!({ "status": "CONFIRMED" }))).await;
        let told = why(&owner, &id, Some(&[&a])).await;
        let start = &told["unavailableStarts"][0];
        assert_eq!((&start["location"]["name"], &start["findings"][0]["reason"]), (&json!("A"), &json!("RESOURCE_BLOCKED")), "{told}");
    }

    async fn who_watches_is_told_of_hours_and_limits(engine) {
        let server = Server::start(engine).await;
        let owner = server.owner();
        let a = location(&owner, "A").await;
        let anna = staff(&owner, "Anna", json!({}), &[]).await;
        let id = service(&owner, hour(&[&anna], &json!([business(&a)]))).await;
        let token = server.token(Role::Member, "ada", None);
        let watch = "subscription($service: ID!, $from: DateTime!, $to: DateTime!) { \
            availabilityChanged(serviceId: $service, from: $from, to: $to) { from to } }";
        let window = json!({ "service": id, "from": at("00:00"), "to": "2032-03-02T00:00:00Z" });
        let mut socket = Socket::subscribe(&server, &token, watch, window).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        let hours = json!({ "locationId": a, "weekly": [mondays("09:00", "10:00", None)] });
        for (name, input) in [
            ("setWorkingHours", hours), ("clearWorkingHours", json!({ "locationId": a })),
            ("updateResource", json!({ "resourceId": anna, "locationIds": [a] })),
        ] {
            done(&owner, name, input, "userErrors { code }").await;
            let told = socket.next().await["availabilityChanged"].clone();
            assert_eq!(told["from"], at("00:00"), "{name}");
            tokio::time::sleep(Duration::from_millis(1300)).await;
        }
    }
}
