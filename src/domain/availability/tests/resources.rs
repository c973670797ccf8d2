//! Who serves: spec §4.4 step 6, §4.9, and the vectors of §11.5 on resources.

use proptest::prelude::*;

use super::stage::{BY_RANK, Need, Worker, World, at, daily, minute, number, place, resource, span};
use crate::domain::{
    availability::{Assignment, Busy, Choice, Obstacle, Rank, Refusal, Start, check},
    conflict::{Ask, Claim, Holder, OverlapReason, Target, evaluate},
    ids::{BlockedTimeId, BookingId, ClaimId, SessionId},
};

fn world(workers: usize, needs: Vec<Need>) -> World {
    let mut world = World::on("2026-05-04");
    world.workers = vec![Worker::with(daily(9, 17)); workers];
    world.needs = needs;
    world
}

fn need(count: usize, allowed: &[usize]) -> Need {
    Need {
        staff: true,
        count,
        allowed: allowed.to_vec(),
    }
}

fn assign(world: &World, time: &str, choice: &Choice<'_>) -> Result<Assignment, Refusal> {
    let start = Start {
        at: at(world.time(time)),
        off_grid: false,
    };
    world.show(|business, service, query| check(business, service, query, start, choice))
}

/// Who serves each need.
fn who(world: &World, time: &str, choice: &Choice<'_>) -> Vec<Vec<usize>> {
    let mut who = vec![Vec::new(); world.needs.len()];
    for pick in assign(world, time, choice).unwrap().picks {
        who[pick.requirement].push(number(pick.resource));
    }
    who
}

#[test]
fn nobody_serves_two_requirements_at_once() {
    let all = world(1, vec![need(1, &[0]), need(1, &[0])]);
    assert!(all.list().is_empty());
    let all = world(2, vec![need(1, &[0, 1]), need(1, &[0])]);
    assert_eq!(who(&all, "9:00", &BY_RANK), [[1], [0]], "the first makes room");
}

#[test]
fn a_chain_of_moves_is_found_where_a_greedy_choice_would_fail() {
    let all = world(
        4,
        vec![need(1, &[0, 1]), need(1, &[0, 2]), need(1, &[1, 3]), need(1, &[0])],
    );
    assert_eq!(who(&all, "9:00", &BY_RANK), [[1], [2], [3], [0]]);
}

#[test]
fn staff_and_a_room_with_schedules_of_their_own_are_both_needed() {
    let mut all = world(
        2,
        vec![
            need(1, &[0]),
            Need {
                staff: false,
                count: 1,
                allowed: vec![1],
            },
        ],
    );
    all.workers[1] = Worker::with(daily(11, 13));
    assert_eq!(all.starts(), ["11:00", "11:30", "12:00"]);
}

#[test]
fn whoever_the_business_doesnt_have_is_not_there() {
    let all = world(1, vec![need(1, &[0, 7])]);
    assert_eq!(all.list().get(0).unwrap().free(0).map(number).collect::<Vec<_>>(), [0]);
    assert!(world(1, vec![need(2, &[0, 7])]).list().is_empty());
    assert!(
        world(1, Vec::new()).list().is_empty(),
        "a service that needs nobody is never offered"
    );
    assert!(world(1, vec![need(1, &[])]).list().is_empty());
}

#[test]
fn who_is_asked_for_narrows_the_slots() {
    let mut all = world(2, vec![need(1, &[0, 1])]);
    all.workers[1] = Worker::with(daily(9, 11));
    all.requested = vec![(0, vec![1])];
    assert_eq!(all.starts(), ["09:00", "09:30", "10:00"]);
    let found = assign(&all, "9:00", &BY_RANK).unwrap();
    assert_eq!((found.picks[0].resource, found.picks[0].requested), (resource(1), true));
    all.requested = vec![(0, vec![5])];
    assert!(all.list().is_empty(), "somebody who doesn't serve it");
    all.requested = vec![(3, vec![0])];
    assert!(all.list().is_empty(), "for something that isn't needed");
    all.requested = vec![(0, Vec::new())];
    assert_eq!(all.starts().len(), 15, "nobody in particular");
}

#[test]
fn fewer_who_are_asked_for_than_needed_are_filled_up_with_others() {
    let mut all = world(3, vec![need(2, &[0, 1, 2])]);
    all.requested = vec![(0, vec![2])];
    let found = assign(&all, "9:00", &BY_RANK).unwrap();
    let picks: Vec<_> = found
        .picks
        .iter()
        .map(|pick| (number(pick.resource), pick.requested))
        .collect();
    assert_eq!(picks, [(2, true), (0, false)]);
}

#[test]
fn who_is_asked_for_does_not_move_the_grid() {
    let mut all = world(2, vec![need(1, &[0, 1])]);
    all.workers[1] = Worker::with(super::stage::Hours {
        weekly: vec![(0x7f, (555, 660, None), None, None)],
        special: Vec::new(),
    });
    all.requested = vec![(0, vec![1])];
    assert_eq!(
        all.starts(),
        ["09:15", "09:30", "09:45", "10:00"],
        "of both, those at which the one is free"
    );
}

#[test]
fn the_rank_decides_and_then_the_id() {
    let mut all = world(4, vec![need(2, &[0, 1, 2, 3])]);
    for (worker, ranking) in all.workers.iter_mut().zip([2, 1, 3, 1]) {
        worker.ranking = ranking;
    }
    assert_eq!(who(&all, "9:00", &Choice::Ranking(Rank::LowestFirst)), [[1, 3]]);
    assert_eq!(who(&all, "9:00", &Choice::Ranking(Rank::HighestFirst)), [[2, 0]]);
    let order = [resource(3), resource(0)];
    assert_eq!(who(&all, "9:00", &Choice::Given(&order)), [[3, 0]]);
    let order = [resource(3)];
    assert_eq!(
        who(&all, "9:00", &Choice::Given(&order)),
        [[3, 0]],
        "who isn't in it comes last"
    );
}

#[test]
fn lots_are_the_same_for_the_same_seed_and_fair_over_many() {
    let all = world(4, vec![need(1, &[0, 1, 2, 3])]);
    let mut drawn = [0; 4];
    for seed in 0..400 {
        let lots = Choice::Random { seed };
        assert_eq!(who(&all, "9:00", &lots), who(&all, "9:00", &lots));
        drawn[who(&all, "9:00", &lots)[0][0]] += 1;
    }
    assert!(drawn.iter().all(|times| (60..=140).contains(times)), "{drawn:?}");
    let lots = Choice::Random { seed: 7 };
    let by_day: Vec<_> = ["9:00", "10:00", "11:00", "12:00", "13:00", "14:00"]
        .map(|at| who(&all, at, &lots))
        .into();
    assert!(by_day.iter().any(|one| *one != by_day[0]), "another start, other lots");
}

#[test]
fn the_busy_time_of_a_pick_has_the_buffer() {
    let mut all = world(1, vec![need(1, &[0])]);
    all.buffer = 15;
    let found = assign(&all, "9:00", &BY_RANK).unwrap();
    assert_eq!(found.end, at(all.time("10:00")));
    assert_eq!(found.picks[0].busy_until, at(all.time("10:15")));
}

#[test]
fn a_resource_stays_at_its_places_unless_its_own_hours_name_another() {
    let mut all = world(1, vec![need(1, &[0])]);
    all.places = Some(vec![None, None]);
    all.workers[0].places = Some(vec![1]);
    let places = |all: &World| {
        let slots = all.list();
        let mut places: Vec<_> = slots.iter().map(|slot| slot.place().unwrap()).collect();
        places.dedup();
        places
    };
    assert_eq!(places(&all), [place(1)]);
    all.asked_places = Some(vec![0]);
    assert!(all.list().is_empty());
    assert!(matches!(assign(&all, "9:00", &BY_RANK), Err(Refusal::NotFree(_))));
    all.asked_places = Some(vec![6]);
    assert_eq!(assign(&all, "9:00", &BY_RANK), Err(Refusal::PlaceNotOffered));
    all.asked_places = None;
    let super::stage::Source::Own(hours) = &mut all.workers[0].hours else {
        unreachable!()
    };
    hours.weekly.push((0x7f, (20 * 60, 22 * 60, Some(0)), None, None));
    let slots = all.list();
    let there = slots.iter().filter(|slot| slot.place() == Some(place(0)));
    assert_eq!(there.count(), 3, "20:00 to 21:00");
}

#[test]
fn claims_block_as_the_conflict_rules_say() {
    let now = at(1000);
    let claim = Claim {
        id: ClaimId::new(),
        target: Target::Resource(resource(0)),
        span: span(2000, 2060),
        seats: 1,
        holder: Holder::Booking(BookingId::new()),
        hold_expires_at: None,
        overlap_reason: None,
    };
    let of = |claim: &Claim| Busy::of_claim(claim, now).map(|busy| (busy.span, busy.obstacle));
    assert_eq!(of(&claim), Some((span(2000, 2060), Obstacle::Appointment)));
    let held = Claim {
        hold_expires_at: Some(at(1001)),
        ..claim.clone()
    };
    assert_eq!(of(&held).unwrap().1, Obstacle::Hold);
    assert_eq!(
        of(&Claim {
            hold_expires_at: Some(now),
            ..claim.clone()
        }),
        None,
        "a hold that ran out"
    );
    assert_eq!(
        of(&Claim {
            overlap_reason: Some(OverlapReason::MultipleRequests),
            ..claim.clone()
        }),
        None
    );
    assert_eq!(
        of(&Claim {
            target: Target::Session(SessionId::new()),
            ..claim.clone()
        }),
        None,
        "seats"
    );
    let session = Claim {
        holder: Holder::Session(SessionId::new()),
        ..claim.clone()
    };
    assert_eq!(of(&session).unwrap().1, Obstacle::Session);
    let block = Claim {
        holder: Holder::Block(BlockedTimeId::new()),
        ..claim
    };
    assert_eq!(of(&block).unwrap().1, Obstacle::Block);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    /// What availability offers and what the conflict evaluator lets through when it is written are the same.
    #[test]
    fn a_time_is_offered_just_when_the_conflict_rules_let_it_be_booked(
        claims in proptest::collection::vec((500_i64..1100, 1_i64..120, 0_u8..4), 0..8), buffer in 0_u32..40,
    ) {
        let mut world = world(1, vec![need(1, &[0])]);
        (world.buffer, world.step) = (buffer, Some(10));
        let target = Target::Resource(resource(0));
        let claims: Vec<Claim> = claims
            .iter()
            .map(|(start, length, sort)| Claim {
                id: ClaimId::new(),
                target,
                span: span(world.from + start, world.from + start + length),
                seats: 1,
                holder: Holder::Booking(BookingId::new()),
                hold_expires_at: (*sort == 1).then(|| at(world.now)).or((*sort == 2).then(|| at(world.now + 1))),
                overlap_reason: (*sort == 3).then_some(OverlapReason::MultipleRequests),
            })
            .collect();
        let busy = claims.iter().filter_map(|claim| Busy::of_claim(claim, at(world.now)));
        world.workers[0].busy = busy.map(|busy| (minute(busy.span.start()), minute(busy.span.end()))).collect();
        let slots = world.list();
        let offered: Vec<i64> = slots.iter().map(|slot| minute(slot.start()) - world.from).collect();
        let free = |start: &i64| {
            let from = world.from + start;
            let span = span(from, from + 60 + i64::from(buffer));
            let ask = Ask { target, span, seats: 1, holder: Holder::Booking(BookingId::new()), before: None };
            evaluate(&ask, &claims, 1, at(world.now)).is_none()
        };
        let expected: Vec<i64> = (540..=960).step_by(10).filter(free).collect();
        prop_assert_eq!(offered, expected);
    }
}
