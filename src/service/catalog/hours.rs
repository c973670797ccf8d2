//! When the business and its resources are open.

use super::check_revision;
use crate::{
    domain::{
        Rejection,
        conflict::Target,
        event::Matter,
        hours::{MAX_SPECIAL_DAYS, MAX_TIMES_OF_DAY, MAX_WEEKLY_RULES, OpeningHours, WorkingHours},
        ids::{Kind, ResourceId, SiteId},
        permission::{Permission, Reach},
    },
    service::{Caller, Error, IdempotencyKey, Outcome, Service, access},
    store::{Command, Failure, Tx, catalog as store, claims, sites},
};

/// New hours of the business or of a resource.
#[derive(Debug, Clone)]
pub struct SetWorkingHours {
    /// Whose; none: the business's.
    pub resource: Option<ResourceId>,
    /// All of them. None: a resource keeps the business's from now on, and the business is open around the clock.
    pub hours: Option<OpeningHours>,
    /// The revision of the hours that the caller saw; 0 if there were none.
    pub expected_revision: Option<i64>,
}

impl Outcome for WorkingHours {}

/// Staff set the hours of their own calendar only, and not the business's.
fn require_hours(caller: &Caller, resource: Option<ResourceId>) -> Result<(), Error> {
    access::require(Permission::SetHours, caller)?;
    let allowed = match resource {
        Some(resource) => access::has_calendar(Permission::SetHours, caller, resource),
        None => Permission::SetHours.reach(&caller.actor) == Reach::All,
    };
    Ok(access::require_business(
        allowed,
        true,
        "setting the hours of others",
        &["resourceId"],
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
        let kind = if let Some(resource) = input.resource {
            claims::lock_targets(tx, &[Target::Resource(resource)]).await?;
            let live = store::find_resources(tx.conn(), self.site, &[resource]).await?;
            if live.is_empty() {
                return Err(Rejection::not_found(Kind::Resource, &["resourceId"]).into());
            }
            Kind::Resource
        } else {
            sites::lock(tx).await?;
            Kind::Site
        };
        let before = store::find_hours(tx.conn(), self.site, input.resource).await?;
        let revision = before.as_ref().map_or(0, |before| before.revision);
        check_revision(kind, revision, input.expected_revision)?;
        let now = tx.now();
        let after = WorkingHours {
            resource: input.resource,
            hours: input.hours.clone(),
            revision: revision + 1,
            created: before.as_ref().map_or(now, |before| before.created),
            updated: now,
        };
        tx.touch(input.resource.map_or(Matter::Everything, Matter::Resource), None);
        if before.is_some() {
            store::save_hours(tx.conn(), self.site, &after).await?;
        } else {
            store::insert_hours(tx.conn(), self.site, &after).await?;
        }
        Ok(after)
    }
}

impl Service {
    /// Sets the hours of the business or of a resource, all of them. What is booked stays.
    pub async fn set_working_hours(
        &self,
        caller: &Caller,
        input: SetWorkingHours,
        key: Option<IdempotencyKey>,
    ) -> Result<WorkingHours, Error> {
        require_hours(caller, input.resource)?;
        let site = caller.site;
        self.once(caller, "setWorkingHours", key, Set { site, input }).await
    }

    /// Takes hours back: a resource keeps the business's, and the business is open around the clock.
    pub async fn clear_working_hours(
        &self,
        caller: &Caller,
        input: SetWorkingHours,
        key: Option<IdempotencyKey>,
    ) -> Result<WorkingHours, Error> {
        require_hours(caller, input.resource)?;
        let site = caller.site;
        let input = SetWorkingHours { hours: None, ..input };
        self.once(caller, "clearWorkingHours", key, Set { site, input }).await
    }

    /// The hours on record of the business, which everybody sees, or of a resource, which the business sees.
    pub async fn working_hours(
        &self,
        caller: &Caller,
        resource: Option<ResourceId>,
    ) -> Result<Option<WorkingHours>, Error> {
        access::require(Permission::ReadCatalog, caller)?;
        if resource.is_some() && !Permission::ReadResourceDetails.is_granted(&caller.actor) {
            return Ok(None);
        }
        let site = caller.site;
        let found = self
            .db()
            .read(move |conn| Box::pin(store::find_hours(conn, site, resource)))
            .await?;
        Ok(found.filter(|found| found.hours.is_some()))
    }
}
