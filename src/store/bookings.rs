//! Bookings and whom they are for.

mod query;

use diesel::{
    AsChangeset, ExpressionMethods as _, Insertable, OptionalExtension as _, QueryDsl as _, Queryable, Selectable,
    SelectableHelper as _, insert_into, update,
};
use diesel_async::RunQueryDsl as _;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    Conn, Failure, StoreError, on,
    schema::{booking_contacts, bookings},
    types::{At, Json},
    with::With,
};
use crate::domain::{
    actor::{ActorKind, Identity},
    booking::{
        Booked, BookedResource, Booking, BookingStatus, FlowControl, Location, ParticipantNotification, Participants,
        PaymentStatus, SelectedPaymentOption, ServiceChoices, ServiceKind,
    },
    ids::{BookingId, MultiServiceBookingId, ResourceId, ScheduleId, ServiceId, SessionId, SiteId},
    terms::Terms,
    time::{TimeSpan, ZoneName},
};

pub use query::{BookingField, BookingFilter, BookingKey, OrderField, count, find_within, naming, page};

/// What stands in the columns of a booking without a time (a course that has no sessions yet), so that sorting needs no
/// rule for absent values. Later than any time that the domain accepts.
fn no_time() -> Timestamp {
    Timestamp::from_second(9_214_646_400).unwrap_or(Timestamp::MAX)
}

#[derive(Debug, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = bookings, primary_key(site_id, id), treat_none_as_null = true)]
#[diesel(treat_none_as_default_value = false)]
struct Row {
    site_id: SiteId,
    id: BookingId,
    status: BookingStatus,
    payment_status: PaymentStatus,
    selected_payment_option: Option<SelectedPaymentOption>,
    service_id: ServiceId,
    kind: ServiceKind,
    schedule_id: ScheduleId,
    session_id: Option<SessionId>,
    resource_id: Option<ResourceId>,
    resources: Json<Vec<BookedResource>>,
    starts_at: At,
    ends_at: At,
    buffer_minutes: i32,
    time_zone: String,
    location: Option<Json<Location>>,
    title: String,
    total_participants: i32,
    participants_choices: Option<Json<Vec<ServiceChoices>>>,
    double_booked: bool,
    hold_expires_at: Option<At>,
    flow_control: Json<FlowControl>,
    external_user_id: Option<String>,
    created_by_kind: ActorKind,
    created_by_id: String,
    participant_notification: Option<Json<ParticipantNotification>>,
    revision: i64,
    created_at: At,
    updated_at: At,
    canceled_at: Option<At>,
    terms: Option<Json<Terms>>,
    multi_service_booking_id: Option<MultiServiceBookingId>,
}

impl Row {
    fn new(site: SiteId, booking: &Booking) -> Self {
        let booking = booking.clone();
        let booked = booking.booked;
        Self {
            site_id: site,
            id: booking.id,
            status: booking.status,
            payment_status: booking.payment_status,
            selected_payment_option: booking.selected_payment_option,
            service_id: booked.service,
            kind: booked.kind,
            schedule_id: booked.schedule,
            session_id: booked.session,
            resource_id: booked.resources.as_slice().first().map(|resource| resource.id),
            resources: Json(booked.resources),
            starts_at: At(booked.span.map_or_else(no_time, |span| span.start())),
            ends_at: At(booked.span.map_or_else(no_time, |span| span.end())),
            buffer_minutes: booked.buffer_minutes,
            time_zone: booked.time_zone.as_str().to_owned(),
            location: booked.location.map(Json),
            title: booked.title,
            total_participants: booking.participants.total,
            participants_choices: booking.participants.choices.map(Json),
            double_booked: booking.double_booked,
            hold_expires_at: booking.hold_expires_at.map(At),
            flow_control: Json(booking.flow),
            external_user_id: booking.external_user_id,
            created_by_kind: booking.created_by.kind,
            created_by_id: booking.created_by.id,
            participant_notification: booking.participant_notification.map(Json),
            revision: booking.revision,
            created_at: At(booking.created),
            updated_at: At(booking.updated),
            canceled_at: booking.canceled.map(At),
            terms: (booking.terms != Terms::default()).then_some(Json(booking.terms)),
            multi_service_booking_id: booking.package,
        }
    }

    fn booking(self) -> Result<Booking, StoreError> {
        let span = if self.starts_at.0 == no_time() {
            None
        } else {
            let span = TimeSpan::new(self.starts_at.0, self.ends_at.0);
            Some(span.ok_or_else(|| StoreError::Corrupt(format!("{} ends before it starts", self.id)))?)
        };
        let time_zone = ZoneName::parse(&self.time_zone)
            .ok_or_else(|| StoreError::Corrupt(format!("time zone `{}`", self.time_zone)))?;
        Ok(Booking {
            id: self.id,
            status: self.status,
            payment_status: self.payment_status,
            selected_payment_option: self.selected_payment_option,
            booked: Booked {
                service: self.service_id,
                kind: self.kind,
                schedule: self.schedule_id,
                session: self.session_id,
                span,
                buffer_minutes: self.buffer_minutes,
                time_zone,
                resources: self.resources.0,
                location: self.location.map(|location| location.0),
                title: self.title,
            },
            participants: Participants {
                total: self.total_participants,
                choices: self.participants_choices.map(|choices| choices.0),
            },
            double_booked: self.double_booked,
            hold_expires_at: self.hold_expires_at.map(|at| at.0),
            flow: self.flow_control.0,
            external_user_id: self.external_user_id,
            created_by: Identity {
                kind: self.created_by_kind,
                id: self.created_by_id,
            },
            participant_notification: self.participant_notification.map(|notification| notification.0),
            revision: self.revision,
            created: self.created_at.0,
            updated: self.updated_at.0,
            canceled: self.canceled_at.map(|at| at.0),
            terms: self.terms.map(|terms| terms.0).unwrap_or_default(),
            package: self.multi_service_booking_id,
        })
    }
}

/// By id. Sorted here: asked for that order, SQLite takes the primary key and looks through the whole site.
fn bookings(rows: Vec<Row>) -> Result<Vec<Booking>, StoreError> {
    let mut bookings = rows.into_iter().map(Row::booking).collect::<Result<Vec<_>, _>>()?;
    bookings.sort_by_key(|booking| booking.id);
    Ok(bookings)
}

/// The booking with this id.
pub async fn find(conn: &mut Conn, site: SiteId, id: BookingId) -> Result<Option<Booking>, StoreError> {
    let row: Option<Row> =
        on!(conn, c => bookings::table.find((site, id)).select(Row::as_select()).first(c).await.optional())?;
    row.map(Row::booking).transpose()
}

/// Those bookings that there are, by id.
pub async fn find_many(conn: &mut Conn, site: SiteId, ids: &[BookingId]) -> Result<Vec<Booking>, StoreError> {
    let query = bookings::table
        .filter(bookings::site_id.eq(site))
        .filter(bookings::id.eq_any(ids.to_vec()));
    let rows: Vec<Row> = on!(conn, c => query.select(Row::as_select()).load(c).await)?;
    bookings(rows)
}

/// The bookings of a session or of a whole schedule that are in one of `statuses`, by id.
pub async fn of_schedule(
    conn: &mut Conn,
    site: SiteId,
    schedule: ScheduleId,
    session: Option<SessionId>,
    statuses: &[BookingStatus],
) -> Result<Vec<Booking>, StoreError> {
    let query = bookings::table
        .filter(bookings::site_id.eq(site))
        .filter(bookings::schedule_id.eq(schedule))
        .filter(bookings::status.eq_any(statuses.to_vec()));
    let rows: Vec<Row> = match session {
        Some(session) => {
            on!(conn, c => query.filter(bookings::session_id.eq(session)).select(Row::as_select()).load(c).await)?
        }
        None => on!(conn, c => query.select(Row::as_select()).load(c).await)?,
    };
    bookings(rows)
}

/// The bookings of a package, one after the other.
pub async fn of_package(
    conn: &mut Conn,
    site: SiteId,
    package: MultiServiceBookingId,
) -> Result<Vec<Booking>, StoreError> {
    let query = bookings::table
        .filter(bookings::site_id.eq(site))
        .filter(bookings::multi_service_booking_id.eq(package));
    let rows: Vec<Row> = on!(conn, c => query.select(Row::as_select()).load(c).await)?;
    let mut bookings = bookings(rows)?;
    bookings.sort_by_key(Booking::start);
    Ok(bookings)
}

/// The bookings of some sessions that are in one of `statuses`, by id.
pub async fn of_sessions(
    conn: &mut Conn,
    site: SiteId,
    sessions: &[SessionId],
    statuses: &[BookingStatus],
) -> Result<Vec<Booking>, StoreError> {
    let query = bookings::table
        .filter(bookings::site_id.eq(site))
        .filter(bookings::session_id.eq_any(sessions.to_vec()))
        .filter(bookings::status.eq_any(statuses.to_vec()));
    let rows: Vec<Row> = on!(conn, c => query.select(Row::as_select()).load(c).await)?;
    bookings(rows)
}

/// The bookings of some schedules that are in one of `statuses` and aren't over at `now`, by id. A booking without a
/// time is not over.
pub async fn upcoming(
    conn: &mut Conn,
    site: SiteId,
    schedules: &[ScheduleId],
    statuses: &[BookingStatus],
    now: Timestamp,
) -> Result<Vec<Booking>, StoreError> {
    let query = bookings::table
        .filter(bookings::site_id.eq(site))
        .filter(bookings::schedule_id.eq_any(schedules.to_vec()))
        .filter(bookings::status.eq_any(statuses.to_vec()))
        .filter(bookings::ends_at.gt(At(now)));
    let rows: Vec<Row> = on!(conn, c => query.select(Row::as_select()).load(c).await)?;
    bookings(rows)
}

/// Adds a booking and whom it is for.
pub async fn insert(conn: &mut Conn, site: SiteId, new: &Booking, contact: &Contact) -> Result<(), StoreError> {
    let row = Row::new(site, new);
    let contact_row = (
        booking_contacts::site_id.eq(site),
        booking_contacts::booking_id.eq(new.id),
        booking_contacts::email_key.eq(contact.email.as_ref().map(|email| email.to_lowercase())),
        booking_contacts::details.eq(Json(contact.clone())),
    );
    let (booking, contact) = (
        insert_into(bookings::table).values(row),
        insert_into(booking_contacts::table).values(contact_row),
    );
    on!(conn,
        sqlite c => {
            booking.execute(c).await?;
            contact.execute(c).await?;
        },
        pg c => {
            With { first: booking, then: contact }.execute(c).await?;
        }
    );
    Ok(())
}

/// Writes a booking as a change left it, one revision after the row. [`Failure::Again`] when the row isn't that one:
/// somebody changed it since it was read.
pub async fn save(conn: &mut Conn, site: SiteId, changed: &Booking) -> Result<(), Failure> {
    let row = Row::new(site, changed);
    let before = bookings::table
        .find((site, changed.id))
        .filter(bookings::revision.eq(changed.revision - 1));
    match on!(conn, c => update(before).set(row).execute(c).await)? {
        0 => Err(Failure::Again),
        _ => Ok(()),
    }
}

/// Whom a booking is for: checked when it comes in. Personal data, in a row of its own that can be erased.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// First name.
    pub first_name: Option<String>,
    /// Last name.
    pub last_name: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
    /// Phone number.
    pub phone: Option<String>,
    /// Address in one text.
    pub full_address: Option<String>,
    /// ISO 3166-1 alpha-2.
    pub country_code: Option<String>,
}

impl Contact {
    /// Whether both are of one person, as far as they tell: by e-mail address, or else by phone, or else by name.
    #[must_use]
    pub fn is_same_person(&self, other: &Self) -> bool {
        if let Some((one, other)) = self.email.as_ref().zip(other.email.as_ref()) {
            return one.eq_ignore_ascii_case(other);
        }
        if let Some((one, other)) = self.phone.as_ref().zip(other.phone.as_ref()) {
            return one == other;
        }
        (&self.first_name, &self.last_name) == (&other.first_name, &other.last_name)
    }
}

/// Whom a booking is for, unless that was erased.
pub async fn contact(conn: &mut Conn, site: SiteId, booking: BookingId) -> Result<Option<Contact>, StoreError> {
    let row: Option<Json<Contact>> = on!(conn, c => {
        booking_contacts::table.find((site, booking)).select(booking_contacts::details).first(c).await.optional()
    })?;
    Ok(row.map(|row| row.0))
}

/// Whom several bookings are for.
pub async fn contacts(
    conn: &mut Conn,
    site: SiteId,
    ids: &[BookingId],
) -> Result<Vec<(BookingId, Contact)>, StoreError> {
    let query = booking_contacts::table
        .filter(booking_contacts::site_id.eq(site))
        .filter(booking_contacts::booking_id.eq_any(ids.to_vec()))
        .select((booking_contacts::booking_id, booking_contacts::details));
    let rows: Vec<(BookingId, Json<Contact>)> = on!(conn, c => query.load(c).await)?;
    Ok(rows.into_iter().map(|(id, contact)| (id, contact.0)).collect())
}
