//! A file that isn't understood is refused as a whole, each problem with its line.

use super::*;

#[track_caller]
fn refused(file: &str, problems: &[&str]) {
    let error = Timetable::read(file.as_bytes(), &site()).unwrap_err();
    let found: Vec<String> = error.problems.iter().map(ToString::to_string).collect();
    assert_eq!(found, problems, "{file}");
}

#[test]
fn what_is_no_calendar_is_refused() {
    let no = "line 1: this is no iCalendar file: it doesn't begin with `BEGIN:VCALENDAR`";
    refused("", &[no]);
    refused("\n\n", &[no]);
    refused("BEGIN:VCARD\nEND:VCARD", &[no]);
    refused("VERSION:2.0", &[no]);
    refused("<html>", &["line 1: the line is not of the form `NAME:value`"]);
    refused(
        "BEGIN:VCALENDAR\nVERSION:1.0\nEND:VCALENDAR",
        &["line 2: this is a vCalendar 1.0 file; it has to be an iCalendar file, version 2.0"],
    );
}

#[test]
fn a_file_that_breaks_off_or_has_lines_missing_is_refused() {
    refused(
        "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:a",
        &["line 1: `BEGIN:VCALENDAR` has no `END`"],
    );
    refused(
        "BEGIN:VCALENDAR\nBEGIN:VEVENT\nEND:VCALENDAR",
        &["line 3: `END:VCALENDAR` has no `BEGIN` of its own"],
    );
    refused(
        "BEGIN:VCALENDAR\nEND:VCALENDAR\nEND:VEVENT",
        &["line 3: `END:VEVENT` has no `BEGIN` of its own"],
    );
    let deep = "BEGIN:VCALENDAR\n".repeat(9);
    refused(&deep, &["line 9: components are nested too deeply"]);
}

#[test]
fn lines_that_are_none_are_refused_with_their_place_in_the_file() {
    let file = event("DTSTART:20260101T100000Z\nDESCRIPTION:one\n two\nthree\n=X:\nX;A=\"b:c\nX;A:b\nX;A=b");
    refused(
        &file,
        &[
            "line 8: the line is not of the form `NAME:value`",
            "line 9: the line is not of the form `NAME:value`",
            "line 10: a quotation mark is not closed",
            "line 11: the line is not of the form `NAME:value`",
            "line 12: the line is not of the form `NAME:value`",
        ],
    );
    let mut file = event("SUMMARY:x").into_bytes();
    file[64] = 0xff;
    let error = Timetable::read(&file, &site()).unwrap_err();
    assert!(error.problems.iter().any(|it| it.reason == Reason::NotUtf8), "{error}");
    refused(
        &event("DTSTART:20260101T100000Z\nSUMMARY:\0"),
        &["line 6: the line contains the character U+0000"],
    );
}

#[test]
fn all_problems_of_an_event_are_named() {
    let file = event(
        "DTSTART;TZID=Mars/Olympus:20260101T100000\nDTEND:tomorrow\nRRULE:FREQ=HOURLY\nRRULE:FREQ=DAILY\nEXDATE:20260101,never\n\
         RDATE;VALUE=PERIOD:20260101T100000Z/PT1H\nEXRULE:FREQ=DAILY",
    );
    refused(
        &file,
        &[
            "line 5: the time zone `Mars/Olympus` is not known, and the file doesn't describe it",
            "line 6: `DTEND` can't be `tomorrow`: it looks like `20261130T100000`, `20261130T090000Z` or `20261130`",
            "line 8: the event has a second `RRULE`",
            "line 9: `EXDATE` can't be `never`: it looks like `20261130T100000`, `20261130T090000Z` or `20261130`",
            "line 10: `VALUE=PERIOD` is not supported",
            "line 11: `EXRULE` is not supported",
        ],
    );
    refused(
        &calendar("BEGIN:VEVENT\nEND:VEVENT"),
        &["line 4: the event has no `UID`", "line 4: the event has no `DTSTART`"],
    );
}

#[test]
fn an_end_that_makes_no_sense_is_refused() {
    for (lines, problem) in [
        (
            "DTSTART:20260102T100000Z\nDTEND:20260102T090000Z",
            "line 6: the event ends before it starts",
        ),
        (
            "DTSTART;VALUE=DATE:20260102\nDTEND;VALUE=DATE:20260101",
            "line 6: the event ends before it starts",
        ),
        (
            "DTSTART;VALUE=DATE:20260102\nDTEND:20260103T090000Z",
            "line 6: start and end must both be dates, or both be times",
        ),
        (
            "DTSTART:20260102T100000Z\nDTEND;VALUE=DATE:20260103",
            "line 6: start and end must both be dates, or both be times",
        ),
        (
            "DTSTART;VALUE=DATE:20260102\nDURATION:PT1H",
            "line 6: start and end must both be dates, or both be times",
        ),
        (
            "DTSTART:20260102T100000Z\nDTEND:20260102T110000Z\nDURATION:PT1H",
            "line 7: the event has both `DTEND` and `DURATION`",
        ),
        (
            "DTSTART:20260102T100000Z\nDURATION:-PT1H",
            "line 6: `DURATION` can't be `-PT1H`: it looks like `PT1H30M` or `P1D`, and isn't negative",
        ),
        (
            "DTSTART:20260102T100000Z\nDURATION:P",
            "line 6: `DURATION` can't be `P`: it looks like `PT1H30M` or `P1D`, and isn't negative",
        ),
        (
            "DTSTART:16010101T000000",
            "line 5: `DTSTART` must lie between the years 1970 and 2100",
        ),
    ] {
        refused(&event(lines), &[problem]);
    }
}

#[test]
fn a_rule_is_refused_for_what_it_says_or_never_does() {
    for (rule, problem) in [
        (
            "FREQ=YEARLY;BYWEEKNO=20",
            "line 6: the rule `BYWEEKNO` is not supported; name the days of the month, and the months by `INTERVAL`",
        ),
        (
            "FREQ=MONTHLY;BYDAY=1MO;BYMONTHDAY=20",
            "line 6: the event never takes place",
        ),
        (
            "FREQ=DAILY;COUNT=100000",
            "line 6: the rule `COUNT` must be between 1 and 2000",
        ),
    ] {
        refused(&event(&format!("DTSTART:20260102T100000Z\nRRULE:{rule}")), &[problem]);
    }
    let occurrence = "RECURRENCE-ID;RANGE=THISANDFUTURE:20260102T100000Z\nDTSTART:20260102T100000Z\nRRULE:FREQ=DAILY";
    refused(
        &event(occurrence),
        &[
            "line 5: `RANGE` is not supported",
            "line 7: a single occurrence (`RECURRENCE-ID`) can't have a rule of its own",
        ],
    );
}

#[test]
fn no_more_than_twenty_problems_are_named() {
    let events = |n: usize| "BEGIN:VEVENT\nUID:a\nDTSTART:x\nEND:VEVENT\n".repeat(n);
    let read = |n| Timetable::read(calendar(events(n).trim()).as_bytes(), &site()).unwrap_err();
    assert_eq!((read(20).problems.len(), read(20).more), (20, false));
    assert_eq!((read(21).problems.len(), read(21).more), (20, true));
    assert!(read(2000).to_string().ends_with("; and more"));
    let lines = Timetable::read("x\n".repeat(100_000).as_bytes(), &site()).unwrap_err();
    assert_eq!((lines.problems.len(), lines.more), (20, true));
}

#[test]
fn a_file_that_is_too_large_is_refused() {
    let large = vec![b'\n'; MAX_FILE_BYTES + 1];
    let reason = |file: &[u8]| Timetable::read(file, &site()).unwrap_err().problems[0].reason.clone();
    assert_eq!(reason(&large), Reason::FileTooLarge);
    assert_eq!(
        reason(calendar(&"A:\n".repeat(MAX_LINES)).as_bytes()),
        Reason::TooManyLines
    );
    let event = |n: usize| format!("BEGIN:VEVENT\nUID:{n}\nDTSTART:20260101T100000Z\nEND:VEVENT\n");
    let events = |n| calendar((0..n).map(event).collect::<String>().trim());
    assert_eq!(read(events(MAX_EVENTS).as_bytes()).events.len(), MAX_EVENTS);
    assert_eq!(reason(events(MAX_EVENTS + 1).as_bytes()), Reason::TooManyEvents);
    let event = |n: usize| format!("BEGIN:VEVENT\nUID:{n}\nDTSTART;TZID=z{n}:20260101T100000\nEND:VEVENT\n");
    let zone = |n: usize| {
        let clock = "BEGIN:STANDARD\nDTSTART:20000101T000000\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0100\nEND:STANDARD";
        format!("BEGIN:VTIMEZONE\nTZID:z{n}\n{clock}\nEND:VTIMEZONE\n")
    };
    let zones = |n| calendar((0..n).map(|n| zone(n) + &event(n)).collect::<String>().trim());
    assert_eq!(read(zones(MAX_ZONES).as_bytes()).events.len(), MAX_ZONES);
    assert_eq!(reason(zones(MAX_ZONES + 2).as_bytes()), Reason::TooManyZones);
}
