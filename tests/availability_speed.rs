//! How long a month of free times takes over HTTP. Measures and says, and so runs only when it is asked for:
//! `cargo test --release --test availability_speed -- --ignored --nocapture`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::items_after_statements,
    clippy::print_stdout,
    missing_docs,
    unreachable_pub
)]

#[path = "booking/support/mod.rs"]
mod support;

use std::time::{Duration, Instant};

use frontdesk::{
    domain::{
        catalog::{Resource, Service},
        conflict::{Claim, Holder, Target},
        ids::{BlockedTimeId, ClaimId, ResourceId, ServiceId},
        time::TimeSpan,
    },
    store::{Command, Failure, Tx, catalog, claims},
};
use jiff::ToSpan as _;
use serde_json::json;
use support::{Engine, Server, Studio};

const STAFF: usize = 50;
const DAYS: usize = 30;
const OCCUPIED: usize = 5000;

/// Fifty of staff for one service, and their occupied hours.
struct Crowd {
    studio: Studio,
    service: Service,
    staff: Vec<Resource>,
}

impl Command for Crowd {
    type Output = ();

    fn site(&self) -> frontdesk::domain::ids::SiteId {
        self.studio.site
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), Failure> {
        let site = self.studio.site;
        for resource in &self.staff {
            catalog::insert_resource(tx.conn(), site, resource).await?;
        }
        catalog::insert_service(tx.conn(), site, &self.service).await?;
        let opening = self.studio.noon.checked_sub(3.hours()).unwrap();
        for number in 0..OCCUPIED {
            let (who, day, turn) = (number % STAFF, number / STAFF % DAYS, number / STAFF / DAYS);
            let hour = (who * 3 + day * 5 + turn * 2) % 8;
            let hours = i64::try_from(day * 24 + hour).unwrap();
            let start = opening.checked_add(hours.hours()).unwrap();
            let claim = Claim {
                id: ClaimId::new(),
                target: Target::Resource(self.staff[who].id),
                span: TimeSpan::new(start, start.checked_add(1.hour()).unwrap()).unwrap(),
                seats: 1,
                holder: Holder::Block(BlockedTimeId::new()),
                hold_expires_at: None,
                overlap_reason: None,
            };
            claims::insert(tx.conn(), site, &claim).await?;
        }
        Ok(())
    }
}

async fn measure(engine: Engine, name: &str) {
    let server = Server::start(engine).await;
    let studio = Studio::open(&server).await;
    let staff: Vec<Resource> = (0..STAFF)
        .map(|number| Resource {
            id: ResourceId::new(),
            name: format!("Staff {number}"),
            ..studio.anna.clone()
        })
        .collect();
    let service = Service {
        id: ServiceId::new(),
        slug: "crowd".to_owned(),
        durations: vec![60],
        requirements: frontdesk::domain::catalog::ServiceResource::of_each_type(&staff),
        ..studio.massage.clone()
    };
    let id = service.id.to_string();
    let window = json!({ "ids": [id], "from": studio.at(-180), "to": studio.at(30 * 24 * 60 - 180) });
    let crowd = Crowd { studio, service, staff };
    server.service().db().write(crowd).await.unwrap();
    let days = [
        "MONDAY",
        "TUESDAY",
        "WEDNESDAY",
        "THURSDAY",
        "FRIDAY",
        "SATURDAY",
        "SUNDAY",
    ];
    let hours = json!({ "weekly": [{ "days": days, "startTime": "09:00", "endTime": "17:00" }] });
    server
        .owner()
        .mutate_selecting("setWorkingHours", hours, "userErrors { message }")
        .await;
    let visitor = server.visitor();
    for (what, selection) in [
        ("starts", "startDate bookable"),
        (
            "with who is free",
            "startDate bookable ... on AppointmentSlot { availableResources { resources { id name } } }",
        ),
    ] {
        let query = format!(
            "query($ids: [ID!]!, $from: DateTime, $to: DateTime!) {{ availability(serviceIds: $ids, from: $from, to: $to, limit: 700) \
                {{ timeSlots {{ {selection} }} }} }}"
        );
        let mut times = Vec::new();
        let mut rows = 0;
        for _ in 0..200 {
            let began = Instant::now();
            let reply = visitor.send(&query, window.clone()).await;
            times.push(began.elapsed());
            rows = reply.json["data"]["availability"]["timeSlots"]
                .as_array()
                .unwrap()
                .len();
        }
        times.sort();
        let ms = |at: usize| times[at].as_secs_f64() * 1000.0;
        println!(
            "{name}, {STAFF} staff, {OCCUPIED} occupied hours, {DAYS} days, {what}: {rows} rows, median {:.2} ms, 95 % within {:.2} ms",
            ms(100),
            ms(190)
        );
        assert!(times[100] < Duration::from_secs(1));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "measures; for release builds"]
async fn a_month_of_free_times_is_told_at_once() {
    measure(Engine::Sqlite, "SQLite").await;
    if support::engine::postgres_is_there() {
        measure(Engine::Postgres, "PostgreSQL").await;
    }
}
