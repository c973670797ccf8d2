//! The rules of GraphQL over WebSocket (`graphql-transport-ws`), on real sockets.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod support;

use std::{sync::atomic::Ordering, time::Duration};

use frontdesk::http::Settings;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use support::{Server, until};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Bytes, Message, client::IntoClientRequest, http::HeaderMap},
};

struct Client(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Client {
    /// Opens a socket without introducing itself.
    async fn open(server: &Server) -> Self {
        Self::open_with(server, &[("sec-websocket-protocol", "graphql-transport-ws")]).await
    }

    async fn open_with(server: &Server, headers: &[(&'static str, &'static str)]) -> Self {
        let url = format!("ws://{}/graphql", server.address);
        let mut request = url.into_client_request().unwrap();
        let own: &mut HeaderMap = request.headers_mut();
        for (name, value) in headers {
            own.insert(*name, value.parse().unwrap());
        }
        let (socket, _) = connect_async(request).await.unwrap();
        Self(socket)
    }

    /// Opens a socket and gets it acknowledged.
    async fn connect(server: &Server) -> Self {
        Self::connect_as(server, json!(null)).await
    }

    async fn connect_as(server: &Server, payload: Value) -> Self {
        let mut client = Self::open(server).await;
        client
            .send(json!({ "type": "connection_init", "payload": payload }))
            .await;
        assert_eq!(client.receive().await, json!({ "type": "connection_ack" }));
        client
    }

    async fn send(&mut self, message: Value) {
        self.send_text(&message.to_string()).await;
    }

    async fn send_text(&mut self, text: &str) {
        self.0.send(Message::text(text)).await.unwrap();
    }

    async fn subscribe(&mut self, id: &str, query: &str) {
        let payload = json!({ "query": query });
        self.send(json!({ "id": id, "type": "subscribe", "payload": payload }))
            .await;
    }

    async fn complete(&mut self, id: &str) {
        self.send(json!({ "id": id, "type": "complete" })).await;
    }

    /// The next message, as it came.
    async fn receive_text(&mut self) -> String {
        loop {
            match self.0.next().await.unwrap().unwrap() {
                Message::Text(text) => return text.to_string(),
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("got {other:?}"),
            }
        }
    }

    async fn receive(&mut self) -> Value {
        serde_json::from_str(&self.receive_text().await).unwrap()
    }

    /// Asserts that the socket still serves, and that nothing else was sent before.
    async fn is_quiet(&mut self) {
        self.send(json!({ "type": "ping" })).await;
        assert_eq!(self.receive().await, json!({ "type": "pong" }));
    }

    async fn closed(&mut self) -> (u16, String) {
        loop {
            match self.0.next().await.expect("a close frame").unwrap() {
                Message::Close(Some(frame)) => {
                    return (frame.code.into(), frame.reason.to_string());
                }
                Message::Close(None) => panic!("a close frame without a code"),
                _ => {}
            }
        }
    }
}

fn next(id: &str, data: &Value) -> Value {
    json!({ "id": id, "type": "next", "payload": { "data": data } })
}

fn complete(id: &str) -> Value {
    json!({ "id": id, "type": "complete" })
}

#[tokio::test]
async fn queries_mutations_and_subscriptions_run_over_one_socket() {
    let server = Server::start().await;
    let mut client = Client::connect(&server).await;
    client.subscribe("q\"ü", "{ z: hello a: hello }").await;
    let text = client.receive_text().await;
    let expected = r#"{"id":"q\"ü","type":"next","payload":{"data":{"z":"world","a":"world"}}}"#;
    assert_eq!(text, expected);
    assert_eq!(client.receive().await, complete("q\"ü"));
    client.subscribe("m", "mutation { act }").await;
    assert_eq!(client.receive().await, next("m", &json!({ "act": 1 })));
    assert_eq!(client.receive().await, complete("m"));
    client.subscribe("s", "subscription { countdown(from: 2) }").await;
    assert_eq!(client.receive().await, next("s", &json!({ "countdown": 1 })));
    assert_eq!(client.receive().await, next("s", &json!({ "countdown": 0 })));
    assert_eq!(client.receive().await, complete("s"));
    client.is_quiet().await;
}

#[tokio::test]
async fn what_cannot_run_is_an_error_message_and_leaves_the_socket_open() {
    let server = Server::start().await;
    let mut client = Client::connect(&server).await;
    for query in [
        "{",
        "{ unknown }",
        "query A { hello } query B { hello }",
        "subscription { unknown }",
        "subscription { refuses }",
    ] {
        client.subscribe("e", query).await;
        let message = client.receive().await;
        assert_eq!(
            (&message["id"], &message["type"]),
            (&json!("e"), &json!("error")),
            "{query}"
        );
        assert!(message["payload"][0]["message"].is_string(), "{message}");
        client.is_quiet().await;
    }
}

#[tokio::test]
async fn a_crash_ends_its_operation_only() {
    let server = Server::start().await;
    let mut client = Client::connect(&server).await;
    client.subscribe("q", "{ crashes }").await;
    let message = client.receive().await;
    assert_eq!(message["type"], "error");
    assert_eq!(message["payload"][0]["extensions"]["code"], "INTERNAL_ERROR");
    client.subscribe("s", "subscription { crashes }").await;
    assert_eq!(client.receive().await, next("s", &json!({ "crashes": true })));
    let message = client.receive().await;
    assert_eq!((&message["id"], &message["type"]), (&json!("s"), &json!("error")));
    client.is_quiet().await;
}

#[tokio::test]
async fn no_init_in_time_closes_4408_whatever_else_is_said() {
    let settings = Settings {
        init_timeout: Duration::from_millis(50),
        ..Settings::default()
    };
    let server = Server::with(settings).await;
    let mut silent = Client::open(&server).await;
    assert_eq!(silent.closed().await.0, 4408);
    let mut pinging = Client::open(&server).await;
    pinging.send(json!({ "type": "ping" })).await;
    assert_eq!(pinging.closed().await.0, 4408);
    let mut stuck = Client::open(&server).await;
    let payload = json!({ "Authorization": "Bearer slow" });
    stuck
        .send(json!({ "type": "connection_init", "payload": payload }))
        .await;
    assert_eq!(stuck.closed().await.0, 4408);
}

#[tokio::test]
async fn a_second_init_closes_4429_even_before_the_first_is_answered() {
    let server = Server::start().await;
    let mut client = Client::connect(&server).await;
    client.send(json!({ "type": "connection_init" })).await;
    assert_eq!(client.closed().await.0, 4429);
    let mut client = Client::open(&server).await;
    let payload = json!({ "Authorization": "Bearer slow" });
    client
        .send(json!({ "type": "connection_init", "payload": payload }))
        .await;
    server.probe.has_begun().await;
    client.is_quiet().await;
    client.send(json!({ "type": "connection_init" })).await;
    assert_eq!(client.closed().await.0, 4429);
}

#[tokio::test]
async fn subscribing_before_the_acknowledgement_closes_4401() {
    let server = Server::start().await;
    let mut client = Client::open(&server).await;
    client.subscribe("1", "{ hello }").await;
    assert_eq!(client.closed().await.0, 4401);
}

#[tokio::test]
async fn a_refused_caller_is_closed_4403_and_told_why() {
    let server = Server::start().await;
    for (payload, code, reason) in [
        (json!({ "authorization": "Bearer wrong" }), 4403, "UNAUTHENTICATED"),
        (json!({ "Authorization": 7 }), 4403, "UNAUTHENTICATED"),
        (json!({ "FRONTDESK-SITE": "elsewhere" }), 4403, "SITE_NOT_FOUND"),
        (json!({ "Authorization": "Bearer down" }), 1013, "SERVICE_UNAVAILABLE"),
    ] {
        let mut client = Client::open(&server).await;
        client
            .send(json!({ "type": "connection_init", "payload": payload }))
            .await;
        let (closed, told) = client.closed().await;
        assert_eq!(closed, code, "{payload}");
        assert!(told.starts_with(reason), "{told}");
    }
}

#[tokio::test]
async fn the_init_payload_goes_before_the_upgrade_headers() {
    let server = Server::start().await;
    for (payload, who) in [
        (json!(null), "from the header"),
        (
            json!({ "frontdesk-visitor-token": "from-the-payload" }),
            "from-the-payload",
        ),
        (json!({ "Authorization": "Bearer secret" }), "the owner"),
    ] {
        let mut client = Client::open_with(
            &server,
            &[
                ("sec-websocket-protocol", "other, graphql-transport-ws"),
                ("frontdesk-visitor-token", "from-the-header"),
            ],
        )
        .await;
        client
            .send(json!({ "type": "connection_init", "payload": payload }))
            .await;
        client.receive().await;
        client.subscribe("w", "{ who }").await;
        let who = who.replace("from the header", "from-the-header");
        assert_eq!(client.receive().await, next("w", &json!({ "who": who })));
    }
}

#[tokio::test]
async fn another_subprotocol_closes_4406() {
    let server = Server::start().await;
    let mut client = Client::open_with(&server, &[]).await;
    assert_eq!(client.closed().await.0, 4406);
}

#[tokio::test]
async fn an_id_in_use_closes_4409_and_names_it() {
    let server = Server::start().await;
    for second in ["subscription { events { text } }", "{ hello }"] {
        let mut client = Client::connect(&server).await;
        let id = "é".repeat(100);
        client.subscribe(&id, "subscription { events { text } }").await;
        client.subscribe(&id, second).await;
        let (code, reason) = client.closed().await;
        assert_eq!(code, 4409);
        assert!(reason.contains("éé") && reason.len() <= 123, "{reason}");
    }
}

#[tokio::test]
async fn messages_outside_the_protocol_close_4400() {
    let server = Server::start().await;
    for message in [
        "hello",
        "[]",
        "\"ping\"",
        "{}",
        r#"{"type":1}"#,
        r#"{"type":"unknown"}"#,
        r#"{"type":"next","id":"1","payload":{}}"#,
        r#"{"type":"ping","payload":"x"}"#,
        r#"{"type":"subscribe","payload":{"query":"{hello}"}}"#,
        r#"{"type":"subscribe","id":"","payload":{"query":"{hello}"}}"#,
        r#"{"type":"subscribe","id":1,"payload":{"query":"{hello}"}}"#,
        r#"{"type":"subscribe","id":"1","payload":{}}"#,
        r#"{"type":"subscribe","id":"1","payload":{"query":"{hello}","variables":"x"}}"#,
        r#"{"type":"complete"}"#,
    ] {
        let mut client = Client::connect(&server).await;
        client.send_text(message).await;
        assert_eq!(client.closed().await.0, 4400, "{message}");
    }
    let mut client = Client::connect(&server).await;
    client.0.send(Message::binary("{}")).await.unwrap();
    assert_eq!(client.closed().await.0, 4400);
}

#[tokio::test]
async fn pings_are_answered_with_their_payload_at_any_time() {
    let server = Server::start().await;
    let mut client = Client::open(&server).await;
    client.is_quiet().await;
    client.send(json!({ "type": "ping", "payload": { "n": 1.50 } })).await;
    assert_eq!(
        client.receive().await,
        json!({ "type": "pong", "payload": { "n": 1.5 } })
    );
    client.send(json!({ "type": "pong" })).await;
    client.0.send(Message::Ping(Bytes::from_static(b"x"))).await.unwrap();
    let pong = client.0.next().await.unwrap().unwrap();
    assert_eq!(pong, Message::Pong(Bytes::from_static(b"x")));
}

#[tokio::test]
async fn a_client_that_shows_no_life_is_cut_off_and_one_that_does_is_not() {
    let settings = Settings {
        keep_alive: Duration::from_millis(100),
        ..Settings::default()
    };
    let server = Server::with(settings).await;
    let mut dead = Client::connect(&server).await;
    dead.subscribe("s", "subscription { events { text } }").await;
    let mut alive = Client::connect(&server).await;
    // Reading is what answers pings: one client does, the other doesn't.
    for _ in 0..4 {
        assert!(matches!(alive.0.next().await.unwrap().unwrap(), Message::Ping(_)));
    }
    until(&server.probe.listeners, |n| *n == 0).await;
    alive.is_quiet().await;
    assert_eq!(dead.closed().await.0, 4499);
}

#[tokio::test]
async fn a_completed_operation_says_nothing_more_and_its_id_is_free() {
    let server = Server::start().await;
    let mut client = Client::connect(&server).await;
    client.subscribe("s", "subscription { events { text } }").await;
    until(&server.probe.listeners, |n| *n == 1).await;
    server.probe.events.send("one".into()).unwrap();
    assert_eq!(
        client.receive().await,
        next("s", &json!({ "events": { "text": "one" } }))
    );
    client.complete("s").await;
    until(&server.probe.listeners, |n| *n == 0).await;
    client.is_quiet().await;
    // The race: stopped in the same breath, while there's always something to say.
    for _ in 0..20 {
        client.subscribe("s", "subscription { countdown(from: 1000000) }").await;
        client.complete("s").await;
        client.send(json!({ "type": "ping" })).await;
        while client.receive().await["type"] != "pong" {}
        client.is_quiet().await;
    }
    client.complete("nobody").await;
    client.subscribe("s", "{ hello }").await;
    assert_eq!(client.receive().await["type"], "next");
}

#[tokio::test]
async fn completing_a_query_stops_it_and_completing_a_mutation_does_not() {
    let server = Server::start().await;
    let mut client = Client::connect(&server).await;
    client.subscribe("q", "{ gated }").await;
    server.probe.has_begun().await;
    client.complete("q").await;
    until(&server.probe.gated_dropped, |n| *n == 1).await;
    client.subscribe("m", "mutation { actGated }").await;
    server.probe.has_begun().await;
    client.complete("m").await;
    client.is_quiet().await;
    server.probe.open_gate();
    until(&server.probe.effects, |n| *n == 1).await;
    client.is_quiet().await;
}

#[tokio::test]
async fn a_mutation_whose_socket_is_lost_is_completed() {
    let server = Server::start().await;
    let mut client = Client::connect(&server).await;
    client.subscribe("s", "subscription { events { text } }").await;
    client.subscribe("m", "mutation { actGated }").await;
    server.probe.has_begun().await;
    drop(client);
    until(&server.probe.listeners, |n| *n == 0).await;
    server.probe.open_gate();
    until(&server.probe.effects, |n| *n == 1).await;
}

#[tokio::test]
async fn no_operation_starves_another_or_the_client() {
    let server = Server::start().await;
    let mut client = Client::connect(&server).await;
    client.subscribe("gated", "{ gated }").await;
    client.subscribe("flood", "subscription { flood(size: 10) }").await;
    client.subscribe("quick", "{ hello }").await;
    client.subscribe("live", "subscription { events { text } }").await;
    until(&server.probe.listeners, |n| *n == 1).await;
    server.probe.events.send("x".into()).unwrap();
    let mut waiting = vec!["quick", "live"];
    while !waiting.is_empty() {
        let message = client.receive().await;
        waiting.retain(|id| message["id"] != *id);
    }
    client.complete("flood").await;
    until(&server.probe.floods_dropped, |n| *n == 1).await;
}

#[tokio::test]
async fn operations_beyond_the_cap_are_refused_until_one_ends() {
    let settings = Settings {
        max_operations: 2,
        ..Settings::default()
    };
    let server = Server::with(settings).await;
    let mut client = Client::connect(&server).await;
    client.subscribe("1", "subscription { events { text } }").await;
    client.subscribe("2", "subscription { events { text } }").await;
    client.subscribe("3", "{ hello }").await;
    let message = client.receive().await;
    assert_eq!((&message["id"], &message["type"]), (&json!("3"), &json!("error")));
    assert_eq!(message["payload"][0]["extensions"]["code"], "TOO_MANY_OPERATIONS");
    client.complete("1").await;
    client.subscribe("3", "{ hello }").await;
    assert_eq!(client.receive().await["type"], "next");
}

#[tokio::test]
async fn a_client_that_does_not_read_is_not_buffered_for_and_cut_off() {
    const SIZE: usize = 64 << 10;
    let settings = Settings {
        write_timeout: Duration::from_millis(300),
        ..Settings::default()
    };
    let server = Server::with(settings).await;
    let mut client = Client::connect(&server).await;
    let query = format!("subscription {{ flood(size: {SIZE}) }}");
    client.subscribe("f", &query).await;
    until(&server.probe.floods_dropped, |n| *n == 1).await;
    let taken = server.probe.flooded.load(Ordering::SeqCst) * SIZE;
    assert!(
        taken < 32 << 20,
        "{taken} bytes, more than kernels buffer, were produced for it"
    );
}

#[tokio::test]
async fn a_client_that_reads_late_gets_everything_in_order() {
    const COUNT: u32 = 10_000;
    let server = Server::start().await;
    let mut late = Client::connect(&server).await;
    let query = format!("subscription {{ countdown(from: {COUNT}) }}");
    late.subscribe("c", &query).await;
    // Meanwhile others are served.
    let mut other = Client::connect(&server).await;
    for _ in 0..100 {
        other.is_quiet().await;
    }
    for n in (0..COUNT).rev() {
        assert_eq!(late.receive().await, next("c", &json!({ "countdown": n })));
    }
    assert_eq!(late.receive().await, complete("c"));
}

#[tokio::test]
async fn a_message_over_the_limit_closes_1009() {
    let settings = Settings {
        message_limit: 1000,
        ..Settings::default()
    };
    let server = Server::with(settings).await;
    let mut client = Client::connect(&server).await;
    client
        .subscribe("big", &format!("{{ hello }} #{}", "x".repeat(1000)))
        .await;
    assert_eq!(client.closed().await.0, 1009);
}

#[tokio::test]
async fn shutdown_closes_every_socket_with_1001() {
    let server = Server::start().await;
    let mut opened = Client::open(&server).await;
    let mut idle = Client::connect(&server).await;
    let mut busy = Client::connect(&server).await;
    busy.subscribe("s", "subscription { flood(size: 65536) }").await;
    busy.receive().await;
    let running = server.stop();
    for client in [&mut opened, &mut idle, &mut busy] {
        assert_eq!(client.closed().await.0, 1001);
        // Reading on answers the close.
        assert!(client.0.next().await.is_none());
    }
    running.await.unwrap().unwrap();
}

#[tokio::test]
async fn the_clients_close_is_answered() {
    let server = Server::start().await;
    let mut client = Client::connect(&server).await;
    client.subscribe("s", "subscription { events { text } }").await;
    until(&server.probe.listeners, |n| *n == 1).await;
    client.0.close(None).await.unwrap();
    while let Some(Ok(_)) = client.0.next().await {}
    until(&server.probe.listeners, |n| *n == 0).await;
}
