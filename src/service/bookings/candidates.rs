//! Who could take an appointment: the choice among the service's staff and rooms.

use jiff::{Timestamp, ToSpan as _};

use super::ledger::Ledger;
use crate::{
    domain::{
        Rejection,
        booking::{BookedResource, Booking},
        catalog::{Resource, ResourceType, Service},
        conflict::{self, Ask, Clash, Holder, Target},
        ids::{BookingId, Kind, ResourceId},
        time::TimeSpan,
    },
    store::{Failure, Tx, catalog, claims},
};

/// How far ahead the next free time is looked for.
const LOOK_AHEAD_DAYS: i64 = 31;

/// Who could do it: for each type of resource that the service needs, those to choose from, in the order of choice.
#[derive(Default)]
pub(super) struct Candidates {
    by_type: Vec<Vec<Resource>>,
    requested: Vec<ResourceId>,
    needed: bool,
}

impl Candidates {
    pub(super) async fn load(
        tx: &mut Tx<'_>,
        service: &Service,
        requested: &[ResourceId],
        current: Option<&Booking>,
    ) -> Result<Self, Failure> {
        let site = tx.site();
        let found = catalog::find_resources(tx.conn(), site, &service.resources).await?;
        let mut by_type: Vec<Vec<Resource>> = Vec::new();
        for kind in [ResourceType::Staff, ResourceType::Room] {
            let mut of_type: Vec<Resource> = service
                .resources
                .iter()
                .filter_map(|id| found.iter().find(|resource| resource.id == *id))
                .filter(|resource| resource.resource_type == kind)
                .cloned()
                .collect();
            let wished: Vec<&Resource> = of_type.iter().filter(|r| requested.contains(&r.id)).collect();
            match wished.as_slice() {
                [] => {
                    // Who has it now comes first, so that moving a booking doesn't change people without need.
                    let had = |r: &Resource| current.is_some_and(|b| b.booked.resources.iter().any(|h| h.id == r.id));
                    of_type.sort_by_key(|resource| !had(resource));
                }
                [one] => of_type = vec![(*one).clone()],
                _ => return Err(Rejection::invalid(&["resourceIds"], "names two resources of one type").into()),
            }
            if !of_type.is_empty() {
                by_type.push(of_type);
            }
        }
        if let Some(unknown) = requested
            .iter()
            .position(|id| !by_type.iter().flatten().any(|r| r.id == *id))
        {
            let index = unknown.to_string();
            return Err(Rejection::not_found(Kind::Resource, &["resourceIds", &index]).into());
        }
        Ok(Self {
            by_type,
            requested: requested.to_vec(),
            needed: true,
        })
    }

    pub(super) fn targets(&self) -> impl Iterator<Item = Target> {
        self.by_type
            .iter()
            .flatten()
            .map(|resource| Target::Resource(resource.id))
    }

    /// Takes the first free one of each type; where none is free, the first, and says what is in its way.
    #[expect(
        clippy::type_complexity,
        reason = "three things that are used at once, by one caller"
    )]
    pub(super) fn choose(
        &self,
        ledger: &Ledger,
        span: TimeSpan,
        holder: BookingId,
    ) -> Result<(Vec<BookedResource>, Vec<Ask>, Option<(Ask, Clash)>), Rejection> {
        let (mut chosen, mut asks, mut clash) = (Vec::new(), Vec::new(), None);
        for of_type in &self.by_type {
            let mut first = None;
            let mut free = None;
            for resource in of_type {
                let target = Target::Resource(resource.id);
                let ask = Ask {
                    target,
                    span,
                    seats: 1,
                    holder: Holder::Booking(holder),
                    before: None,
                };
                match ledger.check(&ask) {
                    None => {
                        free = Some((resource, ask));
                        break;
                    }
                    Some(found) if first.is_none() => first = Some((resource, ask, found)),
                    Some(_) => {}
                }
            }
            let (resource, ask) = match (free, first) {
                (Some(free), _) => free,
                (None, Some((resource, ask, found))) => {
                    clash = clash.or(Some((ask, found)));
                    (resource, ask)
                }
                (None, None) => continue,
            };
            chosen.push(BookedResource {
                id: resource.id,
                name: resource.name.clone(),
                explicitly_requested: self.requested.contains(&resource.id),
            });
            asks.push(ask);
        }
        if self.needed && asks.is_empty() {
            return Err(Rejection::NoResource);
        }
        Ok((chosen, asks, clash))
    }

    /// The first start at or after the one asked for at which somebody of each type is free for as long.
    pub(super) async fn next_free(
        &self,
        tx: &mut Tx<'_>,
        ask: &Ask,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, Failure> {
        let site = tx.site();
        let Ok(until) = ask.span.start().checked_add((LOOK_AHEAD_DAYS * 24).hours()) else {
            return Ok(None);
        };
        let mut types = Vec::new();
        for of_type in &self.by_type {
            let mut each = Vec::new();
            for resource in of_type {
                let target = Target::Resource(resource.id);
                each.push((
                    target,
                    claims::on_target(tx.conn(), site, target, ask.span.start(), until).await?,
                ));
            }
            types.push(each);
        }
        let length = ask.span.end().duration_since(ask.span.start());
        let mut start = ask.span.start();
        // Each round moves on to where the busiest type is free; when none moves any further, all are free there.
        for _ in 0..1000 {
            let Some(span) = start.checked_add(length).ok().and_then(|end| TimeSpan::new(start, end)) else {
                return Ok(None);
            };
            let mut furthest = start;
            for each in &types {
                let earliest = each
                    .iter()
                    .filter_map(|(target, found)| {
                        conflict::next_free(
                            &Ask {
                                target: *target,
                                span,
                                ..*ask
                            },
                            found,
                            now,
                            until,
                        )
                    })
                    .min();
                match earliest {
                    Some(at) => furthest = furthest.max(at),
                    None => return Ok(None),
                }
            }
            if furthest == start {
                return Ok(Some(start));
            }
            start = furthest;
        }
        Ok(None)
    }
}
