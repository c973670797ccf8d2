//! Properties of spec §4.12, by number, over the random businesses of the comparison with the model.

use proptest::prelude::*;

use super::{
    against_model::{Tape, cases, row, tape, world},
    model::Row,
    stage::{BY_RANK, World, at, minute, number},
};
use crate::domain::availability::{Start, check, list};

fn rows(world: &World) -> Vec<Row> {
    world.list().iter().map(|slot| row(&slot, world.needs.len())).collect()
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn property_1_no_slot_overlaps_what_blocks_a_resource_that_is_free_for_it(numbers in tape()) {
        let (world, _) = world(&mut Tape::new(numbers));
        for slot in world.list().iter() {
            let (start, end) = (minute(slot.start()), minute(slot.end()) + i64::from(world.buffer));
            for worker in (0..world.needs.len()).flat_map(|need| slot.free(need)) {
                let busy = world.workers[number(worker)].busy.iter().chain(&world.closed);
                let mut clash = busy.filter(|(from, to)| *from < end && start < *to);
                prop_assert_eq!(clash.next(), None);
            }
        }
    }

    #[test]
    fn properties_2_to_4_a_slot_can_be_booked_once_and_comes_back_when_it_is_cancelled(numbers in tape(), which: usize) {
        let (mut world, _) = world(&mut Tape::new(numbers));
        world.ignore_policy = true;
        world.per_day = None;
        let before = rows(&world);
        if before.is_empty() {
            return Ok(());
        }
        let (start, place, ..) = before[which % before.len()].clone();
        world.asked_places = place.map(|place| vec![place]);
        let book = |world: &World| world.show(|business, service, query| {
            check(business, service, query, Start { at: at(start), off_grid: false }, &BY_RANK)
        });
        let first = book(&world);
        prop_assert!(first.is_ok(), "{:?}", first);
        let mut after = world.clone();
        for pick in first.iter().flat_map(|first| &first.picks) {
            let taken = (minute(pick.start), minute(pick.busy_until));
            after.workers[number(pick.resource)].busy.push(taken);
        }
        // The same people can't be had again.
        for pick in first.iter().flat_map(|first| &first.picks) {
            let asked = (pick.requirement, vec![number(pick.resource)]);
            let again = World { requested: vec![asked], ..after.clone() };
            prop_assert!(book(&again).is_err());
        }
        for (worker, taken) in after.workers.iter_mut().zip(&world.workers) {
            worker.busy.truncate(taken.busy.len());
        }
        after.asked_places = None;
        world.asked_places = None;
        prop_assert_eq!(rows(&after), rows(&world));
    }

    #[test]
    fn everybody_who_is_listed_as_free_can_be_had_unless_needed_elsewhere(numbers in tape()) {
        let (mut world, _) = world(&mut Tape::new(numbers));
        (world.ignore_policy, world.per_day) = (true, None);
        world.requested.clear();
        world.needs.truncate(1);
        for (start, place, _, _, _, free) in rows(&world).into_iter().step_by(7) {
            for one in free.into_iter().flatten() {
                let asked = World {
                    requested: vec![(0, vec![one])],
                    asked_places: place.map(|place| vec![place]),
                    ..world.clone()
                };
                let found = asked.show(|business, service, query| {
                    check(business, service, query, Start { at: at(start), off_grid: false }, &BY_RANK)
                });
                prop_assert!(found.is_ok_and(|found| number(found.picks[0].resource) == one));
            }
        }
    }

    #[test]
    fn property_5_a_window_in_two_halves_gives_the_same(numbers in tape(), cut in 0_i64..2880) {
        let (mut world, _) = world(&mut Tape::new(numbers));
        world.per_day = None;
        let whole = rows(&world);
        let middle = (world.from + cut).min(world.to);
        let mut halves = rows(&World { to: middle, ..world.clone() });
        halves.extend(rows(&World { from: middle, ..world.clone() }));
        prop_assert_eq!(&halves, &whole);
        let slots = world.list();
        let paged: Vec<Row> = (0..slots.len())
            .step_by(3)
            .flat_map(|page| slots.iter().skip(page).take(3).map(|slot| row(&slot, world.needs.len())).collect::<Vec<_>>())
            .collect();
        prop_assert_eq!(paged, whole);
    }

    #[test]
    fn property_6_the_zone_that_is_asked_for_only_groups_days(numbers in tape(), most in 1_u32..5) {
        let (mut world, _) = world(&mut Tape::new(numbers));
        world.per_day = None;
        let all = rows(&world);
        for name in ["UTC", "Asia/Kathmandu", "America/St_Johns"] {
            world.per_day = Some((most, super::stage::zone(name)));
            let some = rows(&world);
            prop_assert!(some.iter().all(|row| all.contains(row)));
            world.per_day = Some((u32::MAX, super::stage::zone(name)));
            prop_assert_eq!(&rows(&world), &all);
        }
    }

    #[test]
    fn property_7_something_more_that_is_busy_never_adds_a_slot(
        numbers in tape(), worker: usize, start in -300_i64..3000, length in 1_i64..400,
    ) {
        let (mut world, _) = world(&mut Tape::new(numbers));
        world.per_day = None;
        let before = rows(&world);
        let worker = worker % world.workers.len();
        let from = world.from + start;
        world.workers[worker].busy.push((from, from + length));
        for (start, place, .., free) in rows(&world) {
            let same = before.iter().find(|row| row.0 == start && row.1 == place);
            let more = |(before, after): (&Vec<usize>, &Vec<usize>)| after.iter().all(|one| before.contains(one));
            prop_assert!(same.is_some_and(|same| same.5.iter().zip(&free).all(more)));
        }
    }

    #[test]
    fn property_8_every_visit_lasts_as_long(numbers in tape()) {
        let (world, _) = world(&mut Tape::new(numbers));
        let duration = i64::from(world.chosen.unwrap_or(world.duration));
        let slots = world.show(list);
        prop_assert!(slots.iter().all(|slot| slot.end().duration_since(slot.start()).as_mins() == duration));
    }

    #[test]
    fn property_9_what_cant_be_booked_has_a_reason(numbers in tape()) {
        let (world, _) = world(&mut Tape::new(numbers));
        for slot in world.list().iter() {
            prop_assert_eq!(slot.bookable(), !slot.reasons().any());
            prop_assert!(slot.remaining() == 1);
        }
    }
}
