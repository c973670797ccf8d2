//! What a service tells of itself.

use serde_json::{Value, json};

use super::{class, made, place};
use crate::{
    code, done, on_both_engines, refused,
    support::{Server, fixture::with},
};

const SHOWN: &str = "tagLine sortOrder hidden tags extendedFields seoData { title description } \
    media { items { type url altText width height } mainMedia { url } coverMedia { url type } } \
    category { id } mainSlug { name custom createdDate } supportedSlugs { name custom } slug revision";

fn image(url: &str) -> Value {
    json!({ "url": url, "altText": "A hall", "width": 800, "height": 600 })
}

on_both_engines! {
    async fn a_service_tells_all_that_it_was_given(engine) {
        let server = Server::start(engine).await;
        let owner = server.owner();
        let plain = made(&owner, class("Plain"), SHOWN).await;
        let none = json!({
            "tagLine": null, "sortOrder": 0, "hidden": false, "tags": [], "extendedFields": null, "seoData": { "title": null, "description": null },
            "media": { "items": [], "mainMedia": null, "coverMedia": null }, "category": null,
        });
        for (name, value) in none.as_object().unwrap() {
            assert_eq!(&plain[name], value, "{name}");
        }
        let extended = json!({ "crm": { "id": 7, "rate": 1.5, "tags": ["a", null, true] }, "ä": "ö" });
        let given = json!({
            "tagLine": "Breathe", "sortOrder": -5, "hidden": true, "tags": ["calm", "evening"], "extendedFields": extended,
            "seoData": { "title": "Yoga in Berlin", "description": "Every evening" },
            "media": {
                "items": [image("https://example.org/a.jpg"), { "type": "VIDEO", "url": "https://example.org/b.mp4" }],
                "mainMedia": image("https://example.org/a.jpg"), "coverMedia": { "type": "VIDEO", "url": "https://example.org/b.mp4" },
            },
        });
        let rich = made(&owner, with(class("Rich"), given.clone()), SHOWN).await;
        let updated = done(&owner, "updateService", with(given, json!({ "serviceId": plain["id"] })), &format!("service {{ {SHOWN} }}")).await["service"].clone();
        for service in [&rich, &updated] {
            assert_eq!(service["extendedFields"], extended);
            assert_eq!(service["tags"], json!(["calm", "evening"]));
            assert_eq!((&service["tagLine"], &service["sortOrder"], &service["hidden"]), (&json!("Breathe"), &json!(-5), &json!(true)));
            assert_eq!(service["seoData"], json!({ "title": "Yoga in Berlin", "description": "Every evening" }));
            assert_eq!(service["media"]["items"][0], with(image("https://example.org/a.jpg"), json!({ "type": "IMAGE" })));
            assert_eq!(service["media"]["coverMedia"], json!({ "type": "VIDEO", "url": "https://example.org/b.mp4" }));
        }
        let read = owner.data(&format!("query($id: ID!) {{ service(id: $id) {{ id {SHOWN} }} }}"), json!({ "id": rich["id"] })).await;
        assert_eq!(read["service"], rich);
        let cleared = json!({ "serviceId": rich["id"], "tagLine": null, "media": null, "tags": null, "extendedFields": null, "seoData": null, "hidden": false, "sortOrder": 0 });
        let cleared = done(&owner, "updateService", cleared, &format!("service {{ {SHOWN} }}")).await["service"].clone();
        for (name, value) in none.as_object().unwrap() {
            assert_eq!(&cleared[name], value, "{name}");
        }
    }

    async fn every_limit_of_what_it_tells_is_kept(engine) {
        let server = Server::start(engine).await;
        let owner = server.owner();
        let items = |count: usize| json!({ "items": vec![image("https://example.org/a.jpg"); count] });
        let tags = |count: usize| (0..count).map(|n| format!("tag{n}")).collect::<Vec<_>>();
        let media = |item: Value| json!({ "media": { "items": [item] } });
        for (change, path) in [
            (json!({ "tagLine": "x".repeat(6001) }), "tagLine"),
            (json!({ "tags": tags(11) }), "tags"),
            (json!({ "tags": ["a", ""] }), "tags.1"),
            (json!({ "tags": ["a", "b", "a"] }), "tags.2"),
            (json!({ "tags": ["x".repeat(51)] }), "tags.0"),
            (json!({ "media": items(101) }), "media.items"),
            (media(json!({ "url": "javascript:alert(1)" })), "media.items.0.url"),
            (media(json!({ "url": "https:///path" })), "media.items.0.url"),
            (media(json!({ "url": "https://a b" })), "media.items.0.url"),
            (media(json!({ "url": format!("https://{}", "x".repeat(2048)) })), "media.items.0.url"),
            (media(json!({ "url": "https://a", "altText": "x".repeat(1001) })), "media.items.0.altText"),
            (media(json!({ "url": "https://a", "width": 0 })), "media.items.0.width"),
            (media(json!({ "url": "https://a", "height": 100_001 })), "media.items.0.height"),
            (json!({ "media": { "mainMedia": { "url": "nowhere" } } }), "media.mainMedia.url"),
            (json!({ "media": { "coverMedia": { "url": "nowhere" } } }), "media.coverMedia.url"),
            (json!({ "seoData": { "title": "x".repeat(201) } }), "seoData.title"),
            (json!({ "seoData": { "description": "x".repeat(501) } }), "seoData.description"),
            (json!({ "extendedFields": [1] }), "extendedFields"),
            (json!({ "extendedFields": { "a": "x".repeat(16_384) } }), "extendedFields"),
            (json!({ "extendedFields": { "a": "\u{0}" } }), "extendedFields"),
            (json!({ "hidden": null }), "hidden"),
            (json!({ "sortOrder": null }), "sortOrder"),
        ] {
            let error = refused(&owner, "createService", with(class("Yoga"), change.clone())).await;
            assert_eq!((error["code"].as_str().unwrap(), place(&error)), ("VALIDATION_FAILURE", path.to_owned()), "{change}");
        }
        made(&owner, with(class("Full"), json!({ "tagLine": "x".repeat(6000), "tags": tags(10), "media": items(100) })), "").await;
    }

    async fn an_old_slug_goes_on_leading_to_its_service(engine) {
        let server = Server::start(engine).await;
        let (owner, visitor) = (server.owner(), server.visitor());
        let yoga = made(&owner, class("Yoga"), SHOWN).await;
        assert_eq!((&yoga["mainSlug"]["name"], &yoga["mainSlug"]["custom"]), (&json!("yoga"), &json!(false)));
        let rename = |slug: &str| json!({ "serviceId": yoga["id"], "slug": slug });
        let selection = format!("service {{ {SHOWN} }}");
        done(&owner, "updateService", rename("flow"), &selection).await;
        let now = done(&owner, "updateService", rename("vinyasa"), &selection).await["service"].clone();
        assert_eq!((&now["slug"], &now["mainSlug"]["custom"]), (&json!("vinyasa"), &json!(true)));
        let supported = json!([{ "name": "vinyasa", "custom": true }, { "name": "flow", "custom": true }, { "name": "yoga", "custom": false }]);
        // Slugs that a service had from the same instant on come in their own order.
        let mut found = now["supportedSlugs"].as_array().unwrap().clone();
        found[1..].sort_by_key(|slug| slug["name"].to_string());
        assert_eq!(json!(found), supported);
        let by_slug = async |slug: &str| {
            let query = "query($slug: String!) { service(slug: $slug) { id } services { nodes { supportedSlugs { name } } } }";
            visitor.data(query, json!({ "slug": slug })).await["service"]["id"].clone()
        };
        for slug in ["yoga", "flow", "vinyasa"] {
            assert_eq!(by_slug(slug).await, yoga["id"], "{slug}");
        }
        // Nobody else gets one that leads to it, said or made of a name.
        for slug in ["yoga", "flow", "vinyasa"] {
            let error = refused(&owner, "createService", with(class("Other"), json!({ "slug": slug }))).await;
            assert_eq!((error["code"].as_str().unwrap(), place(&error)), ("ALREADY_EXISTS", "slug".to_owned()));
        }
        let second = made(&owner, class("Yoga"), "slug").await;
        assert_eq!(second["slug"], "yoga-2");
        assert_eq!(code(&owner, "updateService", json!({ "serviceId": second["id"], "slug": "flow" })).await, "ALREADY_EXISTS");
        // It may take its own back.
        let back = done(&owner, "updateService", rename("yoga"), &selection).await["service"].clone();
        assert_eq!(back["supportedSlugs"].as_array().unwrap().len(), 3);
        assert_eq!(by_slug("vinyasa").await, yoga["id"]);
        // With the service they are all free again.
        done(&owner, "deleteService", json!({ "serviceId": yoga["id"] }), "service { id }").await;
        assert_eq!(by_slug("flow").await, Value::Null);
        done(&owner, "updateService", json!({ "serviceId": second["id"], "slug": "flow" }), "service { slug }").await;
    }

    async fn of_old_slugs_the_last_hundred_are_kept(engine) {
        let server = Server::start(engine).await;
        let owner = server.owner();
        let yoga = made(&owner, class("Yoga"), "").await;
        for n in 0..102 {
            done(&owner, "updateService", json!({ "serviceId": yoga["id"], "slug": format!("yoga-{n}") }), "service { id }").await;
        }
        let found = owner.data("query($id: ID!) { service(id: $id) { supportedSlugs { name } } old: service(slug: \"yoga-0\") { id } kept: service(slug: \"yoga-1\") { id } }", json!({ "id": yoga["id"] })).await;
        assert_eq!(found["service"]["supportedSlugs"].as_array().unwrap().len(), 101);
        assert_eq!((&found["old"], &found["kept"]["id"]), (&Value::Null, &yoga["id"]));
    }
}
