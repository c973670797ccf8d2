//! The catalog: what can be booked, and the business's acts on it (`spec/catalog-availability.md` §1, §3).
//!
//! Each act locks the service first, so that two changes of one service come one after the other; then, as everywhere,
//! sessions, schedules, resources and the bookings that it touches.

mod blocked_times;
mod categories;
mod closings;
mod copies;
mod hours;
mod import;
mod locations;
mod options;
mod policies;
mod read;
mod relocation;
mod removal;
mod requirements;
mod resource_removal;
mod resource_types;
mod resources;
mod schedules;
mod series;
mod services;
mod sessions;
mod slugs;

use serde::{Deserialize, Serialize};

use super::{
    IdempotencyKey, Outcome,
    bookings::{Ledger, OPEN, Spot, all_time, rewrite, stands},
};
use crate::{
    domain::{
        Rejection,
        actor::Actor,
        booking::{BookedResource, Booking},
        catalog::{self, Resource, Schedule, Service as Offered, Session},
        conflict::{self, Ask, Holder, OverlapReason, Target},
        event::Matter,
        ids::{BookingId, Kind, ResourceId, ScheduleId, ServiceId, SessionId},
        recurrence::ResourceUse,
        time::{TimeSpan, ZoneName},
    },
    store::{Failure, Tx, bookings, catalog as store, sites},
};

pub use blocked_times::CreateBlockedTime;
pub use categories::{CreateCategory, DeleteCategory, MoveCategory, UpdateCategory};
pub use copies::{BulkCreatedServices, CloneService, ClonedService};
pub use hours::SetWorkingHours;
pub use import::{Import, ImportError, ImportInto, Imported, InTheWay};
pub use locations::{CreateLocation, ServiceLocations, UpdateLocation};
pub(in crate::service) use locations::{told, whereabouts};
pub use options::{CreateOptions, UpdateOptions};
pub use policies::{DefaultSet, PolicyChanges};
pub use removal::{BookingsOfService, DeleteService, DeletedService, DeletionImpact};
pub use requirements::{Entries, Requirements};
pub use resource_removal::{DeleteResource, DeletedResource, ReassignmentImpact};
pub use resource_types::UpdateResourceType;
pub use resources::{CreateResource, ResourceChanges, UpdateResource};
pub use schedules::{CreateSchedule, UpdateSchedule};
pub use series::{AHEAD, CreateSessionSeries, Scope};
pub use services::{CreateService, PresentationChanges, ServiceChanges, UpdateService};
pub use sessions::{CancelSession, CreateSession, RestoreSession, SessionChanges, UpdateSession};
pub use slugs::SlugVerdict;

use sessions::{check as check_session, check_seats, follow};

/// What every change of one object is told.
#[derive(Debug, Clone)]
pub struct Edit<I> {
    /// Which object.
    pub id: I,
    /// The revision that the caller saw.
    pub expected_revision: Option<i64>,
    /// The client's key for exact retries.
    pub idempotency: Option<IdempotencyKey>,
}

/// What is to become of a value that there may be none of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Change<T> {
    /// It stays.
    #[default]
    Keep,
    /// There is none any more.
    Clear,
    /// It is this from now on.
    Set(T),
}

impl<T> Change<T> {
    /// Makes the change.
    pub fn apply(self, value: &mut Option<T>) {
        match self {
            Self::Keep => {}
            Self::Clear => *value = None,
            Self::Set(new) => *value = Some(new),
        }
    }

    /// The same change of something made of the value.
    pub fn map<U>(self, make: impl FnOnce(T) -> U) -> Change<U> {
        match self {
            Self::Keep => Change::Keep,
            Self::Clear => Change::Clear,
            Self::Set(new) => Change::Set(make(new)),
        }
    }

    /// What was said: nothing, that there is none, or which.
    pub fn given(self) -> Option<Option<T>> {
        match self {
            Self::Keep => None,
            Self::Clear => Some(None),
            Self::Set(new) => Some(Some(new)),
        }
    }
}

/// What a deletion or cancellation took with it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Removed<T> {
    /// The object as it was left.
    pub object: T,
    /// How many bookings were canceled with it.
    pub canceled_bookings: i64,
}

impl<T: Serialize + serde::de::DeserializeOwned + Send + Sync + 'static> Outcome for Removed<T> {}
impl Outcome for catalog::Site {}
impl Outcome for catalog::Service {}
impl Outcome for catalog::Category {}
impl Outcome for catalog::Resource {}
impl Outcome for catalog::Schedule {}
impl Outcome for catalog::Session {}
impl Outcome for catalog::BlockedTime {}

/// Refuses a change that was meant for another revision.
pub(super) fn check_revision(kind: Kind, current: i64, expected: Option<i64>) -> Result<(), Rejection> {
    match expected {
        Some(expected) if expected != current => Err(Rejection::RevisionMismatch { kind, current }),
        _ => Ok(()),
    }
}

/// The service with its row locked, unless it was deleted. `path` is where the input named it, or what belongs to it.
async fn lock_service(tx: &mut Tx<'_>, id: ServiceId, kind: Kind, path: &[&str]) -> Result<Offered, Failure> {
    store::lock_service(tx, id).await?;
    let site = tx.site();
    let found = store::find_live_service(tx.conn(), site, id).await?;
    found.ok_or_else(|| Rejection::not_found(kind, path).into())
}

/// The service with its row locked, one that was deleted too: sessions with participants may have outlived it. Says
/// whether it is still there.
async fn lock_service_ever(
    tx: &mut Tx<'_>,
    id: ServiceId,
    kind: Kind,
    path: &[&str],
) -> Result<(Offered, bool), Failure> {
    store::lock_service(tx, id).await?;
    let site = tx.site();
    if let Some(live) = store::find_live_service(tx.conn(), site, id).await? {
        return Ok((live, true));
    }
    let deleted = store::find_service(tx.conn(), site, id).await?;
    Ok((deleted.ok_or_else(|| Rejection::not_found(kind, path))?, false))
}

/// A schedule that wasn't deleted, with its service locked.
async fn lock_schedule(tx: &mut Tx<'_>, id: ScheduleId) -> Result<(Offered, Schedule), Failure> {
    let site = tx.site();
    let missing = || Rejection::not_found(Kind::Schedule, &["scheduleId"]);
    let seen = store::find_schedule(tx.conn(), site, id).await?.ok_or_else(missing)?;
    let service = lock_service(tx, seen.service, Kind::Schedule, &["scheduleId"]).await?;
    let schedule = store::find_schedule(tx.conn(), site, id).await?.ok_or_else(missing)?;
    Ok((service, schedule))
}

/// The zone that was said, or the site's.
async fn zone_of(tx: &mut Tx<'_>, said: Option<&ZoneName>) -> Result<ZoneName, Failure> {
    if let Some(zone) = said {
        return Ok(zone.clone());
    }
    let site = tx.site();
    Ok(sites::find(tx.conn(), site)
        .await?
        .map_or_else(ZoneName::utc, |site| site.time_zone))
}

/// The resources of a session, and how the input says them.
#[derive(Debug, Clone, Default)]
pub struct SessionResources {
    /// Who and what.
    pub uses: Vec<ResourceUse>,
    /// Whether each is said with its transparency, and not all by their ids alone.
    pub one_by_one: bool,
}

impl SessionResources {
    fn ids(&self) -> impl Iterator<Item = ResourceId> + '_ {
        self.uses.iter().map(|one| one.id)
    }

    /// The resources as a session keeps them.
    async fn find(&self, tx: &mut Tx<'_>) -> Result<Vec<BookedResource>, Failure> {
        let ids: Vec<ResourceId> = self.ids().collect();
        Ok(booked(find_resources(tx, &ids, self.one_by_one, &[]).await?, self))
    }
}

/// The resources with these ids, in their order; unknown ones are refused, and one that is named twice, and deleted ones
/// but those that are `kept`. `one_by_one` tells how the input says them.
async fn find_resources(
    tx: &mut Tx<'_>,
    ids: &[ResourceId],
    one_by_one: bool,
    kept: &[ResourceId],
) -> Result<Vec<Resource>, Failure> {
    let site = tx.site();
    let list = if one_by_one { "resources" } else { "resourceIds" };
    if ids.len() > catalog::MAX_RESOURCES {
        let message = format!("must name at most {} staff members or rooms", catalog::MAX_RESOURCES);
        return Err(Rejection::invalid(&[list], message).into());
    }
    let mut found = store::find_resources(tx.conn(), site, ids).await?;
    let is_gone = |id: &&ResourceId| kept.contains(id) && found.iter().all(|one| one.id != **id);
    let gone: Vec<ResourceId> = ids.iter().filter(is_gone).copied().collect();
    if !gone.is_empty() {
        found.extend(store::find_resources_ever(tx.conn(), site, &gone).await?);
    }
    let mut resources = Vec::with_capacity(ids.len());
    for (index, id) in ids.iter().enumerate() {
        let position = index.to_string();
        let path = [list, position.as_str(), "resourceId"];
        let path = if one_by_one { &path[..] } else { path.split_at(2).0 };
        let resource = found.iter().find(|resource| resource.id == *id);
        resources.push(
            resource
                .cloned()
                .ok_or_else(|| Rejection::not_found(Kind::Resource, path))?,
        );
        if ids.iter().take(index).any(|earlier| earlier == id) {
            return Err(Rejection::invalid(path, "is there twice").into());
        }
    }
    Ok(resources)
}

/// Resources as a session keeps them: staff first.
fn booked(mut resources: Vec<Resource>, said: &SessionResources) -> Vec<BookedResource> {
    resources.sort_by_key(|resource| resource.resource_type);
    let keep = |resource: Resource| BookedResource {
        transparent: said.uses.iter().any(|one| one.id == resource.id && one.transparent),
        id: resource.id,
        name: resource.name,
        explicitly_requested: false,
        buffer_minutes: None,
    };
    resources.into_iter().map(keep).collect()
}

/// Takes resources for a session or a block. What is in the way refuses it, unless the business wants it so: then the
/// reason goes on record. A transparent one is not kept busy, so that nothing is in its way; it is known by its claim.
async fn occupy(
    tx: &mut Tx<'_>,
    ledger: &mut Ledger,
    holder: Holder,
    resources: impl IntoIterator<Item = ResourceUse>,
    span: TimeSpan,
    allow_overlap: bool,
) -> Result<(), Failure> {
    let ask = |one: ResourceUse| {
        let reason = if one.transparent {
            OverlapReason::Transparent
        } else {
            OverlapReason::OwnerEdit
        };
        let ask = Ask {
            target: Target::Resource(one.id),
            span,
            seats: 1,
            holder,
            before: None,
        };
        (ask, reason)
    };
    let asks: Vec<(Ask, OverlapReason)> = resources.into_iter().map(ask).collect();
    // What it holds already was settled when it was taken.
    let opaque = asks.iter().filter(|(_, reason)| *reason != OverlapReason::Transparent);
    let mut new = opaque.map(|(ask, _)| ask).filter(|ask| !ledger.holds(ask));
    if !allow_overlap && let Some((ask, clash)) = new.find_map(|ask| Some((ask, ledger.check(ask)?))) {
        return Err(conflict::refuse(ask, &clash, None).into());
    }
    Ok(ledger.occupy_each(tx, &asks, holder, None).await?)
}

/// What a session has its resources for: which of them it keeps busy.
fn uses_of(session: &Session) -> Vec<ResourceUse> {
    let effective = |one: ResourceUse| ResourceUse {
        transparent: session.transparent || one.transparent,
        ..one
    };
    session.uses().map(effective).collect()
}

/// Whose bookings an act touches: those of which something can still become.
enum Under {
    /// A class session's.
    Session(ScheduleId, SessionId),
    /// Those of some class sessions.
    Sessions(Vec<SessionId>),
    /// A course run's.
    Run(ScheduleId),
    /// All of some schedules that aren't over.
    Schedules(Vec<ScheduleId>),
}

impl Under {
    async fn find(&self, tx: &mut Tx<'_>) -> Result<Vec<Booking>, Failure> {
        let (site, now) = (tx.site(), tx.now());
        Ok(match self {
            Self::Session(schedule, session) => {
                bookings::of_schedule(tx.conn(), site, *schedule, Some(*session), &OPEN).await?
            }
            Self::Sessions(sessions) => bookings::of_sessions(tx.conn(), site, sessions, &OPEN).await?,
            Self::Run(schedule) => bookings::of_schedule(tx.conn(), site, *schedule, None, &OPEN).await?,
            Self::Schedules(schedules) => bookings::upcoming(tx.conn(), site, schedules, &OPEN, now).await?,
        })
    }

    /// Locks what an act touches with the bookings that were `seen`, so that none of them changes until the commit.
    async fn lock(&self, tx: &mut Tx<'_>, spots: &[Spot], seen: &[Booking]) -> Result<(Ledger, Vec<Booking>), Failure> {
        let ids: Vec<BookingId> = seen.iter().map(|booking| booking.id).collect();
        let ledger = Ledger::lock_all(tx, spots, &ids).await?;
        // What was read before the locks may be old. A booking that came meanwhile, or that holds something else by
        // now, isn't locked with all that it needs: begin anew.
        let found = self.find(tx).await?;
        let changed = |booking: &Booking| {
            seen.iter()
                .find(|before| before.id == booking.id)
                .is_none_or(|before| before.booked != booking.booked)
        };
        if found.iter().any(changed) {
            return Err(Failure::Again);
        }
        Ok((ledger, found))
    }
}

/// Refuses to touch bookings that somebody counts on without a word about what is to become of them.
fn require_choice(kind: Kind, bookings: &[Booking], ledger: &Ledger, chosen: bool) -> Result<(), Rejection> {
    if chosen {
        return Ok(());
    }
    refuse_bookings(kind, bookings.iter().filter(|booking| stands(booking, ledger)))
}

/// Refuses to touch these bookings, if there are any.
fn refuse_bookings<'a>(kind: Kind, bookings: impl Iterator<Item = &'a Booking>) -> Result<(), Rejection> {
    let bookings: Vec<BookingId> = bookings.map(|booking| booking.id).collect();
    if bookings.is_empty() {
        return Ok(());
    }
    Err(Rejection::HasBookings {
        kind,
        count: i64::try_from(bookings.len()).unwrap_or(i64::MAX),
        sessions: 0,
        bookings,
    })
}

/// A session is offered, or isn't any more.
fn offer_changed(tx: &mut Tx<'_>, session: &Session) {
    tx.touch(Matter::Service(session.service), Some(session.span));
}

/// The run's span after a change of its sessions; its bookings follow.
async fn follow_run(
    tx: &mut Tx<'_>,
    ledger: &Ledger,
    run: &Schedule,
    bookings: &[Booking],
    actor: &Actor,
) -> Result<(), Failure> {
    let site = tx.site();
    let span = store::session_span(tx.conn(), site, run.id).await?;
    if span == run.span {
        return Ok(());
    }
    let mut after = run.clone();
    after.span = span;
    after.revision += 1;
    after.updated = ledger.now();
    store::save_schedule(tx.conn(), site, &after).await?;
    for booking in bookings {
        let mut booked = booking.booked.clone();
        booked.span = span;
        rewrite(tx, ledger, booking, booked, actor).await?;
    }
    Ok(())
}

/// Where the seats of a session or run are.
fn seats_of(target: Target) -> Spot {
    (target, all_time())
}
