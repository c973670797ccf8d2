//! Who could take an appointment: the choice among the resources that would do.

use std::collections::HashSet;

use jiff::{Timestamp, ToSpan as _, tz::TimeZone};

use super::{ledger::Ledger, place::site_zone};
use crate::{
    domain::{
        Rejection,
        availability::{self, Busy, Choice, Obstacle, Query, Refusal, Requested, Share, Start},
        booking::{BookedResource, Booking, Location},
        catalog::{Closing, Resource, ResourceType, Service, ServiceResource},
        conflict::{Ask, Clash, Holder, Target},
        hours::WorkingHours,
        ids::{BookingId, Kind, LocationId, ResourceId},
        rejection::SlotProblem,
        time::TimeSpan,
    },
    service::availability::{Facts, Needed, busy_times, positive, sort_staff},
    store::{Failure, Tx, catalog, claims},
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
    /// What forbids it: opening hours, the grid of starts, or that the business is closed.
    pub(super) closed: Option<SlotProblem>,
    /// Whether the business or the location is closed, and it doesn't hold the time already.
    pub(super) shut: bool,
}

impl Chosen {
    fn close(&mut self, shut: bool) {
        self.shut = shut;
        self.closed = self.closed.or(shut.then_some(SlotProblem::NotFree));
    }
}

/// What a refusal of the engine says of the time.
pub(super) fn problem(refusal: &Refusal) -> SlotProblem {
    match refusal {
        Refusal::OffGrid { .. } => SlotProblem::NotOffered,
        _ => SlotProblem::NotFree,
    }
}

/// The opening hours that bind a service.
struct Hours {
    facts: Facts,
    service: Service,
}

/// So many of some resources, which stand in the order of choice.
struct Need {
    count: usize,
    candidates: Vec<Resource>,
}

/// Who could do it, for each thing that the service needs.
#[derive(Default)]
pub(super) struct Candidates {
    needs: Vec<Need>,
    requested: Vec<ResourceId>,
    /// Who is asked for by name, by requirement.
    wishes: Vec<Wish>,
    needed: bool,
    /// Where none are on record, everybody is there around the clock, and only the grid of starts binds.
    hours: Option<Hours>,
    /// What closes the business or the location, as it was read.
    closings: Vec<Closing>,
    /// From when on that was asked.
    asked: Timestamp,
    /// The business's location at which it is to be.
    location: Option<LocationId>,
}

/// Who names resources.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Naming {
    /// A customer, who may choose where the service says so.
    Customer,
    /// The business, or the server for what is booked already.
    Business,
}

/// Who there is for some appointments, and the hours on record that bind them.
pub(super) struct Crew {
    pub(super) resources: Vec<Resource>,
    pub(super) hours: Vec<WorkingHours>,
}

impl Crew {
    /// Those who could serve the requirements, and those who serve already.
    pub(super) async fn load(
        tx: &mut Tx<'_>,
        requirements: &[ServiceResource],
        serving: &[ResourceId],
        places: &[LocationId],
    ) -> Result<Self, Failure> {
        let site = tx.site();
        let mut ids = catalog::candidate_ids(tx.conn(), site, requirements).await?;
        ids.extend(serving);
        let (resources, hours) = catalog::candidates(tx.conn(), site, &ids, places).await?;
        Ok(Self { resources, hours })
    }

    /// The same as facts, in a zone.
    pub(super) fn facts(&self, zone: TimeZone) -> Facts {
        Facts::new(zone, self.hours.clone(), self.resources.clone())
    }
}

/// Those that a booking asks for and that weren't deleted since: nobody can be had who isn't there any more.
pub(super) async fn still_there(tx: &mut Tx<'_>, wished: Vec<ResourceId>) -> Result<Vec<ResourceId>, Failure> {
    if wished.is_empty() {
        return Ok(wished);
    }
    let site = tx.site();
    let found = catalog::find_resources(tx.conn(), site, &wished).await?;
    let is_there = |id: &ResourceId| found.iter().any(|resource| resource.id == *id);
    Ok(wished.into_iter().filter(is_there).collect())
}

/// Who serves a booking by now.
pub(super) fn serving(current: Option<&Booking>) -> Vec<ResourceId> {
    let had = current.map_or(&[] as &[BookedResource], |booking| &booking.booked.resources);
    had.iter().map(|had| had.id).collect()
}

impl Candidates {
    /// Who could do it at a place; none: wherever they are.
    pub(super) async fn load(
        tx: &mut Tx<'_>,
        service: &Service,
        requested: &[ResourceId],
        at: Option<&Location>,
        current: Option<&Booking>,
        who: (Naming, BookingId),
    ) -> Result<Self, Failure> {
        let business: Vec<LocationId> = at.and_then(Location::business).into_iter().collect();
        let crew = Crew::load(tx, &service.requirements, &serving(current), &business).await?;
        let facts = crew.facts(TimeZone::UTC).serving(serving(current));
        let (site, asked) = (tx.site(), tx.now());
        let closings = catalog::closings(tx.conn(), site, asked).await?;
        let found = match Self::of(&facts, service, requested, current, who) {
            Err(Rejection::NotFound { path, .. }) => return Err(unfit(tx, &facts, requested, &path).await?.into()),
            found => found?,
        };
        let zone = site_zone(tx).await?.zone();
        let (facts, mut service) = (facts.in_zone(zone), service.clone());
        service.locations = at.into_iter().cloned().collect();
        Ok(Self {
            hours: Some(Hours { facts, service }),
            ..found.closed_by(closings, asked, at)
        })
    }

    /// Who could do it of those whom the facts name, whenever they are there.
    pub(super) fn of(
        facts: &Facts,
        service: &Service,
        requested: &[ResourceId],
        current: Option<&Booking>,
        (naming, holder): (Naming, BookingId),
    ) -> Result<Self, Rejection> {
        let needed = facts.requirements(service);
        let wishes = wishes(&needed, requested, current, naming)?;
        // Who has it now comes first, so that moving a booking doesn't change people without need.
        let had = |id: ResourceId| current.is_some_and(|b| b.booked.resources.iter().any(|had| had.id == id));
        let mut needs = Vec::new();
        for (requirement, needed) in needed.iter().enumerate() {
            let named = wishes.iter().find(|wish| wish.requirement == requirement);
            let named = named.map_or(&[] as &[ResourceId], |wish| wish.resources.as_slice());
            let all = needed.ids.iter().filter_map(|id| facts.resource(*id));
            let (asked, mut others): (Vec<&Resource>, Vec<&Resource>) = all.partition(|one| named.contains(&one.id));
            if needed.kind == ResourceType::Staff {
                sort_staff(&mut others, service.staff_sorting, Some(holder));
            }
            others.sort_by_key(|one| !had(one.id));
            let rest = needed.count.saturating_sub(asked.len());
            for (count, candidates) in [(asked.len(), asked), (rest, others)] {
                if count > 0 {
                    let candidates = candidates.into_iter().cloned().collect();
                    needs.push(Need { count, candidates });
                }
            }
        }
        Ok(Self {
            needs,
            requested: requested.to_vec(),
            wishes,
            needed: true,
            ..Self::default()
        })
    }

    /// The same, with what closes the business or the place, as it was read for the time from `asked` on.
    pub(super) fn closed_by(self, closings: Vec<Closing>, asked: Timestamp, at: Option<&Location>) -> Self {
        Self {
            closings,
            asked,
            location: at.and_then(Location::business),
            ..self
        }
    }

    /// All of them, each once, in the order of choice.
    fn all(&self) -> Vec<&Resource> {
        let mut all: Vec<&Resource> = Vec::new();
        for resource in self.needs.iter().flat_map(|need| &need.candidates) {
            if !all.iter().any(|one| one.id == resource.id) {
                all.push(resource);
            }
        }
        all
    }

    /// Makes sure, behind the locks, that all of them are there still, and serve where they did: whoever deletes one or
    /// changes that locks it, too. If not, or if the business was closed meanwhile, the choice has to be made anew.
    pub(super) async fn check_there(&self, tx: &mut Tx<'_>) -> Result<(), Failure> {
        if !tx.is_concurrent() {
            return Ok(());
        }
        let (site, all) = (tx.site(), self.all());
        let ids: Vec<ResourceId> = all.iter().map(|resource| resource.id).collect();
        let found = catalog::find_resources(tx.conn(), site, &ids).await?;
        let same = |seen: &&Resource| {
            found
                .iter()
                .any(|now| now.id == seen.id && now.locations == seen.locations)
        };
        if !all.iter().all(same) {
            return Err(Failure::Again);
        }
        // Whoever closes the business has locked all resources.
        if catalog::closings(tx.conn(), site, self.asked).await? != self.closings {
            return Err(Failure::Again);
        }
        Ok(())
    }

    /// Whether the business or the location is closed at a time that is to be taken.
    pub(super) fn shut(&self, busy: TimeSpan) -> bool {
        self.closed().any(|closing| closing.span.overlaps(&busy))
    }

    /// What closes the place.
    fn closed(&self) -> impl Iterator<Item = &Closing> {
        self.closings.iter().filter(|closing| closing.closes(self.location))
    }

    /// All of them, in the order of choice.
    pub(super) fn order(&self) -> Vec<ResourceId> {
        self.all().into_iter().map(|resource| resource.id).collect()
    }

    /// Who is asked for, for each requirement.
    pub(super) fn requested(&self) -> Vec<Requested<'_>> {
        self.wishes.iter().map(Wish::requested).collect()
    }

    fn shares(&self) -> Vec<Share> {
        let share = |need: &Need| Share {
            count: need.count,
            allowed: need.candidates.iter().map(|resource| resource.id).collect(),
        };
        self.needs.iter().map(share).collect()
    }

    pub(super) fn targets(&self) -> impl Iterator<Item = Target> {
        self.all().into_iter().map(|resource| Target::Resource(resource.id))
    }

    /// Takes the first that are free, as many of each as are needed; where too few are free, others, and says what is in
    /// their way. A `visit` has to keep within opening hours, and to the starts that are offered.
    pub(super) fn choose(
        &self,
        ledger: &Ledger,
        span: TimeSpan,
        holder: BookingId,
        visit: Option<&Visit>,
    ) -> Result<Chosen, Rejection> {
        let mut chosen = self.choose_open(ledger, span, holder, visit)?;
        chosen.close(visit.is_some() && self.shut(span));
        Ok(chosen)
    }

    fn choose_open(
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
                chosen.closed = Some(problem(&refusal));
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

    /// Takes those who are there at the time, or others if they aren't: for what is booked already, whose time is settled.
    pub(super) fn choose_there(
        &self,
        ledger: &Ledger,
        busy: TimeSpan,
        holder: BookingId,
        span: Option<TimeSpan>,
    ) -> Result<Chosen, Rejection> {
        let mut chosen = if let Some((hours, span)) = self.hours.as_ref().zip(span) {
            let off_grid = true;
            let serving = self.serving(hours, ledger, &Visit { span, off_grid }, holder);
            let mut chosen = self.choose_free(ledger, busy, holder, serving.as_deref().unwrap_or_default())?;
            chosen.closed = serving.as_ref().err().map(problem);
            chosen
        } else {
            self.choose_free(ledger, busy, holder, &[])?
        };
        self.close(&mut chosen, ledger, busy);
        Ok(chosen)
    }

    /// Says whether the place is closed. What it holds already was settled when it was taken: who closed it later let it
    /// stand.
    pub(super) fn close(&self, chosen: &mut Chosen, ledger: &Ledger, busy: TimeSpan) {
        chosen.close(self.shut(busy) && !chosen.asks.iter().all(|ask| ledger.holds(ask)));
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
        let order: Vec<ResourceId> = self.all().into_iter().map(|resource| resource.id).collect();
        // Whether it may be in the past, or is open to customers, is told by other refusals.
        let now = visit.span.start();
        hours.facts.ask(&hours.service, &busy, now, |business, service| {
            let requested: Vec<Requested<'_>> = self.wishes.iter().map(Wish::requested).collect();
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

    /// Takes those of `serving` first, then who comes first and is free.
    pub(super) fn choose_free(
        &self,
        ledger: &Ledger,
        span: TimeSpan,
        holder: BookingId,
        serving: &[ResourceId],
    ) -> Result<Chosen, Rejection> {
        let mut all = self.all();
        all.sort_by_key(|resource| !serving.contains(&resource.id));
        let order: Vec<ResourceId> = all.iter().map(|resource| resource.id).collect();
        let shares = self.shares();
        let mut clashes: Vec<(ResourceId, Clash)> = Vec::new();
        let picks = availability::share_out(&shares, &order, |id| match ledger.check(&ask(id, span, holder)) {
            None => true,
            Some(found) => {
                clashes.push((id, found));
                false
            }
        });
        let short = shares
            .iter()
            .zip(&picks)
            .any(|(share, picks)| picks.len() < share.count);
        if self.needed && (short || picks.is_empty()) {
            return Err(Rejection::NoResource);
        }
        let (mut chosen, mut asks, mut clash) = (Vec::new(), Vec::new(), None);
        for id in picks.into_iter().flatten() {
            let Some(resource) = all.iter().find(|resource| resource.id == id) else {
                continue;
            };
            let ask = ask(id, span, holder);
            if clash.is_none()
                && let Some(at) = clashes.iter().position(|(busy, _)| *busy == id)
            {
                clash = Some((ask, clashes.swap_remove(at).1));
            }
            chosen.push(BookedResource {
                id,
                name: resource.name.clone(),
                explicitly_requested: self.requested.contains(&id),
                buffer_minutes: None,
                transparent: false,
            });
            asks.push(ask);
        }
        Ok(Chosen {
            resources: chosen,
            asks,
            clash,
            closed: None,
            shut: false,
        })
    }

    /// The first start that is offered at or after the one asked for, for as long.
    pub(super) async fn next_offered(
        &self,
        tx: &mut Tx<'_>,
        wanted: &Ask,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, Failure> {
        let Some(hours) = &self.hours else { return Ok(None) };
        let site = tx.site();
        let (from, service) = (wanted.span.start().max(now), &hours.service);
        let length = (minutes(wanted.span) - service.buffer_minutes).max(1);
        let days = |days: i64| from.checked_add((days * 24).hours()).unwrap_or(from);
        // What starts on the last day may go on for as long as it takes.
        let over = wanted.span.end().duration_since(wanted.span.start());
        let until = days(LOOK_AHEAD_DAYS).checked_add(over).unwrap_or(from);
        let ids: Vec<ResourceId> = self.all().into_iter().map(|resource| resource.id).collect();
        let found = claims::on_resources(tx.conn(), site, &ids, from, until).await?;
        let mut busy = busy_times(&found, Some(wanted.holder), now);
        let closed = self.closed().map(|closing| Busy {
            span: closing.span,
            obstacle: Obstacle::Closure,
        });
        let closed: Vec<Busy> = closed.collect();
        for id in &ids {
            busy.entry(*id).or_default().extend(&closed);
        }
        let next = hours.facts.ask(service, &busy, now, |business, service| {
            let requested: Vec<Requested<'_>> = self.wishes.iter().map(Wish::requested).collect();
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
}

/// The refusal of a resource that serves nothing of the service: whether it isn't there, or what is wrong with it.
pub(super) async fn unfit(
    tx: &mut Tx<'_>,
    facts: &Facts,
    requested: &[ResourceId],
    path: &[String],
) -> Result<Rejection, Failure> {
    let site = tx.site();
    let place: Vec<&str> = path.iter().map(String::as_str).collect();
    let named = place.last().and_then(|index| index.parse().ok());
    let named: Option<ResourceId> = named.and_then(|index: usize| requested.get(index).copied());
    let Some(id) = named else {
        return Ok(Rejection::not_found(Kind::Resource, &place));
    };
    if facts.resource(id).is_some() {
        return Ok(Rejection::unfit(Kind::Resource, &place, "takes no new bookings"));
    }
    let found = catalog::find_resources(tx.conn(), site, &[id]).await?;
    Ok(match found.as_slice() {
        [] => Rejection::not_found(Kind::Resource, &place),
        _ => Rejection::unfit(Kind::Resource, &place, "is none of those that the service takes"),
    })
}

/// Which requirement each resource that is asked for shall serve. As many as a requirement counts can be named, and
/// customers name only where they may choose. What the booking has already is let go rather than refused.
fn wishes(
    needed: &[Needed],
    requested: &[ResourceId],
    current: Option<&Booking>,
    naming: Naming,
) -> Result<Vec<Wish>, Rejection> {
    let has = |id: ResourceId| current.is_some_and(|b| b.booked.resources.iter().any(|had| had.id == id));
    for (index, id) in requested.iter().enumerate() {
        let path = ["resourceIds", &index.to_string()];
        let mut serving = needed.iter().filter(|one| one.ids.contains(id)).peekable();
        if serving.peek().is_none() {
            return Err(Rejection::not_found(Kind::Resource, &path));
        }
        if naming == Naming::Customer && !has(*id) && !serving.any(|one| one.selectable) {
            return Err(Rejection::invalid(&path, "is chosen by the business"));
        }
    }
    let shares: Vec<Share> = needed
        .iter()
        .map(|one| Share {
            count: one.count,
            allowed: one.ids.clone(),
        })
        .collect();
    // Those who are named come first, and stay in whatever the others do.
    let mut order = requested.to_vec();
    order.extend(needed.iter().flat_map(|one| one.ids.iter().copied()));
    let mut seen = HashSet::new();
    order.retain(|id| seen.insert(*id));
    let picks = availability::share_out(&shares, &order, |_| true);
    for (index, id) in requested.iter().enumerate() {
        if !has(*id) && !picks.iter().flatten().any(|pick| pick == id) {
            let path = ["resourceIds", &index.to_string()];
            return Err(Rejection::invalid(
                &path,
                "is one more of its kind than the service takes",
            ));
        }
    }
    let wish = |(requirement, picks): (usize, Vec<ResourceId>)| Wish {
        requirement,
        resources: picks.into_iter().filter(|id| requested.contains(id)).collect(),
    };
    Ok(picks.into_iter().enumerate().map(wish).collect())
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
