//! What stands in the way of a booking, and what is told of it.

use serde_json::{Value, json};

use crate::{
    availability::{slots, starts},
    confirmed, done, on_both_engines, refused, studio,
    support::{Client, Studio, fixture::with},
};

/// A user error's code and message.
fn told(error: &Value) -> (&str, &str) {
    (error["code"].as_str().unwrap(), error["message"].as_str().unwrap())
}

/// A massage at a start that is said to the second, with whoever is free.
fn massage_at(studio: &Studio, start: &str) -> Value {
    let mut input = studio.appointment(&studio.massage, 0, &[]);
    input["bookedEntity"]["slot"]["appointment"]["startDate"] = json!(start);
    input
}

async fn offered(client: &Client, service: &str, from: &str, to: &str) -> Vec<Value> {
    slots(client, json!({ "ids": [service], "from": from, "to": to })).await
}

on_both_engines! {
    /// The state of every new site: nobody has set any hours.
    async fn without_hours_on_record_customers_book_what_is_offered_and_nothing_else(engine) {
        let (server, studio, owner) = studio(engine).await;
        let (visitor, ada) = (server.visitor(), server.member("ada"));
        let asked = json!({ "ids": [studio.massage.id.to_string()], "from": studio.at(0), "to": studio.at(60) });
        assert_eq!(starts(&visitor, asked).await, [studio.at(0), studio.at(30)]);
        let second = studio.at(0).replace(":00Z", ":31Z");
        let micro = studio.at(0).replace(":00Z", ":00.000001Z");
        for start in [studio.at(7), second, micro] {
            for client in [&visitor, &ada] {
                for more in [json!({}), json!({ "holdSeconds": 60 })] {
                    let error = refused(client, "createBooking", with(massage_at(&studio, &start), more)).await;
                    assert_eq!((told(&error).0, &error["nextAvailable"]), ("SLOT_NOT_AVAILABLE", &json!(studio.at(30))), "{start}");
                }
            }
        }
        let many = json!({ "bookings": [massage_at(&studio, &studio.at(7)), massage_at(&studio, &studio.at(30))] });
        let results = visitor.mutate_selecting("bulkCreateBooking", many, "results { booking { id } userErrors { code } }").await["results"].clone();
        assert_eq!((&results[0]["userErrors"][0]["code"], results[1]["booking"].is_null()), (&json!("SLOT_NOT_AVAILABLE"), false));
        let part = |minutes: i64| json!({ "slot": { "serviceId": studio.massage.id.to_string(), "startDate": studio.at(minutes) }, "totalParticipants": 1 });
        let visit = |minutes: i64| json!({ "bookings": [part(minutes), part(minutes + 30)], "contactDetails": { "firstName": "Ada" } });
        assert_eq!(told(&refused(&visitor, "createMultiServiceBooking", visit(7)).await).0, "SLOT_NOT_AVAILABLE");
        let package = done(&visitor, "createMultiServiceBooking", visit(30), "multiServiceBooking { id } visitorToken").await;
        let guest = server.visitor().with("Frontdesk-Visitor-Token", package["visitorToken"].as_str().unwrap().to_owned());
        let parts = guest.data("query($id: ID!) { multiServiceBooking(id: $id) { bookings { id } } }", json!({ "id": package["multiServiceBooking"]["id"] })).await;
        let moves = |minutes: i64| {
            let one = |(index, minutes): (usize, i64)| json!({ "bookingId": parts["multiServiceBooking"]["bookings"][index]["id"], "slot": { "serviceId": studio.massage.id.to_string(), "startDate": studio.at(minutes) } });
            json!({ "multiServiceBookingId": package["multiServiceBooking"]["id"], "bookings": [one((0, minutes)), one((1, minutes + 30))] })
        };
        assert_eq!(told(&refused(&guest, "rescheduleMultiServiceBooking", moves(67)).await).0, "SLOT_NOT_AVAILABLE");
        let booked = ada.done("createBooking", massage_at(&studio, &studio.at(0))).await;
        let to = |minutes: i64| json!({ "bookingId": booked["id"], "slot": { "appointment": { "serviceId": studio.massage.id.to_string(), "startDate": studio.at(minutes) } } });
        assert_eq!(told(&refused(&ada, "rescheduleBooking", to(67)).await).0, "SLOT_NOT_AVAILABLE");
        done(&ada, "rescheduleBooking", to(60), "booking { id }").await;
        // The business books and moves at any time.
        done(&owner, "rescheduleBooking", to(67), "booking { id }").await;
        confirmed(&owner, massage_at(&studio, &studio.at(7))).await;
        done(&owner, "createMultiServiceBooking", visit(187), "multiServiceBooking { id }").await;
    }

    /// In zones beside the full hour, and where the clocks go by half an hour, or by a whole day.
    async fn without_hours_on_record_whatever_is_offered_can_be_booked(engine) {
        let (server, studio, owner) = studio(engine).await;
        let ada = server.member("ada");
        let spans = [
            ("Asia/Kathmandu", "2032-03-01T00:00:00Z", "2032-03-02T12:00:00Z"),
            ("Australia/Lord_Howe", "2032-04-03T10:00:00Z", "2032-04-05T00:00:00Z"),
            ("America/St_Johns", "2032-11-06T20:00:00Z", "2032-11-08T08:00:00Z"),
            ("Europe/Berlin", "2032-03-27T20:00:00Z", "2032-03-29T00:00:00Z"),
        ];
        for (zone, from, to) in spans {
            done(&owner, "updateSite", json!({ "timeZone": zone }), "site { id }").await;
            for service in [&studio.massage, &studio.training, &studio.workshop] {
                let id = service.id.to_string();
                let all = offered(&ada, &id, from, to).await;
                assert!(all.len() > 50, "{zone}: {}", all.len());
                for slot in all.iter().step_by(5) {
                    let mut input = studio.appointment(service, 0, &[]);
                    input["bookedEntity"]["slot"]["appointment"]["startDate"] = slot["startDate"].clone();
                    ada.done("createBooking", input).await;
                }
            }
        }
    }

    async fn what_a_customer_starts_beside_the_offered_times_is_told_so(engine) {
        let (server, studio, owner) = studio(engine).await;
        let (visitor, none) = (server.visitor(), "the start is none of the times that are offered");
        assert_eq!(told(&refused(&visitor, "createBooking", massage_at(&studio, &studio.at(7))).await), ("SLOT_NOT_AVAILABLE", none));
        let part = |minutes: i64| json!({ "slot": { "serviceId": studio.massage.id.to_string(), "startDate": studio.at(minutes) }, "totalParticipants": 1 });
        let visit = json!({ "bookings": [part(7), part(37)], "contactDetails": { "firstName": "Ada" } });
        assert_eq!(told(&refused(&visitor, "createMultiServiceBooking", visit).await), ("SLOT_NOT_AVAILABLE", none));
        done(&owner, "setWorkingHours", json!({ "weekly": [crate::weekly("12:00", "13:00", &[])] }), "workingHours { revision }").await;
        assert_eq!(told(&refused(&visitor, "createBooking", massage_at(&studio, &studio.at(7))).await), ("SLOT_NOT_AVAILABLE", none));
        for client in [&visitor, &owner] {
            let closed = refused(client, "createBooking", massage_at(&studio, &studio.at(120))).await;
            assert_eq!(told(&closed), ("SLOT_NOT_AVAILABLE", "the time is not free"));
        }
    }

    async fn staff_keep_what_is_on_their_own_calendar_there(engine) {
        let (server, studio, owner) = studio(engine).await;
        let (anna, ben) = (server.staff(studio.anna.id), server.staff(studio.ben.id));
        let to = |booking: &Value, minutes: i64, who: &[&str]| json!({ "bookingId": booking, "slot": { "appointment": { "serviceId": studio.massage.id.to_string(), "startDate": studio.at(minutes), "resourceIds": who } } });
        let (her_id, his_id) = (studio.anna.id.to_string(), studio.ben.id.to_string());
        let hers = json!(confirmed(&owner, studio.appointment(&studio.massage, 0, &[&studio.anna])).await);
        let made = anna.done("createBooking", with(studio.appointment(&studio.massage, 60, &[&studio.anna]), json!({ "status": "CONFIRMED" }))).await["id"].clone();
        for booking in [&hers, &made] {
            let error = refused(&anna, "rescheduleBooking", to(booking, 120, &[&his_id])).await;
            assert_eq!((told(&error).0, &error["path"]), ("UNAUTHORIZED_OPERATION", &json!(["slot", "appointment", "resourceIds"])));
        }
        let skip = with(to(&hers, 120, &[&his_id]), json!({ "flowControlSettings": { "skipAvailabilityValidation": true } }));
        assert_eq!(told(&refused(&anna, "rescheduleBooking", skip).await).0, "UNAUTHORIZED_OPERATION");
        // Nor does it go to whoever is free when its own staff member isn't.
        let anybody = json!(confirmed(&owner, studio.appointment(&studio.massage, 240, &[])).await);
        confirmed(&owner, studio.appointment(&studio.massage, 300, &[&studio.anna])).await;
        assert_eq!(refused(&anna, "rescheduleBooking", to(&anybody, 300, &[])).await["path"], json!(["slot"]));
        done(&anna, "rescheduleBooking", to(&hers, 120, &[]), "booking { id }").await;
        done(&anna, "rescheduleBooking", to(&made, 150, &[&her_id]), "booking { id }").await;
        // What she made as anybody may, and what the business moves, goes anywhere.
        let wish = anna.done("createBooking", studio.appointment(&studio.massage, 180, &[&studio.ben])).await;
        done(&anna, "rescheduleBooking", to(&wish["id"], 210, &[]), "booking { id }").await;
        done(&owner, "rescheduleBooking", to(&hers, 120, &[&his_id]), "booking { id }").await;
        done(&ben, "rescheduleBooking", to(&hers, 0, &[]), "booking { id }").await;
    }

    async fn what_status_a_booking_may_be_made_with_is_told(engine) {
        let (server, studio, owner) = studio(engine).await;
        let (anna, ada) = (server.staff(studio.anna.id), server.member("ada"));
        for status in ["PENDING", "WAITING_LIST", "DECLINED", "CANCELED"] {
            for client in [&owner, &anna] {
                let input = with(studio.appointment(&studio.massage, 0, &[&studio.anna]), json!({ "status": status }));
                let error = refused(client, "createBooking", input).await;
                assert_eq!(told(&error), ("VALIDATION_FAILURE", "`status` must be CREATED or CONFIRMED"));
                assert_eq!(error["path"], json!(["status"]));
            }
            let input = with(studio.appointment(&studio.massage, 0, &[]), json!({ "status": status }));
            let error = refused(&ada, "createBooking", input).await;
            assert_eq!(told(&error), ("UNAUTHORIZED_OPERATION", "creating a booking in another status than CREATED is for the business only, and for staff on their own calendar"));
        }
        let his = with(studio.appointment(&studio.massage, 0, &[&studio.ben]), json!({ "status": "CONFIRMED" }));
        let error = refused(&anna, "createBooking", his).await;
        assert_eq!(told(&error), ("UNAUTHORIZED_OPERATION", "creating a booking as CONFIRMED is for the business only, and for staff on their own calendar"));
        anna.done("createBooking", with(studio.appointment(&studio.massage, 0, &[&studio.anna]), json!({ "status": "CREATED" }))).await;
    }

    async fn a_service_with_too_few_resources_has_no_time(engine) {
        let (server, studio, owner) = studio(engine).await;
        let visitor = server.visitor();
        done(&owner, "updateResource", json!({ "resourceId": studio.anna.id.to_string(), "bookable": false }), "resource { id }").await;
        let training = studio.appointment(&studio.training, 0, &[]);
        for client in [&visitor, &owner] {
            for more in [json!({}), json!({ "holdSeconds": 60 })] {
                let error = refused(client, "createBooking", with(training.clone(), more)).await;
                assert_eq!((told(&error).0, &error["path"], &error["nextAvailable"]), ("SLOT_NOT_AVAILABLE", &Value::Null, &Value::Null));
            }
        }
        let part = |service: &str, minutes: i64| json!({ "slot": { "serviceId": service, "startDate": studio.at(minutes) }, "totalParticipants": 1 });
        let visit = json!({ "bookings": [part(&studio.massage.id.to_string(), 0), part(&studio.training.id.to_string(), 30)], "contactDetails": { "firstName": "Ada" } });
        assert_eq!(told(&refused(&visitor, "createMultiServiceBooking", visit).await).0, "SLOT_NOT_AVAILABLE");
        let skip = json!({ "flowControlSettings": { "skipAvailabilityValidation": true } });
        assert_eq!(told(&refused(&owner, "createBooking", with(training, skip)).await).0, "CAN_NOT_SKIP_AVAILABILITY_VALIDATION_IF_RESOURCE_NOT_PROVIDED");
    }

    async fn what_is_there_but_does_not_serve_is_told_as_it_is(engine) {
        let (_server, studio, owner) = studio(engine).await;
        let named = |index: &str, who: Value| {
            let mut input = studio.appointment(&studio.massage, 0, &[&studio.anna]);
            input["bookedEntity"]["slot"]["appointment"][index] = who;
            input
        };
        let entity = "bookedEntity.slot.appointment";
        let place = |error: &Value| error["path"].as_array().unwrap().iter().map(|part| part.as_str().unwrap()).collect::<Vec<_>>().join(".");
        done(&owner, "updateResource", json!({ "resourceId": studio.ben.id.to_string(), "bookable": false }), "resource { id }").await;
        let nobody = frontdesk::domain::ids::ResourceId::new().to_string();
        for (input, code, message, at) in [
            (named("resourceIds", json!([studio.anna.id.to_string(), studio.room.id.to_string()])), "RESOURCE_NOT_FOUND", "the resource is none of those that the service takes", "resourceIds.1"),
            (named("resourceIds", json!([studio.ben.id.to_string()])), "RESOURCE_NOT_FOUND", "the resource takes no new bookings", "resourceIds.0"),
            (named("resourceIds", json!([nobody])), "RESOURCE_NOT_FOUND", "no such resource", "resourceIds.0"),
            (named("serviceId", json!(studio.yoga.id.to_string())), "SERVICE_NOT_FOUND", "the service is a class, whose sessions are booked", "serviceId"),
            (named("serviceId", json!(studio.course.id.to_string())), "SERVICE_NOT_FOUND", "the service is a course, whose schedule is booked", "serviceId"),
        ] {
            let error = refused(&owner, "createBooking", input).await;
            assert_eq!((told(&error), place(&error)), ((code, message), format!("{entity}.{at}")));
        }
        // An id of something else stands where it stands, as everywhere.
        let wrong = named("resourceIds", json!([studio.anna.id.to_string(), studio.massage.id.to_string()]));
        let error = refused(&owner, "createBooking", wrong).await;
        assert_eq!((told(&error).0, place(&error)), ("INVALID_ID", format!("{entity}.resourceIds.1")));
    }

    async fn a_contact_with_one_fault_has_one_error(engine) {
        let (_server, studio, owner) = studio(engine).await;
        for (contact, path) in [
            (json!({ "email": "no" }), json!(["contactDetails", "email"])),
            (json!({ "firstName": "x".repeat(101) }), json!(["contactDetails", "firstName"])),
            (json!({ "lastName": "x".repeat(101) }), json!(["contactDetails", "lastName"])),
            (json!({ "phone": "1" }), json!(["contactDetails"])),
            (json!({ "firstName": " " }), json!(["contactDetails"])),
        ] {
            let input = with(studio.appointment(&studio.massage, 0, &[]), json!({ "contactDetails": contact }));
            assert_eq!(refused(&owner, "createBooking", input).await["path"], path, "{contact}");
        }
    }

    async fn who_does_it_is_nobody_until_somebody_is_assigned(engine) {
        let (_server, studio, owner) = studio(engine).await;
        let query = "query($id: ID!) { booking(id: $id) { bookedEntity { ... on BookedSlot { resource { name } additionalResources { name } } } } }";
        let who = async |id: &Value| owner.data(query, json!({ "id": id })).await["booking"]["bookedEntity"].clone();
        let room = owner.done("createBooking", studio.appointment(&studio.workshop, 0, &[&studio.room])).await["id"].clone();
        assert_eq!(who(&room).await, json!({ "resource": null, "additionalResources": [{ "name": "Studio 1" }] }));
        owner.done("confirmBooking", json!({ "bookingId": room })).await;
        assert_eq!(who(&room).await, json!({ "resource": { "name": "Anna" }, "additionalResources": [{ "name": "Studio 1" }] }));
        let both = owner.done("createBooking", studio.appointment(&studio.workshop, 60, &[&studio.room, &studio.ben])).await["id"].clone();
        assert_eq!(who(&both).await, json!({ "resource": { "name": "Ben" }, "additionalResources": [{ "name": "Studio 1" }] }));
        let input = json!({
            "type": "APPOINTMENT", "name": "Court", "durations": [30], "payment": { "rateType": "NO_FEE" },
            "requiredResources": [{ "resourceType": "ROOM", "resourceIds": [studio.room.id.to_string()] }],
        });
        let court = done(&owner, "createService", input, "service { id }").await["service"]["id"].clone();
        let mut visit = studio.appointment(&studio.massage, 120, &[&studio.room]);
        visit["bookedEntity"]["slot"]["appointment"]["serviceId"] = court;
        let court = owner.done("createBooking", visit).await["id"].clone();
        assert_eq!(who(&court).await, json!({ "resource": { "name": "Studio 1" }, "additionalResources": [] }));
    }

    async fn a_blocked_time_over_a_booking_is_seen_in_the_calendar(engine) {
        let (_server, studio, owner) = studio(engine).await;
        let booked = confirmed(&owner, studio.appointment(&studio.massage, 0, &[&studio.anna])).await;
        let block = json!({ "resourceId": studio.anna.id.to_string(), "startDate": studio.at(0), "endDate": studio.at(60), "allowOverlap": true });
        let blocked = done(&owner, "createBlockedTime", block, "blockedTime { id }").await["blockedTime"]["id"].clone();
        let query = "query($from: DateTime!, $to: DateTime!) { calendar(from: $from, to: $to) { entries { __typename ... on CalendarAppointment { booking { id doubleBooked } } ... on CalendarBlockedTime { blockedTime { id } } } } }";
        let told = owner.data(query, json!({ "from": studio.at(0), "to": studio.at(60) })).await["calendar"]["entries"].clone();
        let entries = told.as_array().unwrap();
        let appointment = entries.iter().find(|one| one["__typename"] == "CalendarAppointment").unwrap();
        assert_eq!(appointment["booking"], json!({ "id": booked, "doubleBooked": false }));
        assert!(entries.iter().any(|one| one["blockedTime"]["id"] == blocked), "{told}");
    }
}
