//! Deleting a service: what goes with it, and what may stay (`spec/catalog-availability.md` §1.10).

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    Edit, Under, check_revision, lock_service, require_choice, seats_of,
    services::{call_off, held_by},
};
use crate::{
    domain::{
        booking::{Booking, ParticipantNotification},
        catalog::{Service as Offered, ServiceKind, Session},
        conflict::Target,
        event::Matter,
        ids::{BookingId, Kind, ResourceId, ScheduleId, ServiceId, SessionId, SiteId},
        permission::Permission,
        time::TimeSpan,
    },
    service::{
        Caller, Error, Outcome, Service, access,
        bookings::{Ledger, Spot, all_time, cancel_all_telling, spots_of, stands},
    },
    store::{Command, Failure, Tx, catalog as store},
};

/// What is to become of the bookings of a service that is deleted, as far as they aren't over and somebody counts on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BookingsOfService {
    /// Nothing was said: there may be none.
    Refuse,
    /// They are canceled.
    Cancel,
    /// They stay, with their sessions.
    Keep,
}

/// A service that is to be deleted.
#[derive(Debug, Clone)]
pub struct DeleteService {
    /// Which, and how.
    pub edit: Edit<ServiceId>,
    /// What is to become of its bookings.
    pub bookings: BookingsOfService,
    /// Whether it is only counted what that would do.
    pub dry_run: bool,
    /// What the participants of canceled bookings are to be told.
    pub notification: Option<ParticipantNotification>,
}

/// What a deletion does to what isn't over yet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeletionImpact {
    /// Bookings that are canceled, those that were only begun too.
    pub bookings: i64,
    /// How many were to come by them.
    pub participants: i64,
    /// Sessions that are cancelled.
    pub sessions: i64,
    /// Bookings that stay.
    pub preserved_bookings: i64,
    /// How many come by them.
    pub preserved_participants: i64,
    /// Sessions that stay.
    pub preserved_sessions: i64,
}

/// What became of a deletion.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DeletedService {
    /// The service as it was left, unless it was only counted.
    #[serde(alias = "object")]
    pub service: Option<Offered>,
    /// What that did, or would do. Answers that were kept before it was counted have none.
    #[serde(default)]
    pub impact: DeletionImpact,
}

impl Outcome for DeletedService {
    fn changed(&self) -> bool {
        self.service.is_some()
    }
}

struct Delete {
    caller: Caller,
    input: DeleteService,
}

/// What of a service goes, and what stays.
struct Split {
    gone: Vec<Booking>,
    kept: Vec<Booking>,
    gone_sessions: Vec<Session>,
    kept_sessions: usize,
    /// Schedules on which something stays.
    kept_schedules: BTreeSet<ScheduleId>,
}

impl Split {
    fn new(
        kind: ServiceKind,
        bookings: Vec<Booking>,
        sessions: Vec<Session>,
        keeps: impl Fn(&Booking) -> bool,
    ) -> Self {
        let (kept, gone): (Vec<Booking>, Vec<Booking>) = bookings.into_iter().partition(keeps);
        let of_schedules: BTreeSet<ScheduleId> = kept.iter().map(|booking| booking.booked.schedule).collect();
        let of_sessions: BTreeSet<SessionId> = kept.iter().filter_map(|booking| booking.booked.session).collect();
        let all = sessions.len();
        let stays = |session: &Session| match kind {
            // Who is in a course is in all of its sessions.
            ServiceKind::Course => of_schedules.contains(&session.schedule),
            ServiceKind::Appointment | ServiceKind::Class => of_sessions.contains(&session.id),
        };
        let gone_sessions: Vec<Session> = sessions.into_iter().filter(|session| !stays(session)).collect();
        Self {
            kept_sessions: all - gone_sessions.len(),
            kept_schedules: of_schedules,
            gone,
            kept,
            gone_sessions,
        }
    }

    fn impact(&self) -> DeletionImpact {
        let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        let people = |bookings: &[Booking]| bookings.iter().map(|b| i64::from(b.participants.total)).sum();
        DeletionImpact {
            bookings: number(self.gone.len()),
            participants: people(&self.gone),
            sessions: number(self.gone_sessions.len()),
            preserved_bookings: number(self.kept.len()),
            preserved_participants: people(&self.kept),
            preserved_sessions: number(self.kept_sessions),
        }
    }
}

/// Schedules that are to be emptied of what isn't over yet, because they are to be deleted. Their service is locked.
pub(super) struct Emptying<'a> {
    pub(super) caller: &'a Caller,
    pub(super) kind: ServiceKind,
    /// What is deleted.
    pub(super) what: Kind,
    pub(super) schedules: &'a [ScheduleId],
    /// New appointments need one of them: they are locked, so that none is made meanwhile.
    pub(super) resources: &'a [ResourceId],
    pub(super) bookings: BookingsOfService,
    pub(super) notification: Option<&'a ParticipantNotification>,
}

/// What became of them.
pub(super) struct Emptied {
    pub(super) now: Timestamp,
    pub(super) impact: DeletionImpact,
    /// On these something stays.
    pub(super) kept: BTreeSet<ScheduleId>,
}

impl Emptying<'_> {
    /// What it would do. Nothing is locked: that would settle holds that ran out.
    async fn look(&self, tx: &mut Tx<'_>) -> Result<DeletionImpact, Failure> {
        let (site, now) = (tx.site(), tx.now());
        let bookings = Under::Schedules(self.schedules.to_vec()).find(tx).await?;
        let sessions = store::upcoming_sessions(tx.conn(), site, self.schedules, now).await?;
        let ledger = Ledger::look(tx, &[]).await?;
        Ok(self.split(bookings, sessions, &ledger).impact())
    }

    /// Does it. Refused if somebody counts on a booking and nothing was said about it.
    pub(super) async fn run(&self, tx: &mut Tx<'_>) -> Result<Emptied, Failure> {
        let (site, now) = (tx.site(), tx.now());
        let under = Under::Schedules(self.schedules.to_vec());
        let seen = under.find(tx).await?;
        let sessions = store::upcoming_sessions(tx.conn(), site, self.schedules, now).await?;
        let mut spots: Vec<Spot> = self
            .schedules
            .iter()
            .map(|id| seats_of(Target::Schedule(*id)))
            .collect();
        spots.extend(sessions.iter().flat_map(held_by));
        spots.extend(seen.iter().flat_map(spots_of));
        let from_now = TimeSpan::new(now, all_time().end());
        spots.extend(
            self.resources
                .iter()
                .filter_map(|id| Some((Target::Resource(*id), from_now?))),
        );
        let (mut ledger, bookings) = under.lock(tx, &spots, &seen).await?;
        let chosen = self.bookings != BookingsOfService::Refuse;
        require_choice(self.what, &bookings, &ledger, chosen)?;
        let split = self.split(bookings, sessions, &ledger);
        let impact = split.impact();
        let gone: Vec<BookingId> = split.gone.iter().map(|booking| booking.id).collect();
        let actor = &self.caller.actor;
        cancel_all_telling(tx, &mut ledger, &gone, actor, self.notification).await?;
        for session in split.gone_sessions {
            call_off(tx, &mut ledger, session).await?;
        }
        ledger.review(tx, None, actor).await?;
        Ok(Emptied {
            now: ledger.now(),
            impact,
            kept: split.kept_schedules,
        })
    }

    fn split(&self, bookings: Vec<Booking>, sessions: Vec<Session>, ledger: &Ledger) -> Split {
        let keep = self.bookings == BookingsOfService::Keep;
        Split::new(self.kind, bookings, sessions, |booking| keep && stands(booking, ledger))
    }
}

impl Command for Delete {
    type Output = DeletedService;

    fn site(&self) -> SiteId {
        self.caller.site
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<DeletedService, Failure> {
        let (site, input) = (self.caller.site, &self.input);
        let mut service = lock_service(tx, input.edit.id, Kind::Service, &["serviceId"]).await?;
        check_revision(Kind::Service, service.revision, input.edit.expected_revision)?;
        let schedules = store::schedules_of(tx.conn(), site, service.id).await?;
        let ids: Vec<ScheduleId> = schedules.iter().map(|schedule| schedule.id).collect();
        let resources = store::candidate_ids(tx.conn(), site, &service.requirements).await?;
        let emptying = Emptying {
            caller: &self.caller,
            kind: service.kind,
            what: Kind::Service,
            schedules: &ids,
            resources: &resources,
            bookings: input.bookings,
            notification: input.notification.as_ref(),
        };
        if input.dry_run {
            let impact = emptying.look(tx).await?;
            return Ok(DeletedService { service: None, impact });
        }
        let Emptied { now, impact, kept } = emptying.run(tx).await?;
        service.revision += 1;
        service.updated = now;
        store::save_service(tx.conn(), site, &service).await?;
        // A schedule with something on it stays: that is what it is known by.
        for schedule in ids.into_iter().filter(|id| !kept.contains(id)) {
            store::delete_schedule(tx.conn(), site, schedule, now).await?;
        }
        store::delete_service(tx.conn(), site, service.id, now).await?;
        tx.touch(Matter::Service(service.id), None);
        service.presentation.category = None;
        Ok(DeletedService {
            service: Some(service),
            impact,
        })
    }
}

impl Service {
    /// Deletes a service with its schedules and future sessions. Refused while somebody counts on a booking of the
    /// future, unless it was said what is to become of such bookings.
    pub async fn delete_service(&self, caller: &Caller, mut input: DeleteService) -> Result<DeletedService, Error> {
        access::require(Permission::ManageCatalog, caller)?;
        let key = input.edit.idempotency.take();
        let command = Delete {
            caller: caller.clone(),
            input,
        };
        self.once(caller, "deleteService", key, command).await
    }
}
