//! Rules and sets of dates that can't hold nonsense.

use std::collections::BTreeSet;

use jiff::civil::{DateTime, Weekday};

use crate::domain::time::LATEST_YEAR;

/// Occurrences of one series, or of one answer, at the most; also the highest `COUNT` and the most dates that a rule
/// can have added or excepted. More than five years of a daily class.
pub const MAX_OCCURRENCES: usize = 2000;

/// What a `BYSETPOS` may be.
pub(super) const POSITION: &str = "the first of the days is 1, the last -1, and a month has 31 at the most";

/// What a rule repeats by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Frequency {
    /// Days.
    Daily,
    /// Weeks.
    Weekly,
    /// Months.
    Monthly,
}

impl Frequency {
    /// The longest step between two periods: a year of days, the reference's 52 weeks (§9.2), ten years of months.
    #[must_use]
    pub fn max_interval(self) -> u16 {
        match self {
            Self::Daily => 366,
            Self::Weekly => 52,
            Self::Monthly => 120,
        }
    }

    /// As RFC 5545 writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Daily => "DAILY",
            Self::Weekly => "WEEKLY",
            Self::Monthly => "MONTHLY",
        }
    }
}

/// A weekday of each week, or one of the month's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DayOfWeek {
    /// Which of the month's: 1 to 5 from its begin, -1 to -5 from its end; none means each of them.
    pub ordinal: Option<i8>,
    /// The weekday.
    pub weekday: Weekday,
}

impl DayOfWeek {
    fn order(self) -> (i8, i8) {
        (self.ordinal.unwrap_or(0), self.weekday.to_monday_zero_offset())
    }
}

/// When a rule ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum End {
    /// Never.
    Never,
    /// After this many occurrences, 1 to [`MAX_OCCURRENCES`]. Excepted ones count, added ones don't.
    Count(u16),
    /// With the last occurrence that starts at this local time or earlier.
    Until(DateTime),
}

/// Why a rule is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// Longer than any rule.
    #[error("is too long")]
    TooLong,
    /// Not of the form `NAME=value;NAME=value`.
    #[error("`{0}` is not of the form `NAME=value`")]
    Malformed(String),
    /// A part of RFC 5545 that isn't supported, or none of it at all.
    #[error("`{part}` is not supported{hint}")]
    Unsupported {
        /// The part, such as `BYWEEKNO` or `FREQ=HOURLY`.
        part: String,
        /// What to say instead, if there is something; else empty. Begins with its own punctuation.
        hint: &'static str,
    },
    /// A part that occurs more than once.
    #[error("`{0}` is there twice")]
    Twice(String),
    /// No `FREQ`.
    #[error("has no `FREQ`")]
    NoFrequency,
    /// A value that the part can't have.
    #[error("`{part}` can't be `{value}`: {expected}")]
    Value {
        /// The part.
        part: &'static str,
        /// What it was said to be.
        value: String,
        /// What it may be.
        expected: &'static str,
    },
    /// Parts that don't go together.
    #[error("`{part}` doesn't go with `{with}`")]
    Clash {
        /// The one.
        part: &'static str,
        /// The other.
        with: &'static str,
    },
    /// An interval of zero, or longer than [`Frequency::max_interval`].
    #[error("`INTERVAL` must be between 1 and {max} for this frequency")]
    Interval {
        /// The longest.
        max: u16,
    },
    /// A count of zero, or more than [`MAX_OCCURRENCES`].
    #[error("`COUNT` must be between 1 and {MAX_OCCURRENCES}")]
    Count,
    /// More than [`MAX_OCCURRENCES`] added or excepted dates.
    #[error("has more than {MAX_OCCURRENCES} dates in `{0}`")]
    TooManyDates(&'static str),
    /// A date outside of the years 1970 to 2100.
    #[error("`{0}` must lie between the years 1970 and 2100")]
    OutOfRange(&'static str),
    /// Neither a rule nor dates.
    #[error("has neither a rule nor dates")]
    Empty,
}

/// One rule: which days of which periods, and when it ends. Times come from the start that it is given.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Rule {
    frequency: Frequency,
    interval: u16,
    days: Vec<DayOfWeek>,
    month_days: Vec<i8>,
    positions: Vec<i8>,
    week_start: Weekday,
    end: End,
}

impl Rule {
    /// A rule for each period: each day, or the start's own weekday or day of the month.
    #[must_use]
    pub fn every(frequency: Frequency) -> Self {
        Self {
            frequency,
            interval: 1,
            days: Vec::new(),
            month_days: Vec::new(),
            positions: Vec::new(),
            week_start: Weekday::Monday,
            end: End::Never,
        }
    }

    /// The same rule for each `interval`th period only.
    pub fn with_interval(mut self, interval: u16) -> Result<Self, RuleError> {
        let max = self.frequency.max_interval();
        if !(1..=max).contains(&interval) {
            return Err(RuleError::Interval { max });
        }
        self.interval = interval;
        Ok(self)
    }

    /// The same rule on these weekdays. Which of a month's weekdays can be said in monthly rules only.
    pub fn on_days(mut self, days: impl IntoIterator<Item = DayOfWeek>) -> Result<Self, RuleError> {
        let mut days: Vec<DayOfWeek> = days.into_iter().collect();
        for day in &days {
            match day.ordinal {
                Some(_) if self.frequency != Frequency::Monthly => {
                    return Err(RuleError::Clash {
                        part: "BYDAY with a number",
                        with: match self.frequency {
                            Frequency::Daily => "FREQ=DAILY",
                            _ => "FREQ=WEEKLY",
                        },
                    });
                }
                Some(ordinal) if ordinal == 0 || ordinal.unsigned_abs() > 5 => {
                    return Err(RuleError::Value {
                        part: "BYDAY",
                        value: ordinal.to_string(),
                        expected: "a month has five of a weekday at the most: 1 to 5, or -1 to -5 from its end",
                    });
                }
                Some(_) | None => {}
            }
        }
        days.sort_by_key(|day| day.order());
        days.dedup();
        self.days = days;
        Ok(self)
    }

    /// The same rule on these days of the month, 1 to 31 or -1 to -31 from its end. Not for weekly rules.
    pub fn on_month_days(mut self, month_days: impl IntoIterator<Item = i8>) -> Result<Self, RuleError> {
        let mut month_days: Vec<i8> = month_days.into_iter().collect();
        if self.frequency == Frequency::Weekly && !month_days.is_empty() {
            return Err(RuleError::Clash {
                part: "BYMONTHDAY",
                with: "FREQ=WEEKLY",
            });
        }
        if let Some(day) = month_days.iter().find(|day| !(1..=31).contains(&day.unsigned_abs())) {
            return Err(RuleError::Value {
                part: "BYMONTHDAY",
                value: day.to_string(),
                expected: "1 to 31, or -1 to -31 from the month's end",
            });
        }
        month_days.sort_unstable();
        month_days.dedup();
        self.month_days = month_days;
        Ok(self)
    }

    /// The same rule on some of each month's days that it means only: the first of them is 1, the last -1. For monthly
    /// rules that say on which days.
    pub fn at_positions(mut self, positions: impl IntoIterator<Item = i8>) -> Result<Self, RuleError> {
        let mut positions: Vec<i8> = positions.into_iter().collect();
        if self.frequency != Frequency::Monthly && !positions.is_empty() {
            return Err(RuleError::Clash {
                part: "BYSETPOS",
                with: match self.frequency {
                    Frequency::Daily => "FREQ=DAILY",
                    _ => "FREQ=WEEKLY",
                },
            });
        }
        if self.days.is_empty() && self.month_days.is_empty() && !positions.is_empty() {
            return Err(RuleError::Unsupported {
                part: "BYSETPOS".to_owned(),
                hint: " without the days from which it chooses, `BYDAY` or `BYMONTHDAY`",
            });
        }
        if let Some(position) = positions.iter().find(|at| !(1..=31).contains(&at.unsigned_abs())) {
            return Err(RuleError::Value {
                part: "BYSETPOS",
                value: position.to_string(),
                expected: POSITION,
            });
        }
        positions.sort_unstable();
        positions.dedup();
        self.positions = positions;
        Ok(self)
    }

    /// The same rule with weeks that begin on this day: decides which weeks are each second one.
    #[must_use]
    pub fn with_week_start(mut self, week_start: Weekday) -> Self {
        self.week_start = week_start;
        self
    }

    /// The same rule with another end. Fractions of a second are dropped.
    pub fn with_end(mut self, end: End) -> Result<Self, RuleError> {
        self.end = match end {
            End::Count(count) if count == 0 || usize::from(count) > MAX_OCCURRENCES => return Err(RuleError::Count),
            End::Until(at) => End::Until(in_years(at, "UNTIL")?),
            other => other,
        };
        Ok(self)
    }

    /// What it repeats by.
    #[must_use]
    pub fn frequency(&self) -> Frequency {
        self.frequency
    }

    /// From one period to the next, in days, weeks or months.
    #[must_use]
    pub fn interval(&self) -> u16 {
        self.interval
    }

    /// On which weekdays, in the order of ordinal and week; empty if the rule doesn't say.
    #[must_use]
    pub fn days(&self) -> &[DayOfWeek] {
        &self.days
    }

    /// On which days of the month, ascending; empty if the rule doesn't say.
    #[must_use]
    pub fn month_days(&self) -> &[i8] {
        &self.month_days
    }

    /// Which of a month's days, ascending; empty if all of them are meant.
    #[must_use]
    pub fn positions(&self) -> &[i8] {
        &self.positions
    }

    /// The day on which weeks begin.
    #[must_use]
    pub fn week_start(&self) -> Weekday {
        self.week_start
    }

    /// When it ends.
    #[must_use]
    pub fn end(&self) -> End {
        self.end
    }
}

/// When something takes place again: a rule, dates beside it, and dates on which it doesn't take place. All times are
/// local, of the zone that the owner of the value names.
///
/// Without a rule, the start itself is the first of its dates; with one, the start counts only if the rule is met by
/// it (§3.5: a start that isn't on the pattern moves forward to the first time that is).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Recurrence {
    rule: Option<Rule>,
    added: BTreeSet<DateTime>,
    excepted: BTreeSet<DateTime>,
}

impl From<Rule> for Recurrence {
    fn from(rule: Rule) -> Self {
        Self {
            rule: Some(rule),
            added: BTreeSet::new(),
            excepted: BTreeSet::new(),
        }
    }
}

impl Recurrence {
    /// A rule with dates beside it (`RDATE`) and dates that are left out (`EXDATE`), each at most
    /// [`MAX_OCCURRENCES`]. Fractions of a second are dropped. Refuses a set with neither a rule nor dates.
    pub fn new(
        rule: Option<Rule>,
        added: impl IntoIterator<Item = DateTime>,
        excepted: impl IntoIterator<Item = DateTime>,
    ) -> Result<Self, RuleError> {
        let added = dates(added, "RDATE")?;
        let excepted = dates(excepted, "EXDATE")?;
        if rule.is_none() && added.is_empty() {
            return Err(RuleError::Empty);
        }
        Ok(Self { rule, added, excepted })
    }

    /// The rule, unless there are only dates.
    #[must_use]
    pub fn rule(&self) -> Option<&Rule> {
        self.rule.as_ref()
    }

    /// The dates beside the rule.
    #[must_use]
    pub fn added(&self) -> &BTreeSet<DateTime> {
        &self.added
    }

    /// The dates on which it doesn't take place.
    #[must_use]
    pub fn excepted(&self) -> &BTreeSet<DateTime> {
        &self.excepted
    }
}

fn dates(dates: impl IntoIterator<Item = DateTime>, part: &'static str) -> Result<BTreeSet<DateTime>, RuleError> {
    let mut set = BTreeSet::new();
    for date in dates {
        set.insert(in_years(date, part)?);
        if set.len() > MAX_OCCURRENCES {
            return Err(RuleError::TooManyDates(part));
        }
    }
    Ok(set)
}

/// The time in whole seconds, if its year is one that the server plans in.
pub(super) fn in_years(at: DateTime, part: &'static str) -> Result<DateTime, RuleError> {
    if (1970..=LATEST_YEAR).contains(&at.year()) {
        Ok(at.with().subsec_nanosecond(0).build().unwrap_or(at))
    } else {
        Err(RuleError::OutOfRange(part))
    }
}
