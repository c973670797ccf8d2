//! Hours on a wall clock, and what becomes of them where clocks change.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use proptest::prelude::*;

use super::*;

/// What a list of hours means in a zone from one date to before another, as local times with offsets.
fn open(hours: &OpeningHours, zone: &str, from: &str, to: &str, scope: Scope) -> Vec<String> {
    let zone = TimeZone::get(zone).unwrap();
    let midnight = |date: &str| {
        zone.to_zoned(date.parse::<Date>().unwrap().at(0, 0, 0, 0))
            .unwrap()
            .timestamp()
    };
    let (from, to) = (midnight(from), midnight(to));
    let show = |at: Timestamp| at.to_zoned(zone.clone()).strftime("%d %H:%M%:z").to_string();
    let calendar = Calendar::new(&zone, from, to);
    let open = spans::clip(&hours.expand(&calendar, scope), from, to);
    open.iter()
        .map(|span| format!("{} to {}", show(span.start()), show(span.end())))
        .collect()
}

fn rule(start: u16, end: u16) -> WeeklyRule {
    WeeklyRule {
        days: Weekdays::ALL,
        times: DayTimes::new(start, end, None).unwrap(),
        from: None,
        until: None,
    }
}

fn daily(start: u16, end: u16) -> OpeningHours {
    OpeningHours::new(vec![rule(start, end)], Vec::new()).unwrap()
}

fn one_day(start: u16, end: u16, zone: &str, date: &str) -> Vec<String> {
    let next = date.parse::<Date>().unwrap().tomorrow().unwrap().to_string();
    open(&daily(start, end), zone, date, &next, Scope::Everywhere)
}

#[test]
fn times_must_begin_on_the_day_and_last_at_most_24_hours() {
    assert!(DayTimes::new(0, 1440, None).is_ok() && DayTimes::new(1439, 2879, None).is_ok());
    for (start, end) in [(1440, 1500), (600, 600), (600, 540), (600, 2041)] {
        assert!(DayTimes::new(start, end, None).is_err(), "{start} to {end}");
    }
}

#[test]
fn a_date_has_one_special_day() {
    let day = SpecialDay {
        date: "2026-12-24".parse().unwrap(),
        times: Vec::new(),
    };
    let refused = OpeningHours::new(Vec::new(), vec![day.clone(), day]).unwrap_err();
    assert_eq!(refused.path, ["specialDays", "1", "date"]);
}

#[test]
fn rules_hold_on_their_weekdays_and_between_their_dates() {
    let hours = OpeningHours::new(
        vec![WeeklyRule {
            days: Weekdays::of(&[Weekday::Monday, Weekday::Wednesday]),
            from: Some("2026-05-06".parse().unwrap()),
            until: Some("2026-05-11".parse().unwrap()),
            ..rule(540, 600)
        }],
        Vec::new(),
    );
    assert_eq!(
        open(&hours.unwrap(), "UTC", "2026-05-01", "2026-05-20", Scope::Everywhere),
        ["06 09:00+00:00 to 06 10:00+00:00", "11 09:00+00:00 to 11 10:00+00:00"]
    );
}

#[test]
fn a_special_day_replaces_the_weekly_times_that_start_on_it() {
    let special = |date: &str, times: &[(u16, u16)]| SpecialDay {
        date: date.parse().unwrap(),
        times: times
            .iter()
            .map(|(start, end)| DayTimes::new(*start, *end, None).unwrap())
            .collect(),
    };
    let hours = OpeningHours::new(
        vec![rule(1200, 1500)],
        vec![special("2026-12-24", &[(600, 720)]), special("2026-12-25", &[])],
    );
    assert_eq!(
        open(&hours.unwrap(), "UTC", "2026-12-23", "2026-12-27", Scope::Everywhere),
        [
            "23 00:00+00:00 to 23 01:00+00:00",
            "23 20:00+00:00 to 24 01:00+00:00",
            "24 10:00+00:00 to 24 12:00+00:00",
            "26 20:00+00:00 to 27 00:00+00:00"
        ],
        "what began the evening before goes on"
    );
}

#[test]
fn times_that_touch_over_midnight_are_one() {
    assert_eq!(
        open(
            &daily(0, 1440),
            "Europe/Berlin",
            "2026-05-04",
            "2026-05-07",
            Scope::Everywhere
        ),
        ["04 00:00+02:00 to 07 00:00+02:00"]
    );
}

#[test]
fn times_bound_to_a_place_hold_there_only() {
    let (here, there) = (
        PlaceId::from_uuid(Uuid::from_u128(1)),
        PlaceId::from_uuid(Uuid::from_u128(2)),
    );
    let bound = WeeklyRule {
        times: DayTimes::new(600, 660, Some(here)).unwrap(),
        ..rule(0, 1)
    };
    let hours = OpeningHours::new(vec![rule(540, 600), bound], Vec::new()).unwrap();
    let at = |scope| open(&hours, "UTC", "2026-05-04", "2026-05-05", scope);
    let (free, both) = ("04 09:00+00:00 to 04 10:00+00:00", "04 09:00+00:00 to 04 11:00+00:00");
    assert_eq!(at(Scope::Everywhere), [both]);
    assert_eq!(at(Scope::At(here)), [both]);
    assert_eq!(at(Scope::At(there)), [free]);
    assert_eq!(at(Scope::Unbound), [free]);
    assert_eq!(at(Scope::BoundTo(here)), ["04 10:00+00:00 to 04 11:00+00:00"]);
    assert!(hours.names(here) && !hours.names(there));
}

#[test]
fn a_start_and_an_end_in_a_gap_move_forward_by_the_gap() {
    let on = |start, end| one_day(start, end, "Europe/Berlin", "2026-03-29");
    assert_eq!(on(150, 300), ["29 03:30+02:00 to 29 05:00+02:00"], "2:30 to 5:00");
    assert_eq!(
        on(60, 150),
        ["29 01:00+01:00 to 29 03:30+02:00"],
        "1:00 to 2:30 keeps its length"
    );
    assert_eq!(on(135, 165), ["29 03:15+02:00 to 29 03:45+02:00"], "2:15 to 2:45");
    assert_eq!(
        on(60, 300),
        ["29 01:00+01:00 to 29 05:00+02:00"],
        "1:00 to 5:00 loses an hour"
    );
    assert_eq!(on(150, 190), [""; 0], "2:30 to 3:10: it would begin after its end");
}

#[test]
fn a_repeated_start_and_a_repeated_end_are_the_earlier_ones() {
    let on = |start, end| one_day(start, end, "Europe/Berlin", "2026-10-25");
    assert_eq!(
        on(150, 300),
        ["25 02:30+02:00 to 25 05:00+01:00"],
        "2:30 to 5:00 holds the hour twice"
    );
    assert_eq!(
        on(60, 150),
        ["25 01:00+02:00 to 25 02:30+02:00"],
        "1:00 to 2:30 keeps its length"
    );
    assert_eq!(on(135, 165), ["25 02:15+02:00 to 25 02:45+02:00"], "2:15 to 2:45");
}

#[test]
fn who_closes_at_a_repeated_midnight_closes_at_the_first() {
    let special = |date: &str| SpecialDay {
        date: date.parse().unwrap(),
        times: Vec::new(),
    };
    let hours = OpeningHours::new(vec![rule(1200, 1440)], vec![special("2026-11-01")]).unwrap();
    assert_eq!(
        open(&hours, "America/Havana", "2026-10-31", "2026-11-02", Scope::Everywhere),
        ["31 20:00-04:00 to 01 00:00-04:00"]
    );
}

#[test]
fn a_date_that_a_zone_skipped_has_no_hours() {
    assert_eq!(
        open(
            &daily(540, 600),
            "Pacific/Apia",
            "2011-12-29",
            "2012-01-01",
            Scope::Everywhere
        ),
        ["29 09:00-10:00 to 29 10:00-10:00", "31 09:00+14:00 to 31 10:00+14:00"]
    );
    let friday = WeeklyRule {
        days: Weekdays::of(&[Weekday::Friday]),
        ..rule(540, 600)
    };
    let hours = OpeningHours::new(vec![friday], Vec::new()).unwrap();
    assert_eq!(
        open(&hours, "Pacific/Apia", "2011-12-29", "2012-01-01", Scope::Everywhere),
        [""; 0]
    );
    assert_eq!(
        open(
            &daily(1320, 1560),
            "Pacific/Apia",
            "2011-12-29",
            "2012-01-01",
            Scope::Everywhere
        )[1],
        "29 22:00-10:00 to 31 02:00+14:00",
        "an evening goes on into the day that follows"
    );
}

#[test]
fn hours_survive_being_stored() {
    let stored = serde_json::to_string(&rule(540, 1020)).unwrap();
    assert_eq!(serde_json::from_str::<WeeklyRule>(&stored).unwrap(), rule(540, 1020));
    assert!(serde_json::from_str::<DayTimes>(r#"{"start":600,"end":540,"place":null}"#).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    /// The fast way for even days and the zone's own rules agree; and the window doesn't matter.
    #[test]
    fn hours_of_a_day_are_the_same_however_much_is_looked_at(
        zone in prop_oneof![
            Just("Europe/Berlin"), Just("America/New_York"), Just("Australia/Lord_Howe"), Just("Pacific/Apia"),
            Just("Africa/Casablanca"), Just("America/Havana"), Just("America/St_Johns"), Just("Asia/Beirut"),
        ],
        year in 2005_i16..2030, day in 1_i16..366, start in 0_u16..1440, length in 1_u16..=1440,
    ) {
        let zone = TimeZone::get(zone).unwrap();
        let date = jiff::civil::date(year, 1, 1).saturating_add(jiff::Span::new().days(day));
        let at = |local| zone.to_ambiguous_timestamp(local).compatible().unwrap();
        let midnight = at(date.at(0, 0, 0, 0));
        let hours = daily(start, start + length);
        let near = Calendar::new(&zone, midnight, midnight);
        let far = Calendar::new(&zone, midnight - jiff::SignedDuration::from_hours(24 * 40), midnight);
        let (from, to) = near.horizon();
        let near = hours.expand(&near, Scope::Everywhere);
        prop_assert_eq!(&near, &spans::clip(&hours.expand(&far, Scope::Everywhere), from, to));
        // The date itself, straight from the rules.
        let local = |minutes: u16| date.at(0, 0, 0, 0) + jiff::Span::new().minutes(i64::from(minutes));
        let exists = at(date.tomorrow().unwrap().at(0, 0, 0, 0)) > midnight;
        if let (true, Some(span)) = (exists, TimeSpan::new(at(local(start)), at(local(start + length)))) {
            prop_assert_eq!(spans::intersect(&near, &[span]), spans::clip(&[span], from, to));
        }
    }
}
