//! The starts that an open time offers (spec §4.4 step 4).

/// The grids of one resource's open times at one place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Grid<'a> {
    /// When it is open, before anything busy is taken off: sorted and disjoint, as microseconds.
    pub(super) open: &'a [(i64, i64)],
    /// The first instants of the local dates, ascending.
    pub(super) midnights: &'a [i64],
    /// How far apart starts are.
    pub(super) step: i64,
    /// How long a visit is: it has to end within the open time.
    pub(super) duration: i64,
}

impl Grid<'_> {
    /// Adds the starts from `from` to before `to`, ascending.
    ///
    /// The grid begins where an open time begins and goes on by the step, in elapsed time. An open time that holds a
    /// whole local date begins again at that date's midnight: around-the-clock hours have no beginning to count from,
    /// and starts must not depend on how far back somebody looked.
    pub(super) fn starts(&self, from: i64, to: i64, into: &mut Vec<i64>) {
        for (begin, end) in self.open.iter().copied() {
            let last = end - self.duration;
            if last < from || begin >= to {
                continue;
            }
            self.pieces(begin, end, |origin, until| {
                let mut start = origin + (from - origin).max(0).div_euclid(self.step) * self.step;
                if start < from {
                    start += self.step;
                }
                while start < until && start < to && start <= last {
                    into.push(start);
                    start += self.step;
                }
            });
        }
    }

    /// Whether a start lies on the grid.
    pub(super) fn has(&self, start: i64) -> bool {
        let mut found = Vec::new();
        self.starts(start, start + 1, &mut found);
        !found.is_empty()
    }

    /// The pieces of an open time that have a grid of their own, each with the origin.
    fn pieces(&self, begin: i64, end: i64, mut each: impl FnMut(i64, i64)) {
        let first = self.midnights.partition_point(|midnight| *midnight < begin);
        let mut origin = begin;
        for day in self.midnights.get(first..).unwrap_or_default().windows(2) {
            let [midnight, next] = *day else { continue };
            if next > end {
                break;
            }
            if midnight > origin {
                each(origin, midnight);
            }
            origin = midnight;
        }
        each(origin, end);
    }
}
