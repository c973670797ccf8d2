//! What a question needs of the store, read on one connection: nothing of it looks at what is over.

use std::{collections::HashMap, sync::Arc};

use jiff::{Timestamp, ToSpan as _};

use super::facts::Facts;
use crate::{
    domain::{
        availability::Policy,
        booking_policy::BookingPolicy,
        catalog::{
            BusinessLocation, MAX_SESSION_HOURS, Resource, Schedule, Service as Offered, ServiceKind, ServiceResource,
            Session, Site,
        },
        conflict::{Claim, Target},
        ids::{BookingPolicyId, LocationId, ResourceId, ServiceId, SiteId},
        time::ZoneName,
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
}

/// A course's run with its sessions that take place.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) schedule: Schedule,
    pub(super) sessions: Vec<Session>,
}

/// What was read.
#[derive(Debug)]
pub(super) struct Found {
    /// The services in the order that was asked for; those that there aren't are left out.
    pub(super) services: Vec<Offered>,
    /// The resources that are asked for by name.
    pub(super) resources: Vec<Resource>,
    /// Those of the business that the services or the question name.
    pub(super) locations: Vec<BusinessLocation>,
    pub(super) zone: ZoneName,
    pub(super) facts: Arc<Facts>,
    pub(super) claims: Vec<Claim>,
    pub(super) sessions: Vec<Session>,
    pub(super) runs: Vec<Run>,
    pub(super) taken: HashMap<Target, i64>,
}

/// The longest visit to a service, with its buffer, in minutes.
pub(super) fn longest(service: &Offered) -> i32 {
    service.durations.iter().copied().max().unwrap_or(60) + service.buffer_minutes
}

fn of_kind(services: &[Offered], kind: ServiceKind) -> impl Iterator<Item = &Offered> {
    services.iter().filter(move |service| service.kind == kind)
}

pub(super) async fn read(conn: &mut Conn, wanted: &Wanted) -> Result<Found, StoreError> {
    let Wanted { site, now, to, .. } = *wanted;
    let zone = sites::find(conn, site).await?;
    let zone = zone.map_or_else(ZoneName::utc, |site: Site| site.time_zone);
    let mut services = Vec::with_capacity(wanted.services.len());
    for id in &wanted.services {
        services.extend(catalog::find_live_service(conn, site, *id).await?);
    }
    let resources = catalog::find_resources(conn, site, &wanted.resources).await?;
    let mut named: Vec<LocationId> = services.iter().flat_map(Offered::business_locations).collect();
    named.extend(&wanted.locations);
    named.sort();
    named.dedup();
    let locations = catalog::find_locations(conn, site, &named).await?;
    let (facts, claims) = appointments(conn, wanted, &zone, &services).await?;
    let facts = facts.with_policies(policies(conn, site, &services).await?);
    // A session may have begun before now; how long ago is bounded by how long one lasts.
    let begun = now.checked_sub((MAX_SESSION_HOURS).hours()).unwrap_or(now);
    let classes: Vec<ServiceId> = of_kind(&services, ServiceKind::Class)
        .map(|service| service.id)
        .collect();
    let sessions = catalog::sessions_between(conn, site, &classes, wanted.from.max(begun), to, now).await?;
    let mut runs = Vec::new();
    for course in of_kind(&services, ServiceKind::Course) {
        for schedule in catalog::schedules_of(conn, site, course.id).await? {
            let within =
                |span: crate::domain::time::TimeSpan| wanted.from < span.end() && span.start() < to && now < span.end();
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
        services,
        resources,
        locations,
        zone,
        facts: Arc::new(facts),
        claims,
        sessions,
        runs,
        taken: taken.into_iter().collect(),
    })
}

/// The booking windows of the services.
async fn policies(
    conn: &mut Conn,
    site: SiteId,
    services: &[Offered],
) -> Result<HashMap<ServiceId, Policy>, StoreError> {
    let named: Vec<Option<BookingPolicyId>> = services.iter().map(|service| service.booking_policy).collect();
    let found = catalog::policies_of(conn, site, &named).await?;
    let window = |(service, policy): (&Offered, Option<BookingPolicy>)| Some((service.id, policy?.rules.window()));
    Ok(services.iter().zip(found).filter_map(window).collect())
}

/// Who could serve the appointments, when they are open, and what keeps them busy within the window.
async fn appointments(
    conn: &mut Conn,
    wanted: &Wanted,
    zone: &ZoneName,
    services: &[Offered],
) -> Result<(Facts, Vec<Claim>), StoreError> {
    let site = wanted.site;
    let needed: Vec<ServiceResource> = of_kind(services, ServiceKind::Appointment)
        .flat_map(|service| service.requirements.iter().cloned())
        .collect();
    let ids = catalog::candidate_ids(conn, site, &needed).await?;
    if ids.is_empty() {
        return Ok((Facts::new(zone.zone(), Vec::new(), Vec::new()), Vec::new()));
    }
    let appointments = of_kind(services, ServiceKind::Appointment);
    let mut places: Vec<LocationId> = appointments.flat_map(Offered::business_locations).collect();
    places.sort();
    places.dedup();
    let (bookable, hours) = catalog::candidates(conn, site, &ids, &places).await?;
    let longest = of_kind(services, ServiceKind::Appointment)
        .map(longest)
        .max()
        .unwrap_or(0);
    let until = wanted.to.checked_add(i64::from(longest).minutes()).unwrap_or(wanted.to);
    let from = wanted.from.max(wanted.now);
    let claims = if from < until {
        claims::on_resources(conn, site, &ids, from, until).await?
    } else {
        Vec::new()
    };
    Ok((Facts::new(zone.zone(), hours, bookable), claims))
}

impl Found {
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
