//! Exact retries: the first committed outcome under a key is what every replay answers.

use jiff::ToSpan as _;
use serde::{Serialize, de::DeserializeOwned};

use super::{Caller, Error, Service};
use crate::{
    domain::{Rejection, ids::SiteId},
    store::{Command, Failure, StoreError, Tx, idempotency},
};

/// A client's idempotency key with the input that it came with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// The key, 1 to 255 characters.
    pub key: String,
    /// SHA-256 of the input as it was understood, without the key.
    pub input_hash: Vec<u8>,
}

/// What an act answers, in a form that can be kept.
pub trait Outcome: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// Whether anything was written. What wrote nothing leaves its key free.
    fn changed(&self) -> bool {
        true
    }
}

/// A command under an idempotency key.
struct Once<C> {
    command: C,
    key: Option<(idempotency::Key, Vec<u8>)>,
    hours: i64,
}

impl<C> Once<C>
where
    C: Command,
    C::Output: Outcome,
{
    async fn replay(tx: &mut Tx<'_>, key: &idempotency::Key, hash: &[u8]) -> Result<Option<C::Output>, Failure> {
        let now = tx.now();
        let Some(record) = idempotency::find(tx.conn(), key, now).await? else {
            return Ok(None);
        };
        if record.input_hash != hash {
            return Err(Rejection::IdempotencyKeyReused.into());
        }
        let outcome =
            serde_json::from_str(&record.outcome).map_err(|error| StoreError::Corrupt(format!("outcome: {error}")))?;
        Ok(Some(outcome))
    }
}

impl<C> Command for Once<C>
where
    C: Command,
    C::Output: Outcome,
{
    type Output = C::Output;

    fn site(&self) -> SiteId {
        self.command.site()
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<C::Output, Failure> {
        let Some((key, hash)) = &self.key else {
            return self.command.run(tx).await;
        };
        if let Some(outcome) = Self::replay(tx, key, hash).await? {
            return Ok(outcome);
        }
        let outcome = match self.command.run(tx).await {
            // It may be our own twin that took the place: by now its record is there.
            Err(Failure::Rejected(rejection)) => match Self::replay(tx, key, hash).await? {
                Some(outcome) => return Ok(outcome),
                None => return Err(rejection.into()),
            },
            outcome => outcome?,
        };
        if !outcome.changed() {
            // Here, too, our twin may have taken all the places.
            return Ok(Self::replay(tx, key, hash).await?.unwrap_or(outcome));
        }
        let text = serde_json::to_string(&outcome).map_err(|error| StoreError::Corrupt(format!("outcome: {error}")))?;
        let record = idempotency::Record {
            input_hash: hash.clone(),
            outcome: text,
        };
        let now = tx.now();
        let expires = now.checked_add(self.hours.hours()).unwrap_or(now);
        idempotency::keep(tx.conn(), key, &record, now, expires).await?;
        Ok(outcome)
    }
}

impl Service {
    /// Runs a command, once for each idempotency key.
    pub(super) async fn once<C>(
        &self,
        caller: &Caller,
        mutation: &'static str,
        key: Option<IdempotencyKey>,
        command: C,
    ) -> Result<C::Output, Error>
    where
        C: Command,
        C::Output: Outcome,
    {
        let key = key.map(|key| {
            let name = idempotency::Key {
                site: caller.site,
                caller: caller.idempotency_name(),
                mutation,
                key: key.key,
            };
            (name, key.input_hash)
        });
        let once = Once {
            command,
            key,
            hours: self.limits.idempotency_hours,
        };
        Ok(self.db.write(once).await?)
    }
}
