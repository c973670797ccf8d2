//! The free times of an appointment service (spec §4.4).

use std::num::NonZeroU32;

use jiff::Timestamp;

use super::{
    facts::{Business, Query, Service},
    fit::{Bench, Sheet},
    matching::Matcher,
    paging,
    policy::{NonBookable, Policy, Violations},
};
use crate::domain::{
    hours::{PlaceId, from_micros},
    ids::ResourceId,
};

/// The slots that were found, by start and then by the service's order of places.
#[derive(Debug)]
pub struct Slots {
    rows: Vec<Row>,
    sheets: Vec<Sheet>,
    ids: Vec<ResourceId>,
    /// For each requirement, who of those that are asked for (or of all) serves it.
    members: Vec<Vec<usize>>,
    places: Vec<Option<PlaceId>>,
    duration: i64,
    rules: Rules,
}

/// What is needed to tell the flags of a slot.
#[derive(Debug, Clone, Copy)]
struct Rules {
    policy: Policy,
    online: bool,
    now: Timestamp,
    party: NonZeroU32,
    max_party: NonZeroU32,
    ignore_policy: bool,
}

/// One slot: a start on a sheet.
#[derive(Debug, Clone, Copy)]
struct Row {
    start: i64,
    sheet: usize,
    index: usize,
}

/// A time and place at which everything that the service needs is free.
#[derive(Debug, Clone, Copy)]
pub struct Slot<'s> {
    slots: &'s Slots,
    row: Row,
}

/// The free times that a query asks for. A time at which something is missing is left out; one that only a rule for
/// customers forbids is there, flagged. Times before `now` are left out.
#[must_use]
pub fn list(business: &Business<'_>, service: &Service<'_>, query: &Query<'_>) -> Slots {
    let from = query.from.max(business.now);
    let bench = Bench::new(business, service, query, from, query.to.max(from));
    let (from, to) = bounds(&bench, from, query.to);
    let mut matcher = Matcher::new(&bench.demands);
    let mut sheets = Vec::with_capacity(service.places.len());
    let mut rows = Vec::new();
    for place in asked_places(service, query) {
        let sheet = bench.sheet(place, bench.starts(place, from, to), bench.buffer);
        for (index, start) in sheet.starts.iter().copied().enumerate() {
            if bench.satisfied(&sheet, index, &mut matcher) {
                rows.push(Row {
                    start,
                    sheet: sheets.len(),
                    index,
                });
            }
        }
        sheets.push(sheet);
    }
    drop(matcher);
    if sheets.len() > 1 {
        rows.sort_by_key(|row| (row.start, row.sheet));
    }
    let mut slots = Slots::new(&bench, sheets, rows);
    if let Some(cap) = &query.per_day {
        let rows = slots.rows.iter().copied();
        let facts = rows.map(|row| (row.start, Slot { slots: &slots, row }.bookable()));
        let kept = paging::per_day(cap, facts);
        slots.rows = kept
            .into_iter()
            .filter_map(|index| slots.rows.get(index).copied())
            .collect();
    }
    slots
}

/// The positions of the places that a query asks for, in the service's order.
pub(super) fn asked_places<'a>(service: &'a Service<'a>, query: &'a Query<'a>) -> impl Iterator<Item = usize> + 'a {
    let asked = move |id: Option<PlaceId>| {
        query
            .places
            .is_none_or(|places| id.is_some_and(|id| places.contains(&id)))
    };
    service
        .places
        .iter()
        .enumerate()
        .filter(move |(_, place)| asked(place.id))
        .map(|(index, _)| index)
}

/// The first start and the first one beyond the last, with the service's own range taken into account.
pub(super) fn bounds(bench: &Bench<'_>, from: Timestamp, to: Timestamp) -> (i64, i64) {
    let opens = bench.service.available_from.map_or(i64::MIN, Timestamp::as_microsecond);
    let closes = bench
        .service
        .available_until
        .map_or(i64::MAX, |until| until.as_microsecond() - bench.duration + 1);
    (from.as_microsecond().max(opens), to.as_microsecond().min(closes))
}

impl Slots {
    fn new(bench: &Bench<'_>, sheets: Vec<Sheet>, rows: Vec<Row>) -> Self {
        let mut members = vec![Vec::new(); bench.members.len()];
        for demand in &bench.demands {
            if let Some(members) = members.get_mut(demand.requirement) {
                members.extend_from_slice(&demand.members);
            }
        }
        let service = bench.service;
        Self {
            rows,
            sheets,
            ids: bench.hands.iter().map(|hand| hand.resource.id).collect(),
            members,
            places: service.places.iter().map(|place| place.id).collect(),
            duration: bench.duration,
            rules: Rules {
                policy: service.policy,
                online: service.online,
                now: bench.business.now,
                party: bench.query.party,
                max_party: service.max_party,
                ignore_policy: bench.query.ignore_policy,
            },
        }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The slot at a position.
    #[must_use]
    pub fn get(&self, position: usize) -> Option<Slot<'_>> {
        self.rows.get(position).map(|row| Slot { slots: self, row: *row })
    }

    /// All of them, or those from a position on with `skip`: it costs nothing.
    #[must_use]
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = Slot<'_>> + ExactSizeIterator {
        self.rows.iter().map(|row| Slot { slots: self, row: *row })
    }
}

impl<'s> Slot<'s> {
    /// Spots in all: one, which a party takes as a whole.
    pub const TOTAL: u32 = 1;

    /// When it starts.
    #[must_use]
    pub fn start(&self) -> Timestamp {
        from_micros(self.row.start)
    }

    /// When it ends, its buffer not counted.
    #[must_use]
    pub fn end(&self) -> Timestamp {
        from_micros(self.row.start + self.slots.duration)
    }

    /// The place; none for a service that names none.
    #[must_use]
    pub fn place(&self) -> Option<PlaceId> {
        let sheet = self.slots.sheets.get(self.row.sheet)?;
        self.slots.places.get(sheet.place).copied().flatten()
    }

    /// Spots that are left, whatever the rules for customers say: one, or the slot would not be here.
    #[must_use]
    pub fn remaining(&self) -> u32 {
        Self::TOTAL
    }

    /// The rules for customers that it breaks.
    #[must_use]
    pub fn violations(&self) -> Violations {
        let rules = &self.slots.rules;
        rules.policy.judge(self.start(), None, rules.online, rules.now)
    }

    /// Why it can't be booked by this caller.
    #[must_use]
    pub fn reasons(&self) -> NonBookable {
        let rules = &self.slots.rules;
        NonBookable {
            no_remaining_capacity: rules.party > rules.max_party,
            violates_booking_policy: !rules.ignore_policy && self.violations().any(),
            ..NonBookable::default()
        }
    }

    /// Whether this caller could book it now.
    #[must_use]
    pub fn bookable(&self) -> bool {
        !self.reasons().any()
    }

    /// The free resources for a requirement, among those that are asked for and those that may fill up with them.
    pub fn free(&self, requirement: usize) -> Free<'s> {
        let members = self.slots.members.get(requirement).map_or(&[][..], Vec::as_slice);
        Free {
            slots: self.slots,
            row: self.row,
            members: members.iter(),
        }
    }

    /// How many resources are free for a requirement.
    #[must_use]
    pub fn free_count(&self, requirement: usize) -> usize {
        self.free(requirement).count()
    }
}

/// Free resources, read from the bits as they are asked for. In the order of the service's list; see [`super::Choice`]
/// for the order in which they are taken.
#[derive(Debug, Clone)]
pub struct Free<'s> {
    slots: &'s Slots,
    row: Row,
    members: std::slice::Iter<'s, usize>,
}

impl Iterator for Free<'_> {
    type Item = ResourceId;

    fn next(&mut self) -> Option<ResourceId> {
        let sheet = self.slots.sheets.get(self.row.sheet)?;
        let hand = self.members.find(|hand| sheet.free(**hand, self.row.index))?;
        self.slots.ids.get(*hand).copied()
    }
}
