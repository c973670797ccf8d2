//! Acts that touched the calendar without changing a booking: entries of the log that are no booking's events. They take
//! their positions from the same counter.

use diesel::{
    BoolExpressionMethods as _, ExpressionMethods as _, QueryDsl as _, dsl::sql, insert_into, sql_types::BigInt, update,
};
use diesel_async::RunQueryDsl as _;

use super::{
    Conn, StoreError,
    events::{Appended, pg_current_xact_id},
    on,
    schema::{calendar_changes, site_counters},
    types::Json,
    with::With,
};
use crate::domain::{event::Touched, ids::SiteId};

/// Appends what an act touched. The last thing that a transaction does, like the appending of events.
pub(super) async fn append(conn: &mut Conn, site: SiteId, touched: Vec<Touched>) -> Result<Appended, StoreError> {
    let counter = update(site_counters::table.find(site))
        .set(site_counters::position.eq(site_counters::position + 1))
        .returning(site_counters::position);
    macro_rules! row {
        ($position:expr) => {
            (
                calendar_changes::site_id.eq(site),
                calendar_changes::position.eq($position),
                calendar_changes::touched.eq(Json(touched)),
            )
        };
    }
    match conn {
        Conn::Sqlite(c) => {
            let c = &mut **c;
            let position: i64 = counter.get_result(c).await?;
            insert_into(calendar_changes::table)
                .values(row!(position))
                .execute(c)
                .await?;
            Ok(Appended {
                position,
                transaction: None,
            })
        }
        Conn::Pg(c) => {
            let position = sql::<BigInt>(r#"(SELECT "position" FROM "first")"#);
            let append = With {
                first: counter,
                then: insert_into(calendar_changes::table)
                    .values(row!(position))
                    .returning((calendar_changes::position, pg_current_xact_id())),
            };
            let (position, transaction): (i64, i64) = append.get_result(&mut &***c).await?;
            Ok(Appended {
                position,
                transaction: Some(transaction.to_string()),
            })
        }
    }
}

/// What was touched behind the position `after` and before `before`, at most `limit` acts, in the order of the log.
pub async fn range(
    conn: &mut Conn,
    site: SiteId,
    after: i64,
    before: i64,
    limit: i64,
) -> Result<Vec<(i64, Vec<Touched>)>, StoreError> {
    let rows: Vec<(i64, Json<Vec<Touched>>)> = on!(conn, c => {
        calendar_changes::table
            .filter(calendar_changes::site_id.eq(site).and(calendar_changes::position.gt(after)))
            .filter(calendar_changes::position.lt(before))
            .order(calendar_changes::position.asc())
            .select((calendar_changes::position, calendar_changes::touched))
            .limit(limit)
            .load(c).await
    })?;
    Ok(rows
        .into_iter()
        .map(|(position, touched)| (position, touched.0))
        .collect())
}
