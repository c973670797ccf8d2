//! Times at which several appointments fit one after the other.

use std::sync::Arc;

use async_graphql::{ID, InputObject, Object, SimpleObject};
use jiff::{Timestamp, tz};

use super::{
    booked::Location,
    participants_input::ServiceChoiceInput,
    resource::Resource,
    service::Service,
    time_slot::{BookingPolicyViolations, NonBookableReasons},
};
use crate::{
    graphql::scalars::{DateTime, LocalDateTime, TimeZone},
    service::availability as found,
};

/// One service of a visit.
#[derive(Debug, Clone, InputObject)]
pub struct MultiServiceAvailabilityItemInput {
    /// What was chosen of the service's options, at most 5, as in a booking's `participantsChoices`. A length sets how long
    /// it is, and must be that of `durationInMinutes` if both are given. None has to be made. A choice that the service
    /// doesn't offer is refused with the `reason` `INVALID_SERVICE_CHOICES`.
    pub choices: Option<Vec<ServiceChoiceInput>>,
    /// How long it is to be, in minutes: one of the service's `durations`, the first if not said.
    pub duration_in_minutes: Option<i32>,
    /// Only with these staff members and rooms, at most 135; of several of one type any one will do.
    pub resource_ids: Option<Vec<ID>>,
    /// The appointment service.
    pub service_id: ID,
}

/// One appointment of a visit of several.
#[derive(Debug, Clone)]
pub struct NestedTimeSlot {
    offer: found::PartOffer,
    clock: Arc<tz::TimeZone>,
}

fn local(clock: &tz::TimeZone, at: Timestamp) -> LocalDateTime {
    clock.to_datetime(at).into()
}

/// One appointment of a visit of several.
#[Object]
impl NestedTimeSlot {
    /// The instant at which it is over.
    async fn end_date(&self) -> DateTime {
        self.offer.span.end().into()
    }

    /// The wall clock at its end, in the zone of the answer.
    async fn local_end_date(&self) -> LocalDateTime {
        local(&self.clock, self.offer.span.end())
    }

    /// The wall clock at its start, in the zone of the answer.
    async fn local_start_date(&self) -> LocalDateTime {
        local(&self.clock, self.offer.span.start())
    }

    /// Who and what would serve it, the same throughout the visit as far as that is possible. Worked out only if
    /// selected.
    async fn resources(&self) -> Vec<Resource> {
        self.offer.resources.iter().cloned().map(Resource::from).collect()
    }

    /// The service.
    async fn service(&self) -> Service {
        (*self.offer.service).clone().into()
    }

    /// The service's id.
    async fn service_id(&self) -> ID {
        self.offer.service.id.to_string().into()
    }

    /// The instant at which it starts: when the one before it ends.
    async fn start_date(&self) -> DateTime {
        self.offer.span.start().into()
    }
}

/// A time at which all services of a visit fit, one after the other.
#[derive(Debug, Clone)]
pub struct MultiServiceSlot {
    offer: found::ChainOffer,
    clock: Arc<tz::TimeZone>,
}

/// A time at which all services of a visit fit, one after the other. It has one spot, which a party takes as a whole.
#[Object]
impl MultiServiceSlot {
    /// Whether this caller could book all of it now, for as many as were asked for.
    async fn bookable(&self) -> bool {
        self.offer.bookable()
    }

    /// Spots that this caller could have: 1 or 0.
    async fn bookable_capacity(&self) -> i32 {
        i32::from(self.offer.bookable())
    }

    /// Which rules for customers any of its parts breaks, each measured to its own start.
    async fn booking_policy_violations(&self) -> BookingPolicyViolations {
        self.offer.violations.into()
    }

    /// The instant at which the last part is over.
    async fn end_date(&self) -> DateTime {
        self.offer.span.end().into()
    }

    /// The wall clock at its end, in the zone of the answer.
    async fn local_end_date(&self) -> LocalDateTime {
        local(&self.clock, self.offer.span.end())
    }

    /// The wall clock at its start, in the zone of the answer.
    async fn local_start_date(&self) -> LocalDateTime {
        local(&self.clock, self.offer.span.start())
    }

    /// Where all of it takes place, if the services say so. To book it there, give its `locationId` with every part.
    async fn location(&self) -> Option<Location> {
        self.offer.location.as_ref().map(Location::from)
    }

    /// Its parts, in the order in which they were asked for.
    async fn nested_time_slots(&self) -> Vec<NestedTimeSlot> {
        let parts = self.offer.parts.iter().cloned();
        parts
            .map(|offer| NestedTimeSlot {
                offer,
                clock: self.clock.clone(),
            })
            .collect()
    }

    /// Why this caller can't book it.
    async fn non_bookable_reasons(&self) -> NonBookableReasons {
        self.offer.reasons.into()
    }

    /// Spots that nobody has taken: 1 or 0.
    async fn remaining_capacity(&self) -> i32 {
        i32::from(!self.offer.reasons.no_remaining_capacity)
    }

    /// The instant at which the first part starts.
    async fn start_date(&self) -> DateTime {
        self.offer.span.start().into()
    }

    /// Spots in all: 1.
    async fn total_capacity(&self) -> i32 {
        1
    }
}

/// When several services can be booked one after the other, within a window of time.
#[derive(SimpleObject)]
pub struct MultiServiceAvailability {
    /// Where to go on, if there was more than the answer holds: ask again with this as `from`. What starts at one time
    /// stands in one answer, so nothing is missed or told twice.
    next_from: Option<DateTime>,
    /// The times, by start.
    time_slots: Vec<MultiServiceSlot>,
    /// The zone in which local times are told.
    time_zone: TimeZone,
}

impl From<found::Chains> for MultiServiceAvailability {
    fn from(answer: found::Chains) -> Self {
        let clock = Arc::new(answer.zone.zone());
        let slot = |offer: found::ChainOffer| MultiServiceSlot {
            offer,
            clock: clock.clone(),
        };
        Self {
            next_from: answer.next_from.map(DateTime::from),
            time_slots: answer.offers.into_iter().map(slot).collect(),
            time_zone: (&answer.zone).into(),
        }
    }
}
