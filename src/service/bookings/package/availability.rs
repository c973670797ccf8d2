//! Whether a package can still be honoured, as it stands (`spec/bookings.md` §4.16): what it holds itself is not in its
//! way, and it is judged by the policy that was agreed when it was booked.

use jiff::Timestamp;

use super::is_open;
use crate::{
    domain::{
        availability::{
            self, Business, ChainQuery, Choice, NonBookable, Part as Asked, Query, Requested, Start, Violations,
        },
        booking::{Booking, Location},
        catalog::{Closing, Resource, Service as Offered, ServiceResource},
        conflict::Claim,
        hours::WorkingHours,
        ids::{BookingId, LocationId, MultiServiceBookingId, ResourceId, SiteId},
        time::{TimeSpan, ZoneName},
    },
    service::{
        Caller, Error, Service, access,
        availability::{BusyTimes, Facts, ask_chain, busy_times, positive, requested},
    },
    store::{Conn, StoreError, bookings, catalog, claims, sites},
};

/// Whether a package can be had as it was booked.
#[derive(Debug, Clone)]
pub struct PackageAvailability {
    /// The rules for customers that any of its bookings breaks by now.
    pub violations: Violations,
    /// Why this caller couldn't have it.
    pub reasons: NonBookable,
    /// How many may come to each of its bookings, by the policies that were agreed; none: as many as there are spots.
    pub max_participants: Option<i32>,
    /// Its bookings that the caller may see, one after the other.
    pub parts: Vec<PartAvailability>,
}

/// Whether one booking of a package can be had as it was booked.
#[derive(Debug, Clone)]
pub struct PartAvailability {
    /// The booking.
    pub booking: Booking,
    /// The rules for customers that it breaks by now.
    pub violations: Violations,
    /// Why this caller couldn't have it.
    pub reasons: NonBookable,
}

/// A booking that something can still become of.
struct Part<'b> {
    booking: &'b Booking,
    span: TimeSpan,
    /// Its service as it is now, with the buffer and at the place of the booking.
    service: Offered,
    /// Whether customers can book it by themselves.
    online: bool,
    /// Who has to serve it.
    wished: Vec<ResourceId>,
}

/// What is known about a package.
struct Known {
    all: Vec<Booking>,
    /// Its services, and whether customers can book them by themselves.
    services: Vec<(Offered, bool)>,
    zone: ZoneName,
    resources: Vec<Resource>,
    hours: Vec<WorkingHours>,
    claims: Vec<Claim>,
    /// What closes the business or a location; nothing that was settled already when the package took its times.
    closings: Vec<Closing>,
}

fn open(all: &[Booking]) -> impl Iterator<Item = &Booking> {
    all.iter().filter(|booking| is_open(booking))
}

fn serving(booking: &Booking) -> Vec<ResourceId> {
    booking.booked.resources.iter().map(|resource| resource.id).collect()
}

/// Services as they are now. One that was deleted goes on for what was booked, but nobody can book it.
async fn services_of(conn: &mut Conn, site: SiteId, all: &[Booking]) -> Result<Vec<(Offered, bool)>, StoreError> {
    let mut services: Vec<(Offered, bool)> = Vec::new();
    for id in open(all).map(|booking| booking.booked.service) {
        if services.iter().any(|(service, _)| service.id == id) {
            continue;
        }
        if let Some(live) = catalog::find_live_service(conn, site, id).await? {
            let online = live.open_to_customers();
            services.push((live, online));
        } else {
            let gone = catalog::find_service(conn, site, id).await?;
            services.extend(gone.map(|service| (service, false)));
        }
    }
    Ok(services)
}

impl Known {
    async fn read(conn: &mut Conn, site: SiteId, all: Vec<Booking>, now: Timestamp) -> Result<Self, StoreError> {
        let services = services_of(conn, site, &all).await?;
        let needed: Vec<ServiceResource> = services
            .iter()
            .flat_map(|(service, _)| service.requirements.iter().cloned())
            .collect();
        let mut ids = catalog::candidate_ids(conn, site, &needed).await?;
        ids.extend(open(&all).flat_map(serving));
        ids.sort();
        ids.dedup();
        let places: Vec<LocationId> = open(&all)
            .filter_map(|booking| booking.booked.location.as_ref()?.business())
            .chain(services.iter().flat_map(|(service, _)| service.business_locations()))
            .collect();
        let (resources, hours) = catalog::candidates(conn, site, &ids, &places).await?;
        let from = open(&all).filter_map(Booking::start).min();
        let busy = |booking: &Booking| Some(booking.booked.span?.with_buffer(booking.booked.buffer_minutes).end());
        let until = open(&all).filter_map(busy).max();
        let claims = match from.zip(until) {
            Some((from, until)) => claims::on_resources(conn, site, &ids, from, until).await?,
            None => Vec::new(),
        };
        let closings = if open(&all).all(|booking| booking.status.on_calendar() || booking.held(now)) {
            Vec::new()
        } else {
            catalog::closings(conn, site, now).await?
        };
        let zone = sites::find(conn, site).await?;
        Ok(Self {
            all,
            services,
            zone: zone.map_or_else(ZoneName::utc, |site| site.time_zone),
            resources,
            hours,
            claims,
            closings,
        })
    }

    fn parts(&self, now: Timestamp) -> Vec<Part<'_>> {
        open(&self.all).filter_map(|booking| self.part(booking, now)).collect()
    }

    fn part<'k>(&'k self, booking: &'k Booking, now: Timestamp) -> Option<Part<'k>> {
        let mut known = self.services.iter();
        let (service, online) = known.find(|(service, _)| service.id == booking.booked.service)?;
        let place: Option<Location> = service.place_of(booking.booked.location.as_ref());
        // Whom the server chose for a hold that is over is not asked for any more.
        let keeps = booking.status.on_calendar() || booking.held(now);
        let had = booking.booked.resources.iter();
        let wished = had
            .filter(|resource| keeps || resource.explicitly_requested)
            .map(|resource| resource.id);
        Some(Part {
            booking,
            span: booking.booked.span?,
            service: Offered {
                buffer_minutes: booking.booked.buffer_minutes,
                locations: place.into_iter().collect(),
                ..service.clone()
            },
            online: *online,
            wished: wished.collect(),
        })
    }

    /// What the engine is told. What the business let in whatever the hours need not keep to them.
    fn facts(&self) -> Facts {
        let any_hours = open(&self.all).any(|booking| booking.flow.skip_availability_validation);
        let hours = if any_hours { Vec::new() } else { self.hours.clone() };
        Facts::new(self.zone.zone(), hours, self.resources.clone()).closed_at(self.closings.clone())
    }

    /// When others keep the resources busy.
    fn busy(&self, now: Timestamp) -> BusyTimes {
        let own: Vec<BookingId> = self.all.iter().map(|booking| booking.id).collect();
        let others = self.claims.iter();
        let others = others.filter(|claim| claim.holder.booking().is_none_or(|holder| !own.contains(&holder)));
        busy_times(others, None, now)
    }

    /// Which of the parts can be served at the times that they have.
    fn served(&self, parts: &[Part<'_>], now: Timestamp) -> Vec<bool> {
        let busy = self.busy(now);
        // Who goes on to the next part needs no buffer in between, so all of them are asked for first.
        if self.chain_is_served(parts, &busy) {
            return vec![true; parts.len()];
        }
        let alone = |part: &Part<'_>| {
            let facts = self.facts().serving(serving(part.booking));
            let wishes = wishes(&facts, part);
            let at = part.span.start();
            // Whether it may be in the past, or is open to customers, is told apart.
            facts.ask(&part.service, &busy, at, |business, service| {
                let query = Query {
                    requested: &requested(&wishes),
                    duration: Some(positive(minutes(part.span))),
                    ignore_policy: true,
                    ..Query::between(at, part.span.end())
                };
                availability::check(business, service, &query, start(at), &Choice::Given(&[])).is_ok()
            })
        };
        parts.iter().map(alone).collect()
    }

    fn chain_is_served(&self, parts: &[Part<'_>], busy: &BusyTimes) -> bool {
        let follows = |pair: &[Part<'_>]| matches!(pair, [one, next] if one.span.end() == next.span.start());
        let Some(first) = parts.first().filter(|_| parts.windows(2).all(follows)) else {
            return false;
        };
        let facts = self.facts();
        let wishes: Vec<_> = parts.iter().map(|part| wishes(&facts, part)).collect();
        let wishes: Vec<Vec<Requested<'_>>> = wishes.iter().map(|wishes| requested(wishes)).collect();
        // All of them are at one place, which each service knows by an id of its own.
        let services = parts.iter().map(|part| Offered {
            locations: first.service.locations.clone(),
            ..part.service.clone()
        });
        let services: Vec<Offered> = services.collect();
        let serving: Vec<Vec<ResourceId>> = parts.iter().map(|part| serving(part.booking)).collect();
        let services = services.iter().zip(serving.iter().map(Vec::as_slice));
        let services: Vec<(&Offered, &[ResourceId])> = services.collect();
        let at = first.span.start();
        let found = ask_chain(&facts, &services, busy, at, &mut |business: &Business<'_>, asked| {
            let asked: Vec<Asked<'_>> = asked
                .iter()
                .zip(parts)
                .zip(&wishes)
                .map(|((service, part), requested)| Asked {
                    service,
                    duration: Some(positive(minutes(part.span))),
                    requested,
                    choice: Choice::Given(&[]),
                })
                .collect();
            let query = ChainQuery {
                from: at,
                to: at,
                places: None,
                party: std::num::NonZeroU32::MIN,
                per_day: None,
                ignore_policy: true,
            };
            availability::check_chain(business, &asked, &query, start(at)).is_ok()
        });
        found.unwrap_or(false)
    }

    fn judge(self, caller: &Caller, now: Timestamp) -> PackageAvailability {
        let parts = self.parts(now);
        let judged: Vec<(BookingId, Violations, NonBookable)> = parts
            .iter()
            .zip(self.served(&parts, now))
            .map(|(part, served)| {
                let window = part.booking.terms.rules().window();
                let begins = part.span.start();
                let violations = window.judge(begins, None, part.online, now);
                let reasons = NonBookable {
                    // What has begun can't be had any more, whoever asks.
                    no_remaining_capacity: !served || begins < now,
                    violates_booking_policy: caller.actor.is_customer() && violations.any(),
                    ..NonBookable::default()
                };
                (part.booking.id, violations, reasons)
            })
            .collect();
        let over = NonBookable {
            cancelled: true,
            ..NonBookable::default()
        };
        let all = judged.iter();
        let (violations, reasons) = all.fold(
            (Violations::default(), NonBookable::default()),
            |(violations, reasons), (_, more, others)| (violations.or(*more), reasons.or(*others)),
        );
        let most = open(&self.all).filter_map(|booking| booking.terms.rules().max_participants);
        let max_participants = most.min();
        let reasons = if judged.is_empty() { over } else { reasons };
        let seen = self.all.into_iter().filter(|booking| access::sees(caller, booking));
        let part = |booking: Booking| {
            let known = judged.iter().find(|(id, ..)| *id == booking.id);
            let (violations, reasons) = known.map_or((Violations::default(), over), |(_, violations, reasons)| {
                (*violations, *reasons)
            });
            PartAvailability {
                booking,
                violations,
                reasons,
            }
        };
        PackageAvailability {
            violations,
            reasons,
            max_participants,
            parts: seen.map(part).collect(),
        }
    }
}

fn start(at: Timestamp) -> Start {
    // It stands where it was booked, on the grid of today or not.
    Start { at, off_grid: true }
}

fn minutes(span: TimeSpan) -> i32 {
    i32::try_from(span.minutes()).unwrap_or(i32::MAX)
}

/// Who has to serve a part, by the service's requirement. Whom nothing needs any more, nobody can have.
fn wishes(facts: &Facts, part: &Part<'_>) -> Vec<(usize, Vec<ResourceId>)> {
    let needed = facts.requirements(&part.service);
    let mut wishes: Vec<(usize, Vec<ResourceId>)> = Vec::new();
    for id in &part.wished {
        let serves = needed.iter().position(|one| one.ids.contains(id));
        let requirement = serves.unwrap_or(needed.len());
        match wishes.iter_mut().find(|(known, _)| *known == requirement) {
            Some((_, ids)) => ids.push(*id),
            None => wishes.push((requirement, vec![*id])),
        }
    }
    wishes
}

impl Service {
    /// Whether a package can still be had as it was booked; none if the caller may see none of its bookings.
    pub async fn multi_service_booking_availability(
        &self,
        caller: &Caller,
        id: MultiServiceBookingId,
    ) -> Result<Option<PackageAvailability>, Error> {
        let (site, now, asking) = (caller.site, self.clock().now(), caller.clone());
        let known = self.db().read(move |conn| {
            Box::pin(async move {
                let all = bookings::of_package(conn, site, id).await?;
                if !all.iter().any(|booking| access::sees(&asking, booking)) {
                    return Ok(None);
                }
                Known::read(conn, site, all, now).await.map(Some)
            })
        });
        Ok(known.await?.map(|known| known.judge(caller, now)))
    }
}
