//! Stub.
use async_graphql::{Context, ID, Object};
#[allow(unused_imports)]
use crate::{domain::{catalog, ids::*}, graphql::{caller, error::failure, service}};
/// x
#[derive(Debug, Clone)]
pub struct Session(pub catalog::Session);
impl From<catalog::Session> for Session { fn from(x: catalog::Session) -> Self { Self(x) } }
/// x
#[Object]
impl Session {
    /// x
    pub async fn id(&self) -> ID { self.0.id.to_string().into() }
}
impl Session {
    /// x
    pub(crate) async fn find(ctx: &Context<'_>, id: SessionId) -> async_graphql::Result<Option<Self>> {
        let site = caller(ctx).site;
        let found = service(ctx).db().read(move |c| Box::pin(crate::store::catalog::find_session(c, site, id))).await;
        found.map(|f| f.map(Self)).map_err(|e| failure(ctx, e.into()))
    }
}
