//! Claims: what holds capacity. Also the row locks under which they may be changed.

use std::collections::BTreeSet;

use diesel::{
    BoolExpressionMethods as _, ExpressionMethods as _, QueryDsl as _, delete, dsl::sum, insert_into, update,
};
use diesel_async::RunQueryDsl as _;
use jiff::Timestamp;

use super::{
    Conn, Failure, StoreError, Tx, on,
    schema::{bookings, claims, resources, schedules, sessions},
    types::At,
};
use crate::domain::{
    actor::Identity,
    conflict::{Claim, Holder, OverlapReason, Target},
    ids::{BlockedTimeId, BookingId, ClaimId, ResourceId, ScheduleId, SessionId, SiteId},
    time::TimeSpan,
};

type Columns = (
    ClaimId,
    (Option<ResourceId>, Option<SessionId>, Option<ScheduleId>),
    (At, At),
    i32,
    (Option<BookingId>, Option<SessionId>, Option<BlockedTimeId>),
    Option<At>,
    Option<OverlapReason>,
);

macro_rules! columns {
    () => {
        (
            claims::id,
            (claims::resource_id, claims::session_id, claims::schedule_id),
            (claims::starts_at, claims::ends_at),
            claims::seats,
            (claims::booking_id, claims::holder_session_id, claims::block_id),
            claims::hold_expires_at,
            claims::overlap_reason,
        )
    };
}

/// Locks rows by id, on the engine that has row locks. Without waiting: all of them or [`Failure::Again`].
macro_rules! lock_rows {
    ($conn:expr, $site:expr, $wait:expr, $table:ident, $ids:expr, $id:ty) => {
        if !$ids.is_empty() {
            let wanted = $ids.len();
            let rows = $table::table.filter($table::site_id.eq($site).and($table::id.eq_any($ids)));
            let rows = rows.select($table::id).order($table::id).for_no_key_update();
            if $wait {
                rows.load::<$id>($conn).await?;
            } else if rows.skip_locked().load::<$id>($conn).await?.len() < wanted {
                return Err(Failure::Again);
            }
        }
    };
}

fn claim(row: Columns) -> Result<Claim, StoreError> {
    let corrupt = || StoreError::Corrupt("a claim without target, holder or time".to_owned());
    let (id, target, (start, end), seats, holder, hold, overlap_reason) = row;
    let target = match target {
        (Some(id), None, None) => Target::Resource(id),
        (None, Some(id), None) => Target::Session(id),
        (None, None, Some(id)) => Target::Schedule(id),
        _ => return Err(corrupt()),
    };
    let holder = match holder {
        (Some(id), None, None) => Holder::Booking(id),
        (None, Some(id), None) => Holder::Session(id),
        (None, None, Some(id)) => Holder::Block(id),
        _ => return Err(corrupt()),
    };
    let span = TimeSpan::new(start.0, end.0).ok_or_else(corrupt)?;
    Ok(Claim {
        id,
        target,
        span,
        seats,
        holder,
        hold_expires_at: hold.map(|at| at.0),
        overlap_reason,
    })
}

/// Locks what claims are made on, in the one order that everybody keeps: sessions, schedules, resources, each by id.
/// The embedded engine has a single writer and needs none.
///
/// Who finds out late that it needs more can't wait for what comes before that it holds already: the other one may be
/// waiting for it. It gets [`Failure::Again`] unless the rows are free.
pub async fn lock_targets(tx: &mut Tx<'_>, targets: &[Target]) -> Result<(), Failure> {
    let mut missing: Vec<Target> = targets
        .iter()
        .filter(|target| !tx.locked.targets.contains(target))
        .copied()
        .collect();
    missing.sort_by_key(place_in_order);
    missing.dedup();
    let (Some(first), site) = (missing.as_slice().first().map(place_in_order), tx.site()) else {
        return Ok(());
    };
    let last = tx.locked.targets.iter().map(place_in_order).max();
    let wait = tx.locked.bookings.is_empty() && last.is_none_or(|last| last < first);
    let (mut session_ids, mut schedule_ids, mut resource_ids) = (Vec::new(), Vec::new(), Vec::new());
    for target in &missing {
        match *target {
            Target::Session(id) => session_ids.push(id),
            Target::Schedule(id) => schedule_ids.push(id),
            Target::Resource(id) => resource_ids.push(id),
        }
    }
    on!(tx.conn,
        sqlite _c => {},
        pg c => {
            lock_rows!(c, site, wait, sessions, session_ids, SessionId);
            lock_rows!(c, site, wait, schedules, schedule_ids, ScheduleId);
            lock_rows!(c, site, wait, resources, resource_ids, ResourceId);
        }
    );
    tx.locked.targets.extend(missing);
    Ok(())
}

/// `Target` orders resources first; sessions and schedules must come before them.
fn place_in_order(target: &Target) -> (bool, bool, Target) {
    (
        matches!(target, Target::Resource(_)),
        matches!(target, Target::Schedule(_)),
        *target,
    )
}

/// Locks bookings by id; after the targets, never before them. Out of order like [`lock_targets`].
pub async fn lock_bookings(tx: &mut Tx<'_>, ids: &[BookingId]) -> Result<(), Failure> {
    let missing: BTreeSet<BookingId> = ids
        .iter()
        .filter(|id| !tx.locked.bookings.contains(id))
        .copied()
        .collect();
    let (Some(first), site) = (missing.iter().next(), tx.site()) else {
        return Ok(());
    };
    let wait = tx.locked.bookings.iter().next_back().is_none_or(|last| last < first);
    let ids: Vec<BookingId> = missing.iter().copied().collect();
    on!(tx.conn,
        sqlite _c => {},
        pg c => lock_rows!(c, site, wait, bookings, ids, BookingId)
    );
    tx.locked.bookings.extend(missing);
    Ok(())
}

/// The claims on a target that end after `from`, oldest first. Of seats: all of them.
pub async fn on_target(
    conn: &mut Conn,
    site: SiteId,
    target: Target,
    from: Timestamp,
    until: Timestamp,
) -> Result<Vec<Claim>, StoreError> {
    let rows: Vec<Columns> = match target {
        Target::Resource(id) => on!(conn, c => claims::table
            .filter(claims::site_id.eq(site).and(claims::resource_id.eq(id)))
            .filter(claims::ends_at.gt(At(from)).and(claims::starts_at.lt(At(until))))
            .select(columns!()).load(c).await)?,
        Target::Session(id) => on!(conn, c => claims::table
            .filter(claims::site_id.eq(site).and(claims::session_id.eq(id)))
            .select(columns!()).load(c).await)?,
        Target::Schedule(id) => on!(conn, c => claims::table
            .filter(claims::site_id.eq(site).and(claims::schedule_id.eq(id)))
            .select(columns!()).load(c).await)?,
    };
    oldest_first(rows)
}

/// The claims on some resources that end after `from` and begin before `until`, oldest first.
pub async fn on_resources(
    conn: &mut Conn,
    site: SiteId,
    resources: &[ResourceId],
    from: Timestamp,
    until: Timestamp,
) -> Result<Vec<Claim>, StoreError> {
    let within = claims::table
        .filter(claims::site_id.eq(site))
        .filter(claims::ends_at.gt(At(from)).and(claims::starts_at.lt(At(until))))
        .select(columns!());
    let rows: Vec<Columns> = on!(conn,
        sqlite c => {
            // One after the other: each is a range of the index, and the statement stays the same for any number.
            let mut rows = Vec::new();
            for id in resources {
                rows.extend(within.filter(claims::resource_id.eq(*id)).load::<Columns>(c).await?);
            }
            rows
        },
        pg c => within.filter(claims::resource_id.eq_any(resources.to_vec())).load(c).await?
    );
    oldest_first(rows)
}

/// The claims that somebody holds, oldest first.
pub async fn of_holder(conn: &mut Conn, site: SiteId, holder: Holder) -> Result<Vec<Claim>, StoreError> {
    let of_site = claims::table.filter(claims::site_id.eq(site));
    let rows: Vec<Columns> = match holder {
        Holder::Booking(id) => {
            on!(conn, c => of_site.filter(claims::booking_id.eq(id)).select(columns!()).load(c).await)?
        }
        Holder::Session(id) => {
            on!(conn, c => of_site.filter(claims::holder_session_id.eq(id)).select(columns!()).load(c).await)?
        }
        Holder::Block(id) => on!(conn, c => of_site.filter(claims::block_id.eq(id)).select(columns!()).load(c).await)?,
    };
    oldest_first(rows)
}

/// By id. Sorted here: asked for that order, SQLite takes the primary key and looks through the whole site.
fn oldest_first(rows: Vec<Columns>) -> Result<Vec<Claim>, StoreError> {
    let mut claims = rows.into_iter().map(claim).collect::<Result<Vec<_>, _>>()?;
    claims.sort_by_key(|claim| claim.id);
    Ok(claims)
}

/// Every claim of a site, oldest first; for checks of the whole.
pub async fn all(conn: &mut Conn, site: SiteId) -> Result<Vec<Claim>, StoreError> {
    let rows: Vec<Columns> = on!(conn, c => {
        claims::table.filter(claims::site_id.eq(site)).order(claims::id.asc()).select(columns!()).load(c).await
    })?;
    rows.into_iter().map(claim).collect()
}

/// Adds a claim.
pub async fn insert(conn: &mut Conn, site: SiteId, new: &Claim) -> Result<(), StoreError> {
    let (resource, session, schedule) = match new.target {
        Target::Resource(id) => (Some(id), None, None),
        Target::Session(id) => (None, Some(id), None),
        Target::Schedule(id) => (None, None, Some(id)),
    };
    let (booking, holder_session, block) = match new.holder {
        Holder::Booking(id) => (Some(id), None, None),
        Holder::Session(id) => (None, Some(id), None),
        Holder::Block(id) => (None, None, Some(id)),
    };
    let row = (
        claims::site_id.eq(site),
        claims::id.eq(new.id),
        claims::resource_id.eq(resource),
        claims::session_id.eq(session),
        claims::schedule_id.eq(schedule),
        claims::starts_at.eq(At(new.span.start())),
        claims::ends_at.eq(At(new.span.end())),
        claims::seats.eq(new.seats),
        claims::booking_id.eq(booking),
        claims::holder_session_id.eq(holder_session),
        claims::block_id.eq(block),
        claims::hold_expires_at.eq(new.hold_expires_at.map(At)),
        claims::overlap_reason.eq(new.overlap_reason),
    );
    on!(conn, c => insert_into(claims::table).values(row).execute(c).await)?;
    Ok(())
}

/// Gives up whatever somebody holds.
pub async fn release(conn: &mut Conn, site: SiteId, holder: Holder) -> Result<(), StoreError> {
    let of_site = claims::table.filter(claims::site_id.eq(site));
    match holder {
        Holder::Booking(id) => on!(conn, c => delete(of_site.filter(claims::booking_id.eq(id))).execute(c).await)?,
        Holder::Session(id) => {
            on!(conn, c => delete(of_site.filter(claims::holder_session_id.eq(id))).execute(c).await)?
        }
        Holder::Block(id) => on!(conn, c => delete(of_site.filter(claims::block_id.eq(id))).execute(c).await)?,
    };
    Ok(())
}

/// Gives up one claim.
pub async fn delete_one(conn: &mut Conn, site: SiteId, id: ClaimId) -> Result<(), StoreError> {
    on!(conn, c => delete(claims::table.find((site, id))).execute(c).await)?;
    Ok(())
}

/// Makes a held claim last.
pub async fn make_lasting(conn: &mut Conn, site: SiteId, id: ClaimId) -> Result<(), StoreError> {
    let none: Option<At> = None;
    on!(conn, c => update(claims::table.find((site, id))).set(claims::hold_expires_at.eq(none)).execute(c).await)?;
    Ok(())
}

/// Changes how many seats a claim holds.
pub async fn set_seats(conn: &mut Conn, site: SiteId, id: ClaimId, seats: i32) -> Result<(), StoreError> {
    on!(conn, c => update(claims::table.find((site, id))).set(claims::seats.eq(seats)).execute(c).await)?;
    Ok(())
}

/// Gives a claim to another resource.
pub async fn set_resource(conn: &mut Conn, site: SiteId, id: ClaimId, to: ResourceId) -> Result<(), StoreError> {
    let claim = claims::table.find((site, id));
    on!(conn, c => update(claim).set(claims::resource_id.eq(Some(to))).execute(c).await)?;
    Ok(())
}

/// Changes why a claim may overlap others.
pub async fn set_reason(
    conn: &mut Conn,
    site: SiteId,
    id: ClaimId,
    reason: Option<OverlapReason>,
) -> Result<(), StoreError> {
    on!(conn, c => update(claims::table.find((site, id))).set(claims::overlap_reason.eq(reason)).execute(c).await)?;
    Ok(())
}

/// Bookings whose hold ran out by `now`, of any site; the sweep acts on them site by site.
pub async fn expired_holds(
    conn: &mut Conn,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<(SiteId, BookingId)>, StoreError> {
    let rows: Vec<(SiteId, Option<BookingId>)> = on!(conn, c => {
        claims::table
            .filter(claims::hold_expires_at.le(At(now)).and(claims::booking_id.is_not_null()))
            .select((claims::site_id, claims::booking_id)).distinct().limit(limit).load(c).await
    })?;
    Ok(rows
        .into_iter()
        .filter_map(|(site, booking)| Some((site, booking?)))
        .collect())
}

/// When the next hold runs out, of any site.
pub async fn next_expiry(conn: &mut Conn) -> Result<Option<Timestamp>, StoreError> {
    use diesel::OptionalExtension as _;
    let next: Option<Option<At>> = on!(conn, c => {
        claims::table
            .filter(claims::hold_expires_at.is_not_null())
            .order(claims::hold_expires_at.asc())
            .select(claims::hold_expires_at).first(c).await.optional()
    })?;
    Ok(next.flatten().map(|at| at.0))
}

/// How many holds of other bookings somebody has running. Whoever counts the same person's waits until this transaction
/// is over: nobody else makes one in the meantime. Count behind all other locks.
pub async fn live_holds(conn: &mut Conn, site: SiteId, made_by: &Identity, now: Timestamp) -> Result<i64, StoreError> {
    on!(conn,
        sqlite _c => {},
        pg c => {
            let person = format!("holds {site} {:?} {}", made_by.kind, made_by.id);
            diesel::select(pg_advisory_xact_lock(hashtextextended(person, 0))).execute(c).await?;
        }
    );
    Ok(on!(conn, c => {
        bookings::table
            .filter(bookings::site_id.eq(site))
            .filter(bookings::created_by_kind.eq(made_by.kind).and(bookings::created_by_id.eq(made_by.id.as_str())))
            .filter(bookings::hold_expires_at.gt(At(now)))
            .count().get_result(c).await
    })?)
}

/// How many seats of sessions and runs are taken at `now`; those of which none are taken are left out.
pub async fn taken_seats(
    conn: &mut Conn,
    site: SiteId,
    targets: &[Target],
    now: Timestamp,
) -> Result<Vec<(Target, i64)>, StoreError> {
    let mut session_ids = Vec::new();
    let mut schedule_ids = Vec::new();
    for target in targets {
        match *target {
            Target::Session(id) => session_ids.push(id),
            Target::Schedule(id) => schedule_ids.push(id),
            Target::Resource(_) => {}
        }
    }
    let live = claims::table
        .filter(claims::site_id.eq(site))
        .filter(
            claims::hold_expires_at
                .is_null()
                .or(claims::hold_expires_at.gt(At(now))),
        )
        .filter(
            claims::overlap_reason
                .is_null()
                .or(claims::overlap_reason.ne(OverlapReason::MultipleRequests)),
        );
    let mut taken = Vec::new();
    if !session_ids.is_empty() {
        let seats = live
            .filter(claims::session_id.eq_any(session_ids))
            .group_by(claims::session_id)
            .select((claims::session_id, sum(claims::seats)));
        let rows: Vec<(Option<SessionId>, Option<i64>)> = on!(conn, c => seats.load(c).await)?;
        taken.extend(
            rows.into_iter()
                .filter_map(|(id, seats)| Some((Target::Session(id?), seats?))),
        );
    }
    if !schedule_ids.is_empty() {
        let seats = live
            .filter(claims::schedule_id.eq_any(schedule_ids))
            .group_by(claims::schedule_id)
            .select((claims::schedule_id, sum(claims::seats)));
        let rows: Vec<(Option<ScheduleId>, Option<i64>)> = on!(conn, c => seats.load(c).await)?;
        taken.extend(
            rows.into_iter()
                .filter_map(|(id, seats)| Some((Target::Schedule(id?), seats?))),
        );
    }
    Ok(taken)
}

/// What a function without a result answers.
#[derive(Debug, Clone, Copy, diesel::sql_types::SqlType, diesel::query_builder::QueryId)]
#[diesel(postgres_type(oid = 2278, array_oid = 0))]
pub struct Void;

diesel::define_sql_function! {
    /// Waits for a lock that the transaction's end gives back.
    fn pg_advisory_xact_lock(key: diesel::sql_types::BigInt) -> Void;
}

diesel::define_sql_function! {
    /// A number made of a text.
    fn hashtextextended(text: diesel::sql_types::Text, seed: diesel::sql_types::BigInt) -> diesel::sql_types::BigInt;
}

/// Changes the time of a claim. Of seats only: a resource is given up and taken anew.
pub async fn set_span(conn: &mut Conn, site: SiteId, id: ClaimId, span: TimeSpan) -> Result<(), StoreError> {
    let changes = (
        claims::starts_at.eq(At(span.start())),
        claims::ends_at.eq(At(span.end())),
    );
    on!(conn, c => update(claims::table.find((site, id))).set(changes).execute(c).await)?;
    Ok(())
}
