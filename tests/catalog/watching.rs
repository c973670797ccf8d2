//! Watching free times: who is told, of what, and how often.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use frontdesk::{
    app::tokens::Role,
    domain::{
        clock::FixedClock,
        ids::{BookingId, TypedId as _},
    },
};
use serde_json::{Value, json};

use crate::{
    confirmed, done, local, on_both_engines,
    series::{days_later, made, sessions, yoga},
    socket::Socket,
    studio,
    support::{Client, Server, Studio, fixture::with},
    weekly,
};

const WATCH: &str = "subscription($service: ID!, $from: DateTime!, $to: DateTime!) { \
    availabilityChanged(serviceId: $service, from: $from, to: $to) { from to changedDate service { id } } }";

/// Watches a service from one minute to another; on until the server surely watches, too.
pub async fn watch(
    server: &Server,
    studio: &Studio,
    service: &frontdesk::domain::catalog::Service,
    from: i64,
    to: i64,
) -> Socket {
    let token = server.token(Role::Member, "ada", None);
    let window = json!({ "service": service.id.to_string(), "from": studio.at(from), "to": studio.at(to) });
    let socket = Socket::subscribe(server, &token, WATCH, window).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    socket
}

/// The part of the window that changed.
pub async fn part(socket: &mut Socket) -> (Value, Value) {
    let told = socket.next().await["availabilityChanged"].clone();
    (told["from"].clone(), told["to"].clone())
}

/// Long enough for a burst to be told.
async fn pause() {
    tokio::time::sleep(Duration::from_millis(1300)).await;
}

async fn block(
    owner: &Client,
    studio: &Studio,
    of: &frontdesk::domain::catalog::Resource,
    from: i64,
    to: i64,
) -> Value {
    let input = json!({ "resourceId": of.id.to_string(), "startDate": studio.at(from), "endDate": studio.at(to) });
    done(owner, "createBlockedTime", input, "blockedTime { id }").await["blockedTime"]["id"].clone()
}

on_both_engines! {
    async fn what_matters_is_told_with_its_part_of_the_window(engine) {
        let (server, studio, owner) = studio(engine).await;
        let mut socket = watch(&server, &studio, &studio.massage, 0, 24 * 60).await;
        // Massages take half an hour or less than two hours: what reaches into the taken time begins earlier.
        let longest = i64::from(studio.massage.durations.iter().max().unwrap() + studio.massage.buffer_minutes);
        let massage = studio.appointment(&studio.massage, 300, &[&studio.anna]);
        // Nothing is taken by a booking that was only begun.
        let begun = owner.done("createBooking", massage.clone()).await;
        pause().await;
        owner.done("confirmBooking", json!({ "bookingId": begun["id"] })).await;
        let (from, to) = part(&mut socket).await;
        assert_eq!((&from, to), (&json!(studio.at(300 - longest)), json!(begun_end(&studio, 300))));
        owner.done("cancelBooking", json!({ "bookingId": begun["id"] })).await;
        assert_eq!(part(&mut socket).await.0, from, "free again");
        // Outside of the window, of another resource, of another service: not told. What is told next is the last.
        block(&owner, &studio, &studio.anna, 30 * 60, 31 * 60).await;
        block(&owner, &studio, &studio.room, 300, 360).await;
        confirmed(&owner, studio.class(&studio.session, 2)).await;
        pause().await;
        let blocked = block(&owner, &studio, &studio.ben, 600, 660).await;
        assert_eq!(part(&mut socket).await, (json!(studio.at(600 - longest)), json!(studio.at(660))));
        done(&owner, "deleteBlockedTime", json!({ "blockedTimeId": blocked }), "").await;
        assert_eq!(part(&mut socket).await.1, json!(studio.at(660)));
        // Hours and the service itself concern the whole window.
        let whole = (json!(studio.at(0)), json!(studio.at(24 * 60)));
        done(&owner, "setWorkingHours", json!({ "weekly": [weekly("09:00", "17:00", &[])] }), "workingHours { revision }").await;
        assert_eq!(part(&mut socket).await, whole);
        done(&owner, "updateService", json!({ "serviceId": studio.massage.id.to_string(), "bufferMinutes": 15 }), "service { id }").await;
        assert_eq!(part(&mut socket).await, whole);
        // So do the rules by which it is booked, and the lengths that it can have.
        let late = json!({ "name": "Late", "limitLateBookingPolicy": { "enabled": true, "latestBookingInMinutes": 60 } });
        let policy = done(&owner, "createBookingPolicy", late, "bookingPolicy { id }").await["bookingPolicy"]["id"].clone();
        pause().await;
        done(&owner, "setDefaultBookingPolicy", json!({ "bookingPolicyId": policy }), "bookingPolicy { id }").await;
        assert_eq!(part(&mut socket).await, whole);
        pause().await;
        done(&owner, "updateBookingPolicy", json!({ "bookingPolicyId": policy, "bookAfterStartPolicy": { "enabled": false } }), "bookingPolicy { id }").await;
        assert_eq!(part(&mut socket).await, whole);
        pause().await;
        let length = json!({
            "serviceId": studio.massage.id.to_string(),
            "options": [{ "optionId": "length", "type": "DURATION", "durationData": { "name": "Length", "choices": [{ "minutes": 45 }] } }],
            "variants": [{ "choices": [{ "optionId": "length", "durationInMinutes": 45 }], "price": { "amount": "1", "currency": "EUR" } }],
        });
        done(&owner, "createServiceOptionsAndVariants", length, "serviceOptionsAndVariants { id }").await;
        assert_eq!(part(&mut socket).await, whole);
    }

    async fn a_burst_is_told_once(engine) {
        let (server, studio, owner) = studio(engine).await;
        let mut socket = watch(&server, &studio, &studio.massage, 0, 24 * 60).await;
        let began = Instant::now();
        for hour in 0..20 {
            block(&owner, &studio, &studio.anna, hour * 60, hour * 60 + 30).await;
        }
        // What takes longer than a burst may be told as several.
        let pauses = began.elapsed().as_millis() / 100;
        let mut told = vec![part(&mut socket).await];
        pause().await;
        block(&owner, &studio, &studio.ben, 23 * 60, 24 * 60).await;
        while told.last().unwrap().1 != json!(studio.at(24 * 60)) {
            told.push(part(&mut socket).await);
        }
        let most = usize::try_from(3 + pauses).unwrap();
        assert!(told.len() <= most, "20 acts, told as {told:?}");
    }

    async fn seats_and_sessions_of_a_class_are_watched(engine) {
        let (server, studio, owner) = studio(engine).await;
        let mut socket = watch(&server, &studio, &studio.yoga, 0, 48 * 60).await;
        let id = confirmed(&owner, studio.class(&studio.session, 2)).await;
        let (from, to) = part(&mut socket).await;
        assert_eq!(from, json!(studio.session.span.start().to_string()));
        assert_eq!(to, json!(studio.session.span.end().to_string()));
        pause().await;
        owner.done("updateNumberOfParticipants", json!({ "bookingId": id, "totalParticipants": 1 })).await;
        assert_eq!(part(&mut socket).await.0, from);
        done(&owner, "updateSession", json!({ "sessionId": studio.session.id.to_string(), "capacity": 30 }), "session { id }").await;
        assert_eq!(part(&mut socket).await.0, from);
        done(&owner, "cancelSession", json!({ "sessionId": studio.session.id.to_string(), "bookings": "CANCEL" }), "session { id }").await;
        assert_eq!(part(&mut socket).await.0, from);
    }

    async fn a_series_tells_where_its_sessions_were_and_where_they_are(engine) {
        let (server, studio, owner) = studio(engine).await;
        let series = made(&owner, yoga(&studio, 0, "FREQ=WEEKLY;COUNT=3")).await;
        let all = sessions(&series);
        let at = |minutes: i64| json!(studio.at(minutes));
        // Around the first two sessions, and nothing behind them.
        let mut socket = watch(&server, &studio, &studio.yoga, -60, 10 * 24 * 60).await;
        // One is moved out of the window: it is gone from where it was.
        let away = json!({ "sessionId": all[1]["id"], "localStart": days_later(&studio, 40, 0) });
        let was = all[1]["startDate"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
        let hour = |from: jiff::Timestamp| {
            let to = from.checked_add(jiff::SignedDuration::from_hours(1)).unwrap();
            (json!(from.to_string()), json!(to.to_string()))
        };
        done(&owner, "updateSession", away, "session { id }").await;
        assert_eq!(part(&mut socket).await, hour(was));
        pause().await;
        // It comes back to where the series has it.
        done(&owner, "restoreSession", json!({ "sessionId": all[1]["id"] }), "session { id }").await;
        assert_eq!(part(&mut socket).await, hour(was));
        pause().await;
        // It goes and comes back within the window: both places are told.
        let near = json!({ "sessionId": all[1]["id"], "localStart": local(&studio, 24 * 60) });
        done(&owner, "updateSession", near, "session { id }").await;
        assert_eq!(part(&mut socket).await, (at(24 * 60), hour(was).1));
        pause().await;
        done(&owner, "restoreSession", json!({ "sessionId": all[1]["id"] }), "session { id }").await;
        assert_eq!(part(&mut socket).await, (at(24 * 60), hour(was).1));
        pause().await;
        // All of them two hours later, and then on other days by another rule.
        let later = json!({ "sessionId": all[0]["id"], "scope": "ALL", "localStart": local(&studio, 120) });
        done(&owner, "updateSession", later, "session { id }").await;
        let (from, to) = part(&mut socket).await;
        assert_eq!(from, at(0), "where the first one was");
        let end = was.checked_add(jiff::SignedDuration::from_hours(3)).unwrap();
        assert_eq!(to, json!(end.to_string()), "where the second one is");
        pause().await;
        let other = json!({
            "sessionId": all[0]["id"], "scope": "ALL", "localStart": days_later(&studio, 2, 120), "recurrence": "FREQ=WEEKLY;COUNT=3",
        });
        done(&owner, "updateSession", other, "session { id }").await;
        assert_eq!(part(&mut socket).await.0, at(120));
    }

    async fn a_hold_is_told_when_it_begins_and_when_it_ends(engine) {
        let clock = Arc::new(FixedClock::new("2026-11-22T08:00:00Z".parse().unwrap()));
        let server = Server::start_with(engine, clock.clone()).await;
        let (studio, owner) = (Studio::open(&server).await, server.owner());
        let mut socket = watch(&server, &studio, &studio.massage, 0, 24 * 60).await;
        let hold = with(studio.appointment(&studio.massage, 300, &[&studio.anna]), json!({ "holdSeconds": 60 }));
        let held_booking = owner.done("createBooking", hold).await;
        let held = part(&mut socket).await;
        pause().await;
        clock.advance(jiff::SignedDuration::from_secs(61));
        let id = BookingId::parse(held_booking["id"].as_str().unwrap()).unwrap();
        server.service().expire_hold(server.site, id).await.unwrap();
        assert_eq!(part(&mut socket).await, held);
    }

    async fn a_window_that_makes_no_sense_and_an_unknown_service_are_refused(engine) {
        let (server, studio, _owner) = studio(engine).await;
        let ask = |service: String, from: i64, to: i64| json!({ "service": service, "from": studio.at(from), "to": studio.at(to) });
        let massage = studio.massage.id.to_string();
        for (variables, argument) in [
            (ask(massage.clone(), 60, 60), "to"),
            (ask(massage.clone(), 0, 367 * 24 * 60), "to"),
            (ask(frontdesk::domain::ids::ServiceId::new().to_string(), 0, 60), "serviceId"),
            (ask(studio.anna.id.to_string(), 0, 60), "serviceId"),
        ] {
            let token = server.token(Role::Member, "ada", None);
            let error = Socket::subscribe(&server, &token, WATCH, variables).await.refused().await;
            assert_eq!(error["extensions"]["code"], "BAD_USER_INPUT", "{error}");
            assert!(error["message"].as_str().unwrap().starts_with(&format!("`{argument}`")), "{error}");
        }
    }
}

fn begun_end(studio: &Studio, from: i64) -> String {
    studio.at(from + i64::from(studio.massage.durations[0] + studio.massage.buffer_minutes))
}
