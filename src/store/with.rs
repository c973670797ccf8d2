//! Two statements in one round trip, on the engine that is a round trip away.

use diesel::{
    QueryResult,
    pg::Pg,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
};

/// Runs `first`, whose result `then` finds under the name `first`. Answers what `then` does.
#[derive(Debug, Clone, Copy, QueryId)]
pub(super) struct With<A, B> {
    pub(super) first: A,
    pub(super) then: B,
}

impl<A: QueryFragment<Pg>, B: QueryFragment<Pg>> QueryFragment<Pg> for With<A, B> {
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        pass.push_sql(r#"WITH "first" AS ("#);
        self.first.walk_ast(pass.reborrow())?;
        pass.push_sql(") ");
        self.then.walk_ast(pass)
    }
}

impl<A, B: Query> Query for With<A, B> {
    type SqlType = B::SqlType;
}
