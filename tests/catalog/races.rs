//! The business changes its catalog while others book.

use futures::future::join_all;
use serde_json::{Value, json};

use crate::{
    ERRORS, done, local, on_both_engines, series, story, studio,
    support::{Client, fixture::with},
};

/// The codes of a mutation's user errors; none if it was done.
async fn codes(client: &Client, name: &str, input: Value) -> Vec<String> {
    let payload = client.mutate_selecting(name, input, ERRORS).await;
    payload["userErrors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["code"].as_str().unwrap().to_owned())
        .collect()
}

on_both_engines! {
    async fn of_many_sessions_for_one_resource_and_time_one_is_made(engine) {
        let (_server, studio, owner) = studio(engine).await;
        let wish = json!({
            "scheduleId": studio.yoga.schedule.to_string(), "resourceIds": [studio.anna.id.to_string()],
            "timeZone": "Europe/Berlin", "localStart": local(&studio, 0), "localEnd": local(&studio, 60),
        });
        let appointment = with(studio.appointment(&studio.massage, 30, &[&studio.anna]), json!({ "status": "CONFIRMED" }));
        let sessions = join_all((0..6).map(|_| codes(&owner, "createSession", wish.clone())));
        let bookings = join_all((0..6).map(|_| codes(&owner, "createBooking", appointment.clone())));
        let (sessions, bookings) = tokio::join!(sessions, bookings);
        let all: Vec<_> = sessions.into_iter().chain(bookings).collect();
        assert_eq!(all.iter().filter(|codes| codes.is_empty()).count(), 1, "{all:?}");
        assert!(all.iter().flatten().all(|code| code == "SLOT_NOT_AVAILABLE"), "{all:?}");
    }

    async fn of_many_changes_of_one_revision_one_is_done(engine) {
        let (_server, studio, owner) = studio(engine).await;
        let id = studio.yoga.id.to_string();
        let rename = |n: i32| json!({ "serviceId": id, "name": format!("Yoga {n}"), "expectedRevision": 1 });
        let all = join_all((0..8).map(|n| codes(&owner, "updateService", rename(n)))).await;
        assert_eq!(all.iter().filter(|codes| codes.is_empty()).count(), 1, "{all:?}");
        assert!(all.iter().flatten().all(|code| code == "REVISION_MISMATCH"), "{all:?}");
    }

    async fn no_appointment_is_left_on_a_service_that_is_deleted_meanwhile(engine) {
        let (_server, studio, owner) = studio(engine).await;
        let wish = |n: i64| with(studio.appointment(&studio.massage, n * 30, &[]), json!({ "status": "CONFIRMED" }));
        let book = async |n| owner.mutate("createBooking", wish(n)).await["booking"]["id"].clone();
        let delete = json!({ "serviceId": studio.massage.id.to_string(), "bookings": "CANCEL" });
        let (ids, _) = tokio::join!(join_all((0..8).map(book)), done(&owner, "deleteService", delete, "canceledBookings"));
        for id in ids.iter().filter_map(Value::as_str) {
            assert_eq!(story(&owner, id).await.0["status"], "CANCELED");
        }
    }

    async fn nobody_is_booked_with_a_resource_that_is_deleted_meanwhile(engine) {
        let (_server, studio, owner) = studio(engine).await;
        for round in 0..8 {
            let made = done(&owner, "createResource", json!({ "type": "STAFF", "name": format!("Zoe {round}") }), "resource { id }").await;
            let zoe = made["resource"]["id"].clone();
            let input = json!({
                "type": "APPOINTMENT", "name": "Reading", "durations": [30], "resourceIds": [zoe, studio.ben.id.to_string()],
                "payment": { "rateType": "NO_FEE" },
            });
            let service = done(&owner, "createService", input, "service { id }").await["service"]["id"].clone();
            let wish = |n: i64| json!({
                "bookedEntity": { "slot": { "appointment": { "serviceId": service, "startDate": studio.at((round * 8 + n) * 60), "resourceIds": [zoe] } } },
                "contactDetails": { "firstName": "Ada" }, "totalParticipants": 1,
            });
            // Half of them are begun before, and only confirmed now.
            let mut begun = Vec::new();
            for n in 0..4 {
                begun.push(owner.done("createBooking", wish(n)).await["id"].clone());
            }
            let confirm = async |id: Value| codes(&owner, "confirmBooking", json!({ "bookingId": id })).await;
            let book = async |n| codes(&owner, "createBooking", with(wish(n), json!({ "status": "CONFIRMED" }))).await;
            let delete = codes(&owner, "deleteResource", json!({ "resourceId": zoe }));
            let (confirmed, booked, deleted) = tokio::join!(join_all(begun.into_iter().map(confirm)), join_all((4..8).map(book)), delete);
            let taken = confirmed.iter().chain(&booked).filter(|codes| codes.is_empty()).count();
            let query = "query($id: ID!) { resource(id: $id) { id } bookings(first: 100, filter: { status: { eq: CONFIRMED } }) \
                { nodes { bookedEntity { ... on BookedSlot { resource { id } } } } } }";
            let told = owner.data(query, json!({ "id": zoe })).await;
            let with_zoe = told["bookings"]["nodes"].as_array().unwrap().iter().filter(|one| one["bookedEntity"]["resource"]["id"] == zoe).count();
            assert!(deleted.is_empty() == (with_zoe == 0), "round {round}: {deleted:?}, {with_zoe} of {taken} with somebody who is gone");
        }
    }

    async fn who_books_a_session_while_it_moves_has_its_new_time(engine) {
        let (_server, studio, owner) = studio(engine).await;
        let wish = with(studio.class(&studio.session, 1), json!({ "status": "CONFIRMED" }));
        let book = async |_| owner.done("createBooking", wish.clone()).await["id"].as_str().unwrap().to_owned();
        let moved = json!({ "sessionId": studio.session.id.to_string(), "localStart": local(&studio, 600), "bookings": "MOVE" });
        let (ids, _) = tokio::join!(join_all((0..8).map(book)), done(&owner, "updateSession", moved, "session { id }"));
        for id in ids {
            assert_eq!(story(&owner, &id).await.0["startDate"], studio.at(600));
        }
    }

    async fn of_many_edits_of_one_series_at_once_each_is_whole(engine) {
        let (_server, studio, owner) = studio(engine).await;
        let anna = json!({ "resourceIds": [studio.anna.id.to_string()] });
        let made = series::made(&owner, with(series::yoga(&studio, 0, "FREQ=DAILY;COUNT=5"), anna)).await;
        let first = series::sessions(&made)[0]["id"].clone();
        let edit = |n: i64| json!({ "sessionId": first, "localStart": local(&studio, n), "title": format!("At {n}"), "scope": "ALL", "expectedSeriesRevision": 1 });
        let all = join_all((1..7).map(|n| codes(&owner, "updateSession", edit(n)))).await;
        assert_eq!(all.iter().filter(|codes| codes.is_empty()).count(), 1, "{all:?}");
        assert!(all.iter().flatten().all(|code| code == "REVISION_MISMATCH"), "{all:?}");
        let edit = |n: i64| json!({ "sessionId": first, "localStart": local(&studio, n), "title": format!("At {n}"), "scope": "ALL" });
        let all = join_all((1..7).map(|n| codes(&owner, "updateSession", edit(n)))).await;
        assert!(all.iter().all(Vec::is_empty), "{all:?}");
        let after = series::sessions(&series::again(&owner, &made).await);
        let titles: std::collections::BTreeSet<&str> = after.iter().map(|session| session["title"].as_str().unwrap()).collect();
        assert_eq!((after.len(), titles.len()), (5, 1), "one of them has the last word on all: {after:?}");
    }

    async fn who_books_a_series_while_it_moves_has_the_new_time(engine) {
        let (_server, studio, owner) = studio(engine).await;
        let made = series::made(&owner, series::yoga(&studio, 0, "FREQ=DAILY;COUNT=4")).await;
        let all = series::sessions(&made);
        let wish = |n: usize| with(series::seats(&all[n % 4], 1), json!({ "status": "CONFIRMED" }));
        let book = async |n| owner.done("createBooking", wish(n)).await["id"].as_str().unwrap().to_owned();
        let moved = json!({ "sessionId": all[0]["id"], "localStart": local(&studio, 600), "scope": "ALL", "bookings": "MOVE" });
        let (ids, _) = tokio::join!(join_all((0..12).map(book)), done(&owner, "updateSession", moved, "session { id }"));
        let after = series::sessions(&series::again(&owner, &made).await);
        for (n, id) in ids.iter().enumerate() {
            assert_eq!(story(&owner, id).await.0["startDate"], after[n % 4]["startDate"]);
        }
    }

    async fn nobody_is_left_on_a_series_that_is_cancelled_meanwhile(engine) {
        let (_server, studio, owner) = studio(engine).await;
        let made = series::made(&owner, series::yoga(&studio, 0, "FREQ=DAILY;COUNT=4")).await;
        let all = series::sessions(&made);
        let wish = |n: usize| with(series::seats(&all[n % 4], 1), json!({ "status": "CONFIRMED" }));
        let book = async |n| owner.mutate("createBooking", wish(n)).await["booking"]["id"].clone();
        let cancel = json!({ "sessionId": all[1]["id"], "scope": "ALL", "bookings": "CANCEL" });
        let (ids, _) = tokio::join!(join_all((0..12).map(book)), done(&owner, "cancelSession", cancel, "session { id }"));
        for id in ids.iter().filter_map(Value::as_str) {
            assert_eq!(story(&owner, id).await.0["status"], "CANCELED");
        }
    }

    async fn of_a_series_and_a_booking_for_one_time_one_is_made(engine) {
        let (_server, studio, owner) = studio(engine).await;
        let anna = json!({ "resourceIds": [studio.anna.id.to_string()] });
        let wish = with(series::yoga(&studio, 0, "FREQ=DAILY;COUNT=3"), anna);
        let appointment = with(studio.appointment(&studio.massage, 24 * 60, &[&studio.anna]), json!({ "status": "CONFIRMED" }));
        let made = join_all((0..4).map(|_| codes(&owner, "createSessionSeries", wish.clone())));
        let booked = join_all((0..4).map(|_| codes(&owner, "createBooking", appointment.clone())));
        let (made, booked) = tokio::join!(made, booked);
        let all: Vec<_> = made.into_iter().chain(booked).collect();
        assert_eq!(all.iter().filter(|codes| codes.is_empty()).count(), 1, "{all:?}");
        assert!(all.iter().flatten().all(|code| code == "SLOT_NOT_AVAILABLE"), "{all:?}");
    }

    async fn whoever_books_and_whoever_closes_see_each_other(engine) {
        let (server, studio, owner) = studio(engine).await;
        let mut ends = std::collections::BTreeSet::new();
        for round in 0..10 {
            let noon = round * 24 * 60;
            let massage = |minutes: i64| studio.appointment(&studio.massage, noon + minutes, &[]);
            let begun = owner.done("createBooking", massage(0)).await["id"].clone();
            let early = owner.done("createBooking", with(massage(600), json!({ "status": "CONFIRMED" }))).await["id"].clone();
            let slot = massage(180)["bookedEntity"]["slot"].clone();
            let first = round % 2 == 0;
            let close = async |now: bool| {
                if now != first {
                    return None;
                }
                let input = json!({ "startDate": studio.at(noon), "endDate": studio.at(noon + 240) });
                Some(codes(&owner, "createBlockedTime", input).await)
            };
            let hold = async |n: i64| {
                let input = with(massage(30 + n * 30), json!({ "holdSeconds": 600 }));
                codes(&server.visitor(), "createBooking", input).await
            };
            let confirm = json!({ "bookingId": begun, "checkAvailabilityValidation": true });
            let (before, held, confirmed, moved, after) = tokio::join!(
                close(true),
                join_all((0..4).map(hold)),
                codes(&owner, "confirmBooking", confirm),
                codes(&owner, "rescheduleBooking", json!({ "bookingId": early, "slot": slot })),
                close(false),
            );
            let closed = before.or(after).unwrap();
            let all: Vec<Vec<String>> = held.into_iter().chain([confirmed, moved]).collect();
            let taken = all.iter().filter(|codes| codes.is_empty()).count();
            assert_eq!(closed.is_empty(), taken == 0, "round {round}: {closed:?} and {all:?}");
            assert!(all.iter().chain([&closed]).flatten().all(|code| code == "SLOT_NOT_AVAILABLE"), "{closed:?} {all:?}");
            ends.insert(closed.is_empty());
            // Those who are there refuse it still, and stay if the business wants it so; from then on nobody comes.
            let over = json!({ "startDate": studio.at(noon), "endDate": studio.at(noon + 240), "allowOverlap": true });
            assert!(codes(&owner, "createBlockedTime", over).await.is_empty());
            assert_eq!(codes(&server.visitor(), "createBooking", massage(210)).await, ["SLOT_NOT_AVAILABLE"]);
        }
        assert!(!ends.is_empty());
    }

    /// A resource that is made while the business closes is closed, too.
    async fn somebody_new_is_not_booked_while_the_business_closes(engine) {
        let (server, studio, owner) = studio(engine).await;
        for round in 0..6 {
            let noon = round * 24 * 60;
            let close = codes(&owner, "createBlockedTime", json!({ "startDate": studio.at(noon), "endDate": studio.at(noon + 240) }));
            let newcomer = async {
                let made = done(&owner, "createResource", json!({ "type": "STAFF", "name": format!("Zoe {round}") }), "resource { id }").await;
                let zoe = made["resource"]["id"].clone();
                let input = json!({
                    "type": "APPOINTMENT", "name": "Reading", "durations": [30], "resourceIds": [zoe], "payment": { "rateType": "NO_FEE" },
                });
                let service = done(&owner, "createService", input, "service { id }").await["service"]["id"].clone();
                let wish = json!({
                    "bookedEntity": { "slot": { "appointment": { "serviceId": service, "startDate": studio.at(noon + 60) } } },
                    "contactDetails": { "firstName": "Ada" }, "totalParticipants": 1, "holdSeconds": 600,
                });
                codes(&server.visitor(), "createBooking", wish).await
            };
            let (closed, booked) = tokio::join!(close, newcomer);
            assert!(closed.is_empty() != booked.is_empty(), "round {round}: {closed:?} {booked:?}");
        }
    }
}
