//! Courses: runs and their sessions.

use serde_json::{Value, json};

use crate::{
    code, confirmed, done, last_event, local, on_both_engines, refused, story, studio,
    support::{Client, fixture::with},
};

const RUN: &str = "schedule { id name capacity remainingCapacity firstSessionStart lastSessionEnd revision }";

async fn sessions_of(owner: &Client, schedule: &str) -> Vec<Value> {
    let query = "query($id: ID!) { schedule(id: $id) { sessions { nodes { id startDate } } } }";
    let found = owner.data(query, json!({ "id": schedule })).await;
    found["schedule"]["sessions"]["nodes"].as_array().unwrap().clone()
}

on_both_engines! {
    async fn the_bookings_of_a_run_follow_its_sessions(engine) {
        let (_server, studio, owner) = studio(engine).await;
        let booked = confirmed(&owner, studio.enrolment(2)).await;
        let run = studio.run.id.to_string();
        let sessions = sessions_of(&owner, &run).await;
        let moved = json!({ "sessionId": sessions[1]["id"], "localStart": local(&studio, 6000) });
        done(&owner, "updateSession", moved, "session { id }").await;
        let (booking, event) = last_event(&owner, &booked).await;
        assert_eq!((booking["endDate"].as_str().unwrap(), event), (studio.at(6060).as_str(), ("UPDATED".into(), "CONFIRMED".into())));
        let seen = owner.data(&format!("query($id: ID!) {{ {}", RUN.replacen("schedule {", "schedule(id: $id) {", 1) + " }"), json!({ "id": run })).await;
        assert_eq!(seen["schedule"]["lastSessionEnd"], studio.at(6060));
        assert_eq!(seen["schedule"]["remainingCapacity"], 6);
        // One in the middle changes nothing of the whole.
        let middle = json!({ "scheduleId": run, "timeZone": "Europe/Berlin", "localStart": local(&studio, 4000), "localEnd": local(&studio, 4060) });
        done(&owner, "createSession", middle, "session { remainingCapacity }").await;
        assert_eq!(story(&owner, &booked).await.1.len(), 3);
        // Without the last it ends earlier; the booking stays.
        done(&owner, "cancelSession", json!({ "sessionId": sessions[1]["id"] }), "session { status }").await;
        let (booking, _) = last_event(&owner, &booked).await;
        assert_eq!((booking["status"].as_str().unwrap(), booking["endDate"].as_str().unwrap()), ("CONFIRMED", studio.at(4060).as_str()));
    }

    async fn a_run_without_sessions_has_no_time(engine) {
        let (_server, studio, owner) = studio(engine).await;
        let booked = confirmed(&owner, studio.enrolment(1)).await;
        for session in sessions_of(&owner, &studio.run.id.to_string()).await {
            done(&owner, "cancelSession", json!({ "sessionId": session["id"] }), "session { status }").await;
        }
        let (booking, _) = story(&owner, &booked).await;
        assert_eq!((&booking["startDate"], &booking["endDate"]), (&Value::Null, &Value::Null));
    }

    async fn a_run_without_sessions_can_not_be_booked(engine) {
        let (server, studio, owner) = studio(engine).await;
        let (visitor, ada) = (server.visitor(), server.member("ada"));
        let waiting = ada.done("createBooking", studio.enrolment(1)).await;
        let spring = done(&owner, "createSchedule", json!({ "serviceId": studio.course.id.to_string() }), RUN).await["schedule"].clone();
        let never = with(studio.enrolment(1), json!({ "bookedEntity": { "schedule": { "scheduleId": spring["id"] } } }));
        for session in sessions_of(&owner, &studio.run.id.to_string()).await {
            done(&owner, "cancelSession", json!({ "sessionId": session["id"] }), "session { status }").await;
        }
        let asked = json!({ "ids": [studio.course.id.to_string()], "from": studio.at(0), "to": studio.at(10_000) });
        assert!(crate::availability::slots(&visitor, asked).await.is_empty());
        for input in [never, studio.enrolment(1)] {
            for client in [&visitor, &ada, &owner] {
                let error = refused(client, "createBooking", input.clone()).await;
                assert_eq!((&error["code"], &error["message"]), (&json!("SLOT_NOT_AVAILABLE"), &json!("the course has no sessions")));
            }
            let at_once = with(input.clone(), json!({ "status": "CONFIRMED" }));
            assert_eq!(code(&owner, "createBooking", at_once).await, "SLOT_NOT_AVAILABLE");
            assert_eq!(code(&ada, "createBooking", with(input, json!({ "holdSeconds": 60 }))).await, "SLOT_NOT_AVAILABLE");
        }
        let check = json!({ "bookingId": waiting["id"], "checkAvailabilityValidation": true });
        assert_eq!(code(&owner, "confirmBooking", check).await, "SLOT_NOT_AVAILABLE");
        // The business may say that it knows.
        let skip = with(studio.enrolment(1), json!({ "flowControlSettings": { "skipAvailabilityValidation": true } }));
        owner.done("createBooking", skip).await;
    }

    async fn a_course_may_have_several_runs(engine) {
        let (_server, studio, owner) = studio(engine).await;
        let course = studio.course.id.to_string();
        let spring = done(&owner, "createSchedule", json!({ "serviceId": course, "name": "Spring", "capacity": 3 }), RUN).await["schedule"].clone();
        assert_eq!((&spring["capacity"], &spring["remainingCapacity"], &spring["firstSessionStart"]), (&json!(3), &json!(3), &Value::Null));
        let enrolment = with(studio.enrolment(2), json!({ "bookedEntity": { "schedule": { "scheduleId": spring["id"] } } }));
        let first = json!({ "scheduleId": spring["id"], "timeZone": "Europe/Berlin", "localStart": local(&studio, 9000), "localEnd": local(&studio, 9060) });
        done(&owner, "createSession", first, "session { id }").await;
        let booked = confirmed(&owner, enrolment).await;
        let delete = json!({ "scheduleId": spring["id"] });
        assert_eq!(code(&owner, "deleteSchedule", delete.clone()).await, "HAS_BOOKINGS");
        let gone = done(&owner, "deleteSchedule", with(delete.clone(), json!({ "bookings": "CANCEL" })), "canceledBookings schedule { name }").await;
        assert_eq!(gone["canceledBookings"], 1);
        assert_eq!(story(&owner, &booked).await.0["status"], "CANCELED");
        assert_eq!(code(&owner, "deleteSchedule", delete).await, "SCHEDULE_NOT_FOUND");
        let first = refused(&owner, "deleteSchedule", json!({ "scheduleId": studio.run.id.to_string() })).await;
        assert_eq!(first["path"], json!(["scheduleId"]), "the first run goes with the course");
        let class = refused(&owner, "createSchedule", json!({ "serviceId": studio.yoga.id.to_string() })).await;
        assert_eq!(class["path"], json!(["serviceId"]), "only courses have runs");
    }

    async fn fewer_seats_of_a_run_than_are_taken_put_nobody_out(engine) {
        let (_server, studio, owner) = studio(engine).await;
        let first = confirmed(&owner, studio.enrolment(3)).await;
        let second = confirmed(&owner, studio.enrolment(3)).await;
        let run = studio.run.id.to_string();
        let fewer = done(&owner, "updateSchedule", json!({ "scheduleId": run, "capacity": 4, "name": "Autumn", "expectedRevision": 1 }), RUN).await["schedule"].clone();
        assert_eq!((fewer["name"].as_str().unwrap(), &fewer["remainingCapacity"], &fewer["revision"]), ("Autumn", &json!(0), &json!(2)));
        assert_eq!(story(&owner, &first).await.0["doubleBooked"], false);
        assert_eq!(story(&owner, &second).await.0["doubleBooked"], true);
        done(&owner, "updateSchedule", json!({ "scheduleId": run, "capacity": 6 }), RUN).await;
        assert_eq!(story(&owner, &second).await.0["doubleBooked"], false);
        assert_eq!(code(&owner, "updateSchedule", json!({ "scheduleId": run, "capacity": 9, "expectedRevision": 1 })).await, "REVISION_MISMATCH");
        let class = json!({ "scheduleId": studio.yoga.schedule.to_string(), "capacity": 9 });
        assert_eq!(refused(&owner, "updateSchedule", class).await["path"], json!(["capacity"]), "a class's seats are its service's");
    }

    async fn deleting_a_course_takes_its_sessions_and_bookings(engine) {
        let (_server, studio, owner) = studio(engine).await;
        let booked = confirmed(&owner, studio.enrolment(1)).await;
        let input = json!({ "serviceId": studio.course.id.to_string(), "bookings": "CANCEL" });
        assert_eq!(done(&owner, "deleteService", input, "canceledBookings").await["canceledBookings"], 1);
        assert_eq!(story(&owner, &booked).await.0["status"], "CANCELED");
        let filter = json!({ "filter": { "serviceIds": [studio.course.id.to_string()], "status": "CONFIRMED" } });
        let left = owner.data("query($filter: SessionFilter) { sessions(filter: $filter) { totalCount } }", filter).await;
        assert_eq!(left["sessions"]["totalCount"], 0);
    }
}
