//! Work for a processor and not for the threads on which requests wait, for as long as somebody waits for it.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// Tells work that nobody waits for it any more: the client went away, or the time for the request is over.
#[derive(Debug, Clone, Default)]
pub(super) struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Whether to stop. What is answered then is read by nobody.
    pub(super) fn asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Asks for the stop when it goes.
struct Waiting(Stop);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.0.store(true, Ordering::Relaxed);
    }
}

/// Does some work beside the requests. Whoever drops the future asks it to stop.
pub(super) async fn apart<R: Send + 'static>(work: impl FnOnce(&Stop) -> R + Send + 'static) -> R {
    let stop = Stop::default();
    let _waiting = Waiting(stop.clone());
    let done = tokio::task::spawn_blocking(move || work(&stop)).await;
    done.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))
}

#[cfg(test)]
mod tests {
    use std::{sync::mpsc, time::Duration};

    use super::apart;

    #[tokio::test]
    async fn work_that_nobody_waits_for_is_asked_to_stop() {
        let (began, begins) = mpsc::channel();
        let (over, ends) = mpsc::channel();
        let work = tokio::spawn(apart(move |stop| {
            began.send(stop.asked()).ok();
            while !stop.asked() {
                std::thread::yield_now();
            }
            over.send(()).ok();
        }));
        let asked = tokio::task::spawn_blocking(move || begins.recv()).await;
        assert!(matches!(asked, Ok(Ok(false))));
        work.abort();
        let ended = tokio::task::spawn_blocking(move || ends.recv_timeout(Duration::from_secs(30))).await;
        assert!(matches!(ended, Ok(Ok(()))));
    }
}
