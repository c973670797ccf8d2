//! Services.

use async_graphql::{Context, Enum, ID, Object, SimpleObject};

use super::{
    booked::Location,
    booking_policy::BookingPolicy,
    category::Category,
    location::{BusinessLocation, ServiceLocation},
    media::{Media, SeoData, Slug},
    resource::{self, Resource, ResourceKind},
    schedule::{Schedule, ScheduleConnection},
    service_options::ServiceOptionsAndVariants,
    service_payment::ServicePayment,
    session::{SessionConnection, SessionWindow},
    staff_sorting::StaffSortingPolicy,
};
use crate::{
    domain::{
        catalog,
        ids::{ResourceId, ServiceId},
    },
    graphql::{
        caller,
        catalog::lists,
        connection::{Paging, connection},
        error::failure,
        look::Look,
        scalars::{DateTime, Json},
        service,
    },
    store::catalog::{OldSlug, ScheduleFilter, SessionFilter},
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
    resource_type: ResourceKind,
    /// The id of that type, if it is one that the business has made up.
    resource_type_id: Option<ID>,
    /// Whether customers may choose among them.
    selectable_resource: bool,
}

impl From<&catalog::ServiceResource> for ServiceResource {
    fn from(entry: &catalog::ServiceResource) -> Self {
        Self {
            required_resources_number: entry.required,
            resource_ids: entry.resources.iter().map(|id| id.to_string().into()).collect(),
            resource_type: entry.resource_type.into(),
            resource_type_id: resource::custom_id(entry.resource_type),
            selectable_resource: entry.selectable,
        }
    }
}

/// Something that the business offers.
#[derive(Clone, Debug)]
pub struct Service {
    /// The service.
    pub offered: catalog::Service,
    /// Its category, where a list has loaded it.
    category: Option<Category>,
    /// Where it is given, where a list has loaded it.
    locations: Option<Vec<ServiceLocation>>,
    /// The slugs that it had before, where a list has loaded them.
    old_slugs: Option<Vec<OldSlug>>,
    /// Its resources, where a list has loaded them.
    resources: Option<Vec<Resource>>,
    /// Its own schedule, where a list has loaded it.
    schedule: Option<Box<Schedule>>,
    /// Its terms, where a list has loaded them.
    terms: Terms,
}

/// On which terms a service is booked, as far as that was loaded: one of each, or none.
#[derive(Clone, Debug, Default)]
struct Terms {
    policy: Option<Vec<BookingPolicy>>,
    options: Option<Vec<ServiceOptionsAndVariants>>,
}

impl From<catalog::Service> for Service {
    fn from(offered: catalog::Service) -> Self {
        Self {
            offered,
            category: None,
            locations: None,
            old_slugs: None,
            resources: None,
            schedule: None,
            terms: Terms::default(),
        }
    }
}

/// Something that the business offers.
#[Object]
impl Service {
    /// The policy by which customers book it: its own, or the site's default. Null: neither, and nothing limits them.
    async fn booking_policy(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<BookingPolicy>> {
        match &self.terms.policy {
            Some(policy) => Ok(policy.first().cloned()),
            None => Ok(policies(ctx, std::slice::from_ref(&self.offered))
                .await?
                .pop()
                .flatten()),
        }
    }

    /// Minutes kept free after an appointment, 0 to 720.
    async fn buffer_minutes(&self) -> i32 {
        self.offered.buffer_minutes
    }

    /// The group that it belongs to.
    async fn category(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Category>> {
        match (&self.category, self.offered.presentation.category) {
            (Some(category), _) => Ok(Some(category.clone())),
            (None, Some(id)) => Ok(Category::load(ctx, vec![id]).await?.pop()),
            (None, None) => Ok(None),
        }
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

    /// What apps keep with it: an object. Who sees the service sees it, customers too.
    async fn extended_fields(&self) -> Option<Json> {
        self.offered.presentation.extended_fields.clone().map(Json)
    }

    /// Whether customers don't find it in lists, and can't book it. They still reach it by its id and slug.
    async fn hidden(&self) -> bool {
        self.offered.presentation.hidden
    }

    /// Its id.
    pub async fn id(&self) -> ID {
        self.offered.id.to_string().into()
    }

    /// Where it takes place: the first of its `locations`.
    async fn location(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Location>> {
        let all = self.all_locations(ctx).await?;
        Ok(all.first().map(ServiceLocation::booked))
    }

    /// Where it takes place, in the order in which free times of one start are listed. None: nowhere in particular.
    async fn locations(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<ServiceLocation>> {
        self.all_locations(ctx).await
    }

    /// Its present slug, and where that comes from.
    async fn main_slug(&self) -> Slug {
        Slug::main(&self.offered)
    }

    /// Pictures and films.
    async fn media(&self) -> Media {
        (&self.offered.presentation.media).into()
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

    /// Its options with what their choices cost. Null if it has none.
    async fn options_and_variants(
        &self,
        ctx: &Context<'_>,
    ) -> async_graphql::Result<Option<ServiceOptionsAndVariants>> {
        match &self.terms.options {
            Some(options) => Ok(options.first().cloned()),
            None => Ok(options(ctx, vec![self.offered.id]).await?.pop()),
        }
    }

    /// What it costs and how it is paid for.
    async fn payment(&self) -> ServicePayment {
        (&self.offered).into()
    }

    /// How many of its staff members an appointment takes at once; null if it needs no staff.
    async fn required_staff_members_number(&self) -> Option<i32> {
        self.staff().map(|staff| staff.required)
    }

    /// The resources that an appointment can be served by, those that are named: staff first. What it needs of which
    /// type say `staffMemberIds` and `requiredResources`. Empty for classes and courses, whose sessions have their own.
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

    /// What search engines are told.
    async fn seo_data(&self) -> SeoData {
        (&self.offered.presentation.seo).into()
    }

    /// What an appointment needs besides staff; all of it has to be free. Empty for classes and courses.
    async fn required_resources(&self) -> Vec<ServiceResource> {
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

    /// Where it stands in its category: the smallest first.
    async fn sort_order(&self) -> i32 {
        self.offered.presentation.sort_order
    }

    /// All slugs that lead to it: the present one, then up to 100 that it had before, the latest first.
    async fn supported_slugs(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<Slug>> {
        let old = match &self.old_slugs {
            Some(old) => old.clone(),
            None => old_slugs(ctx, vec![self.offered.id]).await?,
        };
        let main = Slug::main(&self.offered);
        Ok(std::iter::once(main).chain(old.into_iter().map(Slug::from)).collect())
    }

    /// A short line that makes one want it.
    async fn tag_line(&self) -> Option<&str> {
        self.offered.presentation.tag_line.as_deref()
    }

    /// Words of the business's own to find it by.
    async fn tags(&self) -> &[String] {
        &self.offered.presentation.tags
    }

    /// Which of the three types it is; never changes.
    #[graphql(name = "type")]
    async fn service_type(&self) -> ServiceType {
        self.offered.kind.into()
    }

    /// The staff members that will do, those too who were deleted since; an empty list: any. Null if it needs no staff.
    async fn staff_member_ids(&self) -> Option<Vec<ID>> {
        let ids = |entry: &catalog::ServiceResource| entry.resources.iter().map(|id| id.to_string().into()).collect();
        self.staff().map(ids)
    }

    /// In which order free staff are taken for an appointment. Null: as the service names them.
    async fn staff_sorting_policy(&self) -> Option<StaffSortingPolicy> {
        StaffSortingPolicy::of(self.offered.staff_sorting)
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

    async fn all_locations(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<ServiceLocation>> {
        if let Some(locations) = &self.locations {
            return Ok(locations.clone());
        }
        let known = BusinessLocation::load(ctx, self.offered.business_locations().collect()).await?;
        Ok(ServiceLocation::all(&self.offered, &known))
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
        if look.selects("category") {
            let ids = rows
                .iter()
                .filter_map(|row| row.offered.presentation.category)
                .collect();
            let found = Category::load(ctx, ids).await?;
            for row in &mut rows {
                let id = row.offered.presentation.category;
                row.category = found.iter().find(|category| Some(category.0.id) == id).cloned();
            }
        }
        if look.selects("location") || look.selects("locations") {
            let ids = rows.iter().flat_map(|row| row.offered.business_locations()).collect();
            let known = BusinessLocation::load(ctx, ids).await?;
            for row in &mut rows {
                row.locations = Some(ServiceLocation::all(&row.offered, &known));
            }
        }
        if look.selects("supportedSlugs") {
            let ids = rows.iter().map(|row| row.offered.id).collect();
            let found = old_slugs(ctx, ids).await?;
            for row in &mut rows {
                let own = found.iter().filter(|old| old.service == row.offered.id);
                row.old_slugs = Some(own.cloned().collect());
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
        if look.selects("bookingPolicy") {
            let offered: Vec<_> = rows.iter().map(|row| row.offered.clone()).collect();
            for (row, policy) in rows.iter_mut().zip(policies(ctx, &offered).await?) {
                row.terms.policy = Some(policy.into_iter().collect());
            }
        }
        if look.selects("optionsAndVariants") {
            let found = options(ctx, rows.iter().map(|row| row.offered.id).collect()).await?;
            for row in &mut rows {
                let own = found.iter().find(|options| options.0.service == row.offered.id);
                row.terms.options = Some(own.cloned().into_iter().collect());
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

async fn old_slugs(ctx: &Context<'_>, of: Vec<ServiceId>) -> async_graphql::Result<Vec<OldSlug>> {
    let found = service(ctx).old_slugs(caller(ctx), of).await;
    found.map_err(|error| failure(ctx, error))
}

/// The policies by which services are booked, in their order.
async fn policies(
    ctx: &Context<'_>,
    services: &[catalog::Service],
) -> async_graphql::Result<Vec<Option<BookingPolicy>>> {
    let found = service(ctx).policies_of(caller(ctx), services).await;
    let found = found.map_err(|error| failure(ctx, error))?;
    Ok(found.into_iter().map(|policy| policy.map(BookingPolicy)).collect())
}

/// The options of those of the services that have any.
async fn options(ctx: &Context<'_>, services: Vec<ServiceId>) -> async_graphql::Result<Vec<ServiceOptionsAndVariants>> {
    let found = service(ctx).options_of(caller(ctx), services).await;
    let found = found.map_err(|error| failure(ctx, error))?;
    Ok(found.into_iter().map(ServiceOptionsAndVariants).collect())
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
