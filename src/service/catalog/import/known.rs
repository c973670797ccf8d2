//! What became of a file's events before.

use std::collections::{BTreeMap, HashSet};

use jiff::civil::DateTime;
use sha2::{Digest as _, Sha256};

use super::{ImportInto, Imported};
use crate::{
    domain::{
        catalog::Session,
        icalendar::{EventDetails, ImportedEvent, Timetable},
    },
    store::{
        Failure, Tx,
        imports::{self, ImportedEvent as Record, Made},
    },
};

/// By what an event, or an occurrence of one, is known again.
pub(super) type Name = (Vec<u8>, String);

/// What is known of the events of a file, and what came of them so far.
pub(super) struct Known {
    into: ImportInto,
    /// By what the events of the file are known.
    keys: HashSet<Vec<u8>>,
    before: BTreeMap<Name, Record>,
    seen: HashSet<Name>,
    /// What was written down by this act.
    written: HashSet<Name>,
    /// Sessions that are to be made, all in one go.
    pub(super) fresh: Vec<Fresh>,
    pub(super) imported: Imported,
}

/// A session that an event is to become.
pub(super) struct Fresh {
    pub(super) name: Name,
    pub(super) fingerprint: Vec<u8>,
    pub(super) session: Session,
}

/// What is to be done with an event.
pub(super) enum Fate {
    /// It is as it was.
    Left,
    /// It says something else now.
    Changed(Made),
    /// It wasn't there.
    New,
}

impl Known {
    pub(super) async fn read(tx: &mut Tx<'_>, into: ImportInto, timetable: &Timetable) -> Result<Self, Failure> {
        let keys: HashSet<Vec<u8>> = timetable.events.iter().map(|event| key(into, &event.uid)).collect();
        let asked: Vec<Vec<u8>> = keys.iter().cloned().collect();
        let site = tx.site();
        let records = imports::find(tx.conn(), site, &asked).await?;
        let before = records
            .into_iter()
            .map(|record| ((record.key.clone(), record.occurrence.clone()), record));
        Ok(Self {
            into,
            keys,
            before: before.collect(),
            seen: HashSet::new(),
            written: HashSet::new(),
            fresh: Vec::new(),
            imported: Imported {
                superseded: timetable.superseded,
                ..Imported::default()
            },
        })
    }

    /// By what an event is known, or the occurrence of it that starts there.
    pub(super) fn name(&self, event: &ImportedEvent, occurrence: Option<DateTime>) -> Name {
        let occurrence = occurrence.map(|at| at.to_string()).unwrap_or_default();
        (key(self.into, &event.uid), occurrence)
    }

    /// The file still has it, whatever becomes of it.
    pub(super) fn see(&mut self, name: &Name) {
        self.seen.insert(name.clone());
    }

    /// What it became before, if it did.
    pub(super) fn made(&self, name: &Name) -> Option<Made> {
        Some(self.before.get(name)?.made)
    }

    /// What is to be done with it, now that it says this.
    pub(super) fn fate(&mut self, name: &Name, fingerprint: &[u8]) -> Fate {
        self.see(name);
        match self.before.get(name) {
            Some(record) if record.fingerprint == fingerprint => Fate::Left,
            Some(record) => Fate::Changed(record.made),
            None => Fate::New,
        }
    }

    /// Writes down what became of it.
    pub(super) async fn keep(
        &mut self,
        tx: &mut Tx<'_>,
        name: &Name,
        fingerprint: Vec<u8>,
        made: Made,
    ) -> Result<(), Failure> {
        let site = tx.site();
        let record = Record {
            key: name.0.clone(),
            occurrence: name.1.clone(),
            fingerprint,
            made,
        };
        let first = self.written.insert(name.clone()) && !self.before.contains_key(name);
        if first {
            imports::add(tx.conn(), site, &record).await?;
        } else {
            imports::save(tx.conn(), site, &record).await?;
        }
        Ok(())
    }

    /// What came of events that earlier files had and this one hasn't, as far as it is still to come.
    pub(super) async fn missing(&self, tx: &mut Tx<'_>) -> Result<Vec<Record>, Failure> {
        let (site, now) = (tx.site(), tx.now());
        let mut coming = match self.into {
            ImportInto::Sessions(schedule) => imports::of_schedule(tx.conn(), site, schedule, now).await?,
            ImportInto::BlockedTime(resource) => imports::of_resource(tx.conn(), site, resource, now).await?,
        };
        coming.retain(|record| !self.keys.contains(&record.key));
        // What is locked one after the other is so in one order.
        coming.sort_by(|a, b| (&a.key, &a.occurrence).cmp(&(&b.key, &b.occurrence)));
        Ok(coming)
    }

    /// What came of events that the file has, and isn't in them any more. Forgotten with this.
    pub(super) async fn gone(&mut self, tx: &mut Tx<'_>) -> Result<Vec<Made>, Failure> {
        let site = tx.site();
        let mut gone = Vec::new();
        for (name, record) in &self.before {
            if !self.seen.contains(name) {
                imports::forget(tx.conn(), site, record).await?;
                gone.push(record.made);
            }
        }
        Ok(gone)
    }
}

fn key(into: ImportInto, uid: &str) -> Vec<u8> {
    let whose = match into {
        ImportInto::Sessions(schedule) => schedule.to_string(),
        ImportInto::BlockedTime(resource) => resource.to_string(),
    };
    Sha256::digest(format!("{whose}\n{uid}").as_bytes()).to_vec()
}

/// A hash of what an event says; `times` are those of the occurrence that it is about.
pub(super) fn fingerprint(details: &EventDetails, times: (DateTime, DateTime)) -> Vec<u8> {
    Sha256::digest(text(details, times).as_bytes()).to_vec()
}

/// The same of an event with its rule and all that is different in single occurrences.
pub(super) fn fingerprint_of_all(event: &ImportedEvent) -> Vec<u8> {
    let times = |details: &EventDetails| (details.local_start, details.local_end);
    let mut all = vec![text(&event.details, times(&event.details))];
    all.extend(event.recurrence.iter().map(ToString::to_string));
    for exception in &event.exceptions {
        let details = &exception.details;
        all.push(format!("{} {}", exception.original_start, details.cancelled));
        all.push(text(details, times(details)));
    }
    Sha256::digest(all.join("\n").as_bytes()).to_vec()
}

fn text(details: &EventDetails, (start, end): (DateTime, DateTime)) -> String {
    let zone = details.time_zone.as_str();
    let lines = |text: &Option<String>| text.clone().unwrap_or_default();
    let transparent = if details.transparent { "transparent\n" } else { "" };
    format!(
        "{start} {end} {zone}\n{}\n{}\n{transparent}",
        lines(&details.title),
        lines(&details.place)
    )
}
