//! Bearer tokens: JSON Web Tokens, HS256, signed with the server's secret.

use std::sync::Arc;

use jiff::{Timestamp, ToSpan as _};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};

use crate::{
    domain::{
        actor::Actor,
        clock::Clock,
        ids::{ResourceId, SiteId, TypedId as _, VisitorId},
    },
    service::{Caller, bookings::NewVisitor},
};

/// How long a visitor's token is good: the bookings that it opens are rarely further away.
const VISITOR_DAYS: i64 = 400;

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
    /// An anonymous customer; made by the server itself.
    #[value(skip)]
    Visitor,
}

/// What stands in a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Who.
    pub sub: String,
    /// As what.
    pub role: Role,
    /// On which site, by its id.
    pub site: String,
    /// Staff: whose calendar.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// When it was made, in seconds since 1970.
    pub iat: i64,
    /// When it ends, in seconds since 1970.
    pub exp: i64,
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
    /// It names somebody or something that can't be.
    #[error("the token's claims make no sense")]
    Claims,
}

/// Signs and checks tokens.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "it holds the secret")]
pub struct Tokens {
    encoding: Arc<EncodingKey>,
    decoding: Arc<DecodingKey>,
    clock: Arc<dyn Clock>,
}

impl Tokens {
    /// With a secret of at least 32 bytes.
    #[must_use]
    pub fn new(secret: &[u8], clock: Arc<dyn Clock>) -> Self {
        Self {
            encoding: Arc::new(EncodingKey::from_secret(secret)),
            decoding: Arc::new(DecodingKey::from_secret(secret)),
            clock,
        }
    }

    /// Makes a token.
    #[must_use]
    pub fn mint(&self, role: Role, site: SiteId, subject: &str, resource: Option<ResourceId>, seconds: i64) -> String {
        let now = self.clock.now().as_second();
        self.sign(&Claims {
            sub: subject.to_owned(),
            role,
            site: site.to_string(),
            resource: resource.map(|id| id.to_string()),
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
            site: site.to_string(),
            resource: None,
            iat: visitor.since.as_second(),
            exp: until.as_second(),
        })
    }

    fn sign(&self, claims: &Claims) -> String {
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), claims, &self.encoding)
            .unwrap_or_else(|_| unreachable!("plain claims under a shared secret can be signed"))
    }

    /// Who the bearer of a token is.
    pub fn verify(&self, token: &str) -> Result<Caller, TokenError> {
        let mut validation = Validation::new(Algorithm::HS256);
        // The end is compared with our own clock, below.
        validation.validate_exp = false;
        validation.required_spec_claims.clear();
        let claims = jsonwebtoken::decode::<Claims>(token, &self.decoding, &validation)
            .map_err(|_| TokenError::Invalid)?
            .claims;
        if claims.exp <= self.clock.now().as_second() {
            return Err(TokenError::Expired);
        }
        let site = SiteId::parse(&claims.site).map_err(|_| TokenError::Claims)?;
        if claims.sub.is_empty() || claims.sub.len() > 255 || claims.sub.contains('\0') {
            return Err(TokenError::Claims);
        }
        let actor = match (claims.role, claims.resource) {
            (Role::Owner, _) => Actor::Owner(claims.sub),
            (Role::App, _) => Actor::App(claims.sub),
            (Role::Member, _) => Actor::Member(claims.sub),
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
            site,
            actor,
            fresh: false,
            address: None,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::domain::clock::FixedClock;

    fn tokens() -> (Tokens, Arc<FixedClock>) {
        let clock = Arc::new(FixedClock::new(Timestamp::from_second(1_800_000_000).unwrap()));
        (Tokens::new(b"0123456789abcdef0123456789abcdef", clock.clone()), clock)
    }

    #[test]
    fn a_token_says_who_its_bearer_is_until_it_ends() {
        let (tokens, clock) = tokens();
        let site = SiteId::new();
        let token = tokens.mint(Role::Owner, site, "ada", None, 60);
        assert_eq!(tokens.verify(&token).unwrap().actor, Actor::Owner("ada".into()));
        assert_eq!(tokens.verify(&token).unwrap().site, site);
        clock.advance(jiff::SignedDuration::from_secs(60));
        assert_eq!(tokens.verify(&token), Err(TokenError::Expired));
    }

    #[test]
    fn what_another_secret_signed_and_what_nobody_signed_is_refused() {
        let (tokens, clock) = tokens();
        let other = Tokens::new(b"another secret, just as long as ..", clock);
        let token = other.mint(Role::Owner, SiteId::new(), "eve", None, 60);
        assert_eq!(tokens.verify(&token), Err(TokenError::Invalid));
        // `{"alg":"none"}` with the claims of a good token and no signature.
        let good = tokens.mint(Role::Owner, SiteId::new(), "eve", None, 60);
        let claims = good.split('.').nth(1).unwrap();
        assert_eq!(
            tokens.verify(&format!("eyJhbGciOiJub25lIn0.{claims}.")),
            Err(TokenError::Invalid)
        );
        for nonsense in ["", "a", "a.b.c", "....", "\0"] {
            assert_eq!(tokens.verify(nonsense), Err(TokenError::Invalid), "{nonsense:?}");
        }
    }

    #[test]
    fn staff_without_a_resource_is_refused() {
        let (tokens, _) = tokens();
        let token = tokens.mint(Role::Staff, SiteId::new(), "sam", None, 60);
        assert_eq!(tokens.verify(&token), Err(TokenError::Claims));
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
        assert_eq!(tokens.verify(&first).unwrap().actor, Actor::Visitor(visitor.id));
    }
}
