//! What can go wrong below the rules, and which of it may be tried again.

use diesel::result::{DatabaseErrorKind, Error};

use crate::domain::Rejection;

/// Why a command did not happen.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// A rule refused it; nothing was written.
    #[error("{0}")]
    Rejected(Rejection),
    /// The database failed.
    #[error(transparent)]
    Store(StoreError),
    /// Another command got ahead; it is to be run again from the start.
    #[error("another command got ahead")]
    Again,
}

/// What the database says.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A statement failed.
    #[error("the database failed: {0}")]
    Database(#[source] Error),
    /// There is no room for more; nothing was written.
    #[error("the database is full")]
    Full,
    /// The database can't be reached.
    #[error("the database is not reachable: {0}")]
    Unavailable(String),
    /// Too many wait for the database already, or it took too long until it was this one's turn; nothing was done.
    #[error("too many wait for the database")]
    Busy,
    /// The connection was lost while committing, and there was no way to find out.
    #[error("the connection was lost while committing; whether it was done is unknown")]
    OutcomeUnknown,
    /// A command panicked; nothing of it was written.
    #[error("a command panicked")]
    Panicked,
    /// The server is stopping.
    #[error("the server is stopping")]
    Stopped,
    /// A row holds what no version of this program writes.
    #[error("unreadable row: {0}")]
    Corrupt(String),
    /// The schema is not the one that this program knows.
    #[error("{0}")]
    Schema(String),
    /// This engine can't do it.
    #[error("{0}")]
    Unsupported(String),
}

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        if let Error::DatabaseError(kind, info) = &error {
            // SQLite's primary codes have no kinds of their own in Diesel; the texts are its fixed `sqlite3_errstr`.
            if info.message().contains("database or disk is full") {
                return Self::Full;
            }
            if matches!(
                kind,
                DatabaseErrorKind::UnableToSendCommand | DatabaseErrorKind::ClosedConnection
            ) || lost(info.message())
            {
                return Self::Unavailable(info.message().to_owned());
            }
        }
        Self::Database(error)
    }
}

/// Whether the server took the connection away (SQLSTATE 57P01 to 57P05, which Diesel has no kinds for).
fn lost(message: &str) -> bool {
    message.starts_with("terminating connection") || message.starts_with("the database system is ")
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Store(error.into())
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Rejection> for Failure {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected(rejection)
    }
}

impl Failure {
    /// Whether the same command may succeed when it is run again from the start.
    pub(super) fn is_transient(&self) -> bool {
        match self {
            Self::Again | Self::Store(StoreError::Unavailable(_)) => true,
            Self::Store(StoreError::Database(Error::DatabaseError(kind, info))) => match kind {
                DatabaseErrorKind::SerializationFailure | DatabaseErrorKind::ExclusionViolation => true,
                _ => info.message().contains("deadlock detected") || info.message().contains("lock timeout"),
            },
            _ => false,
        }
    }

    /// Whether the engine undid only the statement, so that the rest of a batch still stands.
    pub(super) fn spares_the_batch(&self) -> bool {
        match self {
            Self::Rejected(_) | Self::Again => true,
            Self::Store(StoreError::Database(Error::DatabaseError(kind, _))) => matches!(
                kind,
                DatabaseErrorKind::UniqueViolation
                    | DatabaseErrorKind::ForeignKeyViolation
                    | DatabaseErrorKind::NotNullViolation
                    | DatabaseErrorKind::CheckViolation
            ),
            Self::Store(_) => false,
        }
    }
}

/// Whether a statement failed because of a unique constraint.
pub(super) fn is_unique_violation(error: &Error) -> bool {
    matches!(error, Error::DatabaseError(DatabaseErrorKind::UniqueViolation, _))
}
