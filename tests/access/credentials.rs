//! What callers show to say who they are: API keys, an identity provider's tokens, the operator's; and how it ends.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{Json, Router, routing::get};
use frontdesk::{
    app::tokens::Role,
    domain::{
        clock::{Clock as _, SystemClock},
        ids::SiteId,
        permission::Scope,
    },
};
use futures::{SinkExt as _, StreamExt as _};
use jsonwebtoken::{Algorithm, EncodingKey, Header, jwk::Jwk};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::{Message, client::IntoClientRequest as _};

use crate::{
    on_both_engines,
    support::{Client, Engine, Server, Studio, id, on},
};

const CREATE_KEY: &str = "secret apiKey { id name scopes expiresDate revokedDate revision createdBy { type subject } } \
    userErrors { code path message }";

fn operator(server: &Server) -> Client {
    let tokens = server.running().api.tokens();
    Client::bearer(server, tokens.mint(Role::Operator, SiteId::NONE, "root", None, 3600))
}

async fn key(client: &Client, scopes: Value) -> (String, Value) {
    let input = json!({ "name": "shop", "scopes": scopes });
    let payload = client.mutate_selecting("createApiKey", input, CREATE_KEY).await;
    assert_eq!(payload["userErrors"], json!([]), "{payload}");
    (
        payload["secret"].as_str().expect("a secret").to_owned(),
        payload["apiKey"].clone(),
    )
}

async fn status_and_code(client: &Client) -> (u16, Value) {
    let reply = client.send("{ viewer { identity { type } } }", json!({})).await;
    (reply.status, reply.json["errors"][0]["extensions"]["code"].clone())
}

on_both_engines! {
    async fn an_app_gets_in_by_its_key_until_it_is_revoked(engine) {
        let server = Server::start(engine).await;
        let studio = Studio::open(&server).await;
        let owner = server.owner();
        let (secret, made) = key(&owner, json!(["MANAGE_BOOKINGS"])).await;
        assert_eq!((&made["createdBy"]["type"], &made["createdBy"]["subject"]), (&json!("OWNER"), &json!("olga")));
        let app = Client::bearer(&server, secret.clone());
        let viewer = "{ viewer { identity { type subject } scopes canManageBookings canManageCatalog canManageApiKeys } }";
        let viewer = app.data(viewer, json!({})).await["viewer"].clone();
        assert_eq!(viewer, json!({
            "identity": { "type": "APP", "subject": made["id"] }, "scopes": ["MANAGE_BOOKINGS"],
            "canManageBookings": true, "canManageCatalog": false, "canManageApiKeys": false,
        }));
        let booking = app.done("createBooking", studio.appointment(&studio.massage, 0, &[])).await;
        assert_eq!(app.done("confirmBooking", on(&booking)).await["status"], "CONFIRMED");

        let revoke = json!({ "apiKeyId": made["id"] });
        let selection = "apiKey { revokedDate revision } userErrors { code }";
        let revoked = owner.mutate_selecting("revokeApiKey", revoke.clone(), selection).await["apiKey"].clone();
        assert!(revoked["revokedDate"].is_string());
        assert_eq!(status_and_code(&app).await, (401, json!("UNAUTHENTICATED")));
        let again = owner.mutate_selecting("revokeApiKey", revoke, selection).await["apiKey"].clone();
        assert_eq!(again, revoked, "who wants it revoked has what it wants");
        let listed = owner.data("{ apiKeys { totalCount nodes { id revokedDate } } }", json!({})).await;
        assert_eq!(listed["apiKeys"]["totalCount"], 1);
        assert_eq!(listed["apiKeys"]["nodes"][0]["id"], made["id"]);
    }

    async fn of_a_key_only_the_hash_is_kept_and_a_retry_shows_it_again(engine) {
        let server = Server::start(engine).await;
        let owner = server.owner();
        let input = json!({ "name": "shop", "scopes": ["READ_BOOKINGS"], "idempotencyKey": "once" });
        let first = owner.mutate_selecting("createApiKey", input.clone(), CREATE_KEY).await;
        let again = owner.mutate_selecting("createApiKey", input, CREATE_KEY).await;
        assert_eq!(first, again);
        let secret = first["secret"].as_str().unwrap();
        assert_eq!(owner.data("{ apiKeys { totalCount } }", json!({})).await["apiKeys"]["totalCount"], 1);
        let named = frontdesk::app::tokens::Tokens::key_named(secret).flatten().expect("a key");
        let caller = frontdesk::service::Caller::new(
            server.site,
            frontdesk::domain::actor::Actor::Owner("olga".to_owned()),
        );
        let kept = server.service().api_key(&caller, named.1).await.unwrap().expect("it is there");
        assert_eq!(kept.secret_hash.len(), 32);
        assert!(!secret.as_bytes().windows(32).any(|part| part == kept.secret_hash));
        // One letter of the secret is enough to make it another.
        let mut wrong = secret.to_owned();
        let last = wrong.pop().unwrap();
        wrong.insert(20, if last == 'A' { 'B' } else { 'A' });
        for bad in [wrong.as_str(), "fdk_", "fdk_AAAA", &secret[..secret.len() - 1]] {
            assert_eq!(status_and_code(&Client::bearer(&server, bad.to_owned())).await, (401, json!("UNAUTHENTICATED")));
        }
    }

    async fn a_key_must_make_sense(engine) {
        let server = Server::start(engine).await;
        let owner = server.owner();
        for (input, path) in [
            (json!({ "name": "", "scopes": ["READ_BOOKINGS"] }), json!(["name"])),
            (json!({ "name": "x".repeat(101), "scopes": ["READ_BOOKINGS"] }), json!(["name"])),
            (json!({ "name": "shop", "scopes": [] }), json!(["scopes"])),
            (json!({ "name": "shop", "scopes": ["READ_BOOKINGS"], "expiresDate": "2020-01-01T00:00:00Z" }), json!(["expiresDate"])),
            (json!({ "name": "shop", "scopes": ["READ_BOOKINGS"], "expiresDate": "soon" }), json!(["expiresDate"])),
        ] {
            let payload = owner.mutate_selecting("createApiKey", input.clone(), CREATE_KEY).await;
            assert_eq!((&payload["userErrors"][0]["path"], &payload["secret"]), (&path, &Value::Null), "{input}");
        }
        let missing = json!({ "apiKeyId": "apikey_01h455vb4pex5vsknk084sn02q" });
        let payload = owner.mutate_selecting("revokeApiKey", missing, "userErrors { code path }").await;
        assert_eq!(payload["userErrors"][0], json!({ "code": "API_KEY_NOT_FOUND", "path": ["apiKeyId"] }));
    }

    async fn the_operator_makes_sites_and_their_first_keys(engine) {
        let server = Server::start(engine).await;
        let operator = operator(&server);
        let input = json!({ "slug": "north", "name": "North", "timeZone": "Europe/Oslo", "currency": "NOK", "idempotencyKey": "n" });
        let selection = "site { id slug timeZone currency } userErrors { code path }";
        let made = operator.mutate_selecting("createSite", input.clone(), selection).await;
        assert_eq!(made["site"]["slug"], "north", "{made}");
        assert_eq!(operator.mutate_selecting("createSite", input, selection).await, made, "a retry");
        let taken = json!({ "slug": "north", "name": "Other", "timeZone": "UTC", "currency": "EUR" });
        let refused = operator.mutate_selecting("createSite", taken, selection).await;
        assert_eq!(refused["userErrors"][0], json!({ "code": "ALREADY_EXISTS", "path": ["slug"] }));
        let sites = operator.data("{ sites { totalCount nodes { slug } } site { slug } bookings { totalCount } }", json!({})).await;
        assert_eq!(sites["sites"], json!({ "totalCount": 2, "nodes": [{ "slug": "default" }, { "slug": "north" }] }));
        assert_eq!(sites["site"], Value::Null, "with two sites, none is meant");
        // Without a site there is nothing that a key could be for.
        let input = json!({ "name": "shop", "scopes": ["MANAGE_CATALOG"] });
        let payload = operator.mutate_selecting("createApiKey", input, CREATE_KEY).await;
        assert_eq!(payload["userErrors"][0]["code"], "SITE_NOT_FOUND");
        let (secret, _) = key(&operator.clone().with("Frontdesk-Site", "north".to_owned()), json!(["MANAGE_CATALOG"])).await;
        let app = Client::bearer(&server, secret);
        assert_eq!(app.data("{ site { slug } }", json!({})).await["site"]["slug"], "north");
        for other in [server.owner(), server.app(), server.member("ada"), app] {
            assert_eq!(other.error_code("{ sites { totalCount } }", json!({})).await, "FORBIDDEN");
        }
    }
}

/// An identity provider with keys that it publishes.
struct Provider {
    url: String,
    keys: Arc<Mutex<Vec<Value>>>,
    asked: Arc<AtomicUsize>,
}

fn signing(name: &str) -> (EncodingKey, Algorithm) {
    let path = format!("{}/tests/access/keys/{name}.pem", env!("CARGO_MANIFEST_DIR"));
    let pem = std::fs::read(path).unwrap();
    match name {
        "rsa" => (EncodingKey::from_rsa_pem(&pem).unwrap(), Algorithm::RS256),
        "ec" => (EncodingKey::from_ec_pem(&pem).unwrap(), Algorithm::ES256),
        _ => (EncodingKey::from_ed_pem(&pem).unwrap(), Algorithm::EdDSA),
    }
}

fn published(name: &str) -> Value {
    let (key, algorithm) = signing(name);
    let mut jwk = serde_json::to_value(Jwk::from_encoding_key(&key, algorithm).unwrap()).unwrap();
    jwk["kid"] = json!(name);
    jwk["use"] = json!("sig");
    jwk
}

impl Provider {
    async fn start(names: &[&str]) -> Self {
        let keys = Arc::new(Mutex::new(names.iter().map(|name| published(name)).collect::<Vec<_>>()));
        let asked = Arc::new(AtomicUsize::new(0));
        let (shown, count) = (keys.clone(), asked.clone());
        let answer = get(move || async move {
            count.fetch_add(1, Ordering::SeqCst);
            Json(json!({ "keys": shown.lock().unwrap().clone() }))
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/keys", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, Router::new().route("/keys", answer)).await });
        Self { url, keys, asked }
    }

    async fn server(&self) -> Server {
        let flags = [
            "--jwt-keys-url",
            &self.url,
            "--jwt-issuer",
            "https://id.example",
            "--jwt-audience",
            "frontdesk",
            "--jwt-claim-prefix",
            "https://studio.example/",
        ];
        Server::on_with(Engine::Sqlite.database().await, Arc::new(SystemClock), &flags).await
    }
}

fn now() -> i64 {
    SystemClock.now().as_second()
}

/// Claims of a member, as the provider writes them.
fn claims(server: &Server) -> Value {
    json!({
        "iss": "https://id.example", "aud": ["other", "frontdesk"], "sub": "auth0|ada", "exp": now() + 600,
        "https://studio.example/role": "member", "https://studio.example/site": server.site.to_string(),
    })
}

fn sign(name: &str, kid: Option<&str>, claims: &Value) -> String {
    let (key, algorithm) = signing(name);
    let mut header = Header::new(algorithm);
    header.kid = kid.map(str::to_owned);
    jsonwebtoken::encode(&header, claims, &key).unwrap()
}

async fn accepted(server: &Server, token: &str) -> bool {
    let reply = Client::bearer(server, token.to_owned())
        .send("{ viewer { identity { type } } }", json!({}))
        .await;
    let good = reply.status == 200;
    let code = &reply.json["errors"][0]["extensions"]["code"];
    assert!(
        good || (reply.status == 401 && code == "UNAUTHENTICATED"),
        "{}",
        reply.json
    );
    good
}

#[tokio::test(flavor = "multi_thread")]
async fn a_providers_tokens_are_accepted_with_its_published_keys() {
    let provider = Provider::start(&["rsa", "ec", "ed"]).await;
    let server = provider.server().await;
    let claims = claims(&server);
    for name in ["rsa", "ec", "ed"] {
        for kid in [Some(name), None] {
            let client = Client::bearer(&server, sign(name, kid, &claims));
            let viewer = client.data("{ viewer { identity { type subject } } }", json!({})).await;
            let ada = json!({ "type": "MEMBER", "subject": "auth0|ada" });
            assert_eq!(viewer["viewer"]["identity"], ada, "{name} {kid:?}");
        }
    }
    let mut app = claims.clone();
    app["https://studio.example/role"] = json!("app");
    app["scope"] = json!("openid READ_CALENDAR");
    let app = Client::bearer(&server, sign("ec", Some("ec"), &app));
    assert_eq!(
        app.data("{ viewer { scopes } }", json!({})).await["viewer"]["scopes"],
        json!(["READ_CALENDAR"])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_providers_tokens_must_say_all_that_they_have_to() {
    let provider = Provider::start(&["rsa", "ec"]).await;
    let server = provider.server().await;
    let good = claims(&server);
    assert!(accepted(&server, &sign("ec", Some("ec"), &good)).await);
    let with = |name: &str, value: Value| {
        let mut claims = good.clone();
        claims[name] = value;
        claims
    };
    let without = |name: &str| {
        let mut claims = good.clone();
        claims.as_object_mut().unwrap().remove(name);
        claims
    };
    for claims in [
        with("iss", json!("https://evil.example")),
        without("iss"),
        with("aud", json!("other")),
        without("aud"),
        with("exp", json!(now() - 1)),
        without("exp"),
        with("exp", json!("tomorrow")),
        with("nbf", json!(now() + 3600)),
        with("sub", json!("")),
        without("sub"),
        with("https://studio.example/role", json!("operator")),
        with("https://studio.example/role", json!("visitor")),
        with("https://studio.example/role", json!("god")),
        without("https://studio.example/role"),
        without("https://studio.example/site"),
        with("https://studio.example/site", json!("default")),
        with("https://studio.example/role", json!("staff")),
    ] {
        assert!(!accepted(&server, &sign("ec", Some("ec"), &claims)).await, "{claims}");
    }
    // Another's key under a known name, and the right key under another's name.
    assert!(!accepted(&server, &sign("ed", Some("ec"), &good)).await);
    assert!(!accepted(&server, &sign("ec", Some("rsa"), &good)).await);
    // The public key as a shared secret: the oldest trick.
    let public = std::fs::read(format!("{}/tests/access/keys/public.pem", env!("CARGO_MANIFEST_DIR"))).unwrap();
    for secret in [public, published("rsa")["n"].as_str().unwrap().as_bytes().to_vec()] {
        for algorithm in [Algorithm::HS256, Algorithm::HS512] {
            let mut header = Header::new(algorithm);
            header.kid = Some("rsa".to_owned());
            let token = jsonwebtoken::encode(&header, &good, &EncodingKey::from_secret(&secret)).unwrap();
            assert!(!accepted(&server, &token).await, "{algorithm:?}");
        }
    }
    let signed = sign("ec", Some("ec"), &good);
    let parts: Vec<_> = signed.split('.').collect();
    for header in [
        r#"{"alg":"none"}"#,
        r#"{"alg":"NONE","kid":"ec"}"#,
        r#"{"alg":"ES256","crit":["x"],"kid":"nobody"}"#,
    ] {
        use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
        let header = URL_SAFE_NO_PAD.encode(header);
        assert!(!accepted(&server, &format!("{header}.{}.", parts[1])).await);
        assert!(!accepted(&server, &format!("{header}.{}.{}", parts[1], parts[2])).await);
    }
    assert!(!accepted(&server, &"a".repeat(7000)).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_key_is_found_and_strangers_dont_make_the_provider_work() {
    let provider = Provider::start(&["ed"]).await;
    let server = provider.server().await;
    let claims = claims(&server);
    assert!(accepted(&server, &sign("ed", Some("ed"), &claims)).await);
    let before = provider.asked.load(Ordering::SeqCst);
    for _ in 0..50 {
        assert!(!accepted(&server, &sign("next", Some("unknown"), &claims)).await);
    }
    assert!(provider.asked.load(Ordering::SeqCst) <= before + 1);
    provider.keys.lock().unwrap().push(published("next"));
    let mut known = false;
    for _ in 0..40 {
        known = accepted(&server, &sign("next", Some("next"), &claims)).await;
        if known {
            break;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    assert!(known, "a rotated key is accepted");
    assert!(
        accepted(&server, &sign("ed", Some("ed"), &claims)).await,
        "the old one, too, while it is published"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_may_be_in_a_file() {
    let file = format!("{}/tests/access/keys/public.pem", env!("CARGO_MANIFEST_DIR"));
    let flags = [
        "--jwt-keys-file",
        &file,
        "--jwt-issuer",
        "https://id.example",
        "--jwt-audience",
        "frontdesk",
    ];
    let server = Server::on_with(Engine::Sqlite.database().await, Arc::new(SystemClock), &flags).await;
    let claims = json!({
        "iss": "https://id.example", "aud": "frontdesk", "sub": "ada", "exp": now() + 600, "role": "owner",
        "site": server.site.to_string(),
    });
    for name in ["rsa", "ec", "ed"] {
        assert!(accepted(&server, &sign(name, None, &claims)).await, "{name}");
    }
    assert!(!accepted(&server, &sign("next", None, &claims)).await);
}

/// Opens a socket with a token, and waits for the code that it is closed with.
async fn closed_with(
    server: &Server,
    token: &str,
    patience: Duration,
    meanwhile: impl Future<Output = ()>,
) -> Option<u16> {
    let mut request = server.url.replace("http", "ws").into_client_request().unwrap();
    let protocol = "graphql-transport-ws".parse().unwrap();
    request.headers_mut().insert("sec-websocket-protocol", protocol);
    let (mut socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
    let init = json!({ "type": "connection_init", "payload": { "Authorization": format!("Bearer {token}") } });
    socket.send(Message::text(init.to_string())).await.unwrap();
    let ack = socket.next().await.unwrap().unwrap();
    assert!(ack.to_text().unwrap().contains("connection_ack"), "{ack}");
    let subscribe =
        json!({ "type": "subscribe", "id": "1", "payload": { "query": "subscription { bookingEvents { id } }" } });
    socket.send(Message::text(subscribe.to_string())).await.unwrap();
    meanwhile.await;
    let closed = async {
        while let Some(Ok(message)) = socket.next().await {
            if let Message::Close(frame) = message {
                return frame.map(|frame| frame.code.into());
            }
        }
        None
    };
    tokio::time::timeout(patience, closed)
        .await
        .expect("it is closed in time")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_closes_4403_when_its_token_ends() {
    let server = Server::start(Engine::Sqlite).await;
    let tokens = server.running().api.tokens();
    let token = tokens.mint(Role::Owner, server.site, "olga", None, 2);
    assert_eq!(
        closed_with(&server, &token, Duration::from_secs(5), async {}).await,
        Some(4403)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_closes_4403_when_its_key_is_revoked() {
    let server = Server::start(Engine::Sqlite).await;
    let owner = server.owner();
    let (secret, made) = key(&owner, json!([Scope::ReadBookings])).await;
    let revoke = async {
        let input = json!({ "apiKeyId": id(&made) });
        owner
            .mutate_selecting("revokeApiKey", input, "userErrors { code }")
            .await;
    };
    assert_eq!(
        closed_with(&server, &secret, Duration::from_secs(20), revoke).await,
        Some(4403)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_stream_ends_with_the_reason_when_its_token_ends() {
    let server = Server::start(Engine::Sqlite).await;
    let token = server
        .running()
        .api
        .tokens()
        .mint(Role::Owner, server.site, "olga", None, 2);
    let request = server
        .http
        .post(&server.url)
        .header("accept", "text/event-stream")
        .bearer_auth(token);
    let body = json!({ "query": "subscription { bookingEvents { id } }" });
    let text = request.json(&body).send().await.unwrap().text();
    let text = tokio::time::timeout(Duration::from_secs(8), text)
        .await
        .expect("it ends")
        .unwrap();
    assert!(
        text.contains("UNAUTHENTICATED") && text.contains("event: complete"),
        "{text}"
    );
}
