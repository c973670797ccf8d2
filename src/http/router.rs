//! Which address is answered by what.

use axum::{
    Router,
    http::{StatusCode, header},
    middleware,
    response::{IntoResponse, Response},
    routing::{any, get},
};

use super::{
    api::Api,
    exchange, health, pages, request_id,
    transport::Transport,
    wire::{self, Fault},
};

/// All routes over one API.
///
/// Further routes join by `.merge(..)` before the fallback, where they get the request id and its
/// span like the rest.
pub(super) fn router<A: Api>(transport: Transport<A>) -> Router {
    Router::new()
        .route("/graphql", any(exchange::graphql::<A>))
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready::<A>))
        .merge(pages::routes())
        .fallback(not_found)
        .with_state(transport)
        .layer(middleware::from_fn(request_id::identify))
}

async fn not_found() -> Response {
    let fault = Fault {
        code: "NOT_FOUND",
        message: "there is nothing at this address; the API is at /graphql",
        request_id: None,
    };
    let json = [(header::CONTENT_TYPE, "application/json; charset=utf-8")];
    (StatusCode::NOT_FOUND, json, wire::fault_response(&fault)).into_response()
}
