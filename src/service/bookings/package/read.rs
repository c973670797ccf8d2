//! Reading packages: a package is seen through those of its bookings that the caller may see.

use super::{super::act::Verdict, act::open_parts, is_open, require_over};
use crate::{
    domain::{
        Rejection,
        booking::{Act, Booking},
        catalog::Service as Offered,
        ids::MultiServiceBookingId,
    },
    service::{Caller, Error, Service, access},
    store::bookings,
};

impl Service {
    /// The bookings of a package that the caller may see, one after the other; none if there is no such package.
    pub async fn multi_service_booking(
        &self,
        caller: &Caller,
        id: MultiServiceBookingId,
    ) -> Result<Vec<Booking>, Error> {
        let mut all = self.all_of_package(caller, id).await?;
        all.retain(|booking| access::sees(caller, booking));
        Ok(all)
    }

    /// How many bookings of a package are on the calendar, those that the caller may not see among them.
    pub async fn scheduled_in_package(&self, caller: &Caller, id: MultiServiceBookingId) -> Result<usize, Error> {
        let all = self.all_of_package(caller, id).await?;
        Ok(all.iter().filter(|booking| booking.status.on_calendar()).count())
    }

    /// All bookings of a package of which the caller sees at least one: for judging what it may do with the whole, not to
    /// be shown.
    pub async fn whole_of_package(&self, caller: &Caller, id: MultiServiceBookingId) -> Result<Vec<Booking>, Error> {
        let all = self.all_of_package(caller, id).await?;
        let seen = all.iter().any(|booking| access::sees(caller, booking));
        Ok(if seen { all } else { Vec::new() })
    }

    async fn all_of_package(&self, caller: &Caller, id: MultiServiceBookingId) -> Result<Vec<Booking>, Error> {
        let site = caller.site;
        let all = self
            .db()
            .read(move |conn| Box::pin(bookings::of_package(conn, site, id)));
        Ok(all.await?)
    }

    /// Whether the caller may do something to a package now, without any override: every booking has to allow it.
    pub fn allows_package(
        &self,
        caller: &Caller,
        all: &[Booking],
        services: &[Offered],
        act: Act,
    ) -> Result<(), Rejection> {
        let live: Vec<Booking> = all.iter().filter(|booking| is_open(booking)).cloned().collect();
        let judged = if live.is_empty() { all } else { &live };
        require_over(act.permission(), caller, judged)?;
        let verdict = match act {
            Act::Confirm => Some(Verdict::Confirm {
                check_availability: false,
            }),
            Act::Decline => Some(Verdict::Decline),
            Act::Cancel => Some(Verdict::Cancel),
            Act::MarkAsPending => Some(Verdict::MarkAsPending {
                skip_pending_approval_service: false,
            }),
            Act::ConfirmOrDecline => Some(Verdict::ConfirmOrDecline),
            Act::Reschedule | Act::UpdateParticipants => None,
        };
        if let Some(verdict) = verdict {
            open_parts(all, verdict)?;
        }
        let service_of = |booking: &Booking| services.iter().find(|one| one.id == booking.booked.service);
        let pending_none = |booking: &Booking| {
            service_of(booking).is_some_and(|service| !service.online_booking.require_manual_approval)
        };
        if act == Act::MarkAsPending {
            let refused = judged.iter().all(pending_none);
            return if refused {
                Err(Rejection::NotPendingApprovalService)
            } else {
                Ok(())
            };
        }
        for booking in judged {
            match service_of(booking) {
                Some(service) => self.allows_whole(caller, booking, service, act)?,
                None => booking.check(act)?,
            }
        }
        Ok(())
    }
}
