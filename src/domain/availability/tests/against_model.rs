//! Random businesses: the engine and the model give equal answers.

use std::sync::OnceLock;

use jiff::{ToSpan as _, civil::Date, tz::TimeZone};
use proptest::prelude::*;

use super::{
    model::{Clock, Model, Row},
    stage::{BY_RANK, Hours, Need, Source, Times, Worker, World, at, minute, number, place_number, zone},
};
use crate::domain::availability::{HoursMode, Policy, Refusal, Slot, Start, check, list};

/// Numbers from which a world is built; small ones make a plain world, so that failures shrink to plain ones.
pub(super) struct Tape(std::vec::IntoIter<u16>);

impl Tape {
    pub(super) fn new(numbers: Vec<u16>) -> Self {
        Self(numbers.into_iter())
    }

    /// A number below `count`; 0 when the tape is at its end.
    pub(super) fn below(&mut self, count: usize) -> usize {
        usize::from(self.0.next().unwrap_or(0)) % count
    }

    fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }

    fn once_in(&mut self, count: usize) -> bool {
        self.below(count) == count - 1
    }
}

pub(super) fn tape() -> impl Strategy<Value = Vec<u16>> {
    proptest::collection::vec(any::<u16>(), 0..160)
}

/// Thousands, optimized; a thousand in a plain test run, where everything takes its time.
pub(super) fn cases() -> ProptestConfig {
    ProptestConfig::with_cases(if cfg!(debug_assertions) { 1000 } else { 5000 })
}

/// Zones with a date on or just before which the clock changes, and the minutes around it.
pub(super) fn scenes() -> &'static [(TimeZone, Date, Clock)] {
    static SCENES: OnceLock<Vec<(TimeZone, Date, Clock)>> = OnceLock::new();
    SCENES.get_or_init(|| {
        let scenes = [
            ("UTC", "2026-05-04"),
            ("Europe/Berlin", "2026-03-28"),
            ("Europe/Berlin", "2026-10-24"),
            ("America/New_York", "2026-03-07"),
            ("America/New_York", "2026-10-31"),
            ("Australia/Lord_Howe", "2026-04-04"),
            ("Australia/Lord_Howe", "2026-10-03"),
            ("Pacific/Apia", "2011-12-29"),
            ("Pacific/Apia", "2011-12-31"),
            ("Africa/Casablanca", "2026-02-14"),
            ("Africa/Casablanca", "2026-03-21"),
        ];
        let scene = |(name, date): (&str, &str)| {
            let (zone, date) = (zone(name), date.parse::<Date>().unwrap());
            let first = minute(zone.to_zoned((date - 6.days()).at(0, 0, 0, 0)).unwrap().timestamp());
            let clock = Clock::new(&zone, first, 14 * 24 * 60);
            (zone, date, clock)
        };
        scenes.into_iter().map(scene).collect()
    })
}

fn times(tape: &mut Tape, places: usize) -> Times {
    let start = if tape.once_in(8) {
        tape.below(1440)
    } else {
        540 + tape.below(56) * 15
    } % 1440;
    let length = if tape.once_in(8) {
        1 + tape.below(1440)
    } else {
        480 - tape.below(31) * 15
    };
    let length = if tape.once_in(6) { 1440 } else { length };
    let place = (places > 0 && tape.once_in(4)).then(|| tape.below(places));
    (
        u16::try_from(start).unwrap(),
        u16::try_from(start + length).unwrap(),
        place,
    )
}

fn hours(tape: &mut Tape, date: Date, places: usize) -> Hours {
    let near = |tape: &mut Tape| date + (3 - i64::try_from(tape.below(7)).unwrap()).days();
    let weekly = (0..=tape.below(3)).map(|_| {
        let days = if tape.once_in(3) {
            u8::try_from(tape.below(128)).unwrap()
        } else {
            0x7f
        };
        let times = times(tape, places);
        let from = tape.once_in(8).then(|| near(tape));
        let until = tape.once_in(8).then(|| near(tape));
        (days, times, from, until)
    });
    let weekly = weekly.collect();
    let mut special: Vec<(Date, Vec<Times>)> = Vec::new();
    for _ in 0..tape.below(3) {
        let day = near(tape);
        let own = (0..tape.below(3)).map(|_| times(tape, places)).collect();
        if special.iter().all(|(other, _)| *other != day) {
            special.push((day, own));
        }
    }
    Hours { weekly, special }
}

fn subset(tape: &mut Tape, count: usize) -> Vec<usize> {
    let bits = (1 << count) - 1 - tape.below(1 << count);
    (0..count).filter(|one| bits >> one & 1 == 1).collect()
}

pub(super) fn world(tape: &mut Tape) -> (World, &'static Clock) {
    let (zone, date, clock) = &scenes()[tape.below(scenes().len())];
    let midnight = minute(zone.to_zoned(date.at(0, 0, 0, 0)).unwrap().timestamp());
    let minutes = |tape: &mut Tape, count: usize| i64::try_from(tape.below(count)).unwrap();
    let from = midnight + minutes(tape, 1440);
    let to = from + 1440 + minutes(tape, 1440);
    let places = tape.below(3);
    let span = |tape: &mut Tape| {
        let start = from - 600 + minutes(tape, 3600);
        (start, start + 5 + minutes(tape, 240))
    };
    let workers: Vec<Worker> = (0..=tape.below(4))
        .map(|_| Worker {
            ranking: i32::try_from(tape.below(3)).unwrap(),
            hours: match tape.below(4) {
                0 | 1 => Source::Own(hours(tape, *date, places)),
                2 => Source::Business,
                _ => Source::Unset,
            },
            places: (places > 0 && tape.once_in(3)).then(|| subset(tape, places)),
            busy: (0..tape.below(7)).map(|_| span(tape)).collect(),
        })
        .collect();
    let needs: Vec<Need> = (0..=tape.below(3))
        .map(|position| Need {
            staff: position == 0 || tape.once_in(2),
            count: 1 + usize::from(tape.once_in(4)),
            allowed: subset(tape, workers.len()),
        })
        .collect();
    let limit = |tape: &mut Tape| u32::try_from(tape.below(3000)).unwrap();
    let requested = if tape.once_in(3) {
        vec![(
            tape.below(needs.len()),
            (0..=tape.below(2)).map(|_| tape.below(workers.len())).collect(),
        )]
    } else {
        Vec::new()
    };
    let requested = requested
        .into_iter()
        .map(|(need, mut asked): (usize, Vec<usize>)| {
            asked.sort_unstable();
            asked.dedup();
            (need, asked)
        })
        .collect();
    let shut: Vec<usize> = (0..places).filter(|_| tape.once_in(3)).collect();
    let world = World {
        zone: zone.clone(),
        hours: tape.once_in(2).then(|| hours(tape, *date, places)),
        closed: (0..usize::from(tape.once_in(4))).map(|_| span(tape)).collect(),
        shut: shut.into_iter().map(|place| (place, span(tape))).collect(),
        now: from - 1500 + minutes(tape, 2000),
        duration: tape.one_of(&[60, 30, 45, 90, 15, 480, 1500]),
        chosen: tape.once_in(6).then_some(75),
        buffer: tape.one_of(&[0, 15, 0, 30, 7]),
        step: tape.one_of(&[Some(30), Some(60), None, Some(20), Some(50), Some(7)]),
        needs,
        places: (places > 0).then(|| {
            (0..places)
                .map(|_| tape.once_in(3).then(|| hours(tape, *date, places)))
                .collect()
        }),
        service_hours: tape.once_in(6).then(|| {
            let mode = tape.one_of(&[HoursMode::Intersect, HoursMode::Override]);
            (mode, hours(tape, *date, places))
        }),
        variable_length: tape.once_in(3),
        available: (
            tape.once_in(8).then(|| from + minutes(tape, 1440)),
            tape.once_in(8).then(|| from + 1440 + minutes(tape, 1440)),
        ),
        online: !tape.once_in(8),
        policy: Policy {
            earliest: tape.once_in(3).then(|| limit(tape)),
            latest: tape.once_in(3).then(|| limit(tape)),
            after_start: false,
            max_party: None,
        },
        from,
        to,
        requested,
        asked_places: (places > 0 && tape.once_in(4)).then(|| subset(tape, places)),
        per_day: tape.once_in(4).then(|| {
            let zones = [zone.clone(), self::zone("Pacific/Auckland"), TimeZone::UTC];
            (1 + u32::try_from(tape.below(4)).unwrap(), zones[tape.below(3)].clone())
        }),
        ignore_policy: tape.once_in(6),
        workers,
    };
    (world, clock)
}

pub(super) fn row(slot: &Slot<'_>, needs: usize) -> Row {
    let free = (0..needs).map(|need| {
        let mut free: Vec<usize> = slot.free(need).map(number).collect();
        free.sort_unstable();
        assert_eq!(free.len(), slot.free_count(need));
        free
    });
    let broken = slot.violations();
    let place = slot.place().map(place_number);
    (
        minute(slot.start()),
        place,
        slot.bookable(),
        broken.too_early,
        broken.too_late,
        free.collect(),
    )
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn the_engine_lists_what_the_model_finds(numbers in tape()) {
        let (world, clock) = world(&mut Tape::new(numbers));
        let model = Model::new(&world, clock);
        let found: Vec<Row> = world.list().iter().map(|slot| row(&slot, world.needs.len())).collect();
        prop_assert_eq!(found, model.list());
    }

    #[test]
    fn a_start_is_accepted_where_the_model_says_so(numbers in tape(), starts in proptest::collection::vec(0_i64..3000, 12)) {
        let (world, clock) = world(&mut Tape::new(numbers));
        let model = Model::new(&world, clock);
        let listed = world.show(|business, service, query| {
            list(business, service, query).iter().map(|slot| minute(slot.start())).collect::<Vec<_>>()
        });
        let near = starts.iter().map(|start| world.from + start);
        for start in near.chain(listed.into_iter().take(6)) {
            let count = world.places.as_ref().map_or(1, Vec::len);
            let asked: Vec<usize> = (0..count).filter(|place| model.asked(*place)).collect();
            let servable: Vec<usize> = asked.iter().copied().filter(|place| model.servable(*place, start)).collect();
            let on_grid = servable.iter().any(|place| model.on_grid(*place, start));
            for off_grid in [false, true] {
                let answer = world.show(|business, service, query| {
                    check(business, service, query, Start { at: at(start), off_grid }, &BY_RANK)
                });
                let rows = model.world.policy.judge(at(start), None, world.online, at(world.now));
                let refused = rows.any() && !world.ignore_policy;
                match answer {
                    Ok(found) => {
                        prop_assert!(start >= world.now && model.in_range(start) && (on_grid || off_grid) && !refused);
                        let place = found.place.map_or(0, place_number);
                        prop_assert!(servable.contains(&place));
                        let mut served = vec![Vec::new(); world.needs.len()];
                        for pick in &found.picks {
                            served[pick.requirement].push(number(pick.resource));
                        }
                        prop_assert!(model.serves(place, start, &served), "{:?}", served);
                    }
                    Err(Refusal::PlaceNotOffered) => prop_assert!(asked.is_empty()),
                    Err(Refusal::InThePast) => prop_assert!(start < world.now),
                    Err(Refusal::OutsideRange) => prop_assert!(!model.in_range(start)),
                    Err(Refusal::NotFree(found)) => {
                        prop_assert!(servable.is_empty());
                        prop_assert!(!found.is_empty());
                    }
                    Err(Refusal::OffGrid { before, after }) => {
                        prop_assert!(!servable.is_empty() && !on_grid && !off_grid);
                        prop_assert!(before.is_none_or(|before| before < at(start)));
                        prop_assert!(after.is_none_or(|after| after > at(start)));
                    }
                    Err(Refusal::PartyTooLarge { .. }) => prop_assert!(false, "one person is never too many"),
                    Err(Refusal::Policy(broken)) => prop_assert!(broken == rows && refused),
                }
            }
        }
    }
}
