//! Inputs about series of sessions.

use async_graphql::{Enum, ID, InputObject};

use super::{BookingsOnMove, SessionResourceInput, calendar::said, edit, key};
use crate::{
    graphql::{
        input::{Problems, Rejections, id},
        scalars::{LocalDateTime, TimeZone},
        types::{blocked_time::Transparency, booking_input::LocationInput, session::SessionField},
    },
    service::{
        IdempotencyKey,
        catalog::{CreateSessionSeries, RestoreSession},
    },
};

/// Which sessions of a series an act is about. Those of the past are never touched together with others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "crate::service::catalog::Scope")]
pub enum SessionScope {
    /// All of its series that haven't begun.
    All,
    /// It alone. What is changed of it, it keeps, whatever becomes of its series.
    This,
    /// It and all that follow: its series ends before it, and another one goes on from there. Refused for the last one.
    ThisAndFollowing,
}

/// Sessions that repeat.
#[derive(InputObject, Clone, Debug)]
pub struct CreateSessionSeriesInput {
    /// Whether their resources may be busy at those times: the overlaps go on record.
    #[graphql(default = false)]
    allow_overlap: bool,
    /// Seats of class sessions, 1 to 1000; the schedule's if not said. Not for courses, whose run has the seats.
    capacity: Option<i32>,
    /// A key for safe retries, at most 255 characters: the same key and input replays the first committed answer.
    idempotency_key: Option<String>,
    /// The wall clock at the end of the first session: after `localStart`, by 31 days at the most. All are as long on the
    /// clock, whatever the clock does.
    local_end: LocalDateTime,
    /// The wall clock at the start of the first session, today or later. One that the rule doesn't have moves forward to
    /// the first that it has. Each session starts at this time of its day, whatever the clock does.
    local_start: LocalDateTime,
    /// Where: one of the service's `locations`, or another place in words. If not said, at the service's only one.
    location: Option<LocationInput>,
    /// When it repeats, as RFC 5545 writes it: a rule such as `FREQ=WEEKLY;BYDAY=MO,WE;COUNT=10`, daily, weekly,
    /// monthly or yearly, with `COUNT` or `UNTIL` or without an end; or lines of `RRULE:`, `EXDATE:` (times at which it doesn't
    /// take place) and `RDATE:` (times at which it does, too). At most 2000 sessions. `BYDAY`, `BYMONTHDAY` and, of
    /// monthly rules, `BYSETPOS` are understood; a yearly rule is for the month of the start (`BYMONTH` may name it) and
    /// is told as a monthly one with `INTERVAL=12`.
    recurrence: String,
    /// Who and what they need; busy for their time. Not together with `resources`.
    resource_ids: Option<Vec<ID>>,
    /// Who and what they need, each with whether it is kept busy. Instead of `resourceIds`.
    resources: Option<Vec<SessionResourceInput>>,
    /// On which schedule: of a class, or a course's run.
    schedule_id: ID,
    /// The zone of the wall clock; the site's if not said.
    time_zone: Option<TimeZone>,
    /// Their title, 1 to 400 characters; the service's name if not said.
    title: Option<String>,
    /// Whether they keep their resources busy. Transparent ones keep none, so that they may overlap anything; they are
    /// offered and booked all the same.
    #[graphql(default)]
    transparency: Transparency,
}

impl CreateSessionSeriesInput {
    pub(crate) fn parse(&self) -> Result<(CreateSessionSeries, Option<IdempotencyKey>), Rejections> {
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
        let series = schedule
            .zip(local_start.zip(local_end))
            .map(|(schedule, (local_start, local_end))| CreateSessionSeries {
                schedule,
                recurrence: self.recurrence.clone(),
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
        problems.finish(series.map(|series| (series, key)))
    }
}

/// A session that is to follow its series again.
#[derive(InputObject, Clone, Debug)]
pub struct RestoreSessionInput {
    /// Whether its resources may be busy at the time that it goes back to: the overlap goes on record.
    #[graphql(default = false)]
    allow_overlap: bool,
    /// What is to become of the bookings of a class session that goes back to its time. If there are any and nothing is
    /// said, it is refused with `HAS_BOOKINGS`.
    bookings: Option<BookingsOnMove>,
    /// Refuse with `REVISION_MISMATCH` unless the session has this revision.
    expected_revision: Option<i32>,
    /// In what it is to follow; in everything if not said.
    fields: Option<Vec<SessionField>>,
    /// A key for safe retries, at most 255 characters: the same key and input replays the first committed answer.
    idempotency_key: Option<String>,
    /// The session, of a series.
    session_id: ID,
}

impl RestoreSessionInput {
    pub(crate) fn parse(&self) -> Result<RestoreSession, Rejections> {
        let mut problems = Problems::default();
        let key = key(&mut problems, self, self.idempotency_key.as_ref());
        let edit = edit(
            &mut problems,
            "sessionId",
            &self.session_id,
            self.expected_revision,
            key,
        );
        let fields = self.fields.clone().unwrap_or_else(|| SessionField::ALL.to_vec());
        problems.finish(edit.map(|edit| RestoreSession {
            edit,
            fields: fields.into_iter().map(Into::into).collect(),
            allow_overlap: self.allow_overlap,
            move_bookings: self.bookings == Some(BookingsOnMove::Move),
        }))
    }
}
