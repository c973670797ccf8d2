//! Why a file can't be read: where, and what is wrong there.

use crate::domain::recurrence::{ExpandError, RuleError};

/// Problems that one answer names, at the most.
pub const MAX_PROBLEMS: usize = 20;

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// The file is larger than [`super::MAX_FILE_BYTES`].
    #[error("the file has more than {} bytes", super::MAX_FILE_BYTES)]
    FileTooLarge,
    /// The file has more lines than [`super::MAX_LINES`].
    #[error("the file has more than {} lines", super::MAX_LINES)]
    TooManyLines,
    /// There is no calendar in it.
    #[error("this is no iCalendar file: it doesn't begin with `BEGIN:VCALENDAR`")]
    NoCalendar,
    /// It is of the format's first version, which writes things differently.
    #[error("this is a vCalendar 1.0 file; it has to be an iCalendar file, version 2.0")]
    OldVersion,
    /// Bytes that aren't UTF-8.
    #[error("the line is not UTF-8")]
    NotUtf8,
    /// U+0000 in a text.
    #[error("the line contains the character U+0000")]
    Nul,
    /// Not of the form `NAME;PARAMETER=value:value`.
    #[error("the line is not of the form `NAME:value`")]
    NotAProperty,
    /// A quotation mark that is never closed.
    #[error("a quotation mark is not closed")]
    UnclosedQuote,
    /// An `END` without its `BEGIN`.
    #[error("`END:{0}` has no `BEGIN` of its own")]
    StrayEnd(String),
    /// A `BEGIN` without its `END`: the file breaks off, or lines are missing.
    #[error("`BEGIN:{0}` has no `END`")]
    Unclosed(String),
    /// Components within components within components.
    #[error("components are nested too deeply")]
    TooDeep,
    /// More events than [`super::MAX_EVENTS`].
    #[error("the file has more than {} events", super::MAX_EVENTS)]
    TooManyEvents,
    /// More zones of their own than [`super::MAX_ZONES`].
    #[error("the file has more than {} time zones of its own", super::MAX_ZONES)]
    TooManyZones,
    /// A property that an event must have.
    #[error("the event has no `{0}`")]
    Missing(&'static str),
    /// A property that an event can have once only.
    #[error("the event has a second `{0}`")]
    Twice(&'static str),
    /// A value that the property can't have.
    #[error("`{name}` can't be `{value}`: {expected}")]
    Value {
        /// The property.
        name: &'static str,
        /// Its value, or the begin of it.
        value: String,
        /// What it may be.
        expected: &'static str,
    },
    /// A date outside of the years 1970 to 2100.
    #[error("`{0}` must lie between the years 1970 and 2100")]
    OutOfRange(&'static str),
    /// An end in front of the start.
    #[error("the event ends before it starts")]
    EndBeforeStart,
    /// A start that is a date and an end that is a time, or the other way round.
    #[error("start and end must both be dates, or both be times")]
    MixedEnd,
    /// Both an end and a length.
    #[error("the event has both `DTEND` and `DURATION`")]
    EndTwice,
    /// A zone that nobody knows.
    #[error("the time zone `{0}` is not known, and the file doesn't describe it")]
    UnknownZone(String),
    /// A zone that the file describes by rules that no zone has.
    #[error("the time zone `{0}` is described in the file, but no zone of the world has its rules")]
    UnmatchedZone(String),
    /// A part of the format that isn't supported.
    #[error("`{0}` is not supported")]
    Unsupported(&'static str),
    /// A changed occurrence that itself repeats.
    #[error("a single occurrence (`RECURRENCE-ID`) can't have a rule of its own")]
    OccurrenceRepeats,
    /// A rule that is refused.
    #[error("the rule {0}")]
    Rule(#[from] RuleError),
    /// A rule that gives no occurrence.
    #[error("the event {0}")]
    Expand(#[from] ExpandError),
}

/// One line that can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct Problem {
    /// Which line of the file, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub reason: Reason,
}

/// A file that can't be read; nothing of it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{}", .problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "), if *.more { "; and more" } else { "" })]
pub struct Unreadable {
    /// The lines, ascending, at most [`MAX_PROBLEMS`].
    pub problems: Vec<Problem>,
    /// Whether there are more.
    pub more: bool,
}

/// Collects problems.
#[derive(Debug, Default)]
pub(super) struct Problems {
    found: Vec<Problem>,
    more: bool,
}

impl Problems {
    pub(super) fn put(&mut self, line: usize, reason: Reason) {
        let problem = Problem { line, reason };
        if self.found.contains(&problem) {
            return;
        }
        if self.found.len() < MAX_PROBLEMS {
            self.found.push(problem);
        } else {
            self.more = true;
        }
    }

    /// The value, or its problem noted.
    pub(super) fn take<T>(&mut self, line: usize, result: Result<T, Reason>) -> Option<T> {
        result.map_err(|reason| self.put(line, reason)).ok()
    }

    /// Whether to read on: there is no sense in it when no more problems can be named.
    pub(super) fn full(&self) -> bool {
        self.more
    }

    pub(super) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    pub(super) fn unreadable(mut self) -> Unreadable {
        self.found.sort_by_key(|problem| problem.line);
        Unreadable {
            problems: self.found,
            more: self.more,
        }
    }
}
