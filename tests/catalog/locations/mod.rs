//! Locations: the business's own, where services are given, who is where and when, and what is booked there.

mod bookings;
mod entity;
mod free_times;
mod hours;
mod packages;
mod services;

use serde_json::{Value, json};

use crate::{ERRORS, done, support::Client, support::fixture::with};

/// A Monday far ahead, on a clock that shows UTC.
pub(crate) const DAY: &str = "2032-03-01";

/// An instant of that day.
pub(crate) fn at(clock: &str) -> String {
    format!("{DAY}T{clock}:00Z")
}

/// Makes a location, and says its id.
pub(crate) async fn location(owner: &Client, name: &str) -> String {
    let made = done(owner, "createLocation", json!({ "name": name }), "location { id }").await;
    made["location"]["id"].as_str().unwrap().to_owned()
}

/// Makes a staff member with these hours of their own, if any, and says the id.
pub(crate) async fn staff(owner: &Client, name: &str, more: Value, hours: &[Value]) -> String {
    let input = with(json!({ "type": "STAFF", "name": name }), more);
    let made = done(owner, "createResource", input, "resource { id }").await;
    let id = made["resource"]["id"].as_str().unwrap().to_owned();
    if !hours.is_empty() {
        let input = json!({ "resourceId": id, "weekly": hours });
        done(owner, "setWorkingHours", input, "workingHours { revision }").await;
    }
    id
}

/// Times of every Monday, at one location or wherever somebody serves.
pub(crate) fn mondays(start: &str, end: &str, location: Option<&str>) -> Value {
    json!({ "days": ["MONDAY"], "startTime": start, "endTime": end, "locationId": location })
}

pub(crate) fn business(location: &str) -> Value {
    json!({ "type": "BUSINESS", "businessLocationId": location })
}

/// The input of an appointment of an hour.
pub(crate) fn hour(resources: &[&str], locations: &Value) -> Value {
    json!({
        "type": "APPOINTMENT", "name": "An hour", "durations": [60], "staffMemberIds": resources, "locations": locations,
        "slotsSplitInterval": { "valueInMinutes": 60 }, "payment": { "rateType": "NO_FEE" },
    })
}

/// Makes a service, and says its id.
pub(crate) async fn service(owner: &Client, input: Value) -> String {
    let made = done(owner, "createService", input, "service { id }").await;
    made["service"]["id"].as_str().unwrap().to_owned()
}

const SLOTS: &str = "query($ids: [ID!]!, $from: DateTime!, $to: DateTime!, $at: [ID!]) { \
    availability(serviceIds: $ids, from: $from, to: $to, locationIds: $at, limit: 100) { timeSlots { __typename startDate \
        location { locationId locationType name formattedAddress } \
        ... on AppointmentSlot { availableResources { resources { name } } } } } }";

/// What is offered on the day: the clock and the place's name.
pub(crate) async fn offered(client: &Client, services: &[&str], at_these: Option<&[&str]>) -> Vec<(String, String)> {
    let asked = json!({ "ids": services, "from": at("00:00"), "to": "2032-03-02T00:00:00Z", "at": at_these });
    let told = client.data(SLOTS, asked).await["availability"]["timeSlots"].clone();
    let row = |slot: &Value| {
        let name = slot["location"]["name"].as_str().unwrap_or("-");
        (slot["startDate"].as_str().unwrap()[11..16].to_owned(), name.to_owned())
    };
    told.as_array().unwrap().iter().map(row).collect()
}

/// The same as words.
pub(crate) fn words(offered: &[(String, String)]) -> Vec<String> {
    offered.iter().map(|(clock, name)| format!("{clock} {name}")).collect()
}

/// The input of a booking on the day; `more` goes into the slot.
pub(crate) fn visit(service: &str, clock: &str, more: Value) -> Value {
    let slot = with(json!({ "serviceId": service, "startDate": at(clock) }), more);
    json!({
        "bookedEntity": { "slot": { "appointment": slot } }, "contactDetails": { "firstName": "Ada" }, "totalParticipants": 1,
    })
}

/// A booking's place, and who serves it.
const BOOKED: &str = "booking { id status bookedEntity { ... on BookedSlot { startDate resource { name } \
    location { locationId locationType name formattedAddress } } ... on BookedSchedule { location { name } } } }";

/// A booking that is made.
pub(crate) async fn booked(client: &Client, input: Value) -> Value {
    done(client, "createBooking", input, BOOKED).await["booking"].clone()
}

/// The codes of a mutation's user errors; none if it was done.
pub(crate) async fn codes(client: &Client, name: &str, input: Value) -> Vec<String> {
    let payload = client.mutate_selecting(name, input, ERRORS).await;
    let errors = payload["userErrors"].as_array().unwrap();
    errors
        .iter()
        .map(|error| error["code"].as_str().unwrap().to_owned())
        .collect()
}

/// The code and path of the only user error.
pub(crate) async fn refusal(client: &Client, name: &str, input: Value) -> (String, String) {
    let error = crate::refused(client, name, input).await;
    let path = error["path"].as_array().cloned().unwrap_or_default();
    let path: Vec<&str> = path.iter().filter_map(Value::as_str).collect();
    (error["code"].as_str().unwrap().to_owned(), path.join("."))
}

/// What a refusal is expected to be.
pub(crate) fn is(code: &str, path: &str) -> (String, String) {
    (code.to_owned(), path.to_owned())
}
