//! The event log: append-only, one gapless sequence of positions a site, in the order of commits.

use diesel::{
    BoolExpressionMethods as _, ExpressionMethods as _, NullableExpressionMethods as _, QueryDsl as _,
    deserialize::{self, FromSql},
    dsl::sql,
    insert_into,
    pg::{Pg, PgValue},
    query_builder::QueryId,
    sql_types::{BigInt, SqlType},
    update,
};
use diesel_async::RunQueryDsl as _;
use jiff::Timestamp;

use super::{
    Conn, StoreError, calendar_changes, on,
    schema::{bookings, events, site_counters},
    types::{At, Json},
    with::With,
};
use crate::domain::{
    actor::Identity,
    booking::{Booking, BookingStatus},
    event::{EventSource, EventType, Touched},
    ids::{BookingId, MultiServiceBookingId, ResourceId, ServiceId, SiteId},
};

/// The form of the state that events keep. A change of [`Booking`] that older events can't be read as makes it grow.
const STATE_VERSION: i32 = 1;

/// An event on its way into the log.
#[derive(Debug, Clone)]
pub struct NewEvent {
    /// The booking as the change left it.
    pub state: Booking,
    /// What happened.
    pub event_type: EventType,
    /// The status before, unless the event is the booking's first.
    pub previous_status: Option<BookingStatus>,
    /// The resources before, if they changed: their staff are told too.
    pub previous_resources: Vec<ResourceId>,
    /// The package that it left, if it left one: who watches that is told, too.
    pub left_package: Option<MultiServiceBookingId>,
    /// Who did it.
    pub actor: Identity,
    /// What brought it about.
    pub source: EventSource,
    /// When.
    pub occurred: Timestamp,
}

/// An entry of the log, without the state that it keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Whose log.
    pub site: SiteId,
    /// Where in it; the first is 1.
    pub position: i64,
    /// The booking.
    pub booking: BookingId,
    /// What happened.
    pub event_type: EventType,
    /// The booking's revision that it made.
    pub revision: i64,
    /// The status before.
    pub previous_status: Option<BookingStatus>,
    /// The status after.
    pub status: BookingStatus,
    /// Who did it.
    pub actor: Identity,
    /// What brought it about.
    pub source: EventSource,
    /// Whose booking it is.
    pub audience: Identity,
    /// Of which service.
    pub service: ServiceId,
    /// Which resources it touches, old ones too.
    pub resources: Vec<ResourceId>,
    /// The package that it was a part of, or left by it.
    pub package: Option<MultiServiceBookingId>,
    /// When.
    pub occurred: Timestamp,
    /// Which free times may be others since, through the act that it is the last event of.
    pub touched: Vec<Touched>,
}

/// Where the log ended after an append.
#[derive(Debug, Clone)]
pub(super) struct Appended {
    /// The last position.
    pub(super) position: i64,
    /// The transaction that appended, where the engine can be asked about it later.
    pub(super) transaction: Option<String>,
}

/// A transaction's number, which only `PostgreSQL` has.
#[derive(Debug, Clone, Copy, SqlType, QueryId)]
#[diesel(postgres_type(oid = 5069, array_oid = 271))]
pub struct Xid8;

impl FromSql<Xid8, Pg> for i64 {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        Ok(Self::from_be_bytes(value.as_bytes().try_into()?))
    }
}

diesel::define_sql_function! {
    /// The number of the transaction that this runs in.
    fn pg_current_xact_id() -> Xid8;
}

/// The row of an event at a position.
macro_rules! row {
    ($site:expr, $position:expr, $event:expr, $touched:expr) => {{
        let event = $event;
        let mut resources: Vec<ResourceId> = event.state.booked.resources.iter().map(|r| r.id).collect();
        for old in event.previous_resources {
            if !resources.contains(&old) {
                resources.push(old);
            }
        }
        (
            events::site_id.eq($site),
            events::position.eq($position),
            events::booking_id.eq(event.state.id),
            events::event_type.eq(event.event_type),
            events::revision.eq(event.state.revision),
            events::previous_status.eq(event.previous_status),
            events::status.eq(event.state.status),
            events::state_version.eq(STATE_VERSION),
            events::actor_kind.eq(event.actor.kind),
            events::actor_id.eq(event.actor.id),
            events::source.eq(event.source),
            events::audience_kind.eq(event.state.created_by.kind),
            events::audience_id.eq(event.state.created_by.id.clone()),
            events::service_id.eq(event.state.booked.service),
            events::resource_ids.eq(Json(resources)),
            events::multi_service_booking_id.eq(event.state.package.or(event.left_package)),
            events::occurred_at.eq(At(event.occurred)),
            events::touched.eq($touched),
            events::state.eq(Json(event.state)),
        )
    }};
}

/// Appends events; the last one tells what was touched. The last thing that a transaction does: from here to the commit
/// the site's log is locked.
pub(super) async fn append(
    conn: &mut Conn,
    site: SiteId,
    new: Vec<NewEvent>,
    touched: Vec<Touched>,
) -> Result<Appended, StoreError> {
    let mut touched = (!touched.is_empty()).then_some(Json(touched));
    let count = i64::try_from(new.len()).unwrap_or(i64::MAX);
    let counter =
        update(site_counters::table.find(site)).set(site_counters::position.eq(site_counters::position + count));
    match conn {
        Conn::Sqlite(c) => {
            let c = &mut **c;
            let last: i64 = counter.returning(site_counters::position).get_result(c).await?;
            for (event, position) in new.into_iter().zip(last - count + 1..) {
                let touched = touched.take_if(|_| position == last);
                insert_into(events::table)
                    .values(row!(site, position, event, touched))
                    .execute(c)
                    .await?;
            }
            Ok(Appended {
                position: last,
                transaction: None,
            })
        }
        Conn::Pg(c) => {
            let (c, mut new) = (&mut &***c, new.into_iter().zip((0..count).rev()));
            let Some((event, behind)) = new.next() else {
                return Err(StoreError::Corrupt("nothing to append".to_owned()));
            };
            let own = touched.take_if(|_| behind == 0);
            let position = sql::<BigInt>(r#"(SELECT "position" FROM "first") - "#).bind::<BigInt, _>(behind);
            let append = With {
                first: counter.returning(site_counters::position),
                then: insert_into(events::table)
                    .values(row!(site, position, event, own))
                    .returning((events::position, pg_current_xact_id())),
            };
            let (first, transaction): (i64, i64) = append.get_result(c).await?;
            for ((event, behind), position) in new.zip(first + 1..) {
                let touched = touched.take_if(|_| behind == 0);
                insert_into(events::table)
                    .values(row!(site, position, event, touched))
                    .execute(c)
                    .await?;
            }
            Ok(Appended {
                position: first + count - 1,
                transaction: Some(transaction.to_string()),
            })
        }
    }
}

macro_rules! columns {
    () => {
        (
            events::site_id,
            events::position,
            events::booking_id,
            events::event_type,
            events::revision,
            events::previous_status,
            events::status,
            (events::actor_kind, events::actor_id),
            events::source,
            (events::audience_kind, events::audience_id),
            events::service_id,
            events::resource_ids,
            events::multi_service_booking_id,
            events::occurred_at,
            events::touched,
        )
    };
}

type Columns = (
    SiteId,
    i64,
    BookingId,
    EventType,
    i64,
    Option<BookingStatus>,
    BookingStatus,
    (crate::domain::actor::ActorKind, String),
    EventSource,
    (crate::domain::actor::ActorKind, String),
    ServiceId,
    Json<Vec<ResourceId>>,
    Option<MultiServiceBookingId>,
    At,
    Option<Json<Vec<Touched>>>,
);

fn event(row: Columns) -> Event {
    let (
        site,
        position,
        booking,
        event_type,
        revision,
        previous_status,
        status,
        actor,
        source,
        audience,
        service,
        resources,
        package,
        occurred,
        touched,
    ) = row;
    Event {
        site,
        position,
        booking,
        event_type,
        revision,
        previous_status,
        status,
        actor: Identity {
            kind: actor.0,
            id: actor.1,
        },
        source,
        audience: Identity {
            kind: audience.0,
            id: audience.1,
        },
        service,
        resources: resources.0,
        package,
        occurred: occurred.0,
        touched: touched.map_or_else(Vec::new, |touched| touched.0),
    }
}

/// Which end of a range of the log is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Oldest first.
    Forward,
    /// Newest first.
    Backward,
}

/// Events of a site behind `after` and before `before`, at most `limit`.
pub async fn range(
    conn: &mut Conn,
    site: SiteId,
    after: i64,
    before: Option<i64>,
    order: Order,
    limit: i64,
) -> Result<Vec<Event>, StoreError> {
    let before = before.unwrap_or(i64::MAX);
    let rows: Vec<Columns> = on!(conn, c => {
        let query = events::table
            .filter(events::site_id.eq(site).and(events::position.gt(after)).and(events::position.lt(before)))
            .select(columns!())
            .limit(limit);
        match order {
            Order::Forward => query.order(events::position.asc()).load(c).await,
            Order::Backward => query.order(events::position.desc()).load(c).await,
        }
    })?;
    Ok(rows.into_iter().map(event).collect())
}

/// What acts touched behind the position `after` and up to `last`, events of bookings and others. None, if they are more
/// than `most`.
pub async fn touched(
    conn: &mut Conn,
    site: SiteId,
    after: i64,
    last: i64,
    most: i64,
) -> Result<Option<Vec<Touched>>, StoreError> {
    if last.saturating_sub(after) > most {
        return Ok(None);
    }
    let told: Vec<Option<Json<Vec<Touched>>>> = on!(conn, c => {
        events::table
            .filter(events::site_id.eq(site).and(events::position.gt(after)).and(events::position.le(last)))
            .select(events::touched)
            .load(c).await
    })?;
    let others = calendar_changes::range(conn, site, after, last.saturating_add(1), most).await?;
    let told = told.into_iter().flatten().flat_map(|told| told.0);
    Ok(Some(
        told.chain(others.into_iter().flat_map(|(_, touched)| touched))
            .collect(),
    ))
}

/// What an index can narrow a search of the log to.
#[derive(Debug, Clone, Default)]
pub struct Narrowed {
    /// Events of these bookings.
    pub bookings: Option<Vec<BookingId>>,
    /// Events of these packages.
    pub packages: Option<Vec<MultiServiceBookingId>>,
    /// Events of the bookings that somebody made.
    pub made_by: Option<Identity>,
}

impl Narrowed {
    /// Whether there is nothing to go by but the position.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.bookings.is_none() && self.packages.is_none() && self.made_by.is_none()
    }
}

/// All the events of a range that are of some bookings or packages.
pub async fn search(
    conn: &mut Conn,
    site: SiteId,
    narrowed: Narrowed,
    after: i64,
    before: Option<i64>,
    order: Order,
) -> Result<Vec<Event>, StoreError> {
    let before = before.unwrap_or(i64::MAX);
    let rows: Vec<Columns> = on!(conn, c => {
        let mut query = events::table
            .filter(events::site_id.eq(site).and(events::position.gt(after)).and(events::position.lt(before)))
            .select(columns!())
            .into_boxed();
        if let Some(ids) = narrowed.bookings {
            query = query.filter(events::booking_id.eq_any(ids));
        }
        if let Some(ids) = narrowed.packages {
            query = query.filter(events::multi_service_booking_id.assume_not_null().eq_any(ids));
        }
        if let Some(Identity { kind, id }) = narrowed.made_by {
            let own = bookings::table
                .filter(bookings::site_id.eq(site))
                .filter(bookings::created_by_kind.eq(kind).and(bookings::created_by_id.eq(id)));
            query = query.filter(events::booking_id.eq_any(own.select(bookings::id)));
        }
        query.load(c).await
    })?;
    let mut found: Vec<Event> = rows.into_iter().map(event).collect();
    found.sort_by_key(|event| event.position);
    if order == Order::Backward {
        found.reverse();
    }
    Ok(found)
}

/// Events of one booking whose revision is over `after` and under `before`, at most `limit`.
pub async fn of_booking(
    conn: &mut Conn,
    site: SiteId,
    booking: BookingId,
    after: i64,
    before: Option<i64>,
    order: Order,
    limit: i64,
) -> Result<Vec<Event>, StoreError> {
    let before = before.unwrap_or(i64::MAX);
    let rows: Vec<Columns> = on!(conn, c => {
        let query = events::table
            .filter(events::site_id.eq(site).and(events::booking_id.eq(booking)))
            .filter(events::revision.gt(after).and(events::revision.lt(before)))
            .select(columns!())
            .limit(limit);
        match order {
            Order::Forward => query.order(events::revision.asc()).load(c).await,
            Order::Backward => query.order(events::revision.desc()).load(c).await,
        }
    })?;
    Ok(rows.into_iter().map(event).collect())
}

/// How many events a booking has.
pub async fn count_of_booking(conn: &mut Conn, site: SiteId, booking: BookingId) -> Result<i64, StoreError> {
    let filter = events::site_id.eq(site).and(events::booking_id.eq(booking));
    Ok(on!(conn, c => events::table.filter(filter).count().get_result(c).await)?)
}

/// The event at a position.
pub async fn find(conn: &mut Conn, site: SiteId, position: i64) -> Result<Option<Event>, StoreError> {
    use diesel::OptionalExtension as _;
    let row: Option<Columns> = on!(conn, c => {
        events::table.find((site, position)).select(columns!()).first(c).await.optional()
    })?;
    Ok(row.map(event))
}

/// The states that a site's log keeps, oldest first: what replaying it gives.
pub async fn states(conn: &mut Conn, site: SiteId) -> Result<Vec<Booking>, StoreError> {
    let rows: Vec<Json<Booking>> = on!(conn, c => {
        events::table.filter(events::site_id.eq(site)).order(events::position.asc()).select(events::state).load(c).await
    })?;
    Ok(rows.into_iter().map(|row| row.0).collect())
}

/// The position of the log's last event; 0 for an empty one.
pub async fn last_position(conn: &mut Conn, site: SiteId) -> Result<i64, StoreError> {
    use diesel::OptionalExtension as _;
    let position: Option<i64> =
        on!(conn, c => site_counters::table.find(site).select(site_counters::position).first(c).await.optional())?;
    Ok(position.unwrap_or(0))
}

/// The last positions of several sites' logs.
pub async fn last_positions(conn: &mut Conn, sites: Vec<SiteId>) -> Result<Vec<(SiteId, i64)>, StoreError> {
    Ok(on!(conn, c => {
        site_counters::table
            .filter(site_counters::site_id.eq_any(sites))
            .select((site_counters::site_id, site_counters::position)).load(c).await
    })?)
}
