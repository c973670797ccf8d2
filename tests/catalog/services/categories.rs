//! Categories, and the services in them.

use futures::future::join_all;
use serde_json::{Value, json};

use super::{category, class, made, names};
use crate::{
    ERRORS, code, done, on_both_engines, refused,
    support::{Client, Server, fixture::with},
};

const CATEGORY: &str = "category { id name sortOrder revision }";

async fn order(client: &Client) -> Vec<String> {
    names(&client.data("{ categories { nodes { name } } }", json!({})).await["categories"])
}

on_both_engines! {
    async fn a_category_is_made_changed_read_and_deleted(engine) {
        let server = Server::start(engine).await;
        let owner = server.owner();
        let hair = done(&owner, "createCategory", json!({ "name": "Hair", "idempotencyKey": "k" }), CATEGORY).await["category"].clone();
        assert_eq!((&hair["sortOrder"], &hair["revision"]), (&json!(0), &json!(1)));
        let again = done(&owner, "createCategory", json!({ "name": "Hair", "idempotencyKey": "k" }), CATEGORY).await["category"].clone();
        assert_eq!(again, hair, "the same key makes no second one");
        let nails = done(&owner, "createCategory", json!({ "name": "Nails" }), CATEGORY).await["category"].clone();
        assert_eq!(nails["sortOrder"], 1000, "behind the others, with a gap");
        let input = json!({ "categoryId": hair["id"], "name": "Hair & Beard", "expectedRevision": 1 });
        let changed = done(&owner, "updateCategory", input.clone(), CATEGORY).await["category"].clone();
        assert_eq!((&changed["name"], &changed["revision"]), (&json!("Hair & Beard"), &json!(2)));
        assert_eq!(code(&owner, "updateCategory", input).await, "REVISION_MISMATCH");
        for name in ["", " ", &"x".repeat(101)] {
            assert_eq!(refused(&owner, "createCategory", json!({ "name": name })).await["path"], json!(["name"]));
        }
        assert_eq!(refused(&owner, "updateCategory", json!({ "categoryId": hair["id"], "name": null })).await["path"], json!(["name"]));
        let read = "query($id: ID!) { category(id: $id) { name } node(id: $id) { ... on Category { name } } categories { totalCount } }";
        let found = server.visitor().data(read, json!({ "id": hair["id"] })).await;
        assert_eq!(found, json!({ "category": { "name": "Hair & Beard" }, "node": { "name": "Hair & Beard" }, "categories": { "totalCount": 2 } }));
        done(&owner, "deleteCategory", json!({ "categoryId": hair["id"] }), CATEGORY).await;
        assert_eq!(code(&owner, "deleteCategory", json!({ "categoryId": hair["id"] })).await, "CATEGORY_NOT_FOUND");
        let gone = owner.data(read, json!({ "id": hair["id"] })).await;
        assert_eq!(gone, json!({ "category": null, "node": null, "categories": { "totalCount": 1 } }));
    }

    async fn a_category_with_services_goes_only_when_they_have_another(engine) {
        let server = Server::start(engine).await;
        let owner = server.owner();
        let (hair, nails) = (category(&owner, "Hair").await, category(&owner, "Nails").await);
        let cut = made(&owner, with(class("Cut"), json!({ "categoryId": hair })), "category { name }").await;
        made(&owner, with(class("Colour"), json!({ "categoryId": hair, "hidden": true })), "").await;
        assert_eq!(cut["category"]["name"], "Hair");
        let error = refused(&owner, "deleteCategory", json!({ "categoryId": hair })).await;
        assert_eq!((error["code"].as_str().unwrap(), &error["count"], &error["path"]), ("CATEGORY_HAS_SERVICES", &json!(2), &json!(["moveTo"])));
        let error = refused(&owner, "deleteCategory", json!({ "categoryId": hair, "moveTo": hair })).await;
        assert_eq!((error["code"].as_str().unwrap(), &error["path"]), ("VALIDATION_FAILURE", &json!(["moveTo"])));
        let nowhere = frontdesk::domain::ids::CategoryId::new().to_string();
        let error = refused(&owner, "deleteCategory", json!({ "categoryId": hair, "moveTo": nowhere })).await;
        assert_eq!((error["code"].as_str().unwrap(), &error["path"]), ("CATEGORY_NOT_FOUND", &json!(["moveTo"])));
        done(&owner, "deleteCategory", json!({ "categoryId": hair, "moveTo": nails }), CATEGORY).await;
        let moved = owner.data("query($id: ID!) { service(id: $id) { revision category { name } } }", json!({ "id": cut["id"] })).await;
        assert_eq!(moved["service"], json!({ "revision": 2, "category": { "name": "Nails" } }));
        // A deleted service is in no category any more.
        let services = owner.data("query($id: ID!) { category(id: $id) { services { nodes { id } } } }", json!({ "id": nails })).await;
        for service in services["category"]["services"]["nodes"].as_array().unwrap() {
            done(&owner, "deleteService", json!({ "serviceId": service["id"] }), "service { id category { id } }").await;
        }
        done(&owner, "deleteCategory", json!({ "categoryId": nails }), CATEGORY).await;
    }

    async fn a_service_goes_only_into_a_category_that_there_is(engine) {
        let server = Server::start(engine).await;
        let owner = server.owner();
        let nowhere = frontdesk::domain::ids::CategoryId::new().to_string();
        for (id, expected) in [(nowhere.as_str(), "CATEGORY_NOT_FOUND"), ("nonsense", "INVALID_ID")] {
            let error = refused(&owner, "createService", with(class("Cut"), json!({ "categoryId": id }))).await;
            assert_eq!((error["code"].as_str().unwrap(), &error["path"]), (expected, &json!(["categoryId"])));
        }
        let hair = category(&owner, "Hair").await;
        let cut = made(&owner, class("Cut"), "category { id }").await;
        assert_eq!(cut["category"], Value::Null);
        let put = |to: Value| json!({ "serviceId": cut["id"], "categoryId": to });
        assert_eq!(done(&owner, "updateService", put(hair.clone()), "service { category { id } }").await["service"]["category"]["id"], hair);
        assert_eq!(code(&owner, "updateService", put(json!(nowhere))).await, "CATEGORY_NOT_FOUND");
        assert_eq!(done(&owner, "updateService", put(Value::Null), "service { category { id } }").await["service"]["category"], Value::Null);
    }

    async fn a_category_moves_behind_another_or_before_all(engine) {
        let server = Server::start(engine).await;
        let owner = server.owner();
        let mut ids = Vec::new();
        for name in ["A", "B", "C", "D"] {
            ids.push(category(&owner, name).await);
        }
        for (from, after, expected) in [
            (0, Some(2), "BCAD"),
            (3, None, "DBCA"),
            (1, Some(3), "DBCA"),
            (1, Some(0), "DCAB"),
        ] {
            let after = after.map_or(Value::Null, |after: usize| ids[after].clone());
            done(&owner, "moveCategory", json!({ "categoryId": ids[from], "after": after }), CATEGORY).await;
            assert_eq!(order(&owner).await.concat(), expected);
        }
        // Where no number is left between two, all get new ones.
        for (id, place) in ids.iter().zip([1, 2, 3, 4]) {
            done(&owner, "updateCategory", json!({ "categoryId": id, "sortOrder": place }), CATEGORY).await;
        }
        done(&owner, "moveCategory", json!({ "categoryId": ids[3], "after": ids[0] }), CATEGORY).await;
        assert_eq!(order(&owner).await.concat(), "ADBC");
        assert_eq!(refused(&owner, "moveCategory", json!({ "categoryId": ids[0], "after": ids[0] })).await["path"], json!(["after"]));
        // At the end of the numbers the others move closer together.
        done(&owner, "updateCategory", json!({ "categoryId": ids[2], "sortOrder": i32::MAX }), CATEGORY).await;
        category(&owner, "E").await;
        assert_eq!(order(&owner).await.concat(), "ADBCE");
        let page = owner.data("{ categories(first: 2) { nodes { name } pageInfo { hasNextPage endCursor } } }", json!({})).await["categories"].clone();
        assert_eq!((names(&page).concat().as_str(), &page["pageInfo"]["hasNextPage"]), ("AD", &json!(true)));
        let rest = owner.data("query($after: String) { categories(after: $after) { nodes { name } } }", json!({ "after": page["pageInfo"]["endCursor"] })).await;
        assert_eq!(names(&rest["categories"]).concat(), "BCE");
    }

    async fn a_site_has_at_most_a_hundred_categories(engine) {
        let server = Server::start(engine).await;
        let owner = server.owner();
        let all = join_all((0..103).map(|n| owner.mutate_selecting("createCategory", json!({ "name": format!("C{n}") }), ERRORS))).await;
        let refused: Vec<&Value> = all.iter().filter(|payload| payload["userErrors"] != json!([])).collect();
        assert_eq!(refused.len(), 3);
        assert!(refused.iter().all(|payload| payload["userErrors"][0]["code"] == "CATEGORY_LIMIT_REACHED"));
        let count = owner.data("{ categories { totalCount } }", json!({})).await;
        assert_eq!(count["categories"]["totalCount"], 100);
    }

    async fn no_service_is_left_in_a_category_that_is_deleted_meanwhile(engine) {
        let server = Server::start(engine).await;
        let owner = server.owner();
        let home = category(&owner, "Home").await;
        for round in 0..8 {
            let doomed = category(&owner, "Doomed").await;
            let mut delete = json!({ "categoryId": doomed });
            if round % 2 == 1 {
                delete["moveTo"] = home.clone();
            }
            let old = made(&owner, class("Old"), "").await;
            let put = owner.mutate_selecting("updateService", json!({ "serviceId": old["id"], "categoryId": doomed }), ERRORS);
            let new = owner.mutate_selecting("createService", with(class("New"), json!({ "categoryId": doomed })), ERRORS);
            let gone = owner.mutate_selecting("deleteCategory", delete, ERRORS);
            let (put, new, gone) = tokio::join!(put, new, gone);
            for (payload, codes) in [(&put, vec!["CATEGORY_NOT_FOUND"]), (&new, vec!["CATEGORY_NOT_FOUND"]), (&gone, vec!["CATEGORY_HAS_SERVICES"])] {
                let errors = payload["userErrors"].as_array().unwrap();
                assert!(errors.iter().all(|error| codes.contains(&error["code"].as_str().unwrap())), "{payload}");
            }
            let there = owner.data("query($id: ID!, $filter: ServiceFilter) { category(id: $id) { id } services(filter: $filter) { totalCount } }",
                json!({ "id": doomed, "filter": { "categoryId": { "eq": doomed } } })).await;
            if there["category"].is_null() {
                assert_eq!(there["services"]["totalCount"], 0, "round {round}");
                assert_eq!(gone["userErrors"], json!([]));
            } else {
                assert_ne!(there["services"]["totalCount"], 0, "round {round}");
            }
        }
    }
}
