//! Migrations of both engines, embedded.

use diesel::{QueryDsl as _, migration::MigrationVersion, pg::Pg, sqlite::Sqlite};
use diesel_async::{
    AsyncConnection as _, AsyncMigrationHarness, AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection as _,
};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::{Conn, DatabaseUrl, StoreError, on, sqlite};

const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// Any number that no other program on the database uses as an advisory lock.
const LOCK: i64 = 0x4652_4f4e_5444_534b;

diesel::table! {
    __diesel_schema_migrations (version) {
        version -> diesel::sql_types::Text,
    }
}

/// Applies what is pending; says how many there were.
pub(super) async fn run(url: &DatabaseUrl) -> Result<usize, StoreError> {
    match url {
        DatabaseUrl::Sqlite(path) => {
            let path = path.clone();
            let apply = move || {
                let mut conn = sqlite::connect_plain(&path)?;
                let applied = conn
                    .run_pending_migrations(SQLITE)
                    .map_err(|error| StoreError::Schema(error.to_string()))?;
                Ok(applied.len())
            };
            tokio::task::spawn_blocking(apply)
                .await
                .map_err(|_| StoreError::Panicked)?
        }
        DatabaseUrl::Postgres(url) => {
            let mut conn = AsyncPgConnection::establish(url)
                .await
                .map_err(|error| StoreError::Unavailable(error.to_string()))?;
            // Two servers that start at once must not both migrate.
            conn.batch_execute(&format!("SELECT pg_advisory_lock({LOCK})")).await?;
            let apply = move || {
                let mut harness = AsyncMigrationHarness::new(conn);
                harness
                    .run_pending_migrations(POSTGRES)
                    .map(|applied| applied.len())
                    .map_err(|error| StoreError::Schema(error.to_string()))
            };
            // The lock ends with the connection.
            tokio::task::spawn_blocking(apply)
                .await
                .map_err(|_| StoreError::Panicked)?
        }
    }
}

/// Fails unless the database has exactly the migrations that this program knows, or newer ones beside them.
pub(super) async fn check(conn: &mut Conn) -> Result<(), StoreError> {
    let applied: Vec<String> = on!(conn, c => {
        __diesel_schema_migrations::table.select(__diesel_schema_migrations::version).load(c).await
    })?;
    let known = match conn {
        Conn::Sqlite(_) => versions::<Sqlite>(&SQLITE)?,
        Conn::Pg(_) => versions::<Pg>(&POSTGRES)?,
    };
    let missing = known.iter().filter(|version| !applied.contains(version)).count();
    if missing == 0 {
        Ok(())
    } else {
        Err(StoreError::Schema(format!(
            "{missing} migrations are pending; run `frontdesk migrate`"
        )))
    }
}

fn versions<DB: diesel::backend::Backend>(migrations: &EmbeddedMigrations) -> Result<Vec<String>, StoreError> {
    use diesel::migration::MigrationSource;
    let all = MigrationSource::<DB>::migrations(migrations).map_err(|error| StoreError::Schema(error.to_string()))?;
    Ok(all
        .iter()
        .map(|migration| MigrationVersion::as_owned(&migration.name().version()).to_string())
        .collect())
}
