//! Series through any acts, one after another.

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::{store::*, *};
use crate::domain::ids::{ResourceId, SeriesId};

/// One act on a series, chosen by numbers.
fn act(series: &mut Vec<Series>, store: &mut Store, (kind, which, by): (u8, usize, i64), now: Timestamp) {
    let horizon = at("2026-07-01T00:00");
    let index = which % series.len();
    let current = series[index].clone();
    let rows: Vec<Instance> = store
        .0
        .iter()
        .filter(|row| row.key.series == current.id)
        .cloned()
        .collect();
    let Some(row) = rows.get(which % rows.len().max(1)) else {
        return;
    };
    let shift = |at: DateTime| at.checked_add(SignedDuration::from_mins(by)).unwrap();
    let edit = SeriesEdit {
        local_start: Some(shift(current.template.local_start)),
        capacity: (by % 2 == 0).then_some(7),
        resources: (by % 3 == 0).then(|| vec![ResourceId::new().into()]),
        transparent: (by % 4 == 0).then_some(true),
        recurrence: match by % 5 {
            0 => Some(recurrence("FREQ=WEEKLY;BYDAY=MO,TH")),
            1 => Some(recurrence("FREQ=DAILY;INTERVAL=3;COUNT=12")),
            _ => None,
        },
        ..SeriesEdit::default()
    };
    match kind {
        0 => {
            let edit = InstanceEdit {
                local_start: Some(shift(row.details.time.local_start)),
                capacity: (by % 2 == 0).then_some(3),
                ..InstanceEdit::default()
            };
            if let Ok(change) = edit_one(&current, row, &edit) {
                store.apply(&[change]);
            }
        }
        1 => store.apply(&[cancel_one(row)]),
        2 => {
            if let Ok(edited) = edit_all(&current, &edit, &rows, horizon, now) {
                store.apply(&edited.changes);
                series[index] = edited.series;
            }
        }
        3 => {
            let from = row.key.original_start;
            let edit = SeriesEdit {
                local_start: Some(shift(from)),
                ..edit
            };
            if let Ok(edited) = edit_following(&current, from, &edit, SeriesId::new(), &rows, horizon, now) {
                store.apply(&edited.changes);
                series[index] = edited.ended.unwrap_or_else(|| edited.series.clone());
                if series[index].id != edited.series.id {
                    series.push(edited.series);
                }
            }
        }
        _ => {
            let changes = plan(&current, Some(&current), &rows, horizon, now).unwrap();
            store.apply(&changes);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn after_any_acts_the_sessions_are_what_their_series_say(
        acts in proptest::collection::vec((0_u8..5, 0_usize..30, -3000_i64..3000), 1..12),
        day in 1_i8..30,
    ) {
        let (first, mut store) = mondays("FREQ=WEEKLY;BYDAY=MO,TH");
        let mut series = vec![first];
        let now = instant(&format!("2026-05-{day:02}T09:00Z"));
        let begun: Vec<Instance> =
            store.0.iter().filter(|row| row.details.time.span.start() <= now).cloned().collect();
        for step in acts {
            act(&mut series, &mut store, step, now);
        }
        // What had begun is untouched, but for what it is known by. (Single sessions may be changed whenever.)
        for row in &begun {
            let stored = store.at_session(row.session);
            if stored.own == row.own && !stored.cancelled {
                prop_assert_eq!(&stored.details, &row.details);
            }
        }
        for series in &series {
            let rows: Vec<Instance> = store.0.iter().filter(|row| row.key.series == series.id).cloned().collect();
            let changes = plan(series, Some(series), &rows, at("2026-07-01T00:00"), now).unwrap();
            let mut settled = Store(store.0.clone());
            settled.apply(&changes);
            let rows: Vec<Instance> = settled.0.iter().filter(|row| row.key.series == series.id).cloned().collect();
            for row in rows.iter().filter(|row| !row.cancelled && row.details.time.span.start() > now) {
                prop_assert_eq!(&series.details(row.key.original_start, &row.own).unwrap(), &row.details);
            }
            let again = plan(series, Some(series), &rows, at("2026-07-01T00:00"), now).unwrap();
            prop_assert!(again.iter().all(|change| matches!(change, Change::Keep { .. })), "settled: {:?}", again);
        }
    }
}
