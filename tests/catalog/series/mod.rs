//! Series of sessions.

mod edits;
mod rules;

use serde_json::{Value, json};

use crate::{
    done, local,
    support::{Client, Studio, fixture::with},
};

/// What tests look at in a session of a series.
pub(crate) const SESSION: &str = "session { id title localStart localEnd startDate status capacity originalStart \
    overriddenFields revision series { id recurrence revision } }";
const SERIES: &str = "series { id recurrence revision title localStart localEnd timeZone capacity materializedUntil \
    canceledDate schedule { id } resources { id } sessions(first: 100) { totalCount nodes { id localStart originalStart \
    startDate status title } } }";

/// The input for yoga of an hour, some minutes after noon UTC of tomorrow for the first time.
pub(crate) fn yoga(studio: &Studio, minutes: i64, recurrence: &str) -> Value {
    json!({
        "scheduleId": studio.yoga.schedule.to_string(), "timeZone": "Europe/Berlin", "recurrence": recurrence,
        "localStart": local(studio, minutes), "localEnd": local(studio, minutes + 60),
    })
}

/// Makes a series.
pub(crate) async fn made(owner: &Client, input: Value) -> Value {
    done(owner, "createSessionSeries", input, SERIES).await["series"].clone()
}

/// The series as it is now.
pub(crate) async fn again(owner: &Client, series: &Value) -> Value {
    let query = format!(
        "query($id: ID!) {{ {} }}",
        SERIES.replacen("series {", "sessionSeries(id: $id) {", 1)
    );
    owner.data(&query, json!({ "id": series["id"] })).await["sessionSeries"].clone()
}

/// Its sessions, by start; cancelled ones too.
pub(crate) fn sessions(series: &Value) -> Vec<Value> {
    series["sessions"]["nodes"].as_array().unwrap().clone()
}

/// Those that take place.
pub(crate) fn live(series: &Value) -> Vec<Value> {
    let mut sessions = sessions(series);
    sessions.retain(|session| session["status"] == "CONFIRMED");
    sessions
}

/// When they start.
pub(crate) fn starts(sessions: &[Value]) -> Vec<String> {
    let starts = sessions
        .iter()
        .map(|session| session["localStart"].as_str().unwrap().to_owned());
    starts.collect()
}

/// The same on some later day.
pub(crate) fn days_later(studio: &Studio, days: i64, minutes: i64) -> String {
    // By the wall clock, which may change in between.
    let first: jiff::civil::DateTime = local(studio, minutes).parse().unwrap();
    first.checked_add(jiff::Span::new().days(days)).unwrap().to_string()
}

/// Changes a session, or more of its series.
pub(crate) async fn update(owner: &Client, session: &Value, changes: Value) -> Value {
    let input = with(json!({ "sessionId": session["id"] }), changes);
    done(owner, "updateSession", input, SESSION).await["session"].clone()
}

/// The input for seats of one of the sessions.
pub(crate) fn seats(session: &Value, seats: i32) -> Value {
    json!({
        "bookedEntity": { "slot": { "session": { "sessionId": session["id"] } } },
        "contactDetails": { "firstName": "Ada", "email": "ada@example.org" },
        "totalParticipants": seats,
    })
}
