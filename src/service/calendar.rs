//! The business calendar of a window: what stands on it, and when it is open (`spec/catalog-availability.md` §3).

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};

use super::{Caller, Error, Service, access, availability::window};
use crate::{
    domain::{
        Rejection,
        actor::Actor,
        booking::{Booking, BookingStatus},
        catalog::{
            BlockedTime, MAX_SESSION_HOURS, MAX_TRANSPARENT_DAYS, Resource, ResourceType, Session, SessionStatus,
        },
        conflict::Holder,
        hours::{Calendar, HoursOwner, OpeningHours, PlaceId, Scope, WorkingHours},
        ids::{LocationId, ResourceId, ServiceId, SiteId, TypedId as _},
        permission::Permission,
        spans,
        time::{TimeSpan, ZoneName},
    },
    store::{Conn, StoreError, bookings, catalog, claims, sites},
};

/// Entries of one answer, at the most.
pub const MAX_ENTRIES: i32 = 1000;

/// What is asked.
#[derive(Debug, Clone)]
pub struct CalendarQuery {
    /// Where the window begins.
    pub from: Timestamp,
    /// Where it ends.
    pub to: Timestamp,
    /// Of these resources; of all if not said.
    pub resources: Option<Vec<ResourceId>>,
    /// Only what takes place at these locations, and blocked times; everything if not said.
    pub locations: Option<Vec<LocationId>>,
    /// The zone in which local times are told.
    pub time_zone: Option<ZoneName>,
    /// So many entries at the most, the earliest.
    pub limit: i32,
}

/// The answer.
#[derive(Debug, Clone)]
pub struct CalendarView {
    /// What stands on it, by start.
    pub entries: Vec<Entry>,
    /// The start of the first entry that found no place in the answer, if there is one.
    pub next_from: Option<Timestamp>,
    /// Whose calendars it is made of, by name.
    pub resources: Vec<Resource>,
    /// When the business and the resources are open.
    pub open: Vec<Open>,
    /// The zone of local times.
    pub zone: ZoneName,
}

/// Something that stands on the calendar.
#[derive(Debug, Clone)]
pub enum Entry {
    /// A pending or confirmed booking of an appointment.
    Appointment(Box<Booking>),
    /// A session of a class or a course.
    Session(Box<Session>),
    /// A blocked time.
    Blocked(BlockedTime),
}

impl Entry {
    /// From when to when.
    #[must_use]
    pub fn span(&self) -> Option<TimeSpan> {
        match self {
            Self::Appointment(booking) => booking.booked.span,
            Self::Session(session) => Some(session.span),
            Self::Blocked(blocked) => Some(blocked.span),
        }
    }

    /// Who and what takes part.
    #[must_use]
    pub fn resources(&self) -> Vec<ResourceId> {
        match self {
            Self::Appointment(booking) => booking.booked.resources.iter().map(|resource| resource.id).collect(),
            Self::Session(session) => session.resources.iter().map(|resource| resource.id).collect(),
            Self::Blocked(blocked) => blocked.owner.resource().into_iter().collect(),
        }
    }
}

/// When somebody is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Open {
    /// Whose hours; the business's own if none.
    pub resource: Option<ResourceId>,
    /// From when to when, within the window; around the clock if none.
    pub times: Option<Vec<TimeSpan>>,
}

/// What was read.
struct Found {
    zone: ZoneName,
    resources: Vec<Resource>,
    hours: Vec<WorkingHours>,
    entries: Vec<Entry>,
}

/// What is to be read.
#[derive(Clone)]
struct Wanted {
    site: SiteId,
    window: TimeSpan,
    resources: Option<Vec<ResourceId>>,
    locations: Option<Vec<LocationId>>,
}

impl Wanted {
    async fn read(&self, conn: &mut Conn) -> Result<Found, StoreError> {
        let site = self.site;
        let zone = sites::find(conn, site)
            .await?
            .map_or_else(ZoneName::utc, |site| site.time_zone);
        let all = catalog::resources_of_site(conn, site).await?;
        // Who has left is still on the calendar of the time before, but in no column unless asked for.
        let asked: Vec<ResourceId> = match &self.resources {
            Some(ids) => ids.clone(),
            None => all.iter().map(|(resource, _)| resource.id).collect(),
        };
        let shown = |(resource, live): &(Resource, bool)| match &self.resources {
            Some(ids) => ids.contains(&resource.id),
            None => *live,
        };
        let columns: Vec<Resource> = all.into_iter().filter(shown).map(|(resource, _)| resource).collect();
        let own = columns.iter().map(|resource| HoursOwner::Resource(resource.id));
        let places = self.locations.iter().flatten().copied().map(HoursOwner::Location);
        let owners: Vec<HoursOwner> = std::iter::once(HoursOwner::Business).chain(places).chain(own).collect();
        let hours = catalog::hours_of(conn, site, &owners).await?;
        let mut entries = self.entries(conn, &asked).await?;
        if let Some(locations) = &self.locations {
            keep_at(conn, site, locations, &mut entries).await?;
        }
        Ok(Found {
            zone,
            resources: columns,
            hours,
            entries,
        })
    }

    /// What keeps the resources busy is found by them, so that the past before the window costs nothing.
    async fn entries(&self, conn: &mut Conn, resources: &[ResourceId]) -> Result<Vec<Entry>, StoreError> {
        let (site, from, to) = (self.site, self.window.start(), self.window.end());
        let (mut appointments, mut sessions, mut blocks) = (Vec::new(), Vec::new(), Vec::new());
        for claim in claims::on_resources(conn, site, resources, from, to).await? {
            match claim.holder {
                Holder::Booking(id) => appointments.push(id),
                Holder::Session(id) => sessions.push(id),
                Holder::Block(id) => blocks.push(id),
            }
        }
        appointments.sort();
        appointments.dedup();
        sessions.sort();
        sessions.dedup();
        let mut entries = Vec::new();
        for ids in appointments.chunks(500) {
            let found = bookings::find_many(conn, site, ids).await?;
            let shown = |booking: &Booking| matches!(booking.status, BookingStatus::Pending | BookingStatus::Confirmed);
            entries.extend(
                found
                    .into_iter()
                    .filter(shown)
                    .map(|booking| Entry::Appointment(booking.into())),
            );
        }
        let found = if self.resources.is_some() {
            catalog::find_sessions(conn, site, &sessions).await?
        } else {
            // A session may need nobody.
            let begun = from
                .checked_sub(SignedDuration::from_hours(MAX_SESSION_HOURS))
                .unwrap_or(from);
            catalog::sessions_of_site(conn, site, begun, to).await?
        };
        let held = |session: &Session| session.status == SessionStatus::Confirmed;
        entries.extend(
            found
                .into_iter()
                .filter(held)
                .map(|session| Entry::Session(session.into())),
        );
        entries.extend(
            catalog::find_blocked_times(conn, site, &blocks)
                .await?
                .into_iter()
                .map(Entry::Blocked),
        );
        let begun = from
            .checked_sub(SignedDuration::from_hours(MAX_TRANSPARENT_DAYS * 24))
            .unwrap_or(from);
        let transparent = catalog::transparent_times(conn, site, begun, to).await?;
        let of_them = |blocked: &BlockedTime| blocked.owner.resource().is_some_and(|id| resources.contains(&id));
        entries.extend(transparent.into_iter().filter(of_them).map(Entry::Blocked));
        // A closed business is closed for everybody.
        let closings = catalog::closing_times(conn, site, from, to).await?;
        entries.extend(closings.into_iter().map(Entry::Blocked));
        // A claim ends with its buffer, an entry before it.
        entries.retain(|entry| entry.span().is_some_and(|span| span.overlaps(&self.window)));
        Ok(entries)
    }
}

/// Leaves out what takes place elsewhere. Blocked times are of resources, wherever those are, or close a location.
async fn keep_at(
    conn: &mut Conn,
    site: SiteId,
    locations: &[LocationId],
    entries: &mut Vec<Entry>,
) -> Result<(), StoreError> {
    // A session that says nothing is where its service is given.
    let silent = |entry: &Entry| match entry {
        Entry::Session(session) if session.location.is_none() => Some(session.service),
        _ => None,
    };
    let mut ids: Vec<ServiceId> = entries.iter().filter_map(silent).collect();
    ids.sort();
    ids.dedup();
    let services = if ids.is_empty() {
        Vec::new()
    } else {
        catalog::find_services(conn, site, &ids).await?
    };
    let only = |id: ServiceId| services.iter().find(|service| service.id == id)?.only_location();
    entries.retain(|entry| {
        let location = match entry {
            Entry::Appointment(booking) => booking.booked.location.as_ref(),
            Entry::Session(session) => session.location.as_ref().or_else(|| only(session.service)),
            Entry::Blocked(blocked) => return blocked.owner.location().is_none_or(|at| locations.contains(&at)),
        };
        let at = location.and_then(|location| location.id);
        at.is_some_and(|at| locations.contains(&at))
    });
    Ok(())
}

impl Found {
    /// When the business and each resource are open, at these locations if it is about some of them.
    fn open(&self, window: TimeSpan, locations: Option<&[LocationId]>) -> Vec<Open> {
        let zone = self.zone.zone();
        let doors = Doors {
            calendar: Calendar::new(&zone, window.start(), window.end()),
            window,
            places: match locations {
                Some(ids) => ids.iter().copied().map(Some).collect(),
                None => vec![None],
            },
            hours: self
                .hours
                .iter()
                .filter_map(|record| Some((record.owner, record.hours.as_ref()?)))
                .collect(),
        };
        let business = Open {
            resource: None,
            times: doors.together(|place| doors.house(place)),
        };
        let of = |resource: &Resource| Open {
            resource: Some(resource.id),
            times: doors.of(resource),
        };
        std::iter::once(business).chain(self.resources.iter().map(of)).collect()
    }
}

/// Opening times at the places that a calendar is about: all together if it names none.
struct Doors<'a> {
    calendar: Calendar,
    window: TimeSpan,
    places: Vec<Option<LocationId>>,
    hours: HashMap<HoursOwner, &'a OpeningHours>,
}

impl Doors<'_> {
    fn expand(&self, hours: &OpeningHours, scope: Scope) -> Vec<TimeSpan> {
        spans::clip(
            &hours.expand(&self.calendar, scope),
            self.window.start(),
            self.window.end(),
        )
    }

    /// The times at any of the places; none if one of them is open around the clock.
    fn together(&self, at: impl Fn(Option<LocationId>) -> Option<Vec<TimeSpan>>) -> Option<Vec<TimeSpan>> {
        self.places
            .iter()
            .try_fold(Vec::new(), |all, place| Some(spans::union(&all, &at(*place)?)))
    }

    /// The opening hours of a place: its own, or else the business's.
    fn house(&self, place: Option<LocationId>) -> Option<Vec<TimeSpan>> {
        let own = place.and_then(|id| self.hours.get(&HoursOwner::Location(id)));
        let hours = own.or_else(|| self.hours.get(&HoursOwner::Business))?;
        Some(self.expand(hours, scope(place, true)))
    }

    /// Who has no hours keeps those of the place, and what has none is always there. Own hours that are bound to a place
    /// hold there whatever else is said about where the resource can be.
    fn of(&self, resource: &Resource) -> Option<Vec<TimeSpan>> {
        let admitted = |place: Option<LocationId>| match (&resource.locations, place) {
            (Some(locations), Some(id)) => locations.contains(&id),
            (None, _) | (_, None) => true,
        };
        self.together(|place| match self.hours.get(&HoursOwner::Resource(resource.id)) {
            Some(own) => Some(self.expand(own, scope(place, admitted(place)))),
            None if !admitted(place) => Some(Vec::new()),
            None if resource.resource_type == ResourceType::Staff => self.house(place),
            None => None,
        })
    }
}

fn scope(place: Option<LocationId>, admitted: bool) -> Scope {
    let place = place.map(|id| PlaceId::from_uuid(id.uuid()));
    match place {
        None => Scope::Everywhere,
        Some(place) if admitted => Scope::At(place),
        Some(place) => Scope::BoundTo(place),
    }
}

impl Service {
    /// What stands on the business calendar within a window. Staff see their own part of it.
    pub async fn calendar(&self, caller: &Caller, query: CalendarQuery) -> Result<CalendarView, Error> {
        access::require(Permission::ReadCalendar, caller)?;
        let (from, _) = window(Some(query.from), query.to, self.clock().now())?;
        if !(1..=MAX_ENTRIES).contains(&query.limit) {
            return Err(Rejection::invalid(&["limit"], format!("must be between 1 and {MAX_ENTRIES}")).into());
        }
        let window =
            TimeSpan::new(from, query.to).ok_or_else(|| Rejection::invalid(&["to"], "must be after `from`"))?;
        let wanted = Wanted {
            site: caller.site,
            window,
            resources: calendars(caller, query.resources.clone())?,
            locations: query.locations.clone(),
        };
        let found = self
            .db()
            .read(move |conn| Box::pin(async move { wanted.read(conn).await }))
            .await?;
        for (index, id) in query.resources.iter().flatten().enumerate() {
            if !found.resources.iter().any(|resource| resource.id == *id) {
                let path = ["resourceIds", &index.to_string()];
                return Err(Rejection::invalid(&path, "is no resource of this business").into());
            }
        }
        let open = found.open(window, query.locations.as_deref());
        let mut entries = found.entries;
        entries.sort_by_key(|entry| entry.span().map(|span| (span.start(), span.end())));
        let limit = usize::try_from(query.limit).unwrap_or(1);
        let next_from = entries.get(limit).and_then(Entry::span).map(|span| span.start());
        entries.truncate(limit);
        Ok(CalendarView {
            entries,
            next_from,
            resources: found.resources,
            open,
            zone: query.time_zone.unwrap_or(found.zone),
        })
    }
}

/// Whose calendars the caller gets to see of those that are asked for.
fn calendars(caller: &Caller, asked: Option<Vec<ResourceId>>) -> Result<Option<Vec<ResourceId>>, Rejection> {
    let Actor::Staff { resource: own, .. } = caller.actor else {
        return Ok(asked);
    };
    let others = asked.iter().flatten().position(|id| *id != own);
    match others {
        Some(index) => Err(Rejection::invalid(
            &["resourceIds", &index.to_string()],
            "is not your own calendar",
        )),
        None => Ok(Some(vec![own])),
    }
}
