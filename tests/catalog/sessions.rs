//! Sessions of classes.

use frontdesk::{
    domain::conflict::{Holder, OverlapReason},
    store::claims,
};
use serde_json::{Value, json};

use crate::{
    code, confirmed, done, last_event, local, on_both_engines, refused, story, studio,
    support::{Server, Studio, fixture::with},
};

const SESSION: &str = "session { id title startDate endDate localStart localEnd timeZone capacity remainingCapacity \
    status revision resources { id } service { name } schedule { id } }";

fn session(studio: &Studio, from: i64, to: i64) -> Value {
    json!({
        "scheduleId": studio.yoga.schedule.to_string(), "timeZone": "Europe/Berlin",
        "localStart": local(studio, from), "localEnd": local(studio, to),
    })
}

/// The reasons on record of the claims that a session holds.
async fn reasons(server: &Server) -> Vec<Option<OverlapReason>> {
    let site = server.site;
    let all = server
        .service()
        .db()
        .read(move |conn| Box::pin(claims::all(conn, site)))
        .await
        .unwrap();
    all.iter()
        .filter(|claim| matches!(claim.holder, Holder::Session(_)))
        .map(|claim| claim.overlap_reason)
        .collect()
}

on_both_engines! {
    async fn a_session_takes_its_resources(engine) {
        let (server, studio, owner) = studio(engine).await;
        let anna = json!({ "resourceIds": [studio.anna.id.to_string(), studio.room.id.to_string()] });
        let made = done(&owner, "createSession", with(session(&studio, 0, 60), anna.clone()), SESSION).await["session"].clone();
        assert_eq!((made["title"].as_str().unwrap(), &made["capacity"]), ("Yoga", &json!(10)), "the service's name and the schedule's seats");
        assert_eq!(made["startDate"], studio.at(0));
        assert_eq!(made["remainingCapacity"], 10);
        let error = owner.refused("createBooking", studio.appointment(&studio.massage, 30, &[&studio.anna])).await;
        assert_eq!(error["code"], "SLOT_NOT_AVAILABLE", "it keeps bookings out");
        let overlapping = with(session(&studio, 59, 90), anna);
        assert_eq!(code(&owner, "createSession", overlapping.clone()).await, "SLOT_NOT_AVAILABLE");
        assert!(reasons(&server).await.iter().all(Option::is_none));
        done(&owner, "createSession", with(overlapping, json!({ "allowOverlap": true })), SESSION).await;
        let on_record = reasons(&server).await.into_iter().filter(|reason| *reason == Some(OverlapReason::OwnerEdit)).count();
        assert_eq!(on_record, 2, "each overlap stands on record with its reason");
    }

    async fn a_session_in_the_hour_that_the_clock_skips_moves_forward(engine) {
        let (_server, studio, owner) = studio(engine).await;
        let of = |start: &str, end: &str| json!({
            "scheduleId": studio.yoga.schedule.to_string(), "timeZone": "Europe/Berlin",
            "localStart": format!("2030-03-31T{start}"), "localEnd": format!("2030-03-31T{end}"),
        });
        for (start, end, shown) in [("02:15", "02:45", ("03:15", "03:45")), ("01:30", "03:30", ("01:30", "03:30"))] {
            let made = done(&owner, "createSession", of(start, end), SESSION).await["session"].clone();
            let clock = |at: &Value| at.as_str().unwrap()[11..16].to_owned();
            assert_eq!((clock(&made["localStart"]).as_str(), clock(&made["localEnd"]).as_str()), shown);
        }
        let error = refused(&owner, "createSession", of("02:30", "03:30")).await;
        assert_eq!(error["message"], "`localEnd` must be after `localStart`, which the clock skips that day: it is put forward to 03:30");
        assert_eq!(refused(&owner, "createSession", of("04:30", "03:30")).await["message"], "`localEnd` must be after `localStart`");
    }

    async fn a_session_next_to_a_booking_names_it(engine) {
        let (_server, studio, owner) = studio(engine).await;
        let booking = confirmed(&owner, studio.appointment(&studio.massage, 0, &[&studio.anna])).await;
        let input = with(session(&studio, 15, 60), json!({ "resourceIds": [studio.anna.id.to_string()] }));
        let error = refused(&owner, "createSession", input).await;
        assert_eq!(error["conflicts"], json!([{ "id": booking }]));
    }

    async fn every_rule_of_a_session_is_kept(engine) {
        let (_server, studio, owner) = studio(engine).await;
        let base = session(&studio, 0, 60);
        for (change, path) in [
            (json!({ "scheduleId": studio.massage.schedule.to_string() }), "scheduleId"),
            (json!({ "scheduleId": frontdesk::domain::ids::ScheduleId::new().to_string() }), "scheduleId"),
            (json!({ "localEnd": local(&studio, 0) }), "localEnd"),
            (json!({ "localEnd": local(&studio, 32 * 24 * 60) }), "localEnd"),
            (json!({ "localStart": "tomorrow" }), "localStart"),
            (json!({ "timeZone": "Mars/Olympus" }), "timeZone"),
            (json!({ "title": "" }), "title"),
            (json!({ "capacity": 0 }), "capacity"),
            (json!({ "resourceIds": [studio.anna.id.to_string(), studio.anna.id.to_string()] }), "resourceIds.1"),
        ] {
            let error = refused(&owner, "createSession", with(base.clone(), change.clone())).await;
            let found: Vec<&str> = error["path"].as_array().unwrap().iter().map(|p| p.as_str().unwrap()).collect();
            assert_eq!(found.join("."), path, "{change}: {error}");
        }
        let course = json!({ "scheduleId": studio.run.id.to_string(), "capacity": 4 });
        assert_eq!(refused(&owner, "createSession", with(base, course)).await["path"], json!(["capacity"]));
    }

    async fn a_skipped_hour_moves_forward_and_of_a_repeated_one_the_earlier_is_meant(engine) {
        let (_server, studio, owner) = studio(engine).await;
        for (start, end, expected, shown) in [
            ("2027-03-28T02:30", "2027-03-28T04:00", "2027-03-28T01:30:00Z", "2027-03-28T03:30:00"),
            ("2027-10-31T02:30", "2027-10-31T03:30", "2027-10-31T00:30:00Z", "2027-10-31T02:30:00"),
        ] {
            let input = json!({ "scheduleId": studio.yoga.schedule.to_string(), "timeZone": "Europe/Berlin", "localStart": start, "localEnd": end });
            let made = done(&owner, "createSession", input, SESSION).await["session"].clone();
            assert_eq!((made["startDate"].as_str().unwrap(), made["localStart"].as_str().unwrap()), (expected, shown));
        }
    }

    async fn moving_a_session_with_bookings_needs_a_word_and_they_move_with_it(engine) {
        let (_server, studio, owner) = studio(engine).await;
        let booked = confirmed(&owner, studio.class(&studio.session, 2)).await;
        let begun = owner.done("createBooking", studio.class(&studio.session, 1)).await;
        let other = confirmed(&owner, studio.class(&studio.next_session, 1)).await;
        let id = studio.session.id.to_string();
        let input = json!({ "sessionId": id, "localStart": local(&studio, 600), "expectedRevision": 1 });
        let error = refused(&owner, "updateSession", input.clone()).await;
        assert_eq!((error["code"].as_str().unwrap(), &error["count"]), ("HAS_BOOKINGS", &json!(1)));
        let moved = done(&owner, "updateSession", with(input, json!({ "bookings": "MOVE" })), SESSION).await["session"].clone();
        assert_eq!((moved["startDate"].as_str().unwrap(), moved["endDate"].as_str().unwrap()), (studio.at(600).as_str(), studio.at(660).as_str()), "it stays as long as it is");
        assert_eq!(moved["remainingCapacity"], 8);
        for (id, status) in [(booked.as_str(), "CONFIRMED"), (begun["id"].as_str().unwrap(), "CREATED")] {
            let (booking, event) = last_event(&owner, id).await;
            assert_eq!((booking["startDate"].as_str().unwrap(), event), (studio.at(600).as_str(), ("RESCHEDULED".into(), status.into())));
        }
        assert_eq!(story(&owner, &other).await.1.len(), 2, "bookings of other sessions are left alone");
        assert_eq!(code(&owner, "updateSession", json!({ "sessionId": id, "title": "Late", "expectedRevision": 1 })).await, "REVISION_MISMATCH");
        // It left its old time.
        confirmed(&owner, studio.appointment(&studio.massage, 360, &[&studio.ben])).await;
    }

    async fn a_new_title_and_other_staff_reach_the_bookings_without_a_question(engine) {
        let (_server, studio, owner) = studio(engine).await;
        let booked = confirmed(&owner, studio.class(&studio.session, 2)).await;
        let input = json!({ "sessionId": studio.session.id.to_string(), "title": "Hatha", "resourceIds": [studio.anna.id.to_string()] });
        done(&owner, "updateSession", input, SESSION).await;
        let (booking, event) = last_event(&owner, &booked).await;
        assert_eq!(booking["bookedEntity"], json!({ "title": "Hatha", "resource": { "id": studio.anna.id.to_string() } }));
        assert_eq!(event, ("UPDATED".into(), "CONFIRMED".into()));
        // Ben is free then, Anna isn't.
        confirmed(&owner, studio.appointment(&studio.massage, 360, &[&studio.ben])).await;
        let error = owner.refused("createBooking", studio.appointment(&studio.massage, 360, &[&studio.anna])).await;
        assert_eq!(error["code"], "SLOT_NOT_AVAILABLE");
    }

    async fn a_session_may_be_changed_beside_an_overlap_that_was_allowed_before(engine) {
        let (_server, studio, owner) = studio(engine).await;
        confirmed(&owner, studio.appointment(&studio.massage, 0, &[&studio.anna])).await;
        let anna = json!({ "resourceIds": [studio.anna.id.to_string()], "allowOverlap": true });
        let made = done(&owner, "createSession", with(session(&studio, 0, 60), anna), SESSION).await["session"]["id"].clone();
        done(&owner, "updateSession", json!({ "sessionId": made, "title": "Beside" }), SESSION).await;
        let both = json!({ "sessionId": made, "resourceIds": [studio.anna.id.to_string(), studio.room.id.to_string()] });
        done(&owner, "updateSession", both, SESSION).await;
        let moved = json!({ "sessionId": made, "localStart": local(&studio, 15) });
        assert_eq!(code(&owner, "updateSession", moved).await, "SLOT_NOT_AVAILABLE", "a new time is a new question");
    }

    async fn cancelling_a_session_with_bookings_needs_a_word_and_they_are_canceled(engine) {
        let (_server, studio, owner) = studio(engine).await;
        let booked = confirmed(&owner, studio.class(&studio.session, 2)).await;
        let input = json!({ "sessionId": studio.session.id.to_string() });
        let error = refused(&owner, "cancelSession", input.clone()).await;
        assert_eq!((error["code"].as_str().unwrap(), &error["count"]), ("HAS_BOOKINGS", &json!(1)));
        let cancel = with(input.clone(), json!({ "bookings": "CANCEL", "idempotencyKey": "c" }));
        let selection = &format!("canceledBookings {SESSION}");
        let first = done(&owner, "cancelSession", cancel.clone(), selection).await;
        assert_eq!((&first["canceledBookings"], first["session"]["status"].as_str()), (&json!(1), Some("CANCELLED")));
        assert_eq!(done(&owner, "cancelSession", cancel, selection).await, first, "a retry answers the same");
        let (booking, event) = last_event(&owner, &booked).await;
        assert_eq!((booking["status"].as_str().unwrap(), event), ("CANCELED", ("CANCELED".into(), "CONFIRMED".into())));
        confirmed(&owner, studio.appointment(&studio.massage, 360, &[&studio.ben])).await;
        assert_eq!(code(&owner, "cancelSession", input).await, "SESSION_NOT_FOUND");
        let error = owner.refused("createBooking", studio.class(&studio.session, 1)).await;
        assert_eq!(error["code"], "SESSION_NOT_FOUND");
    }

    async fn fewer_seats_than_are_taken_put_nobody_out(engine) {
        let (server, studio, owner) = studio(engine).await;
        let first = confirmed(&owner, studio.class(&studio.session, 2)).await;
        let second = confirmed(&owner, studio.class(&studio.session, 3)).await;
        let id = studio.session.id.to_string();
        let fewer = done(&owner, "updateSession", json!({ "sessionId": id, "capacity": 4 }), SESSION).await["session"].clone();
        assert_eq!((&fewer["capacity"], &fewer["remainingCapacity"]), (&json!(4), &json!(0)));
        assert_eq!(story(&owner, &first).await.0["doubleBooked"], false, "who came first has a seat");
        let (late, event) = last_event(&owner, &second).await;
        assert_eq!((&late["doubleBooked"], event.0.as_str()), (&json!(true), "DOUBLE_BOOKED"));
        let site = server.site;
        let all = server.service().db().read(move |conn| Box::pin(claims::all(conn, site))).await.unwrap();
        let on_record: Vec<_> = all.iter().filter(|c| c.holder.booking().is_some()).map(|c| c.overlap_reason).collect();
        assert_eq!(on_record, [None, Some(OverlapReason::OwnerEdit)]);
        assert_eq!(owner.refused("createBooking", studio.class(&studio.session, 1)).await["code"], "SESSION_CAPACITY_EXCEEDED");
        done(&owner, "updateSession", json!({ "sessionId": id, "capacity": 5 }), SESSION).await;
        let (late, event) = last_event(&owner, &second).await;
        assert_eq!((&late["doubleBooked"], event.0.as_str()), (&json!(false), "DOUBLE_BOOKING_RESOLVED"));
    }

    async fn a_session_that_leaves_clears_the_flag_of_who_clashed_with_it(engine) {
        let (_server, studio, owner) = studio(engine).await;
        let begun = owner.done("createBooking", studio.appointment(&studio.massage, 0, &[&studio.anna])).await;
        let input = with(session(&studio, 0, 60), json!({ "resourceIds": [studio.anna.id.to_string()] }));
        let made = done(&owner, "createSession", input, SESSION).await["session"]["id"].clone();
        let flagged = owner.done("confirmBooking", json!({ "bookingId": begun["id"] })).await;
        assert_eq!(flagged["doubleBooked"], true);
        done(&owner, "cancelSession", json!({ "sessionId": made }), SESSION).await;
        let (booking, event) = last_event(&owner, begun["id"].as_str().unwrap()).await;
        assert_eq!((&booking["doubleBooked"], event.0.as_str()), (&json!(false), "DOUBLE_BOOKING_RESOLVED"));
    }
}
