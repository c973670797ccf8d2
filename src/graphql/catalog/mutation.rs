//! Changing the catalog.
use async_graphql::Object;
/// Changing the catalog.
#[derive(Default)]
pub struct CatalogMutation;
/// Changing the catalog.
#[Object]
impl CatalogMutation {
    /// x
    async fn xx(&self) -> bool { true }
}
