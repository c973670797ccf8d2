//! How much a document unfolds to, before anything walks it.
//!
//! Each fragment is counted once and its sum remembered: thirty fragments that spread each other twice cost thirty
//! counts and not a thousand million.

use apollo_compiler::{
    Name,
    ast::{Definition, Document, FragmentDefinition, Selection, Value},
    collections::HashMap,
};

use super::Limits;

/// What an operation or fragment comes to, its fragments unfolded.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    selections: usize,
    /// Fields of the uppermost level.
    fields: usize,
    aliases: usize,
    directives: usize,
    depth: usize,
}

/// What a document within the limits asks about.
pub(super) struct Asks {
    /// About the schema itself.
    pub(super) schema: bool,
}

/// Refuses documents that unfold to more than the limits allow.
pub(super) fn within(document: &Document, limits: &Limits) -> Result<Asks, String> {
    if document.definitions.len() > limits.definitions {
        return Err(format!(
            "the document has more than {} operations and fragments",
            limits.definitions
        ));
    }
    let mut count = Count::new(document);
    // Taken together: each is looked at, with all that it spreads, whichever is to run.
    let mut selections = 0_usize;
    for definition in &document.definitions {
        if let Definition::OperationDefinition(operation) = definition {
            for variable in &operation.variables {
                count.directives_of_definitions += variable.directives.len();
                variable.default_value.iter().for_each(|value| count.value(value));
            }
            let sum = count.set(&operation.selection_set);
            selections = selections.saturating_add(sum.selections);
            let directives = sum.directives + operation.directives.len() + count.directives_of_definitions;
            for (is, limit, what) in [
                (selections, limits.selections, "fields and fragments"),
                (sum.fields, limits.root_fields, "fields at its root"),
                (sum.aliases, limits.aliases, "aliases"),
                (directives, limits.directives, "directives"),
                (sum.depth, limits.depth, "levels of fields"),
            ] {
                if is > limit {
                    return Err(format!("more than {limit} {what}, fragments unfolded"));
                }
            }
        }
    }
    // Those that no operation spreads count as well.
    for definition in &document.definitions {
        if let Definition::FragmentDefinition(fragment) = definition
            && count.fragment(&fragment.name).selections > limits.selections
        {
            return Err(format!(
                "the fragment {} has more than {} fields and fragments",
                fragment.name, limits.selections
            ));
        }
    }
    if count.longest > limits.list_items {
        return Err(format!("a list has more than {} items", limits.list_items));
    }
    Ok(Asks {
        schema: count.introspects,
    })
}

struct Count<'d> {
    fragments: HashMap<Name, &'d FragmentDefinition>,
    /// None while it is being counted: a fragment that spreads itself, which validation refuses.
    sums: HashMap<Name, Option<Sum>>,
    directives_of_definitions: usize,
    /// Items of the longest list.
    longest: usize,
    introspects: bool,
}

impl<'d> Count<'d> {
    fn new(document: &'d Document) -> Self {
        let fragments = document.definitions.iter().filter_map(|definition| match definition {
            Definition::FragmentDefinition(fragment) => Some((fragment.name.clone(), &**fragment)),
            _ => None,
        });
        Self {
            fragments: fragments.collect(),
            sums: HashMap::default(),
            directives_of_definitions: 0,
            longest: 0,
            introspects: false,
        }
    }

    fn set(&mut self, set: &[Selection]) -> Sum {
        let mut sum = Sum::default();
        for selection in set {
            let (own, below, directives) = match selection {
                Selection::Field(field) => {
                    self.introspects |= matches!(field.name.as_str(), "__schema" | "__type");
                    let below = self.set(&field.selection_set);
                    field.arguments.iter().for_each(|argument| self.value(&argument.value));
                    let own = Sum {
                        selections: 1,
                        fields: 1,
                        aliases: usize::from(field.alias.is_some()),
                        depth: 1 + below.depth,
                        ..Sum::default()
                    };
                    (own, Sum { fields: 0, ..below }, &field.directives)
                }
                Selection::InlineFragment(fragment) => {
                    let below = self.set(&fragment.selection_set);
                    (
                        Sum {
                            selections: 1,
                            ..Sum::default()
                        },
                        below,
                        &fragment.directives,
                    )
                }
                Selection::FragmentSpread(spread) => {
                    let below = self.fragment(&spread.fragment_name);
                    (
                        Sum {
                            selections: 1,
                            ..Sum::default()
                        },
                        below,
                        &spread.directives,
                    )
                }
            };
            for directive in directives {
                directive
                    .arguments
                    .iter()
                    .for_each(|argument| self.value(&argument.value));
            }
            let add = |sum: usize, own: usize, below: usize| sum.saturating_add(own).saturating_add(below);
            sum = Sum {
                selections: add(sum.selections, own.selections, below.selections),
                fields: add(sum.fields, own.fields, below.fields),
                aliases: add(sum.aliases, own.aliases, below.aliases),
                directives: add(sum.directives, directives.len(), below.directives),
                depth: sum.depth.max(own.depth).max(below.depth),
            };
        }
        sum
    }

    fn fragment(&mut self, name: &Name) -> Sum {
        if let Some(known) = self.sums.get(name) {
            return known.unwrap_or_default();
        }
        let Some(fragment) = self.fragments.get(name).copied() else {
            return Sum::default();
        };
        self.sums.insert(name.clone(), None);
        let mut sum = self.set(&fragment.selection_set);
        sum.directives = sum.directives.saturating_add(fragment.directives.len());
        self.sums.insert(name.clone(), Some(sum));
        sum
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::List(items) => {
                self.longest = self.longest.max(items.len());
                for item in items {
                    self.value(item);
                }
            }
            Value::Object(fields) => fields.iter().for_each(|(_, value)| self.value(value)),
            _ => {}
        }
    }
}
