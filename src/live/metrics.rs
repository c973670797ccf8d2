//! What the hub and the timers count about themselves. No label holds anything but names out of the code.

use prometheus_client::{
    metrics::{counter::Counter, gauge::Gauge, histogram::Histogram},
    registry::{Registry, Unit},
};

/// The hub's numbers. Clones count together.
#[derive(Clone, Debug)]
pub struct HubMetrics {
    pub(super) sites: Gauge,
    pub(super) followers: Gauge,
    pub(super) events: Counter,
    pub(super) lag: Histogram,
}

impl Default for HubMetrics {
    fn default() -> Self {
        Self {
            sites: Gauge::default(),
            followers: Gauge::default(),
            events: Counter::default(),
            lag: Histogram::new([
                0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0,
            ]),
        }
    }
}

impl HubMetrics {
    /// Makes them part of what is shown.
    pub fn register(&self, registry: &mut Registry) {
        let it = self.clone();
        registry.register("live_sites", "Sites whose log somebody follows", it.sites);
        registry.register(
            "live_followers",
            "Places at the live end of a log; subscriptions that ask the same share one",
            it.followers,
        );
        registry.register("live_events", "Events of the log that were delivered live", it.events);
        registry.register_with_unit(
            "live_lag",
            "From an event's time, shortly before its commit, to its delivery",
            Unit::Seconds,
            it.lag,
        );
    }
}

/// The timers' numbers. Clones count together.
#[derive(Clone, Debug, Default)]
pub struct TimerMetrics {
    pub(super) overdue: Gauge,
    pub(super) settled: Counter,
    pub(super) failures: Counter,
}

impl TimerMetrics {
    /// Makes them part of what is shown.
    pub fn register(&self, registry: &mut Registry) {
        let it = self.clone();
        registry.register(
            "timer_holds_overdue",
            "Holds that had run out and weren't settled, at the last look",
            it.overdue,
        );
        registry.register(
            "timer_holds_settled",
            "Holds that were settled after they ran out",
            it.settled,
        );
        registry.register("timer_failures", "Acts of the timers that failed", it.failures);
    }
}
