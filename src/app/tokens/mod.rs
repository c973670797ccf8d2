//! Who a bearer is: tokens that the server signed itself, tokens of an identity provider, and API keys.

mod keys;

use std::{collections::HashMap, sync::Arc};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::{Timestamp, ToSpan as _};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use uuid::Uuid;

use crate::{
    domain::{
        actor::Actor,
        clock::Clock,
        ids::{ApiKeyId, ResourceId, SiteId, TypedId as _, VisitorId},
        permission::{Scope, Scopes},
    },
    service::{Caller, bookings::NewVisitor},
};

pub use keys::{KeySource, PublicKeys};

/// How long a visitor's token is good: the bookings that it opens are rarely further away.
const VISITOR_DAYS: i64 = 400;
/// The longest token that is looked at.
const MAX_TOKEN: usize = 8 * 1024;
/// How far an identity provider's clock may be ahead.
const LEEWAY_SECONDS: i64 = 60;
/// What API keys begin with.
const KEY_PREFIX: &str = "fdk_";

/// What a token lets its bearer be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Everything on the site.
    Owner,
    /// The calendar of one resource.
    Staff,
    /// A logged-in customer.
    Member,
    /// A program that manages bookings.
    App,
    /// Makes sites and their first API keys.
    Operator,
    /// An anonymous customer; made by the server itself.
    #[value(skip)]
    Visitor,
}

/// What stands in a token that the server signs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Who.
    pub sub: String,
    /// As what.
    pub role: Role,
    /// On which site, by its id. Only the operator has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
    /// Staff: whose calendar.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// Apps: what they may do. If it isn't said, all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Vec<Scope>>,
    /// When it was made, in seconds since 1970.
    pub iat: i64,
    /// When it ends, in seconds since 1970.
    pub exp: i64,
}

/// What is read of an identity provider's token: the claims with meanings of their own are named as it was agreed.
#[derive(Debug, Deserialize)]
struct ForeignClaims {
    sub: String,
    exp: f64,
    nbf: Option<f64>,
    /// The standard's scopes, with spaces between them.
    scope: Option<String>,
    #[serde(flatten)]
    others: HashMap<String, serde_json::Value>,
}

/// Why a token is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Not one of ours, or changed on the way.
    #[error("the token is malformed or its signature is wrong")]
    Invalid,
    /// Its time is over.
    #[error("the token has expired")]
    Expired,
    /// Its time has not begun.
    #[error("the token is not valid yet")]
    Early,
    /// It names somebody or something that can't be.
    #[error("the token's claims make no sense")]
    Claims,
}

/// What an identity provider's tokens must say.
#[derive(Debug, Clone)]
pub struct Provider {
    /// Their `iss`.
    pub issuer: String,
    /// One of their `aud`.
    pub audience: String,
    /// What stands before the names of the claims `role`, `site`, `resource` and `scopes`.
    pub claim_prefix: String,
}

/// Signs and checks tokens.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "it holds the secret")]
pub struct Tokens {
    secret: Arc<[u8]>,
    encoding: Arc<EncodingKey>,
    decoding: Arc<DecodingKey>,
    provider: Option<Arc<(Provider, PublicKeys)>>,
    clock: Arc<dyn Clock>,
}

impl Tokens {
    /// With a secret of at least 32 bytes.
    #[must_use]
    pub fn new(secret: &[u8], clock: Arc<dyn Clock>) -> Self {
        Self {
            secret: secret.into(),
            encoding: Arc::new(EncodingKey::from_secret(secret)),
            decoding: Arc::new(DecodingKey::from_secret(secret)),
            provider: None,
            clock,
        }
    }

    /// Accepts an identity provider's tokens, too.
    #[must_use]
    pub fn with_provider(mut self, provider: Provider, keys: PublicKeys) -> Self {
        self.provider = Some(Arc::new((provider, keys)));
        self
    }

    /// Signs claims that begin now.
    #[must_use]
    pub fn mint(&self, role: Role, site: SiteId, subject: &str, resource: Option<ResourceId>, seconds: i64) -> String {
        self.mint_scoped(role, site, subject, resource, None, seconds)
    }

    /// Signs claims that begin now, of an app with no more than these scopes.
    #[must_use]
    pub fn mint_scoped(
        &self,
        role: Role,
        site: SiteId,
        subject: &str,
        resource: Option<ResourceId>,
        scopes: Option<Vec<Scope>>,
        seconds: i64,
    ) -> String {
        let now = self.clock.now().as_second();
        self.sign(&Claims {
            sub: subject.to_owned(),
            role,
            site: (role != Role::Operator).then(|| site.to_string()),
            resource: resource.map(|id| id.to_string()),
            scopes,
            iat: now,
            exp: now.saturating_add(seconds),
        })
    }

    /// A visitor's token: the same one each time for the same visitor and moment.
    #[must_use]
    pub fn visitor(&self, visitor: &NewVisitor, site: SiteId) -> String {
        let until = visitor
            .since
            .checked_add((VISITOR_DAYS * 24).hours())
            .unwrap_or(Timestamp::MAX);
        self.sign(&Claims {
            sub: visitor.id.to_string(),
            role: Role::Visitor,
            site: Some(site.to_string()),
            resource: None,
            scopes: None,
            iat: visitor.since.as_second(),
            exp: until.as_second(),
        })
    }

    fn sign(&self, claims: &Claims) -> String {
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), claims, &self.encoding)
            .unwrap_or_else(|_| unreachable!("plain claims under a shared secret can be signed"))
    }

    /// The text of an API key: which key of which site, and a secret that follows from the server's own, so that a retried
    /// `createApiKey` answers with the same one without anything being kept.
    #[must_use]
    pub fn api_key(&self, site: SiteId, id: ApiKeyId) -> String {
        let mut bytes = Vec::with_capacity(64);
        bytes.extend_from_slice(site.uuid().as_bytes());
        bytes.extend_from_slice(id.uuid().as_bytes());
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.secret)
            .unwrap_or_else(|_| unreachable!("a secret of any length will do"));
        mac.update(b"frontdesk api key");
        mac.update(&bytes);
        bytes.extend_from_slice(&mac.finalize().into_bytes());
        format!("{KEY_PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes))
    }

    /// Which key a text names, if it has the form of one. Whether it is good, the store knows.
    #[must_use]
    pub fn key_named(text: &str) -> Option<Option<(SiteId, ApiKeyId)>> {
        let rest = text.strip_prefix(KEY_PREFIX)?;
        let read = |rest: &str| {
            let bytes: [u8; 64] = URL_SAFE_NO_PAD.decode(rest).ok()?.try_into().ok()?;
            let site = Uuid::from_slice(bytes.get(..16)?).ok()?;
            let id = Uuid::from_slice(bytes.get(16..32)?).ok()?;
            Some((SiteId::from_uuid(site), ApiKeyId::from_uuid(id)))
        };
        Some(read(rest))
    }

    /// Who the bearer of a token is.
    pub async fn verify(&self, token: &str) -> Result<Caller, TokenError> {
        if token.len() > MAX_TOKEN {
            return Err(TokenError::Invalid);
        }
        let header = jsonwebtoken::decode_header(token).map_err(|_| TokenError::Invalid)?;
        // The algorithm decides whose key is asked; it is never a key of the other kind.
        match header.alg {
            Algorithm::HS256 => self.verify_own(token),
            Algorithm::RS256 | Algorithm::ES256 | Algorithm::EdDSA => self.verify_foreign(token, &header).await,
            _ => Err(TokenError::Invalid),
        }
    }

    fn verify_own(&self, token: &str) -> Result<Caller, TokenError> {
        let claims = jsonwebtoken::decode::<Claims>(token, &self.decoding, &signature_only(Algorithm::HS256))
            .map_err(|_| TokenError::Invalid)?
            .claims;
        if claims.exp <= self.clock.now().as_second() {
            return Err(TokenError::Expired);
        }
        caller(claims)
    }

    async fn verify_foreign(&self, token: &str, header: &Header) -> Result<Caller, TokenError> {
        let (provider, keys) = &**self.provider.as_ref().ok_or(TokenError::Invalid)?;
        let mut validation = signature_only(header.alg);
        validation.set_issuer(&[&provider.issuer]);
        validation.set_audience(&[&provider.audience]);
        validation.set_required_spec_claims(&["iss", "aud"]);
        validation.validate_aud = true;
        let candidates = keys.of(header.kid.as_deref(), header.alg).await;
        let claims = candidates
            .iter()
            .find_map(|key| jsonwebtoken::decode::<ForeignClaims>(token, key, &validation).ok())
            .ok_or(TokenError::Invalid)?
            .claims;
        let now = self.clock.now().as_second();
        #[expect(clippy::cast_possible_truncation, reason = "beyond the range it stays at its end")]
        let seconds = |date: f64| date.floor() as i64;
        let exp = seconds(claims.exp);
        if exp <= now {
            return Err(TokenError::Expired);
        }
        if claims.nbf.is_some_and(|nbf| seconds(nbf) > now + LEEWAY_SECONDS) {
            return Err(TokenError::Early);
        }
        let claims = claims.ours(&provider.claim_prefix, exp).ok_or(TokenError::Claims)?;
        // These two only the server itself makes.
        if matches!(claims.role, Role::Operator | Role::Visitor) {
            return Err(TokenError::Claims);
        }
        caller(claims)
    }
}

impl ForeignClaims {
    fn ours(self, prefix: &str, exp: i64) -> Option<Claims> {
        let claim = |name: &str| self.others.get(&format!("{prefix}{name}")).cloned();
        let text = |name: &str| match claim(name) {
            Some(serde_json::Value::String(text)) => Some(text),
            _ => None,
        };
        let scopes = match claim("scopes") {
            Some(scopes) => Some(serde_json::from_value(scopes).ok()?),
            None => self
                .scope
                .as_ref()
                .map(|names| names.split(' ').filter_map(Scope::parse).collect()),
        };
        Some(Claims {
            role: serde_json::from_value(claim("role")?).ok()?,
            site: text("site"),
            resource: text("resource"),
            scopes,
            iat: 0,
            exp,
            sub: self.sub,
        })
    }
}

/// Checks the signature; times are compared with our own clock.
fn signature_only(algorithm: Algorithm) -> Validation {
    let mut validation = Validation::new(algorithm);
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    validation
}

fn caller(claims: Claims) -> Result<Caller, TokenError> {
    if claims.sub.is_empty() || claims.sub.len() > 255 || claims.sub.contains('\0') {
        return Err(TokenError::Claims);
    }
    let site = match &claims.site {
        Some(site) => SiteId::parse(site).map_err(|_| TokenError::Claims)?,
        None if claims.role == Role::Operator => SiteId::NONE,
        None => return Err(TokenError::Claims),
    };
    let actor = match (claims.role, claims.resource) {
        (Role::Owner, _) => Actor::Owner(claims.sub),
        (Role::App, _) => Actor::App {
            subject: claims.sub,
            scopes: claims
                .scopes
                .map_or_else(Scopes::all, |scopes| scopes.into_iter().collect()),
        },
        (Role::Member, _) => Actor::Member(claims.sub),
        (Role::Operator, _) => Actor::Operator(claims.sub),
        (Role::Visitor, _) => Actor::Visitor(VisitorId::parse(&claims.sub).map_err(|_| TokenError::Claims)?),
        (Role::Staff, Some(resource)) => {
            let resource = ResourceId::parse(&resource).map_err(|_| TokenError::Claims)?;
            Actor::Staff {
                subject: claims.sub,
                resource,
            }
        }
        (Role::Staff, None) => return Err(TokenError::Claims),
    };
    Ok(Caller {
        until: Timestamp::from_second(claims.exp).ok(),
        ..Caller::new(site, actor)
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::domain::clock::FixedClock;

    fn verify(tokens: &Tokens, token: &str) -> Result<Caller, TokenError> {
        futures::executor::block_on(tokens.verify(token))
    }

    fn tokens() -> (Tokens, Arc<FixedClock>) {
        let clock = Arc::new(FixedClock::new(Timestamp::from_second(1_800_000_000).unwrap()));
        (Tokens::new(b"0123456789abcdef0123456789abcdef", clock.clone()), clock)
    }

    #[test]
    fn a_token_says_who_its_bearer_is_until_it_ends() {
        let (tokens, clock) = tokens();
        let site = SiteId::new();
        let token = tokens.mint(Role::Owner, site, "ada", None, 60);
        assert_eq!(verify(&tokens, &token).unwrap().actor, Actor::Owner("ada".into()));
        assert_eq!(verify(&tokens, &token).unwrap().site, site);
        clock.advance(jiff::SignedDuration::from_secs(60));
        assert_eq!(verify(&tokens, &token), Err(TokenError::Expired));
    }

    #[test]
    fn what_another_secret_signed_and_what_nobody_signed_is_refused() {
        let (tokens, clock) = tokens();
        let other = Tokens::new(b"another secret, just as long as ..", clock);
        let token = other.mint(Role::Owner, SiteId::new(), "eve", None, 60);
        assert_eq!(verify(&tokens, &token), Err(TokenError::Invalid));
        // `{"alg":"none"}` with the claims of a good token and no signature.
        let good = tokens.mint(Role::Owner, SiteId::new(), "eve", None, 60);
        let claims = good.split('.').nth(1).unwrap();
        assert_eq!(
            verify(&tokens, &format!("eyJhbGciOiJub25lIn0.{claims}.")),
            Err(TokenError::Invalid)
        );
        for nonsense in ["", "a", "a.b.c", "....", "\0"] {
            assert_eq!(verify(&tokens, nonsense), Err(TokenError::Invalid), "{nonsense:?}");
        }
    }

    #[test]
    fn whatever_comes_as_a_token_is_read_without_a_panic() {
        let (tokens, _) = tokens();
        let mut seeds = vec![tokens.mint(Role::Owner, SiteId::new(), "ada", None, 60)];
        seeds.push(tokens.mint(Role::Staff, SiteId::new(), "sam", Some(ResourceId::new()), 60));
        seeds.push(tokens.api_key(SiteId::new(), ApiKeyId::new()));
        let part = |json: &str| URL_SAFE_NO_PAD.encode(json);
        for head in [
            r#"{"alg":"none"}"#,
            r#"{"alg":"RS256","kid":"a"}"#,
            r#"{"alg":"HS256","crit":["b64"],"b64":false}"#,
        ] {
            seeds.push(format!(
                "{}.{}.{}",
                part(head),
                part(r#"{"sub":"a","role":"owner","exp":1e300}"#),
                part("x")
            ));
        }
        let good: Vec<_> = seeds.iter().take(2).cloned().collect();
        let seeds: Vec<&str> = seeds.iter().map(String::as_str).collect();
        crate::domain::fuzzing::fuzz_text("tokens", &seeds, |text| {
            let _ = Tokens::key_named(text);
            if verify(&tokens, text).is_ok() {
                assert!(good.iter().any(|token| token == text), "{text} was signed by nobody");
            }
        });
        // Claims of all shapes under a good signature.
        let claims = [
            r#"{"sub":"ada","role":"owner","site":"site_01h455vb4pex5vsknk084sn02q","iat":0,"exp":2000000000}"#,
            r#"{"sub":"a","role":"app","site":"site_01h455vb4pex5vsknk084sn02q","scopes":["READ_BOOKINGS"],"iat":0,"exp":9e15}"#,
        ];
        crate::domain::fuzzing::fuzz_text("claims", &claims, |text| {
            if let Ok(claims) = serde_json::from_str::<serde_json::Value>(text)
                && let Ok(token) = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &tokens.encoding)
            {
                let _ = verify(&tokens, &token);
            }
        });
    }

    #[test]
    fn staff_without_a_resource_is_refused() {
        let (tokens, _) = tokens();
        let token = tokens.mint(Role::Staff, SiteId::new(), "sam", None, 60);
        assert_eq!(verify(&tokens, &token), Err(TokenError::Claims));
    }

    #[test]
    fn a_visitors_token_is_the_same_each_time() {
        let (tokens, clock) = tokens();
        let visitor = NewVisitor {
            id: VisitorId::new(),
            since: clock.now(),
        };
        let site = SiteId::new();
        let first = tokens.visitor(&visitor, site);
        clock.advance(jiff::SignedDuration::from_secs(5));
        assert_eq!(tokens.visitor(&visitor, site), first);
        assert_eq!(verify(&tokens, &first).unwrap().actor, Actor::Visitor(visitor.id));
    }
}
