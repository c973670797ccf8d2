//! Running the server and letting apps in: sites and API keys.

pub mod input;

use async_graphql::{Context, Object, SimpleObject};

use self::input::{CreateApiKeyInput, CreateSiteInput, RevokeApiKeyInput};
use super::{
    ApiKeyTexts, caller,
    catalog::lists::{around, read_key, write_key},
    connection::{Paging, selects},
    error::{UserError, failure, outcome},
    mutation::{payload, permitted},
    query::Query,
    service,
    types::{
        api_key::{ApiKey, ApiKeyConnection},
        site::{Site, SiteConnection},
    },
};
use crate::{domain::permission::Permission, service::api_keys};

/// What became of `createApiKey`.
#[derive(SimpleObject)]
pub struct CreateApiKeyPayload {
    /// The key, if it was made.
    api_key: Option<ApiKey>,
    /// For refetching what is shown, in the same round trip.
    query: Query,
    /// What the app sends, as `Authorization: Bearer <secret>`. It is shown here and nowhere else: the server keeps no more
    /// than its hash. Only a retry with the same `idempotencyKey` answers with it again.
    secret: Option<String>,
    /// Why it was refused. Empty if it was done.
    user_errors: Vec<UserError>,
}

payload!(
    /// What became of `revokeApiKey`.
    RevokeApiKeyPayload {
        /// The key as it was left, if it was revoked.
        api_key: ApiKey
    }
);
payload!(
    /// What became of `createSite`.
    CreateSitePayload {
        /// The site, if it was made.
        site: Site
    }
);

/// Reading what runs the server.
#[derive(Default, Clone)]
pub struct AdminQuery;

/// Reading what runs the server.
#[Object]
impl AdminQuery {
    /// The site's API keys, the oldest first, revoked ones too. For the owner and the operator.
    async fn api_keys(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Those behind this cursor.")] after: Option<String>,
        #[graphql(desc = "Those before this cursor.")] before: Option<String>,
        #[graphql(desc = "How many from the start: 0 to 100, 50 if not said.")] first: Option<i32>,
        #[graphql(desc = "How many from the end: 0 to 100.")] last: Option<i32>,
    ) -> Option<async_graphql::Result<ApiKeyConnection>> {
        let paging = Paging {
            first,
            after,
            last,
            before,
        };
        Some(keys(ctx, &paging).await)
    }

    /// All sites of the server, the oldest first. For the operator.
    async fn sites(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Those behind this cursor.")] after: Option<String>,
        #[graphql(desc = "Those before this cursor.")] before: Option<String>,
        #[graphql(desc = "How many from the start: 0 to 100, 50 if not said.")] first: Option<i32>,
        #[graphql(desc = "How many from the end: 0 to 100.")] last: Option<i32>,
    ) -> Option<async_graphql::Result<SiteConnection>> {
        let paging = Paging {
            first,
            after,
            last,
            before,
        };
        Some(sites(ctx, &paging).await)
    }
}

async fn keys(ctx: &Context<'_>, paging: &Paging) -> async_graphql::Result<ApiKeyConnection> {
    let (service, caller) = (service(ctx), caller(ctx));
    let page = service.api_keys(caller, paging.request(read_key)?).await;
    let page = page.map_err(|error| failure(ctx, error))?;
    let total = if selects(ctx, "totalCount") {
        let count = service.count_api_keys(caller).await;
        Some(count.map_err(|error| failure(ctx, error))?)
    } else {
        None
    };
    let rows = page.items.iter().cloned().map(ApiKey::from).collect();
    let key = |node: &ApiKey| write_key(node.0.created, node.0.id);
    Ok(ApiKeyConnection::new(around(&page, rows), key, total))
}

async fn sites(ctx: &Context<'_>, paging: &Paging) -> async_graphql::Result<SiteConnection> {
    let (service, caller) = (service(ctx), caller(ctx));
    let page = service.all_sites(caller, paging.request(read_key)?).await;
    let page = page.map_err(|error| failure(ctx, error))?;
    let total = if selects(ctx, "totalCount") {
        let count = service.count_sites(caller).await;
        Some(count.map_err(|error| failure(ctx, error))?)
    } else {
        None
    };
    let rows = page.items.iter().cloned().map(Site::from).collect();
    let key = |node: &Site| write_key(node.0.created, node.0.id);
    Ok(SiteConnection::new(around(&page, rows), key, total))
}

/// Changing what runs the server.
#[derive(Default)]
pub struct AdminMutation;

/// Changing what runs the server.
#[Object]
impl AdminMutation {
    /// Makes an API key for an app of the site. For the owner and the operator.
    async fn create_api_key(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What the key is for, and what it may do.")] input: CreateApiKeyInput,
    ) -> Option<async_graphql::Result<CreateApiKeyPayload>> {
        let texts = ctx.data_unchecked::<ApiKeyTexts>();
        let made = permitted(ctx, Permission::ManageApiKeys, input.parse(), |(input, key)| {
            service(ctx).create_api_key(caller(ctx), input, key, &*texts.0)
        });
        let made = match outcome(ctx, made.await) {
            Ok(made) => made,
            Err(error) => return Some(Err(error)),
        };
        let query = Query::default();
        Some(Ok(match made {
            Ok(key) => {
                let text = (texts.0)(caller(ctx).site, key.id);
                // A replay after the server's own secret changed can't show it any more.
                let secret = (api_keys::hash(&text) == key.secret_hash).then_some(text);
                CreateApiKeyPayload {
                    api_key: Some(key.into()),
                    query,
                    secret,
                    user_errors: Vec::new(),
                }
            }
            Err(user_errors) => CreateApiKeyPayload {
                api_key: None,
                query,
                secret: None,
                user_errors,
            },
        }))
    }

    /// Makes a site: another business on this server, with a catalog of its own. For the operator.
    async fn create_site(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The site's name and settings.")] input: CreateSiteInput,
    ) -> Option<async_graphql::Result<CreateSitePayload>> {
        let made = permitted(ctx, Permission::ManageSites, input.parse(), |(input, key)| {
            service(ctx).add_site(caller(ctx), input, key)
        });
        Some(outcome(ctx, made.await.map(Site::from)).map(Into::into))
    }

    /// Revokes an API key: from then on nobody gets in by it, and sockets that came by it are closed. For the owner and
    /// the operator.
    async fn revoke_api_key(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which key.")] input: RevokeApiKeyInput,
    ) -> Option<async_graphql::Result<RevokeApiKeyPayload>> {
        let revoked = permitted(ctx, Permission::ManageApiKeys, input.parse(), |edit| {
            service(ctx).revoke_api_key(caller(ctx), edit)
        });
        Some(outcome(ctx, revoked.await.map(ApiKey::from)).map(Into::into))
    }
}
