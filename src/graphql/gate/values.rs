//! Variables, between the executor's form and the coercer's.

use apollo_compiler::{
    executable::Operation,
    response::{JsonMap, JsonValue},
};
use async_graphql::{Name, Value, Variables};
use serde_json_bytes::ByteString;

use super::Limits;

/// The variables that an operation has, as they were sent.
pub(super) fn to_json(operation: &Operation, variables: Variables) -> JsonMap {
    let Value::Object(given) = variables.into_value() else {
        return JsonMap::new();
    };
    given
        .into_iter()
        .filter(|(name, _)| {
            operation
                .variables
                .iter()
                .any(|variable| variable.name == name.as_str())
        })
        .map(|(name, value)| (ByteString::from(name.as_str()), json(value)))
        .collect()
}

fn json(value: Value) -> JsonValue {
    match value {
        // No transport takes binary.
        Value::Null | Value::Binary(_) => JsonValue::Null,
        Value::Number(number) => JsonValue::Number(number),
        Value::String(text) => JsonValue::String(text.into()),
        Value::Boolean(truth) => JsonValue::Bool(truth),
        Value::Enum(name) => JsonValue::String(name.as_str().into()),
        Value::List(items) => JsonValue::Array(items.into_iter().map(json).collect()),
        Value::Object(fields) => {
            let fields = fields
                .into_iter()
                .map(|(name, value)| (ByteString::from(name.as_str()), json(value)));
            JsonValue::Object(fields.collect())
        }
    }
}

/// Coerced variables, for the executor.
pub(super) fn from_json(variables: JsonMap) -> Variables {
    let mut all = Variables::default();
    for (name, json) in variables {
        all.insert(Name::new(name.as_str()), value(json));
    }
    all
}

fn value(json: JsonValue) -> Value {
    match json {
        JsonValue::Null => Value::Null,
        JsonValue::Bool(truth) => Value::Boolean(truth),
        JsonValue::Number(number) => Value::Number(number),
        JsonValue::String(text) => Value::String(text.as_str().to_owned()),
        JsonValue::Array(items) => Value::List(items.into_iter().map(value).collect()),
        JsonValue::Object(fields) => {
            let fields = fields
                .into_iter()
                .map(|(name, json)| (Name::new(name.as_str()), value(json)));
            Value::Object(fields.collect())
        }
    }
}

/// Refuses variables that hold more than the limits allow, beside a document that is nested so deeply itself.
pub(super) fn within(variables: &JsonMap, nesting: usize, limits: &Limits) -> Result<(), String> {
    let mut count = Count::default();
    for value in variables.values() {
        count.value(value, 0);
    }
    if count.values > limits.variable_values {
        return Err(format!(
            "the variables hold more than {} values",
            limits.variable_values
        ));
    }
    if count.longest > limits.list_items {
        return Err(format!("a list has more than {} items", limits.list_items));
    }
    if nesting + count.depth > limits.nesting {
        return Err(format!(
            "the document and its variables are nested more than {} deep",
            limits.nesting
        ));
    }
    Ok(())
}

#[derive(Default)]
struct Count {
    values: usize,
    longest: usize,
    depth: usize,
}

impl Count {
    fn value(&mut self, value: &JsonValue, above: usize) {
        self.values += 1;
        match value {
            JsonValue::Array(items) => {
                self.longest = self.longest.max(items.len());
                self.depth = self.depth.max(above + 1);
                for item in items {
                    self.value(item, above + 1);
                }
            }
            JsonValue::Object(fields) => {
                self.depth = self.depth.max(above + 1);
                for field in fields.values() {
                    self.value(field, above + 1);
                }
            }
            _ => {}
        }
    }
}
