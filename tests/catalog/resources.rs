//! Resources: their types, what they tell of themselves, and who of them is taken.

use std::collections::BTreeSet;

use frontdesk::domain::ids::{ResourceId, TypedId as _};
use futures::future::join_all;
use serde_json::{Value, json};

use crate::{
    code, confirmed, done, on_both_engines, refused, studio,
    support::{Client, Studio, fixture::with},
};

async fn resource(owner: &Client, input: Value) -> String {
    let made = done(owner, "createResource", input, "resource { id }").await;
    made["resource"]["id"].as_str().unwrap().to_owned()
}

async fn service(owner: &Client, needs: Value) -> Value {
    let input = with(
        json!({ "type": "APPOINTMENT", "name": "Half an hour", "durations": [30], "payment": { "rateType": "NO_FEE" } }),
        needs,
    );
    done(owner, "createService", input, "service { id }").await["service"]["id"].clone()
}

fn visit(studio: &Studio, service: &Value, minutes: i64) -> Value {
    json!({
        "bookedEntity": { "slot": { "appointment": { "serviceId": service, "startDate": studio.at(minutes) } } },
        "contactDetails": { "firstName": "Ada" }, "totalParticipants": 1,
    })
}

/// The ids of those who serve an appointment that is booked now.
async fn book(owner: &Client, studio: &Studio, service: &Value, minutes: i64) -> String {
    let id = confirmed(owner, visit(studio, service, minutes)).await;
    let query = "query($id: ID!) { booking(id: $id) { bookedEntity { ... on BookedSlot { resource { id } } } } }";
    let told = owner.data(query, json!({ "id": id })).await;
    told["booking"]["bookedEntity"]["resource"]["id"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// The names of those that are listed as free at noon, by requirement.
async fn free(client: &Client, studio: &Studio, service: &Value) -> Value {
    let query = "query($ids: [ID!]!, $from: DateTime, $to: DateTime!) { availability(serviceIds: $ids, from: $from, to: $to, limit: 1) \
        { timeSlots { ... on AppointmentSlot { availableResources { resourceType resourceTypeId resources { name } } } } } }";
    let window = json!({ "ids": [service], "from": studio.at(0), "to": studio.at(30) });
    client.data(query, window).await["availability"]["timeSlots"].clone()
}

async fn findings(owner: &Client, studio: &Studio, service: &Value, more: Value) -> Vec<Value> {
    let query = "query($s: ID!, $from: DateTime, $to: DateTime!, $r: [ID!]) { explainAvailability(serviceId: $s, from: $from, to: $to, resourceIds: $r) \
        { findings { reason resourceName resourceType } unavailableStarts { findings { reason resourceName resourceType busyWith } } } }";
    let about = with(json!({ "s": service, "from": studio.at(0), "to": studio.at(1) }), more);
    let told = owner.data(query, about).await["explainAvailability"].clone();
    let all = told["findings"].as_array().unwrap().iter();
    let times = told["unavailableStarts"].as_array().unwrap().iter();
    all.chain(times.flat_map(|time| time["findings"].as_array().unwrap()))
        .cloned()
        .collect()
}

fn says(findings: &[Value], reason: &str, name: &str) -> bool {
    findings
        .iter()
        .any(|one| one["reason"] == reason && one["resourceName"] == name)
}

const LIST: &str = "query($filter: ResourceFilter, $orderBy: ResourceOrder, $first: Int, $after: String) { \
    resources(filter: $filter, orderBy: $orderBy, first: $first, after: $after) { totalCount nodes { name } pageInfo { endCursor hasNextPage } } }";

async fn names(client: &Client, variables: Value) -> Vec<String> {
    let found = client.data(LIST, variables).await["resources"]["nodes"].clone();
    found
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["name"].as_str().unwrap().to_owned())
        .collect()
}

on_both_engines! {
    async fn every_site_has_three_types_and_may_make_up_others(engine) {
        let (server, studio, owner) = studio(engine).await;
        let types = "{ resourceTypes { totalCount nodes { id name kind revision } } }";
        let found = owner.data(types, json!({})).await["resourceTypes"].clone();
        let kinds: Vec<&Value> = found["nodes"].as_array().unwrap().iter().map(|one| &one["kind"]).collect();
        assert_eq!(kinds, ["STAFF", "ROOM", "EQUIPMENT"]);
        let staff = found["nodes"][0].clone();
        let told = owner.data("query($id: ID!) { resource(id: $id) { type typeId } }", json!({ "id": studio.anna.id.to_string() })).await;
        assert_eq!(told["resource"], json!({ "type": "STAFF", "typeId": staff["id"] }));
        assert_eq!(code(&owner, "deleteResourceType", json!({ "resourceTypeId": staff["id"] })).await, "VALIDATION_FAILURE");
        let made = done(&owner, "createResourceType", json!({ "name": "Boat" }), "resourceType { id name kind revision }").await["resourceType"].clone();
        assert_eq!((&made["name"], &made["kind"], &made["revision"]), (&json!("Boat"), &json!("CUSTOM"), &json!(1)));
        for name in ["BOAT", "staff", " boat "] {
            let refusal = refused(&owner, "createResourceType", json!({ "name": name })).await;
            assert_eq!((&refusal["code"], &refusal["path"]), (&json!("RESOURCE_TYPE_ALREADY_EXISTS_FOR_NAME"), &json!(["name"])));
        }
        let rename = |id: &Value, name: &str, revision: i32| json!({ "resourceTypeId": id, "name": name, "expectedRevision": revision });
        assert_eq!(code(&owner, "updateResourceType", rename(&made["id"], "Room", 1)).await, "RESOURCE_TYPE_ALREADY_EXISTS_FOR_NAME");
        done(&owner, "updateResourceType", rename(&made["id"], "boat", 1), "resourceType { id }").await;
        assert_eq!(code(&owner, "updateResourceType", rename(&made["id"], "Ship", 1)).await, "REVISION_MISMATCH");
        done(&owner, "updateResourceType", rename(&staff["id"], "Trainers", 1), "resourceType { id }").await;
        let node = "query($id: ID!) { node(id: $id) { ... on ResourceTypeDefinition { name kind } } }";
        assert_eq!(server.visitor().data(node, json!({ "id": staff["id"] })).await["node"], json!({ "name": "Trainers", "kind": "STAFF" }));
        assert_eq!(code(&owner, "createResourceType", json!({ "name": "x".repeat(41) })).await, "VALIDATION_FAILURE");
        done(&owner, "deleteResourceType", json!({ "resourceTypeId": made["id"] }), "resourceType { id }").await;
        assert_eq!(code(&owner, "deleteResourceType", json!({ "resourceTypeId": made["id"] })).await, "RESOURCE_TYPE_NOT_FOUND");
        done(&owner, "createResourceType", json!({ "name": "Boat" }), "resourceType { id }").await;
    }

    async fn of_many_types_of_one_name_one_is_made(engine) {
        let (_server, _studio, owner) = studio(engine).await;
        let make = async |_| owner.mutate_selecting("createResourceType", json!({ "name": "Boat" }), "userErrors { code }").await["userErrors"].clone();
        let all = join_all((0..8).map(make)).await;
        assert_eq!(all.iter().filter(|errors| **errors == json!([])).count(), 1, "{all:?}");
    }

    async fn a_service_needs_what_is_of_a_type_of_the_businesss_own(engine) {
        let (_server, studio, owner) = studio(engine).await;
        let boat = done(&owner, "createResourceType", json!({ "name": "Boat" }), "resourceType { id }").await["resourceType"]["id"].clone();
        let other = done(&owner, "createResourceType", json!({ "name": "Raft" }), "resourceType { id }").await["resourceType"]["id"].clone();
        for (input, path) in [
            (json!({ "name": "A" }), "type"),
            (json!({ "name": "A", "type": "CUSTOM" }), "resourceTypeId"),
            (json!({ "name": "A", "type": "ROOM", "resourceTypeId": boat }), "type"),
        ] {
            let refusal = refused(&owner, "createResource", input).await;
            assert_eq!((&refusal["code"], &refusal["path"]), (&json!("VALIDATION_FAILURE"), &json!([path])));
        }
        let needs = json!({ "requiredResources": [{ "resourceTypeId": boat }] });
        let row = service(&owner, with(needs, json!({ "staffMemberIds": [studio.anna.id.to_string()] }))).await;
        assert_eq!(owner.refused("createBooking", visit(&studio, &row, 0)).await["code"], "SLOT_NOT_AVAILABLE");
        let nimbus = resource(&owner, json!({ "name": "Nimbus", "resourceTypeId": boat })).await;
        assert_eq!(free(&owner, &studio, &row).await, json!([{ "availableResources": [
            { "resourceType": "STAFF", "resourceTypeId": null, "resources": [{ "name": "Anna" }] },
            { "resourceType": "CUSTOM", "resourceTypeId": boat, "resources": [{ "name": "Nimbus" }] },
        ] }]));
        confirmed(&owner, visit(&studio, &row, 0)).await;
        let block = json!({ "resourceId": nimbus, "startDate": studio.at(60), "endDate": studio.at(90) });
        done(&owner, "createBlockedTime", block, "blockedTime { id }").await;
        assert_eq!(owner.refused("createBooking", visit(&studio, &row, 60)).await["code"], "SLOT_NOT_AVAILABLE");
        let told = owner.data("query($id: ID!) { service(id: $id) { requiredResources { resourceType resourceTypeId } } }", json!({ "id": row })).await;
        assert_eq!(told["service"]["requiredResources"], json!([{ "resourceType": "CUSTOM", "resourceTypeId": boat }]));
        assert_eq!(code(&owner, "deleteResourceType", json!({ "resourceTypeId": boat })).await, "RESOURCE_TYPE_IN_USE");
        assert_eq!(names(&owner, json!({ "filter": { "types": ["CUSTOM"] } })).await, ["Nimbus"]);
        assert_eq!(names(&owner, json!({ "filter": { "typeIds": [boat] } })).await, ["Nimbus"]);
        assert_eq!(names(&owner, json!({ "filter": { "types": ["ROOM"] } })).await, ["Studio 1"]);
        // A service alone keeps a type, too.
        let wet = service(&owner, json!({ "requiredResources": [{ "resourceTypeId": other }] })).await;
        assert_eq!(code(&owner, "deleteResourceType", json!({ "resourceTypeId": other })).await, "RESOURCE_TYPE_IN_USE");
        done(&owner, "deleteService", json!({ "serviceId": wet }), "canceledBookings").await;
        done(&owner, "deleteResourceType", json!({ "resourceTypeId": other }), "resourceType { id }").await;
        assert_eq!(code(&owner, "createResource", json!({ "name": "A", "resourceTypeId": other })).await, "RESOURCE_TYPE_NOT_FOUND");
    }

    async fn a_resource_tells_of_itself_and_only_the_business_how_to_reach_it(engine) {
        let (server, studio, owner) = studio(engine).await;
        let input = json!({
            "type": "STAFF", "name": "Zoe", "email": "zoe@studio.example", "phone": "+49 30 123", "description": "Teaches.", "tags": ["calm"],
            "image": { "url": "https://studio.example/zoe.jpg" }, "ranking": 3,
        });
        let zoe = resource(&owner, input).await;
        let seen = async |client: &Client| {
            let query = "query($id: ID!) { resource(id: $id) { email phone description tags image { url type } ranking bookable publiclyAccessible } }";
            client.data(query, json!({ "id": zoe })).await["resource"].clone()
        };
        let whole = json!({
            "email": "zoe@studio.example", "phone": "+49 30 123", "description": "Teaches.", "tags": ["calm"],
            "image": { "url": "https://studio.example/zoe.jpg", "type": "IMAGE" }, "ranking": 3, "bookable": true, "publiclyAccessible": false,
        });
        let hidden = with(whole.clone(), json!({ "email": null, "phone": null }));
        assert_eq!(seen(&owner).await, whole);
        assert_eq!(seen(&server.staff(ResourceId::parse(&zoe).unwrap())).await, whole, "herself");
        assert_eq!(seen(&server.staff(studio.ben.id)).await, hidden, "another one");
        assert_eq!(seen(&server.visitor()).await, hidden);
        let public = json!({ "resourceId": zoe, "publiclyAccessible": true, "expectedRevision": 1 });
        done(&owner, "updateResource", public, "resource { id }").await;
        assert_eq!(seen(&server.visitor()).await, with(whole.clone(), json!({ "publiclyAccessible": true })));
        let clear = json!({ "resourceId": zoe, "phone": null, "image": null, "tags": null, "description": null, "email": null, "ranking": 0 });
        done(&owner, "updateResource", clear, "resource { id }").await;
        assert_eq!(seen(&owner).await, json!({
            "email": null, "phone": null, "description": null, "tags": [], "image": null, "ranking": 0, "bookable": true, "publiclyAccessible": true,
        }));
        for (field, value, path) in [
            ("ranking", json!(6), json!(["ranking"])), ("ranking", json!(-1), json!(["ranking"])),
            ("description", json!("x".repeat(501)), json!(["description"])), ("phone", json!("1".repeat(21)), json!(["phone"])),
            ("tags", json!(["a", "a"]), json!(["tags", "1"])), ("image", json!({ "url": "ftp://x" }), json!(["image", "url"])),
            ("bookable", json!(null), json!(["bookable"])),
        ] {
            let refusal = refused(&owner, "updateResource", json!({ "resourceId": zoe, (field): value })).await;
            assert_eq!((&refusal["code"], &refusal["path"]), (&json!("VALIDATION_FAILURE"), &path));
        }
    }

    async fn who_isnt_bookable_is_in_nothing_new_and_keeps_what_is_booked(engine) {
        let (server, studio, owner) = studio(engine).await;
        let (one, other) = (resource(&owner, json!({ "type": "STAFF", "name": "One" })).await, resource(&owner, json!({ "type": "STAFF", "name": "Other" })).await);
        let reading = service(&owner, json!({ "staffMemberIds": [one, other] })).await;
        let any = service(&owner, json!({ "staffMemberIds": [one], "requiredStaffMembersNumber": 1 })).await;
        assert_eq!(book(&owner, &studio, &reading, 600).await, one);
        let id = confirmed(&owner, visit(&studio, &any, 660)).await;
        let begun = owner.done("createBooking", visit(&studio, &any, 720)).await["id"].clone();
        done(&owner, "updateResource", json!({ "resourceId": one, "bookable": false }), "resource { id }").await;
        assert_eq!(free(&server.visitor(), &studio, &reading).await[0]["availableResources"][0]["resources"], json!([{ "name": "Other" }]));
        assert_eq!(free(&server.visitor(), &studio, &any).await, json!([]));
        assert_eq!(book(&owner, &studio, &reading, 0).await, other);
        let named = |who: &str| {
            let mut wish = visit(&studio, &reading, 30);
            wish["bookedEntity"]["slot"]["appointment"]["resourceIds"] = json!([who]);
            wish
        };
        assert_eq!(owner.refused("createBooking", named(&one)).await["code"], "RESOURCE_NOT_FOUND");
        // What has it keeps it, also at another time; what never had it can't get it.
        let moved = json!({ "bookingId": id, "slot": { "appointment": { "serviceId": any, "startDate": studio.at(780) } } });
        done(&owner, "rescheduleBooking", moved, "booking { id }").await;
        assert_eq!(crate::story(&owner, &id).await.0["bookedEntity"]["resource"]["id"], json!(one));
        assert_eq!(code(&owner, "confirmBooking", json!({ "bookingId": begun })).await, "SLOT_NOT_AVAILABLE");
        let told = findings(&owner, &studio, &any, json!({})).await;
        assert!(says(&told, "RESOURCE_NOT_BOOKABLE", "One"), "{told:?}");
        let told = findings(&owner, &studio, &reading, json!({ "r": [one] })).await;
        assert!(says(&told, "RESOURCE_NOT_BOOKABLE", "One") && !says(&told, "RESOURCE_NOT_ASSIGNED_TO_SERVICE", "One"), "{told:?}");
        assert_eq!(names(&owner, json!({ "filter": { "bookable": { "eq": false } } })).await, ["One"]);
        done(&owner, "updateResource", json!({ "resourceId": one, "bookable": true }), "resource { id }").await;
        owner.done("createBooking", named(&one)).await;
    }

    async fn the_explanation_tells_what_a_requirement_lacks(engine) {
        let (_server, studio, owner) = studio(engine).await;
        let (anna, ben) = (studio.anna.id.to_string(), studio.ben.id.to_string());
        let pair = service(&owner, json!({ "staffMemberIds": [anna, ben], "requiredStaffMembersNumber": 2, "requiredResources": [{ "resourceType": "ROOM" }] })).await;
        let block = |id: &str| json!({ "resourceId": id, "startDate": studio.at(0), "endDate": studio.at(30) });
        let blocked = done(&owner, "createBlockedTime", block(&ben), "blockedTime { id }").await["blockedTime"]["id"].clone();
        let told = findings(&owner, &studio, &pair, json!({})).await;
        assert!(says(&told, "RESOURCE_BLOCKED", "Ben") && !says(&told, "RESOURCE_BLOCKED", "Anna"), "{told:?}");
        done(&owner, "deleteBlockedTime", json!({ "blockedTimeId": blocked }), "blockedTime { id }").await;
        done(&owner, "createBlockedTime", block(&studio.room.id.to_string()), "blockedTime { id }").await;
        let told = findings(&owner, &studio, &pair, json!({})).await;
        // Of the window as a whole, and of the start.
        let room = json!({ "reason": "RESOURCE_BLOCKED", "resourceName": "Studio 1", "resourceType": "ROOM" });
        assert_eq!(told, [room.clone(), with(room, json!({ "busyWith": "BLOCKED_TIME" }))]);
    }

    async fn staff_are_taken_by_rank(engine) {
        let (server, studio, owner) = studio(engine).await;
        let mut staff = Vec::new();
        for (name, ranking) in [("Low", 1), ("High", 5), ("Middle", 3)] {
            staff.push(resource(&owner, json!({ "type": "STAFF", "name": name, "ranking": ranking })).await);
        }
        let needs = json!({ "staffMemberIds": staff, "staffSortingPolicy": { "sortingMethodType": "RANKING", "rankingOptions": { "order": "HIGHEST_TO_LOWEST" } } });
        let reading = service(&owner, needs).await;
        let listed = async || free(&server.visitor(), &studio, &reading).await[0]["availableResources"][0]["resources"].clone();
        assert_eq!(listed().await, json!([{ "name": "High" }, { "name": "Middle" }, { "name": "Low" }]));
        let policy = "query($id: ID!) { service(id: $id) { staffSortingPolicy { sortingMethodType rankingOptions { order } } } }";
        let told = owner.data(policy, json!({ "id": reading })).await;
        assert_eq!(told["service"]["staffSortingPolicy"], json!({ "sortingMethodType": "RANKING", "rankingOptions": { "order": "HIGHEST_TO_LOWEST" } }));
        for who in [1, 2, 0] {
            assert_eq!(book(&owner, &studio, &reading, 0).await, staff[who], "the first who is free, by rank");
        }
        let update = |policy: Value| json!({ "serviceId": reading, "staffSortingPolicy": policy });
        done(&owner, "updateService", update(json!({ "sortingMethodType": "RANKING" })), "service { id }").await;
        assert_eq!(book(&owner, &studio, &reading, 60).await, staff[0], "the lowest first if not said");
        done(&owner, "updateService", update(json!(null)), "service { id }").await;
        assert_eq!(owner.data(policy, json!({ "id": reading })).await["service"]["staffSortingPolicy"], json!(null));
        assert_eq!(book(&owner, &studio, &reading, 120).await, staff[0], "as they are named");
        let wrong = update(json!({ "sortingMethodType": "RANDOM", "rankingOptions": { "order": "LOWEST_TO_HIGHEST" } }));
        assert_eq!(refused(&owner, "updateService", wrong).await["path"], json!(["staffSortingPolicy", "rankingOptions"]));
        let class = json!({ "serviceId": studio.yoga.id.to_string(), "staffSortingPolicy": { "sortingMethodType": "RANDOM" } });
        assert_eq!(refused(&owner, "updateService", class).await["path"], json!(["staffSortingPolicy"]));
    }

    async fn staff_are_taken_by_lot(engine) {
        let (server, studio, owner) = studio(engine).await;
        let (one, other) = (resource(&owner, json!({ "type": "STAFF", "name": "Zoe" })).await, resource(&owner, json!({ "type": "STAFF", "name": "Kim" })).await);
        let reading = service(&owner, json!({ "staffMemberIds": [one, other], "staffSortingPolicy": { "sortingMethodType": "RANDOM" } })).await;
        assert_eq!(free(&server.visitor(), &studio, &reading).await[0]["availableResources"][0]["resources"], json!([{ "name": "Kim" }, { "name": "Zoe" }]));
        let mut taken = BTreeSet::new();
        for n in 0..16 {
            taken.insert(book(&owner, &studio, &reading, n * 30).await);
        }
        // Sixteen lots that all fall on one of two: less likely than one in thirty thousand.
        assert_eq!(taken, BTreeSet::from([one.clone(), other.clone()]));
        // Whoever is busy is not drawn.
        assert_ne!(book(&owner, &studio, &reading, 900).await, book(&owner, &studio, &reading, 900).await);
    }

    async fn resources_are_listed_by_name_type_and_rank(engine) {
        let (server, _studio, owner) = studio(engine).await;
        for (name, ranking) in [("Kim", 2), ("Carl", 4)] {
            resource(&owner, json!({ "type": "STAFF", "name": name, "ranking": ranking })).await;
        }
        let visitor = server.visitor();
        assert_eq!(names(&visitor, json!({})).await, ["Anna", "Ben", "Studio 1", "Kim", "Carl"]);
        let by = |field: &str, direction: &str| json!({ "orderBy": { "field": field, "direction": direction } });
        assert_eq!(names(&visitor, by("NAME", "ASC")).await, ["Anna", "Ben", "Carl", "Kim", "Studio 1"]);
        assert_eq!(names(&visitor, by("RANKING", "DESC")).await[..2], ["Carl", "Kim"]);
        assert_eq!(names(&visitor, json!({ "filter": { "name": { "in": ["Kim", "Ben"] } } })).await, ["Ben", "Kim"]);
        assert_eq!(names(&visitor, json!({ "filter": { "ranking": { "gte": 2 }, "types": ["STAFF"] } })).await, ["Kim", "Carl"]);
        let mut after = json!(null);
        let mut walked = Vec::new();
        for _ in 0..5 {
            let page = visitor.data(LIST, with(by("NAME", "DESC"), json!({ "first": 1, "after": after }))).await["resources"].clone();
            walked.push(page["nodes"][0]["name"].as_str().unwrap().to_owned());
            assert_eq!((&page["totalCount"], &page["pageInfo"]["hasNextPage"]), (&json!(5), &json!(walked.len() < 5)));
            after = page["pageInfo"]["endCursor"].clone();
        }
        assert_eq!(walked, ["Studio 1", "Kim", "Carl", "Ben", "Anna"]);
    }
}
