//! Claims: what holds capacity. Also the row locks under which they may be changed.

use diesel::{
    BoolExpressionMethods as _, ExpressionMethods as _, QueryDsl as _, delete, dsl::sum, insert_into, update,
};
use diesel_async::RunQueryDsl as _;
use jiff::Timestamp;

use super::{
    Conn, StoreError, Tx, on,
    schema::{bookings, claims, resources, schedules, sessions},
    types::At,
};
use crate::domain::{
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
pub async fn lock_targets(tx: &mut Tx<'_>, targets: &[Target]) -> Result<(), StoreError> {
    let site = tx.site();
    let mut sorted = targets.to_vec();
    // `Target` orders resources first; sessions and schedules must come before them.
    sorted.sort_by_key(|target| {
        (
            matches!(target, Target::Resource(_)),
            matches!(target, Target::Schedule(_)),
            *target,
        )
    });
    sorted.dedup();
    let mut session_ids = Vec::new();
    let mut schedule_ids = Vec::new();
    let mut resource_ids = Vec::new();
    for target in sorted {
        match target {
            Target::Session(id) => session_ids.push(id),
            Target::Schedule(id) => schedule_ids.push(id),
            Target::Resource(id) => resource_ids.push(id),
        }
    }
    on!(tx.conn,
        sqlite _c => Ok(()),
        pg c => {
            if !session_ids.is_empty() {
                let rows = sessions::table.filter(sessions::site_id.eq(site).and(sessions::id.eq_any(session_ids)));
                rows.select(sessions::id).order(sessions::id).for_no_key_update().load::<SessionId>(c).await?;
            }
            if !schedule_ids.is_empty() {
                let rows = schedules::table.filter(schedules::site_id.eq(site).and(schedules::id.eq_any(schedule_ids)));
                rows.select(schedules::id).order(schedules::id).for_no_key_update().load::<ScheduleId>(c).await?;
            }
            if !resource_ids.is_empty() {
                let rows = resources::table.filter(resources::site_id.eq(site).and(resources::id.eq_any(resource_ids)));
                rows.select(resources::id).order(resources::id).for_no_key_update().load::<ResourceId>(c).await?;
            }
            Ok(())
        }
    )
}

/// Locks bookings by id; after the targets, never before them.
pub async fn lock_bookings(tx: &mut Tx<'_>, ids: &[BookingId]) -> Result<(), StoreError> {
    if ids.is_empty() {
        return Ok(());
    }
    let (site, mut ids) = (tx.site(), ids.to_vec());
    ids.sort();
    ids.dedup();
    on!(tx.conn,
        sqlite _c => Ok(()),
        pg c => {
            let rows = bookings::table.filter(bookings::site_id.eq(site).and(bookings::id.eq_any(ids)));
            rows.select(bookings::id).order(bookings::id).for_no_key_update().load::<BookingId>(c).await?;
            Ok(())
        }
    )
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
            .order(claims::id.asc()).select(columns!()).load(c).await)?,
        Target::Session(id) => on!(conn, c => claims::table
            .filter(claims::site_id.eq(site).and(claims::session_id.eq(id)))
            .order(claims::id.asc()).select(columns!()).load(c).await)?,
        Target::Schedule(id) => on!(conn, c => claims::table
            .filter(claims::site_id.eq(site).and(claims::schedule_id.eq(id)))
            .order(claims::id.asc()).select(columns!()).load(c).await)?,
    };
    rows.into_iter().map(claim).collect()
}

/// The claims that somebody holds.
pub async fn of_holder(conn: &mut Conn, site: SiteId, holder: Holder) -> Result<Vec<Claim>, StoreError> {
    let of_site = claims::table.filter(claims::site_id.eq(site));
    let rows: Vec<Columns> = match holder {
        Holder::Booking(id) => {
            on!(conn, c => of_site.filter(claims::booking_id.eq(id)).order(claims::id.asc()).select(columns!()).load(c).await)?
        }
        Holder::Session(id) => {
            on!(conn, c => of_site.filter(claims::holder_session_id.eq(id)).order(claims::id.asc()).select(columns!()).load(c).await)?
        }
        Holder::Block(id) => {
            on!(conn, c => of_site.filter(claims::block_id.eq(id)).order(claims::id.asc()).select(columns!()).load(c).await)?
        }
    };
    rows.into_iter().map(claim).collect()
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

/// Changes how many seats a claim takes.
pub async fn set_seats(conn: &mut Conn, site: SiteId, id: ClaimId, seats: i32) -> Result<(), StoreError> {
    on!(conn, c => update(claims::table.find((site, id))).set(claims::seats.eq(seats)).execute(c).await)?;
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

/// How many holds of other bookings somebody has running.
pub async fn live_holds(
    conn: &mut Conn,
    site: SiteId,
    made_by: &crate::domain::actor::Identity,
    now: Timestamp,
) -> Result<i64, StoreError> {
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

/// Changes the time of a claim. Of seats only: a resource is given up and taken anew.
pub async fn set_span(conn: &mut Conn, site: SiteId, id: ClaimId, span: TimeSpan) -> Result<(), StoreError> {
    let changes = (
        claims::starts_at.eq(At(span.start())),
        claims::ends_at.eq(At(span.end())),
    );
    on!(conn, c => update(claims::table.find((site, id))).set(changes).execute(c).await)?;
    Ok(())
}
