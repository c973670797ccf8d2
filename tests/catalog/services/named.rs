//! Lists of categories and of booking policies: which of them, and in which order.

use serde_json::{Value, json};

use super::{category, names};
use crate::{
    code, done, on_both_engines, studio,
    support::{Client, fixture::with},
};

/// A page of a list.
async fn page(client: &Client, list: &str, variables: Value) -> Value {
    let kind = if list == "categories" {
        "Category"
    } else {
        "BookingPolicy"
    };
    let query = format!(
        "query($filter: {kind}Filter, $orderBy: {kind}Order, $first: Int, $after: String, $last: Int, $before: String) {{ \
        {list}(filter: $filter, orderBy: $orderBy, first: $first, after: $after, last: $last, before: $before) {{ \
        totalCount nodes {{ id name }} pageInfo {{ startCursor endCursor hasNextPage hasPreviousPage }} }} }}"
    );
    client.data(&query, variables).await[list].clone()
}

async fn listed(client: &Client, list: &str, variables: Value) -> Vec<String> {
    names(&page(client, list, variables).await)
}

fn by(field: &str, direction: &str) -> Value {
    json!({ "orderBy": { "field": field, "direction": direction } })
}

/// Walks a list of six rows forward and backward, two at a time: both ways tell the same, once.
async fn walk(client: &Client, list: &str, order: Value) {
    let all = listed(client, list, order.clone()).await;
    assert_eq!(all.len(), 6);
    for (size, from, end, more) in [
        ("first", "after", "endCursor", "hasNextPage"),
        ("last", "before", "startCursor", "hasPreviousPage"),
    ] {
        let (mut cursor, mut walked) = (Value::Null, Vec::new());
        for step in 1..=3 {
            let page = page(client, list, with(order.clone(), json!({ size: 2, from: cursor }))).await;
            assert_eq!(
                (&page["totalCount"], &page["pageInfo"][more]),
                (&json!(6), &json!(step < 3))
            );
            cursor = page["pageInfo"][end].clone();
            walked.push(names(&page));
        }
        if size == "last" {
            walked.reverse();
        }
        assert_eq!(walked.concat(), all, "{order}");
    }
}

/// What both lists have in common; six rows are there.
async fn both(client: &Client, list: &str) {
    let all = page(client, list, json!({})).await;
    let id = |name: &str| {
        all["nodes"]
            .as_array()
            .unwrap()
            .iter()
            .find(|row| row["name"] == name)
            .unwrap()["id"]
            .clone()
    };
    assert_eq!(
        listed(client, list, by("NAME", "ASC")).await,
        ["Alpha", "Beta", "Echo", "Same", "Same", "echo"],
        "by code point"
    );
    assert_eq!(
        listed(client, list, by("NAME", "DESC")).await,
        ["echo", "Same", "Same", "Echo", "Beta", "Alpha"]
    );
    assert_eq!(
        listed(client, list, by("CREATED_DATE", "ASC")).await,
        ["Same", "Echo", "Alpha", "Same", "echo", "Beta"]
    );
    assert_eq!(
        listed(client, list, by("CREATED_DATE", "DESC")).await,
        ["Beta", "echo", "Same", "Alpha", "Echo", "Same"]
    );
    for (field, direction) in [
        ("NAME", "ASC"),
        ("NAME", "DESC"),
        ("CREATED_DATE", "ASC"),
        ("CREATED_DATE", "DESC"),
    ] {
        walk(client, list, by(field, direction)).await;
    }
    walk(client, list, json!({})).await;
    // Of one name, the ids decide.
    let same = |page: &Value| {
        let rows = page["nodes"].as_array().unwrap().iter();
        rows.filter(|row| row["name"] == "Same")
            .map(|row| row["id"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let (up, down) = (
        page(client, list, by("NAME", "ASC")).await,
        page(client, list, by("NAME", "DESC")).await,
    );
    assert!(same(&up).is_sorted() && same(&up).iter().rev().eq(same(&down).iter()));
    for (filter, expected) in [
        (json!({ "name": { "eq": "Echo" } }), vec!["Echo"]),
        (
            json!({ "name": { "in": ["Alpha", "echo", "none"] } }),
            vec!["Alpha", "echo"],
        ),
        (
            json!({ "name": { "nin": ["Alpha", "Same"], "ne": "Beta" } }),
            vec!["Echo", "echo"],
        ),
        (json!({ "ids": [id("Beta"), id("Alpha")] }), vec!["Alpha", "Beta"]),
        (json!({ "ids": [id("Beta")], "name": { "eq": "Alpha" } }), vec![]),
    ] {
        let asked = with(by("NAME", "ASC"), json!({ "filter": filter }));
        let found = page(client, list, asked).await;
        assert_eq!(
            (names(&found), &found["totalCount"]),
            (
                expected.iter().map(ToString::to_string).collect(),
                &json!(expected.len())
            ),
            "{filter}"
        );
    }
    // The cursor of one order is none of another.
    let cursor =
        page(client, list, with(by("NAME", "ASC"), json!({ "first": 1 }))).await["pageInfo"]["endCursor"].clone();
    let kind = if list == "categories" {
        "Category"
    } else {
        "BookingPolicy"
    };
    let query = format!(
        "query($filter: {kind}Filter, $after: String) {{ {list}(filter: $filter, after: $after) {{ totalCount }} }}"
    );
    for asked in [
        json!({ "after": cursor }),
        json!({ "filter": { "ids": ["x"] } }),
        json!({ "filter": { "ids": vec![id("Beta"); 101] } }),
        json!({ "filter": { "name": { "in": vec!["x"; 101] } } }),
    ] {
        assert_eq!(
            client.error_code(&query, asked.clone()).await,
            "BAD_USER_INPUT",
            "{asked}"
        );
    }
}

const NAMES: [&str; 6] = ["Same", "Echo", "Alpha", "Same", "echo", "Beta"];

on_both_engines! {
    async fn categories_are_listed_by_name_and_place(engine) {
        let (server, _, owner) = studio(engine).await;
        let mut ids = Vec::new();
        for name in NAMES {
            ids.push(category(&owner, name).await);
        }
        let visitor = server.visitor();
        both(&visitor, "categories").await;
        // The last is put first: that is where it stands if nothing else is said.
        done(&owner, "moveCategory", json!({ "categoryId": ids[5] }), "category { id }").await;
        let moved = ["Beta", "Same", "Echo", "Alpha", "Same", "echo"];
        assert_eq!(listed(&visitor, "categories", json!({})).await, moved);
        assert_eq!(listed(&visitor, "categories", by("SORT_ORDER", "ASC")).await, moved);
        assert_eq!(listed(&visitor, "categories", by("SORT_ORDER", "DESC")).await, ["echo", "Same", "Alpha", "Echo", "Same", "Beta"]);
        for order in [by("SORT_ORDER", "ASC"), by("SORT_ORDER", "DESC")] {
            walk(&visitor, "categories", order).await;
        }
        // A cursor keeps its place when its own row is gone.
        let page = page(&visitor, "categories", with(by("NAME", "ASC"), json!({ "first": 2 }))).await;
        assert_eq!(names(&page), ["Alpha", "Beta"]);
        done(&owner, "deleteCategory", json!({ "categoryId": ids[5] }), "category { id }").await;
        let next = with(by("NAME", "ASC"), json!({ "first": 1, "after": page["pageInfo"]["endCursor"] }));
        assert_eq!(listed(&visitor, "categories", next).await, ["Echo"]);
    }

    async fn booking_policies_are_listed_by_name(engine) {
        let (server, _, owner) = studio(engine).await;
        let mut ids = Vec::new();
        for name in NAMES {
            let made = done(&owner, "createBookingPolicy", json!({ "name": name }), "bookingPolicy { id }").await;
            ids.push(made["bookingPolicy"]["id"].clone());
        }
        both(&server.visitor(), "bookingPolicies").await;
        done(&owner, "deleteBookingPolicy", json!({ "bookingPolicyId": ids[2] }), "bookingPolicy { id }").await;
        assert_eq!(listed(&owner, "bookingPolicies", by("NAME", "ASC")).await, ["Beta", "Echo", "Same", "Same", "echo"]);
        assert_eq!(code(&owner, "deleteBookingPolicy", json!({ "bookingPolicyId": ids[2] })).await, "BOOKING_POLICY_NOT_FOUND");
    }
}
