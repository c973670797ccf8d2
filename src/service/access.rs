//! Who may do what: one place, asked by every act (`spec/catalog-availability.md` §8.5).

use super::{Caller, Error};
use crate::domain::{
    Rejection,
    actor::{Actor, Identity},
    booking::{Booked, Booking},
    event::EventType,
    ids::{Kind, ResourceId, ServiceId},
};
use crate::store::{
    bookings::{BookingField, BookingFilter},
    page::{Filter, Test},
};

/// What a caller wants to do with something that isn't somebody's booking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    /// Create, change and delete services, resources, schedules and sessions, and change the site.
    ManageCatalog,
    /// See and set the times in which resources are blocked.
    ManageCalendar,
    /// Confirm, decline, put on the calendar, change numbers: the business's side of bookings.
    ManageBookings,
}

impl Right {
    /// Refuses callers that never have it. Staff have it on their own calendar, which is asked separately.
    pub fn require(self, caller: &Caller) -> Result<(), Error> {
        let allowed = match &caller.actor {
            Actor::Owner(_) | Actor::App(_) | Actor::System => true,
            Actor::Staff { .. } => matches!(self, Self::ManageBookings | Self::ManageCalendar),
            Actor::Member(_) | Actor::Visitor(_) => false,
        };
        if allowed {
            return Ok(());
        }
        Err(Error::Forbidden(match self {
            Self::ManageCatalog => "only the owner and apps may manage the catalog",
            Self::ManageCalendar => "only the business may see and change its calendar",
            Self::ManageBookings => "only the business may do this to bookings",
        }))
    }
}

/// Whether the caller acts for the business on what was booked: owner and apps always, staff on their own calendar.
#[must_use]
pub fn manages(caller: &Caller, booked: &Booked) -> bool {
    match &caller.actor {
        Actor::Staff { resource, .. } => booked.resources.iter().any(|booked| booked.id == *resource),
        actor => actor.manages_site(),
    }
}

/// Whether the caller acts for the business on a resource's calendar.
#[must_use]
pub fn manages_resource(caller: &Caller, resource: ResourceId) -> bool {
    match &caller.actor {
        Actor::Staff { resource: own, .. } => *own == resource,
        actor => actor.manages_site(),
    }
}

/// Whether the caller belongs to the business: sees what customers don't.
#[must_use]
pub fn is_business(caller: &Caller) -> bool {
    !caller.actor.is_customer()
}

/// Whether the booking is the caller's own, as a customer.
#[must_use]
pub fn owns(caller: &Caller, booking: &Booking) -> bool {
    caller.actor.is_customer() && booking.created_by == caller.actor.identity()
}

/// Whether the caller may see the booking at all. What may not be seen looks like what isn't there.
#[must_use]
pub fn sees(caller: &Caller, booking: &Booking) -> bool {
    manages(caller, &booking.booked) || booking.created_by == caller.actor.identity()
}

/// Refuses who may not see the booking, in the words for one that isn't there.
pub fn require_sight(caller: &Caller, booking: &Booking) -> Result<(), Rejection> {
    if sees(caller, booking) {
        Ok(())
    } else {
        Err(Rejection::not_found(Kind::Booking, &["bookingId"]))
    }
}

/// The bookings that the caller may see, as a filter.
#[must_use]
pub fn scope(caller: &Caller) -> BookingFilter {
    let own = |identity: Identity| {
        Filter::All(vec![
            Filter::Is(BookingField::CreatedByKind(Test::Eq(identity.kind))),
            Filter::Is(BookingField::CreatedById(Test::Eq(identity.id))),
        ])
    };
    match &caller.actor {
        Actor::Owner(_) | Actor::App(_) | Actor::System => Filter::default(),
        Actor::Staff { resource, .. } => Filter::Any(vec![
            Filter::Is(BookingField::Resource(Test::Eq(*resource))),
            own(caller.actor.identity()),
        ]),
        Actor::Member(_) | Actor::Visitor(_) => own(caller.actor.identity()),
    }
}

/// Whether there is no event that the caller may not see.
#[must_use]
pub fn sees_all_events(caller: &Caller) -> bool {
    matches!(caller.actor, Actor::Owner(_) | Actor::App(_) | Actor::System)
}

/// Whether the caller may see an event of the log: of its own bookings, or of what it manages. Staff see a booking
/// leave their calendar, too.
#[must_use]
pub fn sees_event(caller: &Caller, event: &EventSubjects<'_>) -> bool {
    match &caller.actor {
        Actor::Owner(_) | Actor::App(_) | Actor::System => true,
        Actor::Staff { resource, .. } => {
            event.resources.contains(resource) || *event.audience == caller.actor.identity()
        }
        Actor::Member(_) | Actor::Visitor(_) => *event.audience == caller.actor.identity(),
    }
}

/// What an event is about, for permission and filters.
#[derive(Debug, Clone, Copy)]
pub struct EventSubjects<'e> {
    /// What happened.
    pub event_type: EventType,
    /// Whose booking it is.
    pub audience: &'e Identity,
    /// The resources, old ones too.
    pub resources: &'e [ResourceId],
    /// The service.
    pub service: ServiceId,
}

impl<'e> From<&'e crate::store::events::Event> for EventSubjects<'e> {
    fn from(event: &'e crate::store::events::Event) -> Self {
        Self {
            event_type: event.event_type,
            audience: &event.audience,
            resources: &event.resources,
            service: event.service,
        }
    }
}

/// Callers that see the same of everything are of one class: what is worked out for one serves all.
#[must_use]
pub fn class(caller: &Caller) -> String {
    match &caller.actor {
        Actor::Owner(_) | Actor::App(_) | Actor::System => format!("{}/all", caller.site),
        Actor::Staff { resource, subject } => format!("{}/staff/{resource}/{subject}", caller.site),
        Actor::Member(_) | Actor::Visitor(_) => {
            let identity = caller.actor.identity();
            format!("{}/{:?}/{}", caller.site, identity.kind, identity.id)
        }
    }
}

/// Refuses a flag or a status that only the business may use.
pub fn require_business(allowed: bool, asked: bool, what: &str, path: &[&str]) -> Result<(), Rejection> {
    if asked && !allowed {
        return Err(Rejection::Unauthorized {
            what: what.to_owned(),
            path: path.iter().map(|segment| (*segment).to_owned()).collect(),
        });
    }
    Ok(())
}
