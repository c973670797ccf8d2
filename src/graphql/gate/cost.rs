//! What an operation's answer may come to.
//!
//! Every field counts one for each object that it may be asked of: a connection's `nodes` and `edges` are as many as its
//! page, a list without pages counts as [`LIST`]. Nothing is read or run for that.

use apollo_compiler::{
    Name,
    ast::Value,
    collections::HashMap,
    executable::{ExecutableDocument, Field, Operation, Selection, SelectionSet},
    response::{JsonMap, JsonValue},
};

use super::Limits;
use crate::graphql::connection::{DEFAULT_PAGE, MAX_PAGE};

/// How many rows a list that is bounded by time has at the most.
const MAX_ROWS: u64 = 1000;
/// How long a list without pages is taken to be.
const LIST: u64 = 10;
/// Lists that are known to be shorter: one entry for each type of resource.
const SHORT: [(&str, u64); 1] = [("availableResources", 2)];
/// Lists that stand beside the rows that a limit counts, and how long they are taken to be: as many as a large business
/// has resources.
const BESIDE: [(&str, &str, u64); 2] = [("Calendar", "resources", 50), ("Calendar", "workingHours", 50)];
/// How often lists of introspection may be nested: `types { fields { args } }` and what deprecations of them need, but
/// not `types { fields { type { fields { type { fields` and so on, which unfolds the schema into itself.
const INTROSPECTION: usize = 3;
/// Fields of introspection that an operation may select: the clients' own tools select some 200, and each is asked of
/// every type.
const INTROSPECTED: u64 = 400;

/// Refuses operations whose answer may come to more than the limits allow.
pub(super) fn within(
    document: &ExecutableDocument,
    operation: &Operation,
    variables: &JsonMap,
    limits: &Limits,
) -> Result<(), String> {
    let mut estimate = Estimate {
        document,
        variables,
        fragments: HashMap::default(),
    };
    let answer = estimate.set(&operation.selection_set, None);
    if answer.values > limits.complexity {
        return Err(format!(
            "the answer may come to {} values, and {} is the most: ask for fewer fields or smaller pages",
            answer.values, limits.complexity
        ));
    }
    if answer.introspection > INTROSPECTION {
        return Err("introspection unfolds the schema into itself: select fewer levels".into());
    }
    if answer.introspected > INTROSPECTED {
        return Err(format!(
            "introspection of more than {INTROSPECTED} fields, fragments unfolded"
        ));
    }
    Ok(())
}

#[derive(Clone, Copy, Default)]
struct Answer {
    values: u64,
    /// How often lists of introspection are nested.
    introspection: usize,
    /// Fields of introspection.
    introspected: u64,
}

struct Estimate<'d> {
    document: &'d ExecutableDocument,
    variables: &'d JsonMap,
    /// What a fragment comes to, by its name and the page that it is spread in.
    fragments: HashMap<(Name, Option<u64>), Answer>,
}

impl Estimate<'_> {
    /// A selection set, of a connection with a page of this size or of something else.
    fn set(&mut self, set: &SelectionSet, page: Option<u64>) -> Answer {
        let mut sum = Answer::default();
        for selection in &set.selections {
            let one = match selection {
                Selection::Field(field) => self.field(field, &set.ty, page),
                Selection::InlineFragment(fragment) => self.set(&fragment.selection_set, page),
                Selection::FragmentSpread(spread) => self.fragment(&spread.fragment_name, page),
            };
            sum.values = sum.values.saturating_add(one.values);
            sum.introspection = sum.introspection.max(one.introspection);
            sum.introspected = sum.introspected.saturating_add(one.introspected);
        }
        sum
    }

    fn fragment(&mut self, name: &Name, page: Option<u64>) -> Answer {
        let key = (name.clone(), page);
        if let Some(known) = self.fragments.get(&key) {
            return *known;
        }
        let document = self.document;
        let answer = match document.fragments.get(name) {
            Some(fragment) => self.set(&fragment.selection_set, page),
            None => Answer::default(),
        };
        self.fragments.insert(key, answer);
        answer
    }

    fn field(&mut self, field: &Field, of: &Name, page: Option<u64>) -> Answer {
        let of_introspection = of.starts_with("__");
        let below = self.set(&field.selection_set, self.page(field));
        let is_list = field.definition.ty.is_list();
        let times = match page {
            _ if of_introspection => 1,
            Some(page) if is_list => {
                let beside = BESIDE.iter().find(|(ty, name, _)| of == ty && field.name == *name);
                beside.map_or(page, |(_, _, length)| *length)
            }
            None if is_list && !field.selection_set.is_empty() => {
                let short = SHORT.iter().find(|(name, _)| field.name == *name);
                let length = short.map_or(LIST, |(_, length)| *length);
                self.given(field).unwrap_or(length)
            }
            _ => 1,
        };
        let unfolds = of_introspection
            && is_list
            && matches!(
                field.name.as_str(),
                "fields" | "inputFields" | "interfaces" | "possibleTypes"
            );
        Answer {
            values: below.values.saturating_add(1).saturating_mul(times),
            introspection: below.introspection + usize::from(unfolds),
            introspected: below.introspected.saturating_add(u64::from(of_introspection)),
        }
    }

    /// The size of the page that a field asks for, if it has pages; or how many rows it answers with at the most, if it is
    /// bounded by time and says so.
    fn page(&self, field: &Field) -> Option<u64> {
        if let Some(limit) = field.definition.argument_by_name("limit") {
            let given = field.arguments.iter().find(|argument| argument.name == "limit");
            let value = given.map(|argument| &argument.value).or(limit.default_value.as_ref());
            let rows = value.and_then(|value| self.number(value))?;
            // A larger number is refused where it is read.
            return Some(u64::try_from(rows).unwrap_or(0).min(MAX_ROWS));
        }
        field.definition.argument_by_name("first")?;
        let size = |name: &str| {
            let argument = field.arguments.iter().find(|argument| argument.name == name)?;
            self.number(&argument.value)
        };
        let size = size("first")
            .or_else(|| size("last"))
            .unwrap_or(i64::from(DEFAULT_PAGE));
        // A larger page is refused where it is read.
        Some(
            u64::try_from(size)
                .unwrap_or(0)
                .min(u64::try_from(MAX_PAGE).unwrap_or(0)),
        )
    }

    fn number(&self, value: &Value) -> Option<i64> {
        match value {
            Value::Int(number) => number.try_to_i32().ok().map(i64::from),
            Value::Variable(name) => self.variables.get(name.as_str()).and_then(JsonValue::as_i64),
            _ => None,
        }
    }

    /// The length of the list that a field is given, if it is given one: it answers with as many.
    fn given(&self, field: &Field) -> Option<u64> {
        let lengths = field.arguments.iter().filter_map(|argument| match &*argument.value {
            Value::List(items) => Some(items.len()),
            Value::Variable(name) => self.variables.get(name.as_str())?.as_array().map(Vec::len),
            _ => None,
        });
        lengths.max().and_then(|length| u64::try_from(length).ok())
    }
}
