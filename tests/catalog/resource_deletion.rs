//! Deleting a resource that others take over from: counted first, as a whole, and under way.

use frontdesk::domain::ids::{ResourceId, TypedId as _};
use futures::future::join_all;
use serde_json::{Value, json};

use crate::{
    ERRORS, code, confirmed, done, last_event, on_both_engines, refused, series, story, studio,
    support::{Client, fixture::with},
};

const DELETED: &str = "resource { id } impact { bookings sessions }";

async fn staff(owner: &Client, name: &str) -> String {
    let made = done(
        owner,
        "createResource",
        json!({ "type": "STAFF", "name": name }),
        "resource { id }",
    )
    .await;
    made["resource"]["id"].as_str().unwrap().to_owned()
}

/// Who serves a booking.
async fn server_of(client: &Client, id: &str) -> Value {
    story(client, id).await.0["bookedEntity"]["resource"]["id"].clone()
}

on_both_engines! {
    async fn all_that_it_serves_passes_to_another(engine) {
        let (server, studio, owner) = studio(engine).await;
        let zoe = staff(&owner, "Zoe").await;
        let (ben, ben_id) = (&studio.ben, studio.ben.id.to_string());
        let visit = confirmed(&owner, studio.appointment(&studio.massage, 30, &[ben])).await;
        let held = owner.done("createBooking", with(studio.appointment(&studio.massage, 60, &[ben]), json!({ "holdSeconds": 600 }))).await;
        let begun = owner.done("createBooking", studio.appointment(&studio.massage, 90, &[ben])).await["id"].as_str().unwrap().to_owned();
        let yoga = confirmed(&owner, studio.class(&studio.session, 2)).await;
        let delete = json!({ "resourceId": ben_id, "idempotencyKey": "k" });
        let refusal = refused(&owner, "deleteResource", delete.clone()).await;
        assert_eq!((&refusal["code"], &refusal["count"]), (&json!("HAS_BOOKINGS"), &json!(4)));
        assert_eq!(refusal["message"], "2 bookings and 2 sessions are in the way");
        let cursor = owner.data("{ eventCursor }", json!({})).await;
        let dry = with(delete.clone(), json!({ "dryRun": true }));
        let counted = done(&owner, "deleteResource", dry.clone(), DELETED).await;
        assert_eq!(counted, json!({ "resource": null, "impact": { "bookings": 3, "sessions": 2 }, "userErrors": [] }), "what is only begun is in nobody's way");
        let counted = done(&owner, "deleteResource", with(dry, json!({ "reassignTo": zoe })), DELETED).await;
        assert_eq!(counted["impact"], json!({ "bookings": 4, "sessions": 2 }));
        assert_eq!(owner.data("{ eventCursor }", json!({})).await, cursor, "nothing was written");
        let gone = with(delete, json!({ "reassignTo": zoe }));
        let deleted = done(&owner, "deleteResource", gone.clone(), DELETED).await;
        assert_eq!((&deleted["resource"]["id"], &deleted["impact"]), (&json!(ben_id), &json!({ "bookings": 4, "sessions": 2 })));
        assert_eq!(done(&owner, "deleteResource", gone, DELETED).await, deleted, "a replay tells the same");
        let held = held["id"].as_str().unwrap().to_owned();
        for (id, event) in [(&visit, "RESCHEDULED"), (&held, "RESCHEDULED"), (&begun, "RESCHEDULED"), (&yoga, "UPDATED")] {
            let (booking, (last, _)) = last_event(&owner, id).await;
            assert_eq!((booking["bookedEntity"]["resource"]["id"].as_str().unwrap(), last.as_str()), (zoe.as_str(), event));
        }
        let told = owner.data(
            "query($id: ID!) { sessions(filter: { resourceIds: [$id] }) { nodes { resources { name } } } bookings(filter: { status: { eq: CONFIRMED } }) { totalCount } }",
            json!({ "id": zoe }),
        ).await;
        assert_eq!(told["sessions"]["nodes"], json!([{ "resources": [{ "name": "Zoe" }] }, { "resources": [{ "name": "Zoe" }] }]));
        // What was claimed of the one is claimed of the other, and nothing any more of the one.
        let staff = server.staff(ResourceId::parse(&zoe).unwrap());
        assert_eq!(server_of(&staff, &visit).await, json!(zoe), "it is on her calendar");
        let put = json!({ "serviceId": studio.massage.id.to_string(), "resourceIds": [zoe] });
        done(&owner, "updateService", put, "service { id }").await;
        let again = |minutes| with(studio.appointment(&studio.massage, minutes, &[]), json!({ "status": "CONFIRMED" }));
        assert_eq!(owner.refused("createBooking", again(30)).await["code"], "SLOT_NOT_AVAILABLE");
        assert_eq!(owner.refused("createBooking", again(60)).await["code"], "SLOT_NOT_AVAILABLE", "the hold passed, too");
        assert_eq!(owner.refused("createBooking", again(360)).await["code"], "SLOT_NOT_AVAILABLE", "the session passed, too");
        done(&owner, "confirmBooking", json!({ "bookingId": begun }), "booking { id }").await;
        assert_eq!(server_of(&owner, &begun).await, json!(zoe));
        assert_eq!(code(&owner, "deleteResource", json!({ "resourceId": ben_id })).await, "RESOURCE_NOT_FOUND");
    }

    async fn it_is_refused_as_a_whole_where_the_other_is_not_free(engine) {
        let (_server, studio, owner) = studio(engine).await;
        let zoe = staff(&owner, "Zoe").await;
        let fits = confirmed(&owner, studio.appointment(&studio.massage, 30, &[&studio.ben])).await;
        let blocked = confirmed(&owner, studio.appointment(&studio.massage, 60, &[&studio.ben])).await;
        let block = json!({ "resourceId": zoe, "startDate": studio.at(75), "endDate": studio.at(80) });
        done(&owner, "createBlockedTime", block, "blockedTime { id }").await;
        let block = json!({ "resourceId": zoe, "startDate": studio.at(370), "endDate": studio.at(380) });
        done(&owner, "createBlockedTime", block, "blockedTime { id }").await;
        let delete = |to: &str| json!({ "resourceId": studio.ben.id.to_string(), "reassignTo": to });
        for dry in [true, false] {
            let refusal = refused(&owner, "deleteResource", with(delete(&zoe), json!({ "dryRun": dry }))).await;
            assert_eq!((&refusal["__typename"], &refusal["code"]), (&json!("ReassignmentConflict"), &json!("SLOT_NOT_AVAILABLE")));
            assert_eq!(refusal["path"], json!(["reassignTo"]));
            assert_eq!(refusal["bookings"], json!([{ "id": blocked }]));
            assert_eq!(refusal["sessions"], json!([{ "id": studio.session.id.to_string() }]));
        }
        assert_eq!(server_of(&owner, &fits).await, json!(studio.ben.id.to_string()), "nothing passed");
        let ben = studio.ben.id.to_string();
        for (to, code, path) in [
            (ben.as_str(), "VALIDATION_FAILURE", "reassignTo"),
            (&studio.room.id.to_string(), "VALIDATION_FAILURE", "reassignTo"),
            ("resource_01h455vb4pex5vsknk084sn02q", "RESOURCE_NOT_FOUND", "reassignTo"),
        ] {
            let refusal = refused(&owner, "deleteResource", delete(to)).await;
            assert_eq!((&refusal["code"], &refusal["path"]), (&json!(code), &json!([path])));
        }
    }

    async fn who_serves_a_booking_already_cant_take_its_second_place(engine) {
        let (_server, studio, owner) = studio(engine).await;
        let (zoe, kim) = (staff(&owner, "Zoe").await, staff(&owner, "Kim").await);
        let input = json!({
            "type": "APPOINTMENT", "name": "Four hands", "durations": [30], "staffMemberIds": [zoe, kim], "requiredStaffMembersNumber": 2,
            "payment": { "rateType": "NO_FEE" },
        });
        let service = done(&owner, "createService", input, "service { id }").await["service"]["id"].clone();
        let wish = json!({
            "bookedEntity": { "slot": { "appointment": { "serviceId": service, "startDate": studio.at(0) } } },
            "contactDetails": { "firstName": "Ada" }, "totalParticipants": 1,
        });
        let booked = confirmed(&owner, wish).await;
        let refusal = refused(&owner, "deleteResource", json!({ "resourceId": zoe, "reassignTo": kim })).await;
        assert_eq!((&refusal["code"], &refusal["bookings"]), (&json!("SLOT_NOT_AVAILABLE"), &json!([{ "id": booked }])));
        done(&owner, "deleteResource", json!({ "resourceId": zoe, "reassignTo": studio.anna.id.to_string() }), DELETED).await;
        assert_eq!(server_of(&owner, &booked).await, json!(studio.anna.id.to_string()));
    }

    async fn requests_that_wait_for_one_time_pass_together(engine) {
        let (_server, studio, owner) = studio(engine).await;
        let zoe = staff(&owner, "Zoe").await;
        let mut waiting = Vec::new();
        for _ in 0..2 {
            let id = owner.done("createBooking", studio.appointment(&studio.audition, 0, &[])).await["id"].as_str().unwrap().to_owned();
            done(&owner, "markBookingAsPending", json!({ "bookingId": id }), "booking { id }").await;
            waiting.push(id);
        }
        done(&owner, "deleteResource", json!({ "resourceId": studio.anna.id.to_string(), "reassignTo": zoe }), DELETED).await;
        for id in &waiting {
            assert_eq!(server_of(&owner, id).await, json!(zoe));
        }
        // The service doesn't name her: whoever has the booking keeps it all the same.
        done(&owner, "confirmBooking", json!({ "bookingId": waiting[0] }), "booking { id }").await;
        assert_eq!(server_of(&owner, &waiting[0]).await, json!(zoe));
    }

    async fn who_was_only_asked_for_is_not_asked_for_any_more(engine) {
        let (_server, studio, owner) = studio(engine).await;
        let mut begun = Vec::new();
        for minutes in [0, 120] {
            let made = owner.done("createBooking", studio.appointment(&studio.massage, minutes, &[&studio.anna])).await;
            begun.push(made["id"].as_str().unwrap().to_owned());
        }
        let anna = json!({ "resourceId": studio.anna.id.to_string() });
        let counted = done(&owner, "deleteResource", with(anna.clone(), json!({ "dryRun": true })), DELETED).await;
        assert_eq!(counted["impact"], json!({ "bookings": 0, "sessions": 0 }), "nothing is in the way");
        done(&owner, "deleteResource", anna, DELETED).await;
        let paid = json!({ "bookingId": begun[0], "paymentStatus": "PAID" });
        assert_eq!(owner.done("confirmOrDeclineBooking", paid).await["status"], "CONFIRMED");
        assert_eq!(server_of(&owner, &begun[0]).await, json!(studio.ben.id.to_string()));
        let slot = json!({ "appointment": { "serviceId": studio.massage.id.to_string(), "startDate": studio.at(240) } });
        let moved = owner.done("rescheduleBooking", json!({ "bookingId": begun[1], "slot": slot })).await;
        assert_eq!(moved["startDate"], studio.at(240));
    }

    async fn a_series_goes_on_with_the_other(engine) {
        let (_server, studio, owner) = studio(engine).await;
        let zoe = staff(&owner, "Zoe").await;
        let anna = json!({ "resourceIds": [studio.anna.id.to_string()] });
        let made = series::made(&owner, with(series::yoga(&studio, 0, "FREQ=DAILY;COUNT=3"), anna)).await;
        let deleted = done(&owner, "deleteResource", json!({ "resourceId": studio.anna.id.to_string(), "reassignTo": zoe }), DELETED).await;
        assert_eq!(deleted["impact"]["sessions"], 3);
        let first = series::sessions(&made)[0]["id"].clone();
        let moved = json!({ "sessionId": first, "title": "Calm", "scope": "ALL" });
        done(&owner, "updateSession", moved, "session { id }").await;
        let told = owner.data("query($id: ID!) { sessions(filter: { resourceIds: [$id] }) { nodes { title } } }", json!({ "id": zoe })).await;
        assert_eq!(told["sessions"]["nodes"], json!([{ "title": "Calm" }, { "title": "Calm" }, { "title": "Calm" }]));
    }

    async fn nobody_is_left_with_who_is_deleted_while_many_book_both(engine) {
        let (server, studio, owner) = studio(engine).await;
        for round in 0..3_i64 {
            let (old, new) = (staff(&owner, &format!("Old {round}")).await, staff(&owner, &format!("New {round}")).await);
            let input = json!({
                "type": "APPOINTMENT", "name": "Reading", "durations": [30], "resourceIds": [old, new], "payment": { "rateType": "NO_FEE" },
            });
            let service = done(&owner, "createService", input, "service { id }").await["service"]["id"].clone();
            // Two of three times are wanted by both: sometimes it passes, sometimes it can't.
            let book = async |n: i64| {
                let who = if n % 2 == 0 { &old } else { &new };
                let wish = json!({
                    "bookedEntity": { "slot": { "appointment": { "serviceId": service, "startDate": studio.at((round * 40 + n) * 30), "resourceIds": [who] } } },
                    "contactDetails": { "firstName": "Ada" }, "totalParticipants": 1, "status": "CONFIRMED",
                });
                owner.mutate_selecting("createBooking", wish, ERRORS).await["userErrors"][0]["code"].clone()
            };
            let delete = owner.mutate_selecting("deleteResource", json!({ "resourceId": old, "reassignTo": new }), ERRORS);
            let (booked, deleted) = tokio::join!(join_all((0..32).map(book)), delete);
            let told = owner.data(
                "query($s: ID!) { bookings(first: 100, filter: { serviceId: { eq: $s } }) { nodes { startDate endDate bookedEntity { ... on BookedSlot { resource { id } } } } } }",
                json!({ "s": service }),
            ).await;
            let all = told["bookings"]["nodes"].as_array().unwrap();
            let with_old = all.iter().filter(|one| one["bookedEntity"]["resource"]["id"] == json!(old)).count();
            let done = deleted["userErrors"] == json!([]);
            assert!(done, "every caller has a time of its own, so it passes: {deleted} {booked:?}");
            assert_eq!(with_old, 0, "round {round}: {booked:?}");
            let mut starts: Vec<&str> = all.iter().map(|one| one["startDate"].as_str().unwrap()).collect();
            starts.sort_unstable();
            assert!(starts.windows(2).all(|two| two[0] != two[1]), "each at its own time: {starts:?}");
            let refused = booked.iter().filter(|code| !code.is_null());
            assert!(refused.clone().all(|code| code == "RESOURCE_NOT_FOUND"), "{booked:?}");
            assert_eq!(all.len() + refused.count(), 32);
        }
        let _ = server;
    }

    async fn times_that_both_are_wanted_for_overlap_for_nobody(engine) {
        let (_server, studio, owner) = studio(engine).await;
        for round in 0..3_i64 {
            let (old, new) = (staff(&owner, &format!("Old {round}")).await, staff(&owner, &format!("New {round}")).await);
            let input = json!({
                "type": "APPOINTMENT", "name": "Reading", "durations": [30], "resourceIds": [old, new], "payment": { "rateType": "NO_FEE" },
            });
            let service = done(&owner, "createService", input, "service { id }").await["service"]["id"].clone();
            let book = async |n: i64| {
                let wish = json!({
                    "bookedEntity": { "slot": { "appointment": { "serviceId": service, "startDate": studio.at((round * 40 + n / 2) * 30) } } },
                    "contactDetails": { "firstName": "Ada" }, "totalParticipants": 1, "status": "CONFIRMED",
                });
                owner.mutate_selecting("createBooking", wish, ERRORS).await["userErrors"][0]["code"].clone()
            };
            let delete = owner.mutate_selecting("deleteResource", json!({ "resourceId": old, "reassignTo": new }), ERRORS);
            let (_, deleted) = tokio::join!(join_all((0..32).map(book)), delete);
            let told = owner.data(
                "query($s: ID!, $id: ID!) { resource(id: $id) { id } bookings(first: 100, filter: { serviceId: { eq: $s } }) { nodes { startDate bookedEntity { ... on BookedSlot { resource { id } } } } } }",
                json!({ "s": service, "id": old }),
            ).await;
            let mut all: Vec<(String, String)> = told["bookings"]["nodes"].as_array().unwrap().iter()
                .map(|one| (one["startDate"].to_string(), one["bookedEntity"]["resource"]["id"].to_string())).collect();
            all.sort();
            assert!(all.windows(2).all(|two| two[0] != two[1]), "nobody twice at one time: {all:?}");
            let gone = told["resource"].is_null();
            assert_eq!(gone, deleted["userErrors"] == json!([]), "{deleted}");
            let old = json!(old).to_string();
            assert!(!gone || all.iter().all(|(_, who)| *who != old), "{all:?}");
        }
    }
}
