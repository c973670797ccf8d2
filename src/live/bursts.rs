//! Many changes, told as few.

use std::time::Duration;

use futures_util::{
    StreamExt as _,
    stream::{self, BoxStream},
};
use tokio::time::{Instant, timeout_at};

/// How long it must have been quiet until a burst is over.
const QUIET: Duration = Duration::from_millis(100);
/// How long a burst is gathered at the most.
const LONGEST: Duration = Duration::from_secs(1);

/// Gathers items that come close together, and yields one for all of them.
#[must_use]
pub fn gather<T: Send + 'static, E: Send + 'static>(
    items: BoxStream<'static, Result<T, E>>,
    merge: impl Fn(T, T) -> T + Send + 'static,
) -> BoxStream<'static, Result<T, E>> {
    let state = Some((items, merge));
    stream::unfold(state, |state| async move {
        let (mut items, merge) = state?;
        let mut all = match items.next().await? {
            Ok(first) => first,
            Err(error) => return Some((vec![Err(error)], None)),
        };
        let last = Instant::now() + LONGEST;
        loop {
            match timeout_at(last.min(Instant::now() + QUIET), items.next()).await {
                Ok(Some(Ok(next))) => all = merge(all, next),
                Ok(Some(Err(error))) => return Some((vec![Ok(all), Err(error)], None)),
                Ok(None) => return Some((vec![Ok(all)], None)),
                Err(_) => return Some((vec![Ok(all)], Some((items, merge)))),
            }
        }
    })
    .flat_map(stream::iter)
    .boxed()
}

#[cfg(test)]
mod tests {
    use tokio::time::sleep;

    use super::*;

    /// Items after pauses, in milliseconds.
    fn after(pauses: &'static [u64]) -> BoxStream<'static, Result<u32, &'static str>> {
        stream::iter(pauses)
            .then(|pause| async move {
                sleep(Duration::from_millis(*pause)).await;
                Ok(1)
            })
            .boxed()
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_is_one() {
        let told: Vec<_> = gather(after(&[5000, 10, 10, 10, 500, 50]), |a, b| a + b)
            .collect()
            .await;
        assert_eq!(told, [Ok(4), Ok(2)]);
    }

    #[tokio::test(start_paused = true)]
    async fn an_endless_burst_is_told_every_second() {
        let pauses: &'static [u64] = &[50; 100];
        let began = Instant::now();
        let told: Vec<_> = gather(after(pauses), |a, b| a + b).collect().await;
        assert_eq!(told.iter().map(|n| n.unwrap_or(0)).sum::<u32>(), 100, "{told:?}");
        assert!((5..=6).contains(&told.len()), "{told:?}");
        assert!(began.elapsed() < Duration::from_secs(7));
    }

    #[tokio::test(start_paused = true)]
    async fn an_error_is_the_last_item() {
        let items = stream::iter([Ok(1), Ok(2), Err("gone"), Ok(3)]).boxed();
        let told: Vec<Result<u32, &str>> = gather(items, |a, b| a + b).collect().await;
        assert_eq!(told, [Ok(3), Err("gone")]);
    }
}
