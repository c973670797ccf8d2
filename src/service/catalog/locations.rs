//! Locations of the business. Each act locks the site's row, and so does whoever refers to one: no service, resource or
//! hours are ever left with a location that isn't there.

use super::{Change, Edit, check_revision, services::lock_site};
use crate::{
    domain::{
        Rejection,
        booking::{Location, LocationType},
        catalog::{BusinessLocation, LocationWish, MAX_LOCATIONS, Service as Offered},
        event::Matter,
        ids::{Kind, LocationId, SiteId},
        permission::Permission,
        rejection::{Field, Invalid, LocationProblem},
        text::EmailAddress,
    },
    service::{Caller, Error, IdempotencyKey, Outcome, Service, access},
    store::{
        Command, Failure, Tx,
        catalog::{self as store, LocationFilter, LocationUse, TimeKey},
        page::{Page, PageRequest},
    },
};

/// Where a service is given: all of it.
#[derive(Debug, Clone, Default)]
pub struct ServiceLocations {
    all: Vec<Location>,
    /// Whether it was said in the short form: one place, or none.
    short: bool,
}

impl ServiceLocations {
    /// The places, of which those that are the service's own get an id each. `short` tells how they were said.
    #[must_use]
    pub fn new(mut all: Vec<Location>, short: bool) -> Self {
        let own = |location: &&mut Location| location.location_type != LocationType::OwnerBusiness;
        for location in all.iter_mut().filter(own) {
            location.id = Some(LocationId::new());
        }
        Self { all, short }
    }

    /// Gives a service these places, if its kind can have them and the business has them. The site's row is locked.
    pub(super) async fn apply(&self, tx: &mut Tx<'_>, service: &mut Offered) -> Result<(), Failure> {
        let before = std::mem::replace(&mut service.locations, self.all.clone());
        service.keep_location_ids(&before);
        service.check_locations(self.short)?;
        let ids: Vec<LocationId> = service.business_locations().collect();
        let site = tx.site();
        let found = store::find_locations(tx.conn(), site, &ids).await?;
        for (index, location) in service.locations.iter().enumerate() {
            let Some(id) = location.business() else { continue };
            if !found.iter().any(|one| one.id == id) {
                let field = Field::Location(LocationProblem::Business);
                let invalid = Invalid::new(field, "is no location of this business");
                return Err(Rejection::from(if self.short {
                    invalid.at("locationId").at("location")
                } else {
                    invalid.at("businessLocationId").at(index.to_string()).at("locations")
                })
                .into());
            }
        }
        Ok(())
    }
}

/// A place with what its location of the business says now.
pub(in crate::service) async fn told(tx: &mut Tx<'_>, location: Location) -> Result<Location, Failure> {
    let Some(id) = location.business() else {
        return Ok(location);
    };
    let site = tx.site();
    let found = store::find_locations_ever(tx.conn(), site, &[id]).await?;
    Ok(location.told_by(&found))
}

/// Where a session or a course takes place: where it says itself, or at the service's only location.
pub(in crate::service) async fn whereabouts(
    tx: &mut Tx<'_>,
    service: &Offered,
    own: Option<&Location>,
) -> Result<Option<Location>, Failure> {
    match (own, service.only_location()) {
        (Some(own), _) => Ok(Some(own.clone())),
        (None, Some(only)) => Ok(Some(told(tx, only.clone()).await?)),
        (None, None) => Ok(None),
    }
}

/// The place that a new session is to have.
pub(super) async fn of_session(
    tx: &mut Tx<'_>,
    service: &Offered,
    wish: Option<&LocationWish>,
) -> Result<Option<Location>, Failure> {
    match service.session_at(wish)? {
        Some(found) => Ok(Some(told(tx, found).await?)),
        None => Ok(None),
    }
}

/// The same of one that changes.
pub(super) async fn change_of_session(
    tx: &mut Tx<'_>,
    service: &Offered,
    wish: &Change<LocationWish>,
) -> Result<Change<Location>, Failure> {
    let wish = match wish {
        Change::Keep => return Ok(Change::Keep),
        Change::Clear => None,
        Change::Set(wish) => Some(wish),
    };
    let found = of_session(tx, service, wish).await?;
    Ok(found.map_or(Change::Clear, Change::Set))
}

/// A location that is to be made.
#[derive(Debug, Clone)]
pub struct CreateLocation {
    /// Its name.
    pub name: String,
    /// Its address.
    pub formatted_address: Option<String>,
    /// Its e-mail address.
    pub email: Option<EmailAddress>,
    /// Its phone number.
    pub phone: Option<String>,
    /// Whether the business names it first; then no other is any more.
    pub default: bool,
}

/// Changes of a location.
#[derive(Debug, Clone)]
pub struct UpdateLocation {
    /// Which, and how.
    pub edit: Edit<LocationId>,
    /// Its name.
    pub name: Option<String>,
    /// Its address.
    pub formatted_address: Change<String>,
    /// Its e-mail address.
    pub email: Change<EmailAddress>,
    /// Its phone number.
    pub phone: Change<String>,
    /// Whether the business names it first.
    pub default: Option<bool>,
}

impl Outcome for BusinessLocation {}

/// A location for a change, with the site's row locked.
async fn lock(tx: &mut Tx<'_>, edit: &Edit<LocationId>) -> Result<BusinessLocation, Failure> {
    lock_site(tx).await?;
    let site = tx.site();
    let found = store::find_locations(tx.conn(), site, &[edit.id]).await?.pop();
    let location = found.ok_or_else(|| Rejection::not_found(Kind::Location, &["locationId"]))?;
    check_revision(Kind::Location, location.revision, edit.expected_revision)?;
    Ok(location)
}

async fn save(tx: &mut Tx<'_>, changed: &mut BusinessLocation) -> Result<(), Failure> {
    let (site, now) = (tx.site(), tx.now());
    changed.revision += 1;
    changed.updated = now;
    store::save_location(tx.conn(), site, changed).await?;
    // Its name stands beside free times.
    tx.touch(Matter::Everything, None);
    Ok(())
}

/// There is one default at the most: the one that was before is it no more.
async fn take_default(tx: &mut Tx<'_>, from: LocationId) -> Result<(), Failure> {
    let site = tx.site();
    let previous = store::default_location(tx.conn(), site).await?;
    if let Some(mut previous) = previous.filter(|previous| previous.id != from) {
        previous.default = false;
        save(tx, &mut previous).await?;
    }
    Ok(())
}

struct Create {
    site: SiteId,
    id: LocationId,
    input: CreateLocation,
}

impl Command for Create {
    type Output = BusinessLocation;

    fn site(&self) -> SiteId {
        self.site
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<BusinessLocation, Failure> {
        lock_site(tx).await?;
        let there = store::count_locations(tx.conn(), self.site, &LocationFilter::default()).await?;
        if usize::try_from(there).is_ok_and(|there| there >= MAX_LOCATIONS) {
            return Err(Rejection::LocationLimit { limit: MAX_LOCATIONS }.into());
        }
        let (now, input) = (tx.now(), self.input.clone());
        let location = BusinessLocation {
            id: self.id,
            name: input.name,
            formatted_address: input.formatted_address,
            email: input.email.map(|email| email.as_str().to_owned()),
            phone: input.phone,
            default: input.default,
            revision: 1,
            created: now,
            updated: now,
        };
        location.check()?;
        if location.default {
            take_default(tx, location.id).await?;
        }
        store::insert_location(tx.conn(), self.site, &location).await?;
        tx.touch(Matter::Everything, None);
        Ok(location)
    }
}

struct Update {
    site: SiteId,
    input: UpdateLocation,
}

impl Command for Update {
    type Output = BusinessLocation;

    fn site(&self) -> SiteId {
        self.site
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<BusinessLocation, Failure> {
        let input = self.input.clone();
        let mut location = lock(tx, &input.edit).await?;
        location.name = input.name.unwrap_or(location.name);
        input.formatted_address.apply(&mut location.formatted_address);
        input.phone.apply(&mut location.phone);
        let email = input.email.map(|email| email.as_str().to_owned());
        email.apply(&mut location.email);
        location.default = input.default.unwrap_or(location.default);
        location.check()?;
        if location.default {
            take_default(tx, location.id).await?;
        }
        save(tx, &mut location).await?;
        Ok(location)
    }
}

fn in_use(LocationUse { services, resources }: LocationUse) -> Rejection {
    let message =
        format!("is still in use: by {services} services, and by the limits or hours of {resources} resources");
    Invalid::new(Field::Location(LocationProblem::InUse), message)
        .at("locationId")
        .into()
}

struct Delete {
    site: SiteId,
    edit: Edit<LocationId>,
}

impl Command for Delete {
    type Output = BusinessLocation;

    fn site(&self) -> SiteId {
        self.site
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<BusinessLocation, Failure> {
        let mut location = lock(tx, &self.edit).await?;
        let used = store::location_use(tx.conn(), self.site, location.id).await?;
        if used != LocationUse::default() {
            return Err(in_use(used).into());
        }
        location.default = false;
        save(tx, &mut location).await?;
        store::delete_location(tx.conn(), self.site, location.id, location.updated).await?;
        Ok(location)
    }
}

impl Service {
    /// Makes a location.
    pub async fn create_location(
        &self,
        caller: &Caller,
        input: CreateLocation,
        key: Option<IdempotencyKey>,
    ) -> Result<BusinessLocation, Error> {
        access::require(Permission::ManageCatalog, caller)?;
        let (site, id) = (caller.site, LocationId::new());
        self.once(caller, "createLocation", key, Create { site, id, input })
            .await
    }

    /// Changes a location. Sessions and bookings keep the name and address that it had.
    pub async fn update_location(&self, caller: &Caller, mut input: UpdateLocation) -> Result<BusinessLocation, Error> {
        access::require(Permission::ManageCatalog, caller)?;
        let (site, key) = (caller.site, input.edit.idempotency.take());
        self.once(caller, "updateLocation", key, Update { site, input }).await
    }

    /// Deletes a location. Refused while a service, a resource or its hours refer to it.
    pub async fn delete_location(
        &self,
        caller: &Caller,
        mut edit: Edit<LocationId>,
    ) -> Result<BusinessLocation, Error> {
        access::require(Permission::ManageCatalog, caller)?;
        let (site, key) = (caller.site, edit.idempotency.take());
        self.once(caller, "deleteLocation", key, Delete { site, edit }).await
    }

    /// The location with this id, unless it was deleted.
    pub async fn location(&self, caller: &Caller, id: LocationId) -> Result<Option<BusinessLocation>, Error> {
        access::require(Permission::ReadCatalog, caller)?;
        let site = caller.site;
        let found = self
            .db()
            .read(move |conn| Box::pin(async move { store::find_locations(conn, site, &[id]).await }));
        Ok(found.await?.pop())
    }

    /// Those of the locations that there are, deleted ones too.
    pub async fn locations_by_id(&self, caller: &Caller, ids: Vec<LocationId>) -> Result<Vec<BusinessLocation>, Error> {
        access::require(Permission::ReadCatalog, caller)?;
        let site = caller.site;
        let found = self
            .db()
            .read(move |conn| Box::pin(async move { store::find_locations_ever(conn, site, &ids).await }));
        Ok(found.await?)
    }

    /// A page of locations.
    pub async fn locations(
        &self,
        caller: &Caller,
        filter: LocationFilter,
        request: PageRequest<TimeKey<LocationId>>,
    ) -> Result<Page<BusinessLocation>, Error> {
        access::require(Permission::ReadCatalog, caller)?;
        let site = caller.site;
        let page = self
            .db()
            .read(move |conn| Box::pin(async move { store::page_locations(conn, site, &filter, &request).await }));
        Ok(page.await?)
    }

    /// How many locations pass the filter.
    pub async fn count_locations(&self, caller: &Caller, filter: LocationFilter) -> Result<i64, Error> {
        access::require(Permission::ReadCatalog, caller)?;
        let site = caller.site;
        let found = self
            .db()
            .read(move |conn| Box::pin(async move { store::count_locations(conn, site, &filter).await }));
        Ok(found.await?)
    }
}
