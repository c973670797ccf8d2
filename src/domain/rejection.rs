//! Every rule's refusal, with its facts. The API gives each one a type and a code, in one exhaustive match.

use super::{
    booking::{BookingStatus, ServiceKind},
    ids::{BookingId, Kind, SessionId},
};
use jiff::{Timestamp, civil::DateTime};
use serde::{Deserialize, Serialize};

/// Which sort of text or number was not acceptable; decides the code that clients see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Field {
    /// An id: malformed, or of another type.
    Id,
    /// A date or a time.
    Date,
    /// A time zone's name.
    TimeZone,
    /// The choices of participants.
    Choices,
    /// Ways to pay that don't go with the price, or with each other.
    PaymentOptions,
    /// Approval by the business, of what can be paid for with a plan.
    PlanWithApproval,
    /// The number of the services of a package.
    ServicesSize,
    /// The rules of a booking policy.
    Policy(PolicyProblem),
    /// The options and variants of a service.
    Options(OptionsProblem),
    /// A type of resource that is used.
    ResourceTypeInUse,
    /// Where a service is given.
    Location(LocationProblem),
    /// Anything else.
    Other,
}

/// What is wrong with a booking policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum PolicyProblem {
    /// It can't be booked late and after the start.
    BothLateAndAfterStart,
    /// The time in which it can be booked is empty.
    Window,
    /// The default can't be deleted.
    IsDefault,
    /// Services use it.
    InUse,
}

/// What is wrong with the options and variants of a service (`spec/catalog-availability.md` §2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum OptionsProblem {
    /// A choice names an option that isn't there.
    UnknownOptionIds,
    /// The prices are in several currencies.
    MultipleCurrencies,
    /// The kind of service doesn't know this type of option.
    UnsupportedOptionType,
    /// The data are not those of the option's type.
    UnsupportedOptionData,
    /// Somebody is named who isn't on the service's staff.
    UnknownStaffIds,
    /// A staff member has no variant, or not with every choice.
    MissingStaffVariants,
    /// Two choices, or two variants, are the same.
    IdenticalChoices,
    /// A choice has no variant, or not with every other choice.
    MissingCustomChoices,
}

/// What is wrong with locations (`spec/catalog-availability.md` §1.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum LocationProblem {
    /// There are too many, or one has to be named.
    Several,
    /// A location of the business is missing, unknown or there twice.
    Business,
    /// The place in the business's own words has none, or there are two.
    Custom,
    /// The service isn't given at the customer's, or the address is missing.
    Customer,
    /// It is none of the service's.
    Unknown,
    /// Something refers to it.
    InUse,
}

/// An input that is not acceptable in itself, whatever the state of the world.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{}: {message}", path.join("."))]
pub struct Invalid {
    /// What sort of input it is.
    pub field: Field,
    /// Where it stands in the input, outermost first.
    pub path: Vec<String>,
    /// What is wrong with it, as a sentence fragment that follows the field's name.
    pub message: String,
}

impl Invalid {
    /// A complaint about a value whose place the caller adds with [`Invalid::at`].
    #[must_use]
    pub fn new(field: Field, message: impl Into<String>) -> Self {
        Self {
            field,
            path: Vec::new(),
            message: message.into(),
        }
    }

    /// Puts `segment` in front of the place.
    #[must_use]
    pub fn at(mut self, segment: impl Into<String>) -> Self {
        self.path.insert(0, segment.into());
        self
    }
}

/// Why a time can't be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum SlotProblem {
    /// Who is needed is busy, or not there.
    #[default]
    NotFree,
    /// It begins beside the starts that are offered.
    NotOffered,
    /// There are fewer of what the service needs than it takes, whether free or not.
    TooFew,
    /// The course has no sessions.
    NoSessions,
}

impl SlotProblem {
    /// What is told of it.
    #[must_use]
    pub fn message(self) -> &'static str {
        match self {
            Self::NotFree => "the time is not free",
            Self::NotOffered => "the start is none of the times that are offered",
            Self::TooFew => "fewer resources can be booked than the service needs, so it can't be had at any time",
            Self::NoSessions => "the course has no sessions",
        }
    }
}

/// Which capacity was not enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum CapacityOf {
    /// A class session's.
    Session,
    /// A course's.
    Schedule,
}

/// Which rule for customers was broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum PolicyRule {
    /// The service can't be booked online.
    OnlineBookingDisabled,
    /// The policy lets customers cancel nothing.
    CancellationNotAllowed,
    /// The policy lets customers move nothing.
    RescheduleNotAllowed,
    /// The time in which it can be booked hasn't come.
    TooEarlyToBook,
    /// The time in which it can be booked is over.
    TooLateToBook,
    /// The time in which customers can cancel it is over.
    TooLateToCancel,
    /// The time in which customers can move it is over.
    TooLateToReschedule,
    /// Too many live holds of one visitor, member or address.
    TooManyHolds,
    /// More people than one booking may be for.
    TooManyParticipants,
}

/// Which rule of packages was broken (`spec/bookings.md` §4.16).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum PackageRule {
    /// The booking is a part of a package, which is changed as a whole.
    Part,
    /// The package has bookings that the input doesn't name.
    NotAllSent,
    /// A booking is named twice.
    Duplicate,
    /// Some of its bookings are not on the caller's calendar.
    SeveralStaff,
    /// All of it is confirmed.
    AlreadyConfirmed,
    /// All of it is declined.
    AlreadyDeclined,
    /// All of it is canceled.
    AlreadyCanceled,
    /// The booking is a part of another package.
    PartOfAnother,
    /// The booking is a part of this package.
    AlreadyIncluded,
    /// The booking isn't in the package's status.
    OtherStatus,
}

impl PackageRule {
    /// What is told of it.
    #[must_use]
    pub fn message(self) -> &'static str {
        match self {
            Self::Part => "the booking is a part of a package, which is changed as a whole",
            Self::NotAllSent => "the package has other bookings, too: name all of them or none",
            Self::Duplicate => "the booking is named twice",
            Self::SeveralStaff => "some bookings of the package are on the calendars of others",
            Self::AlreadyConfirmed => "all bookings of the package are confirmed already",
            Self::AlreadyDeclined => "all bookings of the package are declined already",
            Self::AlreadyCanceled => "all bookings of the package are canceled already",
            Self::PartOfAnother => "the booking is a part of another package",
            Self::AlreadyIncluded => "the booking is a part of this package already",
            Self::OtherStatus => "the booking isn't in the status of the package",
        }
    }
}

/// A refusal: nothing was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum Rejection {
    /// The input is not acceptable in itself.
    #[error("{0}")]
    Invalid(Invalid),
    /// There is no such thing, or the caller may not see it.
    #[error("no such {}", kind.prefix())]
    NotFound {
        /// What was looked for.
        kind: Kind,
        /// Where the input named it.
        path: Vec<String>,
    },
    /// What is named is there, but not to be had in this way: told like what isn't there, in other words.
    #[error("the {} {message}", kind.prefix())]
    Unfit {
        /// What was named.
        kind: Kind,
        /// Where the input named it.
        path: Vec<String>,
        /// What is wrong with it, as a sentence fragment that follows what it is.
        message: String,
    },
    /// The caller may not use this flag or ask for this status.
    #[error("{what} is for the business only{}", if *own_calendar { ", and for staff on their own calendar" } else { "" })]
    Unauthorized {
        /// The flag or status.
        what: String,
        /// Whether staff may on their own calendar.
        #[serde(default)]
        own_calendar: bool,
        /// Where the input named it.
        path: Vec<String>,
    },
    /// The act can't be done from the booking's status.
    #[error("a booking that is {status} can't be the object of this act")]
    InvalidStatus {
        /// The status that it has.
        status: BookingStatus,
        /// The statuses from which the act can be done.
        allowed: Vec<BookingStatus>,
    },
    /// Somebody changed the object since the caller read it.
    #[error("the revision is {current} by now")]
    RevisionMismatch {
        /// What was to be changed.
        kind: Kind,
        /// The revision that it has.
        current: i64,
    },
    /// The resource is busy, or none is free.
    #[error("{}", problem.message())]
    SlotNotAvailable {
        /// The bookings in the way.
        conflicts: Vec<BookingId>,
        /// The next start at which the same length would fit, if there is one within the next 31 days.
        next_available: Option<Timestamp>,
        /// What is wrong with the time.
        #[serde(default)]
        problem: SlotProblem,
    },
    /// Not enough seats.
    #[error("{requested} seats asked for, {remaining} left")]
    CapacityExceeded {
        /// Whose seats.
        of: CapacityOf,
        /// How many were asked for.
        requested: i64,
        /// How many are left.
        remaining: i64,
    },
    /// A rule for customers forbids it.
    #[error("a policy forbids it")]
    Policy {
        /// Which rule.
        rule: PolicyRule,
        /// The instant or number that it sets.
        limit: Option<String>,
    },
    /// Only bookings of services that need approval can be pending.
    #[error("the service needs no approval")]
    NotPendingApprovalService,
    /// The kind of service doesn't know this act: courses can't be moved, appointments have no seats to change.
    #[error("a booking of a {0} doesn't know this act")]
    NotForKind(ServiceKind, KindRule),
    /// The service has no resource of a type that it needs, so not even the owner's word can make it fit.
    #[error("the service has no resource to choose from")]
    NoResource,
    /// The key was used with another input.
    #[error("the idempotency key was used with another input")]
    IdempotencyKeyReused,
    /// The change would touch bookings, and the input doesn't say what is to become of them.
    #[error("{}", in_the_way(*count, *sessions))]
    HasBookings {
        /// What is to be changed.
        kind: Kind,
        /// How many bookings and sessions it touches.
        count: i64,
        /// How many of them are sessions: those of a resource that is to be deleted.
        #[serde(default)]
        sessions: i64,
        /// The bookings.
        #[serde(default)]
        bookings: Vec<BookingId>,
    },
    /// The category has services, and the input doesn't say where they are to go.
    #[error("{count} services are in the category")]
    CategoryHasServices {
        /// How many services.
        count: i64,
    },
    /// The site has as many categories as it may have.
    #[error("a site has at most {limit} categories")]
    CategoryLimit {
        /// How many.
        limit: usize,
    },
    /// The site has as many types of resources as it may have.
    #[error("a site has at most {limit} types of resources")]
    ResourceTypeLimit {
        /// How many.
        limit: usize,
    },
    /// The other resource can't take over all that the deleted one serves.
    #[error("the other resource is not free for {} bookings and {} sessions", bookings.len(), sessions.len())]
    NotReassignable {
        /// The bookings for which it is not free.
        bookings: Vec<BookingId>,
        /// The sessions for which it is not free.
        sessions: Vec<SessionId>,
    },
    /// The site has as many locations as it may have.
    #[error("a site has at most {limit} locations")]
    LocationLimit {
        /// How many.
        limit: usize,
    },
    /// A rule of packages forbids it.
    #[error("{}", rule.message())]
    Package {
        /// Which rule.
        rule: PackageRule,
        /// Where the input is at fault.
        path: Vec<String>,
    },
    /// One session of several can't be had as asked.
    #[error("the session at {at}: {}", if *by_itself { "the series is in its own way, this one overlaps another of it".to_owned() } else { rejection.to_string() })]
    OfSession {
        /// The wall clock at its start.
        at: DateTime,
        /// Whether another one of them is in its way.
        by_itself: bool,
        /// Why not.
        rejection: Box<Rejection>,
    },
    /// One part of a package can't be had as asked.
    #[error("{rejection}")]
    OfPart {
        /// Where the input says what the part is to be.
        path: Vec<String>,
        /// Why not.
        rejection: Box<Rejection>,
    },
    /// Another object has this name already.
    #[error("{}", taken(*kind))]
    AlreadyExists {
        /// What it names.
        kind: Kind,
        /// Where the input gave it.
        path: Vec<String>,
    },
}

/// Bookings and sessions that are in the way, in words.
fn in_the_way(count: i64, sessions: i64) -> String {
    let number = |count: i64, one: &str| match count {
        1 => format!("1 {one}"),
        _ => format!("{count} {one}s"),
    };
    let bookings = count - sessions;
    let what = match (bookings, sessions) {
        (_, 0) => number(bookings, "booking"),
        (0, _) => number(sessions, "session"),
        _ => format!("{} and {}", number(bookings, "booking"), number(sessions, "session")),
    };
    format!("{what} {} in the way", if count == 1 { "is" } else { "are" })
}

/// Which act a kind of service doesn't know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum KindRule {
    /// Moving to another time.
    Reschedule,
    /// Changing the number of participants.
    UpdateParticipants,
}

impl From<Invalid> for Rejection {
    fn from(invalid: Invalid) -> Self {
        Self::Invalid(invalid)
    }
}

fn taken(kind: Kind) -> &'static str {
    match kind {
        Kind::Options => "the service has options already",
        _ => "the name is taken",
    }
}

impl Rejection {
    /// An input that breaks a rule, at `path`.
    #[must_use]
    pub fn invalid(path: &[&str], message: impl Into<String>) -> Self {
        Self::Invalid(Invalid {
            field: Field::Other,
            path: path.iter().map(|p| (*p).to_owned()).collect(),
            message: message.into(),
        })
    }

    /// A time that can't be had, with nobody's booking in the way.
    #[must_use]
    pub fn no_slot(problem: SlotProblem) -> Self {
        Self::SlotNotAvailable {
            conflicts: Vec::new(),
            next_available: None,
            problem,
        }
    }

    /// The same refusal, for who didn't ask to skip the availability check: where there are too few resources, it is the
    /// time that can't be had.
    #[must_use]
    pub fn unless_skipped(self, skipped: bool) -> Self {
        match self {
            Self::NoResource if !skipped => Self::no_slot(SlotProblem::TooFew),
            other => other,
        }
    }

    /// The same refusal, with the place of the part that it is about in front of its own.
    #[must_use]
    pub fn within(mut self, outer: &[&str]) -> Self {
        match &mut self {
            Self::Invalid(Invalid { path, .. })
            | Self::NotFound { path, .. }
            | Self::Unfit { path, .. }
            | Self::Unauthorized { path, .. }
            | Self::Package { path, .. }
            | Self::OfPart { path, .. }
            | Self::AlreadyExists { path, .. } => {
                path.splice(0..0, outer.iter().map(|segment| (*segment).to_owned()));
            }
            _ => {}
        }
        self
    }

    /// The same refusal, of the part of a package whose wish stands at `path`: one that has no place gets this one.
    #[must_use]
    pub fn of_part(self, path: &[&str]) -> Self {
        match self {
            Self::Invalid(_)
            | Self::NotFound { .. }
            | Self::Unfit { .. }
            | Self::Unauthorized { .. }
            | Self::Package { .. }
            | Self::OfPart { .. }
            | Self::AlreadyExists { .. } => self.within(path),
            other => Self::OfPart {
                path: path.iter().map(|p| (*p).to_owned()).collect(),
                rejection: Box::new(other),
            },
        }
    }

    /// The bookings that it is because of.
    #[must_use]
    pub fn bookings(&self) -> &[BookingId] {
        match self {
            Self::HasBookings { bookings, .. }
            | Self::SlotNotAvailable {
                conflicts: bookings, ..
            } => bookings,
            Self::OfSession { rejection, .. } | Self::OfPart { rejection, .. } => rejection.bookings(),
            _ => &[],
        }
    }

    /// A rule of packages is broken, at `path`.
    #[must_use]
    pub fn package(rule: PackageRule, path: &[&str]) -> Self {
        Self::Package {
            rule,
            path: path.iter().map(|p| (*p).to_owned()).collect(),
        }
    }

    /// What the id at `path` names is there, but not to be had in this way.
    #[must_use]
    pub fn unfit(kind: Kind, path: &[&str], message: impl Into<String>) -> Self {
        Self::Unfit {
            kind,
            path: path.iter().map(|p| (*p).to_owned()).collect(),
            message: message.into(),
        }
    }

    /// Nothing of this kind has the id at `path`.
    #[must_use]
    pub fn not_found(kind: Kind, path: &[&str]) -> Self {
        Self::NotFound {
            kind,
            path: path.iter().map(|p| (*p).to_owned()).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_is_in_the_way_is_counted_in_words() {
        for (count, sessions, told) in [
            (1, 0, "1 booking is in the way"),
            (2, 0, "2 bookings are in the way"),
            (1, 1, "1 session is in the way"),
            (3, 3, "3 sessions are in the way"),
            (4, 1, "3 bookings and 1 session are in the way"),
        ] {
            assert_eq!(super::in_the_way(count, sessions), told);
        }
    }
}
