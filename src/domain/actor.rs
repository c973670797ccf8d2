//! Who acts.

use serde::{Deserialize, Serialize};

use super::ids::{ResourceId, VisitorId};
use super::permission::Scopes;

/// Someone who acts on one site.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Actor {
    /// The site's owner, or somebody with all of the owner's rights. The id is the token's subject.
    Owner(String),
    /// A staff member: manages the calendar of one resource.
    Staff {
        /// The token's subject.
        subject: String,
        /// The calendar.
        resource: ResourceId,
    },
    /// A program: the bearer of an API key, or of a token for one.
    App {
        /// The key's id, or the token's subject.
        subject: String,
        /// What it was granted.
        scopes: Scopes,
    },
    /// A logged-in customer.
    Member(String),
    /// An anonymous customer, known by the token that the first booking answered with.
    Visitor(VisitorId),
    /// Who runs the server: makes sites and their first keys, and sees no bookings.
    Operator(String),
    /// The server itself: timers and sweeps.
    System,
}

/// The sort of actor, as clients and the log see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ActorKind {
    /// See [`Actor::Owner`].
    Owner,
    /// See [`Actor::Staff`].
    Staff,
    /// See [`Actor::App`].
    App,
    /// See [`Actor::Member`].
    Member,
    /// See [`Actor::Visitor`].
    Visitor,
    /// See [`Actor::Operator`].
    Operator,
    /// See [`Actor::System`].
    System,
}

impl ActorKind {
    /// Whether it stands on the customers' side.
    #[must_use]
    pub fn is_customer(self) -> bool {
        matches!(self, Self::Member | Self::Visitor)
    }
}

impl Actor {
    /// Whether it stands on the customers' side.
    #[must_use]
    pub fn is_customer(&self) -> bool {
        matches!(self, Self::Member(_) | Self::Visitor(_))
    }

    /// Its sort and name, as rows and events keep them.
    #[must_use]
    pub fn identity(&self) -> Identity {
        let (kind, id) = match self {
            Self::Owner(subject) => (ActorKind::Owner, subject.clone()),
            Self::Staff { subject, .. } => (ActorKind::Staff, subject.clone()),
            Self::App { subject, .. } => (ActorKind::App, subject.clone()),
            Self::Member(subject) => (ActorKind::Member, subject.clone()),
            Self::Visitor(id) => (ActorKind::Visitor, id.to_string()),
            Self::Operator(subject) => (ActorKind::Operator, subject.clone()),
            Self::System => (ActorKind::System, "system".to_owned()),
        };
        Identity { kind, id }
    }
}

/// An actor's sort and name. For a member the name is the token's subject, for a visitor the id in its token.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Identity {
    /// The sort.
    pub kind: ActorKind,
    /// The name.
    pub id: String,
}
