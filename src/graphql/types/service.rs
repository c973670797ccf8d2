//! Services.

use async_graphql::{Context, Enum, ID, Object, SimpleObject};

use super::{
    booked::Location,
    money::Money,
    resource::{self, Resource, ResourceType},
    schedule::{Schedule, ScheduleConnection},
    session::{SessionConnection, SessionWindow},
};
use crate::{
    domain::{
        catalog::{self, Price},
        ids::{ResourceId, ServiceId},
    },
    graphql::{
        caller,
        catalog::lists,
        connection::{Paging, connection},
        error::failure,
        look::Look,
        scalars::DateTime,
        service,
    },
    store::catalog::{ScheduleFilter, SessionFilter},
};

/// The three types of service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "crate::domain::catalog::ServiceKind")]
pub enum ServiceType {
    /// A free time is booked; the booking makes the event.
    Appointment,
    /// One session of many is booked.
    Class,
    /// A whole run of sessions is booked.
    Course,
}

/// How a service is priced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum RateType {
    /// The same price for each participant.
    Fixed,
    /// It costs nothing.
    NoFee,
}

/// Ways in which a service can be paid for.
#[derive(SimpleObject, Clone, Debug)]
pub struct PaymentOptions {
    /// At the business.
    in_person: bool,
    /// Online, at checkout.
    online: bool,
}

/// What a service costs and how it is paid for.
#[derive(SimpleObject, Clone, Debug)]
pub struct ServicePayment {
    /// Ways in which it can be paid for.
    options: PaymentOptions,
    /// The price for each participant, with `FIXED`.
    price: Option<Money>,
    /// How it is priced.
    rate_type: RateType,
}

/// Whether and how customers book by themselves. The business always can.
#[derive(SimpleObject, Clone, Debug)]
pub struct OnlineBooking {
    /// Whether several requests may wait for one time: appointments that need approval only.
    allow_multiple_requests: bool,
    /// Whether customers can book it at all.
    enabled: bool,
    /// Whether the business has to confirm each booking.
    require_manual_approval: bool,
}

/// How far apart the starts are that an appointment service offers. They are counted from the opening of each day.
#[derive(SimpleObject, Clone, Debug)]
pub struct SlotsSplitInterval {
    /// Whether they are as far apart as the service's usual length and its buffer.
    same_as_duration: bool,
    /// So many minutes; null with `sameAsDuration`.
    value_in_minutes: Option<i32>,
}

/// So many resources of a type that an appointment needs besides its staff.
#[derive(SimpleObject, Clone, Debug)]
pub struct ServiceResource {
    /// How many of them at once.
    required_resources_number: i32,
    /// Those that will do; empty: any of the type, those too that are made later.
    resource_ids: Vec<ID>,
    /// Of which type.
    resource_type: ResourceType,
    /// Whether customers may choose among them.
    selectable_resource: bool,
}

impl From<&catalog::ServiceResource> for ServiceResource {
    fn from(entry: &catalog::ServiceResource) -> Self {
        Self {
            required_resources_number: entry.required,
            resource_ids: entry.resources.iter().map(|id| id.to_string().into()).collect(),
            resource_type: entry.resource_type.into(),
            selectable_resource: entry.selectable,
        }
    }
}

/// Something that the business offers.
#[derive(Clone, Debug)]
pub struct Service {
    /// The service.
    pub offered: catalog::Service,
    /// Its resources, where a list has loaded them.
    resources: Option<Vec<Resource>>,
    /// Its own schedule, where a list has loaded it.
    schedule: Option<Box<Schedule>>,
}

impl From<catalog::Service> for Service {
    fn from(offered: catalog::Service) -> Self {
        Self {
            offered,
            resources: None,
            schedule: None,
        }
    }
}

/// Something that the business offers.
#[Object]
impl Service {
    /// Minutes kept free after an appointment, 0 to 720.
    async fn buffer_minutes(&self) -> i32 {
        self.offered.buffer_minutes
    }

    /// When it was made.
    async fn created_date(&self) -> DateTime {
        self.offered.created.into()
    }

    /// Seats of new sessions (class) or of a new run (course), 1 to 1000. Appointments: 1.
    async fn default_capacity(&self) -> i32 {
        self.offered.default_capacity
    }

    /// What it is.
    async fn description(&self) -> Option<&str> {
        self.offered.description.as_deref()
    }

    /// Lengths that an appointment can have, in minutes, the usual one first. Empty for classes and courses.
    async fn durations(&self) -> &[i32] {
        &self.offered.durations
    }

    /// Its id.
    pub async fn id(&self) -> ID {
        self.offered.id.to_string().into()
    }

    /// Where it takes place.
    async fn location(&self) -> Option<Location> {
        self.offered.location.as_ref().map(Location::from)
    }

    /// Its name.
    async fn name(&self) -> &str {
        &self.offered.name
    }

    /// Whether and how customers book it by themselves.
    async fn online_booking(&self) -> OnlineBooking {
        let online = self.offered.online_booking;
        OnlineBooking {
            allow_multiple_requests: online.allow_multiple_requests,
            enabled: online.enabled,
            require_manual_approval: online.require_manual_approval,
        }
    }

    /// What it costs and how it is paid for.
    async fn payment(&self) -> ServicePayment {
        let options = self.offered.payment_options;
        let (rate_type, price) = match self.offered.price {
            Price::NoFee => (RateType::NoFee, None),
            Price::Fixed(money) => (RateType::Fixed, Some(money.into())),
        };
        ServicePayment {
            options: PaymentOptions {
                in_person: options.in_person,
                online: options.online,
            },
            price,
            rate_type,
        }
    }

    /// How many of its staff members an appointment takes at once; null if it needs no staff.
    async fn required_staff_members_number(&self) -> Option<i32> {
        self.staff().map(|staff| staff.required)
    }

    /// The resources that an appointment can be served by, those that are named: staff first. What it needs of which
    /// type say `staffMemberIds` and `serviceResources`. Empty for classes and courses, whose sessions have their own.
    async fn resources(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<Resource>> {
        match &self.resources {
            Some(resources) => Ok(resources.clone()),
            None => live_resources(ctx, &named(&self.offered)).await,
        }
    }

    /// Grows by one with every change.
    async fn revision(&self) -> i64 {
        self.offered.revision
    }

    /// The schedule that was made with it: the sessions of a class, the first run of a course.
    async fn schedule(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Schedule>> {
        match &self.schedule {
            Some(schedule) => Ok(Some((**schedule).clone())),
            None => Schedule::find(ctx, self.offered.schedule).await,
        }
    }

    /// All of its schedules, the oldest first: a course may have several runs.
    async fn schedules(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the start, 0 to 100; 50 unless said.")] first: Option<i32>,
        #[graphql(desc = "Those behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 0 to 100.")] last: Option<i32>,
        #[graphql(desc = "Those before this cursor.")] before: Option<String>,
    ) -> async_graphql::Result<ScheduleConnection> {
        let filter = ScheduleFilter {
            services: Some(vec![self.offered.id]),
        };
        lists::schedules(
            ctx,
            filter,
            &Paging {
                first,
                after,
                last,
                before,
            },
        )
        .await
    }

    /// What an appointment needs besides staff; all of it has to be free. Empty for classes and courses.
    async fn service_resources(&self) -> Vec<ServiceResource> {
        let others = self.offered.requirements.iter();
        let others = others.filter(|entry| entry.resource_type != catalog::ResourceType::Staff);
        others.map(ServiceResource::from).collect()
    }

    /// Its sessions, by start. Appointments have none.
    async fn sessions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which of them.")] filter: Option<SessionWindow>,
        #[graphql(desc = "How many from the start, 0 to 100; 50 unless said.")] first: Option<i32>,
        #[graphql(desc = "Those behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 0 to 100.")] last: Option<i32>,
        #[graphql(desc = "Those before this cursor.")] before: Option<String>,
    ) -> async_graphql::Result<SessionConnection> {
        let window = SessionWindow::read(filter.as_ref(), &["filter"])?;
        let filter = SessionFilter {
            services: Some(vec![self.offered.id]),
            ..window
        };
        lists::sessions(
            ctx,
            filter,
            &Paging {
                first,
                after,
                last,
                before,
            },
        )
        .await
    }

    /// A name for addresses, unique on the site.
    async fn slug(&self) -> &str {
        &self.offered.slug
    }

    /// How far apart the starts of appointments are that are offered. Null for classes and courses.
    async fn slots_split_interval(&self) -> Option<SlotsSplitInterval> {
        let value_in_minutes = match self.offered.slot_step {
            _ if self.offered.kind != catalog::ServiceKind::Appointment => return None,
            catalog::SlotStep::Minutes(minutes) => Some(minutes),
            catalog::SlotStep::SameAsDuration => None,
        };
        Some(SlotsSplitInterval {
            same_as_duration: value_in_minutes.is_none(),
            value_in_minutes,
        })
    }

    /// Which of the three types it is; never changes.
    #[graphql(name = "type")]
    async fn service_type(&self) -> ServiceType {
        self.offered.kind.into()
    }

    /// The staff members that will do; an empty list: any. Null if it needs no staff.
    async fn staff_member_ids(&self) -> Option<Vec<ID>> {
        let ids = |entry: &catalog::ServiceResource| entry.resources.iter().map(|id| id.to_string().into()).collect();
        self.staff().map(ids)
    }

    /// When it changed last.
    async fn updated_date(&self) -> DateTime {
        self.offered.updated.into()
    }
}

connection!("A list of services.", ServiceConnection, ServiceEdge, Service);

/// The resources that a service names, each once.
fn named(service: &catalog::Service) -> Vec<ResourceId> {
    let mut named: Vec<ResourceId> = Vec::new();
    for id in service.requirements.iter().flat_map(|entry| &entry.resources) {
        if !named.contains(id) {
            named.push(*id);
        }
    }
    named
}

impl Service {
    fn staff(&self) -> Option<&catalog::ServiceResource> {
        let mut entries = self.offered.requirements.iter();
        entries.find(|entry| entry.resource_type == catalog::ResourceType::Staff)
    }

    /// Makes the rows of a list; what the client asked for below them is loaded at once for all.
    pub(crate) async fn rows(
        ctx: &Context<'_>,
        found: Vec<catalog::Service>,
        look: &Look<'_>,
    ) -> async_graphql::Result<Vec<Self>> {
        let mut rows: Vec<Self> = found.into_iter().map(Self::from).collect();
        if look.selects("resources") {
            let mut ids: Vec<_> = rows.iter().flat_map(|row| named(&row.offered)).collect();
            ids.sort();
            ids.dedup();
            let found: Vec<_> = live_resources(ctx, &ids)
                .await?
                .into_iter()
                .map(|resource| resource.0)
                .collect();
            for row in &mut rows {
                row.resources = Some(resource::pick(&named(&row.offered), &found));
            }
        }
        if look.selects("schedule") {
            let ids = rows.iter().map(|row| row.offered.schedule).collect();
            let schedules = Schedule::load(ctx, ids, &look.field("schedule")).await?;
            for row in &mut rows {
                let own = schedules
                    .iter()
                    .find(|schedule| schedule.schedule.id == row.offered.schedule);
                row.schedule = own.cloned().map(Box::new);
            }
        }
        Ok(rows)
    }

    /// A service, one that was deleted too.
    pub(crate) async fn find(ctx: &Context<'_>, id: ServiceId) -> async_graphql::Result<Option<Self>> {
        Ok(Self::load(ctx, vec![id], &Look::here(ctx)).await?.pop())
    }

    /// The services with these ids, deleted ones too, in no special order.
    pub(crate) async fn load(
        ctx: &Context<'_>,
        mut ids: Vec<ServiceId>,
        look: &Look<'_>,
    ) -> async_graphql::Result<Vec<Self>> {
        ids.sort();
        ids.dedup();
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let found = service(ctx)
            .services_by_id(caller(ctx), ids)
            .await
            .map_err(|error| failure(ctx, error))?;
        Self::rows(ctx, found, look).await
    }
}

/// A deleted resource is no candidate for an appointment any more.
async fn live_resources(ctx: &Context<'_>, ids: &[ResourceId]) -> async_graphql::Result<Vec<Resource>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let found = service(ctx)
        .live_resources(caller(ctx), ids.to_vec())
        .await
        .map_err(|error| failure(ctx, error))?;
    Ok(resource::pick(ids, &found))
}
