//! The worked examples of `spec/catalog-availability.md` §4.8 that can be set up through the API, to the letter; and why
//! there are no more.

use serde_json::{Value, json};

use crate::{
    availability::starts,
    done, on_both_engines, studio,
    support::{Client, fixture::with},
    weekly,
};

/// A Monday far ahead.
const DAY: &str = "2032-03-01";

/// A staff member and a service of an hour with it, on a clock that shows UTC; the service's id and the resource's.
async fn example(owner: &Client, service: Value, hours: Value) -> (String, String) {
    let resource = json!({ "type": "STAFF", "name": "Example" });
    let made = done(owner, "createResource", resource, "resource { id }").await;
    let resource = made["resource"]["id"].as_str().unwrap().to_owned();
    done(
        owner,
        "setWorkingHours",
        json!({ "resourceId": resource, "weekly": [hours] }),
        "workingHours { revision }",
    )
    .await;
    let service = with(
        json!({
            "type": "APPOINTMENT", "name": "An hour", "durations": [60], "resourceIds": [resource],
            "payment": { "rateType": "NO_FEE" },
        }),
        service,
    );
    let made = done(owner, "createService", service, "service { id }").await;
    (made["service"]["id"].as_str().unwrap().to_owned(), resource)
}

fn at(clock: &str) -> String {
    format!("{DAY}T{clock}:00Z")
}

/// What is offered on the day, as clock times.
async fn offered(client: &Client, service: &str) -> Vec<String> {
    let found = starts(
        client,
        json!({ "ids": [service], "from": at("00:00"), "to": "2032-03-02T00:00:00Z" }),
    )
    .await;
    found.iter().map(|start| start[11..16].to_owned()).collect()
}

/// Books the middle of the day, as the owner.
async fn book(owner: &Client, service: &str, start: &str, end: &str) {
    let input = json!({
        "bookedEntity": { "slot": { "appointment": { "serviceId": service, "startDate": at(start), "endDate": at(end) } } },
        "contactDetails": { "firstName": "Ada" }, "totalParticipants": 1, "status": "CONFIRMED",
    });
    owner.done("createBooking", input).await;
}

fn half_hours(from: u32, until: u32) -> Vec<String> {
    (from * 2..=until * 2)
        .map(|half| format!("{:02}:{:02}", half / 2, half % 2 * 30))
        .collect()
}

on_both_engines! {
    async fn an_empty_day_and_one_with_a_booking_at_noon(engine) {
        let (server, _studio, owner) = studio(engine).await;
        let (service, _) = example(&owner, json!({}), weekly("09:00", "17:00", &["MONDAY"])).await;
        let visitor = server.visitor();
        assert_eq!(offered(&visitor, &service).await, half_hours(9, 16), "example 1");
        book(&owner, &service, "12:00", "13:00").await;
        let expected: Vec<String> = half_hours(9, 16).into_iter().filter(|start| !["11:30", "12:00", "12:30"].contains(&start.as_str())).collect();
        assert_eq!(offered(&visitor, &service).await, expected, "example 2");
    }

    async fn a_buffer_keeps_its_distance_on_both_sides(engine) {
        let (server, _studio, owner) = studio(engine).await;
        let (service, _) = example(&owner, json!({ "bufferMinutes": 15 }), weekly("09:00", "17:00", &["MONDAY"])).await;
        book(&owner, &service, "12:00", "13:00").await;
        let found = offered(&server.visitor(), &service).await;
        for (start, free) in [("10:30", true), ("11:00", false), ("13:00", false), ("13:30", true), ("16:00", true)] {
            assert_eq!(found.iter().any(|one| one == start), free, "example 3, {start}");
        }
    }

    async fn starts_can_be_as_far_apart_as_the_visit_and_its_buffer(engine) {
        let (server, _studio, owner) = studio(engine).await;
        let same = json!({ "bufferMinutes": 15, "slotsSplitInterval": { "sameAsDuration": true } });
        let (service, _) = example(&owner, same, weekly("09:00", "17:00", &["MONDAY"])).await;
        assert_eq!(offered(&server.visitor(), &service).await, ["09:00", "10:15", "11:30", "12:45", "14:00", "15:15"], "example 4");
    }

    async fn a_room_that_is_taken_stops_whoever_needs_it(engine) {
        let (server, _studio, owner) = studio(engine).await;
        let room = done(&owner, "createResource", json!({ "type": "ROOM", "name": "The room" }), "resource { id }").await["resource"]["id"].clone();
        let (_, anna) = example(&owner, json!({}), weekly("09:00", "17:00", &["MONDAY"])).await;
        let (_, ben) = example(&owner, json!({ "slug": "second" }), weekly("09:00", "17:00", &["MONDAY"])).await;
        let both = json!({ "slug": "both", "resourceIds": [anna, ben, room] });
        let (service, _) = example(&owner, both, weekly("09:00", "17:00", &[])).await;
        let block = json!({ "resourceId": room, "startDate": at("10:00"), "endDate": at("11:00") });
        done(&owner, "createBlockedTime", block, "blockedTime { id }").await;
        let expected: Vec<String> = half_hours(9, 16).into_iter().filter(|start| !["09:30", "10:00", "10:30"].contains(&start.as_str())).collect();
        assert_eq!(offered(&server.visitor(), &service).await, expected, "example 5");
    }

    async fn the_hour_that_the_clock_skips_in_spring_has_no_start(engine) {
        let (server, _studio, owner) = studio(engine).await;
        done(&owner, "updateSite", json!({ "timeZone": "Europe/Berlin" }), "site { id }").await;
        let hourly = json!({ "slotsSplitInterval": { "valueInMinutes": 60 } });
        let (service, _) = example(&owner, hourly, weekly("01:00", "05:00", &["SUNDAY"])).await;
        let asked = json!({ "ids": [service], "zone": "Europe/Berlin", "from": "2032-03-28T00:00", "to": "2032-03-29T00:00" });
        let found = crate::availability::slots(&server.visitor(), asked).await;
        let local: Vec<&str> = found.iter().map(|slot| &slot["localStartDate"].as_str().unwrap()[11..16]).collect();
        assert_eq!(local, ["01:00", "03:00", "04:00"], "example 9");
    }

    async fn hours_past_midnight_and_hours_that_touch_are_one(engine) {
        let (server, _studio, owner) = studio(engine).await;
        let (service, resource) = example(&owner, json!({ "slotsSplitInterval": { "valueInMinutes": 60 } }), weekly("09:00", "10:00", &[])).await;
        let hours = json!({ "resourceId": resource, "weekly": [
            weekly("22:00", "01:00", &["SUNDAY", "MONDAY"]), weekly("09:30", "10:30", &["MONDAY"]), weekly("10:00", "11:30", &["MONDAY"]),
        ] });
        done(&owner, "setWorkingHours", hours, "workingHours { revision }").await;
        assert_eq!(offered(&server.visitor(), &service).await, ["00:00", "09:30", "10:30", "22:00", "23:00"]);
    }

    async fn the_business_is_told_why_there_is_nothing_and_what_would_help(engine) {
        let (server, _studio, owner) = studio(engine).await;
        let (service, resource) = example(&owner, json!({ "bufferMinutes": 15 }), weekly("09:00", "12:00", &["MONDAY"])).await;
        let query = "query($id: ID!, $from: DateTime!, $to: DateTime!, $minutes: Int) { \
            explainAvailability(serviceId: $id, from: $from, to: $to, durationInMinutes: $minutes) { bookableStarts totalStarts timeZone \
            findings { reason suggestedAction resourceId resourceName resourceType busyWith startDate endDate } \
            unavailableStarts { localStartDate startDate findings { reason suggestedAction busyWith resourceName startDate endDate } } } }";
        let asked = |from: &str, to: &str| json!({ "id": service, "from": from, "to": to });
        let monday = asked(&at("00:00"), "2032-03-02T00:00:00Z");
        let told = owner.data(query, monday.clone()).await["explainAvailability"].clone();
        assert_eq!((&told["bookableStarts"], &told["totalStarts"], &told["unavailableStarts"]), (&json!(5), &json!(5), &json!([])));
        book(&owner, &service, "10:00", "11:00").await;
        let told = owner.data(query, monday.clone()).await["explainAvailability"].clone();
        assert_eq!(told["bookableStarts"], 0, "{told}");
        let first = &told["unavailableStarts"][0];
        assert_eq!(first["findings"][0], json!({
            "reason": "BUFFER_TIME_ELIMINATES_WINDOWS", "suggestedAction": "REDUCE_DURATION_OR_BUFFER", "busyWith": "APPOINTMENT",
            "resourceName": "Example", "startDate": at("10:00"), "endDate": at("11:15"),
        }));
        assert_eq!(told["unavailableStarts"][1]["findings"][0]["reason"], "RESOURCE_BLOCKED");
        let tuesday = owner.data(query, asked("2032-03-02T00:00:00Z", "2032-03-03T00:00:00Z")).await["explainAvailability"].clone();
        assert_eq!(tuesday["findings"][0]["reason"], "RESOURCE_HAS_NO_WORKING_HOURS");
        assert_eq!(tuesday["findings"][0]["resourceId"], json!(resource));
        assert_eq!(tuesday["findings"][0]["suggestedAction"], "CHECK_STAFF_WORKING_HOURS");
        // Colleagues see that somebody isn't free, but not why.
        let other = server.staff(frontdesk::domain::ids::ResourceId::new());
        let told = other.data(query, monday.clone()).await["explainAvailability"].clone();
        let finding = &told["unavailableStarts"][0]["findings"][0];
        assert_eq!((&finding["resourceName"], &finding["busyWith"], &finding["startDate"]), (&json!("Example"), &Value::Null, &Value::Null));
        for client in [server.visitor(), server.member("mia")] {
            assert_eq!(client.error_code(query, monday.clone()).await, "FORBIDDEN");
        }
        for (change, argument) in [(json!({ "minutes": 61 }), "`durationInMinutes`"), (json!({ "id": frontdesk::domain::ids::ServiceId::new().to_string() }), "`serviceId`")] {
            let reply = owner.send(query, with(monday.clone(), change)).await;
            assert_eq!(reply.json["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
            assert!(reply.json["errors"][0]["message"].as_str().unwrap().starts_with(argument), "{}", reply.json);
        }
    }
}
