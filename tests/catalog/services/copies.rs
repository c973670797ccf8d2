//! Many services at once, and services made after others.

use futures::future::join_all;
use serde_json::{Value, json};

use super::{category, class, made, place};
use crate::{
    code, done, on_both_engines, refused, series, studio,
    support::{Server, fixture::with},
};

const BULK: &str =
    "totalSuccesses totalFailures results { originalIndex service { id slug } userErrors { code path } }";

on_both_engines! {
    async fn many_services_are_made_each_with_its_own_result(engine) {
        let server = Server::start(engine).await;
        let owner = server.owner();
        let nowhere = frontdesk::domain::ids::CategoryId::new().to_string();
        let input = json!({ "idempotencyKey": "k", "services": [
            class("Yoga"), with(class("Bad"), json!({ "defaultCapacity": 0 })), class("Yoga"),
            with(class("Lost"), json!({ "categoryId": nowhere })), with(class("Taken"), json!({ "slug": "yoga" })),
        ] });
        let bulk = done(&owner, "bulkCreateServices", input.clone(), BULK).await;
        assert_eq!((&bulk["totalSuccesses"], &bulk["totalFailures"]), (&json!(2), &json!(3)));
        let slugs: Vec<&Value> = bulk["results"].as_array().unwrap().iter().map(|result| &result["service"]["slug"]).collect();
        assert_eq!(json!(slugs), json!(["yoga", null, "yoga-2", null, null]));
        for (index, code, path) in [(1, "VALIDATION_FAILURE", "services.1.defaultCapacity"), (3, "CATEGORY_NOT_FOUND", "services.3.categoryId"), (4, "ALREADY_EXISTS", "services.4.slug")] {
            let result = &bulk["results"][index];
            assert_eq!(result["originalIndex"], index);
            assert_eq!((result["userErrors"][0]["code"].as_str().unwrap(), place(&result["userErrors"][0]).as_str()), (code, path));
        }
        let again = done(&owner, "bulkCreateServices", input, BULK).await;
        assert_eq!(again, bulk, "the same key makes no others");
        let count = owner.data("{ services { totalCount } }", json!({})).await;
        assert_eq!(count["services"]["totalCount"], 2);
    }

    async fn all_or_nothing_is_that(engine) {
        let server = Server::start(engine).await;
        let owner = server.owner();
        let two = |slug: &str| json!({ "allOrNothing": true, "services": [class("Yoga"), with(class("Other"), json!({ "slug": slug }))] });
        let error = refused(&owner, "bulkCreateServices", two("yoga")).await;
        assert_eq!((error["code"].as_str().unwrap(), place(&error).as_str()), ("ALREADY_EXISTS", "services.1.slug"));
        let count = async || owner.data("{ services { totalCount } }", json!({})).await["services"]["totalCount"].clone();
        assert_eq!(count().await, 0);
        done(&owner, "bulkCreateServices", two("other"), BULK).await;
        assert_eq!(count().await, 2);
        // What can't be understood refuses all.
        let malformed = json!({ "services": [class("A"), with(class("B"), json!({ "categoryId": "nonsense" }))] });
        let error = refused(&owner, "bulkCreateServices", malformed).await;
        assert_eq!((error["code"].as_str().unwrap(), place(&error).as_str()), ("INVALID_ID", "services.1.categoryId"));
        for services in [vec![], vec![class("A"); 101]] {
            assert_eq!(place(&refused(&owner, "bulkCreateServices", json!({ "services": services })).await), "services");
        }
        done(&owner, "bulkCreateServices", json!({ "services": vec![class("A"); 100] }), BULK).await;
        assert_eq!(count().await, 102);
    }

    async fn a_clone_has_everything_but_what_is_its_own(engine) {
        let (_server, studio, owner) = studio(engine).await;
        let group = category(&owner, "Bodywork").await;
        let shown = json!({
            "serviceId": studio.training.id.to_string(), "categoryId": group, "tagLine": "Strong", "tags": ["gym"], "hidden": true, "sortOrder": 4,
            "extendedFields": { "a": 1 }, "media": { "mainMedia": { "url": "https://example.org/a.jpg" } }, "seoData": { "title": "T" },
            "payment": { "rateType": "FIXED", "price": { "amount": "40", "currency": "EUR" }, "deposit": { "percentage": "10" }, "options": { "online": true, "inPerson": true, "deposit": true } },
        });
        let same = "description defaultCapacity durations bufferMinutes type tagLine tags hidden sortOrder extendedFields \
            category { id } media { mainMedia { url } } seoData { title } resources { id } \
            payment { rateType price { amount } deposit { percentage } options { online inPerson deposit } } onlineBooking { enabled }";
        let source = done(&owner, "updateService", shown, &format!("service {{ {same} }}")).await["service"].clone();
        let id = studio.training.id.to_string();
        let input = json!({ "serviceId": id, "name": "Training at home", "idempotencyKey": "k" });
        let payload = done(&owner, "cloneService", input.clone(), &format!("copiedSessions service {{ id name slug revision schedule {{ id name }} {same} }}")).await;
        assert_eq!(payload["copiedSessions"], 0);
        let clone = &payload["service"];
        for (name, value) in source.as_object().unwrap() {
            assert_eq!(&clone[name], value, "{name}");
        }
        assert_eq!((&clone["name"], &clone["slug"], &clone["revision"]), (&json!("Training at home"), &json!("training-at-home"), &json!(1)));
        assert_ne!(clone["schedule"]["id"], json!(studio.training.schedule.to_string()));
        assert_eq!(done(&owner, "cloneService", input, "service { id }").await["service"]["id"], clone["id"]);
        let unnamed = done(&owner, "cloneService", json!({ "serviceId": id }), "service { name slug }").await;
        assert_eq!(unnamed["service"], json!({ "name": "Training", "slug": "training-2" }));
        assert_eq!(place(&refused(&owner, "cloneService", json!({ "serviceId": id, "name": " " })).await), "name");
        done(&owner, "deleteService", json!({ "serviceId": id }), "service { id }").await;
        assert_eq!(code(&owner, "cloneService", json!({ "serviceId": id })).await, "SERVICE_NOT_FOUND");
        // The copy can be booked by itself.
        let mut wish = studio.appointment(&studio.training, 0, &[]);
        wish["bookedEntity"]["slot"]["appointment"]["serviceId"] = clone["id"].clone();
        owner.done("createBooking", wish).await;
    }

    async fn a_clone_has_options_of_its_own(engine) {
        let (_server, studio, owner) = studio(engine).await;
        let massage = studio.massage.id.to_string();
        let price = json!({ "rateType": "VARIED", "defaultPrice": { "amount": "30", "currency": "EUR" } });
        done(&owner, "updateService", json!({ "serviceId": massage, "payment": price }), "service { id }").await;
        let variant = |who: &frontdesk::domain::catalog::Resource, amount: &str| json!({
            "choices": [{ "optionId": "who", "staffMemberId": who.id.to_string() }], "price": { "amount": amount, "currency": "EUR" },
        });
        let options = json!({
            "serviceId": massage, "options": [{ "optionId": "who", "type": "STAFF_MEMBER" }],
            "variants": [variant(&studio.anna, "40"), variant(&studio.ben, "50")],
        });
        let of = "id service { id } variants { choices { staffMemberId } price { amount } }";
        let made = done(&owner, "createServiceOptionsAndVariants", options, &format!("serviceOptionsAndVariants {{ {of} }}")).await;
        let made = made["serviceOptionsAndVariants"].clone();
        // Who has gone in the meantime has no variant in the copy either.
        done(&owner, "deleteResource", json!({ "resourceId": studio.anna.id.to_string() }), "resource { id }").await;
        let copy = done(&owner, "cloneService", json!({ "serviceId": massage }), &format!("service {{ id optionsAndVariants {{ {of} }} }}")).await;
        let own = &copy["service"]["optionsAndVariants"];
        assert_eq!((&own["service"]["id"], own["id"] == made["id"]), (&copy["service"]["id"], false));
        assert_eq!(own["variants"], json!([made["variants"][1]]));
    }

    async fn a_copy_has_no_resources_that_are_gone(engine) {
        let (_server, studio, owner) = studio(engine).await;
        let (massage, audition) = (studio.massage.id.to_string(), studio.audition.id.to_string());
        done(&owner, "deleteResource", json!({ "resourceId": studio.anna.id.to_string() }), "resource { id }").await;
        let copy = done(&owner, "cloneService", json!({ "serviceId": massage }), "service { resources { name } }").await;
        assert_eq!(copy["service"]["resources"], json!([{ "name": "Ben" }]));
        assert_eq!(place(&refused(&owner, "cloneService", json!({ "serviceId": audition })).await), "serviceId", "there is nobody left");
    }

    async fn a_clone_gets_the_sessions_to_come_when_asked(engine) {
        let (_server, studio, owner) = studio(engine).await;
        series::made(&owner, with(series::yoga(&studio, 0, "FREQ=DAILY;COUNT=3"), json!({ "title": "Flow" }))).await;
        let cancelled = json!({ "sessionId": studio.next_session.id.to_string() });
        done(&owner, "cancelSession", cancelled, "session { id }").await;
        let sessions = "service { id sessions { nodes { title startDate capacity status resources { id } series { id } } } schedule { firstSessionStart lastSessionEnd } }";
        let input = json!({ "serviceId": studio.yoga.id.to_string(), "name": "Power Yoga" });
        let none = done(&owner, "cloneService", input.clone(), &format!("copiedSessions {sessions}")).await;
        assert_eq!((&none["copiedSessions"], &none["service"]["sessions"]["nodes"]), (&json!(0), &json!([])));
        let copied = done(&owner, "cloneService", with(input, json!({ "copySessions": true })), &format!("copiedSessions {sessions}")).await;
        assert_eq!(copied["copiedSessions"], 4, "the cancelled one is not copied");
        let mut titles: Vec<String> = Vec::new();
        for session in copied["service"]["sessions"]["nodes"].as_array().unwrap() {
            assert_eq!((&session["resources"], &session["series"], &session["status"], &session["capacity"]), (&json!([]), &Value::Null, &json!("CONFIRMED"), &json!(10)));
            titles.push(session["title"].as_str().unwrap().to_owned());
        }
        titles.sort();
        assert_eq!(titles, ["Flow", "Flow", "Flow", "Power Yoga"]);
        // A course's copy begins and ends with its sessions, and can be booked.
        let course = done(&owner, "cloneService", json!({ "serviceId": studio.course.id.to_string(), "copySessions": true }), &format!("copiedSessions {}", sessions.replacen("schedule {", "schedule { id", 1))).await;
        let schedule = &course["service"]["schedule"];
        assert_eq!((&course["copiedSessions"], schedule["firstSessionStart"].as_str().unwrap()), (&json!(2), studio.at(54 * 60).as_str()));
        let mut wish = studio.enrolment(8);
        wish["bookedEntity"]["schedule"]["scheduleId"] = schedule["id"].clone();
        owner.done("createBooking", wish).await;
    }

    async fn slugs_of_many_clones_at_once_are_all_different(engine) {
        let server = Server::start(engine).await;
        let owner = server.owner();
        let yoga = made(&owner, class("Yoga"), "").await;
        let clone = |_| owner.mutate_selecting("cloneService", json!({ "serviceId": yoga["id"] }), "service { slug } userErrors { code }");
        let all = join_all((0..8).map(clone)).await;
        let slugs: std::collections::BTreeSet<String> = all.iter().map(|payload| payload["service"]["slug"].to_string()).collect();
        assert_eq!(slugs.len(), 8, "{all:?}");
    }
}
