//! Keys of apps.

use async_graphql::{Context, Enum, ID, Object};

use super::identity::Identity;
use crate::{
    domain::{api_key, ids::ApiKeyId, permission::Permission},
    graphql::{caller, connection::connection, error::failure, scalars::DateTime, service},
};

/// What an app may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "crate::domain::permission::Scope")]
pub enum ApiKeyScope {
    /// Make, change and decide about bookings, and see all of them.
    ManageBookings,
    /// See and change blocked time.
    ManageCalendar,
    /// Change services, resources, schedules, sessions, and the site's settings.
    ManageCatalog,
    /// See bookings and their events, without the people.
    ReadBookings,
    /// See blocked time.
    ReadCalendar,
    /// See bookings with the people.
    ReadParticipants,
}

/// A key by which an app calls. For the owner's and the operator's eyes.
#[derive(Debug, Clone)]
pub struct ApiKey(pub api_key::ApiKey);

impl From<api_key::ApiKey> for ApiKey {
    fn from(key: api_key::ApiKey) -> Self {
        Self(key)
    }
}

/// A key by which an app calls. For the owner's and the operator's eyes.
#[Object]
impl ApiKey {
    /// Who made it.
    async fn created_by(&self) -> Identity {
        Identity::from(&self.0.created_by)
    }

    /// When it was made.
    async fn created_date(&self) -> DateTime {
        self.0.created.into()
    }

    /// When it ends. Null if it doesn't.
    async fn expires_date(&self) -> Option<DateTime> {
        self.0.expires.map(DateTime::from)
    }

    /// Its id; what the app does is recorded under it.
    pub async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// What it is for.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// Grows by one with every change.
    async fn revision(&self) -> i64 {
        self.0.revision
    }

    /// When it was revoked. Nobody gets in by it since.
    async fn revoked_date(&self) -> Option<DateTime> {
        self.0.revoked.map(DateTime::from)
    }

    /// What it may do.
    async fn scopes(&self) -> Vec<ApiKeyScope> {
        self.0.scopes.iter().map(|scope| (*scope).into()).collect()
    }

    /// When it changed last.
    async fn updated_date(&self) -> DateTime {
        self.0.updated.into()
    }
}

connection!("A list of API keys.", ApiKeyConnection, ApiKeyEdge, ApiKey);

impl ApiKey {
    /// A key that the caller may see.
    pub(crate) async fn find(ctx: &Context<'_>, id: ApiKeyId) -> async_graphql::Result<Option<Self>> {
        if !Permission::ManageApiKeys.is_granted(&caller(ctx).actor) {
            return Ok(None);
        }
        let found = service(ctx)
            .api_key(caller(ctx), id)
            .await
            .map_err(|error| failure(ctx, error))?;
        Ok(found.map(Self::from))
    }
}
