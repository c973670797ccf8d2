//! The rules of results that go on over plain HTTP (Server-Sent Events, multipart), on real sockets.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod support;

use std::time::Duration;

use frontdesk::http::Settings;
use reqwest::{Client, RequestBuilder, Response, header};
use serde_json::{Value, json};
use support::{Server, until};
use tokio::time::timeout;

const EVENTS: &str = "text/event-stream";
/// As Apollo Client sends it.
const MULTIPART: &str =
    "multipart/mixed;boundary=graphql;subscriptionSpec=1.0,application/graphql-response+json,application/json;q=0.9";
const PATIENCE: Duration = Duration::from_secs(10);

fn post(server: &Server, accept: &str, query: &str) -> RequestBuilder {
    Client::new()
        .post(server.url("/graphql"))
        .header(header::ACCEPT, accept)
        .json(&json!({ "query": query }))
}

fn get(server: &Server, query: &str) -> RequestBuilder {
    let mut url = reqwest::Url::parse(&server.url("/graphql")).unwrap();
    url.query_pairs_mut().append_pair("query", query);
    Client::new().get(url).header(header::ACCEPT, EVENTS)
}

/// An answer that is read as it comes.
struct Reading {
    response: Response,
    text: String,
}

impl Reading {
    async fn of(request: RequestBuilder, content_type: &str) -> Self {
        let response = request.send().await.unwrap();
        let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(
            (response.status().as_u16(), header("content-type").as_str()),
            (200, content_type)
        );
        assert_eq!(
            (header("vary").as_str(), header("cache-control").as_str()),
            ("accept", "no-store")
        );
        assert_eq!(header("x-accel-buffering"), "no");
        Self {
            response,
            text: String::new(),
        }
    }

    async fn events(request: RequestBuilder) -> Self {
        Self::of(request, "text/event-stream; charset=utf-8").await
    }

    async fn parts(request: RequestBuilder) -> Self {
        Self::of(request, "multipart/mixed; boundary=\"graphql\"; subscriptionSpec=1.0").await
    }

    /// Whether there was more.
    async fn more(&mut self) -> bool {
        let chunk = timeout(PATIENCE, self.response.chunk())
            .await
            .expect("in time")
            .unwrap();
        let Some(chunk) = chunk else { return false };
        self.text.push_str(std::str::from_utf8(&chunk).unwrap());
        true
    }

    async fn until(&mut self, text: &str) {
        while !self.text.contains(text) {
            assert!(self.more().await, "{} ended without {text}", self.text);
        }
    }

    async fn whole(mut self) -> String {
        while self.more().await {}
        self.text
    }
}

#[tokio::test]
async fn an_event_stream_has_each_result_and_says_when_it_is_over() {
    let server = Server::start().await;
    let query = ":\n\nevent: next\ndata: {\"data\":{\"hello\":\"world\"}}\n\nevent: complete\ndata:\n\n";
    for request in [
        post(&server, EVENTS, "{ hello }"),
        post(&server, "text/event-stream, */*;q=0.1", "{ hello }"),
        get(&server, "{ hello }"),
    ] {
        assert_eq!(Reading::events(request).await.whole().await, query);
    }
    let countdown = Reading::events(post(&server, EVENTS, "subscription { countdown(from: 2) }")).await;
    assert_eq!(
        countdown.whole().await,
        ":\n\nevent: next\ndata: {\"data\":{\"countdown\":1}}\n\nevent: next\ndata: {\"data\":{\"countdown\":0}}\n\n\
         event: complete\ndata:\n\n"
    );
}

#[tokio::test]
async fn parts_have_each_result_and_their_delimiter_behind_them() {
    let server = Server::start().await;
    let countdown = Reading::parts(post(&server, MULTIPART, "subscription { countdown(from: 1) }")).await;
    assert_eq!(
        countdown.whole().await,
        "\r\n--graphql\r\ncontent-type: application/json\r\n\r\n{\"payload\":{\"data\":{\"countdown\":0}}}\r\n--graphql--\r\n"
    );
    // What is not a subscription is answered at once, where the client takes that.
    let answer = post(&server, MULTIPART, "{ hello }").send().await.unwrap();
    assert_eq!(
        answer.headers()["content-type"],
        "application/graphql-response+json; charset=utf-8"
    );
    let only = Reading::parts(post(&server, "multipart/mixed; subscriptionSpec=\"1.0\"", "{ hello }")).await;
    assert!(
        only.whole()
            .await
            .contains("{\"payload\":{\"data\":{\"hello\":\"world\"}}}")
    );
}

#[tokio::test]
async fn an_event_arrives_when_it_happens_and_a_client_that_leaves_is_forgotten() {
    let server = Server::start().await;
    for (accept, opening, event) in [
        (EVENTS, ":\n\n", "data: {\"data\":{\"events\":{\"text\":\"now\"}}}\n\n"),
        (
            MULTIPART,
            "--graphql",
            "{\"payload\":{\"data\":{\"events\":{\"text\":\"now\"}}}}\r\n--graphql",
        ),
    ] {
        let request = post(&server, accept, "subscription { events { text } }");
        let mut reading = match accept {
            EVENTS => Reading::events(request).await,
            _ => Reading::parts(request).await,
        };
        reading.until(opening).await;
        until(&server.probe.listeners, |listeners| *listeners == 1).await;
        server.probe.events.send("now".into()).unwrap();
        reading.until(event).await;
        drop(reading);
        // Only a connection with something to write notices that nobody reads.
        until(&server.probe.listeners, |listeners| *listeners == 0).await;
    }
}

#[tokio::test]
async fn errors_are_results_and_the_end() {
    let server = Server::start().await;
    for (query, code) in [
        ("subscription { unknown }", None),
        ("{ unknown }", None),
        ("{", None),
        ("subscription { refuses }", None),
        ("subscription { crashes }", Some("INTERNAL_ERROR")),
        ("{ crashes }", Some("INTERNAL_ERROR")),
    ] {
        let text = Reading::events(post(&server, EVENTS, query)).await.whole().await;
        assert!(text.ends_with("event: complete\ndata:\n\n"), "{query}: {text}");
        let data = text
            .lines()
            .filter_map(|line| line.strip_prefix("data: "))
            .next_back()
            .unwrap();
        let result: Value = serde_json::from_str(data).unwrap();
        assert!(!result["errors"].as_array().unwrap().is_empty(), "{query}: {result}");
        if let Some(code) = code {
            assert_eq!(result["errors"][0]["extensions"]["code"], code, "{query}");
        }
    }
    let text = Reading::parts(post(&server, MULTIPART, "subscription { unknown }"))
        .await
        .whole()
        .await;
    assert!(
        text.contains("{\"payload\":{\"errors\":[") && text.ends_with("--graphql--\r\n"),
        "{text}"
    );
}

#[tokio::test]
async fn what_is_no_operation_is_refused_by_status() {
    let server = Server::start().await;
    let refused = async |request: RequestBuilder| {
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let body: Value = response.json().await.unwrap();
        (
            status,
            body["errors"][0]["extensions"]["code"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
        )
    };
    let is = |status: u16, code: &str| (status, code.to_owned());
    assert_eq!(
        refused(get(&server, "mutation { act }")).await,
        is(405, "METHOD_NOT_ALLOWED")
    );
    let malformed = post(&server, EVENTS, "").body("{\"query");
    assert_eq!(refused(malformed).await, is(400, "BAD_REQUEST"));
    let stranger = post(&server, EVENTS, "{ hello }").bearer_auth("wrong");
    assert_eq!(refused(stranger).await, is(401, "UNAUTHENTICATED"));
    for accept in ["application/json", "*/*", "multipart/mixed, application/json"] {
        let refused = refused(post(&server, accept, "subscription { countdown(from: 1) }")).await;
        assert_eq!(refused, is(400, "SUBSCRIPTION_NEEDS_STREAM"), "{accept}");
    }
    assert_eq!(*server.probe.effects.borrow(), 0);
}

#[tokio::test]
async fn a_quiet_stream_shows_that_it_is_alive() {
    let server = Server::with(Settings {
        heartbeat: Duration::from_millis(20),
        ..Settings::default()
    })
    .await;
    let mut events = Reading::events(post(&server, EVENTS, "subscription { events { text } }")).await;
    events.until(":\n\n:\n\n:\n\n").await;
    let mut parts = Reading::parts(post(&server, MULTIPART, "subscription { events { text } }")).await;
    let beat = "\r\ncontent-type: application/json\r\n\r\n{}\r\n--graphql";
    parts.until(&beat.repeat(2)).await;
}

#[tokio::test]
async fn a_client_that_does_not_read_piles_up_nothing() {
    let server = Server::start().await;
    let mut reading = Reading::events(post(&server, EVENTS, "subscription { flood(size: 10000) }")).await;
    reading.until("data: {\"data\":{\"flood\":\"9 ").await;
    let flooded = || server.probe.flooded.load(std::sync::atomic::Ordering::SeqCst);
    // It fills what the two ends' sockets hold, and stops.
    let mut before = flooded();
    loop {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let now = flooded();
        if now == before {
            break;
        }
        before = now;
        assert!(now < 20_000, "{now} results for nobody");
    }
    drop(reading);
    until(&server.probe.floods_dropped, |dropped| *dropped == 1).await;
}

#[tokio::test]
async fn a_mutation_goes_on_without_its_client() {
    let server = Server::start().await;
    let mut reading = Reading::events(post(&server, EVENTS, "mutation { actGated }")).await;
    reading.until(":\n\n").await;
    server.probe.has_begun().await;
    drop(reading);
    server.probe.open_gate();
    until(&server.probe.effects, |effects| *effects == 1).await;
}

#[tokio::test]
async fn at_shutdown_a_stream_breaks_off_so_that_its_client_comes_again() {
    let server = Server::start().await;
    let mut reading = Reading::events(post(&server, EVENTS, "subscription { events { text } }")).await;
    until(&server.probe.listeners, |listeners| *listeners == 1).await;
    reading.until(":\n\n").await;
    let stopped = server.stop();
    assert!(!reading.whole().await.contains("complete"));
    timeout(PATIENCE, stopped).await.expect("in time").unwrap().unwrap();
}
