//! Classes and courses: spec §4.5, §4.6, §4.8 example 8, §11.5 capacity, §12 A4 and A5.

use std::num::NonZeroU32;

use proptest::prelude::*;
use uuid::Uuid;

use super::stage::{at, minutes, place, resource, span};
use crate::domain::{
    availability::{
        ClassSession, ClassSlot, CourseOffer, CourseRun, Policy, SeatQuery, Seats, Waitlist, classes, course,
    },
    ids::{ScheduleId, SessionId, TypedId as _},
    time::TimeSpan,
};

const NOON: i64 = 30_000_000;

fn seats(capacity: u32, taken: u32, reserved: u32) -> Seats {
    Seats {
        capacity,
        taken,
        reserved,
        offered_to_caller: 0,
    }
}

fn session(number: u128, start: i64, seats: Seats) -> ClassSession<'static> {
    ClassSession {
        id: SessionId::from_uuid(Uuid::from_u128(number)),
        span: span(start, start + 60),
        seats,
        cancelled: false,
        resources: &[],
        place: None,
        waitlist: None,
    }
}

fn query() -> SeatQuery<'static> {
    SeatQuery::between(at(NOON - 10_000), at(NOON + 10_000), at(NOON))
}

fn slots(sessions: &[ClassSession<'_>], query: &SeatQuery<'_>) -> Vec<ClassSlot> {
    classes(sessions, &Policy::default(), true, query)
}

#[test]
fn example_8_a_spot_offered_to_somebody_who_waits_is_left_but_not_for_others() {
    let waiting = ClassSession {
        waitlist: Some(Waitlist {
            capacity: 10,
            waiting: 3,
        }),
        ..session(1, NOON + 60, seats(10, 9, 1))
    };
    let slot = slots(&[waiting], &query())[0];
    assert_eq!((slot.seats.remaining(), slot.seats.bookable()), (1, 0));
    assert!(slot.reasons.reserved_for_waitlist && !slot.reasons.no_remaining_capacity && slot.locked);
    assert!(!slot.bookable());
    assert_eq!(slot.waitlist.unwrap().remaining(), 7);
}

#[test]
fn who_holds_the_offer_can_book_his_spot() {
    let own = Seats {
        offered_to_caller: 1,
        ..seats(10, 9, 1)
    };
    let slot = slots(&[session(1, NOON + 60, own)], &query())[0];
    assert!(slot.bookable() && !slot.locked);
}

#[test]
fn a_party_larger_than_what_is_left_is_refused() {
    let query = SeatQuery {
        party: minutes(3),
        ..query()
    };
    let slot = slots(&[session(1, NOON + 60, seats(10, 8, 0))], &query)[0];
    assert!(slot.reasons.no_remaining_capacity && !slot.bookable());
}

#[test]
fn seats_over_capacity_show_as_none_left() {
    let slot = slots(&[session(1, NOON + 60, seats(5, 8, 0))], &query())[0];
    assert_eq!((slot.seats.remaining(), slot.seats.bookable()), (0, 0));
    assert!(slot.reasons.no_remaining_capacity);
}

#[test]
fn full_sessions_are_listed_and_cancelled_ones_only_on_request() {
    let cancelled = ClassSession {
        cancelled: true,
        ..session(2, NOON + 60, seats(10, 0, 0))
    };
    let all = [session(1, NOON + 60, seats(10, 10, 0)), cancelled];
    assert_eq!(slots(&all, &query()).len(), 1);
    let both = slots(
        &all,
        &SeatQuery {
            cancelled: true,
            ..query()
        },
    );
    assert_eq!(both.len(), 2);
    assert!(both[1].reasons.cancelled && !both[1].bookable());
}

#[test]
fn a_session_that_has_begun_stays_until_its_end_and_is_too_late() {
    let begun = session(1, NOON - 30, seats(10, 0, 0));
    let over = session(2, NOON - 60, seats(10, 0, 0));
    let now = session(3, NOON, seats(10, 0, 0));
    let found = slots(&[begun, over, now], &query());
    assert_eq!(found.len(), 2);
    assert!(found.iter().all(|slot| slot.violations.too_late && !slot.bookable()));
    let open = Policy {
        after_start: true,
        ..Policy::default()
    };
    assert!(
        classes(&[begun, now], &open, true, &query())
            .iter()
            .all(ClassSlot::bookable)
    );
}

#[test]
fn sessions_are_filtered_by_range_resource_place_and_seats() {
    let (one, other) = ([resource(1)], [resource(2)]);
    let here = ClassSession {
        resources: &one,
        place: Some(place(1)),
        ..session(1, NOON + 60, seats(10, 8, 0))
    };
    let count = |query: SeatQuery<'_>| slots(&[here], &query).len();
    assert_eq!(count(query()), 1);
    assert_eq!(
        count(SeatQuery {
            to: at(NOON + 60),
            ..query()
        }),
        0,
        "the range ends before its end"
    );
    assert_eq!(
        count(SeatQuery {
            from: at(NOON + 60),
            ..query()
        }),
        1,
        "and holds its start"
    );
    assert_eq!(
        count(SeatQuery {
            resources: Some(&one),
            ..query()
        }),
        1
    );
    assert_eq!(
        count(SeatQuery {
            resources: Some(&other),
            ..query()
        }),
        0
    );
    assert_eq!(
        count(SeatQuery {
            places: Some(&[place(1)]),
            ..query()
        }),
        1
    );
    assert_eq!(
        count(SeatQuery {
            places: Some(&[place(2)]),
            ..query()
        }),
        0
    );
    assert_eq!(
        count(SeatQuery {
            min_bookable: 2,
            ..query()
        }),
        1
    );
    assert_eq!(
        count(SeatQuery {
            min_bookable: 3,
            ..query()
        }),
        0
    );
}

fn run(sessions: &[TimeSpan], policy: Policy, now: i64) -> CourseOffer {
    let run = CourseRun {
        schedule: ScheduleId::from_uuid(Uuid::from_u128(1)),
        sessions,
        seats: seats(10, 4, 0),
        cancelled: false,
        waitlist: None,
    };
    course(
        &run,
        &policy,
        true,
        &SeatQuery {
            now: at(now),
            ..query()
        },
    )
}

#[test]
fn a_course_is_measured_to_its_first_session() {
    let sessions = [span(NOON + 2000, NOON + 2060), span(NOON + 1000, NOON + 1060)];
    let early = Policy {
        earliest: Some(900),
        ..Policy::default()
    };
    let offer = run(&sessions, early, NOON);
    assert!(offer.violations.too_early);
    assert_eq!(offer.violations.earliest_booking, Some(at(NOON + 100)));
    assert!(run(&sessions, early, NOON + 100).bookable(), "exactly on the limit");
    let late = Policy {
        latest: Some(900),
        ..Policy::default()
    };
    assert!(run(&sessions, late, NOON + 100).bookable() && run(&sessions, late, NOON + 101).violations.too_late);
    assert_eq!(run(&sessions, late, NOON + 1001).next, Some(sessions[0]));
}

#[test]
fn a_course_that_has_begun_is_open_until_its_last_session_starts_if_the_policy_says_so() {
    let sessions = [span(NOON, NOON + 60), span(NOON + 1000, NOON + 1060)];
    let open = Policy {
        after_start: true,
        ..Policy::default()
    };
    assert!(!run(&sessions, Policy::default(), NOON).bookable());
    assert!(run(&sessions, open, NOON).bookable() && run(&sessions, open, NOON + 999).bookable());
    assert!(!run(&sessions, open, NOON + 1000).bookable());
}

#[test]
fn a_course_without_sessions_to_come_can_be_booked_by_nobody() {
    assert!(run(&[], Policy::default(), NOON).violations.too_late);
    assert_eq!(run(&[], Policy::default(), NOON).span, None);
    let over = [span(NOON - 100, NOON - 40)];
    let run = CourseRun {
        schedule: ScheduleId::from_uuid(Uuid::from_u128(1)),
        sessions: &over,
        seats: seats(10, 0, 0),
        cancelled: false,
        waitlist: None,
    };
    let query = SeatQuery {
        ignore_policy: true,
        ..query()
    };
    assert!(
        !course(&run, &Policy::default(), true, &query).bookable(),
        "not by the business either"
    );
    let cancelled = CourseRun {
        cancelled: true,
        sessions: &[span(NOON + 1, NOON + 2)],
        ..run
    };
    assert!(course(&cancelled, &Policy::default(), true, &query).reasons.cancelled);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    /// Property 9, and what "bookable" means, counted out.
    #[test]
    fn what_can_be_booked_is_what_this_caller_could_book(
        capacity in 0_u32..6, taken in 0_u32..8, reserved in 0_u32..4, own in 0_u32..3, party in 1_u32..4,
        start in -90_i64..90, cancelled: bool, online: bool, ignore_policy: bool, after_start: bool,
        earliest in proptest::option::of(0_u32..90), latest in proptest::option::of(0_u32..90),
    ) {
        let own = own.min(reserved);
        let of_class = ClassSession {
            cancelled,
            ..session(1, NOON + start, Seats { capacity, taken, reserved, offered_to_caller: own })
        };
        let query = SeatQuery { party: NonZeroU32::new(party).unwrap(), ignore_policy, cancelled: true, ..query() };
        let found = classes(&[of_class], &Policy { earliest, latest, after_start, max_party: None }, online, &query);
        prop_assert_eq!(found.len(), usize::from(start + 60 > 0));
        for slot in found {
            let free = i64::from(capacity) - i64::from(taken) - i64::from(reserved - own);
            let window = earliest.is_none_or(|limit| start <= i64::from(limit))
                && latest.is_none_or(|limit| start >= i64::from(limit))
                && (start > 0 || after_start) && online;
            let expected = !cancelled && free >= i64::from(party) && (ignore_policy || window);
            prop_assert_eq!(slot.bookable(), expected);
            prop_assert_eq!(slot.reasons.any(), !expected);
        }
    }
}
