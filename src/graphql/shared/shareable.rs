//! Which subscriptions may share an execution, and with whom.
//!
//! It owns the question whether two requests ask the same. It must not know how executions are run.

use std::fmt::Write as _;

use async_graphql::{
    Name, Pos, Positioned, Value as ConstValue, Variables,
    parser::types::{
        Directive, DocumentOperations, ExecutableDocument, Field, OperationDefinition, OperationType, Selection,
        SelectionSet,
    },
};
use async_graphql_value::Value;

/// The log of the site; begins behind its argument `after`.
const LOG: &str = "bookingEvents";
/// One booking; begins with its present status.
const STATUS: &str = "bookingStatusChanged";
/// The argument that subscribers of one execution may differ in.
const AFTER: &str = "after";
const BOOKING: &str = "bookingId";

/// What a shareable subscription asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SharedField {
    /// `bookingEvents`: positions are the log's.
    BookingEvents,
    /// `bookingStatusChanged`: positions are the booking's revisions.
    BookingStatusChanged,
}

/// A subscription that may share its execution with all that have the same `key`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shareable {
    /// Its root field.
    pub field: SharedField,
    /// The cursor that it begins behind, as the client wrote it.
    pub after: Option<String>,
    /// The booking that it is about, as the client wrote it.
    pub booking: Option<String>,
    /// Document, operation name and variables, without the value of `after`.
    pub key: String,
}

impl Shareable {
    /// Looks at a request. `text` is what `document` was parsed from, `variables` are as they will be executed.
    ///
    /// None for whatever is unusual: several root fields, fragments or directives at the root, directives on the
    /// operation or its variables, a cursor that isn't a string or whose variable is used elsewhere too. That is
    /// executed on its own, which is never wrong.
    #[must_use]
    pub fn of(
        text: &str,
        document: &ExecutableDocument,
        operation_name: Option<&str>,
        variables: &Variables,
    ) -> Option<Self> {
        let operation = operation(document, operation_name)?;
        if operation.ty != OperationType::Subscription
            || !operation.directives.is_empty()
            || operation
                .variable_definitions
                .iter()
                .any(|v| !v.node.directives.is_empty())
        {
            return None;
        }
        let [
            Positioned {
                node: Selection::Field(root),
                ..
            },
        ] = operation.selection_set.node.items.as_slice()
        else {
            return None;
        };
        let root = &root.node;
        if !root.directives.is_empty() {
            return None;
        }
        let field = match root.name.node.as_str() {
            LOG => SharedField::BookingEvents,
            STATUS => SharedField::BookingStatusChanged,
            _ => return None,
        };
        let mut blanked_text = None;
        let mut blanked_variable = None;
        let mut after = None;
        if field == SharedField::BookingEvents
            && let Some(argument) = root.get_argument(AFTER)
        {
            match &argument.node {
                Value::Null => {}
                Value::String(cursor) => {
                    blanked_text = Some(blank(text, argument.pos)?);
                    after = Some(cursor.clone());
                }
                Value::Variable(name) => {
                    if uses(document, name) != 1 {
                        return None;
                    }
                    after = match value_of(operation, variables, name) {
                        None | Some(ConstValue::Null) => None,
                        Some(ConstValue::String(cursor)) => Some(cursor.clone()),
                        Some(_) => return None,
                    };
                    blanked_variable = Some(name);
                }
                _ => return None,
            }
        }
        let booking = match (field, root.get_argument(BOOKING).map(|argument| &argument.node)) {
            (SharedField::BookingStatusChanged, Some(Value::String(id))) => Some(id.clone()),
            (SharedField::BookingStatusChanged, Some(Value::Variable(name))) => {
                match value_of(operation, variables, name) {
                    Some(ConstValue::String(id)) => Some(id.clone()),
                    _ => None,
                }
            }
            _ => None,
        };
        let key = key(
            blanked_text.as_deref().unwrap_or(text),
            operation_name,
            variables,
            blanked_variable,
        );
        Some(Self {
            field,
            after,
            booking,
            key,
        })
    }
}

fn operation<'d>(document: &'d ExecutableDocument, name: Option<&str>) -> Option<&'d OperationDefinition> {
    match (&document.operations, name) {
        (DocumentOperations::Single(operation), _) => Some(&operation.node),
        (DocumentOperations::Multiple(operations), Some(name)) => operations.get(name).map(|o| &o.node),
        (DocumentOperations::Multiple(operations), None) if operations.len() == 1 => {
            operations.values().next().map(|o| &o.node)
        }
        (DocumentOperations::Multiple(_), None) => None,
    }
}

fn value_of<'v>(operation: &'v OperationDefinition, variables: &'v Variables, name: &Name) -> Option<&'v ConstValue> {
    variables.get(name).or_else(|| {
        let definition = operation
            .variable_definitions
            .iter()
            .find(|v| v.node.name.node == *name)?;
        definition.node.default_value.as_ref().map(|default| &default.node)
    })
}

/// The text without the string that stands at a position, so that texts that differ only in it become equal.
fn blank(text: &str, at: Pos) -> Option<String> {
    let start = offset(text, at)?;
    let (before, rest) = text.split_at_checked(start)?;
    let length = string_length(rest)?;
    // What stays can't be mistaken for a document in which something else was written there.
    Some(format!("{before}\u{0}{}", rest.get(length..)?))
}

/// The byte at a position of the parser's, which counts characters and takes `\r` for no line's end.
fn offset(text: &str, at: Pos) -> Option<usize> {
    let (mut line, mut column) = (1, 1);
    for (offset, character) in text.char_indices() {
        if (line, column) == (at.line, at.column) && !matches!(character, '\r' | '\n') {
            return Some(offset);
        }
        match character {
            '\r' => column = 1,
            '\n' => (line, column) = (line + 1, 1),
            _ => column += 1,
        }
    }
    None
}

/// The length in bytes of the string literal that `text` begins with.
fn string_length(text: &str) -> Option<usize> {
    let block = "\"\"\"";
    let (quote, escaped) = if text.starts_with(block) {
        (block, "\\\"\"\"")
    } else if text.starts_with('"') {
        ("\"", "\\")
    } else {
        return None;
    };
    let mut at = quote.len();
    loop {
        let rest = text.get(at..)?;
        if rest.starts_with(quote) {
            return Some(at + quote.len());
        }
        at += if rest.starts_with(escaped) {
            // A backslash takes the next character with it, in a block only three quotes.
            let next = rest.get(1..)?.chars().next()?.len_utf8();
            if quote == block { escaped.len() } else { 1 + next }
        } else {
            rest.chars().next()?.len_utf8()
        };
    }
}

/// How often a variable is used in a whole document.
fn uses(document: &ExecutableDocument, name: &Name) -> usize {
    let operations = document.operations.iter().map(|(_, operation)| {
        in_set(&operation.node.selection_set.node, name) + in_directives(&operation.node.directives, name)
    });
    let fragments = document.fragments.values().map(|fragment| {
        in_set(&fragment.node.selection_set.node, name) + in_directives(&fragment.node.directives, name)
    });
    operations.chain(fragments).sum()
}

fn in_set(set: &SelectionSet, name: &Name) -> usize {
    set.items
        .iter()
        .map(|item| {
            let inside = match &item.node {
                Selection::Field(field) => in_field(&field.node, name),
                Selection::FragmentSpread(_) => 0,
                Selection::InlineFragment(fragment) => in_set(&fragment.node.selection_set.node, name),
            };
            inside + in_directives(item.node.directives(), name)
        })
        .sum()
}

fn in_field(field: &Field, name: &Name) -> usize {
    let arguments: usize = field
        .arguments
        .iter()
        .map(|(_, value)| in_value(&value.node, name))
        .sum();
    arguments + in_set(&field.selection_set.node, name)
}

fn in_directives(directives: &[Positioned<Directive>], name: &Name) -> usize {
    directives
        .iter()
        .flat_map(|directive| &directive.node.arguments)
        .map(|(_, value)| in_value(&value.node, name))
        .sum()
}

fn in_value(value: &Value, name: &Name) -> usize {
    match value {
        Value::Variable(variable) => usize::from(variable == name),
        Value::List(items) => items.iter().map(|item| in_value(item, name)).sum(),
        Value::Object(fields) => fields.values().map(|field| in_value(field, name)).sum(),
        _ => 0,
    }
}

/// One text for all that decides the answers. Every part stands behind its length, so that no two parts can run
/// into each other.
fn key(text: &str, operation_name: Option<&str>, variables: &Variables, without: Option<&Name>) -> String {
    let mut key = String::with_capacity(text.len() + 64);
    part(&mut key, text);
    part(&mut key, operation_name.unwrap_or_default());
    for (name, value) in variables.iter().filter(|(name, _)| Some(*name) != without) {
        part(&mut key, name);
        canonical(&mut key, value);
    }
    key
}

fn part(key: &mut String, text: &str) {
    let _ = write!(key, "{}:{text}", text.len());
}

/// A value with the fields of its objects in one order, whichever the client wrote.
fn canonical(key: &mut String, value: &ConstValue) {
    match value {
        ConstValue::List(items) => {
            let _ = write!(key, "l{}:", items.len());
            for item in items {
                canonical(key, item);
            }
        }
        ConstValue::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_by_key(|(name, _)| *name);
            let _ = write!(key, "o{}:", fields.len());
            for (name, value) in fields {
                part(key, name);
                canonical(key, value);
            }
        }
        // The rest is written as GraphQL writes it, with quotes around strings.
        other => {
            key.push('v');
            part(key, &other.to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use async_graphql::parser::parse_query;
    use serde_json::json;

    use super::*;

    fn of(text: &str, operation: Option<&str>, variables: serde_json::Value) -> Option<Shareable> {
        let document = parse_query(text).unwrap();
        Shareable::of(text, &document, operation, &Variables::from_json(variables))
    }

    fn shared(text: &str, variables: serde_json::Value) -> Shareable {
        of(text, None, variables).unwrap()
    }

    #[test]
    fn cursors_as_literals_of_any_kind_make_no_difference() {
        let texts = [
            r#"subscription { bookingEvents(after: "a") { id } }"#,
            r#"subscription { bookingEvents(after: "longer \" \\") { id } }"#,
            r#"subscription { bookingEvents(after: """block of " text""") { id } }"#,
            r#"subscription { bookingEvents(after: "é\u0041") { id } }"#,
            r#"subscription { bookingEvents(after: "") { id } }"#,
        ];
        let all: Vec<_> = texts.iter().map(|text| shared(text, json!({}))).collect();
        let afters: Vec<_> = all.iter().map(|s| s.after.as_deref().unwrap()).collect();
        assert_eq!(afters, ["a", "longer \" \\", "block of \" text", "éA", ""]);
        assert!(all.iter().all(|s| s.key == all.first().unwrap().key));
        // The parser leaves the backslash in such a text; where it ends is what counts here.
        let escaped = shared(
            r#"subscription { bookingEvents(after: """a \""" b""") { id } }"#,
            json!({}),
        );
        assert_eq!(escaped.key, all.first().unwrap().key);
    }

    #[test]
    fn a_cursor_is_found_behind_other_lines_and_letters() {
        let text = |cursor: &str| {
            format!("# é\r\nsubscription Ü {{\r\n  e: bookingEvents(filter: {{a: \"ü\"}},\n\tafter: \"{cursor}\") {{ id }} }}")
                .replace('Ü', "U")
        };
        let (one, other) = (shared(&text("1"), json!({})), shared(&text("23"), json!({})));
        assert_eq!(one.key, other.key);
        assert_eq!(other.after.as_deref(), Some("23"));
    }

    #[test]
    fn cursors_as_variables_make_no_difference_and_other_variables_do() {
        let text = "subscription($c: String, $f: F) { bookingEvents(after: $c, filter: $f) { id } }";
        let one = shared(text, json!({"c": "1", "f": {"a": 1, "b": [2]}}));
        let none = shared(text, json!({"f": {"b": [2], "a": 1}}));
        assert_eq!((one.after.as_deref(), none.after.as_deref()), (Some("1"), None));
        assert_eq!(one.key, none.key);
        assert_ne!(one.key, shared(text, json!({"f": {"a": 1, "b": [3]}})).key);
        assert_ne!(one.key, shared(text, json!({"f": {"a": "1", "b": [2]}})).key);
        let default = r#"subscription($c: String = "d") { bookingEvents(after: $c) { id } }"#;
        assert_eq!(shared(default, json!({})).after.as_deref(), Some("d"));
        assert_eq!(shared(default, json!({"c": null})).after, None);
    }

    #[test]
    fn statuses_are_shared_by_booking() {
        let text = "subscription($id: ID!) { bookingStatusChanged(bookingId: $id) { status } }";
        let one = shared(text, json!({"id": "1"}));
        assert_eq!(
            (one.field, one.after.as_deref()),
            (SharedField::BookingStatusChanged, None)
        );
        assert_eq!(one.booking.as_deref(), Some("1"));
        let literal = shared(
            "subscription { bookingStatusChanged(bookingId: \"2\") { status } }",
            json!({}),
        );
        assert_eq!(literal.booking.as_deref(), Some("2"));
        assert_eq!(one.key, shared(text, json!({"id": "1"})).key);
        assert_ne!(one.key, shared(text, json!({"id": "2"})).key);
    }

    #[test]
    fn the_operation_is_part_of_the_key() {
        let text = "subscription A { bookingEvents { id } } subscription B { bookingEvents { id } }";
        let keys = ["A", "B"].map(|name| of(text, Some(name), json!({})).unwrap().key);
        assert_ne!(keys[0], keys[1]);
        assert_eq!(of(text, None, json!({})), None);
        assert_eq!(of(text, Some("C"), json!({})), None);
    }

    #[test]
    fn what_is_unusual_is_not_shared() {
        for text in [
            "{ bookingEvents { id } }",
            "subscription { other { id } }",
            "subscription { bookingEvents { id } b: bookingEvents { id } }",
            "subscription { ...F } fragment F on Subscription { bookingEvents { id } }",
            "subscription { ... { bookingEvents { id } } }",
            "subscription { bookingEvents @include(if: true) { id } }",
            "subscription @d { bookingEvents { id } }",
            "subscription { bookingEvents(after: 1) { id } }",
            "subscription($c: String) { bookingEvents(after: $c) { booking { history(after: $c) { id } } } }",
            "subscription($c: String) { bookingEvents(after: $c) { ...F } } fragment F on E { x(y: {z: [$c]}) }",
        ] {
            assert_eq!(of(text, None, json!({"c": "1"})), None, "{text}");
        }
    }
}
