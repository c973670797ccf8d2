//! The examples of RFC 5545 §3.8.5.3 that the subset covers. All start at 09:00; a number in front of days stands for
//! the month of the year that precedes it.

use super::*;

/// Spells `1997-09: 2 3 4, 1997-10: 1` out as times at nine o'clock.
fn nine(days: &str) -> Vec<String> {
    days.split(',')
        .flat_map(|month| {
            let (month, days) = month.trim().split_once(':').unwrap();
            days.split_whitespace()
                .map(move |day| format!("{month}-{day:0>2}T09:00"))
        })
        .collect()
}

#[track_caller]
fn shows(rule: &str, start: &str, days: &str, ends: bool) {
    let expected = nine(days);
    let more = if ends { 2000 } else { expected.len() };
    assert_eq!(first(rule, &format!("{start}T09:00"), more), expected, "{rule}");
}

const SEPTEMBER: &str = "1997-09-02";

#[test]
fn daily_for_ten_occurrences() {
    shows("FREQ=DAILY;COUNT=10", SEPTEMBER, "1997-09: 2 3 4 5 6 7 8 9 10 11", true);
}

#[test]
fn daily_until_a_date() {
    let times = first("FREQ=DAILY;UNTIL=19971224T000000Z", "1997-09-02T09:00", 2000);
    assert_eq!(times.len(), 113);
    assert_eq!(times.last().unwrap(), "1997-12-23T09:00");
}

#[test]
fn every_other_day_for_ever() {
    shows(
        "FREQ=DAILY;INTERVAL=2",
        SEPTEMBER,
        "1997-09: 2 4 6 8 10 12 14 16 18 20 22 24 26 28 30, 1997-10: 2 4 6",
        false,
    );
}

#[test]
fn every_ten_days_five_occurrences() {
    shows(
        "FREQ=DAILY;INTERVAL=10;COUNT=5",
        SEPTEMBER,
        "1997-09: 2 12 22, 1997-10: 2 12",
        true,
    );
}

#[test]
fn weekly_for_ten_occurrences() {
    shows(
        "FREQ=WEEKLY;COUNT=10",
        SEPTEMBER,
        "1997-09: 2 9 16 23 30, 1997-10: 7 14 21 28, 1997-11: 4",
        true,
    );
}

#[test]
fn weekly_until_a_date() {
    shows(
        "FREQ=WEEKLY;UNTIL=19971224T000000Z",
        SEPTEMBER,
        "1997-09: 2 9 16 23 30, 1997-10: 7 14 21 28, 1997-11: 4 11 18 25, 1997-12: 2 9 16 23",
        true,
    );
}

#[test]
fn every_other_week_for_ever() {
    shows(
        "FREQ=WEEKLY;INTERVAL=2;WKST=SU",
        SEPTEMBER,
        "1997-09: 2 16 30, 1997-10: 14 28, 1997-11: 11 25, 1997-12: 9 23, 1998-01: 6 20, 1998-02: 3 17",
        false,
    );
}

#[test]
fn weekly_on_tuesday_and_thursday_for_five_weeks() {
    for rule in [
        "FREQ=WEEKLY;UNTIL=19971007T000000Z;WKST=SU;BYDAY=TU,TH",
        "FREQ=WEEKLY;COUNT=10;WKST=SU;BYDAY=TU,TH",
    ] {
        shows(rule, SEPTEMBER, "1997-09: 2 4 9 11 16 18 23 25 30, 1997-10: 2", true);
    }
}

#[test]
fn every_other_week_on_three_days_until_a_date() {
    shows(
        "FREQ=WEEKLY;INTERVAL=2;UNTIL=19971224T000000Z;WKST=SU;BYDAY=MO,WE,FR",
        "1997-09-01",
        "1997-09: 1 3 5 15 17 19 29, 1997-10: 1 3 13 15 17 27 29 31, 1997-11: 10 12 14 24 26 28, 1997-12: 8 10 12 22",
        true,
    );
}

#[test]
fn every_other_week_on_two_days_for_eight_occurrences() {
    shows(
        "FREQ=WEEKLY;INTERVAL=2;COUNT=8;WKST=SU;BYDAY=TU,TH",
        SEPTEMBER,
        "1997-09: 2 4 16 18 30, 1997-10: 2 14 16",
        true,
    );
}

#[test]
fn monthly_on_the_first_friday() {
    let days = "1997-09: 5, 1997-10: 3, 1997-11: 7, 1997-12: 5, 1998-01: 2, 1998-02: 6, 1998-03: 6, 1998-04: 3, \
                1998-05: 1, 1998-06: 5";
    shows("FREQ=MONTHLY;COUNT=10;BYDAY=1FR", "1997-09-05", days, true);
    let days = "1997-09: 5, 1997-10: 3, 1997-11: 7, 1997-12: 5";
    shows(
        "FREQ=MONTHLY;UNTIL=19971224T000000Z;BYDAY=1FR",
        "1997-09-05",
        days,
        true,
    );
}

#[test]
fn every_other_month_on_the_first_and_last_sunday() {
    shows(
        "FREQ=MONTHLY;INTERVAL=2;COUNT=10;BYDAY=1SU,-1SU",
        "1997-09-07",
        "1997-09: 7 28, 1997-11: 2 30, 1998-01: 4 25, 1998-03: 1 29, 1998-05: 3 31",
        true,
    );
}

#[test]
fn monthly_on_the_second_to_last_monday() {
    shows(
        "FREQ=MONTHLY;COUNT=6;BYDAY=-2MO",
        "1997-09-22",
        "1997-09: 22, 1997-10: 20, 1997-11: 17, 1997-12: 22, 1998-01: 19, 1998-02: 16",
        true,
    );
}

#[test]
fn monthly_on_the_third_day_before_the_end() {
    shows(
        "FREQ=MONTHLY;BYMONTHDAY=-3",
        "1997-09-28",
        "1997-09: 28, 1997-10: 29, 1997-11: 28, 1997-12: 29, 1998-01: 29, 1998-02: 26",
        false,
    );
}

#[test]
fn monthly_on_the_second_and_fifteenth() {
    shows(
        "FREQ=MONTHLY;COUNT=10;BYMONTHDAY=2,15",
        SEPTEMBER,
        "1997-09: 2 15, 1997-10: 2 15, 1997-11: 2 15, 1997-12: 2 15, 1998-01: 2 15",
        true,
    );
}

#[test]
fn monthly_on_the_first_and_last_day() {
    shows(
        "FREQ=MONTHLY;COUNT=10;BYMONTHDAY=1,-1",
        "1997-09-30",
        "1997-09: 30, 1997-10: 1 31, 1997-11: 1 30, 1997-12: 1 31, 1998-01: 1 31, 1998-02: 1",
        true,
    );
}

#[test]
fn every_eighteen_months_on_the_tenth_to_fifteenth() {
    shows(
        "FREQ=MONTHLY;INTERVAL=18;COUNT=10;BYMONTHDAY=10,11,12,13,14,15",
        "1997-09-10",
        "1997-09: 10 11 12 13 14 15, 1999-03: 10 11 12 13",
        true,
    );
}

#[test]
fn every_tuesday_every_other_month() {
    shows(
        "FREQ=MONTHLY;INTERVAL=2;BYDAY=TU",
        SEPTEMBER,
        "1997-09: 2 9 16 23 30, 1997-11: 4 11 18 25, 1998-01: 6 13 20 27, 1998-03: 3 10 17 24 31",
        false,
    );
}

#[test]
fn every_friday_the_thirteenth_with_the_start_left_out() {
    shows(
        "RRULE:FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13\nEXDATE:19970902T090000",
        SEPTEMBER,
        "1998-02: 13, 1998-03: 13, 1998-11: 13, 1999-08: 13, 2000-10: 13",
        false,
    );
}

#[test]
fn the_first_saturday_after_the_first_sunday() {
    shows(
        "FREQ=MONTHLY;BYDAY=SA;BYMONTHDAY=7,8,9,10,11,12,13",
        "1997-09-13",
        "1997-09: 13, 1997-10: 11, 1997-11: 8, 1997-12: 13, 1998-01: 10, 1998-02: 7, 1998-03: 7, 1998-04: 11, \
         1998-05: 9, 1998-06: 13",
        false,
    );
}

#[test]
fn the_day_on_which_weeks_begin_decides_which_weeks_count() {
    let days = "1997-08: 5 10 19 24";
    shows(
        "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO",
        "1997-08-05",
        days,
        true,
    );
    let days = "1997-08: 5 17 19 31";
    shows(
        "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU",
        "1997-08-05",
        days,
        true,
    );
}

#[test]
fn days_that_a_month_does_not_have_are_passed_over() {
    shows(
        "FREQ=MONTHLY;BYMONTHDAY=15,30;COUNT=5",
        "2007-01-15",
        "2007-01: 15 30, 2007-02: 15, 2007-03: 15 30",
        true,
    );
    shows(
        "FREQ=MONTHLY;COUNT=4",
        "1997-01-31",
        "1997-01: 31, 1997-03: 31, 1997-05: 31, 1997-07: 31",
        true,
    );
}

#[test]
fn some_of_a_months_days() {
    shows(
        "FREQ=MONTHLY;COUNT=3;BYDAY=TU,WE,TH;BYSETPOS=3",
        "1997-09-04",
        "1997-09: 4, 1997-10: 7, 1997-11: 6",
        true,
    );
    shows(
        "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2",
        "1997-09-29",
        "1997-09: 29, 1997-10: 30, 1997-11: 27, 1997-12: 30, 1998-01: 29, 1998-02: 26, 1998-03: 30",
        false,
    );
    // With one weekday it is that weekday's number in the month.
    for (positions, numbers) in [
        ("BYDAY=TU;BYSETPOS=2", "BYDAY=2TU"),
        ("BYDAY=FR;BYSETPOS=1,-1", "BYDAY=1FR,-1FR"),
        ("BYDAY=SU;BYSETPOS=5", "BYDAY=5SU"),
    ] {
        let times = |days: &str| first(&format!("FREQ=MONTHLY;{days}"), "1997-09-02T09:00", 20);
        assert_eq!(times(positions), times(numbers), "{positions}");
    }
    let text = "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;COUNT=3";
    assert_eq!(rule(text), rule(&rule(text).to_string()));
}

#[test]
fn yearly_in_the_month_of_the_start() {
    shows(
        "FREQ=YEARLY;COUNT=3",
        SEPTEMBER,
        "1997-09: 2, 1998-09: 2, 1999-09: 2",
        true,
    );
    // As Outlook and Google write birthdays and feasts.
    shows(
        "FREQ=YEARLY;INTERVAL=1;BYMONTH=9;BYMONTHDAY=2;COUNT=2",
        SEPTEMBER,
        "1997-09: 2, 1998-09: 2",
        true,
    );
    shows(
        "FREQ=YEARLY;BYMONTH=5;BYDAY=2SU;COUNT=3",
        "1997-05-11",
        "1997-05: 11, 1998-05: 10, 1999-05: 9",
        true,
    );
    shows(
        "FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8",
        "1996-11-05",
        "1996-11: 5, 2000-11: 7, 2004-11: 2",
        false,
    );
    shows(
        "FREQ=YEARLY",
        "1996-02-29",
        "1996-02: 29, 2000-02: 29, 2004-02: 29",
        false,
    );
    let other = Rule::parse("FREQ=YEARLY;BYMONTH=9", &utc(), Some(at("1997-08-02T09:00").date()));
    assert!(matches!(other, Err(RuleError::Unsupported { .. })), "{other:?}");
    assert_eq!(rule("FREQ=YEARLY;INTERVAL=2").to_string(), "FREQ=MONTHLY;INTERVAL=24");
}

#[test]
fn examples_outside_of_the_subset_are_refused_by_name() {
    for (text, part) in [
        (
            "FREQ=YEARLY;UNTIL=20000131T140000Z;BYMONTH=1;BYDAY=SU,MO,TU,WE,TH,FR,SA",
            "BYMONTH=1",
        ),
        ("FREQ=DAILY;UNTIL=20000131T140000Z;BYMONTH=1", "BYMONTH"),
        ("FREQ=YEARLY;INTERVAL=3;COUNT=10;BYYEARDAY=1,100,200", "BYYEARDAY"),
        ("FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO", "BYWEEKNO"),
        ("FREQ=HOURLY;INTERVAL=3;UNTIL=19970902T170000Z", "FREQ=HOURLY"),
        ("FREQ=MINUTELY;INTERVAL=15;COUNT=6", "FREQ=MINUTELY"),
        ("FREQ=DAILY;BYHOUR=9,10,11;BYMINUTE=0,20,40", "BYHOUR"),
    ] {
        let RuleError::Unsupported { part: named, hint } = Rule::parse(text, &utc(), None).unwrap_err() else {
            panic!("{text}");
        };
        assert_eq!(named, part, "{text}");
        assert!(!hint.is_empty(), "{text}");
    }
}
