//! Bookings made a second: by the store's plain limit, by the service, and over GraphQL and HTTP.

use std::sync::{Arc, atomic::Ordering};

use frontdesk::{
    app::tokens::Role,
    service::{Limits, Service},
    store::DatabaseUrl,
};
use jiff::Timestamp;
use serde_json::json;

use super::{
    Engine, Flags,
    http::{Http, find},
    mix::{CREATE, MEMBERS, member, wish},
    pgbench::Scripts,
    plain::{self, Plain},
    seed::{Place, first_day},
    server::Server,
    stats::{Tickets, Worker, line, rate},
};

/// Bookings that are being made at any time.
const IN_FLIGHT: usize = 128;

pub async fn run(flags: &Flags, place: &Place, engine: Engine) {
    match engine {
        Engine::Sqlite => sqlite(flags, place).await,
        Engine::Postgres => postgres(flags, place).await,
    }
}

async fn sqlite(flags: &Flags, place: &Place) {
    println!("\nSQLite: bookings made, {IN_FLIGHT} in flight, one site");
    let url = place.seeded(Engine::Sqlite, "plain-check", 1).await;
    if let DatabaseUrl::Sqlite(path) = &url {
        plain::same_statements(&url, path).await;
    }
    let DatabaseUrl::Sqlite(path) = place.seeded(Engine::Sqlite, "plain", 1).await else {
        unreachable!()
    };
    let mut limit = Plain::open(&path);
    let limit_tickets = Tickets::default();
    let store = Store::open(&place.seeded(Engine::Sqlite, "store", 1).await, 1).await;
    let http = Front::start(&place.seeded(Engine::Sqlite, "http", 1).await, 1);
    let (mut limits, mut stores, mut https) = (vec![], vec![], vec![]);
    for _ in 0..flags.rounds {
        let time = flags.time();
        if flags.wants("plain") {
            limits.push(tokio::task::block_in_place(|| limit.rate(&limit_tickets, time)));
        }
        if flags.wants("store") {
            stores.push(store.rate(flags).await);
        }
        if flags.wants("http") {
            https.push(http.rate(flags).await);
        }
    }
    line(
        &format!("limit: plain Diesel, batches of {}", plain::BATCH),
        "/s",
        &limits,
        None,
    );
    line("service and store", "/s", &stores, Some(&limits));
    line(
        "GraphQL over HTTP, beside service and store",
        "/s",
        &https,
        Some(&stores),
    );
}

async fn postgres(flags: &Flags, place: &Place) {
    let mut scripts = Scripts::record(place, "pgbench", 100).await;
    println!(
        "\nPostgreSQL: bookings made, {IN_FLIGHT} in flight, {} connections; {} statements",
        super::seed::CONNECTIONS,
        scripts.statements()
    );
    for sites in [100, 1] {
        let name = if sites == 1 { "one site" } else { "100 sites" };
        let store = Store::open(
            &place.seeded(Engine::Postgres, &format!("store{sites}"), sites).await,
            sites,
        )
        .await;
        let http = Front::start(
            &place.seeded(Engine::Postgres, &format!("http{sites}"), sites).await,
            sites,
        );
        let (mut limits, mut stores, mut https) = (vec![], vec![], vec![]);
        for _ in 0..flags.rounds {
            if flags.wants("pgbench") {
                limits.push(scripts.rate(sites, flags.time()).await);
            }
            if flags.wants("store") {
                stores.push(store.rate(flags).await);
            }
            if flags.wants("http") {
                https.push(http.rate(flags).await);
            }
        }
        line(&format!("{name}: limit: pgbench"), "/s", &limits, None);
        line(&format!("{name}: service and store"), "/s", &stores, Some(&limits));
        line(
            &format!("{name}: GraphQL over HTTP, beside it"),
            "/s",
            &https,
            Some(&stores),
        );
    }
}

/// The service in this process.
struct Store {
    service: Service,
    sites: u64,
    tickets: Tickets,
}

impl Store {
    async fn open(url: &DatabaseUrl, sites: u64) -> Self {
        let limits = Limits {
            holds_per_customer: i64::MAX,
            ..Limits::default()
        };
        Self {
            service: Service::new(super::seed::open(url).await, limits),
            sites,
            tickets: Tickets::default(),
        }
    }

    async fn rate(&self, flags: &Flags) -> f64 {
        let workers = (0..IN_FLIGHT)
            .map(|_| ByService {
                service: self.service.clone(),
                sites: self.sites,
                day: first_day(),
            })
            .collect();
        rate(workers, &self.tickets, flags.time()).await
    }
}

struct ByService {
    service: Service,
    sites: u64,
    day: Timestamp,
}

impl Worker for ByService {
    async fn step(&mut self, number: u64) {
        let wish = wish(number, self.sites, self.day);
        self.service
            .create_booking(&wish.caller(), wish.input(), None)
            .await
            .expect("a booking");
    }
}

/// The server, asked over HTTP.
pub struct Front {
    pub server: Server,
    tokens: Arc<Vec<String>>,
    sites: u64,
    tickets: Tickets,
}

impl Front {
    pub fn start(url: &DatabaseUrl, sites: u64) -> Self {
        let server = Server::start(url);
        // With many sites a few members each will do: a token is checked all the same.
        let members = MEMBERS / sites;
        let tokens = (0..sites)
            .flat_map(|site| (0..members).map(move |number| (site, number)))
            .map(|(site, number)| server.token(Role::Member, site, &member(number)))
            .collect();
        Self {
            server,
            tokens: Arc::new(tokens),
            sites,
            tickets: Tickets::default(),
        }
    }

    async fn rate(&self, flags: &Flags) -> f64 {
        let mut workers = Vec::with_capacity(IN_FLIGHT);
        for _ in 0..IN_FLIGHT {
            workers.push(self.worker().await);
        }
        rate(workers, &self.tickets, flags.time()).await
    }

    async fn worker(&self) -> ByHttp {
        ByHttp {
            http: Http::connect(&self.server.address).await,
            tokens: self.tokens.clone(),
            sites: self.sites,
            day: first_day(),
        }
    }

    /// Makes so many bookings, all on the first site.
    pub async fn fill(&self, count: u64) {
        let mut workers = Vec::new();
        for _ in 0..32 {
            workers.push(self.worker().await);
        }
        let tasks: Vec<_> = workers
            .into_iter()
            .map(|mut worker| {
                let tickets = self.tickets.clone();
                tokio::spawn(async move {
                    loop {
                        let number = tickets.fetch_add(1, Ordering::Relaxed);
                        if number >= count {
                            break;
                        }
                        worker.step(number).await;
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.expect("bookings are made");
        }
    }
}

struct ByHttp {
    http: Http,
    tokens: Arc<Vec<String>>,
    sites: u64,
    day: Timestamp,
}

impl Worker for ByHttp {
    async fn step(&mut self, number: u64) {
        let wish = wish(number, self.sites, self.day);
        let members = MEMBERS / self.sites;
        let token = &self.tokens[(wish.site * members + wish.member % members) as usize];
        let body = json!({ "query": CREATE, "variables": { "input": wish.json() } }).to_string();
        let answer = self.http.post(token, &body).await;
        let good = find(answer, br#""userErrors":[]"#).is_some() && find(answer, br#""errors":"#).is_none();
        assert!(good, "{}", String::from_utf8_lossy(answer));
    }
}
