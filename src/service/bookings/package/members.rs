//! Bookings that join a package, and bookings that leave it.

use serde::{Deserialize, Serialize};

use super::{
    super::{
        ledger::Ledger,
        place::{spots_of, targets_of},
        write_change,
    },
    ChangedPackage, PackageTarget, PartInfo, back_to_back, check_known, check_seen, is_open, load, require_over, same,
};
use crate::{
    domain::{
        Rejection,
        booking::{Act, Booking, PACKAGE_SIZE as SIZE, ServiceKind},
        conflict::{Ask, Claim, Holder, OverlapReason},
        event::EventType,
        ids::{BookingId, Kind, MultiServiceBookingId, SiteId},
        permission::Permission,
        rejection::{Field, Invalid, PackageRule},
    },
    service::{Caller, Error, Outcome, Service, access},
    store::{Command, Failure, Tx, bookings},
};

/// Bookings that join a package.
#[derive(Debug, Clone)]
pub struct AddToPackage {
    /// Which package, and how.
    pub target: PackageTarget,
    /// Which bookings.
    pub bookings: Vec<PartInfo>,
}

/// Bookings that leave a package.
#[derive(Debug, Clone)]
pub struct RemoveFromPackage {
    /// Which package, and how.
    pub target: PackageTarget,
    /// Which bookings; all if not said.
    pub bookings: Option<Vec<PartInfo>>,
}

/// What is left of a package, and what left it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RemainingPackage {
    /// Its id.
    pub id: MultiServiceBookingId,
    /// Its bookings, one after the other: none if it was dissolved.
    pub bookings: Vec<Booking>,
    /// The bookings that are no part of it any more.
    pub removed: Vec<Booking>,
}

impl Outcome for RemainingPackage {}

fn ids(infos: &[PartInfo]) -> Vec<BookingId> {
    infos.iter().map(|info| info.booking).collect()
}

/// The bookings of a package that something can still become of, for who may decide about them.
async fn members(tx: &mut Tx<'_>, caller: &Caller, package: MultiServiceBookingId) -> Result<Vec<Booking>, Failure> {
    let all = load(tx, caller, package).await?;
    let live: Vec<Booking> = all.iter().filter(|booking| is_open(booking)).cloned().collect();
    let judged = if live.is_empty() { &all } else { &live };
    require_over(Permission::ManageBookings, caller, judged)?;
    for booking in judged {
        booking
            .check(Act::Cancel)
            .map_err(|rejection| rejection.of_part(&["multiServiceBookingId"]))?;
    }
    Ok(live)
}

/// Locks the bookings with all that they hold.
async fn lock(tx: &mut Tx<'_>, bookings: &[Booking]) -> Result<Ledger, Failure> {
    let spots: Vec<_> = bookings.iter().flat_map(spots_of).collect();
    let ids: Vec<BookingId> = bookings.iter().map(|booking| booking.id).collect();
    Ledger::lock_several(tx, &spots, &ids).await
}

struct Add {
    caller: Caller,
    input: AddToPackage,
}

impl Add {
    /// The bookings that are to join, if all may.
    async fn find(&self, tx: &mut Tx<'_>, package: &[Booking]) -> Result<Vec<Booking>, Failure> {
        let (site, id) = (self.caller.site, self.input.target.package);
        let named = ids(&self.input.bookings);
        let mut found = Vec::with_capacity(named.len());
        for (index, booking) in named.iter().enumerate() {
            let path = ["bookings", &index.to_string(), "bookingId"];
            let booking = bookings::find_within(tx.conn(), site, *booking, access::scope(&self.caller))
                .await?
                .ok_or_else(|| Rejection::not_found(Kind::Booking, &path))?;
            let allowed = Permission::ManageBookings.covers(&self.caller.actor, &booking);
            access::require_business(allowed, true, "this", &path)?;
            if booking.booked.kind != ServiceKind::Appointment {
                return Err(Rejection::invalid(&path, "must be an appointment").into());
            }
            match booking.package {
                Some(had) if had == id => return Err(Rejection::package(PackageRule::AlreadyIncluded, &path).into()),
                Some(_) => return Err(Rejection::package(PackageRule::PartOfAnother, &path).into()),
                None => {}
            }
            if package.iter().any(|part| part.status != booking.status) {
                return Err(Rejection::package(PackageRule::OtherStatus, &path).into());
            }
            found.push(booking);
        }
        check_known(&named, &found)?;
        Ok(found)
    }
}

/// Refuses bookings of several customers: who made a package decides about all of it, and one message goes to one person.
async fn check_customer(tx: &mut Tx<'_>, package: &[Booking], joining: &[Booking]) -> Result<(), Failure> {
    let Some(first) = package.first() else { return Ok(()) };
    let site = tx.site();
    let ids: Vec<BookingId> = joining.iter().chain([first]).map(|booking| booking.id).collect();
    let contacts = bookings::contacts(tx.conn(), site, &ids).await?;
    let contact = |id: BookingId| contacts.iter().find(|(of, _)| *of == id).map(|(_, contact)| contact);
    for (index, booking) in joining.iter().enumerate() {
        let (one, other) = (&first.created_by, &booking.created_by);
        let same = if one.kind.is_customer() || other.kind.is_customer() {
            one == other
        } else {
            let contacts = contact(first.id).zip(contact(booking.id));
            contacts.is_some_and(|(one, other)| one.is_same_person(other))
        };
        if !same {
            let path = ["bookings", &index.to_string(), "bookingId"];
            let message = "is of another customer: all bookings of a package were made by one customer, or by the \
                business for one";
            return Err(Rejection::invalid(&path, message).into());
        }
    }
    Ok(())
}

impl Command for Add {
    type Output = ChangedPackage;

    fn site(&self) -> SiteId {
        self.caller.site
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<ChangedPackage, Failure> {
        let (input, actor) = (&self.input, &self.caller.actor);
        let read = async |tx: &mut Tx<'_>| {
            let package = members(tx, &self.caller, input.target.package).await?;
            let joining = self.find(tx, &package).await?;
            check_customer(tx, &package, &joining).await?;
            Ok::<_, Failure>((package, joining))
        };
        let (package, joining) = read(tx).await?;
        let all: Vec<Booking> = package.iter().chain(&joining).cloned().collect();
        if all.len() > *SIZE.end() {
            let message = format!("must not make more than {} bookings of a package", SIZE.end());
            return Err(Rejection::from(Invalid::new(Field::ServicesSize, message).at("bookings")).into());
        }
        let ledger = lock(tx, &all).await?;
        let (package, joining) = read(tx).await?;
        let now: Vec<Booking> = package.iter().chain(&joining).cloned().collect();
        if !same(&all, &now) {
            return Err(Failure::Again);
        }
        for (index, info) in input.bookings.iter().enumerate() {
            if let Some(before) = joining.iter().find(|booking| booking.id == info.booking) {
                check_seen(before, info.expected_revision, ledger.settled(before.id), index)?;
            }
        }
        let mut bookings = now;
        bookings.sort_by_key(Booking::start);
        if !back_to_back(&bookings) {
            let message = "must follow the package's bookings, or come before them, without a gap";
            return Err(Rejection::invalid(&["bookings"], message).into());
        }
        let elsewhere = |pair: &[Booking]| matches!(pair, [one, next] if !one.booked.is_where(&next.booked));
        if bookings.windows(2).any(elsewhere) {
            return Err(Rejection::invalid(&["bookings"], "must be at the package's place").into());
        }
        for after in &mut bookings {
            if after.package.is_none() {
                let before = after.clone();
                after.package = Some(input.target.package);
                write_change(tx, &before, after, EventType::Updated, actor, None, ledger.now()).await?;
            }
        }
        Ok(ChangedPackage {
            id: input.target.package,
            bookings,
        })
    }
}

struct Remove {
    caller: Caller,
    input: RemoveFromPackage,
}

impl Remove {
    /// Whether a booking goes. Of a package of which one would be left, all go.
    fn goes(&self, package: &[Booking]) -> Vec<bool> {
        let named = self.input.bookings.as_deref().map(ids);
        let goes: Vec<bool> = package
            .iter()
            .map(|booking| named.as_ref().is_none_or(|named| named.contains(&booking.id)))
            .collect();
        let left = goes.iter().filter(|goes| !**goes).count();
        if left < *SIZE.start() {
            return vec![true; package.len()];
        }
        goes
    }

    fn check(&self, package: &[Booking]) -> Result<(), Rejection> {
        let Some(named) = self.input.bookings.as_deref().map(ids) else {
            return Ok(());
        };
        check_known(&named, package)?;
        let mut left = package.iter().enumerate().filter(|(_, one)| !named.contains(&one.id));
        let first = left.next().map_or(0, |(position, _)| position);
        let mut positions = left.map(|(position, _)| position).zip(first + 1..);
        if positions.any(|(position, next)| position != next) {
            return Err(Rejection::invalid(
                &["bookings"],
                "must leave no gap: only the first ones and the last ones can be removed",
            ));
        }
        Ok(())
    }
}

impl Command for Remove {
    type Output = RemainingPackage;

    fn site(&self) -> SiteId {
        self.caller.site
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<RemainingPackage, Failure> {
        let (input, actor) = (&self.input, &self.caller.actor);
        let infos = input.bookings.as_deref().unwrap_or_default();
        let seen = members(tx, &self.caller, input.target.package).await?;
        self.check(&seen)?;
        let mut ledger = lock(tx, &seen).await?;
        let package = members(tx, &self.caller, input.target.package).await?;
        if !same(&seen, &package) {
            return Err(Failure::Again);
        }
        for (index, info) in infos.iter().enumerate() {
            if let Some(before) = package.iter().find(|booking| booking.id == info.booking) {
                check_seen(before, info.expected_revision, ledger.settled(before.id), index)?;
            }
        }
        let goes = self.goes(&package);
        let (mut bookings, mut removed) = (Vec::new(), Vec::new());
        for (index, before) in package.iter().enumerate() {
            let out = goes.get(index).copied().unwrap_or_default();
            // Who leaves, or is not followed by its neighbour any more, keeps the buffer that it has.
            let parted = out || goes.get(index + 1).copied().unwrap_or_default();
            let mut after = before.clone();
            if parted {
                keep_buffer(tx, &mut ledger, &mut after).await?;
            }
            if out {
                after.package = None;
            }
            if after != *before {
                write_change(tx, before, &mut after, EventType::Updated, actor, None, ledger.now()).await?;
            }
            if out {
                removed.push(after);
            } else {
                bookings.push(after);
            }
        }
        Ok(RemainingPackage {
            id: input.target.package,
            bookings,
            removed,
        })
    }
}

/// Makes the shortest buffer of the booking's resources that of the whole booking: what a single booking has.
async fn keep_buffer(tx: &mut Tx<'_>, ledger: &mut Ledger, booking: &mut Booking) -> Result<(), Failure> {
    let shortest = booking
        .booked
        .resources
        .iter()
        .filter_map(|resource| resource.buffer_minutes)
        .min();
    let (Some(minutes), Some(span)) = (shortest, booking.booked.span) else {
        return Ok(());
    };
    booking.booked.buffer_minutes = minutes;
    for resource in &mut booking.booked.resources {
        resource.buffer_minutes = None;
    }
    let holder = Holder::Booking(booking.id);
    let own: Vec<Claim> = ledger
        .claims()
        .filter(|claim| claim.holder == holder)
        .cloned()
        .collect();
    if own.is_empty() {
        return Ok(());
    }
    let reason = if own.iter().all(Claim::blocks) {
        OverlapReason::OwnerSkip
    } else {
        OverlapReason::MultipleRequests
    };
    let asks: Vec<Ask> = targets_of(&booking.booked)
        .into_iter()
        .map(|target| Ask {
            target,
            span: span.with_buffer(minutes),
            seats: 1,
            holder,
            before: None,
        })
        .collect();
    ledger
        .occupy(tx, &asks, holder, reason, booking.hold_expires_at)
        .await?;
    Ok(())
}

/// Refuses a call that names nothing, or more than a package has.
fn check_number(infos: &[PartInfo]) -> Result<(), Rejection> {
    if (1..=*SIZE.end()).contains(&infos.len()) {
        return Ok(());
    }
    Err(Rejection::invalid(
        &["bookings"],
        format!("must have 1 to {} entries", SIZE.end()),
    ))
}

impl Service {
    /// Makes bookings parts of a package.
    pub async fn add_bookings_to_multi_service_booking(
        &self,
        caller: &Caller,
        mut input: AddToPackage,
    ) -> Result<ChangedPackage, Error> {
        access::require(Permission::ManageBookings, caller)?;
        check_number(&input.bookings)?;
        let key = input.target.idempotency.take();
        let caller = caller.clone();
        let add = Add { caller, input };
        self.once(&add.caller.clone(), "addBookingsToMultiServiceBooking", key, add)
            .await
    }

    /// Takes bookings out of a package.
    pub async fn remove_bookings_from_multi_service_booking(
        &self,
        caller: &Caller,
        mut input: RemoveFromPackage,
    ) -> Result<RemainingPackage, Error> {
        access::require(Permission::ManageBookings, caller)?;
        if let Some(bookings) = &input.bookings {
            check_number(bookings)?;
        }
        let key = input.target.idempotency.take();
        let caller = caller.clone();
        let remove = Remove { caller, input };
        self.once(
            &remove.caller.clone(),
            "removeBookingsFromMultiServiceBooking",
            key,
            remove,
        )
        .await
    }
}
