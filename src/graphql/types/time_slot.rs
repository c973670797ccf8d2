//! Times that can be booked: of appointments, of classes, of courses.
#![allow(
    clippy::duplicated_attributes,
    reason = "several fields of the interface are of one type"
)]

use std::sync::Arc;

use async_graphql::{ID, Interface, Object, SimpleObject};
use jiff::{Timestamp, tz};

use super::{
    booked::Location,
    resource::{ResourceKind, custom_id},
    schedule::Schedule,
    service::Service,
    session::Session,
};
use crate::{
    domain::{availability as engine, catalog, time::TimeSpan},
    graphql::scalars::{DateTime, LocalDateTime, TimeZone},
    service::availability::{self as found, FreeTime, OfferOf},
};

/// Which rules for customers a time breaks. The business sees them and isn't bound by them.
#[derive(SimpleObject, Clone, Debug)]
pub struct BookingPolicyViolations {
    /// Whether the service can't be booked online.
    book_online_disabled: bool,
    /// When it can be booked, if it is too early yet.
    earliest_booking_date: Option<DateTime>,
    /// Whether it can't be booked yet.
    too_early_to_book: bool,
    /// Whether it can't be booked any more.
    too_late_to_book: bool,
}

impl From<engine::Violations> for BookingPolicyViolations {
    fn from(broken: engine::Violations) -> Self {
        Self {
            book_online_disabled: broken.online_disabled,
            earliest_booking_date: broken.earliest_booking.map(DateTime::from),
            too_early_to_book: broken.too_early,
            too_late_to_book: broken.too_late,
        }
    }
}

/// Why the caller can't book a time. One that can be booked has none of these.
#[derive(SimpleObject, Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "what the schema says")]
pub struct NonBookableReasons {
    /// Whether it doesn't take place.
    event_cancelled: bool,
    /// Whether there are not enough spots for so many.
    no_remaining_capacity: bool,
    /// Whether the spots that are left are offered to people on the waiting list.
    reserved_for_waiting_list: bool,
    /// Whether a rule for customers forbids it: see `bookingPolicyViolations`; or more people come than the policy lets
    /// one booking be for.
    violates_booking_policy: bool,
}

impl From<engine::NonBookable> for NonBookableReasons {
    fn from(reasons: engine::NonBookable) -> Self {
        Self {
            event_cancelled: reasons.cancelled,
            no_remaining_capacity: reasons.no_remaining_capacity,
            reserved_for_waiting_list: reasons.reserved_for_waitlist,
            violates_booking_policy: reasons.violates_booking_policy,
        }
    }
}

/// A staff member or room that is free at a time.
#[derive(SimpleObject, Clone, Debug)]
pub struct AvailableResource {
    /// Its id: ask for it by name with `resourceIds`.
    id: ID,
    /// Its name.
    name: String,
}

/// Who or what is free at a time, of one type of resource that the service needs.
#[derive(SimpleObject, Clone, Debug)]
#[expect(clippy::struct_field_names, reason = "what the schema says")]
pub struct AvailableResources {
    /// Whether more are free than are listed.
    has_more_available_resources: bool,
    /// How many of them an appointment takes.
    number_of_resources_required: i32,
    /// Which type.
    resource_type: ResourceKind,
    /// The id of that type, if it is one that the business has made up.
    resource_type_id: Option<ID>,
    /// Those that are free, at most 10, in the order in which they are taken: that of the service's list, unless its
    /// `staffSortingPolicy` says otherwise; by name where lots are drawn.
    resources: Vec<AvailableResource>,
}

/// Resources that are listed of one type.
const LISTED: usize = 10;

impl AvailableResources {
    fn of((needed, free): (&found::Needed, Vec<&catalog::Resource>)) -> Self {
        let listed = free.iter().take(LISTED).map(|resource| AvailableResource {
            id: resource.id.to_string().into(),
            name: resource.name.clone(),
        });
        Self {
            has_more_available_resources: free.len() > LISTED,
            number_of_resources_required: i32::try_from(needed.count).unwrap_or(i32::MAX),
            resource_type: needed.kind.into(),
            resource_type_id: custom_id(needed.kind),
            resources: listed.collect(),
        }
    }
}

/// What all of them have.
#[derive(Clone, Debug)]
pub struct Common {
    offer: found::Offer,
    clock: Arc<tz::TimeZone>,
}

impl Common {
    fn local(&self, at: Timestamp) -> LocalDateTime {
        self.clock.to_datetime(at).into()
    }
}

fn number(spots: u32) -> i32 {
    i32::try_from(spots).unwrap_or(i32::MAX)
}

/// A type that implements the interface, with fields of its own.
macro_rules! time_slot {
    ($(#[doc = $doc:literal])* $name:ident($part:ty) { $($own:tt)* }) => {
        $(#[doc = $doc])*
        #[derive(Clone, Debug)]
        pub struct $name {
            common: Common,
            part: $part,
        }

        $(#[doc = $doc])*
        #[Object]
        impl $name {
            /// Whether this caller could book it now, for as many as were asked for.
            pub async fn bookable(&self) -> bool {
                self.common.offer.bookable()
            }

            /// Spots that this caller could have.
            pub async fn bookable_capacity(&self) -> i32 {
                number(self.common.offer.seats.bookable())
            }

            /// Which rules for customers it breaks.
            pub async fn booking_policy_violations(&self) -> BookingPolicyViolations {
                self.common.offer.violations.into()
            }

            /// The instant at which it is over.
            pub async fn end_date(&self) -> DateTime {
                self.common.offer.span.end().into()
            }

            /// The wall clock at its end, in the zone of the answer.
            pub async fn local_end_date(&self) -> LocalDateTime {
                self.common.local(self.common.offer.span.end())
            }

            /// The wall clock at its start, in the zone of the answer.
            pub async fn local_start_date(&self) -> LocalDateTime {
                self.common.local(self.common.offer.span.start())
            }

            /// Where; null if the service is given nowhere in particular. A free time of an appointment is told once for
            /// each location. To book it, give its `locationId` as that of the booking's `location`.
            pub async fn location(&self) -> Option<Location> {
                self.common.offer.location.as_ref().map(Location::from)
            }

            /// Why this caller can't book it.
            pub async fn non_bookable_reasons(&self) -> NonBookableReasons {
                self.common.offer.reasons.into()
            }

            /// Spots that nobody has taken; never below 0.
            pub async fn remaining_capacity(&self) -> i32 {
                number(self.common.offer.seats.remaining())
            }

            /// The service.
            pub async fn service(&self) -> Service {
                (*self.common.offer.service).clone().into()
            }

            /// The service's id.
            pub async fn service_id(&self) -> ID {
                self.common.offer.service.id.to_string().into()
            }

            /// The instant at which it starts.
            pub async fn start_date(&self) -> DateTime {
                self.common.offer.span.start().into()
            }

            /// Spots in all.
            pub async fn total_capacity(&self) -> i32 {
                number(self.common.offer.seats.capacity)
            }

            $($own)*
        }
    };
}

time_slot!(
    /// A free time of an appointment: everybody and everything that it needs is free. It has one spot, which a party takes
    /// as a whole.
    AppointmentSlot(FreeTime) {
        /// Who and what is free, by type of resource. Worked out only if selected.
        async fn available_resources(&self) -> Vec<AvailableResources> {
            self.part.available().map(AvailableResources::of).collect()
        }
    }
);

time_slot!(
    /// A session of a class; a full one, too, and one that has begun until its end.
    ClassSlot(Arc<catalog::Session>) {
        /// The session.
        async fn session(&self) -> Session {
            (*self.part).clone().into()
        }
    }
);

time_slot!(
    /// A run of a course, which is booked as a whole: from its first session's start to its last one's end.
    CourseEnrollment((Arc<catalog::Schedule>, Option<TimeSpan>)) {
        /// The start of the session that comes next; null if none does.
        async fn next_session_start(&self) -> Option<DateTime> {
            self.part.1.map(|next| next.start().into())
        }

        /// The run.
        async fn schedule(&self) -> Schedule {
            (*self.part.0).clone().into()
        }
    }
);

/// Something that can be booked at a time, or could be but for what its flags say.
#[derive(Interface, Clone)]
#[graphql(
    field(
        name = "bookable",
        ty = "bool",
        desc = "Whether this caller could book it now, for as many as were asked for."
    ),
    field(name = "bookable_capacity", ty = "i32", desc = "Spots that this caller could have."),
    field(
        name = "booking_policy_violations",
        ty = "BookingPolicyViolations",
        desc = "Which rules for customers it breaks."
    ),
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
        name = "location",
        ty = "Option<Location>",
        desc = "Where; null if the service is given nowhere in particular. A free time of an appointment is told once for \
            each location. To book it, give its `locationId` as that of the booking's `location`."
    ),
    field(
        name = "non_bookable_reasons",
        ty = "NonBookableReasons",
        desc = "Why this caller can't book it."
    ),
    field(
        name = "remaining_capacity",
        ty = "i32",
        desc = "Spots that nobody has taken; never below 0."
    ),
    field(name = "service", ty = "Service", desc = "The service."),
    field(name = "service_id", ty = "ID", desc = "The service's id."),
    field(name = "start_date", ty = "DateTime", desc = "The instant at which it starts."),
    field(name = "total_capacity", ty = "i32", desc = "Spots in all.")
)]
pub enum TimeSlot {
    /// A free time of an appointment.
    AppointmentSlot(AppointmentSlot),
    /// A session of a class.
    ClassSlot(ClassSlot),
    /// A run of a course.
    CourseEnrollment(CourseEnrollment),
}

/// When services can be booked, within a window of time.
#[derive(SimpleObject)]
pub struct Availability {
    /// Where to go on, if there was more than the answer holds: ask again with this as `from`. What starts at one time
    /// stands in one answer, so nothing is missed or told twice, but courses, which are told until they are over.
    next_from: Option<DateTime>,
    /// The times, by start. Of one start in the order in which the services were named, and then of their locations.
    time_slots: Vec<TimeSlot>,
    /// The zone in which local times are told and days counted.
    time_zone: TimeZone,
}

impl From<found::Availability> for Availability {
    fn from(answer: found::Availability) -> Self {
        let clock = Arc::new(answer.zone.zone());
        let slot = |offer: found::Offer| {
            let of = offer.of.clone();
            let clock = clock.clone();
            let common = Common { offer, clock };
            match of {
                OfferOf::Appointment(part) => TimeSlot::AppointmentSlot(AppointmentSlot { common, part }),
                OfferOf::Class(part) => TimeSlot::ClassSlot(ClassSlot { common, part }),
                OfferOf::Course { schedule, next } => {
                    let part = (schedule, next);
                    TimeSlot::CourseEnrollment(CourseEnrollment { common, part })
                }
            }
        };
        Self {
            next_from: answer.next_from.map(DateTime::from),
            time_slots: answer.offers.into_iter().map(slot).collect(),
            time_zone: (&answer.zone).into(),
        }
    }
}
