//! What the store counts about itself.
//!
//! It owns the numbers and how they are called; who shows them to whom is not its business. No label holds anything but
//! names out of the code.

use std::{any::type_name, time::Instant};

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::{Registry, Unit},
};

use super::{Failure, StoreError};

/// From what a read takes in memory to what the limit of a statement allows.
const SECONDS: [f64; 13] = [
    0.000_25, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0,
];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Ended {
    command: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Named {
    command: &'static str,
}

/// The store's numbers. Clones count together.
#[derive(Clone, Debug)]
pub struct Metrics {
    commands: Family<Ended, Counter>,
    command_seconds: Family<Named, Histogram, fn() -> Histogram>,
    pub(super) retries: Counter,
    pub(super) queue: Gauge,
    pub(super) groups: Histogram,
    reads: Histogram,
    read_failures: Counter,
    pub(super) connections: Gauge,
    pub(super) busy: Gauge,
    pub(super) waiting: Gauge,
    pub(super) size: Gauge,
}

fn seconds() -> Histogram {
    Histogram::new(SECONDS)
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            commands: Family::default(),
            command_seconds: Family::new_with_constructor(seconds),
            retries: Counter::default(),
            queue: Gauge::default(),
            // 1, 2, 4, ... 256: what one commit covers at the most.
            groups: Histogram::new(exponential_buckets(1.0, 2.0, 9)),
            reads: seconds(),
            read_failures: Counter::default(),
            connections: Gauge::default(),
            busy: Gauge::default(),
            waiting: Gauge::default(),
            size: Gauge::default(),
        }
    }
}

impl Metrics {
    /// Makes them part of what is shown.
    pub fn register(&self, registry: &mut Registry) {
        let it = self.clone();
        registry.register("store_commands", "Changes, by what became of them", it.commands);
        registry.register_with_unit(
            "store_command",
            "How long a change took, waiting, retries and commit included",
            Unit::Seconds,
            it.command_seconds,
        );
        registry.register("store_command_retries", "Times that a change was run again", it.retries);
        registry.register(
            "store_writer_queue",
            "Changes that wait for the embedded engine's writer",
            it.queue,
        );
        registry.register(
            "store_group_commands",
            "Changes that one commit of the embedded engine covered",
            it.groups,
        );
        registry.register_with_unit(
            "store_read",
            "How long a read took, waiting for a connection included",
            Unit::Seconds,
            it.reads,
        );
        registry.register("store_read_failures", "Reads that failed", it.read_failures);
        registry.register(
            "database_connections",
            "Connections to the database that are open",
            it.connections,
        );
        registry.register("database_connections_busy", "Connections that are in use", it.busy);
        registry.register(
            "database_connections_waiting",
            "Calls that wait for a connection",
            it.waiting,
        );
        registry.register_with_unit(
            "database_size",
            "Size of the embedded database, write-ahead log included",
            Unit::Bytes,
            it.size,
        );
    }

    pub(super) fn command_ended<T>(&self, command: &'static str, began: Instant, fate: &Result<T, Failure>) {
        let outcome = outcome(fate);
        self.commands.get_or_create(&Ended { command, outcome }).inc();
        let seconds = self.command_seconds.get_or_create(&Named { command });
        seconds.observe(began.elapsed().as_secs_f64());
    }

    pub(super) fn read_ended<T>(&self, began: Instant, read: &Result<T, StoreError>) {
        self.reads.observe(began.elapsed().as_secs_f64());
        if read.is_err() {
            self.read_failures.inc();
        }
    }
}

/// What became of a command, in a word.
pub(super) fn outcome<T>(fate: &Result<T, Failure>) -> &'static str {
    match fate {
        Ok(_) => "done",
        Err(Failure::Rejected(_)) => "refused",
        Err(Failure::Store(_) | Failure::Again) => "failed",
    }
}

/// What a type of command is called: the path of its type, without what wraps it.
pub(super) fn name<C>() -> &'static str {
    let path = type_name::<C>();
    let inner = path.rsplit('<').next().unwrap_or(path).trim_end_matches('>');
    let inner = inner.strip_prefix("frontdesk::").unwrap_or(inner);
    inner.strip_prefix("service::").unwrap_or(inner)
}

/// Counts one in a gauge until it is dropped.
#[derive(Debug)]
pub(super) struct Held(Gauge);

impl Held {
    pub(super) fn new(gauge: &Gauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.dec();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Once<C>(std::marker::PhantomData<C>);

    #[test]
    fn a_command_is_called_by_its_innermost_type() {
        assert_eq!(name::<Metrics>(), "store::metrics::Metrics");
        assert_eq!(name::<Once<Metrics>>(), "store::metrics::Metrics");
    }
}
