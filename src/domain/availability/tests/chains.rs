//! Chains of appointments: the example of spec §5.2, its rules one by one, and a model that tries every way.

use std::num::NonZeroU32;

use proptest::prelude::*;

use super::{
    against_model::{Tape, cases, tape, world},
    model::{Clock, Model},
    stage::{BY_RANK, Need, Worker, World, at, daily, minute, minutes, number, place_number, resource},
};
use crate::domain::availability::{
    Assignment, Business, ChainQuery, ChainRefusal, ChainSlot, Part, Query, Refusal, Requested, Service, Start,
    check_chain, list_chains, list_served_chains,
};

/// Lets the engine see a chain. The business, the range and the rules for the caller are those of the first world.
fn show<T>(worlds: &[World], see: impl FnOnce(&Business<'_>, &[Part<'_>], &ChainQuery<'_>) -> T) -> T {
    fn with<T>(
        business: &Business<'_>,
        query: &Query<'_>,
        rest: &[World],
        parts: &mut Vec<(Service<'_>, Option<NonZeroU32>, Vec<Requested<'_>>)>,
        see: impl FnOnce(&Business<'_>, &[Part<'_>], &ChainQuery<'_>) -> T,
    ) -> T {
        if let Some((world, rest)) = rest.split_first() {
            return world.show(|_, service, own| {
                let mut parts: Vec<_> = parts.clone();
                parts.push((*service, own.duration, own.requested.to_vec()));
                with(business, query, rest, &mut parts, see)
            });
        }
        let parts: Vec<Part<'_>> = parts
            .iter()
            .map(|(service, duration, requested)| Part {
                service,
                duration: *duration,
                requested,
                choice: BY_RANK,
            })
            .collect();
        let query = ChainQuery {
            from: query.from,
            to: query.to,
            places: query.places,
            party: query.party,
            per_day: query.per_day,
            ignore_policy: query.ignore_policy,
        };
        see(business, &parts, &query)
    }
    worlds[0].show(|business, _, query| with(business, query, worlds, &mut Vec::new(), see))
}

fn chains(worlds: &[World]) -> Vec<ChainSlot> {
    show(worlds, list_chains)
}

fn starts(worlds: &[World]) -> Vec<String> {
    let clock = |slot: &ChainSlot| worlds[0].zone.to_datetime(slot.start).strftime("%H:%M").to_string();
    chains(worlds).iter().map(clock).collect()
}

fn assigned(worlds: &[World], start: i64) -> Result<Vec<Assignment>, ChainRefusal> {
    show(worlds, |business, parts, query| {
        check_chain(
            business,
            parts,
            query,
            Start {
                at: at(start),
                off_grid: false,
            },
        )
    })
}

/// Parts of so many minutes, each served by one of the workers that are named.
fn parts(base: &World, wanted: &[(u32, &[usize])]) -> Vec<World> {
    let part = |(duration, allowed): &(u32, &[usize])| World {
        duration: *duration,
        needs: vec![Need {
            staff: true,
            count: 1,
            allowed: allowed.to_vec(),
        }],
        ..base.clone()
    };
    wanted.iter().map(part).collect()
}

fn morning(workers: usize) -> World {
    let mut world = World::on("2026-05-04");
    world.workers = vec![Worker::with(daily(9, 12)); workers];
    world
}

#[test]
fn the_example_of_two_parts_by_two_people() {
    let mut world = morning(2);
    world.workers[1].busy = vec![(world.time("10:00"), world.time("10:30"))];
    let chain = parts(&world, &[(60, &[0]), (30, &[1])]);
    assert_eq!(starts(&chain), ["09:30", "10:00", "10:30"]);
    let slot = chains(&chain)[0];
    assert_eq!(slot.end, at(world.time("11:00")));
    assert!(matches!(
        assigned(&chain, world.time("9:00")),
        Err(ChainRefusal::Part {
            part: 1,
            refusal: Refusal::NotFree(_)
        })
    ));
}

#[test]
fn later_parts_need_not_be_on_a_grid() {
    let world = morning(1);
    assert_eq!(
        starts(&parts(&world, &[(25, &[0]), (25, &[0])])),
        ["09:00", "09:30", "10:00", "10:30", "11:00"]
    );
}

#[test]
fn nothing_stays_free_between_parts_of_one_person_and_the_last_buffer_counts() {
    let mut world = morning(1);
    world.buffer = 90;
    let chain = parts(&world, &[(60, &[0]), (60, &[0])]);
    assert_eq!(starts(&chain), ["09:00", "09:30", "10:00"]);
    let found = assigned(&chain, world.time("9:00")).unwrap();
    assert_eq!(
        found[0].picks[0].busy_until,
        at(world.time("10:00")),
        "its next part begins"
    );
    assert_eq!(
        found[1].picks[0].busy_until,
        at(world.time("12:30")),
        "and then it is left alone"
    );
}

#[test]
fn who_leaves_keeps_the_buffer_even_if_somebody_else_goes_on() {
    let mut world = morning(2);
    world.buffer = 90;
    world.workers[0].busy = vec![(world.time("11:30"), world.time("12:00"))];
    assert_eq!(starts(&parts(&world, &[(60, &[0]), (60, &[1])])), ["09:00"]);
}

#[test]
fn who_is_free_only_by_going_on_goes_on() {
    let mut world = morning(2);
    world.buffer = 45;
    world.workers[0].busy = vec![(world.time("10:30"), world.time("10:40"))];
    let mut chain = parts(&world, &[(60, &[0]), (30, &[0, 1])]);
    chain[1].buffer = 0;
    let found = assigned(&chain, world.time("9:00")).unwrap();
    let who: Vec<_> = found.iter().map(|part| number(part.picks[0].resource)).collect();
    assert_eq!(who, [0, 0]);
    chain[1].needs[0].allowed = vec![1];
    assert!(
        assigned(&chain, world.time("9:00")).is_err(),
        "its buffer runs into the booking at 10:30"
    );
}

#[test]
fn who_is_free_only_by_going_on_is_found_among_many() {
    let mut world = morning(12);
    world.buffer = 90;
    for worker in &mut world.workers {
        worker.busy = vec![(world.from + 10 * 60 + 30, world.from + 10 * 60 + 40)];
    }
    world.workers[11].busy = vec![(world.time("11:00"), world.time("11:10"))];
    let all: Vec<usize> = (0..12).collect();
    let mut chain = parts(&world, &[(60, &all), (30, &all), (30, &all)]);
    chain[2].buffer = 0;
    let found = assigned(&chain, world.time("9:00")).unwrap();
    let who: Vec<_> = found.iter().map(|part| number(part.picks[0].resource)).collect();
    assert_eq!(who, [11, 11, 11]);
    assert_eq!(starts(&chain)[0], "09:00");
}

#[test]
fn twelve_who_are_free_only_by_going_on_go_on_together() {
    let mut world = morning(12);
    world.buffer = 90;
    for worker in &mut world.workers {
        worker.busy = vec![(world.from + 11 * 60, world.from + 11 * 60 + 10)];
    }
    let all: Vec<usize> = (0..12).collect();
    let mut chain = parts(&world, &[(60, &all), (60, &all)]);
    for part in &mut chain {
        part.needs[0].count = 12;
    }
    chain[1].buffer = 0;
    assert_eq!(starts(&chain)[0], "09:00");
    assert_eq!(assigned(&chain, world.time("9:00")).unwrap()[0].picks.len(), 12);
}

/// What a visitor can ask of a business with long buffers: the search for who goes on has to end at once.
#[test]
fn a_long_chain_of_people_who_are_all_needed_elsewhere_is_settled_at_once() {
    let mut world = morning(14);
    world.buffer = 60;
    for worker in &mut world.workers {
        worker.busy = vec![(world.from + 11 * 60 + 15, world.from + 12 * 60)];
    }
    let (one, other): (Vec<usize>, Vec<usize>) = ((0..14).collect(), (0..13).collect());
    let mut wanted: Vec<(u32, &[usize])> = vec![
        (15, &one),
        (15, &other),
        (15, &one),
        (15, &other),
        (15, &one),
        (15, &other),
    ];
    wanted.push((15, &[13]));
    assert_eq!(
        starts(&parts(&world, &wanted)),
        ["09:00"].map(String::from)[..0],
        "nobody is left for the last part's buffer"
    );
    wanted[6] = (15, &[]);
    assert!(starts(&parts(&world, &wanted)).is_empty());
}

#[test]
fn one_person_throughout_is_preferred() {
    let mut world = morning(3);
    world.workers[0].busy = vec![(world.time("10:00"), world.time("11:00"))];
    world.workers[1].ranking = 5;
    world.workers[2].ranking = 9;
    let chain = parts(&world, &[(60, &[0, 1, 2]), (60, &[0, 1, 2])]);
    let found = assigned(&chain, world.time("9:00")).unwrap();
    let who: Vec<_> = found.iter().map(|part| part.picks[0].resource).collect();
    assert_eq!(who, [resource(1), resource(1)], "the first by rank can't go on");
}

#[test]
fn the_parts_share_one_place_and_their_flags_add_up() {
    let mut world = morning(1);
    world.places = Some(vec![None, None]);
    let mut chain = parts(&world, &[(60, &[0]), (60, &[0])]);
    chain[0].places = Some(vec![None]);
    chain[0].online = true;
    chain[1].online = false;
    chain[1].policy.latest = Some(11 * 60);
    let found = chains(&chain);
    assert!(found.iter().all(|slot| slot.place.map(place_number) == Some(0)));
    assert!(
        found
            .iter()
            .all(|slot| slot.violations.online_disabled && !slot.bookable())
    );
    let late: Vec<_> = found.iter().map(|slot| slot.violations.too_late).collect();
    assert_eq!(
        late,
        [true, true, false],
        "measured to the start of the part, 11:00 at the earliest"
    );
}

#[test]
fn a_chain_of_nothing_is_never_offered() {
    assert_eq!(
        show(&[World::on("2026-05-04")], |business, _, query| {
            let start = Start {
                at: business.now,
                off_grid: true,
            };
            (
                list_chains(business, &[], query).len(),
                check_chain(business, &[], query, start),
            )
        }),
        (0, Err(ChainRefusal::NoParts))
    );
}

#[test]
fn a_cap_on_the_day_holds_for_chains_as_well() {
    let mut world = morning(1);
    world.per_day = Some((2, world.zone.clone()));
    assert_eq!(starts(&parts(&world, &[(30, &[0]), (30, &[0])])), ["09:00", "09:30"]);
    assert_eq!(minutes(1).get(), 1);
}

/// The parts of a random chain: one business, services of their own.
fn chain(numbers: Vec<u16>, others: Vec<Vec<u16>>, buffers: &[u32]) -> (Vec<World>, &'static Clock) {
    let (first, clock) = world(&mut Tape::new(numbers));
    let mut worlds = vec![first];
    for numbers in others {
        let (mut other, _) = world(&mut Tape::new(numbers));
        let first = &worlds[0];
        let count = first.workers.len();
        (other.zone, other.hours, other.closed) = (first.zone.clone(), first.hours.clone(), first.closed.clone());
        other.shut.clone_from(&first.shut);
        (other.workers, other.now, other.from, other.to) = (first.workers.clone(), first.now, first.from, first.to);
        (other.places, other.asked_places) = (first.places.clone(), first.asked_places.clone());
        (other.per_day, other.ignore_policy) = (None, first.ignore_policy);
        other.available = (None, None);
        other.service_hours = None;
        other.duration = other.duration.min(90);
        for need in &mut other.needs {
            need.allowed.retain(|worker| *worker < count);
            // Mostly one at a time, so that chains are found.
            need.count = 1;
        }
        for (_, asked) in &mut other.requested {
            asked.retain(|worker| *worker < count);
        }
        worlds.push(other);
    }
    worlds[0].per_day = None;
    // Long buffers and short parts, so that going on makes a difference.
    for (world, buffer) in worlds.iter_mut().zip(buffers) {
        world.buffer = *buffer;
        if *buffer > 0 {
            (world.duration, world.chosen) = (15, None);
        }
    }
    (worlds, clock)
}

/// Whether the parts from `part` on can be served, if those of `before` served the part before at its end.
fn servable(models: &[Model<'_>], place: usize, start: i64, part: usize, bound: &[usize]) -> bool {
    let Some(model) = models.get(part) else {
        return bound.is_empty();
    };
    let next = start + i64::from(model.world.chosen.unwrap_or(model.world.duration));
    let mut ways = Vec::new();
    model.ways(&|worker| model.fits(place, worker, start, 0), &mut ways);
    ways.into_iter().any(|way: Vec<usize>| {
        let all_bound_serve = bound.iter().all(|worker| way.contains(worker));
        let buffer = i64::from(model.world.buffer);
        let tight: Vec<usize> = way
            .iter()
            .copied()
            .filter(|worker| !model.fits(place, *worker, start, buffer))
            .collect();
        all_bound_serve && servable(models, place, next, part + 1, &tight)
    })
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn chains_are_those_that_some_choice_of_people_serves(
        numbers in tape(), others in proptest::collection::vec(tape(), 1..4),
        buffers in proptest::collection::vec(prop_oneof![Just(0_u32), Just(30), Just(120)], 4),
    ) {
        let (worlds, clock) = chain(numbers, others, &buffers);
        let models: Vec<Model<'_>> = worlds.iter().map(|world| Model::new(world, clock)).collect();
        let length: i64 = worlds.iter().map(|world| i64::from(world.chosen.unwrap_or(world.duration))).sum();
        let first = &worlds[0];
        let mut expected = Vec::new();
        for start in first.from.max(first.now)..=first.to - length {
            if !models[0].in_range(start) {
                continue;
            }
            for place in 0..first.places.as_ref().map_or(1, Vec::len) {
                let fits = models[0].asked(place)
                    && models[0].on_grid(place, start)
                    && servable(&models, place, start, 0, &[]);
                if fits {
                    expected.push((start, first.places.as_ref().map(|_| place)));
                }
            }
        }
        let found = chains(&worlds);
        let rows: Vec<_> =
            found.iter().map(|slot| (minute(slot.start), slot.place.map(place_number))).collect();
        prop_assert_eq!(rows, expected);
        let served = show(&worlds, |business, parts, query| list_served_chains(business, parts, query, |all| all));
        let rows: Vec<_> = served.iter().map(|(slot, _)| *slot).collect();
        prop_assert_eq!(&rows, &found);
        for (slot, served) in served.iter().take(5) {
            let answer = assigned(&worlds, minute(slot.start));
            prop_assert_eq!(answer.is_ok(), slot.bookable(), "{:?}", answer);
            prop_assert_eq!(served.len(), worlds.len());
            // Of several places the first is booked; who is told at it is who is booked.
            if let Some(booked) = answer.iter().find(|booked| booked[0].place == slot.place) {
                prop_assert_eq!(served, booked);
            }
            for (part, (found, model)) in answer.iter().flatten().zip(&models).enumerate() {
                let mut served = vec![Vec::new(); model.world.needs.len()];
                for pick in &found.picks {
                    served[pick.requirement].push(number(pick.resource));
                    let place = found.place.map_or(0, place_number);
                    let kept = minute(pick.busy_until) - minute(found.end);
                    prop_assert!(kept >= 0 && model.fits(place, number(pick.resource), minute(found.start), kept));
                    let buffer = i64::from(model.world.buffer);
                    let goes_on = |later: &Assignment| later.picks.iter().any(|one| one.resource == pick.resource);
                    let later = answer.iter().flatten().skip(part + 1).any(goes_on);
                    prop_assert!(later || kept == buffer);
                }
                for (served, need) in served.iter().zip(&model.world.needs) {
                    prop_assert_eq!(served.len(), need.count);
                }
            }
        }
    }
}
