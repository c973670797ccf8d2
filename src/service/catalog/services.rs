//! Services.

use super::{Change, Edit, Removed, Requirements, Under, check_revision, lock_service, require_choice, seats_of};
use crate::{
    domain::{
        Rejection,
        booking::Location,
        catalog::{
            OnlineBooking, PaymentOptions, Price, Schedule, Service as Offered, ServiceKind, Session, SessionStatus,
            Site, SlotStep,
        },
        conflict::{Holder, Target},
        ids::{BookingId, Kind, ResourceId, ScheduleId, ServiceId, SiteId},
        permission::Permission,
        text,
        time::TimeSpan,
    },
    service::{
        Caller, Error, IdempotencyKey, Service, access,
        bookings::{Ledger, Spot, all_time, cancel_all, spots_of},
    },
    store::{Command, Failure, Tx, catalog as store, sites},
};

/// A service that is to be made, with its schedule.
#[derive(Debug, Clone)]
pub struct CreateService {
    /// Which of the three kinds.
    pub kind: ServiceKind,
    /// Its name.
    pub name: String,
    /// Its slug; made of the name if not said.
    pub slug: Option<String>,
    /// What it is.
    pub description: Option<String>,
    /// Seats of new sessions or of a run; 1 if not said.
    pub default_capacity: Option<i32>,
    /// Lengths of an appointment, in minutes, the usual one first.
    pub durations: Vec<i32>,
    /// Minutes kept free after an appointment.
    pub buffer_minutes: i32,
    /// How far apart the starts of appointments are; 30 minutes if not said.
    pub slot_step: Option<SlotStep>,
    /// What it costs.
    pub price: Price,
    /// How it can be paid for.
    pub payment_options: PaymentOptions,
    /// Whether and how customers book it by themselves.
    pub online_booking: OnlineBooking,
    /// Where it takes place.
    pub location: Option<Location>,
    /// Who and what an appointment needs.
    pub requirements: Requirements,
}

/// What changes of a service.
#[derive(Debug, Clone, Default)]
pub struct ServiceChanges {
    /// Its name.
    pub name: Option<String>,
    /// Its slug.
    pub slug: Option<String>,
    /// What it is.
    pub description: Change<String>,
    /// Seats of new sessions or runs; a course's runs keep theirs.
    pub default_capacity: Option<i32>,
    /// Lengths of an appointment, all of them.
    pub durations: Option<Vec<i32>>,
    /// Minutes kept free after an appointment; those that are booked keep theirs.
    pub buffer_minutes: Option<i32>,
    /// How far apart the starts of appointments are.
    pub slot_step: Option<SlotStep>,
    /// What it costs.
    pub price: Option<Price>,
    /// How it can be paid for.
    pub payment_options: Option<PaymentOptions>,
    /// Whether and how customers book it by themselves.
    pub online_booking: Option<OnlineBooking>,
    /// Where it takes place.
    pub location: Change<Location>,
    /// Who and what an appointment needs.
    pub requirements: Option<Requirements>,
}

/// Changes of a service.
#[derive(Debug, Clone)]
pub struct UpdateService {
    /// Which, and how.
    pub edit: Edit<ServiceId>,
    /// What changes.
    pub changes: ServiceChanges,
}

/// The site with its row locked: its currency can't change under a price, and slugs are given out one by one.
async fn lock_site(tx: &mut Tx<'_>) -> Result<Site, Failure> {
    sites::lock(tx).await?;
    let id = tx.site();
    sites::find(tx.conn(), id)
        .await?
        .ok_or_else(|| Rejection::not_found(Kind::Site, &[]).into())
}

/// Slugs are compared here and not by the unique index alone, so that a taken one is refused without spoiling the
/// transaction.
async fn check_slug(tx: &mut Tx<'_>, slug: &str, own: ServiceId) -> Result<(), Failure> {
    let site = tx.site();
    match store::find_service_by_slug(tx.conn(), site, slug).await? {
        Some(other) if other.id != own => Err(Rejection::AlreadyExists {
            kind: Kind::Service,
            path: vec!["slug".to_owned()],
        }
        .into()),
        _ => Ok(()),
    }
}

async fn free_slug(tx: &mut Tx<'_>, name: &str, kind: ServiceKind) -> Result<String, Failure> {
    let site = tx.site();
    let slug = text::slug_of(name).unwrap_or_else(|| kind.to_string());
    let taken = store::service_slugs(tx.conn(), site).await?;
    let mut number = 1;
    loop {
        let candidate = text::numbered_slug(&slug, number);
        if !taken.contains(&candidate) {
            return Ok(candidate);
        }
        number += 1;
    }
}

struct Create {
    site: SiteId,
    id: ServiceId,
    schedule: ScheduleId,
    input: CreateService,
}

impl Command for Create {
    type Output = Offered;

    fn site(&self) -> SiteId {
        self.site
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<Offered, Failure> {
        let site = lock_site(tx).await?;
        let now = tx.now();
        let input = self.input.clone();
        let slug = match input.slug {
            Some(slug) => slug,
            None => free_slug(tx, &input.name, input.kind).await?,
        };
        let requirements = input.requirements.resolve(tx, &[]).await?;
        let service = Offered {
            id: self.id,
            kind: input.kind,
            name: input.name,
            slug,
            description: input.description,
            default_capacity: input.default_capacity.unwrap_or(1),
            durations: input.durations,
            buffer_minutes: input.buffer_minutes,
            slot_step: input.slot_step.unwrap_or_default(),
            price: input.price,
            payment_options: input.payment_options,
            online_booking: input.online_booking,
            location: input.location,
            requirements,
            schedule: self.schedule,
            revision: 1,
            created: now,
            updated: now,
        };
        service.check(site.currency)?;
        check_slug(tx, &service.slug, service.id).await?;
        let schedule = Schedule {
            id: self.schedule,
            service: self.id,
            name: service.name.clone(),
            capacity: service.default_capacity,
            span: None,
            revision: 1,
            created: now,
            updated: now,
        };
        store::insert_service(tx.conn(), self.site, &service).await?;
        store::insert_schedule(tx.conn(), self.site, &schedule).await?;
        Ok(service)
    }
}

struct Update {
    site: SiteId,
    input: UpdateService,
}

impl Command for Update {
    type Output = Offered;

    fn site(&self) -> SiteId {
        self.site
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<Offered, Failure> {
        let (edit, changes) = (&self.input.edit, self.input.changes.clone());
        let site = lock_site(tx).await?;
        let before = lock_service(tx, edit.id, Kind::Service, &["serviceId"]).await?;
        check_revision(Kind::Service, before.revision, edit.expected_revision)?;
        let now = tx.now();
        let mut after = before.clone();
        after.name = changes.name.unwrap_or(after.name);
        after.slug = changes.slug.unwrap_or(after.slug);
        changes.description.apply(&mut after.description);
        after.default_capacity = changes.default_capacity.unwrap_or(after.default_capacity);
        after.durations = changes.durations.unwrap_or(after.durations);
        after.buffer_minutes = changes.buffer_minutes.unwrap_or(after.buffer_minutes);
        after.slot_step = changes.slot_step.unwrap_or(after.slot_step);
        after.price = changes.price.unwrap_or(after.price);
        after.payment_options = changes.payment_options.unwrap_or(after.payment_options);
        after.online_booking = changes.online_booking.unwrap_or(after.online_booking);
        changes.location.apply(&mut after.location);
        if let Some(requirements) = changes.requirements {
            after.requirements = requirements.resolve(tx, &before.requirements).await?;
        }
        after.check(site.currency)?;
        check_slug(tx, &after.slug, after.id).await?;
        after.revision += 1;
        after.updated = now;
        store::save_service(tx.conn(), self.site, &after).await?;
        if after.kind == ServiceKind::Class && after.default_capacity != before.default_capacity {
            self.follow_capacity(tx, &after).await?;
        }
        Ok(after)
    }
}

impl Update {
    /// A class's schedule says what new sessions get. A course's is its first run, whose seats are sold.
    async fn follow_capacity(&self, tx: &mut Tx<'_>, service: &Offered) -> Result<(), Failure> {
        if let Some(mut schedule) = store::find_schedule(tx.conn(), self.site, service.schedule).await? {
            schedule.capacity = service.default_capacity;
            schedule.revision += 1;
            schedule.updated = service.updated;
            store::save_schedule(tx.conn(), self.site, &schedule).await?;
        }
        Ok(())
    }
}

struct Delete {
    caller: Caller,
    edit: Edit<ServiceId>,
    cancel_bookings: bool,
}

impl Command for Delete {
    type Output = Removed<Offered>;

    fn site(&self) -> SiteId {
        self.caller.site
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<Removed<Offered>, Failure> {
        let site = self.caller.site;
        let mut service = lock_service(tx, self.edit.id, Kind::Service, &["serviceId"]).await?;
        check_revision(Kind::Service, service.revision, self.edit.expected_revision)?;
        let schedules = store::schedules_of(tx.conn(), site, service.id).await?;
        let ids: Vec<ScheduleId> = schedules.iter().map(|schedule| schedule.id).collect();
        let resources = store::candidate_ids(tx.conn(), site, &service.requirements).await?;
        let (now, canceled_bookings) =
            empty_schedules(tx, &self.caller, &ids, &resources, Kind::Service, self.cancel_bookings).await?;
        service.revision += 1;
        service.updated = now;
        store::save_service(tx.conn(), site, &service).await?;
        for schedule in ids {
            store::delete_schedule(tx.conn(), site, schedule, now).await?;
        }
        store::delete_service(tx.conn(), site, service.id, now).await?;
        Ok(Removed {
            object: service,
            canceled_bookings,
        })
    }
}

/// Cancels the sessions and bookings of schedules that are to be deleted, as far as they aren't over. Refused if
/// somebody counts on a booking and nothing was said about it. New appointments need one of the `resources`: they are
/// locked, so that none is made meanwhile.
pub(super) async fn empty_schedules(
    tx: &mut Tx<'_>,
    caller: &Caller,
    schedules: &[ScheduleId],
    resources: &[ResourceId],
    kind: Kind,
    cancel_bookings: bool,
) -> Result<(jiff::Timestamp, i64), Failure> {
    let (site, now) = (tx.site(), tx.now());
    let under = Under::Schedules(schedules.to_vec());
    let seen = under.find(tx).await?;
    let sessions = store::upcoming_sessions(tx.conn(), site, schedules, now).await?;
    let mut spots: Vec<Spot> = schedules.iter().map(|id| seats_of(Target::Schedule(*id))).collect();
    spots.extend(sessions.iter().flat_map(held_by));
    spots.extend(seen.iter().flat_map(spots_of));
    spots.extend(
        resources
            .iter()
            .filter_map(|id| Some((Target::Resource(*id), TimeSpan::new(now, all_time().end())?))),
    );
    let (mut ledger, bookings) = under.lock(tx, &spots, &seen).await?;
    require_choice(kind, &bookings, &ledger, cancel_bookings)?;
    let ids: Vec<BookingId> = bookings.iter().map(|booking| booking.id).collect();
    let canceled = cancel_all(tx, &mut ledger, &ids, &caller.actor).await?;
    for session in sessions {
        call_off(tx, &mut ledger, session).await?;
    }
    ledger.review(tx, None, &caller.actor).await?;
    Ok((ledger.now(), canceled))
}

/// What a session holds and what is held of it.
pub(super) fn held_by(session: &Session) -> Vec<Spot> {
    let resources = session
        .resources
        .iter()
        .map(|resource| (Target::Resource(resource.id), session.span));
    std::iter::once(seats_of(Target::Session(session.id)))
        .chain(resources)
        .collect()
}

/// Cancels a session: it needs nobody any more.
pub(super) async fn call_off(tx: &mut Tx<'_>, ledger: &mut Ledger, mut session: Session) -> Result<Session, Failure> {
    let site = tx.site();
    ledger.release(tx, Holder::Session(session.id)).await?;
    session.status = SessionStatus::Cancelled;
    session.revision += 1;
    session.updated = ledger.now();
    store::save_session(tx.conn(), site, &session).await?;
    Ok(session)
}

impl Service {
    /// Makes a service and its schedule.
    pub async fn create_service(
        &self,
        caller: &Caller,
        input: CreateService,
        key: Option<IdempotencyKey>,
    ) -> Result<Offered, Error> {
        access::require(Permission::ManageCatalog, caller)?;
        let command = Create {
            site: caller.site,
            id: ServiceId::new(),
            schedule: ScheduleId::new(),
            input,
        };
        self.once(caller, "createService", key, command).await
    }

    /// Changes a service. What is booked stays as it was booked.
    pub async fn update_service(&self, caller: &Caller, mut input: UpdateService) -> Result<Offered, Error> {
        access::require(Permission::ManageCatalog, caller)?;
        let key = input.edit.idempotency.take();
        self.once(
            caller,
            "updateService",
            key,
            Update {
                site: caller.site,
                input,
            },
        )
        .await
    }

    /// Deletes a service with its schedules and future sessions. Refused while somebody counts on a booking of the
    /// future, unless such bookings are to be canceled with it.
    pub async fn delete_service(
        &self,
        caller: &Caller,
        mut edit: Edit<ServiceId>,
        cancel_bookings: bool,
    ) -> Result<Removed<Offered>, Error> {
        access::require(Permission::ManageCatalog, caller)?;
        let key = edit.idempotency.take();
        self.once(
            caller,
            "deleteService",
            key,
            Delete {
                caller: caller.clone(),
                edit,
                cancel_bookings,
            },
        )
        .await
    }
}
