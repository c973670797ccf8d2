//! The business, or one of its locations, closed for a time: a blocked time without a resource.

use serde_json::{Value, json};

use crate::{
    code, confirmed, done, on_both_engines, refused, story, studio,
    support::{Client, Studio, fixture::with},
    watching::{part, watch},
    weekly,
};

const SLOTS: &str = "query($ids: [ID!]!, $from: DateTime!, $to: DateTime!) { \
    availability(serviceIds: $ids, from: $from, to: $to, limit: 1000) { timeSlots { startDate bookable } } }";
const WHY: &str = "query($id: ID!, $from: DateTime!, $to: DateTime!) { \
    explainAvailability(serviceId: $id, from: $from, to: $to) { bookableStarts \
        unavailableStarts { startDate findings { reason suggestedAction busyWith startDate endDate } } } }";
const CALENDAR: &str = "query($from: DateTime!, $to: DateTime!, $resources: [ID!], $locations: [ID!]) { \
    calendar(from: $from, to: $to, resourceIds: $resources, locationIds: $locations) { entries { __typename resourceIds title transparency \
        ... on CalendarBlockedTime { blockedTime { id location { id } resource { id } } } } } }";

fn closing(studio: &Studio, from: i64, to: i64) -> Value {
    json!({ "startDate": studio.at(from), "endDate": studio.at(to), "reason": "Works outing" })
}

async fn close(owner: &Client, input: Value) -> Value {
    let made = done(
        owner,
        "createBlockedTime",
        input,
        "blockedTime { id revision transparency resource { id } location { id } }",
    );
    made.await["blockedTime"].clone()
}

/// The starts that are offered, in minutes from noon.
async fn offered(client: &Client, studio: &Studio, service: &str, from: i64, to: i64) -> Vec<i64> {
    let variables = json!({ "ids": [service], "from": studio.at(from), "to": studio.at(to) });
    let noon: jiff::Timestamp = studio.at(0).parse().unwrap();
    let data = client.data(SLOTS, variables).await;
    let slots = data["availability"]["timeSlots"].as_array().unwrap();
    let starts = slots.iter().map(|slot| {
        let start: jiff::Timestamp = slot["startDate"].as_str().unwrap().parse().unwrap();
        (start.as_second() - noon.as_second()) / 60
    });
    starts.collect()
}

async fn shown(client: &Client, variables: Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let data = client.data(CALENDAR, variables).await;
    let entries = data["calendar"]["entries"].as_array().unwrap();
    entries
        .iter()
        .map(|entry| (text(&entry["__typename"]), text(&entry["title"])))
        .collect()
}

on_both_engines! {
    async fn nothing_is_offered_or_booked_while_the_business_is_closed(engine) {
        let (server, studio, owner) = studio(engine).await;
        let massage = studio.massage.id.to_string();
        let ada = server.member("ada");
        // Anna is there whatever the business's hours say: she is all that a massage needs.
        done(&owner, "setWorkingHours", json!({ "resourceId": studio.anna.id.to_string(), "weekly": [weekly("12:00", "18:00", &[])] }), "").await;
        done(&owner, "setWorkingHours", json!({ "weekly": [weekly("12:00", "13:00", &[])] }), "").await;
        let before = offered(&ada, &studio, &massage, 0, 360).await;
        assert!(before.contains(&60) && before.contains(&120), "{before:?}");
        let closed = close(&owner, closing(&studio, 60, 180)).await;
        assert_eq!((&closed["resource"], &closed["location"], &closed["transparency"]), (&Value::Null, &Value::Null, &json!("OPAQUE")));
        let after = offered(&ada, &studio, &massage, 0, 360).await;
        assert!(!after.is_empty());
        // The buffer after a visit doesn't reach into it either.
        let buffer = i64::from(studio.massage.buffer_minutes);
        let expected: Vec<i64> = before.iter().copied().filter(|start| start + 30 + buffer <= 60 || *start >= 180).collect();
        assert_eq!(after, expected, "the grid is as it was");
        for client in [&ada, &owner, &server.visitor()] {
            let error = client.refused("createBooking", studio.appointment(&studio.massage, 120, &[])).await;
            assert_eq!((&error["code"], &error["conflicts"]), (&json!("SLOT_NOT_AVAILABLE"), &json!([])));
            assert_eq!(error["nextAvailable"], studio.at(180));
        }
        // By the business's own word.
        let skip = json!({ "flowControlSettings": { "skipAvailabilityValidation": true }, "status": "CONFIRMED" });
        let kept = owner.done("createBooking", with(studio.appointment(&studio.massage, 120, &[&studio.anna]), skip)).await;
        assert_eq!((&kept["status"], &kept["doubleBooked"]), (&json!("CONFIRMED"), &json!(false)));
        done(&owner, "deleteBlockedTime", json!({ "blockedTimeId": closed["id"], "expectedRevision": 1 }), "").await;
        owner.done("cancelBooking", json!({ "bookingId": kept["id"] })).await;
        assert_eq!(offered(&ada, &studio, &massage, 0, 360).await, before);
    }

    async fn without_hours_on_record_the_next_free_time_is_behind_it(engine) {
        let (server, studio, owner) = studio(engine).await;
        close(&owner, closing(&studio, 0, 100)).await;
        let error = server.visitor().refused("createBooking", studio.appointment(&studio.massage, 10, &[])).await;
        assert_eq!((&error["code"], &error["nextAvailable"]), (&json!("SLOT_NOT_AVAILABLE"), &json!(studio.at(120))));
        server.visitor().done("createBooking", studio.appointment(&studio.massage, 120, &[])).await;
    }

    async fn the_reason_is_told(engine) {
        let (server, studio, owner) = studio(engine).await;
        close(&owner, closing(&studio, 0, 240)).await;
        let asked = json!({ "id": studio.massage.id.to_string(), "from": studio.at(60), "to": studio.at(90) });
        for client in [owner, server.staff(studio.ben.id)] {
            let told = client.data(WHY, asked.clone()).await["explainAvailability"].clone();
            assert_eq!(told["bookableStarts"], 0);
            let findings = told["unavailableStarts"][0]["findings"].as_array().unwrap();
            assert!(findings.len() >= 2, "{told}");
            for finding in findings {
                assert_eq!(finding["reason"], "RESOURCE_BLOCKED");
                assert_eq!((&finding["busyWith"], &finding["suggestedAction"]), (&json!("CLOSURE"), &json!("CHECK_BLOCKED_TIME")));
                assert_eq!((&finding["startDate"], &finding["endDate"]), (&json!(studio.at(0)), &json!(studio.at(240))));
            }
        }
    }

    async fn what_is_booked_refuses_it_or_stays(engine) {
        let (_server, studio, owner) = studio(engine).await;
        let id = confirmed(&owner, studio.appointment(&studio.massage, 60, &[&studio.anna])).await;
        let error = refused(&owner, "createBlockedTime", closing(&studio, 0, 120)).await;
        assert_eq!((&error["code"], &error["conflicts"]), (&json!("SLOT_NOT_AVAILABLE"), &json!([{ "id": id }])));
        // A booking that is only begun holds nothing.
        let begun = owner.done("createBooking", studio.appointment(&studio.massage, 180, &[])).await["id"].clone();
        close(&owner, closing(&studio, 180, 240)).await;
        close(&owner, with(closing(&studio, 0, 120), json!({ "allowOverlap": true }))).await;
        let (booking, events) = story(&owner, &id).await;
        assert_eq!((&booking["status"], &booking["doubleBooked"]), (&json!("CONFIRMED"), &json!(false)));
        assert_eq!(events.len(), 2, "untouched: {events:?}");
        let check = json!({ "bookingId": begun, "checkAvailabilityValidation": true });
        assert_eq!(code(&owner, "confirmBooking", check).await, "SLOT_NOT_AVAILABLE");
        let moved = json!({ "bookingId": id, "slot": studio.appointment(&studio.massage, 190, &[])["bookedEntity"]["slot"] });
        assert_eq!(code(&owner, "rescheduleBooking", moved).await, "SLOT_NOT_AVAILABLE");
        // Nobody paid: an order for a time that is closed by now is declined.
        let decided = owner.done("confirmOrDeclineBooking", json!({ "bookingId": begun, "paymentStatus": "NOT_PAID" })).await;
        assert_eq!(decided["status"], "DECLINED");
        // What was there before it is confirmed, check or not.
        let request = owner.done("createBooking", studio.appointment(&studio.consultation, 300, &[&studio.ben])).await["id"].clone();
        owner.done("markBookingAsPending", json!({ "bookingId": request })).await;
        let over = with(closing(&studio, 290, 400), json!({ "allowOverlap": true }));
        let several = studio.consultation.online_booking.allow_multiple_requests;
        close(&owner, over).await;
        if !several {
            owner.done("confirmBooking", json!({ "bookingId": request, "checkAvailabilityValidation": true })).await;
        }
    }

    async fn sessions_stay_where_the_owner_put_them(engine) {
        let (server, studio, owner) = studio(engine).await;
        let asked = json!({ "ids": [studio.yoga.id.to_string()], "from": studio.at(-60), "to": studio.at(60 * 60) });
        let before = server.visitor().data(SLOTS, asked.clone()).await;
        close(&owner, closing(&studio, -60, 60 * 60)).await;
        assert_eq!(server.visitor().data(SLOTS, asked).await, before);
        confirmed(&owner, studio.class(&studio.session, 2)).await;
        // The owner may make one in the closed time, with whoever is there.
        let wish = json!({
            "scheduleId": studio.yoga.schedule.to_string(), "resourceIds": [studio.anna.id.to_string()],
            "timeZone": "Europe/Berlin", "localStart": crate::local(&studio, 30), "localEnd": crate::local(&studio, 60),
        });
        done(&owner, "createSession", wish, "session { id }").await;
        // And somebody's own time may be blocked in it.
        let block = with(closing(&studio, 0, 20), json!({ "resourceId": studio.anna.id.to_string() }));
        done(&owner, "createBlockedTime", block, "").await;
    }

    async fn it_is_on_everybodys_calendar_and_in_the_list(engine) {
        let (server, studio, owner) = studio(engine).await;
        let made = close(&owner, closing(&studio, 0, 120)).await;
        let transparent = close(&owner, with(closing(&studio, 200, 220), json!({ "transparency": "TRANSPARENT" }))).await;
        assert_eq!(offered(&owner, &studio, &studio.massage.id.to_string(), 120, 300).await.first(), Some(&120));
        confirmed(&owner, studio.appointment(&studio.massage, 195, &[&studio.anna])).await;
        let window = json!({ "from": studio.at(0), "to": studio.at(180) });
        let expected = vec![("CalendarBlockedTime".to_owned(), "Works outing".to_owned())];
        assert_eq!(shown(&owner, window.clone()).await, expected);
        assert_eq!(shown(&owner, with(window.clone(), json!({ "resources": [studio.ben.id.to_string()] }))).await, expected);
        let anna = server.staff(studio.anna.id);
        assert_eq!(shown(&anna, window.clone()).await, expected);
        let list = "query($filter: BlockedTimeFilter) { blockedTimes(filter: $filter) { totalCount nodes { id transparency resource { id } } } }";
        for client in [&owner, &anna] {
            let told = client.data(list, json!({})).await["blockedTimes"].clone();
            assert_eq!((&told["totalCount"], &told["nodes"][0]["id"], &told["nodes"][1]["id"]), (&json!(2), &made["id"], &transparent["id"]));
            let of_anna = json!({ "filter": { "resourceIds": [studio.anna.id.to_string()] } });
            assert_eq!(client.data(list, of_anna).await["blockedTimes"]["totalCount"], 0);
            let found = client.data("query($id: ID!) { node(id: $id) { id } }", json!({ "id": made["id"] })).await;
            assert_eq!(found["node"]["id"], made["id"]);
        }
        // Staff close nothing, and open nothing.
        assert_eq!(code(&anna, "createBlockedTime", closing(&studio, 600, 660)).await, "UNAUTHORIZED_OPERATION");
        assert_eq!(code(&anna, "deleteBlockedTime", json!({ "blockedTimeId": made["id"] })).await, "UNAUTHORIZED_OPERATION");
        let stale = json!({ "blockedTimeId": made["id"], "expectedRevision": 7 });
        assert_eq!(code(&owner, "deleteBlockedTime", stale).await, "REVISION_MISMATCH");
        let both = with(closing(&studio, 600, 660), json!({ "resourceId": studio.anna.id.to_string(), "locationId": frontdesk::domain::ids::LocationId::new().to_string() }));
        assert_eq!(refused(&owner, "createBlockedTime", both).await["path"], json!(["locationId"]));
        let nowhere = with(closing(&studio, 600, 660), json!({ "locationId": frontdesk::domain::ids::LocationId::new().to_string() }));
        let error = refused(&owner, "createBlockedTime", nowhere).await;
        assert_eq!((&error["code"], &error["path"]), (&json!("LOCATION_NOT_FOUND"), &json!(["locationId"])));
    }

    async fn who_watches_free_times_is_told(engine) {
        let (server, studio, owner) = studio(engine).await;
        let mut socket = watch(&server, &studio, &studio.massage, 0, 24 * 60).await;
        let longest = i64::from(studio.massage.durations.iter().max().unwrap() + studio.massage.buffer_minutes);
        close(&owner, with(closing(&studio, 300, 360), json!({ "transparency": "TRANSPARENT" }))).await;
        let closed = close(&owner, closing(&studio, 600, 660)).await;
        let expected = (json!(studio.at(600 - longest)), json!(studio.at(660)));
        assert_eq!(part(&mut socket).await, expected);
        done(&owner, "deleteBlockedTime", json!({ "blockedTimeId": closed["id"] }), "").await;
        assert_eq!(part(&mut socket).await, expected);
    }

    async fn a_retry_answers_as_the_first_time(engine) {
        let (_server, studio, owner) = studio(engine).await;
        let input = with(closing(&studio, 0, 120), json!({ "idempotencyKey": "closed" }));
        let first = close(&owner, input.clone()).await;
        assert_eq!(close(&owner, input).await, first);
    }

    async fn a_closed_location_leaves_the_others_open(engine) {
        let (server, studio, owner) = studio(engine).await;
        let mut places = Vec::new();
        for name in ["North", "South"] {
            let made = done(&owner, "createLocation", json!({ "name": name }), "location { id }").await;
            places.push(made["location"]["id"].clone());
        }
        let locations: Vec<Value> = places.iter().map(|id| json!({ "type": "BUSINESS", "businessLocationId": id })).collect();
        let input = json!({ "serviceId": studio.massage.id.to_string(), "locations": locations });
        done(&owner, "updateService", input, "service { id }").await;
        let at = |minutes: i64, place: usize| {
            let mut wish = studio.appointment(&studio.massage, minutes, &[&studio.anna]);
            wish["bookedEntity"]["slot"]["appointment"]["location"] = json!({ "locationId": places[place] });
            wish
        };
        let id = confirmed(&owner, at(60, 1)).await;
        let here = |place: usize| with(closing(&studio, 0, 120), json!({ "locationId": places[place] }));
        let error = refused(&owner, "createBlockedTime", here(1)).await;
        assert_eq!(error["conflicts"], json!([{ "id": id }]));
        let made = close(&owner, here(0)).await;
        assert_eq!((&made["location"]["id"], &made["resource"]), (&places[0], &Value::Null));
        let query = "query($ids: [ID!]!, $from: DateTime!, $to: DateTime!, $at: [ID!]) { \
            availability(serviceIds: $ids, from: $from, to: $to, locationIds: $at) { timeSlots { startDate } } }";
        let asked = |place: usize| json!({ "ids": [studio.massage.id.to_string()], "from": studio.at(0), "to": studio.at(30), "at": [places[place]] });
        let starts = async |place: usize| server.visitor().data(query, asked(place)).await["availability"]["timeSlots"].as_array().unwrap().len();
        assert_eq!(starts(0).await, 0);
        assert!(starts(1).await > 0);
        assert_eq!(server.visitor().refused("createBooking", at(0, 0)).await["code"], "SLOT_NOT_AVAILABLE");
        server.visitor().done("createBooking", at(0, 1)).await;
        let window = json!({ "from": studio.at(0), "to": studio.at(30) });
        for (place, entries) in [(0, 1), (1, 0)] {
            let there = with(window.clone(), json!({ "locations": [places[place]] }));
            assert_eq!(shown(&owner, there).await.len(), entries);
        }
    }
}
