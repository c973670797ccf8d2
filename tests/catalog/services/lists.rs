//! Lists of services: filters, orders, pages.

use serde_json::{Value, json};

use super::{category, class, made, names};
use crate::{
    on_both_engines, studio,
    support::{Client, Server, fixture::with},
};

async fn found(client: &Client, filter: Value) -> Vec<String> {
    let query = "query($filter: ServiceFilter) { services(filter: $filter) { totalCount nodes { name } } }";
    let list = client.data(query, json!({ "filter": filter })).await["services"].clone();
    let mut names = names(&list);
    assert_eq!(list["totalCount"], names.len(), "{filter}");
    names.sort();
    names
}

on_both_engines! {
    async fn every_filter_finds_what_it_names(engine) {
        let (_server, studio, owner) = studio(engine).await;
        let group = category(&owner, "Group").await;
        let plans = json!({ "rateType": "FIXED", "price": { "amount": "9", "currency": "EUR" }, "deposit": { "percentage": "10" },
            "options": { "online": true, "inPerson": false, "deposit": true, "pricingPlan": true } });
        made(&owner, with(class("Mas%"), json!({ "hidden": true, "categoryId": group, "sortOrder": 5, "slug": "odd" })), "").await;
        made(&owner, with(class("Äther"), json!({ "onlineBooking": { "enabled": false }, "sortOrder": -5 })), "").await;
        made(&owner, with(class("Plans"), json!({ "payment": plans })), "").await;
        let all = ["Audition", "Consultation", "Course", "Mas%", "Massage", "Plans", "Training", "Workshop", "Yoga", "Äther"];
        let but = |without: &[&str]| all.iter().copied().filter(|name| !without.contains(name)).collect::<Vec<_>>();
        let id = |service: &frontdesk::domain::catalog::Service| service.id.to_string();
        let (anna, ben, room) = (studio.anna.id.to_string(), studio.ben.id.to_string(), studio.room.id.to_string());
        let both = vec!["Consultation", "Massage", "Workshop"];
        for (filter, expected) in [
            (json!({}), all.to_vec()),
            (json!({ "id": { "eq": id(&studio.yoga) } }), vec!["Yoga"]),
            (json!({ "id": { "in": [id(&studio.yoga), id(&studio.massage)] } }), vec!["Massage", "Yoga"]),
            (json!({ "id": { "nin": [id(&studio.yoga)] } }), but(&["Yoga"])),
            (json!({ "ids": [id(&studio.yoga)], "types": ["CLASS"] }), vec!["Yoga"]),
            (json!({ "ids": [id(&studio.yoga)], "types": ["COURSE"] }), vec![]),
            (json!({ "type": { "eq": "COURSE" } }), vec!["Course"]),
            (json!({ "type": { "ne": "APPOINTMENT" } }), vec!["Course", "Mas%", "Plans", "Yoga", "Äther"]),
            (json!({ "name": { "eq": "Yoga" } }), vec!["Yoga"]),
            (json!({ "name": { "startsWith": "Mas" } }), vec!["Mas%", "Massage"]),
            (json!({ "name": { "startsWith": "Mas%" } }), vec!["Mas%"]),
            (json!({ "name": { "startsWith": "mas" } }), vec![]),
            (json!({ "name": { "startsWith": "Ät" } }), vec!["Äther"]),
            (json!({ "name": { "startsWith": "" } }), all.to_vec()),
            (json!({ "name": { "startsWith": "Mas", "ne": "Massage" } }), vec!["Mas%"]),
            (json!({ "slug": { "eq": "odd" } }), vec!["Mas%"]),
            (json!({ "hidden": { "eq": true } }), vec!["Mas%"]),
            (json!({ "hidden": { "ne": true } }), but(&["Mas%"])),
            (json!({ "categoryId": { "eq": group } }), vec!["Mas%"]),
            (json!({ "categoryId": { "ne": group } }), but(&["Mas%"])),
            (json!({ "categoryId": { "nin": [group] } }), but(&["Mas%"])),
            (json!({ "hasCategory": true }), vec!["Mas%"]),
            (json!({ "hasCategory": false }), but(&["Mas%"])),
            (json!({ "not": { "categoryId": { "eq": group } } }), but(&["Mas%"])),
            (json!({ "onlineBookingEnabled": { "eq": false } }), vec!["Äther"]),
            (json!({ "paymentOptions": { "online": { "eq": true } } }), vec!["Plans", "Training"]),
            (json!({ "paymentOptions": { "online": { "eq": true }, "inPerson": { "eq": true } } }), vec!["Training"]),
            (json!({ "paymentOptions": { "deposit": { "eq": true } } }), vec!["Plans"]),
            (json!({ "paymentOptions": { "pricingPlan": { "eq": true } } }), vec!["Plans"]),
            (json!({ "resourceIds": { "hasSome": [ben] } }), both.clone()),
            (json!({ "resourceIds": { "hasAll": [anna, ben] } }), both),
            (json!({ "resourceIds": { "hasAll": [anna, ben, room] } }), vec!["Workshop"]),
            (json!({ "resourceIds": { "hasSome": [room, anna] } }), vec!["Audition", "Consultation", "Massage", "Training", "Workshop"]),
            (json!({ "resourceIds": { "hasSome": [] } }), vec![]),
            (json!({ "sortOrder": { "lt": 0 } }), vec!["Äther"]),
            (json!({ "sortOrder": { "gte": 1, "lte": 5 } }), vec!["Mas%"]),
            (json!({ "createdDate": { "gt": "2090-01-01T00:00:00Z" } }), vec![]),
            (json!({ "updatedDate": { "lt": "2090-01-01T00:00:00Z" } }), all.to_vec()),
            (json!({ "or": [{ "name": { "eq": "Yoga" } }, { "hidden": { "eq": true } }] }), vec!["Mas%", "Yoga"]),
            (json!({ "and": [{ "name": { "eq": "Yoga" } }, { "hidden": { "eq": true } }] }), vec![]),
            (json!({ "or": [] }), vec![]),
            (json!({ "and": [] }), all.to_vec()),
        ] {
            assert_eq!(found(&owner, filter.clone()).await, expected, "{filter}");
        }
        let deep = (0..9).fold(json!({ "hidden": { "eq": true } }), |inner, _| json!({ "not": inner }));
        let query = "query($filter: ServiceFilter) { services(filter: $filter) { nodes { name } } }";
        for filter in [deep, json!({ "id": { "eq": "nonsense" } }), json!({ "resourceIds": { "hasAll": ["nonsense"] } }), json!({ "createdDate": { "gt": "soon" } })] {
            assert_eq!(owner.error_code(query, json!({ "filter": filter })).await, "BAD_USER_INPUT", "{filter}");
        }
    }

    async fn pages_meet_in_every_order(engine) {
        let server = Server::start(engine).await;
        let owner = server.owner();
        let group = category(&owner, "Group").await;
        for (n, place) in [3, -1, 3, 0, i32::MAX, i32::MIN, 3].into_iter().enumerate() {
            made(&owner, with(class(&format!("S{n}")), json!({ "sortOrder": place, "categoryId": group })), "").await;
        }
        let query = "query($order: ServiceOrder, $first: Int, $after: String, $last: Int, $before: String) { \
            services(orderBy: $order, first: $first, after: $after, last: $last, before: $before) { \
            nodes { name } pageInfo { endCursor startCursor hasNextPage } } }";
        let page = async |variables: Value| owner.data(query, variables).await["services"].clone();
        for (field, direction, expected) in [
            ("SORT_ORDER", "ASC", "S5S1S3S0S2S6S4"),
            ("SORT_ORDER", "DESC", "S4S6S2S0S3S1S5"),
            ("CREATED_DATE", "ASC", "S0S1S2S3S4S5S6"),
            ("UPDATED_DATE", "DESC", "S6S5S4S3S2S1S0"),
        ] {
            let order = json!({ "field": field, "direction": direction });
            let (mut seen, mut after) = (Vec::new(), Value::Null);
            loop {
                let next = page(json!({ "order": order, "first": 2, "after": after })).await;
                seen.extend(names(&next));
                after = next["pageInfo"]["endCursor"].clone();
                if next["pageInfo"]["hasNextPage"] == false {
                    break;
                }
            }
            assert_eq!(seen.concat(), expected, "{order}");
            let last = page(json!({ "order": order, "last": 3 })).await;
            assert_eq!(names(&last), seen[4..]);
            let before = page(json!({ "order": order, "last": 2, "before": last["pageInfo"]["startCursor"] })).await;
            assert_eq!(names(&before), seen[2..4]);
        }
        let of_other_order = page(json!({ "order": { "field": "SORT_ORDER", "direction": "ASC" }, "first": 1 })).await;
        let cursor = json!({ "after": of_other_order["pageInfo"]["endCursor"] });
        assert_eq!(owner.error_code(query, cursor).await, "BAD_USER_INPUT", "a cursor is good for its own order");
        let in_group = owner.data("query($id: ID!) { category(id: $id) { services { nodes { name category { name } } } } }", json!({ "id": group })).await;
        assert_eq!(names(&in_group["category"]["services"]).concat(), "S5S1S3S0S2S6S4", "in a category by their places");
    }
}
