//! Why there are no free times, or fewer than the business expects (spec §4.11).

use super::{
    AvailabilityQuery,
    facts::{Facts, busy_times, positive},
    list::{Question, requested, wishes},
    read::{Catalogue, Found},
};
use crate::{
    domain::{
        Rejection,
        actor::Actor,
        availability::{self, Explanation, Finding, Obstacle, Query, Reason},
        booking::Location,
        catalog::{Resource, ResourceType, Service as Offered, ServiceKind},
        ids::ResourceId,
        permission::Permission,
        time::ZoneName,
    },
    service::{Caller, Error, Service, access},
};

/// What speaks against the free times of a window.
#[derive(Debug)]
pub struct Explained {
    /// What the engine found.
    pub found: Explanation,
    /// The types of resource that the service needs, in the order to which findings refer.
    pub needed: Vec<ResourceType>,
    /// The resources that findings refer to.
    pub resources: Vec<Resource>,
    /// The places that they refer to.
    pub locations: Vec<Location>,
    /// The zone whose wall clock the local times show.
    pub zone: ZoneName,
}

impl Service {
    /// Why a customer is not offered more of an appointment service within a window.
    pub async fn explain_availability(&self, caller: &Caller, about: AvailabilityQuery) -> Result<Explained, Error> {
        access::require(Permission::ReadCalendar, caller)?;
        let now = self.clock().now();
        let mut question = Question::new(caller, about, now)?;
        // It is about what customers see.
        question.ignore_policy = false;
        let found = self.found(question.wanted(caller)).await?;
        let told = tokio::task::spawn_blocking(move || question.explain(&found)).await;
        let mut told = told.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))?;
        if let Actor::Staff { resource: own, .. } = caller.actor {
            let times = told.found.times.iter_mut().flat_map(|time| &mut time.findings);
            times
                .chain(&mut told.found.findings)
                .for_each(|finding| veil(finding, own));
        }
        Ok(told)
    }
}

/// Staff see their own calendar alone: of others, that they aren't free, but not what keeps them.
fn veil(finding: &mut Finding, own: ResourceId) {
    // That the business is closed is nobody's own.
    let closed = finding.obstacle == Some(Obstacle::Closure);
    if !closed && finding.resource.is_some_and(|resource| resource != own) {
        finding.span = None;
        finding.obstacle = None;
    }
}

/// The engine isn't told of resources that can't be booked. Where one would do, or is asked for by name, that is why.
fn tell_not_bookable(told: &mut Explanation, service: &Offered, facts: &Facts) {
    let hidden: Vec<(usize, ResourceId)> = service
        .requirements
        .iter()
        .enumerate()
        .flat_map(|(requirement, entry)| {
            let out = facts.resources().iter().filter(|resource| !resource.bookable);
            let out = out.filter(|resource| entry.allows(resource));
            out.map(move |resource| (requirement, resource.id))
        })
        .collect();
    let is_hidden = |finding: &Finding| hidden.iter().any(|(_, id)| finding.resource == Some(*id));
    let of_times = told.times.iter_mut().map(|time| &mut time.findings);
    let needs_hidden = |finding: &Finding| hidden.iter().any(|(at, _)| finding.requirement == Some(*at));
    for findings in of_times.chain([&mut told.findings]) {
        findings.retain(|finding| match finding.reason {
            Reason::NotAssignedToService => !is_hidden(finding),
            Reason::NoAssignedResources => !needs_hidden(finding),
            _ => true,
        });
    }
    told.findings
        .extend(hidden.into_iter().map(|(requirement, resource)| Finding {
            reason: Reason::NotBookable,
            requirement: Some(requirement),
            resource: Some(resource),
            place: None,
            span: None,
            obstacle: None,
        }));
}

impl Question {
    fn explain(&self, found: &Found) -> Result<Explained, Rejection> {
        self.query.check_found(found)?;
        let lengths = self.query.lengths(found)?;
        let appointment = |service: &&Offered| service.kind == ServiceKind::Appointment;
        let Catalogue {
            services,
            zone,
            facts,
            locations,
            ..
        } = &*found.catalogue;
        let Some(service) = services.iter().map(|service| &**service).find(appointment) else {
            let message = "must be an appointment service: a session says itself why it can't be booked";
            return Err(Rejection::invalid(&["serviceId"], message));
        };
        let busy = busy_times(found.claims(), None, self.now);
        let wishes = wishes(facts, service, &found.resources);
        let places = self.places();
        let mut told = facts.ask(service, &busy, self.now, |business, asked| {
            if self.query.to <= self.now {
                return Explanation::over();
            }
            let query = Query {
                requested: &requested(&wishes),
                places: places.as_deref(),
                duration: lengths.get(&service.id).copied().map(positive),
                party: self.party,
                ignore_policy: self.ignore_policy,
                ..Query::between(self.from.max(self.now).min(self.query.to), self.query.to)
            };
            availability::explain(business, asked, &query, self.query.limit())
        });
        tell_not_bookable(&mut told, service, facts);
        let needed = facts.requirements(service);
        let mut resources: Vec<Resource> = facts.resources().to_vec();
        let others = found.resources.iter().filter(|one| facts.resource(one.id).is_none());
        resources.extend(others.cloned());
        Ok(Explained {
            found: told,
            needed: needed.into_iter().map(|needed| needed.kind).collect(),
            resources,
            locations: service.locations.iter().map(|one| one.told_by(locations)).collect(),
            zone: self.query.time_zone.clone().unwrap_or_else(|| zone.clone()),
        })
    }
}
