//! What becomes of sessions when a service is given elsewhere (`spec/catalog-availability.md` §1.4). What is over stays
//! where it was.

use super::{Under, locations::told, seats_of};
use crate::{
    domain::{
        actor::Actor,
        booking::{Booked, Location},
        catalog::{LocationWish, Service as Offered, ServiceKind, Session},
        conflict::Target,
        ids::{LocationId, ScheduleId, SeriesId, SessionId},
    },
    service::bookings::rewrite,
    store::{Failure, StoreError, Tx, catalog as store, claims},
};

/// The schedules of a service and their sessions that are still to come.
async fn upcoming(tx: &mut Tx<'_>, service: &Offered) -> Result<(Vec<ScheduleId>, Vec<Session>), StoreError> {
    let (site, now) = (tx.site(), tx.now());
    let schedules = store::schedules_of(tx.conn(), site, service.id).await?;
    let ids: Vec<ScheduleId> = schedules.iter().map(|schedule| schedule.id).collect();
    let sessions = store::upcoming_sessions(tx.conn(), site, &ids, now).await?;
    Ok((ids, sessions))
}

/// Puts sessions at a place, and what their series says of those to come if it was at one that they `leave`.
async fn put(
    tx: &mut Tx<'_>,
    sessions: Vec<Session>,
    at: &Location,
    leave: impl Fn(Option<&Location>) -> bool + Send,
) -> Result<(), Failure> {
    let (site, now) = (tx.site(), tx.now());
    let mut series: Vec<SeriesId> = Vec::new();
    for mut session in sessions {
        session.location = Some(at.clone());
        if let Some(place) = &mut session.series {
            series.push(place.id);
            if place.own.location.is_some() {
                place.own.location = Some(Some(at.clone()));
            }
        }
        session.revision += 1;
        session.updated = now;
        store::save_session(tx.conn(), site, &session).await?;
    }
    series.sort();
    series.dedup();
    for mut kept in store::find_many_series(tx.conn(), site, &series).await? {
        if leave(kept.series.template.location.as_ref()) {
            kept.series.template.location = Some(at.clone());
            kept.revision += 1;
            kept.updated = now;
            store::save_series(tx.conn(), site, &kept).await?;
        }
    }
    Ok(())
}

/// Sessions that said nothing of their own stay where the service was given before, unless it only moved as a whole in
/// its own words. The service's row is locked, and with it all that changes its sessions.
pub(super) async fn keep_sessions(tx: &mut Tx<'_>, before: &Offered, after: &Offered) -> Result<(), Failure> {
    let Some(only) = before.only_location() else {
        return Ok(());
    };
    let follows = |now: &Location| now.business() == only.business();
    if before.kind == ServiceKind::Appointment || after.only_location().is_some_and(follows) {
        return Ok(());
    }
    let at = told(tx, only.clone()).await?;
    let (_, upcoming) = upcoming(tx, before).await?;
    let silent: Vec<Session> = upcoming
        .into_iter()
        .filter(|session| session.location.is_none())
        .collect();
    let targets: Vec<Target> = silent.iter().map(|session| Target::Session(session.id)).collect();
    claims::lock_targets(tx, &targets).await?;
    put(tx, silent, &at, |own| own.is_none()).await
}

/// Sessions at places where the service isn't given any more go to the one that is named, and their bookings with
/// them. The site's and the service's rows are locked.
pub(super) async fn move_sessions(
    tx: &mut Tx<'_>,
    before: &Offered,
    after: &Offered,
    to: &LocationWish,
    actor: &Actor,
) -> Result<(), Failure> {
    let found = after.place_of_session(to);
    let to = told(tx, found.map_err(|rejection| rejection.within(&["newLocation"]))?).await?;
    let kept: Vec<LocationId> = after.locations.iter().filter_map(|location| location.id).collect();
    let gone: Vec<LocationId> = before.locations.iter().filter_map(|location| location.id).collect();
    let gone: Vec<LocationId> = gone.into_iter().filter(|id| !kept.contains(id)).collect();
    let was_at = |own: Option<&Location>| {
        let at = own.or_else(|| before.only_location());
        at.and_then(|location| location.id).is_some_and(|id| gone.contains(&id))
    };
    if before.kind == ServiceKind::Appointment || gone.is_empty() {
        return Ok(());
    }
    let (schedules, sessions) = upcoming(tx, before).await?;
    let moved: Vec<SessionId> = sessions
        .iter()
        .filter(|session| was_at(session.location.as_ref()))
        .map(|session| session.id)
        .collect();
    let under = match before.kind {
        ServiceKind::Course => Under::Schedules(schedules),
        _ => Under::Sessions(moved.clone()),
    };
    let seen = under.find(tx).await?;
    // All of them, as those that stay are locked later on.
    let spots: Vec<_> = sessions
        .iter()
        .map(|session| seats_of(Target::Session(session.id)))
        .collect();
    let (ledger, bookings) = under.lock(tx, &spots, &seen).await?;
    let leaving = sessions.into_iter().filter(|session| moved.contains(&session.id));
    put(tx, leaving.collect(), &to, was_at).await?;
    for booking in bookings
        .iter()
        .filter(|booking| was_at(booking.booked.location.as_ref()))
    {
        let booked = Booked {
            location: Some(to.clone()),
            ..booking.booked.clone()
        };
        rewrite(tx, &ledger, booking, booked, actor).await?;
    }
    Ok(())
}
