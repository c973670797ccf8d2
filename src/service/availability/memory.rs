//! What questions about free times ask the store for again and again, kept at hand: the catalogue of a question, and the
//! claims on resources by day.
//!
//! The site's log says what is still true. Every act that changes what is offered tells there what it touched, whoever
//! made it and on whatever node; each question first reads how far the log has come, and what was touched since the last
//! one is forgotten. So an answer is never older than the log was when the question came.

use std::{
    collections::{BTreeMap, HashMap},
    ops::RangeInclusive,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, AtomicUsize, Ordering},
    },
};

use jiff::Timestamp;

use super::read::Catalogue;
use crate::{
    domain::{
        conflict::{Claim, Target},
        event::{Matter, Touched},
        ids::{ResourceId, ServiceId, SiteId},
        time::TimeSpan,
    },
    store::{Conn, StoreError, events},
};

/// For how long anything is kept, in seconds. What was changed past the server, with a tool for databases, is not in the
/// log; it is seen by then.
const KEPT_SECONDS: i64 = 60;
/// Acts since the last question that are looked at one by one; beyond it, everything is forgotten.
const MOST_ACTS: i64 = 1_000;
/// Catalogues of a site, at the most.
const MOST_CATALOGUES: usize = 100;
/// Claims, days, and what catalogues say, that is kept of all sites, at the most: some 100 MB.
const MOST: usize = 500_000;

const MICROS_OF_DAY: i64 = 24 * 60 * 60 * 1_000_000;

/// Days of the universal calendar, counted from 1970.
pub(super) type Days = RangeInclusive<i64>;

/// The days on which something between two instants may lie.
pub(super) fn days(from: Timestamp, until: Timestamp) -> Days {
    let day = |micros: i64| micros.div_euclid(MICROS_OF_DAY);
    day(from.as_microsecond())..=day(until.as_microsecond() - 1)
}

/// The first instant of a day; the last one that there is beyond the end of time.
pub(super) fn midnight(day: i64) -> Timestamp {
    let end = if day < 0 { Timestamp::MIN } else { Timestamp::MAX };
    let micros = day.saturating_mul(MICROS_OF_DAY);
    Timestamp::from_microsecond(micros).unwrap_or(end)
}

/// What is known of a resource on a day.
#[derive(Debug, Clone, Default)]
pub(super) enum Day {
    /// It has to be read.
    #[default]
    Unknown,
    /// Nothing is on it.
    Free,
    /// The claims that lie on the day, wholly or in part.
    Taken(Arc<[Claim]>),
}

/// What is kept of all sites.
#[derive(Debug, Default)]
pub(in crate::service) struct Memory {
    sites: Mutex<HashMap<SiteId, Arc<Kept>>>,
    /// When sites that nobody asks for any more were forgotten last, in seconds.
    swept: AtomicI64,
}

#[derive(Debug, Default)]
struct Kept {
    /// When it was asked for last, in seconds.
    asked: AtomicI64,
    weight: AtomicUsize,
    of: Mutex<Of>,
}

/// What is kept of one site.
#[derive(Debug, Default)]
struct Of {
    since: Timestamp,
    /// How far the log was read.
    position: i64,
    catalogues: HashMap<Vec<ServiceId>, Arc<Catalogue>>,
    days: HashMap<ResourceId, BTreeMap<i64, Day>>,
}

/// What is kept of a site, brought up to date for one question.
pub(super) struct Recall<'m> {
    memory: &'m Memory,
    kept: Arc<Kept>,
    /// How far the log had come when the question began.
    pub(super) position: i64,
}

impl Memory {
    /// Reads how far the log has come, and forgets what was touched.
    pub(super) async fn recall(&self, conn: &mut Conn, site: SiteId, now: Timestamp) -> Result<Recall<'_>, StoreError> {
        let position = events::last_position(conn, site).await?;
        self.sweep(now);
        let kept = lock(&self.sites).entry(site).or_default().clone();
        kept.asked.store(now.as_second(), Ordering::Relaxed);
        let known = {
            let mut of = lock(&kept.of);
            let age = now.as_second() - of.since.as_second();
            if !(0..KEPT_SECONDS).contains(&age) {
                of.forget_all();
                of.since = now;
                of.position = of.position.max(position);
            }
            of.position
        };
        if known < position {
            let touched = events::touched(conn, site, known, position, MOST_ACTS).await?;
            let mut of = lock(&kept.of);
            match touched {
                Some(touched) => touched.iter().for_each(|touched| of.forget(touched)),
                None => of.forget_all(),
            }
            of.position = of.position.max(position);
        }
        Ok(Recall {
            memory: self,
            kept,
            position,
        })
    }

    /// Forgets the sites that nobody asked for in the time for which anything is kept, that often.
    fn sweep(&self, now: Timestamp) {
        let old = |at: &AtomicI64| !(0..KEPT_SECONDS).contains(&(now.as_second() - at.load(Ordering::Relaxed)));
        if old(&self.swept) {
            self.swept.store(now.as_second(), Ordering::Relaxed);
            lock(&self.sites).retain(|_, kept| !old(&kept.asked));
        }
    }

    /// Forgets the sites that nobody asked for longest, until what is kept is not too much.
    fn trim(&self) {
        let mut sites = lock(&self.sites);
        let weight = |kept: &Kept| kept.weight.load(Ordering::Relaxed) + 1;
        let mut all: usize = sites.values().map(|kept| weight(kept)).sum();
        while all > MOST {
            let oldest = sites.iter().min_by_key(|(_, kept)| kept.asked.load(Ordering::Relaxed));
            let Some(site) = oldest.map(|(site, _)| *site) else {
                return;
            };
            all -= sites.remove(&site).map_or(0, |kept| weight(&kept));
        }
    }
}

impl Of {
    fn forget_all(&mut self) {
        self.catalogues.clear();
        self.days.clear();
    }

    fn forget(&mut self, touched: &Touched) {
        match (touched.matter, touched.span) {
            (Matter::Everything, _) => self.forget_all(),
            (Matter::Service(id), None) => self.catalogues.retain(|services, _| !services.contains(&id)),
            // Of its sessions and seats nothing is kept.
            (Matter::Service(_), Some(_)) => {}
            (Matter::Resource(id), None) => {
                self.catalogues.retain(|_, catalogue| !catalogue.concerns(id));
                self.days.remove(&id);
            }
            (Matter::Resource(id), Some(span)) => {
                if let Some(known) = self.days.get_mut(&id) {
                    let touched = days(span.start(), span.end());
                    known.retain(|day, _| !touched.contains(day));
                }
            }
        }
    }

    fn weight(&self) -> usize {
        let catalogues: usize = self.catalogues.values().map(|catalogue| catalogue.weight()).sum();
        let days = self.days.values().flat_map(BTreeMap::values);
        let claims = days.map(|day| match day {
            Day::Unknown | Day::Free => 1,
            Day::Taken(claims) => claims.len() + 1,
        });
        catalogues + claims.sum::<usize>()
    }
}

impl Recall<'_> {
    /// The catalogue of a question about these services.
    pub(super) fn catalogue(&self, services: &[ServiceId]) -> Option<Arc<Catalogue>> {
        lock(&self.kept.of).catalogues.get(services).cloned()
    }

    /// Keeps a catalogue that was read for this question.
    pub(super) fn keep_catalogue(&self, services: &[ServiceId], catalogue: &Arc<Catalogue>) {
        self.keep(|of| {
            if of.catalogues.len() >= MOST_CATALOGUES {
                of.catalogues.clear();
            }
            of.catalogues.insert(services.to_vec(), catalogue.clone());
        });
    }

    /// What is known of each of the resources on each of the days, one resource after the other.
    pub(super) fn days(&self, resources: &[ResourceId], days: &Days) -> Vec<Day> {
        let mut told = vec![Day::Unknown; resources.len() * length(days)];
        let of = lock(&self.kept.of);
        for (row, id) in told.chunks_mut(length(days)).zip(resources) {
            let Some(known) = of.days.get(id) else { continue };
            for (day, what) in known.range(days.clone()) {
                let place = usize::try_from(day - days.start()).ok();
                if let Some(place) = place.and_then(|place| row.get_mut(place)) {
                    *place = what.clone();
                }
            }
        }
        told
    }

    /// Keeps what was read for this question of resources, day by day.
    pub(super) fn keep_days(&self, read: ByDay) {
        self.keep(|of| {
            for ((id, day), what) in read {
                of.days.entry(id).or_default().insert(day, what);
            }
        });
    }

    /// Keeps something, unless another question has seen more of the log by now: what this one read may be what was
    /// forgotten meanwhile.
    fn keep(&self, change: impl FnOnce(&mut Of)) {
        let mut of = lock(&self.kept.of);
        if of.position != self.position {
            return;
        }
        change(&mut of);
        self.kept.weight.store(of.weight(), Ordering::Relaxed);
        drop(of);
        self.memory.trim();
    }
}

/// What is known of resources on days.
pub(super) type ByDay = HashMap<(ResourceId, i64), Day>;

/// The claims by day: a claim of several days is in each of them.
pub(super) fn by_day(claims: Vec<Claim>, resources: &[ResourceId], days: &Days) -> ByDay {
    let mut lists: HashMap<(ResourceId, i64), Vec<Claim>> = HashMap::new();
    for claim in claims {
        let Target::Resource(id) = claim.target else { continue };
        let own = on(claim.span);
        for day in *own.start().max(days.start())..=*own.end().min(days.end()) {
            lists.entry((id, day)).or_default().push(claim.clone());
        }
    }
    let taken = lists.into_iter().map(|(place, list)| (place, Day::Taken(list.into())));
    let mut told: ByDay = taken.collect();
    for id in resources {
        for day in days.clone() {
            told.entry((*id, day)).or_insert(Day::Free);
        }
    }
    told
}

/// The resources of which a day isn't known, and from which day to which that is so of any.
pub(super) fn unknown(told: &[Day], resources: &[ResourceId], days: &Days) -> Option<(Vec<ResourceId>, i64, i64)> {
    let (mut missing, mut from, mut until) = (Vec::new(), i64::MAX, i64::MIN);
    for (row, id) in told.chunks(length(days)).zip(resources) {
        let unknown = row
            .iter()
            .zip(days.clone())
            .filter(|(day, _)| matches!(day, Day::Unknown));
        for (_, day) in unknown {
            (from, until) = (from.min(day), until.max(day));
            if missing.last() != Some(id) {
                missing.push(*id);
            }
        }
    }
    (!missing.is_empty()).then_some((missing, from, until))
}

/// Puts what was read where it was unknown.
pub(super) fn fill(told: &mut [Day], resources: &[ResourceId], days: &Days, read: &ByDay) {
    for (row, id) in told.chunks_mut(length(days)).zip(resources) {
        for (place, day) in row.iter_mut().zip(days.clone()) {
            if let Some(what) = read.get(&(*id, day)) {
                *place = what.clone();
            }
        }
    }
}

fn length(days: &Days) -> usize {
    usize::try_from(days.end() - days.start() + 1).unwrap_or(0).max(1)
}

/// The claims of a stretch of days, each once.
pub(super) fn claims_of<'d>(told: &'d [Day], days: &'d Days) -> impl Iterator<Item = &'d Claim> {
    told.chunks(length(days)).flat_map(move |row| {
        row.iter().zip(days.clone()).flat_map(move |(what, day)| {
            let claims: &[Claim] = match what {
                Day::Taken(claims) => claims,
                Day::Unknown | Day::Free => &[],
            };
            // On the first day it is in, or the first that was asked for.
            claims
                .iter()
                .filter(move |claim| *on(claim.span).start().max(days.start()) == day)
        })
    })
}

fn on(span: TimeSpan) -> Days {
    days(span.start(), span.end())
}

/// Locks; what a panicking holder left behind is whole or forgotten soon.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;
    use crate::domain::{
        conflict::Holder,
        ids::{BookingId, ClaimId},
    };

    fn span(start: i64, minutes: i64) -> TimeSpan {
        let at = |minute: i64| Timestamp::from_second(minute * 60).unwrap();
        TimeSpan::new(at(start), at(start + minutes)).unwrap()
    }

    proptest! {
        #[test]
        fn every_claim_of_the_days_is_told_once(
            // A week around the beginning of the calendar, visits of up to three days.
            drawn in proptest::collection::vec((0_usize..3, -7_200_i64..7_200, 1_i64..4_320), 0..40),
            first in -5_i64..5,
            length in 0_i64..5,
            known in proptest::collection::vec(any::<bool>(), 15),
        ) {
            let resources = [ResourceId::new(), ResourceId::new(), ResourceId::new()];
            let claims: Vec<Claim> = drawn.into_iter().map(|(of, start, minutes)| Claim {
                id: ClaimId::new(),
                target: Target::Resource(*resources.get(of).unwrap()),
                span: span(start, minutes),
                seats: 1,
                holder: Holder::Booking(BookingId::new()),
                hold_expires_at: None,
                overlap_reason: None,
            }).collect();
            let days = first..=first + length;
            let window = TimeSpan::new(midnight(first), midnight(first + length + 1)).unwrap();
            let read = by_day(claims.clone(), &resources, &days);
            // Some days are known before, the rest is read.
            let mut told = vec![Day::Unknown; resources.len() * (usize::try_from(length).unwrap() + 1)];
            let places = resources.iter().flat_map(|id| days.clone().map(move |day| (*id, day)));
            for ((what, place), known) in told.iter_mut().zip(places).zip(known) {
                if known {
                    *what = read.get(&place).unwrap().clone();
                }
            }
            if let Some((missing, from, until)) = unknown(&told, &resources, &days) {
                let range = TimeSpan::new(midnight(from), midnight(until + 1)).unwrap();
                let again = claims.iter().filter(|claim| claim.span.overlaps(&range)).cloned().collect();
                fill(&mut told, &resources, &days, &by_day(again, &missing, &(from..=until)));
            }
            prop_assert!(unknown(&told, &resources, &days).is_none());
            let mut found: Vec<&Claim> = claims_of(&told, &days).collect();
            found.sort_by_key(|claim| claim.id);
            let expected: Vec<&Claim> = claims.iter().filter(|claim| claim.span.overlaps(&window)).collect();
            prop_assert_eq!(found, expected);
        }
    }
}
