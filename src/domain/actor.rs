//! Who acts.

use serde::{Deserialize, Serialize};

use super::ids::{ResourceId, VisitorId};

/// Someone who acts on one site.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", content = "id", rename_all = "SCREAMING_SNAKE_CASE")]
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
    /// An app with the right to manage bookings.
    App(String),
    /// A logged-in customer.
    Member(String),
    /// An anonymous customer, known by the token that the first booking answered with.
    Visitor(VisitorId),
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
    /// See [`Actor::System`].
    System,
}

impl Actor {
    /// Whether it stands on the customers' side.
    #[must_use]
    pub fn is_customer(&self) -> bool {
        matches!(self, Self::Member(_) | Self::Visitor(_))
    }

    /// Whether it may manage all of the site.
    #[must_use]
    pub fn manages_site(&self) -> bool {
        matches!(self, Self::Owner(_) | Self::App(_) | Self::System)
    }

    /// Its sort and name, as rows and events keep them.
    #[must_use]
    pub fn identity(&self) -> Identity {
        let (kind, id) = match self {
            Self::Owner(subject) => (ActorKind::Owner, subject.clone()),
            Self::Staff { subject, .. } => (ActorKind::Staff, subject.clone()),
            Self::App(subject) => (ActorKind::App, subject.clone()),
            Self::Member(subject) => (ActorKind::Member, subject.clone()),
            Self::Visitor(id) => (ActorKind::Visitor, id.to_string()),
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
