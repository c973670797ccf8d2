//! Reading bookings and their log. What the caller may not see looks like what isn't there.

use super::terms::{may_cancel, may_reschedule};
use crate::{
    domain::{
        Rejection,
        booking::{Act, Booking},
        catalog::Service as Offered,
        conflict::{self, Ask, Holder, Target},
        event::EventType,
        ids::{BookingId, Kind, MultiServiceBookingId, NotificationId, ServiceId, SiteId},
        permission::Permission,
        time::TimeSpan,
    },
    service::{
        Caller, Error, Service,
        access::{self, EventSubjects},
    },
    store::{
        Conn, StoreError,
        bookings::{self, BookingField, BookingFilter, BookingKey, Contact, OrderField},
        claims,
        events::{self, Event},
        notifications::{self, Notification},
        page::{Direction, Filter, Page, PageRequest},
    },
};

/// Which events of the log somebody wants.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// Of these bookings.
    pub bookings: Option<Vec<BookingId>>,
    /// Of bookings that were parts of these packages, or left them.
    pub packages: Option<Vec<MultiServiceBookingId>>,
    /// Of these services.
    pub services: Option<Vec<ServiceId>>,
    /// Of these types.
    pub types: Option<Vec<EventType>>,
}

impl EventFilter {
    /// Whether an event passes.
    #[must_use]
    pub fn passes(&self, event: &Event) -> bool {
        let of_package = |ids: &Vec<MultiServiceBookingId>| event.package.is_some_and(|id| ids.contains(&id));
        self.bookings.as_ref().is_none_or(|ids| ids.contains(&event.booking))
            && self.packages.as_ref().is_none_or(of_package)
            && self.services.as_ref().is_none_or(|ids| ids.contains(&event.service))
            && self
                .types
                .as_ref()
                .is_none_or(|types| types.contains(&event.event_type))
    }
}

/// Who may not know the people can't find them out by asking for their bookings either.
fn check_filter(caller: &Caller, filter: &BookingFilter) -> Result<(), Error> {
    let asks_for_people = filter.any(&|field| matches!(field, BookingField::Email(_) | BookingField::CreatedById(_)));
    if asks_for_people {
        access::require(Permission::ReadContacts, caller)?;
    }
    Ok(())
}

/// Events are looked through in pieces of this size.
const SCAN: i64 = 500;

impl Service {
    /// A booking that the caller may see.
    pub async fn booking(&self, caller: &Caller, id: BookingId) -> Result<Option<Booking>, Error> {
        let (site, scope) = (caller.site, access::scope(caller));
        Ok(self
            .db()
            .read(move |conn| Box::pin(bookings::find_within(conn, site, id, scope)))
            .await?)
    }

    /// The booking of an event that the caller saw, as it is now: also one that has left its calendar since.
    pub async fn booking_of_event(&self, caller: &Caller, event: &Event) -> Result<Booking, Error> {
        let (site, id) = (caller.site, event.booking);
        let found = self
            .db()
            .read(move |conn| Box::pin(bookings::find(conn, site, id)))
            .await?;
        found
            .filter(|_| access::sees_event(caller, &EventSubjects::from(event)))
            .ok_or_else(|| Rejection::not_found(Kind::Booking, &[]).into())
    }

    /// Whether the caller may do something to the booking of this service now, without any override.
    pub fn allows(&self, caller: &Caller, booking: &Booking, offered: &Offered, act: Act) -> Result<(), Rejection> {
        if !act.permission().covers(&caller.actor, booking) {
            return Err(Rejection::Unauthorized {
                what: "this".to_owned(),
                own_calendar: false,
                path: Vec::new(),
            });
        }
        booking.check_alone()?;
        self.allows_whole(caller, booking, offered, act)
    }

    /// The same of a part of a package, by an act on the whole.
    pub(super) fn allows_whole(
        &self,
        caller: &Caller,
        booking: &Booking,
        offered: &Offered,
        act: Act,
    ) -> Result<(), Rejection> {
        booking.check(act)?;
        match act {
            Act::Cancel => may_cancel(booking, &caller.actor, self.clock().now()),
            Act::Reschedule => {
                let online = offered.open_to_customers();
                may_reschedule(booking, online, &caller.actor, self.clock().now())
            }
            Act::MarkAsPending if !offered.online_booking.require_manual_approval => {
                Err(Rejection::NotPendingApprovalService)
            }
            _ => Ok(()),
        }
    }

    /// Those of the bookings that the caller may see.
    pub async fn bookings_by_id(&self, caller: &Caller, ids: Vec<BookingId>) -> Result<Vec<Booking>, Error> {
        let site = caller.site;
        let found = self
            .db()
            .read(move |conn| Box::pin(async move { bookings::find_many(conn, site, &ids).await }));
        Ok(found
            .await?
            .into_iter()
            .filter(|booking| access::sees(caller, booking))
            .collect())
    }

    /// A page of the bookings that the caller may see.
    pub async fn bookings(
        &self,
        caller: &Caller,
        filter: BookingFilter,
        field: OrderField,
        direction: Direction,
        request: PageRequest<BookingKey>,
    ) -> Result<Page<Booking>, Error> {
        check_filter(caller, &filter)?;
        let (site, filter) = (caller.site, Filter::All(vec![access::scope(caller), filter]));
        let page = self.db().read(move |conn| {
            Box::pin(async move { bookings::page(conn, site, filter, field, direction, &request).await })
        });
        Ok(page.await?)
    }

    /// How many bookings the caller may see that pass the filter.
    pub async fn count_bookings(&self, caller: &Caller, filter: BookingFilter) -> Result<i64, Error> {
        check_filter(caller, &filter)?;
        let (site, filter) = (caller.site, Filter::All(vec![access::scope(caller), filter]));
        Ok(self
            .db()
            .read(move |conn| Box::pin(bookings::count(conn, site, filter)))
            .await?)
    }

    /// Whom bookings are for, as far as the caller may know. Only of bookings that the caller sees.
    pub async fn contacts(&self, caller: &Caller, ids: Vec<BookingId>) -> Result<Vec<(BookingId, Contact)>, Error> {
        if !Permission::ReadContacts.is_granted(&caller.actor) {
            return Ok(Vec::new());
        }
        let site = caller.site;
        let found = self
            .db()
            .read(move |conn| Box::pin(async move { bookings::contacts(conn, site, &ids).await }));
        Ok(found.await?)
    }

    /// The messages about a booking that the caller sees, oldest first.
    pub async fn notifications(&self, caller: &Caller, booking: BookingId) -> Result<Vec<Notification>, Error> {
        let site = caller.site;
        Ok(self
            .db()
            .read(move |conn| Box::pin(notifications::of_booking(conn, site, booking)))
            .await?)
    }

    /// A message about a booking that the caller may see.
    pub async fn notification(&self, caller: &Caller, id: NotificationId) -> Result<Option<Notification>, Error> {
        let site = caller.site;
        let found = self
            .db()
            .read(move |conn| Box::pin(notifications::find(conn, site, id)))
            .await?;
        match found {
            Some(found) if self.booking(caller, found.booking).await?.is_some() => Ok(Some(found)),
            _ => Ok(None),
        }
    }

    /// The bookings that clash with this one, whichever was there first; only those that the caller may see.
    pub async fn conflicts(&self, caller: &Caller, booking: &Booking) -> Result<Vec<Booking>, Error> {
        let (site, id, now) = (caller.site, booking.id, self.clock().now());
        if !booking.status.on_calendar() && !booking.held(now) {
            return Ok(Vec::new());
        }
        let rivals = self.db().read(move |conn| {
            Box::pin(async move {
                let own = claims::of_holder(conn, site, Holder::Booking(id)).await?;
                let mut rivals: Vec<BookingId> = Vec::new();
                for claim in own {
                    let around =
                        claims::on_target(conn, site, claim.target, claim.span.start(), claim.span.end()).await?;
                    let capacity = capacity(conn, site, claim.target).await?;
                    let ask = |claim: &conflict::Claim, span: TimeSpan| Ask {
                        target: claim.target,
                        span,
                        seats: claim.seats,
                        holder: claim.holder,
                        before: None,
                    };
                    if let Some(clash) = conflict::evaluate(&ask(&claim, claim.span), &around, capacity, now) {
                        rivals.extend(clash.rivals.into_iter().filter_map(Holder::booking));
                    }
                    // A request that blocks nothing itself is a rival of what it clashes with, too.
                    if matches!(claim.target, Target::Resource(_)) && claim.blocks() {
                        let waiting = around.iter().filter(|c| !c.blocks() && c.span.overlaps(&claim.span));
                        rivals.extend(waiting.filter_map(|claim| claim.holder.booking()));
                    }
                }
                rivals.sort();
                rivals.dedup();
                rivals.retain(|rival| *rival != id);
                bookings::find_many(conn, site, &rivals).await
            })
        });
        let found = rivals.await?;
        Ok(found.into_iter().filter(|rival| access::sees(caller, rival)).collect())
    }

    /// Where the site's log stands.
    pub async fn last_event_position(&self, caller: &Caller) -> Result<i64, Error> {
        let site = caller.site;
        Ok(self
            .db()
            .read(move |conn| Box::pin(events::last_position(conn, site)))
            .await?)
    }

    /// An event that the caller may see.
    pub async fn event(&self, caller: &Caller, position: i64) -> Result<Option<Event>, Error> {
        let site = caller.site;
        let found = self
            .db()
            .read(move |conn| Box::pin(events::find(conn, site, position)))
            .await?;
        Ok(found.filter(|event| access::sees_event(caller, &EventSubjects::from(event))))
    }

    /// A page of the events that the caller may see and that pass the filter, by position.
    pub async fn events(
        &self,
        caller: &Caller,
        filter: EventFilter,
        request: PageRequest<i64>,
    ) -> Result<Page<Event>, Error> {
        let (site, caller) = (caller.site, caller.clone());
        let page = self.db().read(move |conn| {
            Box::pin(async move {
                let wanted = usize::try_from(request.limit).unwrap_or(0) + 1;
                let order = if request.from_end {
                    events::Order::Backward
                } else {
                    events::Order::Forward
                };
                let passes =
                    |event: &Event| filter.passes(event) && access::sees_event(&caller, &EventSubjects::from(event));
                let after = request.after.unwrap_or(0);
                let search = Search::new(site, &caller, &filter);
                let mut found = search
                    .find(conn, (after, request.before), order, wanted, &passes)
                    .await?;
                let more = found.len() >= wanted;
                found.truncate(wanted - 1);
                // The flags are facts: is there anything on the other sides of the cursors?
                let earlier = async |conn: &mut Conn| {
                    let range = (0, Some(after.saturating_add(1)));
                    search
                        .find(conn, range, events::Order::Backward, 1, &passes)
                        .await
                        .map(|found| !found.is_empty())
                };
                let later = async |conn: &mut Conn| match request.before {
                    Some(before) => {
                        let range = (before.saturating_sub(1), None);
                        search
                            .find(conn, range, events::Order::Forward, 1, &passes)
                            .await
                            .map(|found| !found.is_empty())
                    }
                    None => Ok(false),
                };
                if request.from_end {
                    found.reverse();
                    Ok(Page {
                        items: found,
                        has_previous: more || earlier(conn).await?,
                        has_next: later(conn).await?,
                    })
                } else {
                    Ok(Page {
                        items: found,
                        has_next: more || later(conn).await?,
                        has_previous: earlier(conn).await?,
                    })
                }
            })
        });
        Ok(page.await?)
    }

    /// How many events the caller may see that pass the filter.
    pub async fn count_events(&self, caller: &Caller, filter: EventFilter) -> Result<i64, Error> {
        let (site, caller) = (caller.site, caller.clone());
        let count = self.db().read(move |conn| {
            Box::pin(async move {
                if filter == EventFilter::default() && access::sees_all_events(&caller) {
                    // Positions have no gaps.
                    return events::last_position(conn, site).await;
                }
                let passes =
                    |event: &Event| filter.passes(event) && access::sees_event(&caller, &EventSubjects::from(event));
                let search = Search::new(site, &caller, &filter);
                search.count(conn, &passes).await
            })
        });
        Ok(count.await?)
    }

    /// A page of one booking's events, by revision. Only of a booking that the caller sees.
    pub async fn history(
        &self,
        caller: &Caller,
        booking: BookingId,
        request: PageRequest<i64>,
    ) -> Result<Page<Event>, Error> {
        let site = caller.site;
        let page = self.db().read(move |conn| {
            Box::pin(async move {
                let order = if request.from_end {
                    events::Order::Backward
                } else {
                    events::Order::Forward
                };
                let after = request.after.unwrap_or(0);
                let mut rows =
                    events::of_booking(conn, site, booking, after, request.before, order, request.limit + 1).await?;
                let limit = usize::try_from(request.limit).unwrap_or(0);
                let more = rows.len() > limit;
                rows.truncate(limit);
                let later = match request.before {
                    Some(before) => {
                        let forward = events::Order::Forward;
                        !events::of_booking(conn, site, booking, before - 1, None, forward, 1)
                            .await?
                            .is_empty()
                    }
                    None => false,
                };
                if request.from_end {
                    rows.reverse();
                    Ok(Page {
                        items: rows,
                        has_previous: more || after > 0,
                        has_next: later,
                    })
                } else {
                    Ok(Page {
                        items: rows,
                        has_next: more || later,
                        has_previous: after > 0,
                    })
                }
            })
        });
        Ok(page.await?)
    }

    /// How many events a booking has.
    pub async fn count_history(&self, caller: &Caller, booking: BookingId) -> Result<i64, Error> {
        let site = caller.site;
        Ok(self
            .db()
            .read(move |conn| Box::pin(events::count_of_booking(conn, site, booking)))
            .await?)
    }
}

/// A search of the log.
struct Search {
    site: SiteId,
    narrowed: events::Narrowed,
}

impl Search {
    fn new(site: SiteId, caller: &Caller, filter: &EventFilter) -> Self {
        let narrowed = events::Narrowed {
            bookings: filter.bookings.clone(),
            packages: filter.packages.clone(),
            made_by: access::sees_own_events(caller).then(|| caller.actor.identity()),
        };
        Self { site, narrowed }
    }

    /// Events of a range of the log that pass, at most `wanted`.
    async fn find(
        &self,
        conn: &mut Conn,
        (mut low, mut high): (i64, Option<i64>),
        order: events::Order,
        wanted: usize,
        passes: &(dyn Fn(&Event) -> bool + Sync),
    ) -> Result<Vec<Event>, StoreError> {
        let mut found: Vec<Event> = Vec::new();
        while found.len() < wanted {
            let (piece, last) = self.piece(conn, low, high, order).await?;
            found.extend(piece.into_iter().filter(passes));
            match (last, order) {
                (None, _) => break,
                (Some(last), events::Order::Forward) => low = last,
                (Some(last), events::Order::Backward) => high = Some(last),
            }
        }
        found.truncate(wanted);
        Ok(found)
    }

    async fn count(&self, conn: &mut Conn, passes: &(dyn Fn(&Event) -> bool + Sync)) -> Result<i64, StoreError> {
        let (mut count, mut after) = (0, Some(0));
        while let Some(low) = after {
            let (piece, last) = self.piece(conn, low, None, events::Order::Forward).await?;
            count += i64::try_from(piece.iter().filter(|event| passes(event)).count()).unwrap_or(0);
            after = last;
        }
        Ok(count)
    }

    /// A piece of a range, and its last position if there may be more behind it.
    async fn piece(
        &self,
        conn: &mut Conn,
        low: i64,
        high: Option<i64>,
        order: events::Order,
    ) -> Result<(Vec<Event>, Option<i64>), StoreError> {
        if !self.narrowed.is_open() {
            let all = events::search(conn, self.site, self.narrowed.clone(), low, high, order).await?;
            return Ok((all, None));
        }
        let piece = events::range(conn, self.site, low, high, order, SCAN).await?;
        let full = i64::try_from(piece.len()).is_ok_and(|len| len == SCAN);
        let last = piece.last().filter(|_| full).map(|event| event.position);
        Ok((piece, last))
    }
}

async fn capacity(conn: &mut Conn, site: SiteId, target: Target) -> Result<i32, StoreError> {
    use crate::store::catalog;
    Ok(match target {
        Target::Resource(_) => 1,
        Target::Session(id) => catalog::find_session(conn, site, id)
            .await?
            .map_or(0, |session| session.capacity),
        Target::Schedule(id) => catalog::find_schedule(conn, site, id)
            .await?
            .map_or(0, |schedule| schedule.capacity),
    })
}
