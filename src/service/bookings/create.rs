//! Making bookings, one or many.

use jiff::{Timestamp, ToSpan as _};
use serde::{Deserialize, Serialize};

use super::{
    Ledger, NewVisitor, notify,
    place::{self, Place, Purpose, Search, Wanted},
    terms,
};
use crate::{
    domain::{
        Rejection,
        actor::Actor,
        booking::{
            Booking, BookingStatus, FlowControl, ParticipantNotification, Participants, PaymentStatus,
            SelectedPaymentOption,
        },
        catalog::{Service as OfferedService, ServiceKind},
        conflict::{Holder, OverlapReason},
        event::{EventSource, EventType},
        ids::{BookingId, MultiServiceBookingId, SiteId},
        permission::Permission,
        rejection::PolicyRule,
        terms::Terms,
    },
    service::{Caller, Error, IdempotencyKey, Outcome, Service, access},
    store::{
        Command, Failure, Tx,
        bookings::{self, Contact},
        claims,
        events::NewEvent,
    },
};

/// A booking that is to be made.
#[derive(Debug, Clone)]
pub struct CreateBooking {
    /// What.
    pub wanted: Wanted,
    /// For whom.
    pub contact: Contact,
    /// How many come.
    pub participants: Participants,
    /// How the customer means to pay.
    pub selected_payment_option: Option<SelectedPaymentOption>,
    /// For how long the time is to be held, 1 to 1800 seconds.
    pub hold_seconds: Option<i32>,
    /// What the participants are to be told.
    pub notification: Option<ParticipantNotification>,
    /// Overrides, for the business only.
    pub flow: FlowControl,
    /// The status asked for.
    pub status: Option<BookingStatus>,
    /// A key of the caller's own.
    pub external_user_id: Option<String>,
}

/// A booking that was made.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Created {
    /// As it was made.
    pub booking: Booking,
    /// Who gets a visitor's token.
    pub visitor: Option<NewVisitor>,
}

impl Outcome for Created {}

/// What became of each booking of a bulk call, in order.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct BulkCreated {
    /// One result for each item.
    pub results: Vec<Result<Booking, Rejection>>,
    /// Who gets a visitor's token.
    pub visitor: Option<NewVisitor>,
}

impl Outcome for BulkCreated {
    fn changed(&self) -> bool {
        self.results.iter().any(Result::is_ok)
    }
}

pub(super) struct Create {
    pub(super) caller: Caller,
    pub(super) id: BookingId,
    pub(super) input: CreateBooking,
    /// The package that it is made in, and for how many holds it has to have room: the first part for all.
    pub(super) package: Option<(MultiServiceBookingId, usize)>,
    holds_per_customer: i64,
    /// The limit of holds from the caller's address, where it was reached when the call came in. Judged in the command,
    /// so that a retry still finds its answer.
    address_full: Option<usize>,
}

impl Command for Create {
    type Output = Created;

    fn site(&self) -> SiteId {
        self.caller.site
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<Created, Failure> {
        let booking = self.make(tx).await?;
        Ok(Created {
            visitor: new_visitor(&self.caller, booking.created),
            booking,
        })
    }
}

pub(super) fn new_visitor(caller: &Caller, since: Timestamp) -> Option<NewVisitor> {
    match caller.actor {
        Actor::Visitor(id) if caller.fresh => Some(NewVisitor { id, since }),
        _ => None,
    }
}

impl Create {
    pub(super) fn purpose(&self) -> Purpose {
        let takes = self.input.status == Some(BookingStatus::Confirmed) || self.input.hold_seconds.is_some();
        if takes { Purpose::Take } else { Purpose::Look }
    }

    async fn make(&self, tx: &mut Tx<'_>) -> Result<Booking, Failure> {
        let (input, purpose) = (&self.input, self.purpose());
        let search = Search {
            holder: self.id,
            seats: input.participants.total,
            purpose,
            any_length: input.flow.skip_availability_validation,
            off_grid: !self.caller.actor.is_customer(),
            address: input.contact.full_address.as_deref(),
            current: None,
        };
        let wanted = terms::with_length(tx, &input.wanted, &input.participants).await?;
        let mut place = place::find(tx, &wanted, &search, &["bookedEntity"]).await?;
        self.enter(tx, &mut place).await
    }

    /// Makes the booking at a place that was found for it, unless something forbids it.
    pub(super) async fn enter(&self, tx: &mut Tx<'_>, place: &mut Place) -> Result<Booking, Failure> {
        let (input, purpose) = (&self.input, self.purpose());
        let confirm = input.status == Some(BookingStatus::Confirmed);
        let now = place.ledger.now();
        let (terms, participants) = self.judge(tx, place).await?;
        if !input.flow.skip_availability_validation
            && let Some(refusal) = place.refusal(tx).await?
        {
            return Err(refusal.into());
        }
        let hold_expires_at = input
            .hold_seconds
            .and_then(|seconds| now.checked_add(i64::from(seconds).seconds()).ok());
        let booking = Booking {
            id: self.id,
            status: if confirm {
                BookingStatus::Confirmed
            } else {
                BookingStatus::Created
            },
            payment_status: PaymentStatus::Undefined,
            selected_payment_option: input.selected_payment_option,
            booked: place.booked.clone(),
            participants,
            double_booked: false,
            hold_expires_at,
            flow: input.flow,
            external_user_id: input.external_user_id.clone(),
            created_by: self.caller.actor.identity(),
            participant_notification: input.notification.clone(),
            revision: 1,
            created: now,
            updated: now,
            canceled: None,
            terms,
            package: self.package.map(|(package, _)| package),
        };
        bookings::insert(tx.conn(), self.caller.site, &booking, &input.contact).await?;
        if purpose == Purpose::Take {
            let holder = Holder::Booking(self.id);
            let asks = std::mem::take(&mut place.asks);
            place
                .ledger
                .occupy(tx, &asks, holder, OverlapReason::OwnerSkip, hold_expires_at)
                .await?;
            place.ledger.review(tx, Some(self.id), &self.caller.actor).await?;
        }
        notify(tx, &booking, EventType::Created, input.notification.as_ref(), now).await?;
        tx.record(NewEvent {
            state: booking.clone(),
            event_type: EventType::Created,
            previous_status: None,
            previous_resources: Vec::new(),
            left_package: None,
            actor: self.caller.actor.identity(),
            source: EventSource::Request,
            occurred: now,
        });
        Ok(booking)
    }

    /// What is agreed for a place, if the caller may have it; whether it is free is another question.
    pub(super) async fn judge(&self, tx: &mut Tx<'_>, place: &Place) -> Result<(Terms, Participants), Failure> {
        let now = place.ledger.now();
        self.check_rights(place)?;
        self.check_service(place)?;
        let (terms, participants) = terms::agree(tx, place, &self.input.participants).await?;
        if self.caller.actor.is_customer() {
            terms::may_book(tx, place, &terms.rules(), Some(participants.total), now).await?;
        }
        self.check_holds(tx, now).await?;
        Ok((terms, participants))
    }

    /// Flags and statuses that only the business may use. Staff may on their own calendar: the booking must need them.
    fn check_rights(&self, place: &Place) -> Result<(), Rejection> {
        let business = access::overrides(&self.caller, &place.booked);
        let flow = &self.input.flow;
        for (asked, flag) in [
            (flow.skip_availability_validation, "skipAvailabilityValidation"),
            (flow.skip_business_confirmation, "skipBusinessConfirmation"),
            (
                flow.skip_selected_payment_option_validation,
                "skipSelectedPaymentOptionValidation",
            ),
        ] {
            access::require_override(business, asked, flag, &["flowControlSettings", flag])?;
        }
        match self.input.status {
            None | Some(BookingStatus::Created) => Ok(()),
            Some(BookingStatus::Confirmed) => {
                access::require_override(business, true, "creating a booking as CONFIRMED", &["status"])
            }
            Some(_) if self.caller.actor.is_customer() => {
                let what = "creating a booking in another status than CREATED";
                access::require_override(false, true, what, &["status"])
            }
            Some(_) => Err(Rejection::invalid(&["status"], "must be CREATED or CONFIRMED")),
        }
    }

    fn check_service(&self, place: &Place) -> Result<(), Rejection> {
        let (input, service) = (&self.input, &place.service);
        check_participants(service, &input.participants)?;
        if let Some(option) = input.selected_payment_option
            && !input.flow.skip_selected_payment_option_validation
            && !service.payment_options.offer(option)
        {
            return Err(Rejection::invalid(
                &["selectedPaymentOption"],
                "is not offered by the service",
            ));
        }
        if input.hold_seconds.is_some() && input.status == Some(BookingStatus::Confirmed) {
            return Err(Rejection::invalid(
                &["holdSeconds"],
                "is for bookings in status CREATED",
            ));
        }
        Ok(())
    }

    async fn check_holds(&self, tx: &mut Tx<'_>, now: Timestamp) -> Result<(), Failure> {
        let number = self.package.map_or(1, |(_, number)| number);
        if self.input.hold_seconds.is_none() || number == 0 || !self.caller.actor.is_customer() {
            return Ok(());
        }
        if let Some(limit) = self.address_full {
            return Err(Rejection::Policy {
                rule: PolicyRule::TooManyHolds,
                limit: Some(limit.to_string()),
            }
            .into());
        }
        let wanted = i64::try_from(number).unwrap_or(i64::MAX);
        let running = if self.caller.fresh {
            0
        } else {
            claims::live_holds(tx.conn(), self.caller.site, &self.caller.actor.identity(), now).await?
        };
        if running.saturating_add(wanted) > self.holds_per_customer {
            let limit = Some(self.holds_per_customer.to_string());
            return Err(Rejection::Policy {
                rule: PolicyRule::TooManyHolds,
                limit,
            }
            .into());
        }
        Ok(())
    }
}

/// An appointment is for one party.
pub(super) fn check_participants(service: &OfferedService, participants: &Participants) -> Result<(), Rejection> {
    if service.kind == ServiceKind::Appointment && participants.total > service.default_capacity {
        let field = if participants.choices.is_some() {
            "participantsChoices"
        } else {
            "totalParticipants"
        };
        let message = format!(
            "must be at most {}: that many an appointment is for",
            service.default_capacity
        );
        return Err(Rejection::invalid(&[field], message));
    }
    Ok(())
}

/// Many at once: each in a part of its own, so that one refusal leaves the others standing.
struct BulkCreate {
    caller: Caller,
    items: Vec<Create>,
}

impl Command for BulkCreate {
    type Output = BulkCreated;

    fn site(&self) -> SiteId {
        self.caller.site
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<BulkCreated, Failure> {
        self.lock(tx).await?;
        let mut results = Vec::with_capacity(self.items.len());
        for item in &self.items {
            let part = tx.savepoint().await?;
            match item.make(tx).await {
                Ok(booking) => {
                    tx.release(part).await?;
                    results.push(Ok(booking));
                }
                Err(Failure::Rejected(rejection)) => {
                    tx.undo(part).await?;
                    results.push(Err(rejection));
                }
                Err(failure) => return Err(failure),
            }
        }
        let since = results
            .iter()
            .find_map(|result| result.as_ref().ok())
            .map(|booking| booking.created);
        let visitor = since.and_then(|since| new_visitor(&self.caller, since));
        Ok(BulkCreated { results, visitor })
    }
}

impl BulkCreate {
    /// Locks what all items need before the first of them: item by item, two bulks could wait for each other.
    async fn lock(&self, tx: &mut Tx<'_>) -> Result<(), Failure> {
        let mut spots = Vec::new();
        for item in self.items.iter().filter(|item| item.purpose() == Purpose::Take) {
            let wanted = match terms::with_length(tx, &item.input.wanted, &item.input.participants).await {
                Ok(wanted) => wanted,
                Err(Failure::Rejected(_)) => continue,
                Err(failure) => return Err(failure),
            };
            match place::spots_wanted(tx, &wanted).await {
                Ok(wanted) => spots.extend(wanted),
                // The item itself is going to say so.
                Err(Failure::Rejected(_)) => {}
                Err(failure) => return Err(failure),
            }
        }
        if !spots.is_empty() {
            let ledger = Ledger::lock(tx, &spots, None).await?;
            ledger.review(tx, None, &self.caller.actor).await?;
        }
        Ok(())
    }
}

impl Service {
    /// Makes a booking.
    pub async fn create_booking(
        &self,
        caller: &Caller,
        input: CreateBooking,
        key: Option<IdempotencyKey>,
    ) -> Result<Created, Error> {
        access::require(Permission::Book, caller)?;
        let create = self.create(caller, input, self.full_address(caller, 1));
        let created = self.once(caller, "createBooking", key, create).await?;
        self.count_hold(caller, &created.booking);
        Ok(created)
    }

    /// Makes up to [`super::super::Limits::bulk_create`] bookings; those that are refused leave the others standing.
    pub async fn bulk_create_booking(
        &self,
        caller: &Caller,
        inputs: Vec<CreateBooking>,
        key: Option<IdempotencyKey>,
    ) -> Result<BulkCreated, Error> {
        let limit = self.limits().bulk_create;
        if inputs.is_empty() || inputs.len() > limit {
            return Err(Rejection::invalid(&["bookings"], format!("must have 1 to {limit} entries")).into());
        }
        access::require(Permission::Book, caller)?;
        let full = self.full_address(caller, 1);
        let items = inputs
            .into_iter()
            .map(|input| self.create(caller, input, full))
            .collect();
        let bulk = BulkCreate {
            caller: caller.clone(),
            items,
        };
        let created = self.once(caller, "bulkCreateBooking", key, bulk).await?;
        for booking in created.results.iter().flatten() {
            self.count_hold(caller, booking);
        }
        Ok(created)
    }

    pub(super) fn create(&self, caller: &Caller, input: CreateBooking, address_full: Option<usize>) -> Create {
        Create {
            caller: caller.clone(),
            id: BookingId::new(),
            input,
            package: None,
            holds_per_customer: self.limits().holds_per_customer,
            address_full,
        }
    }

    /// The limit of running holds from the caller's address, if it has no room for as many more.
    pub(super) fn full_address(&self, caller: &Caller, number: usize) -> Option<usize> {
        let limit = self.limits().holds_per_address;
        let full = !self.holds.has_room(caller.address?, number, limit, self.clock().now());
        full.then_some(limit)
    }

    pub(super) fn count_hold(&self, caller: &Caller, booking: &Booking) {
        let Some(end) = booking.hold_expires_at else { return };
        self.hold_made.notify_one();
        if let Some(address) = caller.address.filter(|_| caller.actor.is_customer()) {
            self.holds.count(address, booking.id, end, self.clock().now());
        }
    }
}
