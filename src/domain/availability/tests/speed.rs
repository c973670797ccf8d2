//! How long a month of a large business takes. Printed, not asserted: run it optimized, with
//! `cargo test --release a_month_of_a_large_business -- --ignored --nocapture`.

use std::time::Instant;

use super::{
    super::fit::Bench,
    stage::{BY_RANK, Hours, Need, Source, Worker, World, daily, zone},
};
use crate::domain::{
    availability::{ChainQuery, HoursSource, Part, list, list_chains},
    hours::{Calendar, Scope},
};

/// 50 staff, 5,000 bookings of an hour in the month, a grid of 30 minutes.
fn large(own_hours: bool, rooms: usize) -> World {
    let mut world = World::on("2026-05-01");
    world.zone = zone("Europe/Berlin");
    world.to = world.from + 31 * 24 * 60;
    world.hours = Some(daily(8, 20));
    world.buffer = 10;
    world.workers = (0..50 + rooms)
        .map(|index| {
            let mut worker = Worker::with(daily(9, 17));
            if own_hours {
                let start = u16::try_from(480 + index % 4 * 30).unwrap();
                let weekly = vec![
                    (0x1f, (start, start + 240, None), None, None),
                    (0x3f, (start + 300, 1080, None), None, None),
                ];
                worker.hours = Source::Own(Hours {
                    weekly,
                    special: Vec::new(),
                });
            } else {
                worker.hours = Source::Business;
            }
            for booking in 0..100_i64 {
                let day = booking * 31 / 100;
                let slot = (i64::try_from(index).unwrap() * 7 + booking * 3) % 16;
                let start = world.from + day * 24 * 60 + 7 * 60 + slot * 30;
                worker.busy.push((start, start + 70));
            }
            worker
        })
        .collect();
    world.needs = vec![Need {
        staff: true,
        count: 1,
        allowed: (0..50).collect(),
    }];
    if rooms > 0 {
        world.needs.push(Need {
            staff: false,
            count: 1,
            allowed: (50..50 + rooms).collect(),
        });
    }
    world
}

/// The shortest of many runs, in microseconds.
fn shortest<T>(mut run: impl FnMut() -> T) -> (u128, T) {
    let mut best = (u128::MAX, run());
    for _ in 0..300 {
        let begin = Instant::now();
        let result = run();
        best = (best.0.min(begin.elapsed().as_micros()), result);
    }
    best
}

#[test]
#[ignore = "prints a figure"]
fn a_month_of_a_large_business() {
    for (name, world) in [
        ("hours of the business", large(false, 0)),
        ("hours of their own", large(true, 0)),
        ("hours of their own, and one of 10 rooms", large(true, 10)),
    ] {
        world.show(|business, service, query| {
            let (whole, slots) = shortest(|| list(business, service, query));
            let read = || slots.iter().map(|slot| slot.free_count(0) + usize::from(slot.bookable())).sum::<usize>();
            let (reading, free) = shortest(read);
            let (ready, bench) = shortest(|| Bench::new(business, service, query, query.from, query.to));
            let window = (query.from.as_microsecond(), query.to.as_microsecond());
            let (grid, starts) = shortest(|| bench.starts(0, window.0, window.1));
            let (sheet, _) = shortest(|| bench.sheet(0, starts.clone(), bench.buffer));
            let hours = business.resources.iter().filter_map(|resource| match resource.hours {
                HoursSource::Own(hours) => Some(hours),
                HoursSource::Business | HoursSource::Unset => business.hours,
            });
            let hours: Vec<_> = hours.collect();
            let (calendar, days) = shortest(|| Calendar::new(business.zone, query.from, query.to));
            let (expanding, _) = shortest(|| {
                hours.iter().map(|hours| hours.expand(&days, Scope::Everywhere).len()).sum::<usize>()
            });
            println!(
                "{name}: {} slots of {} starts in {whole} µs: {ready} to ready hours and bookings (calendar {calendar}, \
                 expanding everybody's hours {expanding}), {grid} for the grid, {sheet} for who is free; \
                 reading all {free} free resources takes {reading} µs",
                slots.len(),
                starts.len(),
            );
            let part = Part { service, duration: None, requested: &[], choice: BY_RANK };
            let chain = ChainQuery {
                from: query.from,
                to: query.to,
                places: None,
                party: query.party,
                per_day: None,
                ignore_policy: false,
            };
            let (chains, found) = shortest(|| list_chains(business, &[part, part, part], &chain).len());
            println!("    three visits in a row: {found} starts in {chains} µs");
        });
    }
}
