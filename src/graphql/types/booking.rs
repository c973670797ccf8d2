//! Bookings.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object, SimpleObject};

use super::{
    booked::BookedEntity,
    booking_policy::BookingPolicySnapshot,
    event::{BookingEvent, BookingEventConnection, history_cursor, history_revision},
    identity::Identity,
    multi_service_booking::MultiServiceBookingInfo,
    notification::{Notification, NotificationChannel, NotificationConnection},
    service::Service,
    service_options::{BookingPrice, ServiceChoice, shown},
};
use crate::{
    domain::{
        actor,
        booking::{self as domain, Act},
        catalog,
        ids::BookingId,
        permission::Permission,
    },
    graphql::{
        caller,
        connection::{Paging, connection, cursor, open_cursor, selects},
        error::{UserError, UserErrorCode, coded, failure},
        scalars::{DateTime, EmailAddress},
        service,
    },
    store::{bookings::Contact, events::Event, page::Page},
};

/// Where a booking is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "crate::domain::booking::BookingStatus")]
pub enum BookingStatus {
    /// Made, not yet on the business calendar. Holds nothing unless a hold is running.
    Created,
    /// On the calendar, waiting for the business to confirm or decline it.
    Pending,
    /// On the calendar.
    Confirmed,
    /// Waiting for a spot.
    WaitingList,
    /// Declined by the business or by the double-booking rule. Final.
    Declined,
    /// Canceled by the customer or the business. Final.
    Canceled,
}

/// What is known about the money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "crate::domain::booking::PaymentStatus")]
pub enum PaymentStatus {
    /// Nothing was said yet.
    Undefined,
    /// Nothing was paid.
    NotPaid,
    /// Everything was paid.
    Paid,
    /// A part, such as a deposit, was paid.
    PartiallyPaid,
    /// What was paid was given back.
    Refunded,
    /// There is nothing to pay.
    Exempt,
    /// A charge failed.
    Failed,
}

/// How the customer means to pay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "crate::domain::booking::SelectedPaymentOption")]
pub enum SelectedPaymentOption {
    /// Not said.
    Undefined,
    /// At the business.
    Offline,
    /// Online.
    Online,
    /// By a pricing plan.
    Membership,
    /// By a pricing plan that staff redeem by hand.
    MembershipOffline,
}

/// A booking. The object as the act left it, or as it is now; fields that stand elsewhere are read when selected.
#[derive(Debug, Clone)]
pub struct Booking {
    pub(crate) inner: Arc<domain::Booking>,
    contact: Option<Contact>,
    service: Option<Arc<catalog::Service>>,
}

impl From<domain::Booking> for Booking {
    fn from(booking: domain::Booking) -> Self {
        Arc::new(booking).into()
    }
}

impl From<Arc<domain::Booking>> for Booking {
    fn from(inner: Arc<domain::Booking>) -> Self {
        Self {
            inner,
            contact: None,
            service: None,
        }
    }
}

/// Whom a booking is for.
#[derive(SimpleObject, Debug, Clone)]
pub struct ContactDetails {
    /// Country, ISO 3166-1 alpha-2.
    pub country_code: Option<String>,
    /// E-mail address.
    pub email: Option<EmailAddress>,
    /// First name.
    pub first_name: Option<String>,
    /// Address in one text.
    pub full_address: Option<String>,
    /// Last name.
    pub last_name: Option<String>,
    /// Phone number.
    pub phone: Option<String>,
}

impl From<Contact> for ContactDetails {
    fn from(contact: Contact) -> Self {
        Self {
            country_code: contact.country_code,
            email: contact.email.map(EmailAddress),
            first_name: contact.first_name,
            full_address: contact.full_address,
            last_name: contact.last_name,
            phone: contact.phone,
        }
    }
}

/// A group of participants.
#[derive(SimpleObject, Debug, Clone)]
pub struct ParticipantsChoice {
    /// What they chose of the service's options, and what the slot decided for them.
    pub choices: Vec<ServiceChoice>,
    /// How many they are.
    pub number_of_participants: i32,
}

/// An exclusive claim on what was booked that ends by itself.
#[derive(SimpleObject, Debug, Clone)]
pub struct BookingHold {
    /// When it ends.
    pub expires_at: DateTime,
}

/// What the participants were told last.
#[derive(SimpleObject, Debug, Clone)]
pub struct ParticipantNotification {
    /// By which ways.
    pub channels: Vec<NotificationChannel>,
    /// Words of the sender's own that went with it. Null for whoever may not know.
    pub message: Option<String>,
    /// Whether anything was sent.
    pub notify_participants: bool,
}

/// Whether an act can be done now, and if not, why.
#[derive(SimpleObject, Debug, Clone)]
pub struct AllowedAction {
    /// Whether it can be done.
    pub allowed: bool,
    /// The code that it would be refused with.
    pub code: Option<UserErrorCode>,
    /// Why not, for developers; English.
    pub reason: Option<String>,
}

/// What the caller may do with the booking now, without any override.
#[derive(SimpleObject, Debug, Clone)]
pub struct BookingAllowedActions {
    /// `cancelBooking`.
    pub cancel: AllowedAction,
    /// `confirmBooking`.
    pub confirm: AllowedAction,
    /// `confirmOrDeclineBooking`.
    pub confirm_or_decline: AllowedAction,
    /// `declineBooking`.
    pub decline: AllowedAction,
    /// `markBookingAsPending`.
    pub mark_as_pending: AllowedAction,
    /// `rescheduleBooking`.
    pub reschedule: AllowedAction,
    /// `updateNumberOfParticipants`.
    pub update_number_of_participants: AllowedAction,
}

/// Whether the caller may know who is behind the bookings that it sees: the business knows everybody, a customer only
/// itself.
pub(super) fn knows_people(ctx: &Context<'_>) -> bool {
    Permission::ReadContacts.is_granted(&caller(ctx).actor)
}

/// Who acted, for whoever may know.
pub(crate) fn identity_for(ctx: &Context<'_>, actor: &actor::Identity) -> Option<Identity> {
    let caller = caller(ctx);
    let itself = *actor == caller.actor.identity();
    (itself || (knows_people(ctx) && !caller.actor.is_customer())).then(|| Identity::from(actor))
}

/// What somebody wrote to the participants, for whoever may know.
pub(crate) fn words_for(ctx: &Context<'_>, words: Option<&String>) -> Option<String> {
    words.filter(|_| knows_people(ctx)).cloned()
}

impl Booking {
    /// The booking with this id that the caller may see.
    pub async fn load(ctx: &Context<'_>, id: BookingId) -> async_graphql::Result<Option<Self>> {
        let found = service(ctx)
            .booking(caller(ctx), id)
            .await
            .map_err(|error| failure(ctx, error))?;
        Ok(found.map(Self::from))
    }

    /// Those of the bookings that the caller may see.
    pub async fn load_many(ctx: &Context<'_>, ids: Vec<BookingId>) -> async_graphql::Result<Vec<Self>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let found = service(ctx)
            .bookings_by_id(caller(ctx), ids)
            .await
            .map_err(|error| failure(ctx, error))?;
        Ok(found.into_iter().map(Self::from).collect())
    }

    /// The booking of an event that the caller saw: also one that has left its calendar since.
    pub async fn of_event(ctx: &Context<'_>, event: &Event) -> async_graphql::Result<Self> {
        let found = service(ctx)
            .booking_of_event(caller(ctx), event)
            .await
            .map_err(|error| failure(ctx, error))?;
        Ok(Self::from(found))
    }

    /// Reads at once, for a whole list, what is selected below each of them.
    pub async fn prefetch(
        ctx: &Context<'_>,
        bookings: &mut [Self],
        contacts: bool,
        services: bool,
    ) -> async_graphql::Result<()> {
        if contacts {
            let ids = bookings.iter().map(|booking| booking.inner.id).collect();
            let found = service(ctx)
                .contacts(caller(ctx), ids)
                .await
                .map_err(|error| failure(ctx, error))?;
            let mut found: std::collections::HashMap<_, _> = found.into_iter().collect();
            for booking in bookings.iter_mut() {
                booking.contact = found.remove(&booking.inner.id);
            }
        }
        if services {
            let mut ids: Vec<_> = bookings.iter().map(|booking| booking.inner.booked.service).collect();
            ids.sort();
            ids.dedup();
            let found = service(ctx)
                .services_by_id(caller(ctx), ids)
                .await
                .map_err(|error| failure(ctx, error))?;
            let found: std::collections::HashMap<_, _> = found
                .into_iter()
                .map(|service| (service.id, Arc::new(service)))
                .collect();
            for booking in bookings.iter_mut() {
                booking.service = found.get(&booking.inner.booked.service).cloned();
            }
        }
        Ok(())
    }
}

/// A booking: what a customer has reserved, and where it is in its life.
#[Object]
impl Booking {
    /// What the caller may do with it now, without any override, and if not, why.
    async fn allowed_actions(&self, ctx: &Context<'_>) -> async_graphql::Result<BookingAllowedActions> {
        let offered = self.offered(ctx).await?;
        let allowed = |act: Act| match service(ctx).allows(caller(ctx), &self.inner, &offered, act) {
            Ok(()) => AllowedAction {
                allowed: true,
                code: None,
                reason: None,
            },
            Err(rejection) => {
                let (code, reason) = UserError::from(rejection).summary();
                AllowedAction {
                    allowed: false,
                    code: Some(code),
                    reason: Some(reason),
                }
            }
        };
        Ok(BookingAllowedActions {
            cancel: allowed(Act::Cancel),
            confirm: allowed(Act::Confirm),
            confirm_or_decline: allowed(Act::ConfirmOrDecline),
            decline: allowed(Act::Decline),
            mark_as_pending: allowed(Act::MarkAsPending),
            reschedule: allowed(Act::Reschedule),
            update_number_of_participants: allowed(Act::UpdateParticipants),
        })
    }

    /// What was booked.
    async fn booked_entity(&self) -> BookedEntity {
        self.inner.clone().into()
    }

    /// The policy as it was when this was booked, by which its customer's acts are judged. Null where there was none.
    async fn policy_snapshot(&self) -> Option<BookingPolicySnapshot> {
        BookingPolicySnapshot::of(&self.inner)
    }

    /// When it was canceled.
    async fn canceled_date(&self) -> Option<DateTime> {
        self.inner.canceled.map(DateTime::from)
    }

    /// The bookings that clash with this one, whichever was there first; those that the caller may see. Also of a
    /// booking that the business let in on purpose and that is not flagged.
    async fn conflicts(&self, ctx: &Context<'_>) -> async_graphql::Result<Vec<Booking>> {
        let found = service(ctx)
            .conflicts(caller(ctx), &self.inner)
            .await
            .map_err(|error| failure(ctx, error))?;
        Ok(found.into_iter().map(Self::from).collect())
    }

    /// Whom it is for. Null for whoever may not know, and when it was erased.
    async fn contact_details(&self, ctx: &Context<'_>) -> Option<async_graphql::Result<ContactDetails>> {
        if let Some(contact) = &self.contact {
            return Some(Ok(contact.clone().into()));
        }
        let found = service(ctx).contacts(caller(ctx), vec![self.inner.id]).await;
        match found {
            Ok(found) => found.into_iter().next().map(|(_, contact)| Ok(contact.into())),
            Err(error) => Some(Err(failure(ctx, error))),
        }
    }

    /// Who made it. Null for whoever may not know.
    async fn created_by(&self, ctx: &Context<'_>) -> Option<Identity> {
        identity_for(ctx, &self.inner.created_by)
    }

    /// When it was made.
    async fn created_date(&self) -> DateTime {
        self.inner.created.into()
    }

    /// Whether it clashes with a booking that was there before. Cleared when the clash is gone.
    async fn double_booked(&self) -> bool {
        self.inner.double_booked
    }

    /// When it ends; for a course, when its last session ends.
    async fn end_date(&self) -> Option<DateTime> {
        self.inner.end().map(DateTime::from)
    }

    /// A key of the creating app's own.
    async fn external_user_id(&self) -> Option<&String> {
        self.inner.external_user_id.as_ref()
    }

    /// All that happened to it, oldest first.
    async fn history(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Events behind this cursor.")] after: Option<String>,
        #[graphql(desc = "Events before this cursor.")] before: Option<String>,
        #[graphql(desc = "How many from the start: 0 to 100, 50 if not said.")] first: Option<i32>,
        #[graphql(desc = "How many from the end: 0 to 100.")] last: Option<i32>,
    ) -> Option<async_graphql::Result<BookingEventConnection>> {
        Some(
            self.history_page(
                ctx,
                &Paging {
                    first,
                    after,
                    last,
                    before,
                },
            )
            .await,
        )
    }

    /// The hold, while one is running.
    async fn hold(&self, ctx: &Context<'_>) -> Option<BookingHold> {
        let now = service(ctx).clock().now();
        self.inner
            .hold_expires_at
            .filter(|until| now < *until)
            .map(|until| BookingHold {
                expires_at: until.into(),
            })
    }

    /// Its id.
    pub async fn id(&self) -> ID {
        self.inner.id.to_string().into()
    }

    /// The package that it is a part of: such a booking is confirmed, moved and given up with the others. Null for a
    /// booking by itself.
    async fn multi_service_booking_info(&self) -> Option<MultiServiceBookingInfo> {
        self.inner.package.map(MultiServiceBookingInfo::from)
    }

    /// All messages about it, oldest first.
    async fn notifications(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Messages behind this cursor.")] after: Option<String>,
        #[graphql(desc = "Messages before this cursor.")] before: Option<String>,
        #[graphql(desc = "How many from the start: 0 to 100, 50 if not said.")] first: Option<i32>,
        #[graphql(desc = "How many from the end: 0 to 100.")] last: Option<i32>,
    ) -> async_graphql::Result<NotificationConnection> {
        self.notifications_page(
            ctx,
            &Paging {
                first,
                after,
                last,
                before,
            },
        )
        .await
    }

    /// What the participants were told last.
    async fn participant_notification(&self, ctx: &Context<'_>) -> Option<ParticipantNotification> {
        self.inner
            .participant_notification
            .as_ref()
            .map(|notification| ParticipantNotification {
                channels: notification.channels.iter().map(|channel| (*channel).into()).collect(),
                message: words_for(ctx, notification.message.as_ref()),
                notify_participants: notification.notify_participants,
            })
    }

    /// The groups of participants, where they were booked as groups.
    async fn participants_choices(&self) -> Option<Vec<ParticipantsChoice>> {
        self.inner.participants.choices.as_ref().map(|groups| {
            let group = |g: &domain::ServiceChoices| ParticipantsChoice {
                choices: shown(&g.choices),
                number_of_participants: g.number_of_participants,
            };
            groups.iter().map(group).collect()
        })
    }

    /// What is known about the money.
    async fn payment_status(&self) -> PaymentStatus {
        self.inner.payment_status.into()
    }

    /// What it costs, fixed when it was booked. Null for bookings from before prices were kept.
    async fn price(&self) -> Option<BookingPrice> {
        self.inner.terms.price.as_ref().map(BookingPrice::from)
    }

    /// Grows by one with every change. Send it as `expectedRevision` to change only what you have seen.
    async fn revision(&self) -> i32 {
        i32::try_from(self.inner.revision).unwrap_or(i32::MAX)
    }

    /// How the customer means to pay.
    async fn selected_payment_option(&self) -> Option<SelectedPaymentOption> {
        self.inner.selected_payment_option.map(Into::into)
    }

    /// The service.
    async fn service(&self, ctx: &Context<'_>) -> async_graphql::Result<Service> {
        match &self.service {
            Some(service) => Ok(Service::from((**service).clone())),
            None => Service::find(ctx, self.inner.booked.service)
                .await?
                .ok_or_else(|| coded("the service is gone", "INTERNAL_ERROR")),
        }
    }

    /// When it starts; for a course, when its first session starts.
    async fn start_date(&self) -> Option<DateTime> {
        self.inner.start().map(DateTime::from)
    }

    /// Where it is in its life.
    async fn status(&self) -> BookingStatus {
        self.inner.status.into()
    }

    /// How many come.
    async fn total_participants(&self) -> i32 {
        self.inner.participants.total
    }

    /// When it changed last.
    async fn updated_date(&self) -> DateTime {
        self.inner.updated.into()
    }
}

impl Booking {
    /// The service, which may have been loaded for the whole list.
    async fn offered(&self, ctx: &Context<'_>) -> async_graphql::Result<Arc<catalog::Service>> {
        if let Some(service) = &self.service {
            return Ok(service.clone());
        }
        let found = service(ctx)
            .services_by_id(caller(ctx), vec![self.inner.booked.service])
            .await;
        let found = found.map_err(|error| failure(ctx, error))?.into_iter().next();
        found
            .map(Arc::new)
            .ok_or_else(|| coded("the service is gone", "INTERNAL_ERROR"))
    }

    async fn history_page(&self, ctx: &Context<'_>, paging: &Paging) -> async_graphql::Result<BookingEventConnection> {
        let request = paging.request(history_revision)?;
        let (service, caller, id) = (service(ctx), caller(ctx), self.inner.id);
        let page = service
            .history(caller, id, request)
            .await
            .map_err(|error| failure(ctx, error))?;
        let total = if selects(ctx, "totalCount") {
            let count = service.count_history(caller, id).await;
            Some(count.map_err(|error| failure(ctx, error))?)
        } else {
            None
        };
        let own = |event: Event| BookingEvent {
            event,
            booking: Some(self.clone()),
        };
        Ok(BookingEventConnection::new(
            page.map(own),
            |node| history_cursor(node.event.revision),
            total,
        ))
    }

    async fn notifications_page(
        &self,
        ctx: &Context<'_>,
        paging: &Paging,
    ) -> async_graphql::Result<NotificationConnection> {
        let request =
            paging.request(|text| open_cursor(text).filter(|content| content.starts_with("notification_")))?;
        let all = service(ctx)
            .notifications(caller(ctx), self.inner.id)
            .await
            .map_err(|error| failure(ctx, error))?;
        let total = i64::try_from(all.len()).ok();
        let key = |notification: &Notification| notification.0.id.to_string();
        // A booking has as many messages as changes: they are cut here and not in the database.
        let page = Page::of_all(all.into_iter().map(Notification).collect(), &request, key);
        Ok(NotificationConnection::new(page, |node| cursor(&key(node)), total))
    }
}

connection!("A page of bookings.", BookingConnection, BookingEdge, Booking);
