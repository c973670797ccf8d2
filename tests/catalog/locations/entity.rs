//! The locations of the business: made, changed, read and deleted.

use futures::future::join_all;
use serde_json::{Value, json};

use super::{business, codes, hour, is, location, mondays, refusal, service, staff};
use crate::{code, done, on_both_engines, refused, support::Server};

const LOCATION: &str = "location { id name formattedAddress email phone default revision workingHours { revision } }";

on_both_engines! {
    async fn a_location_is_made_changed_read_and_deleted(engine) {
        let server = Server::start(engine).await;
        let owner = server.owner();
        let input = json!({ "name": "Centre", "formattedAddress": "Main Street 1", "email": "c@example.org", "phone": "+49 30 1", "idempotencyKey": "k" });
        let centre = done(&owner, "createLocation", input.clone(), LOCATION).await["location"].clone();
        assert!(centre["id"].as_str().unwrap().starts_with("location_"));
        assert_eq!((&centre["default"], &centre["revision"], &centre["workingHours"]), (&json!(false), &json!(1), &Value::Null));
        assert_eq!(done(&owner, "createLocation", input, LOCATION).await["location"], centre, "the same key makes no second one");
        let input = json!({ "locationId": centre["id"], "name": "Old town", "phone": null, "expectedRevision": 1 });
        let changed = done(&owner, "updateLocation", input.clone(), LOCATION).await["location"].clone();
        assert_eq!((&changed["name"], &changed["phone"], &changed["email"]), (&json!("Old town"), &Value::Null, &centre["email"]));
        assert_eq!(refusal(&owner, "updateLocation", input).await, is("REVISION_MISMATCH", "expectedRevision"));
        let long = "x".repeat(101);
        for (bad, path) in [
            (json!({ "name": " " }), "name"), (json!({ "name": long }), "name"), (json!({ "name": "x", "email": "no" }), "email"),
            (json!({ "name": "x", "phone": "1".repeat(51) }), "phone"), (json!({ "name": "x", "formattedAddress": "x".repeat(513) }), "formattedAddress"),
        ] {
            assert_eq!(refusal(&owner, "createLocation", bad).await, is("VALIDATION_FAILURE", path));
        }
        let read = "query($id: ID!) { location(id: $id) { name } node(id: $id) { ... on BusinessLocation { name } } \
            locations(first: 1) { totalCount nodes { name } } }";
        let found = server.visitor().data(read, json!({ "id": centre["id"] })).await;
        assert_eq!(found, json!({
            "location": { "name": "Old town" }, "node": { "name": "Old town" },
            "locations": { "totalCount": 1, "nodes": [{ "name": "Old town" }] },
        }));
        for client in [server.member("mia"), server.visitor()] {
            let document = crate::support::client::mutation("createLocation", LOCATION);
            assert_eq!(client.error_code(&document, json!({ "input": { "name": "Mine" } })).await, "FORBIDDEN");
        }
        done(&owner, "deleteLocation", json!({ "locationId": centre["id"] }), LOCATION).await;
        assert_eq!(refusal(&owner, "deleteLocation", json!({ "locationId": centre["id"] })).await, is("LOCATION_NOT_FOUND", "locationId"));
        let gone = owner.data(read, json!({ "id": centre["id"] })).await;
        assert_eq!((&gone["location"], &gone["locations"]["totalCount"]), (&Value::Null, &json!(0)));
        assert_eq!(gone["node"]["name"], "Old town", "bookings still refer to it");
    }

    async fn one_location_at_the_most_is_the_default(engine) {
        let server = Server::start(engine).await;
        let owner = server.owner();
        let make = async |name: &str| done(&owner, "createLocation", json!({ "name": name, "default": true }), "location { id default }").await["location"]["id"].clone();
        let (first, second) = (make("First").await, make("Second").await);
        let defaults = async || {
            let all = owner.data("{ locations { nodes { name default } } }", json!({})).await["locations"]["nodes"].clone();
            let all = all.as_array().unwrap().iter().filter(|one| one["default"] == true);
            all.map(|one| one["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(defaults().await, ["Second"]);
        done(&owner, "updateLocation", json!({ "locationId": first, "default": true }), LOCATION).await;
        assert_eq!(defaults().await, ["First"]);
        let both = [&first, &second].map(|id| json!({ "locationId": id, "default": true }));
        join_all((0..8).map(|n| codes(&owner, "updateLocation", both[n % 2].clone()))).await;
        assert_eq!(defaults().await.len(), 1, "whoever came last");
        done(&owner, "updateLocation", json!({ "locationId": first, "default": false }), LOCATION).await;
        done(&owner, "deleteLocation", json!({ "locationId": second }), LOCATION).await;
        assert_eq!(defaults().await, Vec::<String>::new(), "there may be none");
        make("Third").await;
        assert_eq!(defaults().await, ["Third"]);
    }

    async fn a_site_has_no_more_locations_than_it_may(engine) {
        let server = Server::start(engine).await;
        let owner = server.owner();
        for batch in 0..25 {
            let made = join_all((0..20).map(|n| codes(&owner, "createLocation", json!({ "name": format!("Branch {batch} {n}") })))).await;
            assert!(made.iter().all(Vec::is_empty));
        }
        assert_eq!(code(&owner, "createLocation", json!({ "name": "One more" })).await, "LOCATION_LIMIT_REACHED");
        let page = owner.data("{ locations(first: 100) { totalCount nodes { id } } }", json!({})).await["locations"].clone();
        assert_eq!((&page["totalCount"], page["nodes"].as_array().unwrap().len()), (&json!(500), 100));
        done(&owner, "deleteLocation", json!({ "locationId": page["nodes"][0]["id"] }), LOCATION).await;
        location(&owner, "One more").await;
    }

    async fn a_location_that_something_refers_to_is_not_deleted(engine) {
        let server = Server::start(engine).await;
        let owner = server.owner();
        let centre = location(&owner, "Centre").await;
        let delete = json!({ "locationId": centre });
        let in_use = || is("LOCATION_IN_USE", "locationId");
        let class = json!({ "type": "CLASS", "name": "Yoga", "payment": { "rateType": "NO_FEE" }, "locations": [business(&centre)] });
        let class = service(&owner, class).await;
        assert_eq!(refusal(&owner, "deleteLocation", delete.clone()).await, in_use());
        done(&owner, "deleteService", json!({ "serviceId": class }), "service { id }").await;
        let anna = staff(&owner, "Anna", json!({ "locationIds": [centre] }), &[]).await;
        assert_eq!(refusal(&owner, "deleteLocation", delete.clone()).await, in_use());
        done(&owner, "updateResource", json!({ "resourceId": anna, "locationIds": null }), "resource { locationIds }").await;
        let hours = json!({ "resourceId": anna, "weekly": [mondays("09:00", "12:00", Some(&centre))] });
        done(&owner, "setWorkingHours", hours.clone(), "workingHours { revision }").await;
        let error = refused(&owner, "deleteLocation", delete.clone()).await;
        assert_eq!(error["code"], "LOCATION_IN_USE");
        assert!(error["message"].as_str().unwrap().contains("0 services, and by the limits or hours of 1 resources"), "{error}");
        done(&owner, "clearWorkingHours", json!({ "resourceId": anna }), "workingHours { revision }").await;
        done(&owner, "setWorkingHours", hours, "workingHours { revision }").await;
        done(&owner, "deleteResource", json!({ "resourceId": anna }), "resource { id }").await;
        // Its own hours go with it, and those of who has left bind nobody.
        let own = json!({ "locationId": centre, "weekly": [mondays("09:00", "12:00", None)] });
        done(&owner, "setWorkingHours", own, "workingHours { revision }").await;
        done(&owner, "deleteLocation", delete, LOCATION).await;
    }

    async fn no_service_is_left_at_a_location_that_is_deleted_meanwhile(engine) {
        let server = Server::start(engine).await;
        let owner = server.owner();
        let anna = staff(&owner, "Anna", json!({}), &[]).await;
        for _ in 0..3 {
            let centre = location(&owner, "Centre").await;
            let refer = async |n: usize| match n % 4 {
                0 => codes(&owner, "deleteLocation", json!({ "locationId": centre })).await,
                1 => codes(&owner, "createService", hour(&[&anna], &json!([business(&centre)]))).await,
                2 => codes(&owner, "createResource", json!({ "type": "STAFF", "name": "Ben", "locationIds": [centre] })).await,
                _ => {
                    let hours = json!({ "resourceId": anna, "weekly": [mondays("09:00", "12:00", Some(&centre))] });
                    codes(&owner, "setWorkingHours", hours).await
                }
            };
            let all = join_all((0..32).map(refer)).await;
            let deleted = (0..32).step_by(4).any(|n| all[n].is_empty());
            let referred = (0..32).filter(|n| n % 4 != 0).any(|n| all[n].is_empty());
            assert_ne!(deleted, referred, "{all:?}");
            let expected = ["LOCATION_IN_USE", "LOCATION_NOT_FOUND", "INVALID_BUSINESS_LOCATION"];
            assert!(all.iter().flatten().all(|code| expected.contains(&code.as_str())), "{all:?}");
            let there = owner.data("query($id: ID!) { location(id: $id) { id } }", json!({ "id": centre })).await;
            assert_eq!(there["location"].is_null(), deleted);
        }
    }
}
