//! The local times that a recurrence gives. No zone, and never more work than a calendar of 130 years is long.

use std::collections::BTreeSet;

use jiff::{
    SignedDuration, ToSpan as _,
    civil::{Date, DateTime},
};

use super::rule::{End, Frequency, MAX_OCCURRENCES, Recurrence, Rule, in_years};
use crate::domain::time::LATEST_YEAR;

/// Local times from `from`, which is in it, to `until`, which is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// The first local time.
    pub from: DateTime,
    /// The local time at which it is over.
    pub until: DateTime,
}

/// Why a recurrence gives no times.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExpandError {
    /// The rule is over before the first start.
    #[error("ends at {until}, before it starts at {start}")]
    EndsBeforeStart {
        /// The last time that the rule allows.
        until: DateTime,
        /// The start that it was given.
        start: DateTime,
    },
    /// No day up to the year 2100 meets it, or each one is excepted.
    #[error("never takes place")]
    NeverOccurs,
    /// More than [`MAX_OCCURRENCES`] of them up to its end, or as far ahead as they are made.
    #[error("takes place more than {limit} times: that is the most; give it an earlier end")]
    TooMany {
        /// The limit.
        limit: usize,
    },
    /// The start is not in the years 1970 to 2100.
    #[error("must start between the years 1970 and 2100")]
    OutOfRange,
}

const SECOND: SignedDuration = SignedDuration::from_secs(1);

pub(super) fn after(at: DateTime) -> DateTime {
    at.checked_add(SECOND).unwrap_or(DateTime::MAX)
}

fn before(at: DateTime) -> DateTime {
    at.checked_sub(SECOND).unwrap_or(DateTime::MIN)
}

impl Rule {
    /// The dates of its `index`th period, ascending, whether they lie before the start or not; `None` after the year
    /// 2100.
    fn period(&self, start: Date, index: i64) -> Option<impl Iterator<Item = Date>> {
        let steps = index.checked_mul(i64::from(self.interval()))?;
        let (first, days) = match self.frequency() {
            Frequency::Daily => (start.checked_add(steps.days()).ok()?, 1),
            Frequency::Weekly => (self.week_of(start)?.checked_add(steps.weeks()).ok()?, 7),
            Frequency::Monthly => {
                let month = start.first_of_month().checked_add(steps.months()).ok()?;
                (month, i64::from(month.days_in_month()))
            }
        };
        let dates = (0..days).filter_map(move |offset| first.checked_add(offset.days()).ok());
        let chosen = self.chosen(dates.clone().filter(|date| self.meets(*date, start)));
        let meant = move |date: &Date| match &chosen {
            Some(chosen) => chosen.contains(date),
            None => self.meets(*date, start),
        };
        (first.year() <= LATEST_YEAR).then(|| dates.filter(meant))
    }

    /// Those of a period's days that the rule's positions mean, if it has any.
    fn chosen(&self, days: impl Iterator<Item = Date>) -> Option<Vec<Date>> {
        if self.positions().is_empty() {
            return None;
        }
        let days: Vec<Date> = days.collect();
        let chosen = self.positions().iter().filter_map(|position| {
            let place = usize::from(position.unsigned_abs()).checked_sub(1)?;
            let index = if *position > 0 {
                place
            } else {
                days.len().checked_sub(place + 1)?
            };
            days.get(index).copied()
        });
        Some(chosen.collect())
    }

    fn week_of(&self, date: Date) -> Option<Date> {
        let back = date.weekday().since(self.week_start());
        date.checked_sub(i64::from(back).days()).ok()
    }

    /// The last period that begins no later than `date`.
    fn period_of(&self, start: Date, date: Date) -> i64 {
        let units = match self.frequency() {
            Frequency::Daily => days_between(start, date),
            Frequency::Weekly => self
                .week_of(start)
                .map_or(0, |week| days_between(week, date).div_euclid(7)),
            Frequency::Monthly => {
                let months = |date: Date| i64::from(date.year()) * 12 + i64::from(date.month());
                months(date) - months(start)
            }
        };
        units.div_euclid(i64::from(self.interval())).max(0)
    }

    /// Whether the rule means a day of one of its periods.
    pub(in crate::domain) fn meets(&self, date: Date, start: Date) -> bool {
        let from_end = date.days_in_month() - date.day();
        let by_weekday = |day: &super::DayOfWeek| {
            day.weekday == date.weekday()
                && match day.ordinal {
                    None => true,
                    Some(ordinal) if ordinal > 0 => (date.day() - 1) / 7 + 1 == ordinal,
                    Some(ordinal) => from_end / 7 + 1 == -ordinal,
                }
        };
        let by_month_day = |day: &i8| *day == date.day() || *day == -(from_end + 1);
        let (days, month_days) = (self.days(), self.month_days());
        if days.is_empty() && month_days.is_empty() {
            return match self.frequency() {
                Frequency::Daily => true,
                Frequency::Weekly => date.weekday() == start.weekday(),
                Frequency::Monthly => date.day() == start.day(),
            };
        }
        (days.is_empty() || days.iter().any(by_weekday))
            && (month_days.is_empty() || month_days.iter().any(by_month_day))
    }

    /// All its times from `from` on, ascending, with nothing excepted.
    fn times(&self, start: DateTime, from: DateTime) -> impl Iterator<Item = DateTime> {
        let (until, count) = match self.end() {
            End::Never => (DateTime::MAX, usize::MAX),
            End::Until(until) => (until, usize::MAX),
            End::Count(count) => (DateTime::MAX, usize::from(count)),
        };
        // A count has to be counted from the start; all else can begin where it is asked for.
        let first = match self.end() {
            End::Count(_) => 0,
            End::Never | End::Until(_) => self.period_of(start.date(), from.date()),
        };
        (first..)
            .map_while(move |index| self.period(start.date(), index))
            .flatten()
            .map(move |date| date.to_datetime(start.time()))
            .skip_while(move |at| *at < start)
            .take_while(move |at| *at <= until && at.year() <= LATEST_YEAR)
            .take(count)
            .skip_while(move |at| *at < from)
    }
}

fn days_between(from: Date, to: Date) -> i64 {
    to.duration_since(from).as_hours() / 24
}

impl Recurrence {
    /// The first time that the rule is met at or after `start`, whether excepted or not: what its intervals and its
    /// count are counted from. Without a rule, `start` itself.
    pub fn anchor(&self, start: DateTime) -> Result<DateTime, ExpandError> {
        let start = in_years(start, "DTSTART").map_err(|_| ExpandError::OutOfRange)?;
        let Some(rule) = self.rule() else { return Ok(start) };
        match rule.end() {
            End::Until(until) if until < start => Err(ExpandError::EndsBeforeStart { until, start }),
            _ => rule.times(start, start).next().ok_or(ExpandError::NeverOccurs),
        }
    }

    /// The first time at which it takes place.
    pub fn first(&self, start: DateTime) -> Result<DateTime, ExpandError> {
        self.times(start, DateTime::MIN)?.next().ok_or(ExpandError::NeverOccurs)
    }

    /// The last time at which it takes place; `None` if it goes on for ever.
    pub fn last(&self, start: DateTime) -> Result<Option<DateTime>, ExpandError> {
        if self.rule().is_some_and(|rule| rule.end() == End::Never) {
            return Ok(None);
        }
        self.times(start, DateTime::MIN)?
            .last()
            .map(Some)
            .ok_or(ExpandError::NeverOccurs)
    }

    /// Whether it takes place at `at`.
    pub fn contains(&self, start: DateTime, at: DateTime) -> Result<bool, ExpandError> {
        Ok(self.times(start, at)?.next() == Some(at))
    }

    /// The local times in the window at which it takes place, ascending. Refuses more than [`MAX_OCCURRENCES`] of
    /// them, a rule that is over before `start`, and one that never takes place; a window in which nothing happens to
    /// take place is empty.
    pub fn occurrences(&self, start: DateTime, window: Window) -> Result<Vec<DateTime>, ExpandError> {
        let times: Vec<DateTime> = self
            .times(start, window.from)?
            .take_while(|at| *at < window.until)
            .take(MAX_OCCURRENCES + 1)
            .collect();
        if times.len() > MAX_OCCURRENCES {
            return Err(ExpandError::TooMany { limit: MAX_OCCURRENCES });
        }
        if times.is_empty() {
            self.first(start)?;
        }
        Ok(times)
    }

    fn times(&self, start: DateTime, from: DateTime) -> Result<impl Iterator<Item = DateTime>, ExpandError> {
        // Dates beside a rule may still take place when the rule itself doesn't.
        let anchor = match self.anchor(start) {
            Ok(anchor) => Some(anchor),
            Err(_) if !self.added().is_empty() => None,
            Err(error) => return Err(error),
        };
        let mut beside: BTreeSet<DateTime> = self.added().range(from..).copied().collect();
        if self.rule().is_none() {
            beside.extend(anchor.filter(|anchor| *anchor >= from));
        }
        let ruled = anchor.zip(self.rule()).into_iter();
        let mut ruled = ruled
            .flat_map(move |(anchor, rule)| rule.times(anchor, from))
            .peekable();
        let mut beside = beside.into_iter().peekable();
        let merged = std::iter::from_fn(move || match (ruled.peek(), beside.peek()) {
            (Some(a), Some(b)) if a == b => {
                beside.next();
                ruled.next()
            }
            (Some(a), Some(b)) if a > b => beside.next(),
            (Some(_), _) => ruled.next(),
            (None, _) => beside.next(),
        });
        Ok(merged.filter(|at| !self.excepted().contains(at)))
    }

    /// What of it lies before `at`, with its start; `None` if nothing does.
    #[must_use]
    pub fn ending_before(&self, start: DateTime, at: DateTime) -> Option<(DateTime, Self)> {
        let part = |dates: &BTreeSet<DateTime>| dates.range(..at).copied().collect::<BTreeSet<_>>();
        let (mut added, excepted) = (part(self.added()), part(self.excepted()));
        let ruled = self.rule().and_then(|rule| {
            let anchor = self.anchor(start).ok().filter(|anchor| *anchor < at)?;
            let over = matches!(rule.end(), End::Count(_) | End::Until(_)) && rule.times(anchor, at).next().is_none();
            let end = if over { rule.end() } else { End::Until(before(at)) };
            Some((anchor, rule.clone().with_end(end).ok()?))
        });
        if self.rule().is_none() && start < at {
            added.insert(start);
        }
        let start = ruled.as_ref().map(|(anchor, _)| *anchor).or(added.first().copied())?;
        let recurrence = Self::new(ruled.map(|(_, rule)| rule), added, excepted).ok()?;
        recurrence.first(start).ok()?;
        Some((start, recurrence))
    }

    /// What of it lies at `at` or after, with its start; `None` if nothing does. A count is what is left of it.
    #[must_use]
    pub fn continuing_from(&self, start: DateTime, at: DateTime) -> Option<(DateTime, Self)> {
        let part = |dates: &BTreeSet<DateTime>| dates.range(at..).copied().collect::<BTreeSet<_>>();
        let (mut added, excepted) = (part(self.added()), part(self.excepted()));
        let ruled = self.rule().and_then(|rule| {
            let anchor = self.anchor(start).ok()?;
            let next = rule.times(anchor, at).next()?;
            let end = match rule.end() {
                End::Count(_) => End::Count(u16::try_from(rule.times(anchor, at).count()).ok()?),
                other => other,
            };
            Some((next, rule.clone().with_end(end).ok()?))
        });
        if self.rule().is_none() && start >= at {
            added.insert(start);
        }
        let start = ruled.as_ref().map(|(next, _)| *next).or(added.first().copied())?;
        let recurrence = Self::new(ruled.map(|(_, rule)| rule), added, excepted).ok()?;
        recurrence.first(start).ok()?;
        Some((start, recurrence))
    }

    /// The same with its end and all its dates moved by as much as its start is.
    pub fn shifted(&self, by: SignedDuration) -> Result<Self, super::RuleError> {
        let moved = |at: &DateTime| at.checked_add(by).unwrap_or(DateTime::MAX);
        let rule = match self.rule() {
            Some(rule) => Some(match rule.end() {
                End::Until(until) => rule.clone().with_end(End::Until(moved(&until)))?,
                End::Never | End::Count(_) => rule.clone(),
            }),
            None => None,
        };
        Self::new(rule, self.added().iter().map(moved), self.excepted().iter().map(moved))
    }
}
