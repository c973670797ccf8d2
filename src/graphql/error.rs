//! Two kinds of error: what a person can cause and an app can handle goes into `userErrors`, everything else is a
//! top-level error. One cause, one code, one place: `docs/errors.md`, kept true by a test.

use std::sync::{Arc, OnceLock};

use async_graphql::{
    Context, Enum, Error, ErrorExtensions as _, InputType as _, Interface, Name, Object, SimpleObject, Value,
};

use super::{
    input::Rejections,
    look::Look,
    scalars::DateTime,
    types::{
        booking::{Booking, BookingStatus},
        session::Session,
    },
};
use crate::{
    domain::{
        Rejection,
        ids::{BookingId, Kind, SessionId},
        rejection::{
            CapacityOf, Field, Invalid, KindRule, LocationProblem, OptionsProblem, PackageRule, PolicyProblem,
            PolicyRule as Rule,
        },
    },
    service,
    store::StoreError,
};

/// What went wrong, for programs. `docs/errors.md` lists the cause of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum UserErrorCode {
    /// Another object of the site has this name already.
    AlreadyExists,
    /// All bookings of the package are canceled already.
    AllBookingsAreAlreadyCanceled,
    /// All bookings of the package are confirmed already.
    AllBookingsAreAlreadyConfirmed,
    /// All bookings of the package are declined already.
    AllBookingsAreAlreadyDeclined,
    /// There is no such API key.
    ApiKeyNotFound,
    /// There is no such blocked time.
    BlockedTimeNotFound,
    /// The booking is a part of another package.
    BookingAlreadyPartOfAnotherMultiServiceBooking,
    /// There is no such booking, or the caller may not see it.
    BookingNotFound,
    /// Services use the policy.
    BookingPolicyInUse,
    /// There is no such booking policy.
    BookingPolicyNotFound,
    /// A rule for customers forbids it.
    BookingPolicyViolation,
    /// Somebody changed the booking since the caller read it.
    BookingRevisionMismatch,
    /// The booking isn't in the status of the package that it is to be added to.
    BookingToAddStatusNotValid,
    /// A policy can't limit how late and allow after the start.
    BothLateAndAfterStartPoliciesNotAllowed,
    /// The service has no resource left to choose from, so not even the owner's word can make it fit.
    CanNotSkipAvailabilityValidationIfResourceNotProvided,
    /// The category has services, and the input doesn't say where they are to go.
    CategoryHasServices,
    /// The site has as many categories as it may have.
    CategoryLimitReached,
    /// There is no such category.
    CategoryNotFound,
    /// The default policy can't be deleted.
    DefaultPolicyCannotBeDeleted,
    /// The booking is named twice.
    DuplicateBookingInfo,
    /// The change touches bookings, and the input doesn't say what is to become of them.
    HasBookings,
    /// The key was used with another input.
    IdempotencyKeyReused,
    /// Two choices of an option, or two variants, are the same.
    IdenticalChoices,
    /// The act can't be done from the booking's status.
    InvalidBookingStatus,
    /// A policy leaves no time to book.
    InvalidBookingWindow,
    /// A location of the business is missing, unknown or there twice.
    InvalidBusinessLocation,
    /// The place in the business's own words has none, or there are two of them.
    InvalidCustomLocation,
    /// The service isn't given at the customer's, or the customer's address is missing.
    InvalidCustomerLocation,
    /// A date or time is malformed or out of range.
    InvalidDateFormat,
    /// An id is malformed, or of another type.
    InvalidId,
    /// There are too many locations, or one of several has to be named.
    InvalidLocations,
    /// A service that can be paid for with pricing plans can't need approval.
    InvalidManualApprovalWithPricingPlans,
    /// The ways to pay don't go with the price, or with each other.
    InvalidPaymentOptions,
    /// The service doesn't offer these choices.
    InvalidServiceChoices,
    /// A package has 2 to 8 services.
    InvalidServicesSize,
    /// There is no such time zone.
    InvalidTimeZone,
    /// The service isn't given at this location.
    InvalidUnknownLocation,
    /// A service, a resource or its hours refer to the location.
    LocationInUse,
    /// The site has as many locations as it may have.
    LocationLimitReached,
    /// There is no such location.
    LocationNotFound,
    /// The site has as many types of resources as it may have.
    MaxNumberOfResourceTypesReached,
    /// A choice of an option has no variant, or not with every choice of the others.
    MissingCustomChoices,
    /// A staff member has no variant, or not with every choice of the other options.
    MissingStaffVariants,
    /// Prices of variants are in several currencies.
    MultipleCurrencies,
    /// The booking is a part of this package already.
    MultiServiceBookingAlreadyIncludesBooking,
    /// Some bookings of the package are on the calendars of others.
    MultiServiceBookingIncludesMultipleStaffMembers,
    /// There is no such package, or the caller may not see it.
    MultiServiceBookingNotFound,
    /// The booking is a part of a package, which is changed as a whole.
    NotAllowedToUpdateBookingInMultiServiceBooking,
    /// The package has other bookings, too.
    NotAllBookingsWereSent,
    /// Only bookings of services that need approval can be pending.
    NotPendingApprovalService,
    /// A booking of this kind of service can't be moved.
    ReschedulingNotAllowed,
    /// There is no such resource, or the service doesn't use it.
    ResourceNotFound,
    /// Another type of resource has this name already, whatever its case.
    ResourceTypeAlreadyExistsForName,
    /// Resources or services use the type.
    ResourceTypeInUse,
    /// There is no such type of resource.
    ResourceTypeNotFound,
    /// Somebody changed the object since the caller read it.
    RevisionMismatch,
    /// Not enough seats in the course.
    ScheduleCapacityExceeded,
    /// There is no such schedule.
    ScheduleNotFound,
    /// There is no such service.
    ServiceNotFound,
    /// There are no such options.
    ServiceOptionsAndVariantsNotFound,
    /// Not enough seats in the session.
    SessionCapacityExceeded,
    /// There is no such session, or it was cancelled.
    SessionNotFound,
    /// There is no such site.
    SiteNotFound,
    /// The time is not free, or outside of opening hours.
    SlotNotAvailable,
    /// The caller may not use this flag or ask for this status.
    UnauthorizedOperation,
    /// A choice names an option that isn't there.
    UnknownOptionIds,
    /// A choice names somebody who isn't on the service's staff.
    UnknownStaffIds,
    /// The data or the choice are not those of the option's type.
    UnsupportedOptionData,
    /// This type of option is not for this service, or can be there only once.
    UnsupportedOptionType,
    /// The input breaks a rule.
    ValidationFailure,
}

/// Something that a person can cause and an app can handle. Nothing was written.
#[derive(Interface, Clone)]
#[graphql(
    field(name = "code", ty = "&UserErrorCode", desc = "What went wrong, for programs."),
    field(name = "message", ty = "&String", desc = "What went wrong, for developers; English."),
    field(
        name = "path",
        ty = "&Option<Vec<String>>",
        desc = "Where the input is at fault: names of fields and indexes of lists, outermost first, beginning inside `input`."
    )
)]
pub enum UserError {
    /// See the type.
    BookingsAffected(BookingsAffected),
    /// See the type.
    CapacityExceeded(CapacityExceeded),
    /// See the type.
    InvalidBookingStatus(InvalidBookingStatus),
    /// See the type.
    InvalidInput(InvalidInput),
    /// See the type.
    PolicyViolation(PolicyViolation),
    /// See the type.
    ReassignmentConflict(ReassignmentConflict),
    /// See the type.
    RevisionMismatch(RevisionMismatch),
    /// See the type.
    ServicesAffected(ServicesAffected),
    /// See the type.
    SlotNotAvailable(SlotNotAvailable),
}

/// A refusal that has no facts beyond its code and place: a malformed or unknown value, or something that isn't allowed.
#[derive(SimpleObject, Clone)]
pub struct InvalidInput {
    /// What went wrong, for programs.
    code: UserErrorCode,
    /// What went wrong, for developers; English.
    message: String,
    /// Where the input is at fault.
    path: Option<Vec<String>>,
}

/// The resource is busy at that time or not there by its opening hours, or nobody is free.
#[derive(Clone)]
pub struct SlotNotAvailable {
    message: String,
    path: Option<Vec<String>>,
    conflicts: Vec<BookingId>,
    next_available: Option<jiff::Timestamp>,
}

/// The resource is busy at that time or not there by its opening hours, or nobody is free.
#[Object]
impl SlotNotAvailable {
    /// What went wrong, for programs.
    async fn code(&self) -> &UserErrorCode {
        &UserErrorCode::SlotNotAvailable
    }

    /// The bookings in the way, those that the caller may see: empty for most customers, and for blocked time.
    async fn conflicts(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<Booking>> {
        Booking::load_many(ctx, self.conflicts.clone()).await
    }

    /// What went wrong, for developers; English.
    async fn message(&self) -> &String {
        &self.message
    }

    /// The next start at which the same length could be booked, within opening hours, if there is one within 31 days.
    async fn next_available(&self) -> Option<DateTime> {
        self.next_available.map(DateTime::from)
    }

    /// Where the input is at fault.
    async fn path(&self) -> &Option<Vec<String>> {
        &self.path
    }
}

/// Not enough seats in the session or the course.
#[derive(SimpleObject, Clone)]
pub struct CapacityExceeded {
    /// What went wrong, for programs.
    code: UserErrorCode,
    /// What went wrong, for developers; English.
    message: String,
    /// Where the input is at fault.
    path: Option<Vec<String>>,
    /// How many seats are left.
    remaining: i32,
    /// How many seats were asked for.
    requested: i32,
}

/// Somebody changed the object since the caller read it. Read it again and decide anew.
#[derive(SimpleObject, Clone)]
pub struct RevisionMismatch {
    /// What went wrong, for programs.
    code: UserErrorCode,
    /// The revision that it has now.
    current: i32,
    /// What went wrong, for developers; English.
    message: String,
    /// Where the input is at fault.
    path: Option<Vec<String>>,
}

/// The act can't be done from the booking's status.
#[derive(SimpleObject, Clone)]
pub struct InvalidBookingStatus {
    /// The statuses from which the act can be done.
    allowed: Vec<BookingStatus>,
    /// What went wrong, for programs.
    code: UserErrorCode,
    /// What went wrong, for developers; English.
    message: String,
    /// Where the input is at fault.
    path: Option<Vec<String>>,
    /// The status that the booking has.
    status: BookingStatus,
}

/// A rule for customers. The business is not bound by them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "crate::domain::rejection::PolicyRule")]
pub enum PolicyRule {
    /// By the policy with which it was booked, customers can't cancel it.
    CancellationNotAllowed,
    /// The service can't be booked online.
    OnlineBookingDisabled,
    /// By the policy with which it was booked, customers can't move it.
    RescheduleNotAllowed,
    /// The time in which it can be booked hasn't come; `limit` is when it begins.
    TooEarlyToBook,
    /// The time in which it can be booked is over; `limit` is when it ended: at the start, unless a policy says otherwise.
    TooLateToBook,
    /// The time in which it could be canceled is over; `limit` is when it ended.
    TooLateToCancel,
    /// The time in which it could be moved is over; `limit` is when it ended.
    TooLateToReschedule,
    /// Too many holds of this customer, or from this address, are running.
    TooManyHolds,
    /// More people come than one booking may be for; `limit` is how many may.
    TooManyParticipants,
}

/// A rule for customers forbids it.
#[derive(SimpleObject, Clone)]
pub struct PolicyViolation {
    /// What went wrong, for programs.
    code: UserErrorCode,
    /// The instant (RFC 3339) or number that the rule sets, if it sets one.
    limit: Option<String>,
    /// What went wrong, for developers; English.
    message: String,
    /// Where the input is at fault.
    path: Option<Vec<String>>,
    /// Which rule.
    rule: PolicyRule,
}

/// The change touches bookings, and the input doesn't say what is to become of them.
#[derive(SimpleObject, Clone)]
pub struct BookingsAffected {
    /// What went wrong, for programs.
    code: UserErrorCode,
    /// How many bookings it touches; of a resource that is to be deleted, bookings and sessions.
    count: i32,
    /// What went wrong, for developers; English.
    message: String,
    /// Where the input is at fault.
    path: Option<Vec<String>>,
}

/// The category has services, and the input doesn't say where they are to go.
#[derive(SimpleObject, Clone)]
pub struct ServicesAffected {
    /// What went wrong, for programs.
    code: UserErrorCode,
    /// How many services are in it.
    count: i32,
    /// What went wrong, for developers; English.
    message: String,
    /// Where the input is at fault.
    path: Option<Vec<String>>,
}

/// The other resource can't take over all that a deleted one serves: it is busy at the time, or serves the same already.
#[derive(Clone)]
pub struct ReassignmentConflict {
    message: String,
    path: Option<Vec<String>>,
    bookings: Vec<BookingId>,
    sessions: Vec<SessionId>,
}

/// The other resource can't take over all that a deleted one serves: it is busy at the time, or serves the same already.
#[Object]
impl ReassignmentConflict {
    /// The bookings for which it is not free.
    async fn bookings(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<Booking>> {
        Booking::load_many(ctx, self.bookings.clone()).await
    }

    /// What went wrong, for programs.
    async fn code(&self) -> &UserErrorCode {
        &UserErrorCode::SlotNotAvailable
    }

    /// What went wrong, for developers; English.
    async fn message(&self) -> &String {
        &self.message
    }

    /// Where the input is at fault.
    async fn path(&self) -> &Option<Vec<String>> {
        &self.path
    }

    /// The sessions for which it is not free.
    async fn sessions(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<Session>> {
        Session::load(ctx, self.sessions.clone(), &Look::here(ctx)).await
    }
}

fn not_found(kind: Kind) -> UserErrorCode {
    match kind {
        Kind::Site => UserErrorCode::SiteNotFound,
        Kind::ApiKey => UserErrorCode::ApiKeyNotFound,
        Kind::Booking | Kind::Claim | Kind::Notification | Kind::Visitor | Kind::Event => {
            UserErrorCode::BookingNotFound
        }
        Kind::MultiServiceBooking => UserErrorCode::MultiServiceBookingNotFound,
        Kind::BookingPolicy => UserErrorCode::BookingPolicyNotFound,
        Kind::Options => UserErrorCode::ServiceOptionsAndVariantsNotFound,
        Kind::Service => UserErrorCode::ServiceNotFound,
        Kind::Category => UserErrorCode::CategoryNotFound,
        Kind::Location => UserErrorCode::LocationNotFound,
        Kind::Resource => UserErrorCode::ResourceNotFound,
        Kind::ResourceType => UserErrorCode::ResourceTypeNotFound,
        Kind::Schedule => UserErrorCode::ScheduleNotFound,
        Kind::Session | Kind::Series => UserErrorCode::SessionNotFound,
        Kind::BlockedTime => UserErrorCode::BlockedTimeNotFound,
    }
}

fn invalid_code(field: Field) -> UserErrorCode {
    match field {
        Field::Id => UserErrorCode::InvalidId,
        Field::Date => UserErrorCode::InvalidDateFormat,
        Field::TimeZone => UserErrorCode::InvalidTimeZone,
        Field::Choices => UserErrorCode::InvalidServiceChoices,
        Field::PaymentOptions => UserErrorCode::InvalidPaymentOptions,
        Field::PlanWithApproval => UserErrorCode::InvalidManualApprovalWithPricingPlans,
        Field::ServicesSize => UserErrorCode::InvalidServicesSize,
        Field::Policy(PolicyProblem::BothLateAndAfterStart) => UserErrorCode::BothLateAndAfterStartPoliciesNotAllowed,
        Field::Policy(PolicyProblem::Window) => UserErrorCode::InvalidBookingWindow,
        Field::Policy(PolicyProblem::IsDefault) => UserErrorCode::DefaultPolicyCannotBeDeleted,
        Field::Policy(PolicyProblem::InUse) => UserErrorCode::BookingPolicyInUse,
        Field::Options(OptionsProblem::UnknownOptionIds) => UserErrorCode::UnknownOptionIds,
        Field::Options(OptionsProblem::MultipleCurrencies) => UserErrorCode::MultipleCurrencies,
        Field::Options(OptionsProblem::UnsupportedOptionType) => UserErrorCode::UnsupportedOptionType,
        Field::Options(OptionsProblem::UnsupportedOptionData) => UserErrorCode::UnsupportedOptionData,
        Field::Options(OptionsProblem::UnknownStaffIds) => UserErrorCode::UnknownStaffIds,
        Field::Options(OptionsProblem::MissingStaffVariants) => UserErrorCode::MissingStaffVariants,
        Field::Options(OptionsProblem::IdenticalChoices) => UserErrorCode::IdenticalChoices,
        Field::Options(OptionsProblem::MissingCustomChoices) => UserErrorCode::MissingCustomChoices,
        Field::ResourceTypeInUse => UserErrorCode::ResourceTypeInUse,
        Field::Location(LocationProblem::Several) => UserErrorCode::InvalidLocations,
        Field::Location(LocationProblem::Business) => UserErrorCode::InvalidBusinessLocation,
        Field::Location(LocationProblem::Custom) => UserErrorCode::InvalidCustomLocation,
        Field::Location(LocationProblem::Customer) => UserErrorCode::InvalidCustomerLocation,
        Field::Location(LocationProblem::Unknown) => UserErrorCode::InvalidUnknownLocation,
        Field::Location(LocationProblem::InUse) => UserErrorCode::LocationInUse,
        Field::Other => UserErrorCode::ValidationFailure,
    }
}

fn package_code(rule: PackageRule) -> UserErrorCode {
    match rule {
        PackageRule::Part => UserErrorCode::NotAllowedToUpdateBookingInMultiServiceBooking,
        PackageRule::NotAllSent => UserErrorCode::NotAllBookingsWereSent,
        PackageRule::Duplicate => UserErrorCode::DuplicateBookingInfo,
        PackageRule::SeveralStaff => UserErrorCode::MultiServiceBookingIncludesMultipleStaffMembers,
        PackageRule::AlreadyConfirmed => UserErrorCode::AllBookingsAreAlreadyConfirmed,
        PackageRule::AlreadyDeclined => UserErrorCode::AllBookingsAreAlreadyDeclined,
        PackageRule::AlreadyCanceled => UserErrorCode::AllBookingsAreAlreadyCanceled,
        PackageRule::PartOfAnother => UserErrorCode::BookingAlreadyPartOfAnotherMultiServiceBooking,
        PackageRule::AlreadyIncluded => UserErrorCode::MultiServiceBookingAlreadyIncludesBooking,
        PackageRule::OtherStatus => UserErrorCode::BookingToAddStatusNotValid,
    }
}

fn small(number: i64) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

fn at(path: &[&str]) -> Vec<String> {
    path.iter().map(|segment| (*segment).to_owned()).collect()
}

impl From<Rejection> for UserError {
    fn from(rejection: Rejection) -> Self {
        let message = rejection.to_string();
        let plain = |code, path| {
            Self::InvalidInput(InvalidInput {
                code,
                message: message.clone(),
                path,
            })
        };
        match rejection {
            Rejection::Invalid(Invalid { field, path, message }) => {
                let message = match path.last() {
                    Some(name) => format!("`{name}` {message}"),
                    None => message,
                };
                Self::InvalidInput(InvalidInput {
                    code: invalid_code(field),
                    message,
                    path: Some(path),
                })
            }
            Rejection::NotFound { kind, path } | Rejection::Unfit { kind, path, .. } => {
                plain(not_found(kind), Some(path))
            }
            Rejection::Unauthorized { path, .. } => plain(UserErrorCode::UnauthorizedOperation, Some(path)),
            Rejection::InvalidStatus { status, allowed } => Self::InvalidBookingStatus(InvalidBookingStatus {
                allowed: allowed.into_iter().map(Into::into).collect(),
                code: UserErrorCode::InvalidBookingStatus,
                message,
                path: Some(at(&["bookingId"])),
                status: status.into(),
            }),
            Rejection::RevisionMismatch { kind, current } => {
                let code = match kind {
                    Kind::Booking => UserErrorCode::BookingRevisionMismatch,
                    _ => UserErrorCode::RevisionMismatch,
                };
                let path = Some(at(&[match kind {
                    Kind::Series => "expectedSeriesRevision",
                    _ => "expectedRevision",
                }]));
                Self::RevisionMismatch(RevisionMismatch {
                    code,
                    current: small(current),
                    message,
                    path,
                })
            }
            Rejection::SlotNotAvailable {
                conflicts,
                next_available,
                ..
            } => Self::SlotNotAvailable(SlotNotAvailable {
                message,
                path: None,
                conflicts,
                next_available,
            }),
            Rejection::CapacityExceeded {
                of,
                requested,
                remaining,
            } => {
                let code = match of {
                    CapacityOf::Session => UserErrorCode::SessionCapacityExceeded,
                    CapacityOf::Schedule => UserErrorCode::ScheduleCapacityExceeded,
                };
                let (requested, remaining) = (small(requested), small(remaining));
                Self::CapacityExceeded(CapacityExceeded {
                    code,
                    message,
                    path: None,
                    remaining,
                    requested,
                })
            }
            Rejection::Policy { rule, limit } => {
                let message = match rule {
                    Rule::OnlineBookingDisabled => "the service can't be booked online",
                    Rule::CancellationNotAllowed => "customers can't cancel it",
                    Rule::RescheduleNotAllowed => "customers can't move it",
                    Rule::TooEarlyToBook => "it can't be booked yet",
                    Rule::TooLateToBook => "it can't be booked any more",
                    Rule::TooLateToCancel => "it can't be canceled any more",
                    Rule::TooLateToReschedule => "it can't be moved any more",
                    Rule::TooManyHolds => "too many holds are running",
                    Rule::TooManyParticipants => "a booking can't be for so many",
                };
                Self::PolicyViolation(PolicyViolation {
                    code: UserErrorCode::BookingPolicyViolation,
                    limit,
                    message: message.to_owned(),
                    path: None,
                    rule: rule.into(),
                })
            }
            Rejection::NotPendingApprovalService => {
                plain(UserErrorCode::NotPendingApprovalService, Some(at(&["bookingId"])))
            }
            Rejection::NotForKind(_, KindRule::Reschedule) => {
                plain(UserErrorCode::ReschedulingNotAllowed, Some(at(&["bookingId"])))
            }
            Rejection::NotForKind(_, KindRule::UpdateParticipants) => {
                plain(UserErrorCode::ValidationFailure, Some(at(&["bookingId"])))
            }
            Rejection::NoResource => plain(
                UserErrorCode::CanNotSkipAvailabilityValidationIfResourceNotProvided,
                None,
            ),
            Rejection::IdempotencyKeyReused => {
                plain(UserErrorCode::IdempotencyKeyReused, Some(at(&["idempotencyKey"])))
            }
            Rejection::HasBookings { count, .. } => Self::BookingsAffected(BookingsAffected {
                code: UserErrorCode::HasBookings,
                count: small(count),
                message,
                path: None,
            }),
            Rejection::CategoryHasServices { count } => Self::ServicesAffected(ServicesAffected {
                code: UserErrorCode::CategoryHasServices,
                count: small(count),
                message,
                path: Some(at(&["moveTo"])),
            }),
            Rejection::NotReassignable { bookings, sessions } => Self::ReassignmentConflict(ReassignmentConflict {
                message,
                path: Some(at(&["reassignTo"])),
                bookings,
                sessions,
            }),
            Rejection::ResourceTypeLimit { .. } => plain(UserErrorCode::MaxNumberOfResourceTypesReached, None),
            Rejection::AlreadyExists {
                kind: Kind::ResourceType,
                path,
            } => plain(UserErrorCode::ResourceTypeAlreadyExistsForName, Some(path)),
            Rejection::LocationLimit { .. } => plain(UserErrorCode::LocationLimitReached, None),
            Rejection::CategoryLimit { .. } => plain(UserErrorCode::CategoryLimitReached, None),
            Rejection::Package { rule, path } => plain(package_code(rule), Some(path)),
            Rejection::OfPart { path, rejection } => Self::from(*rejection).at(path),
            Rejection::OfSession { rejection, .. } => match Self::from(*rejection) {
                Self::SlotNotAvailable(e) => Self::SlotNotAvailable(SlotNotAvailable { message, ..e }),
                other => other,
            },
            Rejection::AlreadyExists { path, .. } => plain(UserErrorCode::AlreadyExists, Some(path)),
        }
    }
}

impl UserError {
    /// The same, about what stands at `place`.
    fn at(mut self, place: Vec<String>) -> Self {
        let path = match &mut self {
            Self::BookingsAffected(e) => &mut e.path,
            Self::CapacityExceeded(e) => &mut e.path,
            Self::InvalidBookingStatus(e) => &mut e.path,
            Self::InvalidInput(e) => &mut e.path,
            Self::PolicyViolation(e) => &mut e.path,
            Self::ReassignmentConflict(e) => &mut e.path,
            Self::RevisionMismatch(e) => &mut e.path,
            Self::ServicesAffected(e) => &mut e.path,
            Self::SlotNotAvailable(e) => &mut e.path,
        };
        *path = Some(place);
        self
    }

    /// Its code and message, without its facts.
    #[must_use]
    pub fn summary(self) -> (UserErrorCode, String) {
        match self {
            Self::BookingsAffected(e) => (e.code, e.message),
            Self::CapacityExceeded(e) => (e.code, e.message),
            Self::InvalidBookingStatus(e) => (e.code, e.message),
            Self::InvalidInput(e) => (e.code, e.message),
            Self::PolicyViolation(e) => (e.code, e.message),
            Self::ReassignmentConflict(e) => (UserErrorCode::SlotNotAvailable, e.message),
            Self::RevisionMismatch(e) => (e.code, e.message),
            Self::ServicesAffected(e) => (e.code, e.message),
            Self::SlotNotAvailable(e) => (UserErrorCode::SlotNotAvailable, e.message),
        }
    }
}

/// What a mutation's act came to: its result, or what the user is told.
pub type Outcome<T> = Result<T, Vec<UserError>>;

/// Keeps the first refusal of a request, for whoever counts them; it is put into the request's data.
#[derive(Debug, Clone, Default)]
pub struct Refusals(Arc<OnceLock<Name>>);

impl Refusals {
    /// The code of the first refusal.
    #[must_use]
    pub fn first(&self) -> Option<&str> {
        self.0.get().map(Name::as_str)
    }

    fn note(&self, refused: &[UserError]) {
        if let Some(first) = refused.first()
            && let Value::Enum(code) = first.clone().summary().0.to_value()
        {
            // Another field's refusal may have come first.
            let _ = self.0.set(code);
        }
    }
}

/// Splits what an act came to: refusals for the user, everything else for `errors`.
pub fn outcome<T>(ctx: &Context<'_>, result: Result<T, ActError>) -> async_graphql::Result<Outcome<T>> {
    let refused = match result {
        Ok(value) => return Ok(Ok(value)),
        Err(ActError::Input(rejections)) => rejections.0.into_iter().map(UserError::from).collect(),
        Err(ActError::Service(service::Error::Rejected(rejection))) => vec![rejection.into()],
        Err(ActError::Service(error)) => return Err(failure(ctx, error)),
    };
    if let Some(refusals) = ctx.data_opt::<Refusals>() {
        refusals.note(&refused);
    }
    Ok(Err(refused))
}

/// Why an act did not happen: the input, or what the service said.
#[derive(Debug)]
pub enum ActError {
    /// The input couldn't be understood.
    Input(Rejections),
    /// The service refused or failed.
    Service(service::Error),
}

impl From<Rejections> for ActError {
    fn from(rejections: Rejections) -> Self {
        Self::Input(rejections)
    }
}

impl From<service::Error> for ActError {
    fn from(error: service::Error) -> Self {
        Self::Service(error)
    }
}

/// A top-level error with its code.
pub fn coded(message: impl Into<String>, code: &'static str) -> Error {
    Error::new(message).extend_with(|_, extensions| extensions.set("code", code))
}

/// An argument of a query that can't be understood.
#[must_use]
pub fn bad_input(invalid: &Invalid) -> Error {
    let error = coded(
        format!("`{}` {}", invalid.path.join("."), invalid.message),
        "BAD_USER_INPUT",
    );
    // What a mutation refuses with a code of its own has that one here, too.
    if !matches!(invalid.field, Field::Choices | Field::ServicesSize) {
        return error;
    }
    let reason = async_graphql::resolver_utils::enum_value(invalid_code(invalid.field));
    error.extend_with(|_, extensions| extensions.set("reason", reason))
}

/// The top-level error for what the service said. Our own fault shows a request id and nothing else.
pub fn failure(ctx: &Context<'_>, error: service::Error) -> Error {
    match error {
        service::Error::Forbidden(message) => coded(message, "FORBIDDEN"),
        service::Error::Rejected(rejection) => coded(rejection.to_string(), "BAD_USER_INPUT"),
        service::Error::Store(error) => {
            let (message, code) = match &error {
                StoreError::Full => ("the database is full; nothing was written", "INSUFFICIENT_STORAGE"),
                StoreError::Unavailable(_) | StoreError::Stopped => (
                    "the server can't do this now; nothing was written, try again",
                    "SERVICE_UNAVAILABLE",
                ),
                StoreError::Busy => (
                    "the server is overloaded; nothing of this was done, wait and send the same again",
                    "OVERLOADED",
                ),
                StoreError::OutcomeUnknown => (
                    "the connection to the database was lost; whether it was done is unknown, \
                     a retry with the same idempotencyKey tells",
                    "OUTCOME_UNKNOWN",
                ),
                StoreError::Database(_)
                | StoreError::Panicked
                | StoreError::Corrupt(_)
                | StoreError::Schema(_)
                | StoreError::Unsupported(_) => ("internal error", "INTERNAL_ERROR"),
            };
            let request_id = super::request_id(ctx);
            tracing::error!(%error, request_id, code, "a request failed");
            coded(message, code).extend_with(|_, extensions| extensions.set("requestId", request_id))
        }
    }
}
