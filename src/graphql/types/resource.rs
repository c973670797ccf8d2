//! Stub.
use async_graphql::{Context, ID, Object};
#[allow(unused_imports)]
use crate::{domain::{catalog, ids::*}, graphql::{caller, error::failure, service}};
/// x
#[derive(Debug, Clone)]
pub struct Resource(pub catalog::Resource);
impl From<catalog::Resource> for Resource { fn from(x: catalog::Resource) -> Self { Self(x) } }
/// x
#[Object]
impl Resource {
    /// x
    pub async fn id(&self) -> ID { self.0.id.to_string().into() }
}
impl Resource {
    /// x
    pub(crate) async fn load(ctx: &Context<'_>, ids: Vec<ResourceId>) -> async_graphql::Result<Vec<Self>> {
        let site = caller(ctx).site;
        let found = service(ctx).db().read(move |c| Box::pin(async move { crate::store::catalog::find_resources(c, site, &ids).await })).await;
        found.map(|f| f.into_iter().map(Self).collect()).map_err(|e| failure(ctx, e.into()))
    }
}
