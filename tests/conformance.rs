//! A server of the toy schema for black-box checkers, which bring their own client. `.ci/conformance` runs them.
//!
//! `TOY_ADDRESS=127.0.0.1:8000 cargo test --test conformance -- --ignored`

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use async_graphql::{Request, Response};
use frontdesk::{
    graphql::gate::{Gate, Limits},
    http::{Api, Credentials, Frame, Refusal, Settings, serve},
};
use futures_util::{StreamExt as _, stream::BoxStream};
use support::{Caller, Toy};

/// The toy behind the gate that the real schema has in front.
#[derive(Clone)]
struct Gated {
    gate: Gate,
    toy: Toy,
}

impl Api for Gated {
    type Caller = Caller;

    async fn authenticate(&self, credentials: Credentials) -> Result<Caller, Refusal> {
        self.toy.authenticate(credentials).await
    }

    async fn execute(&self, caller: Caller, mut request: Request) -> Response {
        match self.gate.admit(&mut request) {
            Ok(()) => self.toy.execute(caller, request).await,
            Err(errors) => Response::from_errors(errors),
        }
    }

    fn subscribe(&self, caller: Caller, mut request: Request) -> BoxStream<'static, Frame> {
        match self.gate.admit(&mut request) {
            Ok(()) => self.toy.subscribe(caller, request),
            Err(errors) => {
                let errors = serde_json::to_vec(&errors).unwrap();
                futures_util::stream::iter([Frame::Errors(errors.into())]).boxed()
            }
        }
    }

    async fn readiness(&self) -> Result<(), String> {
        self.toy.readiness().await
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "runs until it is interrupted"]
async fn serve_the_toy() {
    let address = std::env::var("TOY_ADDRESS").unwrap_or("127.0.0.1:8000".into());
    let listener = tokio::net::TcpListener::bind(address).await.unwrap();
    let interrupted = async { tokio::signal::ctrl_c().await.unwrap() };
    let toy = Toy::behind_a_gate();
    let gate = Gate::of(&toy.sdl(), Limits::default());
    let served = serve(listener, Gated { gate, toy }, Settings::default(), interrupted).await;
    served.unwrap();
}
