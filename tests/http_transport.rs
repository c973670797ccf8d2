//! The rules of GraphQL over plain HTTP, health checks and shutdown, on real sockets.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod support;

use std::time::Duration;

use frontdesk::http::{Origins, Settings};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, header};
use serde_json::{Value, json};
use support::{Server, until};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

const GRAPHQL: &str = "application/graphql-response+json";

fn post(server: &Server, query: &str) -> RequestBuilder {
    Client::new()
        .post(server.url("/graphql"))
        .header(header::ACCEPT, GRAPHQL)
        .json(&json!({ "query": query }))
}

fn post_raw(server: &Server, content_type: &str, body: impl Into<String>) -> RequestBuilder {
    Client::new()
        .post(server.url("/graphql"))
        .header(header::ACCEPT, GRAPHQL)
        .header(header::CONTENT_TYPE, content_type)
        .body(body.into())
}

fn get(server: &Server, query: &str) -> RequestBuilder {
    let mut url = reqwest::Url::parse(&server.url("/graphql")).unwrap();
    url.query_pairs_mut().append_pair("query", query);
    Client::new().get(url).header(header::ACCEPT, GRAPHQL)
}

/// The status and the first error's code.
async fn refusal(request: RequestBuilder) -> (u16, String) {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let body: Value = response.json().await.unwrap();
    assert!(body.get("data").is_none(), "{body}");
    let code = &body["errors"][0]["extensions"]["code"];
    (status, code.as_str().unwrap_or_default().to_owned())
}

fn header_of<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers()[name].to_str().unwrap()
}

#[tokio::test]
async fn fields_come_in_the_order_they_were_asked_for() {
    let server = Server::start().await;
    let response = post(&server, "{ z: hello who a: hello(name: \"you\") }")
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(
        header_of(&response, "content-type"),
        format!("{GRAPHQL}; charset=utf-8")
    );
    assert_eq!(header_of(&response, "vary"), "accept");
    assert_eq!(header_of(&response, "cache-control"), "no-store");
    let body = response.text().await.unwrap();
    assert_eq!(body, r#"{"data":{"z":"world","who":"a visitor","a":"you"}}"#);
}

#[tokio::test]
async fn a_get_may_query_but_not_mutate() {
    let server = Server::start().await;
    let response = get(&server, "{ hello }").send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    for mutation in ["mutation { act }", "query A { hello } mutation B { act }"] {
        let response = get(&server, mutation).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(header_of(&response, "allow"), "POST");
    }
    assert_eq!(*server.probe.effects.borrow(), 0);
}

#[tokio::test]
async fn what_a_page_of_another_origin_can_send_unasked_is_refused() {
    let server = Server::start().await;
    let json = r#"{"query":"mutation { act }"}"#;
    for (content_type, body) in [
        ("text/plain", json),
        ("application/x-www-form-urlencoded", "query=mutation{act}"),
        ("multipart/form-data; boundary=b", "--b--"),
        ("application/json; charset=utf-16", json),
        ("application/graphql", "mutation { act }"),
    ] {
        let refused = refusal(post_raw(&server, content_type, body)).await;
        assert_eq!(refused, (415, "UNSUPPORTED_MEDIA_TYPE".into()), "{content_type}");
    }
    assert_eq!(*server.probe.effects.borrow(), 0);
}

#[tokio::test]
async fn other_methods_are_told_which_to_use() {
    let server = Server::start().await;
    for method in [Method::PUT, Method::DELETE, Method::PATCH, Method::OPTIONS] {
        let request = Client::new().request(method, server.url("/graphql"));
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(header_of(&response, "allow"), "GET, POST");
    }
}

#[tokio::test]
async fn malformed_requests_are_answered_400_with_a_code() {
    let server = Server::start().await;
    for (body, code) in [
        ("", "BAD_REQUEST"),
        ("{", "BAD_REQUEST"),
        ("7", "BAD_REQUEST"),
        ("{}", "BAD_REQUEST"),
        (r#"{"query":7}"#, "BAD_REQUEST"),
        (r#"{"query":"{hello}","variables":[1]}"#, "BAD_REQUEST"),
        (r#"{"query":"{hello}","operationName":{}}"#, "BAD_REQUEST"),
        (r#"{"query":"{hello}","extensions":"x"}"#, "BAD_REQUEST"),
        (r#" [{"query":"{hello}"}]"#, "BATCHING_NOT_SUPPORTED"),
        (r#"{"query":"{"}"#, "GRAPHQL_VALIDATION_FAILED"),
        (r#"{"query":"{ unknown }"}"#, "GRAPHQL_VALIDATION_FAILED"),
        (
            r#"{"query":"subscription { countdown(from: 2) }"}"#,
            "SUBSCRIPTION_NEEDS_STREAM",
        ),
    ] {
        let refused = refusal(post_raw(&server, "application/json", body)).await;
        assert_eq!(refused, (400, code.into()), "{body}");
    }
}

#[tokio::test]
async fn a_request_error_is_200_for_clients_of_plain_json() {
    let server = Server::start().await;
    let request = Client::new()
        .post(server.url("/graphql"))
        .json(&json!({ "query": "{ unknown }" }));
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(header_of(&response, "content-type"), "application/json; charset=utf-8");
}

#[tokio::test]
async fn a_client_that_accepts_nothing_we_have_gets_406() {
    let server = Server::start().await;
    let request = Client::new()
        .post(server.url("/graphql"))
        .header(header::ACCEPT, "text/css")
        .json(&json!({ "query": "{ hello }" }));
    assert_eq!(refusal(request).await, (406, "NOT_ACCEPTABLE".into()));
}

#[tokio::test]
async fn a_browsers_address_bar_is_sent_to_the_page() {
    let server = Server::start().await;
    let browser = Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let visit = browser
        .get(server.url("/graphql"))
        .header(header::ACCEPT, "text/html, */*;q=0.8");
    let response = visit.send().await.unwrap();
    assert_eq!(response.status(), StatusCode::TEMPORARY_REDIRECT);
    assert_eq!(header_of(&response, "location"), "/");
}

#[tokio::test]
async fn a_failing_field_leaves_its_siblings_and_has_a_code() {
    let server = Server::start().await;
    let response = post(&server, "{ hello fails }").send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["data"], json!({ "hello": "world", "fails": null }));
    assert_eq!(body["errors"][0]["path"], json!(["fails"]));
    assert_eq!(body["errors"][0]["extensions"]["code"], "INTERNAL_ERROR");
    let response = post(&server, "{ failsRequired }").send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["data"], Value::Null);
    assert!(body.as_object().unwrap().contains_key("data"));
}

#[tokio::test]
async fn a_crash_is_500_with_the_request_id_and_nothing_else() {
    let server = Server::start().await;
    let execution = post(&server, "{ crashes }");
    let authentication = post(&server, "{ hello }").bearer_auth("crash");
    for request in [execution, authentication] {
        let response = request.header("x-request-id", "r-1").send().await.unwrap();
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(header_of(&response, "x-request-id"), "r-1");
        let body: Value = response.json().await.unwrap();
        let extensions = json!({ "code": "INTERNAL_ERROR", "requestId": "r-1" });
        assert_eq!(body["errors"][0]["extensions"], extensions);
        assert!(!body.to_string().contains("purpose"));
    }
}

#[tokio::test]
async fn the_body_limit_applies_with_and_without_a_declared_length() {
    let settings = Settings {
        body_limit: 1000,
        ..Settings::default()
    };
    let server = Server::with(settings).await;
    let body = |length: usize| {
        let frame = r#"{"query":"{ hello } #"}"#.len();
        format!(r#"{{"query":"{{ hello }} #{}"}}"#, "x".repeat(length - frame))
    };
    let fits = post_raw(&server, "application/json", body(1000)).send().await.unwrap();
    assert_eq!(fits.status(), StatusCode::OK);
    let declared = post_raw(&server, "application/json", body(1001));
    assert_eq!(refusal(declared).await, (413, "PAYLOAD_TOO_LARGE".into()));

    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let head = "POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
                transfer-encoding: chunked\r\n\r\n";
    let chunk = format!("3e9\r\n{}\r\n", body(1001));
    stream.write_all(format!("{head}{chunk}").as_bytes()).await.unwrap();
    assert_eq!(status_line(&mut stream).await, "HTTP/1.1 413 Payload Too Large");
}

async fn status_line(stream: &mut TcpStream) -> String {
    let mut answer = vec![0; 4096];
    let length = stream.read(&mut answer).await.unwrap();
    let answer = String::from_utf8_lossy(&answer[..length]).into_owned();
    answer.lines().next().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_body_that_trickles_is_given_up() {
    let settings = Settings {
        body_timeout: Duration::from_millis(50),
        ..Settings::default()
    };
    let server = Server::with(settings).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let begun = "POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
                 content-length: 20\r\n\r\n{";
    stream.write_all(begun.as_bytes()).await.unwrap();
    assert_eq!(status_line(&mut stream).await, "HTTP/1.1 408 Request Timeout");
}

#[tokio::test]
async fn a_connection_without_a_request_is_closed() {
    let settings = Settings {
        header_timeout: Duration::from_millis(50),
        ..Settings::default()
    };
    let server = Server::with(settings).await;
    // Nothing at all, what could become either version of HTTP, and half a head.
    for begun in ["", "P", "POST /graphql HTTP/1.1\r\nhost:"] {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(begun.as_bytes()).await.unwrap();
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).await.unwrap();
    }
}

#[tokio::test]
async fn the_request_id_is_the_clients_if_sane_and_reaches_the_executor() {
    let server = Server::start().await;
    let request = post(&server, "{ requestId }").header("x-request-id", "abc-1:2_3.4=");
    let response = request.send().await.unwrap();
    assert_eq!(header_of(&response, "x-request-id"), "abc-1:2_3.4=");
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["data"]["requestId"], "abc-1:2_3.4=");
    for insane in ["", "a b", "<script>", &"x".repeat(129)] {
        let request = post(&server, "{ requestId }").header("x-request-id", insane);
        let response = request.send().await.unwrap();
        let id = header_of(&response, "x-request-id").to_owned();
        assert_ne!(id, insane);
        assert_eq!(response.json::<Value>().await.unwrap()["data"]["requestId"], id);
    }
    let missing = Client::new().get(server.url("/nowhere")).send().await.unwrap();
    assert_eq!(missing.status(), StatusCode::NOT_FOUND);
    assert!(missing.headers().contains_key("x-request-id"));
}

#[tokio::test]
async fn credentials_are_taken_from_the_headers() {
    let server = Server::start().await;
    let who = async |request: RequestBuilder| {
        let response = request.send().await.unwrap();
        response.json::<Value>().await.unwrap()["data"]["who"].clone()
    };
    let ask = || post(&server, "{ who }");
    assert_eq!(who(ask()).await, "a visitor");
    assert_eq!(who(ask().bearer_auth("secret")).await, "the owner");
    assert_eq!(who(ask().header("Frontdesk-Visitor-Token", "v1")).await, "v1");
    assert_eq!(who(ask().header("Frontdesk-Site", "studio")).await, "a visitor");
}

#[tokio::test]
async fn a_wrong_credential_is_refused_before_anything_runs() {
    let server = Server::start().await;
    let act = || post(&server, "mutation { act }");
    let response = act().bearer_auth("wrong").send().await.unwrap();
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(header_of(&response, "www-authenticate"), "Bearer");
    for (request, expected) in [
        (act().bearer_auth("wrong"), (401, "UNAUTHENTICATED")),
        (act().basic_auth("secret", Some("x")), (401, "UNAUTHENTICATED")),
        (act().header("Frontdesk-Visitor-Token", ""), (401, "UNAUTHENTICATED")),
        (act().header("Frontdesk-Site", "elsewhere"), (400, "SITE_NOT_FOUND")),
        (act().bearer_auth("down"), (503, "SERVICE_UNAVAILABLE")),
    ] {
        let (status, code) = refusal(request).await;
        assert_eq!((status, code.as_str()), expected);
    }
    assert_eq!(*server.probe.effects.borrow(), 0);
}

#[tokio::test]
async fn a_mutation_whose_client_hangs_up_is_completed() {
    let server = Server::start().await;
    let asking = tokio::spawn(post(&server, "mutation { actGated }").send());
    server.probe.has_begun().await;
    asking.abort();
    assert!(asking.await.unwrap_err().is_cancelled());
    // A later request on a new connection shows that the hang-up has been dealt with.
    post(&server, "{ hello }").send().await.unwrap();
    server.probe.open_gate();
    until(&server.probe.effects, |n| *n == 1).await;
}

#[tokio::test]
async fn a_query_whose_client_hangs_up_is_stopped() {
    let server = Server::start().await;
    let asking = tokio::spawn(post(&server, "{ gated }").send());
    server.probe.has_begun().await;
    asking.abort();
    until(&server.probe.gated_dropped, |n| *n == 1).await;
}

#[tokio::test]
async fn shutdown_refuses_new_connections_and_finishes_requests_in_flight() {
    let server = Server::start().await;
    let (address, probe) = (server.address, server.probe.clone());
    let asking = tokio::spawn(post(&server, "mutation { actGated }").send());
    let hung_up = tokio::spawn(post(&server, "mutation { actGated }").send());
    probe.has_begun().await;
    probe.has_begun().await;
    hung_up.abort();
    let running = server.stop();
    while TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    assert!(!running.is_finished());
    probe.gate.add_permits(2);
    let response = asking.await.unwrap().unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    running.await.unwrap().unwrap();
    assert_eq!(*probe.effects.borrow(), 2);
}

#[tokio::test]
async fn shutdown_does_not_wait_beyond_the_grace() {
    let settings = Settings {
        grace: Duration::from_millis(50),
        ..Settings::default()
    };
    let server = Server::with(settings).await;
    let asking = tokio::spawn(post(&server, "{ gated }").send());
    server.probe.has_begun().await;
    server.stop().await.unwrap().unwrap();
    assert!(asking.await.unwrap().is_err(), "the connection was cut");
}

#[tokio::test]
async fn health_tells_liveness_from_readiness() {
    let server = Server::start().await;
    let check = async |path: &str| {
        let response = Client::new().get(server.url(path)).send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    };
    assert_eq!(check("/health/live").await, (200, r#"{"status":"live"}"#.into()));
    assert_eq!(check("/health/ready").await, (200, r#"{"status":"ready"}"#.into()));
    let now = Err("no database".into());
    drop(server.probe.ready.send_replace(now));
    let unavailable = r#"{"status":"unavailable","reason":"no database"}"#;
    assert_eq!(check("/health/ready").await, (503, unavailable.into()));
    assert_eq!(check("/health/live").await.0, 200);
}

#[tokio::test]
async fn pages_of_allowed_origins_may_ask_and_others_may_not() {
    let origins = |origins: &[&str]| Settings {
        allowed_origins: Origins::These(origins.iter().map(|origin| origin.parse().unwrap()).collect()),
        ..Settings::default()
    };
    let any = Settings {
        allowed_origins: Origins::Any,
        ..Settings::default()
    };
    for (settings, origin, allowed) in [
        (Settings::default(), "https://studio.example", None),
        (
            origins(&["https://studio.example", "http://localhost:3000"]),
            "https://studio.example",
            Some("https://studio.example"),
        ),
        (origins(&["https://studio.example"]), "https://other.example", None),
        (
            origins(&["https://studio.example"]),
            "https://studio.example.evil.example",
            None,
        ),
        (any, "https://other.example", Some("*")),
    ] {
        let server = Server::with(settings).await;
        let preflight = Client::new()
            .request(Method::OPTIONS, server.url("/graphql"))
            .header(header::ORIGIN, origin)
            .header(header::ACCESS_CONTROL_REQUEST_METHOD, "POST")
            .header(
                header::ACCESS_CONTROL_REQUEST_HEADERS,
                "authorization,content-type,frontdesk-site",
            );
        let preflight = preflight.send().await.unwrap();
        let answer = post(&server, "{ hello }")
            .header(header::ORIGIN, origin)
            .send()
            .await
            .unwrap();
        for response in [&preflight, &answer] {
            let found = response.headers().get(header::ACCESS_CONTROL_ALLOW_ORIGIN);
            assert_eq!(found.map(|value| value.to_str().unwrap()), allowed, "{origin}");
            assert!(
                !response
                    .headers()
                    .contains_key(header::ACCESS_CONTROL_ALLOW_CREDENTIALS)
            );
        }
        if allowed.is_some() {
            assert_eq!(
                header_of(&preflight, "access-control-allow-headers"),
                "authorization,content-type,frontdesk-site"
            );
            assert_eq!(
                header_of(&answer, "access-control-expose-headers"),
                "x-request-id,retry-after"
            );
        }
        assert_eq!(answer.json::<Value>().await.unwrap()["data"]["hello"], "world");
    }
}

#[tokio::test]
async fn a_query_that_takes_too_long_is_stopped_and_a_mutation_is_not() {
    let server = Server::with(Settings {
        query_timeout: Duration::from_millis(50),
        ..Settings::default()
    })
    .await;
    let refused = refusal(post(&server, "{ gated }")).await;
    assert_eq!(refused, (504, "QUERY_TIMEOUT".into()));
    until(&server.probe.gated_dropped, |dropped| *dropped == 1).await;
    let acting = tokio::spawn(post(&server, "mutation { actGated }").send());
    server.probe.has_begun().await;
    server.probe.has_begun().await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    server.probe.open_gate();
    let answer: Value = acting.await.unwrap().unwrap().json().await.unwrap();
    assert_eq!(answer["data"]["actGated"], 1, "{answer}");
}

#[tokio::test]
async fn an_address_has_so_many_connections() {
    let server = Server::with(Settings {
        connections_per_address: 2,
        ..Settings::default()
    })
    .await;
    let open = async || {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        let request = format!("GET /health/live HTTP/1.1\r\nhost: {}\r\n\r\n", server.address);
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = vec![0; 1024];
        let length = stream.read(&mut answer).await.unwrap_or(0);
        (String::from_utf8_lossy(&answer[..length]).into_owned(), stream)
    };
    let (first, stream) = open().await;
    let (second, _kept) = open().await;
    assert!(
        first.starts_with("HTTP/1.1 200") && second.starts_with("HTTP/1.1 200"),
        "{first}{second}"
    );
    let (third, _) = open().await;
    assert!(
        third.is_empty() || third.starts_with("HTTP/1.1 429") && third.contains("retry-after: 10"),
        "{third}"
    );
    drop(stream);
    let freed = async {
        while !open().await.0.starts_with("HTTP/1.1 200") {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), freed).await.unwrap();
}
