//! The table of permissions, asked for a caller: what each act and each list comes to.

use super::{Caller, Error};
use crate::domain::{
    Rejection,
    actor::{Actor, Identity},
    booking::{Booked, Booking},
    event::EventType,
    ids::{ResourceId, ServiceId},
    permission::{Permission, Reach},
};
use crate::store::{
    bookings::{BookingField, BookingFilter},
    page::{Filter, Test},
};

/// Refuses callers that never may. How far the permission goes for others is asked of what it is about.
pub fn require(permission: Permission, caller: &Caller) -> Result<(), Error> {
    if permission.is_granted(&caller.actor) {
        Ok(())
    } else {
        Err(Error::Forbidden(permission.refusal()))
    }
}

/// Whether the caller may pass over the rules for customers on what was booked.
#[must_use]
pub fn overrides(caller: &Caller, booked: &Booked) -> bool {
    let resources = booked.resources.iter().map(|resource| resource.id);
    Permission::OverrideRules.covers_resources(&caller.actor, resources)
}

/// Whether the caller has a permission of a resource's calendar.
#[must_use]
pub fn has_calendar(permission: Permission, caller: &Caller, resource: ResourceId) -> bool {
    permission.covers_resources(&caller.actor, [resource])
}

/// Whether the caller may see the booking at all. What may not be seen looks like what isn't there.
#[must_use]
pub fn sees(caller: &Caller, booking: &Booking) -> bool {
    Permission::ReadBookings.covers(&caller.actor, booking)
}

/// The bookings that the caller may see, as a filter.
#[must_use]
pub fn scope(caller: &Caller) -> BookingFilter {
    let own = || {
        let identity = caller.actor.identity();
        Filter::All(vec![
            Filter::Is(BookingField::CreatedByKind(Test::Eq(identity.kind))),
            Filter::Is(BookingField::CreatedById(Test::Eq(identity.id))),
        ])
    };
    let calendar = || match caller.actor {
        Actor::Staff { resource, .. } => Filter::Is(BookingField::OnCalendar(resource)),
        _ => Filter::Any(Vec::new()),
    };
    match Permission::ReadBookings.reach(&caller.actor) {
        Reach::None => Filter::Any(Vec::new()),
        Reach::Own => own(),
        Reach::Calendar => calendar(),
        Reach::OwnAndCalendar => Filter::Any(vec![calendar(), own()]),
        Reach::All => Filter::default(),
    }
}

/// Whether there is no event that the caller may not see.
#[must_use]
pub fn sees_all_events(caller: &Caller) -> bool {
    Permission::ReadBookings.reach(&caller.actor) == Reach::All
}

/// Whether the caller sees only events of what it made itself.
#[must_use]
pub fn sees_own_events(caller: &Caller) -> bool {
    Permission::ReadBookings.reach(&caller.actor) == Reach::Own
}

/// Whether the caller may see an event of the log: of its own bookings, or of what it manages. Staff see a booking
/// leave their calendar, too.
#[must_use]
pub fn sees_event(caller: &Caller, event: &EventSubjects<'_>) -> bool {
    let resources = || event.resources.iter().copied();
    Permission::ReadBookings.covers_subject(&caller.actor, event.audience, resources)
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
        Actor::Owner(_) | Actor::System => format!("{}/all", caller.site),
        Actor::App { scopes, .. } => format!("{}/app/{scopes:?}", caller.site),
        Actor::Staff { resource, subject } => format!("{}/staff/{resource}/{subject}", caller.site),
        Actor::Member(_) | Actor::Visitor(_) | Actor::Operator(_) => {
            let identity = caller.actor.identity();
            format!("{}/{:?}/{}", caller.site, identity.kind, identity.id)
        }
    }
}

/// Refuses who sees a booking, but may not do this to it.
pub fn require_over(permission: Permission, caller: &Caller, booking: &Booking) -> Result<(), Rejection> {
    require_business(permission.covers(&caller.actor, booking), true, "this", &["bookingId"])
}

/// Refuses a flag or a status that only the business may use.
pub fn require_business(allowed: bool, asked: bool, what: &str, path: &[&str]) -> Result<(), Rejection> {
    if asked && !allowed {
        return Err(Rejection::Unauthorized {
            what: what.to_owned(),
            own_calendar: false,
            path: path.iter().map(|segment| (*segment).to_owned()).collect(),
        });
    }
    Ok(())
}

/// Refuses a flag or a status that only the business may use, and staff on their own calendar.
pub fn require_override(allowed: bool, asked: bool, what: &str, path: &[&str]) -> Result<(), Rejection> {
    require_business(allowed, asked, what, path).map_err(|mut rejection| {
        if let Rejection::Unauthorized { own_calendar, .. } = &mut rejection {
            *own_calendar = true;
        }
        rejection
    })
}

/// Refuses to move a booking from the caller's own calendar to another's, or onto another's: staff manage what is on
/// their own.
pub fn require_kept(caller: &Caller, before: &Booking, after: &Booked, path: &[&str]) -> Result<(), Rejection> {
    let permission = Permission::ManageBookings;
    if permission.reach(&caller.actor) != Reach::Calendar {
        return Ok(());
    }
    let ids = |booked: &Booked| -> Vec<ResourceId> { booked.resources.iter().map(|resource| resource.id).collect() };
    let (had, has) = (ids(&before.booked), ids(after));
    let kept = permission.covers_resources(&caller.actor, has.iter().copied());
    let left = permission.covers_resources(&caller.actor, had.iter().copied());
    let holds = before.status.on_calendar() || before.hold_expires_at.is_some();
    let gained = holds && has.iter().any(|id| !had.contains(id));
    require_business(
        kept || !(left || gained),
        true,
        "the calendar of another resource",
        path,
    )
}
