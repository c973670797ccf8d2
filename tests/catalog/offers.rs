//! The site, services and resources.

use serde_json::{Value, json};

use crate::{
    code, confirmed, done, last_event, on_both_engines, refused, studio,
    support::{Server, client::mutation, fixture::with},
};

const SERVICE: &str = "service { id slug name description defaultCapacity durations bufferMinutes revision type \
    payment { rateType price { amount currency } options { online inPerson } } \
    onlineBooking { enabled requireManualApproval allowMultipleRequests } \
    resources { id name } schedule { id name capacity } }";

fn class(name: &str) -> Value {
    json!({ "type": "CLASS", "name": name, "defaultCapacity": 12, "payment": { "rateType": "NO_FEE" } })
}

on_both_engines! {
    async fn a_service_is_made_with_its_schedule(engine) {
        let server = Server::start(engine).await;
        let owner = server.owner();
        let anna = done(&owner, "createResource", json!({ "type": "STAFF", "name": "Anna", "email": "anna@example.org" }), "resource { id email }").await;
        assert_eq!(anna["resource"]["email"], "anna@example.org");
        let made = done(&owner, "createService", json!({
            "type": "APPOINTMENT", "name": "Thai Massage", "durations": [60, 30], "bufferMinutes": 10,
            "payment": { "rateType": "FIXED", "price": { "amount": "19.90", "currency": "EUR" }, "options": { "online": true, "inPerson": true } },
            "onlineBooking": { "requireManualApproval": true, "allowMultipleRequests": true },
            "resourceIds": [anna["resource"]["id"]],
        }), SERVICE).await["service"].clone();
        assert_eq!(made["slug"], "thai-massage");
        assert_eq!(made["durations"], json!([60, 30]));
        assert_eq!(made["payment"]["price"], json!({ "amount": "19.90", "currency": "EUR" }));
        assert_eq!(made["onlineBooking"], json!({ "enabled": true, "requireManualApproval": true, "allowMultipleRequests": true }));
        assert_eq!(made["resources"][0]["name"], "Anna");
        let class = done(&owner, "createService", class("Yoga"), SERVICE).await["service"].clone();
        assert_eq!(class["schedule"]["capacity"], 12, "the schedule has the seats of new sessions");
        assert_eq!(class["schedule"]["name"], "Yoga");
    }

    async fn every_rule_of_a_service_is_kept(engine) {
        let (_server, studio, owner) = studio(engine).await;
        let anna = studio.anna.id.to_string();
        let appointment = json!({
            "type": "APPOINTMENT", "name": "Cut", "durations": [30], "payment": { "rateType": "NO_FEE" }, "resourceIds": [anna],
        });
        let fixed = |amount: &str, currency: &str, options: Value| json!({ "payment": {
            "rateType": "FIXED", "price": { "amount": amount, "currency": currency }, "options": options,
        } });
        let both = json!({ "online": true, "inPerson": true });
        let many: Vec<i32> = (1..=51).collect();
        for (base, change, path) in [
            (&appointment, json!({ "name": " " }), "name"),
            (&appointment, json!({ "name": "x".repeat(401) }), "name"),
            (&appointment, json!({ "slug": "No Slug" }), "slug"),
            (&appointment, json!({ "description": "x".repeat(7001) }), "description"),
            (&appointment, json!({ "defaultCapacity": 2 }), "defaultCapacity"),
            (&appointment, json!({ "durations": [] }), "durations"),
            (&appointment, json!({ "durations": many }), "durations"),
            (&appointment, json!({ "durations": [0] }), "durations.0"),
            (&appointment, json!({ "durations": [30, 44640] }), "durations.1"),
            (&appointment, json!({ "durations": [30, 30] }), "durations.1"),
            (&appointment, json!({ "bufferMinutes": -1 }), "bufferMinutes"),
            (&appointment, json!({ "bufferMinutes": 721 }), "bufferMinutes"),
            (&appointment, json!({ "resourceIds": [] }), "resourceIds"),
            (&appointment, json!({ "resourceIds": ["nonsense"] }), "resourceIds.0"),
            (&appointment, json!({ "resourceIds": [anna, anna] }), "resourceIds.1"),
            (&appointment, json!({ "resourceIds": [frontdesk::domain::ids::ResourceId::new().to_string()] }), "resourceIds.0"),
            (&appointment, fixed("0", "EUR", both.clone()), "payment.price.amount"),
            (&appointment, fixed("1.005", "EUR", both.clone()), "payment.price.amount"),
            (&appointment, fixed("-1", "EUR", both.clone()), "payment.price.amount"),
            (&appointment, fixed("5", "USD", both.clone()), "payment.price.currency"),
            (&appointment, fixed("5", "euro", both), "payment.price.currency"),
            (&appointment, fixed("5", "EUR", json!({ "online": false, "inPerson": false })), "payment.options"),
            (&appointment, json!({ "payment": { "rateType": "FIXED" } }), "payment.price"),
            (&appointment, json!({ "payment": { "rateType": "NO_FEE", "options": { "online": true, "inPerson": true } } }), "payment.options"),
            (&appointment, json!({ "payment": { "rateType": "NO_FEE", "options": { "online": false, "inPerson": false } } }), "payment.options"),
            (&appointment, json!({ "onlineBooking": { "allowMultipleRequests": true } }), "onlineBooking.allowMultipleRequests"),
            (&class("Yoga"), json!({ "defaultCapacity": 0 }), "defaultCapacity"),
            (&class("Yoga"), json!({ "defaultCapacity": 1001 }), "defaultCapacity"),
            (&class("Yoga"), json!({ "durations": [30] }), "durations"),
            (&class("Yoga"), json!({ "bufferMinutes": 5 }), "bufferMinutes"),
            (&class("Yoga"), json!({ "resourceIds": [anna] }), "resourceIds"),
            (&class("Yoga"), json!({ "onlineBooking": { "requireManualApproval": true, "allowMultipleRequests": true } }), "onlineBooking.allowMultipleRequests"),
        ] {
            let error = refused(&owner, "createService", with(base.clone(), change.clone())).await;
            let found: Vec<&str> = error["path"].as_array().unwrap().iter().map(|p| p.as_str().unwrap()).collect();
            assert_eq!(found.join("."), path, "{change}: {error}");
        }
        let class_with_approval = with(class("Yoga"), json!({ "onlineBooking": { "requireManualApproval": true } }));
        done(&owner, "createService", class_with_approval, SERVICE).await;
    }

    async fn a_slug_is_unique_on_the_site(engine) {
        let server = Server::start(engine).await;
        let owner = server.owner();
        for slug in ["yoga", "yoga-2", "yoga-3"] {
            assert_eq!(done(&owner, "createService", class("Yoga"), SERVICE).await["service"]["slug"], slug);
        }
        assert_eq!(done(&owner, "createService", class("瑜伽"), SERVICE).await["service"]["slug"], "class");
        let taken = with(class("Other"), json!({ "slug": "yoga", "idempotencyKey": "k" }));
        let error = refused(&owner, "createService", taken).await;
        assert_eq!((error["code"].as_str().unwrap(), &error["path"]), ("ALREADY_EXISTS", &json!(["slug"])));
        let by_slug = owner.data("{ service(slug: \"yoga-2\") { id slug } }", json!({})).await["service"].clone();
        done(&owner, "deleteService", json!({ "serviceId": by_slug["id"] }), "service { slug }").await;
        assert_eq!(owner.data("{ service(slug: \"yoga-2\") { id } }", json!({})).await["service"], Value::Null);
        let again = done(&owner, "createService", with(class("Again"), json!({ "slug": "yoga-2" })), SERVICE).await;
        assert_eq!(again["service"]["slug"], "yoga-2", "a deleted service frees its slug");
    }

    async fn an_update_changes_only_what_is_given(engine) {
        let server = Server::start(engine).await;
        let owner = server.owner();
        let made = done(&owner, "createService", with(class("Yoga"), json!({ "description": "Calm" })), SERVICE).await["service"].clone();
        let id = made["id"].clone();
        let renamed = done(&owner, "updateService", json!({ "serviceId": id, "name": "Hatha", "expectedRevision": 1 }), SERVICE).await["service"].clone();
        assert_eq!((renamed["name"].as_str(), renamed["description"].as_str(), renamed["slug"].as_str()), (Some("Hatha"), Some("Calm"), Some("yoga")));
        assert_eq!(renamed["revision"], 2);
        let cleared = done(&owner, "updateService", json!({ "serviceId": id, "description": null, "defaultCapacity": 5 }), SERVICE).await["service"].clone();
        assert_eq!((&cleared["description"], &cleared["schedule"]["capacity"]), (&Value::Null, &json!(5)), "new sessions get the new default");
        let error = refused(&owner, "updateService", json!({ "serviceId": id, "name": null })).await;
        assert_eq!((error["code"].as_str().unwrap(), &error["path"]), ("VALIDATION_FAILURE", &json!(["name"])));
        let stale = refused(&owner, "updateService", json!({ "serviceId": id, "name": "Late", "expectedRevision": 1 })).await;
        assert_eq!((stale["code"].as_str().unwrap(), &stale["current"]), ("REVISION_MISMATCH", &json!(3)));
        assert_eq!(code(&owner, "updateService", json!({ "serviceId": "booking_01h455vb4pex5vsknk084sn02q" })).await, "INVALID_ID");
    }

    async fn the_same_key_makes_one_service(engine) {
        let server = Server::start(engine).await;
        let owner = server.owner();
        let input = with(class("Yoga"), json!({ "idempotencyKey": "once" }));
        let first = done(&owner, "createService", input.clone(), SERVICE).await;
        let second = done(&owner, "createService", input, SERVICE).await;
        assert_eq!(first, second);
        let other = with(class("Other"), json!({ "idempotencyKey": "once" }));
        assert_eq!(code(&owner, "createService", other).await, "IDEMPOTENCY_KEY_REUSED");
        let count = owner.data("{ services { totalCount } }", json!({})).await;
        assert_eq!(count["services"]["totalCount"], 1);
    }

    async fn only_the_owner_and_apps_manage_the_catalog(engine) {
        let (server, studio, _) = studio(engine).await;
        let yoga = studio.yoga.id.to_string();
        let document = mutation("updateService", "service { id }");
        for client in [server.staff(studio.anna.id), server.member("mia"), server.visitor()] {
            // Malformed, too: who may never do it is told nothing about the input.
            for id in [yoga.as_str(), "nonsense"] {
                let input = json!({ "input": { "serviceId": id, "name": "Mine" } });
                assert_eq!(client.error_code(&document, input).await, "FORBIDDEN");
            }
            let site = mutation("updateSite", "site { id }");
            assert_eq!(client.error_code(&site, json!({ "input": { "name": "Mine" } })).await, "FORBIDDEN");
        }
        done(&server.app(), "updateService", json!({ "serviceId": yoga, "name": "Apps may" }), SERVICE).await;
    }

    async fn customers_see_the_catalog_but_no_addresses(engine) {
        let (server, studio, owner) = studio(engine).await;
        done(&owner, "updateResource", json!({ "resourceId": studio.anna.id.to_string(), "email": "anna@example.org" }), "resource { id }").await;
        let query = "query($id: ID!) { resource(id: $id) { name email type } services { totalCount nodes { name resources { email } } } }";
        let id = json!({ "id": studio.anna.id.to_string() });
        for client in [server.visitor(), server.member("mia")] {
            let seen = client.data(query, id.clone()).await;
            assert_eq!(seen["resource"], json!({ "name": "Anna", "email": null, "type": "STAFF" }));
            assert_eq!(seen["services"]["totalCount"], 7);
            assert!(!seen.to_string().contains("anna@"));
        }
        assert_eq!(server.staff(studio.ben.id).data(query, id.clone()).await["resource"]["email"], Value::Null, "nor do colleagues");
        assert_eq!(server.staff(studio.anna.id).data(query, id).await["resource"]["email"], "anna@example.org");
        let cleared = done(&owner, "updateResource", json!({ "resourceId": studio.anna.id.to_string(), "email": null }), "resource { email }").await;
        assert_eq!(cleared["resource"]["email"], Value::Null);
    }

    async fn every_rule_of_a_resource_is_kept(engine) {
        let server = Server::start(engine).await;
        let owner = server.owner();
        for (input, path) in [
            (json!({ "type": "STAFF", "name": "" }), "name"),
            (json!({ "type": "STAFF", "name": "x".repeat(41) }), "name"),
            (json!({ "type": "STAFF", "name": "Anna", "email": "nobody" }), "email"),
        ] {
            assert_eq!(refused(&owner, "createResource", input.clone()).await["path"], json!([path]), "{input}");
        }
    }

    async fn the_currency_stays_while_services_have_prices(engine) {
        let (_server, studio, owner) = studio(engine).await;
        let site = "site { name timeZone currency revision }";
        let changed = done(&owner, "updateSite", json!({ "name": "Studio", "timeZone": "Europe/Berlin" }), site).await["site"].clone();
        assert_eq!(changed, json!({ "name": "Studio", "timeZone": "Europe/Berlin", "currency": "EUR", "revision": 2 }));
        assert_eq!(refused(&owner, "updateSite", json!({ "currency": "USD" })).await["path"], json!(["currency"]));
        assert_eq!(code(&owner, "updateSite", json!({ "timeZone": "Mars/Olympus" })).await, "INVALID_TIME_ZONE");
        assert_eq!(code(&owner, "updateSite", json!({ "name": "Late", "expectedRevision": 1 })).await, "REVISION_MISMATCH");
        done(&owner, "deleteService", json!({ "serviceId": studio.training.id.to_string() }), "service { id }").await;
        assert_eq!(done(&owner, "updateSite", json!({ "currency": "USD" }), site).await["site"]["currency"], "USD");
    }

    async fn a_service_with_bookings_is_deleted_only_with_a_word_about_them(engine) {
        let (_server, studio, owner) = studio(engine).await;
        let kept = confirmed(&owner, studio.appointment(&studio.massage, 0, &[&studio.ben])).await;
        let begun = owner.done("createBooking", studio.appointment(&studio.massage, 60, &[])).await;
        let input = json!({ "serviceId": studio.massage.id.to_string() });
        let error = refused(&owner, "deleteService", input.clone()).await;
        assert_eq!((error["code"].as_str().unwrap(), &error["count"]), ("HAS_BOOKINGS", &json!(1)), "one that was only begun doesn't count");
        let gone = done(&owner, "deleteService", with(input.clone(), json!({ "bookings": "CANCEL" })), "canceledBookings service { id }").await;
        assert_eq!(gone["canceledBookings"], 2);
        let (booking, event) = last_event(&owner, &kept).await;
        assert_eq!((booking["status"].as_str().unwrap(), event), ("CANCELED", ("CANCELED".into(), "CONFIRMED".into())));
        let (_, event) = last_event(&owner, begun["id"].as_str().unwrap()).await;
        assert_eq!(event, ("CANCELED".into(), "CREATED".into()));
        confirmed(&owner, studio.appointment(&studio.consultation, 0, &[&studio.ben])).await;
        assert_eq!(code(&owner, "deleteService", input).await, "SERVICE_NOT_FOUND");
        let service = owner.data("query($id: ID!) { booking(id: $id) { service { name } } }", json!({ "id": kept })).await;
        assert_eq!(service["booking"]["service"]["name"], "Massage", "bookings still show what they were for");
    }

    async fn a_resource_goes_only_when_nothing_of_the_future_needs_it(engine) {
        let (_server, studio, owner) = studio(engine).await;
        let booking = confirmed(&owner, studio.appointment(&studio.massage, 0, &[&studio.anna])).await;
        let input = json!({ "resourceId": studio.anna.id.to_string() });
        let error = refused(&owner, "deleteResource", input.clone()).await;
        assert_eq!((error["code"].as_str().unwrap(), &error["count"]), ("HAS_BOOKINGS", &json!(1)));
        assert_eq!(error["message"], "1 booking is in the way");
        let ben = json!({ "resourceId": studio.ben.id.to_string() });
        let error = refused(&owner, "deleteResource", ben).await;
        assert_eq!((&error["count"], &error["message"]), (&json!(2), &json!("2 sessions are in the way")));
        owner.done("cancelBooking", json!({ "bookingId": booking })).await;
        done(&owner, "deleteResource", input.clone(), "resource { name }").await;
        assert_eq!(code(&owner, "deleteResource", input).await, "RESOURCE_NOT_FOUND");
        let massage = owner.data("query($id: ID!) { service(id: $id) { resources { name } } }", json!({ "id": studio.massage.id.to_string() })).await;
        assert_eq!(massage["service"]["resources"], json!([{ "name": "Ben" }]), "it is no candidate any more");
        assert_eq!(code(&owner, "createService", json!({
            "type": "APPOINTMENT", "name": "Cut", "durations": [30], "payment": { "rateType": "NO_FEE" },
            "resourceIds": [studio.anna.id.to_string()],
        })).await, "RESOURCE_NOT_FOUND");
    }
}
