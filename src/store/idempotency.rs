//! What was answered to a call with an idempotency key, kept in the commit of its change.

use diesel::{
    BoolExpressionMethods as _, ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, delete, insert_into,
};
use diesel_async::RunQueryDsl as _;
use jiff::Timestamp;

use super::{
    Conn, Failure, StoreError, error::is_unique_violation, on, schema::idempotency_records as records, types::At,
};
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
    let over = records::table
        .find((key.site, key.caller.as_str(), key.mutation, key.key.as_str()))
        .filter(records::expires_at.le(At(now)));
    on!(conn, c => delete(over).execute(c).await)?;
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
    match on!(conn, c => insert_into(records::table).values(row).execute(c).await) {
        Ok(_) => Ok(()),
        Err(error) if is_unique_violation(&error) => Err(Failure::Again),
        Err(error) => Err(error.into()),
    }
}

/// Deletes the records of a site that expired; says how many.
pub async fn sweep(conn: &mut Conn, site: SiteId, now: Timestamp) -> Result<usize, StoreError> {
    let expired = records::table.filter(records::site_id.eq(site).and(records::expires_at.le(At(now))));
    Ok(on!(conn, c => delete(expired).execute(c).await)?)
}

/// Sites with records that expired, for the sweep.
pub async fn sites_with_expired(conn: &mut Conn, now: Timestamp, limit: i64) -> Result<Vec<SiteId>, StoreError> {
    Ok(on!(conn, c => {
        records::table.filter(records::expires_at.le(At(now))).select(records::site_id).distinct().limit(limit).load(c).await
    })?)
}
