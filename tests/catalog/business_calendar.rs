//! The business calendar: what stands on it, for whom, and when everybody is there.

use serde_json::{Value, json};

use crate::{
    code, confirmed, done, on_both_engines, refused, studio,
    support::{Client, Studio, fixture::with},
    weekly,
};

const QUERY: &str = "query($from: DateTime!, $to: DateTime!, $resources: [ID!], $zone: TimeZone, $limit: Int! = 1000) { \
    calendar(from: $from, to: $to, resourceIds: $resources, timeZone: $zone, limit: $limit) { nextFrom timeZone \
        resources { id name } workingHours { resourceId aroundTheClock times { startDate endDate } } \
        entries { __typename startDate endDate localStartDate localEndDate resourceIds title transparency \
            ... on CalendarAppointment { booking { id status } } ... on CalendarSession { session { id } } \
            ... on CalendarBlockedTime { blockedTime { id transparency } } } } }";

async fn calendar(client: &Client, variables: Value) -> Value {
    client.data(QUERY, variables).await["calendar"].clone()
}

fn window(studio: &Studio, from: i64, to: i64) -> Value {
    json!({ "from": studio.at(from), "to": studio.at(to) })
}

/// Type and title of each entry.
fn told(calendar: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let entries = calendar["entries"].as_array().unwrap();
    entries
        .iter()
        .map(|entry| (text(&entry["__typename"]), text(&entry["title"])))
        .collect()
}

fn entry(kind: &str, title: &str) -> (String, String) {
    (format!("Calendar{kind}"), title.to_owned())
}

fn block(studio: &Studio, of: &frontdesk::domain::catalog::Resource, from: i64, to: i64) -> Value {
    json!({ "resourceId": of.id.to_string(), "startDate": studio.at(from), "endDate": studio.at(to), "reason": "Dentist" })
}

on_both_engines! {
    async fn sessions_appointments_and_blocked_times_stand_on_it(engine) {
        let (server, studio, owner) = studio(engine).await;
        let massage = |minutes| studio.appointment(&studio.massage, minutes, &[&studio.anna]);
        let id = confirmed(&owner, massage(0)).await;
        let request = owner.done("createBooking", studio.appointment(&studio.consultation, 60, &[&studio.ben])).await;
        owner.done("markBookingAsPending", json!({ "bookingId": request["id"] })).await;
        // What was only begun, held or given up isn't on the calendar, nor are the people in a class.
        owner.done("createBooking", massage(120)).await;
        owner.done("createBooking", with(massage(180), json!({ "holdSeconds": 600 }))).await;
        let gone = confirmed(&owner, massage(240)).await;
        owner.done("cancelBooking", json!({ "bookingId": gone })).await;
        confirmed(&owner, studio.class(&studio.session, 3)).await;
        done(&owner, "createBlockedTime", block(&studio, &studio.room, 300, 330), "").await;
        let shown = calendar(&owner, with(window(&studio, -60, 60 * 60), json!({ "zone": "America/New_York" }))).await;
        assert_eq!(told(&shown), [
            entry("Appointment", "Massage"), entry("Appointment", "Consultation"), entry("BlockedTime", "Dentist"),
            entry("Session", "Yoga"), entry("Session", "Yoga"), entry("Session", "Course"),
        ]);
        let first = &shown["entries"][0];
        assert_eq!(first["booking"], json!({ "id": id, "status": "CONFIRMED" }));
        assert_eq!((&first["startDate"], &first["endDate"]), (&json!(studio.at(0)), &json!(studio.at(30))));
        assert_eq!(first["resourceIds"], json!([studio.anna.id.to_string()]));
        let local: jiff::Timestamp = studio.at(0).parse().unwrap();
        let local = local.to_zoned(jiff::tz::TimeZone::get("America/New_York").unwrap()).datetime().to_string();
        assert_eq!((&first["localStartDate"], &shown["timeZone"]), (&json!(local), &json!("America/New_York")));
        assert_eq!(shown["entries"][1]["booking"]["status"], "PENDING");
        let names: Vec<&str> = shown["resources"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["Anna", "Ben", "Studio 1"]);
        // By resource: the session has Ben, the course nobody.
        let of_ben = calendar(&owner, with(window(&studio, 0, 60 * 60), json!({ "resources": [studio.ben.id.to_string()] }))).await;
        assert_eq!(told(&of_ben), [entry("Appointment", "Consultation"), entry("Session", "Yoga"), entry("Session", "Yoga")]);
        assert_eq!(of_ben["resources"].as_array().unwrap().len(), 1);
        // What only touches the window isn't in it; what reaches into it is.
        assert_eq!(told(&calendar(&owner, window(&studio, 30, 60)).await), []);
        assert_eq!(told(&calendar(&owner, window(&studio, 29, 60)).await), [entry("Appointment", "Massage")]);
        let page = calendar(&owner, with(window(&studio, 0, 60 * 60), json!({ "limit": 2 }))).await;
        assert_eq!((told(&page).len(), &page["nextFrom"]), (2, &json!(studio.at(300))));
        drop(server);
    }

    async fn a_transparent_time_is_shown_and_blocks_nothing(engine) {
        let (_server, studio, owner) = studio(engine).await;
        let transparent = with(block(&studio, &studio.anna, 0, 480), json!({ "transparency": "TRANSPARENT" }));
        let made = done(&owner, "createBlockedTime", transparent, "blockedTime { id transparency }").await["blockedTime"].clone();
        assert_eq!(made["transparency"], "TRANSPARENT");
        confirmed(&owner, studio.appointment(&studio.massage, 60, &[&studio.anna])).await;
        let shown = calendar(&owner, window(&studio, 60, 120)).await;
        assert_eq!(told(&shown), [entry("BlockedTime", "Dentist"), entry("Appointment", "Massage")]);
        assert_eq!(shown["entries"][0]["transparency"], "TRANSPARENT");
        assert_eq!(shown["entries"][1]["transparency"], "OPAQUE");
        // Blocking over it is free to do, and over the booking it is not.
        assert_eq!(code(&owner, "createBlockedTime", block(&studio, &studio.anna, 60, 70)).await, "SLOT_NOT_AVAILABLE");
        done(&owner, "createBlockedTime", block(&studio, &studio.anna, 0, 30), "").await;
        done(&owner, "deleteBlockedTime", json!({ "blockedTimeId": made["id"] }), "").await;
        assert_eq!(told(&calendar(&owner, window(&studio, 60, 120)).await), [entry("Appointment", "Massage")]);
        let long = with(block(&studio, &studio.anna, 0, 60 * 24 * 367), json!({ "transparency": "TRANSPARENT" }));
        assert_eq!(refused(&owner, "createBlockedTime", long).await["path"], json!(["endDate"]));
    }

    async fn hours_are_those_that_hold(engine) {
        let (_server, studio, owner) = studio(engine).await;
        let hours = |shown: &Value, of: usize| shown["workingHours"][of].clone();
        let shown = calendar(&owner, window(&studio, 0, 24 * 60)).await;
        for of in 0..4 {
            assert_eq!((&hours(&shown, of)["aroundTheClock"], &hours(&shown, of)["times"]), (&json!(true), &json!([])));
        }
        done(&owner, "setWorkingHours", json!({ "weekly": [weekly("11:00", "14:00", &[])] }), "").await;
        done(&owner, "setWorkingHours", json!({ "resourceId": studio.ben.id.to_string(), "weekly": [weekly("13:00", "15:00", &[])] }), "").await;
        let shown = calendar(&owner, window(&studio, 0, 24 * 60)).await;
        let open = |from: i64, to: i64| json!({ "startDate": studio.at(from), "endDate": studio.at(to) });
        // The window begins at noon: the business, Anna who follows it, Ben's own, and a room that is always there.
        assert_eq!(hours(&shown, 0), json!({ "resourceId": null, "aroundTheClock": false, "times": [open(0, 120), open(23 * 60, 24 * 60)] }));
        assert_eq!(hours(&shown, 1)["times"], hours(&shown, 0)["times"]);
        assert_eq!(hours(&shown, 1)["resourceId"], json!(studio.anna.id.to_string()));
        assert_eq!(hours(&shown, 2)["times"], json!([open(60, 180)]));
        assert_eq!(hours(&shown, 3)["aroundTheClock"], true);
    }

    async fn hours_at_a_location_are_those_of_the_location(engine) {
        let (_server, studio, owner) = studio(engine).await;
        let new = |name: &str| json!({ "name": name, "formattedAddress": "Main Street 1" });
        let here = done(&owner, "createLocation", new("Here"), "location { id }").await["location"]["id"].clone();
        let there = done(&owner, "createLocation", new("There"), "location { id }").await["location"]["id"].clone();
        done(&owner, "setWorkingHours", json!({ "weekly": [weekly("11:00", "14:00", &[])] }), "").await;
        done(&owner, "setWorkingHours", json!({ "locationId": here, "weekly": [weekly("16:00", "18:00", &[])] }), "").await;
        let at = |times: Value, location: &Value| with(times, json!({ "locationId": location }));
        let ben = json!({ "resourceId": studio.ben.id.to_string(), "weekly": [
            at(weekly("13:00", "14:00", &[]), &here), at(weekly("15:00", "16:00", &[]), &there), weekly("19:00", "20:00", &[]),
        ] });
        done(&owner, "setWorkingHours", ben, "").await;
        let query = "query($from: DateTime!, $to: DateTime!, $locations: [ID!]) { calendar(from: $from, to: $to, locationIds: $locations) { \
            workingHours { resourceId aroundTheClock times { startDate endDate } } } }";
        let window = window(&studio, 0, 12 * 60);
        let open = |from: i64, to: i64| json!({ "startDate": studio.at(from), "endDate": studio.at(to) });
        let hours = async |locations: Value| {
            let shown = owner.data(query, with(window.clone(), json!({ "locations": locations }))).await;
            let times = |of: usize| shown["calendar"]["workingHours"][of]["times"].clone();
            [times(0), times(1), times(2)]
        };
        // The business or the place, Anna who follows it, and Ben's own. The window begins at noon.
        assert_eq!(hours(json!([here])).await, [
            json!([open(240, 360)]), json!([open(240, 360)]), json!([open(60, 120), open(420, 480)]),
        ]);
        assert_eq!(hours(json!([there])).await, [
            json!([open(0, 120)]), json!([open(0, 120)]), json!([open(180, 240), open(420, 480)]),
        ]);
        let both = json!([open(0, 120), open(240, 360)]);
        assert_eq!(hours(json!([here, there])).await, [both.clone(), both, json!([open(60, 120), open(180, 240), open(420, 480)])]);
        assert_eq!(hours(Value::Null).await[0], json!([open(0, 120)]));
    }

    async fn staff_see_their_own_and_customers_nothing(engine) {
        let (server, studio, owner) = studio(engine).await;
        confirmed(&owner, studio.appointment(&studio.massage, 0, &[&studio.anna])).await;
        confirmed(&owner, studio.appointment(&studio.massage, 0, &[&studio.ben])).await;
        let anna = server.staff(studio.anna.id);
        let own = calendar(&anna, window(&studio, 0, 24 * 60)).await;
        assert_eq!(told(&own), [entry("Appointment", "Massage")]);
        assert_eq!(own["entries"][0]["resourceIds"], json!([studio.anna.id.to_string()]));
        let of_ben = with(window(&studio, 0, 60), json!({ "resources": [studio.ben.id.to_string()] }));
        assert_eq!(anna.error_code(QUERY, of_ben).await, "BAD_USER_INPUT");
        for client in [server.visitor(), server.member("ada")] {
            assert_eq!(client.error_code(QUERY, window(&studio, 0, 60)).await, "FORBIDDEN");
        }
    }

    async fn a_question_that_makes_no_sense_is_refused(engine) {
        let (_server, studio, owner) = studio(engine).await;
        for (variables, argument) in [
            (window(&studio, 60, 60), "`to`"),
            (window(&studio, 0, 60 * 24 * 367), "`to`"),
            (json!({ "from": "2030-03-01T10:00", "to": "2030-03-01T12:00Z" }), "`from` is a local time: say its offset"),
            (with(window(&studio, 0, 60), json!({ "limit": 1001 })), "`limit`"),
            (with(window(&studio, 0, 60), json!({ "resources": [frontdesk::domain::ids::ResourceId::new().to_string()] })), "`resourceIds.0`"),
            (with(window(&studio, 0, 60), json!({ "zone": "Mars/Olympus" })), "`timeZone`"),
        ] {
            let reply = owner.send(QUERY, variables).await.json;
            let error = &reply["errors"][0];
            assert_eq!(error["extensions"]["code"], "BAD_USER_INPUT", "{reply}");
            let message = error["message"].as_str().unwrap();
            assert!(message.starts_with(argument) && !message.contains("left out"), "{reply}");
        }
    }
}
