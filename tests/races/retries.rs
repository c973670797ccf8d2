//! Counts what the store says about running commands again.

use std::sync::{
    Once,
    atomic::{AtomicU64, Ordering::SeqCst},
};

use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{Layer, layer::Context, prelude::*};

/// How often a command was run again, in this process.
pub static AGAIN: AtomicU64 = AtomicU64::new(0);
/// The most tries that one command needed.
pub static MOST: AtomicU64 = AtomicU64::new(0);
/// How often the reason was a deadlock.
pub static DEADLOCKS: AtomicU64 = AtomicU64::new(0);
/// How often it was an exclusion constraint: the second line of defence.
pub static EXCLUSIONS: AtomicU64 = AtomicU64::new(0);

struct Counter;

#[derive(Default)]
struct Said {
    again: bool,
    tries: u64,
    failure: String,
}

impl Visit for Said {
    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "tries" {
            self.tries = value;
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        let text = format!("{value:?}");
        match field.name() {
            "message" => self.again = text == "running a command again",
            "failure" => self.failure = text,
            _ => {}
        }
    }
}

impl<S: Subscriber> Layer<S> for Counter {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut said = Said::default();
        event.record(&mut said);
        if said.again {
            AGAIN.fetch_add(1, SeqCst);
            MOST.fetch_max(said.tries + 1, SeqCst);
            DEADLOCKS.fetch_add(said.failure.contains("deadlock").into(), SeqCst);
            EXCLUSIONS.fetch_add(said.failure.contains("exclusion").into(), SeqCst);
        }
    }
}

/// Begins to count. Errors of the server go to the test's output.
pub fn count() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let store = tracing_subscriber::filter::Targets::new().with_target("frontdesk::store", tracing::Level::DEBUG);
        let log = std::env::var("FRONTDESK_LOG").unwrap_or_else(|_| "off".to_owned());
        let lines = tracing_subscriber::fmt::layer()
            .with_test_writer()
            .with_filter(tracing_subscriber::EnvFilter::new(log));
        tracing_subscriber::registry()
            .with(Counter.with_filter(store))
            .with(lines)
            .init();
    });
}

/// One line for the test's output; the counts are of the process, so of all tests that ran before, too.
pub fn report(what: &str, rounds: u32) {
    let (again, most) = (AGAIN.load(SeqCst), MOST.load(SeqCst));
    let (deadlocks, exclusions) = (DEADLOCKS.load(SeqCst), EXCLUSIONS.load(SeqCst));
    println!(
        "{what}: {rounds} rounds; so far {again} runs again, at most {most} tries, {deadlocks} deadlocks, {exclusions} exclusions"
    );
}
