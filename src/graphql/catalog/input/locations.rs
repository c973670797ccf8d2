//! Inputs about locations: the business's, and where services are given.

use async_graphql::{ID, InputObject, MaybeUndefined};

use super::{edit, given, key};
use crate::{
    domain::{
        booking::{Location, LocationType},
        catalog::LocationWish,
        ids::LocationId,
        rejection::{Field, Invalid, LocationProblem},
        text,
    },
    graphql::{
        input::{Problems, Rejections, id},
        scalars::EmailAddress,
        types::{booking_input::LocationInput, location::ServiceLocationType},
    },
    service::{
        IdempotencyKey,
        catalog::{Change, CreateLocation, Edit, ServiceLocations, UpdateLocation},
    },
};

/// A location of the business that is to be made.
#[derive(InputObject, Clone, Debug)]
pub struct CreateLocationInput {
    /// Whether it is the one that the business names first; then no other is any more.
    #[graphql(default = false)]
    default: bool,
    /// Its e-mail address. Customers see it.
    email: Option<EmailAddress>,
    /// Its address in one text, at most 512 characters.
    formatted_address: Option<String>,
    /// A key for safe retries, at most 255 characters: the same key and input replays the first committed answer.
    idempotency_key: Option<String>,
    /// Its name, 1 to 100 characters.
    name: String,
    /// Its phone number, at most 50 characters. Customers see it.
    phone: Option<String>,
}

/// What changes of a location. What is left out stays. Sessions and bookings keep the name and address that it had.
#[derive(InputObject, Clone, Debug)]
pub struct UpdateLocationInput {
    /// Whether it is the one that the business names first; then no other is any more.
    default: MaybeUndefined<bool>,
    /// Its e-mail address.
    email: MaybeUndefined<EmailAddress>,
    /// Refuse with `REVISION_MISMATCH` unless the location has this revision.
    expected_revision: Option<i32>,
    /// Its address in one text, at most 512 characters.
    formatted_address: MaybeUndefined<String>,
    /// A key for safe retries, at most 255 characters: the same key and input replays the first committed answer.
    idempotency_key: Option<String>,
    /// The location.
    location_id: ID,
    /// Its name, 1 to 100 characters.
    name: MaybeUndefined<String>,
    /// Its phone number, at most 50 characters.
    phone: MaybeUndefined<String>,
}

/// A location that is to be deleted.
#[derive(InputObject, Clone, Debug)]
pub struct DeleteLocationInput {
    /// Refuse with `REVISION_MISMATCH` unless the location has this revision.
    expected_revision: Option<i32>,
    /// A key for safe retries, at most 255 characters: the same key and input replays the first committed answer.
    idempotency_key: Option<String>,
    /// The location.
    location_id: ID,
}

impl CreateLocationInput {
    pub(crate) fn parse(&self) -> Result<(CreateLocation, Option<IdempotencyKey>), Rejections> {
        let mut problems = Problems::default();
        let key = key(&mut problems, self, self.idempotency_key.as_ref());
        let email = problems.option("email", self.email.as_ref().map(EmailAddress::address));
        let location = CreateLocation {
            name: self.name.clone(),
            formatted_address: self.formatted_address.clone(),
            email,
            phone: self.phone.clone(),
            default: self.default,
        };
        problems.finish(Some((location, key)))
    }
}

impl UpdateLocationInput {
    pub(crate) fn parse(&self) -> Result<UpdateLocation, Rejections> {
        let mut problems = Problems::default();
        let key = key(&mut problems, self, self.idempotency_key.as_ref());
        let edit = edit(
            &mut problems,
            "locationId",
            &self.location_id,
            self.expected_revision,
            key,
        );
        let email: Change<text::EmailAddress> = match &self.email {
            MaybeUndefined::Undefined => Change::Keep,
            MaybeUndefined::Null => Change::Clear,
            MaybeUndefined::Value(email) => problems
                .take("email", email.address())
                .map_or(Change::Keep, Change::Set),
        };
        let name = given(&mut problems, "name", &self.name);
        let default = given(&mut problems, "default", &self.default);
        problems.finish(edit.map(|edit| UpdateLocation {
            edit,
            name,
            formatted_address: super::change(&self.formatted_address),
            email,
            phone: super::change(&self.phone),
            default,
        }))
    }
}

impl DeleteLocationInput {
    pub(crate) fn parse(&self) -> Result<Edit<LocationId>, Rejections> {
        let mut problems = Problems::default();
        let key = key(&mut problems, self, self.idempotency_key.as_ref());
        let edit = edit(
            &mut problems,
            "locationId",
            &self.location_id,
            self.expected_revision,
            key,
        );
        problems.finish(edit)
    }
}

/// A place at which a service is given.
#[derive(InputObject, Clone, Debug)]
pub struct ServiceLocationInput {
    /// The location of the business: for type `BUSINESS`, and only then. Each at most once.
    business_location_id: Option<ID>,
    /// The address in one text, at most 512 characters: for type `CUSTOM`, which needs it or a name.
    formatted_address: Option<String>,
    /// The name, at most 150 characters: for type `CUSTOM`.
    name: Option<String>,
    /// Whose place it is. Several locations of the business may be there, one place of type `CUSTOM`, and for an
    /// appointment one of type `CUSTOMER`.
    #[graphql(name = "type", default_with = "ServiceLocationType::Custom")]
    location_type: ServiceLocationType,
}

impl ServiceLocationInput {
    fn parse(&self) -> Result<Location, Rejections> {
        let mut problems = Problems::default();
        let id: Option<LocationId> = problems.option("businessLocationId", self.business_location_id.as_ref().map(id));
        let name = problems.option("name", self.name.as_ref().map(|name| text::bounded(name, 150)));
        let address = self.formatted_address.as_ref();
        let formatted_address = problems.option("formattedAddress", address.map(|text| text::bounded(text, 512)));
        let mut alien = |field: LocationProblem, given: bool, path: &str, message: &str| {
            if given {
                problems.add(Invalid::new(Field::Location(field), message).at(path));
            }
        };
        let words = "is for type `CUSTOM`";
        match self.location_type {
            ServiceLocationType::Business => {
                alien(LocationProblem::Business, name.is_some(), "name", words);
                alien(
                    LocationProblem::Business,
                    formatted_address.is_some(),
                    "formattedAddress",
                    words,
                );
            }
            ServiceLocationType::Custom => {
                let message = "is for type `BUSINESS`";
                alien(LocationProblem::Custom, id.is_some(), "businessLocationId", message);
            }
            ServiceLocationType::Customer => {
                let message = "is for type `BUSINESS`";
                alien(LocationProblem::Customer, id.is_some(), "businessLocationId", message);
                alien(LocationProblem::Customer, name.is_some(), "name", words);
                alien(
                    LocationProblem::Customer,
                    formatted_address.is_some(),
                    "formattedAddress",
                    words,
                );
            }
        }
        problems.finish(Some(Location {
            id,
            location_type: self.location_type.into(),
            name,
            formatted_address,
        }))
    }
}

/// The short form as it is stored.
fn short(wish: LocationWish) -> Result<Location, Invalid> {
    let words = wish.words();
    match (wish.id, wish.location_type) {
        (Some(_), None | Some(LocationType::OwnerBusiness)) => Ok(Location {
            id: wish.id,
            location_type: LocationType::OwnerBusiness,
            name: None,
            formatted_address: None,
        }),
        (Some(_), Some(_)) => {
            let field = Field::Location(LocationProblem::Business);
            Err(Invalid::new(field, "is for type `OWNER_BUSINESS`").at("locationId"))
        }
        // The customer says where that is.
        (None, Some(LocationType::Custom)) => Ok(Location {
            name: None,
            formatted_address: None,
            ..words
        }),
        (None, _) => Ok(words),
    }
}

/// Where a service is to be given, said in full or in the short form; nothing if neither was said.
pub(super) fn service_locations(
    problems: &mut Problems,
    full: &MaybeUndefined<Vec<ServiceLocationInput>>,
    one: &MaybeUndefined<LocationInput>,
) -> Option<ServiceLocations> {
    if !full.is_undefined() && !one.is_undefined() {
        problems.complain(&["location"], "is the short form of `locations`: say one of them");
    }
    match (full, one) {
        (MaybeUndefined::Null, _) => {
            problems.complain(
                &["locations"],
                "can't be null; an empty list means nowhere in particular",
            );
            None
        }
        (MaybeUndefined::Value(all), _) => {
            let mut read = Vec::with_capacity(all.len());
            for (index, location) in all.iter().enumerate() {
                let part = location.parse().map_err(|rejections| nested(rejections, index));
                read.extend(problems.nest("locations", part));
            }
            Some(ServiceLocations::new(read, false))
        }
        (MaybeUndefined::Undefined, MaybeUndefined::Null) => Some(ServiceLocations::new(Vec::new(), true)),
        (MaybeUndefined::Undefined, MaybeUndefined::Value(location)) => {
            let wish = problems.nest("location", location.clone().parse())?;
            let one = problems.take("location", short(wish))?;
            Some(ServiceLocations::new(vec![one], true))
        }
        (MaybeUndefined::Undefined, MaybeUndefined::Undefined) => None,
    }
}

fn nested(rejections: Rejections, index: usize) -> Rejections {
    let index = index.to_string();
    Rejections(rejections.0.into_iter().map(|one| one.within(&[&index])).collect())
}
