#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod fuzz;
mod meaning;
mod refusals;
mod samples;
mod zones;

use super::*;
use crate::domain::time::{TimeSpan, ZoneName};

fn zone(name: &str) -> ZoneName {
    ZoneName::parse(name).unwrap()
}

fn site() -> ZoneName {
    zone("Europe/Berlin")
}

fn read(file: &[u8]) -> Timetable {
    Timetable::read(file, &site()).unwrap_or_else(|error| panic!("{error}"))
}

/// A calendar around some lines of events.
fn calendar(lines: &str) -> String {
    format!("BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//example//EN\n{lines}\nEND:VCALENDAR\n")
}

/// A calendar with one event of these lines; they begin on the line 5.
fn event(lines: &str) -> String {
    calendar(&format!("BEGIN:VEVENT\n{lines}\nUID:a\nEND:VEVENT"))
}

fn only(lines: &str) -> ImportedEvent {
    let mut timetable = read(event(lines).as_bytes());
    assert_eq!(timetable.events.len(), 1);
    timetable.events.remove(0)
}

/// All that takes place from 2026 to 2028: `start/minutes title`, marked if free.
fn shown(timetable: &Timetable) -> Vec<String> {
    let (from, until) = ("2026-01-01T00:00Z", "2029-01-01T00:00Z");
    let years = TimeSpan::new(from.parse().unwrap(), until.parse().unwrap()).unwrap();
    let all = timetable.occurrences(years).unwrap();
    all.iter()
        .map(|it| {
            let minutes = it.span.map_or(0, |span| span.minutes());
            let title = it.details.title.as_deref().unwrap_or("-");
            let free = if it.details.transparent { " (free)" } else { "" };
            let start = it.start.strftime("%Y-%m-%dT%H:%MZ");
            format!("{start}/{minutes} {title}{free}")
        })
        .collect()
}
