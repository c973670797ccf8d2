//! What has to be done so that the stored sessions are what the series says.

use std::collections::BTreeMap;

use jiff::{
    SignedDuration, Timestamp,
    civil::{DateTime, Time},
};

use super::{
    expand::{Window, after},
    instants::{Occurrence, timed},
    series::{Change, Instance, InstanceKey, Overrides, Series, SeriesError},
};

/// The changes that make the stored sessions those of `series`, up to `horizon` (local; not in it).
///
/// The same function makes a new series (nothing exists), extends one (`before` is `series`, the horizon is later)
/// and carries out a change of one (`before` is what it was). `existing` are the stored sessions of the series,
/// cancelled ones too; ones of days gone by may be left out, unless the series moves forward by days. Sessions that have begun at `now` are left
/// as they are, and none is made in the past. Each session stays itself: it goes to the time that the rule has at the
/// same local time, else to the one as far from its own as the series has moved, else to the one on the same day. A
/// session for which there is none is cancelled. Sessions with fields of their own keep those and follow in all else
/// (§3.5); cancelled ones stay holes.
///
/// Refuses what expansion refuses: more than `MAX_OCCURRENCES` times up to the horizon among it.
pub fn plan(
    series: &Series,
    before: Option<&Series>,
    existing: &[Instance],
    horizon: DateTime,
    now: Timestamp,
) -> Result<Vec<Change>, SeriesError> {
    let here = series.template.time_zone.local(now);
    let shift = before.map_or(SignedDuration::ZERO, |before| {
        series.template.local_start.duration_since(before.template.local_start)
    });
    let moved = |key: DateTime| key.checked_add(shift).unwrap_or(key);
    // A session that is over takes part only if the rule could want its place again.
    let (matched, over): (Vec<&Instance>, Vec<&Instance>) = existing.iter().partition(|instance| {
        let key = instance.key.original_start;
        !begun(instance, now) || key.max(moved(key)).date() >= here.date()
    });
    let keys = || matched.iter().map(|instance| instance.key.original_start);
    let places = || keys().chain(keys().map(moved));
    let window = Window {
        from: places()
            .chain([here])
            .min()
            .unwrap_or(here)
            .date()
            .to_datetime(Time::MIN),
        until: places().map(after).chain([horizon]).max().unwrap_or(horizon),
    };
    let template = &series.template;
    let occurrences = timed(
        &series.recurrence,
        template.local_start,
        template.length(),
        &template.time_zone,
        window,
    )?;
    let mut free: BTreeMap<DateTime, Occurrence> = occurrences.into_iter().map(|it| (it.original_start, it)).collect();
    for instance in &over {
        free.remove(&instance.key.original_start);
    }
    let places = assign(&matched, &mut free, moved);

    let mut changes: Vec<Change> = over.iter().map(|instance| keep(instance)).collect();
    for (instance, place) in matched.into_iter().zip(places) {
        changes.push(follow(series, instance, place, now)?);
    }
    for (original_start, occurrence) in free {
        if original_start < horizon && occurrence.time.span.start() > now {
            changes.push(Change::Insert {
                key: InstanceKey {
                    series: series.id,
                    original_start,
                },
                details: series.details(original_start, &Overrides::default())?,
            });
        }
    }
    changes.sort_by_key(order);
    Ok(changes)
}

pub(super) fn begun(instance: &Instance, now: Timestamp) -> bool {
    instance.details.time.span.start() <= now
}

pub(super) fn keep(instance: &Instance) -> Change {
    Change::Keep {
        session: instance.session,
    }
}

/// Takes for each session its place among the free ones; the closest way to say which it is goes first, for all of
/// them.
fn assign(
    instances: &[&Instance],
    free: &mut BTreeMap<DateTime, Occurrence>,
    moved: impl Fn(DateTime) -> DateTime,
) -> Vec<Option<DateTime>> {
    let mut places: Vec<Option<DateTime>> = vec![None; instances.len()];
    for way in [Way::Same, Way::Moved, Way::SameDay] {
        for (instance, place) in instances.iter().zip(&mut places).filter(|(_, place)| place.is_none()) {
            let key = instance.key.original_start;
            let range = match way {
                Way::Same => key..=key,
                Way::Moved => moved(key)..=moved(key),
                Way::SameDay => key.date().to_datetime(Time::MIN)..=key.date().to_datetime(Time::MAX),
            };
            *place = free.range(range).next().map(|(place, _)| *place);
            place.and_then(|place| free.remove(&place));
        }
    }
    places
}

/// How a session is known again in a changed rule.
#[derive(Clone, Copy)]
enum Way {
    Same,
    Moved,
    SameDay,
}

fn follow(
    series: &Series,
    instance: &Instance,
    place: Option<DateTime>,
    now: Timestamp,
) -> Result<Change, SeriesError> {
    let untouched = instance.cancelled || begun(instance, now);
    let Some(original_start) = place else {
        return Ok(if untouched {
            keep(instance)
        } else {
            Change::Cancel {
                session: instance.session,
            }
        });
    };
    let key = InstanceKey {
        series: series.id,
        original_start,
    };
    let details = if untouched {
        instance.details.clone()
    } else {
        series.details(original_start, &instance.own)?
    };
    if key == instance.key && details == instance.details {
        return Ok(keep(instance));
    }
    Ok(Change::Update {
        session: instance.session,
        key,
        own: instance.own.clone(),
        details,
    })
}

/// What frees a place or a resource comes before what takes one.
fn order(change: &Change) -> (u8, Option<DateTime>) {
    match change {
        Change::Cancel { .. } => (0, None),
        Change::Update { key, .. } => (1, Some(key.original_start)),
        Change::Insert { key, .. } => (2, Some(key.original_start)),
        Change::Keep { .. } => (3, None),
    }
}
