//! No room for more: each caller learns the truth about its own booking, and the server goes on.

use std::sync::Arc;

use frontdesk::{
    domain::{clock::SystemClock, ids::SiteId},
    store::{Command, Conn, Failure, StoreError, Tx},
};
use serde_json::{Value, json};

use crate::{
    invariants,
    stage::at_once,
    support::{Engine, Server, Studio, client::mutation, fixture::with},
};

/// Makes room: what was kept for retries goes.
struct MakeRoom {
    site: SiteId,
}

impl Command for MakeRoom {
    type Output = ();

    fn site(&self) -> SiteId {
        self.site
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), Failure> {
        use diesel_async::SimpleAsyncConnection as _;
        let Conn::Sqlite(c) = tx.conn() else { return Ok(()) };
        c.batch_execute("DELETE FROM idempotency_records")
            .await
            .map_err(StoreError::from)?;
        Ok(())
    }
}

/// Two hundred at once, each for a time of its own. Says which numbers were acknowledged.
async fn creates(server: &Server, studio: &Studio, first: i64) -> Vec<(i64, Option<Value>)> {
    let owner = server.owner();
    at_once((first..first + 200).map(|number| {
        let wanted = studio.appointment(&studio.massage, number * 30, &[&studio.anna]);
        let input = with(
            wanted,
            json!({ "status": "CONFIRMED", "idempotencyKey": format!("number-{number}") }),
        );
        let owner = owner.clone();
        async move {
            let reply = owner
                .send(
                    &mutation("createBooking", "booking { id } userErrors { code }"),
                    json!({ "input": input }),
                )
                .await;
            if reply.json["errors"].is_array() {
                assert_eq!(
                    reply.json["errors"][0]["extensions"]["code"], "INSUFFICIENT_STORAGE",
                    "{}",
                    reply.json
                );
                return (number, None);
            }
            let payload = reply.json["data"]["createBooking"].clone();
            assert_eq!(payload["userErrors"], json!([]));
            (number, Some(payload["booking"]["id"].clone()))
        }
    }))
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_database_tells_each_caller_the_truth_and_works_again_with_room() {
    let database = Engine::Sqlite.database().await;
    let server = Server::on_with(database, Arc::new(SystemClock), &["--database-max-mib", "1"]).await;
    let studio = Studio::open(&server).await;
    let mut all = Vec::new();
    let mut first = 0;
    while all
        .iter()
        .filter(|(_, made): &&(i64, Option<Value>)| made.is_none())
        .count()
        < 150
    {
        all.extend(creates(&server, &studio, first).await);
        first += 200;
        assert!(first < 10_000, "it never got full");
    }
    let made: Vec<&Value> = all.iter().filter_map(|(_, made)| made.as_ref()).collect();
    let refused = all.len() - made.len();
    // Reads go on, and what was acknowledged is all that is there.
    let total = server
        .owner()
        .data("{ bookings(first: 1) { totalCount } }", json!({}))
        .await;
    assert_eq!(total["bookings"]["totalCount"], made.len());
    for chunk in made.chunks(100) {
        let data = server
            .owner()
            .data(
                "query($ids: [ID!]!) { nodes(ids: $ids) { id } }",
                json!({ "ids": chunk }),
            )
            .await;
        assert!(
            data["nodes"]
                .as_array()
                .unwrap()
                .iter()
                .all(|node| node["id"].is_string())
        );
    }
    invariants::check(server.service(), server.site).await;
    server
        .service()
        .db()
        .write(MakeRoom { site: server.site })
        .await
        .expect("room is made even when there is none");
    let again = creates(&server, &studio, first).await;
    let done = again.iter().filter(|(_, made)| made.is_some()).count();
    println!(
        "{} acknowledged, {refused} refused, {done} after room was made",
        made.len()
    );
    assert!(done > 20, "{done}");
    invariants::check(server.service(), server.site).await;
}
