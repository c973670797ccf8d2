//! Sessions of classes and courses.

use jiff::civil::DateTime;

use super::{
    Change, Edit, Removed, SessionResources, Under, check_revision, follow_run, locations, lock_schedule,
    lock_service_ever, occupy, offer_changed, require_choice, seats_of,
    series::{CancelMany, Place, Scope, UpdateMany, Word, check_kind, check_series_revision, restore, update_one},
    services::{call_off, held_by},
    uses_of, zone_of,
};
use crate::{
    domain::{
        Rejection,
        booking::{Booking, Location},
        catalog::{
            LocationWish, Schedule, Service as Offered, ServiceKind, Session, SessionStatus, WallTime, check_capacity,
        },
        conflict::{Holder, Target},
        event::Matter,
        ids::{BookingId, Kind, ResourceId, ScheduleId, SeriesId, SessionId, SiteId},
        permission::Permission,
        recurrence::Inherited,
        text,
        time::ZoneName,
    },
    service::{
        Caller, Error, IdempotencyKey, Service, access,
        bookings::{Ledger, Spot, cancel_all, rewrite},
    },
    store::{Command, Failure, Tx, catalog as store},
};

/// A session that is to be made.
#[derive(Debug, Clone)]
pub struct CreateSession {
    /// On which schedule.
    pub schedule: ScheduleId,
    /// The wall clock at its start.
    pub local_start: DateTime,
    /// The wall clock at its end.
    pub local_end: DateTime,
    /// The zone of that clock; the site's if not said.
    pub time_zone: Option<ZoneName>,
    /// Its title; the service's name if not said.
    pub title: Option<String>,
    /// Its seats, of a class; the schedule's if not said.
    pub capacity: Option<i32>,
    /// Who and what it needs.
    pub resources: SessionResources,
    /// Whether it keeps none of them busy.
    pub transparent: bool,
    /// Where, if not at the service's place.
    pub location: Option<LocationWish>,
    /// Whether its resources may be busy.
    pub allow_overlap: bool,
}

/// What changes of a session.
#[derive(Debug, Clone, Default)]
pub struct SessionChanges {
    /// The wall clock at its start. Without a new end it stays as long as it is.
    pub local_start: Option<DateTime>,
    /// The wall clock at its end.
    pub local_end: Option<DateTime>,
    /// The zone of that clock.
    pub time_zone: Option<ZoneName>,
    /// Its title.
    pub title: Option<String>,
    /// Its seats, of a class.
    pub capacity: Option<i32>,
    /// Who and what it needs, all of them.
    pub resources: Option<SessionResources>,
    /// Whether it keeps none of them busy.
    pub transparent: Option<bool>,
    /// Where, if not at the service's place.
    pub location: Change<LocationWish>,
}

/// Changes of a session.
#[derive(Debug, Clone)]
pub struct UpdateSession {
    /// Which, and how.
    pub edit: Edit<SessionId>,
    /// Whether it alone, or others of its series with it.
    pub scope: Scope,
    /// The revision of the series that the caller saw.
    pub expected_series_revision: Option<i64>,
    /// What changes.
    pub changes: SessionChanges,
    /// Another rule for the series, if others change with it.
    pub recurrence: Option<String>,
    /// Whether its resources may be busy.
    pub allow_overlap: bool,
    /// Whether its bookings move to another time with it.
    pub move_bookings: bool,
    /// Whether the bookings of sessions for which another rule has no place are canceled.
    pub cancel_bookings: bool,
}

/// A session that is to follow its series again.
#[derive(Debug, Clone)]
pub struct RestoreSession {
    /// Which, and how.
    pub edit: Edit<SessionId>,
    /// In what.
    pub fields: Vec<Inherited>,
    /// Whether its resources may be busy.
    pub allow_overlap: bool,
    /// Whether its bookings move to another time with it.
    pub move_bookings: bool,
}

/// A session that is not to take place.
#[derive(Debug, Clone)]
pub struct CancelSession {
    /// Which, and how.
    pub edit: Edit<SessionId>,
    /// Whether it alone, or others of its series with it.
    pub scope: Scope,
    /// The revision of the series that the caller saw.
    pub expected_series_revision: Option<i64>,
    /// Whether its bookings are canceled with it.
    pub cancel_bookings: bool,
}

pub(super) fn check(session: &Session) -> Result<(), Rejection> {
    text::required(&session.title, 400).map_err(|invalid| invalid.at("title"))?;
    check_capacity(session.capacity).map_err(|invalid| invalid.at("capacity"))?;
    Ok(())
}

/// The seats of a course are the run's: a session has none to set.
pub(super) fn check_seats(service: &Offered, capacity: Option<i32>) -> Result<(), Rejection> {
    if service.kind == ServiceKind::Course && capacity.is_some() {
        return Err(Rejection::invalid(&["capacity"], "is the run's: see `updateSchedule`"));
    }
    Ok(())
}

pub(super) struct Create {
    pub(super) caller: Caller,
    pub(super) id: SessionId,
    pub(super) input: CreateSession,
}

impl Command for Create {
    type Output = Session;

    fn site(&self) -> SiteId {
        self.caller.site
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<Session, Failure> {
        let (input, site) = (&self.input, self.caller.site);
        let (service, schedule) = lock_schedule(tx, input.schedule).await?;
        check_kind(&service)?;
        check_seats(&service, input.capacity)?;
        let zone = zone_of(tx, input.time_zone.as_ref()).await?;
        let time = WallTime::new(input.local_start, input.local_end, zone).map_err(Rejection::from)?;
        let location = locations::of_session(tx, &service, input.location.as_ref()).await?;
        let mut spots: Vec<Spot> = input
            .resources
            .ids()
            .map(|resource| (Target::Resource(resource), time.span))
            .collect();
        let under = Under::Run(schedule.id);
        let course = service.kind == ServiceKind::Course;
        let seen = if course { under.find(tx).await? } else { Vec::new() };
        let (mut ledger, bookings) = if course {
            spots.push(seats_of(Target::Schedule(schedule.id)));
            under.lock(tx, &spots, &seen).await?
        } else {
            (Ledger::lock(tx, &spots, None).await?, Vec::new())
        };
        let resources = input.resources.find(tx).await?;
        let now = ledger.now();
        let session = Session {
            id: self.id,
            schedule: schedule.id,
            service: service.id,
            title: input.title.clone().unwrap_or_else(|| service.name.clone()),
            local_start: time.local_start,
            local_end: time.local_end,
            time_zone: time.time_zone,
            span: time.span,
            capacity: input.capacity.unwrap_or(schedule.capacity),
            status: SessionStatus::Confirmed,
            resources,
            transparent: input.transparent,
            location,
            series: None,
            revision: 1,
            created: now,
            updated: now,
        };
        check(&session)?;
        store::insert_session(tx.conn(), site, &session).await?;
        offer_changed(tx, &session);
        let holder = Holder::Session(session.id);
        occupy(
            tx,
            &mut ledger,
            holder,
            uses_of(&session),
            session.span,
            input.allow_overlap,
        )
        .await?;
        follow(tx, &ledger, &service, &schedule, &bookings, &self.caller).await?;
        Ok(session)
    }
}

/// A course's run begins or ends elsewhere with its sessions. A class has no such span that anybody holds.
pub(super) async fn follow(
    tx: &mut Tx<'_>,
    ledger: &Ledger,
    service: &Offered,
    schedule: &Schedule,
    bookings: &[Booking],
    caller: &Caller,
) -> Result<(), Failure> {
    let of_run = if service.kind == ServiceKind::Course {
        // What is offered is the run: from its first session to its last.
        tx.touch(Matter::Service(service.id), None);
        bookings
    } else {
        &[]
    };
    follow_run(tx, ledger, schedule, of_run, &caller.actor).await
}

/// A session that takes place, with its service locked.
async fn lock(tx: &mut Tx<'_>, id: SessionId) -> Result<(Offered, Schedule, Session), Failure> {
    let site = tx.site();
    let missing = || Rejection::not_found(Kind::Session, &["sessionId"]);
    let seen = store::find_session(tx.conn(), site, id).await?.ok_or_else(missing)?;
    let (service, live) = lock_service_ever(tx, seen.service, Kind::Session, &["sessionId"]).await?;
    let schedule = store::find_schedule(tx.conn(), site, seen.schedule)
        .await?
        .ok_or_else(missing)?;
    let mut session = store::find_session(tx.conn(), site, id).await?.ok_or_else(missing)?;
    if session.status == SessionStatus::Cancelled {
        return Err(missing().into());
    }
    if !live {
        // The series ended with the service. What outlived it stands alone.
        session.series = None;
    }
    Ok((service, schedule, session))
}

/// Whose bookings a change of the session touches, and where their seats are.
fn under(service: &Offered, session: &Session) -> (Under, Target) {
    match service.kind {
        ServiceKind::Course => (Under::Run(session.schedule), Target::Schedule(session.schedule)),
        _ => (
            Under::Session(session.schedule, session.id),
            Target::Session(session.id),
        ),
    }
}

/// Refuses what is said of a series where it alone is meant, or where there is none.
fn check_scope(
    session: &Session,
    scope: Scope,
    recurrence: Option<&String>,
    expected_series_revision: Option<i64>,
) -> Result<(), Rejection> {
    if expected_series_revision.is_some() && session.series.is_none() {
        return Err(Rejection::invalid(
            &["expectedSeriesRevision"],
            "is for sessions of a series, and this one is of none",
        ));
    }
    if scope == Scope::This && recurrence.is_some() {
        return Err(Rejection::invalid(
            &["recurrence"],
            "is the series': say `scope` to change more than this session",
        ));
    }
    if scope != Scope::This && session.series.is_none() {
        return Err(Rejection::invalid(
            &["scope"],
            "is for sessions of a series, and this one is of none",
        ));
    }
    Ok(())
}

pub(super) struct Update {
    pub(super) caller: Caller,
    /// What the series of the rest is to be known by, if there will be one.
    pub(super) rest: SeriesId,
    pub(super) input: UpdateSession,
}

impl Command for Update {
    type Output = Session;

    fn site(&self) -> SiteId {
        self.caller.site
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<Session, Failure> {
        let (input, site, actor) = (&self.input, self.caller.site, &self.caller.actor);
        let (service, schedule, before) = lock(tx, input.edit.id).await?;
        check_revision(Kind::Session, before.revision, input.edit.expected_revision)?;
        check_seats(&service, input.changes.capacity)?;
        check_scope(
            &before,
            input.scope,
            input.recurrence.as_ref(),
            input.expected_series_revision,
        )?;
        if before.series.is_some() {
            let place = Place {
                service: &service,
                schedule: &schedule,
                caller: &self.caller,
            };
            check_series_revision(tx, &before, input.expected_series_revision).await?;
            if input.scope == Scope::This {
                return update_one(tx, place, &before, input).await;
            }
            let rest = self.rest;
            return UpdateMany { place, input, rest }.run(tx, &before).await;
        }
        let location = locations::change_of_session(tx, &service, &input.changes.location).await?;
        let mut after = self.changed(&before, location)?;
        let (under, seats) = under(&service, &before);
        let mut spots = held_by(&before);
        spots.push(seats_of(seats));
        let wanted: Vec<ResourceId> = match &input.changes.resources {
            Some(resources) => resources.ids().collect(),
            None => before.resources.iter().map(|resource| resource.id).collect(),
        };
        spots.extend(wanted.iter().map(|resource| (Target::Resource(*resource), after.span)));
        let seen = under.find(tx).await?;
        let (mut ledger, bookings) = under.lock(tx, &spots, &seen).await?;
        if let Some(resources) = &input.changes.resources {
            after.resources = resources.find(tx).await?;
        }
        let moves = after.span != before.span;
        if moves && service.kind == ServiceKind::Class {
            require_choice(Kind::Session, &bookings, &ledger, input.move_bookings)?;
        }
        after.updated = ledger.now();
        store::save_session(tx.conn(), site, &after).await?;
        offer_changed(tx, &before);
        offer_changed(tx, &after);
        if moves || uses_of(&after) != uses_of(&before) {
            let (holder, uses) = (Holder::Session(after.id), uses_of(&after));
            occupy(tx, &mut ledger, holder, uses, after.span, input.allow_overlap).await?;
        }
        if after.capacity != before.capacity {
            ledger.set_capacity(tx, seats, after.capacity).await?;
        }
        if service.kind == ServiceKind::Class {
            let location = locations::whereabouts(tx, &service, after.location.as_ref()).await?;
            for booking in &bookings {
                let mut booked = booking.booked.clone();
                booked.span = Some(after.span);
                booked.title.clone_from(&after.title);
                booked.resources = after.told();
                booked.location.clone_from(&location);
                rewrite(tx, &ledger, booking, booked, actor).await?;
            }
        }
        follow(tx, &ledger, &service, &schedule, &bookings, &self.caller).await?;
        ledger.review(tx, None, actor).await?;
        Ok(after)
    }
}

impl Update {
    fn changed(&self, before: &Session, location: Change<Location>) -> Result<Session, Rejection> {
        let changes = self.input.changes.clone();
        let mut after = before.clone();
        if changes.local_start.is_some() || changes.local_end.is_some() || changes.time_zone.is_some() {
            let start = changes.local_start.unwrap_or(before.local_start);
            let end = match (changes.local_end, changes.local_start) {
                (Some(end), _) => end,
                (None, Some(start)) => start
                    .checked_add(before.local_start.duration_until(before.local_end))
                    .map_err(|_| Rejection::invalid(&["localStart"], "is too late"))?,
                (None, None) => before.local_end,
            };
            let zone = changes.time_zone.unwrap_or_else(|| before.time_zone.clone());
            let time = WallTime::new(start, end, zone)?;
            after.local_start = time.local_start;
            after.local_end = time.local_end;
            after.time_zone = time.time_zone;
            after.span = time.span;
        }
        after.title = changes.title.unwrap_or(after.title);
        after.capacity = changes.capacity.unwrap_or(after.capacity);
        after.transparent = changes.transparent.unwrap_or(after.transparent);
        location.apply(&mut after.location);
        after.revision += 1;
        check(&after)?;
        Ok(after)
    }
}

pub(super) struct Cancel {
    pub(super) caller: Caller,
    pub(super) input: CancelSession,
}

impl Command for Cancel {
    type Output = Removed<Session>;

    fn site(&self) -> SiteId {
        self.caller.site
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<Removed<Session>, Failure> {
        let (input, actor) = (&self.input, &self.caller.actor);
        let (service, schedule, session) = lock(tx, input.edit.id).await?;
        check_revision(Kind::Session, session.revision, input.edit.expected_revision)?;
        check_scope(&session, input.scope, None, input.expected_series_revision)?;
        check_series_revision(tx, &session, input.expected_series_revision).await?;
        if input.scope != Scope::This {
            let place = Place {
                service: &service,
                schedule: &schedule,
                caller: &self.caller,
            };
            return CancelMany { place, input }.run(tx, &session).await;
        }
        let (under, seats) = under(&service, &session);
        let mut spots = held_by(&session);
        spots.push(seats_of(seats));
        let seen = under.find(tx).await?;
        let (mut ledger, bookings) = under.lock(tx, &spots, &seen).await?;
        let mut canceled_bookings = 0;
        if service.kind == ServiceKind::Class {
            require_choice(Kind::Session, &bookings, &ledger, input.cancel_bookings)?;
            let ids: Vec<BookingId> = bookings.iter().map(|booking| booking.id).collect();
            canceled_bookings = cancel_all(tx, &mut ledger, &ids, actor).await?;
        }
        let session = call_off(tx, &mut ledger, session).await?;
        follow(tx, &ledger, &service, &schedule, &bookings, &self.caller).await?;
        ledger.review(tx, None, actor).await?;
        Ok(Removed {
            object: session,
            canceled_bookings,
        })
    }
}

struct Restore {
    caller: Caller,
    input: RestoreSession,
}

impl Command for Restore {
    type Output = Session;

    fn site(&self) -> SiteId {
        self.caller.site
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<Session, Failure> {
        let input = &self.input;
        let (service, schedule, session) = lock(tx, input.edit.id).await?;
        check_revision(Kind::Session, session.revision, input.edit.expected_revision)?;
        let place = Place {
            service: &service,
            schedule: &schedule,
            caller: &self.caller,
        };
        let word = Word {
            allow_overlap: input.allow_overlap,
            move_bookings: input.move_bookings,
            ..Word::default()
        };
        restore(tx, place, &session, &input.fields, word).await
    }
}

impl Service {
    /// Makes a session. Refused where its resources are busy, unless the business wants it so.
    pub async fn create_session(
        &self,
        caller: &Caller,
        input: CreateSession,
        key: Option<IdempotencyKey>,
    ) -> Result<Session, Error> {
        access::require(Permission::ManageCatalog, caller)?;
        let command = Create {
            caller: caller.clone(),
            id: SessionId::new(),
            input,
        };
        self.once(caller, "createSession", key, command).await
    }

    /// Changes a session; its bookings follow. Moving a class session on whose bookings somebody counts needs a word
    /// about them. Fewer seats than are taken are allowed: nobody is put out, and the last are flagged.
    pub async fn update_session(&self, caller: &Caller, mut input: UpdateSession) -> Result<Session, Error> {
        access::require(Permission::ManageCatalog, caller)?;
        let key = input.edit.idempotency.take();
        self.once(
            caller,
            "updateSession",
            key,
            Update {
                caller: caller.clone(),
                rest: SeriesId::new(),
                input,
            },
        )
        .await
    }

    /// Lets a session follow its series again in some fields; its bookings follow it.
    pub async fn restore_session(&self, caller: &Caller, mut input: RestoreSession) -> Result<Session, Error> {
        access::require(Permission::ManageCatalog, caller)?;
        let key = input.edit.idempotency.take();
        let command = Restore {
            caller: caller.clone(),
            input,
        };
        self.once(caller, "restoreSession", key, command).await
    }

    /// Cancels a session. Of a class, its bookings have to be canceled with it; those of a course stay.
    pub async fn cancel_session(&self, caller: &Caller, mut input: CancelSession) -> Result<Removed<Session>, Error> {
        access::require(Permission::ManageCatalog, caller)?;
        let key = input.edit.idempotency.take();
        self.once(
            caller,
            "cancelSession",
            key,
            Cancel {
                caller: caller.clone(),
                input,
            },
        )
        .await
    }
}
