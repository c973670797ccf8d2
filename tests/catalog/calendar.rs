//! Blocked times.

use serde_json::{Value, json};

use crate::{
    code, confirmed, done, last_event, on_both_engines, refused, studio,
    support::{Studio, client::mutation, fixture::with},
};

const BLOCKED: &str = "blockedTime { id startDate endDate reason resource { name } }";

fn lunch(studio: &Studio, minutes: i64) -> Value {
    json!({
        "resourceId": studio.anna.id.to_string(), "startDate": studio.at(minutes), "endDate": studio.at(minutes + 60), "reason": "Lunch",
    })
}

on_both_engines! {
    async fn a_blocked_time_keeps_bookings_out_until_it_is_freed(engine) {
        let (_server, studio, owner) = studio(engine).await;
        let blocked = done(&owner, "createBlockedTime", lunch(&studio, 0), BLOCKED).await["blockedTime"].clone();
        assert_eq!(blocked["resource"]["name"], "Anna");
        let wanted = studio.appointment(&studio.massage, 30, &[&studio.anna]);
        let error = owner.refused("createBooking", wanted.clone()).await;
        assert_eq!((error["code"].as_str().unwrap(), &error["conflicts"]), ("SLOT_NOT_AVAILABLE", &json!([])));
        let skip = with(wanted, json!({ "status": "CREATED" }));
        done(&owner, "deleteBlockedTime", json!({ "blockedTimeId": blocked["id"] }), BLOCKED).await;
        confirmed(&owner, skip).await;
        assert_eq!(code(&owner, "deleteBlockedTime", json!({ "blockedTimeId": blocked["id"] })).await, "BLOCKED_TIME_NOT_FOUND");
    }

    async fn a_block_over_a_booking_has_to_be_allowed(engine) {
        let (_server, studio, owner) = studio(engine).await;
        let booking = confirmed(&owner, studio.appointment(&studio.massage, 30, &[&studio.anna])).await;
        let error = refused(&owner, "createBlockedTime", lunch(&studio, 0)).await;
        assert_eq!(error["conflicts"], json!([{ "id": booking }]));
        done(&owner, "createBlockedTime", with(lunch(&studio, 0), json!({ "allowOverlap": true })), BLOCKED).await;
    }

    async fn freeing_a_block_clears_the_flag_of_who_clashed_with_it(engine) {
        let (_server, studio, owner) = studio(engine).await;
        let begun = owner.done("createBooking", studio.appointment(&studio.massage, 0, &[&studio.anna])).await;
        let blocked = done(&owner, "createBlockedTime", lunch(&studio, 0), BLOCKED).await["blockedTime"].clone();
        assert_eq!(owner.done("confirmBooking", json!({ "bookingId": begun["id"] })).await["doubleBooked"], true);
        done(&owner, "deleteBlockedTime", json!({ "blockedTimeId": blocked["id"] }), BLOCKED).await;
        let (booking, event) = last_event(&owner, begun["id"].as_str().unwrap()).await;
        assert_eq!((&booking["doubleBooked"], event.0.as_str()), (&json!(false), "DOUBLE_BOOKING_RESOLVED"));
    }

    async fn every_rule_of_a_blocked_time_is_kept(engine) {
        let (_server, studio, owner) = studio(engine).await;
        for (change, path) in [
            (json!({ "endDate": studio.at(0) }), "endDate"),
            (json!({ "startDate": "noon" }), "startDate"),
            (json!({ "reason": "x".repeat(501) }), "reason"),
            (json!({ "resourceId": frontdesk::domain::ids::ResourceId::new().to_string() }), "resourceId"),
            (json!({ "resourceId": studio.yoga.id.to_string() }), "resourceId"),
        ] {
            let error = refused(&owner, "createBlockedTime", with(lunch(&studio, 0), change.clone())).await;
            assert_eq!(error["path"], json!([path]), "{change}: {error}");
        }
    }

    async fn staff_block_their_own_time_and_see_no_other(engine) {
        let (server, studio, owner) = studio(engine).await;
        let (anna, ben) = (server.staff(studio.anna.id), server.staff(studio.ben.id));
        let blocked = done(&anna, "createBlockedTime", lunch(&studio, 0), BLOCKED).await["blockedTime"].clone();
        assert_eq!(code(&ben, "createBlockedTime", lunch(&studio, 120)).await, "UNAUTHORIZED_OPERATION");
        let delete = json!({ "blockedTimeId": blocked["id"] });
        assert_eq!(code(&ben, "deleteBlockedTime", delete.clone()).await, "BLOCKED_TIME_NOT_FOUND");
        let query = "query($filter: BlockedTimeFilter) { blockedTimes(filter: $filter) { totalCount nodes { reason resource { name } } } }";
        let of_anna = json!({ "filter": { "resourceIds": [studio.anna.id.to_string()], "from": studio.at(0), "to": studio.at(1) } });
        for (client, filter, count) in [(&anna, json!({}), 1), (&ben, json!({}), 0), (&ben, of_anna.clone(), 0), (&owner, of_anna, 1)] {
            let seen = client.data(query, filter).await;
            assert_eq!(seen["blockedTimes"]["totalCount"], count);
            assert_eq!(seen["blockedTimes"]["nodes"].as_array().unwrap().len(), count);
        }
        for client in [server.member("mia"), server.visitor()] {
            assert_eq!(client.error_code(query, json!({})).await, "FORBIDDEN");
            let document = mutation("deleteBlockedTime", "blockedTime { id }");
            assert_eq!(client.error_code(&document, json!({ "input": delete })).await, "FORBIDDEN");
            let node = client.data("query($id: ID!) { node(id: $id) { id } }", json!({ "id": blocked["id"] })).await;
            assert_eq!(node["node"], Value::Null);
        }
        done(&anna, "deleteBlockedTime", delete, BLOCKED).await;
    }
}
