//! Acceptance scenarios of `spec/bookings.md` §11.4, by their numbers.

use serde_json::json;

use crate::{
    on_both_engines,
    support::{Server, Studio, client::mutation, id, ids, on, with},
};

on_both_engines! {
    async fn scenario_5_what_skipped_the_check_is_confirmed_unflagged_though_unpaid(engine) {
        let server = Server::start(engine).await;
        let studio = Studio::open(&server).await;
        let owner = server.owner();
        let first = owner.confirmed(studio.class(&studio.session, 9)).await;
        let skip = json!({ "flowControlSettings": { "skipAvailabilityValidation": true } });
        let second = owner.done("createBooking", with(studio.class(&studio.session, 4), skip)).await;
        let input = with(on(&second), json!({ "paymentStatus": "NOT_PAID" }));
        let decided = owner.done("confirmOrDeclineBooking", input).await;
        assert_eq!((&decided["status"], &decided["doubleBooked"]), (&json!("CONFIRMED"), &json!(false)));
        assert_eq!(ids(&decided["conflicts"]), [id(&first)], "the overlap is on record");
        assert_eq!(owner.again(&first).await["revision"], first["revision"], "nobody else was touched");
    }

    async fn scenario_6_a_pending_request_takes_its_time_unless_several_may_wait(engine) {
        let server = Server::start(engine).await;
        let studio = Studio::open(&server).await;
        let owner = server.owner();
        let wish = studio.appointment(&studio.consultation, 0, &[&studio.anna]);
        let pending = owner.done("createBooking", wish.clone()).await;
        let pending = owner.done("markBookingAsPending", on(&pending)).await;
        assert_eq!(pending["status"], "PENDING");
        let error = server.visitor().refused("createBooking", wish).await;
        assert_eq!(error["code"], "SLOT_NOT_AVAILABLE");

        let wish = studio.appointment(&studio.audition, 60, &[&studio.anna]);
        let first = owner.done("createBooking", wish.clone()).await;
        owner.done("markBookingAsPending", on(&first)).await;
        let second = server.visitor().done("createBooking", wish.clone()).await;
        let second = owner.done("markBookingAsPending", on(&second)).await;
        assert_eq!((&second["status"], &second["doubleBooked"]), (&json!("PENDING"), &json!(false)));
        owner.done("confirmBooking", on(&first)).await;
        let error = server.visitor().refused("createBooking", wish).await;
        assert_eq!(error["code"], "SLOT_NOT_AVAILABLE", "one of them got it");
    }

    async fn scenario_8_what_is_decided_cant_be_confirmed(engine) {
        let server = Server::start(engine).await;
        let studio = Studio::open(&server).await;
        let owner = server.owner();
        for (minutes, act) in [(0, "declineBooking"), (60, "cancelBooking"), (120, "confirmBooking")] {
            let booking = owner.done("createBooking", studio.appointment(&studio.massage, minutes, &[])).await;
            owner.done(act, on(&booking)).await;
            let before = server.rows(id(&booking)).await;
            let error = owner.refused("confirmBooking", on(&booking)).await;
            assert_eq!(error["code"], "INVALID_BOOKING_STATUS", "{act}");
            assert_eq!(server.rows(id(&booking)).await, before, "no revision, no event");
        }
    }

    async fn scenario_9_a_stale_revision_changes_nothing(engine) {
        let server = Server::start(engine).await;
        let studio = Studio::open(&server).await;
        let owner = server.owner();
        let booking = owner.done("createBooking", studio.class(&studio.session, 1)).await;
        owner.done("updateNumberOfParticipants", with(on(&booking), json!({ "totalParticipants": 2 }))).await;
        let before = server.rows(id(&booking)).await;
        let slot = json!({ "session": { "sessionId": studio.next_session.id.to_string() } });
        for (act, more) in [
            ("confirmBooking", json!({})),
            ("declineBooking", json!({})),
            ("confirmOrDeclineBooking", json!({})),
            ("cancelBooking", json!({})),
            ("markBookingAsPending", json!({})),
            ("rescheduleBooking", json!({ "slot": slot })),
            ("updateNumberOfParticipants", json!({ "totalParticipants": 3 })),
        ] {
            for stale in [1, 3, 0, -1] {
                let input = with(with(on(&booking), more.clone()), json!({ "expectedRevision": stale }));
                let error = owner.refused(act, input).await;
                assert_eq!(error["__typename"], "RevisionMismatch", "{act}");
                assert_eq!(error["code"], "BOOKING_REVISION_MISMATCH", "{act}");
                assert_eq!((&error["current"], &error["path"]), (&json!(2), &json!(["expectedRevision"])), "{act}");
            }
        }
        assert_eq!(server.rows(id(&booking)).await, before);
        let input = with(on(&booking), json!({ "expectedRevision": 2 }));
        assert_eq!(owner.done("confirmBooking", input).await["revision"], 3);
    }

    async fn scenario_10_only_services_with_approval_have_pending_bookings_unless_overridden(engine) {
        let server = Server::start(engine).await;
        let studio = Studio::open(&server).await;
        let owner = server.owner();
        let booking = owner.done("createBooking", studio.appointment(&studio.massage, 0, &[])).await;
        let before = server.rows(id(&booking)).await;
        let error = owner.refused("markBookingAsPending", on(&booking)).await;
        assert_eq!((&error["code"], &error["path"]), (&json!("NOT_PENDING_APPROVAL_SERVICE"), &json!(["bookingId"])));
        assert_eq!(server.rows(id(&booking)).await, before);
        let skip = json!({ "flowControlSettings": { "skipPendingApprovalServiceValidation": true } });
        let pending = owner.done("markBookingAsPending", with(on(&booking), skip)).await;
        assert_eq!(pending["status"], "PENDING");
        assert_eq!(server.claims_of(id(&booking)).await.len(), 1, "it is on the calendar");
    }

    async fn scenario_11_marking_as_pending_on_a_taken_time_flags(engine) {
        let server = Server::start(engine).await;
        let studio = Studio::open(&server).await;
        let owner = server.owner();
        let wish = studio.appointment(&studio.consultation, 0, &[&studio.anna]);
        let second = owner.done("createBooking", wish.clone()).await;
        let first = owner.confirmed(wish).await;
        let pending = owner.done("markBookingAsPending", on(&second)).await;
        assert_eq!((&pending["status"], &pending["doubleBooked"]), (&json!("PENDING"), &json!(true)));
        assert_eq!(ids(&pending["conflicts"]), [id(&first)]);
        assert_eq!(owner.again(&first).await["doubleBooked"], false);
    }

    async fn scenario_12_only_the_business_makes_confirmed_bookings(engine) {
        let server = Server::start(engine).await;
        let studio = Studio::open(&server).await;
        let wish = studio.appointment(&studio.massage, 0, &[&studio.anna]);
        for customer in [server.visitor(), server.member("ada")] {
            for status in ["CONFIRMED", "PENDING", "WAITING_LIST", "DECLINED", "CANCELED"] {
                let error = customer.refused("createBooking", with(wish.clone(), json!({ "status": status }))).await;
                assert_eq!((&error["code"], &error["path"]), (&json!("UNAUTHORIZED_OPERATION"), &json!(["status"])));
            }
        }
        for status in ["PENDING", "WAITING_LIST", "DECLINED", "CANCELED"] {
            let error = server.owner().refused("createBooking", with(wish.clone(), json!({ "status": status }))).await;
            assert_eq!((&error["code"], &error["path"]), (&json!("VALIDATION_FAILURE"), &json!(["status"])), "not even the owner makes one as {status}");
        }
        assert_eq!((server.bookings().await, server.position().await), (0, 0));
        for (minutes, business) in [(0, server.owner()), (60, server.app()), (120, server.staff(studio.anna.id))] {
            let input = studio.appointment(&studio.massage, minutes, &[&studio.anna]);
            let made = business.done("createBooking", with(input, json!({ "status": "CONFIRMED" }))).await;
            assert_eq!((&made["status"], &made["revision"]), (&json!("CONFIRMED"), &json!(1)));
            assert_eq!(server.claims_of(id(&made)).await.len(), 1, "on the calendar");
        }
    }

    async fn scenario_13_the_schema_has_no_place_for_a_payment_status_at_creation(engine) {
        let server = Server::start(engine).await;
        let studio = Studio::open(&server).await;
        let wish = studio.appointment(&studio.massage, 0, &[]);
        let query = mutation("createBooking", "booking { id }");
        let input = with(wish.clone(), json!({ "paymentStatus": "PAID" }));
        assert_eq!(server.owner().error_code(&query, json!({ "input": input })).await, "BAD_USER_INPUT");
        assert_eq!(server.bookings().await, 0);
        assert_eq!(server.owner().done("createBooking", wish).await["paymentStatus"], "UNDEFINED");
    }

    async fn scenario_14_a_session_says_its_dates_and_the_schema_takes_no_others(engine) {
        let server = Server::start(engine).await;
        let studio = Studio::open(&server).await;
        let query = mutation("createBooking", "booking { id }");
        for more in [
            json!({ "startDate": studio.at(0) }), json!({ "endDate": studio.at(0) }), json!({ "resourceIds": [] }),
        ] {
            let mut input = studio.class(&studio.session, 1);
            let slot = &mut input["bookedEntity"]["slot"]["session"];
            *slot = with(slot.clone(), more);
            assert_eq!(server.visitor().error_code(&query, json!({ "input": input })).await, "BAD_USER_INPUT");
        }
        assert_eq!(server.bookings().await, 0);
        let made = server.visitor().done("createBooking", studio.class(&studio.session, 1)).await;
        assert_eq!(made["startDate"], studio.session.span.start().to_string());
        assert_eq!(made["endDate"], studio.session.span.end().to_string());
        assert_eq!(made["bookedEntity"]["title"], "Yoga");
        assert_eq!(made["bookedEntity"]["resource"]["name"], "Ben");
        assert_eq!(made["bookedEntity"]["timeZone"], "Europe/Berlin");
    }

    async fn scenario_15_seats_are_counted_and_created_bookings_hold_none(engine) {
        let server = Server::start(engine).await;
        let studio = Studio::open(&server).await;
        server.owner().confirmed(studio.class(&studio.session, 8)).await;
        let visitor = server.visitor();
        let error = visitor.refused("createBooking", studio.class(&studio.session, 3)).await;
        assert_eq!(error["__typename"], "CapacityExceeded");
        assert_eq!(error["code"], "SESSION_CAPACITY_EXCEEDED");
        assert_eq!((&error["requested"], &error["remaining"]), (&json!(3), &json!(2)));
        for _ in 0..3 {
            visitor.done("createBooking", studio.class(&studio.session, 2)).await;
        }
        server.owner().confirmed(studio.enrolment(7)).await;
        let error = visitor.refused("createBooking", studio.enrolment(2)).await;
        assert_eq!(error["code"], "SCHEDULE_CAPACITY_EXCEEDED");
        assert_eq!((&error["requested"], &error["remaining"]), (&json!(2), &json!(1)));
    }

    async fn scenario_16_courses_stay_where_they_are_and_appointments_have_no_seats(engine) {
        let server = Server::start(engine).await;
        let studio = Studio::open(&server).await;
        let owner = server.owner();
        let course = owner.confirmed(studio.enrolment(1)).await;
        let slot = json!({ "slot": { "session": { "sessionId": studio.session.id.to_string() } } });
        let error = owner.refused("rescheduleBooking", with(on(&course), slot)).await;
        assert_eq!(error["code"], "RESCHEDULING_NOT_ALLOWED");
        let massage = owner.confirmed(studio.appointment(&studio.massage, 0, &[])).await;
        let two = json!({ "totalParticipants": 2 });
        let error = owner.refused("updateNumberOfParticipants", with(on(&massage), two)).await;
        assert_eq!(error["code"], "VALIDATION_FAILURE");
    }

    async fn scenario_17_participants_are_given_once(engine) {
        let server = Server::start(engine).await;
        let studio = Studio::open(&server).await;
        let visitor = server.visitor();
        let groups = json!([{ "numberOfParticipants": 2 }, { "numberOfParticipants": 1 }]);
        let mut neither = studio.class(&studio.session, 1);
        neither.as_object_mut().unwrap().remove("totalParticipants");
        let both = with(studio.class(&studio.session, 1), json!({ "participantsChoices": groups }));
        for input in [neither.clone(), both] {
            let error = visitor.refused("createBooking", input).await;
            assert_eq!((&error["code"], &error["path"]), (&json!("VALIDATION_FAILURE"), &json!(["totalParticipants"])));
        }
        assert_eq!(server.bookings().await, 0);
        let made = visitor.done("createBooking", with(neither, json!({ "participantsChoices": groups }))).await;
        assert_eq!(made["totalParticipants"], 3);
    }

    async fn scenario_27_a_bulk_call_makes_what_it_can_and_refuses_what_is_malformed_as_a_whole(engine) {
        let server = Server::start(engine).await;
        let studio = Studio::open(&server).await;
        let owner = server.owner();
        let taken = studio.appointment(&studio.massage, 0, &[&studio.anna]);
        let rival = owner.confirmed(taken.clone()).await;
        let (made, position) = (server.bookings().await, server.position().await);
        let free = |minutes| studio.appointment(&studio.massage, minutes, &[&studio.anna]);
        let selection = "totalSuccesses totalFailures userErrors { code path } results { originalIndex \
            booking { id startDate } userErrors { code path ... on SlotNotAvailable { conflicts { id } nextAvailable } } }";
        let input = json!({ "bookings": [free(60), taken.clone(), free(120)] });
        let payload = owner.mutate_selecting("bulkCreateBooking", input, selection).await;
        assert_eq!((&payload["totalSuccesses"], &payload["totalFailures"]), (&json!(2), &json!(1)));
        assert_eq!(payload["userErrors"], json!([]));
        let results = payload["results"].as_array().unwrap();
        for (index, result) in results.iter().enumerate() {
            assert_eq!(result["originalIndex"], index);
        }
        assert_eq!(results[0]["booking"]["startDate"], studio.at(60));
        assert_eq!(results[2]["booking"]["startDate"], studio.at(120));
        assert_eq!(results[1]["booking"], json!(null));
        assert_eq!(results[1]["userErrors"][0]["code"], "SLOT_NOT_AVAILABLE");
        assert_eq!(ids(&results[1]["userErrors"][0]["conflicts"]), [id(&rival)]);
        assert_eq!(results[1]["userErrors"][0]["nextAvailable"], studio.at(30));
        assert_eq!((server.bookings().await, server.position().await), (made + 2, position + 2));

        let malformed = with(free(180), json!({ "totalParticipants": 0 }));
        let input = json!({ "bookings": [free(180), free(240), malformed] });
        let payload = owner.mutate_selecting("bulkCreateBooking", input, selection).await;
        assert_eq!(payload["results"], json!([]));
        assert_eq!(payload["userErrors"][0]["code"], "VALIDATION_FAILURE");
        assert_eq!(payload["userErrors"][0]["path"], json!(["bookings", "2", "totalParticipants"]));
        assert_eq!((server.bookings().await, server.position().await), (made + 2, position + 2), "nothing was made");

        let mut incomplete = free(180);
        incomplete.as_object_mut().unwrap().remove("bookedEntity");
        let query = mutation("bulkCreateBooking", "results { booking { id } }");
        let input = json!({ "input": { "bookings": [free(180), incomplete] } });
        assert_eq!(owner.error_code(&query, input).await, "BAD_USER_INPUT", "a missing field is a type error");
        assert_eq!(server.bookings().await, made + 2);
    }

    async fn what_one_booking_of_a_bulk_call_takes_is_gone_for_the_next(engine) {
        let server = Server::start(engine).await;
        let studio = Studio::open(&server).await;
        let one = with(studio.class(&studio.session, 6), json!({ "status": "CONFIRMED" }));
        let input = json!({ "bookings": [one.clone(), one] });
        let selection = "totalSuccesses results { userErrors { code ... on CapacityExceeded { remaining } } }";
        let payload = server.owner().mutate_selecting("bulkCreateBooking", input, selection).await;
        assert_eq!(payload["totalSuccesses"], 1);
        assert_eq!(payload["results"][1]["userErrors"][0]["code"], "SESSION_CAPACITY_EXCEEDED");
        assert_eq!(payload["results"][1]["userErrors"][0]["remaining"], 4);
    }
}
