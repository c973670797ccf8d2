//! Subscriptions. Each yields what it makes of the log's events, and keeps the rules by which executions are shared:
//! the position is stored before an item is yielded, `Start` goes before the argument, `Until` ends the stream.

use async_graphql::{Context, ID, Subscription as GraphQLSubscription};
use futures_util::{Stream, StreamExt as _, stream};

use super::{
    caller,
    error::{bad_input, coded, failure},
    input::id,
    query::{bad_query, refused},
    scalars::DateTime,
    service,
    shared::{Cursor, Start, Until},
    types::{
        availability_change::{AvailabilityChange, AvailabilityWatch},
        booking::Booking,
        event::{BookingEvent, BookingEventFilter, BookingStatusChange, log_position},
    },
};
use crate::{
    domain::ids::{BookingId, ServiceId},
    live::Hub,
    service::{
        Caller, Service,
        access::{self, EventSubjects},
        bookings::EventFilter,
    },
    store::events::Event,
};

/// Everything that can be watched.
#[derive(Debug, Clone, Copy, Default)]
pub struct Subscription;

/// Everything that can be watched.
#[GraphQLSubscription]
impl Subscription {
    /// Tells that the free times of a service may have changed within a window, so that an open page can ask again:
    /// after a booking, a blocked time, opening hours, a session, or a change of the service itself. What happens close
    /// together is told once, within a second. It begins now and tells nothing of what was before: subscribe first, then
    /// ask. A window of at most 366 days.
    async fn availability_changed(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The service.")] service_id: ID,
        #[graphql(desc = "Where the window begins.")] from: DateTime,
        #[graphql(desc = "Where it ends: the first start that isn't of interest any more.")] to: DateTime,
    ) -> async_graphql::Result<impl Stream<Item = async_graphql::Result<AvailabilityChange>> + use<>> {
        let id: ServiceId = id(&service_id).map_err(|invalid| bad_input(&invalid.at("serviceId")))?;
        let instant = |name: &str, date: DateTime| date.instant(None).map_err(|invalid| bad_input(&invalid.at(name)));
        let (from, to) = (instant("from", from)?, instant("to", to)?);
        let (hub, service, caller) = (ctx.data_unchecked::<Hub>(), service(ctx).clone(), caller(ctx).clone());
        let watched = Box::pin(service.watch_availability(&caller, id, from, to)).await;
        let watched = watched.map_err(|error| refused(ctx, error))?;
        let watch = AvailabilityWatch {
            changes: hub.follow_calendar(caller.site),
            service,
            caller,
            watched,
        };
        Ok(watch.told())
    }

    /// Every event that the caller may see, in commit order; from `after` on, or from now. A client that comes back
    /// with the cursor of the last event it had misses nothing and gets nothing twice.
    async fn booking_events(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Begin behind this cursor.")] after: Option<String>,
        #[graphql(desc = "Which events are wanted.")] filter: Option<BookingEventFilter>,
    ) -> async_graphql::Result<impl Stream<Item = async_graphql::Result<BookingEvent>> + use<>> {
        let argument = after
            .map(|text| {
                log_position(&text).ok_or_else(|| coded("`after` is not a cursor of the log", "BAD_USER_INPUT"))
            })
            .transpose()?;
        let filter = match filter {
            Some(filter) => filter.parse().map_err(|rejections| bad_query(&rejections))?,
            None => EventFilter::default(),
        };
        let (hub, caller, cursor) = (
            ctx.data_unchecked::<Hub>(),
            caller(ctx).clone(),
            ctx.data_opt::<Cursor>().cloned(),
        );
        let after = ctx.data_opt::<Start>().map(|start| start.0).or(argument);
        let events = match ctx.data_opt::<Until>() {
            Some(until) => hub.replay_site(caller.site, after.unwrap_or(0), until.0),
            None => hub.follow_site(caller.site, after),
        };
        Ok(events.filter_map(move |event| {
            let item = match event {
                Ok(event) if filter.passes(&event) && access::sees_event(&caller, &EventSubjects::from(&*event)) => {
                    if let Some(cursor) = &cursor {
                        cursor.store(event.position);
                    }
                    Some(Ok(BookingEvent::from((*event).clone())))
                }
                Ok(_) => None,
                Err(error) => Some(Err(coded(error.to_string(), "SERVICE_UNAVAILABLE"))),
            };
            std::future::ready(item)
        }))
    }

    /// The status of one booking: its present status at once, then each change.
    async fn booking_status_changed(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The booking.")] booking_id: ID,
    ) -> async_graphql::Result<impl Stream<Item = async_graphql::Result<BookingStatusChange>> + use<>> {
        let id: BookingId = id(&booking_id).map_err(|invalid| bad_input(&invalid.at("bookingId")))?;
        let (hub, service, caller) = (ctx.data_unchecked::<Hub>(), service(ctx).clone(), caller(ctx).clone());
        let cursor = ctx.data_opt::<Cursor>().cloned();
        // Who goes on behind a revision has seen the booking; each event is looked at on its own.
        let (behind, present) = if let Some(start) = ctx.data_opt::<Start>() {
            (start.0, None)
        } else {
            // What may not be seen looks like what isn't there.
            let missing = || coded("no such booking", "BOOKING_NOT_FOUND");
            let now = Box::pin(service.booking(&caller, id)).await;
            let now = now.map_err(|error| failure(ctx, error))?.ok_or_else(missing)?;
            if let Some(cursor) = &cursor {
                cursor.store(now.revision);
            }
            (
                now.revision,
                Some(Ok(BookingStatusChange {
                    occurred_at: DateTime::from(now.updated),
                    previous_status: None,
                    revision: i32::try_from(now.revision).unwrap_or(i32::MAX),
                    status: now.status.into(),
                    booking: Booking::from(now),
                })),
            )
        };
        let events = match ctx.data_opt::<Until>() {
            Some(until) => hub.replay_booking(caller.site, id, behind, until.0),
            None => hub.follow_booking(caller.site, id, Some(behind)),
        };
        let changes = events.filter_map(move |event| {
            let (service, caller, cursor) = (service.clone(), caller.clone(), cursor.clone());
            async move {
                match event {
                    Ok(event) if event.previous_status != Some(event.status) => {
                        Box::pin(change(&service, &caller, &event, cursor.as_ref())).await
                    }
                    Ok(_) => None,
                    Err(error) => Some(Err(coded(error.to_string(), "SERVICE_UNAVAILABLE"))),
                }
            }
        });
        Ok(stream::iter(present).chain(changes))
    }
}

async fn change(
    service: &Service,
    caller: &Caller,
    event: &Event,
    cursor: Option<&Cursor>,
) -> Option<async_graphql::Result<BookingStatusChange>> {
    if !access::sees_event(caller, &EventSubjects::from(event)) {
        return None;
    }
    let booking = match service.booking_of_event(caller, event).await {
        Ok(booking) => booking,
        Err(error) => return Some(Err(coded(error.to_string(), "SERVICE_UNAVAILABLE"))),
    };
    if let Some(cursor) = cursor {
        cursor.store(event.revision);
    }
    Some(Ok(BookingStatusChange {
        booking: Booking::from(booking),
        occurred_at: DateTime::from(event.occurred),
        previous_status: event.previous_status.map(Into::into),
        revision: i32::try_from(event.revision).unwrap_or(i32::MAX),
        status: event.status.into(),
    }))
}
