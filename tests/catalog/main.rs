//! The business's catalog and calendar over the real HTTP endpoint, on both engines.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::items_after_statements,
    clippy::similar_names,
    clippy::too_many_lines,
    missing_docs,
    unreachable_pub
)]

#[path = "../booking/support/mod.rs"]
mod support;

#[path = "../races/socket.rs"]
mod socket;

mod availability;
mod availability_examples;
mod booking_path;
mod business_calendar;
mod calendar;
mod choices;
mod closings;
mod courses;
mod hours;
mod imports;
mod lists;
mod locations;
mod model;
mod offers;
mod options;
mod package_availability;
mod package_events;
mod packages;
mod policies;
mod races;
mod remembering;
mod requirements;
mod resource_deletion;
mod resources;
mod series;
mod services;
mod sessions;
mod subscriptions;
mod transparency;
mod watching;

use serde_json::{Value, json};
use support::{Client, Server, Studio};

/// What tests look at in a user error.
const ERRORS: &str = "userErrors { __typename code message path ... on BookingsAffected { count } ... on ServicesAffected { count } \
    ... on PolicyViolation { rule limit } ... on RevisionMismatch { current } ... on SlotNotAvailable { conflicts { id } nextAvailable } \
    ... on ReassignmentConflict { bookings { id } sessions { id } } }";

/// The payload of a mutation that is done.
async fn done(client: &Client, name: &str, input: Value, selection: &str) -> Value {
    let payload = client
        .mutate_selecting(name, input.clone(), &format!("{selection} {ERRORS}"))
        .await;
    assert_eq!(payload["userErrors"], json!([]), "{name} {input}");
    payload
}

/// The only user error of a mutation that is refused.
async fn refused(client: &Client, name: &str, input: Value) -> Value {
    let payload = client.mutate_selecting(name, input.clone(), ERRORS).await;
    let errors = payload["userErrors"].as_array().expect("errors");
    assert_eq!(errors.len(), 1, "{name} {input}: {payload}");
    errors[0].clone()
}

/// The code of the only user error.
async fn code(client: &Client, name: &str, input: Value) -> String {
    refused(client, name, input).await["code"].as_str().unwrap().to_owned()
}

/// A confirmed booking's id.
async fn confirmed(client: &Client, input: Value) -> String {
    let booking = client.done("createBooking", input).await;
    let id = booking["id"].as_str().unwrap().to_owned();
    client.done("confirmBooking", json!({ "bookingId": id })).await;
    id
}

/// A booking with the types and previous statuses of its events.
async fn story(client: &Client, id: &str) -> (Value, Vec<(String, String)>) {
    let query = "query($id: ID!) { booking(id: $id) { status revision startDate endDate doubleBooked \
        bookedEntity { ... on BookedSlot { title resource { id } } } \
        history { nodes { type previousStatus revision } } } }";
    let booking = client.data(query, json!({ "id": id })).await["booking"].clone();
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let events: Vec<_> = booking["history"]["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| (text(&event["type"]), text(&event["previousStatus"])))
        .collect();
    assert_eq!(booking["revision"], json!(events.len()), "one revision for each event");
    (booking, events)
}

/// The last event of a booking.
async fn last_event(client: &Client, id: &str) -> (Value, (String, String)) {
    let (booking, mut events) = story(client, id).await;
    (booking, events.pop().unwrap())
}

/// A server with a studio on it, and its owner.
async fn studio(engine: support::Engine) -> (Server, Studio, Client) {
    let server = Server::start(engine).await;
    let studio = Studio::open(&server).await;
    let owner = server.owner();
    (server, studio, owner)
}

/// The number after `state` in a row of numbers that look like chance; every run draws the same.
fn draw(state: &mut u64, below: u64) -> u64 {
    *state = state
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    (*state >> 33) % below
}

/// The input for hours: from, to, and on which days of the week; none: all seven.
fn weekly(start: &str, end: &str, days: &[&str]) -> Value {
    let all = [
        "MONDAY",
        "TUESDAY",
        "WEDNESDAY",
        "THURSDAY",
        "FRIDAY",
        "SATURDAY",
        "SUNDAY",
    ];
    let days = if days.is_empty() { all.as_slice() } else { days };
    json!({ "days": days, "startTime": start, "endTime": end })
}

/// A wall clock in the studio's zone, some minutes after noon UTC of tomorrow.
fn local(studio: &Studio, minutes: i64) -> String {
    let at: jiff::Timestamp = studio.at(minutes).parse().unwrap();
    at.to_zoned(jiff::tz::TimeZone::get("Europe/Berlin").unwrap())
        .datetime()
        .to_string()
}
