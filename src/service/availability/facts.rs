//! What the availability engine is told, as the store has it.

use std::{collections::HashMap, num::NonZeroU32};

use jiff::{Timestamp, tz::TimeZone};

use crate::domain::{
    availability::{
        Business, Busy, HoursSource, Place, Policy, Requirement, Resource as Bookable, Service as Asked, Step,
    },
    booking::Location,
    catalog::{Closing, Resource, ResourceType, Service as Offered, ServiceResource, SlotStep},
    conflict::{Claim, Holder, Target},
    hours::{HoursOwner, OpeningHours, PlaceId, WorkingHours},
    ids::{LocationId, ResourceId, ServiceId, TypedId as _},
    time::TimeSpan,
};

/// A resource or a service weighs as much as so many claims or rules of hours.
pub(super) const WEIGHT_OF_A_RECORD: usize = 8;

/// When resources are busy.
pub(in crate::service) type BusyTimes = HashMap<ResourceId, Vec<Busy>>;

/// When the claims keep their resources busy at `now`; those of `except` don't.
pub(in crate::service) fn busy_times<'c>(
    claims: impl IntoIterator<Item = &'c Claim>,
    except: Option<Holder>,
    now: Timestamp,
) -> BusyTimes {
    let mut busy = BusyTimes::new();
    for claim in claims {
        if let Target::Resource(id) = claim.target
            && Some(claim.holder) != except
            && let Some(time) = Busy::of_claim(claim, now)
        {
            busy.entry(id).or_default().push(time);
        }
    }
    busy
}

/// What a service needs of one type of resource.
#[derive(Debug, Clone)]
pub struct Needed {
    /// Of which type.
    pub kind: ResourceType,
    /// How many at once.
    pub count: usize,
    /// Whether customers may choose among them.
    pub selectable: bool,
    /// Those to choose from.
    pub ids: Vec<ResourceId>,
}

/// Who there is, and when they are open.
#[derive(Debug, PartialEq)]
pub(in crate::service) struct Facts {
    zone: TimeZone,
    hours: Option<OpeningHours>,
    own: HashMap<ResourceId, OpeningHours>,
    at: HashMap<LocationId, OpeningHours>,
    /// When the business or its locations are closed.
    closings: Vec<Closing>,
    resources: Vec<Resource>,
    /// Who serves the one booking that this is about, whatever its service names by now, and whether or not new
    /// bookings can have it.
    serving: Vec<ResourceId>,
    policies: HashMap<ServiceId, Policy>,
}

impl Facts {
    /// The facts of a business in a zone, with the hours on record and the resources that were not deleted.
    pub(in crate::service) fn new(zone: TimeZone, on_record: Vec<WorkingHours>, resources: Vec<Resource>) -> Self {
        let (mut hours, mut own, mut at) = (None, HashMap::new(), HashMap::new());
        for record in on_record {
            match (record.owner, record.hours) {
                (HoursOwner::Resource(resource), Some(hours)) => {
                    own.insert(resource, hours);
                }
                (HoursOwner::Location(location), Some(hours)) => {
                    at.insert(location, hours);
                }
                (HoursOwner::Business, found) => hours = found,
                (HoursOwner::Resource(_) | HoursOwner::Location(_), None) => {}
            }
        }
        Self {
            zone,
            hours,
            own,
            at,
            closings: Vec::new(),
            resources,
            serving: Vec::new(),
            policies: HashMap::new(),
        }
    }

    /// How much it is to keep: what there is with all that it says.
    pub(super) fn weight(&self) -> usize {
        let hours = self.hours.iter().chain(self.own.values()).chain(self.at.values());
        let rules: usize = hours.map(OpeningHours::number_of_rules).sum();
        rules + WEIGHT_OF_A_RECORD * (self.resources.len() + self.policies.len())
    }

    /// The same for a booking that is there: who serves it may go on, though the service doesn't name them any more.
    pub(in crate::service) fn serving(self, serving: Vec<ResourceId>) -> Self {
        Self { serving, ..self }
    }

    /// The same, with the booking windows of services.
    pub(in crate::service) fn with_policies(self, policies: HashMap<ServiceId, Policy>) -> Self {
        Self { policies, ..self }
    }

    /// The same, with the times in which the business or its locations are closed.
    pub(in crate::service) fn closed_at(self, closings: Vec<Closing>) -> Self {
        Self { closings, ..self }
    }

    /// The booking windows of a service; none were told of: no limits.
    pub(in crate::service) fn policy(&self, service: ServiceId) -> Policy {
        self.policies.get(&service).copied().unwrap_or_default()
    }

    /// The same, on the wall clock of another zone.
    pub(in crate::service) fn in_zone(self, zone: TimeZone) -> Self {
        Self { zone, ..self }
    }

    /// Those that weren't deleted.
    pub(in crate::service) fn resources(&self) -> &[Resource] {
        &self.resources
    }

    /// A resource that wasn't deleted.
    pub(in crate::service) fn resource(&self, id: ResourceId) -> Option<&Resource> {
        self.resources.iter().find(|resource| resource.id == id)
    }

    /// What an appointment service needs, with those to choose from. A resource that was deleted is none of them any
    /// more; those of which any will do are all of the type.
    pub(in crate::service) fn requirements(&self, service: &Offered) -> Vec<Needed> {
        self.requirements_of(service, &self.serving)
    }

    /// The same for a booking that these serve.
    fn requirements_of(&self, service: &Offered, serving: &[ResourceId]) -> Vec<Needed> {
        let needed = |entry: &ServiceResource| {
            // Who serves the booking goes on though nobody else can have them any more.
            let open = |resource: &&Resource| resource.bookable || serving.contains(&resource.id);
            let all = || {
                self.resources
                    .iter()
                    .filter(open)
                    .filter(|resource| entry.allows(resource))
            };
            let named = || entry.resources.iter().filter_map(|id| self.resource(*id)).filter(open);
            let ids: Vec<ResourceId> = if entry.resources.is_empty() {
                all().map(|resource| resource.id).collect()
            } else {
                named().map(|resource| resource.id).collect()
            };
            Needed {
                kind: entry.resource_type,
                count: usize::try_from(entry.required).unwrap_or(1),
                selectable: entry.selectable,
                ids,
            }
        };
        let mut all: Vec<Needed> = service.requirements.iter().map(needed).collect();
        for resource in serving.iter().filter_map(|id| self.resource(*id)) {
            if all.iter().any(|needed| needed.ids.contains(&resource.id)) {
                continue;
            }
            if let Some(needed) = all.iter_mut().find(|needed| needed.kind == resource.resource_type) {
                needed.ids.push(resource.id);
            }
        }
        all
    }

    /// When a location is closed by itself; without one, when the whole business is.
    fn closed(&self, location: Option<LocationId>) -> Vec<TimeSpan> {
        let own = self.closings.iter().filter(|closing| closing.location == location);
        own.map(|closing| closing.span).collect()
    }

    /// Asks the engine about an appointment service.
    pub(in crate::service) fn ask<R>(
        &self,
        service: &Offered,
        busy: &BusyTimes,
        now: Timestamp,
        question: impl FnOnce(&Business<'_>, &Asked<'_>) -> R,
    ) -> R {
        self.ask_of((service, &self.serving), busy, now, question)
    }

    /// The same about a booking of the service that these serve.
    pub(in crate::service) fn ask_of<R>(
        &self,
        (service, serving): (&Offered, &[ResourceId]),
        busy: &BusyTimes,
        now: Timestamp,
        question: impl FnOnce(&Business<'_>, &Asked<'_>) -> R,
    ) -> R {
        let limit = |resource: &Resource| {
            let places = |ids: &Vec<LocationId>| ids.iter().map(|id| PlaceId::from_uuid(id.uuid())).collect();
            resource.locations.as_ref().map(places)
        };
        let limits: Vec<Option<Vec<PlaceId>>> = self.resources.iter().map(limit).collect();
        let bookable = |resource: &Resource| {
            // Who has none keeps those of the location, or of the business where that has none.
            let own = self.own.get(&resource.id);
            (
                resource.id,
                resource.ranking,
                own.map_or(HoursSource::Unset, HoursSource::Own),
            )
        };
        let resources: Vec<Bookable<'_>> = self
            .resources
            .iter()
            .map(bookable)
            .zip(&limits)
            .map(|((id, ranking, hours), places)| Bookable {
                id,
                ranking,
                hours,
                places: places.as_deref(),
                busy: busy.get(&id).map_or(&[], Vec::as_slice),
            })
            .collect();
        let needed = self.requirements_of(service, serving);
        let requirements: Vec<Requirement<'_>> = needed
            .iter()
            .map(|needed| Requirement {
                staff: needed.kind == ResourceType::Staff,
                count: needed.count,
                allowed: &needed.ids,
            })
            .collect();
        let closed = self.closed(None);
        let closed_there = |location: &Location| location.business().map_or_else(Vec::new, |id| self.closed(Some(id)));
        let closed_there: Vec<Vec<TimeSpan>> = service.locations.iter().map(closed_there).collect();
        let places = service.locations.iter().zip(&closed_there);
        let places = places.map(|(location, closed)| Place {
            id: location.place(),
            hours: location.business().and_then(|id| self.at.get(&id)),
            closed,
        });
        let mut places: Vec<Place<'_>> = places.collect();
        if places.is_empty() {
            let (id, hours) = (None, None);
            places.push(Place { id, hours, closed: &[] });
        }
        let business = Business {
            zone: &self.zone,
            hours: self.hours.as_ref(),
            closed: &closed,
            resources: &resources,
            now,
        };
        let asked = Asked {
            duration: positive(service.durations.first().copied().unwrap_or(60)),
            buffer: u32::try_from(service.buffer_minutes).unwrap_or(0),
            step: match service.slot_step {
                SlotStep::Minutes(minutes) => Step::Every(positive(minutes)),
                SlotStep::SameAsDuration => Step::SameAsDuration,
            },
            requirements: &requirements,
            places: &places,
            hours: None,
            variable_length: service.durations.len() > 1,
            available_from: None,
            available_until: None,
            online: service.open_to_customers(),
            max_party: positive(service.default_capacity),
            policy: self.policy(service.id),
        };
        question(&business, &asked)
    }
}

/// A number that the domain keeps above zero.
pub(in crate::service) fn positive(number: i32) -> NonZeroU32 {
    u32::try_from(number)
        .ok()
        .and_then(NonZeroU32::new)
        .unwrap_or(NonZeroU32::MIN)
}
