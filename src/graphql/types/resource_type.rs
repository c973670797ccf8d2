//! Types of resources.

use async_graphql::{Context, ID, Object};

use super::resource::ResourceKind;
use crate::{
    domain::{
        catalog::{self, ResourceTypeEntry},
        ids::ResourceTypeId,
    },
    graphql::{
        caller,
        connection::{Paging, connection, cursor, open_cursor, selects},
        error::failure,
        scalars::DateTime,
        service,
    },
    store::page::Page,
};

/// A type of resource: staff, rooms and equipment, which every site has, or one that the business has made up.
#[derive(Clone, Debug)]
pub struct ResourceType(pub ResourceTypeEntry);

impl From<ResourceTypeEntry> for ResourceType {
    fn from(entry: ResourceTypeEntry) -> Self {
        Self(entry)
    }
}

/// A type of resource: staff, rooms and equipment, which every site has, or one that the business has made up.
#[Object(name = "ResourceTypeDefinition")]
impl ResourceType {
    /// When it was made.
    async fn created_date(&self) -> DateTime {
        self.0.created.into()
    }

    /// Its id.
    pub async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// Which of those that every site has it is, or `CUSTOM`.
    async fn kind(&self, ctx: &Context<'_>) -> ResourceKind {
        catalog::ResourceType::of(self.0.id, caller(ctx).site).into()
    }

    /// Its name, unique on the site whatever its case.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// Grows by one with every change.
    async fn revision(&self) -> i64 {
        self.0.revision
    }

    /// When it changed last.
    async fn updated_date(&self) -> DateTime {
        self.0.updated.into()
    }
}

connection!(
    "A list of types of resources.",
    ResourceTypeConnection,
    ResourceTypeEdge,
    ResourceType
);

impl ResourceType {
    /// Those of the types that there are, deleted ones too.
    pub(crate) async fn load(ctx: &Context<'_>, ids: Vec<ResourceTypeId>) -> async_graphql::Result<Vec<Self>> {
        let found = service(ctx).resource_types_by_id(caller(ctx), ids).await;
        let found = found.map_err(|error| failure(ctx, error))?;
        Ok(found.into_iter().map(Self).collect())
    }

    /// A page of all types: few enough to be read at once.
    pub(crate) async fn page(ctx: &Context<'_>, paging: &Paging) -> async_graphql::Result<ResourceTypeConnection> {
        let request = paging.request(open_cursor)?;
        let all = service(ctx).resource_types(caller(ctx)).await;
        let all = all.map_err(|error| failure(ctx, error))?;
        let total = selects(ctx, "totalCount").then(|| i64::try_from(all.len()).unwrap_or(i64::MAX));
        let page = Page::of_all(all, &request, |entry| entry.id.to_string()).map(Self);
        let write = |entry: &Self| cursor(&entry.0.id.to_string());
        Ok(ResourceTypeConnection::new(page, write, total))
    }
}
