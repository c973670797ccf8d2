//! Whether a request may go on: how many come from one address and from one caller in a second, how many of one caller
//! run at once, and how many the server has in hand altogether.
//!
//! It is asked in the order in which answering costs more: the address before anything is read, the room before
//! anything is parsed, the caller when it is known. Whoever is refused is told when to come again, and nothing of what
//! it asked for ran.

mod buckets;
mod pending;
mod places;
mod tally;

use std::{
    hash::{BuildHasher as _, RandomState},
    net::IpAddr,
    num::NonZeroU32,
    time::Duration,
};

use self::{buckets::Buckets, pending::Shelf, places::Places};
use super::{api::Refusal, client::one_client, settings::Settings};

pub(super) use self::{
    pending::{Answer, Pending},
    places::Place,
    tally::{Counted, Tally},
};

/// A wrong token costs its address what it could have asked for in this time.
const WRONG_TOKEN: Duration = Duration::from_millis(100);

/// For each place, so many may wait for one.
const SEATS: usize = 8;

/// The longest time for which one waits for a place.
const PATIENCE: Duration = Duration::from_secs(2);

/// After this time the server has done what it had in hand.
pub(super) const RELIEF: Duration = Duration::from_secs(1);

/// What all requests pass.
pub(super) struct Admission {
    /// Makes short keys, which nobody outside can make collide.
    keys: RandomState,
    by_address: Option<Buckets>,
    by_caller: Option<Buckets>,
    running: Tally<u64>,
    most_running: usize,
    places: Places,
    shelf: Shelf,
}

/// An operation that runs and counts for its caller.
pub(super) struct Operation {
    _counted: Counted<u64>,
    /// The key of the client that it came from.
    client: u64,
}

impl Admission {
    pub(super) fn new(settings: &Settings) -> Self {
        let buckets = |rate| NonZeroU32::new(rate).map(Buckets::new);
        let places = settings.operations_at_once;
        Self {
            keys: RandomState::new(),
            by_address: buckets(settings.rate_per_address),
            by_caller: buckets(settings.rate_per_caller),
            running: Tally::default(),
            most_running: settings.operations_per_caller,
            places: Places::new(places, places.saturating_mul(SEATS), PATIENCE),
            shelf: Shelf::new(settings.pending_per_address),
        }
    }

    /// A request has come, of which nothing more is known yet.
    pub(super) fn knock(&self, client: Option<IpAddr>) -> Result<(), Refusal> {
        match &self.by_address {
            Some(buckets) if client.is_some() => buckets.take(self.address(client)).map_err(Refusal::rate_limited),
            _ => Ok(()),
        }
    }

    /// Its token turned out to be wrong.
    pub(super) fn wrong_token(&self, client: Option<IpAddr>) {
        if let Some(buckets) = &self.by_address {
            buckets.charge(self.address(client), WRONG_TOKEN);
        }
    }

    /// Whether it's worth reading what a request wants.
    pub(super) fn has_room(&self, client: Option<IpAddr>) -> Result<(), Refusal> {
        if self.places.has_room(self.address(client)) {
            return Ok(());
        }
        Err(Refusal::overloaded(RELIEF))
    }

    /// A place to work in, if one is free.
    pub(super) fn enter_now(&self) -> Option<Place> {
        self.places.enter_now()
    }

    /// Waits for a place to work in.
    pub(super) async fn enter(&self, client: Option<IpAddr>) -> Result<Place, Refusal> {
        self.enter_as(self.address(client)).await
    }

    /// The same for an operation that has begun.
    pub(super) async fn enter_for(&self, operation: &Operation) -> Result<Place, Refusal> {
        self.enter_as(operation.client).await
    }

    async fn enter_as(&self, client: u64) -> Result<Place, Refusal> {
        let place = self
            .places
            .enter(client)
            .await
            .ok_or_else(|| Refusal::overloaded(RELIEF))?;
        // By now, more may lie there than when it began to wait.
        if self.shelf.has_room(client) {
            Ok(place)
        } else {
            Err(Refusal::too_much_pending(RELIEF))
        }
    }

    /// A request begins to come.
    pub(super) fn receives(&self, client: Option<IpAddr>) -> Pending {
        self.shelf.put(self.address(client), 0)
    }

    /// An operation has its answer, which lies there until the client takes it.
    pub(super) fn lies(&self, operation: &Operation, bytes: usize) -> Pending {
        self.shelf.put(operation.client, bytes)
    }

    /// An operation of a caller is to begin. Whoever has no name counts by its address.
    pub(super) fn begin(&self, caller: Option<String>, client: Option<IpAddr>) -> Result<Operation, Refusal> {
        let client = self.address(client);
        if !self.shelf.has_room(client) {
            return Err(Refusal::too_much_pending(RELIEF));
        }
        let key = caller.map_or(client, |name| self.keys.hash_one(name));
        if let Some(buckets) = &self.by_caller {
            buckets.take(key).map_err(Refusal::rate_limited)?;
        }
        let counted = self.running.open(key, self.most_running).ok_or_else(|| {
            let message = format!("at most {} operations of one caller can run at once", self.most_running);
            Refusal::too_many_operations(message, RELIEF)
        })?;
        Ok(Operation {
            _counted: counted,
            client,
        })
    }

    fn address(&self, client: Option<IpAddr>) -> u64 {
        self.keys.hash_one(client.map(one_client))
    }
}
