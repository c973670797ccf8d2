//! Whether a package can still be honoured.

use std::sync::Arc;

use frontdesk::{
    app::tokens::Role,
    domain::{clock::FixedClock, money::Currency, time::ZoneName},
};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::{
    done, on_both_engines,
    packages::{act, at, block, confirmed, made, open, package, pair, service},
    studio,
    support::{Client, Server, Studio, fixture::with},
};

const AVAILABILITY: &str = "query($id: ID!) { multiServiceBookingAvailability(id: $id) { bookable bookableCapacity totalCapacity \
    remainingCapacity policySettings { maxParticipantsPerBooking } \
    bookingPolicyViolations { tooEarlyToBook earliestBookingDate tooLateToBook bookOnlineDisabled } \
    nonBookableReasons { eventCancelled noRemainingCapacity reservedForWaitingList violatesBookingPolicy } \
    parts { booking { id } bookable bookingPolicyViolations { tooLateToBook bookOnlineDisabled } \
    nonBookableReasons { eventCancelled noRemainingCapacity violatesBookingPolicy } } } }";

async fn told(client: &Client, package: &Value) -> Value {
    client.data(AVAILABILITY, json!({ "id": package["id"] })).await["multiServiceBookingAvailability"].clone()
}

/// Whether the whole and each part can be had.
async fn bookable(client: &Client, package: &Value) -> (bool, Vec<bool>) {
    let told = told(client, package).await;
    let whole = told["bookable"].as_bool().unwrap();
    assert_eq!(told["bookableCapacity"], i32::from(whole));
    let parts = told["parts"].as_array().unwrap();
    (
        whole,
        parts.iter().map(|part| part["bookable"].as_bool().unwrap()).collect(),
    )
}

/// Changes a service of the business.
async fn change(owner: &Client, service: &str, changes: Value) {
    let input = with(json!({ "serviceId": service }), changes);
    done(owner, "updateService", input, "service { id }").await;
}

on_both_engines! {
    async fn what_was_booked_can_be_had(engine) {
        let (server, studio, owner) = studio(engine).await;
        open(&owner, "17:00").await;
        let (cut, shave) = pair(&owner, &studio).await;
        let mia = server.member("mia");
        let new = made(&mia, package(&[(&cut, "09:00"), (&shave, "10:00")])).await;
        let part = |part: usize| json!({
            "booking": { "id": new["bookings"][part]["id"] }, "bookable": true,
            "bookingPolicyViolations": { "tooLateToBook": false, "bookOnlineDisabled": false },
            "nonBookableReasons": { "eventCancelled": false, "noRemainingCapacity": false, "violatesBookingPolicy": false },
        });
        let parts = [part(0), part(1)];
        let fine = json!({
            "bookable": true, "bookableCapacity": 1, "totalCapacity": 1, "remainingCapacity": 1,
            "policySettings": { "maxParticipantsPerBooking": null },
            "bookingPolicyViolations": { "tooEarlyToBook": false, "earliestBookingDate": null, "tooLateToBook": false, "bookOnlineDisabled": false },
            "nonBookableReasons": { "eventCancelled": false, "noRemainingCapacity": false, "reservedForWaitingList": false, "violatesBookingPolicy": false },
            "parts": parts,
        });
        assert_eq!(told(&mia, &new).await, fine);
        // What it holds itself is not in its way.
        act(&owner, "confirmMultiServiceBooking", &new, json!({})).await;
        assert_eq!(told(&mia, &new).await, fine);
        // What is canceled is not to be had any more, though nothing is in its way.
        act(&mia, "cancelMultiServiceBooking", &new, json!({})).await;
        let off = told(&mia, &new).await;
        assert_eq!((&off["bookable"], &off["remainingCapacity"], &off["nonBookableReasons"]["eventCancelled"]), (&json!(false), &json!(0), &json!(true)));
        assert_eq!(off["parts"][1]["nonBookableReasons"]["eventCancelled"], true);
    }

    async fn what_is_in_the_way_of_a_part_stops_the_whole(engine) {
        let (server, studio, owner) = studio(engine).await;
        open(&owner, "17:00").await;
        let (cut, shave) = pair(&owner, &studio).await;
        let mia = server.member("mia");
        let new = made(&mia, package(&[(&cut, "09:00"), (&shave, "10:00")])).await;
        let staff = made(&owner, confirmed(package(&[(&cut, "11:00"), (&shave, "12:00")]))).await;
        for package in [&new, &staff] {
            assert_eq!(bookable(&owner, package).await, (true, vec![true, true]));
        }
        // Ben is away for the second part of one.
        let blocked = json!({ "resourceId": studio.ben.id.to_string(), "startDate": at("10:15"), "endDate": at("10:30") });
        let blocked = done(&owner, "createBlockedTime", blocked, "blockedTime { id }").await["blockedTime"]["id"].clone();
        assert_eq!(bookable(&mia, &new).await, (false, vec![true, false]));
        let why = told(&mia, &new).await;
        assert_eq!((&why["remainingCapacity"], &why["nonBookableReasons"]["noRemainingCapacity"]), (&json!(0), &json!(true)));
        assert_eq!(why["parts"][1]["nonBookableReasons"], json!({ "eventCancelled": false, "noRemainingCapacity": true, "violatesBookingPolicy": false }));
        assert_eq!(bookable(&owner, &staff).await, (true, vec![true, true]));
        done(&owner, "deleteBlockedTime", json!({ "blockedTimeId": blocked }), "blockedTime { id }").await;
        assert_eq!(bookable(&mia, &new).await, (true, vec![true, true]));
        // The owner puts another customer onto the first part of the other.
        let mut over = json!({
            "bookedEntity": { "slot": { "appointment": { "serviceId": cut, "startDate": at("11:30"), "resourceIds": [studio.anna.id.to_string()] } } },
            "contactDetails": { "firstName": "Eve" }, "totalParticipants": 1, "status": "CONFIRMED",
        });
        over["flowControlSettings"] = json!({ "skipAvailabilityValidation": true });
        let over = owner.done("createBooking", over).await;
        assert_eq!(bookable(&owner, &staff).await, (false, vec![false, true]));
        owner.done("cancelBooking", json!({ "bookingId": over["id"] })).await;
        assert_eq!(bookable(&owner, &staff).await, (true, vec![true, true]));
        // Nobody is there any more in the afternoon.
        open(&owner, "12:15").await;
        assert_eq!(bookable(&owner, &staff).await, (false, vec![true, false]));
        assert_eq!(bookable(&owner, &new).await, (true, vec![true, true]));
    }

    async fn who_goes_on_keeps_no_buffer_and_who_was_taken_off_a_service_stays(engine) {
        let (server, studio, owner) = studio(engine).await;
        open(&owner, "17:00").await;
        let cut = service(&owner, "Cut", 60, 30, &[&studio.anna]).await;
        let wash = service(&owner, "Wash", 15, 0, &[&studio.anna, &studio.ben]).await;
        let mia = server.member("mia");
        let new = made(&mia, package(&[(&cut, "09:00"), (&wash, "10:00")])).await;
        block(&owner, &studio.anna, "10:15", "11:00").await;
        assert_eq!(bookable(&mia, &new).await, (true, vec![true, true]), "Anna goes on to the wash");
        let on = made(&owner, confirmed(package(&[(&cut, "13:00"), (&wash, "14:00")]))).await;
        change(&owner, &cut, json!({ "staffMemberIds": [studio.ben.id.to_string()] })).await;
        assert_eq!(bookable(&owner, &on).await, (true, vec![true, true]), "Anna has it already");
        let over = json!({
            "bookedEntity": { "slot": { "appointment": { "serviceId": wash, "startDate": at("13:30"), "resourceIds": [studio.anna.id.to_string()] } } },
            "contactDetails": { "firstName": "Eve" }, "totalParticipants": 1, "status": "CONFIRMED",
            "flowControlSettings": { "skipAvailabilityValidation": true },
        });
        owner.done("createBooking", over).await;
        assert_eq!(bookable(&owner, &on).await, (false, vec![false, true]), "and nobody else is asked for");
    }

    async fn rules_for_customers_stop_the_customer(engine) {
        let clock = Arc::new(FixedClock::new("2032-02-28T10:00:00Z".parse().unwrap()));
        let server = Server::start_with(engine, clock.clone()).await;
        let studio = Studio::open(&server).await;
        let lasting = |role, name| {
            let token = server.running().api.tokens().mint(role, server.site, name, None, 30 * 24 * 3600);
            Client::bearer(&server, token)
        };
        let (owner, mia) = (lasting(Role::Owner, "olga"), lasting(Role::Member, "mia"));
        open(&owner, "17:00").await;
        let (cut, shave) = pair(&owner, &studio).await;
        let rules = json!({
            "name": "Late", "limitLateBookingPolicy": { "enabled": true, "latestBookingInMinutes": 60 },
            "participantsPolicy": { "maxParticipantsPerBooking": 3 },
        });
        let policy = done(&owner, "createBookingPolicy", rules, "bookingPolicy { id }").await["bookingPolicy"]["id"].clone();
        change(&owner, &shave, json!({ "bookingPolicyId": policy })).await;
        let new = made(&mia, package(&[(&cut, "09:00"), (&shave, "10:00")])).await;
        assert_eq!(told(&mia, &new).await["policySettings"], json!({ "maxParticipantsPerBooking": 3 }));
        // What was agreed stays, whatever the policy says now.
        let strict = json!({ "bookingPolicyId": policy, "participantsPolicy": { "maxParticipantsPerBooking": 2 }, "limitLateBookingPolicy": { "enabled": true, "latestBookingInMinutes": 5_000_000 } });
        done(&owner, "updateBookingPolicy", strict, "bookingPolicy { id }").await;
        assert_eq!(told(&mia, &new).await["policySettings"], json!({ "maxParticipantsPerBooking": 3 }));
        assert_eq!(bookable(&mia, &new).await, (true, vec![true, true]));
        for changes in [json!({ "hidden": true }), json!({ "onlineBooking": { "enabled": false } })] {
            change(&owner, &cut, changes.clone()).await;
            let off = told(&mia, &new).await;
            assert_eq!((&off["bookable"], &off["remainingCapacity"]), (&json!(false), &json!(1)), "{changes}");
            assert_eq!((&off["bookingPolicyViolations"]["bookOnlineDisabled"], &off["nonBookableReasons"]["violatesBookingPolicy"]), (&json!(true), &json!(true)));
            assert_eq!(bookable(&mia, &new).await.1, [false, true]);
            let free = told(&owner, &new).await;
            assert_eq!((&free["bookable"], &free["bookingPolicyViolations"]["bookOnlineDisabled"]), (&json!(true), &json!(true)), "the business isn't bound");
            change(&owner, &cut, json!({ "hidden": false, "onlineBooking": { "enabled": true } })).await;
        }
        assert_eq!(bookable(&mia, &new).await, (true, vec![true, true]));
        // Half past nine on the day: half an hour before the shave.
        clock.advance(SignedDuration::from_mins(47 * 60 + 30));
        assert!(!bookable(&mia, &new).await.0, "the cut has begun");
        assert_eq!(bookable(&owner, &new).await, (false, vec![false, true]), "and nobody can have it any more");
        let late = told(&mia, &new).await;
        assert_eq!((&late["bookingPolicyViolations"]["tooLateToBook"], &late["remainingCapacity"]), (&json!(true), &json!(0)));
    }

    async fn a_time_limit_is_that_of_each_part(engine) {
        let clock = Arc::new(FixedClock::new("2032-02-28T10:00:00Z".parse().unwrap()));
        let server = Server::start_with(engine, clock.clone()).await;
        let studio = Studio::open(&server).await;
        let token = |role, name| Client::bearer(&server, server.running().api.tokens().mint(role, server.site, name, None, 30 * 24 * 3600));
        let (owner, mia) = (token(Role::Owner, "olga"), token(Role::Member, "mia"));
        open(&owner, "17:00").await;
        let (cut, shave) = pair(&owner, &studio).await;
        let rules = json!({ "name": "Late", "limitLateBookingPolicy": { "enabled": true, "latestBookingInMinutes": 180 } });
        let policy = done(&owner, "createBookingPolicy", rules, "bookingPolicy { id }").await["bookingPolicy"]["id"].clone();
        change(&owner, &shave, json!({ "bookingPolicyId": policy })).await;
        let new = made(&mia, package(&[(&cut, "09:00"), (&shave, "10:00")])).await;
        // Three hours before the shave it is still time, a minute later it isn't.
        clock.advance(SignedDuration::from_hours(45));
        assert_eq!(bookable(&mia, &new).await, (true, vec![true, true]));
        clock.advance(SignedDuration::from_mins(1));
        assert_eq!(bookable(&mia, &new).await, (false, vec![true, false]));
        let late = told(&mia, &new).await;
        assert_eq!((&late["bookingPolicyViolations"]["tooLateToBook"], &late["remainingCapacity"]), (&json!(true), &json!(1)));
        assert_eq!(late["parts"][1]["bookingPolicyViolations"]["tooLateToBook"], true);
        assert_eq!(bookable(&owner, &new).await, (true, vec![true, true]));
    }

    async fn what_the_caller_may_not_see_isnt_there(engine) {
        let (server, studio, owner) = studio(engine).await;
        open(&owner, "17:00").await;
        let (cut, shave) = pair(&owner, &studio).await;
        let mia = server.member("mia");
        let new = made(&mia, package(&[(&cut, "09:00"), (&shave, "10:00")])).await;
        let on = made(&owner, confirmed(package(&[(&cut, "11:00"), (&shave, "12:00")]))).await;
        // Who sees a part of it is told of that part, and of the whole.
        let anna = server.staff(studio.anna.id);
        assert_eq!(bookable(&anna, &on).await, (true, vec![true]));
        for (client, package) in [(server.visitor(), &new), (server.member("bob"), &new), (anna, &new), (mia, &on)] {
            assert_eq!(told(&client, package).await, Value::Null);
        }
        let second = server.service().create_site("second", "Second", ZoneName::utc(), Currency::parse("EUR").unwrap()).await.unwrap().id;
        let token = server.running().api.tokens().mint(Role::Owner, second, "olga", None, 3600);
        let prefix = new["id"].as_str().unwrap().split_once('_').unwrap().0;
        let unknown = json!({ "id": format!("{prefix}_01h455vb4pex5vsknk084sn02q") });
        for (client, package) in [(&Client::bearer(&server, token), &new), (&owner, &unknown)] {
            assert_eq!(told(client, package).await, Value::Null);
        }
        assert_eq!(owner.error_code(AVAILABILITY, json!({ "id": "booking_01h455vb4pex5vsknk084sn02q" })).await, "BAD_USER_INPUT");
    }
}
