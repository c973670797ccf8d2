//! What a rule can't be, how it is written, and what expansion refuses.

use super::*;
use jiff::civil::Weekday;

fn refusal(text: &str) -> String {
    Rule::parse(text, &utc(), None).unwrap_err().to_string()
}

#[test]
fn nonsense_is_refused_with_what_would_do() {
    for (text, message) in [
        ("", "`` is not of the form `NAME=value`"),
        ("WEEKLY", "`WEEKLY` is not of the form `NAME=value`"),
        ("INTERVAL=2", "has no `FREQ`"),
        (
            "FREQ=SOMETIMES",
            "`FREQ` can't be `SOMETIMES`: it can be `DAILY`, `WEEKLY`, `MONTHLY` or `YEARLY`",
        ),
        ("FREQ=DAILY;FREQ=DAILY", "`FREQ` is there twice"),
        (
            "FREQ=DAILY;INTERVAL=0",
            "`INTERVAL` must be between 1 and 366 for this frequency",
        ),
        (
            "FREQ=WEEKLY;INTERVAL=53",
            "`INTERVAL` must be between 1 and 52 for this frequency",
        ),
        (
            "FREQ=WEEKLY;INTERVAL=99999999999999999999",
            "`INTERVAL` must be between 1 and 52 for this frequency",
        ),
        ("FREQ=WEEKLY;INTERVAL=-1", "`INTERVAL` can't be `-1`: a whole number"),
        ("FREQ=DAILY;COUNT=0", "`COUNT` must be between 1 and 2000"),
        ("FREQ=DAILY;COUNT=2001", "`COUNT` must be between 1 and 2000"),
        ("FREQ=DAILY;COUNT=3;UNTIL=20260101", "`UNTIL` doesn't go with `COUNT`"),
        (
            "FREQ=WEEKLY;BYDAY=1MO",
            "`BYDAY with a number` doesn't go with `FREQ=WEEKLY`",
        ),
        ("FREQ=WEEKLY;BYMONTHDAY=1", "`BYMONTHDAY` doesn't go with `FREQ=WEEKLY`"),
        (
            "FREQ=YEARLY;INTERVAL=11",
            "`INTERVAL` must be between 1 and 10 for this frequency",
        ),
        (
            "FREQ=YEARLY;INTERVAL=9999",
            "`INTERVAL` must be between 1 and 10 for this frequency",
        ),
        (
            "FREQ=YEARLY;BYMONTH=3",
            "`BYMONTH=3` is not supported; a yearly rule is for the month of its start",
        ),
        (
            "FREQ=YEARLY;BYDAY=2SU",
            "`BYDAY` is not supported in a yearly rule without `BYMONTH`, the month of its start",
        ),
        (
            "FREQ=MONTHLY;BYSETPOS=-1",
            "`BYSETPOS` is not supported without the days from which it chooses, `BYDAY` or `BYMONTHDAY`",
        ),
        (
            "FREQ=WEEKLY;BYDAY=MO,TU;BYSETPOS=1",
            "`BYSETPOS` doesn't go with `FREQ=WEEKLY`",
        ),
        ("FREQ=DAILY;X-COLOUR=RED", "`X-COLOUR` is not supported"),
        (
            "FREQ=DAILY;UNTIL=99991231T235959",
            "`UNTIL` must lie between the years 1970 and 2100",
        ),
    ] {
        assert_eq!(refusal(text), message, "{text}");
    }
    for text in [
        "FREQ=MONTHLY;BYDAY=0MO",
        "FREQ=MONTHLY;BYDAY=6MO",
        "FREQ=MONTHLY;BYDAY=XX",
        "FREQ=MONTHLY;BYDAY=",
        "FREQ=MONTHLY;BYDAY=1ÄÖ",
        "FREQ=MONTHLY;BYMONTHDAY=32",
        "FREQ=MONTHLY;BYMONTHDAY=0",
        "FREQ=MONTHLY;BYMONTHDAY=-128",
        "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=0",
        "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=32",
        "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=",
        "FREQ=WEEKLY;WKST=1MO",
        "FREQ=DAILY;UNTIL=2026-01-01",
        "FREQ=DAILY;UNTIL=20260230",
        "FREQ=DAILY;UNTIL=20260101T2500",
        "FREQ=DAILY;UNTIL=20260101T250000Z",
    ] {
        assert!(
            matches!(Rule::parse(text, &utc(), None), Err(RuleError::Value { .. })),
            "{text}"
        );
    }
    assert_eq!(Recurrence::parse("", &utc(), None), Err(RuleError::Empty));
    assert_eq!(
        Recurrence::parse("EXDATE:20260101", &utc(), None),
        Err(RuleError::Empty)
    );
    assert_eq!(
        Rule::parse(&"FREQ=DAILY;".repeat(1000), &utc(), None),
        Err(RuleError::TooLong)
    );
}

#[test]
fn a_rule_is_written_in_one_form() {
    for (read, written) in [
        (
            "freq=weekly;byday=we,mo,mo;interval=1;wkst=mo;",
            "FREQ=WEEKLY;BYDAY=MO,WE",
        ),
        (
            "FREQ=WEEKLY;WKST=SU;UNTIL=20260630T215959Z;INTERVAL=2;BYDAY=TU",
            "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU;UNTIL=20260630T215959;WKST=SU",
        ),
        ("FREQ=MONTHLY;BYDAY=-1FR,+1MO,TU", "FREQ=MONTHLY;BYDAY=-1FR,TU,1MO"),
        ("FREQ=DAILY;UNTIL=20260630", "FREQ=DAILY;UNTIL=20260630T235959"),
    ] {
        assert_eq!(rule(read).to_string(), written);
    }
    let text = "EXDATE:20260102T100000,20260101T100000\nrdate:20260103T120000\nRRULE:FREQ=DAILY\n";
    let written = "RRULE:FREQ=DAILY\nRDATE:20260103T120000\nEXDATE:20260101T100000,20260102T100000";
    assert_eq!(recurrence(text).to_string(), written);
    let json = serde_json::to_string(&recurrence(text)).unwrap();
    assert_eq!(serde_json::from_str::<Recurrence>(&json).unwrap(), recurrence(text));
}

#[test]
fn a_rule_can_be_built_without_text() {
    let monday = DayOfWeek {
        ordinal: None,
        weekday: Weekday::Monday,
    };
    let built = Rule::every(Frequency::Weekly)
        .with_interval(2)
        .unwrap()
        .on_days([monday])
        .unwrap();
    assert_eq!(built, rule("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO"));
}

#[test]
fn an_end_in_universal_time_is_the_zones_local_time() {
    let berlin = ZoneName::parse("Europe/Berlin").unwrap();
    let end = |text: &str| {
        Rule::parse(&format!("FREQ=DAILY;UNTIL={text}"), &berlin, None)
            .unwrap()
            .end()
    };
    assert_eq!(end("20260630T215959Z"), End::Until(at("2026-06-30T23:59:59")));
    // The clock shows 02:10 twice on this day; in the second pass, 02:45 of the first one is over.
    assert_eq!(end("20261025T001000Z"), End::Until(at("2026-10-25T02:10")));
    assert_eq!(end("20261025T011000Z"), End::Until(at("2026-10-25T02:59:59")));
    assert_eq!(end("20261025T010000Z"), End::Until(at("2026-10-25T02:59:59")));
    assert_eq!(end("20261025T020000Z"), End::Until(at("2026-10-25T03:00")));
}

#[test]
fn a_start_that_is_not_on_the_rule_moves_forward_to_the_first_time_that_is() {
    // A Friday; the rule wants Mondays.
    assert_eq!(
        first("FREQ=WEEKLY;BYDAY=MO;COUNT=2", "2026-05-01T10:00", 9),
        ["2026-05-04T10:00", "2026-05-11T10:00"]
    );
    assert_eq!(
        recurrence("FREQ=WEEKLY;BYDAY=MO").anchor(at("2026-05-01T10:00")),
        Ok(at("2026-05-04T10:00"))
    );
    // Which weeks are each second one is counted from the week of the start, as RFC 5545 has it.
    assert_eq!(
        first("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO;COUNT=2", "2026-05-01T10:00", 9),
        ["2026-05-11T10:00", "2026-05-25T10:00"]
    );
}

#[test]
fn a_rule_that_no_day_meets_never_takes_place() {
    for text in [
        "FREQ=MONTHLY;BYDAY=1MO;BYMONTHDAY=15",
        "FREQ=MONTHLY;BYMONTHDAY=30;INTERVAL=12",
        "FREQ=DAILY;INTERVAL=7;BYDAY=MO",
        "FREQ=MONTHLY;BYDAY=1MO;BYMONTHDAY=15;COUNT=1",
        "RRULE:FREQ=DAILY;COUNT=2\nEXDATE:20260203T100000,20260204T100000",
    ] {
        let recurrence = recurrence(text);
        let start = at("2026-02-03T10:00");
        let year = window("2026-01-01T00:00", "2027-01-01T00:00");
        assert_eq!(
            recurrence.occurrences(start, year),
            Err(ExpandError::NeverOccurs),
            "{text}"
        );
        assert_eq!(recurrence.first(start), Err(ExpandError::NeverOccurs), "{text}");
    }
}

#[test]
fn a_rule_that_takes_place_rarely_is_found() {
    let leap = recurrence("FREQ=MONTHLY;BYMONTHDAY=29;INTERVAL=12");
    assert_eq!(leap.first(at("2026-02-01T10:00")), Ok(at("2028-02-29T10:00")));
    let nothing = leap.occurrences(at("2026-02-01T10:00"), window("2026-01-01T00:00", "2027-01-01T00:00"));
    assert_eq!(nothing, Ok(vec![]));
}

#[test]
fn a_rule_that_ends_before_it_starts_is_refused() {
    let over = recurrence("FREQ=DAILY;UNTIL=20260101T095959");
    let error = ExpandError::EndsBeforeStart {
        until: at("2026-01-01T09:59:59"),
        start: at("2026-01-01T10:00"),
    };
    assert_eq!(over.first(at("2026-01-01T10:00")), Err(error));
    assert_eq!(over.first(at("2026-01-01T09:59:59")), Ok(at("2026-01-01T09:59:59")));
}

#[test]
fn more_occurrences_than_the_limit_are_refused() {
    let daily = recurrence("FREQ=DAILY");
    let start = at("2026-01-01T10:00");
    let limit = ExpandError::TooMany { limit: MAX_OCCURRENCES };
    assert_eq!(
        daily.occurrences(start, window("2026-01-01T00:00", "2099-01-01T00:00")),
        Err(limit)
    );
    let end = start.checked_add(jiff::SignedDuration::from_hours(24 * 2000)).unwrap();
    let until_limit = Window {
        from: start,
        until: end,
    };
    assert_eq!(daily.occurrences(start, until_limit).unwrap().len(), MAX_OCCURRENCES);
    assert_eq!(daily.last(start), Ok(None));
    assert_eq!(
        recurrence("FREQ=DAILY;COUNT=3").last(start),
        Ok(Some(at("2026-01-03T10:00")))
    );
    assert_eq!(daily.first(at("2101-01-01T10:00")), Err(ExpandError::OutOfRange));
}

#[test]
fn dates_beside_the_rule_are_added_once_and_excepted_ones_still_count() {
    let text =
        "RRULE:FREQ=DAILY;COUNT=3\nRDATE:20260102T100000,20260102T180000,20251231T100000\nEXDATE:20260101T100000";
    assert_eq!(
        first(text, "2026-01-01T10:00", 9),
        ["2026-01-02T10:00", "2026-01-02T18:00", "2026-01-03T10:00"]
    );
    let dates = recurrence("RDATE:20260110T100000,20260105T100000");
    let all = window("2026-01-01T00:00", "2027-01-01T00:00");
    assert_eq!(
        dates.occurrences(at("2026-01-01T10:00"), all).unwrap(),
        ["2026-01-01T10:00", "2026-01-05T10:00", "2026-01-10T10:00"].map(at)
    );
}
