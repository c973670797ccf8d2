//! Stub.
use async_graphql::{Context, ID, Object};
#[allow(unused_imports)]
use crate::{domain::{catalog, ids::*}, graphql::{caller, error::failure, service}};
/// x
#[derive(Debug, Clone)]
pub struct Service(pub catalog::Service);
impl From<catalog::Service> for Service { fn from(x: catalog::Service) -> Self { Self(x) } }
/// x
#[Object]
impl Service {
    /// x
    pub async fn id(&self) -> ID { self.0.id.to_string().into() }
}
impl Service {
    /// x
    pub(crate) async fn find(ctx: &Context<'_>, id: ServiceId) -> async_graphql::Result<Option<Self>> {
        let site = caller(ctx).site;
        let found = service(ctx).db().read(move |c| Box::pin(crate::store::catalog::find_service(c, site, id))).await;
        found.map(|f| f.map(Self)).map_err(|e| failure(ctx, e.into()))
    }
}

/// The kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, async_graphql::Enum)]
#[graphql(remote = "crate::domain::catalog::ServiceKind")]
pub enum ServiceType {
    /// a
    Appointment,
    /// b
    Class,
    /// c
    Course,
}
