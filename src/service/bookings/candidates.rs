//! Who could take an appointment: the choice among the service's staff and rooms.

use jiff::{Timestamp, ToSpan as _};

use super::ledger::Ledger;
use crate::{
    domain::{
        Rejection,
        availability::{self, Choice, Query, Refusal, Requested, Start},
        booking::{BookedResource, Booking},
        catalog::{Resource, ResourceType, Service},
        conflict::{self, Ask, Clash, Holder, Target},
        ids::{BookingId, Kind, ResourceId},
        time::{TimeSpan, ZoneName},
    },
    service::availability::{Facts, busy_times, positive},
    store::{Failure, Tx, catalog, claims, sites},
};

/// How far ahead the next free time is looked for.
const LOOK_AHEAD_DAYS: i64 = 31;

/// A visit that has to keep within opening hours.
#[derive(Debug, Clone, Copy)]
pub(super) struct Visit {
    /// From when to when, without the buffer.
    pub(super) span: TimeSpan,
    /// Whether its start may lie beside those that are offered: the business's own word.
    pub(super) off_grid: bool,
}

/// Who would do it.
pub(super) struct Chosen {
    pub(super) resources: Vec<BookedResource>,
    pub(super) asks: Vec<Ask>,
    /// The first that isn't free, and what is in its way.
    pub(super) clash: Option<(Ask, Clash)>,
    /// Whether opening hours forbid it, or the grid of starts.
    pub(super) closed: bool,
}

/// The opening hours that bind a service.
struct Hours {
    facts: Facts,
    service: Service,
}

/// Who could do it: for each type of resource that the service needs, those to choose from, in the order of choice.
#[derive(Default)]
pub(super) struct Candidates {
    by_type: Vec<Vec<Resource>>,
    requested: Vec<ResourceId>,
    needed: bool,
    /// None are on record: everybody is there around the clock, and any start will do.
    hours: Option<Hours>,
}

impl Candidates {
    pub(super) async fn load(
        tx: &mut Tx<'_>,
        service: &Service,
        requested: &[ResourceId],
        current: Option<&Booking>,
    ) -> Result<Self, Failure> {
        let site = tx.site();
        let (ids, owners) = (service.resources.clone(), service.resources.clone());
        let (found, on_record) = tx
            .conn()
            .both(
                move |conn| Box::pin(async move { catalog::find_resources(conn, site, &ids).await }),
                move |conn| Box::pin(async move { catalog::hours_of(conn, site, &owners).await }),
            )
            .await?;
        let mut by_type: Vec<Vec<Resource>> = Vec::new();
        for kind in [ResourceType::Staff, ResourceType::Room] {
            let mut of_type: Vec<Resource> = service
                .resources
                .iter()
                .filter_map(|id| found.iter().find(|resource| resource.id == *id))
                .filter(|resource| resource.resource_type == kind)
                .cloned()
                .collect();
            let wished: Vec<&Resource> = of_type.iter().filter(|r| requested.contains(&r.id)).collect();
            match wished.as_slice() {
                [] => {
                    // Who has it now comes first, so that moving a booking doesn't change people without need.
                    let had = |r: &Resource| current.is_some_and(|b| b.booked.resources.iter().any(|h| h.id == r.id));
                    of_type.sort_by_key(|resource| !had(resource));
                }
                [one] => of_type = vec![(*one).clone()],
                _ => return Err(Rejection::invalid(&["resourceIds"], "names two resources of one type").into()),
            }
            if !of_type.is_empty() {
                by_type.push(of_type);
            }
        }
        if let Some(unknown) = requested
            .iter()
            .position(|id| !by_type.iter().flatten().any(|r| r.id == *id))
        {
            let index = unknown.to_string();
            return Err(Rejection::not_found(Kind::Resource, &["resourceIds", &index]).into());
        }
        let facts = Facts::new(jiff::tz::TimeZone::UTC, on_record, found);
        let hours = if facts.has_hours() {
            let zone = sites::find(tx.conn(), site).await?;
            let zone = zone.map_or_else(ZoneName::utc, |site| site.time_zone).zone();
            let (facts, service) = (facts.in_zone(zone), service.clone());
            Some(Hours { facts, service })
        } else {
            None
        };
        Ok(Self {
            by_type,
            requested: requested.to_vec(),
            needed: true,
            hours,
        })
    }

    pub(super) fn targets(&self) -> impl Iterator<Item = Target> {
        self.by_type
            .iter()
            .flatten()
            .map(|resource| Target::Resource(resource.id))
    }

    /// Takes the first free one of each type; where none is free, the first, and says what is in its way. A `visit` has
    /// to keep within opening hours, if any are on record.
    pub(super) fn choose(
        &self,
        ledger: &Ledger,
        span: TimeSpan,
        holder: BookingId,
        visit: Option<&Visit>,
    ) -> Result<Chosen, Rejection> {
        let Some((hours, visit)) = self.hours.as_ref().zip(visit) else {
            return self.choose_free(ledger, span, holder, &[]);
        };
        match self.serving(hours, ledger, visit, holder) {
            Ok(serving) => self.choose_free(ledger, span, holder, &serving),
            Err(refusal) => {
                let mut chosen = self.choose_free(ledger, span, holder, &[])?;
                chosen.closed = true;
                if let (None, Refusal::NotFree(findings)) = (&chosen.clash, refusal) {
                    // Somebody may be free who isn't there at that time; what is told is who is there and busy.
                    let busy = findings.iter().filter(|finding| finding.obstacle.is_some());
                    chosen.clash = busy.filter_map(|finding| finding.resource).find_map(|id| {
                        let ask = ask(id, span, holder);
                        ledger.check(&ask).map(|clash| (ask, clash))
                    });
                }
                Ok(chosen)
            }
        }
    }

    /// Who serves a visit by the rules by which free times are offered, in the order of choice.
    fn serving(
        &self,
        hours: &Hours,
        ledger: &Ledger,
        visit: &Visit,
        holder: BookingId,
    ) -> Result<Vec<ResourceId>, Refusal> {
        let busy = busy_times(ledger.claims(), Some(Holder::Booking(holder)), ledger.now());
        let order: Vec<ResourceId> = self.by_type.iter().flatten().map(|resource| resource.id).collect();
        // Whether it may be in the past, or is open to customers, is told by other refusals.
        let now = visit.span.start();
        hours.facts.ask(&hours.service, &busy, now, |business, service| {
            let wished = self.wished(hours);
            let requested: Vec<Requested<'_>> = wished.iter().map(Wish::requested).collect();
            let query = Query {
                requested: &requested,
                duration: Some(positive(minutes(visit.span))),
                ignore_policy: true,
                ..Query::between(visit.span.start(), visit.span.end())
            };
            let start = Start {
                at: visit.span.start(),
                off_grid: visit.off_grid,
            };
            let found = availability::check(business, service, &query, start, &Choice::Given(&order))?;
            Ok(found.picks.iter().map(|pick| pick.resource).collect())
        })
    }

    /// Who is asked for by name, by requirement.
    fn wished(&self, hours: &Hours) -> Vec<Wish> {
        let needed = hours.facts.requirements(&hours.service);
        let wish = |(requirement, (_, ids)): (usize, (ResourceType, Vec<ResourceId>))| {
            let resources = ids.into_iter().filter(|id| self.requested.contains(id)).collect();
            Wish { requirement, resources }
        };
        needed.into_iter().enumerate().map(wish).collect()
    }

    /// Takes of each type one of `serving`, or else the first that is free.
    fn choose_free(
        &self,
        ledger: &Ledger,
        span: TimeSpan,
        holder: BookingId,
        serving: &[ResourceId],
    ) -> Result<Chosen, Rejection> {
        let (mut chosen, mut asks, mut clash) = (Vec::new(), Vec::new(), None);
        for of_type in &self.by_type {
            let mut first = None;
            let mut free = None;
            let serves = |resource: &&Resource| serving.contains(&resource.id);
            let rest = of_type.iter().filter(|resource| !serves(resource));
            for resource in of_type.iter().filter(serves).chain(rest) {
                let ask = ask(resource.id, span, holder);
                match ledger.check(&ask) {
                    None => {
                        free = Some((resource, ask));
                        break;
                    }
                    Some(found) if first.is_none() => first = Some((resource, ask, found)),
                    Some(_) => {}
                }
            }
            let (resource, ask) = match (free, first) {
                (Some(free), _) => free,
                (None, Some((resource, ask, found))) => {
                    clash = clash.or(Some((ask, found)));
                    (resource, ask)
                }
                (None, None) => continue,
            };
            chosen.push(BookedResource {
                id: resource.id,
                name: resource.name.clone(),
                explicitly_requested: self.requested.contains(&resource.id),
            });
            asks.push(ask);
        }
        if self.needed && asks.is_empty() {
            return Err(Rejection::NoResource);
        }
        Ok(Chosen {
            resources: chosen,
            asks,
            clash,
            closed: false,
        })
    }

    /// The first start that is offered at or after the one asked for, for as long.
    async fn next_offered(
        &self,
        tx: &mut Tx<'_>,
        hours: &Hours,
        wanted: &Ask,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, Failure> {
        let site = tx.site();
        let (from, service) = (wanted.span.start().max(now), &hours.service);
        let length = (minutes(wanted.span) - service.buffer_minutes).max(1);
        let days = |days: i64| from.checked_add((days * 24).hours()).unwrap_or(from);
        // What starts on the last day may go on for as long as it takes.
        let over = wanted.span.end().duration_since(wanted.span.start());
        let until = days(LOOK_AHEAD_DAYS).checked_add(over).unwrap_or(from);
        let ids: Vec<ResourceId> = self.by_type.iter().flatten().map(|resource| resource.id).collect();
        let found = claims::on_resources(tx.conn(), site, &ids, from, until).await?;
        let busy = busy_times(&found, Some(wanted.holder), now);
        let next = hours.facts.ask(service, &busy, now, |business, service| {
            let wished = self.wished(hours);
            let requested: Vec<Requested<'_>> = wished.iter().map(Wish::requested).collect();
            let mut windows = [(from, days(2)), (days(2), days(LOOK_AHEAD_DAYS))].into_iter();
            windows.find_map(|(from, to)| {
                let query = Query {
                    requested: &requested,
                    duration: Some(positive(length)),
                    ignore_policy: true,
                    ..Query::between(from, to)
                };
                let slots = availability::list(business, service, &query);
                slots.get(0).map(|slot| slot.start())
            })
        });
        Ok(next)
    }

    /// The first start at or after the one asked for at which somebody of each type is free for as long.
    pub(super) async fn next_free(
        &self,
        tx: &mut Tx<'_>,
        ask: &Ask,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, Failure> {
        if let Some(hours) = &self.hours {
            return self.next_offered(tx, hours, ask, now).await;
        }
        let site = tx.site();
        let Ok(until) = ask.span.start().checked_add((LOOK_AHEAD_DAYS * 24).hours()) else {
            return Ok(None);
        };
        let mut types = Vec::new();
        for of_type in &self.by_type {
            let mut each = Vec::new();
            for resource in of_type {
                let target = Target::Resource(resource.id);
                each.push((
                    target,
                    claims::on_target(tx.conn(), site, target, ask.span.start(), until).await?,
                ));
            }
            types.push(each);
        }
        let length = ask.span.end().duration_since(ask.span.start());
        let mut start = ask.span.start();
        // Each round moves on to where the busiest type is free; when none moves any further, all are free there.
        for _ in 0..1000 {
            let Some(span) = start.checked_add(length).ok().and_then(|end| TimeSpan::new(start, end)) else {
                return Ok(None);
            };
            let mut furthest = start;
            for each in &types {
                let earliest = each
                    .iter()
                    .filter_map(|(target, found)| {
                        conflict::next_free(
                            &Ask {
                                target: *target,
                                span,
                                ..*ask
                            },
                            found,
                            now,
                            until,
                        )
                    })
                    .min();
                match earliest {
                    Some(at) => furthest = furthest.max(at),
                    None => return Ok(None),
                }
            }
            if furthest == start {
                return Ok(Some(start));
            }
            start = furthest;
        }
        Ok(None)
    }
}

/// Who is asked for, for one requirement.
struct Wish {
    requirement: usize,
    resources: Vec<ResourceId>,
}

impl Wish {
    fn requested(&self) -> Requested<'_> {
        Requested {
            requirement: self.requirement,
            resources: &self.resources,
        }
    }
}

fn ask(resource: ResourceId, span: TimeSpan, holder: BookingId) -> Ask {
    Ask {
        target: Target::Resource(resource),
        span,
        seats: 1,
        holder: Holder::Booking(holder),
        before: None,
    }
}

fn minutes(span: TimeSpan) -> i32 {
    i32::try_from(span.minutes()).unwrap_or(i32::MAX)
}
