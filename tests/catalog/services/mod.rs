//! The service catalog: categories, what a service tells of itself, what it costs, who sees it, copies, deletion, lists.

mod categories;
mod copies;
mod deletion;
mod fields;
mod lists;
mod named;
mod payment;
mod slugs;
mod visibility;

use serde_json::{Value, json};

use crate::{done, support::Client};

/// The input of a class that costs nothing.
pub(crate) fn class(name: &str) -> Value {
    json!({ "type": "CLASS", "name": name, "defaultCapacity": 12, "payment": { "rateType": "NO_FEE" } })
}

/// Makes a service, and says what is selected of it.
pub(crate) async fn made(owner: &Client, input: Value, selection: &str) -> Value {
    let selection = format!("service {{ id {selection} }}");
    done(owner, "createService", input, &selection).await["service"].clone()
}

/// Makes a category, and says its id.
pub(crate) async fn category(owner: &Client, name: &str) -> Value {
    let made = done(owner, "createCategory", json!({ "name": name }), "category { id }").await;
    made["category"]["id"].clone()
}

/// The path of a user error, with points between.
pub(crate) fn place(error: &Value) -> String {
    let path = error["path"].as_array().cloned().unwrap_or_default();
    let path: Vec<&str> = path.iter().filter_map(Value::as_str).collect();
    path.join(".")
}

/// The names of a list's rows.
pub(crate) fn names(list: &Value) -> Vec<String> {
    let rows = list["nodes"].as_array().unwrap();
    rows.iter()
        .map(|row| row["name"].as_str().unwrap().to_owned())
        .collect()
}
