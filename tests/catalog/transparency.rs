//! Sessions that keep nobody busy, or only some of those who take part.

use frontdesk::{
    domain::{
        conflict::{Holder, OverlapReason},
        ids::ResourceId,
    },
    store::claims,
};
use serde_json::{Value, json};

use crate::{
    code, confirmed, done, last_event, local, on_both_engines, refused, series, studio,
    support::{Server, Studio, fixture::with},
};

const SESSION: &str = "session { id revision transparency neededResources { resourceId transparency } resources { id } \
    overriddenFields remainingCapacity }";

fn session(studio: &Studio, from: i64, to: i64) -> Value {
    json!({
        "scheduleId": studio.yoga.schedule.to_string(), "timeZone": "Europe/Berlin",
        "localStart": local(studio, from), "localEnd": local(studio, to),
    })
}

fn transparent() -> Value {
    json!({ "transparency": "TRANSPARENT" })
}

/// Resources, each with whether it is kept busy.
fn one_by_one(of: &[(&frontdesk::domain::catalog::Resource, &str)]) -> Value {
    let one = |(resource, transparency): &(&frontdesk::domain::catalog::Resource, &str)| json!({ "resourceId": resource.id.to_string(), "transparency": transparency });
    json!({ "resources": of.iter().map(one).collect::<Vec<_>>() })
}

/// Which resources sessions hold, and whether they keep them busy.
async fn held(server: &Server, session: &Value) -> Vec<bool> {
    let site = server.site;
    let all = server
        .service()
        .db()
        .read(move |conn| Box::pin(claims::all(conn, site)))
        .await
        .unwrap();
    let id = session["id"].as_str().unwrap();
    let of_it = all
        .iter()
        .filter(|claim| matches!(claim.holder, Holder::Session(of) if of.to_string() == id));
    of_it
        .map(|claim| claim.overlap_reason != Some(OverlapReason::Transparent))
        .collect()
}

on_both_engines! {
    async fn a_transparent_session_keeps_nobody_busy_and_is_booked_all_the_same(engine) {
        let (server, studio, owner) = studio(engine).await;
        let anna = json!({ "resourceIds": [studio.anna.id.to_string()] });
        let visit = confirmed(&owner, studio.appointment(&studio.massage, 0, &[&studio.anna])).await;
        let wish = with(session(&studio, 0, 120), anna.clone());
        assert_eq!(code(&owner, "createSession", wish.clone()).await, "SLOT_NOT_AVAILABLE");
        let made = done(&owner, "createSession", with(wish, transparent()), SESSION).await["session"].clone();
        assert_eq!((&made["transparency"], &made["resources"]), (&json!("TRANSPARENT"), &json!([{ "id": studio.anna.id.to_string() }])));
        assert_eq!(held(&server, &made).await, [false]);
        // It may overlap anything, and anything it.
        confirmed(&owner, studio.appointment(&studio.massage, 60, &[&studio.anna])).await;
        done(&owner, "createSession", with(session(&studio, 100, 110), anna.clone()), SESSION).await;
        let seats = confirmed(&owner, series::seats(&made, 3)).await;
        let query = "query($id: ID!, $r: ID!) { session(id: $id) { remainingCapacity } sessions(filter: { resourceIds: [$r] }) { totalCount } }";
        let told = owner.data(query, json!({ "id": made["id"], "r": studio.anna.id.to_string() })).await;
        assert_eq!((&told["session"]["remainingCapacity"], &told["sessions"]["totalCount"]), (&json!(7), &json!(2)));
        let calendar = "query($from: DateTime!, $to: DateTime!, $of: [ID!]) { calendar(from: $from, to: $to, resourceIds: $of) { \
            entries { __typename transparency resourceIds } } }";
        let window = json!({ "from": studio.at(-10), "to": studio.at(20), "of": [studio.anna.id.to_string()] });
        let shown = owner.data(calendar, window).await["calendar"]["entries"].clone();
        let mut shown: Vec<String> = shown.as_array().unwrap().iter().map(|entry| format!("{} {}", entry["__typename"], entry["transparency"])).collect();
        shown.sort();
        assert_eq!(shown, [r#""CalendarAppointment" "OPAQUE""#, r#""CalendarSession" "TRANSPARENT""#]);
        // Opaque again, it is checked as a new one would be.
        let opaque = json!({ "sessionId": made["id"], "transparency": "OPAQUE" });
        let error = refused(&owner, "updateSession", opaque.clone()).await;
        assert_eq!((&error["code"], error["conflicts"][0]["id"].as_str()), (&json!("SLOT_NOT_AVAILABLE"), Some(visit.as_str())));
        let over = with(opaque, json!({ "allowOverlap": true }));
        let after = done(&owner, "updateSession", over, SESSION).await["session"].clone();
        assert_eq!((&after["transparency"], held(&server, &made).await), (&json!("OPAQUE"), vec![true]));
        assert_eq!(owner.refused("createBooking", studio.appointment(&studio.massage, 90, &[&studio.anna])).await["code"], "SLOT_NOT_AVAILABLE");
        assert_eq!(last_event(&owner, &seats).await.1.0, "UPDATED", "its bookings tell who is kept busy");
        // And transparent once more: what was taken is free.
        done(&owner, "updateSession", with(json!({ "sessionId": made["id"] }), transparent()), SESSION).await;
        assert_eq!(held(&server, &made).await, [false]);
        done(&owner, "cancelSession", json!({ "sessionId": made["id"], "bookings": "CANCEL" }), SESSION).await;
        assert!(held(&server, &made).await.is_empty());
    }

    async fn of_each_resource_it_can_be_said(engine) {
        let (server, studio, owner) = studio(engine).await;
        let both = one_by_one(&[(&studio.anna, "TRANSPARENT"), (&studio.room, "OPAQUE")]);
        let made = done(&owner, "createSession", with(session(&studio, 0, 60), both.clone()), SESSION).await["session"].clone();
        let needed = json!([
            { "resourceId": studio.anna.id.to_string(), "transparency": "TRANSPARENT" },
            { "resourceId": studio.room.id.to_string(), "transparency": "OPAQUE" },
        ]);
        assert_eq!((&made["transparency"], &made["neededResources"]), (&json!("OPAQUE"), &needed));
        confirmed(&owner, studio.appointment(&studio.massage, 0, &[&studio.anna])).await;
        assert_eq!(code(&owner, "createSession", with(session(&studio, 30, 50), both.clone())).await, "SLOT_NOT_AVAILABLE", "the room");
        // Moved, each stays what it is.
        let moved = json!({ "sessionId": made["id"], "localStart": local(&studio, 15) });
        assert_eq!(done(&owner, "updateSession", moved, SESSION).await["session"]["neededResources"], needed);
        let mut kept = held(&server, &made).await;
        kept.sort_unstable();
        assert_eq!(kept, [false, true]);
        let busy = with(json!({ "sessionId": made["id"] }), one_by_one(&[(&studio.anna, "OPAQUE"), (&studio.room, "TRANSPARENT")]));
        assert_eq!(code(&owner, "updateSession", busy).await, "SLOT_NOT_AVAILABLE");
        let plain = json!({ "sessionId": made["id"], "resourceIds": [studio.room.id.to_string()] });
        let after = done(&owner, "updateSession", plain, SESSION).await["session"].clone();
        assert_eq!(after["neededResources"], json!([{ "resourceId": studio.room.id.to_string(), "transparency": "OPAQUE" }]));
        // Said in one way only, and each at its place.
        let twice = with(session(&studio, 600, 660), with(both, json!({ "resourceIds": [] })));
        assert_eq!(refused(&owner, "createSession", twice).await["path"], json!(["resources"]));
        let unknown = json!({ "resources": [{ "resourceId": studio.anna.id.to_string() }, { "resourceId": ResourceId::new().to_string() }] });
        let error = refused(&owner, "createSession", with(session(&studio, 600, 660), unknown)).await;
        assert_eq!((&error["code"], &error["path"]), (&json!("RESOURCE_NOT_FOUND"), &json!(["resources", "1", "resourceId"])));
        let malformed = json!({ "resources": [{ "resourceId": "anna" }] });
        let error = refused(&owner, "createSession", with(session(&studio, 600, 660), malformed)).await;
        assert_eq!(error["path"], json!(["resources", "0", "resourceId"]));
    }

    async fn of_a_series_it_is_one_more_thing_that_a_session_may_have_of_its_own(engine) {
        let (server, studio, owner) = studio(engine).await;
        let anna = json!({ "resourceIds": [studio.anna.id.to_string()] });
        let wish = with(series::yoga(&studio, 0, "FREQ=DAILY;COUNT=4"), anna);
        let made = series::made(&owner, with(wish.clone(), transparent())).await;
        // They overlap each other's twins.
        let twins = series::made(&owner, with(wish.clone(), transparent())).await;
        let busy = series::made(&owner, wish).await;
        let all = series::sessions(&made);
        let seen = async |which: usize| {
            let query = "query($id: ID!) { session(id: $id) { transparency overriddenFields series { transparency neededResources { transparency } } } }";
            owner.data(query, json!({ "id": all[which]["id"] })).await["session"].clone()
        };
        assert_eq!(seen(0).await["series"], json!({ "transparency": "TRANSPARENT", "neededResources": [{ "transparency": "OPAQUE" }] }));
        let clash = json!({ "sessionId": all[1]["id"], "transparency": "OPAQUE" });
        assert_eq!(code(&owner, "updateSession", clash.clone()).await, "SLOT_NOT_AVAILABLE");
        done(&owner, "cancelSession", json!({ "sessionId": series::sessions(&busy)[0]["id"], "scope": "ALL" }), "session { id }").await;
        done(&owner, "updateSession", clash, SESSION).await;
        assert_eq!((&seen(1).await["transparency"], &seen(1).await["overriddenFields"]), (&json!("OPAQUE"), &json!(["TRANSPARENCY"])));
        assert_eq!(held(&server, &all[1]).await, [true]);
        // All others are told, and the one keeps its own.
        done(&owner, "updateSession", json!({ "sessionId": all[2]["id"], "scope": "THIS_AND_FOLLOWING", "transparency": "OPAQUE" }), SESSION).await;
        let now = [seen(0).await, seen(1).await, seen(2).await, seen(3).await];
        let told: Vec<&Value> = now.iter().map(|one| &one["transparency"]).collect();
        assert_eq!(told, ["TRANSPARENT", "OPAQUE", "OPAQUE", "OPAQUE"]);
        done(&owner, "updateSession", json!({ "sessionId": all[2]["id"], "scope": "ALL", "transparency": "TRANSPARENT" }), SESSION).await;
        assert_eq!(seen(3).await["transparency"], "TRANSPARENT");
        assert_eq!(held(&server, &all[3]).await, [false]);
        let restored = done(&owner, "restoreSession", json!({ "sessionId": all[1]["id"], "fields": ["TRANSPARENCY"] }), SESSION).await["session"].clone();
        assert_eq!((&restored["transparency"], &restored["overriddenFields"]), (&json!("TRANSPARENT"), &json!([])));
        assert_eq!(series::sessions(&twins).len(), 4);
    }

    async fn who_takes_over_is_kept_as_free_as_who_goes(engine) {
        let (server, studio, owner) = studio(engine).await;
        let made = done(&owner, "createResource", json!({ "type": "STAFF", "name": "Zoe" }), "resource { id }").await;
        let zoe = made["resource"]["id"].clone();
        let wish = with(session(&studio, 0, 60), one_by_one(&[(&studio.anna, "TRANSPARENT")]));
        let made = done(&owner, "createSession", wish, SESSION).await["session"].clone();
        let of_series = with(series::yoga(&studio, 24 * 60, "FREQ=DAILY;COUNT=2"), one_by_one(&[(&studio.anna, "TRANSPARENT")]));
        let repeated = series::made(&owner, of_series).await;
        let anna = json!({ "resourceId": studio.anna.id.to_string() });
        assert_eq!(refused(&owner, "deleteResource", anna.clone()).await["count"], 3, "it serves them");
        // Zoe is busy herself, which is in the way of nothing.
        let block = json!({ "resourceId": zoe, "startDate": studio.at(0), "endDate": studio.at(60 * 60) });
        done(&owner, "createBlockedTime", block, "").await;
        done(&owner, "deleteResource", with(anna, json!({ "reassignTo": zoe })), "impact { sessions }").await;
        let query = "query($id: ID!) { session(id: $id) { neededResources { resourceId transparency } series { neededResources { resourceId transparency } } } }";
        let needed = json!([{ "resourceId": zoe, "transparency": "TRANSPARENT" }]);
        assert_eq!(owner.data(query, json!({ "id": made["id"] })).await["session"]["neededResources"], needed);
        let first = owner.data(query, json!({ "id": series::sessions(&repeated)[0]["id"] })).await["session"].clone();
        assert_eq!((&first["neededResources"], &first["series"]["neededResources"]), (&needed, &needed));
        assert_eq!(held(&server, &made).await, [false]);
    }
}
