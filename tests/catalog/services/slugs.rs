//! Whether a service could have a slug.

use serde_json::{Value, json};

use super::{class, made};
use crate::{
    code, done, on_both_engines, studio,
    support::{Client, fixture::with},
};

const QUERY: &str =
    "query($slug: String!, $id: ID) { validateServiceSlug(slug: $slug, serviceId: $id) { valid slug errors } }";

async fn told(client: &Client, slug: &str, service: &Value) -> Value {
    client.data(QUERY, json!({ "slug": slug, "id": service })).await["validateServiceSlug"].clone()
}

on_both_engines! {
    async fn a_slug_is_judged_as_when_it_is_given(engine) {
        let (server, studio, owner) = studio(engine).await;
        let one = made(&owner, with(class("One"), json!({ "slug": "one" })), "").await["id"].clone();
        let two = made(&owner, with(class("Two"), json!({ "slug": "two" })), "").await["id"].clone();
        done(&owner, "updateService", json!({ "serviceId": one, "slug": "first" }), "service { id }").await;
        let long = "a".repeat(64);
        let fits = "a".repeat(63);
        let (free, taken, bad) = (json!([]), json!(["SLUG_ALREADY_EXISTS"]), json!(["SLUG_CONTAINS_ILLEGAL_CHARACTERS"]));
        for (slug, service, errors) in [
            ("new-one-2", &Value::Null, &free),
            (&fits, &Value::Null, &free),
            // Present ones and old ones are taken, but not from their own service.
            ("first", &Value::Null, &taken),
            ("one", &two, &taken),
            ("one", &one, &free),
            ("first", &one, &free),
            ("two", &one, &taken),
            ("", &Value::Null, &json!(["SLUG_IS_EMPTY"])),
            (&long, &Value::Null, &json!(["SLUG_TOO_LONG"])),
            ("One", &Value::Null, &bad),
            ("ö", &two, &bad),
            ("a--b", &Value::Null, &bad),
            ("-a", &Value::Null, &bad),
            ("a-", &Value::Null, &bad),
            ("a b", &Value::Null, &bad),
            (&"Ä".repeat(64), &Value::Null, &json!(["SLUG_TOO_LONG", "SLUG_CONTAINS_ILLEGAL_CHARACTERS"])),
        ] {
            let expected = json!({ "valid": errors == &free, "slug": slug, "errors": errors });
            assert_eq!(told(&owner, slug, service).await, expected);
            // What is told is what happens.
            let payload = if service.is_null() {
                owner.mutate_selecting("createService", with(class("Three"), json!({ "slug": slug })), "service { id } userErrors { code }").await
            } else {
                owner.mutate_selecting("updateService", json!({ "serviceId": service, "slug": slug }), "service { id } userErrors { code }").await
            };
            assert_eq!(payload["userErrors"] == json!([]), errors == &free, "{slug}: {payload}");
            if service.is_null() && errors == &free {
                assert_eq!(told(&owner, slug, &Value::Null).await["errors"], taken);
                done(&owner, "deleteService", json!({ "serviceId": payload["service"]["id"] }), "service { id }").await;
                assert_eq!(told(&owner, slug, &Value::Null).await["errors"], free, "it is free again");
            }
        }
        assert_eq!(code(&owner, "updateService", json!({ "serviceId": two, "slug": "first" })).await, "ALREADY_EXISTS");
        assert_eq!(told(&server.app(), "first", &Value::Null).await["errors"], taken);
        let unknown = json!("service_01h455vb4pex5vsknk084sn02q");
        for id in [unknown, json!("x"), json!(studio.anna.id.to_string())] {
            assert_eq!(owner.error_code(QUERY, json!({ "slug": "fine", "id": id })).await, "BAD_USER_INPUT");
        }
        for client in [server.visitor(), server.member("mia"), server.staff(studio.anna.id)] {
            assert_eq!(client.error_code(QUERY, json!({ "slug": "fine" })).await, "FORBIDDEN");
        }
    }
}
