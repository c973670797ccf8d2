//! Series of sessions (`spec/catalog-availability.md` §3.5).
//!
//! What a series and a change of it mean for each session is planned in the domain; here it is read, locked, carried out
//! and written. Whoever changes a series or a session of it has locked the service, so that plans come one after the
//! other.

mod apply;
mod edit;

use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, DateTime},
};

pub(super) use apply::{Leaving, Place, Word, apply};
pub(super) use edit::{CancelMany, UpdateMany, check_series_revision, restore, update_one};

use super::{SessionResources, check_seats, locations, lock_schedule, lock_service, zone_of};
use crate::{
    domain::{
        Rejection,
        booking::{BookedResource, Location},
        catalog::{LocationWish, Schedule, Service as Offered, ServiceKind, Session, SessionSeries, check_capacity},
        ids::{Kind, ScheduleId, SeriesId, SiteId},
        permission::Permission,
        recurrence::{Change, End, Instance, Recurrence, ResourceUse, Series, SeriesError, Template, plan},
        rejection::{Field, Invalid},
        text,
        time::ZoneName,
    },
    service::{Caller, Error, IdempotencyKey, Outcome, Service, access},
    store::{Command, Failure, Tx, catalog as store},
};

/// How far ahead the sessions of a series without an end are there at least.
pub const AHEAD: SignedDuration = SignedDuration::from_hours(366 * 24);
/// How much further they are made at a time, so that a sweep has something to do every few weeks and not every day.
const FURTHER: SignedDuration = SignedDuration::from_hours(28 * 24);

/// Which sessions of a series an act is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scope {
    /// The one that is named.
    #[default]
    This,
    /// It and all that follow.
    ThisAndFollowing,
    /// All that haven't begun.
    All,
}

/// A series that is to be made.
#[derive(Debug, Clone)]
pub struct CreateSessionSeries {
    /// On which schedule.
    pub schedule: ScheduleId,
    /// The rule, with its dates (RFC 5545).
    pub recurrence: String,
    /// The wall clock at the start of the first session.
    pub local_start: DateTime,
    /// The wall clock at its end.
    pub local_end: DateTime,
    /// The zone of that clock; the site's if not said.
    pub time_zone: Option<ZoneName>,
    /// The title of the sessions; the service's name if not said.
    pub title: Option<String>,
    /// Their seats, of a class; the schedule's if not said.
    pub capacity: Option<i32>,
    /// Who and what they need.
    pub resources: SessionResources,
    /// Whether they keep none of them busy.
    pub transparent: bool,
    /// Where, if not at the service's place.
    pub location: Option<LocationWish>,
    /// Whether their resources may be busy.
    pub allow_overlap: bool,
}

impl Outcome for SessionSeries {}

/// How far the sessions of a series are to be made: to the end, or for a while from now, or from its first one.
pub(super) struct Horizon {
    /// The local time that planning stops at.
    pub(super) local: DateTime,
    /// The instant, if there is more behind it.
    pub(super) until: Option<Timestamp>,
}

impl Horizon {
    pub(super) fn of(recurrence: &Recurrence, start: DateTime, zone: &ZoneName, now: Timestamp) -> Self {
        if recurrence.rule().is_none_or(|rule| rule.end() != End::Never) {
            return Self {
                local: DateTime::MAX,
                until: None,
            };
        }
        let local = zone.local(now).max(start);
        let local = local.checked_add(AHEAD + FURTHER).unwrap_or(DateTime::MAX);
        Self {
            local,
            until: zone.instant(local),
        }
    }

    pub(super) fn of_series(series: &Series, now: Timestamp) -> Self {
        let template = &series.template;
        Self::of(&series.recurrence, template.local_start, &template.time_zone, now)
    }
}

/// What the API is told of a refusal: each has its place in the input.
pub(super) fn refusal(error: SeriesError) -> Rejection {
    let message = error.to_string();
    let dated = |path: &str| Rejection::Invalid(Invalid::new(Field::Other, message.clone()).at(path));
    match error {
        SeriesError::Cancelled => Rejection::not_found(Kind::Session, &["sessionId"]),
        SeriesError::NoOccurrence(_) => dated("sessionId"),
        SeriesError::Begun | SeriesError::NoneAfter => dated("scope"),
        SeriesError::OffTheRule(_) => dated("localStart"),
        SeriesError::Time(_) | SeriesError::Expand(_) | SeriesError::Rule(_) => error.into(),
    }
}

/// The rule of a series that starts on this day.
pub(super) fn parse_rule(text: &str, zone: &ZoneName, start: Date) -> Result<Recurrence, Rejection> {
    Recurrence::parse(text, zone, Some(start)).map_err(|error| refusal(error.into()))
}

/// The time in whole seconds: rules know no other.
pub(super) fn whole(at: DateTime) -> DateTime {
    at.with().subsec_nanosecond(0).build().unwrap_or(at)
}

/// What is the same in all sessions, under the rules of a single one.
pub(super) fn check_template(title: Option<&str>, capacity: Option<i32>) -> Result<(), Rejection> {
    if let Some(title) = title {
        text::required(title, 400).map_err(|invalid| invalid.at("title"))?;
    }
    if let Some(capacity) = capacity {
        check_capacity(capacity).map_err(|invalid| invalid.at("capacity"))?;
    }
    Ok(())
}

/// The resources that were said as series and sessions keep them: staff first.
pub(super) async fn in_order(tx: &mut Tx<'_>, said: &SessionResources) -> Result<Vec<ResourceUse>, Failure> {
    let kept = said.find(tx).await?.into_iter();
    let one = |BookedResource { id, transparent, .. }| ResourceUse { id, transparent };
    Ok(kept.map(one).collect())
}

pub(super) fn instances(sessions: &[Session]) -> Vec<Instance> {
    sessions.iter().filter_map(Session::instance).collect()
}

/// Sessions are for classes and courses.
pub(super) fn check_kind(service: &Offered) -> Result<(), Rejection> {
    if service.kind == ServiceKind::Appointment {
        let message = "is of an appointment, whose bookings make the events; sessions are for classes and courses";
        return Err(Rejection::invalid(&["scheduleId"], message));
    }
    Ok(())
}

/// A series with its sessions, on a schedule that is locked.
pub(super) async fn make(
    tx: &mut Tx<'_>,
    place: Place<'_>,
    series: Series,
    changes: &[Change],
    until: Option<Timestamp>,
    word: Word,
) -> Result<SessionSeries, Failure> {
    let (site, now) = (tx.site(), tx.now());
    let kept = SessionSeries {
        series,
        schedule: place.schedule.id,
        service: place.service.id,
        materialized_until: until,
        revision: 1,
        created: now,
        updated: now,
        cancelled: None,
    };
    store::insert_series(tx.conn(), site, &kept).await?;
    apply(tx, place, changes, &[], word).await?;
    Ok(kept)
}

struct Create {
    caller: Caller,
    id: SeriesId,
    input: CreateSessionSeries,
}

impl Create {
    fn template(
        &self,
        service: &Offered,
        schedule: &Schedule,
        zone: &ZoneName,
        (resources, location): (Vec<ResourceUse>, Option<Location>),
    ) -> Result<Template, Rejection> {
        let input = &self.input;
        check_template(input.title.as_deref(), input.capacity)?;
        Ok(Template {
            local_start: whole(input.local_start),
            local_end: whole(input.local_end),
            time_zone: zone.clone(),
            title: input.title.clone().unwrap_or_else(|| service.name.clone()),
            capacity: input.capacity.unwrap_or(schedule.capacity),
            resources,
            transparent: self.input.transparent,
            location,
        })
    }
}

impl Command for Create {
    type Output = SessionSeries;

    fn site(&self) -> SiteId {
        self.caller.site
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<SessionSeries, Failure> {
        let input = &self.input;
        let (service, schedule) = lock_schedule(tx, input.schedule).await?;
        check_kind(&service)?;
        check_seats(&service, input.capacity)?;
        let zone = zone_of(tx, input.time_zone.as_ref()).await?;
        let recurrence = parse_rule(&input.recurrence, &zone, input.local_start.date())?;
        let resources = in_order(tx, &input.resources).await?;
        let location = locations::of_session(tx, &service, input.location.as_ref()).await?;
        let template = self.template(&service, &schedule, &zone, (resources, location))?;
        let series = Series::new(self.id, recurrence, template).map_err(refusal)?;
        let now = tx.now();
        if series.template.local_start.date() < zone.local(now).date() {
            let message = "must not lie before today: a series begins today or later";
            return Err(Rejection::Invalid(Invalid::new(Field::Date, message).at("localStart")).into());
        }
        let horizon = Horizon::of_series(&series, now);
        let changes = plan(&series, None, &[], horizon.local, now).map_err(refusal)?;
        if changes.is_empty() {
            return Err(Rejection::invalid(&["recurrence"], "has nothing that is still to begin").into());
        }
        let place = Place {
            service: &service,
            schedule: &schedule,
            caller: &self.caller,
        };
        let word = Word {
            allow_overlap: input.allow_overlap,
            ..Word::default()
        };
        make(tx, place, series, &changes, horizon.until, word).await
    }
}

/// Makes the sessions of a series without an end for a while more.
struct Extend {
    caller: Caller,
    id: SeriesId,
}

impl Command for Extend {
    type Output = usize;

    fn site(&self) -> SiteId {
        self.caller.site
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<usize, Failure> {
        let site = self.caller.site;
        let Some(seen) = store::find_series(tx.conn(), site, self.id).await? else {
            return Ok(0);
        };
        let service = match lock_service(tx, seen.service, Kind::Service, &[]).await {
            Ok(service) => Some(service),
            Err(Failure::Rejected(Rejection::NotFound { .. })) => None,
            Err(failure) => return Err(failure),
        };
        let Some(mut kept) = store::find_series(tx.conn(), site, self.id).await? else {
            return Ok(0);
        };
        let now = tx.now();
        let due = now.checked_add(AHEAD).unwrap_or(now);
        if kept.materialized_until.is_none_or(|until| until > due) {
            // Somebody else did it, or ended it.
            return Ok(0);
        }
        let schedule = store::find_schedule(tx.conn(), site, kept.schedule).await?;
        let (Some(service), Some(schedule)) = (service, schedule) else {
            // What it was for was deleted, and its sessions with it.
            kept.materialized_until = None;
            store::save_series(tx.conn(), site, &kept).await?;
            return Ok(0);
        };
        let existing = store::sessions_of_series(tx.conn(), site, self.id).await?;
        let horizon = Horizon::of_series(&kept.series, now);
        let series = &kept.series;
        let mut changes = plan(series, Some(series), &instances(&existing), horizon.local, now).map_err(refusal)?;
        // Nobody asked for a change of what is there.
        changes.retain(|change| matches!(change, Change::Insert { .. }));
        kept.materialized_until = horizon.until;
        store::save_series(tx.conn(), site, &kept).await?;
        let place = Place {
            service: &service,
            schedule: &schedule,
            caller: &self.caller,
        };
        // The business wanted them all when it made the series: what got in the way since stands beside them, on record.
        let word = Word {
            allow_overlap: true,
            ..Word::default()
        };
        Ok(apply(tx, place, &changes, &existing, word).await?.made)
    }
}

impl Service {
    /// Makes a series of sessions: all up to its end, or those of the next year and a little more if it has none. The
    /// rest follows as time goes by. Refused where resources are busy at one of the times, unless the business wants it
    /// so.
    pub async fn create_session_series(
        &self,
        caller: &Caller,
        input: CreateSessionSeries,
        key: Option<IdempotencyKey>,
    ) -> Result<SessionSeries, Error> {
        access::require(Permission::ManageCatalog, caller)?;
        let command = Create {
            caller: caller.clone(),
            id: SeriesId::new(),
            input,
        };
        self.once(caller, "createSessionSeries", key, command).await
    }

    /// Makes the sessions of a series for a while more, if that is due. Says how many there were; doing it twice does
    /// nothing.
    pub async fn extend_series(&self, site: SiteId, id: SeriesId) -> Result<usize, Failure> {
        let caller = Caller::system(site);
        self.db.write(Extend { caller, id }).await
    }

    /// The series with these ids.
    pub async fn series_by_id(&self, caller: &Caller, ids: Vec<SeriesId>) -> Result<Vec<SessionSeries>, Error> {
        access::require(Permission::ReadCatalog, caller)?;
        let site = caller.site;
        let found = self
            .db()
            .read(move |conn| Box::pin(async move { store::find_many_series(conn, site, &ids).await }));
        Ok(found.await?)
    }
}
