//! From the wall clock to instants.

use jiff::{SignedDuration, Timestamp, civil::DateTime};

use super::{
    SeriesError,
    expand::{ExpandError, Window},
    rule::Recurrence,
};
use crate::domain::{
    catalog::WallTime,
    rejection::Invalid,
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
    match span(start, end, time_zone) {
        Some((span, true)) => Ok(WallTime {
            local_start: time_zone.local(span.start()),
            local_end: time_zone.local(span.end()),
            time_zone: time_zone.clone(),
            span,
        }),
        Some((_, false)) | None => WallTime::new(start, end, time_zone.clone()),
    }
}

/// The instants between two local times, and whether the end had to give way as in [`wall_time`]; `None` if the end
/// isn't after the start, or out of range.
pub(in crate::domain) fn span(start: DateTime, end: DateTime, zone: &ZoneName) -> Option<(TimeSpan, bool)> {
    let (starts, ends) = zone.instant(start).zip(zone.instant(end))?;
    if let Some(span) = TimeSpan::new(starts, ends) {
        return Some((span, false));
    }
    let ends = starts.checked_add(end.duration_since(start)).ok()?;
    TimeSpan::new(starts, ends).map(|span| (span, true))
}

/// The local times in the window at which it takes place, without those that the clock moves onto others.
pub(in crate::domain) fn placed(
    recurrence: &Recurrence,
    start: DateTime,
    zone: &ZoneName,
    window: Window,
) -> Result<Vec<DateTime>, ExpandError> {
    let mut times = recurrence.occurrences(start, window)?;
    let mut error = None;
    times.retain(|at| {
        let shown = zone.instant(*at).map_or(*at, |instant| zone.local(instant));
        // Asked of the whole series, not of the window, so that two windows that meet agree.
        shown == *at
            || !recurrence.contains(start, shown).unwrap_or_else(|failure| {
                error = Some(failure);
                false
            })
    });
    error.map_or(Ok(times), Err)
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
    for original_start in placed(recurrence, start, zone, window)? {
        let end = original_start.checked_add(length).unwrap_or(original_start);
        let time = wall_time(original_start, end, zone)?;
        occurrences.push(Occurrence { original_start, time });
    }
    occurrences.sort_by_key(begin);
    occurrences.dedup_by_key(|occurrence| begin(occurrence));
    Ok(occurrences)
}

fn begin(occurrence: &Occurrence) -> Timestamp {
    occurrence.time.span.start()
}
