//! From the wall clock to instants.

use jiff::{SignedDuration, Timestamp, civil::DateTime};

use super::{SeriesError, expand::Window, rule::Recurrence};
use crate::domain::{
    catalog::WallTime,
    rejection::{Field, Invalid},
    time::{TimeSpan, ZoneName},
};

/// One time at which something that repeats takes place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occurrence {
    /// The local time that the rule gave: what the occurrence is known by, even where the clock skips it.
    pub original_start: DateTime,
    /// When it takes place.
    pub time: WallTime,
}

/// The time between two local times as [`WallTime::new`] has it, but for this: where the clock's change leaves the end
/// no later than the start (both in the skipped hour's way), it is as long as the clock says it would be.
pub fn wall_time(start: DateTime, end: DateTime, time_zone: &ZoneName) -> Result<WallTime, Invalid> {
    let instants = time_zone.instant(start).zip(time_zone.instant(end));
    let Some((starts, ends)) = instants.filter(|(starts, ends)| starts >= ends && start < end) else {
        return WallTime::new(start, end, time_zone.clone());
    };
    let span = starts
        .checked_add(end.duration_since(start))
        .ok()
        .and_then(|ends| TimeSpan::new(starts, ends))
        .ok_or_else(|| Invalid::new(Field::Date, "is out of range").at("localEnd"))?;
    debug_assert!(ends <= starts, "only a gap brings the end in front of the start");
    Ok(WallTime {
        local_start: time_zone.local(span.start()),
        local_end: time_zone.local(span.end()),
        time_zone: time_zone.clone(),
        span,
    })
}

/// The occurrences whose local times lie in the window, in the order of their instants; no two begin at the same one.
///
/// The wall clock is kept: each starts at the same local time and ends as much later on the clock as `length` says
/// (§3.8, classes). A time that the clock skips moves forward by the gap; if that is another occurrence's time, only
/// the other one takes place. Of a time that the clock shows twice, the earlier is meant.
pub fn timed(
    recurrence: &Recurrence,
    start: DateTime,
    length: SignedDuration,
    zone: &ZoneName,
    window: Window,
) -> Result<Vec<Occurrence>, SeriesError> {
    let mut occurrences = Vec::new();
    for original_start in recurrence.occurrences(start, window)? {
        let end = original_start.checked_add(length).unwrap_or(original_start);
        let time = wall_time(original_start, end, zone)?;
        // Asked of the whole series, not of the window, so that two windows that meet agree.
        if time.local_start != original_start && recurrence.contains(start, time.local_start)? {
            continue;
        }
        occurrences.push(Occurrence { original_start, time });
    }
    occurrences.sort_by_key(begin);
    occurrences.dedup_by_key(|occurrence| begin(occurrence));
    Ok(occurrences)
}

fn begin(occurrence: &Occurrence) -> Timestamp {
    occurrence.time.span.start()
}
