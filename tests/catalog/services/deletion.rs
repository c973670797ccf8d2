//! Deleting a service: counted first, with its bookings, or around what people count on.

use futures::future::join_all;
use serde_json::{Value, json};

use crate::{
    code, confirmed, done, last_event, local, on_both_engines, refused, series, studio,
    support::{Client, fixture::with},
};

const DELETED: &str = "canceledBookings service { id } impact { sessions bookings participants preservedSessions preservedBookings preservedParticipants }";

fn impact(gone: [i32; 3], kept: [i32; 3]) -> Value {
    json!({
        "sessions": gone[0], "bookings": gone[1], "participants": gone[2],
        "preservedSessions": kept[0], "preservedBookings": kept[1], "preservedParticipants": kept[2],
    })
}

async fn status(client: &Client, id: &str) -> String {
    client.booking(id).await["status"].as_str().unwrap().to_owned()
}

on_both_engines! {
    async fn a_dry_run_counts_and_writes_nothing(engine) {
        let (_server, studio, owner) = studio(engine).await;
        let booked = confirmed(&owner, studio.class(&studio.session, 3)).await;
        owner.done("createBooking", studio.class(&studio.next_session, 2)).await;
        let delete = json!({ "serviceId": studio.yoga.id.to_string(), "idempotencyKey": "k" });
        let dry = with(delete.clone(), json!({ "dryRun": true }));
        let before = owner.data("{ eventCursor services { totalCount } }", json!({})).await;
        let counted = done(&owner, "deleteService", dry.clone(), DELETED).await;
        assert_eq!(counted["impact"], impact([2, 2, 5], [0, 0, 0]));
        assert_eq!((&counted["service"], &counted["canceledBookings"]), (&Value::Null, &Value::Null));
        let kept = done(&owner, "deleteService", with(dry, json!({ "preserveFutureSessionsWithParticipants": true })), DELETED).await;
        assert_eq!(kept["impact"], impact([1, 1, 2], [1, 1, 3]));
        assert_eq!(owner.data("{ eventCursor services { totalCount } }", json!({})).await, before);
        assert_eq!(status(&owner, &booked).await, "CONFIRMED");
        // It left its key free, and the real one still asks.
        assert_eq!(code(&owner, "deleteService", delete.clone()).await, "HAS_BOOKINGS");
        let gone = done(&owner, "deleteService", with(delete, json!({ "bookings": "CANCEL" })), DELETED).await;
        assert_eq!((&gone["impact"], &gone["canceledBookings"]), (&impact([2, 2, 5], [0, 0, 0]), &json!(2)));
        assert_eq!(status(&owner, &booked).await, "CANCELED");
    }

    async fn sessions_with_participants_stay_with_their_bookings(engine) {
        let (server, studio, owner) = studio(engine).await;
        let booked = confirmed(&owner, studio.class(&studio.session, 3)).await;
        let begun = owner.done("createBooking", studio.class(&studio.session, 1)).await["id"].as_str().unwrap().to_owned();
        let delete = json!({ "serviceId": studio.yoga.id.to_string(), "preserveFutureSessionsWithParticipants": true });
        let both = with(delete.clone(), json!({ "bookings": "CANCEL" }));
        assert_eq!(refused(&owner, "deleteService", both).await["path"], json!(["bookings"]));
        let kept = done(&owner, "deleteService", delete, DELETED).await;
        assert_eq!((&kept["impact"], &kept["canceledBookings"]), (&impact([1, 1, 1], [1, 1, 3]), &json!(1)));
        assert_eq!((status(&owner, &booked).await, status(&owner, &begun).await), ("CONFIRMED".into(), "CANCELED".into()));
        let calendar = "query($ids: [ID!]) { sessions(filter: { serviceIds: $ids }) { nodes { id status resources { id } } } }";
        let sessions = owner.data(calendar, json!({ "ids": [studio.yoga.id.to_string()] })).await["sessions"]["nodes"].clone();
        let at = |id: &str| sessions.as_array().unwrap().iter().find(|session| session["id"] == id).unwrap().clone();
        let (kept, gone) = (studio.session.id.to_string(), studio.next_session.id.to_string());
        assert_eq!((at(&kept)["status"].as_str().unwrap(), at(&gone)["status"].as_str().unwrap()), ("CONFIRMED", "CANCELLED"));
        assert_eq!(at(&kept)["resources"][0]["id"], json!(studio.ben.id.to_string()), "Ben is still busy with it");
        // Nobody books it any more, not even the owner; its resource is still busy, and that of the other is free.
        assert_eq!(owner.refused("createBooking", studio.class(&studio.session, 1)).await["code"], "SESSION_NOT_FOUND");
        assert_eq!(server.visitor().refused("createBooking", studio.class(&studio.session, 1)).await["code"], "SESSION_NOT_FOUND");
        let during = |minutes| with(studio.appointment(&studio.massage, minutes, &[&studio.ben]), json!({ "status": "CONFIRMED" }));
        assert_eq!(owner.refused("createBooking", during(360)).await["code"], "SLOT_NOT_AVAILABLE");
        owner.done("createBooking", during(30 * 60)).await;
        // The business can still call it off, with the booking.
        assert_eq!(code(&owner, "cancelSession", json!({ "sessionId": gone })).await, "SESSION_NOT_FOUND");
        let called_off = done(&owner, "cancelSession", json!({ "sessionId": kept, "bookings": "CANCEL" }), "canceledBookings").await;
        assert_eq!(called_off["canceledBookings"], 1);
        assert_eq!(status(&owner, &booked).await, "CANCELED");
        owner.done("createBooking", during(360)).await;
    }

    async fn what_outlived_its_series_stands_alone(engine) {
        let (_server, studio, owner) = studio(engine).await;
        let made = series::made(&owner, series::yoga(&studio, 0, "FREQ=DAILY")).await;
        let second = series::sessions(&made)[1].clone();
        let booked = confirmed(&owner, series::seats(&second, 2)).await;
        let delete = json!({ "serviceId": studio.yoga.id.to_string(), "preserveFutureSessionsWithParticipants": true });
        let kept = done(&owner, "deleteService", delete, DELETED).await;
        assert_eq!(kept["impact"]["preservedSessions"], 1);
        let all = json!({ "sessionId": second["id"], "title": "Flow", "scope": "ALL" });
        assert_eq!(refused(&owner, "updateSession", all).await["path"], json!(["scope"]));
        let moved = json!({ "sessionId": second["id"], "localStart": local(&studio, 3000), "bookings": "MOVE" });
        done(&owner, "updateSession", moved, "session { id series { id } }").await;
        assert_eq!(owner.booking(&booked).await["startDate"], json!(studio.at(3000)));
        let taking_place = "query($ids: [ID!]) { sessions(filter: { serviceIds: $ids, status: CONFIRMED }) { totalCount } }";
        let count = owner.data(taking_place, json!({ "ids": [studio.yoga.id.to_string()] })).await;
        assert_eq!(count["sessions"]["totalCount"], 1);
    }

    async fn a_kept_booking_of_an_appointment_still_holds_its_time(engine) {
        let (_server, studio, owner) = studio(engine).await;
        let booked = confirmed(&owner, studio.appointment(&studio.massage, 0, &[&studio.ben])).await;
        let delete = json!({ "serviceId": studio.massage.id.to_string(), "preserveFutureSessionsWithParticipants": true });
        let kept = done(&owner, "deleteService", delete, DELETED).await;
        assert_eq!(kept["impact"], impact([0, 0, 0], [0, 1, 1]));
        let wish = with(studio.appointment(&studio.consultation, 0, &[&studio.ben]), json!({ "status": "CONFIRMED" }));
        assert_eq!(owner.refused("createBooking", wish.clone()).await["code"], "SLOT_NOT_AVAILABLE");
        owner.done("cancelBooking", json!({ "bookingId": booked })).await;
        owner.done("createBooking", wish).await;
    }

    async fn a_course_with_people_in_it_stays_whole(engine) {
        let (_server, studio, owner) = studio(engine).await;
        let empty = done(&owner, "createSchedule", json!({ "serviceId": studio.course.id.to_string(), "name": "Autumn" }), "schedule { id }").await["schedule"]["id"].clone();
        let session = json!({ "scheduleId": empty, "timeZone": "UTC", "localStart": "2040-01-01T10:00:00", "localEnd": "2040-01-01T11:00:00" });
        done(&owner, "createSession", session, "session { id }").await;
        let booked = confirmed(&owner, studio.enrolment(4)).await;
        let delete = json!({ "serviceId": studio.course.id.to_string(), "preserveFutureSessionsWithParticipants": true });
        let kept = done(&owner, "deleteService", delete, DELETED).await;
        assert_eq!(kept["impact"], impact([1, 0, 0], [2, 1, 4]));
        let schedules = "query($a: ID!, $b: ID!) { kept: schedule(id: $a) { remainingCapacity } gone: schedule(id: $b) { id } }";
        let found = owner.data(schedules, json!({ "a": studio.run.id.to_string(), "b": empty })).await;
        assert_eq!(found, json!({ "kept": { "remainingCapacity": 4 }, "gone": null }));
        assert_eq!(owner.booking(&booked).await["doubleBooked"], false);
        assert!(owner.refused("createBooking", studio.enrolment(1)).await["code"].as_str().unwrap().ends_with("_NOT_FOUND"));
        owner.done("cancelBooking", json!({ "bookingId": booked })).await;
    }

    async fn who_books_while_the_service_goes_keeps_a_seat_that_takes_place(engine) {
        let (_server, studio, owner) = studio(engine).await;
        let seat = with(studio.class(&studio.session, 1), json!({ "status": "CONFIRMED" }));
        let appointment = |n: i64| with(studio.appointment(&studio.massage, n * 30, &[]), json!({ "status": "CONFIRMED" }));
        let delete = |id: String| json!({ "serviceId": id, "preserveFutureSessionsWithParticipants": true });
        let seats = join_all((0..6).map(|_| owner.mutate("createBooking", seat.clone())));
        let times = join_all((0..6).map(|n| owner.mutate("createBooking", appointment(n))));
        let (seats, times, class, massage) = tokio::join!(
            seats, times,
            done(&owner, "deleteService", delete(studio.yoga.id.to_string()), DELETED),
            done(&owner, "deleteService", delete(studio.massage.id.to_string()), DELETED),
        );
        for (made, deleted) in [(seats, class), (times, massage)] {
            let kept: Vec<&str> = made.iter().filter_map(|payload| payload["booking"]["id"].as_str()).collect();
            assert_eq!(deleted["impact"]["preservedBookings"], kept.len());
            for id in kept {
                assert_eq!(status(&owner, id).await, "CONFIRMED");
            }
        }
        let session = owner.data("query($id: ID!) { session(id: $id) { status remainingCapacity } }", json!({ "id": studio.session.id.to_string() })).await["session"].clone();
        let empty = session["remainingCapacity"] == 10;
        assert_eq!(session["status"], if empty { "CANCELLED" } else { "CONFIRMED" });
    }

    async fn participants_are_told_what_the_business_has_to_say(engine) {
        let (_server, studio, owner) = studio(engine).await;
        let booked = confirmed(&owner, studio.class(&studio.session, 1)).await;
        let word = json!({ "notifyParticipants": true, "message": "We close down", "channels": ["EMAIL"] });
        let delete = json!({ "serviceId": studio.yoga.id.to_string(), "bookings": "CANCEL", "participantNotification": word });
        done(&owner, "deleteService", delete, DELETED).await;
        let query = "query($id: ID!) { booking(id: $id) { notifications { nodes { kind message } } } }";
        let told = owner.data(query, json!({ "id": booked })).await["booking"]["notifications"]["nodes"].clone();
        assert_eq!(told, json!([{ "kind": "CANCELED", "message": "We close down" }]));
        assert_eq!(last_event(&owner, &booked).await.1, ("CANCELED".into(), "CONFIRMED".into()));
    }
}
