//! Acts that decide about a booking: confirm, decline, put before the business, cancel, and the double-booking rule.

use super::{
    Changed, Target, check_revision,
    place::{self, Place, Reopen},
    terms::may_cancel,
    verdict::Case,
    write_change,
};
use crate::{
    domain::{
        Rejection,
        booking::{Act, Booking, BookingStatus, PaymentStatus},
        conflict::Holder,
        ids::{Kind, SiteId},
        permission::Permission,
    },
    service::{Caller, Error, Service, access},
    store::{Command, Failure, Tx, bookings, catalog},
};

/// What is to become of a booking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Onto the calendar. Never refused for a clash unless asked to check; a clash is flagged.
    Confirm {
        /// Refuse if something is in the way.
        check_availability: bool,
    },
    /// Off the calendar, for good.
    Decline,
    /// Onto the calendar, waiting for the business.
    MarkAsPending {
        /// Also for a service that needs no approval.
        skip_pending_approval_service: bool,
    },
    /// What the double-booking table says (`spec/bookings.md` §5.3).
    ConfirmOrDecline,
    /// Given up, by either side.
    Cancel,
}

impl Verdict {
    pub(super) fn act(self) -> Act {
        match self {
            Self::Confirm { .. } => Act::Confirm,
            Self::Decline => Act::Decline,
            Self::MarkAsPending { .. } => Act::MarkAsPending,
            Self::ConfirmOrDecline => Act::ConfirmOrDecline,
            Self::Cancel => Act::Cancel,
        }
    }

    /// What the caller needs for it.
    #[must_use]
    pub fn permission(self) -> Permission {
        self.act().permission()
    }

    fn mutation(self) -> &'static str {
        match self {
            Self::Confirm { .. } => "confirmBooking",
            Self::Decline => "declineBooking",
            Self::MarkAsPending { .. } => "markBookingAsPending",
            Self::ConfirmOrDecline => "confirmOrDeclineBooking",
            Self::Cancel => "cancelBooking",
        }
    }
}

/// An act on one booking.
#[derive(Debug, Clone)]
pub struct ActOn {
    /// Which booking, and how.
    pub target: Target,
    /// What is to become of it.
    pub verdict: Verdict,
    /// What is known about the money now.
    pub payment_status: Option<PaymentStatus>,
}

struct Decide {
    caller: Caller,
    input: ActOn,
}

impl Command for Decide {
    type Output = Changed;

    fn site(&self) -> SiteId {
        self.caller.site
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<Changed, Failure> {
        let (site, actor) = (self.caller.site, &self.caller.actor);
        let leaves = matches!(self.input.verdict, Verdict::Decline | Verdict::Cancel);
        let purpose = if leaves { Reopen::Leave } else { Reopen::Take };
        let (before, mut place) = open(tx, &self.caller, &self.input.target, purpose).await?;
        let now = place.ledger.now();
        access::require_over(self.input.verdict.permission(), &self.caller, &before)?;
        check_revision(
            &before,
            self.input.target.expected_revision,
            place.ledger.settled(before.id),
        )?;
        before.check_alone()?;
        before.check(self.input.verdict.act())?;
        let mut after = before.clone();
        if let Some(payment_status) = self.input.payment_status {
            after.payment_status = payment_status;
        }
        if self.input.verdict.checks_availability()
            && let Some(refusal) = place.refusal(tx).await?
        {
            return Err(refusal.into());
        }
        let case = Case {
            bookings: std::slice::from_ref(&after),
            services: &[&place.service],
            in_the_way: place.clash.is_some() || place.shut,
        };
        let outcome = self.input.verdict.judge(&case)?;
        if self.input.verdict == Verdict::Cancel {
            may_cancel(&after, actor, now)?;
        }
        after.status = outcome.status;
        after.double_booked = outcome.flags && place.clash.is_some();
        after.hold_expires_at = None;
        let holder = Holder::Booking(before.id);
        if after.status.on_calendar() {
            after.booked = place.booked.clone();
            let asks = std::mem::take(&mut place.asks);
            let reason = outcome.reason(&place.service);
            place.ledger.occupy(tx, &asks, holder, reason, None).await?;
        } else if before.status.on_calendar() || before.hold_expires_at.is_some() {
            place.ledger.release(tx, holder).await?;
        }
        if after.status == BookingStatus::Canceled {
            after.canceled = Some(now);
        }
        place.ledger.review(tx, Some(before.id), actor).await?;
        let notification = self.input.target.notification.as_ref();
        write_change(tx, &before, &mut after, outcome.event, actor, notification, now).await?;
        debug_assert_eq!(tx.site(), site, "a command stays on its site");
        Ok(Changed(after))
    }
}

/// Finds a booking that the caller may act on and locks all that the act may touch.
pub(super) async fn open(
    tx: &mut Tx<'_>,
    caller: &Caller,
    target: &Target,
    purpose: Reopen,
) -> Result<(Booking, Place), Failure> {
    let mut seen = load(tx, caller, target).await?;
    loop {
        let service = catalog::find_service(tx.conn(), caller.site, seen.booked.service)
            .await?
            .ok_or_else(|| Rejection::not_found(Kind::Service, &["bookingId"]))?;
        let place = place::reopen(tx, &seen, service, purpose)
            .await
            .map_err(|failure| match failure {
                Failure::Rejected(Rejection::NotFound { kind, .. } | Rejection::Unfit { kind, .. }) => {
                    Rejection::not_found(kind, &["bookingId"]).into()
                }
                other => other,
            })?;
        // What was read before the locks may be old; what expired a hold while locking may have changed it, too.
        let booking = load(tx, caller, target).await?;
        if booking.booked == seen.booked && booking.participants == seen.participants {
            return Ok((booking, place));
        }
        // Somebody else moved it. Its row is locked now, so this is the last time.
        if !tx.has_locked(&place::targets_of(&booking.booked)) {
            return Err(Failure::Again);
        }
        seen = booking;
    }
}

pub(super) async fn load(tx: &mut Tx<'_>, caller: &Caller, target: &Target) -> Result<Booking, Failure> {
    bookings::find_within(tx.conn(), caller.site, target.booking, access::scope(caller))
        .await?
        .ok_or_else(|| Rejection::not_found(Kind::Booking, &["bookingId"]).into())
}

impl Service {
    /// Decides about a booking.
    pub async fn act_on_booking(&self, caller: &Caller, mut input: ActOn) -> Result<Booking, Error> {
        access::require(input.verdict.permission(), caller)?;
        let key = input.target.idempotency.take();
        let mutation = input.verdict.mutation();
        let decide = Decide {
            caller: caller.clone(),
            input,
        };
        let booking = self.once(caller, mutation, key, decide).await?.0;
        if booking.hold_expires_at.is_none() {
            self.holds.forget(booking.id);
        }
        Ok(booking)
    }
}
