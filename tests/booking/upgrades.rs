//! A database of an older version goes on: its rows keep their meaning through the migrations that were added since.

use std::{fs, path::Path};

use diesel::{Connection as _, connection::SimpleConnection as _, sqlite::SqliteConnection};
use diesel_async::{AsyncConnection as _, AsyncPgConnection, SimpleAsyncConnection as _};
use frontdesk::{
    domain::clock::SystemClock,
    store::{self, DatabaseUrl},
};
use serde_json::{Value, json};

use crate::{
    on_both_engines,
    support::{Engine, Server, Studio, engine::Database},
};

/// The last migration of the older version.
const OLDER: &str = "2026-11-24-120000_imports";

/// Takes a database back to the older version; says how many migrations that were.
async fn take_back(database: &Database) -> usize {
    let engine = match database.engine {
        Engine::Sqlite => "sqlite",
        Engine::Postgres => "postgres",
    };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(engine);
    let names = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut newer: Vec<String> = names.filter(|name| name.as_str() > OLDER).collect();
    newer.sort();
    newer.reverse();
    for name in &newer {
        let version = name.split('_').next().unwrap().replace('-', "");
        let down = fs::read_to_string(folder.join(name).join("down.sql")).unwrap();
        let sql = format!("BEGIN; {down}; DELETE FROM __diesel_schema_migrations WHERE version = '{version}'; COMMIT;");
        match &database.url {
            DatabaseUrl::Sqlite(path) => {
                let mut conn = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
                // The server that was stopped may still be closing the file.
                conn.batch_execute("PRAGMA busy_timeout = 10000").unwrap();
                conn.batch_execute(&sql)
                    .unwrap_or_else(|error| panic!("{name}: {error}"));
            }
            DatabaseUrl::Postgres(url) => {
                let mut conn = AsyncPgConnection::establish(url).await.unwrap();
                conn.batch_execute(&sql)
                    .await
                    .unwrap_or_else(|error| panic!("{name}: {error}"));
            }
        }
    }
    newer.len()
}

/// What clients know of services, bookings, sessions and blocked times.
async fn told(server: &Server) -> Value {
    let query = "{ services(first: 100) { nodes { id name slug type durations bufferMinutes revision \
            location { locationType name formattedAddress } locations { type name } \
            payment { rateType price { amount currency } options { online inPerson } } resources { id name } } } \
        bookings(first: 100) { nodes { id status revision startDate endDate totalParticipants \
            bookedEntity { ... on BookedSlot { title resource { id } } } history { nodes { type revision } } } } \
        sessions(first: 100) { nodes { id startDate capacity } } blockedTimes { nodes { id startDate endDate } } }";
    server.owner().data(query, json!({})).await
}

on_both_engines! {
    async fn what_an_older_version_wrote_keeps_its_meaning(engine) {
        let server = Server::start(engine).await;
        let studio = Studio::open(&server).await;
        let owner = server.owner();
        for booking in [studio.appointment(&studio.workshop, 0, &[&studio.anna]), studio.class(&studio.session, 3)] {
            let made = owner.done("createBooking", booking).await;
            owner.done("confirmBooking", json!({ "bookingId": made["id"] })).await;
        }
        for place in [json!({ "locationType": "OWNER_BUSINESS", "name": "Upstairs" }), json!({ "locationType": "OWNER_CUSTOM", "formattedAddress": "In the park" })] {
            let class = json!({ "type": "CLASS", "name": "Dance", "payment": { "rateType": "NO_FEE" }, "location": place });
            owner.mutate_selecting("createService", class, "userErrors { code }").await;
        }
        let blocked = json!({ "resourceId": studio.ben.id.to_string(), "startDate": studio.at(600), "endDate": studio.at(660) });
        owner.mutate_selecting("createBlockedTime", blocked, "userErrors { code }").await;
        let before = told(&server).await;
        let database = server.stop().await;
        let reverted = take_back(&database).await;
        assert!(reverted >= 5, "{reverted}");
        assert_eq!(store::migrate(&database.url).await.unwrap(), reverted);
        let server = Server::on(database, std::sync::Arc::new(SystemClock)).await;
        assert_eq!(told(&server).await, before);
        // What each service needs is still what it needed, and what is taken is taken.
        let owner = server.owner();
        let taken = owner.refused("createBooking", json!({
            "bookedEntity": { "slot": { "appointment": { "serviceId": studio.training.id.to_string(), "startDate": studio.at(0) } } },
            "contactDetails": { "firstName": "Ada" }, "totalParticipants": 1, "holdSeconds": 60,
        })).await;
        assert_eq!(taken["code"], "SLOT_NOT_AVAILABLE", "Anna gives the workshop");
        let room = owner.done("createBooking", studio.appointment(&studio.workshop, 120, &[])).await;
        let room = owner.done("confirmBooking", json!({ "bookingId": room["id"] })).await;
        let needed = &room["bookedEntity"];
        assert_eq!(needed["additionalResources"], json!([{ "id": studio.room.id.to_string() }]), "somebody and the room");
        server.stop().await;
    }

    async fn what_is_of_a_type_that_the_older_version_doesnt_know_becomes_equipment(engine) {
        let server = Server::start(engine).await;
        let owner = server.owner();
        let made = async |name: &str, input: Value, selection: &str| owner.mutate_selecting(name, input, selection).await;
        let chair = made("createResourceType", json!({ "name": "Chair" }), "resourceType { id }").await["resourceType"]["id"].clone();
        let one = made("createResource", json!({ "resourceTypeId": chair, "name": "Red chair" }), "resource { id }").await;
        let massage = json!({
            "type": "APPOINTMENT", "name": "Massage", "durations": [30], "payment": { "rateType": "NO_FEE" },
            "requiredResources": [{ "resourceTypeId": chair, "resourceIds": [one["resource"]["id"]] }],
        });
        let service = made("createService", massage, "service { id } userErrors { message }").await;
        assert_ne!(service["service"], Value::Null, "{service}");
        let database = server.stop().await;
        take_back(&database).await;
        store::migrate(&database.url).await.unwrap();
        let server = Server::on(database, std::sync::Arc::new(SystemClock)).await;
        let query = "query($service: ID!, $resource: ID!) { resource(id: $resource) { type } \
            service(id: $service) { requiredResources { resourceType } resources { id } } }";
        let told = server.owner().data(query, json!({ "service": service["service"]["id"], "resource": one["resource"]["id"] })).await;
        assert_eq!(told["resource"]["type"], "EQUIPMENT");
        assert_eq!(told["service"]["requiredResources"][0]["resourceType"], "EQUIPMENT");
        assert_eq!(told["service"]["resources"][0]["id"], one["resource"]["id"]);
        server.stop().await;
    }
}
