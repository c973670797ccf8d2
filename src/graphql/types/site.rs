//! The business.

use async_graphql::{Context, ID, Object};

use super::working_hours::WorkingHours;

use crate::{
    domain::catalog,
    graphql::{
        caller,
        connection::connection,
        scalars::{CurrencyCode, DateTime, TimeZone},
    },
};

connection!("A list of sites.", SiteConnection, SiteEdge, Site);

/// A business on this server.
#[derive(Clone, Debug)]
pub struct Site(pub catalog::Site);

impl From<catalog::Site> for Site {
    fn from(site: catalog::Site) -> Self {
        Self(site)
    }
}

/// A business on this server.
#[Object]
impl Site {
    /// When it was made.
    async fn created_date(&self) -> DateTime {
        self.0.created.into()
    }

    /// The currency of its prices.
    async fn currency(&self) -> CurrencyCode {
        (&self.0.currency).into()
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

    /// The name by which visitors' browsers name it.
    async fn slug(&self) -> &str {
        &self.0.slug
    }

    /// The zone of its wall clock.
    async fn time_zone(&self) -> TimeZone {
        (&self.0.time_zone).into()
    }

    /// When it changed last.
    async fn updated_date(&self) -> DateTime {
        self.0.updated.into()
    }

    /// When the business is open. Null: around the clock.
    async fn working_hours(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<WorkingHours>> {
        // The operator sees other sites' rows; their hours are read on them.
        if caller(ctx).site != self.0.id {
            return Ok(None);
        }
        WorkingHours::find(ctx, crate::domain::hours::HoursOwner::Business).await
    }
}
