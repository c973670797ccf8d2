//! What an act that decides about bookings makes of them: one rule for a booking that stands alone and for a package.

use super::act::Verdict;
use crate::domain::{
    Rejection,
    booking::{Booking, BookingStatus, Decision, PaymentStatus},
    catalog::{Service as Offered, ServiceKind},
    conflict::OverlapReason,
    event::EventType,
};

/// What the act is about: one booking, or all of a package with their services.
pub(super) struct Case<'a> {
    pub(super) bookings: &'a [Booking],
    pub(super) services: &'a [&'a Offered],
    /// Whether something is in the way of any of them; a closed business is, though no flag can name it.
    pub(super) in_the_way: bool,
}

/// What becomes of them.
pub(super) struct Judged {
    pub(super) status: BookingStatus,
    /// Whether what clashes is flagged.
    pub(super) flags: bool,
    /// What goes on record where something is in the way, unless the service takes several requests.
    otherwise: OverlapReason,
    pub(super) event: EventType,
}

impl Judged {
    /// What goes on record where something is in the way of a booking of a service.
    pub(super) fn reason(&self, service: &Offered) -> OverlapReason {
        let several = service.online_booking.allow_multiple_requests
            && service.kind == ServiceKind::Appointment
            && self.status == BookingStatus::Pending;
        if several {
            OverlapReason::MultipleRequests
        } else {
            self.otherwise
        }
    }
}

impl Verdict {
    /// Whether it is refused if something is in the way.
    pub(super) fn checks_availability(self) -> bool {
        let check_availability = true;
        self == Self::Confirm { check_availability }
    }

    /// What becomes of the bookings. Whether a customer may cancel, and whether a confirmation is refused because of
    /// what is in the way, is for the caller to find out.
    pub(super) fn judge(self, case: &Case<'_>) -> Result<Judged, Rejection> {
        let skipped = case
            .bookings
            .iter()
            .any(|booking| booking.flow.skip_availability_validation);
        let needs_approval = case
            .services
            .iter()
            .any(|service| service.online_booking.require_manual_approval);
        let by_word_of = |reason| if skipped { OverlapReason::OwnerSkip } else { reason };
        let judged = |status, flags, event| Judged {
            status,
            flags,
            otherwise: by_word_of(OverlapReason::OwnerConfirm),
            event,
        };
        Ok(match self {
            Self::Confirm { .. } => judged(BookingStatus::Confirmed, !skipped, EventType::Confirmed),
            Self::MarkAsPending {
                skip_pending_approval_service,
            } => {
                if !needs_approval && !skip_pending_approval_service {
                    return Err(Rejection::NotPendingApprovalService);
                }
                judged(BookingStatus::Pending, !skipped, EventType::MarkedAsPending)
            }
            Self::ConfirmOrDecline => {
                let payments = case.bookings.iter().map(|booking| booking.payment_status);
                let unpaid = payments.clone().find(|payment| !payment.counts_as_paid());
                let payment = unpaid.or_else(|| payments.clone().next());
                let approved = case
                    .bookings
                    .iter()
                    .map(|booking| booking.approved_status(needs_approval))
                    .max_by_key(|status| *status == BookingStatus::Pending);
                let decision = Decision::make(
                    skipped,
                    case.in_the_way,
                    payment.unwrap_or(PaymentStatus::Undefined),
                    approved.unwrap_or(BookingStatus::Confirmed),
                );
                Judged {
                    status: decision.status,
                    flags: decision.double_booked,
                    otherwise: by_word_of(OverlapReason::PaidOrder),
                    event: decision.event(),
                }
            }
            Self::Decline => judged(BookingStatus::Declined, false, EventType::Declined),
            Self::Cancel => judged(BookingStatus::Canceled, false, EventType::Canceled),
        })
    }
}

/// The status of a booking that moves. A customer who moves what needs approval asks again; the business's move keeps the
/// status, unless it approves with it.
pub(super) fn status_after_move(
    before: &Booking,
    by_customer: bool,
    needs_approval: bool,
    approves: bool,
) -> BookingStatus {
    let asks_again = by_customer
        && before.status == BookingStatus::Confirmed
        && needs_approval
        && !before.flow.skip_business_confirmation;
    match before.status {
        _ if asks_again => BookingStatus::Pending,
        BookingStatus::Pending if approves => BookingStatus::Confirmed,
        status => status,
    }
}
