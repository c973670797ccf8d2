//! Many services at once, and services made of others (`spec/catalog-availability.md` §1.10).

use serde::{Deserialize, Serialize};

use super::{
    lock_service, options,
    services::{CreateService, New, free_slug, insert, lock_site},
};
use crate::{
    domain::{
        Rejection,
        catalog::{Service as Offered, Session, SlugOrigin},
        ids::{Kind, ResourceId, ScheduleId, ServiceId, SessionId, SiteId},
        permission::Permission,
    },
    service::{Caller, Error, IdempotencyKey, Outcome, Service, access},
    store::{Command, Failure, Tx, catalog as store},
};

/// Services that one call makes, at the most.
const MAX_BULK_SERVICES: usize = 100;
/// Sessions that a copy gets, at the most.
const MAX_COPIED_SESSIONS: usize = 1000;

/// What became of each service of a bulk call, in order.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct BulkCreatedServices {
    /// One result for each item.
    pub results: Vec<Result<Offered, Rejection>>,
}

impl Outcome for BulkCreatedServices {
    fn changed(&self) -> bool {
        self.results.iter().any(Result::is_ok)
    }
}

struct BulkCreate {
    site: SiteId,
    items: Vec<New>,
    all_or_nothing: bool,
}

impl Command for BulkCreate {
    type Output = BulkCreatedServices;

    fn site(&self) -> SiteId {
        self.site
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<BulkCreatedServices, Failure> {
        let site = lock_site(tx).await?;
        let mut results = Vec::with_capacity(self.items.len());
        for (index, item) in self.items.iter().enumerate() {
            let part = tx.savepoint().await?;
            match item.make(tx, &site).await {
                Ok(service) => {
                    tx.release(part).await?;
                    results.push(Ok(service));
                }
                Err(Failure::Rejected(rejection)) if self.all_or_nothing => {
                    return Err(rejection.within(&["services", &index.to_string()]).into());
                }
                Err(Failure::Rejected(rejection)) => {
                    tx.undo(part).await?;
                    results.push(Err(rejection));
                }
                Err(failure) => return Err(failure),
            }
        }
        Ok(BulkCreatedServices { results })
    }
}

/// A service that is to be made after another.
#[derive(Debug, Clone)]
pub struct CloneService {
    /// The other.
    pub service: ServiceId,
    /// Its name; the other's if not said.
    pub name: Option<String>,
    /// Whether it gets the sessions to come of the other's own schedule, too.
    pub copy_sessions: bool,
}

/// A service that was made after another.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ClonedService {
    /// The new one.
    pub service: Offered,
    /// How many sessions it got.
    pub sessions: usize,
}

impl Outcome for ClonedService {}

struct CloneOne {
    site: SiteId,
    id: ServiceId,
    schedule: ScheduleId,
    input: CloneService,
}

impl Command for CloneOne {
    type Output = ClonedService;

    fn site(&self) -> SiteId {
        self.site
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<ClonedService, Failure> {
        let site = lock_site(tx).await?;
        let source = lock_service(tx, self.input.service, Kind::Service, &["serviceId"]).await?;
        let now = tx.now();
        let name = self.input.name.clone().unwrap_or_else(|| source.name.clone());
        // Those that were deleted since are no choice for a new service.
        let named: Vec<ResourceId> = source
            .requirements
            .iter()
            .flat_map(|entry| entry.resources.clone())
            .collect();
        let live = store::find_resources(tx.conn(), self.site, &named).await?;
        let is_live = |id: &ResourceId| live.iter().any(|resource| resource.id == *id);
        let mut requirements = source.requirements.clone();
        for entry in requirements.iter_mut().filter(|entry| !entry.resources.is_empty()) {
            entry.resources.retain(is_live);
            // An empty list would mean any.
            if usize::try_from(entry.required).is_ok_and(|required| entry.resources.len() < required) {
                let message = "has fewer resources left than a copy would need";
                return Err(Rejection::invalid(&["serviceId"], message).into());
            }
        }
        let service = Offered {
            id: self.id,
            slug: free_slug(tx, &name, source.kind).await?,
            slug_origin: SlugOrigin {
                custom: false,
                since: Some(now),
            },
            name,
            requirements,
            schedule: self.schedule,
            revision: 1,
            created: now,
            updated: now,
            ..source.clone()
        };
        service.check(site.currency)?;
        let mut schedule = insert(tx, &service).await?;
        options::copy(tx, &site, source.id, &service).await?;
        let mut sessions = 0;
        if self.input.copy_sessions {
            sessions = self.copy_sessions(tx, &source, &service).await?;
            schedule.span = store::session_span(tx.conn(), self.site, schedule.id).await?;
            store::save_schedule(tx.conn(), self.site, &schedule).await?;
        }
        Ok(ClonedService { service, sessions })
    }
}

impl CloneOne {
    /// The copies need nobody yet: whom the originals need is busy with them. They are of no series: each stands alone.
    async fn copy_sessions(&self, tx: &mut Tx<'_>, source: &Offered, service: &Offered) -> Result<usize, Failure> {
        let now = tx.now();
        let mut sessions = store::upcoming_sessions(tx.conn(), self.site, &[source.schedule], now).await?;
        sessions.retain(|session| session.span.start() > now);
        if sessions.len() > MAX_COPIED_SESSIONS {
            let message = format!("is for services with at most {MAX_COPIED_SESSIONS} sessions to come");
            return Err(Rejection::invalid(&["copySessions"], message).into());
        }
        for session in &sessions {
            let named_after_service = session.title == source.name;
            let copy = Session {
                id: SessionId::new(),
                schedule: service.schedule,
                service: service.id,
                title: if named_after_service {
                    &service.name
                } else {
                    &session.title
                }
                .clone(),
                resources: Vec::new(),
                series: None,
                revision: 1,
                created: now,
                updated: now,
                ..session.clone()
            };
            store::insert_session(tx.conn(), self.site, &copy).await?;
        }
        Ok(sessions.len())
    }
}

impl Service {
    /// Makes up to 100 services. Those that are refused leave the others standing, unless it is to be
    /// all or none.
    pub async fn bulk_create_services(
        &self,
        caller: &Caller,
        inputs: Vec<CreateService>,
        all_or_nothing: bool,
        key: Option<IdempotencyKey>,
    ) -> Result<BulkCreatedServices, Error> {
        access::require(Permission::ManageCatalog, caller)?;
        if !(1..=MAX_BULK_SERVICES).contains(&inputs.len()) {
            let message = format!("must have 1 to {MAX_BULK_SERVICES} entries");
            return Err(Rejection::invalid(&["services"], message).into());
        }
        let command = BulkCreate {
            site: caller.site,
            items: inputs.into_iter().map(New::of).collect(),
            all_or_nothing,
        };
        self.once(caller, "bulkCreateServices", key, command).await
    }

    /// Makes a service like another, with a slug and a schedule of its own.
    pub async fn clone_service(
        &self,
        caller: &Caller,
        input: CloneService,
        key: Option<IdempotencyKey>,
    ) -> Result<ClonedService, Error> {
        access::require(Permission::ManageCatalog, caller)?;
        let command = CloneOne {
            site: caller.site,
            id: ServiceId::new(),
            schedule: ScheduleId::new(),
            input,
        };
        self.once(caller, "cloneService", key, command).await
    }
}
