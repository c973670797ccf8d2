//! The business calendar, ready to draw.
#![allow(
    clippy::duplicated_attributes,
    reason = "several fields of the interface are of one type"
)]

use std::sync::Arc;

use async_graphql::{Context, ID, Interface, Object, SimpleObject};
use jiff::{Timestamp, tz};

use super::{
    blocked_time::{BlockedTime, Transparency},
    booking::Booking,
    resource::Resource,
    session::Session,
};
use crate::{
    domain::time::TimeSpan,
    graphql::{
        caller,
        scalars::{DateTime, LocalDateTime, TimeZone},
    },
    service::{
        access,
        calendar::{CalendarView, Entry, Open},
    },
};

/// What all entries have.
#[derive(Clone, Debug)]
pub struct Common {
    entry: Arc<Entry>,
    span: TimeSpan,
    clock: Arc<tz::TimeZone>,
}

impl Common {
    fn local(&self, at: Timestamp) -> LocalDateTime {
        self.clock.to_datetime(at).into()
    }

    fn title(&self) -> Option<&str> {
        match &*self.entry {
            Entry::Appointment(booking) => Some(&booking.booked.title),
            Entry::Session(session) => Some(&session.title),
            Entry::Blocked(blocked) => blocked.reason.as_deref(),
        }
    }

    fn is_transparent(&self) -> bool {
        match &*self.entry {
            Entry::Appointment(_) => false,
            Entry::Session(session) => session.transparent,
            Entry::Blocked(blocked) => blocked.transparent,
        }
    }
}

/// A type that implements the interface, with a field of its own.
macro_rules! calendar_entry {
    ($(#[doc = $doc:literal])* $name:ident { $($own:tt)* }) => {
        $(#[doc = $doc])*
        #[derive(Clone, Debug)]
        pub struct $name(Common);

        $(#[doc = $doc])*
        #[Object]
        impl $name {
            /// The instant at which it is over.
            pub async fn end_date(&self) -> DateTime {
                self.0.span.end().into()
            }

            /// The wall clock at its end, in the zone of the answer.
            pub async fn local_end_date(&self) -> LocalDateTime {
                self.0.local(self.0.span.end())
            }

            /// The wall clock at its start, in the zone of the answer.
            pub async fn local_start_date(&self) -> LocalDateTime {
                self.0.local(self.0.span.start())
            }

            /// Who and what takes part: in whose columns it stands.
            pub async fn resource_ids(&self) -> Vec<ID> {
                self.0.entry.resources().into_iter().map(|id| id.to_string().into()).collect()
            }

            /// The first instant.
            pub async fn start_date(&self) -> DateTime {
                self.0.span.start().into()
            }

            /// What to write on it: the title of an appointment or session, the reason of a blocked time.
            pub async fn title(&self) -> Option<&str> {
                self.0.title()
            }

            /// Whether it keeps its resources from being booked, or is only shown.
            pub async fn transparency(&self) -> Transparency {
                Transparency::of(self.0.is_transparent())
            }

            $($own)*
        }
    };
}

calendar_entry!(
    /// A pending or confirmed booking of an appointment. Its buffer is not part of it.
    CalendarAppointment {
        /// The booking; null if the caller may not see bookings.
        async fn booking(&self, ctx: &Context<'_>) -> Option<Booking> {
            match &*self.0.entry {
                Entry::Appointment(booking) if access::sees(caller(ctx), booking) => Some((**booking).clone().into()),
                _ => None,
            }
        }
    }
);

calendar_entry!(
    /// A session of a class or a course that takes place.
    CalendarSession {
        /// The session.
        async fn session(&self) -> Option<Session> {
            match &*self.0.entry {
                Entry::Session(session) => Some((**session).clone().into()),
                _ => None,
            }
        }
    }
);

calendar_entry!(
    /// A time in which a resource can't be booked, or the business or a location is closed, or that is only shown. Closings
    /// stand in no column: `resourceIds` is empty, and they count for all.
    CalendarBlockedTime {
        /// The blocked time.
        async fn blocked_time(&self) -> Option<BlockedTime> {
            match &*self.0.entry {
                Entry::Blocked(blocked) => Some(blocked.clone().into()),
                _ => None,
            }
        }
    }
);

/// Something that stands on the calendar.
#[derive(Interface, Clone)]
#[graphql(
    field(name = "end_date", ty = "DateTime", desc = "The instant at which it is over."),
    field(
        name = "local_end_date",
        ty = "LocalDateTime",
        desc = "The wall clock at its end, in the zone of the answer."
    ),
    field(
        name = "local_start_date",
        ty = "LocalDateTime",
        desc = "The wall clock at its start, in the zone of the answer."
    ),
    field(
        name = "resource_ids",
        ty = "Vec<ID>",
        desc = "Who and what takes part: in whose columns it stands."
    ),
    field(name = "start_date", ty = "DateTime", desc = "The first instant."),
    field(
        name = "title",
        ty = "Option<&str>",
        desc = "What to write on it: the title of an appointment or session, the reason of a blocked time."
    ),
    field(
        name = "transparency",
        ty = "Transparency",
        desc = "Whether it keeps its resources from being booked, or is only shown."
    )
)]
pub enum CalendarEntry {
    /// A booking of an appointment.
    Appointment(CalendarAppointment),
    /// A session.
    Session(CalendarSession),
    /// A blocked time.
    BlockedTime(CalendarBlockedTime),
}

/// A time in which somebody is there.
#[derive(SimpleObject, Clone, Debug)]
pub struct CalendarOpenTime {
    /// The instant at which it ends.
    end_date: DateTime,
    /// The first instant.
    start_date: DateTime,
}

/// When the business or a resource is there: its own hours, or those of the business that it follows.
#[derive(SimpleObject, Clone, Debug)]
pub struct CalendarHours {
    /// Whether no hours bind it: it is there around the clock, and `times` is empty.
    around_the_clock: bool,
    /// Whose; null for the business itself.
    resource_id: Option<ID>,
    /// From when to when, by start, cut off at the window's ends.
    times: Vec<CalendarOpenTime>,
}

impl From<Open> for CalendarHours {
    fn from(open: Open) -> Self {
        let time = |span: TimeSpan| CalendarOpenTime {
            end_date: span.end().into(),
            start_date: span.start().into(),
        };
        Self {
            around_the_clock: open.times.is_none(),
            resource_id: open.resource.map(|id| id.to_string().into()),
            times: open.times.into_iter().flatten().map(time).collect(),
        }
    }
}

/// The business calendar of a window of time.
#[derive(SimpleObject)]
pub struct Calendar {
    /// What stands on it and has a part in the window, by start.
    entries: Vec<CalendarEntry>,
    /// Where to go on, if there was more than the answer holds: ask again with this as `from`. What reaches over it is
    /// told again.
    next_from: Option<DateTime>,
    /// Whose calendars these are, by name: the columns. Who was deleted is there if asked for by id.
    resources: Vec<Resource>,
    /// The zone in which local times are told.
    time_zone: TimeZone,
    /// When the business, which comes first, and each of the resources is there. With `locationIds`, at one of these
    /// locations: they keep their own hours, or else the business's.
    working_hours: Vec<CalendarHours>,
}

impl From<CalendarView> for Calendar {
    fn from(view: CalendarView) -> Self {
        let clock = Arc::new(view.zone.zone());
        let entry = |entry: Entry| {
            let common = Common {
                span: entry.span()?,
                entry: entry.into(),
                clock: clock.clone(),
            };
            Some(match &*common.entry {
                Entry::Appointment(_) => CalendarEntry::Appointment(CalendarAppointment(common)),
                Entry::Session(_) => CalendarEntry::Session(CalendarSession(common)),
                Entry::Blocked(_) => CalendarEntry::BlockedTime(CalendarBlockedTime(common)),
            })
        };
        Self {
            entries: view.entries.into_iter().filter_map(entry).collect(),
            next_from: view.next_from.map(DateTime::from),
            resources: view.resources.into_iter().map(Resource::from).collect(),
            time_zone: (&view.zone).into(),
            working_hours: view.open.into_iter().map(CalendarHours::from).collect(),
        }
    }
}
