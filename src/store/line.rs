//! The line in front of a thread of the embedded engine: so many may stand in it, and for so long.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, TrySendError},
    },
    time::Duration,
};

use tokio::{sync::oneshot, time::timeout};

use super::StoreError;

/// Most that stand in one line.
pub(super) const LENGTH: usize = 4096;

/// The longest time for which one stands in it. What has begun is waited for to its end.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// Settles whether something is begun by the one who works, or given up by the one who waits: whoever takes it first.
#[derive(Clone, Default)]
pub(super) struct Turn(Arc<AtomicBool>);

impl Turn {
    /// Whether it's ours.
    pub(super) fn take(&self) -> bool {
        !self.0.swap(true, Ordering::AcqRel)
    }
}

/// Goes to the end of the line.
pub(super) fn stand<T>(line: &mpsc::SyncSender<T>, job: T) -> Result<(), StoreError> {
    line.try_send(job).map_err(|error| match error {
        TrySendError::Full(_) => StoreError::Busy,
        TrySendError::Disconnected(_) => StoreError::Stopped,
    })
}

/// Waits for the answer; for so long only while nothing has begun. None if the answer will never come.
pub(super) async fn wait<T>(
    mut answer: oneshot::Receiver<T>,
    turn: &Turn,
    patience: Duration,
) -> Result<Option<T>, StoreError> {
    if let Ok(answered) = timeout(patience, &mut answer).await {
        return Ok(answered.ok());
    }
    if turn.take() {
        return Err(StoreError::Busy);
    }
    Ok(answer.await.ok())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_line_has_an_end() {
        let (line, jobs) = mpsc::sync_channel(2);
        assert!(stand(&line, 1).is_ok() && stand(&line, 2).is_ok());
        assert!(matches!(stand(&line, 3), Err(StoreError::Busy)));
        assert_eq!(jobs.recv(), Ok(1));
        assert!(stand(&line, 3).is_ok());
        drop(jobs);
        assert!(matches!(stand(&line, 4), Err(StoreError::Stopped)));
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_waits_too_long_gives_up_unless_it_has_begun() {
        let (_reply, answer) = oneshot::channel::<()>();
        let turn = Turn::default();
        let given_up = wait(answer, &turn, PATIENCE).await;
        assert!(matches!(given_up, Err(StoreError::Busy)));
        assert!(!turn.take(), "whoever comes to it now leaves it");

        let (reply, answer) = oneshot::channel();
        let turn = Turn::default();
        assert!(turn.take());
        tokio::spawn(async move {
            tokio::time::sleep(PATIENCE * 3).await;
            reply.send(7).unwrap();
        });
        assert_eq!(wait(answer, &turn, PATIENCE).await.unwrap(), Some(7));
    }
}
