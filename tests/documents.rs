//! Which documents run on a server: those that were sent before, by their hashes; those that the operator trusts; none
//! about the schema, if the operator says so. Against the real binary.
#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    missing_docs,
    unreachable_pub,
    reason = "a test fails by panicking"
)]

#[path = "support/program.rs"]
mod program;

use frontdesk::graphql::documents::name_of;
use futures::{SinkExt as _, StreamExt as _};
use program::Program;
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::{Message, client::IntoClientRequest as _};

const QUERY: &str = "query Where { site { slug } }";

async fn answer(request: RequestBuilder) -> (u16, Value) {
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

async fn post(program: &Program, request: Value) -> (u16, Value) {
    answer(Client::new().post(program.url()).json(&request)).await
}

fn code(answer: &Value) -> &str {
    answer["errors"][0]["extensions"]["code"].as_str().unwrap_or_default()
}

fn persisted(text: &str) -> Value {
    json!({ "persistedQuery": { "version": 1, "sha256Hash": name_of(text) } })
}

fn by_get(program: &Program, text: &str) -> RequestBuilder {
    let extensions = persisted(text).to_string();
    let extensions = percent_encoding::utf8_percent_encode(&extensions, percent_encoding::NON_ALPHANUMERIC);
    Client::new().get(format!("{}?extensions={extensions}", program.url()))
}

fn is_answered(answer: &Value) -> bool {
    answer["data"]["site"]["slug"] == "default"
}

/// What a WebSocket hears of one operation.
async fn over_websocket(program: &Program, payload: Value) -> Value {
    let mut request = format!("ws://{}/graphql", program.address)
        .into_client_request()
        .unwrap();
    let protocol = "graphql-transport-ws".parse().unwrap();
    request.headers_mut().insert("sec-websocket-protocol", protocol);
    let (mut socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
    for message in [
        json!({ "type": "connection_init" }),
        json!({ "type": "subscribe", "id": "1", "payload": payload }),
    ] {
        socket.send(Message::text(message.to_string())).await.unwrap();
    }
    loop {
        let message = socket.next().await.unwrap().unwrap();
        let message: Value = serde_json::from_str(message.to_text().unwrap()).unwrap();
        if message["id"] == "1" {
            return message;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_is_sent_once_and_then_named_by_its_hash() {
    let program = Program::start(&[]);
    let only_named = json!({ "extensions": persisted(QUERY) });
    let (status, unknown) = post(&program, only_named.clone()).await;
    assert_eq!(
        (status, code(&unknown)),
        (200, "PERSISTED_QUERY_NOT_FOUND"),
        "{unknown}"
    );
    assert_eq!(
        unknown["errors"][0]["message"], "PersistedQueryNotFound",
        "clients look for these words"
    );
    let strict = Client::new()
        .post(program.url())
        .header("accept", "application/graphql-response+json");
    assert_eq!(answer(strict.json(&only_named)).await.0, 400);

    let (_, lied) = post(
        &program,
        json!({ "query": QUERY, "extensions": persisted("{ other }") }),
    )
    .await;
    assert_eq!(code(&lied), "PERSISTED_QUERY_MISMATCH");
    let (_, first) = post(&program, json!({ "query": QUERY, "extensions": persisted(QUERY) })).await;
    assert!(is_answered(&first), "{first}");
    assert!(is_answered(&post(&program, only_named.clone()).await.1));
    let draft = json!({ "documentId": format!("sha256:{}", name_of(QUERY)), "operationName": "Where" });
    assert!(is_answered(&post(&program, draft).await.1));
    assert!(is_answered(&answer(by_get(&program, QUERY)).await.1));
    let heard = over_websocket(&program, only_named).await;
    assert!(heard["type"] == "next" && is_answered(&heard["payload"]), "{heard}");
    let heard = over_websocket(&program, json!({ "extensions": persisted("{ unknown }") })).await;
    assert_eq!(
        (&heard["type"], code(&json!({ "errors": heard["payload"] }))),
        (&json!("error"), "PERSISTED_QUERY_NOT_FOUND")
    );

    // A mutation by its hash is still one.
    let mutation = "mutation { cancelBooking(input: { bookingId: \"x\" }) { userErrors { code } } }";
    let (_, acted) = post(
        &program,
        json!({ "query": mutation, "extensions": persisted(mutation) }),
    )
    .await;
    assert!(
        acted["data"]["cancelBooking"]["userErrors"][0]["code"].is_string(),
        "{acted}"
    );
    assert_eq!(answer(by_get(&program, mutation)).await.0, 405);
    for malformed in [
        json!({ "version": 2, "sha256Hash": name_of(QUERY) }),
        json!({ "version": 1 }),
        json!("x"),
    ] {
        let (status, refused) = post(
            &program,
            json!({ "query": QUERY, "extensions": { "persistedQuery": malformed } }),
        )
        .await;
        assert_eq!((status, code(&refused)), (400, "BAD_REQUEST"), "{refused}");
    }
    assert_eq!(post(&program, json!({ "documentId": "x".repeat(257) })).await.0, 400);
    assert_eq!(
        code(&post(&program, json!({ "query": "" })).await.1),
        "GRAPHQL_PARSE_FAILED"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_keeps_nothing_says_so() {
    let program = Program::start(&["--persisted-queries-kib", "0"]);
    let (_, refused) = post(&program, json!({ "query": QUERY, "extensions": persisted(QUERY) })).await;
    assert_eq!(code(&refused), "PERSISTED_QUERY_NOT_SUPPORTED");
    assert_eq!(refused["errors"][0]["message"], "PersistedQueryNotSupported");
    assert!(is_answered(&post(&program, json!({ "query": QUERY })).await.1));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_trusted_documents_run() {
    let directory = tempfile::tempdir().unwrap();
    let manifest = directory.path().join("manifest.json");
    let stale = "{ site { gone } }";
    std::fs::write(&manifest, json!({ "where": QUERY, "stale": stale }).to_string()).unwrap();
    let manifest = manifest.display().to_string();
    let program = Program::start(&["--trusted-documents", &manifest, "--log", "warn"]);
    for trusted in [
        json!({ "documentId": "where" }),
        json!({ "documentId": format!("sha256:{}", name_of(QUERY)) }),
        json!({ "extensions": persisted(QUERY) }),
        json!({ "query": QUERY }),
        json!({ "query": QUERY, "documentId": "where" }),
    ] {
        assert!(is_answered(&post(&program, trusted.clone()).await.1), "{trusted}");
    }
    for other in [
        json!({ "query": "{ site { slug } }" }),
        json!({ "query": "{ __schema { types { name } } }" }),
        json!({ "query": "{ a }", "extensions": persisted("{ a }") }),
        json!({ "extensions": persisted("{ a }") }),
        json!({ "documentId": "elsewhere" }),
    ] {
        let (status, refused) = post(&program, other.clone()).await;
        assert_eq!((status, code(&refused)), (200, "DOCUMENT_NOT_TRUSTED"), "{other}");
        let heard = over_websocket(&program, other).await;
        assert_eq!(code(&json!({ "errors": heard["payload"] })), "DOCUMENT_NOT_TRUSTED");
    }
    let (_, mixed) = post(&program, json!({ "query": "{ site { id } }", "documentId": "where" })).await;
    assert_eq!(code(&mixed), "PERSISTED_QUERY_MISMATCH");
    assert_eq!(
        code(&post(&program, json!({ "documentId": "stale" })).await.1),
        "GRAPHQL_VALIDATION_FAILED"
    );
    let (_, _, log) = program.stop();
    assert!(
        log.contains("a trusted document can't run") && log.contains("stale"),
        "{log}"
    );
}

#[test]
fn a_manifest_that_can_not_be_read_stops_the_start() {
    for (text, reason) in [(None, "No such file"), (Some("{}"), "no documents"), (Some("{"), "EOF")] {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("manifest.json");
        if let Some(text) = text {
            std::fs::write(&file, text).unwrap();
        }
        let database = format!("sqlite:{}", directory.path().join("frontdesk.db").display());
        let ended = std::process::Command::new(env!("CARGO_BIN_EXE_frontdesk"))
            .args([
                "serve",
                "--listen",
                "127.0.0.1:0",
                "--database-url",
                &database,
                "--trusted-documents",
            ])
            .arg(&file)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&ended.stderr);
        assert!(
            !ended.status.success() && said.contains("--trusted-documents") && said.contains(reason),
            "{said}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn introspection_and_the_page_can_be_switched_off() {
    let http = Client::new();
    let browse = async |program: &Program| {
        let page = http
            .get(format!("http://{}/", program.address))
            .send()
            .await
            .unwrap()
            .status()
            .as_u16();
        let api = http
            .get(program.url())
            .header("accept", "text/html")
            .send()
            .await
            .unwrap();
        (page, api.url().path().to_owned(), api.status().as_u16())
    };
    let open = Program::start(&[]);
    assert_eq!(browse(&open).await, (200, "/".to_owned(), 200));
    let (_, schema) = post(&open, json!({ "query": "{ __type(name: \"Site\") { name } }" })).await;
    assert_eq!(schema["data"]["__type"]["name"], "Site");

    let closed = Program::start(&["--no-introspection", "--no-graphiql"]);
    let (page, path, status) = browse(&closed).await;
    assert_eq!((page, path.as_str()), (404, "/graphql"));
    assert!((400..500).contains(&status));
    for about in [
        "{ __schema { types { name } } }",
        "{ __type(name: \"Site\") { name } }",
        "{ ...F } fragment F on Query { ... on Query { a: __schema { __typename } } }",
        "query A { site { id } } query B { __schema { __typename } }",
    ] {
        let (_, refused) = post(&closed, json!({ "query": about, "operationName": "A" })).await;
        assert_eq!(code(&refused), "INTROSPECTION_DISABLED", "{about}: {refused}");
    }
    let (_, named) = post(&closed, json!({ "query": "{ __typename site { __typename slug } }" })).await;
    assert!(is_answered(&named) && named["data"]["__typename"] == "Query");
}
