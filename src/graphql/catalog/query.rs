//! Reading the catalog.
use async_graphql::{Context, Object};
use crate::graphql::{caller, error::failure, service, types::site::Site};
/// Reading the catalog.
#[derive(Default, Clone)]
pub struct CatalogQuery;
/// Reading the catalog.
#[Object]
impl CatalogQuery {
    /// The site.
    async fn site(&self, ctx: &Context<'_>) -> Option<async_graphql::Result<Site>> {
        let found = service(ctx).site(caller(ctx)).await.map_err(|error| failure(ctx, error));
        found.map(|site| site.map(Site::from)).transpose()
    }
}
