//! Series and their changes (`spec/catalog-availability.md` §3.5, §11.5).

use super::{store::*, *};
use crate::domain::ids::{ResourceId, SeriesId, SessionId};

#[test]
fn a_new_series_has_a_session_at_each_time_of_its_rule() {
    let (series, store) = mondays("FREQ=WEEKLY;BYDAY=MO");
    assert_eq!(
        store.show(),
        [
            "04@10:00 04 10:00-11:00 yoga 10",
            "11@10:00 11 10:00-11:00 yoga 10",
            "18@10:00 18 10:00-11:00 yoga 10",
            "25@10:00 25 10:00-11:00 yoga 10"
        ]
    );
    // Nothing is made in the past: the session at ten has begun.
    let late = plan(&series, None, &[], at(JUNE), instant("2026-05-11T08:00Z")).unwrap();
    assert_eq!(late.len(), 2);
}

#[test]
fn a_series_is_extended_by_what_is_missing_only() {
    let (series, mut store) = mondays("FREQ=WEEKLY;BYDAY=MO");
    change_one(&mut store, &series, "2026-05-18T10:00", start("2026-05-19T10:00"));
    store.apply(&[cancel_one(store.at("2026-05-25T10:00"))]);
    let changes = plan(
        &series,
        Some(&series),
        &store.0,
        at("2026-06-15T00:00"),
        instant("2026-05-12T00:00Z"),
    )
    .unwrap();
    let inserted: Vec<&Change> = changes
        .iter()
        .filter(|change| !matches!(change, Change::Keep { .. }))
        .collect();
    assert_eq!(inserted.len(), 2, "{inserted:?}");
    store.apply(&changes);
    let again = plan(
        &series,
        Some(&series),
        &store.0,
        at("2026-06-15T00:00"),
        instant("2026-05-12T00:00Z"),
    )
    .unwrap();
    assert!(again.iter().all(|change| matches!(change, Change::Keep { .. })));
    assert_eq!(again.len(), 6);
}

#[test]
fn changing_the_time_of_a_master_moves_plain_sessions_and_keeps_what_exceptions_have_of_their_own() {
    // §11.5 "series edit": one moved and one capacity-only exception.
    let (series, mut store) = mondays("FREQ=WEEKLY;BYDAY=MO");
    change_one(&mut store, &series, "2026-05-11T10:00", start("2026-05-12T16:00"));
    change_one(&mut store, &series, "2026-05-18T10:00", seats(3));
    let ids: Vec<SessionId> = store.0.iter().map(|row| row.session).collect();
    let edit = SeriesEdit {
        title: Some("pilates".into()),
        ..new_start("2026-05-04T12:00")
    };
    let edited = edit_all(&series, &edit, &store.0, at(JUNE), instant(EARLY)).unwrap();
    store.apply(&edited.changes);
    assert_eq!(
        store.show(),
        [
            "04@12:00 04 12:00-13:00 pilates 10",
            "11@12:00 12 16:00-17:00 pilates 10",
            "18@12:00 18 12:00-13:00 pilates 3",
            "25@12:00 25 12:00-13:00 pilates 10"
        ]
    );
    assert_eq!(
        store.0.iter().map(|row| row.session).collect::<Vec<_>>(),
        ids,
        "each stays the same session"
    );
    // What an exception has of its own is restored to what the series is by now.
    let restored = restore(&edited.series, store.at("2026-05-11T12:00"), &[Inherited::Time]).unwrap();
    store.apply(&[restored]);
    let restored = restore(&edited.series, store.at("2026-05-18T12:00"), &[Inherited::Capacity]).unwrap();
    store.apply(&[restored]);
    assert!(store.0.iter().all(|row| row.own.is_plain()));
    assert_eq!(store.show()[1], "11@12:00 11 12:00-13:00 pilates 10");
    assert_eq!(store.show()[2], "18@12:00 18 12:00-13:00 pilates 10");
}

#[test]
fn an_exception_with_its_own_end_follows_the_start_and_keeps_its_length() {
    let (series, mut store) = mondays("FREQ=WEEKLY;BYDAY=MO");
    let longer = InstanceEdit {
        local_end: Some(at("2026-05-11T11:30")),
        ..InstanceEdit::default()
    };
    change_one(&mut store, &series, "2026-05-11T10:00", longer);
    let edited = edit_all(
        &series,
        &new_start("2026-05-04T12:00"),
        &store.0,
        at(JUNE),
        instant(EARLY),
    )
    .unwrap();
    store.apply(&edited.changes);
    assert_eq!(store.show()[1], "11@12:00 11 12:00-13:30 yoga 10");
}

#[test]
fn a_start_put_back_onto_the_rule_follows_it_again() {
    let (series, mut store) = mondays("FREQ=WEEKLY;BYDAY=MO");
    change_one(&mut store, &series, "2026-05-11T10:00", start("2026-05-12T16:00"));
    assert!(matches!(
        store.at("2026-05-11T10:00").own.time,
        Some(OwnTime::Moved { .. })
    ));
    change_one(&mut store, &series, "2026-05-11T10:00", start("2026-05-11T10:00"));
    assert!(store.at("2026-05-11T10:00").own.is_plain());
    // Any other field that was set stays set, even to what the series has.
    change_one(&mut store, &series, "2026-05-11T10:00", seats(10));
    assert_eq!(store.at("2026-05-11T10:00").own.capacity, Some(10));
}

#[test]
fn sessions_that_have_begun_are_left_as_they_are() {
    let (series, mut store) = mondays("FREQ=WEEKLY;BYDAY=MO");
    // On the 11th at ten past ten; the new time would be an hour later, on the same day.
    let now = instant("2026-05-11T08:10Z");
    let edited = edit_all(&series, &new_start("2026-05-04T11:00"), &store.0, at(JUNE), now).unwrap();
    store.apply(&edited.changes);
    let shown = [
        "04@10:00 04 10:00-11:00 yoga 10",
        "11@11:00 11 10:00-11:00 yoga 10",
        "18@11:00 18 11:00-12:00 yoga 10",
        "25@11:00 25 11:00-12:00 yoga 10",
    ];
    assert_eq!(store.show(), shown, "today's has taken place and isn't made again");
    let again = plan(&edited.series, Some(&edited.series), &store.0, at(JUNE), now).unwrap();
    store.apply(&again);
    assert_eq!(store.show(), shown);
}

#[test]
fn a_cancelled_session_stays_a_hole() {
    let (series, mut store) = mondays("FREQ=WEEKLY;BYDAY=MO");
    store.apply(&[cancel_one(store.at("2026-05-11T10:00"))]);
    let edited = edit_all(
        &series,
        &new_start("2026-05-04T12:00"),
        &store.0,
        at(JUNE),
        instant(EARLY),
    )
    .unwrap();
    store.apply(&edited.changes);
    assert_eq!(store.show()[1], "[11@12:00 11 10:00-11:00 yoga 10]");
    assert_eq!(store.0.len(), 4);
    let hole = store.at("2026-05-11T12:00");
    assert_eq!(edit_one(&edited.series, hole, &seats(3)), Err(SeriesError::Cancelled));
    assert_eq!(
        restore(&edited.series, hole, &[Inherited::Time]),
        Err(SeriesError::Cancelled)
    );
    assert!(matches!(cancel_one(hole), Change::Keep { .. }));
}

#[test]
fn a_rule_for_other_days_moves_the_sessions_to_them() {
    let (series, mut store) = mondays("FREQ=WEEKLY;BYDAY=MO");
    let ids: Vec<SessionId> = store.0.iter().map(|row| row.session).collect();
    let edit = SeriesEdit {
        recurrence: Some(recurrence("FREQ=WEEKLY;BYDAY=TU")),
        ..SeriesEdit::default()
    };
    let edited = edit_all(&series, &edit, &store.0, at(JUNE), instant(EARLY)).unwrap();
    assert_eq!(edited.series.template.local_start, at("2026-05-05T10:00"));
    store.apply(&edited.changes);
    assert_eq!(store.live(series.id), ["05", "12", "19", "26"]);
    assert_eq!(store.0.iter().map(|row| row.session).collect::<Vec<_>>(), ids);
}

#[test]
fn a_rule_with_fewer_days_cancels_the_others_and_one_with_more_adds_them() {
    let (series, mut store) = mondays("FREQ=WEEKLY;BYDAY=MO");
    let edit = |rule: &str| SeriesEdit {
        recurrence: Some(recurrence(rule)),
        ..SeriesEdit::default()
    };
    let fewer = edit_all(
        &series,
        &edit("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO"),
        &store.0,
        at(JUNE),
        instant(EARLY),
    )
    .unwrap();
    store.apply(&fewer.changes);
    assert_eq!(store.live(series.id), ["04", "18"]);
    let more = edit_all(
        &fewer.series,
        &edit("FREQ=WEEKLY;BYDAY=MO,WE"),
        &store.0,
        at(JUNE),
        instant(EARLY),
    )
    .unwrap();
    store.apply(&more.changes);
    // Those that were cancelled stay holes.
    assert_eq!(store.live(series.id), ["04", "06", "13", "18", "20", "27"]);
}

#[test]
fn a_start_on_a_day_that_the_rule_does_not_have_needs_another_rule() {
    let (series, store) = mondays("FREQ=WEEKLY;BYDAY=MO");
    let error = edit_all(
        &series,
        &new_start("2026-05-05T10:00"),
        &store.0,
        at(JUNE),
        instant(EARLY),
    )
    .unwrap_err();
    assert_eq!(error, SeriesError::OffTheRule(at("2026-05-05T10:00")));
    // A rule that names no day has the start's.
    let (series, mut store) = mondays("FREQ=WEEKLY");
    let edited = edit_all(
        &series,
        &new_start("2026-05-05T10:00"),
        &store.0,
        at(JUNE),
        instant(EARLY),
    )
    .unwrap();
    store.apply(&edited.changes);
    assert_eq!(store.live(series.id), ["05", "12", "19", "26"]);
}

#[test]
fn a_zone_changed_keeps_the_wall_clock() {
    let (series, mut store) = mondays("FREQ=WEEKLY;BYDAY=MO");
    change_one(&mut store, &series, "2026-05-11T10:00", start("2026-05-12T16:00"));
    let edit = SeriesEdit {
        time_zone: ZoneName::parse("America/New_York"),
        ..SeriesEdit::default()
    };
    let edited = edit_all(&series, &edit, &store.0, at(JUNE), instant(EARLY)).unwrap();
    let before = store.show();
    store.apply(&edited.changes);
    assert_eq!(store.show(), before);
    assert_eq!(store.0[0].details.time.span.start(), instant("2026-05-04T14:00Z"));
    assert_eq!(store.0[1].details.time.span.start(), instant("2026-05-12T20:00Z"));
}

#[test]
fn this_and_all_that_follow_become_a_series_of_their_own() {
    let (series, mut store) = mondays("FREQ=WEEKLY;BYDAY=MO;COUNT=10");
    change_one(&mut store, &series, "2026-05-25T10:00", seats(3));
    change_one(&mut store, &series, "2026-05-11T10:00", seats(4));
    let new = SeriesId::new();
    let edit = SeriesEdit {
        title: Some("pilates".into()),
        ..new_start("2026-05-18T12:00")
    };
    let edited = edit_following(
        &series,
        at("2026-05-18T10:00"),
        &edit,
        new,
        &store.0,
        at(JUNE),
        instant(EARLY),
    )
    .unwrap();
    store.apply(&edited.changes);
    let ended = edited.ended.unwrap();
    assert_eq!(ended.id, series.id);
    assert_eq!(
        ended.recurrence.to_string(),
        "RRULE:FREQ=WEEKLY;BYDAY=MO;UNTIL=20260518T095959"
    );
    assert_eq!(edited.series.id, new);
    assert_eq!(
        edited.series.recurrence.to_string(),
        "RRULE:FREQ=WEEKLY;BYDAY=MO;COUNT=8"
    );
    assert_eq!(edited.series.template.local_start, at("2026-05-18T12:00"));
    assert_eq!(
        store.show(),
        [
            "04@10:00 04 10:00-11:00 yoga 10",
            "11@10:00 11 10:00-11:00 yoga 4",
            "18@12:00 18 12:00-13:00 pilates 10",
            "25@12:00 25 12:00-13:00 pilates 3"
        ]
    );
    assert_eq!(
        (store.live(series.id), store.live(new)),
        (vec!["04".into(), "11".into()], vec!["18".into(), "25".into()])
    );
    // Each half goes on by itself.
    let of = |id| {
        store
            .0
            .iter()
            .filter(|row| row.key.series == id)
            .cloned()
            .collect::<Vec<_>>()
    };
    for half in [&ended, &edited.series] {
        let changes = plan(half, Some(half), &of(half.id), at(JUNE), instant(EARLY)).unwrap();
        assert!(changes.iter().all(|change| matches!(change, Change::Keep { .. })));
    }
}

#[test]
fn a_series_is_split_only_where_there_is_something_on_both_sides() {
    let (series, store) = mondays("FREQ=WEEKLY;BYDAY=MO;COUNT=3");
    let split = |from: &str, now: &str| {
        let edit = SeriesEdit {
            capacity: Some(5),
            ..SeriesEdit::default()
        };
        edit_following(
            &series,
            at(from),
            &edit,
            SeriesId::new(),
            &store.0,
            at(JUNE),
            instant(now),
        )
    };
    assert_eq!(split("2026-05-18T10:00", EARLY).unwrap_err(), SeriesError::NoneAfter);
    assert_eq!(
        split("2026-05-12T10:00", EARLY).unwrap_err(),
        SeriesError::NoOccurrence(at("2026-05-12T10:00"))
    );
    assert_eq!(
        split("2026-05-11T10:00", "2026-05-11T08:00Z").unwrap_err(),
        SeriesError::Begun
    );
    let whole = split("2026-05-04T10:00", EARLY).unwrap();
    assert_eq!((whole.ended, whole.series.id), (None, series.id));
}

#[test]
fn calling_a_series_off_leaves_what_has_begun() {
    let (series, mut store) = mondays("FREQ=WEEKLY;BYDAY=MO");
    let now = instant("2026-05-11T08:10Z");
    let (left, changes) = cancel_all(&series, &store.0, now).unwrap();
    let mut all = store.clone();
    all.apply(&changes);
    assert_eq!(all.live(series.id), ["04", "11"]);
    let left = left.unwrap();
    assert!(
        plan(&left, Some(&left), &all.0, at("2027-01-01T00:00"), now)
            .unwrap()
            .iter()
            .all(|it| matches!(it, Change::Keep { .. }))
    );
    assert_eq!(cancel_all(&series, &store.0, instant(EARLY)).unwrap().0, None);

    let (left, changes) = cancel_following(&series, at("2026-05-25T10:00"), &store.0, now).unwrap();
    store.apply(&changes);
    assert_eq!(store.live(series.id), ["04", "11", "18"]);
    assert_eq!(
        left.unwrap().recurrence.to_string(),
        "RRULE:FREQ=WEEKLY;BYDAY=MO;UNTIL=20260525T095959"
    );
}

#[test]
fn what_a_session_has_of_its_own_survives_being_written() {
    let none = Overrides::default();
    let some = Overrides {
        time: Some(OwnTime::Length(jiff::SignedDuration::from_mins(90))),
        time_zone: Some(utc()),
        capacity: Some(3),
        resources: Some(vec![
            ResourceId::new().into(),
            ResourceUse {
                id: ResourceId::new(),
                transparent: true,
            },
        ]),
        transparent: Some(true),
        // The service's place, whatever the series has.
        location: Some(None),
        ..Overrides::default()
    };
    for own in [none, some] {
        let json = serde_json::to_string(&own).unwrap();
        assert_eq!(serde_json::from_str::<Overrides>(&json).unwrap(), own, "{json}");
    }
    assert_eq!(serde_json::to_string(&Overrides::default()).unwrap(), "{}");
    // What was written before anything could be transparent.
    let id = ResourceId::new();
    let before = format!(r#"{{"resources":[{}]}}"#, serde_json::to_string(&id).unwrap());
    let read: Overrides = serde_json::from_str(&before).unwrap();
    assert_eq!(read.resources, Some(vec![id.into()]));
    assert_eq!(serde_json::to_string(&read).unwrap(), before);
    let (series, _) = mondays("FREQ=WEEKLY;BYDAY=MO");
    let json = serde_json::to_string(&series.template).unwrap();
    assert_eq!(serde_json::from_str::<Template>(&json).unwrap(), series.template);
}

#[test]
fn an_end_must_come_after_the_start() {
    let (series, store) = mondays("FREQ=WEEKLY;BYDAY=MO");
    let backwards = InstanceEdit {
        local_end: Some(at("2026-05-11T10:00")),
        ..InstanceEdit::default()
    };
    assert!(matches!(
        edit_one(&series, store.at("2026-05-11T10:00"), &backwards),
        Err(SeriesError::Time(_))
    ));
    let backwards = SeriesEdit {
        local_end: Some(at("2026-05-04T10:00")),
        ..SeriesEdit::default()
    };
    assert!(matches!(
        edit_all(&series, &backwards, &store.0, at(JUNE), instant(EARLY)),
        Err(SeriesError::Time(_))
    ));
}
