//! Changing.

use async_graphql::{Context, MergedObject, Object, SimpleObject};

use super::{
    VisitorTokens,
    admin::AdminMutation,
    caller,
    catalog::{
        locations::LocationsMutation, mutation::CatalogMutation, resources::ResourceTypeMutation,
        services::ServicesMutation, terms::TermsMutation,
    },
    error::{ActError, Outcome, UserError, outcome},
    input::{Problems, Rejections, idempotency},
    packages::PackageMutation,
    query::Query,
    service,
    types::{
        booking::Booking,
        booking_input::{
            BulkCreateBookingInput, CancelBookingInput, ConfirmBookingInput, ConfirmOrDeclineBookingInput,
            CreateBookingInput, DeclineBookingInput, MarkBookingAsPendingInput, RescheduleBookingInput,
            UpdateNumberOfParticipantsInput,
        },
    },
};
use crate::{
    domain::{self, Rejection, booking::PaymentStatus, permission::Permission},
    service::{
        self as acts,
        bookings::{ActOn, NewVisitor, Target, Verdict},
    },
};

/// Everything that can be changed.
#[derive(MergedObject, Default)]
pub struct Mutation(
    BookingMutation,
    CatalogMutation,
    ServicesMutation,
    TermsMutation,
    ResourceTypeMutation,
    LocationsMutation,
    AdminMutation,
    PackageMutation,
);

/// A payload type: the changed object, what the user is told, and the way back to the query.
macro_rules! payload {
    ($(#[doc = $doc:literal])* $name:ident { $(#[doc = $field_doc:literal])* $field:ident: $ty:ty }) => {
        $(#[doc = $doc])*
        #[derive(async_graphql::SimpleObject)]
        pub struct $name {
            $(#[doc = $field_doc])*
            pub $field: Option<$ty>,
            /// For refetching what is shown, in the same round trip.
            pub query: $crate::graphql::query::Query,
            /// Why it was refused. Empty if it was done.
            pub user_errors: Vec<$crate::graphql::error::UserError>,
        }

        impl From<$crate::graphql::error::Outcome<$ty>> for $name {
            fn from(outcome: $crate::graphql::error::Outcome<$ty>) -> Self {
                let (value, user_errors) = match outcome {
                    Ok(value) => (Some(value), Vec::new()),
                    Err(errors) => (None, errors),
                };
                Self { $field: value, query: Default::default(), user_errors }
            }
        }
    };
}
pub(crate) use payload;

/// What became of `createBooking`.
#[derive(SimpleObject)]
pub struct CreateBookingPayload {
    /// The booking, if it was made.
    booking: Option<Booking>,
    /// For refetching what is shown, in the same round trip.
    query: Query,
    /// Why it was refused. Empty if it was made.
    user_errors: Vec<UserError>,
    /// A token for the visitor who had none: send it as `Frontdesk-Visitor-Token` to see, cancel and move this booking
    /// later. Keep it like a password.
    visitor_token: Option<String>,
}

/// What became of one booking of a bulk call.
#[derive(SimpleObject)]
pub struct BulkCreateBookingResult {
    /// The booking, if it was made.
    booking: Option<Booking>,
    /// Its place in the input.
    original_index: i32,
    /// Why it was refused. Empty if it was made.
    user_errors: Vec<UserError>,
}

/// What became of `bulkCreateBooking`.
#[derive(SimpleObject)]
pub struct BulkCreateBookingPayload {
    /// For refetching what is shown, in the same round trip.
    query: Query,
    /// One result for each booking of the input, in order.
    results: Vec<BulkCreateBookingResult>,
    /// How many were refused.
    total_failures: i32,
    /// How many were made.
    total_successes: i32,
    /// Why the whole call was refused. Refusals of single bookings stand in `results`.
    user_errors: Vec<UserError>,
    /// A token for the visitor who had none; see `CreateBookingPayload`.
    visitor_token: Option<String>,
}

payload!(
    /// What became of `confirmBooking`.
    ConfirmBookingPayload {
        /// The booking, if it was confirmed.
        booking: Booking
    }
);
payload!(
    /// What became of `declineBooking`.
    DeclineBookingPayload {
        /// The booking, if it was declined.
        booking: Booking
    }
);
payload!(
    /// What became of `cancelBooking`.
    CancelBookingPayload {
        /// The booking, if it was canceled.
        booking: Booking
    }
);
payload!(
    /// What became of `markBookingAsPending`.
    MarkBookingAsPendingPayload {
        /// The booking, if it was marked.
        booking: Booking
    }
);
payload!(
    /// What became of `confirmOrDeclineBooking`.
    ConfirmOrDeclineBookingPayload {
        /// The booking, confirmed, pending or declined.
        booking: Booking
    }
);
payload!(
    /// What became of `rescheduleBooking`.
    RescheduleBookingPayload {
        /// The booking, if it was moved.
        booking: Booking
    }
);
payload!(
    /// What became of `updateNumberOfParticipants`.
    UpdateNumberOfParticipantsPayload {
        /// The booking, if its number was changed.
        booking: Booking
    }
);

/// Changing bookings.
#[derive(Default)]
pub struct BookingMutation;

/// Changing bookings.
#[Object]
impl BookingMutation {
    /// Makes up to 40 bookings in one call. Those that are refused leave the others standing.
    async fn bulk_create_booking(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is to be booked.")] input: BulkCreateBookingInput,
    ) -> Option<async_graphql::Result<BulkCreateBookingPayload>> {
        Some(bulk_create(ctx, input).await)
    }

    /// Cancels a booking. Customers can until it begins.
    async fn cancel_booking(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which booking.")] input: CancelBookingInput,
    ) -> Option<async_graphql::Result<CancelBookingPayload>> {
        Some(act(ctx, input.target(), Verdict::Cancel, None).await)
    }

    /// Confirms a booking. For the business. A clash is not refused but flagged, unless a check is asked for.
    async fn confirm_booking(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which booking, and how.")] input: ConfirmBookingInput,
    ) -> Option<async_graphql::Result<ConfirmBookingPayload>> {
        let verdict = Verdict::Confirm {
            check_availability: input.check_availability_validation,
        };
        Some(act(ctx, input.target(), verdict, input.payment_status.map(Into::into)).await)
    }

    /// Confirms a booking if nothing is in its way, and otherwise decides by the money: what is paid is kept and
    /// flagged, what is not is declined. For the business, after a checkout of its own.
    async fn confirm_or_decline_booking(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which booking, and how.")] input: ConfirmOrDeclineBookingInput,
    ) -> Option<async_graphql::Result<ConfirmOrDeclineBookingPayload>> {
        Some(
            act(
                ctx,
                input.target(),
                Verdict::ConfirmOrDecline,
                input.payment_status.map(Into::into),
            )
            .await,
        )
    }

    /// Makes a booking in status `CREATED`, which holds nothing unless a hold is asked for. Refused if what is asked
    /// for is not free.
    async fn create_booking(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is to be booked.")] input: CreateBookingInput,
    ) -> Option<async_graphql::Result<CreateBookingPayload>> {
        Some(create(ctx, input).await)
    }

    /// Declines a booking. For the business.
    async fn decline_booking(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which booking, and how.")] input: DeclineBookingInput,
    ) -> Option<async_graphql::Result<DeclineBookingPayload>> {
        Some(
            act(
                ctx,
                input.target(),
                Verdict::Decline,
                input.payment_status.map(Into::into),
            )
            .await,
        )
    }

    /// Puts a booking onto the calendar to wait for the business. For the business, after a checkout of its own. Never
    /// refused for a clash: that is flagged.
    async fn mark_booking_as_pending(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which booking, and how.")] input: MarkBookingAsPendingInput,
    ) -> Option<async_graphql::Result<MarkBookingAsPendingPayload>> {
        let flow = input.flow_control_settings.clone().unwrap_or_default();
        let skip = flow.skip_pending_approval_service_validation;
        let verdict = Verdict::MarkAsPending {
            skip_pending_approval_service: skip,
        };
        Some(act(ctx, input.target(), verdict, input.payment_status.map(Into::into)).await)
    }

    /// Moves a booking to another time, or to another session of its class. Customers can until it begins; if the
    /// service needs approval they ask again. Courses can't be moved.
    async fn reschedule_booking(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which booking, and where to.")] input: RescheduleBookingInput,
    ) -> Option<async_graphql::Result<RescheduleBookingPayload>> {
        let result = permitted(ctx, Permission::ChangeBookings, input.parse(), |input| {
            service(ctx).reschedule_booking(caller(ctx), input)
        });
        let result = result.await;
        Some(outcome(ctx, result.map(Booking::from)).map(Into::into))
    }

    /// Changes how many come to a class session or a course. For the business.
    async fn update_number_of_participants(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which booking, and how many.")] input: UpdateNumberOfParticipantsInput,
    ) -> Option<async_graphql::Result<UpdateNumberOfParticipantsPayload>> {
        let result = permitted(ctx, Permission::ManageBookings, input.parse(), |input| {
            service(ctx).update_number_of_participants(caller(ctx), input)
        });
        let result = result.await;
        Some(outcome(ctx, result.map(Booking::from)).map(Into::into))
    }
}

/// Does an act. Who may never do it is told so before its input is looked at.
pub(super) async fn permitted<I, T, F>(
    ctx: &Context<'_>,
    permission: Permission,
    input: Result<I, Rejections>,
    act: impl FnOnce(I) -> F,
) -> Result<T, ActError>
where
    F: Future<Output = Result<T, acts::Error>>,
{
    acts::access::require(permission, caller(ctx))?;
    Ok(act(input?).await?)
}

async fn act<P: From<Outcome<Booking>>>(
    ctx: &Context<'_>,
    target: Result<Target, Rejections>,
    verdict: Verdict,
    payment_status: Option<PaymentStatus>,
) -> async_graphql::Result<P> {
    let result = permitted(ctx, verdict.permission(), target, |target| {
        let input = ActOn {
            target,
            verdict,
            payment_status,
        };
        service(ctx).act_on_booking(caller(ctx), input)
    });
    Ok(outcome(ctx, result.await.map(Booking::from))?.into())
}

pub(super) fn token(ctx: &Context<'_>, visitor: Option<NewVisitor>) -> Option<String> {
    let tokens = ctx.data_unchecked::<VisitorTokens>();
    visitor.map(|visitor| tokens(&visitor, caller(ctx).site))
}

async fn create(ctx: &Context<'_>, input: CreateBookingInput) -> async_graphql::Result<CreateBookingPayload> {
    let result = permitted(ctx, Permission::Book, input.parse(), |(input, key)| {
        service(ctx).create_booking(caller(ctx), input, key)
    });
    let result = result.await;
    let query = Query::default();
    Ok(match outcome(ctx, result)? {
        Ok(created) => CreateBookingPayload {
            booking: Some(created.booking.into()),
            query,
            user_errors: Vec::new(),
            visitor_token: token(ctx, created.visitor),
        },
        Err(user_errors) => CreateBookingPayload {
            booking: None,
            query,
            user_errors,
            visitor_token: None,
        },
    })
}

async fn bulk_create(
    ctx: &Context<'_>,
    input: BulkCreateBookingInput,
) -> async_graphql::Result<BulkCreateBookingPayload> {
    let result = permitted(ctx, Permission::Book, read_bulk(input), |(bookings, key)| {
        service(ctx).bulk_create_booking(caller(ctx), bookings, key)
    });
    let result = result.await;
    let query = Query::default();
    let created = match outcome(ctx, result)? {
        Ok(created) => created,
        Err(user_errors) => {
            let none = Vec::new();
            return Ok(BulkCreateBookingPayload {
                query,
                results: none,
                total_failures: 0,
                total_successes: 0,
                user_errors,
                visitor_token: None,
            });
        }
    };
    let made = created.results.iter().filter(|result| result.is_ok()).count();
    let number = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
    let (total_successes, total_failures) = (number(made), number(created.results.len() - made));
    let result = |(index, result): (usize, Result<domain::booking::Booking, Rejection>)| {
        let (booking, user_errors) = match result {
            Ok(booking) => (Some(Booking::from(booking)), Vec::new()),
            Err(rejection) => {
                let rejection = rejection.within(&["bookings", &index.to_string()]);
                (None, vec![UserError::from(rejection)])
            }
        };
        BulkCreateBookingResult {
            booking,
            original_index: number(index),
            user_errors,
        }
    };
    Ok(BulkCreateBookingPayload {
        query,
        results: created.results.into_iter().enumerate().map(result).collect(),
        total_failures,
        total_successes,
        user_errors: Vec::new(),
        visitor_token: token(ctx, created.visitor),
    })
}

/// A malformed booking refuses the whole call, as a missing field does; what is not free is refused on its own.
fn read_bulk(
    input: BulkCreateBookingInput,
) -> Result<(Vec<acts::bookings::CreateBooking>, Option<acts::IdempotencyKey>), Rejections> {
    let mut problems = Problems::default();
    let key = match idempotency(&input, input.idempotency_key.as_ref()) {
        Ok(key) => key,
        Err(invalid) => {
            problems.add(invalid);
            None
        }
    };
    let mut bookings = Vec::with_capacity(input.bookings.len());
    for (index, booking) in input.bookings.into_iter().enumerate() {
        let place = |rejections: Rejections| {
            let nested = rejections.0.into_iter().map(|rejection| match rejection {
                Rejection::Invalid(invalid) => Rejection::Invalid(invalid.at(index.to_string())),
                other => other,
            });
            Rejections(nested.collect())
        };
        if let Some((booking, _)) = problems.nest("bookings", booking.parse().map_err(place)) {
            bookings.push(booking);
        }
    }
    problems.finish(Some(bookings)).map(|bookings| (bookings, key))
}
