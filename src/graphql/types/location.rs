//! Places.

use async_graphql::{Enum, InputObject, SimpleObject};

use crate::{
    domain::{booking, text},
    graphql::input::{Problems, Rejections},
};

/// Whose place it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "crate::domain::booking::LocationType")]
pub enum LocationType {
    /// At the customer's place.
    Custom,
    /// At the business.
    OwnerBusiness,
    /// At another place that the business chose.
    OwnerCustom,
}

/// A place.
#[derive(SimpleObject, Clone, Debug)]
pub struct Location {
    /// Its address in one text.
    formatted_address: Option<String>,
    /// Whose place it is.
    location_type: LocationType,
    /// Its name.
    name: Option<String>,
}

impl From<booking::Location> for Location {
    fn from(location: booking::Location) -> Self {
        Self {
            formatted_address: location.formatted_address,
            location_type: location.location_type.into(),
            name: location.name,
        }
    }
}

/// A place.
#[derive(InputObject, Clone, Debug)]
pub struct LocationInput {
    /// Its address in one text, at most 1000 characters.
    formatted_address: Option<String>,
    /// Whose place it is.
    location_type: LocationType,
    /// Its name, at most 200 characters.
    name: Option<String>,
}

impl LocationInput {
    /// The place, if its texts are not too long.
    pub(crate) fn location(&self) -> Result<booking::Location, Rejections> {
        let mut problems = Problems::default();
        let name = problems.option("name", self.name.as_deref().map(|name| text::bounded(name, 200)));
        let address = self.formatted_address.as_deref().map(|address| text::bounded(address, 1000));
        let formatted_address = problems.option("formattedAddress", address);
        let location_type = self.location_type.into();
        problems.finish(Some(booking::Location { location_type, name, formatted_address }))
    }
}
