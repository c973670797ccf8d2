//! Lists: pages, filters, children, and the wall between sites.

use frontdesk::{
    app::tokens::Role,
    domain::{money::Currency, time::ZoneName},
};
use serde_json::{Value, json};

use crate::{code, confirmed, done, on_both_engines, studio, support::Client};

fn names(connection: &Value) -> Vec<String> {
    connection["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|node| node["name"].as_str().unwrap().to_owned())
        .collect()
}

on_both_engines! {
    async fn pages_of_services_meet_without_gap_or_repeat(engine) {
        let (_server, _studio, owner) = studio(engine).await;
        let query = "query($first: Int, $after: String, $last: Int, $before: String) { \
            services(first: $first, after: $after, last: $last, before: $before) { \
            totalCount nodes { name } pageInfo { endCursor startCursor hasNextPage hasPreviousPage } } }";
        let page = async |variables: Value| owner.data(query, variables).await["services"].clone();
        let all = names(&page(json!({})).await);
        assert_eq!(all.len(), 7);
        let (mut seen, mut after) = (Vec::new(), Value::Null);
        loop {
            let next = page(json!({ "first": 3, "after": after })).await;
            assert_eq!(next["totalCount"], 7);
            assert_eq!(next["pageInfo"]["hasPreviousPage"], json!(!seen.is_empty()));
            seen.extend(names(&next));
            after = next["pageInfo"]["endCursor"].clone();
            if next["pageInfo"]["hasNextPage"] == false {
                break;
            }
        }
        assert_eq!(seen, all);
        let last = page(json!({ "last": 2 })).await;
        assert_eq!(names(&last), all[5..]);
        let before = page(json!({ "last": 2, "before": last["pageInfo"]["startCursor"] })).await;
        assert_eq!(names(&before), all[3..5]);
        // What is behind the other cursor counts, and the cursor's own row with it.
        let flags = |page: &Value| (page["pageInfo"]["hasPreviousPage"].clone(), page["pageInfo"]["hasNextPage"].clone());
        assert_eq!(flags(&before), (json!(true), json!(true)));
        let whole = page(json!({})).await;
        assert_eq!(flags(&whole), (json!(false), json!(false)));
        let first = page(json!({ "first": 1 })).await;
        let between = page(json!({ "first": 10, "after": first["pageInfo"]["endCursor"], "before": last["pageInfo"]["startCursor"] })).await;
        assert_eq!((names(&between).as_slice(), flags(&between)), (&all[1..5], (json!(true), json!(true))));
        assert_eq!(owner.error_code(query, json!({ "first": 101 })).await, "BAD_USER_INPUT");
        assert_eq!(owner.error_code(query, json!({ "after": "?" })).await, "BAD_USER_INPUT");
    }

    async fn filters_pick_what_they_name(engine) {
        let (_server, studio, owner) = studio(engine).await;
        let services = "query($filter: ServiceFilter) { services(filter: $filter) { totalCount nodes { name } } }";
        let classes = owner.data(services, json!({ "filter": { "types": ["CLASS", "COURSE"] } })).await["services"].clone();
        let mut found = names(&classes);
        found.sort();
        assert_eq!(found, ["Course", "Yoga"]);
        assert_eq!(owner.error_code(services, json!({ "filter": { "ids": ["nonsense"] } })).await, "BAD_USER_INPUT");
        let rooms = owner.data("{ resources(filter: { types: [ROOM] }) { nodes { name } } }", json!({})).await;
        assert_eq!(names(&rooms["resources"]), ["Studio 1"]);
        let sessions = "query($filter: SessionFilter) { sessions(filter: $filter) { totalCount nodes { startDate } } }";
        for (filter, count) in [
            (json!({}), 4),
            (json!({ "serviceIds": [studio.yoga.id.to_string()] }), 2),
            (json!({ "scheduleIds": [studio.run.id.to_string()] }), 2),
            (json!({ "resourceIds": [studio.ben.id.to_string()] }), 2),
            (json!({ "resourceIds": [studio.anna.id.to_string()] }), 0),
            (json!({ "from": studio.at(360), "to": studio.at(361) }), 1),
            (json!({ "from": studio.at(361), "status": "CONFIRMED" }), 3),
            (json!({ "to": studio.at(360) }), 0),
            (json!({ "status": "CANCELLED" }), 0),
        ] {
            let found = owner.data(sessions, json!({ "filter": filter })).await["sessions"].clone();
            assert_eq!(found["totalCount"], count, "{filter}");
            let starts: Vec<&str> = found["nodes"].as_array().unwrap().iter().map(|s| s["startDate"].as_str().unwrap()).collect();
            assert!(starts.is_sorted(), "{starts:?}");
        }
        let malformed = json!({ "filter": { "from": "yesterday" } });
        assert_eq!(owner.error_code(sessions, malformed).await, "BAD_USER_INPUT");
    }

    async fn customers_find_sessions_of_hidden_services_by_the_service_alone(engine) {
        let (server, studio, owner) = studio(engine).await;
        let yoga = studio.yoga.id.to_string();
        let query = "query($filter: SessionFilter) { sessions(filter: $filter) { totalCount nodes { service { id } } } }";
        let of = async |client: &Client, filter: Value| {
            let found = client.data(query, json!({ "filter": filter })).await["sessions"].clone();
            let nodes = found["nodes"].as_array().unwrap().clone();
            assert_eq!(found["totalCount"], json!(nodes.len()));
            nodes.iter().filter(|one| one["service"]["id"] == json!(yoga)).count()
        };
        let there = of(&owner, json!({})).await;
        assert!(there > 0 && of(&server.visitor(), json!({})).await == there);
        done(&owner, "updateService", json!({ "serviceId": yoga, "hidden": true }), "service { id }").await;
        for client in [server.visitor(), server.member("mia")] {
            assert_eq!(of(&client, json!({})).await, 0);
            assert_eq!(of(&client, json!({ "serviceIds": [yoga] })).await, there, "who was given its address");
            let by_id = "query($id: ID!) { service(id: $id) { sessions { totalCount } } }";
            assert_eq!(client.data(by_id, json!({ "id": yoga })).await["service"]["sessions"]["totalCount"], json!(there));
        }
        for client in [&owner, &server.staff(studio.anna.id)] {
            assert_eq!(of(client, json!({})).await, there);
        }
    }

    async fn children_of_rows_are_those_of_each_row(engine) {
        let (_server, studio, owner) = studio(engine).await;
        confirmed(&owner, studio.class(&studio.session, 3)).await;
        confirmed(&owner, studio.enrolment(2)).await;
        let query = "{ sessions { edges { node { id remainingCapacity resources { name } } } \
            nodes { service { name resources { id } schedule { name remainingCapacity } } schedule { service { name } remainingCapacity } } } }";
        let found = owner.data(query, json!({})).await["sessions"].clone();
        let left: Vec<i64> = found["edges"].as_array().unwrap().iter().map(|e| e["node"]["remainingCapacity"].as_i64().unwrap()).collect();
        assert_eq!(left, [7, 10, 6, 6], "of a course the run's seats");
        assert_eq!(found["edges"][0]["node"]["resources"], json!([{ "name": "Ben" }]));
        assert_eq!(found["nodes"][0]["service"], json!({ "name": "Yoga", "resources": [], "schedule": { "name": "Yoga", "remainingCapacity": null } }));
        assert_eq!(found["nodes"][2]["schedule"], json!({ "service": { "name": "Course" }, "remainingCapacity": 6 }));
        let services = owner.data("{ services { nodes { name resources { name } schedules { nodes { name } } sessions(filter: { status: CONFIRMED }) { totalCount } } } }", json!({})).await;
        for service in services["services"]["nodes"].as_array().unwrap() {
            let (resources, sessions) = match service["name"].as_str().unwrap() {
                "Massage" | "Consultation" => (2, 0),
                "Training" | "Audition" => (1, 0),
                "Workshop" => (3, 0),
                _ => (0, 2),
            };
            assert_eq!(service["resources"].as_array().unwrap().len(), resources, "{service}");
            assert_eq!(service["sessions"]["totalCount"], sessions, "{service}");
            assert_eq!(service["schedules"]["nodes"].as_array().unwrap().len(), 1, "{service}");
        }
    }

    async fn a_site_sees_and_changes_nothing_of_another(engine) {
        let (server, studio, owner) = studio(engine).await;
        let currency = Currency::parse("USD").unwrap();
        let other = server.service().create_site("other", "Other", ZoneName::utc(), currency).await.unwrap();
        let token = server.running().api.tokens().mint(Role::Owner, other.id, "otto", None, 3600);
        let stranger = Client::bearer(&server, token);
        assert_eq!(stranger.data("{ site { slug } services { totalCount } sessions { totalCount } resources { totalCount } }", json!({})).await,
            json!({ "site": { "slug": "other" }, "services": { "totalCount": 0 }, "sessions": { "totalCount": 0 }, "resources": { "totalCount": 0 } }));
        for (query, id) in [
            ("query($id: ID!) { service(id: $id) { id } }", studio.yoga.id.to_string()),
            ("query($id: ID!) { resource(id: $id) { id } }", studio.anna.id.to_string()),
            ("query($id: ID!) { schedule(id: $id) { id } }", studio.run.id.to_string()),
            ("query($id: ID!) { session(id: $id) { id } }", studio.session.id.to_string()),
            ("query($id: ID!) { node(id: $id) { id } }", studio.session.id.to_string()),
        ] {
            let found = stranger.data(query, json!({ "id": id })).await;
            assert!(found.as_object().unwrap().values().all(Value::is_null), "{query}: {found}");
        }
        assert_eq!(code(&stranger, "updateService", json!({ "serviceId": studio.yoga.id.to_string(), "name": "Mine" })).await, "SERVICE_NOT_FOUND");
        assert_eq!(code(&stranger, "deleteResource", json!({ "resourceId": studio.anna.id.to_string() })).await, "RESOURCE_NOT_FOUND");
        assert_eq!(code(&stranger, "updateSchedule", json!({ "scheduleId": studio.run.id.to_string(), "name": "Mine" })).await, "SCHEDULE_NOT_FOUND");
        assert_eq!(code(&stranger, "cancelSession", json!({ "sessionId": studio.session.id.to_string() })).await, "SESSION_NOT_FOUND");
        assert_eq!(code(&stranger, "createSession", json!({
            "scheduleId": studio.yoga.schedule.to_string(), "localStart": "2027-01-01T10:00", "localEnd": "2027-01-01T11:00",
        })).await, "SCHEDULE_NOT_FOUND");
        assert_eq!(code(&stranger, "createBlockedTime", json!({
            "resourceId": studio.anna.id.to_string(), "startDate": studio.at(0), "endDate": studio.at(60),
        })).await, "RESOURCE_NOT_FOUND");
        assert_eq!(owner.data("{ services { totalCount } }", json!({})).await["services"]["totalCount"], 7);
    }
}
