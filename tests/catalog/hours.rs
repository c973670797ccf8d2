//! When the business and its resources are open: set, read, taken back, and kept by bookings.

use serde_json::{Value, json};

use crate::{
    code, done, on_both_engines, refused, studio,
    support::{client::mutation, fixture::with},
    weekly,
};

const HOURS: &str = "workingHours { revision weekly { days startTime endTime validFrom validUntil } \
    specialDays { date times { startTime endTime } } createdDate updatedDate }";

/// The hours that the business shows, and Anna's own.
async fn shown(client: &crate::support::Client, resource: &str) -> (Value, Value) {
    let query = format!("query($id: ID!) {{ site {{ {HOURS} }} resource(id: $id) {{ {HOURS} }} }}");
    let data = client.data(&query, json!({ "id": resource })).await;
    (
        data["site"]["workingHours"].clone(),
        data["resource"]["workingHours"].clone(),
    )
}

on_both_engines! {
    async fn hours_are_set_read_and_taken_back(engine) {
        let (server, studio, owner) = studio(engine).await;
        let anna = studio.anna.id.to_string();
        assert_eq!(shown(&owner, &anna).await, (Value::Null, Value::Null));
        let business = json!({
            "weekly": [weekly("09:00", "17:00", &["MONDAY", "TUESDAY"]), weekly("22:00", "02:00", &["SATURDAY"])],
            "specialDays": [{ "date": "2030-12-24", "times": [{ "startTime": "09:00", "endTime": "12:00" }] }, { "date": "2030-12-25", "times": [] }],
            "expectedRevision": 0, "idempotencyKey": "hours",
        });
        let set = done(&owner, "setWorkingHours", business.clone(), HOURS).await["workingHours"].clone();
        assert_eq!(set["revision"], 1);
        assert_eq!(set["weekly"][0], json!({
            "days": ["MONDAY", "TUESDAY"], "startTime": "09:00", "endTime": "17:00", "validFrom": null, "validUntil": null,
        }));
        assert_eq!(set["weekly"][1]["endTime"], "26:00", "past midnight hours go on");
        assert_eq!(set["specialDays"], business["specialDays"]);
        assert_eq!(done(&owner, "setWorkingHours", business, HOURS).await["workingHours"], set, "a replay");
        let own = json!({
            "resourceId": anna, "weekly": [with(weekly("10:00", "26:00", &["SUNDAY"]), json!({ "validFrom": "2030-01-01", "validUntil": "2030-01-01" }))],
        });
        let own = done(&owner, "setWorkingHours", own, HOURS).await["workingHours"].clone();
        assert_eq!(shown(&owner, &anna).await, (set.clone(), own));
        // The business's hours are there for everybody, those of its staff are its own business.
        assert_eq!(shown(&server.visitor(), &anna).await, (set.clone(), Value::Null));
        let error = refused(&owner, "setWorkingHours", json!({ "weekly": [], "expectedRevision": 0 })).await;
        assert_eq!((&error["code"], &error["current"]), (&json!("REVISION_MISMATCH"), &json!(1)));
        done(&owner, "clearWorkingHours", json!({ "resourceId": anna, "expectedRevision": 1 }), HOURS).await;
        assert_eq!(shown(&owner, &anna).await, (set, Value::Null));
        done(&owner, "clearWorkingHours", json!({}), HOURS).await;
        assert_eq!(shown(&owner, &anna).await, (Value::Null, Value::Null));
    }

    async fn hours_that_make_no_sense_are_refused_where_they_stand(engine) {
        let (_server, studio, owner) = studio(engine).await;
        let day = |times: Value| json!({ "weekly": [], "specialDays": [{ "date": "2030-12-24", "times": [times] }] });
        for (input, path, problem) in [
            (json!({ "weekly": [weekly("9", "17:00", &[])] }), json!(["weekly", "0", "startTime"]), "INVALID_DATE_FORMAT"),
            (json!({ "weekly": [weekly("09:00", "17:00", &[]), weekly("24:00", "25:00", &[])] }), json!(["weekly", "1", "startTime"]), "INVALID_DATE_FORMAT"),
            (json!({ "weekly": [weekly("09:00", "09:00", &[])] }), json!(["weekly", "0", "endTime"]), "INVALID_DATE_FORMAT"),
            (json!({ "weekly": [weekly("09:00", "33:01", &[])] }), json!(["weekly", "0", "endTime"]), "INVALID_DATE_FORMAT"),
            (json!({ "weekly": [{ "days": [], "startTime": "09:00", "endTime": "17:00" }] }), json!(["weekly", "0", "days"]), "VALIDATION_FAILURE"),
            (json!({ "weekly": [with(weekly("09:00", "17:00", &[]), json!({ "validFrom": "2030-02-30" }))] }), json!(["weekly", "0", "validFrom"]), "INVALID_DATE_FORMAT"),
            (json!({ "weekly": [with(weekly("09:00", "17:00", &[]), json!({ "validFrom": "2030-02-02", "validUntil": "2030-02-01" }))] }), json!(["weekly", "0", "validUntil"]), "INVALID_DATE_FORMAT"),
            (day(json!({ "startTime": "09:00", "endTime": "later" })), json!(["specialDays", "0", "times", "0", "endTime"]), "INVALID_DATE_FORMAT"),
            (json!({ "weekly": [], "specialDays": [{ "date": "2030-12-24", "times": [] }, { "date": "2030-12-24", "times": [] }] }), json!(["specialDays", "1", "date"]), "INVALID_DATE_FORMAT"),
            (json!({ "weekly": [], "resourceId": frontdesk::domain::ids::ResourceId::new().to_string() }), json!(["resourceId"]), "RESOURCE_NOT_FOUND"),
            (json!({ "weekly": [], "resourceId": studio.massage.id.to_string() }), json!(["resourceId"]), "INVALID_ID"),
            (json!({ "weekly": vec![weekly("09:00", "17:00", &[]); 101] }), json!(["weekly"]), "VALIDATION_FAILURE"),
        ] {
            let error = refused(&owner, "setWorkingHours", input.clone()).await;
            assert_eq!((&error["path"], error["code"].as_str().unwrap()), (&path, problem), "{input}");
        }
    }

    async fn staff_set_their_own_hours_and_no_others(engine) {
        let (server, studio, _owner) = studio(engine).await;
        let anna = server.staff(studio.anna.id);
        let of = |resource: Option<&frontdesk::domain::catalog::Resource>| {
            json!({ "resourceId": resource.map(|resource| resource.id.to_string()), "weekly": [weekly("09:00", "12:00", &[])] })
        };
        done(&anna, "setWorkingHours", of(Some(&studio.anna)), HOURS).await;
        for input in [of(Some(&studio.ben)), of(None)] {
            assert_eq!(code(&anna, "setWorkingHours", input).await, "UNAUTHORIZED_OPERATION");
        }
        assert_eq!(code(&anna, "clearWorkingHours", json!({})).await, "UNAUTHORIZED_OPERATION");
        done(&anna, "clearWorkingHours", json!({ "resourceId": studio.anna.id.to_string() }), HOURS).await;
        for client in [server.member("mia"), server.visitor()] {
            let document = mutation("setWorkingHours", HOURS);
            assert_eq!(client.error_code(&document, json!({ "input": of(None) })).await, "FORBIDDEN");
        }
    }

    async fn customers_and_the_business_keep_within_hours_unless_it_says_otherwise(engine) {
        let (server, studio, owner) = studio(engine).await;
        let ada = server.member("ada");
        // The site's clock shows UTC: noon is 12:00.
        done(&owner, "setWorkingHours", json!({ "weekly": [weekly("12:00", "14:00", &[])] }), HOURS).await;
        done(&owner, "setWorkingHours", json!({ "resourceId": studio.ben.id.to_string(), "weekly": [] }), HOURS).await;
        let massage = |minutes| studio.appointment(&studio.massage, minutes, &[]);
        for client in [&ada, &owner] {
            let error = client.refused("createBooking", massage(120)).await;
            assert_eq!((&error["code"], &error["conflicts"]), (&json!("SLOT_NOT_AVAILABLE"), &json!([])));
            assert_eq!(error["nextAvailable"], studio.at(24 * 60), "when it opens on the next day");
        }
        // Between the starts that are offered: customers can't, the business may.
        let error = ada.refused("createBooking", massage(10)).await;
        assert_eq!((&error["code"], &error["nextAvailable"]), (&json!("SLOT_NOT_AVAILABLE"), &json!(studio.at(30))));
        let beside = owner.done("createBooking", with(massage(10), json!({ "status": "CONFIRMED" }))).await;
        assert_eq!(beside["bookedEntity"]["resource"]["name"], "Anna", "Ben is not there at all");
        let error = ada.refused("createBooking", massage(30)).await;
        assert_eq!(error["conflicts"], json!([]), "not hers to see");
        assert_eq!(error["nextAvailable"], studio.at(60), "half past twelve is taken until 12:40");
        // The whole visit has to be within the hours.
        let late = ada.done("createBooking", massage(90)).await;
        assert_eq!(code(&ada, "rescheduleBooking", json!({ "bookingId": late["id"], "slot": massage(105)["bookedEntity"]["slot"] })).await, "SLOT_NOT_AVAILABLE");
        ada.done("rescheduleBooking", json!({ "bookingId": late["id"], "slot": massage(60)["bookedEntity"]["slot"] })).await;
        let skip = json!({ "flowControlSettings": { "skipAvailabilityValidation": true } });
        owner.done("createBooking", with(massage(600), skip)).await;
    }

    async fn the_interval_between_starts_can_be_set(engine) {
        let (_server, studio, owner) = studio(engine).await;
        let interval = "service { slotsSplitInterval { sameAsDuration valueInMinutes } }";
        let id = studio.training.id.to_string();
        let set = |value: Value| json!({ "serviceId": id, "slotsSplitInterval": value });
        let changed = done(&owner, "updateService", set(json!({ "sameAsDuration": true })), interval).await;
        assert_eq!(changed["service"]["slotsSplitInterval"], json!({ "sameAsDuration": true, "valueInMinutes": null }));
        let changed = done(&owner, "updateService", set(json!({ "valueInMinutes": 10 })), interval).await;
        assert_eq!(changed["service"]["slotsSplitInterval"], json!({ "sameAsDuration": false, "valueInMinutes": 10 }));
        for bad in [json!({}), json!({ "sameAsDuration": true, "valueInMinutes": 10 }), json!({ "valueInMinutes": 0 }), json!({ "valueInMinutes": 1441 })] {
            let error = refused(&owner, "updateService", set(bad.clone())).await;
            assert_eq!(error["path"], json!(["slotsSplitInterval", "valueInMinutes"]), "{bad}");
        }
        let class = json!({ "serviceId": studio.yoga.id.to_string(), "slotsSplitInterval": { "valueInMinutes": 10 } });
        assert_eq!(refused(&owner, "updateService", class).await["path"], json!(["slotsSplitInterval"]));
    }
}
