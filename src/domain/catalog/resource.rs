//! Resources: who does the work, where, and with what; and the types of them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{MediaItem, presentation::check_tags};
use crate::domain::{
    Rejection,
    ids::{LocationId, ResourceId, ResourceTypeId, SiteId, TypedId as _},
    rejection::{Field, Invalid},
    text,
};

/// What a resource is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ResourceType {
    /// Somebody who does the work.
    Staff,
    /// A room.
    Room,
    /// A thing that is used.
    Equipment,
    /// What else the business has made up. See [`ResourceType::on`] for ids that come from outside.
    Custom(ResourceTypeId),
}

impl ResourceType {
    /// Those that every site has, in the order in which a service needs them: the staff's hours set the grid of starts.
    pub const BUILT_IN: [Self; 3] = [Self::Staff, Self::Room, Self::Equipment];

    /// Its id on a site.
    #[must_use]
    pub fn id(self, site: SiteId) -> ResourceTypeId {
        match self {
            Self::Staff => ResourceTypeId::built_in(site, 1),
            Self::Room => ResourceTypeId::built_in(site, 2),
            Self::Equipment => ResourceTypeId::built_in(site, 3),
            Self::Custom(id) => id,
        }
    }

    /// The type with this id on a site.
    #[must_use]
    pub fn of(id: ResourceTypeId, site: SiteId) -> Self {
        Self::Custom(id).on(site)
    }

    /// The same on a site, whose built-in types have ids, too.
    #[must_use]
    pub fn on(self, site: SiteId) -> Self {
        let id = self.id(site);
        let built_in = Self::BUILT_IN.into_iter().find(|one| one.id(site) == id);
        built_in.unwrap_or(self)
    }

    /// As it is stored.
    #[must_use]
    pub fn to_text(self) -> String {
        match self {
            Self::Staff => "STAFF".to_owned(),
            Self::Room => "ROOM".to_owned(),
            Self::Equipment => "EQUIPMENT".to_owned(),
            Self::Custom(id) => id.to_string(),
        }
    }

    /// The type that is stored so.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        match text {
            "STAFF" => Some(Self::Staff),
            "ROOM" => Some(Self::Room),
            "EQUIPMENT" => Some(Self::Equipment),
            other => ResourceTypeId::parse(other).ok().map(Self::Custom),
        }
    }
}

/// A type of resource as the business knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceTypeEntry {
    /// Its id.
    pub id: ResourceTypeId,
    /// Its name, 1 to 40 characters, unique on the site whatever its case.
    pub name: String,
    /// Grows by one with every change.
    pub revision: i64,
    /// When it was made.
    pub created: Timestamp,
    /// When it changed last.
    pub updated: Timestamp,
}

/// Types of resources on a site, the built-in ones too, at the most.
pub const MAX_RESOURCE_TYPES: usize = 100;

impl ResourceTypeEntry {
    /// Those that a new site has.
    #[must_use]
    pub fn built_in(site: SiteId, now: Timestamp) -> Vec<Self> {
        let names = ["Staff", "Room", "Equipment"];
        let entry = |(kind, name): (ResourceType, &str)| Self {
            id: kind.id(site),
            name: name.to_owned(),
            revision: 1,
            created: now,
            updated: now,
        };
        ResourceType::BUILT_IN.into_iter().zip(names).map(entry).collect()
    }

    /// What two names must not have in common.
    #[must_use]
    pub fn name_key(&self) -> String {
        self.name.trim().to_lowercase()
    }

    /// Refuses a type that breaks a rule.
    pub fn check(&self) -> Result<(), Rejection> {
        text::required(&self.name, 40).map_err(|invalid| invalid.at("name"))?;
        Ok(())
    }
}

/// What no list looks at.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ResourceDetails {
    /// What there is to know about it, at most 500 characters.
    pub description: Option<String>,
    /// A telephone number, at most 20 characters.
    pub phone: Option<String>,
    /// A picture.
    pub image: Option<MediaItem>,
    /// Words of the business's own, at most 10.
    pub tags: Vec<String>,
    /// Whether everybody may see its e-mail address and telephone number.
    pub publicly_accessible: bool,
}

/// A staff member, a room, a piece of equipment or the like: can do one thing at a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resource {
    /// Its id.
    pub id: ResourceId,
    /// What it is; never changes.
    pub resource_type: ResourceType,
    /// Its name, 1 to 40 characters.
    pub name: String,
    /// Its e-mail address.
    pub email: Option<String>,
    /// Where it stands among others when one is chosen by rank, 0 to 5.
    #[serde(default)]
    pub ranking: i32,
    /// Whether new bookings can have it. Those that have it keep it.
    #[serde(default = "yes")]
    pub bookable: bool,
    /// What else it tells of itself.
    #[serde(default)]
    pub details: ResourceDetails,
    /// The only locations of the business at which it serves; none: everywhere.
    #[serde(default)]
    pub locations: Option<Vec<LocationId>>,
    /// Grows by one with every change.
    pub revision: i64,
    /// When it was made.
    pub created: Timestamp,
    /// When it changed last.
    pub updated: Timestamp,
}

/// Answers that were kept before it could be otherwise were about bookable ones.
fn yes() -> bool {
    true
}

/// The highest rank.
pub const MAX_RANKING: i32 = 5;

/// Locations that a resource may be bound to, at the most.
pub const MAX_RESOURCE_LOCATIONS: usize = 100;

impl Resource {
    /// Refuses a resource that breaks a rule.
    pub fn check(&self) -> Result<(), Rejection> {
        text::required(&self.name, 40).map_err(|invalid| invalid.at("name"))?;
        if !(0..=MAX_RANKING).contains(&self.ranking) {
            let message = format!("must be between 0 and {MAX_RANKING}");
            return Err(Invalid::new(Field::Other, message).at("ranking").into());
        }
        let details = &self.details;
        if let Some(description) = &details.description {
            text::bounded(description, 500).map_err(|invalid| invalid.at("description"))?;
        }
        if let Some(phone) = &details.phone {
            text::required(phone, 20).map_err(|invalid| invalid.at("phone"))?;
        }
        if let Some(image) = &details.image {
            image.check().map_err(|invalid| invalid.at("image"))?;
        }
        check_tags(&details.tags)
    }

    /// Refuses limits that nobody can keep within.
    pub fn check_locations(&self) -> Result<(), Rejection> {
        let Some(locations) = &self.locations else {
            return Ok(());
        };
        if !(1..=MAX_RESOURCE_LOCATIONS).contains(&locations.len()) {
            let message = format!("must name 1 to {MAX_RESOURCE_LOCATIONS} locations; null means everywhere");
            return Err(Rejection::invalid(&["locationIds"], message));
        }
        for (index, id) in locations.iter().enumerate() {
            if locations.iter().take(index).any(|earlier| earlier == id) {
                return Err(Rejection::invalid(
                    &["locationIds", &index.to_string()],
                    "is there twice",
                ));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_types_are_found_by_their_ids() {
        let site = SiteId::new();
        for kind in ResourceType::BUILT_IN {
            assert_eq!(ResourceType::of(kind.id(site), site), kind);
            assert_eq!(ResourceType::from_text(&kind.to_text()), Some(kind));
        }
        let own = ResourceType::Custom(ResourceTypeId::new());
        assert_eq!(own.on(site), own);
        assert_eq!(ResourceType::from_text(&own.to_text()), Some(own));
    }
}
