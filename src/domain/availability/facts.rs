//! What the engine is told: the business, the service, and the question. All of it borrowed and plain.
//!
//! A booking that is being moved must not be in its own way: leave its spans out of [`Resource::busy`].

use std::num::NonZeroU32;

use jiff::{Timestamp, tz::TimeZone};

use super::{busy::Busy, policy::Policy};
use crate::domain::{
    hours::{OpeningHours, PlaceId},
    ids::ResourceId,
    time::TimeSpan,
};

/// The business as it is at one moment.
#[derive(Debug, Clone, Copy)]
pub struct Business<'a> {
    /// The zone of its wall clock: all opening hours are read in it.
    pub zone: &'a TimeZone,
    /// Its opening hours; none on record: open around the clock.
    pub hours: Option<&'a OpeningHours>,
    /// Times in which nothing can be booked (spec §3.6), in any order.
    pub closed: &'a [TimeSpan],
    /// Everybody and everything that can be booked. Who isn't here can't be, even if a service names it.
    pub resources: &'a [Resource<'a>],
    /// The present instant.
    pub now: Timestamp,
}

/// Whose hours a resource keeps (spec §4.4 2a, §12 A3).
#[derive(Debug, Clone, Copy)]
pub enum HoursSource<'a> {
    /// Its own. Times that are bound to a place hold there whatever [`Resource::places`] says.
    Own(&'a OpeningHours),
    /// The business's.
    Business,
    /// None were given to it: those of the place, or of the business where the place has none.
    Unset,
}

/// Somebody or something that does one thing at a time.
#[derive(Debug, Clone, Copy)]
pub struct Resource<'a> {
    /// Its id.
    pub id: ResourceId,
    /// Where it stands among others when one is chosen by rank.
    pub ranking: i32,
    /// Whose hours it keeps.
    pub hours: HoursSource<'a>,
    /// The only places at which it can be; none: everywhere.
    pub places: Option<&'a [PlaceId]>,
    /// When it is busy, in any order, overlapping or not; each with the buffer that was stored with it.
    pub busy: &'a [Busy],
}

/// What an appointment needs of one type of resource (spec §1.8).
#[derive(Debug, Clone, Copy)]
pub struct Requirement<'a> {
    /// Whether these are staff.
    pub staff: bool,
    /// How many at once; nothing is ever offered for more than there are.
    pub count: usize,
    /// The resources that will do. "Any of the type" is for the caller to spell out.
    pub allowed: &'a [ResourceId],
}

/// A place at which the service is given.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// Its id. A service that names no place has one without an id: there no hours' binding to a place counts, nor
    /// where a resource can be.
    pub id: Option<PlaceId>,
    /// Its own opening hours; none: the business's (spec §1.4).
    pub hours: Option<&'a OpeningHours>,
    /// Times in which nothing can be booked there, in any order.
    pub closed: &'a [TimeSpan],
}

/// How far apart starts are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// So many minutes.
    Every(NonZeroU32),
    /// The service's usual duration and its buffer.
    SameAsDuration,
}

/// What hours of the service itself do to a resource's (spec §1.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HoursMode {
    /// Both have to be open.
    Intersect,
    /// The service's count instead.
    Override,
}

/// An appointment service as the engine needs it (spec §4.3).
#[derive(Debug, Clone, Copy)]
pub struct Service<'a> {
    /// The usual duration in minutes.
    pub duration: NonZeroU32,
    /// Minutes that stay free after it.
    pub buffer: u32,
    /// How far apart starts are.
    pub step: Step,
    /// What it needs, staff first: the opening hours of the first requirement's resources set the grid.
    pub requirements: &'a [Requirement<'a>],
    /// Where it is given, in the order in which slots of one time are listed.
    pub places: &'a [Place<'a>],
    /// Hours of its own.
    pub hours: Option<(HoursMode, &'a OpeningHours)>,
    /// Whether the customer's choice can change its length (variants by duration, add-ons). If so, or if it needs
    /// more than staff, it keeps within the opening hours of the business (§12 A3).
    pub variable_length: bool,
    /// The first instant that it may occupy, if there is one.
    pub available_from: Option<Timestamp>,
    /// The instant by which it must be over, if there is one.
    pub available_until: Option<Timestamp>,
    /// Whether customers book it by themselves.
    pub online: bool,
    /// The largest party of one booking. An appointment has one spot, which a party takes as a whole.
    pub max_party: NonZeroU32,
    /// The booking windows.
    pub policy: Policy,
}

impl Service<'_> {
    /// How far apart starts are, in minutes.
    #[must_use]
    pub fn step_minutes(&self) -> u32 {
        match self.step {
            Step::Every(minutes) => minutes.get(),
            Step::SameAsDuration => self.duration.get().saturating_add(self.buffer),
        }
    }

    /// Whether it has to keep within the opening hours of the business.
    pub(super) fn keeps_business_hours(&self) -> bool {
        self.variable_length || self.requirements.iter().any(|requirement| !requirement.staff)
    }
}

/// Resources that somebody asks for. As many of them as the requirement counts are taken; if they are fewer, all of
/// them, and others beside them.
#[derive(Debug, Clone, Copy)]
pub struct Requested<'a> {
    /// Which requirement of the service they shall serve, by its position.
    pub requirement: usize,
    /// The resources.
    pub resources: &'a [ResourceId],
}

/// A cap on the slots of each day.
#[derive(Debug, Clone, Copy)]
pub struct PerDay<'a> {
    /// So many, those that can be booked first.
    pub most: NonZeroU32,
    /// The zone whose dates are meant.
    pub zone: &'a TimeZone,
}

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub struct Query<'a> {
    /// The first start that is of interest.
    pub from: Timestamp,
    /// The first start that is not any more.
    pub to: Timestamp,
    /// Who is asked for. Requirements that aren't mentioned are open.
    pub requested: &'a [Requested<'a>],
    /// The places that are of interest; none: all of the service's.
    pub places: Option<&'a [PlaceId]>,
    /// The minutes of the visit with everything that was chosen; none: the service's usual duration.
    pub duration: Option<NonZeroU32>,
    /// How many people come.
    pub party: NonZeroU32,
    /// A cap on each day.
    pub per_day: Option<PerDay<'a>>,
    /// Whether the caller is not bound by the booking windows and may book what isn't open online: the flags are told
    /// all the same.
    pub ignore_policy: bool,
}

impl<'a> Query<'a> {
    /// The plain question for starts from `from` to before `to`, for one person.
    #[must_use]
    pub fn between(from: Timestamp, to: Timestamp) -> Self {
        Self {
            from,
            to,
            requested: &[],
            places: None,
            duration: None,
            party: NonZeroU32::MIN,
            per_day: None,
            ignore_policy: false,
        }
    }

    /// Who is asked for, for a requirement; nobody in particular is `None`.
    pub(super) fn requested_for(&self, requirement: usize) -> Option<&'a [ResourceId]> {
        let asked = self.requested.iter().find(|asked| asked.requirement == requirement)?;
        (!asked.resources.is_empty()).then_some(asked.resources)
    }
}
