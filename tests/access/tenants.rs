//! Two sites on one server don't know of each other: nothing of one shows in the other, and what is another's looks exactly
//! like what isn't there.

use std::{
    fmt::Write as _,
    time::{Duration, Instant},
};

use frontdesk::{
    app::tokens::Role,
    domain::{
        ids::{
            ApiKeyId, BlockedTimeId, BookingId, NotificationId, ResourceId, ScheduleId, ServiceId, SessionId, SiteId,
        },
        money::Currency,
        time::ZoneName,
    },
};
use proptest::{
    strategy::{Strategy as _, ValueTree as _},
    test_runner::TestRunner,
};
use serde_json::{Value, json};

use crate::{
    on_both_engines,
    schema::Schema,
    support::{Client, Engine, Server, Studio, on, with},
};

/// Stands in everything that people wrote on the other site.
const MARK: &str = "alphasecret";

struct Sites {
    server: Server,
    /// Whose things are asked for.
    alpha: Studio,
    /// Who asks.
    beta: Studio,
    /// Ids of the other site, of every kind.
    ids: Vec<String>,
    /// Cursors of the other site's lists.
    cursors: Vec<String>,
    callers: Vec<Client>,
}

fn client(server: &Server, role: Role, site: SiteId, subject: &str, resource: Option<ResourceId>) -> Client {
    Client::bearer(
        server,
        server.running().api.tokens().mint(role, site, subject, resource, 3600),
    )
}

/// All texts in an answer that are ids or cursors.
fn texts(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => found.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
        Value::Object(members) => members.values().for_each(|member| texts(member, found)),
        _ => {}
    }
}

impl Sites {
    async fn open(engine: Engine) -> Self {
        let server = Server::start(engine).await;
        let alpha = Studio::open(&server).await;
        let euro = Currency::parse("EUR").unwrap();
        let second = server
            .service()
            .create_site("second", "Second", ZoneName::utc(), euro)
            .await
            .unwrap()
            .id;
        let beta = Studio::open_on(&server, second).await;
        let owner = server.owner();
        let ada = server.member("ada");
        for minutes in [0, 60, 120] {
            let mut wish = alpha.appointment(&alpha.massage, minutes, &[&alpha.anna]);
            wish["contactDetails"] = json!({ "firstName": MARK, "email": format!("{MARK}@example.org") });
            let note = json!({ "notifyParticipants": true, "message": MARK });
            let wish = with(
                wish,
                json!({ "participantNotification": note, "idempotencyKey": format!("{MARK}-{minutes}") }),
            );
            let booking = ada.done("createBooking", wish).await;
            owner
                .done(
                    "confirmBooking",
                    with(on(&booking), json!({ "participantNotification": note })),
                )
                .await;
        }
        let block = json!({
            "resourceId": alpha.ben.id.to_string(), "startDate": alpha.at(0), "endDate": alpha.at(30), "reason": MARK,
        });
        owner
            .mutate_selecting("createBlockedTime", block, "userErrors { code }")
            .await;
        let key = json!({ "name": MARK, "scopes": ["READ_BOOKINGS"] });
        owner.mutate_selecting("createApiKey", key, "userErrors { code }").await;
        let everything = "{ site { id } eventCursor \
            bookings { edges { cursor } nodes { id notifications { nodes { id } } history { edges { cursor } nodes { id } } } } \
            bookingEvents(first: 20) { edges { cursor } nodes { id cursor } } \
            services { edges { cursor } nodes { id } } resources { edges { cursor } nodes { id } } \
            sessions { edges { cursor } nodes { id schedule { id } } } blockedTimes { edges { cursor } nodes { id } } \
            apiKeys { edges { cursor } nodes { id } } }";
        let mut found = Vec::new();
        texts(&owner.data(everything, json!({})).await, &mut found);
        found.sort();
        found.dedup();
        let (ids, cursors) = found
            .into_iter()
            .partition(|text| frontdesk::domain::ids::parse_any(text).is_some());
        let callers = vec![
            Client::new(&server).with("Frontdesk-Site", "second".to_owned()),
            // Of the same names as on the other site.
            client(&server, Role::Member, second, "ada", None),
            client(&server, Role::Staff, second, "sam", Some(beta.anna.id)),
            // A token that names another site's calendar opens none.
            client(&server, Role::Staff, second, "sam", Some(alpha.anna.id)),
            client(&server, Role::Owner, second, "olga", None),
            client(&server, Role::App, second, "shop", None),
        ];
        Self {
            server,
            alpha,
            beta,
            ids,
            cursors,
            callers,
        }
    }

    /// The second site's own owner.
    fn owner(&self) -> &Client {
        &self.callers[4]
    }
}

/// An id of the same kind that nothing has.
fn twin(id: &str) -> String {
    match id.split('_').next().unwrap() {
        "booking" => BookingId::new().to_string(),
        "service" => ServiceId::new().to_string(),
        "resource" => ResourceId::new().to_string(),
        "schedule" => ScheduleId::new().to_string(),
        "session" => SessionId::new().to_string(),
        "block" => BlockedTimeId::new().to_string(),
        "notification" => NotificationId::new().to_string(),
        "apikey" => ApiKeyId::new().to_string(),
        "site" => SiteId::new().to_string(),
        "event" => frontdesk::domain::ids::EventId::new().to_string(),
        other => panic!("an id of a new kind: {other}"),
    }
}

/// Everything that takes an id: what is sent, with `$id` where the id goes.
fn asks(beta: &Studio) -> Vec<(&'static str, Value)> {
    let queries = [
        "query($id: ID!) { booking(id: $id) { id contactDetails { email } } }",
        "query($id: ID!) { node(id: $id) { id } }",
        "query($id: ID!) { nodes(ids: [$id]) { id } }",
        "query($id: ID!) { resource(id: $id) { id name } }",
        "query($id: ID!) { schedule(id: $id) { id name } }",
        "query($id: ID!) { service(id: $id) { id name } }",
        "query($id: ID!) { session(id: $id) { id title } }",
        "query($id: ID!) { bookings(filter: { id: { eq: $id } }) { totalCount nodes { id } } }",
        "query($id: ID!) { bookings(filter: { resourceId: { eq: $id } }) { totalCount nodes { id } } }",
        "query($id: ID!) { bookings(filter: { scheduleId: { eq: $id } }) { totalCount nodes { id } } }",
        "query($id: ID!) { bookings(filter: { serviceId: { eq: $id } }) { totalCount nodes { id } } }",
        "query($id: ID!) { bookings(filter: { sessionId: { eq: $id } }) { totalCount nodes { id } } }",
        "query($id: ID!) { bookingEvents(filter: { bookingIds: [$id] }) { totalCount nodes { id } } }",
        "query($id: ID!) { bookingEvents(filter: { serviceIds: [$id] }) { totalCount nodes { id } } }",
        "query($id: ID!) { bookingEvents(filter: { multiServiceBookingIds: [$id] }) { totalCount nodes { id } } }",
        "query($id: ID!) { multiServiceBookingAvailability(id: $id) { bookable } }",
        "query($id: ID!) { services(filter: { ids: [$id] }) { totalCount nodes { id } } }",
        "query($id: ID!) { resources(filter: { ids: [$id] }) { totalCount nodes { id } } }",
        "query($id: ID!) { sessions(filter: { resourceIds: [$id] }) { totalCount nodes { id } } }",
        "query($id: ID!) { sessions(filter: { scheduleIds: [$id] }) { totalCount nodes { id } } }",
        "query($id: ID!) { sessions(filter: { serviceIds: [$id] }) { totalCount nodes { id } } }",
        "query($id: ID!) { blockedTimes(filter: { resourceIds: [$id] }) { totalCount nodes { id } } }",
    ];
    let mut asks: Vec<_> = queries
        .into_iter()
        .map(|query| (query, json!({ "id": "$id" })))
        .collect();
    let slot = json!({ "appointment": { "serviceId": "$id", "startDate": beta.at(600) } });
    let contact = json!({ "firstName": "Bea", "email": "bea@example.org" });
    let book = |entity: Value| json!({ "bookedEntity": entity, "contactDetails": contact, "totalParticipants": 1 });
    let massage = beta.massage.id.to_string();
    let chosen = json!({ "serviceId": massage, "startDate": beta.at(600), "resourceIds": ["$id"] });
    let own = json!({ "type": "APPOINTMENT", "name": "New", "durations": [30], "payment": { "rateType": "NO_FEE" }, "resourceIds": ["$id"] });
    let session = |schedule: &str, resource: Value| json!({ "scheduleId": schedule, "localStart": "2031-01-01T10:00:00", "localEnd": "2031-01-01T11:00:00", "resourceIds": resource });
    for (mutation, input) in [
        ("cancelBooking", json!({ "bookingId": "$id" })),
        ("confirmBooking", json!({ "bookingId": "$id" })),
        ("confirmOrDeclineBooking", json!({ "bookingId": "$id" })),
        ("declineBooking", json!({ "bookingId": "$id" })),
        ("markBookingAsPending", json!({ "bookingId": "$id" })),
        (
            "updateNumberOfParticipants",
            json!({ "bookingId": "$id", "totalParticipants": 2 }),
        ),
        (
            "rescheduleBooking",
            json!({ "bookingId": "$id", "slot": { "appointment": { "serviceId": massage, "startDate": beta.at(600) } } }),
        ),
        ("createBooking", book(json!({ "slot": slot }))),
        ("createBooking", book(json!({ "slot": { "appointment": chosen } }))),
        (
            "createBooking",
            book(json!({ "slot": { "session": { "sessionId": "$id" } } })),
        ),
        ("createBooking", book(json!({ "schedule": { "scheduleId": "$id" } }))),
        ("cancelSession", json!({ "sessionId": "$id" })),
        ("updateSession", json!({ "sessionId": "$id", "title": "Other" })),
        ("createSession", session("$id", json!([]))),
        (
            "createSession",
            session(&beta.yoga.schedule.to_string(), json!(["$id"])),
        ),
        (
            "createBlockedTime",
            json!({ "resourceId": "$id", "startDate": beta.at(0), "endDate": beta.at(30) }),
        ),
        ("deleteBlockedTime", json!({ "blockedTimeId": "$id" })),
        ("createService", own),
        ("updateService", json!({ "serviceId": "$id", "name": "Other" })),
        ("deleteService", json!({ "serviceId": "$id" })),
        ("updateResource", json!({ "resourceId": "$id", "name": "Other" })),
        ("deleteResource", json!({ "resourceId": "$id" })),
        ("createSchedule", json!({ "serviceId": "$id", "name": "Other" })),
        ("updateSchedule", json!({ "scheduleId": "$id", "name": "Other" })),
        ("deleteSchedule", json!({ "scheduleId": "$id" })),
        ("revokeApiKey", json!({ "apiKeyId": "$id" })),
    ] {
        asks.push((mutation, json!({ "input": input })));
    }
    asks
}

/// The document of an ask.
fn document(ask: &str) -> String {
    if ask.starts_with("query") {
        return ask.to_owned();
    }
    crate::support::client::mutation(
        ask,
        "userErrors { __typename code message path ... on SlotNotAvailable { conflicts { id } } }",
    )
}

/// What a caller is answered, without the id that it sent.
async fn answer(client: &Client, ask: &(&str, Value), id: &str) -> String {
    let variables: Value = serde_json::from_str(&ask.1.to_string().replace("$id", id)).unwrap();
    let reply = client.send(&document(ask.0), variables).await;
    format!("{} {}", reply.status, reply.json.to_string().replace(id, "$id"))
}

on_both_engines! {
    async fn what_is_another_sites_looks_like_what_isnt_there(engine) {
        let sites = Sites::open(engine).await;
        let asks = asks(&sites.beta);
        assert!(sites.ids.len() > 30, "{:?}", sites.ids);
        let everything = (0..sites.callers.len(), 0..asks.len(), 0..sites.ids.len());
        let mut runner = TestRunner::deterministic();
        for _ in 0..1500 {
            let (caller, ask, id) = everything.new_tree(&mut runner).unwrap().current();
            let (client, ask, id) = (&sites.callers[caller], &asks[ask], &sites.ids[id]);
            let theirs = answer(client, ask, id).await;
            let nobodys = answer(client, ask, &twin(id)).await;
            assert_eq!(theirs, nobodys, "caller {caller}, {} {} with {id}", ask.0, ask.1);
            let leaked = sites.ids.iter().find(|other| theirs.contains(other.as_str()));
            assert!(leaked.is_none() && !theirs.contains(MARK), "caller {caller}, {}: {theirs}", ask.0);
        }
        // Nothing of all that changed anything on the other site.
        let counts = "{ bookings { totalCount } services { totalCount } blockedTimes { totalCount } resources { totalCount } }";
        let counts = sites.server.owner().data(counts, json!({})).await;
        assert_eq!(counts["bookings"]["totalCount"], 3);
        assert_eq!((&counts["services"]["totalCount"], &counts["resources"]["totalCount"]), (&json!(7), &json!(3)));
        assert_eq!(counts["blockedTimes"]["totalCount"], 1);
    }

    async fn cursors_of_another_site_open_nothing(engine) {
        let sites = Sites::open(engine).await;
        sites.owner().done("createBooking", sites.beta.appointment(&sites.beta.massage, 0, &[])).await;
        assert!(sites.cursors.len() > 20);
        for cursor in &sites.cursors {
            for client in &sites.callers {
                for list in ["bookings", "bookingEvents", "services", "resources", "sessions", "blockedTimes", "apiKeys"] {
                    for end in ["first: 100, after", "last: 100, before"] {
                        let query = format!("query($c: String!) {{ {list}({end}: $c) {{ totalCount nodes {{ __typename id }} }} }}");
                        let reply = client.send(&query, json!({ "c": cursor })).await.json.to_string();
                        let leaked = sites.ids.iter().find(|id| reply.contains(id.as_str()));
                        assert!(leaked.is_none(), "{list} {end} {cursor}: {reply}");
                    }
                }
            }
        }
    }

    async fn what_happens_on_one_site_moves_nothing_on_the_other(engine) {
        let sites = Sites::open(engine).await;
        let schema = Schema::of(sites.owner()).await;
        let mut all = String::from("{ eventCursor ");
        for field in &schema.get("Query").fields {
            if field.of.ends_with("Connection") && field.name != "sites" {
                write!(all, "{} {{ totalCount nodes {{ id }} pageInfo {{ hasNextPage }} }} ", field.name).unwrap();
            }
        }
        all.push('}');
        let before = sites.owner().data(&all, json!({})).await;
        // The same name, the same key, on the other site: another booking.
        let key = json!({ "idempotencyKey": format!("{MARK}-0") });
        let ada = &sites.callers[1];
        let made = ada.done("createBooking", with(sites.beta.appointment(&sites.beta.massage, 0, &[&sites.beta.anna]), key)).await;
        assert!(!sites.ids.contains(&made["id"].as_str().unwrap().to_owned()));
        ada.done("cancelBooking", on(&made)).await;
        let between = sites.owner().data(&all, json!({})).await;
        assert_eq!(between["bookings"]["totalCount"], 1);
        let elsewhere = sites.server.owner();
        for minutes in [300, 360] {
            let booking = elsewhere.done("createBooking", sites.alpha.appointment(&sites.alpha.massage, minutes, &[])).await;
            elsewhere.done("confirmBooking", on(&booking)).await;
        }
        assert_eq!(sites.owner().data(&all, json!({})).await, between);
        assert_ne!(before, between);
    }

    async fn a_subscription_hears_its_own_site_alone(engine) {
        let sites = Sites::open(engine).await;
        let query = "subscription { bookingEvents { id booking { id contactDetails { email } } } }";
        let mut request = sites.server.http.post(&sites.server.url).header("accept", "text/event-stream");
        for (name, value) in &sites.owner().headers {
            request = request.header(*name, value);
        }
        let mut response = request.json(&json!({ "query": query })).send().await.unwrap();
        response.chunk().await.unwrap();
        let elsewhere = sites.server.owner();
        for minutes in [300, 360, 420] {
            elsewhere.done("createBooking", sites.alpha.appointment(&sites.alpha.massage, minutes, &[])).await;
        }
        let own = sites.owner().done("createBooking", sites.beta.appointment(&sites.beta.massage, 0, &[])).await;
        let mut heard = String::new();
        while !heard.contains("event: next") {
            let chunk = tokio::time::timeout(Duration::from_secs(10), response.chunk()).await.expect("an event");
            heard.push_str(&String::from_utf8_lossy(&chunk.unwrap().unwrap()));
        }
        assert!(heard.contains(own["id"].as_str().unwrap()), "its own comes first: {heard}");
        // Another site's booking can't be watched, and says so as one that isn't there.
        let watch = "subscription($id: ID!) { bookingStatusChanged(bookingId: $id) { status } }";
        let id = sites.ids.iter().find(|id| id.starts_with("booking_")).unwrap();
        let mut answers = Vec::new();
        for id in [id.clone(), twin(id)] {
            let mut request = sites.server.http.post(&sites.server.url).header("accept", "text/event-stream");
            for (name, value) in &sites.owner().headers {
                request = request.header(*name, value);
            }
            let response = request.json(&json!({ "query": watch, "variables": { "id": id } })).send().await.unwrap();
            answers.push(response.text().await.unwrap().replace(&id, "$id"));
        }
        assert_eq!(answers[0], answers[1]);
        assert!(answers[0].contains("BOOKING_NOT_FOUND"), "{}", answers[0]);
    }

    async fn time_doesnt_tell_either(engine) {
        let sites = Sites::open(engine).await;
        let theirs = sites.ids.iter().find(|id| id.starts_with("booking_")).unwrap().clone();
        let eve = sites.server.member("eve");
        let read = ("query($id: ID!) { booking(id: $id) { id } }", json!({ "id": "$id" }));
        let change = ("cancelBooking", json!({ "input": { "bookingId": "$id" } }));
        // Somebody else's on the same site, and another site's.
        for (who, client) in [("another member", &eve), ("another site", sites.owner())] {
            for ask in [&read, &change] {
                let nobodys = twin(&theirs);
                let mut slower = 0;
                for turn in 0..1000 {
                    let order = if turn % 2 == 0 { [&theirs, &nobodys] } else { [&nobodys, &theirs] };
                    let mut took = [Duration::ZERO; 2];
                    for (place, id) in order.into_iter().enumerate() {
                        let start = Instant::now();
                        answer(client, ask, id).await;
                        took[place] = start.elapsed();
                    }
                    let [first, second] = took;
                    slower += usize::from(if turn % 2 == 0 { first > second } else { second > first });
                }
                // By chance it is 500, give or take 16.
                assert!((400..=600).contains(&slower), "{who}, {}: slower in {slower} of 1000", ask.0);
            }
        }
    }
}
