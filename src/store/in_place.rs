//! A connection of the embedded engine that runs every statement where it stands.
//!
//! The same asynchronous query code serves both engines, and here no future ever waits: the thread that asks is one that
//! may block. Statements go straight to Diesel's own connection, so that those which are known at compile time are
//! found in its cache without building their text, and values are bound without a copy on the way.

use std::{
    future::{Ready, ready},
    vec,
};

use diesel::{
    ConnectionResult, QueryResult,
    connection::{
        CacheSize, Connection as _, Instrumentation, LoadConnection, SimpleConnection as _, TransactionManagerStatus,
    },
    query_builder::{AsQuery, AstPass, Query, QueryFragment, QueryId},
    row::IntoOwnedRow,
    sql_types::Untyped,
    sqlite::{Sqlite, SqliteConnection},
};
use diesel_async::{AsyncConnection, AsyncConnectionCore, SimpleAsyncConnection, TransactionManager};
use futures_util::stream::{self, Iter};

/// The connection. It never leaves its thread while a statement runs.
#[expect(missing_debug_implementations, reason = "a connection has nothing to show")]
pub struct InPlace(SqliteConnection);

/// A row that stands on its own.
type OwnedRow =
    <<SqliteConnection as LoadConnection>::Row<'static, 'static> as IntoOwnedRow<'static, Sqlite>>::OwnedRow;

impl InPlace {
    pub(super) fn new(conn: SqliteConnection) -> Self {
        Self(conn)
    }

    fn rows<Q>(&mut self, query: Q) -> QueryResult<Vec<QueryResult<OwnedRow>>>
    where
        Q: QueryFragment<Sqlite> + QueryId,
    {
        let mut names = None;
        let rows = LoadConnection::load(&mut self.0, AnyColumns(query))?;
        rows.map(|row| Ok(Ok(row?.into_owned(&mut names)))).collect()
    }
}

/// A query of which only the row's reader knows what columns it has.
struct AnyColumns<Q>(Q);

impl<Q> Query for AnyColumns<Q> {
    type SqlType = Untyped;
}

impl<Q: QueryFragment<Sqlite>> QueryFragment<Sqlite> for AnyColumns<Q> {
    fn walk_ast<'b>(&'b self, pass: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        self.0.walk_ast(pass)
    }
}

impl<Q: QueryId> QueryId for AnyColumns<Q> {
    type QueryId = Q::QueryId;
    const HAS_STATIC_QUERY_ID: bool = Q::HAS_STATIC_QUERY_ID;
}

impl SimpleAsyncConnection for InPlace {
    async fn batch_execute(&mut self, query: &str) -> QueryResult<()> {
        self.0.batch_execute(query)
    }
}

impl AsyncConnectionCore for InPlace {
    type ExecuteFuture<'conn, 'query> = Ready<QueryResult<usize>>;
    type LoadFuture<'conn, 'query> = Ready<QueryResult<Self::Stream<'conn, 'query>>>;
    type Stream<'conn, 'query> = Iter<vec::IntoIter<QueryResult<OwnedRow>>>;
    type Row<'conn, 'query> = OwnedRow;
    type Backend = Sqlite;

    fn load<'conn, 'query, T>(&'conn mut self, source: T) -> Self::LoadFuture<'conn, 'query>
    where
        T: AsQuery + 'query,
        T::Query: QueryFragment<Sqlite> + QueryId + 'query,
    {
        ready(self.rows(source.as_query()).map(stream::iter))
    }

    fn execute_returning_count<'conn, 'query, T>(&'conn mut self, source: T) -> Self::ExecuteFuture<'conn, 'query>
    where
        T: QueryFragment<Sqlite> + QueryId + 'query,
    {
        ready(self.0.execute_returning_count(&source))
    }
}

impl AsyncConnection for InPlace {
    type TransactionManager = Transactions;

    async fn establish(database_url: &str) -> ConnectionResult<Self> {
        SqliteConnection::establish(database_url).map(Self)
    }

    fn transaction_state(&mut self) -> &mut TransactionManagerStatus {
        Transactions::transaction_manager_status_mut(self)
    }

    fn instrumentation(&mut self) -> &mut dyn Instrumentation {
        self.0.instrumentation()
    }

    fn set_instrumentation(&mut self, instrumentation: impl Instrumentation) {
        self.0.set_instrumentation(instrumentation);
    }

    fn set_prepared_statement_cache_size(&mut self, size: CacheSize) {
        self.0.set_prepared_statement_cache_size(size);
    }
}

/// Diesel's own transactions. The store begins and commits by itself and uses none of this.
#[derive(Debug)]
pub struct Transactions;

type Inner = diesel::connection::AnsiTransactionManager;

impl TransactionManager<InPlace> for Transactions {
    type TransactionStateData = TransactionManagerStatus;

    async fn begin_transaction(conn: &mut InPlace) -> QueryResult<()> {
        <Inner as diesel::connection::TransactionManager<_>>::begin_transaction(&mut conn.0)
    }

    async fn commit_transaction(conn: &mut InPlace) -> QueryResult<()> {
        <Inner as diesel::connection::TransactionManager<_>>::commit_transaction(&mut conn.0)
    }

    async fn rollback_transaction(conn: &mut InPlace) -> QueryResult<()> {
        <Inner as diesel::connection::TransactionManager<_>>::rollback_transaction(&mut conn.0)
    }

    fn transaction_manager_status_mut(conn: &mut InPlace) -> &mut TransactionManagerStatus {
        <Inner as diesel::connection::TransactionManager<_>>::transaction_manager_status_mut(&mut conn.0)
    }
}
