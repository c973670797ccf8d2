//! The cap on the slots of a day (spec §4.4 step 10).

use super::facts::PerDay;
use crate::domain::hours::from_micros;

/// The positions of the slots that stay, ascending. Of each local date those that can be booked stay first, then
/// others, earlier ones before later ones; `slots` tells of each, in order, its start and whether it can be booked.
///
/// Where a clock was put back over midnight, two runs of slots share a date; they are counted together.
#[must_use]
pub fn per_day(cap: &PerDay<'_>, slots: impl Iterator<Item = (i64, bool)>) -> Vec<usize> {
    let dated = slots.enumerate().map(|(index, (start, bookable))| {
        let date = cap.zone.to_datetime(from_micros(start)).date();
        (date, !bookable, index)
    });
    let mut dated: Vec<_> = dated.collect();
    dated.sort_unstable();
    let most = usize::try_from(cap.most.get()).unwrap_or(usize::MAX);
    let mut kept: Vec<usize> = dated
        .chunk_by(|(date, ..), (next, ..)| date == next)
        .flat_map(|day| day.iter().take(most).map(|(.., index)| *index))
        .collect();
    kept.sort_unstable();
    kept
}
