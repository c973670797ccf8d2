//! No statement of the embedded engine looks through a whole table or a whole site: what it costs must not grow with
//! history. Every statement of a walk through the API is asked for its plan.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::items_after_statements,
    missing_docs,
    unreachable_pub
)]

#[path = "booking/support/mod.rs"]
mod support;

use std::{collections::BTreeSet, sync::Mutex};

use diesel::{
    Connection as _, RunQueryDsl as _,
    connection::{Instrumentation, InstrumentationEvent, set_default_instrumentation},
    sqlite::SqliteConnection,
};
use frontdesk::store::DatabaseUrl;
use serde_json::{Value, json};
use support::{Client, Engine, Server, Studio, id, on, with};

static STATEMENTS: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

fn note(event: InstrumentationEvent<'_>) {
    if let InstrumentationEvent::StartQuery { query, .. } = event {
        let text = query.to_string();
        let text = text.split(" -- binds").next().unwrap_or_default().trim().to_owned();
        STATEMENTS.lock().unwrap().insert(text);
    }
}

#[derive(diesel::QueryableByName)]
struct Step {
    #[diesel(sql_type = diesel::sql_types::Text)]
    detail: String,
}

/// Whether a step of a plan reads rows that it wasn't asked for.
fn looks_through(detail: &str) -> bool {
    // A site has one counter and not many resources, locations, categories, policies and old slugs; whether there are any
    // hours is asked of the first row.
    let few = [
        "site_counters",
        "resources",
        "opening_hours",
        "business_locations",
        "categories",
        "booking_policies",
        "service_slugs",
    ]
    .iter()
    .any(|table| detail.starts_with(&format!("SEARCH {table} ")));
    let whole_site = !few
        && detail.ends_with("(site_id=?)")
        && (detail.contains("USING PRIMARY KEY") || detail.contains("INDEX sqlite_autoindex_"));
    let whole_table = detail.starts_with("SCAN ") && detail != "SCAN CONSTANT ROW" && !detail.contains("VIRTUAL TABLE");
    whole_site || whole_table
}

#[tokio::test]
async fn no_statement_looks_through_a_table_or_a_site() {
    set_default_instrumentation(|| -> Option<Box<dyn Instrumentation>> { Some(Box::new(note)) }).unwrap();
    let server = Server::start(Engine::Sqlite).await;
    let studio = Studio::open(&server).await;
    // What a start or a fixture needs isn't asked for again and again.
    STATEMENTS.lock().unwrap().clear();
    walk(&server, &studio).await;
    let statements = std::mem::take(&mut *STATEMENTS.lock().unwrap());
    let DatabaseUrl::Sqlite(path) = &server.database.url else {
        unreachable!("the embedded engine")
    };
    let mut conn = SqliteConnection::establish(&path.to_string_lossy()).unwrap();
    let (mut asked, mut bad) = (0, Vec::new());
    for statement in &statements {
        if !["SELECT", "INSERT", "UPDATE", "DELETE"]
            .iter()
            .any(|verb| statement.starts_with(verb))
        {
            continue;
        }
        asked += 1;
        let plan: Vec<Step> = diesel::sql_query(format!("EXPLAIN QUERY PLAN {statement}"))
            .load(&mut conn)
            .unwrap();
        let steps: Vec<&str> = plan.iter().map(|step| step.detail.as_str()).collect();
        // What earlier files brought in is looked through once for each file that comes in: no request does.
        let of_import = statement.starts_with("SELECT `imported_events`");
        if !of_import && steps.iter().any(|detail| looks_through(detail)) {
            bad.push(format!("{statement}\n    {}", steps.join("\n    ")));
        }
    }
    assert!(asked > 60, "the walk runs most statements: {asked}");
    assert!(bad.is_empty(), "{} of {asked}:\n{}", bad.len(), bad.join("\n"));
}

/// A package through its life.
async fn packages(owner: &Client, ada: &Client, studio: &Studio) {
    let service = studio.massage.id.to_string();
    let slot = |minutes: i64| json!({ "serviceId": service, "startDate": studio.at(minutes) });
    let parts = [600, 630].map(|minutes| json!({ "slot": slot(minutes), "totalParticipants": 1 }));
    let input = json!({ "bookings": parts, "contactDetails": { "firstName": "Ada" }, "holdSeconds": 300 });
    let selection = "multiServiceBooking { id totalNumberOfScheduledBookings bookings { id } } userErrors { message }";
    let made = ada
        .mutate_selecting("createMultiServiceBooking", input, selection)
        .await;
    let package = &made["multiServiceBooking"];
    assert!(package["id"].is_string(), "{made}");
    let on = |more: Value| with(json!({ "multiServiceBookingId": package["id"] }), more);
    let moves = [0_usize, 1].map(|index| {
        let minutes = 690 + 30 * i64::try_from(index).unwrap();
        json!({ "bookingId": package["bookings"][index]["id"], "slot": slot(minutes) })
    });
    owner
        .mutate_selecting("confirmMultiServiceBooking", on(json!({})), selection)
        .await;
    owner
        .mutate_selecting(
            "rescheduleMultiServiceBooking",
            on(json!({ "bookings": moves })),
            selection,
        )
        .await;
    let query = "query($id: ID!, $services: [MultiServiceAvailabilityItemInput!]!, $from: DateTime!, $to: DateTime!) { \
        multiServiceBookingAvailability(id: $id) { bookable } multiServiceBooking(id: $id) { allowedActions { cancel { allowed } } bookings { id } } \
        bookings(filter: { multiServiceBookingId: { eq: $id } }) { nodes { id } } \
        bookingEvents(filter: { multiServiceBookingIds: [$id] }) { totalCount nodes { id } } \
        multiServiceAvailability(services: $services, from: $from, to: $to) { timeSlots { startDate nestedTimeSlots { resources { id } } } } }";
    let part = json!({ "serviceId": service });
    let window = json!({ "id": package["id"], "services": [part, part], "from": studio.at(0), "to": studio.at(600) });
    ada.data(query, window).await;
    ada.mutate_selecting("cancelMultiServiceBooking", on(json!({})), selection)
        .await;
}

async fn walk(server: &Server, studio: &Studio) {
    let (owner, ada) = (server.owner(), server.member("ada"));
    let hours = json!({ "weekly": [{ "days": ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"],
        "startTime": "00:00", "endTime": "24:00" }] });
    owner
        .mutate_selecting("setWorkingHours", hours, "userErrors { message }")
        .await;
    let keyed = |input, key: &str| with(input, json!({ "idempotencyKey": key, "holdSeconds": 300 }));
    let appointment = studio.appointment(&studio.massage, 0, &[&studio.anna]);
    let held = ada.done("createBooking", keyed(appointment, "one")).await;
    owner.done("confirmBooking", on(&held)).await;
    ada.done("createBooking", studio.appointment(&studio.massage, 120, &[]))
        .await;
    let seat = ada
        .done("createBooking", keyed(studio.class(&studio.session, 2), "two"))
        .await;
    owner
        .done(
            "confirmOrDeclineBooking",
            with(on(&seat), json!({ "paymentStatus": "NOT_PAID" })),
        )
        .await;
    owner
        .done(
            "updateNumberOfParticipants",
            with(on(&seat), json!({ "totalParticipants": 3 })),
        )
        .await;
    let place = ada.done("createBooking", keyed(studio.enrolment(1), "three")).await;
    owner.done("confirmBooking", on(&place)).await;
    let next = json!({ "slot": { "session": { "sessionId": studio.next_session.id.to_string() } } });
    owner.done("rescheduleBooking", with(on(&seat), next)).await;
    ada.done("cancelBooking", on(&place)).await;
    packages(&owner, &ada, studio).await;
    terms(&owner, studio).await;
    slugs(&owner, studio).await;
    locations(&owner, studio).await;
    let all = "query($id: ID!, $filter: BookingFilter) { \
        bookings(filter: $filter) { totalCount nodes { id contactDetails { email } service { id resources { id } } \
            allowedActions { cancel { allowed } } history { nodes { type } } notifications { nodes { kind } } } } \
        booking(id: $id) { id history(first: 2) { totalCount } } \
        bookingEvents { totalCount nodes { type booking { id } } } eventCursor \
        bookingPolicies(filter: { name: { ne: \"x\" } }, orderBy: { field: NAME }) { totalCount nodes { id } } \
        services { nodes { id slug bookingPolicy { id } optionsAndVariants { id } schedule { id capacity } sessions { nodes { id remainingCapacity } } } } \
        resources { totalCount nodes { id name } } sessions { totalCount nodes { id schedule { id } service { id } } } }";
    for client in [&owner, &ada, &server.staff(studio.anna.id)] {
        for filter in [
            json!({}),
            json!({ "status": { "eq": "CONFIRMED" }, "startDate": { "gt": studio.at(-600) } }),
            json!({ "serviceId": { "eq": studio.massage.id.to_string() } }),
        ] {
            client.send(all, json!({ "id": id(&held), "filter": filter })).await;
        }
    }
    services(&owner, studio).await;
    let local = |days: i64| {
        let at: jiff::Timestamp = studio.at(days * 24 * 60 + 30).parse().unwrap();
        at.strftime("%Y-%m-%dT%H:%M:%S").to_string()
    };
    let series = json!({
        "scheduleId": studio.yoga.schedule.to_string(), "timeZone": "UTC", "recurrence": "FREQ=WEEKLY",
        "localStart": local(3), "localEnd": local(4), "resourceIds": [studio.anna.id.to_string()],
    });
    let made = "series { id sessions { totalCount nodes { id series { id } } } }";
    let made = owner.mutate_selecting("createSessionSeries", series, made).await["series"].clone();
    let one = made["sessions"]["nodes"][1]["id"].clone();
    let node = "query($id: ID!, $filter: SessionFilter) { sessionSeries(id: $id) { id } sessions(filter: $filter) { totalCount } }";
    owner
        .send(
            node,
            json!({ "id": made["id"], "filter": { "seriesIds": [made["id"]] } }),
        )
        .await;
    let series = frontdesk::domain::ids::TypedId::parse(made["id"].as_str().unwrap()).unwrap();
    server.service().extend_series(server.site, series).await.unwrap();
    import(server, studio).await;
    let free = "query($ids: [ID!]!, $id: ID!, $from: DateTime!, $to: DateTime!) { \
        availability(serviceIds: $ids, from: $from, to: $to, limit: 100) { timeSlots { startDate bookable } } \
        explainAvailability(serviceId: $id, from: $from, to: $to) { bookableStarts } \
        site { workingHours { revision } } }";
    let ids: Vec<String> = [&studio.massage, &studio.yoga, &studio.course]
        .iter()
        .map(|service| service.id.to_string())
        .collect();
    owner
        .data(
            free,
            json!({ "ids": ids, "id": ids[0], "from": studio.at(0), "to": studio.at(6 * 24 * 60) }),
        )
        .await;
    ada.refused(
        "createBooking",
        studio.appointment(&studio.massage, 10, &[&studio.anna]),
    )
    .await;
    for (name, input) in [
        ("updateSession", json!({ "sessionId": one, "capacity": 3 })),
        ("restoreSession", json!({ "sessionId": one })),
        (
            "updateSession",
            json!({ "sessionId": one, "title": "Flow", "scope": "THIS_AND_FOLLOWING" }),
        ),
        ("cancelSession", json!({ "sessionId": one, "scope": "ALL" })),
        (
            "createBlockedTime",
            json!({
                "resourceId": studio.ben.id.to_string(), "startDate": studio.at(600), "endDate": studio.at(660),
            }),
        ),
        (
            "updateSession",
            json!({ "sessionId": studio.next_session.id.to_string(), "capacity": 9, "bookings": "MOVE" }),
        ),
        (
            "cancelSession",
            json!({ "sessionId": studio.next_session.id.to_string(), "bookings": "CANCEL" }),
        ),
        ("deleteService", json!({ "serviceId": studio.workshop.id.to_string() })),
        ("deleteResource", json!({ "resourceId": studio.room.id.to_string() })),
    ] {
        let answer = owner
            .mutate_selecting(name, input, "userErrors { code message path }")
            .await;
        assert_eq!(answer["userErrors"], json!([]), "{name}");
    }
    ada.send("subscription { bookingEvents { type } }", json!({})).await;
}

/// Categories, and services in them.
async fn services(owner: &support::Client, studio: &Studio) {
    let made = async |name: &str| {
        let made = owner.mutate_selecting("createCategory", json!({ "name": name }), "category { id }");
        made.await["category"]["id"].clone()
    };
    let (group, other) = (made("Group").await, made("Other").await);
    let yoga = studio.yoga.id.to_string();
    let class = json!({ "type": "CLASS", "name": "Yoga", "payment": { "rateType": "NO_FEE" }, "categoryId": group });
    for (name, input) in [
        ("moveCategory", json!({ "categoryId": other })),
        ("updateCategory", json!({ "categoryId": other, "name": "Others" })),
        ("bulkCreateServices", json!({ "services": [class] })),
        (
            "updateService",
            json!({ "serviceId": yoga, "slug": "flow", "categoryId": group }),
        ),
        ("cloneService", json!({ "serviceId": yoga, "copySessions": true })),
        ("deleteService", json!({ "serviceId": yoga, "dryRun": true })),
        ("deleteCategory", json!({ "categoryId": group, "moveTo": other })),
    ] {
        let answer = owner
            .mutate_selecting(name, input, "userErrors { code message path }")
            .await;
        assert_eq!(answer["userErrors"], json!([]), "{name}");
    }
    let query = "query($filter: ServiceFilter, $order: ServiceOrder, $id: ID!) { \
        services(filter: $filter, orderBy: $order) { totalCount nodes { category { id } supportedSlugs { name } } } \
        category(id: $id) { services { totalCount nodes { id } } } categories(filter: { name: { ne: \"x\" } }, orderBy: { field: NAME }) { totalCount nodes { id } } service(slug: \"yoga\") { id } }";
    for field in ["CREATED_DATE", "SORT_ORDER", "UPDATED_DATE"] {
        for filter in [
            json!({ "categoryId": { "eq": other }, "hidden": { "eq": false } }),
            json!({ "slug": { "eq": "flow" } }),
            json!({ "id": { "in": [yoga] }, "resourceIds": { "hasSome": [studio.anna.id.to_string()] } }),
            json!({ "name": { "startsWith": "Yo" } }),
        ] {
            let order = json!({ "field": field, "direction": "ASC" });
            owner
                .data(query, json!({ "filter": filter, "order": order, "id": other }))
                .await;
        }
    }
}

/// Two locations, a service at both, who serves at one of them, and what is told of that.
async fn locations(owner: &Client, studio: &Studio) {
    let run = async |name: &str, input: Value, selection: &str| {
        let answer = owner
            .mutate_selecting(name, input, &format!("{selection} userErrors {{ code message path }}"))
            .await;
        assert_eq!(answer["userErrors"], json!([]), "{name}");
        answer
    };
    let of = "location { id workingHours { revision } }";
    let made = async |name: &str| {
        run("createLocation", json!({ "name": name, "default": true }), of).await["location"]["id"].clone()
    };
    let (one, other, third) = (made("One").await, made("Other").await, made("Third").await);
    run("updateLocation", json!({ "locationId": one, "name": "First" }), of).await;
    let massage = studio.massage.id.to_string();
    let at = |id: &Value| json!({ "type": "BUSINESS", "businessLocationId": id });
    let given = json!({ "serviceId": massage, "locations": [at(&one), at(&other)] });
    run(
        "updateService",
        given,
        "service { locations { name } location { name } }",
    )
    .await;
    let limits = json!({ "resourceId": studio.ben.id.to_string(), "locationIds": [other] });
    run("updateResource", limits, "resource { locationIds }").await;
    run("deleteLocation", json!({ "locationId": third }), of).await;
    let query = "query($id: ID!, $at: ID!, $from: DateTime!, $to: DateTime!) { \
        locations(first: 10) { totalCount nodes { workingHours { revision } } } location(id: $at) { name } node(id: $at) { id } \
        services(filter: { id: { in: [$id] }, locationIds: { hasSome: [$at] } }) { nodes { locations { name } } } \
        availability(serviceIds: [$id], from: $from, to: $to, locationIds: [$at], limit: 10) { timeSlots { location { name } } } \
        calendar(from: $from, to: $to, locationIds: [$at], limit: 10) { entries { startDate } } }";
    let asked = json!({ "id": massage, "at": one, "from": studio.at(0), "to": studio.at(24 * 60) });
    owner.data(query, asked).await;
    let anywhere = json!({ "serviceId": massage, "locations": [] });
    run("updateService", anywhere, "service { id }").await;
    let limits = json!({ "resourceId": studio.ben.id.to_string(), "locationIds": null });
    run("updateResource", limits, "resource { locationIds }").await;
}

/// Whether slugs can be had.
async fn slugs(owner: &Client, studio: &Studio) {
    let query = "query($id: ID!) { validateServiceSlug(slug: \"yoga\", serviceId: $id) { valid } }";
    owner.data(query, json!({ "id": studio.yoga.id.to_string() })).await;
}

/// A policy for all, one of their own for two services, and options that follow their staff.
async fn terms(owner: &Client, studio: &Studio) {
    let run = async |name: &str, input: Value, selection: &str| {
        let answer = owner
            .mutate_selecting(name, input, &format!("{selection} userErrors {{ code message path }}"))
            .await;
        assert_eq!(answer["userErrors"], json!([]), "{name}");
        answer
    };
    let policy = "bookingPolicy { id }";
    let id = |made: &Value| made["bookingPolicy"]["id"].clone();
    let first = id(&run("createBookingPolicy", json!({ "name": "First" }), policy).await);
    let second = id(&run("createBookingPolicy", json!({ "name": "Second" }), policy).await);
    run(
        "updateBookingPolicy",
        json!({ "bookingPolicyId": first, "name": "All" }),
        policy,
    )
    .await;
    run("setDefaultBookingPolicy", json!({ "bookingPolicyId": second }), policy).await;
    run("setDefaultBookingPolicy", json!({ "bookingPolicyId": first }), policy).await;
    run("deleteBookingPolicy", json!({ "bookingPolicyId": second }), policy).await;
    let massage = json!(studio.massage.id.to_string());
    run(
        "updateService",
        json!({ "serviceId": massage, "bookingPolicyId": first }),
        "service { bookingPolicy { id } optionsAndVariants { id } }",
    )
    .await;
    let variant = |who: &frontdesk::domain::catalog::Resource| {
        let choice = json!({ "optionId": "who", "staffMemberId": who.id.to_string() });
        json!({ "choices": [choice], "price": { "amount": "1", "currency": "EUR" } })
    };
    let options = json!({
        "serviceId": massage, "options": [{ "optionId": "who", "type": "STAFF_MEMBER" }],
        "variants": [variant(&studio.anna), variant(&studio.ben)],
    });
    let of = "serviceOptionsAndVariants { id }";
    let made = run("createServiceOptionsAndVariants", options, of).await["serviceOptionsAndVariants"]["id"].clone();
    run(
        "updateServiceOptionsAndVariants",
        json!({ "serviceOptionsAndVariantsId": made }),
        of,
    )
    .await;
    let other = json!({ "serviceOptionsAndVariantsId": made, "targetServiceId": studio.consultation.id.to_string() });
    let other = run("cloneServiceOptionsAndVariants", other, of).await["serviceOptionsAndVariants"]["id"].clone();
    run(
        "deleteServiceOptionsAndVariants",
        json!({ "serviceOptionsAndVariantsId": other }),
        of,
    )
    .await;
}

/// Two files, each a second time with something gone.
async fn import(server: &Server, studio: &Studio) {
    use frontdesk::service::{
        Caller,
        catalog::{Import, ImportInto},
    };
    let stamp = studio.at(90 * 24 * 60).replace(['-', ':'], "");
    let file = |more: &str| {
        let event = format!("BEGIN:VEVENT\r\nUID:one\r\nDTSTART:{stamp}\r\nDURATION:PT1H\r\n{more}END:VEVENT\r\n");
        format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{event}END:VCALENDAR\r\n").into_bytes()
    };
    for into in [
        ImportInto::Sessions(studio.yoga.schedule),
        ImportInto::BlockedTime(studio.ben.id),
    ] {
        for more in ["", "RRULE:FREQ=DAILY;COUNT=3\r\n", "STATUS:CANCELLED\r\n"] {
            let import = Import {
                file: file(more),
                into,
                allow_overlap: false,
                dry_run: false,
                remove_missing: true,
            };
            let caller = Caller::system(server.site);
            server.service().import(&caller, import).await.unwrap();
        }
    }
}
