//! Why there are no free times.

use std::sync::Arc;

use async_graphql::{Enum, ID, SimpleObject};
use jiff::tz;

use super::{
    booked::Location,
    resource::{ResourceKind, custom_id},
};
use crate::{
    domain::{
        availability::{self as engine, Action, Reason},
        booking,
        hours::PlaceId,
        ids::ResourceId,
        time::TimeSpan,
    },
    graphql::scalars::{DateTime, LocalDateTime, TimeZone},
    service::availability::Explained,
};

/// What speaks against a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum UnavailabilityReason {
    /// The visit alone would fit; what is to stay free after it runs into the next thing.
    BufferTimeEliminatesWindows,
    /// The visit is longer than the open time.
    DurationTooLongForAvailableWindows,
    /// The start, or the whole window, lies before the present.
    InThePast,
    /// The service needs nobody, or a type of resource of which it names none.
    NoAssignedStaffOrResources,
    /// None of a type's resources is open within the window.
    NoResourceAvailabilityWindows,
    /// Customers can't book the service: online booking is off, or it is hidden.
    OnlineBookingDisabled,
    /// The visit leaves the time in which the service can be booked.
    RequestedDateOutsideServiceAvailabilityRange,
    /// The service isn't given at the place that is asked for.
    RequestedLocationNotOfferedByService,
    /// The resource is busy.
    ResourceBlocked,
    /// The resource has no hours within the window.
    ResourceHasNoWorkingHours,
    /// Each type has enough free resources, but one would have to serve twice at once.
    ResourceNeededTwice,
    /// Somebody is asked for who doesn't serve the service.
    ResourceNotAssignedToService,
    /// The business has taken the resource out of what can be booked: see `bookable`.
    ResourceNotBookable,
    /// The resource can't be at the service's place.
    ResourceNotAvailableAtServiceLocation,
    /// The resource isn't open for the whole visit.
    ResourceNotInWorkingHours,
    /// The start lies beside those that are offered.
    StartNotOffered,
    /// The business has fewer resources of a type than the service needs.
    TooFewResources,
    /// It can't be booked yet.
    TooEarlyToBook,
    /// It can't be booked any more.
    TooLateToBook,
    /// More people than one booking may bring.
    TooManyParticipants,
}

impl From<Reason> for UnavailabilityReason {
    fn from(reason: Reason) -> Self {
        match reason {
            Reason::NoAssignedResources => Self::NoAssignedStaffOrResources,
            Reason::LocationNotOffered => Self::RequestedLocationNotOfferedByService,
            Reason::TooFewResources => Self::TooFewResources,
            Reason::NoAvailabilityWindows => Self::NoResourceAvailabilityWindows,
            Reason::DurationTooLong => Self::DurationTooLongForAvailableWindows,
            Reason::BufferTooLong => Self::BufferTimeEliminatesWindows,
            Reason::NotInWorkingHours => Self::ResourceNotInWorkingHours,
            Reason::Blocked => Self::ResourceBlocked,
            Reason::NoWorkingHours => Self::ResourceHasNoWorkingHours,
            Reason::NotAssignedToService => Self::ResourceNotAssignedToService,
            Reason::NotBookable => Self::ResourceNotBookable,
            Reason::NotAtLocation => Self::ResourceNotAvailableAtServiceLocation,
            Reason::NeededTwice => Self::ResourceNeededTwice,
            Reason::OutsideServiceRange => Self::RequestedDateOutsideServiceAvailabilityRange,
            Reason::OffGrid => Self::StartNotOffered,
            Reason::InThePast => Self::InThePast,
            Reason::TooEarlyToBook => Self::TooEarlyToBook,
            Reason::TooLateToBook => Self::TooLateToBook,
            Reason::OnlineBookingDisabled => Self::OnlineBookingDisabled,
            Reason::PartyTooLarge => Self::TooManyParticipants,
        }
    }
}

/// What would help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum SuggestedAction {
    /// Give the service this resource.
    AssignResourceToService,
    /// Give the service staff or other resources.
    AssignStaffOrResources,
    /// Look at what blocks the time.
    CheckBlockedTime,
    /// Look at how the service is booked online.
    CheckBookingPolicy,
    /// Look at the time in which the service can be booked.
    CheckServiceAvailabilityRange,
    /// Look at where the service is given.
    CheckServiceLocations,
    /// Look at the hours of the resource, or of the business.
    CheckStaffWorkingHours,
    /// Look at where the resource works.
    CheckWorkLocations,
    /// Choose another start.
    ChooseAnotherStart,
    /// Make the visit or its buffer shorter.
    ReduceDurationOrBuffer,
}

impl From<Action> for SuggestedAction {
    fn from(action: Action) -> Self {
        match action {
            Action::AssignResources => Self::AssignStaffOrResources,
            Action::AssignResourceToService => Self::AssignResourceToService,
            Action::CheckWorkingHours => Self::CheckStaffWorkingHours,
            Action::CheckWorkLocations => Self::CheckWorkLocations,
            Action::CheckServiceLocations => Self::CheckServiceLocations,
            Action::ReduceDurationOrBuffer => Self::ReduceDurationOrBuffer,
            Action::CheckBlockedTime => Self::CheckBlockedTime,
            Action::CheckServiceRange => Self::CheckServiceAvailabilityRange,
            Action::CheckBookingPolicy => Self::CheckBookingPolicy,
            Action::ChooseAnotherStart => Self::ChooseAnotherStart,
        }
    }
}

/// What keeps a resource busy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum BusyWith {
    /// An appointment.
    Appointment,
    /// A blocked time.
    BlockedTime,
    /// The business as a whole is closed, or the location.
    Closure,
    /// An event of a calendar elsewhere.
    ExternalEvent,
    /// Somebody's hold on the time while they check out.
    Hold,
    /// A session of a class or a course.
    Session,
}

impl From<engine::Obstacle> for BusyWith {
    fn from(obstacle: engine::Obstacle) -> Self {
        match obstacle {
            engine::Obstacle::Appointment => Self::Appointment,
            engine::Obstacle::Hold => Self::Hold,
            engine::Obstacle::Session => Self::Session,
            engine::Obstacle::Block => Self::BlockedTime,
            engine::Obstacle::External => Self::ExternalEvent,
            engine::Obstacle::Closure => Self::Closure,
        }
    }
}

/// One thing that speaks against a time, and what would help.
#[derive(SimpleObject, Clone, Debug)]
pub struct AvailabilityFinding {
    /// What keeps the resource busy. Staff see it of their own calendar only.
    busy_with: Option<BusyWith>,
    /// Until when: the end of what is in the way, its buffer included, or of the open time that is too short or comes
    /// next. Staff see it of their own calendar only.
    end_date: Option<DateTime>,
    /// The id of the location that it is about; null where the service is given nowhere in particular.
    location_id: Option<ID>,
    /// The name of the location that it is about.
    location_name: Option<String>,
    /// What it is.
    reason: UnavailabilityReason,
    /// The id of the resource that it is about.
    resource_id: Option<ID>,
    /// The name of the resource that it is about.
    resource_name: Option<String>,
    /// The type of resource that it is about.
    resource_type: Option<ResourceKind>,
    /// The id of that type, if it is one that the business has made up.
    resource_type_id: Option<ID>,
    /// From when: see `endDate`.
    start_date: Option<DateTime>,
    /// What would help.
    suggested_action: SuggestedAction,
}

/// A start that customers can't book, and why.
#[derive(SimpleObject, Clone, Debug)]
pub struct UnavailableStart {
    /// What speaks against it.
    findings: Vec<AvailabilityFinding>,
    /// Where: a start is told once for each location.
    location: Option<Location>,
    /// The wall clock at the start, in the zone of the answer.
    local_start_date: LocalDateTime,
    /// The instant.
    start_date: DateTime,
}

/// Why customers are offered no free times within a window, or fewer than one might expect.
#[derive(SimpleObject)]
pub struct AvailabilityExplanation {
    /// How many of the starts a customer can book.
    bookable_starts: i32,
    /// What speaks against the window as a whole.
    findings: Vec<AvailabilityFinding>,
    /// The zone in which local times are told.
    time_zone: TimeZone,
    /// How many starts there would be if everybody were free all the time that they are there.
    total_starts: i32,
    /// Starts that can't be booked, by time; as many as were asked for.
    unavailable_starts: Vec<UnavailableStart>,
}

struct Names<'e> {
    explained: &'e Explained,
    clock: Arc<tz::TimeZone>,
}

impl Names<'_> {
    fn name(&self, id: ResourceId) -> Option<String> {
        let known = self.explained.resources.iter().find(|resource| resource.id == id);
        known.map(|resource| resource.name.clone())
    }

    fn location(&self, place: Option<PlaceId>) -> Option<&booking::Location> {
        self.explained
            .locations
            .iter()
            .find(|location| place.is_some() && location.place() == place)
    }

    fn finding(&self, finding: &engine::Finding) -> AvailabilityFinding {
        let needed = finding.requirement.and_then(|at| self.explained.needed.get(at));
        let location = self.location(finding.place);
        AvailabilityFinding {
            busy_with: finding.obstacle.map(BusyWith::from),
            end_date: finding.span.as_ref().map(|span| TimeSpan::end(span).into()),
            location_id: location
                .and_then(|location| location.id)
                .map(|id| id.to_string().into()),
            location_name: location.and_then(|location| location.name.clone()),
            reason: finding.reason.into(),
            resource_id: finding.resource.map(|id| id.to_string().into()),
            resource_name: finding.resource.and_then(|id| self.name(id)),
            resource_type: needed.map(|kind| (*kind).into()),
            resource_type_id: needed.and_then(|kind| custom_id(*kind)),
            start_date: finding.span.as_ref().map(|span| TimeSpan::start(span).into()),
            suggested_action: finding.reason.action().into(),
        }
    }

    fn start(&self, time: &engine::TimeFindings) -> UnavailableStart {
        UnavailableStart {
            findings: time.findings.iter().map(|finding| self.finding(finding)).collect(),
            location: self.location(time.place).map(Location::from),
            local_start_date: self.clock.to_datetime(time.start).into(),
            start_date: time.start.into(),
        }
    }
}

fn number(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

impl From<Explained> for AvailabilityExplanation {
    fn from(explained: Explained) -> Self {
        let names = Names {
            clock: Arc::new(explained.zone.zone()),
            explained: &explained,
        };
        let told = &explained.found;
        Self {
            bookable_starts: number(told.bookable),
            findings: told.findings.iter().map(|finding| names.finding(finding)).collect(),
            time_zone: (&explained.zone).into(),
            total_starts: number(told.starts),
            unavailable_starts: told.times.iter().map(|time| names.start(time)).collect(),
        }
    }
}
