//! The wall clock over every change of every zone of the bundled database.

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp, civil::DateTime, tz::Offset};

use super::*;

fn zone(name: &str) -> ZoneName {
    ZoneName::parse(name).unwrap()
}

fn starts(occurrences: &[Occurrence]) -> Vec<String> {
    occurrences.iter().map(|it| it.time.span.start().to_string()).collect()
}

fn clock(occurrences: &[Occurrence]) -> Vec<String> {
    let show = |at: DateTime| at.strftime("%d %H:%M").to_string();
    occurrences
        .iter()
        .map(|it| format!("{} to {}", show(it.time.local_start), show(it.time.local_end)))
        .collect()
}

fn minutes(minutes: i64) -> SignedDuration {
    SignedDuration::from_mins(minutes)
}

/// Expands around one change of the clock and checks what must hold of every expansion. Gives the number checked.
fn check(zone: &ZoneName, rule: &Recurrence, start: DateTime, length: SignedDuration, window: Window) -> usize {
    let pattern = rule.occurrences(start, window).unwrap();
    let timed = timed(rule, start, length, zone, window).unwrap();
    let (name, rules) = (zone.as_str(), zone.zone());
    for pair in timed.windows(2) {
        assert!(
            pair[0].time.span.start() < pair[1].time.span.start(),
            "{name}: {pair:?}"
        );
    }
    for it in &timed {
        let meant = rules.to_ambiguous_timestamp(it.original_start);
        assert_eq!(it.time.span.start(), meant.compatible().unwrap(), "{name}");
        assert_eq!(rules.to_datetime(it.time.span.start()), it.time.local_start, "{name}");
        assert_eq!(rules.to_datetime(it.time.span.end()), it.time.local_end, "{name}");
        assert!(it.time.span.start() < it.time.span.end(), "{name}");
        if let jiff::tz::AmbiguousOffset::Gap { before, after } = meant.offset() {
            let gap = after.seconds() - before.seconds();
            let moved = it.time.local_start.duration_since(it.original_start);
            assert_eq!(moved, SignedDuration::from_secs(i64::from(gap)), "{name}");
        } else {
            assert_eq!(it.time.local_start, it.original_start, "{name}: the wall clock is kept");
        }
        let end = it.original_start.checked_add(length).unwrap();
        let plain = !rules.to_ambiguous_timestamp(end).offset().is_gap() && end > it.time.local_start;
        if plain {
            assert_eq!(it.time.local_end, end, "{name}: so is the end's");
        }
    }
    // None is lost but for those that the clock puts onto another.
    let kept: Vec<DateTime> = timed.iter().map(|it| it.original_start).collect();
    for lost in pattern.iter().filter(|at| !kept.contains(at)) {
        let to = zone.local(zone.instant(*lost).unwrap());
        assert!(
            to != *lost && pattern.contains(&to) || rule.contains(start, to).unwrap(),
            "{name}: {lost}"
        );
    }
    timed.len()
}

trait IsGap {
    fn is_gap(&self) -> bool;
}

impl IsGap for jiff::tz::AmbiguousOffset {
    fn is_gap(&self) -> bool {
        matches!(self, Self::Gap { .. })
    }
}

/// The changes of a zone's clock in the years 2020 to 2037.
fn changes_of(zone: &ZoneName) -> Vec<(Timestamp, Offset)> {
    let from: Timestamp = "2020-01-01T00:00Z".parse().unwrap();
    let until: Timestamp = "2038-01-01T00:00Z".parse().unwrap();
    let rules = zone.zone();
    let changes = rules.following(from).take_while(|change| change.timestamp() < until);
    changes.map(|change| (change.timestamp(), change.offset())).collect()
}

/// Every zone of the database, but of those whose clocks always show the same in these years only the first.
fn zones() -> Vec<ZoneName> {
    let names: Vec<ZoneName> = jiff::tz::db().available().map(|name| zone(name.as_str())).collect();
    assert!(names.len() > 590, "{} zones", names.len());
    let from: Timestamp = "2020-01-01T00:00Z".parse().unwrap();
    let mut clocks = HashSet::new();
    let is_new = |zone: &ZoneName| clocks.insert((zone.zone().to_offset(from), changes_of(zone)));
    names.into_iter().filter(is_new).collect()
}

#[test]
fn every_zone_keeps_the_wall_clock_around_each_of_its_changes() {
    let (daily, weekly) = (recurrence("FREQ=DAILY"), recurrence("FREQ=WEEKLY"));
    let (mut changes, mut occurrences) = (0, 0);
    for zone in zones() {
        let rules = zone.zone();
        for (change, after) in changes_of(&zone) {
            changes += 1;
            // The hour that is skipped or shown twice, by both clocks, and just around it.
            let before = rules.to_offset(change.checked_sub(SignedDuration::from_secs(1)).unwrap());
            let clocks: [Offset; 2] = [before, after];
            for local in clocks.map(|offset| offset.to_datetime(change)) {
                for (shift, length) in [(-31, 60), (-1, 30), (0, 45), (1, 15), (29, 90), (31, 24 * 60)] {
                    let at = local.checked_add(minutes(shift)).unwrap();
                    let days = |n: i64| at.checked_sub(SignedDuration::from_hours(24 * n)).unwrap();
                    for (rule, start, around) in [(&daily, days(30), 3), (&weekly, days(28), 8)] {
                        let window = Window {
                            from: days(around),
                            until: days(-around),
                        };
                        occurrences += check(&zone, rule, start, minutes(length), window);
                    }
                }
            }
        }
    }
    assert!(changes > 1200, "{changes} changes");
    assert!(occurrences > 130_000, "{occurrences} occurrences");
}

#[test]
fn every_zone_keeps_the_wall_clock_through_all_the_years() {
    let mut occurrences = 0;
    for zone in zones() {
        for year in 2020..=2037_i16 {
            let start = jiff::civil::date(year, 1, 1).at(2, 30, 0, 0);
            let window = Window {
                from: start,
                until: jiff::civil::date(year + 1, 1, 1).at(2, 30, 0, 0),
            };
            occurrences += check(&zone, &recurrence("FREQ=WEEKLY;BYDAY=SU"), start, minutes(60), window);
        }
    }
    assert!(occurrences > 75_000, "{occurrences}");
}

#[test]
fn a_class_at_ten_is_always_at_ten() {
    let berlin = zone("Europe/Berlin");
    let week = window("2026-03-27T00:00", "2026-03-31T00:00");
    let classes = timed(
        &recurrence("FREQ=DAILY"),
        at("2026-03-27T10:00"),
        minutes(60),
        &berlin,
        week,
    )
    .unwrap();
    assert_eq!(
        clock(&classes),
        [
            "27 10:00 to 27 11:00",
            "28 10:00 to 28 11:00",
            "29 10:00 to 29 11:00",
            "30 10:00 to 30 11:00"
        ]
    );
    assert_eq!(
        starts(&classes),
        [
            "2026-03-27T09:00:00Z",
            "2026-03-28T09:00:00Z",
            "2026-03-29T08:00:00Z",
            "2026-03-30T08:00:00Z"
        ]
    );
}

#[test]
fn a_class_in_the_skipped_hour_moves_forward_and_lasts_a_while() {
    let berlin = zone("Europe/Berlin");
    let day = window("2026-03-29T00:00", "2026-03-30T00:00");
    let class =
        |start, length| clock(&timed(&recurrence("FREQ=DAILY"), at(start), minutes(length), &berlin, day).unwrap());
    assert_eq!(class("2026-03-01T02:30", 30), ["29 03:30 to 29 04:00"]);
    assert_eq!(class("2026-03-01T02:15", 30), ["29 03:15 to 29 03:45"]);
    assert_eq!(class("2026-03-01T01:30", 60), ["29 01:30 to 29 03:30"]);
    assert_eq!(class("2026-03-01T01:30", 180), ["29 01:30 to 29 04:30"]);
}

#[test]
fn a_class_in_the_repeated_hour_is_in_its_first_pass() {
    let berlin = zone("Europe/Berlin");
    let day = window("2026-10-25T00:00", "2026-10-26T00:00");
    let classes = timed(
        &recurrence("FREQ=DAILY"),
        at("2026-10-01T02:30"),
        minutes(60),
        &berlin,
        day,
    )
    .unwrap();
    assert_eq!(starts(&classes), ["2026-10-25T00:30:00Z"]);
    // The end is the wall clock's: the class lasts as long as the clock takes to get there.
    assert_eq!(clock(&classes), ["25 02:30 to 25 03:30"]);
    assert_eq!(classes[0].time.span.minutes(), 120);
}

#[test]
fn a_moved_occurrence_does_not_meet_another() {
    let berlin = zone("Europe/Berlin");
    let text = "RRULE:FREQ=DAILY;COUNT=5\nRDATE:20260329T033000";
    let day = window("2026-03-29T00:00", "2026-03-30T00:00");
    let classes = timed(&recurrence(text), at("2026-03-27T02:30"), minutes(20), &berlin, day).unwrap();
    assert_eq!(clock(&classes), ["29 03:30 to 29 03:50"]);
    assert_eq!(
        classes[0].original_start,
        at("2026-03-29T03:30"),
        "the one that is on the clock stays"
    );
}

#[test]
fn half_an_hour_is_skipped_and_repeated_on_lord_howe() {
    let island = zone("Australia/Lord_Howe");
    let class = |day: &str, start| {
        let from = at(day);
        let window = Window {
            from,
            until: from.checked_add(SignedDuration::from_hours(24)).unwrap(),
        };
        let classes = timed(&recurrence("FREQ=DAILY"), at(start), minutes(30), &island, window).unwrap();
        (clock(&classes), starts(&classes))
    };
    let (clock, starts) = class("2026-10-04T00:00", "2026-01-01T02:15");
    assert_eq!(
        (clock, starts),
        (vec!["04 02:45 to 04 03:15".into()], vec!["2026-10-03T15:45:00Z".into()])
    );
    let (clock, starts) = class("2026-04-05T00:00", "2026-01-01T01:45");
    assert_eq!(
        (clock, starts),
        (vec!["05 01:45 to 05 02:15".into()], vec!["2026-04-04T14:45:00Z".into()])
    );
}

#[test]
fn a_day_that_apia_never_had_falls_onto_the_next() {
    let apia = zone("Pacific/Apia");
    let daily = recurrence("FREQ=DAILY");
    let new_year = window("2011-12-28T00:00", "2012-01-02T00:00");
    let classes = timed(&daily, at("2011-12-01T10:00"), minutes(60), &apia, new_year).unwrap();
    let days: Vec<i8> = classes.iter().map(|it| it.time.local_start.day()).collect();
    assert_eq!(days, [28, 29, 31, 1]);
    // Two windows that meet on the missing day agree on it.
    let first = timed(
        &daily,
        at("2011-12-01T10:00"),
        minutes(60),
        &apia,
        window("2011-12-30T00:00", "2011-12-31T00:00"),
    );
    assert_eq!(first.unwrap(), []);
    let fridays = recurrence("FREQ=WEEKLY");
    let weekly = timed(
        &fridays,
        at("2011-12-02T10:00"),
        minutes(60),
        &apia,
        window("2011-12-23T00:00", "2012-01-07T00:00"),
    );
    let days: Vec<i8> = weekly.unwrap().iter().map(|it| it.time.local_start.day()).collect();
    assert_eq!(days, [23, 31, 6]);
}

#[test]
fn casablanca_goes_back_for_ramadan() {
    let casablanca = zone("Africa/Casablanca");
    // In 2026 the clock goes back on 15 February and forward on 22 March.
    let class = |from, until| {
        let daily = recurrence("FREQ=DAILY");
        timed(
            &daily,
            at("2026-01-01T02:30"),
            minutes(60),
            &casablanca,
            window(from, until),
        )
        .unwrap()
    };
    let back = class("2026-02-14T00:00", "2026-02-17T00:00");
    assert_eq!(
        starts(&back),
        ["2026-02-14T01:30:00Z", "2026-02-15T01:30:00Z", "2026-02-16T02:30:00Z"]
    );
    let forward = class("2026-03-21T00:00", "2026-03-24T00:00");
    assert_eq!(
        clock(&forward),
        ["21 02:30 to 21 03:30", "22 03:30 to 22 04:30", "23 02:30 to 23 03:30"]
    );
}
