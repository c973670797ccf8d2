//! The table of permissions, written out: every query, mutation, subscription and field of the schema for every sort of
//! caller, as a real server answers. `permissions.txt` beside this file is the table; a new field has no row in it, and the
//! test fails.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use frontdesk::domain::ids::ResourceTypeId;
use futures::{StreamExt as _, future::join_all};
use serde_json::{Value, json};

use crate::{
    on_both_engines,
    schema::{Schema, Seen, note},
    stage::{CALLERS, Maker, Stage},
    support::{Client, Reply, on, with},
};

type Table = BTreeMap<String, Vec<String>>;

fn put(table: &mut Table, row: &str, caller: usize, cell: impl Into<String>) {
    let cells = table
        .entry(row.to_owned())
        .or_insert_with(|| vec![".".to_owned(); CALLERS.len()]);
    cells[caller] = cell.into();
}

/// What came of a root field: its code where it was refused, how many there are of a list, `+` and `-` else.
fn outcome(reply: &Reply, field: &str) -> String {
    let code = reply.json["errors"][0]["extensions"]["code"].as_str();
    if let Some(code) = code {
        return code.to_owned();
    }
    let value = &reply.json["data"][field];
    if let Some(total) = value["total"].as_i64() {
        return total.to_string();
    }
    if let Some(items) = value.as_array() {
        return items.iter().filter(|item| !item.is_null()).count().to_string();
    }
    if value.is_null() {
        "-".to_owned()
    } else {
        "+".to_owned()
    }
}

/// The arguments of each query, and what is selected of it.
fn queries(schema: &Schema, booking: &Value, things: &BTreeMap<&str, Value>) -> Vec<(String, String, Value)> {
    let fields = &schema.get("Query").fields;
    fields
        .iter()
        .map(|field| {
            let (arguments, variables) = match field.name.as_str() {
                "booking" => ("(id: $id)", json!({ "id": booking["id"] })),
                "node" => ("(id: $id)", json!({ "id": booking["id"] })),
                "nodes" => ("(ids: [$id])", json!({ "id": booking["id"] })),
                "multiServiceAvailability" => (
                    "(services: [{ serviceId: $id }, { serviceId: $id }], to: \"2100-01-01T00:00:00Z\", from: \"2099-12-31T00:00:00Z\", limit: 1)",
                    json!({ "id": things["service"] }),
                ),
                "multiServiceBookingAvailability" => ("(id: $id)", json!({ "id": things["multiServiceBooking"] })),
                "bookingPolicy" | "multiServiceBooking" | "category" | "location" | "resource" | "schedule" | "service" | "session" | "sessionSeries" => {
                    ("(id: $id)", json!({ "id": things[field.name.as_str()] }))
                }
                name if field.of.ends_with("Connection") => {
                    assert!(schema.0.contains_key(&field.of), "{name}");
                    ("(first: 100)", json!({}))
                }
                "availability" => (
                    "(serviceIds: [$id], to: \"2100-01-01T00:00:00Z\", from: \"2099-12-31T00:00:00Z\", limit: 1)",
                    json!({ "id": things["service"] }),
                ),
                "calendar" => (
                    "(to: \"2100-01-01T00:00:00Z\", from: \"2099-12-31T00:00:00Z\", limit: 1)",
                    json!({}),
                ),
                "explainAvailability" => (
                    "(serviceId: $id, to: \"2100-01-01T00:00:00Z\", from: \"2099-12-31T00:00:00Z\", limit: 1)",
                    json!({ "id": things["service"] }),
                ),
                "validateServiceSlug" => ("(slug: \"fine\")", json!({})),
                "eventCursor" | "site" | "viewer" => ("", json!({})),
                other => panic!(
                    "the query `{other}` is new: say here how it is asked, and write its row into permissions.txt"
                ),
            };
            let selection = match field.of.as_str() {
                of if of.ends_with("Connection") => "{ total: totalCount }".to_owned(),
                "String" => String::new(),
                _ => "{ __typename }".to_owned(),
            };
            let declared = if variables["id"].is_null() { "" } else { "($id: ID!)" };
            let query = format!("query{declared} {{ {}{arguments} {selection} }}", field.name);
            (field.name.clone(), query, variables)
        })
        .collect()
}

/// Runs one mutation as a caller, on fresh objects.
async fn mutate(stage: &Stage, caller: usize, mutation: &str) -> Option<Reply> {
    let maker = Stage::maker(caller);
    let studio = &stage.studio;
    let input = match mutation {
        "createBooking" => stage.wish(),
        "bulkCreateBooking" => json!({ "bookings": [stage.wish()] }),
        "cancelBooking" => on(&stage.confirmed(maker).await),
        "confirmBooking" | "declineBooking" | "confirmOrDeclineBooking" => on(&stage.booking(maker).await),
        "markBookingAsPending" => on(&stage.request(maker).await),
        "updateNumberOfParticipants" => with(on(&stage.seat(maker).await), json!({ "totalParticipants": 2 })),
        "rescheduleBooking" => {
            let slot = json!({ "serviceId": studio.massage.id.to_string(), "startDate": studio.at(stage.minutes()) });
            with(
                on(&stage.confirmed(maker).await),
                json!({ "slot": { "appointment": slot } }),
            )
        }
        "createMultiServiceBooking" => stage.package_input(&studio.massage),
        "cancelMultiServiceBooking"
        | "confirmMultiServiceBooking"
        | "declineMultiServiceBooking"
        | "confirmOrDeclineMultiServiceBooking"
        | "removeBookingsFromMultiServiceBooking" => {
            json!({ "multiServiceBookingId": stage.package(maker, &studio.massage).await["id"] })
        }
        "markMultiServiceBookingAsPending" => {
            json!({ "multiServiceBookingId": stage.package(maker, &studio.consultation).await["id"] })
        }
        "rescheduleMultiServiceBooking" => {
            let (package, start) = (stage.package(maker, &studio.massage).await, stage.minutes());
            let slot = |index: i64| json!({ "serviceId": studio.massage.id.to_string(), "startDate": studio.at(start + 30 * index) });
            let moves = [0_usize, 1].map(|index| {
                json!({ "bookingId": package["bookings"][index]["id"], "slot": slot(i64::try_from(index).unwrap()) })
            });
            json!({ "multiServiceBookingId": package["id"], "bookings": moves })
        }
        "addBookingsToMultiServiceBooking" => {
            let package = stage.package(maker, &studio.massage).await;
            let mut wish = stage.wish();
            wish["bookedEntity"]["slot"]["appointment"]["startDate"] = package["endDate"].clone();
            let booking = stage.client_of(maker).done("createBooking", wish).await;
            json!({ "multiServiceBookingId": package["id"], "bookings": [{ "bookingId": booking["id"] }] })
        }
        "cancelSession" => json!({ "sessionId": stage.session().await }),
        "createSession" => stage.session_input(),
        "createSessionSeries" => stage.series_input(),
        "restoreSession" => json!({ "sessionId": stage.repeated().await }),
        "updateSession" => json!({ "sessionId": stage.session().await, "title": "Other" }),
        "createBlockedTime" => stage.block_input(),
        "deleteBlockedTime" => json!({ "blockedTimeId": stage.block().await }),
        "createResource" => json!({ "type": "ROOM", "name": "Cellar" }),
        "updateResource" => json!({ "resourceId": stage.resource().await, "name": "Other" }),
        "deleteResource" => json!({ "resourceId": stage.resource().await }),
        "createService" => stage.class_input(),
        "updateService" => json!({ "serviceId": stage.class().await, "description": "Other" }),
        "deleteService" => json!({ "serviceId": stage.class().await }),
        "bulkCreateServices" => json!({ "services": [stage.class_input()] }),
        "cloneService" => json!({ "serviceId": stage.class().await }),
        "createCategory" => json!({ "name": "Group" }),
        "updateCategory" => json!({ "categoryId": stage.category().await, "name": "Other" }),
        "moveCategory" | "deleteCategory" => json!({ "categoryId": stage.category().await }),
        "createResourceType" => json!({ "name": ResourceTypeId::new().to_string() }),
        "updateResourceType" | "deleteResourceType" => json!({ "resourceTypeId": stage.resource_type().await }),
        "createLocation" => json!({ "name": "Branch" }),
        "updateLocation" => json!({ "locationId": stage.location().await, "name": "Other" }),
        "deleteLocation" => json!({ "locationId": stage.location().await }),
        "createSchedule" => stage.run_input(),
        "updateSchedule" => json!({ "scheduleId": stage.run().await, "name": "Other" }),
        "deleteSchedule" => json!({ "scheduleId": stage.run().await }),
        // Of a resource that nobody books: hours on record would bind what the others book later.
        "setWorkingHours" => json!({ "resourceId": stage.resource().await, "weekly": [] }),
        "clearWorkingHours" => json!({ "resourceId": stage.resource().await }),
        "createBookingPolicy" => json!({ "name": "Other" }),
        "updateBookingPolicy" => json!({ "bookingPolicyId": stage.policy().await, "name": "Other" }),
        "deleteBookingPolicy" => json!({ "bookingPolicyId": stage.policy().await }),
        "setDefaultBookingPolicy" => json!({ "bookingPolicyId": stage.policy().await }),
        "createServiceOptionsAndVariants" => stage.options_input(&stage.class().await),
        "updateServiceOptionsAndVariants" => json!({ "serviceOptionsAndVariantsId": stage.options().await }),
        "deleteServiceOptionsAndVariants" => json!({ "serviceOptionsAndVariantsId": stage.options().await }),
        "cloneServiceOptionsAndVariants" => {
            json!({ "serviceOptionsAndVariantsId": stage.options().await, "targetServiceId": stage.class().await })
        }
        "updateSite" => json!({ "name": "Other" }),
        "createApiKey" => stage.key_input(),
        "revokeApiKey" => json!({ "apiKeyId": stage.key().await }),
        "createSite" => stage.site_input(),
        _ => return None,
    };
    Some(stage.send(caller, mutation, input).await)
}

/// What came of a mutation: `+` where it was done, or the code that it was refused with.
fn done(reply: &Reply, mutation: &str) -> String {
    if let Some(code) = reply.json["errors"][0]["extensions"]["code"].as_str() {
        return code.to_owned();
    }
    let text = reply.json["data"][mutation].to_string();
    let code = text.split("_code\":\"").nth(1).and_then(|rest| rest.split('"').next());
    code.unwrap_or("+").to_owned()
}

/// The events of a subscription over Server-Sent Events, as long as patience lasts.
async fn listen(client: &Client, query: &str, variables: Value, patience: Duration) -> Vec<Value> {
    let mut request = reqwest::Client::new()
        .post(client.url())
        .header("accept", "text/event-stream");
    for (name, value) in &client.headers {
        request = request.header(*name, value);
    }
    let response = request
        .json(&json!({ "query": query, "variables": variables }))
        .send()
        .await
        .unwrap();
    let mut bytes = response.bytes_stream();
    let mut text = String::new();
    let read = async {
        while let Some(Ok(chunk)) = bytes.next().await {
            text.push_str(&String::from_utf8_lossy(&chunk));
            if text.contains("event: complete") {
                break;
            }
        }
    };
    let _ = tokio::time::timeout(patience, read).await;
    if let Ok(whole) = serde_json::from_str::<Value>(&text) {
        return vec![whole];
    }
    let data = text.lines().filter_map(|line| line.strip_prefix("data: "));
    data.filter_map(|data| serde_json::from_str(data).ok()).collect()
}

async fn subscriptions(stage: &Stage, schema: &Schema, table: &mut Table, seen: &mut [BTreeMap<String, Seen>]) {
    for maker in [Maker::Member, Maker::Visitor] {
        let callers: Vec<usize> = (0..CALLERS.len())
            .filter(|caller| Stage::maker(*caller) == maker)
            .collect();
        for field in &schema.get("Subscription").fields {
            let booking = stage.booking(maker).await;
            let (query, variables) = match field.name.as_str() {
                "availabilityChanged" => (
                    format!(
                        "subscription($id: ID!, $from: DateTime!, $to: DateTime!) {{ \
                            availabilityChanged(serviceId: $id, from: $from, to: $to) {} }}",
                        schema.selection(&field.of)
                    ),
                    json!({ "id": stage.studio.massage.id.to_string(), "from": stage.studio.at(0), "to": stage.studio.at(60 * 24 * 360) }),
                ),
                "bookingEvents" => (
                    format!("subscription {{ bookingEvents {} }}", schema.selection(&field.of)),
                    json!({}),
                ),
                "bookingStatusChanged" => (
                    format!(
                        "subscription($id: ID!) {{ bookingStatusChanged(bookingId: $id) {} }}",
                        schema.selection(&field.of)
                    ),
                    json!({ "id": booking["id"] }),
                ),
                other => panic!("the subscription `{other}` is new: say here how it is asked, and write its row"),
            };
            let listening = callers.iter().map(|caller| {
                listen(
                    &stage.callers[*caller],
                    &query,
                    variables.clone(),
                    Duration::from_secs(3),
                )
            });
            let change = async {
                tokio::time::sleep(Duration::from_secs(1)).await;
                stage.owner().done("confirmBooking", on(&booking)).await;
            };
            let (heard, ()) = tokio::join!(join_all(listening), change);
            for (caller, heard) in callers.iter().zip(heard) {
                let refused = heard
                    .iter()
                    .find_map(|each| each["errors"][0]["extensions"]["code"].as_str());
                let cell = match refused {
                    Some(code) => code.to_owned(),
                    None => heard.len().to_string(),
                };
                put(table, &format!("Subscription.{}", field.name), *caller, cell);
                heard.iter().for_each(|each| note(&each["data"], &mut seen[*caller]));
            }
        }
    }
}

async fn actual(stage: &Stage, schema: &Schema) -> Table {
    let mut table = Table::new();
    let mut seen = vec![BTreeMap::new(); CALLERS.len()];
    // Before the rest: what is booked from now on has its terms.
    let policy = stage.policy().await;
    let terms = json!({ "serviceId": stage.studio.massage.id.to_string(), "bookingPolicyId": policy });
    let set = stage
        .owner()
        .mutate_selecting("updateService", terms, "userErrors { message }")
        .await;
    assert_eq!(set["userErrors"], json!([]));
    let options = [stage.options_of_training().await, stage.options().await];
    let made = [
        stage.confirmed(Maker::Member).await,
        stage.confirmed(Maker::Visitor).await,
    ];
    let courses = [
        stage.enrolment(Maker::Member).await,
        stage.enrolment(Maker::Visitor).await,
    ];
    let chosen = [stage.chosen(Maker::Member).await, stage.chosen(Maker::Visitor).await];
    let branch = stage.branch().await;
    let priced = stage.priced(&branch).await;
    let (own_type, ranked) = (stage.resource_type().await, stage.ranked().await);
    let monthly = stage.monthly().await;
    let category = stage.category().await;
    let shown = stage.shown(&category).await;
    let held = stage.held().await;
    let repeated = stage.repeated().await;
    let studio = &stage.studio;
    let (block, run) = (stage.block().await, studio.run.id.to_string());
    stage.booking(Maker::Member).await;
    let open = json!({ "days": ["MONDAY"], "startTime": "09:00", "endTime": "17:00", "validFrom": "2030-01-01", "validUntil": "2030-12-31", "locationId": branch });
    let special = json!([{ "date": "2030-12-24", "times": [{ "startTime": "09:00", "endTime": "12:00", "locationId": branch }] }]);
    let kept = json!(stage.resource().await);
    let bound = json!({ "resourceId": kept, "locationIds": [branch] });
    let bound = stage
        .owner()
        .mutate_selecting("updateResource", bound, "userErrors { message }")
        .await;
    assert_eq!(bound["userErrors"], json!([]));
    let hours = json!({ "resourceId": kept, "weekly": [open], "specialDays": special });
    let set = stage
        .owner()
        .mutate_selecting("setWorkingHours", hours, "userErrors { message }")
        .await;
    assert_eq!(set["userErrors"], json!([]));
    let packages = [
        stage.package(Maker::Member, &studio.massage).await,
        stage.package(Maker::Visitor, &studio.massage).await,
    ];
    let mut things = BTreeMap::from([
        ("category", category),
        ("bookingPolicy", policy),
        ("location", branch),
        ("resource", json!(studio.anna.id.to_string())),
        ("schedule", json!(run)),
        ("service", json!(studio.massage.id.to_string())),
        ("session", json!(studio.session.id.to_string())),
        ("sessionSeries", stage.series().await),
    ]);
    let about = "query($id: ID!) { booking(id: $id) { notifications { nodes { id } } history { nodes { id } } } \
        apiKeys { nodes { id } } site { id } }";
    for (caller, client) in stage.callers.iter().enumerate() {
        let one = usize::from(Stage::maker(caller) == Maker::Visitor);
        let booking = &made[one];
        things.insert("multiServiceBooking", packages[one]["id"].clone());
        for (name, query, variables) in queries(schema, booking, &things) {
            let reply = client.send(&query, variables).await;
            put(&mut table, &format!("Query.{name}"), caller, outcome(&reply, &name));
        }
        // Everything that has an id, and all that hangs on it.
        let found = stage.owner().data(about, json!({ "id": booking["id"] })).await;
        let mut ids: Vec<Value> = things.values().cloned().collect();
        ids.extend([booking["id"].clone(), block.clone(), found["site"]["id"].clone()]);
        ids.extend([
            courses[one]["id"].clone(),
            priced.clone(),
            shown.clone(),
            held.clone(),
            repeated.clone(),
            kept.clone(),
            own_type.clone(),
            ranked.clone(),
            monthly.clone(),
            json!(studio.course.id.to_string()),
            json!(studio.workshop.id.to_string()),
            json!(studio.training.id.to_string()),
            chosen[one]["id"].clone(),
            packages[one]["bookings"][0]["id"].clone(),
        ]);
        ids.extend(options.iter().cloned());
        ids.extend(
            [
                &found["booking"]["notifications"],
                &found["booking"]["history"],
                &found["apiKeys"],
            ]
            .map(|list| list["nodes"][0]["id"].clone()),
        );
        for (name, each) in &schema.0 {
            if !each.interfaces.iter().any(|interface| interface == "Node") {
                continue;
            }
            let query = format!(
                "query($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on {name} {} }} }}",
                schema.selection(name)
            );
            let reply = client.send(&query, json!({ "ids": ids })).await;
            assert!(reply.json["errors"].is_null(), "{name}: {}", reply.json);
            note(&reply.json["data"], &mut seen[caller]);
        }
        // When something can be booked, of each type, and why not.
        let query = format!(
            "query($ids: [ID!]!, $from: DateTime!, $to: DateTime!) {{ availability(serviceIds: $ids, from: $from, to: $to, limit: 100) {} }}",
            schema.selection("Availability")
        );
        let ids = [&studio.massage, &studio.yoga, &studio.course].map(|service| service.id.to_string());
        let window = json!({ "ids": ids, "from": studio.at(0), "to": studio.at(24 * 60) });
        let week = json!({ "ids": ids[2..], "from": studio.at(0), "to": studio.at(7 * 24 * 60) });
        for window in [window, week] {
            note(&client.data(&query, window).await, &mut seen[caller]);
        }
        let query = format!(
            "query($services: [MultiServiceAvailabilityItemInput!]!, $from: DateTime!, $to: DateTime!) {{ \
                multiServiceAvailability(services: $services, from: $from, to: $to, limit: 1) {} }}",
            schema.selection("MultiServiceAvailability")
        );
        let service = json!({ "serviceId": studio.massage.id.to_string() });
        let window = json!({ "services": [service, service], "from": studio.at(0), "to": studio.at(24 * 60) });
        note(&client.data(&query, window).await, &mut seen[caller]);
        let query = format!(
            "query($id: ID!) {{ multiServiceBookingAvailability(id: $id) {} validateServiceSlug(slug: \"Yoga\") {} }}",
            schema.selection("MultiServiceBookingAvailability"),
            schema.selection("ServiceSlugValidation")
        );
        let package = json!({ "id": packages[one]["id"] });
        note(&client.send(&query, package).await.json["data"], &mut seen[caller]);
        let query = format!(
            "query($id: ID!, $from: DateTime!, $to: DateTime!) {{ explainAvailability(serviceId: $id, from: $from, to: $to, limit: 100) {} }}",
            schema.selection("AvailabilityExplanation")
        );
        let window =
            json!({ "id": studio.training.id.to_string(), "from": studio.at(100 * 120), "to": studio.at(400 * 120) });
        note(&client.send(&query, window).await.json["data"], &mut seen[caller]);
        // The calendar, and a month in which somebody has hours of their own.
        let query = format!(
            "query($from: DateTime!, $to: DateTime!) {{ calendar(from: $from, to: $to, limit: 100) {} }}",
            schema.selection("Calendar")
        );
        for window in [
            json!({ "from": studio.at(-24 * 60), "to": studio.at(300 * 24 * 60) }),
            json!({ "from": "2030-01-01T00:00:00Z", "to": "2030-02-01T00:00:00Z" }),
        ] {
            note(&client.send(&query, window).await.json["data"], &mut seen[caller]);
        }
        // Lists and values that hang on nothing with an id.
        for field in &schema.get("Query").fields {
            if field.of.ends_with("Connection") || field.of == "Viewer" {
                let arguments = if field.of == "Viewer" { "" } else { "(first: 5)" };
                let query = format!("{{ {}{arguments} {} }}", field.name, schema.selection(&field.of));
                note(&client.send(&query, json!({})).await.json["data"], &mut seen[caller]);
            }
        }
    }
    // Only now is anything changed: what is counted above doesn't grow from column to column.
    for caller in 0..CALLERS.len() {
        for field in &schema.get("Mutation").fields {
            let name = &field.name;
            let reply = mutate(stage, caller, name).await;
            let reply = reply.unwrap_or_else(|| {
                panic!("the mutation `{name}` is new: say here how it is called, and write its row")
            });
            put(&mut table, &format!("Mutation.{name}"), caller, done(&reply, name));
            note(&reply.json["data"], &mut seen[caller]);
        }
        for (what, mutation, reply) in refusals(stage, caller).await {
            put(
                &mut table,
                &format!("Mutation.{mutation}, {what}"),
                caller,
                done(&reply, mutation),
            );
            note(&reply.json["data"], &mut seen[caller]);
        }
    }
    subscriptions(stage, schema, &mut table, &mut seen).await;
    for (caller, seen) in seen.iter().enumerate() {
        for (row, state) in seen {
            put(
                &mut table,
                row,
                caller,
                match state {
                    Seen::Null => "-",
                    Seen::Empty => "0",
                    Seen::Value => "+",
                },
            );
        }
    }
    for row in schema.all_fields() {
        table.entry(row).or_insert_with(|| vec![".".to_owned(); CALLERS.len()]);
    }
    table
}

/// What only the business may ask for, and what nobody gets.
async fn refusals(stage: &Stage, caller: usize) -> Vec<(&'static str, &'static str, Reply)> {
    let maker = Stage::maker(caller);
    let taken = stage.wish();
    let first = stage.owner().done("createBooking", taken.clone()).await;
    stage.owner().done("confirmBooking", on(&first)).await;
    let flow = |flag: &str| with(stage.wish(), json!({ "flowControlSettings": { flag: true } }));
    let canceled = stage.confirmed(maker).await;
    stage.owner().done("cancelBooking", on(&canceled)).await;
    let booked = stage.studio.yoga.id.to_string();
    stage.owner().done("confirmBooking", on(&stage.seat(maker).await)).await;
    let filled = stage.category().await;
    stage.shown(&filled).await;
    // Two halls with one session each, at one time.
    let halls = [stage.resource().await, stage.resource().await];
    let meanwhile = stage.session_input();
    for hall in &halls {
        let session = with(meanwhile.clone(), json!({ "resourceIds": [hall] }));
        stage.made("createSession", session, "session").await;
    }
    let mut past = stage.wish();
    past["bookedEntity"]["slot"]["appointment"]["startDate"] = json!("2020-01-01T00:00:00Z");
    let mut replies = Vec::new();
    for (what, mutation, input) in [
        ("where somebody else is", "createBooking", taken),
        (
            "CONFIRMED",
            "createBooking",
            with(stage.wish(), json!({ "status": "CONFIRMED" })),
        ),
        (
            "skipAvailabilityValidation",
            "createBooking",
            flow("skipAvailabilityValidation"),
        ),
        (
            "skipBusinessConfirmation",
            "createBooking",
            flow("skipBusinessConfirmation"),
        ),
        (
            "skipSelectedPaymentOptionValidation",
            "createBooking",
            flow("skipSelectedPaymentOptionValidation"),
        ),
        (
            "more seats than there are",
            "createBooking",
            stage.studio.class(&stage.studio.session, 50),
        ),
        ("in the past", "createBooking", past),
        (
            "of another revision",
            "cancelBooking",
            with(on(&stage.confirmed(maker).await), json!({ "expectedRevision": 99 })),
        ),
        ("canceled before", "cancelBooking", on(&canceled)),
        (
            "of a staff member's own",
            "setWorkingHours",
            json!({ "resourceId": stage.studio.anna.id.to_string(), "weekly": [{ "days": ["MONDAY"], "startTime": "00:00", "endTime": "24:00" }] }),
        ),
        (
            "of a staff member's own",
            "clearWorkingHours",
            json!({ "resourceId": stage.studio.anna.id.to_string() }),
        ),
        ("of the business", "clearWorkingHours", json!({})),
        ("with bookings", "deleteService", json!({ "serviceId": booked })),
        ("with services", "deleteCategory", json!({ "categoryId": filled })),
        (
            "to one that isn't free",
            "deleteResource",
            json!({ "resourceId": halls[0], "reassignTo": halls[1] }),
        ),
        (
            "without a name",
            "createResource",
            json!({ "type": "ROOM", "name": "" }),
        ),
    ] {
        let reply = stage.send(caller, mutation, input).await;
        replies.push((what, mutation, reply));
    }
    replies
}

const HEAD: &str = "\
# What every sort of caller gets of every field of the schema, from a real server.
#
# Fields of objects: `+` a value, `-` null, `0` an empty list, `.` never got there (what it hangs on is not for the caller,
# or nothing in the walk has one). Lists at the root: how many. Mutations: `+` done, or the code of the refusal.
# Subscriptions: how many events of two, the present one included.
#
# The columns:
";

fn write(table: &Table) -> String {
    let mut text = HEAD.to_owned();
    for (index, caller) in CALLERS.iter().enumerate() {
        text.push_str(&format!("#  {:>2}  {caller}\n", index + 1));
    }
    let words: BTreeSet<&str> = table
        .values()
        .flatten()
        .map(String::as_str)
        .filter(|cell| cell.len() > 3)
        .collect();
    text.push_str("#\n# The codes:\n");
    let short: BTreeMap<&str, String> = words
        .iter()
        .map(|word| (*word, word.split('_').map(|part| &part[..1]).collect::<String>()))
        .collect();
    let distinct: BTreeSet<&String> = short.values().collect();
    assert_eq!(
        distinct.len(),
        short.len(),
        "two codes with one abbreviation: {short:?}"
    );
    for (word, letters) in &short {
        text.push_str(&format!("#  {letters:<4} {word}\n"));
    }
    text.push('\n');
    let width = table.keys().map(String::len).max().unwrap_or(0);
    for (row, cells) in table {
        text.push_str(&format!("{row:<width$}"));
        for cell in cells {
            text.push_str(&format!(" {:>4}", short.get(cell.as_str()).unwrap_or(cell)));
        }
        text.push('\n');
    }
    text
}

on_both_engines! {
    async fn every_field_for_every_caller_is_as_the_table_says(engine) {
        let stage = Stage::set(engine).await;
        let table = actual(&stage, stage.schema()).await;
        let unseen: Vec<&String> = table.iter().filter(|(_, cells)| cells.iter().all(|cell| cell == ".")).map(|(row, _)| row).collect();
        assert!(unseen.is_empty(), "nobody got to these fields: the stage needs something that has them: {unseen:?}");
        let text = write(&table);
        let place = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/access/permissions.txt");
        let expected = std::fs::read_to_string(&place).unwrap_or_default();
        if text != expected {
            let found = std::env::temp_dir().join("permissions.txt");
            std::fs::write(&found, &text).unwrap();
            let known: BTreeSet<&str> = expected.lines().collect();
            let changed: Vec<&str> = text.lines().filter(|line| !known.contains(line)).collect();
            panic!("not as in tests/access/permissions.txt ({} has all of it):\n{}", found.display(), changed.join("\n"));
        }
    }
}
