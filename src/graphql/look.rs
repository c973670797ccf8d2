//! What the client asked for further down: lists load the children of all their rows at once, and only if wanted.

use async_graphql::{Context, Lookahead};

/// The selections below some fields. A connection's rows stand below both `nodes` and `edges.node`.
#[expect(missing_debug_implementations, reason = "a view of the request has nothing to show")]
pub struct Look<'a>(Vec<Lookahead<'a>>);

impl<'a> Look<'a> {
    /// Below the present field, which is an object or a plain list.
    #[must_use]
    pub fn here(ctx: &'a Context<'_>) -> Self {
        Self(vec![ctx.look_ahead()])
    }

    /// Below the rows of the present field, which is a connection.
    #[must_use]
    pub fn rows(ctx: &'a Context<'_>) -> Self {
        let connection = ctx.look_ahead();
        Self(vec![connection.field("nodes"), connection.field("edges").field("node")])
    }

    /// Below a field of these.
    #[must_use]
    pub fn field(&self, name: &str) -> Self {
        Self(self.0.iter().map(|look| look.field(name)).collect())
    }

    /// Whether a field of these was asked for.
    #[must_use]
    pub fn selects(&self, name: &str) -> bool {
        self.0.iter().any(|look| look.field(name).exists())
    }
}
