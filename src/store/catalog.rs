//! What can be booked: services, resources, schedules, sessions, blocked times.

use diesel::{
    AsChangeset, BoolExpressionMethods as _, ExpressionMethods as _, Insertable, OptionalExtension as _, QueryDsl as _,
    Queryable, Selectable, SelectableHelper as _, insert_into, update,
};
use diesel_async::RunQueryDsl as _;

use super::{
    Conn, Failure, StoreError,
    error::is_unique_violation,
    on,
    schema::{blocked_times, resources, schedules, services, sessions},
    types::{At, Json},
};
use crate::domain::{
    Rejection,
    booking::{BookedResource, Location},
    catalog::{
        BlockedTime, OnlineBooking, PaymentOptions, Price, Resource, ResourceType, Schedule, Service, ServiceKind,
        Session, SessionStatus,
    },
    ids::{BlockedTimeId, Kind, ResourceId, ScheduleId, ServiceId, SessionId, SiteId},
    money::{Currency, Money},
    time::{TimeSpan, ZoneName},
};

fn corrupt(what: &str) -> StoreError {
    StoreError::Corrupt(what.to_owned())
}

#[derive(Debug, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = services, primary_key(site_id, id), treat_none_as_null = true)]
#[diesel(treat_none_as_default_value = false)]
struct ServiceRow {
    site_id: SiteId,
    id: ServiceId,
    kind: ServiceKind,
    name: String,
    slug: String,
    description: Option<String>,
    default_capacity: i32,
    durations: Json<Vec<i32>>,
    buffer_minutes: i32,
    price_minor: Option<i64>,
    price_currency: Option<String>,
    pay_online: bool,
    pay_in_person: bool,
    online_booking_enabled: bool,
    require_manual_approval: bool,
    allow_multiple_requests: bool,
    location: Option<Json<Location>>,
    resource_ids: Json<Vec<ResourceId>>,
    schedule_id: ScheduleId,
    revision: i64,
    created_at: At,
    updated_at: At,
}

impl ServiceRow {
    fn new(site: SiteId, service: &Service) -> Self {
        let service = service.clone();
        let price = match service.price {
            Price::NoFee => None,
            Price::Fixed(money) => Some(money),
        };
        Self {
            site_id: site,
            id: service.id,
            kind: service.kind,
            name: service.name,
            slug: service.slug,
            description: service.description,
            default_capacity: service.default_capacity,
            durations: Json(service.durations),
            buffer_minutes: service.buffer_minutes,
            price_minor: price.map(|money| money.minor),
            price_currency: price.map(|money| money.currency.as_str().to_owned()),
            pay_online: service.payment_options.online,
            pay_in_person: service.payment_options.in_person,
            online_booking_enabled: service.online_booking.enabled,
            require_manual_approval: service.online_booking.require_manual_approval,
            allow_multiple_requests: service.online_booking.allow_multiple_requests,
            location: service.location.map(Json),
            resource_ids: Json(service.resources),
            schedule_id: service.schedule,
            revision: service.revision,
            created_at: At(service.created),
            updated_at: At(service.updated),
        }
    }

    fn service(self) -> Result<Service, StoreError> {
        let price = match (self.price_minor, self.price_currency) {
            (Some(minor), Some(currency)) => {
                let currency = Currency::parse(&currency).ok_or_else(|| corrupt("a service's currency"))?;
                Price::Fixed(Money { minor, currency })
            }
            _ => Price::NoFee,
        };
        Ok(Service {
            id: self.id,
            kind: self.kind,
            name: self.name,
            slug: self.slug,
            description: self.description,
            default_capacity: self.default_capacity,
            durations: self.durations.0,
            buffer_minutes: self.buffer_minutes,
            price,
            payment_options: PaymentOptions {
                online: self.pay_online,
                in_person: self.pay_in_person,
            },
            online_booking: OnlineBooking {
                enabled: self.online_booking_enabled,
                require_manual_approval: self.require_manual_approval,
                allow_multiple_requests: self.allow_multiple_requests,
            },
            location: self.location.map(|location| location.0),
            resources: self.resource_ids.0,
            schedule: self.schedule_id,
            revision: self.revision,
            created: self.created_at.0,
            updated: self.updated_at.0,
        })
    }
}

/// The service with this id, also one that was deleted: bookings still refer to it.
pub async fn find_service(conn: &mut Conn, site: SiteId, id: ServiceId) -> Result<Option<Service>, StoreError> {
    let row: Option<ServiceRow> =
        on!(conn, c => services::table.find((site, id)).select(ServiceRow::as_select()).first(c).await.optional())?;
    row.map(ServiceRow::service).transpose()
}

/// The service with this id, unless it was deleted.
pub async fn find_live_service(conn: &mut Conn, site: SiteId, id: ServiceId) -> Result<Option<Service>, StoreError> {
    let query = services::table.find((site, id)).filter(services::deleted_at.is_null());
    let row: Option<ServiceRow> = on!(conn, c => query.select(ServiceRow::as_select()).first(c).await.optional())?;
    row.map(ServiceRow::service).transpose()
}

/// Those services that there are, deleted ones too.
pub async fn find_services(conn: &mut Conn, site: SiteId, ids: &[ServiceId]) -> Result<Vec<Service>, StoreError> {
    let query = services::table.filter(services::site_id.eq(site).and(services::id.eq_any(ids.to_vec())));
    let rows: Vec<ServiceRow> = on!(conn, c => query.select(ServiceRow::as_select()).load(c).await)?;
    rows.into_iter().map(ServiceRow::service).collect()
}

/// Adds a service.
pub async fn insert_service(conn: &mut Conn, site: SiteId, new: &Service) -> Result<(), Failure> {
    let row = ServiceRow::new(site, new);
    match on!(conn, c => insert_into(services::table).values(row).execute(c).await) {
        Ok(_) => Ok(()),
        Err(error) if is_unique_violation(&error) => Err(slug_taken()),
        Err(error) => Err(error.into()),
    }
}

/// Writes a changed service.
pub async fn save_service(conn: &mut Conn, site: SiteId, changed: &Service) -> Result<(), Failure> {
    let row = ServiceRow::new(site, changed);
    match on!(conn, c => update(services::table.find((site, changed.id))).set(row).execute(c).await) {
        Ok(_) => Ok(()),
        Err(error) if is_unique_violation(&error) => Err(slug_taken()),
        Err(error) => Err(error.into()),
    }
}

fn slug_taken() -> Failure {
    Rejection::AlreadyExists {
        kind: Kind::Service,
        path: vec!["slug".into()],
    }
    .into()
}

#[derive(Debug, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = resources, primary_key(site_id, id), treat_none_as_null = true)]
#[diesel(treat_none_as_default_value = false)]
struct ResourceRow {
    site_id: SiteId,
    id: ResourceId,
    resource_type: ResourceType,
    name: String,
    email: Option<String>,
    revision: i64,
    created_at: At,
    updated_at: At,
}

impl ResourceRow {
    fn new(site: SiteId, resource: &Resource) -> Self {
        let resource = resource.clone();
        Self {
            site_id: site,
            id: resource.id,
            resource_type: resource.resource_type,
            name: resource.name,
            email: resource.email,
            revision: resource.revision,
            created_at: At(resource.created),
            updated_at: At(resource.updated),
        }
    }

    fn resource(self) -> Resource {
        Resource {
            id: self.id,
            resource_type: self.resource_type,
            name: self.name,
            email: self.email,
            revision: self.revision,
            created: self.created_at.0,
            updated: self.updated_at.0,
        }
    }
}

/// Those resources that there are and that weren't deleted, by id.
pub async fn find_resources(conn: &mut Conn, site: SiteId, ids: &[ResourceId]) -> Result<Vec<Resource>, StoreError> {
    let query = resources::table
        .filter(resources::site_id.eq(site).and(resources::id.eq_any(ids.to_vec())))
        .filter(resources::deleted_at.is_null());
    let rows: Vec<ResourceRow> =
        on!(conn, c => query.select(ResourceRow::as_select()).order(resources::id.asc()).load(c).await)?;
    Ok(rows.into_iter().map(ResourceRow::resource).collect())
}

/// Adds a resource.
pub async fn insert_resource(conn: &mut Conn, site: SiteId, new: &Resource) -> Result<(), StoreError> {
    let row = ResourceRow::new(site, new);
    on!(conn, c => insert_into(resources::table).values(row).execute(c).await)?;
    Ok(())
}

/// Writes a changed resource.
pub async fn save_resource(conn: &mut Conn, site: SiteId, changed: &Resource) -> Result<(), StoreError> {
    let row = ResourceRow::new(site, changed);
    on!(conn, c => update(resources::table.find((site, changed.id))).set(row).execute(c).await)?;
    Ok(())
}

#[derive(Debug, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = schedules, primary_key(site_id, id), treat_none_as_null = true)]
#[diesel(treat_none_as_default_value = false)]
struct ScheduleRow {
    site_id: SiteId,
    id: ScheduleId,
    service_id: ServiceId,
    name: String,
    capacity: i32,
    first_session_start: Option<At>,
    last_session_end: Option<At>,
    revision: i64,
    created_at: At,
    updated_at: At,
}

impl ScheduleRow {
    fn new(site: SiteId, schedule: &Schedule) -> Self {
        let schedule = schedule.clone();
        Self {
            site_id: site,
            id: schedule.id,
            service_id: schedule.service,
            name: schedule.name,
            capacity: schedule.capacity,
            first_session_start: schedule.span.map(|span| At(span.start())),
            last_session_end: schedule.span.map(|span| At(span.end())),
            revision: schedule.revision,
            created_at: At(schedule.created),
            updated_at: At(schedule.updated),
        }
    }

    fn schedule(self) -> Schedule {
        Schedule {
            id: self.id,
            service: self.service_id,
            name: self.name,
            capacity: self.capacity,
            span: self
                .first_session_start
                .zip(self.last_session_end)
                .and_then(|(start, end)| TimeSpan::new(start.0, end.0)),
            revision: self.revision,
            created: self.created_at.0,
            updated: self.updated_at.0,
        }
    }
}

/// The schedule with this id, unless it was deleted.
pub async fn find_schedule(conn: &mut Conn, site: SiteId, id: ScheduleId) -> Result<Option<Schedule>, StoreError> {
    let query = schedules::table
        .find((site, id))
        .filter(schedules::deleted_at.is_null());
    let row: Option<ScheduleRow> = on!(conn, c => query.select(ScheduleRow::as_select()).first(c).await.optional())?;
    Ok(row.map(ScheduleRow::schedule))
}

/// Adds a schedule.
pub async fn insert_schedule(conn: &mut Conn, site: SiteId, new: &Schedule) -> Result<(), StoreError> {
    let row = ScheduleRow::new(site, new);
    on!(conn, c => insert_into(schedules::table).values(row).execute(c).await)?;
    Ok(())
}

/// Writes a changed schedule.
pub async fn save_schedule(conn: &mut Conn, site: SiteId, changed: &Schedule) -> Result<(), StoreError> {
    let row = ScheduleRow::new(site, changed);
    on!(conn, c => update(schedules::table.find((site, changed.id))).set(row).execute(c).await)?;
    Ok(())
}

#[derive(Debug, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = sessions, primary_key(site_id, id), treat_none_as_null = true)]
#[diesel(treat_none_as_default_value = false)]
struct SessionRow {
    site_id: SiteId,
    id: SessionId,
    schedule_id: ScheduleId,
    service_id: ServiceId,
    title: String,
    local_start: String,
    local_end: String,
    time_zone: String,
    starts_at: At,
    ends_at: At,
    capacity: i32,
    status: SessionStatus,
    resources: Json<Vec<BookedResource>>,
    location: Option<Json<Location>>,
    revision: i64,
    created_at: At,
    updated_at: At,
}

impl SessionRow {
    fn new(site: SiteId, session: &Session) -> Self {
        let session = session.clone();
        Self {
            site_id: site,
            id: session.id,
            schedule_id: session.schedule,
            service_id: session.service,
            title: session.title,
            local_start: session.local_start.to_string(),
            local_end: session.local_end.to_string(),
            time_zone: session.time_zone.as_str().to_owned(),
            starts_at: At(session.span.start()),
            ends_at: At(session.span.end()),
            capacity: session.capacity,
            status: session.status,
            resources: Json(session.resources),
            location: session.location.map(Json),
            revision: session.revision,
            created_at: At(session.created),
            updated_at: At(session.updated),
        }
    }

    fn session(self) -> Result<Session, StoreError> {
        let local = |text: &str| text.parse().map_err(|_| corrupt("a session's wall clock"));
        Ok(Session {
            id: self.id,
            schedule: self.schedule_id,
            service: self.service_id,
            title: self.title,
            local_start: local(&self.local_start)?,
            local_end: local(&self.local_end)?,
            time_zone: ZoneName::parse(&self.time_zone).ok_or_else(|| corrupt("a session's time zone"))?,
            span: TimeSpan::new(self.starts_at.0, self.ends_at.0).ok_or_else(|| corrupt("a session's time"))?,
            capacity: self.capacity,
            status: self.status,
            resources: self.resources.0,
            location: self.location.map(|location| location.0),
            revision: self.revision,
            created: self.created_at.0,
            updated: self.updated_at.0,
        })
    }
}

/// The session with this id, a cancelled one too.
pub async fn find_session(conn: &mut Conn, site: SiteId, id: SessionId) -> Result<Option<Session>, StoreError> {
    let row: Option<SessionRow> =
        on!(conn, c => sessions::table.find((site, id)).select(SessionRow::as_select()).first(c).await.optional())?;
    row.map(SessionRow::session).transpose()
}

/// Adds a session.
pub async fn insert_session(conn: &mut Conn, site: SiteId, new: &Session) -> Result<(), StoreError> {
    let row = SessionRow::new(site, new);
    on!(conn, c => insert_into(sessions::table).values(row).execute(c).await)?;
    Ok(())
}

/// Writes a changed session.
pub async fn save_session(conn: &mut Conn, site: SiteId, changed: &Session) -> Result<(), StoreError> {
    let row = SessionRow::new(site, changed);
    on!(conn, c => update(sessions::table.find((site, changed.id))).set(row).execute(c).await)?;
    Ok(())
}

#[derive(Debug, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = blocked_times, primary_key(site_id, id), treat_none_as_null = true)]
#[diesel(treat_none_as_default_value = false)]
struct BlockedTimeRow {
    site_id: SiteId,
    id: BlockedTimeId,
    resource_id: ResourceId,
    starts_at: At,
    ends_at: At,
    reason: Option<String>,
    revision: i64,
    created_at: At,
    updated_at: At,
}

impl BlockedTimeRow {
    fn new(site: SiteId, blocked: &BlockedTime) -> Self {
        let blocked = blocked.clone();
        Self {
            site_id: site,
            id: blocked.id,
            resource_id: blocked.resource,
            starts_at: At(blocked.span.start()),
            ends_at: At(blocked.span.end()),
            reason: blocked.reason,
            revision: blocked.revision,
            created_at: At(blocked.created),
            updated_at: At(blocked.updated),
        }
    }

    fn blocked_time(self) -> Result<BlockedTime, StoreError> {
        Ok(BlockedTime {
            id: self.id,
            resource: self.resource_id,
            span: TimeSpan::new(self.starts_at.0, self.ends_at.0).ok_or_else(|| corrupt("a blocked time's span"))?,
            reason: self.reason,
            revision: self.revision,
            created: self.created_at.0,
            updated: self.updated_at.0,
        })
    }
}

/// The blocked time with this id.
pub async fn find_blocked_time(
    conn: &mut Conn,
    site: SiteId,
    id: BlockedTimeId,
) -> Result<Option<BlockedTime>, StoreError> {
    let query = blocked_times::table.find((site, id));
    let row: Option<BlockedTimeRow> =
        on!(conn, c => query.select(BlockedTimeRow::as_select()).first(c).await.optional())?;
    row.map(BlockedTimeRow::blocked_time).transpose()
}

/// Adds a blocked time.
pub async fn insert_blocked_time(conn: &mut Conn, site: SiteId, new: &BlockedTime) -> Result<(), StoreError> {
    let row = BlockedTimeRow::new(site, new);
    on!(conn, c => insert_into(blocked_times::table).values(row).execute(c).await)?;
    Ok(())
}
