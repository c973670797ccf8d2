//! Options and variants of services. Where length is an option, its minutes are the lengths that the service has: both
//! are written in one transaction, so that whoever reads the service knows them.

use super::{Edit, check_revision, lock_service, services::lock_site};
use crate::{
    domain::{
        Rejection,
        catalog::{MAX_DURATIONS, ResourceType, Service as Offered, ServiceResource, Site},
        event::Matter,
        ids::{Kind, OptionsId, ResourceId, ServiceId, SiteId},
        options::{MAX_VARIANTS, Offering, OptionsAndVariants, ServiceOption, Variant, default_price},
        permission::Permission,
    },
    service::{Caller, Error, IdempotencyKey, Outcome, Service, access},
    store::{Command, Failure, StoreError, Tx, catalog as store},
};

/// Options that a service is to have.
#[derive(Debug, Clone)]
pub struct CreateOptions {
    /// Which service.
    pub service: ServiceId,
    /// The options.
    pub options: Vec<ServiceOption>,
    /// What each combination costs.
    pub variants: Vec<Variant>,
}

/// Changes of options.
#[derive(Debug, Clone)]
pub struct UpdateOptions {
    /// Which, and how.
    pub edit: Edit<OptionsId>,
    /// All options.
    pub options: Option<Vec<ServiceOption>>,
    /// All variants.
    pub variants: Option<Vec<Variant>>,
}

impl Outcome for OptionsAndVariants {}

/// The service's staff, in its order; who was deleted is none of them.
async fn staff_of(tx: &mut Tx<'_>, service: &Offered) -> Result<Vec<ResourceId>, Failure> {
    let site = tx.site();
    let is_staff = |entry: &&ServiceResource| entry.resource_type == ResourceType::Staff;
    let Some(entry) = service.requirements.iter().find(is_staff) else {
        return Ok(Vec::new());
    };
    let ids = store::candidate_ids(tx.conn(), site, [entry]).await?;
    let live = store::find_resources(tx.conn(), site, &ids).await?;
    let is_live = |id: &ResourceId| live.iter().any(|one| one.id == *id);
    let named = if entry.resources.is_empty() {
        ids
    } else {
        entry.resources.clone()
    };
    Ok(named.into_iter().filter(is_live).collect())
}

async fn check(
    tx: &mut Tx<'_>,
    site: &Site,
    service: &Offered,
    options: OptionsAndVariants,
) -> Result<OptionsAndVariants, Failure> {
    let staff = staff_of(tx, service).await?;
    let offering = Offering {
        kind: service.kind,
        staff: &staff,
        currency: site.currency,
    };
    Ok(options.checked(&offering)?)
}

/// Gives the service the lengths of its option.
async fn follow_lengths(tx: &mut Tx<'_>, mut service: Offered, options: &OptionsAndVariants) -> Result<(), Failure> {
    let Some(minutes) = options.minutes().filter(|minutes| *minutes != service.durations) else {
        return Ok(());
    };
    debug_assert!(
        minutes.len() <= MAX_DURATIONS,
        "an option has no more lengths than a service"
    );
    service.durations = minutes;
    service.revision += 1;
    service.updated = tx.now();
    tx.touch(Matter::Service(service.id), None);
    let site = tx.site();
    store::save_service(tx.conn(), site, &service).await
}

/// Follows a change of a service whose row is locked: who came to its staff gets variants at its price, who left loses
/// them, and its lengths stay those of the option.
pub(super) async fn follow(tx: &mut Tx<'_>, site: &Site, before: &Offered, after: &Offered) -> Result<(), Failure> {
    let same = before.requirements == after.requirements && before.durations == after.durations;
    let id = tx.site();
    if same {
        return Ok(());
    }
    let Some(mut options) = store::options_of(tx.conn(), id, after.id).await? else {
        return Ok(());
    };
    if options.minutes().is_some_and(|minutes| minutes != after.durations) {
        let message = "are those of the service's option: change them there";
        return Err(Rejection::invalid(&["durations"], message).into());
    }
    let staff = staff_of(tx, after).await?;
    if options.has_staff() && options.number_of_combinations(staff.len()) > MAX_VARIANTS {
        let message = format!("would make more than {MAX_VARIANTS} variants of the service's options");
        return Err(Rejection::invalid(&["resourceIds"], message).into());
    }
    let default = default_price(&after.price, site.currency);
    if options.follow_staff(&staff, default) {
        save(tx, options).await?;
    }
    Ok(())
}

async fn save(tx: &mut Tx<'_>, mut options: OptionsAndVariants) -> Result<(), StoreError> {
    let site = tx.site();
    options.revision += 1;
    options.updated = tx.now();
    store::save_options(tx.conn(), site, &options).await
}

/// Gives somebody who is new variants of all services that any staff member serves, as far as there is room for them;
/// without one of their own they cost what the service says. The site is locked, as by all who write variants.
pub(super) async fn welcome(tx: &mut Tx<'_>, site: &Site) -> Result<(), Failure> {
    let id = tx.site();
    for mut options in store::options_of_site(tx.conn(), id).await? {
        if !options.has_staff() {
            continue;
        }
        let Some(service) = store::find_live_service(tx.conn(), id, options.service).await? else {
            continue;
        };
        let staff = staff_of(tx, &service).await?;
        let fits = options.number_of_combinations(staff.len()) <= MAX_VARIANTS;
        if fits && options.follow_staff(&staff, default_price(&service.price, site.currency)) {
            save(tx, options).await?;
        }
    }
    Ok(())
}

/// Gives a service that was just made like another one its options, too, with variants for the staff that it has. The site
/// is locked.
pub(super) async fn copy(tx: &mut Tx<'_>, site: &Site, of: ServiceId, to: &Offered) -> Result<(), Failure> {
    let id = tx.site();
    let Some(found) = store::options_of(tx.conn(), id, of).await? else {
        return Ok(());
    };
    let mut options = OptionsAndVariants {
        id: OptionsId::new(),
        service: to.id,
        revision: 1,
        created: to.created,
        updated: to.created,
        ..found
    };
    let staff = staff_of(tx, to).await?;
    options.follow_staff(&staff, default_price(&to.price, site.currency));
    Ok(store::insert_options(tx.conn(), id, &options).await?)
}

/// Takes the variants of a resource away that is deleted. The site is locked, as by all who write variants.
pub(super) async fn forget(tx: &mut Tx<'_>, resource: ResourceId) -> Result<(), Failure> {
    let site = tx.site();
    for mut options in store::options_of_site(tx.conn(), site).await? {
        if options.forget_staff(resource) {
            save(tx, options).await?;
        }
    }
    Ok(())
}

/// Refuses where a service has options already; its row is locked.
async fn check_none(tx: &mut Tx<'_>, service: ServiceId, path: &str) -> Result<(), Failure> {
    let site = tx.site();
    match store::options_of(tx.conn(), site, service).await? {
        Some(_) => Err(Rejection::AlreadyExists {
            kind: Kind::Options,
            path: vec![path.to_owned()],
        }
        .into()),
        None => Ok(()),
    }
}

/// The options with their service locked.
async fn lock(tx: &mut Tx<'_>, edit: &Edit<OptionsId>) -> Result<(Offered, OptionsAndVariants), Failure> {
    let site = tx.site();
    let path = ["serviceOptionsAndVariantsId"];
    let missing = || Rejection::not_found(Kind::Options, &path);
    let seen = store::find_options(tx.conn(), site, edit.id)
        .await?
        .ok_or_else(missing)?;
    let service = lock_service(tx, seen.service, Kind::Options, &path).await?;
    let options = store::find_options(tx.conn(), site, edit.id)
        .await?
        .ok_or_else(missing)?;
    check_revision(Kind::Options, options.revision, edit.expected_revision)?;
    Ok((service, options))
}

struct Create {
    site: SiteId,
    id: OptionsId,
    input: CreateOptions,
}

impl Command for Create {
    type Output = OptionsAndVariants;

    fn site(&self) -> SiteId {
        self.site
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<OptionsAndVariants, Failure> {
        let site = lock_site(tx).await?;
        let input = self.input.clone();
        let service = lock_service(tx, input.service, Kind::Service, &["serviceId"]).await?;
        check_none(tx, service.id, "serviceId").await?;
        let now = tx.now();
        let options = OptionsAndVariants {
            id: self.id,
            service: service.id,
            options: input.options,
            variants: input.variants,
            revision: 1,
            created: now,
            updated: now,
        };
        let options = check(tx, &site, &service, options).await?;
        store::insert_options(tx.conn(), self.site, &options).await?;
        follow_lengths(tx, service, &options).await?;
        Ok(options)
    }
}

struct Update {
    site: SiteId,
    input: UpdateOptions,
}

impl Command for Update {
    type Output = OptionsAndVariants;

    fn site(&self) -> SiteId {
        self.site
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<OptionsAndVariants, Failure> {
        let site = lock_site(tx).await?;
        let (service, mut options) = lock(tx, &self.input.edit).await?;
        let input = self.input.clone();
        options.options = input.options.unwrap_or(options.options);
        options.variants = input.variants.unwrap_or(options.variants);
        options.revision += 1;
        options.updated = tx.now();
        let options = check(tx, &site, &service, options).await?;
        store::save_options(tx.conn(), self.site, &options).await?;
        follow_lengths(tx, service, &options).await?;
        Ok(options)
    }
}

struct Delete {
    site: SiteId,
    edit: Edit<OptionsId>,
}

impl Command for Delete {
    type Output = OptionsAndVariants;

    fn site(&self) -> SiteId {
        self.site
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<OptionsAndVariants, Failure> {
        let (_, options) = lock(tx, &self.edit).await?;
        store::delete_options(tx.conn(), self.site, options.id).await?;
        Ok(options)
    }
}

struct CloneTo {
    site: SiteId,
    id: OptionsId,
    of: OptionsId,
    target: ServiceId,
}

impl Command for CloneTo {
    type Output = OptionsAndVariants;

    fn site(&self) -> SiteId {
        self.site
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<OptionsAndVariants, Failure> {
        let site = lock_site(tx).await?;
        let target = lock_service(tx, self.target, Kind::Service, &["targetServiceId"]).await?;
        let found = store::find_options(tx.conn(), self.site, self.of).await?;
        let found = found.ok_or_else(|| Rejection::not_found(Kind::Options, &["serviceOptionsAndVariantsId"]))?;
        check_none(tx, target.id, "targetServiceId").await?;
        let now = tx.now();
        let mut options = OptionsAndVariants {
            id: self.id,
            service: target.id,
            revision: 1,
            created: now,
            updated: now,
            ..found
        };
        // Its staff are others: who isn't among them has no variants, who wasn't gets some.
        let staff = staff_of(tx, &target).await?;
        if options.number_of_combinations(staff.len()) > MAX_VARIANTS {
            let message = format!("would have more than {MAX_VARIANTS} variants, of so many staff");
            return Err(Rejection::invalid(&["targetServiceId"], message).into());
        }
        let default = default_price(&target.price, site.currency);
        options.follow_staff(&staff, default);
        let options = check(tx, &site, &target, options)
            .await
            .map_err(|failure| match failure {
                // It is the other service that they don't fit.
                Failure::Rejected(Rejection::Invalid(mut invalid)) => {
                    invalid.path = vec!["targetServiceId".to_owned()];
                    invalid.message = format!("can't have these options, of which one {}", invalid.message);
                    Rejection::Invalid(invalid).into()
                }
                other => other,
            })?;
        store::insert_options(tx.conn(), self.site, &options).await?;
        follow_lengths(tx, target, &options).await?;
        Ok(options)
    }
}

impl Service {
    /// Gives a service options.
    pub async fn create_options(
        &self,
        caller: &Caller,
        input: CreateOptions,
        key: Option<IdempotencyKey>,
    ) -> Result<OptionsAndVariants, Error> {
        access::require(Permission::ManageCatalog, caller)?;
        let command = Create {
            site: caller.site,
            id: OptionsId::new(),
            input,
        };
        self.once(caller, "createServiceOptionsAndVariants", key, command).await
    }

    /// Changes options and variants. What is booked costs what it cost.
    pub async fn update_options(&self, caller: &Caller, mut input: UpdateOptions) -> Result<OptionsAndVariants, Error> {
        access::require(Permission::ManageCatalog, caller)?;
        let (site, key) = (caller.site, input.edit.idempotency.take());
        let command = Update { site, input };
        self.once(caller, "updateServiceOptionsAndVariants", key, command).await
    }

    /// Takes a service's options away: it has its one price again.
    pub async fn delete_options(
        &self,
        caller: &Caller,
        mut edit: Edit<OptionsId>,
    ) -> Result<OptionsAndVariants, Error> {
        access::require(Permission::ManageCatalog, caller)?;
        let (site, key) = (caller.site, edit.idempotency.take());
        self.once(caller, "deleteServiceOptionsAndVariants", key, Delete { site, edit })
            .await
    }

    /// Gives a service the options of another one.
    pub async fn clone_options(
        &self,
        caller: &Caller,
        of: OptionsId,
        target: ServiceId,
        key: Option<IdempotencyKey>,
    ) -> Result<OptionsAndVariants, Error> {
        access::require(Permission::ManageCatalog, caller)?;
        let command = CloneTo {
            site: caller.site,
            id: OptionsId::new(),
            of,
            target,
        };
        self.once(caller, "cloneServiceOptionsAndVariants", key, command).await
    }

    /// Options, by their id.
    pub async fn options(&self, caller: &Caller, id: OptionsId) -> Result<Option<OptionsAndVariants>, Error> {
        access::require(Permission::ReadCatalog, caller)?;
        let site = caller.site;
        let found = self
            .db()
            .read(move |conn| Box::pin(async move { store::find_options(conn, site, id).await }));
        Ok(found.await?)
    }

    /// The options of those of the services that have any.
    pub async fn options_of(
        &self,
        caller: &Caller,
        services: Vec<ServiceId>,
    ) -> Result<Vec<OptionsAndVariants>, Error> {
        access::require(Permission::ReadCatalog, caller)?;
        let site = caller.site;
        let found = self
            .db()
            .read(move |conn| Box::pin(async move { store::options_of_all(conn, site, &services).await }));
        Ok(found.await?)
    }
}
