//! Zones that a file describes by rules: what their clock shows, and which zone of the world has the same rules.

use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, DateTime, date},
    tz::Offset,
};

use super::{tree::Component, windows};
use crate::domain::{
    recurrence::{Frequency, Rule, Stamp, day_of_week},
    time::ZoneName,
};

/// Dates that one rule of a zone names, at the most.
const MAX_ONSETS: usize = 500;

/// One of the clocks of a described zone, and when it begins to be shown.
struct Observance {
    /// The offset until then: its onsets are read on that clock.
    from: Offset,
    /// The offset from then on.
    to: Offset,
    start: DateTime,
    yearly: Option<Yearly>,
    dates: Vec<DateTime>,
}

/// Once a year, in one month.
struct Yearly {
    month: i8,
    day: Rule,
    until: Option<Stamp>,
}

/// A zone as a `VTIMEZONE` describes it.
pub(super) struct Described(Vec<Observance>);

impl Described {
    /// Reads the rules; `None` if they say anything but that the clock changes on fixed dates, or once a year.
    pub(super) fn read(zone: &Component) -> Option<Self> {
        let parts = zone
            .parts
            .iter()
            .filter(|part| matches!(part.name.as_str(), "STANDARD" | "DAYLIGHT"));
        let observances: Vec<Observance> = parts.map(observance).collect::<Option<_>>()?;
        (!observances.is_empty() && observances.len() <= 200).then_some(Self(observances))
    }

    /// The zone of the bundled database that shows the same times in the three years from `year` on. Of several, `site`
    /// is preferred, then a zone that never changes its clock, then those by which Windows names its zones.
    pub(super) fn zone(&self, year: i16, site: &ZoneName) -> Option<ZoneName> {
        let samples = self.samples(year)?;
        let fits = |zone: &ZoneName| {
            let rules = zone.zone();
            samples.iter().all(|(at, offset)| rules.to_offset(*at) == *offset)
        };
        let fixed = samples.first().map(|(_, offset)| offset.seconds() / 3600);
        let fixed = fixed.map(|hours| match hours {
            0 => "Etc/UTC".to_owned(),
            // These names count westward.
            hours => format!("Etc/GMT{:+}", -hours),
        });
        let names = windows::ZONES.iter().map(|(_, iana)| (*iana).to_owned());
        let all = jiff::tz::db().available().map(|name| name.as_str().to_owned());
        let zones = fixed
            .into_iter()
            .chain(names)
            .chain(all)
            .filter_map(|name| ZoneName::parse(&name));
        std::iter::once(site.clone()).chain(zones).find(fits)
    }

    /// Instants with what the clock is off from universal time: around each change, and in the middle of each month.
    fn samples(&self, year: i16) -> Option<Vec<(Timestamp, Offset)>> {
        let last = year.checked_add(2)?;
        let clocks = self.clocks(year, last);
        let first = self.0.iter().min_by_key(|observance| observance.start)?.from;
        let begin = Offset::UTC
            .to_timestamp(Date::new(year, 1, 1).ok()?.at(0, 0, 0, 0))
            .ok()?;
        let mut instants = Vec::new();
        for (onset, _) in clocks.iter().filter(|(onset, _)| *onset > begin) {
            instants.extend([onset.checked_sub(SignedDuration::from_secs(1)).ok()?, *onset]);
        }
        for month in (year..=last).flat_map(|year| (1..=12).map(move |month| Date::new(year, month, 15))) {
            instants.push(Offset::UTC.to_timestamp(month.ok()?.at(12, 0, 0, 0)).ok()?);
        }
        let offset = |at: Timestamp| {
            let shown = clocks.partition_point(|(onset, _)| *onset <= at);
            let latest = shown.checked_sub(1).and_then(|index| clocks.get(index));
            latest.map_or(first, |(_, offset)| *offset)
        };
        Some(instants.into_iter().map(|at| (at, offset(at))).collect())
    }

    /// When each clock begins to be shown, ascending: all that matters from one year to another.
    fn clocks(&self, first: i16, last: i16) -> Vec<(Timestamp, Offset)> {
        let mut clocks: Vec<(Timestamp, Offset)> = Vec::new();
        for observance in &self.0 {
            // A rule that is over may still have begun the clock that is shown.
            let over = observance
                .yearly
                .as_ref()
                .and_then(Yearly::last_year)
                .filter(|year| *year < first);
            let years = over.map_or(first - 1..=last, |year| year - 1..=year);
            let onsets = years.filter_map(|year| observance.onset(year)).chain(observance.once());
            clocks.extend(onsets.map(|onset| (onset, observance.to)));
        }
        clocks.sort_by_key(|(onset, _)| *onset);
        clocks
    }
}

impl Yearly {
    fn last_year(&self) -> Option<i16> {
        Some(match self.until? {
            Stamp::Utc(until) => Offset::UTC.to_datetime(until).year(),
            Stamp::Local(until) => until.year(),
            Stamp::Date(until) => until.year(),
        })
    }
}

impl Observance {
    /// The instant at which it begins in a year, if it has a rule for that.
    fn onset(&self, year: i16) -> Option<Timestamp> {
        let yearly = self.yearly.as_ref()?;
        let first = Date::new(year, yearly.month, 1).ok()?;
        let day = first
            .series(jiff::Span::new().days(1))
            .take_while(|day| day.month() == yearly.month);
        let day = day.into_iter().find(|day| yearly.day.meets(*day, self.start.date()))?;
        let local = day.to_datetime(self.start.time());
        let at = self.from.to_timestamp(local).ok()?;
        let over = match yearly.until {
            Some(Stamp::Utc(until)) => at > until,
            Some(Stamp::Local(until)) => local > until,
            Some(Stamp::Date(until)) => day > until,
            None => false,
        };
        (local >= self.start && !over).then_some(at)
    }

    /// The instants at which it begins once and never again.
    fn once(&self) -> impl Iterator<Item = Timestamp> {
        let start = self.yearly.is_none().then_some(self.start);
        let dates = self.dates.iter().copied().chain(start);
        dates.filter_map(|local| self.from.to_timestamp(local).ok())
    }
}

fn observance(part: &Component) -> Option<Observance> {
    let offset = |name| offset(part.first(name)?.value.trim());
    let Stamp::Local(start) = Stamp::parse(part.first("DTSTART")?.value.trim())? else {
        return None;
    };
    let mut dates = Vec::new();
    for line in part.all("RDATE") {
        for text in line.value.split(',') {
            match Stamp::parse(text.trim())? {
                Stamp::Local(at) => dates.push(at),
                Stamp::Date(_) | Stamp::Utc(_) => return None,
            }
        }
    }
    let yearly = match part.first("RRULE") {
        Some(line) => Some(yearly(&line.value, start)?),
        None => None,
    };
    (dates.len() <= MAX_ONSETS).then_some(Observance {
        from: offset("TZOFFSETFROM")?,
        to: offset("TZOFFSETTO")?,
        start,
        yearly,
        dates,
    })
}

/// `+0100` or `-033000`.
fn offset(text: &str) -> Option<Offset> {
    let (sign, digits) = text
        .strip_prefix('-')
        .map_or((1, text.strip_prefix('+').unwrap_or(text)), |rest| (-1, rest));
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) || !matches!(digits.len(), 4 | 6) {
        return None;
    }
    let number = |range| {
        digits
            .get::<std::ops::Range<usize>>(range)
            .map_or(Some(0), |text: &str| text.parse::<i32>().ok())
    };
    let seconds = number(0..2)? * 3600 + number(2..4)? * 60 + number(4..6)?;
    Offset::from_seconds(sign * seconds).ok()
}

fn yearly(text: &str, start: DateTime) -> Option<Yearly> {
    let text = text.to_ascii_uppercase();
    let (mut month, mut until, mut frequency) = (start.month(), None, None);
    let (mut days, mut month_days) = (Vec::new(), Vec::new());
    for part in text.trim().trim_end_matches(';').split(';') {
        let (name, value) = part.split_once('=')?;
        match name {
            "FREQ" => frequency = Some(value),
            "INTERVAL" if value == "1" => {}
            "WKST" => {}
            "BYMONTH" => month = value.parse().ok()?,
            "UNTIL" => until = Some(Stamp::parse(value)?),
            "BYDAY" => {
                days = value
                    .split(',')
                    .map(|day| day_of_week(day).ok())
                    .collect::<Option<_>>()?;
            }
            "BYMONTHDAY" => month_days = value.split(',').map(|day| day.parse().ok()).collect::<Option<_>>()?,
            _ => return None,
        }
    }
    // A date in this month, asked as a monthly rule would be.
    date(2000, 1, 1).with().month(month).build().ok()?;
    let day = Rule::every(Frequency::Monthly)
        .on_days(days)
        .ok()?
        .on_month_days(month_days)
        .ok()?;
    (frequency == Some("YEARLY")).then_some(Yearly { month, day, until })
}
