//! What was booked: where, when, with whom.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object, SimpleObject, Union};

use super::{booking::knows_people, resource::Resource, schedule::Schedule, service::Service, session::Session};
use crate::{
    domain::{booking as domain, catalog::ResourceType},
    graphql::scalars::{DateTime, TimeZone},
};

/// Whose place it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "crate::domain::booking::LocationType")]
pub enum LocationType {
    /// The business's.
    OwnerBusiness,
    /// Another place that the business chose.
    OwnerCustom,
    /// The customer's.
    Custom,
}

/// A place, with the name and address that it had when it was booked or said.
#[derive(SimpleObject, Debug, Clone)]
#[graphql(name = "BookingLocation")]
pub struct Location {
    /// The address in one text.
    pub formatted_address: Option<String>,
    /// What it is asked for by, in `locationIds` of `availability` and in the `location` of a booking: the id of the
    /// business's location, or that of the service's own place. Null for places in free words.
    pub location_id: Option<ID>,
    /// Whose place it is.
    pub location_type: LocationType,
    /// The name.
    pub name: Option<String>,
}

impl From<&domain::Location> for Location {
    fn from(location: &domain::Location) -> Self {
        Self {
            formatted_address: location.formatted_address.clone(),
            location_id: location.id.map(|id| id.to_string().into()),
            location_type: location.location_type.into(),
            name: location.name.clone(),
        }
    }
}

/// A staff member or room as a booking keeps it.
#[derive(Debug, Clone)]
pub struct BookedResource(domain::BookedResource);

/// A staff member or room as a booking keeps it.
#[Object]
impl BookedResource {
    /// Whether the customer asked for it; if not, the server chose it.
    async fn explicitly_requested(&self) -> bool {
        self.0.explicitly_requested
    }

    /// The id of the resource.
    async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// Its name when it was booked.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// The resource as it is now, unless it was deleted.
    async fn resource(&self, ctx: &Context<'_>) -> Option<async_graphql::Result<Resource>> {
        Resource::load(ctx, vec![self.0.id])
            .await
            .map(|mut found| found.pop())
            .transpose()
    }
}

/// What was booked: a time or a whole run.
#[derive(Union, Clone)]
pub enum BookedEntity {
    /// A run of a course.
    BookedSchedule(BookedSchedule),
    /// An appointment's time or a class session.
    BookedSlot(BookedSlot),
}

impl From<Arc<domain::Booking>> for BookedEntity {
    fn from(booking: Arc<domain::Booking>) -> Self {
        match booking.booked.kind {
            domain::ServiceKind::Course => Self::BookedSchedule(BookedSchedule(booking)),
            domain::ServiceKind::Class | domain::ServiceKind::Appointment => Self::BookedSlot(BookedSlot(booking)),
        }
    }
}

/// An appointment's time or a class session.
#[derive(Debug, Clone)]
pub struct BookedSlot(Arc<domain::Booking>);

/// An appointment's time or a class session.
#[Object]
impl BookedSlot {
    /// Rooms and whatever else it needs beside `resource`.
    async fn additional_resources(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<BookedResource>> {
        let mut all = self.0.booked.resources.clone();
        if let Some(first) = self.who(ctx).await? {
            all.remove(first);
        }
        Ok(all.into_iter().map(BookedResource).collect())
    }

    /// When it ends.
    async fn end_date(&self) -> Option<DateTime> {
        self.0.end().map(DateTime::from)
    }

    /// Where. The customer's address is told to whoever may know who the customer is.
    async fn location(&self, ctx: &Context<'_>) -> Option<Location> {
        let location = self.0.booked.location.as_ref()?;
        let private = location.location_type == domain::LocationType::Custom && !knows_people(ctx);
        let told = Location::from(location);
        Some(if private {
            Location {
                formatted_address: None,
                name: None,
                ..told
            }
        } else {
            told
        })
    }

    /// Who does it: the first of the staff, or where the service takes none, the first of what it takes. None while an
    /// appointment for which nobody was asked for waits for its confirmation.
    async fn resource(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<BookedResource>> {
        let first = self.who(ctx).await?;
        let found = first.and_then(|first| self.0.booked.resources.get(first));
        Ok(found.cloned().map(BookedResource))
    }

    /// The id of the service's schedule.
    async fn schedule_id(&self) -> ID {
        self.0.booked.schedule.to_string().into()
    }

    /// The id of the service.
    async fn service_id(&self) -> ID {
        self.0.booked.service.to_string().into()
    }

    /// The class session. Appointments have none.
    async fn session(&self, ctx: &Context<'_>) -> Option<async_graphql::Result<Session>> {
        Session::find(ctx, self.0.booked.session?).await.transpose()
    }

    /// The id of the class session. Appointments have none.
    async fn session_id(&self) -> Option<ID> {
        self.0.booked.session.map(|id| id.to_string().into())
    }

    /// When it starts.
    async fn start_date(&self) -> Option<DateTime> {
        self.0.start().map(DateTime::from)
    }

    /// The zone in which the customer saw the time.
    async fn time_zone(&self) -> TimeZone {
        (&self.0.booked.time_zone).into()
    }

    /// The session's title or the service's name when it was booked.
    async fn title(&self) -> &str {
        &self.0.booked.title
    }
}

impl BookedSlot {
    /// The position of who does it among the resources.
    async fn who(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<usize>> {
        let (booking, all) = (&self.0, &self.0.booked.resources);
        let appointment = booking.booked.kind == domain::ServiceKind::Appointment;
        // Those of a session, and whoever was assigned, stand in order, staff first.
        let assigned = booking.status.on_calendar() || booking.hold_expires_at.is_some();
        if all.is_empty() || assigned || !appointment {
            return Ok((!all.is_empty()).then_some(0));
        }
        let ids: Vec<_> = all.iter().map(|resource| resource.id).collect();
        let found = Resource::load(ctx, ids).await?;
        let staff = |id| {
            let is_staff = |one: &&Resource| one.0.resource_type == ResourceType::Staff;
            found.iter().filter(is_staff).any(|one| one.0.id == id)
        };
        let first = all.iter().position(|resource| staff(resource.id));
        if first.is_some() {
            return Ok(first);
        }
        // Only a room may be asked for by now, and somebody who does it comes later.
        let service = Service::find(ctx, booking.booked.service).await?;
        let takes_staff = service.is_some_and(|service| {
            let needs = &service.offered.requirements;
            needs.iter().any(|need| need.resource_type == ResourceType::Staff)
        });
        Ok((!takes_staff).then_some(0))
    }
}

/// A run of a course: all of its sessions.
#[derive(Debug, Clone)]
pub struct BookedSchedule(Arc<domain::Booking>);

/// A run of a course: all of its sessions.
#[Object]
impl BookedSchedule {
    /// When the first session starts; none while there are no sessions.
    async fn first_session_start(&self) -> Option<DateTime> {
        self.0.start().map(DateTime::from)
    }

    /// When the last session ends; none while there are no sessions.
    async fn last_session_end(&self) -> Option<DateTime> {
        self.0.end().map(DateTime::from)
    }

    /// Where.
    async fn location(&self) -> Option<Location> {
        self.0.booked.location.as_ref().map(Location::from)
    }

    /// The run.
    async fn schedule(&self, ctx: &Context<'_>) -> Option<async_graphql::Result<Schedule>> {
        Schedule::find(ctx, self.0.booked.schedule).await.transpose()
    }

    /// The id of the run.
    async fn schedule_id(&self) -> ID {
        self.0.booked.schedule.to_string().into()
    }

    /// The id of the service.
    async fn service_id(&self) -> ID {
        self.0.booked.service.to_string().into()
    }

    /// The zone in which the customer saw the times.
    async fn time_zone(&self) -> TimeZone {
        (&self.0.booked.time_zone).into()
    }

    /// The service's name when it was booked.
    async fn title(&self) -> &str {
        &self.0.booked.title
    }
}
