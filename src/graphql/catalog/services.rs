//! Categories, and acts on services as a whole.

use async_graphql::{Context, ID, Object, SimpleObject};

use super::{
    input::{
        BulkCreateServicesInput, CloneServiceInput, CreateCategoryInput, DeleteCategoryInput, MoveCategoryInput,
        UpdateCategoryInput,
    },
    mutation::act,
};
use crate::{
    domain::{Rejection, catalog, permission::Permission},
    graphql::{
        caller,
        connection::Paging,
        error::{Outcome, UserError, bad_input, outcome},
        input::id as read_id,
        mutation::{payload, permitted},
        query::Query,
        service,
        types::{
            category::{Category, CategoryConnection},
            named_list::{self, CategoryFilter, CategoryOrder},
            service::Service,
        },
    },
    service::catalog::{BulkCreatedServices, ClonedService, DeletedService},
};

payload!(
    /// What became of `createCategory`.
    CreateCategoryPayload {
        /// The category, if it was made.
        category: Category
    }
);
payload!(
    /// What became of `updateCategory`.
    UpdateCategoryPayload {
        /// The category, if it was changed.
        category: Category
    }
);
payload!(
    /// What became of `moveCategory`.
    MoveCategoryPayload {
        /// The category, if it was moved.
        category: Category
    }
);
payload!(
    /// What became of `deleteCategory`.
    DeleteCategoryPayload {
        /// The category as it was, if it was deleted.
        category: Category
    }
);

/// What a deletion of a service does to what isn't over yet, or would do.
#[derive(SimpleObject, Clone, Copy, Debug)]
pub struct DeletionImpact {
    /// Bookings that are canceled, those that were only begun too.
    bookings: i32,
    /// How many were to come by them.
    participants: i32,
    /// Bookings that stay.
    preserved_bookings: i32,
    /// How many come by them.
    preserved_participants: i32,
    /// Sessions that stay.
    preserved_sessions: i32,
    /// Sessions that are cancelled.
    sessions: i32,
}

/// What became of `deleteService`.
#[derive(SimpleObject)]
pub struct DeleteServicePayload {
    /// How many bookings were canceled with it.
    canceled_bookings: Option<i32>,
    /// What it did; with `dryRun`, what it would do.
    impact: Option<DeletionImpact>,
    /// For refetching what is shown, in the same round trip.
    query: Query,
    /// The service as it was left, if it was deleted.
    service: Option<Service>,
    /// Why it was refused. Empty if it was done.
    user_errors: Vec<UserError>,
}

/// What became of `cloneService`.
#[derive(SimpleObject)]
pub struct CloneServicePayload {
    /// How many sessions the new service got.
    copied_sessions: Option<i32>,
    /// For refetching what is shown, in the same round trip.
    query: Query,
    /// The new service, if it was made.
    service: Option<Service>,
    /// Why it was refused. Empty if it was done.
    user_errors: Vec<UserError>,
}

/// What became of one service of a bulk call.
#[derive(SimpleObject)]
pub struct BulkCreateServicesResult {
    /// Its place in the input.
    original_index: i32,
    /// The service, if it was made.
    service: Option<Service>,
    /// Why it was refused. Empty if it was made.
    user_errors: Vec<UserError>,
}

/// What became of `bulkCreateServices`.
#[derive(SimpleObject)]
pub struct BulkCreateServicesPayload {
    /// For refetching what is shown, in the same round trip.
    query: Query,
    /// One result for each service of the input, in order.
    results: Vec<BulkCreateServicesResult>,
    /// How many were refused.
    total_failures: i32,
    /// How many were made.
    total_successes: i32,
    /// Why the whole call was refused. Refusals of single services stand in `results`, unless it is all or none.
    user_errors: Vec<UserError>,
}

fn small(number: i64) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

fn number(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

impl From<Outcome<DeletedService>> for DeleteServicePayload {
    fn from(outcome: Outcome<DeletedService>) -> Self {
        let query = Query::default();
        match outcome {
            Ok(deleted) => {
                let impact = deleted.impact;
                Self {
                    canceled_bookings: deleted.service.as_ref().map(|_| small(impact.bookings)),
                    impact: Some(DeletionImpact {
                        bookings: small(impact.bookings),
                        participants: small(impact.participants),
                        preserved_bookings: small(impact.preserved_bookings),
                        preserved_participants: small(impact.preserved_participants),
                        preserved_sessions: small(impact.preserved_sessions),
                        sessions: small(impact.sessions),
                    }),
                    query,
                    service: deleted.service.map(Into::into),
                    user_errors: Vec::new(),
                }
            }
            Err(user_errors) => Self {
                canceled_bookings: None,
                impact: None,
                query,
                service: None,
                user_errors,
            },
        }
    }
}

impl From<Outcome<ClonedService>> for CloneServicePayload {
    fn from(outcome: Outcome<ClonedService>) -> Self {
        let (cloned, user_errors) = match outcome {
            Ok(cloned) => (Some(cloned), Vec::new()),
            Err(user_errors) => (None, user_errors),
        };
        Self {
            copied_sessions: cloned.as_ref().map(|cloned| number(cloned.sessions)),
            query: Query::default(),
            service: cloned.map(|cloned| cloned.service.into()),
            user_errors,
        }
    }
}

impl From<Outcome<BulkCreatedServices>> for BulkCreateServicesPayload {
    fn from(outcome: Outcome<BulkCreatedServices>) -> Self {
        let (results, user_errors) = match outcome {
            Ok(created) => (created.results, Vec::new()),
            Err(user_errors) => (Vec::new(), user_errors),
        };
        let made = results.iter().filter(|result| result.is_ok()).count();
        let result = |(index, result): (usize, Result<catalog::Service, Rejection>)| {
            let (service, user_errors) = match result {
                Ok(service) => (Some(service.into()), Vec::new()),
                Err(rejection) => {
                    let rejection = rejection.within(&["services", &index.to_string()]);
                    (None, vec![rejection.into()])
                }
            };
            BulkCreateServicesResult {
                original_index: number(index),
                service,
                user_errors,
            }
        };
        Self {
            query: Query::default(),
            total_failures: number(results.len() - made),
            total_successes: number(made),
            results: results.into_iter().enumerate().map(result).collect(),
            user_errors,
        }
    }
}

/// Changing categories, and services as a whole.
#[derive(Default)]
pub struct ServicesMutation;

/// Changing categories, and services as a whole.
#[Object]
impl ServicesMutation {
    /// Makes up to 100 services in one call. Those that are refused leave the others standing, unless it is to be all or
    /// none.
    async fn bulk_create_services(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is offered.")] input: BulkCreateServicesInput,
    ) -> Option<async_graphql::Result<BulkCreateServicesPayload>> {
        act!(
            ctx,
            ManageCatalog,
            input.parse(),
            |(services, all, key)| service(ctx).bulk_create_services(caller(ctx), services, all, key),
            std::convert::identity
        )
    }

    /// Makes a service like another, with a schedule and a slug of its own.
    async fn clone_service(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "After which service.")] input: CloneServiceInput,
    ) -> Option<async_graphql::Result<CloneServicePayload>> {
        act!(
            ctx,
            ManageCatalog,
            input.parse(),
            |(input, key)| service(ctx).clone_service(caller(ctx), input, key),
            std::convert::identity
        )
    }

    /// Makes a category, a group of services. A site has at most 100.
    async fn create_category(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which category.")] input: CreateCategoryInput,
    ) -> Option<async_graphql::Result<CreateCategoryPayload>> {
        act!(
            ctx,
            ManageCatalog,
            input.parse(),
            |(input, key)| service(ctx).create_category(caller(ctx), input, key),
            Category::from
        )
    }

    /// Deletes a category. Its services go into another, or there are none.
    async fn delete_category(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which category, and where its services go.")] input: DeleteCategoryInput,
    ) -> Option<async_graphql::Result<DeleteCategoryPayload>> {
        act!(
            ctx,
            ManageCatalog,
            input.parse(),
            |input| service(ctx).delete_category(caller(ctx), input),
            Category::from
        )
    }

    /// Puts a category behind another, or before all. Where there is no number left between its new neighbours, all are
    /// numbered anew, each with a new revision.
    async fn move_category(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which category, and behind which.")] input: MoveCategoryInput,
    ) -> Option<async_graphql::Result<MoveCategoryPayload>> {
        act!(
            ctx,
            ManageCatalog,
            input.parse(),
            |input| service(ctx).move_category(caller(ctx), input),
            Category::from
        )
    }

    /// Changes a category.
    async fn update_category(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which category, and what changes.")] input: UpdateCategoryInput,
    ) -> Option<async_graphql::Result<UpdateCategoryPayload>> {
        act!(
            ctx,
            ManageCatalog,
            input.parse(),
            |input| service(ctx).update_category(caller(ctx), input),
            Category::from
        )
    }
}

/// Reading categories.
#[derive(Default, Clone)]
pub struct CategoryQuery;

/// Reading categories.
#[Object]
impl CategoryQuery {
    /// The groups of services, by their `sortOrder` if nothing else is said.
    #[expect(clippy::too_many_arguments, reason = "they are the list's, in the schema")]
    async fn categories(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Those behind this cursor.")] after: Option<String>,
        #[graphql(desc = "Those before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which of them.")] filter: Option<CategoryFilter>,
        #[graphql(desc = "How many from the start: 0 to 100, 50 if not said.")] first: Option<i32>,
        #[graphql(desc = "How many from the end: 0 to 100.")] last: Option<i32>,
        #[graphql(desc = "How they are sorted: by `sortOrder`, the smallest first, if not said.")] order_by: Option<
            CategoryOrder,
        >,
    ) -> Option<async_graphql::Result<CategoryConnection>> {
        let paging = Paging {
            first,
            after,
            last,
            before,
        };
        Some(named_list::categories(ctx, filter, order_by, &paging).await)
    }

    /// A group of services.
    async fn category(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The category's id.")] id: ID,
    ) -> Option<async_graphql::Result<Category>> {
        match read_id(&id) {
            Ok(id) => Category::load(ctx, vec![id])
                .await
                .map(|mut found| found.pop())
                .transpose(),
            Err(invalid) => Some(Err(bad_input(&invalid.at("id")))),
        }
    }
}
