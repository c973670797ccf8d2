//! Files as the usual programs write them, under `tests/fixtures/ics`: by hand after the manner of Google, Outlook,
//! Exchange, Apple and Thunderbird, and by three libraries.

use super::*;

macro_rules! sample {
    ($name:literal) => {
        include_bytes!(concat!("../../../../tests/fixtures/ics/", $name))
    };
}

pub(super) const SAMPLES: [(&str, &[u8]); 9] = [
    ("google", sample!("google.ics")),
    ("outlook", sample!("outlook.ics")),
    ("exchange", sample!("exchange.ics")),
    ("apple", sample!("apple.ics")),
    ("thunderbird", sample!("thunderbird.ics")),
    ("two calendars", sample!("two-calendars.ics")),
    ("python icalendar", sample!("python-icalendar.ics")),
    ("python ics", sample!("python-ics.ics")),
    ("ical-generator", sample!("ical-generator.ics")),
];

fn sample(name: &str) -> Timetable {
    let (_, file) = SAMPLES.iter().find(|(it, _)| *it == name).unwrap();
    read(file)
}

#[test]
fn a_google_calendar_is_read() {
    let calendar = sample("google");
    assert_eq!(calendar.name.as_deref(), Some("Studio Sonnengruß"));
    assert_eq!(
        shown(&calendar),
        [
            "2026-03-09T17:00Z/75 Yoga für Anfänger",
            "2026-03-10T08:00Z/90 Heizungsablesung",
            "2026-03-16T17:00Z/75 Yoga für Anfänger",
            "2026-03-19T23:00Z/1440 Abrechnung (free)",
            "2026-03-24T18:00Z/75 Yoga für Anfänger (verlegt)",
            // The clock has gone forward: still six in the evening.
            "2026-03-30T16:00Z/75 Yoga für Anfänger",
            "2026-04-02T22:00Z/5760 Ostern: geschlossen",
            "2026-04-13T16:00Z/75 Yoga für Anfänger",
            "2026-04-19T22:00Z/1440 Abrechnung (free)",
            "2026-05-19T22:00Z/1440 Abrechnung (free)",
        ]
    );
    let yoga = &calendar.events[0];
    assert_eq!(
        yoga.details.description.as_deref(),
        Some("Bitte eigene Matte mitbringen, Decken sind da.\nAnmeldung an der Theke; Nachzügler warten draußen. \\o/")
    );
    assert_eq!(
        yoga.details.place.as_deref(),
        Some("Saal 1, Musterstraße 5, 10115 Berlin")
    );
    assert_eq!(
        yoga.recurrence.as_ref().unwrap().to_string(),
        "RRULE:FREQ=WEEKLY;BYDAY=MO;UNTIL=20260413T235959\nEXDATE:20260406T180000"
    );
    // A single event in universal time is shown on the calendar's clock.
    assert_eq!(calendar.events[1].details.time_zone, zone("Europe/Berlin"));
    assert_eq!(
        calendar.events[1].details.local_start,
        "2026-03-10T09:00".parse().unwrap()
    );
    assert!(calendar.events[2].details.all_day && calendar.events[4].details.cancelled);
}

#[test]
fn an_outlook_calendar_is_read() {
    let calendar = sample("outlook");
    assert_eq!(
        shown(&calendar),
        [
            "2026-03-02T08:00Z/60 Team meeting",
            "2026-04-14T08:30Z/60 Team meeting",
            "2026-04-27T07:00Z/60 Team meeting",
            "2026-04-30T22:00Z/1440 Tag der Arbeit (free)",
            "2026-06-07T22:00Z/1440 Inventory",
            "2026-06-10T09:00Z/60 Maybe (free)",
        ]
    );
    let meeting = &calendar.events[0];
    assert_eq!(meeting.details.time_zone, zone("Europe/Berlin"));
    assert_eq!(meeting.details.description, None, "a blank one");
    assert_eq!(
        meeting.exceptions[0].original_start,
        "2026-04-13T09:00".parse().unwrap()
    );
    assert!(calendar.events[2].details.all_day);
}

#[test]
fn an_exchange_calendar_is_read() {
    let calendar = sample("exchange");
    assert_eq!(
        shown(&calendar),
        [
            "2026-02-27T20:00Z/30 Handover",
            "2026-03-03T22:30Z/60 Supplier call",
            "2026-03-05T06:00Z/60 Export",
            "2026-03-27T19:00Z/30 Handover",
            "2026-04-24T19:00Z/30 Handover",
            "2026-05-29T19:00Z/30 Handover",
        ]
    );
    assert_eq!(calendar.events[0].details.time_zone, zone("America/New_York"));
    // By its rules alone; Hobart's are the same, but Sydney is what Windows names a zone after first.
    assert_eq!(calendar.events[1].details.time_zone, zone("Australia/Sydney"));
    assert_eq!(calendar.events[2].details.time_zone, ZoneName::utc());
}

#[test]
fn an_apple_calendar_is_read() {
    let calendar = sample("apple");
    assert_eq!(
        shown(&calendar),
        [
            "2026-03-31T22:30Z/45 Swim class",
            "2026-04-02T22:30Z/165 Swim class",
            // Over the half hour that the clock shows twice: five hours by any clock.
            "2026-04-04T12:00Z/300 Night watch",
            "2026-04-08T23:00Z/45 Swim class",
            "2026-04-09T22:00Z/2880 Regatta (free)",
            "2026-04-10T23:00Z/45 Swim class",
            "2026-04-11T12:30Z/270 Night watch",
            "2026-04-11T21:30Z/60 Wherever you are",
            "2026-04-18T12:30Z/270 Night watch",
        ]
    );
    assert_eq!(calendar.events[0].details.place.as_deref(), Some("Pool\nNorth end"));
}

#[test]
fn a_thunderbird_calendar_with_a_byte_order_mark_and_bare_line_feeds_is_read() {
    let calendar = sample("thunderbird");
    assert_eq!(
        shown(&calendar),
        [
            "2026-01-05T18:00Z/120 Chess",
            "2026-01-06T18:00Z/90 Choir",
            "2026-02-02T18:00Z/120 Chess",
            "2026-03-02T18:00Z/120 Chess",
        ]
    );
    assert_eq!(calendar.events[0].details.time_zone, zone("Europe/Vienna"));
    assert_eq!(calendar.events[1].details.time_zone, zone("Europe/Zurich"));
}

#[test]
fn several_calendars_in_one_file_are_read() {
    let calendar = sample("two calendars");
    assert_eq!(calendar.name.as_deref(), Some("First"));
    assert_eq!(
        shown(&calendar),
        [
            "2026-01-05T13:30Z/60 In the first",
            "2026-01-06T14:00Z/60 One of many",
            "2026-01-07T14:00Z/0 Newest"
        ]
    );
    assert_eq!(
        calendar.events[1].original_start,
        Some("2026-01-06T13:00".parse().unwrap())
    );
    assert_eq!(calendar.events[2].details.time_zone, zone("America/St_Johns"));
}

#[test]
fn what_libraries_write_is_read() {
    assert_eq!(
        shown(&sample("python icalendar")),
        [
            "2026-03-02T14:00Z/60 Pilates, level 1; bring a towel\nand water",
            "2026-03-09T13:00Z/60 Pilates, level 1; bring a towel\nand water",
            "2026-03-12T13:00Z/60 Pilates, level 1; bring a towel\nand water",
            "2026-03-14T15:00Z/60 Pilates, level 1; bring a towel\nand water",
            "2026-03-16T13:00Z/60 Pilates, level 1; bring a towel\nand water",
            "2026-03-19T13:00Z/60 Pilates, level 1; bring a towel\nand water",
            "2026-03-19T23:00Z/2880 Closed",
            "2026-03-25T12:00Z/90 With a length",
        ]
    );
    assert_eq!(
        shown(&sample("python ics")),
        [
            "2026-03-10T16:00Z/90 Dance; hall 2, \"new\"",
            "2026-03-10T23:00Z/1440 Holiday"
        ]
    );
    assert_eq!(
        shown(&sample("ical-generator")),
        [
            "2026-03-27T09:00Z/60 Barre",
            "2026-03-29T08:00Z/60 Barre",
            "2026-03-30T08:00Z/60 Barre",
            "2026-03-31T08:00Z/60 Barre",
            "2026-03-31T22:00Z/1440 Closed",
        ]
    );
}
