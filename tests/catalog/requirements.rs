//! What an appointment needs: several resources of a type, any of a type, and who may choose.

use std::collections::HashSet;

use futures::future::join_all;
use serde_json::{Value, json};

use crate::{
    ERRORS,
    availability::starts,
    done, on_both_engines, refused, studio,
    support::{Client, fixture::with},
    weekly,
};

/// A Monday far ahead.
const DAY: &str = "2032-03-01";
const SERVICE: &str = "service { id revision requiredStaffMembersNumber staffMemberIds resources { name } \
    requiredResources { resourceType resourceIds requiredResourcesNumber selectableResource } }";

fn at(clock: &str) -> String {
    format!("{DAY}T{clock}:00Z")
}

async fn resource(owner: &Client, kind: &str, name: &str) -> String {
    let made = done(
        owner,
        "createResource",
        json!({ "type": kind, "name": name }),
        "resource { id }",
    )
    .await;
    made["resource"]["id"].as_str().unwrap().to_owned()
}

/// An appointment service of an hour.
fn an_hour(needs: Value) -> Value {
    with(
        json!({ "type": "APPOINTMENT", "name": "An hour", "durations": [60], "payment": { "rateType": "NO_FEE" } }),
        needs,
    )
}

async fn service(owner: &Client, needs: Value) -> String {
    let made = done(owner, "createService", an_hour(needs), SERVICE).await;
    made["service"]["id"].as_str().unwrap().to_owned()
}

async fn open(owner: &Client) {
    let hours = json!({ "weekly": [weekly("09:00", "17:00", &["MONDAY"])] });
    done(owner, "setWorkingHours", hours, "workingHours { revision }").await;
}

fn visit(service: &str, clock: &str, with: &[&str]) -> Value {
    json!({
        "bookedEntity": { "slot": { "appointment": { "serviceId": service, "startDate": at(clock), "resourceIds": with } } },
        "contactDetails": { "firstName": "Ada", "email": "ada@example.org" }, "totalParticipants": 1,
    })
}

const SERVED: &str = "booking { id bookedEntity { ... on BookedSlot { resource { id } additionalResources { id } } } }";

/// Books as the owner; who serves it, or the code of the refusal.
async fn book(owner: &Client, service: &str, clock: &str, wish: &[&str]) -> Result<Vec<String>, String> {
    let input = with(visit(service, clock, wish), json!({ "status": "CONFIRMED" }));
    let payload = owner
        .mutate_selecting("createBooking", input, &format!("{SERVED} {ERRORS}"))
        .await;
    if let Some(error) = payload["userErrors"].as_array().unwrap().first() {
        return Err(error["code"].as_str().unwrap().to_owned());
    }
    let slot = &payload["booking"]["bookedEntity"];
    let others = slot["additionalResources"].as_array().unwrap().iter();
    let all = std::iter::once(&slot["resource"]).chain(others);
    Ok(all.map(|one| one["id"].as_str().unwrap().to_owned()).collect())
}

async fn offered(client: &Client, service: &str) -> Vec<String> {
    let found = starts(
        client,
        json!({ "ids": [service], "from": at("00:00"), "to": "2032-03-02T00:00:00Z" }),
    )
    .await;
    found.iter().map(|start| start[11..16].to_owned()).collect()
}

async fn block(owner: &Client, resource: &str, from: &str, to: &str) {
    let input = json!({ "resourceId": resource, "startDate": at(from), "endDate": at(to) });
    done(owner, "createBlockedTime", input, "blockedTime { id }").await;
}

fn path(error: &Value) -> String {
    let path: Vec<&str> = error["path"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| p.as_str().unwrap())
        .collect();
    path.join(".")
}

on_both_engines! {
    async fn two_therapists_at_once(engine) {
        let (server, _studio, owner) = studio(engine).await;
        open(&owner).await;
        let (one, other) = (resource(&owner, "STAFF", "One").await, resource(&owner, "STAFF", "Other").await);
        let service = service(&owner, json!({ "staffMemberIds": [one, other], "requiredStaffMembersNumber": 2 })).await;
        block(&owner, &other, "12:00", "13:00").await;
        let free = offered(&server.visitor(), &service).await;
        assert_eq!(free.len(), 12, "example 6: {free:?}");
        assert!(!["11:30", "12:00", "12:30"].iter().any(|start| free.iter().any(|one| one == start)), "{free:?}");
        assert_eq!(book(&owner, &service, "12:00", &[]).await, Err("SLOT_NOT_AVAILABLE".to_owned()));
        assert_eq!(book(&owner, &service, "09:00", &[&other]).await, Ok(vec![other.clone(), one.clone()]), "who is named comes first");
        assert_eq!(offered(&server.visitor(), &service).await.first().map(String::as_str), Some("10:00"), "both are busy");
        let query = "query($ids: [ID!]!, $from: DateTime, $to: DateTime!) { availability(serviceIds: $ids, from: $from, to: $to, limit: 1) \
            { timeSlots { ... on AppointmentSlot { availableResources { resourceType numberOfResourcesRequired resources { name } } } } } }";
        let told = owner.data(query, json!({ "ids": [service], "from": at("00:00"), "to": "2032-03-02T00:00:00Z" })).await;
        assert_eq!(told["availability"]["timeSlots"][0]["availableResources"], json!([
            { "resourceType": "STAFF", "numberOfResourcesRequired": 2, "resources": [{ "name": "One" }, { "name": "Other" }] },
        ]));
    }

    /// The same matching where no opening hours are on record.
    async fn staff_a_room_and_equipment_are_all_claimed(engine) {
        let (_server, _studio, owner) = studio(engine).await;
        let staff = resource(&owner, "STAFF", "Somebody").await;
        let rooms = [resource(&owner, "ROOM", "East").await, resource(&owner, "ROOM", "West").await];
        let lamp = resource(&owner, "EQUIPMENT", "Lamp").await;
        let needs = json!({ "staffMemberIds": [staff], "requiredResources": [
            { "resourceType": "ROOM", "resourceIds": rooms },
            { "resourceType": "EQUIPMENT", "resourceIds": [lamp], "selectableResource": false },
        ] });
        let service = service(&owner, needs).await;
        assert_eq!(book(&owner, &service, "10:00", &[&rooms[1]]).await, Ok(vec![staff.clone(), rooms[1].clone(), lamp.clone()]));
        assert_eq!(book(&owner, &service, "10:30", &[]).await, Err("SLOT_NOT_AVAILABLE".to_owned()));
        block(&owner, &lamp, "11:00", "12:00").await;
        let input = with(visit(&service, "10:30", &[]), json!({ "status": "CONFIRMED" }));
        let error = refused(&owner, "createBooking", input).await;
        assert_eq!(error["nextAvailable"], at("12:00"), "all of it has to be free: {error}");
    }

    /// Two entries that share a room: it serves one of them only, and whoever is left serves the other.
    async fn a_resource_serves_one_entry_only(engine) {
        let (_server, _studio, owner) = studio(engine).await;
        let (east, west) = (resource(&owner, "ROOM", "East").await, resource(&owner, "ROOM", "West").await);
        let entry = |ids: &[&str]| json!({ "resourceType": "ROOM", "resourceIds": ids });
        let both = service(&owner, json!({ "requiredResources": [entry(&[&east, &west]), entry(&[&east])] })).await;
        assert_eq!(book(&owner, &both, "10:00", &[&east]).await, Ok(vec![west.clone(), east.clone()]));
        let twice = service(&owner, json!({ "requiredResources": [entry(&[&east]), entry(&[&east])], "slug": "twice" })).await;
        assert_eq!(book(&owner, &twice, "14:00", &[]).await, Err("SLOT_NOT_AVAILABLE".to_owned()));
    }

    async fn what_a_service_says_of_its_staff_can_be_said_again(engine) {
        let (_server, _studio, owner) = studio(engine).await;
        let (anna, ben) = (resource(&owner, "STAFF", "Anna").await, resource(&owner, "STAFF", "Ben").await);
        let id = service(&owner, json!({ "staffMemberIds": [anna, ben] })).await;
        done(&owner, "deleteResource", json!({ "resourceId": anna }), "resource { id }").await;
        let told = owner.data("query($id: ID!) { service(id: $id) { staffMemberIds resources { id } } }", json!({ "id": id })).await;
        assert_eq!(told["service"], json!({ "staffMemberIds": [anna, ben], "resources": [{ "id": ben }] }));
        for named in [json!([anna, ben]), json!([anna])] {
            done(&owner, "updateService", json!({ "serviceId": id, "staffMemberIds": named }), "service { id }").await;
        }
        // Who isn't named any more can't come back.
        done(&owner, "updateService", json!({ "serviceId": id, "staffMemberIds": [ben] }), "service { id }").await;
        let error = refused(&owner, "updateService", json!({ "serviceId": id, "staffMemberIds": [ben, anna] })).await;
        assert_eq!((&error["code"], &error["path"]), (&json!("RESOURCE_NOT_FOUND"), &json!(["staffMemberIds", "1"])));
    }

    async fn any_of_the_type_follows_what_comes_and_goes(engine) {
        let (server, studio, owner) = studio(engine).await;
        open(&owner).await;
        let anna = studio.anna.id.to_string();
        let needs = json!({ "staffMemberIds": [anna], "requiredResources": [{ "resourceType": "EQUIPMENT", "requiredResourcesNumber": 2 }] });
        let service = service(&owner, needs).await;
        let one = resource(&owner, "EQUIPMENT", "One").await;
        assert_eq!(offered(&server.visitor(), &service).await, Vec::<String>::new(), "there is one of two");
        let other = resource(&owner, "EQUIPMENT", "Other").await;
        assert_eq!(offered(&server.visitor(), &service).await.len(), 15);
        assert_eq!(book(&owner, &service, "09:00", &[]).await, Ok(vec![anna.clone(), one.clone(), other.clone()]));
        let third = resource(&owner, "EQUIPMENT", "Third").await;
        block(&owner, &one, "12:00", "13:00").await;
        assert_eq!(book(&owner, &service, "12:00", &[]).await, Ok(vec![anna.clone(), other.clone(), third.clone()]));
        done(&owner, "deleteResource", json!({ "resourceId": resource(&owner, "EQUIPMENT", "Fourth").await }), "resource { id }").await;
        let found = owner.data("query($id: ID!) { service(id: $id) { requiredResources { resourceIds } } }", json!({ "id": service })).await;
        assert_eq!(found["service"]["requiredResources"], json!([{ "resourceIds": [] }]));
    }

    async fn customers_choose_where_they_may_and_no_more_than_is_needed(engine) {
        let (server, _studio, owner) = studio(engine).await;
        let staff = [resource(&owner, "STAFF", "One").await, resource(&owner, "STAFF", "Two").await, resource(&owner, "STAFF", "Three").await];
        let room = resource(&owner, "ROOM", "East").await;
        let needs = json!({ "staffMemberIds": staff, "requiredStaffMembersNumber": 2,
            "requiredResources": [{ "resourceType": "ROOM", "selectableResource": false, "resourceIds": [room] }] });
        let service = service(&owner, needs).await;
        let visitor = server.visitor();
        let room_wished = refused(&visitor, "createBooking", visit(&service, "10:00", &[&staff[0], &room])).await;
        assert_eq!(path(&room_wished), "bookedEntity.slot.appointment.resourceIds.1", "{room_wished}");
        let three = refused(&visitor, "createBooking", visit(&service, "10:00", &[&staff[0], &staff[1], &staff[2]])).await;
        assert_eq!(path(&three), "bookedEntity.slot.appointment.resourceIds.2", "{three}");
        done(&visitor, "createBooking", visit(&service, "10:00", &[&staff[2], &staff[1]]), SERVED).await;
        assert_eq!(book(&owner, &service, "12:00", &[&room]).await.map(|served| served.len()), Ok(3), "the business may choose");
    }

    async fn every_rule_of_what_is_needed_is_kept(engine) {
        let (_server, studio, owner) = studio(engine).await;
        let (anna, ben, room) = (studio.anna.id.to_string(), studio.ben.id.to_string(), studio.room.id.to_string());
        let rooms = |change: Value| json!({ "requiredResources": [with(json!({ "resourceType": "ROOM", "resourceIds": [room] }), change)] });
        let nine: Vec<Value> = (0..9).map(|_| json!({ "resourceType": "ROOM" })).collect();
        for (needs, at) in [
            (json!({}), "resourceIds"),
            (json!({ "resourceIds": [anna], "staffMemberIds": [anna] }), "resourceIds"),
            (json!({ "staffMemberIds": [anna, ben], "requiredStaffMembersNumber": 3 }), "requiredStaffMembersNumber"),
            (json!({ "staffMemberIds": [], "requiredStaffMembersNumber": 0 }), "requiredStaffMembersNumber"),
            (json!({ "requiredStaffMembersNumber": 1 }), "requiredStaffMembersNumber"),
            (json!({ "staffMemberIds": [anna, room] }), "staffMemberIds.1"),
            (json!({ "staffMemberIds": [anna, anna] }), "staffMemberIds.1"),
            (json!({ "staffMemberIds": ["nonsense"] }), "staffMemberIds.0"),
            (json!({ "requiredResources": nine }), "requiredResources"),
            (rooms(json!({ "resourceType": "STAFF" })), "requiredResources.0.resourceType"),
            (rooms(json!({ "resourceIds": [room, anna] })), "requiredResources.0.resourceIds.1"),
            (rooms(json!({ "resourceIds": ["nonsense"] })), "requiredResources.0.resourceIds.0"),
            (rooms(json!({ "requiredResourcesNumber": 2 })), "requiredResources.0.requiredResourcesNumber"),
        ] {
            let error = refused(&owner, "createService", an_hour(needs.clone())).await;
            assert_eq!(path(&error), at, "{needs}: {error}");
        }
    }

    async fn the_short_form_is_one_of_each_type_and_changes_keep_the_rest(engine) {
        let (_server, studio, owner) = studio(engine).await;
        let (anna, ben, room) = (studio.anna.id.to_string(), studio.ben.id.to_string(), studio.room.id.to_string());
        let made = done(&owner, "createService", an_hour(json!({ "resourceIds": [room, ben, anna] })), SERVICE).await["service"].clone();
        let east = json!({ "resourceType": "ROOM", "resourceIds": [room], "requiredResourcesNumber": 1, "selectableResource": true });
        assert_eq!((&made["staffMemberIds"], &made["requiredStaffMembersNumber"], &made["requiredResources"]), (&json!([ben, anna]), &json!(1), &json!([east])));
        let change = |change: Value| with(json!({ "serviceId": made["id"] }), change);
        let two = done(&owner, "updateService", change(json!({ "requiredStaffMembersNumber": 2 })), SERVICE).await["service"].clone();
        assert_eq!((&two["staffMemberIds"], &two["requiredStaffMembersNumber"], &two["requiredResources"]), (&json!([ben, anna]), &json!(2), &json!([east])));
        let none = done(&owner, "updateService", change(json!({ "staffMemberIds": null })), SERVICE).await["service"].clone();
        assert_eq!((&none["staffMemberIds"], &none["requiredStaffMembersNumber"], &none["requiredResources"]), (&Value::Null, &Value::Null, &json!([east])));
        let nothing = refused(&owner, "updateService", change(json!({ "requiredResources": [] }))).await;
        assert_eq!(path(&nothing), "resourceIds", "something is always needed");
    }

    /// Two entries with counts, many callers: as many win as there is room for, nobody is claimed twice, nothing deadlocks.
    async fn of_many_who_need_several_as_many_win_as_there_is_room(engine) {
        let (_server, _studio, owner) = studio(engine).await;
        let mut staff = Vec::new();
        for number in 0..5 {
            staff.push(resource(&owner, "STAFF", &format!("Staff {number}")).await);
        }
        for number in 0..4 {
            resource(&owner, "EQUIPMENT", &format!("Lamp {number}")).await;
        }
        let needs = |staff: &[String]| json!({ "staffMemberIds": staff, "requiredStaffMembersNumber": 2,
            "requiredResources": [{ "resourceType": "EQUIPMENT", "requiredResourcesNumber": 2 }] });
        let backwards: Vec<String> = staff.iter().rev().cloned().collect();
        let one = service(&owner, needs(&staff)).await;
        let other = service(&owner, with(needs(&backwards), json!({ "slug": "other" }))).await;
        let wish = |n: usize| book(&owner, if n.is_multiple_of(2) { &one } else { &other }, "10:00", &[]);
        let all = join_all((0..64).map(wish)).await;
        let won: Vec<&Vec<String>> = all.iter().filter_map(|said| said.as_ref().ok()).collect();
        assert_eq!(won.len(), 2, "{all:?}");
        assert!(all.iter().all(|said| said.as_ref().err().is_none_or(|code| code == "SLOT_NOT_AVAILABLE")), "{all:?}");
        let taken: Vec<&String> = won.into_iter().flatten().collect();
        assert_eq!(taken.len(), 8);
        assert_eq!(taken.iter().collect::<HashSet<_>>().len(), 8, "nobody twice: {taken:?}");
    }
}
