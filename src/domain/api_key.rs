//! Keys of apps.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{actor::Identity, ids::ApiKeyId, permission::Scope};

/// A key by which an app calls. Its secret is known to the app alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKey {
    /// Its id.
    pub id: ApiKeyId,
    /// What it is for.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// SHA-256 of the secret's text.
    pub secret_hash: Vec<u8>,
    /// Who made it.
    pub created_by: Identity,
    /// When it ends.
    pub expires: Option<Timestamp>,
    /// When it was revoked.
    pub revoked: Option<Timestamp>,
    /// Grows by one with every change.
    pub revision: i64,
    /// When it was made.
    pub created: Timestamp,
    /// When it changed last.
    pub updated: Timestamp,
}

/// Why a key is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// There is none, or its secret is another.
    #[error("the API key is malformed or unknown")]
    Unknown,
    /// Its time is over.
    #[error("the API key has expired")]
    Expired,
    /// Somebody took it back.
    #[error("the API key was revoked")]
    Revoked,
}

impl ApiKey {
    /// Whether it is good now.
    pub fn check(&self, now: Timestamp) -> Result<(), KeyError> {
        if self.revoked.is_some() {
            return Err(KeyError::Revoked);
        }
        if self.expires.is_some_and(|expires| expires <= now) {
            return Err(KeyError::Expired);
        }
        Ok(())
    }
}
