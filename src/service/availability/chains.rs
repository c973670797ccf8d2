//! Times at which several appointments fit one after the other (`spec/catalog-availability.md` §5).

use std::sync::Arc;

use jiff::{Timestamp, ToSpan as _};

use super::{
    MAX_RESOURCES, MAX_ROWS, check_number_of_places,
    facts::{BusyTimes, Facts, busy_times, positive},
    list::{requested, slice_end, wishes},
    number,
    order::order,
    read::{Catalogue, Found, Wanted},
    window,
    work::{Stop, apart},
};
use crate::{
    domain::{
        Rejection,
        availability::{
            self, Assignment, Business, ChainQuery, ChainRefusal, ChainSlot, Choice, NonBookable, Part,
            Service as Asked, Violations,
        },
        booking::{Location, PACKAGE_SIZE as SIZE},
        catalog::{MAX_DURATION_MINUTES, Resource, Service as Offered, ServiceKind},
        hours::PlaceId,
        ids::{LocationId, ResourceId, ServiceId, TypedId as _},
        options::{Choice as OptionChoice, asked_minutes},
        permission::Permission,
        rejection::{Field, Invalid},
        time::{TimeSpan, ZoneName},
    },
    service::{Caller, Error, Service, access},
};

/// One service of the visit.
#[derive(Debug, Clone)]
pub struct ChainPart {
    /// Which service.
    pub service: ServiceId,
    /// How long it is to be, in minutes; the usual length if not said.
    pub duration: Option<i32>,
    /// What was chosen of the options of the service.
    pub choices: Vec<OptionChoice>,
    /// Only with these staff members and rooms; of several of one type any one will do. None: all.
    pub resources: Vec<ResourceId>,
}

/// What is asked about a visit of several services.
#[derive(Debug, Clone)]
pub struct ChainsQuery {
    /// The services, in their order.
    pub parts: Vec<ChainPart>,
    /// The first start that is of interest; now if not said.
    pub from: Option<Timestamp>,
    /// When the last part has to be over.
    pub to: Timestamp,
    /// The zone in which times are told; the site's if not said.
    pub time_zone: Option<ZoneName>,
    /// Only at these locations; at any that all the services share if not said.
    pub locations: Option<Vec<LocationId>>,
    /// How many come; one if not said.
    pub total_participants: Option<i32>,
    /// Only those that the caller can book, or only the others.
    pub bookable: Option<bool>,
    /// So many rows, at the most.
    pub limit: i32,
    /// Whether somebody asks who would serve the parts.
    pub with_resources: bool,
}

/// The answer.
#[derive(Debug, Clone)]
pub struct Chains {
    /// The times, by start.
    pub offers: Vec<ChainOffer>,
    /// The first start that found no place in the answer, if there is one.
    pub next_from: Option<Timestamp>,
    /// The zone whose wall clock the local times show.
    pub zone: ZoneName,
}

/// A time at which the whole visit fits.
#[derive(Debug, Clone)]
pub struct ChainOffer {
    /// From the start of the first part to the end of the last one.
    pub span: TimeSpan,
    /// Where, if that was said.
    pub location: Option<Location>,
    /// The rules for customers that any part breaks.
    pub violations: Violations,
    /// Why this caller can't book it.
    pub reasons: NonBookable,
    /// The parts, in their order.
    pub parts: Vec<PartOffer>,
}

/// A part of the visit.
#[derive(Debug, Clone)]
pub struct PartOffer {
    /// The service.
    pub service: Arc<Offered>,
    /// From when to when.
    pub span: TimeSpan,
    /// Who would serve it, if that was asked.
    pub resources: Vec<Resource>,
}

impl ChainOffer {
    /// Whether this caller could book it now, as a whole.
    #[must_use]
    pub fn bookable(&self) -> bool {
        !self.reasons.any()
    }
}

/// Asks the engine about several services at once, in their order, each with those who serve its booking by now.
pub(in crate::service) fn ask_chain<R>(
    facts: &Facts,
    services: &[(&Offered, &[ResourceId])],
    busy: &BusyTimes,
    now: Timestamp,
    question: &mut dyn FnMut(&Business<'_>, &[Asked<'_>]) -> R,
) -> Result<R, ChainRefusal> {
    ask_rest(facts, services, busy, now, &[], question).ok_or(ChainRefusal::NoParts)
}

/// What the engine is told of a service is borrowed, so each is asked within the question about the one before.
fn ask_rest<R>(
    facts: &Facts,
    rest: &[(&Offered, &[ResourceId])],
    busy: &BusyTimes,
    now: Timestamp,
    before: &[Asked<'_>],
    question: &mut dyn FnMut(&Business<'_>, &[Asked<'_>]) -> R,
) -> Option<R> {
    let (first, rest) = rest.split_first()?;
    facts.ask_of(*first, busy, now, |business, asked| {
        let all: Vec<Asked<'_>> = before.iter().copied().chain([*asked]).collect();
        if rest.is_empty() {
            Some(question(business, &all))
        } else {
            ask_rest(facts, rest, busy, now, &all, question)
        }
    })
}

impl ChainsQuery {
    /// Refuses a question that makes no sense or is too large; the first start that is of interest.
    fn check(&self, now: Timestamp) -> Result<Timestamp, Rejection> {
        let (from, _) = window(self.from, self.to, now)?;
        if !SIZE.contains(&self.parts.len()) {
            let message = format!(
                "must have {} to {} entries (INVALID_SERVICES_SIZE)",
                SIZE.start(),
                SIZE.end()
            );
            return Err(Invalid::new(Field::ServicesSize, message).at("services").into());
        }
        for (index, part) in self.parts.iter().enumerate() {
            let index = index.to_string();
            if part.resources.len() > MAX_RESOURCES {
                let message = format!("must have at most {MAX_RESOURCES} entries");
                return Err(Rejection::invalid(&["services", &index, "resourceIds"], message));
            }
            number("durationInMinutes", part.duration, MAX_DURATION_MINUTES)
                .map_err(|rejection| rejection.within(&["services", &index]))?;
        }
        check_number_of_places(self.locations.as_deref())?;
        number("totalParticipants", self.total_participants, i32::MAX)?;
        number("limit", Some(self.limit), MAX_ROWS)?;
        Ok(from)
    }

    fn wanted(&self, caller: &Caller, from: Timestamp, now: Timestamp) -> Wanted {
        let mut services: Vec<ServiceId> = Vec::new();
        let mut resources: Vec<ResourceId> = Vec::new();
        for part in &self.parts {
            if !services.contains(&part.service) {
                services.push(part.service);
            }
            resources.extend(
                part.resources
                    .iter()
                    .filter(|id| !resources.contains(id))
                    .collect::<Vec<_>>(),
            );
        }
        Wanted {
            site: caller.site,
            services,
            resources,
            locations: self.locations.clone().unwrap_or_default(),
            from,
            to: self.to,
            now,
            choices: self.parts.iter().any(|part| !part.choices.is_empty()),
        }
    }

    /// The services in their order, if there are all and they are appointments of these lengths. A place that is known
    /// by its words alone has the same id in all of them.
    fn services(&self, found: &Found) -> Result<Vec<Arc<Offered>>, Rejection> {
        let mut services = Vec::with_capacity(self.parts.len());
        for (index, part) in self.parts.iter().enumerate() {
            let index = index.to_string();
            let refuse = |field: &str, message: String| Err(Rejection::invalid(&["services", &index, field], message));
            let Some(service) = found
                .catalogue
                .services
                .iter()
                .find(|service| service.id == part.service)
            else {
                return refuse("serviceId", "is no service of this business".to_owned());
            };
            if service.kind != ServiceKind::Appointment {
                return refuse("serviceId", "must be an appointment service".to_owned());
            }
            for (position, id) in part.resources.iter().enumerate() {
                if !found.resources.iter().any(|resource| resource.id == *id) {
                    let path = ["services", &index, "resourceIds", &position.to_string()];
                    return Err(Rejection::invalid(&path, "is no staff member or room of this business"));
                }
            }
            if let Some(minutes) = part.duration
                && !service.durations.contains(&minutes)
            {
                let lengths: Vec<String> = service.durations.iter().map(ToString::to_string).collect();
                let message = format!("must be one of the service's lengths: {} minutes", lengths.join(", "));
                return refuse("durationInMinutes", message);
            }
            services.push(service.clone());
        }
        Ok(at_common_places(services))
    }

    /// How long each part is to be by what was chosen or said, in minutes; none: the usual length.
    fn lengths(&self, found: &Found) -> Result<Vec<Option<i32>>, Rejection> {
        let length = |(index, part): (usize, &ChainPart)| {
            let chosen = asked_minutes(&[found.options_of(part.service)], &part.choices, part.duration);
            let chosen = chosen.map_err(|rejection| rejection.within(&["services", &index.to_string()]))?;
            Ok(chosen.into_iter().flatten().next().or(part.duration))
        };
        self.parts.iter().enumerate().map(length).collect()
    }
}

/// The same services, with the id of the first where another is given at the same place.
fn at_common_places(services: Vec<Arc<Offered>>) -> Vec<Arc<Offered>> {
    let Some(first) = services.first().cloned() else {
        return services;
    };
    let known = |location: &Location| first.locations.iter().find(|one| one.is_place_of(location));
    let other = |location: &Location| known(location).is_some_and(|one| one.id != location.id);
    let same = |service: Arc<Offered>| {
        if !service.locations.iter().any(other) {
            return service;
        }
        let mut service = (*service).clone();
        for location in &mut service.locations {
            location.id = known(location).map_or(location.id, |one| one.id);
        }
        Arc::new(service)
    };
    services.into_iter().map(same).collect()
}

/// A question that makes sense.
struct Question {
    query: ChainsQuery,
    from: Timestamp,
    now: Timestamp,
    ignore_policy: bool,
}

/// What is known about the services of a visit.
struct Known {
    facts: Arc<Facts>,
    busy: BusyTimes,
    services: Vec<Arc<Offered>>,
    /// How long each part lasts, in minutes.
    minutes: Vec<i32>,
    wishes: Vec<Vec<(usize, Vec<ResourceId>)>>,
    /// In which order each part takes those who are free.
    orders: Vec<Vec<ResourceId>>,
    /// The places of the first service, as they are called now.
    locations: Vec<Location>,
}

impl Known {
    fn length(&self) -> i64 {
        self.minutes.iter().copied().map(i64::from).sum()
    }

    fn ask<R>(
        &self,
        now: Timestamp,
        question: &mut dyn FnMut(&Business<'_>, &[Part<'_>]) -> R,
    ) -> Result<R, ChainRefusal> {
        let services: Vec<(&Offered, &[ResourceId])> = self.services.iter().map(|one| (&**one, &[][..])).collect();
        let wishes: Vec<_> = self.wishes.iter().map(|wishes| requested(wishes)).collect();
        ask_chain(&self.facts, &services, &self.busy, now, &mut |business, asked| {
            let parts: Vec<Part<'_>> = asked
                .iter()
                .zip(&wishes)
                .zip(self.minutes.iter().zip(&self.orders))
                .map(|((service, requested), (minutes, order))| Part {
                    service,
                    duration: Some(positive(*minutes)),
                    requested,
                    choice: Choice::Given(order),
                })
                .collect();
            question(business, &parts)
        })
    }
}

impl Question {
    fn answer(&self, found: &Found, stop: &Stop) -> Result<Chains, Rejection> {
        let services = self.query.services(found)?;
        let lengths = self.query.lengths(found)?;
        let Catalogue {
            zone, facts, locations, ..
        } = &*found.catalogue;
        found.check_places(self.query.locations.as_deref())?;
        let zone = self.query.time_zone.as_ref().unwrap_or(zone).clone();
        let named = |part: &ChainPart| {
            let named = found
                .resources
                .iter()
                .filter(|resource| part.resources.contains(&resource.id));
            named.cloned().collect::<Vec<Resource>>()
        };
        let parts = || services.iter().zip(&self.query.parts);
        let first = services.iter().take(1).flat_map(|service| &service.locations);
        let wishes: Vec<_> = parts()
            .map(|(service, part)| wishes(facts, service, &named(part)))
            .collect();
        let known = Known {
            facts: facts.clone(),
            busy: busy_times(found.claims(), None, self.now),
            orders: services
                .iter()
                .zip(&wishes)
                .map(|(service, wishes)| order(facts, service, wishes))
                .collect(),
            wishes,
            minutes: services
                .iter()
                .zip(lengths)
                .map(|(service, length)| {
                    let usual = service.durations.first().copied().unwrap_or(60);
                    length.unwrap_or(usual)
                })
                .collect(),
            locations: first.map(|location| location.told_by(locations)).collect(),
            services,
        };
        let (slots, next_from) = self.slots(&known, &zone, stop);
        Ok(Chains {
            offers: slots
                .iter()
                .filter_map(|(slot, assigned)| offer(&known, slot, assigned))
                .collect(),
            next_from,
            zone,
        })
    }

    fn query<'q>(&self, from: Timestamp, to: Timestamp, places: Option<&'q [PlaceId]>) -> ChainQuery<'q> {
        ChainQuery {
            from,
            to,
            places,
            party: positive(self.query.total_participants.unwrap_or(1)),
            per_day: None,
            ignore_policy: self.ignore_policy,
        }
    }

    /// The first times, as many as the answer holds, each with those who would serve the parts if that was asked, and the
    /// start of the next one.
    fn slots(&self, known: &Known, zone: &ZoneName, stop: &Stop) -> (Vec<Row>, Option<Timestamp>) {
        let clock = zone.zone();
        let places = self.query.locations.as_ref();
        let places: Option<Vec<PlaceId>> =
            places.map(|ids| ids.iter().map(|id| PlaceId::from_uuid(id.uuid())).collect());
        let (mut rows, mut next): (Vec<Row>, Option<Timestamp>) = (Vec::new(), None);
        let mut from = self.from.max(self.now);
        while from < self.query.to && next.is_none() && !stop.asked() {
            let until = slice_end(from, &clock);
            // A visit of this slice may end in the next one, but not start there.
            let end = until.checked_add(known.length().minutes()).unwrap_or(Timestamp::MAX);
            let to = end.checked_sub(1.microsecond()).unwrap_or(end).min(self.query.to);
            let query = self.query(from, to, places.as_deref());
            let found = known.ask(self.now, &mut |business, parts| {
                if self.query.with_resources {
                    let cut = |found: Vec<ChainSlot>| self.cut(&rows, found, &mut next);
                    availability::list_served_chains(business, parts, &query, cut)
                } else {
                    let found = availability::list_chains(business, parts, &query);
                    let found = self.cut(&rows, found, &mut next).into_iter();
                    found.map(|slot| (slot, Vec::new())).collect()
                }
            });
            rows.extend(found.unwrap_or_default());
            from = until;
        }
        (rows, next)
    }

    /// Those of the found times that follow the rows in the answer; what starts at one time stays together. The start of
    /// the first that finds no place is the next one.
    fn cut(&self, rows: &[Row], mut found: Vec<ChainSlot>, next: &mut Option<Timestamp>) -> Vec<ChainSlot> {
        found.retain(|slot| self.query.bookable.is_none_or(|wanted| wanted == slot.bookable()));
        let limit = usize::try_from(self.query.limit).unwrap_or(1);
        // The start at which the answer is full: that of a row, or of one that was found now.
        let full = limit.checked_sub(1).and_then(|last| {
            let before = rows.get(last).map(|(slot, _)| slot.start);
            before.or_else(|| found.get(last.checked_sub(rows.len())?).map(|slot| slot.start))
        });
        let kept = full.map_or(found.len(), |full| found.partition_point(|slot| slot.start <= full));
        *next = found.get(kept).map(|slot| slot.start);
        found.truncate(kept);
        found
    }
}

/// A time at which a visit fits, with those who would serve the parts if that was asked.
type Row = (ChainSlot, Vec<Assignment>);

fn offer(known: &Known, slot: &ChainSlot, assigned: &[Assignment]) -> Option<ChainOffer> {
    let mut start = slot.start;
    let mut parts = Vec::with_capacity(known.services.len());
    for (index, (service, minutes)) in known.services.iter().zip(&known.minutes).enumerate() {
        let end = start.checked_add(i64::from(*minutes).minutes()).ok()?;
        let picks = assigned.get(index).into_iter().flat_map(|one| &one.picks);
        parts.push(PartOffer {
            service: service.clone(),
            span: TimeSpan::new(start, end)?,
            resources: picks
                .filter_map(|pick| known.facts.resource(pick.resource).cloned())
                .collect(),
        });
        start = end;
    }
    Some(ChainOffer {
        span: TimeSpan::new(slot.start, slot.end)?,
        location: known.locations.iter().find(|one| one.place() == slot.place).cloned(),
        violations: slot.violations,
        reasons: slot.reasons,
        parts,
    })
}

impl Service {
    /// When several services can be booked one after the other within a window of time.
    pub async fn multi_service_availability(&self, caller: &Caller, query: ChainsQuery) -> Result<Chains, Error> {
        access::require(Permission::ReadCatalog, caller)?;
        let now = self.clock().now();
        let from = query.check(now)?;
        let wanted = query.wanted(caller, from, now);
        let question = Question {
            query,
            from,
            now,
            ignore_policy: !caller.actor.is_customer(),
        };
        let found = self.found(wanted).await?;
        Ok(apart(move |stop| question.answer(&found, stop)).await?)
    }
}
