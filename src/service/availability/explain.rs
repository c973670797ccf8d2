//! Why there are no free times, or fewer than the business expects (spec §4.11).

use super::{
    AvailabilityQuery,
    facts::{busy_times, positive},
    list::{Question, requested, wishes},
    read::{Found, read},
};
use crate::{
    domain::{
        Rejection,
        actor::Actor,
        availability::{self, Explanation, Finding, Query},
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
        let wanted = question.wanted(caller);
        let found = self
            .db()
            .read(move |conn| Box::pin(async move { read(conn, &wanted).await }))
            .await?;
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
    if finding.resource.is_some_and(|resource| resource != own) {
        finding.span = None;
        finding.obstacle = None;
    }
}

impl Question {
    fn explain(&self, found: &Found) -> Result<Explained, Rejection> {
        self.query.check_found(found)?;
        let appointment = |service: &&Offered| service.kind == ServiceKind::Appointment;
        let Some(service) = found.services.iter().find(appointment) else {
            let message = "must be an appointment service: a session says itself why it can't be booked";
            return Err(Rejection::invalid(&["serviceId"], message));
        };
        let busy = busy_times(&found.claims, None, self.now);
        let wishes = wishes(&found.facts, service, &found.resources);
        let places = self.places();
        let told = found.facts.ask(service, &busy, self.now, |business, asked| {
            let query = Query {
                requested: &requested(&wishes),
                places: places.as_deref(),
                duration: self.query.duration.map(positive),
                party: self.party,
                ignore_policy: self.ignore_policy,
                ..Query::between(self.from.max(self.now).min(self.query.to), self.query.to)
            };
            availability::explain(business, asked, &query, self.query.limit())
        });
        let needed = found.facts.requirements(service);
        let mut resources: Vec<Resource> = found.facts.resources().to_vec();
        let others = found
            .resources
            .iter()
            .filter(|one| found.facts.resource(one.id).is_none());
        resources.extend(others.cloned());
        Ok(Explained {
            found: told,
            needed: needed.into_iter().map(|needed| needed.kind).collect(),
            resources,
            locations: service
                .locations
                .iter()
                .map(|one| one.told_by(&found.locations))
                .collect(),
            zone: self.query.time_zone.clone().unwrap_or_else(|| found.zone.clone()),
        })
    }
}
