//! Packages: several appointments of one visit, back to back, all or none.

use frontdesk::domain::catalog::Resource;
use serde_json::{Value, json};

use crate::{
    done, on_both_engines, refused, studio,
    support::{Client, Studio, fixture::with},
    weekly,
};

/// A Monday far ahead.
pub const DAY: &str = "2032-03-01";
pub const PACKAGE: &str = "multiServiceBooking { id type totalNumberOfScheduledBookings startDate endDate bookings { \
    id status revision startDate endDate doubleBooked multiServiceBookingInfo { id type } contactDetails { firstName } \
    bookedEntity { ... on BookedSlot { resource { id name } } } history { nodes { type } } } }";

pub fn at(clock: &str) -> String {
    format!("{DAY}T{clock}:00Z")
}

/// From nine to twelve or later, on Mondays.
pub async fn open(owner: &Client, until: &str) {
    let hours = json!({ "weekly": [weekly("09:00", until, &["MONDAY"])] });
    done(owner, "setWorkingHours", hours, "workingHours { revision }").await;
}

pub async fn service(owner: &Client, name: &str, minutes: i32, buffer: i32, staff: &[&Resource]) -> String {
    let staff: Vec<String> = staff.iter().map(|one| one.id.to_string()).collect();
    let input = json!({
        "type": "APPOINTMENT", "name": name, "durations": [minutes], "bufferMinutes": buffer,
        "payment": { "rateType": "NO_FEE" }, "staffMemberIds": staff,
    });
    let made = done(owner, "createService", input, "service { id }").await;
    made["service"]["id"].as_str().unwrap().to_owned()
}

pub async fn block(owner: &Client, resource: &Resource, from: &str, to: &str) {
    let input = json!({ "resourceId": resource.id.to_string(), "startDate": at(from), "endDate": at(to) });
    done(owner, "createBlockedTime", input, "blockedTime { id }").await;
}

/// The input for a package of services at their starts.
pub fn package(parts: &[(&str, &str)]) -> Value {
    let bookings: Vec<Value> = parts
        .iter()
        .map(|(service, clock)| {
            json!({ "slot": { "serviceId": service, "startDate": at(clock) }, "totalParticipants": 1 })
        })
        .collect();
    json!({ "bookings": bookings, "contactDetails": { "firstName": "Ada", "email": "ada@example.org" } })
}

pub async fn made(client: &Client, input: Value) -> Value {
    done(client, "createMultiServiceBooking", input, PACKAGE).await["multiServiceBooking"].clone()
}

pub async fn act(client: &Client, name: &str, package: &Value, more: Value) -> Value {
    let input = with(json!({ "multiServiceBookingId": package["id"] }), more);
    done(client, name, input, PACKAGE).await["multiServiceBooking"].clone()
}

pub async fn no(client: &Client, name: &str, package: &Value, more: Value) -> String {
    let input = with(json!({ "multiServiceBookingId": package["id"] }), more);
    refused(client, name, input).await["code"].as_str().unwrap().to_owned()
}

pub async fn see(client: &Client, id: &Value) -> Value {
    let query = format!("query($id: ID!) {{ multiServiceBooking(id: $id) {{ {} }} }}", inner());
    client.data(&query, json!({ "id": id })).await["multiServiceBooking"].clone()
}

fn inner() -> &'static str {
    PACKAGE.split_once('{').unwrap().1.rsplit_once('}').unwrap().0
}

/// Starts at which the services fit one after the other, as clocks.
pub async fn offered(client: &Client, services: &[&str]) -> Vec<String> {
    let slots = slots(client, services).await;
    slots
        .iter()
        .map(|slot| slot["startDate"].as_str().unwrap()[11..16].to_owned())
        .collect()
}

pub async fn slots(client: &Client, services: &[&str]) -> Vec<Value> {
    let query = "query($services: [MultiServiceAvailabilityItemInput!]!, $from: DateTime, $to: DateTime!) { \
        multiServiceAvailability(services: $services, from: $from, to: $to, bookable: true) { timeSlots { startDate endDate \
        bookable totalCapacity remainingCapacity nestedTimeSlots { startDate endDate serviceId resources { id name } } } } }";
    let services: Vec<Value> = services.iter().map(|id| json!({ "serviceId": id })).collect();
    let window = json!({ "services": services, "from": at("00:00"), "to": "2032-03-02T00:00:00Z" });
    let told = client.data(query, window).await;
    told["multiServiceAvailability"]["timeSlots"]
        .as_array()
        .unwrap()
        .clone()
}

/// Starts of one service, as clocks.
pub async fn alone(client: &Client, service: &str) -> Vec<String> {
    let window = json!({ "ids": [service], "from": at("00:00"), "to": "2032-03-02T00:00:00Z" });
    let starts = crate::availability::starts(client, window).await;
    starts.iter().map(|start| start[11..16].to_owned()).collect()
}

pub fn all<'a>(package: &'a Value, field: &str) -> Vec<&'a Value> {
    package["bookings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|booking| &booking[field])
        .collect()
}

pub fn served(package: &Value) -> Vec<String> {
    let name = |booking: &Value| {
        booking["bookedEntity"]["resource"]["name"]
            .as_str()
            .unwrap_or("-")
            .to_owned()
    };
    package["bookings"].as_array().unwrap().iter().map(name).collect()
}

pub fn confirmed(input: Value) -> Value {
    with(input, json!({ "status": "CONFIRMED" }))
}

/// A cut of an hour by Anna and a shave of half an hour by Ben.
pub async fn pair(owner: &Client, studio: &Studio) -> (String, String) {
    let cut = service(owner, "Cut", 60, 0, &[&studio.anna]).await;
    let shave = service(owner, "Shave", 30, 0, &[&studio.ben]).await;
    (cut, shave)
}

on_both_engines! {
    /// The example of the specification, §5.2.
    async fn what_fits_one_after_the_other_is_offered(engine) {
        let (server, studio, owner) = studio(engine).await;
        open(&owner, "12:00").await;
        let (cut, shave) = pair(&owner, &studio).await;
        block(&owner, &studio.ben, "10:00", "10:30").await;
        let mia = server.member("mia");
        assert_eq!(offered(&mia, &[&cut, &shave]).await, ["09:30", "10:00", "10:30"]);
        let first = slots(&mia, &[&cut, &shave]).await[0].clone();
        assert_eq!(first, json!({
            "startDate": at("09:30"), "endDate": at("11:00"), "bookable": true, "totalCapacity": 1, "remainingCapacity": 1,
            "nestedTimeSlots": [
                { "startDate": at("09:30"), "endDate": at("10:30"), "serviceId": cut, "resources": [{ "id": studio.anna.id.to_string(), "name": "Anna" }] },
                { "startDate": at("10:30"), "endDate": at("11:00"), "serviceId": shave, "resources": [{ "id": studio.ben.id.to_string(), "name": "Ben" }] },
            ],
        }));
        for (parts, place) in [
            ([(cut.as_str(), "09:00"), (shave.as_str(), "10:00")], "1"),
            ([(cut.as_str(), "11:00"), (shave.as_str(), "12:00")], "1"),
            ([(cut.as_str(), "10:10"), (shave.as_str(), "11:10")], "0"),
        ] {
            let error = refused(&mia, "createMultiServiceBooking", package(&parts)).await;
            assert_eq!((&error["code"], &error["path"]), (&json!("SLOT_NOT_AVAILABLE"), &json!(["bookings", place, "slot"])));
        }
        made(&mia, package(&[(&cut, "10:30"), (&shave, "11:30")])).await;
    }

    async fn a_package_lives_and_ends_as_a_whole(engine) {
        let (server, studio, owner) = studio(engine).await;
        open(&owner, "17:00").await;
        let (cut, shave) = pair(&owner, &studio).await;
        let (mia, bob) = (server.member("mia"), server.member("bob"));
        let new = made(&mia, package(&[(&cut, "09:00"), (&shave, "10:00")])).await;
        assert_eq!((&new["type"], &new["totalNumberOfScheduledBookings"]), (&json!("SEQUENTIAL_BOOKINGS"), &json!(0)));
        assert_eq!(all(&new, "status"), ["CREATED", "CREATED"]);
        assert_eq!(new["bookings"][1]["multiServiceBookingInfo"], json!({ "id": new["id"], "type": "SEQUENTIAL_BOOKINGS" }));
        assert_eq!((&new["startDate"], &new["endDate"]), (&json!(at("09:00")), &json!(at("10:30"))));
        assert_eq!(see(&mia, &new["id"]).await, new);
        assert_eq!(see(&owner, &new["id"]).await, new);
        assert_eq!(see(&bob, &new["id"]).await, Value::Null);
        let node = "query($id: ID!) { node(id: $id) { __typename id } }";
        assert_eq!(mia.data(node, json!({ "id": new["id"] })).await["node"]["__typename"], "MultiServiceBooking");
        let list = "query($id: String!) { bookings(filter: { multiServiceBookingId: { eq: $id } }) { nodes { id } } }";
        assert_eq!(mia.data(&list.replace("String!", "ID!"), json!({ "id": new["id"] })).await["bookings"]["nodes"].as_array().unwrap().len(), 2);
        assert_eq!(offered(&mia, &[&cut, &shave]).await[0], "09:00", "nothing is held");

        let on = act(&owner, "confirmMultiServiceBooking", &new, json!({})).await;
        assert_eq!(all(&on, "status"), ["CONFIRMED", "CONFIRMED"]);
        assert_eq!((all(&on, "revision"), served(&on)), (vec![&json!(2), &json!(2)], vec!["Anna".to_owned(), "Ben".to_owned()]));
        assert_eq!(on["totalNumberOfScheduledBookings"], 2);
        assert_eq!(all(&on, "history")[1], &json!({ "nodes": [{ "type": "CREATED" }, { "type": "CONFIRMED" }] }));
        assert_eq!(offered(&mia, &[&cut, &shave]).await[0], "10:00", "taken");
        assert_eq!(no(&owner, "confirmMultiServiceBooking", &new, json!({})).await, "ALL_BOOKINGS_ARE_ALREADY_CONFIRMED");
        assert_eq!(no(&owner, "declineMultiServiceBooking", &new, json!({})).await, "INVALID_BOOKING_STATUS");
        assert_eq!(no(&bob, "cancelMultiServiceBooking", &new, json!({})).await, "MULTI_SERVICE_BOOKING_NOT_FOUND");

        let off = act(&mia, "cancelMultiServiceBooking", &new, json!({})).await;
        assert_eq!(all(&off, "status"), ["CANCELED", "CANCELED"]);
        assert_eq!(offered(&mia, &[&cut, &shave]).await[0], "09:00", "free again");
        assert_eq!(no(&mia, "cancelMultiServiceBooking", &new, json!({})).await, "ALL_BOOKINGS_ARE_ALREADY_CANCELED");
        let other = made(&mia, package(&[(&cut, "09:00"), (&shave, "10:00")])).await;
        let off = act(&owner, "declineMultiServiceBooking", &other, json!({})).await;
        assert_eq!(all(&off, "status"), ["DECLINED", "DECLINED"]);
        assert_eq!(no(&owner, "declineMultiServiceBooking", &other, json!({})).await, "ALL_BOOKINGS_ARE_ALREADY_DECLINED");
        assert_eq!(no(&mia, "cancelMultiServiceBooking", &other, json!({})).await, "ALL_BOOKINGS_ARE_ALREADY_DECLINED");
    }

    async fn a_refused_part_leaves_nothing(engine) {
        let (server, studio, owner) = studio(engine).await;
        open(&owner, "17:00").await;
        let (cut, shave) = pair(&owner, &studio).await;
        block(&owner, &studio.ben, "10:00", "10:30").await;
        let mia = server.member("mia");
        for input in [package(&[(&cut, "09:00"), (&shave, "10:00")]), confirmed(package(&[(&cut, "09:00"), (&shave, "10:00")]))] {
            assert_eq!(refused(&owner, "createMultiServiceBooking", input).await["code"], "SLOT_NOT_AVAILABLE");
        }
        assert_eq!(alone(&mia, &cut).await[0], "09:00");
        let count = owner.data("{ bookings { totalCount } }", json!({})).await;
        assert_eq!(count["bookings"]["totalCount"], 0);
        for (parts, code, path) in [
            (vec![(cut.as_str(), "09:00"), (shave.as_str(), "10:30")], "VALIDATION_FAILURE", json!(["bookings", "1", "slot", "startDate"])),
            (vec![(cut.as_str(), "09:00"), (shave.as_str(), "09:30")], "VALIDATION_FAILURE", json!(["bookings", "1", "slot", "startDate"])),
            (vec![(cut.as_str(), "09:00")], "INVALID_SERVICES_SIZE", json!(["bookings"])),
            (vec![(shave.as_str(), "11:00"); 9], "INVALID_SERVICES_SIZE", json!(["bookings"])),
            (vec![(cut.as_str(), "09:00"), ("service_01h455vb4pex5vsknk084sn02q", "10:00")], "SERVICE_NOT_FOUND", json!(["bookings", "1", "slot", "serviceId"])),
            (vec![(cut.as_str(), "09:00"), ("nonsense", "10:00")], "INVALID_ID", json!(["bookings", "1", "slot", "serviceId"])),
        ] {
            let error = refused(&owner, "createMultiServiceBooking", package(&parts)).await;
            assert_eq!((&error["code"], &error["path"]), (&json!(code), &path), "{parts:?}");
        }
        let flags = json!({ "flowControlSettings": { "skipAvailabilityValidation": true } });
        let error = refused(&mia, "createMultiServiceBooking", with(package(&[(&cut, "09:00"), (&shave, "10:00")]), flags.clone())).await;
        assert_eq!((&error["code"], &error["path"]), (&json!("UNAUTHORIZED_OPERATION"), &json!(["flowControlSettings", "skipAvailabilityValidation"])));
        // By the business's own word it is booked all the same.
        let input = confirmed(with(package(&[(&cut, "09:00"), (&shave, "10:00")]), flags));
        assert_eq!(all(&made(&owner, input).await, "doubleBooked"), [false, false]);
    }

    async fn who_goes_on_has_no_buffer_in_between(engine) {
        let (server, studio, owner) = studio(engine).await;
        open(&owner, "17:00").await;
        let cut = service(&owner, "Cut", 60, 30, &[&studio.anna]).await;
        let mia = server.member("mia");
        assert_eq!(alone(&mia, &cut).await.last().map(String::as_str), Some("16:00"));
        assert_eq!(offered(&mia, &[&cut, &cut]).await[0], "09:00");
        let new = made(&owner, confirmed(package(&[(&cut, "09:00"), (&cut, "10:00")]))).await;
        assert_eq!(served(&new), ["Anna", "Anna"]);
        assert_eq!(alone(&mia, &cut).await[0], "11:30", "the buffer stands behind the whole");
        // A customer's move and a retreat compute the same.
        let to = |clocks: [&str; 2]| {
            let moves = new["bookings"].as_array().unwrap().iter().zip(clocks).map(|(booking, clock)| {
                json!({ "bookingId": booking["id"], "slot": { "serviceId": cut, "startDate": at(clock) } })
            });
            json!({ "bookings": moves.collect::<Vec<_>>() })
        };
        let moved = act(&owner, "rescheduleMultiServiceBooking", &new, to(["10:00", "11:00"])).await;
        assert_eq!(all(&moved, "startDate"), [&json!(at("10:00")), &json!(at("11:00"))]);
        assert_eq!(alone(&mia, &cut).await[0], "12:30");
        act(&owner, "rescheduleMultiServiceBooking", &new, to(["09:00", "10:00"])).await;
        assert_eq!(alone(&mia, &cut).await[0], "11:30");
        act(&owner, "cancelMultiServiceBooking", &new, json!({})).await;
        assert_eq!(alone(&mia, &cut).await[0], "09:00");
    }

    async fn the_same_staff_serves_throughout(engine) {
        let (server, studio, owner) = studio(engine).await;
        open(&owner, "17:00").await;
        let cut = service(&owner, "Cut", 60, 0, &[&studio.anna, &studio.ben]).await;
        let color = service(&owner, "Color", 60, 0, &[&studio.anna, &studio.ben]).await;
        block(&owner, &studio.anna, "10:00", "11:00").await;
        let mia = server.member("mia");
        let slot = slots(&mia, &[&cut, &color]).await[0].clone();
        let names: Vec<&Value> = slot["nestedTimeSlots"].as_array().unwrap().iter().map(|one| &one["resources"][0]["name"]).collect();
        assert_eq!(names, ["Ben", "Ben"], "Anna could do only the first");
        let new = made(&mia, with(package(&[(&cut, "09:00"), (&color, "10:00")]), json!({ "holdSeconds": 60 }))).await;
        assert_eq!(served(&new), ["Ben", "Ben"]);
        // Whoever is named serves.
        let mut input = package(&[(&cut, "13:00"), (&color, "14:00")]);
        input["bookings"][1]["slot"]["resourceIds"] = json!([studio.ben.id.to_string()]);
        assert_eq!(served(&made(&owner, confirmed(input)).await), ["Ben", "Ben"]);
        // Where nobody can do both, two do.
        let on = made(&owner, confirmed(package(&[(&cut, "14:00"), (&color, "15:00")]))).await;
        assert_eq!(served(&on), ["Anna", "Anna"], "Ben is busy at two");
        let on = made(&owner, confirmed(package(&[(&cut, "12:00"), (&color, "13:00")]))).await;
        assert_eq!(served(&on), ["Anna", "Anna"]);
    }

    async fn single_acts_on_a_part_are_refused(engine) {
        let (server, studio, owner) = studio(engine).await;
        open(&owner, "17:00").await;
        let (cut, shave) = pair(&owner, &studio).await;
        let mia = server.member("mia");
        let new = made(&mia, package(&[(&cut, "09:00"), (&shave, "10:00")])).await;
        let part = new["bookings"][0]["id"].clone();
        for (name, more) in [
            ("confirmBooking", json!({})),
            ("declineBooking", json!({})),
            ("cancelBooking", json!({})),
            ("confirmOrDeclineBooking", json!({})),
            ("rescheduleBooking", json!({ "slot": { "appointment": { "serviceId": cut, "startDate": at("12:00") } } })),
        ] {
            let error = refused(&owner, name, with(json!({ "bookingId": part }), more)).await;
            assert_eq!(error["code"], "NOT_ALLOWED_TO_UPDATE_BOOKING_IN_MULTI_SERVICE_BOOKING", "{name}");
        }
        let query = "query($id: ID!, $package: ID!) { booking(id: $id) { allowedActions { cancel { allowed code } reschedule { code } } } \
            multiServiceBooking(id: $package) { allowedActions { cancel { allowed } confirm { allowed code } markAsPending { code } reschedule { allowed } } } }";
        let told = mia.data(query, json!({ "id": part, "package": new["id"] })).await;
        let code = "NOT_ALLOWED_TO_UPDATE_BOOKING_IN_MULTI_SERVICE_BOOKING";
        assert_eq!(told["booking"]["allowedActions"], json!({ "cancel": { "allowed": false, "code": code }, "reschedule": { "code": code } }));
        let told = told["multiServiceBooking"]["allowedActions"].clone();
        assert_eq!((&told["cancel"]["allowed"], &told["reschedule"]["allowed"]), (&json!(true), &json!(true)));
        assert_eq!(told["confirm"], json!({ "allowed": false, "code": "UNAUTHORIZED_OPERATION" }));
        let told = owner.data(query, json!({ "id": part, "package": new["id"] })).await;
        assert_eq!(told["multiServiceBooking"]["allowedActions"]["markAsPending"]["code"], "NOT_PENDING_APPROVAL_SERVICE");
    }

    async fn the_policy_of_one_part_stops_the_customer(engine) {
        let (server, studio, owner) = studio(engine).await;
        open(&owner, "17:00").await;
        let (cut, shave) = pair(&owner, &studio).await;
        let strict = json!({ "name": "Strict", "cancellationPolicy": { "enabled": false }, "reschedulePolicy": { "enabled": false } });
        let policy = done(&owner, "createBookingPolicy", strict, "bookingPolicy { id }").await["bookingPolicy"]["id"].clone();
        done(&owner, "updateService", json!({ "serviceId": shave, "bookingPolicyId": policy }), "service { id }").await;
        let mia = server.member("mia");
        let new = made(&mia, package(&[(&cut, "09:00"), (&shave, "10:00")])).await;
        assert_eq!(no(&mia, "cancelMultiServiceBooking", &new, json!({})).await, "BOOKING_POLICY_VIOLATION");
        let moves: Vec<Value> = [(0, &cut, "11:00"), (1, &shave, "12:00")].into_iter().map(|(index, service, clock)| {
            json!({ "bookingId": new["bookings"][index]["id"], "slot": { "serviceId": service, "startDate": at(clock) } })
        }).collect();
        let input = json!({ "multiServiceBookingId": new["id"], "bookings": moves });
        let error = refused(&mia, "rescheduleMultiServiceBooking", input).await;
        assert_eq!((&error["code"], &error["path"]), (&json!("BOOKING_POLICY_VIOLATION"), &json!(["bookings", "1"])));
        assert_eq!(all(&see(&mia, &new["id"]).await, "status"), ["CREATED", "CREATED"]);
        let off = act(&owner, "cancelMultiServiceBooking", &new, json!({})).await;
        assert_eq!(all(&off, "status"), ["CANCELED", "CANCELED"], "the business may");
        // A part that can't be booked any more: no customer is offered the whole.
        let late = json!({ "name": "Late", "limitLateBookingPolicy": { "enabled": true, "latestBookingInMinutes": 5_256_000 } });
        if let Some(policy) = owner.mutate_selecting("createBookingPolicy", late, "bookingPolicy { id }").await["bookingPolicy"]["id"].as_str() {
            done(&owner, "updateService", json!({ "serviceId": shave, "bookingPolicyId": policy }), "service { id }").await;
            assert_eq!(offered(&mia, &[&cut, &shave]).await, Vec::<String>::new());
            assert_eq!(offered(&owner, &[&cut, &shave]).await[0], "09:00");
            assert_eq!(refused(&mia, "createMultiServiceBooking", package(&[(&cut, "09:00"), (&shave, "10:00")])).await["code"], "BOOKING_POLICY_VIOLATION");
        }
    }

    async fn a_package_moves_back_to_back_or_not_at_all(engine) {
        let (server, studio, owner) = studio(engine).await;
        open(&owner, "17:00").await;
        let (cut, shave) = pair(&owner, &studio).await;
        let mia = server.member("mia");
        let new = made(&owner, confirmed(package(&[(&cut, "09:00"), (&shave, "10:00")]))).await;
        let one = |index: usize, service: &str, clock: &str, revision: i64| {
            json!({ "bookingId": new["bookings"][index]["id"], "expectedRevision": revision, "slot": { "serviceId": service, "startDate": at(clock) } })
        };
        let moves = |moves: Vec<Value>| json!({ "bookings": moves });
        let name = "rescheduleMultiServiceBooking";
        for (wanted, code) in [
            (vec![one(0, &cut, "11:00", 1)], "NOT_ALL_BOOKINGS_WERE_SENT"),
            (vec![one(0, &cut, "11:00", 1), one(0, &cut, "11:00", 1)], "DUPLICATE_BOOKING_INFO"),
            (vec![one(0, &cut, "11:00", 1), one(1, &shave, "12:00", 7)], "BOOKING_REVISION_MISMATCH"),
            (vec![one(0, &cut, "11:00", 1), one(1, &shave, "12:30", 1)], "VALIDATION_FAILURE"),
            (vec![one(0, &shave, "11:00", 1), one(1, &shave, "11:30", 1)], "VALIDATION_FAILURE"),
            (vec![one(0, &cut, "16:00", 1), one(1, &shave, "17:00", 1)], "SLOT_NOT_AVAILABLE"),
        ] {
            assert_eq!(no(&owner, name, &new, moves(wanted)).await, code);
        }
        assert_eq!(all(&see(&owner, &new["id"]).await, "revision"), [1, 1], "nothing moved");
        // By half an hour: each comes to lie where the other one was.
        let moved = act(&owner, name, &new, moves(vec![one(1, &shave, "10:30", 1), one(0, &cut, "09:30", 1)])).await;
        assert_eq!(all(&moved, "startDate"), [&json!(at("09:30")), &json!(at("10:30"))]);
        assert_eq!((all(&moved, "revision"), all(&moved, "doubleBooked")), (vec![&json!(2), &json!(2)], vec![&json!(false), &json!(false)]));
        assert_eq!(alone(&mia, &cut).await[0], "10:30");
        // The other way round is fine, too.
        let moved = act(&owner, name, &new, moves(vec![one(1, &shave, "09:00", 2), one(0, &cut, "09:30", 2)])).await;
        assert_eq!(all(&moved, "startDate"), [&json!(at("09:00")), &json!(at("09:30"))]);
        let error = refused(&owner, "confirmMultiServiceBooking", json!({ "multiServiceBookingId": new["id"], "bookings": [] })).await;
        assert_eq!(error["code"], "ALL_BOOKINGS_ARE_ALREADY_CONFIRMED");
    }

    async fn bookings_join_and_leave_at_the_ends(engine) {
        let (_server, studio, owner) = studio(engine).await;
        open(&owner, "17:00").await;
        let (cut, shave) = pair(&owner, &studio).await;
        let book = async |service: &str, clock: &str, status: &str| {
            let input = json!({
                "bookedEntity": { "slot": { "appointment": { "serviceId": service, "startDate": at(clock) } } },
                "contactDetails": { "firstName": "Ada" }, "totalParticipants": 1, "status": status,
            });
            owner.done("createBooking", input).await["id"].clone()
        };
        let new = made(&owner, confirmed(package(&[(&cut, "09:00"), (&shave, "10:00")]))).await;
        let next = book(&cut, "10:30", "CONFIRMED").await;
        let member = |id: &Value| json!({ "bookings": [{ "bookingId": id, "expectedRevision": 1 }] });
        let (add, remove) = ("addBookingsToMultiServiceBooking", "removeBookingsFromMultiServiceBooking");
        for (id, code) in [
            (book(&cut, "12:00", "CONFIRMED").await, "VALIDATION_FAILURE"),
            (book(&cut, "14:00", "CREATED").await, "BOOKING_TO_ADD_STATUS_NOT_VALID"),
            (new["bookings"][0]["id"].clone(), "MULTI_SERVICE_BOOKING_ALREADY_INCLUDES_BOOKING"),
            (json!("booking_01h455vb4pex5vsknk084sn02q"), "BOOKING_NOT_FOUND"),
        ] {
            assert_eq!(no(&owner, add, &new, member(&id)).await, code);
        }
        let longer = act(&owner, add, &new, member(&next)).await;
        assert_eq!(all(&longer, "id"), [&new["bookings"][0]["id"], &new["bookings"][1]["id"], &next]);
        assert_eq!(longer["bookings"][2]["history"]["nodes"][1]["type"], "UPDATED");
        let other = made(&owner, confirmed(package(&[(&cut, "15:00"), (&shave, "16:00")]))).await;
        assert_eq!(no(&owner, add, &other, member(&next)).await, "BOOKING_ALREADY_PART_OF_ANOTHER_MULTI_SERVICE_BOOKING");

        let error = no(&owner, remove, &new, member(&new["bookings"][1]["id"])).await;
        assert_eq!(error, "VALIDATION_FAILURE", "it would leave a gap");
        let removal = format!("{PACKAGE} removedBookings {{ id multiServiceBookingInfo {{ id }} }}");
        let input = with(json!({ "multiServiceBookingId": new["id"] }), json!({ "bookings": [{ "bookingId": next }] }));
        let left = done(&owner, remove, input, &removal).await;
        assert_eq!(left["removedBookings"], json!([{ "id": next, "multiServiceBookingInfo": null }]));
        assert_eq!(all(&left["multiServiceBooking"], "id").len(), 2);
        owner.done("cancelBooking", json!({ "bookingId": next })).await;
        let input = with(json!({ "multiServiceBookingId": new["id"] }), json!({ "bookings": [{ "bookingId": new["bookings"][0]["id"] }] }));
        let left = done(&owner, remove, input, &removal).await;
        assert_eq!((&left["multiServiceBooking"], left["removedBookings"].as_array().unwrap().len()), (&Value::Null, 2), "one left is no package");
        assert_eq!(see(&owner, &new["id"]).await, Value::Null);
        owner.done("cancelBooking", json!({ "bookingId": new["bookings"][1]["id"] })).await;
    }

    async fn a_retry_finds_the_package_that_was_made(engine) {
        let (server, studio, owner) = studio(engine).await;
        open(&owner, "17:00").await;
        let (cut, shave) = pair(&owner, &studio).await;
        let mia = server.member("mia");
        let input = with(package(&[(&cut, "09:00"), (&shave, "10:00")]), json!({ "idempotencyKey": "once", "holdSeconds": 600 }));
        let new = made(&mia, input.clone()).await;
        assert_eq!(made(&mia, input.clone()).await, new);
        let other = with(package(&[(&cut, "11:00"), (&shave, "12:00")]), json!({ "idempotencyKey": "once" }));
        assert_eq!(refused(&mia, "createMultiServiceBooking", other).await["code"], "IDEMPOTENCY_KEY_REUSED");
        assert_eq!(offered(&mia, &[&cut, &shave]).await[0], "10:00", "held");
        let off = act(&mia, "cancelMultiServiceBooking", &new, json!({ "idempotencyKey": "off" })).await;
        assert_eq!(act(&mia, "cancelMultiServiceBooking", &new, json!({ "idempotencyKey": "off" })).await, off);
        // A visitor gets one token for all of it.
        let visitor = server.visitor();
        let payload = done(&visitor, "createMultiServiceBooking", package(&[(&cut, "09:00"), (&shave, "10:00")]), &format!("{PACKAGE} visitorToken")).await;
        let known = visitor.with("Frontdesk-Visitor-Token", payload["visitorToken"].as_str().unwrap().to_owned());
        assert_eq!(see(&known, &payload["multiServiceBooking"]["id"]).await["id"], payload["multiServiceBooking"]["id"]);
    }

    async fn a_package_waits_for_the_business_as_a_whole(engine) {
        let (server, studio, owner) = studio(engine).await;
        open(&owner, "17:00").await;
        let (cut, _) = pair(&owner, &studio).await;
        let consultation = studio.consultation.id.to_string();
        let mia = server.member("mia");
        let new = made(&mia, package(&[(&consultation, "09:00"), (&cut, "09:30")])).await;
        let info = |status: &str| json!({ "bookings": [
            { "bookingId": new["bookings"][0]["id"], "paymentStatus": status, "expectedRevision": 1 },
            { "bookingId": new["bookings"][1]["id"], "paymentStatus": status },
        ] });
        assert_eq!(no(&owner, "confirmOrDeclineMultiServiceBooking", &new, json!({ "bookings": [{ "bookingId": new["bookings"][0]["id"] }] })).await, "NOT_ALL_BOOKINGS_WERE_SENT");
        let on = act(&owner, "confirmOrDeclineMultiServiceBooking", &new, info("PAID")).await;
        assert_eq!(all(&on, "status"), ["PENDING", "PENDING"], "one of them needs approval");
        let on = act(&owner, "confirmMultiServiceBooking", &new, json!({})).await;
        assert_eq!(all(&on, "status"), ["CONFIRMED", "CONFIRMED"]);
        // One that clashes and isn't paid for is declined as a whole.
        let late = made(&mia, package(&[(&consultation, "12:00"), (&cut, "12:30")])).await;
        block(&owner, &studio.anna, "12:30", "13:00").await;
        let off = act(&owner, "confirmOrDeclineMultiServiceBooking", &late, json!({})).await;
        assert_eq!(all(&off, "status"), ["DECLINED", "DECLINED"]);
        let paid = made(&mia, package(&[(&consultation, "14:00"), (&cut, "14:30")])).await;
        block(&owner, &studio.anna, "15:00", "15:30").await;
        let info = json!({ "bookings": [
            { "bookingId": paid["bookings"][0]["id"], "paymentStatus": "PAID" }, { "bookingId": paid["bookings"][1]["id"], "paymentStatus": "PAID" },
        ] });
        assert_eq!(no(&owner, "confirmMultiServiceBooking", &paid, json!({ "checkAvailabilityValidation": true })).await, "SLOT_NOT_AVAILABLE");
        let on = act(&owner, "confirmOrDeclineMultiServiceBooking", &paid, info).await;
        assert_eq!((all(&on, "status"), all(&on, "doubleBooked")), (vec![&json!("PENDING"), &json!("PENDING")], vec![&json!(false), &json!(true)]));
        let waits = made(&mia, package(&[(&consultation, "10:30"), (&cut, "11:00")])).await;
        let on = act(&owner, "markMultiServiceBookingAsPending", &waits, json!({})).await;
        assert_eq!(all(&on, "status"), ["PENDING", "PENDING"]);
    }

    async fn a_member_of_staff_acts_on_its_own_calendar(engine) {
        let (server, studio, owner) = studio(engine).await;
        open(&owner, "17:00").await;
        let (cut, shave) = pair(&owner, &studio).await;
        let new = made(&owner, confirmed(package(&[(&cut, "09:00"), (&shave, "10:00")]))).await;
        let anna = server.staff(studio.anna.id);
        let seen = see(&anna, &new["id"]).await;
        assert_eq!((all(&seen, "id").len(), &seen["totalNumberOfScheduledBookings"]), (1, &json!(2)));
        assert_eq!(no(&anna, "cancelMultiServiceBooking", &new, json!({})).await, "MULTI_SERVICE_BOOKING_INCLUDES_MULTIPLE_STAFF_MEMBERS");
        let twice = made(&owner, confirmed(package(&[(&cut, "11:00"), (&cut, "12:00")]))).await;
        act(&anna, "cancelMultiServiceBooking", &twice, json!({})).await;
        // Onto a colleague's calendar it doesn't go.
        let both = service(&owner, "Both", 60, 0, &[&studio.anna, &studio.ben]).await;
        let hers = made(&owner, confirmed(package(&[(&both, "11:00"), (&both, "12:00")]))).await;
        assert_eq!(served(&hers), ["Anna", "Anna"]);
        let to = |with: &str| {
            let one = |index: usize, clock: &str| {
                json!({ "bookingId": hers["bookings"][index]["id"], "slot": { "serviceId": both, "startDate": at(clock), "resourceIds": [with] } })
            };
            json!({ "bookings": [one(0, "13:00"), one(1, "14:00")] })
        };
        let name = "rescheduleMultiServiceBooking";
        assert_eq!(no(&anna, name, &hers, to(&studio.ben.id.to_string())).await, "UNAUTHORIZED_OPERATION");
        act(&anna, name, &hers, to(&studio.anna.id.to_string())).await;
    }

    async fn a_question_that_makes_no_sense_is_told_so(engine) {
        let (server, studio, _) = studio(engine).await;
        let query = "query($services: [MultiServiceAvailabilityItemInput!]!) { \
            multiServiceAvailability(services: $services, from: \"2032-03-01T00:00:00Z\", to: \"2032-03-02T00:00:00Z\") { timeSlots { startDate } } }";
        let massage = json!({ "serviceId": studio.massage.id.to_string() });
        for services in [
            json!([massage]), json!(vec![massage.clone(); 9]), json!([massage, { "serviceId": studio.yoga.id.to_string() }]),
            json!([massage, { "serviceId": "nonsense" }]), json!([massage, { "serviceId": studio.massage.id.to_string(), "durationInMinutes": 7 }]),
            json!([massage, { "serviceId": studio.massage.id.to_string(), "resourceIds": ["resource_01h455vb4pex5vsknk084sn02q"] }]),
        ] {
            assert_eq!(server.visitor().error_code(query, json!({ "services": services })).await, "BAD_USER_INPUT", "{services}");
        }
        let twice = server.visitor().data(query, json!({ "services": [massage, massage] })).await;
        assert_eq!(twice["multiServiceAvailability"]["timeSlots"].as_array().unwrap().len(), 47, "every half hour but the last");
    }

    async fn watchers_hear_of_a_package(engine) {
        let (server, studio, owner) = studio(engine).await;
        let mut socket = crate::watching::watch(&server, &studio, &studio.massage, 0, 24 * 60).await;
        let part = |minutes: i64| {
            let slot = json!({ "serviceId": studio.massage.id.to_string(), "startDate": studio.at(minutes) });
            json!({ "slot": slot, "totalParticipants": 1 })
        };
        let input = json!({ "bookings": [part(300), part(330)], "contactDetails": { "firstName": "Ada" } });
        let new = made(&owner, confirmed(input)).await;
        let whole = (json!(studio.at(270)), json!(studio.at(360)));
        assert_eq!(crate::watching::part(&mut socket).await, whole);
        tokio::time::sleep(std::time::Duration::from_millis(1300)).await;
        act(&owner, "cancelMultiServiceBooking", &new, json!({})).await;
        assert_eq!(crate::watching::part(&mut socket).await, whole);
    }

    async fn who_leaves_a_package_keeps_the_buffer_that_it_has(engine) {
        let (server, studio, owner) = studio(engine).await;
        open(&owner, "17:00").await;
        let cut = service(&owner, "Cut", 60, 30, &[&studio.anna]).await;
        let mia = server.member("mia");
        let new = made(&owner, confirmed(package(&[(&cut, "09:00"), (&cut, "10:00"), (&cut, "11:00")]))).await;
        let (first, last) = (new["bookings"][0]["id"].clone(), new["bookings"][2]["id"].clone());
        let input = json!({ "multiServiceBookingId": new["id"], "bookings": [{ "bookingId": last }] });
        done(&owner, "removeBookingsFromMultiServiceBooking", input, "removedBookings { id }").await;
        assert_eq!(alone(&mia, &cut).await[0], "12:30", "nothing was given up and nothing more is taken");
        let left = see(&owner, &new["id"]).await;
        assert_eq!(all(&left, "doubleBooked"), [false, false]);
        // What is left goes, and what left stays: an hour and its buffer have to end by eleven.
        act(&owner, "cancelMultiServiceBooking", &new, json!({})).await;
        assert_eq!(alone(&mia, &cut).await[..3], ["09:00", "09:30", "12:30"]);
        let slot = json!({ "slot": { "appointment": { "serviceId": cut, "startDate": at("13:00") } } });
        owner.done("rescheduleBooking", with(json!({ "bookingId": last }), slot)).await;
        assert_eq!(alone(&mia, &cut).await[..7], ["09:00", "09:30", "10:00", "10:30", "11:00", "11:30", "14:30"]);
        let error = refused(&owner, "cancelBooking", json!({ "bookingId": first })).await;
        assert_eq!(error["code"], "NOT_ALLOWED_TO_UPDATE_BOOKING_IN_MULTI_SERVICE_BOOKING");
    }

    async fn a_hold_keeps_all_parts_and_ends_for_all(engine) {
        let (server, studio, owner) = studio(engine).await;
        open(&owner, "17:00").await;
        let (cut, shave) = pair(&owner, &studio).await;
        let (mia, bob) = (server.member("mia"), server.member("bob"));
        let held = with(package(&[(&cut, "09:00"), (&shave, "10:00")]), json!({ "holdSeconds": 2 }));
        let new = made(&mia, held).await;
        let query = "query($id: ID!) { multiServiceBooking(id: $id) { bookings { hold { expiresAt } } } }";
        let told = mia.data(query, json!({ "id": new["id"] })).await["multiServiceBooking"].clone();
        assert!(all(&told, "hold").iter().all(|hold| hold.is_object()), "{told}");
        assert_eq!(alone(&bob, &shave).await.iter().filter(|start| *start == "10:00").count(), 0);
        tokio::time::sleep(std::time::Duration::from_millis(2200)).await;
        assert_eq!(offered(&bob, &[&cut, &shave]).await[0], "09:00");
        let taken = made(&owner, confirmed(package(&[(&cut, "09:00"), (&shave, "10:00")]))).await;
        assert_eq!(no(&owner, "confirmMultiServiceBooking", &new, json!({ "checkAvailabilityValidation": true })).await, "SLOT_NOT_AVAILABLE");
        let late = act(&owner, "confirmMultiServiceBooking", &new, json!({})).await;
        assert_eq!(all(&late, "doubleBooked"), [true, true], "as of a single booking");
        act(&owner, "cancelMultiServiceBooking", &taken, json!({})).await;
        assert_eq!(all(&see(&owner, &new["id"]).await, "doubleBooked"), [false, false], "and then it isn't any more");
    }
}
