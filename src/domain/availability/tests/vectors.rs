//! The vectors of spec §11.5 that are about appointments: grid, buffer, hours, clocks, windows, caps.

use super::stage::{
    BY_RANK, Hours, Need, Source, Worker, World, at, busy, daily, days, entry, minutes, monday, place_number, resource,
    span, zone,
};
use crate::domain::availability::{Busy, Entry, Obstacle, Query, Refusal, Start, check, list};

#[test]
fn only_appointments_and_holds_keep_a_buffer() {
    let world = monday();
    for (obstacle, extended) in [
        (Obstacle::Appointment, true),
        (Obstacle::Hold, true),
        (Obstacle::Session, false),
        (Obstacle::Block, false),
        (Obstacle::External, false),
    ] {
        let event = Entry {
            buffer: 15,
            ..entry(obstacle, &world, "12:00", "13:00")
        };
        let end = if extended { "13:15" } else { "13:00" };
        assert_eq!(
            Busy::of_entry(&event).unwrap().span,
            span(world.time("12:00"), world.time(end)),
            "{obstacle:?}"
        );
    }
}

#[test]
fn the_example_of_the_fit_test() {
    let mut world = monday();
    world.workers = vec![Worker::with(daily(10, 18))];
    (world.duration, world.buffer) = (120, 30);
    busy(&mut world, 0, "13:00", "15:30");
    assert_eq!(world.starts(), ["10:00", "10:30", "15:30", "16:00"]);
}

#[test]
fn a_buffer_may_leave_the_hours() {
    let mut world = monday();
    world.workers = vec![Worker::with(daily(9, 18))];
    (world.duration, world.buffer) = (30, 30);
    assert_eq!(world.starts().last().unwrap(), "17:30");
}

#[test]
fn a_start_exactly_at_the_end_of_a_stored_buffer_and_a_buffer_exactly_up_to_a_booking_are_allowed() {
    let mut world = monday();
    (world.buffer, world.step) = (15, Some(15));
    busy(&mut world, 0, "12:00", "13:15");
    let starts = world.starts();
    let has = |start: &str| starts.iter().any(|one| one == start);
    assert!(has("13:15") && !has("13:00"), "after");
    assert!(has("10:45") && !has("11:00"), "before");
}

#[test]
fn hours_that_touch_are_one_open_time() {
    let mut world = monday();
    let weekly = vec![
        (0x7f, (540, 600, None), None, None),
        (0x7f, (600, 690, None), None, None),
    ];
    world.workers = vec![Worker::with(Hours {
        weekly,
        special: Vec::new(),
    })];
    assert_eq!(world.starts(), ["09:00", "09:30", "10:00", "10:30"]);
}

#[test]
fn the_grid_begins_anew_with_each_open_time_and_not_after_a_booking() {
    let mut world = monday();
    let weekly = vec![
        (0x7f, (540, 660, None), None, None),
        (0x7f, (795, 900, None), None, None),
    ];
    world.workers = vec![Worker::with(Hours {
        weekly,
        special: Vec::new(),
    })];
    busy(&mut world, 0, "9:00", "9:40");
    assert_eq!(world.starts(), ["10:00", "13:15", "13:45"]);
}

#[test]
fn hours_past_midnight_belong_to_the_evening() {
    let mut world = World::on("2026-05-05");
    world.workers = vec![Worker::with(days(0x1, 22, 26))];
    assert_eq!(
        world.starts(),
        ["00:00", "00:30", "01:00"],
        "of Monday's evening, on Tuesday"
    );
}

#[test]
fn the_grid_does_not_depend_on_where_the_question_begins() {
    let mut world = monday();
    world.workers = vec![Worker::with(daily(9, 17))];
    world.from = world.time("10:10");
    assert_eq!(world.starts()[0], "10:30");
}

#[test]
fn around_the_clock_the_grid_begins_at_midnight() {
    let mut world = monday();
    (world.hours, world.step) = (None, Some(50));
    world.workers[0].hours = Source::Unset;
    assert_eq!(world.starts()[..3], ["00:00", "00:50", "01:40"]);
    assert_eq!(world.starts().last().unwrap(), "23:20", "the night is open too");
}

#[test]
fn a_repeated_hour_gives_its_slots_twice_on_both_hemispheres() {
    for (name, date, twice) in [
        ("Europe/Berlin", "2026-10-25", "02:00"),
        ("America/New_York", "2026-11-01", "01:00"),
        ("America/Santiago", "2026-04-04", "23:00"),
        ("Australia/Sydney", "2026-04-05", "02:00"),
    ] {
        let mut world = World::on(date);
        world.zone = zone(name);
        world.workers = vec![Worker::with(daily(0, 24))];
        world.step = Some(60);
        let midnight = world
            .zone
            .to_zoned(date.parse::<jiff::civil::Date>().unwrap().at(0, 0, 0, 0))
            .unwrap();
        world.from = midnight.timestamp().as_second() / 60;
        world.to = world.from + 25 * 60;
        world.now = world.from;
        let starts = world.starts();
        assert_eq!(starts.len(), 25, "{name}");
        assert_eq!(starts.iter().filter(|start| *start == twice).count(), 2, "{name}");
    }
}

#[test]
fn half_an_hour_is_lost_and_won_on_lord_howe() {
    for (date, expected) in [
        ("2026-10-04", vec!["01:00", "01:30", "02:30", "03:00"]),
        ("2026-04-05", vec!["01:00", "01:30", "01:30", "02:00", "02:30", "03:00"]),
    ] {
        let mut world = World::on(date);
        world.zone = zone("Australia/Lord_Howe");
        world.workers = vec![Worker::with(daily(1, 4))];
        (world.from, world.to) = (world.from - 12 * 60, world.to - 12 * 60);
        world.now = world.from;
        assert_eq!(world.starts(), expected, "{date}");
    }
}

#[test]
fn every_visit_lasts_as_long_whatever_the_clock_does() {
    let mut world = World::on("2026-03-29");
    world.zone = zone("Europe/Berlin");
    world.workers = vec![Worker::with(daily(1, 5))];
    world.from -= 60;
    world.now = world.from;
    assert!(
        world
            .list()
            .iter()
            .all(|slot| slot.end().duration_since(slot.start()).as_mins() == 60)
    );
}

#[test]
fn the_first_of_a_day_that_can_be_booked_is_kept() {
    let mut world = World::on("2026-05-05");
    world.now = world.time("10:00") - 24 * 60;
    world.policy.latest = Some(24 * 60);
    world.per_day = Some((1, world.zone.clone()));
    assert_eq!(world.starts(), ["10:00"], "and not 9:00, which is too late to book");
    world.per_day = Some((14, world.zone.clone()));
    assert_eq!(world.starts().len(), 14);
    assert_eq!(world.starts()[0], "09:00", "those that stay are in order of time");
}

#[test]
fn days_are_those_of_the_zone_that_is_asked_for() {
    let mut world = monday();
    world.per_day = Some((1, zone("Pacific/Auckland")));
    assert_eq!(
        world.starts(),
        ["09:00", "12:00"],
        "noon in UTC is the next day's midnight there"
    );
}

#[test]
fn hours_of_the_business_bound_a_service_that_needs_more_than_staff_or_varies_in_length() {
    let mut world = monday();
    world.hours = Some(daily(10, 12));
    assert_eq!(world.starts().len(), 15, "staff alone may work longer");
    world.variable_length = true;
    assert_eq!(world.starts(), ["10:00", "10:30", "11:00"]);
    world.variable_length = false;
    world.workers.push(Worker {
        hours: Source::Unset,
        ..world.workers[0].clone()
    });
    world.needs.push(Need {
        staff: false,
        count: 1,
        allowed: vec![1],
    });
    assert_eq!(world.starts(), ["10:00", "10:30", "11:00"]);
}

#[test]
fn a_resource_without_hours_follows_the_place() {
    let mut world = monday();
    world.hours = Some(daily(10, 12));
    world.workers[0].hours = Source::Unset;
    world.places = Some(vec![None, Some(daily(14, 15))]);
    let slots = world.list();
    let rows: Vec<_> = slots
        .iter()
        .map(|slot| (slot.start(), slot.place().map(place_number)))
        .collect();
    assert_eq!(rows.len(), 4);
    assert_eq!(rows[3], (at(world.time("14:00")), Some(1)));
}

#[test]
fn a_booking_window_that_is_not_open_says_when_it_will_be() {
    let mut world = monday();
    world.now = world.time("9:30") - 120;
    world.policy.earliest = Some(120);
    let slots = world.list();
    let at_1000 = slots.get(2).unwrap();
    assert!(!slots.get(1).unwrap().violations().too_early, "exactly on the limit");
    assert_eq!(at_1000.violations().earliest_booking, Some(at(world.time("8:00"))));
    assert!(!at_1000.bookable());
}

#[test]
fn windows_are_elapsed_minutes_over_a_change_of_the_clock() {
    let mut world = World::on("2026-03-29");
    world.zone = zone("Europe/Berlin");
    world.now = world.time("9:00") - 25 * 60;
    world.policy.latest = Some(24 * 60);
    // 10:00 on the clock the day before is 23 elapsed hours before 10:00 of the day that is an hour shorter.
    assert_eq!(
        world.list().iter().filter(|slot| slot.violations().too_late).count(),
        2,
        "9:00 and 9:30 local"
    );
}

#[test]
fn a_service_that_is_not_booked_online_is_listed_and_only_the_business_can_book_it() {
    let mut world = monday();
    world.online = false;
    assert!(
        world
            .list()
            .iter()
            .all(|slot| slot.violations().online_disabled && !slot.bookable())
    );
    world.ignore_policy = true;
    assert!(
        world
            .list()
            .iter()
            .all(|slot| slot.violations().online_disabled && slot.bookable())
    );
}

#[test]
fn a_party_larger_than_one_booking_may_bring_finds_no_spot() {
    let world = monday();
    let reasons = world.show(|business, service, query| {
        let query = Query {
            party: minutes(2),
            ..*query
        };
        let slots = list(business, service, &query);
        slots.iter().map(|slot| slot.reasons()).collect::<Vec<_>>()
    });
    assert!(!reasons.is_empty() && reasons.iter().all(|reasons| reasons.no_remaining_capacity));
}

#[test]
fn closing_the_business_blocks_everybody() {
    let mut world = monday();
    world.closed = vec![(world.time("9:00"), world.time("16:00"))];
    assert_eq!(world.starts(), ["16:00"]);
}

#[test]
fn a_start_beside_the_grid_is_refused_and_its_neighbours_are_named() {
    let world = monday();
    let ask = |time: &str, off_grid| {
        world.show(|business, service, query| {
            check(
                business,
                service,
                query,
                Start {
                    at: at(world.time(time)),
                    off_grid,
                },
                &BY_RANK,
            )
        })
    };
    let (before, after) = (Some(at(world.time("9:00"))), Some(at(world.time("9:30"))));
    assert_eq!(ask("9:10", false), Err(Refusal::OffGrid { before, after }));
    assert_eq!(
        ask("9:10", true).unwrap().picks[0].resource,
        resource(0),
        "the business's own word"
    );
    assert!(
        matches!(ask("16:30", true), Err(Refusal::NotFree(_))),
        "its word doesn't make the day longer"
    );
}
