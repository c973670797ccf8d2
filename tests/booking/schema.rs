//! What is written down about the API is what the API is: the schema's text, its descriptions, and the list of errors.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use frontdesk::graphql;
use serde_json::{Value, json};

use crate::support::{Engine, Server};

fn root(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(file)
}

fn text(file: &str) -> String {
    std::fs::read_to_string(root(file)).unwrap_or_default()
}

#[test]
fn the_committed_schema_is_the_one_that_is_served() {
    assert!(
        text("schema.graphql") == graphql::sdl(),
        "schema.graphql is not what the code says; write it anew with `cargo run -- schema > schema.graphql`, and look \
         at what changed for clients"
    );
}

async fn introspect(query: &str) -> Value {
    let server = Server::start(Engine::Sqlite).await;
    server.visitor().data(query, json!({})).await
}

fn list(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_default()
}

#[tokio::test]
async fn everything_in_the_schema_is_described() {
    let arguments = "args(includeDeprecated: true) { name description }";
    let query = format!(
        "{{ __schema {{ directives {{ name description {arguments} }} types {{ name description \
            fields(includeDeprecated: true) {{ name description {arguments} }} \
            inputFields(includeDeprecated: true) {{ name description }} \
            enumValues(includeDeprecated: true) {{ name description }} }} }} }}"
    );
    let schema = introspect(&query).await["__schema"].clone();
    let mut silent = Vec::new();
    let mut look = |path: String, thing: &Value| {
        let words = thing["description"].as_str().unwrap_or_default().trim();
        if words.is_empty() || words == "x" || words == "See the type." {
            silent.push(path);
        }
    };
    for thing in list(&schema["types"]).iter().chain(&list(&schema["directives"])) {
        let name = thing["name"].as_str().unwrap();
        // The language's own types describe themselves.
        if name.starts_with("__") || ["Boolean", "Float", "ID", "Int", "String"].contains(&name) {
            continue;
        }
        look(name.to_owned(), thing);
        for kind in ["fields", "inputFields", "enumValues", "args"] {
            for member in list(&thing[kind]) {
                let path = format!("{name}.{}", member["name"].as_str().unwrap());
                look(path.clone(), &member);
                for argument in list(&member["args"]) {
                    look(format!("{path}({})", argument["name"].as_str().unwrap()), &argument);
                }
            }
        }
    }
    assert_eq!(silent, Vec::<String>::new(), "without a description");
}

/// The codes in the first column of a table of `docs/errors.md`.
fn documented(section: &str) -> Vec<String> {
    let whole = text("docs/errors.md");
    let part = whole
        .split("\n## ")
        .find(|part| part.starts_with(section))
        .expect("the section");
    let rows = part.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.map(|row| row.split('`').next().unwrap_or_default().to_owned())
        .collect()
}

fn is_sorted_and_complete(section: &str, codes: &BTreeSet<String>) {
    let listed = documented(section);
    let set: BTreeSet<String> = listed.iter().cloned().collect();
    let missing: Vec<_> = codes.difference(&set).collect();
    assert!(missing.is_empty(), "docs/errors.md, {section}: {missing:?} missing");
    let stale: Vec<_> = set.difference(codes).collect();
    assert!(stale.is_empty(), "docs/errors.md, {section}: the code has no {stale:?}");
    assert_eq!(listed, set.into_iter().collect::<Vec<_>>(), "sorted, each once");
}

#[tokio::test]
async fn every_user_error_code_is_documented() {
    let query = "{ code: __type(name: \"UserErrorCode\") { enumValues { name } } \
        error: __type(name: \"UserError\") { possibleTypes { name } } }";
    let found = introspect(query).await;
    let names = |list: &Value| -> BTreeSet<String> {
        list.as_array()
            .unwrap()
            .iter()
            .map(|value| value["name"].as_str().unwrap().to_owned())
            .collect()
    };
    is_sorted_and_complete("User errors", &names(&found["code"]["enumValues"]));
    let page = text("docs/errors.md");
    for name in names(&found["error"]["possibleTypes"]) {
        assert!(
            page.contains(&format!("`{name}`")),
            "docs/errors.md has no error of type {name}"
        );
    }
}

/// The codes that sources give to top-level errors: every constant text that looks like one.
fn codes_in(path: &Path, found: &mut BTreeSet<String>) {
    if path.is_dir() {
        for entry in std::fs::read_dir(path).unwrap() {
            codes_in(&entry.unwrap().path(), found);
        }
        return;
    }
    if path.ends_with("tests.rs") || path.ends_with("fuzz.rs") {
        return;
    }
    let source = std::fs::read_to_string(path).unwrap();
    let source = source.split("#[cfg(test)]").next().unwrap_or_default();
    let mut before = "";
    for word in source.split('"') {
        // What an attribute calls a value of an enum is no code.
        let is_name = before.ends_with("name = ");
        before = word;
        let like = word.len() > 6 && word.chars().all(|c| c.is_ascii_uppercase() || c == '_');
        if like && !is_name && !["OUT_DIR", "OPTIONS"].contains(&word) && !word.starts_with("FRONTDESK_") {
            found.insert(word.to_owned());
        }
    }
}

#[test]
fn every_top_level_code_is_documented() {
    let mut codes = BTreeSet::new();
    for place in ["src/http", "src/graphql", "src/app/api.rs"] {
        codes_in(&root(place), &mut codes);
    }
    is_sorted_and_complete("Top-level errors", &codes);
}
