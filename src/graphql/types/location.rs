//! Locations of the business, and where services are given.

use async_graphql::{Context, Enum, ID, Object};

use super::working_hours::WorkingHours;
use crate::{
    domain::{
        booking::{self, LocationType},
        catalog,
        hours::HoursOwner,
        ids::LocationId,
    },
    graphql::{
        caller,
        connection::connection,
        error::failure,
        scalars::{DateTime, EmailAddress},
        service,
    },
};

/// A location of the business.
#[derive(Clone, Debug)]
pub struct BusinessLocation(pub catalog::BusinessLocation);

impl From<catalog::BusinessLocation> for BusinessLocation {
    fn from(location: catalog::BusinessLocation) -> Self {
        Self(location)
    }
}

/// A location of the business: services are given there, staff members and rooms may be bound to it, and it may have
/// opening hours of its own.
#[Object]
impl BusinessLocation {
    /// When it was made.
    async fn created_date(&self) -> DateTime {
        self.0.created.into()
    }

    /// Whether it is the one that the business names first. At most one is.
    async fn default(&self) -> bool {
        self.0.default
    }

    /// Its e-mail address.
    async fn email(&self) -> Option<EmailAddress> {
        self.0.email.clone().map(EmailAddress)
    }

    /// Its address in one text.
    async fn formatted_address(&self) -> Option<&str> {
        self.0.formatted_address.as_deref()
    }

    /// Its id.
    pub async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// Its name.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// Its phone number.
    async fn phone(&self) -> Option<&str> {
        self.0.phone.as_deref()
    }

    /// Grows by one with every change.
    async fn revision(&self) -> i64 {
        self.0.revision
    }

    /// When it changed last.
    async fn updated_date(&self) -> DateTime {
        self.0.updated.into()
    }

    /// Its own opening hours, which count there instead of the business's; null if it keeps those.
    async fn working_hours(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<WorkingHours>> {
        WorkingHours::find(ctx, HoursOwner::Location(self.0.id)).await
    }
}

connection!(
    "A list of locations.",
    BusinessLocationConnection,
    BusinessLocationEdge,
    BusinessLocation
);

impl BusinessLocation {
    /// The locations with these ids, those too that were deleted, in no special order.
    pub(crate) async fn load(ctx: &Context<'_>, mut ids: Vec<LocationId>) -> async_graphql::Result<Vec<Self>> {
        ids.sort();
        ids.dedup();
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let found = service(ctx).locations_by_id(caller(ctx), ids).await;
        let found = found.map_err(|error| failure(ctx, error))?;
        Ok(found.into_iter().map(Self).collect())
    }
}

/// Whose place it is at which a service is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum ServiceLocationType {
    /// A location of the business. A booking calls it `OWNER_BUSINESS`.
    Business,
    /// Another place, in the business's own words. A booking calls it `OWNER_CUSTOM`.
    Custom,
    /// The customer's, who says the address when booking. A booking calls it `CUSTOM`.
    Customer,
}

impl From<LocationType> for ServiceLocationType {
    fn from(location_type: LocationType) -> Self {
        match location_type {
            LocationType::OwnerBusiness => Self::Business,
            LocationType::OwnerCustom => Self::Custom,
            LocationType::Custom => Self::Customer,
        }
    }
}

impl From<ServiceLocationType> for LocationType {
    fn from(location_type: ServiceLocationType) -> Self {
        match location_type {
            ServiceLocationType::Business => Self::OwnerBusiness,
            ServiceLocationType::Custom => Self::OwnerCustom,
            ServiceLocationType::Customer => Self::Custom,
        }
    }
}

/// A place at which a service is given.
#[derive(Clone, Debug)]
pub struct ServiceLocation {
    location: booking::Location,
    business: Option<BusinessLocation>,
}

/// A place at which a service is given.
#[Object]
impl ServiceLocation {
    /// The location of the business, if it is one.
    async fn business(&self) -> Option<&BusinessLocation> {
        self.business.as_ref()
    }

    /// The address in one text: that of the business's location, or its own. Null for the customer's.
    async fn formatted_address(&self) -> Option<&str> {
        self.location.formatted_address.as_deref()
    }

    /// What it is asked for by: in `locationIds` of `availability`, and in the `location` of a booking. The id of
    /// the business's location, or its own. Null where a service is given at the business, in words of its own.
    async fn location_id(&self) -> Option<ID> {
        self.location.id.map(|id| id.to_string().into())
    }

    /// The name: that of the business's location, or its own.
    async fn name(&self) -> Option<&str> {
        self.location.name.as_deref()
    }

    /// Whose place it is.
    #[graphql(name = "type")]
    async fn location_type(&self) -> ServiceLocationType {
        self.location.location_type.into()
    }
}

impl ServiceLocation {
    /// The places of a service, with what is known of the business's locations.
    pub(crate) fn all(service: &catalog::Service, known: &[BusinessLocation]) -> Vec<Self> {
        service.locations.iter().map(|one| Self::of(one, known)).collect()
    }

    fn of(location: &booking::Location, known: &[BusinessLocation]) -> Self {
        let business = location
            .business()
            .and_then(|id| known.iter().find(|one| one.0.id == id));
        Self {
            location: business.map_or_else(|| location.clone(), |one| one.0.snapshot()),
            business: business.cloned(),
        }
    }

    /// The place as a booking has it.
    pub(crate) fn booked(&self) -> super::booked::Location {
        (&self.location).into()
    }
}
