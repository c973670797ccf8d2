//! What an operation is about, in a few words out of the schema: nothing that a client wrote.

use std::collections::BTreeSet;

use async_graphql::{
    Positioned,
    parser::types::{DocumentOperations, ExecutableDocument, OperationType, Selection, SelectionSet},
};

/// The kind of an operation and the fields at its root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// `query`, `mutation` or `subscription`.
    pub kind: &'static str,
    /// The fields' names, each once. Those that directives leave out count, too.
    pub fields: BTreeSet<String>,
}

impl Summary {
    /// Of the operation that runs; none if the document has no such one. The document must be one that the gate let
    /// through: its fields are the schema's, and its fragments end.
    #[must_use]
    pub fn of(document: &ExecutableDocument, name: Option<&str>) -> Option<Self> {
        let operation = match (&document.operations, name) {
            (DocumentOperations::Single(operation), _) => operation,
            (DocumentOperations::Multiple(operations), Some(name)) => operations.get(name)?,
            (DocumentOperations::Multiple(operations), None) => operations.values().next()?,
        };
        let kind = match operation.node.ty {
            OperationType::Query => "query",
            OperationType::Mutation => "mutation",
            OperationType::Subscription => "subscription",
        };
        let mut fields = BTreeSet::new();
        collect(
            document,
            &operation.node.selection_set,
            &mut BTreeSet::new(),
            &mut fields,
        );
        Some(Self { kind, fields })
    }
}

fn collect<'a>(
    document: &'a ExecutableDocument,
    set: &'a Positioned<SelectionSet>,
    seen: &mut BTreeSet<&'a str>,
    fields: &mut BTreeSet<String>,
) {
    for selection in &set.node.items {
        match &selection.node {
            Selection::Field(field) => {
                fields.insert(field.node.name.node.to_string());
            }
            Selection::InlineFragment(fragment) => collect(document, &fragment.node.selection_set, seen, fields),
            Selection::FragmentSpread(spread) => {
                let name = &spread.node.fragment_name.node;
                if seen.insert(name.as_str())
                    && let Some(fragment) = document.fragments.get(name)
                {
                    collect(document, &fragment.node.selection_set, seen, fields);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn fields_are_named_once_whatever_they_are_called_and_wherever_they_stand() {
        let document = "
            query A { mine: site { id } ...F ... on Query { services { nodes { id } } } }
            mutation B { createBooking(input: $input) { booking { id } } }
            fragment F on Query { yours: site { name } ...G }
            fragment G on Query { bookings { totalCount } ...F }";
        let document = async_graphql::parser::parse_query(document).unwrap();
        let of = |name| {
            let summary = Summary::of(&document, Some(name)).unwrap();
            (summary.kind, summary.fields.into_iter().collect::<Vec<_>>().join(" "))
        };
        assert_eq!(of("A"), ("query", "bookings services site".to_owned()));
        assert_eq!(of("B"), ("mutation", "createBooking".to_owned()));
        assert_eq!(Summary::of(&document, Some("C")), None);
    }
}
