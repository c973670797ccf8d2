//! What the mutations of sites and API keys take.

use async_graphql::{ID, InputObject};

use crate::{
    domain::ids::ApiKeyId,
    graphql::{
        catalog::input::{edit, key},
        input::{Problems, Rejections},
        scalars::{CurrencyCode, DateTime, TimeZone},
        types::api_key::ApiKeyScope,
    },
    service::{IdempotencyKey, api_keys::CreateApiKey, catalog::Edit, sites::CreateSite},
};

/// An API key that is to be made.
#[derive(InputObject, Clone, Debug)]
pub struct CreateApiKeyInput {
    /// When it ends. If not said, it doesn't.
    expires_date: Option<DateTime>,
    /// A key for safe retries, at most 255 characters: the same key and input replays the first committed answer.
    idempotency_key: Option<String>,
    /// What it is for, 1 to 100 characters.
    name: String,
    /// What it may do; at least one.
    scopes: Vec<ApiKeyScope>,
}

impl CreateApiKeyInput {
    pub(super) fn parse(&self) -> Result<(CreateApiKey, Option<IdempotencyKey>), Rejections> {
        let mut problems = Problems::default();
        let key = key(&mut problems, self, self.idempotency_key.as_ref());
        let expires = problems.option("expiresDate", self.expires_date.as_ref().map(|date| date.instant(None)));
        let input = CreateApiKey {
            name: self.name.clone(),
            scopes: self.scopes.iter().map(|scope| (*scope).into()).collect(),
            expires,
        };
        problems.finish(Some((input, key)))
    }
}

/// Which API key is to be revoked.
#[derive(InputObject, Clone, Debug)]
pub struct RevokeApiKeyInput {
    /// The key.
    api_key_id: ID,
    /// Refuse with `REVISION_MISMATCH` unless the key has this revision.
    expected_revision: Option<i32>,
    /// A key for safe retries, at most 255 characters: the same key and input replays the first committed answer.
    idempotency_key: Option<String>,
}

impl RevokeApiKeyInput {
    pub(super) fn parse(&self) -> Result<Edit<ApiKeyId>, Rejections> {
        let mut problems = Problems::default();
        let key = key(&mut problems, self, self.idempotency_key.as_ref());
        let (id, revision) = (&self.api_key_id, self.expected_revision);
        let edit = edit(&mut problems, "apiKeyId", id, revision, key);
        problems.finish(edit)
    }
}

/// A site that is to be made.
#[derive(InputObject, Clone, Debug)]
pub struct CreateSiteInput {
    /// The currency of its prices.
    currency: CurrencyCode,
    /// A key for safe retries, at most 255 characters: the same key and input replays the first committed answer.
    idempotency_key: Option<String>,
    /// Its name, 1 to 200 characters.
    name: String,
    /// The name by which visitors' browsers name it: lower-case letters, digits and hyphens. No two sites share one.
    slug: String,
    /// The zone of its wall clock.
    time_zone: TimeZone,
}

impl CreateSiteInput {
    pub(super) fn parse(&self) -> Result<(CreateSite, Option<IdempotencyKey>), Rejections> {
        let mut problems = Problems::default();
        let key = key(&mut problems, self, self.idempotency_key.as_ref());
        let time_zone = problems.take("timeZone", self.time_zone.zone());
        let currency = problems.take("currency", self.currency.currency());
        let site = time_zone.zip(currency).map(|(time_zone, currency)| CreateSite {
            slug: self.slug.clone(),
            name: self.name.clone(),
            time_zone,
            currency,
        });
        problems.finish(site.map(|site| (site, key)))
    }
}
