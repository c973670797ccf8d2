//! How the server's end is announced, and how it is known that everything has ended.
//!
//! Whatever must not be cut off without notice (connections, sockets, mutations) holds a
//! [`Lifeline`]; the server holds the one [`Lifecycle`], announces through it, and waits until
//! no lifeline is left.

use tokio::sync::watch;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    /// Business as usual.
    Running,
    /// No new work; finish what is in flight, close what would never end.
    Draining,
    /// The grace is over.
    Cut,
}

/// The announcing side.
pub(super) struct Lifecycle(watch::Sender<Phase>);

impl Lifecycle {
    pub(super) fn new() -> Self {
        Self(watch::Sender::new(Phase::Running))
    }

    pub(super) fn lifeline(&self) -> Lifeline {
        Lifeline(self.0.subscribe())
    }

    pub(super) fn announce(&self, phase: Phase) {
        self.0.send_replace(phase);
    }

    /// Waits until every lifeline has been dropped.
    pub(super) async fn deserted(&self) {
        self.0.closed().await;
    }
}

/// The listening side; holding it keeps the server from ending before its grace is over.
#[derive(Clone)]
pub(super) struct Lifeline(watch::Receiver<Phase>);

impl Lifeline {
    /// Waits until the server has come to `phase` or beyond.
    pub(super) async fn reached(&mut self, phase: Phase) {
        // An error means that the announcer is gone, which is the end as well.
        let _ = self.0.wait_for(|now| *now >= phase).await;
    }
}
