//! Clients that hang up in the middle: the whole change or none, and nothing left open behind them.

use std::time::Duration;

use frontdesk::store::{Conn, Db, StoreError};
use rand::RngExt as _;
use serde_json::json;
use tokio::{io::AsyncWriteExt as _, net::TcpStream};

use crate::{
    invariants, on_both_engines,
    stage::{at_once, rng, rounds},
    support::{Server, Studio, client::mutation, fixture::with},
};

#[derive(diesel::QueryableByName)]
struct Count {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    count: i64,
}

/// The number that a statement selects as `count`; none on the embedded engine, or when the connection was lost.
pub async fn count(db: &Db, sql: &'static str) -> Option<i64> {
    db.read(move |conn| {
        Box::pin(async move {
            use diesel_async::RunQueryDsl as _;
            match conn {
                Conn::Sqlite(_) => Ok(None),
                Conn::Pg(c) => {
                    let row: Result<Count, _> = diesel::sql_query(sql).get_result(&mut &***c).await;
                    row.map(|row| Some(row.count)).map_err(StoreError::from)
                }
            }
        })
    })
    .await
    .ok()
    .flatten()
}

/// Waits until no connection to the database is in a transaction.
async fn all_is_quiet(db: &Db) {
    let sql = "SELECT count(*) AS count FROM pg_stat_activity \
               WHERE datname = current_database() AND pid <> pg_backend_pid() AND state IN ('active', 'idle in transaction', \
               'idle in transaction (aborted)')";
    let quiet = async {
        while count(db, sql).await.is_some_and(|busy| busy > 0) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), quiet)
        .await
        .expect("no connection is stuck in a transaction");
}

on_both_engines! {
    async fn a_client_that_hangs_up_leaves_all_or_nothing(engine) {
        let server = Server::start(engine).await;
        let studio = Studio::open(&server).await;
        let token = server.token(frontdesk::app::tokens::Role::Owner, "olga", None);
        let address = server.running().address;
        for round in 0..rounds() {
            at_once((0..48_i64).map(|client| {
                let number = i64::from(round) * 48 + client;
                let wanted = studio.appointment(&studio.massage, number * 30, &[&studio.anna]);
                let input = with(wanted, json!({ "status": "CONFIRMED", "idempotencyKey": format!("number-{number}") }));
                let body = json!({ "query": mutation("createBooking", "booking { id }"), "variables": { "input": input } }).to_string();
                let request = format!(
                    "POST /graphql HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n\
                     Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
                    body.len()
                );
                let mut rng = rng("hang up", number as u32);
                let (cut, wait) = (rng.random_range(0..4), rng.random_range(0..20_000));
                let part = if cut == 0 { rng.random_range(0..request.len()) } else { request.len() };
                async move {
                    let mut stream = TcpStream::connect(address).await.expect("a connection");
                    stream.write_all(&request.as_bytes()[..part]).await.expect("it is sent");
                    // Not to wait for anything: to hang up at some point of what the server does.
                    tokio::time::sleep(Duration::from_micros(wait)).await;
                    if cut == 1 {
                        stream.set_zero_linger().expect("a reset");
                    }
                }
            })).await;
            all_is_quiet(server.service().db()).await;
        }
        // A retry finds what is there or does it: one booking each.
        let owner = server.owner();
        let all = i64::from(rounds()) * 48;
        for number in 0..all {
            let wanted = studio.appointment(&studio.massage, number * 30, &[&studio.anna]);
            owner.done("createBooking", with(wanted, json!({ "status": "CONFIRMED", "idempotencyKey": format!("number-{number}") }))).await;
        }
        let holders = invariants::holders(server.service(), server.site).await;
        assert_eq!(holders.len() as i64, all);
        invariants::check(server.service(), server.site).await;
    }
}
