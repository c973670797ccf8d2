//! Making a package: all of its bookings or none.

use serde::{Deserialize, Serialize};

use super::{
    super::{
        NewVisitor,
        candidates::Naming,
        create::{Create, CreateBooking, new_visitor},
        ledger::Ledger,
        place::{Place, Purpose},
        terms,
    },
    plan::{self, Draft, Part, People, Rule},
};
use crate::{
    domain::{
        Rejection,
        booking::{Booked, Booking, PACKAGE_SIZE as SIZE},
        ids::{MultiServiceBookingId, SiteId},
        permission::Permission,
        rejection::{Field, Invalid},
    },
    service::{Caller, Error, IdempotencyKey, Outcome, Service, access},
    store::{Command, Failure, Tx},
};

/// A package that is to be made. What is one of all its bookings, such as the contact, is the same in each.
#[derive(Debug, Clone)]
pub struct CreatePackage {
    /// Its bookings, one after the other.
    pub bookings: Vec<CreateBooking>,
}

/// A package that was made.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CreatedPackage {
    /// Its id.
    pub id: MultiServiceBookingId,
    /// Its bookings, one after the other.
    pub bookings: Vec<Booking>,
    /// Who gets a visitor's token.
    pub visitor: Option<NewVisitor>,
}

impl Outcome for CreatedPackage {}

struct Make {
    caller: Caller,
    id: MultiServiceBookingId,
    items: Vec<Create>,
}

/// Refuses a number of bookings that no package has.
pub(super) fn check_size(number: usize) -> Result<(), Rejection> {
    if SIZE.contains(&number) {
        return Ok(());
    }
    let message = format!("must have {} to {} entries", SIZE.start(), SIZE.end());
    Err(Invalid::new(Field::ServicesSize, message).at("bookings").into())
}

/// Where the input says what a part's time is to be.
pub(super) fn slot(index: usize) -> Vec<String> {
    vec!["bookings".to_owned(), index.to_string(), "slot".to_owned()]
}

impl Command for Make {
    type Output = CreatedPackage;

    fn site(&self) -> SiteId {
        self.caller.site
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<CreatedPackage, Failure> {
        let Some(first) = self.items.first() else {
            return Err(check_size(0).err().unwrap_or(Rejection::NoResource).into());
        };
        let (skip, purpose) = (first.input.flow.skip_availability_validation, first.purpose());
        let (parts, people) = self.parts(tx, skip).await?;
        let spots = plan::spots(&parts, &[]);
        let mut ledger = match purpose {
            Purpose::Take => Ledger::lock_several(tx, &spots, &[]).await?,
            Purpose::Look => Ledger::look(tx, &spots).await?,
        };
        plan::check_there(tx, &parts, true).await?;
        let business = !self.caller.actor.is_customer();
        let rule = if skip {
            Rule::Times
        } else {
            Rule::Hours { off_grid: business }
        };
        let arranged = plan::arrange(&parts, &people, &ledger, rule)?;
        let refusal = arranged.refusal(slot).filter(|_| !skip);
        let mut places = Vec::with_capacity(parts.len());
        for (part, mut chosen) in parts.into_iter().zip(arranged.chosen) {
            if purpose == Purpose::Look {
                plan::asked_for(&mut chosen.resources);
            }
            let booked = Booked {
                resources: chosen.resources,
                ..part.booked
            };
            places.push((part.service, booked, chosen.asks));
        }
        // Policies and rights are told before what is in the way, as of one booking; so the refusal waits.
        let mut bookings = Vec::with_capacity(self.items.len());
        for (index, (item, (service, booked, asks))) in self.items.iter().zip(places).enumerate() {
            let mut place = Place::of_part(service, booked, ledger, asks);
            if refusal.is_some() {
                item.judge(tx, &place).await.map_err(|failure| placed(failure, index))?;
                ledger = place.ledger;
                continue;
            }
            let made = item.enter(tx, &mut place).await;
            bookings.push(made.map_err(|failure| placed(failure, index))?);
            ledger = place.ledger;
        }
        if let Some(refusal) = refusal {
            return Err(refusal.into());
        }
        let since = bookings.first().map(|booking: &Booking| booking.created);
        Ok(CreatedPackage {
            id: self.id,
            visitor: since.and_then(|since| new_visitor(&self.caller, since)),
            bookings,
        })
    }
}

/// A refusal with its place in the input: what is one of all bookings stands beside them.
fn placed(failure: Failure, index: usize) -> Failure {
    let Failure::Rejected(rejection) = failure else {
        return failure;
    };
    let of_all = match &rejection {
        Rejection::Invalid(Invalid { path, .. }) | Rejection::Unauthorized { path, .. } => path
            .first()
            .is_some_and(|at| ["flowControlSettings", "holdSeconds", "status"].contains(&at.as_str())),
        _ => false,
    };
    if of_all {
        return rejection.into();
    }
    rejection.of_part(&["bookings", &index.to_string()]).into()
}

/// A refusal of a part's time, with its place in the input.
pub(super) fn in_slot(failure: Failure, index: usize) -> Failure {
    match failure {
        Failure::Rejected(rejection) => {
            let place = slot(index);
            let outer: Vec<&str> = place.iter().map(String::as_str).collect();
            rejection.within(&outer).into()
        }
        other => other,
    }
}

impl Make {
    async fn parts(&self, tx: &mut Tx<'_>, any_length: bool) -> Result<(Vec<Part>, People), Failure> {
        let naming = if self.caller.actor.is_customer() {
            Naming::Customer
        } else {
            Naming::Business
        };
        let mut drafts = Vec::with_capacity(self.items.len());
        for (index, item) in self.items.iter().enumerate() {
            let wanted = terms::with_length(tx, &item.input.wanted, &item.input.participants)
                .await
                .map_err(|failure| placed(failure, index))?;
            let address = item.input.contact.full_address.as_deref();
            let found = Draft::find(tx, item.id, &wanted, any_length, naming, address, None).await;
            drafts.push(found.map_err(|failure| in_slot(failure, index))?);
        }
        let (parts, people) = People::cast(tx, drafts, in_slot).await?;
        plan::check_sequence(&parts, slot)?;
        Ok((parts, people))
    }
}

impl Service {
    /// Makes a package.
    pub async fn create_multi_service_booking(
        &self,
        caller: &Caller,
        input: CreatePackage,
        key: Option<IdempotencyKey>,
    ) -> Result<CreatedPackage, Error> {
        access::require(Permission::Book, caller)?;
        check_size(input.bookings.len())?;
        let number = input.bookings.len();
        let (id, full) = (MultiServiceBookingId::new(), self.full_address(caller, number));
        let item = |(index, mut input): (usize, CreateBooking)| {
            // One message for all of it.
            input.notification = input.notification.filter(|_| index == 0);
            let mut item = self.create(caller, input, full);
            // The first is counted for all.
            item.package = Some((id, if index == 0 { number } else { 0 }));
            item
        };
        let make = Make {
            caller: caller.clone(),
            id,
            items: input.bookings.into_iter().enumerate().map(item).collect(),
        };
        let created = self.once(caller, "createMultiServiceBooking", key, make).await?;
        for booking in &created.bookings {
            self.count_hold(caller, booking);
        }
        Ok(created)
    }
}
