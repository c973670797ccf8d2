//! The hub: every event once and in order, whatever the follower does.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

#[path = "support/log.rs"]
mod log;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use frontdesk::{
    domain::{event::Touched, ids::BookingId},
    live::{Events, HubSettings},
    store::{DatabaseUrl, StoreError},
};
use futures::{FutureExt as _, StreamExt as _};
use log::{Database, next, soon, touch};

/// A poll that never comes, so that only what is heard counts.
const NEVER: Duration = Duration::from_hours(1);

fn deaf(poll: Duration) -> HubSettings {
    HubSettings {
        poll,
        ..HubSettings::default()
    }
}

/// Buffers and pages so small that every follower falls behind all the time.
fn narrow() -> HubSettings {
    HubSettings {
        poll: NEVER,
        site_buffer: 4,
        booking_buffer: 2,
        page: 7,
    }
}

async fn positions(stream: &mut Events, count: usize) -> Vec<i64> {
    let mut positions = Vec::with_capacity(count);
    while positions.len() < count {
        positions.push(next(stream).await.unwrap().position);
    }
    positions
}

fn all(count: i64) -> Vec<i64> {
    (1..=count).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_follower_that_comes_back_after_its_cursor_has_every_event_once_and_in_order() {
    for settings in [deaf(NEVER), narrow()] {
        for database in Database::each().await {
            let node = database.node_with(settings.clone()).await;
            let site = node.site().await;
            node.append_many(site, 50).await;
            let writers: Vec<_> = (0..4)
                .map(|writer| {
                    let db = node.db.clone();
                    tokio::spawn(async move {
                        for _ in 0..50 {
                            let events: Vec<_> = (0..=writer).map(|_| (BookingId::new(), 1)).collect();
                            log::append(&db, site, &events).await;
                        }
                    })
                })
                .collect();
            let total = 50 + 50 * (1 + 2 + 3 + 4);
            let mut seen: Vec<i64> = Vec::new();
            let mut leg = 0;
            while seen.len() < total {
                let mut stream = node.hub.follow_site(site, Some(seen.last().copied().unwrap_or(0)));
                leg = leg % 23 + 1;
                let leg = leg.min(total - seen.len());
                seen.extend(positions(&mut stream, leg).await);
            }
            assert_eq!(seen, all(550));
            for writer in writers {
                writer.await.unwrap();
            }
            assert_eq!(node.hub.last_position(site).await.unwrap(), 550);
            database.remove().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_follower_loses_nothing_and_holds_up_nobody() {
    for database in Database::each().await {
        let node = database.node_with(narrow()).await;
        let site = node.site().await;
        let mut slow = node.hub.follow_site(site, Some(0));
        let mut quick = node.hub.follow_site(site, Some(0));
        node.append_many(site, 1).await;
        assert_eq!(next(&mut quick).await.unwrap().position, 1);
        assert_eq!(next(&mut slow).await.unwrap().position, 1);

        let db = node.db.clone();
        let writer = tokio::spawn(async move {
            for _ in 0..40 {
                let events: Vec<_> = (0..100).map(|_| (BookingId::new(), 1)).collect();
                log::append(&db, site, &events).await;
            }
        });
        assert_eq!(positions(&mut quick, 4000).await, all(4001)[1..]);
        writer.await.unwrap();
        assert_eq!(positions(&mut slow, 4000).await, all(4001)[1..]);
        database.remove().await;
    }
}

#[tokio::test]
async fn without_a_cursor_a_stream_begins_behind_what_was_there_at_its_first_poll() {
    for database in Database::each().await {
        let node = database.node().await;
        let site = node.site().await;
        let booking = BookingId::new();
        node.append(site, &[(booking, 1), (booking, 2)]).await;
        let mut of_site = node.hub.follow_site(site, None);
        let mut of_booking = node.hub.follow_booking(site, booking, None);
        let (one, other) = (AtomicBool::new(false), AtomicBool::new(false));
        let reading = async {
            let first = async {
                let event = next(&mut of_site).await.unwrap();
                one.store(true, Ordering::SeqCst);
                event.position
            };
            let second = async {
                let event = next(&mut of_booking).await.unwrap();
                other.store(true, Ordering::SeqCst);
                event.revision
            };
            futures::join!(first, second)
        };
        // What is committed before they have looked isn't theirs; so write until each has seen something.
        let writing = async {
            let mut revision = 2;
            while !(one.load(Ordering::SeqCst) && other.load(Ordering::SeqCst)) {
                revision += 1;
                node.append(site, &[(booking, revision)]).await;
            }
        };
        let ((position, revision), ()) = soon("both", futures::future::join(reading, writing)).await;
        assert!(position > 2 && revision > 2, "{position} {revision}");
        assert_eq!(next(&mut of_site).await.unwrap().position, position + 1);
        assert_eq!(next(&mut of_booking).await.unwrap().revision, revision + 1);
        database.remove().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_follower_of_a_booking_gets_its_events_and_no_others() {
    for settings in [deaf(NEVER), narrow()] {
        for database in Database::each().await {
            let node = database.node_with(settings.clone()).await;
            let site = node.site().await;
            let bookings: Vec<_> = (0..20).map(|_| BookingId::new()).collect();
            let first: Vec<_> = bookings.iter().map(|id| (*id, 1)).collect();
            node.append(site, &first).await;
            let mut readers = Vec::new();
            for (number, id) in bookings.iter().copied().enumerate() {
                let after = i64::from(number % 2 == 0);
                let mut stream = node.hub.follow_booking(site, id, Some(after));
                readers.push(tokio::spawn(async move {
                    let mut revisions = Vec::new();
                    while revisions.last() != Some(&40) {
                        let event = next(&mut stream).await.unwrap();
                        assert_eq!(event.booking, id);
                        revisions.push(event.revision);
                    }
                    assert_eq!(revisions, (after + 1..=40).collect::<Vec<_>>());
                }));
            }
            for revision in 2..=40 {
                let events: Vec<_> = bookings.iter().map(|id| (*id, revision)).collect();
                node.append(site, &events).await;
            }
            for reader in readers {
                reader.await.unwrap();
            }
            database.remove().await;
        }
    }
}

#[tokio::test]
async fn a_replay_ends_at_its_bound() {
    for database in Database::each().await {
        let node = database.node_with(narrow()).await;
        let site = node.site().await;
        let booking = BookingId::new();
        for revision in 1..=30 {
            node.append(site, &[(booking, revision), (BookingId::new(), 1)]).await;
        }
        let of_site: Vec<_> = soon("the end", node.hub.replay_site(site, 3, 40).collect()).await;
        let of_site: Vec<_> = of_site.into_iter().map(|event| event.unwrap().position).collect();
        assert_eq!(of_site, (4..=40).collect::<Vec<_>>());
        let of_booking: Vec<_> = soon("the end", node.hub.replay_booking(site, booking, 0, 14).collect()).await;
        let of_booking: Vec<_> = of_booking.into_iter().map(|event| event.unwrap().revision).collect();
        assert_eq!(of_booking, (1..=14).collect::<Vec<_>>());
        assert_eq!(soon("the end", node.hub.replay_site(site, 9, 9).count()).await, 0);
        assert_eq!(node.hub.followed_sites(), 0);
        database.remove().await;
    }
}

#[tokio::test]
async fn a_site_that_nobody_follows_any_more_has_no_tailer() {
    let database = Database::sqlite();
    let node = database.node().await;
    let (site, other) = (node.site().await, node.site().await);
    let booking = BookingId::new();
    node.append(site, &[(booking, 1)]).await;
    assert_eq!(node.hub.followed_sites(), 0);
    let mut one = node.hub.follow_site(site, Some(0));
    let mut two = node.hub.follow_booking(site, booking, Some(0));
    assert_eq!(node.hub.followed_sites(), 0, "nothing is done before the first poll");
    next(&mut one).await.unwrap();
    next(&mut two).await.unwrap();
    let mut three = node.hub.follow_site(other, Some(0));
    node.append_many(other, 1).await;
    next(&mut three).await.unwrap();
    assert_eq!(node.hub.followed_sites(), 2);
    drop(one);
    assert_eq!(node.hub.followed_sites(), 2);
    drop(two);
    assert_eq!(node.hub.followed_sites(), 1);
    drop(three);
    assert_eq!(node.hub.followed_sites(), 0);
    // And the next one starts it again.
    let mut again = node.hub.follow_site(site, Some(0));
    next(&mut again).await.unwrap();
    node.append(site, &[(booking, 2)]).await;
    assert_eq!(next(&mut again).await.unwrap().position, 2);
}

#[tokio::test]
async fn streams_end_when_the_server_stops() {
    let database = Database::sqlite();
    let node = database.node().await;
    let site = node.site().await;
    node.append_many(site, 1).await;
    let mut stream = node.hub.follow_site(site, Some(0));
    next(&mut stream).await.unwrap();
    node.shutdown.cancel();
    assert!(matches!(next(&mut stream).await, Err(StoreError::Stopped)));
    assert!(soon("the end", stream.next()).await.is_none());
    let mut late = node.hub.follow_site(site, Some(1));
    assert!(matches!(next(&mut late).await, Err(StoreError::Stopped)));
}

#[tokio::test]
async fn the_log_goes_on_for_a_follower_whose_events_nobody_announced() {
    let database = Database::sqlite();
    let node = database.node_with(deaf(Duration::from_millis(20))).await;
    let site = node.site().await;
    let mut stream = node.hub.follow_site(site, Some(0));
    // As another process on the same file would: this node's listener hears nothing of it.
    let stranger = database.node().await;
    for position in 1..=3 {
        stranger.append_many(site, 1).await;
        assert_eq!(next(&mut stream).await.unwrap().position, position);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_on_one_postgres_see_each_others_commits_without_polling() {
    let Some(database) = Database::postgres().await else {
        eprintln!("SKIPPED: TEST_POSTGRES_URL is not set");
        return;
    };
    let (one, other) = (
        database.node_with(deaf(NEVER)).await,
        database.node_with(deaf(NEVER)).await,
    );
    let site = one.site().await;
    let (mut at_one, mut at_other) = (one.hub.follow_site(site, Some(0)), other.hub.follow_site(site, Some(0)));
    let mut expected = 0;
    for round in 0..20 {
        let writer = if round % 2 == 0 { &one } else { &other };
        writer.append_many(site, 3).await;
        for _ in 0..3 {
            expected += 1;
            assert_eq!(next(&mut at_one).await.unwrap().position, expected);
            assert_eq!(next(&mut at_other).await.unwrap().position, expected);
        }
    }

    // What is touched without a booking takes its place in the same order, and is heard on both, too.
    let (mut calendar, mut far) = (one.hub.follow_calendar(site), other.hub.follow_calendar(site));
    assert!(far.next().now_or_never().is_none() && calendar.next().now_or_never().is_none());
    touch(&one.db, site).await;
    expected += 1;
    for heard in [calendar.next().await, far.next().await] {
        assert_eq!(*heard.unwrap().unwrap(), [Touched::everything()]);
    }

    // Both lose their connections, and more is committed before they can have come back.
    let DatabaseUrl::Postgres(url) = &database.url else {
        unreachable!()
    };
    let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
               WHERE application_name = 'frontdesk-commits' AND datname = current_database()";
    assert_eq!(log::statement(url, cut).await, 2);
    for writer in [&one, &other] {
        writer.append_many(site, 2).await;
    }
    for position in expected + 1..=expected + 4 {
        assert_eq!(next(&mut at_one).await.unwrap().position, position);
        assert_eq!(next(&mut at_other).await.unwrap().position, position);
    }
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_and_what_was_touched_without_any_are_one_sequence() {
    for database in Database::each().await {
        let node = database.node_with(narrow()).await;
        let site = node.site().await;
        let mut events = node.hub.follow_site(site, Some(0));
        // The site is followed already, so that the calendar's place is taken at the first poll.
        node.append_many(site, 1).await;
        assert_eq!(next(&mut events).await.unwrap().position, 1);
        let mut calendar = node.hub.follow_calendar(site);
        assert!(calendar.next().now_or_never().is_none());
        let mut expected = Vec::new();
        let mut position = 1;
        // More of one kind than a page, then of the other, then in turn.
        for count in [20, 0, 1, 1, 3] {
            node.append_many(site, count).await;
            expected.extend((1..=count).map(|n| position + i64::try_from(n).unwrap()));
            position += i64::try_from(count).unwrap();
            for _ in 0..if count == 0 { 20 } else { 1 } {
                touch(&node.db, site).await;
                position += 1;
            }
        }
        for expected in expected {
            assert_eq!(next(&mut events).await.unwrap().position, expected);
        }
        for _ in 0..24 {
            assert_eq!(*next(&mut calendar).await.unwrap(), [Touched::everything()]);
        }
        database.remove().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_followers_of_a_booking_each_are_woken_by_their_own_events_only() {
    let database = Database::sqlite();
    let node = database.node_with(deaf(NEVER)).await;
    let site = node.site().await;
    let bookings: Vec<_> = (0..2000).map(|_| BookingId::new()).collect();
    for ids in bookings.chunks(200) {
        node.append(site, &ids.iter().map(|id| (*id, 1)).collect::<Vec<_>>())
            .await;
    }
    let before = resident_kib();
    let polls = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let mut readers = Vec::new();
    let (ready, mut all_ready) = tokio::sync::mpsc::channel::<()>(1);
    for id in bookings.iter().copied() {
        let mut stream = node.hub.follow_booking(site, id, Some(0));
        let (polls, ready) = (polls.clone(), ready.clone());
        readers.push(tokio::spawn(async move {
            next(&mut stream).await.unwrap();
            // The next poll takes it from the log to the live feed.
            let mut live = false;
            let mut ready = Some(ready);
            let event = std::future::poll_fn(|context| {
                if live {
                    polls.fetch_add(1, Ordering::SeqCst);
                }
                let polled = stream.poll_next_unpin(context);
                live = true;
                drop(ready.take());
                polled
            });
            let event = soon("the event", event).await.unwrap().unwrap();
            assert_eq!((event.booking, event.revision), (id, 2));
        }));
    }
    drop(ready);
    assert!(all_ready.recv().await.is_none());
    let each = (resident_kib().saturating_sub(before)) * 1024 / bookings.len();
    eprintln!("{each} bytes for each follower, its task included");
    for ids in bookings.chunks(200) {
        node.append(site, &ids.iter().map(|id| (*id, 2)).collect::<Vec<_>>())
            .await;
    }
    for reader in readers {
        reader.await.unwrap();
    }
    // One wake-up each for its event, and few for a read that was still on its way.
    let polls = polls.load(Ordering::SeqCst);
    assert!(
        polls <= bookings.len() * 3,
        "{polls} polls for {} events",
        bookings.len()
    );
}

/// The memory that this process takes up; 0 where that can't be read.
fn resident_kib() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok())
        .unwrap_or(0)
}
