//! A small business that owns its facts, described in short words: minutes, numbers instead of ids.

use std::num::NonZeroU32;

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use uuid::Uuid;

use crate::domain::{
    availability::{
        Business, Busy, Choice, Entry, HoursMode, HoursSource, Obstacle, PerDay, Place, Policy, Query, Requested,
        Requirement, Resource, Service, Slots, Step, list,
    },
    hours::{DayTimes, OpeningHours, PlaceId, SpecialDay, Weekdays, WeeklyRule},
    ids::{ResourceId, TypedId as _},
    time::TimeSpan,
};

/// From when to when in minutes after midnight, and the place.
pub(super) type Times = (u16, u16, Option<usize>);

/// Opening hours.
#[derive(Debug, Clone, Default)]
pub(super) struct Hours {
    /// Bits of weekdays, Monday lowest; the times; first and last date.
    pub(super) weekly: Vec<(u8, Times, Option<Date>, Option<Date>)>,
    pub(super) special: Vec<(Date, Vec<Times>)>,
}

/// Whose hours.
#[derive(Debug, Clone)]
pub(super) enum Source {
    Own(Hours),
    Business,
    Unset,
}

#[derive(Debug, Clone)]
pub(super) struct Worker {
    pub(super) ranking: i32,
    pub(super) hours: Source,
    pub(super) places: Option<Vec<usize>>,
    /// In minutes of the epoch, buffer included.
    pub(super) busy: Vec<(i64, i64)>,
}

#[derive(Debug, Clone)]
pub(super) struct Need {
    pub(super) staff: bool,
    pub(super) count: usize,
    pub(super) allowed: Vec<usize>,
}

/// A business, a service and a question. Instants are minutes of the epoch.
#[derive(Debug, Clone)]
pub(super) struct World {
    pub(super) zone: TimeZone,
    pub(super) hours: Option<Hours>,
    pub(super) closed: Vec<(i64, i64)>,
    /// When single places are closed.
    pub(super) shut: Vec<(usize, (i64, i64))>,
    pub(super) workers: Vec<Worker>,
    pub(super) now: i64,
    pub(super) duration: u32,
    pub(super) chosen: Option<u32>,
    pub(super) buffer: u32,
    /// None: the same as the duration.
    pub(super) step: Option<u32>,
    pub(super) needs: Vec<Need>,
    /// None: one place without an id. Else places 0 to n-1, each with hours of its own or without.
    pub(super) places: Option<Vec<Option<Hours>>>,
    pub(super) service_hours: Option<(HoursMode, Hours)>,
    pub(super) variable_length: bool,
    pub(super) available: (Option<i64>, Option<i64>),
    pub(super) online: bool,
    pub(super) policy: Policy,
    pub(super) from: i64,
    pub(super) to: i64,
    pub(super) requested: Vec<(usize, Vec<usize>)>,
    pub(super) asked_places: Option<Vec<usize>>,
    pub(super) per_day: Option<(u32, TimeZone)>,
    pub(super) ignore_policy: bool,
}

pub(super) fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap()
}

pub(super) fn minute(at: Timestamp) -> i64 {
    at.as_second().div_euclid(60)
}

pub(super) fn at(minute: i64) -> Timestamp {
    Timestamp::from_second(minute * 60).unwrap()
}

pub(super) fn resource(number: usize) -> ResourceId {
    ResourceId::from_uuid(Uuid::from_u128(0x1000 + number as u128))
}

pub(super) fn number(id: ResourceId) -> usize {
    usize::try_from(id.uuid().as_u128() - 0x1000).unwrap()
}

pub(super) fn place(number: usize) -> PlaceId {
    PlaceId::from_uuid(Uuid::from_u128(0x2000 + number as u128))
}

pub(super) fn place_number(id: PlaceId) -> usize {
    usize::try_from(id.uuid().as_u128() - 0x2000).unwrap()
}

pub(super) fn span(from: i64, to: i64) -> TimeSpan {
    TimeSpan::new(at(from), at(to)).unwrap()
}

pub(super) fn minutes(count: u32) -> NonZeroU32 {
    NonZeroU32::new(count).unwrap()
}

/// Every day from one hour to another.
pub(super) fn daily(from: u16, to: u16) -> Hours {
    days(0x7f, from, to)
}

/// On some weekdays from one hour to another.
pub(super) fn days(bits: u8, from: u16, to: u16) -> Hours {
    Hours {
        weekly: vec![(bits, (from * 60, to * 60, None), None, None)],
        special: Vec::new(),
    }
}

impl Hours {
    pub(super) fn opening(&self) -> OpeningHours {
        let times = |(start, end, at): &Times| DayTimes::new(*start, *end, at.map(place)).unwrap();
        let weekly = self.weekly.iter().map(|(bits, hours, from, until)| {
            let all = jiff::civil::Weekday::Monday.cycle_forward().take(7);
            let days: Vec<_> = all
                .enumerate()
                .filter(|(day, _)| bits >> day & 1 == 1)
                .map(|(_, day)| day)
                .collect();
            WeeklyRule {
                days: Weekdays::of(&days),
                times: times(hours),
                from: *from,
                until: *until,
            }
        });
        let special = self.special.iter().map(|(date, hours)| SpecialDay {
            date: *date,
            times: hours.iter().map(times).collect(),
        });
        OpeningHours::new(weekly.collect(), special.collect()).unwrap()
    }
}

impl Worker {
    pub(super) fn with(hours: Hours) -> Self {
        Self {
            ranking: 0,
            hours: Source::Own(hours),
            places: None,
            busy: Vec::new(),
        }
    }
}

impl World {
    /// One staff member open every day from 9 to 17 in UTC, an hour's visit, a grid of 30 minutes; the question is
    /// about `date`, at the midnight that begins it.
    pub(super) fn on(date: &str) -> Self {
        let date: Date = date.parse().unwrap();
        let midnight = minute(date.to_zoned(TimeZone::UTC).unwrap().timestamp());
        Self {
            zone: TimeZone::UTC,
            hours: None,
            closed: Vec::new(),
            shut: Vec::new(),
            workers: vec![Worker::with(daily(9, 17))],
            now: midnight,
            duration: 60,
            chosen: None,
            buffer: 0,
            step: Some(30),
            needs: vec![Need {
                staff: true,
                count: 1,
                allowed: vec![0],
            }],
            places: None,
            service_hours: None,
            variable_length: false,
            available: (None, None),
            online: true,
            policy: Policy::default(),
            from: midnight,
            to: midnight + 24 * 60,
            requested: Vec::new(),
            asked_places: None,
            per_day: None,
            ignore_policy: false,
        }
    }

    /// An hour and minute of the day that is asked about, in UTC.
    pub(super) fn time(&self, text: &str) -> i64 {
        let (hour, minute) = text.split_once(':').unwrap();
        self.from + hour.parse::<i64>().unwrap() * 60 + minute.parse::<i64>().unwrap()
    }

    /// Lets the engine see it.
    pub(super) fn show<T>(&self, see: impl FnOnce(&Business<'_>, &Service<'_>, &Query<'_>) -> T) -> T {
        let busy: Vec<Vec<Busy>> = self
            .workers
            .iter()
            .map(|worker| {
                let busy = worker.busy.iter().map(|(from, to)| Busy {
                    span: span(*from, *to),
                    obstacle: Obstacle::Block,
                });
                busy.collect()
            })
            .collect();
        let own: Vec<OpeningHours> = self
            .workers
            .iter()
            .map(|worker| match &worker.hours {
                Source::Own(hours) => hours.opening(),
                Source::Business | Source::Unset => OpeningHours::default(),
            })
            .collect();
        let bound: Vec<Option<Vec<PlaceId>>> = self
            .workers
            .iter()
            .map(|worker| {
                worker
                    .places
                    .as_ref()
                    .map(|places| places.iter().map(|one| place(*one)).collect())
            })
            .collect();
        let resources: Vec<Resource<'_>> = self
            .workers
            .iter()
            .enumerate()
            .map(|(index, worker)| Resource {
                id: resource(index),
                ranking: worker.ranking,
                hours: match worker.hours {
                    Source::Own(_) => HoursSource::Own(&own[index]),
                    Source::Business => HoursSource::Business,
                    Source::Unset => HoursSource::Unset,
                },
                places: bound[index].as_deref(),
                busy: &busy[index],
            })
            .collect();
        let hours = self.hours.as_ref().map(Hours::opening);
        let closed: Vec<TimeSpan> = self.closed.iter().map(|(from, to)| span(*from, *to)).collect();
        let business = Business {
            zone: &self.zone,
            hours: hours.as_ref(),
            closed: &closed,
            resources: &resources,
            now: at(self.now),
        };
        let ids = |numbers: &[usize]| numbers.iter().map(|one| resource(*one)).collect::<Vec<_>>();
        let allowed: Vec<_> = self.needs.iter().map(|need| ids(&need.allowed)).collect();
        let requirements: Vec<_> = self
            .needs
            .iter()
            .zip(&allowed)
            .map(|(need, allowed)| Requirement {
                staff: need.staff,
                count: need.count,
                allowed,
            })
            .collect();
        let place_hours: Vec<Option<OpeningHours>> = self
            .places
            .iter()
            .flatten()
            .map(|hours| hours.as_ref().map(Hours::opening))
            .collect();
        let shut = |place: usize| -> Vec<TimeSpan> {
            let here = self.shut.iter().filter(|(shut, _)| *shut == place);
            here.map(|(_, (from, to))| span(*from, *to)).collect()
        };
        let shut: Vec<Vec<TimeSpan>> = (0..place_hours.len()).map(shut).collect();
        let places: Vec<Place<'_>> = match &self.places {
            None => vec![Place {
                id: None,
                hours: None,
                closed: &[],
            }],
            Some(_) => place_hours
                .iter()
                .enumerate()
                .map(|(index, hours)| Place {
                    id: Some(place(index)),
                    hours: hours.as_ref(),
                    closed: &shut[index],
                })
                .collect(),
        };
        let service_hours = self
            .service_hours
            .as_ref()
            .map(|(mode, hours)| (*mode, hours.opening()));
        let service = Service {
            duration: minutes(self.duration),
            buffer: self.buffer,
            step: self
                .step
                .map_or(Step::SameAsDuration, |step| Step::Every(minutes(step))),
            requirements: &requirements,
            places: &places,
            hours: service_hours.as_ref().map(|(mode, hours)| (*mode, hours)),
            variable_length: self.variable_length,
            available_from: self.available.0.map(at),
            available_until: self.available.1.map(at),
            online: self.online,
            max_party: minutes(1),
            policy: self.policy,
        };
        let asked: Vec<_> = self.requested.iter().map(|(_, numbers)| ids(numbers)).collect();
        let requested: Vec<_> = self
            .requested
            .iter()
            .zip(&asked)
            .map(|((requirement, _), resources)| Requested {
                requirement: *requirement,
                resources,
            })
            .collect();
        let asked_places: Option<Vec<PlaceId>> = self
            .asked_places
            .as_ref()
            .map(|places| places.iter().map(|one| place(*one)).collect());
        let query = Query {
            requested: &requested,
            places: asked_places.as_deref(),
            duration: self.chosen.map(minutes),
            per_day: self.per_day.as_ref().map(|(most, zone)| PerDay {
                most: minutes(*most),
                zone,
            }),
            ignore_policy: self.ignore_policy,
            ..Query::between(at(self.from), at(self.to))
        };
        see(&business, &service, &query)
    }

    pub(super) fn list(&self) -> Slots {
        self.show(list)
    }

    /// The wall clock of each slot's start, in the zone of the business.
    pub(super) fn starts(&self) -> Vec<String> {
        let clock = |at: Timestamp| self.zone.to_datetime(at).strftime("%H:%M").to_string();
        self.list().iter().map(|slot| clock(slot.start())).collect()
    }
}

/// A plain Monday.
pub(super) fn monday() -> World {
    World::on("2026-05-04")
}

/// Keeps a worker busy, buffer included.
pub(super) fn busy(world: &mut World, worker: usize, from: &str, to: &str) {
    let span = (world.time(from), world.time(to));
    world.workers[worker].busy.push(span);
}

/// A plain event on a calendar.
pub(super) fn entry(obstacle: Obstacle, world: &World, from: &str, to: &str) -> Entry {
    Entry {
        obstacle,
        span: span(world.time(from), world.time(to)),
        buffer: 0,
        transparent: false,
        cancelled: false,
        one_of_many: false,
    }
}

/// The plainest order of choice.
pub(super) const BY_RANK: Choice<'static> = Choice::Ranking(crate::domain::availability::Rank::LowestFirst);
