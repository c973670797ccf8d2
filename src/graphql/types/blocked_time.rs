//! Times in which a resource can't be booked, or the business is closed.

use async_graphql::{Context, Enum, ID, Object};

use super::{location::BusinessLocation, resource::Resource};
use crate::{
    domain::{catalog, ids::BlockedTimeId, permission::Permission},
    graphql::{caller, connection::connection, error::failure, scalars::DateTime, service},
};

/// Whether something on the calendar keeps its resources from being booked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Enum)]
pub enum Transparency {
    /// It does.
    #[default]
    Opaque,
    /// It is only shown.
    Transparent,
}

impl Transparency {
    pub(crate) fn of(transparent: bool) -> Self {
        if transparent { Self::Transparent } else { Self::Opaque }
    }
}

/// A time in which a resource can't be booked, or the business is closed. For the business's eyes.
#[derive(Clone, Debug)]
pub struct BlockedTime {
    /// The blocked time.
    pub blocked: catalog::BlockedTime,
    /// Its resource, where a list has loaded it.
    resource: Option<Resource>,
}

impl From<catalog::BlockedTime> for BlockedTime {
    fn from(blocked: catalog::BlockedTime) -> Self {
        Self {
            blocked,
            resource: None,
        }
    }
}

/// A time in which a resource can't be booked. Without a resource, the business as a whole is closed, or one of its
/// locations: nothing can be had there by appointment, and sessions of classes stay where the owner put them. For the
/// business's eyes.
#[Object]
impl BlockedTime {
    /// When it was made.
    async fn created_date(&self) -> DateTime {
        self.blocked.created.into()
    }

    /// The instant at which it is over.
    async fn end_date(&self) -> DateTime {
        self.blocked.span.end().into()
    }

    /// Its id.
    pub async fn id(&self) -> ID {
        self.blocked.id.to_string().into()
    }

    /// The location that is closed; null for a time of a resource, or of the whole business.
    async fn location(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<BusinessLocation>> {
        match self.blocked.owner.location() {
            Some(location) => Ok(BusinessLocation::load(ctx, vec![location]).await?.pop()),
            None => Ok(None),
        }
    }

    /// Why.
    async fn reason(&self) -> Option<&str> {
        self.blocked.reason.as_deref()
    }

    /// Whose time; null where the business or a location is closed.
    async fn resource(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Resource>> {
        match (&self.resource, self.blocked.owner.resource()) {
            (Some(resource), _) => Ok(Some(resource.clone())),
            (None, Some(resource)) => Ok(Resource::load(ctx, vec![resource]).await?.pop()),
            (None, None) => Ok(None),
        }
    }

    /// Grows by one with every change.
    async fn revision(&self) -> i64 {
        self.blocked.revision
    }

    /// The first instant.
    async fn start_date(&self) -> DateTime {
        self.blocked.span.start().into()
    }

    /// Whether it blocks or closes, or is only shown.
    async fn transparency(&self) -> Transparency {
        Transparency::of(self.blocked.transparent)
    }

    /// When it changed last.
    async fn updated_date(&self) -> DateTime {
        self.blocked.updated.into()
    }
}

connection!(
    "A list of blocked times.",
    BlockedTimeConnection,
    BlockedTimeEdge,
    BlockedTime
);

impl BlockedTime {
    /// A blocked time that the caller may see.
    pub(crate) async fn find(ctx: &Context<'_>, id: BlockedTimeId) -> async_graphql::Result<Option<Self>> {
        let caller = caller(ctx);
        if !Permission::ReadCalendar.is_granted(&caller.actor) {
            return Ok(None);
        }
        let found = service(ctx)
            .blocked_time(caller, id)
            .await
            .map_err(|error| failure(ctx, error))?;
        Ok(found.map(Self::from))
    }

    /// Makes the rows of a list; their resources are loaded at once.
    pub(crate) async fn rows(
        ctx: &Context<'_>,
        found: Vec<catalog::BlockedTime>,
        with_resources: bool,
    ) -> async_graphql::Result<Vec<Self>> {
        let mut rows: Vec<Self> = found.into_iter().map(Self::from).collect();
        if with_resources {
            let mut ids: Vec<_> = rows.iter().filter_map(|row| row.blocked.owner.resource()).collect();
            ids.sort();
            ids.dedup();
            let resources = Resource::load(ctx, ids).await?;
            for row in &mut rows {
                row.resource = resources
                    .iter()
                    .find(|resource| Some(resource.0.id) == row.blocked.owner.resource())
                    .cloned();
            }
        }
        Ok(rows)
    }
}
