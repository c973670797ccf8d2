//! Stub.
use async_graphql::{Context, ID, Object};
#[allow(unused_imports)]
use crate::{domain::{catalog, ids::*}, graphql::{caller, error::failure, service}};
/// x
#[derive(Debug, Clone)]
pub struct Site(pub catalog::Site);
impl From<catalog::Site> for Site { fn from(x: catalog::Site) -> Self { Self(x) } }
/// x
#[Object]
impl Site {
    /// x
    pub async fn id(&self) -> ID { self.0.id.to_string().into() }
}
impl Site {

}
