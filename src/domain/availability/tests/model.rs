//! What the engine ought to find, minute by minute: slow, obvious, straight from the rules, and without a line of the
//! engine. Zones whose changes are whole minutes and don't put the clock back over midnight.

use std::collections::HashMap;

use jiff::{
    ToSpan as _,
    civil::{Date, DateTime},
    tz::TimeZone,
};

use super::stage::{Hours, Source, Times, World, at};
use crate::domain::availability::HoursMode;

/// A stretch of minutes with what the wall clock shows at each.
pub(super) struct Clock {
    first: i64,
    shows: Vec<DateTime>,
    earliest: HashMap<DateTime, i64>,
    /// The dates that it shows, but for the first and the last.
    dates: Vec<Date>,
}

impl Clock {
    pub(super) fn new(zone: &TimeZone, first: i64, count: i64) -> Self {
        let shows: Vec<DateTime> = (first..first + count)
            .map(|minute| zone.to_datetime(at(minute)))
            .collect();
        let mut earliest = HashMap::new();
        for (index, local) in shows.iter().enumerate() {
            earliest.entry(*local).or_insert(first + i64::try_from(index).unwrap());
        }
        let mut dates: Vec<Date> = shows.iter().map(|local| local.date()).collect();
        dates.dedup();
        let dates = dates[1..dates.len() - 1].to_vec();
        Self {
            first,
            shows,
            earliest,
            dates,
        }
    }

    fn last(&self) -> i64 {
        self.first + i64::try_from(self.shows.len()).unwrap()
    }

    fn shows(&self, minute: i64) -> DateTime {
        self.shows[usize::try_from(minute - self.first).unwrap()]
    }

    /// The first minute at which the clock shows it; in a gap, later by as much as the clock jumps.
    fn resolve(&self, local: DateTime) -> Option<i64> {
        if let Some(minute) = self.earliest.get(&local) {
            return Some(*minute);
        }
        let after = (self.first + 1..self.last()).find(|minute| self.shows(*minute) > local)?;
        let jump = self.shows(after).duration_since(self.shows(after - 1)).as_mins() - 1;
        if self.shows(after - 1) > local {
            return None;
        }
        self.earliest.get(&(local + jump.minutes())).copied()
    }
}

/// A slot: start, place, whether it can be booked, too early, too late, and who is free for each need.
pub(super) type Row = (i64, Option<usize>, bool, bool, bool, Vec<Vec<usize>>);

pub(super) struct Model<'w> {
    pub(super) world: &'w World,
    pub(super) clock: &'w Clock,
    /// By place and worker, the minutes at which it is open.
    open: Vec<Vec<Vec<bool>>>,
    /// The same, with where the grid begins.
    origins: Vec<Vec<Vec<Option<usize>>>>,
}

impl<'w> Model<'w> {
    pub(super) fn new(world: &'w World, clock: &'w Clock) -> Self {
        let mut model = Self {
            world,
            clock,
            open: Vec::new(),
            origins: Vec::new(),
        };
        model.open = (0..model.places().len())
            .map(|place| {
                (0..world.workers.len())
                    .map(|worker| model.opens(worker, place))
                    .collect()
            })
            .collect();
        let origins = |open: &Vec<Vec<bool>>| open.iter().map(|open| model.origins(open)).collect();
        model.origins = model.open.iter().map(origins).collect();
        model
    }

    fn places(&self) -> Vec<Option<usize>> {
        match &self.world.places {
            None => vec![None],
            Some(places) => (0..places.len()).map(Some).collect(),
        }
    }

    fn duration(&self) -> i64 {
        i64::from(self.world.chosen.unwrap_or(self.world.duration))
    }

    /// The minutes that some hours hold, of the times that are bound to a place as `counts` says.
    fn minutes(&self, hours: Option<&Hours>, counts: impl Fn(Option<usize>) -> bool) -> Vec<bool> {
        let Some(hours) = hours else {
            return vec![true; self.clock.shows.len()];
        };
        let mut open = vec![false; self.clock.shows.len()];
        for date in self.clock.dates.iter().copied() {
            let special = hours.special.iter().find(|(day, _)| *day == date);
            let weekday = date.weekday().to_monday_zero_offset();
            let today = hours.weekly.iter().filter(|(bits, _, from, until)| {
                bits >> weekday & 1 == 1
                    && from.is_none_or(|from| date >= from)
                    && until.is_none_or(|until| date <= until)
            });
            let times: Vec<Times> = if let Some((_, times)) = special {
                times.clone()
            } else {
                today.map(|(_, times, _, _)| *times).collect()
            };
            for (start, end, _) in times.into_iter().filter(|(_, _, place)| counts(*place)) {
                let local = |minutes: u16| date.at(0, 0, 0, 0) + i64::from(minutes).minutes();
                let (Some(start), Some(end)) = (self.clock.resolve(local(start)), self.clock.resolve(local(end)))
                else {
                    continue;
                };
                for minute in start..end {
                    open[usize::try_from(minute - self.clock.first).unwrap()] = true;
                }
            }
        }
        open
    }

    fn opens(&self, worker: usize, at: usize) -> Vec<bool> {
        let world = self.world;
        let place = self.places()[at];
        let here = |bound: Option<usize>| place.is_none() || bound.is_none() || bound == place;
        let of_place = || {
            let own = world.places.as_ref().and_then(|places| places[at].as_ref());
            self.minutes(own.or(world.hours.as_ref()), here)
        };
        let one = &world.workers[worker];
        let admitted = match (&one.places, place) {
            (Some(places), Some(place)) => places.contains(&place),
            _ => true,
        };
        let has_times_here = match &one.hours {
            Source::Own(hours) => {
                let weekly = hours.weekly.iter().map(|(_, times, _, _)| times.2);
                let special = hours.special.iter().flat_map(|(_, times)| times).map(|times| times.2);
                place.is_some() && weekly.chain(special).any(|bound| bound == place)
            }
            Source::Business | Source::Unset => false,
        };
        if !admitted && !has_times_here {
            return vec![false; self.clock.shows.len()];
        }
        let mut open = match &one.hours {
            Source::Own(hours) if admitted => self.minutes(Some(hours), here),
            Source::Own(hours) => self.minutes(Some(hours), |bound| bound == place),
            Source::Business => self.minutes(world.hours.as_ref(), here),
            Source::Unset => of_place(),
        };
        let and = |open: &mut Vec<bool>, other: Vec<bool>| {
            for (minute, also) in open.iter_mut().zip(other) {
                *minute = *minute && also;
            }
        };
        if world.variable_length || world.needs.iter().any(|need| !need.staff) {
            and(&mut open, of_place());
        }
        match &world.service_hours {
            Some((HoursMode::Intersect, hours)) => and(&mut open, self.minutes(Some(hours), here)),
            Some((HoursMode::Override, hours)) => open = self.minutes(Some(hours), here),
            None => {}
        }
        open
    }

    fn is_open(&self, place: usize, worker: usize, minute: i64) -> bool {
        usize::try_from(minute - self.clock.first)
            .ok()
            .and_then(|index| self.open[place][worker].get(index).copied())
            .unwrap_or(false)
    }

    fn whole_visit_open(&self, place: usize, worker: usize, start: i64) -> bool {
        (start..start + self.duration()).all(|minute| self.is_open(place, worker, minute))
    }

    /// Whether a worker is free, with some minutes after the visit.
    pub(super) fn fits(&self, place: usize, worker: usize, start: i64, buffer: i64) -> bool {
        let shut = self.world.shut.iter().filter(|(shut, _)| *shut == place);
        let busy = self.world.workers[worker].busy.iter().chain(&self.world.closed);
        let busy = busy.chain(shut.map(|(_, span)| span));
        let mut busy = busy.filter(|(from, to)| *from < start + self.duration() + buffer && start < *to);
        self.whole_visit_open(place, worker, start) && busy.next().is_none()
    }

    /// For each minute at which a worker is open, where the grid begins that covers it.
    fn origins(&self, open: &[bool]) -> Vec<Option<usize>> {
        let mut origins: Vec<Option<usize>> = Vec::with_capacity(open.len());
        let date = |index: usize| self.clock.shows[index].date();
        for (index, is_open) in open.iter().enumerate() {
            let before = index.checked_sub(1);
            let begins_a_date = before.is_some_and(|before| date(before) != date(index));
            let whole_day_open = || {
                let mut day = (index..open.len()).take_while(|other| date(*other) == date(index));
                day.all(|other| open[other])
            };
            let goes_on = before.and_then(|before| origins[before]);
            origins.push(match (is_open, goes_on) {
                (false, _) => None,
                (true, Some(_)) if begins_a_date && whole_day_open() => Some(index),
                (true, Some(origin)) => Some(origin),
                (true, None) => Some(index),
            });
        }
        origins
    }

    pub(super) fn on_grid(&self, place: usize, start: i64) -> bool {
        let step = usize::try_from(self.world.step.unwrap_or(self.world.duration + self.world.buffer)).unwrap();
        let first = self.world.needs.first();
        let index = usize::try_from(start - self.clock.first).unwrap();
        first.is_some_and(|need| {
            need.allowed.iter().any(|worker| {
                let origin = self.origins[place][*worker].get(index).copied().flatten();
                origin.is_some_and(|origin| (index - origin) % step == 0)
                    && self.whole_visit_open(place, *worker, start)
            })
        })
    }

    /// Every set of distinct workers that serves the needs.
    pub(super) fn ways(&self, free: &impl Fn(usize) -> bool, into: &mut Vec<Vec<usize>>) {
        if !self.world.needs.is_empty() {
            self.serve(0, &mut Vec::new(), free, &mut |way| {
                into.push(way.to_vec());
                false
            });
        }
    }

    /// Whether distinct workers can be found for every need from `need` on, such that they are enough.
    fn serve(
        &self,
        need: usize,
        used: &mut Vec<usize>,
        free: &impl Fn(usize) -> bool,
        enough: &mut impl FnMut(&[usize]) -> bool,
    ) -> bool {
        let Some(wanted) = self.world.needs.get(need) else {
            return enough(used);
        };
        let asked = self
            .world
            .requested
            .iter()
            .find(|(one, asked)| *one == need && !asked.is_empty());
        let asked = asked.map(|(_, asked)| asked.clone()).unwrap_or_default();
        let able = wanted
            .allowed
            .iter()
            .copied()
            .filter(|one| free(*one) && !used.contains(one));
        let able: Vec<usize> = able.collect();
        let at_least = asked.len().min(wanted.count);
        for set in 0_u32..1 << able.len() {
            let chosen: Vec<usize> = able
                .iter()
                .enumerate()
                .filter(|(bit, _)| set >> bit & 1 == 1)
                .map(|(_, one)| *one)
                .collect();
            if chosen.len() != wanted.count || chosen.iter().filter(|one| asked.contains(one)).count() < at_least {
                continue;
            }
            let before = used.len();
            used.extend(&chosen);
            if self.serve(need + 1, used, free, enough) {
                return true;
            }
            used.truncate(before);
        }
        false
    }

    /// Whether everything that is needed is free at a start, on the grid or not.
    pub(super) fn servable(&self, place: usize, start: i64) -> bool {
        let buffer = i64::from(self.world.buffer);
        !self.world.needs.is_empty()
            && self.serve(
                0,
                &mut Vec::new(),
                &|worker| self.fits(place, worker, start, buffer),
                &mut |_| true,
            )
    }

    /// Whether exactly these workers can serve the needs, given for each need.
    pub(super) fn serves(&self, place: usize, start: i64, served: &[Vec<usize>]) -> bool {
        let buffer = i64::from(self.world.buffer);
        let mut all: Vec<usize> = served.iter().flatten().copied().collect();
        all.sort_unstable();
        all.dedup();
        all.len() == served.iter().flatten().count()
            && self.world.needs.iter().zip(served).all(|(need, served)| {
                served.len() == need.count
                    && served
                        .iter()
                        .all(|one| need.allowed.contains(one) && self.fits(place, *one, start, buffer))
            })
    }

    pub(super) fn asked(&self, place: usize) -> bool {
        let places = self.world.asked_places.as_ref();
        places.is_none_or(|asked| self.places()[place].is_some_and(|place| asked.contains(&place)))
    }

    pub(super) fn in_range(&self, start: i64) -> bool {
        self.world.available.0.is_none_or(|from| start >= from)
            && self
                .world
                .available
                .1
                .is_none_or(|until| start + self.duration() <= until)
    }

    fn row(&self, place: usize, start: i64) -> Row {
        let world = self.world;
        let ahead = start - world.now;
        let early = world.policy.earliest.is_some_and(|limit| ahead > i64::from(limit));
        let late = world.policy.latest.is_some_and(|limit| ahead < i64::from(limit)) || ahead <= 0;
        let bookable = world.ignore_policy || !early && !late && world.online;
        let free = world.needs.iter().enumerate().map(|(index, need)| {
            let asked = world
                .requested
                .iter()
                .find(|(one, asked)| *one == index && !asked.is_empty());
            let wanted =
                |worker: usize| asked.is_none_or(|(_, asked)| asked.len() < need.count || asked.contains(&worker));
            let mut free: Vec<usize> = need
                .allowed
                .iter()
                .copied()
                .filter(|worker| wanted(*worker) && self.fits(place, *worker, start, i64::from(world.buffer)))
                .collect();
            free.sort_unstable();
            free
        });
        (start, self.places()[place], bookable, early, late, free.collect())
    }

    pub(super) fn list(&self) -> Vec<Row> {
        let mut rows = Vec::new();
        for start in self.world.from..self.world.to {
            if start < self.world.now || !self.in_range(start) {
                continue;
            }
            for place in 0..self.places().len() {
                if self.asked(place) && self.on_grid(place, start) && self.servable(place, start) {
                    rows.push(self.row(place, start));
                }
            }
        }
        let Some((most, zone)) = &self.world.per_day else {
            return rows;
        };
        let date = |row: &Row| zone.to_datetime(at(row.0)).date();
        let kept = rows.iter().enumerate().filter(|(index, row)| {
            let before = rows
                .iter()
                .enumerate()
                .filter(|(other, one)| date(one) == date(row) && (one.2 && !row.2 || one.2 == row.2 && other < index));
            before.count() < *most as usize
        });
        kept.map(|(_, row)| row.clone()).collect()
    }
}
