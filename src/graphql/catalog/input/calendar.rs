//! Inputs about schedules, sessions and blocked times.

use async_graphql::{ID, InputObject, MaybeUndefined};

use super::{BookingsOnMove, BookingsOnRemoval, SessionScope, edit, given, hours::owner, ids, key};
use crate::{
    domain::{
        catalog::LocationWish,
        ids::{BlockedTimeId, ResourceId, ScheduleId},
        recurrence::ResourceUse,
        rejection::{Field, Invalid},
        time::TimeSpan,
    },
    graphql::{
        input::{Problems, Rejections, id},
        scalars::{DateTime, LocalDateTime, TimeZone},
        types::{blocked_time::Transparency, booking_input::LocationInput},
    },
    service::{
        IdempotencyKey,
        catalog::{
            CancelSession, Change, CreateBlockedTime, CreateSchedule, CreateSession, Edit, SessionChanges,
            SessionResources, UpdateSchedule, UpdateSession,
        },
    },
};

/// Another run of a course.
#[derive(InputObject, Clone, Debug)]
pub struct CreateScheduleInput {
    /// Its seats, 1 to 1000; the course's default if not said.
    capacity: Option<i32>,
    /// A key for safe retries, at most 255 characters: the same key and input replays the first committed answer.
    idempotency_key: Option<String>,
    /// Its name, such as "Spring run", 1 to 400 characters; the course's if not said.
    name: Option<String>,
    /// The course. Appointments and classes have one schedule, which is made with them.
    service_id: ID,
}

impl CreateScheduleInput {
    pub(crate) fn parse(&self) -> Result<(CreateSchedule, Option<IdempotencyKey>), Rejections> {
        let mut problems = Problems::default();
        let key = key(&mut problems, self, self.idempotency_key.as_ref());
        let service = problems.take("serviceId", id(&self.service_id));
        let (name, capacity) = (self.name.clone(), self.capacity);
        problems.finish(service.map(|service| {
            (
                CreateSchedule {
                    service,
                    name,
                    capacity,
                },
                key,
            )
        }))
    }
}

/// What changes of a schedule. What is left out stays.
#[derive(InputObject, Clone, Debug)]
pub struct UpdateScheduleInput {
    /// The seats of a course's run, 1 to 1000: fewer than are taken are allowed, nobody is put out, and those who came
    /// last are flagged as double booked. Of other schedules it is the service's `defaultCapacity`, and any other number
    /// is refused.
    capacity: MaybeUndefined<i32>,
    /// Refuse with `REVISION_MISMATCH` unless the schedule has this revision.
    expected_revision: Option<i32>,
    /// A key for safe retries, at most 255 characters: the same key and input replays the first committed answer.
    idempotency_key: Option<String>,
    /// Its name, 1 to 400 characters.
    name: MaybeUndefined<String>,
    /// The schedule.
    schedule_id: ID,
}

impl UpdateScheduleInput {
    pub(crate) fn parse(&self) -> Result<UpdateSchedule, Rejections> {
        let mut problems = Problems::default();
        let key = key(&mut problems, self, self.idempotency_key.as_ref());
        let edit = edit(
            &mut problems,
            "scheduleId",
            &self.schedule_id,
            self.expected_revision,
            key,
        );
        let name = given(&mut problems, "name", &self.name);
        let capacity = given(&mut problems, "capacity", &self.capacity);
        problems.finish(edit.map(|edit| UpdateSchedule { edit, name, capacity }))
    }
}

/// A course's run that is to be deleted; not the first, which goes with the course.
#[derive(InputObject, Clone, Debug)]
pub struct DeleteScheduleInput {
    /// What is to become of bookings that aren't over. If there are any and nothing is said, it is refused with
    /// `HAS_BOOKINGS`.
    bookings: Option<BookingsOnRemoval>,
    /// Refuse with `REVISION_MISMATCH` unless the schedule has this revision.
    expected_revision: Option<i32>,
    /// A key for safe retries, at most 255 characters: the same key and input replays the first committed answer.
    idempotency_key: Option<String>,
    /// The schedule.
    schedule_id: ID,
}

impl DeleteScheduleInput {
    pub(crate) fn parse(&self) -> Result<(Edit<ScheduleId>, bool), Rejections> {
        let mut problems = Problems::default();
        let key = key(&mut problems, self, self.idempotency_key.as_ref());
        let edit = edit(
            &mut problems,
            "scheduleId",
            &self.schedule_id,
            self.expected_revision,
            key,
        );
        problems.finish(edit.map(|edit| (edit, self.bookings == Some(BookingsOnRemoval::Cancel))))
    }
}

/// Who or what a session needs.
#[derive(InputObject, Clone, Debug)]
pub struct SessionResourceInput {
    /// The staff member or room.
    resource_id: ID,
    /// Whether it is kept busy for the session's time. One that isn't may be busy otherwise.
    #[graphql(default)]
    transparency: Transparency,
}

/// The resources of a session, whichever way they are said.
pub(super) fn said(
    problems: &mut Problems,
    plain: Option<&[ID]>,
    one_by_one: Option<&[SessionResourceInput]>,
) -> Option<SessionResources> {
    if plain.is_some() && one_by_one.is_some() {
        problems.complain(&["resources"], "can't be said together with `resourceIds`");
        return None;
    }
    if let Some(plain) = plain {
        let uses = ids::<ResourceId>(problems, "resourceIds", plain);
        return Some(SessionResources {
            uses: uses.into_iter().map(ResourceUse::from).collect(),
            one_by_one: false,
        });
    }
    let uses = one_by_one?.iter().enumerate().filter_map(|(index, one)| {
        let read = id(&one.resource_id).map_err(|invalid| invalid.at("resourceId").at(index.to_string()));
        let transparent = one.transparency == Transparency::Transparent;
        Some(ResourceUse {
            id: problems.take("resources", read)?,
            transparent,
        })
    });
    Some(SessionResources {
        uses: uses.collect(),
        one_by_one: true,
    })
}

/// A session that is to be made.
#[derive(InputObject, Clone, Debug)]
pub struct CreateSessionInput {
    /// Whether its resources may be busy at that time: the overlap goes on record.
    #[graphql(default = false)]
    allow_overlap: bool,
    /// Seats of a class session, 1 to 1000; the schedule's if not said. Not for courses, whose run has the seats.
    capacity: Option<i32>,
    /// A key for safe retries, at most 255 characters: the same key and input replays the first committed answer.
    idempotency_key: Option<String>,
    /// The wall clock at its end: after `localStart`, by 31 days at the most.
    local_end: LocalDateTime,
    /// The wall clock at its start. A time that the clock skips moves forward by the gap, here and in `localEnd`; of one
    /// that it shows twice the earlier is meant. So where the clock goes from 02:00 to 03:00, 02:15 to 02:45 is 03:15 to
    /// 03:45, 01:30 to 03:30 lasts an hour, and 02:30 to 03:30 is refused: nothing is left of it.
    local_start: LocalDateTime,
    /// Where: one of the service's `locations`, or another place in words. If not said, at the service's only one.
    location: Option<LocationInput>,
    /// Who and what it needs; busy for its time. Not together with `resources`.
    resource_ids: Option<Vec<ID>>,
    /// Who and what it needs, each with whether it is kept busy. Instead of `resourceIds`.
    resources: Option<Vec<SessionResourceInput>>,
    /// On which schedule: of a class, or a course's run.
    schedule_id: ID,
    /// The zone of the wall clock; the site's if not said.
    time_zone: Option<TimeZone>,
    /// Its title, 1 to 400 characters; the service's name if not said.
    title: Option<String>,
    /// Whether it keeps its resources busy. A transparent one keeps none, so that it may overlap anything; it is offered
    /// and booked all the same.
    #[graphql(default)]
    transparency: Transparency,
}

impl CreateSessionInput {
    pub(crate) fn parse(&self) -> Result<(CreateSession, Option<IdempotencyKey>), Rejections> {
        let mut problems = Problems::default();
        let key = key(&mut problems, self, self.idempotency_key.as_ref());
        let schedule = problems.take("scheduleId", id(&self.schedule_id));
        let local_start = problems.take("localStart", self.local_start.civil());
        let local_end = problems.take("localEnd", self.local_end.civil());
        let time_zone = problems.option("timeZone", self.time_zone.as_ref().map(TimeZone::zone));
        let location = self
            .location
            .clone()
            .and_then(|location| problems.nest("location", location.parse()));
        let resources = said(&mut problems, self.resource_ids.as_deref(), self.resources.as_deref());
        let session = schedule
            .zip(local_start.zip(local_end))
            .map(|(schedule, (local_start, local_end))| CreateSession {
                schedule,
                local_start,
                local_end,
                time_zone,
                title: self.title.clone(),
                capacity: self.capacity,
                resources: resources.unwrap_or_default(),
                transparent: self.transparency == Transparency::Transparent,
                location,
                allow_overlap: self.allow_overlap,
            });
        problems.finish(session.map(|session| (session, key)))
    }
}

/// What changes of a session. What is left out stays. Its bookings follow, each with its event.
#[derive(InputObject, Clone, Debug)]
pub struct UpdateSessionInput {
    /// Whether its resources may be busy at that time: the overlap goes on record.
    #[graphql(default = false)]
    allow_overlap: bool,
    /// What is to become of the bookings of class sessions that move to another time. If there are any and nothing is
    /// said, it is refused with `HAS_BOOKINGS`; `count` is of all the sessions that the change moves.
    bookings: Option<BookingsOnMove>,
    /// What is to become of the bookings of class sessions that are cancelled because another `recurrence` has no place
    /// for them. If there are any and nothing is said, it is refused with `HAS_BOOKINGS`.
    bookings_of_cancelled: Option<BookingsOnRemoval>,
    /// Seats of a class session, 1 to 1000. Fewer than are taken are allowed: nobody is put out, and those who came last
    /// are flagged as double booked.
    capacity: MaybeUndefined<i32>,
    /// Refuse with `REVISION_MISMATCH` unless the session has this revision.
    expected_revision: Option<i32>,
    /// Refuse with `REVISION_MISMATCH` unless the session's series has this revision. Only for sessions of a series.
    expected_series_revision: Option<i32>,
    /// A key for safe retries, at most 255 characters: the same key and input replays the first committed answer.
    idempotency_key: Option<String>,
    /// The wall clock at its end.
    local_end: MaybeUndefined<LocalDateTime>,
    /// The wall clock at its start. Without `localEnd` the session stays as long as it is. With a `scope` of more than
    /// this session, the others move by as much as this start is from this session's `originalStart`; a day that the
    /// rule doesn't have needs another `recurrence` with it.
    local_start: MaybeUndefined<LocalDateTime>,
    /// Where: one of the service's `locations`, or another place in words. Null: at the service's only one.
    location: MaybeUndefined<LocationInput>,
    /// Another rule for the series, as in `createSessionSeries`; with it come all its dates. For a `scope` of more than
    /// this session. Sessions keep to the time that is closest to theirs; those for which there is none are cancelled,
    /// and new ones are made.
    recurrence: MaybeUndefined<String>,
    /// Who and what it needs, all of them; busy for its time. Not together with `resources`.
    resource_ids: MaybeUndefined<Vec<ID>>,
    /// Who and what it needs, all of them, each with whether it is kept busy. Instead of `resourceIds`.
    resources: MaybeUndefined<Vec<SessionResourceInput>>,
    /// Which sessions of its series change. Past ones never do with others.
    #[graphql(default_with = "SessionScope::This")]
    scope: SessionScope,
    /// The session.
    session_id: ID,
    /// The zone of the wall clock.
    time_zone: MaybeUndefined<TimeZone>,
    /// Its title, 1 to 400 characters.
    title: MaybeUndefined<String>,
    /// Whether it keeps its resources busy. One that does so again may not overlap what is in its way, unless
    /// `allowOverlap` says so.
    transparency: MaybeUndefined<Transparency>,
}

impl UpdateSessionInput {
    pub(crate) fn parse(&self) -> Result<UpdateSession, Rejections> {
        let mut problems = Problems::default();
        let key = key(&mut problems, self, self.idempotency_key.as_ref());
        let edit = edit(
            &mut problems,
            "sessionId",
            &self.session_id,
            self.expected_revision,
            key,
        );
        let start = given(&mut problems, "localStart", &self.local_start);
        let end = given(&mut problems, "localEnd", &self.local_end);
        let zone = given(&mut problems, "timeZone", &self.time_zone);
        let resource_ids = given(&mut problems, "resourceIds", &self.resource_ids);
        let resources = given(&mut problems, "resources", &self.resources);
        let resources = said(&mut problems, resource_ids.as_deref(), resources.as_deref());
        let transparency = given(&mut problems, "transparency", &self.transparency);
        let location: Change<LocationWish> = match &self.location {
            MaybeUndefined::Undefined => Change::Keep,
            MaybeUndefined::Null => Change::Clear,
            MaybeUndefined::Value(location) => problems
                .nest("location", location.clone().parse())
                .map_or(Change::Keep, Change::Set),
        };
        let changes = SessionChanges {
            local_start: problems.option("localStart", start.map(|start| start.civil())),
            local_end: problems.option("localEnd", end.map(|end| end.civil())),
            time_zone: problems.option("timeZone", zone.map(|zone| zone.zone())),
            title: given(&mut problems, "title", &self.title),
            capacity: given(&mut problems, "capacity", &self.capacity),
            resources,
            transparent: transparency.map(|one| one == Transparency::Transparent),
            location,
        };
        let recurrence = given(&mut problems, "recurrence", &self.recurrence);
        problems.finish(edit.map(|edit| UpdateSession {
            edit,
            scope: self.scope.into(),
            expected_series_revision: self.expected_series_revision.map(i64::from),
            changes,
            recurrence,
            allow_overlap: self.allow_overlap,
            move_bookings: self.bookings == Some(BookingsOnMove::Move),
            cancel_bookings: self.bookings_of_cancelled == Some(BookingsOnRemoval::Cancel),
        }))
    }
}

/// A session that is not to take place.
#[derive(InputObject, Clone, Debug)]
pub struct CancelSessionInput {
    /// What is to become of the bookings of class sessions that are cancelled. If there are any and nothing is said, it
    /// is refused with `HAS_BOOKINGS`; `count` is of all the sessions that are to go. Bookings of a course stay: it goes
    /// on without them.
    bookings: Option<BookingsOnRemoval>,
    /// Refuse with `REVISION_MISMATCH` unless the session has this revision.
    expected_revision: Option<i32>,
    /// Refuse with `REVISION_MISMATCH` unless the session's series has this revision. Only for sessions of a series.
    expected_series_revision: Option<i32>,
    /// A key for safe retries, at most 255 characters: the same key and input replays the first committed answer.
    idempotency_key: Option<String>,
    /// Which sessions of its series are cancelled. Past ones stay. With more than this session, the series ends.
    #[graphql(default_with = "SessionScope::This")]
    scope: SessionScope,
    /// The session.
    session_id: ID,
}

impl CancelSessionInput {
    pub(crate) fn parse(&self) -> Result<CancelSession, Rejections> {
        let mut problems = Problems::default();
        let key = key(&mut problems, self, self.idempotency_key.as_ref());
        let edit = edit(
            &mut problems,
            "sessionId",
            &self.session_id,
            self.expected_revision,
            key,
        );
        let cancel_bookings = self.bookings == Some(BookingsOnRemoval::Cancel);
        problems.finish(edit.map(|edit| CancelSession {
            edit,
            scope: self.scope.into(),
            expected_series_revision: self.expected_series_revision.map(i64::from),
            cancel_bookings,
        }))
    }
}

/// A time in which a resource is not to be booked, or the business or a location is closed.
#[derive(InputObject, Clone, Debug)]
pub struct CreateBlockedTimeInput {
    /// Whether bookings and sessions may be in it. They stay as they are and are not flagged; `calendar` shows them and
    /// the blocked time beside each other. Of a closed business or location, bookings alone matter: sessions stay where
    /// the owner put them.
    #[graphql(default = false)]
    allow_overlap: bool,
    /// The instant at which it is over.
    end_date: DateTime,
    /// A key for safe retries, at most 255 characters: the same key and input replays the first committed answer.
    idempotency_key: Option<String>,
    /// The location that is closed, and no other. Not together with `resourceId`. Staff close nothing.
    location_id: Option<ID>,
    /// Why, for the business's eyes, at most 500 characters.
    reason: Option<String>,
    /// Whose time. Staff block their own only. If neither it nor a location is said, the business as a whole is closed:
    /// nothing can be had by appointment, whatever hours hold.
    resource_id: Option<ID>,
    /// The first instant.
    start_date: DateTime,
    /// Whether it blocks or closes, or is only shown on the calendar: then for at most 366 days.
    #[graphql(default)]
    transparency: Transparency,
}

impl CreateBlockedTimeInput {
    pub(crate) fn parse(&self) -> Result<(CreateBlockedTime, Option<IdempotencyKey>), Rejections> {
        let mut problems = Problems::default();
        let key = key(&mut problems, self, self.idempotency_key.as_ref());
        let owner = owner(&mut problems, self.location_id.as_ref(), self.resource_id.as_ref());
        let start = problems.take("startDate", self.start_date.instant(None));
        let end = problems.take("endDate", self.end_date.instant(None));
        let span = start.zip(end).and_then(|(start, end)| {
            let after = Invalid::new(Field::Date, "must be after `startDate`");
            problems.take("endDate", TimeSpan::new(start, end).ok_or(after))
        });
        let blocked = owner.zip(span).map(|(owner, span)| CreateBlockedTime {
            owner,
            span,
            reason: self.reason.clone(),
            allow_overlap: self.allow_overlap,
            transparent: self.transparency == Transparency::Transparent,
        });
        problems.finish(blocked.map(|blocked| (blocked, key)))
    }
}

/// A blocked time that is to be free again.
#[derive(InputObject, Clone, Debug)]
pub struct DeleteBlockedTimeInput {
    /// The blocked time.
    blocked_time_id: ID,
    /// Refuse with `REVISION_MISMATCH` unless the blocked time has this revision.
    expected_revision: Option<i32>,
    /// A key for safe retries, at most 255 characters: the same key and input replays the first committed answer.
    idempotency_key: Option<String>,
}

impl DeleteBlockedTimeInput {
    pub(crate) fn parse(&self) -> Result<Edit<BlockedTimeId>, Rejections> {
        let mut problems = Problems::default();
        let key = key(&mut problems, self, self.idempotency_key.as_ref());
        let edit = edit(
            &mut problems,
            "blockedTimeId",
            &self.blocked_time_id,
            self.expected_revision,
            key,
        );
        problems.finish(edit)
    }
}
