//! The places in which work is done, and the lines in front of them.
//!
//! Each client has a line of its own and the lines take turns, so that a crowd from one address makes its own members
//! wait and nobody else. Few may wait, and for a short time: whoever can't be served soon had better hear of it. How many
//! can be is seen from how fast places become free.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::oneshot,
    time::{Instant, timeout},
};

/// So many may wait, however slowly it goes.
const FEW: usize = 4;

/// So many places, and room for so many who wait for one.
#[derive(Clone)]
pub(super) struct Places(Arc<Hall>);

struct Hall {
    /// Most that may wait.
    seats: usize,
    /// The longest time for which one waits.
    patience: Duration,
    state: Mutex<State>,
}

/// While a place is free nobody waits.
struct State {
    free: usize,
    waiting: usize,
    /// When a place was last handed on, while there was always somebody waiting for it.
    handed_on: Option<Instant>,
    /// The time from one such moment to the next, lately.
    pace: Duration,
    /// None is empty; the first is the next whose turn it is.
    lines: VecDeque<Line>,
}

struct Line {
    client: u64,
    waiters: VecDeque<oneshot::Sender<Place>>,
}

/// A place; free again when it is dropped.
pub(in crate::http) struct Place(Option<Arc<Hall>>);

impl Places {
    pub(super) fn new(places: usize, seats: usize, patience: Duration) -> Self {
        let state = Mutex::new(State {
            free: places,
            waiting: 0,
            handed_on: None,
            pace: Duration::ZERO,
            lines: VecDeque::new(),
        });
        Self(Arc::new(Hall { seats, patience, state }))
    }

    /// Whether a client could get a place, or at least wait for one.
    pub(super) fn has_room(&self, client: u64) -> bool {
        let Self(hall) = self;
        let mut state = hall.lock();
        let seats = state.seats(hall);
        state.has_room(client, seats)
    }

    /// A place that is free now.
    pub(super) fn enter_now(&self) -> Option<Place> {
        let Self(hall) = self;
        let mut state = hall.lock();
        state.free = state.free.checked_sub(1)?;
        Some(Place(Some(Arc::clone(hall))))
    }

    /// Waits for a place; none if there is no room or it takes too long.
    pub(super) async fn enter(&self, client: u64) -> Option<Place> {
        let Self(hall) = self;
        let turn = {
            let mut state = hall.lock();
            if state.free > 0 {
                state.free -= 1;
                return Some(Place(Some(Arc::clone(hall))));
            }
            let seats = state.seats(hall);
            if !state.has_room(client, seats) {
                return None;
            }
            state.wait(client, seats)
        };
        timeout(hall.patience, turn).await.ok()?.ok()
    }
}

impl Hall {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// So many may wait that the last of them can be served in time.
    fn seats(&self, hall: &Hall) -> usize {
        if self.pace.is_zero() {
            return hall.seats;
        }
        let served = hall.patience.as_nanos() / self.pace.as_nanos();
        usize::try_from(served).unwrap_or(usize::MAX).max(FEW).min(hall.seats)
    }

    /// A place is handed on.
    fn hand_on(&mut self) {
        let now = Instant::now();
        if let Some(last) = self.handed_on.replace(now) {
            self.pace = (self.pace * 7 + now.duration_since(last)) / 8;
        }
    }

    /// Where everything is taken, a client still gets in whose line is shorter than the longest, at that one's expense.
    fn has_room(&mut self, client: u64, seats: usize) -> bool {
        if self.free > 0 || self.waiting < seats {
            return true;
        }
        self.forget_the_gone();
        let own = self.lines.iter().find(|line| line.client == client);
        let own = own.map_or(0, |line| line.waiters.len());
        let longest = self.lines.iter().map(|line| line.waiters.len()).max();
        self.waiting < seats || longest.is_some_and(|longest| own + 1 < longest)
    }

    fn forget_the_gone(&mut self) {
        self.lines.retain_mut(|line| {
            line.waiters.retain(|waiter| !waiter.is_closed());
            !line.waiters.is_empty()
        });
        self.waiting = self.lines.iter().map(|line| line.waiters.len()).sum();
    }

    fn wait(&mut self, client: u64, seats: usize) -> oneshot::Receiver<Place> {
        if self.waiting >= seats
            && let Some(longest) = self.lines.iter_mut().max_by_key(|line| line.waiters.len())
        {
            // Whoever came last has waited least.
            longest.waiters.pop_back();
            self.waiting -= 1;
        }
        let (waiter, turn) = oneshot::channel();
        self.waiting += 1;
        match self.lines.iter_mut().find(|line| line.client == client) {
            Some(line) => line.waiters.push_back(waiter),
            None => self.lines.push_back(Line {
                client,
                waiters: [waiter].into(),
            }),
        }
        turn
    }

    /// The one whose turn it is.
    fn next(&mut self) -> Option<oneshot::Sender<Place>> {
        let mut line = self.lines.pop_front()?;
        let waiter = line.waiters.pop_front();
        self.waiting = self.waiting.saturating_sub(1);
        if !line.waiters.is_empty() {
            self.lines.push_back(line);
        }
        waiter
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some(hall) = self.0.take() else {
            return;
        };
        let mut state = hall.lock();
        while let Some(waiter) = state.next() {
            match waiter.send(Self(Some(Arc::clone(&hall)))) {
                Ok(()) => return state.hand_on(),
                // Gone in the meantime, and the place is still ours to give.
                Err(mut unwanted) => unwanted.0 = None,
            }
        }
        state.free += 1;
        state.handed_on = None;
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;
    use std::pin::Pin;

    const PATIENCE: Duration = Duration::from_secs(2);

    type Waiting = Pin<Box<dyn Future<Output = Option<Place>>>>;

    /// Somebody who has begun to wait.
    fn wait(places: &Places, client: u64) -> Waiting {
        let places = places.clone();
        let mut waiting: Waiting = Box::pin(async move { places.enter(client).await });
        assert!(waiting.as_mut().now_or_never().is_none());
        waiting
    }

    fn refused(places: &Places, client: u64) -> bool {
        matches!(places.enter(client).now_or_never(), Some(None))
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_finds_no_seat_is_refused_at_once_and_whoever_waits_in_vain_soon() {
        let places = Places::new(2, 3, PATIENCE);
        let (_first, second) = (places.enter(1).await.unwrap(), places.enter(1).await.unwrap());
        let (served, other, late) = (wait(&places, 1), wait(&places, 1), wait(&places, 1));
        assert!(refused(&places, 1) && !places.has_room(1));
        drop(second);
        let held = served.await.unwrap();
        assert!(places.has_room(1), "a seat is free again");
        let start = tokio::time::Instant::now();
        assert!(other.await.is_none() && late.await.is_none());
        assert_eq!(start.elapsed(), PATIENCE);
        drop(held);
        assert!(
            places.enter(1).now_or_never().unwrap().is_some(),
            "nobody waits any more"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_may_wait_than_can_be_served_in_time() {
        let places = Places::new(1, 100, PATIENCE);
        let mut held = places.enter(1).await.unwrap();
        let mut crowd: VecDeque<_> = (0..60).map(|_| wait(&places, 1)).collect();
        for _ in 0..40 {
            // Ten a second.
            tokio::time::advance(Duration::from_millis(100)).await;
            drop(held);
            held = crowd.pop_front().unwrap().now_or_never().unwrap().unwrap();
        }
        assert_eq!(crowd.len(), 20);
        assert!(refused(&places, 1), "the twenty-first would wait in vain");
        drop(crowd);
        assert!(places.has_room(1));
        drop(held);
        assert!(places.enter(1).now_or_never().unwrap().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn those_who_left_take_neither_seats_nor_places() {
        let places = Places::new(1, 2, PATIENCE);
        let held = places.enter(1).await.unwrap();
        let left = [wait(&places, 1), wait(&places, 1)];
        drop(left);
        let (stays, given) = (wait(&places, 1), wait(&places, 1));
        drop(held);
        // It was given the place and left before it took it.
        drop(stays);
        let place = given.await.unwrap();
        drop(place);
        assert_eq!(places.0.lock().free, 1);
        assert!(places.0.lock().lines.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn clients_take_turns_and_a_crowd_makes_room() {
        let places = Places::new(1, 6, PATIENCE);
        let held = places.enter(1).await.unwrap();
        let mut crowd: Vec<_> = (0..6).map(|_| wait(&places, 1)).collect();
        assert!(refused(&places, 1), "no seat for one more of the crowd");
        let neighbour = wait(&places, 2);
        assert!(crowd.pop().unwrap().await.is_none(), "the crowd's last had to go");
        drop(held);
        let first = crowd.remove(0).await.unwrap();
        drop(first);
        assert!(crowd.remove(0).now_or_never().is_none(), "it's the neighbour's turn");
        drop(neighbour.now_or_never().unwrap().unwrap());
        // Equals don't drive each other out.
        let places = Places::new(0, 4, PATIENCE);
        let _waiting = [wait(&places, 1), wait(&places, 1), wait(&places, 2), wait(&places, 2)];
        assert!(refused(&places, 1) && refused(&places, 2));
        assert!(!refused(&places, 3));
    }
}
