//! Categories.

use async_graphql::{Context, ID, Object};

use super::{
    service::ServiceConnection,
    service_filter::{ServiceFilter, ServiceOrder},
};
use crate::{
    domain::{catalog, ids::CategoryId},
    graphql::{
        caller,
        catalog::lists,
        connection::{Paging, connection},
        error::{bad_input, failure},
        scalars::DateTime,
        service,
    },
    store::{
        catalog::ServiceField,
        page::{Filter, Test},
    },
};

/// A group of services.
#[derive(Clone, Debug)]
pub struct Category(pub catalog::Category);

impl From<catalog::Category> for Category {
    fn from(category: catalog::Category) -> Self {
        Self(category)
    }
}

/// A group of services.
#[Object]
impl Category {
    /// When it was made.
    async fn created_date(&self) -> DateTime {
        self.0.created.into()
    }

    /// Its id.
    pub async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// Its name.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// Grows by one with every change.
    async fn revision(&self) -> i64 {
        self.0.revision
    }

    /// Its services, by their own `sortOrder` if nothing else is said. Customers don't find hidden ones.
    #[expect(clippy::too_many_arguments, reason = "they are the list's, in the schema")]
    async fn services(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Those behind this cursor.")] after: Option<String>,
        #[graphql(desc = "Those before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which of them.")] filter: Option<ServiceFilter>,
        #[graphql(desc = "How many from the start: 0 to 100, 50 if not said.")] first: Option<i32>,
        #[graphql(desc = "How many from the end: 0 to 100.")] last: Option<i32>,
        #[graphql(desc = "How they are sorted: by `sortOrder`, the smallest first, if not said.")] order_by: Option<
            ServiceOrder,
        >,
    ) -> async_graphql::Result<ServiceConnection> {
        let asked = filter.unwrap_or_default().parse();
        let asked = asked.map_err(|invalid| bad_input(&invalid.at("filter")))?;
        let own = Filter::Is(ServiceField::Category(Test::Eq(self.0.id)));
        let paging = Paging {
            first,
            after,
            last,
            before,
        };
        let order = ServiceOrder::in_category(order_by);
        lists::services(ctx, Filter::All(vec![own, asked]), order, &paging).await
    }

    /// Where it stands among the others: the smallest first.
    async fn sort_order(&self) -> i32 {
        self.0.sort_order
    }

    /// When it changed last.
    async fn updated_date(&self) -> DateTime {
        self.0.updated.into()
    }
}

connection!("A list of categories.", CategoryConnection, CategoryEdge, Category);

impl Category {
    /// Those of the categories that there are, in their order.
    pub(crate) async fn load(ctx: &Context<'_>, ids: Vec<CategoryId>) -> async_graphql::Result<Vec<Self>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let found = service(ctx).categories_by_id(caller(ctx), ids).await;
        let found = found.map_err(|error| failure(ctx, error))?;
        Ok(found.into_iter().map(Self).collect())
    }
}
