//! Deleting a resource. What it still serves is in the way, or passes to another resource in the same act.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Edit, check_revision, offer_changed, options, seats_of};
use crate::{
    domain::{
        Rejection,
        booking::{BookedResource, Booking},
        catalog::{Resource, Session},
        conflict::{Ask, Holder, OverlapReason, Target},
        event::Matter,
        ids::{BookingId, Kind, ResourceId, ServiceId, SessionId, SiteId},
        permission::Permission,
        recurrence::ResourceUse,
        time::TimeSpan,
    },
    service::{
        Caller, Error, Outcome, Service, access,
        bookings::{Ledger, OPEN, Spot, all_time, reassign, rewrite},
    },
    store::{Command, Failure, Tx, bookings, catalog as store, claims, sites},
};

/// A resource that is to be deleted.
#[derive(Debug, Clone)]
pub struct DeleteResource {
    /// Which, and how.
    pub edit: Edit<ResourceId>,
    /// Who or what takes over all that it still serves.
    pub reassign_to: Option<ResourceId>,
    /// Whether it is only counted what that would do.
    pub dry_run: bool,
}

/// What of the future a deleted resource served.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReassignmentImpact {
    /// Bookings, those of its sessions too, and, of what passes on, those that were only begun with it.
    pub bookings: i64,
    /// Sessions.
    pub sessions: i64,
}

/// What became of a deletion.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(from = "Kept")]
pub struct DeletedResource {
    /// The resource as it was left, unless it was only counted.
    pub resource: Option<Resource>,
    /// What passed to the other one; in a dry run, what would, or what is in the way.
    pub impact: ReassignmentImpact,
}

/// How answers are kept; those of before anything could pass on were the resource alone.
#[derive(Deserialize)]
#[serde(untagged)]
enum Kept {
    Whole {
        resource: Option<Resource>,
        impact: ReassignmentImpact,
    },
    Alone(Resource),
}

impl From<Kept> for DeletedResource {
    fn from(kept: Kept) -> Self {
        match kept {
            Kept::Whole { resource, impact } => Self { resource, impact },
            Kept::Alone(resource) => Self {
                resource: Some(resource),
                impact: ReassignmentImpact::default(),
            },
        }
    }
}

impl Outcome for DeletedResource {
    fn changed(&self) -> bool {
        self.resource.is_some()
    }
}

/// What a resource still serves.
struct Serving {
    sessions: Vec<Session>,
    /// Bookings of its class sessions.
    of_sessions: Vec<Booking>,
    /// Bookings that hold it.
    held: Vec<BookingId>,
    /// Bookings that hold nothing yet and name it.
    begun: Vec<BookingId>,
}

impl Serving {
    async fn find(tx: &mut Tx<'_>, resource: ResourceId) -> Result<Self, Failure> {
        let (site, now) = (tx.site(), tx.now());
        let found = claims::on_resources(tx.conn(), site, &[resource], now, all_time().end()).await?;
        let (mut sessions, mut held) = (BTreeSet::new(), BTreeSet::new());
        for claim in found.iter().filter(|claim| claim.live(now)) {
            match claim.holder {
                Holder::Booking(id) => held.extend([id]),
                Holder::Session(id) => sessions.extend([id]),
                // The business's own blocks go with the resource.
                Holder::Block(_) => {}
            }
        }
        let sessions: Vec<SessionId> = sessions.into_iter().collect();
        let of_sessions = bookings::of_sessions(tx.conn(), site, &sessions, &OPEN).await?;
        let begun = bookings::naming(tx.conn(), site, resource, now).await?;
        let begun = begun.into_iter().filter(|booking| !held.contains(&booking.id));
        let begun = begun.filter(|booking| booking.booked.session.is_none());
        Ok(Self {
            begun: begun.map(|booking| booking.id).collect(),
            sessions: store::find_sessions(tx.conn(), site, &sessions).await?,
            of_sessions,
            held: held.into_iter().collect(),
        })
    }

    /// What is in the way, or with `begun` what passes to another one.
    fn impact(&self, begun: bool) -> ReassignmentImpact {
        let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        ReassignmentImpact {
            bookings: number(self.of_sessions.len() + self.held.len() + if begun { self.begun.len() } else { 0 }),
            sessions: number(self.sessions.len()),
        }
    }

    /// What has to be locked beside the two resources. Whoever changes a session locks its seats, or its run's.
    fn spots(&self) -> impl Iterator<Item = Spot> {
        let seats = self.sessions.iter().flat_map(|session| {
            [
                seats_of(Target::Session(session.id)),
                seats_of(Target::Schedule(session.schedule)),
            ]
        });
        seats.collect::<Vec<_>>().into_iter()
    }

    /// Whether all of it was seen before the locks, as it is.
    fn was_seen(&self, seen: &Self) -> bool {
        let session = |one: &Session| seen.sessions.iter().any(|before| before.id == one.id);
        let booking = |one: &Booking| {
            let mut before = seen.of_sessions.iter();
            before.any(|before| before.id == one.id && before.booked == one.booked)
        };
        self.sessions.iter().all(session)
            && self.of_sessions.iter().all(booking)
            && self
                .begun
                .iter()
                .all(|id| seen.begun.contains(id) || seen.held.contains(id))
    }
}

struct Delete {
    caller: Caller,
    input: DeleteResource,
}

impl Delete {
    /// The resource, unless it was deleted.
    async fn resource(&self, tx: &mut Tx<'_>) -> Result<Resource, Failure> {
        let edit = &self.input.edit;
        let found = store::find_resources(tx.conn(), self.caller.site, &[edit.id])
            .await?
            .pop();
        let resource = found.ok_or_else(|| Rejection::not_found(Kind::Resource, &["resourceId"]))?;
        check_revision(Kind::Resource, resource.revision, edit.expected_revision)?;
        Ok(resource)
    }

    /// Who or what takes over from it.
    async fn heir(&self, tx: &mut Tx<'_>, to: ResourceId, from: &Resource) -> Result<Resource, Failure> {
        let wrong = |message: &str| Err(Rejection::invalid(&["reassignTo"], message).into());
        if to == from.id {
            return wrong("must be another resource");
        }
        let found = store::find_resources(tx.conn(), self.caller.site, &[to]).await?.pop();
        let heir = found.ok_or_else(|| Rejection::not_found(Kind::Resource, &["reassignTo"]))?;
        if heir.resource_type != from.resource_type {
            return wrong("is of another type");
        }
        Ok(heir)
    }

    fn both(&self, to: ResourceId, now: Timestamp) -> [Spot; 2] {
        let soon = TimeSpan::new(now, all_time().end()).unwrap_or_else(all_time);
        [
            (Target::Resource(self.input.edit.id), soon),
            (Target::Resource(to), soon),
        ]
    }

    /// What it would do. Nothing is locked: that would settle holds that ran out.
    async fn look(&self, tx: &mut Tx<'_>) -> Result<ReassignmentImpact, Failure> {
        let (resource, now) = (self.resource(tx).await?, tx.now());
        if let Some(to) = self.input.reassign_to {
            let heir = self.heir(tx, to, &resource).await?;
            let ledger = Ledger::look(tx, &self.both(to, now)).await?;
            check_fit(&ledger, resource.id, heir.id)?;
        }
        let passes = self.input.reassign_to.is_some();
        Ok(Serving::find(tx, resource.id).await?.impact(passes))
    }

    /// Deletes it if it serves nothing any more.
    async fn delete_idle(&self, tx: &mut Tx<'_>) -> Result<(Resource, Timestamp), Failure> {
        let target = Target::Resource(self.input.edit.id);
        claims::lock_targets(tx, &[target]).await?;
        let resource = self.resource(tx).await?;
        let soon = TimeSpan::new(tx.now(), all_time().end()).unwrap_or_else(all_time);
        let ledger = Ledger::lock(tx, &[(target, soon)], None).await?;
        let now = ledger.now();
        // The business's own blocks go with it; bookings and sessions don't.
        let (mut bookings, mut sessions) = (BTreeSet::new(), BTreeSet::new());
        for claim in ledger.claims().filter(|claim| claim.span.end() > now) {
            match claim.holder {
                Holder::Booking(id) => bookings.extend([id]),
                Holder::Session(id) => sessions.extend([id]),
                Holder::Block(_) => {}
            }
        }
        if !(bookings.is_empty() && sessions.is_empty()) {
            let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
            return Err(Rejection::HasBookings {
                kind: Kind::Resource,
                count: number(bookings.len() + sessions.len()),
                sessions: number(sessions.len()),
                bookings: bookings.into_iter().collect(),
            }
            .into());
        }
        Ok((resource, now))
    }

    /// Passes on all that it serves.
    async fn pass_on(
        &self,
        tx: &mut Tx<'_>,
        to: ResourceId,
    ) -> Result<(Resource, Timestamp, ReassignmentImpact), Failure> {
        let (from, now) = (self.input.edit.id, tx.now());
        let seen = Serving::find(tx, from).await?;
        let services: BTreeSet<ServiceId> = seen.sessions.iter().map(|session| session.service).collect();
        for service in services {
            store::lock_service(tx, service).await?;
        }
        let mut spots: Vec<Spot> = seen.spots().collect();
        spots.extend(self.both(to, now));
        let of_sessions = seen.of_sessions.iter().map(|booking| booking.id);
        let own: Vec<BookingId> = of_sessions.chain(seen.begun.iter().copied()).collect();
        let mut ledger = Ledger::lock_all(tx, &spots, &own).await?;
        let resource = self.resource(tx).await?;
        let heir = self.heir(tx, to, &resource).await?;
        let serving = Serving::find(tx, from).await?;
        // What came meanwhile isn't locked with all that it needs: begin anew.
        if !serving.was_seen(&seen) {
            return Err(Failure::Again);
        }
        check_fit(&ledger, from, to)?;
        ledger.hand_over(tx, from, to).await?;
        let actor = &self.caller.actor;
        let mut series = BTreeSet::new();
        for session in &serving.sessions {
            series.extend(session.series.as_ref().map(|place| place.id));
            let mut session = session.clone();
            pass_named(&mut session.resources, from, &heir);
            if let Some(place) = &mut session.series {
                place.own.resources.iter_mut().for_each(|own| pass_ids(own, from, to));
            }
            session.revision += 1;
            session.updated = ledger.now();
            store::save_session(tx.conn(), self.caller.site, &session).await?;
            offer_changed(tx, &session);
        }
        for mut kept in store::find_many_series(tx.conn(), self.caller.site, &Vec::from_iter(series)).await? {
            if kept.series.template.resources.iter().any(|one| one.id == from) {
                pass_ids(&mut kept.series.template.resources, from, to);
                kept.revision += 1;
                kept.updated = ledger.now();
                store::save_series(tx.conn(), self.caller.site, &kept).await?;
            }
        }
        for booking in &serving.of_sessions {
            let mut booked = booking.booked.clone();
            pass_named(&mut booked.resources, from, &heir);
            rewrite(tx, &ledger, booking, booked, actor).await?;
        }
        let alone: Vec<BookingId> = serving.held.iter().chain(&serving.begun).copied().collect();
        for booking in bookings::find_many(tx.conn(), self.caller.site, &alone).await? {
            let mut booked = booking.booked.clone();
            pass_named(&mut booked.resources, from, &heir);
            reassign(tx, &ledger, &booking, booked, actor).await?;
        }
        ledger.review(tx, None, actor).await?;
        Ok((resource, ledger.now(), serving.impact(true)))
    }
}

/// Refuses as a whole what can't pass: where the other one is busy, or serves the same already.
fn check_fit(ledger: &Ledger, from: ResourceId, to: ResourceId) -> Result<(), Rejection> {
    let (mut bookings, mut sessions) = (BTreeSet::new(), BTreeSet::new());
    for claim in ledger.passing(from) {
        // What doesn't keep the one busy doesn't keep the other.
        let transparent = claim.overlap_reason == Some(OverlapReason::Transparent);
        let mut others = ledger.claims();
        let serves = others.any(|other| other.target == Target::Resource(to) && other.holder == claim.holder);
        let ask = Ask {
            target: Target::Resource(to),
            span: claim.span,
            seats: claim.seats,
            holder: claim.holder,
            before: None,
        };
        if serves || (!transparent && ledger.check(&ask).is_some()) {
            match claim.holder {
                Holder::Booking(id) => bookings.extend([id]),
                Holder::Session(id) => sessions.extend([id]),
                Holder::Block(_) => {}
            }
        }
    }
    if bookings.is_empty() && sessions.is_empty() {
        return Ok(());
    }
    Err(Rejection::NotReassignable {
        bookings: bookings.into_iter().collect(),
        sessions: sessions.into_iter().collect(),
    })
}

fn pass_named(resources: &mut Vec<BookedResource>, from: ResourceId, to: &Resource) {
    if resources.iter().any(|resource| resource.id == to.id) {
        return resources.retain(|resource| resource.id != from);
    }
    for resource in resources.iter_mut().filter(|resource| resource.id == from) {
        resource.id = to.id;
        resource.name.clone_from(&to.name);
    }
}

fn pass_ids(resources: &mut Vec<ResourceUse>, from: ResourceId, to: ResourceId) {
    if resources.iter().any(|one| one.id == to) {
        return resources.retain(|one| one.id != from);
    }
    let given = resources.iter_mut().filter(|one| one.id == from);
    given.for_each(|one| one.id = to);
}

impl Command for Delete {
    type Output = DeletedResource;

    fn site(&self) -> SiteId {
        self.caller.site
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<DeletedResource, Failure> {
        if self.input.dry_run {
            let impact = self.look(tx).await?;
            return Ok(DeletedResource { resource: None, impact });
        }
        let site = self.caller.site;
        sites::lock(tx).await?;
        let (mut resource, now, impact) = if let Some(to) = self.input.reassign_to {
            self.pass_on(tx, to).await?
        } else {
            let (resource, now) = self.delete_idle(tx).await?;
            (resource, now, ReassignmentImpact::default())
        };
        resource.revision += 1;
        resource.updated = now;
        store::save_resource(tx.conn(), site, &resource).await?;
        store::delete_resource(tx.conn(), site, resource.id, now).await?;
        tx.touch(Matter::Resource(resource.id), None);
        options::forget(tx, resource.id).await?;
        Ok(DeletedResource {
            resource: Some(resource),
            impact,
        })
    }
}

impl Service {
    /// Deletes a resource: nothing new can have it. Refused while bookings or sessions of the future do, unless another
    /// one takes them over.
    pub async fn delete_resource(&self, caller: &Caller, mut input: DeleteResource) -> Result<DeletedResource, Error> {
        access::require(Permission::ManageCatalog, caller)?;
        let key = input.edit.idempotency.take();
        let command = Delete {
            caller: caller.clone(),
            input,
        };
        self.once(caller, "deleteResource", key, command).await
    }
}
