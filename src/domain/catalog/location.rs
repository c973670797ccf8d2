//! Where services are given: locations of the business, places in its own words, and the customer's
//! (`spec/catalog-availability.md` §1.4).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Service, ServiceKind};
use crate::domain::{
    Rejection,
    booking::{Location, LocationType},
    hours::PlaceId,
    ids::{LocationId, TypedId as _},
    rejection::{Field, Invalid, LocationProblem},
    text,
};

/// Locations of a site, at the most.
pub const MAX_LOCATIONS: usize = 500;
/// Locations of a service, at the most.
pub const MAX_SERVICE_LOCATIONS: usize = 500;

/// A location of the business.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BusinessLocation {
    /// Its id.
    pub id: LocationId,
    /// Its name, 1 to 100 characters.
    pub name: String,
    /// Its address in one text, at most 512 characters.
    pub formatted_address: Option<String>,
    /// Its e-mail address.
    pub email: Option<String>,
    /// Its phone number, at most 50 characters.
    pub phone: Option<String>,
    /// Whether it is the one that the business names first. At most one of a site is.
    pub default: bool,
    /// Grows by one with every change.
    pub revision: i64,
    /// When it was made.
    pub created: Timestamp,
    /// When it changed last.
    pub updated: Timestamp,
}

impl BusinessLocation {
    /// Refuses a location that breaks a rule.
    pub fn check(&self) -> Result<(), Rejection> {
        text::required(&self.name, 100).map_err(|invalid| invalid.at("name"))?;
        for (text, most, name) in [
            (&self.formatted_address, 512, "formattedAddress"),
            (&self.phone, 50, "phone"),
        ] {
            if let Some(text) = text {
                text::bounded(text, most).map_err(|invalid| invalid.at(name))?;
            }
        }
        Ok(())
    }

    /// What a session or a booking keeps of it.
    #[must_use]
    pub fn snapshot(&self) -> Location {
        Location {
            id: Some(self.id),
            location_type: LocationType::OwnerBusiness,
            name: Some(self.name.clone()),
            formatted_address: self.formatted_address.clone(),
        }
    }
}

impl Location {
    /// What the hours and limits of resources know it by. A place without an id is everywhere to them.
    #[must_use]
    pub fn place(&self) -> Option<PlaceId> {
        self.id.map(|id| PlaceId::from_uuid(id.uuid()))
    }

    /// The location of the business that it is, if it is one.
    #[must_use]
    pub fn business(&self) -> Option<LocationId> {
        self.id.filter(|_| self.location_type == LocationType::OwnerBusiness)
    }

    /// The same with what its location of the business says now.
    #[must_use]
    pub fn told_by(&self, known: &[BusinessLocation]) -> Self {
        let own = self.business().and_then(|id| known.iter().find(|one| one.id == id));
        own.map_or_else(|| self.clone(), BusinessLocation::snapshot)
    }
}

/// A place that somebody names: by its id, by its type, or in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocationWish {
    /// Its id.
    pub id: Option<LocationId>,
    /// Whose place it is.
    pub location_type: Option<LocationType>,
    /// Its name.
    pub name: Option<String>,
    /// Its address.
    pub formatted_address: Option<String>,
}

impl From<&Location> for LocationWish {
    fn from(location: &Location) -> Self {
        Self {
            id: location.id,
            location_type: Some(location.location_type),
            name: location.name.clone(),
            formatted_address: location.formatted_address.clone(),
        }
    }
}

fn problem(problem: LocationProblem, path: &[&str], message: &str) -> Rejection {
    let mut invalid = Invalid::new(Field::Location(problem), message);
    invalid.path = path.iter().map(|segment| (*segment).to_owned()).collect();
    invalid.into()
}

fn of_type(location_type: LocationType) -> LocationProblem {
    match location_type {
        LocationType::OwnerBusiness => LocationProblem::Business,
        LocationType::OwnerCustom => LocationProblem::Custom,
        LocationType::Custom => LocationProblem::Customer,
    }
}

impl LocationWish {
    /// The place in its own words.
    #[must_use]
    pub fn words(&self) -> Location {
        Location {
            id: None,
            location_type: self.location_type.unwrap_or(LocationType::OwnerCustom),
            name: self.name.clone(),
            formatted_address: self.formatted_address.clone(),
        }
    }

    fn has_words(&self) -> bool {
        self.name.is_some() || self.formatted_address.is_some()
    }

    /// The one of `locations` that it names. Paths begin inside of it.
    fn find(&self, locations: &[Location]) -> Result<Location, Rejection> {
        let fits = |location: &&Location| {
            self.id.is_none_or(|id| location.id == Some(id))
                && self.location_type.is_none_or(|asked| location.location_type == asked)
        };
        let mut fitting = locations.iter().filter(fits);
        match (fitting.next(), fitting.next(), self.id) {
            (Some(one), None, _) => Ok(one.clone()),
            (Some(_), Some(_), _) => {
                let message = "is needed: the service is given at several of these";
                Err(problem(LocationProblem::Several, &["locationId"], message))
            }
            (None, _, Some(id)) if locations.iter().any(|location| location.id == Some(id)) => {
                let message = "is not that of this location";
                Err(problem(LocationProblem::Unknown, &["locationType"], message))
            }
            (None, _, Some(_)) => Err(problem(
                LocationProblem::Unknown,
                &["locationId"],
                "is none of the service's",
            )),
            (None, _, None) => {
                let asked = self.location_type.unwrap_or(LocationType::OwnerCustom);
                let message = "is none of those at which the service is given";
                Err(problem(of_type(asked), &["locationType"], message))
            }
        }
    }
}

impl Service {
    /// Its location, if it has one and no more.
    #[must_use]
    pub fn only_location(&self) -> Option<&Location> {
        match self.locations.as_slice() {
            [only] => Some(only),
            _ => None,
        }
    }

    /// The locations of the business at which it is given.
    pub fn business_locations(&self) -> impl Iterator<Item = LocationId> + '_ {
        self.locations.iter().filter_map(Location::business)
    }

    /// Where an appointment is to take place: the location that is named, or the only one. `address` is the customer's,
    /// for whoever said no other. Paths begin beside `location`.
    pub fn visit_at(&self, wish: Option<&LocationWish>, address: Option<&str>) -> Result<Option<Location>, Rejection> {
        let at = |rejection: Rejection| rejection.within(&["location"]);
        let mut found = match (wish, self.locations.as_slice()) {
            (None, []) => return Ok(None),
            (None, [only]) => only.clone(),
            (None, _) => {
                let message = "is needed: the service is given at several locations";
                return Err(problem(LocationProblem::Several, &["location"], message));
            }
            // Nobody said where it is given, so it may be anywhere.
            (Some(wish), []) if wish.id.is_none() => return Ok(Some(wish.words())),
            (Some(wish), all) => wish.find(all).map_err(at)?,
        };
        if found.location_type == LocationType::Custom {
            let said = wish.and_then(|wish| wish.formatted_address.clone());
            let address = said.or_else(|| address.map(str::to_owned));
            if address.as_ref().is_none_or(|address| address.trim().is_empty()) {
                let message = "is needed: it takes place at the customer's";
                return Err(at(problem(LocationProblem::Customer, &["formattedAddress"], message)));
            }
            found.formatted_address = address;
            found.name = wish.and_then(|wish| wish.name.clone());
        }
        Ok(Some(found))
    }

    /// Where a session takes place: the location that is named, or other words of the business. None: at the service's
    /// only one. Paths begin beside `location`.
    pub fn session_at(&self, wish: Option<&LocationWish>) -> Result<Option<Location>, Rejection> {
        let Some(wish) = wish else {
            if self.locations.len() > 1 {
                let message = "is needed: the service is given at several locations";
                return Err(problem(LocationProblem::Several, &["location"], message));
            }
            return Ok(None);
        };
        let found = self.place_of_session(wish);
        Ok(Some(found.map_err(|rejection| rejection.within(&["location"]))?))
    }

    /// The place that is named for a session. Paths begin in the wish.
    pub fn place_of_session(&self, wish: &LocationWish) -> Result<Location, Rejection> {
        match wish.location_type {
            Some(LocationType::Custom) => {
                let message = "is for appointments: a session takes place where the business says";
                Err(problem(LocationProblem::Customer, &["locationType"], message))
            }
            _ if wish.id.is_none() && wish.has_words() => Ok(wish.words()),
            _ => wish.find(&self.locations),
        }
    }

    /// Where something that is booked takes place, as the hours and limits of resources know it.
    #[must_use]
    pub fn place_of(&self, booked: Option<&Location>) -> Option<Location> {
        let Some(booked) = booked else {
            return self.only_location().cloned();
        };
        if booked.id.is_some() {
            return Some(booked.clone());
        }
        // It was booked before places had ids.
        let mut same = self
            .locations
            .iter()
            .filter(|one| one.location_type == booked.location_type);
        match (same.next(), same.next()) {
            (Some(one), None) => Some(one.clone()),
            _ => Some(booked.clone()),
        }
    }

    /// Gives the places that are the service's own an id each: the one that such a place had `before`, if there was one.
    pub fn keep_location_ids(&mut self, before: &[Location]) {
        let own = |location: &&mut Location| location.location_type != LocationType::OwnerBusiness;
        for location in self.locations.iter_mut().filter(own) {
            let same = before.iter().find(|one| one.location_type == location.location_type);
            location.id = same.and_then(|one| one.id).or(location.id);
        }
    }

    /// Refuses locations that the kind of service can't have. `short` tells whether only one was said.
    pub fn check_locations(&self, short: bool) -> Result<(), Rejection> {
        if self.locations.len() > MAX_SERVICE_LOCATIONS {
            let message = format!("must have at most {MAX_SERVICE_LOCATIONS} entries");
            return Err(problem(LocationProblem::Several, &["locations"], &message));
        }
        if self.kind == ServiceKind::Course && self.locations.len() > 1 {
            let message = "must have one entry at the most: a course takes place at one location";
            return Err(problem(LocationProblem::Several, &["locations"], message));
        }
        for (index, location) in self.locations.iter().enumerate() {
            let position = index.to_string();
            let mut earlier = self.locations.iter().take(index);
            let wrong = |name: &str, message: &str| {
                let path: &[&str] = if short {
                    &["location", name]
                } else {
                    &["locations", &position, name]
                };
                Err(problem(of_type(location.location_type), path, message))
            };
            let id = if short { "locationId" } else { "businessLocationId" };
            let kind = if short { "locationType" } else { "type" };
            match location.location_type {
                LocationType::OwnerBusiness if location.id.is_none() && !short => {
                    return wrong(id, "is needed for a location of the business");
                }
                LocationType::OwnerBusiness if earlier.any(|one| one.id == location.id) => {
                    return wrong(id, "is there twice");
                }
                LocationType::OwnerCustom | LocationType::Custom
                    if earlier.any(|one| one.location_type == location.location_type) =>
                {
                    return wrong(kind, "is there twice: there is one such place at the most");
                }
                LocationType::OwnerCustom if location.formatted_address.is_none() && location.name.is_none() => {
                    return wrong("formattedAddress", "is needed, or a name");
                }
                LocationType::Custom if self.kind != ServiceKind::Appointment => {
                    return wrong(
                        kind,
                        "is for appointments: a session takes place where the business says",
                    );
                }
                LocationType::OwnerBusiness | LocationType::OwnerCustom | LocationType::Custom => {}
            }
        }
        Ok(())
    }
}
