//! Events of the log.

use async_graphql::{Context, Enum, ID, InputObject, Object, SimpleObject};

use super::{
    booking::{Booking, BookingStatus},
    identity::Identity,
};
use crate::{
    domain::ids::EventId,
    graphql::{
        connection::{connection, cursor, open_cursor},
        input::{Problems, Rejections, id},
        scalars::DateTime,
    },
    service::bookings,
    store::events,
};

/// What happened to a booking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "crate::domain::event::EventType")]
pub enum BookingEventType {
    /// It was made.
    Created,
    /// It was confirmed.
    Confirmed,
    /// It was declined.
    Declined,
    /// It was canceled.
    Canceled,
    /// It was moved to another time, session or resource.
    Rescheduled,
    /// It waits for the business to confirm or decline it.
    MarkedAsPending,
    /// Its number of participants changed.
    ParticipantsUpdated,
    /// The hold on its time ran out.
    HoldExpired,
    /// It became double booked by what happened to another booking.
    DoubleBooked,
    /// The clash that made it double booked is gone.
    DoubleBookingResolved,
    /// Something else about it changed, such as the title or the staff of its session.
    Updated,
}

/// What brought an event about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "crate::domain::event::EventSource")]
pub enum BookingEventSource {
    /// A call of the API.
    Request,
    /// A due time that passed.
    Timer,
}

/// Something that happened to a booking. Events of a site are in the order of their commits, without gaps.
#[derive(Debug, Clone)]
pub struct BookingEvent {
    /// The entry of the log.
    pub event: events::Event,
    /// The booking as it is now, where it was loaded with the event.
    pub booking: Option<Booking>,
}

impl From<events::Event> for BookingEvent {
    fn from(event: events::Event) -> Self {
        Self { event, booking: None }
    }
}

/// Something that happened to a booking. Events of a site are in the order of their commits, without gaps.
#[Object]
impl BookingEvent {
    /// The booking as it is now.
    async fn booking(&self, ctx: &Context<'_>) -> async_graphql::Result<Booking> {
        match &self.booking {
            Some(booking) => Ok(booking.clone()),
            None => Booking::of_event(ctx, &self.event).await,
        }
    }

    /// Where the event stands in the log: a subscription `after` it goes on with the next one.
    pub async fn cursor(&self) -> String {
        log_cursor(self.event.position)
    }

    /// Its id.
    pub async fn id(&self) -> ID {
        EventId::at(self.event.site, self.event.position).to_string().into()
    }

    /// Who did it.
    async fn initiated_by(&self, ctx: &Context<'_>) -> Option<Identity> {
        super::booking::identity_for(ctx, &self.event.actor)
    }

    /// When.
    async fn occurred_at(&self) -> DateTime {
        self.event.occurred.into()
    }

    /// The status before; none if it was the booking's first event.
    async fn previous_status(&self) -> Option<BookingStatus> {
        self.event.previous_status.map(Into::into)
    }

    /// The booking's revision that the event made. Each event makes it grow by one, so a client sees a gap by it.
    async fn revision(&self) -> i32 {
        i32::try_from(self.event.revision).unwrap_or(i32::MAX)
    }

    /// What brought it about.
    async fn source(&self) -> BookingEventSource {
        self.event.source.into()
    }

    /// The status after.
    async fn status(&self) -> BookingStatus {
        self.event.status.into()
    }

    /// What happened.
    #[graphql(name = "type")]
    async fn event_type(&self) -> BookingEventType {
        self.event.event_type.into()
    }
}

connection!(
    "Events, oldest first.",
    BookingEventConnection,
    BookingEventEdge,
    BookingEvent
);

/// Which events of the log are wanted. Fields that are left out let everything pass; all given ones must be met.
#[derive(Debug, Clone, InputObject)]
pub struct BookingEventFilter {
    /// Only events of these bookings. At most 100.
    pub booking_ids: Option<Vec<ID>>,
    /// Only events of the bookings of these packages, as long as they were parts of them, and of their leaving. At most
    /// 100.
    pub multi_service_booking_ids: Option<Vec<ID>>,
    /// Only events of bookings of these services. At most 100.
    pub service_ids: Option<Vec<ID>>,
    /// Only events of these types.
    pub types: Option<Vec<BookingEventType>>,
}

impl BookingEventFilter {
    /// The filter, if its ids are such.
    pub fn parse(self) -> Result<bookings::EventFilter, Rejections> {
        let mut problems = Problems::default();
        for (name, list) in [
            ("bookingIds", &self.booking_ids),
            ("multiServiceBookingIds", &self.multi_service_booking_ids),
            ("serviceIds", &self.service_ids),
        ] {
            if list.as_ref().is_some_and(|ids| ids.len() > 100) {
                problems.complain(&[name], "must have at most 100 entries");
            }
        }
        let bookings = self
            .booking_ids
            .and_then(|ids| problems.take("bookingIds", ids.iter().map(id).collect::<Result<Vec<_>, _>>()));
        let packages = self.multi_service_booking_ids.and_then(|ids| {
            let ids = ids.iter().map(id).collect::<Result<Vec<_>, _>>();
            problems.take("multiServiceBookingIds", ids)
        });
        let services = self
            .service_ids
            .and_then(|ids| problems.take("serviceIds", ids.iter().map(id).collect::<Result<Vec<_>, _>>()));
        let types = self.types.map(|types| types.into_iter().map(Into::into).collect());
        problems.finish(Some(bookings::EventFilter {
            bookings,
            packages,
            services,
            types,
        }))
    }
}

/// A change of a booking's status.
#[derive(SimpleObject, Clone)]
pub struct BookingStatusChange {
    /// The booking as it is now.
    pub booking: Booking,
    /// When the status became what it is.
    pub occurred_at: DateTime,
    /// The status before; none for the first answer of a subscription, which tells the present status.
    pub previous_status: Option<BookingStatus>,
    /// The booking's revision with this status.
    pub revision: i32,
    /// The status.
    pub status: BookingStatus,
}

/// The opaque cursor of a position in the log.
#[must_use]
pub fn log_cursor(position: i64) -> String {
    cursor(&format!("log:{position}"))
}

/// The position in a cursor of the log.
#[must_use]
pub fn log_position(text: &str) -> Option<i64> {
    let content = open_cursor(text)?;
    content
        .strip_prefix("log:")?
        .parse()
        .ok()
        .filter(|position| *position >= 0)
}

/// The opaque cursor of an event in one booking's history.
#[must_use]
pub fn history_cursor(revision: i64) -> String {
    cursor(&format!("rev:{revision}"))
}

/// The revision in a cursor of a booking's history.
#[must_use]
pub fn history_revision(text: &str) -> Option<i64> {
    open_cursor(text)?
        .strip_prefix("rev:")?
        .parse()
        .ok()
        .filter(|revision| *revision >= 0)
}
