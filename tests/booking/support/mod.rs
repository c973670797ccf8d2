//! A real server for each test: in this process, on a port of its own, with a database of its own.
#![allow(
    dead_code,
    unused_imports,
    clippy::unused_self,
    clippy::zombie_processes,
    reason = "each test binary uses its own part of it"
)]

pub mod client;
pub mod engine;
pub mod fixture;
pub mod rows;

use std::sync::Arc;

use clap::Parser as _;
use frontdesk::{
    app::{self, Cli, Running, tokens::Role},
    domain::{
        clock::{Clock, SystemClock},
        ids::{ResourceId, SiteId},
    },
    service::Service,
};
use jiff::Timestamp;

pub use client::{Client, Reply};
pub use engine::Engine;
pub use fixture::{Studio, with};
pub use rows::{id, ids, on};

/// The secret of all test servers.
pub const SECRET: &str = "a secret for tests, long enough to be one";

/// A running server.
pub struct Server {
    pub running: Option<Running>,
    pub url: String,
    pub site: SiteId,
    pub database: engine::Database,
    pub http: reqwest::Client,
}

impl Server {
    /// Starts a server on a fresh database.
    pub async fn start(engine: Engine) -> Self {
        Self::start_with(engine, Arc::new(SystemClock)).await
    }

    pub async fn start_with(engine: Engine, clock: Arc<dyn Clock>) -> Self {
        let database = engine.database().await;
        Self::on(database, clock).await
    }

    /// Starts a server on a database that is there.
    pub async fn on(database: engine::Database, clock: Arc<dyn Clock>) -> Self {
        let config = Cli::parse_from(["frontdesk", "--listen", "127.0.0.1:0", "--secret", SECRET]).config;
        let running = app::start(&config, &database.url, clock)
            .await
            .expect("the server starts");
        let site = running.api.service().sites(1).await.unwrap()[0].id;
        let url = format!("http://{}/graphql", running.address);
        Self {
            running: Some(running),
            url,
            site,
            database,
            http: reqwest::Client::new(),
        }
    }

    pub fn running(&self) -> &Running {
        self.running.as_ref().expect("running")
    }

    pub fn service(&self) -> &Service {
        self.running().api.service()
    }

    pub fn now(&self) -> Timestamp {
        self.service().clock().now()
    }

    pub fn token(&self, role: Role, subject: &str, resource: Option<ResourceId>) -> String {
        self.running()
            .api
            .tokens()
            .mint(role, self.site, subject, resource, 3600)
    }

    /// A client of the owner.
    pub fn owner(&self) -> Client {
        Client::bearer(self, self.token(Role::Owner, "olga", None))
    }

    /// A client of a member.
    pub fn member(&self, name: &str) -> Client {
        Client::bearer(self, self.token(Role::Member, name, None))
    }

    /// A client of a staff member.
    pub fn staff(&self, resource: ResourceId) -> Client {
        Client::bearer(self, self.token(Role::Staff, "sam", Some(resource)))
    }

    /// A client of an app.
    pub fn app(&self) -> Client {
        Client::bearer(self, self.token(Role::App, "shop", None))
    }

    /// A client of a visitor who has no token.
    pub fn visitor(&self) -> Client {
        Client::new(self)
    }

    /// Ends the server and gives back its database.
    pub async fn stop(mut self) -> engine::Database {
        let running = self.running.take().expect("running");
        running.stop.cancel();
        running.finished().await.expect("the server ends well");
        self.database
    }
}

/// A test on each engine: `on_both_engines!(async fn the_rule(engine) { .. })`.
#[macro_export]
macro_rules! on_both_engines {
    ($($(#[$meta:meta])* async fn $name:ident($engine:ident) $body:block)*) => {$(
        mod $name {
            #[allow(unused_imports)]
            use super::*;

            $(#[$meta])*
            async fn rule($engine: $crate::support::Engine) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_sqlite() {
                rule($crate::support::Engine::Sqlite).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_postgres() {
                if $crate::support::engine::postgres_is_there() {
                    rule($crate::support::Engine::Postgres).await;
                }
            }
        }
    )*};
}
