//! What a question needs of the store, read on one connection or remembered: nothing of it looks at what is over.

use std::{collections::HashMap, sync::Arc};

use jiff::{Timestamp, ToSpan as _};

use super::{
    facts::{Facts, WEIGHT_OF_A_RECORD},
    memory::{self, Day, Days, Memory, Recall, claims_of, midnight},
};
use crate::{
    domain::{
        Rejection,
        availability::Policy,
        booking_policy::BookingPolicy,
        catalog::{
            BusinessLocation, MAX_SESSION_HOURS, Resource, Schedule, Service as Offered, ServiceKind, ServiceResource,
            Session, Site,
        },
        conflict::{Claim, Target},
        ids::{BookingPolicyId, LocationId, ResourceId, ServiceId, SiteId},
        options::OptionsAndVariants,
        time::{TimeSpan, ZoneName},
    },
    store::{Conn, StoreError, catalog, claims, sites},
};

/// What is to be read.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub(super) site: SiteId,
    pub(super) services: Vec<ServiceId>,
    pub(super) resources: Vec<ResourceId>,
    pub(super) locations: Vec<LocationId>,
    /// The first start that is of interest, as it was asked.
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
    pub(super) now: Timestamp,
    /// Whether anything was chosen of the services' options.
    pub(super) choices: bool,
}

/// A course's run with its sessions that take place.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) schedule: Schedule,
    pub(super) sessions: Vec<Session>,
}

/// What the catalogue says about the services of a question.
#[derive(Debug, PartialEq)]
pub(super) struct Catalogue {
    /// The services in the order that was asked for; those that there aren't are left out.
    pub(super) services: Vec<Arc<Offered>>,
    pub(super) zone: ZoneName,
    pub(super) facts: Arc<Facts>,
    /// Those of the business at which the services are given.
    pub(super) locations: Vec<BusinessLocation>,
    /// All that could serve the appointments, deleted or not.
    candidates: Vec<ResourceId>,
    /// When it was read: closings that were over then aren't in it.
    read: Timestamp,
}

/// What was read.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) catalogue: Arc<Catalogue>,
    /// The resources that are asked for by name.
    pub(super) resources: Vec<Resource>,
    /// The locations that are asked for by name.
    pub(super) locations: Vec<LocationId>,
    busy: Vec<Day>,
    days: Days,
    pub(super) sessions: Vec<Session>,
    pub(super) runs: Vec<Run>,
    pub(super) taken: HashMap<Target, i64>,
    /// The services' options, where something was chosen of them.
    options: Vec<OptionsAndVariants>,
}

/// The longest visit to a service, with its buffer, in minutes.
pub(super) fn longest(service: &Offered) -> i32 {
    service.durations.iter().copied().max().unwrap_or(60) + service.buffer_minutes
}

fn of_kind(services: &[Arc<Offered>], kind: ServiceKind) -> impl Iterator<Item = &Arc<Offered>> {
    services.iter().filter(move |service| service.kind == kind)
}

pub(super) async fn read(conn: &mut Conn, memory: &Memory, wanted: &Wanted) -> Result<Found, StoreError> {
    let Wanted { site, now, to, .. } = *wanted;
    let recall = memory.recall(conn, site, now).await?;
    let catalogue = if let Some(known) = recall.catalogue(&wanted.services) {
        known
    } else {
        let read = Arc::new(catalogue(conn, wanted).await?);
        recall.keep_catalogue(&wanted.services, &read);
        read
    };
    let (days, busy) = busy(conn, &recall, wanted, &catalogue).await?;
    #[cfg(debug_assertions)]
    check(conn, &recall, wanted, &catalogue, claims_of(&busy, &days)).await?;
    let resources = named(conn, wanted, &catalogue.facts).await?;
    let locations = places(conn, wanted, &catalogue).await?;
    let services = &catalogue.services;
    // A session may have begun before now; how long ago is bounded by how long one lasts.
    let begun = now.checked_sub((MAX_SESSION_HOURS).hours()).unwrap_or(now);
    let classes: Vec<ServiceId> = of_kind(services, ServiceKind::Class)
        .map(|service| service.id)
        .collect();
    let sessions = catalog::sessions_between(conn, site, &classes, wanted.from.max(begun), to, now).await?;
    let mut runs = Vec::new();
    for course in of_kind(services, ServiceKind::Course) {
        for schedule in catalog::schedules_of(conn, site, course.id).await? {
            let within = |span: TimeSpan| wanted.from < span.end() && span.start() < to && now < span.end();
            if schedule.span.is_some_and(within) {
                let sessions = catalog::sessions_of_run(conn, site, schedule.id).await?;
                runs.push(Run { schedule, sessions });
            }
        }
    }
    let seats = sessions.iter().map(|session| Target::Session(session.id));
    let places = runs.iter().map(|run| Target::Schedule(run.schedule.id));
    let targets: Vec<Target> = seats.chain(places).collect();
    let taken = claims::taken_seats(conn, site, &targets, now).await?;
    Ok(Found {
        catalogue,
        resources,
        locations,
        busy,
        days,
        sessions,
        runs,
        taken: taken.into_iter().collect(),
        options: if wanted.choices {
            catalog::options_of_all(conn, site, &wanted.services).await?
        } else {
            Vec::new()
        },
    })
}

/// The resources that are asked for by name and weren't deleted.
async fn named(conn: &mut Conn, wanted: &Wanted, facts: &Facts) -> Result<Vec<Resource>, StoreError> {
    let known = wanted.resources.iter().map(|id| facts.resource(*id).cloned());
    match known.collect() {
        Some(all) => Ok(all),
        None => catalog::find_resources(conn, wanted.site, &wanted.resources).await,
    }
}

/// The locations that are asked for by name and weren't deleted.
async fn places(conn: &mut Conn, wanted: &Wanted, catalogue: &Catalogue) -> Result<Vec<LocationId>, StoreError> {
    let known = |id: &LocationId| catalogue.locations.iter().any(|location| location.id == *id);
    if wanted.locations.iter().all(known) {
        return Ok(wanted.locations.clone());
    }
    let found = catalog::find_locations(conn, wanted.site, &wanted.locations).await?;
    Ok(found.into_iter().map(|location| location.id).collect())
}

async fn catalogue(conn: &mut Conn, wanted: &Wanted) -> Result<Catalogue, StoreError> {
    let site = wanted.site;
    let zone = sites::find(conn, site).await?;
    let zone = zone.map_or_else(ZoneName::utc, |site: Site| site.time_zone);
    let mut services = Vec::with_capacity(wanted.services.len());
    for id in &wanted.services {
        services.extend(catalog::find_live_service(conn, site, *id).await?.map(Arc::new));
    }
    let needed: Vec<ServiceResource> = of_kind(&services, ServiceKind::Appointment)
        .flat_map(|service| service.requirements.iter().cloned())
        .collect();
    let candidates = catalog::candidate_ids(conn, site, &needed).await?;
    let mut places: Vec<LocationId> = services
        .iter()
        .flat_map(|service| service.business_locations())
        .collect();
    places.sort();
    places.dedup();
    let locations = catalog::find_locations(conn, site, &places).await?;
    let (bookable, hours) = if candidates.is_empty() {
        (Vec::new(), Vec::new())
    } else {
        catalog::candidates(conn, site, &candidates, &places).await?
    };
    let closings = catalog::closings(conn, site, wanted.now).await?;
    let facts = Facts::new(zone.zone(), hours, bookable)
        .closed_at(closings)
        .with_policies(policies(conn, site, &services).await?);
    Ok(Catalogue {
        services,
        zone,
        facts: Arc::new(facts),
        locations,
        candidates,
        read: wanted.now,
    })
}

/// The booking windows of the services.
async fn policies(
    conn: &mut Conn,
    site: SiteId,
    services: &[Arc<Offered>],
) -> Result<HashMap<ServiceId, Policy>, StoreError> {
    let named: Vec<Option<BookingPolicyId>> = services.iter().map(|service| service.booking_policy).collect();
    let found = catalog::policies_of(conn, site, &named).await?;
    let window = |(service, policy): (&Arc<Offered>, Option<BookingPolicy>)| Some((service.id, policy?.rules.window()));
    Ok(services.iter().zip(found).filter_map(window).collect())
}

/// The part of the window that is still to come, with the longest visit that begins in it. None: it is over.
fn ahead(wanted: &Wanted, services: &[Arc<Offered>]) -> Option<TimeSpan> {
    let appointments = of_kind(services, ServiceKind::Appointment);
    let longest = appointments.map(|service| longest(service)).max()?;
    let until = wanted.to.checked_add(i64::from(longest).minutes());
    TimeSpan::new(wanted.from.max(wanted.now), until.unwrap_or(wanted.to))
}

/// What is on those who could serve, day by day.
async fn busy(
    conn: &mut Conn,
    recall: &Recall<'_>,
    wanted: &Wanted,
    catalogue: &Catalogue,
) -> Result<(Days, Vec<Day>), StoreError> {
    let (ids, Some(ahead)) = (&catalogue.candidates, ahead(wanted, &catalogue.services)) else {
        return Ok((0..=0, Vec::new()));
    };
    let days = memory::days(ahead.start(), ahead.end());
    let mut told = recall.days(ids, &days);
    let unknown = memory::unknown(&told, ids, &days);
    let Some((missing, from, until)) = unknown else {
        return Ok((days, told));
    };
    let claims = claims::on_resources(conn, wanted.site, &missing, midnight(from), midnight(until + 1)).await?;
    let read = memory::by_day(claims, &missing, &(from..=until));
    memory::fill(&mut told, ids, &days, &read);
    recall.keep_days(read);
    Ok((days, told))
}

/// In builds for tests, every answer is held against what the store says now.
#[cfg(debug_assertions)]
async fn check<'c>(
    conn: &mut Conn,
    recall: &Recall<'_>,
    wanted: &Wanted,
    known: &Catalogue,
    claims: impl Iterator<Item = &'c Claim> + Send,
) -> Result<(), StoreError> {
    use crate::{domain::availability::Busy, store::events};

    let Some(ahead) = ahead(wanted, &known.services) else {
        return Ok(());
    };
    let ids = known.candidates.clone();
    let as_before = Wanted {
        now: known.read,
        ..wanted.clone()
    };
    let now = catalogue(conn, &as_before).await?;
    let read = claims::on_resources(conn, wanted.site, &ids, ahead.start(), ahead.end()).await?;
    if events::last_position(conn, wanted.site).await? == recall.position {
        assert_eq!(*known, now, "the catalogue was changed, and the log doesn't tell");
        let live = |claim: &&Claim| claim.live(wanted.now) && claim.span.overlaps(&ahead);
        // Why a claim may overlap others is nothing that is offered.
        let counts = |claim: &Claim| (claim.id, Busy::of_claim(claim, wanted.now), claim.hold_expires_at);
        let mut known: Vec<_> = claims.filter(live).map(counts).collect();
        known.sort_by_key(|(id, ..)| *id);
        let now: Vec<_> = read.iter().filter(live).map(counts).collect();
        assert_eq!(known, now, "claims were changed, and the log doesn't tell");
    }
    Ok(())
}

impl Catalogue {
    /// Whether it tells of a resource.
    pub(super) fn concerns(&self, resource: ResourceId) -> bool {
        self.candidates.contains(&resource)
    }

    /// How much it is to keep.
    pub(super) fn weight(&self) -> usize {
        let named = self
            .services
            .iter()
            .map(|service| service.locations.len() + service.durations.len());
        let records = self.services.len() + self.locations.len();
        WEIGHT_OF_A_RECORD * records + named.sum::<usize>() + self.candidates.len() + self.facts.weight()
    }
}

impl Found {
    /// Refuses ids of places that there aren't.
    pub(super) fn check_places(&self, asked: Option<&[LocationId]>) -> Result<(), Rejection> {
        let own = || self.catalogue.services.iter().flat_map(|service| &service.locations);
        for (index, id) in asked.unwrap_or_default().iter().enumerate() {
            let mut known = own()
                .filter_map(|location| location.id)
                .chain(self.locations.iter().copied());
            if !known.any(|known| known == *id) {
                let path = ["locationIds", &index.to_string()];
                return Err(Rejection::invalid(
                    &path,
                    "is no location of this business or of the services",
                ));
            }
        }
        Ok(())
    }

    /// The options of a service, if it has any and something was chosen.
    pub(super) fn options_of(&self, service: ServiceId) -> Option<&OptionsAndVariants> {
        self.options.iter().find(|options| options.service == service)
    }

    /// What is on those who could serve.
    pub(super) fn claims(&self) -> impl Iterator<Item = &Claim> {
        claims_of(&self.busy, &self.days)
    }

    /// Seats that are taken of a session or a run.
    pub(super) fn taken(&self, target: Target) -> u32 {
        let taken = self.taken.get(&target).copied().unwrap_or(0);
        u32::try_from(taken).unwrap_or(u32::MAX)
    }

    /// The runs of a course.
    pub(super) fn runs_of(&self, course: ServiceId) -> impl Iterator<Item = &Run> {
        self.runs.iter().filter(move |run| run.schedule.service == course)
    }
}
