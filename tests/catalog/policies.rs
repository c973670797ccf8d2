//! Booking policies: made, shared, shown by availability, kept by bookings.

use std::sync::Arc;

use frontdesk::{
    app::tokens::Role,
    domain::{clock::FixedClock, ids::BookingPolicyId},
};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::{
    availability::slots,
    code, done, on_both_engines, refused, studio,
    support::{Client, Server, Studio, client::mutation, fixture::with, on},
};

const POLICY: &str = "bookingPolicy { id name default revision bookAfterStartPolicy { enabled } \
    cancellationPolicy { enabled limitLatestCancellation latestCancellationInMinutes } \
    reschedulePolicy { enabled limitLatestReschedule latestRescheduleInMinutes } \
    limitEarlyBookingPolicy { enabled earliestBookingInMinutes } limitLateBookingPolicy { enabled latestBookingInMinutes } \
    participantsPolicy { maxParticipantsPerBooking } }";

/// A Monday.
const MONDAY: &str = "2030-03-04T10:00:00Z";

/// A studio whose clock stands still; its noon is on the Tuesday.
async fn still(engine: crate::support::Engine) -> (Server, Studio, Client, Arc<FixedClock>) {
    let clock = Arc::new(FixedClock::new(MONDAY.parse().unwrap()));
    let server = Server::start_with(engine, clock.clone()).await;
    let studio = Studio::open(&server).await;
    let owner = lasting(&server, Role::Owner, "olga");
    (server, studio, owner, clock)
}

/// A client whose token outlives what the clock does.
fn lasting(server: &Server, role: Role, name: &str) -> Client {
    let token = server
        .running()
        .api
        .tokens()
        .mint(role, server.site, name, None, 30 * 24 * 3600);
    Client::bearer(server, token)
}

async fn made(owner: &Client, rules: Value) -> Value {
    let input = with(json!({ "name": "Rules" }), rules);
    done(owner, "createBookingPolicy", input, POLICY).await["bookingPolicy"].clone()
}

/// Makes a policy and gives it to a service.
async fn given(owner: &Client, service: &frontdesk::domain::catalog::Service, rules: Value) -> String {
    let policy = made(owner, rules).await["id"].as_str().unwrap().to_owned();
    let input = json!({ "serviceId": service.id.to_string(), "bookingPolicyId": policy });
    done(owner, "updateService", input, "service { id }").await;
    policy
}

fn late(minutes: i64) -> Value {
    json!({ "limitLateBookingPolicy": { "enabled": true, "latestBookingInMinutes": minutes } })
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// The rule and the limit of a refusal.
fn broken(error: &Value) -> (String, String) {
    assert_eq!(
        (&error["__typename"], &error["code"]),
        (&json!("PolicyViolation"), &json!("BOOKING_POLICY_VIOLATION")),
        "{error}"
    );
    let text = |name: &str| error[name].as_str().unwrap_or("-").to_owned();
    (text("rule"), text("limit"))
}

fn says(rule: &str, limit: &str) -> (String, String) {
    (rule.to_owned(), limit.to_owned())
}

on_both_engines! {
    async fn policies_are_made_changed_and_deleted(engine) {
        let (server, studio, owner) = studio(engine).await;
        let input = json!({ "name": "Plain", "idempotencyKey": "plain" });
        let plain = done(&owner, "createBookingPolicy", input.clone(), POLICY).await["bookingPolicy"].clone();
        assert_eq!(done(&owner, "createBookingPolicy", input, POLICY).await["bookingPolicy"], plain, "a replay");
        assert_eq!(plain, json!({
            "id": plain["id"], "name": "Plain", "default": false, "revision": 1, "bookAfterStartPolicy": { "enabled": false },
            "cancellationPolicy": { "enabled": true, "limitLatestCancellation": false, "latestCancellationInMinutes": 1440 },
            "reschedulePolicy": { "enabled": true, "limitLatestReschedule": false, "latestRescheduleInMinutes": 1440 },
            "limitEarlyBookingPolicy": { "enabled": false, "earliestBookingInMinutes": 10080 },
            "limitLateBookingPolicy": { "enabled": false, "latestBookingInMinutes": 1440 },
            "participantsPolicy": { "maxParticipantsPerBooking": null },
        }), "what isn't said limits nothing");
        let id = plain["id"].clone();
        let change = |changes: Value| with(json!({ "bookingPolicyId": id }), changes);
        let changed = done(&owner, "updateBookingPolicy", change(with(late(60), json!({ "expectedRevision": 1, "participantsPolicy": { "maxParticipantsPerBooking": 2 } }))), POLICY).await["bookingPolicy"].clone();
        assert_eq!((&changed["revision"], &changed["limitLateBookingPolicy"]["latestBookingInMinutes"]), (&json!(2), &json!(60)));
        let changed = done(&owner, "updateBookingPolicy", change(json!({ "name": "Other", "participantsPolicy": null })), POLICY).await["bookingPolicy"].clone();
        assert_eq!(changed["limitLateBookingPolicy"]["enabled"], true, "left out, it stays");
        assert_eq!(changed["participantsPolicy"]["maxParticipantsPerBooking"], Value::Null);
        assert_eq!(code(&owner, "updateBookingPolicy", change(json!({ "name": "x", "expectedRevision": 1 }))).await, "REVISION_MISMATCH");

        // The service names it; then it can't be deleted.
        let massage = json!({ "serviceId": studio.massage.id.to_string(), "bookingPolicyId": id });
        let named = done(&owner, "updateService", massage, "service { bookingPolicy { id } }").await;
        assert_eq!(named["service"]["bookingPolicy"]["id"], id);
        assert_eq!(code(&owner, "deleteBookingPolicy", change(json!({}))).await, "BOOKING_POLICY_IN_USE");
        let class = json!({ "type": "CLASS", "name": "Dance", "payment": { "rateType": "NO_FEE" }, "bookingPolicyId": id });
        let dance = done(&owner, "createService", class, "service { id bookingPolicy { name } }").await["service"].clone();
        assert_eq!(dance["bookingPolicy"]["name"], "Other");
        for service in [json!(studio.massage.id.to_string()), dance["id"].clone()] {
            let cleared = done(&owner, "updateService", json!({ "serviceId": service, "bookingPolicyId": null }), "service { bookingPolicy { id } }").await;
            assert_eq!(cleared["service"]["bookingPolicy"], Value::Null, "no default yet");
        }
        // The default is that of all who name none.
        let set = format!("{POLICY} previousDefaultBookingPolicy {{ id default revision }}");
        let first = done(&owner, "setDefaultBookingPolicy", change(json!({})), &set).await;
        assert_eq!((&first["bookingPolicy"]["default"], &first["previousDefaultBookingPolicy"]), (&json!(true), &Value::Null));
        assert_eq!(code(&owner, "deleteBookingPolicy", change(json!({}))).await, "DEFAULT_POLICY_CANNOT_BE_DELETED");
        let query = "{ services { nodes { bookingPolicy { id } } } bookingPolicies { totalCount nodes { id default } } }";
        let data = server.visitor().data(query, json!({})).await;
        assert!(data["services"]["nodes"].as_array().unwrap().iter().all(|service| service["bookingPolicy"]["id"] == id));
        let second = made(&owner, json!({})).await["id"].clone();
        let swapped = done(&owner, "setDefaultBookingPolicy", json!({ "bookingPolicyId": second }), &set).await;
        assert_eq!((&swapped["previousDefaultBookingPolicy"]["id"], &swapped["previousDefaultBookingPolicy"]["default"]), (&id, &json!(false)));
        let again = done(&owner, "setDefaultBookingPolicy", json!({ "bookingPolicyId": second }), &set).await;
        assert_eq!(again["bookingPolicy"]["revision"], swapped["bookingPolicy"]["revision"], "done already");
        done(&owner, "deleteBookingPolicy", change(json!({})), POLICY).await;
        let query = "query($id: ID!) { bookingPolicy(id: $id) { id } node(id: $id) { id } bookingPolicies { totalCount nodes { id } } }";
        let gone = owner.data(query, json!({ "id": id })).await;
        assert_eq!(gone["bookingPolicy"], Value::Null);
        assert_eq!(gone["node"]["id"], id, "what names it still finds it");
        assert_eq!(gone["bookingPolicies"], json!({ "totalCount": 1, "nodes": [{ "id": second }] }));
        assert_eq!(code(&owner, "updateBookingPolicy", change(json!({ "name": "x" }))).await, "BOOKING_POLICY_NOT_FOUND");
        for client in [server.member("mia"), server.visitor(), server.staff(studio.anna.id)] {
            assert_eq!(client.error_code(&mutation("createBookingPolicy", POLICY), json!({ "input": { "name": "x" } })).await, "FORBIDDEN");
        }
    }

    async fn rules_that_contradict_each_other_are_refused_where_they_stand(engine) {
        let (_server, studio, owner) = studio(engine).await;
        let early = |minutes: i64| json!({ "limitEarlyBookingPolicy": { "enabled": true, "earliestBookingInMinutes": minutes } });
        let after = json!({ "bookAfterStartPolicy": { "enabled": true } });
        for (rules, path, problem) in [
            (with(late(60), after.clone()), json!(["bookAfterStartPolicy"]), "BOTH_LATE_AND_AFTER_START_POLICIES_NOT_ALLOWED"),
            (with(late(60), early(60)), json!(["limitEarlyBookingPolicy"]), "INVALID_BOOKING_WINDOW"),
            (late(0), json!(["limitLateBookingPolicy", "latestBookingInMinutes"]), "VALIDATION_FAILURE"),
            (early(5_256_001), json!(["limitEarlyBookingPolicy", "earliestBookingInMinutes"]), "VALIDATION_FAILURE"),
            (json!({ "participantsPolicy": { "maxParticipantsPerBooking": 0 } }), json!(["participantsPolicy", "maxParticipantsPerBooking"]), "VALIDATION_FAILURE"),
            (json!({ "cancellationPolicy": { "enabled": true, "latestCancellationInMinutes": 0 } }), json!(["cancellationPolicy", "latestCancellationInMinutes"]), "VALIDATION_FAILURE"),
            (json!({ "name": "" }), json!(["name"]), "VALIDATION_FAILURE"),
            (json!({ "name": "x".repeat(401) }), json!(["name"]), "VALIDATION_FAILURE"),
        ] {
            let error = refused(&owner, "createBookingPolicy", with(json!({ "name": "Rules" }), rules.clone())).await;
            assert_eq!((&error["path"], error["code"].as_str().unwrap()), (&path, problem), "{rules}");
        }
        made(&owner, with(late(60), early(61))).await;
        for (policy, problem) in [(BookingPolicyId::new().to_string(), "BOOKING_POLICY_NOT_FOUND"), (studio.massage.id.to_string(), "INVALID_ID")] {
            let error = refused(&owner, "updateService", json!({ "serviceId": studio.massage.id.to_string(), "bookingPolicyId": policy })).await;
            assert_eq!((&error["path"], error["code"].as_str().unwrap()), (&json!(["bookingPolicyId"]), problem));
        }
    }

    async fn a_late_limit_of_a_day_is_kept_to_the_minute(engine) {
        let (server, studio, owner, _clock) = still(engine).await;
        let ada = server.member("ada");
        given(&owner, &studio.massage, late(1440)).await;
        let asked = json!({ "ids": [studio.massage.id.to_string()], "from": "2030-03-05T09:30:00Z", "to": "2030-03-05T10:30:00Z" });
        let told = slots(&ada, asked.clone()).await;
        let flags = |slot: &Value| (slot["startDate"].as_str().unwrap()[11..16].to_owned(), slot["bookable"].clone(), slot["bookingPolicyViolations"]["tooLateToBook"].clone());
        assert_eq!(told.iter().map(flags).collect::<Vec<_>>(), [
            ("09:30".to_owned(), json!(false), json!(true)), ("10:00".to_owned(), json!(true), json!(false)),
        ], "example 7");
        assert_eq!(told[0]["nonBookableReasons"]["violatesBookingPolicy"], true);
        let business = slots(&owner, asked).await;
        assert_eq!((&business[0]["bookable"], &business[0]["bookingPolicyViolations"]["tooLateToBook"]), (&json!(true), &json!(true)), "it sees them and isn't bound");
        let massage = |minutes: i64| studio.appointment(&studio.massage, minutes, &[]);
        let error = ada.refused("createBooking", massage(-150)).await;
        assert_eq!(broken(&error), says("TOO_LATE_TO_BOOK", "2030-03-04T09:30:00Z"));
        ada.done("createBooking", massage(-120)).await;
        for client in [&owner, &server.staff(studio.anna.id)] {
            client.done("createBooking", massage(-150)).await;
        }
    }

    async fn an_early_limit_tells_when_it_opens(engine) {
        let (server, studio, owner, _clock) = still(engine).await;
        let ada = server.member("ada");
        given(&owner, &studio.yoga, json!({ "limitEarlyBookingPolicy": { "enabled": true, "earliestBookingInMinutes": 32 * 60 } })).await;
        // Today at 10, exactly 32 hours before the first session; the next one is a day later.
        let week = json!({ "ids": [studio.yoga.id.to_string()], "from": "2030-03-05T00:00:00Z", "to": "2030-03-08T00:00:00Z" });
        let told = slots(&ada, week).await;
        let flag = |slot: &Value| (slot["bookable"].clone(), slot["bookingPolicyViolations"]["tooEarlyToBook"].clone(), slot["bookingPolicyViolations"]["earliestBookingDate"].clone());
        assert_eq!(flag(&told[0]), (json!(true), json!(false), Value::Null), "exactly on the limit");
        assert_eq!(flag(&told[1]), (json!(false), json!(true), json!("2030-03-05T10:00:00Z")));
        let seat = ada.done("createBooking", studio.class(&studio.session, 1)).await;
        let error = ada.refused("createBooking", studio.class(&studio.next_session, 1)).await;
        assert_eq!(broken(&error), says("TOO_EARLY_TO_BOOK", "2030-03-05T10:00:00Z"));
        // A move has to keep the window, too.
        let next = json!({ "slot": { "session": { "sessionId": studio.next_session.id.to_string() } } });
        let error = ada.refused("rescheduleBooking", with(on(&seat), next.clone())).await;
        assert_eq!(broken(&error).0, "TOO_EARLY_TO_BOOK");
        owner.done("rescheduleBooking", with(on(&seat), next)).await;
    }

    async fn parties_are_as_large_as_the_policy_lets(engine) {
        let (server, studio, owner) = studio(engine).await;
        let ada = server.member("ada");
        ada.done("createBooking", studio.class(&studio.session, 5)).await;
        given(&owner, &studio.yoga, json!({ "participantsPolicy": { "maxParticipantsPerBooking": 2 } })).await;
        ada.done("createBooking", studio.class(&studio.session, 2)).await;
        let error = ada.refused("createBooking", studio.class(&studio.session, 3)).await;
        assert_eq!(broken(&error), says("TOO_MANY_PARTICIPANTS", "2"));
        owner.done("createBooking", studio.class(&studio.session, 3)).await;
        let asked = |party: i32| json!({ "ids": [studio.yoga.id.to_string()], "from": studio.at(0), "to": studio.at(24 * 60), "party": party });
        for (client, party, bookable) in [(&ada, 2, true), (&ada, 3, false), (&owner, 3, true)] {
            let told = slots(client, asked(party)).await;
            assert_eq!((&told[0]["bookable"], &told[0]["nonBookableReasons"]["violatesBookingPolicy"]), (&json!(bookable), &json!(!bookable)));
        }
    }

    async fn what_has_begun_can_be_booked_only_where_the_policy_says_so(engine) {
        let (server, studio, owner, clock) = still(engine).await;
        let ada = lasting(&server, Role::Member, "ada");
        given(&owner, &studio.yoga, json!({ "bookAfterStartPolicy": { "enabled": true } })).await;
        // Ten minutes into the first session of yoga, and a day into the course.
        clock.set(at("2030-03-05T18:10:00Z"));
        let seat = ada.done("createBooking", studio.class(&studio.session, 1)).await;
        assert_eq!(broken(&ada.refused("cancelBooking", on(&seat)).await).0, "TOO_LATE_TO_CANCEL");
        clock.set(at("2030-03-05T19:00:00Z"));
        assert_eq!(broken(&ada.refused("createBooking", studio.class(&studio.session, 1)).await), says("TOO_LATE_TO_BOOK", "2030-03-05T19:00:00Z"));
        clock.set(at("2030-03-07T20:00:00Z"));
        let run = json!({ "ids": [studio.course.id.to_string()], "from": "2030-03-07T00:00:00Z", "to": "2030-03-10T00:00:00Z" });
        let bookable = |told: Vec<Value>| (told[0]["bookable"].clone(), told[0]["bookingPolicyViolations"]["tooLateToBook"].clone());
        assert_eq!(bookable(slots(&ada, run.clone()).await), (json!(false), json!(true)));
        assert_eq!(broken(&ada.refused("createBooking", studio.enrolment(1)).await), says("TOO_LATE_TO_BOOK", "2030-03-07T18:00:00Z"), "the first session counts");
        given(&owner, &studio.course, json!({ "bookAfterStartPolicy": { "enabled": true } })).await;
        assert_eq!(bookable(slots(&ada, run.clone()).await), (json!(true), json!(false)));
        ada.done("createBooking", studio.enrolment(1)).await;
        clock.set(at("2030-03-08T18:00:00Z"));
        assert_eq!(broken(&ada.refused("createBooking", studio.enrolment(1)).await), says("TOO_LATE_TO_BOOK", "2030-03-08T18:00:00Z"), "the last session starts");
    }

    async fn a_booking_keeps_the_policy_by_which_it_was_made(engine) {
        let (server, studio, owner, clock) = still(engine).await;
        let ada = lasting(&server, Role::Member, "ada");
        let policy = given(&owner, &studio.massage, json!({
            "cancellationPolicy": { "enabled": true, "limitLatestCancellation": true, "latestCancellationInMinutes": 60 },
            "reschedulePolicy": { "enabled": true, "limitLatestReschedule": true, "latestRescheduleInMinutes": 120 },
        })).await;
        let massage = |minutes: i64| studio.appointment(&studio.massage, minutes, &[]);
        let kept = ada.done("createBooking", massage(0)).await;
        done(&owner, "updateBookingPolicy", json!({ "bookingPolicyId": policy, "cancellationPolicy": { "enabled": false }, "reschedulePolicy": { "enabled": false } }), POLICY).await;
        let strict = ada.done("createBooking", massage(30)).await;
        let query = "query($id: ID!) { booking(id: $id) { policySnapshot { policyId policyRevision name createdDate \
            cancellationPolicy { enabled limitLatestCancellation latestCancellationInMinutes } reschedulePolicy { enabled } } \
            allowedActions { cancel { allowed code } reschedule { allowed code } } } }";
        let shown = async |booking: &Value| ada.data(query, json!({ "id": booking["id"] })).await["booking"].clone();
        let allowed = |shown: &Value| (shown["allowedActions"]["cancel"]["allowed"].clone(), shown["allowedActions"]["reschedule"]["allowed"].clone());
        let first = shown(&kept).await;
        assert_eq!(first["policySnapshot"], json!({
            "policyId": policy, "policyRevision": 1, "name": "Rules", "createdDate": MONDAY,
            "cancellationPolicy": { "enabled": true, "limitLatestCancellation": true, "latestCancellationInMinutes": 60 },
            "reschedulePolicy": { "enabled": true },
        }));
        let second = shown(&strict).await;
        assert_eq!(second["policySnapshot"]["policyRevision"], 2);
        assert_eq!(second["allowedActions"]["cancel"], json!({ "allowed": false, "code": "BOOKING_POLICY_VIOLATION" }));
        let away = |booking: &Value| with(on(booking), json!({ "slot": massage(240)["bookedEntity"]["slot"] }));
        assert_eq!(broken(&ada.refused("cancelBooking", on(&strict)).await), says("CANCELLATION_NOT_ALLOWED", "-"));
        assert_eq!(broken(&ada.refused("rescheduleBooking", away(&strict)).await), says("RESCHEDULE_NOT_ALLOWED", "-"));
        // Exactly on a limit is in time, and what is told is what is done.
        for (now, cancel, reschedule) in [
            ("2030-03-05T10:00:00Z", true, true), ("2030-03-05T10:00:01Z", true, false), ("2030-03-05T11:00:00Z", true, false), ("2030-03-05T11:00:01Z", false, false),
        ] {
            clock.set(at(now));
            assert_eq!(allowed(&shown(&kept).await), (json!(cancel), json!(reschedule)), "{now}");
        }
        assert_eq!(broken(&ada.refused("cancelBooking", on(&kept)).await), says("TOO_LATE_TO_CANCEL", "2030-03-05T11:00:00Z"));
        assert_eq!(broken(&ada.refused("rescheduleBooking", away(&kept)).await), says("TOO_LATE_TO_RESCHEDULE", "2030-03-05T10:00:00Z"));
        clock.set(at("2030-03-05T11:00:00Z"));
        ada.done("cancelBooking", on(&kept)).await;
        owner.done("cancelBooking", on(&strict)).await;
        // Without a policy, until the start.
        clock.set(at(MONDAY));
        let free = ada.done("createBooking", studio.appointment(&studio.training, 0, &[])).await;
        assert_eq!(shown(&free).await["policySnapshot"], Value::Null);
        clock.set(at("2030-03-05T12:00:00Z").checked_sub(SignedDuration::from_secs(1)).unwrap());
        ada.done("cancelBooking", on(&free)).await;
    }
}
