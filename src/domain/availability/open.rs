//! When each resource is open at each place, before anything busy is taken off (spec §4.4 step 2, §12 A3).

use std::collections::HashMap;

use super::facts::{Business, HoursMode, HoursSource, Place, Resource, Service};
use crate::domain::{
    hours::{Calendar, OpeningHours, PlaceId, Scope},
    spans,
    time::TimeSpan,
};

/// Open times as microseconds: sorted, disjoint, not touching.
pub(super) type Open = Vec<(i64, i64)>;

/// Finds open times, each distinct set of them once.
#[derive(Debug)]
pub(super) struct Doors<'a> {
    business: &'a Business<'a>,
    service: &'a Service<'a>,
    calendar: &'a Calendar,
    sets: HashMap<Open, usize>,
    known: HashMap<Key, usize>,
    /// When each place is open.
    places: HashMap<usize, Vec<TimeSpan>>,
}

/// What makes two resources open at the same times at one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Key {
    Shut,
    Own {
        place: usize,
        hours: *const OpeningHours,
        unbound: bool,
    },
    Business {
        place: usize,
    },
    Unset {
        place: usize,
    },
}

impl<'a> Doors<'a> {
    pub(super) fn new(business: &'a Business<'a>, service: &'a Service<'a>, calendar: &'a Calendar) -> Self {
        Self {
            business,
            service,
            calendar,
            sets: HashMap::new(),
            known: HashMap::new(),
            places: HashMap::new(),
        }
    }

    /// The sets that were found.
    pub(super) fn into_sets(self) -> Vec<Open> {
        let mut sets: Vec<(Open, usize)> = self.sets.into_iter().collect();
        sets.sort_unstable_by_key(|(_, position)| *position);
        sets.into_iter().map(|(open, _)| open).collect()
    }

    /// The position of the set of times at which `resource` is open at a place.
    pub(super) fn of(&mut self, resource: &Resource<'a>, index: usize, place: &Place<'a>) -> usize {
        let admitted = admitted(resource, place.id);
        let key = match resource.hours {
            _ if !can_be_at(resource, place.id) => Key::Shut,
            HoursSource::Own(hours) => Key::Own {
                place: index,
                hours,
                unbound: admitted,
            },
            HoursSource::Business => Key::Business { place: index },
            HoursSource::Unset => Key::Unset { place: index },
        };
        if let Some(set) = self.known.get(&key) {
            return *set;
        }
        let open = if key == Key::Shut {
            Vec::new()
        } else {
            self.find(resource, (index, place), admitted)
        };
        let open: Open = open
            .iter()
            .map(|span| (span.start().as_microsecond(), span.end().as_microsecond()))
            .collect();
        // Many keep the same hours, each with a copy of their own: one grid is enough for all of them.
        let next = self.sets.len();
        let set = *self.sets.entry(open).or_insert(next);
        self.known.insert(key, set);
        set
    }

    fn find(&mut self, resource: &Resource<'a>, at_place: (usize, &Place<'a>), admitted: bool) -> Vec<TimeSpan> {
        let place = at_place.1;
        let own = match resource.hours {
            HoursSource::Own(hours) => self.expand(Some(hours), own_scope(place.id, admitted)),
            HoursSource::Business => self.expand(self.business.hours, at(place.id)),
            HoursSource::Unset => self.place(at_place).to_vec(),
        };
        let within = if self.service.keeps_business_hours() {
            spans::intersect(&own, self.place(at_place))
        } else {
            own
        };
        match self.service.hours {
            Some((HoursMode::Intersect, hours)) => spans::intersect(&within, &self.expand(Some(hours), at(place.id))),
            Some((HoursMode::Override, hours)) => self.expand(Some(hours), at(place.id)),
            None => within,
        }
    }

    /// The opening hours of a place: its own, or else the business's.
    fn place(&mut self, (index, place): (usize, &Place<'a>)) -> &[TimeSpan] {
        if !self.places.contains_key(&index) {
            let open = self.expand(place.hours.or(self.business.hours), at(place.id));
            self.places.insert(index, open);
        }
        self.places.get(&index).map_or(&[], Vec::as_slice)
    }

    fn expand(&self, hours: Option<&OpeningHours>, scope: Scope) -> Vec<TimeSpan> {
        if let Some(hours) = hours {
            return hours.expand(self.calendar, scope);
        }
        let (from, to) = self.calendar.horizon();
        TimeSpan::new(from, to).into_iter().collect()
    }
}

/// Whether a resource may be at a place by what is said about it, leaving its hours aside.
fn admitted(resource: &Resource<'_>, place: Option<PlaceId>) -> bool {
    match (resource.places, place) {
        (Some(places), Some(place)) => places.contains(&place),
        (None, _) | (_, None) => true,
    }
}

/// Whether a resource can be at a place at all: it is admitted there, or has hours of its own there.
pub(super) fn can_be_at(resource: &Resource<'_>, place: Option<PlaceId>) -> bool {
    admitted(resource, place)
        || matches!((resource.hours, place), (HoursSource::Own(hours), Some(place)) if hours.names(place))
}

fn at(place: Option<PlaceId>) -> Scope {
    place.map_or(Scope::Everywhere, Scope::At)
}

/// Own hours that are bound to a place hold there whatever else is said about where the resource can be.
fn own_scope(place: Option<PlaceId>, admitted: bool) -> Scope {
    match place {
        None => Scope::Everywhere,
        Some(place) if admitted => Scope::At(place),
        Some(place) => Scope::BoundTo(place),
    }
}
