//! Policies and options: on which terms services are booked.

use async_graphql::{Context, ID, Object, SimpleObject};

use super::{
    input::{
        CloneServiceOptionsAndVariantsInput, CreateBookingPolicyInput, CreateServiceOptionsAndVariantsInput,
        DeleteBookingPolicyInput, DeleteServiceOptionsAndVariantsInput, SetDefaultBookingPolicyInput,
        UpdateBookingPolicyInput, UpdateServiceOptionsAndVariantsInput,
    },
    mutation::act,
};
use crate::{
    domain::permission::Permission,
    graphql::{
        caller,
        connection::Paging,
        error::{Outcome, UserError, bad_input, failure, outcome},
        input::id as read_id,
        mutation::{payload, permitted},
        query::Query,
        service,
        types::{
            booking_policy::{BookingPolicy, BookingPolicyConnection},
            named_list::{self, BookingPolicyFilter, BookingPolicyOrder},
            service_options::ServiceOptionsAndVariants,
        },
    },
    service::catalog::DefaultSet,
};

payload!(
    /// What became of `createBookingPolicy`.
    CreateBookingPolicyPayload {
        /// The policy, if it was made.
        booking_policy: BookingPolicy
    }
);
payload!(
    /// What became of `updateBookingPolicy`.
    UpdateBookingPolicyPayload {
        /// The policy, if it was changed.
        booking_policy: BookingPolicy
    }
);
payload!(
    /// What became of `deleteBookingPolicy`.
    DeleteBookingPolicyPayload {
        /// The policy as it was left, if it was deleted.
        booking_policy: BookingPolicy
    }
);
payload!(
    /// What became of `createServiceOptionsAndVariants`.
    CreateServiceOptionsAndVariantsPayload {
        /// The options, if they were made.
        service_options_and_variants: ServiceOptionsAndVariants
    }
);
payload!(
    /// What became of `updateServiceOptionsAndVariants`.
    UpdateServiceOptionsAndVariantsPayload {
        /// The options, if they were changed.
        service_options_and_variants: ServiceOptionsAndVariants
    }
);
payload!(
    /// What became of `deleteServiceOptionsAndVariants`.
    DeleteServiceOptionsAndVariantsPayload {
        /// The options as they were, if they were deleted.
        service_options_and_variants: ServiceOptionsAndVariants
    }
);
payload!(
    /// What became of `cloneServiceOptionsAndVariants`.
    CloneServiceOptionsAndVariantsPayload {
        /// The other service's options, if they were made.
        service_options_and_variants: ServiceOptionsAndVariants
    }
);

/// What became of `setDefaultBookingPolicy`.
#[derive(SimpleObject)]
pub struct SetDefaultBookingPolicyPayload {
    /// The default from now on, if it was set.
    booking_policy: Option<BookingPolicy>,
    /// The default before, if there was another.
    previous_default_booking_policy: Option<BookingPolicy>,
    /// For refetching what is shown, in the same round trip.
    query: Query,
    /// Why it was refused. Empty if it was done.
    user_errors: Vec<UserError>,
}

impl From<Outcome<DefaultSet>> for SetDefaultBookingPolicyPayload {
    fn from(outcome: Outcome<DefaultSet>) -> Self {
        let (set, user_errors) = match outcome {
            Ok(set) => (Some(set), Vec::new()),
            Err(errors) => (None, errors),
        };
        let (current, previous) = set.map_or((None, None), |set| (Some(set.current), set.previous));
        Self {
            booking_policy: current.map(BookingPolicy),
            previous_default_booking_policy: previous.map(BookingPolicy),
            query: Query::default(),
            user_errors,
        }
    }
}

/// Changing on which terms services are booked.
#[derive(Default)]
pub struct TermsMutation;

/// Changing on which terms services are booked.
#[Object]
impl TermsMutation {
    /// Gives a service the options of another one, with its prices. Refused with `ALREADY_EXISTS` if it has some.
    async fn clone_service_options_and_variants(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which options, and for which service.")] input: CloneServiceOptionsAndVariantsInput,
    ) -> Option<async_graphql::Result<CloneServiceOptionsAndVariantsPayload>> {
        act!(
            ctx,
            ManageCatalog,
            input.parse(),
            |(of, target, key)| service(ctx).clone_options(caller(ctx), of, target, key),
            ServiceOptionsAndVariants
        )
    }

    /// Makes a booking policy. It holds for the services that name it.
    async fn create_booking_policy(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its name and its rules.")] input: CreateBookingPolicyInput,
    ) -> Option<async_graphql::Result<CreateBookingPolicyPayload>> {
        act!(
            ctx,
            ManageCatalog,
            input.parse(),
            |(input, key)| service(ctx).create_booking_policy(caller(ctx), input, key),
            BookingPolicy
        )
    }

    /// Gives a service options, with what each combination of their choices costs. The variants decide what a service of
    /// the rate `VARIED` costs; its `defaultPrice` is that of choices without one, such as of somebody who serves but
    /// wasn't known when it was booked. A service of another rate costs the same whatever is chosen. Refused with
    /// `ALREADY_EXISTS` if the service has options.
    async fn create_service_options_and_variants(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The options and variants.")] input: CreateServiceOptionsAndVariantsInput,
    ) -> Option<async_graphql::Result<CreateServiceOptionsAndVariantsPayload>> {
        act!(
            ctx,
            ManageCatalog,
            input.parse(),
            |(input, key)| service(ctx).create_options(caller(ctx), input, key),
            ServiceOptionsAndVariants
        )
    }

    /// Deletes a booking policy. Refused with `DEFAULT_POLICY_CANNOT_BE_DELETED` if it is the default, and with
    /// `BOOKING_POLICY_IN_USE` while services name it.
    async fn delete_booking_policy(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which policy.")] input: DeleteBookingPolicyInput,
    ) -> Option<async_graphql::Result<DeleteBookingPolicyPayload>> {
        act!(
            ctx,
            ManageCatalog,
            input.parse(),
            |edit| service(ctx).delete_booking_policy(caller(ctx), edit),
            BookingPolicy
        )
    }

    /// Takes a service's options away: it costs its one price again, and keeps its lengths. What is booked stays.
    async fn delete_service_options_and_variants(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which options.")] input: DeleteServiceOptionsAndVariantsInput,
    ) -> Option<async_graphql::Result<DeleteServiceOptionsAndVariantsPayload>> {
        act!(
            ctx,
            ManageCatalog,
            input.parse(),
            |edit| service(ctx).delete_options(caller(ctx), edit),
            ServiceOptionsAndVariants
        )
    }

    /// Makes a policy that of all services that name none. There was none before the first call, and from then on there is
    /// always one. Done already is done.
    async fn set_default_booking_policy(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which policy.")] input: SetDefaultBookingPolicyInput,
    ) -> Option<async_graphql::Result<SetDefaultBookingPolicyPayload>> {
        act!(
            ctx,
            ManageCatalog,
            input.parse(),
            |edit| service(ctx).set_default_booking_policy(caller(ctx), edit),
            std::convert::identity
        )
    }

    /// Changes a booking policy, for all services that name it and for what is booked from now on. What is booked keeps the
    /// rules by which it was booked.
    async fn update_booking_policy(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which policy, and what changes.")] input: UpdateBookingPolicyInput,
    ) -> Option<async_graphql::Result<UpdateBookingPolicyPayload>> {
        act!(
            ctx,
            ManageCatalog,
            input.parse(),
            |(edit, changes)| service(ctx).update_booking_policy(caller(ctx), edit, changes),
            BookingPolicy
        )
    }

    /// Changes a service's options and variants. What is booked costs what it cost.
    async fn update_service_options_and_variants(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which options, and what changes.")] input: UpdateServiceOptionsAndVariantsInput,
    ) -> Option<async_graphql::Result<UpdateServiceOptionsAndVariantsPayload>> {
        act!(
            ctx,
            ManageCatalog,
            input.parse(),
            |input| service(ctx).update_options(caller(ctx), input),
            ServiceOptionsAndVariants
        )
    }
}

/// Reading on which terms services are booked.
#[derive(Default, Clone)]
pub struct TermsQuery;

/// Reading on which terms services are booked.
#[Object]
impl TermsQuery {
    /// The booking policies of the business, the oldest first if nothing else is said.
    #[expect(clippy::too_many_arguments, reason = "they are the list's, in the schema")]
    async fn booking_policies(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Those behind this cursor.")] after: Option<String>,
        #[graphql(desc = "Those before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which of them.")] filter: Option<BookingPolicyFilter>,
        #[graphql(desc = "How many from the start: 0 to 100, 50 if not said.")] first: Option<i32>,
        #[graphql(desc = "How many from the end: 0 to 100.")] last: Option<i32>,
        #[graphql(desc = "How they are sorted: the oldest first if not said.")] order_by: Option<BookingPolicyOrder>,
    ) -> Option<async_graphql::Result<BookingPolicyConnection>> {
        let paging = Paging {
            first,
            after,
            last,
            before,
        };
        Some(named_list::booking_policies(ctx, filter, order_by, &paging).await)
    }

    /// A booking policy, unless it was deleted.
    async fn booking_policy(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The policy's id.")] id: ID,
    ) -> Option<async_graphql::Result<BookingPolicy>> {
        let id = match read_id(&id) {
            Ok(id) => id,
            Err(invalid) => return Some(Err(bad_input(&invalid.at("id")))),
        };
        let found = service(ctx).booking_policy(caller(ctx), id).await;
        found
            .map(|found| found.map(BookingPolicy))
            .map_err(|error| failure(ctx, error))
            .transpose()
    }
}
