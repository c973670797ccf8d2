//! Business acts: one function or command each. Permission, load, ask the domain, write, append the event.
//!
//! It knows the store and the domain; it does not know GraphQL, HTTP or who listens to the log.

pub mod access;
pub mod api_keys;
pub mod availability;
pub mod bookings;
pub mod calendar;
pub mod catalog;
mod once;
pub mod sites;

use std::{net::IpAddr, sync::Arc};

use jiff::Timestamp;

use crate::{
    domain::{
        Rejection,
        actor::Actor,
        clock::Clock,
        ids::{ApiKeyId, SiteId},
    },
    store::{Db, Failure, StoreError},
};

pub use once::{IdempotencyKey, Outcome};

/// Who calls, on which site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The site.
    pub site: SiteId,
    /// Who.
    pub actor: Actor,
    /// A visitor without a token: the id was made for this call, and the first booking answers with a token for it.
    pub fresh: bool,
    /// Where the call came from, as far as that is known.
    pub address: Option<IpAddr>,
    /// When what it showed to say who it is ends; never, if there is nothing that ends.
    pub until: Option<Timestamp>,
    /// The API key that it showed.
    pub api_key: Option<ApiKeyId>,
}

impl Caller {
    /// Somebody who is known, wherever it calls from.
    #[must_use]
    pub fn new(site: SiteId, actor: Actor) -> Self {
        Self {
            site,
            actor,
            fresh: false,
            address: None,
            until: None,
            api_key: None,
        }
    }

    /// The server itself.
    #[must_use]
    pub fn system(site: SiteId) -> Self {
        Self::new(site, Actor::System)
    }

    /// Whose idempotency keys these are. All visitors without a token share one name: a retry of the first booking
    /// comes without one, too, and a key that somebody else should guess is worth nothing without the same input.
    #[must_use]
    pub fn idempotency_name(&self) -> String {
        if self.fresh {
            return "visitor".to_owned();
        }
        let identity = self.actor.identity();
        format!("{:?}:{}", identity.kind, identity.id)
    }
}

/// Why an act did not happen.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A rule refused it; nothing was written.
    #[error("{0}")]
    Rejected(Rejection),
    /// It is not for this kind of caller.
    #[error("{0}")]
    Forbidden(&'static str),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Rejected(rejection) => Self::Rejected(rejection),
            Failure::Store(error) => Self::Store(error),
            Failure::Again => Self::Store(StoreError::Unavailable("the rows stayed busy".to_owned())),
        }
    }
}

impl From<Rejection> for Error {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected(rejection)
    }
}

/// Limits that the operator sets.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Bookings in one bulk call.
    pub bulk_create: usize,
    /// Running holds of one customer.
    pub holds_per_customer: i64,
    /// Running holds made from one address on this server.
    pub holds_per_address: usize,
    /// How long idempotency keys are kept, in hours.
    pub idempotency_hours: i64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bulk_create: 40,
            holds_per_customer: 5,
            holds_per_address: 50,
            idempotency_hours: 7 * 24,
        }
    }
}

/// All business acts. Cheap to clone.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "a database handle has nothing to show")]
pub struct Service {
    db: Db,
    limits: Arc<Limits>,
    holds: Arc<bookings::HoldsByAddress>,
    hold_made: Arc<tokio::sync::Notify>,
    memory: Arc<availability::Memory>,
}

impl Service {
    /// The acts on a database.
    #[must_use]
    pub fn new(db: Db, limits: Limits) -> Self {
        Self {
            db,
            limits: Arc::new(limits),
            holds: Arc::default(),
            hold_made: Arc::default(),
            memory: Arc::default(),
        }
    }

    /// The database.
    #[must_use]
    pub fn db(&self) -> &Db {
        &self.db
    }

    /// The limits in force.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The clock.
    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        self.db.clock()
    }

    /// Notified when a hold was made, for whoever watches over their ends.
    #[must_use]
    pub fn hold_made(&self) -> Arc<tokio::sync::Notify> {
        self.hold_made.clone()
    }
}
