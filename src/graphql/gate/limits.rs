//! How much one request may ask for.

use clap::Args;

/// The limits of one request, each a setting of the server. The defaults leave room for several times what the clients'
/// own tools send.
#[derive(Clone, Debug, PartialEq, Eq, Args)]
#[command(next_help_heading = "Limits of one request")]
pub struct Limits {
    /// Bytes of a document's text.
    #[arg(long = "limit-document", env = "FRONTDESK_LIMIT_DOCUMENT", value_name = "BYTES", default_value_t = Self::DEFAULT.document_bytes, global = true)]
    pub document_bytes: usize,

    /// Tokens of a document.
    #[arg(long = "limit-tokens", env = "FRONTDESK_LIMIT_TOKENS", value_name = "NUMBER", default_value_t = Self::DEFAULT.tokens, global = true)]
    pub tokens: usize,

    /// Operations and fragments of a document.
    #[arg(long = "limit-definitions", env = "FRONTDESK_LIMIT_DEFINITIONS", value_name = "NUMBER", default_value_t = Self::DEFAULT.definitions, global = true)]
    pub definitions: usize,

    /// How deeply brackets may be nested in a document and its variables, taken together.
    // Parsing and reading the input go down once for each, and an exhausted stack takes the whole server with it.
    #[arg(long = "limit-nesting", env = "FRONTDESK_LIMIT_NESTING", value_name = "NUMBER", default_value_t = Self::DEFAULT.nesting, global = true,
        value_parser = nesting)]
    pub nesting: usize,

    /// Levels of fields below each other.
    #[arg(long = "limit-depth", env = "FRONTDESK_LIMIT_DEPTH", value_name = "NUMBER", default_value_t = Self::DEFAULT.depth, global = true)]
    pub depth: usize,

    /// Fields and fragments that a document's operations select, fragments unfolded.
    #[arg(long = "limit-selections", env = "FRONTDESK_LIMIT_SELECTIONS", value_name = "NUMBER", default_value_t = Self::DEFAULT.selections, global = true)]
    pub selections: usize,

    /// Fields at the root of an operation.
    #[arg(long = "limit-root-fields", env = "FRONTDESK_LIMIT_ROOT_FIELDS", value_name = "NUMBER", default_value_t = Self::DEFAULT.root_fields, global = true)]
    pub root_fields: usize,

    /// Aliases of an operation, fragments unfolded.
    #[arg(long = "limit-aliases", env = "FRONTDESK_LIMIT_ALIASES", value_name = "NUMBER", default_value_t = Self::DEFAULT.aliases, global = true)]
    pub aliases: usize,

    /// Directives of an operation, fragments unfolded.
    #[arg(long = "limit-directives", env = "FRONTDESK_LIMIT_DIRECTIVES", value_name = "NUMBER", default_value_t = Self::DEFAULT.directives, global = true)]
    pub directives: usize,

    /// Values that an operation's answer may come to, as the sizes of its pages say.
    #[arg(long = "limit-complexity", env = "FRONTDESK_LIMIT_COMPLEXITY", value_name = "VALUES", default_value_t = Self::DEFAULT.complexity, global = true)]
    pub complexity: u64,

    /// Items of one list in a document or its variables.
    #[arg(long = "limit-list-items", env = "FRONTDESK_LIMIT_LIST_ITEMS", value_name = "NUMBER", default_value_t = Self::DEFAULT.list_items, global = true)]
    pub list_items: usize,

    /// Values in a request's variables, those within others included.
    #[arg(long = "limit-variables", env = "FRONTDESK_LIMIT_VARIABLES", value_name = "VALUES", default_value_t = Self::DEFAULT.variable_values, global = true)]
    pub variable_values: usize,

    /// Don't answer questions about the schema itself (`__schema`, `__type`): the clients' tools then need
    /// `schema.graphql`, which `frontdesk schema` prints.
    #[arg(long = "no-introspection", env = "FRONTDESK_NO_INTROSPECTION", global = true)]
    pub no_introspection: bool,

    /// Errors that one answer tells.
    #[arg(long = "limit-errors", env = "FRONTDESK_LIMIT_ERRORS", value_name = "NUMBER", default_value_t = Self::DEFAULT.errors, global = true)]
    pub errors: usize,
}

impl Limits {
    const DEFAULT: Self = Self {
        document_bytes: 128 * 1024,
        tokens: 10_000,
        definitions: 100,
        nesting: MAX_NESTING,
        depth: 25,
        selections: 2_000,
        root_fields: 50,
        aliases: 100,
        directives: 100,
        complexity: 50_000,
        list_items: 1_000,
        variable_values: 20_000,
        no_introspection: false,
        errors: 100,
    };
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// More would be more than the stack of a thread holds.
const MAX_NESTING: usize = 56;

fn nesting(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| (1..=MAX_NESTING).contains(number));
    number.ok_or_else(|| format!("expected a number from 1 to {MAX_NESTING}"))
}
