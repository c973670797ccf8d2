//! Calendars of other programs: an `.ics` text (RFC 5545) read into events that sessions or blocked times can be made
//! of.
//!
//! A file is read whole or not at all: whatever can't be understood refuses it, with line and reason, so that nobody
//! finds out weeks later which half of a timetable is missing. What a business has no use for is passed over: alarms,
//! to-dos, journals, free and busy times, guests, colours. Nothing here knows of sessions or of the store.

mod assemble;
mod event;
mod lines;
mod occurrences;
mod problem;
mod tree;
mod values;
mod vtimezone;
mod windows;
mod zones;

#[cfg(test)]
mod tests;

use jiff::civil::DateTime;

use super::{recurrence::Recurrence, time::ZoneName};
use assemble::Place;
use problem::Problems;
use zones::{Zones, known};

pub use occurrences::{ImportedOccurrence, MAX_IMPORTED_OCCURRENCES};
pub use problem::{MAX_PROBLEMS, Problem, Reason, Unreadable};

/// The largest file, in bytes.
pub const MAX_FILE_BYTES: usize = 5 << 20;
/// Lines of a file, folded ones counted once, at the most.
pub const MAX_LINES: usize = 200_000;
/// Events of a file, changed occurrences among them, at the most.
pub const MAX_EVENTS: usize = 5000;
/// Zones of a file that aren't known by their name, at the most.
pub const MAX_ZONES: usize = 50;

/// What a file says takes place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timetable {
    /// The calendar's name, if it has one; the first one's, if the file has several.
    pub name: Option<String>,
    /// The events, in the file's order.
    pub events: Vec<ImportedEvent>,
    /// How many versions of events, or of single occurrences, were passed over because the file has a newer one.
    pub superseded: usize,
}

/// What one event is, or one changed occurrence of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventDetails {
    /// Its title, of any length; none if it has none, or a blank one.
    pub title: Option<String>,
    /// What it is about, of any length.
    pub description: Option<String>,
    /// Where it takes place, of any length.
    pub place: Option<String>,
    /// The wall clock at its start; of a whole day, its midnight.
    pub local_start: DateTime,
    /// The wall clock at its end, which isn't in it. The start itself if the event takes no time; before it only in
    /// the hour that a clock shows twice.
    pub local_end: DateTime,
    /// The zone of that clock: the file's, or the site's for whole days and where the file names none.
    pub time_zone: ZoneName,
    /// Whether it is of whole days.
    pub all_day: bool,
    /// Whether one is free while it takes place.
    pub transparent: bool,
    /// Whether it doesn't take place.
    pub cancelled: bool,
}

/// One occurrence of an event that is different from the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedException {
    /// Where it begins in the file, from 1.
    pub line: usize,
    /// The local start that it would have had, in the event's zone. If the event has no occurrence there, it is one
    /// more.
    pub original_start: DateTime,
    /// What it is, in full. Its zone may be another than the event's.
    pub details: EventDetails,
}

/// An event of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedEvent {
    /// Where it begins in the file, from 1.
    pub line: usize,
    /// By what the program that wrote the file knows it.
    pub uid: String,
    /// Its local start in an event that repeats, if the file has only this occurrence of that. It and the uid together
    /// are what it is known by.
    pub original_start: Option<DateTime>,
    /// What it is.
    pub details: EventDetails,
    /// When it takes place again, on its zone's clock; the start is where it counts from.
    pub recurrence: Option<Recurrence>,
    /// The occurrences that are different, by original start.
    pub exceptions: Vec<ImportedException>,
}

impl Timetable {
    /// Reads a file: one or several `VCALENDAR`s, of at most [`MAX_FILE_BYTES`], [`MAX_LINES`] and [`MAX_EVENTS`].
    ///
    /// A zone is known by its own name, by what Windows calls it, by `X-LIC-LOCATION`, or by rules in the file that are
    /// a zone's. Whole days are of the zone `site`; times without a zone are of the clock of `X-WR-TIMEZONE`, else of
    /// `site`, as are single events in universal time, and repeating ones stay in universal time. Of
    /// several versions of an event the newest counts (`SEQUENCE`, then when it was changed, then the last).
    ///
    /// Refuses a file of which a line isn't understood, with the first [`MAX_PROBLEMS`] lines and reasons.
    pub fn read(file: &[u8], site: &ZoneName) -> Result<Self, Unreadable> {
        let mut problems = Problems::default();
        if file.len() > MAX_FILE_BYTES {
            problems.put(1, Reason::FileTooLarge);
            return Err(problems.unreadable());
        }
        let lines = lines::lines(file, &mut problems);
        if lines.is_empty() && !problems.is_empty() {
            return Err(problems.unreadable());
        }
        let calendars = tree::calendars(lines, &mut problems);
        let mut timetable = Self {
            name: None,
            events: Vec::new(),
            superseded: 0,
        };
        let (mut count, mut zone_count) = (0, 0);
        for calendar in &calendars {
            let text = |name: &str| calendar.first(name).map(|line| line.text().trim().to_owned());
            if let Some(version) = calendar.first("VERSION").filter(|line| line.value.trim() == "1.0") {
                problems.put(version.number, Reason::OldVersion);
                continue;
            }
            if timetable.name.is_none() {
                timetable.name = text("X-WR-CALNAME").filter(|name| !name.is_empty());
            }
            let place = Place {
                site,
                calendar: text("X-WR-TIMEZONE")
                    .and_then(|name| known(&name))
                    .unwrap_or_else(|| site.clone()),
            };
            let calls_off = text("METHOD").is_some_and(|method| method.eq_ignore_ascii_case("CANCEL"));
            let mut zones = Zones::new(calendar, site);
            let mut entries = Vec::new();
            for event in calendar.parts("VEVENT") {
                count += 1;
                if count > MAX_EVENTS || zone_count + zones.found() > MAX_ZONES {
                    let many = count > MAX_EVENTS;
                    problems.put(
                        event.line,
                        if many {
                            Reason::TooManyEvents
                        } else {
                            Reason::TooManyZones
                        },
                    );
                    return Err(problems.unreadable());
                }
                if problems.full() {
                    return Err(problems.unreadable());
                }
                if let Some(mut entry) = event::entry(event, &mut zones, &mut problems) {
                    entry.cancelled |= calls_off;
                    entries.push(entry);
                }
            }
            zone_count += zones.found();
            let (events, superseded) = assemble::events(entries, &place, &mut problems);
            timetable.events.extend(events);
            timetable.superseded += superseded;
        }
        if problems.is_empty() {
            Ok(timetable)
        } else {
            Err(problems.unreadable())
        }
    }
}
