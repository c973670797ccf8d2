//! Changes of sessions that are of a series: one, this one and all that follow, or all (§3.5).

use super::{
    super::{CancelSession, Removed, SessionChanges, UpdateSession, check_revision, check_seats, locations},
    Horizon, Leaving, Place, Scope, Word, apply, check_template, in_order, instances, parse_rule, refusal, whole,
};
use crate::{
    domain::{
        Rejection,
        catalog::{Session, SessionSeries},
        ids::{Kind, SeriesId},
        recurrence::{self, Inherited, InstanceEdit, Recurrence, ResourceUse, SeriesEdit},
    },
    store::{Failure, StoreError, Tx, catalog as store},
};

/// The series of a session, if it is of one.
pub(super) async fn series_of(tx: &mut Tx<'_>, session: &Session) -> Result<Option<SessionSeries>, Failure> {
    let Some(place) = &session.series else { return Ok(None) };
    let (site, id) = (tx.site(), place.id);
    let found = store::find_series(tx.conn(), site, id).await?;
    Ok(Some(found.ok_or_else(missing_series)?))
}

/// Refuses a change that was meant for another revision of the session's series.
pub(in crate::service::catalog) async fn check_series_revision(
    tx: &mut Tx<'_>,
    session: &Session,
    expected: Option<i64>,
) -> Result<(), Failure> {
    if expected.is_some()
        && let Some(series) = series_of(tx, session).await?
    {
        check_revision(Kind::Series, series.revision, expected)?;
    }
    Ok(())
}

fn missing_series() -> StoreError {
    StoreError::Corrupt("a session without its series".to_owned())
}

async fn again(tx: &mut Tx<'_>, session: &Session) -> Result<Session, Failure> {
    let (site, id) = (tx.site(), session.id);
    let found = store::find_session(tx.conn(), site, id).await?;
    Ok(found.ok_or_else(|| StoreError::Corrupt("a session that was there a moment ago".to_owned()))?)
}

/// Changes one session of a series: it keeps from then on what is set.
pub(in crate::service::catalog) async fn update_one(
    tx: &mut Tx<'_>,
    place: Place<'_>,
    session: &Session,
    input: &UpdateSession,
) -> Result<Session, Failure> {
    let changes = &input.changes;
    check_template(changes.title.as_deref(), changes.capacity)?;
    let kept = series_of(tx, session).await?.ok_or_else(missing_series)?;
    let instance = session.instance().ok_or_else(missing_series)?;
    let location = locations::change_of_session(tx, place.service, &changes.location).await?;
    let edit = InstanceEdit {
        local_start: changes.local_start.map(whole),
        local_end: changes.local_end.map(whole),
        time_zone: changes.time_zone.clone(),
        title: changes.title.clone(),
        capacity: changes.capacity,
        resources: resources(tx, changes).await?,
        transparent: changes.transparent,
        location: location.given(),
    };
    let change = recurrence::edit_one(&kept.series, &instance, &edit).map_err(refusal)?;
    apply(tx, place, &[change], std::slice::from_ref(session), word(input)).await?;
    again(tx, session).await
}

/// Lets a session follow its series again in some fields.
pub(in crate::service::catalog) async fn restore(
    tx: &mut Tx<'_>,
    place: Place<'_>,
    session: &Session,
    fields: &[Inherited],
    word: Word,
) -> Result<Session, Failure> {
    let alone = || Rejection::invalid(&["sessionId"], "is of a session that is of no series");
    let kept = series_of(tx, session).await?.ok_or_else(alone)?;
    let instance = session.instance().ok_or_else(missing_series)?;
    let change = recurrence::restore(&kept.series, &instance, fields).map_err(refusal)?;
    apply(tx, place, &[change], std::slice::from_ref(session), word).await?;
    again(tx, session).await
}

fn word(input: &UpdateSession) -> Word {
    Word {
        allow_overlap: input.allow_overlap,
        move_bookings: input.move_bookings,
        cancel_bookings: input.cancel_bookings,
        leaving: Leaving::Hole,
    }
}

async fn resources(tx: &mut Tx<'_>, changes: &SessionChanges) -> Result<Option<Vec<ResourceUse>>, Failure> {
    Ok(match &changes.resources {
        Some(resources) => Some(in_order(tx, resources).await?),
        None => None,
    })
}

/// A series that can be changed, with the place of the session in it.
async fn changeable(tx: &mut Tx<'_>, session: &Session) -> Result<(SessionSeries, jiff::civil::DateTime), Failure> {
    let alone = || Rejection::invalid(&["scope"], "is for sessions of a series, and this one is of none");
    let kept = series_of(tx, session).await?.ok_or_else(alone)?;
    if kept.cancelled.is_some() {
        return Err(Rejection::invalid(&["scope"], "is of a series that was cancelled").into());
    }
    let from = session.series.as_ref().ok_or_else(alone)?.original_start;
    Ok((kept, from))
}

/// A change of several sessions of a series.
pub(in crate::service::catalog) struct UpdateMany<'a> {
    pub(in crate::service::catalog) place: Place<'a>,
    pub(in crate::service::catalog) input: &'a UpdateSession,
    /// What the series of the rest is to be known by, if there will be one.
    pub(in crate::service::catalog) rest: SeriesId,
}

impl UpdateMany<'_> {
    /// The session that was named, as it is then.
    pub(in crate::service::catalog) async fn run(
        &self,
        tx: &mut Tx<'_>,
        session: &Session,
    ) -> Result<Session, Failure> {
        let (input, site) = (self.input, tx.site());
        let (mut kept, from) = changeable(tx, session).await?;
        check_seats(self.place.service, input.changes.capacity)?;
        check_template(input.changes.title.as_deref(), input.changes.capacity)?;
        let edit = self.edit(tx, &kept, from).await?;
        let existing = store::sessions_of_series(tx.conn(), site, kept.series.id).await?;
        let (all, now) = (instances(&existing), tx.now());
        let template = &kept.series.template;
        let recurrence = edit.recurrence.as_ref().unwrap_or(&kept.series.recurrence);
        let zone = edit.time_zone.as_ref().unwrap_or(&template.time_zone);
        let start = edit.local_start.unwrap_or(template.local_start);
        let horizon = Horizon::of(recurrence, start, zone, now);
        let edited = if input.scope == Scope::ThisAndFollowing {
            recurrence::edit_following(&kept.series, from, &edit, self.rest, &all, horizon.local, now)
        } else {
            recurrence::edit_all(&kept.series, &edit, &all, horizon.local, now)
        };
        let edited = edited.map_err(refusal)?;
        kept.revision += 1;
        kept.updated = now;
        if let Some(ended) = edited.ended {
            let rest = SessionSeries {
                series: edited.series,
                materialized_until: horizon.until,
                revision: 1,
                created: now,
                ..kept.clone()
            };
            kept.series = ended;
            kept.materialized_until = None;
            store::insert_series(tx.conn(), site, &rest).await?;
        } else {
            kept.series = edited.series;
            kept.materialized_until = horizon.until;
        }
        store::save_series(tx.conn(), site, &kept).await?;
        let word = Word {
            leaving: Leaving::Nothing,
            ..word(input)
        };
        apply(tx, self.place, &edited.changes, &existing, word).await?;
        again(tx, session).await
    }

    async fn edit(
        &self,
        tx: &mut Tx<'_>,
        kept: &SessionSeries,
        from: jiff::civil::DateTime,
    ) -> Result<SeriesEdit, Failure> {
        let (changes, series) = (&self.input.changes, &kept.series);
        let template = &series.template;
        let zone = changes.time_zone.as_ref().unwrap_or(&template.time_zone);
        // What is said of this session is meant for where the part that changes begins: here, or with the whole series.
        let before = || series.recurrence.ending_before(template.local_start, from);
        let all = self.input.scope == Scope::All || before().is_none();
        let first = |at| if all { series.first_if(from, at) } else { at };
        let local_start = changes.local_start.map(whole).map(first);
        let begins = local_start.unwrap_or(if all { template.local_start } else { from });
        let recurrence: Option<Recurrence> = match &self.input.recurrence {
            Some(text) => Some(parse_rule(text, zone, begins.date())?),
            None => None,
        };
        let location = locations::change_of_session(tx, self.place.service, &changes.location).await?;
        Ok(SeriesEdit {
            local_start,
            local_end: changes.local_end.map(whole).map(first),
            recurrence,
            time_zone: changes.time_zone.clone(),
            title: changes.title.clone(),
            capacity: changes.capacity,
            resources: resources(tx, changes).await?,
            transparent: changes.transparent,
            location: location.given(),
        })
    }
}

/// Several sessions of a series that are not to take place.
pub(in crate::service::catalog) struct CancelMany<'a> {
    pub(in crate::service::catalog) place: Place<'a>,
    pub(in crate::service::catalog) input: &'a CancelSession,
}

impl CancelMany<'_> {
    /// The session that was named, as it is then.
    pub(in crate::service::catalog) async fn run(
        &self,
        tx: &mut Tx<'_>,
        session: &Session,
    ) -> Result<Removed<Session>, Failure> {
        let (input, site) = (self.input, tx.site());
        let (mut kept, from) = changeable(tx, session).await?;
        let existing = store::sessions_of_series(tx.conn(), site, kept.series.id).await?;
        let (all, now) = (instances(&existing), tx.now());
        let (left, changes) = if input.scope == Scope::ThisAndFollowing {
            recurrence::cancel_following(&kept.series, from, &all, now).map_err(refusal)?
        } else {
            recurrence::cancel_all(&kept.series, &all, now).map_err(refusal)?
        };
        match left {
            Some(left) => kept.series = left,
            None => kept.cancelled = Some(now),
        }
        kept.materialized_until = None;
        kept.revision += 1;
        kept.updated = now;
        store::save_series(tx.conn(), site, &kept).await?;
        let word = Word {
            cancel_bookings: input.cancel_bookings,
            ..Word::default()
        };
        let applied = apply(tx, self.place, &changes, &existing, word).await?;
        Ok(Removed {
            object: again(tx, session).await?,
            canceled_bookings: applied.canceled_bookings,
        })
    }
}
