//! What is agreed when something is booked: the policy, the choices, the price.

use jiff::{Timestamp, ToSpan as _, tz};

use super::place::{Place, Wanted};
use crate::{
    domain::{
        Rejection,
        actor::Actor,
        booking::{Booked, Booking, Participants},
        booking_policy::{BookingRules, Occasion},
        catalog::{FirstCharge, Price, Service, ServiceKind, Site},
        ids::ResourceId,
        money::Money,
        options::{BookedPrice, OptionsAndVariants, Tariff, Visit, chosen_minutes, quote},
        rejection::{Field, Invalid},
        terms::Terms,
    },
    store::{Failure, Tx, catalog, sites},
};

/// Whether a customer may cancel now; the business always may.
pub(super) fn may_cancel(booking: &Booking, actor: &Actor, now: Timestamp) -> Result<(), Rejection> {
    if !actor.is_customer() {
        return Ok(());
    }
    booking.terms.rules().may_cancel(booking.start(), now)
}

/// Whether a customer may now move a booking of a service that can be booked `online` or not; the business always may.
pub(super) fn may_reschedule(booking: &Booking, online: bool, actor: &Actor, now: Timestamp) -> Result<(), Rejection> {
    if !actor.is_customer() {
        return Ok(());
    }
    booking.terms.rules().may_reschedule(booking.start(), online, now)
}

/// Whether a customer may book a place now, by these rules.
pub(super) async fn may_book(
    tx: &mut Tx<'_>,
    place: &Place,
    rules: &BookingRules,
    participants: Option<i32>,
    now: Timestamp,
) -> Result<(), Failure> {
    may_book_at(tx, &place.service, &place.booked, rules, participants, now).await
}

/// The same for what is to be booked of a service.
pub(super) async fn may_book_at(
    tx: &mut Tx<'_>,
    service: &Service,
    booked: &Booked,
    rules: &BookingRules,
    participants: Option<i32>,
    now: Timestamp,
) -> Result<(), Failure> {
    let site = tx.site();
    let open_until = match booked.kind {
        ServiceKind::Class => booked.span.map(|span| span.end()),
        // A run stays open until its last session starts.
        ServiceKind::Course if rules.after_start => {
            let sessions = catalog::sessions_of_run(tx.conn(), site, booked.schedule).await?;
            sessions.iter().map(|session| session.span.start()).max()
        }
        ServiceKind::Appointment | ServiceKind::Course => None,
    };
    let of = Occasion {
        start: booked.span.map(|span| span.start()),
        open_until,
        online: service.open_to_customers(),
    };
    Ok(rules.may_book(&of, participants, now)?)
}

/// The wish, with its end where the chosen length puts it. A length that isn't offered is refused later, with the other
/// choices.
pub(super) async fn with_length(
    tx: &mut Tx<'_>,
    wanted: &Wanted,
    participants: &Participants,
) -> Result<Wanted, Failure> {
    let mut wanted = wanted.clone();
    let site = tx.site();
    if let Some(minutes) = chosen_minutes(participants)?
        && let Wanted::Appointment {
            service,
            start,
            end: end @ None,
            ..
        } = &mut wanted
    {
        let options = catalog::options_of(tx.conn(), site, *service).await?;
        let lengths = options.and_then(|options| options.minutes()).unwrap_or_default();
        if lengths.contains(&minutes) {
            *end = after(*start, minutes);
        }
    }
    Ok(wanted)
}

/// So many minutes after a start.
pub(super) fn after(start: Timestamp, minutes: i32) -> Option<Timestamp> {
    start.checked_add(i64::from(minutes).minutes()).ok()
}

/// The terms of a new booking, and who comes with all of their choices.
pub(super) async fn agree(
    tx: &mut Tx<'_>,
    place: &Place,
    participants: &Participants,
) -> Result<(Terms, Participants), Failure> {
    let (site, service) = (tx.site(), place.service.clone());
    let (named, id, by_site) = (service.booking_policy, service.id, goes_by_site(&service.price));
    let now = tx.now();
    let (policies, (options, of)) = tx
        .conn()
        .both(
            move |conn| Box::pin(async move { catalog::policies_of(conn, site, &[named]).await }),
            move |conn| {
                Box::pin(async move {
                    let options = catalog::options_of(conn, site, id).await?;
                    let of = if by_site { sites::find(conn, site).await? } else { None };
                    Ok((options, of))
                })
            },
        )
        .await?;
    let policy = policies.into_iter().flatten().next();
    let day = Day { of: of.as_ref(), now };
    let price = price(&service, options.as_ref(), day, participants, &place.booked)?;
    let participants = completed(participants, price.as_ref());
    Ok((Terms { policy, price }, participants))
}

/// What a booking costs when other numbers come: each for what its choices cost when it was booked; what nobody chose
/// then, at today's price.
pub(super) async fn renumber(
    tx: &mut Tx<'_>,
    before: &Booking,
    service: &Service,
    participants: &Participants,
) -> Result<(Option<BookedPrice>, Participants), Failure> {
    let site = tx.site();
    if let Some(price) = before
        .terms
        .price
        .as_ref()
        .and_then(|price| price.for_numbers(participants))
    {
        let participants = completed(participants, Some(&price));
        return Ok((Some(price), participants));
    }
    let options = catalog::options_of(tx.conn(), site, service.id).await?;
    let of = sites::find(tx.conn(), site).await?;
    let day = Day {
        of: of.as_ref(),
        now: tx.now(),
    };
    let today = price(service, options.as_ref(), day, participants, &before.booked)?;
    let participants = completed(participants, today.as_ref());
    // What was booked without a price gets none.
    let priced = today.filter(|_| before.terms.price.is_some());
    Ok((priced, participants))
}

/// Whoever chose a length with the price keeps it.
pub(super) fn check_length(before: &Booking, booked: &Booked) -> Result<(), Rejection> {
    let chosen = before.terms.price.as_ref().and_then(BookedPrice::minutes);
    match (chosen, booked.span) {
        (Some(minutes), Some(span)) if span.minutes() != i64::from(minutes) => {
            let message = format!("must be {minutes} minutes after `startDate`, as was chosen when it was booked");
            let invalid = Invalid::new(Field::Choices, message)
                .at("endDate")
                .at("appointment")
                .at("slot");
            Err(invalid.into())
        }
        _ => Ok(()),
    }
}

/// Whether a price needs to know the site: its currency, if there is no amount, or its date, if that decides.
fn goes_by_site(price: &Price) -> bool {
    match price {
        Price::NoFee | Price::Custom { .. } => true,
        Price::Fixed(_) | Price::Varied { .. } => false,
        Price::Subscription { billing, .. } => matches!(billing.first_charge, FirstCharge::Scheduled(_)),
    }
}

/// The day on which somebody books, on the clock of the site, as far as the price needs it.
#[derive(Clone, Copy)]
struct Day<'a> {
    of: Option<&'a Site>,
    now: Timestamp,
}

impl Day<'_> {
    fn date(self) -> jiff::civil::Date {
        let zone = self.of.map_or(tz::TimeZone::UTC, |site| site.time_zone.zone());
        zone.to_datetime(self.now).date()
    }
}

fn price(
    service: &Service,
    options: Option<&OptionsAndVariants>,
    day: Day<'_>,
    participants: &Participants,
    booked: &Booked,
) -> Result<Option<BookedPrice>, Rejection> {
    let currency = service.price.amount().map(|money| money.currency);
    let currency = currency.or(day.of.map(|site| site.currency));
    let tariff = currency.and_then(|currency| Tariff::of(&service.price, currency, day.date()));
    // In words it has no amount, but its choices must be those of the service all the same.
    let (tariff, in_words) = match (tariff, currency) {
        (Some(tariff), _) => (tariff, false),
        (None, Some(currency)) => (Tariff::Same(Money { minor: 0, currency }), true),
        (None, None) => return Ok(None),
    };
    let staff: Vec<ResourceId> = booked.resources.iter().map(|resource| resource.id).collect();
    let minutes = booked.span.filter(|_| booked.kind == ServiceKind::Appointment);
    let visit = Visit {
        minutes: minutes.map(|span| span.minutes()),
        staff: &staff,
    };
    let price = quote(options, tariff, participants, &visit)?;
    Ok((!in_words).then_some(price))
}

/// The groups that the client named, with the choices that the place made for them.
fn completed(participants: &Participants, price: Option<&BookedPrice>) -> Participants {
    let mut participants = participants.clone();
    if let (Some(groups), Some(price)) = (&mut participants.choices, price) {
        for (group, priced) in groups.iter_mut().zip(&price.groups) {
            group.choices.clone_from(&priced.choices);
        }
    }
    participants
}
