//! Times in which the business wants a resource free.

use super::{Edit, check_revision, occupy};
use crate::{
    domain::{
        Rejection,
        actor::Actor,
        catalog::{BlockedTime, MAX_TRANSPARENT_DAYS},
        conflict::{Holder, Target},
        ids::{BlockedTimeId, Kind, ResourceId, SiteId},
        permission::Permission,
        text,
        time::TimeSpan,
    },
    service::{Caller, Error, IdempotencyKey, Service, access, bookings::Ledger},
    store::{Command, Failure, Tx, catalog as store},
};

/// A time that is to be blocked.
#[derive(Debug, Clone)]
pub struct CreateBlockedTime {
    /// Whose time.
    pub resource: ResourceId,
    /// From when to when.
    pub span: TimeSpan,
    /// Why, at most 500 characters.
    pub reason: Option<String>,
    /// Whether bookings and sessions may be in it.
    pub allow_overlap: bool,
    /// Whether it is only shown.
    pub transparent: bool,
}

/// Staff block their own time only.
fn require_calendar(caller: &Caller, resource: ResourceId, path: &str) -> Result<(), Rejection> {
    access::require_business(
        access::has_calendar(Permission::ManageCalendar, caller, resource),
        true,
        "the calendar of another resource",
        &[path],
    )
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
        let mut ledger = Ledger::lock(tx, &[(Target::Resource(input.resource), input.span)], None).await?;
        if store::find_resources(tx.conn(), site, &[input.resource])
            .await?
            .is_empty()
        {
            return Err(Rejection::not_found(Kind::Resource, &["resourceId"]).into());
        }
        let now = ledger.now();
        let blocked = BlockedTime {
            id: self.id,
            resource: input.resource,
            span: input.span,
            reason: input.reason.clone(),
            transparent: input.transparent,
            revision: 1,
            created: now,
            updated: now,
        };
        store::insert_blocked_time(tx.conn(), site, &blocked).await?;
        if blocked.transparent {
            return Ok(blocked);
        }
        occupy(
            tx,
            &mut ledger,
            Holder::Block(self.id),
            [input.resource],
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
            .filter(|seen| access::has_calendar(Permission::ReadCalendar, &self.caller, seen.resource))
            .ok_or_else(missing)?;
        require_calendar(&self.caller, seen.resource, "blockedTimeId")?;
        let mut ledger = Ledger::lock(tx, &[(Target::Resource(seen.resource), seen.span)], None).await?;
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

/// Frees a blocked time as part of another act.
pub(super) async fn release(tx: &mut Tx<'_>, blocked: &BlockedTime, actor: &Actor) -> Result<(), Failure> {
    let spot = (Target::Resource(blocked.resource), blocked.span);
    let mut ledger = Ledger::lock(tx, &[spot], None).await?;
    free(tx, &mut ledger, blocked.id, actor).await
}

impl Service {
    /// Blocks a resource's time. Refused where something is in it, unless the business wants it so.
    pub async fn create_blocked_time(
        &self,
        caller: &Caller,
        input: CreateBlockedTime,
        key: Option<IdempotencyKey>,
    ) -> Result<BlockedTime, Error> {
        access::require(Permission::ManageCalendar, caller)?;
        require_calendar(caller, input.resource, "resourceId")?;
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
