//! A store that is a list, to which changes of series are applied as a database would.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, civil::DateTime};

use super::*;
use crate::domain::ids::{SeriesId, SessionId};

/// Sessions in memory; applies changes in their order, as a store would.
#[derive(Default, Clone)]
pub(super) struct Store(pub(super) Vec<Instance>);

impl Store {
    pub(super) fn apply(&mut self, changes: &[Change]) {
        for change in changes {
            match change.clone() {
                Change::Cancel { session } => self.row(session).cancelled = true,
                Change::Update {
                    session,
                    key,
                    own,
                    details,
                } => {
                    let row = self.row(session);
                    (row.key, row.own, row.details) = (key, own, details);
                }
                Change::Insert { key, details } => self.0.push(Instance {
                    session: SessionId::new(),
                    key,
                    own: Overrides::default(),
                    details,
                    cancelled: false,
                }),
                Change::Keep { session } => {
                    self.row(session);
                }
            }
            let keys: BTreeSet<InstanceKey> = self.0.iter().map(|row| row.key).collect();
            assert_eq!(keys.len(), self.0.len(), "a key is unique after each step");
        }
    }

    pub(super) fn row(&mut self, session: SessionId) -> &mut Instance {
        self.0.iter_mut().find(|row| row.session == session).unwrap()
    }

    pub(super) fn at_session(&self, session: SessionId) -> &Instance {
        self.0.iter().find(|row| row.session == session).unwrap()
    }

    pub(super) fn at(&self, key: &str) -> &Instance {
        self.0.iter().find(|row| row.key.original_start == at(key)).unwrap()
    }

    /// `key -> start to end, title, seats`, by key; cancelled ones in brackets.
    pub(super) fn show(&self) -> Vec<String> {
        let rows: BTreeMap<(DateTime, SeriesId), &Instance> = self
            .0
            .iter()
            .map(|row| ((row.key.original_start, row.key.series), row))
            .collect();
        rows.values()
            .map(|row| {
                let time = &row.details.time;
                let text = format!(
                    "{} {}-{} {} {}",
                    row.key.original_start.strftime("%d@%H:%M"),
                    time.local_start.strftime("%d %H:%M"),
                    time.local_end.strftime("%H:%M"),
                    row.details.title,
                    row.details.capacity
                );
                if row.cancelled { format!("[{text}]") } else { text }
            })
            .collect()
    }

    /// How many live sessions each series has.
    pub(super) fn live(&self, series: SeriesId) -> Vec<String> {
        let live = self.0.iter().filter(|row| row.key.series == series && !row.cancelled);
        let days: BTreeSet<String> = live
            .map(|row| row.details.time.local_start.strftime("%d").to_string())
            .collect();
        days.into_iter().collect()
    }
}

pub(super) fn instant(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(super) const EARLY: &str = "2026-04-01T00:00Z";
pub(super) const JUNE: &str = "2026-06-01T00:00";

/// Mondays in May 2026 (4, 11, 18, 25) at ten for an hour, in Berlin.
pub(super) fn mondays(rule: &str) -> (Series, Store) {
    let template = Template {
        local_start: at("2026-05-04T10:00"),
        local_end: at("2026-05-04T11:00"),
        time_zone: ZoneName::parse("Europe/Berlin").unwrap(),
        title: "yoga".into(),
        capacity: 10,
        resources: Vec::new(),
        transparent: false,
        location: None,
    };
    let series = Series::new(SeriesId::new(), recurrence(rule), template).unwrap();
    let mut store = Store::default();
    store.apply(&plan(&series, None, &[], at(JUNE), instant(EARLY)).unwrap());
    (series, store)
}

pub(super) fn change_one(store: &mut Store, series: &Series, key: &str, edit: InstanceEdit) {
    let change = edit_one(series, store.at(key), &edit).unwrap();
    store.apply(&[change]);
}

pub(super) fn start(text: &str) -> InstanceEdit {
    InstanceEdit {
        local_start: Some(at(text)),
        ..InstanceEdit::default()
    }
}

pub(super) fn seats(capacity: i32) -> InstanceEdit {
    InstanceEdit {
        capacity: Some(capacity),
        ..InstanceEdit::default()
    }
}

pub(super) fn new_start(text: &str) -> SeriesEdit {
    SeriesEdit {
        local_start: Some(at(text)),
        ..SeriesEdit::default()
    }
}
