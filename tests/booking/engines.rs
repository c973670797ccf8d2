//! The two engines' schemas, after all migrations: the same tables with the same columns, which may be null in the same
//! places. What only one engine has is listed here by name.

use std::collections::BTreeMap;

use diesel::{Connection as _, sqlite::SqliteConnection};
use diesel::{
    QueryableByName, sql_query,
    sql_types::{Bool, Text},
};
use diesel_async::{AsyncConnection as _, AsyncPgConnection};
use frontdesk::store::{self, DatabaseUrl};

use crate::support::{Engine, engine::postgres_is_there};

/// Columns that only one engine has, as `engine table.column`.
const ENGINE_ONLY: [&str; 0] = [];

#[derive(Debug, QueryableByName)]
struct Column {
    #[diesel(sql_type = Text)]
    table_name: String,
    #[diesel(sql_type = Text)]
    column_name: String,
    #[diesel(sql_type = Bool)]
    nullable: bool,
    #[diesel(sql_type = Text)]
    sort: String,
}

#[derive(Debug, QueryableByName)]
struct Index {
    #[diesel(sql_type = Text)]
    name: String,
}

/// Whether each column may be null, and what sort of value it has.
type Columns = BTreeMap<String, (bool, String)>;

fn columns(engine: &str, rows: Vec<Column>) -> Columns {
    rows.into_iter()
        .map(|row| {
            (
                format!("{}.{}", row.table_name, row.column_name),
                (row.nullable, row.sort),
            )
        })
        .filter(|(name, _)| !ENGINE_ONLY.contains(&format!("{engine} {name}").as_str()))
        .collect()
}

/// What stands for one value on both engines: `schema.rs` gives it one type.
fn sort(declared: &str) -> String {
    match declared {
        "uuid" | "bytea" | "blob" => "bytes",
        "text" | "jsonb" => "text",
        "integer" | "bigint" | "boolean" | "timestamp with time zone" => "number",
        other => other,
    }
    .to_owned()
}

fn sorted(mut rows: Vec<Column>) -> Vec<Column> {
    for row in &mut rows {
        row.sort = sort(&row.sort.to_lowercase());
    }
    rows
}

#[tokio::test]
async fn the_engines_have_the_same_tables_columns_and_indexes() {
    if !postgres_is_there() {
        return;
    }
    let embedded = Engine::Sqlite.database().await;
    store::migrate(&embedded.url).await.unwrap();
    let DatabaseUrl::Sqlite(path) = &embedded.url else {
        panic!("the embedded engine")
    };
    let mut conn = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    let query = "SELECT m.name AS table_name, c.name AS column_name, \
            (c.\"notnull\" = 0 AND c.pk = 0) AS nullable, c.type AS sort \
        FROM sqlite_master m JOIN pragma_table_info(m.name) c \
        WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND m.name NOT LIKE '\\_\\_%' ESCAPE '\\'";
    let sqlite = columns(
        "sqlite",
        sorted(diesel::RunQueryDsl::load(sql_query(query), &mut conn).unwrap()),
    );
    let query = "SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL ORDER BY name";
    let sqlite_indexes: Vec<Index> = diesel::RunQueryDsl::load(sql_query(query), &mut conn).unwrap();

    let server = Engine::Postgres.database().await;
    let DatabaseUrl::Postgres(url) = &server.url else {
        panic!("the server engine")
    };
    let mut conn = AsyncPgConnection::establish(url).await.unwrap();
    let query = "SELECT table_name::text, column_name::text, is_nullable = 'YES' AS nullable, data_type::text AS sort \
        FROM information_schema.columns WHERE table_schema = 'public' AND left(table_name, 2) <> '__'";
    let rows: Vec<Column> = diesel_async::RunQueryDsl::load(sql_query(query), &mut conn)
        .await
        .unwrap();
    let postgres = columns("postgres", sorted(rows));
    let query = "SELECT indexname::text AS name FROM pg_indexes WHERE schemaname = 'public' AND left(tablename, 2) <> '__' \
        AND indexname NOT IN (SELECT conname FROM pg_constraint) ORDER BY indexname";
    let postgres_indexes: Vec<Index> = diesel_async::RunQueryDsl::load(sql_query(query), &mut conn)
        .await
        .unwrap();

    assert!(sqlite.len() > 100, "{}", sqlite.len());
    let missing = |from: &Columns, other: &Columns| -> Vec<String> {
        from.keys().filter(|name| !other.contains_key(*name)).cloned().collect()
    };
    assert_eq!(
        missing(&sqlite, &postgres),
        Vec::<String>::new(),
        "only the embedded engine has them"
    );
    assert_eq!(
        missing(&postgres, &sqlite),
        Vec::<String>::new(),
        "only the server engine has them"
    );
    assert_eq!(sqlite, postgres);
    let names = |indexes: Vec<Index>| indexes.into_iter().map(|index| index.name).collect::<Vec<_>>();
    assert_eq!(names(sqlite_indexes), names(postgres_indexes));
}

/// Every key begins with the site, so that sites can be spread over machines and none reads another's rows.
#[tokio::test]
async fn every_primary_key_begins_with_the_site() {
    let embedded = Engine::Sqlite.database().await;
    store::migrate(&embedded.url).await.unwrap();
    let DatabaseUrl::Sqlite(path) = &embedded.url else {
        panic!("the embedded engine")
    };
    let mut conn = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    let query = "SELECT m.name || '.' || c.name AS name FROM sqlite_master m JOIN pragma_table_info(m.name) c \
        WHERE m.type = 'table' AND c.pk = 1 AND c.name <> 'site_id' \
            AND m.name NOT LIKE 'sqlite_%' AND m.name NOT LIKE '\\_\\_%' ESCAPE '\\'";
    let others: Vec<Index> = diesel::RunQueryDsl::load(sql_query(query), &mut conn).unwrap();
    let others: Vec<String> = others.into_iter().map(|index| index.name).collect();
    assert_eq!(others, ["sites.id"], "the directory of sites is the one exception");
}
