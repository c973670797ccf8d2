//! Spans of time and time zones.

use jiff::{Timestamp, ToSpan as _, civil::DateTime, tz::TimeZone};
use serde::{Deserialize, Serialize};

use super::rejection::{Field, Invalid};

/// The earliest and latest instants that a booking, session or filter may name: years 1970 to 2100.
pub const LATEST_YEAR: i16 = 2100;

/// A half-open span of instants: `start` is in it, `end` is not; `end` is after `start`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TimeSpan {
    start: Timestamp,
    end: Timestamp,
}

impl TimeSpan {
    /// The span from `start` to `end`; `None` unless `end` is after `start`.
    #[must_use]
    pub fn new(start: Timestamp, end: Timestamp) -> Option<Self> {
        (start < end).then_some(Self { start, end })
    }

    /// The first instant.
    #[must_use]
    pub fn start(&self) -> Timestamp {
        self.start
    }

    /// The instant at which it is over.
    #[must_use]
    pub fn end(&self) -> Timestamp {
        self.end
    }

    /// Whether the two share an instant. Spans that only touch don't.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        self.start < other.end && other.start < self.end
    }

    /// From the earlier start to the later end.
    #[must_use]
    pub fn hull(&self, other: &Self) -> Self {
        Self {
            start: self.start.min(other.start),
            end: self.end.max(other.end),
        }
    }

    /// The same span with `minutes` more at its end.
    #[must_use]
    pub fn with_buffer(&self, minutes: i32) -> Self {
        let end = self.end.checked_add(i64::from(minutes).minutes()).unwrap_or(self.end);
        Self { start: self.start, end }
    }

    /// Its length in whole minutes.
    #[must_use]
    pub fn minutes(&self) -> i64 {
        self.end.duration_since(self.start).as_mins()
    }
}

/// The name of a time zone of the bundled database, such as `Europe/Berlin`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ZoneName(String);

impl ZoneName {
    /// Coordinated universal time.
    #[must_use]
    pub fn utc() -> Self {
        Self("UTC".to_owned())
    }

    /// Reads an IANA name; the bundled database must know it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        // The names are short; the length test keeps a huge text out of the error log of the database.
        if text.is_empty() || text.len() > 100 {
            return None;
        }
        let zone = jiff::tz::db().get(text).ok()?;
        Some(Self(zone.iana_name().unwrap_or(text).to_owned()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The rules behind the name.
    #[must_use]
    pub fn zone(&self) -> TimeZone {
        jiff::tz::db().get(&self.0).unwrap_or(TimeZone::UTC)
    }

    /// The instant of a local time here: in a gap it moves forward by the gap, a repeated one is the earlier.
    #[must_use]
    pub fn instant(&self, local: DateTime) -> Option<Timestamp> {
        self.zone().to_ambiguous_timestamp(local).compatible().ok()
    }

    /// The local time of an instant here.
    #[must_use]
    pub fn local(&self, at: Timestamp) -> DateTime {
        self.zone().to_datetime(at)
    }
}

/// Reads an RFC 3339 instant, such as `2026-11-23T09:00:00Z` or `2026-11-23T10:00:00+01:00`. Without an offset it
/// is a local time of `zone`, if one is given. The year must lie between 1970 and 2100.
pub fn parse_instant(text: &str, zone: Option<&ZoneName>) -> Result<Timestamp, Invalid> {
    let malformed = || {
        Invalid::new(
            Field::Date,
            "is not a date and time in RFC 3339, such as `2026-11-23T09:00:00Z`",
        )
    };
    if text.len() > 64 {
        return Err(malformed());
    }
    let at = match (text.parse::<Timestamp>(), zone) {
        (Ok(at), _) => at,
        (Err(_), Some(zone)) => {
            let local = text.parse::<DateTime>().map_err(|_| malformed())?;
            zone.instant(local).ok_or_else(malformed)?
        }
        (Err(_), None) if text.parse::<DateTime>().is_ok() => {
            return Err(Invalid::new(
                Field::Date,
                "is a local time: say its offset, as in `2026-11-23T09:00:00Z`, or `timeZone` where there is one",
            ));
        }
        (Err(_), None) => return Err(malformed()),
    };
    in_range(at)?;
    Timestamp::from_microsecond(at.as_microsecond()).map_err(|_| malformed())
}

/// Reads a local date and time, such as `2026-11-23T10:00`.
pub fn parse_local(text: &str) -> Result<DateTime, Invalid> {
    let malformed = || Invalid::new(Field::Date, "is not a local date and time, such as `2026-11-23T10:00`");
    if text.len() > 64 || text.ends_with(['Z', 'z']) {
        return Err(malformed());
    }
    let local = text.parse::<DateTime>().map_err(|_| malformed())?;
    if !(1970..=LATEST_YEAR).contains(&local.year()) {
        return Err(Invalid::new(Field::Date, "must lie between the years 1970 and 2100"));
    }
    Ok(local)
}

fn in_range(at: Timestamp) -> Result<(), Invalid> {
    let year = at.to_zoned(TimeZone::UTC).year();
    if (1970..=LATEST_YEAR).contains(&year) {
        Ok(())
    } else {
        Err(Invalid::new(Field::Date, "must lie between the years 1970 and 2100"))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn spans_that_touch_do_not_overlap() {
        let a = TimeSpan::new(at("2026-01-01T09:00Z"), at("2026-01-01T10:00Z")).unwrap();
        let b = TimeSpan::new(at("2026-01-01T10:00Z"), at("2026-01-01T11:00Z")).unwrap();
        assert!(!a.overlaps(&b));
        assert!(a.with_buffer(1).overlaps(&b));
    }

    #[test]
    fn a_local_time_in_a_gap_moves_forward_and_a_repeated_one_is_the_earlier() {
        let zone = ZoneName::parse("Europe/Berlin").unwrap();
        assert_eq!(
            zone.instant("2026-03-29T02:30".parse().unwrap()).unwrap(),
            at("2026-03-29T01:30Z")
        );
        assert_eq!(
            zone.instant("2026-10-25T02:30".parse().unwrap()).unwrap(),
            at("2026-10-25T00:30Z")
        );
    }

    #[test]
    fn years_out_of_range_are_refused() {
        for text in [
            "9999-01-01T00:00:00Z",
            "1969-12-31T23:59:59Z",
            "tomorrow",
            "2026-11-23",
            "2026-11-23T10:00",
        ] {
            assert!(parse_instant(text, None).is_err(), "{text}");
        }
    }

    #[test]
    fn a_local_time_needs_a_zone() {
        let told = |text: &str| parse_instant(text, None).unwrap_err().message;
        assert!(
            told("2026-11-23T10:00").contains("or `timeZone`"),
            "{}",
            told("2026-11-23T10:00")
        );
        assert!(told("tomorrow").contains("RFC 3339"), "{}", told("tomorrow"));
        let zone = ZoneName::parse("Europe/Berlin");
        assert_eq!(
            parse_instant("2026-11-23T10:00", zone.as_ref()).unwrap(),
            at("2026-11-23T09:00Z")
        );
    }

    #[test]
    fn every_zone_of_the_bundled_database_is_known_by_its_name() {
        for name in jiff::tz::db().available() {
            assert_eq!(ZoneName::parse(name.as_str()).unwrap().as_str(), name.as_str());
        }
        assert_eq!(ZoneName::parse("Mars/Olympus"), None);
    }
}
