//! Stands in front of execution: nothing gets past it that doesn't parse, fit the schema and its variables' types, and
//! stay within the limits.
//!
//! It owns what a document means before anything runs. What stands behind it may rely on that, and only runs; it must
//! not know of callers, transports or resolvers.
//!
//! Whatever costs more than reading once is limited before it is done: text and tokens before parsing, what fragments
//! unfold to before validating, what the answer may hold before running. What a text means is kept, so that clients,
//! which send the same few documents again and again, pay for it once.

mod budget;
mod cost;
mod known;
mod limits;
mod one_of;
mod values;

use std::sync::{Arc, LazyLock};

use apollo_compiler::{
    Schema,
    ast::{DirectiveList, FieldDefinition},
    executable::ExecutableDocument,
    name,
    parser::Parser,
    request::coerce_variable_values,
    response::GraphQLError,
    schema::{Component, ExtendedType},
    ty,
    validation::Valid,
};
use async_graphql::{
    ErrorExtensionValues, Pos, Request, ServerError,
    parser::types::{DocumentOperations, ExecutableDocument as Parsed, Selection, SelectionSet},
};
use async_graphql_value::Value;

use known::Known;
pub use limits::Limits;

/// The schema that is served, as the gate reads it.
static SERVED: LazyLock<Arc<Valid<Schema>>> = LazyLock::new(|| Arc::new(schema(&super::sdl())));

#[expect(clippy::expect_used, reason = "a schema comes from the code, and a test reads it")]
fn schema(sdl: &str) -> Valid<Schema> {
    let mut schema = Schema::parse(sdl, "schema.graphql").expect("the schema parses");
    // The compiler's own picture of introspection lacks this field.
    if let Some(ExtendedType::Object(ty)) = schema.types.get_mut("__Type") {
        let field = FieldDefinition {
            description: None,
            name: name!("isOneOf"),
            arguments: Vec::new(),
            ty: ty!(Boolean),
            directives: DirectiveList::default(),
        };
        ty.make_mut().fields.insert(name!("isOneOf"), Component::new(field));
    }
    schema.validate().expect("the schema is valid")
}

/// The gate, with its memory of documents. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Gate {
    schema: Arc<Valid<Schema>>,
    limits: Limits,
    known: Arc<Known<Document>>,
}

/// A document that may run.
#[derive(Debug)]
struct Document {
    checked: Valid<ExecutableDocument>,
    /// As the executor reads it.
    parsed: Parsed,
    /// Written anew where the executor's parser couldn't read what was sent.
    rewritten: Option<String>,
    /// How deeply its brackets are nested.
    nesting: usize,
}

impl Gate {
    /// A gate in front of the schema that is served, with these limits.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self::with(Arc::clone(&SERVED), limits)
    }

    /// A gate in front of another schema.
    ///
    /// # Panics
    ///
    /// If it isn't a schema.
    #[must_use]
    pub fn of(sdl: &str, limits: Limits) -> Self {
        Self::with(Arc::new(schema(sdl)), limits)
    }

    fn with(schema: Arc<Valid<Schema>>, limits: Limits) -> Self {
        Self {
            schema,
            limits,
            known: Arc::new(Known::new()),
        }
    }

    /// The limits that it keeps.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Makes a request one that may run as it is, or says why it may not: its document is parsed, and its variables are
    /// those of the operation, coerced, with their defaults.
    pub fn admit(&self, request: &mut Request) -> Result<(), Vec<ServerError>> {
        let document = self.document(&request.query)?;
        let Document { checked, parsed, .. } = &*document;
        let operation = checked.operations.get(request.operation_name.as_deref());
        let operation =
            operation.map_err(|error| vec![fault(error.to_graphql_error(&checked.sources), Why::Validation)])?;
        let given = values::to_json(operation, std::mem::take(&mut request.variables));
        values::within(&given, document.nesting, &self.limits).map_err(over)?;
        let coerced = coerce_variable_values(&self.schema, operation, &given);
        let coerced = coerced.map_err(|error| vec![fault(error.to_graphql_error(&checked.sources), Why::Input)])?;
        for variable in &operation.variables {
            if let Some(value) = coerced.get(variable.name.as_str()) {
                one_of::value(&self.schema, &variable.ty, value).map_err(|message| vec![error(message, Why::Input)])?;
            }
        }
        cost::within(checked, operation, &coerced, &self.limits).map_err(over)?;

        let mut parsed = parsed.clone();
        let unset = |name: &str| !coerced.contains_key(name);
        if operation.variables.iter().any(|variable| unset(&variable.name)) {
            without_unset(&mut parsed, &unset);
        }
        request.set_parsed_query(parsed);
        request.variables = values::from_json(coerced.into_inner());
        if let Some(text) = &document.rewritten {
            request.query.clone_from(text);
        }
        Ok(())
    }

    /// Whether a document could run, whatever its variables; if not, why.
    pub fn check(&self, text: &str) -> Result<(), String> {
        let refused = |errors: Vec<ServerError>| errors.into_iter().next().map_or_else(String::new, |it| it.message);
        self.read(text).map(drop).map_err(refused)
    }

    /// What a text means.
    fn document(&self, text: &str) -> Result<Arc<Document>, Vec<ServerError>> {
        if let Some(document) = self.known.get(text) {
            return Ok(document);
        }
        let document = Arc::new(self.read(text)?);
        self.known.keep(text, &document);
        Ok(document)
    }

    fn read(&self, text: &str) -> Result<Document, Vec<ServerError>> {
        let limits = &self.limits;
        if text.len() > limits.document_bytes {
            let message = format!("the document is longer than {} bytes", limits.document_bytes);
            return Err(over(message));
        }
        let mut parser = Parser::new().recursion_limit(limits.nesting).token_limit(limits.tokens);
        let ast = parser.parse_ast(text, "").map_err(|invalid| {
            let limited = parser.tokens_reached() > limits.tokens || parser.recursion_reached() > limits.nesting;
            let why = if limited { Why::Limit } else { Why::Syntax };
            faults(invalid.errors.iter().map(|error| error.unstable_to_json_compat()), why)
        })?;
        let asks = budget::within(&ast, limits).map_err(over)?;
        if asks.schema && limits.no_introspection {
            return Err(vec![error(
                "this server doesn't answer questions about its schema",
                Why::Secret,
            )]);
        }
        let checked = ast.to_executable_validate(&self.schema).map_err(|invalid| {
            let told = invalid.errors.iter().map(|error| error.unstable_to_json_compat());
            // Of a field whose selections are all unknown the compiler also says that it has none.
            let (empty, other): (Vec<_>, Vec<_>) =
                told.take(READ).partition(|error| error.message.contains(NO_SELECTION));
            let most_telling = if other.is_empty() { empty } else { other };
            faults(most_telling.into_iter(), Why::Validation)
        })?;
        one_of::document(&self.schema, &checked).map_err(|(message, location)| {
            let invalid = GraphQLError::new(message, location, &checked.sources);
            vec![fault(invalid, Why::Validation)]
        })?;
        // The executor's parser knows neither surrogate pairs nor `\u{...}`.
        let rewritten = text.contains("\\u").then(|| ast.to_string());
        let parsed = async_graphql::parser::parse_query(rewritten.as_deref().unwrap_or(text));
        let parsed = parsed.map_err(|unreadable| {
            let unreadable = ServerError::from(unreadable);
            vec![error(unreadable.message, Why::Syntax)]
        })?;
        Ok(Document {
            checked,
            parsed,
            rewritten,
            nesting: parser.recursion_reached(),
        })
    }
}

/// Leaves out arguments whose variable has no value: the executor would read null, where the argument's default counts.
fn without_unset(document: &mut Parsed, unset: &impl Fn(&str) -> bool) {
    for fragment in document.fragments.values_mut() {
        without_unset_in(&mut fragment.node.selection_set.node, unset);
    }
    match &mut document.operations {
        DocumentOperations::Single(operation) => without_unset_in(&mut operation.node.selection_set.node, unset),
        DocumentOperations::Multiple(operations) => {
            for operation in operations.values_mut() {
                without_unset_in(&mut operation.node.selection_set.node, unset);
            }
        }
    }
}

fn without_unset_in(set: &mut SelectionSet, unset: &impl Fn(&str) -> bool) {
    for selection in &mut set.items {
        let below = match &mut selection.node {
            Selection::Field(field) => {
                let arguments = &mut field.node.arguments;
                arguments.retain(|(_, value)| !matches!(&value.node, Value::Variable(name) if unset(name)));
                &mut field.node.selection_set
            }
            Selection::InlineFragment(fragment) => &mut fragment.node.selection_set,
            Selection::FragmentSpread(_) => continue,
        };
        without_unset_in(&mut below.node, unset);
    }
}

/// Why a request doesn't get through.
#[derive(Clone, Copy, Debug)]
enum Why {
    Syntax,
    Validation,
    Input,
    Limit,
    Secret,
}

impl Why {
    fn code(self) -> &'static str {
        match self {
            Self::Syntax => "GRAPHQL_PARSE_FAILED",
            Self::Validation => "GRAPHQL_VALIDATION_FAILED",
            Self::Input => "BAD_USER_INPUT",
            Self::Limit => "LIMIT_EXCEEDED",
            Self::Secret => "INTROSPECTION_DISABLED",
        }
    }
}

/// Most errors that are told of one document, and most that are looked at for that.
const TOLD: usize = 10;
const READ: usize = 100;
const NO_SELECTION: &str = "must have a selection of subfields";

fn faults(errors: impl Iterator<Item = GraphQLError>, why: Why) -> Vec<ServerError> {
    errors.take(TOLD).map(|error| fault(error, why)).collect()
}

fn fault(invalid: GraphQLError, why: Why) -> ServerError {
    let mut error = error(invalid.message, why);
    error.locations = invalid
        .locations
        .iter()
        .map(|at| Pos {
            line: at.line,
            column: at.column,
        })
        .collect();
    error
}

fn error(message: impl Into<String>, why: Why) -> ServerError {
    let mut error = ServerError::new(message, None);
    error
        .extensions
        .get_or_insert_with(ErrorExtensionValues::default)
        .set("code", why.code());
    error
}

fn over(message: String) -> Vec<ServerError> {
    vec![error(message, Why::Limit)]
}

#[cfg(test)]
mod tests;
