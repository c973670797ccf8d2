//! What was answered to a call with an idempotency key, kept in the commit of its change.

use diesel::{
    BoolExpressionMethods as _, ExpressionMethods as _, OptionalExtension as _, QueryDsl, delete, insert_into,
    query_dsl::methods::FilterDsl, upsert::excluded,
};
use diesel_async::RunQueryDsl as _;
use jiff::Timestamp;

use super::{Conn, Failure, StoreError, on, schema::idempotency_records as records, types::At};
use crate::domain::ids::SiteId;

/// Whose key for which mutation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The site.
    pub site: SiteId,
    /// The caller; the same key of another caller is another key.
    pub caller: String,
    /// The mutation's name.
    pub mutation: &'static str,
    /// What the client sent.
    pub key: String,
}

/// What was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// SHA-256 of the input as it was understood.
    pub input_hash: Vec<u8>,
    /// The committed outcome, as JSON.
    pub outcome: String,
}

/// The record of a key that didn't expire.
pub async fn find(conn: &mut Conn, key: &Key, now: Timestamp) -> Result<Option<Record>, StoreError> {
    let row: Option<(Vec<u8>, String, At)> = on!(conn, c => {
        records::table
            .find((key.site, key.caller.as_str(), key.mutation, key.key.as_str()))
            .select((records::input_hash, records::outcome, records::expires_at))
            .first(c).await.optional()
    })?;
    Ok(row
        .filter(|(_, _, expires)| now < expires.0)
        .map(|(input_hash, outcome, _)| Record { input_hash, outcome }))
}

/// Keeps an outcome, in the place of one that expired and wasn't swept yet. [`Failure::Again`] when somebody kept one
/// under this key in the meantime.
pub async fn keep(
    conn: &mut Conn,
    key: &Key,
    record: &Record,
    now: Timestamp,
    expires: Timestamp,
) -> Result<(), Failure> {
    let row = (
        records::site_id.eq(key.site),
        records::caller.eq(key.caller.as_str()),
        records::mutation.eq(key.mutation),
        records::idempotency_key.eq(key.key.as_str()),
        records::input_hash.eq(record.input_hash.as_slice()),
        records::outcome.eq(record.outcome.as_str()),
        records::created_at.eq(At(now)),
        records::expires_at.eq(At(expires)),
    );
    let kept = insert_into(records::table)
        .values(row)
        .on_conflict((
            records::site_id,
            records::caller,
            records::mutation,
            records::idempotency_key,
        ))
        .do_update()
        .set((
            records::input_hash.eq(excluded(records::input_hash)),
            records::outcome.eq(excluded(records::outcome)),
            records::created_at.eq(excluded(records::created_at)),
            records::expires_at.eq(excluded(records::expires_at)),
        ));
    let kept = FilterDsl::filter(kept, records::expires_at.le(At(now)));
    match on!(conn, c => kept.execute(c).await)? {
        0 => Err(Failure::Again),
        _ => Ok(()),
    }
}

/// Deletes the records of a site that expired; says how many.
pub async fn sweep(conn: &mut Conn, site: SiteId, now: Timestamp) -> Result<usize, StoreError> {
    let expired = QueryDsl::filter(
        records::table,
        records::site_id.eq(site).and(records::expires_at.le(At(now))),
    );
    Ok(on!(conn, c => delete(expired).execute(c).await)?)
}

/// Sites with records that expired, for the sweep.
pub async fn sites_with_expired(conn: &mut Conn, now: Timestamp, limit: i64) -> Result<Vec<SiteId>, StoreError> {
    Ok(on!(conn, c => {
        QueryDsl::filter(records::table, records::expires_at.le(At(now))).select(records::site_id).distinct().limit(limit).load(c).await
    })?)
}
