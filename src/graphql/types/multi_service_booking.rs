//! Packages: several appointments of one visit.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object, SimpleObject};

use super::booking::{AllowedAction, Booking};
use crate::{
    domain::{
        booking::{self as domain, Act},
        ids::MultiServiceBookingId,
    },
    graphql::{
        caller,
        error::{UserError, failure},
        scalars::DateTime,
        service,
    },
    service::bookings::ChangedPackage,
};

/// How the bookings of a package lie in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum MultiServiceBookingType {
    /// One after the other: each starts when the one before it ends.
    SequentialBookings,
}

/// The package that a booking is a part of.
#[derive(SimpleObject, Debug, Clone)]
pub struct MultiServiceBookingInfo {
    /// The package's id: see the query `multiServiceBooking`.
    id: ID,
    /// How its bookings lie in time.
    #[graphql(name = "type")]
    kind: MultiServiceBookingType,
}

impl From<MultiServiceBookingId> for MultiServiceBookingInfo {
    fn from(id: MultiServiceBookingId) -> Self {
        Self {
            id: id.to_string().into(),
            kind: MultiServiceBookingType::SequentialBookings,
        }
    }
}

/// What the caller may do with the package now, without any override. Every booking of it has to allow it.
#[derive(SimpleObject, Debug, Clone)]
pub struct MultiServiceBookingAllowedActions {
    /// `cancelMultiServiceBooking`.
    cancel: AllowedAction,
    /// `confirmMultiServiceBooking`.
    confirm: AllowedAction,
    /// `confirmOrDeclineMultiServiceBooking`.
    confirm_or_decline: AllowedAction,
    /// `declineMultiServiceBooking`.
    decline: AllowedAction,
    /// `markMultiServiceBookingAsPending`.
    mark_as_pending: AllowedAction,
    /// `rescheduleMultiServiceBooking`.
    reschedule: AllowedAction,
}

/// A package: 2 to 8 appointments of one visit, back to back.
#[derive(Debug, Clone)]
pub struct MultiServiceBooking {
    package: MultiServiceBookingId,
    parts: Vec<Arc<domain::Booking>>,
}

impl MultiServiceBooking {
    /// A package of these bookings, one after the other; none: there is no package.
    #[must_use]
    pub fn new(id: MultiServiceBookingId, bookings: Vec<domain::Booking>) -> Option<Self> {
        (!bookings.is_empty()).then(|| Self {
            package: id,
            parts: bookings.into_iter().map(Arc::new).collect(),
        })
    }

    /// The package with this id, if the caller may see any of its bookings.
    pub async fn find(ctx: &Context<'_>, id: MultiServiceBookingId) -> async_graphql::Result<Option<Self>> {
        let found = service(ctx).multi_service_booking(caller(ctx), id).await;
        Ok(Self::new(id, found.map_err(|error| failure(ctx, error))?))
    }
}

impl From<ChangedPackage> for MultiServiceBooking {
    fn from(changed: ChangedPackage) -> Self {
        Self {
            package: changed.id,
            parts: changed.bookings.into_iter().map(Arc::new).collect(),
        }
    }
}

/// A package: several appointments of one visit, one after the other at one place. They are confirmed, moved and
/// given up together.
#[Object]
impl MultiServiceBooking {
    /// What the caller may do with it now, without any override, and if not, why.
    async fn allowed_actions(&self, ctx: &Context<'_>) -> async_graphql::Result<MultiServiceBookingAllowedActions> {
        // Those that the caller doesn't see count as well: an act is about all of them.
        let bookings = service(ctx).whole_of_package(caller(ctx), self.package).await;
        let bookings = bookings.map_err(|error| failure(ctx, error))?;
        let mut ids: Vec<_> = bookings.iter().map(|booking| booking.booked.service).collect();
        ids.sort();
        ids.dedup();
        let services = service(ctx).services_by_id(caller(ctx), ids).await;
        let services = services.map_err(|error| failure(ctx, error))?;
        let allowed = |act: Act| match service(ctx).allows_package(caller(ctx), &bookings, &services, act) {
            Ok(()) => AllowedAction {
                allowed: true,
                code: None,
                reason: None,
            },
            Err(rejection) => {
                let (code, reason) = UserError::from(rejection).summary();
                AllowedAction {
                    allowed: false,
                    code: Some(code),
                    reason: Some(reason),
                }
            }
        };
        Ok(MultiServiceBookingAllowedActions {
            cancel: allowed(Act::Cancel),
            confirm: allowed(Act::Confirm),
            confirm_or_decline: allowed(Act::ConfirmOrDecline),
            decline: allowed(Act::Decline),
            mark_as_pending: allowed(Act::MarkAsPending),
            reschedule: allowed(Act::Reschedule),
        })
    }

    /// Its bookings that the caller may see, one after the other. An act's answer has those that it was about.
    async fn bookings(&self) -> Vec<Booking> {
        self.parts.iter().cloned().map(Booking::from).collect()
    }

    /// When the first of its bookings was made.
    async fn created_date(&self) -> Option<DateTime> {
        self.parts
            .iter()
            .map(|booking| booking.created)
            .min()
            .map(DateTime::from)
    }

    /// When the last of its bookings that the caller may see ends.
    async fn end_date(&self) -> Option<DateTime> {
        self.parts
            .iter()
            .filter_map(|booking| booking.end())
            .max()
            .map(DateTime::from)
    }

    /// Its id.
    pub async fn id(&self) -> ID {
        self.package.to_string().into()
    }

    /// When the first of its bookings that the caller may see starts.
    async fn start_date(&self) -> Option<DateTime> {
        self.parts
            .iter()
            .filter_map(|booking| booking.start())
            .min()
            .map(DateTime::from)
    }

    /// How many of its bookings are `CONFIRMED` or `PENDING`, with those that the caller may not see.
    async fn total_number_of_scheduled_bookings(&self, ctx: &Context<'_>) -> async_graphql::Result<i32> {
        let number = service(ctx).scheduled_in_package(caller(ctx), self.package).await;
        let number = number.map_err(|error| failure(ctx, error))?;
        Ok(i32::try_from(number).unwrap_or(i32::MAX))
    }

    /// How its bookings lie in time.
    #[graphql(name = "type")]
    async fn kind(&self) -> MultiServiceBookingType {
        MultiServiceBookingType::SequentialBookings
    }

    /// When one of its bookings changed last.
    async fn updated_date(&self) -> Option<DateTime> {
        self.parts
            .iter()
            .map(|booking| booking.updated)
            .max()
            .map(DateTime::from)
    }
}
