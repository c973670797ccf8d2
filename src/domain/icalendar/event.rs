//! One `VEVENT`, as it stands in the file.

use jiff::Timestamp;

use super::{
    lines::Line,
    problem::{Problems, Reason},
    tree::Component,
    values::{Length, Moment, moments, wrong},
    zones::Zones,
};
use crate::domain::recurrence::Stamp;

/// What says when an event is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ending {
    At(Moment),
    Lasts(Length),
    Unsaid,
}

/// What a `VEVENT` says.
#[derive(Debug)]
pub(super) struct Entry {
    /// The line of its `BEGIN`.
    pub(super) line: usize,
    pub(super) uid: String,
    /// Which occurrence of the event it is about, if it is about one.
    pub(super) occurrence: Option<Moment>,
    /// The higher, the newer.
    pub(super) version: (i64, Option<Timestamp>),
    pub(super) start: (usize, Moment),
    pub(super) ending: (usize, Ending),
    pub(super) rule: Option<Line>,
    pub(super) added: Vec<Moment>,
    pub(super) excepted: Vec<Moment>,
    pub(super) title: Option<String>,
    pub(super) description: Option<String>,
    pub(super) place: Option<String>,
    pub(super) whole_days: bool,
    pub(super) transparent: bool,
    pub(super) cancelled: bool,
}

/// Reads a `VEVENT`; `None` if it can't be, with all of its problems noted.
pub(super) fn entry(event: &Component, zones: &mut Zones<'_>, problems: &mut Problems) -> Option<Entry> {
    let uid = text(event, "UID").or_else(|| {
        problems.put(event.line, Reason::Missing("UID"));
        None
    });
    for name in ["UID", "DTSTART", "DTEND", "DURATION", "RRULE", "RECURRENCE-ID"] {
        if let Some(second) = event.all(name).nth(1) {
            problems.put(second.number, Reason::Twice(name));
        }
    }
    if let Some(line) = event.first("EXRULE") {
        problems.put(line.number, Reason::Unsupported("EXRULE"));
    }
    let line = event.first("DTSTART").or_else(|| {
        problems.put(event.line, Reason::Missing("DTSTART"));
        None
    });
    let start = line.and_then(|line| Some((line.number, one(line, "DTSTART", zones, problems)?)));
    let ending = ending(event, zones, problems);
    let occurrence = match event.first("RECURRENCE-ID") {
        Some(line) => {
            if line.parameter("RANGE").is_some() {
                problems.put(line.number, Reason::Unsupported("RANGE"));
            }
            one(line, "RECURRENCE-ID", zones, problems).map(Some)
        }
        None => Some(None),
    };
    let mut dates = |name: &'static str| {
        let mut all = Vec::new();
        for line in event.all(name).filter(|line| !line.value.trim().is_empty()) {
            all.extend(moments(line, name, zones, problems).unwrap_or_default());
        }
        all
    };
    let (added, excepted) = (dates("RDATE"), dates("EXDATE"));
    let occurrence = occurrence?;
    if occurrence.is_some() {
        let repeats = event.first("RRULE").or_else(|| event.first("RDATE"));
        if let Some(line) = repeats {
            problems.put(line.number, Reason::OccurrenceRepeats);
        }
    }
    let busy = value(event, "X-MICROSOFT-CDO-BUSYSTATUS").is_some_and(|status| status != "FREE");
    let transparent = match value(event, "TRANSP") {
        Some(transparency) => transparency == "TRANSPARENT",
        None => !busy && value(event, "X-MICROSOFT-CDO-BUSYSTATUS").is_some(),
    };
    Some(Entry {
        line: event.line,
        uid: uid?,
        occurrence,
        version: version(event),
        start: start?,
        ending: ending?,
        rule: event
            .first("RRULE")
            .filter(|line| !line.value.trim().is_empty())
            .cloned(),
        added,
        excepted,
        title: text(event, "SUMMARY"),
        description: text(event, "DESCRIPTION"),
        place: text(event, "LOCATION"),
        whole_days: value(event, "X-MICROSOFT-CDO-ALLDAYEVENT").as_deref() == Some("TRUE"),
        transparent,
        cancelled: value(event, "STATUS").as_deref() == Some("CANCELLED"),
    })
}

fn one(line: &Line, name: &'static str, zones: &mut Zones<'_>, problems: &mut Problems) -> Option<Moment> {
    let mut read = moments(line, name, zones, problems)?;
    if read.len() > 1 {
        problems.put(line.number, wrong(name, &line.value, "it is one date or time"));
    }
    read.pop()
}

fn ending(event: &Component, zones: &mut Zones<'_>, problems: &mut Problems) -> Option<(usize, Ending)> {
    match (event.first("DTEND"), event.first("DURATION")) {
        (Some(_), Some(line)) => {
            problems.put(line.number, Reason::EndTwice);
            None
        }
        (Some(line), None) => Some((line.number, Ending::At(one(line, "DTEND", zones, problems)?))),
        (None, Some(line)) => {
            let expected = "it looks like `PT1H30M` or `P1D`, and isn't negative";
            let text = line.value.trim();
            let length = Length::parse(text).ok_or_else(|| wrong("DURATION", text, expected));
            Some((line.number, Ending::Lasts(problems.take(line.number, length)?)))
        }
        (None, None) => Some((event.line, Ending::Unsaid)),
    }
}

/// A text that isn't blank.
fn text(event: &Component, name: &str) -> Option<String> {
    let text = event.first(name)?.text();
    let trimmed = text.trim();
    (!trimmed.is_empty()).then(|| trimmed.to_owned())
}

/// A word, in capitals.
fn value(component: &Component, name: &str) -> Option<String> {
    component.first(name).map(|line| line.value.trim().to_ascii_uppercase())
}

fn version(event: &Component) -> (i64, Option<Timestamp>) {
    let sequence = value(event, "SEQUENCE").and_then(|text| text.parse().ok()).unwrap_or(0);
    let stamp = |name| match Stamp::parse(value(event, name)?.as_str())? {
        Stamp::Utc(at) => Some(at),
        Stamp::Local(_) | Stamp::Date(_) => None,
    };
    (sequence, stamp("LAST-MODIFIED").or_else(|| stamp("DTSTAMP")))
}
