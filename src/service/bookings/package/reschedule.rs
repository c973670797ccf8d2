//! Moving a package: all of its bookings or none, and they stay back to back.

use super::{
    super::{
        candidates::Naming,
        ledger::Ledger,
        place::Wanted,
        reschedule::completed,
        terms::{check_length, may_book_at, may_reschedule},
        verdict::status_after_move,
        write_change,
    },
    ChangedPackage, PackageTarget, check_named, check_seen,
    create::{in_slot, slot},
    is_open, load,
    plan::{self, Draft, Part, People, Rule},
    require_over, same,
};
use crate::{
    domain::{
        Rejection,
        booking::{Act, Booked, Booking, BookingStatus},
        conflict::{Ask, Holder, OverlapReason},
        event::EventType,
        ids::{BookingId, SiteId},
        permission::Permission,
    },
    service::{Caller, Error, Service, access},
    store::{Command, Failure, Tx, claims},
};

/// Where one booking of a package goes.
#[derive(Debug, Clone)]
pub struct Move {
    /// Which booking.
    pub booking: BookingId,
    /// The revision that the caller saw.
    pub expected_revision: Option<i64>,
    /// Its new time.
    pub wanted: Wanted,
}

/// A package's new time.
#[derive(Debug, Clone)]
pub struct ReschedulePackage {
    /// Which package, and how.
    pub target: PackageTarget,
    /// Where each of its bookings goes.
    pub moves: Vec<Move>,
    /// Without looking whether it is free: the business only.
    pub skip_availability_validation: bool,
    /// Confirmed even where a service needs approval: the business only.
    pub skip_business_confirmation: bool,
}

struct Reschedule {
    caller: Caller,
    input: ReschedulePackage,
}

/// One booking that moves.
struct Moving {
    /// The position in the input.
    index: usize,
    before: Booking,
}

impl Reschedule {
    /// The bookings that something can become of.
    async fn load(&self, tx: &mut Tx<'_>) -> Result<Vec<Booking>, Failure> {
        let path = ["multiServiceBookingId"];
        let all = load(tx, &self.caller, self.input.target.package).await?;
        let live: Vec<Booking> = all.iter().filter(|booking| is_open(booking)).cloned().collect();
        let judged = if live.is_empty() { &all } else { &live };
        require_over(Permission::ChangeBookings, &self.caller, judged)?;
        for booking in judged {
            booking
                .check(Act::Reschedule)
                .map_err(|rejection| rejection.of_part(&path))?;
            let business = access::overrides(&self.caller, &booking.booked);
            for (asked, flag) in [
                (self.input.skip_availability_validation, "skipAvailabilityValidation"),
                (self.input.skip_business_confirmation, "skipBusinessConfirmation"),
            ] {
                access::require_business(business, asked, flag, &["flowControlSettings", flag])?;
            }
        }
        let named: Vec<BookingId> = self.input.moves.iter().map(|one| one.booking).collect();
        check_named(&named, &live)?;
        Ok(live)
    }

    /// The parts in the order of their new times, with the bookings that move there.
    async fn parts(&self, tx: &mut Tx<'_>, seen: &[Booking]) -> Result<(Vec<Moving>, Vec<Part>, People), Failure> {
        let naming = if self.caller.actor.is_customer() {
            Naming::Customer
        } else {
            Naming::Business
        };
        let mut all = Vec::with_capacity(seen.len());
        for (index, one) in self.input.moves.iter().enumerate() {
            let Some(before) = seen.iter().find(|booking| booking.id == one.booking) else {
                continue;
            };
            let any_length = self.input.skip_availability_validation;
            let wanted = completed(tx, before, &one.wanted).await?;
            let draft = Draft::find(tx, before.id, &wanted, any_length, naming, None, Some(before))
                .await
                .map_err(|failure| in_slot(failure, index))?;
            if draft.booked.service != before.booked.service {
                let message = "is of another service";
                return Err(in_slot(Rejection::invalid(&["serviceId"], message).into(), index));
            }
            let before = before.clone();
            all.push((Moving { index, before }, draft));
        }
        all.sort_by_key(|(_, draft)| draft.span.start());
        let (moving, drafts): (Vec<Moving>, Vec<Draft<'_>>) = all.into_iter().unzip();
        let index = |part: usize| moving.get(part).map_or(part, |one| one.index);
        let (parts, people) = People::cast(tx, drafts, |failure, part| in_slot(failure, index(part))).await?;
        plan::check_sequence(&parts, |part| slot(index(part)))?;
        Ok((moving, parts, people))
    }
}

fn holds(booking: &Booking) -> bool {
    booking.status.on_calendar() || booking.hold_expires_at.is_some()
}

impl Command for Reschedule {
    type Output = ChangedPackage;

    fn site(&self) -> SiteId {
        self.caller.site
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<ChangedPackage, Failure> {
        let (input, actor) = (&self.input, &self.caller.actor);
        let seen = self.load(tx).await?;
        let (mut moving, parts, people) = self.parts(tx, &seen).await?;
        let spots = plan::spots(&parts, &seen);
        let ids: Vec<BookingId> = seen.iter().map(|booking| booking.id).collect();
        let mut ledger = if seen.iter().any(holds) {
            Ledger::lock_several(tx, &spots, &ids).await?
        } else {
            let ledger = Ledger::look(tx, &spots).await?;
            // They are going to be changed, though nothing is held.
            claims::lock_bookings(tx, &ids).await?;
            ledger
        };
        let found = self.load(tx).await?;
        let late = found.iter().any(holds) && !seen.iter().any(holds);
        if !same(&seen, &found) || late {
            return Err(Failure::Again);
        }
        plan::check_there(tx, &parts, true).await?;
        let now = ledger.now();
        for one in &mut moving {
            if let Some(found) = found.iter().find(|booking| booking.id == one.before.id) {
                one.before = found.clone();
            }
            let expected = input.moves.get(one.index).and_then(|wish| wish.expected_revision);
            check_seen(&one.before, expected, ledger.settled(one.before.id), one.index)?;
        }
        for (one, part) in moving.iter().zip(&parts) {
            let (before, path) = (&one.before, ["bookings".to_owned(), one.index.to_string()]);
            let path: Vec<&str> = path.iter().map(String::as_str).collect();
            may_reschedule(before, part.service.open_to_customers(), actor, now)
                .map_err(|rejection| rejection.of_part(&path))?;
            if actor.is_customer() {
                may_book_at(tx, &part.service, &part.booked, &before.terms.rules(), None, now)
                    .await
                    .map_err(|failure| match failure {
                        Failure::Rejected(rejection) => rejection.of_part(&path).into(),
                        other => other,
                    })?;
                check_length(before, &part.booked).map_err(|rejection| length(rejection, one.index))?;
            }
        }
        let rule = if input.skip_availability_validation {
            Rule::Times
        } else {
            Rule::Hours {
                off_grid: !actor.is_customer(),
            }
        };
        let arranged = plan::arrange(&parts, &people, &ledger, rule)?;
        let place = |part: usize| slot(moving.get(part).map_or(part, |one| one.index));
        if !input.skip_availability_validation
            && let Some(refusal) = arranged.refusal(place)
        {
            return Err(refusal.into());
        }
        let needs_approval = parts
            .iter()
            .any(|part| part.service.online_booking.require_manual_approval);
        let mut changes: Vec<(Booking, Booking, Vec<Ask>, OverlapReason)> = Vec::new();
        for ((one, part), chosen) in moving.into_iter().zip(parts).zip(arranged.chosen) {
            let before = one.before;
            let mut after = before.clone();
            after.double_booked = false;
            after.flow.skip_availability_validation |= input.skip_availability_validation;
            after.flow.skip_business_confirmation |= input.skip_business_confirmation;
            after.status = status_after_move(
                &before,
                actor.is_customer(),
                needs_approval,
                input.skip_business_confirmation,
            );
            after.booked = Booked {
                resources: chosen.resources,
                ..part.booked
            };
            let place = slot(one.index);
            let place: Vec<&str> = place.iter().map(String::as_str).collect();
            access::require_kept(&self.caller, &before, &after.booked, &place)?;
            let takes = after.status.on_calendar() || before.held(now);
            if !takes {
                plan::asked_for(&mut after.booked.resources);
            }
            let several = part.service.online_booking.allow_multiple_requests && after.status == BookingStatus::Pending;
            let reason = if several {
                OverlapReason::MultipleRequests
            } else {
                OverlapReason::OwnerSkip
            };
            let asks = if takes { chosen.asks } else { Vec::new() };
            changes.push((before, after, asks, reason));
        }
        for (before, _, asks, _) in &changes {
            ledger.give_up(tx, Holder::Booking(before.id), asks).await?;
        }
        for (before, after, asks, reason) in changes.iter().filter(|(_, _, asks, _)| !asks.is_empty()) {
            let holder = Holder::Booking(before.id);
            ledger.occupy(tx, asks, holder, *reason, after.hold_expires_at).await?;
        }
        ledger.review_beside(tx, &ids, actor).await?;
        let mut bookings = Vec::with_capacity(changes.len());
        for (index, (before, mut after, _, _)) in changes.into_iter().enumerate() {
            let notification = input.target.notification.as_ref().filter(|_| index == 0);
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
            bookings.push(after);
        }
        Ok(ChangedPackage {
            id: input.target.package,
            bookings,
        })
    }
}

/// A length that was chosen: its place is that of the slot of this booking.
fn length(rejection: Rejection, index: usize) -> Rejection {
    match rejection {
        Rejection::Invalid(mut invalid) => {
            invalid.path = slot(index);
            invalid.path.push("endDate".to_owned());
            Rejection::Invalid(invalid)
        }
        other => other,
    }
}

impl Service {
    /// Moves a package.
    pub async fn reschedule_multi_service_booking(
        &self,
        caller: &Caller,
        mut input: ReschedulePackage,
    ) -> Result<ChangedPackage, Error> {
        access::require(Permission::ChangeBookings, caller)?;
        let key = input.target.idempotency.take();
        let command = Reschedule {
            caller: caller.clone(),
            input,
        };
        self.once(caller, "rescheduleMultiServiceBooking", key, command).await
    }
}
