//! What lines of a file mean.

use super::*;

fn times(lines: &str) -> Vec<String> {
    shown(&read(event(lines).as_bytes()))
}

#[test]
fn lines_are_unfolded_before_they_are_decoded() {
    // The fold is in the middle of the letter.
    let mut file = event("DTSTART:20260101T100000Z\nSUMMARY:Gr@e").into_bytes();
    let at = file.iter().position(|byte| *byte == b'@').unwrap();
    file.splice(at..=at, *b"\xc3\r\n \xbc\n\t\xc3\x9f");
    assert_eq!(read(&file).events[0].details.title.as_deref(), Some("Grüße"));
}

#[test]
fn names_are_of_any_case_and_parameters_may_be_quoted() {
    let it = only(
        "dtstart;Value=date-time;tzid=\"europe/london\":20260101T100000\nsummary;X-A=\"a:b;c,d\",e;X-B=^'^^n^n:Tea",
    );
    assert_eq!(it.details.time_zone, zone("Europe/London"));
    assert_eq!(it.details.title.as_deref(), Some("Tea"));
}

#[test]
fn a_zones_name_may_lack_the_quotation_marks_that_it_needs() {
    let it = only(
        "DTSTART;TZID=tzone://Microsoft/Utc;VALUE=DATE-TIME:20260101T100000\nDTEND;TZID=tzone://Microsoft/Utc:20260101T110000",
    );
    assert_eq!(
        (it.details.time_zone, it.details.local_end),
        (ZoneName::utc(), "2026-01-01T11:00".parse().unwrap())
    );
}

#[test]
fn texts_are_unescaped() {
    let it = only("DTSTART:20260101T100000Z\nSUMMARY:a\\, b\\; c\\\\n\\N\\x\nDESCRIPTION:  \nLOCATION:\\n");
    assert_eq!(it.details.title.as_deref(), Some("a, b; c\\n\nx"));
    assert_eq!((it.details.description, it.details.place), (None, None));
}

#[test]
fn a_whole_day_is_the_sites() {
    assert_eq!(times("DTSTART;VALUE=DATE:20260329"), ["2026-03-28T23:00Z/1380 -"]);
    assert_eq!(
        times("DTSTART;VALUE=DATE:20260329\nDTEND;VALUE=DATE:20260329"),
        ["2026-03-28T23:00Z/1380 -"]
    );
    assert_eq!(
        times("DTSTART;VALUE=DATE:20260101\nDURATION:P1W"),
        ["2025-12-31T23:00Z/10080 -"][1..]
    );
    assert_eq!(times("DTSTART:20260102\nDTEND:20260104"), ["2026-01-01T23:00Z/2880 -"]);
}

#[test]
fn days_of_a_length_are_the_calendars_and_hours_are_elapsed() {
    let start = "DTSTART;TZID=Europe/Berlin:20260328T120000\n";
    assert_eq!(times(&format!("{start}DURATION:P1D")), ["2026-03-28T11:00Z/1380 -"]);
    assert_eq!(times(&format!("{start}DURATION:PT24H")), ["2026-03-28T11:00Z/1440 -"]);
    assert_eq!(
        times(&format!("{start}DURATION:P1DT1H5M60S")),
        ["2026-03-28T11:00Z/1446 -"]
    );
    assert_eq!(times(start.trim_end()), ["2026-03-28T11:00Z/0 -"], "a moment");
}

#[test]
fn an_end_on_another_clock_is_the_same_instant() {
    let it = only("DTSTART;TZID=Europe/Berlin:20260105T120000\nDTEND;TZID=America/New_York:20260105T080000");
    assert_eq!(it.details.local_end, "2026-01-05T14:00".parse().unwrap());
}

#[test]
fn universal_time_is_shown_on_the_calendars_clock_unless_it_repeats_or_that_would_be_ambiguous() {
    let single = only("DTSTART:20260701T100000Z");
    assert_eq!(
        (single.details.time_zone, single.details.local_start),
        (site(), "2026-07-01T12:00".parse().unwrap())
    );
    let repeats = only("DTSTART:20260701T100000Z\nRRULE:FREQ=DAILY;COUNT=2");
    assert_eq!(repeats.details.time_zone, ZoneName::utc());
    // Half past two for the second time.
    let twice = only("DTSTART:20261025T013000Z");
    assert_eq!(
        (twice.details.time_zone, twice.details.local_start),
        (ZoneName::utc(), "2026-10-25T01:30".parse().unwrap())
    );
    assert_eq!(
        times("DTSTART:20261025T003000Z\nDTEND:20261025T014000Z"),
        ["2026-10-25T00:30Z/70 -"]
    );
}

#[test]
fn what_is_cancelled_does_not_take_place() {
    assert_eq!(times("DTSTART:20260701T100000Z\nSTATUS:CANCELLED"), [""; 0]);
    let file = event("DTSTART:20260701T100000Z").replace("PRODID", "METHOD:CANCEL\nPRODID");
    assert_eq!(shown(&read(file.as_bytes())), [""; 0]);
    let series = "BEGIN:VEVENT\nUID:a\nDTSTART:20260701T100000Z\nRRULE:FREQ=DAILY;COUNT=3\nEND:VEVENT\n\
                  BEGIN:VEVENT\nUID:a\nRECURRENCE-ID:20260702T100000Z\nDTSTART:20260702T100000Z\nSTATUS:CANCELLED\nEND:VEVENT";
    assert_eq!(
        shown(&read(calendar(series).as_bytes())),
        ["2026-07-01T10:00Z/0 -", "2026-07-03T10:00Z/0 -"]
    );
}

#[test]
fn a_changed_occurrence_may_be_named_by_its_day_or_on_another_clock() {
    for id in [
        ";VALUE=DATE:20260702",
        ":20260702T080000Z",
        ";TZID=America/New_York:20260702T040000",
        ":20260702T100000",
    ] {
        let series = format!(
            "BEGIN:VEVENT\nUID:a\nDTSTART;TZID=Europe/Berlin:20260701T100000\nRRULE:FREQ=DAILY;COUNT=3\nEND:VEVENT\n\
             BEGIN:VEVENT\nUID:a\nRECURRENCE-ID{id}\nDTSTART:20260702T150000Z\nSUMMARY:Later\nEND:VEVENT"
        );
        assert_eq!(
            shown(&read(calendar(&series).as_bytes())),
            [
                "2026-07-01T08:00Z/0 -",
                "2026-07-02T15:00Z/0 Later",
                "2026-07-03T08:00Z/0 -"
            ],
            "{id}"
        );
    }
}

#[test]
fn an_excepted_day_of_an_event_with_a_time_is_that_times() {
    assert_eq!(
        times("DTSTART:20260701T100000Z\nRRULE:FREQ=DAILY;COUNT=3\nEXDATE;VALUE=DATE:20260702"),
        ["2026-07-01T10:00Z/0 -", "2026-07-03T10:00Z/0 -"]
    );
}

#[test]
fn a_series_of_which_nothing_is_left_takes_no_place() {
    assert_eq!(
        times("DTSTART:20260701T100000Z\nRRULE:FREQ=DAILY;UNTIL=20260630T100000Z"),
        [""; 0]
    );
    assert_eq!(
        times("DTSTART:20260701T100000Z\nRRULE:FREQ=DAILY;COUNT=1\nEXDATE:20260701T100000Z"),
        [""; 0]
    );
}

#[test]
fn a_whole_day_that_repeats_keeps_its_midnights() {
    let lines = "DTSTART;VALUE=DATE:20260328\nRRULE:FREQ=DAILY;UNTIL=20260330\nEXDATE;VALUE=DATE:20260328";
    assert_eq!(times(lines), ["2026-03-28T23:00Z/1380 -", "2026-03-29T22:00Z/1440 -"]);
}

#[test]
fn what_a_business_has_no_use_for_is_passed_over() {
    let file = calendar(
        "BEGIN:VJOURNAL\nDTSTART:nonsense\nEND:VJOURNAL\nBEGIN:X-THING\nBEGIN:VEVENT\nEND:VEVENT\nEND:X-THING",
    );
    assert_eq!(read(file.as_bytes()).events, []);
}

#[test]
fn times_without_a_zone_are_of_the_calendars_clock() {
    let floating = event("DTSTART:20260701T100000\nDTEND:20260701T110000");
    let zone_of = |file: &str| read(file.as_bytes()).events[0].details.time_zone.as_str().to_owned();
    assert_eq!(zone_of(&floating), "Europe/Berlin", "the site's");
    assert_eq!(
        zone_of(&floating.replace("PRODID", "X-WR-TIMEZONE:Asia/Tokyo\nPRODID")),
        "Asia/Tokyo"
    );
    assert_eq!(
        zone_of(&floating.replace("PRODID", "X-WR-TIMEZONE:Mars/Olympus\nPRODID")),
        "Europe/Berlin"
    );
    let day = event("DTSTART;VALUE=DATE:20260701").replace("PRODID", "X-WR-TIMEZONE:Asia/Tokyo\nPRODID");
    assert_eq!(
        zone_of(&day),
        "Europe/Berlin",
        "a whole day is one where the business is"
    );
}

#[test]
fn versions_that_are_passed_over_are_counted() {
    let version =
        |summary: &str| format!("BEGIN:VEVENT\nUID:a\nDTSTART:20260701T100000Z\nDURATION:PT1H\n{summary}\nEND:VEVENT");
    let both = calendar(&[version("SUMMARY:One"), version("SUMMARY:Two")].join("\n"));
    let timetable = read(both.as_bytes());
    assert_eq!((timetable.events.len(), timetable.superseded), (1, 1));
    assert_eq!(
        timetable.events[0].details.title.as_deref(),
        Some("Two"),
        "of equal ones the last"
    );
    let other = version("RECURRENCE-ID:20260702T100000Z\nSEQUENCE:2");
    let older = version("RECURRENCE-ID:20260702T100000Z\nSEQUENCE:1");
    let timetable = read(calendar(&[version("RRULE:FREQ=DAILY;COUNT=3"), other, older].join("\n")).as_bytes());
    assert_eq!((timetable.events[0].exceptions.len(), timetable.superseded), (1, 1));
}

#[test]
fn birthdays_and_last_weekdays_are_read() {
    let file =
        event("DTSTART;VALUE=DATE:20260302\nRRULE:FREQ=YEARLY;INTERVAL=1;BYMONTH=3;BYMONTHDAY=2\nSUMMARY:Birthday");
    let shown_days = |file: &str| {
        shown(&read(file.as_bytes()))
            .iter()
            .map(|text| text[..10].to_owned())
            .collect::<Vec<_>>()
    };
    // Midnight in Berlin is the day before in universal time.
    assert_eq!(shown_days(&file), ["2026-03-01", "2027-03-01", "2028-03-01"]);
    let file = event(
        "DTSTART:20260130T100000Z\nDTEND:20260130T110000Z\nRRULE:FREQ=MONTHLY;COUNT=4;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
    );
    assert_eq!(
        shown_days(&file),
        ["2026-01-30", "2026-02-27", "2026-03-31", "2026-04-30"]
    );
}

#[test]
fn more_occurrences_than_the_limit_are_refused() {
    let daily = |n: u32| format!("BEGIN:VEVENT\nUID:{n}\nDTSTART:20260101T100000Z\nRRULE:FREQ=DAILY\nEND:VEVENT\n");
    let timetable = read(calendar((0..12).map(daily).collect::<String>().trim()).as_bytes());
    let span = |until: &str| TimeSpan::new("2026-01-01T00:00Z".parse().unwrap(), until.parse().unwrap()).unwrap();
    assert_eq!(timetable.occurrences(span("2026-01-11T00:00Z")).unwrap().len(), 120);
    let limit = crate::domain::recurrence::ExpandError::TooMany {
        limit: MAX_IMPORTED_OCCURRENCES,
    };
    assert_eq!(timetable.occurrences(span("2029-01-11T00:00Z")).unwrap_err(), limit);
}
