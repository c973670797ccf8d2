//! Reading.

use async_graphql::{Context, ID, MergedObject, Object};

use super::{
    admin::AdminQuery,
    caller,
    catalog::{
        availability::AvailabilityQuery, calendar::CalendarQuery, locations::LocationsQuery, query::CatalogQuery,
        resources::ResourceTypeQuery, services::CategoryQuery, slugs::SlugQuery, terms::TermsQuery,
    },
    connection::{Paging, selects},
    error::{bad_input, coded, failure},
    input::{Rejections, id},
    packages::PackageQuery,
    service,
    types::{
        booking::{Booking, BookingConnection},
        booking_filter::{BookingFilter, BookingOrder, booking_cursor, booking_key},
        event::{BookingEvent, BookingEventConnection, BookingEventFilter, log_cursor, log_position},
        identity::Viewer,
        node::Node,
    },
};
use crate::{
    domain::{Rejection, ids::parse_any},
    service::{Error, bookings::EventFilter},
    store::{
        bookings::{BookingFilter as Tests, BookingKey},
        page::Filter,
    },
};

/// Everything that can be read.
#[derive(MergedObject, Default, Clone)]
pub struct Query(
    BookingQuery,
    CatalogQuery,
    CategoryQuery,
    SlugQuery,
    TermsQuery,
    ResourceTypeQuery,
    LocationsQuery,
    AvailabilityQuery,
    CalendarQuery,
    AdminQuery,
    PackageQuery,
);

/// Reading bookings and their log.
#[derive(Default, Clone)]
pub struct BookingQuery;

/// Reading bookings and their log.
#[Object]
impl BookingQuery {
    /// A booking, if the caller may see it.
    async fn booking(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The booking's id.")] id: ID,
    ) -> Option<async_graphql::Result<Booking>> {
        match self::id(&id) {
            Ok(id) => Booking::load(ctx, id).await.transpose(),
            Err(invalid) => Some(Err(bad_input(&invalid.at("id")))),
        }
    }

    /// The log of the caller's bookings, or of all if it manages them, oldest first: to catch up by pulling.
    async fn booking_events(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Events behind this cursor.")] after: Option<String>,
        #[graphql(desc = "Events before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which events are wanted.")] filter: Option<BookingEventFilter>,
        #[graphql(desc = "How many from the start: 0 to 100, 50 if not said.")] first: Option<i32>,
        #[graphql(desc = "How many from the end: 0 to 100.")] last: Option<i32>,
    ) -> Option<async_graphql::Result<BookingEventConnection>> {
        Some(
            events(
                ctx,
                &Paging {
                    first,
                    after,
                    last,
                    before,
                },
                filter,
            )
            .await,
        )
    }

    /// The bookings that the caller may see, newest first unless ordered otherwise.
    #[expect(clippy::too_many_arguments, reason = "what the schema says")]
    async fn bookings(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Bookings behind this cursor.")] after: Option<String>,
        #[graphql(desc = "Bookings before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which bookings are wanted.")] filter: Option<BookingFilter>,
        #[graphql(desc = "How many from the start: 0 to 100, 50 if not said.")] first: Option<i32>,
        #[graphql(desc = "How many from the end: 0 to 100.")] last: Option<i32>,
        #[graphql(desc = "How they are sorted.")] order_by: Option<BookingOrder>,
    ) -> Option<async_graphql::Result<BookingConnection>> {
        Some(
            bookings(
                ctx,
                &Paging {
                    first,
                    after,
                    last,
                    before,
                },
                filter,
                order_by,
            )
            .await,
        )
    }

    /// Where the log stands now. Read it first, query, then subscribe after it, and nothing is missed.
    async fn event_cursor(&self, ctx: &Context<'_>) -> Option<async_graphql::Result<String>> {
        let position = service(ctx).last_event_position(caller(ctx)).await;
        Some(position.map(log_cursor).map_err(|error| failure(ctx, error)))
    }

    /// Anything that has an id, if the caller may see it.
    async fn node(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The id.")] id: ID,
    ) -> Option<async_graphql::Result<Node>> {
        Node::load(ctx, &id).await.transpose()
    }

    /// Several things that have ids, in the order asked for; null for what there isn't or may not be seen.
    async fn nodes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The ids. At most 100.")] ids: Vec<ID>,
    ) -> Option<async_graphql::Result<Vec<Option<Node>>>> {
        if ids.len() > 100 {
            return Some(Err(coded("`ids` must have at most 100 entries", "BAD_USER_INPUT")));
        }
        let mut nodes = Vec::with_capacity(ids.len());
        for (index, id) in ids.iter().enumerate() {
            if parse_any(id.as_str()).is_none() {
                let message = format!("`ids.{index}`: not a well-formed id of any type");
                return Some(Err(coded(message, "BAD_USER_INPUT")));
            }
            match Node::load(ctx, id).await {
                Ok(node) => nodes.push(node),
                Err(error) => return Some(Err(error)),
            }
        }
        Some(Ok(nodes))
    }

    /// Who the token says the caller is, and what it may do.
    async fn viewer(&self, ctx: &Context<'_>) -> Option<Viewer> {
        Some(Viewer(caller(ctx).clone()))
    }
}

/// The complaint of a query whose input couldn't be understood.
pub(super) fn bad_query(rejections: &Rejections) -> async_graphql::Error {
    match rejections.0.first() {
        Some(Rejection::Invalid(invalid)) => bad_input(invalid),
        _ => coded("the input couldn't be understood", "BAD_USER_INPUT"),
    }
}

async fn bookings(
    ctx: &Context<'_>,
    paging: &Paging,
    filter: Option<BookingFilter>,
    order: Option<BookingOrder>,
) -> async_graphql::Result<BookingConnection> {
    let (field, direction) = BookingOrder::parse(order);
    let request = paging.request(|text| booking_key(text, field))?;
    let filter: Tests = match filter {
        Some(filter) => filter.parse().map_err(|invalid| bad_input(&invalid.at("filter")))?,
        None => Filter::default(),
    };
    let (service, caller) = (service(ctx), caller(ctx));
    let page = service
        .bookings(caller, filter.clone(), field, direction, request)
        .await;
    let mut page = page.map_err(|error| failure(ctx, error))?.map(Booking::from);
    let total = if selects(ctx, "totalCount") {
        let count = service.count_bookings(caller, filter).await;
        Some(count.map_err(|error| failure(ctx, error))?)
    } else {
        None
    };
    let below = |field: &str| {
        let ahead = ctx.look_ahead();
        ahead.field("nodes").field(field).exists() || ahead.field("edges").field("node").field(field).exists()
    };
    Booking::prefetch(
        ctx,
        &mut page.items,
        below("contactDetails"),
        below("service") || below("allowedActions"),
    )
    .await?;
    Ok(BookingConnection::new(
        page,
        |node| booking_cursor(&BookingKey::of(&node.inner, field), field),
        total,
    ))
}

async fn events(
    ctx: &Context<'_>,
    paging: &Paging,
    filter: Option<BookingEventFilter>,
) -> async_graphql::Result<BookingEventConnection> {
    let request = paging.request(log_position)?;
    let filter = match filter {
        Some(filter) => filter.parse().map_err(|rejections| bad_query(&rejections))?,
        None => EventFilter::default(),
    };
    let (service, caller) = (service(ctx), caller(ctx));
    let page = service
        .events(caller, filter.clone(), request)
        .await
        .map_err(|error| failure(ctx, error))?;
    let total = if selects(ctx, "totalCount") {
        let count = service.count_events(caller, filter).await;
        Some(count.map_err(|error| failure(ctx, error))?)
    } else {
        None
    };
    Ok(BookingEventConnection::new(
        page.map(BookingEvent::from),
        |node| log_cursor(node.event.position),
        total,
    ))
}

/// The error of a question that couldn't be answered: which argument is at fault, where one is.
pub(crate) fn refused(ctx: &Context<'_>, error: Error) -> async_graphql::Error {
    match error {
        Error::Rejected(Rejection::Invalid(invalid)) => bad_input(&invalid),
        other => failure(ctx, other),
    }
}
