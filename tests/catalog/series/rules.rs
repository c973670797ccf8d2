//! Making a series: what it has, what it takes, and what is refused.

use std::sync::Arc;

use frontdesk::{
    domain::{
        clock::FixedClock,
        conflict::Holder,
        ids::{ScheduleId, SeriesId, TypedId as _},
    },
    store::claims,
};
use serde_json::{Value, json};

use super::{again, days_later, live, made, sessions, starts, yoga};
use crate::{
    code, confirmed, done, local, on_both_engines, refused, studio,
    support::{Server, Studio, fixture::with},
};

on_both_engines! {
    async fn a_series_has_a_session_at_each_time_of_its_rule(engine) {
        let (_server, studio, owner) = studio(engine).await;
        let series = made(&owner, yoga(&studio, 0, "FREQ=WEEKLY;COUNT=4")).await;
        assert_eq!(series["sessions"]["totalCount"], 4);
        let expected: Vec<String> = (0..4).map(|week| days_later(&studio, 7 * week, 0)).collect();
        assert_eq!(starts(&sessions(&series)), expected, "the wall clock is kept");
        assert_eq!((&series["title"], &series["capacity"], &series["revision"]), (&json!("Yoga"), &json!(10), &json!(1)));
        assert_eq!((&series["recurrence"], &series["materializedUntil"]), (&json!("RRULE:FREQ=WEEKLY;COUNT=4"), &Value::Null));
        let query = "query($id: ID!) { session(id: $id) { originalStart overriddenFields series { id } } node(id: $id) { id } }";
        let second = &sessions(&series)[1];
        let seen = owner.data(query, json!({ "id": second["id"] })).await["session"].clone();
        assert_eq!(seen, json!({ "originalStart": expected[1], "overriddenFields": [], "series": { "id": series["id"] } }));
        let filter = json!({ "filter": { "seriesIds": [series["id"]] } });
        let listed = owner.data("query($filter: SessionFilter) { sessions(filter: $filter) { totalCount nodes { series { id } } } }", filter).await;
        assert_eq!((&listed["sessions"]["totalCount"], &listed["sessions"]["nodes"][3]["series"]["id"]), (&json!(4), &series["id"]));
        let node = owner.data("query($id: ID!) { node(id: $id) { __typename id } }", json!({ "id": series["id"] })).await;
        assert_eq!(node["node"], json!({ "__typename": "SessionSeries", "id": series["id"] }));
    }

    async fn times_that_are_left_out_have_no_session_and_added_ones_have(engine) {
        let (_server, studio, owner) = studio(engine).await;
        let stamp = |days: i64| days_later(&studio, days, 0).replace(['-', ':'], "");
        let rule = format!("RRULE:FREQ=WEEKLY;COUNT=3\nEXDATE:{}\nRDATE:{}", stamp(7), stamp(9));
        let series = made(&owner, yoga(&studio, 0, &rule)).await;
        let expected: Vec<String> = [0, 9, 14].map(|days| days_later(&studio, days, 0)).to_vec();
        assert_eq!(starts(&sessions(&series)), expected);
    }

    async fn a_start_that_the_rule_does_not_have_moves_forward(engine) {
        let (_server, studio, owner) = studio(engine).await;
        let start: jiff::civil::DateTime = local(&studio, 0).parse().unwrap();
        let next = start.checked_add(jiff::Span::new().days(2)).unwrap();
        let day = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"][usize::try_from(next.weekday().to_monday_zero_offset()).unwrap()];
        let series = made(&owner, yoga(&studio, 0, &format!("FREQ=WEEKLY;BYDAY={day};COUNT=2"))).await;
        assert_eq!(starts(&sessions(&series)), [days_later(&studio, 2, 0), days_later(&studio, 9, 0)]);
        assert_eq!(series["localStart"], days_later(&studio, 2, 0));
    }

    async fn the_same_key_makes_one_series(engine) {
        let (_server, studio, owner) = studio(engine).await;
        let input = with(yoga(&studio, 0, "FREQ=DAILY;COUNT=3"), json!({ "idempotencyKey": "once" }));
        let first = made(&owner, input.clone()).await;
        assert_eq!(made(&owner, input).await, first);
        let filter = json!({ "filter": { "scheduleIds": [studio.yoga.schedule.to_string()] } });
        let all = owner.data("query($filter: SessionFilter) { sessions(filter: $filter) { totalCount } }", filter).await;
        assert_eq!(all["sessions"]["totalCount"], 5, "three and the studio's two");
    }

    async fn a_series_takes_its_resources_or_is_not_made_at_all(engine) {
        let (_server, studio, owner) = studio(engine).await;
        let anna = json!({ "resourceIds": [studio.room.id.to_string(), studio.anna.id.to_string()] });
        let series = made(&owner, with(yoga(&studio, 0, "FREQ=DAILY;COUNT=3"), anna.clone())).await;
        assert_eq!(series["resources"], json!([{ "id": studio.anna.id.to_string() }, { "id": studio.room.id.to_string() }]), "staff first");
        let third = studio.appointment(&studio.massage, 2 * 24 * 60, &[&studio.anna]);
        assert_eq!(owner.refused("createBooking", third).await["code"], "SLOT_NOT_AVAILABLE");
        // It would meet the other on its third day only.
        let later = with(yoga(&studio, 30, "FREQ=DAILY;INTERVAL=2;COUNT=2"), anna);
        let later = with(later, json!({ "localStart": days_later(&studio, 2, 30), "localEnd": days_later(&studio, 2, 90) }));
        assert_eq!(code(&owner, "createSessionSeries", later.clone()).await, "SLOT_NOT_AVAILABLE");
        let all = owner.data("{ sessions { totalCount } }", json!({})).await;
        assert_eq!(all["sessions"]["totalCount"], 7, "nothing of it was made");
        made(&owner, with(later, json!({ "allowOverlap": true }))).await;
        // Its own sessions don't overlap each other silently either.
        let input = json!({ "localEnd": days_later(&studio, 1, 600), "localStart": days_later(&studio, 0, 500), "resourceIds": [studio.ben.id.to_string()] });
        assert_eq!(code(&owner, "createSessionSeries", with(yoga(&studio, 0, "FREQ=DAILY;COUNT=3"), input)).await, "SLOT_NOT_AVAILABLE");
    }

    async fn the_session_that_is_in_the_way_is_named(engine) {
        let (_server, studio, owner) = studio(engine).await;
        let booked = confirmed(&owner, studio.appointment(&studio.massage, 2 * 24 * 60, &[&studio.anna])).await;
        let anna = json!({ "resourceIds": [studio.anna.id.to_string()] });
        let error = refused(&owner, "createSessionSeries", with(yoga(&studio, 0, "FREQ=DAILY;COUNT=4"), anna.clone())).await;
        let third = local(&studio, 2 * 24 * 60);
        assert_eq!((&error["code"], &error["conflicts"]), (&json!("SLOT_NOT_AVAILABLE"), &json!([{ "id": booked }])));
        assert_eq!(error["message"], format!("the session at {third}: the time is not free"));
        // One that moves onto the booking is named, too.
        let series = made(&owner, with(yoga(&studio, 120, "FREQ=DAILY;COUNT=4"), anna)).await;
        let back = json!({ "sessionId": sessions(&series)[0]["id"], "scope": "ALL", "localStart": local(&studio, 0) });
        assert_eq!(refused(&owner, "updateSession", back).await["message"], format!("the session at {third}: the time is not free"));
        // A series that is longer than from one to the next is in its own way.
        let long = json!({ "localEnd": days_later(&studio, 1, 60), "resourceIds": [studio.room.id.to_string()] });
        let error = refused(&owner, "createSessionSeries", with(yoga(&studio, 0, "FREQ=DAILY;COUNT=3"), long)).await;
        let message = error["message"].as_str().unwrap();
        assert!(message.ends_with("the series is in its own way, this one overlaps another of it"), "{message}");
        assert_eq!(error["code"], "SLOT_NOT_AVAILABLE");
    }

    async fn yearly_and_last_weekdays_are_rules(engine) {
        let (_server, studio, owner) = studio(engine).await;
        let month = &local(&studio, 0)[5..7];
        let yearly = made(&owner, yoga(&studio, 0, &format!("FREQ=YEARLY;BYMONTH={};COUNT=2", month.trim_start_matches('0')))).await;
        assert_eq!(yearly["recurrence"], "RRULE:FREQ=MONTHLY;INTERVAL=12;COUNT=2");
        assert_eq!(live(&yearly).len(), 2);
        let rule = "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;COUNT=3";
        let last = made(&owner, yoga(&studio, 120, rule)).await;
        assert_eq!(last["recurrence"], "RRULE:FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;COUNT=3");
        for session in sessions(&last) {
            let at: jiff::civil::DateTime = session["localStart"].as_str().unwrap().parse().unwrap();
            assert!(at.date().days_in_month() - at.date().day() < 3, "{at}");
        }
    }

    async fn every_rule_of_a_series_is_kept(engine) {
        let (_server, studio, owner) = studio(engine).await;
        let base = yoga(&studio, 0, "FREQ=WEEKLY;COUNT=3");
        let endless = with(base.clone(), json!({ "recurrence": "FREQ=DAILY;UNTIL=20991231" }));
        let message = refused(&owner, "createSessionSeries", endless).await["message"].clone();
        assert_eq!(message, "`recurrence` takes place more than 2000 times: that is the most; give it an earlier end");
        for (change, path) in [
            (json!({ "recurrence": "" }), "recurrence"),
            (json!({ "recurrence": "every monday" }), "recurrence"),
            (json!({ "recurrence": "FREQ=YEARLY;BYWEEKNO=20" }), "recurrence"),
            (json!({ "recurrence": "FREQ=MONTHLY;BYMONTHDAY=31;BYDAY=5MO;COUNT=0" }), "recurrence"),
            (json!({ "recurrence": "FREQ=DAILY;COUNT=1000000" }), "recurrence"),
            (json!({ "recurrence": "FREQ=DAILY;COUNT=2001" }), "recurrence"),
            (json!({ "recurrence": "FREQ=DAILY;UNTIL=20990101T000000Z" }), "recurrence"),
            (json!({ "recurrence": "FREQ=DAILY;UNTIL=20200101T000000Z" }), "recurrence"),
            (json!({ "recurrence": "FREQ=MONTHLY;INTERVAL=12;BYMONTHDAY=30", "localStart": "2027-02-01T10:00", "localEnd": "2027-02-01T11:00" }), "recurrence"),
            (json!({ "localStart": days_later(&studio, -7, 0), "localEnd": days_later(&studio, -7, 60) }), "localStart"),
            (json!({ "localEnd": local(&studio, 0) }), "localEnd"),
            (json!({ "localEnd": days_later(&studio, 32, 0) }), "localEnd"),
            (json!({ "timeZone": "Mars/Olympus" }), "timeZone"),
            (json!({ "title": "x".repeat(401) }), "title"),
            (json!({ "capacity": 1001 }), "capacity"),
            (json!({ "resourceIds": [studio.yoga.id.to_string()] }), "resourceIds.0"),
            (json!({ "resourceIds": [studio.anna.id.to_string(), studio.anna.id.to_string()] }), "resourceIds.1"),
            (json!({ "scheduleId": ScheduleId::new().to_string() }), "scheduleId"),
            (json!({ "scheduleId": studio.massage.schedule.to_string() }), "scheduleId"),
            (json!({ "scheduleId": studio.run.id.to_string(), "capacity": 4 }), "capacity"),
        ] {
            let error = refused(&owner, "createSessionSeries", with(base.clone(), change.clone())).await;
            let found: Vec<&str> = error["path"].as_array().unwrap().iter().map(|p| p.as_str().unwrap()).collect();
            assert_eq!(found.join("."), path, "{change}: {error}");
        }
        let all = owner.data("{ sessions { totalCount } }", json!({})).await;
        assert_eq!(all["sessions"]["totalCount"], 4, "nothing was made");
    }

    async fn a_series_of_a_course_is_part_of_its_run(engine) {
        let (_server, studio, owner) = studio(engine).await;
        let booked = crate::confirmed(&owner, studio.enrolment(1)).await;
        let input = with(yoga(&studio, 6000, "FREQ=DAILY;COUNT=3"), json!({ "scheduleId": studio.run.id.to_string() }));
        let series = made(&owner, input).await;
        let end = jiff::civil::DateTime::to_string(&days_later(&studio, 2, 6060).parse().unwrap());
        let seen = owner.data("query($id: ID!) { schedule(id: $id) { lastSessionEnd sessions { totalCount } } }", json!({ "id": studio.run.id.to_string() })).await;
        assert_eq!(seen["schedule"]["sessions"]["totalCount"], 5);
        let (booking, event) = crate::last_event(&owner, &booked).await;
        assert_eq!((&booking["endDate"], event.0.as_str()), (&seen["schedule"]["lastSessionEnd"], "UPDATED"));
        let last = &live(&series)[2];
        assert_eq!(last["localStart"], days_later(&studio, 2, 6000), "{end}");
        done(&owner, "cancelSession", json!({ "sessionId": last["id"], "scope": "ALL" }), "session { status }").await;
        assert_eq!(crate::last_event(&owner, &booked).await.0["endDate"], studio.at(78 * 60 + 60));
    }

    async fn a_series_without_an_end_is_made_a_year_ahead_and_further_as_time_goes_by(engine) {
        let (server, studio, owner) = studio(engine).await;
        let anna = json!({ "resourceIds": [studio.anna.id.to_string()] });
        let series = made(&owner, with(yoga(&studio, 0, "FREQ=WEEKLY"), anna)).await;
        let count = series["sessions"]["totalCount"].as_i64().unwrap();
        assert!((53..=57).contains(&count), "{count}");
        // The hour stays what it is when the clock changes, which it does twice a year.
        let part = |session: &Value, name: &str| session[name].as_str().unwrap()[11..16].to_owned();
        let clocks: std::collections::BTreeSet<String> = sessions(&series).iter().map(|session| part(session, "localStart")).collect();
        let instants: std::collections::BTreeSet<String> = sessions(&series).iter().map(|session| part(session, "startDate")).collect();
        assert_eq!((clocks.len(), instants.len()), (1, 2));
        let id = SeriesId::parse(series["id"].as_str().unwrap()).unwrap();
        assert_eq!(server.service().extend_series(server.site, id).await.unwrap(), 0, "it isn't due");
        assert_eq!(again(&owner, &series).await, series);
    }

    async fn the_sweep_makes_the_sessions_of_another_while(engine) {
        let start: jiff::Timestamp = "2026-03-02T09:00:00Z".parse().unwrap();
        let server = Server::start_with(engine, Arc::new(FixedClock::new(start))).await;
        let studio = Studio::open(&server).await;
        let anna = json!({ "resourceIds": [studio.anna.id.to_string()] });
        let series = made(&server.owner(), with(yoga(&studio, 0, "FREQ=WEEKLY"), anna)).await;
        let before = sessions(&series);
        let ended = made(&server.owner(), yoga(&studio, 120, "FREQ=WEEKLY")).await;
        done(&server.owner(), "cancelSession", json!({ "sessionId": sessions(&ended)[1]["id"], "scope": "THIS_AND_FOLLOWING" }), "session { id }").await;
        // Ten weeks later somebody has blocked a time that the series comes to.
        let later = start.checked_add(jiff::SignedDuration::from_hours(70 * 24)).unwrap();
        let last: jiff::Timestamp = before.last().unwrap()["startDate"].as_str().unwrap().parse().unwrap();
        let next = last.checked_add(jiff::SignedDuration::from_hours(7 * 24)).unwrap();
        let block = json!({ "resourceId": studio.anna.id.to_string(), "startDate": next.to_string(),
            "endDate": next.checked_add(jiff::SignedDuration::from_mins(30)).unwrap().to_string() });
        done(&server.owner(), "createBlockedTime", block, "blockedTime { id }").await;
        let server = Server::on(server.stop().await, Arc::new(FixedClock::new(later))).await;
        let owner = server.owner();
        // The sweep looks at the start; whoever else does it at the same time does no harm.
        let id = SeriesId::parse(series["id"].as_str().unwrap()).unwrap();
        let service = server.service();
        let (one, other) = tokio::join!(service.extend_series(server.site, id), service.extend_series(server.site, id));
        assert!(one.unwrap() == 0 || other.unwrap() == 0, "one of them at the most makes any");
        let site = server.site;
        let all = service.db().read(move |conn| Box::pin(claims::all(conn, site))).await.unwrap();
        let on_record = all.iter().filter(|claim| matches!(claim.holder, Holder::Session(_)) && claim.overlap_reason.is_some());
        assert_eq!(on_record.count(), 1, "the one over the blocked time stands beside it on record");
        let after = again(&owner, &series).await;
        let all = sessions(&after);
        assert!((before.len() + 6..=before.len() + 11).contains(&all.len()), "{} and {}", before.len(), all.len());
        assert_eq!(all[..before.len()], before, "what is there stays");
        let keys: std::collections::BTreeSet<&str> = all.iter().map(|session| session["originalStart"].as_str().unwrap()).collect();
        assert_eq!(keys.len(), all.len());
        let until: jiff::Timestamp = after["materializedUntil"].as_str().unwrap().parse().unwrap();
        assert!(until.duration_since(later) >= jiff::SignedDuration::from_hours(366 * 24));
        assert_eq!(server.service().extend_series(server.site, id).await.unwrap(), 0, "twice is once");
        assert_eq!(live(&again(&owner, &ended).await).len(), 1, "one that ended goes no further");
    }
}
