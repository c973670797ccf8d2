//! Moving a booking to another time, and changing how many come.

use super::{
    Changed, Target,
    act::{load, open},
    candidates::still_there,
    check_revision,
    create::check_participants,
    place::{self, Place, Purpose, Reopen, Search, Wanted},
    terms,
    verdict::status_after_move,
    write_change,
};
use crate::{
    domain::{
        Rejection,
        booking::{Act, Booking, BookingStatus, Participants},
        catalog::{LocationWish, ServiceKind},
        conflict::{Ask, Holder, OverlapReason},
        event::EventType,
        ids::SiteId,
        options::BookedPrice,
        permission::Permission,
    },
    service::{Caller, Error, Service, access},
    store::{Command, Failure, Tx},
};

/// A booking's new time.
#[derive(Debug, Clone)]
pub struct RescheduleBooking {
    /// Which booking, and how.
    pub target: Target,
    /// Where to: another session of the class, or another time of the appointment.
    pub wanted: Wanted,
    /// How many come, if that changes.
    pub participants: Option<Participants>,
    /// Without looking whether it is free: the business only.
    pub skip_availability_validation: bool,
    /// Confirmed even where the service needs approval: the business only.
    pub skip_business_confirmation: bool,
}

struct Reschedule {
    caller: Caller,
    input: RescheduleBooking,
}

impl Command for Reschedule {
    type Output = Changed;

    fn site(&self) -> SiteId {
        self.caller.site
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<Changed, Failure> {
        let (input, actor) = (&self.input, &self.caller.actor);
        let (before, mut place) = self.open(tx).await?;
        let now = place.ledger.now();
        check_revision(&before, input.target.expected_revision, place.ledger.settled(before.id))?;
        let participants = self.participants(&before);
        if place.booked.service != before.booked.service {
            return Err(Rejection::invalid(&["slot"], "is of another service").into());
        }
        access::require_kept(&self.caller, &before, &place.booked, self.target_path())?;
        check_participants(&place.service, &participants)?;
        terms::may_reschedule(&before, place.service.open_to_customers(), actor, now)?;
        if actor.is_customer() {
            terms::may_book(tx, &place, &before.terms.rules(), None, now).await?;
            terms::check_length(&before, &place.booked)?;
        }
        if !input.skip_availability_validation
            && let Some(refusal) = place.refusal(tx).await?
        {
            return Err(refusal.into());
        }
        let mut after = before.clone();
        after.booked = place.booked.clone();
        if self.input.participants.is_some() {
            let (price, people) = terms::renumber(tx, &before, &place.service, &participants).await?;
            (after.terms.price, after.participants) = (price, people);
        }
        // It went where nothing was in its way, or by the business's own word: either way the flag is gone.
        after.double_booked = false;
        after.flow.skip_availability_validation |= input.skip_availability_validation;
        after.flow.skip_business_confirmation |= input.skip_business_confirmation;
        after.status = status_after_move(
            &before,
            actor.is_customer(),
            place.service.online_booking.require_manual_approval,
            input.skip_business_confirmation,
        );
        if after.status.on_calendar() || before.held(now) {
            let several = place.service.online_booking.allow_multiple_requests
                && place.service.kind == ServiceKind::Appointment
                && after.status == BookingStatus::Pending;
            let reason = if several {
                OverlapReason::MultipleRequests
            } else {
                OverlapReason::OwnerSkip
            };
            let asks = std::mem::take(&mut place.asks);
            let holder = Holder::Booking(before.id);
            place
                .ledger
                .occupy(tx, &asks, holder, reason, after.hold_expires_at)
                .await?;
        } else if after.booked.kind == ServiceKind::Appointment {
            // Its hold ended in the meantime: it holds nothing, so nobody is assigned.
            after.booked.resources.retain(|resource| resource.explicitly_requested);
        }
        place.ledger.review(tx, Some(before.id), actor).await?;
        let notification = input.target.notification.as_ref();
        write_change(
            tx,
            &before,
            &mut after,
            EventType::Rescheduled,
            actor,
            notification,
            now,
        )
        .await?;
        Ok(Changed(after))
    }
}

impl Reschedule {
    fn participants(&self, booking: &Booking) -> Participants {
        self.input
            .participants
            .clone()
            .unwrap_or_else(|| booking.participants.clone())
    }

    /// Locks what the booking has together with what it is to have, and finds out whether that is free.
    async fn open(&self, tx: &mut Tx<'_>) -> Result<(Booking, Place), Failure> {
        let holds = |booking: &Booking| booking.status.on_calendar() || booking.hold_expires_at.is_some();
        let mut seen = load(tx, &self.caller, &self.input.target).await?;
        loop {
            seen.check_alone()?;
            seen.check(Act::Reschedule)?;
            self.check_rights(&seen)?;
            let search = Search {
                holder: seen.id,
                seats: self.participants(&seen).total,
                purpose: if holds(&seen) { Purpose::Take } else { Purpose::Look },
                any_length: self.input.skip_availability_validation,
                off_grid: !self.caller.actor.is_customer(),
                address: None,
                current: Some(&seen),
            };
            let wanted = self.wanted(tx, &seen).await?;
            let place = place::find(tx, &wanted, &search, &[]).await?;
            let booking = load(tx, &self.caller, &self.input.target).await?;
            let same = booking.booked == seen.booked && booking.participants == seen.participants;
            if same && (holds(&seen) || !holds(&booking)) {
                booking.check(Act::Reschedule)?;
                return Ok((booking, place));
            }
            // Somebody else changed it. Its row is locked now, so this is the last time.
            if holds(&booking) && !tx.has_locked(&place::targets_of(&booking.booked)) {
                return Err(Failure::Again);
            }
            seen = booking;
        }
    }

    fn check_rights(&self, booking: &Booking) -> Result<(), Rejection> {
        access::require_over(Permission::ChangeBookings, &self.caller, booking)?;
        let business = access::overrides(&self.caller, &booking.booked);
        for (asked, flag) in [
            (self.input.skip_availability_validation, "skipAvailabilityValidation"),
            (self.input.skip_business_confirmation, "skipBusinessConfirmation"),
        ] {
            access::require_override(business, asked, flag, &["flowControlSettings", flag])?;
        }
        let numbers = self.input.participants.is_some();
        access::require_override(
            business,
            numbers,
            "changing the number of participants",
            &["totalParticipants"],
        )
    }

    /// Where the input says on whose calendar it is to be.
    fn target_path(&self) -> &'static [&'static str] {
        match &self.input.wanted {
            Wanted::Session { .. } => &["slot", "session", "sessionId"],
            Wanted::Appointment { resources, .. } if !resources.is_empty() => &["slot", "appointment", "resourceIds"],
            Wanted::Appointment { .. } | Wanted::Course { .. } => &["slot"],
        }
    }

    /// The wish, with the booking's own service and resources where the client left them out.
    async fn wanted(&self, tx: &mut Tx<'_>, booking: &Booking) -> Result<Wanted, Failure> {
        match (&self.input.wanted, booking.booked.kind) {
            (wanted @ Wanted::Session { .. }, ServiceKind::Class) => Ok(wanted.clone()),
            (wanted @ Wanted::Appointment { .. }, ServiceKind::Appointment) => {
                Ok(completed(tx, booking, wanted).await?)
            }
            (Wanted::Session { .. }, _) => Err(Rejection::invalid(
                &["slot", "session"],
                "an appointment moves to another time, not to a session",
            )
            .into()),
            _ => Err(Rejection::invalid(
                &["slot", "appointment"],
                "a class booking moves to another session of the class",
            )
            .into()),
        }
    }
}

/// The wish for an appointment's new time, with the booking's own resources, length and place where it says nothing.
pub(super) async fn completed(tx: &mut Tx<'_>, booking: &Booking, wanted: &Wanted) -> Result<Wanted, Failure> {
    let mut wanted = wanted.clone();
    if let Wanted::Appointment {
        start,
        end,
        time_zone,
        resources,
        location,
        ..
    } = &mut wanted
    {
        // Who chose a length keeps it.
        let chosen = booking.terms.price.as_ref().and_then(BookedPrice::minutes);
        *end = end.or_else(|| terms::after(*start, chosen?));
        time_zone.get_or_insert_with(|| booking.booked.time_zone.clone());
        // Who was asked for by name stays, unless the client names somebody now.
        if resources.is_empty() {
            let had = booking.booked.resources.iter();
            let wished = had.filter(|resource| resource.explicitly_requested);
            *resources = still_there(tx, wished.map(|resource| resource.id).collect()).await?;
        }
        if location.is_none() {
            *location = booking.booked.location.as_ref().map(LocationWish::from);
        }
    }
    Ok(wanted)
}

/// How many come, from now on.
#[derive(Debug, Clone)]
pub struct UpdateParticipants {
    /// Which booking, and how.
    pub target: Target,
    /// How many.
    pub participants: Participants,
    /// Without looking whether there is room: the business's word.
    pub skip_availability_validation: bool,
}

struct Update {
    caller: Caller,
    input: UpdateParticipants,
}

impl Command for Update {
    type Output = Changed;

    fn site(&self) -> SiteId {
        self.caller.site
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<Changed, Failure> {
        let (input, actor) = (&self.input, &self.caller.actor);
        let (before, mut place) = open(tx, &self.caller, &input.target, Reopen::Take).await?;
        let now = place.ledger.now();
        access::require_over(Permission::ManageBookings, &self.caller, &before)?;
        check_revision(&before, input.target.expected_revision, place.ledger.settled(before.id))?;
        before.check(Act::UpdateParticipants)?;
        let mut after = before.clone();
        let (price, people) = terms::renumber(tx, &before, &place.service, &input.participants).await?;
        (after.terms.price, after.participants) = (price, people);
        after.flow.skip_availability_validation |= input.skip_availability_validation;
        if before.status.on_calendar() || before.held(now) {
            let holder = Holder::Booking(before.id);
            let asks: Vec<Ask> = place
                .asks
                .iter()
                .map(|ask| Ask {
                    seats: after.participants.total,
                    ..*ask
                })
                .collect();
            let clash = asks
                .iter()
                .find_map(|ask| place.ledger.check(ask).map(|clash| (*ask, clash)));
            let fewer = after.participants.total <= before.participants.total;
            if let Some((ask, clash)) = &clash
                && !fewer
                && !input.skip_availability_validation
            {
                return Err(place.refuse(tx, ask, clash).await?.into());
            }
            // Whoever takes fewer seats is let, even where it was over before; what is still over stays on record.
            after.double_booked = clash.is_some() && !after.flow.skip_availability_validation;
            let reason = if after.flow.skip_availability_validation {
                OverlapReason::OwnerSkip
            } else {
                OverlapReason::OwnerConfirm
            };
            place
                .ledger
                .occupy(tx, &asks, holder, reason, after.hold_expires_at)
                .await?;
        }
        place.ledger.review(tx, Some(before.id), actor).await?;
        let notification = input.target.notification.as_ref();
        write_change(
            tx,
            &before,
            &mut after,
            EventType::ParticipantsUpdated,
            actor,
            notification,
            now,
        )
        .await?;
        Ok(Changed(after))
    }
}

impl Service {
    /// Moves a booking.
    pub async fn reschedule_booking(&self, caller: &Caller, mut input: RescheduleBooking) -> Result<Booking, Error> {
        access::require(Permission::ChangeBookings, caller)?;
        let key = input.target.idempotency.take();
        let command = Reschedule {
            caller: caller.clone(),
            input,
        };
        Ok(self.once(caller, "rescheduleBooking", key, command).await?.0)
    }

    /// Changes how many come.
    pub async fn update_number_of_participants(
        &self,
        caller: &Caller,
        mut input: UpdateParticipants,
    ) -> Result<Booking, Error> {
        access::require(Permission::ManageBookings, caller)?;
        let key = input.target.idempotency.take();
        let command = Update {
            caller: caller.clone(),
            input,
        };
        Ok(self.once(caller, "updateNumberOfParticipants", key, command).await?.0)
    }
}
