//! Packages: who serves them, whose they are, what a caller may do with them, and how many can be held.

use serde_json::{Value, json};

use crate::{
    done, on_both_engines,
    packages::{PACKAGE, act, all, at, block, confirmed, made, no, open, package, pair, see, served, service, slots},
    refused, studio,
    support::fixture::with,
    weekly,
};

const ALLOWED: &str = "query($id: ID!) { multiServiceBooking(id: $id) { allowedActions { cancel { allowed code } } } }";

/// A confirmed booking of an appointment for somebody.
async fn single(owner: &crate::support::Client, service: &str, clock: &str, contact: Value) -> Value {
    let input = json!({
        "bookedEntity": { "slot": { "appointment": { "serviceId": service, "startDate": at(clock) } } },
        "contactDetails": contact, "totalParticipants": 1, "status": "CONFIRMED",
    });
    owner.done("createBooking", input).await["id"].clone()
}

on_both_engines! {
    async fn who_is_there_serves_a_package_that_is_confirmed(engine) {
        let (server, studio, owner) = studio(engine).await;
        let cut = service(&owner, "Cut", 60, 0, &[&studio.anna, &studio.ben]).await;
        let mia = server.member("mia");
        let hours = async |id: &str, day: &str| {
            let input = json!({ "resourceId": id, "weekly": [weekly("09:00", "17:00", &[day])] });
            done(&owner, "setWorkingHours", input, "workingHours { revision }").await;
        };
        // The visit is on a Monday.
        let (anna, ben) = (studio.anna.id.to_string(), studio.ben.id.to_string());
        hours(&anna, "TUESDAY").await;
        hours(&ben, "MONDAY").await;
        let visit = || package(&[(&cut, "09:00"), (&cut, "10:00")]);
        let checked = json!({ "checkAvailabilityValidation": true });
        let new = made(&mia, visit()).await;
        let on = act(&owner, "confirmMultiServiceBooking", &new, checked.clone()).await;
        assert_eq!(served(&on), ["Ben", "Ben"], "Anna isn't there on Mondays");
        act(&owner, "cancelMultiServiceBooking", &new, json!({})).await;
        let new = made(&mia, visit()).await;
        let on = act(&owner, "confirmMultiServiceBooking", &new, json!({})).await;
        assert_eq!(served(&on), ["Ben", "Ben"]);
        act(&owner, "cancelMultiServiceBooking", &new, json!({})).await;
        // Nobody is there any more: whoever looks is told, and by the business's own word it is confirmed all the same.
        let new = made(&mia, visit()).await;
        hours(&ben, "TUESDAY").await;
        assert_eq!(no(&owner, "confirmMultiServiceBooking", &new, checked).await, "SLOT_NOT_AVAILABLE");
        let on = act(&owner, "confirmMultiServiceBooking", &new, json!({})).await;
        assert_eq!((all(&on, "status"), all(&on, "doubleBooked")), (vec![&json!("CONFIRMED"); 2], vec![&json!(false); 2]));
    }

    async fn an_empty_list_removes_nothing(engine) {
        let (_server, studio, owner) = studio(engine).await;
        let (cut, shave) = pair(&owner, &studio).await;
        let new = made(&owner, confirmed(package(&[(&cut, "09:00"), (&shave, "10:00")]))).await;
        let name = "removeBookingsFromMultiServiceBooking";
        let none = json!({ "multiServiceBookingId": new["id"], "bookings": [] });
        let error = refused(&owner, name, none).await;
        assert_eq!((&error["code"], &error["path"]), (&json!("VALIDATION_FAILURE"), &json!(["bookings"])));
        assert_eq!(all(&see(&owner, &new["id"]).await, "revision"), [1, 1]);
        let all = json!({ "multiServiceBookingId": new["id"] });
        let left = done(&owner, name, all, "multiServiceBooking { id } removedBookings { id }").await;
        assert_eq!((&left["multiServiceBooking"], left["removedBookings"].as_array().unwrap().len()), (&Value::Null, 2));
    }

    async fn a_package_is_of_one_customer(engine) {
        let (server, studio, owner) = studio(engine).await;
        let (cut, shave) = pair(&owner, &studio).await;
        let (mia, bob) = (server.member("mia"), server.member("bob"));
        let add = "addBookingsToMultiServiceBooking";
        let joins = |package: &Value, id: &Value| json!({ "multiServiceBookingId": package["id"], "bookings": [{ "bookingId": id }] });
        let error = json!(["bookings", "0", "bookingId"]);
        let own = async |client: &crate::support::Client, clock: &str| {
            let input = json!({
                "bookedEntity": { "slot": { "appointment": { "serviceId": cut, "startDate": at(clock) } } },
                "contactDetails": { "firstName": "Ada", "email": "ada@example.org" }, "totalParticipants": 1,
            });
            let id = client.done("createBooking", input).await["id"].clone();
            owner.done("confirmBooking", json!({ "bookingId": id })).await;
            id
        };
        // Of members: by who made them.
        let hers = made(&mia, package(&[(&cut, "09:00"), (&shave, "10:00")])).await;
        act(&owner, "confirmMultiServiceBooking", &hers, json!({})).await;
        let his = own(&bob, "10:30").await;
        let told = refused(&owner, add, joins(&hers, &his)).await;
        assert_eq!((&told["code"], &told["path"]), (&json!("VALIDATION_FAILURE"), &error));
        owner.done("cancelBooking", json!({ "bookingId": his })).await;
        let for_her = single(&owner, &cut, "10:30", json!({ "firstName": "Ada", "email": "ada@example.org" })).await;
        assert_eq!(refused(&owner, add, joins(&hers, &for_her)).await["path"], error, "she doesn't see it");
        owner.done("cancelBooking", json!({ "bookingId": for_her })).await;
        let longer = done(&owner, add, joins(&hers, &own(&mia, "10:30").await), PACKAGE).await;
        assert_eq!(all(&longer["multiServiceBooking"], "id").len(), 3);
        act(&mia, "cancelMultiServiceBooking", &hers, json!({})).await;
        // Of those that the business made: by whom they are for.
        let for_ada = made(&owner, confirmed(package(&[(&cut, "12:00"), (&shave, "13:00")]))).await;
        let other = single(&owner, &cut, "13:30", json!({ "firstName": "Ada", "email": "eve@example.org" })).await;
        assert_eq!(refused(&owner, add, joins(&for_ada, &other)).await["path"], error);
        owner.done("cancelBooking", json!({ "bookingId": other })).await;
        let same = single(&owner, &cut, "13:30", json!({ "firstName": "A.", "email": "ADA@example.org" })).await;
        done(&owner, add, joins(&for_ada, &same), PACKAGE).await;
    }

    async fn what_may_be_done_is_judged_by_the_parts_that_are_not_seen_as_well(engine) {
        let (server, studio, owner) = studio(engine).await;
        let (cut, shave) = pair(&owner, &studio).await;
        let new = made(&owner, confirmed(package(&[(&cut, "09:00"), (&shave, "10:00")]))).await;
        let anna = server.staff(studio.anna.id);
        let told = anna.data(ALLOWED, json!({ "id": new["id"] })).await;
        let cancel = json!({ "allowed": false, "code": "MULTI_SERVICE_BOOKING_INCLUDES_MULTIPLE_STAFF_MEMBERS" });
        assert_eq!(told["multiServiceBooking"]["allowedActions"]["cancel"], cancel);
        let own = made(&owner, confirmed(package(&[(&cut, "12:00"), (&cut, "13:00")]))).await;
        let told = anna.data(ALLOWED, json!({ "id": own["id"] })).await;
        assert_eq!(told["multiServiceBooking"]["allowedActions"]["cancel"]["allowed"], true);
    }

    async fn who_serves_a_package_goes_on_when_it_moves(engine) {
        let (_server, studio, owner) = studio(engine).await;
        open(&owner, "17:00").await;
        let cut = service(&owner, "Cut", 60, 0, &[&studio.anna, &studio.ben]).await;
        let zoe = done(&owner, "createResource", json!({ "type": "STAFF", "name": "Zoe" }), "resource { id }").await["resource"]["id"].clone();
        let new = made(&owner, confirmed(package(&[(&cut, "09:00"), (&cut, "10:00")]))).await;
        assert_eq!(served(&new), ["Anna", "Anna"]);
        let gone = json!({ "resourceId": studio.anna.id.to_string(), "reassignTo": zoe });
        done(&owner, "deleteResource", gone, "resource { id }").await;
        assert_eq!(served(&see(&owner, &new["id"]).await), ["Zoe", "Zoe"]);
        let moves: Vec<Value> = [(0, "11:00"), (1, "12:00")].into_iter().map(|(part, clock)| {
            json!({ "bookingId": new["bookings"][part]["id"], "slot": { "serviceId": cut, "startDate": at(clock) } })
        }).collect();
        let moved = act(&owner, "rescheduleMultiServiceBooking", &new, json!({ "bookings": moves })).await;
        assert_eq!(served(&moved), ["Zoe", "Zoe"], "the service doesn't name her, but she serves it");
    }

    async fn who_is_told_is_who_serves(engine) {
        let (server, studio, owner) = studio(engine).await;
        open(&owner, "17:00").await;
        let mia = server.member("mia");
        for staff in [[&studio.anna, &studio.ben], [&studio.ben, &studio.anna]] {
            let cut = service(&owner, "Cut", 60, 0, &staff).await;
            let slot = slots(&mia, &[&cut, &cut]).await[0].clone();
            let told: Vec<String> = slot["nestedTimeSlots"].as_array().unwrap().iter()
                .map(|part| part["resources"][0]["name"].as_str().unwrap().to_owned()).collect();
            assert_eq!(told, vec![staff[0].name.clone(); 2], "the first that the service names");
            let new = made(&owner, confirmed(package(&[(&cut, "09:00"), (&cut, "10:00")]))).await;
            assert_eq!(served(&new), told);
            act(&owner, "cancelMultiServiceBooking", &new, json!({})).await;
        }
        // At each time those who are free then.
        let cut = service(&owner, "Cut", 60, 0, &[&studio.ben, &studio.anna]).await;
        block(&owner, &studio.ben, "10:00", "11:00").await;
        let rows = slots(&mia, &[&cut, &cut]).await;
        let names = |row: &Value| row["nestedTimeSlots"][0]["resources"][0]["name"].clone();
        let first: Vec<Value> = rows.iter().map(names).take(6).collect();
        assert_eq!(first, ["Anna", "Anna", "Anna", "Anna", "Ben", "Ben"]);
    }

    async fn a_package_takes_a_hold_for_each_part(engine) {
        let (server, studio, owner) = studio(engine).await;
        let (cut, shave) = pair(&owner, &studio).await;
        let mia = server.member("mia");
        let held = |first: &str, next: &str| with(package(&[(&cut, first), (&shave, next)]), json!({ "holdSeconds": 600 }));
        let first = made(&mia, held("09:00", "10:00")).await;
        made(&mia, held("11:00", "12:00")).await;
        let error = refused(&mia, "createMultiServiceBooking", held("13:00", "14:00")).await;
        assert_eq!((&error["code"], &error["rule"], &error["limit"]), (&json!("BOOKING_POLICY_VIOLATION"), &json!("TOO_MANY_HOLDS"), &json!("5")));
        let single = json!({
            "bookedEntity": { "slot": { "appointment": { "serviceId": cut, "startDate": at("13:00") } } },
            "contactDetails": { "firstName": "Ada" }, "totalParticipants": 1, "holdSeconds": 600,
        });
        mia.done("createBooking", single).await;
        act(&mia, "cancelMultiServiceBooking", &first, json!({})).await;
        made(&mia, held("14:00", "15:00")).await;
    }
}
