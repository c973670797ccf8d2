//! A timetable as sessions of a schedule.

use jiff::civil::DateTime;

use super::{
    super::{
        CancelSession, Change, Edit, Scope, SessionChanges, Under, UpdateSession, check_session, follow, locations,
        lock_schedule, offer_changed, seats_of,
        series::{self, Horizon, Leaving, Place, Word, apply, check_template, instances, make, refusal},
        sessions,
    },
    Run,
    known::{Fate, Fresh, Known, Name, fingerprint, fingerprint_of_all},
};
use crate::{
    domain::{
        Rejection,
        booking::{Location, LocationType},
        catalog::{LocationWish, Schedule, Service as Offered, ServiceKind, Session, SessionStatus},
        conflict::Target,
        icalendar::{EventDetails, ImportedEvent, ImportedException, Timetable},
        ids::{ScheduleId, SeriesId, SessionId},
        recurrence::{
            InstanceEdit, Recurrence, Series, SeriesEdit, Template, cancel_one, edit_all, edit_one, plan, wall_time,
        },
        text,
        time::TimeSpan,
    },
    service::bookings::Ledger,
    store::{Command as _, Failure, StoreError, Tx, catalog as store, imports::Made},
};

/// The longest name of a place; what is longer is an address.
const PLACE_NAME: usize = 150;

fn place(details: &EventDetails) -> Result<Option<Location>, Rejection> {
    let Some(place) = &details.place else { return Ok(None) };
    let place = text::bounded(place, 512).map_err(|invalid| Rejection::from(invalid.at("location")))?;
    let short = place.chars().count() <= PLACE_NAME;
    let (name, formatted_address) = if short {
        (Some(place), None)
    } else {
        (None, Some(place))
    };
    Ok(Some(Location {
        id: None,
        location_type: LocationType::OwnerCustom,
        name,
        formatted_address,
    }))
}

fn missing(what: &str) -> StoreError {
    StoreError::Corrupt(format!("an imported {what} that isn't there"))
}

/// One time of an event.
struct Single<'a> {
    details: &'a EventDetails,
    times: (DateTime, DateTime),
}

impl<'a> Single<'a> {
    fn of(details: &'a EventDetails) -> Self {
        Self {
            details,
            times: (details.local_start, details.local_end),
        }
    }
}

impl Run {
    /// Each event that isn't over: as a series if it repeats.
    pub(super) async fn sessions(
        &self,
        tx: &mut Tx<'_>,
        schedule: ScheduleId,
        known: &mut Known,
    ) -> Result<(), Failure> {
        let (service, run) = lock_schedule(tx, schedule).await?;
        series::check_kind(&service)?;
        let place = Place {
            service: &service,
            schedule: &run,
            caller: &self.caller,
        };
        for event in &self.timetable.events {
            self.at(event.line);
            if event.details.cancelled {
                known.imported.cancelled += 1;
                continue;
            }
            let name = known.name(event, event.original_start);
            match &event.recurrence {
                None => {
                    let single = Single::of(&event.details);
                    self.single(tx, place, known, &name, &single).await?;
                }
                Some(recurrence) => self.repeating(tx, schedule, known, event, recurrence).await?,
            }
        }
        self.make_fresh(tx, schedule, known).await?;
        for made in self.gone(tx, known).await? {
            if self.call_off(tx, made).await? {
                known.imported.gone += 1;
            }
        }
        Ok(())
    }

    /// A session of its own. What is new is made at the end, with all others.
    async fn single(
        &self,
        tx: &mut Tx<'_>,
        at: Place<'_>,
        known: &mut Known,
        name: &Name,
        event: &Single<'_>,
    ) -> Result<(), Failure> {
        let (details, (start, end)) = (event.details, event.times);
        known.see(name);
        if end <= start {
            known.imported.timeless += 1;
            return Ok(());
        }
        let time = wall_time(start, end, &details.time_zone).map_err(Rejection::from)?;
        if time.span.end() <= tx.now() {
            known.imported.over += 1;
            return Ok(());
        }
        let print = fingerprint(details, event.times);
        match known.fate(name, &print) {
            Fate::Left => {
                known.imported.left += 1;
                return Ok(());
            }
            Fate::Changed(Made::Session(id)) => {
                known.imported.changed += 1;
                self.change(tx, id, event).await?;
                return known.keep(tx, name, print, Made::Session(id)).await;
            }
            Fate::Changed(other) => {
                known.imported.changed += 1;
                self.call_off(tx, other).await?;
            }
            Fate::New => known.imported.new += 1,
        }
        let wish = place(details)?.as_ref().map(LocationWish::from);
        let now = tx.now();
        let session = Session {
            id: SessionId::new(),
            schedule: at.schedule.id,
            service: at.service.id,
            title: details.title.clone().unwrap_or_else(|| at.service.name.clone()),
            local_start: time.local_start,
            local_end: time.local_end,
            time_zone: time.time_zone,
            span: time.span,
            capacity: at.schedule.capacity,
            status: SessionStatus::Confirmed,
            resources: Vec::new(),
            transparent: details.transparent,
            location: locations::of_session(tx, at.service, wish.as_ref()).await?,
            series: None,
            revision: 1,
            created: now,
            updated: now,
        };
        check_session(&session)?;
        known.imported.made += 1;
        known.fresh.push(Fresh {
            name: name.clone(),
            fingerprint: print,
            session,
        });
        Ok(())
    }

    /// Makes the new sessions. They need nobody, so nothing can be in their way; the run follows once, after all of them.
    async fn make_fresh(&self, tx: &mut Tx<'_>, schedule: ScheduleId, known: &mut Known) -> Result<(), Failure> {
        let fresh = std::mem::take(&mut known.fresh);
        if fresh.is_empty() {
            return Ok(());
        }
        let (service, run) = lock_schedule(tx, schedule).await?;
        let under = Under::Run(run.id);
        let (ledger, bookings) = if service.kind == ServiceKind::Course {
            let seen = under.find(tx).await?;
            under.lock(tx, &[seats_of(Target::Schedule(run.id))], &seen).await?
        } else {
            (Ledger::lock(tx, &[], None).await?, Vec::new())
        };
        let site = tx.site();
        for Fresh {
            name,
            fingerprint,
            mut session,
        } in fresh
        {
            (session.created, session.updated) = (ledger.now(), ledger.now());
            store::insert_session(tx.conn(), site, &session).await?;
            offer_changed(tx, &session);
            known.keep(tx, &name, fingerprint, Made::Session(session.id)).await?;
        }
        follow(tx, &ledger, &service, &run, &bookings, &self.caller).await
    }

    /// A session that says something else now. One that was cancelled here stays so.
    async fn change(&self, tx: &mut Tx<'_>, id: SessionId, event: &Single<'_>) -> Result<(), Failure> {
        let site = tx.site();
        let found = store::find_session(tx.conn(), site, id).await?;
        let before = found.ok_or_else(|| missing("session"))?;
        if before.status == SessionStatus::Cancelled {
            return Ok(());
        }
        let (details, (start, end)) = (event.details, event.times);
        let update = sessions::Update {
            caller: self.caller.clone(),
            rest: SeriesId::new(),
            input: UpdateSession {
                edit: edit_of(id),
                scope: Scope::This,
                expected_series_revision: None,
                changes: SessionChanges {
                    local_start: Some(start),
                    local_end: Some(end),
                    time_zone: Some(details.time_zone.clone()),
                    title: details.title.clone(),
                    capacity: None,
                    resources: None,
                    transparent: Some(details.transparent),
                    location: place(details)?
                        .as_ref()
                        .map_or(Change::Clear, |place| Change::Set(place.into())),
                },
                recurrence: None,
                allow_overlap: self.import.allow_overlap,
                move_bookings: false,
                cancel_bookings: false,
            },
        };
        update.run(tx).await?;
        Ok(())
    }

    /// Calls off what an event became, as far as it hasn't begun. Says whether there was anything.
    async fn call_off(&self, tx: &mut Tx<'_>, made: Made) -> Result<bool, Failure> {
        let (site, now) = (tx.site(), tx.now());
        let sessions = match made {
            Made::Session(id) => store::find_session(tx.conn(), site, id).await?.into_iter().collect(),
            Made::Series(id) => store::sessions_of_series(tx.conn(), site, id).await?,
            Made::Block(_) => Vec::new(),
        };
        let upcoming = |session: &&Session| session.status == SessionStatus::Confirmed && session.span.start() > now;
        let Some(session) = sessions.iter().find(upcoming) else {
            return Ok(false);
        };
        let cancel = sessions::Cancel {
            caller: self.caller.clone(),
            input: CancelSession {
                edit: edit_of(session.id),
                scope: if matches!(made, Made::Series(_)) {
                    Scope::All
                } else {
                    Scope::This
                },
                expected_series_revision: None,
                cancel_bookings: false,
            },
        };
        cancel.run(tx).await?;
        Ok(true)
    }

    /// A series, if its rule can be kept; else a session for each time within the next year.
    async fn repeating(
        &self,
        tx: &mut Tx<'_>,
        schedule: ScheduleId,
        known: &mut Known,
        event: &ImportedEvent,
        recurrence: &Recurrence,
    ) -> Result<(), Failure> {
        let name = known.name(event, None);
        known.see(&name);
        for exception in &event.exceptions {
            let name = known.name(event, Some(exception.original_start));
            known.see(&name);
        }
        let (service, run) = lock_schedule(tx, schedule).await?;
        let template = Self::template(&service, &run, event)?;
        let before = known.made(&name);
        let id = match before {
            Some(Made::Series(id)) => id,
            _ => SeriesId::new(),
        };
        let now = tx.now();
        let series = Series::new(id, recurrence.clone(), template);
        let planned = series.and_then(|series| {
            let mut horizon = Horizon::of_series(&series, now);
            if let (Some(_), Some(last)) = (horizon.until, event.exceptions.last()) {
                // What is different later than that has to be there to be different.
                let behind = last.original_start.checked_add(jiff::SignedDuration::from_hours(24));
                horizon.local = horizon.local.max(behind.unwrap_or(last.original_start));
                horizon.until = series.template.time_zone.instant(horizon.local);
            }
            let changes = plan(&series, None, &[], horizon.local, now)?;
            Ok((series, horizon, changes))
        });
        let place = Place {
            service: &service,
            schedule: &run,
            caller: &self.caller,
        };
        let Ok((series, horizon, changes)) = planned else {
            return self.each(tx, place, known, event).await;
        };
        let print = fingerprint_of_all(event);
        match known.fate(&name, &print) {
            Fate::Left => {
                known.imported.left += 1;
                return Ok(());
            }
            Fate::Changed(Made::Series(id)) => {
                known.imported.changed += 1;
                self.change_series(tx, place, id, &series, &horizon).await?;
            }
            fate => {
                if let Fate::Changed(other) = fate {
                    known.imported.changed += 1;
                    self.call_off(tx, other).await?;
                } else if changes.is_empty() {
                    known.imported.over += 1;
                    return Ok(());
                } else {
                    known.imported.new += 1;
                }
                known.imported.made += changes.len();
                make(tx, place, series.clone(), &changes, horizon.until, Word::default()).await?;
            }
        }
        known.keep(tx, &name, print, Made::Series(id)).await?;
        self.exceptions(tx, schedule, known, event, &series).await
    }

    fn template(service: &Offered, run: &Schedule, event: &ImportedEvent) -> Result<Template, Rejection> {
        let details = &event.details;
        check_template(details.title.as_deref(), None)?;
        Ok(Template {
            local_start: details.local_start,
            local_end: details.local_end,
            time_zone: details.time_zone.clone(),
            title: details.title.clone().unwrap_or_else(|| service.name.clone()),
            capacity: run.capacity,
            resources: Vec::new(),
            transparent: details.transparent,
            location: place(details)?,
        })
    }

    /// A session for each time within the next year of what can't be a series.
    async fn each(
        &self,
        tx: &mut Tx<'_>,
        place: Place<'_>,
        known: &mut Known,
        event: &ImportedEvent,
    ) -> Result<(), Failure> {
        let now = tx.now();
        let until = now.checked_add(series::AHEAD).unwrap_or(now);
        let Some(within) = TimeSpan::new(now, until) else {
            return Ok(());
        };
        let alone = Timetable {
            name: None,
            events: vec![event.clone()],
            superseded: 0,
        };
        let occurrences = alone
            .occurrences(within)
            .map_err(|error| Rejection::invalid(&["recurrence"], error.to_string()))?;
        for occurrence in occurrences {
            let zone = &occurrence.details.time_zone;
            let start = zone.local(occurrence.start);
            let end = occurrence.span.map_or(start, |span| zone.local(span.end()));
            let name = known.name(event, Some(occurrence.original_start));
            let single = Single {
                details: occurrence.details,
                times: (start, end),
            };
            self.single(tx, place, known, &name, &single).await?;
        }
        Ok(())
    }

    /// Makes a series what the file says now. What single sessions have of their own they keep.
    async fn change_series(
        &self,
        tx: &mut Tx<'_>,
        place: Place<'_>,
        id: SeriesId,
        series: &Series,
        horizon: &Horizon,
    ) -> Result<(), Failure> {
        let (site, now) = (tx.site(), tx.now());
        let found = store::find_series(tx.conn(), site, id).await?;
        let mut kept = found.ok_or_else(|| missing("series"))?;
        if kept.cancelled.is_some() {
            return Ok(());
        }
        let existing = store::sessions_of_series(tx.conn(), site, id).await?;
        let template = &series.template;
        let edit = SeriesEdit {
            local_start: Some(template.local_start),
            local_end: Some(template.local_end),
            recurrence: Some(series.recurrence.clone()),
            time_zone: Some(template.time_zone.clone()),
            title: Some(template.title.clone()),
            capacity: None,
            resources: None,
            transparent: Some(template.transparent),
            location: Some(template.location.clone()),
        };
        let edited = edit_all(&kept.series, &edit, &instances(&existing), horizon.local, now).map_err(refusal)?;
        kept.series = edited.series;
        kept.materialized_until = horizon.until;
        kept.revision += 1;
        kept.updated = now;
        store::save_series(tx.conn(), site, &kept).await?;
        let word = Word {
            leaving: Leaving::Nothing,
            ..Word::default()
        };
        apply(tx, place, &edited.changes, &existing, word).await?;
        Ok(())
    }

    /// What is different in single sessions; one that the rule doesn't have is a session of its own.
    async fn exceptions(
        &self,
        tx: &mut Tx<'_>,
        schedule: ScheduleId,
        known: &mut Known,
        event: &ImportedEvent,
        series: &Series,
    ) -> Result<(), Failure> {
        if event.exceptions.is_empty() {
            return Ok(());
        }
        let site = tx.site();
        let kept = store::find_series(tx.conn(), site, series.id).await?;
        let series = kept.ok_or_else(|| missing("series"))?.series;
        let existing = store::sessions_of_series(tx.conn(), site, series.id).await?;
        let now = tx.now();
        let mut changes = Vec::new();
        let (service, run) = lock_schedule(tx, schedule).await?;
        let place = Place {
            service: &service,
            schedule: &run,
            caller: &self.caller,
        };
        for exception in &event.exceptions {
            self.at(exception.line);
            let at = exception.original_start;
            let session = existing
                .iter()
                .find(|session| session.series.as_ref().is_some_and(|place| place.original_start == at));
            match session {
                Some(session) if session.span.start() <= now || session.status == SessionStatus::Cancelled => {}
                Some(session) => {
                    let instance = session.instance().ok_or_else(|| missing("session"))?;
                    if exception.details.cancelled {
                        changes.push(cancel_one(&instance));
                    } else {
                        let edit = different(&series, exception)?;
                        changes.push(edit_one(&series, &instance, &edit).map_err(refusal)?);
                    }
                }
                None if exception.details.cancelled => {}
                None => {
                    let name = known.name(event, Some(at));
                    self.single(tx, place, known, &name, &Single::of(&exception.details))
                        .await?;
                }
            }
        }
        self.at(event.line);
        apply(tx, place, &changes, &existing, Word::default()).await?;
        Ok(())
    }
}

fn edit_of(id: SessionId) -> Edit<SessionId> {
    Edit {
        id,
        expected_revision: None,
        idempotency: None,
    }
}

/// What an occurrence has of its own: only that in which it is different.
fn different(series: &Series, exception: &ImportedException) -> Result<InstanceEdit, Rejection> {
    let (template, details) = (&series.template, &exception.details);
    check_template(details.title.as_deref(), None)?;
    let length = details.local_end.duration_since(details.local_start);
    let moved = details.local_start != exception.original_start || length != template.length();
    let title = details.title.clone().filter(|title| *title != template.title);
    let location = place(details)?;
    Ok(InstanceEdit {
        local_start: moved.then_some(details.local_start),
        local_end: moved.then_some(details.local_end),
        time_zone: (details.time_zone != template.time_zone).then(|| details.time_zone.clone()),
        title,
        capacity: None,
        resources: None,
        transparent: (details.transparent != template.transparent).then_some(details.transparent),
        location: (location != template.location).then_some(location),
    })
}
