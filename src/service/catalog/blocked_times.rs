//! Times in which the business wants a resource free, or is closed.

use super::{Edit, check_revision, closings, occupy};
use crate::{
    domain::{
        Rejection,
        actor::Actor,
        catalog::{BlockedTime, MAX_TRANSPARENT_DAYS},
        conflict::{Holder, Target},
        hours::HoursOwner,
        ids::{BlockedTimeId, Kind, ResourceId, SiteId},
        permission::{Permission, Reach},
        text,
        time::TimeSpan,
    },
    service::{Caller, Error, IdempotencyKey, Service, access, bookings::Ledger},
    store::{Command, Failure, Tx, catalog as store},
};

/// A time that is to be blocked.
#[derive(Debug, Clone)]
pub struct CreateBlockedTime {
    /// Whose time: of a resource, or the whole business or a location, which is closed then.
    pub owner: HoursOwner,
    /// From when to when.
    pub span: TimeSpan,
    /// Why, at most 500 characters.
    pub reason: Option<String>,
    /// Whether bookings and sessions may be in it.
    pub allow_overlap: bool,
    /// Whether it is only shown.
    pub transparent: bool,
}

/// Staff block their own time only, and close nothing.
fn require_calendar(caller: &Caller, owner: HoursOwner, path: &str) -> Result<(), Rejection> {
    let (allowed, what) = match owner.resource() {
        Some(resource) => (
            access::has_calendar(Permission::ManageCalendar, caller, resource),
            "the calendar of another resource",
        ),
        None => (
            Permission::ManageCalendar.reach(&caller.actor) == Reach::All,
            "closing the business",
        ),
    };
    access::require_business(allowed, true, what, &[path])
}

struct Create {
    caller: Caller,
    id: BlockedTimeId,
    input: CreateBlockedTime,
}

impl Command for Create {
    type Output = BlockedTime;

    fn site(&self) -> SiteId {
        self.caller.site
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<BlockedTime, Failure> {
        let (input, site) = (&self.input, self.caller.site);
        if let Some(reason) = &input.reason {
            text::bounded(reason, 500).map_err(|invalid| Rejection::from(invalid.at("reason")))?;
        }
        if input.transparent && input.span.minutes() > MAX_TRANSPARENT_DAYS * 24 * 60 {
            let message =
                format!("must be at most {MAX_TRANSPARENT_DAYS} days after `startDate` for a transparent time");
            return Err(Rejection::invalid(&["endDate"], message).into());
        }
        let mut blocked = BlockedTime {
            id: self.id,
            owner: input.owner,
            span: input.span,
            reason: input.reason.clone(),
            transparent: input.transparent,
            overlap: None,
            revision: 1,
            created: tx.now(),
            updated: tx.now(),
        };
        let Some(resource) = input.owner.resource() else {
            closings::close(tx, &mut blocked, input.allow_overlap).await?;
            return Ok(blocked);
        };
        let mut ledger = Ledger::lock(tx, &[(Target::Resource(resource), input.span)], None).await?;
        if store::find_resources(tx.conn(), site, &[resource]).await?.is_empty() {
            return Err(Rejection::not_found(Kind::Resource, &["resourceId"]).into());
        }
        (blocked.created, blocked.updated) = (ledger.now(), ledger.now());
        store::insert_blocked_time(tx.conn(), site, &blocked).await?;
        if blocked.transparent {
            return Ok(blocked);
        }
        occupy(
            tx,
            &mut ledger,
            Holder::Block(self.id),
            [resource.into()],
            input.span,
            input.allow_overlap,
        )
        .await?;
        Ok(blocked)
    }
}

struct Delete {
    caller: Caller,
    edit: Edit<BlockedTimeId>,
}

impl Command for Delete {
    type Output = BlockedTime;

    fn site(&self) -> SiteId {
        self.caller.site
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<BlockedTime, Failure> {
        let (id, site) = (self.edit.id, self.caller.site);
        let missing = || Rejection::not_found(Kind::BlockedTime, &["blockedTimeId"]);
        let seen = store::find_blocked_time(tx.conn(), site, id)
            .await?
            .filter(|seen| sees(&self.caller, seen))
            .ok_or_else(missing)?;
        require_calendar(&self.caller, seen.owner, "blockedTimeId")?;
        let Some(resource) = seen.owner.resource() else {
            return closings::open(tx, id, self.edit.expected_revision).await;
        };
        let mut ledger = Ledger::lock(tx, &[(Target::Resource(resource), seen.span)], None).await?;
        let blocked = store::find_blocked_time(tx.conn(), site, id)
            .await?
            .ok_or_else(missing)?;
        check_revision(Kind::BlockedTime, blocked.revision, self.edit.expected_revision)?;
        free(tx, &mut ledger, id, &self.caller.actor).await?;
        Ok(blocked)
    }
}

async fn free(tx: &mut Tx<'_>, ledger: &mut Ledger, id: BlockedTimeId, actor: &Actor) -> Result<(), Failure> {
    let site = tx.site();
    ledger.release(tx, Holder::Block(id)).await?;
    store::delete_blocked_time(tx.conn(), site, id).await?;
    ledger.review(tx, None, actor).await
}

/// Whether the caller may see it: staff see their own, and when the business is closed.
pub(in crate::service) fn sees(caller: &Caller, blocked: &BlockedTime) -> bool {
    let own = |resource| access::has_calendar(Permission::ReadCalendar, caller, resource);
    blocked.owner.resource().is_none_or(own)
}

/// Frees a resource's blocked time as part of another act.
pub(super) async fn release(
    tx: &mut Tx<'_>,
    blocked: &BlockedTime,
    resource: ResourceId,
    actor: &Actor,
) -> Result<(), Failure> {
    let spot = (Target::Resource(resource), blocked.span);
    let mut ledger = Ledger::lock(tx, &[spot], None).await?;
    free(tx, &mut ledger, blocked.id, actor).await
}

impl Service {
    /// Blocks a resource's time, or closes the business or a location. Refused where something is in it, unless the business
    /// wants it so. Sessions are in the way of a resource's time alone.
    pub async fn create_blocked_time(
        &self,
        caller: &Caller,
        input: CreateBlockedTime,
        key: Option<IdempotencyKey>,
    ) -> Result<BlockedTime, Error> {
        access::require(Permission::ManageCalendar, caller)?;
        let path = if input.owner.location().is_some() {
            "locationId"
        } else {
            "resourceId"
        };
        require_calendar(caller, input.owner, path)?;
        let command = Create {
            caller: caller.clone(),
            id: BlockedTimeId::new(),
            input,
        };
        self.once(caller, "createBlockedTime", key, command).await
    }

    /// Frees a blocked time.
    pub async fn delete_blocked_time(
        &self,
        caller: &Caller,
        mut edit: Edit<BlockedTimeId>,
    ) -> Result<BlockedTime, Error> {
        access::require(Permission::ManageCalendar, caller)?;
        let key = edit.idempotency.take();
        self.once(
            caller,
            "deleteBlockedTime",
            key,
            Delete {
                caller: caller.clone(),
                edit,
            },
        )
        .await
    }
}
