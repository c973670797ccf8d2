//! The worked examples of spec §4.8, by their numbers; the eighth is about a class and stands with the seats.

use super::stage::{Hours, Need, Worker, World, at, busy, daily, entry, monday, place_number, zone};
use crate::domain::availability::{Busy, Entry, Obstacle, Policy};

/// From one time to another, every so many minutes, both included.
fn every(step: u32, from: &str, to: &str) -> Vec<String> {
    let minutes = |text: &str| {
        let (hour, minute) = text.split_once(':').unwrap();
        hour.parse::<u32>().unwrap() * 60 + minute.parse::<u32>().unwrap()
    };
    let show = |minute: u32| format!("{:02}:{:02}", minute / 60, minute % 60);
    (minutes(from)..=minutes(to)).step_by(step as usize).map(show).collect()
}

fn without(mut all: Vec<String>, gone: &[&str]) -> Vec<String> {
    all.retain(|start| !gone.contains(&start.as_str()));
    all
}

#[test]
fn example_1_an_empty_day_has_a_slot_on_each_step_that_ends_within_hours() {
    let starts = monday().starts();
    assert_eq!(starts, every(30, "9:00", "16:00"));
    assert_eq!(starts.len(), 15);
}

#[test]
fn example_2_a_booking_takes_the_starts_that_would_overlap_it() {
    let mut world = monday();
    busy(&mut world, 0, "12:00", "13:00");
    assert_eq!(
        world.starts(),
        without(every(30, "9:00", "16:00"), &["11:30", "12:00", "12:30"])
    );
    assert_eq!(world.starts().len(), 12);
}

#[test]
fn example_3_the_own_buffer_counts_before_a_booking_and_the_stored_one_after_it() {
    let mut world = monday();
    world.buffer = 15;
    busy(&mut world, 0, "12:00", "13:15");
    let starts = world.starts();
    let has = |start: &str| starts.iter().any(|one| one == start);
    assert!(has("10:30") && !has("11:00") && !has("13:00") && has("13:30"));
}

#[test]
fn example_4_a_step_like_the_duration_includes_the_buffer() {
    let mut world = monday();
    (world.buffer, world.step) = (15, None);
    assert_eq!(world.starts(), ["09:00", "10:15", "11:30", "12:45", "14:00", "15:15"]);
    (world.duration, world.buffer) = (30, 10);
    assert_eq!(
        world.starts()[..3],
        ["09:00", "09:40", "10:20"],
        "the example of step 4"
    );
}

#[test]
fn example_5_staff_alone_are_not_enough_where_a_room_is_needed() {
    let mut world = monday();
    world.workers = vec![Worker::with(daily(9, 17)); 3];
    world.needs = vec![
        Need {
            staff: true,
            count: 1,
            allowed: vec![0, 1],
        },
        Need {
            staff: false,
            count: 1,
            allowed: vec![2],
        },
    ];
    busy(&mut world, 2, "10:00", "11:00");
    assert_eq!(
        world.starts(),
        without(every(30, "9:00", "16:00"), &["09:30", "10:00", "10:30"])
    );
    assert!(
        world
            .list()
            .iter()
            .all(|slot| slot.free_count(0) == 2 && slot.free_count(1) == 1)
    );
}

#[test]
fn example_6_two_of_a_type_are_two() {
    let mut world = monday();
    world.workers = vec![Worker::with(daily(9, 17)); 2];
    world.needs = vec![Need {
        staff: true,
        count: 2,
        allowed: vec![0, 1],
    }];
    busy(&mut world, 1, "12:00", "13:00");
    assert_eq!(
        world.starts(),
        without(every(30, "9:00", "16:00"), &["11:30", "12:00", "12:30"])
    );
}

#[test]
fn example_7_exactly_on_the_late_limit_is_allowed() {
    let mut world = World::on("2026-05-05");
    world.now = world.time("10:00") - 24 * 60;
    world.policy = Policy {
        latest: Some(24 * 60),
        ..Policy::default()
    };
    let slots = world.list();
    let flag = |time: &str| {
        let slot = slots.iter().find(|slot| slot.start() == at(world.time(time))).unwrap();
        (
            slot.violations().too_late,
            slot.bookable(),
            slot.reasons().violates_booking_policy,
        )
    };
    assert_eq!(flag("9:30"), (true, false, true));
    assert_eq!(flag("10:00"), (false, true, false));
}

#[test]
fn example_9_hours_over_a_gap_lose_it() {
    let mut world = World::on("2026-03-29");
    world.zone = zone("Europe/Berlin");
    world.workers = vec![Worker::with(daily(1, 5))];
    world.step = Some(60);
    // From the midnight there on; the day has 23 hours.
    world.from -= 60;
    world.to -= 120;
    world.now = world.from;
    assert_eq!(world.starts(), ["01:00", "03:00", "04:00"]);
}

#[test]
fn example_10_hours_bound_to_a_place_give_slots_there_and_nowhere_else() {
    let mut world = monday();
    let weekly = vec![
        (0x1, (540, 720, Some(0)), None, None),
        (0x1, (780, 1020, Some(1)), None, None),
    ];
    world.workers = vec![Worker::with(Hours {
        weekly,
        special: Vec::new(),
    })];
    world.places = Some(vec![None, None]);
    let slots = world.list();
    assert_eq!(slots.len(), 5 + 7);
    for slot in slots.iter() {
        let morning = slot.start() < at(world.time("12:30"));
        assert_eq!(slot.place().map(place_number), Some(usize::from(!morning)));
    }
}

#[test]
fn example_11_what_is_transparent_or_called_off_blocks_nothing() {
    let world = monday();
    let block = entry(Obstacle::Block, &world, "9:00", "17:00");
    assert!(Busy::of_entry(&block).is_some());
    assert_eq!(
        Busy::of_entry(&Entry {
            transparent: true,
            ..block
        }),
        None
    );
    assert_eq!(
        Busy::of_entry(&Entry {
            cancelled: true,
            ..block
        }),
        None
    );
    assert_eq!(
        Busy::of_entry(&Entry {
            one_of_many: true,
            ..block
        }),
        None,
        "several may ask for one time"
    );
}

#[test]
fn example_12_an_all_day_event_elsewhere_takes_the_day() {
    let mut world = monday();
    let event = entry(Obstacle::External, &world, "0:00", "24:00");
    let busy = Busy::of_entry(&event).unwrap();
    assert_eq!(busy.span, event.span);
    self::busy(&mut world, 0, "0:00", "24:00");
    world.to += 24 * 60;
    let starts = world.list();
    assert_eq!(starts.len(), 15, "the next day's");
    assert!(starts.iter().all(|slot| slot.start() >= at(world.time("24:00"))));
}
