//! A server of the toy schema for black-box checkers, which bring their own client.
//!
//! `TOY_ADDRESS=127.0.0.1:8000 cargo test --test conformance -- --ignored`

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use frontdesk::http::{Settings, serve};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "runs until it is interrupted"]
async fn serve_the_toy() {
    let address = std::env::var("TOY_ADDRESS").unwrap_or("127.0.0.1:8000".into());
    let listener = tokio::net::TcpListener::bind(address).await.unwrap();
    let interrupted = async { tokio::signal::ctrl_c().await.unwrap() };
    let toy = support::Toy::default();
    let served = serve(listener, toy, Settings::default(), interrupted).await;
    served.unwrap();
}
