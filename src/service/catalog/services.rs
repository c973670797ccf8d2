//! Services.

use super::{
    Change, Edit, Requirements, ServiceLocations, check_revision, lock_service, offer_changed, options, policies,
    relocation, seats_of, slugs,
};
use crate::{
    domain::{
        Rejection,
        catalog::{
            DownPayment, LocationWish, MAX_OLD_SLUGS, Media, OnlineBooking, PaymentOptions, Presentation, Price,
            Schedule, SeoData, Service as Offered, ServiceKind, Session, SessionStatus, Site, SlotStep, SlugOrigin,
            StaffSorting,
        },
        conflict::{Holder, Target},
        event::Matter,
        ids::{BookingPolicyId, CategoryId, Kind, ScheduleId, ServiceId, SiteId},
        permission::Permission,
        text,
    },
    service::{
        Caller, Error, IdempotencyKey, Service, access,
        bookings::{Ledger, Spot},
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
    /// What of it is paid when booking.
    pub down_payment: DownPayment,
    /// How it is shown and found.
    pub presentation: Presentation,
    /// Whether and how customers book it by themselves.
    pub online_booking: OnlineBooking,
    /// Where it takes place.
    pub locations: ServiceLocations,
    /// Who and what an appointment needs.
    pub requirements: Requirements,
    /// In which order free staff are taken; as the service names them if not said.
    pub staff_sorting: Option<StaffSorting>,
    /// The policy by which customers book it; the site's default if not said.
    pub booking_policy: Option<BookingPolicyId>,
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
    /// What of it is paid when booking.
    pub down_payment: Option<DownPayment>,
    /// How it is shown and found.
    pub presentation: PresentationChanges,
    /// Whether and how customers book it by themselves.
    pub online_booking: Option<OnlineBooking>,
    /// Where it takes place.
    pub locations: Option<ServiceLocations>,
    /// Who and what an appointment needs.
    pub requirements: Option<Requirements>,
    /// In which order free staff are taken.
    pub staff_sorting: Option<StaffSorting>,
    /// The policy by which customers book it.
    pub booking_policy: Change<BookingPolicyId>,
}

/// What changes of how a service is shown and found.
#[derive(Debug, Clone, Default)]
pub struct PresentationChanges {
    /// The group that it belongs to.
    pub category: Change<CategoryId>,
    /// Whether customers don't find it in lists, and can't book it.
    pub hidden: Option<bool>,
    /// Where it stands in its category.
    pub sort_order: Option<i32>,
    /// A short line that makes one want it.
    pub tag_line: Change<String>,
    /// Pictures and films, all of them.
    pub media: Change<Media>,
    /// Words of the business's own to find it by, all of them.
    pub tags: Change<Vec<String>>,
    /// What apps keep with it, all of it.
    pub extended_fields: Change<serde_json::Value>,
    /// What search engines are told, all of it.
    pub seo: Change<SeoData>,
}

impl PresentationChanges {
    /// Makes the changes.
    pub fn apply(self, shown: &mut Presentation) {
        fn all<T: Default>(change: Change<T>, value: &mut T) {
            if let Some(given) = change.given() {
                *value = given.unwrap_or_default();
            }
        }
        self.category.apply(&mut shown.category);
        shown.hidden = self.hidden.unwrap_or(shown.hidden);
        shown.sort_order = self.sort_order.unwrap_or(shown.sort_order);
        self.tag_line.apply(&mut shown.tag_line);
        all(self.media, &mut shown.media);
        all(self.tags, &mut shown.tags);
        self.extended_fields.apply(&mut shown.extended_fields);
        all(self.seo, &mut shown.seo);
    }
}

/// Changes of a service.
#[derive(Debug, Clone)]
pub struct UpdateService {
    /// Which, and how.
    pub edit: Edit<ServiceId>,
    /// What changes.
    pub changes: ServiceChanges,
    /// Where upcoming sessions go whose place is not one of the service's any more; they stay if not said.
    pub move_sessions_to: Option<LocationWish>,
}

/// The site with its row locked: its currency can't change under a price, and slugs are given out one by one.
pub(super) async fn lock_site(tx: &mut Tx<'_>) -> Result<Site, Failure> {
    sites::lock(tx).await?;
    let id = tx.site();
    sites::find(tx.conn(), id)
        .await?
        .ok_or_else(|| Rejection::not_found(Kind::Site, &[]).into())
}

/// A service goes only into a category that there is. With the site's row locked none is deleted meanwhile.
async fn check_category(tx: &mut Tx<'_>, category: Option<CategoryId>) -> Result<(), Failure> {
    let Some(id) = category else { return Ok(()) };
    let site = tx.site();
    if store::find_categories(tx.conn(), site, &[id]).await?.is_empty() {
        return Err(Rejection::not_found(Kind::Category, &["categoryId"]).into());
    }
    Ok(())
}

/// Gives a service another slug. The one that it had goes on leading to it.
async fn change_slug(tx: &mut Tx<'_>, before: &Offered, after: &mut Offered) -> Result<(), Failure> {
    if before.slug == after.slug {
        return Ok(());
    }
    check_slug(tx, &after.slug, after.id).await?;
    let (site, now) = (tx.site(), tx.now());
    store::drop_slug(tx.conn(), site, &after.slug).await?;
    let old = store::old_slugs(tx.conn(), site, &[after.id]).await?;
    for forgotten in old.iter().skip(MAX_OLD_SLUGS - 1) {
        store::drop_slug(tx.conn(), site, &forgotten.slug).await?;
    }
    let kept = store::OldSlug {
        slug: before.slug.clone(),
        service: before.id,
        custom: before.slug_origin.custom,
        since: before.slug_origin.since.unwrap_or(before.created),
    };
    store::keep_slug(tx.conn(), site, &kept).await?;
    after.slug_origin = SlugOrigin {
        custom: true,
        since: Some(now),
    };
    Ok(())
}

/// Slugs are compared here and not by the unique index alone, so that a taken one is refused without spoiling the
/// transaction.
async fn check_slug(tx: &mut Tx<'_>, slug: &str, own: ServiceId) -> Result<(), Failure> {
    let site = tx.site();
    if slugs::is_taken(tx.conn(), site, slug, Some(own)).await? {
        return Err(Rejection::AlreadyExists {
            kind: Kind::Service,
            path: vec!["slug".to_owned()],
        }
        .into());
    }
    Ok(())
}

pub(super) async fn free_slug(tx: &mut Tx<'_>, name: &str, kind: ServiceKind) -> Result<String, Failure> {
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

/// A service that is to be made, with the ids that it and its schedule get.
pub(super) struct New {
    pub(super) id: ServiceId,
    pub(super) schedule: ScheduleId,
    pub(super) input: CreateService,
}

impl New {
    pub(super) fn of(input: CreateService) -> Self {
        Self {
            id: ServiceId::new(),
            schedule: ScheduleId::new(),
            input,
        }
    }

    /// Makes it. The site's row is locked.
    pub(super) async fn make(&self, tx: &mut Tx<'_>, site: &Site) -> Result<Offered, Failure> {
        let now = tx.now();
        let input = self.input.clone();
        let custom = input.slug.is_some();
        let slug = match input.slug {
            Some(slug) => slug,
            None => free_slug(tx, &input.name, input.kind).await?,
        };
        let mut service = Offered {
            id: self.id,
            kind: input.kind,
            name: input.name,
            slug,
            slug_origin: SlugOrigin {
                custom,
                since: Some(now),
            },
            presentation: input.presentation,
            description: input.description,
            default_capacity: input.default_capacity.unwrap_or(1),
            durations: input.durations,
            buffer_minutes: input.buffer_minutes,
            slot_step: input.slot_step.unwrap_or_default(),
            price: input.price,
            payment_options: input.payment_options,
            down_payment: input.down_payment,
            online_booking: input.online_booking,
            locations: Vec::new(),
            requirements: input.requirements.resolve(tx, &[]).await?,
            staff_sorting: input.staff_sorting.unwrap_or_default(),
            booking_policy: input.booking_policy,
            schedule: self.schedule,
            revision: 1,
            created: now,
            updated: now,
        };
        service.check(site.currency)?;
        input.locations.apply(tx, &mut service).await?;
        check_slug(tx, &service.slug, service.id).await?;
        check_category(tx, service.presentation.category).await?;
        policies::check_named(tx, service.booking_policy).await?;
        insert(tx, &service).await?;
        Ok(service)
    }
}

/// Writes a new service with its schedule.
pub(super) async fn insert(tx: &mut Tx<'_>, service: &Offered) -> Result<Schedule, Failure> {
    let schedule = Schedule {
        id: service.schedule,
        service: service.id,
        name: service.name.clone(),
        capacity: service.default_capacity,
        span: None,
        revision: 1,
        created: service.created,
        updated: service.created,
    };
    let site = tx.site();
    store::insert_service(tx.conn(), site, service).await?;
    store::insert_schedule(tx.conn(), site, &schedule).await?;
    Ok(schedule)
}

struct Create {
    site: SiteId,
    new: New,
}

impl Command for Create {
    type Output = Offered;

    fn site(&self) -> SiteId {
        self.site
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<Offered, Failure> {
        let site = lock_site(tx).await?;
        self.new.make(tx, &site).await
    }
}

struct Update {
    caller: Caller,
    input: UpdateService,
}

impl Command for Update {
    type Output = Offered;

    fn site(&self) -> SiteId {
        self.caller.site
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
        after.down_payment = changes.down_payment.unwrap_or(after.down_payment);
        changes.presentation.apply(&mut after.presentation);
        after.online_booking = changes.online_booking.unwrap_or(after.online_booking);
        after.staff_sorting = changes.staff_sorting.unwrap_or(after.staff_sorting);
        if changes.booking_policy != Change::Keep {
            changes.booking_policy.apply(&mut after.booking_policy);
            policies::check_named(tx, after.booking_policy).await?;
        }
        if let Some(requirements) = changes.requirements {
            after.requirements = requirements.resolve(tx, &before.requirements).await?;
        }
        after.check(site.currency)?;
        if let Some(places) = changes.locations {
            places.apply(tx, &mut after).await?;
            if let Some(to) = &self.input.move_sessions_to {
                relocation::move_sessions(tx, &before, &after, to, &self.caller.actor).await?;
            }
            relocation::keep_sessions(tx, &before, &after).await?;
        }
        if after.presentation.category != before.presentation.category {
            check_category(tx, after.presentation.category).await?;
        }
        change_slug(tx, &before, &mut after).await?;
        after.revision += 1;
        after.updated = now;
        store::save_service(tx.conn(), self.caller.site, &after).await?;
        tx.touch(Matter::Service(after.id), None);
        options::follow(tx, &site, &before, &after).await?;
        if after.kind == ServiceKind::Class && after.default_capacity != before.default_capacity {
            self.follow_capacity(tx, &after).await?;
        }
        Ok(after)
    }
}

impl Update {
    /// A class's schedule says what new sessions get. A course's is its first run, whose seats are sold.
    async fn follow_capacity(&self, tx: &mut Tx<'_>, service: &Offered) -> Result<(), Failure> {
        if let Some(mut schedule) = store::find_schedule(tx.conn(), self.caller.site, service.schedule).await? {
            schedule.capacity = service.default_capacity;
            schedule.revision += 1;
            schedule.updated = service.updated;
            store::save_schedule(tx.conn(), self.caller.site, &schedule).await?;
        }
        Ok(())
    }
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
    offer_changed(tx, &session);
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
            new: New::of(input),
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
                caller: caller.clone(),
                input,
            },
        )
        .await
    }
}
