//! Which zone a file means.

use super::*;

fn clock(kind: &str, start: &str, from: &str, to: &str, rule: &str) -> String {
    let rule = if rule.is_empty() {
        String::new()
    } else {
        format!("RRULE:{rule}\n")
    };
    format!("BEGIN:{kind}\nDTSTART:{start}\nTZOFFSETFROM:{from}\nTZOFFSETTO:{to}\n{rule}END:{kind}\n")
}

fn described(tzid: &str, clocks: &[String]) -> Result<ZoneName, Reason> {
    let zone = format!("BEGIN:VTIMEZONE\nTZID:{tzid}\n{}END:VTIMEZONE", clocks.concat());
    let event = format!("BEGIN:VEVENT\nUID:a\nDTSTART;TZID=\"{tzid}\":20260101T100000\nEND:VEVENT");
    let site = super::zone("Europe/Vienna");
    match Timetable::read(calendar(&format!("{zone}\n{event}")).as_bytes(), &site) {
        Ok(timetable) => Ok(timetable.events[0].details.time_zone.clone()),
        Err(error) => Err(error.problems[0].reason.clone()),
    }
}

#[test]
fn a_described_zone_is_one_with_the_same_rules() {
    let daylight = |month, day| {
        clock(
            "DAYLIGHT",
            "16010101T020000",
            "+0100",
            "+0200",
            &format!("FREQ=YEARLY;BYDAY={day};BYMONTH={month}"),
        )
    };
    let standard = |month, day| {
        clock(
            "STANDARD",
            "16010101T030000",
            "+0200",
            "+0100",
            &format!("FREQ=YEARLY;BYDAY={day};BYMONTH={month}"),
        )
    };
    // The site's own is preferred.
    assert_eq!(
        described("Office", &[standard(10, "-1SU"), daylight(3, "-1SU")]),
        Ok(super::zone("Europe/Vienna"))
    );
    let eastern = [
        clock(
            "DAYLIGHT",
            "20070311T020000",
            "-0500",
            "-0400",
            "FREQ=YEARLY;BYMONTH=3;BYDAY=2SU",
        ),
        clock(
            "STANDARD",
            "20071104T020000",
            "-0400",
            "-0500",
            "FREQ=YEARLY;BYMONTH=11;BYDAY=1SU",
        ),
        // Rules of old that don't matter any more.
        clock(
            "DAYLIGHT",
            "19870405T020000",
            "-0500",
            "-0400",
            "FREQ=YEARLY;BYMONTH=4;BYDAY=1SU;UNTIL=20060402T070000Z",
        ),
        clock(
            "STANDARD",
            "19671029T020000",
            "-0400",
            "-0500",
            "FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU;UNTIL=20061029T060000Z",
        ),
    ];
    assert_eq!(
        described("(UTC-05:00) Eastern Time (US & Canada)", &eastern),
        Ok(super::zone("America/New_York"))
    );
    // `Sunday on or after the 8th`, as some programs write the second Sunday.
    let on_or_after = "FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=8,9,10,11,12,13,14;BYDAY=SU";
    let eastern = [
        clock("DAYLIGHT", "20070311T020000", "-0500", "-0400", on_or_after),
        eastern[1].clone(),
    ];
    assert_eq!(described("East", &eastern), Ok(super::zone("America/New_York")));
    // The clock would change on other days than anywhere in the world.
    let unmatched = described("Nowhere", &[standard(9, "2TU"), daylight(2, "2TU")]);
    assert_eq!(unmatched, Err(Reason::UnmatchedZone("Nowhere".into())));
}

#[test]
fn a_described_zone_that_never_changes_its_clock_is_an_offset() {
    let fixed = |offset: &str| described("Custom", &[clock("STANDARD", "16010101T000000", offset, offset, "")]);
    assert_eq!(fixed("+0300"), Ok(super::zone("Etc/GMT-3")));
    assert_eq!(fixed("-0800"), Ok(super::zone("Etc/GMT+8")));
    assert_eq!(fixed("+0000"), Ok(super::zone("Etc/UTC")));
    assert_eq!(fixed("+0545"), Ok(super::zone("Asia/Katmandu")));
    assert_eq!(fixed("+0017"), Err(Reason::UnmatchedZone("Custom".into())));
    assert_eq!(fixed("one hour"), Err(Reason::UnmatchedZone("Custom".into())));
}

#[test]
fn a_zone_that_ends_its_changes_has_the_last_clock() {
    // Dates only, the last of them long ago: Turkey's time since 2016.
    let clocks = [
        clock("DAYLIGHT", "20160327T030000", "+0200", "+0300", ""),
        clock("STANDARD", "20160907T000000", "+0300", "+0300", ""),
    ];
    assert_eq!(described("Ankara", &clocks), Ok(super::zone("Etc/GMT-3")));
}

#[test]
fn every_zone_that_windows_names_is_found_by_rules_written_as_windows_does() {
    // Each zone whose clock changes by yearly rules, described by its changes in 2026 to 2028.
    let mut found = 0;
    for (windows, iana) in windows::ZONES {
        let zone = super::zone(iana);
        let rules = zone.zone();
        let from = "2025-12-31T00:00Z".parse().unwrap();
        let until: jiff::Timestamp = "2029-01-01T00:00Z".parse().unwrap();
        let clocks: Vec<String> = rules
            .following(from)
            .take_while(|change| change.timestamp() < until)
            .map(|change| {
                let before = change
                    .timestamp()
                    .checked_sub(jiff::SignedDuration::from_secs(1))
                    .unwrap();
                let before = rules.to_offset(before);
                let local = before
                    .to_datetime(change.timestamp())
                    .strftime("%Y%m%dT%H%M%S")
                    .to_string();
                let show = |offset: jiff::tz::Offset| {
                    let (sign, seconds) = (if offset.seconds() < 0 { '-' } else { '+' }, offset.seconds().abs());
                    format!("{sign}{:02}{:02}", seconds / 3600, seconds / 60 % 60)
                };
                clock("STANDARD", &local, &show(before), &show(change.offset()), "")
            })
            .collect();
        if clocks.is_empty() {
            continue;
        }
        let matched = described("Custom", &clocks).unwrap_or_else(|reason| panic!("{windows}: {reason}"));
        let changes = |zone: &ZoneName| {
            zone.zone()
                .following(from)
                .take_while(|it| it.timestamp() < until)
                .map(|it| it.timestamp())
                .collect::<Vec<_>>()
        };
        assert_eq!(changes(&matched), changes(&zone), "{windows}: {}", matched.as_str());
        found += 1;
    }
    assert!(found > 35, "{found}");
}

#[test]
fn a_zone_is_known_by_many_names() {
    use super::super::zones::known;
    for (name, iana) in [
        ("Europe/Berlin", "Europe/Berlin"),
        ("europe/berlin", "Europe/Berlin"),
        ("W. Europe Standard Time", "Europe/Berlin"),
        ("w. europe standard time", "Europe/Berlin"),
        ("GMT Standard Time", "Europe/London"),
        ("/freeassociation.sourceforge.net/Europe/Berlin", "Europe/Berlin"),
        ("/citadel.org/20190914_1/America/Indiana/Knox", "America/Indiana/Knox"),
        ("tzone://Microsoft/Utc", "UTC"),
        ("UTC", "UTC"),
    ] {
        assert_eq!(known(name), Some(super::zone(iana)), "{name}");
    }
    for name in [
        "",
        "/",
        "//",
        "/Berlin",
        "Berlin",
        "W. Europe",
        "../../etc/passwd",
        &"x".repeat(10_000),
        &"/a".repeat(2_000_000),
    ] {
        assert_eq!(known(name), None, "{name}");
    }
}
