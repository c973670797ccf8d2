//! Booking policies: the rules for customers that services share.

use serde::{Deserialize, Serialize};

use super::{Edit, check_revision};
use crate::{
    domain::{
        Rejection,
        booking_policy::{BookingPolicy, BookingRules, ChangeRule, Limit, MAX_POLICIES},
        catalog::Service as Offered,
        event::Matter,
        ids::{BookingPolicyId, Kind, SiteId},
        permission::Permission,
        rejection::{Field, Invalid, PolicyProblem},
    },
    service::{Caller, Error, IdempotencyKey, Outcome, Service, access},
    store::{
        Command, Failure, Tx,
        catalog::{self as store, NamedFilter, NamedOrder},
        page::Direction,
        sites,
    },
};

/// What is said of a policy; what isn't stays as it is, or is as without a policy in a new one.
#[derive(Debug, Clone, Default)]
pub struct PolicyChanges {
    /// Its name.
    pub name: Option<String>,
    /// How early something can be booked.
    pub early: Option<Limit>,
    /// How late.
    pub late: Option<Limit>,
    /// Whether after the start.
    pub after_start: Option<bool>,
    /// For how many at once.
    pub max_participants: Option<Option<i32>>,
    /// Whether customers may cancel.
    pub cancellation: Option<ChangeRule>,
    /// Whether customers may move.
    pub reschedule: Option<ChangeRule>,
}

impl PolicyChanges {
    fn apply(&self, policy: &mut BookingPolicy) {
        let rules = &mut policy.rules;
        rules.early = self.early.unwrap_or(rules.early);
        rules.late = self.late.unwrap_or(rules.late);
        rules.after_start = self.after_start.unwrap_or(rules.after_start);
        rules.max_participants = self.max_participants.unwrap_or(rules.max_participants);
        rules.cancellation = self.cancellation.unwrap_or(rules.cancellation);
        rules.reschedule = self.reschedule.unwrap_or(rules.reschedule);
        if let Some(name) = &self.name {
            policy.name.clone_from(name);
        }
    }
}

impl Outcome for BookingPolicy {}

/// A new default.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DefaultSet {
    /// The default from now on.
    pub current: BookingPolicy,
    /// The one before, if there was another.
    pub previous: Option<BookingPolicy>,
}

impl Outcome for DefaultSet {}

/// A policy that wasn't deleted, on a site that is locked: whoever names it locks the site, too.
async fn lock(tx: &mut Tx<'_>, edit: &Edit<BookingPolicyId>) -> Result<BookingPolicy, Failure> {
    sites::lock(tx).await?;
    let site = tx.site();
    let found = store::find_live_policy(tx.conn(), site, edit.id).await?;
    let policy = found.ok_or_else(|| Rejection::not_found(Kind::BookingPolicy, &["bookingPolicyId"]))?;
    check_revision(Kind::BookingPolicy, policy.revision, edit.expected_revision)?;
    Ok(policy)
}

/// Refuses a service's policy that there isn't. The site is locked.
pub(super) async fn check_named(tx: &mut Tx<'_>, named: Option<BookingPolicyId>) -> Result<(), Failure> {
    let Some(id) = named else { return Ok(()) };
    let site = tx.site();
    match store::find_live_policy(tx.conn(), site, id).await? {
        Some(_) => Ok(()),
        None => Err(Rejection::not_found(Kind::BookingPolicy, &["bookingPolicyId"]).into()),
    }
}

async fn save(tx: &mut Tx<'_>, policy: &mut BookingPolicy) -> Result<(), Failure> {
    policy.revision += 1;
    policy.updated = tx.now();
    // Which services it is the policy of isn't looked up for whoever watches one of them.
    tx.touch(Matter::Everything, None);
    let site = tx.site();
    Ok(store::save_policy(tx.conn(), site, policy).await?)
}

struct Create {
    site: SiteId,
    id: BookingPolicyId,
    input: PolicyChanges,
}

impl Command for Create {
    type Output = BookingPolicy;

    fn site(&self) -> SiteId {
        self.site
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<BookingPolicy, Failure> {
        sites::lock(tx).await?;
        if store::count_policies(tx.conn(), self.site).await? >= MAX_POLICIES {
            let message = format!("is one too many: a site has at most {MAX_POLICIES} policies");
            return Err(Rejection::invalid(&["name"], message).into());
        }
        let now = tx.now();
        let mut policy = BookingPolicy {
            id: self.id,
            name: String::new(),
            default: false,
            rules: BookingRules::default(),
            revision: 1,
            created: now,
            updated: now,
        };
        self.input.apply(&mut policy);
        policy.check()?;
        store::insert_policy(tx.conn(), self.site, &policy).await?;
        Ok(policy)
    }
}

struct Update {
    site: SiteId,
    edit: Edit<BookingPolicyId>,
    changes: PolicyChanges,
}

impl Command for Update {
    type Output = BookingPolicy;

    fn site(&self) -> SiteId {
        self.site
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<BookingPolicy, Failure> {
        let mut policy = lock(tx, &self.edit).await?;
        self.changes.apply(&mut policy);
        policy.check()?;
        save(tx, &mut policy).await?;
        Ok(policy)
    }
}

struct Delete {
    site: SiteId,
    edit: Edit<BookingPolicyId>,
}

impl Command for Delete {
    type Output = BookingPolicy;

    fn site(&self) -> SiteId {
        self.site
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<BookingPolicy, Failure> {
        let mut policy = lock(tx, &self.edit).await?;
        let refuse = |problem, message: &str| {
            let invalid = Invalid::new(Field::Policy(problem), message).at("bookingPolicyId");
            Err(Failure::from(Rejection::from(invalid)))
        };
        if policy.default {
            return refuse(
                PolicyProblem::IsDefault,
                "is the site's default: make another one the default first",
            );
        }
        if store::policy_is_used(tx.conn(), self.site, policy.id).await? {
            return refuse(
                PolicyProblem::InUse,
                "is the policy of services: give them another one first",
            );
        }
        save(tx, &mut policy).await?;
        store::delete_policy(tx.conn(), self.site, policy.id, policy.updated).await?;
        Ok(policy)
    }
}

struct SetDefault {
    site: SiteId,
    edit: Edit<BookingPolicyId>,
}

impl Command for SetDefault {
    type Output = DefaultSet;

    fn site(&self) -> SiteId {
        self.site
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<DefaultSet, Failure> {
        let mut current = lock(tx, &self.edit).await?;
        if current.default {
            return Ok(DefaultSet {
                current,
                previous: None,
            });
        }
        let mut previous = store::default_policy(tx.conn(), self.site).await?;
        // One after the other: there is never more than one.
        if let Some(previous) = &mut previous {
            previous.default = false;
            save(tx, previous).await?;
        }
        current.default = true;
        save(tx, &mut current).await?;
        Ok(DefaultSet { current, previous })
    }
}

impl Service {
    /// Makes a policy.
    pub async fn create_booking_policy(
        &self,
        caller: &Caller,
        input: PolicyChanges,
        key: Option<IdempotencyKey>,
    ) -> Result<BookingPolicy, Error> {
        access::require(Permission::ManageCatalog, caller)?;
        let command = Create {
            site: caller.site,
            id: BookingPolicyId::new(),
            input,
        };
        self.once(caller, "createBookingPolicy", key, command).await
    }

    /// Changes a policy. What is booked keeps the rules by which it was booked.
    pub async fn update_booking_policy(
        &self,
        caller: &Caller,
        mut edit: Edit<BookingPolicyId>,
        changes: PolicyChanges,
    ) -> Result<BookingPolicy, Error> {
        access::require(Permission::ManageCatalog, caller)?;
        let (site, key) = (caller.site, edit.idempotency.take());
        let command = Update { site, edit, changes };
        self.once(caller, "updateBookingPolicy", key, command).await
    }

    /// Deletes a policy. Refused while it is the default or services use it.
    pub async fn delete_booking_policy(
        &self,
        caller: &Caller,
        mut edit: Edit<BookingPolicyId>,
    ) -> Result<BookingPolicy, Error> {
        access::require(Permission::ManageCatalog, caller)?;
        let (site, key) = (caller.site, edit.idempotency.take());
        self.once(caller, "deleteBookingPolicy", key, Delete { site, edit })
            .await
    }

    /// Makes a policy that of all services that name none.
    pub async fn set_default_booking_policy(
        &self,
        caller: &Caller,
        mut edit: Edit<BookingPolicyId>,
    ) -> Result<DefaultSet, Error> {
        access::require(Permission::ManageCatalog, caller)?;
        let (site, key) = (caller.site, edit.idempotency.take());
        self.once(caller, "setDefaultBookingPolicy", key, SetDefault { site, edit })
            .await
    }

    /// The policy with this id, unless it was deleted.
    pub async fn booking_policy(&self, caller: &Caller, id: BookingPolicyId) -> Result<Option<BookingPolicy>, Error> {
        access::require(Permission::ReadCatalog, caller)?;
        let site = caller.site;
        let found = self
            .db()
            .read(move |conn| Box::pin(async move { store::find_live_policy(conn, site, id).await }));
        Ok(found.await?)
    }

    /// Those of the policies that there are, deleted ones too.
    pub async fn policies_by_id(
        &self,
        caller: &Caller,
        ids: Vec<BookingPolicyId>,
    ) -> Result<Vec<BookingPolicy>, Error> {
        access::require(Permission::ReadCatalog, caller)?;
        let site = caller.site;
        let found = self
            .db()
            .read(move |conn| Box::pin(async move { store::find_policies(conn, site, &ids).await }));
        Ok(found.await?)
    }

    /// The policies by which services are booked, each with its service's place in the list.
    pub async fn policies_of(
        &self,
        caller: &Caller,
        services: &[Offered],
    ) -> Result<Vec<Option<BookingPolicy>>, Error> {
        access::require(Permission::ReadCatalog, caller)?;
        let site = caller.site;
        let named: Vec<Option<BookingPolicyId>> = services.iter().map(|service| service.booking_policy).collect();
        let found = self
            .db()
            .read(move |conn| Box::pin(async move { store::policies_of(conn, site, &named).await }));
        Ok(found.await?)
    }

    /// All policies that pass the filter, in an order.
    pub async fn booking_policies(
        &self,
        caller: &Caller,
        filter: NamedFilter<BookingPolicyId>,
        order: (NamedOrder, Direction),
    ) -> Result<Vec<BookingPolicy>, Error> {
        access::require(Permission::ReadCatalog, caller)?;
        let site = caller.site;
        let found = self
            .db()
            .read(move |conn| Box::pin(async move { store::list_policies(conn, site, &filter, order).await }));
        Ok(found.await?)
    }
}
