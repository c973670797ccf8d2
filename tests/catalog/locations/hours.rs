//! Opening hours of locations, and hours that somebody keeps at one of them.

use serde_json::{Value, json};

use super::{DAY, business, hour, is, location, mondays, offered, refusal, service, staff, words};
use crate::{code, done, on_both_engines, support::Server};

const HOURS: &str = "workingHours { revision weekly { startTime endTime locationId } specialDays { date times { startTime locationId } } }";

on_both_engines! {
    async fn the_hours_of_a_location_count_there_instead_of_the_business_s(engine) {
        let server = Server::start(engine).await;
        let owner = server.owner();
        let (centre, harbour) = (location(&owner, "Centre").await, location(&owner, "Harbour").await);
        let anna = staff(&owner, "Anna", json!({}), &[]).await;
        let id = service(&owner, hour(&[&anna], &json!([business(&centre), business(&harbour)]))).await;
        done(&owner, "setWorkingHours", json!({ "weekly": [mondays("09:00", "11:00", None)] }), HOURS).await;
        let visitor = server.visitor();
        let both = ["09:00 Centre", "09:00 Harbour", "10:00 Centre", "10:00 Harbour"];
        assert_eq!(words(&offered(&visitor, &[&id], None).await), both);
        let own = json!({ "locationId": harbour, "weekly": [mondays("10:00", "13:00", None)], "expectedRevision": 0 });
        let set = done(&owner, "setWorkingHours", own.clone(), HOURS).await["workingHours"].clone();
        assert_eq!(set["revision"], 1);
        let expected = ["09:00 Centre", "10:00 Centre", "10:00 Harbour", "11:00 Harbour", "12:00 Harbour"];
        assert_eq!(words(&offered(&visitor, &[&id], None).await), expected);
        let read = format!("query($id: ID!) {{ location(id: $id) {{ {HOURS} }} }}");
        assert_eq!(visitor.data(&read, json!({ "id": harbour })).await["location"]["workingHours"], set, "everybody sees them");
        assert_eq!(code(&owner, "setWorkingHours", own).await, "REVISION_MISMATCH");
        done(&owner, "clearWorkingHours", json!({ "locationId": harbour }), HOURS).await;
        assert_eq!(words(&offered(&visitor, &[&id], None).await), both, "the business's again");
        assert_eq!(visitor.data(&read, json!({ "id": harbour })).await["location"]["workingHours"], Value::Null);
    }

    async fn a_location_is_closed_for_rooms_whatever_the_business_keeps(engine) {
        let server = Server::start(engine).await;
        let owner = server.owner();
        let (centre, harbour) = (location(&owner, "Centre").await, location(&owner, "Harbour").await);
        let anna = staff(&owner, "Anna", json!({}), &[mondays("08:00", "20:00", None)]).await;
        let room = done(&owner, "createResource", json!({ "type": "ROOM", "name": "Room" }), "resource { id }").await["resource"]["id"].clone();
        let input = crate::support::fixture::with(hour(&[&anna], &json!([business(&centre), business(&harbour)])), json!({
            "requiredResources": [{ "resourceType": "ROOM", "resourceIds": [room], "requiredResourcesNumber": 1 }],
        }));
        let id = service(&owner, input).await;
        done(&owner, "setWorkingHours", json!({ "weekly": [mondays("09:00", "11:00", None)] }), HOURS).await;
        done(&owner, "setWorkingHours", json!({ "locationId": harbour, "weekly": [mondays("14:00", "15:00", None)] }), HOURS).await;
        assert_eq!(words(&offered(&server.visitor(), &[&id], None).await), ["09:00 Centre", "10:00 Centre", "14:00 Harbour"]);
    }

    async fn somebody_is_in_the_morning_here_and_in_the_afternoon_there(engine) {
        // Worked example 10.
        let server = Server::start(engine).await;
        let owner = server.owner();
        let (a, b) = (location(&owner, "A").await, location(&owner, "B").await);
        let hours = [mondays("09:00", "12:00", Some(&a)), mondays("13:00", "17:00", Some(&b))];
        let anna = staff(&owner, "Anna", json!({}), &hours).await;
        let id = service(&owner, hour(&[&anna], &json!([business(&a), business(&b)]))).await;
        let expected = ["09:00 A", "10:00 A", "11:00 A", "13:00 B", "14:00 B", "15:00 B", "16:00 B"];
        assert_eq!(words(&offered(&server.visitor(), &[&id], None).await), expected);
        let read = format!("query($id: ID!) {{ resource(id: $id) {{ {HOURS} }} }}");
        let kept = owner.data(&read, json!({ "id": anna })).await["resource"]["workingHours"]["weekly"].clone();
        assert_eq!(kept, json!([
            { "startTime": "09:00", "endTime": "12:00", "locationId": a }, { "startTime": "13:00", "endTime": "17:00", "locationId": b },
        ]));
        // A service that is given nowhere in particular takes them as they are.
        let anywhere = service(&owner, hour(&[&anna], &json!([]))).await;
        assert_eq!(offered(&server.visitor(), &[&anywhere], None).await.len(), 7);
    }

    async fn a_special_day_may_be_at_another_location(engine) {
        let server = Server::start(engine).await;
        let owner = server.owner();
        let (a, b) = (location(&owner, "A").await, location(&owner, "B").await);
        let anna = staff(&owner, "Anna", json!({}), &[mondays("09:00", "12:00", Some(&a))]).await;
        let id = service(&owner, hour(&[&anna], &json!([business(&a), business(&b)]))).await;
        let special = json!([{ "date": DAY, "times": [{ "startTime": "18:00", "endTime": "19:00", "locationId": b }] }]);
        let set = json!({ "resourceId": anna, "weekly": [mondays("09:00", "12:00", Some(&a))], "specialDays": special });
        let set = done(&owner, "setWorkingHours", set, HOURS).await;
        assert_eq!(set["workingHours"]["specialDays"][0]["times"][0]["locationId"], json!(b));
        assert_eq!(words(&offered(&server.visitor(), &[&id], None).await), ["18:00 B"]);
    }

    async fn hours_at_no_such_location_are_refused_where_they_stand(engine) {
        let server = Server::start(engine).await;
        let owner = server.owner();
        let centre = location(&owner, "Centre").await;
        let anna = staff(&owner, "Anna", json!({}), &[]).await;
        let nowhere = frontdesk::domain::ids::LocationId::new().to_string();
        let special = |date: &str, location: &str| json!({ "date": date, "times": [{ "startTime": "09:00", "endTime": "10:00", "locationId": location }] });
        for (input, expected) in [
            (json!({ "locationId": nowhere, "weekly": [] }), is("LOCATION_NOT_FOUND", "locationId")),
            (json!({ "locationId": anna, "weekly": [] }), is("INVALID_ID", "locationId")),
            (json!({ "locationId": centre, "resourceId": anna, "weekly": [] }), is("VALIDATION_FAILURE", "locationId")),
            (json!({ "locationId": centre, "weekly": [mondays("09:00", "10:00", Some(&centre))] }), is("VALIDATION_FAILURE", "weekly.0.locationId")),
            (json!({ "weekly": [mondays("09:00", "10:00", Some(&centre))] }), is("VALIDATION_FAILURE", "weekly.0.locationId")),
            (json!({ "resourceId": anna, "weekly": [mondays("09:00", "10:00", None), mondays("09:00", "10:00", Some(&nowhere))] }), is("LOCATION_NOT_FOUND", "weekly.1.locationId")),
            (json!({ "resourceId": anna, "weekly": [mondays("09:00", "10:00", Some("here"))] }), is("INVALID_ID", "weekly.0.locationId")),
            (json!({ "resourceId": anna, "weekly": [], "specialDays": [special("2032-03-02", &centre), special("2032-03-01", &nowhere)] }), is("LOCATION_NOT_FOUND", "specialDays.1.times.0.locationId")),
        ] {
            assert_eq!(refusal(&owner, "setWorkingHours", input.clone()).await, expected, "{input}");
        }
        let staff = server.staff(frontdesk::domain::ids::TypedId::parse(&anna).unwrap());
        let own = json!({ "resourceId": anna, "weekly": [mondays("09:00", "10:00", Some(&centre))] });
        done(&staff, "setWorkingHours", own, HOURS).await;
        assert_eq!(refusal(&staff, "setWorkingHours", json!({ "locationId": centre, "weekly": [] })).await, is("UNAUTHORIZED_OPERATION", "locationId"));
    }
}
