//! The schema as a server tells it: what can be selected, and what came of it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::support::Client;

/// A type's fields: name, and the name of the field's type without lists and non-nulls.
#[derive(Debug, Clone)]
pub struct Type {
    pub kind: String,
    pub fields: Vec<Field>,
    pub possible: Vec<String>,
    pub interfaces: Vec<String>,
}

#[derive(Debug, Clone)]
pub struct Field {
    pub name: String,
    pub of: String,
    pub has_arguments: bool,
}

pub struct Schema(pub BTreeMap<String, Type>);

fn named(reference: &Value) -> String {
    let mut reference = reference;
    while !reference["ofType"].is_null() {
        reference = &reference["ofType"];
    }
    reference["name"].as_str().unwrap().to_owned()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

impl Schema {
    pub async fn of(client: &Client) -> Self {
        let query = "{ __schema { types { name kind possibleTypes { name } interfaces { name } \
            fields { name args { name } type { name ofType { name ofType { name ofType { name } } } } } } } }";
        let answer = client.data(query, json!({})).await;
        let types = list(&answer["__schema"]["types"]).iter().filter_map(|each| {
            let name = each["name"].as_str().unwrap().to_owned();
            if name.starts_with("__") {
                return None;
            }
            let names = |member: &str| list(&each[member]).iter().map(named).collect();
            let fields = list(&each["fields"]).iter().map(|field| Field {
                name: field["name"].as_str().unwrap().to_owned(),
                of: named(&field["type"]),
                has_arguments: !list(&field["args"]).is_empty(),
            });
            let kind = each["kind"].as_str().unwrap().to_owned();
            let (fields, possible, interfaces) = (fields.collect(), names("possibleTypes"), names("interfaces"));
            Some((
                name,
                Type {
                    kind,
                    fields,
                    possible,
                    interfaces,
                },
            ))
        });
        Self(types.collect())
    }

    pub fn get(&self, name: &str) -> &Type {
        &self.0[name]
    }

    /// Every field of every object.
    pub fn all_fields(&self) -> BTreeSet<String> {
        let objects = self.0.iter().filter(|(_, each)| each.kind == "OBJECT");
        let fields = objects.flat_map(|(name, each)| each.fields.iter().map(move |f| format!("{name}.{}", f.name)));
        fields.collect()
    }

    fn is_entity(&self, name: &str) -> bool {
        self.get(name).interfaces.iter().any(|interface| interface == "Node")
    }

    /// Everything that can be selected of a type: values in full, other entities and the way back to the query by name.
    pub fn selection(&self, name: &str) -> String {
        self.select(name, true)
    }

    fn select(&self, name: &str, whole: bool) -> String {
        let each = self.get(name);
        match each.kind.as_str() {
            "SCALAR" | "ENUM" => String::new(),
            "UNION" | "INTERFACE" => {
                let part = |name: &String| format!("... on {name} {}", self.select(name, whole));
                let parts: Vec<_> = each.possible.iter().map(part).collect();
                format!("{{ __typename {} }}", parts.join(" "))
            }
            _ if self.is_entity(name) && !whole => "{ __typename id }".to_owned(),
            _ if name == "Query" => "{ __typename }".to_owned(),
            _ => {
                let fields: Vec<_> = each
                    .fields
                    .iter()
                    .map(|field| {
                        let arguments = match (field.has_arguments, field.of.ends_with("Connection")) {
                            (true, true) => "(first: 5)",
                            _ => "",
                        };
                        // Fields of one name may be of several types where types are alternatives.
                        let alias = format!("{}_{}: ", name, field.name);
                        format!("{alias}{}{arguments} {}", field.name, self.select(&field.of, false))
                    })
                    .collect();
                format!("{{ __typename {} }}", fields.join(" "))
            }
        }
    }
}

/// What a caller got of a field, over all objects on which it asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Seen {
    Null,
    Empty,
    Value,
}

/// Notes of every field in an answer whether there was something in it.
pub fn note(value: &Value, seen: &mut BTreeMap<String, Seen>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| note(item, seen)),
        Value::Object(members) => {
            let name = members.get("__typename").and_then(Value::as_str);
            for (alias, member) in members {
                if let Some((owner, field)) = alias.split_once('_').filter(|_| alias != "__typename") {
                    assert_eq!(Some(owner), name, "{alias}");
                    let state = match member {
                        Value::Null => Seen::Null,
                        Value::Array(items) if items.is_empty() => Seen::Empty,
                        _ => Seen::Value,
                    };
                    let best = seen.entry(format!("{owner}.{field}")).or_insert(state);
                    *best = (*best).max(state);
                }
                note(member, seen);
            }
        }
        _ => {}
    }
}
