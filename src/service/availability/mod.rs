//! When something can be booked (`spec/catalog-availability.md` §4): reads what the engine needs to know, and asks it.
//!
//! Two callers: whoever lists free times or wants to know why there are none, and the acts that make a booking hold one.

mod chains;
mod explain;
mod facts;
mod list;
mod memory;
mod order;
mod read;
mod watch;
mod work;

use std::collections::HashMap;

use jiff::Timestamp;

use crate::domain::{
    Rejection,
    catalog::ServiceKind,
    ids::{LocationId, ResourceId, ServiceId},
    options::{Choice, asked_minutes},
    rejection::{Field, Invalid},
    time::ZoneName,
};

pub use chains::{ChainOffer, ChainPart, Chains, ChainsQuery, PartOffer};
pub use explain::Explained;
pub use list::{Availability, FreeTime, Offer, OfferOf};
pub use watch::Watched;

pub(in crate::service) use chains::ask_chain;
pub use facts::Needed;
pub(in crate::service) use facts::{BusyTimes, Facts, busy_times, positive};
pub(in crate::service) use list::requested;
pub(in crate::service) use memory::Memory;
pub(in crate::service) use order::sort_staff;

/// Services of one question, at the most.
pub const MAX_SERVICES: usize = 100;
/// Resources of one question, at the most.
pub const MAX_RESOURCES: usize = 135;
/// Locations of one question, at the most.
pub const MAX_LOCATIONS: usize = 5;
/// Rows of one answer, at the most.
pub const MAX_ROWS: i32 = 1000;
/// Days of a window, at the most.
const MAX_DAYS: i64 = 366;
/// Days of a window times services, at the most: ten services for a year, or a hundred for a month.
const MAX_SERVICE_DAYS: i64 = 3660;

/// What is asked about free times.
#[derive(Debug, Clone)]
pub struct AvailabilityQuery {
    /// Which services.
    pub services: Vec<ServiceId>,
    /// The first start that is of interest; now if not said.
    pub from: Option<Timestamp>,
    /// The first start that is not any more.
    pub to: Timestamp,
    /// The zone in which times are told and days counted; the site's if not said.
    pub time_zone: Option<ZoneName>,
    /// Only with these staff members and rooms; of several of one type any one will do. None: all.
    pub resources: Vec<ResourceId>,
    /// Only at these locations; everywhere if not said.
    pub locations: Option<Vec<LocationId>>,
    /// How many come; one if not said.
    pub total_participants: Option<i32>,
    /// How long the appointment is to be, in minutes; the usual length if not said.
    pub duration: Option<i32>,
    /// What was chosen of the options of the services.
    pub choices: Vec<Choice>,
    /// So many of each service and day, at the most.
    pub slots_per_day: Option<i32>,
    /// Only those that the caller can book, or only the others.
    pub bookable: Option<bool>,
    /// So many rows, at the most.
    pub limit: i32,
}

fn date(path: &str, message: &str) -> Rejection {
    Invalid::new(Field::Date, message).at(path).into()
}

fn number(path: &str, value: Option<i32>, most: i32) -> Result<(), Rejection> {
    match value {
        Some(value) if !(1..=most).contains(&value) => {
            Err(Rejection::invalid(&[path], format!("must be between 1 and {most}")))
        }
        _ => Ok(()),
    }
}

/// The first instant of a window that makes sense.
pub(in crate::service) fn window(
    from: Option<Timestamp>,
    to: Timestamp,
    now: Timestamp,
) -> Result<(Timestamp, i64), Rejection> {
    let said = from.is_some();
    let from = from.unwrap_or(now);
    if to <= from {
        let message = if said {
            "must be after `from`"
        } else {
            "must be after `from`, which is now if it is left out"
        };
        return Err(date("to", message));
    }
    let hours = to.duration_since(from).as_hours();
    if hours > MAX_DAYS * 24 {
        return Err(date("to", "must be at most 366 days after `from`"));
    }
    Ok((from, hours.div_euclid(24) + 1))
}

fn check_number_of_places(asked: Option<&[LocationId]>) -> Result<(), Rejection> {
    if asked.is_some_and(|asked| !(1..=MAX_LOCATIONS).contains(&asked.len())) {
        let message = format!("must have 1 to {MAX_LOCATIONS} entries");
        return Err(Rejection::invalid(&["locationIds"], message));
    }
    Ok(())
}

impl AvailabilityQuery {
    /// Refuses a question that makes no sense or is too large; the first start that is of interest.
    fn check(&self, now: Timestamp) -> Result<Timestamp, Rejection> {
        let (from, days) = window(self.from, self.to, now)?;
        if !(1..=MAX_SERVICES).contains(&self.services.len()) {
            let message = format!("must have 1 to {MAX_SERVICES} entries");
            return Err(Rejection::invalid(&["serviceIds"], message));
        }
        if self.resources.len() > MAX_RESOURCES {
            let message = format!("must have at most {MAX_RESOURCES} entries");
            return Err(Rejection::invalid(&["resourceIds"], message));
        }
        check_number_of_places(self.locations.as_deref())?;
        for (index, id) in self.services.iter().enumerate() {
            if self.services.iter().take(index).any(|earlier| earlier == id) {
                return Err(Rejection::invalid(
                    &["serviceIds", &index.to_string()],
                    "is there twice",
                ));
            }
        }
        let services = i64::try_from(self.services.len()).unwrap_or(i64::MAX);
        if services.saturating_mul(days) > MAX_SERVICE_DAYS + services {
            let message = "is too far away for so many services: ask for fewer of them, or for a shorter time";
            return Err(date("to", message));
        }
        number("totalParticipants", self.total_participants, i32::MAX)?;
        number(
            "durationInMinutes",
            self.duration,
            crate::domain::catalog::MAX_DURATION_MINUTES,
        )?;
        number("slotsPerDay", self.slots_per_day, MAX_ROWS)?;
        number("limit", Some(self.limit), MAX_ROWS)?;
        Ok(from)
    }

    fn limit(&self) -> usize {
        usize::try_from(self.limit).unwrap_or(1)
    }

    /// How long each appointment service is to be, in minutes; the usual length where nothing is said.
    fn lengths(&self, found: &read::Found) -> Result<HashMap<ServiceId, i32>, Rejection> {
        let services = &found.catalogue.services;
        let options: Vec<_> = services.iter().map(|service| found.options_of(service.id)).collect();
        let chosen = asked_minutes(&options, &self.choices, self.duration)?;
        let lengths = services.iter().zip(chosen);
        let lengths = lengths.filter_map(|(service, chosen)| Some((service.id, chosen.or(self.duration)?)));
        Ok(lengths.collect())
    }

    /// Refuses ids of what there isn't, and a length that a service doesn't have.
    fn check_found(&self, found: &read::Found) -> Result<(), Rejection> {
        for (index, id) in self.services.iter().enumerate() {
            if !found.catalogue.services.iter().any(|service| service.id == *id) {
                let path = ["serviceIds", &index.to_string()];
                return Err(Rejection::invalid(&path, "is no service of this business"));
            }
        }
        for (index, id) in self.resources.iter().enumerate() {
            if !found.resources.iter().any(|resource| resource.id == *id) {
                let path = ["resourceIds", &index.to_string()];
                return Err(Rejection::invalid(&path, "is no staff member or room of this business"));
            }
        }
        found.check_places(self.locations.as_deref())?;
        let Some(minutes) = self.duration else { return Ok(()) };
        for service in &found.catalogue.services {
            if service.kind != ServiceKind::Appointment {
                let message = "is for appointments alone: sessions have their own lengths";
                return Err(Rejection::invalid(&["durationInMinutes"], message));
            }
            if !service.durations.contains(&minutes) {
                let lengths: Vec<String> = service.durations.iter().map(ToString::to_string).collect();
                let message = format!(
                    "must be one of the lengths of {}: {} minutes",
                    service.id,
                    lengths.join(", ")
                );
                return Err(Rejection::invalid(&["durationInMinutes"], message));
            }
        }
        Ok(())
    }
}
