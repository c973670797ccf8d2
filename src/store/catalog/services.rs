//! Services.

use diesel::{
    AsChangeset, BoolExpressionMethods as _, ExpressionMethods as _, Insertable, OptionalExtension as _, QueryDsl as _,
    Queryable, Selectable, SelectableHelper as _, insert_into, update,
};
use diesel_async::RunQueryDsl as _;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    super::{
        Conn, Failure, StoreError, Tx,
        error::is_unique_violation,
        on,
        schema::services,
        types::{At, Json},
    },
    corrupt,
};
use crate::domain::{
    Rejection,
    booking::Location,
    catalog::{
        Billing, DownPayment, Media, OnlineBooking, PaymentOptions, Presentation, Price, SeoData, Service, ServiceKind,
        ServiceResource, SlotStep, SlugOrigin, StaffSorting,
    },
    ids::{BookingPolicyId, CategoryId, Kind, ScheduleId, ServiceId, SiteId},
    money::{Currency, Money},
};

#[derive(Debug, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = services, primary_key(site_id, id), treat_none_as_null = true)]
#[diesel(treat_none_as_default_value = false)]
#[expect(clippy::struct_excessive_bools, reason = "a row has the columns that it has")]
pub(super) struct ServiceRow {
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
    requirements: Json<Vec<ServiceResource>>,
    schedule_id: ScheduleId,
    revision: i64,
    created_at: At,
    updated_at: At,
    slot_step_minutes: Option<i32>,
    booking_policy_id: Option<BookingPolicyId>,
    category_id: Option<CategoryId>,
    hidden: bool,
    sort_order: i32,
    pay_deposit: bool,
    pay_pricing_plan: bool,
    details: Json<Details>,
    locations: Json<Vec<Location>>,
}

/// What no list looks at.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Details {
    rate: Rate,
    down_payment: DownPayment,
    slug_origin: SlugOrigin,
    staff_sorting: StaffSorting,
    tag_line: Option<String>,
    media: Media,
    tags: Vec<String>,
    extended_fields: Option<serde_json::Value>,
    seo: SeoData,
}

/// How the columns with the price are to be read.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) enum Rate {
    /// An amount is the price, and none is none.
    #[default]
    Plain,
    /// The amount is that of choices without a price of their own.
    Varied,
    /// There is no amount, but words.
    Custom(Option<String>),
    /// The amount is that of a month.
    Subscription(Billing),
}

impl Rate {
    fn of(price: &Price) -> Self {
        match price {
            Price::NoFee | Price::Fixed(_) => Self::Plain,
            Price::Varied { .. } => Self::Varied,
            Price::Custom { description } => Self::Custom(description.clone()),
            Price::Subscription { billing, .. } => Self::Subscription(*billing),
        }
    }

    fn price(self, amount: Option<Money>) -> Result<Price, StoreError> {
        match (self, amount) {
            (Self::Plain, None) => Ok(Price::NoFee),
            (Self::Plain, Some(money)) => Ok(Price::Fixed(money)),
            (Self::Varied, Some(default)) => Ok(Price::Varied { default }),
            (Self::Custom(description), None) => Ok(Price::Custom { description }),
            (Self::Subscription(billing), Some(per_cycle)) => Ok(Price::Subscription { per_cycle, billing }),
            (Self::Varied | Self::Subscription(_), None) | (Self::Custom(_), Some(_)) => {
                Err(corrupt("a service's price"))
            }
        }
    }
}

impl ServiceRow {
    fn new(site: SiteId, service: &Service) -> Self {
        let service = service.clone();
        let price = service.price.amount();
        let shown = service.presentation;
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
            requirements: Json(service.requirements),
            schedule_id: service.schedule,
            revision: service.revision,
            created_at: At(service.created),
            updated_at: At(service.updated),
            slot_step_minutes: match service.slot_step {
                SlotStep::Minutes(minutes) => Some(minutes),
                SlotStep::SameAsDuration => None,
            },
            category_id: shown.category,
            hidden: shown.hidden,
            sort_order: shown.sort_order,
            pay_deposit: service.payment_options.deposit,
            pay_pricing_plan: service.payment_options.pricing_plan,
            details: Json(Details {
                rate: Rate::of(&service.price),
                down_payment: service.down_payment,
                slug_origin: service.slug_origin,
                staff_sorting: service.staff_sorting,
                tag_line: shown.tag_line,
                media: shown.media,
                tags: shown.tags,
                extended_fields: shown.extended_fields,
                seo: shown.seo,
            }),
            booking_policy_id: service.booking_policy,
            locations: Json(service.locations),
        }
    }

    pub(super) fn service(self) -> Result<Service, StoreError> {
        let amount = match (self.price_minor, self.price_currency) {
            (Some(minor), Some(currency)) => {
                let currency = Currency::parse(&currency).ok_or_else(|| corrupt("a service's currency"))?;
                Some(Money { minor, currency })
            }
            _ => None,
        };
        let details = self.details.0;
        Ok(Service {
            id: self.id,
            kind: self.kind,
            name: self.name,
            slug: self.slug,
            slug_origin: details.slug_origin,
            staff_sorting: details.staff_sorting,
            presentation: Presentation {
                category: self.category_id,
                hidden: self.hidden,
                sort_order: self.sort_order,
                tag_line: details.tag_line,
                media: details.media,
                tags: details.tags,
                extended_fields: details.extended_fields,
                seo: details.seo,
            },
            description: self.description,
            default_capacity: self.default_capacity,
            durations: self.durations.0,
            buffer_minutes: self.buffer_minutes,
            slot_step: self
                .slot_step_minutes
                .map_or(SlotStep::SameAsDuration, SlotStep::Minutes),
            price: details.rate.price(amount)?,
            payment_options: PaymentOptions {
                online: self.pay_online,
                in_person: self.pay_in_person,
                deposit: self.pay_deposit,
                pricing_plan: self.pay_pricing_plan,
            },
            down_payment: details.down_payment,
            online_booking: OnlineBooking {
                enabled: self.online_booking_enabled,
                require_manual_approval: self.require_manual_approval,
                allow_multiple_requests: self.allow_multiple_requests,
            },
            locations: self.locations.0,
            requirements: self.requirements.0,
            booking_policy: self.booking_policy_id,
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

/// Whether a service with a price exists.
pub async fn has_prices(conn: &mut Conn, site: SiteId) -> Result<bool, StoreError> {
    let query = services::table
        .filter(services::site_id.eq(site).and(services::deleted_at.is_null()))
        .filter(services::price_minor.is_not_null());
    let found: Option<ServiceId> = on!(conn, c => query.select(services::id).first(c).await.optional())?;
    Ok(found.is_some())
}

/// Marks a service as deleted and frees its slugs: the id that it gets instead can never be one. It leaves its category.
pub async fn delete_service(conn: &mut Conn, site: SiteId, id: ServiceId, now: Timestamp) -> Result<(), StoreError> {
    let changes = (
        services::deleted_at.eq(At(now)),
        services::slug.eq(id.to_string()),
        services::category_id.eq(None::<CategoryId>),
    );
    on!(conn, c => update(services::table.find((site, id))).set(changes).execute(c).await)?;
    super::forget_slugs(conn, site, id).await
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
