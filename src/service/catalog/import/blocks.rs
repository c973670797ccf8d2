//! A timetable as blocked time of a resource.

use jiff::SignedDuration;

use super::{
    super::{blocked_times::release, series},
    Run,
    known::{Fate, Known, fingerprint},
};
use crate::{
    domain::{
        Rejection,
        catalog::{BlockedTime, MAX_TRANSPARENT_DAYS},
        conflict::{self, Ask, Holder, OverlapReason, Target},
        hours::HoursOwner,
        ids::{BlockedTimeId, Kind, ResourceId},
        text,
        time::TimeSpan,
    },
    service::bookings::Ledger,
    store::{Failure, Tx, catalog as store, imports::Made},
};

/// How long ago something may have begun that isn't over: as long as the longest session.
const LONGEST: SignedDuration = SignedDuration::from_hours(31 * 24);

impl Run {
    /// Each time of each event that isn't over, as far ahead as series are made.
    pub(super) async fn blocks(&self, tx: &mut Tx<'_>, resource: ResourceId, known: &mut Known) -> Result<(), Failure> {
        let (site, now) = (tx.site(), tx.now());
        if store::find_resources(tx.conn(), site, &[resource]).await?.is_empty() {
            return Err(Rejection::not_found(Kind::Resource, &["resourceId"]).into());
        }
        let until = now.checked_add(series::AHEAD).unwrap_or(now);
        let within = TimeSpan::new(now.checked_sub(LONGEST).unwrap_or(now), until);
        let within = within.ok_or_else(|| Rejection::invalid(&[], "the clock stands at the end of time"))?;
        known.imported.cancelled = self
            .timetable
            .events
            .iter()
            .filter(|event| event.details.cancelled)
            .count();
        let occurrences = self
            .timetable
            .occurrences(within)
            .map_err(|error| Rejection::invalid(&["file"], error.to_string()))?;
        for occurrence in occurrences {
            self.at(occurrence.event.line);
            let repeats = occurrence.event.recurrence.is_some() || occurrence.event.original_start.is_some();
            let name = known.name(occurrence.event, repeats.then_some(occurrence.original_start));
            let transparent = occurrence.details.transparent;
            let Some(span) = occurrence.span else {
                known.imported.timeless += 1;
                continue;
            };
            if transparent && span.minutes() > MAX_TRANSPARENT_DAYS * 24 * 60 {
                known.imported.transparent += 1;
                continue;
            }
            if span.end() <= now {
                known.see(&name);
                known.imported.over += 1;
                continue;
            }
            let zone = &occurrence.details.time_zone;
            let print = fingerprint(occurrence.details, (zone.local(span.start()), zone.local(span.end())));
            match known.fate(&name, &print) {
                Fate::Left => {
                    known.imported.left += 1;
                    continue;
                }
                Fate::Changed(made) => {
                    known.imported.changed += 1;
                    self.free(tx, made).await?;
                }
                Fate::New => {
                    known.imported.new += 1;
                    known.imported.made += 1;
                }
            }
            let title = occurrence.details.title.clone();
            let block = self.block(tx, resource, (span, transparent), title).await?;
            known.keep(tx, &name, print, Made::Block(block)).await?;
        }
        for made in self.gone(tx, known).await? {
            if self.free(tx, made).await? {
                known.imported.gone += 1;
            }
        }
        Ok(())
    }

    /// Blocks one time, or shows it. Two events of a calendar may well be at the same time: only what isn't blocked time is in the way.
    async fn block(
        &self,
        tx: &mut Tx<'_>,
        resource: ResourceId,
        (span, transparent): (TimeSpan, bool),
        reason: Option<String>,
    ) -> Result<BlockedTimeId, Failure> {
        if let Some(reason) = &reason {
            text::bounded(reason, 500).map_err(|invalid| Rejection::from(invalid.at("title")))?;
        }
        let site = tx.site();
        let mut ledger = Ledger::lock(tx, &[(Target::Resource(resource), span)], None).await?;
        let id = BlockedTimeId::new();
        let ask = Ask {
            target: Target::Resource(resource),
            span,
            seats: 1,
            holder: Holder::Block(id),
            before: None,
        };
        if !transparent
            && let Some(clash) = ledger.check(&ask)
            && !self.import.allow_overlap
            && clash.rivals.iter().any(|rival| !matches!(rival, Holder::Block(_)))
        {
            return Err(conflict::refuse(&ask, &clash, None).into());
        }
        let now = ledger.now();
        let blocked = BlockedTime {
            id,
            owner: HoursOwner::Resource(resource),
            span,
            reason,
            transparent,
            overlap: None,
            revision: 1,
            created: now,
            updated: now,
        };
        store::insert_blocked_time(tx.conn(), site, &blocked).await?;
        if transparent {
            return Ok(id);
        }
        ledger
            .occupy(tx, &[ask], Holder::Block(id), OverlapReason::OwnerEdit, None)
            .await?;
        Ok(id)
    }

    /// Frees a time that was blocked before and isn't over. Says whether there was one.
    async fn free(&self, tx: &mut Tx<'_>, made: Made) -> Result<bool, Failure> {
        let (site, now) = (tx.site(), tx.now());
        let Made::Block(id) = made else { return Ok(false) };
        let found = store::find_blocked_time(tx.conn(), site, id).await?;
        let Some(blocked) = found.filter(|blocked| blocked.span.end() > now) else {
            return Ok(false);
        };
        let Some(resource) = blocked.owner.resource() else {
            return Ok(false);
        };
        release(tx, &blocked, resource, &self.caller.actor).await?;
        Ok(true)
    }
}
