//! When the business, its locations and its resources are open.

use super::check_revision;
use crate::{
    domain::{
        Rejection,
        conflict::Target,
        event::Matter,
        hours::{HoursOwner, MAX_SPECIAL_DAYS, MAX_TIMES_OF_DAY, MAX_WEEKLY_RULES, OpeningHours, WorkingHours},
        ids::{Kind, LocationId, SiteId},
        permission::{Permission, Reach},
    },
    service::{Caller, Error, IdempotencyKey, Outcome, Service, access},
    store::{Command, Failure, Tx, catalog as store, claims, sites},
};

/// New hours of the business, of a location or of a resource.
#[derive(Debug, Clone)]
pub struct SetWorkingHours {
    /// Whose.
    pub owner: HoursOwner,
    /// All of them. None: the owner keeps others' from now on, and the business is open around the clock.
    pub hours: Option<OpeningHours>,
    /// The locations that times of it are bound to, each with where the input says so.
    pub bound: Vec<(LocationId, Vec<String>)>,
    /// The revision of the hours that the caller saw; 0 if there were none.
    pub expected_revision: Option<i64>,
}

impl Outcome for WorkingHours {}

/// Staff set the hours of their own calendar only, and not the business's.
fn require_hours(caller: &Caller, owner: HoursOwner) -> Result<(), Error> {
    access::require(Permission::SetHours, caller)?;
    let (allowed, path) = match owner {
        HoursOwner::Resource(resource) => {
            let own = access::has_calendar(Permission::SetHours, caller, resource);
            (own, "resourceId")
        }
        HoursOwner::Location(_) => (Permission::SetHours.reach(&caller.actor) == Reach::All, "locationId"),
        HoursOwner::Business => (Permission::SetHours.reach(&caller.actor) == Reach::All, "resourceId"),
    };
    Ok(access::require_business(
        allowed,
        true,
        "setting the hours of others",
        &[path],
    )?)
}

fn check(hours: &OpeningHours) -> Result<(), Rejection> {
    let too_many =
        |path: &[&str], most: usize| Err(Rejection::invalid(path, format!("must have at most {most} entries")));
    if hours.weekly().len() > MAX_WEEKLY_RULES {
        return too_many(&["weekly"], MAX_WEEKLY_RULES);
    }
    if hours.special_days().count() > MAX_SPECIAL_DAYS {
        return too_many(&["specialDays"], MAX_SPECIAL_DAYS);
    }
    if hours.special_days().any(|(_, times)| times.len() > MAX_TIMES_OF_DAY) {
        return too_many(&["specialDays", "times"], MAX_TIMES_OF_DAY);
    }
    Ok(())
}

/// Times of a resource may be bound to locations, those that there are. With the site's row locked none is deleted
/// meanwhile.
async fn check_bound(tx: &mut Tx<'_>, input: &SetWorkingHours) -> Result<(), Failure> {
    let ids: Vec<LocationId> = input.bound.iter().map(|(id, _)| *id).collect();
    let site = tx.site();
    let found = store::find_locations(tx.conn(), site, &ids).await?;
    for (id, path) in &input.bound {
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        if !matches!(input.owner, HoursOwner::Resource(_)) {
            let message = "is for the hours of resources: those of a location are set with its `locationId`";
            return Err(Rejection::invalid(&path, message).into());
        }
        if !found.iter().any(|one| one.id == *id) {
            return Err(Rejection::not_found(Kind::Location, &path).into());
        }
    }
    Ok(())
}

struct Set {
    site: SiteId,
    input: SetWorkingHours,
}

impl Command for Set {
    type Output = WorkingHours;

    fn site(&self) -> SiteId {
        self.site
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<WorkingHours, Failure> {
        let input = &self.input;
        if let Some(hours) = &input.hours {
            check(hours)?;
        }
        let resource = input.owner.resource();
        if resource.is_none() || !input.bound.is_empty() {
            sites::lock(tx).await?;
        }
        let kind = match input.owner {
            HoursOwner::Business => Kind::Site,
            HoursOwner::Location(location) => {
                if store::find_locations(tx.conn(), self.site, &[location])
                    .await?
                    .is_empty()
                {
                    return Err(Rejection::not_found(Kind::Location, &["locationId"]).into());
                }
                Kind::Location
            }
            HoursOwner::Resource(resource) => {
                claims::lock_targets(tx, &[Target::Resource(resource)]).await?;
                if store::find_resources(tx.conn(), self.site, &[resource])
                    .await?
                    .is_empty()
                {
                    return Err(Rejection::not_found(Kind::Resource, &["resourceId"]).into());
                }
                Kind::Resource
            }
        };
        check_bound(tx, input).await?;
        let before = store::find_hours(tx.conn(), self.site, input.owner).await?;
        let revision = before.as_ref().map_or(0, |before| before.revision);
        check_revision(kind, revision, input.expected_revision)?;
        let now = tx.now();
        let after = WorkingHours {
            owner: input.owner,
            hours: input.hours.clone(),
            revision: revision + 1,
            created: before.as_ref().map_or(now, |before| before.created),
            updated: now,
        };
        tx.touch(resource.map_or(Matter::Everything, Matter::Resource), None);
        if before.is_some() {
            store::save_hours(tx.conn(), self.site, &after).await?;
        } else {
            store::insert_hours(tx.conn(), self.site, &after).await?;
        }
        Ok(after)
    }
}

impl Service {
    /// Sets the hours of the business, of a location or of a resource, all of them. What is booked stays.
    pub async fn set_working_hours(
        &self,
        caller: &Caller,
        input: SetWorkingHours,
        key: Option<IdempotencyKey>,
    ) -> Result<WorkingHours, Error> {
        require_hours(caller, input.owner)?;
        let site = caller.site;
        self.once(caller, "setWorkingHours", key, Set { site, input }).await
    }

    /// Takes hours back: a location or resource keeps the business's, and the business is open around the clock.
    pub async fn clear_working_hours(
        &self,
        caller: &Caller,
        input: SetWorkingHours,
        key: Option<IdempotencyKey>,
    ) -> Result<WorkingHours, Error> {
        require_hours(caller, input.owner)?;
        let site = caller.site;
        let input = SetWorkingHours { hours: None, ..input };
        self.once(caller, "clearWorkingHours", key, Set { site, input }).await
    }

    /// The hours on record of the business or a location, which everybody sees, or of a resource, which the business sees.
    pub async fn working_hours(&self, caller: &Caller, owner: HoursOwner) -> Result<Option<WorkingHours>, Error> {
        access::require(Permission::ReadCatalog, caller)?;
        if owner.resource().is_some() && !Permission::ReadResourceDetails.is_granted(&caller.actor) {
            return Ok(None);
        }
        let site = caller.site;
        let found = self
            .db()
            .read(move |conn| Box::pin(store::find_hours(conn, site, owner)))
            .await?;
        Ok(found.filter(|found| found.hours.is_some()))
    }
}
