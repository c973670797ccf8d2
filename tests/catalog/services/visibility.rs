//! Who finds a service in lists, reaches it, sees its free times and books it.

use serde_json::{Value, json};

use super::{category, names};
use crate::{
    done, on_both_engines, studio,
    support::{Client, Server, Studio},
};

/// What a caller can do with the massage.
#[derive(Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "the columns of a table")]
struct Seen {
    listed: bool,
    reached: bool,
    slots: bool,
    bookable: bool,
    booked: bool,
}

async fn look(client: &Client, studio: &Studio, minutes: i64) -> Seen {
    let query = "query($id: ID!, $slug: String!, $from: DateTime!, $to: DateTime!) { \
        services { totalCount nodes { name } } service(id: $id) { id } bySlug: service(slug: $slug) { id } node(id: $id) { id } \
        availability(serviceIds: [$id], from: $from, to: $to, limit: 5) { timeSlots { bookable } } }";
    let variables = json!({
        "id": studio.massage.id.to_string(), "slug": studio.massage.slug, "from": studio.at(minutes), "to": studio.at(minutes + 30),
    });
    let found = client.data(query, variables).await;
    let listed = names(&found["services"]);
    assert_eq!(found["services"]["totalCount"], json!(listed.len()));
    let reached = [&found["service"], &found["bySlug"], &found["node"]].map(|each| !each.is_null());
    assert_eq!(reached[0], reached[1]);
    assert_eq!(reached[0], reached[2]);
    let slots = found["availability"]["timeSlots"].as_array().unwrap();
    let booked = client
        .mutate("createBooking", studio.appointment(&studio.massage, minutes, &[]))
        .await;
    if booked["booking"].is_null() {
        let error = &booked["userErrors"][0];
        assert_eq!(
            (&error["code"], &error["rule"]),
            (&json!("BOOKING_POLICY_VIOLATION"), &json!("ONLINE_BOOKING_DISABLED"))
        );
    }
    Seen {
        listed: listed.contains(&"Massage".to_owned()),
        reached: reached[0],
        slots: !slots.is_empty(),
        bookable: slots.iter().any(|slot| slot["bookable"] == json!(true)),
        booked: !booked["booking"].is_null(),
    }
}

async fn set(owner: &Client, studio: &Studio, change: Value) {
    let mut input = change;
    input["serviceId"] = json!(studio.massage.id.to_string());
    done(owner, "updateService", input, "service { id }").await;
}

fn callers(server: &Server, studio: &Studio) -> [(&'static str, bool, Client); 5] {
    [
        ("visitor", true, server.visitor()),
        ("member", true, server.member("mia")),
        ("staff", false, server.staff(studio.anna.id)),
        ("app", false, server.app()),
        ("owner", false, server.owner()),
    ]
}

on_both_engines! {
    async fn the_truth_table_of_visibility_holds_for_every_caller(engine) {
        let (server, studio, owner) = studio(engine).await;
        let group = category(&owner, "Bodywork").await;
        let mut minutes = 0;
        for in_category in [false, true] {
            for hidden in [false, true] {
                for enabled in [false, true] {
                    set(&owner, &studio, json!({
                        "hidden": hidden, "onlineBooking": { "enabled": enabled },
                        "categoryId": if in_category { group.clone() } else { Value::Null },
                    })).await;
                    for (name, customer, client) in callers(&server, &studio) {
                        let open = enabled && !hidden;
                        let expected = Seen {
                            listed: !customer || !hidden,
                            reached: true,
                            slots: true,
                            bookable: !customer || open,
                            booked: !customer || open,
                        };
                        let seen = look(&client, &studio, minutes).await;
                        assert_eq!(seen, expected, "{name}: in a category {in_category}, hidden {hidden}, enabled {enabled}");
                        minutes += 30;
                    }
                }
            }
        }
    }

    async fn customers_find_no_hidden_service_by_any_filter(engine) {
        let (server, studio, owner) = studio(engine).await;
        let group = category(&owner, "Bodywork").await;
        set(&owner, &studio, json!({ "hidden": true, "categoryId": group })).await;
        let id = studio.massage.id.to_string();
        let query = "query($filter: ServiceFilter, $group: ID!) { services(filter: $filter) { totalCount nodes { name } } \
            category(id: $group) { services(filter: $filter) { totalCount nodes { name } } } }";
        for filter in [
            json!({ "hidden": { "eq": true } }),
            json!({ "id": { "eq": id } }),
            json!({ "ids": [id] }),
            json!({ "or": [{ "hidden": { "eq": true } }, { "name": { "eq": "Massage" } }] }),
            json!({ "not": { "hidden": { "eq": false } } }),
            json!({ "categoryId": { "eq": group } }),
        ] {
            for (name, customer, client) in callers(&server, &studio) {
                let found = client.data(query, json!({ "filter": filter, "group": group })).await;
                for list in [&found["services"], &found["category"]["services"]] {
                    let expected: &[&str] = if customer { &[] } else { &["Massage"] };
                    assert_eq!(names(list), expected, "{name} {filter}");
                    assert_eq!(list["totalCount"], expected.len());
                }
            }
        }
    }
}
