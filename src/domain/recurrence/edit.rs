//! Changes of a series: one session, this one and all that follow, or all (§3.5).

use jiff::{SignedDuration, Timestamp, civil::DateTime};

use super::{
    expand::after,
    plan::{begun, keep, plan},
    rule::Recurrence,
    series::{Change, Inherited, Instance, Overrides, OwnTime, ResourceUse, Series, SeriesError, Template, end_of},
};
use crate::domain::{
    booking::Location,
    ids::SeriesId,
    rejection::{Field, Invalid},
    time::ZoneName,
};

/// What changes of one session. What is left out stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InstanceEdit {
    /// The wall clock at its start. Without a new end the session stays as long as it is.
    pub local_start: Option<DateTime>,
    /// The wall clock at its end.
    pub local_end: Option<DateTime>,
    /// The zone of that clock.
    pub time_zone: Option<ZoneName>,
    /// Its title.
    pub title: Option<String>,
    /// Its seats.
    pub capacity: Option<i32>,
    /// Who and what it needs, all of them.
    pub resources: Option<Vec<ResourceUse>>,
    /// Whether none of them is kept busy.
    pub transparent: Option<bool>,
    /// Where: another place, or the service's.
    pub location: Option<Option<Location>>,
}

/// What changes of a series. What is left out stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SeriesEdit {
    /// The wall clock at the start of the first session: of the series, even if that one is over, or of the rest that
    /// changes. [`Series::first_if`] finds it from any other session. Without a new rule, the rule's dates and end move
    /// by as much.
    pub local_start: Option<DateTime>,
    /// The wall clock at its end. Left out, sessions stay as long as they are.
    pub local_end: Option<DateTime>,
    /// Another rule; with it come all its dates.
    pub recurrence: Option<Recurrence>,
    /// The zone of the clock: sessions keep their wall clock in it (§12 A8).
    pub time_zone: Option<ZoneName>,
    /// The title.
    pub title: Option<String>,
    /// The seats.
    pub capacity: Option<i32>,
    /// Who and what they need, all of them.
    pub resources: Option<Vec<ResourceUse>>,
    /// Whether none of them is kept busy.
    pub transparent: Option<bool>,
    /// Where: another place, or the service's.
    pub location: Option<Option<Location>>,
}

/// A series after a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edited {
    /// The old series up to the change, where the change made a new one of the rest.
    pub ended: Option<Series>,
    /// The series that changed, or the new one.
    pub series: Series,
    /// What has to be done with the stored sessions, and which ones are to be made.
    pub changes: Vec<Change>,
}

/// Changes one session. It keeps from then on what is set here, whatever becomes of the series; a start and end that
/// are the rule's make it follow the rule's time again. Refuses a cancelled session and an end that isn't after the
/// start.
pub fn edit_one(series: &Series, instance: &Instance, edit: &InstanceEdit) -> Result<Change, SeriesError> {
    if instance.cancelled {
        return Err(SeriesError::Cancelled);
    }
    let mut own = instance.own.clone();
    let (start, end) = series.clock(instance.key.original_start, &own)?;
    if edit.local_start.is_some() || edit.local_end.is_some() {
        let new_start = edit.local_start.unwrap_or(start);
        let new_end = match edit.local_end {
            Some(end) => end,
            None => end_of(new_start, end.duration_since(start))?,
        };
        if new_end <= new_start {
            return Err(Invalid::new(Field::Date, "must be after `localStart`")
                .at("localEnd")
                .into());
        }
        let length = new_end.duration_since(new_start);
        own.time = if new_start != instance.key.original_start {
            Some(OwnTime::Moved {
                local_start: new_start,
                local_end: new_end,
            })
        } else if length == series.template.length() {
            None
        } else {
            Some(OwnTime::Length(length))
        };
    }
    set(&mut own.time_zone, edit.time_zone.as_ref());
    set(&mut own.title, edit.title.as_ref());
    set(&mut own.capacity, edit.capacity.as_ref());
    set(&mut own.resources, edit.resources.as_ref());
    set(&mut own.transparent, edit.transparent.as_ref());
    set(&mut own.location, edit.location.as_ref());
    rewrite(series, instance, own)
}

fn set<T: Clone>(field: &mut Option<T>, value: Option<&T>) {
    if let Some(value) = value {
        *field = Some(value.clone());
    }
}

fn rewrite(series: &Series, instance: &Instance, own: Overrides) -> Result<Change, SeriesError> {
    let details = series.details(instance.key.original_start, &own)?;
    if own == instance.own && details == instance.details {
        return Ok(keep(instance));
    }
    Ok(Change::Update {
        session: instance.session,
        key: instance.key,
        own,
        details,
    })
}

/// Lets a session follow its series again in some fields. Refuses a cancelled session.
pub fn restore(series: &Series, instance: &Instance, fields: &[Inherited]) -> Result<Change, SeriesError> {
    if instance.cancelled {
        return Err(SeriesError::Cancelled);
    }
    let mut own = instance.own.clone();
    for field in fields {
        own.clear(*field);
    }
    rewrite(series, instance, own)
}

/// Calls one session off; it stays a hole in the series.
#[must_use]
pub fn cancel_one(instance: &Instance) -> Change {
    if instance.cancelled {
        return keep(instance);
    }
    Change::Cancel {
        session: instance.session,
    }
}

/// Changes all sessions that haven't begun at `now`; see [`plan`] for what `existing` and `horizon` are. Refuses a
/// start on a day that the rule doesn't have, unless a rule comes with it.
pub fn edit_all(
    series: &Series,
    edit: &SeriesEdit,
    existing: &[Instance],
    horizon: DateTime,
    now: Timestamp,
) -> Result<Edited, SeriesError> {
    let edited = changed(series, edit)?;
    let changes = plan(&edited, Some(series), existing, horizon, now)?;
    Ok(Edited {
        ended: None,
        series: edited,
        changes,
    })
}

/// Changes the session at `from` (its original start) and all that follow: the series ends before it, and a new one
/// with the id `new` goes on, with the later sessions and what they have of their own. From the first session on it is
/// [`edit_all`], and the series stays one. Refuses a time at which the series has no session, a session that has begun
/// at `now`, and the last one.
pub fn edit_following(
    series: &Series,
    from: DateTime,
    edit: &SeriesEdit,
    new: SeriesId,
    existing: &[Instance],
    horizon: DateTime,
    now: Timestamp,
) -> Result<Edited, SeriesError> {
    let template = &series.template;
    let recurrence = &series.recurrence;
    check_pivot(series, from, existing, now)?;
    if recurrence.continuing_from(template.local_start, after(from)).is_none() {
        return Err(SeriesError::NoneAfter);
    }
    let Some(ended) = part(series, series.id, recurrence.ending_before(template.local_start, from))? else {
        return edit_all(series, edit, existing, horizon, now);
    };
    let rest = part(series, new, recurrence.continuing_from(template.local_start, from))?;
    let rest = rest.ok_or(SeriesError::NoOccurrence(from))?;
    let edited = changed(&rest, edit)?;
    let (earlier, later): (Vec<Instance>, Vec<Instance>) = existing
        .iter()
        .cloned()
        .partition(|instance| instance.key.original_start < from);
    let mut changes = plan(&edited, Some(&rest), &later, horizon, now)?;
    changes.extend(earlier.iter().map(keep));
    Ok(Edited {
        ended: Some(ended),
        series: edited,
        changes,
    })
}

fn check_pivot(series: &Series, from: DateTime, existing: &[Instance], now: Timestamp) -> Result<(), SeriesError> {
    if !series.recurrence.contains(series.template.local_start, from)? {
        return Err(SeriesError::NoOccurrence(from));
    }
    let starts = match existing.iter().find(|instance| instance.key.original_start == from) {
        Some(instance) => instance.details.time.span.start(),
        None => series.details(from, &Overrides::default())?.time.span.start(),
    };
    if starts <= now { Err(SeriesError::Begun) } else { Ok(()) }
}

/// The series with a part of its rule. Its template begins with the part.
fn part(series: &Series, id: SeriesId, part: Option<(DateTime, Recurrence)>) -> Result<Option<Series>, SeriesError> {
    let Some((local_start, recurrence)) = part else {
        return Ok(None);
    };
    Ok(Some(Series {
        id,
        recurrence,
        template: Template {
            local_start,
            local_end: end_of(local_start, series.template.length())?,
            ..series.template.clone()
        },
    }))
}

fn changed(series: &Series, edit: &SeriesEdit) -> Result<Series, SeriesError> {
    let mut template = series.template.clone();
    let length = template.length();
    template.local_start = edit.local_start.unwrap_or(template.local_start);
    template.local_end = match edit.local_end {
        Some(end) => end,
        None => end_of(template.local_start, length)?,
    };
    template.time_zone = edit.time_zone.clone().unwrap_or(template.time_zone);
    template.title = edit.title.clone().unwrap_or(template.title);
    template.capacity = edit.capacity.unwrap_or(template.capacity);
    template.resources = edit.resources.clone().unwrap_or(template.resources);
    template.transparent = edit.transparent.unwrap_or(template.transparent);
    template.location = edit.location.clone().unwrap_or(template.location);
    let recurrence = if let Some(recurrence) = &edit.recurrence {
        recurrence.clone()
    } else {
        let shift: SignedDuration = template.local_start.duration_since(series.template.local_start);
        let shifted = series.recurrence.shifted(shift)?;
        if shifted
            .anchor(template.local_start)
            .is_ok_and(|anchor| anchor != template.local_start)
        {
            return Err(SeriesError::OffTheRule(template.local_start));
        }
        shifted
    };
    Series::new(series.id, recurrence, template)
}

/// Calls off the session at `from` (its original start) and all that follow, but none that has begun at `now`. The
/// series that is left, if there is one, ends before it. Refuses a time at which the series has no session.
pub fn cancel_following(
    series: &Series,
    from: DateTime,
    existing: &[Instance],
    now: Timestamp,
) -> Result<(Option<Series>, Vec<Change>), SeriesError> {
    check_pivot(series, from, existing, now)?;
    end(series, from, existing, |instance| {
        instance.key.original_start >= from && !begun(instance, now)
    })
}

/// Calls off all sessions that haven't begun at `now` (§3.5: past ones remain). The series that is left, if there is
/// one, ends at that time.
pub fn cancel_all(
    series: &Series,
    existing: &[Instance],
    now: Timestamp,
) -> Result<(Option<Series>, Vec<Change>), SeriesError> {
    let here = after(series.template.time_zone.local(now));
    end(series, here, existing, |instance| !begun(instance, now))
}

fn end(
    series: &Series,
    at: DateTime,
    existing: &[Instance],
    goes: impl Fn(&Instance) -> bool,
) -> Result<(Option<Series>, Vec<Change>), SeriesError> {
    let left = series.recurrence.ending_before(series.template.local_start, at);
    let change = |instance: &Instance| {
        if goes(instance) {
            cancel_one(instance)
        } else {
            keep(instance)
        }
    };
    let mut changes: Vec<Change> = existing.iter().map(change).collect();
    changes.sort_by_key(|change| matches!(change, Change::Keep { .. }));
    Ok((part(series, series.id, left)?, changes))
}
