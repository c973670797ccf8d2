//! Changing sessions of a series: one, this one and all that follow, or all.

use serde_json::{Value, json};

use super::{SESSION, again, days_later, live, made, seats, sessions, starts, update, yoga};
use crate::{
    code, confirmed, done, last_event, local, on_both_engines, refused, story, studio, support::fixture::with,
};

on_both_engines! {
    async fn a_session_changed_alone_keeps_what_was_set_and_follows_in_all_else(engine) {
        let (_server, studio, owner) = studio(engine).await;
        let series = made(&owner, yoga(&studio, 0, "FREQ=WEEKLY;COUNT=4")).await;
        let all = sessions(&series);
        // The vector of §11.5: one moved, one with other seats only, then all get another time.
        let moved = update(&owner, &all[1], json!({ "localStart": days_later(&studio, 8, 90) })).await;
        assert_eq!((&moved["overriddenFields"], &moved["originalStart"]), (&json!(["TIME"]), &json!(days_later(&studio, 7, 0))));
        assert_eq!(moved["localEnd"], days_later(&studio, 8, 150), "it stays as long as it is");
        let more = update(&owner, &all[2], json!({ "capacity": 12 })).await;
        assert_eq!(more["overriddenFields"], json!(["CAPACITY"]));
        let changed = update(&owner, &all[0], json!({ "localStart": local(&studio, 120), "capacity": 20, "title": "Hatha", "scope": "ALL" })).await;
        assert_eq!((&changed["localStart"], &changed["title"], &changed["series"]["revision"]), (&json!(local(&studio, 120)), &json!("Hatha"), &json!(2)));
        let query = "query($ids: [ID!]!) { nodes(ids: $ids) { ... on Session { localStart localEnd capacity title } } }";
        let ids: Vec<Value> = all.iter().map(|session| session["id"].clone()).collect();
        let seen = owner.data(query, json!({ "ids": ids })).await["nodes"].clone();
        let row = |start: String, end: String, capacity: i32| json!({ "localStart": start, "localEnd": end, "capacity": capacity, "title": "Hatha" });
        assert_eq!(seen, json!([
            row(days_later(&studio, 0, 120), days_later(&studio, 0, 180), 20),
            row(days_later(&studio, 8, 90), days_later(&studio, 8, 150), 20),
            row(days_later(&studio, 14, 120), days_later(&studio, 14, 180), 12),
            row(days_later(&studio, 21, 120), days_later(&studio, 21, 180), 20),
        ]));
    }

    async fn a_session_goes_back_to_what_its_series_says(engine) {
        let (_server, studio, owner) = studio(engine).await;
        let series = made(&owner, yoga(&studio, 0, "FREQ=WEEKLY;COUNT=3")).await;
        let second = &sessions(&series)[1];
        let own = json!({ "localStart": days_later(&studio, 8, 0), "title": "Late", "capacity": 3 });
        update(&owner, second, own).await;
        let booked = confirmed(&owner, seats(second, 1)).await;
        let some = json!({ "sessionId": second["id"], "fields": ["TITLE"] });
        let restored = done(&owner, "restoreSession", some, SESSION).await["session"].clone();
        assert_eq!((&restored["title"], &restored["overriddenFields"]), (&json!("Yoga"), &json!(["CAPACITY", "TIME"])));
        let whole = json!({ "sessionId": second["id"] });
        assert_eq!(refused(&owner, "restoreSession", whole.clone()).await["count"], 1, "it moves");
        let restored = done(&owner, "restoreSession", with(whole, json!({ "bookings": "MOVE" })), SESSION).await["session"].clone();
        assert_eq!((&restored["localStart"], &restored["overriddenFields"]), (&json!(days_later(&studio, 7, 0)), &json!([])));
        let (booking, event) = last_event(&owner, &booked).await;
        assert_eq!((&booking["startDate"], event.0.as_str()), (&restored["startDate"], "RESCHEDULED"));
        let single = json!({ "sessionId": studio.session.id.to_string() });
        assert_eq!(refused(&owner, "restoreSession", single).await["path"], json!(["sessionId"]));
    }

    async fn putting_a_start_back_links_the_session_again(engine) {
        let (_server, studio, owner) = studio(engine).await;
        let series = made(&owner, yoga(&studio, 0, "FREQ=WEEKLY;COUNT=3")).await;
        let second = &sessions(&series)[1];
        update(&owner, second, json!({ "localStart": days_later(&studio, 8, 0) })).await;
        let back = update(&owner, second, json!({ "localStart": days_later(&studio, 7, 0) })).await;
        assert_eq!(back["overriddenFields"], json!([]));
        let longer = update(&owner, second, json!({ "localEnd": days_later(&studio, 7, 90) })).await;
        assert_eq!(longer["overriddenFields"], json!(["TIME"]));
        update(&owner, &sessions(&series)[0], json!({ "localStart": local(&studio, 30), "scope": "ALL" })).await;
        let ends = owner.data("query($id: ID!) { session(id: $id) { localStart localEnd } }", json!({ "id": second["id"] })).await;
        assert_eq!(ends["session"], json!({ "localStart": days_later(&studio, 7, 30), "localEnd": days_later(&studio, 7, 120) }), "its own length follows");
    }

    async fn this_and_following_begins_another_series(engine) {
        let (_server, studio, owner) = studio(engine).await;
        let series = made(&owner, yoga(&studio, 0, "FREQ=WEEKLY;COUNT=5")).await;
        let all = sessions(&series);
        update(&owner, &all[3], json!({ "title": "Own" })).await;
        let third = update(&owner, &all[2], json!({ "localStart": days_later(&studio, 14, 60), "title": "Flow", "scope": "THIS_AND_FOLLOWING" })).await;
        assert_ne!(third["series"]["id"], series["id"]);
        assert_eq!(third["series"]["recurrence"], "RRULE:FREQ=WEEKLY;COUNT=3");
        let (old, new) = (again(&owner, &series).await, again(&owner, &third["series"]).await);
        assert_eq!(starts(&live(&old)), [days_later(&studio, 0, 0), days_later(&studio, 7, 0)]);
        assert_eq!(starts(&live(&new)), [14, 21, 28].map(|days| days_later(&studio, days, 60)));
        let titles: Vec<&Value> = new["sessions"]["nodes"].as_array().unwrap().iter().map(|s| &s["title"]).collect();
        assert_eq!(titles, ["Flow", "Own", "Flow"]);
        let ids = |sessions: Vec<Value>| sessions.iter().map(|s| s["id"].clone()).collect::<Vec<_>>();
        assert_eq!(ids(live(&new)), ids(all[2..].to_vec()), "each session stays itself");
        // From the first one on it is all of it, and of the last one there is nothing that follows.
        let whole = update(&owner, &all[0], json!({ "title": "Old", "scope": "THIS_AND_FOLLOWING" })).await;
        assert_eq!(whole["series"]["id"], series["id"]);
        let last = json!({ "sessionId": all[4]["id"], "title": "Last", "scope": "THIS_AND_FOLLOWING" });
        assert_eq!(refused(&owner, "updateSession", last).await["path"], json!(["scope"]));
    }

    async fn another_rule_moves_makes_and_cancels(engine) {
        let (_server, studio, owner) = studio(engine).await;
        let anna = json!({ "resourceIds": [studio.anna.id.to_string()] });
        let series = made(&owner, with(yoga(&studio, 0, "FREQ=DAILY;COUNT=4"), anna)).await;
        let all = sessions(&series);
        let booked = confirmed(&owner, seats(&all[1], 2)).await;
        let rule = json!({ "sessionId": all[0]["id"], "recurrence": "FREQ=DAILY;INTERVAL=2;COUNT=4", "scope": "ALL" });
        let error = refused(&owner, "updateSession", rule.clone()).await;
        assert_eq!((error["code"].as_str().unwrap(), &error["count"]), ("HAS_BOOKINGS", &json!(1)));
        assert_eq!(again(&owner, &series).await, series, "nothing was changed");
        done(&owner, "updateSession", with(rule, json!({ "bookingsOfCancelled": "CANCEL" })), SESSION).await;
        let after = again(&owner, &series).await;
        assert_eq!(starts(&live(&after)), [0, 2, 4, 6].map(|days| days_later(&studio, days, 0)));
        assert_eq!(story(&owner, &booked).await.0["status"], "CANCELED");
        // What the old rule had again when it comes back is made anew: nobody called it off.
        update(&owner, &all[0], json!({ "recurrence": "FREQ=DAILY;COUNT=4", "scope": "ALL" })).await;
        assert_eq!(starts(&live(&again(&owner, &series).await)), [0, 1, 2, 3].map(|days| days_later(&studio, days, 0)));
        update(&owner, &all[0], json!({ "recurrence": "FREQ=DAILY;INTERVAL=2;COUNT=4", "scope": "ALL" })).await;
        // Anna is free again on the second day, and busy on the seventh.
        confirmed(&owner, studio.appointment(&studio.massage, 24 * 60, &[&studio.anna])).await;
        let sixth = studio.appointment(&studio.massage, 6 * 24 * 60, &[&studio.anna]);
        assert_eq!(owner.refused("createBooking", sixth).await["code"], "SLOT_NOT_AVAILABLE");
    }

    async fn a_series_may_move_onto_its_own_times(engine) {
        let (_server, studio, owner) = studio(engine).await;
        let anna = json!({ "resourceIds": [studio.anna.id.to_string()] });
        let series = made(&owner, with(yoga(&studio, 0, "FREQ=DAILY;COUNT=4"), anna)).await;
        let all = sessions(&series);
        update(&owner, &all[0], json!({ "localStart": local(&studio, 30), "scope": "ALL" })).await;
        assert_eq!(starts(&live(&again(&owner, &series).await)), [0, 1, 2, 3].map(|days| days_later(&studio, days, 30)));
        // In somebody's way it is not changed at all.
        confirmed(&owner, studio.appointment(&studio.massage, 2 * 24 * 60 + 120, &[&studio.anna])).await;
        let input = json!({ "sessionId": all[0]["id"], "localStart": local(&studio, 90), "scope": "ALL" });
        assert_eq!(code(&owner, "updateSession", input.clone()).await, "SLOT_NOT_AVAILABLE");
        assert_eq!(starts(&live(&again(&owner, &series).await))[0], local(&studio, 30));
        done(&owner, "updateSession", with(input, json!({ "allowOverlap": true })), SESSION).await;
    }

    async fn bookings_of_all_its_sessions_follow_after_a_word_about_them(engine) {
        let (_server, studio, owner) = studio(engine).await;
        let series = made(&owner, yoga(&studio, 0, "FREQ=WEEKLY;COUNT=3")).await;
        let all = sessions(&series);
        let mut booked = Vec::new();
        for session in [&all[0], &all[2], &all[2]] {
            booked.push(confirmed(&owner, seats(session, 1)).await);
        }
        let input = json!({ "sessionId": all[1]["id"], "localStart": days_later(&studio, 7, 45), "scope": "ALL", "expectedSeriesRevision": 1 });
        let error = refused(&owner, "updateSession", input.clone()).await;
        assert_eq!((error["code"].as_str().unwrap(), &error["count"]), ("HAS_BOOKINGS", &json!(3)), "counted over all of them");
        done(&owner, "updateSession", with(input.clone(), json!({ "bookings": "MOVE" })), SESSION).await;
        let after = sessions(&again(&owner, &series).await);
        for (booking, session) in booked.iter().zip([&after[0], &after[2], &after[2]]) {
            let (booking, event) = last_event(&owner, booking).await;
            assert_eq!((&booking["startDate"], event), (&session["startDate"], ("RESCHEDULED".into(), "CONFIRMED".into())));
        }
        let error = refused(&owner, "updateSession", with(input, json!({ "bookings": "MOVE" }))).await;
        assert_eq!((&error["code"], &error["path"], &error["current"]), (&json!("REVISION_MISMATCH"), &json!(["expectedSeriesRevision"]), &json!(2)));
        // A new title needs no word.
        update(&owner, &all[0], json!({ "title": "Hatha", "scope": "ALL" })).await;
        let (booking, event) = last_event(&owner, &booked[1]).await;
        assert_eq!((&booking["bookedEntity"]["title"], event.0.as_str()), (&json!("Hatha"), "UPDATED"));
    }

    async fn a_cancelled_session_stays_a_hole(engine) {
        let (_server, studio, owner) = studio(engine).await;
        let series = made(&owner, yoga(&studio, 0, "FREQ=WEEKLY;COUNT=4")).await;
        let all = sessions(&series);
        done(&owner, "cancelSession", json!({ "sessionId": all[1]["id"] }), SESSION).await;
        update(&owner, &all[0], json!({ "localStart": local(&studio, 30), "scope": "ALL" })).await;
        let after = again(&owner, &series).await;
        assert_eq!(starts(&live(&after)), [0, 14, 21].map(|days| days_later(&studio, days, 30)));
        assert_eq!(after["sessions"]["totalCount"], 4);
        for act in ["updateSession", "cancelSession", "restoreSession"] {
            assert_eq!(code(&owner, act, json!({ "sessionId": all[1]["id"] })).await, "SESSION_NOT_FOUND");
        }
    }

    async fn cancelling_this_and_following_ends_the_series(engine) {
        let (_server, studio, owner) = studio(engine).await;
        let series = made(&owner, yoga(&studio, 0, "FREQ=WEEKLY")).await;
        let all = sessions(&series);
        let (kept, gone) = (confirmed(&owner, seats(&all[0], 1)).await, confirmed(&owner, seats(&all[5], 1)).await);
        let input = json!({ "sessionId": all[2]["id"], "scope": "THIS_AND_FOLLOWING" });
        assert_eq!(refused(&owner, "cancelSession", input.clone()).await["count"], 1);
        let payload = done(&owner, "cancelSession", with(input, json!({ "bookings": "CANCEL" })), &format!("canceledBookings {SESSION}")).await;
        assert_eq!((&payload["canceledBookings"], &payload["session"]["status"]), (&json!(1), &json!("CANCELLED")));
        let after = again(&owner, &series).await;
        assert_eq!(starts(&live(&after)), [0, 7].map(|days| days_later(&studio, days, 0)));
        assert_eq!((&after["materializedUntil"], &after["canceledDate"], &after["revision"]), (&Value::Null, &Value::Null, &json!(2)));
        assert_eq!(story(&owner, &kept).await.0["status"], "CONFIRMED");
        assert_eq!(story(&owner, &gone).await.0["status"], "CANCELED");
    }

    async fn a_series_of_the_most_sessions_is_made_moved_and_cancelled(engine) {
        let (_server, studio, owner) = studio(engine).await;
        let anna = json!({ "resourceIds": [studio.anna.id.to_string()] });
        let series = made(&owner, with(yoga(&studio, 0, "FREQ=DAILY;COUNT=2000"), anna)).await;
        assert_eq!(series["sessions"]["totalCount"], 2000);
        let first = &sessions(&series)[0];
        update(&owner, first, json!({ "localStart": local(&studio, 15), "scope": "ALL" })).await;
        let payload = done(&owner, "cancelSession", json!({ "sessionId": first["id"], "scope": "ALL" }), SESSION).await;
        assert_eq!(payload["session"]["status"], "CANCELLED");
        let filter = json!({ "filter": { "seriesIds": [series["id"]], "status": "CONFIRMED" } });
        let left = owner.data("query($filter: SessionFilter) { sessions(filter: $filter) { totalCount } }", filter).await;
        assert_eq!(left["sessions"]["totalCount"], 0);
    }

    async fn cancelling_all_leaves_nothing_of_it(engine) {
        let (_server, studio, owner) = studio(engine).await;
        let anna = json!({ "resourceIds": [studio.anna.id.to_string()] });
        let series = made(&owner, with(yoga(&studio, 0, "FREQ=DAILY;COUNT=3"), anna)).await;
        let all = sessions(&series);
        done(&owner, "cancelSession", json!({ "sessionId": all[1]["id"], "scope": "ALL" }), SESSION).await;
        let after = again(&owner, &series).await;
        assert!(live(&after).is_empty());
        assert_ne!(after["canceledDate"], Value::Null);
        confirmed(&owner, studio.appointment(&studio.massage, 0, &[&studio.anna])).await;
    }

    async fn a_scope_is_for_series_and_a_rule_is_for_more_than_one_session(engine) {
        let (_server, studio, owner) = studio(engine).await;
        let single = studio.session.id.to_string();
        let series = made(&owner, yoga(&studio, 0, "FREQ=DAILY;COUNT=3")).await;
        let first = &sessions(&series)[0];
        for (act, input, path) in [
            ("updateSession", json!({ "sessionId": single, "title": "A", "scope": "ALL" }), "scope"),
            ("cancelSession", json!({ "sessionId": single, "scope": "THIS_AND_FOLLOWING" }), "scope"),
            ("updateSession", json!({ "sessionId": single, "title": "A", "expectedSeriesRevision": 1 }), "expectedSeriesRevision"),
            ("cancelSession", json!({ "sessionId": single, "expectedSeriesRevision": 1 }), "expectedSeriesRevision"),
            ("updateSession", json!({ "sessionId": first["id"], "recurrence": "FREQ=DAILY" }), "recurrence"),
            ("updateSession", json!({ "sessionId": first["id"], "recurrence": "FREQ=NEVER", "scope": "ALL" }), "recurrence"),
            ("updateSession", json!({ "sessionId": first["id"], "title": "", "scope": "ALL" }), "title"),
            ("updateSession", json!({ "sessionId": first["id"], "capacity": 0, "scope": "ALL" }), "capacity"),
            ("updateSession", json!({ "sessionId": first["id"], "capacity": 0 }), "capacity"),
            ("updateSession", json!({ "sessionId": first["id"], "localEnd": local(&studio, -60), "scope": "ALL" }), "localEnd"),
            ("updateSession", json!({ "sessionId": first["id"], "localEnd": local(&studio, -60) }), "localEnd"),
        ] {
            let error = refused(&owner, act, input.clone()).await;
            assert_eq!(error["path"], json!([path]), "{act} {input}: {error}");
        }
        for act in ["updateSession", "cancelSession"] {
            let stale = json!({ "sessionId": first["id"], "expectedSeriesRevision": 9 });
            assert_eq!(code(&owner, act, stale).await, "REVISION_MISMATCH", "{act} of one session");
        }
        let weekly = made(&owner, yoga(&studio, 120, "FREQ=WEEKLY;COUNT=3")).await;
        let first = &sessions(&weekly)[0];
        let weekday = json!({ "sessionId": first["id"], "localStart": days_later(&studio, 1, 120), "scope": "ALL" });
        // A rule that doesn't name its day follows its start.
        done(&owner, "updateSession", weekday, SESSION).await;
        assert_eq!(starts(&live(&again(&owner, &weekly).await)), [1, 8, 15].map(|days| days_later(&studio, days, 120)));
    }
}
