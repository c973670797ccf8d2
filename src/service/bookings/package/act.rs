//! Acts that decide about a package: confirm, decline, put before the business, cancel, and the double-booking rule.
//! What becomes of one of its bookings becomes of all.

use super::{
    super::{
        act::Verdict,
        candidates::Chosen,
        ledger::Ledger,
        place::{Reopen, spots_of},
        terms::may_cancel,
        verdict::Case,
        write_change,
    },
    ChangedPackage, PackageTarget, PartInfo, check_named, check_seen, is_open, load,
    plan::{self, Draft, Part, People, Rule},
    require_over, same,
};
use crate::{
    domain::{
        Rejection,
        booking::{Booked, Booking, BookingStatus},
        catalog::Service as Offered,
        conflict::{Ask, Holder},
        ids::{BookingId, SiteId},
        rejection::PackageRule,
    },
    service::{Caller, Error, Service, access},
    store::{Command, Failure, Tx},
};

/// An act on a package.
#[derive(Debug, Clone)]
pub struct ActOnPackage {
    /// Which package, and how.
    pub target: PackageTarget,
    /// What is to become of it.
    pub verdict: Verdict,
    /// What is said of its bookings: of each that isn't over, or of none.
    pub infos: Vec<PartInfo>,
}

fn mutation(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Confirm { .. } => "confirmMultiServiceBooking",
        Verdict::Decline => "declineMultiServiceBooking",
        Verdict::MarkAsPending { .. } => "markMultiServiceBookingAsPending",
        Verdict::ConfirmOrDecline => "confirmOrDeclineMultiServiceBooking",
        Verdict::Cancel => "cancelMultiServiceBooking",
    }
}

/// Refuses what is done already, and what can't be done from the status that the package has. The bookings that
/// something can still become of.
pub(super) fn open_parts(all: &[Booking], verdict: Verdict) -> Result<Vec<Booking>, Rejection> {
    let path = ["multiServiceBookingId"];
    let done = |rule| Err(Rejection::package(rule, &path));
    let live: Vec<Booking> = all.iter().filter(|booking| is_open(booking)).cloned().collect();
    let every = |bookings: &[Booking], status| bookings.iter().all(|booking| booking.status == status);
    let leaves = matches!(verdict, Verdict::Decline | Verdict::Cancel);
    if live.is_empty() && leaves {
        if verdict == Verdict::Cancel && every(all, BookingStatus::Canceled) {
            return done(PackageRule::AlreadyCanceled);
        }
        if every(all, BookingStatus::Declined) {
            return done(PackageRule::AlreadyDeclined);
        }
    }
    if matches!(verdict, Verdict::Confirm { .. }) && !live.is_empty() && every(&live, BookingStatus::Confirmed) {
        return done(PackageRule::AlreadyConfirmed);
    }
    let asked = if live.is_empty() { all } else { &live };
    for booking in asked {
        booking
            .check(verdict.act())
            .map_err(|rejection| rejection.of_part(&path))?;
    }
    Ok(live)
}

/// A package whose bookings are locked with all that they have and may get.
pub(super) struct Opened {
    pub(super) bookings: Vec<Booking>,
    pub(super) parts: Vec<Part>,
    pub(super) people: Option<People>,
    pub(super) ledger: Ledger,
}

/// Finds the bookings of a package that an act is about and locks all that it may touch.
async fn open(tx: &mut Tx<'_>, caller: &Caller, target: &PackageTarget, verdict: Verdict) -> Result<Opened, Failure> {
    let leaves = matches!(verdict, Verdict::Decline | Verdict::Cancel);
    let purpose = if leaves { Reopen::Leave } else { Reopen::Take };
    let seen = judged_parts(tx, caller, target, verdict).await?;
    let (mut parts, mut people) = (Vec::new(), None);
    if purpose == Reopen::Take {
        let now = tx.now();
        let mut drafts = Vec::with_capacity(seen.len());
        for booking in &seen {
            drafts.push(Draft::of(tx, booking, now).await?);
        }
        let found = People::cast(tx, drafts, |failure, _| of_package(failure)).await?;
        parts = found.0;
        people = Some(found.1);
    }
    let ids: Vec<BookingId> = seen.iter().map(|booking| booking.id).collect();
    let spots = if parts.is_empty() {
        seen.iter().flat_map(spots_of).collect()
    } else {
        plan::spots(&parts, &seen)
    };
    let ledger = Ledger::lock_several(tx, &spots, &ids).await?;
    // What was read before the locks may be old; what expired a hold while locking may have changed it, too. And somebody
    // may have decided in the meantime: it is judged again.
    let bookings = judged_parts(tx, caller, target, verdict).await?;
    if !same(&seen, &bookings) || !tx.has_locked(&plan::targets(&bookings)) {
        return Err(Failure::Again);
    }
    plan::check_there(tx, &parts, false).await?;
    Ok(Opened {
        bookings,
        parts,
        people,
        ledger,
    })
}

/// The bookings of a package that an act is about, if the caller may do it and their status allows it.
async fn judged_parts(
    tx: &mut Tx<'_>,
    caller: &Caller,
    target: &PackageTarget,
    verdict: Verdict,
) -> Result<Vec<Booking>, Failure> {
    let all = load(tx, caller, target.package).await?;
    let live: Vec<Booking> = all.iter().filter(|booking| is_open(booking)).cloned().collect();
    let judged = if live.is_empty() { &all } else { &live };
    require_over(verdict.permission(), caller, judged)?;
    Ok(open_parts(&all, verdict)?)
}

/// What is missing is missing to the package.
fn of_package(failure: Failure) -> Failure {
    match failure {
        Failure::Rejected(Rejection::NotFound { kind, .. } | Rejection::Unfit { kind, .. }) => {
            Rejection::not_found(kind, &["multiServiceBookingId"]).into()
        }
        other => other,
    }
}

struct Decide {
    caller: Caller,
    input: ActOnPackage,
}

impl Command for Decide {
    type Output = ChangedPackage;

    fn site(&self) -> SiteId {
        self.caller.site
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<ChangedPackage, Failure> {
        let (input, actor) = (&self.input, &self.caller.actor);
        let Opened {
            bookings,
            parts,
            people,
            mut ledger,
        } = open(tx, &self.caller, &input.target, input.verdict).await?;
        let now = ledger.now();
        self.check_infos(&bookings, &ledger)?;
        let mut afters: Vec<Booking> = bookings.clone();
        for (after, info) in afters.iter_mut().filter_map(|after| {
            let info = input.infos.iter().find(|info| info.booking == after.id);
            info.map(|info| (after, info))
        }) {
            after.payment_status = info.payment_status.unwrap_or(after.payment_status);
        }
        let mut chosen = Vec::new();
        if let Some(people) = &people {
            let arranged = plan::arrange(&parts, people, &ledger, Rule::There)?;
            let place = |_| vec!["multiServiceBookingId".to_owned()];
            if let Some(refusal) = arranged.refusal(place).filter(|_| input.verdict.checks_availability()) {
                return Err(refusal.into());
            }
            chosen = arranged.chosen;
        }
        let services: Vec<&Offered> = parts.iter().map(|part| &part.service).collect();
        let path = ["multiServiceBookingId"];
        let case = Case {
            bookings: &afters,
            services: &services,
            in_the_way: chosen.iter().any(|one| one.clash.is_some() || one.shut),
        };
        let of_part = |rejection: Rejection| rejection.of_part(&path);
        let judged = input.verdict.judge(&case).map_err(of_part)?;
        if input.verdict == Verdict::Cancel {
            for booking in &afters {
                may_cancel(booking, actor, now).map_err(of_part)?;
            }
        }
        let ids: Vec<BookingId> = bookings.iter().map(|booking| booking.id).collect();
        let mut asks: Vec<Vec<Ask>> = Vec::new();
        for (index, after) in afters.iter_mut().enumerate() {
            after.status = judged.status;
            after.hold_expires_at = None;
            after.canceled = (judged.status == BookingStatus::Canceled)
                .then_some(now)
                .or(after.canceled);
            let one = chosen.get(index).filter(|_| judged.status.on_calendar());
            after.double_booked = judged.flags && one.is_some_and(|one| one.clash.is_some());
            if let Some(one) = one {
                after.booked = assigned(after, one);
            }
            asks.push(one.map(|one| one.asks.clone()).unwrap_or_default());
        }
        for (before, asks) in bookings.iter().zip(&asks) {
            let holder = Holder::Booking(before.id);
            if judged.status.on_calendar() {
                // First all give up what they don't keep, so that none is in another's way.
                ledger.give_up(tx, holder, asks).await?;
            } else if before.status.on_calendar() || before.hold_expires_at.is_some() {
                ledger.release(tx, holder).await?;
            }
        }
        if judged.status.on_calendar() {
            for ((before, asks), service) in bookings.iter().zip(&asks).zip(services) {
                let holder = Holder::Booking(before.id);
                ledger.occupy(tx, asks, holder, judged.reason(service), None).await?;
            }
        }
        ledger.review_beside(tx, &ids, actor).await?;
        for (index, (before, after)) in bookings.iter().zip(&mut afters).enumerate() {
            let notification = input.target.notification.as_ref().filter(|_| index == 0);
            write_change(tx, before, after, judged.event, actor, notification, now).await?;
        }
        Ok(ChangedPackage {
            id: input.target.package,
            bookings: afters,
        })
    }
}

/// What is booked, with those who were chosen; who was there already was asked for or not as before.
pub(super) fn assigned(before: &Booking, chosen: &Chosen) -> Booked {
    let mut resources = chosen.resources.clone();
    for resource in &mut resources {
        let mut had = before.booked.resources.iter();
        if let Some(had) = had.find(|had| had.id == resource.id) {
            resource.explicitly_requested = had.explicitly_requested;
        }
    }
    Booked {
        resources,
        ..before.booked.clone()
    }
}

impl Decide {
    fn check_infos(&self, bookings: &[Booking], ledger: &Ledger) -> Result<(), Rejection> {
        let infos = &self.input.infos;
        if infos.is_empty() {
            return Ok(());
        }
        let named: Vec<BookingId> = infos.iter().map(|info| info.booking).collect();
        check_named(&named, bookings)?;
        for (index, info) in infos.iter().enumerate() {
            if let Some(before) = bookings.iter().find(|booking| booking.id == info.booking) {
                check_seen(before, info.expected_revision, ledger.settled(before.id), index)?;
            }
        }
        Ok(())
    }
}

impl Service {
    /// Decides about a package.
    pub async fn act_on_package(&self, caller: &Caller, mut input: ActOnPackage) -> Result<ChangedPackage, Error> {
        access::require(input.verdict.permission(), caller)?;
        let key = input.target.idempotency.take();
        let mutation = mutation(input.verdict);
        let decide = Decide {
            caller: caller.clone(),
            input,
        };
        let changed = self.once(caller, mutation, key, decide).await?;
        for booking in &changed.bookings {
            self.holds.forget(booking.id);
        }
        Ok(changed)
    }
}
