//! Watching one package, and asking what became of it.

use frontdesk::app::tokens::Role;
use serde_json::{Value, json};

use crate::{
    done, on_both_engines,
    packages::{act, at, confirmed, made, open, package, pair},
    socket::Socket,
    studio,
    support::{Client, Server},
};

const WATCH: &str = "subscription($after: String, $ids: [ID!]) { bookingEvents(after: $after, filter: { multiServiceBookingIds: $ids }) { \
    cursor type booking { id } } }";
const LOG: &str = "query($ids: [ID!], $first: Int, $after: String, $last: Int) { \
    bookingEvents(filter: { multiServiceBookingIds: $ids }, first: $first, after: $after, last: $last) { totalCount pageInfo { hasNextPage hasPreviousPage } \
    nodes { cursor type booking { id } } } }";

async fn watch(server: &Server, package: &Value, after: Value) -> Socket {
    let token = server.token(Role::Owner, "olga", None);
    let socket = Socket::subscribe(server, &token, WATCH, json!({ "ids": [package["id"]], "after": after })).await;
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    socket
}

/// The next event: its type, its booking, its cursor.
async fn next(socket: &mut Socket) -> (String, Value, Value) {
    let event = socket.next().await["bookingEvents"].clone();
    (
        event["type"].as_str().unwrap().to_owned(),
        event["booking"]["id"].clone(),
        event["cursor"].clone(),
    )
}

async fn log(client: &Client, package: &Value, page: Value) -> Value {
    let variables = crate::support::fixture::with(json!({ "ids": [package["id"]] }), page);
    client.data(LOG, variables).await["bookingEvents"].clone()
}

fn told(log: &Value) -> Vec<(&str, &Value)> {
    let nodes = log["nodes"].as_array().unwrap().iter();
    nodes
        .map(|node| (node["type"].as_str().unwrap(), &node["booking"]["id"]))
        .collect()
}

on_both_engines! {
    async fn one_package_is_watched_alone(engine) {
        let (server, studio, owner) = studio(engine).await;
        open(&owner, "17:00").await;
        let (cut, shave) = pair(&owner, &studio).await;
        let mia = server.member("mia");
        let new = made(&mia, package(&[(&cut, "09:00"), (&shave, "10:00")])).await;
        let other = made(&owner, package(&[(&cut, "11:00"), (&shave, "12:00")])).await;
        let (one, two) = (new["bookings"][0]["id"].clone(), new["bookings"][1]["id"].clone());
        let mut socket = watch(&server, &new, Value::Null).await;
        act(&owner, "confirmMultiServiceBooking", &other, json!({})).await;
        crate::confirmed(&owner, studio.class(&studio.session, 1)).await;
        act(&owner, "confirmMultiServiceBooking", &new, json!({})).await;
        let (kind, booking, cursor) = next(&mut socket).await;
        assert_eq!((kind.as_str(), &booking), ("CONFIRMED", &one));
        let (kind, booking, _) = next(&mut socket).await;
        assert_eq!((kind.as_str(), &booking), ("CONFIRMED", &two));
        act(&owner, "cancelMultiServiceBooking", &other, json!({})).await;
        act(&owner, "cancelMultiServiceBooking", &new, json!({})).await;
        assert_eq!(next(&mut socket).await.0, "CANCELED");
        // Who comes back with a cursor misses nothing, and gets nothing else.
        let mut socket = watch(&server, &new, cursor).await;
        for (kind, booking) in [("CONFIRMED", &two), ("CANCELED", &one), ("CANCELED", &two)] {
            let event = next(&mut socket).await;
            assert_eq!((event.0.as_str(), &event.1), (kind, booking));
        }
        // The log says the same.
        let all = log(&owner, &new, json!({})).await;
        assert_eq!(told(&all), [("CREATED", &one), ("CREATED", &two), ("CONFIRMED", &one), ("CONFIRMED", &two), ("CANCELED", &one), ("CANCELED", &two)]);
        assert_eq!((&all["totalCount"], &all["pageInfo"]), (&json!(6), &json!({ "hasNextPage": false, "hasPreviousPage": false })));
        assert_eq!(told(&log(&mia, &new, json!({})).await), told(&all), "its customer sees it, too");
        assert_eq!(told(&log(&mia, &other, json!({})).await), [], "and nobody else's");
        let page = log(&owner, &new, json!({ "first": 2, "after": all["nodes"][1]["cursor"] })).await;
        assert_eq!((told(&page), &page["pageInfo"]), (told(&all)[2..4].to_vec(), &json!({ "hasNextPage": true, "hasPreviousPage": true })));
        assert_eq!(told(&log(&owner, &new, json!({ "last": 1 })).await), [("CANCELED", &two)]);
        for ids in [json!(["x"]), json!([one]), json!(vec![new["id"].clone(); 101])] {
            assert_eq!(owner.error_code(LOG, json!({ "ids": ids })).await, "BAD_USER_INPUT");
        }
    }

    async fn who_watches_a_package_sees_bookings_join_and_leave(engine) {
        let (server, studio, owner) = studio(engine).await;
        open(&owner, "17:00").await;
        let (cut, _) = pair(&owner, &studio).await;
        let new = made(&owner, confirmed(package(&[(&cut, "09:00"), (&cut, "10:00"), (&cut, "11:00")]))).await;
        let last = new["bookings"][2]["id"].clone();
        let mut socket = watch(&server, &new, Value::Null).await;
        let of = json!({ "multiServiceBookingId": new["id"], "bookings": [{ "bookingId": last }] });
        done(&owner, "removeBookingsFromMultiServiceBooking", of.clone(), "removedBookings { id }").await;
        let event = next(&mut socket).await;
        assert_eq!((event.0.as_str(), &event.1), ("UPDATED", &last), "it leaves");
        // What becomes of it alone is told to nobody who watches the package.
        let slot = json!({ "appointment": { "serviceId": cut, "startDate": at("13:00") } });
        for start in ["13:00", "11:00"] {
            let mut slot = slot.clone();
            slot["appointment"]["startDate"] = json!(at(start));
            owner.done("rescheduleBooking", json!({ "bookingId": last, "slot": slot })).await;
        }
        done(&owner, "addBookingsToMultiServiceBooking", of, "multiServiceBooking { id }").await;
        let event = next(&mut socket).await;
        assert_eq!((event.0.as_str(), &event.1), ("UPDATED", &last), "it joins");
        let all = log(&owner, &new, json!({})).await;
        let kinds: Vec<&str> = told(&all).into_iter().filter(|(_, id)| *id == &last).map(|(kind, _)| kind).collect();
        assert_eq!(kinds, ["CREATED", "UPDATED", "UPDATED"]);
    }
}
