//! What becomes of resources.

use async_graphql::SimpleObject;

use crate::{
    graphql::{
        error::{Outcome, UserError},
        query::Query,
        types::resource::Resource,
    },
    service::catalog::DeletedResource,
};

/// What of the future a deleted resource served.
#[derive(SimpleObject, Clone, Copy, Debug)]
pub struct ReassignmentImpact {
    /// Bookings: those that have it, those of the sessions, and those that were only begun with it.
    bookings: i32,
    /// Sessions of classes and courses.
    sessions: i32,
}

/// What became of `deleteResource`.
#[derive(SimpleObject)]
pub struct DeleteResourcePayload {
    /// What passed to `reassignTo`. With `dryRun`, what would; and without `reassignTo`, what is in the way.
    impact: Option<ReassignmentImpact>,
    /// For refetching what is shown, in the same round trip.
    query: Query,
    /// The resource as it was left, if it was deleted.
    resource: Option<Resource>,
    /// Why it was refused. Empty if it was done.
    user_errors: Vec<UserError>,
}

impl From<Outcome<DeletedResource>> for DeleteResourcePayload {
    fn from(outcome: Outcome<DeletedResource>) -> Self {
        let small = |count: i64| i32::try_from(count).unwrap_or(i32::MAX);
        let (deleted, user_errors) = match outcome {
            Ok(deleted) => (Some(deleted), Vec::new()),
            Err(user_errors) => (None, user_errors),
        };
        Self {
            impact: deleted.as_ref().map(|deleted| ReassignmentImpact {
                bookings: small(deleted.impact.bookings),
                sessions: small(deleted.impact.sessions),
            }),
            query: Query::default(),
            resource: deleted.and_then(|deleted| deleted.resource).map(Resource::from),
            user_errors,
        }
    }
}
