//! Packages: several appointments of one visit, back to back.

use async_graphql::{Context, ID, Object, SimpleObject};

use super::{
    caller,
    catalog::availability::{ids, instant, zone},
    error::{UserError, bad_input, failure, outcome},
    input::{Rejections, id},
    mutation::{payload, permitted, token},
    query::{Query, refused},
    scalars::{DateTime, TimeZone},
    service,
    types::{
        booking::Booking,
        multi_service_booking::MultiServiceBooking,
        multi_service_booking_availability::MultiServiceBookingAvailability,
        multi_service_booking_input::{
            AddBookingsToMultiServiceBookingInput, CancelMultiServiceBookingInput, ConfirmMultiServiceBookingInput,
            ConfirmOrDeclineMultiServiceBookingInput, CreateMultiServiceBookingInput, DeclineMultiServiceBookingInput,
            MarkMultiServiceBookingAsPendingInput, RemoveBookingsFromMultiServiceBookingInput,
            RescheduleMultiServiceBookingInput,
        },
        multi_service_slot::{MultiServiceAvailability, MultiServiceAvailabilityItemInput},
        participants_input::{MAX_CHOICES, choices},
    },
};
use crate::{
    domain::{permission::Permission, rejection::Invalid},
    graphql::error::Outcome,
    service::{
        availability::{ChainPart, ChainsQuery},
        bookings::{ActOnPackage, Verdict},
    },
};

/// Reading packages, and when they can be booked.
#[derive(Default, Clone)]
pub struct PackageQuery;

/// Reading packages, and when they can be booked.
#[Object]
impl PackageQuery {
    /// When several appointments can be booked one after the other, in the order in which the services are named, at one
    /// place. The first starts as it would alone, each other one when the one before it ends. Who goes on to the next
    /// part needs no time free in between. What is told is not promised: `createMultiServiceBooking` looks again. Where
    /// each part needs several kinds of resources, most of which are free only if they go on to the next part, the search
    /// for who does ends after a number of steps: such a time is not offered, and refused as `SLOT_NOT_AVAILABLE`.
    #[expect(clippy::too_many_arguments, reason = "what the schema says")]
    async fn multi_service_availability(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only what this caller can book now, or only the rest; both if not said.")] bookable: Option<
            bool,
        >,
        #[graphql(desc = "The first start that is of interest; now if not said. What is over is never told.")]
        from: Option<DateTime>,
        #[graphql(default = 100, desc = "So many rows at the most, the earliest: 1 to 1000.")] limit: i32,
        #[graphql(
            desc = "Only at these locations, 1 to 5: those of the business, or places of the services' own; at any that \
            all the services share if not said."
        )]
        location_ids: Option<Vec<ID>>,
        #[graphql(desc = "The services in their order: 2 to 8. One may be there several times.")] services: Vec<
            MultiServiceAvailabilityItemInput,
        >,
        #[graphql(
            desc = "The zone in which local times are told, and of `from` and `to` without an offset; the site's if \
            not said, and then `from` and `to` need one."
        )]
        time_zone: Option<TimeZone>,
        #[graphql(desc = "When the last part has to be over, at most 366 days after `from`.")] to: DateTime,
        #[graphql(desc = "How many come, at least 1; 1 if not said.")] total_participants: Option<i32>,
    ) -> Option<async_graphql::Result<MultiServiceAvailability>> {
        let slots = ctx.look_ahead().field("timeSlots");
        let with_resources = slots.field("nestedTimeSlots").field("resources").exists();
        let read = || {
            let time_zone = zone(time_zone.as_ref())?;
            let from = from.as_ref();
            let from = from.map(|from| instant("from", from, time_zone.as_ref())).transpose()?;
            let to = instant("to", &to, time_zone.as_ref())?;
            let mut parts = Vec::with_capacity(services.len());
            for (index, part) in services.into_iter().enumerate() {
                let place = |invalid: Invalid| bad_input(&invalid.at(index.to_string()).at("services"));
                parts.push(ChainPart {
                    service: id(&part.service_id).map_err(|invalid| place(invalid.at("serviceId")))?,
                    duration: part.duration_in_minutes,
                    choices: choices(part.choices.unwrap_or_default(), MAX_CHOICES).map_err(place)?,
                    resources: ids("resourceIds", part.resource_ids.as_deref().unwrap_or_default())?,
                });
            }
            Ok(ChainsQuery {
                parts,
                from,
                to,
                time_zone,
                total_participants,
                bookable,
                limit,
                locations: location_ids
                    .as_deref()
                    .map(|list| ids("locationIds", list))
                    .transpose()?,
                with_resources,
            })
        };
        let question = match read() {
            Ok(question) => question,
            Err(error) => return Some(Err(error)),
        };
        let answer = service(ctx).multi_service_availability(caller(ctx), question).await;
        Some(
            answer
                .map(MultiServiceAvailability::from)
                .map_err(|error| refused(ctx, error)),
        )
    }

    /// A package, if the caller may see any of its bookings.
    async fn multi_service_booking(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The package's id.")] id: ID,
    ) -> Option<async_graphql::Result<MultiServiceBooking>> {
        match self::id(&id) {
            Ok(id) => MultiServiceBooking::find(ctx, id).await.transpose(),
            Err(invalid) => Some(Err(bad_input(&invalid.at("id")))),
        }
    }

    /// Whether a package can still be had as it was booked, if the caller may see any of its bookings: before it is
    /// confirmed, say. What is told is not promised.
    async fn multi_service_booking_availability(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The package's id.")] id: ID,
    ) -> Option<async_graphql::Result<MultiServiceBookingAvailability>> {
        let id = match self::id(&id) {
            Ok(id) => id,
            Err(invalid) => return Some(Err(bad_input(&invalid.at("id")))),
        };
        let found = service(ctx).multi_service_booking_availability(caller(ctx), id).await;
        let found = found.map_err(|error| failure(ctx, error)).transpose()?;
        Some(found.map(Into::into))
    }
}

/// What became of `createMultiServiceBooking`.
#[derive(SimpleObject)]
pub struct CreateMultiServiceBookingPayload {
    /// The package, if it was made.
    multi_service_booking: Option<MultiServiceBooking>,
    /// For refetching what is shown, in the same round trip.
    query: Query,
    /// Why it was refused. Empty if it was made.
    user_errors: Vec<UserError>,
    /// A token for the visitor who had none; see `CreateBookingPayload`.
    visitor_token: Option<String>,
}

/// What became of `removeBookingsFromMultiServiceBooking`.
#[derive(SimpleObject)]
pub struct RemoveBookingsFromMultiServiceBookingPayload {
    /// What is left of the package; null if it was dissolved.
    multi_service_booking: Option<MultiServiceBooking>,
    /// For refetching what is shown, in the same round trip.
    query: Query,
    /// The bookings that are no part of it any more.
    removed_bookings: Vec<Booking>,
    /// Why it was refused. Empty if it was done.
    user_errors: Vec<UserError>,
}

payload!(
    /// What became of `confirmMultiServiceBooking`.
    ConfirmMultiServiceBookingPayload {
        /// The package, if it was confirmed.
        multi_service_booking: MultiServiceBooking
    }
);
payload!(
    /// What became of `declineMultiServiceBooking`.
    DeclineMultiServiceBookingPayload {
        /// The package, if it was declined.
        multi_service_booking: MultiServiceBooking
    }
);
payload!(
    /// What became of `cancelMultiServiceBooking`.
    CancelMultiServiceBookingPayload {
        /// The package, if it was canceled.
        multi_service_booking: MultiServiceBooking
    }
);
payload!(
    /// What became of `markMultiServiceBookingAsPending`.
    MarkMultiServiceBookingAsPendingPayload {
        /// The package, if it was marked.
        multi_service_booking: MultiServiceBooking
    }
);
payload!(
    /// What became of `confirmOrDeclineMultiServiceBooking`.
    ConfirmOrDeclineMultiServiceBookingPayload {
        /// The package, confirmed, pending or declined.
        multi_service_booking: MultiServiceBooking
    }
);
payload!(
    /// What became of `rescheduleMultiServiceBooking`.
    RescheduleMultiServiceBookingPayload {
        /// The package, if it was moved.
        multi_service_booking: MultiServiceBooking
    }
);
payload!(
    /// What became of `addBookingsToMultiServiceBooking`.
    AddBookingsToMultiServiceBookingPayload {
        /// The package with what joined it.
        multi_service_booking: MultiServiceBooking
    }
);

/// Changing packages.
#[derive(Default)]
pub struct PackageMutation;

/// Changing packages.
#[Object]
impl PackageMutation {
    /// Makes bookings parts of a package: appointments that come right before its first one or after its last one, in its
    /// status. For the business.
    async fn add_bookings_to_multi_service_booking(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which package, and which bookings.")] input: AddBookingsToMultiServiceBookingInput,
    ) -> Option<async_graphql::Result<AddBookingsToMultiServiceBookingPayload>> {
        let result = permitted(ctx, Permission::ManageBookings, input.parse(), |input| {
            service(ctx).add_bookings_to_multi_service_booking(caller(ctx), input)
        });
        let result = result.await.map(MultiServiceBooking::from);
        Some(outcome(ctx, result).map(Into::into))
    }

    /// Cancels all bookings of a package. Customers can as long as the policy of every booking lets them.
    async fn cancel_multi_service_booking(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which package.")] input: CancelMultiServiceBookingInput,
    ) -> Option<async_graphql::Result<CancelMultiServiceBookingPayload>> {
        Some(act(ctx, Verdict::Cancel, input.parse()).await)
    }

    /// Confirms all bookings of a package. For the business. A clash is not refused but flagged, unless a check is asked
    /// for.
    async fn confirm_multi_service_booking(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which package, and how.")] input: ConfirmMultiServiceBookingInput,
    ) -> Option<async_graphql::Result<ConfirmMultiServiceBookingPayload>> {
        let verdict = Verdict::Confirm {
            check_availability: input.check_availability_validation,
        };
        Some(act(ctx, verdict, input.parse()).await)
    }

    /// Confirms a package if nothing is in its way, and otherwise decides by the money: what is paid is kept and flagged,
    /// what is not is declined, as a whole. For the business, after a checkout of its own.
    async fn confirm_or_decline_multi_service_booking(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which package, and how.")] input: ConfirmOrDeclineMultiServiceBookingInput,
    ) -> Option<async_graphql::Result<ConfirmOrDeclineMultiServiceBookingPayload>> {
        Some(act(ctx, Verdict::ConfirmOrDecline, input.parse()).await)
    }

    /// Makes a package: 2 to 8 appointments, each of which starts when the one before it ends, for one customer at one
    /// place. All of them are made or none. The same staff member serves as much of it as possible, unless somebody is
    /// asked for by name.
    async fn create_multi_service_booking(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is to be booked.")] input: CreateMultiServiceBookingInput,
    ) -> Option<async_graphql::Result<CreateMultiServiceBookingPayload>> {
        Some(create(ctx, input).await)
    }

    /// Declines all bookings of a package. For the business.
    async fn decline_multi_service_booking(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which package, and how.")] input: DeclineMultiServiceBookingInput,
    ) -> Option<async_graphql::Result<DeclineMultiServiceBookingPayload>> {
        Some(act(ctx, Verdict::Decline, input.parse()).await)
    }

    /// Puts all bookings of a package onto the calendar to wait for the business. For the business, after a checkout of
    /// its own. Never refused for a clash: that is flagged.
    async fn mark_multi_service_booking_as_pending(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which package, and how.")] input: MarkMultiServiceBookingAsPendingInput,
    ) -> Option<async_graphql::Result<MarkMultiServiceBookingAsPendingPayload>> {
        let verdict = Verdict::MarkAsPending {
            skip_pending_approval_service: false,
        };
        Some(act(ctx, verdict, input.parse()).await)
    }

    /// Takes bookings out of a package: the first ones or the last ones, which live on alone. If only one would be left,
    /// the package is dissolved. For the business.
    async fn remove_bookings_from_multi_service_booking(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which package, and which bookings.")] input: RemoveBookingsFromMultiServiceBookingInput,
    ) -> Option<async_graphql::Result<RemoveBookingsFromMultiServiceBookingPayload>> {
        Some(remove(ctx, input).await)
    }

    /// Moves all bookings of a package. They stay back to back. Customers can as long as the policy of every booking lets
    /// them; if one of the services needs approval they ask again for all.
    async fn reschedule_multi_service_booking(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which package, and where to.")] input: RescheduleMultiServiceBookingInput,
    ) -> Option<async_graphql::Result<RescheduleMultiServiceBookingPayload>> {
        let result = permitted(ctx, Permission::ChangeBookings, input.parse(), |input| {
            service(ctx).reschedule_multi_service_booking(caller(ctx), input)
        });
        let result = result.await.map(MultiServiceBooking::from);
        Some(outcome(ctx, result).map(Into::into))
    }
}

async fn act<P: From<Outcome<MultiServiceBooking>>>(
    ctx: &Context<'_>,
    verdict: Verdict,
    input: Result<ActOnPackage, Rejections>,
) -> async_graphql::Result<P> {
    let result = permitted(ctx, verdict.permission(), input, |input| {
        service(ctx).act_on_package(caller(ctx), input)
    });
    Ok(outcome(ctx, result.await.map(MultiServiceBooking::from))?.into())
}

async fn create(
    ctx: &Context<'_>,
    input: CreateMultiServiceBookingInput,
) -> async_graphql::Result<CreateMultiServiceBookingPayload> {
    let result = permitted(ctx, Permission::Book, input.parse(), |(input, key)| {
        service(ctx).create_multi_service_booking(caller(ctx), input, key)
    });
    let (multi_service_booking, visitor_token, user_errors) = match outcome(ctx, result.await)? {
        Ok(created) => (
            MultiServiceBooking::new(created.id, created.bookings),
            token(ctx, created.visitor),
            Vec::new(),
        ),
        Err(user_errors) => (None, None, user_errors),
    };
    Ok(CreateMultiServiceBookingPayload {
        multi_service_booking,
        query: Query::default(),
        user_errors,
        visitor_token,
    })
}

async fn remove(
    ctx: &Context<'_>,
    input: RemoveBookingsFromMultiServiceBookingInput,
) -> async_graphql::Result<RemoveBookingsFromMultiServiceBookingPayload> {
    let result = permitted(ctx, Permission::ManageBookings, input.parse(), |input| {
        service(ctx).remove_bookings_from_multi_service_booking(caller(ctx), input)
    });
    let (multi_service_booking, removed, user_errors) = match outcome(ctx, result.await)? {
        Ok(left) => (
            MultiServiceBooking::new(left.id, left.bookings),
            left.removed,
            Vec::new(),
        ),
        Err(user_errors) => (None, Vec::new(), user_errors),
    };
    Ok(RemoveBookingsFromMultiServiceBookingPayload {
        multi_service_booking,
        query: Query::default(),
        removed_bookings: removed.into_iter().map(Booking::from).collect(),
        user_errors,
    })
}
