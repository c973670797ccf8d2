//! Reading the catalog. Everybody sees it, but for what is the business's own.

use std::collections::HashMap;

use crate::{
    domain::{
        actor::Actor,
        catalog::{BlockedTime, Resource, Schedule, Service as Offered, Session},
        conflict::Target,
        ids::{BlockedTimeId, ResourceId, ScheduleId, ServiceId, SessionId},
        permission::Permission,
    },
    service::{Caller, Error, Service, access, catalog::blocked_times::sees as sees_block},
    store::{
        catalog::{
            self, BlockedTimeFilter, OldSlug, ResourceFilter, ResourceOrder, ScheduleFilter, ServiceField,
            ServiceFilter, ServiceKey, ServiceOrder, SessionFilter, TimeKey,
        },
        claims,
        page::{Direction, Filter, Page, PageRequest, Test},
    },
};

/// One kind of object: those with some ids, a page, a count.
macro_rules! reading {
    ($object:ty, $id:ty, $filter:ty, $narrow:expr;
        $by_id:ident = $find:ident, $page:ident = $load:ident, $count:ident = $number:ident; $plural:literal) => {
        #[doc = concat!("Those of the ", $plural, " that there are, deleted ones too.")]
        pub async fn $by_id(&self, caller: &Caller, ids: Vec<$id>) -> Result<Vec<$object>, Error> {
            access::require(Permission::ReadCatalog, caller)?;
            let site = caller.site;
            Ok(self
                .db()
                .read(move |conn| Box::pin(async move { catalog::$find(conn, site, &ids).await }))
                .await?)
        }

        #[doc = concat!("A page of ", $plural, ".")]
        pub async fn $page(
            &self,
            caller: &Caller,
            filter: $filter,
            request: PageRequest<TimeKey<$id>>,
        ) -> Result<Page<$object>, Error> {
            access::require(Permission::ReadCatalog, caller)?;
            let (site, filter) = (caller.site, $narrow(caller, filter));
            let page = self
                .db()
                .read(move |conn| Box::pin(async move { catalog::$load(conn, site, &filter, &request).await }));
            Ok(page.await?)
        }

        #[doc = concat!("How many ", $plural, " pass the filter.")]
        pub async fn $count(&self, caller: &Caller, filter: $filter) -> Result<i64, Error> {
            access::require(Permission::ReadCatalog, caller)?;
            let (site, filter) = (caller.site, $narrow(caller, filter));
            Ok(self
                .db()
                .read(move |conn| Box::pin(async move { catalog::$number(conn, site, &filter).await }))
                .await?)
        }
    };
}

impl Service {
    reading!(Schedule, ScheduleId, ScheduleFilter, |_: &Caller, filter| filter;
        schedules_by_id = find_schedules_ever, schedules = page_schedules, count_schedules = count_schedules; "schedules");
    reading!(Session, SessionId, SessionFilter, found_by;
        sessions_by_id = find_sessions, sessions = page_sessions, count_sessions = count_sessions; "sessions");

    /// Those of the resources that there are, deleted ones too.
    pub async fn resources_by_id(&self, caller: &Caller, ids: Vec<ResourceId>) -> Result<Vec<Resource>, Error> {
        access::require(Permission::ReadCatalog, caller)?;
        let site = caller.site;
        let found = self
            .db()
            .read(move |conn| Box::pin(async move { catalog::find_resources_ever(conn, site, &ids).await }));
        Ok(found.await?)
    }

    /// All resources that pass the filter, in their order.
    pub async fn resources(
        &self,
        caller: &Caller,
        filter: ResourceFilter,
        order: (ResourceOrder, Direction),
    ) -> Result<Vec<Resource>, Error> {
        access::require(Permission::ReadCatalog, caller)?;
        let site = caller.site;
        let found = self
            .db()
            .read(move |conn| Box::pin(async move { catalog::list_resources(conn, site, &filter, order).await }));
        Ok(found.await?)
    }

    /// Those of the services that there are, deleted ones too.
    pub async fn services_by_id(&self, caller: &Caller, ids: Vec<ServiceId>) -> Result<Vec<Offered>, Error> {
        access::require(Permission::ReadCatalog, caller)?;
        let site = caller.site;
        let found = self
            .db()
            .read(move |conn| Box::pin(async move { catalog::find_services(conn, site, &ids).await }));
        Ok(found.await?)
    }

    /// A page of services. Customers don't find hidden ones.
    pub async fn services(
        &self,
        caller: &Caller,
        filter: ServiceFilter,
        order: (ServiceOrder, Direction),
        request: PageRequest<ServiceKey>,
    ) -> Result<Page<Offered>, Error> {
        access::require(Permission::ReadCatalog, caller)?;
        let (site, filter) = (caller.site, listed(caller, filter));
        let page = self.db().read(move |conn| {
            Box::pin(async move { catalog::page_services(conn, site, &filter, order, &request).await })
        });
        Ok(page.await?)
    }

    /// How many services pass the filter. Customers don't find hidden ones.
    pub async fn count_services(&self, caller: &Caller, filter: ServiceFilter) -> Result<i64, Error> {
        access::require(Permission::ReadCatalog, caller)?;
        let (site, filter) = (caller.site, listed(caller, filter));
        let count = self
            .db()
            .read(move |conn| Box::pin(async move { catalog::count_services(conn, site, &filter).await }));
        Ok(count.await?)
    }

    /// The slugs that some services had before and that still lead to them, the latest first.
    pub async fn old_slugs(&self, caller: &Caller, of: Vec<ServiceId>) -> Result<Vec<OldSlug>, Error> {
        access::require(Permission::ReadCatalog, caller)?;
        let site = caller.site;
        let found = self
            .db()
            .read(move |conn| Box::pin(async move { catalog::old_slugs(conn, site, &of).await }));
        Ok(found.await?)
    }

    /// The service with this id, unless it was deleted.
    pub async fn service(&self, caller: &Caller, id: ServiceId) -> Result<Option<Offered>, Error> {
        access::require(Permission::ReadCatalog, caller)?;
        let site = caller.site;
        Ok(self
            .db()
            .read(move |conn| Box::pin(catalog::find_live_service(conn, site, id)))
            .await?)
    }

    /// The service with this slug, or that had it before, unless it was deleted.
    pub async fn service_by_slug(&self, caller: &Caller, slug: String) -> Result<Option<Offered>, Error> {
        access::require(Permission::ReadCatalog, caller)?;
        let site = caller.site;
        let found = self
            .db()
            .read(move |conn| Box::pin(async move { catalog::find_service_by_slug(conn, site, &slug).await }));
        Ok(found.await?)
    }

    /// Those of the resources that there are and that weren't deleted.
    pub async fn live_resources(&self, caller: &Caller, ids: Vec<ResourceId>) -> Result<Vec<Resource>, Error> {
        access::require(Permission::ReadCatalog, caller)?;
        let site = caller.site;
        let found = self
            .db()
            .read(move |conn| Box::pin(async move { catalog::find_resources(conn, site, &ids).await }));
        Ok(found.await?)
    }

    /// The schedule with this id, unless it was deleted.
    pub async fn schedule(&self, caller: &Caller, id: ScheduleId) -> Result<Option<Schedule>, Error> {
        access::require(Permission::ReadCatalog, caller)?;
        let site = caller.site;
        Ok(self
            .db()
            .read(move |conn| Box::pin(catalog::find_schedule(conn, site, id)))
            .await?)
    }

    /// How many seats of sessions and runs are taken now. Those of which none are taken are left out.
    pub async fn taken_seats(&self, caller: &Caller, targets: Vec<Target>) -> Result<HashMap<Target, i64>, Error> {
        access::require(Permission::ReadCatalog, caller)?;
        let (site, now) = (caller.site, self.clock().now());
        let taken = self
            .db()
            .read(move |conn| Box::pin(async move { claims::taken_seats(conn, site, &targets, now).await }));
        Ok(taken.await?.into_iter().collect())
    }

    /// The blocked time with this id. Staff see those of their own calendar, and when the business is closed.
    pub async fn blocked_time(&self, caller: &Caller, id: BlockedTimeId) -> Result<Option<BlockedTime>, Error> {
        access::require(Permission::ReadCalendar, caller)?;
        let site = caller.site;
        let found = self
            .db()
            .read(move |conn| Box::pin(catalog::find_blocked_time(conn, site, id)))
            .await?;
        Ok(found.filter(|blocked| sees_block(caller, blocked)))
    }

    /// A page of blocked times. Staff see those of their own calendar, and when the business is closed.
    pub async fn blocked_times(
        &self,
        caller: &Caller,
        filter: BlockedTimeFilter,
        request: PageRequest<TimeKey<BlockedTimeId>>,
    ) -> Result<Page<BlockedTime>, Error> {
        access::require(Permission::ReadCalendar, caller)?;
        let (site, filter) = (caller.site, own_calendar(caller, filter));
        let page = self.db().read(move |conn| {
            Box::pin(async move { catalog::page_blocked_times(conn, site, &filter, &request).await })
        });
        Ok(page.await?)
    }

    /// How many blocked times pass the filter.
    pub async fn count_blocked_times(&self, caller: &Caller, filter: BlockedTimeFilter) -> Result<i64, Error> {
        access::require(Permission::ReadCalendar, caller)?;
        let (site, filter) = (caller.site, own_calendar(caller, filter));
        let count = self
            .db()
            .read(move |conn| Box::pin(async move { catalog::count_blocked_times(conn, site, &filter).await }));
        Ok(count.await?)
    }
}

/// What a caller finds in lists of services.
fn listed(caller: &Caller, filter: ServiceFilter) -> ServiceFilter {
    if Permission::ListHiddenServices.is_granted(&caller.actor) {
        return filter;
    }
    Filter::All(vec![Filter::Is(ServiceField::Hidden(Test::Eq(false))), filter])
}

/// Customers reach a hidden service's sessions only by what leads to the service.
fn found_by(caller: &Caller, filter: SessionFilter) -> SessionFilter {
    let named = filter.services.is_some() || filter.schedules.is_some() || filter.series.is_some();
    SessionFilter {
        listed: !named && !Permission::ListHiddenServices.is_granted(&caller.actor),
        ..filter
    }
}

fn own_calendar(caller: &Caller, filter: BlockedTimeFilter) -> BlockedTimeFilter {
    let Actor::Staff { resource: own, .. } = caller.actor else {
        return filter;
    };
    let and_closings = filter.resources.is_none() || filter.and_closings;
    let resources = match filter.resources {
        Some(asked) => asked.into_iter().filter(|id| *id == own).collect(),
        None => vec![own],
    };
    BlockedTimeFilter {
        resources: Some(resources),
        and_closings,
        ..filter
    }
}
