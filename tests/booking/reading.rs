//! Lists, pages, filters, orders, nodes, histories, messages and the log.

use std::collections::BTreeSet;

use futures::FutureExt as _;
use serde_json::{Value, json};

use crate::{
    on_both_engines,
    support::{Client, Server, Studio, id, ids, on, with},
};

const PAGE: &str = "query($filter: BookingFilter, $orderBy: BookingOrder, $first: Int, $after: String, $last: Int, $before: String) { \
    bookings(filter: $filter, orderBy: $orderBy, first: $first, after: $after, last: $last, before: $before) { \
        totalCount nodes { id } edges { cursor node { id createdDate updatedDate startDate endDate } } \
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }";

async fn page(client: &Client, variables: Value) -> Value {
    let found = client.data(PAGE, variables).await["bookings"].clone();
    let edges = found["edges"].as_array().unwrap();
    let nodes: Vec<Value> = edges.iter().map(|edge| json!({ "id": edge["node"]["id"] })).collect();
    assert_eq!(found["nodes"], json!(nodes), "nodes are the edges' nodes");
    let cursor = |edge: Option<&Value>| edge.map_or(Value::Null, |edge| edge["cursor"].clone());
    assert_eq!(found["pageInfo"]["startCursor"], cursor(edges.first()));
    assert_eq!(found["pageInfo"]["endCursor"], cursor(edges.last()));
    found
}

fn flag(page: &Value, name: &str) -> bool {
    page["pageInfo"][name].as_bool().unwrap()
}

/// Bookings at 30 times, four at each.
async fn many(server: &Server, studio: &Studio) -> BTreeSet<String> {
    let mut made = BTreeSet::new();
    for part in 0..3 {
        let one = |n: i64| studio.appointment(&studio.massage, ((n * 7) % 30) * 30, &[]);
        let bookings: Vec<Value> = (part * 40..part * 40 + 40).map(one).collect();
        let selection = "totalSuccesses results { booking { id } }";
        let payload = server
            .owner()
            .mutate_selecting("bulkCreateBooking", json!({ "bookings": bookings }), selection)
            .await;
        assert_eq!(payload["totalSuccesses"], 40);
        for result in payload["results"].as_array().unwrap() {
            made.insert(id(&result["booking"]).to_owned());
        }
    }
    made
}

/// A few bookings that differ in everything that can be filtered.
async fn diverse(server: &Server, studio: &Studio) {
    let (owner, ada) = (server.owner(), server.member("ada"));
    let person =
        |name: &str| json!({ "contactDetails": { "firstName": name, "email": format!("{name}@Example.org") } });
    let massage = |minutes, staff: &[&_]| studio.appointment(&studio.massage, minutes, staff);
    owner.done("createBooking", with(massage(0, &[]), person("Ada"))).await;
    let booking = ada
        .done("createBooking", with(massage(60, &[&studio.anna]), person("ada")))
        .await;
    owner
        .done("confirmBooking", with(on(&booking), json!({ "paymentStatus": "PAID" })))
        .await;
    let rival = owner
        .done(
            "createBooking",
            with(massage(120, &[&studio.ben]), json!({ "externalUserId": "u1" })),
        )
        .await;
    owner.confirmed(massage(120, &[&studio.ben])).await;
    owner.done("confirmBooking", on(&rival)).await;
    let offline = json!({ "selectedPaymentOption": "OFFLINE", "contactDetails": { "lastName": "Nomail" } });
    let training = studio.appointment(&studio.training, 240, &[]);
    owner
        .done(
            "createBooking",
            with(with(training.clone(), offline), json!({ "externalUserId": "u2" })),
        )
        .await;
    let online = ada
        .done(
            "createBooking",
            with(training, json!({ "selectedPaymentOption": "ONLINE" })),
        )
        .await;
    ada.done("cancelBooking", on(&online)).await;
    ada.done("createBooking", with(studio.class(&studio.session, 3), person("Bob")))
        .await;
    server
        .visitor()
        .done("createBooking", studio.class(&studio.next_session, 5))
        .await;
    let course = server.app().done("createBooking", studio.enrolment(2)).await;
    owner
        .done(
            "declineBooking",
            with(on(&course), json!({ "paymentStatus": "REFUNDED" })),
        )
        .await;
    // A run that has no sessions yet, by the business's word: a booking without a time.
    let mut run = studio.run.clone();
    run.span = None;
    server.save_schedule(&run).await;
    let skip = json!({ "flowControlSettings": { "skipAvailabilityValidation": true } });
    owner
        .done(
            "createBooking",
            with(with(studio.enrolment(1), person("Timeless")), skip),
        )
        .await;
}

const ALL_FIELDS: &str = "{ bookings(first: 100) { totalCount nodes { id status paymentStatus selectedPaymentOption \
    totalParticipants startDate endDate createdDate updatedDate doubleBooked externalUserId \
    createdBy { type subject } contactDetails { email } \
    bookedEntity { __typename ... on BookedSlot { serviceId scheduleId sessionId resource { id } } \
        ... on BookedSchedule { serviceId scheduleId } } } } }";

/// A field's name in a filter, and its value in a booking as it was read.
type Field = (&'static str, fn(&Value) -> Value);

const FIELDS: [Field; 18] = [
    ("id", |b| b["id"].clone()),
    ("serviceId", |b| b["bookedEntity"]["serviceId"].clone()),
    ("scheduleId", |b| b["bookedEntity"]["scheduleId"].clone()),
    ("sessionId", |b| b["bookedEntity"]["sessionId"].clone()),
    ("resourceId", |b| b["bookedEntity"]["resource"]["id"].clone()),
    ("status", |b| b["status"].clone()),
    ("paymentStatus", |b| b["paymentStatus"].clone()),
    ("selectedPaymentOption", |b| b["selectedPaymentOption"].clone()),
    ("contactEmail", |b| {
        b["contactDetails"]["email"]
            .as_str()
            .map_or(Value::Null, |email| json!(email.to_lowercase()))
    }),
    ("externalUserId", |b| b["externalUserId"].clone()),
    ("createdByType", |b| b["createdBy"]["type"].clone()),
    ("createdBySubject", |b| b["createdBy"]["subject"].clone()),
    ("createdDate", |b| b["createdDate"].clone()),
    ("updatedDate", |b| b["updatedDate"].clone()),
    ("startDate", |b| b["startDate"].clone()),
    ("endDate", |b| b["endDate"].clone()),
    ("totalParticipants", |b| b["totalParticipants"].clone()),
    ("doubleBooked", |b| b["doubleBooked"].clone()),
];

/// Instants as numbers, so that a fraction of a second doesn't spoil the comparison of texts.
fn measure(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.parse::<jiff::Timestamp>().ok().map(|at| at.as_microsecond()),
        _ => None,
    }
}

async fn passing(client: &Client, filter: &Value) -> BTreeSet<String> {
    let found = page(client, json!({ "filter": filter, "first": 100 })).await;
    let nodes: BTreeSet<String> = ids(&found["nodes"]).into_iter().collect();
    assert_eq!(found["totalCount"], nodes.len(), "{filter}");
    nodes
}

on_both_engines! {
    async fn every_operator_of_every_field_finds_what_it_says(engine) {
        let server = Server::start(engine).await;
        let studio = Studio::open(&server).await;
        diverse(&server, &studio).await;
        let owner = server.owner();
        let all = owner.data(ALL_FIELDS, json!({})).await["bookings"]["nodes"].as_array().unwrap().clone();
        assert_eq!(all.len(), 10);
        let chosen = |test: &dyn Fn(&Value) -> bool| -> BTreeSet<String> {
            all.iter().filter(|booking| test(booking)).map(|booking| id(booking).to_owned()).collect()
        };
        for (name, read) in FIELDS {
            let mut values: Vec<Value> = Vec::new();
            for value in all.iter().map(read) {
                if !value.is_null() && !values.contains(&value) {
                    values.push(value);
                }
            }
            assert!(!values.is_empty(), "{name}");
            let timed = name == "startDate" || name == "endDate";
            // Bookings without a time pass no test of it.
            let differs = |booking: &Value, value: &Value| read(booking) != *value && !(timed && read(booking).is_null());
            for value in &values {
                let mut tests: Vec<(&str, BTreeSet<String>)> = vec![
                    ("eq", chosen(&|b| read(b) == *value)),
                    ("ne", chosen(&|b| differs(b, value))),
                ];
                if let (Some(limit), true) = (measure(value), name != "id") {
                    let compared = |test: &dyn Fn(i64) -> bool| chosen(&|b| measure(&read(b)).is_some_and(test));
                    tests.push(("gt", compared(&|number| number > limit)));
                    tests.push(("gte", compared(&|number| number >= limit)));
                    tests.push(("lt", compared(&|number| number < limit)));
                    tests.push(("lte", compared(&|number| number <= limit)));
                }
                for (operator, expected) in tests {
                    let filter = json!({ name: { operator: value } });
                    assert_eq!(passing(&owner, &filter).await, expected, "{filter}");
                    // `not` is the rest, whatever is absent.
                    let rest = chosen(&|b| !expected.contains(id(b)));
                    assert_eq!(passing(&owner, &json!({ "not": filter })).await, rest, "not {filter}");
                }
            }
            if name == "doubleBooked" {
                continue;
            }
            let some: Vec<Value> = values.iter().take(2).cloned().collect();
            let listed = chosen(&|b| some.contains(&read(b)));
            assert_eq!(passing(&owner, &json!({ name: { "in": some } })).await, listed, "{name} in");
            let others = chosen(&|b| !(some.contains(&read(b)) || timed && read(b).is_null()));
            assert_eq!(passing(&owner, &json!({ name: { "nin": some } })).await, others, "{name} nin");
            let nothing: Vec<Value> = Vec::new();
            assert_eq!(passing(&owner, &json!({ name: { "in": nothing } })).await.len(), 0, "{name} in nothing");
        }
        for (kind, count) in [("APPOINTMENT", 6), ("CLASS", 2), ("COURSE", 2)] {
            assert_eq!(passing(&owner, &json!({ "serviceType": { "eq": kind } })).await.len(), count, "{kind}");
            assert_eq!(passing(&owner, &json!({ "serviceType": { "ne": kind } })).await.len(), 10 - count, "{kind}");
        }
        let shouted = json!({ "contactEmail": { "eq": "ADA@EXAMPLE.ORG" } });
        assert_eq!(passing(&owner, &shouted).await, passing(&owner, &json!({ "contactEmail": { "in": ["ada@example.org"] } })).await);
    }

    async fn filters_are_joined_by_and_or_not(engine) {
        let server = Server::start(engine).await;
        let studio = Studio::open(&server).await;
        diverse(&server, &studio).await;
        let owner = server.owner();
        let (confirmed, created) = (json!({ "status": { "eq": "CONFIRMED" } }), json!({ "status": { "eq": "CREATED" } }));
        let flagged = json!({ "doubleBooked": { "eq": true } });
        assert_eq!(passing(&owner, &json!({})).await.len(), 10);
        assert_eq!(passing(&owner, &json!({ "and": [] })).await.len(), 10, "all of nothing");
        assert_eq!(passing(&owner, &json!({ "or": [] })).await.len(), 0, "one of nothing");
        assert_eq!(passing(&owner, &confirmed).await.len(), 3);
        assert_eq!(passing(&owner, &json!({ "and": [confirmed, flagged] })).await.len(), 1);
        assert_eq!(passing(&owner, &json!({ "or": [confirmed, created] })).await.len(), 8);
        assert_eq!(passing(&owner, &json!({ "not": { "or": [confirmed, created] } })).await.len(), 2);
        assert_eq!(passing(&owner, &with(confirmed.clone(), json!({ "not": flagged }))).await.len(), 2);
        assert_eq!(passing(&owner, &json!({ "not": { "not": flagged } })).await.len(), 1);
        assert_eq!(passing(&owner, &json!({ "status": { "in": ["CONFIRMED", "CREATED"], "ne": "CREATED" } })).await.len(), 3);
        // Nobody widens what it sees by a filter.
        let ada = server.member("ada");
        assert_eq!(passing(&ada, &json!({ "or": [{}, { "not": {} }] })).await.len(), 3);
    }

    async fn pages_visit_each_booking_once_and_say_truly_what_is_around_them(engine) {
        let server = Server::start(engine).await;
        let studio = Studio::open(&server).await;
        let made = many(&server, &studio).await;
        let owner = server.owner();
        for (field, name) in [
            ("CREATED_DATE", "createdDate"), ("UPDATED_DATE", "updatedDate"), ("START_DATE", "startDate"), ("END_DATE", "endDate"),
        ] {
            for direction in ["ASC", "DESC"] {
                let order = json!({ "field": field, "direction": direction });
                let mut whole: Vec<(i64, String)> = Vec::new();
                let mut after = Value::Null;
                loop {
                    let got = page(&owner, json!({ "orderBy": order, "first": 17, "after": after })).await;
                    let edges = got["edges"].as_array().unwrap();
                    assert_eq!(got["totalCount"], 120);
                    assert_eq!(flag(&got, "hasPreviousPage"), !whole.is_empty(), "{order}");
                    whole.extend(edges.iter().map(|e| (measure(&e["node"][name]).unwrap(), id(&e["node"]).to_owned())));
                    assert_eq!(flag(&got, "hasNextPage"), whole.len() < 120, "{order}");
                    if whole.len() >= 120 {
                        break;
                    }
                    assert_eq!(edges.len(), 17);
                    after = got["pageInfo"]["endCursor"].clone();
                }
                let mut sorted = whole.clone();
                sorted.sort();
                if direction == "DESC" {
                    sorted.reverse();
                }
                assert_eq!(whole, sorted, "{order}: the id decides between equals");
                assert_eq!(whole.iter().map(|(_, id)| id.clone()).collect::<BTreeSet<_>>(), made);
                let mut backward: Vec<String> = Vec::new();
                let mut before = Value::Null;
                while backward.len() < 120 {
                    let got = page(&owner, json!({ "orderBy": order, "last": 25, "before": before })).await;
                    assert_eq!(flag(&got, "hasNextPage"), !backward.is_empty(), "{order}");
                    let mut nodes = ids(&got["nodes"]);
                    nodes.extend(std::mem::take(&mut backward));
                    backward = nodes;
                    assert_eq!(flag(&got, "hasPreviousPage"), backward.len() < 120, "{order}");
                    before = got["pageInfo"]["startCursor"].clone();
                }
                assert_eq!(backward, whole.into_iter().map(|(_, id)| id).collect::<Vec<_>>(), "{order}");
            }
        }
    }

    async fn newest_first_and_fifty_unless_asked_otherwise(engine) {
        let server = Server::start(engine).await;
        let studio = Studio::open(&server).await;
        many(&server, &studio).await;
        let owner = server.owner();
        let usual = page(&owner, json!({})).await;
        assert_eq!(usual["nodes"].as_array().unwrap().len(), 50);
        let order = json!({ "field": "CREATED_DATE", "direction": "DESC" });
        assert_eq!(page(&owner, json!({ "orderBy": order, "first": 50 })).await["nodes"], usual["nodes"]);
        assert_eq!(page(&owner, json!({ "first": 100 })).await["nodes"].as_array().unwrap().len(), 100);
        let none = page(&owner, json!({ "first": 0 })).await;
        assert_eq!((none["nodes"].as_array().unwrap().len(), flag(&none, "hasNextPage")), (0, true));
    }

    async fn a_page_between_two_cursors_ends_at_both(engine) {
        let server = Server::start(engine).await;
        let studio = Studio::open(&server).await;
        many(&server, &studio).await;
        let owner = server.owner();
        let all = page(&owner, json!({ "first": 20 })).await;
        let cursor = |n: usize| all["edges"][n]["cursor"].clone();
        let nodes = ids(&all["nodes"]);
        let between = page(&owner, json!({ "first": 100, "after": cursor(4), "before": cursor(10) })).await;
        assert_eq!(ids(&between["nodes"]), nodes[5..10]);
        assert!(flag(&between, "hasNextPage") && flag(&between, "hasPreviousPage"));
        let between = page(&owner, json!({ "last": 2, "after": cursor(4), "before": cursor(10) })).await;
        assert_eq!(ids(&between["nodes"]), nodes[8..10]);
        let empty = page(&owner, json!({ "first": 5, "after": cursor(9), "before": cursor(10) })).await;
        assert_eq!(empty["nodes"], json!([]));
    }

    /// The row of the cursor may have left the list since.
    async fn a_cursors_row_may_be_gone_from_the_list(engine) {
        let server = Server::start(engine).await;
        let studio = Studio::open(&server).await;
        let owner = server.owner();
        let mut made = Vec::new();
        for n in 0..6 {
            made.push(owner.done("createBooking", studio.appointment(&studio.massage, n * 30, &[])).await);
        }
        let open = json!({ "status": { "eq": "CREATED" } });
        let list = |more: Value| {
            let order = json!({ "field": "START_DATE", "direction": "ASC" });
            page(&owner, with(json!({ "filter": open, "orderBy": order }), more)).boxed()
        };
        let first = list(json!({ "first": 3 })).await;
        owner.done("cancelBooking", on(&made[2])).await;
        let next = list(json!({ "first": 3, "after": first["pageInfo"]["endCursor"] })).await;
        assert_eq!(ids(&next["nodes"]), made[3..].iter().map(|b| id(b).to_owned()).collect::<Vec<_>>());
        assert!(flag(&next, "hasPreviousPage"), "two of the page before are still there");
        let before = list(json!({ "last": 5, "before": first["pageInfo"]["endCursor"] })).await;
        assert_eq!(before["nodes"].as_array().unwrap().len(), 2);
        assert!(flag(&before, "hasNextPage"), "three are behind");
        for booking in [&made[3], &made[4], &made[5]] {
            owner.done("cancelBooking", on(booking)).await;
        }
        let before = list(json!({ "last": 5, "before": first["pageInfo"]["endCursor"] })).await;
        assert!(!flag(&before, "hasNextPage"), "nothing is behind");
    }

    async fn pages_that_make_no_sense_are_refused(engine) {
        let server = Server::start(engine).await;
        let studio = Studio::open(&server).await;
        let owner = server.owner();
        let booking = owner.done("createBooking", studio.class(&studio.session, 1)).await;
        let by_start = json!({ "field": "START_DATE", "direction": "ASC" });
        let cursor = page(&owner, json!({ "orderBy": by_start })).await["pageInfo"]["endCursor"].clone();
        let log = owner.data("{ eventCursor }", json!({})).await["eventCursor"].clone();
        for variables in [
            json!({ "first": 1, "last": 1 }),
            json!({ "first": 101 }),
            json!({ "last": 101 }),
            json!({ "first": -1 }),
            json!({ "last": -1 }),
            json!({ "after": "nonsense" }),
            json!({ "after": "" }),
            json!({ "before": "bm9uc2Vuc2U" }),
            json!({ "after": cursor }),
            json!({ "after": log }),
            json!({ "after": booking["id"] }),
            json!({ "after": "x".repeat(10_000) }),
        ] {
            let reply = owner.send(PAGE, variables.clone()).await;
            assert_eq!(reply.json["data"], json!({ "bookings": null }), "{variables}");
            assert_eq!(reply.json["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{variables}");
        }
        let foreign = "query($c: String) { bookingEvents(after: $c) { nodes { id } } }";
        assert_eq!(owner.error_code(foreign, json!({ "c": cursor })).await, "BAD_USER_INPUT");
    }

    async fn everything_with_an_id_is_a_node(engine) {
        let server = Server::start(engine).await;
        let studio = Studio::open(&server).await;
        let owner = server.owner();
        let notify = json!({ "participantNotification": { "notifyParticipants": true } });
        let booking = owner.done("createBooking", with(studio.class(&studio.session, 1), notify)).await;
        let query = "query($id: ID!) { booking(id: $id) { history { nodes { id } } notifications { nodes { id } } } }";
        let data = owner.data(query, json!({ "id": booking["id"] })).await;
        let things = [
            ("Booking", id(&booking).to_owned()),
            ("BookingEvent", id(&data["booking"]["history"]["nodes"][0]).to_owned()),
            ("Notification", id(&data["booking"]["notifications"]["nodes"][0]).to_owned()),
            ("Service", studio.yoga.id.to_string()),
            ("Schedule", studio.run.id.to_string()),
            ("Session", studio.session.id.to_string()),
            ("Resource", studio.anna.id.to_string()),
            ("Site", server.site.to_string()),
        ];
        for (kind, thing) in &things {
            let data = owner.data("query($id: ID!) { node(id: $id) { __typename id } }", json!({ "id": thing })).await;
            assert_eq!(data["node"], json!({ "__typename": kind, "id": thing }));
        }
        let unknown = "booking_01h455vb4pex5vsknk084sn02q";
        let asked: Vec<&str> = [unknown].into_iter().chain(things.iter().rev().map(|(_, thing)| thing.as_str())).collect();
        let data = owner.data("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", json!({ "ids": asked })).await;
        let mut expected = vec![Value::Null];
        expected.extend(asked[1..].iter().map(|thing| json!({ "id": thing })));
        assert_eq!(data["nodes"], json!(expected), "in the order asked for, null for what there isn't");
        // Whoever may not see it is told the same as for what isn't there.
        let data = server.visitor().data("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", json!({ "ids": [
            things[0].1, things[1].1, things[2].1,
        ] })).await;
        assert_eq!(data["nodes"], json!([null, null, null]));
        let many: Vec<&str> = std::iter::repeat_n(unknown, 101).collect();
        assert_eq!(owner.error_code("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", json!({ "ids": many })).await, "BAD_USER_INPUT");
    }

    async fn an_id_of_another_type_is_refused_in_words_that_help(engine) {
        let server = Server::start(engine).await;
        let studio = Studio::open(&server).await;
        let owner = server.owner();
        let service = studio.massage.id.to_string();
        let reply = owner.send("query($id: ID!) { booking(id: $id) { id } }", json!({ "id": service })).await;
        assert_eq!(reply.json["data"], json!({ "booking": null }));
        let error = &reply.json["errors"][0];
        assert_eq!(error["extensions"]["code"], "BAD_USER_INPUT");
        let message = error["message"].as_str().unwrap();
        assert!(message.contains("service") && message.contains("booking") && message.contains("expected"), "{message}");
        let filter = json!({ "filter": { "resourceId": { "in": [studio.anna.id.to_string(), service] } } });
        let reply = owner.send(PAGE, filter).await;
        assert_eq!(reply.json["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
        let message = reply.json["errors"][0]["message"].as_str().unwrap();
        assert!(message.contains("filter.resourceId.in") && message.contains("resource"), "{message}");
        let error = owner.refused("cancelBooking", json!({ "bookingId": service })).await;
        assert_eq!((&error["code"], &error["path"]), (&json!("INVALID_ID"), &json!(["bookingId"])));
        assert!(error["message"].as_str().unwrap().contains("service"));
    }

    async fn a_history_has_every_revision_in_order(engine) {
        let server = Server::start(engine).await;
        let studio = Studio::open(&server).await;
        let owner = server.owner();
        let booking = owner.done("createBooking", studio.class(&studio.session, 1)).await;
        for seats in 2..=6 {
            owner.done("updateNumberOfParticipants", with(on(&booking), json!({ "totalParticipants": seats }))).await;
        }
        owner.done("confirmBooking", on(&booking)).await;
        owner.done("cancelBooking", on(&booking)).await;
        let query = "query($id: ID!, $first: Int, $after: String, $last: Int, $before: String) { booking(id: $id) { \
            history(first: $first, after: $after, last: $last, before: $before) { totalCount \
            edges { cursor node { revision type status previousStatus occurredAt } } \
            pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } } }";
        let get = |more: Value| {
            let variables = with(json!({ "id": booking["id"] }), more);
            let owner = &owner;
            async move { owner.data(query, variables).await["booking"]["history"].clone() }
        };
        let revisions = |history: &Value| -> Vec<i64> {
            history["edges"].as_array().unwrap().iter().map(|e| e["node"]["revision"].as_i64().unwrap()).collect()
        };
        let all = get(json!({})).await;
        assert_eq!((revisions(&all), &all["totalCount"]), ((1..=8).collect(), &json!(8)));
        assert!(!flag(&all, "hasNextPage") && !flag(&all, "hasPreviousPage"));
        assert_eq!(all["edges"][0]["node"]["previousStatus"], json!(null));
        assert_eq!(all["edges"][7]["node"]["previousStatus"], "CONFIRMED");
        let (mut seen, mut after) = (Vec::new(), Value::Null);
        while seen.len() < 8 {
            let part = get(json!({ "first": 3, "after": after })).await;
            assert_eq!(flag(&part, "hasPreviousPage"), !seen.is_empty());
            seen.extend(revisions(&part));
            assert_eq!(flag(&part, "hasNextPage"), seen.len() < 8);
            after = part["pageInfo"]["endCursor"].clone();
        }
        assert_eq!(seen, (1..=8).collect::<Vec<_>>());
        let end = get(json!({ "last": 3 })).await;
        assert_eq!(revisions(&end), [6, 7, 8]);
        assert!(flag(&end, "hasPreviousPage") && !flag(&end, "hasNextPage"));
        let middle = get(json!({ "last": 3, "before": end["pageInfo"]["startCursor"] })).await;
        assert_eq!(revisions(&middle), [3, 4, 5]);
        assert!(flag(&middle, "hasPreviousPage") && flag(&middle, "hasNextPage"));
        let cut = get(json!({ "first": 10, "before": end["pageInfo"]["startCursor"] })).await;
        assert_eq!(revisions(&cut), [1, 2, 3, 4, 5]);
        assert!(flag(&cut, "hasNextPage"), "three are behind");
    }

    async fn messages_are_logged_and_the_last_one_stands_on_the_booking(engine) {
        let server = Server::start(engine).await;
        let studio = Studio::open(&server).await;
        let owner = server.owner();
        let tell = |message: &str, channels: Value| json!({ "participantNotification": {
            "notifyParticipants": true, "message": message, "channels": channels,
        } });
        let input = with(studio.class(&studio.session, 1), tell("hello", json!(["SMS", "EMAIL", "SMS"])));
        let booking = owner.done("createBooking", input).await;
        let quiet = json!({ "participantNotification": { "notifyParticipants": false, "message": "psst" } });
        owner.done("confirmBooking", with(on(&booking), quiet)).await;
        owner.done("updateNumberOfParticipants", with(on(&booking), json!({ "totalParticipants": 2 }))).await;
        let query = "query($id: ID!, $first: Int, $after: String) { booking(id: $id) { \
            participantNotification { notifyParticipants message channels } \
            notifications(first: $first, after: $after) { totalCount nodes { kind channel message state booking { id } } \
                pageInfo { endCursor hasNextPage hasPreviousPage } } } }";
        let seen = owner.data(query, json!({ "id": booking["id"] })).await["booking"].clone();
        let last = json!({ "notifyParticipants": false, "message": "psst", "channels": ["EMAIL"] });
        assert_eq!(seen["participantNotification"], last, "an act that says nothing keeps the last one");
        let created = |channel: &str| json!({
            "kind": "CREATED", "channel": channel, "message": "hello", "state": "QUEUED", "booking": { "id": booking["id"] },
        });
        assert_eq!(seen["notifications"]["nodes"], json!([created("SMS"), created("EMAIL")]));
        owner.done("cancelBooking", with(on(&booking), tell("bye", json!(null)))).await;
        let first = owner.data(query, json!({ "id": booking["id"], "first": 2 })).await["booking"]["notifications"].clone();
        assert_eq!((&first["totalCount"], flag(&first, "hasNextPage")), (&json!(3), true));
        let after = first["pageInfo"]["endCursor"].clone();
        let rest = owner.data(query, json!({ "id": booking["id"], "after": after })).await["booking"]["notifications"].clone();
        assert_eq!((rest["nodes"].as_array().unwrap().len(), flag(&rest, "hasPreviousPage")), (1, true));
        let node = &rest["nodes"][0];
        assert_eq!((&node["kind"], &node["channel"], &node["message"]), (&json!("CANCELED"), &json!("EMAIL"), &json!("bye")));
    }

    async fn the_log_is_caught_up_by_pulling_after_a_cursor(engine) {
        let server = Server::start(engine).await;
        let studio = Studio::open(&server).await;
        let (owner, ada) = (server.owner(), server.member("ada"));
        ada.done("createBooking", studio.class(&studio.session, 1)).await;
        let cursor = owner.data("{ eventCursor }", json!({})).await["eventCursor"].clone();
        let mut expected = Vec::new();
        for n in 0..5 {
            let client = if n % 2 == 0 { &ada } else { &owner };
            let booking = client.done("createBooking", studio.class(&studio.session, 1)).await;
            owner.done("confirmBooking", on(&booking)).await;
            expected.extend([(id(&booking).to_owned(), "CREATED"), (id(&booking).to_owned(), "CONFIRMED")]);
        }
        let query = "query($first: Int, $after: String, $last: Int, $before: String, $filter: BookingEventFilter) { \
            bookingEvents(first: $first, after: $after, last: $last, before: $before, filter: $filter) { \
            totalCount edges { cursor node { cursor type revision booking { id } } } \
            pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }";
        async fn pull(client: &Client, query: &str, variables: Value) -> (Value, Vec<(String, String)>) {
            let page = client.data(query, variables).await["bookingEvents"].clone();
            let edges = page["edges"].as_array().unwrap();
            for edge in edges {
                assert_eq!(edge["cursor"], edge["node"]["cursor"]);
            }
            let events = edges.iter().map(|edge| {
                (id(&edge["node"]["booking"]).to_owned(), edge["node"]["type"].as_str().unwrap().to_owned())
            });
            let events = events.collect();
            (page, events)
        }
        let (mut seen, mut after) = (Vec::new(), cursor.clone());
        loop {
            let (page, events) = pull(&owner, query, json!({ "first": 3, "after": after })).await;
            assert!(flag(&page, "hasPreviousPage"), "what was before the cursor");
            assert_eq!(page["totalCount"], 11);
            seen.extend(events);
            if !flag(&page, "hasNextPage") {
                break;
            }
            after = page["pageInfo"]["endCursor"].clone();
        }
        let expected: Vec<(String, String)> = expected.into_iter().map(|(id, kind)| (id, kind.to_owned())).collect();
        assert_eq!(seen, expected, "in the order of their commits, nothing missed, nothing twice");
        let (page, last) = pull(&owner, query, json!({ "last": 4 })).await;
        assert_eq!(last, expected[6..]);
        assert!(flag(&page, "hasPreviousPage") && !flag(&page, "hasNextPage"));
        let (page, before) = pull(&owner, query, json!({ "last": 4, "before": page["pageInfo"]["startCursor"] })).await;
        assert_eq!(before, expected[2..6]);
        assert!(flag(&page, "hasPreviousPage") && flag(&page, "hasNextPage"));
        let (page, events) = pull(&owner, query, json!({ "first": 100, "before": page["pageInfo"]["startCursor"] })).await;
        assert_eq!(events.len(), 3);
        assert!(flag(&page, "hasNextPage") && !flag(&page, "hasPreviousPage"));
        let confirmed = json!({ "types": ["CONFIRMED"], "serviceIds": [studio.yoga.id.to_string()] });
        let (page, events) = pull(&owner, query, json!({ "filter": confirmed })).await;
        assert_eq!((events.len(), &page["totalCount"]), (5, &json!(5)));
        let none = json!({ "serviceIds": [studio.massage.id.to_string()] });
        assert_eq!(pull(&owner, query, json!({ "filter": none })).await.1.len(), 0);
        let one = json!({ "bookingIds": [expected[0].0] });
        let (page, events) = pull(&owner, query, json!({ "filter": one, "after": cursor })).await;
        assert_eq!(events, expected[..2]);
        assert!(!flag(&page, "hasNextPage") && !flag(&page, "hasPreviousPage"), "of those that pass the filter");
        // A customer's log has its own bookings only.
        let (page, events) = pull(&ada, query, json!({ "first": 3 })).await;
        assert_eq!((events.len(), &page["totalCount"]), (3, &json!(7)));
        assert!(flag(&page, "hasNextPage"));
        let (page, events) = pull(&ada, query, json!({ "after": page["pageInfo"]["endCursor"] })).await;
        assert_eq!(events.len(), 4);
        assert!(!flag(&page, "hasNextPage") && flag(&page, "hasPreviousPage"));
    }

    async fn a_list_reads_its_rows_children(engine) {
        let server = Server::start(engine).await;
        let studio = Studio::open(&server).await;
        diverse(&server, &studio).await;
        let query = "{ bookings { nodes { contactDetails { email firstName lastName } service { id } \
            bookedEntity { ... on BookedSlot { serviceId session { id } } ... on BookedSchedule { serviceId schedule { id } } } } } }";
        let data = server.owner().data(query, json!({})).await;
        for booking in data["bookings"]["nodes"].as_array().unwrap() {
            assert_eq!(booking["service"]["id"], booking["bookedEntity"]["serviceId"]);
            assert!(booking["contactDetails"].is_object());
        }
    }
}
