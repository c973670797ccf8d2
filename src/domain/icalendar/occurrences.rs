//! When the events of a file take place.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp, civil::DateTime};

use super::{EventDetails, ImportedEvent, Timetable};
use crate::domain::{
    recurrence::{ExpandError, Window, placed, span},
    time::TimeSpan,
};

/// Occurrences of one file in one answer, at the most.
pub const MAX_IMPORTED_OCCURRENCES: usize = 10_000;

/// One time at which an event of a file takes place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedOccurrence<'a> {
    /// The event.
    pub event: &'a ImportedEvent,
    /// What this occurrence is: the event's, or its own. The times in it are the event's first ones.
    pub details: &'a EventDetails,
    /// Where the rule has it, in the event's zone; the start of a single event. With the uid it is what the occurrence
    /// is known by when the file is read again.
    pub original_start: DateTime,
    /// The instant at which it begins.
    pub start: Timestamp,
    /// When it takes place; none if it takes no time.
    pub span: Option<TimeSpan>,
}

const DAY: SignedDuration = SignedDuration::from_hours(24);

impl Timetable {
    /// All that begins within the span, in the order of its begin, without what is cancelled; with what is transparent.
    /// Refuses more than [`MAX_IMPORTED_OCCURRENCES`], and more than the limit of a single series.
    pub fn occurrences(&self, within: TimeSpan) -> Result<Vec<ImportedOccurrence<'_>>, ExpandError> {
        let mut all = Vec::new();
        for event in &self.events {
            event.occurrences(within, &mut all)?;
            if all.len() > MAX_IMPORTED_OCCURRENCES {
                return Err(ExpandError::TooMany {
                    limit: MAX_IMPORTED_OCCURRENCES,
                });
            }
        }
        all.sort_by_key(|occurrence| occurrence.start);
        Ok(all)
    }
}

impl ImportedEvent {
    fn occurrences<'a>(&'a self, within: TimeSpan, all: &mut Vec<ImportedOccurrence<'a>>) -> Result<(), ExpandError> {
        let changed: BTreeSet<DateTime> = self.exceptions.iter().map(|it| it.original_start).collect();
        let details = &self.details;
        let length = details.local_end.duration_since(details.local_start);
        let starts = if details.cancelled {
            Vec::new()
        } else {
            self.starts(within)?
        };
        for original_start in starts.into_iter().filter(|at| !changed.contains(at)) {
            let end = original_start.checked_add(length).unwrap_or(original_start);
            all.extend(self.at(original_start, (original_start, end), details, within));
        }
        for exception in self.exceptions.iter().filter(|it| !it.details.cancelled) {
            let clock = (exception.details.local_start, exception.details.local_end);
            all.extend(self.at(exception.original_start, clock, &exception.details, within));
        }
        Ok(())
    }

    fn starts(&self, within: TimeSpan) -> Result<Vec<DateTime>, ExpandError> {
        let (start, zone) = (self.details.local_start, &self.details.time_zone);
        let Some(recurrence) = &self.recurrence else {
            return Ok(vec![start]);
        };
        // A day more on each side: what a gap moves into the span belongs to it.
        let window = Window {
            from: zone.local(within.start()).checked_sub(DAY).unwrap_or(DateTime::MIN),
            until: zone.local(within.end()).checked_add(DAY).unwrap_or(DateTime::MAX),
        };
        match placed(recurrence, start, zone, window) {
            // Each of its occurrences is excepted.
            Err(ExpandError::NeverOccurs) => Ok(Vec::new()),
            other => other,
        }
    }

    fn at<'a>(
        &'a self,
        original_start: DateTime,
        (start, end): (DateTime, DateTime),
        details: &'a EventDetails,
        within: TimeSpan,
    ) -> Option<ImportedOccurrence<'a>> {
        let begins = details.time_zone.instant(start)?;
        (within.start() <= begins && begins < within.end()).then(|| ImportedOccurrence {
            event: self,
            details,
            original_start: self.original_start.unwrap_or(original_start),
            start: begins,
            span: span(start, end, &details.time_zone).map(|(span, _)| span),
        })
    }
}
