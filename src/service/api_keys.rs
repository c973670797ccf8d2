//! Keys of apps: made and revoked by the owner or the operator, shown by apps with each call.

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::{
    Caller, Error, IdempotencyKey, Outcome, Service, access,
    catalog::{Edit, check_revision},
};
use crate::{
    domain::{
        Rejection,
        actor::{Actor, Identity},
        api_key::{ApiKey, KeyError},
        ids::{ApiKeyId, Kind, SiteId},
        permission::{Permission, Scope},
        text,
    },
    store::{
        Command, Failure, Tx, api_keys,
        catalog::TimeKey,
        page::{Page, PageRequest},
        sites,
    },
};

/// A key that is to be made.
#[derive(Debug, Clone)]
pub struct CreateApiKey {
    /// What it is for, 1 to 100 characters.
    pub name: String,
    /// What it may do; at least one.
    pub scopes: Vec<Scope>,
    /// When it ends.
    pub expires: Option<Timestamp>,
}

/// The hash of a key's text, as it is kept.
#[must_use]
pub fn hash(text: &str) -> Vec<u8> {
    Sha256::digest(text.as_bytes()).to_vec()
}

struct Create {
    site: SiteId,
    id: ApiKeyId,
    secret_hash: Vec<u8>,
    maker: Identity,
    input: CreateApiKey,
}

impl Outcome for ApiKey {}

impl Command for Create {
    type Output = ApiKey;

    fn site(&self) -> SiteId {
        self.site
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<ApiKey, Failure> {
        let (now, input) = (tx.now(), &self.input);
        text::required(&input.name, 100).map_err(|invalid| Rejection::from(invalid.at("name")))?;
        if input.scopes.is_empty() {
            return Err(Rejection::invalid(&["scopes"], "must have at least one").into());
        }
        if input.expires.is_some_and(|expires| expires <= now) {
            return Err(Rejection::invalid(&["expiresDate"], "must be in the future").into());
        }
        if sites::find(tx.conn(), self.site).await?.is_none() {
            return Err(Rejection::not_found(Kind::Site, &[]).into());
        }
        let mut scopes = input.scopes.clone();
        scopes.sort();
        scopes.dedup();
        let key = ApiKey {
            id: self.id,
            name: input.name.clone(),
            scopes,
            secret_hash: self.secret_hash.clone(),
            created_by: self.maker.clone(),
            expires: input.expires,
            revoked: None,
            revision: 1,
            created: now,
            updated: now,
        };
        api_keys::insert(tx.conn(), self.site, &key).await?;
        Ok(key)
    }
}

struct Revoke {
    site: SiteId,
    edit: Edit<ApiKeyId>,
}

impl Command for Revoke {
    type Output = ApiKey;

    fn site(&self) -> SiteId {
        self.site
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<ApiKey, Failure> {
        sites::lock(tx).await?;
        let missing = || Rejection::not_found(Kind::ApiKey, &["apiKeyId"]);
        let mut key = api_keys::find(tx.conn(), self.site, self.edit.id)
            .await?
            .ok_or_else(missing)?;
        check_revision(Kind::ApiKey, key.revision, self.edit.expected_revision)?;
        // Who wants it revoked has what it wants.
        if key.revoked.is_none() {
            key.revoked = Some(tx.now());
            key.revision += 1;
            key.updated = tx.now();
            api_keys::save(tx.conn(), self.site, &key).await?;
        }
        Ok(key)
    }
}

impl Service {
    /// Makes a key. `text` says what the app will show for it; only its hash is kept.
    pub async fn create_api_key(
        &self,
        caller: &Caller,
        input: CreateApiKey,
        key: Option<IdempotencyKey>,
        text: &(dyn Fn(SiteId, ApiKeyId) -> String + Send + Sync),
    ) -> Result<ApiKey, Error> {
        access::require(Permission::ManageApiKeys, caller)?;
        let (site, id) = (caller.site, ApiKeyId::new());
        let create = Create {
            site,
            id,
            secret_hash: hash(&text(site, id)),
            maker: caller.actor.identity(),
            input,
        };
        self.once(caller, "createApiKey", key, create).await
    }

    /// Revokes a key: nobody gets in by it any more.
    pub async fn revoke_api_key(&self, caller: &Caller, mut edit: Edit<ApiKeyId>) -> Result<ApiKey, Error> {
        access::require(Permission::ManageApiKeys, caller)?;
        let key = edit.idempotency.take();
        let site = caller.site;
        self.once(caller, "revokeApiKey", key, Revoke { site, edit }).await
    }

    /// The key with this id, a revoked one too.
    pub async fn api_key(&self, caller: &Caller, id: ApiKeyId) -> Result<Option<ApiKey>, Error> {
        access::require(Permission::ManageApiKeys, caller)?;
        let site = caller.site;
        let found = self.db().read(move |conn| Box::pin(api_keys::find(conn, site, id)));
        Ok(found.await?)
    }

    /// A page of the site's keys, revoked ones too.
    pub async fn api_keys(
        &self,
        caller: &Caller,
        request: PageRequest<TimeKey<ApiKeyId>>,
    ) -> Result<Page<ApiKey>, Error> {
        access::require(Permission::ManageApiKeys, caller)?;
        let site = caller.site;
        let page = self
            .db()
            .read(move |conn| Box::pin(async move { api_keys::list(conn, site, &request).await }));
        Ok(page.await?)
    }

    /// How many keys the site has.
    pub async fn count_api_keys(&self, caller: &Caller) -> Result<i64, Error> {
        access::require(Permission::ManageApiKeys, caller)?;
        let site = caller.site;
        Ok(self
            .db()
            .read(move |conn| Box::pin(api_keys::number(conn, site)))
            .await?)
    }

    /// The app that shows a key with this text.
    pub async fn app_of(&self, site: SiteId, id: ApiKeyId, text: &str) -> Result<Result<Caller, KeyError>, Error> {
        let now = self.clock().now();
        let found = self
            .db()
            .read(move |conn| Box::pin(api_keys::find(conn, site, id)))
            .await?;
        // An unknown key is compared, too: it takes as long as a wrong secret.
        let kept = found.as_ref().map_or_else(|| hash(""), |key| key.secret_hash.clone());
        let same = bool::from(kept.ct_eq(&hash(text)));
        let Some(key) = found.filter(|_| same) else {
            return Ok(Err(KeyError::Unknown));
        };
        Ok(key.check(now).map(|()| {
            let actor = Actor::App {
                subject: id.to_string(),
                scopes: key.scopes.iter().copied().collect(),
            };
            Caller {
                until: key.expires,
                api_key: Some(id),
                ..Caller::new(site, actor)
            }
        }))
    }

    /// Whether the key by which a caller came is still good.
    pub async fn api_key_holds(&self, caller: &Caller) -> Result<Result<(), KeyError>, Error> {
        let Some(id) = caller.api_key else {
            return Ok(Ok(()));
        };
        let (site, now) = (caller.site, self.clock().now());
        let found = self
            .db()
            .read(move |conn| Box::pin(api_keys::find(conn, site, id)))
            .await?;
        Ok(found.map_or(Err(KeyError::Unknown), |key| key.check(now)))
    }
}
