//! Schedules: the runs of a course. Those of appointments and classes are made and deleted with their service.

use super::{
    BookingsOfService, Edit, Removed, Under, check_revision, lock_schedule, lock_service,
    removal::{Emptied, Emptying},
    seats_of,
};
use crate::{
    domain::{
        Rejection,
        catalog::{Schedule, ServiceKind, check_capacity},
        conflict::Target,
        event::Matter,
        ids::{Kind, ScheduleId, ServiceId, SiteId},
        permission::Permission,
        text,
    },
    service::{Caller, Error, IdempotencyKey, Service, access},
    store::{Command, Failure, Tx, catalog as store},
};

/// Another run of a course.
#[derive(Debug, Clone)]
pub struct CreateSchedule {
    /// The course.
    pub service: ServiceId,
    /// Its name; the course's if not said.
    pub name: Option<String>,
    /// Its seats; the course's default if not said.
    pub capacity: Option<i32>,
}

/// Changes of a schedule.
#[derive(Debug, Clone)]
pub struct UpdateSchedule {
    /// Which, and how.
    pub edit: Edit<ScheduleId>,
    /// Its name.
    pub name: Option<String>,
    /// The seats of a course's run.
    pub capacity: Option<i32>,
}

fn check(schedule: &Schedule) -> Result<(), Rejection> {
    text::required(&schedule.name, 400).map_err(|invalid| invalid.at("name"))?;
    check_capacity(schedule.capacity).map_err(|invalid| invalid.at("capacity"))?;
    Ok(())
}

struct Create {
    site: SiteId,
    id: ScheduleId,
    input: CreateSchedule,
}

impl Command for Create {
    type Output = Schedule;

    fn site(&self) -> SiteId {
        self.site
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<Schedule, Failure> {
        let service = lock_service(tx, self.input.service, Kind::Service, &["serviceId"]).await?;
        if service.kind != ServiceKind::Course {
            return Err(Rejection::invalid(&["serviceId"], "is no course; only courses have several runs").into());
        }
        let now = tx.now();
        let schedule = Schedule {
            id: self.id,
            service: service.id,
            name: self.input.name.clone().unwrap_or(service.name),
            capacity: self.input.capacity.unwrap_or(service.default_capacity),
            span: None,
            revision: 1,
            created: now,
            updated: now,
        };
        check(&schedule)?;
        store::insert_schedule(tx.conn(), self.site, &schedule).await?;
        tx.touch(Matter::Service(schedule.service), None);
        Ok(schedule)
    }
}

struct Update {
    caller: Caller,
    input: UpdateSchedule,
}

impl Command for Update {
    type Output = Schedule;

    fn site(&self) -> SiteId {
        self.caller.site
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<Schedule, Failure> {
        let input = &self.input;
        let (service, mut schedule) = lock_schedule(tx, input.edit.id).await?;
        check_revision(Kind::Schedule, schedule.revision, input.edit.expected_revision)?;
        if let Some(name) = &input.name {
            schedule.name.clone_from(name);
        }
        let capacity = input.capacity.filter(|capacity| *capacity != schedule.capacity);
        if let Some(capacity) = capacity {
            if service.kind != ServiceKind::Course {
                let message = "is the service's `defaultCapacity`; only the runs of a course have seats of their own";
                return Err(Rejection::invalid(&["capacity"], message).into());
            }
            schedule.capacity = capacity;
        }
        check(&schedule)?;
        schedule.revision += 1;
        schedule.updated = tx.now();
        if let Some(capacity) = capacity {
            let target = Target::Schedule(schedule.id);
            let under = Under::Run(schedule.id);
            let seen = under.find(tx).await?;
            let (mut ledger, _) = under.lock(tx, &[seats_of(target)], &seen).await?;
            ledger.set_capacity(tx, target, capacity).await?;
            schedule.updated = ledger.now();
            ledger.review(tx, None, &self.caller.actor).await?;
        }
        store::save_schedule(tx.conn(), self.caller.site, &schedule).await?;
        tx.touch(Matter::Service(schedule.service), None);
        Ok(schedule)
    }
}

struct Delete {
    caller: Caller,
    edit: Edit<ScheduleId>,
    cancel_bookings: bool,
}

impl Command for Delete {
    type Output = Removed<Schedule>;

    fn site(&self) -> SiteId {
        self.caller.site
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<Removed<Schedule>, Failure> {
        let site = self.caller.site;
        let (service, mut schedule) = lock_schedule(tx, self.edit.id).await?;
        check_revision(Kind::Schedule, schedule.revision, self.edit.expected_revision)?;
        if service.schedule == schedule.id {
            return Err(Rejection::invalid(&["scheduleId"], "was made with the service and goes with it").into());
        }
        let emptying = Emptying {
            caller: &self.caller,
            kind: service.kind,
            what: Kind::Schedule,
            schedules: &[schedule.id],
            resources: &[],
            bookings: if self.cancel_bookings {
                BookingsOfService::Cancel
            } else {
                BookingsOfService::Refuse
            },
            notification: None,
        };
        let Emptied { now, impact, .. } = emptying.run(tx).await?;
        schedule.revision += 1;
        schedule.updated = now;
        store::save_schedule(tx.conn(), site, &schedule).await?;
        tx.touch(Matter::Service(schedule.service), None);
        store::delete_schedule(tx.conn(), site, schedule.id, now).await?;
        Ok(Removed {
            object: schedule,
            canceled_bookings: impact.bookings,
        })
    }
}

impl Service {
    /// Makes another run of a course.
    pub async fn create_schedule(
        &self,
        caller: &Caller,
        input: CreateSchedule,
        key: Option<IdempotencyKey>,
    ) -> Result<Schedule, Error> {
        access::require(Permission::ManageCatalog, caller)?;
        let command = Create {
            site: caller.site,
            id: ScheduleId::new(),
            input,
        };
        self.once(caller, "createSchedule", key, command).await
    }

    /// Changes a schedule. Fewer seats than are taken are allowed: nobody is put out, and the last are flagged.
    pub async fn update_schedule(&self, caller: &Caller, mut input: UpdateSchedule) -> Result<Schedule, Error> {
        access::require(Permission::ManageCatalog, caller)?;
        let key = input.edit.idempotency.take();
        self.once(
            caller,
            "updateSchedule",
            key,
            Update {
                caller: caller.clone(),
                input,
            },
        )
        .await
    }

    /// Deletes a run of a course with its future sessions; not the first, which goes with the course. Refused while
    /// somebody counts on a booking of it that isn't over, unless such bookings are to be canceled with it.
    pub async fn delete_schedule(
        &self,
        caller: &Caller,
        mut edit: Edit<ScheduleId>,
        cancel_bookings: bool,
    ) -> Result<Removed<Schedule>, Error> {
        access::require(Permission::ManageCatalog, caller)?;
        let key = edit.idempotency.take();
        self.once(
            caller,
            "deleteSchedule",
            key,
            Delete {
                caller: caller.clone(),
                edit,
                cancel_bookings,
            },
        )
        .await
    }
}
