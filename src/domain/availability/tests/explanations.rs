//! Why something is not offered: spec §4.11.

use proptest::prelude::*;

use super::{
    against_model::{Tape, cases, tape, world},
    stage::{Hours, Need, Worker, World, at, daily, monday, place, resource, span},
};
use crate::domain::availability::{
    Action, Explanation, Finding, Obstacle, Reason, Slot, TimeFindings, explain, explain_start,
};

fn why(world: &World) -> Explanation {
    world.show(|business, service, query| explain(business, service, query, usize::MAX))
}

fn why_not(world: &World, time: &str) -> Vec<TimeFindings> {
    world.show(|business, service, query| explain_start(business, service, query, at(world.time(time))))
}

/// The one thing that is in the way of a start.
fn the_reason(world: &World, time: &str) -> Finding {
    let told = why_not(world, time);
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].findings.len(), 1, "{told:?}");
    told[0].findings[0].clone()
}

fn reasons(told: &[Finding]) -> Vec<Reason> {
    told.iter().map(|one| one.reason).collect()
}

#[test]
fn what_can_be_booked_needs_no_reason() {
    assert_eq!(why_not(&monday(), "9:00")[0].findings, []);
    let told = why(&monday());
    assert_eq!(
        (told.bookable, told.starts, told.findings.len(), told.times.len()),
        (15, 15, 0, 0)
    );
}

#[test]
fn a_booking_in_the_way_is_named_with_its_time() {
    let mut world = monday();
    let booked = (world.time("12:00"), world.time("13:15"));
    world.workers[0].busy = vec![booked];
    let told = the_reason(&world, "11:30");
    assert_eq!(told.reason, Reason::Blocked);
    assert_eq!(told.reason.action(), Action::CheckBlockedTime);
    assert_eq!((told.resource, told.requirement), (Some(resource(0)), Some(0)));
    assert_eq!(
        (told.span, told.obstacle),
        (Some(span(booked.0, booked.1)), Some(Obstacle::Block))
    );
    let all = why(&world);
    assert_eq!((all.bookable, all.starts, all.times.len()), (11, 15, 4));
    assert_eq!(all.times[0].start, at(world.time("11:30")));
}

#[test]
fn a_buffer_that_runs_into_a_booking_is_told_apart_from_the_visit() {
    let mut world = monday();
    world.buffer = 15;
    world.workers[0].busy = vec![(world.time("12:00"), world.time("13:00"))];
    assert_eq!(the_reason(&world, "11:00").reason, Reason::BufferTooLong);
    assert_eq!(the_reason(&world, "11:30").reason, Reason::Blocked);
}

#[test]
fn a_closure_of_the_business_is_named_as_such() {
    let mut world = monday();
    world.closed = vec![(world.time("9:00"), world.time("10:00"))];
    assert_eq!(the_reason(&world, "9:30").obstacle, Some(Obstacle::Closure));
}

#[test]
fn outside_hours_the_open_time_that_counts_is_named() {
    let world = monday();
    let before = the_reason(&world, "8:00");
    assert_eq!(before.reason, Reason::NotInWorkingHours);
    assert_eq!(
        before.span,
        Some(span(world.time("9:00"), world.time("17:00"))),
        "the next one"
    );
    assert_eq!(
        the_reason(&world, "16:30").span,
        before.span,
        "the one that it would leave"
    );
    assert_eq!(before.reason.action(), Action::CheckWorkingHours);
}

#[test]
fn an_open_time_shorter_than_the_visit_says_so() {
    let mut world = monday();
    world.workers = vec![Worker::with(daily(9, 10))];
    world.duration = 90;
    assert_eq!(the_reason(&world, "9:00").reason, Reason::DurationTooLong);
    let told = why(&world);
    assert_eq!(reasons(&told.findings), [Reason::DurationTooLong]);
    assert_eq!(told.findings[0].reason.action(), Action::ReduceDurationOrBuffer);
}

#[test]
fn a_buffer_that_leaves_no_time_at_all_says_so() {
    let mut world = monday();
    world.workers[0].busy = (9..17)
        .map(|hour| (world.from + hour * 60 + 50, world.from + hour * 60 + 60))
        .collect();
    (world.duration, world.buffer) = (50, 15);
    assert_eq!(reasons(&why(&world).findings), [Reason::BufferTooLong]);
    world.buffer = 0;
    assert_eq!(why(&world).findings, []);
    world.duration = 55;
    assert_eq!(reasons(&why(&world).findings), [Reason::Blocked]);
}

#[test]
fn somebody_without_hours_somebody_elsewhere_and_nobody_are_told_apart() {
    let mut world = monday();
    world.workers = vec![Worker::with(Hours::default())];
    assert_eq!(
        reasons(&why(&world).findings),
        [Reason::NoWorkingHours, Reason::NoAvailabilityWindows]
    );
    assert_eq!(the_reason(&world, "9:00").reason, Reason::NoWorkingHours);
    let mut world = monday();
    world.places = Some(vec![None]);
    world.workers[0].places = Some(vec![3]);
    assert_eq!(the_reason(&world, "9:00").reason, Reason::NotAtLocation);
    assert_eq!(the_reason(&world, "9:00").place, Some(place(0)));
    assert_eq!(Reason::NotAtLocation.action(), Action::CheckWorkLocations);
    let mut world = monday();
    world.needs = Vec::new();
    assert_eq!(reasons(&why(&world).findings), [Reason::NoAssignedResources]);
    world.needs = vec![Need {
        staff: true,
        count: 1,
        allowed: Vec::new(),
    }];
    assert_eq!(reasons(&why(&world).findings), [Reason::NoAssignedResources]);
    world.needs = vec![Need {
        staff: true,
        count: 2,
        allowed: vec![0, 5],
    }];
    assert_eq!(reasons(&why(&world).findings), [Reason::TooFewResources]);
}

#[test]
fn who_is_asked_for_in_vain_is_named() {
    let mut world = monday();
    world.workers.push(Worker::with(daily(9, 17)));
    world.requested = vec![(0, vec![1])];
    let told = why(&world);
    assert_eq!(reasons(&told.findings), [Reason::NotAssignedToService]);
    assert_eq!(told.findings[0].resource, Some(resource(1)));
    assert_eq!(told.bookable, 0);
}

#[test]
fn one_who_would_have_to_be_two_is_told() {
    let mut world = monday();
    let need = Need {
        staff: true,
        count: 1,
        allowed: vec![0],
    };
    world.needs = vec![need.clone(), need];
    assert_eq!(the_reason(&world, "9:00").reason, Reason::NeededTwice);
}

#[test]
fn a_place_that_the_service_is_not_given_at_is_told() {
    let mut world = monday();
    world.places = Some(vec![None]);
    world.asked_places = Some(vec![4]);
    assert_eq!(reasons(&why(&world).findings), [Reason::LocationNotOffered]);
}

#[test]
fn rules_for_customers_and_the_grid_are_told() {
    let mut world = monday();
    assert_eq!(the_reason(&world, "9:10").reason, Reason::OffGrid);
    world.now = world.time("12:00");
    assert_eq!(the_reason(&world, "9:00").reason, Reason::InThePast);
    assert_eq!(
        the_reason(&world, "12:00").reason,
        Reason::TooLateToBook,
        "it begins now"
    );
    world.policy.latest = Some(60);
    assert_eq!(the_reason(&world, "12:30").reason, Reason::TooLateToBook);
    world.policy.earliest = Some(120);
    assert_eq!(the_reason(&world, "14:30").reason, Reason::TooEarlyToBook);
    world.online = false;
    assert_eq!(the_reason(&world, "13:30").reason, Reason::OnlineBookingDisabled);
    assert!(reasons(&why(&world).findings).contains(&Reason::OnlineBookingDisabled));
    world.ignore_policy = true;
    assert_eq!(why_not(&world, "13:30")[0].findings, []);
    world.available.1 = Some(world.time("14:00"));
    assert_eq!(the_reason(&world, "13:30").reason, Reason::OutsideServiceRange);
}

#[test]
fn no_more_starts_are_told_of_than_asked_for() {
    let mut world = monday();
    world.online = false;
    let told = world.show(|business, service, query| explain(business, service, query, 4));
    assert_eq!((told.starts, told.bookable, told.times.len()), (15, 0, 4));
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn a_start_has_reasons_just_when_it_is_not_offered(
        numbers in tape(), starts in proptest::collection::vec(0_i64..3000, 10),
    ) {
        let (mut world, _) = world(&mut Tape::new(numbers));
        world.per_day = None;
        let slots = world.list();
        let offered: Vec<_> =
            slots.iter().filter(Slot::bookable).map(|slot| (slot.start(), slot.place())).collect();
        let told = why(&world);
        prop_assert_eq!(told.bookable, offered.len());
        prop_assert_eq!(told.starts, told.bookable + told.times.len());
        for one in &told.times {
            prop_assert!(!offered.contains(&(one.start, one.place)));
            prop_assert!(!one.findings.is_empty(), "{:?}", one);
        }
        for start in starts.into_iter().map(|start| world.from + start).filter(|start| *start < world.to) {
            let told = world.show(|business, service, query| explain_start(business, service, query, at(start)));
            for one in told {
                prop_assert_eq!(one.findings.is_empty(), offered.contains(&(one.start, one.place)), "{:?}", one);
                for finding in &one.findings {
                    if finding.reason == Reason::Blocked {
                        let blocked = finding.span.unwrap();
                        prop_assert!(blocked.overlaps(&span(start, start + 60 * 24 * 2)));
                    }
                }
            }
        }
    }
}
