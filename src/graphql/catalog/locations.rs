//! Locations of the business.

use async_graphql::{Context, ID, InputObject, Object};

use super::{
    input::{CreateLocationInput, DeleteLocationInput, UpdateLocationInput},
    lists,
    mutation::act,
    query::Reader,
};
use crate::{
    domain::permission::Permission,
    graphql::{
        caller,
        connection::Paging,
        error::{bad_input, failure, outcome},
        input::id as read_id,
        mutation::{payload, permitted},
        service,
        types::location::{BusinessLocation, BusinessLocationConnection},
    },
    store::catalog::LocationFilter as Tests,
};

payload!(
    /// What became of `createLocation`.
    CreateLocationPayload {
        /// The location, if it was made.
        location: BusinessLocation
    }
);
payload!(
    /// What became of `updateLocation`.
    UpdateLocationPayload {
        /// The location, if it was changed.
        location: BusinessLocation
    }
);
payload!(
    /// What became of `deleteLocation`.
    DeleteLocationPayload {
        /// The location as it was left, if it was deleted.
        location: BusinessLocation
    }
);

/// Changing the locations of the business.
#[derive(Default)]
pub struct LocationsMutation;

/// Changing the locations of the business.
#[Object]
impl LocationsMutation {
    /// Makes a location of the business; see `setWorkingHours` for its hours, and `locations` of a service. A site has at
    /// most 500: `LOCATION_LIMIT_REACHED`.
    async fn create_location(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What it is to be.")] input: CreateLocationInput,
    ) -> Option<async_graphql::Result<CreateLocationPayload>> {
        act!(
            ctx,
            ManageCatalog,
            input.parse(),
            |(input, key)| service(ctx).create_location(caller(ctx), input, key),
            BusinessLocation
        )
    }

    /// Deletes a location. Refused with `LOCATION_IN_USE` while a service is given there, or a resource is bound to it by
    /// `locationIds` or by its hours. Sessions and bookings keep its name and address.
    async fn delete_location(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which location.")] input: DeleteLocationInput,
    ) -> Option<async_graphql::Result<DeleteLocationPayload>> {
        act!(
            ctx,
            ManageCatalog,
            input.parse(),
            |edit| service(ctx).delete_location(caller(ctx), edit),
            BusinessLocation
        )
    }

    /// Changes a location. Sessions and bookings keep the name and address that it had.
    async fn update_location(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which location, and what changes.")] input: UpdateLocationInput,
    ) -> Option<async_graphql::Result<UpdateLocationPayload>> {
        act!(
            ctx,
            ManageCatalog,
            input.parse(),
            |input| service(ctx).update_location(caller(ctx), input),
            BusinessLocation
        )
    }
}

/// Which locations.
#[derive(InputObject, Clone, Debug, Default)]
pub struct LocationFilter {
    /// Those with these ids. At most 100.
    ids: Option<Vec<ID>>,
}

/// Reading the locations of the business.
#[derive(Default, Clone)]
pub struct LocationsQuery;

/// Reading the locations of the business.
#[Object]
impl LocationsQuery {
    /// A location of the business, unless it was deleted.
    async fn location(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The location's id.")] id: ID,
    ) -> Option<async_graphql::Result<BusinessLocation>> {
        let id = match read_id(&id) {
            Ok(id) => id,
            Err(invalid) => return Some(Err(bad_input(&invalid.at("id")))),
        };
        let found = service(ctx).location(caller(ctx), id).await;
        found
            .map(|found| found.map(BusinessLocation))
            .map_err(|error| failure(ctx, error))
            .transpose()
    }

    /// The locations of the business, the oldest first.
    async fn locations(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Those behind this cursor.")] after: Option<String>,
        #[graphql(desc = "Those before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which of them.")] filter: Option<LocationFilter>,
        #[graphql(desc = "How many from the start: 0 to 100, 50 if not said.")] first: Option<i32>,
        #[graphql(desc = "How many from the end: 0 to 100.")] last: Option<i32>,
    ) -> Option<async_graphql::Result<BusinessLocationConnection>> {
        let ids = match Reader::ids("ids", filter.unwrap_or_default().ids.as_ref()) {
            Ok(ids) => ids,
            Err(error) => return Some(Err(error)),
        };
        let paging = Paging {
            first,
            after,
            last,
            before,
        };
        Some(lists::locations(ctx, Tests { ids }, &paging).await)
    }
}
