//! Services.

use diesel::{
    AsChangeset, BoolExpressionMethods as _, ExpressionMethods as _, Insertable, OptionalExtension as _, QueryDsl as _,
    Queryable, Selectable, SelectableHelper as _, insert_into, update,
};
use diesel_async::RunQueryDsl as _;
use jiff::Timestamp;

use super::{
    super::{
        Conn, Failure, StoreError, Tx,
        error::is_unique_violation,
        on,
        page::{Page, PageRequest},
        schema::services,
        types::{At, Json},
    },
    TimeKey, corrupt, count, page,
};
use crate::domain::{
    Rejection,
    booking::Location,
    catalog::{OnlineBooking, PaymentOptions, Price, Service, ServiceKind, ServiceResource, SlotStep},
    ids::{Kind, ScheduleId, ServiceId, SiteId},
    money::{Currency, Money},
};

#[derive(Debug, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = services, primary_key(site_id, id), treat_none_as_null = true)]
#[diesel(treat_none_as_default_value = false)]
#[expect(clippy::struct_excessive_bools, reason = "a row has the columns that it has")]
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
    requirements: Json<Vec<ServiceResource>>,
    schedule_id: ScheduleId,
    revision: i64,
    created_at: At,
    updated_at: At,
    slot_step_minutes: Option<i32>,
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
            requirements: Json(service.requirements),
            schedule_id: service.schedule,
            revision: service.revision,
            created_at: At(service.created),
            updated_at: At(service.updated),
            slot_step_minutes: match service.slot_step {
                SlotStep::Minutes(minutes) => Some(minutes),
                SlotStep::SameAsDuration => None,
            },
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
            slot_step: self
                .slot_step_minutes
                .map_or(SlotStep::SameAsDuration, SlotStep::Minutes),
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
            requirements: self.requirements.0,
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

/// Which services of a list; deleted ones are in none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServiceFilter {
    /// With these ids.
    pub ids: Option<Vec<ServiceId>>,
    /// Of these kinds.
    pub kinds: Option<Vec<ServiceKind>>,
}

macro_rules! filtered {
    ($query:expr, $filter:expr) => {{
        let mut query = $query.filter(services::deleted_at.is_null());
        if let Some(ids) = &$filter.ids {
            query = query.filter(services::id.eq_any(ids.clone()));
        }
        if let Some(kinds) = &$filter.kinds {
            query = query.filter(services::kind.eq_any(kinds.clone()));
        }
        query
    }};
}

/// A page of services, the oldest first.
pub async fn page_services(
    conn: &mut Conn,
    site: SiteId,
    filter: &ServiceFilter,
    request: &PageRequest<TimeKey<ServiceId>>,
) -> Result<Page<Service>, StoreError> {
    let key = |service: &Service| TimeKey {
        at: service.created,
        id: service.id,
    };
    let filter = filter.clone();
    Page::find(conn, request, key, move |conn, request| {
        let filter = filter.clone();
        Box::pin(async move {
            let rows = page!(
                conn,
                services::site_id.eq(site),
                &request,
                services,
                created_at,
                ServiceRow,
                |query| filtered!(query, &filter)
            )?;
            rows.into_iter().map(ServiceRow::service).collect()
        })
    })
    .await
}

/// How many services pass the filter.
pub async fn count_services(conn: &mut Conn, site: SiteId, filter: &ServiceFilter) -> Result<i64, StoreError> {
    Ok(count!(conn, services::site_id.eq(site), services, |query| filtered!(
        query, filter
    ))?)
}

/// The service with this slug, unless it was deleted.
pub async fn find_service_by_slug(conn: &mut Conn, site: SiteId, slug: &str) -> Result<Option<Service>, StoreError> {
    let query = services::table
        .filter(services::site_id.eq(site).and(services::slug.eq(slug)))
        .filter(services::deleted_at.is_null());
    let row: Option<ServiceRow> = on!(conn, c => query.select(ServiceRow::as_select()).first(c).await.optional())?;
    row.map(ServiceRow::service).transpose()
}

/// Whether a service with a price exists.
pub async fn has_prices(conn: &mut Conn, site: SiteId) -> Result<bool, StoreError> {
    let query = services::table
        .filter(services::site_id.eq(site).and(services::deleted_at.is_null()))
        .filter(services::price_minor.is_not_null());
    let found: Option<ServiceId> = on!(conn, c => query.select(services::id).first(c).await.optional())?;
    Ok(found.is_some())
}

/// Marks a service as deleted and frees its slug: the id that it gets instead can never be one.
pub async fn delete_service(conn: &mut Conn, site: SiteId, id: ServiceId, now: Timestamp) -> Result<(), StoreError> {
    let changes = (services::deleted_at.eq(At(now)), services::slug.eq(id.to_string()));
    on!(conn, c => update(services::table.find((site, id))).set(changes).execute(c).await)?;
    Ok(())
}

/// Locks a service against other changes of itself; before everything that claims are made on.
pub async fn lock_service(tx: &mut Tx<'_>, id: ServiceId) -> Result<(), StoreError> {
    let site = tx.site();
    on!(tx.conn,
        sqlite _c => Ok(()),
        pg c => {
            let row = services::table.find((site, id)).select(services::id).for_no_key_update();
            row.load::<ServiceId>(c).await?;
            Ok(())
        }
    )
}

/// The slugs of all services of a site that weren't deleted.
pub async fn service_slugs(conn: &mut Conn, site: SiteId) -> Result<std::collections::HashSet<String>, StoreError> {
    let query = services::table
        .filter(services::site_id.eq(site).and(services::deleted_at.is_null()))
        .select(services::slug);
    let slugs: Vec<String> = on!(conn, c => query.load(c).await)?;
    Ok(slugs.into_iter().collect())
}
