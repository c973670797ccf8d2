//! Everything that has an id.

use async_graphql::{Context, ID, Interface};

use super::{
    api_key::ApiKey, blocked_time::BlockedTime, booking::Booking, booking_policy::BookingPolicy, category::Category,
    event::BookingEvent, location::BusinessLocation, multi_service_booking::MultiServiceBooking,
    notification::Notification, resource::Resource, resource_type::ResourceType, schedule::Schedule, service::Service,
    service_options::ServiceOptionsAndVariants, session::Session, session_series::SessionSeries, site::Site,
};
use crate::{
    domain::ids::{
        ApiKeyId, BlockedTimeId, BookingId, BookingPolicyId, CategoryId, EventId, Kind, LocationId,
        MultiServiceBookingId, NotificationId, OptionsId, ResourceId, ResourceTypeId, ScheduleId, SeriesId, ServiceId,
        SessionId, SiteId, TypedId as _, parse_any,
    },
    graphql::{
        caller,
        error::{coded, failure},
        service,
    },
};

/// Something that has an id, unique in all of the API.
#[derive(Interface, Clone)]
#[graphql(field(
    name = "id",
    ty = "ID",
    desc = "Its id: a type prefix and 26 characters. Opaque; nothing but the prefix means anything."
))]
#[expect(clippy::large_enum_variant, reason = "one at a time")]
pub enum Node {
    /// An app's key.
    ApiKey(ApiKey),
    /// A time in which a resource can't be booked.
    BlockedTime(BlockedTime),
    /// A booking.
    Booking(Booking),
    /// The rules by which customers book.
    BookingPolicy(BookingPolicy),
    /// An event of the log.
    BookingEvent(BookingEvent),
    /// A location of the business.
    BusinessLocation(BusinessLocation),
    /// A group of services.
    Category(Category),
    /// Several appointments of one visit.
    MultiServiceBooking(MultiServiceBooking),
    /// A message to the people of a booking.
    Notification(Notification),
    /// A staff member or a room.
    Resource(Resource),
    /// A type of resource.
    ResourceType(ResourceType),
    /// A service's schedule.
    Schedule(Schedule),
    /// A service.
    Service(Service),
    /// The options of a service.
    ServiceOptionsAndVariants(ServiceOptionsAndVariants),
    /// A session.
    Session(Session),
    /// Sessions that repeat by a rule.
    SessionSeries(SessionSeries),
    /// The site.
    Site(Site),
}

impl Node {
    /// The object with this id that the caller may see.
    pub async fn load(ctx: &Context<'_>, id: &ID) -> async_graphql::Result<Option<Self>> {
        let (kind, uuid) =
            parse_any(id.as_str()).ok_or_else(|| coded("not a well-formed id of any type", "BAD_USER_INPUT"))?;
        Ok(match kind {
            Kind::Booking => Booking::load(ctx, BookingId::from_uuid(uuid)).await?.map(Self::Booking),
            Kind::MultiServiceBooking => MultiServiceBooking::find(ctx, MultiServiceBookingId::from_uuid(uuid))
                .await?
                .map(Self::MultiServiceBooking),
            Kind::BookingPolicy => BookingPolicy::find(ctx, BookingPolicyId::from_uuid(uuid))
                .await?
                .map(Self::BookingPolicy),
            Kind::Options => ServiceOptionsAndVariants::find(ctx, OptionsId::from_uuid(uuid))
                .await?
                .map(Self::ServiceOptionsAndVariants),
            Kind::Service => Service::find(ctx, ServiceId::from_uuid(uuid)).await?.map(Self::Service),
            Kind::Resource => Resource::load(ctx, vec![ResourceId::from_uuid(uuid)])
                .await?
                .pop()
                .map(Self::Resource),
            Kind::ResourceType => ResourceType::load(ctx, vec![ResourceTypeId::from_uuid(uuid)])
                .await?
                .pop()
                .map(Self::ResourceType),
            Kind::Schedule => Schedule::find(ctx, ScheduleId::from_uuid(uuid))
                .await?
                .map(Self::Schedule),
            Kind::Session => Session::find(ctx, SessionId::from_uuid(uuid)).await?.map(Self::Session),
            Kind::ApiKey => ApiKey::find(ctx, ApiKeyId::from_uuid(uuid)).await?.map(Self::ApiKey),
            Kind::BlockedTime => BlockedTime::find(ctx, BlockedTimeId::from_uuid(uuid))
                .await?
                .map(Self::BlockedTime),
            Kind::Category => Category::load(ctx, vec![CategoryId::from_uuid(uuid)])
                .await?
                .pop()
                .map(Self::Category),
            Kind::Location => BusinessLocation::load(ctx, vec![LocationId::from_uuid(uuid)])
                .await?
                .pop()
                .map(Self::BusinessLocation),
            Kind::Site => {
                let found = service(ctx)
                    .site(caller(ctx))
                    .await
                    .map_err(|error| failure(ctx, error))?;
                found
                    .filter(|site| site.id == SiteId::from_uuid(uuid))
                    .map(|site| Self::Site(Site::from(site)))
            }
            Kind::Notification => {
                let id = NotificationId::from_uuid(uuid);
                let found = service(ctx)
                    .notification(caller(ctx), id)
                    .await
                    .map_err(|error| failure(ctx, error))?;
                found.map(|found| Self::Notification(Notification(found)))
            }
            Kind::Event => match EventId::from_uuid(uuid).position(caller(ctx).site) {
                Some(position) => {
                    let found = service(ctx)
                        .event(caller(ctx), position)
                        .await
                        .map_err(|error| failure(ctx, error))?;
                    found.map(|event| Self::BookingEvent(event.into()))
                }
                None => None,
            },
            Kind::Series => SessionSeries::find(ctx, SeriesId::from_uuid(uuid))
                .await?
                .map(Self::SessionSeries),
            // Claims and visitors are nobody's business.
            Kind::Claim | Kind::Visitor => None,
        })
    }
}
