//! Changing the catalog. For the owner and apps; blocked times also for staff, on their own calendar.

use async_graphql::{Context, Object, SimpleObject};

use super::input::{
    CancelSessionInput, ClearWorkingHoursInput, CreateBlockedTimeInput, CreateResourceInput, CreateScheduleInput,
    CreateServiceInput, CreateSessionInput, CreateSessionSeriesInput, DeleteBlockedTimeInput, DeleteResourceInput,
    DeleteScheduleInput, DeleteServiceInput, RestoreSessionInput, SetWorkingHoursInput, UpdateResourceInput,
    UpdateScheduleInput, UpdateServiceInput, UpdateSessionInput, UpdateSiteInput,
};
use super::resources::DeleteResourcePayload;
use super::services::DeleteServicePayload;
use crate::{
    domain::permission::Permission,
    graphql::{
        caller,
        error::{Outcome, UserError, outcome},
        mutation::{payload, permitted},
        query::Query,
        service,
        types::{
            blocked_time::BlockedTime, resource::Resource, schedule::Schedule, service::Service, session::Session,
            session_series::SessionSeries, site::Site, working_hours::WorkingHours,
        },
    },
    service::catalog::Removed,
};

payload!(
    /// What became of `updateSite`.
    UpdateSitePayload {
        /// The site, if it was changed.
        site: Site
    }
);
payload!(
    /// What became of `createService`.
    CreateServicePayload {
        /// The service, if it was made.
        service: Service
    }
);
payload!(
    /// What became of `updateService`.
    UpdateServicePayload {
        /// The service, if it was changed.
        service: Service
    }
);
payload!(
    /// What became of `createResource`.
    CreateResourcePayload {
        /// The resource, if it was made.
        resource: Resource
    }
);
payload!(
    /// What became of `updateResource`.
    UpdateResourcePayload {
        /// The resource, if it was changed.
        resource: Resource
    }
);
payload!(
    /// What became of `createSchedule`.
    CreateSchedulePayload {
        /// The run, if it was made.
        schedule: Schedule
    }
);
payload!(
    /// What became of `updateSchedule`.
    UpdateSchedulePayload {
        /// The schedule, if it was changed.
        schedule: Schedule
    }
);
payload!(
    /// What became of `createSession`.
    CreateSessionPayload {
        /// The session, if it was made.
        session: Session
    }
);
payload!(
    /// What became of `createSessionSeries`.
    CreateSessionSeriesPayload {
        /// The series, if it was made.
        series: SessionSeries
    }
);
payload!(
    /// What became of `restoreSession`.
    RestoreSessionPayload {
        /// The session, if it was restored.
        session: Session
    }
);
payload!(
    /// What became of `updateSession`.
    UpdateSessionPayload {
        /// The session, if it was changed.
        session: Session
    }
);
payload!(
    /// What became of `createBlockedTime`.
    CreateBlockedTimePayload {
        /// The blocked time, if it was made.
        blocked_time: BlockedTime
    }
);
payload!(
    /// What became of `deleteBlockedTime`.
    DeleteBlockedTimePayload {
        /// The blocked time as it was, if it was deleted.
        blocked_time: BlockedTime
    }
);

payload!(
    /// What became of `setWorkingHours`.
    SetWorkingHoursPayload {
        /// The hours, if they were set.
        working_hours: WorkingHours
    }
);
payload!(
    /// What became of `clearWorkingHours`.
    ClearWorkingHoursPayload {
        /// What is left of the hours, if they were taken back: no times, and a revision.
        working_hours: WorkingHours
    }
);

/// A payload of an act that may take bookings with it.
macro_rules! removal {
    ($(#[doc = $doc:literal])* $name:ident { $(#[doc = $field_doc:literal])* $field:ident: $ty:ty }) => {
        $(#[doc = $doc])*
        #[derive(SimpleObject)]
        pub struct $name {
            /// How many bookings were canceled with it.
            canceled_bookings: Option<i32>,
            /// For refetching what is shown, in the same round trip.
            query: Query,
            $(#[doc = $field_doc])*
            $field: Option<$ty>,
            /// Why it was refused. Empty if it was done.
            user_errors: Vec<UserError>,
        }

        impl<T: Into<$ty>> From<Outcome<Removed<T>>> for $name {
            fn from(outcome: Outcome<Removed<T>>) -> Self {
                let query = Query::default();
                match outcome {
                    Ok(removed) => Self {
                        canceled_bookings: Some(i32::try_from(removed.canceled_bookings).unwrap_or(i32::MAX)),
                        query,
                        $field: Some(removed.object.into()),
                        user_errors: Vec::new(),
                    },
                    Err(user_errors) => Self { canceled_bookings: None, query, $field: None, user_errors },
                }
            }
        }
    };
}

removal!(
    /// What became of `deleteSchedule`.
    DeleteSchedulePayload {
        /// The run as it was left, if it was deleted.
        schedule: Schedule
    }
);
removal!(
    /// What became of `cancelSession`.
    CancelSessionPayload {
        /// The session as it was left, if it was cancelled.
        session: Session
    }
);

/// One act.
macro_rules! act {
    ($ctx:ident, $right:ident, $input:expr, |$read:pat_param| $act:expr, $wrap:expr) => {{
        let result = permitted($ctx, Permission::$right, $input, |$read| $act).await;
        Some(outcome($ctx, result.map($wrap)).map(Into::into))
    }};
}
pub(super) use act;

/// Changing the catalog.
#[derive(Default)]
pub struct CatalogMutation;

/// Changing the catalog.
#[Object]
impl CatalogMutation {
    /// Cancels a session, or others of its series with it: they keep their places in lists, and their resources are free. The
    /// bookings of class sessions have to be canceled with them; those of a course stay, without them.
    async fn cancel_session(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which session, and what is to become of its bookings.")] input: CancelSessionInput,
    ) -> Option<async_graphql::Result<CancelSessionPayload>> {
        act!(
            ctx,
            ManageCatalog,
            input.parse(),
            |input| service(ctx).cancel_session(caller(ctx), input),
            std::convert::identity
        )
    }

    /// Takes hours back: a location or a resource keeps the business's from then on, and the business is open around the
    /// clock. For the owner and apps with the scope `MANAGE_CATALOG`; staff for their own resource.
    async fn clear_working_hours(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whose hours.")] input: ClearWorkingHoursInput,
    ) -> Option<async_graphql::Result<ClearWorkingHoursPayload>> {
        act!(
            ctx,
            SetHours,
            input.parse(),
            |(input, key)| service(ctx).clear_working_hours(caller(ctx), input, key),
            WorkingHours::from
        )
    }

    /// Blocks a resource's time. Refused with `SLOT_NOT_AVAILABLE` where something is in it, unless overlaps are allowed.
    /// Without a resource it closes the business, or one of its locations: nothing is offered there by appointment in that
    /// time, whatever hours hold, and customers can't book it; bookings that are in it refuse that in the same way, and stay
    /// if overlaps are allowed. Sessions of classes and courses stay where the owner put them, and can be booked. For the
    /// business; staff block their own time.
    async fn create_blocked_time(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whose time, from when to when.")] input: CreateBlockedTimeInput,
    ) -> Option<async_graphql::Result<CreateBlockedTimePayload>> {
        act!(
            ctx,
            ManageCalendar,
            input.parse(),
            |(input, key)| service(ctx).create_blocked_time(caller(ctx), input, key),
            BlockedTime::from
        )
    }

    /// Makes a staff member or a room.
    async fn create_resource(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who or what.")] input: CreateResourceInput,
    ) -> Option<async_graphql::Result<CreateResourcePayload>> {
        act!(
            ctx,
            ManageCatalog,
            input.parse(),
            |(input, key)| service(ctx).create_resource(caller(ctx), input, key),
            Resource::from
        )
    }

    /// Makes another run of a course. Its sessions are made one by one, with `createSession`.
    async fn create_schedule(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Of which course.")] input: CreateScheduleInput,
    ) -> Option<async_graphql::Result<CreateSchedulePayload>> {
        act!(
            ctx,
            ManageCatalog,
            input.parse(),
            |(input, key)| service(ctx).create_schedule(caller(ctx), input, key),
            Schedule::from
        )
    }

    /// Makes a service, with the schedule of its sessions.
    async fn create_service(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is offered.")] input: CreateServiceInput,
    ) -> Option<async_graphql::Result<CreateServicePayload>> {
        act!(
            ctx,
            ManageCatalog,
            input.parse(),
            |(input, key)| service(ctx).create_service(caller(ctx), input, key),
            Service::from
        )
    }

    /// Makes a session of a class or of a course's run. Refused with `SLOT_NOT_AVAILABLE` where its resources are busy, unless
    /// overlaps are allowed.
    async fn create_session(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "On which schedule, and when.")] input: CreateSessionInput,
    ) -> Option<async_graphql::Result<CreateSessionPayload>> {
        act!(
            ctx,
            ManageCatalog,
            input.parse(),
            |(input, key)| service(ctx).create_session(caller(ctx), input, key),
            Session::from
        )
    }

    /// Makes sessions that repeat by a rule: all of them, or, if it has no end, those of the next year; the rest follows as
    /// time goes by. Refused with `SLOT_NOT_AVAILABLE` where their resources are busy at one of the times, unless overlaps are
    /// allowed.
    async fn create_session_series(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "On which schedule, when first, and when again.")] input: CreateSessionSeriesInput,
    ) -> Option<async_graphql::Result<CreateSessionSeriesPayload>> {
        act!(
            ctx,
            ManageCatalog,
            input.parse(),
            |(input, key)| service(ctx).create_session_series(caller(ctx), input, key),
            SessionSeries::from
        )
    }

    /// Frees a blocked time. For the business; staff free their own time.
    async fn delete_blocked_time(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which blocked time.")] input: DeleteBlockedTimeInput,
    ) -> Option<async_graphql::Result<DeleteBlockedTimePayload>> {
        act!(
            ctx,
            ManageCalendar,
            input.parse(),
            |edit| service(ctx).delete_blocked_time(caller(ctx), edit),
            BlockedTime::from
        )
    }

    /// Deletes a staff member or a room: nothing new can have it. Refused with `HAS_BOOKINGS` while bookings or sessions that
    /// aren't over do; its blocked times don't count.
    async fn delete_resource(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which resource.")] input: DeleteResourceInput,
    ) -> Option<async_graphql::Result<DeleteResourcePayload>> {
        act!(
            ctx,
            ManageCatalog,
            input.parse(),
            |input| service(ctx).delete_resource(caller(ctx), input),
            std::convert::identity
        )
    }

    /// Deletes a run of a course with its sessions; not the first run, which goes with the course.
    async fn delete_schedule(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which run, and what is to become of its bookings.")] input: DeleteScheduleInput,
    ) -> Option<async_graphql::Result<DeleteSchedulePayload>> {
        act!(
            ctx,
            ManageCatalog,
            input.parse(),
            |(edit, cancel)| service(ctx).delete_schedule(caller(ctx), edit, cancel),
            std::convert::identity
        )
    }

    /// Deletes a service with its schedules and sessions, or counts what that would do. Its past bookings stay, and if
    /// wished so its future sessions with participants.
    async fn delete_service(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which service, and what is to become of its bookings.")] input: DeleteServiceInput,
    ) -> Option<async_graphql::Result<DeleteServicePayload>> {
        act!(
            ctx,
            ManageCatalog,
            input.parse(),
            |input| service(ctx).delete_service(caller(ctx), input),
            std::convert::identity
        )
    }

    /// Lets a session of a series follow it again, in some fields or in all; its bookings follow, each with its event.
    async fn restore_session(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which session, and in what.")] input: RestoreSessionInput,
    ) -> Option<async_graphql::Result<RestoreSessionPayload>> {
        act!(
            ctx,
            ManageCatalog,
            input.parse(),
            |input| service(ctx).restore_session(caller(ctx), input),
            Session::from
        )
    }

    /// Sets when the business, one of its locations or a resource is open, all of it anew. A location's hours count there
    /// instead of the business's. New bookings keep within them; what is booked stays.
    /// For the owner and apps with the scope `MANAGE_CATALOG`; staff for their own resource.
    async fn set_working_hours(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whose hours, and all of them.")] input: SetWorkingHoursInput,
    ) -> Option<async_graphql::Result<SetWorkingHoursPayload>> {
        act!(
            ctx,
            SetHours,
            input.parse(),
            |(input, key)| service(ctx).set_working_hours(caller(ctx), input, key),
            WorkingHours::from
        )
    }

    /// Changes a staff member or a room.
    async fn update_resource(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which resource, and what changes.")] input: UpdateResourceInput,
    ) -> Option<async_graphql::Result<UpdateResourcePayload>> {
        act!(
            ctx,
            ManageCatalog,
            input.parse(),
            |input| service(ctx).update_resource(caller(ctx), input),
            Resource::from
        )
    }

    /// Changes a schedule's name, or the seats of a course's run.
    async fn update_schedule(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which schedule, and what changes.")] input: UpdateScheduleInput,
    ) -> Option<async_graphql::Result<UpdateSchedulePayload>> {
        act!(
            ctx,
            ManageCatalog,
            input.parse(),
            |input| service(ctx).update_schedule(caller(ctx), input),
            Schedule::from
        )
    }

    /// Changes a service. What is booked stays as it was booked.
    async fn update_service(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which service, and what changes.")] input: UpdateServiceInput,
    ) -> Option<async_graphql::Result<UpdateServicePayload>> {
        act!(
            ctx,
            ManageCatalog,
            input.parse(),
            |input| service(ctx).update_service(caller(ctx), input),
            Service::from
        )
    }

    /// Changes a session, or others of its series with it; their bookings follow, each with its event. All or none.
    async fn update_session(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which session, and what changes.")] input: UpdateSessionInput,
    ) -> Option<async_graphql::Result<UpdateSessionPayload>> {
        act!(
            ctx,
            ManageCatalog,
            input.parse(),
            |input| service(ctx).update_session(caller(ctx), input),
            Session::from
        )
    }

    /// Changes the caller's site.
    async fn update_site(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What changes.")] input: UpdateSiteInput,
    ) -> Option<async_graphql::Result<UpdateSitePayload>> {
        act!(
            ctx,
            ManageCatalog,
            input.parse(caller(ctx).site),
            |input| service(ctx).update_site(caller(ctx), input),
            Site::from
        )
    }
}
