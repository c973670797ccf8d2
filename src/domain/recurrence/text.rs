//! Rules as text: read leniently in order and case, written in one canonical form.

use std::fmt;

use jiff::{
    Timestamp,
    civil::{Date, DateTime, Time, Weekday},
    tz::{AmbiguousOffset, Offset},
};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::rule::{DayOfWeek, End, Frequency, POSITION, Recurrence, Rule, RuleError};
use crate::domain::time::ZoneName;

/// The longest text of one rule, in bytes.
const MAX_RULE_BYTES: usize = 1000;
/// The longest text of a recurrence with its dates, in bytes: room for the most dates that one can have.
const MAX_BYTES: usize = 100_000;

const WEEKDAYS: [(&str, Weekday); 7] = [
    ("MO", Weekday::Monday),
    ("TU", Weekday::Tuesday),
    ("WE", Weekday::Wednesday),
    ("TH", Weekday::Thursday),
    ("FR", Weekday::Friday),
    ("SA", Weekday::Saturday),
    ("SU", Weekday::Sunday),
];

fn weekday(text: &str) -> Option<Weekday> {
    WEEKDAYS.iter().find(|(name, _)| *name == text).map(|(_, day)| *day)
}

fn weekday_name(day: Weekday) -> &'static str {
    WEEKDAYS
        .iter()
        .find(|(_, it)| *it == day)
        .map_or("MO", |(name, _)| name)
}

impl Rule {
    /// Reads the value of an `RRULE`, such as `FREQ=WEEKLY;BYDAY=MO,WE;COUNT=10`. An `UNTIL` in universal time becomes
    /// the local time of `zone`; one that is only a date means the whole day. Parts that aren't supported are refused
    /// by name.
    ///
    /// A yearly rule is a monthly one of each twelfth month: in the month of the start, which is what its `BYMONTH` may
    /// name. Without a `start` none is understood that has a `BYMONTH`.
    pub fn parse(text: &str, zone: &ZoneName, start: Option<Date>) -> Result<Self, RuleError> {
        if text.len() > MAX_RULE_BYTES {
            return Err(RuleError::TooLong);
        }
        let text = text.to_ascii_uppercase();
        let mut parts = Parts::default();
        // Some programs leave a semicolon at the end.
        for part in text.trim().trim_end_matches(';').split(';') {
            let (name, value) = part
                .split_once('=')
                .ok_or_else(|| RuleError::Malformed(part.to_owned()))?;
            parts.put(name.trim(), value.trim())?;
        }
        parts.rule(zone, start)
    }
}

/// The values of the supported parts, as they were written.
#[derive(Default)]
struct Parts<'a> {
    freq: Option<&'a str>,
    interval: Option<&'a str>,
    by_day: Option<&'a str>,
    by_month_day: Option<&'a str>,
    by_month: Option<&'a str>,
    by_set_pos: Option<&'a str>,
    count: Option<&'a str>,
    until: Option<&'a str>,
    week_start: Option<&'a str>,
}

impl<'a> Parts<'a> {
    fn put(&mut self, name: &str, value: &'a str) -> Result<(), RuleError> {
        let part = match name {
            "FREQ" => &mut self.freq,
            "INTERVAL" => &mut self.interval,
            "BYDAY" => &mut self.by_day,
            "BYMONTHDAY" => &mut self.by_month_day,
            "BYMONTH" => &mut self.by_month,
            "BYSETPOS" => &mut self.by_set_pos,
            "COUNT" => &mut self.count,
            "UNTIL" => &mut self.until,
            "WKST" => &mut self.week_start,
            _ => {
                return Err(RuleError::Unsupported {
                    part: name.to_owned(),
                    hint: hint(name),
                });
            }
        };
        match part.replace(value) {
            None => Ok(()),
            Some(_) => Err(RuleError::Twice(name.to_owned())),
        }
    }

    fn rule(&self, zone: &ZoneName, start: Option<Date>) -> Result<Rule, RuleError> {
        let freq = self.freq.ok_or(RuleError::NoFrequency)?;
        let yearly = freq == "YEARLY";
        let mut rule = Rule::every(if yearly { Frequency::Monthly } else { frequency(freq)? });
        self.check_months(yearly, start)?;
        let interval = match self.interval {
            // A number too large to read is as wrong as one too large to use.
            Some(text) => number(text, "INTERVAL", "a whole number")?.unwrap_or(0),
            None => 1,
        };
        rule = if yearly {
            let max = Frequency::Monthly.max_interval() / MONTHS;
            let months = interval.checked_mul(MONTHS).ok_or(RuleError::Interval { max })?;
            rule.with_interval(months).map_err(|_| RuleError::Interval { max })?
        } else {
            rule.with_interval(interval)?
        };
        if let Some(text) = self.week_start {
            let day = weekday(text).ok_or_else(|| value("WKST", text, "`MO` to `SU`"))?;
            rule = rule.with_week_start(day);
        }
        if let Some(text) = self.by_day {
            let days: Result<Vec<_>, _> = text.split(',').map(|day| day_of_week(day.trim())).collect();
            rule = rule.on_days(days?)?;
        }
        if let Some(text) = self.by_month_day {
            let days: Result<Vec<_>, _> = text.split(',').map(|day| signed(day.trim(), "BYMONTHDAY")).collect();
            rule = rule.on_month_days(days?)?;
        }
        if let Some(text) = self.by_set_pos {
            let position = |text: &str| text.parse().map_err(|_| value("BYSETPOS", text, POSITION));
            let positions: Result<Vec<i8>, _> = text.split(',').map(|text| position(text.trim())).collect();
            rule = rule.at_positions(positions?)?;
        }
        match (self.count, self.until) {
            (Some(_), Some(_)) => Err(RuleError::Clash {
                part: "UNTIL",
                with: "COUNT",
            }),
            (Some(text), None) => rule.with_end(End::Count(number(text, "COUNT", "a whole number")?.unwrap_or(0))),
            (None, Some(text)) => rule.with_end(End::Until(until(text, zone)?)),
            (None, None) => Ok(rule),
        }
    }

    /// Refuses months that a monthly rule can't say.
    fn check_months(&self, yearly: bool, start: Option<Date>) -> Result<(), RuleError> {
        let unsupported = |part: &str, hint| {
            Err(RuleError::Unsupported {
                part: part.to_owned(),
                hint,
            })
        };
        match self.by_month {
            Some(_) if !yearly => unsupported("BYMONTH", hint("BYMONTH")),
            Some(text) => {
                let of_start = start.is_some_and(|start| text.parse() == Ok(start.month()));
                if of_start {
                    Ok(())
                } else {
                    unsupported(
                        &format!("BYMONTH={text}"),
                        "; a yearly rule is for the month of its start",
                    )
                }
            }
            None if yearly && self.by_day.or(self.by_month_day).is_some() => {
                let part = if self.by_day.is_some() { "BYDAY" } else { "BYMONTHDAY" };
                unsupported(part, " in a yearly rule without `BYMONTH`, the month of its start")
            }
            None => Ok(()),
        }
    }
}

/// Months of a year.
const MONTHS: u16 = 12;

fn hint(name: &str) -> &'static str {
    match name {
        "BYMONTH" | "BYYEARDAY" | "BYWEEKNO" => "; name the days of the month, and the months by `INTERVAL`",
        "BYHOUR" | "BYMINUTE" | "BYSECOND" => "; the time of day is the start's",
        _ => "",
    }
}

fn frequency(text: &str) -> Result<Frequency, RuleError> {
    let hint = match text {
        "DAILY" => return Ok(Frequency::Daily),
        "WEEKLY" => return Ok(Frequency::Weekly),
        "MONTHLY" => return Ok(Frequency::Monthly),
        "HOURLY" | "MINUTELY" | "SECONDLY" => "; it can be `DAILY`, `WEEKLY`, `MONTHLY` or `YEARLY`",
        _ => {
            return Err(value(
                "FREQ",
                text,
                "it can be `DAILY`, `WEEKLY`, `MONTHLY` or `YEARLY`",
            ));
        }
    };
    Err(RuleError::Unsupported {
        part: format!("FREQ={text}"),
        hint,
    })
}

fn value(part: &'static str, value: &str, expected: &'static str) -> RuleError {
    RuleError::Value {
        part,
        value: value.chars().take(40).collect(),
        expected,
    }
}

/// A number without a sign; `None` if it is one, but too large.
fn number(text: &str, part: &'static str, expected: &'static str) -> Result<Option<u16>, RuleError> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(value(part, text, expected));
    }
    Ok(text.parse().ok())
}

fn signed(text: &str, part: &'static str) -> Result<i8, RuleError> {
    text.parse()
        .map_err(|_| value(part, text, "a day of the month is 1 to 31, or -1 to -31 from its end"))
}

pub(in crate::domain) fn day_of_week(text: &str) -> Result<DayOfWeek, RuleError> {
    let wrong = || {
        value(
            "BYDAY",
            text,
            "a day is `MO` to `SU`, in monthly rules also `1MO` or `-1FR`",
        )
    };
    let (ordinal, name) = text.split_at_checked(text.len().saturating_sub(2)).ok_or_else(wrong)?;
    let weekday = weekday(name).ok_or_else(wrong)?;
    let ordinal = if ordinal.is_empty() {
        None
    } else {
        Some(ordinal.parse::<i8>().map_err(|_| wrong())?)
    };
    Ok(DayOfWeek { ordinal, weekday })
}

/// A date or a time as RFC 5545 writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::domain) enum Stamp {
    /// `20260504`
    Date(Date),
    /// `20260504T100000`
    Local(DateTime),
    /// `20260504T080000Z`
    Utc(Timestamp),
}

impl Stamp {
    /// Reads one; a leap second is the second before it.
    pub(in crate::domain) fn parse(text: &str) -> Option<Self> {
        if !text.is_ascii() {
            return None;
        }
        let date = |text: &str| {
            let number = |range| digits(text.get(range)?);
            Date::new(
                number(0..4)?,
                number(4..6)?.try_into().ok()?,
                number(6..8)?.try_into().ok()?,
            )
            .ok()
        };
        match text.len() {
            8 => Some(Self::Date(date(text)?)),
            15 | 16 if text.get(8..9)? == "T" => {
                let number = |range| digits(text.get(range)?)?.try_into().ok();
                let second: i8 = number(13..15)?;
                let second = if second == 60 { 59 } else { second };
                let time = Time::new(number(9..11)?, number(11..13)?, second, 0).ok()?;
                let local = date(text.get(..8)?)?.to_datetime(time);
                match text.get(15..)? {
                    "" => Some(Self::Local(local)),
                    "Z" => Some(Self::Utc(Offset::UTC.to_timestamp(local).ok()?)),
                    _ => None,
                }
            }
            _ => None,
        }
    }
}

fn digits(text: &str) -> Option<i16> {
    text.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| text.parse().ok())?
}

fn until(text: &str, zone: &ZoneName) -> Result<DateTime, RuleError> {
    let wrong = || {
        value(
            "UNTIL",
            text,
            "it looks like `20261130T225959Z`, `20261130T235959` or `20261130`",
        )
    };
    Ok(match Stamp::parse(text).ok_or_else(wrong)? {
        Stamp::Date(date) => date.at(23, 59, 59, 0),
        Stamp::Local(local) => local,
        Stamp::Utc(at) => last_local(at, zone),
    })
}

/// The latest local time that means no later instant than `at`. Where the clock shows an hour twice, each of its times
/// means the first pass; so in the second pass all of them are over.
fn last_local(at: Timestamp, zone: &ZoneName) -> DateTime {
    let local = zone.local(at);
    let rules = zone.zone();
    let AmbiguousOffset::Fold { before, after } = rules.to_ambiguous_timestamp(local).offset() else {
        return local;
    };
    if rules.to_offset(at) != after {
        return local;
    }
    // The fold ends where the first pass would have gone on.
    let end = rules
        .preceding(at.saturating_add(jiff::SignedDuration::from_secs(1)).unwrap_or(at))
        .next();
    end.and_then(|change| {
        before
            .to_datetime(change.timestamp())
            .checked_sub(jiff::SignedDuration::from_secs(1))
            .ok()
    })
    .unwrap_or(local)
}

impl fmt::Display for DayOfWeek {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(ordinal) = self.ordinal {
            write!(f, "{ordinal}")?;
        }
        f.write_str(weekday_name(self.weekday))
    }
}

/// As the value of an `RRULE`, each part in one order, without what goes without saying.
impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FREQ={}", self.frequency().as_str())?;
        if self.interval() != 1 {
            write!(f, ";INTERVAL={}", self.interval())?;
        }
        list(f, ";BYDAY=", self.days())?;
        list(f, ";BYMONTHDAY=", self.month_days())?;
        list(f, ";BYSETPOS=", self.positions())?;
        match self.end() {
            End::Never => {}
            End::Count(count) => write!(f, ";COUNT={count}")?,
            End::Until(at) => write!(f, ";UNTIL={}", at.strftime("%Y%m%dT%H%M%S"))?,
        }
        if self.week_start() != Weekday::Monday {
            write!(f, ";WKST={}", weekday_name(self.week_start()))?;
        }
        Ok(())
    }
}

fn list<T: fmt::Display>(f: &mut fmt::Formatter<'_>, name: &str, items: &[T]) -> fmt::Result {
    for (index, item) in items.iter().enumerate() {
        write!(f, "{}{item}", if index == 0 { name } else { "," })?;
    }
    Ok(())
}

impl Recurrence {
    /// Reads lines of `RRULE:`, `RDATE:` and `EXDATE:` (each any number of dates, in any order, one rule at the most),
    /// or a rule alone. Times in universal time become local ones of `zone`; a date without a time is its midnight. The
    /// `start` is what a yearly rule is read with, see [`Rule::parse`]; canonical texts have none.
    pub fn parse(text: &str, zone: &ZoneName, start: Option<Date>) -> Result<Self, RuleError> {
        if text.len() > MAX_BYTES {
            return Err(RuleError::TooLong);
        }
        let (mut rule, mut added, mut excepted) = (None, Vec::new(), Vec::new());
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (name, value) = line.split_once(':').unwrap_or(("RRULE", line));
            match name.to_ascii_uppercase().as_str() {
                "RRULE" => {
                    if rule.replace(Rule::parse(value, zone, start)?).is_some() {
                        return Err(RuleError::Twice("RRULE".to_owned()));
                    }
                }
                "RDATE" => added.extend(local_dates(value, zone, "RDATE")?),
                "EXDATE" => excepted.extend(local_dates(value, zone, "EXDATE")?),
                _ => {
                    return Err(RuleError::Unsupported {
                        part: name.chars().take(40).collect(),
                        hint: "; the lines are `RRULE:`, `RDATE:` and `EXDATE:`",
                    });
                }
            }
        }
        Self::new(rule, added, excepted)
    }
}

fn local_dates(text: &str, zone: &ZoneName, part: &'static str) -> Result<Vec<DateTime>, RuleError> {
    text.split(',')
        .map(|date| {
            let stamp =
                Stamp::parse(date.trim()).ok_or_else(|| value(part, date, "it looks like `20261130T100000`"))?;
            Ok(match stamp {
                Stamp::Date(date) => date.at(0, 0, 0, 0),
                Stamp::Local(local) => local,
                Stamp::Utc(at) => zone.local(at),
            })
        })
        .collect()
}

/// Canonical lines, without a line break at the end.
impl fmt::Display for Recurrence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut first = true;
        if let Some(rule) = self.rule() {
            write!(f, "RRULE:{rule}")?;
            first = false;
        }
        for (name, dates) in [("RDATE:", self.added()), ("EXDATE:", self.excepted())] {
            for (index, date) in dates.iter().enumerate() {
                match (index, first) {
                    (0, true) => f.write_str(name)?,
                    (0, false) => write!(f, "\n{name}")?,
                    _ => f.write_str(",")?,
                }
                first = false;
                write!(f, "{}", date.strftime("%Y%m%dT%H%M%S"))?;
            }
        }
        Ok(())
    }
}

impl Serialize for Recurrence {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Recurrence {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        // The canonical form has no times that need a zone.
        Self::parse(&text, &ZoneName::utc(), None).map_err(serde::de::Error::custom)
    }
}
