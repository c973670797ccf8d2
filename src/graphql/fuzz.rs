//! What strangers send to the gate and to the lists, changed at random: nothing panics.

use async_graphql::{InputType, Request, Value, Variables};

use super::{
    connection::open_cursor,
    documents::Documents,
    gate::{Gate, Limits},
    types::{
        booking_filter::{BookingFilter, booking_cursor, booking_key},
        event::{history_revision, log_cursor, log_position},
        service_filter::{service_cursor, service_key},
    },
};
use crate::{
    domain::{
        fuzzing::{fuzz, fuzz_text},
        ids::BookingId,
    },
    store::{
        bookings::{BookingKey, OrderField},
        catalog::ServiceOrder,
    },
};

#[test]
fn cursors() {
    let key = BookingKey {
        at: jiff::Timestamp::UNIX_EPOCH,
        id: BookingId::new(),
    };
    let (list, log) = (booking_cursor(&key, OrderField::Created), log_cursor(17));
    fuzz_text("cursors", &[&list, &log, "MTIz"], |text| {
        let _ = open_cursor(text);
        if let Some(position) = log_position(text) {
            assert_eq!(log_position(&log_cursor(position)), Some(position));
        }
        let _ = history_revision(text);
        for order in [ServiceOrder::Created, ServiceOrder::SortOrder] {
            if let Some(key) = service_key(text, order) {
                assert_eq!(service_key(&service_cursor(&key, order), order), Some(key));
            }
        }
        for field in [OrderField::Created, OrderField::Start] {
            if let Some(key) = booking_key(text, field) {
                assert_eq!(
                    booking_key(&booking_cursor(&key, field), field).map(|key| key.id),
                    Some(key.id)
                );
            }
        }
    });
}

const FILTER: &str = r#"{"and":[{"status":{"in":["CONFIRMED","PENDING"]}},{"not":{"startDate":{"gte":"2026-11-23T09:00:00Z"}}}],
    "or":[{"contactEmail":{"eq":"ada@example.org"}},{"totalParticipants":{"gt":2}}],
    "id":{"eq":"booking_01h455vb4pex5vsknk084sn02q"},"doubleBooked":{"eq":true}}"#;

#[test]
fn filters() {
    fuzz("filters", &[FILTER, "{}", r#"{"not":{"not":{"not":{}}}}"#], |input| {
        let Ok(value) = serde_json::from_slice::<serde_json::Value>(input) else {
            return;
        };
        if let Ok(filter) = <BookingFilter as InputType>::parse(Value::from_json(value).ok()) {
            let _ = filter.parse();
        }
    });
}

#[test]
fn documents_and_variables() {
    let gate = Gate::new(Limits::default());
    let seeds = [
        "query($filter: BookingFilter, $first: Int = 10) { bookings(filter: $filter, first: $first, orderBy: { field: CREATED_DATE, direction: ASC }) { totalCount nodes { id status bookedEntity { __typename ... on BookedSlot { title } } } } }",
        "mutation M($input: CreateBookingInput!) { createBooking(input: $input) { booking { id } userErrors { code message path ... on CapacityExceeded { remaining } } } }",
        "subscription { bookingEvents(after: \"MTIz\") { cursor type } }",
        "{ a: site { ...F } b: site { ...F @include(if: true) } } fragment F on Site { id name @skip(if: false) }",
        "{ __schema { types { name fields { name args { name defaultValue } } } } }",
        "{ node(id: \"\"\"block \\u0041 text\"\"\") { id } }",
        "query($a: [ID!]!) { nodes(ids: $a) { id } }",
    ];
    let variables: Variables =
        serde_json::from_str(&format!("{{\"filter\":{FILTER},\"first\":3,\"a\":[\"x\"]}}")).unwrap_or_default();
    fuzz_text("documents", &seeds, |text| {
        let mut request = Request::new(text).variables(variables.clone());
        if gate.admit(&mut request).is_ok() {
            assert!(request.parsed_query().is_ok(), "what gets in can be run");
        }
    });
    let document =
        "query($filter: BookingFilter, $first: Int) { bookings(filter: $filter, first: $first) { totalCount } }";
    let seeds = [
        &*format!("{{\"filter\":{FILTER}}}"),
        r#"{"filter":null,"first":5}"#,
        r#"{"first":"5","filter":{"and":[[]]}}"#,
    ];
    fuzz("variables", &seeds, |input| {
        if let Ok(variables) = serde_json::from_slice::<Variables>(input) {
            let _ = gate.admit(&mut Request::new(document).variables(variables));
        }
    });
}

#[test]
fn manifests_and_names_of_documents() {
    let documents = Documents::automatic(10_000);
    let seeds = [
        r#"{"q1":"{ site { id } }","q2":"{ a }"}"#,
        r#"{"operations":[{"id":"a","body":"{ site { id } }","name":"A","type":"query"}]}"#,
        "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    ];
    fuzz_text("documents' names", &seeds, |text| {
        let _ = (documents.resolve("", Some(text)), documents.resolve(text, Some(text)));
        if let Ok(trusted) = Documents::trusted(text) {
            assert!(
                trusted
                    .manifest()
                    .all(|(id, text)| trusted.resolve(text, Some(id)).is_ok())
            );
        }
    });
}
